"""Figures of plans side by side: what each changes, who waits when, and what access costs."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from iopsim.experiment.compare import least_that_matters
from iopsim.experiment.names import reported
from iopsim.experiment.summary import Gathered
from iopsim.report.figures.beside import write_beside
from iopsim.report.figures.census import dated, shaded
from iopsim.report.figures.goals import labels, metric_words, spaced
from iopsim.report.style import (
    BLUE,
    GRAY,
    GREEN,
    INK,
    ORANGE,
    PALE,
    SKY,
    VERMILLION,
    Drawing,
    fitted,
    listed,
    measure,
    sheet,
    trimmed,
)
from iopsim.report.wording import matched_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from iopsim.experiment.compare import Comparison, Difference, Words
    from iopsim.experiment.statistics import Interval

    Floats = NDArray[np.float64]

__all__ = [
    "Dot",
    "cost_beside_access",
    "differences",
    "plot_cost_beside_access",
    "plot_differences",
    "plot_waitlists",
    "waitlists",
]

# A word for a difference has a marker of its own beside its color: print may be gray.
_WORDS: dict[Words, tuple[str, str, Literal["full", "none"]]] = {
    "better": (GREEN, "^", "full"),
    "worse": (VERMILLION, "v", "full"),
    "higher": (BLUE, ">", "full"),
    "lower": (ORANGE, "<", "full"),
    "no difference that matters": (INK, "s", "full"),
    "not known yet": (GRAY, "o", "none"),
}
_POINTS = "percentage points"


def differences(comparison: Comparison) -> list[Drawing]:
    """What each plan changes, a panel for each metric."""
    known = [one for one in comparison.differences if not math.isnan(one.difference.estimate)]
    if not known:
        return []
    metrics = dict.fromkeys(one.metric for one in known)
    plans = list(dict.fromkeys(one.plan for one in known))
    base = comparison.scenarios[comparison.base]
    matters = {metric: least_that_matters(base, metric) for metric in metrics}
    title = f"What {listed([spaced(plan) for plan in plans])} would change"
    shares = {spaced(plan): share for plan, share in comparison.matched.items()}
    note = f"Differences to {spaced(comparison.base)}; 0 is no difference. {matched_text(shares)}"
    legend = _difference_marks(known, any(matters.values()))
    figure = sheet(title, note, sum(0.42 * len(plans) + 0.75 for _ in metrics), legend)
    words = {metric: metric_words(metric, labels(base)) for metric in metrics}
    for axes, metric in zip(figure.subplots(len(metrics), squeeze=False)[:, 0], metrics, strict=True):
        plot_differences(axes, [one for one in known if one.metric == metric], plans, matters[metric])
        axes.set_title(words[metric], weight="normal")
    said = [f"{one.plan} {words[one.metric]} {_signed(one)} ({one.words})" for one in known]
    return [Drawing("differences", title, f"Dots with intervals around zero; {'; '.join(said)}.", figure)]


def _difference_marks(found: Sequence[Difference], matters: bool) -> list[tuple[Artist, str]]:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    words = {one.words for one in found}
    marks: list[tuple[Artist, str]] = [
        (Line2D([], [], color=color, marker=marker, fillstyle=fill, markersize=9, linestyle=""), word)
        for word, (color, marker, fill) in _WORDS.items()
        if word in words
    ]
    if matters:
        marks.append((Patch(facecolor=PALE, linewidth=0), "too small to matter"))
    return [*marks, (Line2D([], [], color=GRAY, linewidth=2), "interval (all of them hold together at 95 %)")]


def plot_differences(
    axes: Axes, found: Sequence[Difference], plans: Sequence[str], matters: float = 0.0
) -> Axes:
    """One metric: a dot with its interval for each plan, around the line of no difference.

    Args:
        axes: Where to draw.
        found: The metric's differences, of one plan each.
        plans: All plans of the figure, from top to bottom.
        matters: Smallest difference that matters; what is smaller is shaded.
    """
    if matters:
        axes.axvspan(-matters, matters, color=PALE, linewidth=0)
    axes.axvline(0, color=INK, linewidth=1)
    for one in found:
        place, interval = plans.index(one.plan), one.difference
        color, marker, fill = _WORDS[one.words]
        if not math.isnan(interval.low + interval.high):
            axes.hlines(place, interval.low, interval.high, color=color, linewidth=2)
        axes.plot(interval.estimate, place, marker, color=color, fillstyle=fill, markersize=9)
    intervals = [one.difference for one in found]
    ends = [end for one in intervals for end in (one.low, one.high, one.estimate) if not math.isnan(end)]
    far = max(matters, *map(abs, ends)) or 1
    axes.set_xlim(-1.1 * far, 1.1 * far)
    axes.set_yticks(range(len(plans)), ["\n".join(fitted(spaced(plan), 1.8, 10)) for plan in plans])
    axes.set_ylim(len(plans) - 0.4, -0.6)
    axes.grid(visible=False)
    axes.tick_params(axis="y", length=0)
    unit = found[0].unit
    measure(axes.xaxis, "Difference", _POINTS if unit == "share" else unit)
    return axes


def _signed(one: Difference) -> str:
    share, difference = one.unit == "share", one.difference.estimate
    text = trimmed(abs(100 * difference if share else difference))
    return f"{'−' if difference < 0 else '+'}{text} {_POINTS if share else one.unit}"


# Who waits when

_COLORS = (INK, VERMILLION, BLUE, GREEN, ORANGE, SKY)
_DASHES = ("-", (0, (5, 1.5)), (0, (1.2, 1.2)), (0, (6, 1.5, 1.2, 1.5)), (0, (9, 3)))


def waitlists(comparison: Comparison) -> list[Drawing]:
    """Waitlists of the program's own levels, week by week, every plan's line over the others'."""
    levels: dict[str, str] = {}
    for scenario in comparison.scenarios.values():
        for name, spec in scenario.levels.items():
            if spec.is_own:
                levels.setdefault(name, scenario.says(scenario.levels, name))
    panels = {level: lines for level in levels if (lines := _waiting(comparison, level))}
    if not panels:
        return []
    from matplotlib.lines import Line2D

    looks = {plan: _line_look(number) for number, plan in enumerate(comparison.scenarios)}
    legend: list[tuple[Artist, str]] = [
        (Line2D([], [], **look), spaced(plan)) for plan, look in looks.items()
    ]
    several, run = len(panels) > 1, comparison.scenarios[comparison.base].run
    title = "Who waits, week by week" if several else f"{levels[next(iter(panels))]}: who waits, week by week"
    means = f"Means of {comparison.count} replications" if comparison.count > 1 else "One replication"
    figure = sheet(title, f"{means}; warm-up and run-out are shaded.", 2.7 * len(panels), legend)
    axes_of = figure.subplots(len(panels), sharex=True, squeeze=False)[:, 0]
    for axes, (level, lines) in zip(axes_of, panels.items(), strict=True):
        plot_waitlists(axes, np.datetime64(run.opening), {plan: (lines[plan], looks[plan]) for plan in lines})
        shaded(axes, run, named=axes is axes_of[0])
        axes.set_title(levels[level] if several else "")
    axes_of[-1].set_xlabel("Week (date)")
    measured = slice(run.warm_up_weeks, run.warm_up_weeks + run.weeks)
    said = [
        f"{plan} {trimmed(float(line[measured].mean()))} at {levels[level]}"
        for level, lines in panels.items()
        for plan, line in lines.items()
    ]
    alt = f"A line by week for each plan; waiting on average in the measured weeks: {'; '.join(said)}."
    return [Drawing("waitlists", title, alt, figure)]


def plot_waitlists(
    axes: Axes, opening: np.datetime64, lines: Mapping[str, tuple[Floats, Mapping[str, Any]]]
) -> Axes:
    """Mean waitlist by week of each plan, with the look of its line; arrays have shape (weeks,)."""
    for line, look in lines.values():
        middle = opening.astype("datetime64[h]") + np.timedelta64(7 * 24, "h") * np.arange(len(line)) + 84
        axes.plot(middle, line, **look)
        axes.set_xlim(middle[0], middle[-1])
    axes.set_ylim(0, 1.2 * max(float(line.max()) for line, _ in lines.values()))
    dated(axes)
    measure(axes.yaxis, "Waiting", "patients")
    return axes


def _waiting(comparison: Comparison, level: str) -> dict[str, Floats]:
    """The mean waitlist of each plan that has the level, shape (weeks,); empty if nobody ever waits."""
    name = f"{level}.waitlist"
    lines = {
        plan: np.mean([replication.weekly[name] for replication in found], axis=0)
        for plan, found in comparison.replications.items()
        if name in found[0].weekly
    }
    return lines if any(line.any() for line in lines.values()) else {}


def _line_look(number: int) -> dict[str, Any]:
    """Color and dashes of a plan's line: no two alike, and the base's as plain as can be."""
    return {
        "color": _COLORS[number % len(_COLORS)],
        "linestyle": _DASHES[number % len(_DASHES)],
        "linewidth": 2.2 if number == 0 else 1.8,
    }


# What access costs

_ACCESS = (
    "wait_days",
    "access_days",
    "started_within_7_days",
    "started_within_14_days",
    "reneged",
    "waitlist",
)
_COST = "program.cost.total"


@dataclass(frozen=True, slots=True)
class Dot:
    """One plan: what access is like, and what the program costs a year, each with its interval."""

    plan: str
    access: Interval
    cost: Interval


def cost_beside_access(comparison: Comparison) -> list[Drawing]:
    """A dot for each plan: the first metric of access that was compared, and what the program costs a year."""
    base = comparison.scenarios[comparison.base]
    metrics = [one.metric for one in comparison.differences if one.metric in reported(base)]
    metric = next((name for name in metrics if set(_ACCESS) & set(name.split("."))), None)
    dots = _dots(comparison, metric) if metric else []
    if not metric or len(dots) < 2:
        return []
    entry, words = reported(base)[metric], metric_words(metric, labels(base))
    unit, currency = entry.unit_in(base), base.currency
    side = {"lower": "left", "higher": "right"}.get(entry.bound.metric.better)
    title = "What access costs"
    best = f" Best is low and to the {side}." if side else ""
    note = f"Bars are 95 % intervals of each plan by itself; what differs is known better, from pairs.{best}"
    figure = sheet(title, note, 4.2)
    axes = figure.subplots()
    plot_cost_beside_access(axes, dots, comparison.base)
    measure(axes.xaxis, words, unit)
    measure(axes.yaxis, "Program cost a year", currency)
    figure.draw_without_rendering()  # labels find their places where panels have found theirs
    write_beside(axes, [(dot.access.estimate, dot.cost.estimate, spaced(dot.plan)) for dot in dots])
    said = [
        f"{dot.plan} {trimmed(dot.access.estimate, unit)}{'' if unit == 'share' else f' {unit}'} "
        f"for {trimmed(dot.cost.estimate)} {currency} a year"
        for dot in dots
    ]
    return [Drawing("cost-beside-access", title, f"A dot for each plan; {words}: {'; '.join(said)}.", figure)]


def _dots(comparison: Comparison, metric: str) -> list[Dot]:
    """The plans whose access and cost are both known."""
    dots = []
    for plan, scenario in comparison.scenarios.items():
        known, outcomes = reported(scenario), [one.outcomes for one in comparison.replications[plan]]
        if _COST in known and metric in known:
            gathered = Gathered(outcomes)
            access, cost = (gathered.of(name, known[name]).interval for name in (metric, _COST))
            dots.append(Dot(plan, access, _scaled(cost, 52 / scenario.run.weeks)))
    return [dot for dot in dots if not math.isnan(dot.access.estimate + dot.cost.estimate)]


def _scaled(interval: Interval, factor: float) -> Interval:
    parts = {name: factor * getattr(interval, name) for name in ("estimate", "low", "high", "sd")}
    return replace(interval, **parts)


def plot_cost_beside_access(axes: Axes, dots: Sequence[Dot], base: str) -> Axes:
    """A dot with bars in both directions for each plan; the base's is a square."""
    for dot in dots:
        access, cost = dot.access, dot.cost
        if not math.isnan(access.low + access.high):
            axes.hlines(cost.estimate, access.low, access.high, color=GRAY, linewidth=1.5)
        if not math.isnan(cost.low + cost.high):
            axes.vlines(access.estimate, cost.low, cost.high, color=GRAY, linewidth=1.5)
        color, marker = (INK, "s") if dot.plan == base else (BLUE, "o")
        axes.plot(access.estimate, cost.estimate, marker, color=color, markersize=9, markeredgecolor="white")
    axes.margins(0.18)
    axes.grid(visible=True, axis="both")
    return axes
