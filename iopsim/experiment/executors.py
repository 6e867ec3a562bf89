"""Running replications on all cores: in any order, with any number of workers, always the same results.

A replication is a pure function of (scenario, index), so whatever is lost can simply be run again. Each
worker is a spawned process on a pipe of its own: one that dies in the middle of a message ends its pipe and
costs its chunk, where a queue that all workers share would wait for the rest of the message for ever.
"""

from __future__ import annotations

import math
import os
import pickle
import signal
import sys
import threading
import time
import traceback
from collections import deque
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import connection, get_context
from multiprocessing.context import SpawnProcess
from types import ModuleType
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from iopsim.errors import MachineError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from multiprocessing.connection import Connection

    _Pipe = Connection[Any, Any]

__all__ = ["default_workers", "run_replications"]

T = TypeVar("T")

_CHUNK_SECONDS = 0.2  # work that dwarfs what it costs to hand it over (0.1 ms)
_BREAKDOWNS = 3  # how often each worker may die in a row before the run gives up
_ONE_THREAD = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")


def default_workers() -> int:
    """Cores that this process may use."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def run_replications(
    task: Callable[[int], T], indices: Sequence[int], *, workers: int, on_done: Callable[[int, T], None]
) -> None:
    """Call `task(index)` for every index and hand each result to `on_done(index, result)` as it completes.

    With more than one worker, `task` travels once to each and must come from an importable module. `on_done`
    runs in this process and is never cut in two: Ctrl-C (and SIGTERM) waits until it returns.

    Raises:
        KeyboardInterrupt: The user stopped the run; every result that had arrived went through `on_done`.
        MachineError: Workers cannot be started, or die again and again.
        Exception: What `task` raises, as it is; a note holds the traceback in the worker.
    """
    size = min(workers, len(indices))
    with _terminated_as_interrupted():
        if size > 1:
            _Crew(task, indices, size, on_done).run()
            return
        for index in indices:
            result = task(index)
            with _signals_held_back():
                on_done(index, result)


@dataclass(slots=True)
class _Worker:
    """A process and the indices it has in hand."""

    process: _Process
    chunk: list[int]


@dataclass(frozen=True, slots=True)
class _Failure:
    """An exception of the task, and where in the worker it was raised."""

    error: Exception
    trace: str


class _Crew(Generic[T]):
    """The workers of one run; those without work are let go, those that die are replaced."""

    def __init__(
        self, task: Callable[[int], T], indices: Sequence[int], size: int, on_done: Callable[[int, T], None]
    ) -> None:
        self.task = task
        self.waiting = deque(indices)
        self.size = size
        self.on_done = on_done
        self.busy: dict[_Pipe, _Worker] = {}
        self.hired: list[_Process] = []
        self.seconds = math.inf  # of one replication, as last measured
        self.deaths = 0  # since a result last arrived

    def run(self) -> None:
        try:
            while self.waiting or self.busy:
                while self.waiting and len(self.busy) < self.size:
                    self.hire()
                for pipe in self.answered():
                    with _signals_held_back():
                        self.receive(pipe)
        except KeyboardInterrupt:
            with _signals_held_back():
                self.waiting.clear()
                for pipe in self.answered(timeout=0):
                    self.receive(pipe)
            raise
        finally:
            with _signals_held_back():
                self.dissolve()

    def answered(self, timeout: float | None = None) -> list[_Pipe]:
        ready = connection.wait(list(self.busy), timeout)
        return [pipe for pipe in self.busy if pipe in ready]

    def hire(self) -> None:
        try:
            here, there = get_context("spawn").Pipe()
            process = _Process(target=_serve, args=(there, self.task), daemon=True)
            with _signals_held_back(), there:
                process.start()
                self.hired.append(process)
                self.busy[here] = _Worker(process, [])
                self.give(here)
        except OSError as error:
            raise MachineError(
                f"a worker cannot be started ({error.strerror or error}); "
                "give the same command with fewer --workers, or --workers 1 to run without any"
            ) from error

    def give(self, pipe: _Pipe) -> None:
        """The next chunk, or leave to go. A worker that died meanwhile is found by its pipe's end."""
        worker = self.busy[pipe]
        worker.chunk = [self.waiting.popleft() for _ in range(self.chunk_size())]
        if worker.chunk:
            with suppress(OSError):
                pipe.send(worker.chunk)
        else:
            self.busy.pop(pipe)
            pipe.close()

    def chunk_size(self) -> int:
        """Enough to be worth the way, but so little near the end that all finish together."""
        fair = len(self.waiting) // (2 * self.size)
        worthwhile = math.ceil(_CHUNK_SECONDS / max(self.seconds, 1e-6))
        return min(len(self.waiting), max(1, min(fair, worthwhile)))

    def receive(self, pipe: _Pipe) -> None:
        chunk = self.busy[pipe].chunk
        try:
            answer = pickle.loads(pipe.recv_bytes())
        except (EOFError, OSError):
            self.lose(pipe)
            return
        if isinstance(answer, _Failure):
            answer.error.add_note(f"In the worker:\n{answer.trace}")
            raise answer.error
        results, seconds = answer
        self.seconds = seconds / len(chunk)
        self.deaths = 0
        self.give(pipe)
        for index, result in zip(chunk, results, strict=True):
            self.on_done(index, result)

    def lose(self, pipe: _Pipe) -> None:
        """What a dead worker had in hand goes to the end of the line, and from there out one by one."""
        worker = self.busy.pop(pipe)
        pipe.close()
        worker.process.join(timeout=1.0)
        self.waiting.extend(worker.chunk)
        self.seconds = math.inf
        self.deaths += 1
        if self.deaths >= _BREAKDOWNS * self.size:
            raise MachineError(
                f"workers died {self.deaths} times in a row (last exit code {worker.process.exitcode}; "
                "-9 mostly means that memory ran out); give the same command with fewer --workers"
            )

    def dissolve(self) -> None:
        """Nobody holds anything that matters: killing is prompt and leaves no one behind."""
        for process in self.hired:
            process.kill()
        for process in self.hired:
            process.join()
            process.close()
        for pipe in self.busy:
            pipe.close()


class _Process(SpawnProcess):
    """A spawned process with one thread per library, deaf to Ctrl-C, that leaves `__main__` alone.

    Importing the parent's `__main__` again would cost time, fail for a script read from standard input, and
    run a script that has no `if __name__ == "__main__"` once more.
    """

    def start(self) -> None:
        main, environment = sys.modules["__main__"], {name: os.environ.get(name) for name in _ONE_THREAD}
        sys.modules["__main__"] = ModuleType("__main__")
        os.environ.update(dict.fromkeys(_ONE_THREAD, "1"))
        try:
            _start_tracker()
            with _interrupts_blocked():
                super().start()
        finally:
            sys.modules["__main__"] = main
            for name, value in environment.items():
                os.environ.pop(name) if value is None else os.environ.update({name: value})


def _serve(pipe: _Pipe, task: Callable[[int], object]) -> None:
    """The life of a worker: a chunk in, its results out, until the other end is closed or dead."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with suppress(EOFError, ConnectionError):
        while True:
            pipe.send_bytes(_answer(task, pipe.recv()))


def _answer(task: Callable[[int], object], chunk: list[int]) -> bytes:
    began = time.perf_counter()
    try:
        results = [task(index) for index in chunk]
        return pickle.dumps((results, time.perf_counter() - began))
    except Exception as error:
        trace = "".join(traceback.format_exception(error))
        try:
            answer = pickle.dumps(_Failure(error, trace))
            pickle.loads(answer)
        except Exception:  # an exception that cannot travel is told by its text
            text = "".join(traceback.format_exception_only(error)).strip()
            answer = pickle.dumps(_Failure(RuntimeError(text), trace))
        return answer


@contextmanager
def _signals_held_back() -> Iterator[None]:
    """Let SIGINT and SIGTERM wait until the block is left; only the main thread ever gets them."""
    came: list[int] = []
    before = {}
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGTERM):
            before[number] = signal.signal(number, lambda number, frame: came.append(number))
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for arrived in came[:1]:
            signal.raise_signal(arrived)


@contextmanager
def _terminated_as_interrupted() -> Iterator[None]:
    """Let SIGTERM stop a run as Ctrl-C does, unless somebody else handles it already."""
    ours = (
        threading.current_thread() is threading.main_thread()
        and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    )
    if ours:
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        if ours:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _start_tracker() -> None:
    """Start multiprocessing's own helper now: when it starts, it unblocks SIGINT for whoever starts it."""
    if sys.platform != "win32":
        from multiprocessing import resource_tracker

        resource_tracker.ensure_running()


@contextmanager
def _interrupts_blocked() -> Iterator[None]:
    """Block SIGINT in this thread: a process started meanwhile inherits that, so it is deaf from birth."""
    if sys.platform == "win32":
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
