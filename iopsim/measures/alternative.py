"""Inpatient care beside the program: arithmetic on an assumption, not an effect that was estimated (model.md §9)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iopsim.measures.money import has_cost, program_books
from iopsim.measures.registry import Names, Ratio, Value, metric

if TYPE_CHECKING:
    from iopsim.measures.books import Alternative
    from iopsim.measures.window import Window
    from iopsim.scenario.schema import InpatientAlternative, Scenario

__all__: list[str] = []  # the metrics are reached through the registry


def _has_alternative(scenario: Scenario, names: Names) -> bool:
    return scenario.money.inpatient_alternative is not None


def _has_alternative_and_cost(scenario: Scenario, names: Names) -> bool:
    return _has_alternative(scenario, names) and has_cost(scenario, names)


def _assumed(window: Window) -> InpatientAlternative:
    assumption = window.scenario.money.inpatient_alternative
    assert assumption is not None, "metrics of the alternative exist only where it is stated"
    return assumption


def _alternative(window: Window) -> Alternative:
    from iopsim.measures.books import alternative

    return alternative(window, _assumed(window))


@metric(
    "alternative.cost",
    statistics=("total",),
    unit="{currency}",
    definition="If the share `divertible` of starters would otherwise be inpatients: the cost of that "
    "care, starters × share × days × cost per day. Starters are the patients of the sources concerned who "
    "are in S, each once.",
    where=_has_alternative,
)
def _alternative_cost(window: Window) -> Value:
    return Value(_alternative(window).diverted)


@metric(
    "alternative.saving",
    statistics=("total",),
    unit="{currency}",
    better="higher",
    definition="If the share `divertible` of starters would otherwise be inpatients: the cost of that "
    "care, less the cost of the stays of all starters in the program. Below 0 the program costs more than "
    "it saves.",
    where=_has_alternative_and_cost,
)
def _alternative_saving(window: Window) -> Value:
    care = _alternative(window)
    return Value(care.diverted - care.program)


@metric(
    "alternative.break_even_share",
    unit="share",
    better="lower",
    definition="If this share of starters would otherwise be inpatients, the program saves what it costs: "
    "cost of the starters' stays in the program ÷ cost of an inpatient episode for each. Above 1 it never "
    "does.",
    where=_has_alternative_and_cost,
)
def _break_even_share(window: Window) -> Ratio:
    care = _alternative(window)
    return Ratio(care.program, care.inpatient)


@metric(
    "alternative.difference.per_day",
    unit="{currency}/day",
    better="higher",
    definition="If a starter would otherwise be an inpatient: cost of an inpatient day less that of an "
    "attended day in the program.",
    where=_has_alternative_and_cost,
)
def _difference_per_day(window: Window) -> Ratio:
    books, days = program_books(window), float(program_books(window).days.sum())
    return Ratio(_assumed(window).cost_per_day * days - books.cost, days)


@metric(
    "alternative.difference.per_episode",
    unit="{currency}/episode",
    better="higher",
    definition="If a starter would otherwise be an inpatient: cost of an inpatient episode less the mean "
    "cost of a starter's stays in the program.",
    where=_has_alternative_and_cost,
)
def _difference_per_episode(window: Window) -> Ratio:
    care = _alternative(window)
    return Ratio(care.inpatient - care.program, care.starters)
