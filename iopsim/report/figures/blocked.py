"""The figure of blocked places: days held in a level by the level that is waited for, and what they cost."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from iopsim.report.books import Held, held_for
from iopsim.report.figures.books import PARTS
from iopsim.report.figures.many import BARS, foremost, name_rows
from iopsim.report.style import Drawing, listed, measure, sheet, trimmed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

    from iopsim.report.tables import Results

__all__ = ["held", "plot_held"]

_MOST = len(PARTS) - 1  # levels that are told apart; the rest share the last look


def held(results: Results) -> list[Drawing]:
    """Days held by level, stacked by the level that is waited for, with their price."""
    from matplotlib.patches import Patch

    found = held_for(results)
    if not found:
        return []
    waited = _ranked(found)
    words = [results.level(name) for name in waited[:_MOST]] + ["other levels"] * (len(waited) > _MOST)
    legend: list[tuple[Artist, str]] = [
        (Patch(**look), f"waiting for {said}") for look, said in zip(PARTS, words, strict=False)
    ]
    currency = results.scenario.currency
    every = {
        level: [one for one in found if one.level == level]
        for level in dict.fromkeys(one.level for one in found)
    }
    costs = {level: _cost(those) for level, those in every.items()}
    held_days = {level: sum(one.days.estimate for one in those) for level, those in every.items()}
    longest, left_out = foremost(
        every, BARS, held_days.__getitem__, "levels of most days; all stand in summary.csv"
    )
    by_level = {level: every[level] for level in longest}
    days, cost = sum(one.days.estimate for one in found), sum(filter(None, costs.values()))
    priced = f", at a price of {trimmed(cost)} {currency}" if cost else ""
    title = f"Places held {trimmed(days)} days in {results.scenario.run.weeks} weeks{priced}"
    note = (
        "Days on which treatment was over, or suspended, and the place was kept for want of one in the next level. "
        "A price is known of levels bought from outside."
        f"{left_out}"
    )
    figure = sheet(title, note, 0.45 * len(by_level) + 0.7, legend)
    labels = {level: results.level(level) for level in by_level}
    axes = plot_held(figure.subplots(), by_level, labels, waited)
    for place, level in enumerate(by_level):
        total, price = held_days[level], costs[level]
        text = f"{trimmed(total)} days" + (f", {trimmed(price)} {currency}" if price else "")
        axes.annotate(text, (total, place), (6, 0), textcoords="offset points", va="center", size=10)
    said = [
        f"{trimmed(one.days.estimate)} in {results.level(one.level)} for {results.level(one.to)}"
        for one in found
        if one.level in by_level
    ]
    return [Drawing("held-places", title, f"Bars of days held by level: {listed(said)}.", figure)]


def _ranked(found: Sequence[Held]) -> list[str]:
    """The levels that are waited for, those of most days first."""
    days: dict[str, float] = {}
    for one in found:
        days[one.to] = days.get(one.to, 0.0) + one.days.estimate
    return sorted(days, key=lambda name: -days[name])


def _cost(those: Sequence[Held]) -> float:
    return sum(one.cost.estimate for one in those if not math.isnan(one.cost.estimate))


def plot_held(
    axes: Axes, by_level: Mapping[str, Sequence[Held]], labels: Mapping[str, str], waited: Sequence[str]
) -> Axes:
    """A bar for each level, with a part for each level that is waited for.

    Args:
        axes: Where to draw.
        by_level: What was held in each level.
        labels: What people read for the levels.
        waited: The levels that are waited for, in the order of their looks.
    """
    starts = np.zeros(len(by_level))
    for place, those in enumerate(by_level.values()):
        for one in sorted(those, key=lambda one: waited.index(one.to)):
            look = PARTS[min(waited.index(one.to), _MOST)]
            axes.barh(place, one.days.estimate, left=starts[place], height=0.6, **look)
            starts[place] += one.days.estimate
    name_rows(axes, [labels[name] for name in by_level], 2)
    axes.set_xlim(0, 1.4 * float(starts.max()))
    measure(axes.xaxis, "Days held in the measured weeks", "days")
    return axes
