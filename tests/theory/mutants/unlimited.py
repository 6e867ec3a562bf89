"""Mutants of the cases in `iopsim.verification.unlimited`."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np

from iopsim.model import clinic, sources
from tests.theory.mutants.mutant import mutant

if TYPE_CHECKING:
    import pytest

    from iopsim.model.ledger import Ledger
    from iopsim.scenario.schema import Scenario


@mutant("unlimited", "variance of the census", replications=60)
def referrals_that_come_too_evenly(patch: pytest.MonkeyPatch) -> None:
    def one_a_day(*key: Any) -> np.ndarray[Any, Any]:
        *_, span = key
        return np.arange(0.5, span, 1.0)

    patch.setattr(sources, "_candidates", one_a_day)


@mutant("unlimited", "clinic.census.mean", replications=250)
def a_reset_at_warm_up(patch: pytest.MonkeyPatch) -> None:
    """What was before the first measured day is forgotten, those in care as well."""
    simulate = clinic.simulate

    def forgetful(scenario: Scenario, replication: int) -> Ledger:
        ledger = simulate(scenario, replication)
        before = np.unique(ledger.stay[ledger.time < 0])
        kept = ~np.isin(ledger.stay, before)
        columns = {name: getattr(ledger, name)[kept] for name in ("time", "fact", "stay", "a", "b", "c")}
        return dataclasses.replace(ledger, **columns)

    patch.setattr(clinic, "simulate", forgetful)


@mutant(
    "opening",
    "census on day",
    replications=80,
    settings=["levels.clinic.stay_days={exponential: {mean: 3}}"],
)
def another_law_of_the_same_mean(patch: pytest.MonkeyPatch) -> None:
    """Of the stay: the steady census is the same."""


@mutant("opening", "census on day", replications=40, settings=["run.warm_up_weeks=1"])
def an_opening_with_patients(patch: pytest.MonkeyPatch) -> None:
    """Those of a week of warm-up."""


@mutant(
    "seasons",
    "mean census in",
    replications=8,
    settings=["sources.community.months=[0.5, 1, 1, 2, 2, 0.5, 0.5, 1, 1, 1.5, 1.5, 0.5]"],
)
def months_a_month_late(patch: pytest.MonkeyPatch) -> None:
    """In the weights of the referrals."""
