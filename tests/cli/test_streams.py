"""Pipes that close, terminals narrow and plain, letters that an encoding lacks: printing never gets in the way."""

from __future__ import annotations

import json
import os
import re
import sys
from typing import TYPE_CHECKING

import pytest

from tests.cli.sessions import (
    BASELINE,
    MINIMAL,
    SHORT,
    answer_of,
    at_terminal,
    environment,
    setting,
    spawn,
    spawned,
)

if TYPE_CHECKING:
    from pathlib import Path

posix = pytest.mark.skipif(sys.platform == "win32", reason="pipes and terminals of POSIX")
WINDOW = setting(weeks=6, warm_up_weeks=4, run_out_weeks=2)
FEW = ("run", MINIMAL, "--no-figures", "--replications", "3", "--workers", "1", *WINDOW)
COLOR = re.compile(r"\x1b\[(?:\d+;)*(?:3[0-8]|4[0-8]|9[0-7]|10[0-7])[;m]")
ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
NUMBER = re.compile(r"-?\d[\d,]*(?:\.\d+)?")


@posix
@pytest.mark.parametrize(
    "command", [("metrics",), ("schema",), ("--help",), FEW], ids=lambda command: command[0]
)
def test_a_pipe_whose_reader_has_gone_is_no_error(tmp_path: Path, command: tuple[str, ...]) -> None:
    reader, writer = os.pipe()
    process = spawn(*command, folder=tmp_path, stdout=writer)
    os.close(writer)
    os.close(reader)
    code, _, err = answer_of(process)
    assert code == 0
    assert [line for line in err.splitlines() if "replications," not in line] == []
    assert len(list(tmp_path.glob("results/minimal/*/summary.csv"))) == (command is FEW)


@posix
def test_the_first_line_of_many(tmp_path: Path) -> None:
    process = spawn("metrics", folder=tmp_path)
    assert process.stdout
    assert process.stdout.readline() == "<level>[.<track>].referrals.{total,per_week}\n"
    process.stdout.close()
    process.stdout = None
    assert answer_of(process) == (0, "", "")


@posix
@pytest.mark.parametrize("closed", ["1", "2"])
def test_a_stream_that_is_closed_from_the_start_is_no_error(tmp_path: Path, closed: str) -> None:
    launcher = ("sh", "-c", f'exec "$@" {closed}>&-', "sh")
    answer = spawned(*FEW, folder=tmp_path, launcher=launcher)
    assert answer.code == 0
    assert (answer.err if closed == "1" else answer.out) != ""
    assert "Traceback" not in answer.err
    assert len(list(tmp_path.glob("results/minimal/*/summary.csv"))) == 1


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_letters_that_the_encoding_lacks_are_replaced(tmp_path: Path, encoding: str) -> None:
    poor = environment(PYTHONIOENCODING=encoding)
    shown = spawned("show", MINIMAL, "--set", "description='day → evening'", folder=tmp_path, env=poor)
    assert (shown.code, shown.err) == (0, "")
    assert re.search("^description: .*day [?→] evening", shown.out, re.MULTILINE)
    table = spawned(*FEW, folder=tmp_path, env=poor, encoding=encoding)
    assert table.code == 0, table.err
    assert "Census" in table.out


def test_where_there_is_no_terminal_nothing_moves_and_nothing_is_colored(tmp_path: Path) -> None:
    answer = spawned(*FEW, folder=tmp_path, env=environment(TERM="xterm-256color"))
    assert answer.code == 0
    assert [sign for sign in "\x1b\r\b" if sign in answer.out + answer.err] == []


@posix
def test_a_terminal_gets_a_bar_and_colors_unless_they_are_declined(tmp_path: Path) -> None:
    colorful = at_terminal(*FEW, folder=tmp_path)
    plain = at_terminal(*FEW, folder=tmp_path, more={"NO_COLOR": "1"})
    for answer in (colorful, plain):
        assert answer.code == 0
        assert "simulating minimal" in answer.out
        assert "3/3" in answer.out
        assert "minimal: 3 of 3 replications" not in answer.out
    assert COLOR.search(colorful.out)
    assert not COLOR.search(plain.out)
    for command in (("metrics",), ("validate", MINIMAL), ("show", MINIMAL), ("--help",)):
        assert not COLOR.search(at_terminal(*command, folder=tmp_path, more={"NO_COLOR": "1"}).out)


@posix
def test_a_terminal_without_abilities_gets_no_escape_codes(tmp_path: Path) -> None:
    answer = at_terminal(*FEW, folder=tmp_path, more={"TERM": "dumb"})
    assert answer.code == 0
    assert "\x1b" not in answer.out


def numbers(answer: str) -> set[str]:
    """All numbers that stand between the title, which ends with the seed, and the targets."""
    table = ESCAPE.sub("", answer).split("seed ")[1].split("\ntarget ")[0]
    return set(NUMBER.findall(table.replace("95 % interval", "")))


@posix
@pytest.mark.parametrize("columns", [40, 80])
def test_a_narrow_terminal_cuts_no_number(tmp_path: Path, columns: int) -> None:
    command = ("run", BASELINE, *SHORT, "--no-figures", "--replications", "3", "--workers", "1")
    wide = spawned(*command, folder=tmp_path)
    narrow = at_terminal(*command, folder=tmp_path, columns=columns, more={"NO_COLOR": "1"})
    assert (wide.code, narrow.code) == (0, 0)
    shown = ESCAPE.sub("", narrow.out.rsplit("\x1b[2K", 1)[1])
    assert max(len(line) for line in shown.splitlines() if not line.startswith("results: ")) <= columns
    assert len(numbers(wide.out)) > 100
    names = re.compile(r"\.p\d+")  # of metrics, which stand beside the numbers where there is room
    assert numbers(names.sub("", wide.out)) - numbers(shown) == set()
    assert not re.search(r"\d…", shown)


@posix
@pytest.mark.parametrize("columns", [40, 80, 200])
def test_a_comparison_cuts_no_name_and_no_number(tmp_path: Path, columns: int) -> None:
    (tmp_path / "other-plan.yaml").write_text(f"extends: {MINIMAL}\nlevels: {{iop: {{places: 14}}}}\n")
    command = ("compare", MINIMAL, "other-plan.yaml", *FEW[2:], "--metric", "iop.utilization.mean", "--json")
    rows = json.loads(spawned(*command, folder=tmp_path).out)["differences"]
    answer = at_terminal(*command[:-1], folder=tmp_path, columns=columns, more={"NO_COLOR": "1"})
    assert answer.code == 0
    shown = ESCAPE.sub("", answer.out)
    assert {"other_plan", "iop.wait_days.p90", "iop.utilization.mean"} <= set(re.findall(r"[\w.]+\w", shown))
    assert f"{100 * rows[1]['estimate']:.1f} %" in shown
    assert f"{100 * rows[1]['difference']:+.1f}" in shown
    assert "…" not in shown
