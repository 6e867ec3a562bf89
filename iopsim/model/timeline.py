"""The calendar as numbers: days since the first measured day, negative in the warm-up (model.md §2)."""

from __future__ import annotations

import datetime as dt
from functools import cache
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from iopsim.scenario.groups import Group
    from iopsim.scenario.schema import Scenario, Source

__all__ = ["Meetings", "Timeline", "in_days"]

_BEYOND: Final = 28
_SATURDAY: Final = 5


@cache
def in_days(hours: float) -> float:
    """Hours as a part of a day, to the nearest 2⁻²⁰ of it (0.08 s).

    Clock times are then exact sums: whole weeks after a session at 17:30 is 17:30 to the last bit, so that ties are
    decided by rule and never by rounding.
    """
    return round(hours / 24 * 2**20) / 2**20


class Timeline:
    """Days from the opening to the end of the run-out.

    Attributes:
        first: First simulated day (0 or negative).
        last: The day after the last simulated one.
        closed: Days on which no session takes place.
        plans: What is in force: from the first day on, and from each later day on which the plan changes.
    """

    def __init__(self, scenario: Scenario) -> None:
        self._start = scenario.run.start
        self._starts_on = self._start.weekday()
        self.first = -7 * scenario.run.warm_up_weeks
        self.last = 7 * (scenario.run.weeks + scenario.run.run_out_weeks)
        self.closed = frozenset(self.day(date) for date in scenario.calendar.closed)
        self._editions = scenario.editions
        self._changes = [self.day(edition.from_) for edition in self._editions if edition.from_ is not None]
        later = zip(self._changes, self._editions[1:], strict=True)
        self.plans = [
            (self.first, scenario.on(self.date(self.first))),
            *((day, plan) for day, (_, plan) in later if self.first < day < self.last),
        ]
        self._meetings: dict[tuple[object, ...], Meetings] = {}  # by what is alike

    def day(self, date: dt.date) -> int:
        """Number of the day of a date."""
        return (date - self._start).days

    def date(self, day: int) -> dt.date:
        """The date of a day."""
        return self._start + dt.timedelta(days=day)

    def weekday(self, day: int) -> int:
        """0 is Monday, 6 is Sunday."""
        return (self._starts_on + day) % 7

    def workday(self, day: int) -> int:
        """The first day from this one on that lies on no weekend and is not closed."""
        while (self._starts_on + day) % 7 >= _SATURDAY or day in self.closed:
            day += 1
        return day

    def rates(self, name: str) -> NDArray[np.float64]:
        """Referrals a day for each simulated day, growth apart; shape (last − first,).

        Weekday × month is divided by its mean over the 365 days from the start, so that `per_week` is what it
        says in the first measured year, dated changes apart (model.md §4).

        Args:
            name: Of the source.
        """
        days = np.arange(self.first, self.last)
        return self._rates(name, days, self._weekdays(self._source(name), days))

    def weeks(self, name: str) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """The calendar weeks that the run touches: days of their Mondays, and referrals expected in each.

        They are expected at what is in force on the Monday, whatever changes later in the week.
        """
        source = self._source(name)
        mondays = np.arange(self.first - self.weekday(self.first), self.last, 7)
        growth = (1 + source.growth_per_year) ** (np.maximum(mondays, 0) / 365)
        return mondays, growth * self._rates(name, mondays, np.float64(sum(source.weekdays)))

    def week(self, day: int) -> int:
        """Number of the calendar week, Monday to Sunday, that a day lies in; the same for every scenario."""
        return (self._start.toordinal() - 1 + day) // 7

    def _source(self, name: str) -> Source:
        """The source as it was written: of it only `per_week` may change on a date."""
        return self._editions[0].plan.sources[name]

    def _rates(
        self, name: str, days: NDArray[np.int64], weights: NDArray[np.float64] | np.float64
    ) -> NDArray[np.float64]:
        """Rates on some days by the weights of their weekdays, growth apart."""
        source, year = self._source(name), np.arange(365)
        mean = float((self._weekdays(source, year) * self._months(source, year)).mean())
        if not mean:
            return np.zeros(len(days))
        written = np.array([edition.plan.sources[name].per_week for edition in self._editions])
        per_week = written[np.searchsorted(self._changes, days, side="right")]
        rates: NDArray[np.float64] = per_week / 7 / mean * (weights * self._months(source, days))
        if source.changes:
            since = [self.day(change.from_) for change in source.changes]
            factors = np.array([1.0, *(change.factor for change in source.changes)])
            rates *= factors[np.searchsorted(since, days, side="right")]
        return rates

    def _weekdays(self, source: Source, days: NDArray[np.int64]) -> NDArray[np.float64]:
        return np.asarray(source.weekdays)[(self._starts_on + days) % 7]

    def _months(self, source: Source, days: NDArray[np.int64]) -> NDArray[np.float64]:
        dates = np.datetime64(self._start) + days
        return np.asarray(source.months)[dates.astype("datetime64[M]").astype(np.int64) % 12]

    def meetings(self, group: Group, weekdays: tuple[int, ...]) -> Meetings:
        """The sessions of a group; those of groups that meet alike are kept once."""
        first = self.first if group.from_ is None else max(self.first, self.day(group.from_))
        last = self.last + _BEYOND if group.until is None else self.day(group.until) + 1
        alike = (first, last, weekdays, group.start_hour)
        if alike not in self._meetings:
            mondays = range(first - self.weekday(first), last, 7)
            days = [
                day for monday in mondays for weekday in weekdays if first <= (day := monday + weekday) < last
            ]
            self._meetings[alike] = Meetings(self, days, in_days(group.start_hour))
        return self._meetings[alike]


class Meetings:
    """The sessions of groups that meet on the same days at the same time, in order, on closed days too.

    They go on for some weeks after the end of the run, so that nobody is turned away because it ends.

    Attributes:
        starts: When each begins.
        days: Its weekday.
    """

    def __init__(self, timeline: Timeline, days: list[int], clock: float) -> None:
        self.starts = [day + clock for day in days]
        self.days = [timeline.weekday(day) for day in days]
        self._closed = timeline.closed
        self._open: dict[tuple[int, ...], tuple[list[int], list[int]]] = {}

    def is_closed(self, place: int) -> bool:
        """Whether a meeting falls on a closed day."""
        return int(self.starts[place] // 1) in self._closed

    def open(self, days: tuple[int, ...], first: int, later: int) -> int:
        """Place of a meeting on one of the weekdays that is not closed; −1 if there are not so many.

        That is the first from the place `first` on, or so many `later` than that.
        """
        if days not in self._open:
            self._open[days] = self._open_on(days)
        places, passed = self._open[days]
        nth = passed[first] + later
        return places[nth] if nth < len(places) else -1

    def _open_on(self, days: tuple[int, ...]) -> tuple[list[int], list[int]]:
        """Places of the meetings on some weekdays that are not closed, and before each place how many there are."""
        places: list[int] = []
        passed = [0]
        for place, day in enumerate(self.days):
            if day in days and not self.is_closed(place):
                places.append(place)
            passed.append(len(places))
        return places, passed
