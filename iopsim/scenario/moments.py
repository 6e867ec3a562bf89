"""Dates and times of day in the cells of data files, which hold patients: no message says what a cell contains."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["CURE", "UNTIMED", "moments_in"]

UNTIMED = -1.0
"""The hour of a cell that says no time of day."""

CURE = "write year, month and day as 2027-01-31, or 2027-01-31 14:30 with the time of day, or drop the line"

_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)(?:[T ](\d{1,2}):(\d\d)(?::(\d\d(?:\.\d{1,6})?))?)?")
_ZONE = re.compile(r"Z|[+-]\d\d:?\d\d")
_OTHER_FORM = re.compile(r"\d{1,4}([/.])\d{1,2}\1\d{1,4}\b.*")


def moments_in(
    cells: Iterable[tuple[int, str]],
) -> tuple[dict[str, tuple[int, float]], list[tuple[int, str]]]:
    """Day (proleptic Gregorian ordinal) and hour (`UNTIMED` if not said) by cell, and what is wrong with the others.

    Args:
        cells: Line and text of each.

    Returns:
        The moments, and for each line whose cell says none, the line and what is wrong.
    """
    moments: dict[str, tuple[int, float]] = {}
    wrong: dict[str, str] = {}
    faults = []
    for line, cell in cells:
        if cell not in moments and cell not in wrong:
            try:
                moments[cell] = _moment(cell)
            except ValueError as error:
                wrong[cell] = str(error)
        if cell in wrong:
            faults.append((line, wrong[cell]))
    return moments, faults


def _moment(cell: str) -> tuple[int, float]:
    """Day and hour that a cell says.

    Raises:
        ValueError: It says none; with what is wrong, and nothing of what the cell contains.
    """
    found = _MOMENT.match(cell)
    if found is None or found.end() < len(cell):
        raise ValueError(_no_moment(cell, cell[found.end() :].strip() if found else cell))
    date, hour, minute, second = found.groups()
    try:
        day = dt.date.fromisoformat(date).toordinal()
    except ValueError:
        raise ValueError("is no date of the calendar") from None
    if hour is None:
        return day, UNTIMED
    if int(hour) > 23 or int(minute) > 59 or float(second or 0) >= 60:
        raise ValueError("is no time of the day")
    return day, int(hour) + int(minute) / 60 + float(second or 0) / 3600


def _no_moment(cell: str, rest: str) -> str:
    if not cell:
        return "is empty"
    if rest != cell and _ZONE.fullmatch(rest):
        return "has a time zone, where all times are local"
    if _OTHER_FORM.fullmatch(cell):
        return "has a date in which day and month may be confused"
    return "is a number" if re.fullmatch(r"\d+([.,]\d+)?", cell) else "is no date"
