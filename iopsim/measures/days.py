"""Which calendar days of a stay count, in closed form: nobody's stay is expanded to days to count them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable

__all__ = ["ServiceDays"]

Ints = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class ServiceDays:
    """The first `per_week` open days of each Monday-to-Sunday week of a stay (model.md §9).

    Days are whole numbers since `run.start`. A program of at most five days a week is open Monday to Friday,
    one of more days all week; closed dates are not open. The days of the week that come before the stay
    began do not use up its week.

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
