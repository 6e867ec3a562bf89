"""What becomes of one stay: how it ends, and how many days and sessions it takes until then.

A stay is followed through its *course*, a list of steps from session to session (or over a grid of days where
there are none), while completion, dropout, discharge, step-up and the payer's reviews take their shares of those
still in care.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass, field
from itertools import accumulate, chain, count, repeat
from typing import TYPE_CHECKING, NamedTuple

from iopsim.scenario.distributions import Constant, Discrete, Gamma
from iopsim.theory.stays import discharge_shares

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from iopsim.scenario.access import Authorization
    from iopsim.scenario.distributions import Law
    from iopsim.scenario.levels import Attendance, Care

__all__ = ["Fate", "fate"]

_NOBODY = 1e-7
_NEVER = 1e-300  # stands for a survival of 0, which has no logarithm
_LAST_SESSION_DAYS = 1 / 8  # from the start of the last session to the end of care
_MOST_STEPS = 20_000
_MOST_WATCHED = 1_000  # sessions, after which the chance of discharge is taken as settled
_EPSILON = 1e-9


@dataclass(frozen=True, slots=True)
class Fate:
    """How stays of one kind go, in means.

    Attributes:
        completed: Share that completes.
        left_early: Share that drops out or is discharged for missed sessions.
        stepped_up: Share that needs a more intensive level.
        cut: Share for which the payer approves no more.
        days: Days that a place is occupied; in groups the way to the first session is part of it.
        sessions: Scheduled sessions had; 0 where there are no groups.
        in_care: (day, share still in care from then on), from the start of care.
        delivered: What `deliveries` has been asked for: patients of many kinds share a fate.
    """

    completed: float
    left_early: float
    stepped_up: float
    cut: float
    days: float
    sessions: float
    in_care: tuple[tuple[float, float], ...]
    delivered: dict[float, float] = field(default_factory=dict, init=False, repr=False, compare=False)

    def deliveries(self, every_weeks: float) -> float:
        """How often something falls due that is due at the start of care and every so many weeks after."""
        if every_weeks not in self.delivered:
            self.delivered[every_weeks] = self._counted(7 * every_weeks)
        return self.delivered[every_weeks]

    def _counted(self, every_days: float) -> float:
        if self.days > 500 * every_days:
            return self.days / every_days
        dates = (every_days * number for number in range(int(self.in_care[-1][0] / every_days) + 1))
        return math.fsum(self._after(date) for date in dates)

    def _after(self, day: float) -> float:
        """Share still in care once what happens at an instant has happened."""
        return self.in_care[bisect_right(self.in_care, (day + 1e-6, math.inf)) - 1][1]


class _Step(NamedTuple):
    """A stretch of a stay: `days` long, begun by a session or not; with it a share completes its plan."""

    days: float
    is_session: bool
    completes: float = 0.0


class _Reviews(NamedTuple):
    """When reviews end in no: `share` of those in care each time that so many units are used up."""

    share: float = 0.0
    every: float = math.inf  # those used until a late answer comes among them
    per_session: float = 0.0  # units that a session takes up; 0: a day is one


def fate(
    care: Care,
    days_per_week: float,
    held: float = 1.0,
    plan: str = "scheduled",
    until: Law | None = None,
    payer: Authorization | None = None,
    session_days: float = 1.0,
) -> Fate:
    """Follow the stays of one kind of patient.

    What waiting does to dropout (`per_week_waited`) and places held after treatment are left out; for
    `plan: attended` and for units of attended sessions everybody is taken to attend at the mean rate.

    Args:
        care: How they are treated.
        days_per_week: Sessions a week where phases do not say; 0 for a level without groups.
        held: Share of the scheduled sessions that are not cancelled by a closed day.
        plan: What phases count, scheduled or attended sessions.
        until: When they are called away, if they are.
        payer: What the payer approves, if it is asked.
        session_days: Days of treatment that go with a session, for a level without groups.
    """
    cohort = _Cohort(care, until, _reviews(payer, care, days_per_week * held, session_days))
    for step, discharged in _course(care, days_per_week, held, plan, cohort):
        if step.is_session:
            cohort.meet(step, discharged)
        cohort.live(step)
        if cohort.alive < _NOBODY:
            break
    return cohort.fate()


def _reviews(payer: Authorization | None, care: Care, days_per_week: float, session_days: float) -> _Reviews:
    """The payer's reviews, of attended sessions where the level has them, else of days."""
    if payer is None or payer.units is None or not payer.review.cut:
        return _Reviews()
    a_week = days_per_week or (care.phases[-1].days_per_week if care.phases else 0)
    counted = payer.per == "session" and a_week > 0
    per_session = care.attendance.mean if counted else 0.0
    unit_days = session_days if payer.per == "session" else 1.0
    per_day = per_session * a_week / 7 if counted else 1 / unit_days
    if not per_day:
        return _Reviews()
    delay_days = payer.review.delay_days.mean if payer.review.delay_days else 0.0
    used_up = payer.units + max(delay_days * per_day - payer.ask_before, 0.0)
    return _Reviews(payer.review.cut, used_up if counted else used_up * unit_days, per_session)


class _Cohort:
    """Patients who began care together; `alive` is the share of them still in care."""

    def __init__(self, care: Care, until: Law | None, reviews: _Reviews) -> None:
        early = care.leave_early
        step_up_law = early.step_up.after_days if early.step_up else None
        step_up_per_week = early.step_up.per_week if early.step_up else None
        self._stay = care.stay_days
        laws = (self._stay, early.dropout, step_up_law, until)
        self.laws = [law for law in laws if law is not None]
        self.weekly = (early.dropout_per_week or 0.0, step_up_per_week or 0.0)
        self.alive = 1.0
        self._survivals = [_survival(law) for law in laws]
        self._above = [1.0] * len(laws)  # what the survivals are now
        self._shares = [0.0] * (len(laws) + 1)  # completed, left early, stepped up, called away, cut
        self._reviews, self._next_no = reviews, reviews.every
        self._now, self._week_ends = 0.0, 7.0
        self._used = 0.0
        self._days = self._sessions = 0.0
        self._in_care = [(0.0, 1.0)]

    @property
    def next_stop(self) -> float:
        """The next day on which a share leaves at once."""
        week_ends = self._week_ends if any(self.weekly) else math.inf
        return min(week_ends, math.inf if self._reviews.per_session else self._next_no)

    def meet(self, step: _Step, discharged: float) -> None:
        """A session: some complete with it, some of the others are discharged."""
        self._sessions += self.alive
        self._days += self.alive * step.days
        self._leave(0, step.completes)
        self._leave(1, discharged)
        if self._reviews.per_session:
            self._use(self._used + self._reviews.per_session)

    def live(self, step: _Step) -> None:
        """The days of the step pass, at a constant hazard of each cause."""
        before, ahead = self.alive, self._now + step.days
        hazards = []
        for cause, survival in enumerate(self._survivals):
            above, passed = self._above[cause], survival(ahead)
            hazards.append(-math.log(max(passed / above, _NEVER)) if above else 0.0)
            self._above[cause] = passed
        if total := math.fsum(hazards):
            leaving = -self.alive * math.expm1(-total)
            self.alive -= leaving
            for cause, hazard in enumerate(hazards):
                self._shares[cause] += leaving * hazard / total
        if not step.is_session:
            self._days += step.days * (before + self.alive) / 2
        while any(self.weekly) and self._week_ends <= ahead + _EPSILON:
            self._week_ends += 7
            for cause, per_week in enumerate(self.weekly, start=1):
                self._leave(cause, per_week)
        if not self._reviews.per_session:
            self._use(ahead)
        self._in_care.append((self._now + _LAST_SESSION_DAYS if step.completes else ahead, self.alive))
        self._now = ahead

    def _use(self, units: float) -> None:
        """So many units are used up by now; at each round of them some hear no."""
        self._used = units
        while self._next_no <= units + _EPSILON:
            self._next_no += self._reviews.every
            self._leave(4, self._reviews.share)

    def _leave(self, cause: int, share: float) -> None:
        self._shares[cause] += self.alive * share
        self.alive *= 1 - share

    def fate(self) -> Fate:
        """What has become of them; the few who are left complete."""
        self._leave(0, 1.0)
        completed, left_early, stepped_up, _, cut = self._shares
        in_care = (*self._in_care, (self._in_care[-1][0], 0.0))
        nothing_else = not (any(self._shares[1:]) or self._sessions)
        days = self._stay.mean if self._stay and nothing_else else self._days
        return Fate(completed, left_early, stepped_up, cut, days, self._sessions, in_care)


def _course(
    care: Care, days_per_week: float, held: float, plan: str, cohort: _Cohort
) -> Iterator[tuple[_Step, float]]:
    """Steps, each with the chance to be discharged at its session."""
    if not (care.phases or days_per_week):
        return zip(_grid(cohort), repeat(0.0), strict=False)
    if care.phases:
        steps = _planned(care, held, plan)
    else:
        step = _Step(7 / (days_per_week * held), True)
        steps = [step] * _horizon(_survival(care.stay_days), step.days)
    return zip(steps, _discharge_hazards(care.attendance, len(steps)), strict=False)


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


def _grid(cohort: _Cohort) -> Iterator[_Step]:
    """Steps that grow with the time passed, and end where a share leaves and on both sides of values with a share."""
    values = [value for law in cohort.laws for value in _values(law)]
    stops = sorted(value * side for value in values for side in (1 - _EPSILON, 1 + _EPSILON))
    least, now = min(law.mean for law in cohort.laws) / 400, 0.0
    for _ in range(_MOST_STEPS):
        ahead = min(now + max(least, now / 40), cohort.next_stop)  # the cohort has lived until now
        if (place := bisect_right(stops, now)) < len(stops):
            ahead = min(ahead, stops[place])
        yield _Step(ahead - now, False)
        now = ahead


def _values(law: Law) -> tuple[float, ...]:
    return (law.value,) if isinstance(law, Constant) else law.values if isinstance(law, Discrete) else ()


def _discharge_hazards(attendance: Attendance, sessions: int) -> Iterator[float]:
    """Chance at each session to be discharged for missed ones, given that one has not been; the last goes on."""
    misses, sessions = attendance.discharge_after_missed, min(sessions, _MOST_WATCHED)
    if misses is None or attendance.mean == 1:
        return repeat(0.0)
    discharged = [0.0] * sessions
    for p_attend, weight in _propensities(attendance):
        for session, share in enumerate(discharge_shares(p_attend, misses, sessions)):
            discharged[session] += weight * share
    left = [1.0, *(1 - passed for passed in accumulate(discharged))]
    hazards = [
        min(share / before, 1.0) for share, before in zip(discharged, left, strict=False) if before > _NOBODY
    ]
    return chain(hazards, repeat(hazards[-1]))


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
