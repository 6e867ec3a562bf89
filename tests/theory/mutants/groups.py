"""Mutants of the cases in `iopsim.verification.groups`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iopsim.model.capacity import Group
from iopsim.model.cohorts import Cohorts
from iopsim.model.journey import Journey
from iopsim.model.plan import SessionPlan
from tests.theory.mutants.mutant import mutant

if TYPE_CHECKING:
    import pytest

    from iopsim.model.people import Stay

THREE = 3
"""Misses that end a stay in the cases."""


@mutant("next-session", "iop.wait_days.mean", replications=10)
def the_first_group_of_the_file_is_chosen(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Group, "next_meeting", lambda group, days: 0.0)


@mutant(
    "next-session",
    "iop.wait_days.mean",
    replications=30,
    settings=["levels.iop.groups.evening.days=[mon, wed, thu]"],
)
def a_session_on_another_day(patch: pytest.MonkeyPatch) -> None:
    """In the scenario."""


@mutant(
    "misses",
    "sessions scheduled",
    replications=7,
    settings=["levels.iop.attendance.discharge_after_missed=4"],
)
def one_more_miss(patch: pytest.MonkeyPatch) -> None:
    """In the scenario."""


@mutant("misses-in-a-plan", "iop.completed.share", replications=8)
def misses_that_need_not_be_consecutive(patch: pytest.MonkeyPatch) -> None:
    foresee = SessionPlan._foresee

    def counting_all_misses(plan: SessionPlan, stay: Stay, sessions: int) -> None:
        foresee(plan, stay, sessions)
        missed = [session for session, came in enumerate(stay.attends, start=1) if not came]
        if len(missed) >= THREE:
            stay.missed_out = missed[THREE - 1]

    patch.setattr(SessionPlan, "_foresee", counting_all_misses)


@mutant("misses-in-a-plan", "iop.completed.share", replications=25)
def a_discharge_in_the_last_session_of_the_plan(patch: pytest.MonkeyPatch) -> None:
    complete = Journey.complete

    def unless_missed_out(journey: Journey, stay: Stay) -> None:
        (Journey.discharge if stay.had == stay.missed_out else complete)(journey, stay)

    patch.setattr(Journey, "complete", unless_missed_out)


@mutant("made-up-sessions", "sessions scheduled", replications=3, settings=["levels.iop.plan=scheduled"])
def a_plan_of_scheduled_sessions(patch: pytest.MonkeyPatch) -> None:
    """In the scenario."""


STARTERS = "levels.iop.groups.closed.admission.cohort.starters=9"


@mutant("cohorts", "iop.wait_days.mean", replications=8, settings=[STARTERS])
def a_larger_cohort(patch: pytest.MonkeyPatch) -> None:
    """In the scenario."""


@mutant("cohorts", "iop.wait_days.mean", replications=8)
def more_starters_than_a_cohort_has(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Cohorts, "is_full", property(lambda cohort: False))


@mutant("weekly-sessions", "iop.wait", replications=10, settings=["levels.iop.groups.weekly.seats=6"])
def a_seat_more(patch: pytest.MonkeyPatch) -> None:
    """In the scenario."""


@mutant("minimum-census", "iop.wait", replications=6, settings=["levels.iop.groups.weekly.min_census=2"])
def a_lower_minimum(patch: pytest.MonkeyPatch) -> None:
    """In the scenario."""
