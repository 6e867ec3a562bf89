"""Help, versions and misspelled words: what everybody types first."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from iopsim import __version__
from iopsim.cli import program
from tests.cli.sessions import MINIMAL, spawned

if TYPE_CHECKING:
    from tests.cli.conftest import Iopsim

COMMANDS = (
    *("run", "compare", "sweep", "check", "diff", "warmup", "export", "merge", "cache"),
    *("validate", "show", "new", "metrics", "schema", "verify"),
)
RUN_OPTIONS = (
    *("out", "replications", "precision", "seed", "set", "workers", "dask", "cache", "shard", "events"),
    *("no-figures", "fail-on-target", "junit-xml", "json", "quiet"),
)


def test_the_program_lists_every_command_with_a_line_of_its_own(iopsim: Iopsim) -> None:
    code, out, err = iopsim("--help")
    assert (code, err) == (0, "")
    assert tuple(program.list_commands(None)) == COMMANDS  # type: ignore[arg-type]
    for command in COMMANDS:
        assert f"\n  {command} " in out


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_every_command_explains_itself_on_80_columns(iopsim: Iopsim, command: str, flag: str) -> None:
    code, out, err = iopsim(command, flag)
    assert (code, err) == (0, "")
    assert out.startswith(f"Usage: iopsim {command} ")
    assert "\n  " in out.split("Options:")[0]
    assert max(map(len, out.splitlines())) <= 80


def test_run_has_the_options_that_were_promised(iopsim: Iopsim) -> None:
    out = iopsim("run", "--help").out
    assert [option for option in RUN_OPTIONS if f"  --{option} " not in out] == []


def test_no_command_shows_the_help(iopsim: Iopsim) -> None:
    code, out, err = iopsim()
    assert code == 2
    assert "Commands:" in out + err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["runn", MINIMAL], 'no command "runn" (did you mean "run"?)'),
        (["validat", MINIMAL], 'did you mean "validate"?'),
        (["xyz"], f"there are {', '.join(COMMANDS)}\n"),
        (["run", "--quite", MINIMAL], "--quiet"),
        (["compare", "--metrics", "x", MINIMAL], "--metric"),
        (["run"], "SCENARIO"),
        (["run", MINIMAL, "more.yaml"], "more.yaml"),
        (["run", MINIMAL, "--workers", "0"], "--workers"),
        (["run", MINIMAL, "--replications", "many"], "--replications"),
        (["run", MINIMAL, "--seed", "-1"], "--seed"),
        (["metrics", "one", "two"], "at most one"),
    ],
    ids=lambda value: " ".join(value[:2]) if isinstance(value, list) else "",
)
def test_a_misspelled_command_line_says_what_may_be_meant(
    iopsim: Iopsim, tmp_path: Path, words: list[str], said: str
) -> None:
    code, out, err = iopsim(*words)
    assert (code, out) == (2, "")
    assert said in err
    assert "Traceback" not in err
    assert list(tmp_path.iterdir()) == []


def test_both_names_of_the_program_are_the_same_program(tmp_path: Path) -> None:
    script = Path(sys.executable).with_name("iopsim")
    installed = str(script) if script.exists() else shutil.which("iopsim")
    assert installed, "the console script is not installed; install the package with pip"
    told = f"iopsim, version {__version__}\n"
    assert spawned("--version", folder=tmp_path) == (0, told, "")
    done = subprocess.run([installed, "--version"], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stdout == told
