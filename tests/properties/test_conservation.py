"""model.md §12, in programs of every kind: whatever happens, the books balance at every event."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings

from iopsim.model.clinic import simulate
from iopsim.scenario.schema import Scenario
from tests.properties.conservation import check_conservation
from tests.properties.programs import programs


@settings(max_examples=60, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(programs())
def test_the_books_balance_at_every_event(program: dict[str, Any]) -> None:
    scenario = Scenario.model_validate(program)
    used: set[tuple[object, ...]] = set()
    ledger = simulate(scenario, replication=0, used=used)
    check_conservation(scenario, ledger)
