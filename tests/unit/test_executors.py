"""Replications on many processes: complete, unchanged by how they were run, and hard to bring down."""

from __future__ import annotations

import functools
import multiprocessing
import os
import signal
import subprocess
import sys
import textwrap
import time
from typing import TYPE_CHECKING, Any

import pytest

from iopsim.errors import MachineError
from iopsim.experiment.executors import _Crew, default_workers, run_replications

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import ModuleType

TASKS = """
import os, signal, sys, threading, time

def square(index):
    return index * index

def slow(index):
    time.sleep(0.05)
    return os.getpid()

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

def dies_at_three(index):
    return os._exit(7) if index == 3 else index

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


def gathered(task: Callable[[int], Any], count: int, workers: int) -> dict[int, Any]:
    got: dict[int, Any] = {}

    def on_done(index: int, result: Any) -> None:
        assert index not in got
        got[index] = result

    run_replications(task, range(count), workers=workers, on_done=on_done)
    return got


@pytest.mark.parametrize("workers", [1, 2, 4])
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
    crew = _Crew(abs, range(100), 2, lambda index, result: None)
    assert crew.chunk_size() == 1  # nothing is measured yet
    crew.seconds = 0.03
    assert crew.chunk_size() == 7  # 7 × 0.03 s is the first to reach 0.2 s
    crew.seconds = 0.0
    assert crew.chunk_size() == 25  # a quarter of 100: each of two workers comes twice
    crew.waiting = type(crew.waiting)(range(5))
    assert crew.chunk_size() == 1
    crew.waiting.clear()
    assert crew.chunk_size() == 0


def test_workers_have_one_thread_no_ears_and_no_main(tasks: ModuleType) -> None:
    alone = {"threads": ["1", "1", "1"], "deaf": True, "main": None, "heavy": []}
    assert gathered(tasks.surroundings, 2, 2) == {0: alone, 1: alone}


def test_a_worker_that_is_killed_costs_nothing(tasks: ModuleType, tmp_path: Path) -> None:
    task = functools.partial(tasks.dies_once, str(tmp_path / "died"))
    assert gathered(task, 12, 2) == {index: index for index in range(12)}
    assert (tmp_path / "died").exists()


def test_a_worker_may_die_in_the_middle_of_its_message(tasks: ModuleType, tmp_path: Path) -> None:
    got = {}

    def on_done(index: int, result: Any) -> None:
        got[index] = result
        if index == 0:
            (tmp_path / "nobody reads").touch()
            time.sleep(0.5)

    task = functools.partial(tasks.dies_in_the_middle_of_its_message, str(tmp_path))
    run_replications(task, range(3), workers=2, on_done=on_done)
    assert got == {0: 0, 1: 1, 2: 2}  # not the 8 MB of the first attempt


def test_a_replication_that_always_kills_its_worker_ends_the_run_after_all_others(tasks: ModuleType) -> None:
    got = {}
    with pytest.raises(MachineError, match=r"died 6 times in a row \(last exit code 7"):
        run_replications(tasks.dies_at_three, range(8), workers=2, on_done=got.__setitem__)
    assert got == {index: index for index in range(8) if index != 3}


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
        run_replications(tasks.slow, range(400), workers=2, on_done=on_done)


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
        run_replications(tasks.slow, range(400), workers=workers, on_done=on_done)
    assert kept == begun
    assert 3 <= len(kept) < 20
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


SCRIPT = """
import sys, time
from iopsim.experiment.executors import run_replications
from replication_tasks import slow
kept = []
def on_done(index, result):
    kept.append(index)
    print(index, flush=True)
try:
    run_replications(slow, range(2000), workers=2, on_done=on_done)
except KeyboardInterrupt:
    print("stopped", flush=True)
"""


def started(folder: Path) -> subprocess.Popen[str]:
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
    process.stdin.write(textwrap.dedent(SCRIPT))
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


def test_the_default_is_the_cores_this_process_may_use() -> None:
    assert 1 <= default_workers() <= (os.cpu_count() or 1)
    if hasattr(os, "sched_getaffinity"):
        assert default_workers() == len(os.sched_getaffinity(0))
