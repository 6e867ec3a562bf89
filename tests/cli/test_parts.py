"""`--shard` and `iopsim merge`: what each part leaves, and everything that may be wrong with parts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.cli.sessions import MINIMAL, files, kept_in, only_folder, setting

if TYPE_CHECKING:
    from tests.cli.conftest import Iopsim

WINDOW = setting(weeks=6, warm_up_weeks=4, run_out_weeks=2)
PLAN = (MINIMAL, *WINDOW, "--replications", "5")
ONE = ("--workers", "1")
FOREIGN = "not a part of this: made of another scenario, with other options or by another version"


@pytest.fixture
def parts(iopsim: Iopsim) -> list[str]:
    """The folders of two parts, each from a cache of its own."""
    return [
        iopsim("run", *PLAN, *ONE, "--shard", f"{number}/2", "--cache", f"machine {number}").out.strip()
        for number in (1, 2)
    ]


def test_a_part_prints_its_folder_and_simulates_its_share(iopsim: Iopsim, tmp_path: Path) -> None:
    code, out, err = iopsim("run", *PLAN, *ONE, "--shard", "2/2")
    folder = only_folder(tmp_path / "results")
    assert (code, out) == (0, f"{folder.relative_to(tmp_path)}\n")
    assert folder.parent.name == "minimal-shards"
    assert set(files(folder)) == {"replications.zip"}
    assert err.splitlines()[-1] == "minimal, part 2 of 2: 2 of 2 replications, 0 s"
    assert [path.name for path in kept_in(tmp_path)] == ["000001.rep", "000003.rep"]
    assert iopsim("run", *PLAN, *ONE, "--shard", "2/2", "--out", "mine").out == "mine\n"
    assert files(tmp_path / "mine") == files(folder)


def test_joined_they_are_judged_as_the_whole(iopsim: Iopsim, tmp_path: Path, parts: list[str]) -> None:
    code, out, err = iopsim(
        "merge", *PLAN, *parts, "--no-figures", "--fail-on-target", "--junit-xml", "verdicts.xml"
    )
    assert "minimal: 5 of 5 replications, 0 s\n" in err
    whole = iopsim("run", *PLAN, *ONE, "--no-figures", "--fail-on-target", "--out", "whole")
    assert code == whole.code == 4
    assert out.splitlines()[:-1] == whole.out.splitlines()[:-1]
    (merged,) = (tmp_path / "results" / "minimal").iterdir()
    assert files(merged) == files(tmp_path / "whole")
    assert json.loads((merged / "manifest.json").read_text(encoding="utf-8"))["kind"] == "run"
    assert (tmp_path / "verdicts.xml").is_file()


def test_there_may_be_more_parts_than_replications(iopsim: Iopsim, tmp_path: Path) -> None:
    few = (MINIMAL, *WINDOW, "--replications", "2")
    made = [iopsim("run", *few, *ONE, "--shard", f"{number}/3") for number in (1, 2, 3)]
    assert [(answer.code, "of 0 replications" in answer.err) for answer in made] == [(0, False)] * 3
    answer = iopsim("merge", *few, *(part.out.strip() for part in made), "--no-figures", "--quiet")
    assert answer.code == 0, answer.err


@pytest.mark.parametrize(
    ("chosen", "options", "said"),
    [
        ([0], (), ["error: part 2 of 2 is missing; simulate it with --shard 2/2"]),
        ([0, 1], ("--seed", "2"), [FOREIGN, FOREIGN]),
        ([0, 1], ("--replications", "6"), [FOREIGN, FOREIGN]),
        ([0, 1], ("--set", "levels.iop.places=13"), [FOREIGN, FOREIGN]),
        ([1, 2], (), ["nowhere: error: not a results folder"]),
    ],
    ids=["one lacks", "seed", "replications", "set", "nowhere"],
)
def test_what_cannot_be_joined_is_named_and_nothing_is_simulated(
    iopsim: Iopsim,
    tmp_path: Path,
    parts: list[str],
    chosen: list[int],
    options: tuple[str, ...],
    said: list[str],
) -> None:
    folders = [[*parts, "nowhere"][number] for number in chosen]
    code, out, err = iopsim("merge", *PLAN, *folders, *options)
    *lines, count = err.splitlines()
    assert (code, out) == (2, "")
    assert [text in line for text, line in zip(said, lines, strict=True)] == [True] * len(said)
    assert count == f"{len(said)} error{'s' * (len(said) > 1)}"
    assert kept_in(tmp_path) == []


def test_a_finished_run_is_no_part(iopsim: Iopsim, parts: list[str]) -> None:
    iopsim("run", *PLAN, *ONE, "--no-figures", "--out", "whole")
    code, _, err = iopsim("merge", *PLAN, *parts, "whole")
    assert code == 2
    assert err.startswith(f"whole: error: {FOREIGN}")


@pytest.mark.parametrize("word", ["0/2", "3/2", "1", "a/b", "-1/2", "1/2/3", "1/0", "٣/٤x"])
def test_a_part_that_cannot_be_is_refused(iopsim: Iopsim, word: str) -> None:
    code, out, err = iopsim("run", *PLAN, f"--shard={word}")
    assert (code, out) == (2, "")
    assert f"expected i/n with i from 1 to n, such as 2/8 (got {word})" in err


def test_a_run_until_precise_is_not_divided(iopsim: Iopsim, tmp_path: Path) -> None:
    code, out, err = iopsim("run", MINIMAL, *WINDOW, *ONE, "--precision", "5%", "--shard", "1/2")
    assert (code, out) == (2, "")
    assert "cannot be divided; give a number of replications" in err
    assert kept_in(tmp_path) == []


def test_a_part_gives_no_verdict(iopsim: Iopsim, tmp_path: Path) -> None:
    code, _, err = iopsim("run", *PLAN, *ONE, "--shard", "1/2", "--fail-on-target")
    assert code == 2
    assert "--shard gives no verdict for --fail-on-target; judge the whole" in err
    assert list(tmp_path.iterdir()) == []
