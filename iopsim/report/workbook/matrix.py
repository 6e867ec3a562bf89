"""A table with a row for each name of the scenario and a column for each of its numbers that there are."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from iopsim.report.workbook.book import Column

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from iopsim.report.tables import Results
    from iopsim.report.workbook.book import Area, Cell, Sheet

__all__ = ["Quantity", "Shown", "matrix"]


class Quantity(NamedTuple):
    """A column: its heading, the metric with `{}` for the name, and whether the ends of its interval follow.

    Attributes:
        value: What stands there instead of a metric, from the results and the name.
        unit: Of such a value.
    """

    words: str
    metric: str = ""
    interval: bool = False
    value: Callable[[Results, str], float] | None = None
    unit: str = ""


class Shown(NamedTuple):
    """A table that was written: where, and the column of each quantity that is there."""

    area: Area
    places: Mapping[str, int]


def matrix(
    sheet: Sheet, results: Results, what: str, words: Mapping[str, str], quantities: Sequence[Quantity]
) -> Shown | None:
    """Write the table, without rows and columns of which nothing is known; None if there is none.

    Args:
        sheet: Where to write it.
        results: Where the numbers are.
        what: Heading of the names.
        words: What people read for each name; names that read alike are told apart.
        quantities: The columns.
    """
    table = {name: [_numbers(results, name, one) for one in quantities] for name in words}
    there = [any(not math.isnan(row[at][0]) for row in table.values()) for at in range(len(quantities))]
    columns, places = [Column(what)], {}
    for one, known in zip(quantities, there, strict=True):
        if known:
            places[one.words] = len(columns)
            ends = [f"{one.words}, low", f"{one.words}, high"] if one.interval else []
            columns += [Column(said, _unit(results, one, words)) for said in (one.words, *ends)]
    rows: list[list[Cell]] = [
        [_told_apart(name, words), *(number for at, known in enumerate(there) if known for number in row[at])]
        for name, row in table.items()
        if any(not math.isnan(numbers[0]) for numbers in row)
    ]
    return Shown(sheet.table(columns, rows), places) if rows else None


def _numbers(results: Results, name: str, one: Quantity) -> list[float]:
    if one.value:
        return [one.value(results, name)]
    found = results.summary.get(one.metric.format(name))
    if found is None:
        return [math.nan] * (3 if one.interval else 1)
    return [found.estimate, found.low, found.high] if one.interval else [found.estimate]


def _unit(results: Results, one: Quantity, names: Mapping[str, str]) -> str:
    units = (found.unit for name in names if (found := results.summary.get(one.metric.format(name))))
    return next(units, one.unit)


def _told_apart(name: str, words: Mapping[str, str]) -> str:
    said = words[name]
    return said if list(words.values()).count(said) == 1 else f"{said} ({name})"
