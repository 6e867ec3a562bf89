"""Reading the data behind an empirical law."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from iopsim.scenario.distributions.csv_file import at_line, read_columns
from iopsim.scenario.distributions.faults import fault_at

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["read_sample"]

_CURE = "write a number from 0, such as 12.5, or drop the line"


def read_sample(folder: Path, name: str, column: str) -> tuple[float, ...]:
    """The values in a column of a CSV file, ascending.

    Raises:
        ValidationError: The file is missing, outside the folder, or holds something but numbers from 0.
    """
    values, faults = [], []
    for line, [cell] in read_columns(folder, name, {"column": column}):
        value = _number(cell)
        if 0.0 <= value < math.inf:
            values.append(value)
        else:
            what = "is empty" if not cell else "is negative" if value < 0.0 else "is not a number"
            faults.append((line, what))
    if faults:
        raise fault_at("column", at_line(name, column, faults, _CURE))
    if not values:
        raise fault_at("csv", f"{name}: no values stand below the headings; write one in each line")
    return tuple(sorted(values))


def _number(cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        return math.nan
