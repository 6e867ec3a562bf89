"""The list of metrics: what each is called, means, is measured in, and which way is better.

A metric is one pure function with `@metric(...)`: summary, intervals, comparison, targets and the reference
page follow. Functions see one replication (`Window`) and return what can be combined over replications:

- `Value(x)`: one number a replication; the estimate is the mean over replications, with a t-interval.
- `Ratio(numerator, denominator)`: the estimate is sum over sum, with a jackknife interval.
- `Sample(values)`: `mean` is a ratio (sum over count); `p50`, `p90`, `p95` are quantiles of the values pooled
  over all replications, with jackknife intervals.

This module and those that declare metrics stay light: names can be checked without loading numpy.
"""

from __future__ import annotations

import itertools
import math
import re
import weakref
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from iopsim.measures.window import Window
    from iopsim.scenario.schema import Scenario

__all__ = [
    "Bound",
    "Metric",
    "Outcome",
    "Ratio",
    "Sample",
    "Value",
    "bound",
    "level_metric",
    "measure",
    "metric",
    "registered",
]

Better = Literal["lower", "higher", "neither"]
_PLACEHOLDER = re.compile(r"(\[\.)?<(\w+)>(\])?")


class Value(NamedTuple):
    """One number of one replication."""

    value: float

    def quotient(self, statistic: str | None) -> tuple[float, float]:
        """Numerator and denominator of a statistic, for sums over replications."""
        return self.value, 1.0


class Ratio(NamedTuple):
    """A quotient whose parts are added up over replications before dividing."""

    numerator: float
    denominator: float

    @classmethod
    def share(cls, cohort: NDArray[np.signedinteger], chosen: NDArray[np.bool_]) -> Ratio:
        """The part of a cohort, given by its rows, that a mask marks."""
        return cls(float(chosen[cohort].sum()), float(len(cohort)))

    def quotient(self, statistic: str | None) -> tuple[float, float]:
        """Numerator and denominator of a statistic, for sums over replications."""
        return self.numerator, self.denominator


@dataclass(frozen=True, slots=True)
class Sample:
    """Single observations of one replication, such as the waits of its patients; shape (n,)."""

    values: NDArray[np.float64]

    def quotient(self, statistic: str | None) -> tuple[float, float]:
        """Numerator and denominator of a statistic, for sums over replications."""
        if statistic == "mean":
            return float(self.values.sum()), float(self.values.size)
        if statistic == "max":
            return (float(self.values.max()) if self.values.size else math.nan), 1.0
        raise ValueError(f"a sample has no statistic {statistic}")


Outcome = Value | Ratio | Sample
Compute = Callable[..., Outcome | Mapping[str, Outcome]]
Names = Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Metric:
    """One family of metrics.

    Attributes:
        pattern: Full name without statistic, such as `<level>[.<track>].wait_days`; words in angle brackets
            stand for names of the scenario, what is in square brackets may be left out.
        statistics: What is reported of it, appended to the name; empty when the name is whole.
        unit: Unit of the numbers; `{currency}` stands for the scenario's.
        better: Which direction a planner wants.
        definition: One or two sentences, after metrics.md.
        where: Whether the metric exists for these names in a plan; one that exists from some date on does.
        compute: `compute(window, level="iop", track="mood")` gives its outcome, or one per statistic; a name
            that was left out is None.
    """

    pattern: str
    statistics: tuple[str, ...]
    unit: str
    better: Better
    definition: str
    where: Callable[[Scenario, Names], bool]
    compute: Compute

    def bound(self, stem: str, names: Mapping[str, str | None]) -> Bound:
        """The metric for given names; it reports names such as `iop.wait_days.mean`."""
        full_names = tuple(f"{stem}.{statistic}" for statistic in self.statistics) or (stem,)
        return Bound(self, stem, names, full_names)


@dataclass(frozen=True, slots=True)
class Bound:
    """A metric for given names.

    Attributes:
        stem: Its full name without statistic.
        full_names: With each of its statistics; the stem alone where it has none.
    """

    metric: Metric
    stem: str
    names: Mapping[str, str | None]
    full_names: tuple[str, ...]


_REGISTERED: dict[str, Metric] = {}


def metric(
    pattern: str,
    *,
    statistics: tuple[str, ...] = (),
    unit: str,
    better: Better = "neither",
    definition: str,
    where: Callable[[Scenario, Names], bool] = lambda scenario, names: True,
) -> Callable[[Compute], Compute]:
    """Register the decorated function as a family of metrics."""

    def register(compute: Compute) -> Compute:
        if pattern in _REGISTERED:
            raise ValueError(f"metric {pattern} is registered twice")
        _REGISTERED[pattern] = Metric(
            pattern=pattern,
            statistics=statistics,
            unit=unit,
            better=better,
            definition=definition,
            where=where,
            compute=compute,
        )
        return compute

    return register


def level_metric(
    name: str,
    *statistics: str,
    unit: str,
    better: Better = "neither",
    definition: str,
    where: Callable[[Scenario, Names], bool] = lambda scenario, names: True,
) -> Callable[[Compute], Compute]:
    """Register a metric of a level, for all its patients and for those of each track."""
    return metric(
        f"<level>[.<track>].{name}",
        statistics=statistics,
        unit=unit,
        better=better,
        definition=definition,
        where=where,
    )


def registered() -> Mapping[str, Metric]:
    """All metric families by pattern, in order of registration."""
    # Importing registers, in this order.
    from iopsim.measures import (  # noqa: F401, I001
        access, today, care, groups, money, money_parts, system, alternative, staffing,
    )  # fmt: skip

    return _REGISTERED


_BOUND: dict[int, tuple[weakref.ref[Scenario], tuple[Bound, ...]]] = {}
_REMEMBERED = 100  # scenarios: a sweep may hold thousands


def bound(scenario: Scenario) -> tuple[Bound, ...]:
    """Every metric that exists for a scenario, in order of registration and of the file."""
    # Remembered by identity, for a scenario has no hash and every replication of a plan asks for the same one.
    key = id(scenario)
    whose, found = _BOUND.get(key, (None, ()))
    if whose is None or whose() is not scenario:
        found = tuple(_bound(scenario))
        if len(_BOUND) >= _REMEMBERED:
            del _BOUND[next(iter(_BOUND))]
        _BOUND[key] = weakref.ref(scenario, lambda _: _BOUND.pop(key, None)), found
    return found


def _bound(scenario: Scenario) -> Iterator[Bound]:
    plans = [edition.plan for edition in scenario.editions]
    for entry in registered().values():
        slots = [(name, bool(optional)) for optional, name, _ in _PLACEHOLDER.findall(entry.pattern)]
        choices = [_choices(scenario, name, optional) for name, optional in slots]
        for chosen in itertools.product(*choices):
            names = dict(zip((name for name, _ in slots), chosen, strict=True))
            said = {name: value for name, value in names.items() if value is not None}
            if any(entry.where(plan, said) for plan in plans):
                yield entry.bound(_filled(entry.pattern, names), names)


def measure(window: Window) -> dict[str, Outcome]:
    """All metrics of one replication: `{stem or full name: outcome}`; a Sample stands under its stem."""
    results: dict[str, Outcome] = {}
    for entry in bound(window.scenario):
        outcome = entry.metric.compute(window, **entry.names)
        if isinstance(outcome, Sample):
            results[entry.stem] = outcome
        elif isinstance(outcome, Mapping):
            results |= {f"{entry.stem}.{statistic}": part for statistic, part in outcome.items()}
        else:
            results[entry.full_names[0]] = outcome
    return results


def _choices(scenario: Scenario, name: str, optional: bool) -> list[str | None]:
    from iopsim.measures.possible import missing_sets

    tables: dict[str, Callable[[], list[str]]] = {
        "level": lambda: list(scenario.levels),
        "to": lambda: list(scenario.levels),
        "track": lambda: list(scenario.tracks) if len(scenario.tracks) > 1 else [],
        "source": lambda: list(scenario.sources),
        "payer": lambda: list(scenario.payers),
        "role": lambda: list(scenario.staff),
        "group": lambda: [group for level in scenario.levels.values() for group in level.groups],
        "missing": lambda: missing_sets(scenario),
    }
    return [*([None] if optional else []), *tables[name]()]


def _filled(pattern: str, names: Mapping[str, str | None]) -> str:
    def fill(match: re.Match[str]) -> str:
        value = names[match[2]]
        return "" if value is None else f".{value}" if match[1] else value

    return _PLACEHOLDER.sub(fill, pattern)
