"""What becomes of one stay: how it ends, and how many days and sessions it takes until then.

A stay is followed through its *course*, a list of steps from session to session (or over a grid of days where
there are none), while completion, dropout, discharge and step-up take their shares of those still in care.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, NamedTuple

from iopsim.scenario.distributions import Constant, Discrete, Gamma
from iopsim.theory.stays import discharge_shares

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from iopsim.scenario.distributions import Law
    from iopsim.scenario.levels import Attendance, Care

__all__ = ["Fate", "fate"]

_NOBODY = 1e-7
_LAST_SESSION_DAYS = 1 / 8  # from the start of the last session to the end of care
_MOST_STEPS = 20_000
_EPSILON = 1e-9


@dataclass(frozen=True, slots=True)
class Fate:
    """How stays of one kind go, in means.

    Attributes:
        completed: Share that completes.
        left_early: Share that drops out or is discharged for missed sessions.
        stepped_up: Share that needs a more intensive level.
        days: Days that a place is occupied; in groups the way to the first session is part of it.
        sessions: Scheduled sessions had; 0 where there are no groups.
        in_care: (day, share still in care from then on), from the start of care.
    """

    completed: float
    left_early: float
    stepped_up: float
    days: float
    sessions: float
    in_care: tuple[tuple[float, float], ...]

    def deliveries(self, every_weeks: float) -> float:
        """How often something falls due that is due at the start of care and every so many weeks after."""
        every_days = 7 * every_weeks
        if self.days > 500 * every_days:
            return self.days / every_days
        dates = (every_days * number for number in range(int(self.in_care[-1][0] / every_days) + 1))
        return math.fsum(self.in_care[bisect_right(self.in_care, (date, math.inf)) - 1][1] for date in dates)


class _Step(NamedTuple):
    """A stretch of a stay: `days` long, begun by a session or not; with it a share completes its plan."""

    days: float
    is_session: bool
    completes: float = 0.0


def fate(care: Care, days_per_week: float, held: float = 1.0, plan: str = "scheduled", until: Law | None = None) -> Fate:
    """Follow the stays of one kind of patient.

    What waiting does to dropout (`per_week_waited`) and places held after treatment are left out; with
    `plan: attended` everybody is taken to attend at the mean rate.

    Args:
        care: How they are treated.
        days_per_week: Sessions a week where phases do not say; 0 for a level without groups.
        held: Share of the scheduled sessions that are not cancelled by a closed day.
        plan: What phases count, scheduled or attended sessions.
        until: When they are called away, if they are.
    """
    stay, early = care.stay_days, care.leave_early
    step_up = early.step_up
    laws = (stay, early.dropout, step_up and step_up.after_days, until)
    survivals = [_survival(law) for law in laws]
    weekly = (early.dropout_per_week or 0.0, (step_up and step_up.per_week) or 0.0)
    if care.phases:
        course = _planned(care, held, plan)
    elif days_per_week:
        course = [_Step(7 / (days_per_week * held), True)] * _horizon(survivals[0], 7 / (days_per_week * held))
    else:
        course = _grid([law for law in laws if law is not None], weekly=any(weekly))
    missing = _discharge_hazards(care.attendance, course)

    shares = [0.0] * 4  # completed, left early, stepped up, called away: in the order of `laws`
    above, alive, now, week = [1.0] * 4, 1.0, 0.0, 7.0
    days = sessions = 0.0
    curve = [(0.0, 1.0)]
    for step in course:
        if step.is_session:
            sessions += alive
            days += alive * step.days
            shares[0] += alive * step.completes
            alive *= 1 - step.completes
            missed = next(missing, 0.0)
            shares[1] += alive * missed
            alive *= 1 - missed
        before, ahead = alive, now + step.days
        hazards = []
        for cause, survival in enumerate(survivals):
            passed = survival(ahead)
            hazards.append(-math.log(max(passed / above[cause], 1e-300)) if above[cause] else 0.0)
            above[cause] = passed
        if total := math.fsum(hazards):
            leaving = -alive * math.expm1(-total)
            alive -= leaving
            shares = [share + leaving * hazard / total for share, hazard in zip(shares, hazards, strict=True)]
        if not step.is_session:
            days += step.days * (before + alive) / 2
        while week <= ahead + _EPSILON:
            for cause, per_week in enumerate(weekly, start=1):
                shares[cause] += alive * per_week
                alive *= 1 - per_week
            week += 7
        curve.append((now + _LAST_SESSION_DAYS if step.completes else ahead, alive))
        now = ahead
        if alive < _NOBODY:
            break
    scale = 1 / math.fsum(shares)
    curve.append((max(now, curve[-1][0]), 0.0))
    return Fate(shares[0] * scale, shares[1] * scale, shares[2] * scale, days, sessions, tuple(curve))


def _planned(care: Care, held: float, plan: str) -> list[_Step]:
    """The sessions of all phases; then a share goes on through the extension."""
    scale = 1 / max(care.attendance.mean, 0.01) if plan == "attended" else 1.0
    phases, extension = care.phases or (), care.extension
    steps = [
        _Step(7 / (phase.days_per_week * held), True)
        for phase in phases
        for _ in range(round(phase.sessions * scale))
    ]
    last = steps[-1]
    if extension is not None and extension.share:
        steps[-1] = last._replace(completes=1 - extension.share)
        steps += [last] * round(extension.weeks * phases[-1].days_per_week * scale)
    return [*steps[:-1], last._replace(completes=1.0)]


def _horizon(survival: Callable[[float], float], step_days: float) -> int:
    """Steps within which nearly everybody has completed a stay in days."""
    steps = 16
    while survival(steps * step_days) > _NOBODY and steps < _MOST_STEPS:
        steps *= 2
    return steps


def _grid(laws: list[Law], *, weekly: bool) -> Iterator[_Step]:
    """Steps that grow with the time passed, and end with each week and on both sides of values with a share."""
    values = [value for law in laws for value in _values(law)]
    stops = sorted(value * side for value in values for side in (1 - _EPSILON, 1 + _EPSILON))
    least, now = min(law.mean for law in laws) / 400, 0.0
    for _ in range(_MOST_STEPS):
        ahead = now + max(least, now / 40)
        if weekly:
            ahead = min(ahead, 7 * math.floor(now / 7 + 1 + _EPSILON))
        if (place := bisect_right(stops, now)) < len(stops):
            ahead = min(ahead, stops[place])
        yield _Step(ahead - now, False)
        now = ahead


def _values(law: Law) -> tuple[float, ...]:
    return (law.value,) if isinstance(law, Constant) else law.values if isinstance(law, Discrete) else ()


def _discharge_hazards(attendance: Attendance, course: object) -> Iterator[float]:
    """Chance at each session to be discharged for missed ones, given that one has not been."""
    misses = attendance.discharge_after_missed
    if misses is None or attendance.mean == 1 or not isinstance(course, list):
        return
    discharged, left = [0.0] * len(course), 1.0
    for p_attend, weight in _propensities(attendance):
        for session, share in enumerate(discharge_shares(p_attend, misses, len(course))):
            discharged[session] += weight * share
    for share in discharged:
        yield share / left if left > _NOBODY else 1.0
        left -= share


def _propensities(attendance: Attendance) -> list[tuple[float, float]]:
    """Chances to attend and their weights: the beta law over patients, by the double-exponential rule.

    Source: Takahasi and Mori (1974), Double exponential formulas for numerical integration.
    """
    if not attendance.sd:
        return [(attendance.mean, 1.0)]
    both = attendance.mean * (1 - attendance.mean) / attendance.sd**2 - 1
    a, b = attendance.mean * both, (1 - attendance.mean) * both
    found = []
    for step in range(-24, 25):
        y = math.pi * math.sinh(step / 4)
        below, above = math.log1p(math.exp(-y)), math.log1p(math.exp(y))  # -log p, -log (1 - p)
        found.append((math.exp(-below), math.exp(-a * below - b * above) * math.cosh(step / 4)))
    total = math.fsum(weight for _, weight in found)
    return [(p, weight / total) for p, weight in found if weight > _NOBODY * total]


def _survival(law: Law | None) -> Callable[[float], float]:
    """The survival function of a law, without loading scipy for the gamma law."""
    if law is None:
        return lambda days: 1.0
    if isinstance(law, Gamma) and law.at_least is None and law.at_most is None:
        shape = law.cv**-2
        return lambda days: _gamma_tail(shape, days * shape / law.mean)
    return law.survival


def _gamma_tail(shape: float, x: float) -> float:
    """Regularized upper incomplete gamma function.

    Source: Press et al., Numerical Recipes, 3rd ed., §6.2: the series below the shape, the continued fraction
    (Lentz) above it.
    """
    if x <= 0:
        return 1.0
    front = math.exp(shape * math.log(x) - x - math.lgamma(shape))
    if x < shape + 1:
        term = total = 1 / shape
        for step in count(1):
            term *= x / (shape + step)
            total += term
            if term < _EPSILON * total:
                return max(1 - front * total, 0.0)
    b = x + 1 - shape
    c, d = math.inf, 1 / b
    fraction = d
    for step in count(1):
        a = -step * (step - shape)
        b += 2
        d = 1 / (a * d + b)
        c = b + a / c
        fraction *= (change := c * d)
        if abs(change - 1) < _EPSILON:
            break
    return front * fraction
