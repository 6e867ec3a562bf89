"""Work on all cores, on many machines, or here: in any order, with any number of workers, the same results.

A replication is a pure function of (scenario, index), so whatever is lost can simply be run again. Everything
that runs replications takes a `concurrent.futures.Executor` and hands its work to `for_each`:

    Here        this process
    Local       spawned processes, which may die
    Cluster     dask.distributed: machines that come and go (extra `[cluster]`)

and every other executor, such as those of the standard library.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from iopsim.experiment.executors.chunks import for_each
from iopsim.experiment.executors.crew import Local
from iopsim.experiment.executors.here import Here

if TYPE_CHECKING:
    from concurrent.futures import Executor
    from contextlib import AbstractContextManager

__all__ = ["Here", "Local", "default_workers", "for_each", "open_executor"]


def default_workers() -> int:
    """Cores that this process may use."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def open_executor(workers: int | None = None, dask: str | None = None) -> AbstractContextManager[Executor]:
    """Whoever does the work, until the block is left; work that an exception leaves behind is given up.

    Args:
        workers: Processes of this machine, by default as many as it has cores; one is this process itself.
        dask: Address of a dask scheduler, or `local` for a cluster of `workers` on this machine.

    Raises:
        InputError: dask is wanted and not installed, or what was given is no address.
        MachineError: The scheduler cannot be reached, has no workers, or has some of another version.
    """
    size = default_workers() if workers is None else workers
    if dask is not None:
        from iopsim.experiment.executors.cluster import Cluster

        return Cluster(dask, size)
    return Local(size) if size > 1 else Here()
