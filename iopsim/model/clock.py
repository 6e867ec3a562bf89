"""The clock: SimPy's event heap, on which functions are called at absolute instants, in a fixed order."""

from __future__ import annotations

from heapq import heappop, heappush
from math import ceil, floor, inf
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final

import simpy

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["ALLOCATION", "ARRIVAL", "CHANGE", "COMPLETION", "LEAVING", "RENEGING", "SESSION", "Call", "Clock"]

# Order of what happens at one instant (model.md §5: releases, then those who wait, then arrivals). Within one
# kind, `tie` decides: the patient's identity, never the order in which the calls were made.
_STEP: Final = 1 << 48
CHANGE: Final = -1 * _STEP  # of the plan, at 0:00 of its date
COMPLETION: Final = 0 * _STEP  # whoever completes at an instant has completed
LEAVING: Final = 1 * _STEP  # dropout, step-up, the end of a hold or a lag, a return
SESSION: Final = 2 * _STEP
ALLOCATION: Final = 3 * _STEP
RENEGING: Final = 4 * _STEP  # a place that comes free as patience ends is still taken
ARRIVAL: Final = 5 * _STEP

_IN_ORDER: Final = attrgetter("time", "order")

Entry = tuple[Any, ...]  # of a heap: instant, order, number, function, argument; SimPy's own have four parts
_LENGTH: Final = 5
_NOTHING: Final[Entry] = (inf, 0)


class Call:
    """What the clock keeps of `function(argument)` until its day: a small thing, for there are many thousands."""

    __slots__ = ("argument", "function", "order", "time")

    def __init__(
        self, time: float, order: int, function: Callable[[Any], None] | None, argument: Any
    ) -> None:
        self.time = time
        self.order = order
        self.function = function
        self.argument = argument

    def call_off(self) -> None:
        """Nothing will be called, and nobody is kept for it."""
        self.function = self.argument = None

    def come(self) -> None:
        """Its time has come."""
        if self.function is not None:
            self.function(self.argument)


class Clock:
    """A SimPy environment with `call_at`, which puts a bare call on SimPy's own event heap.

    A call costs half of what an `Event` with a callback does, and takes an absolute time: `Timeout(t - now)`
    would miss `t` by a rounding error and so decide ties by chance. Ordinary SimPy events and processes work on
    the same clock, in its `environment`.

    Calls of later days wait in a list for each day, which is sorted at its midnight; only calls that are made for the
    same day go through the heap: a heap of all that is to come would be gone through, far and wide, at every call.
    Those for this very instant have a heap of their own, which is as small. What is due after the end never comes,
    and is not kept.

    Args:
        first, last: When the clock begins and ends, in days.
    """

    def __init__(self, first: float, last: float) -> None:
        self.now = first
        self._last = last
        self._day = floor(first)
        self.environment = _Environment(self)
        self._queue: list[Entry] = self.environment._queue
        self._number = 0.5  # SimPy numbers its own events by whole numbers
        self.calls = 0
        self._midnight = self._day + 1.0
        self._days: list[list[Call]] = [[] for _ in range(self._day, ceil(last))]
        self._today: list[Call] = []  # what was known of the day at its midnight, the last first
        self._instant: list[Entry] = []

    def call_at(self, time: float, order: int, function: Callable[[Any], None], argument: Any) -> None:
        """Call `function(argument)` at `time`; `order` is one of the constants above plus a tie-breaker."""
        if time < self._midnight:
            self._number += 1.0
            entry: Entry = (time, order, self._number, function, argument)
            heappush(self._instant if time == self.now else self._queue, entry)
        elif time < self._last:
            self._days[floor(time) - self._day].append(Call(time, order, function, argument))

    def foresee(self, time: float, order: int, function: Callable[[Any], None], argument: Any) -> Call:
        """As `call_at`, of what may be called off."""
        call = Call(time, order, function, argument)
        if time < self._midnight:
            self.call_at(time, order, Call.come, call)
        elif time < self._last:
            self._days[floor(time) - self._day].append(call)
        return call

    def run(self) -> None:
        """Process all that is due before the end and leave the clock there."""
        for day in range(1, len(self._days)):
            self._live_until(self._midnight)
            self._today, self._days[day] = self._days[day], []
            self._today.sort(key=_IN_ORDER)  # those that are alike stay as they were made
            self._today.reverse()
            self._midnight += 1.0
        self._live_until(self._last)
        self.now = self._last

    def forget(self) -> None:
        """Drop all that is still to come."""
        self._days.clear()
        self._today.clear()
        self._instant.clear()
        self._queue.clear()

    def _live_until(self, end: float) -> None:
        instant, today, queue, calls = self._instant, self._today, self._queue, 0
        while True:
            heap = instant if instant and not (queue and queue[0] < instant[0]) else queue
            entry = heap[0] if heap else _NOTHING
            time: float = entry[0]
            # What was known at midnight was made before what was not: at one instant, in one place, it comes first.
            if today and ((call := today[-1]).time < time or (call.time == time and call.order <= entry[1])):
                if call.time >= end:
                    break
                today.pop()
                self.now = call.time
                if call.function is not None:
                    call.function(call.argument)
            elif time >= end:
                break
            elif len(entry) == _LENGTH:
                heappop(heap)
                self.now = time
                entry[3](entry[4])
            else:
                self.environment.step()
                continue
            calls += 1
        self.calls += calls


class _Environment(simpy.Environment):
    """SimPy's environment, whose time is the clock's."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        super().__init__(clock.now)

    @property
    def _now(self) -> float:
        return self._clock.now

    @_now.setter
    def _now(self, time: float) -> None:
        self._clock.now = time
