"""Mutants of the cases in `iopsim.verification.stays`."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from iopsim.model.approach import AT_HOME
from iopsim.model.clock import LEAVING
from iopsim.model.journey import Journey
from iopsim.model.people import State
from iopsim.scenario.distributions import Weibull
from tests.theory.mutants.mutant import mutant

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from iopsim.model.ledger import Fact
    from iopsim.model.people import Patient, Stay


@mutant("dropout", "iop.stay_days.mean", replications=30)
def dropout_at_the_ends_of_weeks_only(patch: pytest.MonkeyPatch) -> None:
    own = Weibull.hazard_time_function

    def by_weeks(law: Weibull) -> Callable[[float], float]:
        hazard_time = own(law)
        return lambda unit: 7.0 * math.ceil(hazard_time(unit) / 7)

    patch.setattr(Weibull, "hazard_time_function", by_weeks)


@mutant("weekly-shares", "iop.completed.share", replications=25, settings=["levels.iop.stay_days=56.000001"])
def leaving_early_before_completing_at_one_instant(patch: pytest.MonkeyPatch) -> None:
    """The plan ends a moment after the week."""


@mutant(
    "dropout-after-waiting",
    "dropped out after 1 whole",
    replications=20,
    settings=["levels.iop.leave_early.per_week_waited=1"],
)
def a_hazard_that_forgets_the_wait(patch: pytest.MonkeyPatch) -> None:
    """In the scenario."""


@mutant("dropouts-free-places", "iop.utilization.mean", replications=5)
def dropouts_that_keep_the_place(patch: pytest.MonkeyPatch) -> None:
    """Until the day on which they would have completed."""

    def keeping(journey: Journey, stay: Stay, fact: Fact, to: str, reason: int = -1) -> None:
        journey._recorder.write(journey._clock.now, fact, stay.number, AT_HOME, reason)
        stay.state = State.HELD
        end = stay.since + stay.ends_after
        journey._clock.call_at(end, LEAVING + stay.patient.index, journey.allocator.release, stay)

    patch.setattr(Journey, "_leave_early", keeping)


@mutant("suspended", "iop.stay_days.mean", replications=20)
def treatment_that_runs_on_while_suspended(patch: pytest.MonkeyPatch) -> None:
    resume = Journey.resume

    def as_if_treated(journey: Journey, stay: Stay) -> None:
        stay.treated += journey._clock.now - stay.since - stay.treated
        stay.ends_after = max(stay.ends_after, stay.treated)
        stay.dropout_after = max(stay.dropout_after, stay.treated)
        resume(journey, stay)

    patch.setattr(Journey, "resume", as_if_treated)


@mutant("return-loop", "iop.wait_days.mean", replications=40)
@mutant("returns", "stays started", replications=25)
def coming_back_once_at_most(patch: pytest.MonkeyPatch) -> None:
    join = Journey.join

    def unless_back_before(journey: Journey, patient: Patient, unit: Any, *origin: Any, **fact: Any) -> None:
        if patient.been.count(unit.index) < 2:
            join(journey, patient, unit, *origin, **fact)

    patch.setattr(Journey, "join", unless_back_before)


@mutant(
    "return-loop", "iop: share who wait", replications=16, settings=["levels.inpatient.hold_days=forever"]
)
def a_bed_that_is_held(patch: pytest.MonkeyPatch) -> None:
    """In the scenario; then the levels are no longer queues of their own."""
