"""The names that are reported for a scenario, and those in it that are not among them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from iopsim.errors import Fault
from iopsim.measures.registry import Bound, bound

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from iopsim.scenario.schema import Scenario

__all__ = ["Misnamed", "Reported", "check_names", "nearest", "no_such_metric", "reported"]


class Reported(NamedTuple):
    """One reported number: a metric for given names, and which of its statistics (None: it has only one)."""

    bound: Bound
    statistic: str | None

    @property
    def p(self) -> float | None:
        """0.9 for `p90`; None unless the statistic is a percentile."""
        percent = (self.statistic or "").removeprefix("p")
        return int(percent) / 100 if percent.isdigit() else None

    def unit_in(self, scenario: Scenario) -> str:
        """Its unit, money in the scenario's currency."""
        return self.bound.metric.unit.replace("{currency}", scenario.currency)


class Misnamed(NamedTuple):
    """A metric that does not exist: where it stands in the scenario, what was written, what may be meant."""

    path: tuple[str | int, ...]
    name: str
    suggestion: str | None

    @property
    def fault(self) -> Fault:
        """The same as an error for planners; who knows the file adds the mark."""
        return no_such_metric(self.name, self.suggestion, ".".join(map(str, self.path)))


def reported(scenario: Scenario) -> dict[str, Reported]:
    """Every reported number of a scenario by its full name, in order of registration."""
    return {
        name: Reported(entry, statistic)
        for entry in bound(scenario)
        for name, statistic in zip(entry.full_names, entry.metric.statistics or (None,), strict=True)
    }


def nearest(name: str, names: Iterable[str]) -> str | None:
    """The name that may be meant: the one written without its statistic, or misspelled; None if none is."""
    from difflib import get_close_matches

    known = list(names)
    longer = (one for one in known if one.startswith(f"{name}."))
    return next(longer, None) or next(iter(get_close_matches(name, known, n=1)), None)


def no_such_metric(name: str, suggestion: str | None, path: str = "", owner: str = "this scenario") -> Fault:
    """The error that a metric does not exist, with the name that may be meant or where to look."""
    hint = f' (did you mean "{suggestion}"?)' if suggestion else "; `iopsim metrics` lists those that exist"
    return Fault("unknown-metric", f'{owner} has no metric "{name}"{hint}', path)


def check_names(scenario: Scenario, known: Mapping[str, Reported] | None = None) -> list[Misnamed]:
    """What is named in targets, observed values and the rule of replications and is no metric of this scenario.

    Args:
        scenario: Where the names stand.
        known: What `reported` gives for it, where that is at hand.
    """
    known = reported(scenario) if known is None else known
    rule = scenario.run.rule
    written: list[tuple[tuple[str | int, ...], str]] = [
        *((("run", "replications", "of", index), name) for index, name in enumerate(rule.of if rule else ())),
        *((("targets", index, "metric"), target.metric) for index, target in enumerate(scenario.targets)),
        *((("observed", name), name) for name in scenario.observed),
    ]
    return [Misnamed(path, name, nearest(name, known)) for path, name in written if name not in known]
