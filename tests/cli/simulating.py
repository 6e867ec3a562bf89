"""What a model makes of scenarios, as one number for each: compiled and pure Python, each in a process of its own."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import pickle
import pkgutil
import sys
from importlib import import_module
from importlib.machinery import ExtensionFileLoader
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from iopsim import model
from iopsim.model.clinic import simulate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from iopsim.scenario.schema import Scenario

__all__ = ["compiled_modules", "fingerprints"]


def fingerprints(scenarios: Mapping[str, Scenario]) -> dict[str, str]:
    """A hash of all that the first replication of each scenario leaves, to the last bit, and of its type."""
    found = {}
    for name, scenario in scenarios.items():
        ledger = simulate(scenario, 0)
        told = hashlib.sha256()
        for field in dataclasses.fields(ledger):
            value = np.asarray(getattr(ledger, field.name))
            told.update(f"{field.name} {value.dtype} {value.shape}".encode() + value.tobytes())
        found[name] = told.hexdigest()
    return found


def compiled_modules() -> dict[str, bool]:
    """Every module of the model that is imported here, and whether it runs as machine code."""
    names = [each.name for each in pkgutil.iter_modules(model.__path__)]
    specs = {name: import_module(f"iopsim.model.{name}").__spec__ for name in names}
    return {name: isinstance(spec and spec.loader, ExtensionFileLoader) for name, spec in specs.items()}


if __name__ == "__main__":
    told = compiled_modules(), fingerprints(pickle.loads(Path(sys.argv[1]).read_bytes()))
    print(json.dumps(told))
