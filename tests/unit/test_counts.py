"""How much work a replication is, in numbers that no machine changes: events, facts, calls, modules, never seconds."""

from __future__ import annotations

import cProfile
import pstats
import sys
import tracemalloc
from functools import cache, partial
from typing import TYPE_CHECKING

import pytest

from benchmarks import textbook
from benchmarks.agreement import REFERENCE, Agreement, agreement, by_iopsim, by_textbook
from benchmarks.replication import BASELINE, measure_all, scaled
from iopsim.experiment.executors import for_each, open_executor
from iopsim.experiment.replicate import replicate
from iopsim.model.clinic import simulate
from iopsim.scenario import load

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from iopsim.model.ledger import Ledger
    from iopsim.scenario.schema import Scenario

pytestmark = pytest.mark.slow

# A few per cent above what they are: who makes a patient dearer meets them, and says why or finds another way.
KERNEL_EVENTS = {BASELINE: 6.8, REFERENCE: 6.2}
FACTS = {BASELINE: 9.5, REFERENCE: 6.9}
CALLS = {BASELINE: 290, REFERENCE: 259}
# In a program that grows, when most are taken; of what is measured, all is remembered while there is room for it.
BYTES_SIMULATED, BYTES_MEASURED = 1300, 1750

WORKER = """
import sys
from iopsim.experiment.replicate import replicate

def modules_after(scenario, index):
    replicate(scenario, index)
    return sorted(sys.modules)
"""
NEEDED = {"annotated_types", "benchmarks", "iopsim", "numpy", "pydantic", "pydantic_core", "scipy", "simpy"}
TYPING = {"typing_extensions", "typing_inspection"}
SHORT = ("run.warm_up_weeks=13", "run.weeks=13", "run.run_out_weeks=4", "run.seed=5")
A_YEAR = ("run.warm_up_weeks=13", "run.weeks=35", "run.run_out_weeks=4", "run.seed=5")


def calls(scenario: Scenario) -> tuple[int, Ledger]:
    """Calls of functions in a replication, built-in ones too."""
    profile = cProfile.Profile()
    ledger = profile.runcall(simulate, scenario, 0)
    return pstats.Stats(profile).total_calls, ledger  # type: ignore[attr-defined]


# ── a patient ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("path", [BASELINE, REFERENCE], ids=lambda path: path.stem)
def test_a_patient_takes_few_events_facts_and_calls(path: Path) -> None:
    made, ledger = calls(load(path, A_YEAR))
    patients = len(ledger.patient_source)
    assert patients > 900
    assert 2 < ledger.kernel_events / patients < KERNEL_EVENTS[path]
    assert 4 < len(ledger.time) / patients < FACTS[path]
    assert 50 < made / patients < CALLS[path]


def test_a_patient_of_a_large_program_takes_no_more() -> None:
    """Five times the demand and the capacity is five times the work, and hardly more."""
    scenario = load(BASELINE, SHORT)
    (few, one), (many, five) = calls(scenario), calls(scaled(scenario, 5))
    fewer, more = len(one.patient_source), len(five.patient_source)
    assert 4.5 < more / fewer < 5.5
    assert five.kernel_events / more < 1.05 * one.kernel_events / fewer
    assert many / more < 1.06 * few / fewer


def most_bytes(scenario: Scenario) -> tuple[int, int, int]:
    """Patients, and the most that Python and numpy have taken to simulate them and to measure them."""
    tracemalloc.start()
    try:
        ledger = simulate(scenario, 0)
        simulated = tracemalloc.get_traced_memory()[1]
        tracemalloc.reset_peak()
        measure_all(scenario, ledger)
        return len(ledger.patient_source), simulated, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_patient_takes_little_room() -> None:
    """What a program takes that is five times as large, beyond what the small one does."""
    scenario = load(BASELINE, SHORT)
    replicate(scenario, 0)  # what is imported and made once is nobody's
    (few, simulated, measured), (many, more_simulated, more_measured) = (
        most_bytes(each) for each in (scenario, scaled(scenario, 5))
    )
    assert many - few > 1000
    assert 300 < (more_simulated - simulated) / (many - few) < BYTES_SIMULATED
    assert 300 < (more_measured - measured) / (many - few) < BYTES_MEASURED


def test_a_session_is_one_event_however_many_come() -> None:
    scenario = load(REFERENCE, SHORT)
    crowded = scaled(scenario, 5)
    events = [simulate(each, 0) for each in (scenario, crowded)]
    assert len(events[1].member_stay) > 4 * len(events[0].member_stay)
    assert len(events[1].session_time) == len(events[0].session_time)


# ── a worker ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_worker_imports_what_it_needs_and_no_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "what_a_worker_has.py").write_text(WORKER, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    from what_a_worker_has import modules_after  # type: ignore[import-not-found]

    found: dict[int, list[str]] = {}
    with open_executor(2) as executor:
        for_each(executor, partial(modules_after, load(BASELINE, SHORT)), range(2), found.__setitem__)
    for modules in found.values():
        packages = {name.partition(".")[0] for name in modules if not name.startswith("_")}
        assert packages - sys.stdlib_module_names - TYPING <= {*NEEDED, "cython_runtime", "what_a_worker_has"}
        scientific = {name for name in modules if name.startswith("scipy.") and name.count(".") == 1}
        assert "scipy.special" in scientific
        assert not scientific & {"scipy.stats", "scipy.optimize", "scipy.integrate", "scipy.sparse"}
        layers = {name.split(".")[1] for name in modules if name.startswith("iopsim.")}
        assert not layers & {"cli", "report", "verification", "theory"}


# ── the reference model, by another road ─────────────────────────────────────────────────────────────────────────

PAIRS = 7
WARM_UP, MEASURED, RUN_OUT = 13, 39, 13  # weeks: a third of the three years


@pytest.fixture(autouse=True)
def shorter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(textbook, "START", 7.0 * WARM_UP)
    monkeypatch.setattr(textbook, "END", 7.0 * (WARM_UP + MEASURED))
    monkeypatch.setattr(textbook, "HORIZON", 7.0 * (WARM_UP + MEASURED + RUN_OUT))


@cache
def ours() -> list[Mapping[str, float]]:
    weeks = {"warm_up_weeks": WARM_UP, "weeks": MEASURED, "run_out_weeks": RUN_OUT}
    return by_iopsim(PAIRS, [f"run.{key}={number}" for key, number in weeks.items()])


def disagreements(found: Iterable[Agreement]) -> set[str]:
    return {each.metric for each in found if abs(each.z) > 4}


@pytest.mark.slow
def test_the_reference_model_means_the_same_in_textbook_simpy() -> None:
    found = {each.metric: each for each in agreement(by_textbook(PAIRS), ours())}
    assert len(found) > 25
    assert not disagreements(found.values())
    within = {  # what four standard errors of the difference are at most, as a share of the mean
        "iop.wait_days.mean": 0.4,
        "iop.reneged.share": 0.35,
        "iop.completed.share": 0.12,
        "iop.attendance.share": 0.01,
        "iop.census.mean": 0.01,
        "php.held_days.per_patient": 0.35,
        "therapist.hours_needed.mean": 0.01,
    }
    for metric, share in within.items():
        assert 4 * found[metric].standard_error < share * found[metric].iopsim, f"no power: {metric}"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("what", "wrong", "seen_in"),
    [
        ("CASELOAD", 9, "iop.census.mean"),  # seats alone limit admission
        ("WEEKS", 11, "iop.stay_days.mean"),
    ],
)
def test_a_model_that_means_something_else_is_noticed(
    what: str, wrong: float, seen_in: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(textbook, what, wrong)
    assert seen_in in disagreements(agreement(by_textbook(3), ours()))
