"""The clock: a SimPy environment on which functions are called at absolute instants, in a fixed order."""

from __future__ import annotations

from collections import defaultdict
from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING, Any

import simpy

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["ALLOCATION", "ARRIVAL", "CHANGE", "COMPLETION", "LEAVING", "RENEGING", "SESSION", "Clock"]

# Order of what happens at one instant (model.md §5: releases, then those who wait, then arrivals). Within one
# kind, `tie` decides: the patient's identity, never the order in which the calls were made.
_STEP = 1 << 48
CHANGE = -1 * _STEP  # of the plan, at 0:00 of its date
COMPLETION = 0 * _STEP  # whoever completes at an instant has completed
LEAVING = 1 * _STEP  # dropout, step-up, the end of a hold or a lag, a return
SESSION = 2 * _STEP
ALLOCATION = 3 * _STEP
RENEGING = 4 * _STEP  # a place that comes free as patience ends is still taken
ARRIVAL = 5 * _STEP


class Clock(simpy.Environment):
    """A SimPy environment with `call_at`, which puts a bare call on SimPy's own event heap.

    A call costs half of what an `Event` with a callback does, and takes an absolute time: `Timeout(t - now)`
    would miss `t` by a rounding error and so decide ties by chance. Ordinary SimPy events and processes work on
    the same clock.

    Calls of later days wait in a list for each day and come onto the heap at its midnight: a heap of all that is to
    come would be gone through, far and wide in memory, at every call.
    """

    def __init__(self, initial_time: float) -> None:
        super().__init__(initial_time)
        self.calls = 0
        self._midnight = initial_time // 1 + 1.0
        self._later: defaultdict[float, list[Any]] = defaultdict(list)

    def call_at(self, time: float, order: int, function: Callable[[Any], None], argument: Any) -> None:
        """Call `function(argument)` at `time`; `order` is one of the constants above plus a tie-breaker."""
        call: Any = (time, order, next(self._eid), (function, argument))
        if time < self._midnight:
            heappush(self._queue, call)
        else:
            self._later[time // 1].append(call)

    def run_until(self, end: float) -> None:
        """Process all that is due before `end` and leave the clock there."""
        queue: list[Any] = self._queue
        while self._midnight < end:
            self._live_until(self._midnight)
            queue += self._later.pop(self._midnight, ())
            heapify(queue)
            self._midnight += 1.0
        self._live_until(end)
        self._now = end

    def _live_until(self, end: float) -> None:
        queue: list[Any] = self._queue
        calls = 0
        while queue and queue[0][0] < end:
            if type(queue[0][3]) is tuple:
                self._now, _, _, (function, argument) = heappop(queue)
                function(argument)
                calls += 1
            else:
                self.step()
        self.calls += calls
