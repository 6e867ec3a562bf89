"""Figures of a sweep: what two parameters do together, and what one does."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from iopsim.report.figures.goals import wish, with_unit
from iopsim.report.style import (
    BLUE,
    ESTIMATE,
    GREEN,
    INK,
    ORANGE,
    SKY,
    VERMILLION,
    Drawing,
    fitted,
    in_a_sentence,
    listed,
    measure,
    sheet,
    trimmed,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

    from iopsim.experiment.summary import Goal
    from iopsim.report.sweep_tables import Axis, SweepResults
    from iopsim.report.tables import Estimated, Floats

__all__ = ["Cell", "heat_maps", "lines", "plot_heat_map", "plot_lines"]

_FEW = 5  # lines in one panel
_ACROSS, _UP = 16, 40  # cells with a number in each; more than that is no table to read
_VERDICTS = {"met": " ✓", "undecided": " ?"}


# What two parameters do together


class Cell(NamedTuple):
    """One point in the map of a metric: the estimate, and the verdict over all targets."""

    found: Estimated
    verdict: str


def heat_maps(results: SweepResults) -> list[Drawing]:
    """For two parameters a map of each metric that a target stands on, or of cost and wait where there are none."""
    if len(results.axes) != 2:
        return []
    up, across = results.axes
    sizes = len(up.values), len(across.values)
    is_table = 1 < sizes[0] <= _UP and 1 < sizes[1] <= _ACROSS and math.prod(sizes) <= 2 * len(results.points)
    return [_heat_map(results, metric) for metric in results.metrics] if is_table else []


def _heat_map(results: SweepResults, metric: str) -> Drawing:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    up, across = results.axes
    cells = {point.values: Cell(point.found[metric], point.verdict) for point in results.of(metric)}
    goal, words, unit = (
        results.asked.get(metric),
        results.words(metric),
        next(iter(cells.values())).found.unit,
    )
    legend: list[tuple[Artist, str]] = []
    note = "Darker is higher." if unit == "share" else f"In {unit}; darker is higher."
    if goal:
        note += " ✓ the whole interval keeps the limit."
        if any(cell.found.verdict == "undecided" for cell in cells.values()):
            note += " ? The interval lies across it."
        limit = f"limit: {wish(goal, unit)}"
        legend.append((Line2D([], [], color=VERMILLION, linewidth=3), limit))
    if any(cell.verdict == "met" for cell in cells.values()):
        legend.append((Patch(facecolor="white", edgecolor=INK, linewidth=2.2), "meets all targets"))
    title = f"{words}, by {in_a_sentence(across.words)} and {in_a_sentence(up.words)}"
    figure = sheet(title, note, 1.0 + max(1.6, 0.46 * len(up.values)), legend)
    plot_heat_map(figure.subplots(), (up, across), cells, goal)
    estimates = [cell.found.estimate for cell in cells.values()]
    span = f"from {with_unit(min(estimates), unit)} to {with_unit(max(estimates), unit)}"
    verdicts = [cell.found.verdict for cell in cells.values()]
    said = [f"{verdicts.count(word)} {word}" for word in ("met", "missed", "undecided") if word in verdicts]
    alt = (
        f"A table of {words}, {in_a_sentence(up.words)} by {in_a_sentence(across.words)}, {span}"
        f"{f'; of the cells {listed(said)} the target' if said else ''}."
    )
    return Drawing(f"heat-map-{metric.replace('.', '-')}", title, alt, figure)


def plot_heat_map(
    axes: Axes, parameters: tuple[Axis, Axis], cells: Mapping[tuple[str, ...], Cell], goal: Goal | None = None
) -> Axes:
    """A shaded table with a number in each cell.

    Args:
        axes: Where to draw.
        parameters: The one that goes up, and the one that goes across.
        cells: What was found, by the values of both.
        goal: What is asked of the metric; the line of its limit runs between cells.
    """
    from matplotlib.colors import LinearSegmentedColormap

    up, across = parameters
    grid = np.full((len(up.values), len(across.values)), np.nan)
    for (row, column), cell in ((_place(values, parameters), cell) for values, cell in cells.items()):
        grid[row, column] = cell.found.estimate
    shades = LinearSegmentedColormap.from_list("shades", ("#FFFFFF", SKY, BLUE, "#00304D"))
    low, high = np.nanmin(grid), np.nanmax(grid)
    look: dict[str, Any] = {"cmap": shades, "edgecolors": "white", "linewidth": 1}
    mesh = axes.pcolormesh(grid, vmin=low, vmax=high if high > low else low + 1, **look)
    for values, cell in cells.items():
        row, column = _place(values, parameters)
        shade = mesh.to_rgba(np.array([cell.found.estimate]))[0]
        _write(
            axes, (column, row), cell, "black" if _lightness(shade) > 0.179 else "white", len(across.values)
        )
    if goal:
        _plot_limit(axes, grid, goal)
    axes.set_xticks(np.arange(len(across.values)) + 0.5, _ticks(across, 6.6))
    axes.set_yticks(np.arange(len(up.values)) + 0.5, _ticks(up, 1.6 * len(up.values)))
    axes.set_xlabel(across.words)
    axes.set_ylabel(up.words)
    axes.tick_params(length=0)
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    return axes


def _write(axes: Axes, place: tuple[int, int], cell: Cell, color: str, across: int) -> None:
    """The number of a cell, with its verdict, and a frame where all targets are met."""
    from matplotlib.patches import Rectangle

    column, row = place
    text = f"{trimmed(cell.found.estimate, cell.found.unit)}{_VERDICTS.get(cell.found.verdict, '')}"
    look: dict[str, Any] = {"weight": "bold" if cell.found.verdict == "met" else "normal", "color": color}
    size = min(10.5, 94 / across)
    shown = axes.text(column + 0.5, row + 0.5, text, ha="center", va="center", size=size, **look)
    shown.set_in_layout(False)  # it lies inside the panel; to measure it takes long
    if cell.verdict == "met":
        for edge, width in (("white", 4.5), (INK, 2.2)):  # seen on light and on dark
            frame = (column + 0.04, row + 0.07), 0.92, 0.86
            axes.add_patch(Rectangle(*frame, fill=False, edgecolor=edge, linewidth=width))


def _lightness(color: Floats) -> float:
    """Relative luminance of a color, from 0 to 1.

    Source: W3C, Web Content Accessibility Guidelines 2.2, relative luminance.
    """
    parts = color[:3]
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return float(linear @ (0.2126, 0.7152, 0.0722))


def _place(values: tuple[str, ...], parameters: tuple[Axis, Axis]) -> tuple[int, int]:
    up, across = parameters
    return up.values.index(values[0]), across.values.index(values[1])


def _plot_limit(axes: Axes, grid: Floats, goal: Goal) -> None:
    """A line between cells whose estimates are on different sides of the limit."""
    inside = (goal.low <= grid) & (grid <= goal.high)
    known = ~np.isnan(grid)
    look: dict[str, Any] = {"color": VERMILLION, "linewidth": 3, "capstyle": "round"}
    for row, column in np.argwhere((inside[:, 1:] != inside[:, :-1]) & known[:, 1:] & known[:, :-1]).tolist():
        axes.vlines(column + 1, row, row + 1, **look)
    for row, column in np.argwhere((inside[1:] != inside[:-1]) & known[1:] & known[:-1]).tolist():
        axes.hlines(row + 1, column, column + 1, **look)


def _ticks(axis: Axis, inches: float) -> list[str]:
    """The values of a parameter, broken to the room that each has."""
    return ["\n".join(fitted(value, inches / len(axis.values) - 0.1, 10)) for value in axis.values]


# What one parameter does


def lines(results: SweepResults) -> list[Drawing]:
    """For one parameter, or a second one with few values, a panel for each metric: lines with their intervals."""
    axis, series = _along(results)
    if axis is None or len(axis.values) < 2:
        return []
    metrics = list(
        dict.fromkeys([*results.metrics, *(name for name in (results.wait, results.cost) if name)])
    )
    metrics = [name for name in metrics if results.of(name)]
    if not metrics:
        return []
    title = f"What changes with {in_a_sentence(axis.words)}"
    if series:
        title += f", by {in_a_sentence(series.words)}"
    figure = sheet(
        title, f"Bands: {ESTIMATE}.", 2.3 * len(metrics) + 0.3, _line_marks(results, metrics, series)
    )
    panels = figure.subplots(len(metrics), sharex=True, squeeze=False)[:, 0]
    for axes, metric in zip(panels, metrics, strict=True):
        plotted = [
            (_line(results, metric, axis, series, value), _look(number))
            for number, value in enumerate(series.values if series else ("",))
        ]
        plot_lines(axes, axis, plotted, results.asked.get(metric))
        axes.set_title("\n".join(fitted(results.words(metric), 7.2, 11)), weight="normal")
        unit = results.of(metric)[0].found[metric].unit
        measure(axes.yaxis, "percent" if unit == "share" else unit, unit)
    panels[-1].set_xlabel(axis.words)
    words = listed([results.words(metric) for metric in metrics])
    each = f" for each of {in_a_sentence(series.words)}" if series else ""
    alt = f"Lines with bands by {in_a_sentence(axis.words)}{each}: {words}."
    return [Drawing("lines", title, alt, figure)]


def _along(results: SweepResults) -> tuple[Axis | None, Axis | None]:
    """The parameter that goes along the lines, and the one that has a line for each of its few values."""
    if len(results.axes) == 1:
        return results.axes[0], None
    few = [axis for axis in results.axes if len(axis.values) <= _FEW]
    if len(results.axes) != 2 or not few:
        return None, None
    series = min(few, key=lambda axis: (axis.numeric, len(axis.values)))
    return next(axis for axis in results.axes if axis is not series), series


Line = list[tuple[float, "Estimated"]]  # place along the parameter, and what was found there


def _line(results: SweepResults, metric: str, axis: Axis, series: Axis | None, value: str) -> Line:
    along = results.axes.index(axis)
    other = results.axes.index(series) if series else along
    points = [point for point in results.of(metric) if not series or point.values[other] == value]
    found = [(_position(axis, point.values[along]), point.found[metric]) for point in points]
    return sorted(found, key=lambda one: one[0])


def _position(axis: Axis, value: str) -> float:
    return float(value) if axis.numeric else float(axis.values.index(value))


def plot_lines(
    axes: Axes, axis: Axis, plotted: Sequence[tuple[Line, Mapping[str, Any]]], goal: Goal | None = None
) -> Axes:
    """Lines of one metric with bands, each with its look, and the limits of its target."""
    for line, look in plotted:
        places = [place for place, _ in line]
        low, high = ([getattr(found, end) for _, found in line] for end in ("low", "high"))
        axes.fill_between(places, low, high, color=look["color"], alpha=0.18, linewidth=0)
        axes.plot(places, [found.estimate for _, found in line], markersize=6, **look)
    for limit in (goal.low, goal.high) if goal else ():
        if math.isfinite(limit):
            axes.axhline(limit, color=VERMILLION, linestyle="--", linewidth=1.5)
    if not axis.numeric:
        axes.set_xticks(range(len(axis.values)), _ticks(axis, 6.6))
    elif len(axis.values) <= _ACROSS and _are_even(axis):
        axes.set_xticks([float(value) for value in axis.values])
    axes.margins(x=0.03)
    return axes


def _are_even(axis: Axis) -> bool:
    steps = np.diff([float(value) for value in axis.values])
    return bool(np.allclose(steps, steps[0], rtol=0.01))


_COLORS = (BLUE, INK, GREEN, ORANGE, SKY)
_DASHES = ("-", (0, (5, 1.5)), (0, (1.2, 1.2)), (0, (6, 1.5, 1.2, 1.5)), (0, (9, 3)))
_SHAPES = ("o", "s", "^", "D", "v")


def _look(number: int) -> dict[str, Any]:
    return {"color": _COLORS[number], "linestyle": _DASHES[number], "marker": _SHAPES[number]}


def _line_marks(
    results: SweepResults, metrics: Sequence[str], series: Axis | None
) -> list[tuple[Artist, str]]:
    from matplotlib.lines import Line2D

    marks: list[tuple[Artist, str]] = []
    if series:
        marks = [(Line2D([], [], linestyle=""), f"{series.words}:")]
        marks += [(Line2D([], [], **_look(number)), value) for number, value in enumerate(series.values)]
    if any(metric in results.asked for metric in metrics):
        marks.append((Line2D([], [], color=VERMILLION, linestyle="--"), "limit of the target"))
    return marks
