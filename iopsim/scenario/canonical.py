"""The resolved form of a scenario: a plain tree with every default said, which reads back as the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from iopsim.scenario.findings import without as pruned
from iopsim.scenario.tree import dotted

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from iopsim.scenario.census import PeopleFile
    from iopsim.scenario.distributions import Empirical
    from iopsim.scenario.schema import Scenario
    from iopsim.scenario.trace import Trace
    from iopsim.scenario.tree import Path

__all__ = ["identity", "paths", "resolved", "resolved_text"]

_NOT_THE_QUESTION = ("name", "description", "notes")


def resolved(scenario: Scenario) -> dict[str, Any]:
    """The scenario as a plain tree with its defaults filled in; what is None is left out."""
    tree = _listed(scenario.model_dump(exclude_none=True))
    for payer in tree["payers"].values():
        asked = payer.get("authorization", {})
        if "units" not in asked:
            for word in ("per", "ask_before", "review"):  # which say nothing of an approval of the whole stay
                asked.pop(word, None)
    for name, level in scenario.levels.items():
        # What `by` leaves out it takes from the level: a default filled in would override that.
        tree["levels"][name]["by"] = _listed(level.by.model_dump(exclude_unset=True, exclude_none=True))
        if level.groups:
            del tree["levels"][name]["places"]
    return dict(tree)


def _listed(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _listed(child) for key, child in value.items()}  # `by_lead_days` has numbers
    return [_listed(item) for item in value] if isinstance(value, list | tuple) else value


def resolved_text(scenario: Scenario) -> str:
    """The resolved form as YAML."""
    from iopsim.scenario.file import dump

    return dump(resolved(scenario))


def identity(scenario: Scenario, without: Collection[str] = ()) -> dict[str, Any]:
    """What results depend on: the resolved tree without names and descriptions, and the hashes of its data files.

    As text, not as a tree: the order of groups and posts in the file breaks ties, so it belongs to the identity.

    Args:
        scenario: The question.
        without: Dotted paths that do not count either.
    """
    import json

    left_out = {tuple(path.split(".")) for path in (*_NOT_THE_QUESTION, *without)}
    tree = pruned(resolved(scenario), left_out)
    data = {dotted(path): data.content_hash for path, data in _samples(scenario, ())}
    return {"scenario": json.dumps(tree, default=str), "data": data}


def _samples(value: Any, path: Path) -> Iterator[tuple[Path, Empirical | Trace | PeopleFile]]:
    """Everything that comes from a data file, laws, traces and lists of patients, with its path."""
    from pydantic import BaseModel

    from iopsim.scenario.census import PeopleFile
    from iopsim.scenario.distributions import Empirical
    from iopsim.scenario.trace import Trace

    if isinstance(value, Empirical | Trace | PeopleFile):
        yield path, value
    elif isinstance(value, BaseModel | Mapping):
        for key, child in value.items() if isinstance(value, Mapping) else value:
            yield from _samples(child, (*path, key))


def paths(tree: Any, path: Path = ()) -> set[str]:
    """The dotted path of every key and item of a plain tree."""
    items = tree.items() if isinstance(tree, Mapping) else enumerate(tree if isinstance(tree, list) else ())
    below = [paths(child, (*path, key)) for key, child in items]
    return {dotted(path)}.union(*below) if path else set().union(*below)
