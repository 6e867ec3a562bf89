"""A run that begins with those who are there today, and a plan that changes on dates (model.md §§2, 10, 11)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from iopsim.model import journey, opening
from iopsim.model.clinic import simulate
from iopsim.model.ledger import ENDS, Fact, Ledger
from iopsim.scenario.distributions import Exponential, Gamma
from iopsim.scenario.schema import Scenario
from iopsim.theory.abandonment import erlang_a
from iopsim.theory.erlang import erlang_b
from iopsim.theory.infinite import census_from_today, census_with_steps
from tests.properties.clinics import PROPERTY, STORM, Plain
from tests.properties.programs import programs
from tests.properties.today import AS_OF, begin, files_of, moment
from tests.theory.replications import (
    DisagreementError,
    Part,
    Run,
    Statistic,
    agree,
    named,
    replicate,
    run_of,
    scenario_of,
)

# nobody is there: the clinic opens empty

TABLES = [field.name for field in fields(Ledger) if field.name != "kernel_events"]


def differing(one: Ledger, other: Ledger) -> list[str]:
    """Columns that are not the same to the last byte."""
    pairs = ((name, getattr(one, name), getattr(other, name)) for name in TABLES)
    return [name for name, left, right in pairs if not np.array_equal(left, right)]


def opened(program: Mapping[str, Any], folder: Path, **files: Sequence[Any]) -> tuple[Ledger, Ledger]:
    """A program that opens empty, and the same with files of today."""
    plain = {**program, "run": program["run"] | {"start": AS_OF, "warm_up_weeks": 0}}
    return simulate(Scenario.model_validate(plain), 0), simulate(begin(plain, folder, **files), 0)


def test_with_nobody_in_the_files_a_storm_opens_empty(tmp_path: Path) -> None:
    assert not differing(*opened(STORM, tmp_path, census=[], waitlist=[], applications=[]))
    assert not differing(*opened(STORM, tmp_path))
    somebody = {"level": "unit", "start": moment(1.5), "track": "mood"}
    assert len(differing(*opened(STORM, tmp_path, census=[somebody]))) > 10


def test_with_nobody_in_the_files_every_program_opens_empty(tmp_path: Path) -> None:
    @settings(PROPERTY, max_examples=12)
    @given(programs())
    def check(program: Plain) -> None:
        assert not differing(*opened(program, tmp_path, census=[], waitlist=[]))

    check()


# those who are drawn from the steady state stay in it

WEEKS = range(13)
PLACES, PER_DAY, STAY_DAYS, PATIENCE_DAYS = 5, 1.0, 6.0, 8.0
SPAN_WEEKS = 6  # between two days from which a census is taken


def level(law: Mapping[str, Any], **waitlist: Any) -> dict[str, Any]:
    return {"clinic": {"places": PLACES, "stay_days": law, "waitlist": waitlist}}


def community(seed: int, weeks: int, **rest: Any) -> dict[str, Any]:
    run = {"start": AS_OF, **run_of(seed, weeks, warm_up_weeks=0, run_out_weeks=0)}
    return {"run": run, "sources": {"community": {"to": "clinic", "per_week": 7 * PER_DAY}}, **rest}


def begun_anew(levels: Mapping[str, Any], seed: int, draws: int, folder: Path) -> list[Run]:
    """Thirteen weeks from each of many days of one long run, each with chance of its own."""
    long = Scenario.model_validate(community(seed, SPAN_WEEKS * (draws + 1), levels=levels))
    ledger, runs = simulate(long, replication=0), []
    for draw in range(draws):
        files = files_of(ledger, 7.0 * SPAN_WEEKS * (draw + 1))
        scenario = begin(community(seed + 1, len(WEEKS), levels=levels), folder, **files)
        runs.append(Run(scenario, simulate(scenario, replication=draw)))
    return runs


def census_in_week(week: int) -> Statistic:
    @named(f"census in week {week}")
    def statistic(run: Run) -> Part:
        return run.stays().mean_number(Fact.STARTED, *ENDS, window=(7.0 * week, 7.0 * week + 7))

    return statistic


def waiting_in_week(week: int) -> Statistic:
    @named(f"waiting in week {week}")
    def statistic(run: Run) -> Part:
        gone = (Fact.ADMITTED, Fact.RENEGED, Fact.REFUSED)
        return run.stays().mean_number(Fact.JOINED, *gone, window=(7.0 * week, 7.0 * week + 7))

    return statistic


WAITING = level({"exponential": {"mean": STAY_DAYS}}, patience_days={"exponential": {"mean": PATIENCE_DAYS}})
LOSING = level({"gamma": {"mean": STAY_DAYS, "cv": 0.25}}, at_most=0)


def stays_stationary(runs: Sequence[Run]) -> None:
    """Erlang A, in each of the weeks."""
    exact = erlang_a(PER_DAY, STAY_DAYS, PLACES, PATIENCE_DAYS)
    census = {census_in_week(week): exact.mean_in_care for week in WEEKS}
    waiting = {waiting_in_week(week): exact.mean_waiting for week in WEEKS}
    agree(runs, census | waiting, precision=0.075)


def stays_insensitive(runs: Sequence[Run]) -> None:
    """Erlang B, whatever the law of the stay, in each of the weeks."""
    census = PER_DAY * STAY_DAYS * (1 - erlang_b(PLACES, PER_DAY * STAY_DAYS))
    agree(runs, {census_in_week(week): census for week in WEEKS})


def test_a_steady_list_and_census_stay_what_they_are(tmp_path: Path) -> None:
    stays_stationary(begun_anew(WAITING, 61, 250, tmp_path))


def test_a_steady_census_of_stays_that_remember_stays_what_it_is(tmp_path: Path) -> None:
    stays_insensitive(begun_anew(LOSING, 63, 200, tmp_path))


def anew(law: Any, elapsed: float, uniform: float) -> float:
    """A wrong `given_elapsed`: what is left is as long as a whole stay."""
    return elapsed + float(law.quantile(uniform))


def test_stays_that_begin_anew_today_are_caught(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journey, "given_elapsed", anew)
    with pytest.raises(DisagreementError, match="census in week 0"):
        stays_insensitive(begun_anew(LOSING, 63, 60, tmp_path))


def test_a_list_that_is_forgotten_is_caught(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "listed", lambda scenario: ())
    with pytest.raises(DisagreementError, match="waiting in week 0"):
        stays_stationary(begun_anew(WAITING, 61, 60, tmp_path))


# room for everybody: survivors and newcomers

ELAPSED = (0.25, 1, 2.5, 4, 6, 9, 12.5, 20) * 3
DAYS = (1.0, 4.0, 9.0, 16.0)
LAWS = {"exponential": Exponential(mean=STAY_DAYS), "gamma": Gamma(mean=STAY_DAYS, cv=0.5)}
WRITTEN = {
    "exponential": {"exponential": {"mean": STAY_DAYS}},
    "gamma": {"gamma": {"mean": STAY_DAYS, "cv": 0.5}},
}


def on_day(day: float, begin_: Fact, *ends: Fact) -> Statistic:
    @named(f"{begin_.name} and still there on day {day:g}")
    def statistic(run: Run) -> Part:
        stays = run.stays()
        return ((stays.at(begin_) <= day) & (stays.at(*ends) > day)).sum(), 1

    return statistic


def transient_holds(runs: Sequence[Run], law: str, begin_: Fact, *ends: Fact) -> None:
    survival = LAWS[law].survival
    exact = {on_day(day, begin_, *ends): census_from_today(PER_DAY, survival, ELAPSED, day) for day in DAYS}
    agree(runs, exact)


def in_care_today(law: str, folder: Path) -> Scenario:
    rows = [{"level": "clinic", "start": moment(days)} for days in ELAPSED]
    levels = {"clinic": {"stay_days": WRITTEN[law]}}
    return begin(community(64, 3, levels=levels), folder, census=rows)


@pytest.mark.parametrize("law", LAWS)
def test_what_is_left_of_stays_agrees_with_the_transient(law: str, tmp_path: Path) -> None:
    transient_holds(replicate(in_care_today(law, tmp_path), 220), law, Fact.STARTED, *ENDS)


def test_stays_that_begin_anew_are_caught_by_the_transient(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journey, "given_elapsed", anew)
    with pytest.raises(DisagreementError):
        transient_holds(replicate(in_care_today("gamma", tmp_path), 60), "gamma", Fact.STARTED, *ENDS)


# no room for anybody: what is left of patience


def waiting_today(law: str, folder: Path) -> Scenario:
    rows = [{"level": "clinic", "joined": moment(days)} for days in ELAPSED]
    levels = {"clinic": {"places": 0, "stay_days": 1, "waitlist": {"patience_days": WRITTEN[law]}}}
    return begin(community(65, 3, levels=levels), folder, waitlist=rows)


@pytest.mark.parametrize("law", LAWS)
def test_what_is_left_of_patience_agrees_with_the_transient(law: str, tmp_path: Path) -> None:
    transient_holds(replicate(waiting_today(law, tmp_path), 220), law, Fact.JOINED, Fact.RENEGED)


def test_patience_that_begins_anew_is_caught(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "given_elapsed", anew)
    with pytest.raises(DisagreementError):
        transient_holds(replicate(waiting_today("gamma", tmp_path), 60), "gamma", Fact.JOINED, Fact.RENEGED)


# a dated plan: the rate, and the capacity

STEP_DAY, BEFORE, AFTER = 21, 2.0, 5.0


def rate_step(day: int = STEP_DAY) -> Scenario:
    """More are referred from a day on."""
    date = np.datetime64(AS_OF) + day
    changes = [{"from": date.item(), "set": {"sources.community.per_week": 7 * AFTER}}]
    return scenario_of(
        {"stay_days": {"gamma": {"mean": 8, "cv": 0.5}}},
        per_week=7 * BEFORE,
        seed=66,
        weeks=6,
        warm_up_weeks=5,
        run_out_weeks=0,
        changes=changes,
    )


def rate_step_holds(runs: Sequence[Run]) -> None:
    steps, survival = [(-35.0, BEFORE), (float(STEP_DAY), AFTER)], Gamma(mean=8, cv=0.5).survival
    days = (20.5, 22.5, 25.0, 29.0, 36.0)
    agree(runs, {on_day(day, Fact.STARTED, *ENDS): census_with_steps(steps, survival, day) for day in days})


def test_another_rate_from_a_date_on_is_the_transient_of_theory() -> None:
    rate_step_holds(replicate(rate_step(), 120))


def test_a_rate_that_comes_two_days_late_is_caught() -> None:
    with pytest.raises(DisagreementError):
        rate_step_holds(replicate(rate_step(STEP_DAY + 2), 60))
