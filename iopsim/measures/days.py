"""Which calendar days of a stay count, in closed form: no stay is expanded to days only to count them.

A day is spent where the patient is at its end (the midnight census of hospitals), so that every day of a stay
is in care or held, never both; a stay that begins and ends on the same day counts that one day, in care. Days
are whole numbers since `run.start`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from iopsim.measures.tables import Ints, ranges, sums
from iopsim.model.ledger import in_order

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable

    from iopsim.measures.tables import Intervals

__all__ = ["DayRows", "DaySpans", "ServiceDays"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class ServiceDays:
    """The first `per_week` open days of each Monday-to-Sunday week of a stay (model.md §9).

    A program of at most five days a week is open Monday to Friday, one of more days all week; closed dates
    are not open. Days of the week before the stay began do not use up its share.

    Attributes:
        monday: The first day of the tables, a Monday.
        per_week: Most days that count in one week.
        open_before: Open days from `monday` to each day; shape (days + 1,).
        counted_before: Days from `monday` to each week that count if all are spent; shape (weeks + 1,).
    """

    monday: int
    per_week: int
    open_before: Ints
    counted_before: Ints

    @classmethod
    def of(
        cls, *, start: dt.date, first: int, last: int, per_week: int | None, closed: Iterable[dt.date]
    ) -> ServiceDays:
        """The rule between the days `first` and `last`; without `per_week` every calendar day counts."""
        monday = first - (first + start.weekday()) % 7
        weeks = (last - monday) // 7 + 1
        is_open = np.ones((weeks, 7), bool)
        if per_week is not None:
            is_open[:, 5:] = per_week > 5
            shut = np.array([(date - start).days - monday for date in closed], np.int64)
            is_open.flat[shut[(shut >= 0) & (shut < 7 * weeks)]] = False
        per_week = per_week or 7
        counted = np.minimum(is_open.sum(axis=1), per_week)
        return cls(
            monday=monday,
            per_week=per_week,
            open_before=np.append(0, is_open.cumsum()),
            counted_before=np.append(0, counted.cumsum()),
        )

    def between(self, begin: Ints, day: Ints) -> Ints:
        """Days that count in [begin, day) of stays that begin on the day `begin`; shape as broadcast."""
        begin, day = begin - self.monday, day - self.monday
        first, last = begin // 7, day // 7
        of_first = self.open_before[np.minimum(7 * (first + 1), day)] - self.open_before[begin]
        of_last = self.open_before[day] - self.open_before[7 * last]
        whole = self.counted_before[last] - self.counted_before[np.minimum(first + 1, last)]
        cap = self.per_week
        later = np.where(last > first, whole + np.minimum(of_last, cap), 0)
        days: Ints = np.minimum(of_first, cap) + later
        return days

    def counts(self, begin: Ints, day: Ints) -> NDArray[np.bool_]:
        """Whether `day` counts for a stay that begins on the day `begin`; shape as broadcast."""
        begin, day = begin - self.monday, day - self.monday
        since = self.open_before[np.maximum(begin, day - day % 7)]
        before = self.open_before[day]
        counted: NDArray[np.bool_] = (self.open_before[day + 1] > before) & (before - since < self.per_week)
        return counted


class DaySpans(NamedTuple):
    """Days [`first`, `past`) of stays whose place is taken from the day `begin` on; shape (n,)."""

    stay: Ints
    begin: Ints
    first: Ints
    past: Ints

    @classmethod
    def of(cls, spent: Intervals, admitted: Floats, horizon: float) -> DaySpans:
        """The days at whose end a stretch of time was on; `admitted` by stay, shape (stays,)."""
        end = np.floor(np.minimum(spent.end, horizon)).astype(np.int32)
        begin = np.floor(admitted[spent.stay]).astype(np.int32)
        return cls(spent.stay, begin, np.floor(spent.begin).astype(np.int32), end)

    def within(self, first: int, past: int) -> DaySpans:
        """The part that falls into the days [first, past)."""
        return self._replace(first=self.first.clip(first, past), past=self.past.clip(first, past))

    def take(self, rows: Ints) -> DaySpans:
        """Some of them."""
        return DaySpans(self.stay[rows], self.begin[rows], self.first[rows], self.past[rows])

    def days(self, rule: ServiceDays) -> Ints:
        """Days of each that count; shape (n,)."""
        return rule.between(self.begin, self.past) - rule.between(self.begin, self.first)

    def rows(self, rule: ServiceDays) -> tuple[Ints, Ints]:
        """Stay and day of every day that counts."""
        size = self.past - self.first
        span, day = np.repeat(np.arange(len(size)), size), ranges(self.first, size)
        counted = rule.counts(self.begin[span], day)
        return self.stay[span[counted]], day[counted]


class DayRows(NamedTuple):
    """One row per stay and calendar day that counts, as `weight` days; shape (n,).

    `session` is the ledger's row of the day's first session, −1 in places.
    """

    stay: Ints
    day: Ints
    session: Ints
    weight: Floats

    @classmethod
    def of(cls, stay: Ints, day: Ints, session: Ints) -> DayRows:
        """The days of sessions, those of each stay in order of time, each day of it once: by stay and day."""
        order = in_order(stay)
        stay, day = stay[order], day[order]
        new = np.append(True, (stay[1:] > stay[:-1]) | (day[1:] > day[:-1]))[: len(stay)]
        if not new.all():
            stay, day, order = stay[new], day[new], order[new]
        return cls(stay, day, session[order], np.broadcast_to(1.0, len(stay)))

    def take(self, rows: NDArray[Any]) -> DayRows:
        """Some of them: a mask, or places."""
        return DayRows(self.stay[rows], self.day[rows], self.session[rows], self.weight[rows])

    def within(self, first: int, past: int) -> DayRows:
        """The rows of the days [first, past)."""
        return self.take((self.day >= first) & (self.day < past))

    def per_stay(self, stays: int) -> Floats:
        """Days by stay; shape (stays,)."""
        return sums(self.stay, self.weight, stays)
