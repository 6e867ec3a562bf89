"""Figures of patients: how long they wait, and how far they come."""

from __future__ import annotations

import math
from itertools import cycle
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from iopsim.experiment.summary import goals
from iopsim.measures.series import funnel_steps
from iopsim.report.figures.many import BARS, PANELS, foremost, stacked, titled, waiting
from iopsim.report.style import (
    BLUE,
    INK,
    SKY,
    VERMILLION,
    Drawing,
    measure,
    sheet,
    trimmed,
)
from iopsim.report.wording import number_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

    from iopsim.report.tables import Floats, Results

__all__ = ["Limit", "Mark", "funnel", "plot_funnel", "plot_waits", "waits"]

# Wait distribution


def waits(results: Results) -> list[Drawing]:
    """One figure for each of the program's own levels that people wait for."""
    waited = [
        level for level in results.own_levels if results.profiles.get(f"waits.{level}", np.zeros(1))[1:].any()
    ]
    chosen, _ = foremost(waited, BARS, lambda level: waiting(results, level), "levels where most wait")
    return [_wait(results, level) for level in chosen]


class Mark(NamedTuple):
    """A percentile of the wait: days, the share of starters who wait no longer, and the words for it."""

    days: float
    share: float
    words: str


Line = Literal["--", ":", "-."]
_LINES: tuple[Line, ...] = ("--", ":", "-.")


class Limit(NamedTuple):
    """What a target allows a wait to be: days, how the line is drawn, and the words for it."""

    days: float
    line: Line
    words: str


def _wait(results: Results, level: str) -> Drawing:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    label, marks, limits = results.level(level), _marks(results, level), _limits(results, level)
    legend: list[tuple[Artist, str]] = [
        (Patch(facecolor=SKY, edgecolor=BLUE), "started on that day (left)"),
        (Line2D([], [], color=INK), "started by that day (right)"),
        *((Line2D([], [], color=VERMILLION, linestyle=limit.line), limit.words) for limit in limits),
    ]
    said = ", ".join(mark.words for mark in marks) or "days waited until the start of care"
    title = f"{label}: {said.replace(' days,', ',')}"
    note = f"Those who joined in the measured weeks and started care. {_others(results, level)}"
    figure = sheet(title, note, 3.6, legend)
    plot_waits(figure.subplots(), results.profiles[f"waits.{level}"], marks, limits)
    asked = ", ".join(limit.words for limit in limits) or "no target is set"
    alt = (
        f"Bars show the share of starters of {label} by days waited, a line the share who had started by then: "
        f"{said}; {asked}."
    )
    return Drawing(f"wait-distribution-{level}", title, alt, figure)


def _marks(results: Results, level: str) -> list[Mark]:
    shares = {"p50": (0.5, "half start"), "p90": (0.9, "nine in ten")}
    return [
        Mark(found.estimate, share, f"{words} {_within(found.estimate)}")
        for statistic, (share, words) in shares.items()
        if (found := results.summary.get(f"{level}.wait_days.{statistic}")) and not math.isnan(found.estimate)
    ]


def _limits(results: Results, level: str) -> list[Limit]:
    stem = f"{level}.wait_days."
    whose = {"p50": "half", "p90": "nine in ten", "p95": "19 in 20", "mean": "on average"}
    wishes = [
        (days, f"target: {whose[name.removeprefix(stem)]} {side} {days:g} days")
        for name, goal in goals(results.scenario.targets).items()
        if name.startswith(stem)
        for side, days in (("after at least", goal.low), ("within", goal.high))
        if math.isfinite(days)
    ]
    return [Limit(days, line, words) for (days, words), line in zip(wishes, cycle(_LINES), strict=False)]


def plot_waits(axes: Axes, counts: Floats, marks: Sequence[Mark] = (), limits: Sequence[Limit] = ()) -> Axes:
    """Histogram of whole days waited, and on the right how many had started by then.

    Args:
        axes: Where to draw.
        counts: Who started after 0, 1, 2 … whole days.
        marks: Percentiles to mark.
        limits: Targets to mark.
    """
    started = np.cumsum(counts) / counts.sum()
    # A long thin tail would squeeze what matters; what is cut off is told.
    far = 1.15 * max((limit.days for limit in limits), default=0)
    end = math.ceil(max(7, int(np.searchsorted(started, 0.995)) + 1, far))
    rest = 1 - started[min(end, len(started)) - 1]
    longer = f"; {number_text(rest, 'share')} waited longer than shown" if rest > 0.0005 else ""
    _plot_histogram(axes, counts / counts.sum(), end)
    measure(axes.xaxis, f"Wait from joining to the start of care, days{longer}", "days")
    right = axes.twinx()
    right.grid(visible=False)
    right.spines["right"].set_visible(True)
    # Who started on the first day is counted at once: most of them did not wait at all.
    days = [0, *range(len(started) + 1), max(end, len(started))]
    right.plot(days, [0, started[0], *started, 1], color=INK)
    right.set_ylim(0, 1.1)
    measure(right.yaxis, "Share who had started", "share")
    right.set_yticks(np.linspace(0, 1, 6))
    for limit in limits:
        right.axvline(limit.days, color=VERMILLION, linestyle=limit.line)
    box = {"boxstyle": "square,pad=0.15", "facecolor": "white", "edgecolor": "none", "alpha": 0.85}
    for mark in marks:
        right.plot(mark.days, mark.share, "o", color=INK, markersize=6, clip_on=False)
        look: dict[str, Any] = {"ha": "left", "va": "top", "xytext": (9, -5)}
        if mark.days > 0.6 * end:  # no room on the right
            look = {"ha": "right", "va": "bottom", "xytext": (-9, 5)}
        right.annotate(mark.words, mark[:2], textcoords="offset points", size=10, bbox=box, **look)
    return axes


def _plot_histogram(axes: Axes, shares: Floats, end: int) -> None:
    """Bars by day, or by week where days would be too thin, with five steps on the axis like the other side's."""
    width, word = (1, "day") if end <= 120 else (7, "week")
    shares = np.add.reduceat(shares, np.arange(0, len(shares), width))
    look: dict[str, Any] = {"align": "edge", "color": SKY, "edgecolor": BLUE, "linewidth": 0.6}
    axes.bar(np.arange(len(shares)) * width, shares, width=width, **look)
    steps = (0.002, 0.004, 0.01, 0.02, 0.04, 0.05, 0.1, 0.15, 0.2)
    step = next(step for step in steps if 5 * step >= shares.max() - 1e-9)
    axes.set_xlim(0, end)
    axes.set_ylim(0, 5.5 * step)
    measure(axes.yaxis, f"Share of starters, by {word}", "share")
    axes.set_yticks(np.linspace(0, 5 * step, 6))


def _within(days: float) -> str:
    return f"within {trimmed(days, 'days')} days" if days else "at once"


def _others(results: Results, level: str) -> str:
    """Who joined, too, but is in no bar."""
    kinds = {
        "gave up waiting": "reneged",
        "were refused": "lost.refused",
        "were denied by the payer": "lost.denied",
        "were still waiting": "unresolved",
    }
    said = [
        f"{number_text(found.estimate, 'share')} {words}"
        for words, name in kinds.items()
        if (found := results.summary.get(f"{level}.{name}.share")) and found.estimate > 0
    ]
    return f"Not shown, of those who joined: {', '.join(said)}." if said else ""


# Patient funnel

_STEPS = {
    "referred": "Referred",
    "contacted": "Reached",
    "assessed": "Assessed",
    "joined": "Joined",
    "started": "Started care",
    "attended": "Attended a session",
    "completed": "Completed",
}


def funnel(results: Results) -> list[Drawing]:
    """How many of those who are referred, or join, come how far, for the program's own levels."""
    scenario = results.scenario
    every = {
        level: [
            (_STEPS[step], results.per_year(float(count)))
            for step, count in zip(funnel_steps(scenario, level), counts, strict=True)
            if step in _STEPS and (step != "attended" or scenario.levels[level].groups)
        ]
        for level in results.own_levels
        if (counts := results.profiles.get(f"funnel.{level}")) is not None and counts[0]
    }
    if not every:
        return []
    chosen, left_out = foremost(
        every, PANELS, lambda level: every[level][0][1], "levels that most come to; all stand in summary.csv"
    )
    steps = {level: every[level] for level in chosen}
    said = [
        f"{results.level(level)}: of {_number(rows[0][1])} a year who "
        f"{'join' if rows[0][0] == _STEPS['joined'] else 'are referred'}, {_number(rows[-1][1])} complete"
        for level, rows in steps.items()
    ]
    title = said[0] if len(said) == 1 else "How far those come who are referred or join, per year"
    note = (
        "Those who came in the measured weeks, followed to the end of the run-out; mean of all replications."
        f"{left_out}"
    )
    down, across = stacked(len(steps))
    most = [max(len(rows) for rows in [*steps.values()][row * across :][:across]) for row in range(down)]
    each, more = (0.5, 0.7) if across == 1 else (0.31, 0.8)
    figure = sheet(title, note, sum(each * bars + more for bars in most))
    panels = figure.subplots(
        down, across, squeeze=False, gridspec_kw={"height_ratios": [bars + 1 for bars in most]}
    ).flatten()
    for axes, (level, rows) in zip(panels, steps.items(), strict=False):
        plot_funnel(axes, rows, short=across > 1)
        titled(axes, results.level(level) if len(steps) > 1 else "")
    for axes in panels[len(steps) :]:
        axes.set_visible(False)
    alt = f"Bars of patients a year by how far they come; {'; '.join(said)}."
    return [Drawing("patient-funnel", title, alt, figure)]


def plot_funnel(axes: Axes, steps: Sequence[tuple[str, float]], *, short: bool = False) -> Axes:
    """Bars from the first step down to the last, each with its count and its share of the one above.

    Args:
        axes: Where to draw.
        steps: What people read for each step, and how many patients a year come so far.
        short: Whether there is room for few words only.
    """
    names, counts = zip(*steps, strict=True)
    places = np.arange(len(steps))
    axes.barh(places, counts, color=BLUE, height=0.72)
    axes.set_yticks(places, names)
    axes.invert_yaxis()
    axes.grid(visible=False)
    axes.set_xlim(0, (1.9 if short else 1.52) * max(counts))
    for place, count in enumerate(counts):
        before = counts[place - 1] if place else 0
        of = "of above" if short else "of those above"
        share = f"   {100 * count / before:.0f} % {of}" if before else ""
        axes.annotate(
            f"{_number(count)}{'' if short else ' a year'}{share}",
            (count, place),
            (6, 0),
            textcoords="offset points",
            va="center",
        )
    axes.tick_params(axis="y", length=0)
    measure(axes.xaxis, "Patients a year", "patients a year")
    return axes


def _number(value: float) -> str:
    return f"{value:,.0f}"
