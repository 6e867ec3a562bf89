"""The figure of what a planner asked for, and words for metrics."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from iopsim.experiment.summary import goals
from iopsim.report.figures.many import BARS, foremost
from iopsim.report.lines import WORDS
from iopsim.report.style import (
    ESTIMATE,
    GRAY,
    GREEN,
    INK,
    PALE,
    VERMILLION,
    WIDTH,
    Drawing,
    fitted,
    in_a_sentence,
    listed,
    measure,
    sheet,
    trimmed,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

    from iopsim.experiment.summary import Goal
    from iopsim.report.tables import Estimated, Results
    from iopsim.scenario.schema import Scenario

__all__ = ["labels", "metric_words", "plot_target", "spaced", "targets", "wish", "with_unit"]

# A verdict has a marker of its own beside its color: print may be gray.
_VERDICTS = {"met": (GREEN, "o"), "missed": (VERMILLION, "X"), "undecided": (GRAY, "D")}


def targets(results: Results) -> list[Drawing]:
    """Every target's metric with its interval against what was asked of it."""
    asked = {
        name: (results.summary[name], goal)
        for name, goal in goals(results.scenario.targets).items()
        if name in results.summary and not math.isnan(results.summary[name].estimate)
    }
    if not asked:
        return []
    verdicts = [found.verdict for found, _ in asked.values()]
    urgent = {"missed": 2.0, "undecided": 1.0}
    shown, left_out = foremost(
        asked,
        BARS // 2,
        lambda name: urgent.get(asked[name][0].verdict, 0.0),
        "targets, those missed first; all stand in summary.csv",
    )
    asked = {name: asked[name] for name in shown}
    title = f"Targets: {listed([f'{verdicts.count(word)} {word}' for word in _VERDICTS if word in verdicts])}"
    note = f"Met or missed is said only where the whole interval lies on one side of the limit.{left_out}"
    said_of = labels(results.scenario)
    wishes = {
        name: f"{metric_words(name, said_of)}: {wish(goal, found.unit)}"
        for name, (found, goal) in asked.items()
    }
    titles = [fitted(wish, WIDTH - 0.5, 11) for wish in wishes.values()]
    figure = sheet(title, note, sum(1.05 + 0.2 * len(lines) for lines in titles), _target_marks())
    panels = figure.subplots(len(asked), squeeze=False)[:, 0]
    for axes, lines, (found, goal) in zip(panels, titles, asked.values(), strict=True):
        plot_target(axes, found, goal)
        axes.set_title("\n".join(lines), weight="normal")
    said = [
        f"{wishes[name]}, {found.verdict} with {with_unit(found.estimate, found.unit)}"
        for name, (found, _) in asked.items()
    ]
    return [Drawing("targets", title, f"Dots with intervals beside limits; {'; '.join(said)}.", figure)]


def _target_marks() -> list[tuple[Artist, str]]:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    return [
        (Line2D([], [], color=INK, linewidth=2.5), ESTIMATE),
        (Patch(facecolor=PALE, linewidth=0), "wanted"),
        (Line2D([], [], color=VERMILLION, linestyle="--"), "limit"),
    ]


def plot_target(axes: Axes, found: Estimated, goal: Goal) -> Axes:
    """The estimate and its interval on the metric's own scale, where what is wanted is shaded."""
    limits = [limit for limit in (goal.low, goal.high) if math.isfinite(limit)]
    shown = [value for value in (found.estimate, found.low, found.high, *limits) if not math.isnan(value)]
    span = max(shown) - min(shown) or abs(shown[0]) or 1.0
    low, high = min(shown) - 0.35 * span, max(shown) + 0.35 * span
    if min(shown) >= 0:
        low = max(low, 0.0)
    if found.unit == "share":
        high = min(high, 1.0)
    axes.axvspan(max(goal.low, low), min(goal.high, high), color=PALE, linewidth=0)
    for limit in limits:
        axes.axvline(limit, color=VERMILLION, linestyle="--", linewidth=1.5)
    axes.hlines(0, found.low, found.high, color=INK, linewidth=2.5)
    color, marker = _VERDICTS[found.verdict]
    axes.plot(found.estimate, 0, marker, color=color, markersize=11, markeredgecolor="white", clip_on=False)
    said = f"{with_unit(found.estimate, found.unit)}, {found.verdict}"
    side = ("left", "center", "right")[
        int(np.searchsorted((0.15, 0.85), (found.estimate - low) / (high - low)))
    ]
    axes.annotate(said, (found.estimate, 0), (0, 9), textcoords="offset points", ha=side, weight="bold")
    axes.set_xlim(low, high)
    axes.set_ylim(-0.6, 1.0)
    axes.set_yticks([])
    axes.grid(visible=False)
    axes.spines["left"].set_visible(False)
    measure(axes.xaxis, "percent" if found.unit == "share" else found.unit, found.unit)
    return axes


# Words

_STATISTICS = {
    "mean": ", mean",
    "p50": ", median",
    "p90": ", 90th percentile",
    "p95": ", 95th percentile",
    "max": ", maximum",
    "total": ", total",
    "per_week": " a week",
    "share": "",
}


def metric_words(name: str, said_of: Mapping[str, str] | None = None) -> str:
    """What people read for a metric: whose it is, and the words of the table where it has some.

    Args:
        name: Full name, such as `<level>.wait_days.p90`.
        said_of: What people read for names of the scenario; a name that is missing is read as it is.
    """
    said_of, parts = said_of or {}, name.removeprefix("group.").split(".")
    lines = [at for at in range(len(parts)) if ".".join(parts[at:]) in WORDS]
    named = sum(part in said_of for part in parts[:-2])
    at = lines[0] if lines else max(named, 1) if len(parts) > 2 else int(parts[0] in said_of)
    whose = ", ".join(said_of.get(part, spaced(part)) for part in parts[:at])
    what = WORDS.get(".".join(parts[at:])) or spaced(" ".join(parts[at:-1])) + _STATISTICS.get(
        parts[-1], f" {spaced(parts[-1])}"
    )
    return f"{whose}: {in_a_sentence(what.strip())}" if whose else what


def spaced(name: str) -> str:
    """A name as people read it."""
    return name.replace("_", " ")


def wish(goal: Goal, unit: str) -> str:
    """What is asked of a metric: `at most 14 days`."""
    sides = (("at least", goal.low), ("at most", goal.high))
    return " and ".join(f"{word} {with_unit(limit, unit)}" for word, limit in sides if math.isfinite(limit))


def with_unit(value: float, unit: str) -> str:
    """A value as people read it, with its unit."""
    return trimmed(value, unit) if unit == "share" else f"{trimmed(value, unit)} {unit}"


def labels(scenario: Scenario) -> dict[str, str]:
    """What people read for the names of a scenario that metrics are called by."""
    tables: Iterable[Mapping[str, object]] = (
        scenario.levels,
        scenario.tracks,
        scenario.sources,
        scenario.staff,
        scenario.payers,
        scenario.rooms,
        scenario.services,
        *(level.groups for level in scenario.levels.values()),
    )
    return {name: scenario.says(table, name) for table in tables for name in table}
