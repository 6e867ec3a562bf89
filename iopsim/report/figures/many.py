"""Scenarios of many levels, roles or groups: what is drawn of them, what is left to tables, and how panels stand."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypeVar

from iopsim.report.style import WIDTH, fitted, in_a_sentence, listed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from matplotlib.axes import Axes

    from iopsim.report.tables import Results

__all__ = ["BARS", "PANELS", "foremost", "listed_or_counted", "name_rows", "stacked", "titled", "waiting"]

PANELS = 8
"""Panels, or pairs of them, of a figure: more stand on no screen."""

BARS = 24
"""Bars of a figure: longer ones nobody reads."""

_ABREAST_FROM = 4  # panels, from which on they stand two by two
_NAMED = 4  # names of a sentence; more are counted

T = TypeVar("T")


def foremost(every: Iterable[T], most: int, weight: Callable[[T], float], words: str) -> tuple[list[T], str]:
    """Those of the greatest weight in the order in which they came, and a sentence where some are left out.

    Args:
        every: What could be drawn.
        most: How many of them are.
        weight: What they are chosen by; NaN is the least.
        words: What they are and why these: `levels where most wait; all stand in weekly.csv.gz`.
    """
    all_of_them = list(every)
    weights = [-math.inf if math.isnan(value) else value for value in map(weight, all_of_them)]
    ranked = sorted(range(len(all_of_them)), key=lambda at: -weights[at])
    shown = [all_of_them[at] for at in sorted(ranked[:most])]
    left_out = len(all_of_them) > most
    return shown, f" Shown: the {most} of {len(all_of_them)} {words}." if left_out else ""


def waiting(results: Results, level: str) -> float:
    """By how many wait for a level, and then by how many are in it, it is foremost."""
    mean = {kind: results.summary.get(f"{level}.{kind}.mean") for kind in ("waitlist", "census")}
    there = [found.estimate if found else 0.0 for found in mean.values()]
    return there[0] + 1e-6 * there[1]


def listed_or_counted(names: Sequence[str], every: int, what: str) -> str:
    """A few names as they are read; of more, how many there are: `7 of 20 groups`."""
    few = [in_a_sentence(name) for name in names]
    return listed(few) if len(few) <= _NAMED else f"{len(few)} of {every} {what}"


def stacked(panels: int) -> tuple[int, int]:
    """Rows and columns of panels: one below the other, or two by two where there are many."""
    columns = 1 if panels < _ABREAST_FROM else 2
    return math.ceil(panels / columns), columns


def titled(axes: Axes, text: str) -> None:
    """A panel's title, on as many lines as its width takes."""
    place = axes.get_subplotspec()
    columns = place.get_gridspec().ncols if place else 1
    axes.set_title("\n".join(fitted(text, WIDTH / columns - 0.9, 11, "bold", 2)))


def name_rows(axes: Axes, names: Sequence[str], inches: float) -> None:
    """Names beside horizontal bars, the first on top, each on as many lines of so many inches as it takes."""
    axes.set_yticks(range(len(names)), ["\n".join(fitted(name, inches, 10, most=2)) for name in names])
    axes.set_ylim(len(names) - 0.45, -0.55)
    axes.grid(visible=True, axis="x")
    axes.grid(visible=False, axis="y")
    axes.tick_params(axis="y", length=0)
