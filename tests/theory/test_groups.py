"""Groups: seats and caseloads that come free together, and who attends (model.md §§7, 11).

The wait to the next session, cohorts, misses and a minimum census are cases of `iopsim verify`.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import numpy as np
import pytest

from iopsim.model.ledger import Fact
from iopsim.theory.deterministic import cohort_wait
from tests.theory.replications import DisagreementError, Part, Run, agree, mean_wait, replicate, scenario_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from iopsim.scenario.schema import Scenario

# a caseload below the seats, and the last seats of one cohort that are the first of the next: bulk service


def weekly(caseload: int) -> Scenario:
    """Everybody stays for one session, so that its end lets all therapists take new patients at once."""
    level = {
        "groups": {"weekly": {"days": ["wed"], "start": "09:00", "seats": 8}},
        "phases": [{"weeks": 1, "days_per_week": 1}],
        "caseload": "therapist",
    }
    staff = {"therapist": {"posts": 1, "caseload": caseload}}
    return scenario_of(level, 4, seed=54, weeks=220, warm_up_weeks=20, run_out_weeks=30, staff=staff)


def caseload_of_five_holds(runs: Sequence[Run]) -> None:
    agree(runs, {mean_wait: cohort_wait(arrivals_per_day=4 / 7, every_days=7, seats=5)})


def test_a_caseload_below_the_seats_is_bulk_service() -> None:
    caseload_of_five_holds(replicate(weekly(caseload=5), replications=25))


def test_a_patient_more_for_the_therapist_is_caught() -> None:
    with pytest.raises(DisagreementError):
        caseload_of_five_holds(replicate(weekly(caseload=6), replications=10))


def closed(seats: int) -> Scenario:
    """A cohort every two weeks for two sessions: all seats are free again before the next start."""
    cohort = {"first": dt.date(2027, 1, 6), "every_days": 14, "starters": 8}
    group = {"days": ["wed"], "start": "09:00", "seats": seats, "admission": {"cohort": cohort}}
    level = {"groups": {"closed": group}, "phases": [{"weeks": 2, "days_per_week": 1}]}
    return scenario_of(level, 3.2, seed=91, weeks=400, warm_up_weeks=40, run_out_weeks=30)


def cohort_of_eight_holds(runs: Sequence[Run]) -> None:
    agree(runs, {mean_wait: cohort_wait(arrivals_per_day=3.2 / 7, every_days=14, seats=8)})


def test_seats_that_the_last_cohort_leaves_are_those_of_the_next() -> None:
    cohort_of_eight_holds(replicate(closed(seats=8), replications=20))


def test_a_seat_less_than_starters_is_caught() -> None:
    with pytest.raises(DisagreementError):
        cohort_of_eight_holds(replicate(closed(seats=7), replications=10))


# patients who attend more often than others


def attending(**attendance: float) -> Scenario:
    level = {
        "groups": {"day": {"days": ["mon", "wed", "fri"], "start": "09:00", "seats": 1000}},
        "phases": [{"weeks": 2, "days_per_week": 3}],
        "attendance": attendance,
    }
    return scenario_of(level, per_week=28, seed=61, weeks=5, warm_up_weeks=0)


def sessions(run: Run) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Sessions scheduled for those who start care in the window, and attended."""
    stays, every = run.stays().in_window(Fact.STARTED), len(run.ledger.stay_level)
    member, attended = run.ledger.member_stay, run.ledger.member_attended
    return (
        np.bincount(member, minlength=every)[stays.number],
        np.bincount(member, attended, every)[stays.number],
    )


def attended_share(run: Run) -> Part:
    scheduled, attended = sessions(run)
    return attended.sum(), scheduled.sum()


def attended_share_of_pairs(run: Run) -> Part:
    """Of the pairs of sessions of one patient, those both attended; the mean square of the propensity."""
    scheduled, attended = sessions(run)
    return (attended * (attended - 1)).sum(), (scheduled * (scheduled - 1)).sum()


def propensity_holds(runs: Sequence[Run]) -> None:
    agree(runs, {attended_share: 0.7, attended_share_of_pairs: 0.7**2 + 0.2**2}, precision=0.015)


def test_propensity_to_attend_has_its_mean_and_spread() -> None:
    propensity_holds(replicate(attending(mean=0.7, sd=0.2)))


def test_patients_who_are_all_alike_are_caught() -> None:
    with pytest.raises(DisagreementError, match="pairs"):
        propensity_holds(replicate(attending(mean=0.7), replications=10))
