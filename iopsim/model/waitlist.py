"""Who waits for a level, in the order in which they will be asked (model.md §6)."""

from __future__ import annotations

from heapq import heappop, heappush
from typing import TYPE_CHECKING, Final

from iopsim.model.ledger import Missing
from iopsim.model.people import WAITING

if TYPE_CHECKING:
    from iopsim.model.people import Rank, Stay

__all__ = ["Waitlist"]

_TREATMENT: Final = int(Missing.TREATMENT)

Entry = tuple["Rank", "Stay"]


class Waitlist:
    """One queue per kind of need, each by (priority class, time of joining, identity).

    Those who leave, or whose rank or kind changes, are dropped when their old entry comes to the head (lazy
    deletion). `waiting[kind]` counts who really waits, `queued[kind]` those of them who stand in the queue; `unready`
    are the others, who lack something of their own (`Stay.lacks`); `holders` those in a queue who hold a place
    elsewhere.
    """

    def __init__(self) -> None:
        self._queues: list[list[Entry]] = []
        self.queued: list[int] = []
        self.waiting: list[int] = []
        self.size = 0
        self.by_origin: dict[int, int] = {}
        self.unready: dict[int, Stay] = {}
        self.holders: dict[int, Stay] = {}

    def add(self, stay: Stay) -> None:
        """Put a stay on the list."""
        self.size += 1
        self.by_origin[stay.origin] = self.by_origin.get(stay.origin, 0) + 1
        if stay.kind >= len(self.waiting):
            self._make_room(stay.kind)
        self.waiting[stay.kind] += 1
        if stay.lacks:
            self.unready[stay.number] = stay
        else:
            self._line_up(stay)

    def _make_room(self, kind: int) -> None:
        while len(self._queues) <= kind:
            self._queues.append([])
            self.queued.append(0)
            self.waiting.append(0)

    def _line_up(self, stay: Stay) -> None:
        heappush(self._queues[stay.kind], (stay.rank, stay))
        self.queued[stay.kind] += 1
        if stay.patient.here is not None:
            self.holders[stay.number] = stay

    def ready(self, stay: Stay) -> None:
        """The stay lacks nothing of its own any more."""
        del self.unready[stay.number]
        self._line_up(stay)

    def change(self, stay: Stay, rank: Rank, kind: int) -> None:
        """Give a stay another rank or kind of need."""
        self._make_room(kind)
        self.waiting[stay.kind] -= 1
        self.waiting[kind] += 1
        if not stay.lacks:
            self.queued[stay.kind] -= 1
            self.queued[kind] += 1
            heappush(self._queues[kind], (rank, stay))
        stay.rank, stay.kind = rank, kind

    def remove(self, stay: Stay) -> None:
        """Take a stay off the list, whatever becomes of it."""
        self.size -= 1
        self.waiting[stay.kind] -= 1
        self.by_origin[stay.origin] -= 1
        if stay.lacks:
            del self.unready[stay.number]
        else:
            self.queued[stay.kind] -= 1
            if stay.number in self.holders:
                del self.holders[stay.number]

    def first(self, kind: int) -> Stay:
        """The first of a kind that somebody who is ready waits for."""
        queue = self._queues[kind]
        rank, stay = queue[0]
        while stay.rank != rank or stay.state is not WAITING or stay.kind != kind:
            heappop(queue)  # it has left, or stands elsewhere by now
            rank, stay = queue[0]
        return stay

    def head(self) -> Stay | None:
        """The first of all whom a strict list asks: authorized or not, but not still treated in the level before."""
        unready = (stay for stay in self.unready.values() if not stay.lacks & _TREATMENT)
        ready = (self.first(kind) for kind, number in enumerate(self.queued) if number)
        return min([*ready, *unready], key=lambda stay: stay.rank, default=None)
