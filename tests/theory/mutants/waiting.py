"""Mutants of the cases in `iopsim.verification.waiting`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iopsim.model.capacity import Places
from iopsim.model.journey import Journey
from iopsim.model.people import State
from iopsim.model.waitlist import Waitlist
from tests.theory.mutants.mutant import mutant

if TYPE_CHECKING:
    import pytest

    from iopsim.model.people import Stay


@mutant("erlang-c", "clinic.utilization.mean", replications=28, settings=["sources.community.per_week=7.35"])
def a_rate_5_percent_off(patch: pytest.MonkeyPatch) -> None:
    """Of referrals."""


@mutant("erlang-c", "share who wait over 1 days", replications=15)
@mutant("erlang-a", "clinic.wait_days.mean", replications=20)
def last_come_first_served(patch: pytest.MonkeyPatch) -> None:
    """It changes neither how many wait nor how many give up, only whose turn it is."""
    add = Waitlist.add

    def last_first(waitlist: Waitlist, stay: Stay) -> None:
        priority, joined, patient, number = stay.rank
        stay.rank = (priority, -joined, patient, number)
        add(waitlist, stay)

    patch.setattr(Waitlist, "add", last_first)


@mutant(
    "fixed-stay",
    "clinic.wait_days.mean",
    replications=20,
    settings=["levels.clinic.stay_days={exponential: {mean: 1}}"],
)
def stays_that_vary(patch: pytest.MonkeyPatch) -> None:
    """With the same mean."""


@mutant("loss", "lognormal", replications=25, settings=["levels.lognormal.waitlist.at_most=1"])
def a_list_of_one(patch: pytest.MonkeyPatch) -> None:
    """Where nobody may wait."""


@mutant("erlang-a", "clinic", replications=15)
def patience_that_runs_on_in_care(patch: pytest.MonkeyPatch) -> None:
    renege = Journey._renege

    def also_out_of_care(journey: Journey, stay: Stay) -> None:
        if stay.state is State.IN_CARE:
            journey.leave(stay)
        renege(journey, stay)

    patch.setattr(Journey, "_renege", also_out_of_care)


@mutant("erlang-a", "clinic.census.mean", replications=20)
def a_place_that_now_and_then_leaks_on_giving_up(patch: pytest.MonkeyPatch) -> None:
    renege = Journey._renege

    def leaking(journey: Journey, stay: Stay) -> None:
        waited, capacity = stay.state is State.WAITING, stay.unit.capacity
        renege(journey, stay)
        if waited and not stay.number % 100:
            assert isinstance(capacity, Places)
            capacity.taken[0] += 1

    patch.setattr(Journey, "_renege", leaking)


@mutant("loss", "exponential", replications=25)
@mutant("joint-limit", "day.census.mean", replications=15)
def a_place_that_now_and_then_is_not_given_back(patch: pytest.MonkeyPatch) -> None:
    give_back = Places.give_back

    def forgetful(places: Places, stay: Stay) -> None:
        if stay.number % 200:
            give_back(places, stay)

    patch.setattr(Places, "give_back", forgetful)
