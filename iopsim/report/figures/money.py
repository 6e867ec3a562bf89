"""The figure of money: the program beside inpatient care. Arithmetic on an assumption, and it says so."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from iopsim.report.style import (
    BLUE,
    ESTIMATE,
    GREEN,
    HATCHED,
    INK,
    VERMILLION,
    Drawing,
    in_a_sentence,
    listed,
    measure,
    sheet,
    trimmed,
)
from iopsim.report.wording import interval_text

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

    from iopsim.report.tables import Estimated, Results

__all__ = ["Costs", "alternative", "plot_break_even", "plot_costs"]


class Costs(NamedTuple):
    """What one thing costs in the program, with its interval, and in inpatient care."""

    program: float
    low: float
    high: float
    inpatient: float

    @classmethod
    def of(cls, inpatient: float, less: Estimated) -> Costs:
        """From the inpatient price and how much less the program costs: so both agree with the break-even share."""
        return cls(inpatient - less.estimate, inpatient - less.high, inpatient - less.low, inpatient)

    def __str__(self) -> str:
        return f"{trimmed(self.program)} against {trimmed(self.inpatient)}"


def alternative(results: Results) -> list[Drawing]:
    """Cost per day and per episode beside inpatient care, and from which share of starters on it pays."""
    assumed = results.scenario.money.inpatient_alternative
    names = ("difference.per_day", "difference.per_episode", "break_even_share")
    found = [
        results.summary[name] for name in (f"alternative.{name}" for name in names) if name in results.summary
    ]
    if assumed is None or len(found) < 3 or any(math.isnan(one.estimate) for one in found):
        return []
    by_day, by_episode, share = found
    day = Costs.of(assumed.cost_per_day, by_day)
    episode = Costs.of(assumed.cost_per_day * assumed.stay_days, by_episode)
    says, sources = results.scenario.says, results.scenario.sources
    whose = listed([in_a_sentence(says(sources, name)) for name in assumed.for_])
    currency, sentence = results.scenario.currency, _sentence(share, assumed.divertible)
    title = (
        f"A program day costs {trimmed(day.program)} {currency}, an inpatient day {trimmed(day.inpatient)}"
    )
    note = (
        f"{sentence}. Arithmetic on a stated assumption about starters from {whose}, not a measured effect."
    )
    figure = sheet(title, note, 4.4, _marks())
    grid = figure.add_gridspec(2, 2, height_ratios=[3.2, 1])
    program = "Program,\nattended day", "Program, all stays\nof a starter"
    inpatient = "Inpatient\nday", f"Inpatient,\n{assumed.stay_days:g} days"
    for at, (costs, per) in enumerate(((day, "day"), (episode, "episode"))):
        axes = plot_costs(figure.add_subplot(grid[0, at]), costs, (program[at], inpatient[at]))
        measure(axes.yaxis, f"{currency} per {per}", f"{currency} per {per}")
    plot_break_even(figure.add_subplot(grid[1, :]), share, assumed.divertible)
    alt = (
        f"Bars of cost in {currency}, the program's beside inpatient care's: {day} a day, {episode} an episode; "
        f"{sentence[0].lower()}{sentence[1:]}."
    )
    return [Drawing("cost-beside-inpatient", title, alt, figure)]


def _marks() -> list[tuple[Artist, str]]:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    return [
        (Line2D([], [], color=INK, marker="|", markersize=8), ESTIMATE),
        (Line2D([], [], color=INK, marker="D", linestyle=""), "share assumed"),
        (Patch(facecolor=VERMILLION, alpha=0.3), "program costs more than it saves"),
        (Patch(facecolor=GREEN, alpha=0.5, hatch="\\\\\\\\"), "program saves more than it costs"),
    ]


def _sentence(share: Estimated, assumed: float) -> str:
    interval = interval_text(share.low, share.high, "share")
    among = f"{trimmed(share.estimate, 'share')} of starters{f' ({interval})' if interval else ''}"
    if share.estimate > 1:
        said = (
            "If 100 % of starters would otherwise be inpatients, the program still costs more than it saves"
        )
    else:
        said = f"If {among} would otherwise be inpatients, the program saves what it costs"
    return f"{said}; the scenario assumes {trimmed(assumed, 'share')}"


def plot_costs(axes: Axes, costs: Costs, names: tuple[str, str]) -> Axes:
    """Two bars: the program with its interval, and inpatient care."""
    axes.bar(0, costs.program, width=0.6, color=BLUE)
    axes.bar(1, costs.inpatient, width=0.6, **HATCHED)
    if not math.isnan(costs.low + costs.high):
        axes.vlines(0, costs.low, costs.high, color=INK)
        axes.hlines([costs.low, costs.high], -0.06, 0.06, color=INK)
    for at, (cost, top) in enumerate(((costs.program, costs.high), (costs.inpatient, costs.inpatient))):
        place = at, np.fmax(cost, top)
        axes.annotate(trimmed(cost), place, (0, 4), textcoords="offset points", ha="center", weight="bold")
    axes.set_xticks((0, 1), names)
    axes.set_xlim(-0.6, 1.6)
    axes.set_ylim(0, 1.15 * np.nanmax(costs) or 1)
    axes.tick_params(axis="x", length=0)
    axes.set_xlabel("Kind of care")
    return axes


def plot_break_even(axes: Axes, share: Estimated, assumed: float) -> Axes:
    """The shares at which the program costs more, and saves more, than inpatient care; and the one assumed."""
    turn = min(share.estimate, 1.0)
    axes.barh(0, turn, height=0.8, color=VERMILLION, alpha=0.3)
    axes.barh(
        0,
        1 - turn,
        left=turn,
        height=0.8,
        color=GREEN,
        alpha=0.5,
        hatch="\\\\\\\\",
        edgecolor="white",
        linewidth=0,
    )
    if share.estimate <= 1 and not math.isnan(share.low + share.high):
        axes.hlines(0, share.low, min(share.high, 1.0), color=INK)
        axes.vlines((share.low, min(share.high, 1.0)), -0.15, 0.15, color=INK)
    axes.plot(assumed, 0, "D", color=INK, markersize=7, clip_on=False)
    axes.set_xlim(0, 1)
    axes.set_ylim(-0.5, 0.5)
    axes.set_yticks([])
    axes.grid(visible=False)
    axes.spines["left"].set_visible(False)
    measure(axes.xaxis, "Share of starters who would otherwise be inpatients", "share")
    return axes
