"""A pool: what some patients must share, and how much of it they ask for."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from iopsim.scenario.findings import words

if TYPE_CHECKING:
    from collections.abc import Collection

    from iopsim.scenario.plausible.flows import Stream
    from iopsim.scenario.schema import Scenario

__all__ = ["NOTHING", "TIGHT", "Pool", "has_limit", "is_bounded", "together"]

TIGHT = 0.95
NOTHING = 0.005  # a share that is told as 0 %
_MOST_NAMES = 4  # that a row of the table holds


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """What some patients must share.

    Attributes:
        level: The level, or those that share a caseload or appointments, as in a sentence.
        constraint: `places`, `seats`, `starts` (of cohorts), `caseload` or `slots` (for appointments).
        whom: Which of the level's patients, such as `mood, evening` (empty: all), or whose caseload.
        unit: Of load and capacity.
        load: What they would take if nobody had to wait or gave up.
        capacity: What there is.
        path: Where in the scenario the capacity is said.
        streams: The patients who wait for it.
        remark: Why there is less than one may think; empty where there is not.
    """

    level: str
    constraint: str
    whom: str
    unit: str
    load: float
    capacity: float
    path: str
    streams: tuple[Stream, ...] = field(repr=False)
    remark: str = field(default="", repr=False)

    @property
    def name(self) -> str:
        """What people read: `iop seats (mood, evening)`."""
        return f"{self.level} {self.constraint}{f' ({self.whom})' if self.whom else ''}"

    @property
    def utilization(self) -> float:
        """Load over capacity; infinite without capacity."""
        return self.load / self.capacity if self.capacity else math.inf

    @property
    def balance(self) -> str:
        """Load and capacity in words."""
        share = f" ({self.utilization:.0%})" if self.capacity else ""
        return f"{self.name}: {self.load:.1f} {self.unit} needed, {self.capacity:.1f} there{share}"

    @property
    def lost_share(self) -> float:
        """Share of the load that can never be carried: 1 − 1 ÷ utilization."""
        return 1 - self.capacity / self.load if self.load > self.capacity else 0.0

    @property
    def overflows(self) -> bool:
        """Whether a share worth telling can never be carried."""
        return self.lost_share >= NOTHING


def is_bounded(scenario: Scenario, pool: Pool) -> bool:
    """Whether nobody waits for the pool without end: all have limited patience, or the waitlist is capped."""
    return all(has_limit(scenario, pool, stream) for stream in pool.streams)


def has_limit(scenario: Scenario, pool: Pool, stream: Stream) -> bool:
    """Whether some of a stream give up waiting for the pool or are refused; before intake nobody is."""
    if pool.constraint == "slots" and stream.appointments_per_week:
        return False
    at_most = scenario.levels[stream.level].waitlist.at_most
    return stream.care.patience_days is not None or isinstance(at_most, int)


def together(levels: Collection[str]) -> str:
    """The levels that share a pool, by name, or their number where they are many."""
    return words(levels) if len(levels) <= _MOST_NAMES else f"{len(levels)} levels"
