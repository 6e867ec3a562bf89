"""Groups: the wait to the first session, missed sessions, seats that come free (model.md §§7, 11)."""

from __future__ import annotations

import datetime as dt
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from scipy.stats import poisson

from iopsim.model.capacity import Group
from iopsim.model.journey import Journey
from iopsim.model.ledger import ENDS, Fact
from iopsim.model.plan import SessionPlan
from iopsim.theory.deterministic import cohort_wait
from iopsim.theory.stays import (
    mean_sessions,
    sessions_to_consecutive_misses,
    share_discharged,
    wait_to_next_session,
)
from tests.theory.replications import (
    DisagreementError,
    Floats,
    Part,
    Run,
    agree,
    mean_wait,
    replicate,
    scenario_of,
    share_started,
    started_within,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from iopsim.model.people import Stay
    from iopsim.scenario.schema import Scenario

AMPLE = 1000

# seats always free: the wait to the next session

MORNING, EVENING = 9 / 24, 17.5 / 24
DAY = {"days": ["mon", "wed", "fri"], "start": "09:00", "seats": AMPLE}
NIGHT = {"days": ["mon", "tue", "thu"], "start": "17:30", "seats": AMPLE}
STARTS_IN_WEEK = [day + MORNING for day in (0, 2, 4)] + [day + EVENING for day in (0, 1, 3)]


def ample(**groups: dict[str, Any]) -> Scenario:
    level = {"groups": groups, "phases": [{"weeks": 1, "days_per_week": 3}]}
    return scenario_of(level, per_week=70, seed=50 + len(groups), weeks=6, warm_up_weeks=0)


def mean_squared_wait(run: Run) -> Part:
    stays = run.joined()
    return ((stays.at(Fact.STARTED) - stays.at(Fact.JOINED)) ** 2).sum(), len(stays)


def wait_to_next_session_holds(runs: Sequence[Run], starts_in_week: list[float]) -> None:
    exact = wait_to_next_session(starts_in_week)
    moments = {mean_wait: exact.mean_days, mean_squared_wait: exact.second_moment_days2}
    starts = {started_within(days): exact.cdf(days) for days in (0.5, 1.5)}
    agree(runs, moments | starts, precision=0.02)


def test_the_first_wait_is_to_the_next_session() -> None:
    wait_to_next_session_holds(replicate(ample(day=DAY)), STARTS_IN_WEEK[:3])


def test_of_two_groups_the_one_that_meets_next_is_chosen() -> None:
    wait_to_next_session_holds(replicate(ample(day=DAY, night=NIGHT)), STARTS_IN_WEEK)


def test_the_first_group_of_the_file_is_not_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Group, "next_meeting", lambda group, days: 0.0)
    with pytest.raises(DisagreementError):
        wait_to_next_session_holds(replicate(ample(day=DAY, night=NIGHT)), STARTS_IN_WEEK)


def test_a_session_at_another_hour_is_caught() -> None:
    late = DAY | {"days": ["mon", "wed", "thu"]}
    with pytest.raises(DisagreementError):
        wait_to_next_session_holds(replicate(ample(day=late)), STARTS_IN_WEEK[:3])


# seats that come free once a week: bulk service


def weekly(seats: int, *, seed: int, per_week: float = 4, caseload: int = AMPLE, least: int = 1) -> Scenario:
    """Everybody stays for one session, so that its end frees all seats at once."""
    group = {"days": ["wed"], "start": "09:00", "seats": seats, "min_census": least}
    level = {
        "groups": {"weekly": group},
        "phases": [{"weeks": 1, "days_per_week": 1}],
        "caseload": "therapist",
    }
    staff = {"therapist": {"posts": 1, "caseload": caseload}}
    return scenario_of(level, per_week, seed=seed, weeks=220, warm_up_weeks=20, run_out_weeks=30, staff=staff)


def bulk_service_holds(runs: Sequence[Run]) -> None:
    agree(runs, {mean_wait: cohort_wait(arrivals_per_day=4 / 7, every_days=7, seats=5)})


def test_a_session_that_frees_all_its_seats_is_bulk_service() -> None:
    bulk_service_holds(replicate(weekly(seats=5, seed=53)))


def test_a_caseload_below_the_seats_is_bulk_service_too() -> None:
    bulk_service_holds(replicate(weekly(seats=8, caseload=5, seed=54)))


@pytest.mark.parametrize(("seats", "caseload"), [(6, AMPLE), (8, 6)])
def test_a_seat_more_is_caught(seats: int, caseload: int) -> None:
    with pytest.raises(DisagreementError):
        bulk_service_holds(replicate(weekly(seats, caseload=caseload, seed=55), replications=10))


def minimum_census_holds(runs: Sequence[Run]) -> None:
    """Weeks pass until three have been admitted, then all start: Wald's identity, week by week.

    While fewer than three wait after k weeks, each of them waits one more; all wait half a week at first.
    """
    counts = poisson(2.0 * np.arange(40))
    weeks = counts.cdf(2).sum()
    carried = counts.pmf(1).sum() + 2 * counts.pmf(2).sum()
    agree(runs, {mean_wait: 3.5 + 7 * carried / (2.0 * weeks)}, precision=0.02)


def test_a_session_below_minimum_census_is_cancelled_and_care_starts_later() -> None:
    minimum_census_holds(replicate(weekly(AMPLE, seed=56, per_week=2, least=3), replications=25))


def test_a_lower_minimum_census_is_caught() -> None:
    with pytest.raises(DisagreementError):
        minimum_census_holds(replicate(weekly(AMPLE, seed=56, per_week=2, least=2), replications=10))


# missed sessions

P_ATTEND, MISSES, WEEKS = 0.5, 3, 2
CLOSED = [dt.date(2027, 1, 6), dt.date(2027, 1, 15), dt.date(2027, 1, 18), dt.date(2027, 2, 24)]


def attending(plan: dict[str, Any], run_out_weeks: int = 20, **attendance: float) -> Scenario:
    level = {"groups": {"day": DAY}, "attendance": attendance, **plan}
    closed = {"closed": CLOSED}  # cancelled sessions are never counted against a patient
    return scenario_of(
        level,
        per_week=28,
        seed=60 + len(plan),
        weeks=5,
        warm_up_weeks=0,
        run_out_weeks=run_out_weeks,
        calendar=closed,
    )


PLAN = {"phases": [{"weeks": WEEKS, "days_per_week": 3}]}
NO_PLAN = {"stay_days": 3650}
MISSING = {"mean": P_ATTEND, "discharge_after_missed": MISSES}


def sessions(run: Run) -> tuple[Floats, Floats]:
    """Sessions scheduled for those who start care in the window, and attended; infinite if one never leaves."""
    stays, every = run.stays().in_window(Fact.STARTED), len(run.ledger.stay_level)
    member, attended = run.ledger.member_stay, run.ledger.member_attended
    scheduled = np.bincount(member, minlength=every)[stays.number]
    return (
        np.where(stays.had(*ENDS), scheduled, np.inf),
        np.bincount(member, attended, every)[stays.number],
    )


def mean_scheduled(run: Run) -> Part:
    scheduled, _ = sessions(run)
    return scheduled.sum(), len(scheduled)


def attended_share(run: Run) -> Part:
    scheduled, attended = sessions(run)
    return attended.sum(), scheduled.sum()


def attended_share_of_pairs(run: Run) -> Part:
    """Of the pairs of sessions of one patient, those both attended; the mean square of the propensity."""
    scheduled, attended = sessions(run)
    return (attended * (attended - 1)).sum(), (scheduled * (scheduled - 1)).sum()


def misses_against_a_plan_hold(runs: Sequence[Run]) -> None:
    """Whoever completes with the last session has completed, even if it is the third missed in a row."""
    planned = 3 * WEEKS
    discharged = share_discharged(P_ATTEND, MISSES, planned - 1)
    shares = {share_started(Fact.DISCHARGED): discharged, share_started(Fact.COMPLETED): 1 - discharged}
    agree(runs, shares | {mean_scheduled: mean_sessions(P_ATTEND, MISSES, planned)})


def test_consecutive_misses_discharge_as_theory_says() -> None:
    scenario = attending(NO_PLAN, run_out_weeks=80, **MISSING)
    exact = sessions_to_consecutive_misses(P_ATTEND, MISSES)
    agree(replicate(scenario, replications=12), {mean_scheduled: exact})


def test_one_more_miss_is_caught() -> None:
    scenario = attending(NO_PLAN, run_out_weeks=80, **MISSING | {"discharge_after_missed": MISSES + 1})
    with pytest.raises(DisagreementError):
        agree(
            replicate(scenario, replications=5),
            {mean_scheduled: sessions_to_consecutive_misses(P_ATTEND, MISSES)},
        )


def test_consecutive_misses_against_a_plan() -> None:
    misses_against_a_plan_hold(replicate(attending(PLAN, **MISSING)))


def test_misses_that_need_not_be_consecutive_are_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    begin = SessionPlan.begin

    def counting_all_misses(plan: SessionPlan, stay: Stay) -> None:
        begin(plan, stay)
        missed = [session for session, came in enumerate(stay.attends, start=1) if not came]
        if len(missed) >= MISSES:
            stay.turn = stay.missed_out = missed[MISSES - 1]

    monkeypatch.setattr(SessionPlan, "begin", counting_all_misses)
    with pytest.raises(DisagreementError):
        misses_against_a_plan_hold(replicate(attending(PLAN, **MISSING), replications=10))


def test_a_discharge_in_the_last_session_of_the_plan_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    complete = Journey.complete

    def unless_missed_out(journey: Journey, stay: Stay) -> None:
        (journey.discharge if stay.had == stay.missed_out else partial(complete, journey))(stay)

    monkeypatch.setattr(Journey, "complete", unless_missed_out)
    with pytest.raises(DisagreementError):
        misses_against_a_plan_hold(replicate(attending(PLAN, **MISSING)))


def attended_plan_holds(runs: Sequence[Run]) -> None:
    agree(runs, {mean_scheduled: 3 * WEEKS / P_ATTEND}, precision=0.01)


def test_a_plan_of_attended_sessions_makes_up_for_the_missed_ones() -> None:
    scenario = attending(PLAN | {"plan": "attended"}, run_out_weeks=40, mean=P_ATTEND)
    attended_plan_holds(replicate(scenario, replications=20))


def test_a_plan_of_scheduled_sessions_is_caught() -> None:
    with pytest.raises(DisagreementError):
        attended_plan_holds(replicate(attending(PLAN, mean=P_ATTEND), replications=5))


def propensity_holds(runs: Sequence[Run]) -> None:
    agree(runs, {attended_share: 0.7, attended_share_of_pairs: 0.7**2 + 0.2**2}, precision=0.015)


def test_propensity_to_attend_has_its_mean_and_spread() -> None:
    propensity_holds(replicate(attending(PLAN, mean=0.7, sd=0.2)))


def test_patients_who_are_all_alike_are_caught() -> None:
    with pytest.raises(DisagreementError, match="pairs"):
        propensity_holds(replicate(attending(PLAN, mean=0.7), replications=10))
