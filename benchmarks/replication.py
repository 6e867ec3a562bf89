"""What one replication costs, and how that grows with the size of the program: parts of `speed.py`."""

from __future__ import annotations

import gc
import subprocess
import sys
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from statistics import mean, median
from typing import TYPE_CHECKING, Any, NamedTuple

import simpy

from iopsim.measures.registry import bound, measure
from iopsim.measures.series import profiles, weekly
from iopsim.measures.window import Window
from iopsim.model.clinic import simulate
from iopsim.scenario import load

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from iopsim.model.ledger import Ledger
    from iopsim.scenario.schema import Scenario

ROOT = Path(__file__).resolve().parents[1]
BASELINE = ROOT / "scenarios" / "baseline.yaml"
HEALTH_SYSTEM = ROOT / "scenarios" / "health-system.yaml"
REPLICATIONS = 15
ROUNDS = 5
MOST = "at most 1.10"


class Row(NamedTuple):
    """A line of the table."""

    what: str
    value: str
    aim: str = ""


def timed(work: Callable[..., Any], *arguments: object) -> tuple[float, Any]:
    """CPU seconds of this process that a call took, and what it gave; no garbage of before is on its account."""
    gc.collect()
    began = time.process_time()
    result = work(*arguments)
    return time.process_time() - began, result


def measure_all(scenario: Scenario, ledger: Ledger) -> None:
    """All that a replication is asked for."""
    window = Window(scenario, ledger)
    measure(window), weekly(window), profiles(window)


def one_replication(scenario: Scenario) -> Iterator[Row]:
    """How much there is to do for a patient, and what it takes."""
    rows = []
    for index in range(REPLICATIONS):
        simulating, ledger = timed(simulate, scenario, index)
        measuring, _ = timed(measure_all, scenario, ledger)
        yardstick, _ = timed(bare_simpy, ledger.kernel_events)
        rows.append((simulating, measuring, yardstick))
    simulating, measuring, yardstick = map(median, zip(*rows, strict=True))
    patients, events, facts = len(ledger.patient_source), ledger.kernel_events, len(ledger.time)
    yield Row("baseline, one replication: simulate, CPU ms", f"{1000 * simulating:.0f}")
    yield Row("    measure, CPU ms", f"{1000 * measuring:.0f}")
    yield Row("    simulate ÷ bare SimPy with as many timeouts", f"{simulating / yardstick:.1f}")
    yield Row("    patients", f"{patients}")
    yield Row("    kernel events a patient", f"{events / patients:.1f}")
    yield Row("    facts a patient", f"{facts / patients:.1f}", "about 10")


def bare_simpy(events: int) -> None:
    """What SimPy alone needs for that many timeouts of processes that do nothing: the machine's yardstick."""

    def idle(count: int) -> Generator[simpy.Event, None, None]:
        for _ in range(count):
            yield environment.timeout(1.0)

    environment = simpy.Environment()
    for _ in range(100):
        environment.process(idle(events // 100))
    environment.run()


# ── growth ───────────────────────────────────────────────────────────────────────────────────────────────────────


def growth(scenario: Scenario) -> Iterator[Row]:
    """What a thousand referrals cost where demand and capacity are 10 and 50 times as large, and in twenty sites.

    Each replication of a larger program runs between two of the baseline, and is compared with their mean: a machine
    that changes its speed within a minute changes it for all three.
    """
    larger = {
        "at 10 × demand and capacity": scaled(scenario, 10),
        "at 50 ×": scaled(scenario, 50),
        "of health-system.yaml": load(HEALTH_SYSTEM),
    }
    for other in larger.values():
        bound(other)  # once for each scenario; the baseline's was before
    spent: dict[str, list[float]] = {what: [] for what in larger}
    ratios: dict[str, list[float]] = {what: [] for what in larger}
    before = [per_thousand(scenario, REPLICATIONS)]
    for turn in range(ROUNDS):
        for what, other in larger.items():
            spent[what].append(per_thousand(other, turn))
            before.append(per_thousand(scenario, REPLICATIONS + len(before)))
            ratios[what].append(spent[what][-1] / mean(before[-2:]))
    yield Row("baseline, CPU ms per 1,000 referrals", f"{median(before):.0f}")
    for what in larger:
        yield Row(f"    {what}", f"{median(spent[what]):.0f}")
    yield Row("    a referral at 10 × ÷ at 1 ×", f"{median(ratios['at 10 × demand and capacity']):.2f}", MOST)
    yield Row("    a referral at 50 × ÷ at 1 ×", f"{median(ratios['at 50 ×']):.2f}")
    yield Row(
        "    a referral of health-system.yaml ÷ of the baseline",
        f"{median(ratios['of health-system.yaml']):.2f}",
        MOST,
    )


def per_thousand(scenario: Scenario, index: int) -> float:
    """CPU ms per 1,000 referrals: of three replications, or of one where that is thousands of patients."""
    spent = []
    for replication in range(3 * index, 3 * index + 3):
        simulating, ledger = timed(simulate, scenario, replication)
        measuring, _ = timed(measure_all, scenario, ledger)
        patients = len(ledger.patient_source)
        spent.append(1e6 * (simulating + measuring) / patients)
        if patients > 10_000:
            break
    return median(spent)


def scaled(scenario: Scenario, factor: int) -> Scenario:
    """The same program `factor` times as large: referrals, places, seats, caps of waitlists, and posts."""

    def times(value: Any) -> Any:
        if isinstance(value, Mapping):
            return {name: factor * each for name, each in value.items()}
        return value if value is None or isinstance(value, str) else factor * value

    def larger(table: Mapping[str, Any], **change: Callable[[Any], Any]) -> dict[str, Any]:
        return {
            name: part.model_copy(update={key: of(getattr(part, key)) for key, of in change.items()})
            for name, part in table.items()
        }

    def longer(waitlist: Any) -> Any:
        return waitlist.model_copy(update={"at_most": times(waitlist.at_most)})

    levels = larger(scenario.levels, places=times, groups=partial(larger, seats=times), waitlist=longer)
    return scenario.model_copy(
        update={
            "sources": larger(scenario.sources, per_week=times),
            "levels": levels,
            "staff": larger(scenario.staff, posts=times),
        }
    )


# ── memory ───────────────────────────────────────────────────────────────────────────────────────────────────────


def memory_growth() -> Iterator[Row]:
    """Most memory of a fresh process that simulates and measures one replication, and what a patient adds to it."""
    peaks = {}
    for factor in (1, 10, 50):
        peaks[factor] = _memory_of_another(BASELINE, factor)
        what = f"baseline at {factor} ×, one replication: peak memory, MB"
        yield Row(what, f"{peaks[factor][1] / 1000:.0f}", "under 300" if factor == 50 else "")
    (fewer, low), (more, high) = peaks[1], peaks[50]
    yield Row("    bytes a patient", f"{1000 * (high - low) / (more - fewer):.0f}")
    _, peak = _memory_of_another(HEALTH_SYSTEM, 1)
    yield Row("health-system.yaml, one replication: peak memory, MB", f"{peak / 1000:.0f}", "under 500")


def _memory_of_another(path: Path, factor: int) -> tuple[int, int]:
    """What `memory` says in a process of its own."""
    command = [sys.executable, __file__, str(path), str(factor)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    patients, peak = map(int, done.stdout.split())
    return patients, peak


def memory(path: Path, factor: int) -> tuple[int, int]:
    """Patients of one replication, and the most memory that this process has ever had, in kB."""
    scenario = scaled(load(path), factor)
    ledger = simulate(scenario, 0)
    measure_all(scenario, ledger)
    # What `getrusage` says of a child includes what its parent had when it was started.
    status = Path("/proc/self/status").read_text(encoding="ascii")
    peak = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    return len(ledger.patient_source), round(int(peak.split()[1]) * 1.024)


if __name__ == "__main__":
    print(*memory(Path(sys.argv[1]), int(sys.argv[2])))
