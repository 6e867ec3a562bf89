"""Waitlists of today: from when on one is short and stays so, and what becomes of those who are on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from iopsim.measures.window import first, remembered
from iopsim.scenario.today import WEEKS_UNDER

if TYPE_CHECKING:
    from iopsim.measures.tables import Ints
    from iopsim.measures.window import Window

__all__ = ["NOT_STARTED", "STILL_WAITING", "first_week_under", "starts_of_listed"]

NOT_STARTED, STILL_WAITING = -1.0, -2.0


@remembered
def first_week_under(window: Window, level: str, number: int) -> int | None:
    """The first week, 0 the first measured one, from which a list is under a number for four weeks; None if never.

    It is at every instant of them, after all that happens at that instant; weeks of the run-out count.
    """
    weeks = int(window.horizon // 7)
    under = _most_waiting(window, level, weeks) < number
    in_a_row = [bool(under[week : week + WEEKS_UNDER].all()) for week in range(weeks - WEEKS_UNDER + 1)]
    return in_a_row.index(True) if True in in_a_row else None


def _most_waiting(window: Window, level: str, weeks: int) -> Ints:
    """Most patients on a list at one instant of each week; shape (weeks,)."""
    begin, end, _ = window.intervals_in("waiting", level)
    mondays = window.start + 7 * np.arange(weeks + 1.0)
    times = np.concatenate((mondays, begin.clip(window.start), end.clip(window.start)))
    steps = np.repeat((0, 1, -1), (len(mondays), len(begin), len(end)))
    order = np.argsort(times, kind="stable")
    times, waiting = times[order], steps[order].cumsum()
    settled = np.append(times[1:] > times[:-1], True)
    times, waiting = times[settled], waiting[settled]
    most: Ints = np.maximum.reduceat(waiting, np.searchsorted(times, mondays[:-1]))
    return most


def starts_of_listed(window: Window) -> list[float]:
    """For each patient on a list at the beginning of a run from today, when care started, in days.

    In the order of the files. `STILL_WAITING`: not yet at the end of the run-out, and may; `NOT_STARTED`: nor will it.
    """
    s = window.stays
    over = np.isfinite(first(s.refused, s.denied, s.reneged, s.withdrawn, s.ended, s.released))
    fate = np.where(np.isnan(s.started), np.where(over, NOT_STARTED, STILL_WAITING), s.started)
    days: list[float] = fate[window.ledger.listed_stay].tolist()
    return days
