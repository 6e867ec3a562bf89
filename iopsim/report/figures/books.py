"""Figures of the books: what each week costs and earns, what payers and groups leave, what every level costs."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from iopsim.report.books import CAUSES, Item, items, members
from iopsim.report.books import groups as names_of_groups
from iopsim.report.figures.census import changes_marked, dated, shaded
from iopsim.report.style import (
    BLUE,
    ESTIMATE,
    GRAY,
    GREEN,
    HATCHED,
    INK,
    ORANGE,
    SKY,
    VERMILLION,
    WIDTH,
    YEARS,
    Drawing,
    fitted,
    listed,
    measure,
    sheet,
    trimmed,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

    from iopsim.report.tables import Floats, Results, Weekly

__all__ = [
    "MOST",
    "PARTS",
    "contributions",
    "levels",
    "payers",
    "plot_bars",
    "plot_contributions",
    "plot_weeks",
    "weeks",
]

PARTS: tuple[Mapping[str, Any], ...] = (
    {"facecolor": SKY, "edgecolor": "white"},
    {"facecolor": ORANGE, "edgecolor": "white", "hatch": "////"},
    {"facecolor": GREEN, "edgecolor": "white", "hatch": ".."},
    {"facecolor": VERMILLION, "edgecolor": "white", "hatch": "\\\\\\\\"},
    {"facecolor": "#BBBBBB", "edgecolor": "white", "hatch": "xx"},
)
"""How the parts of a stack look: told apart in gray print too."""

MOST = 30
"""Bars of a figure: longer ones nobody reads."""

# Week by week


def weeks(results: Results) -> list[Drawing]:
    """Cost of each week stacked by cause, under the line of revenue."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    cost, revenue = (results.weekly.get(f"program.{name}") for name in ("cost", "revenue"))
    if cost is None or not cost.mean.any():
        return []
    causes = {
        words: series.mean
        for name, words in CAUSES.items()
        if (series := results.weekly.get(f"program.{name}")) and series.mean.any()
    } or {"Cost": cost.mean}
    currency = results.scenario.currency
    said = [
        f"{words} {trimmed(found.estimate)} {currency}"
        for words, name in (("cost", "cost"), ("revenue", "revenue"), ("margin", "margin"))
        if (found := results.summary.get(f"program.{name}.total")) and not math.isnan(found.estimate)
    ]
    title = (
        f"In {results.scenario.run.weeks} weeks: {', '.join(said)}"
        if said
        else "Cost and revenue, week by week"
    )
    legend: list[tuple[Artist, str]] = [
        (Patch(**look), words) for words, look in zip(causes, PARTS, strict=False)
    ]
    if revenue:
        legend += [
            (Line2D([], [], color=INK), "revenue, mean"),
            (Patch(color=GRAY, alpha=0.45, linewidth=0), YEARS),
        ]
    number = results.replications
    means = f"Means of {number} replications" if number > 1 else "One replication"
    note = f"{means}; cost of each week by cause, and what its attended days earn."
    figure = sheet(title, note, 3.4, legend)
    axes = plot_weeks(figure.subplots(), cost, causes, revenue)
    measure(axes.yaxis, f"{currency} per week", f"{currency} per week")
    axes.set_xlabel("Week (date)")
    shaded(axes, results.scenario.run, named=True)
    changes_marked(axes, results.scenario, named=True)
    stacked = ", ".join(causes).lower()
    alt = f"Areas of weekly cost by cause ({stacked}) and a line of weekly revenue; {title[:1].lower()}{title[1:]}."
    return [Drawing("cost-and-revenue", title, alt, figure)]


def plot_weeks(axes: Axes, cost: Weekly, causes: Mapping[str, Floats], revenue: Weekly | None) -> Axes:
    """Areas of cost by cause, one on the other, and the line of revenue with its range of years."""
    middle = cost.start.astype("datetime64[h]") + np.timedelta64(84, "h")
    base = np.zeros(len(middle))
    for look, spent in zip(PARTS, causes.values(), strict=False):
        axes.fill_between(middle, base, base + spent, linewidth=0.5, **look)
        base = base + spent
    top = [base]
    if revenue:
        axes.fill_between(middle, revenue.p10, revenue.p90, color=GRAY, alpha=0.45, linewidth=0)
        axes.plot(middle, revenue.mean, color=INK)
        top += [revenue.p90, revenue.mean]
    axes.set_xlim(middle[0], middle[-1])
    axes.set_ylim(0, 1.2 * float(np.nanmax(top)) or 1)
    dated(axes)
    return axes


# By payer


class Bars(NamedTuple):
    """One kind of bar: what it is called, how it looks, and its numbers by name."""

    words: str
    look: Mapping[str, Any]
    found: Mapping[str, Item]


_BARS = (
    ("revenue", {"facecolor": BLUE}),
    ("cost", HATCHED),
    ("margin", {"facecolor": GREEN, "edgecolor": INK, "hatch": "xx"}),
)


def payers(results: Results) -> list[Drawing]:
    """Revenue, cost and margin by payer, where there are several."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    scenario = results.scenario
    names = {name: scenario.says(scenario.payers, name) for name in scenario.payers}
    kinds = [
        Bars(
            words, look, {item.name: item for item in items(results, f"program.{words}_by_payer.{{}}", names)}
        )
        for words, look in _BARS
    ]
    kinds = [kind for kind in kinds if kind.found]
    margins = kinds[-1].found if kinds else {}
    if len(names) < 2 or not margins:
        return []
    currency = scenario.currency
    said = [f"{names[name]} {trimmed(item.found.estimate)} {currency}" for name, item in margins.items()]
    title = f"Margin by payer: {', '.join(said)}"
    note = f"In {scenario.run.weeks} weeks; the cost of the program is shared by attended days."
    legend: list[tuple[Artist, str]] = [(Patch(**kind.look), kind.words) for kind in kinds]
    legend.append((Line2D([], [], color=INK, marker="|", markersize=8), ESTIMATE))
    figure = sheet(title, note, 3.2, legend)
    axes = plot_bars(figure.subplots(), names, kinds)
    measure(axes.yaxis, currency, currency)
    axes.set_xlabel("Payer")
    told = ", ".join(kind.words for kind in kinds)
    return [Drawing("books-by-payer", title, f"Bars by payer of {told}; margins: {', '.join(said)}.", figure)]


def plot_bars(axes: Axes, names: Mapping[str, str], kinds: Sequence[Bars]) -> Axes:
    """Bars of each kind side by side for each name, with their intervals."""
    width = 0.8 / len(kinds)
    for number, kind in enumerate(kinds):
        for place, name in enumerate(names):
            if name in kind.found:
                at = place + (number - (len(kinds) - 1) / 2) * width
                found = kind.found[name].found
                axes.bar(at, found.estimate, width=0.92 * width, **kind.look)
                axes.vlines(at, found.low, found.high, color=INK, linewidth=1.5)
    axes.axhline(0, color=GRAY, linewidth=1)
    room = (WIDTH - 1.2) / len(names)
    axes.set_xticks(range(len(names)), ["\n".join(fitted(words, room, 10)) for words in names.values()])
    axes.tick_params(axis="x", length=0)
    return axes


# By group


def contributions(results: Results) -> list[Drawing]:
    """What each group contributes, and its members beside those at whom it would contribute nothing."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch
    from matplotlib.ticker import MaxNLocator

    names = names_of_groups(results.scenario)
    every = items(results, "group.{}.contribution", names)
    if not every:
        return []
    lowest = sorted(every, key=lambda item: item.found.estimate)[:MOST]
    found = [item for item in every if item in lowest]
    even = {item.name: item.found.estimate for item in items(results, "group.{}.break_even_census", names)}
    there = {item.name: members(results, item.name) for item in every}
    below = [item.words for item in every if there[item.name] < even.get(item.name, -math.inf)]
    title = (
        f"Fewer members than break even: {listed(below)}"
        if below
        else "Every group has more members than it needs to break even"
        if even
        else "Contribution by group"
    )
    note = (
        f"Contribution in {results.scenario.run.weeks} weeks: revenue less what sessions and members cost, without "
        "overhead and other staff. Members: seats taken at a session."
        f"{f' The {MOST} lowest of {len(every)} groups.' if len(every) > MOST else ''}"
    )
    legend: list[tuple[Artist, str]] = [
        (Patch(facecolor=BLUE), "contribution"),
        (Line2D([], [], color=INK, marker="|", markersize=8), ESTIMATE),
        (Line2D([], [], color=BLUE, marker="o", linestyle=""), "members at a session"),
        (Line2D([], [], color=VERMILLION, marker="|", markersize=12, linestyle=""), "break-even census"),
    ]
    figure = sheet(title, note, 0.42 * len(found) + 0.9, legend)
    left, right = figure.subplots(1, 2, sharey=True, width_ratios=[1.5, 1])
    plot_contributions((left, right), found, there, even)
    currency = results.scenario.currency
    measure(left.xaxis, f"Contribution, {currency}", currency)
    left.xaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))  # amounts are long
    measure(right.xaxis, "Members (patients)", "patients")
    said = [
        f"{item.words} {trimmed(item.found.estimate)} {currency}"
        + (f" with {trimmed(there[item.name])} members" if not math.isnan(there[item.name]) else "")
        + (f" of {trimmed(even[item.name])} to break even" if item.name in even else "")
        for item in found
    ]
    return [Drawing("contribution-by-group", title, f"Bars and dots by group: {', '.join(said)}.", figure)]


def plot_contributions(
    panels: tuple[Axes, Axes], found: Sequence[Item], there: Mapping[str, float], even: Mapping[str, float]
) -> tuple[Axes, Axes]:
    """Bars of contribution, and beside them members against the break-even census.

    Args:
        panels: Where to draw, left and right, with one axis of groups.
        found: Contribution of each group.
        there: Members of each group.
        even: Break-even census of the groups that have one.
    """
    left, right = panels
    places = np.arange(len(found))
    left.barh(places, [item.found.estimate for item in found], height=0.6, color=BLUE)
    left.hlines(places, [item.found.low for item in found], [item.found.high for item in found], color=INK)
    left.axvline(0, color=GRAY, linewidth=1)
    for place, item in enumerate(found):
        many, few = there[item.name], even.get(item.name, math.nan)
        right.hlines(place, 0, many, color=SKY, linewidth=2)
        right.plot(many, place, "o", color=BLUE)
        right.plot(few, place, "|", color=VERMILLION, markersize=16, markeredgewidth=2.5)
    left.set_yticks(places, ["\n".join(fitted(item.words, 1.7, 10)) for item in found])
    left.invert_yaxis()
    right.set_xlim(0, None)
    for axes in panels:
        axes.grid(visible=True, axis="x")
        axes.grid(visible=False, axis="y")
        axes.tick_params(axis="y", length=0)
    return panels


# The whole system


def levels(results: Results) -> list[Drawing]:
    """What every level costs, those bought from outside too, and which part of it pays for held places."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch
    from matplotlib.ticker import MaxNLocator

    names = {name: results.level(name) for name in results.scenario.levels}
    every = [item for item in items(results, "{}.cost.total", names) if item.found.estimate > 0]
    if len(every) < 2:
        return []
    dearest = sorted(every, key=lambda item: -item.found.estimate)[:MOST]
    found = [item for item in every if item in dearest]
    held = {item.name: item.found.estimate for item in items(results, "{}.held_cost.total", names)}
    currency, run = results.scenario.currency, results.scenario.run
    whole = results.summary.get("system.cost.total")
    total = whole.estimate if whole else sum(item.found.estimate for item in every)
    title = f"All levels together cost {trimmed(total)} {currency} in {run.weeks} weeks"
    note = "The program's own levels by their books, those bought from outside by their price."
    if len(every) > MOST:
        note += f" The {MOST} dearest of {len(every)}."
    legend: list[tuple[Artist, str]] = [
        (Patch(facecolor=BLUE), "the program's own"),
        (Patch(facecolor=SKY), "bought from outside"),
        (Patch(**HATCHED), "of this, for held places"),
        (Line2D([], [], color=INK, marker="|", markersize=8), ESTIMATE),
    ]
    figure = sheet(title, note, 0.42 * len(found) + 0.7, legend)
    axes = figure.subplots()
    for place, item in enumerate(found):
        color = BLUE if item.name in results.own_levels else SKY
        axes.barh(place, item.found.estimate, height=0.6, color=color)
        axes.barh(place, held.get(item.name, 0.0), height=0.6, **HATCHED)
        axes.hlines(place, item.found.low, item.found.high, color=INK)
        end = np.fmax(item.found.estimate, item.found.high), place
        axes.annotate(
            trimmed(item.found.estimate), end, (6, 0), textcoords="offset points", va="center", size=10
        )
    axes.set_yticks(range(len(found)), ["\n".join(fitted(item.words, 2, 10)) for item in found])
    axes.invert_yaxis()
    axes.set_xlim(0, 1.16 * max(float(np.fmax(item.found.estimate, item.found.high)) for item in found))
    axes.grid(visible=True, axis="x")
    axes.grid(visible=False, axis="y")
    axes.tick_params(axis="y", length=0)
    measure(axes.xaxis, currency, currency)
    axes.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    said = [f"{item.words} {trimmed(item.found.estimate)} {currency}" for item in found]
    return [Drawing("cost-by-level", title, f"Bars of cost by level: {', '.join(said)}.", figure)]
