"""Targets that no run can meet, by arithmetic alone.

Only what holds whatever chance does: what comes and cannot be carried must give up, and what nobody asks for
stays empty. Margins leave room for what the arithmetic does not know.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from iopsim.scenario.plausible.doors import Doors, most_who_show
from iopsim.scenario.plausible.finding import Finding, note, warning
from iopsim.scenario.plausible.pool import is_bounded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from iopsim.scenario.levels import Level
    from iopsim.scenario.plausible.flows import Stream, Streams
    from iopsim.scenario.plausible.pool import Pool
    from iopsim.scenario.schema import Scenario, Target

__all__ = ["ruled_out"]

_MARGIN = 0.05  # those who give up do not come back later; places are also held for patients who wait


def ruled_out(scenario: Scenario, streams: Streams, pools: Sequence[Pool]) -> Iterator[Finding]:
    """Targets that cannot be met, and those that cannot be missed."""
    for index, target in enumerate(scenario.targets):
        path = f"targets.{index}.metric"
        side = "at most" if target.at_most is not None else "at least"
        wanted = f"{target.metric} {side} {target.limit:g}"
        if _is_share(scenario, target.metric) and not 0 <= target.limit <= 1:
            if (side == "at least") == (target.limit < 0):
                yield note(path, f"{wanted} is always met: it is a share from 0 to 1")
            else:
                hint = f" ({target.limit:g} % is {target.limit / 100:g})" if target.limit > 1 else ""
                yield warning(path, f"{wanted} is never met: it is a share from 0 to 1{hint}")
        elif reason := _reason(_subject(scenario, streams, pools, target.metric), target) or _too_few_convert(
            scenario, target
        ):
            yield warning(path, f"{wanted} is out of reach: {reason}")


def _is_share(scenario: Scenario, metric: str) -> bool:
    groups = (group for level in scenario.levels.values() for group in level.groups.values())
    may_overbook = any(group.overbook > 1 for group in groups)
    return metric.endswith(".share") or (metric.endswith("utilization.mean") and not may_overbook)


@dataclass(frozen=True, slots=True)
class _Subject:
    """The patients of a level, or of one of its tracks, whom a target speaks of.

    Attributes:
        metric: The rest of the metric's name, such as `wait_days.p90`.
        streams: The patients.
        pools: The pools of room that only they use.
        intake: The appointments that they wait for before they come to the list, if they do.
        all_come: Whether there is room for all in other levels, and appointments for all, so that nobody is lost or
            kept waiting on the way here.
    """

    scenario: Scenario
    level: Level
    metric: str
    streams: list[Stream]
    pools: list[Pool]
    intake: Pool | None
    all_come: bool

    @property
    def lost_share(self) -> float:
        """Share of those who join the list for whom there can never be room, though the payer approves."""
        joined = math.fsum(stream.joined_per_day for stream in self.streams)
        return max((pool.lost_share * _per_day(pool.streams) / joined for pool in self.pools), default=0.0)

    @property
    def room(self) -> list[Pool]:
        """Pools of places or seats that are no part of another: that of all of them, or one for each track."""
        room = [pool for pool in self.pools if pool.constraint in ("places", "seats")]
        return [pool for pool in room if len(pool.streams) == len(self.streams)] or room


def _per_day(streams: Iterable[Stream]) -> float:
    return math.fsum(stream.per_day for stream in streams)


def _subject(scenario: Scenario, streams: Streams, pools: Sequence[Pool], metric: str) -> _Subject | None:
    name, _, rest = metric.partition(".")
    if name not in scenario.levels:
        return None
    those = streams.at([name])
    track, _, of_track = rest.partition(".")
    if track in scenario.tracks:
        those = [stream for stream in those if stream.track == track]
    else:
        of_track = rest
    if not any(stream.per_day for stream in those):
        return None
    mine = [pool for pool in pools if set(pool.streams) <= set(those) and pool.constraint != "slots"]
    before = [pool for pool in pools if pool not in mine and pool.streams]
    own = [_at_best(scenario, pool) for pool in mine]
    all_come = not any(pool.overflows for pool in before if _comes_before(pool, name))
    booked = {stream for stream in those if stream.appointments_per_week}
    intake = next((p for p in before if p.constraint == "slots" and booked & set(p.streams)), None)
    return _Subject(scenario, scenario.levels[name], of_track, those, own, intake, all_come)


def _at_best(scenario: Scenario, pool: Pool) -> Pool:
    """The pool as if posts were never empty: a leaver's patients are carried by others, beyond the limit."""
    if pool.constraint != "caseload":
        return pool
    role = scenario.staff[pool.whom]
    return replace(pool, capacity=role.posts * role.caseload_limit)


def _comes_before(pool: Pool, level: str) -> bool:
    """Whether patients may be lost or kept in a pool before they come to the list of a level."""
    return pool.constraint == "slots" or any(stream.level != level for stream in pool.streams)


def _reason(subject: _Subject | None, target: Target) -> str:
    """Why a target cannot be met; empty if it may be."""
    for metrics, side, explain in _RULES:
        if subject and subject.metric in metrics and getattr(target, side) is not None:
            return explain(subject, target.limit)
    return ""


def _must_give_up(subject: _Subject, limit: float) -> str:
    if subject.level.waitlist.at_most is not None or not all(s.care.patience_days for s in subject.streams):
        return ""
    return _no_room(subject, limit)


def _cannot_start(subject: _Subject, limit: float) -> str:
    return _no_room(subject, 1 - limit)


def _no_room(subject: _Subject, may_be_lost: float) -> str:
    if not subject.all_come or subject.lost_share <= may_be_lost + _MARGIN:
        return ""
    return f"there is never room for about {subject.lost_share:.0%} of those who come"


def _waits_grow(subject: _Subject, limit: float) -> str:
    for pool in subject.pools if subject.all_come else ():
        if pool.utilization > 1 + _MARGIN and not is_bounded(subject.scenario, pool):
            return f"{pool.balance}, which never catches up, so that waits only grow"
    return ""


def _appointments_grow(subject: _Subject, limit: float) -> str:
    if subject.intake and subject.intake.utilization > 1 + _MARGIN:
        return f"{subject.intake.balance}, which never catches up, so that waits only grow"
    return ""


def _access_grows(subject: _Subject, limit: float) -> str:
    return _appointments_grow(subject, limit) or _waits_grow(subject, limit)


def _too_few_convert(scenario: Scenario, target: Target) -> str:
    """Why no more of a source's referrals can come to a first session; empty if they may."""
    name, _, rest = target.metric.partition(".")
    if name not in scenario.sources or rest != "conversion.share" or target.at_least is None:
        return ""
    source, doors = scenario.sources[name], Doors(scenario, lead_days=0)
    let_in = math.fsum(
        share * doors.of(source.to, name, payer).admitted
        for payer, share in scenario.payer_shares(source).items()
    )
    if target.limit <= let_in + _MARGIN:
        return ""
    return f"contact, eligibility, intake and authorization let about {let_in:.0%} of them in"


def _stays_empty(subject: _Subject, limit: float) -> str:
    capacity = math.fsum(pool.capacity for pool in subject.room)
    if not capacity or subject.level.hold_days:
        return ""
    carried = min(
        (1 - pool.lost_share for pool in subject.pools if pool.constraint == "caseload"), default=1.0
    )
    most = most_who_show(subject.level.intake)
    asked = math.fsum(min(most * pool.load * carried, pool.capacity) for pool in subject.room) / capacity
    if limit <= asked + _MARGIN:
        return ""
    return f"those who come, and can be carried, need about {asked:.0%} of the {subject.room[0].constraint}"


def _too_many(subject: _Subject, limit: float) -> str:
    asked = math.fsum(stream.census for stream in subject.streams) * most_who_show(subject.level.intake)
    if limit > asked * (1 + _MARGIN):
        return f"those who come make about {asked:.1f} in care"
    for pool in subject.pools:
        if len(pool.streams) == len(subject.streams) and pool.unit == "places" and limit > pool.capacity:
            return f"{pool.name}: there are {pool.capacity:g}"
    return ""


_STATISTICS = ("mean", "p50", "p90", "p95")
_RULES: tuple[tuple[tuple[str, ...], str, Callable[[_Subject, float], str]], ...] = (
    (("reneged.share",), "at_most", _must_give_up),
    (("started_within_7_days.share", "started_within_14_days.share"), "at_least", _cannot_start),
    (("waitlist.mean", *(f"wait_days.{which}" for which in _STATISTICS)), "at_most", _waits_grow),
    (tuple(f"access_days.{which}" for which in _STATISTICS), "at_most", _access_grows),
    (tuple(f"intake_days.{which}" for which in _STATISTICS[:-1]), "at_most", _appointments_grow),
    (("seat_utilization.mean", "utilization.mean"), "at_least", _stays_empty),
    (("census.mean",), "at_least", _too_many),
)
"""Metrics of a level or track, the side of the target, and what says why it cannot be met (empty: it may)."""
