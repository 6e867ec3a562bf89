"""What a group contributes: its revenue less the cost of its sessions and of the work for its members (model.md §9).

Hours cost the pay and benefits of the FTE that they need; overhead and all other staff are left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from iopsim.measures.books import parts
from iopsim.measures.planned import spell_at
from iopsim.measures.tables import Floats, Ints, sums
from iopsim.measures.window import remembered
from iopsim.measures.work import deliveries
from iopsim.model.ledger import Cause

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from iopsim.measures.window import Window
    from iopsim.scenario.schema import Scenario

__all__ = ["Contributions", "contributions"]

DAYS_PER_YEAR = 365


class Contributions(NamedTuple):
    """What the groups earned and cost in the window; shape (groups,).

    Attributes:
        members: Revenue, less the work that those who attend make and the services to members alone.
        sessions: Hours of the facilitators, and what services add to each session.
        held: How many sessions.
        expected: Member-sessions.
    """

    members: Floats
    sessions: Floats
    held: Floats
    expected: Floats

    @property
    def total(self) -> Floats:
        """What is left of the revenue."""
        return self.members - self.sessions

    @property
    def break_even_census(self) -> Floats:
        """Members at a session whose contribution pays for it; NaN if a member costs more than is paid."""
        pays = self.members > 0
        census = np.full(len(pays), np.nan)
        a_session, a_member = self.sessions[pays] / self.held[pays], self.members[pays] / self.expected[pays]
        census[pays] = a_session / a_member
        return census


@remembered
def contributions(window: Window) -> Contributions:
    """What every group contributed, at the prices of the day."""
    ledger, prices = window.ledger, _prices(window)
    held = np.flatnonzero((ledger.session_cause == Cause.HELD) & window.inside(ledger.session_time))
    group, groups = ledger.session_group[held], len(ledger.groups)
    plan = spell_at(window.spells, ledger.session_time[held])
    work = sums(group, window.attended_by_session[held] * prices.attendee[plan, group], groups)
    return Contributions(
        members=parts(window, "group").revenue - work - _member_cost(window),
        sessions=sums(group, prices.session[plan, group], groups),
        held=sums(group, np.ones(len(group)), groups),
        expected=sums(group, ledger.session_enrolled[held], groups),
    )


class _Prices(NamedTuple):
    """What a session costs whoever comes, and what each who comes adds; shape (plans, groups)."""

    session: NDArray[np.float64]
    attendee: NDArray[np.float64]


@remembered
def _prices(window: Window) -> _Prices:
    ledger = window.ledger
    session, attendee = np.zeros((2, len(window.spells), len(ledger.groups)))
    for number, spell in enumerate(window.spells):
        hour = _hour_costs(spell.plan)
        for level in spell.plan.levels.values():
            for name, group in level.groups.items():
                facilitators = group.facilitators.items()
                session[number, ledger.groups.index(name)] += group.hours * sum(
                    n * hour[role] for role, n in facilitators
                )
        for service in spell.plan.services.values():
            if service.per == "session":
                groups = [group for level in service.levels for group in spell.plan.levels[level].groups]
                places = [ledger.groups.index(group) for group in groups]
                an_hour = hour[service.role]
                session[number, places] += service.cost + service.indirect_minutes / 60 * an_hour
                attendee[number, places] += service.indirect_minutes_per_patient / 60 * an_hour
    return _Prices(session, attendee)


def _hour_costs(plan: Scenario) -> dict[str, float]:
    """Pay and benefits for one hour of work of each role: an FTE's of a week ÷ the hours that it can book in it."""
    week = (1 + plan.money.benefits) * 7 / DAYS_PER_YEAR
    return {
        name: role.salary_per_year * week / role.bookable_hours_per_fte for name, role in plan.staff.items()
    }


@remembered
def _member_cost(window: Window) -> Floats:
    """Cost of what was delivered to the members of each group alone; shape (groups,).

    A stay's visits are spread evenly over the sessions that it was expected at.
    """
    rows, spells, groups = window.attendance, window.spells, len(window.ledger.groups)
    hours = [_hour_costs(spell.plan) for spell in spells]
    given_to, costs = [np.empty(0, np.int64)], [np.empty(0)]
    for name, service in window.scenario.services.items():
        if service.per != "session":
            given = deliveries(window, name)
            plan: Ints = spell_at(spells, given.time)
            price = np.array([spell.plan.services[name].cost for spell in spells])
            hour = np.array([of[service.role] for of in hours])
            given_to.append(given.stay)
            costs.append(price[plan] + given.hours * hour[plan])
    cost = sums(np.concatenate(given_to), np.concatenate(costs), len(window.stays.level))
    expected, _ = window.member_sessions
    a_session = np.divide(cost, expected, out=np.zeros(len(cost)), where=expected > 0)
    group = np.where(window.inside(window.ledger.session_time), window.ledger.session_group, groups)
    return sums(group[rows.session], a_session[rows.stay], groups + 1)[:groups]
