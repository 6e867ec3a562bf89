"""Welch's figure: how census and waitlists settle after a clinic has opened empty."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from iopsim.experiment.warm_up import moving_average
from iopsim.report.style import (
    BLUE,
    GRAY,
    PALE,
    VERMILLION,
    WIDTH,
    Drawing,
    files,
    fitted,
    measure,
    sheet,
    styled,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

    from iopsim.experiment.warm_up import Piloted, Settling

__all__ = ["draw_warm_up", "plot_settling", "welch"]

_WORDS = {"census": "in care", "waitlist": "waiting"}


def draw_warm_up(found: Piloted) -> Iterator[tuple[str, bytes]]:
    """File name and content of the figure, as SVG and as PNG; none where nobody ever comes."""
    with styled():
        made = welch(found)
    for drawing in made:
        yield from files(drawing)


def welch(found: Piloted) -> list[Drawing]:
    """A row for each level, with its census and, where anybody waits, its waitlist.

    Source: Welch 1983, in Lavenberg (ed.), The Computer Performance Modeling Handbook.
    """
    if not found.series:
        return []
    levels = list(dict.fromkeys(_level(one) for one in found.series))
    kinds = [kind for kind in _WORDS if any(one.kind == kind for one in found.series)]
    title = f"Warm-up of {found.weeks} weeks: {found.why}"
    note = (
        f"Weekly means of {found.pilots} pilot runs of {found.pilot_weeks} weeks that open empty, without seasons, "
        "growth, closed days and dated changes; the warm-up is shaded."
    )
    figure = sheet(title, note, 1.75 * len(levels) + 0.25, _marks())
    grid = figure.subplots(len(levels), len(kinds), sharex=True, squeeze=False)
    for axes in grid.flat:
        axes.set_visible(False)
    for one in found.series:
        axes = grid[levels.index(_level(one)), kinds.index(one.kind)]
        axes.set_visible(True)
        axes.axvspan(0, found.weeks, color=PALE, linewidth=0, zorder=0)
        plot_settling(axes, one)
        axes.set_title(
            "\n".join(fitted(f"{one.level}: {_WORDS[one.kind]}", WIDTH / len(kinds) - 0.9, 11, "bold"))
        )
    _label_weeks(grid)
    told = "; ".join(f"{one.words} {_cut(one)}" for one in found.series)
    alt = f"Lines by week since opening, {found.pilot_weeks} weeks. {title}. MSER-5 leaves out: {told}."
    return [Drawing("warm-up", title, alt, figure)]


def plot_settling(axes: Axes, one: Settling) -> Axes:
    """Weekly means (thin), their moving average (bold), and where MSER-5 cuts (dashed)."""
    weeks = np.arange(len(one.means)) + 0.5
    axes.plot(weeks, one.means, color=GRAY, linewidth=0.7)
    axes.plot(weeks, moving_average(one.means), color=BLUE, linewidth=2.2)
    axes.axvline(one.truncation.weeks, color=VERMILLION, linestyle="--", linewidth=1.5)
    look: dict[str, Any] = {"textcoords": "offset points", "va": "top", "size": 9, "color": VERMILLION}
    place = (one.truncation.weeks, 0.985)
    axes.annotate(_cut(one), place, (4, 0), xycoords=axes.get_xaxis_transform(), **look)
    axes.set_xlim(0, len(one.means))
    axes.set_ylim(0, 1.3 * float(one.means.max()))
    measure(axes.yaxis, "Patients", "patients")
    return axes


def _level(one: Settling) -> str:
    return one.name.removesuffix(one.kind)  # not its label, which another level may share


def _cut(one: Settling) -> str:
    weeks = f"{one.truncation.weeks} weeks"
    return f"{weeks}, not settled" if one.truncation.capped else weeks


def _label_weeks(grid: Any) -> None:
    """Numbers of weeks below the lowest panel of each column, and what they are below all."""
    for column in grid.T:
        [axes for axes in column if axes.get_visible()][-1].tick_params(labelbottom=True)
    for axes in grid[-1]:
        axes.set_xlabel("Weeks since opening")


def _marks() -> list[tuple[Artist, str]]:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    return [
        (Line2D([], [], color=GRAY, linewidth=0.7), "weekly mean"),
        (Line2D([], [], color=BLUE, linewidth=2.2), "moving average, 13 weeks"),
        (Line2D([], [], color=VERMILLION, linestyle="--", linewidth=1.5), "MSER-5 cuts here"),
        (Patch(color=PALE, linewidth=0), "warm-up"),
    ]
