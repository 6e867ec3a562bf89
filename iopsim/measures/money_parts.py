"""Money by part: cost, revenue and margin of payers, tracks, sources, groups and roles.

Cost is shared by attended days, so the parts of a kind sum to the whole. Days in places are in no group: what the
groups leave is theirs.
Source: model.md §9.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from iopsim.measures.money import earns, has_cost, has_revenue, program_books
from iopsim.measures.registry import Better, Names, Value, metric

if TYPE_CHECKING:
    from collections.abc import Callable

    from iopsim.measures.window import Window
    from iopsim.scenario.schema import Scenario

__all__: list[str] = []  # the metrics are reached through the registry


def _level_of(scenario: Scenario, names: Names) -> str:
    return next(name for name, level in scenario.levels.items() if names["group"] in level.groups)


def _group_costs(scenario: Scenario, names: Names) -> bool:
    return has_cost(scenario, names) and scenario.levels[_level_of(scenario, names)].is_own


def _group_earns(scenario: Scenario, names: Names) -> bool:
    return earns(scenario, _level_of(scenario, names))


def _role_costs(scenario: Scenario, names: Names) -> bool:
    role = scenario.staff[names["role"]]
    return has_cost(scenario, names) and bool(
        (role.posts and role.salary_per_year)
        or role.cover_per_hour
        or any(service.cost and service.role == names["role"] for service in scenario.services.values())
    )


def _part(table: str, what: str, window: Window, **names: str) -> Value:
    from iopsim.measures.books import parts

    number = getattr(window.ledger, f"{table}s").index(names[table])
    return Value(float(getattr(parts(window, table), what)[number]))


_WHAT: tuple[tuple[str, Better, Callable[[Scenario, Names], bool], str], ...] = (
    ("revenue", "higher", has_revenue, "Revenue from {}."),
    ("cost", "lower", has_cost, "Share of all cost that falls on {}: attended days × cost per attended day."),
    ("margin", "higher", has_revenue, "Revenue from {}, less the share of all cost that falls on them."),
)
_GROUP = "the days attended in a group (a day with sessions of two is the first one's)"
_REST = " Days in places have no group: theirs is what the groups leave of the whole."
for _what, _better, _where, _definition in _WHAT:
    for _table in ("payer", "track", "source"):
        metric(
            f"program.{_what}_by_{_table}.<{_table}>",
            unit="{currency}",
            better=_better,
            definition=_definition.format(f"the attended days of the patients of one {_table}"),
            where=_where,
        )(partial(_part, _table, _what))
    metric(
        f"program.{_what}_by_group.<group>",
        unit="{currency}",
        better=_better,
        definition=_definition.format(_GROUP) + _REST,
        where=_group_costs if _what == "cost" else _group_earns,
    )(partial(_part, "group", _what))


@metric(
    "program.cost_by_role.<role>",
    unit="{currency}",
    better="lower",
    definition="Payroll of a role, cover for it, and what its services cost besides hours. With rooms and overhead, "
    "which no role causes, the roles sum to all cost.",
    where=_role_costs,
)
def _cost_by_role(window: Window, role: str) -> Value:
    return Value(float(program_books(window).spent[:, window.ledger.roles.index(role)].sum()))


# What a group adds


@metric(
    "group.<group>.contribution",
    unit="{currency}",
    better="higher",
    definition="Revenue from the days attended in a group, less the cost of its sessions (facilitators' hours and "
    "services) and of the work and services for its members. Hours cost the pay and benefits of the FTE that they "
    "need; overhead and other staff are left out.",
    where=_group_earns,
)
def _contribution(window: Window, group: str) -> Value:
    from iopsim.measures.contribution import contributions

    return Value(float(contributions(window).total[window.ledger.groups.index(group)]))


@metric(
    "group.<group>.break_even_census",
    unit="members",
    better="lower",
    definition="Members at whom the group's contribution is zero: cost of a session (its facilitators' "
    "hours and services) ÷ (attendance × (revenue of a day − work for who attends) − services to the "
    "member alone, per session). Hours cost the pay and benefits of the FTE that they need; overhead and "
    "other staff are left out. There is none if a member costs more than is paid.",
    where=_group_earns,
)
def _break_even_census(window: Window, group: str) -> Value:
    from iopsim.measures.contribution import contributions

    return Value(float(contributions(window).break_even_census[window.ledger.groups.index(group)]))
