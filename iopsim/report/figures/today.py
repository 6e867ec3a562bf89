"""Figures of a run from today: what each week brings, when lists are short, and when those on them start."""

from __future__ import annotations

import datetime as dt
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np

from iopsim.experiment.statistics import FEWEST_YEARS
from iopsim.report.figures.census import (
    band_marks,
    changes_marked,
    date_marks,
    dated,
    plot_weekly,
    shaded,
    week_label,
    years_left_blank,
)
from iopsim.report.figures.many import PANELS, foremost, stacked, titled, waiting
from iopsim.report.style import (
    BLUE,
    GREEN,
    INK,
    ORANGE,
    SKY,
    Drawing,
    in_a_sentence,
    listed,
    measure,
    sheet,
    trimmed,
)
from iopsim.report.wording import series_unit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

    from iopsim.report.tables import Results, Start, Under

__all__ = ["flow", "plot_starts", "plot_under", "starts", "under"]

_MOST = 40  # people with a line of their own; longer lists are drawn thinner, without their places


# What each week brings


def flow(results: Results) -> list[Drawing]:
    """Starts of care in each week, and what the weeks earn: where the run began from today."""
    if results.scenario.from_today is None:
        return []
    chosen, left_out = foremost(
        results.own_levels,
        PANELS - 1,
        lambda level: waiting(results, level),
        "levels where most wait; all stand in weekly.csv.gz",
    )
    panels = [(f"Starts: {results.level(level)}", "Starts", f"{level}.starts", GREEN) for level in chosen]
    panels.append(("Revenue", "Revenue", "program.revenue", BLUE))
    shown = [
        (title, what, series, color, series_unit(name, results.scenario.currency))
        for title, what, name, color in panels
        if (series := results.weekly.get(name)) and np.nanmax(series.mean, initial=0) > 0
    ]
    if not shown:
        return []
    run, words = results.scenario.run, listed([in_a_sentence(title) for title, *_ in shown])
    blank = years_left_blank([one[2] for one in shown])
    title = "From today: starts of care and revenue, week by week"
    number = results.replications
    note = f"Weekly sums, means of {number} replications; the run-out is shaded.{blank}{left_out}"
    rows, columns = stacked(len(shown))
    legend = [*band_marks([one[2] for one in shown]), *date_marks(results.scenario)]
    figure = sheet(title, note, 2.3 * rows, legend)
    axes_of = figure.subplots(rows, columns, sharex=True, squeeze=False).flatten()
    for place, (axes, (heading, what, series, color, unit)) in enumerate(zip(axes_of, shown, strict=False)):
        plot_weekly(axes, series, what, color, unit)
        shaded(axes, run, named=place < columns)
        changes_marked(axes, results.scenario, named=place < columns)
        titled(axes, heading)
        if place >= len(shown) - columns:
            axes.tick_params(labelbottom=True)
            axes.set_xlabel(week_label(results.scenario))
    for axes in axes_of[len(shown) :]:
        axes.set_visible(False)
    alt = f"Lines by week from {run.opening} to {run.end}: {words}."
    return [Drawing("starts-and-revenue", title, alt, figure)]


# The first week in which a list is short


def under(results: Results) -> list[Drawing]:
    """From which week on each list stays under its number: a panel for each level that has one."""
    every = [(level, list(weeks)) for level, weeks in groupby(results.under, lambda week: week.level)]
    if not every:
        return []
    by_level, left_out = foremost(
        every,
        PANELS,
        lambda one: waiting(results, one[0]),
        "levels where most wait; all stand in weeks_until_under.csv",
    )
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    said = [_reached(results, level, weeks) for level, weeks in by_level]
    title = said[0] if len(said) == 1 else "From when on lists are short"
    note = f"The first week from which the list stays under the number for four weeks, by simulated year.{left_out}"
    legend: list[tuple[Artist, str]] = [
        (Patch(facecolor=SKY, edgecolor=BLUE), "first in that week (left)"),
        (Line2D([], [], color=INK), "by that week (right)"),
        *date_marks(results.scenario),
    ]
    figure = sheet(title, note, (2.9 if len(by_level) < 4 else 2.0) * len(by_level), legend)
    panels = figure.subplots(len(by_level), sharex=True, squeeze=False)[:, 0]
    for axes, (level, weeks) in zip(panels, by_level, strict=True):
        plot_under(axes, weeks)
        titled(axes, results.level(level) if len(by_level) > 1 else "")
        changes_marked(axes, results.scenario, named=axes is panels[0])
    panels[-1].set_xlabel(week_label(results.scenario))
    alt = f"Bars of the share of years by week, and a line of the share by then; {'; '.join(said)}."
    return [Drawing("weeks-until-under", title, alt, figure)]


def _reached(results: Results, level: str, weeks: Sequence[Under]) -> str:
    last = weeks[-1]
    name = f"{results.level(level)}: the list stays under {last.under}"
    enough = results.replications >= FEWEST_YEARS
    half = next((one.week for one in weeks if one.by_then >= 0.5), None) if enough else None
    return (
        f"{name} from the week of {_day(half)} on in half of the years"
        if half
        else f"{name} in {trimmed(last.by_then, 'share')} of the years, as far as is simulated"
    )


def plot_under(axes: Axes, weeks: Sequence[Under]) -> Axes:
    """Bars of the share of years in which a week is the first, and a line of the share by then."""
    start = np.array([one.week for one in weeks], "datetime64[D]")
    shares = np.array([one.share for one in weeks])
    axes.bar(start, shares, width=6, align="edge", facecolor=SKY, edgecolor=BLUE, linewidth=0.6)
    axes.set_ylim(0, 1.25 * float(shares.max()) or 1)
    measure(axes.yaxis, "Share of years, first week", "share")
    right = axes.twinx()
    right.grid(visible=False)
    right.spines["right"].set_visible(True)
    right.step(start, [one.by_then for one in weeks], where="post", color=INK)
    right.set_ylim(0, 1.05)
    measure(right.yaxis, "Share of years by then", "share")
    right.set_yticks(np.linspace(0, 1, 6))
    axes.set_xlim(start[0], start[-1] + 7)
    dated(axes)
    return axes


# When each person starts


def starts(results: Results) -> list[Drawing]:
    """When those start who are on a list today, by place in line: one figure for each list, if years are enough."""
    from matplotlib.lines import Line2D

    if results.replications < FEWEST_YEARS:
        return []
    drawn = []
    legend: list[tuple[Artist, str]] = [
        (
            Line2D([], [], color=INK, marker="o", linestyle="", markersize=5),
            "started in half of the years (median)",
        ),
        (Line2D([], [], color=SKY, linewidth=4), "range of years (10–90 % of replications)"),
        (
            Line2D([], [], color=ORANGE, marker=">", linestyle=""),
            "later or never in more than one year of ten",
        ),
    ]
    for level, group in groupby(results.starts, lambda start: start.level):
        people = list(group)
        title = f"{results.level(level)}: when the {len(people)} on the list today start care"
        begun, lost = (
            float(np.mean([getattr(one, what) for one in people])) for what in ("started", "gave_up")
        )
        said = f"{trimmed(begun, 'share')} start as far as is simulated, {trimmed(lost, 'share')} give up or are lost"
        today = _day(results.scenario.run.start)
        note = f"Today is {today}. Place in line by date of joining. On average {said}."
        run = results.scenario.run
        end = _shown_until(people, run.start, run.end)
        marks = [*legend, *date_marks(results.scenario, end)]
        figure = sheet(title, note, min(6.5, 0.9 + 0.2 * len(people)), marks)
        axes = figure.subplots()
        plot_starts(axes, people, run.start, end)
        changes_marked(axes, results.scenario, named=True)
        alt = f"Dots with ranges by place in line, dates from {run.start} on; on average {said}."
        drawn.append(Drawing(f"starts-of-the-list-{level}", title, alt, figure))
    return drawn


def _shown_until(people: Sequence[Start], first: dt.date, last: dt.date) -> dt.date:
    """The latest of their dates and an eighth of the time more, or at least a week: as far as is simulated."""
    latest = max([first, *(day for one in people for day in (one.p10, one.median, one.p90) if day)])
    return min(last, latest + dt.timedelta(days=max(7, (latest - first).days // 8)))


def plot_starts(axes: Axes, people: Sequence[Start], first: dt.date, end: dt.date) -> Axes:
    """A dot for each person at the median date, over a line from the 10 % to the 90 % date.

    Args:
        axes: Where to draw.
        people: In order of their places.
        first: The day on which they wait.
        end: The last day that is shown: lines of those who have not started by then in all years run up to it.
    """
    thick = 4 if len(people) <= _MOST else max(0.8, 160 / len(people))
    for one in people:
        if one.p10:
            axes.hlines(one.place, one.p10, one.p90 or end, color=SKY, linewidth=thick)  # type: ignore[arg-type]
        if one.p90 is None:
            axes.plot(end, one.place, ">", color=ORANGE, markersize=min(6, thick + 2), clip_on=False)  # type: ignore[arg-type]
        if one.median:
            axes.plot(one.median, one.place, "o", color=INK, markersize=min(5, thick + 1))  # type: ignore[arg-type]
    axes.set_xlim(first - dt.timedelta(days=1), end)  # type: ignore[arg-type]
    axes.set_ylim(people[-1].place + 0.7, people[0].place - 0.7)
    axes.grid(visible=True, axis="x")
    axes.grid(visible=False, axis="y")
    dated(axes)
    measure(axes.yaxis, "Place in line (number)", "number")
    axes.set_xlabel("Start of care (date)")
    return axes


def _day(day: dt.date) -> str:
    return f"{day:%B} {day.day}, {day.year}"
