"""Figures of capacity: how full groups are, and which of their sessions do not take place."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from iopsim.report.figures.many import BARS, foremost, name_rows
from iopsim.report.style import (
    BLUE,
    GRAY,
    HATCHED,
    INK,
    PALE,
    SKY,
    VERMILLION,
    Drawing,
    fitted,
    measure,
    sheet,
    trimmed,
)
from iopsim.scenario.parts import WEEKDAYS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

    from iopsim.report.tables import Floats, Results

__all__ = ["Fate", "fill", "plot_fill", "plot_sessions", "sessions"]

# Fill by group and weekday

_MOST = 12  # groups with a panel of their own


def fill(results: Results) -> list[Drawing]:
    """Seats taken and attended as shares of seats, a panel for each group of the program's own levels."""
    groups = [
        (group.label or name.replace("_", " "), by_day)
        for level in results.own_levels
        for name, group in results.scenario.levels[level].groups.items()
        if (by_day := _by_weekday(results, name))
    ]
    if not groups:
        return []
    each = [
        f"{_percent(share)} ({label})" for share, label in sorted((_overall(days), at) for at, days in groups)
    ]
    title = f"Seats attended: {f'from {each[0]} to {each[-1]}' if len(each) > 1 else each[0]}"
    groups, left_out = foremost(
        groups, _MOST, lambda group: -_overall(group[1]), "groups least attended; all stand in summary.csv"
    )
    note = f"Over the sessions held in the measured weeks.{left_out}"
    abreast = {1: 4, 2: 4, 3: 4, 4: 3, 5: 3}.get(max(len(by_day) for _, by_day in groups), 2)
    rows = math.ceil(len(groups) / abreast)
    columns = math.ceil(len(groups) / rows)  # rows of nearly one length
    titles = ["\n".join(fitted(label, 7 / columns - 0.2, 11, "bold", 3)) for label, _ in groups]
    figure = sheet(
        title, note, (2.6 + 0.2 * max(text.count("\n") + 1 for text in titles)) * rows, _fill_marks()
    )
    panels = figure.subplots(rows, columns, sharey=True, squeeze=False)
    for axes, text, (_, by_day) in zip(panels.flat, titles, groups, strict=False):
        plot_fill(axes, by_day)
        axes.set_title(text)
    for axes in panels.flat[len(groups) :]:
        axes.set_visible(False)
    for axes in panels[:, 0]:
        measure(axes.yaxis, "Share of seats", "share")
    alt = f"Bars of seats attended and taken by group and weekday; attended of all seats: {', '.join(each)}."
    return [Drawing("fill-by-group-and-weekday", title, alt, figure)]


def _fill_marks() -> list[tuple[Artist, str]]:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    return [
        (Patch(facecolor=BLUE), "attended"),
        (Patch(**HATCHED), "taken, absent members too"),
        (Line2D([], [], color=VERMILLION, linestyle="--"), "every seat"),
    ]


def _by_weekday(results: Results, group: str) -> dict[str, Floats]:
    profiles = {day: results.profiles.get(f"fill.{group}.{day}") for day in WEEKDAYS}
    return {day: counts for day, counts in profiles.items() if counts is not None and counts[2]}


def _overall(by_day: Mapping[str, Floats]) -> float:
    attended, _, seats = np.sum(list(by_day.values()), axis=0)
    return float(attended / seats)


def plot_fill(axes: Axes, by_day: Mapping[str, Floats]) -> Axes:
    """Bars by weekday: attended, and seats taken (hatched).

    Args:
        axes: Where to draw.
        by_day: Attended, seats taken and seats, by weekday.
    """
    places = np.arange(len(by_day))
    attended, taken, seats = np.array(list(by_day.values())).T
    bars = axes.bar(places - 0.19, attended / seats, width=0.38, color=BLUE)
    axes.bar(places + 0.19, taken / seats, width=0.38, **HATCHED)
    said = [_percent(share) if share > 0.25 else "" for share in attended / seats]
    axes.bar_label(bars, said, rotation=90, color="white", size=9.5, padding=-36)
    axes.axhline(1, color=VERMILLION, linestyle="--", linewidth=1.5)
    axes.set_xticks(places, [day.capitalize() for day in by_day])
    axes.tick_params(axis="x", length=0)
    axes.set_xlabel("Weekday")
    axes.set_ylim(0, max(1.06, 1.06 * float((taken / seats).max())))
    return axes


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


# Sessions that do not take place, or not as planned


class Fate(NamedTuple):
    """What may become of a session: the metric's name after that of the group, the words, and how it looks."""

    metric: str
    words: str
    look: Mapping[str, Any]


_FATES = (
    Fate("cancelled_sessions.closed", "cancelled (day closed)", {"facecolor": PALE, "edgecolor": GRAY}),
    Fate(
        "cancelled_sessions.below_minimum",
        "cancelled (too few enrolled)",
        {"facecolor": SKY, "edgecolor": BLUE},
    ),
    Fate(
        "cancelled_sessions.unstaffed",
        "cancelled (no facilitator)",
        {"facecolor": VERMILLION, "edgecolor": INK},
    ),
    Fate("merged_sessions", "merged with another group", HATCHED),
)


def sessions(results: Results) -> list[Drawing]:
    """Sessions that did not take place or joined another group's, by cause; none if only closed days took any."""
    groups = {
        name: group.label or name.replace("_", " ")
        for level in results.own_levels
        for name, group in results.scenario.levels[level].groups.items()
    }
    counts = [(fate, np.array([_total(results, name, fate.metric) for name in groups])) for fate in _FATES]
    if not any(count.any() for _, count in counts[1:]):
        return []
    from matplotlib.patches import Patch

    counts = [(fate, count) for fate, count in counts if count.any()]
    lost = np.sum([count for _, count in counts], axis=0)
    shown, left_out = foremost(
        range(len(groups)), BARS, lost.__getitem__, "groups that lack most sessions; all stand in summary.csv"
    )
    said = [f"{trimmed(float(count.sum()))} {fate.words}" for fate, count in counts]
    title = f"Sessions in {results.scenario.run.weeks} weeks: {', '.join(said)}"
    legend: list[tuple[Artist, str]] = [(Patch(**fate.look), fate.words) for fate, _ in counts]
    figure = sheet(title, f"Mean of all replications.{left_out}", 0.42 * len(shown) + 0.6, legend)
    names = [*groups.values()]
    plot_sessions(
        figure.subplots(), [names[at] for at in shown], [(fate, count[shown]) for fate, count in counts]
    )
    return [
        Drawing("sessions-by-cause", title, f"Bars by group of sessions; {', '.join(said)} in all.", figure)
    ]


def _total(results: Results, group: str, metric: str) -> float:
    found = results.summary.get(f"group.{group}.{metric}.total")
    return found.estimate if found else 0.0


def plot_sessions(axes: Axes, groups: Sequence[str], counts: Sequence[tuple[Fate, Floats]]) -> Axes:
    """A bar for each group, with a part for each cause that took any of its sessions."""
    places, start = np.arange(len(groups)), np.zeros(len(groups))
    for fate, count in counts:
        some = count > 0  # or the edge of a bar without width shows
        axes.barh(places[some], count[some], left=start[some], height=0.6, **fate.look)
        start = start + count
    for place, end in zip(places, start, strict=True):
        axes.annotate(
            trimmed(float(end)), (end, place), (6, 0), textcoords="offset points", va="center", size=10
        )
    name_rows(axes, groups, 2)
    axes.set_xlim(0, 1.12 * start.max() or 1)
    measure(axes.xaxis, "Sessions in the measured weeks", "sessions")
    return axes
