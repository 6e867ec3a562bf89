"""Figures of capacity: how full groups and caseloads are, and the hours staff need against those employed."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from iopsim.report.style import (
    BLUE,
    HATCHED,
    INK,
    VERMILLION,
    Drawing,
    fitted,
    in_a_sentence,
    listed,
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

__all__ = ["caseload", "fill", "hours", "plot_caseload", "plot_fill", "plot_hours"]

# Fill by group and weekday


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
    note = "Over the sessions held in the measured weeks."
    abreast = {1: 4, 2: 4, 3: 4, 4: 3, 5: 3}.get(max(len(by_day) for _, by_day in groups), 2)
    rows, columns = math.ceil(len(groups) / abreast), min(len(groups), abreast)
    titles = ["\n".join(fitted(label, 7 / columns - 0.2, 11, "bold")) for label, _ in groups]
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


# Caseload by post


def caseload(results: Results) -> list[Drawing]:
    """Mean patients of each post of the roles that carry caseloads."""
    replications = results.replications
    carried = {
        role: counts / replications
        for role in results.scenario.staff
        if (counts := results.profiles.get(f"caseload.{role}")) is not None and counts.size
    }
    if not carried:
        return []
    said = []
    for role, patients in carried.items():
        limit = results.scenario.staff[role].caseload_limit
        share = f", {_percent(patients.mean() / limit)} of the limit of {limit}" if limit else ""
        said.append(f"{results.role(role)}: {patients.mean():.1f} patients each{share}")
    title = said[0] if len(said) == 1 else "Caseload by post"
    note = "Mean over the measured weeks, held and suspended patients included."
    figure = sheet(title, note, 2.9 * len(carried))
    for axes, (role, patients) in zip(
        figure.subplots(len(carried), squeeze=False)[:, 0], carried.items(), strict=True
    ):
        plot_caseload(axes, patients, results.scenario.staff[role].caseload_limit)
        axes.set_xlabel(f"{results.role(role)} (number of the post)")
    alt = f"Bars of mean patients by post, beside the caseload limit; {'; '.join(said)}."
    return [Drawing("caseload", title, alt, figure)]


def plot_caseload(axes: Axes, patients: Floats, limit: int) -> Axes:
    """A bar for each post, and the most patients that one may carry."""
    posts = np.arange(1, len(patients) + 1)
    bars = axes.bar(posts, patients, width=0.6, color=BLUE)
    if len(patients) <= 16:
        axes.bar_label(bars, [f"{value:.1f}" for value in patients], color="white", padding=-18)
        axes.set_xticks(posts)
    if limit:
        axes.axhline(limit, color=VERMILLION, linestyle="--", linewidth=1.5)
        axes.annotate(
            f"limit: {limit} patients", (1, limit), (-4, 3), xycoords=axes.get_yaxis_transform(),
            textcoords="offset points", ha="right", va="bottom", size=9.5, color=VERMILLION,
        )  # fmt: skip
    axes.set_ylim(0, 1.15 * max(limit, float(patients.max())) or 1)
    axes.tick_params(axis="x", length=0)
    measure(axes.yaxis, "Mean caseload", "patients")
    return axes


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
            spec.employed_fte * spec.bookable_hours_per_fte,
        )
        for role, spec in results.scenario.staff.items()
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
        f"In {week} the work exceeds the hours employed: {listed([in_a_sentence(label) for label in short])}"
        if short
        else f"The hours employed cover {week} in every role"
    )
    legend: list[tuple[Artist, str]] = [(Patch(facecolor=BLUE), "needed, mean week")]
    if busy:
        diamond = Line2D([], [], color=INK, marker="D", linestyle=":")
        legend.append((diamond, "needed, busy week (95th percentile)"))
    legend.append((Patch(**HATCHED), "employed (bookable)"))
    note = "Bookable: paid hours less leave and the share of time that is not for patients."
    figure = sheet(title, note, 0.62 * len(rows) + 0.6, legend)
    plot_hours(figure.subplots(), rows)
    said = [f"{row.label} {trimmed(row.mean)} of {trimmed(row.employed)}" for row in rows]
    alt = f"Bars of hours a week needed of those employed, by role: {', '.join(said)}."
    return [Drawing("hours-by-role", title, alt, figure)]


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
    axes.set_yticks(places, ["\n".join(fitted(row.label, 1.6, 10)) for row in rows])
    axes.invert_yaxis()
    axes.set_xlim(0, 1.24 * ends.max() or 1)
    axes.grid(visible=True, axis="x")
    axes.grid(visible=False, axis="y")
    axes.tick_params(axis="y", length=0)
    measure(axes.xaxis, "Hours a week", "hours a week")
    return axes


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"
