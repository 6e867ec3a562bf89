"""`iopsim check` and `--fail-on-target`: verdicts in words, in exit codes, and as continuous integration reads them."""

from __future__ import annotations

import json
import math
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import pytest

from iopsim.experiment.statistics import Interval
from iopsim.experiment.store import open_run
from iopsim.experiment.summary import Estimate, summary_rows
from tests.architecture.test_workflow import SHARDS, commands, environment
from tests.cli.sessions import MINIMAL, ROOT, at_terminal, files, setting, spawned

if TYPE_CHECKING:
    from iopsim.experiment.summary import Verdict
    from tests.cli.conftest import Iopsim


def found(
    name: str, unit: str, interval: tuple[float, float, float], target: str = "", verdict: Verdict = ""
) -> Estimate:
    value, low, high = interval
    what = Interval(estimate=value, low=low, high=high, sd=1.0, n=40)
    return Estimate(name=name, unit=unit, better="lower", interval=what, target=target, verdict=verdict)


ASKED_NOTHING = found("iop.referrals.per_week", "patients", (5.0, 4.0, 6.0))
MET = found("iop.seat_utilization.mean", "share", (0.943, 0.937, 0.95), "at least 0.8", "met")
MISSED = found("iop.wait_days.p90", "days", (15.4, 14.4, 16.7), "at most 14", "missed")
UNDECIDED = found("iop.reneged.share", "share", (0.1, math.nan, math.nan), "at most 0.1", "undecided")
ALL = (ASKED_NOTHING, MISSED, UNDECIDED, MET)
LINES = """\
plan: 1 of 3 targets met, 1 missed, 1 undecided
  missed     iop.wait_days.p90          15.4 days (14.4 to 16.7), asked at most 14
  undecided  iop.reneged.share          10.0 %, asked at most 10 %
  met        iop.seat_utilization.mean  94.3 % (93.7 % to 95.0 %), asked at least 80 %
"""


def finished(folder: Path, *estimates: Estimate, name: str = "plan", kind: str = "run") -> Path:
    """A folder as `iopsim run` leaves it."""
    with open_run(folder.parent, name, "0" * 64, out=folder, about={"kind": kind}) as run:
        run.write_csv("summary.csv", *summary_rows(estimates))
        return run.finish()


@pytest.fixture(autouse=True)
def outside_of_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY"):
        monkeypatch.delenv(name, raising=False)


# ── what is printed ──────────────────────────────────────────────────────────────────────────────────────────


def test_a_line_for_each_target(iopsim: Iopsim, tmp_path: Path) -> None:
    finished(tmp_path / "answer", *ALL)
    before = files(tmp_path)
    assert iopsim("check", "answer") == (3, LINES, "")
    assert files(tmp_path) == before


@pytest.mark.parametrize(
    ("estimates", "code"),
    [((MET,), 0), ((MET, UNDECIDED), 4), ((UNDECIDED, MISSED), 3), ((MISSED, MET), 3)],
    ids=["met", "undecided", "missed", "one missed"],
)
def test_the_exit_code_is_the_verdict(
    iopsim: Iopsim, tmp_path: Path, estimates: tuple[Estimate, ...], code: int
) -> None:
    finished(tmp_path / "answer", *estimates)
    for options in ((), ("--json",), ("--md",), ("--junit-xml", "report.xml")):
        assert iopsim("check", "answer", *options).code == code


def test_several_folders_are_judged_together(iopsim: Iopsim, tmp_path: Path) -> None:
    for folder, name, estimate in (("a", "one", MET), ("b", "two", MISSED), ("c", "two", UNDECIDED)):
        finished(tmp_path / folder, estimate, name=name)
    code, out, err = iopsim("check", "a", "b", "c", "a")
    assert (code, err) == (3, "")
    assert [line for line in out.splitlines() if not line.startswith(" ")] == [
        "one: 1 of 1 target met",
        "two (b): 0 of 1 target met, 1 missed",
        "two (c): 0 of 1 target met, 1 undecided",
    ]
    assert (
        len({line.index(word) for line, word in zip(out.splitlines()[1::2], ("94", "15", "10"), strict=True)})
        == 1
    )
    assert iopsim("check", "a", "c").code == 4


@pytest.mark.parametrize("columns", [40, 60])
def test_a_narrow_terminal_loses_no_word(tmp_path: Path, columns: int) -> None:
    finished(tmp_path / "answer", *ALL)
    code, shown = at_terminal("check", "answer", folder=tmp_path, columns=columns)[:2]
    assert code == 3
    assert max(map(len, shown.splitlines())) <= columns
    assert shown.split() == LINES.split()


def test_json_says_the_same_and_nothing_else(iopsim: Iopsim, tmp_path: Path) -> None:
    finished(tmp_path / "answer", *ALL)
    code, out, err = iopsim("check", "answer", "--json")
    assert (code, err) == (3, "")
    said = json.loads(out, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    assert (said["verdict"], said["exit_code"]) == ("missed", 3)
    (results,) = said["results"]
    assert (results["name"], results["results"], results["verdict"]) == ("plan", "answer", "missed")
    assert results["targets"][1] == {
        "name": "iop.reneged.share",
        "verdict": "undecided",
        "message": "10.0 %, asked at most 10 %",
        "unit": "share",
        "estimate": 0.1,
        "ci_low": None,
        "ci_high": None,
        "target": "at most 0.1",
    }
    assert [target["verdict"] for target in results["targets"]] == ["missed", "undecided", "met"]


def test_markdown_is_a_table_of_targets(iopsim: Iopsim, tmp_path: Path) -> None:
    finished(tmp_path / "answer", *ALL)
    out = iopsim("check", "answer", "--md").out
    heading, _, head, rule, *rows = out.splitlines()
    assert heading == "### plan: 1 of 3 targets met, 1 missed, 1 undecided"
    assert [cell.strip() for cell in head.split("|")[1:-1]] == ["target", "verdict", "found"]
    assert re.fullmatch(r"[| -]+", rule)
    assert [row.split("|")[2].strip() for row in rows] == ["missed", "undecided", "met"]


# ── what is no verdict ───────────────────────────────────────────────────────────────────────────────────────


def test_folders_that_cannot_be_judged_are_all_told(iopsim: Iopsim, tmp_path: Path) -> None:
    finished(tmp_path / "good", MET)
    finished(tmp_path / "silent", ASKED_NOTHING)
    finished(tmp_path / "compared", MET, kind="comparison")
    finished(tmp_path / "part", MET, kind="shard")
    (tmp_path / "empty").mkdir()
    (tmp_path / "a_file").write_text("not a folder", encoding="utf-8")
    shutil.move(finished(tmp_path / "stopped", MET), tmp_path / "stopped.partial")
    old = finished(tmp_path / "old", MET) / "manifest.json"
    old.write_text(
        old.read_text("utf-8").replace('"results_schema": 3', '"results_schema": 1'), encoding="utf-8"
    )
    (finished(tmp_path / "hurt", MET) / "summary.csv").unlink()
    bad = (
        "silent",
        "compared",
        "part",
        "empty",
        "a_file",
        "absent",
        "stopped",
        "stopped.partial",
        "old",
        "hurt",
    )
    code, out, err = iopsim("check", "good", *bad)
    assert (code, out) == (2, "")
    *told, number = err.splitlines()
    assert number == f"{len(bad)} errors"
    assert [line.split(": error: ")[0] for line in told] == [*bad]
    for line, reason in zip(
        told,
        [
            "no targets to judge by; add some",
            "a comparison has no verdicts on targets; run its plans",
            "a shard has no verdicts on targets; join all parts with `iopsim merge`",
            *["not a results folder: no manifest.json in it"] * 3,
            *["unfinished; give its command again to complete it"] * 2,
            "results of schema 1, written by iopsim ",
            "summary.csv is missing; give the command that wrote this folder again",
        ],
        strict=True,
    ):
        assert reason in line


def test_a_report_is_not_written_where_there_is_no_verdict(iopsim: Iopsim, tmp_path: Path) -> None:
    finished(tmp_path / "silent", ASKED_NOTHING)
    assert iopsim("check", "silent", "--junit-xml", "report.xml").code == 2
    assert not (tmp_path / "report.xml").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [((), "RESULTS"), (("answer", "--json", "--md"), "exclude each other"), (("answer", "--xml"), "--xml")],
)
def test_wrong_words_are_told(iopsim: Iopsim, tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    finished(tmp_path / "answer", MET)
    code, out, err = iopsim("check", *words)
    assert (code, out) == (2, "")
    assert said in err


# ── what continuous integration reads ────────────────────────────────────────────────────────────────────────


def test_the_report_is_written_where_it_is_asked_for(iopsim: Iopsim, tmp_path: Path) -> None:
    finished(tmp_path / "answer", *ALL)
    assert iopsim("check", "answer", "--junit-xml", "deep/report.xml") == (3, LINES, "")
    text = (tmp_path / "deep" / "report.xml").read_bytes()
    root = ElementTree.fromstring(text)
    assert root.attrib == {"tests": "3", "failures": "1", "errors": "1"}
    assert [case.get("name") for case in root[0]] == [estimate.name for estimate in ALL[1:]]
    iopsim("check", "answer", "--junit-xml", "deep/report.xml")
    assert (tmp_path / "deep" / "report.xml").read_bytes() == text


def test_a_report_that_cannot_be_written_is_told(iopsim: Iopsim, tmp_path: Path) -> None:
    finished(tmp_path / "answer", MET)
    code, out, err = iopsim("check", "answer", "--junit-xml", "answer/summary.csv/report.xml")
    assert code == 5
    assert out.startswith("plan: 1 of 1 target met\n")
    assert err.startswith("error: answer/summary.csv/report.xml cannot be written (")
    assert "choose another file with --junit-xml" in err


def test_on_github_verdicts_become_annotations_and_a_summary(
    iopsim: Iopsim, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    finished(tmp_path / "answer", *ALL)
    summary = tmp_path / "summary.md"
    summary.write_text("what an earlier command wrote\n", encoding="utf-8")
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    code, out, err = iopsim("check", "answer", "--json")
    assert code == 3
    assert json.loads(out)["verdict"] == "missed"
    assert err.splitlines() == [
        "::error title=plan%3A iop.wait_days.p90 missed::15.4 days (14.4 to 16.7), asked at most 14",
        "::warning title=plan%3A iop.reneged.share undecided::10.0 %25, asked at most 10 %25",
    ]
    monkeypatch.delenv("GITHUB_STEP_SUMMARY")
    table = iopsim("check", "answer", "--md").out
    assert summary.read_text(encoding="utf-8") == f"what an earlier command wrote\n{table}\n"


@pytest.mark.parametrize("value", ["", "false", "1"])
def test_elsewhere_nothing_is_annotated(
    iopsim: Iopsim, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    finished(tmp_path / "answer", *ALL)
    monkeypatch.setenv("GITHUB_ACTIONS", value)
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "")
    assert iopsim("check", "answer") == (3, LINES, "")


def test_a_summary_that_cannot_be_written_changes_nothing(
    iopsim: Iopsim, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    finished(tmp_path / "answer", MET)
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "answer"))
    code, out, err = iopsim("check", "answer")
    assert (code, out.splitlines()[0]) == (0, "plan: 1 of 1 target met")
    assert re.fullmatch(
        r"warning: no job summary: .*/answer \(GITHUB_STEP_SUMMARY\) cannot be written \(.+\)\n", err
    )


def test_checking_is_light(tmp_path: Path) -> None:
    finished(tmp_path / "answer", MET)
    code = (
        "import sys\nfrom iopsim.cli import main\n"
        "try: main(['check', 'answer', '--junit-xml', 'report.xml'])\nexcept SystemExit: pass\n"
        "print(*sys.modules)"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md")}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "1 of 1 target met" in done.stdout
    assert not {"numpy", "pandas", "matplotlib", "scipy", "pydantic", "rich", "simpy"} & set(
        done.stdout.split()
    )


# ── judging while running ────────────────────────────────────────────────────────────────────────────────────

RUN = ("run", MINIMAL, *setting(weeks=6, warm_up_weeks=4, run_out_weeks=2), "--workers", "1", "--no-figures")


def asking(*targets: str, replications: int = 3) -> tuple[str, ...]:
    """A short run of which this is asked."""
    asked = ", ".join(f"{{metric: iop.referrals.per_week, {target}}}" for target in targets)
    return (*RUN, "--replications", str(replications), "--set", f"targets=[{asked}]")


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (asking("at_most: 1000"), 0),
        (asking("at_least: 1000"), 3),
        (asking("at_most: 1000", replications=1), 4),
    ],
    ids=["met", "missed", "undecided"],
)
def test_a_run_judges_when_told_to_and_check_says_the_same(
    iopsim: Iopsim, tmp_path: Path, command: tuple[str, ...], code: int
) -> None:
    plain = iopsim(*command, "--out", "plain", "--quiet")
    assert plain == (0, "plain\n", "")
    judged = iopsim(*command, "--out", "judged", "--quiet", "--fail-on-target", "--junit-xml", "report.xml")
    assert judged == (code, "judged\n", "")
    assert files(tmp_path / "plain") == files(tmp_path / "judged")
    assert iopsim("check", "plain", "--junit-xml", "again.xml").code == code
    assert (tmp_path / "report.xml").read_bytes() == (tmp_path / "again.xml").read_bytes()


def test_a_run_without_targets_is_refused_before_it_begins(iopsim: Iopsim, tmp_path: Path) -> None:
    for options in (("--fail-on-target",), ("--junit-xml", "report.xml")):
        code, out, err = iopsim(*asking(), *options)
        assert (code, out) == (2, "")
        assert "no targets to judge by; add some" in err
    assert list(tmp_path.iterdir()) == []


def test_a_run_on_github_annotates_only_where_it_may_fail(tmp_path: Path) -> None:
    summary = tmp_path / "summary.md"
    github = {**os.environ, "GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(summary)}
    command = (*asking("at_least: 1000"), "--json")
    plain = spawned(*command, "--out", "plain", folder=tmp_path, env=github)
    assert (plain.code, plain.err) == (0, "")
    assert json.loads(plain.out)["scenario"] == "minimal"
    table = summary.read_text(encoding="utf-8")
    assert table.startswith("### minimal: 0 of 1 target met, 1 missed\n")
    failing = spawned(*command, "--out", "failing", "--fail-on-target", folder=tmp_path, env=github)
    assert failing.code == 3
    assert failing.err.startswith("::error title=minimal%3A iop.referrals.per_week missed::")
    assert json.loads(failing.out)["results"] == "failing"
    assert summary.read_text(encoding="utf-8") == table * 2


# ── sweeps, part by part ─────────────────────────────────────────────────────────────────────────────────────

SWEEP = f"""\
base: {MINIMAL}
replications: 2
set: {{run: {{weeks: 6, warm_up_weeks: 4, run_out_weeks: 2}}}}
parameters: {{levels.iop.places: [8, 12, 16]}}
targets: [{{metric: iop.referrals.per_week, AT}}]
"""


@pytest.mark.parametrize(
    ("limit", "code"), [("at_most: 1000", 0), ("at_least: 1000", 3)], ids=["met", "missed"]
)
def test_the_workflow_answers_as_one_machine_does(
    iopsim: Iopsim, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, code: int
) -> None:
    sweep = tmp_path / "tiny.yaml"
    sweep.write_text(SWEEP.replace("AT", limit), encoding="utf-8")
    (file,) = environment().values()

    def does(words: list[str], *more: str) -> int:
        words = [str(sweep) if word == file else word for word in words]
        expanded = [
            found
            for word in words
            for found in (sorted(map(str, Path().glob(word))) if "*" in word else [word])
        ]
        return iopsim(*expanded, *more).code

    for shard in SHARDS:
        (words,) = commands("shard", shard)
        assert does(words, "--workers", "1", "--cache", f"cache-{shard}") == 0
        shutil.move(tmp_path / "shard", tmp_path / "shards" / f"shard-{shard}")
    merge, clear, check = commands("answer")
    assert does(merge) == 0
    assert does(clear) == 0
    assert does(check) == code
    assert (
        iopsim("sweep", sweep, "--workers", "1", "--cache", "alone", "--out", "alone-answer", "--quiet").code
        == 0
    )
    assert files(tmp_path / "answer") == files(tmp_path / "alone-answer")
    said = ElementTree.parse(tmp_path / "verdicts.xml").getroot()
    assert said.attrib == {"tests": "1", "failures": str(int(code == 3)), "errors": "0"}
    assert said[0][0].get("name") == "a point meets all targets"


def test_a_sweep_judges_when_told_to_and_check_says_the_same(iopsim: Iopsim, tmp_path: Path) -> None:
    (tmp_path / "tiny.yaml").write_text(SWEEP.replace("AT", "at_most: 1000"), encoding="utf-8")
    judged = iopsim(
        *("sweep", "tiny.yaml", "--workers", "1", "--out", "answer", "--no-figures", "--quiet"),
        *("--fail-on-target", "--junit-xml", "report.xml"),
    )
    assert judged == (0, "answer\n", "")
    out = iopsim("check", "answer").out
    assert re.fullmatch(r"tiny: 1 of 1 target met\n  met  a point meets all targets  3 of 3 points .+\n", out)
    assert iopsim("check", "answer", "--junit-xml", "again.xml").code == 0
    assert (tmp_path / "report.xml").read_bytes() == (tmp_path / "again.xml").read_bytes()
