"""Mutants of the cases in `iopsim.verification.dated`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from iopsim.model import clinic
from iopsim.model.ledger import Fact
from iopsim.verification.observed import Observed
from tests.theory.mutants.mutant import mutant

if TYPE_CHECKING:
    import pytest

    from iopsim.model.ledger import Ledger
    from iopsim.scenario.schema import Scenario


@mutant("capacity-step", "shrinking census on day", replications=20)
def a_fall_that_puts_patients_out(patch: pytest.MonkeyPatch) -> None:
    """Who is over the limit on the day leaves."""
    simulate = clinic.simulate

    def putting_out(scenario: Scenario, replication: int) -> Ledger:
        ledger = simulate(scenario, replication)
        edition = scenario.editions[-1]
        assert edition.from_ is not None
        day, then = (edition.from_ - scenario.run.start).days, edition.plan.levels["shrinking"].places
        stays = Observed(scenario, ledger).stays("shrinking")
        there = (stays.at(Fact.STARTED) < day) & (stays.at(Fact.COMPLETED) > day)
        gone = np.isin(ledger.stay, stays.number[there][then:]) & (ledger.fact == Fact.COMPLETED)
        ledger.time[gone] = day
        return ledger

    patch.setattr(clinic, "simulate", putting_out)


@mutant(
    "capacity-step",
    "growing census on day",
    replications=20,
    settings=["changes=[{from: 2027-01-07, set: {levels.growing.places: 60, levels.shrinking.places: 30}}]"],
)
def places_that_come_two_days_late(patch: pytest.MonkeyPatch) -> None:
    """And go two days late."""


@mutant(
    "capacity-step",
    "growing census on day",
    replications=20,
    settings=["changes=[{from: 2027-01-05, set: {levels.shrinking.places: 30}}]"],
)
def places_that_never_come(patch: pytest.MonkeyPatch) -> None:
    """Only the other level changes."""
