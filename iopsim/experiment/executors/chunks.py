"""Many small pieces of work through any executor: in chunks that are worth the way, none of them lost."""

from __future__ import annotations

import math
import os
import time
from collections import deque
from concurrent.futures import BrokenExecutor, CancelledError
from queue import SimpleQueue
from typing import TYPE_CHECKING, Generic, TypeVar

from iopsim.errors import MachineError
from iopsim.experiment.executors.calls import Lost
from iopsim.experiment.executors.here import Here
from iopsim.experiment.executors.signals import held_back, terminated_as_interrupted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Executor, Future

__all__ = ["for_each"]

I = TypeVar("I")  # noqa: E741
T = TypeVar("T")

_CHUNK_SECONDS = 0.2  # work that dwarfs what it costs to hand it over (0.5 ms here, some 10 ms on a cluster)
_IN_FLIGHT = 3  # chunks per worker: one in work, the others so near that nobody waits for the next


def for_each(
    executor: Executor, task: Callable[[I], T], items: Sequence[I], on_done: Callable[[I, T], None]
) -> None:
    """Call `task(item)` for every item and hand each result to `on_done(item, result)` as it completes.

    Where the executor's workers are other processes, `task` and items travel to them by pickle; what the items
    of a chunk share, such as a scenario, travels once with it. `on_done` runs in this thread and is never cut
    in two: Ctrl-C (and SIGTERM) waits until it returns. A single item is not worth a worker and is done here.

    Raises:
        KeyboardInterrupt: The user stopped the run; every result that had arrived went through `on_done`.
        MachineError: The executor broke. Where only some items bring down every worker they are given to, all
            others went through `on_done` before.
        Exception: What `task` raises, as it is.
    """
    with terminated_as_interrupted():
        _Work(executor if len(items) > 1 else Here(), task, items, on_done).run()


def run_chunk(task: Callable[[I], T], chunk: Sequence[I]) -> tuple[list[T], float]:
    """The results of a chunk and the seconds they took; runs in a worker."""
    began = time.perf_counter()
    return [task(item) for item in chunk], time.perf_counter() - began


class _Work(Generic[I, T]):
    """What is still to do, what is on its way, and what came back."""

    def __init__(
        self,
        executor: Executor,
        task: Callable[[I], T],
        items: Sequence[I],
        on_done: Callable[[I, T], None],
    ) -> None:
        self.executor = executor
        self.task = task
        self.line = deque(items)
        self.on_done = on_done
        self.flying: dict[Future[tuple[list[T], float]], list[I]] = {}
        self.arrived: SimpleQueue[Future[tuple[list[T], float]]] = SimpleQueue()
        self.seconds = math.inf  # of one item, as last measured
        self.losses = 0  # since a result last arrived
        self.lost: Lost | None = None

    def run(self) -> None:
        try:
            while self.line or self.flying:
                if self.line and self.arrived.empty() and len(self.flying) < _IN_FLIGHT * self.width:
                    self.send()
                    continue
                future = self.arrived.get()
                with held_back():
                    self.receive(future)
        except KeyboardInterrupt:
            with held_back():
                for future in [future for future in self.flying if future.done()]:
                    if not future.cancelled() and future.exception() is None:
                        self.receive(future)
            raise
        except (BrokenExecutor, CancelledError) as error:
            raise MachineError(
                f"the workers broke down ({str(error) or type(error).__name__}; mostly because memory ran out); "
                "what had finished is kept: give the same command again, with fewer workers if it recurs"
            ) from error
        finally:
            for future in self.flying:
                future.cancel()
        if self.lost:
            raise self.lost

    @property
    def width(self) -> int:
        """How many workers there are now: what the executor says of itself, else one per core."""
        of_ours = getattr(self.executor, "width", None)
        return max(1, of_ours or getattr(self.executor, "_max_workers", None) or os.cpu_count() or 1)

    def chunk_size(self) -> int:
        """Enough to be worth the way, but so little near the end that all finish together."""
        fair = len(self.line) // (2 * self.width)
        worthwhile = math.ceil(_CHUNK_SECONDS / max(self.seconds, 1e-6))
        return min(len(self.line), max(1, min(fair, worthwhile)))

    def send(self) -> None:
        chunk = [self.line.popleft() for _ in range(self.chunk_size())]
        future = self.executor.submit(run_chunk, self.task, chunk)
        self.flying[future] = chunk
        future.add_done_callback(self.arrived.put)

    def receive(self, future: Future[tuple[list[T], float]]) -> None:
        chunk = self.flying.pop(future)
        try:
            results, seconds = future.result()
        except Lost as error:
            self.lose(chunk, error)
            return
        self.seconds = seconds / len(chunk)
        self.losses = 0
        for item, result in zip(chunk, results, strict=True):
            self.on_done(item, result)

    def lose(self, chunk: list[I], error: Lost) -> None:
        """What nobody survived goes to the end of the line, and from there out one by one."""
        self.losses += 1
        if self.losses > self.width:
            raise error
        if len(chunk) > 1:
            self.line.extend(chunk)
            self.seconds = math.inf
        else:
            self.lost = error
