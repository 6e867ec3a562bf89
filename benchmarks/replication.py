"""What one replication costs, and how that grows with the size of the program: parts of `speed.py`."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import ExitStack
from functools import partial
from itertools import count
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, NamedTuple

import simpy

from iopsim.measures.registry import bound, measure
from iopsim.measures.series import profiles, weekly
from iopsim.measures.window import Window
from iopsim.model.clinic import simulate
from iopsim.scenario import load

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from multiprocessing.connection import Connection

    from iopsim.model.ledger import Ledger
    from iopsim.scenario.schema import Scenario

ROOT = Path(__file__).resolve().parents[1]
BASELINE = ROOT / "scenarios" / "baseline.yaml"
HEALTH_SYSTEM = ROOT / "scenarios" / "health-system.yaml"
REPLICATIONS = 15
A_TURN = 0.1  # seconds
ENDED = 2  # replications at least, of the largest
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


def growth() -> Iterator[Row]:
    """What a thousand referrals cost where demand and capacity are 10 and 50 times as large, and in twenty sites."""
    larger = {
        "at 10 × demand and capacity": (BASELINE, 10),
        "at 50 ×": (BASELINE, 50),
        "of health-system.yaml": (HEALTH_SYSTEM, 1),
    }
    baseline, *others = by_turns((BASELINE, 1), *larger.values())
    yield Row("baseline, CPU ms per 1,000 referrals", f"{baseline:.0f}")
    for what, other in zip(larger, others, strict=True):
        yield Row(f"    {what}", f"{other:.0f}")
    ten, fifty, system = (other / baseline for other in others)
    yield Row("    a referral at 10 × ÷ at 1 ×", f"{ten:.2f}", MOST)
    yield Row("    a referral at 50 × ÷ at 1 ×", f"{fifty:.2f}")
    yield Row("    a referral of health-system.yaml ÷ of the baseline", f"{system:.2f}", MOST)


def by_turns(*programs: tuple[Path, int]) -> list[float]:
    """CPU ms per 1,000 referrals of scenarios that are so many times as large as in their files.

    Each has a process of its own, as where it is run: what another one leaves behind in memory is not on its account.
    They are stopped and go on by turns, a tenth of a second each, until each has ended some replications: a machine
    that changes its speed from one second to the next changes it for all of them.
    """
    ended: list[list[tuple[float, int]]] = [[] for _ in programs]
    spawn = get_context("spawn")
    with ExitStack() as at_last:
        running = []
        for program in programs:
            pipe, of_process = spawn.Pipe(duplex=False)
            process = spawn.Process(target=_replicate, args=(*program, of_process))
            process.start()
            at_last.callback(process.kill)
            of_process.close()  # so that its end is seen here
            pipe.recv()
            os.kill(process.pid or 0, signal.SIGSTOP)
            running.append((process.pid or 0, pipe))
        while min(map(len, ended)) < ENDED:
            for (pid, pipe), those in zip(running, ended, strict=True):
                os.kill(pid, signal.SIGCONT)
                time.sleep(A_TURN)
                os.kill(pid, signal.SIGSTOP)
                while pipe.poll():
                    those.append(pipe.recv())
    return [1e6 * sum(spent for spent, _ in those) / sum(many for _, many in those) for those in ended]


def _replicate(path: Path, factor: int, pipe: Connection) -> None:
    """Tell that it can begin, then CPU seconds and patients of one replication after another."""
    small, scenario = load(BASELINE), scaled(load(path), factor)
    measure_all(small, simulate(small, 0))  # imports and caches are not what is measured
    bound(scenario)
    pipe.send(None)
    for index in count(1):
        simulating, ledger = timed(simulate, scenario, index)
        measuring, _ = timed(measure_all, scenario, ledger)
        pipe.send((simulating + measuring, len(ledger.patient_source)))


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
