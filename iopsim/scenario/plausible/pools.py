"""Places, seats, caseloads and appointments: the load offered to each pool against its capacity."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

from iopsim.scenario.findings import words
from iopsim.scenario.plausible.appointments import appointments
from iopsim.scenario.plausible.doors import STRAIGHT_IN
from iopsim.scenario.plausible.finding import Finding, note, warning
from iopsim.scenario.plausible.pool import TIGHT, Pool, has_limit, is_bounded, together
from iopsim.scenario.plausible.posts import posts_of
from iopsim.scenario.plausible.seats import seats
from iopsim.theory.erlang import mmc

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from iopsim.scenario.plausible.flows import Stream, Streams
    from iopsim.scenario.schema import Scenario

__all__ = ["admitted", "full", "pools", "too_full", "waits"]

_ROUNDING = 1e-9


def pools(scenario: Scenario, streams: Streams) -> list[Pool]:
    """Every pool that patients come to, in the order of the file, caseloads and appointments last."""
    found: list[Pool] = []
    for name, level in scenario.levels.items():
        here = tuple(streams.at([name]))
        if level.groups:
            found += seats(scenario, name, here)
        elif isinstance(level.places, Mapping):
            for track, places in level.places.items():
                found += _places(name, track, places, tuple(s for s in here if s.track == track))
        elif not isinstance(level.places, str):
            found += _places(name, "", level.places, here)
    found += _caseloads(scenario, streams)
    return [*found, *appointments(scenario, streams, admitted(found))]


def _caseloads(scenario: Scenario, streams: Streams) -> Iterator[Pool]:
    for role, spec in scenario.staff.items():
        levels = [name for name, level in scenario.levels.items() if level.caseload == role]
        here = tuple(streams.at(levels))
        if here:
            carrying = posts_of(scenario, role).carrying
            missing = (
                f"; of {spec.posts} posts {carrying:.2f} carry patients on average, the rest are empty or new"
            )
            yield Pool(
                level=together(levels),
                constraint="caseload",
                whom=role,
                unit="places",
                load=math.fsum(stream.census for stream in here),
                capacity=carrying * spec.caseload_limit,
                path=f"staff.{role}",
                streams=here,
                remark=missing if carrying < spec.posts else "",
            )


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
            text = f"{worst.balance}{worst.remark}, so {_consequence(scenario, worst)}; {_remedy(scenario, worst)}"
            yield warning(worst.path, text + also, worst.name, worst.utilization)
        elif worst.utilization >= TIGHT and not is_bounded(scenario, worst):
            text = f"{worst.balance}{worst.remark}, and {_unsettled(scenario, worst)}"
            yield warning(worst.path, text, worst.name, worst.utilization)
        elif worst.utilization >= TIGHT:
            text = f"{worst.balance}{worst.remark}; with so little slack, waits are long and swing widely"
            yield note(worst.path, text, worst.name, worst.utilization)


def too_full(scenario: Scenario, pools: Sequence[Pool]) -> dict[str, Pool]:
    """Levels where waiting is not in equilibrium, each with the pool that makes it so: appointments, or the fullest.

    At 95 % of a pool and more a list settles within no planner's horizon, unless who waits gives up or is refused.
    Before an intake appointment nobody does.
    """
    found: dict[str, Pool] = {}
    for pool in sorted(pools, key=lambda pool: (pool.constraint != "slots", -pool.utilization)):
        if pool.utilization >= TIGHT:
            for stream in pool.streams:
                if not has_limit(scenario, pool, stream):
                    found.setdefault(stream.level, pool)
    return {level: found[level] for level in scenario.levels if level in found}


def _unsettled(scenario: Scenario, pool: Pool) -> str:
    if _keeps_from_list(scenario, pool):
        return "nobody gives up waiting for one: the wait takes years to settle, it is not in equilibrium; add a post"
    return (
        "nobody gives up waiting or is refused, so the waitlist takes years to settle: it is not in equilibrium; "
        "give more room, or let patience or the list have a limit"
    )


def _keeps_from_list(scenario: Scenario, pool: Pool) -> bool:
    """Whether patients wait for appointments of the pool before they come to the list."""
    return pool.constraint == "slots" and not is_bounded(scenario, pool)


def _consequence(scenario: Scenario, pool: Pool) -> str:
    if not pool.streams:
        return f"about {pool.lost_share:.0%} of these visits come later and later, or never"
    if _keeps_from_list(scenario, pool) and pool.capacity:
        longer = 7 * (pool.utilization - 1)
        return f"the wait for an appointment never settles, and is longer by about {longer:.1f} days with each week"
    if is_bounded(scenario, pool):
        return f"about {pool.lost_share:.0%} of those who come must give up or be refused"
    growth = 7 * math.fsum(stream.per_day for stream in pool.streams) * pool.lost_share
    if growth < 0.05:
        return "the waitlist never settles"
    return f"the waitlist never settles and grows by about {growth:.1f} patients a week"


def _remedy(scenario: Scenario, pool: Pool) -> str:
    needed, there = pool.load, pool.capacity
    if pool.constraint in ("caseload", "slots"):
        posts = scenario.staff[pool.whom].posts
        if not pool.capacity:
            return "add posts, or hours that are bookable"
        needed, there = pool.load / pool.capacity * posts, float(posts)
    more = max(math.ceil(needed - _ROUNDING), math.floor(there) + 1)
    if pool.constraint == "slots":
        return f"it takes {more} posts, shorter appointments or fewer of them"
    if pool.constraint == "starts":
        return (
            f"it takes {needed:.1f} starts a week: more `starters`, dates closer together, or fewer referrals"
        )
    unit = "posts" if pool.constraint == "caseload" else pool.unit
    return f"it takes {more} {unit}, shorter stays or fewer referrals"


def waits(scenario: Scenario, pools: Iterable[Pool]) -> Iterator[Finding]:
    """For orientation, the mean wait of levels that are one pool of places and nothing else."""
    for pool in pools:
        level = scenario.levels.get(pool.level)
        if level is None or pool.constraint != "places" or pool.whom or level.caseload:
            continue
        at_random = all(
            stream.door == STRAIGHT_IN and scenario.sources[stream.source].dispersion == 1
            for stream in pool.streams
        )
        waits_on = level.waitlist.at_most is None and not any(s.care.patience_days for s in pool.streams)
        per_day = math.fsum(stream.per_day for stream in pool.streams)
        if at_random and waits_on and 0 < pool.utilization < 1:
            wait_days = mmc(per_day, pool.load / per_day, int(pool.capacity)).mean_wait_days
            yield note(
                pool.path,
                f"if referrals were steady and stays exponential, the mean wait would be about {wait_days:.1f} "
                f"days ({pool.utilization:.0%} of {pool.capacity:g} places asked for)",
            )
