"""M/G/∞: a level with room for everybody. The census is Poisson at every instant; these are its means.

`survival(days)` is the share of patients still in care `days` after their start.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from iopsim.theory.integrals import integrate_decreasing
from iopsim.theory.stays import restricted_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    Survival = Callable[[float], float]
    RateSteps = Sequence[tuple[float, float]]

__all__ = [
    "census_after_opening",
    "census_from_today",
    "census_with_steps",
    "mean_census_in_window",
    "steady_census",
]


def steady_census(arrivals_per_day: float, mean_stay_days: float) -> float:
    """Mean census, and its variance, in steady state.

    Source: Takács, Introduction to the Theory of Queues (1962), ch. 3: Poisson for any law of the stay.
    """
    return arrivals_per_day * mean_stay_days


def census_after_opening(arrivals_per_day: float, survival: Survival, days: float) -> float:
    """Mean census, and its variance, `days` after opening empty.

    Source: Takács, Introduction to the Theory of Queues (1962), ch. 3.
    """
    return arrivals_per_day * restricted_mean(survival, days)


def census_from_today(
    arrivals_per_day: float, survival: Survival, elapsed_days: Iterable[float], days: float
) -> float:
    """Mean census `days` after today: those who are there and stay on, and those who have come since.

    Args:
        arrivals_per_day: From today on.
        survival: Share still in care by days since the start.
        elapsed_days: How long each of those who are there has been in care today.
        days: Since today.

    Source: the law of a stay given that it has lasted so long, and `census_after_opening`; independent of
    each other (Takács, as above).
    """
    still_there = sum(survival(elapsed + days) / survival(elapsed) for elapsed in elapsed_days)
    return still_there + census_after_opening(arrivals_per_day, survival, days)


def census_with_steps(rate_steps: RateSteps, survival: Survival, day: float) -> float:
    """Mean census, and its variance, on `day` when the rate of arrivals changes in steps (M_t/G/∞).

    Args:
        rate_steps: (from_day, arrivals per day) in order of day; the level is empty before the first.
        survival: Share still in care by days since the start.
        day: On the same clock as `from_day`.

    Raises:
        ValueError: The days of `rate_steps` are not in order.

    Source: Eick, Massey & Whitt (1993), Operations Research 41(4), 731–742, theorem 1.
    """
    return sum(
        census_after_opening(rise, survival, day - from_day)
        for from_day, rise in _rises(rate_steps)
        if from_day < day
    )


def mean_census_in_window(rate_steps: RateSteps, survival: Survival, from_day: float, to_day: float) -> float:
    """Time average from `from_day` to `to_day` of the mean census of `census_with_steps`.

    Exchanging the two integrals leaves one: the patients who start at a constant rate from day 0 on spend
    ∫ survival(u) × (to − max(from, u)) du days in the window per unit of rate.

    Raises:
        ValueError: The window is empty or the days of `rate_steps` are not in order.

    Source: Eick, Massey & Whitt (1993), as above, averaged over the window by Fubini's theorem.
    """
    if not from_day < to_day:
        raise ValueError(f"the window must end after it starts, got {from_day} to {to_day}")
    return sum(
        rise * _days_in_window(survival, from_day - step_day, to_day - step_day)
        for step_day, rise in _rises(rate_steps)
        if step_day < to_day
    ) / (to_day - from_day)


def _days_in_window(survival: Survival, from_day: float, to_day: float) -> float:
    opened = max(from_day, 0.0)
    before = (to_day - opened) * integrate_decreasing(survival, 0.0, opened)
    return before + integrate_decreasing(lambda days: survival(days) * (to_day - days), opened, to_day)


def _rises(rate_steps: RateSteps) -> Iterator[tuple[float, float]]:
    """Split a rate that moves in steps into constant rates (perhaps negative), each from its day on."""
    if any(later <= earlier for (earlier, _), (later, _) in pairwise(rate_steps)):
        raise ValueError(f"steps of the rate must be in order of day, got {list(rate_steps)}")
    rate_before = 0.0
    for from_day, rate in rate_steps:
        yield from_day, rate - rate_before
        rate_before = rate
