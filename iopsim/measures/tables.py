"""The facts as tables: stays side by side, member-sessions, and what is added up from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from iopsim.model.ledger import ENDS, Cause, Fact, Ledger

if TYPE_CHECKING:
    from iopsim.scenario.schema import Scenario

__all__ = ["Attendance", "Intervals", "Sessions", "Stays", "ranges", "sums"]

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

NONE = -1  # no group, no post, no end: as in the ledger
UNDECIDED = -2  # the destination of a stay that goes on (-1 is home)


def ranges(first: Ints, size: Ints) -> Ints:
    """The numbers first[i], first[i] + 1, ... (size[i] of them) for each i, one after another."""
    numbers: Ints = np.arange(size.sum()) + np.repeat(first - size.cumsum() + size, size)
    return numbers


def sums(index: Ints, weights: NDArray[Any], length: int) -> Floats:
    """Sum of the weights by index; shape (length,)."""
    return np.bincount(index, weights, length).astype(np.float64)


class Intervals(NamedTuple):
    """Stretches of time of stays: [`begin`, `end`) in days, `end` is +inf while it lasts; shape (n,)."""

    begin: Floats
    end: Floats
    stay: Ints

    def among(self, mask: Bools) -> Intervals:
        """Those of the stays that a mask marks; its shape (stays,)."""
        chosen = mask[self.stay]
        return Intervals(self.begin[chosen], self.end[chosen], self.stay[chosen])

    def days_before(self, times: Floats) -> Floats:
        """Patient-days spent before each time; shape of `times`."""

        def since(edges: Floats) -> Floats:
            edges = np.sort(edges)
            passed = np.searchsorted(edges, times)
            elapsed: Floats = times * passed - np.append(0.0, edges.cumsum())[passed]
            return elapsed

        return since(self.begin) - since(self.end)


@dataclass(frozen=True, kw_only=True)
class Stays:
    """One entry per stay. Times are NaN if it did not happen; indexes are −1 if there is none.

    Attributes:
        patient, level, track, source, payer, kind: Indexes into the ledger's tables.
        origin: Where the stay came from (index into `Ledger.origins`).
        referred: When a source referred to this stay; NaN for those who come from a level or return.
        ended: End of treatment, by the fact `end_fact` (one of ENDS, or −1).
        destination: Where it went (−1 home, −2 still here), whether it ended, reneged or was refused.
        group, weekdays: The seat last held: group and weekdays as bits (bit 0 is Monday).
        post: Index into `Ledger.posts`.
        services: Services drawn for the stay, as bits.
    """

    patient: Ints
    level: Ints
    track: Ints
    source: Ints
    payer: Ints
    kind: Ints
    origin: Ints
    referred: Floats
    joined: Floats
    refused: Floats
    reneged: Floats
    withdrawn: Floats
    admitted: Floats
    started: Floats
    suspended: Floats
    resumed: Floats
    ended: Floats
    end_fact: Ints
    released: Floats
    destination: Ints
    group: Ints
    weekdays: Ints
    post: Ints
    services: Ints

    @classmethod
    def pivoted(cls, ledger: Ledger) -> Stays:
        """The facts of each stay side by side."""
        shape = len(Fact), len(ledger.stay_patient)
        time, a = np.full(shape, np.nan), np.full(shape, NONE, np.int64)
        time[ledger.fact, ledger.stay] = ledger.time
        a[ledger.fact, ledger.stay] = ledger.a
        seat = np.isin(ledger.fact, (Fact.ADMITTED, Fact.MOVED))
        group, weekdays, post = np.full((3, shape[1]), NONE, np.int64)
        group[ledger.stay[seat]] = ledger.a[seat]  # rows are in order of time: the last seat stays
        weekdays[ledger.stay[seat]] = ledger.c[seat]
        admission = ledger.fact == Fact.ADMITTED
        post[ledger.stay[admission]] = ledger.b[admission]
        end_fact = np.full(shape[1], NONE, np.int64)
        destination = np.full(shape[1], UNDECIDED, np.int64)
        for fact in (Fact.REFUSED, Fact.RENEGED, *ENDS):
            happened = ~np.isnan(time[fact])
            destination[happened] = a[fact, happened]
            if fact in ENDS:
                end_fact[happened] = fact
        patient = ledger.stay_patient
        return cls(
            patient=patient,
            level=ledger.stay_level,
            track=ledger.patient_track[patient],
            source=ledger.patient_source[patient],
            payer=ledger.patient_payer[patient],
            kind=ledger.stay_kind,
            origin=a[Fact.JOINED],
            referred=time[Fact.REFERRED],
            joined=time[Fact.JOINED],
            refused=time[Fact.REFUSED],
            reneged=time[Fact.RENEGED],
            withdrawn=time[Fact.WITHDRAWN],
            admitted=time[Fact.ADMITTED],
            started=time[Fact.STARTED],
            suspended=time[Fact.SUSPENDED],
            resumed=time[Fact.RESUMED],
            ended=np.fmin.reduce(time[list(ENDS)]),
            end_fact=end_fact,
            released=time[Fact.RELEASED],
            destination=destination,
            group=group,
            weekdays=weekdays,
            post=post,
            services=np.maximum(a[Fact.STARTED], 0),
        )


@dataclass(frozen=True, kw_only=True)
class Attendance:
    """One row per member and session held; shape (n,). `session` is the ledger's row of the session."""

    time: Floats
    session: Ints
    group: Ints
    stay: Ints
    attended: Bools

    @classmethod
    def expanded(cls, ledger: Ledger) -> Attendance:
        """The members of every session held, in order of time, inside and outside the window."""
        held = np.flatnonzero(ledger.session_cause == Cause.HELD)
        size = ledger.session_enrolled[held]
        session, member = np.repeat(held, size), ranges(ledger.session_first[held], size)
        return cls(
            time=ledger.session_time[session],
            session=session,
            group=ledger.session_group[session],
            stay=ledger.member_stay[member],
            attended=ledger.member_attended[member].astype(bool),
        )


@dataclass(frozen=True, kw_only=True)
class Sessions:
    """Sums over the sessions in the window, one entry per group; shape (groups,).

    Attributes:
        held, closed, below_minimum: Sessions by what became of them (Cause).
        seats: Seats without overbooking, summed over the sessions held.
        taken: Seats taken, those held and admitted-not-started included.
        expected, attended: Member-sessions.
        over_capacity: Sessions that more attended than there are seats.
    """

    held: Floats
    closed: Floats
    below_minimum: Floats
    seats: Floats
    taken: Floats
    expected: Floats
    attended: Floats
    over_capacity: Floats

    @classmethod
    def summed(cls, scenario: Scenario, ledger: Ledger, attendance: Attendance, inside: Bools) -> Sessions:
        """Add up by group the sessions that `inside` marks; shape of `inside` (sessions,)."""
        in_groups = {
            name: group for level in scenario.levels.values() for name, group in level.groups.items()
        }
        seats = np.array([in_groups[name].seats for name in ledger.groups], np.int64)
        attended = sums(attendance.session, attendance.attended, len(inside))
        seats_of = seats[ledger.session_group]

        def by_group(cause: Cause, values: NDArray[Any]) -> Floats:
            chosen = inside & (ledger.session_cause == cause)
            return sums(ledger.session_group[chosen], values[chosen], len(seats))

        return cls(
            held=by_group(Cause.HELD, np.ones(len(inside))),
            closed=by_group(Cause.CLOSED, np.ones(len(inside))),
            below_minimum=by_group(Cause.BELOW_MINIMUM, np.ones(len(inside))),
            seats=by_group(Cause.HELD, seats_of),
            taken=by_group(Cause.HELD, ledger.session_taken),
            expected=by_group(Cause.HELD, ledger.session_enrolled),
            attended=by_group(Cause.HELD, attended),
            over_capacity=by_group(Cause.HELD, attended > seats_of),
        )
