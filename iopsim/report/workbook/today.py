"""The sheet of a run that began from today: when lists are short, and when each person on them starts."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from iopsim.experiment.statistics import FEWEST_YEARS
from iopsim.report.workbook import charts
from iopsim.report.workbook.book import COUNT, Column

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from iopsim.report.tables import Results, Under
    from iopsim.report.workbook.book import Book, Cell, Sheet
    from iopsim.report.workbook.source import Source

__all__ = ["today"]

_BESIDE = 4  # the column that charts begin at


def today(book: Book, source: Source) -> None:
    """The weeks until each list stays under its number, and the starts of those who are on it."""
    begun, results = source.scenario.from_today, source.results
    if begun is None:
        return
    day = f"{begun.as_of:%B} {begun.as_of.day}, {begun.as_of.year}"
    note = (
        f"Who was in care and who waited on {day}, simulated on from there in {results.replications} years."
    )
    sheet = book.sheet("Today", "From today", note)
    for answer in source.manifest.get("today", ()):
        sheet.line(answer)
    for level, weeks in groupby(results.under, lambda week: week.level):
        _under(book, sheet, results.level(level), list(weeks))
    if results.starts:
        _starts(sheet, results)
    sheet.fit()


def _under(book: Book, sheet: Sheet, level: str, weeks: Sequence[Under]) -> None:
    """From which week on a list stays under its number for four weeks, and how probably by when."""
    title = sheet.row + 1
    sheet.heading(f"{level}: the list stays under {weeks[0].under} for four weeks")
    columns = [
        Column("from the week of"),
        Column("share of years", "share"),
        Column("by then, share of years", "share"),
    ]
    area = sheet.table(columns, [[one.week, one.share, one.by_then] for one in weeks])
    alt = f"A line by week: share of years in which the list of {level} has come to stay under {weeks[0].under}."
    chart = charts.cumulative(book, area, 2, [sheet.name, title, 0])
    sheet.insert(chart, area.head, _BESIDE, alt)
    sheet.row = max(sheet.row, area.head + charts.ROWS)


def _starts(sheet: Sheet, results: Results) -> None:
    """When each person starts who is on a list; without a date in years in which that does not happen."""
    sheet.heading("When each person on a list starts care")
    sheet.line("Place: by date of joining. A free cell: never in so many years, as far as is simulated.")
    if results.replications < FEWEST_YEARS:
        sheet.line(f"Fewer than {FEWEST_YEARS} replications leave cells free as well.")
    named = any(one.id for one in results.starts)
    columns = [
        Column("level"),
        Column("place", COUNT),
        Column("starts, share of years", "share"),
        Column("gives up or is lost, share of years", "share"),
        Column("in one of ten years by (10 %)"),
        Column("in half of years by (median)"),
        Column("in nine of ten years by (90 %)"),
        *([Column("id")] if named else []),
    ]
    rows: Iterator[list[Cell]] = (
        [results.level(one.level), *one[1:-1], *([one.id] if named else [])] for one in results.starts
    )
    sheet.table(columns, rows)
