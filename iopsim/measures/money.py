"""Money: what the program costs and earns, its price in the whole system, and inpatient care beside it.

The arithmetic is in `books`. Amounts are those of the measured window, in the scenario's currency (model.md §9).
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from iopsim.measures.registry import Better, Compute, Names, Ratio, Value, metric

if TYPE_CHECKING:
    from collections.abc import Callable

    from iopsim.measures.books import Alternative, Books
    from iopsim.measures.window import Bools, Window
    from iopsim.scenario.levels import Level
    from iopsim.scenario.schema import InpatientAlternative, Scenario

__all__: list[str] = []  # the metrics are reached through the registry


def _books(window: Window) -> Books:
    from iopsim.measures.books import books

    return books(window)


# Where a metric makes sense: what a scenario prices nothing of has no metric


def _has_own_level(scenario: Scenario, names: Names) -> bool:
    return any(level.is_own for level in scenario.levels.values())


def _has_cost(scenario: Scenario, names: Names) -> bool:
    return _has_own_level(scenario, names) and (
        any(role.posts and role.salary_per_year for role in scenario.staff.values())
        or any(service.cost for service in scenario.services.values())
        or bool(scenario.money.overhead_per_year)
    )


def _earns(scenario: Scenario, name: str) -> bool:
    return scenario.levels[name].is_own and name in scenario.money.revenue


def _has_revenue(scenario: Scenario, names: Names) -> bool:
    return any(_earns(scenario, name) for name in scenario.levels)


def _group_earns(scenario: Scenario, names: Names) -> bool:
    return any(
        _earns(scenario, name) and names["group"] in level.groups for name, level in scenario.levels.items()
    )


def _is_bought(scenario: Scenario, names: Names) -> bool:
    return not scenario.levels[names["level"]].is_own


def _level_costs(scenario: Scenario, names: Names) -> bool:
    return _is_bought(scenario, names) or _has_cost(scenario, names)


def _system_costs(scenario: Scenario, names: Names) -> bool:
    return any(_level_costs(scenario, {"level": level}) for level in scenario.levels)


def _has_alternative(scenario: Scenario, names: Names) -> bool:
    return scenario.money.inpatient_alternative is not None


def _has_alternative_and_cost(scenario: Scenario, names: Names) -> bool:
    return _has_alternative(scenario, names) and _has_cost(scenario, names)
