"""How many stays of each kind begin a day, from the routing, and what becomes of them.

Taken in means and in the long run: nobody gives up waiting, is refused, or holds a place. A return is taken to
happen: out of a level, it cuts short the stay there.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from iopsim.scenario.findings import words
from iopsim.scenario.levels import Care, care_of
from iopsim.scenario.parts import HOME
from iopsim.scenario.plausible.fates import Fate, fate
from iopsim.scenario.plausible.finding import Finding, warning
from iopsim.scenario.plausible.timetable import fits, share_held

if TYPE_CHECKING:
    from iopsim.scenario.distributions import Law
    from iopsim.scenario.levels import Level
    from iopsim.scenario.schema import Scenario, Source

__all__ = ["Stream", "streams"]

_NOBODY = 1e-9
_FEW = 1e-6
_MOST_MOVES = 20_000


@dataclass(frozen=True, slots=True, eq=False)
class Stream:
    """Patients of one kind who come to one level: how many a day, and how their stays go."""

    level: str
    source: str
    track: str
    time: str
    per_day: float
    care: Care
    fate: Fate

    @property
    def sessions_per_week(self) -> float:
        """Sessions that all of them together are scheduled for."""
        return 7 * self.per_day * self.fate.sessions

    @property
    def census(self) -> float:
        """Places that all of them together occupy."""
        return self.per_day * self.fate.days


class _Onward(NamedTuple):
    """Where those who leave a level go: shares by destination, and those called back out of the next level."""

    shares: dict[str, float]
    interrupted: dict[str, float]


def streams(scenario: Scenario) -> tuple[list[Stream], list[Finding]]:
    """All streams of patients, and a warning for those who never leave the system."""
    found: list[Stream] = []
    stuck: dict[tuple[str, ...], None] = {}
    fates = _Fates(scenario)
    for source, spec in scenario.sources.items():
        for track, share in scenario.track_shares(spec).items():
            referred = _per_day(scenario, spec) * share
            if not referred:
                continue
            onward = _reached(scenario, fates, spec.to, track, source)
            if closed := _closed(onward):
                stuck[tuple(name for name in scenario.levels if name in closed)] = None
                onward |= dict.fromkeys(closed, _Onward({}, {}))
            for (level, until), per_day in _visits(onward, spec.to, referred).items():
                care, lived = fates.of(level, track, source, until)
                found += [
                    Stream(level, source, track, time, per_day * part, care, lived)
                    for time, part in spec.times.items()
                    if part
                ]
    return found, [
        warning(
            f"levels.{levels[0]}",
            f"patients never leave {words(levels)}: all who leave are sent back in, so that the census grows "
            "without end; let a share go home (here, they count until they first come to one of these)",
        )
        for levels in stuck
    ]


def _per_day(scenario: Scenario, source: Source) -> float:
    """Referrals a day: `per_week` over a year of seasons, with the mean growth over the window."""
    exponent = math.log1p(source.growth_per_year) * scenario.run.weeks * 7 / 365
    return source.per_week / 7 * (math.expm1(exponent) / exponent if exponent else 1.0)


class _Fates:
    """The fate of each kind of stay, worked out once."""

    def __init__(self, scenario: Scenario) -> None:
        self._scenario = scenario
        self._of = cache(self._work_out)
        self._held = {name: share_held(scenario, level) for name, level in scenario.levels.items()}

    def of(self, name: str, track: str, source: str, until: str = "") -> tuple[Care, Fate]:
        """Care and fate in a level; `until` names the level whose returns call patients away, if one does."""
        by, groups = self._scenario.levels[name].by, self._scenario.levels[name].groups
        by_track = track in by.track or any(group.tracks for group in groups.values())
        return self._of(name, track if by_track else "", source if source in by.source else "", until)

    def _work_out(self, name: str, track: str, source: str, until: str) -> tuple[Care, Fate]:
        level = self._scenario.levels[name]
        care = care_of(level, track, source)
        return care, fate(care, _days_per_week(level, track), self._held[name], level.plan, self._call(until))

    def _call(self, until: str) -> Law | None:
        returns = self._scenario.levels[until].returns if until else None
        return returns.after_days if returns else None


def _days_per_week(level: Level, track: str) -> float:
    """Sessions a week of a stay in days; 0 without groups."""
    met = [len(group.days) for group in level.groups.values() if not track or fits(group, track, "either")]
    if not met:
        return 0.0
    return level.days_per_week or sum(met) / len(met)


def _reached(scenario: Scenario, fates: _Fates, first: str, track: str, source: str) -> dict[str, _Onward]:
    """Where one kind of patient goes on to from each level that they come to."""
    onward: dict[str, _Onward] = {}
    ahead = [first]
    while ahead:
        name = ahead.pop()
        if name not in onward:
            onward[name] = _onward(scenario.levels[name], *fates.of(name, track, source))
            ahead += [to for to, share in onward[name].shares.items() if to != HOME and share > _NOBODY]
    return onward


def _onward(level: Level, care: Care, lived: Fate) -> _Onward:
    shares: dict[str, float] = defaultdict(float)
    for name, destination in level.next.items():
        shares[name] += lived.completed * destination.share
    shares[care.leave_early.dropout_to] += lived.left_early
    if care.leave_early.step_up is not None:
        for name, share in care.leave_early.step_up.to.items():
            shares[name] += lived.stepped_up * share
    interrupted: dict[str, float] = {}
    if level.returns is not None:
        for name in dict.fromkeys(level.returns.from_):
            interrupted[name] = shares[name] * level.returns.share
            shares[name] -= interrupted[name]
        shares[level.returns.to] += math.fsum(interrupted.values())
        interrupted.pop(HOME, None)
    return _Onward(shares, interrupted)


def _closed(onward: dict[str, _Onward]) -> set[str]:
    """Levels to which patients come back for ever: no way leads home, and one leads back."""

    def ahead(names: set[str]) -> set[str]:
        return {
            to for name in names & set(onward) for to, share in onward[name].shares.items() if share > _NOBODY
        }

    closed = set()
    for name in onward:
        seen, more = set[str](), ahead({name})
        while more:
            seen |= more
            more = ahead(more) - seen
        if name in seen and HOME not in seen:
            closed.add(name)
    return closed


def _visits(onward: dict[str, _Onward], first: str, per_day: float) -> dict[tuple[str, str], float]:
    """Stays that begin a day, by level and by the level whose returns cut them short ("": none)."""
    visits: dict[str, float] = defaultdict(float)
    moving: dict[str, float] = {first: per_day}
    for _ in range(_MOST_MOVES):  # everybody moves on to the next level at once
        if math.fsum(moving.values()) < _FEW * per_day:
            break
        moved: dict[str, float] = defaultdict(float)
        for name, rate in moving.items():
            visits[name] += rate
            for to, share in onward[name].shares.items():
                if share > _NOBODY and to != HOME:
                    moved[to] += rate * share
        moving = moved
    found: dict[tuple[str, str], float] = defaultdict(float)
    for name, rate in visits.items():
        found[name, ""] += rate
        for to, share in onward[name].interrupted.items():
            found[to, name] += rate * share
    return {where: rate for where, rate in found.items() if rate}
