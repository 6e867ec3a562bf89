"""No number of chance is made or given twice, and the books of the whole language balance (model.md §§3, 12)."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings

from iopsim.model import sources
from iopsim.model.clinic import simulate
from iopsim.model.draws import Draws
from iopsim.model.staff import Staff
from iopsim.scenario.schema import Scenario
from tests.properties.begun import Begun
from tests.properties.clinics import PROPERTY, STORM
from tests.properties.conservation import check_conservation
from tests.properties.drawn import each_key_once
from tests.properties.whole import whole

DECISIONS = {
    "arrival", "height", "instant", "weeks", "track", "time", "modality", "payer",
    "contact", "contact delay", "eligible", "show", "rebook", "authorization", "denied", "patience",
    "stay", "propensity", "attendance", "extension", "dropout", "step_up", "step_up_to", "review", "cut",
    "next", "lag", "returns", "return_after", "tenure", "hire",
}  # fmt: skip
"""What is drawn, besides who gets a service."""


def test_books_of_the_whole_language_balance_and_no_key_is_used_twice(tmp_path: Path) -> None:
    decisions = set[str]()

    @settings(PROPERTY, max_examples=25)
    @given(whole())
    def check(program: Begun) -> None:
        scenario = program.scenario(tmp_path)
        with each_key_once() as drawn:
            ledger = simulate(scenario, replication=0, used=set())
        decisions.update(drawn)
        check_conservation(scenario, ledger)

    check()
    with each_key_once() as drawn:
        simulate(Scenario.model_validate(STORM), replication=0, used=set())
    decisions.update(drawn)
    assert decisions >= DECISIONS, "the programs of this test draw for every decision that there is"
    assert {name.split()[0] for name in decisions - DECISIONS} == {"service"}


def one_entry(self: Draws, stay: Any, decision: str, occurrence: int = 0) -> float:
    """A number that belongs to a level, and not to the n-th entry to it."""
    return DRAWN(self, as_if(stay.patient, stay.unit, entry=0), decision, occurrence)


def one_level(self: Draws, stay: Any, decision: str, occurrence: int = 0) -> float:
    """A number that belongs to a decision, whatever the level."""
    return DRAWN(
        self, as_if(stay.patient, SimpleNamespace(name="", index=0), stay.entry), decision, occurrence
    )


def as_if(patient: Any, unit: Any, entry: int) -> Any:
    """A stay for which nothing has been drawn yet."""
    return SimpleNamespace(patient=patient, unit=unit, entry=entry, name=b"", part=-1, numbers=b"")


def one_holder(self: Staff, post: Any, decision: str) -> float:
    """A number that belongs to a post, whoever holds it."""
    return float(self._draws.generator("post", post.crew.name, post.place, decision).random())


def one_cell(draws: Draws, source: str, _cell: int, span: float) -> Any:
    """Candidates that belong to a source, whatever the height."""
    return CANDIDATES(draws, source, 0, span)


DRAWN, CANDIDATES = Draws.uniform, sources._candidates
TWICE: dict[str, tuple[object, str, Any]] = {
    "a patient who comes again has the same stay": (Draws, "uniform", one_entry),
    "a patient has the same stay in each level": (Draws, "uniform", one_level),
    "a successor leaves as the holder before": (Staff, "_draw", one_holder),
    "cells are alike": (sources, "_candidates", one_cell),
}


@pytest.mark.parametrize("mutant", TWICE.values(), ids=TWICE)
def test_a_key_that_is_used_twice_is_noticed(
    mutant: tuple[Any, str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(*mutant)
    with pytest.raises(AssertionError, match=r"(drawn|made) twice"), each_key_once():
        simulate(Scenario.model_validate(STORM), replication=0, used=set())
