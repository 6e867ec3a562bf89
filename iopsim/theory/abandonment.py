"""Erlang A: patients wait for a place in order of joining, and give up when their patience ends."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import betainc, gammainc

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["ErlangA", "erlang_a"]

_NEGLIGIBLE = 1e-30
"""States this much rarer than the most likely one are left out."""


@dataclass(frozen=True, slots=True)
class ErlangA:
    """The steady state of an M/M/c+M queue, first come first served.

    Attributes:
        wait_share: Share of patients who find all places in use.
        renege_share: Share of patients who give up waiting.
        mean_waiting: Mean number of patients waiting.
        mean_in_care: Mean census.
        mean_wait_days_of_all: Mean time on the waitlist, zeros and those who give up included.
        mean_wait_days_of_starters: The same over those who start, zeros included.
        mean_wait_days_of_renegers: The same over those who give up; NaN when nobody does.
    """

    wait_share: float
    renege_share: float
    mean_waiting: float
    mean_in_care: float
    mean_wait_days_of_all: float
    mean_wait_days_of_starters: float
    mean_wait_days_of_renegers: float
    _serve_per_day: float = field(repr=False)
    _renege_per_day: float = field(repr=False)
    _start_share_by_ahead: tuple[float, ...] = field(repr=False)

    def started_within(self, days: float) -> float:
        """Share of all who join, renegers included, who start within `days` of joining.

        A starter who found j waiting ahead waits a sum of exponentials with rates s + θ, …, s + (j + 1)θ,
        where s is the service rate of all places and θ the reneging rate; exp(−θ × sum) then has a beta law.

        Source: derived from the birth–death chain; Rényi's representation of exponential order statistics
        (1953).
        """
        ahead = np.arange(len(self._start_share_by_ahead))
        if self._renege_per_day:
            reneged_meanwhile = -math.expm1(-self._renege_per_day * days)
            reached = betainc(ahead + 1, self._serve_per_day / self._renege_per_day + 1, reneged_meanwhile)
        else:
            reached = gammainc(ahead + 1, self._serve_per_day * days)
        return 1 - self.wait_share + float(reached @ np.array(self._start_share_by_ahead))


def erlang_a(
    arrivals_per_day: float, mean_stay_days: float, servers: int, mean_patience_days: float
) -> ErlangA:
    """The steady state of M/M/c+M: Poisson arrivals, exponential stays and exponential patience.

    Somebody who waits with j ahead meets the next change at rate s + (j + 1)θ, whatever it turns out to be:
    giving up (θ) or moving up in line (s + jθ). So the wait ends in care with probability s ÷ (s + (j + 1)θ),
    in giving up at each place in line with probability θ ÷ (s + (j + 1)θ), and the times between changes do
    not depend on which.

    Args:
        arrivals_per_day: Poisson rate, above 0.
        mean_stay_days: Mean of the exponential stay.
        servers: Number of places, at least 1.
        mean_patience_days: Mean of the exponential patience; infinite is Erlang C.

    Raises:
        ValueError: An input is out of range, or patience is infinite and the load not below `servers`.

    Source: Palm (1957); Garnett, Mandelbaum & Reiman (2002), Manufacturing & Service Operations Management
    4(3), 208–227; waits by the first-step argument above.
    """
    if not (min(arrivals_per_day, mean_stay_days, mean_patience_days) > 0 and servers >= 1):
        raise ValueError("arrivals, mean stay and mean patience must be above 0, servers at least 1")
    serve_per_day, renege_per_day = servers / mean_stay_days, 1 / mean_patience_days
    if renege_per_day == 0 and arrivals_per_day >= serve_per_day:
        raise ValueError(
            f"{servers} places are too few for arrivals that never give up: the waitlist never settles"
        )
    census_shares = _census_shares(arrivals_per_day, 1 / mean_stay_days, servers, renege_per_day)
    found = census_shares[servers:]
    ahead = np.arange(len(found))
    next_per_day = serve_per_day + (ahead + 1) * renege_per_day
    start = found * serve_per_day / next_per_day
    give_up = found * renege_per_day / next_per_day
    renege_share = float(give_up @ (ahead + 1))
    mean_waiting = float(found @ ahead)
    return ErlangA(
        wait_share=float(found.sum()),
        renege_share=renege_share,
        mean_waiting=mean_waiting,
        mean_in_care=float(census_shares @ np.minimum(np.arange(len(census_shares)), servers)),
        mean_wait_days_of_all=mean_waiting / arrivals_per_day,
        mean_wait_days_of_starters=float(start @ np.cumsum(1 / next_per_day)) / (1 - renege_share),
        mean_wait_days_of_renegers=(
            float(give_up @ np.cumsum((ahead + 1) / next_per_day)) / renege_share
            if renege_share
            else math.nan
        ),
        _serve_per_day=serve_per_day,
        _renege_per_day=renege_per_day,
        _start_share_by_ahead=tuple(start.tolist()),
    )


def _census_shares(
    arrivals_per_day: float, finish_per_day: float, servers: int, renege_per_day: float
) -> NDArray[np.float64]:
    """Probability of 0, 1, 2 … patients in care or waiting, worked outward from the most likely number.

    From there every ratio of neighbors is at most 1, so nothing overflows and nothing cancels.
    """

    def departures_per_day(patients: int) -> float:
        return min(patients, servers) * finish_per_day + max(patients - servers, 0) * renege_per_day

    surplus_per_day = arrivals_per_day - servers * finish_per_day
    mode = (
        servers + int(surplus_per_day / renege_per_day)
        if surplus_per_day > 0
        else int(arrivals_per_day / finish_per_day)
    )
    below, above, patients = [1.0], [1.0], mode
    while above[-1] > _NEGLIGIBLE or patients <= servers:
        patients += 1
        above.append(above[-1] * arrivals_per_day / departures_per_day(patients))
    for patients in range(mode, 0, -1):
        below.append(below[-1] * departures_per_day(patients) / arrivals_per_day)
    weights = np.array(below[:0:-1] + above)
    return weights / math.fsum(weights)
