"""What a sweep answers: the frontier of cost against wait, the cheapest point that meets the targets, the next one."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from iopsim.experiment.names import Reported, reported
from iopsim.experiment.summary import Gathered, goals

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from iopsim.experiment.statistics import Interval
    from iopsim.experiment.summary import Estimate, Goal
    from iopsim.experiment.sweep.load import Design
    from iopsim.experiment.sweep.table import Judged

__all__ = ["Answer", "answer", "cost_difference", "enough_to_decide", "frontier"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the points say together.

    Attributes:
        frontier: Points that no other beats in cost and wait, the cheapest first.
        meeting: Points that meet all targets, the cheapest first.
        undecided: Points that miss no target and are not known to meet all of them, the cheapest first.
        difference: How much more the second of `meeting` costs than the first, over the same patients; None where
            there are no two.
        nearest: Where no point meets all targets, the one that comes nearest.
    """

    frontier: tuple[Judged, ...]
    meeting: tuple[Judged, ...] = ()
    undecided: tuple[Judged, ...] = ()
    difference: Interval | None = None
    nearest: Judged | None = None

    @property
    def cheapest(self) -> Judged | None:
        """The cheapest point that meets all targets."""
        return self.meeting[0] if self.meeting else None

    @property
    def may_be_cheaper(self) -> tuple[Judged, ...]:
        """Undecided points that cost less than the cheapest that meets all targets."""
        best = self.cheapest
        return tuple(one for one in self.undecided if best and _cost(one) < _cost(best))


def answer(design: Design, judged: Sequence[Judged]) -> Answer:
    """Weigh the points of a sweep."""
    asked = goals(design.base.targets)
    met, undecided = (
        tuple(sorted((one for one in judged if one.verdict == verdict), key=_cost))
        for verdict in ("met", "undecided")
    )
    difference = None
    if design.cost and len(met) > 1:
        difference = cost_difference(met[0], met[1], design.cost, reported(design.base)[design.cost])
    nearest = None
    if asked and judged and not met:
        nearest = min(judged, key=lambda one: _distance(one, asked))
    return Answer(
        frontier=frontier(judged), meeting=met, undecided=undecided, difference=difference, nearest=nearest
    )


def frontier(judged: Iterable[Judged]) -> tuple[Judged, ...]:
    """The points that no other is at least as good as in cost and wait and better in one, by their estimates."""
    known = [(_cost(one), _badness(one.wait), one) for one in judged]
    known = [entry for entry in known if math.isfinite(entry[0]) and math.isfinite(entry[1])]
    kept: list[tuple[float, float, Judged]] = []
    for entry in sorted(known, key=lambda entry: entry[:2]):
        if not kept or entry[1] < kept[-1][1] or entry[:2] == kept[-1][:2]:
            kept.append(entry)
    return tuple(one for _, _, one in kept)


def cost_difference(one: Judged, other: Judged, name: str, entry: Reported) -> Interval:
    """How much more the other point costs, replication by replication: both met the same patients.

    Where one was simulated more often, its first replications are taken.
    """
    number = min(len(one.costs), len(other.costs))
    here, there = (
        Gathered([{name: outcome} for outcome in point.costs[:number]]).of(name, entry)
        for point in (one, other)
    )
    return there.minus(here).interval


def enough_to_decide(one: Judged, asked: Mapping[str, Goal]) -> float:
    """About how many replications it takes until all targets of an undecided point are met or missed.

    An interval shrinks with the root of their number, so it is short of the limit when that has grown by the square
    of (half-width ÷ distance of the estimate from the limit); infinite where the estimate is the limit.
    """
    needed = [_shrinking(found, asked[found.name]) for found in one.targets if found.verdict == "undecided"]
    return one.replications * max(needed, default=math.nan)


def _shrinking(found: Estimate, goal: Goal) -> float:
    interval = found.interval
    distances = [abs(interval.estimate - limit) for limit in (goal.low, goal.high) if math.isfinite(limit)]
    half_width = (interval.high - interval.low) / 2
    if math.isnan(half_width) or not min(distances):
        return math.inf
    return (half_width / min(distances)) ** 2


def _cost(one: Judged) -> float:
    return _badness(one.cost)


def _badness(found: Estimate | None) -> float:
    """The estimate, turned around where more is better; infinite where there is none."""
    if found is None or math.isnan(found.interval.estimate):
        return math.inf
    return -found.interval.estimate if found.better == "higher" else found.interval.estimate


def _distance(one: Judged, asked: Mapping[str, Goal]) -> tuple[int, float]:
    """How far a point is from meeting all targets: how many it misses, and the largest share beyond a limit."""
    beyond = [_beyond(found, asked[found.name]) for found in one.targets]
    return sum(found.verdict == "missed" for found in one.targets), max(beyond, default=0.0)


def _beyond(found: Estimate, goal: Goal) -> float:
    estimate = found.interval.estimate
    if math.isnan(estimate):
        return math.inf
    return max(
        (over / (abs(limit) or 1.0))
        for over, limit in ((goal.low - estimate, goal.low), (estimate - goal.high, goal.high))
        if math.isfinite(limit)
    )
