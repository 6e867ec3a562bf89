"""Reading columns of a CSV file that lies beside the scenario.

Such files hold patients: a message names lines and headings, never what a cell contains.
"""

from __future__ import annotations

import csv
import io
import re
from itertools import islice
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from iopsim.scenario.distributions.faults import closest, fault_at, faults_at
from iopsim.scenario.findings import words

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

__all__ = ["at_line", "read_columns", "read_table"]

_MOST_BYTES = 10_000_000
_MOST_ROWS = 200_000
_MOST_SHOWN = 12  # headings that a message lists
_DIGIT = re.compile(r"\d")


def read_columns(folder: Path, name: str, headings: Mapping[str, str]) -> list[tuple[int, list[str]]]:
    """The cells of some columns of a CSV file, and the line that each row ends on.

    Commas, semicolons or tabs may separate the cells; blank lines, and empty cells after the last heading, are
    passed over.

    Args:
        folder: Where the scenario lies; the file may not lie outside.
        name: The file's name, as the scenario says it under `csv`.
        headings: Headings of the columns, by the key under which the scenario names each.

    Returns:
        Line and cells of each row, stripped, in the order of `headings`; a cell that is not there is empty.

    Raises:
        ValidationError: The file is missing or cannot be read, a column is not there once, or a row has more cells
            than there are headings.
    """
    return read_table(folder, name, headings)[1]


def read_table(
    folder: Path,
    name: str,
    headings: Mapping[str, str],
    own: Mapping[str, bool] | None = None,
    place: tuple[str, ...] = (),
) -> tuple[dict[str, str], list[tuple[int, list[str]]]]:
    """As `read_columns`, with columns besides that nobody named, found by the name of their key, letters' case aside.

    Args:
        folder: As for `read_columns`.
        name: As for `read_columns`.
        headings: As for `read_columns`.
        own: Keys of the further columns, and whether each has to be there.
        place: Steps from the validator's own place to the keys.

    Returns:
        The headings of the columns that are there, by key, and line and cells of each row in their order.

    Raises:
        ValidationError: As for `read_columns`.
    """
    own = own or {}
    header, rows = _split(name, _read(folder, name), [*headings.values(), *own])
    wrong: dict[tuple[str, ...], str] = {}
    for key, heading in headings.items():
        if header.count(heading) != 1:
            trouble = "is missing" + (
                _nearest(heading, header) or _headings(header, [*headings.values(), *own])
            )
            trouble = "stands twice; give every column a heading of its own" if heading in header else trouble
            wrong[*place, key] = f'{name}:1: column "{heading}" {trouble}'
    found = dict(headings)
    taken = set(headings.values())
    for key, is_needed in own.items():
        alike = [heading for heading in header if heading.casefold() == key and heading not in taken]
        if len(alike) == 1:
            found[key] = alike[0]
        elif alike or is_needed:
            known = closest(key, header) or _headings(header, [*headings.values(), *own])
            trouble = "stands twice" if alike else f"is missing{known}"
            wrong[*place, key] = f'{name}:1: column "{key}" {trouble}; say its heading under `columns`'
    if wrong:
        raise faults_at(wrong)
    _refuse_long(name, header, rows)
    places = [header.index(heading) for heading in found.values()]
    return found, [(line, [row[at].strip() if at < len(row) else "" for at in places]) for line, row in rows]


def at_line(name: str, heading: str, faults: Sequence[tuple[int, str]], cure: str) -> str:
    """A message on cells of one column: the first of the `faults` (line, what is wrong), and how many follow."""
    line, what = faults[0]
    return f'{name}:{line}: column "{heading}" {what}{_and_more(len(faults))}; {cure}'


def _and_more(lines: int) -> str:
    return f" (and {lines - 1} more such line{'s' * (lines > 2)})" if lines > 1 else ""


def _refuse_long(name: str, header: Sequence[str], rows: Sequence[tuple[int, list[str]]]) -> None:
    """Refuse rows that go on after the last heading: a separator inside a cell has moved what follows it."""
    width = max((place for place, heading in enumerate(header, 1) if heading), default=0)
    long = [line for line, row in rows if len(row) > width and any(map(str.strip, row[width:]))]
    if long:
        cure = "put a cell that holds the separator in quotes, or give every column a heading"
        what = f"more cells than headings{_and_more(len(long))}"
        raise fault_at("csv", f"{name}:{long[0]}: {what}; {cure}")


def _read(folder: Path, name: str) -> str:
    if "\0" in name:
        raise fault_at("csv", "no file has such a name; write it in letters")
    try:
        root = folder.resolve()
        path = (root / name).resolve()
        if ".." in PurePath(name).parts or not path.is_relative_to(root):
            cure = "copy it there and write its name"
            raise fault_at("csv", f"{name}: lies outside the scenario's folder; {cure}")
        if path.exists() and not path.is_file():
            raise fault_at("csv", f"{name}: is a folder, a device or a pipe; name a CSV file")
        if not path.is_file():
            near = closest(name, (file.relative_to(root).as_posix() for file in path.parent.glob("*.csv")))
            what = f"there is no such file in the scenario's folder{near or '; check the name'}"
            raise fault_at("csv", f"{name}: {what}")
        if path.stat().st_size > _MOST_BYTES:
            most = f"{_MOST_BYTES // 1_000_000} MB"
            raise fault_at("csv", f"{name}: is larger than {most}; keep only the columns that are named")
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise fault_at("csv", f"{name}: is not UTF-8 text; save it as CSV UTF-8") from None
    except OSError as error:
        raise fault_at("csv", f"{name[:60]}: cannot be read ({error.strerror}); check the file") from None
    except RuntimeError:
        raise fault_at("csv", f"{name}: is a link that leads back to itself; copy the file there") from None


def _split(name: str, text: str, wanted: Collection[str]) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Headings and numbered rows, by the separator that finds most of the columns, or else most headings."""

    def open_with(separator: str) -> tuple[list[str], Any]:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
        return [heading.strip() for heading in next(reader, [])], reader

    letters = {heading.casefold() for heading in wanted}

    def found(opened: tuple[list[str], Any]) -> tuple[int, int]:
        return len(letters & {heading.casefold() for heading in opened[0]}), len(opened[0])

    try:
        header, reader = max(map(open_with, ",;\t"), key=found)
        full = ((reader.line_num, row) for row in reader if any(map(str.strip, row)))
        rows = list(islice(full, _MOST_ROWS + 1))
        if len(rows) > _MOST_ROWS:
            raise fault_at("csv", f"{name}: has more than {_MOST_ROWS:,} rows; keep those that are needed")
        return header, rows
    except csv.Error as error:
        raise fault_at("csv", f"{name}: is no CSV file ({error}); save it anew as CSV UTF-8") from None


def _headings(header: Sequence[str], wanted: Collection[str]) -> str:
    """What the first line holds, if those are headings: it may be the row of a patient."""
    letters = {heading.casefold() for heading in wanted}
    named = [heading for heading in header if heading]
    is_known = any(heading.casefold() in letters for heading in named)
    if not named or (any(map(_DIGIT.search, named)) and not is_known):
        return "; the first line is to hold the headings"
    more = [f"{len(named) - _MOST_SHOWN} more"] if len(named) > _MOST_SHOWN else []
    return f"; the headings there are {words([*named[:_MOST_SHOWN], *more])}"


def _nearest(heading: str, header: Sequence[str]) -> str:
    """The heading that was meant: by its letters whatever their case, or nearly so."""
    by_letters = {known.casefold(): known for known in header}
    same = by_letters.get(heading.casefold())
    return f' (did you mean "{same}"?)' if same else closest(heading, header)
