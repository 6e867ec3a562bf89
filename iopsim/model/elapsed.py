"""What is left of a law of days, given that some have passed."""

from __future__ import annotations

from math import inf, log, log1p
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from iopsim.scenario.distributions import Law

__all__ = ["given_elapsed", "spent"]


def given_elapsed(law: Law, elapsed: float, uniform: float) -> float:
    """The quantile of a law of days, given that so many have passed; never less than those."""
    if not elapsed:
        return law.quantile(uniform)
    so_far = spent(law, None, elapsed)
    return max(elapsed, law.hazard_time(so_far - log1p(-uniform))) if so_far < inf else elapsed


def spent(law: Law | None, per_week: float | None, days: float) -> float:
    """The cumulative hazard of a law, or of a weekly share, after so many days."""
    if law is None:
        return -log1p(-(per_week or 0)) * int(days / 7)
    left = law.survival(days) if days else 1.0
    return -log(left) if left > 0 else inf
