"""Seats in groups, and starts of cohorts: sets of groups with all patients who can sit nowhere else.

What such a set is asked for is at least what its groups must carry (Hall's condition).
"""

from __future__ import annotations

import math
from itertools import chain, combinations
from typing import TYPE_CHECKING

from iopsim.scenario.names import EITHER
from iopsim.scenario.plausible.pool import Pool
from iopsim.scenario.plausible.timetable import fits, held_per_week

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from iopsim.scenario.groups import Group
    from iopsim.scenario.levels import Level
    from iopsim.scenario.plausible.flows import Stream
    from iopsim.scenario.schema import Scenario

__all__ = ["seats", "starts_per_week", "wish"]


def seats(scenario: Scenario, name: str, streams: tuple[Stream, ...]) -> Iterator[Pool]:
    """The sets of groups that say something: all, and those for a track, a time or both that hang together."""
    level = scenario.levels[name]
    fit = {stream: _fitting(level, stream) for stream in streams}
    room = {
        key: held_per_week(scenario, group) * group.enrolled_at_most for key, group in level.groups.items()
    }
    whole = frozenset[str]().union(*fit.values())
    told = set[frozenset[str]]()
    for whom, groups in [("", whole), *_kinds(level, fit)]:
        inside = tuple(stream for stream in streams if fit[stream] and fit[stream] <= groups)
        parts = {fit[stream] for stream in inside}
        falls_apart = groups not in parts and sum(map(len, parts)) == len(groups)
        if not inside or groups in told or (groups != whole and falls_apart):
            continue
        told.add(groups)
        yield Pool(
            level=name,
            constraint="seats",
            whom=whom,
            unit="session-seats a week",
            load=math.fsum(stream.sessions_per_week for stream in inside),
            capacity=math.fsum(room[key] for key in groups),
            path=f"levels.{name}.groups",
            streams=inside,
        )
        starts = [starts_per_week(level.groups[key]) for key in groups]
        if all(map(math.isfinite, starts)):
            yield Pool(
                level=name,
                constraint="starts",
                whom=whom,
                unit="starts a week",
                load=math.fsum(7 * stream.per_day for stream in inside),
                capacity=math.fsum(starts),
                path=f"levels.{name}.groups",
                streams=inside,
            )


def starts_per_week(group: Group) -> float:
    """Most patients who can start in a group in a week: without end where admission is open."""
    cohort = group.cohort
    return 7 * min(cohort.starters, group.enrolled_at_most) / cohort.every_days if cohort else math.inf


def wish(level: Level, time: str) -> str:
    """The time that decides who sits where: any, where those who wait come to accept it."""
    return time if level.waitlist.accept_other_time_after_days is None else EITHER


def _fitting(level: Level, stream: Stream) -> frozenset[str]:
    """The groups that could take a patient."""
    days = stream.care.phases[0].days_per_week if stream.care.phases else level.days_per_week or 0
    time = wish(level, stream.time)
    return frozenset(
        key
        for key, group in level.groups.items()
        if fits(group, stream.track, time, stream.modality) and len(group.days) >= days
    )


def _kinds(level: Level, fit: Mapping[Stream, frozenset[str]]) -> Iterator[tuple[str, frozenset[str]]]:
    """The groups open to each track, each time, each modality, and whatever of these go together."""
    groups: dict[str, frozenset[str]] = {}
    for stream, fitting in fit.items():
        wishes = [want for want in (wish(level, stream.time), stream.modality) if want != EITHER]
        traits = [stream.track, *wishes]
        for those in chain.from_iterable(combinations(traits, count) for count in range(1, len(traits) + 1)):
            groups[", ".join(those)] = groups.get(", ".join(those), frozenset()) | fitting
    yield from sorted(groups.items(), key=lambda kind: -len(kind[1]))
