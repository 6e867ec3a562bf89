"""model.md §3: the same people with the same luck meet every plan; an unused word of the language changes nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from iopsim.measures.registry import Outcome, Ratio, Sample, Value, measure
from iopsim.measures.window import Window
from iopsim.model.clinic import simulate
from iopsim.model.draws import Draws
from iopsim.model.ledger import Ledger
from iopsim.scenario import load

BASELINE = Path(__file__).resolve().parents[2] / "scenarios" / "baseline.yaml"
SHORT = ("run.warm_up_weeks=8", "run.weeks=10", "run.run_out_weeks=4", "run.seed=11")
Person = tuple[str, int, int]  # source, height cell, ordinal
Key = tuple[str, int, int, str, str, int, int]  # person, decision, level, entry, occurrence


def _simulate(*sets: str) -> Ledger:
    return simulate(load(BASELINE, (*SHORT, *sets)), replication=3)


def _people(ledger: Ledger) -> dict[Person, tuple[float, str, str, str]]:
    """Everybody who was referred: when, and which track, time and payer."""
    return {
        (ledger.sources[source], cell, ordinal): (
            when,
            ledger.tracks[track],
            ledger.times[time],
            ledger.payers[payer],
        )
        for source, cell, ordinal, when, track, time, payer in zip(
            ledger.patient_source.tolist(),
            ledger.patient_cell.tolist(),
            ledger.patient_ordinal.tolist(),
            ledger.patient_referred.tolist(),
            ledger.patient_track.tolist(),
            ledger.patient_time.tolist(),
            ledger.patient_payer.tolist(),
            strict=True,
        )
    }


def _draws(monkeypatch: pytest.MonkeyPatch, *sets: str) -> dict[Key, float]:
    """Every number that any patient was given, by its name."""
    drawn: dict[Key, float] = {}
    one, many = Draws.uniform, Draws.uniforms

    def hear_one(self: Draws, patient: Any, decision: str, level: str = "", entry: int = 0) -> float:
        number = one(self, patient, decision, level, entry)
        drawn[patient.cell.source, patient.cell.number, patient.row, decision, level, entry, 0] = number
        return number

    def hear_many(
        self: Draws, patient: Any, decision: str, level: str, entry: int, occurrences: range
    ) -> list[float]:
        numbers = many(self, patient, decision, level, entry, occurrences)
        for each, number in zip(occurrences, numbers, strict=True):
            drawn[patient.cell.source, patient.cell.number, patient.row, decision, level, entry, each] = (
                number
            )
        return numbers

    with monkeypatch.context() as patch:
        patch.setattr(Draws, "uniform", hear_one)
        patch.setattr(Draws, "uniforms", hear_many)
        _simulate(*sets)
    return drawn


def _same(a: Outcome, b: Outcome) -> bool:
    match a, b:
        case Value(x), Value(y):
            return np.array_equal([x], [y], equal_nan=True)
        case Ratio(x, n), Ratio(y, m):
            return np.array_equal([x, n], [y, m], equal_nan=True)
        case Sample(x), Sample(y):
            return np.array_equal(x, y)
    return False


FACTS = ("time", "fact", "stay", "b", "c", "session_time", "session_group", "member_stay", "member_attended")


def test_a_higher_rate_adds_people_and_moves_nobody() -> None:
    before = _people(_simulate())
    after = _people(_simulate("sources.community.per_week=5.94"))
    assert {person: after.get(person) for person in before} == before
    added = after.keys() - before.keys()
    assert added and {source for source, _, _ in added} == {"community"}
    assert len(added) == pytest.approx(0.1 * sum(source == "community" for source, _, _ in before), rel=0.75)


def test_a_lower_rate_only_removes_people() -> None:
    before, after = _people(_simulate()), _people(_simulate("sources.emergency.per_week=5"))
    assert after.items() < before.items()


@pytest.mark.parametrize("longer", ["run.warm_up_weeks=20", "run.run_out_weeks=9", "run.weeks=14"])
def test_a_longer_run_only_adds_people(longer: str) -> None:
    before, after = _people(_simulate()), _people(_simulate(longer))
    assert before.items() < after.items()


@pytest.mark.parametrize(
    "change",
    [
        "staff.therapist.posts=6",
        "levels.iop.groups.late={days: [tue, thu, sat], time: evening, start: '18:00', seats: 9}",
        "levels.iop.groups.mood_day.seats=7",
        "sources.prison={to: php, per_week: 2, tracks: {sud: 1}, payers: {medicaid: 1}}",
        "sources.emergency.per_week=12",
        "levels.iop.leave_early.dropout={exponential: {mean: 80}}",
    ],
)
def test_a_change_of_plan_moves_nobody_elses_luck(change: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before, after = _draws(monkeypatch), _draws(monkeypatch, change)
    shared = before.keys() & after.keys()
    assert len(shared) > 0.8 * len(before)
    assert {key: before[key] for key in shared} == {key: after[key] for key in shared}


@pytest.mark.parametrize(
    "unused",
    [
        "tracks.trauma={label: Trauma}",
        "payers.self_pay={}",
        "staff.chaplain={posts: 1}",
        "sources.community.tracks={trauma: 0, mood: 0.5, sud: 0.5}",
    ],
)
def test_an_unused_word_changes_no_fact_and_no_metric(unused: str) -> None:
    sets = ("tracks.trauma={}", unused) if "trauma: 0" in unused else (unused,)
    plain, scenario = load(BASELINE, SHORT), load(BASELINE, (*SHORT, *sets))
    first, second = simulate(plain, replication=3), simulate(scenario, replication=3)
    for column in FACTS:
        assert np.array_equal(getattr(first, column), getattr(second, column)), column
    before, after = measure(Window(plain, first)), measure(Window(scenario, second))
    assert not [name for name, outcome in before.items() if not _same(outcome, after[name])]


def test_one_seed_is_one_history_and_another_is_another() -> None:
    first, again, other = _simulate(), _simulate(), _simulate("run.seed=12")
    assert all(np.array_equal(getattr(first, column), getattr(again, column)) for column in FACTS)
    assert not np.array_equal(first.time, other.time)
    assert _people(first).values() != _people(other).values()
