"""Who is referred when (model.md §§3-4): rates by date, weeks that swing, and the rows of a file, by hand."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from iopsim.model import sources
from iopsim.model.clinic import simulate
from iopsim.model.draws import Draws
from iopsim.model.people import Patient
from iopsim.model.timeline import Timeline
from iopsim.scenario.schema import Scenario

TIMES, MODALITIES = ("either", "day", "evening"), ("either", "in_person")
SHARES = {"tracks": {"mood": 0.5, "sud": 0.5}, "payers": {"own": 0.5, "state": 0.5}}
Person = tuple[str, int, int]


def clinic(folder: Path | None = None, *, run: dict[str, Any] | None = None, **source: Any) -> Scenario:
    """A level with room for all from Wednesday 2027-01-06, after a week of warm-up."""
    groups = {
        time: {"days": ["mon", "wed"], "time": time, "seats": 900, "start": start}
        for time, start in (("day", "09:00"), ("evening", "17:30"))
    }
    tree = {
        "run": {
            "start": dt.date(2027, 1, 6),
            "warm_up_weeks": 1,
            "weeks": 3,
            "run_out_weeks": 1,
            "seed": 3,
            **(run or {}),
        },
        "tracks": {"mood": {}, "sud": {}},
        "payers": {"own": {}, "state": {}},
        "sources": {"door": {"to": "care", **SHARES, **source}},
        "levels": {"care": {"stay_days": 10, "days_per_week": 2, "groups": groups}},
    }
    return Scenario.model_validate(tree, context={"folder": folder})


def people(scenario: Scenario, replication: int = 0) -> list[Patient]:
    draws = Draws(scenario.run.seed, replication)
    found = sources.referrals(scenario, Timeline(scenario), draws, TIMES, MODALITIES).patients(first=0)
    return sorted(found, key=lambda patient: patient.index)


def who(scenario: Scenario, replication: int = 0) -> dict[Person, tuple[float, ...]]:
    """Everybody by identity: when they come, and who they are."""
    return {
        ("door", patient.cell.number, patient.row): (
            patient.referred,
            patient.track,
            patient.time,
            patient.modality,
            patient.payer,
        )
        for patient in people(scenario, replication)
    }


# --- rates


def test_a_factor_holds_from_its_date_to_the_next() -> None:
    changes = [{"from": "2027-01-01", "factor": 2}, {"from": "2027-01-08", "factor": 0.5}]
    changes = [{**change, "from": dt.date.fromisoformat(str(change["from"]))} for change in changes]
    scenario = clinic(per_week=14, weekdays=[1, 1, 1, 1, 1, 1, 8], changes=changes)
    rates = Timeline(scenario).rates("door")
    # Wednesday to Tuesday: 1 1 1 1 8 1 1, in the mean 2 and so 1 referral a day at weight 1
    week = [1, 1, 1, 1, 8, 1, 1]
    factors = [1, 1, *[2] * 7, *[0.5] * 26]
    assert rates.tolist() == pytest.approx(np.array(week * 5) * factors, rel=0.01)
    plain = clinic(per_week=14, weekdays=[1, 1, 1, 1, 1, 1, 8])
    assert rates.tolist() == (Timeline(plain).rates("door") * factors).tolist()


def test_a_week_is_expected_at_what_is_in_force_on_its_monday() -> None:
    months = [1.5, 0.5, *[1] * 10]
    changes = [{"from": dt.date(2027, 1, 13), "factor": 3}]
    weekdays = [2, 1, 1, 1, 1, 1, 0]
    scenario = clinic(
        per_week=14, weekdays=weekdays, months=months, changes=changes, growth_per_year=0.5, run={"weeks": 4}
    )
    mondays, expected = Timeline(scenario).weeks("door")
    assert mondays.tolist() == [-9, -2, 5, 12, 19, 26, 33]  # the run opens on day −7 and ends on day 35
    factors = [1, 1, 1, 3, 3, 3, 3]
    month = [1, 1.5, 1.5, 1.5, 1.5, 0.5, 0.5]  # day −9 lies in December, day 26 is the 1st of February
    growth = [1.5 ** (max(day, 0) / 365) for day in mondays]
    # January and February make up for each other but for 3 days
    assert expected == pytest.approx(14 * np.multiply(factors, month) * growth, rel=0.01)


def swings(scenario: Scenario, replication: int = 0) -> np.ndarray[Any, Any]:
    timeline = Timeline(scenario)
    draws = Draws(scenario.run.seed, replication)
    return sources._swings("door", scenario.sources["door"], timeline, draws)


def test_the_rate_of_a_week_swings_by_a_gamma_variable_of_its_own() -> None:
    scenario = clinic(per_week=6.0, dispersion=4.0)
    found = swings(scenario)
    monday = Timeline(scenario).weekday(0)  # Wednesday: 2
    weeks = np.split(found, [7 - monday + 7 * number for number in range(5)])
    assert all(len(set(week.tolist())) == 1 for week in weeks)  # Monday to Sunday
    number = (scenario.run.opening.toordinal() - 1) // 7
    uniforms = [
        Draws(3, 0).generator("door", week // 64, "weeks").random(64)[week % 64]
        for week in range(number, number + 6)
    ]
    # variance (4 − 1) ÷ 6
    assert [week[0] for week in weeks] == pytest.approx(stats.gamma(a=2, scale=1 / 2).ppf(uniforms))


def test_no_swing_is_drawn_without_dispersion_or_referrals(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = []
    own = Draws.generator

    def heard(self: Draws, *key: object) -> np.random.Generator:
        drawn.append(key[-1])
        return own(self, *key)

    monkeypatch.setattr(Draws, "generator", heard)
    people(clinic(per_week=6.0, dispersion=1.0))
    assert drawn
    assert "weeks" not in drawn
    nobody = [{"from": dt.date(2027, 1, 11), "factor": 0}]
    found = swings(clinic(per_week=6.0, dispersion=3.0, changes=nobody))
    assert set(found[12:].tolist()) == {1.0}
    assert 1.0 not in found[:12]
    assert "weeks" in drawn


def test_a_change_within_a_week_leaves_the_days_before_it() -> None:
    plain, changed = (
        swings(clinic(per_week=6.0, dispersion=3.0, changes=changes))
        for changes in ((), [{"from": dt.date(2027, 1, 13), "factor": 2}])
    )
    assert plain[:19].tolist() == changed[:19].tolist()  # to Sunday 17 January
    assert not np.any(plain[19:] == changed[19:])


# --- a trace

FIVE = """\
when,program,slot,who pays
2027-01-13,sud,evening,state
2026-12-20,mood,day,own
2027-01-06 17:30,mood,either,own
2027-01-13 09:00,sud,day,state
2027-01-05,mood,evening,own
2027-02-03,mood,evening,own
"""
NAMED = {"csv": "referrals.csv", "date": "when", "track": "program", "time": "slot", "payer": "who pays"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "referrals.csv").write_text(FIVE, encoding="utf-8")
    return tmp_path


def test_the_rows_of_a_trace_are_the_patients(folder: Path) -> None:
    scenario = clinic(folder, trace=NAMED)
    found = people(scenario)
    assert [(patient.cell.number, patient.row, int(patient.referred // 1)) for patient in found] == [
        (0, 1, -1),  # the first of all rows lies before the opening
        (0, 2, 0),
        (0, 3, 7),
        (0, 4, 7),
    ]
    instants = Draws(3, 0).block(found[0].cell, "instant")
    assert [patient.referred for patient in found] == [
        -1 + instants[1],
        pytest.approx(17.5 / 24, abs=1e-6),
        7 + instants[3],
        7 + 9 / 24,
    ]
    assert [patient.index for patient in found] == [0, 1, 2, 3]
    assert [TIMES[patient.time] for patient in found] == ["evening", "either", "evening", "day"]
    assert [(patient.track, patient.payer) for patient in found] == [(0, 0), (0, 0), (1, 1), (1, 1)]
    assert sources.referred(scenario, 0) == {("door", 0, row) for row in (1, 2, 3, 4)}


def test_a_trace_is_the_same_in_each_replication_and_what_it_does_not_say_is_drawn(folder: Path) -> None:
    said, unsaid = clinic(folder, trace=NAMED), clinic(folder, trace={"csv": "referrals.csv", "date": "when"})
    kinds: set[tuple[float, ...]] = set()
    for replication in range(20):
        found = who(said, replication)
        assert found.keys() == {("door", 0, row) for row in (1, 2, 3, 4)}
        assert [kind[1:] for kind in found.values()] == [kind[1:] for kind in who(said).values()]
        drawn = who(unsaid, replication)
        assert {person: kind[0] for person, kind in drawn.items()} == {
            person: kind[0] for person, kind in found.items()
        }
        kinds |= {(kind[1], kind[4]) for kind in drawn.values()}
    assert kinds == {(0, 0), (0, 1), (1, 0), (1, 1)}


def test_a_longer_run_only_adds_rows(folder: Path) -> None:
    short, long = (
        clinic(folder, trace=NAMED),
        clinic(folder, trace=NAMED, run={"warm_up_weeks": 4, "weeks": 5}),
    )
    before, after = who(short), who(long)
    assert before.items() < after.items()
    assert after.keys() == {("door", 0, row) for row in range(6)}


def test_a_clock_time_in_a_file_is_that_of_a_session(folder: Path) -> None:
    scenario = clinic(folder, trace=NAMED)
    group = scenario.levels["care"].groups["evening"]
    starts = Timeline(scenario).meetings(group, (0, 2)).starts
    assert people(scenario)[1].referred in starts


def test_the_last_moment_of_a_day_is_not_the_next_day(folder: Path) -> None:
    (folder / "referrals.csv").write_text("when\n2027-02-02 23:59:59.999999\n2027-02-02 12:00\n")
    scenario = clinic(folder, trace={"csv": "referrals.csv", "date": "when"})
    assert Timeline(scenario).last == 28
    assert 27.99 < people(scenario)[1].referred < 28
    assert len(simulate(scenario, 0).patient_referred) == 2


# --- limits


def facts(scenario: Scenario, replication: int = 0) -> list[Sequence[float]]:
    ledger = simulate(scenario, replication)
    columns = ("time", "fact", "stay", "a", "b", "c", "session_time", "member_stay", "patient_time")
    return [getattr(ledger, column).tolist() for column in columns]


@pytest.mark.parametrize(
    "vanishing",
    [
        {"dispersion": 1.0},
        {"changes": [{"from": dt.date(2027, 1, 12), "factor": 1.0}]},
        {"changes": [{"from": dt.date(2028, 1, 12), "factor": 9.0}]},
    ],
)
def test_what_changes_nothing_leaves_every_fact(vanishing: dict[str, Any]) -> None:
    assert facts(clinic(per_week=30, **vanishing)) == facts(clinic(per_week=30))


def test_a_rates_own_referrals_written_in_a_file_are_the_same_patients(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = sources._candidates

    def on_the_clock(*key: Any) -> np.ndarray[Any, Any]:
        """Whole 2⁻¹³ of a day, which a clock time can say exactly."""
        return np.unique(np.ceil(own(*key) * 2**13) / 2**13)

    monkeypatch.setattr(sources, "_candidates", on_the_clock)
    # At one referral a day, every candidate of the first cell is referred, and ordinals agree.
    rate = clinic(per_week=7, run={"warm_up_weeks": 0, "weeks": 20})
    start = dt.datetime.combine(rate.run.start, dt.time())
    instants = [start + dt.timedelta(days=patient.referred) for patient in people(rate)]
    assert len(instants) > 100
    (tmp_path / "own.csv").write_text("when\n" + "\n".join(map(str, instants)) + "\n")
    trace = clinic(tmp_path, trace={"csv": "own.csv", "date": "when"}, run={"warm_up_weeks": 0, "weeks": 20})
    assert who(trace) == who(rate)
    assert facts(trace) == facts(rate)
