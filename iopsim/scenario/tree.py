"""The scenario as a tree in which every value knows its place, and the rules for laying a tree over another.

Nothing here reads YAML: `file` makes the trees. A tree is never changed; every function returns a new one.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

from iopsim.errors import Fault, InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from iopsim.errors import Mark

__all__ = ["Node", "Path", "Scalar", "Step", "dotted", "locate", "merge", "plain", "put", "without_nulls"]

Scalar: TypeAlias = str | int | float | bool | dt.date | None
Path: TypeAlias = tuple[str | int, ...]
Replaces: TypeAlias = "Callable[[Path], bool]"


@dataclass(frozen=True, slots=True)
class Node:
    """One value of the file with its place.

    Attributes:
        value: A scalar, or the nodes of a mapping or list.
        mark: Where the value stands.
        key_mark: Where its key stands, when it is in a mapping.
    """

    value: dict[str, Node] | list[Node] | Scalar
    mark: Mark
    key_mark: Mark | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a path that was typed: a key, or with `bracketed` the number of a list item."""

    name: str
    mark: Mark
    bracketed: bool = False


def plain(node: Node) -> Any:
    """The values alone: dicts, lists and scalars without their places."""
    match node.value:
        case dict(children):
            return {key: plain(child) for key, child in children.items()}
        case list(items):
            return [plain(item) for item in items]
        case scalar:
            return scalar


def dotted(path: Path) -> str:
    """The path as planners write it: `levels.iop.phases[0].weeks`; a key that is no plain word is quoted."""

    def written(step: str | int) -> str:
        if isinstance(step, int):
            return f"[{step}]"
        return f".{step}" if re.fullmatch(r"[\w-]+", step) else f'."{step}"'

    return "".join(map(written, path)).removeprefix(".")


def locate(root: Node, path: Path) -> tuple[Path, Mark]:
    """Find the place of `path`: the mark of its key, or of the value for a list item or the root.

    Steps that are not in the tree are passed over: a path that goes beyond it ends at the deepest ancestor.

    Returns:
        The path that was really found, and its mark.
    """
    node = root
    found: Path = ()
    for step in path:
        match node.value:
            case dict(children) if str(step) in children:
                node, found = children[str(step)], (*found, str(step))
            case list(items) if isinstance(step, int) and 0 <= step < len(items):
                node, found = items[step], (*found, step)
    return found, node.key_mark or node.mark


def without_nulls(node: Node) -> Node:
    """The tree without the keys whose value is null: `key: null` means that the key is not there."""
    match node.value:
        case dict(children):
            kept = {key: without_nulls(child) for key, child in children.items() if child.value is not None}
            return replace(node, value=kept)
        case list(items):
            return replace(node, value=[without_nulls(item) for item in items])
        case _:
            return node


def merge(base: Node, over: Node, replaces: Replaces, laws: Collection[str] = ()) -> Node:
    """Lay `over` over `base`: mappings merge key by key, everything else replaces, null removes.

    Keys keep the order of `base`, new ones follow. A mapping takes its place from `over` when `over` changes
    something directly in it, and keeps the place in `base` when it is only passed through.

    Args:
        base: The tree below.
        over: The tree above, which wins.
        replaces: Whether the mapping at a path replaces as a whole instead of merging.
        laws: Names of distributions. One law over another replaces it as a whole, wherever it stands, so that
            `{lognormal: …}` over `{exponential: …}` never leaves both keys.
    """
    return without_nulls(_merge(base, over, (), replaces, laws))


def _merge(base: Node, over: Node, path: Path, replaces: Replaces, laws: Collection[str]) -> Node:
    below, above = base.value, over.value
    if not (isinstance(below, dict) and isinstance(above, dict)) or replaces(path):
        return over
    if _is_law(below, laws) and _is_law(above, laws):
        return over
    merged = {
        key: _merge(below[key], child, (*path, key), replaces, laws) if key in below else child
        for key, child in above.items()
    }
    changed = any(merged[key] is child for key, child in above.items())
    return replace(over if changed else base, value=below | merged)


def _is_law(children: dict[str, Node], laws: Collection[str]) -> bool:
    return len(children) == 1 and next(iter(children)) in laws


def put(
    root: Node, steps: tuple[Step, ...], value: Node, replaces: Replaces, laws: Collection[str] = ()
) -> Node:
    """Lay one value over the place that `steps` lead to, by the rules of `merge`; missing mappings are made.

    The mappings on the way are never replaced: `stay_days.lognormal.mean` changes the mean and leaves the cv,
    unless another law stands there. Null removes a key or a list item.

    Raises:
        InputError: A step into a list is not the number of one of its items, or a bracket follows no list.
    """
    value = replace(value, key_mark=steps[-1].mark)

    def at(node: Node | None, depth: int, done: Path) -> Node:
        if depth == len(steps):
            return value if node is None else _merge(node, value, done, replaces, laws)
        step, came = steps[depth], steps[depth - 1].mark if depth else None
        if node is not None and isinstance(node.value, list):
            index = _index(node.value, done, step)
            item = without_nulls(at(node.value[index], depth + 1, (*done, index)))
            items = [] if item.value is None else [item]
            return replace(node, value=[*node.value[:index], *items, *node.value[index + 1 :]])
        if step.bracketed:
            raise _wrong_step(done, step, "is not a list; write the name of a key after a dot")
        children = node.value if node is not None and isinstance(node.value, dict) else {}
        if _is_law(children, laws) and step.name in laws and step.name not in children:
            children = {}
        child = at(children.get(step.name), depth + 1, (*done, step.name))
        here = node if node is not None and children and child is not value else Node(None, step.mark, came)
        if depth + 1 == len(steps):  # nulls can only have come with the value
            child = without_nulls(child)
        kept = {
            key: below for key, below in (children | {step.name: child}).items() if below.value is not None
        }
        return replace(here, value=kept)

    return at(root, 0, ())


def _index(items: list[Node], done: Path, step: Step) -> int:
    if not re.fullmatch(r"[0-9]{1,9}", step.name):
        raise _wrong_step(done, step, f"is a list; say which item, as in {dotted((*done, 0))}")
    if int(step.name) >= len(items):
        last = f", the last is {dotted((*done, len(items) - 1))}" if items else ""
        raise _wrong_step(done, step, f"has no item {step.name}; items count from 0{last}")
    return int(step.name)


def _wrong_step(done: Path, step: Step, sentence: str) -> InputError:
    return InputError(Fault("bad-assignment", sentence, dotted(done), step.mark))
