"""Verdicts on targets, and the forms in which continuous integration reads them."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from iopsim.errors import InputError
from iopsim.experiment.statistics import Interval
from iopsim.experiment.store import Results
from iopsim.experiment.summary import Estimate, summary_rows
from iopsim.report.ci import job_summary, junit_xml, workflow_commands
from iopsim.report.judgment import Case, cases_in, cases_of, exit_code, overall, tally

if TYPE_CHECKING:
    from iopsim.experiment.summary import Verdict

MET = Case("iop.seat_utilization.mean", "met", "94.3 % (93.7 % to 95.0 %), asked at least 80 %")
MISSED = Case("iop.wait_days.p90", "missed", "15.4 days (14.4 to 16.7), asked at most 14")
UNDECIDED = Case("iop.reneged.share", "undecided", "10.4 % (9.4 % to 11.3 %), asked at most 10 %")
ANY_TEXT = st.text(st.characters(exclude_categories=[]))


def estimate(
    name: str, unit: str, interval: tuple[float, float, float], target: str = "", verdict: Verdict = ""
) -> Estimate:
    value, low, high = interval
    found = Interval(estimate=value, low=low, high=high, sd=1.0, n=40)
    return Estimate(name=name, unit=unit, better="lower", interval=found, target=target, verdict=verdict)


FOUND = [
    estimate("iop.referrals.per_week", "patients", (5.0, 4.0, 6.0)),
    estimate("iop.wait_days.p90", "days", (15.42, 14.43, 16.71), "at most 14", "missed"),
    estimate("iop.reneged.share", "share", (0.104, 0.094, 0.113), "at most 0.1", "undecided"),
    estimate("program.margin.total", "USD", (-5e4, -6e4, -4e4), "at least -1e+06 and at most 2500.5", "met"),
    estimate("iop.started.total", "patients", (0.0, math.nan, math.nan), "at least 3", "undecided"),
    estimate("iop.wait_days.max", "days", (math.nan, math.nan, math.nan), "at most 60", "undecided"),
]


def results(folder: Path, **manifest: object) -> Results:
    return Results(folder, {"kind": "run", "name": "plan", **manifest})


def write_table(folder: Path, name: str, columns: list[str], rows: list[list[object]]) -> None:
    import csv

    from iopsim.experiment.encoding import csv_cell

    with (folder / name).open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([columns, *(map(csv_cell, row) for row in rows)])


# ── cases ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_case_says_what_was_found_and_what_was_asked() -> None:
    assert [(case.name, case.verdict, case.message) for case in cases_of(FOUND)] == [
        ("iop.wait_days.p90", "missed", "15.4 days (14.4 to 16.7), asked at most 14"),
        ("iop.reneged.share", "undecided", "10.4 % (9.4 % to 11.3 %), asked at most 10 %"),
        (
            "program.margin.total",
            "met",
            "-50,000 USD (-60,000 to -40,000), asked at least -1,000,000 and at most 2,500.5",
        ),
        ("iop.started.total", "undecided", "0.0 patients, asked at least 3"),
        ("iop.wait_days.max", "undecided", "not known, asked at most 60"),
    ]


def test_the_facts_of_a_case_are_plain_values() -> None:
    known, *_, unknown = (case.facts for case in cases_of(FOUND))
    assert known == {
        "unit": "days",
        "estimate": 15.42,
        "ci_low": 14.43,
        "ci_high": 16.71,
        "target": "at most 14",
    }
    assert unknown == {
        "unit": "days",
        "estimate": None,
        "ci_low": None,
        "ci_high": None,
        "target": "at most 60",
    }


def test_a_folder_gives_the_cases_that_were_written_into_it(tmp_path: Path) -> None:
    write_table(tmp_path, "summary.csv", *summary_rows(FOUND))
    assert cases_in(results(tmp_path)) == cases_of(FOUND)


def refused(folder: Results) -> str:
    with pytest.raises(InputError) as caught:
        cases_in(folder)
    (fault,) = caught.value.faults
    assert str(fault.mark) == str(folder.path)
    return fault.message


def test_results_without_targets_are_not_taken_for_good_ones(tmp_path: Path) -> None:
    write_table(tmp_path, "summary.csv", *summary_rows(FOUND[:1]))
    assert refused(results(tmp_path)).startswith(
        "no targets to judge by; add some, as in `targets: [{metric: "
    )


@pytest.mark.parametrize(
    ("kind", "remedy"),
    [("comparison", "`iopsim run`"), ("shard", "`iopsim merge`"), ("dream", "give a run or a sweep")],
)
def test_results_that_no_target_judges_are_refused(tmp_path: Path, kind: str, remedy: str) -> None:
    message = refused(results(tmp_path, kind=kind))
    assert message.startswith(f"a {kind} has no verdicts on targets; ")
    assert remedy in message


@pytest.mark.parametrize(
    "content",
    [
        None,
        b"metric,unit\n",
        b"metric,unit\nx,days\n",
        b"metric,unit,estimate,ci_low,ci_high,sd,n,better,target,verdict\nx,days,1,1,1,1,1,lower,at most 3,perhaps\n",
        b"metric,unit,estimate,ci_low,ci_high,sd,n,better,target,verdict\nx,days,much,1,1,1,1,lower,at most 3,met\n",
        b"",
        b"\xff\xfe\x00",
        b'metric\n"open',
    ],
)
def test_a_damaged_table_is_told_as_such(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "summary.csv").write_bytes(content)
    state = "missing" if content is None else "missing or damaged"
    expected = f"summary.csv is {state}; give the command that wrote this folder again"
    assert refused(results(tmp_path)) == expected


SWEPT = ["point", "groups", "staff.therapist.fte", "replications", "precise", "verdict", "program.cost.total"]


def points(*verdicts: str) -> list[list[object]]:
    """Rows of points.csv with these verdicts; the later a point, the less it costs."""
    return [
        [number, "two", number / 2, 20, "", verdict, 1e6 - number]
        for number, verdict in enumerate(verdicts, 1)
    ]


@pytest.mark.parametrize(
    ("verdicts", "verdict", "message"),
    [
        (("missed", "missed"), "missed", "0 of 2 points do"),
        (("undecided", "missed"), "undecided", "0 of 2 points do, 1 may"),
        (("missed", "met", "met"), "met", "2 of 3 points do"),
        (("undecided", "met", "missed", "undecided"), "met", "1 of 4 points do, 2 may"),
    ],
)
def test_a_sweep_asks_for_one_point_that_meets_all_targets(
    tmp_path: Path, verdicts: tuple[str, ...], verdict: str, message: str
) -> None:
    write_table(tmp_path, "points.csv", SWEPT, points(*verdicts))
    (case,) = cases_in(results(tmp_path, kind="sweep"))
    assert (case.name, case.verdict, case.message) == ("a point meets all targets", verdict, message)
    counts = {name: verdicts.count(name) for name in ("missed", "undecided", "met")}
    assert case.facts == {"points": len(verdicts), **counts}


def test_a_sweep_that_has_said_its_answer_is_quoted(tmp_path: Path) -> None:
    write_table(tmp_path, "points.csv", SWEPT, points("met", "missed"))
    answers = ["One point meets all targets; it is Groups two.", "The next one costs more."]
    (case,) = cases_in(results(tmp_path, kind="sweep", answers=answers))
    assert (case.verdict, case.message) == ("met", " ".join(answers))


def test_a_sweep_without_targets_is_not_taken_for_a_good_one(tmp_path: Path) -> None:
    write_table(tmp_path, "points.csv", SWEPT, points("", ""))
    assert refused(results(tmp_path, kind="sweep")).startswith("no targets to judge by")
    write_table(tmp_path, "points.csv", SWEPT, points("met", "perhaps"))
    assert refused(results(tmp_path, kind="sweep")).startswith("points.csv is missing or damaged")


# ── what they come to ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("cases", "verdict", "code"),
    [
        ([MET], "met", 0),
        ([MET, MET], "met", 0),
        ([UNDECIDED], "undecided", 4),
        ([MET, UNDECIDED], "undecided", 4),
        ([MISSED], "missed", 3),
        ([UNDECIDED, MISSED, MET], "missed", 3),
        ([MET, MISSED], "missed", 3),
    ],
)
def test_the_worst_verdict_decides(cases: list[Case], verdict: str, code: int) -> None:
    assert (overall(cases), exit_code(cases)) == (verdict, code)
    assert (overall(cases[::-1]), exit_code(cases[::-1])) == (verdict, code)


def test_where_nothing_is_asked_nothing_is_met() -> None:
    with pytest.raises(InputError, match="no targets"):
        exit_code([])


def test_the_tally_counts() -> None:
    assert tally([MET]) == "1 of 1 target met"
    assert tally([MET, MET]) == "2 of 2 targets met"
    assert tally([MISSED, UNDECIDED, MET]) == "1 of 3 targets met, 1 missed, 1 undecided"
    assert tally([UNDECIDED]) == "0 of 1 target met, 1 undecided"


# ── JUnit ────────────────────────────────────────────────────────────────────────────────────────────────────

# What junit-10.xsd allows inside each element, and of its attributes requires and allows besides.
GRAMMAR: Mapping[str, tuple[set[str], set[str], set[str]]] = {
    "testsuites": ({"testsuite"}, set(), {"name", "time", "tests", "failures", "errors"}),
    "testsuite": (
        {"testsuite", "properties", "testcase", "system-out", "system-err"},
        {"name", "tests", "failures", "errors"},
        {"group", "time", "skipped", "timestamp", "hostname", "id", "package", "file", "log", "url"},
    ),
    "testcase": (
        {"skipped", "error", "failure", "system-out", "system-err"},
        {"name"},
        {"time", "classname", "group"},
    ),
    "failure": (set(), set(), {"type", "message"}),
    "error": (set(), set(), {"type", "message"}),
    "system-out": (set(), set(), set()),
}
MIXED = {"failure", "error", "system-out"}


def assert_valid(element: ElementTree.Element) -> None:
    children, required, optional = GRAMMAR[element.tag]
    assert required <= set(element.attrib) <= required | optional
    assert {child.tag for child in element} <= children
    assert element.tag in MIXED or not (element.text or "").strip()
    assert re.fullmatch(r"(([0-9]{0,3},)*[0-9]{3}|[0-9]{0,3})*(\.[0-9]*)?", element.get("time", ""))
    for child in element:
        assert_valid(child)


def test_a_report_of_three_verdicts() -> None:
    assert junit_xml({"baseline": [MET, MISSED, UNDECIDED]}) == (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<testsuites tests="3" failures="1" errors="1">\n'
        '  <testsuite name="baseline" tests="3" failures="1" errors="1" skipped="0" time="0">\n'
        '    <testcase classname="baseline" name="iop.seat_utilization.mean" time="0">\n'
        "      <system-out>94.3 % (93.7 % to 95.0 %), asked at least 80 %</system-out>\n"
        "    </testcase>\n"
        '    <testcase classname="baseline" name="iop.wait_days.p90" time="0">\n'
        '      <failure type="missed" message="15.4 days (14.4 to 16.7), asked at most 14">'
        "iop.wait_days.p90: 15.4 days (14.4 to 16.7), asked at most 14</failure>\n"
        "    </testcase>\n"
        '    <testcase classname="baseline" name="iop.reneged.share" time="0">\n'
        '      <error type="undecided" message="10.4 % (9.4 % to 11.3 %), asked at most 10 %">'
        "iop.reneged.share: 10.4 % (9.4 % to 11.3 %), asked at most 10 %</error>\n"
        "    </testcase>\n"
        "  </testsuite>\n"
        "</testsuites>\n"
    )


@given(
    st.dictionaries(
        ANY_TEXT,
        st.lists(st.builds(Case, ANY_TEXT, st.sampled_from(["met", "missed", "undecided"]), ANY_TEXT)),
    )
)
@example({"<&\"'>": [Case("\0\x1b[31m]]>", "missed", "\ud800\ufffe\r\n\t")]})
def test_every_text_gives_a_valid_report(suites: dict[str, list[Case]]) -> None:
    text = junit_xml(suites)
    root = ElementTree.fromstring(text.encode("utf-8"))
    assert_valid(root)
    assert len(root) == len(suites)
    for suite, cases in zip(root, suites.values(), strict=True):
        verdicts = [case.verdict for case in cases]
        assert [int(suite.attrib[name]) for name in ("tests", "failures", "errors")] == [
            len(cases),
            verdicts.count("missed"),
            verdicts.count("undecided"),
        ]
        assert [[child.tag for child in case] for case in suite] == [
            [{"met": "system-out", "missed": "failure", "undecided": "error"}[verdict]]
            for verdict in verdicts
        ]


def test_what_xml_can_hold_comes_back_as_it_was() -> None:
    case = Case("a<b> & \"c\" 'd'\n\te", "missed", "groß ≥ 10 % – 🙂")
    suite = ElementTree.fromstring(junit_xml({"x": [case]}).encode())[0]
    assert suite[0].get("name") == case.name
    assert suite[0][0].get("message") == case.message
    assert suite[0][0].text == f"{case.name}: {case.message}"


# ── the job summary ──────────────────────────────────────────────────────────────────────────────────────────


def test_a_summary_is_a_table_for_each_folder() -> None:
    assert job_summary({"base_line": [MISSED, MET], "*": [UNDECIDED]}, "more\n") == (
        "### base_line: 1 of 2 targets met, 1 missed\n"
        "\n"
        "| target                    | verdict | found                                          |\n"
        "| ------------------------- | ------- | ---------------------------------------------- |\n"
        "| iop.wait_days.p90         | missed  | 15.4 days (14.4 to 16.7), asked at most 14     |\n"
        "| iop.seat_utilization.mean | met     | 94.3 % (93.7 % to 95.0 %), asked at least 80 % |\n"
        "\n"
        r"### \*: 0 of 1 target met, 1 undecided"
        "\n"
        "\n"
        "| target            | verdict   | found                                        |\n"
        "| ----------------- | --------- | -------------------------------------------- |\n"
        "| iop.reneged.share | undecided | 10.4 % (9.4 % to 11.3 %), asked at most 10 % |\n"
        "\n"
        "more\n"
    )
    assert job_summary({}, "only this") == "only this\n"


# ── annotations ──────────────────────────────────────────────────────────────────────────────────────────────


def understood(command: str) -> tuple[str, str, str]:
    """Kind, title and message of a workflow command, as GitHub's runner reads it."""
    kind, title, message = re.fullmatch(r"::(\w+) title=([^:,\r\n]*)::(.*)", command).groups()  # type: ignore[union-attr]
    for code, character in {"%3A": ":", "%2C": ","}.items():
        title = title.replace(code, character)
    for code, character in {"%0D": "\r", "%0A": "\n", "%25": "%"}.items():
        title, message = title.replace(code, character), message.replace(code, character)
    return kind, title, message


def test_what_is_missed_is_an_error_and_what_is_undecided_a_warning() -> None:
    assert list(workflow_commands({"baseline": [UNDECIDED, MET, MISSED]})) == [
        "::error title=baseline%3A iop.wait_days.p90 missed::15.4 days (14.4 to 16.7), asked at most 14",
        "::warning title=baseline%3A iop.reneged.share undecided::"
        "10.4 %25 (9.4 %25 to 11.3 %25), asked at most 10 %25",
    ]
    assert list(workflow_commands({"baseline": [MET]})) == []


@given(ANY_TEXT, ANY_TEXT, ANY_TEXT)
@example("a::b", "x,file=/etc/passwd", "%0A::error::100%\r\n::set-output name=x::y")
def test_no_text_breaks_out_of_its_annotation(title: str, name: str, message: str) -> None:
    (command,) = workflow_commands({title: [Case(name, "missed", message)]})
    assert "\n" not in command
    assert "\r" not in command
    assert understood(command) == ("error", f"{title}: {name} missed", message)


def test_no_more_annotations_than_are_shown() -> None:
    cases = [Case(f"metric{number}", "missed", "1") for number in range(13)]
    ten = list(workflow_commands({"x": cases[:10]}))
    assert [understood(command)[1] for command in ten] == [
        f"x: metric{number} missed" for number in range(10)
    ]
    told = [understood(command) for command in workflow_commands({"x": [*cases, UNDECIDED]})]
    assert [title for _, title, _ in told[:9]] == [f"x: metric{number} missed" for number in range(9)]
    assert told[9] == ("error", "4 more", "\n".join(f"x: metric{number} missed" for number in range(9, 13)))
    assert [kind for kind, _, _ in told] == ["error"] * 10 + ["warning"]
