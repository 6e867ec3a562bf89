"""Referrals: points of a Poisson process on time × height, kept where the height is below the rate (model.md §3).

Raising a source's rate uncovers more points and lowering it hides some; nobody moves and nobody changes. A source
that replays a file has its rows for people instead: all in one height cell, in order of date.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from iopsim.model.draws import Cell, Draws
from iopsim.model.people import AT_HOME, Patient
from iopsim.model.timeline import Timeline, in_days
from iopsim.scenario.trace import trait_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from iopsim.scenario.schema import Scenario, Source
    from iopsim.scenario.trace import Trace

Ints = NDArray[np.signedinteger[Any]]

_TOGETHER: Final = 64  # calendar weeks whose numbers are drawn from one generator
_LAST_INSTANT: Final = 1 - 2.0**-20  # of a day
_COLUMNS: Final = 8  # of `Referrals.columns`
_A_PAGE: Final = 1024  # referrals that are turned into plain numbers at once
_NOBODY: Final = 1e-9  # referrals in a week: with fewer expected, they are left as they are

__all__ = ["Referrals", "choose", "destination", "referrals", "referred", "table"]


def destination(name: str, names: Sequence[str]) -> int:
    """The index of a name; home, which is none of them, is −1."""
    return names.index(name) if name in names else AT_HOME


def table(shares: Mapping[str, float], names: Sequence[str]) -> tuple[list[float], list[int]]:
    """A share table for `choose`: cumulative shares, and the index in `names` of each entry (home is −1)."""
    return list(accumulate(shares.values())), [destination(name, names) for name in shares]


def choose(shares: tuple[list[float], list[int]], uniform: float) -> int:
    """The entry of a share table on which a uniform number falls."""
    cumulative, indexes = shares
    return indexes[min(bisect_left(cumulative, uniform * cumulative[-1]), len(indexes) - 1)]


@dataclass(frozen=True, slots=True)
class Referrals:
    """Everybody who is referred by a source during the run, in the order in which they come, ties by identity.

    Attributes:
        cells: The height cells that they are of.
        columns: For each of them: identity, source, place in `cells`, ordinal, and the four traits; (8, referrals).
        when: The instants; shape (referrals,).
    """

    cells: list[Cell]
    columns: Ints
    when: NDArray[np.float64]

    def patients(self, first: int) -> Iterator[Patient]:
        """The patients, each made as they come: who is not there yet takes no room; identities count from `first`."""
        for begin in range(0, len(self.when), _A_PAGE):
            page = slice(begin, begin + _A_PAGE)
            rows = zip(*self.columns[:, page].tolist(), self.when[page].tolist(), strict=True)
            for index, source, cell, row, track, time, modality, payer, when in rows:
                yield Patient(
                    first + index, source, self.cells[cell], row, track, time, modality, payer, when
                )


def referrals(
    scenario: Scenario, timeline: Timeline, draws: Draws, times: Sequence[str], modalities: Sequence[str]
) -> Referrals:
    """Everybody who is referred by a source during the run; identities go by source, cell and ordinal.

    Args:
        scenario: Its sources say how many and who.
        timeline: The calendar.
        draws: The replication's random numbers.
        times: Names of the time preferences, in the order of their indexes.
        modalities: Names of the modalities, in the order of their indexes.
    """
    cells: list[Cell] = []
    pages = [np.empty((_COLUMNS, 0), np.int32)]
    instants = [np.empty(0)]
    names = {"track": [*scenario.tracks], "time": times, "modality": modalities, "payer": [*scenario.payers]}
    for number, (name, source) in enumerate(scenario.sources.items()):
        shares = {
            "track": scenario.track_shares(source),
            "time": scenario.time_shares(source),
            "modality": scenario.modality_shares(source),
            "payer": scenario.payer_shares(source),
        }
        told = _told(scenario, source.trace, names)
        tables = {trait: table(shares[trait], names[trait]) for trait in names if trait not in told}
        for cell, when, rows in _cells(name, source, timeline, draws):
            if not len(rows):
                continue
            traits = [
                _chosen(tables[trait], draws, cell, trait, rows) if trait in tables else told[trait][rows]
                for trait in names
            ]
            who = [np.full(len(rows), number), np.full(len(rows), len(cells)), rows, *traits]
            first = sum(len(instant) for instant in instants)
            pages.append(np.array([np.arange(first, first + len(rows)), *who], dtype=np.int32))
            instants.append(when[rows])
            cells.append(cell)
    columns, when = np.concatenate(pages, axis=1), np.concatenate(instants)
    order = np.argsort(when, kind="stable")
    return Referrals(cells, columns[:, order], when[order])


def _chosen(shares: tuple[list[float], list[int]], draws: Draws, cell: Cell, trait: str, rows: Ints) -> Ints:
    """A trait of those in some rows of a cell, as `choose` finds it; what all share needs no chance."""
    cumulative, indexes = shares
    if len(indexes) == 1:
        return np.full(len(rows), indexes[0])
    drawn = draws.block(cell, trait)[rows]
    places = np.searchsorted(cumulative, drawn * cumulative[-1])
    chosen: Ints = np.array(indexes)[np.minimum(places, len(indexes) - 1)]
    return chosen


def _told(scenario: Scenario, trace: Trace | None, names: Mapping[str, Sequence[str]]) -> dict[str, Ints]:
    """What a trace says of its patients: by trait and ordinal, the index in `names`."""
    told: dict[str, Ints] = {}
    if trace is not None:
        for trait in trace.told:
            index = {said: names[trait].index(name) for said, name in trait_of(scenario, trait).items()}
            told[trait] = np.array([index[said] for said in trace.said(trait)], dtype=np.int64)
    return told


def referred(scenario: Scenario, replication: int) -> set[tuple[str, int, int]]:
    """Who is referred during the run, each as (source, height cell, ordinal): the same person in every plan."""
    timeline, draws = Timeline(scenario), Draws(scenario.run.seed, replication)
    return {
        (name, cell.number, row)
        for name, source in scenario.sources.items()
        for cell, _, rows in _cells(name, source, timeline, draws)
        for row in rows.tolist()
    }


def _cells(
    name: str, source: Source, timeline: Timeline, draws: Draws
) -> Iterator[tuple[Cell, NDArray[np.float64], Ints]]:
    """Every cell of a source: itself, the instants of its candidates, and the rows of those who are referred."""
    if source.trace is not None:
        yield _replayed(name, source.trace, timeline, draws)
        return
    rates = timeline.rates(name)
    if source.dispersion > 1:
        rates *= _swings(name, source, timeline, draws)
    growth = 1 + source.growth_per_year
    top = float(rates.max(initial=0.0)) * max(1.0, growth ** (timeline.last / 365))
    for height in range(int(np.ceil(top))):
        # The cells after the start and before it (numbered −1, −2, …) are filled away from the start, so
        # that a longer warm-up or run-out only adds people.
        for number, span in ((height, timeline.last), (-1 - height, -timeline.first)):
            candidates = _candidates(draws, name, number, span)
            cell = Cell(name, number, len(candidates))
            when = candidates if number >= 0 else -candidates
            yield cell, when, _referred(draws, cell, when, height, rates, timeline.first, growth)


def _replayed(
    name: str, trace: Trace, timeline: Timeline, draws: Draws
) -> tuple[Cell, NDArray[np.float64], Ints]:
    """The only cell of a trace: its n-th candidate is the n-th row; of those without an hour it is drawn."""
    cell = Cell(name, 0, trace.count)
    when = np.full(trace.count, np.inf)
    rows = trace.between(timeline.date(timeline.first), timeline.date(timeline.last))
    instants = draws.block(cell, "instant")
    for row in rows:
        hour = trace.hour(row)
        instant = instants[row] if hour is None else in_days(hour)
        when[row] = timeline.day(trace.day(row)) + min(instant, _LAST_INSTANT)
    return cell, when, np.array(rows, dtype=np.int64)


def _swings(name: str, source: Source, timeline: Timeline, draws: Draws) -> NDArray[np.float64]:
    """What over-dispersion multiplies the rate of each simulated day by: a gamma variable of its calendar week.

    With mean 1 and variance (d − 1) ÷ m, where m referrals are expected, the number in a week is negative binomial
    of mean m and variance d·m (model.md §4). Where nobody is expected the factor is 1.

    Source: Johnson, Kemp and Kotz, Univariate Discrete Distributions, 3rd ed. (2005), §5.3.
    """
    from scipy.special import gammaincinv

    mondays, expected = timeline.weeks(name)
    weeks = timeline.week(int(mondays[0])) + np.arange(len(mondays))
    blocks = {
        block: draws.generator(name, block, "weeks").random(_TOGETHER)
        for block in set((weeks // _TOGETHER).tolist())
    }
    uniforms = np.array([blocks[week // _TOGETHER][week % _TOGETHER] for week in weeks.tolist()])
    shape = np.where(expected > _NOBODY, expected, 1.0) / (source.dispersion - 1)
    swings = np.where(expected > _NOBODY, gammaincinv(shape, uniforms) / shape, 1.0)
    by_day: NDArray[np.float64] = swings[(np.arange(timeline.first, timeline.last) - mondays[0]) // 7]
    return by_day


def _candidates(draws: Draws, source: str, cell: int, span: float) -> NDArray[np.float64]:
    """Distances in time from the start of a unit-rate Poisson process over `span` days."""
    generator = draws.generator(source, cell, "arrival")
    gaps = np.empty(0)
    while not len(gaps) or gaps.sum() <= span:
        more = int(span / 4 + 3 * span**0.5) + 16
        gaps = np.append(gaps, -np.log1p(-generator.random(more)))
    points = np.cumsum(gaps)
    return points[points < span]


def _referred(
    draws: Draws,
    cell: Cell,
    when: NDArray[np.float64],
    height: int,
    rates: NDArray[np.float64],
    first: int,
    growth: float,
) -> Ints:
    """Rows of the candidates whose height is at most the rate of their instant; growth is 1 before the start."""
    days = np.floor(when).astype(np.int64) - first
    inside = (days >= 0) & (days < len(rates))
    rate = rates[np.clip(days, 0, len(rates) - 1)] * growth ** (np.maximum(when, 0.0) / 365)
    heights = height + draws.block(cell, "height")
    return np.flatnonzero(inside & (heights <= rate))
