"""A level with room for everybody: its census, and how early stays end (model.md §§5, 11)."""

from __future__ import annotations

import datetime as dt
import math
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from iopsim.model import sources
from iopsim.model.ledger import ENDS, Fact
from iopsim.scenario.distributions import Gamma, Lognormal, Weibull
from iopsim.scenario.levels import Level
from iopsim.scenario.schema import Scenario
from iopsim.theory.infinite import census_after_opening, mean_census_in_window, steady_census
from iopsim.theory.stays import restricted_mean, weibull_survival
from tests.theory.replications import (
    DisagreementError,
    Part,
    Run,
    Statistic,
    agree,
    mean_stay,
    replicate,
    run_of,
    scenario_of,
    share_started,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

# the census in steady state: M/G/∞

LONGEST_DAYS = 5  # the law has an end, so that the censuses of days so far apart are independent
STEADY = scenario_of({"stay_days": {"uniform": {"min": 1, "max": LONGEST_DAYS}}}, per_week=14, weeks=400)


def steady_census_holds(runs: Sequence[Run]) -> None:
    """A Poisson number at each instant: mean and variance are the same."""
    mean = steady_census(arrivals_per_day=2, mean_stay_days=3)

    def census(run: Run) -> Part:
        found = run.stays().census(np.arange(0, run.days, LONGEST_DAYS))
        return found.sum(), len(found)

    def variance(run: Run) -> Part:
        found = run.stays().census(np.arange(0, run.days, LONGEST_DAYS))
        return ((found - mean) ** 2).sum(), len(found)

    agree(runs, {census: mean, variance: mean})


def test_the_steady_census_is_poisson() -> None:
    steady_census_holds(replicate(STEADY, replications=8))


def test_referrals_that_come_too_evenly_are_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    def one_a_day(*key: Any) -> np.ndarray[Any, Any]:
        *_, span = key
        return np.arange(0.5, span, 1.0)

    monkeypatch.setattr(sources, "_candidates", one_a_day)
    with pytest.raises(DisagreementError, match="variance"):
        steady_census_holds(replicate(STEADY, replications=8))


# the census after opening empty

LOGNORMAL = {"lognormal": {"mean": 3, "cv": 1.5}}


def opening(law: Any) -> Scenario:
    return scenario_of({"stay_days": law}, per_week=210, weeks=1, warm_up_weeks=0, run_out_weeks=0)


def transient_holds(runs: Sequence[Run]) -> None:
    law = Lognormal(mean=3, cv=1.5)
    days = (0.5, 1.5, 4.0, 6.5)
    agree(runs, {census_on(day): census_after_opening(30, law.survival, day) for day in days})


def census_on(day: float) -> Statistic:
    def statistic(run: Run) -> Part:
        return run.stays().census(np.array([day])).sum(), 1

    statistic.__name__ = f"census on day {day:g}"
    return statistic


def test_the_census_fills_after_opening() -> None:
    transient_holds(replicate(opening(LOGNORMAL), replications=120))


def test_another_law_of_the_same_mean_fills_otherwise() -> None:
    with pytest.raises(DisagreementError):
        transient_holds(replicate(opening({"exponential": {"mean": 3}})))


# the census of a clinic with seasons: M_t/G/∞

MONTHS = [1, 1, 2, 2, 0.5, 0.5, 1, 1, 1.5, 1.5, 0.5, 0.5]
MONTH_DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]  # of 2027
STAY_DAYS = {"gamma": {"mean": 20, "cv": 0.5}}


def seasonal(months: list[float]) -> Scenario:
    scenario = {
        "run": run_of(weeks=52, warm_up_weeks=0, run_out_weeks=0) | {"start": dt.date(2027, 1, 1)},
        "sources": {"community": {"to": "clinic", "per_week": 14, "months": months}},
        "levels": {"clinic": {"stay_days": STAY_DAYS}},
    }
    return Scenario.model_validate(scenario)


def seasonal_census_holds(runs: Sequence[Run]) -> None:
    yearly_mean = sum(index * days for index, days in zip(MONTHS, MONTH_DAYS, strict=True)) / 365
    first_days = [0, *accumulate(MONTH_DAYS)]
    rate_steps = [(day, 2 * index / yearly_mean) for day, index in zip(first_days, MONTHS, strict=False)]
    survival = Gamma(mean=20, cv=0.5).survival
    windows = [(first_days[month], first_days[month + 1]) for month in (0, 2, 4, 10)]
    agree(runs, {census_in(*days): mean_census_in_window(rate_steps, survival, *days) for days in windows})


def census_in(first: float, last: float) -> Statistic:
    def statistic(run: Run) -> Part:
        return run.stays().mean_number(Fact.STARTED, *ENDS, window=(first, last))

    statistic.__name__ = f"census from day {first} to {last}"
    return statistic


def test_the_census_follows_the_seasons() -> None:
    seasonal_census_holds(replicate(seasonal(MONTHS)))


def test_seasons_that_come_a_month_late_are_caught() -> None:
    with pytest.raises(DisagreementError):
        seasonal_census_holds(replicate(seasonal([*MONTHS[-1:], *MONTHS[:-1]]), replications=8))


# leaving early


def dropout_law_holds(runs: Sequence[Run]) -> None:
    survival = weibull_survival(shape=0.683, scale_days=173)
    agree(runs, {mean_stay: restricted_mean(survival, 56)}, precision=0.01)
    agree(runs, {share_started(Fact.DROPPED_OUT): 1 - survival(56)})


def eight_weeks(leave_early: dict[str, Any], stay_days: float = 56) -> Scenario:
    level = {"stay_days": stay_days, "leave_early": leave_early}
    scenario = scenario_of(level, per_week=70, weeks=4, warm_up_weeks=0, run_out_weeks=9)
    higher = Level.model_validate({"stay_days": 10})
    return scenario.model_copy(update={"levels": {**scenario.levels, "higher": higher}})


WEIBULL = {"dropout": {"weibull": {"shape": 0.683, "scale": 173}}}


def test_a_dropout_law_cuts_a_planned_stay_to_its_restricted_mean() -> None:
    dropout_law_holds(replicate(eight_weeks(WEIBULL)))


def test_dropout_at_the_ends_of_weeks_only_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    hazard_time = Weibull.hazard_time
    monkeypatch.setattr(Weibull, "hazard_time", lambda law, unit: 7.0 * math.ceil(hazard_time(law, unit) / 7))
    with pytest.raises(DisagreementError, match="mean_stay"):
        dropout_law_holds(replicate(eight_weeks(WEIBULL)))


WEEKLY = {"dropout_per_week": 0.08, "step_up": {"per_week": 0.05, "to": {"higher": 1}}}


def weekly_shares_hold(runs: Sequence[Run]) -> None:
    """Weeks are geometric; the eighth ends with the plan, and whoever completes at that instant has completed."""
    stay_on = (1 - 0.08) * (1 - 0.05)
    agree(runs, {share_started(Fact.COMPLETED): stay_on**7})
    agree(runs, {mean_stay: 7 * (1 - stay_on**8) / (1 - stay_on)}, precision=0.01)


def test_weekly_shares_that_leave_early_are_geometric() -> None:
    weekly_shares_hold(replicate(eight_weeks(WEEKLY)))


def test_leaving_early_before_completing_at_one_instant_is_caught() -> None:
    with pytest.raises(DisagreementError):
        weekly_shares_hold(replicate(eight_weeks(WEEKLY, stay_days=56 + 1e-6), replications=25))


def long_waits(per_week_waited: float) -> Scenario:
    dropout = {"dropout": {"exponential": {"mean": 40}}, "per_week_waited": per_week_waited}
    patience = {"patience_days": {"exponential": {"mean": 21}}}
    level = {"places": 6, "stay_days": 28, "leave_early": dropout, "waitlist": patience}
    return scenario_of(level, per_week=2.4, weeks=300, warm_up_weeks=20, run_out_weeks=30)


def dropout_share_after(weeks_waited: int) -> Statistic:
    def statistic(run: Run) -> Part:
        stays = run.stays().in_window(Fact.STARTED)
        waited = (stays.at(Fact.STARTED) - stays.at(Fact.JOINED)) // 7
        stays = stays[waited == weeks_waited]
        return stays.had(Fact.DROPPED_OUT).sum(), len(stays)

    statistic.__name__ = f"dropout share after {weeks_waited} weeks of waiting"
    return statistic


def waiting_raises_dropout(runs: Sequence[Run]) -> None:
    hazards = {weeks: 28 / 40 * 1.5**weeks for weeks in range(3)}
    agree(runs, {dropout_share_after(weeks): -math.expm1(-hazard) for weeks, hazard in hazards.items()})


def test_every_whole_week_of_waiting_multiplies_the_hazard_of_dropout() -> None:
    waiting_raises_dropout(replicate(long_waits(per_week_waited=1.5)))


def test_a_hazard_that_forgets_the_wait_is_caught() -> None:
    with pytest.raises(DisagreementError, match="after 1 weeks"):
        waiting_raises_dropout(replicate(long_waits(per_week_waited=1.0), replications=15))
