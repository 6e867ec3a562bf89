"""Ctrl-C, `kill` and `kill -9` half-way: nothing that has finished is lost, and the same command completes it."""

from __future__ import annotations

import json
import os
import re
import signal
import sys
import time
from typing import TYPE_CHECKING

import pytest

from iopsim.errors import InputError
from iopsim.experiment.encoding import decode
from iopsim.experiment.store import read_run
from tests.cli.sessions import (
    MINIMAL,
    answer_of,
    at_terminal,
    files,
    kept_in,
    only_folder,
    spawn,
    spawned,
    until_kept,
)

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Iopsim
    from tests.cli.sessions import Answer

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals and terminals of POSIX")
REPLICATIONS = 60
LONG = ("run", MINIMAL, "--no-figures", "--replications", str(REPLICATIONS))
KEPT = re.compile(
    r"stopped: (\d+) of 60 replications are kept in results/\.cache; "
    r"give the same command again to complete the run\n$"
)


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("uninterrupted")
    assert spawned(*LONG, folder=folder).code == 0
    return files(only_folder(folder / "results"))


def whole_in(folder: Path) -> int:
    """How many replications are kept, each of which must be whole, and nothing else be there."""
    kept = kept_in(folder)
    assert [f"{decode(path.read_bytes()).index:06d}.rep" for path in kept] == [path.name for path in kept]
    assert [path for path in (folder / "results" / ".cache").rglob("*.tmp") if path.is_file()] == []
    return len(kept)


def assert_stopped_and_kept(answer: Answer, folder: Path) -> None:
    said = KEPT.search(answer.err or answer.out)
    assert said, answer
    assert answer.code == 130
    assert "Traceback" not in answer.err + answer.out
    assert 3 <= whole_in(folder) == int(said[1]) < REPLICATIONS
    partial = only_folder(folder / "results")
    assert partial.suffix == ".partial"
    assert {path.name for path in partial.iterdir()} == {"manifest.json", "lock"}
    for path in (partial, partial.with_suffix("")):
        with pytest.raises(InputError, match="the run is unfinished"):
            read_run(path)
    assert json.loads((partial / "manifest.json").read_text(encoding="utf-8"))["key"]


def assert_completed(folder: Path, uninterrupted: dict[str, bytes]) -> None:
    kept = len(kept_in(folder))
    assert 3 <= kept < REPLICATIONS
    done = spawned(*LONG, folder=folder)
    assert done.code == 0, done.err
    first = next(line for line in done.err.splitlines() if line.startswith("minimal: "))
    assert first.startswith(f"minimal: {kept} of {REPLICATIONS} replications")
    finished = only_folder(folder / "results")
    assert f"results: {finished.relative_to(folder)}\n" in done.out
    assert files(finished) == uninterrupted
    assert len(json.loads((finished / "manifest.json").read_text(encoding="utf-8"))["started"]) == 2


def test_ctrl_c_without_a_terminal(tmp_path: Path, uninterrupted: dict[str, bytes]) -> None:
    process = spawn(*LONG, "--workers", "2", folder=tmp_path)
    until_kept(tmp_path)
    os.killpg(process.pid, signal.SIGINT)
    answer = answer_of(process)
    assert answer.out == ""
    assert_stopped_and_kept(answer, tmp_path)
    assert_completed(tmp_path, uninterrupted)


def test_ctrl_c_without_workers(tmp_path: Path) -> None:
    process = spawn(*LONG, "--workers", "1", folder=tmp_path)
    until_kept(tmp_path)
    os.killpg(process.pid, signal.SIGINT)
    assert_stopped_and_kept(answer_of(process), tmp_path)


def test_ctrl_c_typed_at_a_terminal(tmp_path: Path, uninterrupted: dict[str, bytes]) -> None:
    def type_it() -> str:
        until_kept(tmp_path)
        return "\x03"

    assert_stopped_and_kept(at_terminal(*LONG, folder=tmp_path, meanwhile=type_it), tmp_path)
    assert_completed(tmp_path, uninterrupted)


def test_ctrl_c_twice_is_one_sentence_too(tmp_path: Path) -> None:
    process = spawn(*LONG, "--workers", "2", folder=tmp_path)
    until_kept(tmp_path)
    for _ in range(2):
        os.killpg(process.pid, signal.SIGINT)
    answer = answer_of(process)
    assert answer.code == 130
    assert "Traceback" not in answer.err
    assert "stopped" in answer.err.splitlines()[-1]
    assert whole_in(tmp_path) >= 3


def test_ctrl_c_while_the_workers_start_is_one_sentence_too(tmp_path: Path) -> None:
    process = spawn(*LONG, "--workers", "2", folder=tmp_path)
    assert process.stderr
    assert process.stderr.readline() == "minimal: 0 of 60 replications, 0 s\n"
    time.sleep(0.15)  # now the first worker reads what it needs
    os.killpg(process.pid, signal.SIGINT)
    answer = answer_of(process)
    assert (answer.code, answer.out) == (130, "")
    assert answer.err.splitlines()[-1].startswith("stopped")
    assert "Traceback" not in answer.err


def test_being_told_to_end_is_like_ctrl_c(tmp_path: Path) -> None:
    process = spawn(*LONG, "--workers", "2", folder=tmp_path)
    until_kept(tmp_path)
    process.terminate()
    assert_stopped_and_kept(answer_of(process), tmp_path)


def test_kill_9_costs_only_what_was_in_hand(tmp_path: Path, uninterrupted: dict[str, bytes]) -> None:
    process = spawn(*LONG, "--workers", "2", "--quiet", folder=tmp_path)
    until_kept(tmp_path)
    process.kill()
    answer_of(process)
    assert_completed(tmp_path, uninterrupted)


def test_ctrl_c_while_tables_are_written_keeps_every_replication(
    iopsim: Iopsim, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    command = ("run", MINIMAL, "--no-figures", "--replications", "3", "--workers", "1", "--out", "answer")
    with monkeypatch.context() as patch:
        patch.setattr("iopsim.experiment.run.write_tables", interrupted)
        code, out, err = iopsim(*command)
    assert (code, out) == (130, "")
    assert "stopped" in err.splitlines()[-1]
    assert whole_in(tmp_path) == 3
    assert set(files(tmp_path / "answer.partial")) == {"lock"}
    assert "minimal: 3 of 3 replications, 0 s" in iopsim(*command).err
    assert "summary.csv" in files(tmp_path / "answer")


def test_ctrl_c_while_plans_are_compared_keeps_what_the_plans_share_with_a_run(tmp_path: Path) -> None:
    (tmp_path / "other.yaml").write_text(f"extends: {MINIMAL}\nlevels: {{iop: {{places: 13}}}}\n", "utf-8")
    arguments = ("compare", MINIMAL, "other.yaml", "--replications", "200", "--workers", "1")
    process = spawn(*arguments, folder=tmp_path)
    until_kept(tmp_path, 10)
    os.killpg(process.pid, signal.SIGINT)
    answer = answer_of(process)
    assert (answer.code, answer.out) == (130, "")
    said = re.search(
        r"\nstopped: (\d+) of 400 replications are kept in results/\.cache; give the same", answer.err
    )
    assert said, answer.err
    assert "Traceback" not in answer.err
    assert 10 <= whole_in(tmp_path) == int(said[1]) < 400
    few = ("run", MINIMAL, "--no-figures", "--replications", "10")
    assert spawned(*few, folder=tmp_path).err == "minimal: 10 of 10 replications, 0 s\n"
