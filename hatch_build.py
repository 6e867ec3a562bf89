"""Builds a wheel whose model is compiled where a C compiler is at hand: the same results in less than half of the time.

The plugin hatch-mypyc compiles within the source tree: meanwhile pyproject.toml is gone, and afterwards the compiled
modules stay beside their sources, where Python takes them instead of these, whatever is edited. This leaves no trace.
"""

from __future__ import annotations

import os
import shutil
import sys
import sysconfig
from contextlib import chdir
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

# Functions of the model call each other, and Python, without a look into a table first: 7 % of the time.
_DIRECT_CALLS = {"linux": ["-fvisibility=hidden", "-fno-plt"], "darwin": ["-fvisibility=hidden"]}
# To read these packages' types takes three quarters of mypyc's time, and changes nothing in what it writes.
_UNREAD = """
[mypy]
[mypy-pydantic.*,ruamel.*,scipy.*]
follow_imports = skip
follow_imports_for_stubs = True
"""


class CompiledModel(BuildHookInterface):  # type: ignore[type-arg]
    """Compiles every module of `iopsim.model` with mypyc, and lays what comes of it beside the sources in the wheel.

    `HATCH_BUILD_HOOKS_ENABLE=1` insists on it, on any system; without it the wheel is pure Python where that fails, and
    beyond Linux. `HATCH_BUILD_NO_HOOKS=true` is hatch's way to a pure wheel. `MYPYC_OPT_LEVEL` is the C compiler's
    level of optimization: from 2 on it takes twice as long for no gain; 0 is for tests, which want the wheel soon.
    """

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the compiled modules to the wheel; an editable install runs its sources as they are edited."""
        insisted = os.environ.get("HATCH_BUILD_HOOKS_ENABLE") in {"1", "true"}  # as hatch reads it
        if version == "editable" or not (insisted or sys.platform == "linux"):
            return
        self._built = TemporaryDirectory(prefix="iopsim-build-")
        library = Path(self._built.name, "lib")
        try:
            _look_for_compiler()
            with chdir(self.root):  # so that no module knows where it was compiled
                _compile(library, Path(self._built.name, "c"))
        except (Exception, SystemExit) as failure:  # a package need not know all the ways in which tools fail
            if insisted:
                raise
            self.app.display_warning(f"The model is not compiled, and takes twice the time: {failure}")
            return
        found = {str(path): str(path.relative_to(library)) for path in library.rglob("*.*") if path.is_file()}
        build_data["force_include"] |= found
        build_data |= {"pure_python": False, "infer_tag": True}

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove what the wheel now holds."""
        if hasattr(self, "_built"):
            self._built.cleanup()


def _look_for_compiler() -> None:
    """Raise FileNotFoundError without a C compiler or Python's headers: mypyc would work for ten seconds first."""
    # Windows names none: its tools are found otherwise.
    words = (os.environ.get("CC") or sysconfig.get_config_var("CC") or "").split()
    if words and shutil.which(words[0]) is None:
        raise FileNotFoundError(f"there is no C compiler {words[0]}")
    headers = Path(sysconfig.get_path("include"), "Python.h")
    if not headers.exists():
        raise FileNotFoundError(f"there is no {headers}: install the headers of Python")


def _compile(library: Path, scratch: Path) -> None:
    """Lay the compiled modules of the model into a folder."""
    from mypyc.build import mypycify
    from setuptools import Distribution  # type: ignore[import-untyped]

    sources = sorted(str(path) for path in Path("iopsim", "model").glob("*.py") if path.stem != "__init__")
    # Other versions of other packages' types are no reason not to build: what is strict is said in pyproject.toml.
    settings = scratch / "mypy.ini"
    settings.parent.mkdir()
    settings.write_text(_UNREAD, encoding="utf-8")
    lenient = [f"--config-file={settings}", "--follow-imports=silent", "--ignore-missing-imports"]
    modules = mypycify(
        [*lenient, f"--cache-dir={scratch / 'mypy'}", *sources],
        opt_level=os.environ.get("MYPYC_OPT_LEVEL", "1"),
        debug_level="0",
        target_dir=str(scratch),
        group_name="iopsim",
    )
    for module in modules:
        module.extra_compile_args += _DIRECT_CALLS.get(sys.platform, [])
    command = Distribution({"ext_modules": modules}).get_command_obj("build_ext")
    command.build_lib, command.build_temp = str(library), str(scratch)
    command.parallel = True  # as many at once as there are processors
    command.ensure_finalized()
    command.run()
