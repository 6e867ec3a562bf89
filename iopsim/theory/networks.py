"""Levels among which patients go by chance, some of them again and again: how often each level is visited."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["visits"]


def visits(first: Mapping[str, float], onward: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """Mean number of stays in each level: a day, if `first` are rates; of a patient, if they are shares.

    With Poisson referrals, exponential stays and as much patience as it takes, each level is then an M/M/c
    queue of its own at this rate, as if the others were not there; and any law of the stay does where there
    is room for everybody. What is away from all levels before coming back is such a place too.

    Args:
        first: Referrals from outside, by level.
        onward: For each level, the shares of its stays that are followed by one in another level, or in the
            same one; the rest leaves for good.

    Raises:
        ValueError: A share is below 0, or there is a level from which nobody ever leaves for good.

    Source: Jackson (1957), Operations Research 5(4), 518–521: traffic equations and product form; Baskett,
    Chandy, Muntz & Palacios (1975), Journal of the ACM 22(2), 248–260: places with room for everybody.
    """
    levels = list(dict.fromkeys([*first, *onward, *(to for shares in onward.values() for to in shares)]))
    flow = np.array([[onward.get(here, {}).get(there, 0.0) for here in levels] for there in levels])
    outside = np.array([first.get(level, 0.0) for level in levels])
    if (flow < 0).any() or (np.abs(np.linalg.eigvals(flow)) >= 1 - 1e-12).any():
        raise ValueError("need shares of 0 or more, and a way out of every level")
    rates = np.linalg.solve(np.eye(len(levels)) - flow, outside)
    return dict(zip(levels, rates.tolist(), strict=True))
