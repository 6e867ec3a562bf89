"""A level with room for everybody: its census in time."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import numpy as np

from iopsim.model.ledger import ENDS, Fact
from iopsim.theory.infinite import census_after_opening, mean_census_in_window, steady_census
from iopsim.verification.case import Claim, case
from iopsim.verification.given import monthly_rates, per_day, stay
from iopsim.verification.observed import census_at, metric, named

if TYPE_CHECKING:
    from collections.abc import Iterator

    from iopsim.scenario.schema import Scenario
    from iopsim.verification.observed import Observed, Part, Statistic

_LONGEST_DAYS = 5  # the end of the law of the stay: censuses so far apart are independent


@case("unlimited", "M/G/∞: the steady census is Poisson", replications=500)
def unlimited(scenario: Scenario) -> Iterator[Claim]:
    """Mean and variance of the census are the same number."""
    mean = steady_census(per_day(scenario), stay(scenario).mean)

    @named("variance of the census")
    def variance(observed: Observed) -> Part:
        census = observed.stays().census(np.arange(0, observed.days, _LONGEST_DAYS))
        return ((census - mean) ** 2).sum(), len(census)

    yield Claim(mean, metric("clinic.census.mean"))
    yield Claim(mean, variance)


@case("opening", "M/G/∞ after opening: the transient", replications=150)
def opening(scenario: Scenario) -> Iterator[Claim]:
    """From an empty level on."""
    rate, survival = per_day(scenario), stay(scenario).survival
    for day in (0.5, 1.5, 4.0, 6.5):
        yield Claim(census_after_opening(rate, survival, day), census_at(day))
    days = 7.0 * scenario.run.weeks
    yield Claim(mean_census_in_window([(0.0, rate)], survival, 0.0, days), metric("clinic.census.mean"))


@case("seasons", "M_t/G/∞: a rate that changes by month", replications=80)
def seasons(scenario: Scenario) -> Iterator[Claim]:
    """The census follows the referrals late, as long as stays remember."""
    steps, survival = monthly_rates(scenario), stay(scenario).survival
    ends = [day for day, _ in steps[1:]]
    for (first, _), last in list(zip(steps, ends, strict=False))[::2]:
        exact = mean_census_in_window(steps, survival, first, last)
        yield Claim(exact, _census_between(scenario.run.start, first, last))


def _census_between(start: dt.date, first: float, last: float) -> Statistic:
    @named(f"mean census in {start + dt.timedelta(first):%Y-%m}")
    def statistic(observed: Observed) -> Part:
        return observed.stays().mean_number(Fact.STARTED, *ENDS, window=(first, last))

    return statistic
