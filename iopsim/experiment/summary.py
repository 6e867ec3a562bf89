"""What a run found: every metric with its interval, verdicts on targets, and what is to be said of them."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING, Literal

import numpy as np

from iopsim.errors import InputError
from iopsim.experiment.equilibrium import not_steady
from iopsim.experiment.names import Reported, check_names, nearest, no_such_metric, reported
from iopsim.experiment.statistics import (
    LEVEL,
    Pool,
    Replicated,
    intervals,
    quantiles_of,
    ratios_of,
)
from iopsim.measures.registry import Ratio, Sample, Value

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from iopsim.experiment.statistics import Interval
    from iopsim.measures.registry import Better, Outcome
    from iopsim.scenario.schema import Scenario, Target

    Outcomes = Sequence[Mapping[str, Outcome]]

__all__ = [
    "Estimate",
    "Gathered",
    "Goal",
    "Verdict",
    "estimates",
    "find",
    "goals",
    "replication_rows",
    "summary_rows",
]

Verdict = Literal["", "met", "missed", "undecided"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """One reported number.

    Attributes:
        name: Full name, such as `iop.wait_days.p90`.
        unit: Its unit, in the scenario's currency if it is money.
        better: Which direction a planner wants.
        interval: Estimate and 95 % confidence interval.
        target: What the scenario asks of it, such as `at most 14`; empty without a target.
        verdict: Whether the interval lies wholly inside the target (met), wholly outside (missed) or neither.
        share_of_years: Share of the simulated years whose own value met the target; NaN without one.
        steady: Whether it does not depend on how long the clinic has been open; if it does, it has no interval.
    """

    name: str
    unit: str
    better: Better
    interval: Interval
    target: str = ""
    verdict: Verdict = ""
    share_of_years: float = math.nan
    steady: bool = True


@dataclass(frozen=True, slots=True)
class Goal:
    """What all targets on one metric ask of it together: a value from `low` to `high`, both included."""

    low: float = -math.inf
    high: float = math.inf

    def with_target(self, target: Target) -> Goal:
        """The goal narrowed by one more target."""
        if target.at_most is None:
            return Goal(max(self.low, target.limit), self.high)
        return Goal(self.low, min(self.high, target.limit))

    def __str__(self) -> str:
        sides = (("at least", self.low), ("at most", self.high))
        return " and ".join(f"{word} {limit:.12g}" for word, limit in sides if math.isfinite(limit))

    def verdict(self, interval: Interval) -> Verdict:
        """Met or missed only where the whole interval says so; an end that is not known is unbounded."""
        low = -math.inf if math.isnan(interval.low) else interval.low
        high = math.inf if math.isnan(interval.high) else interval.high
        if self.low <= low and high <= self.high:
            return "met"
        return "missed" if low > self.high or high < self.low else "undecided"

    def share_met(self, each: np.ndarray) -> float:
        """Share of the replications with a value whose value meets the goal; NaN if none has one."""
        own = each[~np.isnan(each)]
        return float(np.mean((self.low <= own) & (own <= self.high))) if own.size else math.nan


def goals(targets: Iterable[Target]) -> dict[str, Goal]:
    """What is asked of each metric that a target stands on."""
    found: dict[str, Goal] = {}
    for target in targets:
        found[target.metric] = found.get(target.metric, Goal()).with_target(target)
    return found


class Gathered:
    """The outcomes of all replications of one plan, to be estimated from; observations are pooled once."""

    def __init__(self, outcomes: Outcomes, level: float = LEVEL) -> None:
        self._outcomes = outcomes
        self._level = level
        self._pools: dict[str, Pool] = {}

    def of(self, name: str, entry: Reported) -> Replicated:
        """One reported number, estimated from all replications."""
        return self.all({name: entry})[name]

    def all(self, entries: Mapping[str, Reported]) -> dict[str, Replicated]:
        """Reported numbers by name, all quotients estimated in one go and so all quantiles."""
        first = self._outcomes[0] if self._outcomes else {}
        quotients: dict[str, tuple[str, str | None]] = {}
        quantiles: dict[str, tuple[Pool, float]] = {}
        for name, entry in entries.items():
            key = name if name in first else entry.bound.stem
            if entry.p is not None and isinstance(first.get(key), Sample):
                quantiles[name] = self._pool(key), entry.p
            else:
                quotients[name] = key, entry.statistic
        tops, bottoms = self._parts([*quotients.values()])
        found = dict(zip(quotients, ratios_of(tops, bottoms, self._level), strict=True))
        found |= zip(quantiles, quantiles_of([*quantiles.values()], self._level), strict=True)
        return {name: found[name] for name in entries}

    def _parts(self, wanted: Sequence[tuple[str, str | None]]) -> np.ndarray:
        """Numerators and denominators of statistics of outcomes; shape (2, statistics, replications)."""
        pairs = (
            outcomes[key].quotient(statistic) for key, statistic in wanted for outcomes in self._outcomes
        )
        numbers = np.fromiter(chain.from_iterable(pairs), dtype=float)
        return np.moveaxis(numbers.reshape(len(wanted), len(self._outcomes), 2), -1, 0)

    def _pool(self, key: str) -> Pool:
        if key not in self._pools:
            parts = (outcomes[key] for outcomes in self._outcomes)
            self._pools[key] = Pool.of(part.values for part in parts if isinstance(part, Sample))
        return self._pools[key]


def estimates(scenario: Scenario, outcomes: Outcomes) -> list[Estimate]:
    """Every metric that exists for the scenario, in order of registration.

    Args:
        scenario: What was simulated.
        outcomes: What `measure` found in each replication, in order of replication.

    Raises:
        InputError: If a target or an observed value stands on a metric that does not exist.
    """
    entries, asked = reported(scenario), goals(scenario.targets)
    if misnamed := check_names(scenario, entries):
        raise InputError(*(wrong.fault for wrong in misnamed))
    replicated, unsteady = Gathered(outcomes).all(entries), not_steady(scenario, entries)
    found = []
    for (name, entry), interval in zip(entries.items(), intervals([*replicated.values()]), strict=True):
        goal = asked.get(name)
        if name in unsteady:
            interval = replace(interval, low=math.nan, high=math.nan)  # noqa: PLW2901
        found.append(
            Estimate(
                name=name,
                unit=entry.unit_in(scenario),
                better=entry.bound.metric.better,
                interval=interval,
                target=str(goal) if goal else "",
                verdict=goal.verdict(interval) if goal else "",
                share_of_years=goal.share_met(replicated[name].each) if goal else math.nan,
                steady=name not in unsteady,
            )
        )
    return found


def find(found: Sequence[Estimate], name: str) -> Estimate:
    """The estimate of that full name.

    Raises:
        InputError: If there is none; the message offers the nearest name.
    """
    for estimate in found:
        if estimate.name == name:
            return estimate
    raise InputError(no_such_metric(name, nearest(name, [estimate.name for estimate in found])))


def summary_rows(found: Iterable[Estimate]) -> tuple[list[str], list[list[object]]]:
    """Header and rows of summary.csv."""
    columns = ["metric", "unit", "estimate", "ci_low", "ci_high", "sd", "n", "better", "target", "verdict"]
    rows: list[list[object]] = [
        [one.name, one.unit, i.estimate, i.low, i.high, i.sd, i.n, one.better, one.target, one.verdict]
        for one in found
        for i in [one.interval]
    ]
    return columns, rows


def replication_rows(outcomes: Outcomes) -> tuple[list[str], list[list[object]]]:
    """Header and rows of replications.csv: what estimates are made of, numerators and denominators apart."""
    columns = ["replication"]
    for name, outcome in (outcomes[0] if outcomes else {}).items():
        columns += [f"{name}{suffix}" for suffix in _columns(outcome)]
    rows: list[list[object]] = [
        [index, *(cell for outcome in row.values() for cell in _columns(outcome).values())]
        for index, row in enumerate(outcomes)
    ]
    return columns, rows


def _columns(outcome: Outcome) -> dict[str, float]:
    match outcome:
        case Value(value):
            return {"": value}
        case Ratio(numerator, denominator):
            return {":numerator": numerator, ":denominator": denominator}
        case Sample(values):
            return {":sum": float(values.sum()), ":count": float(values.size)}
