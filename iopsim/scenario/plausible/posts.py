"""Posts as they are filled on average in the measured window, with departures, hiring, onboarding and leaves."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from iopsim.scenario.staff import Absence

if TYPE_CHECKING:
    from iopsim.scenario.schema import Role, Run, Scenario

__all__ = ["Posts", "posts_of"]


@dataclass(frozen=True, slots=True)
class Posts:
    """Mean numbers of posts of a role in the window.

    Attributes:
        filled: Whose holder is there.
        carrying: The same in whole caseloads: a new holder's grows from nothing in the onboarding.
    """

    filled: float
    carrying: float


def posts_of(scenario: Scenario, role: str) -> Posts:
    """Posts less what turnover leaves empty in the long run, and less what dated leaves do in the window.

    With turnover at λ a day and h days to hire, a post is filled for 1 ÷ (1 + λh) of the time. Onboarding that takes w
    days, as far as the holder stays, takes ∫₀ʷ (1 − t/w) exp(−λt) dt days of a whole caseload from each tenure.
    """
    spec, run = scenario.staff[role], scenario.run
    if not spec.comes_and_goes:
        return Posts(spec.posts, spec.posts)
    per_day = spec.turnover_per_year / 365
    filled = spec.posts / (1 + per_day * _hiring_days(spec))
    carrying = filled * (1 - per_day * 7 * spec.onboarding_weeks * _ramp(per_day * 7 * spec.onboarding_weeks))
    away, learning = _dated(spec, run)
    return Posts(max(filled - away, 0.0), max(carrying - away - learning, 0.0))


def _hiring_days(spec: Role) -> float:
    return spec.days_to_hire.mean if spec.days_to_hire else 0.0


def _ramp(x: float) -> float:
    """∫₀¹ (1 − u) exp(−xu) du: the part of an onboarding that is lost."""
    return (x + math.expm1(-x)) / x**2 if x > 1e-4 else 1 / 2 - x / 6


def _dated(spec: Role, run: Run) -> tuple[float, float]:
    """Posts that dated leaves keep empty, and caseloads that their successors do not carry yet; window means."""
    window_days, away, learning = 7 * run.weeks, 0.0, 0.0
    for leave in spec.leaves:
        first = leave.from_ if isinstance(leave, Absence) else leave
        if first < run.opening and not isinstance(leave, Absence):
            continue  # the clinic opens with all posts filled
        begin = float((first - run.start).days)
        if isinstance(leave, Absence):
            end, onboarding_days = float((leave.until + dt.timedelta(days=1) - run.start).days), 0.0
        else:
            end, onboarding_days = begin + _hiring_days(spec), 7 * spec.onboarding_weeks
        away += _within(begin, window_days) - _within(end, window_days)
        learning += _unlearned(end, onboarding_days, window_days)
    return away / window_days, learning / window_days


def _within(day: float, window_days: float) -> float:
    """Days of the window that lie after `day`."""
    return min(max(window_days - day, 0.0), window_days)


def _unlearned(begin: float, onboarding_days: float, window_days: float) -> float:
    """Days of a whole caseload lost in the window to an onboarding that begins on a day."""
    if not onboarding_days:
        return 0.0

    def lost_after(day: float) -> float:
        left = min(max(1 - (day - begin) / onboarding_days, 0.0), 1.0)
        return onboarding_days * left**2 / 2

    return lost_after(0.0) - lost_after(window_days)
