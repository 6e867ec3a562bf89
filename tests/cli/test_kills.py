"""kill -9, of a command or of its workers: what had finished is there and whole, and nothing half-made looks whole."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from iopsim.experiment.cache import Cache
from iopsim.experiment.executors import crew
from tests.cli.conftest import FEW
from tests.cli.faulty import Disk
from tests.cli.left import assert_done, assert_whole, left_in
from tests.cli.sessions import MINIMAL, SHORT, answered, files, kept_in

if TYPE_CHECKING:
    from tests.cli.sessions import Nursery

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
RUN = ("run", MINIMAL, *FEW, "--out", "answer")
REPLICATIONS = 24
MANY = ("run", MINIMAL, *SHORT, "--replications", str(REPLICATIONS), "--no-figures", "--out", "answer")


@pytest.mark.slow
def test_killed_at_any_act_it_goes_on(
    nursery: Nursery, tmp_path: Path, finished: Path, simulated_once: None
) -> None:
    """In the middle of each thing that a run does to the disk; and, where that was not the last, once more later."""
    (tmp_path / "whole").mkdir()
    with Disk(tmp_path / "whole").watched() as disk:
        answered(*RUN, folder=tmp_path / "whole")
    whole, again, states = left_in(tmp_path / "whole"), random.Random(20), set()
    acts = [
        at for at, act in enumerate(disk.acts, 1) if act not in disk.acts[: at - 1] and "fsync" not in act
    ]
    for at in acts:
        folder = tmp_path / f"{at}"
        folder.mkdir()
        for when in (at, again.choice(acts)):
            child = nursery.start(
                *RUN, folder=folder, before=Disk.script("os.kill(os.getpid(), signal.SIGKILL)", when)
            )
            answer = child.end()
            left = left_in(folder)
            assert_whole(left, whole, answer)
            assert answer.code in {-signal.SIGKILL, 0, 2}
            assert bool(left.results) == (
                answer.code != -signal.SIGKILL or disk.acts[when - 1] == "unlink answer/lock"
            )
            assert sum(one.replications for one in Cache(folder / "results/.cache").contents()) == len(
                left.kept
            )
            state = (*left.kept, *(path.name for path in sorted(folder.glob("*.partial/[!.]*"))))
            if state in states or left.results:
                break
            states.add(state)
        if not left.results:
            answer = answered(*RUN, folder=folder)
            assert_done(left_in(folder), whole, answer)
            assert left_in(folder).litter == [name for name in left.litter if ".cache" in name]
    assert len(states) >= 10


def test_workers_that_are_killed_again_and_again_cost_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the kernel kills them when memory runs out; each time while they have something in hand."""
    usual, left, killed = Cache.put, [2, 10], []

    def put(self: Cache, key: str, index: int, encoded: bytes) -> None:
        usual(self, key, index, encoded)
        if left and len(kept_in(tmp_path)) >= left[0]:
            left.pop(0)
            killed.append(multiprocessing.active_children()[0].pid or 0)
            os.kill(killed[-1], signal.SIGKILL)

    monkeypatch.setattr(Cache, "put", put)
    answer = answered(*MANY, "--workers", "2", folder=tmp_path)
    assert (answer.code, len(set(killed)), left) == (0, 2, [])
    monkeypatch.undo()
    answered(*MANY, "--workers", "1", "--out", "undisturbed", "--cache", "other", folder=tmp_path)
    assert files(tmp_path / "answer") == files(tmp_path / "undisturbed")


def test_workers_that_always_die_end_the_run_with_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What had finished before is kept, and the same command goes on without workers."""
    assert answered(*MANY, "--replications", "2", "--workers", "1", folder=tmp_path).code == 0
    (tmp_path / "answer").rename(tmp_path / "before")
    started, usual = [], crew._Process.start
    monkeypatch.setattr(crew._Process, "start", lambda self: (started.append(1), usual(self)))
    monkeypatch.setattr(crew, "_serve", os.abort)
    answer = answered(*MANY, "--workers", "2", folder=tmp_path)
    assert (answer.code, answer.out) == (5, "")
    assert len(started) <= 18  # three for each of the six pieces of work that were on their way
    sentence = answer.err.splitlines()[-1]
    assert sentence.startswith("error: workers died 3 times in a row of the same work (last exit code ")
    assert sentence.endswith("give the same command with fewer --workers")
    left = left_in(tmp_path)
    assert (len(left.kept), list(left.results)) == (2, ["before"])
    answer = answered(*MANY, "--workers", "1", folder=tmp_path)
    assert answer.code == 0
    assert f"minimal: 2 of {REPLICATIONS} replications" in answer.err


def test_memory_that_runs_out_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from iopsim.experiment import plans

    usual = plans.replicate

    def replicate(scenario: object, index: int) -> object:
        if index == 1:
            raise MemoryError
        return usual(scenario, index)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(plans, "replicate", replicate)
        answer = answered(*RUN, folder=tmp_path)
    assert answer == (
        5,
        "",
        "error: memory ran out; what had finished is kept: give the same command again with fewer --workers, "
        "or where there is more memory\n",
    )
    left = left_in(tmp_path)
    assert (len(left.kept), left.results) == (1, {})
    assert answered(*RUN, folder=tmp_path).code == 0
