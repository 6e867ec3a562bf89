"""Days that no payer covers: the approved units are used up, and the answer to the request for more is open.

Source: model.md §§6, 9.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from iopsim.measures.service_days import kinds, rows_in_places, session_days
from iopsim.measures.tables import Bools, Floats, Intervals, in_force, paired, sums
from iopsim.measures.window import remembered
from iopsim.model.ledger import ENDS, Fact

if TYPE_CHECKING:
    from iopsim.measures.days import DayRows
    from iopsim.measures.window import Window

__all__ = ["is_uncovered", "uncovered_days"]


def is_uncovered(window: Window, rows: DayRows) -> Bools:
    """Whether each attended day is not covered: a session of it, or in places its end.

    That is from units used up until more are approved or care ends.
    """
    lapsed, in_groups = _lapsed(window), rows.session >= 0
    uncovered = np.zeros(len(rows.stay), bool)
    if len(lapsed.stay):
        members = window.attendance
        during = members.attended & lapsed.cover(members.stay, members.time)
        span, day = 1 << 24, np.floor(members.time[during]).astype(np.int32)
        days = paired(members.stay[during], day, span)
        by_day = Intervals(np.floor(lapsed.begin), np.floor(lapsed.end), lapsed.stay)
        uncovered[in_groups] = np.isin(paired(rows.stay[in_groups], rows.day[in_groups], span), days)
        uncovered[~in_groups] = by_day.cover(rows.stay[~in_groups], rows.day[~in_groups].astype(np.float64))
    return uncovered


@remembered
def uncovered_days(window: Window) -> Floats:
    """Attended days of the window that are not covered, in own levels and others; shape (stays,)."""
    levels, stays = window.stays.level, len(window.stays.level)
    days = np.zeros(stays)
    concerned = np.isin(np.arange(len(window.ledger.levels)), levels[_lapsed(window).stay])
    first, past = int(window.start), int(window.end)
    for rows in (
        session_days(window).within(first, past),
        rows_in_places(window, concerned & ~kinds(window).grouped, first, past),
    ):
        lost = is_uncovered(window, rows)
        days += sums(rows.stay[lost], rows.weight[lost], stays)
    return days


@remembered
def _lapsed(window: Window) -> Intervals:
    ledger = window.ledger
    if not (ledger.fact == Fact.LAPSED).any():
        return Intervals(np.empty(0), np.empty(0), np.empty(0, np.int64))
    rows, end = in_force(ledger, Fact.LAPSED, Fact.EXTENDED, *ENDS)
    on = ledger.fact[rows] == Fact.LAPSED
    return Intervals(ledger.time[rows][on], end[on], ledger.stay[rows][on])
