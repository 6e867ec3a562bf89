"""model.md §3: the same people with the same luck meet every plan; an unused word of the language changes nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from iopsim.measures.registry import Outcome, Ratio, Sample, Value, measure
from iopsim.measures.window import Window
from iopsim.model.clinic import simulate
from iopsim.model.draws import Draws
from iopsim.model.ledger import Ledger
from iopsim.model.sources import _swings
from iopsim.model.timeline import Timeline
from iopsim.scenario import load
from tests.properties.drawn import Key, given_out

BASELINE = Path(__file__).resolve().parents[2] / "scenarios" / "baseline.yaml"
SHORT = ("run.warm_up_weeks=8", "run.weeks=10", "run.run_out_weeks=4", "run.seed=11")
Person = tuple[str, int, int]  # source, height cell, ordinal


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


def _draws(*sets: str) -> dict[Key, float]:
    """Every number that any patient was given, by its name."""
    with given_out() as given:
        _simulate(*sets)
    return given


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
    rate = 1.1 * load(BASELINE).sources["community"].per_week
    after = _people(_simulate(f"sources.community.per_week={rate}"))
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


WEEK = 7


def test_people_come_and_go_with_the_height_of_the_rate_and_nobody_moves() -> None:
    """Over-dispersion and dated factors uncover candidates and hide others; each keeps instant and traits."""
    plain = _people(_simulate("sources.community.dispersion=1"))
    swinging = _people(_simulate("sources.community.dispersion=4"))
    both = plain.keys() & swinging.keys()
    assert {person: plain[person] for person in both} == {person: swinging[person] for person in both}
    assert plain.keys() - both
    assert swinging.keys() - both
    assert {person for person in plain if person[0] != "community"} <= both


def test_a_change_moves_nobody_who_came_before_it() -> None:
    for dispersion in (1, 3):
        swing = f"sources.community.dispersion={dispersion}"
        before = _people(_simulate(swing))
        after = _people(_simulate(swing, "sources.community.changes=[{from: 2027-01-20, factor: 1.5}]"))
        assert before.items() < after.items()  # a gamma variable grows with its mean at each of its quantiles
        added = [
            (source, after[person][0]) for person in after.keys() - before.keys() for source in person[:1]
        ]
        assert {source for source, _ in added} == {"community"}
        assert min(when for _, when in added) >= 16
        later = [person for person, (when, *_) in before.items() if person[0] == "community" and when >= 16]
        assert len(added) == pytest.approx(0.5 * len(later), rel=0.5)


def test_a_source_that_replays_a_file_moves_nobody_of_the_others(tmp_path: Path) -> None:
    (tmp_path / "calls.csv").write_text("when\n2027-01-05\n2027-01-06 14:30\n")
    source = "{per_week: null, trace: {csv: calls.csv, date: when}}"
    (tmp_path / "mine.yaml").write_text(f"extends: {BASELINE}\nsources: {{emergency: {source}}}\n")
    before = _people(_simulate())
    after = _people(simulate(load(tmp_path / "mine.yaml", SHORT), replication=3))
    others = {person: traits for person, traits in before.items() if person[0] != "emergency"}
    assert {person: traits for person, traits in after.items() if person[0] != "emergency"} == others
    assert len(after) - len(others) == 2


@pytest.mark.parametrize("longer", ["run.warm_up_weeks=20", "run.run_out_weeks=9", "run.weeks=14"])
def test_a_week_swings_alike_however_long_is_simulated(longer: str) -> None:
    swing = "sources.community.dispersion=3"
    before, after = _people(_simulate(swing)), _people(_simulate(swing, longer))
    assert before.items() < after.items()


def test_more_dispersion_moves_the_same_weeks_further() -> None:
    """Each calendar week keeps its number: a busy one is busy at any rate and any dispersion."""

    def weeks(*sets: str) -> list[float]:
        scenario = load(BASELINE, (*SHORT, "sources.community.months=null", *sets))
        found = _swings("community", scenario.sources["community"], Timeline(scenario), Draws(11, 3))
        return found[::WEEK].tolist()

    mild, wild = weeks("sources.community.dispersion=1.5"), weeks("sources.community.dispersion=6")
    assert np.argsort(mild).tolist() == np.argsort(wild).tolist()
    assert np.ptp(wild) > np.ptp(mild) > 0.1
    at_another_rate = weeks("sources.community.dispersion=6", "sources.community.per_week=30")
    assert np.argsort(at_another_rate).tolist() == np.argsort(wild).tolist()


@pytest.fixture(scope="module")
def drawn() -> dict[Key, float]:
    """What everybody is given in the plan as it is."""
    return _draws()


@pytest.mark.parametrize(
    "change",
    [
        "sources.community.dispersion=2",
        "sources.community.changes=[{from: 2027-02-01, factor: 0.9}]",
        "staff.therapist.posts=6",
        "staff.therapist.turnover_per_year=2",
        "levels.iop.groups.mood_day.min_census=3",
        "payers.medicare={authorization: {levels: [iop], delay_days: 4, denied: 0.1}}",
        "levels.iop.groups.late={days: [tue, thu, sat], time: evening, start: '18:00', seats: 9}",
        "levels.iop.groups.mood_day.seats=7",
        "sources.prison={to: php, per_week: 2, tracks: {sud: 1}, payers: {medicaid: 1}}",
        "sources.emergency.per_week=12",
        "levels.iop.leave_early.dropout={exponential: {mean: 80}}",
    ],
)
def test_a_change_of_plan_moves_nobody_elses_luck(change: str, drawn: dict[Key, float]) -> None:
    before, after = drawn, _draws(change)
    shared = before.keys() & after.keys()
    assert len(shared) > 0.8 * len(before)
    assert {key: before[key] for key in shared} == {key: after[key] for key in shared}


@pytest.mark.parametrize(
    "unused",
    [
        "tracks.trauma={label: Trauma}",
        "sources.emergency.dispersion=1",
        "sources.community.changes=[{from: 2027-02-01, factor: 1}]",
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
