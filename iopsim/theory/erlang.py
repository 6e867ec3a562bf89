"""Erlang's formulas for patients who need one of a number of places.

Joint limits need no formula of their own: an admission that needs a seat and a therapist with room, both kept
for the whole stay, is an M/M/c queue with c the smaller of seats and caseload. Pure Python, because checks at
start-up use it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

__all__ = ["ErlangC", "erlang_b", "erlang_c", "mmc"]


@dataclass(frozen=True, slots=True)
class ErlangC:
    """The steady state of an M/M/c queue.

    Attributes:
        wait_share: Share of patients who wait at all.
        mean_wait_days: Mean wait, zero waits included.
        mean_waiting: Mean number of patients waiting.
        utilization: Share of the places in use.
        drain_per_day: Rate at which a waitlist shortens while all places are in use: service less arrivals.
    """

    wait_share: float
    mean_wait_days: float
    mean_waiting: float
    utilization: float
    drain_per_day: float

    def wait_tail(self, days: float) -> float:
        """Share of patients who wait more than `days`, first come first served.

        Source: Gross, Shortle, Thompson & Harris, Fundamentals of Queueing Theory, 4th ed., §2.3.
        """
        return self.wait_share * math.exp(-self.drain_per_day * days)


def erlang_b(servers: int, offered_load: float) -> float:
    """Share of arrivals refused when nobody waits (M/G/c/c), whatever the law of the stay.

    Args:
        servers: Number of places.
        offered_load: Arrivals per day times mean stay in days.

    Raises:
        ValueError: `servers` or `offered_load` is negative or not finite.

    Source: Erlang (1917); the recursion in Cooper, Introduction to Queueing Theory, 2nd ed. (1981), ch. 3;
    insensitivity to the stay's law, Sevastyanov (1957).
    """
    if servers < 0 or not 0 <= offered_load < math.inf:
        raise ValueError(f"servers and offered load must be 0 or more, got {servers} and {offered_load}")
    blocking = 1.0
    for places in range(1, servers + 1):
        blocking *= offered_load / (places + offered_load * blocking)
    return blocking


def erlang_c(servers: int, offered_load: float) -> float:
    """Share of arrivals who wait when all wait as long as it takes (M/M/c).

    Raises:
        ValueError: The load is not below the number of places, so that the waitlist grows forever.

    Source: Cooper, Introduction to Queueing Theory, 2nd ed. (1981), ch. 3: C from B.
    """
    blocking = erlang_b(servers, offered_load)
    if offered_load >= servers:
        raise ValueError(
            f"a load of {offered_load} needs more places than {servers}: the waitlist never settles"
        )
    return servers * blocking / (servers - offered_load * (1 - blocking))


def mmc(arrivals_per_day: float, mean_stay_days: float, servers: int) -> ErlangC:
    """The steady state of M/M/c: Poisson arrivals, exponential stays, `servers` places, patience without end.

    Raises:
        ValueError: The offered load is not below `servers`, or an input is out of range.

    Source: Gross, Shortle, Thompson & Harris, Fundamentals of Queueing Theory, 4th ed., §2.3.
    """
    if not 0 < mean_stay_days < math.inf:
        raise ValueError(f"mean stay must be above 0 days and finite, got {mean_stay_days}")
    offered_load = arrivals_per_day * mean_stay_days
    wait_share = erlang_c(servers, offered_load)
    drain_per_day = servers / mean_stay_days - arrivals_per_day
    mean_wait_days = wait_share / drain_per_day
    return ErlangC(
        wait_share=wait_share,
        mean_wait_days=mean_wait_days,
        mean_waiting=arrivals_per_day * mean_wait_days,
        utilization=offered_load / servers,
        drain_per_day=drain_per_day,
    )
