"""Staff work in the measured window: what was delivered when, and the hours that it took by role and week.

Hours come from what took place: a group session takes each facilitator for its length, whether or not a
service describes it, an intake appointment takes its time even if nobody shows, supervision goes with filled
posts, and services add what patients and sessions make besides.
Source: model.md §8.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from iopsim.measures.posts import filled_posts, posts
from iopsim.measures.tables import NONE, Floats, Ints, paired, ranges, sums
from iopsim.measures.window import remembered
from iopsim.model.ledger import Cause, Fact

if TYPE_CHECKING:
    from iopsim.measures.window import Bools, Window
    from iopsim.scenario.schema import Scenario, Service

__all__ = [
    "Deliveries",
    "Promptness",
    "booked_hours",
    "cover_hours",
    "deliveries",
    "offered_hours",
    "promptness",
    "weekly_hours",
]

NINE = 9 / 24  # when appointments begin (model.md §6)


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
def deliveries(window: Window, name: str, *, whole: bool = False) -> Deliveries:
    """Every delivery of a service in the window; or in the `whole` run, from opening to its end."""
    service, span = window.scenario.services[name], _span(window, whole)
    if service.per == "session":
        return _to_sessions(window, service, span)
    number = window.ledger.services.index(name)
    time, stay = _given(window, number, span) if service.limits else _due(window, service, number, span)
    minutes = 0.0 if service.within_group else service.minutes + service.indirect_minutes
    return Deliveries(time, stay, np.broadcast_to(minutes / 60, len(time)))


@remembered
def weekly_hours(window: Window, role: str) -> Floats:
    """Hours of a role in each measured week; shape (weeks,)."""
    hours = _facilitated(window, role)
    for name, service in window.scenario.services.items():
        if service.role == role:
            given = deliveries(window, name)
            hours += sums(window.week_of(given.time), given.hours, window.weeks)
    for name, minutes in _supervised_by(window.scenario, role).items():
        hours += filled_posts(window, name) * (minutes / 60)
    time, took = _intake(window, role)
    return hours + sums(window.week_of(time), took, window.weeks) / 60


def _supervised_by(scenario: Scenario, role: str) -> dict[str, float]:
    """Minutes a week for each post of the roles that work under supervision of this one."""
    return {
        name: spec.associate.minutes_per_week
        for name, spec in scenario.staff.items()
        if spec.associate is not None and spec.associate.supervised_by == role
    }


# Services


class _Span(NamedTuple):
    """The time that is looked at: [`start`, `end`) in days."""

    start: float
    end: float

    def holds(self, time: Floats) -> Bools:
        """Whether each time lies in it."""
        inside: Bools = (time >= self.start) & (time < self.end)
        return inside


def _span(window: Window, whole: bool = False) -> _Span:
    if whole:
        return _Span(-7.0 * window.scenario.run.warm_up_weeks, window.horizon)
    return _Span(window.start, window.end)


def _given(window: Window, number: int, span: _Span) -> tuple[Floats, Ints]:
    """Times and stays of a service that waits for hours: when it was given."""
    ledger = window.ledger
    given = (ledger.visit_service == number) & span.holds(ledger.visit_time)
    return ledger.visit_time[given], ledger.visit_stay[given]


def _due(window: Window, service: Service, number: int, span: _Span) -> tuple[Floats, Ints]:
    """Times and stays of a service to patients, on the calendar set by the start of care.

    What falls due while treatment is suspended, or from its end on, is not delivered and not made up. What admission
    waits for is due from admission on.
    """
    stays = window.stays
    drawn = np.flatnonzero(window.happened(stays.started) & stays.gets(number)).astype(np.int32)
    if service.every_weeks is None:
        due = stays.admitted if service.limits == "admission" else stays.started
        drawn = drawn[span.holds(due[drawn])]
        return due[drawn], drawn
    started, stop = stays.started[drawn], np.fmin(stays.ended[drawn], span.end)
    every = 7 * service.every_weeks
    # One occurrence too early is left to the mask below, which compares instants instead of quotients.
    first = np.maximum((span.start - started) // every, 0).astype(np.int64)
    size = np.maximum((stop - started) // every + 1 - first, 0).astype(np.int64)
    row = np.repeat(np.arange(len(drawn)), size)
    time, stay = started[row] + every * ranges(first, size), drawn[row]
    suspended = (time >= stays.suspended[stay]) & ~(time >= stays.resumed[stay])
    owed = span.holds(time) & (time < stop[row]) & ~suspended
    return time[owed], stay[owed]


def _to_sessions(window: Window, service: Service, span: _Span) -> Deliveries:
    ledger = window.ledger
    groups = [group for level in service.levels for group in window.scenario.levels[level].groups]
    held = _held(window, groups, span)
    attended = window.attended_by_session[held]
    minutes = service.indirect_minutes + service.indirect_minutes_per_patient * attended
    return Deliveries(ledger.session_time[held], np.full(len(minutes), NONE), minutes / 60)


# Groups


def _facilitated(window: Window, role: str) -> Floats:
    """Hours of a role in front of groups, by week; those that were covered from outside are hours of the role too."""
    hours = np.zeros(window.weeks)
    for level in window.scenario.levels.values():
        for name, group in level.groups.items():
            if role in group.facilitators:
                week = window.week_of(window.ledger.session_time[_held(window, [name], _span(window))])
                hours += group.hours * group.facilitators[role] * np.bincount(week, minlength=window.weeks)
    return hours


def _held(window: Window, groups: list[str], span: _Span) -> Bools:
    """Mask of the sessions of some groups that took place."""
    ledger = window.ledger
    numbers = [ledger.groups.index(group) for group in groups]
    held: Bools = np.isin(ledger.session_group, numbers) & (ledger.session_cause == Cause.HELD)
    return held & span.holds(ledger.session_time)


def cover_hours(window: Window, role: str) -> float:
    """Hours of a role in the window that were covered from outside."""
    ledger = window.ledger
    mine = (ledger.cover_role == ledger.roles.index(role)) & window.inside(ledger.cover_time)
    return float(ledger.cover_hours[mine].sum())


# Appointments


def _intake(window: Window, role: str) -> tuple[Floats, Floats]:
    """Time and minutes of the intake appointments of a role in the window, those that nobody came to included."""
    ledger = window.ledger
    stages = [level.intake for level in window.scenario.levels.values()]
    minutes = np.array(
        [stage.minutes if stage is not None and stage.role == role else 0.0 for stage in stages]
    )
    if not minutes.any():
        return np.empty(0), np.empty(0)
    rows = np.sort(np.concatenate((window.rows(Fact.NO_SHOW), window.rows(Fact.ASSESSED))))
    rows = rows[window.inside(ledger.time[rows])]
    took = minutes[ledger.stay_level[ledger.stay[rows]]]
    return ledger.time[rows][took > 0], took[took > 0]


def booked_hours(window: Window, role: str) -> float:
    """Hours of the appointments of a role in the window: intake, and services that wait for hours."""
    services = window.scenario.services.items()
    visits = [deliveries(window, name).hours for name, one in services if one.role == role and one.limits]
    return float(_intake(window, role)[1].sum()) / 60 + sum(float(hours.sum()) for hours in visits)


def offered_hours(window: Window, role: str) -> float:
    """Hours in which the filled posts of a role gave appointments, on the working days of the window.

    A post is there on a working day if it is filled at nine. Where all appointments of the role are of one
    length, a day offers as many as fit in whole.
    """
    scenario, filled = window.scenario, posts(window, role).filled
    closed = [(date - scenario.run.start).days for date in scenario.calendar.closed]
    day = np.arange(window.start, window.end)
    works = ((day + scenario.run.start.weekday()) % 7 < 5) & ~np.isin(day, closed)
    offered = 0.0
    for begin, end, plan in window.spells_inside:
        nine = day[works & (day >= begin) & (day < end)] + NINE
        post_days = np.searchsorted(nine, filled.end) - np.searchsorted(nine, filled.begin)
        offered += float(post_days.sum()) * _minutes_per_day(plan, role) / 60
    return offered


def _minutes_per_day(scenario: Scenario, role: str) -> float:
    """Minutes of appointments that one post of a role can give on a working day."""
    stages = [level.intake for level in scenario.levels.values() if level.intake is not None]
    lengths = {stage.minutes for stage in stages if stage.role == role} | {
        service.minutes + service.indirect_minutes
        for service in scenario.services.values()
        if service.role == role and service.limits
    }
    minutes = scenario.staff[role].appointment_minutes_per_day
    if len(lengths) > 1:
        return minutes
    (length,) = lengths
    return int(minutes / length + 1e-9) * length


class Promptness(NamedTuple):
    """Deliveries that fell due in the window, and those of them that came too late, or not although owed so long."""

    late: int
    due: int


def promptness(window: Window, role: str) -> Promptness:
    """Of all services of a role that say when they are late."""
    kept = [
        _kept(window, service, window.ledger.services.index(name), service.due_days)
        for name, service in window.scenario.services.items()
        if service.role == role and service.due_days is not None
    ]
    return Promptness(sum(one.late for one in kept), sum(one.due for one in kept))


def _kept(window: Window, service: Service, number: int, due_days: float) -> Promptness:
    """Of one service. What was not given was owed until treatment ended, or the run did."""
    ledger, stays = window.ledger, window.stays
    time, stay = _due(window, service, number, _span(window))
    if not service.limits:
        return Promptness(0, len(time))
    mine = ledger.visit_service == number
    due, patient = ledger.visit_due[mine], ledger.visit_stay[mine]
    given = np.isin(_occasion(window, service, stay, time), _occasion(window, service, patient, due))
    owed = np.fmin(stays.ended[stay], window.horizon)[~given] - time[~given]
    here = window.inside(due)
    waited = (ledger.visit_time[mine] - due)[here]
    return Promptness(int((waited > due_days).sum() + (owed > due_days).sum()), len(waited) + len(owed))


def _occasion(window: Window, service: Service, stay: Ints, due: Floats) -> Ints:
    """A number for each delivery owed: the same for the same occasion of the same stay."""
    if service.every_weeks is None:
        return stay
    every = 7 * service.every_weeks
    return paired(stay, np.rint((due - window.stays.started[stay]) / every).astype(np.int64), 1 << 24)
