"""Several commands at once in one folder: whoever cannot go on is told why, and nobody takes anything from others."""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING

import pytest

from tests.cli.conftest import FEW
from tests.cli.faulty import Disk
from tests.cli.left import assert_whole, left_in
from tests.cli.sessions import MINIMAL, answered

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.sessions import Answer, Nursery

RUN = ("run", MINIMAL, *FEW)
BUSY = "another run is using this folder; wait until it has finished, or stop it, then give the same command"
EXISTS = "answer exists already; give a folder that does not exist yet"
OTHERS = "answer.partial holds the unfinished run of something else; remove it or give another folder"


def assert_told(answer: Answer) -> None:
    """Done, or one sentence about somebody else."""
    if answer.code:
        said = {5: (BUSY,), 2: (EXISTS, OTHERS)}[answer.code]
        assert any(text in answer.err for text in said), answer.err
        assert answer.out == ""


@pytest.mark.parametrize("out", [(), ("--out", "answer")], ids=["root", "out"])
def test_whenever_a_second_run_comes_each_is_whole_or_refused(
    tmp_path: Path, simulated_once: None, out: tuple[str, ...]
) -> None:
    """All of the second happens in the middle of the first: before each thing that this does to the disk."""
    (tmp_path / "whole").mkdir()
    with Disk(tmp_path / "whole").watched() as disk:
        answered(*RUN, *out, folder=tmp_path / "whole")
    whole = left_in(tmp_path / "whole")
    name, seen = next(iter(whole.results)), set()
    unseen = (
        "write",
        "fsync",
        "open answer.partial/.",
        "open results/",
    )  # nobody else can tell that it was done
    meetings = [
        at for at, act in enumerate(disk.acts, 1) if act.endswith("lock") or not act.startswith(unseen)
    ]
    for at in meetings:
        folder, others = tmp_path / f"{at}", []
        folder.mkdir()

        def meanwhile(folder: Path = folder, others: list[Answer] = others) -> None:
            others.append(answered(*RUN, *out, folder=folder))

        with Disk(folder, meanwhile, at).watched():
            first = answered(*RUN, *out, folder=folder)
        (second,) = others
        left = left_in(folder)
        for answer in (first, second):
            assert_told(answer)
            assert_whole(left, whole, answer)
        assert len(left.results[name]) == [first.code, second.code].count(0) >= 1
        assert list(folder.rglob("*.partial")) == []
        assert left.litter == []
        seen.add((first.code, second.code))
        shutil.rmtree(folder)
    assert seen >= ({(0, 5), (2, 0), (0, 2)} if out else {(0, 5), (0, 0)})


def test_of_two_commands_for_one_folder_only_one_gets_it(tmp_path: Path, simulated_once: None) -> None:
    other, seen = (*RUN, "--seed", "9", "--out", "answer"), set()
    for at in range(1, 12, 2):
        folder = tmp_path / f"{at}"
        folder.mkdir()
        others: list[Answer] = []
        with Disk(folder, lambda f=folder, o=others: o.append(answered(*other, folder=f)), at).watched():  # type: ignore[misc]
            first = answered(*RUN, "--out", "answer", folder=folder)
        for answer in (first, others[0]):
            assert_told(answer)
        assert [first.code, others[0].code].count(0) == 1
        assert list(left_in(folder).results) == ["answer"]
        seen.add((first.code, others[0].code))
    assert {(0, 5), (2, 0)} <= seen


def test_what_comes_to_stand_in_the_place_of_the_results_stays(tmp_path: Path, simulated_once: None) -> None:
    def made() -> None:
        (tmp_path / "answer").mkdir()
        (tmp_path / "answer" / "thesis.txt").write_text("years of work", encoding="utf-8")

    with Disk(tmp_path, made, 20).watched():
        code, out, err = answered(*RUN, "--out", "answer", folder=tmp_path)
    assert (code, out) == (5, "")
    assert (
        err
        == "error: answer was made by somebody else meanwhile; move it away and give the same command again\n"
    )
    assert [path.name for path in (tmp_path / "answer").iterdir()] == ["thesis.txt"]
    (tmp_path / "answer").rename(tmp_path / "mine")
    assert answered(*RUN, "--out", "answer", folder=tmp_path).code == 0


@pytest.mark.skipif(sys.platform == "win32", reason="processes that are forked")
@pytest.mark.parametrize("out", [(), ("--out", "answer")], ids=["root", "out"])
def test_five_at_once(nursery: Nursery, tmp_path: Path, out: tuple[str, ...]) -> None:
    """One cache, one folder of results, and all processors."""
    command = ("run", MINIMAL, *FEW, "--replications", "6", *out)
    children = [nursery.start(*command, folder=tmp_path) for _ in range(5)]
    answers = [child.end() for child in children]
    (tmp_path / "whole").mkdir()
    answered(*command, folder=tmp_path / "whole")
    whole, left = left_in(tmp_path / "whole"), left_in(tmp_path)
    finished = [answer.code for answer in answers].count(0)
    for answer in answers:
        assert_told(answer)
    (name,) = whole.results
    assert left.results[name] == whole.results[name] * finished
    assert finished == 1 or not out
    assert finished >= 1
    assert set(whole.kept) <= set(left.kept)
    assert left.litter == []


def test_in_one_cache_two_plans_at_once_find_what_they_share(
    nursery: Nursery, tmp_path: Path, finished: Path
) -> None:
    cache = ("--cache", "shared")
    first = nursery.start("run", MINIMAL, *FEW, *cache, "--out", "r", folder=tmp_path)
    second = nursery.start(
        "compare", MINIMAL, f"{finished}/other.yaml", *FEW, *cache, "--out", "c", folder=tmp_path
    )
    assert (first.end().code, second.end().code) == (0, 0)
    expected = left_in(finished)
    left = left_in(tmp_path)
    assert left.results["r"] == expected.results["r"]
    assert {name.rpartition("/")[2] for name in left.kept} == {"000000.rep", "000001.rep"}
    assert len(left.kept) == 4
    assert set(left.kept.values()) <= set(expected.kept.values())
