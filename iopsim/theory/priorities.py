"""Priority classes that share places: a higher class is admitted first, nobody is put out."""

from __future__ import annotations

import math
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

from iopsim.theory.erlang import erlang_c

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["cobham"]


def cobham(arrivals_per_day: Sequence[float], mean_stay_days: float, servers: int) -> list[float]:
    """Mean wait in days of each priority class in an M/M/c queue with one law of stay for all.

    Args:
        arrivals_per_day: Poisson rates, the class that goes first listed first.
        mean_stay_days: Mean of the exponential stay.
        servers: Number of places.

    Returns:
        Mean waits in the order given, zeros included; infinite for a class that finds the places overloaded.

    Raises:
        ValueError: A rate is negative, the mean stay not above 0, or there is no place.

    Source: Cobham (1954), Operations Research 2(1), 70–76. When the classes together overload the places, all
    are always in use, so that the higher classes wait as behind a server that is never free.
    """
    if min(arrivals_per_day, default=0) < 0 or not mean_stay_days > 0 or servers < 1:
        raise ValueError("rates must be 0 or more, mean stay above 0 and servers at least 1")
    loads = list(accumulate((rate * mean_stay_days for rate in arrivals_per_day), initial=0.0))
    all_in_use = erlang_c(servers, loads[-1]) if loads[-1] < servers else 1.0
    until_release_days = all_in_use * mean_stay_days / servers
    return [
        until_release_days / ((1 - before / servers) * (1 - upto / servers)) if upto < servers else math.inf
        for before, upto in pairwise(loads)
    ]
