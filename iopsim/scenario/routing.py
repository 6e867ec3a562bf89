"""Who can come to which level, and whether there is room of the right kind for them (model.md §§5-7)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, TypeAlias

from iopsim.scenario.findings import Finding, words
from iopsim.scenario.levels import Care, Level, care_of
from iopsim.scenario.parts import HOME

if TYPE_CHECKING:
    from iopsim.scenario.schema import Scenario
    from iopsim.scenario.tree import Path

__all__ = ["circles", "reached", "unserved"]

Comers: TypeAlias = dict[str, list[str]]
"""The sources of those who come, by track."""


def reached(scenario: Scenario) -> dict[str, Comers]:
    """Tracks and sources of the patients who can come to each level, by whatever way."""
    comers: dict[str, Comers] = {name: {} for name in scenario.levels}
    ways = cache(lambda name, *kind: tuple(_exits(scenario.levels[name], *kind)))
    for source, spec in scenario.sources.items():
        for track in _given(scenario.track_shares(spec)) if spec.per_week else ():
            ahead, seen = [spec.to], {HOME}
            while ahead:
                level = ahead.pop()
                if level not in seen:
                    seen.add(level)
                    comers[level].setdefault(track, []).append(source)
                    by = scenario.levels[level].by
                    kind = track if track in by.track else "", source if source in by.source else ""
                    ahead += ways(level, *kind)
    return comers


def _given(shares: Mapping[str, float]) -> list[str]:
    return [name for name, share in shares.items() if share]


def _exits(level: Level, track: str, source: str) -> Iterator[str]:
    """Where one may go from a level."""
    care = care_of(level, track, source)
    early, waitlist, returns = care.leave_early, level.waitlist, level.returns
    left = [name for name, destination in level.next.items() if destination.share]
    if early.dropout or early.dropout_per_week or _may_be_discharged(care):
        left.append(early.dropout_to)
    yield from left
    if early.step_up and (early.step_up.per_week or early.step_up.after_days):
        yield from _given(early.step_up.to)
    if waitlist.at_most is not None:
        yield waitlist.otherwise
    if care.patience_days:
        yield waitlist.renege_to
    if returns and returns.share and not set(returns.from_).isdisjoint(left):
        yield returns.to


def _may_be_discharged(care: Care) -> bool:
    return care.attendance.discharge_after_missed is not None and care.attendance.mean < 1


def unserved(scenario: Scenario) -> Iterator[Finding]:
    """Patients for whom a level that they can come to has no group, or no place."""
    for name, comers in reached(scenario).items():
        level = scenario.levels[name]
        for track, sources in comers.items():
            if level.groups:
                yield from dict.fromkeys(_without_group(scenario, name, track, sources))
            elif isinstance(level.places, Mapping) and track not in level.places:
                whom = f'track "{track}", which comes here from {words(sources)}'
                yield Finding("no-place", ("levels", name, "places"), f"no places for {whom}; add it")


def _without_group(scenario: Scenario, name: str, track: str, sources: list[str]) -> Iterator[Finding]:
    level, place = scenario.levels[name], ("levels", name, "groups")
    groups = [group for group in level.groups.values() if track in (group.tracks or [track])]
    if not groups:
        whom = f'track "{track}", which comes here from {words(sources)}'
        yield Finding("no-group", place, f"no group takes {whom}; add it to a group's `tracks`")
        return
    wanting: dict[str, list[str]] = {}
    for source in sources:
        for time in _given(scenario.sources[source].times):
            wanting.setdefault(time, []).append(source)
    for time, those in wanting.items():
        days = [len(group.days) for group in groups if time in ("either", group.time)]
        if not days:
            whom = f'track "{track}" at time "{time}", which patients from {words(those)} want'
            yield Finding("no-group", place, f"no group takes {whom}; add one, or change who wants what")
        for source in those if days else ():
            wanted, path = _days_wanted(level, track, source)
            if wanted > max(days):
                trouble = f'no group for track "{track}" meets on more than {max(days)}'
                message = f"{wanted} days a week, and {trouble}; add days to one"
                yield Finding("too-few-days", ("levels", name, *path), message)


def _days_wanted(level: Level, track: str, source: str) -> tuple[int, Path]:
    """The most days a week that a kind of patient is planned to come, and where that is written."""
    phases = care_of(level, track, source).phases
    if not phases:
        return level.days_per_week or 1, ("days_per_week",)
    path: Path = ("phases",)
    for axis, parts, who in (("track", level.by.track, track), ("source", level.by.source, source)):
        if who in parts and parts[who].phases:
            path = ("by", axis, who, "phases")
    return max(phase.days_per_week for phase in phases), path


def circles(scenario: Scenario) -> Iterator[Finding]:
    """Capped waitlists that would send a patient whom they refuse round and round, in no time."""
    ahead = {
        name: level.waitlist.otherwise
        for name, level in scenario.levels.items()
        if level.waitlist.at_most is not None
    }
    told: set[str] = set()
    for name in ahead:
        circle = [name]
        while (following := ahead.get(circle[-1], HOME)) not in (*circle, HOME):
            circle.append(following)
        if following == name and name not in told:
            told.update(circle)
            way = " → ".join([*circle, name])
            message = f"who is refused would go in a circle ({way}); let one of the lists send them home"
            yield Finding("circle", ("levels", name, "waitlist", "otherwise"), message)
