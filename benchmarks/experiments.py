"""How fast experiments are: `python benchmarks/experiments.py`.

The pool is measured against the same work in two processes that know nothing of each other, started at the same
instant; the two take turns, and the sums of their times count: single turns differ by a fifth on a shared machine.
Nothing else should run meanwhile.
"""

from __future__ import annotations

import math
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

from iopsim.experiment.cache import Cache
from iopsim.experiment.executors import Here, Local
from iopsim.experiment.plans import Plan, simulate
from iopsim.scenario import load

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[1]
BASELINE = ROOT / "scenarios" / "baseline.yaml"
SWEEP = ROOT / "scenarios" / "sweeps" / "groups-by-therapists.yaml"
SERIAL_SECONDS = 20.0
TURNS = 5

INDEPENDENT = """
import sys
from pathlib import Path
from benchmarks.experiments import fill
from iopsim.experiment.executors import Here

folder, first, last = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
with Here() as here:
    fill(here, folder, range(-1, 0))
    print("ready", flush=True)
    sys.stdin.readline()
    fill(here, folder, range(first, last))
"""


class Row(NamedTuple):
    """A line of the table."""

    what: str
    value: str
    aim: str = ""


def main() -> None:
    print(f"{'':<72} {'measured':>8}  aim")
    for row in (*pool(), *sweep()):
        print(f"{row.what:<72} {row.value:>8}  {row.aim}".rstrip(), flush=True)


def fill(executor: Here | Local, folder: Path, indices: range) -> float:
    """Seconds until these replications of the baseline are in a cache below `folder`."""
    plan = Plan.of(load(BASELINE))
    began = time.perf_counter()
    simulate([(plan, indices)], Cache(folder), executor)
    return time.perf_counter() - began


def pool() -> Iterator[Row]:
    """Two workers that are there already, against two processes of half the work each."""
    with tempfile.TemporaryDirectory() as folder, Here() as here, Local(2) as local:
        fill(here, Path(folder), range(-5, 0))
        each = fill(here, Path(folder), range(5)) / 5
        half = math.ceil(1.1 * SERIAL_SECONDS / each / 2)
        fill(local, Path(folder, "warm"), range(8))
        apart, together = [], []
        for turn in range(TURNS):
            apart.append(independent(Path(folder, f"apart-{turn}"), half))
            together.append(fill(local, Path(folder, f"together-{turn}"), range(2 * half)))
    turns = [one / other for one, other in zip(apart, together, strict=True)]
    ratio = f"{sum(apart) / sum(together):.2f}"
    yield Row(f"{2 * half} replications on a warm pool of two, s", f"{median(together):.1f}")
    yield Row("    what two independent processes take ÷ that", ratio, "at least 0.95")
    yield Row("    single turns", f"{min(turns):.2f}–{max(turns):.2f}")


def independent(folder: Path, half: int) -> float:
    """Seconds from the word go until two processes have each done their half."""
    with ExitStack() as stack:
        processes = [
            stack.enter_context(
                subprocess.Popen(
                    [
                        sys.executable,
                        "-c",
                        INDEPENDENT,
                        str(folder / str(first)),
                        str(first),
                        str(first + half),
                    ],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                    cwd=ROOT,
                )
            )
            for first in (0, half)
        ]
        for process in processes:
            assert process.stdout
            process.stdout.readline()
        began = time.perf_counter()
        for process in processes:
            assert process.stdin
            process.stdin.write("go\n")
            process.stdin.flush()
        for process in processes:
            process.wait()
        return time.perf_counter() - began


def sweep() -> Iterator[Row]:
    """The shipped sweep as a whole command: simulated, and once more from what is kept."""
    with tempfile.TemporaryDirectory() as folder:
        fresh, again = (whole_command("sweep", str(SWEEP), "--quiet", folder=folder) for _ in range(2))
    yield Row(f"`iopsim sweep {SWEEP.relative_to(ROOT)}`, s", f"{fresh:.1f}", "at most 240")
    yield Row("    the same again, s", f"{again:.1f}", "at most 5")


def whole_command(*arguments: str, folder: str) -> float:
    program = str(Path(sys.executable).with_name("iopsim"))
    began = time.perf_counter()
    subprocess.run([program, *arguments], check=True, cwd=folder, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
