"""The walls of the house stand: imports point one way, names of a scenario are data, start-up stays light."""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from iopsim.scenario import load
from iopsim.scenario.census import CensusColumns
from iopsim.scenario.levels import Level
from iopsim.scenario.schema import json_schema

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "iopsim"
SOURCES = sorted(PACKAGE.rglob("*.py"))
# A case of the verification speaks of its own scenario file.
GENERAL = [path for path in SOURCES if PACKAGE / "verification" not in path.parents]
SCENARIOS = sorted((ROOT / "scenarios").glob("*.yaml"))


def _tool(*command: str) -> None:
    program = Path(sys.executable).with_name(command[0])
    path = str(program) if program.exists() else shutil.which(command[0])
    assert path, f"{command[0]} is not installed; install the package with its [test] extra"
    done = subprocess.run([path, *command[1:]], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_imports_point_one_way() -> None:
    _tool("lint-imports", "--no-cache")


def test_code_is_clean() -> None:
    everything = ("iopsim", "tests", "benchmarks", "docs", "scenarios", "hatch_build.py")
    _tool("ruff", "check", "--no-cache", *everything)
    _tool("ruff", "format", "--no-cache", "--check", *everything)


@pytest.mark.slow
def test_types_are_strict(tmp_path: Path) -> None:
    _tool("mypy", "--cache-dir", str(tmp_path), "iopsim")


@cache
def _names_of_scenarios() -> set[str]:
    names: set[str] = set()
    for path in SCENARIOS:
        scenario = load(path)
        for table in (scenario.levels, scenario.staff, scenario.tracks, scenario.payers, scenario.sources):
            names |= set(table)
        names |= {group for level in scenario.levels.values() for group in level.groups}
    # "all" is the track and the payer of a scenario that names none; a role may be called as a word of the language.
    return names - {"all"} - set(Level.model_fields) - set(CensusColumns.model_fields)


@pytest.mark.parametrize("path", GENERAL, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_name_of_a_scenario_stands_in_the_code(path: Path) -> None:
    names = _names_of_scenarios()
    found = [
        (node.lineno, node.value)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and node.value in names
    ]
    assert not found


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_can_be_read_at_a_sitting(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 430
    long = {
        node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and _code_lines(node) > 50
    }
    assert not long


def _code_lines(function: ast.FunctionDef) -> int:
    """Lines of a function without its docstring."""
    body = function.body[1:] if ast.get_docstring(function) else function.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def _modules_after(code: str, *arguments: str) -> set[str]:
    tail = "import json; print(json.dumps(list(sys.modules)))"
    program = f"import sys; sys.argv[1:] = {list(arguments)!r}\n{code}\n{tail}"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True, env=os.environ
    )
    return set(json.loads(done.stdout.splitlines()[-1]))


RUN_MAIN = "from iopsim.cli import main\ntry: main()\nexcept SystemExit: pass"


@pytest.mark.parametrize(
    ("code", "arguments", "absent"),
    [
        ("import iopsim", (), ("numpy", "pydantic", "click")),
        (RUN_MAIN, ("--help",), ("numpy", "pydantic", "ruamel.yaml", "rich", "scipy")),
        (
            RUN_MAIN,
            ("validate", "scenarios/baseline.yaml"),
            ("numpy", "scipy", "pandas", "matplotlib", "rich"),
        ),
        (
            "import iopsim.experiment.replicate",
            (),
            ("pandas", "matplotlib", "rich", "scipy.stats", "click", "ruamel.yaml"),
        ),
    ],
    ids=["import", "help", "validate", "worker"],
)
def test_start_up_is_light(code: str, arguments: tuple[str, ...], absent: tuple[str, ...]) -> None:
    assert not _modules_after(code, *arguments) & set(absent)


def test_shipped_schema_is_the_language() -> None:
    shipped = json.loads((ROOT / "scenarios" / "scenario.schema.json").read_text(encoding="utf-8"))
    assert shipped == json_schema(), "run `iopsim schema > scenarios/scenario.schema.json`"


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.name)
def test_every_number_that_ships_has_a_source(path: Path) -> None:
    """Each group of figures in a shipped scenario is covered by a note: of itself, of a part, or of what holds it."""
    scenario = load(path)
    notes = set(scenario.notes)
    figures = {
        f"sources.{name}.{'trace' if source.trace else 'per_week'}"
        for name, source in scenario.sources.items()
    }
    figures |= {
        f"levels.{name}.{part}" for name, level in scenario.levels.items() for part in level.model_fields_set
    }
    figures |= {f"staff.{name}" for name in scenario.staff} | {
        f"services.{name}" for name in scenario.services
    }
    without_figures = {"label", "caseload", "hours_per_day", "by", "groups"}
    uncovered = {
        figure
        for figure in figures
        if figure.rsplit(".", 1)[-1] not in without_figures
        and not any(figure.startswith(note) or note.startswith(figure) for note in notes)
    }
    assert not {figure for figure in uncovered if not figure.endswith((".places", ".hold_days", ".next"))}
