"""Places, seats and caseloads: the load offered to each pool against its capacity.

A pool of seats is a set of groups with all patients who can sit nowhere else, so that its load is at least what
those groups must carry (Hall's condition).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from iopsim.scenario.findings import words
from iopsim.scenario.plausible.finding import Finding, note, warning
from iopsim.scenario.plausible.timetable import fits, held_per_week
from iopsim.theory.erlang import mmc

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from iopsim.scenario.levels import Level
    from iopsim.scenario.plausible.flows import Stream
    from iopsim.scenario.schema import Scenario

__all__ = ["Pool", "admitted", "full", "is_bounded", "pools", "too_full", "waits"]

_TIGHT = 0.95
_NOTHING = 0.005  # a share that is told as 0 %


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """What some patients must share.

    Attributes:
        level: The level, or those that share a caseload, as in a sentence.
        constraint: `places`, `seats` or `caseload`.
        whom: Which of the level's patients, such as `mood, evening` (empty: all), or whose caseload.
        unit: Of load and capacity.
        load: What they would take if nobody had to wait or gave up.
        capacity: What there is.
        path: Where in the scenario the capacity is said.
        streams: The patients.
    """

    level: str
    constraint: str
    whom: str
    unit: str
    load: float
    capacity: float
    path: str
    streams: tuple[Stream, ...] = field(repr=False)

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
        return self.lost_share >= _NOTHING


def pools(scenario: Scenario, streams: Sequence[Stream]) -> list[Pool]:
    """Every pool that patients come to, in the order of the file, caseloads last."""
    found: list[Pool] = []
    for name, level in scenario.levels.items():
        here = tuple(stream for stream in streams if stream.level == name)
        if level.groups:
            found += _seats(scenario, name, here)
        elif isinstance(level.places, Mapping):
            for track, places in level.places.items():
                found += _places(name, track, places, tuple(s for s in here if s.track == track))
        elif not isinstance(level.places, str):
            found += _places(name, "", level.places, here)
    for role, spec in scenario.staff.items():
        levels = [name for name, level in scenario.levels.items() if level.caseload == role]
        here = tuple(stream for stream in streams if stream.level in levels)
        if here:
            found.append(
                Pool(
                    level=words(levels),
                    constraint="caseload",
                    whom=role,
                    unit="places",
                    load=math.fsum(stream.census for stream in here),
                    capacity=spec.posts * spec.caseload_limit,
                    path=f"staff.{role}",
                    streams=here,
                )
            )
    return found


def _places(level: str, track: str, places: int, streams: tuple[Stream, ...]) -> Iterator[Pool]:
    if streams:
        yield Pool(
            level=level,
            constraint="places",
            whom=track,
            unit="places",
            load=math.fsum(stream.census for stream in streams),
            capacity=places,
            path=f"levels.{level}.places",
            streams=streams,
        )


def _seats(scenario: Scenario, name: str, streams: tuple[Stream, ...]) -> Iterator[Pool]:
    """The sets of groups that say something: all, and those for a track, a time or both that hang together."""
    level = scenario.levels[name]
    fit = {stream: _fitting(level, stream) for stream in streams}
    seats = {
        key: held_per_week(scenario, group) * group.enrolled_at_most for key, group in level.groups.items()
    }
    whole = frozenset[str]().union(*fit.values())
    told = set[frozenset[str]]()
    for whom, groups in [("", whole), *_kinds(fit)]:
        inside = tuple(stream for stream in streams if fit[stream] and fit[stream] <= groups)
        capacity = math.fsum(seats[key] for key in groups)
        parts = {fit[stream] for stream in inside}
        falls_apart = groups not in parts and sum(map(len, parts)) == len(groups)
        if inside and groups not in told and (groups == whole or not falls_apart):
            told.add(groups)
            yield Pool(
                level=name,
                constraint="seats",
                whom=whom,
                unit="session-seats a week",
                load=math.fsum(stream.sessions_per_week for stream in inside),
                capacity=capacity,
                path=f"levels.{name}.groups",
                streams=inside,
            )


def _fitting(level: Level, stream: Stream) -> frozenset[str]:
    """The groups that could take a patient."""
    days = stream.care.phases[0].days_per_week if stream.care.phases else level.days_per_week or 0
    return frozenset(
        key
        for key, group in level.groups.items()
        if fits(group, stream.track, stream.time) and len(group.days) >= days
    )


def _kinds(fit: Mapping[Stream, frozenset[str]]) -> Iterator[tuple[str, frozenset[str]]]:
    """The groups open to each track, each time preference, and each pair of them."""
    groups: dict[str, frozenset[str]] = {}
    for stream, fitting in fit.items():
        for whom in (stream.track, stream.time, f"{stream.track}, {stream.time}"):
            groups[whom] = groups.get(whom, frozenset()) | fitting
    yield from sorted(groups.items(), key=lambda kind: -len(kind[1]))


def admitted(pools: Iterable[Pool]) -> dict[Stream, float]:
    """Share of each stream for whom there is room; streams that are not in it all have room."""
    shares: dict[Stream, float] = {}
    for pool in pools:
        for stream in pool.streams:
            shares[stream] = min(shares.get(stream, 1.0), 1 - pool.lost_share)
    return shares


def full(scenario: Scenario, pools: Sequence[Pool]) -> Iterator[Finding]:
    """For each level and constraint, one finding on the most loaded pool if it is full or nearly so."""
    constraints = {(pool.level, pool.constraint): None for pool in pools}
    for level, constraint in constraints:
        alike = [pool for pool in pools if (pool.level, pool.constraint) == (level, constraint)]
        worst = max(alike, key=lambda pool: (round(pool.utilization, 4), pool.load))
        others = [pool for pool in alike if pool is not worst and pool.overflows]
        also = f"; also over: {words(pool.whom or 'all together' for pool in others)}" if others else ""
        if worst.overflows or (worst.utilization >= 1 and not is_bounded(scenario, worst)):
            text = f"{worst.balance}, so {_consequence(scenario, worst)}; {_remedy(scenario, worst)}{also}"
            yield warning(worst.path, text)
        elif worst.utilization >= _TIGHT and not is_bounded(scenario, worst):
            yield warning(
                worst.path,
                f"{worst.balance}, and nobody gives up waiting or is refused, so the waitlist takes years to "
                "settle: it is not in equilibrium; give more room, or let patience or the list have a limit",
            )
        elif worst.utilization >= _TIGHT:
            yield note(worst.path, f"{worst.balance}; with so little slack, waits are long and swing widely")


def too_full(scenario: Scenario, pools: Iterable[Pool]) -> dict[str, Pool]:
    """Levels whose waitlist is not in equilibrium, each with the most loaded pool that makes it so.

    At 95 % of a pool and more a list settles within no planner's horizon, unless who waits gives up or is refused.
    """
    found: dict[str, Pool] = {}
    for pool in sorted(pools, key=lambda pool: -pool.utilization):
        if pool.utilization >= _TIGHT:
            for stream in pool.streams:
                if not _has_limit(scenario, stream):
                    found.setdefault(stream.level, pool)
    return {level: found[level] for level in scenario.levels if level in found}


def _consequence(scenario: Scenario, pool: Pool) -> str:
    if is_bounded(scenario, pool):
        return f"about {pool.lost_share:.0%} of those who come must give up or be refused"
    growth = 7 * math.fsum(stream.per_day for stream in pool.streams) * pool.lost_share
    if growth < 0.05:
        return "the waitlist never settles"
    return f"the waitlist never settles and grows by about {growth:.1f} patients a week"


def is_bounded(scenario: Scenario, pool: Pool) -> bool:
    """Whether everybody has limited patience, or the waitlist is capped."""
    return all(_has_limit(scenario, stream) for stream in pool.streams)


def _has_limit(scenario: Scenario, stream: Stream) -> bool:
    at_most = scenario.levels[stream.level].waitlist.at_most
    return stream.care.patience_days is not None or isinstance(at_most, int)


def _remedy(scenario: Scenario, pool: Pool) -> str:
    if pool.constraint == "caseload":
        limit = scenario.staff[pool.whom].caseload_limit
        unit, needed, there = "posts", pool.load / limit, pool.capacity / limit
    else:
        unit, needed, there = pool.unit, pool.load, pool.capacity
    more = max(math.ceil(needed), math.floor(there) + 1)
    return f"it takes {more} {unit}, shorter stays or fewer referrals"


def waits(scenario: Scenario, pools: Iterable[Pool]) -> Iterator[Finding]:
    """For orientation, the mean wait of levels that are one pool of places and nothing else."""
    for pool in pools:
        level = scenario.levels.get(pool.level)
        if level is None or pool.constraint != "places" or pool.whom or level.caseload:
            continue
        waits_on = level.waitlist.at_most is None and not any(s.care.patience_days for s in pool.streams)
        per_day = math.fsum(stream.per_day for stream in pool.streams)
        if waits_on and 0 < pool.utilization < 1:
            wait_days = mmc(per_day, pool.load / per_day, int(pool.capacity)).mean_wait_days
            yield note(
                pool.path,
                f"if referrals were steady and stays exponential, the mean wait would be about {wait_days:.1f} "
                f"days ({pool.utilization:.0%} of {pool.capacity:g} places asked for)",
            )
