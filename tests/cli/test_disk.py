"""A disk that refuses any one of the things a command does to it: nothing finished is lost, nothing half is whole."""

from __future__ import annotations

import errno
import os
import sys
from itertools import cycle
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.cli.conftest import FEW, MERGED
from tests.cli.faulty import Disk, refuses
from tests.cli.left import assert_done, assert_whole, left_in
from tests.cli.sessions import MINIMAL, answered

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.sessions import Answer

REFUSALS = {
    errno.ENOSPC: "has no room left",
    errno.EROFS: "cannot be",
    errno.EACCES: "cannot be",
    errno.EDQUOT: "has no room left",
    errno.EIO: "cannot be",
}


class Case(NamedTuple):
    """A command, where `F` is the folder of finished results.

    Attributes:
        words: What is typed.
        states: In how many states it leaves its own folder, at least.
        step: Which of the acts are refused: every one, every third …
    """

    words: tuple[str, ...]
    states: int = 1
    step: int = 1


THERE = ("--cache", "F/results/.cache")
CASES = {
    "run": Case(("run", MINIMAL, *FEW, "--out", "answer", "--events"), 10),
    "part": Case(("run", MINIMAL, *FEW, "--shard", "1/2"), 4),
    "compare": Case(("compare", "F/r", "F/other.yaml", *FEW, *THERE, "--out", "answer"), 4, 2),
    "sweep": Case(("sweep", "F/sweep.yaml", *FEW, *THERE), 7, 2),
    "merge": Case(("merge", MINIMAL, "F/p", "F/q", *MERGED), 8, 4),
    "export": Case(("export", "F/r", "--xlsx", "deep/answer.xlsx")),
    "check": Case(("check", "F/r", "--junit-xml", "deep/verdicts.xml")),
    "new": Case(("new", "mine.yaml")),
}


def assert_refused(answer: Answer, number: int) -> None:
    """One sentence: what refused, why, and what to do."""
    assert answer.code == 5, answer
    *before, sentence = answer.err.splitlines()
    assert sentence.startswith("error: "), answer.err
    assert not [line for line in before if "error" in line]
    assert f"({os.strerror(number)})" in sentence
    assert REFUSALS[number] in sentence or "cannot be written" in sentence
    assert (
        sentence.endswith(("give the same command again", "choose another folder"))
        or "--junit-xml" in sentence
    )


@pytest.mark.parametrize("name", CASES)
def test_whatever_act_is_refused_the_same_command_goes_on(
    tmp_path: Path, finished: Path, simulated_once: None, name: str
) -> None:
    """Once, or from then on: by turns. The command is given again for each state that the folder was left in."""
    case = CASES[name]
    command = [word.replace("F/", f"{finished}/") for word in case.words]
    (tmp_path / "whole").mkdir()
    with Disk(tmp_path / "whole").watched() as disk:
        first = answered(*command, folder=disk.folder)
    whole = left_in(disk.folder)
    assert first.code in {0, 4}, first.err
    refusals, spared, states = cycle(REFUSALS), [], set()
    for at in range(1, len(disk.acts) + 1, case.step):
        folder, number = tmp_path / f"{at}", next(refusals)
        folder.mkdir()
        with Disk(folder, refuses(number), at, lasting=at // case.step % 2 == 0).watched() as faulty:
            answer = answered(*command, folder=folder)
        left = left_in(folder)
        assert_whole(left, whole, answer)
        assert left.litter == [] or faulty.lasting
        if answer.code == first.code:
            spared.append(faulty.acts[at - 1])
        else:
            assert_refused(answer, number)
            assert left.results == {}
            state = (*left.kept, *(path.name for path in sorted(folder.glob("**/*.partial/*"))))
            if state in states:
                continue
            states.add(state)
            answer = answered(*command, folder=folder)
        assert (answer.code, answer.err) == (first.code, first.err)
        assert_done(left_in(folder), whole, answer._replace(code=0))
    assert len(states) >= case.states
    assert [act for act in spared if not act.startswith(("unlink", "mkdir"))] == []
    assert len(spared) <= len(disk.acts) / 4


@pytest.mark.skipif(sys.platform == "win32", reason="limits of POSIX")
def test_a_limit_on_the_size_of_files_is_a_full_disk(
    tmp_path: Path, finished: Path, simulated_once: None
) -> None:
    """Enforced by the kernel, in the middle of each of the files in turn."""
    import resource

    command = ("run", MINIMAL, *FEW, "--out", "answer")
    whole_folder = finished / "r"
    sizes = {path.stat().st_size for path in [*whole_folder.iterdir(), *finished.rglob("*.rep")]}
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    told = set()
    for number, size in enumerate(sorted({1, *sizes})):
        folder = tmp_path / f"{number}"
        folder.mkdir()
        resource.setrlimit(resource.RLIMIT_FSIZE, (size - 1, hard))
        try:
            answer = answered(*command, folder=folder)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        sentence = (
            f"has no room left ({os.strerror(errno.EFBIG)}); free space and give the same command again\n"
        )
        assert (answer.code, answer.out) == (5, "")
        assert answer.err.startswith("error: ") and answer.err.endswith(sentence)
        told.add(answer.err)
        assert list(folder.rglob("*.tmp")) == []
        left = left_in(folder)
        assert left.results == {}
        answer = answered(*command, folder=folder)
        assert answer.code == 0
        assert left_in(folder).results["answer"] == left_in(finished).results["r"]
    assert told == {f"error: {place} {sentence}" for place in ("answer.partial", "results/.cache")}
