"""Ctrl-C and `kill` at any moment: nothing that has finished is lost, and the same command completes it."""

from __future__ import annotations

import gc
import json
import os
import re
import signal
import sys
from itertools import count
from typing import TYPE_CHECKING

import pytest

from iopsim.experiment.encoding import decode
from tests.cli.conftest import FEW, MERGED, remember
from tests.cli.faulty import Disk, Lines
from tests.cli.left import assert_done, assert_whole, left_in
from tests.cli.sessions import (
    MINIMAL,
    SHORT,
    Nursery,
    answer_of,
    answered,
    at_terminal,
    files,
    kept_in,
    only_folder,
    spawn,
    until_kept,
)

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.sessions import Answer

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals and terminals of POSIX")

# --- at every kind of moment, in this process

COMMANDS = {
    "run": ("run", MINIMAL, *FEW, "--out", "answer", "--events"),
    "compare": ("compare", "F/r", "F/other.yaml", *FEW),
    "sweep": ("sweep", "F/sweep.yaml", *FEW, "--out", "answer"),
    "merge": ("merge", MINIMAL, "F/p", "F/q", *MERGED),
    "part": ("run", MINIMAL, *FEW, "--shard", "1/2"),
    "export": ("export", "F/r", "--xlsx", "answer.xlsx"),
}
# Whatever is done with the disk, with replications and with tables, and what the commands do themselves.
PARTS = ("experiment/store", "experiment/disk", "experiment/lock", "experiment/cache", "experiment/plans")
PARTS += (
    "experiment/executors",
    "experiment/run",
    "experiment/shards",
    "experiment/sweep/folder",
    "report/workbook",
)
PARTS += tuple(f"cli/{name}" for name in ("run", "compare", "sweep", "merge", "export"))
MOMENTS = {"run": 10, "export": 2}
DONE = "the results are finished: "


def assert_stopped(answer: Answer, finished: bool) -> None:
    """One sentence that says so, and what to do."""
    assert (answer.code, answer.out) == (130, "") or finished, answer
    stopped = answer.err.splitlines()[-1]
    assert stopped.startswith("stopped: "), answer.err
    assert DONE in stopped if finished and DONE in stopped else "give the same command again" in stopped


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # files that are closed late
@pytest.mark.parametrize("name", COMMANDS)
def test_at_any_line_it_is_stopped_and_the_same_command_completes_it(
    tmp_path: Path, finished: Path, simulated_once: None, name: str
) -> None:
    command = [word.replace("F/", f"{finished}/") for word in COMMANDS[name]]
    (tmp_path / "whole").mkdir()
    with Lines(PARTS).watched() as lines:
        first = answered(*command, folder=tmp_path / "whole")
    assert first.code == 0, first.err
    whole, moments, states = left_in(tmp_path / "whole"), MOMENTS.get(name, 4), set()
    for moment in range(moments):
        folder = tmp_path / f"{moment}"
        folder.mkdir()
        at = 1 + (2 * moment + 1) * lines.count // (2 * moments)
        number = (signal.SIGINT, signal.SIGTERM)[moment % 2]
        with Lines(PARTS, at, number).watched() as typed:
            answer = answered(*command, folder=folder)
        left = left_in(folder)
        assert typed.where
        assert_whole(left, whole, answer)
        assert left.litter == []
        assert_stopped(answer, finished=(left.results, left.files) == (whole.results, whole.files))
        states.add((*left.kept, *(path.name for path in sorted(folder.rglob("*.partial/*")))))
        if not left.results and not left.files:
            answer = answered(*command, folder=folder)
            assert_done(left_in(folder), whole, answer)
    assert len(states) >= moments / 4
    gc.collect()


@pytest.mark.parametrize("times", [1, 3])
@pytest.mark.parametrize("act", ["rename answer.partial", "unlink answer/lock"])
def test_while_the_folder_gets_its_name_the_results_are_finished(
    tmp_path: Path, simulated_once: None, act: str, times: int
) -> None:
    command = ("run", MINIMAL, *FEW, "--out", "answer")
    (tmp_path / "whole").mkdir()
    with Disk(tmp_path / "whole").watched() as disk:
        answered(*command, folder=tmp_path / "whole")
    (tmp_path / "mine").mkdir()
    typed = [lambda: signal.raise_signal(signal.SIGINT)] * times
    with Disk(tmp_path / "mine", lambda: [one() for one in typed], disk.acts.index(act) + 1).watched():  # type: ignore[arg-type, return-value]
        answer = answered(*command, folder=tmp_path / "mine")
    assert answer == (130, "", f"\nstopped: {DONE}answer\n")
    assert files(tmp_path / "mine" / "answer") == files(tmp_path / "whole" / "answer")


def test_while_figures_are_drawn_every_replication_and_no_answer_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def drawn(folder: Path) -> object:
        yield "census.svg", b"<svg/>"
        if next(calls) == 0:
            signal.raise_signal(signal.SIGINT)

    calls = count()
    monkeypatch.setattr("iopsim.report.figures.draw_all", drawn)
    command = ("run", MINIMAL, *SHORT, "--replications", "2", "--workers", "1", "--out", "answer")
    answer = answered(*command, folder=tmp_path)
    assert (answer.code, answer.out) == (130, "")
    assert answer.err.splitlines()[-1] == (
        "stopped: every replication that has finished is kept; give the same command again to complete answer"
    )
    left = left_in(tmp_path)
    assert (len(left.kept), left.results, left.litter) == (2, {}, [])
    assert "minimal: 2 of 2 replications, 0 s" in answered(*command, folder=tmp_path).err
    assert "figures/census.svg" in files(tmp_path / "answer")


# --- in processes of their own, with workers

REPLICATIONS = 80
LONG = ("run", MINIMAL, *SHORT, "--no-figures", "--replications", str(REPLICATIONS))
KEPT = re.compile(
    rf"stopped: (\d+) of {REPLICATIONS} replications are kept in results/\.cache; "
    r"give the same command again to complete the run\n$"
)


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("uninterrupted")
    with pytest.MonkeyPatch.context() as patch:
        remember(patch)
        assert answered(*LONG, "--workers", "1", folder=folder).code == 0
    return folder


def assert_stopped_and_completed(answer: Answer, folder: Path, uninterrupted: Path) -> None:
    said = KEPT.search(answer.err or answer.out)
    assert said, answer
    assert answer.code == 130
    left = left_in(folder)
    assert_whole(left, left_in(uninterrupted), answer)
    assert (left.results, left.litter) == ({}, [])
    assert 3 <= len(left.kept) == int(said[1]) < REPLICATIONS
    assert [decode(path.read_bytes()).index for path in kept_in(folder)] == sorted(
        int(path.stem) for path in kept_in(folder)
    )
    partial = only_folder(folder / "results")
    assert {path.name for path in partial.iterdir()} == {"manifest.json", "lock"}
    done = answered(*LONG, "--workers", "1", folder=folder)
    first = next(line for line in done.err.splitlines() if line.startswith("minimal: "))
    assert first.startswith(f"minimal: {said[1]} of {REPLICATIONS} replications")
    finished = only_folder(folder / "results")
    assert f"results: {finished.relative_to(folder)}\n" in done.out
    assert files(finished) == files(only_folder(uninterrupted / "results"))
    assert len(json.loads((finished / "manifest.json").read_text(encoding="utf-8"))["started"]) == 2


def test_ctrl_c_of_the_whole_group(tmp_path: Path, uninterrupted: Path, simulated_once: None) -> None:
    process = spawn(*LONG, "--workers", "2", folder=tmp_path)
    until_kept(tmp_path)
    for _ in range(3):  # somebody is impatient
        os.killpg(process.pid, signal.SIGINT)
    answer = answer_of(process)
    assert answer.out == ""
    assert_stopped_and_completed(answer, tmp_path, uninterrupted)


def test_ctrl_c_typed_at_a_terminal(tmp_path: Path, uninterrupted: Path, simulated_once: None) -> None:
    def type_it() -> str:
        until_kept(tmp_path)
        return "\x03"

    answer = at_terminal(*LONG, "--workers", "1", folder=tmp_path, meanwhile=type_it)
    assert_stopped_and_completed(answer, tmp_path, uninterrupted)


def test_kill_while_a_result_is_being_kept(
    nursery: Nursery, tmp_path: Path, uninterrupted: Path, simulated_once: None
) -> None:
    """The moment that must not be cut in two."""
    told = Disk.script("os.kill(os.getpid(), signal.SIGTERM)", at=40)
    child = nursery.start(*LONG, "--workers", "1", folder=tmp_path, before=told)
    assert_stopped_and_completed(child.end(), tmp_path, uninterrupted)
