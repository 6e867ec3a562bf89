"""The books of one replication: what the program spent and earned in the window, and on whose days.

All cost is shared by the attended days of the program's own levels alike. Levels with a price are bought from
outside: they stand in no total of the program, only in the system view.
Source: model.md §9.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from iopsim.measures.coverage import uncovered
from iopsim.measures.posts import posts
from iopsim.measures.tables import Bools, Floats, sums
from iopsim.measures.window import remembered
from iopsim.measures.work import cover_hours, deliveries

if TYPE_CHECKING:
    from iopsim.measures.window import Window
    from iopsim.scenario.groups import Group
    from iopsim.scenario.schema import InpatientAlternative, Scenario

__all__ = ["Alternative", "Books", "alternative", "books", "break_even_census"]

DAYS_PER_YEAR = 365


class Bought(NamedTuple):
    """Price of the days of each stay in levels from outside, 0 in own ones; shape (stays,)."""

    all: Floats
    held: Floats


@dataclass(frozen=True, kw_only=True)
class Books:
    """Money and attended days of the window. Arrays have one entry per stay, unless it says otherwise.

    Attributes:
        payroll, cover_cost, room_cost, service_cost, overhead: All that the program spent.
        own: Whether the stay is in one of the program's own levels.
        days: Days attended in own levels.
        revenue: What these days earned, those that no payer covers nothing.
        group_days, group_revenue: The same by group; shape (groups,).
        cohort: S: stays that started care in an own level in the window.
        cohort_days: Days attended from the start of the window to the end of the run-out, all those of S.
        bought: What days in levels from outside cost, and which part of it paid for held places.
    """

    payroll: float
    cover_cost: float
    room_cost: float
    service_cost: float
    overhead: float
    own: Bools
    days: Floats
    revenue: Floats
    group_days: Floats
    group_revenue: Floats
    cohort: Bools
    cohort_days: Floats
    bought: Bought

    @property
    def cost(self) -> float:
        """All cost of the program."""
        return self.payroll + self.cover_cost + self.room_cost + self.service_cost + self.overhead

    @property
    def day_cost(self) -> float:
        """Cost of an attended day; NaN without one."""
        days = float(self.days.sum())
        return self.cost / days if days else np.nan

    @property
    def system_cost(self) -> Floats:
        """What the days of each stay cost: their share of the program's cost, or their price."""
        return np.where(self.own, self.day_cost * self.days, self.bought.all)

    @property
    def group_margins(self) -> Floats:
        """Revenue less share of cost of the days attended in each group; shape (groups,)."""
        return self.group_revenue - self.day_cost * self.group_days

    def margin(self, chosen: Bools) -> float:
        """Revenue less the share of cost of the chosen stays."""
        return float(self.revenue[chosen].sum() - self.day_cost * self.days[chosen].sum())

    def episodes(self, chosen: Bools) -> float:
        """Cost of the whole stays of the chosen part of the cohort, at this window's cost of a day."""
        return float(self.day_cost * self.cohort_days[chosen].sum())


@remembered
def books(window: Window) -> Books:
    """The books of a window, made up once."""
    scenario, stays, rows = window.scenario, window.stays, window.attendance
    own_levels = [name for name, level in scenario.levels.items() if level.is_own]
    nothing = np.zeros(len(stays.level))
    days = sum((window.attended_day_count(level) for level in own_levels), nothing)
    cohort_days = sum(
        (window.attended_day_count(level, window.start, window.horizon) for level in own_levels), nothing
    )
    own = np.isin(stays.level, [window.ledger.levels.index(level) for level in own_levels])
    cohort = own & window.inside(stays.started)
    day_price = _day_prices(window, own_levels)[stays.level, stays.payer]
    came = window.inside(rows.time) & rows.attended & own[rows.stay]
    groups, group = len(window.ledger.groups), rows.group[came]
    unpaid = uncovered(window)
    payroll, cover_cost, room_cost = _payroll(window), _cover_cost(window), _room_cost(window)
    service_cost = _service_cost(window)
    return Books(
        payroll=payroll,
        cover_cost=cover_cost,
        room_cost=room_cost,
        service_cost=service_cost,
        overhead=_overhead(window, payroll + cover_cost + room_cost + service_cost),
        own=own,
        days=days,
        revenue=day_price * (days - unpaid.days),
        group_days=sums(group, np.ones(len(group)), groups),
        group_revenue=sums(group, day_price[rows.stay[came]] * ~unpaid.rows[came], groups),
        cohort=cohort,
        cohort_days=cohort_days,
        bought=_bought(window),
    )


class Alternative(NamedTuple):
    """The starters for whom inpatient care is compared with the program.

    Attributes:
        starters: Patients of the sources concerned in S, each once.
        program: Cost of all stays of theirs in S.
        inpatient: Cost of an inpatient episode for each of them.
        diverted: Cost of an inpatient episode for the share who would have had one.
    """

    starters: int
    program: float
    inpatient: float
    diverted: float


@remembered
def alternative(window: Window, assumed: InpatientAlternative) -> Alternative:
    """Care in the program beside inpatient care, for starters from the sources that the assumption names."""
    money, stays = books(window), window.stays
    sources = [window.ledger.sources.index(source) for source in assumed.for_]
    chosen = money.cohort & np.isin(stays.source, sources)
    starters = len(np.unique(stays.patient[chosen]))
    inpatient = starters * assumed.stay_days * assumed.cost_per_day
    return Alternative(starters, money.episodes(chosen), inpatient, assumed.divertible * inpatient)


@remembered
def break_even_census(window: Window, group: str) -> float:
    """Members at a session of a group whose contribution pays for the session; NaN if none is positive.

    Cost of a session ÷ contribution of a member-session. A session costs the hours of its facilitators and
    what services add to each session. A member-session contributes attendance × (revenue of a day − the work
    that who attends makes) − the services to the member alone, spread over the sessions of the stay. Hours
    cost the pay and benefits of the FTE that they need; overhead and all other staff are left out.
    """
    scenario, number = window.scenario, window.ledger.groups.index(group)
    level = next(name for name, level in scenario.levels.items() if group in level.groups)
    per_session = [
        (service, _hour_cost(scenario, service.role))
        for service in scenario.services.values()
        if service.per == "session" and level in service.levels
    ]
    session = _facilitation_cost(scenario, scenario.levels[level].groups[group]) + sum(
        service.cost + service.indirect_minutes / 60 * hour for service, hour in per_session
    )
    attendee = sum(service.indirect_minutes_per_patient / 60 * hour for service, hour in per_session)
    contribution = (
        books(window).group_revenue[number]
        - attendee * window.sessions.attended[number]
        - _member_cost(window)[number]
    )
    return float(session * window.sessions.expected[number] / contribution) if contribution > 0 else np.nan


# Spending


def _payroll(window: Window) -> float:
    """Pay and benefits of those who hold a post, absent or not; nobody is paid for a vacant one."""

    def paid_fte(name: str, fte: float) -> float:
        return posts(window, name).paid.days(window) / window.length * fte

    pay = sum(paid_fte(name, role.fte) * role.salary_per_year for name, role in window.scenario.staff.items())
    return pay * (1 + window.scenario.money.benefits) * window.length / DAYS_PER_YEAR


def _cover_cost(window: Window) -> float:
    prices = {name: role.cover_per_hour for name, role in window.scenario.staff.items()}
    return sum(price * cover_hours(window, name) for name, price in prices.items() if price)


def _room_cost(window: Window) -> float:
    return sum(room.cost_per_week for room in window.scenario.rooms.values()) * window.weeks


def _service_cost(window: Window) -> float:
    services = window.scenario.services.items()
    return sum(service.cost * len(deliveries(window, name).time) for name, service in services)


def _overhead(window: Window, rest: float) -> float:
    """Overhead beside the `rest` of cost: a share s of all cost is s ÷ (1 − s) of the rest."""
    money = window.scenario.money
    if money.overhead_share_of_cost is not None:
        return rest * money.overhead_share_of_cost / (1 - money.overhead_share_of_cost)
    return (money.overhead_per_year or 0.0) * window.length / DAYS_PER_YEAR


def _bought(window: Window) -> Bought:
    nothing = np.zeros(len(window.stays.level))
    bought = Bought(nothing, nothing)
    for name, level in window.scenario.levels.items():
        if level.cost_per_day is not None:
            price = level.cost_per_day
            care, held = window.calendar_day_count(name, "in_care"), window.calendar_day_count(name, "held")
        elif level.cost_per_attended_day is not None:
            price = level.cost_per_attended_day
            care, held = window.attended_day_count(name), window.held_day_count(name)
        else:
            continue
        bought = Bought(bought.all + price * (care + held), bought.held + price * held)
    return bought


# Earning


def _day_prices(window: Window, own_levels: list[str]) -> Floats:
    """What an attended day earns; shape (levels, payers), 0 where nothing is paid."""
    ledger, revenue = window.ledger, window.scenario.money.revenue
    earning = {level: revenue[level] for level in own_levels if level in revenue}
    paid = [earning.get(level, {}) for level in ledger.levels]
    return np.array([[by_payer.get(payer, 0.0) for payer in ledger.payers] for by_payer in paid])


# The cost of one more


def _hour_cost(scenario: Scenario, role: str) -> float:
    """Pay and benefits for one hour of work: an FTE's of a week ÷ the hours that it can book in it."""
    staff = scenario.staff[role]
    week = staff.salary_per_year * (1 + scenario.money.benefits) * 7 / DAYS_PER_YEAR
    return week / staff.bookable_hours_per_fte


def _facilitation_cost(scenario: Scenario, group: Group) -> float:
    hours = {role: number * group.hours for role, number in group.facilitators.items()}
    return sum(_hour_cost(scenario, role) * worked for role, worked in hours.items())


@remembered
def _member_cost(window: Window) -> Floats:
    """Cost of what was delivered to the members of each group alone; shape (groups,).

    A stay's visits are spread evenly over the sessions that it was expected at.
    """
    scenario, rows = window.scenario, window.attendance
    cost = np.zeros(len(window.stays.level))
    for name, service in scenario.services.items():
        if service.per != "session":
            given = deliveries(window, name)
            each = service.cost + given.hours * _hour_cost(scenario, service.role)
            cost += sums(given.stay, each, len(cost))
    expected, _ = window.member_sessions
    inside = window.inside(rows.time)
    stay = rows.stay[inside]
    return sums(rows.group[inside], cost[stay] / expected[stay], len(window.ledger.groups))
