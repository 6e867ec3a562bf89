"""Sessions and those who attend them: misses in a row, and cohorts that start together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from iopsim.model.ledger import ENDS, Fact
from iopsim.theory.deterministic import cohort_wait, minimum_census_wait
from iopsim.theory.infinite import steady_census
from iopsim.theory.stays import (
    mean_sessions,
    sessions_to_consecutive_misses,
    share_discharged,
    wait_to_next_session,
)
from iopsim.verification.case import Claim, case
from iopsim.verification.given import per_day, planned_sessions, session_starts
from iopsim.verification.observed import metric, named, waits_over

if TYPE_CHECKING:
    from collections.abc import Iterator

    from iopsim.scenario.schema import Scenario
    from iopsim.verification.observed import Observed, Part

LEVEL = "iop"


@named("sessions scheduled for a patient")
def _sessions(observed: Observed) -> Part:
    """Of those who start care in the window; infinite if one never leaves."""
    stays, ledger = observed.stays(LEVEL).in_window(Fact.STARTED), observed.ledger
    scheduled = np.bincount(ledger.member_stay, minlength=len(ledger.stay_level))[stays.number]
    return np.where(stays.had(*ENDS), scheduled, np.inf).sum(), len(stays)


def _misses(scenario: Scenario) -> tuple[float, int]:
    """Chance to attend a session, the same for all, and how many missed in a row end a stay."""
    attendance = scenario.levels[LEVEL].attendance
    assert not attendance.sd and attendance.discharge_after_missed
    return attendance.mean, attendance.discharge_after_missed


@case("next-session", "Seats always free: the wait to the next session of the week", replications=30)
def next_session(scenario: Scenario) -> Iterator[Claim]:
    """An instant falls into a gap between sessions in proportion to its length."""
    exact = wait_to_next_session([*session_starts(scenario, LEVEL)])
    yield Claim(exact.mean_days, metric("iop.wait_days.mean"))
    yield Claim(exact.mean_days, metric("iop.access_days.mean"))
    yield Claim(per_day(scenario) * exact.mean_days, metric("iop.admitted_not_started.mean"))
    for days in (0.5, 1.5):
        yield Claim(1 - exact.cdf(days), waits_over(days))


@case("misses", "Discharge after misses in a row: (1 − q^k) ÷ (p q^k) sessions", replications=25)
def misses(scenario: Scenario) -> Iterator[Claim]:
    """A run of misses comes sooner or later; those with whom it comes first of all have never started."""
    p_attend, run = _misses(scenario)
    yield Claim(sessions_to_consecutive_misses(p_attend, run), _sessions)
    yield Claim(1 - (1 - p_attend) ** run, metric("iop.discharged.share"))
    yield Claim(p_attend, metric("iop.attendance.share"))


@case("misses-in-a-plan", "Discharge after misses in a row, against a plan", replications=52)
def misses_in_a_plan(scenario: Scenario) -> Iterator[Claim]:
    """Whoever completes with the last session has completed, even if it makes the run full."""
    (p_attend, run), planned = _misses(scenario), planned_sessions(scenario, LEVEL)
    discharged = share_discharged(p_attend, run, planned - 1)
    scheduled = mean_sessions(p_attend, run, planned)
    never = (1 - p_attend) ** run
    yield Claim(never, metric("iop.never_started.share"))
    yield Claim(discharged - never, metric("iop.discharged.share"))
    yield Claim(1 - discharged, metric("iop.completed.share"))
    yield Claim(scheduled, _sessions)


@case("made-up-sessions", "A plan of attended sessions: negative binomial", replications=15)
def made_up_sessions(scenario: Scenario) -> Iterator[Claim]:
    """The sessions until so many have been attended."""
    p_attend, planned = scenario.levels[LEVEL].attendance.mean, planned_sessions(scenario, LEVEL)
    yield Claim(planned / p_attend, _sessions)


@case("cohorts", "Closed cohorts: bulk service", replications=20)
def cohorts(scenario: Scenario) -> Iterator[Claim]:
    """Those who come wait for a start with room for them."""
    group = next(iter(scenario.levels[LEVEL].groups.values()))
    assert group.cohort is not None
    yield from _bulk_service(scenario, group.cohort.every_days, group.cohort.starters)


@case("weekly-sessions", "Seats that all come free once a week: bulk service", replications=30)
def weekly_sessions(scenario: Scenario) -> Iterator[Claim]:
    """A week takes as many as there are seats."""
    yield from _bulk_service(scenario, 7, next(iter(scenario.levels[LEVEL].groups.values())).seats)


def _bulk_service(scenario: Scenario, every_days: int, seats: int) -> Iterator[Claim]:
    wait = cohort_wait(per_day(scenario), every_days, seats)
    yield Claim(wait, metric("iop.wait_days.mean"))


@case("minimum-census", "A session that too few have come for is not held", replications=36)
def minimum_census(scenario: Scenario) -> Iterator[Claim]:
    """All who have come start together, and then the count begins anew."""
    least = next(iter(scenario.levels[LEVEL].groups.values())).min_census
    wait = minimum_census_wait(per_day(scenario), 7, least)
    yield Claim(wait, metric("iop.wait_days.mean"))
    yield Claim(steady_census(per_day(scenario), wait), metric("iop.admitted_not_started.mean"))
