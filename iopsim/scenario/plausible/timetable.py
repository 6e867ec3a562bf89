"""The week of the groups and of the staff: sessions held, working days, phases under the minimum week."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from iopsim.scenario.names import EITHER
from iopsim.scenario.parts import WEEKDAYS
from iopsim.scenario.plausible.finding import Finding, warning

if TYPE_CHECKING:
    from collections.abc import Iterator

    from iopsim.scenario.groups import Group
    from iopsim.scenario.levels import Level, Phase
    from iopsim.scenario.schema import Scenario

__all__ = [
    "fits",
    "held_per_week",
    "minimum_weeks",
    "share_held",
    "working_days_per_week",
]


def fits(group: Group, track: str, time: str = EITHER, modality: str = EITHER) -> bool:
    """Whether a group takes patients of a track, who want to come at a time and in a way (`either`: any)."""
    return (
        track in (group.tracks or (track,))
        and time in (EITHER, group.time)
        and modality in (EITHER, group.modality)
    )


def held_per_week(scenario: Scenario, group: Group) -> float:
    """Sessions of a group that are not on a closed day, a week of the measured window."""
    scheduled, closed = _sessions(scenario, group)
    return (scheduled - closed) / scenario.run.weeks


def working_days_per_week(scenario: Scenario) -> float:
    """Days of appointments, Monday to Friday and not closed, in a week of the measured window."""
    run = scenario.run
    last = run.start + dt.timedelta(weeks=run.weeks)
    closed = {day for day in scenario.calendar.closed if run.start <= day < last and day.weekday() < 5}
    return 5 - len(closed) / run.weeks


def share_held(scenario: Scenario, level: Level) -> float:
    """Share of the sessions of a level's groups in the window that are not on a closed day."""
    counts = [_sessions(scenario, group) for group in level.groups.values()]
    scheduled, closed = (sum(column) for column in zip(*counts, strict=True)) if counts else (0, 0)
    return 1 - closed / scheduled if closed < scheduled else 1.0


def _sessions(scenario: Scenario, group: Group) -> tuple[int, int]:
    """Sessions of a group in the measured window: scheduled, and those of them on a closed day."""
    first, last = scenario.run.start, scenario.run.start + dt.timedelta(weeks=scenario.run.weeks)
    first = max(first, group.from_ or first)
    last = min(last, group.until + dt.timedelta(days=1) if group.until else last)
    weekdays = {WEEKDAYS.index(day) for day in group.days}
    days = max((last - first).days, 0)
    scheduled = sum((days - (weekday - first.weekday()) % 7 + 6) // 7 for weekday in weekdays)
    closed = {day for day in scenario.calendar.closed if first <= day < last and day.weekday() in weekdays}
    return scheduled, len(closed)


def minimum_weeks(scenario: Scenario) -> Iterator[Finding]:
    """Weeks of planned treatment with fewer hours than their level must have."""
    for name, level in scenario.levels.items():
        for path, what, hours in _weeks(level):
            if hours < (level.hours_per_week_at_least or 0.0):
                yield warning(
                    f"levels.{name}.{path}",
                    f"{what}: {hours:g} hours a week, under the minimum of {level.hours_per_week_at_least:g}; "
                    f"{_pay(scenario, name)}, so add days or hours",
                )


def _pay(scenario: Scenario, level: str) -> str:
    """What a day of such a week earns."""
    if level not in scenario.money.revenue:
        return "payers may pay nothing for such weeks"
    paid = scenario.money.billing.below_minimum
    return f"its days earn {f'{paid:g} {scenario.currency}' if paid else 'nothing'} (`billing.below_minimum`)"


def _weeks(level: Level) -> Iterator[tuple[str, str, float]]:
    """Weeks that a level plans: where they are written, what they are, and their hours."""
    if level.hours_per_day and level.days_per_week:
        what = f"{level.days_per_week} days of {level.hours_per_day:g} hours"
        yield "hours_per_day", what, level.days_per_week * level.hours_per_day
    for key, group in level.groups.items() if level.stay_days else ():
        days = level.days_per_week or len(group.days)
        yield f"groups.{key}", f"{days} days of {group.hours:g} hours", days * group.hours
    for path, track, phases in _plans(level):
        fitting = [group for group in level.groups.values() if not track or fits(group, track)]
        shortest = min((group.hours for group in fitting), default=0.0)
        for number, phase in enumerate(phases if fitting else (), start=1):
            what = f"phase {number} ({phase.weeks} weeks of {phase.days_per_week} days)"
            yield path, what, phase.days_per_week * shortest


def _plans(level: Level) -> list[tuple[str, str, tuple[Phase, ...]]]:
    """Phases wherever they are written: the path, the track that they are for (empty: any), and they."""
    found = [("phases", "", level.phases)]
    found += [(f"by.track.{track}.phases", track, part.phases) for track, part in level.by.track.items()]
    found += [(f"by.source.{source}.phases", "", part.phases) for source, part in level.by.source.items()]
    return [(path, track, phases) for path, track, phases in found if phases]
