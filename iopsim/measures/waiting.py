"""Waiting in detail: for an appointment, for what admission takes, and for a next level while holding a place."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from iopsim.measures.possible import lacks
from iopsim.measures.tables import Bools, Floats, Intervals, Ints, paired, parted, sums
from iopsim.measures.window import first, remembered
from iopsim.model.ledger import Fact, Missing

if TYPE_CHECKING:
    from iopsim.measures.window import Window

__all__ = ["Appointments", "HeldBack", "appointments", "held_back_days", "holds_in"]

_CODES = 2 * Missing.ORDER  # sets of what may be missing, as sums of bits


class Appointments(NamedTuple):
    """Intake appointments of the window: booked for its days, and what came of those that took place."""

    booked: float
    shown: float
    missed: float


@remembered
def appointments(window: Window, level: str) -> Appointments:
    """Count a level's intake appointments."""
    ledger = window.ledger
    booked, shown, missed = (
        rows_of(window, fact)[ledger.levels.index(level)]
        for fact in (Fact.BOOKED, Fact.ASSESSED, Fact.NO_SHOW)
    )
    day: Floats = np.floor(ledger.time[booked]) + ledger.a[booked]
    times: tuple[Floats, ...] = (day, ledger.time[shown], ledger.time[missed])
    return Appointments(*(float(window.inside(time).sum()) for time in times))


@remembered
def rows_of(window: Window, fact: Fact) -> tuple[Ints, ...]:
    """Rows of the ledger that are of one fact, by the level of the stay, in order of time."""
    ledger, rows = window.ledger, window.rows(fact)
    parts = parted(ledger.stay_level[ledger.stay[rows]], len(ledger.levels))
    return tuple(rows[here] for here in parts)


class HeldBack(NamedTuple):
    """Patient-days of the window that people wait: by the name of what was missing, and in all."""

    by_set: dict[str, float]
    in_all: float


@remembered
def held_back_days(window: Window, level: str) -> HeldBack:
    """Share out to what was missing the days on a level's waitlist, and those with an appointment ahead."""
    names, here = lacks(window.scenario, level), window.in_level(level)
    begin, end, stay = window.intervals_in("waiting", level)
    treated = begin
    if ("TREATMENT",) in names:
        treated = _treated_until(window, stay).clip(begin, end)
    approved = treated
    if ("AUTHORIZATION",) in names:
        approved = _authorized_at(window, level, stay).clip(treated, end)
    days = _days_of_kinds(window, level, Intervals(approved, end, stay))
    if ("AUTHORIZATION",) in names:
        before = _days_of_kinds(window, level, Intervals(treated, approved, stay))
        codes = np.arange(_CODES) & ~int(Missing.ORDER) | int(Missing.AUTHORIZATION)
        days += sums(codes, before, _CODES)
    days[Missing.TREATMENT] += window.days_inside(begin, treated).sum()
    intake = float(window.days("intake")[here].sum()) if ("INTAKE",) in names else 0.0
    by_set = dict.fromkeys(names.values(), 0.0)
    for bits, name in names.items():
        code = sum(Missing[bit] for bit in bits) if bits != ("INTAKE",) else None
        by_set[name] += intake if code is None else float(days[code])
    return HeldBack(by_set, float(window.days("waiting")[here].sum()) + intake)


def _days_of_kinds(window: Window, level: str, waiting: Intervals) -> Floats:
    """Days of the window by what the kinds of those who wait lacked; shape (codes,)."""
    ledger, days = window.ledger, np.zeros(_CODES)
    here = _blocked(window)[ledger.levels.index(level)]
    blocked = ledger.blocked_kind[here]
    waiting, kind = _by_kind(window, waiting)
    for number in np.unique(kind):
        rows = here[blocked == number]
        missing = np.append(0, ledger.blocked_missing[rows])
        edges = np.concatenate(([-np.inf], ledger.blocked_time[rows], [np.inf]))
        spent = Intervals(*(column[kind == number] for column in waiting)).days_before(
            edges.clip(window.start, window.end)
        )
        days += sums(missing, np.diff(spent), _CODES)
    return days


@remembered
def _blocked(window: Window) -> tuple[Ints, ...]:
    """Rows of what the kinds of those who wait lacked, by level, in order of time."""
    return tuple(parted(window.ledger.blocked_level, len(window.ledger.levels)))


def _by_kind(window: Window, waiting: Intervals) -> tuple[Intervals, Ints]:
    """Stretches of waiting with the kind of need in each, cut where somebody came to accept any time."""
    s, (begin, end, stay) = window.stays, waiting
    accepted = np.fmin(s.accepted[stay], np.inf).clip(begin, end)
    begin, end = np.append(begin, accepted), np.append(accepted, end)
    kind = np.append(s.kind[stay], s.accepted_kind[stay])
    lasts = begin < end
    return Intervals(begin[lasts], end[lasts], np.tile(stay, 2)[lasts]), kind[lasts]


def _authorized_at(window: Window, level: str, stay: Ints) -> Floats:
    """When stays of a level were approved, +inf if never; −inf for those whose payer is not asked; shape of `stay`."""
    s, payers = window.stays, window.scenario.payers.values()
    asked = np.array([bool(payer.authorization and level in payer.authorization.levels) for payer in payers])
    return np.where(asked[s.payer[stay]], first(s.authorized[stay]), -np.inf)


def _treated_until(window: Window, stay: Ints) -> Floats:
    """Until when treatment in a level before went on; −inf for those who joined after it; shape of `stay`.

    The ledger says when it was over for those who still waited then. The others, who were refused, denied or still in
    treatment at the end, joined while they were in care elsewhere.
    """
    s = window.stays
    until: Floats = np.fmax(s.ready[stay], -np.inf)
    asking = np.isinf(until)
    until[asking] = np.where(_in_early_care(window, stay[asking]), np.inf, -np.inf)
    return until


def _in_early_care(window: Window, joining: Ints) -> Bools:
    """Whether each patient is in care, as they join, in a level that refers before its end; shape of `joining`."""
    s, care = window.stays, _early_care(window)
    if not len(care.begin):
        return np.zeros(len(joining), bool)
    patient, time, size = s.patient[joining], s.joined[joining], len(care.moments) + 1
    asked = paired(patient, np.searchsorted(care.moments, time, side="right"), size)
    last = np.searchsorted(care.keys, asked, side="right") - 1  # of somebody else if there is none
    there: Bools = (care.patient[last] == patient) & (care.begin[last] <= time) & (time < care.end[last])
    return there


class _EarlyCare(NamedTuple):
    """Care in the levels that refer before its end, by patient and beginning; `keys` are of both, shape (n,)."""

    moments: Floats
    keys: Ints
    patient: Ints
    begin: Floats
    end: Floats


@remembered
def _early_care(window: Window) -> _EarlyCare:
    s, levels = window.stays, window.scenario.levels
    early = np.array([bool(levels[name].refer_before_days) for name in window.ledger.levels], bool)
    begin, end, stay = window.intervals("in_care", early[s.level])
    moments, patient = np.unique(begin), s.patient[stay]
    keys = paired(patient, np.searchsorted(moments, begin) + 1, len(moments) + 1)
    order = np.argsort(keys)
    return _EarlyCare(moments, keys[order], patient[order], begin[order], end[order])


@remembered
def holds_in(window: Window, level: str, track: str | None = None) -> Intervals:
    """Each time that someone in a level got ready for a next one, and until when the place was then held.

    Ready are those who complete and go to a level, and those who need a higher one. Unlike
    `intervals("held")`, holds of no length are there; those that last are cut at the end of the run-out.
    """
    if track is not None:
        every = holds_in(window, level)
        return every.among(window.stays.track == window.ledger.tracks.index(track))
    return _holds(window)[window.ledger.levels.index(level)]


@remembered
def _holds(window: Window) -> tuple[Intervals, ...]:
    """Those of each level."""
    s = window.stays
    stepped_at_once = (s.end_fact == Fact.STEPPED_UP) & (np.isnan(s.suspended) | ~np.isnan(s.resumed))
    moves_on = (s.destination >= 0) & ((s.end_fact == Fact.COMPLETED) | stepped_at_once)
    ready = [~np.isnan(s.suspended), moves_on]
    stay = np.concatenate([np.flatnonzero(who) for who in ready])
    begin = np.concatenate([s.suspended[ready[0]], s.ended[ready[1]]])
    end = np.concatenate([first(s.resumed, s.released)[ready[0]], first(s.released)[ready[1]]])
    held = Intervals(begin, np.minimum(end, window.horizon), stay)
    return tuple(held.take(rows) for rows in parted(s.level[stay], len(window.ledger.levels)))
