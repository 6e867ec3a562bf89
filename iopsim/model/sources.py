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

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from iopsim.model.timeline import Timeline
    from iopsim.scenario.schema import Scenario

__all__ = ["choose", "patients", "table"]


def table(shares: Mapping[str, float], names: Sequence[str]) -> tuple[list[float], list[int]]:
    """A share table for `choose`: cumulative shares, and the index in `names` of each entry (home is −1)."""
    indexes = [names.index(name) if name in names else -1 for name in shares]
    return list(accumulate(shares.values())), indexes


def choose(shares: tuple[list[float], list[int]], uniform: float) -> int:
    """The entry of a share table on which a uniform number falls."""
    cumulative, indexes = shares
    return indexes[min(bisect_left(cumulative, uniform * cumulative[-1]), len(indexes) - 1)]


def patients(scenario: Scenario, timeline: Timeline, draws: Draws, times: Sequence[str]) -> list[Patient]:
    """Everybody who is referred by a source during the run, in the order of their identity.

    Args:
        scenario: Its sources say how many and who.
        timeline: The calendar.
        draws: The replication's random numbers.
        times: Names of the time preferences, in the order of their indexes.
    """
    people: list[Patient] = []
    for number, (name, source) in enumerate(scenario.sources.items()):
        traits = {
            "track": table(scenario.track_shares(source), list(scenario.tracks)),
            "time": table(source.times, times),
            "payer": table(scenario.payer_shares(source), list(scenario.payers)),
        }
        rates = timeline.rates(source)
        growth = 1 + source.growth_per_year
        top = float(rates.max(initial=0.0)) * max(1.0, growth ** (timeline.last / 365))
        for height in range(int(np.ceil(top))):
            # The cells after the start and before it (numbered −1, −2, …) are filled away from the start, so
            # that a longer warm-up or run-out only adds people.
            for cell_number, span in ((height, timeline.last), (-1 - height, -timeline.first)):
                candidates = _candidates(draws, name, cell_number, span)
                cell = Cell(name, cell_number, len(candidates))
                when = candidates if cell_number >= 0 else -candidates
                rows = _referred(draws, cell, when, height, rates, timeline.first, growth)
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
                        payer=choose(traits["payer"], drawn["payer"][row]),
                        referred=float(when[row]),
                        entries=[0] * len(scenario.levels),
                    )
                    for place, row in enumerate(rows)
                )
    return people


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
