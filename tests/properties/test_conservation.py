"""model.md §12, in programs of every kind: whatever happens, the books balance at every event."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings

from iopsim.model.allocation import Allocator
from iopsim.model.capacity import Group, Places
from iopsim.model.clinic import simulate
from iopsim.model.journey import Journey
from iopsim.model.ledger import Fact
from iopsim.model.people import Stay
from iopsim.model.staff import Caseload
from iopsim.model.waitlist import Waitlist
from iopsim.scenario.schema import Scenario
from tests.properties.conservation import check_conservation
from tests.properties.programs import CLINIC, PROPERTY, Plain, programs


@settings(PROPERTY, max_examples=100)
@given(programs())
def test_the_books_balance_at_every_event(program: Plain) -> None:
    scenario = Scenario.model_validate(program)
    used: set[tuple[object, ...]] = set()
    ledger = simulate(scenario, replication=0, used=used)
    check_conservation(scenario, ledger)


def test_the_books_of_a_crowded_clinic_balance() -> None:
    scenario = Scenario.model_validate(CLINIC)
    happened: set[int] = set()
    for replication in range(4):
        ledger = simulate(scenario, replication)
        check_conservation(scenario, ledger)
        happened |= set(ledger.fact.tolist())
    assert happened == set(Fact) - {Fact.REFUSED, Fact.LEFT}, "a calm clinic proves little"


def nothing(*_: Any, **__: Any) -> None:
    """Stands for a step that is left out."""


add = Waitlist.add


def last_first(waitlist: Waitlist, stay: Stay) -> None:
    """Puts whoever joins ahead of everybody."""
    level, joined, patient, number = stay.rank
    stay.rank = (level, -joined, patient, number)
    add(waitlist, stay)


MUTANTS: dict[str, tuple[type, str, Callable[..., Any], str]] = {
    "places are not given back": (Places, "give_back", nothing, "waits for unit and could be admitted"),
    "no limit on places": (Places, "has_room", lambda *_: True, "over"),
    "therapists are not given back": (Caseload, "count", nothing, "lacks"),
    "released room is offered to nobody": (Allocator, "freed", nothing, "could be admitted"),
    "holds do not end": (Journey, "end_hold", nothing, "holds for too long"),
    "places held are kept for ever": (
        Journey,
        "vacate",
        nothing,
        "another place is still taken|too long|found to fit does not",
    ),
    "who has a seat is not expected": (Group, "seat", nothing, "enrolled"),
    "who is sent on does not arrive": (
        Journey,
        "_go",
        nothing,
        "sent and not arrived|came from|holds a place",
    ),
    "who gives up stays on the list": (Journey, "_off_the_list", nothing, "JOINED|was gone|two levels"),
    "the last come first": (Waitlist, "add", last_first, "is admitted before"),
}


@pytest.mark.parametrize(("owner", "name", "mutant", "told"), MUTANTS.values(), ids=MUTANTS)
def test_books_that_do_not_balance_are_noticed(
    monkeypatch: pytest.MonkeyPatch, owner: type, name: str, mutant: Callable[..., Any], told: str
) -> None:
    scenario = Scenario.model_validate(CLINIC)
    monkeypatch.setattr(owner, name, mutant)
    with pytest.raises(AssertionError, match=told):
        check_conservation(scenario, simulate(scenario, 0))
