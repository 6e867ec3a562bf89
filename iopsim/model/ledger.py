"""What happened in one replication: facts, one row per patient transition and one per group session.

The model only appends here; whatever is averaged, priced or drawn is computed from it afterwards. Times are
days since the first measured day (`run.start`, 0:00), negative in the warm-up.

A *stay* is one patient's passage through one level, from joining its waitlist to giving back the place. Facts
of a stay come in this order; those in brackets need not happen:

    REFERRED* JOINED → REFUSED | RENEGED | WITHDRAWN
                     → ADMITTED STARTED [SUSPENDED [RESUMED]]
                       → COMPLETED | DROPPED_OUT | DISCHARGED | STEPPED_UP | LEFT → RELEASED

(* only for a stay that begins with a referral by a source.) MOVED may come at any time between ADMITTED and the
end of treatment, and LEFT also before STARTED. Between the end of treatment (or SUSPENDED) and RELEASED (or
RESUMED) the place is held.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum, IntFlag

import numpy as np
from numpy.typing import NDArray

__all__ = ["ENDS", "Cause", "Fact", "Ledger", "Missing", "Recorder"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Fact(IntEnum):
    """What can happen to a stay; `a`, `b`, `c` are the details of the row (−1: none)."""

    REFERRED = 0  # by a source; a = source
    JOINED = 1  # the waitlist; a = origin (see Ledger.origins)
    REFUSED = 2  # the list is full; a = destination (−1 too for a suspended stay that goes on)
    RENEGED = 3  # gave up waiting; a = destination
    WITHDRAWN = 4  # left the list for another reason (hold over, called back): counted as left
    ADMITTED = 5  # took the bundle; a = group, b = post (index over all posts), c = weekdays as bits
    MOVED = 6  # changed seats: taper or another group; a = group, c = weekdays as bits
    STARTED = 7  # care; a = services drawn for the stay, as bits
    SUSPENDED = 8  # treatment, while waiting for a higher level; a = that level
    RESUMED = 9  # treatment
    COMPLETED = 10  # a = destination
    DROPPED_OUT = 11  # a = destination
    DISCHARGED = 12  # after missed sessions; a = destination
    STEPPED_UP = 13  # a = the higher level
    LEFT = 14  # called back, or the group closed; a = −1
    RELEASED = 15  # the bundle given back


ENDS = (Fact.COMPLETED, Fact.DROPPED_OUT, Fact.DISCHARGED, Fact.STEPPED_UP, Fact.LEFT)


class Cause(IntEnum):
    """Why a session did not take place; HELD: it did."""

    HELD = 0
    CLOSED = 1
    BELOW_MINIMUM = 2


class Missing(IntFlag):
    """What those who wait lack; ORDER: nothing, but a strict list's head blocks."""

    NOTHING = 0
    SEAT = 1
    CASELOAD = 2
    ORDER = 4


@dataclass(frozen=True, kw_only=True)
class Ledger:
    """The facts of one replication, as columns.

    Destinations: −1 is home, otherwise a level. Levels, sources, tracks, times, payers and groups are indexes
    into the tuples of names below. Origins index `origins`: the sources, then the levels, then "returned".

    Attributes:
        patient_*: One entry per patient (identity order: source, height cell, ordinal).
        stay_*: One entry per stay; `stay_kind` is the class of need within its level's waitlist.
        time, fact, stay, a, b, c: One entry per fact, in order of time.
        session_*: One entry per scheduled group session; `session_enrolled` counts those expected,
            `session_taken` all seats taken (held ones too); its members are
            `member_stay[session_first : session_first + session_enrolled]` (nobody if it was cancelled,
            that is `session_cause` > 0), `member_attended` 1 or 0.
        blocked_*: From `blocked_time` on, waiting stays of (level, kind) lack `blocked_missing` (bits of Missing).
    """

    sources: tuple[str, ...]
    levels: tuple[str, ...]
    origins: tuple[str, ...]
    tracks: tuple[str, ...]
    times: tuple[str, ...]
    payers: tuple[str, ...]
    groups: tuple[str, ...]
    posts: tuple[tuple[str, int], ...]
    services: tuple[str, ...]

    patient_source: Ints
    patient_cell: Ints
    patient_ordinal: Ints
    patient_track: Ints
    patient_time: Ints
    patient_payer: Ints
    patient_referred: Floats

    stay_patient: Ints
    stay_level: Ints
    stay_entry: Ints
    stay_kind: Ints

    time: Floats
    fact: Ints
    stay: Ints
    a: Ints
    b: Ints
    c: Ints

    session_time: Floats
    session_group: Ints
    session_cause: Ints
    session_enrolled: Ints
    session_taken: Ints
    session_first: Ints
    member_stay: Ints
    member_attended: NDArray[np.uint8]

    blocked_time: Floats
    blocked_level: Ints
    blocked_kind: Ints
    blocked_missing: Ints

    kernel_events: int


@dataclass(slots=True)
class Recorder:
    """Where the model writes while it runs: plain lists, in the order of the columns of `Ledger`."""

    facts: list[tuple[float, int, int, int, int, int]] = field(default_factory=list)
    stays: list[tuple[int, int, int, int]] = field(default_factory=list)
    sessions: list[tuple[float, int, int, int, int, int]] = field(default_factory=list)
    member_stay: list[int] = field(default_factory=list)
    member_attended: bytearray = field(default_factory=bytearray)
    blocked: list[tuple[float, int, int, int]] = field(default_factory=list)

    def write(self, time: float, fact: int, stay: int, a: int = -1, b: int = -1, c: int = -1) -> None:
        """Append one fact."""
        self.facts.append((time, fact, stay, a, b, c))
