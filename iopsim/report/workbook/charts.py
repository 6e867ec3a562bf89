"""Charts of a workbook: each drawn from cells of its sheets, so that who changes a number sees it move."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from iopsim.report.style import BLUE, GRAY, GREEN, INK, ORANGE, PRECISION, SKY, VERMILLION, YEARS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from iopsim.report.workbook.book import Area, Book

__all__ = ["COLUMNS", "ROWS", "bars", "columns", "cumulative", "weekly"]

ROWS, COLUMNS = 16, 10  # that a chart takes of a sheet, with some to spare
_SIZE = {"width": 620, "height": 300}  # pixels
_COLORS = (BLUE, ORANGE, GREEN, SKY, VERMILLION, GRAY)
_TEXT = {"size": 9, "color": INK}
_UPPER = "upper end"  # the legend names a band once, at its lower end
_DATES = {"date_axis": True, "num_font": _TEXT}


def weekly(book: Book, area: Area, first: int, title: list[Any], unit: str) -> Any:
    """Lines by week of one series: its mean and the ends of both bands, where they are known.

    Args:
        book: The workbook.
        area: The table of weeks, whose first column is the date.
        first: The column of the mean; ends of precision and of the range of years follow.
        title: The cell that holds the title.
        unit: Of the numbers.
    """
    chart = book.chart("line")
    lines = (
        ("mean", {"color": INK, "width": 2}),
        (PRECISION, {"color": BLUE, "width": 1}),
        (_UPPER, {"color": BLUE, "width": 1}),
        (YEARS, {"color": ORANGE, "width": 1, "dash_type": "dash"}),
        (_UPPER, {"color": ORANGE, "width": 1, "dash_type": "dash"}),
    )
    known = [(column, *line) for column, line in enumerate(lines, first) if column in area.least]
    for column, words, look in known:
        chart.add_series(
            {"name": words, "categories": area.values(0), "values": area.values(column), "line": look}
        )
    upper = [place for place, (_, words, _) in enumerate(known) if words == _UPPER]
    chart.set_legend({"position": "bottom", "font": _TEXT, "delete_series": upper})
    chart.set_x_axis({**_DATES, "num_format": "mmm yy", "major_unit": 3, "major_unit_type": "months"})
    ends = [column for column in area.least if first <= column < first + 5]
    return _finished(book, chart, title, chart.set_y_axis, unit, _from_zero(area, ends))


def bars(book: Book, area: Area, column: int, title: str, unit: str) -> Any:
    """A bar for each row of a table, whose first column names it."""
    chart = book.chart("bar")
    chart.add_series(_series(area, column, BLUE))
    chart.set_legend({"none": True})
    chart.set_y_axis({"reverse": True, "num_font": _TEXT})
    limits = {
        **_from_zero(area, [column]),
        "label_position": "high",
    }  # which is below, for rows run downwards
    return _finished(book, chart, title, chart.set_x_axis, unit, limits)


def columns(book: Book, area: Area, chosen: Sequence[int], title: str, unit: str) -> Any:
    """Columns side by side for each row of a table, one for each chosen column of it."""
    chart = book.chart("column")
    for number, column in enumerate(chosen):
        chart.add_series(_series(area, column, _COLORS[number]))
    chart.set_legend({"position": "bottom", "font": _TEXT})
    chart.set_x_axis({"num_font": _TEXT, "label_position": "low"})
    return _finished(book, chart, title, chart.set_y_axis, unit, _from_zero(area, chosen))


def cumulative(book: Book, area: Area, column: int, title: list[Any]) -> Any:
    """A share that grows by week; the table's first column is the date."""
    chart = book.chart("line")
    chart.add_series(
        {
            "name": area.heading(column),
            "categories": area.values(0),
            "values": area.values(column),
            "line": {"color": BLUE, "width": 2},
        }
    )
    chart.set_legend({"none": True})
    chart.set_x_axis({**_DATES, "num_format": "mmm yy", "major_unit": 1, "major_unit_type": "months"})
    return _finished(book, chart, title, chart.set_y_axis, "share", {"min": 0, "max": 1})


def _series(area: Area, column: int, color: str) -> dict[str, Any]:
    return {
        "name": area.heading(column),
        "categories": area.values(0),
        "values": area.values(column),
        "fill": {"color": color},
        "gap": 60,
    }


def _from_zero(area: Area, chosen: Sequence[int]) -> dict[str, Any]:
    """An axis that begins at 0, unless it goes below: a bar says with its length what it is."""
    return {"min": 0} if min((area.least[column] for column in chosen), default=0) >= 0 else {}


def _finished(
    book: Book,
    chart: Any,
    title: str | list[Any],
    set_axis: Callable[[Mapping[str, Any]], None],
    unit: str,
    limits: Mapping[str, Any] | None = None,
) -> Any:
    """The chart with its title, and with the unit and faint lines along the axis of numbers."""
    chart.set_title({"name": title, "name_font": {"size": 11, "bold": True, "color": INK}})
    axis: dict[str, Any] = {
        "num_font": _TEXT,
        "num_format": book.axis_format(unit),
        "major_gridlines": {"visible": True, "line": {"color": "#DDDDDD", "width": 0.75}},
        **(limits or {}),
    }
    if unit not in ("share", "") and not unit.startswith(book.currency):
        axis |= {"name": unit, "name_font": {**_TEXT, "bold": False}}
    set_axis(axis)
    chart.set_size(_SIZE)
    return chart
