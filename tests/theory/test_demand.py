"""Referrals: how many come in each month, on each weekday and in each year (model.md §4)."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from iopsim.model.clinic import simulate
from iopsim.scenario.schema import Scenario
from tests.theory.replications import PRECISION, Z_LIMIT, DisagreementError, run_of

if TYPE_CHECKING:
    from collections.abc import Callable

START, WARM_UP_WEEKS, WEEKS, PER_WEEK, REPLICATIONS = dt.date(2027, 3, 10), 14, 55, 42.0, 12
WEEKDAYS = (1.3, 1, 1, 1, 0.7, 0.3, 0.3)
MONTHS = (1.11, 1.12, 1.07, 0.71, 0.92, 0.94, 1.26, 0.95, 1.07, 1.06, 1.05, 0.83)
GROWTH = 0.2

Days = dict[dt.date, float]


def referrals(weekdays: tuple[float, ...], months: tuple[float, ...], growth: float) -> Days:
    """Referrals of all replications by date, to a level that takes nobody."""
    source = {"to": "clinic", "per_week": PER_WEEK, "growth_per_year": growth}
    scenario = Scenario.model_validate(
        {
            "run": run_of(71, WEEKS, WARM_UP_WEEKS, run_out_weeks=0) | {"start": START},
            "sources": {"community": source | {"weekdays": weekdays, "months": months}},
            "levels": {"clinic": {"places": 0, "stay_days": 1, "waitlist": {"at_most": 0}}},
        }
    )
    runs = [simulate(scenario, replication).patient_referred for replication in range(REPLICATIONS)]
    days = Counter(np.floor(np.concatenate(runs)).astype(int).tolist())
    return {START + dt.timedelta(day): number for day, number in days.items()}


@cache
def expected() -> Days:
    """What model.md says of each date, day by day; growth is 1 before the start, then integrated over the day."""

    def season(day: int) -> float:
        date = START + dt.timedelta(day)
        return WEEKDAYS[date.weekday()] * MONTHS[date.month - 1]

    def growth(day: int) -> float:
        if day < 0:
            return 1.0
        log_growth = np.log(1 + GROWTH)
        return float(np.expm1(log_growth / 365) * 365 / log_growth * np.exp(log_growth * day / 365))

    mean_season = sum(season(day) for day in range(365)) / 365
    rate = REPLICATIONS * PER_WEEK / 7 / mean_season
    days = range(-7 * WARM_UP_WEEKS, 7 * WEEKS)
    return {START + dt.timedelta(day): rate * season(day) * growth(day) for day in days}


def referrals_hold(found: Days) -> None:
    """Sums of independent Poisson numbers are Poisson: their standard error is known, not estimated."""
    divisions: list[Callable[[dt.date], Any]] = [
        lambda date: date.year,
        lambda date: (date.year, date.month),
        lambda date: f"weekday {date.weekday()}",
        lambda date: "first measured year" if 0 <= (date - START).days < 365 else "other days",
    ]
    for division in divisions:
        theory, counts = total(expected(), division), total(found, division)
        for part, mean in theory.items():
            error = mean**0.5
            if not abs(counts.get(part, 0) - mean) <= Z_LIMIT * error:
                raise DisagreementError(
                    f"{part}: {counts.get(part, 0)} referrals, expected {mean:.0f} ± {error:.0f}"
                )
            assert error <= PRECISION * mean, f"{part}: {mean:.0f} referrals have no power"


def total(days: Days, division: Callable[[dt.date], Any]) -> dict[Any, float]:
    sums: Counter[Any] = Counter()
    for date, number in days.items():
        sums[division(date)] += number
    return sums


def test_referrals_follow_weekdays_months_and_growth() -> None:
    referrals_hold(referrals(WEEKDAYS, MONTHS, GROWTH))


def first_year_has_the_weekly_rate(found: Days) -> None:
    """Whatever the seasons: they are divided by their mean over the 365 days from the start."""
    mean = REPLICATIONS * PER_WEEK / 7 * 365
    count = sum(number for date, number in found.items() if 0 <= (date - START).days < 365)
    if not abs(count - mean) <= Z_LIMIT * mean**0.5:
        raise DisagreementError(f"{count} referrals in the first year, expected {mean:.0f}")
    assert mean**0.5 <= PRECISION * mean


def test_without_growth_the_first_year_has_the_weekly_rate() -> None:
    first_year_has_the_weekly_rate(referrals(WEEKDAYS, MONTHS, growth=0.0))


def test_a_first_year_that_grows_is_caught() -> None:
    with pytest.raises(DisagreementError):
        first_year_has_the_weekly_rate(referrals(WEEKDAYS, MONTHS, GROWTH))


@pytest.mark.parametrize(
    ("weekdays", "months", "growth"),
    [
        pytest.param((*WEEKDAYS[1:], WEEKDAYS[0]), MONTHS, GROWTH, id="weekdays that begin on Sunday"),
        pytest.param(WEEKDAYS, (MONTHS[-1], *MONTHS[:-1]), GROWTH, id="months that come a month late"),
        pytest.param(WEEKDAYS, MONTHS, 0.0, id="no growth"),
        pytest.param((1.0,) * 7, MONTHS, GROWTH, id="all weekdays alike"),
    ],
)
def test_a_wrong_season_is_caught(
    weekdays: tuple[float, ...], months: tuple[float, ...], growth: float
) -> None:
    with pytest.raises(DisagreementError):
        referrals_hold(referrals(weekdays, months, growth))
