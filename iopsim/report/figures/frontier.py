"""The figure of what a shorter wait costs: every point of a sweep, and those that no other beats in both."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from iopsim.report.figures.beside import write_beside
from iopsim.report.figures.goals import wish
from iopsim.report.style import (
    BLUE,
    ESTIMATE,
    GRAY,
    GREEN,
    INK,
    VERMILLION,
    Drawing,
    fitted,
    measure,
    sheet,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

    from iopsim.report.sweep_tables import Point, SweepResults

__all__ = ["frontier", "plot_frontier"]

_LOOKS = {"missed": (VERMILLION, "X"), "undecided": (GRAY, "D"), "met": (GREEN, "o"), "": (BLUE, "o")}
_WORDS = {"met": "meets all targets", "undecided": "undecided", "missed": "misses a target", "": "point"}
_HEIGHT = 4.4  # inches


def frontier(results: SweepResults) -> list[Drawing]:
    """A dot for each point by cost and wait, the frontier, and the cheapest point that meets all targets."""
    if not (results.cost and results.wait) or results.cost == results.wait:
        return []
    points = results.of(results.cost, results.wait)
    if len(points) < 2:
        return []
    best = results.cheapest
    note = f"Bars: {ESTIMATE}, of the points on the frontier."
    figure = sheet("What a shorter wait costs", note, _HEIGHT, _marks(results, points))
    axes = figure.subplots()
    plot_frontier(axes, points, results)
    for axis, metric in ((axes.xaxis, results.cost), (axes.yaxis, results.wait)):
        measure(axis, results.words(metric), points[0].found[metric].unit)
    axes.set_ylabel("\n".join(fitted(axes.get_ylabel(), _HEIGHT - 0.8, 10.5)))
    said = ""
    if best:
        figure.draw_without_rendering()  # words find their place where the panel has found its own
        text = "\n".join(["cheapest that meets all targets:", *fitted(results.name(best), 3, 10, "bold")])
        others = [_place(results, point) for point in points if point is not best]
        write_beside(axes, [(*_place(results, best), text)], others, gap=13, weight="bold")
        said = f"; the cheapest that meets all targets is {results.name(best)}"
    front = f"{len(results.frontier)} of them on the frontier"
    alt = f"A dot for each of {len(points)} points by cost and wait, {front}{said}."
    return [Drawing("frontier", "What a shorter wait costs", alt, figure)]


def _marks(results: SweepResults, points: Sequence[Point]) -> list[tuple[Artist, str]]:
    from matplotlib.lines import Line2D

    verdicts = {point.verdict for point in points}
    marks: list[tuple[Artist, str]] = [
        (
            Line2D([], [], color=_LOOKS[verdict][0], marker=_LOOKS[verdict][1], linestyle="", markersize=8),
            words,
        )
        for verdict, words in _WORDS.items()
        if verdict in verdicts
    ]
    marks.append((Line2D([], [], color=BLUE, linewidth=2), "frontier: no point is better in both"))
    if goal := results.asked.get(results.wait):
        limit = f"limit: {wish(goal, points[0].found[results.wait].unit)}"
        marks.append((Line2D([], [], color=VERMILLION, linestyle="--"), limit))
    return marks


def _place(results: SweepResults, point: Point) -> tuple[float, float]:
    return point.found[results.cost].estimate, point.found[results.wait].estimate


def plot_frontier(axes: Axes, points: Sequence[Point], results: SweepResults) -> Axes:
    """Dots by cost and wait, a line of steps with intervals along the frontier, a ring at the cheapest."""
    by_number = {point.number: point for point in points}
    front = [by_number[number] for number in results.frontier if number in by_number]
    if front:
        # Between two points nothing is known to be better than the cheaper of them.
        axes.step(
            *zip(*(_place(results, point) for point in front), strict=True),
            where="post",
            color=BLUE,
            linewidth=2,
        )
    for point in front:
        x, y = point.found[results.cost], point.found[results.wait]
        axes.hlines(y.estimate, x.low, x.high, color=INK, linewidth=1)
        axes.vlines(x.estimate, y.low, y.high, color=INK, linewidth=1)
    for verdict, (color, marker) in _LOOKS.items():
        if some := [_place(results, point) for point in points if point.verdict == verdict]:
            look: dict[str, Any] = {"color": color, "linestyle": "", "markeredgecolor": "white", "zorder": 3}
            axes.plot(*zip(*some, strict=True), marker=marker, markersize=9, **look)
    goal = results.asked.get(results.wait)
    for limit in (goal.low, goal.high) if goal else ():
        if math.isfinite(limit):
            axes.axhline(limit, color=VERMILLION, linestyle="--", linewidth=1.5)
    if best := results.cheapest:
        axes.plot(
            *_place(results, best), "o", markersize=17, fillstyle="none", color=INK, markeredgewidth=1.8
        )
    axes.margins(0.06)
    axes.set_ylim(bottom=0)
    axes.grid(visible=True, axis="both")
    return axes
