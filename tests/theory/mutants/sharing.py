"""Mutants of the cases in `iopsim.verification.sharing`; one more stands in `waiting.py`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iopsim.model.waitlist import Waitlist
from tests.theory.mutants.mutant import mutant

if TYPE_CHECKING:
    import pytest

    from iopsim.model.people import Stay


@mutant(
    "three-classes",
    "mean wait of urgent",
    replications=25,
    settings=["levels.clinic.waitlist.priority={urgent: 1, routine: 1, unlisted: 1}"],
)
def no_priority(patch: pytest.MonkeyPatch) -> None:
    """All are asked in the order of joining."""


@mutant(
    "three-classes",
    "mean wait of unlisted",
    replications=20,
    settings=["levels.clinic.waitlist.priority={unlisted: 1, urgent: 2, routine: 3}"],
)
def those_not_listed_go_first(patch: pytest.MonkeyPatch) -> None:
    """They should go last."""


@mutant("joint-limit", "day.wait_days.mean", replications=12, settings=["levels.day.places=3"])
@mutant("joint-limit", "evening.wait_days.mean", replications=12, settings=["staff.counselor.caseload=3"])
def a_limit_of_one_more(patch: pytest.MonkeyPatch) -> None:
    """Of the two limits, the one that binds."""


@mutant("two-tracks", "clinic.trauma", replications=12, settings=["levels.clinic.waitlist.discipline=strict"])
def a_head_that_blocks(patch: pytest.MonkeyPatch) -> None:
    """One who waits for the one track blocks those of the other."""


@mutant("two-tracks", "clinic.mood.wait_days.mean", replications=14)
def the_first_track_goes_first(patch: pytest.MonkeyPatch) -> None:
    """Whoever joined first should."""
    add = Waitlist.add

    def by_track(waitlist: Waitlist, stay: Stay) -> None:
        _, joined, patient, number = stay.rank
        stay.rank = (stay.patient.track, joined, patient, number)
        add(waitlist, stay)

    patch.setattr(Waitlist, "add", by_track)
