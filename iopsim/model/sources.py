"""Referrals: points of a Poisson process on time × height, kept where the height is below the rate (model.md §3).

Raising a source's rate uncovers more points and lowering it hides some; nobody moves and nobody changes.
"""

from __future__ import annotations

from bisect import bisect_left
from itertools import accumulate
from typing import TYPE_CHECKING

import numpy as np

from iopsim.model.draws import Cell, Draws
from iopsim.model.people import Patient
from iopsim.model.timeline import Timeline

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from iopsim.scenario.schema import Scenario, Source

__all__ = ["choose", "patients", "referred", "table"]


def table(shares: Mapping[str, float], names: Sequence[str]) -> tuple[list[float], list[int]]:
    """A share table for `choose`: cumulative shares, and the index in `names` of each entry (home is −1)."""
    indexes = [names.index(name) if name in names else -1 for name in shares]
    return list(accumulate(shares.values())), indexes


def choose(shares: tuple[list[float], list[int]], uniform: float) -> int:
    """The entry of a share table on which a uniform number falls."""
    cumulative, indexes = shares
    return indexes[min(bisect_left(cumulative, uniform * cumulative[-1]), len(indexes) - 1)]


def patients(
    scenario: Scenario, timeline: Timeline, draws: Draws, times: Sequence[str], modalities: Sequence[str]
) -> list[Patient]:
    """Everybody who is referred by a source during the run, in the order of their identity.

    Args:
        scenario: Its sources say how many and who.
        timeline: The calendar.
        draws: The replication's random numbers.
        times: Names of the time preferences, in the order of their indexes.
        modalities: Names of the modalities, in the order of their indexes.
    """
    people: list[Patient] = []
    for number, (name, source) in enumerate(scenario.sources.items()):
        traits = {
            "track": table(scenario.track_shares(source), list(scenario.tracks)),
            "time": table(source.times, times),
            "modality": table(source.modalities, modalities),
            "payer": table(scenario.payer_shares(source), list(scenario.payers)),
        }
        for cell, when, rows in _cells(name, source, timeline, draws):
            drawn = {trait: draws.block(cell, trait) for trait in traits}
            first = len(people)
            people.extend(
                Patient(
                    index=first + place,
                    source=number,
                    cell=cell,
                    row=row,
                    track=choose(traits["track"], drawn["track"][row]),
                    time=choose(traits["time"], drawn["time"][row]),
                    modality=choose(traits["modality"], drawn["modality"][row]),
                    payer=choose(traits["payer"], drawn["payer"][row]),
                    referred=float(when[row]),
                    entries=[0] * len(scenario.levels),
                )
                for place, row in enumerate(rows)
            )
    return people


def referred(scenario: Scenario, replication: int) -> set[tuple[str, int, int]]:
    """Who is referred during the run, each as (source, height cell, ordinal): the same person in every plan."""
    timeline, draws = Timeline(scenario), Draws(scenario.run.seed, replication)
    return {
        (name, cell.number, row)
        for name, source in scenario.sources.items()
        for cell, _, rows in _cells(name, source, timeline, draws)
        for row in rows
    }


def _cells(
    name: str, source: Source, timeline: Timeline, draws: Draws
) -> Iterator[tuple[Cell, NDArray[np.float64], list[int]]]:
    """Every cell of a source: itself, the instants of its candidates, and the rows of those who are referred."""
    rates = timeline.rates(source)
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
) -> list[int]:
    """Rows of the candidates whose height is at most the rate of their instant; growth is 1 before the start."""
    days = np.floor(when).astype(np.int64) - first
    inside = (days >= 0) & (days < len(rates))
    rate = rates[np.clip(days, 0, len(rates) - 1)] * growth ** (np.maximum(when, 0.0) / 365)
    heights = height + np.frombuffer(draws.block(cell, "height"), dtype=np.float64)
    return [int(row) for row in np.flatnonzero(inside & (heights <= rate))]
