"""A level with room for everybody: its census in time (model.md §§4, 11)."""

from __future__ import annotations

import datetime as dt
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from iopsim.model import sources
from iopsim.model.ledger import ENDS, Fact
from iopsim.scenario.distributions import Gamma, Lognormal
from iopsim.scenario.schema import Scenario
from iopsim.theory.infinite import census_after_opening, mean_census_in_window, steady_census
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

if TYPE_CHECKING:
    from collections.abc import Sequence

# the census in steady state: M/G/∞

LONGEST_DAYS = 5  # the law has an end, so that the censuses of days so far apart are independent
STEADY = scenario_of(
    {"stay_days": {"uniform": {"min": 1, "max": LONGEST_DAYS}}}, per_week=14, seed=31, weeks=320
)


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
    return scenario_of({"stay_days": law}, per_week=210, seed=32, weeks=1, warm_up_weeks=0, run_out_weeks=0)


def transient_holds(runs: Sequence[Run]) -> None:
    law = Lognormal(mean=3, cv=1.5)
    days = (0.5, 1.5, 4.0, 6.5)
    agree(runs, {census_on(day): census_after_opening(30, law.survival, day) for day in days})


def census_on(day: float) -> Statistic:
    @named(f"census on day {day:g}")
    def statistic(run: Run) -> Part:
        return run.stays().census(np.array([day])).sum(), 1

    return statistic


def test_the_census_fills_after_opening() -> None:
    transient_holds(replicate(opening(LOGNORMAL), replications=90))


def test_another_law_of_the_same_mean_fills_otherwise() -> None:
    with pytest.raises(DisagreementError):
        transient_holds(replicate(opening({"exponential": {"mean": 3}}), replications=40))


# the census of a clinic with seasons: M_t/G/∞

MONTHS = [1, 1, 2, 2, 0.5, 0.5, 1, 1, 1.5, 1.5, 0.5, 0.5]
MONTH_DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]  # of 2027
STAY_DAYS = {"gamma": {"mean": 20, "cv": 0.5}}


def seasonal(months: list[float]) -> Scenario:
    scenario = {
        "run": run_of(seed=33, weeks=52, warm_up_weeks=0, run_out_weeks=0) | {"start": dt.date(2027, 1, 1)},
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
    @named(f"census from day {first} to {last}")
    def statistic(run: Run) -> Part:
        return run.stays().mean_number(Fact.STARTED, *ENDS, window=(first, last))

    return statistic


def test_the_census_follows_the_seasons() -> None:
    seasonal_census_holds(replicate(seasonal(MONTHS)))


def test_seasons_that_come_a_month_late_are_caught() -> None:
    with pytest.raises(DisagreementError):
        seasonal_census_holds(replicate(seasonal([*MONTHS[-1:], *MONTHS[:-1]]), replications=8))
