"""Who waits for a level, in the order in which they will be asked (model.md §6)."""

from __future__ import annotations

from heapq import heappop, heappush
from typing import TYPE_CHECKING, Final

from iopsim.model.ledger import Missing
from iopsim.model.people import WAITING

if TYPE_CHECKING:
    from iopsim.model.people import Rank, Stay

__all__ = ["Kind", "Waitlist"]

_TREATMENT: Final = int(Missing.TREATMENT)

Entry = tuple["Rank", "Stay"]


class Kind:
    """Those of a level who need the same, with the queue of those who wait, by their rank.

    Attributes:
        number: Place among the kinds of the level.
        need: What they need, as the level's capacity numbers it.
        gates: Services that their admission waits for.
        waiting: How many wait.
        queued: How many of them stand in the queue; the others lack something of their own (`Stay.lacks`).
        noted: What they lacked when it was last written down, as bits of `Missing`.
    """

    __slots__ = ("_queue", "gates", "need", "noted", "number", "queued", "waiting")

    def __init__(self, number: int, need: int, gates: tuple[int, ...]) -> None:
        self.number = number
        self.need = need
        self.gates = gates
        self.waiting = 0
        self.queued = 0
        self.noted = 0
        self._queue: list[Entry] = []

    def line_up(self, rank: Rank, stay: Stay) -> None:
        """Let a stay stand in the queue."""
        self.queued += 1
        heappush(self._queue, (rank, stay))

    def first(self) -> Stay:
        """The first in the queue, in which somebody stands.

        Who has left, or whose rank or kind has changed, is dropped when the old entry comes to the head.
        """
        rank, stay = self._queue[0]
        while stay.rank != rank or stay.state is not WAITING or stay.kind is not self:
            heappop(self._queue)
            rank, stay = self._queue[0]
        return stay


class Waitlist:
    """All who wait for a level, by kind of need.

    `unready` are those who lack something of their own; `holders` those in a queue who hold a place elsewhere.
    """

    def __init__(self) -> None:
        self.kinds: list[Kind] = []
        self.size = 0
        self.by_origin: dict[int, int] = {}
        self.unready: dict[int, Stay] = {}
        self.holders: dict[int, Stay] = {}

    def add(self, stay: Stay) -> None:
        """Put a stay on the list."""
        self.size += 1
        self.by_origin[stay.origin] = self.by_origin.get(stay.origin, 0) + 1
        stay.kind.waiting += 1
        if stay.lacks:
            self.unready[stay.number] = stay
        else:
            self._line_up(stay)

    def _line_up(self, stay: Stay) -> None:
        stay.kind.line_up(stay.rank, stay)
        if stay.patient.here is not None:
            self.holders[stay.number] = stay

    def ready(self, stay: Stay) -> None:
        """The stay lacks nothing of its own any more."""
        del self.unready[stay.number]
        self._line_up(stay)

    def change(self, stay: Stay, rank: Rank, kind: Kind) -> None:
        """Give a stay another rank or kind of need."""
        stay.kind.waiting -= 1
        kind.waiting += 1
        if not stay.lacks:
            stay.kind.queued -= 1
            kind.line_up(rank, stay)
        stay.rank, stay.kind = rank, kind

    def remove(self, stay: Stay) -> None:
        """Take a stay off the list, whatever becomes of it."""
        self.size -= 1
        stay.kind.waiting -= 1
        self.by_origin[stay.origin] -= 1
        if stay.lacks:
            del self.unready[stay.number]
        else:
            stay.kind.queued -= 1
            if stay.number in self.holders:
                del self.holders[stay.number]

    def head(self) -> Stay | None:
        """The first of all whom a strict list asks: authorized or not, but not still treated in the level before."""
        unready = (stay for stay in self.unready.values() if not stay.lacks & _TREATMENT)
        ready = (kind.first() for kind in self.kinds if kind.queued)
        return min([*ready, *unready], key=lambda stay: stay.rank, default=None)
