"""The clock: SimPy's event heap, on which functions are called at absolute instants, in a fixed order."""

from __future__ import annotations

from heapq import heappop, heappush
from math import ceil, floor
from typing import TYPE_CHECKING, Any, Final

import simpy

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["ALLOCATION", "ARRIVAL", "CHANGE", "COMPLETION", "LEAVING", "RENEGING", "SESSION", "Clock"]

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

_LENGTH: Final = 5  # of a call; SimPy's own entries have four parts

Call = tuple[Any, ...]  # instant, order, number, function, argument


class Clock:
    """A SimPy environment with `call_at`, which puts a bare call on SimPy's own event heap.

    A call costs half of what an `Event` with a callback does, and takes an absolute time: `Timeout(t - now)`
    would miss `t` by a rounding error and so decide ties by chance. Ordinary SimPy events and processes work on
    the same clock, in its `environment`.

    Calls of later days wait in a list for each day, which is sorted at its midnight; only calls that are made for the
    same day go through the heap: a heap of all that is to come would be gone through, far and wide, at every call. What
    is due after the end never comes, and is not kept.

    Args:
        first, last: When the clock begins and ends, in days.
    """

    def __init__(self, first: float, last: float) -> None:
        self.now = first
        self._last = last
        self._day = floor(first)
        self.environment = _Environment(self)
        self._queue: list[Call] = self.environment._queue
        self._number = 0.5  # SimPy numbers its own events by whole numbers
        self.calls = 0
        self._midnight = self._day + 1.0
        self._days: list[list[Call]] = [[] for _ in range(self._day, ceil(last))]
        self._today: list[Call] = []  # what was known of the day at its midnight, the last first

    def call_at(self, time: float, order: int, function: Callable[[Any], None], argument: Any) -> None:
        """Call `function(argument)` at `time`; `order` is one of the constants above plus a tie-breaker."""
        self._number += 1.0
        call: Call = (time, order, self._number, function, argument)
        if time < self._midnight:
            heappush(self._queue, call)
        elif time < self._last:
            self._days[floor(time) - self._day].append(call)

    def run(self) -> None:
        """Process all that is due before the end and leave the clock there."""
        for day in range(1, len(self._days)):
            self._live_until(self._midnight)
            self._today, self._days[day] = self._days[day], []
            self._today.sort(reverse=True)
            self._midnight += 1.0
        self._live_until(self._last)
        self.now = self._last

    def forget(self) -> None:
        """Drop all that is still to come."""
        self._days.clear()
        self._today.clear()
        self._queue.clear()

    def _live_until(self, end: float) -> None:
        queue, today, calls = self._queue, self._today, 0
        while True:
            if today and not (queue and queue[0] < today[-1]):
                call = today.pop()
                if call[0] >= end:
                    today.append(call)
                    break
            elif queue and queue[0][0] < end:
                if len(queue[0]) < _LENGTH:
                    self.environment.step()
                    continue
                call = heappop(queue)
            else:
                break
            self.now = call[0]
            call[3](call[4])
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
