"""Work on many processes: complete, unchanged by how it was run, and hard to bring down."""

from __future__ import annotations

import functools
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import CancelledError, Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, Any

import pytest

from iopsim.errors import MachineError
from iopsim.experiment.executors import Here, Local, default_workers, for_each, open_executor
from iopsim.experiment.executors.calls import packed
from iopsim.experiment.executors.chunks import _Work

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import ModuleType

pytestmark = pytest.mark.slow

TASKS = """
import os, signal, sys, threading, time

def square(index):
    return index * index

def slow(index):
    time.sleep(0.05)
    return os.getpid()

def sleep(seconds):
    time.sleep(seconds)
    return seconds

def sleeps_at_last(index):
    time.sleep(60 if index > 8 else 0)

def surroundings(index):
    return {
        "threads": [os.environ.get(f"{name}_NUM_THREADS") for name in ("OPENBLAS", "OMP", "MKL")],
        "deaf": signal.getsignal(signal.SIGINT) is signal.SIG_IGN,
        "main": getattr(sys.modules["__main__"], "__file__", None),
        "heavy": sorted({"numpy", "pandas", "scipy", "click", "pytest"} & sys.modules.keys()),
    }

def dies_once(flag, index):
    if index == 5 and not os.path.exists(flag):
        open(flag, "w").close()
        os.kill(os.getpid(), signal.SIGKILL)
    return index

def dies_in_the_middle_of_its_message(folder, index):
    if index != 1 or os.path.exists(f"{folder}/died"):
        return index
    while not os.path.exists(f"{folder}/nobody reads"):
        time.sleep(0.01)
    open(f"{folder}/died", "w").close()
    threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGKILL)).start()
    return bytes(8_000_000)  # far more than a pipe holds

def dies_at(deadly, index):
    return os._exit(7) if index == deadly else index

def dies(diary, index):
    with open(diary, "a") as file:
        file.write("x")
    os._exit(9)

def raises(index):
    if index == 2:
        raise KeyError("two")
    return index

class Stubborn(Exception):
    def __init__(self, one, two):
        super().__init__(one)

def raises_what_cannot_travel(index):
    raise Stubborn("a long", "way")

def returns_what_cannot_travel(index):
    return lambda: index
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a module of tasks that a worker can import."""
    folder: Path = tmp_path_factory.mktemp("tasks")
    (folder / "replication_tasks.py").write_text(TASKS)
    return folder


@pytest.fixture
def tasks(folder: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(folder)
    import replication_tasks  # type: ignore[import-not-found]

    return replication_tasks  # type: ignore[no-any-return]


@pytest.fixture(autouse=True)
def nobody_left() -> Any:
    before, environment = signal.getsignal(signal.SIGINT), dict(os.environ)
    yield
    assert multiprocessing.active_children() == []
    assert signal.getsignal(signal.SIGINT) is before
    assert {name for name in os.environ if "THREADS" in name} == {
        name for name in environment if "THREADS" in name
    }


def gathered(task: Callable[[int], Any], count: int, executor: int | Executor) -> dict[int, Any]:
    """What came back for each index, from so many workers or from this executor."""
    if isinstance(executor, int):
        with open_executor(executor) as opened:
            return gathered(task, count, opened)
    got: dict[int, Any] = {}

    def on_done(index: int, result: Any) -> None:
        assert index not in got
        got[index] = result

    for_each(executor, task, range(count), on_done)
    return got


def run(task: Callable[[int], Any], count: int, workers: int, on_done: Callable[[int, Any], None]) -> None:
    with open_executor(workers) as executor:
        for_each(executor, task, range(count), on_done)


@pytest.mark.parametrize("workers", [1, 3])
def test_every_index_is_done_once_whatever_the_workers(tasks: ModuleType, workers: int) -> None:
    assert gathered(tasks.square, 30, workers) == {index: index * index for index in range(30)}


def test_work_is_shared_and_one_replication_needs_no_worker(tasks: ModuleType) -> None:
    shared = list(gathered(tasks.slow, 20, 2).values())
    counts = sorted(shared.count(pid) for pid in set(shared))
    assert len(counts) == 2
    assert counts[0] >= 6
    assert os.getpid() not in shared
    assert gathered(tasks.slow, 1, 2) == {0: os.getpid()}
    assert gathered(tasks.slow, 0, 2) == {}


def test_chunks_grow_to_a_fifth_of_a_second_and_shrink_to_the_end() -> None:
    work = _Work(Local(2), abs, range(100), lambda index, result: None)
    assert work.chunk_size() == 1  # nothing is measured yet
    work.seconds = 0.03
    assert work.chunk_size() == 7  # 7 × 0.03 s is the first to reach 0.2 s
    work.seconds = 0.0
    assert work.chunk_size() == 25  # a quarter of 100: each of two workers comes twice
    work.line = type(work.line)(range(5))
    assert work.chunk_size() == 1
    work.line.clear()
    assert work.chunk_size() == 0


class Watched(ThreadPoolExecutor):
    """Two threads, and the most calls that were ever on their way at once."""

    width = 2

    def __init__(self) -> None:
        super().__init__(2)
        self.futures: list[Future[Any]] = []
        self.most = 0

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        self.futures.append(super().submit(fn, *args, **kwargs))
        self.most = max(self.most, sum(not future.done() for future in self.futures))
        return self.futures[-1]


def test_as_much_is_on_its_way_as_keeps_the_workers_busy_and_no_more() -> None:
    with Watched() as executor:
        for_each(executor, time.sleep, [0.02] * 60, lambda seconds, result: None)
    assert 4 <= executor.most <= 8
    assert 6 <= len(executor.futures) < 60  # 60 × 0.02 s are 6 chunks of 0.2 s, and smaller ones at both ends


def test_workers_have_one_thread_no_ears_and_no_main(tasks: ModuleType) -> None:
    alone = {"threads": ["1", "1", "1"], "deaf": True, "main": None, "heavy": []}
    assert gathered(tasks.surroundings, 2, 2) == {0: alone, 1: alone}


def test_a_worker_that_is_killed_costs_nothing(tasks: ModuleType, tmp_path: Path) -> None:
    task = functools.partial(tasks.dies_once, str(tmp_path / "died"))
    assert gathered(task, 12, 2) == {index: index for index in range(12)}
    assert (tmp_path / "died").exists()


def test_a_worker_may_die_in_the_middle_of_its_message(tasks: ModuleType, tmp_path: Path) -> None:
    def look_away(future: Any) -> None:  # runs in the thread that reads what workers say
        (tmp_path / "nobody reads").touch()
        time.sleep(0.5)

    with Local(2) as crew:
        first = crew.submit(tasks.sleep, 0.2)
        first.add_done_callback(look_away)
        dying = crew.submit(tasks.dies_in_the_middle_of_its_message, str(tmp_path), 1)
        assert first.result() == 0.2
        assert dying.result() == 1  # not the 8 MB of the first attempt
    assert (tmp_path / "died").exists()


@pytest.mark.parametrize("count", [8, 60])  # what is deadly goes out alone, or in a chunk with others
def test_what_always_kills_its_worker_ends_the_run_after_all_others(tasks: ModuleType, count: int) -> None:
    deadly = count // 2
    got: dict[int, int] = {}
    task = functools.partial(tasks.dies_at, deadly)
    with pytest.raises(MachineError, match=r"died 3 times in a row of the same work \(last exit code 7"):
        run(task, count, 2, got.__setitem__)
    assert got == {index: index for index in range(count) if index != deadly}


@pytest.mark.parametrize("workers", [1, 2])
def test_an_exception_comes_out_as_itself(tasks: ModuleType, workers: int) -> None:
    with pytest.raises(KeyError, match="two") as caught:
        gathered(tasks.raises, 8, workers)
    notes = "".join(getattr(caught.value, "__notes__", []))
    assert ("replication_tasks.py" in notes and "in raises" in notes) == (workers > 1)


def test_what_cannot_travel_is_told_by_its_text(tasks: ModuleType) -> None:
    with pytest.raises(RuntimeError, match="Stubborn: a long"):
        gathered(tasks.raises_what_cannot_travel, 4, 2)
    with pytest.raises(Exception, match="returns_what_cannot_travel"):
        gathered(tasks.returns_what_cannot_travel, 4, 2)


def test_a_failure_to_keep_a_result_stops_the_workers(tasks: ModuleType) -> None:
    def on_done(index: int, result: Any) -> None:
        raise MachineError("full")

    with pytest.raises(MachineError, match="full"):
        run(tasks.slow, 400, 2, on_done)


def test_a_worker_that_cannot_be_started_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: Any) -> None:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr("multiprocessing.util.spawnv_passfds", refuse)
    with pytest.raises(MachineError, match=r"Resource temporarily unavailable.*fewer --workers"):
        gathered(abs, 4, 2)


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_never_cuts_the_keeping_of_a_result(
    tasks: ModuleType, workers: int, number: signal.Signals
) -> None:
    begun, kept = [], []

    def on_done(index: int, result: Any) -> None:
        begun.append(index)
        if len(begun) == 3:
            os.kill(os.getpid(), number)
            time.sleep(0.05)
        kept.append(index)

    with pytest.raises(KeyboardInterrupt):
        run(tasks.slow, 400, workers, on_done)
    assert kept == begun
    assert 3 <= len(kept) < 20
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


SCRIPT = """
from iopsim.experiment.executors import Local, for_each
from replication_tasks import slow
try:
    with Local(2) as crew:
        for_each(crew, slow, range(2000), lambda index, result: print(index, flush=True))
except KeyboardInterrupt:
    print("stopped", flush=True)
"""


def started(folder: Path, task: str = "slow") -> subprocess.Popen[str]:
    """A process group of its own, whose script comes from standard input and has delivered four results."""
    process = subprocess.Popen(
        [sys.executable, "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(folder), *filter(None, sys.path)])},
        start_new_session=True,
    )
    assert process.stdin
    assert process.stdout
    process.stdin.write(SCRIPT.replace("slow", task))
    process.stdin.close()
    process.stdin = None
    for _ in range(4):
        assert process.stdout.readline().strip().isdigit()
    return process


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_of_the_whole_group_stops_within_a_second_and_in_silence(
    folder: Path, number: signal.Signals
) -> None:
    with started(folder) as process:
        began = time.monotonic()
        os.killpg(process.pid, number)
        out, err = process.communicate(timeout=10)
    assert time.monotonic() - began < 1.0
    assert out.splitlines()[-1] == "stopped"
    assert err == ""
    assert process.returncode == 0


def test_workers_end_with_a_parent_that_is_killed(folder: Path) -> None:
    with started(folder) as process:
        process.kill()
        _, err = process.communicate(timeout=10)  # ends when the last that holds standard output has
    assert err == ""


def test_a_worker_ends_in_the_middle_of_its_work_when_its_parent_is_killed(folder: Path) -> None:
    with started(folder, "sleeps_at_last") as process:
        process.kill()
        process.communicate(timeout=10)  # it would sleep for a minute


def test_a_crew_that_nobody_lets_go_ends_with_the_program(folder: Path) -> None:
    script = """
import time
from iopsim.experiment.executors import Local
crew = Local(2)
print(crew.submit(abs, -3).result())
futures = [crew.submit(time.sleep, 60) for _ in range(3)]
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=10, check=True
    )
    assert (done.stdout, done.stderr) == ("3\n", "")


NEWBORN = """
import multiprocessing, os, signal, time
from iopsim.experiment.executors import Local
with Local(2) as crew:
    futures = [crew.submit(os.getpid) for _ in range(2)]
    born = set()
    while not all(future.done() for future in futures):
        for child in multiprocessing.active_children():
            born.add(child.pid)
            os.kill(child.pid, signal.SIGINT)
        time.sleep(0.002)
    print({future.result() for future in futures} <= born, len(born) <= 2)
"""


def test_workers_are_deaf_to_ctrl_c_from_birth() -> None:
    done = subprocess.run(
        [sys.executable, "-c", NEWBORN], capture_output=True, text=True, timeout=10, check=True
    )
    assert (done.stdout, done.stderr) == ("True True\n", "")


# --- as executors


def test_workers_come_with_the_work_and_stay_for_the_next(tasks: ModuleType) -> None:
    with Local(3) as crew:
        assert multiprocessing.active_children() == []
        first = gathered(tasks.slow, 2, crew)
        assert len(multiprocessing.active_children()) == 2  # nobody without work is hired
        again = gathered(tasks.slow, 2, crew)
        assert set(first.values()) == set(again.values())


def test_the_crew_sleeps_when_there_is_nothing_to_do(tasks: ModuleType) -> None:
    with Local(2) as crew:
        gathered(tasks.square, 4, crew)
        before = time.process_time()
        time.sleep(0.5)
        assert time.process_time() - before < 0.05


def test_a_worker_killed_between_two_runs_is_replaced(tasks: ModuleType) -> None:
    with Local(2) as crew:
        for pid in set(gathered(tasks.slow, 4, crew).values()):
            os.kill(pid, signal.SIGKILL)
        assert gathered(tasks.square, 4, crew) == {0: 0, 1: 1, 2: 4, 3: 9}


def test_leaving_finishes_what_was_asked_for(tasks: ModuleType) -> None:
    with Local(2) as crew:
        futures = [crew.submit(tasks.sleep, 0.05) for _ in range(8)]
    assert [future.result() for future in futures] == [0.05] * 8
    with pytest.raises(RuntimeError, match="after shutdown"):
        crew.submit(abs, 1)


def test_giving_up_kills_at_once_and_tells_whoever_waits(tasks: ModuleType) -> None:
    crew = Local(2)
    futures = [crew.submit(tasks.sleep, 60) for _ in range(4)]
    while not futures[1].running():
        time.sleep(0.01)
    began = time.monotonic()
    crew.shutdown(cancel_futures=True)
    assert time.monotonic() - began < 30.0  # not the minute that each would sleep
    assert wait(futures, timeout=1.0).not_done == set()
    for future in futures:
        with pytest.raises(CancelledError):
            future.result(timeout=0)


def test_what_is_canceled_in_time_is_not_done(tasks: ModuleType, tmp_path: Path) -> None:
    with Local(1) as crew:
        first = crew.submit(tasks.sleep, 0.1)
        second = crew.submit(tasks.dies, str(tmp_path / "done"), 0)
        assert second.cancel()
        assert first.result() == 0.1
    assert not (tmp_path / "done").exists()


def test_many_threads_may_submit_at_once(tasks: ModuleType) -> None:
    with Local(2) as crew, ThreadPoolExecutor(8) as threads:
        answers = threads.map(lambda index: crew.submit(tasks.square, index).result(), range(200))
        assert list(answers) == [index * index for index in range(200)]


def test_here_is_this_process_and_now(tasks: ModuleType) -> None:
    with open_executor(1) as executor:
        assert isinstance(executor, Here)
        assert executor.submit(os.getpid).result(timeout=0) == os.getpid()
        assert isinstance(executor.submit(tasks.raises, 2).exception(timeout=0), KeyError)


# --- any executor


def test_the_standard_executors_do(tasks: ModuleType) -> None:
    expected = {index: index * index for index in range(30)}
    spawn = multiprocessing.get_context("spawn")
    with ThreadPoolExecutor(3) as threads, ProcessPoolExecutor(2, mp_context=spawn) as processes:
        assert gathered(tasks.square, 30, threads) == expected
        assert gathered(tasks.square, 30, processes) == expected
        with pytest.raises(KeyError, match="two"):
            gathered(tasks.raises, 8, threads)
        with pytest.raises(MachineError, match="same command again"):
            gathered(functools.partial(tasks.dies_at, 5), 8, processes)


def test_what_items_share_travels_once_with_a_chunk() -> None:
    shared = bytes(100_000)
    calls: list[int] = []

    class Weighed(Here):
        def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Any:
            calls.append(len(packed(fn, *args, **kwargs)))
            return super().submit(fn, *args, **kwargs)

    for_each(Weighed(), len, [(shared, index) for index in range(400)], lambda item, result: None)
    assert len(calls) < 100
    assert max(calls) < 110_000


def test_the_default_is_the_cores_this_process_may_use() -> None:
    assert 1 <= default_workers() <= (os.cpu_count() or 1)
    if hasattr(os, "sched_getaffinity"):
        assert default_workers() == len(os.sched_getaffinity(0))
