"""What becomes of inputs, in a process of its own with limits: accepted, refused with codes, or a defect.

    python -m tests.properties.fuzzing FIRST COUNT SERIES SIMULATED

reads inputs FIRST … FIRST + COUNT - 1 of a series, simulates every SIMULATED-th of those that are accepted, and prints
a line of JSON for each.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from iopsim.errors import InputError
from tests.properties.mutations import ENTRY, ROOT, Input, input_number

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

__all__ = ["Fate", "fates", "judged"]

SECONDS = 5
MEGABYTES = 1000
_FEW = ("run.weeks=2", "run.run_out_weeks=1", "run.replications=2")
_MOST = 2000.0  # referrals a week in what is simulated


class Fate(NamedTuple):
    """What became of an input.

    Attributes:
        number: Of the input.
        outcome: `accepted`, `refused`, or what was raised.
        codes: Of the faults.
        seconds: Of the processor.
        megabytes: Most that the process had held by then.
        simulated: Whether it was simulated too.
        story: What had been changed; in a defect, and where it came up.
    """

    number: int
    outcome: str
    codes: tuple[str, ...]
    seconds: float
    megabytes: float
    simulated: bool
    story: str

    @property
    def is_sound(self) -> bool:
        """Whether it is one of the two things that may become of an input."""
        return self.outcome in ("accepted", "refused")


class Hung(BaseException):
    """An input has taken too long; no part of the program catches it."""


def fates(first: int, count: int, series: int = 0, simulated: int = 0) -> Iterator[Fate]:
    """What becomes of inputs, judged by a process of its own.

    Args:
        first: Number of the first one.
        count: How many.
        series: Which inputs.
        simulated: Of how many accepted ones one is simulated; 0 for none.
    """
    words = [str(number) for number in (first, count, series, simulated)]
    surroundings = os.environ | {"OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    child = subprocess.run(
        [sys.executable, "-m", __name__, *words],
        cwd=ROOT,
        env=surroundings,
        stdout=subprocess.PIPE,
        check=True,
    )
    for line in child.stdout.decode().splitlines():
        number, outcome, codes, *rest = json.loads(line)
        yield Fate(number, outcome, tuple(codes), *rest)


def judged(one: Input, number: int, folder: Path, *, simulate: bool) -> Fate:
    """What becomes of an input in an empty folder."""
    for name, content in one.files.items():
        (folder / name).write_bytes(content)
    began, story, codes, is_simulated = time.process_time(), one.story, (), False
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    try:
        path = folder / ENTRY
        _read(path, one)
        outcome = "accepted"
        if simulate and not one.is_sweep:
            is_simulated = _simulated(path)
    except InputError as error:
        outcome, codes = "refused", tuple(sorted({fault.code for fault in error.faults}))
        story = "; ".join(bad) if (bad := _unclear(error)) else story
        outcome = "unclear" if bad else outcome
    except (Exception, Hung) as error:
        outcome = type(error).__name__
        story = f"{story}: {''.join(traceback.format_exception(error))[-1500:]}"
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    seconds = time.process_time() - began
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    for path in folder.iterdir():
        path.unlink()
    return Fate(number, outcome, codes, seconds, megabytes, is_simulated, story)


def _read(path: Path, one: Input) -> None:
    """What the commands do with a file before they simulate."""
    from iopsim.experiment.names import check_names
    from iopsim.experiment.sweep.load import load as load_sweep
    from iopsim.scenario import load
    from iopsim.scenario.plausible import assess, warnings

    if one.is_sweep:
        load_sweep(path)
        return
    scenario = load(path)
    list(check_names(scenario))
    warnings(assess(scenario))


def _simulated(path: Path) -> bool:
    """Simulate a few weeks of it, unless far too many would come."""
    from iopsim.experiment.replicate import replicate
    from iopsim.scenario import load

    try:
        few = load(path, [*_FEW, *([] if load(path).from_today else ["run.warm_up_weeks=1"])])
    except InputError:  # a date that now lies far away
        return False
    if sum(source.weekly(few.run) for source in few.sources.values()) > _MOST:
        return False
    replicate(few, 0)
    return True


def _unclear(error: InputError) -> list[str]:
    """Faults that do not say what they have to."""
    return [
        f"{fault.code}: {fault.message!r}"
        for fault in error.faults
        if not fault.code or not fault.message or fault.mark is None or len(str(fault).splitlines()) > 1
    ]


def _main(first: int, count: int, series: int, simulated: int) -> None:
    def stop(number: int, frame: FrameType | None) -> None:
        raise Hung

    signal.signal(signal.SIGPROF, stop)
    accepted = 0
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        for number in range(first, first + count):
            if number == first:
                judged(
                    input_number(number, series), number, folder, simulate=bool(simulated)
                )  # loads the libraries
                _limit_memory()
            simulate = simulated > 0 and accepted % simulated == 0
            fate = judged(input_number(number, series), number, folder, simulate=simulate)
            accepted += fate.outcome == "accepted"
            print(json.dumps(fate), flush=True)


def _limit_memory() -> None:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    most = pages * resource.getpagesize() + MEGABYTES * 1_000_000
    resource.setrlimit(resource.RLIMIT_AS, (most, most))


if __name__ == "__main__":
    _main(*map(int, sys.argv[1:]))
