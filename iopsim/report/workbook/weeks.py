"""Sheets of weeks: every weekly series with its bands, and a chart of each."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from iopsim.experiment.statistics import FEWEST_YEARS
from iopsim.report.wording import interval_ends, series_unit, series_words
from iopsim.report.workbook import charts
from iopsim.report.workbook.book import Column

if TYPE_CHECKING:
    from iopsim.report.tables import Weekly
    from iopsim.report.workbook.book import Book, Cell
    from iopsim.report.workbook.source import Source
    from iopsim.scenario.schema import Run, Scenario

__all__ = ["weeks"]

_BANDS = ("mean", "precision, low", "precision, high", "range of years, low", "range of years, high")
_CHARTS = 60  # more than that nobody scrolls through; all series stand in the table
_ABREAST = 2


def weeks(book: Book, source: Source) -> None:
    """Charts of the weekly series, and on a sheet of its own the table that they are drawn from."""
    series = source.results.weekly
    if not series:
        return
    number = source.results.replications
    note = (
        f"Precision: 95 % interval of the mean of {number} replications, which narrows as replications are added. "
        f"Range of years: 10–90 % of the replications{_left_blank(number)}."
    )
    shown = book.sheet("Weeks", "Week by week", note)
    table = book.sheet("Weeks data", "Week by week: the numbers", note)
    said = {name: series_words(name, source.says) for name in series}
    dated = bool(source.scenario.changes)
    left = 2 + dated
    for number, words in enumerate(said.values()):
        table.span(left + 5 * number, left + 5 * number + 4, words)
    titles, table.row = table.row, table.row + 1
    units = {name: series_unit(name, book.currency) for name in series}
    head = [
        Column("week from"),
        Column("part of the run"),
        *([Column("changes in the week")] if dated else []),
    ]
    columns = [*head, *(Column(band, units[name]) for name in series for band in _BANDS)]
    area = table.table(columns, _rows(source, dated, list(units.values())), filtered=True)
    table.keep(area.head + 1, left)
    table.fit()
    shown.fit()
    bands = "precision" if _left_blank(source.results.replications) else "precision and range of years"
    own = [name for name in series if name.split(".")[0] not in _bought(source.scenario)]
    for place, name in enumerate([*own, *(name for name in series if name not in own)][:_CHARTS]):
        first = left + 5 * list(series).index(name)
        chart = charts.weekly(book, area, first, [area.sheet, titles, first], units[name])
        down, across = divmod(place, _ABREAST)
        alt = f"Lines by week: {said[name]}, mean with {bands}."
        shown.insert(chart, shown.row + down * charts.ROWS, across * charts.COLUMNS, alt)


def _left_blank(replications: int) -> str:
    return f", left blank (takes {FEWEST_YEARS})" if replications < FEWEST_YEARS else ""


def _bought(scenario: Scenario) -> set[str]:
    return {name for name, level in scenario.levels.items() if not level.is_own}


def _rows(source: Source, dated: bool, units: list[str]) -> list[list[Cell]]:
    series = list(source.results.weekly.values())
    starts: list[dt.date] = series[0].start.tolist()
    rows: list[list[Cell]] = []
    for at, start in enumerate(starts):
        changes = [_changes(source.scenario, start)] if dated else []
        rows.append([start, _part(source.scenario.run, start), *changes])
        for one, unit in zip(series, units, strict=True):
            rows[-1] += _bands(one, at, unit)
    return rows


def _bands(one: Weekly, at: int, unit: str) -> list[Cell]:
    mean, low, high, *years = (
        float(values[at]) for values in (one.mean, one.low, one.high, one.p10, one.p90)
    )
    return [mean, *interval_ends(low, high, unit), *years]


def _part(run: Run, start: dt.date) -> str:
    if start < run.start:
        return "warm-up"
    return "measured" if start < run.start + dt.timedelta(weeks=run.weeks) else "run-out"


def _changes(scenario: Scenario, start: dt.date) -> str:
    return "; ".join(
        f"{change.from_}: {path} = {value}"
        for change in scenario.changes
        if start <= change.from_ < start + dt.timedelta(weeks=1)
        for path, value in change.set.items()
    )
