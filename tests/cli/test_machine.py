"""A machine that refuses: full disks, folders that cannot be written, output that goes nowhere; exit 5."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.cli.sessions import MINIMAL, setting

if TYPE_CHECKING:
    from tests.cli.conftest import Iopsim
    from tests.cli.sessions import Answer, Nursery

posix = pytest.mark.skipif(sys.platform == "win32", reason="limits and devices of POSIX")
WINDOW = setting(weeks=6, warm_up_weeks=4, run_out_weeks=2)
FEW = ("run", MINIMAL, "--no-figures", "--quiet", "--replications", "3", "--workers", "1", *WINDOW)


def assert_refused(answer: Answer, *said: str) -> None:
    """One sentence that says what and what to do."""
    assert (answer.code, answer.out) == (5, "")
    assert answer.err.startswith("error: ")
    assert answer.err.count("\n") == 1
    assert [text for text in said if text not in answer.err] == []


@posix
def test_a_cache_that_cannot_be_used_is_told_with_its_option(iopsim: Iopsim, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for command in (FEW, ("cache", "info"), ("cache", "clear")):
        assert_refused(
            iopsim(*command, "--cache", "file/kept"),
            "file/kept cannot be used (Not a directory)",
            "choose another folder with --cache, and give the same command again",
        )


@pytest.mark.parametrize("command", [FEW, ("compare", MINIMAL, "other.yaml")], ids=["run", "compare"])
def test_a_file_in_the_place_of_the_results_is_told_before_anything_is_simulated(
    iopsim: Iopsim, tmp_path: Path, command: tuple[str, ...]
) -> None:
    Path("other.yaml").write_text(f"extends: {MINIMAL}\n", encoding="utf-8")
    (tmp_path / "results").write_text("in the way", encoding="utf-8")
    assert_refused(iopsim(*command), "results cannot be used", "choose another folder with --out")
    assert (tmp_path / "results").read_text(encoding="utf-8") == "in the way"


def test_an_out_folder_below_a_file_is_refused(iopsim: Iopsim, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert_refused(iopsim(*FEW, "--out", "file/answer"), "file/answer cannot be used")


def test_a_folder_that_another_run_is_writing_is_left_alone(iopsim: Iopsim, tmp_path: Path) -> None:
    from iopsim.experiment.run import key_of
    from iopsim.experiment.store import open_run
    from iopsim.scenario import load

    sets = [word for word in (*WINDOW, "run.replications=3") if word != "--set"]
    key = key_of(load(MINIMAL, sets))
    with open_run(tmp_path / "results", "minimal", key):
        assert_refused(iopsim(*FEW), "another run is using this folder")


def test_new_cannot_write_where_there_is_no_folder(iopsim: Iopsim) -> None:
    assert_refused(iopsim("new", "nowhere/my.yaml"), "nowhere/my.yaml cannot be written")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
@pytest.mark.parametrize("command", [("--version",), FEW], ids=lambda command: command[0])
def test_output_to_a_full_disk_is_one_sentence(
    nursery: Nursery, tmp_path: Path, command: tuple[str, ...]
) -> None:
    full = "os.dup2(os.open('/dev/full', os.O_WRONLY), 1)"
    answer = nursery.start(*command, folder=tmp_path, before=full).end()
    assert_refused(answer, "the output cannot be written (No space left on device)")
