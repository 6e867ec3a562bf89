"""Money: what the program costs and earns, and its price in the whole system.

The arithmetic is in `books`. Amounts are those of the measured window, in the scenario's currency.
Source: model.md §9.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from iopsim.measures.possible import can_lapse
from iopsim.measures.registry import Names, Ratio, Value, metric

if TYPE_CHECKING:
    from collections.abc import Callable

    from iopsim.measures.books import Books
    from iopsim.measures.window import Bools, Window
    from iopsim.scenario.schema import Scenario

__all__ = ["has_cost", "program_books"]  # the metrics are reached through the registry


def program_books(window: Window) -> Books:
    """The books of the window, loaded where they are asked for: this module stays light."""
    from iopsim.measures.books import books

    return books(window)


# Where a metric makes sense: what a scenario prices nothing of has no metric


def _has_own_level(scenario: Scenario, names: Names) -> bool:
    return any(level.is_own for level in scenario.levels.values())


def has_cost(scenario: Scenario, names: Names) -> bool:
    """Whether running the program's own levels costs anything."""
    return _has_own_level(scenario, names) and (
        any(role.posts and role.salary_per_year for role in scenario.staff.values())
        or any(service.cost for service in scenario.services.values())
        or bool(scenario.money.overhead_per_year)
        or _can_be_covered(scenario, names)
        or _rents(scenario, names)
    )


def _can_be_covered(scenario: Scenario, names: Names) -> bool:
    groups = [group for level in scenario.levels.values() for group in level.groups.values()]
    named = {role for group in groups for role in group.facilitators}
    return any(role.cover_per_hour for name, role in scenario.staff.items() if name in named)


def _rents(scenario: Scenario, names: Names) -> bool:
    return any(room.cost_per_week for room in scenario.rooms.values())


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
    return _is_bought(scenario, names) or has_cost(scenario, names)


def _system_costs(scenario: Scenario, names: Names) -> bool:
    return any(_level_costs(scenario, {"level": level}) for level in scenario.levels)


# The program: all levels of its own together

_PARTS_OF_COST: dict[str, tuple[Callable[[Scenario, Names], bool], str]] = {
    "payroll": (
        has_cost,
        "Salaries of all who hold a post, absent or not, and their benefits, for the days of the window.",
    ),
    "cover_cost": (
        _can_be_covered,
        "Cover for group sessions that lacked a facilitator: hours × price of an hour.",
    ),
    "room_cost": (_rents, "Rent of the rooms for the weeks of the window."),
    "service_cost": (has_cost, "What services cost besides hours, each time that they are delivered."),
    "overhead": (
        has_cost,
        "A share s of all cost, which is s ÷ (1 − s) of all the rest; or the yearly amount, for the days of the "
        "window.",
    ),
    "cost": (has_cost, "Payroll, cover, rooms, service cost and overhead."),
}


def _total(part: str, window: Window) -> Value:
    return Value(getattr(program_books(window), part))


for _part, (_where, _definition) in _PARTS_OF_COST.items():
    metric(
        f"program.{_part}",
        statistics=("total",),
        unit="{currency}",
        better="lower",
        definition=_definition,
        where=_where,
    )(partial(_total, _part))


@metric(
    "program.attended_days",
    statistics=("total",),
    unit="days",
    definition="Days attended in the program's own levels: days with a session attended; for a stay in "
    "days, the first `days_per_week` open days of each week in care × attendance.",
    where=_has_own_level,
)
def _attended_days(window: Window) -> Value:
    return Value(float(program_books(window).days.sum()))


@metric(
    "program.cost.per_attended_day",
    unit="{currency}/day",
    better="lower",
    definition="All cost of the program ÷ attended days.",
    where=has_cost,
)
def _cost_per_attended_day(window: Window) -> Ratio:
    books = program_books(window)
    return Ratio(books.cost, float(books.days.sum()))


@metric(
    "program.cost.per_episode",
    unit="{currency}/episode",
    better="lower",
    definition="Days that the stays of S attend until the end of the run-out × cost per attended day in "
    "the window ÷ stays of S. An episode is a stay in one of the program's own levels.",
    where=has_cost,
)
def _cost_per_episode(window: Window) -> Ratio:
    books = program_books(window)
    return Ratio(books.episodes(books.cohort), float(books.cohort.sum()))


@metric(
    "program.cost.per_completed_episode",
    unit="{currency}/episode",
    better="lower",
    definition="Cost of all stays of S, as in `program.cost.per_episode`, ÷ those of S that completed: the "
    "stays that end early are part of what a completed one costs.",
    where=has_cost,
)
def _cost_per_completed_episode(window: Window) -> Ratio:
    books = program_books(window)
    completed = books.cohort & window.outcomes["completed"]
    return Ratio(books.episodes(books.cohort), float(completed.sum()))


@metric(
    "program.revenue",
    statistics=("total",),
    unit="{currency}",
    better="higher",
    definition="Attended days in own levels that the payer covers × what it pays for a day in the level.",
    where=_has_revenue,
)
def _revenue(window: Window) -> Value:
    return Value(float(program_books(window).revenue.sum()))


@metric(
    "<level>.uncovered_days",
    statistics=("total",),
    unit="days",
    better="lower",
    definition="Attended days in the window that no payer covers and that earn nothing: from approved units being "
    "used up until more are approved, or care ends.",
    where=can_lapse,
)
def _uncovered_days(window: Window, level: str) -> Value:
    from iopsim.measures.coverage import uncovered

    return Value(float(uncovered(window).days[window.in_level(level)].sum()))


@metric(
    "program.revenue.per_attended_day",
    unit="{currency}/day",
    better="higher",
    definition="Revenue ÷ attended days.",
    where=_has_revenue,
)
def _revenue_per_attended_day(window: Window) -> Ratio:
    books = program_books(window)
    return Ratio(float(books.revenue.sum()), float(books.days.sum()))


@metric(
    "program.margin",
    statistics=("total",),
    unit="{currency}",
    better="higher",
    definition="Revenue less all cost of the program.",
    where=_has_revenue,
)
def _margin(window: Window) -> Value:
    books = program_books(window)
    return Value(float(books.revenue.sum()) - books.cost)


def _margin_by(table: str, window: Window, **names: str) -> Value:
    """Revenue less cost of the patients of one payer, track or source."""
    index = getattr(window.ledger, f"{table}s").index(names[table])
    return Value(program_books(window).margin(getattr(window.stays, table) == index))


for _table in ("payer", "track", "source"):
    metric(
        f"program.margin_by_{_table}.<{_table}>",
        unit="{currency}",
        better="higher",
        definition=f"Revenue from the patients of one {_table}, less the share of all cost that falls on "
        "their attended days.",
        where=_has_revenue,
    )(partial(_margin_by, _table))


@metric(
    "program.margin_by_group.<group>",
    unit="{currency}",
    better="higher",
    definition="Revenue from the days attended in a group, less the share of all cost that falls on them.",
    where=_group_earns,
)
def _margin_by_group(window: Window, group: str) -> Value:
    return Value(float(program_books(window).group_margins[window.ledger.groups.index(group)]))


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
    from iopsim.measures.books import break_even_census

    return Value(break_even_census(window, group))


# The whole system: levels bought from outside too


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
    return Value(float(program_books(window).system_cost[window.in_level(level)].sum()))


@metric(
    "<level>.held_cost",
    statistics=("total",),
    unit="{currency}",
    better="lower",
    definition="Part of the cost of a level bought from outside that paid for held places: their patients' "
    "treatment had ended or was suspended.",
    where=_is_bought,
)
def _level_held_cost(window: Window, level: str) -> Value:
    return Value(float(program_books(window).bought.held[window.in_level(level)].sum()))


def _source(window: Window, source: str) -> Bools:
    mask: Bools = window.stays.source == window.ledger.sources.index(source)
    return mask


def _cost_of_source(window: Window, source: str) -> float:
    return float(program_books(window).system_cost[_source(window, source)].sum())


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
    return Value(_cost_of_source(window, source))


@metric(
    "<source>.system_cost.per_referral",
    unit="{currency}/referral",
    better="lower",
    definition="System cost of a source's patients in the window ÷ its referrals in the window.",
    where=_system_costs,
)
def _system_cost_per_referral(window: Window, source: str) -> Ratio:
    referred = _source(window, source) & window.inside(window.stays.referred)
    return Ratio(_cost_of_source(window, source), float(referred.sum()))
