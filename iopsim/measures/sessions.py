"""Group sessions as tables: who was expected, who came, whose seats were taken, and sums by group."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from iopsim.measures.planned import spell_at
from iopsim.measures.tables import NONE, Bools, Floats, Ints, in_force, ranges, sums
from iopsim.model.ledger import Cause, Fact, Ledger

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from iopsim.measures.planned import Spell
    from iopsim.scenario.schema import Scenario

__all__ = ["Attendance", "Attended", "Seats", "Sessions", "seats_at_sessions"]


@dataclass(frozen=True, kw_only=True)
class Attendance:
    """One row per member and session held; shape (n,). `session` is the ledger's row of the session.

    Guests of a session that took in another group's are rows of the session they went to.
    """

    ledger: Ledger
    session: Ints
    stay: Ints
    attended: Bools

    @property
    def time(self) -> Floats:
        """When the session began."""
        return self.ledger.session_time[self.session]

    @property
    def group(self) -> Ints:
        """Whose session it was."""
        return self.ledger.session_group[self.session]

    @classmethod
    def expanded(cls, ledger: Ledger) -> Attendance:
        """The members of every session held, in order of time, inside and outside the window."""
        held = np.flatnonzero(ledger.session_cause == Cause.HELD).astype(np.int32)
        size = ledger.session_enrolled[held]
        session, member = np.repeat(held, size), ranges(ledger.session_first[held], size)
        return cls(
            ledger=ledger,
            session=session,
            stay=ledger.member_stay[member],
            attended=ledger.member_attended[member].astype(bool),
        )


class Attended(NamedTuple):
    """One row per member-session attended, in order of time: the ledger's row of the session, and whose; shape (n,)."""

    session: Ints
    stay: Ints

    @classmethod
    def of(cls, rows: Attendance) -> Attended:
        """Those of the member-sessions."""
        came = np.flatnonzero(rows.attended)
        return cls(rows.session[came], rows.stay[came])

    def by_session(self, sessions: int) -> Ints:
        """How many attended each of all sessions; shape (sessions,)."""
        return np.bincount(self.session, minlength=sessions)


class Seats(NamedTuple):
    """Seats that stays have in [`begin`, `end`), on some weekdays (bits) of a group; shape (n,)."""

    begin: Floats
    end: Floats
    stay: Ints
    group: Ints
    weekdays: Ints

    @classmethod
    def taken(cls, ledger: Ledger) -> Seats:
        """All seats from admission to release, by stay; one that is changed for another ends there."""
        rows, end = in_force(ledger, Fact.ADMITTED, Fact.MOVED, Fact.RELEASED)
        seated = (ledger.fact[rows] != Fact.RELEASED) & (ledger.a[rows] >= 0)
        rows, end = rows[seated], end[seated]
        return cls(ledger.time[rows], end, ledger.stay[rows], ledger.a[rows], ledger.c[rows])

    def until(self, times: Floats) -> Seats:
        """What there is of the seats up to a time for each stay, that instant included; shape of `times` (stays,).

        Without the instant at which they were taken: sessions of that instant have begun before.
        """
        after, end = np.nextafter(self.begin, np.inf), np.nextafter(times[self.stay], np.inf)
        return self._replace(begin=after, end=np.minimum(self.end, end))

    def met(self, ledger: Ledger, chosen: Bools, weekday: int) -> tuple[Ints, Floats]:
        """Seat (row of this table) and time of each of the chosen sessions for which it was taken.

        Args:
            ledger: Whose sessions they are.
            chosen: Mask of the sessions to look at; shape (sessions,).
            weekday: Of day 0, Monday is 0.
        """
        found: list[tuple[Ints, Floats]] = [(np.empty(0, np.int64), np.empty(0))]
        for group in np.unique(self.group):
            times = ledger.session_time[chosen & (ledger.session_group == group)]
            seats = np.flatnonzero(self.group == group)
            first = np.searchsorted(times, self.begin[seats])
            size = (np.searchsorted(times, self.end[seats]) - first).clip(min=0)
            time, seat = times[ranges(first, size)], np.repeat(seats, size)
            day = (np.floor(time).astype(np.int64) + weekday) % 7
            own = (self.weekdays[seat] >> day & 1).astype(bool)
            found.append((seat[own], time[own]))
        rows, when = zip(*found, strict=True)
        return np.concatenate(rows), np.concatenate(when)


@dataclass(frozen=True, kw_only=True)
class Sessions:
    """Sums over the sessions in the window, one entry per group; shape (groups,).

    Attributes:
        held, closed, below_minimum, unstaffed, merged: Sessions by what became of them (Cause).
        seats: Seats without overbooking, summed over the sessions held.
        taken: The group's own seats taken, those held and admitted-not-started included; guests take none.
        ghosts: Of these, seats of stays that attend no session any more.
        expected, attended: Member-sessions, guests included.
        over_capacity: Sessions that more attended than there are seats.
    """

    held: Floats
    closed: Floats
    below_minimum: Floats
    unstaffed: Floats
    merged: Floats
    seats: Floats
    taken: Floats
    ghosts: Floats
    expected: Floats
    attended: Floats
    over_capacity: Floats

    @property
    def cancelled(self) -> Floats:
        """Sessions that did not take place, for any cause; a merged one did, elsewhere."""
        return self.closed + self.below_minimum + self.unstaffed

    @classmethod
    def summed(cls, spells: Sequence[Spell], ledger: Ledger, came: Attended, inside: Bools) -> Sessions:
        """Add up by group the sessions that `inside` marks; shape of `inside` (sessions,)."""
        attended = came.by_session(len(inside))
        seats_of = seats_at_sessions(spells, ledger)

        def by_group(cause: Cause, values: NDArray[Any]) -> Floats:
            chosen = inside & (ledger.session_cause == cause)
            return sums(ledger.session_group[chosen], values[chosen], len(ledger.groups))

        became = {cause.name.lower(): by_group(cause, np.ones(len(inside))) for cause in Cause}
        held = inside & (ledger.session_cause == Cause.HELD)
        taken = by_group(Cause.HELD, ledger.session_taken)
        return cls(
            **became,
            seats=by_group(Cause.HELD, seats_of),
            taken=taken,
            ghosts=taken - _kept(ledger, came, held, spells[0].plan.run.start.weekday()),
            expected=by_group(Cause.HELD, ledger.session_enrolled),
            attended=by_group(Cause.HELD, attended),
            over_capacity=by_group(Cause.HELD, attended > seats_of),
        )


def seats_at_sessions(spells: Sequence[Spell], ledger: Ledger) -> Ints:
    """Seats, without overbooking, that the plan gave the group of each session on its day; shape (sessions,)."""

    def seats(plan: Scenario) -> list[int]:
        levels = plan.levels.values()
        by_group = {name: group.seats for level in levels for name, group in level.groups.items()}
        return [by_group[name] for name in ledger.groups]

    planned = np.array([seats(spell.plan) for spell in spells], np.int64)
    found: Ints = planned[spell_at(spells, ledger.session_time), ledger.session_group]
    return found


def _kept(ledger: Ledger, came: Attended, held: Bools, weekday: int) -> Floats:
    """Seats taken in some sessions by stays that attend this one or a later one; shape (groups,)."""
    session = np.full(len(ledger.stay_patient), NONE, np.int32)
    session[came.stay] = came.session  # the latest stays
    last = np.append(ledger.session_time, -np.inf)[session]
    seats = Seats.taken(ledger).until(last)
    seat, _ = seats.met(ledger, held, weekday)
    return sums(seats.group[seat], np.ones(len(seat)), len(ledger.groups))
