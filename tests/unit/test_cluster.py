"""Work on a dask cluster: complete though workers die, refused where numbers may differ, and told in one sentence.

Schedulers, workers and the programs that use them are processes of their own, as in life; all are forked from one that
has loaded what they share.
"""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import sys
from contextlib import suppress
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest

from iopsim.errors import InputError
from iopsim.experiment.executors import open_executor
from tests.cli.sessions import Nursery, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.cli.sessions import Child

pytestmark = pytest.mark.slow

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

OTHER_VERSION = """
from iopsim.experiment import keys
from iopsim.experiment.executors import cluster
keys.program_version = cluster.program_version = lambda: "0-of-others"
"""


START = """
import os, pathlib, sys
import dask
sys.path.insert(0, os.getcwd())
dask.config.set(temporary_directory=os.getcwd())
"""
SCHEDULER = """
from distributed.cli.dask_scheduler import main
main(["--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--dashboard-address", ":0",
      "--scheduler-file", "scheduler.json"], standalone_mode=False)
"""
WORKER = """
from distributed.cli.dask_worker import main
main([ADDRESS, "--nthreads", "1", "--no-dashboard", "--no-nanny"], standalone_mode=False)
"""


WITHOUT_THE_PROGRAM = """
for name in [*sys.modules]:
    if name.partition(".")[0] == "iopsim":
        del sys.modules[name]
sys.path.insert(0, "elsewhere")
"""


class Lab:
    """A folder of tasks, and the processes that a test starts; all are gone at its end."""

    def __init__(self, folder: Path, nursery: Nursery) -> None:
        self.folder = folder
        self.nursery = nursery
        self.started: list[Child] = []
        (folder / "cluster_tasks.py").write_text(TASKS)

    def start(self, script: str) -> Child:
        child = self.nursery.start(folder=self.folder, before=f"{START}\n{script}\nsys.exit()")
        self.started.append(child)
        return child

    def scheduler(self) -> tuple[Child, str]:
        """A scheduler and its address."""
        file = self.folder / "scheduler.json"
        scheduler = self.start(SCHEDULER)
        until(lambda: file.exists() and file.read_text().endswith("}"))
        return scheduler, json.loads(file.read_text())["address"]

    def worker(self, address: str, first: str = "") -> Child:
        """A worker that nobody replaces when it dies; `first` is Python that it runs first."""
        return self.start(first + WORKER.replace("ADDRESS", repr(address)))

    def program(self, body: str) -> Child:
        indented = "\n".join(f"    {line}" for line in body.strip("\n").splitlines())
        return self.start(PROGRAM.replace("BODY", indented))

    def rest_of(self, child: Child) -> list[str]:
        """What a program says until it ends; on standard error it says nothing."""
        self.started.remove(child)
        code, out, err = child.end()
        assert (code, err) == (0, "")
        return out.splitlines()

    def told(self, body: str) -> list[str]:
        return self.rest_of(self.program(body))

    def kill(self, child: Child) -> int:
        self.started.remove(child)
        with suppress(ProcessLookupError):
            os.kill(child.pid, signal.SIGKILL)
        return child.end().code


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    if sys.platform == "win32":
        pytest.skip("processes that are forked")
    nursery = Nursery(
        "import distributed, distributed.cli.dask_scheduler, distributed.cli.dask_worker\n"
        "import iopsim.experiment.executors.cluster"
    )
    yield nursery
    nursery.close()


@pytest.fixture
def lab(tmp_path: Path, nursery: Nursery) -> Iterator[Lab]:
    lab = Lab(tmp_path, nursery)
    yield lab
    for child in [*lab.started]:
        lab.kill(child)


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
    assert lab.kill(killed) == -signal.SIGKILL


@needs_dask
@pytest.mark.slow
def test_when_all_workers_are_gone_it_waits_for_others(lab: Lab) -> None:
    _, address = lab.scheduler()
    worker = lab.worker(address)
    program = lab.program(f"""
with open_executor(dask={address!r}) as executor:
    for_each(executor, slow, range(60), keep)
    say(complete(60), len(set(pids)))
    os.kill(pids[-1], signal.SIGKILL)
    cluster._PATIENCE_SECONDS = 1.0
    for_each(executor, slow, range(60, 120), keep)
""")
    program.says("four\n")
    lab.kill(worker)
    lab.worker(address)
    four, done, error = lab.rest_of(program)
    assert (four, done) == ("four", "True 2")
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
    program.says("four\n")
    lab.worker(address, OTHER_VERSION)
    refusals = lab.rest_of(program)[1:] + lab.told(
        f"with open_executor(dask={address!r}): say('not reached')"
    )
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
    lab.worker(address, first=WITHOUT_THE_PROGRAM)
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
    program.says("has no workers")
    lab.worker(address)
    program.says("four\n")
    lab.kill(scheduler)
    for line, expected in zip(
        [line for line in lab.rest_of(program) if line != "four"],
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
dask.config.set({"distributed.scheduler.allowed-failures": 0})
with open_executor(1, "local") as executor:
    for_each(executor, slow, range(8), keep)
    say(complete(8))
    try:
        executor.submit(raises, 0).result()
    except KeyError as error:
        say(error, "in raises" in error.__notes__[0])
    try:
        executor.submit(dies_at_three, 3).result()
    except IopsimError as error:
        say(error)
    pids += executor.submit(slow, 1).result()[1:]
    say(len(set(pids)))
for pid in set(pids):
    try:
        os.kill(pid, 0)
        say(pid, "is still there")
    except ProcessLookupError:
        pass
""")
    assert said[:3] == ["four", "True", "'two' True"]
    assert said[3].startswith("workers of the dask cluster died again and again of the same work")
    assert said[4:] == ["2"]


@needs_dask
@pytest.mark.slow
def test_ctrl_c_of_the_whole_group_stops_a_local_cluster_in_silence(lab: Lab) -> None:
    program = lab.program("""
try:
    with open_executor(1, "local") as executor:
        for_each(executor, slow, range(4000), keep)
except KeyboardInterrupt:
    say("stopped")
""")
    program.says("four\n")
    os.killpg(program.pid, signal.SIGINT)
    assert lab.rest_of(program) == ["four", "stopped"]  # all 4,000 would take longer than we wait
