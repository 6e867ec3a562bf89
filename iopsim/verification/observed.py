"""One replication as a case sees it: the facts of its ledger, and the metrics that are reported.

A `Statistic` gives numerator and denominator of a number in one replication; the estimate is sum over sum.
`metric` reads what a user would; the others read the facts, a second opinion beside `iopsim.measures`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from iopsim.measures.registry import Ratio, Value, measure
from iopsim.measures.window import Window
from iopsim.model.ledger import ENDS, Fact

if TYPE_CHECKING:
    from iopsim.measures.registry import Outcome
    from iopsim.model.ledger import Ledger
    from iopsim.scenario.schema import Scenario

__all__ = [
    "Observed",
    "Part",
    "Statistic",
    "Stays",
    "census_at",
    "mean_days",
    "mean_number",
    "metric",
    "named",
    "share_of_joined",
    "share_of_started",
    "waits_over",
]

Floats = NDArray[np.float64]
Part = tuple[float, float]


class Stays:
    """Some stays of one replication, by `number`; a fact that did not happen has the time +inf."""

    def __init__(self, times: Floats, number: NDArray[np.int64], days: float) -> None:
        self.number = number
        self._times = times
        self._days = days

    def __len__(self) -> int:
        return len(self.number)

    def __getitem__(self, chosen: NDArray[np.bool_]) -> Stays:
        return Stays(self._times[:, chosen], self.number[chosen], self._days)

    def at(self, *facts: Fact) -> Floats:
        """Time of the first of the facts, by stay."""
        first: Floats = self._times[list(facts)].min(axis=0)
        return first

    def had(self, *facts: Fact) -> NDArray[np.bool_]:
        """Whether one of the facts happened, by stay."""
        return self.at(*facts) < np.inf

    def in_window(self, fact: Fact) -> Stays:
        """Those to whom the fact happened in the measured window."""
        return self[(self.at(fact) >= 0) & (self.at(fact) < self._days)]

    def mean_number(self, begin: Fact, *ends: Fact, window: tuple[float, float] | None = None) -> Part:
        """Patient-days between `begin` and the first of `ends` in the window, and days of the window."""
        first, last = window or (0.0, self._days)
        spent = np.clip(self.at(*ends), first, last) - np.clip(self.at(begin), first, last)
        return spent.sum(), last - first

    def census(self, days: Floats) -> Floats:
        """Number in care at each of the days."""
        started, ended = np.sort(self.at(Fact.STARTED)), np.sort(self.at(*ENDS))
        return (np.searchsorted(started, days) - np.searchsorted(ended, days)).astype(float)


class Observed:
    """One replication."""

    def __init__(self, scenario: Scenario, ledger: Ledger) -> None:
        self.scenario = scenario
        self.ledger = ledger
        self.days = 7.0 * scenario.run.weeks
        self._times = np.full((len(Fact), len(ledger.stay_level)), np.inf)
        self._times[ledger.fact, ledger.stay] = ledger.time
        self._origin = np.full(len(ledger.stay_level), -1)
        joined = ledger.fact == Fact.JOINED
        self._origin[ledger.stay[joined]] = ledger.a[joined]

    @cached_property
    def metrics(self) -> dict[str, Outcome]:
        """All metrics of the replication."""
        return measure(Window(self.scenario, self.ledger))

    def stays(self, level: str | None = None, origin: str | None = None) -> Stays:
        """The stays in a level (the only one, if none is named), of those from one origin or from all."""
        levels = self.ledger.levels
        here = self.ledger.stay_level == (levels.index(level) if level else 0)
        if origin is not None:
            here &= self._origin == self.ledger.origins.index(origin)
        return Stays(self._times, np.arange(len(here)), self.days)[here]

    def joined(self, level: str | None = None, origin: str | None = None) -> Stays:
        """The cohort that joined the level's waitlist in the window."""
        return self.stays(level, origin).in_window(Fact.JOINED)


Statistic = Callable[[Observed], Part]


def named(name: str) -> Callable[[Statistic], Statistic]:
    """Give a statistic the name that the table calls it by."""

    def decorate(statistic: Statistic) -> Statistic:
        statistic.__name__ = name
        return statistic

    return decorate


def metric(name: str) -> Statistic:
    """A metric under its full name, combined over replications as the report does; not for quantiles."""

    @named(name)
    def statistic(observed: Observed) -> Part:
        stem, _, last = name.rpartition(".")
        outcome = observed.metrics.get(name)
        if isinstance(outcome, Ratio | Value):
            return outcome.quotient(None)
        return observed.metrics[stem].quotient(last)

    return statistic


def mean_number(name: str, begin: Fact, *ends: Fact, level: str | None = None) -> Statistic:
    """Mean number of patients between one fact and the first of others."""
    return named(name)(lambda observed: observed.stays(level).mean_number(begin, *ends))


def census_at(day: float, level: str | None = None) -> Statistic:
    """Number in care at an instant, in days from the start of the window."""
    return named(f"census on day {day:g}")(
        lambda observed: (observed.stays(level).census(np.array([day])).sum(), 1.0)
    )


def waits_over(days: float, level: str | None = None, origin: str | None = None) -> Statistic:
    """Share of those who join who have not started care so many days later, if ever."""

    @named(f"share who wait over {days:g} days")
    def statistic(observed: Observed) -> Part:
        stays = observed.joined(level, origin)
        return (stays.at(Fact.STARTED) - stays.at(Fact.JOINED) > days).sum(), len(stays)

    return statistic


def mean_days(
    name: str, begin: Fact, *ends: Fact, level: str | None = None, origin: str | None = None
) -> Statistic:
    """Mean days from one fact to the first of others, of those to whom both happen, the one in the window."""

    @named(name)
    def statistic(observed: Observed) -> Part:
        stays = observed.stays(level, origin).in_window(begin)
        stays = stays[stays.had(*ends)]
        return (stays.at(*ends) - stays.at(begin)).sum(), len(stays)

    return statistic


def share_of_joined(
    name: str, *facts: Fact, level: str | None = None, origin: str | None = None
) -> Statistic:
    """Share of those who join in the window to whom one of the facts happens."""

    @named(name)
    def statistic(observed: Observed) -> Part:
        stays = observed.joined(level, origin)
        return stays.had(*facts).sum(), len(stays)

    return statistic


def share_of_started(name: str, *facts: Fact, level: str | None = None) -> Statistic:
    """Share of those who start care in the window to whom one of the facts happens."""

    @named(name)
    def statistic(observed: Observed) -> Part:
        stays = observed.stays(level).in_window(Fact.STARTED)
        return stays.had(*facts).sum(), len(stays)

    return statistic
