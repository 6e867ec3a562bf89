"""How fast iopsim is, as ratios: `python benchmarks/speed.py`.

Milliseconds depend on the machine; the ratios beside them hardly do: both sides of each are measured by this
process, minutes apart at most. Nothing else should run meanwhile.
"""

from __future__ import annotations

import math
import resource
import subprocess
import sys
import time
from collections.abc import Mapping
from functools import partial
from itertools import chain
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, NamedTuple

import simpy

from iopsim.experiment.executors import for_each, open_executor
from iopsim.experiment.replicate import replicate
from iopsim.measures.registry import measure
from iopsim.measures.series import profiles, weekly
from iopsim.measures.window import Window
from iopsim.model.clinic import simulate
from iopsim.scenario import load

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from iopsim.scenario.schema import Scenario

ROOT = Path(__file__).resolve().parents[1]
BASELINE = ROOT / "scenarios" / "baseline.yaml"
REPLICATIONS = 15
TENFOLD_REPLICATIONS = 5
STARTS = 5
SERIAL_SECONDS = 10.0


class Row(NamedTuple):
    """A line of the table."""

    what: str
    value: str
    aim: str = ""


def main() -> None:
    scenario = load(BASELINE)
    replicate(scenario, REPLICATIONS)  # imports and caches are not what is measured
    print(f"{'':<72} {'measured':>8}  aim")
    for row in chain(one_replication(scenario), growth(scenario), workers(scenario), start_up()):
        print(f"{row.what:<72} {row.value:>8}  {row.aim}".rstrip(), flush=True)


def timed(work: Callable[..., Any], *arguments: object) -> tuple[float, Any]:
    """CPU seconds of this process that a call took, and what it gave."""
    began = time.process_time()
    result = work(*arguments)
    return time.process_time() - began, result


def one_replication(scenario: Scenario) -> Iterator[Row]:
    """Where the time of a replication goes, and how much there is to do for a patient."""
    rows = []
    for index in range(REPLICATIONS):
        simulating, ledger = timed(simulate, scenario, index)
        measuring, _ = timed(measure_all, scenario, ledger)
        yardstick, _ = timed(bare_simpy, ledger.kernel_events)
        rows.append((simulating, measuring, simulating + measuring, yardstick))
    simulating, measuring, both, yardstick = map(median, zip(*rows, strict=True))
    patients, events, facts = len(ledger.patient_source), ledger.kernel_events, len(ledger.time)
    yield Row("one replication of the baseline, CPU ms", f"{1000 * both:.0f}")
    yield Row("    simulate, CPU ms", f"{1000 * simulating:.0f}")
    yield Row("    measure, CPU ms", f"{1000 * measuring:.0f}")
    yield Row("    simulate ÷ bare SimPy with as many timeouts", f"{simulating / yardstick:.1f}")
    yield Row(f"    kernel events a patient (of {patients} in {scenario.name})", f"{events / patients:.1f}")
    yield Row("    facts a patient", f"{facts / patients:.1f}", "about 10")


def measure_all(scenario: Scenario, ledger: Any) -> None:
    window = Window(scenario, ledger)
    measure(window), weekly(window), profiles(window)


def bare_simpy(events: int) -> None:
    """What SimPy alone needs for that many timeouts of processes that do nothing: the machine's yardstick."""

    def idle(count: int) -> Generator[simpy.Event, None, None]:
        for _ in range(count):
            yield environment.timeout(1.0)

    environment = simpy.Environment()
    for _ in range(100):
        environment.process(idle(events // 100))
    environment.run()


def growth(scenario: Scenario) -> Iterator[Row]:
    """What a referral costs when demand and capacity are ten times as large, over what it costs now."""
    one = per_referral(scenario, REPLICATIONS)
    ten = per_referral(scaled(scenario, 10), TENFOLD_REPLICATIONS)
    yield Row("CPU time per referral, 10 × demand and capacity ÷ 1 ×", f"{ten / one:.2f}", "at most 1.10")


def per_referral(scenario: Scenario, replications: int) -> float:
    spent = []
    for index in range(replications):
        simulating, ledger = timed(simulate, scenario, index)
        measuring, _ = timed(measure_all, scenario, ledger)
        spent.append((simulating + measuring) / len(ledger.patient_source))
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


def workers(scenario: Scenario) -> Iterator[Row]:
    """How much sooner, by the clock on the wall, two processes finish the same replications than one.

    Two processes that only count are the yardstick: on a machine with other work to do they gain less than 2 as well.
    """
    one = partial(replicate, scenario)
    each = median(timed(one, index)[0] for index in range(REPLICATIONS))
    indices = range(math.ceil(1.2 * SERIAL_SECONDS / each))

    def elapsed(number: int) -> float:
        began = time.perf_counter()
        with open_executor(number) as executor:
            for_each(executor, one, indices, lambda index, result: None)
        return time.perf_counter() - began

    alone, together = elapsed(1), elapsed(2)
    yield Row(f"{len(indices)} replications in one process, s", f"{alone:.1f}", f"{SERIAL_SECONDS:g} or more")
    yield Row("    one process ÷ two workers", f"{alone / together:.2f}", "at least 1.80")
    yield Row(
        "    the same for two processes that only count", f"{2 * counting(1) / counting(2):.2f}", "about 2"
    )


def counting(processes: int) -> float:
    """Seconds until so many processes have counted as far as each can in a second or two."""
    command = [sys.executable, "-c", "for _ in range(50_000_000): pass"]
    began = time.perf_counter()
    for process in [subprocess.Popen(command) for _ in range(processes)]:
        process.wait()
    return time.perf_counter() - began


def start_up() -> Iterator[Row]:
    """CPU seconds of short commands beyond those of an interpreter that does nothing."""
    empty = cpu(sys.executable, "-c", "pass")
    program = str(Path(sys.executable).with_name("iopsim"))
    for aim, *arguments in ((0.1, "--help"), (0.4, "validate", "scenarios/baseline.yaml")):
        beyond = cpu(program, *map(str, arguments)) - empty
        what = f"CPU s of `iopsim {' '.join(map(str, arguments))}` less `python -c pass`"
        yield Row(what, f"{beyond:.2f}", f"at most {aim:.2f}")


def cpu(*command: str) -> float:
    """CPU seconds of a command, user and system: the median of some runs after one that warms up."""

    def once() -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=ROOT)
        if done.returncode:
            raise SystemExit(f"{' '.join(command)} ended with {done.returncode}: {done.stderr}")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    once()
    return median(once() for _ in range(STARTS))


if __name__ == "__main__":
    main()
