"""The figure of money: the program beside inpatient care. Arithmetic on an assumption, and it says so."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from iopsim.report.figures.many import foremost, listed_or_counted
from iopsim.report.style import (
    BLUE,
    ESTIMATE,
    GREEN,
    HATCHED,
    INK,
    VERMILLION,
    Drawing,
    fitted,
    in_a_sentence,
    measure,
    sheet,
    trimmed,
)
from iopsim.report.wording import break_even_text, interval_ends

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

    from iopsim.report.tables import Estimated, Results
    from iopsim.scenario.money import InpatientAlternative

__all__ = ["Costs", "Share", "alternative", "plot_break_even", "plot_costs"]

_MOST_SOURCES = 8  # of which the shares are shown
_MOST_SENTENCES = 3  # more nobody reads


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


class Share(NamedTuple):
    """From which share of some starters on the program pays, and the share that is assumed."""

    starters: str
    pays_from: Estimated
    assumed: float

    def __str__(self) -> str:
        share = self.pays_from.estimate, self.pays_from.low, self.pays_from.high
        return break_even_text(share, self.assumed, self.starters)


def alternative(results: Results) -> list[Drawing]:
    """Cost per day and per episode beside inpatient care, and from which share of starters on it pays."""
    assumed = results.scenario.money.inpatient_alternative
    names = ("difference.per_day", "difference.per_episode", "break_even_share")
    found = [
        results.summary[name] for name in (f"alternative.{name}" for name in names) if name in results.summary
    ]
    if assumed is None or len(found) < 3 or any(math.isnan(one.estimate) for one in found):
        return []
    by_day, by_episode, _ = found
    day = Costs.of(assumed.saved_per_day, by_day)
    saved = assumed.saved_per_day * assumed.stay_days * (1 - assumed.outcome_difference)
    episode = Costs.of(saved, by_episode)
    every = _shares(results, assumed)
    shares, left_out = foremost(
        every,
        _MOST_SOURCES,
        lambda share: -share.pays_from.estimate,
        "sources that pay from the least share on; all stand in summary.csv",
    )
    currency = results.scenario.currency
    title = (
        f"A program day costs {trimmed(day.program)} {currency}, an inpatient day {trimmed(day.inpatient)}"
    )
    sentence = ". ".join(map(str, shares if len(shares) <= _MOST_SENTENCES else [_of_all(results)]))
    note = (
        f"{sentence}. Arithmetic on a stated assumption about {_whose(results, assumed)}, not a measured effect."
        f"{left_out}"
    )
    figure = sheet(title, note, 4.2 + 0.2 * len(shares), _marks())
    grid = figure.add_gridspec(2, 2, height_ratios=[3.2, 0.8 + 0.2 * len(shares)])
    program = "Program,\nattended day", "Program, all stays\nof a starter"
    inpatient = "Inpatient\nday", f"Inpatient,\n{assumed.stay_days:g} days"
    for at, (costs, per) in enumerate(((day, "day"), (episode, "episode"))):
        axes = plot_costs(figure.add_subplot(grid[0, at]), costs, (program[at], inpatient[at]))
        measure(axes.yaxis, f"{currency} per {per}", f"{currency} per {per}")
    plot_break_even(figure.add_subplot(grid[1, :]), shares)
    alt = (
        f"Bars of cost in {currency}, the program's beside inpatient care's: {day} a day, {episode} an episode; "
        f"{sentence[0].lower()}{sentence[1:]}."
    )
    return [Drawing("cost-beside-inpatient", title, alt, figure)]


def _whose(results: Results, assumed: InpatientAlternative) -> str:
    says, sources = results.scenario.says, results.scenario.sources
    names = [says(sources, name) for name in assumed.for_]
    text = f"starters from {listed_or_counted(names, len(sources), 'sources')}"
    if assumed.saved_per_day < assumed.cost_per_day:
        share = trimmed(assumed.marginal_share, "share")
        text += f" and about beds that stay open, so that an inpatient day saves {share} of its cost"
    if assumed.outcome_difference:
        more = "more" if assumed.outcome_difference > 0 else "fewer"
        text += f" and about {abs(assumed.outcome_difference):g} {more} inpatient episodes later on for each diverted"
    return text


def _shares(results: Results, assumed: InpatientAlternative) -> list[Share]:
    """Source by source, those without starters left out; a single one is all there are."""
    if len(assumed.for_) == 1:
        return [
            Share(
                "starters", results.summary["alternative.break_even_share"], assumed.share_of(assumed.for_[0])
            )
        ]
    says, sources = results.scenario.says, results.scenario.sources
    shares = [
        Share(f"starters from {in_a_sentence(says(sources, name))}", found, assumed.share_of(name))
        for name in assumed.for_
        if (found := results.summary.get(f"{name}.alternative.break_even_share"))
    ]
    return [share for share in shares if not math.isnan(share.pays_from.estimate)]


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]


def _of_all(results: Results) -> str:
    """The share of all sources together: where there are many, what each is assumed to have says little."""
    found = results.summary["alternative.break_even_share"]
    return (
        f"The program pays if {trimmed(found.estimate, 'share')} of all starters would otherwise be inpatients"
        if found.estimate <= 1
        else "The program costs more than it saves even if all starters would otherwise be inpatients"
    )


def _marks() -> list[tuple[Artist, str]]:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    return [
        (Line2D([], [], color=INK, marker="|", markersize=8), ESTIMATE),
        (Line2D([], [], color=INK, marker="D", linestyle=""), "share assumed"),
        (Patch(facecolor=VERMILLION, alpha=0.3), "program costs more than it saves"),
        (Patch(facecolor=GREEN, alpha=0.5, hatch="\\\\\\\\"), "program saves more than it costs"),
    ]


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


def plot_break_even(axes: Axes, shares: Sequence[Share]) -> Axes:
    """The shares at which the program costs more, and saves more, than inpatient care; and those assumed."""
    for row, (_, pays_from, assumed) in enumerate(shares):
        turn = min(pays_from.estimate, 1.0)
        axes.barh(row, turn, height=0.8, color=VERMILLION, alpha=0.3)
        axes.barh(
            row,
            1 - turn,
            left=turn,
            height=0.8,
            color=GREEN,
            alpha=0.5,
            hatch="\\\\\\\\",
            edgecolor="white",
            linewidth=0,
        )
        if pays_from.estimate <= 1 and not math.isnan(pays_from.low + pays_from.high):
            low, high = interval_ends(pays_from.low, pays_from.high, "share")
            axes.hlines(row, low, high, color=INK)
            axes.vlines((low, high), row - 0.15, row + 0.15, color=INK)
        axes.plot(assumed, row, "D", color=INK, markersize=7, clip_on=False)
    axes.set_xlim(0, 1)
    axes.set_ylim(len(shares) - 0.5, -0.5)
    axes.set_yticks([])
    if len(shares) > 1:
        axes.set_yticks(
            range(len(shares)),
            [
                "\n".join(fitted(_capital(share.starters.removeprefix("starters from ")), 2, 10))
                for share in shares
            ],
        )
        axes.tick_params(axis="y", length=0)
    axes.grid(visible=False)
    axes.spines["left"].set_visible(False)
    measure(axes.xaxis, "Share of starters who would otherwise be inpatients", "share")
    return axes
