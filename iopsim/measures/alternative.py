"""Inpatient care beside the program: arithmetic on an assumption, not an effect that was estimated (model.md §9).

Each metric here exists for all sources that the assumption names together, and for each of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from iopsim.measures.money import has_cost, program_books
from iopsim.measures.registry import Better, Compute, Names, Ratio, Value, metric

if TYPE_CHECKING:
    from collections.abc import Callable

    from iopsim.measures.books import Alternative
    from iopsim.measures.window import Window
    from iopsim.scenario.schema import Scenario

__all__: list[str] = []  # the metrics are reached through the registry


def _has_alternative(scenario: Scenario, names: Names) -> bool:
    assumed = scenario.money.inpatient_alternative
    return assumed is not None and ("source" not in names or names["source"] in assumed.for_)


def _has_alternative_and_cost(scenario: Scenario, names: Names) -> bool:
    return _has_alternative(scenario, names) and has_cost(scenario, names)


def _alternative(window: Window, source: str | None) -> Alternative:
    from iopsim.measures.books import alternative

    return alternative(window, source)


def _metric(
    name: str,
    *statistics: str,
    unit: str,
    better: Better = "neither",
    definition: str,
    where: Callable[[Scenario, Names], bool] = _has_alternative_and_cost,
) -> Callable[[Compute], Compute]:
    """Register one function for all sources together, and for each source."""

    def register(compute: Compute) -> Compute:
        for pattern in (f"alternative.{name}", f"<source>.alternative.{name}"):
            metric(
                pattern,
                statistics=statistics,
                unit=unit,
                better=better,
                definition=definition,
                where=where,
            )(compute)
        return compute

    return register


@_metric(
    "cost",
    "total",
    unit="{currency}",
    definition="If the share `divertible` of starters would otherwise be inpatients: what that care would cost, "
    "starters × share × days × saved cost per day (all of it if beds close, otherwise `marginal_share` of it) × "
    "(1 − `outcome_difference`). Starters are the patients of the sources concerned who are in S, each once.",
    where=_has_alternative,
)
def _cost(window: Window, source: str | None = None) -> Value:
    return Value(_alternative(window, source).diverted)


@_metric(
    "saving",
    "total",
    unit="{currency}",
    better="higher",
    definition="If the share `divertible` of starters would otherwise be inpatients: what that care would cost, less "
    "the cost of the stays of all starters in the program. Below 0 the program costs more than it saves.",
)
def _saving(window: Window, source: str | None = None) -> Value:
    care = _alternative(window, source)
    return Value(care.diverted - care.program)


@_metric(
    "break_even_share",
    unit="share",
    better="lower",
    definition="If this share of starters would otherwise be inpatients, the program saves what it costs: "
    "cost of the starters' stays in the program ÷ what an inpatient episode for each would cost. Above 1 it never "
    "does.",
)
def _break_even_share(window: Window, source: str | None = None) -> Ratio:
    care = _alternative(window, source)
    return Ratio(care.program, care.inpatient)


@_metric(
    "difference.per_day",
    unit="{currency}/day",
    better="higher",
    definition="If a starter would otherwise be an inpatient: what an inpatient day would cost (the saved part of its "
    "cost) less the cost of an attended day in the program.",
)
def _difference_per_day(window: Window, source: str | None = None) -> Ratio:
    assumed = window.scenario.money.inpatient_alternative
    assert assumed is not None, "metrics of the alternative exist only where it is stated"
    days = _alternative(window, source).days
    return Ratio((assumed.saved_per_day - program_books(window).day_cost) * days if days else 0.0, days)


@_metric(
    "difference.per_episode",
    unit="{currency}/episode",
    better="higher",
    definition="If a starter would otherwise be an inpatient: what an inpatient episode would cost, × "
    "(1 − `outcome_difference`), less the mean cost of a starter's stays in the program.",
)
def _difference_per_episode(window: Window, source: str | None = None) -> Ratio:
    care = _alternative(window, source)
    return Ratio(care.inpatient - care.program, care.starters)
