"""Who waits for a level, in the order in which they will be asked (model.md §6)."""

from __future__ import annotations

from collections import Counter
from heapq import heappop, heappush
from typing import TYPE_CHECKING

from iopsim.model.ledger import Missing
from iopsim.model.people import State

if TYPE_CHECKING:
    from collections.abc import Iterator

    from iopsim.model.people import Rank, Stay

__all__ = ["Waitlist"]

Entry = tuple["Rank", "Stay"]


class Waitlist:
    """One queue per kind of need, each by (priority class, time of joining, identity).

    Those who leave, or whose rank or kind changes, are dropped when their old entry comes to the head (lazy
    deletion). `waiting[kind]` counts who really waits; `unready` are those of them who lack something of their own
    (`Stay.lacks`) and stand in no queue yet; `holders` those who hold a place elsewhere and lack nothing.
    """

    def __init__(self) -> None:
        self._queues: list[list[Entry]] = []
        self._queued: list[int] = []
        self.waiting: list[int] = []
        self.size = 0
        self.by_origin: Counter[int] = Counter()
        self.unready: dict[int, Stay] = {}
        self.holders: dict[int, Stay] = {}

    def add(self, stay: Stay) -> None:
        """Put a stay on the list."""
        self.size += 1
        self.by_origin[stay.origin] += 1
        self._make_room(stay.kind)
        self.waiting[stay.kind] += 1
        if stay.lacks:
            self.unready[stay.number] = stay
        else:
            self._line_up(stay)

    def _make_room(self, kind: int) -> None:
        while len(self._queues) <= kind:
            self._queues.append([])
            self._queued.append(0)
            self.waiting.append(0)

    def _line_up(self, stay: Stay) -> None:
        heappush(self._queues[stay.kind], (stay.rank, stay))
        self._queued[stay.kind] += 1
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
            self._queued[stay.kind] -= 1
            self._queued[kind] += 1
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
            self._queued[stay.kind] -= 1
            self.holders.pop(stay.number, None)

    def heads(self, kinds: set[int] | None) -> Iterator[Stay]:
        """The first of each kind (None: of all kinds) that somebody who is ready waits for."""
        for kind, number in enumerate(self._queued):
            if number and (kinds is None or kind in kinds):
                queue = self._queues[kind]
                rank, stay = queue[0]
                while stay.rank is not rank or stay.state is not State.WAITING or stay.kind != kind:
                    heappop(queue)  # it has left, or stands elsewhere by now
                    rank, stay = queue[0]
                yield stay

    def head(self) -> Stay | None:
        """The first of all whom a strict list asks: authorized or not, but not still treated in the level before."""
        unready = (stay for stay in self.unready.values() if not stay.lacks & Missing.TREATMENT)
        first = [*self.heads(None), *unready]
        return min(first, key=lambda stay: stay.rank) if first else None
