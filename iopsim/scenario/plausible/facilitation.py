"""Facilitators at the same time, and patients per clinician: what the posts that are filled allow."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from iopsim.scenario.findings import words
from iopsim.scenario.parts import WEEKDAYS
from iopsim.scenario.plausible.finding import Finding, note, warning
from iopsim.scenario.plausible.posts import posts_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from iopsim.scenario.groups import Group
    from iopsim.scenario.levels import Level
    from iopsim.scenario.plausible.flows import Streams
    from iopsim.scenario.schema import Role, Scenario

__all__ = ["facilitators", "ratios"]

_WORTH_TELLING = 0.02  # of the sessions of a role
_MOST_POSTS = 100  # beyond which chance evens out
_ROUNDING = 1e-9


class _Session(NamedTuple):
    """A session of a group on a weekday: clock hours, and how many of the role it needs."""

    group: str
    when: str
    start: float
    end: float
    needed: int


class _Short(NamedTuple):
    """Sessions a week that lack somebody, and the hours of those who are lacking."""

    sessions: float
    hours: float


@dataclass(frozen=True, slots=True)
class _Role:
    """The sessions of one role in the measured window.

    Attributes:
        spec: The role.
        days: How often in the window each kind of day comes, and its sessions in order.
        weeks: Length of the window.
    """

    spec: Role
    days: list[tuple[int, list[_Session]]]
    weeks: int

    @property
    def sessions_per_week(self) -> float:
        """All that are scheduled and not on a closed day."""
        return sum(count * len(sessions) for count, sessions in self.days) / self.weeks

    @property
    def busiest(self) -> tuple[int, str]:
        """Most who are needed at one instant if all sessions are held; when, and for which groups."""
        needed, when = 0, ""
        for _, sessions in self.days:
            for one in sessions:
                those = [other for other in sessions if other.start <= one.start < other.end]
                together = sum(other.needed for other in those)
                if together > needed:
                    needed, when = together, f"{one.when}: {words(other.group for other in those)}"
        return needed, when

    def short(self, posts: int) -> _Short:
        """What is lacking with so many posts filled; a session that is not held busies nobody."""
        missed, hours = 0, 0.0
        for count, sessions in self.days:
            busy: list[tuple[float, int]] = []
            for session in sessions:
                free = posts - sum(number for end, number in busy if end > session.start)
                lacking = max(session.needed - free, 0)
                missed += count * (lacking > 0)
                hours += count * lacking * (session.end - session.start)
                if not lacking or self.spec.cover_per_hour is not None:
                    busy.append((session.end, session.needed - lacking))
        return _Short(missed / self.weeks, hours / self.weeks)

    def mean_short(self, filled: float) -> _Short:
        """The same, with each post filled for a share of the time, whatever the others are."""
        posts, share = self.spec.posts, filled / self.spec.posts
        chances = [
            (math.comb(posts, there) * share**there * (1 - share) ** (posts - there), self.short(there))
            for there in range(min(self.busiest[0], posts + 1))
        ]
        return _Short(
            math.fsum(chance * short.sessions for chance, short in chances),
            math.fsum(chance * short.hours for chance, short in chances),
        )


def facilitators(scenario: Scenario) -> Iterator[Finding]:
    """Roles of which there are too few for all sessions, with all posts filled or as they come and go."""
    for name, spec in scenario.staff.items():
        role = _sessions_of(scenario, name)
        needed, when = role.busiest
        if needed > spec.posts:
            yield warning(
                f"staff.{name}.posts",
                f"{needed} are needed at the same time ({when}), and there are {spec.posts}, "
                f"so {_lack(scenario, role)}; move a group or add a post",
                "together",
                needed / spec.posts if spec.posts else math.inf,
            )
        elif needed <= _MOST_POSTS and spec.posts <= _MOST_POSTS:
            yield from _sometimes(scenario, name, role)


def _lack(scenario: Scenario, role: _Role) -> str:
    """What follows from too few posts, if all are filled."""
    short, price = role.short(role.spec.posts), role.spec.cover_per_hour
    if price is None:
        return f"about {short.sessions:.1f} sessions a week will be cancelled"
    return f"about {short.hours:.1f} hours a week will be covered for {price * short.hours:,.0f} {scenario.currency}"


def _sometimes(scenario: Scenario, name: str, role: _Role) -> Iterator[Finding]:
    """Sessions that lack somebody because posts are empty part of the time."""
    filled, price = posts_of(scenario, name).filled, role.spec.cover_per_hour
    short = role.mean_short(filled) if filled < role.spec.posts else _Short(0.0, 0.0)
    lost = short.sessions / role.sessions_per_week if short.sessions else 0.0
    if lost < _WORTH_TELLING:
        return
    share = f"posts are filled {filled / role.spec.posts:.0%} of the time"
    if price is None:
        yield warning(
            f"staff.{name}",
            f"{share}, so about {short.sessions:.1f} of {role.sessions_per_week:.1f} sessions a week will be "
            "cancelled for lack of a facilitator; add a post, hire sooner, or give `cover_per_hour`",
            "cancelled",
            lost,
        )
    else:
        cost = price * short.hours
        yield note(
            f"staff.{name}",
            f"{share}, so about {short.hours:.1f} hours a week will be covered for {cost:,.0f} {scenario.currency}",
            "covered",
            lost,
        )


def _sessions_of(scenario: Scenario, role: str) -> _Role:
    """The days of the window by what meets on them, apart from closed ones."""
    groups = {
        name: group
        for level in scenario.levels.values()
        for name, group in level.groups.items()
        if role in group.facilitators
    }
    first, weeks = scenario.run.start, scenario.run.weeks
    last = first + dt.timedelta(weeks=weeks)
    changes = {group.from_ for group in groups.values() if group.from_}
    changes |= {group.until + dt.timedelta(days=1) for group in groups.values() if group.until}
    stops = sorted({first, last, *(day for day in changes if first < day < last)})
    days = []
    for begin, end in pairwise(stops if groups else ()):
        there = {
            name: group
            for name, group in groups.items()
            if (group.from_ or begin) <= begin <= (group.until or begin)
        }
        for number, weekday in enumerate(WEEKDAYS):
            count = _days(begin, end, number, scenario.calendar.closed)
            if sessions := _day(there, weekday, role):
                days.append((count, sessions))
    return _Role(scenario.staff[role], days, weeks)


def _days(begin: dt.date, end: dt.date, weekday: int, closed: Sequence[dt.date]) -> int:
    """How often a weekday comes from a date until before another, closed dates apart."""
    first = begin + dt.timedelta(days=(weekday - begin.weekday()) % 7)
    away = {day for day in closed if begin <= day < end and day.weekday() == weekday}
    return max(((end - first).days + 6) // 7, 0) - len(away)


def _day(groups: Mapping[str, Group], weekday: str, role: str) -> list[_Session]:
    """The sessions of a weekday in order of their start, then of the file."""
    sessions = [
        _Session(
            name,
            f"{weekday} {group.start}",
            group.start_hour,
            group.start_hour + group.hours,
            group.facilitators[role],
        )
        for name, group in groups.items()
        if weekday in group.days
    ]
    return sorted(sessions, key=lambda session: session.start)


def ratios(scenario: Scenario, streams: Streams) -> Iterator[Finding]:
    """Rules of patients per clinician that are broken when all seats and places are taken."""
    for name, spec in scenario.staff.items():
        rule, fte = spec.patients_per_clinician_at_most, posts_of(scenario, name).filled * spec.fte
        levels = [level for level, part in scenario.levels.items() if part.caseload == name] or [
            level
            for level, part in scenario.levels.items()
            if any(name in group.facilitators for group in part.groups.values())
        ]
        if rule is None or not levels or not fte:
            continue
        room = math.fsum(_room(scenario.levels[level], level, streams) for level in levels)
        if any(scenario.levels[level].caseload == name for level in levels):
            room = min(room, spec.posts * spec.caseload_limit)
        if room > rule * fte * (1 + _ROUNDING):
            yield warning(
                f"staff.{name}.patients_per_clinician_at_most",
                f"with every seat and place taken there are {room:.0f} patients for {fte:.3g} FTE, {room / fte:.1f} "
                f"each, and {rule:g} are allowed; add posts, or take fewer patients",
                "each",
                room / (rule * fte),
            )


def _room(level: Level, name: str, streams: Streams) -> float:
    """Most patients in care at once; those expected, where there is no limit."""
    if level.groups:
        phases = level.phases or ()
        days = phases[0].days_per_week if phases else level.days_per_week
        return math.fsum(
            group.enrolled_at_most * len(group.days) / min(days or len(group.days), len(group.days))
            for group in level.groups.values()
        )
    if isinstance(level.places, str):
        return math.fsum(stream.census for stream in streams.at([name]))
    return float(level.places if isinstance(level.places, int) else sum(level.places.values()))
