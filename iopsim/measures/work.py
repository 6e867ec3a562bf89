"""Staff work in the measured window: what was delivered when, and the hours that it took by role and week.

Hours come from what took place: a group session takes each facilitator for its length, whether or not a
service describes it, and services add what patients and sessions make besides.
Source: model.md §8.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from iopsim.measures.tables import NONE, Floats, Ints, ranges, sums
from iopsim.measures.window import remembered
from iopsim.model.ledger import Cause

if TYPE_CHECKING:
    from iopsim.measures.window import Bools, Window
    from iopsim.scenario.schema import Service

__all__ = ["Deliveries", "deliveries", "weekly_hours"]


class Deliveries(NamedTuple):
    """What was delivered of one service in the window; shape (n,).

    Attributes:
        time: When, in days.
        stay: To whom; −1 for a service to a session.
        hours: Of the service's role, each time.
    """

    time: Floats
    stay: Ints
    hours: Floats


@remembered
def deliveries(window: Window, name: str) -> Deliveries:
    """Every delivery of a service in the window."""
    service = window.scenario.services[name]
    if service.per == "session":
        return _to_sessions(window, service)
    time, stay = _to_stays(window, service, window.ledger.services.index(name))
    minutes = 0.0 if service.within_group else service.minutes + service.indirect_minutes
    return Deliveries(time, stay, np.full(len(time), minutes / 60))


@remembered
def weekly_hours(window: Window, role: str) -> Floats:
    """Hours of a role in each measured week; shape (weeks,)."""
    hours = _facilitated(window, role)
    for name, service in window.scenario.services.items():
        if service.role == role:
            given = deliveries(window, name)
            hours += sums(window.week_of(given.time), given.hours, window.weeks)
    return hours


def _to_stays(window: Window, service: Service, bit: int) -> tuple[Floats, Ints]:
    """Times and stays of a service to patients, on the calendar set by the start of care.

    What falls due while treatment is suspended, or from its end on, is not delivered and not made up.
    """
    stays = window.stays
    drawn = np.flatnonzero(window.happened(stays.started) & (stays.services >> bit & 1).astype(bool))
    if service.every_weeks is None:
        drawn = drawn[window.inside(stays.started[drawn])]
        return stays.started[drawn], drawn
    started, stop = stays.started[drawn], np.fmin(stays.ended[drawn], window.end)
    every = 7 * service.every_weeks
    # One occurrence too early is left to the mask below, which compares instants instead of quotients.
    first = np.maximum((window.start - started) // every, 0).astype(np.int64)
    size = np.maximum((stop - started) // every + 1 - first, 0).astype(np.int64)
    row = np.repeat(np.arange(len(drawn)), size)
    time, stay = started[row] + every * ranges(first, size), drawn[row]
    suspended = (time >= stays.suspended[stay]) & ~(time >= stays.resumed[stay])
    due = window.inside(time) & (time < stop[row]) & ~suspended
    return time[due], stay[due]


def _to_sessions(window: Window, service: Service) -> Deliveries:
    ledger, rows = window.ledger, window.attendance
    groups = [group for level in service.levels for group in window.scenario.levels[level].groups]
    held = _held(window, groups)
    attended = sums(rows.session, rows.attended, len(held))[held]
    minutes = service.indirect_minutes + service.indirect_minutes_per_patient * attended
    return Deliveries(ledger.session_time[held], np.full(len(minutes), NONE), minutes / 60)


def _facilitated(window: Window, role: str) -> Floats:
    """Hours of a role in front of groups, by week."""
    hours = np.zeros(window.weeks)
    for level in window.scenario.levels.values():
        for name, group in level.groups.items():
            if role in group.facilitators:
                week = window.week_of(window.ledger.session_time[_held(window, [name])])
                hours += group.hours * group.facilitators[role] * np.bincount(week, minlength=window.weeks)
    return hours


def _held(window: Window, groups: list[str]) -> Bools:
    """Mask of the sessions of some groups that took place in the window."""
    ledger = window.ledger
    numbers = [ledger.groups.index(group) for group in groups]
    held: Bools = np.isin(ledger.session_group, numbers) & (ledger.session_cause == Cause.HELD)
    return held & window.inside(ledger.session_time)
