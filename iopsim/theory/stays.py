"""How long stays last, and the wait to the first session, in closed form or by a short recursion."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from iopsim.theory.integrals import integrate_decreasing

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = [
    "NextSession",
    "calendar_days",
    "discharge_shares",
    "mean_sessions",
    "mean_weeks",
    "restricted_mean",
    "sessions_to_consecutive_misses",
    "share_discharged",
    "wait_to_next_session",
    "weibull_survival",
]


def restricted_mean(survival: Callable[[float], float], limit_days: float) -> float:
    """Mean of the smaller of a random time and `limit_days`: a dropout law against a planned stay.

    Args:
        survival: Share that lasts longer than so many days; may jump, may not rise.
        limit_days: Planned length of the stay, finite.

    Raises:
        ValueError: `limit_days` is negative or not finite.

    Source: Irwin (1949), Journal of Hygiene 47(2), 188–189: the area under the survival curve up to the
    limit.
    """
    return integrate_decreasing(survival, 0.0, limit_days)


def weibull_survival(shape: float, scale_days: float) -> Callable[[float], float]:
    """Survival function of a Weibull law.

    Source: Weibull (1951), Journal of Applied Mechanics 18(3), 293–297: exp(−(days ÷ scale)^shape).
    """
    return lambda days: math.exp(-((days / scale_days) ** shape))


def calendar_days(survival: Callable[[float], float], mean_days: float) -> float:
    """Mean number of calendar days that a stay is charged for, when it begins at any time of day alike.

    A day is charged when the patient is there at its end; a stay that begins and ends on one day is charged
    for that day. With the time of day U uniform, the first are floor(U + stay), whose mean is the stay's, and
    the second come up with the probability that U + stay < 1.

    Source: the census at midnight, by which hospitals charge; derived.
    """
    return mean_days + 1 - restricted_mean(survival, 1.0)


def mean_weeks(stay_on: float, weeks: int) -> float:
    """Mean weeks in treatment of at most `weeks`, when a share `stay_on` goes on after each.

    Source: the geometric law, cut off: 1 + s + … + s^(weeks − 1).
    """
    return math.fsum(stay_on**week for week in range(weeks))


def sessions_to_consecutive_misses(p_attend: float, misses: int) -> float:
    """Mean number of scheduled sessions until the first run of `misses` missed ones, the run included.

    Each session is attended with probability p, independently. Infinite when p is 1.

    Source: Feller, An Introduction to Probability Theory I, 3rd ed., §XIII.7: (1 − q^k) ÷ (p q^k) with q = 1
    − p, summed here as q^−1 + … + q^−k, which also holds for p = 0.
    """
    _check_misses(p_attend, misses)
    return math.fsum((1 - p_attend) ** -run for run in range(1, misses + 1)) if p_attend < 1 else math.inf


def discharge_shares(p_attend: float, misses: int, sessions: int) -> tuple[float, ...]:
    """Share of patients whose first run of `misses` missed sessions ends at session 1, 2, … `sessions`.

    Source: Feller, as above; recursion over the current run of misses.
    """
    _check_misses(p_attend, misses)
    shares: list[float] = []
    by_run = [1.0] + [0.0] * (misses - 1)
    for _ in range(sessions):
        shares.append((1 - p_attend) * by_run[-1])
        by_run = [p_attend * math.fsum(by_run), *((1 - p_attend) * share for share in by_run[:-1])]
    return tuple(shares)


def share_discharged(p_attend: float, misses: int, sessions: int) -> float:
    """Share of patients with `misses` missed sessions in a row among their first `sessions`.

    Who completes with the last session even when it makes the run full is left out by asking for one session
    less.

    Source: as `discharge_shares`.
    """
    return math.fsum(discharge_shares(p_attend, misses, sessions))


def mean_sessions(p_attend: float, misses: int, sessions: int) -> float:
    """Mean number of scheduled sessions until discharge for `misses` missed in a row, or the end of the plan.

    Source: as `discharge_shares`.
    """
    shares = discharge_shares(p_attend, misses, sessions)
    shortfall = math.fsum((sessions - session) * share for session, share in enumerate(shares, start=1))
    return sessions - shortfall


@dataclass(frozen=True, slots=True)
class NextSession:
    """The wait from an instant chosen uniformly in the week to the next session.

    Attributes:
        gaps_days: Days between consecutive sessions of the week; they sum to 7.
        mean_days: Mean wait.
        second_moment_days2: Mean of the squared wait, in days squared.
    """

    gaps_days: tuple[float, ...]
    mean_days: float
    second_moment_days2: float

    def cdf(self, days: float) -> float:
        """Share of waits of at most `days`."""
        return math.fsum(min(gap, max(days, 0.0)) for gap in self.gaps_days) / 7


def wait_to_next_session(starts_in_week: Sequence[float]) -> NextSession:
    """The wait to the next of the sessions that start at these times each week, with a seat always free.

    Args:
        starts_in_week: Days from Monday 0:00, at least one, each from 0 to below 7; equal ones count once.

    Raises:
        ValueError: No start, or one outside the week.

    Source: Cox, Renewal Theory (1962), ch. 5: an instant falls into a gap in proportion to its length, and is
    uniform within it; moments Σ gap² ÷ (2 × 7) and Σ gap³ ÷ (3 × 7).
    """
    starts = sorted(set(starts_in_week))
    if not starts or not 0 <= starts[0] <= starts[-1] < 7:
        raise ValueError(
            f"session starts must be days from 0 to below 7, at least one, got {list(starts_in_week)}"
        )
    gaps = tuple(later - earlier for earlier, later in pairwise([*starts, starts[0] + 7]))
    return NextSession(
        gaps_days=gaps,
        mean_days=math.fsum(gap**2 for gap in gaps) / (2 * 7),
        second_moment_days2=math.fsum(gap**3 for gap in gaps) / (3 * 7),
    )


def _check_misses(p_attend: float, misses: int) -> None:
    if not 0 <= p_attend <= 1 or misses < 1:
        raise ValueError(f"need a share from 0 to 1 and at least one miss, got {p_attend} and {misses}")
