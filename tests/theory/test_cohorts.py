"""Closed cohorts: every 14 days up to eight of those who have come start together, bulk service (model.md §§7, 11)."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest

from iopsim.model.cohorts import Cohorts
from iopsim.theory.deterministic import cohort_wait
from tests.theory.replications import DisagreementError, Run, agree, mean_wait, replicate, scenario_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from iopsim.scenario.schema import Scenario

AMPLE = 1000
PER_WEEK = 3.2


def closed(
    seed: int, *, seats: int = AMPLE, starters: int = 8, every_days: int = 14, sessions: int = 1
) -> Scenario:
    """One session a week, on Wednesdays; the first start of the window is on its third day."""
    cohort = {"first": dt.date(2027, 1, 6), "every_days": every_days, "starters": starters}
    group = {"days": ["wed"], "start": "09:00", "seats": seats, "admission": {"cohort": cohort}}
    level = {"groups": {"closed": group}, "phases": [{"weeks": sessions, "days_per_week": 1}]}
    return scenario_of(level, PER_WEEK, seed=seed, weeks=400, warm_up_weeks=40, run_out_weeks=30)


def bulk_service_holds(runs: Sequence[Run]) -> None:
    agree(runs, {mean_wait: cohort_wait(arrivals_per_day=PER_WEEK / 7, every_days=14, seats=8)})


def test_cohorts_of_eight_every_two_weeks_are_bulk_service() -> None:
    bulk_service_holds(replicate(closed(seed=90)))


def test_seats_that_the_last_cohort_leaves_are_those_of_the_next() -> None:
    """Two sessions, and so all seats are free again before the next start; it is filled then."""
    bulk_service_holds(replicate(closed(seed=91, seats=8, sessions=2)))


def test_those_who_carry_on_do_not_count_among_the_starters() -> None:
    bulk_service_holds(replicate(closed(seed=92, sessions=5)))


@pytest.mark.parametrize("wrong", [{"starters": 7}, {"starters": 9}, {"every_days": 13}])
def test_another_cohort_is_caught(wrong: dict[str, int]) -> None:
    with pytest.raises(DisagreementError):
        bulk_service_holds(replicate(closed(seed=93, **wrong), replications=10))


def test_more_starters_than_a_cohort_has_are_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Cohorts, "is_full", property(lambda cohort: False))
    with pytest.raises(DisagreementError):
        bulk_service_holds(replicate(closed(seed=95), replications=10))
