"""Days of service, stay by stay: attended and held, in groups and in places (model.md §9).

In groups a day counts on which a session was attended, or which the group held on the weekdays of a held seat. In
places the first `days_per_week` open days of each calendar week count, those in care before those held (every day if
the level says none), each as the mean attendance of the stay's kind of patient under the plan of the day. Stays are
taken together, whatever their level: no work here grows with levels × stays.
"""

from __future__ import annotations

from math import floor
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from iopsim.measures.days import DayRows, DaySpans, ServiceDays
from iopsim.measures.planned import spell_at
from iopsim.measures.sessions import Seats
from iopsim.measures.tables import Bools, Floats, Intervals, Ints, sums
from iopsim.measures.window import remembered
from iopsim.model.ledger import Cause

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from iopsim.measures.window import DayKind, Window

__all__ = [
    "Kinds",
    "days_attended",
    "expected_days",
    "held_session_days",
    "kinds",
    "plan_on",
    "rows_in_places",
    "session_days",
    "spent",
]

_EVERY = 8  # days a week of a level that says none: closed ones count too


class Kinds(NamedTuple):
    """What each level is; shape (levels,).

    Attributes:
        own: Run by the program itself.
        grouped: Treated in groups, not in places.
        per_week: Days of service a week in places; 8 means every calendar day.
    """

    own: Bools
    grouped: Bools
    per_week: Ints


@remembered
def kinds(window: Window) -> Kinds:
    """The levels of the ledger: none of this changes on a date."""
    levels = [window.scenario.levels[name] for name in window.ledger.levels]
    return Kinds(
        own=np.array([level.is_own for level in levels], bool),
        grouped=np.array([bool(level.groups) for level in levels], bool),
        per_week=np.array([level.days_per_week or _EVERY for level in levels], np.int64),
    )


def plan_on(window: Window, day: Ints) -> Ints:
    """Which of the plans (`Window.spells`) is in force on each day."""
    return spell_at(window.spells, day.astype(np.float64))


# In groups


@remembered
def session_days(window: Window) -> DayRows:
    """Every day of the run on which a stay attended a session, by stay and day."""
    rows, day = window.attended, np.floor(window.ledger.session_time).astype(np.int32)
    return DayRows.of(rows.stay, day[rows.session], rows.session)


def held_session_days(window: Window, held: Intervals) -> tuple[Ints, Ints]:
    """Stretch (row of `held`) and day of every day on which a group met on the weekdays of a seat while it was held."""
    s = window.stays
    seats = Seats(held.begin, held.end, held.stay, s.group[held.stay], s.weekdays[held.stay])
    took_place = window.ledger.session_cause == Cause.HELD
    seat, time = seats.met(window.ledger, took_place, window.scenario.run.start.weekday())
    rows = DayRows.of(held.stay[seat], np.floor(time).astype(np.int32), seat)
    return rows.session, rows.day


# In places


@remembered
def spent(window: Window, kind: DayKind, levels: tuple[bool, ...]) -> DaySpans:
    """Calendar days that the stays of some levels are in care or held, a mask over levels; up to the horizon."""
    s, here = window.stays, np.array(levels, bool)[window.stays.level]
    spans = window.intervals(kind, here)
    if kind == "in_care":
        same_day = np.flatnonzero(here & (np.floor(s.started) == np.floor(s.released)))
        day = np.floor(s.started[same_day])
        spans = Intervals(
            np.append(spans.begin, day), np.append(spans.end, day + 1), np.append(spans.stay, same_day)
        )
    return DaySpans.of(spans, s.admitted, window.horizon)


def expected_days(window: Window, spans: DaySpans, spell: int) -> Floats:
    """Days of service in each span, under the plan of a spell; 0 for stays in groups; shape (spans,)."""
    s = window.stays
    level = s.level[spans.stay]
    per_week = kinds(window).per_week[level]
    days = spans.past - spans.first
    for number in np.unique(per_week[per_week < _EVERY]):
        chosen = np.flatnonzero(per_week == number)
        days[chosen] = spans.take(chosen).days(_rule(window, int(number)))
    mean = _attendance(window)[spell, level, s.track[spans.stay], s.source[spans.stay]]
    expected: Floats = days * mean
    return expected


def rows_in_places(window: Window, levels: Bools, first: int, past: int) -> DayRows:
    """Every attended day in [first, past) of the stays in some levels of places, by stay."""
    s = window.stays
    spans = spent(window, "in_care", tuple(levels & ~kinds(window).grouped)).within(first, past)
    per_week = kinds(window).per_week[s.level[spans.stay]]
    found = [
        spans.take(np.flatnonzero(per_week == number)).rows(_rule(window, int(number)))
        for number in np.unique(per_week)
    ]
    nobody = np.empty(0, np.int64), np.empty(0, np.int64)
    stay, day = (np.concatenate(column) for column in zip(nobody, *found, strict=True))
    weight = _attendance(window)[plan_on(window, day), s.level[stay], s.track[stay], s.source[stay]]
    return DayRows(stay, day, np.full(len(day), -1), weight)


def days_attended(window: Window, levels: Bools, start: float, end: float) -> Floats:
    """Days attended in [start, end) by the stays of some levels; shape (stays,), 0 in other levels."""
    stays, first, past = window.stays, floor(start), floor(min(end, window.horizon))
    in_groups = session_days(window).within(first, past)
    days = in_groups.per_stay(len(stays.level)) * levels[stays.level]
    in_places = levels & ~kinds(window).grouped
    if in_places.any():
        spans = spent(window, "in_care", tuple(in_places))
        for number, spell in enumerate(window.spells):
            begin, until = max(first, spell.begin), min(past, spell.end)
            if begin < until:
                part = spans.within(int(begin), int(until))
                days += sums(part.stay, expected_days(window, part, number), len(days))
    return days


@remembered
def _rule(window: Window, per_week: int) -> ServiceDays:
    return ServiceDays.of(
        start=window.scenario.run.start,
        first=floor(np.fmin.reduce(window.stays.admitted, initial=window.start)),
        last=floor(window.horizon),
        per_week=None if per_week == _EVERY else per_week,
        closed=window.scenario.calendar.closed,
    )


@remembered
def _attendance(window: Window) -> NDArray[np.float64]:
    """Mean attendance in places by plan, level, track and source, `by:` included; 0 in groups."""
    ledger = window.ledger
    table = np.zeros((len(window.spells), len(ledger.levels), len(ledger.tracks), len(ledger.sources)))
    for number, spell in enumerate(window.spells):
        for place, name in enumerate(ledger.levels):
            level = spell.plan.levels[name]
            if level.groups:
                continue
            means = table[number, place]
            means[:] = level.attendance.mean
            for track, part in level.by.track.items():
                if part.attendance is not None and "mean" in part.attendance.model_fields_set:
                    means[ledger.tracks.index(track)] = part.attendance.mean
            for source, part in level.by.source.items():
                if part.attendance is not None and "mean" in part.attendance.model_fields_set:
                    means[:, ledger.sources.index(source)] = part.attendance.mean
    return table
