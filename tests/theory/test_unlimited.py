"""A level with room for everybody: its census, and how early stays end (model.md §§5, 11)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from iopsim.model import sources
from iopsim.model.ledger import Fact
from iopsim.scenario.distributions import Lognormal, Weibull
from iopsim.theory.infinite import census_after_opening, mean_census_in_window, steady_census
from iopsim.theory.stays import restricted_mean, weibull_survival
from tests.theory.replications import (
    DisagreementError,
    Part,
    Run,
    Statistic,
    agree,
    mean_in_care,
    mean_stay,
    replicate,
    scenario_of,
    share_started,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

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
    def every_half_day(*key: Any) -> np.ndarray[Any, Any]:
        *_, span = key
        return np.arange(0.25, span, 1.0)

    monkeypatch.setattr(sources, "_candidates", every_half_day)
    with pytest.raises(DisagreementError, match="variance"):
        steady_census_holds(replicate(STEADY, replications=8))


# the census after opening empty

LOGNORMAL = {"lognormal": {"mean": 3, "cv": 1.5}}


def opening(law: Any) -> list[Run]:
    return replicate(
        scenario_of({"stay_days": law}, per_week=70, weeks=2, warm_up_weeks=0, run_out_weeks=0), 100
    )


def transient_holds(runs: Sequence[Run]) -> None:
    law = Lognormal(mean=3, cv=1.5)
    days = (0.5, 1.5, 4.0, 10.0)
    agree(runs, {census_on(day): census_after_opening(10, law.survival, day) for day in days})


def census_on(day: float) -> Statistic:
    def statistic(run: Run) -> Part:
        return run.stays().census(np.array([day])).sum(), 1

    statistic.__name__ = f"census on day {day:g}"
    return statistic


def test_the_census_fills_after_opening() -> None:
    transient_holds(opening(LOGNORMAL))


def test_another_law_of_the_same_mean_fills_otherwise() -> None:
    with pytest.raises(DisagreementError):
        transient_holds(opening({"exponential": {"mean": 3}}))


# the census of a clinic with seasons: M_t/G/∞

MONTHS = [1, 1, 2, 2, 0.5, 0.5, 1, 1, 1.5, 1.5, 0.5, 0.5]
DAYS_IN_MONTH = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]  # 2027


def seasonal_clinic(months: list[float]) -> Any:
    run = {"start": "2027-01-01", "warm_up_weeks": 0, "weeks": 52, "run_out_weeks": 0}
    return run, {"to": "clinic", "per_week": 14, "months": months}
