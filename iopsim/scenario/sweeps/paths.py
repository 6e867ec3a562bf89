"""Where the values of a sweep go: paths that lead somewhere, that may vary, and that no two parameters share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from itertools import combinations
from typing import TYPE_CHECKING, Any, get_origin

from iopsim.scenario.canonical import paths
from iopsim.scenario.findings import words
from iopsim.scenario.tree import dotted

if TYPE_CHECKING:
    from iopsim.scenario.sweeps.axes import Axis
    from iopsim.scenario.tree import Path, Step

__all__ = ["astray", "expanded", "fixed", "fixed_for_all", "shared", "steps_path", "steps_text"]

_SAME_PATIENTS = "all points must meet the same patients, or they cannot be compared"
_SAME_QUESTION = "it is the same for all points"
_FIXED = {
    "run": f"{_SAME_PATIENTS}; set it for all of them in the scenario or under `set`",
    "from_today": f"{_SAME_PATIENTS}; set it for all of them in the scenario",
    "targets": f"{_SAME_QUESTION}; write `targets:` in this file",
    "currency": "costs are compared, so all points need the same",
    "extends": "write each scenario's values under a name of their own instead",
    **dict.fromkeys(("name", "schema", "description", "notes", "observed"), "it changes no result"),
}
_OWN_KEYS = {("name",): "name", ("targets",): "targets", ("run", "replications"): "replications"}


def steps_path(steps: Iterable[Step]) -> Path:
    """A path without places; a number is one of a list."""
    return tuple(int(step.name) if step.name.isdigit() else step.name for step in steps)


def steps_text(steps: Iterable[Step]) -> str:
    """A path as planners write it."""
    return dotted(steps_path(steps)).replace('"*"', "*")


def fixed(steps: tuple[Step, ...]) -> str | None:
    """Why a parameter cannot set this path; None if it can."""
    reason = _FIXED.get(steps[0].name)
    return f"`{steps_text(steps)}` cannot be a parameter: {reason}" if reason else None


def fixed_for_all(steps: tuple[Step, ...]) -> str | None:
    """Why `set` cannot set this path; None if it can."""
    if not steps:
        return "not a dotted path; write one such as run.weeks"
    names = tuple(step.name for step in steps)
    own = next((key for path, key in _OWN_KEYS.items() if names[: len(path)] == path), None)
    return f"write `{own}:` in this file instead" if own else None


def astray(steps: tuple[Step, ...], tree: Any) -> str | None:
    """Why a path leads nowhere, with the nearest one that leads somewhere; None if it does itself.

    Args:
        steps: The path. It may end with a name that is not there yet, but not lead through one.
        tree: Plain tree of the scenario.
    """
    from iopsim.scenario.messages import keys_of, types_at

    path: Path = ()
    here = tree
    for number, step in enumerate(steps):
        types = types_at(path)
        there = _children(here)
        names = any(get_origin(kind) is Mapping for kind in types)
        items = any(get_origin(kind) is tuple for kind in types)
        key: str | int = int(step.name) if items and step.name.isdigit() else step.name
        if step.name == "*":
            key, missing = next(iter(there), ""), not (there and (names or items))
        else:
            missing = names and key not in there and number < len(steps) - 1
        if missing or not types_at((*path, key)):
            known = [*(known for kind in types for known in keys_of(kind)), *(there if names else ())]
            return f"no such path in the scenario{_nearest(steps, number, known, tree)}"
        path, here = (*path, key), there.get(key)
    return None


def expanded(steps: tuple[Step, ...], tree: Any) -> list[Path]:
    """The places that a path stands for in a plain tree: one, or with `*` one for everything that is there."""
    found: list[tuple[Path, Any]] = [((), tree)]
    for step in steps:
        found = [
            ((*path, key), there.get(key))
            for path, here in found
            for there in [_children(here)]
            for key in (there if step.name == "*" else [_key(step, here)])
        ]
    return [path for path, _ in found]


def shared(axes: Iterable[Axis]) -> Iterator[tuple[Axis, str, Axis]]:
    """Pairs of parameters that set the same path: the later one, the path, and the earlier one."""
    written = [
        (axis, {steps_text(one.steps) for choice in axis.choices for one in choice.sets}) for axis in axes
    ]
    for (one, before), (other, after) in combinations(written, 2):
        for path in sorted(before & after):
            yield other, path, one


def _nearest(steps: tuple[Step, ...], number: int, known: list[str], tree: Any) -> str:
    """` (did you mean "…"?)`, or what there is."""
    if near := get_close_matches(steps[number].name, known, n=1):
        texts = [near[0] if at == number else step.name for at, step in enumerate(steps)]
        return f' (did you mean "{".".join(texts)}"?)'
    if near := get_close_matches(steps_text(steps), sorted(paths(tree)), n=1, cutoff=0.7):
        return f' (did you mean "{near[0]}"?)'
    where = ".".join(step.name for step in steps[:number]) or "the top"
    return f"; at {where} there are {words(dict.fromkeys(known))}" if known else f"; nothing is below {where}"


def _key(step: Step, here: Any) -> str | int:
    return int(step.name) if isinstance(here, list) and step.name.isdigit() else step.name


def _children(here: Any) -> dict[Any, Any]:
    if isinstance(here, Mapping):
        return dict(here)
    return dict(enumerate(here)) if isinstance(here, list) else {}
