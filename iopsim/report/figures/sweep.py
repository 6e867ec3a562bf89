"""Figures of a sweep: what two parameters do together, what one does, and what a shorter wait costs."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from iopsim.report.figures.goals import labels, metric_words
from iopsim.report.style import (
    BLUE,
    ESTIMATE,
    GRAY,
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
from iopsim.report.wording import limit_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

    from iopsim.experiment.summary import Goal
    from iopsim.report.sweep_tables import Axis, Point, SweepResults
    from iopsim.report.tables import Estimated

__all__ = ["frontier", "heat_maps", "lines", "plot_frontier", "plot_heat_map", "plot_lines"]

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
    return [_heat_map(results, metric) for metric in _metrics(results)] if is_table else []


def _heat_map(results: SweepResults, metric: str) -> Drawing:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    up, across = results.axes
    cells = {point.values: Cell(point.found[metric], point.verdict) for point in _of(results, metric)}
    goal, words, unit = (
        results.asked.get(metric),
        _words(results, metric),
        next(iter(cells.values())).found.unit,
    )
    legend: list[tuple[Artist, str]] = []
    note = "Darker is higher."
    if goal:
        note += " ✓ the whole interval is on the right side of the limit; ? it lies across."
        limit = f"limit: {_wish(goal, unit)}"
        legend.append((Line2D([], [], color=VERMILLION, linewidth=3), limit))
    if any(cell.verdict == "met" for cell in cells.values()):
        legend.append((Patch(facecolor="white", edgecolor=INK, linewidth=2.2), "meets all targets"))
    title = f"{words}, by {in_a_sentence(across.words)} and {in_a_sentence(up.words)}"
    figure = sheet(title, note, 1.0 + max(1.6, 0.46 * len(up.values)), legend)
    plot_heat_map(figure.subplots(), (up, across), cells, goal)
    estimates = [cell.found.estimate for cell in cells.values()]
    span = f"from {_with_unit(min(estimates), unit)} to {_with_unit(max(estimates), unit)}"
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
    from matplotlib.patches import Rectangle

    up, across = parameters
    grid = np.full((len(up.values), len(across.values)), np.nan)
    for (row, column), cell in ((_place(values, parameters), cell) for values, cell in cells.items()):
        grid[row, column] = cell.found.estimate
    shades = LinearSegmentedColormap.from_list("shades", ("#FFFFFF", SKY, BLUE, "#00304D"))
    low, high = np.nanmin(grid), np.nanmax(grid)
    axes.pcolormesh(
        grid, cmap=shades, vmin=low, vmax=high + 0.25 * (high - low), edgecolors="white", linewidth=1
    )
    size = min(10.5, 10.5 * 9 / len(across.values))
    for values, cell in cells.items():
        row, column = _place(values, parameters)
        is_dark = high > low and (cell.found.estimate - low) / (high - low) > 0.5
        look: dict[str, Any] = {"color": "white" if is_dark else INK, "size": size}
        text = f"{trimmed(cell.found.estimate, cell.found.unit)}{_VERDICTS.get(cell.found.verdict, '')}"
        weight = "bold" if cell.found.verdict == "met" else "normal"
        axes.text(column + 0.5, row + 0.5, text, ha="center", va="center", weight=weight, **look)
        if cell.verdict == "met":
            frame = Rectangle(
                (column + 0.04, row + 0.06), 0.92, 0.88, fill=False, edgecolor=INK, linewidth=2.2
            )
            axes.add_patch(frame)
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


def _place(values: tuple[str, ...], parameters: tuple[Axis, Axis]) -> tuple[int, int]:
    up, across = parameters
    return up.values.index(values[0]), across.values.index(values[1])


def _plot_limit(axes: Axes, grid: np.ndarray, goal: Goal) -> None:
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
        dict.fromkeys([*_metrics(results), *(name for name in (results.wait, results.cost) if name)])
    )
    metrics = [name for name in metrics if _of(results, name)]
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
        axes.set_title("\n".join(fitted(_words(results, metric), 7.2, 11)), weight="normal")
        unit = _of(results, metric)[0].found[metric].unit
        measure(axes.yaxis, "percent" if unit == "share" else unit, unit)
    panels[-1].set_xlabel(axis.words)
    words = listed([_words(results, metric) for metric in metrics])
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
    points = [point for point in _of(results, metric) if not series or point.values[other] == value]
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
        marks = [(Line2D([], [], **_look(number)), value) for number, value in enumerate(series.values)]
    if any(metric in results.asked for metric in metrics):
        marks.append((Line2D([], [], color=VERMILLION, linestyle="--"), "limit of the target"))
    return marks


# What a shorter wait costs

_POINTS = {"met": (GREEN, "o"), "missed": (VERMILLION, "X"), "undecided": (GRAY, "D"), "": (BLUE, "o")}


def frontier(results: SweepResults) -> list[Drawing]:
    """A dot for each point by cost and wait, the frontier, and the cheapest point that meets all targets."""
    if not (results.cost and results.wait) or results.cost == results.wait or len(results.frontier) < 1:
        return []
    points = [point for point in _of(results, results.cost) if _is_known(point, results.wait)]
    if len(points) < 2:
        return []
    from matplotlib.lines import Line2D

    verdicts = {point.verdict for point in points}
    words = {"met": "meets all targets", "missed": "misses a target", "undecided": "undecided", "": "point"}
    legend: list[tuple[Artist, str]] = [
        (Line2D([], [], color=color, marker=marker, linestyle="", markersize=8), words[verdict])
        for verdict, (color, marker) in _POINTS.items()
        if verdict in verdicts
    ]
    legend.append((Line2D([], [], color=INK, linewidth=1.2), "frontier: no point is better in both"))
    title = "What a shorter wait costs"
    note = f"Bars: {ESTIMATE}; those of points on the frontier."
    figure = sheet(title, note, 4.4, legend)
    axes = figure.subplots()
    plot_frontier(axes, points, results)
    cost, wait = (_of(results, name)[0].found[name].unit for name in (results.cost, results.wait))
    measure(axes.xaxis, _words(results, results.cost), cost)
    measure(axes.yaxis, _words(results, results.wait), wait)
    cheapest = _cheapest(results)
    said = f"; the cheapest that meets all targets is {_name(results, cheapest)}" if cheapest else ""
    front = f"{len(results.frontier)} of them on the frontier"
    alt = f"A dot for each of {len(points)} points by cost and wait, {front}{said}."
    return [Drawing("frontier", title, alt, figure)]


def plot_frontier(axes: Axes, points: Sequence[Point], results: SweepResults) -> Axes:
    """Dots by cost and wait, those of the frontier joined and with their intervals, the cheapest with its name."""
    cost, wait = results.cost, results.wait
    order = {number: place for place, number in enumerate(results.frontier)}
    front = sorted(
        (point for point in points if point.number in order), key=lambda point: order[point.number]
    )
    axes.plot(
        [point.found[cost].estimate for point in front],
        [point.found[wait].estimate for point in front],
        color=INK,
        linewidth=1.2,
        zorder=2,
    )
    for point in front:
        x, y = point.found[cost], point.found[wait]
        axes.hlines(y.estimate, x.low, x.high, color=INK, linewidth=1, zorder=2)
        axes.vlines(x.estimate, y.low, y.high, color=INK, linewidth=1, zorder=2)
    for verdict, (color, marker) in _POINTS.items():
        some = [point for point in points if point.verdict == verdict]
        look: dict[str, Any] = {"color": color, "linestyle": "", "markeredgecolor": "white", "zorder": 3}
        costs, waits = ([point.found[name].estimate for point in some] for name in (cost, wait))
        axes.plot(costs, waits, marker, markersize=9, **look)
    for limit in _limits(results, wait):
        axes.axhline(limit, color=VERMILLION, linestyle="--", linewidth=1.5)
    if best := _cheapest(results):
        place = best.found[cost].estimate, best.found[wait].estimate
        axes.plot(*place, "o", markersize=17, fillstyle="none", color=INK, markeredgewidth=1.8)
        axes.annotate(
            f"cheapest that meets all targets:\n{_name(results, best)}",
            place,
            (16, 16),
            textcoords="offset points",
            size=10,
            weight="bold",
        )
    axes.set_ylim(bottom=0)
    axes.margins(0.06)
    axes.grid(visible=True, axis="both")
    return axes


def _cheapest(results: SweepResults) -> Point | None:
    """The cheapest point that meets all targets."""
    meeting = [point for point in results.points if point.verdict == "met" and _is_known(point, results.cost)]
    return min(meeting, key=lambda point: point.found[results.cost].estimate, default=None)


# Words


def _of(results: SweepResults, metric: str) -> list[Point]:
    """The points where a metric is known."""
    return [point for point in results.points if _is_known(point, metric)]


def _is_known(point: Point, metric: str) -> bool:
    return metric in point.found and not math.isnan(point.found[metric].estimate)


def _metrics(results: SweepResults) -> list[str]:
    """The metrics that are drawn: those of targets, or else wait and cost."""
    names = dict.fromkeys(results.asked or [name for name in (results.wait, results.cost) if name])
    return [name for name in names if _of(results, name)]


def _limits(results: SweepResults, metric: str) -> list[float]:
    goal = results.asked.get(metric)
    return [limit for limit in (goal.low, goal.high) if math.isfinite(limit)] if goal else []


def _words(results: SweepResults, metric: str) -> str:
    words = metric_words(metric, labels(results.base))
    words = words.replace(", total", f", {results.base.run.weeks} weeks")
    return f"{words[0].upper()}{words[1:]}"


def _wish(goal: Goal, unit: str) -> str:
    sides = (("at least", goal.low), ("at most", goal.high))
    return listed(
        [
            f"{word} {limit_text(limit, unit)}{'' if unit == 'share' else f' {unit}'}"
            for word, limit in sides
            if math.isfinite(limit)
        ]
    )


def _with_unit(value: float, unit: str) -> str:
    return trimmed(value, unit) if unit == "share" else f"{trimmed(value, unit)} {unit}"


def _name(results: SweepResults, point: Point) -> str:
    return ", ".join(f"{axis.words} {value}" for axis, value in zip(results.axes, point.values, strict=True))
