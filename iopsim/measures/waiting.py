"""Waiting in detail: for an appointment, for what admission takes, and for a next level while holding a place."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from iopsim.measures.possible import lacks
from iopsim.measures.tables import Bools, Floats, Intervals, Ints, paired, sums
from iopsim.measures.window import first, remembered
from iopsim.model.ledger import Fact, Missing

if TYPE_CHECKING:
    from iopsim.measures.window import Window

__all__ = ["Appointments", "HeldBack", "appointments", "held_back_days", "holds"]

_CODES = 2 * Missing.ORDER  # sets of what may be missing, as sums of bits


class Appointments(NamedTuple):
    """Intake appointments of the window: booked for its days, and what came of those that took place."""

    booked: float
    shown: float
    missed: float


@remembered
def appointments(window: Window, level: str) -> Appointments:
    """Count a level's intake appointments."""
    ledger, here = window.ledger, window.in_level(level)
    booked, shown, missed = (
        (rows := window.rows(fact))[here[ledger.stay[rows]]]
        for fact in (Fact.BOOKED, Fact.ASSESSED, Fact.NO_SHOW)
    )
    day: Floats = np.floor(ledger.time[booked]) + ledger.a[booked]
    times: tuple[Floats, ...] = (day, ledger.time[shown], ledger.time[missed])
    return Appointments(*(float(window.inside(time).sum()) for time in times))


class HeldBack(NamedTuple):
    """Patient-days of the window that people wait: by the name of what was missing, and in all."""

    by_set: dict[str, float]
    in_all: float


@remembered
def held_back_days(window: Window, level: str) -> HeldBack:
    """Share out to what was missing the days on a level's waitlist, and those with an appointment ahead."""
    names, here = lacks(window.scenario, level), window.in_level(level)
    begin, end, stay = window.intervals("waiting", here)
    treated = begin
    if ("TREATMENT",) in names:
        treated = _treated_until(window, level)[stay].clip(begin, end)
    approved = treated
    if ("AUTHORIZATION",) in names:
        approved = _authorized_at(window, level)[stay].clip(treated, end)
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
    here = ledger.blocked_level == ledger.levels.index(level)
    waiting, kind = _by_kind(window, waiting)
    for number in np.unique(kind):
        rows = here & (ledger.blocked_kind == number)
        missing = np.append(0, ledger.blocked_missing[rows])
        edges = np.concatenate(([-np.inf], ledger.blocked_time[rows], [np.inf]))
        spent = Intervals(*(column[kind == number] for column in waiting)).days_before(
            edges.clip(window.start, window.end)
        )
        days += sums(missing, np.diff(spent), _CODES)
    return days


def _by_kind(window: Window, waiting: Intervals) -> tuple[Intervals, Ints]:
    """Stretches of waiting with the kind of need in each, cut where somebody came to accept any time."""
    s, (begin, end, stay) = window.stays, waiting
    accepted = np.fmin(s.accepted[stay], np.inf).clip(begin, end)
    begin, end = np.append(begin, accepted), np.append(accepted, end)
    kind = np.append(s.kind[stay], s.accepted_kind[stay])
    lasts = begin < end
    return Intervals(begin[lasts], end[lasts], np.tile(stay, 2)[lasts]), kind[lasts]


def _authorized_at(window: Window, level: str) -> Floats:
    """When each stay was approved, +inf if never; −inf for those whose payer is not asked; shape (stays,)."""
    s, payers = window.stays, window.scenario.payers.values()
    asked = np.array([bool(payer.authorization and level in payer.authorization.levels) for payer in payers])
    return np.where(asked[s.payer], first(s.authorized), -np.inf)


def _treated_until(window: Window, level: str) -> Floats:
    """Until when treatment in a level before went on; −inf for those who joined after it; shape (stays,).

    The ledger says when it was over for those who still waited then. The others, who were refused, denied or still in
    treatment at the end, joined while they were in care elsewhere.
    """
    s = window.stays
    until: Floats = np.fmax(s.ready, -np.inf)
    asking = np.flatnonzero(window.in_level(level) & np.isnan(s.ready) & ~np.isnan(s.joined))
    levels = window.scenario.levels
    early = [number for number, name in enumerate(window.ledger.levels) if levels[name].refer_before_days]
    until[asking[_in_care(window, s.patient[asking], s.joined[asking], np.isin(s.level, early))]] = np.inf
    return until


def _in_care(window: Window, patient: Ints, time: Floats, among: Bools) -> Bools:
    """Whether each patient is in care at a time, in one of the stays `among`; shape of `patient`."""
    begin, end, stay = window.intervals("in_care", among)
    if not len(begin):
        return np.zeros(len(patient), bool)
    moments = np.unique(begin)
    keys = paired(window.stays.patient[stay], np.searchsorted(moments, begin) + 1, len(moments) + 1)
    order = np.argsort(keys)
    asked = paired(patient, np.searchsorted(moments, time, side="right"), len(moments) + 1)
    last = order[np.searchsorted(keys[order], asked, side="right") - 1]  # of somebody else if there is none
    whose = window.stays.patient[stay[last]]
    there: Bools = (whose == patient) & (begin[last] <= time) & (time < end[last])
    return there


@remembered
def holds(window: Window) -> Intervals:
    """Each time that someone got ready for a next level, and until when the place was then held.

    Ready are those who complete and go to a level, and those who need a higher one. Unlike
    `intervals("held")`, holds of no length are there; those that last are cut at the end of the run-out.
    """
    s = window.stays
    stepped_at_once = (s.end_fact == Fact.STEPPED_UP) & (np.isnan(s.suspended) | ~np.isnan(s.resumed))
    moves_on = (s.destination >= 0) & ((s.end_fact == Fact.COMPLETED) | stepped_at_once)
    ready = [~np.isnan(s.suspended), moves_on]
    stay = np.concatenate([np.flatnonzero(who) for who in ready])
    begin = np.concatenate([s.suspended[ready[0]], s.ended[ready[1]]])
    end = np.concatenate([first(s.resumed, s.released)[ready[0]], first(s.released)[ready[1]]])
    return Intervals(begin, np.minimum(end, window.horizon), stay)
