"""The facts as tables: stays side by side, and stretches of time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from iopsim.model.ledger import ENDS, SERVICES_A_WORD, Fact, Ledger, Reason

__all__ = ["Intervals", "Stays", "in_force", "ranges", "sums", "until_next"]

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

NONE = -1  # no group, no post, no end: as in the ledger
UNDECIDED = -2  # the destination of a stay that goes on (-1 is home)
_INSTANTS = (  # that are attributes of `Stays` by their own names
    Fact.REFERRED, Fact.SENT, Fact.CONTACTED, Fact.BOOKED, Fact.ASSESSED, Fact.LOST, Fact.JOINED, Fact.READY,
    Fact.AUTHORIZED, Fact.DENIED, Fact.ACCEPTED, Fact.REFUSED, Fact.RENEGED, Fact.WITHDRAWN, Fact.ADMITTED,
    Fact.STARTED, Fact.SUSPENDED, Fact.RESUMED, Fact.RELEASED,
)  # fmt: skip
_NEVER_ADMITTED = (Fact.LOST, Fact.REFUSED, Fact.DENIED, Fact.RENEGED)


def ranges(first: Ints, size: Ints) -> Ints:
    """The numbers first[i], first[i] + 1, ... (size[i] of them) for each i, one after another."""
    numbers: Ints = np.arange(size.sum()) + np.repeat(first - size.cumsum() + size, size)
    return numbers


def sums(index: Ints, weights: NDArray[Any], length: int) -> Floats:
    """Sum of the weights by index; shape (length,)."""
    return np.bincount(index, weights, length).astype(np.float64)


def until_next(key: Ints, time: Floats) -> tuple[Ints, Floats]:
    """Rows in order of time, seen by key: each is in force until the next one of its key.

    Returns:
        The rows by key, in order of time, and when the next one of the key came (+inf for its last); shapes (n,).
    """
    order = np.argsort(key, kind="stable")
    key, time = key[order], time[order]
    end = np.append(np.where(key[1:] == key[:-1], time[1:], np.inf), np.inf)[: len(key)]
    return order, end


def in_force(ledger: Ledger, *facts: Fact) -> tuple[Ints, Floats]:
    """Rows of some facts, each in force until the next of them of its stay.

    Returns:
        The rows by stay, in order of time, and when the next one of the stay came (+inf for its last); shapes (n,).
    """
    wanted = np.zeros(len(Fact), bool)
    wanted[list(facts)] = True
    rows = np.flatnonzero(wanted[ledger.fact])
    order, end = until_next(ledger.stay[rows], ledger.time[rows])
    return rows[order], end


class Intervals(NamedTuple):
    """Stretches of time of stays: [`begin`, `end`) in days, `end` is +inf while it lasts; shape (n,)."""

    begin: Floats
    end: Floats
    stay: Ints

    def among(self, mask: Bools) -> Intervals:
        """Those of the stays that a mask marks; its shape (stays,)."""
        chosen = mask[self.stay]
        return Intervals(self.begin[chosen], self.end[chosen], self.stay[chosen])

    def cover(self, stay: Ints, time: Floats) -> Bools:
        """Whether each time lies in a stretch of its stay; shape of `time`."""
        covered = np.zeros(len(time), bool)
        if len(self.stay):
            by_stay = np.argsort(stay, kind="stable")
            first = np.searchsorted(stay, self.stay, sorter=by_stay)
            size = np.searchsorted(stay, self.stay, "right", sorter=by_stay) - first
            row, begin, end = (
                by_stay[ranges(first, size)],
                np.repeat(self.begin, size),
                np.repeat(self.end, size),
            )
            covered[row[(time[row] >= begin) & (time[row] < end)]] = True
        return covered

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
        sent: When a level, or a return, sent it to the first stage of access.
        booked: When the first intake appointment was made.
        lost, lost_at: When it was lost, and at which Stage.
        ready: When the treatment that went on while it waited was over.
        accepted, accepted_kind: When it took a group at any time, and of which kind it is since.
        ended: End of treatment, by the fact `end_fact` (one of ENDS, or −1).
        is_cut: Whether treatment ended because the payer approved no more.
        destination: Where it went (−1 home, −2 still here), whether it ended or was never admitted.
        group, weekdays: The seat last held: group and weekdays as bits (bit 0 is Monday).
        post: Index into `Ledger.posts`, at admission.
        services: Services drawn for the stay, as bits, `SERVICES_A_WORD` in a row; shape (2, stays).
    """

    patient: Ints
    level: Ints
    track: Ints
    source: Ints
    payer: Ints
    kind: Ints
    origin: Ints
    referred: Floats
    sent: Floats
    contacted: Floats
    booked: Floats
    assessed: Floats
    lost: Floats
    lost_at: Ints
    joined: Floats
    ready: Floats
    authorized: Floats
    denied: Floats
    accepted: Floats
    accepted_kind: Ints
    refused: Floats
    reneged: Floats
    withdrawn: Floats
    admitted: Floats
    started: Floats
    suspended: Floats
    resumed: Floats
    ended: Floats
    end_fact: Ints
    is_cut: Bools
    released: Floats
    destination: Ints
    group: Ints
    weekdays: Ints
    post: Ints
    services: Ints

    @classmethod
    def pivoted(cls, ledger: Ledger) -> Stays:
        """The facts of each stay side by side; of those that repeat, the last."""
        # A row for each fact that there is, and one for all that there are not.
        seen = np.flatnonzero(np.bincount(ledger.fact, minlength=len(Fact)))
        row = np.full(len(Fact), len(seen))
        row[seen] = np.arange(len(seen))
        shape = len(seen) + 1, len(ledger.stay_patient)
        time, a = np.full(shape, np.nan), np.full(shape, NONE, np.int64)
        time[row[ledger.fact], ledger.stay] = ledger.time
        a[row[ledger.fact], ledger.stay] = ledger.a
        seat = (ledger.fact == Fact.ADMITTED) | (ledger.fact == Fact.MOVED)
        group, weekdays, post, lost_at, reason, more = np.full((6, shape[1]), NONE, np.int64)
        group[ledger.stay[seat]] = ledger.a[seat]  # rows are in order of time: the last seat stays
        weekdays[ledger.stay[seat]] = ledger.c[seat]
        in_b = {Fact.ADMITTED: post, Fact.LOST: lost_at, Fact.DISCHARGED: reason, Fact.STARTED: more}
        for fact, detail in in_b.items():
            rows = ledger.fact == fact
            detail[ledger.stay[rows]] = ledger.b[rows]
        booking = np.flatnonzero(ledger.fact == Fact.BOOKED)[::-1]  # backwards: the first stays
        time[row[Fact.BOOKED], ledger.stay[booking]] = ledger.time[booking]
        end_fact = np.full(shape[1], NONE, np.int64)
        destination = np.full(shape[1], UNDECIDED, np.int64)
        for fact in (*_NEVER_ADMITTED, *ENDS):
            happened = ~np.isnan(time[row[fact]])
            destination[happened] = a[row[fact], happened]
            if fact in ENDS:
                end_fact[happened] = fact
        patient = ledger.stay_patient
        instants: dict[str, Any] = {fact.name.lower(): time[row[fact]] for fact in _INSTANTS}
        return cls(
            patient=patient,
            level=ledger.stay_level,
            track=ledger.patient_track[patient],
            source=ledger.patient_source[patient],
            payer=ledger.patient_payer[patient],
            kind=ledger.stay_kind,
            origin=a[row[[Fact.REFERRED, Fact.SENT, Fact.JOINED]]].max(axis=0),
            **instants,
            lost_at=lost_at,
            accepted_kind=a[row[Fact.ACCEPTED]],
            ended=np.fmin.reduce(time[row[list(ENDS)]]),
            end_fact=end_fact,
            is_cut=reason == Reason.CUT,
            destination=destination,
            group=group,
            weekdays=weekdays,
            post=post,
            services=np.maximum((a[row[Fact.STARTED]], more), 0),
        )

    @property
    def applied(self) -> Floats:
        """When access began: referred by a source, or sent to the first stage; NaN for those who joined at once."""
        return np.fmin(self.referred, self.sent)

    def gets(self, service: int) -> Bools:
        """Whether each stay gets a service, by its number in the ledger; shape (stays,)."""
        word, bit = divmod(service, SERVICES_A_WORD)
        gets: Bools = (self.services[word] >> bit & 1).astype(bool)
        return gets

    @property
    def answered(self) -> Floats:
        """When the payer said yes or no."""
        return np.fmin(self.authorized, self.denied)
