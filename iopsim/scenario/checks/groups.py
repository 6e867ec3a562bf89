"""Groups that cannot be where they are said to be: rooms, mergers, cohorts."""

from __future__ import annotations

import datetime as dt
from itertools import combinations
from typing import TYPE_CHECKING

from iopsim.scenario.findings import Finding, words
from iopsim.scenario.parts import WEEKDAYS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from iopsim.scenario.groups import Group
    from iopsim.scenario.schema import Scenario
    from iopsim.scenario.tree import Path

__all__ = ["CHECKS", "grouped"]

_ROUNDING = 1e-9  # of clock times in hours


def grouped(scenario: Scenario) -> Iterator[tuple[Path, Group]]:
    """Every group with its path."""
    for name, level in scenario.levels.items():
        for key, group in level.groups.items():
            yield ("levels", name, "groups", key), group


def _rooms(scenario: Scenario) -> Iterator[Finding]:
    users: dict[str, list[tuple[Path, Group]]] = {name: [] for name in scenario.rooms}
    for path, group in grouped(scenario):
        if group.room in users:
            users[group.room].append((path, group))
            room = scenario.rooms[group.room]
            if group.seats > room.seats:
                trouble = f'the group has {group.seats} seats, and room "{group.room}" holds {room.seats}'
                yield Finding("room", (*path, "room"), f"{trouble}; take a larger room, or fewer seats")
    for name, those in users.items():
        for (before, first), (path, second) in combinations(those, 2):
            if days := _both_there(first, second):
                when = f"{words(days)} from {first.start} to {_clock(first.start_hour + first.hours)}"
                message = f'room "{name}" is taken: {before[-1]} meets there on {when}'
                yield Finding("room", (*path, "room"), f"{message}; move one of the two")


def _both_there(one: Group, other: Group) -> list[str]:
    """Weekdays on which sessions of both would be held at the same time."""
    if (
        one.start_hour >= other.start_hour + other.hours - _ROUNDING
        or other.start_hour >= one.start_hour + one.hours - _ROUNDING
    ):
        return []
    return _shared_days(one, other)


def _shared_days(one: Group, other: Group) -> list[str]:
    """Weekdays on which both groups meet in some week, given from when until when there are such groups."""
    days = [day for day in WEEKDAYS if day in one.days and day in other.days]
    first = max((group.from_ for group in (one, other) if group.from_), default=None)
    last = min((group.until for group in (one, other) if group.until), default=None)
    if first is None or last is None:
        return days
    dates = (first + dt.timedelta(days=number) for number in range(min((last - first).days + 1, 7)))
    there = {WEEKDAYS[date.weekday()] for date in dates}
    return [day for day in days if day in there]


def _clock(hour: float) -> str:
    return "{:02d}:{:02d}".format(*divmod(round(hour * 60), 60))


def _mergers(scenario: Scenario) -> Iterator[Finding]:
    levels = {str(path[-1]): str(path[1]) for path, _ in grouped(scenario)}
    for path, group in grouped(scenario):
        into = group.merges_with
        if into in levels:
            others = scenario.levels[str(path[1])].groups
            if levels[into] != path[1]:
                trouble = f'group "{into}" belongs to level "{levels[into]}", and members stay in their level'
            else:
                trouble = _no_way(group, others[into])
            if trouble:
                free = [key for key, other in others.items() if not _no_way(group, other)]
                remedy = f"name {words(free, 'or')}" if free else "say `below_minimum: cancel`"
                yield Finding("merge", (*path, "below_minimum", "merge_with"), f"{trouble}; {remedy}")


def _no_way(group: Group, host: Group) -> str:
    """Why the members of a group cannot be guests of another of the level; empty if they can."""
    if host is group:
        return "a group cannot merge with itself"
    if host.merges_with:
        return f'that group merges with "{host.merges_with}" itself, and nobody is sent on twice'
    if host.cohort:
        return "that group takes its members in cohorts, which nobody joins in mid-treatment"
    if not (days := _shared_days(group, host)):
        return "the two never meet on the same day, so that nobody could go there"
    if host.start_hour < group.start_hour - _ROUNDING:
        return f"on {words(days)} that group has begun by {group.start}: it starts at {host.start}"
    return ""


def _cohorts(scenario: Scenario) -> Iterator[Finding]:
    for path, group in grouped(scenario):
        if cohort := group.cohort:
            here = (*path, "admission", "cohort")
            if cohort.starters > group.enrolled_at_most:
                message = (
                    f"{cohort.starters} start together, and the group takes {group.enrolled_at_most} "
                    "(seats × overbook); lower `starters`, or add seats"
                )
                yield Finding("cohort", (*here, "starters"), message)
            if group.until and group.until < cohort.first:
                message = f"the group ends before, on {group.until}: nobody would ever start; begin earlier"
                yield Finding("cohort", (*here, "first"), message)


CHECKS = (_rooms, _mergers, _cohorts)
