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


# The program: all levels of its own together

PARTS_OF_COST = {
    "payroll": "Salaries of all posts and their benefits, for the days of the window.",
    "service_cost": "What services cost besides hours, each time that they are delivered.",
    "overhead": "A share s of all cost, s ÷ (1 − s) of payroll and service cost; or its yearly amount, for the "
    "days of the window.",
    "cost": "Payroll, service cost and overhead.",
}


def _total(part: str, window: Window) -> Value:
    return Value(getattr(_books(window), part))


for _part, _definition in PARTS_OF_COST.items():
    metric(
        f"program.{_part}",
        statistics=("total",),
        unit="{currency}",
        better="lower",
        definition=_definition,
        where=_has_cost,
    )(partial(_total, _part))


@metric(
    "program.attended_days",
    statistics=("total",),
    unit="days",
    definition="Days attended in the program's own levels: days with a session attended; for a stay in days, "
    "the first `days_per_week` open days of each week in care × attendance.",
    where=_has_own_level,
)
def _attended_days(window: Window) -> Value:
    return Value(float(_books(window).days.sum()))


@metric(
    "program.cost.per_attended_day",
    unit="{currency}/day",
    better="lower",
    definition="All cost of the program ÷ attended days.",
    where=_has_cost,
)
def _cost_per_attended_day(window: Window) -> Ratio:
    books = _books(window)
    return Ratio(books.cost, float(books.days.sum()))


@metric(
    "program.cost.per_episode",
    unit="{currency}/episode",
    better="lower",
    definition="Cost of the stays of S: the days that they attend until the end of the run-out, at the cost per "
    "attended day in the window, ÷ stays of S. A stay in one own level is an episode.",
    where=_has_cost,
)
def _cost_per_episode(window: Window) -> Ratio:
    books = _books(window)
    return Ratio(books.episodes(books.cohort), float(books.cohort.sum()))


@metric(
    "program.cost.per_completed_episode",
    unit="{currency}/episode",
    better="lower",
    definition="Cost of all stays of S, as in `program.cost.per_episode`, ÷ those of S that completed: what it "
    "takes to get one patient through the program.",
    where=_has_cost,
)
def _cost_per_completed_episode(window: Window) -> Ratio:
    books = _books(window)
    completed = books.cohort & window.outcomes["completed"]
    return Ratio(books.episodes(books.cohort), float(completed.sum()))


@metric(
    "program.revenue",
    statistics=("total",),
    unit="{currency}",
    better="higher",
    definition="Attended days in own levels × what the patient's payer pays for a day in the level.",
    where=_has_revenue,
)
def _revenue(window: Window) -> Value:
    return Value(float(_books(window).revenue.sum()))


@metric(
    "program.revenue.per_attended_day",
    unit="{currency}/day",
    better="higher",
    definition="Revenue ÷ attended days.",
    where=_has_revenue,
)
def _revenue_per_attended_day(window: Window) -> Ratio:
    books = _books(window)
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
    books = _books(window)
    return Value(float(books.revenue.sum()) - books.cost)


def _margin_by(table: str, window: Window, **names: str) -> Value:
    """Revenue less cost of the patients of one payer, track or source."""
    index = getattr(window.ledger, f"{table}s").index(names[table])
    return Value(_books(window).margin(getattr(window.stays, table) == index))


for _table in ("payer", "track", "source"):
    metric(
        f"program.margin_by_{_table}.<{_table}>",
        unit="{currency}",
        better="higher",
        definition=f"Revenue from the patients of one {_table}, less the cost that falls on them: all cost is "
        "shared by attended days.",
        where=_has_revenue,
    )(partial(_margin_by, _table))


@metric(
    "program.margin_by_group.<group>",
    unit="{currency}",
    better="higher",
    definition="Revenue from the days attended in a group, less the cost that falls on them: all cost is shared "
    "by attended days.",
    where=_group_earns,
)
def _margin_by_group(window: Window, group: str) -> Value:
    return Value(float(_books(window).group_margins[window.ledger.groups.index(group)]))


@metric(
    "group.<group>.break_even_census",
    unit="members",
    better="lower",
    definition="Members at which the group's contribution is zero: cost of a session ÷ (attendance × (revenue of "
    "a day − work for who attends) − services to the member alone, per session). A session costs its "
    "facilitators' hours and its services; an hour, pay and benefits of the FTE that it needs; overhead and "
    "other staff are left out. None if a member costs more than is paid.",
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
    definition="Price of the days in the window in a level bought from outside, in care or held; in an own level, "
    "its share of the program's cost by attended days.",
    where=_level_costs,
)
def _level_cost(window: Window, level: str) -> Value:
    return Value(float(_books(window).system_cost[window.in_level(level)].sum()))


@metric(
    "<level>.held_cost",
    statistics=("total",),
    unit="{currency}",
    better="lower",
    definition="Price of the days in the window on which a place bought from outside was held for somebody whose "
    "treatment there had ended or was suspended; part of the level's cost.",
    where=_is_bought,
)
def _level_held_cost(window: Window, level: str) -> Value:
    return Value(float(_books(window).bought.held[window.in_level(level)].sum()))


def _source(window: Window, source: str) -> Bools:
    mask: Bools = window.stays.source == window.ledger.sources.index(source)
    return mask


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
    return Value(float(_books(window).system_cost[_source(window, source)].sum()))


@metric(
    "<source>.system_cost.per_referral",
    unit="{currency}/referral",
    better="lower",
    definition="System cost of a source's patients in the window ÷ its referrals in the window.",
    where=_system_costs,
)
def _system_cost_per_referral(window: Window, source: str) -> Ratio:
    referred = _source(window, source) & window.inside(window.stays.referred)
    return Ratio(_system_cost(window, source).value, float(referred.sum()))


# Inpatient care beside it: arithmetic on an assumption, not an effect that was estimated


def _assumed(window: Window) -> InpatientAlternative:
    assumption = window.scenario.money.inpatient_alternative
    assert assumption is not None, "metrics of the alternative exist only where it is stated"
    return assumption


def _alternative(window: Window) -> Alternative:
    from iopsim.measures.books import alternative

    assumed = _assumed(window)
    return alternative(window, assumed.for_, assumed.stay_days * assumed.cost_per_day)


def _of_alternative(
    name: str,
    *statistics: str,
    unit: str,
    better: Better,
    definition: str,
    where: Callable[[Scenario, Names], bool] = _has_alternative_and_cost,
) -> Callable[[Compute], Compute]:
    """Register a metric of the comparison, with what is assumed said first."""
    return metric(
        f"alternative.{name}",
        statistics=statistics,
        unit=unit,
        better=better,
        definition=f"If inpatient care was the alternative for the share `divertible` of starters: {definition}",
        where=where,
    )
