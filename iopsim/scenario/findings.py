"""What a check finds wrong, and the patterns by which checks name places in the plain tree of a scenario."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from iopsim.scenario.tree import Path

__all__ = ["MISSING", "Finding", "matches", "select", "without", "words"]

MISSING = "missing-key"


class Finding(NamedTuple):
    """Something wrong with a scenario, before it is known where in the file it stands.

    Attributes:
        code: The kind of fault, as in `errors.Fault`.
        path: What it is about; for a missing key, the key that is not there.
        message: What is wrong, what was got, and what to do.
    """

    code: str
    path: Path
    message: str

    @property
    def place(self) -> Path:
        """Where to point: at what is wrong, or at the part that lacks a key."""
        return self.path[:-1] if self.code == MISSING else self.path


def matches(path: Path, pattern: str) -> bool:
    """Whether a dotted pattern, in which `*` is any one step, leads to `path`."""
    steps = pattern.split(".")
    return len(path) == len(steps) and all(step in ("*", key) for step, key in zip(steps, path, strict=True))


def select(tree: Any, pattern: str) -> list[tuple[Path, Any]]:
    """The paths and values of a plain tree that a dotted pattern leads to, in the order of the file.

    `*` is any key of a mapping or item of a list.
    """
    found: list[tuple[Path, Any]] = [((), tree)]
    for step in pattern.split("."):
        found = [
            ((*path, key), child)
            for path, node in found
            for key, child in _children(node)
            if step in ("*", key)
        ]
    return found


def _children(node: Any) -> Iterable[tuple[str | int, Any]]:
    if isinstance(node, Mapping):
        return node.items()
    return enumerate(node) if isinstance(node, list) else ()


def without(tree: Any, paths: Collection[Path], path: Path = ()) -> Any:
    """A plain tree without the keys or items at `paths`."""
    kept = {
        key: without(child, paths, (*path, key))
        for key, child in _children(tree)
        if (*path, key) not in paths
    }
    if isinstance(tree, Mapping):
        return kept
    return list(kept.values()) if isinstance(tree, list) else tree


def words(names: Iterable[object], last: str = "and") -> str:
    """Names in a sentence: `a`, `a and b`, `a, b and c`."""
    *most, end = map(str, names)
    return f"{', '.join(most)} {last} {end}" if most else end
