"""Sheets that print well, where numbers are numbers, dates are dates, and no text is ever a formula."""

from __future__ import annotations

import datetime as dt
import math
from typing import IO, TYPE_CHECKING, Any, NamedTuple

from iopsim.errors import Fault, InputError
from iopsim.report.style import BLUE, GRAY, GREEN, INK, PALE, VERMILLION
from iopsim.report.wording import number_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from types import ModuleType

__all__ = ["AS_WRITTEN", "COUNT", "VERDICT", "Area", "Book", "Column", "Number", "Sheet", "xlsxwriter"]

COUNT = "number"  # the unit of whole numbers
AS_WRITTEN = "as written"  # the unit of numbers that show all their digits
VERDICT = "verdict"  # the unit of words that have a color

_CREATED = dt.datetime(1980, 1, 1)  # a workbook holds no clock: the same results give the same bytes
_LONGEST = 32_767  # letters in a cell
_WIDEST = 60  # columns of letters, beyond which texts are cut by their neighbors
_ONE_PAGE = 30  # columns that can still be read on one page
_LINE, _HIGHEST = 15, 405  # points: a line of text, and nearly the most that a row may have
_COLORS = {"met": GREEN, "missed": VERMILLION, "undecided": GRAY}
_PLAIN = "[>=999.5]#,##0;[>=9.995]#,##0.0;0.00"  # three digits or whole thousands, as everywhere else
_ROUND = "[>=1000]#,##0;General"
_FORMATS = {"share": "0.0 %", COUNT: "#,##0", AS_WRITTEN: "General"}


def xlsxwriter() -> ModuleType:
    """The library that writes workbooks.

    Raises:
        InputError: It is not installed.
    """
    try:
        import xlsxwriter  # type: ignore[import-untyped]
    except ImportError as error:
        message = (
            'a workbook needs XlsxWriter, which is not here; install it with pip install "iopsim[report]"'
        )
        raise InputError(Fault("not-installed", message)) from error
    module: ModuleType = xlsxwriter
    return module


class Number(NamedTuple):
    """A number with a unit of its own, where a column holds several."""

    value: float
    unit: str


Cell = str | float | dt.date | Number | None


class Column(NamedTuple):
    """A column of a table: its heading, the unit of its plain numbers, and its width where texts are to wrap."""

    words: str
    unit: str = ""
    width: int = 0


class Area(NamedTuple):
    """Where a table stands: its sheet, the row of its headings, its last row, and the least number of each column."""

    sheet: str
    head: int
    last: int
    least: Mapping[int, float]

    def values(self, column: int) -> list[Any]:
        """The cells of a column under its heading."""
        return [self.sheet, self.head + 1, column, self.last, column]

    def heading(self, column: int) -> list[Any]:
        """The heading of a column."""
        return [self.sheet, self.head, column]


class Book:
    """A workbook in the making, written when `close` is called.

    Args:
        file: Where to write it.
        title: What it is of.
        currency: Unit of money.
    """

    def __init__(self, file: IO[bytes], *, title: str, currency: str) -> None:
        self._book = xlsxwriter().Workbook(file, {"in_memory": True})
        self._book.set_properties({"title": title, "created": _CREATED})
        self.currency = currency
        self._title = title
        self._looks: dict[tuple[tuple[str, Any], ...], Any] = {}

    def close(self) -> None:
        """Write it."""
        self._book.close()

    def sheet(self, name: str, title: str, note: str = "") -> Sheet:
        """A new sheet with a title and, below it, what a reader must know."""
        page = self._book.add_worksheet(name)
        page.hide_gridlines(2)
        page.set_landscape()
        page.set_footer(f"&L{self._title}&C&A&R&P / &N")
        return Sheet(self, name, page, title, note)

    def chart(self, kind: str, subtype: str = "") -> Any:
        """A new chart."""
        return self._book.add_chart({"type": kind, **({"subtype": subtype} if subtype else {})})

    def look(self, **properties: Any) -> Any:
        """A format, one for all cells that look alike."""
        key = tuple(sorted(properties.items()))
        if key not in self._looks:
            self._looks[key] = self._book.add_format({"valign": "top", "font_color": INK, **properties})
        return self._looks[key]

    def number_format(self, unit: str) -> str:
        """How numbers of a unit are shown: shares as percentages, money with its currency."""
        what, _, per = unit.partition("/")
        if what == self.currency:
            shown = "".join(letter for letter in what.replace('"', "''") if letter.isprintable())
            return f'#,##0{".00" if per else ""} "{shown}"'
        return _FORMATS.get(unit, _PLAIN)

    def axis_format(self, unit: str) -> str:
        """The same along an axis, where numbers are round."""
        return {"share": "0 %"}.get(unit) or (
            self.number_format(unit).replace(".00", "") if unit.startswith(self.currency) else _ROUND
        )


class Sheet:
    """A sheet that is filled from top to bottom.

    Attributes:
        name: What its tab says.
        row: The next free row, from 0.
    """

    def __init__(self, book: Book, name: str, page: Any, title: str, note: str) -> None:
        self.name, self.row = name, 0
        self._book, self._page = book, page
        self._widths: dict[int, int] = {}
        self.line(title, bold=True, font_size=14)
        if note:
            self.line(note, font_color=GRAY)
        self.row += 1

    def line(self, text: str, **look: Any) -> None:
        """A line of text that runs over the columns."""
        self._text(self.row, 0, text, self._book.look(**look))
        self.row += 1

    def heading(self, text: str) -> None:
        """The heading of a part, a free row above it."""
        self.row += 1
        self.line(text, bold=True, font_size=12, font_color=BLUE)

    def table(
        self, columns: Sequence[Column], rows: Iterable[Sequence[Cell]], *, filtered: bool = False
    ) -> Area:
        """A table with headings; a row of one text is a heading inside it.

        Args:
            columns: Its columns from the left.
            rows: A cell for each column.
            filtered: Whether the headings have filters and stay in sight; for one table a sheet.
        """
        head = self.row
        self._headings(columns)
        least: dict[int, float] = {}
        for cells in rows:
            self.row += 1
            if len(cells) == 1:
                self._band(str(cells[0]), len(columns))
                continue
            for place, (column, cell) in enumerate(zip(columns, cells, strict=True)):
                self._put(place, column, cell)
                value = cell.value if isinstance(cell, Number) else cell
                if isinstance(value, int | float) and math.isfinite(value):
                    least[place] = min(value, least.get(place, math.inf))
        area = Area(self.name, head, self.row, least)
        if filtered:
            right = max(self.row, head + 1), len(columns) - 1
            self._page.autofilter(head, 0, *right)
            self._page.print_area(0, 0, *right)  # or a long text makes all of it small
            self.keep(head + 1, 1)
        self.row += 2
        return area

    def keep(self, rows: int, columns: int) -> None:
        """Let the first rows and columns stay in sight, and the last of these rows stand on every printed page."""
        self._page.freeze_panes(rows, columns)
        self._page.repeat_rows(rows - 1)

    def span(self, left: int, right: int, text: str) -> None:
        """A text over some columns of the present row."""
        self._page.merge_range(self.row, left, self.row, right, "", self._book.look(**_HEAD))
        self._text(self.row, left, text, self._book.look(**_HEAD))

    def insert(self, chart: Any, row: int, column: int, alt: str) -> None:
        """Put a chart with its upper left corner on a cell; `alt` says it to who cannot see it."""
        self._page.insert_chart(row, column, chart, {"description": alt, "object_position": 2})

    def fit(self) -> None:
        """Give every column the width that its cells want, and let the sheet be one page wide in print if it can."""
        for place, width in self._widths.items():
            self._page.set_column(place, place, width)
        if len(self._widths) <= _ONE_PAGE:
            self._page.fit_to_pages(1, 0)
        else:
            self._page.repeat_columns(0)

    def _headings(self, columns: Sequence[Column]) -> None:
        """The headings of a table, on as many lines as the longest takes."""
        lines = 1
        for place, column in enumerate(columns):
            self._text(self.row, place, column.words, self._book.look(**_HEAD))
            least = column.width or 3 + max(map(len, column.words.split()), default=0)
            self._widths[place] = max(self._widths.get(place, 8), least)
            lines = max(lines, math.ceil(1.15 * len(column.words) / self._widths[place]))
        self._page.set_row(self.row, (_LINE + 1) * lines)

    def _put(self, place: int, column: Column, cell: Cell) -> None:
        value, unit = cell if isinstance(cell, Number) else (cell, column.unit)
        if isinstance(value, str):
            look: dict[str, Any] = _LEFT if place else {}
            look = {**look, "text_wrap": True} if column.width else look
            if unit == VERDICT and value in _COLORS:
                look = {"bg_color": _COLORS[value], "font_color": "white", "bold": True, "align": "center"}
            self._text(self.row, place, value, self._book.look(**look))
            self._widen(place, len(value), column)
            if column.width and len(value) > column.width:
                lines = math.ceil(1.1 * len(value) / column.width)
                self._page.set_row(self.row, min(_LINE * lines, _HIGHEST))
        elif isinstance(value, dt.date):
            look = self._book.look(num_format="yyyy-mm-dd", **_SIDES.get(unit, {}))
            self._page.write_datetime(self.row, place, value, look)
            self._widen(place, 10, column)
        elif value is not None and math.isfinite(value):
            form = self._book.number_format(unit)
            look = self._book.look(num_format=form, **_SIDES.get(unit, {}))
            self._page.write_number(self.row, place, value, look)
            quoted = len(form.partition('"')[2])
            self._widen(place, len(number_text(value, unit)) + quoted + 3 * form.count(".00 "), column)

    def _widen(self, place: int, letters: int, column: Column) -> None:
        if not column.width:
            self._widths[place] = max(self._widths[place], min(letters + 3, _WIDEST))

    def _band(self, text: str, columns: int) -> None:
        for place in range(columns):
            self._text(self.row, place, "" if place else text, self._book.look(bold=True, bg_color=PALE))

    def _text(self, row: int, place: int, text: str, look: Any) -> None:
        """A text as it stands: never read as a formula, a number or an address."""
        if text:
            self._page.write_string(row, place, text[:_LONGEST], look)
        else:
            self._page.write_blank(row, place, None, look)


_LEFT = {"align": "left", "indent": 1}
_SIDES = {AS_WRITTEN: _LEFT}
_HEAD = {
    "bold": True,
    "bg_color": BLUE,
    "font_color": "white",
    "text_wrap": True,
    "valign": "vcenter",
    "border": 1,
    "border_color": "white",
}
