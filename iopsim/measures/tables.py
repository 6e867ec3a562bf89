"""The facts as tables: stays side by side, and stretches of time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from iopsim.model.ledger import ENDS, SERVICES_A_WORD, Fact, Ints, Ledger, Reason, in_order

__all__ = ["Intervals", "Ints", "Stays", "in_force", "paired", "parted", "ranges", "sums", "until_next"]

if TYPE_CHECKING:
    from iopsim.measures.memory import Memory

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]

NONE = -1  # no group, no post, no end: as in the ledger
_MANY = 4  # of so many stays more than one
UNDECIDED = -2  # the destination of a stay that goes on (-1 is home)
_NEVER_ADMITTED = (Fact.LOST, Fact.REFUSED, Fact.DENIED, Fact.RENEGED)


def ranges(first: Ints, size: Ints) -> Ints:
    """The numbers first[i], first[i] + 1, ... (size[i] of them) for each i, one after another."""
    offset = first - size.cumsum() + size
    numbers: Ints = np.repeat(offset.astype(first.dtype), size)
    numbers += np.arange(len(numbers), dtype=first.dtype)
    return numbers


def parted(key: Ints, size: int) -> list[Ints]:
    """Rows by their key: those of each of the keys 0 to `size` − 1, in order."""
    last = np.bincount(key, minlength=size).cumsum()
    return np.split(in_order(key).astype(np.int32), last[:-1])


def paired(whose: Ints, number: Ints, size: int) -> NDArray[np.int64]:
    """One number for each pair: who, and a number below `size`; in 64 bits, which the product needs."""
    keys = whose.astype(np.int64)
    keys *= size
    keys += number
    return keys


def sums(index: Ints, weights: NDArray[Any], length: int) -> Floats:
    """Sum of the weights by index; shape (length,)."""
    return np.bincount(index, weights, length).astype(np.float64, copy=False)


def until_next(key: Ints, time: Floats) -> tuple[Ints, Floats]:
    """Rows in order of time, seen by key: each is in force until the next one of its key.

    Returns:
        The rows by key, in order of time, and when the next one of the key came (+inf for its last); shapes (n,).
    """
    order = in_order(key)
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
        return self.take(mask[self.stay])

    def take(self, rows: Ints | Bools) -> Intervals:
        """Some of the stretches."""
        return Intervals(self.begin[rows], self.end[rows], self.stay[rows])

    def cover(self, stay: Ints, time: Floats) -> Bools:
        """Whether each time lies in a stretch of its stay; shape of `time`."""
        covered = np.zeros(len(time), bool)
        if len(self.stay):
            by_stay = in_order(stay)
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


class _Last:
    """What a column says at the last of some facts of each stay; at the first of them, if that is asked for.

    What many stays have is kept once it was asked for, the rest as long as there is room, and read from the facts again
    if need be: columns of what happens to few would be the larger part of all that is known of the stays.
    """

    def __init__(self, column: str, *facts: Fact, none: int = NONE, first: bool = False) -> None:
        self._column, self._facts = column, facts
        self._none = np.nan if column == "time" else none
        self._step = -1 if first else 1

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, stays: Stays, owner: type) -> NDArray[Any]:
        known = stays.memory.recall(self._name)
        return self._read(stays) if known is None else cast("NDArray[Any]", known)

    def _read(self, stays: Stays) -> NDArray[Any]:
        column, rows = getattr(stays.ledger, self._column), [stays.rows[fact] for fact in self._facts]
        found = np.full(len(stays.patient), self._none, column.dtype)
        for each in rows:
            found[stays.ledger.stay[each[:: self._step]]] = column[each[:: self._step]]
        if _MANY * sum(map(len, rows)) > len(found):
            vars(stays)[self._name] = found
            return found
        return stays.memory.keep(self._name, found)


class _Earlier:
    """When the earlier of two things happened to each stay, NaN if neither did; kept as long as there is room."""

    def __init__(self, one: str, other: str) -> None:
        self._one, self._other = one, other

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, stays: Stays, owner: type) -> Floats:
        known = stays.memory.recall(self._name)
        if known is not None:
            return cast("Floats", known)
        earlier: Floats = np.fmin(getattr(stays, self._one), getattr(stays, self._other))
        return stays.memory.keep(self._name, earlier)


class Stays:
    """One entry per stay. Times are NaN if it did not happen; indexes are −1 if there is none.

    Attributes:
        patient, level, track, source, payer, kind: Indexes into the ledger's tables.
        origin: Where the stay came from (index into `Ledger.origins`).
        referred: When a source referred to this stay; NaN for those who come from a level or return.
        sent: When a level, or a return, sent it to the first stage of access.
        applied: When access began: referred or sent; NaN for those who joined at once.
        booked: When the first intake appointment was made.
        lost, lost_at: When it was lost, and at which Stage.
        ready: When the treatment that went on while it waited was over.
        answered: When the payer said yes or no.
        accepted, accepted_kind: When it took a group at any time, and of which kind it is since.
        ended: End of treatment, by the fact `end_fact` (one of ENDS, or −1).
        discharged_for: The Reason of a discharge.
        destination: Where it went (−1 home, −2 still here), whether it ended or was never admitted.
        group, weekdays: The seat last held: group and weekdays as bits (bit 0 is Monday).
        services, more_services: Services drawn for the stay, as bits: the first `SERVICES_A_WORD`, and the others.
        rows: By fact: the rows of the ledger, in order of time.
    """

    origin = _Last("a", Fact.REFERRED, Fact.SENT, Fact.JOINED)
    referred = _Last("time", Fact.REFERRED)
    sent = _Last("time", Fact.SENT)
    applied = _Earlier("referred", "sent")
    contacted = _Last("time", Fact.CONTACTED)
    booked = _Last("time", Fact.BOOKED, first=True)
    assessed = _Last("time", Fact.ASSESSED)
    lost = _Last("time", Fact.LOST)
    lost_at = _Last("b", Fact.LOST)
    joined = _Last("time", Fact.JOINED)
    ready = _Last("time", Fact.READY)
    authorized = _Last("time", Fact.AUTHORIZED)
    denied = _Last("time", Fact.DENIED)
    answered = _Earlier("authorized", "denied")
    accepted = _Last("time", Fact.ACCEPTED)
    accepted_kind = _Last("a", Fact.ACCEPTED)
    refused = _Last("time", Fact.REFUSED)
    reneged = _Last("time", Fact.RENEGED)
    withdrawn = _Last("time", Fact.WITHDRAWN)
    admitted = _Last("time", Fact.ADMITTED)
    group = _Last("a", Fact.ADMITTED, Fact.MOVED)
    weekdays = _Last("c", Fact.ADMITTED, Fact.MOVED)
    started = _Last("time", Fact.STARTED)
    suspended = _Last("time", Fact.SUSPENDED)
    resumed = _Last("time", Fact.RESUMED)
    ended = _Last("time", *ENDS)
    end_fact = _Last("fact", *ENDS)
    discharged_for = _Last("b", Fact.DISCHARGED)
    destination = _Last("a", *_NEVER_ADMITTED, *ENDS, none=UNDECIDED)
    released = _Last("time", Fact.RELEASED)
    services = _Last("a", Fact.STARTED)
    more_services = _Last("b", Fact.STARTED)

    def __init__(self, ledger: Ledger, memory: Memory) -> None:
        self.ledger = ledger
        self.memory = memory
        by_fact = np.argsort(ledger.fact, kind="stable").astype(np.int32)
        self.rows: list[Ints] = np.split(by_fact, np.bincount(ledger.fact, minlength=len(Fact)).cumsum()[:-1])
        self.patient, self.level, self.kind = ledger.stay_patient, ledger.stay_level, ledger.stay_kind
        self.track = ledger.patient_track[self.patient]
        self.source = ledger.patient_source[self.patient]
        self.payer = ledger.patient_payer[self.patient]

    def gets(self, service: int) -> Bools:
        """Whether each stay gets a service, by its number in the ledger; shape (stays,)."""
        word, bit = divmod(service, SERVICES_A_WORD)
        services = (self.services, self.more_services)[word]
        gets: Bools = (services.clip(min=0) >> bit & 1).astype(bool)
        return gets

    @property
    def is_cut(self) -> Bools:
        """Whether treatment ended because the payer approved no more."""
        is_cut: Bools = self.discharged_for == Reason.CUT
        return is_cut
