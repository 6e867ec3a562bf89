"""The calendar as numbers: days since the first measured day, negative in the warm-up (model.md §2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import datetime as dt

    from numpy.typing import NDArray

    from iopsim.scenario.groups import Group
    from iopsim.scenario.schema import Scenario, Source

__all__ = ["Timeline", "in_days"]

_BEYOND = 28


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
    """

    def __init__(self, scenario: Scenario) -> None:
        self._start = scenario.run.start
        self.first = -7 * scenario.run.warm_up_weeks
        self.last = 7 * (scenario.run.weeks + scenario.run.run_out_weeks)
        self.closed = frozenset(self.day(date) for date in scenario.calendar.closed)

    def day(self, date: dt.date) -> int:
        """Number of the day of a date."""
        return (date - self._start).days

    def weekday(self, day: int) -> int:
        """0 is Monday, 6 is Sunday."""
        return (self._start.weekday() + day) % 7

    def rates(self, source: Source) -> NDArray[np.float64]:
        """Referrals a day for each simulated day, growth apart; shape (last − first,).

        Weekday × month is divided by its mean over the 365 days from the start, so that `per_week` is what it
        says in the first measured year (model.md §4).
        """
        seasons = self._seasons(source, self.first, self.last)
        mean = float(self._seasons(source, 0, 365).mean())
        return source.per_week / 7 / mean * seasons if mean else np.zeros_like(seasons)

    def _seasons(self, source: Source, first: int, last: int) -> NDArray[np.float64]:
        dates = np.datetime64(self._start) + np.arange(first, last)
        months = dates.astype("datetime64[M]").astype(np.int64) % 12
        weekdays = (self._start.weekday() + np.arange(first, last)) % 7
        seasons: NDArray[np.float64] = (
            np.asarray(source.weekdays)[weekdays] * np.asarray(source.months)[months]
        )
        return seasons

    def meetings(self, group: Group, weekdays: tuple[int, ...]) -> list[tuple[float, int, bool]]:
        """Every session of a group in order: (start, weekday, whether the day is closed).

        They go on for some weeks after the end of the run, so that nobody is turned away because it ends.
        """
        first = self.first if group.from_ is None else max(self.first, self.day(group.from_))
        last = self.last + _BEYOND if group.until is None else self.day(group.until) + 1
        clock = in_days(group.start_hour)
        return [
            (day + clock, self.weekday(day), day in self.closed)
            for day in range(first, last)
            if self.weekday(day) in weekdays
        ]
