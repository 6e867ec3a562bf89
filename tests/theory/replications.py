"""Independent replications of a small clinic, and what their ledgers say beside an exact answer.

A statistical test has four parts: `replicate` makes enough replications from a fixed seed; `agree` asks for
|mean − exact| within 4 standard errors, and guards that the standard error is small enough to mean something;
and a *mutant*, a model or a clinic made slightly wrong, must make the same check raise `DisagreementError`.

The estimators read the facts of the ledger, a second opinion beside `iopsim.measures`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from iopsim.measures.registry import Outcome, Ratio, Value, measure
from iopsim.measures.window import Window
from iopsim.model.clinic import simulate
from iopsim.model.ledger import ENDS, Fact, Ledger
from iopsim.model.waitlist import Waitlist
from iopsim.scenario.schema import Scenario

if TYPE_CHECKING:
    from iopsim.model.people import Stay

Z_LIMIT = 4.0
PRECISION = 0.03

Floats = NDArray[np.float64]
Part = tuple[float, float]


class DisagreementError(AssertionError):
    """The simulation lies further from the exact answer than chance explains."""


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


class Run:
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

    def stays(self, level: str = "clinic", origin: str | None = None) -> Stays:
        """The stays in a level, of those who come from one origin or from all."""
        here = self.ledger.stay_level == self.ledger.levels.index(level)
        if origin is not None:
            here &= self._origin == self.ledger.origins.index(origin)
        return Stays(self._times, np.arange(len(here)), self.days)[here]

    def joined(self, level: str = "clinic", origin: str | None = None) -> Stays:
        """The cohort that joined the level's waitlist in the window."""
        return self.stays(level, origin).in_window(Fact.JOINED)


Statistic = Callable[[Run], Part]


def named(name: str) -> Callable[[Statistic], Statistic]:
    """Give a statistic the name that a failure calls it by."""

    def decorate(statistic: Statistic) -> Statistic:
        statistic.__name__ = name
        return statistic

    return decorate


def scenario_of(
    level: Mapping[str, Any],
    per_week: float | Mapping[str, float],
    *,
    seed: int,
    weeks: int,
    warm_up_weeks: int = 4,
    run_out_weeks: int = 4,
    **rest: Any,
) -> Scenario:
    """A clinic of one level, `clinic`, with one source, `community`, or one for each rate."""
    rates = per_week if isinstance(per_week, Mapping) else {"community": per_week}
    return Scenario.model_validate(
        {
            "run": run_of(seed, weeks, warm_up_weeks, run_out_weeks),
            "sources": {name: {"to": "clinic", "per_week": rate} for name, rate in rates.items()},
            "levels": {"clinic": level},
            **rest,
        }
    )


def run_of(seed: int, weeks: int, warm_up_weeks: int = 4, run_out_weeks: int = 4) -> dict[str, Any]:
    """The `run` part of a scenario; each test has a seed of its own, or all would meet the same patients."""
    return {"weeks": weeks, "warm_up_weeks": warm_up_weeks, "run_out_weeks": run_out_weeks, "seed": seed}


def replicate(scenario: Scenario, replications: int = 40) -> list[Run]:
    """Independent replications 0, 1, … of the scenario's own seed."""
    return [Run(scenario, simulate(scenario, replication)) for replication in range(replications)]


def estimate(runs: Sequence[Run], statistic: Statistic) -> tuple[float, float]:
    """Ratio of the sums over replications, and its standard error by linearization.

    Source: Cochran, Sampling Techniques, 3rd ed. (1977), §6.4.
    """
    above, below = np.array([statistic(run) for run in runs], float).T
    mean = above.sum() / below.sum()
    with np.errstate(invalid="ignore"):  # an infinite mean agrees with nothing
        residuals = above - mean * below
    return float(mean), float(residuals.std(ddof=1) / len(runs) ** 0.5 / below.mean())


def agree(runs: Sequence[Run], exact: Mapping[Statistic, float], precision: float = PRECISION) -> None:
    """Ask that statistics be within 4 standard errors of the exact values, and precise enough to tell.

    Args:
        runs: Independent replications.
        exact: What theory says by statistic, never a number that a simulation has given.
        precision: Largest standard error that passes, as a share of the exact value.

    Raises:
        DisagreementError: A mean is too far from the exact value.
        AssertionError: A standard error is too large.
    """
    relative_errors = {}
    for statistic, value in exact.items():
        mean, error = estimate(runs, statistic)
        name = statistic.__name__
        if not abs(mean - value) <= Z_LIMIT * error:
            raise DisagreementError(f"{name}: {mean:.6g} ± {error:.2g} (standard error), exactly {value:.6g}")
        relative_errors[name] = error / value
    assert max(relative_errors.values()) <= precision, f"without power: {relative_errors}"


# What one replication of a clinic of one level says


def wait_share(run: Run) -> Part:
    """Share who are not admitted at once."""
    stays = run.joined()
    return (stays.at(Fact.ADMITTED) > stays.at(Fact.JOINED)).sum(), len(stays)


def mean_wait(run: Run) -> Part:
    """Mean days to the start of care of all who join; infinite if one never starts."""
    stays = run.joined()
    return (stays.at(Fact.STARTED) - stays.at(Fact.JOINED)).sum(), len(stays)


def mean_waiting(run: Run) -> Part:
    """Mean number on the waitlist."""
    return run.stays().mean_number(Fact.JOINED, Fact.ADMITTED, Fact.RENEGED, Fact.REFUSED)


def mean_in_care(run: Run) -> Part:
    """Mean census."""
    return run.stays().mean_number(Fact.STARTED, *ENDS)


def waits_longer_than(days: float) -> Statistic:
    """Share who have not started care so many days after joining, if ever."""

    @named(f"waits_longer_than {days:g} days")
    def statistic(run: Run) -> Part:
        stays = run.joined()
        return (stays.at(Fact.STARTED) - stays.at(Fact.JOINED) > days).sum(), len(stays)

    return statistic


def started_within(days: float) -> Statistic:
    """Share who start care at most so many days after joining."""

    @named(f"started_within {days:g} days")
    def statistic(run: Run) -> Part:
        late, all_who_join = waits_longer_than(days)(run)
        return all_who_join - late, all_who_join

    return statistic


def mean_stay(run: Run) -> Part:
    """Mean days in care of those who start in the window; infinite if one never leaves."""
    stays = run.stays().in_window(Fact.STARTED)
    return (stays.at(*ENDS) - stays.at(Fact.STARTED)).sum(), len(stays)


def share_joined(fact: Fact, level: str = "clinic", origin: str | None = None) -> Statistic:
    """Share of those who join to whom the fact happens."""

    @named(f"{fact.name.lower()}_share of {origin or level}")
    def statistic(run: Run) -> Part:
        stays = run.joined(level, origin)
        return stays.had(fact).sum(), len(stays)

    return statistic


def mean_wait_until(fact: Fact, level: str = "clinic", origin: str | None = None) -> Statistic:
    """Mean days on the waitlist of those who leave it in this way."""

    @named(f"mean_wait_until_{fact.name.lower()}")
    def statistic(run: Run) -> Part:
        stays = run.joined(level, origin)
        stays = stays[stays.had(fact)]
        return (stays.at(fact) - stays.at(Fact.JOINED)).sum(), len(stays)

    return statistic


def share_started(fact: Fact) -> Statistic:
    """Share of those who start care in the window to whom the fact happens."""

    @named(f"{fact.name.lower()}_share")
    def statistic(run: Run) -> Part:
        stays = run.stays().in_window(Fact.STARTED)
        return stays.had(fact).sum(), len(stays)

    return statistic


def measured(name: str) -> Statistic:
    """A metric as `iopsim.measures` computes it, combined over replications as the report does; waits by mean."""

    @named(name)
    def statistic(run: Run) -> Part:
        outcome = run.metrics[name]
        if isinstance(outcome, Ratio):
            return outcome.numerator, outcome.denominator
        if isinstance(outcome, Value):
            return outcome.value, 1
        return outcome.values.sum(), len(outcome.values)

    return statistic


# Mutants that more than one test uses


def last_come_first_served(waitlist: Waitlist, stay: Stay, add: Any = Waitlist.add) -> None:
    """A wrong `Waitlist.add`: within a class, the last to join is the first to be admitted."""
    priority, joined, patient, number = stay.rank
    stay.rank = (priority, -joined, patient, number)
    add(waitlist, stay)
