"""Work on machines that come and go, through dask.distributed: its scheduler hands calls to its workers.

Dask gives the calls of a worker that dies to others by itself, and gives up on a call when several have died
of it; a call is also lost when the scheduler starts again. Then it is submitted anew, a bounded number of times.
"""

from __future__ import annotations

import logging
import socket
import time
import warnings
from concurrent.futures import CancelledError, Executor, Future, InvalidStateError
from concurrent.futures import wait as until_done
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from iopsim.errors import Fault, InputError, MachineError, Mark
from iopsim.experiment.executors.calls import ATTEMPTS, Lost, failed, packed, performed, settle
from iopsim.experiment.executors.crew import main_left_alone, start_tracker
from iopsim.experiment.executors.signals import held_back, left_to_others
from iopsim.experiment.keys import program_version

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["Cluster"]

P = ParamSpec("P")
T = TypeVar("T")

_CONNECT_SECONDS = 8.0  # for a scheduler to answer, and then for its first worker to be there
_COUNT_SECONDS = 2.0  # how often workers are counted
_PATIENCE_SECONDS = 300.0  # how long calls wait for workers when all have left


class Cluster(Executor):
    """The workers of a dask scheduler, or as many processes of this machine under a scheduler of their own.

    What is submitted must come from modules that the workers can import, and must not need to be done just once.
    A worker whose sources make other numbers than ours is refused, when we connect and by each call it is given.

    Attributes:
        width: How many calls the workers can make at once, as last counted.
    """

    def __init__(self, address: str, workers: int) -> None:
        """Connect.

        Args:
            address: Of the scheduler, such as `tcp://host:8786`; `local` starts one with `workers` processes.
            workers: How many processes `local` means.

        Raises:
            InputError: dask.distributed is not installed, or `address` is no address.
            MachineError: There is no scheduler, or it has no workers, or a worker is of another version.
        """
        self._dask = _distributed()
        self._version = program_version()
        self._jobs: set[_Job] = set()
        self._closed = False
        self._seen = time.monotonic()  # when there were workers
        with ExitStack() as opened:
            scheduler = address
            if address == "local":
                scheduler = opened.enter_context(_local_cluster(self._dask, workers))
            self._client = opened.enter_context(_connected(self._dask, scheduler))
            self._refuse_others()
            self._pool = self._client.get_executor(pure=False, retries=ATTEMPTS)
            self.width = sum(self._client.nthreads().values())
            opened.enter_context(self._counting())
            self._opened = opened.pop_all()

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Have the call made by any worker, more than once if need be."""
        if self._closed:
            raise RuntimeError("cannot schedule new futures after shutdown")
        job = _Job(packed(fn, *args, **kwargs))
        self._jobs.add(job)
        job.future.add_done_callback(partial(self._let_go, job))
        self._give(job)
        return job.future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Disconnect, when all is done; without `wait` or with `cancel_futures` now, and nobody goes on."""
        if wait and not cancel_futures:
            until_done([job.future for job in list(self._jobs)])
        self._closed = True
        for job in list(self._jobs):
            job.future.cancel()
        with held_back():
            self._opened.close()

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.shutdown(cancel_futures=kind is not None)

    def _let_go(self, job: _Job, future: Future[Any]) -> None:
        self._jobs.discard(job)
        if future.cancelled():
            future.set_running_or_notify_cancel()  # wakes who waits for it

    def _give(self, job: _Job) -> None:
        if self._lost:
            _refuse(job, MachineError("the dask scheduler is gone; " + _AGAIN))
            return
        inner = self._pool.submit(_performed_by, self._version, job.call)
        job.future.add_done_callback(partial(_cancel_too, inner))
        inner.add_done_callback(partial(self._settle, job))

    def _settle(self, job: _Job, inner: Future[bytes]) -> None:
        """Runs in the client's thread."""
        if job.future.done():
            return
        try:
            settle(job.future, inner.result())
        except (self._dask.KilledWorker, CancelledError):
            job.losses += 1
            if self._closed:
                job.future.cancel()
            elif job.losses < ATTEMPTS:
                self._give(job)
            else:
                _refuse(job, Lost(_DEADLY))
        except Exception as error:
            _refuse(job, MachineError(f"dask could not do its work ({_told(error)})"))

    @property
    def _lost(self) -> bool:
        """Whether the client has ceased to look for its scheduler; what is submitted then is never heard of."""
        return self._client.status in {"closing", "closed"}

    def _refuse_others(self) -> None:
        """Ask all workers that are there for their version; there must be one at least."""
        try:
            self._client.wait_for_workers(1, timeout=_CONNECT_SECONDS)
        except TimeoutError:
            address = self._client.scheduler.address
            raise MachineError(
                f"the dask scheduler at {address} has no workers; start some: dask worker {address}"
            ) from None
        for worker, version in self._client.run(program_version, on_error="return").items():
            if isinstance(version, str):
                _check(worker, version, self._version)
            elif not isinstance(version, OSError):  # which only means that it just left
                raise MachineError(
                    f"worker {worker} of the dask cluster cannot run iopsim ({_told(version)}); "
                    f"install the same iopsim there as here ({self._version})"
                )

    @contextmanager
    def _counting(self) -> Iterator[None]:
        """Keep `width` up to date, and give up where there is nobody to wait for."""
        loop = self._client.loop
        calls = import_module("tornado.ioloop").PeriodicCallback(self._count, 1000 * _COUNT_SECONDS)
        loop.add_callback(calls.start)
        try:
            yield
        finally:
            loop.add_callback(calls.stop)

    async def _count(self) -> None:
        threads: dict[str, int] = {}
        if not self._lost:
            with suppress(OSError):  # the scheduler has just gone
                threads = await self._client.scheduler.ncores(workers=None)
        self.width = sum(threads.values()) or self.width
        now = time.monotonic()
        if threads or not self._jobs:
            self._seen = now
        if self._lost or now - self._seen > _PATIENCE_SECONDS:
            who = "scheduler is gone" if self._lost else "cluster has lost all its workers"
            for job in list(self._jobs):
                _refuse(job, MachineError(f"the dask {who}; {_AGAIN}"))


@dataclass(slots=True, eq=False)
class _Job:
    """A packed call, and how often it was given to workers in vain."""

    call: bytes
    future: Future[Any] = field(default_factory=Future)
    losses: int = 0


_AGAIN = "give the same command again: what had finished is kept"
_DEADLY = (
    "workers of the dask cluster died again and again of the same work, mostly because memory ran out; "
    "start fewer of them on each machine and " + _AGAIN
)


def _performed_by(version: str, call: bytes) -> bytes:
    """Make a packed call in a worker of this version; a worker of another refuses."""
    try:
        _check(import_module("distributed").get_worker().address, program_version(), version)
    except MachineError as error:
        return failed(error)
    return performed(call)


def _check(worker: str, version: str, ours: str) -> None:
    if version != ours:
        raise MachineError(
            f"worker {worker} of the dask cluster is of version {version} and this program of {ours}: "
            "their numbers may differ; install the same iopsim on both, and start the worker again"
        )


def _refuse(job: _Job, error: MachineError) -> None:
    with suppress(InvalidStateError):  # it was canceled or settled meanwhile
        job.future.set_exception(error)


def _cancel_too(inner: Future[bytes], future: Future[Any]) -> None:
    if future.cancelled():
        inner.cancel()


def _told(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0]


def _distributed() -> Any:
    """dask.distributed, which speaks only to us."""
    try:
        distributed = import_module("distributed")
    except ImportError:
        raise InputError(
            Fault(
                "missing-extra",
                'a dask cluster needs dask.distributed, which is not installed; pip install "iopsim[cluster]"',
                mark=Mark("--dask"),
            )
        ) from None
    for name in list(logging.root.manager.loggerDict):
        if name.split(".")[0] in {"distributed", "tornado"}:
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    return distributed


@contextmanager
def _connected(distributed: Any, address: str) -> Iterator[Any]:
    """A client of the scheduler."""
    try:
        host, port = import_module("distributed.comm.addressing").get_address_host_port(address)
    except ValueError as error:
        message = f"{address!r} is no address of a scheduler ({error}); give tcp://host:port, or local"
        raise InputError(Fault("dask-address", message, mark=Mark("--dask"))) from None
    try:
        _knock(host, port)
        with held_back(), warnings.catch_warnings():  # half a client would neither close nor be silent
            warnings.simplefilter("ignore")  # of other libraries' versions: of ours we hear ourselves
            client = distributed.Client(address, timeout=_CONNECT_SECONDS, set_as_default=False)
    except (OSError, ImportError) as error:
        raise MachineError(
            f"no dask scheduler answers at {address} ({getattr(error, 'strerror', None) or error}); "
            "start one with `dask scheduler`, or give --dask local to use this machine"
        ) from None
    try:
        yield client
    finally:
        client.close(timeout=_CONNECT_SECONDS)


def _knock(host: str, port: int) -> None:
    """Wait until somebody listens there, who may just be starting."""
    deadline = time.monotonic() + _CONNECT_SECONDS
    while True:
        try:
            socket.create_connection((host, port), max(0.1, deadline - time.monotonic())).close()
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


@contextmanager
def _local_cluster(distributed: Any, workers: int) -> Iterator[str]:
    """A scheduler with so many workers of one thread each.

    Its threads, and so its workers, now and when they are replaced, are deaf to the signals that are for us.
    """
    start_tracker()
    with main_left_alone():
        with held_back(), left_to_others():
            cluster = distributed.LocalCluster(
                n_workers=workers,
                threads_per_worker=1,
                dashboard_address=":0",
                scheduler_kwargs={"dashboard": False},
                silence_logs=logging.CRITICAL + 1,
            )
        try:
            yield cluster.scheduler_address
        finally:
            cluster.close(timeout=_CONNECT_SECONDS)
