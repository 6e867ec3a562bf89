"""Figures of patients: who waits and who is in care, how long the wait is, and how far people come."""

from __future__ import annotations

import datetime as dt
import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from iopsim.experiment.summary import goals
from iopsim.report.style import (
    BLUE,
    GRAY,
    INK,
    ORANGE,
    PALE,
    PRECISION,
    SKY,
    VERMILLION,
    YEARS,
    Drawing,
    in_a_sentence,
    measure,
    sheet,
    wrapped,
)
from iopsim.report.wording import number_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from iopsim.experiment.summary import Goal
    from iopsim.report.tables import Floats, Results, Weekly
    from iopsim.scenario.levels import Level
    from iopsim.scenario.schema import Run

__all__ = ["funnel", "over_time", "plot_funnel", "plot_waits", "plot_weekly", "waits"]

# Waitlist and census over time


def over_time(results: Results) -> list[Drawing]:
    """Waitlist (where anybody ever waits) and census of the program's own levels, week by week."""
    own = results.own_levels
    panels = [
        (level, kind)
        for level in own
        for kind in ("waitlist", "census")
        if (series := results.weekly.get(f"{level}.{kind}")) is not None
        and (kind == "census" or np.nanmax(series.mean, initial=0) > 0)
    ]
    if not panels:
        return []
    run = results.scenario.run
    legend = _band_marks(any(_known(results.weekly[f"{level}.{kind}"].low) for level, kind in panels))
    note = f"Weekly means of {run.replications} replications; warm-up and run-out are shaded: they are not measured."
    said = [_in_the_window(results, level) for level in own]
    title = said[0] if len(own) == 1 else "Waiting and in care, week by week"
    figure = sheet(title, note, 2.3 * len(panels), legend)
    for axes, (level, kind) in zip(
        figure.subplots(len(panels), sharex=True, squeeze=False)[:, 0], panels, strict=True
    ):
        _shade(axes, run)
        plot_weekly(axes, results.weekly[f"{level}.{kind}"], *_WEEKLY[kind])
        if kind == "census":
            for room in _rooms(results, level):
                _draw_room(axes, results.weekly[f"{level}.census"].start, room)
        if len(own) > 1:
            axes.set_title(results.level(level))
    figure.axes[-1].set_xlabel("Week (date)")
    alt = f"Lines by week from {_day(run.opening)} to {_day(run.end)}; in the measured weeks: {'; '.join(said)}."
    return [Drawing("waitlist-and-census", title, alt, figure)]


_WEEKLY = {"waitlist": ("Waiting", ORANGE), "census": ("In care", BLUE)}


def plot_weekly(axes: Axes, series: Weekly, what: str, color: str) -> Axes:
    """Mean of the replications by week, with the band of its precision in the band of the years."""
    middle = series.start.astype("datetime64[h]") + np.timedelta64(84, "h")
    axes.fill_between(middle, series.p10, series.p90, color=color, alpha=0.22, linewidth=0)
    axes.fill_between(middle, series.low, series.high, color=color, alpha=0.5, linewidth=0)
    axes.plot(middle, series.mean, color=INK, linewidth=1.3)
    axes.set_xlim(middle[0], middle[-1])
    top = np.nanmax([series.p90, series.high, series.mean], initial=0)
    axes.set_ylim(0, 1.2 * top or 1)
    _date(axes)
    measure(axes.yaxis, what, "patients")
    return axes


def _date(axes: Axes) -> None:
    """Months below the axis, and the year where it begins and in its January."""
    from matplotlib.dates import AutoDateLocator

    def said(days: float, position: float) -> str:
        date = dt.date(1970, 1, 1) + dt.timedelta(days)
        month = f"{date:%b}" if date.day == 1 else f"{date:%b} {date.day}"
        return f"{month}\n{date.year}" if position == 0 or (date.month, date.day) == (1, 1) else month

    axes.xaxis.set_major_locator(AutoDateLocator(minticks=4, maxticks=10))  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_formatter(said)


def _band_marks(precision: bool) -> list[tuple[Artist, str]]:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    bands: list[tuple[Artist, str]] = [(Line2D([], [], color=INK, linewidth=1.3), "mean")]
    if precision:
        bands.append((Patch(color=GRAY, alpha=0.6, linewidth=0), PRECISION))
    return [*bands, (Patch(color=GRAY, alpha=0.25, linewidth=0), YEARS)]


def _shade(axes: Axes, run: Run) -> None:
    """Gray out what is not measured."""
    weeks = np.cumsum([0, run.warm_up_weeks, run.weeks, run.run_out_weeks])
    edges = np.datetime64(run.opening) + 7 * weeks
    names = ("warm-up", "measured", "run-out")
    for name, start, end in zip(names, edges, edges[1:], strict=False):
        if name != "measured":
            axes.axvspan(start, end, color=PALE, linewidth=0, zorder=0)
        if (end - start) / (edges[-1] - edges[0]) > 0.12:
            middle = start + (end - start) / 2
            axes.text(
                middle,
                0.985,
                name,
                transform=axes.get_xaxis_transform(),
                ha="center",
                va="top",
                size=9,
                color=GRAY,
            )


class Room(NamedTuple):
    """Most patients in care in each week, shape (weeks,), and what sets it."""

    limit: Floats
    words: str


def _rooms(results: Results, name: str) -> list[Room]:
    """What limits a level's census: places or seats, and caseloads where they are fewer.

    Seats fix a number only if everybody comes on all days of the group; elsewhere patients share a seat.
    """
    scenario = results.scenario
    level, weeks = scenario.levels[name], results.weekly[f"{name}.census"].start
    rooms = []
    if level.groups:
        cares = (*level.by.track.values(), *level.by.source.values())
        plans = [level.phases, *(care.phases for care in cares)]
        days = {phase.days_per_week for phases in plans for phase in phases or ()}
        if not days or days == {len(group.days) for group in level.groups.values()}:
            rooms.append(_seats(level, weeks, scenario.run))
    elif not isinstance(level.places, str):
        places = level.places if isinstance(level.places, int) else sum(level.places.values())
        rooms.append(Room(np.full(len(weeks), float(places)), f"{places:,} places"))
    if level.caseload and [other.caseload for other in scenario.levels.values()].count(level.caseload) == 1:
        role = scenario.staff[level.caseload]
        most = role.posts * role.caseload_limit
        if most and all(most < room.limit.max() for room in rooms):
            words = f"{most:,} in {in_a_sentence(results.role(level.caseload))} caseloads"
            rooms.append(Room(np.full(len(weeks), float(most)), words))
    return rooms


def _seats(level: Level, weeks: NDArray[np.datetime64], run: Run) -> Room:
    limit = np.zeros(len(weeks))
    for group in level.groups.values():
        first, last = np.datetime64(group.from_ or run.opening) - 6, np.datetime64(group.until or run.end)
        limit += np.where((first <= weeks) & (weeks <= last), group.enrolled_at_most, 0)
    overbooked = any(group.overbook > 1 for group in level.groups.values())
    return Room(limit, f"{_number(limit[0])} {'enrolled at most' if overbooked else 'seats'}")


def _draw_room(axes: Axes, weeks: NDArray[np.datetime64], room: Room) -> None:
    axes.step(weeks, room.limit, where="post", color=VERMILLION, linestyle="--", linewidth=1.5)
    axes.set_ylim(0, max(axes.get_ylim()[1], 1.25 * room.limit.max()))
    axes.annotate(
        room.words, (0, room.limit[0]), (5, 3), xycoords=axes.get_yaxis_transform(),
        textcoords="offset points", va="bottom", size=10, color=VERMILLION,
    )  # fmt: skip


def _in_the_window(results: Results, level: str) -> str:
    kinds = {"waiting": f"{level}.waitlist.mean", "in care": f"{level}.census.mean"}
    said = [
        f"{results.summary[name].estimate:.1f} {words}"
        for words, name in kinds.items()
        if name in results.summary
    ]
    return f"{results.level(level)}: {' and '.join(said)} on average" if said else results.level(level)


# Wait distribution


def waits(results: Results) -> list[Drawing]:
    """One figure for each of the program's own levels that people wait for."""
    return [
        _wait(results, level)
        for level in results.own_levels
        if results.profiles.get(f"waits.{level}", np.zeros(1))[1:].any()
    ]


class Mark(NamedTuple):
    """A percentile of the wait: days, the share of starters who wait no longer, and the words for it."""

    days: float
    share: float
    words: str


def _wait(results: Results, level: str) -> Drawing:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    stem = f"{level}.wait_days"
    asked = {name: goal for name, goal in goals(results.scenario.targets).items() if name.startswith(stem)}
    shares = (("p50", 0.5, "half start"), ("p90", 0.9, "nine in ten"))
    marks = [
        Mark(found.estimate, share, f"{words} {_within(found.estimate)}")
        for statistic, share, words in shares
        if (found := results.summary.get(f"{stem}.{statistic}")) and not math.isnan(found.estimate)
    ]
    legend: list[tuple[Artist, str]] = [
        (Patch(facecolor=SKY, edgecolor=BLUE), "started on that day (left)"),
        (Line2D([], [], color=INK), "started by that day (right)"),
    ]
    legend += [
        (Line2D([], [], color=VERMILLION, linestyle="--"), _wish(name.removeprefix(f"{stem}."), goal))
        for name, goal in asked.items()
    ]
    said = ", ".join(mark.words for mark in marks) or "days waited until the start of care"
    title = f"{results.level(level)}: {said.replace(' days,', ',')}"
    note = f"Those who joined in the measured weeks and started care. {_others(results, level)}"
    figure = sheet(title, note, 3.6, legend)
    limits = [limit for goal in asked.values() for limit in (goal.low, goal.high) if math.isfinite(limit)]
    plot_waits(figure.subplots(), results.profiles[f"waits.{level}"], marks, limits)
    alt = (
        f"Bars show the share of starters of {results.level(level)} by days waited, a line the share who had "
        f"started by then: {said}; {'; '.join(text for _, text in legend[2:]) or 'no target is set'}."
    )
    return Drawing(f"wait-distribution-{level}", title, alt, figure)


def plot_waits(axes: Axes, counts: Floats, marks: Sequence[Mark] = (), limits: Sequence[float] = ()) -> Axes:
    """Histogram of whole days waited, and on the right how many had started by then.

    Args:
        axes: Where to draw.
        counts: Who started after 0, 1, 2 … whole days.
        marks: Percentiles to mark.
        limits: Days that targets set.
    """
    started = np.cumsum(counts) / counts.sum()
    # A long thin tail would squeeze what matters; what is cut off is told.
    end = math.ceil(max(7, int(np.searchsorted(started, 0.995)) + 1, *(1.15 * day for day in limits)))
    width = 1 if end <= 120 else 7
    shares = np.add.reduceat(counts, np.arange(0, len(counts), width)) / counts.sum()
    axes.bar(
        np.arange(len(shares)) * width,
        shares,
        width=width,
        align="edge",
        color=SKY,
        edgecolor=BLUE,
        linewidth=0.6,
    )
    axes.set_xlim(0, end)
    step = next(
        step for step in (0.002, 0.004, 0.01, 0.02, 0.04, 0.05, 0.1, 0.15, 0.2) if 5 * step >= shares.max()
    )
    axes.set_ylim(0, 5.5 * step)
    measure(axes.yaxis, f"Share of starters, by {'day' if width == 1 else 'week'}", "share")
    axes.set_yticks(np.linspace(0, 5 * step, 6))
    rest = 1 - started[min(end, len(started)) - 1]
    longer = f"; {number_text(rest, 'share')} waited longer than shown" if rest > 0.0005 else ""
    measure(axes.xaxis, f"Wait from joining to the start of care, days{longer}", "days")
    right = axes.twinx()
    right.grid(visible=False)
    right.spines["right"].set_visible(True)
    # Who started on the first day is counted at once: most of them did not wait at all.
    right.plot([0, *range(len(started) + 1)], [0, started[0], *started], color=INK)
    right.set_ylim(0, 1.1)
    measure(right.yaxis, "Share who had started", "share")
    right.set_yticks(np.linspace(0, 1, 6))
    for day in limits:
        right.axvline(day, color=VERMILLION, linestyle="--")
    for mark in marks:
        right.plot(mark.days, mark.share, "o", color=INK, markersize=6, clip_on=False)
        right.annotate(
            mark.words, (mark.days, mark.share), (9, -5), textcoords="offset points", va="top", size=10,
            bbox={"boxstyle": "square,pad=0.15", "facecolor": "white", "edgecolor": "none", "alpha": 0.85},
        )  # fmt: skip
    return axes


_WISH = {"p50": "half", "p90": "nine in ten", "p95": "19 in 20", "mean": "on average"}


def _wish(statistic: str, goal: Goal) -> str:
    return f"target: {_WISH.get(statistic, statistic)} {str(goal).replace('at most', 'within')} days"


def _within(days: float) -> str:
    return f"within {number_text(days, 'days')} days" if days else "at once"


def _others(results: Results, level: str) -> str:
    """Who joined, too, but is in no bar."""
    kinds = {"gave up waiting": "reneged", "were refused": "lost.refused", "were still waiting": "unresolved"}
    said = [
        f"{number_text(found.estimate, 'share')} {words}"
        for words, name in kinds.items()
        if (found := results.summary.get(f"{level}.{name}.share")) and found.estimate > 0
    ]
    return f"Not shown, of those who joined: {', '.join(said)}." if said else ""


# Patient funnel

_STEPS = (("Joined", 0), ("Started care", 2), ("Attended a session", 3), ("Completed", 4))


def funnel(results: Results) -> list[Drawing]:
    """How many of those who join come how far, for the program's own levels."""
    steps = {
        level: [
            (words, results.per_year(float(counts[at])))
            for words, at in _STEPS
            if at != 3 or results.scenario.levels[level].groups
        ]
        for level in results.own_levels
        if (counts := results.profiles.get(f"funnel.{level}")) is not None and counts[0]
    }
    if not steps:
        return []
    said = [
        f"{results.level(level)}: of {_number(rows[0][1])} a year who join, {_number(rows[-1][1])} complete"
        for level, rows in steps.items()
    ]
    title = said[0] if len(said) == 1 else "How far those who join come, per year"
    note = "Those who joined in the measured weeks, followed to the end of the run-out; mean of all replications."
    figure = sheet(title, note, sum(0.5 * len(rows) + 0.7 for rows in steps.values()))
    heights = [len(rows) + 1 for rows in steps.values()]
    panels = figure.subplots(len(steps), squeeze=False, gridspec_kw={"height_ratios": heights})[:, 0]
    for axes, (level, rows) in zip(panels, steps.items(), strict=True):
        plot_funnel(axes, rows)
        if len(steps) > 1:
            axes.set_title(results.level(level))
    alt = f"Bars of patients a year by how far they come; {'; '.join(said)}."
    return [Drawing("patient-funnel", title, alt, figure)]


def plot_funnel(axes: Axes, steps: Sequence[tuple[str, float]]) -> Axes:
    """Bars from the first step down to the last, each with its count and its share of the one above."""
    names, counts = zip(*steps, strict=True)
    places = np.arange(len(steps))
    axes.barh(places, counts, color=BLUE, height=0.72)
    axes.set_yticks(places, [wrapped(name, 20) for name in names])
    axes.invert_yaxis()
    axes.grid(visible=False)
    axes.set_xlim(0, 1.52 * max(counts))
    for place, count in enumerate(counts):
        before = counts[place - 1] if place else 0
        share = f"   {100 * count / before:.0f} % of those above" if before else ""
        axes.annotate(
            f"{_number(count)} a year{share}", (count, place), (6, 0), textcoords="offset points", va="center"
        )
    axes.tick_params(axis="y", length=0)
    measure(axes.xaxis, "Patients a year", "patients a year")
    return axes


def _known(values: Floats) -> bool:
    return bool(np.isfinite(values).any())


def _number(value: float) -> str:
    return f"{value:,.0f}"


def _day(day: dt.date) -> str:
    return f"{day:%B} {day.day}, {day.year}"
