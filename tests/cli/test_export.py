"""`iopsim export`: a workbook of finished results, whole or not at all."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import openpyxl
import pytest

from iopsim.cli import main
from tests.cli.sessions import MINIMAL, SHORT

if TYPE_CHECKING:
    from tests.cli.conftest import Iopsim

RUN = ("run", MINIMAL, *SHORT, "--replications", "2", "--no-figures", "--quiet", "--workers", "1")
COMPARE = (
    "compare",
    "r",
    "s",
    "--metric",
    "iop.census.mean",
    "--no-figures",
    "--quiet",
    "--workers",
    "1",
    "--out",
    "c",
)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs and their comparison."""
    root = tmp_path_factory.mktemp("finished")
    bigger = ("--set", "levels.iop.places=20", "--set", "name=bigger")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        for words in ((*RUN, "--out", "r"), (*RUN, *bigger, "--out", "s"), COMPARE):
            with pytest.raises(SystemExit, match="0"):
                main(words)
    return root


@pytest.fixture
def there(finished: Path, tmp_path: Path) -> Path:
    """The same in the folder where commands are given."""
    for name in ("r", "c"):
        shutil.copytree(finished / name, tmp_path / name)
    return tmp_path


def test_a_workbook_of_a_run(there: Path, iopsim: Iopsim) -> None:
    assert iopsim("export", "r", "--xlsx", "out/answers.xlsx") == (
        0,
        f"workbook: {Path('out/answers.xlsx')}\n",
        "",
    )
    book = openpyxl.load_workbook(there / "out" / "answers.xlsx")
    assert book.sheetnames[0] == "Summary"
    assert book["Summary"]["A1"].value == "minimal: 6 weeks from January 4, 2027, 2 replications"
    assert [entry.name for entry in (there / "out").iterdir()] == ["answers.xlsx"]


def test_a_workbook_of_a_comparison(there: Path, iopsim: Iopsim) -> None:
    assert iopsim("export", "c", "--xlsx", "c.xlsx").code == 0
    book = openpyxl.load_workbook(there / "c.xlsx")
    assert book.sheetnames == ["Differences", "Plans", "About"]
    differences = [list(row) for row in book["Differences"].iter_rows(values_only=True)]
    (shown,) = [row for row in differences if row[1] == "iop.census.mean"]
    written = (there / "c" / "differences.csv").read_text().splitlines()
    (cells,) = [line.split(",") for line in written if ",iop.census.mean," in line]
    assert shown[:3] == cells[:3]
    assert shown[4:9] == pytest.approx([float(cell) for cell in cells[4:9]], rel=1e-9)
    assert [row[0] for row in book["Plans"].iter_rows(min_row=5, values_only=True)] == ["minimal", "bigger"]


def test_what_is_there_stays(there: Path, iopsim: Iopsim) -> None:
    (there / "mine.xlsx").write_text("years of work")
    answer = iopsim("export", "r", "--xlsx", "mine.xlsx")
    assert (answer.code, answer.out) == (2, "")
    assert "mine.xlsx exists already; give a file that does not exist yet" in answer.err
    assert (there / "mine.xlsx").read_text() == "years of work"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("r", "--xlsx", "answers.csv"), "a workbook's name ends with .xlsx (got answers.csv)"),
        (("r",), "Missing option '--xlsx'"),
        (("nowhere", "--xlsx", "a.xlsx"), "nowhere: error: not a results folder"),
        (("--xlsx", "a.xlsx"), "Missing argument 'RESULTS'"),
    ],
)
def test_what_cannot_be_is_said(there: Path, iopsim: Iopsim, words: tuple[str, ...], said: str) -> None:
    answer = iopsim("export", *words)
    assert answer.code == 2
    assert said in answer.err
    assert not list(there.glob("*.xlsx"))


def test_without_the_library(there: Path, iopsim: Iopsim, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "xlsxwriter", None)
    answer = iopsim("export", "r", "--xlsx", "a.xlsx")
    assert answer.code == 2
    assert 'pip install "iopsim[report]"' in answer.err


def test_a_stop_leaves_nothing_half_written(
    there: Path, iopsim: Iopsim, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(descriptor: int) -> None:
        assert [entry for entry in there.iterdir() if "a.xlsx" in entry.name], "on its way"
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", stopped)
    assert iopsim("export", "r", "--xlsx", "a.xlsx").code == 130
    assert not [entry for entry in there.iterdir() if "a.xlsx" in entry.name]


def test_a_folder_that_refuses(there: Path, iopsim: Iopsim) -> None:
    (there / "file").write_text("")
    answer = iopsim("export", "r", "--xlsx", "file/a.xlsx")
    assert answer.code == 5
    assert "file cannot be used" in answer.err
    assert "--xlsx" in answer.err
