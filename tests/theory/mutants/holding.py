"""Mutants of the cases in `iopsim.verification.holding`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from iopsim.model.allocation import Allocator
from iopsim.model.journey import Journey
from iopsim.model.people import State
from tests.theory.mutants.mutant import mutant

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest

    from iopsim.model.people import Patient, Stay
    from iopsim.model.units import Unit

OTHER_RULE = "levels.iop.waitlist.priority={inpatient: %d, community: %d}"


@mutant("blocked-step-downs-first", "inpatient.held.mean", replications=12, settings=[OTHER_RULE % (2, 1)])
@mutant("blocked-community-first", "inpatient.held.mean", replications=10, settings=[OTHER_RULE % (1, 1)])
@mutant("blocked-in-order", "inpatient.held.mean", replications=8, settings=[OTHER_RULE % (1, 2)])
def another_rule_of_priority(patch: pytest.MonkeyPatch) -> None:
    """In the scenario."""


@mutant(
    "blocked-step-downs-first",
    "inpatient.census.mean",
    replications=10,
    settings=["levels.inpatient.hold_days=0.01"],
)
@mutant("swap", "inpatient.held.mean", replications=6, settings=["levels.inpatient.hold_days=1.0"])
def a_bed_that_is_not_held(patch: pytest.MonkeyPatch) -> None:
    """Or not for long enough."""


@mutant(
    "hold-that-ends",
    "inpatient.held_days.per_patient",
    replications=4,
    settings=["levels.inpatient.hold_days=2.5"],
)
def a_shorter_hold(patch: pytest.MonkeyPatch) -> None:
    """In the scenario."""


@mutant("blocked-step-downs-first", "inpatient.held_days.per_patient", replications=12)
@mutant("hold-that-ends", "iop.reneged_wait_days.mean", replications=5)
def holders_who_give_up_like_the_others(patch: pytest.MonkeyPatch) -> None:
    join = Journey.join

    def with_patience_at_once(journey: Journey, patient: Patient, *args: Any, **kwargs: Any) -> None:
        join(journey, patient, *args, **kwargs)
        if patient.here is not None and patient.ahead is not None:
            journey.begin_patience(patient.ahead)

    patch.setattr(Journey, "join", with_patience_at_once)


@mutant("swap", "inpatient.held.mean", replications=10)
@mutant("three-levels", "emergency refused", replications=4)
def holders_who_never_swap(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Allocator, "_unlock", lambda allocator, unit: None)


@mutant("three-levels", "inpatient.census.mean", replications=7)
def two_who_swap_while_three_never_do(patch: pytest.MonkeyPatch) -> None:
    cycles = Allocator._cycles

    def only_two(allocator: Allocator, unit: Unit) -> Iterator[list[Stay]]:
        return (cycle for cycle in cycles(allocator, unit) if len(cycle) < 3)

    patch.setattr(Allocator, "_cycles", only_two)


@mutant("three-levels", "iop.held_days_for.php", replications=3)
def a_step_up_that_does_not_hold_its_place(patch: pytest.MonkeyPatch) -> None:
    hold = Journey.hold

    def let_go(journey: Journey, stay: Stay, *args: Any) -> None:
        hold(journey, stay, *args)
        if stay.state is State.SUSPENDED:
            journey.resume(stay)

    patch.setattr(Journey, "hold", let_go)


@mutant(
    "three-levels",
    "inpatient.held_days_for.iop",
    replications=30,
    settings=["levels.iop.waitlist.priority={inpatient: 1, php: 2}"],
)
def the_other_order_of_holders(patch: pytest.MonkeyPatch) -> None:
    """In the scenario."""
