"""The books' own calendar: when groups meet, and on which days there are appointments, from the dates themselves."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from math import inf, log

from iopsim.model.timeline import in_days
from iopsim.scenario.distributions import DaysLaw
from iopsim.scenario.groups import Group
from iopsim.scenario.parts import WEEKDAYS
from iopsim.scenario.schema import Scenario

__all__ = ["NINE", "Calendar", "longest", "within"]

NINE = in_days(9)
_BEYOND = 28  # days after the end in which a group is known to meet again
_CLOSE = 1e-6
_SURE = -log(1e-12)  # hazard that is used up by then but once in a million million times


def within(law: DaysLaw | None, days: float, passed: float = 0.0) -> bool:
    """Whether a law can have given so many days; without a law, none."""
    if law is None:
        return days == 0
    return law.quantile(1e-12) - _CLOSE <= days <= longest(law, passed)


def longest(law: DaysLaw | None, passed: float = 0.0) -> float:
    """The longest time that a law can be expected to give, given that some days have passed; 0 without a law."""
    if law is None:
        return 0.0
    left = law.survival(passed) if passed > 0 else 1.0
    return (max(passed, law.hazard_time(_SURE - log(left))) if left > 0 else passed) + _CLOSE


class Calendar:
    """Days since the first measured one.

    Attributes:
        first, last: The first simulated day, and the day after the last one.
        closed: Days without sessions.
        opening: The plan in force on the first day.
        changes: The plans that come into force later, by day.
    """

    def __init__(self, scenario: Scenario) -> None:
        self._start = scenario.run.start
        self.first = -7 * scenario.run.warm_up_weeks
        self.last = 7 * (scenario.run.weeks + scenario.run.run_out_weeks)
        self.closed = {self.day(date) for date in scenario.calendar.closed}
        begins = [(self.day(one.from_), one.plan) for one in scenario.editions if one.from_ is not None]
        self.opening = [scenario, *(plan for day, plan in begins if day <= self.first)][-1]
        self.changes = {day: plan for day, plan in begins if self.first < day < self.last}

    def day(self, date: dt.date) -> int:
        return (date - self._start).days

    def weekday(self, day: int) -> int:
        return (self._start.weekday() + day) % 7

    def is_working_day(self, day: int) -> bool:
        return self.weekday(day) < 5 and day not in self.closed

    def opens(self, group: Group) -> float:
        return self.first if group.from_ is None else self.day(group.from_)

    def closes(self, group: Group) -> float:
        return inf if group.until is None else self.day(group.until) + 1

    def next_meeting(self, group: Group, after: float, days: Collection[int]) -> float:
        """Start of the first session after an instant that is not closed, on one of the weekdays; inf: none."""
        known = range(max(int(after), int(self.opens(group))), self.last + _BEYOND)
        starts = (
            day + in_days(group.start_hour)
            for day in known
            if self.weekday(day) in days and day not in self.closed and day < self.closes(group)
        )
        return next((start for start in starts if start > after), inf)

    def sessions(self, group: Group) -> list[float]:
        """Starts of all sessions in the simulated time, closed days included."""
        return [
            day + in_days(group.start_hour)
            for day in range(self.first, self.last)
            if WEEKDAYS[self.weekday(day)] in group.days and self.opens(group) <= day < self.closes(group)
        ]
