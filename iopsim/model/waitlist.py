"""Who waits for a level, in the order in which they will be asked (model.md §6)."""

from __future__ import annotations

from collections import Counter
from heapq import heappop, heappush
from typing import TYPE_CHECKING

from iopsim.model.people import State

if TYPE_CHECKING:
    from collections.abc import Iterator

    from iopsim.model.people import Stay

__all__ = ["Waitlist"]

Entry = tuple[tuple[int, float, int, int], "Stay"]


class Waitlist:
    """One queue per kind of need, each by (priority class, time of joining, identity).

    Those who leave are dropped when they come to the head (lazy deletion). `waiting[kind]` counts who really waits;
    `holders` are those who hold a place elsewhere meanwhile.
    """

    def __init__(self) -> None:
        self._queues: list[list[Entry]] = []
        self.waiting: list[int] = []
        self.size = 0
        self.by_origin: Counter[int] = Counter()
        self.holders: dict[int, Stay] = {}

    def add(self, stay: Stay) -> None:
        """Put a stay on the list."""
        while len(self._queues) <= stay.kind:
            self._queues.append([])
            self.waiting.append(0)
        heappush(self._queues[stay.kind], (stay.rank, stay))
        self.size += 1
        self.waiting[stay.kind] += 1
        self.by_origin[stay.origin] += 1
        if stay.patient.here is not None:
            self.holders[stay.number] = stay

    def remove(self, stay: Stay) -> None:
        """Take a stay off the list, whatever becomes of it."""
        self.size -= 1
        self.waiting[stay.kind] -= 1
        self.by_origin[stay.origin] -= 1
        self.holders.pop(stay.number, None)

    def heads(self, kinds: set[int] | None) -> Iterator[Stay]:
        """The first of each kind (None: of all kinds) that somebody waits for."""
        for kind, number in enumerate(self.waiting):
            if number and (kinds is None or kind in kinds):
                queue = self._queues[kind]
                while queue[0][1].state is not State.WAITING:
                    heappop(queue)
                yield queue[0][1]
