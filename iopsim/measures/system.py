"""Money in the whole system: levels bought from outside too, and the price of places that are held.

Source: model.md §9.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from iopsim.measures.money import has_cost, program_books
from iopsim.measures.registry import Names, Ratio, Value, metric
from iopsim.scenario.parts import HOME

if TYPE_CHECKING:
    from iopsim.measures.bought import HeldFor
    from iopsim.measures.window import Window
    from iopsim.scenario.schema import Scenario

__all__: list[str] = []  # the metrics are reached through the registry


def _is_bought(scenario: Scenario, names: Names) -> bool:
    return not scenario.levels[names["level"]].is_own


def _level_costs(scenario: Scenario, names: Names) -> bool:
    return _is_bought(scenario, names) or has_cost(scenario, names)


def _system_costs(scenario: Scenario, names: Names) -> bool:
    return any(_level_costs(scenario, {"level": level}) for level in scenario.levels)


def _can_hold_for(scenario: Scenario, names: Names) -> bool:
    """Whether a place of the level may be held by somebody who waits for the other one."""
    level, to = scenario.levels[names["level"]], names["to"]
    leaving = [part.leave_early for part in (*level.by.track.values(), *level.by.source.values())]
    steps = [each.step_up for each in (level.leave_early, *leaving) if each is not None and each.step_up]
    return (level.hold_days > 0 and to != HOME and to in level.next) or any(
        step.hold_days > 0 and to in step.to for step in steps
    )


def _bought_place_is_held_for(scenario: Scenario, names: Names) -> bool:
    return _is_bought(scenario, names) and _can_hold_for(scenario, names)


def _of_level(window: Window, level: str) -> int:
    return window.ledger.levels.index(level)


def _of_source(window: Window, source: str) -> float:
    from iopsim.measures.books import system_cost

    return float(system_cost(window, "source")[window.ledger.sources.index(source)])


@metric(
    "system.cost",
    statistics=("total",),
    unit="{currency}",
    better="lower",
    definition="All cost of the program, and the price of the days in care or held in levels bought from outside.",
    where=_system_costs,
)
def _system_total(window: Window) -> Value:
    books = program_books(window)
    return Value(books.cost + float(books.bought.sum()))


@metric(
    "<level>.cost",
    statistics=("total",),
    unit="{currency}",
    better="lower",
    definition="Price of the days in care or held, for a level bought from outside; share of the program's "
    "cost by attended days, for an own one.",
    where=_level_costs,
)
def _level_cost(window: Window, level: str) -> Value:
    from iopsim.measures.books import system_cost

    return Value(float(system_cost(window, "level")[_of_level(window, level)]))


@metric(
    "<source>.system_cost",
    statistics=("total",),
    unit="{currency}",
    better="lower",
    definition="Cost in the window of a source's patients in all levels that they pass through, held days "
    "included: by price in levels bought from outside, by cost per attended day in own ones.",
    where=_system_costs,
)
def _system_cost(window: Window, source: str) -> Value:
    return Value(_of_source(window, source))


@metric(
    "<source>.system_cost.per_referral",
    unit="{currency}/referral",
    better="lower",
    definition="System cost of a source's patients in the window ÷ its referrals in the window.",
    where=_system_costs,
)
def _system_cost_per_referral(window: Window, source: str) -> Ratio:
    referred = window.inside(window.stays.referred)
    referred &= window.stays.source == window.ledger.sources.index(source)
    return Ratio(_of_source(window, source), float(referred.sum()))


# Held places


def _held_for(window: Window) -> HeldFor:
    from iopsim.measures.bought import held_for

    return held_for(window)


@metric(
    "<level>.held_cost",
    statistics=("total",),
    unit="{currency}",
    better="lower",
    definition="Part of the cost of a level bought from outside that paid for held places: their patients' "
    "treatment had ended or was suspended.",
    where=_is_bought,
)
def _held_cost(window: Window, level: str) -> Value:
    return Value(float(_held_for(window).cost[_of_level(window, level)].sum()))


@metric(
    "<level>.held_days_for.<to>",
    unit="days",
    better="lower",
    definition="Patient-days in the window that places of a level are held (blocked) by those who wait for the other "
    "one: part of `<level>.held_days.total`.",
    where=_can_hold_for,
)
def _held_days_for(window: Window, level: str, to: str) -> Value:
    return Value(float(_held_for(window).days[_of_level(window, level), _of_level(window, to)]))


@metric(
    "<level>.held_cost_for.<to>",
    unit="{currency}",
    better="lower",
    definition="Part of `<level>.held_cost.total` that paid for places held by those who wait for the other level.",
    where=_bought_place_is_held_for,
)
def _held_cost_for(window: Window, level: str, to: str) -> Value:
    return Value(float(_held_for(window).cost[_of_level(window, level), _of_level(window, to)]))
