"""Figures of staff: who carries how many patients, which posts are filled, and the hours needed and employed."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from iopsim.measures.planned import planned_at, spells_of
from iopsim.measures.possible import varies
from iopsim.report.figures.census import (
    band_marks,
    changes_marked,
    date_marks,
    not_measured,
    plot_weekly,
    shaded,
    week_label,
    years_left_blank,
)
from iopsim.report.figures.many import (
    BARS,
    PANELS,
    foremost,
    listed_or_counted,
    name_rows,
    stacked,
    titled,
)
from iopsim.report.lines import bookable_hours_per_fte, employed
from iopsim.report.style import (
    BLUE,
    HATCHED,
    INK,
    VERMILLION,
    Drawing,
    measure,
    sheet,
    trimmed,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from iopsim.report.tables import Floats, Results

__all__ = ["Carried", "Hours", "caseload", "hours", "plot_caseload", "plot_hours", "posts"]

# Caseload by post


class Carried(NamedTuple):
    """Mean patients of each post of a role, and the mean limit in force; shapes (posts,)."""

    patients: Floats
    limits: Floats


def caseload(results: Results) -> list[Drawing]:
    """Mean patients of each post of the roles that carry caseloads, beside the limits that were in force."""
    every = {role: found for role in results.scenario.staff if (found := _carried(results, role))}
    if not every:
        return []
    chosen, left_out = foremost(
        every, PANELS, lambda role: _filled(every[role]), "roles whose caseloads are fullest"
    )
    carried = {role: every[role] for role in chosen}
    said = []
    for role, (patients, limits) in carried.items():
        whole = results.scenario.staff[role].caseload_limit
        those = f"the limit of {whole}" if (limits == whole).all() else "the limits in force"
        share = f", {100 * patients.sum() / limits.sum():.0f} % of {those}" if limits.any() else ""
        said.append(f"{results.role(role)}: {patients.mean():.1f} patients each{share}")
    title = said[0] if len(said) == 1 else "Caseload by post"
    note = "Mean over the measured weeks, held and suspended patients included."
    if any(varies(results.scenario, role) for role in carried):
        note += (
            " Nobody's limit is in force while a post is empty or its holder away, and a new one's is small."
        )
    rows, columns = stacked(len(carried))
    figure = sheet(title, f"{note}{left_out}", (2.9 if columns == 1 else 2.3) * rows)
    panels = figure.subplots(rows, columns, squeeze=False).flatten()
    for axes, (role, found) in zip(panels, carried.items(), strict=False):
        plot_caseload(axes, *found)
        axes.set_xlabel(f"{results.role(role)} (number of the post)")
    for axes in panels[len(carried) :]:
        axes.set_visible(False)
    alt = f"Bars of mean patients by post, beside the caseload limit; {'; '.join(said)}."
    return [Drawing("caseload", title, alt, figure)]


def _filled(carried: Carried) -> float:
    """Patients as a share of the limits; +inf where there are none."""
    patients, limits = carried
    return float(patients.sum() / limits.sum()) if limits.any() else math.inf


def _carried(results: Results, role: str) -> Carried | None:
    patients, limits = (results.profiles.get(f"{what}.{role}") for what in ("caseload", "limits"))
    if patients is None or not patients.size:
        return None
    whole = np.full(len(patients), float(results.scenario.staff[role].caseload_limit))
    number = results.replications
    return Carried(patients / number, whole if limits is None else limits / number)


def plot_caseload(axes: Axes, patients: Floats, limits: Floats) -> Axes:
    """A bar for each post, and the most patients that each may carry, on average."""
    posts = np.arange(1, len(patients) + 1)
    bars = axes.bar(posts, patients, width=0.6, color=BLUE)
    few = len(patients) <= 16
    if few:
        axes.bar_label(bars, [f"{value:.1f}" for value in patients], color="white", padding=-18)
        axes.set_xticks(posts)
    look: dict[str, Any] = {"textcoords": "offset points", "va": "bottom", "size": 9.5, "color": VERMILLION}
    line: dict[str, Any] = {"color": VERMILLION, "linestyle": "--", "linewidth": 1.5}
    if not np.ptp(limits):
        if limits[0]:
            axes.axhline(limits[0], **line)
            place = (1, limits[0]), (-4, 3)
            words = f"limit: {trimmed(limits[0])} patients"
            axes.annotate(words, *place, xycoords=axes.get_yaxis_transform(), ha="right", **look)
    else:
        axes.hlines(limits, posts - 0.42, posts + 0.42, **line)
        for post, limit in zip(posts, limits, strict=True) if few else ():
            axes.annotate(f"limit: {limit:.1f}", (post, limit), (0, 2), ha="center", **look)
    axes.set_ylim(0, 1.15 * max(float(limits.max()), float(patients.max())) or 1)
    axes.tick_params(axis="x", length=0)
    measure(axes.yaxis, "Mean caseload", "patients")
    return axes


# Posts that are filled


def posts(results: Results) -> list[Drawing]:
    """Filled posts, week by week, of the roles that come and go."""
    every = {
        role: found for role in results.scenario.staff if (found := results.weekly.get(f"{role}.filled"))
    }
    if not every:
        return []
    run = results.scenario.run
    chosen, left_out = foremost(
        every,
        PANELS,
        lambda role: results.scenario.staff[role].posts - float(every[role].mean.mean()),
        "roles with most vacancies; all stand in weekly.csv.gz",
    )
    panels = {role: every[role] for role in chosen}
    measured = slice(run.warm_up_weeks, run.warm_up_weeks + run.weeks)
    planned = {role: _planned_posts(results, role, len(series.mean)) for role, series in panels.items()}
    said = [
        f"{results.role(role)}: {series.mean[measured].mean():.2f} of "
        f"{trimmed(float(planned[role][measured].mean()))} posts filled on average"
        for role, series in panels.items()
    ]
    title = said[0] if len(said) == 1 else "Posts filled, week by week"
    number = results.replications
    means = f"Weekly means of {number} replications" if number > 1 else "One replication"
    note = f"{means}; who is away does not count; {not_measured(run)}.{years_left_blank([*panels.values()])}{left_out}"
    legend = [*band_marks([*panels.values()]), *date_marks(results.scenario)]
    rows, columns = stacked(len(panels))
    figure = sheet(title, note, (2.3 if columns == 1 else 2.0) * rows, legend)
    axes_of = figure.subplots(rows, columns, sharex=True, squeeze=False).flatten()
    for at, (axes, (role, series)) in enumerate(zip(axes_of, panels.items(), strict=False)):
        plan = planned[role]
        plot_weekly(axes, series._replace(high=np.minimum(series.high, plan)), "Posts filled", BLUE, "posts")
        _draw_planned(axes, series.start, plan)
        shaded(axes, run, named=at < columns)
        changes_marked(axes, results.scenario, named=at < columns)
        titled(axes, results.role(role) if len(panels) > 1 else "")
        if at >= len(panels) - columns:
            axes.tick_params(labelbottom=True)
            axes.set_xlabel(week_label(results.scenario))
    for axes in axes_of[len(panels) :]:
        axes.set_visible(False)
    return [Drawing("posts-filled", title, f"Lines by week of posts filled; {'; '.join(said)}.", figure)]


def _draw_planned(axes: Axes, start: NDArray[np.datetime64], plan: Floats) -> None:
    """A line of the posts of the plan, with their number at its ends."""
    line: dict[str, Any] = {"color": VERMILLION, "linestyle": "--", "linewidth": 1.5}
    if np.ptp(plan):
        axes.step(start, plan, where="post", **line)
    else:
        axes.axhline(plan[0], **line)
    look: dict[str, Any] = {"textcoords": "offset points", "va": "bottom", "size": 10, "color": VERMILLION}
    look["xycoords"] = axes.get_yaxis_transform()
    axes.annotate(f"{plan[0]:,.0f} {'post' if plan[0] == 1 else 'posts'}", (0, plan[0]), (5, 3), **look)
    if plan[-1] != plan[0]:
        axes.annotate(f"{plan[-1]:,.0f}", (1, plan[-1]), (-5, 3), ha="right", **look)
    axes.set_ylim(0, 1.45 * max(plan.max(), 1))  # room for dates above the words


def _planned_posts(results: Results, role: str, weeks: int) -> Floats:
    """Posts that the plan has, mean of each week from opening on."""
    days = np.arange(7.0 * weeks) - 7 * results.scenario.run.warm_up_weeks
    daily = planned_at(spells_of(results.scenario), days, lambda plan: plan.staff[role].posts)
    posts: Floats = daily.reshape(weeks, 7).mean(axis=1)
    return posts


# Hours needed against employed


class Hours(NamedTuple):
    """Hours a week of one role: needed in the mean and the 95th-percentile week, and employed (bookable)."""

    label: str
    mean: float
    p95: float
    employed: float


def hours(results: Results) -> list[Drawing]:
    """Hours that care takes in a week against those that employed staff have for it, by role."""
    rows = [
        Hours(
            results.role(role),
            found.estimate,
            results.summary[f"{role}.hours_needed.p95"].estimate,
            _employed(results, role) * bookable_hours_per_fte(results.scenario, role),
        )
        for role in results.scenario.staff
        if (found := results.summary.get(f"{role}.hours_needed.mean")) and not math.isnan(found.estimate)
    ]
    if not rows:
        return []
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    busy = not any(math.isnan(row.p95) for row in rows)
    week = "a busy week" if busy else "the mean week"
    short = [row.label for row in rows if (row.p95 if busy else row.mean) > row.employed]
    title = (
        f"In {week} the work exceeds the hours employed: {listed_or_counted(short, len(rows), 'roles')}"
        if short
        else f"The hours employed cover {week} in every role"
    )
    legend: list[tuple[Artist, str]] = [(Patch(facecolor=BLUE), "needed, mean week")]
    if busy:
        diamond = Line2D([], [], color=INK, marker="D", linestyle=":")
        legend.append((diamond, "needed, busy week (95th percentile)"))
    legend.append((Patch(**HATCHED), "employed (bookable)"))
    note = "Bookable: paid hours less leave and the share of time that is not for patients."
    if any(varies(results.scenario, role) for role in results.scenario.staff):
        note += " Employed: posts that are filled, on average."
    shown, left_out = foremost(
        rows,
        BARS,
        lambda row: (row.p95 if busy else row.mean) / row.employed if row.employed else math.inf,
        "roles that are busiest; all stand in summary.csv",
    )
    figure = sheet(title, f"{note}{left_out}", (0.62 if len(shown) < 13 else 0.5) * len(shown) + 0.6, legend)
    plot_hours(figure.subplots(), shown)
    said = [f"{row.label} {trimmed(row.mean)} of {trimmed(row.employed)}" for row in shown]
    alt = f"Bars of hours a week needed of those employed, by role: {', '.join(said)}."
    return [Drawing("hours-by-role", title, alt, figure)]


def _employed(results: Results, role: str) -> float:
    """FTE of the posts that were filled, on average."""
    found = results.summary.get(f"{role}.fte_employed")
    return employed(results.scenario, role, found.estimate if found else math.nan)


def plot_hours(axes: Axes, rows: Sequence[Hours]) -> Axes:
    """Two bars a role: needed, with its busy week, and employed."""
    places = np.arange(len(rows))
    means, busy, employed = (np.array([row[at] for row in rows]) for at in (1, 2, 3))
    axes.barh(places - 0.19, means, height=0.36, color=BLUE)
    axes.barh(places + 0.19, employed, height=0.36, **HATCHED)
    axes.hlines(places - 0.19, means, busy, color=INK, linestyle=":", linewidth=1.4)
    axes.plot(busy, places - 0.19, "D", color=INK, markersize=6)
    ends = np.nanmax([means, busy, employed], axis=0)
    for place, end, row in zip(places, ends, rows, strict=True):
        said = f"{trimmed(row.mean)} of {trimmed(row.employed)} h"
        axes.annotate(said, (end, place), (10, 0), textcoords="offset points", va="center", size=10)
    name_rows(axes, [row.label for row in rows], 1.9)
    axes.set_xlim(0, 1.24 * ends.max() or 1)
    measure(axes.xaxis, "Hours a week", "hours a week")
    return axes
