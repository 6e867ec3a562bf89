"""What happened in one replication: facts, one row per patient transition and one per group session.

The model only appends here; whatever is averaged, priced or drawn is computed from it afterwards. Times are
days since the first measured day (`run.start`, 0:00), negative in the warm-up.

A *stay* is one patient's passage through one level, from the referral or the joining of its waitlist to giving back
the place. Facts of a stay come in this order; those in brackets need not happen:

    [REFERRED or SENT, [CONTACTED] [BOOKED [NO_SHOW BOOKED …] ASSESSED]] → LOST | WITHDRAWN
    JOINED [READY AUTHORIZED AGED ACCEPTED] → REFUSED | DENIED | RENEGED | WITHDRAWN
    ADMITTED STARTED [SUSPENDED [RESUMED]] [ASKED [LAPSED] [EXTENDED …] CUT]
      → COMPLETED | DROPPED_OUT | DISCHARGED | STEPPED_UP | LEFT → RELEASED

MOVED and REASSIGNED may come at any time between ADMITTED and RELEASED, and LEFT also before STARTED. Between the end
of treatment (or SUSPENDED) and RELEASED (or RESUMED) the place is held.
"""

from __future__ import annotations

import struct
from array import array
from dataclasses import dataclass, field
from enum import IntEnum, IntFlag
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

__all__ = [
    "ENDS", "SERVICES_A_WORD", "Cause", "Fact", "Ledger", "Missing", "PostState", "Reason", "Recorder", "Rows", "Stage",
    "in_order",
]  # fmt: skip

Floats = NDArray[np.float64]
Ints = NDArray[np.signedinteger[Any]]  # of 32 bits where nothing needs more: keys made of two take 64

SERVICES_A_WORD: Final = 62  # bits of a number that is never negative
_NARROW: Final = 31  # the same of one of 32 bits
_A_PAGE: Final = 8192  # rows


class Fact(IntEnum):
    """What can happen to a stay; `a`, `b`, `c` are the details of the row (−1: none)."""

    REFERRED = 0  # by a source; a = source
    SENT = 1  # from a level or as returning, to the first stage of access; a = origin
    CONTACTED = 2
    BOOKED = 3  # an intake appointment; a = days of lead, b = post
    NO_SHOW = 4  # at the appointment: a wasted slot; b = post
    ASSESSED = 5  # at the appointment; b = post
    LOST = 6  # at a stage of access; a = destination, b = Stage
    JOINED = 7  # the waitlist; a = origin (see Ledger.origins)
    READY = 8  # the treatment that went on meanwhile is over (refer_before_days)
    AUTHORIZED = 9  # by the payer
    DENIED = 10  # by the payer; a = destination (−1 too for a treatment that goes on)
    AGED = 11  # waited long; a = the new priority class
    ACCEPTED = 12  # takes a group at any time from now on; a = the new kind of need
    REFUSED = 13  # the list is full; a = destination (−1 too for a treatment that goes on)
    RENEGED = 14  # gave up waiting; a = destination
    WITHDRAWN = 15  # left a stage or the list for another reason (hold over, called back): counted as left
    ADMITTED = 16  # took the bundle; a = group, b = post (index over all posts), c = weekdays as bits
    MOVED = 17  # changed seats: taper or another group; a = group, c = weekdays as bits
    REASSIGNED = 18  # their clinician left; b = the new post, −1 while there is none
    STARTED = 19  # care; a, b = services of the stay, as bits: the first `SERVICES_A_WORD` and the others
    SUSPENDED = 20  # treatment, while waiting for a higher level; a = that level
    RESUMED = 21  # treatment
    ASKED = 22  # the payer for more units; a = units approved so far
    LAPSED = 23  # the approved units are used up and the answer is open; treatment goes on uncovered
    EXTENDED = 24  # by the payer; a = units approved in all
    CUT = 25  # the payer approves no more units
    COMPLETED = 26  # a = destination
    DROPPED_OUT = 27  # a = destination
    DISCHARGED = 28  # a = destination, b = Reason
    STEPPED_UP = 29  # a = the higher level
    LEFT = 30  # called back, or the group closed; a = −1
    RELEASED = 31  # the bundle given back


ENDS = (Fact.COMPLETED, Fact.DROPPED_OUT, Fact.DISCHARGED, Fact.STEPPED_UP, Fact.LEFT)


class Stage(IntEnum):
    """At which stage of access a referral was lost."""

    CONTACT = 0
    SCREEN = 1  # not eligible, before an appointment
    INTAKE = 2  # did not show, and did not book again
    ASSESSMENT = 3  # not eligible, found at the appointment


class Reason(IntEnum):
    """Why a patient was discharged."""

    MISSED = 0  # too many sessions in a row
    CUT = 1  # the payer approved no more, and the units are used up


class Cause(IntEnum):
    """Why a session did not take place; HELD: it did."""

    HELD = 0
    CLOSED = 1
    BELOW_MINIMUM = 2
    UNSTAFFED = 3
    MERGED = 4  # its members joined another group's session of the day


class Missing(IntFlag):
    """What those who wait lack; ORDER: nothing, but a strict list's head blocks."""

    NOTHING = 0
    SEAT = 1
    CASELOAD = 2
    HOURS = 4  # an appointment that admission waits for
    AUTHORIZATION = 8  # of the stay, whatever its kind lacks
    TREATMENT = 16  # is not over yet in the level before: of the stay, nothing else counts meanwhile
    ORDER = 32


class PostState(IntEnum):
    """Whether somebody holds a post and is there."""

    VACANT = 0
    FILLED = 1
    AWAY = 2
    CLOSED = 3  # the plan has the post no longer


@dataclass(frozen=True, kw_only=True)
class Ledger:
    """The facts of one replication, as columns.

    Destinations: −1 is home, otherwise a level. Levels, sources, tracks, times, payers and groups are indexes
    into the tuples of names below. Origins index `origins`: the sources, then the levels, then "returned".

    Patients, posts and groups are numbered in the order in which they come: those who are there at the opening first.

    Attributes:
        patient_*: One entry per patient: their source, height cell and ordinal say who they are in every plan.
        stay_*: One entry per stay; `stay_kind` is the class of need within its level's waitlist.
        time, fact, stay, a, b, c: One entry per fact, in order of time.
        session_*: One entry per scheduled group session; `session_enrolled` counts those expected,
            `session_taken` all seats taken (held ones too); its members are
            `member_stay[session_first : session_first + session_enrolled]` (nobody if it was cancelled,
            that is `session_cause` > 0), `member_attended` 1 or 0. Guests of a merged session count where they went.
        blocked_*: From `blocked_time` on, waiting stays of (level, kind) lack `blocked_missing` (bits of Missing), and
            those that are not authorized or not ready that too.
        post_*: From `post_time` on, a post (index into `posts`) is in a PostState and has a caseload limit. Every post
            has a row at the opening, or when the plan first has it.
        visit_*: Visits of services that wait for hours: when given, to which stay, which service, when it was due.
        cover_*: Hours of a role that were covered from outside, by the session's start.
        resident_stay, listed_stay, applicant_stay: Stays of those in care, on a waitlist and before it when a run from
            today begins, in the order of the files; what came before is written at its own, earlier time.
    """

    sources: tuple[str, ...]
    levels: tuple[str, ...]
    origins: tuple[str, ...]
    tracks: tuple[str, ...]
    times: tuple[str, ...]
    modalities: tuple[str, ...]
    payers: tuple[str, ...]
    groups: tuple[str, ...]
    roles: tuple[str, ...]
    posts: tuple[tuple[str, int], ...]
    services: tuple[str, ...]

    patient_source: Ints
    patient_cell: Ints
    patient_ordinal: Ints
    patient_track: Ints
    patient_time: Ints
    patient_modality: Ints
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

    post_time: Floats
    post_number: Ints
    post_state: Ints
    post_limit: Ints

    visit_time: Floats
    visit_stay: Ints
    visit_service: Ints
    visit_due: Floats

    cover_time: Floats
    cover_role: Ints
    cover_hours: Floats

    resident_stay: Ints = field(default_factory=lambda: np.empty(0, np.int32))
    listed_stay: Ints = field(default_factory=lambda: np.empty(0, np.int32))
    applicant_stay: Ints = field(default_factory=lambda: np.empty(0, np.int32))

    kernel_events: int


def in_order(numbers: Ints) -> Ints:
    """Places of whole numbers, none of them negative, from the smallest on; those that are alike stay as they are.

    Sixteen bits at a time, the lower ones first: numpy takes a fifth of the time for numbers that are so short.
    """
    order: Ints = np.argsort(numbers.astype(np.uint16), kind="stable")
    higher = numbers >> 16
    while higher.any():
        order = order[np.argsort(higher[order].astype(np.uint16), kind="stable")]
        higher >>= 16
    return order


class Rows:
    """The rows of one table as the model writes them, packed: a tuple a row would take six times the room.

    Args:
        columns: The table's columns in the order of a row, as `Ledger` calls them.
        wide: Those of whole numbers that may need more than 32 bits.
    """

    def __init__(self, *columns: str, wide: Collection[str] = ()) -> None:
        kinds = [_kind(column, wide) for column in columns]
        self._type = np.dtype(list(zip(columns, kinds, strict=True)))
        self._struct = struct.Struct("=" + "".join(kinds))  # no gaps between them
        self.pack = self._struct.pack
        self.packed = bytearray()

    def append(self, row: tuple[float, ...]) -> None:
        """Add a row."""
        self.packed += self.pack(*row)

    def __len__(self) -> int:
        return len(self.packed) // self._struct.size

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        return self._struct.iter_unpack(self.packed)

    def change(self, place: int, column: str, value: int) -> None:
        """Put another whole number into a row."""
        np.frombuffer(self.packed, dtype=self._type)[column][place] = value

    def sort(self) -> None:
        """By the first column; rows that are alike in it keep their order."""
        rows = sorted(self, key=itemgetter(0))
        self.packed = bytearray(b"".join(self.pack(*row) for row in rows))

    def columns(self) -> dict[str, NDArray[Any]]:
        """Each column by itself; the rows are gone then: no more than one table is there twice at any time."""
        table, self.packed = np.frombuffer(self.packed, dtype=self._type), bytearray()
        columns = {name: np.empty(len(table), self._type[name]) for name in self._type.names or ()}
        # Page by page: a long table is gone through once, and not for each column.
        for first in range(0, len(table), _A_PAGE):
            page = slice(first, first + _A_PAGE)
            for name, column in columns.items():
                column[page] = table[name][page]
        return columns


_IN_DAYS = {
    "time", "session_time", "blocked_time", "post_time", "visit_time", "visit_due", "cover_time", "cover_hours",
}  # fmt: skip
_IN_BYTES = {"fact", "c"}


def _kind(column: str, wide: Collection[str]) -> str:
    """How the numbers of a column are packed, as `struct` and numpy both call it."""
    if column in _IN_DAYS:
        return "d"
    if column in _IN_BYTES:
        return "b"
    return "q" if column in wide else "i"


class Recorder:
    """Where the model writes while it runs: the tables of `Ledger`, row by row.

    Args:
        services: How many the program has: those of a stay are written as bits.
    """

    def __init__(self, services: int = 0) -> None:
        wide = ("a", "b") if services > _NARROW else ()
        self.facts = Rows("time", "fact", "stay", "a", "b", "c", wide=wide)
        self.stays = Rows("stay_patient", "stay_level", "stay_entry", "stay_kind")
        self.sessions = Rows(
            "session_time",
            "session_group",
            "session_cause",
            "session_enrolled",
            "session_taken",
            "session_first",
        )
        self.blocked = Rows("blocked_time", "blocked_level", "blocked_kind", "blocked_missing")
        self.posts = Rows("post_time", "post_number", "post_state", "post_limit")
        self.visits = Rows("visit_time", "visit_stay", "visit_service", "visit_due")
        self.covers = Rows("cover_time", "cover_role", "cover_hours")
        self.member_stay: array[int] = array("q")
        # By stay: whether each of its sessions, from the first on, is attended; and how many were before the run began.
        self.attends: dict[int, bytes] = {}
        self.had_before: dict[int, int] = {}
        self.residents: list[int] = []
        self.listed: list[int] = []
        self.applicants: list[int] = []
        self._pack_fact, self._pack_session = self.facts.pack, self.sessions.pack

    def write(self, time: float, fact: int, stay: int, a: int = -1, b: int = -1, c: int = -1) -> None:
        """Append one fact."""
        self.facts.packed += self._pack_fact(time, fact, stay, a, b, c)

    def write_session(self, time: float, group: int, cause: int, enrolled: int, taken: int) -> None:
        """Append one session, whose members are those that are written next."""
        first = len(self.member_stay)
        self.sessions.packed += self._pack_session(time, group, cause, enrolled, taken, first)

    def columns(self) -> dict[str, Any]:
        """All rows as the columns of `Ledger`."""
        tables = (
            self.facts, self.stays, self.sessions, self.blocked, self.posts, self.visits, self.covers,
        )  # fmt: skip
        columns: dict[str, Any] = {}
        for table in tables:
            columns |= table.columns()
        columns["member_stay"] = np.array(self.member_stay, dtype=np.int32)
        columns["resident_stay"] = np.array(self.residents, dtype=np.int32)
        columns["listed_stay"] = np.array(self.listed, dtype=np.int32)
        columns["applicant_stay"] = np.array(self.applicants, dtype=np.int32)
        columns["member_attended"] = self._attended(columns["member_stay"])
        return columns

    def _attended(self, member_stay: Ints) -> NDArray[np.uint8]:
        """Whether each member of each session attended: a stay's n-th row is the n-th of its own sessions."""
        by_stay = in_order(member_stay)
        stay = member_stay[by_stay]
        firsts = np.flatnonzero(np.diff(stay, prepend=-1))
        stays, sessions = stay[firsts], np.diff(firsts, append=len(stay))
        parts = [
            self.attends[stay][(before := self.had_before.get(stay, 0)) : before + number]
            for stay, number in zip(stays.tolist(), sessions.tolist(), strict=True)
        ]
        attended = np.empty(len(member_stay), dtype=np.uint8)
        attended[by_stay] = np.frombuffer(b"".join(parts), dtype=np.uint8)
        return attended
