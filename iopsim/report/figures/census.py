"""The figure of waitlist and census over time."""

from __future__ import annotations

import datetime as dt
import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from iopsim.experiment.statistics import FEWEST_YEARS
from iopsim.measures.planned import planned_at, spells_of
from iopsim.measures.possible import places
from iopsim.report.figures.many import PANELS, foremost, titled, waiting
from iopsim.report.style import (
    BLUE,
    GRAY,
    INK,
    ORANGE,
    PALE,
    PRECISION,
    VERMILLION,
    YEARS,
    Drawing,
    in_a_sentence,
    measure,
    sheet,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from iopsim.report.tables import Floats, Results, Weekly
    from iopsim.scenario.schema import Run, Scenario

__all__ = [
    "band_marks",
    "changes_marked",
    "date_marks",
    "dated",
    "not_measured",
    "over_time",
    "plot_weekly",
    "shaded",
    "week_label",
    "years_left_blank",
]


def over_time(results: Results) -> list[Drawing]:
    """Waitlist (where anybody ever waits) and census of the program's own levels, week by week."""
    chosen, left_out = foremost(
        results.own_levels,
        PANELS,
        lambda level: waiting(results, level),
        "levels where most wait; all stand in weekly.csv.gz",
    )
    panels = [
        (level, kind, series)
        for level in chosen
        for kind in ("waitlist", "census")
        if (series := results.weekly.get(f"{level}.{kind}"))
        and (kind == "census" or np.nanmax(series.mean, initial=0) > 0)
    ]
    if not panels:
        return []
    run, several = results.scenario.run, len(results.own_levels) > 1
    said = [_in_the_window(results, level) for level in chosen]
    title = "Waiting and in care, week by week" if several else said[0]
    number = results.replications
    weekly = f"Weekly means of {number} replications" if number > 1 else "One replication"
    note = f"{weekly}; {not_measured(run)}.{years_left_blank([one for *_, one in panels])}{left_out}"
    legend = [*band_marks([one for *_, one in panels]), *date_marks(results.scenario)]
    places = _beside(panels) if len(chosen) > _STACKED else [(row, 0) for row in range(len(panels))]
    rows, columns = (1 + max(at) for at in zip(*places, strict=True))
    height = 1.75 if columns > 1 else 2.5 if several else 2.3
    figure = sheet(title, note, height * rows + 0.3 * (columns > 1), legend)
    grid = figure.subplots(rows, columns, sharex=True, squeeze=False)
    for axes in grid.flat:
        axes.set_visible(False)
    for place, (level, kind, series) in zip(places, panels, strict=True):
        axes = grid[place]
        axes.set_visible(True)
        plot_weekly(axes, series, *_WEEKLY[kind])
        if kind == "census":
            _draw_rooms(axes, series.start, _rooms(results, level))
        shaded(axes, run, named=place[0] == 0)
        changes_marked(axes, results.scenario, named=place[0] == 0)
        titled(axes, results.level(level) if several else "")
    for column in range(columns):
        grid[max(row for row, at in places if at == column), column].tick_params(labelbottom=True)
        grid[max(row for row, at in places if at == column), column].set_xlabel(week_label(results.scenario))
    alt = f"Lines by week from {_day(run.opening)} to {_day(run.end)}; in the measured weeks: {'; '.join(said)}."
    return [Drawing("waitlist-and-census", title, alt, figure)]


_STACKED = 2  # levels whose panels stand one below the other; of more, waiting and in care stand side by side


def _beside(panels: Sequence[tuple[str, str, Weekly]]) -> list[tuple[int, int]]:
    """Row and column of each panel: a row for each level, waiting on the left, in care on the right."""
    rows = list(dict.fromkeys(level for level, *_ in panels))
    kinds = list(dict.fromkeys(kind for _, kind, _ in panels))
    return [(rows.index(level), kinds.index(kind)) for level, kind, _ in panels]


_WEEKLY = {"waitlist": ("Waiting", ORANGE), "census": ("In care", BLUE)}


def plot_weekly(axes: Axes, series: Weekly, what: str, color: str, unit: str = "patients") -> Axes:
    """Mean of the replications by week, with the band of its precision in the band of the years."""
    middle = series.start.astype("datetime64[h]") + np.timedelta64(84, "h")
    axes.fill_between(middle, series.p10, series.p90, color=color, alpha=0.3, linewidth=0)
    axes.fill_between(middle, series.low, series.high, color=color, alpha=0.55, linewidth=0)
    axes.plot(middle, series.mean, color=INK, linewidth=1.3)
    axes.set_xlim(series.start[0], series.start[-1] + 7)
    top = np.nanmax([series.p90, series.high, series.mean], initial=0)
    axes.set_ylim(0, 1.2 * top or 1)
    dated(axes)
    measure(axes.yaxis, what, unit)
    return axes


def dated(axes: Axes) -> None:
    """Months below the axis, and the year where it begins and in its January."""
    from matplotlib.dates import AutoDateLocator

    def said(days: float, position: float) -> str:
        date = dt.date(1970, 1, 1) + dt.timedelta(days)
        month = f"{date:%b}" if date.day == 1 else f"{date:%b} {date.day}"
        return f"{month}\n{date.year}" if position == 0 or (date.month, date.day) == (1, 1) else month

    most = 10 if _columns(axes) == 1 else 5
    axes.xaxis.set_major_locator(AutoDateLocator(minticks=3, maxticks=most))  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_formatter(said)


def not_measured(run: Run) -> str:
    """What is shaded."""
    shaded = (
        "warm-up and run-out are shaded: they are" if run.warm_up_weeks else "the run-out is shaded: it is"
    )
    return f"{shaded} not measured"


def _columns(axes: Axes) -> int:
    """How many panels stand side by side."""
    place = axes.get_subplotspec()
    return place.get_gridspec().ncols if place else 1


def week_label(scenario: Scenario) -> str:
    """What stands below an axis of weeks, with the day of today where a run begins from it."""
    begun = scenario.from_today
    return f"Week (date) from today, {_day(begun.as_of)}, on" if begun else "Week (date)"


def band_marks(shown: Sequence[Weekly]) -> list[tuple[Artist, str]]:
    """What the line and the bands mean; a band without width is none."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    marks: list[tuple[Artist, str]] = [(Line2D([], [], color=INK, linewidth=1.3), "mean")]
    if any((series.low < series.high).any() for series in shown):
        marks.append((Patch(color=GRAY, alpha=0.6, linewidth=0), PRECISION))
    if any((series.p10 < series.p90).any() for series in shown):
        marks.append((Patch(color=GRAY, alpha=0.32, linewidth=0), YEARS))
    return marks


def years_left_blank(shown: Sequence[Weekly]) -> str:
    """Why there is no band of the years, where replications are too few for it."""
    is_blank = any(np.isnan(series.p10).any() for series in shown)
    return f" Range of years left blank: takes {FEWEST_YEARS} replications." if is_blank else ""


def shaded(axes: Axes, run: Run, *, named: bool) -> None:
    """Gray out what is not measured, and say what it is where that has room."""
    weeks = np.cumsum([0, run.warm_up_weeks, run.weeks, run.run_out_weeks])
    edges = np.datetime64(run.opening) + 7 * weeks
    for name, start, end in zip(("warm-up", "measured", "run-out"), edges, edges[1:], strict=False):
        if name != "measured":
            axes.axvspan(start, end, color=PALE, linewidth=0, zorder=0)
        if named and (end - start) / (edges[-1] - edges[0]) > 0.12:
            place = start + (end - start) / 2, 0.985
            look: dict[str, Any] = {"ha": "center", "va": "top", "size": 9, "color": GRAY, "zorder": 4}
            look["bbox"] = {"pad": 0.5, "linewidth": 0, "facecolor": "white" if name == "measured" else PALE}
            axes.text(*place, name, transform=axes.get_xaxis_transform(), **look)


def changes_marked(axes: Axes, scenario: Scenario, *, named: bool) -> None:
    """A thin line at every date from which the plan is another, within what is shown; its date beside it."""
    from matplotlib.dates import date2num

    left, right = axes.get_xlim()
    near = 0.025 * _columns(axes) * (right - left)
    look: dict[str, Any] = {"size": 8, "color": INK, "rotation": 90, "ha": "right", "va": "top", "zorder": 4}
    before, height = -math.inf, _HEIGHTS[0]
    for date in _dates(scenario):
        place = float(date2num(date))  # type: ignore[no-untyped-call]
        if left < place < right:
            axes.axvline(place, **_CHANGE)
            if named:
                follows = place - before < near
                height = _HEIGHTS[(_HEIGHTS.index(height) + 1) % len(_HEIGHTS)] if follows else _HEIGHTS[0]
                words = f"{date:%b} {date.day}"
                axes.annotate(
                    words,
                    (place, height),
                    (-2, 0),
                    xycoords=axes.get_xaxis_transform(),
                    textcoords="offset points",
                    **look,
                )
                before = place


_CHANGE: dict[str, Any] = {"color": INK, "linewidth": 0.8, "linestyle": (0, (1.5, 1.5))}
_HEIGHTS = (0.9, 0.62, 0.34)  # of dates that stand close: one below the other


def date_marks(scenario: Scenario, until: dt.date | None = None) -> list[tuple[Artist, str]]:
    """What the thin lines mean, where the plan changes within what is shown: if not all, `until` a day."""
    from matplotlib.lines import Line2D

    there = any(scenario.run.opening < date < (until or scenario.run.end) for date in _dates(scenario))
    return [(Line2D([], [], **_CHANGE), "the plan changes")] if there else []


def _dates(scenario: Scenario) -> list[dt.date]:
    """Every date from which something is different: changes, and groups that open or have closed."""
    groups = [group for level in scenario.levels.values() for group in level.groups.values()]
    opened = {group.from_ for group in groups if group.from_}
    closed = {group.until + dt.timedelta(days=1) for group in groups if group.until}
    return sorted({change.from_ for change in scenario.changes} | opened | closed)


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
        days |= {level.days_per_week} if level.days_per_week else set()
        if not days or days == {len(group.days) for group in level.groups.values()}:
            rooms.append(_seats(scenario, name, weeks))
    elif not any(places(edition.plan, name) is None for edition in scenario.editions):
        limit = _by_week(scenario, weeks, lambda plan: places(plan, name) or 0)
        rooms.append(Room(limit, f"{limit[0]:,.0f} places"))
    if level.caseload and [other.caseload for other in scenario.levels.values()].count(level.caseload) == 1:
        role, series = scenario.staff[level.caseload], results.weekly.get(f"{level.caseload}.limit")
        most = series.mean if series else np.full(len(weeks), float(role.posts * role.caseload_limit))
        if most.any() and all((most < room.limit).any() for room in rooms):
            span = dict.fromkeys(f"{number:,.0f}" for number in (most.min(), most.max()))
            words = f"{' to '.join(span)} in {in_a_sentence(results.role(level.caseload))} caseloads"
            rooms.append(Room(most, words))
    return rooms


def _seats(scenario: Scenario, name: str, weeks: NDArray[np.datetime64]) -> Room:
    run, limit = scenario.run, np.zeros(len(weeks))
    for key, group in scenario.levels[name].groups.items():
        first, last = np.datetime64(group.from_ or run.opening) - 6, np.datetime64(group.until or run.end)

        def enrolled_at_most(plan: Scenario, key: str = key) -> float:
            return plan.levels[name].groups[key].enrolled_at_most

        enrolled = _by_week(scenario, weeks, enrolled_at_most)
        limit += np.where((first <= weeks) & (weeks <= last), enrolled, 0)
    groups = [plan.levels[name].groups.values() for _, plan in scenario.editions]
    overbooked = any(group.overbook > 1 for level in groups for group in level)
    return Room(limit, f"{limit[0]:,.0f} {'enrolled at most' if overbooked else 'seats'}")


def _by_week(
    scenario: Scenario, weeks: NDArray[np.datetime64], quantity: Callable[[Scenario], float]
) -> Floats:
    """What the plan says at the end of each week; shape (weeks,)."""
    days = (weeks - np.datetime64(scenario.run.start)).astype(np.float64) + 6
    found: Floats = planned_at(spells_of(scenario), days, quantity).astype(np.float64)
    return found


def _draw_rooms(axes: Axes, weeks: NDArray[np.datetime64], rooms: Sequence[Room]) -> None:
    """Dashed lines with their words at the first week; at the last one where other words stand there already."""
    axes.set_ylim(0, max([axes.get_ylim()[1], *(1.25 * room.limit.max() for room in rooms)]))
    near = 0.1 * axes.get_ylim()[1]
    look: dict[str, Any] = {"textcoords": "offset points", "va": "bottom", "size": 10, "color": VERMILLION}
    look["xycoords"] = axes.get_yaxis_transform()
    taken: list[float] = [0.0]
    for limit, words in rooms:
        axes.step(weeks, limit, where="post", color=VERMILLION, linestyle="--", linewidth=1.5)
        if all(abs(limit[0] - height) > near for height in taken[1:]):
            axes.annotate(words, (0, limit[0]), (5, 3), **look)
            if limit[-1] != limit[0]:
                axes.annotate(f"{limit[-1]:,.0f}", (1, limit[-1]), (-5, 3), ha="right", **look)
        else:
            axes.annotate(words, (1, max(limit[-1], *taken)), (-5, 3), ha="right", **look)
        taken.append(limit[0])


def _in_the_window(results: Results, level: str) -> str:
    kinds = {"waiting": f"{level}.waitlist.mean", "in care": f"{level}.census.mean"}
    said = [
        f"{results.summary[name].estimate:.1f} {words}"
        for words, name in kinds.items()
        if name in results.summary
    ]
    return f"{results.level(level)}: {' and '.join(said)} on average" if said else results.level(level)


def _day(day: dt.date) -> str:
    return f"{day:%B} {day.day}, {day.year}"
