"""A wheel holds the model compiled where there is a C compiler, and gives the same to the last bit."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings

from benchmarks.agreement import REFERENCE
from iopsim import __version__
from iopsim.scenario import load
from iopsim.scenario.schema import Scenario
from tests.cli.sessions import MINIMAL, ROOT, SCENARIOS, SHORT, environment, files, spawned
from tests.cli.simulating import compiled_modules, fingerprints
from tests.properties.clinics import PROPERTY, STORM
from tests.properties.whole import whole

if TYPE_CHECKING:
    from tests.properties.begun import Begun

LINUX = sys.platform == "linux"  # elsewhere the model is compiled for those only who insist
HEADERS = Path(sysconfig.get_path("include"), "Python.h")
COMPILER = os.environ.get("CC") or shutil.which("cc") or shutil.which("gcc")
LARGE = {"health-system"}  # says nothing that continuum.yaml does not
RUN = (
    "run",
    MINIMAL,
    *SHORT,
    "--replications",
    "3",
    "--workers",
    "2",
    "--no-figures",
    "--quiet",
    "--out",
    "it",
)


def building(folder: Path, **switches: str) -> subprocess.CompletedProcess[str]:
    """Build a wheel of this tree, by what pip calls to build one, with what is installed here."""
    given = {key: value for key, value in os.environ.items() if not key.startswith(("HATCH_", "MYPYC_"))}
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    return subprocess.run(
        command, cwd=ROOT, env=given | switches, capture_output=True, text=True, check=False
    )


def built(folder: Path, **switches: str) -> tuple[Path, str]:
    """A wheel of this tree, and what was said."""
    done = building(folder, **switches)
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = folder.glob("*.whl")
    return wheel, done.stdout + done.stderr


def unpacked(wheel: Path) -> Path:
    """A folder with what is in the wheel, as an install lays it."""
    folder = wheel.with_name("installed")
    with zipfile.ZipFile(wheel) as file:
        file.extractall(folder)
    return folder


def extensions(installed: Path) -> list[Path]:
    return [path for path in installed.rglob("*") if path.suffix in {".so", ".pyd"}]


def short(path: Path) -> Scenario:
    """A shipped scenario until its plan has changed for the last time, with a short warm-up if it has one."""
    scenario = load(path)
    weeks = {"warm_up": 13 * (scenario.from_today is None), "weeks": 44, "run_out_weeks": 4}
    return scenario.model_copy(update={"run": scenario.run.model_copy(update=weeks)})


def scenarios(folder: Path) -> dict[str, Scenario]:
    """What is shipped, the reference model, a clinic where every rule acts, and programs of the whole language."""
    shipped = sorted(path for path in SCENARIOS.glob("*.yaml") if path.stem not in LARGE)
    found = {path.stem: short(path) for path in [*shipped, REFERENCE]}
    found["storm"] = Scenario.model_validate(STORM)

    @settings(PROPERTY, max_examples=25)
    @given(whole())
    def draw(program: Begun) -> None:
        found[f"whole {len(found)}"] = program.scenario(folder)

    draw()
    return found


def test_a_wheel_is_pure_python_where_hatch_is_told_to_run_no_hooks(tmp_path: Path) -> None:
    assert_pure(built(tmp_path, HATCH_BUILD_NO_HOOKS="true")[0])
    assert not any(compiled_modules().values()), "what the other tests test is what can be read"


def test_without_a_compiler_a_wheel_is_pure_python_and_says_so(tmp_path: Path) -> None:
    wheel, said = built(tmp_path, CC=str(tmp_path / "no-compiler"))
    assert_pure(wheel)
    assert (not LINUX) or "The model is not compiled, and takes twice the time: " in said


def test_who_insists_on_a_compiled_model_gets_no_other(tmp_path: Path) -> None:
    done = building(tmp_path, CC=str(tmp_path / "no-compiler"), HATCH_BUILD_HOOKS_ENABLE="1")
    assert done.returncode != 0
    assert not list(tmp_path.iterdir())


def assert_pure(wheel: Path) -> None:
    assert wheel.name == f"iopsim-{__version__}-py3-none-any.whl"
    assert not extensions(unpacked(wheel))


@pytest.mark.skipif(
    not COMPILER or not HEADERS.exists(), reason="takes a C compiler and the headers of Python"
)
def test_a_compiled_model_leaves_the_same_to_the_last_bit(tmp_path: Path) -> None:
    """One test, because what takes long is to compile: a third of that without optimization, of the same code."""
    wheel, _ = built(tmp_path, MYPYC_OPT_LEVEL="0", **({} if LINUX else {"HATCH_BUILD_HOOKS_ENABLE": "1"}))
    assert "none-any" not in wheel.name
    installed = unpacked(wheel)
    assert len(extensions(installed)) == len(compiled_modules()) + 1
    assert not [path for path in extensions(installed) if bytes(ROOT / "iopsim") in path.read_bytes()]
    # The compiled package goes before the one that the other tests test; what helps them follows both.
    compiled = environment(PYTHONPATH=f"{installed}{os.pathsep}{ROOT}")
    assert_the_same_ledgers(tmp_path, compiled)
    assert_the_same_answers(tmp_path, compiled)


def assert_the_same_ledgers(folder: Path, compiled: dict[str, str]) -> None:
    asked = scenarios(folder)
    (folder / "asked").write_bytes(pickle.dumps(asked))
    command = [sys.executable, "-P", "-m", "tests.cli.simulating", "asked"]
    done = subprocess.run(command, cwd=folder, env=compiled, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    modules, told = json.loads(done.stdout)
    assert modules == dict.fromkeys(compiled_modules(), True)
    assert told == fingerprints(asked)


def assert_the_same_answers(folder: Path, compiled: dict[str, str]) -> None:
    version = spawned("--version", folder=folder, env=compiled)
    assert version == (0, f"iopsim, version {__version__} (compiled)\n", "")
    (folder / "wrong.yaml").write_text("levels: {iop: {places: -1}}\n", encoding="utf-8")
    left = []
    for name, chosen in (("pure", environment()), ("compiled", compiled)):
        place = folder / name  # with a cache of its own
        place.mkdir()
        wrong = spawned("run", "../wrong.yaml", folder=place, env=chosen)
        assert wrong.code == 2
        assert spawned(*RUN, folder=place, env=chosen).code == 0
        left.append((wrong, files(place / "it")))
    assert left[0] == left[1]
