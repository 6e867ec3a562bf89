"""Reading the data behind an empirical law.

Data files hold patients: a message names lines and headings, never what a cell contains.
"""

from __future__ import annotations

import csv
import io
import math
from pathlib import Path, PurePath
from typing import Any

from iopsim.scenario.distributions.faults import closest, fault_at

__all__ = ["read_sample"]

_MOST_BYTES = 10_000_000


def read_sample(folder: Path, name: str, column: str) -> tuple[float, ...]:
    """The values in a column of a CSV file, ascending.

    Commas, semicolons or tabs may separate the cells; blank lines are passed over.

    Raises:
        ValidationError: The file is missing, outside the folder, or holds something but numbers from 0.
    """
    header, rows = _split(name, _read(folder, name), column)
    if header.count(column) != 1:
        trouble = "stands twice" if column in header else f"is missing{closest(column, header)}"
        raise fault_at("column", f'{name}:1: column "{column}" {trouble}; the first line holds the headings')
    at = header.index(column)
    values, faults = [], []
    for line, row in rows:
        cell = row[at].strip() if at < len(row) else ""
        value = _number(cell)
        if 0.0 <= value < math.inf:
            values.append(value)
        else:
            what = "is empty" if not cell else "is negative" if value < 0.0 else "is not a number"
            faults.append(f'{name}:{line}: column "{column}" {what}')
    if faults:
        more = f" (and {len(faults) - 1} more such lines)" if len(faults) > 1 else ""
        raise fault_at("column", f"{faults[0]}{more}; write a number from 0, such as 12.5, or drop the line")
    if not values:
        raise fault_at("csv", f"{name}: no values stand below the headings")
    return tuple(sorted(values))


def _read(folder: Path, name: str) -> str:
    root = folder.resolve()
    path = (root / name).resolve()
    if ".." in PurePath(name).parts or not path.is_relative_to(root):
        raise fault_at("csv", f"{name}: lies outside the scenario's folder; copy it there and write its name")
    try:
        if not path.is_file():
            near = closest(name, (file.relative_to(root).as_posix() for file in path.parent.glob("*.csv")))
            raise fault_at("csv", f"{name}: there is no such file in the scenario's folder{near}")
        if path.stat().st_size > _MOST_BYTES:
            raise fault_at(
                "csv", f"{name}: is larger than {_MOST_BYTES // 1_000_000} MB; keep one column of it"
            )
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise fault_at("csv", f"{name}: is not UTF-8 text; save it as CSV UTF-8") from None
    except OSError as error:
        raise fault_at("csv", f"{name}: cannot be read ({error.strerror})") from None


def _split(name: str, text: str, column: str) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Headings and numbered rows, by the separator that finds the column, or else the most headings."""

    def open_with(separator: str) -> tuple[list[str], Any]:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
        return [heading.strip() for heading in next(reader, [])], reader

    try:
        header, reader = max(map(open_with, ",;\t"), key=lambda opened: (column in opened[0], len(opened[0])))
        return header, [(reader.line_num, row) for row in reader if any(map(str.strip, row))]
    except csv.Error as error:
        raise fault_at("csv", f"{name}: is no CSV file ({error})") from None


def _number(cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        return math.nan
