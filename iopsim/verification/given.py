"""What a case's scenario gives theory to compute with: so that theory and simulation read the same file."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeVar

from iopsim.scenario.parts import HOME, WEEKDAYS
from iopsim.theory.chains import Unit

if TYPE_CHECKING:
    from iopsim.scenario.distributions import Law
    from iopsim.scenario.schema import Scenario

__all__ = [
    "caseload",
    "dropout",
    "goes_first",
    "monthly_rates",
    "onward",
    "patience",
    "per_day",
    "places",
    "places_of_tracks",
    "planned_sessions",
    "session_starts",
    "stay",
    "unit",
]


_Part = TypeVar("_Part")


def _one(parts: Mapping[str, _Part], name: str | None) -> _Part:
    """The part of that name, or the only one."""
    if name is None:
        (part,) = parts.values()
        return part
    return parts[name]


def per_day(scenario: Scenario, source: str | None = None) -> float:
    """Referrals a day of a source whose rate never changes; of the only one, if none is named."""
    return _one(scenario.sources, source).per_week / 7


def monthly_rates(scenario: Scenario, source: str | None = None) -> list[tuple[float, float]]:
    """From which day on how many are referred a day, by a source that differs by month only (model.md §4)."""
    start, months = scenario.run.start, _one(scenario.sources, source).months
    year = [start + dt.timedelta(day) for day in range(365)]
    yearly_mean = sum(months[date.month - 1] for date in year) / len(year)
    dates = [start + dt.timedelta(day) for day in range(7 * scenario.run.weeks)]
    return [
        (float(day), per_day(scenario, source) * months[date.month - 1] / yearly_mean)
        for day, date in enumerate(dates)
        if day == 0 or date.day == 1
    ]


def places(scenario: Scenario, level: str | None = None) -> int:
    """Places of a level that has a number of them."""
    number = _one(scenario.levels, level).places
    assert isinstance(number, int), "the level has places of another kind"
    return number


def places_of_tracks(scenario: Scenario, level: str | None = None) -> Mapping[str, int]:
    """Places of each track, of a level whose tracks have places of their own."""
    numbers = _one(scenario.levels, level).places
    assert isinstance(numbers, Mapping), "the level has places that all tracks share"
    return numbers


def caseload(scenario: Scenario, level: str | None = None) -> int:
    """Patients that all who carry the level's patients have room for together."""
    name = _one(scenario.levels, level).caseload
    assert name is not None, "the level has no caseload"
    role = scenario.staff[name]
    return role.posts * role.caseload_limit


def stay(scenario: Scenario, level: str | None = None) -> Law:
    """The law of the stay in days."""
    law = _one(scenario.levels, level).stay_days
    assert law is not None, "the level has no stay in days"
    return law


def patience(scenario: Scenario, level: str | None = None) -> Law:
    """The law of the patience in days."""
    law = _one(scenario.levels, level).waitlist.patience_days
    assert law is not None, "the level has patients who wait as long as it takes"
    return law


def dropout(scenario: Scenario, level: str | None = None) -> Law:
    """The law of the days of treatment until dropout."""
    law = _one(scenario.levels, level).leave_early.dropout
    assert law is not None, "the level has nobody who drops out by a law of days"
    return law


def unit(scenario: Scenario, level: str, source: str) -> Unit:
    """A level with places and exponential stays, and the referrals from a source."""
    return Unit(
        arrivals_per_day=per_day(scenario, source),
        mean_stay_days=stay(scenario, level).mean,
        places=places(scenario, level),
    )


def onward(scenario: Scenario, level: str) -> dict[str, float]:
    """Shares of those who complete a level that go on to others."""
    following = scenario.levels[level].next
    return {to: destination.share for to, destination in following.items() if to != HOME}


def goes_first(scenario: Scenario, level: str, origin: str, other: str) -> bool | None:
    """Whether those from an origin are admitted before those from another, or after them; None: in order."""
    classes = scenario.levels[level].waitlist.priority
    mine, theirs = classes.get(origin, math.inf), classes.get(other, math.inf)
    return None if mine == theirs else mine < theirs


def planned_sessions(scenario: Scenario, level: str) -> int:
    """Scheduled sessions of the whole plan."""
    phases = scenario.levels[level].phases
    assert phases is not None, f"{level} plans no sessions"
    return sum(phase.sessions for phase in phases)


def session_starts(scenario: Scenario, level: str) -> list[float]:
    """When the sessions of all groups of a level start, in days from Monday 0:00."""
    groups = scenario.levels[level].groups.values()
    return [WEEKDAYS.index(day) + group.start_hour / 24 for group in groups for day in group.days]
