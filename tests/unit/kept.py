"""Replications to keep and folders to look into, for the tests of what is kept on the disk."""

from __future__ import annotations

import math
import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from iopsim.experiment.cache import Cache
from iopsim.experiment.encoding import Replication, encode
from iopsim.experiment.keys import program_version
from iopsim.measures.registry import Ratio, Sample, Value

if TYPE_CHECKING:
    from iopsim.scenario.schema import Scenario

KEY, OTHER = "1a2b3c4d" * 8, "1aff" * 16
ROOT = Path(__file__).parents[2]
BRIEF = (
    "run.warm_up_weeks=1",
    "run.weeks=4",
    "run.run_out_weeks=1",
    "calendar.closed=[]",
    "targets=[{metric: iop.census.mean, at_most: 14}]",
)


def brief(*sets: str) -> Scenario:
    """The shortest scenario that ships, in six weeks: a replication takes milliseconds."""
    from iopsim.scenario import load

    return load(ROOT / "scenarios" / "minimal.yaml", (*BRIEF, *sets))


def filled(cache: Cache, key: str = KEY, indices: range = range(3)) -> Cache:
    """The cache, with these replications of that key."""
    for index in indices:
        cache.put(key, index, encode(replication(index)))
    return cache


def place(cache: Cache, index: int, key: str = KEY) -> Path:
    """Where the cache keeps a replication."""
    return cache.root / program_version() / key[:2] / key / f"{index:06d}.rep"


def replication(index: int) -> Replication:
    """A replication that nobody simulated, with something of everything."""
    return Replication(
        index=index,
        outcomes={
            "reneged": Ratio(float(index), 7.0),
            "census": Value(0.1 * index),
            "wait_days": Sample(np.arange(abs(index)) / 3),
        },
        weekly={"waitlist": [float(index), math.nan]},
        profiles={"waits": [1.0, 2.0]},
        persons=[4.5, -1.0],
        kernel_events=1000 + index,
        seconds=1.5,
    )


def plain(kept: Replication | None) -> tuple[Any, ...]:
    """A replication as something that can be compared: NaN equals NaN, and 0.0 differs from -0.0."""
    assert kept is not None
    outcomes = [
        (name, type(outcome), repr(getattr(outcome, "values", outcome)))
        for name, outcome in kept.outcomes.items()
    ]
    lists = repr(kept.weekly), repr(kept.profiles), repr([*kept.persons])
    return kept.index, outcomes, *lists, kept.kernel_events


def contents(folder: Path, but: str = "manifest.json") -> dict[str, bytes]:
    """Every file below a folder but one, by name."""
    files = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    return {name: files[name] for name in sorted(files) if name != but}


def python(script: str, **options: Any) -> subprocess.Popen[str]:
    """A Python process of its own that runs a script, with its output in pipes and the tests on its path."""
    settings: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    settings["env"] = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.Popen([sys.executable, "-c", textwrap.dedent(script)], **(settings | options))


def said_by(script: str) -> list[str]:
    """The lines that a script prints; it must not fail and have nothing to complain of."""
    with python(script) as process:
        out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    return out.splitlines()
