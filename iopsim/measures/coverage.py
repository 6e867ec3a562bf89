"""Days that no payer covers: the approved units are used up, and the answer to the request for more is open.

Source: model.md §§6, 9.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from iopsim.measures.days import DayRows
from iopsim.measures.tables import Bools, Floats, Intervals, in_force
from iopsim.measures.window import remembered
from iopsim.model.ledger import ENDS, Fact

if TYPE_CHECKING:
    from iopsim.measures.window import Window

__all__ = ["Uncovered", "uncovered"]


class Uncovered(NamedTuple):
    """What is not covered.

    Attributes:
        rows: Mask of the member-sessions (`Window.attendance`) that are not.
        days: Attended days of the window that are not; shape (stays,).
    """

    rows: Bools
    days: Floats


@remembered
def uncovered(window: Window) -> Uncovered:
    """From units used up until more are approved or care ends. Days in places count where they end."""
    rows, stays = window.attendance, window.stays
    if not (window.ledger.fact == Fact.LAPSED).any():
        return Uncovered(np.zeros(len(rows.stay), bool), np.zeros(len(stays.level)))
    lapsed = _lapsed(window)
    during = lapsed.cover(rows.stay, rows.time)
    came = during & rows.attended & window.inside(rows.time)
    days = DayRows.of(rows.stay[came], rows.time[came]).per_stay(len(stays.level))
    by_day = Intervals(np.floor(lapsed.begin), np.floor(lapsed.end), lapsed.stay)
    for number in np.unique(stays.level[lapsed.stay]):
        name = window.ledger.levels[number]
        if not window.scenario.levels[name].groups:
            spent = window.attended_days(name)
            lost = by_day.cover(spent.stay, spent.day.astype(np.float64))
            days += DayRows(spent.stay[lost], spent.day[lost], spent.weight[lost]).per_stay(len(stays.level))
    return Uncovered(during, days)


def _lapsed(window: Window) -> Intervals:
    ledger = window.ledger
    rows, end = in_force(ledger, Fact.LAPSED, Fact.EXTENDED, *ENDS)
    on = ledger.fact[rows] == Fact.LAPSED
    return Intervals(ledger.time[rows][on], end[on], ledger.stay[rows][on])
