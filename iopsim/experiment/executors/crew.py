"""Spawned processes that may die: each on a pipe of its own, all looked after by one thread.

A worker that dies in the middle of a message ends its pipe and costs what it had in hand, where a queue that
all workers share would wait for the rest of the message for ever.
"""

from __future__ import annotations

import atexit
import os
import signal
import sys
import threading
from collections import deque
from concurrent.futures import CancelledError, Executor, Future, InvalidStateError
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from multiprocessing import connection, get_context, parent_process
from multiprocessing.context import SpawnProcess
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from iopsim.errors import MachineError
from iopsim.experiment.executors.calls import ATTEMPTS, Lost, packed, performed, settle
from iopsim.experiment.executors.signals import held_back, left_to_others

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from multiprocessing.connection import Connection

    _Pipe = Connection[Any, Any]

__all__ = ["Local", "main_left_alone", "start_tracker"]

P = ParamSpec("P")
T = TypeVar("T")

_ONE_THREAD = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
_starting = threading.Lock()


class Local(Executor):
    """Processes of this machine, started when there is work for them and kept for the next.

    What is submitted must come from importable modules. A worker that dies is replaced and what it had in
    hand is given out again; after three such deaths the future gets a `MachineError`.

    Attributes:
        width: How many processes there are at most.
    """

    def __init__(self, workers: int) -> None:
        self.width = workers
        self._crew: _Crew | None = None
        self._closed = False
        self._lock = threading.Lock()

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Have the call made by the next worker that is free."""
        job = _Job(packed(fn, *args, **kwargs))
        with self._lock:
            if self._closed:
                raise RuntimeError("cannot schedule new futures after shutdown")
            if self._crew is None or not self._crew.is_alive():
                self._crew = _Crew(self.width)
                self._crew.start()
                atexit.register(self.shutdown, cancel_futures=True)
            self._crew.hear(job)
        return job.future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Let the workers go when all is done; with `cancel_futures` kill them now, whatever they are at."""
        with self._lock:
            self._closed = True
            crew = self._crew
        if crew is not None:
            crew.hear(_Leave(at_once=cancel_futures))
            if wait:
                with held_back() if cancel_futures else nullcontext():
                    crew.join()
                atexit.unregister(self.shutdown)

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.shutdown(cancel_futures=kind is not None)


@dataclass(slots=True, eq=False)
class _Job:
    """A packed call, and how many workers it has cost."""

    call: bytes
    future: Future[Any] = field(default_factory=Future)
    deaths: int = 0


@dataclass(frozen=True, slots=True)
class _Leave:
    """Word to the crew that no more work will come."""

    at_once: bool


@dataclass(slots=True, eq=False)
class _Worker:
    """A process and what it has in hand."""

    process: _Process
    job: _Job | None = None


class _Crew(threading.Thread):
    """The thread that gives jobs to workers, and sleeps until there is an answer, a death or word of more."""

    def __init__(self, size: int) -> None:
        super().__init__(name="crew", daemon=True)
        self.size = size
        self.inbox: deque[_Job | _Leave] = deque()
        self.bell, self.rope = connection.Pipe(duplex=False)
        self.line: deque[_Job] = deque()
        self.workers: dict[_Pipe, _Worker] = {}
        self.leaving = False

    def hear(self, word: _Job | _Leave) -> None:
        """Called by other threads, one at a time."""
        self.inbox.append(word)
        with suppress(OSError):  # it has left already
            self.rope.send_bytes(b"")

    def run(self) -> None:
        with left_to_others():
            try:
                while not self.leaving or self.line or any(worker.job for worker in self.workers.values()):
                    try:
                        self.look()
                    except MachineError as error:
                        self.give_up(error)
            except Exception as error:  # a bug comes out where somebody waits
                self.line.extend(word for word in self.inbox if isinstance(word, _Job))
                self.give_up(error)
            finally:
                self.dissolve()
                self.bell.close()
                self.rope.close()

    def look(self) -> None:
        self.staff()
        for pipe in connection.wait([self.bell, *self.workers]):
            if pipe is self.bell:
                self.listen()
            elif pipe in self.workers:  # not yet dismissed by what was heard
                self.receive(pipe)

    def staff(self) -> None:
        """Work for all who are free, and as many more as are needed."""
        free = [pipe for pipe, worker in self.workers.items() if worker.job is None]
        while self.line and (free or len(self.workers) < self.size):
            job = self.line[0]
            if job.future.running() or job.future.set_running_or_notify_cancel():
                pipe = free.pop() if free else self.hire()
                self.workers[pipe].job = job
                with suppress(OSError):  # it died meanwhile, which is found by its pipe's end
                    pipe.send_bytes(job.call)
            self.line.popleft()

    def hire(self) -> _Pipe:
        here, there = get_context("spawn").Pipe()
        process = _Process(target=_serve, args=(there,), daemon=True)
        try:
            with there:
                process.start()
        except OSError as error:
            here.close()
            raise MachineError(
                f"a worker cannot be started ({error.strerror or error}); "
                "give the same command with fewer --workers, or --workers 1 to run without any"
            ) from error
        self.workers[here] = _Worker(process)
        return here

    def listen(self) -> None:
        self.bell.recv_bytes()
        while self.inbox:
            word = self.inbox.popleft()
            if isinstance(word, _Job):
                self.line.append(word)
                continue
            self.leaving = True
            if word.at_once:
                self.give_up(CancelledError())

    def receive(self, pipe: _Pipe) -> None:
        worker = self.workers[pipe]
        try:
            answer = pipe.recv_bytes()
        except (EOFError, OSError):
            self.bury(pipe)
            return
        job, worker.job = worker.job, None
        try:
            self.staff()  # first of all: nobody waits for the next job while we unpack
        finally:
            if job:
                settle(job.future, answer)

    def bury(self, pipe: _Pipe) -> None:
        """What a dead worker had in hand goes to the end of the line, unless it has cost too many."""
        worker = self.workers.pop(pipe)
        pipe.close()
        code = worker.process.ended(patience=1.0)
        if (job := worker.job) is None:
            return
        job.deaths += 1
        if job.deaths < ATTEMPTS:
            self.line.append(job)
        else:
            job.future.set_exception(
                Lost(
                    f"workers died {job.deaths} times in a row of the same work (last exit code {code}; "
                    "-9 mostly means that memory ran out); give the same command with fewer --workers"
                )
            )

    def give_up(self, error: Exception) -> None:
        """Nothing of what was asked for will be done; who asks next finds new workers."""
        jobs = [*self.line, *(worker.job for worker in self.workers.values() if worker.job)]
        self.line.clear()
        self.dissolve()
        for job in jobs:
            with suppress(InvalidStateError):  # it was canceled
                job.future.set_exception(error)

    def dissolve(self) -> None:
        """Nobody holds anything that matters: killing is prompt and leaves no one behind."""
        for worker in self.workers.values():
            worker.process.kill()
        for pipe, worker in self.workers.items():
            worker.process.ended()
            pipe.close()
        self.workers.clear()


class _Process(SpawnProcess):
    """A spawned process that leaves `__main__` alone."""

    def start(self) -> None:
        with _starting, main_left_alone():
            start_tracker()
            super().start()

    def ended(self, patience: float = 0.0) -> int | None:
        """Its exit code, when it has left or was made to."""
        self.join(patience)
        self.kill()
        self.join()
        code = self.exitcode
        self.close()
        return code


@contextmanager
def main_left_alone() -> Iterator[None]:
    """Let processes that are spawned meanwhile not import the parent's `__main__`.

    That would cost time, fail for a script read from standard input, and run a script that has no
    `if __name__ == "__main__"` once more.
    """
    main = vars(sys.modules["__main__"])
    before = main.copy()
    main.pop("__file__", None)
    main["__spec__"] = None
    try:
        yield
    finally:
        main.update({name: before[name] for name in ("__file__", "__spec__") if name in before})


def start_tracker() -> None:
    """Start multiprocessing's own helper now: when it starts, it unblocks signals for whoever starts it."""
    if sys.platform != "win32":
        from multiprocessing import resource_tracker

        with left_to_others():
            resource_tracker.ensure_running()


def _serve(pipe: _Pipe) -> None:
    """The life of a worker: a call in, its result out, until the other end is closed or dead."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform != "win32":
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])
    threading.Thread(target=_leave_with_parent, daemon=True).start()
    os.environ.update(dict.fromkeys(_ONE_THREAD, "1"))  # before the first call imports numpy, which reads it
    with suppress(EOFError, ConnectionError):
        while True:
            pipe.send_bytes(performed(pipe.recv_bytes()))


def _leave_with_parent() -> None:
    """A parent that was killed gets no answer anymore: stop in the middle of the work."""
    if parent := parent_process():
        parent.join()
        os._exit(1)
