"""Referrals of a file: how it is read, what is refused and in which words, what remains of it elsewhere."""

from __future__ import annotations

import datetime as dt
import pickle
import re
from pathlib import Path
from typing import Any

import pytest

from iopsim.errors import InputError
from iopsim.experiment.keys import replication_key
from iopsim.scenario import identity, load, resolved, resolved_text
from iopsim.scenario.schema import Scenario
from iopsim.scenario.trace import Trace

SCENARIO = """\
run: {start: 2027-01-04, warm_up_weeks: 1, weeks: 4, run_out_weeks: 1}
tracks: {mood: {label: Mood and anxiety}, sud: {label: Substance use}}
payers: {medicaid: {}, commercial: {label: Private}}
sources:
  community:
    to: iop
    trace: {csv: referrals.csv, date: when, track: program, payer: payer}
levels:
  iop:
    stay_days: 20
    places: 9
"""
FIVE = """\
id,program,when,payer
5,sud,2027-01-31,medicaid
1,mood,2027-01-04,medicaid
2,Mood and  ANXIETY ,2027-01-04 17:30,private
3,substance_use,2026-12-28T09:00:36,Medicaid
4,SUD,2027-01-04 08:00,commercial
"""
ORDERED = [  # by date, then by hour: those without one first
    (dt.date(2026, 12, 28), 9.01, "sud", "medicaid"),
    (dt.date(2027, 1, 4), None, "mood", "medicaid"),
    (dt.date(2027, 1, 4), 8.0, "sud", "commercial"),
    (dt.date(2027, 1, 4), 17.5, "mood", "commercial"),
    (dt.date(2027, 1, 31), None, "sud", "medicaid"),
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "referrals.csv").write_text(FIVE, encoding="utf-8")
    (tmp_path / "mine.yaml").write_text(SCENARIO, encoding="utf-8")
    return tmp_path


def trace_of(scenario: Scenario) -> Trace:
    trace = scenario.sources["community"].trace
    assert trace is not None
    return trace


def loaded(folder: Path, *sets: str) -> Scenario:
    return load(folder / "mine.yaml", sets)


def refusal(folder: Path, *sets: str) -> list[str]:
    """The faults, without the place in the scenario's file."""
    with pytest.raises(InputError) as caught:
        loaded(folder, *sets)
    return [
        f"{fault.path.removeprefix('sources.community.')}: {fault.message}" for fault in caught.value.faults
    ]


def referrals(scenario: Scenario) -> list[tuple[Any, ...]]:
    trace = trace_of(scenario)
    track, payer = (list(trace.said(trait)) for trait in ("track", "payer"))
    names = {"substance use": "sud", "mood and anxiety": "mood", "private": "commercial"}
    return [
        (
            trace.day(row),
            trace.hour(row),
            names.get(track[row], track[row]),
            names.get(payer[row], payer[row]),
        )
        for row in range(trace.count)
    ]


# --- what is read


def test_rows_are_taken_in_order_of_date(folder: Path) -> None:
    scenario = loaded(folder)
    trace = trace_of(scenario)
    assert referrals(scenario) == [
        (day, pytest.approx(hour) if hour is not None else None, track, payer)
        for day, hour, track, payer in ORDERED
    ]
    assert list(trace.lines) == [5, 3, 6, 4, 2]
    assert (trace.first, trace.last, trace.count) == (dt.date(2026, 12, 28), dt.date(2027, 1, 31), 5)
    assert trace.between(dt.date(2027, 1, 4), dt.date(2027, 1, 5)) == range(1, 4)
    assert trace.between(dt.date(2027, 1, 5), dt.date(2027, 1, 31)) == range(4, 4)


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbfwhen,program,payer\r\n2027-01-05,mood,medicaid\r\n\r\n2027-01-06,sud,commercial\r\n",
        b"when;program;payer\n2027-01-05;mood;medicaid\n;;\n2027-01-06;sud;commercial",
        b"payer\twhen\tnote\tprogram\nmedicaid\t2027-01-05\t\tmood\ncommercial\t2027-01-06\tx\tsud\n",
        b'"when","program","note","payer"\n2027-01-06,sud,"a, b",commercial\n2027-01-05,mood,"c;d\ne",medicaid\n',
        b"when,program,payer\n2027-01-05 00:00:00,Mood,MEDICAID\n2027-01-06 00:00:00,Sud,Private\n",
    ],
)
def test_the_dialects_of_csv_give_the_same_referrals(folder: Path, content: bytes) -> None:
    (folder / "referrals.csv").write_bytes(content)
    assert referrals(loaded(folder)) == [
        (dt.date(2027, 1, 5), None, "mood", "medicaid"),
        (dt.date(2027, 1, 6), None, "sud", "commercial"),
    ]


def test_midnight_counts_as_an_hour_where_other_hours_stand(folder: Path) -> None:
    (folder / "referrals.csv").write_text("when\n2027-01-05 00:00\n2027-01-05 0:30\n2027-01-06 23:59:59.5\n")
    scenario = loaded(folder, "sources.community.trace={track: null, payer: null}", *SHARES)
    assert [trace_of(scenario).hour(row) for row in range(3)] == [0.0, 0.5, pytest.approx(23.99986, abs=1e-5)]


SHARES = (
    "sources.community.tracks={mood: 0.25, sud: 0.75}",
    "sources.community.payers={medicaid: 1}",
)


def test_what_the_file_says_of_the_patients_are_their_shares(folder: Path) -> None:
    scenario = loaded(folder, *SHARES)
    source = scenario.sources["community"]
    assert scenario.track_shares(source) == {"mood": 0.4, "sud": 0.6}
    assert scenario.payer_shares(source) == {"medicaid": 0.6, "commercial": 0.4}
    assert scenario.time_shares(source) == scenario.modality_shares(source) == {"either": 1.0}
    inside = loaded(folder, *SHARES, "run.run_out_weeks=0", "run.warm_up_weeks=0", "run.weeks=2")
    assert inside.track_shares(inside.sources["community"]) == {"mood": 2 / 3, "sud": 1 / 3}
    drawn = loaded(folder, *SHARES, "sources.community.trace.track=null")
    assert drawn.track_shares(drawn.sources["community"]) == {"mood": 0.25, "sud": 0.75}


def test_times_and_modalities_are_those_of_groups_or_either(folder: Path) -> None:
    (folder / "referrals.csv").write_text(
        "when,time,how\n2027-01-05,Late Evening,Either\n2027-01-06,either,telehealth\n"
    )
    groups = "levels.iop.groups={g: {days: [mon], time: late_evening, modality: telehealth, seats: 3}}"
    sets = ("tracks=null", "payers=null", "levels.iop.places=null", groups)
    named = "sources.community.trace={track: null, payer: null, time: time, modality: how}"
    scenario = loaded(folder, *sets, named)
    source = scenario.sources["community"]
    assert scenario.time_shares(source) == {"late_evening": 0.5, "either": 0.5}
    assert scenario.modality_shares(source) == {"telehealth": 0.5, "either": 0.5}
    assert refusal(folder, *sets, named, "levels.iop.groups.g.time=day") == [
        'trace.time: referrals.csv:2: column "time" names no time of the scenario; write day or either'
    ]


# --- what is refused


@pytest.mark.parametrize(
    ("content", "faults"),
    [
        (
            "when,Program,payor\n2027-01-05,mood,medicaid\n",
            [
                'trace.track: referrals.csv:1: column "program" is missing (did you mean "Program"?)',
                'trace.payer: referrals.csv:1: column "payer" is missing (did you mean "payor"?)',
            ],
        ),
        (
            "WHEN,program,payer\n",
            ['trace.date: referrals.csv:1: column "when" is missing (did you mean "WHEN"?)'],
        ),
        (
            "when,program,payer,when\n",
            [
                'trace.date: referrals.csv:1: column "when" stands twice; give every column a heading of its own',
            ],
        ),
        (
            "when,program,payer\n\n",
            ["trace.csv: referrals.csv: no referrals stand below the headings; write a line for each"],
        ),
        (
            "when,program,payer\n01/05/2027,mood,medicaid\n",
            [
                'trace.date: referrals.csv:2: column "when" has a date in which day and month may be confused; '
                "write year, month and day as 2027-01-31, or 2027-01-31 14:30 with the time of day, or drop the line"
            ],
        ),
        (
            "when,program,payer\n2027-01-05,Smith,medicaid\n2027-01-05,mood,\n2027-01-05,,medicaid\n2027-01-05,x,y\n",
            [
                'trace.track: referrals.csv:2: column "program" names no track of the scenario '
                "(and 2 more such lines); write mood or sud",
                'trace.payer: referrals.csv:3: column "payer" is empty (and 1 more such line); '
                "write medicaid or commercial",
            ],
        ),
        (
            "when,program,payer\n2026-12-27,mood,medicaid\n",
            [
                "trace.date: referrals.csv: all referrals lie before the simulated time, 2026-12-28 to 2027-02-07; "
                "set `run.start` to the time of the file"
            ],
        ),
        (
            "when,program,payer\n2027-02-08,mood,medicaid\n",
            [
                "trace.date: referrals.csv: all referrals lie after the simulated time, 2026-12-28 to 2027-02-07; "
                "set `run.start` to the time of the file"
            ],
        ),
        (b"when\n" + b"2027-01-05\n" * 910_000, ["trace.csv: referrals.csv: is larger than 10 MB; "]),
        (b"\xff\xfew\x00", ["trace.csv: referrals.csv: is not UTF-8 text; save it as CSV UTF-8"]),
    ],
    ids=range(10),
)
def test_a_fault_of_the_file_is_told_by_line_and_heading(
    folder: Path, content: str | bytes, faults: list[str]
) -> None:
    (folder / "referrals.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
    found = refusal(folder)
    assert len(found) == len(faults)
    assert [got[: len(fault)] for got, fault in zip(found, faults, strict=True)] == faults
    assert "Smith" not in "".join(found)


@pytest.mark.parametrize(
    ("cell", "what"),
    [
        ("2027-01-05T09:30:00Z", "has a time zone, where all times are local"),
        ("2027-01-05 09:30+01:00", "has a time zone, where all times are local"),
        ("5.1.2027", "has a date in which day and month may be confused"),
        ("1/5/27 9:30 AM", "has a date in which day and month may be confused"),
        ("2027/01/05", "has a date in which day and month may be confused"),
        ("2027-02-30", "is no date of the calendar"),
        ("2027-01-05 24:00", "is no time of the day"),
        ("2027-01-05 12:60", "is no time of the day"),
        ("46392", "is a number"),
        ("20270105", "is a number"),
        ("2027-1-5", "is no date"),
        ("Jan 5, 2027", "is no date"),
        ("2027-01-05 noon", "is no date"),
        ("", "is empty"),
    ],
)
def test_a_date_that_could_mean_another_is_refused_by_name(folder: Path, cell: str, what: str) -> None:
    (folder / "referrals.csv").write_text(
        f'when,program,payer\n2027-01-05,mood,medicaid\n"{cell}",mood,medicaid\n'
    )
    (fault,) = refusal(folder)
    assert fault.startswith(
        f'trace.date: referrals.csv:3: column "when" {what}; write year, month and day as'
    )
    assert not cell or cell not in fault


def test_a_fault_points_at_the_key_in_the_scenario(folder: Path) -> None:
    (folder / "referrals.csv").write_text("when,program,payer\n2027-01-05,moody,medicaid\n")
    with pytest.raises(InputError, match=r"mine\.yaml:7:\d+: error: sources\.community\.trace\.track: refe"):
        loaded(folder)
    (folder / "referrals.csv").unlink()
    with pytest.raises(InputError, match=r"mine\.yaml:7:\d+: error: .*\.csv: referrals\.csv: there is no su"):
        loaded(folder)


def test_two_labels_that_read_alike_mean_neither(folder: Path) -> None:
    (folder / "referrals.csv").write_text("when,program,payer\n2027-01-05,Substance Use,medicaid\n")
    loaded(folder)
    (fault,) = refusal(folder, "tracks.mood.label=substance  use")
    assert 'column "program" names no track' in fault


def test_a_trace_stands_instead_of_a_rate(folder: Path) -> None:
    for word in (
        "per_week=3",
        "dispersion=1.2",
        "growth_per_year=0.1",
        "changes=[{from: 2027-01-10, factor: 2}]",
    ):
        (fault,) = refusal(folder, f"sources.community.{word}")
        assert (
            "a `trace` stands instead of a rate: drop `" + word.split("=")[0] + "`, or set to null" in fault
        )
    (fault,) = refusal(folder, "sources.community.per_week=3", "sources.community.weekdays=[1,1,1,1,1,0,0]")
    assert "drop `per_week` and `weekdays`" in fault
    (fault,) = refusal(folder, "sources.community.trace=null", *SHARES)
    assert "needs `per_week`" in fault
    said = "sources.community={per_week: 0, weekdays: [1, 1, 1, 1, 1, 1, 1], dispersion: 1, changes: []}"
    assert loaded(folder, said) == loaded(folder)


def test_two_changes_from_one_date_are_refused_and_others_sorted(folder: Path) -> None:
    def changed(*dates: str) -> str:
        items = ", ".join(f"{{from: {date}, factor: {place}}}" for place, date in enumerate(dates))
        return f"sources.community={{trace: null, per_week: 1, changes: [{items}]}}"

    scenario = loaded(folder, *SHARES, changed("2027-02-01", "2027-01-10"))
    assert [change.factor for change in scenario.sources["community"].changes] == [1.0, 0.0]
    (fault,) = refusal(folder, *SHARES, changed("2027-01-10", "2027-01-10"))
    assert "changes: two changes are from one date" in fault


# --- what remains of it elsewhere


def test_no_row_leaves_memory_and_the_resolved_scenario_reads_back(folder: Path) -> None:
    scenario = loaded(folder)
    for text in (
        resolved_text(scenario),
        repr(scenario),
        repr(identity(scenario)),
        scenario.model_dump_json(),
    ):
        assert not re.search(r"2027-01-31|17[.:]|anxiety [^}]*anxiety", text)
    (folder / "mine.yaml").write_text(resolved_text(scenario), encoding="utf-8")
    assert loaded(folder) == scenario
    assert resolved(loaded(folder)) == resolved(scenario)
    assert pickle.loads(pickle.dumps(scenario)) == scenario
    (folder / "referrals.csv").write_text(FIVE.replace("01-31", "01-30"), encoding="utf-8")
    assert loaded(folder) != scenario


def test_the_referrals_count_and_neither_other_columns_nor_the_order_of_dates(folder: Path) -> None:
    def key(text: str) -> str:
        (folder / "referrals.csv").write_text(text, encoding="utf-8")
        return replication_key(loaded(folder))

    before = key(FIVE)
    lines = FIVE.splitlines()
    assert key("\n".join([lines[0], *reversed(lines[1:])])) == before
    assert key(FIVE.replace("5,sud", "99,Sud").replace(",", ";")) == before
    assert key(FIVE.replace("17:30", "17:31")) != before
    assert key(FIVE.replace("5,sud", "5,mood")) != before
    assert key(FIVE + "6,sud,2027-01-31,medicaid\n") != before
    assert identity(loaded(folder))["data"].keys() == {"sources.community.trace"}


def test_a_trace_without_its_file_says_nothing_and_refers_somebody(folder: Path) -> None:
    tree = resolved(loaded(folder))
    (folder / "referrals.csv").unlink()
    scenario = Scenario.model_validate(tree, context={"folder": None})
    source, trace = scenario.sources["community"], trace_of(scenario)
    assert (trace.count, trace.told, source.refers, source.weekly(scenario.run)) == (0, (), True, 0.0)
    assert scenario.track_shares(source) == {"mood": 1.0}
    evenly = trace.evenly(scenario.run, 2, 6)
    assert evenly.between(scenario.run.opening, scenario.run.end) == range(2, 8)
    assert source.model_copy(update={"trace": evenly}).weekly(scenario.run) == 1.0


# --- how many are expected


def test_expected_referrals_a_week(folder: Path) -> None:
    def weekly(word: str, *sets: str) -> float:
        words = f"sources.community={{trace: null, {word}}}"
        scenario = loaded(folder, "run.weeks=20", *SHARES, words, *sets)
        assert scenario.sources["community"].refers == (scenario.sources["community"].per_week > 0)
        return scenario.sources["community"].weekly(scenario.run)

    trace = loaded(folder)
    assert trace.sources["community"].refers
    assert trace.sources["community"].weekly(trace.run) == 1.0  # four in four weeks, one in the warm-up
    assert weekly("per_week: 6") == pytest.approx(6)
    assert weekly("per_week: 0") == 0
    assert weekly("per_week: 6, months: [2,1,1,1,1,1,1,1,1,1,1,1]") == pytest.approx(6)
    half = "per_week: 6, changes: [{from: 2027-03-15, factor: 3}]"  # ten of twenty weeks
    assert weekly(half) == pytest.approx(12)
    assert weekly("per_week: 6, changes: [{from: 2026-01-01, factor: 0.5}]") == pytest.approx(3)
    assert weekly("per_week: 6, changes: [{from: 2027-06-01, factor: 0.5}]") == pytest.approx(6)
    two = "per_week: 6, changes: [{from: 2027-03-15, factor: 3}, {from: 2027-04-19, factor: 0}]"
    assert weekly(two) == pytest.approx((10 * 6 + 5 * 18) / 20)
    # a year at doubling: the integral of 2^t from 0 to 1 is 1 ÷ ln 2
    assert weekly("per_week: 1, growth_per_year: 1", "run.weeks=52") == pytest.approx(1.4427, rel=0.003)
