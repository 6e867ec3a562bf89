"""The large scenario that ships: written by its script, as many referrals as it says, and all sites take part."""

from __future__ import annotations

import importlib.util
import math
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from iopsim.model.clinic import simulate
from iopsim.model.ledger import Fact, Ledger
from iopsim.scenario import Scenario, load

pytestmark = pytest.mark.slow

SCENARIOS = Path(__file__).parents[2] / "scenarios"
WEEKS = 52


def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("health_system", SCENARIOS / "health_system.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    short = (f"run.weeks={WEEKS}", "run.warm_up_weeks=0", "run.run_out_weeks=0", "calendar.closed=[]")
    return load(SCENARIOS / "health-system.yaml", short)


@pytest.fixture(scope="module")
def ledger(scenario: Scenario) -> Ledger:
    return simulate(scenario, 0)


def test_the_script_writes_the_file_that_ships() -> None:
    module = generator()
    assert module.text() == (SCENARIOS / "health-system.yaml").read_text(encoding="utf-8")


def test_it_has_twenty_thousand_referrals_a_year(ledger: Ledger) -> None:
    assert len(ledger.patient_source) - 4 * math.sqrt(len(ledger.patient_source)) > 20_000  # Poisson


def test_every_site_is_referred_to_and_fed_by_the_beds_that_all_share(
    scenario: Scenario, ledger: Ledger
) -> None:
    sites = [name.removesuffix("_iop") for name in scenario.levels if name.endswith("_iop")]
    assert len(sites) == 20
    started = ledger.stay_level[ledger.stay[ledger.fact == Fact.STARTED]]
    assert set(np.unique(started)) == set(range(len(ledger.levels)))
    upstream = [ledger.levels.index(name) for name in ("detox", "residential", "inpatient")]
    completed = ledger.fact == Fact.COMPLETED
    from_beds = completed & np.isin(ledger.stay_level[ledger.stay], upstream)
    led_to = {ledger.levels[to] for to in ledger.a[from_beds].tolist() if to >= 0}
    assert {f"{site}_iop" for site in sites} <= led_to
