"""What README.md tells people to type works as it stands there."""

from __future__ import annotations

import re
import shlex
import shutil
from typing import TYPE_CHECKING

from iopsim.scenario import load
from tests.cli.sessions import ROOT, SCENARIOS, SHORT

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Iopsim

README = (ROOT / "README.md").read_text(encoding="utf-8")
QUICK = (*SHORT, "--replications", "2", "--workers", "1", "--no-figures")  # the same commands, on fewer weeks


def test_every_command_of_the_readme_works_in_its_order(iopsim: Iopsim, tmp_path: Path) -> None:
    shutil.copytree(SCENARIOS, tmp_path / "scenarios")
    lines = re.findall(r"^    iopsim (.*)$", README, re.MULTILINE)
    commands = [shlex.split(line, comments=True) for line in lines]
    simulating = {"run", "compare", "sweep"}
    looking = {"new", "validate", "check", "diff", "warmup", "metrics", "verify", "show", "export"}
    less = dict.fromkeys(simulating, QUICK) | {"verify": ("--list",)}
    assert {words[0] for words in commands} == simulating | looking
    for words in commands:
        code, out, err = iopsim(*words, *less.get(words[0], ()))
        assert code in ({0, 3, 4} if words[0] == "check" else {0}), (words, err)
        assert out, words


def test_the_scenario_of_the_readme_is_the_one_that_ships(tmp_path: Path) -> None:
    (text,) = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)
    path = tmp_path / "readme.yaml"
    path.write_text(text, encoding="utf-8")
    shown, shipped = load(path), load(SCENARIOS / "minimal.yaml")
    assert shown == shipped.model_copy(update={"notes": shown.notes})


def test_the_setup_commands_of_the_readme_use_files_that_are_there() -> None:
    setups = re.findall(r"^    (python3 -m venv .*)$", README, re.MULTILINE)
    assert len(setups) == 2
    run, test = (setup.split(" && ") for setup in setups)
    assert run[-1] == ".venv/bin/iopsim run scenarios/baseline.yaml"
    assert test[-1].startswith(".venv/bin/pytest")
    for setup in (run, test):
        assert "-c constraints.txt" in setup[1]
    assert (ROOT / "constraints.txt").exists()


def test_the_results_table_of_the_readme_names_what_a_run_writes(iopsim: Iopsim, tmp_path: Path) -> None:
    named = set(
        re.findall(
            r"`([\w.]+?\.(?:csv|csv\.gz|yaml|json|zip))`",
            README.split("| file | holds |")[1].split("\n\n")[0],
        )
    )
    today = ("--set", "run.weeks=8", *QUICK[-5:])
    assert iopsim("run", SCENARIOS / "from-today.yaml", *today, "--out", "answer").code == 0
    assert named == {path.name for path in (tmp_path / "answer").iterdir()}
