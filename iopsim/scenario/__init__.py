"""What the planner wrote: YAML files to one typed, checked, immutable `Scenario`."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from iopsim.scenario.load import Loaded, identity, load, load_with_marks, resolved, resolved_text

if TYPE_CHECKING:
    from iopsim.scenario.schema import Scenario

__all__ = ["Loaded", "Scenario", "identity", "load", "load_with_marks", "resolved", "resolved_text"]


def __getattr__(name: str) -> Any:
    # The vocabulary needs pydantic, which takes longer to start than `iopsim --help` may.
    if name == "Scenario":
        return import_module("iopsim.scenario.schema").Scenario
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
