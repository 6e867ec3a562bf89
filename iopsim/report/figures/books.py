"""Figures of the books: what each week costs and earns, what payers and groups leave, what every level costs."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from iopsim.report.books import CAUSES, Item, items, members
from iopsim.report.books import groups as names_of_groups
from iopsim.report.figures.census import (
    changes_marked,
    date_marks,
    dated,
    shaded,
    week_label,
    years_left_blank,
)
from iopsim.report.figures.many import BARS, foremost, listed_or_counted, name_rows
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
        f"{words} {trimmed(found.estimate)}"
        for words, name in (("cost", "cost"), ("revenue", "revenue"), ("margin", "margin"))
        if (found := results.summary.get(f"program.{name}.total")) and not math.isnan(found.estimate)
    ]
    title = (
        f"In {results.scenario.run.weeks} weeks: {', '.join(said)} {currency}"
        if said
        else "Cost and revenue, week by week"
    )
    legend: list[tuple[Artist, str]] = [
        (Patch(**look), words) for words, look in zip(causes, PARTS, strict=False)
    ]
    blank = years_left_blank([revenue] if revenue else [])
    if revenue:
        legend += [
            (Line2D([], [], color=INK), "revenue, mean"),
            *([] if blank else [(Patch(color=GRAY, alpha=0.45, linewidth=0), YEARS)]),
        ]
    legend += date_marks(results.scenario)
    number = results.replications
    means = f"Means of {number} replications" if number > 1 else "One replication"
    note = f"{means}; cost of each week by cause, and what its attended days earn.{blank}"
    figure = sheet(title, note, 3.4, legend)
    axes = plot_weeks(figure.subplots(), cost, causes, revenue)
    measure(axes.yaxis, f"{currency} per week", f"{currency} per week")
    axes.set_xlabel(week_label(results.scenario))
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
    axes.set_xlim(cost.start[0], cost.start[-1] + 7)
    axes.set_ylim(0, 1.2 * float(np.nanmax(top)) or 1)
    dated(axes)
    return axes


# By payer


class Bars(NamedTuple):
    """One kind of bar: what it is called, how it looks, and its numbers by name."""

    words: str
    look: Mapping[str, Any]
    found: Mapping[str, Item]


_SAID = 4  # margins in the title; of more, the least and the greatest
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
    said = [f"{names[name]} {trimmed(item.found.estimate)}" for name, item in margins.items()]
    few = said
    if len(said) > _SAID:
        ranked = sorted(margins, key=lambda name: margins[name].found.estimate)
        few = [f"{names[name]} {trimmed(margins[name].found.estimate)}" for name in (ranked[0], ranked[-1])]
    title = f"Margin by payer: {' to '.join(few) if few is not said else ', '.join(said)} {currency}"
    note = f"In {scenario.run.weeks} weeks; the cost of the program is shared by attended days."
    legend: list[tuple[Artist, str]] = [(Patch(**kind.look), kind.words) for kind in kinds]
    legend.append((Line2D([], [], color=INK, marker="|", markersize=8), ESTIMATE))
    figure = sheet(title, note, 3.2, legend)
    axes = plot_bars(figure.subplots(), names, kinds)
    measure(axes.yaxis, currency, currency)
    axes.set_xlabel("Payer")
    told = ", ".join(kind.words for kind in kinds)
    return [
        Drawing(
            "books-by-payer",
            title,
            f"Bars by payer of {told}; margins in {currency}: {', '.join(said)}.",
            figure,
        )
    ]


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
    found, left_out = foremost(
        every,
        BARS,
        lambda item: -item.found.estimate,
        "groups that contribute least; all stand in summary.csv",
    )
    even = {item.name: item.found.estimate for item in items(results, "group.{}.break_even_census", names)}
    there = {item.name: members(results, item.name) for item in every}
    below = [item.words for item in every if there[item.name] < even.get(item.name, -math.inf)]
    title = (
        f"Fewer members than break even: {listed_or_counted(below, len(every), 'groups')}"
        if below
        else "Every group has more members than it needs to break even"
        if even
        else "Contribution by group"
    )
    note = (
        f"Contribution in {results.scenario.run.weeks} weeks: revenue less what sessions and members cost, without "
        "overhead and other staff. Members: seats taken at a session."
        f"{left_out}"
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
    for axes in panels:
        name_rows(axes, [item.words for item in found], 1.7)
    right.tick_params(labelleft=False)
    right.set_xlim(0, None)
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
    found, left_out = foremost(
        every, BARS, lambda item: item.found.estimate, "levels that cost most; all stand in summary.csv"
    )
    held = {item.name: item.found.estimate for item in items(results, "{}.held_cost.total", names)}
    currency, run = results.scenario.currency, results.scenario.run
    whole = results.summary.get("system.cost.total")
    total = whole.estimate if whole else sum(item.found.estimate for item in every)
    title = f"All levels together cost {trimmed(total)} {currency} in {run.weeks} weeks"
    note = f"The program's own levels by their books, those bought from outside by their price.{left_out}"
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
    name_rows(axes, [item.words for item in found], 2)
    axes.set_xlim(0, 1.16 * max(float(np.fmax(item.found.estimate, item.found.high)) for item in found))
    measure(axes.xaxis, currency, currency)
    axes.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    said = [f"{item.words} {trimmed(item.found.estimate)} {currency}" for item in found]
    return [Drawing("cost-by-level", title, f"Bars of cost by level: {', '.join(said)}.", figure)]
