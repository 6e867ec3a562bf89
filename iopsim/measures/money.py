"""Money: what the program costs and earns in all its own levels together.

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
    from iopsim.measures.window import Window
    from iopsim.scenario.schema import Scenario

__all__ = [
    "earns",
    "has_cost",
    "has_revenue",
    "program_books",
]  # the metrics are reached through the registry


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


def earns(scenario: Scenario, name: str) -> bool:
    """Whether somebody pays for days in a level of the program's own."""
    return scenario.levels[name].is_own and name in scenario.money.revenue


def has_revenue(scenario: Scenario, names: Names) -> bool:
    """Whether somebody pays for days in the program."""
    return any(earns(scenario, name) for name in scenario.levels)


def _level_earns(scenario: Scenario, names: Names) -> bool:
    return earns(scenario, names["level"])


def _can_be_too_few(scenario: Scenario, names: Names) -> bool:
    prices = scenario.money.revenue.get(names["level"], {}).values()
    return any(isinstance(pay, tuple) for pay in prices)


def _can_be_short(scenario: Scenario, names: Names) -> bool:
    return _level_earns(scenario, names) and scenario.money.billing.hours_per_day_at_least > 0


def _can_be_unpaid(scenario: Scenario, names: Names) -> bool:
    return _level_earns(scenario, names) and (
        can_lapse(scenario, names) or _can_be_short(scenario, names) or _can_be_too_few(scenario, names)
    )


def _has_weekly_minimum(scenario: Scenario, names: Names) -> bool:
    level = scenario.levels[names["level"]]
    return _level_earns(scenario, names) and bool(level.hours_per_week_at_least)


def _has_denials(scenario: Scenario, names: Names) -> bool:
    return has_revenue(scenario, names) and scenario.money.billing.claims_denied > 0


# What is spent

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
}


def _total(part: str, window: Window) -> Value:
    return Value(program_books(window).cost_of(part))


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
    "program.cost",
    statistics=("total",),
    unit="{currency}",
    better="lower",
    definition="Payroll, cover, rooms, service cost and overhead, at the prices of the day.",
    where=has_cost,
)
def _cost(window: Window) -> Value:
    return Value(program_books(window).cost)


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


# What is earned


@metric(
    "program.revenue",
    statistics=("total",),
    unit="{currency}",
    better="higher",
    definition="What the attended days in own levels earn, claims denied taken off. A day earns the payer's price in "
    "the level for the services of the day; nothing if it is unpaid (`<level>.unpaid_days`); `below_minimum` if the "
    "phase has too few hours a week (`<level>.below_minimum_days`).",
    where=has_revenue,
)
def _revenue(window: Window) -> Value:
    return Value(float(program_books(window).revenue.sum()))


@metric(
    "program.claims_denied",
    statistics=("total",),
    unit="{currency}",
    better="lower",
    definition="What is billed and not paid: the share of claims that is denied, an expected value that is not drawn.",
    where=_has_denials,
)
def _claims_denied(window: Window) -> Value:
    rows = program_books(window).claims
    return Value(float(rows.billed.sum() - rows.paid.sum()))


@metric(
    "program.revenue.per_attended_day",
    unit="{currency}/day",
    better="higher",
    definition="Revenue ÷ attended days.",
    where=has_revenue,
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
    where=has_revenue,
)
def _margin(window: Window) -> Value:
    books = program_books(window)
    return Value(float(books.revenue.sum()) - books.cost)


@metric(
    "program.loss",
    statistics=("share",),
    unit="share",
    better="lower",
    definition="Chance of a loss: share of the simulated years (measured windows, one a replication) in which the cost "
    "of the program is above its revenue.",
    where=has_revenue,
)
def _loss(window: Window) -> Value:
    books = program_books(window)
    return Value(float(books.revenue.sum() < books.cost))


# Days that are not paid, or not as a whole


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
    from iopsim.measures.coverage import uncovered_days

    return Value(float(uncovered_days(window)[window.in_level(level)].sum()))


def _days_paid(window: Window, level: str, *payments: str) -> Value:
    from iopsim.measures.accounts import Payment
    from iopsim.measures.books import days_by_payment

    here = days_by_payment(window)[window.ledger.levels.index(level)]
    return Value(float(here[[Payment[payment] for payment in payments]].sum()))


@metric(
    "<level>.unpaid_days",
    statistics=("total",),
    unit="days",
    better="lower",
    definition="Attended days in the window that earn nothing for what they were: uncovered, else short, else with "
    "fewer services than the payer's first tier. Days of payers who pay nothing for the level are not among them.",
    where=_can_be_unpaid,
)
def _unpaid_days(window: Window, level: str) -> Value:
    return _days_paid(window, level, "UNCOVERED", "SHORT", "TOO_FEW")


@metric(
    "<level>.short_days",
    statistics=("total",),
    unit="days",
    better="lower",
    definition="Attended days in the window that are covered and earn nothing because the sessions attended and the "
    "visits of the day take less than `hours_per_day_at_least`. In places a session takes `hours_per_day`; where the "
    "level says none, no day is short.",
    where=_can_be_short,
)
def _short_days(window: Window, level: str) -> Value:
    return _days_paid(window, level, "SHORT")


@metric(
    "<level>.below_minimum_days",
    statistics=("total",),
    unit="days",
    better="lower",
    definition="Attended days in the window that earn `below_minimum` in place of the payer's price, because the phase "
    "has fewer scheduled hours a week than `hours_per_week_at_least`: days a week of the seat then held × hours of "
    "its group, or in places `days_per_week` × `hours_per_day`. Days that would earn nothing anyway are not of them.",
    where=_has_weekly_minimum,
)
def _below_minimum_days(window: Window, level: str) -> Value:
    return _days_paid(window, level, "REDUCED")
