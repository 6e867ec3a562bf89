"""What surrounds a replication, worker processes and the start of a command: parts of `speed.py`."""

from __future__ import annotations

import math
import os
import resource
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from click import Context

from benchmarks.replication import REPLICATIONS, ROOT, Row, timed
from iopsim.cli import program
from iopsim.experiment.executors import for_each, open_executor
from iopsim.experiment.replicate import replicate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from iopsim.scenario.schema import Scenario

STARTS = 5
SERIAL_SECONDS = 10.0
REAL = {
    "validate": ["scenarios/baseline.yaml"],
    "show": ["scenarios/baseline.yaml"],
    "metrics": [],
    "schema": [],
    "diff": ["scenarios/baseline.yaml", "scenarios/one-more-therapist.yaml"],
}
AIMS = {"--help": 0.1, "validate scenarios/baseline.yaml": 0.4}


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
    yield Row(
        "baseline, 10 s of replications: one process ÷ two workers",
        f"{alone / together:.2f}",
        "at least 1.80",
    )
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


def start_up() -> list[Row]:
    """CPU seconds of every command explaining itself, and of the cheap ones at work, beyond those of an interpreter."""
    empty = cpu(sys.executable, "-c", "pass")
    names = program.list_commands(Context(program))
    calls = ["--help", *(f"{name} --help" for name in names)]
    calls += [" ".join([name, *arguments]) for name, arguments in REAL.items()]
    script = str(Path(sys.executable).with_name("iopsim"))
    rows = []
    for call in calls:
        aim = AIMS.get(call, 0.1 if call.endswith("--help") else None)
        value = f"{cpu(script, *call.split()) - empty:.2f}"
        rows.append(Row(f"iopsim {call}", value, "" if aim is None else f"at most {aim:.2f}"))
    return rows


def cpu(*command: str) -> float:
    """CPU seconds of a command, user and system: the median of some runs after one that warms up.

    As for users, Python keeps what it has compiled, whatever is set here.
    """
    usual = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}

    def once() -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=ROOT, env=usual)
        if done.returncode:
            raise SystemExit(f"{' '.join(command)} ended with {done.returncode}: {done.stderr}")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    once()
    return median(once() for _ in range(STARTS))
