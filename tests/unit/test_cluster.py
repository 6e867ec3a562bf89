"""Work on a dask cluster: complete though workers die, refused where numbers may differ, and told in one sentence.

Schedulers, workers and the programs that use them are processes of their own, as in life.
"""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest

from iopsim.errors import InputError
from iopsim.experiment.executors import open_executor

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

needs_dask = pytest.mark.skipif(
    find_spec("distributed") is None, reason='dask.distributed is missing: pip install "iopsim[cluster]"'
)

TASKS = """
import os, time

def slow(index):
    time.sleep(0.05)
    return index, os.getpid()

def dies_at_three(index):
    time.sleep(0.05)
    return os._exit(7) if index == 3 else (index, os.getpid())

def raises(index):
    raise KeyError("two")
"""

PROGRAM = """
import os, signal, time
from iopsim.errors import IopsimError
from iopsim.experiment.executors import cluster, for_each, open_executor
from cluster_tasks import *

def say(*words):
    print(*words, flush=True)

got, pids = {}, []

def keep(index, result):
    assert index not in got
    got[index], pid = result
    pids.append(pid)
    if len(pids) == 4:
        say("four")

def complete(count):
    return got == {index: index for index in range(count)}

try:
BODY
except IopsimError as error:
    say(f"{type(error).__name__} {error.exit_code}: {error}")
"""

OTHER_VERSION = "import iopsim.experiment.keys as keys; keys.program_version = lambda: '0-of-others'"


class Lab:
    """A folder of tasks, and the processes that a test starts; all are gone at its end."""

    def __init__(self, folder: Path, started: ExitStack) -> None:
        self.folder = folder
        self.started = started
        (folder / "cluster_tasks.py").write_text(TASKS)
        self.path = os.pathsep.join([str(folder), *filter(None, sys.path)])

    def start(self, *command: str, output: int = subprocess.DEVNULL, **more: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, *command],
            stdout=output,
            stderr=output,
            text=True,
            cwd=self.folder,
            env=os.environ | {"PYTHONPATH": self.path, "DASK_TEMPORARY_DIRECTORY": str(self.folder)} | more,
            start_new_session=True,
        )
        self.started.callback(end, process)
        return process

    def scheduler(self) -> tuple[subprocess.Popen[str], str]:
        """A scheduler and its address."""
        file = self.folder / "scheduler.json"
        where = ("--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--dashboard-address", ":0")
        process = self.start("-m", "distributed.cli.dask_scheduler", *where, "--scheduler-file", str(file))
        while not (file.exists() and file.read_text().endswith("}")):
            assert process.poll() is None
            time.sleep(0.02)
        return process, json.loads(file.read_text())["address"]

    def worker(self, address: str, *options: str, **more: str) -> subprocess.Popen[str]:
        """A worker that nobody replaces when it dies."""
        command = (
            "-m",
            "distributed.cli.dask_worker",
            address,
            "--nthreads",
            "1",
            "--no-dashboard",
            *options,
        )
        return self.start(*command, "--no-nanny", **more)

    def program(self, body: str) -> subprocess.Popen[str]:
        indented = "\n".join(f"    {line}" for line in body.strip("\n").splitlines())
        return self.start("-c", PROGRAM.replace("BODY", indented), output=subprocess.PIPE)

    def told(self, body: str) -> list[str]:
        """What the program says; on standard error it says nothing."""
        return rest_of(self.program(body))


def rest_of(process: subprocess.Popen[str]) -> list[str]:
    out, err = process.communicate(timeout=60)
    assert err == ""
    return out.splitlines()


def end(process: subprocess.Popen[str]) -> None:
    with process:
        process.kill()


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    with ExitStack() as started:
        yield Lab(tmp_path, started)


def test_without_dask_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(InputError, match=r'--dask: .*not installed; pip install "iopsim\[cluster\]"'):
        open_executor(dask="local")


@needs_dask
@pytest.mark.slow
def test_one_of_two_workers_is_killed_half_way_and_nothing_is_lost(lab: Lab) -> None:
    _, address = lab.scheduler()
    killed, left = lab.worker(address), lab.worker(address)
    said = lab.told(f"""
with open_executor(dask={address!r}) as executor:
    executor._client.wait_for_workers(2)
    def keep_and_kill(index, result):
        keep(index, result)
        if len(pids) == 40:
            os.kill({killed.pid}, signal.SIGKILL)
    for_each(executor, slow, range(80), keep_and_kill)
    say(complete(80), set(pids[:40]) == {{ {killed.pid}, {left.pid} }}, set(pids[-8:]) == {{ {left.pid} }})
    while executor.width == 2:
        time.sleep(0.1)
    say(executor.width)
""")
    assert said == ["four", "True True True", "1"]
    assert killed.wait(5) == -signal.SIGKILL


@needs_dask
@pytest.mark.slow
def test_when_all_workers_are_gone_it_waits_for_others(lab: Lab) -> None:
    _, address = lab.scheduler()
    workers = [lab.worker(address)]
    program = lab.program(f"""
with open_executor(dask={address!r}) as executor:
    for_each(executor, slow, range(60), keep)
    say(complete(60), len(set(pids)))
    os.kill(pids[-1], signal.SIGKILL)
    cluster._PATIENCE_SECONDS = 1.0
    for_each(executor, slow, range(60, 120), keep)
""")
    assert program.stdout
    assert program.stdout.readline() == "four\n"
    workers[0].kill()
    lab.worker(address)
    done, error = rest_of(program)
    assert done == "True 2"
    assert error.startswith(
        "MachineError 5: the dask cluster has lost all its workers; give the same command"
    )


@needs_dask
@pytest.mark.slow
def test_a_worker_of_another_version_is_refused_before_work_and_in_work(lab: Lab) -> None:
    _, address = lab.scheduler()
    lab.worker(address)
    program = lab.program(f"""
with open_executor(dask={address!r}) as executor:
    for_each(executor, slow, range(4000), keep)
""")
    assert program.stdout
    assert program.stdout.readline() == "four\n"
    lab.worker(address, "--preload", OTHER_VERSION)
    refusals = rest_of(program) + lab.told(f"with open_executor(dask={address!r}): say('not reached')")
    assert len(refusals) == 2
    for line in refusals:
        refused = (
            r"MachineError 5: worker tcp://[\d.]+:\d+ of the dask cluster is of version 0-of-others and this"
        )
        assert re.match(refused, line)


@needs_dask
def test_a_worker_without_the_program_is_refused(lab: Lab) -> None:
    _, address = lab.scheduler()
    (lab.folder / "elsewhere/iopsim").mkdir(parents=True)
    (lab.folder / "elsewhere/iopsim/__init__.py").touch()
    lab.worker(address, PYTHONPATH=str(lab.folder / "elsewhere"))
    (line,) = lab.told(f"with open_executor(dask={address!r}): say('not reached')")
    assert re.match(
        r"MachineError 5: worker tcp://\S+ .*cannot run iopsim \(.*No module named .*install", line
    )


@needs_dask
@pytest.mark.slow
def test_a_scheduler_that_is_not_there_or_leaves_is_one_sentence(lab: Lab) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        nowhere = f"tcp://127.0.0.1:{closed.getsockname()[1]}"
    scheduler, address = lab.scheduler()
    program = lab.program(f"""
cluster._CONNECT_SECONDS = 1.0
for wrong in ("nonsense", "foo://x:1", {nowhere!r}, {address!r}):
    try:
        open_executor(dask=wrong)
    except IopsimError as error:
        say(type(error).__name__, error)
cluster._CONNECT_SECONDS = 8.0
with open_executor(dask={address!r}) as executor:
    cluster._CONNECT_SECONDS = executor._client._timeout = 1.0
    for_each(executor, slow, range(4000), keep)
""")
    assert program.stdout
    said = [program.stdout.readline() for _ in range(4)]
    lab.worker(address)
    assert program.stdout.readline() == "four\n"
    scheduler.kill()
    said += rest_of(program)
    for line, expected in zip(
        said,
        [
            r"InputError --dask: error: 'nonsense' is no address of a scheduler \(missing port",
            r"InputError --dask: error: 'foo://x:1' is no address .*give tcp://host:port, or local",
            rf"MachineError no dask scheduler answers at {nowhere} .*start one with `dask scheduler`",
            rf"MachineError the dask scheduler at {address} has no workers; start some: dask worker {address}",
            r"MachineError 5: the dask scheduler is gone; give the same command again: what had finished is kept",
        ],
        strict=True,
    ):
        assert re.match(expected, line)


@needs_dask
@pytest.mark.slow
def test_a_local_cluster_replaces_who_dies_and_names_what_kills(lab: Lab) -> None:
    said = lab.told("""
os.environ["DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES"] = "0"
with open_executor(2, "local") as executor:
    def keep_and_kill(index, result):
        keep(index, result)
        if len(pids) == 20:
            os.kill(result[1], signal.SIGKILL)
    for_each(executor, slow, range(40), keep_and_kill)
    say(complete(40), len(set(pids)) > 1)
    try:
        executor.submit(raises, 0).result()
    except KeyError as error:
        say(error, "in raises" in error.__notes__[0])
    try:
        executor.submit(dies_at_three, 3).result()
    except IopsimError as error:
        say(error)
    pids += executor.submit(slow, 1).result()[1:]
for pid in set(pids):
    try:
        os.kill(pid, 0)
        say(pid, "is still there")
    except ProcessLookupError:
        pass
""")
    assert said[:3] == ["four", "True True", "'two' True"]
    assert said[3].startswith("workers of the dask cluster died again and again of the same work")
    assert said[4:] == []


@needs_dask
@pytest.mark.slow
def test_ctrl_c_of_the_whole_group_stops_a_local_cluster_in_silence(lab: Lab) -> None:
    program = lab.program("""
try:
    with open_executor(2, "local") as executor:
        for_each(executor, slow, range(4000), keep)
except KeyboardInterrupt:
    say("stopped")
""")
    assert program.stdout
    assert program.stdout.readline() == "four\n"
    os.killpg(program.pid, signal.SIGINT)
    assert rest_of(program) == ["stopped"]  # all 4,000 would take longer than we wait
    assert program.returncode == 0
