"""Builds a wheel whose model is compiled where `HATCH_BUILD_HOOKS_ENABLE=1` asks for it.

The plugin hatch-mypyc compiles within the source tree: meanwhile pyproject.toml is gone, and afterwards the compiled
modules stay beside their sources, where Python takes them instead of these, whatever is edited. This leaves no trace.
"""

from __future__ import annotations

import os
import sys
from contextlib import chdir
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

# Functions of the model call each other, and Python, without a look into a table first: 7 % of the time.
_DIRECT_CALLS = {"linux": ["-fvisibility=hidden", "-fno-plt"], "darwin": ["-fvisibility=hidden"]}


class CompiledModel(BuildHookInterface):  # type: ignore[type-arg]
    """Compiles every module of `iopsim.model` with mypyc, and lays what comes of it beside the sources in the wheel.

    `MYPYC_OPT_LEVEL` is the C compiler's level of optimization: 0 is for tests, which want the wheel soon.
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
    from setuptools import Distribution  # type: ignore[import-untyped]

    sources = sorted(str(path) for path in Path("iopsim", "model").glob("*.py") if path.stem != "__init__")
    # Other versions of other packages' types are no reason not to build: what is strict is said in pyproject.toml.
    lenient = ["--config-file=", "--follow-imports=silent", "--ignore-missing-imports"]
    modules = mypycify(
        [*lenient, f"--cache-dir={scratch / 'mypy'}", *sources],
        opt_level=os.environ.get("MYPYC_OPT_LEVEL", "3"),
        debug_level="0",
        target_dir=str(scratch),
        group_name="iopsim",
    )
    for module in modules:
        module.extra_compile_args += _DIRECT_CALLS.get(sys.platform, [])
    command = Distribution({"ext_modules": modules}).get_command_obj("build_ext")
    command.build_lib, command.build_temp = str(library), str(scratch)
    command.ensure_finalized()
    command.run()
