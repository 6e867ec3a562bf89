"""Watches the numbers that the model keeps, where it changes them: who waits, has a place, has a therapist."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import numpy as np

from iopsim.model.capacity import Groups, Places
from iopsim.model.clock import Clock
from iopsim.model.posts import NOBODY, Caseload
from iopsim.model.waitlist import Waitlist

__all__ = ["ALL_LEVELS", "Changes", "days_of", "watching"]

ALL_LEVELS = ""
Changes = dict[tuple[str, str], list[tuple[float, int]]]
"""Time and change, by what changes and where."""


@contextmanager
def watching() -> Iterator[Changes]:
    """Every change of a number that the model keeps, while it runs inside."""
    changes: Changes = defaultdict(list)
    clocks: list[Clock] = []
    wound, added, removed, carried = Clock.__init__, Waitlist.add, Waitlist.remove, Caseload.count
    counted: dict[type, Any] = {room: room.count for room in (Places, Groups)}

    def wind(clock: Clock, first: float, last: float) -> None:
        wound(clock, first, last)
        clocks.append(clock)

    def note(what: str, where: str, change: int) -> None:
        changes[what, where].append((clocks[-1].now, change))

    def add(waitlist: Waitlist, stay: Any) -> None:
        added(waitlist, stay)
        note("waiting", stay.unit.name, 1)

    def remove(waitlist: Waitlist, stay: Any) -> None:
        removed(waitlist, stay)
        note("waiting", stay.unit.name, -1)

    def count(room: Places | Groups, stay: Any, change: int) -> None:
        counted[type(room)](room, stay, change)
        note("room", stay.unit.name, change * (len(stay.days) or 1))

    def carry(caseload: Caseload, post: int, change: int) -> None:
        carried(caseload, post, change)
        if post != NOBODY:
            note("therapist", ALL_LEVELS, change)

    with (
        patch.object(Clock, "__init__", wind),
        patch.object(Waitlist, "add", add),
        patch.object(Waitlist, "remove", remove),
        patch.object(Caseload, "count", carry),
        patch.object(Places, "count", count),
        patch.object(Groups, "count", count),
    ):
        yield changes


def days_of(changes: list[tuple[float, int]], days: float) -> float:
    """Time integral, over so many days from the start, of the number that changes so."""
    times, steps = np.array(changes or [(0.0, 0)]).T
    return float(steps @ (days - np.clip(times, 0, days)))
