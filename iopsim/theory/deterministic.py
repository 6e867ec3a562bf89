"""Stays or starts at fixed times: M/D/c, closed cohorts that start every so many days, a group with a minimum.

The first two are one walk. Every D days, up to c of those who wait are taken, so the number left behind moves as
max(left + Poisson(a) − c, 0), with a the arrivals expected in D days.
"""

from __future__ import annotations

import numpy as np
from scipy.special import lambertw, pdtr

__all__ = ["cohort_wait", "mdc_wait", "minimum_census_wait"]


def mdc_wait(arrivals_per_day: float, stay_days: float, servers: int) -> float:
    """Mean wait in days of an M/D/c queue, zeros included: Poisson arrivals, all stays of the same length.

    Raises:
        ValueError: The offered load is not below `servers`, or an input is not above 0.

    Source: Crommelin (1932), Post Office Electrical Engineers' Journal 25, 41–50; in roots, Janssen & van
    Leeuwaarden (2008), Statistica Neerlandica 62(3), 299–313.
    """
    return _mean_left_behind(arrivals_per_day, stay_days, servers) / arrivals_per_day


def cohort_wait(arrivals_per_day: float, every_days: float, seats: int) -> float:
    """Mean wait in days from joining to the start of a closed cohort of `seats`, one every `every_days`.

    Raises:
        ValueError: More join between two starts than a cohort seats, or an input is not above 0.

    Source: Bailey (1954), Journal of the Royal Statistical Society B 16(1), 80–87: bulk service at fixed
    times. To those left behind at a start add half of those who join before the next, then Little's law.
    """
    return _mean_left_behind(arrivals_per_day, every_days, seats) / arrivals_per_day + every_days / 2


def minimum_census_wait(arrivals_per_day: float, every_days: float, least: int) -> float:
    """Mean wait in days to a session, one every `every_days`, that is held when `least` or more have come for it.

    Then all of them start, so that every session held is a fresh beginning. After k periods without one, those
    who have come wait for one more period: Poisson(k a) of them, if fewer than `least`.

    Raises:
        ValueError: An input is not above 0.

    Source: Little's law over the cycle from one session held to the next (Cox, Renewal Theory, 1962, ch. 2);
    half a period for those who come in it, a period more for each time that they are sent away.
    """
    if not (arrivals_per_day > 0 and every_days > 0 and least >= 1):
        raise ValueError("arrivals, days and the least number must be above 0")
    load = arrivals_per_day * every_days
    came = load * np.arange(int((least + 40) / load) * 2 + 40)  # expected after so many periods
    periods = pdtr(least - 1, came).sum()
    sent_away = (
        (came * pdtr(least - 2, came)).sum() if least > 1 else 0.0
    )  # E[N; N < m] = mean × P(N < m − 1)
    return float(every_days / 2 + every_days * sent_away / (load * periods))


def _mean_left_behind(arrivals_per_day: float, period_days: float, taken: int) -> float:
    """Mean of the walk in steady state, from the roots of z^c = exp(a(z − 1)) within the unit circle."""
    if not (arrivals_per_day > 0 and period_days > 0 and taken >= 1):
        raise ValueError("arrivals, days and the number of places must be above 0")
    load = arrivals_per_day * period_days
    if load >= taken:
        raise ValueError(f"a load of {load} needs more places than {taken}: the waitlist never settles")
    use = load / taken
    unit_roots = np.exp(2j * np.pi * np.arange(1, taken) / taken)
    roots = -lambertw(-use * np.exp(-use) * unit_roots) / use
    mean = load / (2 * (taken - load)) - (load + taken - 1) / 2 + np.sum(1 / (1 - roots)).real
    return max(float(mean), 0.0)
