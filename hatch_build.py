"""Builds a wheel whose model is compiled where `HATCH_BUILD_HOOKS_ENABLE=1` asks for it.

The plugin hatch-mypyc compiles within the source tree: meanwhile pyproject.toml is gone, and afterwards the compiled
modules stay beside their sources, where Python takes them instead of these, whatever is edited. This leaves no trace.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from contextlib import chdir
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

# Functions of the model call each other, and Python, without a look into a table first: 7 % of the time.
_DIRECT_CALLS = {"linux": ["-fvisibility=hidden", "-fno-plt"], "darwin": ["-fvisibility=hidden"]}
# What a replication passes is laid out for speed: another 10 to 15 %. What it does not pass stays as it would be.
_TO_TRAIN = ["-fprofile-generate"]
_TRAINED = ["-fprofile-use", "-fprofile-partial-training", "-Wno-missing-profile"]
# To read these packages' types takes three quarters of mypyc's time, and changes nothing in what it writes.
_UNREAD = """
[mypy]
[mypy-pydantic.*,ruamel.*,scipy.*]
follow_imports = skip
follow_imports_for_stubs = True
"""
_TRAINING = """
import sys
from iopsim import is_compiled
from iopsim.model.clinic import simulate
from iopsim.scenario import load
assert is_compiled()
for scenario in sys.argv[1:]:
    simulate(load(scenario), 0)
"""


class CompiledModel(BuildHookInterface):  # type: ignore[type-arg]
    """Compiles every module of `iopsim.model` with mypyc, and lays what comes of it beside the sources in the wheel.

    `MYPYC_OPT_LEVEL` is the C compiler's level of optimization: 0 is for tests, which want the wheel soon. From 1 on
    GCC compiles twice, and learns from two scenarios in between.
    """

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the compiled modules to the wheel; an editable install runs its sources as they are edited."""
        if version == "editable":
            self.app.display_warning("an editable install is not compiled")
            return
        self._built = TemporaryDirectory(prefix="iopsim-build-")
        library = Path(self._built.name, "lib")
        with chdir(self.root):  # so that no module knows where it was compiled
            _compile(library, Path(self._built.name, "c"))
        found = {str(path): str(path.relative_to(library)) for path in library.rglob("*.*") if path.is_file()}
        build_data["force_include"] |= found
        build_data |= {"pure_python": False, "infer_tag": True}

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove what the wheel now holds."""
        if version != "editable":
            self._built.cleanup()


def _compile(library: Path, scratch: Path) -> None:
    """Lay the compiled modules of the model into a folder."""
    from mypyc.build import mypycify

    sources = sorted(str(path) for path in Path("iopsim", "model").glob("*.py") if path.stem != "__init__")
    # Other versions of other packages' types are no reason not to build: what is strict is said in pyproject.toml.
    settings = scratch / "mypy.ini"
    settings.parent.mkdir()
    settings.write_text(_UNREAD, encoding="utf-8")
    lenient = [f"--config-file={settings}", "--follow-imports=silent", "--ignore-missing-imports"]
    level = os.environ.get("MYPYC_OPT_LEVEL", "3")
    modules = mypycify(
        [*lenient, f"--cache-dir={scratch / 'mypy'}", *sources],
        opt_level=level,
        debug_level="0",
        target_dir=str(scratch),
        group_name="iopsim",
    )
    for module in modules:
        module.extra_compile_args += _DIRECT_CALLS.get(sys.platform, [])
    if level != "0" and _is_gcc():
        _build(modules, scratch / "first", scratch, _TO_TRAIN)
        _train(scratch / "first")
        _build(modules, library, scratch, _TRAINED)
    else:
        _build(modules, library, scratch, [])


def _build(modules: list[Any], library: Path, scratch: Path, flags: list[str]) -> None:
    """Compile what mypyc has written; the counts of what was passed lie beside the objects, in the scratch folder."""
    from setuptools import Distribution  # type: ignore[import-untyped]

    usual = [(module, module.extra_compile_args, module.extra_link_args) for module in modules]
    for module, compiling, linking in usual:
        module.extra_compile_args, module.extra_link_args = [*compiling, *flags], [*linking, *flags]
    command = Distribution({"ext_modules": modules}).get_command_obj("build_ext")
    command.build_lib, command.build_temp = str(library), str(scratch)
    command.ensure_finalized()
    command.run()
    for module, compiling, linking in usual:
        module.extra_compile_args, module.extra_link_args = compiling, linking


def _train(library: Path) -> None:
    """Let the compiled model count what it passes."""
    shutil.copytree("iopsim", library / "iopsim", dirs_exist_ok=True)
    path = os.pathsep.join([str(library), *filter(None, [os.environ.get("PYTHONPATH")])])
    scenarios = [str(Path("scenarios", f"{name}.yaml").absolute()) for name in ("baseline", "continuum")]
    subprocess.run(
        [sys.executable, "-c", _TRAINING, *scenarios],
        check=True,
        cwd=library,  # Python looks there first
        env=os.environ | {"PYTHONPATH": path},
    )


def _is_gcc() -> bool:
    """Whether the C compiler that Python's build tools take is GCC: others learn by other ways."""
    compiler = (os.environ.get("CC") or sysconfig.get_config_var("CC") or "").split()
    if not compiler or shutil.which(compiler[0]) is None:
        return False
    said = subprocess.run([compiler[0], "--version"], capture_output=True, text=True, check=False)
    return "Free Software Foundation" in said.stdout
