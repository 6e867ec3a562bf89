"""A sweep file to its axes and its base scenario, with every fault in them at once."""

from __future__ import annotations

import os
import pathlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from iopsim.errors import Fault, InputError, Mark
from iopsim.scenario.file import assign, open_tree, survey
from iopsim.scenario.findings import Finding, without
from iopsim.scenario.load import name_from, placed, replaces, understood
from iopsim.scenario.sweeps.axes import Assignment, Axis, axis_of, path_of
from iopsim.scenario.sweeps.lay import laid
from iopsim.scenario.sweeps.paths import astray, fixed, fixed_for_all, shared, steps_text
from iopsim.scenario.sweeps.places import excluded, included
from iopsim.scenario.sweeps.schema import Sweep
from iopsim.scenario.tree import Node, plain

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from iopsim.scenario.schema import Scenario
    from iopsim.scenario.sweeps.axes import Choice
    from iopsim.scenario.sweeps.places import Exclusion
    from iopsim.scenario.tree import Path

__all__ = ["Opened", "is_sweep", "open_sweep"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A sweep file as far as it could be read.

    Attributes:
        root: Tree of the file.
        spec: The sweep, without what is wrong in it.
        axes: Its parameters, without those that are wrong.
        include: The further points, a choice for each axis.
        exclude: What points that are left out have in common.
        folder: Where the base scenario's data files are looked for.
        base_root: Tree of the base scenario, with what all points share.
        base: The same as a scenario; None if something is wrong with it.
        faults: Everything that is wrong so far.
    """

    root: Node
    spec: Sweep
    axes: tuple[Axis, ...]
    include: tuple[tuple[Choice, ...], ...]
    exclude: tuple[Exclusion, ...]
    folder: pathlib.Path
    base_root: Node
    base: Scenario | None
    faults: tuple[Fault, ...]

    @property
    def has_points(self) -> bool:
        """Whether points can be made: in a list, values stand beside those of all other parameters."""
        whole = len(self.axes) == len(self.spec.parameters)
        return bool(self.axes) and (whole or self.spec.method != "list")

    def fault(self, code: str, path: Path, message: str) -> Fault:
        """A fault at a place of the sweep file."""
        return placed(self.root, Finding(code, path, message))

    def base_fault(self, code: str, path: Path, message: str) -> Fault:
        """A fault at a place of the base scenario, which may have been set in the sweep file."""
        return placed(self.base_root, Finding(code, path, message))


def open_sweep(path: str | os.PathLike[str], sets: Sequence[str] = ()) -> Opened:
    """Read a sweep file and its base, as far as they can be read.

    Args:
        path: The file.
        sets: Assignments to the base scenario, such as `staff.nurse.posts=2`; they win over the file.

    Raises:
        InputError: So much is wrong that nothing more can be checked.
    """
    root, faults = open_tree(path)
    if root is None or not isinstance(root.value, dict):
        message = "a sweep is made of `key: value` lines, such as `base: baseline.yaml`"
        mark = root.mark if root else None
        raise InputError(*(faults or [Fault("not-a-mapping", message, "", mark)]))
    if "base" not in root.value and root.value.keys() & {"sources", "levels", "extends"}:
        message = (
            "this is a scenario, not a sweep; give it to `iopsim run`, or name it in the `base` of a sweep"
        )
        raise InputError(*faults, Fault("not-a-sweep", message, "", root.mark))
    if "name" not in root.value:
        root = replace(root, value=root.value | {"name": Node(name_from(path), root.mark)})
    spec, findings = _validated(root)
    faults += [placed(root, finding) for finding in findings]
    if spec is None:
        raise InputError(*faults)
    file = os.path.normpath(pathlib.Path(path).parent / spec.base)
    base_root = _base(file, placed(root, Finding("", ("base",), "")), faults)
    told = {finding.place[0] for finding in findings if finding.place}
    base_root = _common(base_root, root, told, faults)
    base_root = _assigned(base_root, sets, faults)
    base, wrong = understood(base_root, pathlib.Path(file).parent)
    faults += [placed(base_root, finding) for finding in wrong]
    axes, found = _axes(root, spec, plain(base_root))
    lists = {key: _child(root, key) for key in ("include", "exclude") if not told & {key, "parameters"}}
    if len(axes) < len(spec.parameters):
        lists = {}
    include, added = included(lists.get("include"), axes)
    exclude, left_out = excluded(lists.get("exclude"), axes)
    faults += [placed(root, finding) for finding in (*found, *added, *left_out)]
    return Opened(
        root=root,
        spec=spec,
        axes=axes,
        include=tuple(include),
        exclude=tuple(exclude),
        folder=pathlib.Path(file).parent,
        base_root=base_root,
        base=None if wrong else base,
        faults=tuple(faults),
    )


def is_sweep(path: str | os.PathLike[str]) -> bool:
    """Whether a file is a sweep and no scenario; what cannot be read is neither."""
    root, _ = open_tree(path)
    return root is not None and bool(_items(root).keys() & {"base", "parameters"})


def _child(node: Node, key: str) -> Node | None:
    return node.value.get(key) if isinstance(node.value, dict) else None


def _items(node: Node | None) -> dict[str, Node]:
    return node.value if node is not None and isinstance(node.value, dict) else {}


def _validated(root: Node) -> tuple[Sweep | None, list[Finding]]:
    """What a file says, without what is wrong in it; None where even that cannot be read."""
    from pydantic import ValidationError

    from iopsim.scenario.messages import findings

    tree = {key: plain(node) for key, node in _items(root).items() if node.value is not None}
    try:
        return Sweep.model_validate(tree), []
    except ValidationError as error:
        wrong = findings(error, root, Sweep)
    places = [finding.place for finding in wrong if finding.place]
    cut = {place[: 2 if place[0] == "parameters" else 1] for place in places}
    try:
        return Sweep.model_validate(without(tree, cut)), wrong
    except ValidationError:
        return None, wrong


def _base(file: str, asked: Fault, faults: list[Fault]) -> Node:
    """The tree of the base scenario; `asked` is where the sweep asks for it, and `faults` get those that it has.

    Raises:
        InputError: There is nothing to go on with.
    """
    from iopsim.scenario.distributions import LAW_NAMES

    base, found = survey(file, replaces, LAW_NAMES)
    unopened = Mark(file)
    faults += [
        replace(fault, path=asked.path, mark=asked.mark) if fault.mark == unopened else fault
        for fault in found
    ]
    if base is None:
        raise InputError(*faults)
    name = _child(base, "name")
    if name is None or name.mark.file != file:
        base = replace(base, value=_items(base) | {"name": Node(name_from(file), base.mark)})
    return base


def _common(base: Node, root: Node, told: Collection[object], faults: list[Fault]) -> Node:
    """The base scenario with what the sweep says of all its points, without keys that are told to be wrong."""
    keys = {key: node for key, node in _items(root).items() if key not in told}
    values: list[tuple[Path, str, Node]] = [
        (("set", path), path, node) for path, node in _items(keys.get("set")).items()
    ]
    own = {"targets": "targets", "replications": "run.replications"}
    values += [((key,), path, keys[key]) for key, path in own.items() if key in keys]
    for here, path, node in values:
        steps = path_of(path, node.mark)
        if here[0] == "set" and (wrong := fixed_for_all(steps) or astray(steps, plain(base))):
            faults.append(placed(root, Finding("bad-path", here, wrong)))
            continue
        try:
            base, _ = laid(base, [Assignment.of(steps, node)])
        except InputError as error:
            faults += error.faults
    return base


def _assigned(base: Node, sets: Sequence[str], faults: list[Fault]) -> Node:
    from iopsim.scenario.distributions import LAW_NAMES

    for text in sets:
        try:
            base = assign(base, text, replaces, LAW_NAMES)
        except InputError as error:
            faults += error.faults
    return base


def _axes(root: Node, spec: Sweep, tree: Any) -> tuple[tuple[Axis, ...], list[Finding]]:
    """The parameters that can be understood, and what is wrong with the others."""
    nodes = _items(_child(root, "parameters"))
    axes: list[Axis] = []
    found: list[Finding] = []
    for name, parameter in spec.parameters.items():
        axis, wrong = axis_of(name, nodes[name], parameter, spec.method)
        if axis is not None:
            wrong += _wrong_paths(axis, tree)
        found += wrong
        axes += [axis] if axis is not None and not wrong else []
    for axis, path, other in shared(axes):
        message = f"sets {path}, and so does `{other.name}`; let one of them do it"
        found.append(Finding("same-path", ("parameters", axis.name), message))
    return tuple(axes), found


def _wrong_paths(axis: Axis, tree: Any) -> Iterator[Finding]:
    """Paths of a parameter that cannot vary or lead nowhere."""
    here: Path = ("parameters", axis.name)
    if axis.path:
        paths = {here: axis.path}
    else:
        paths = {
            (*here, "values", str(choice.label), steps_text(one.steps)): one.steps
            for choice in axis.choices
            for one in choice.sets
        }
    for place, steps in paths.items():
        if wrong := fixed(steps) or astray(steps, tree):
            yield Finding("bad-path", place, wrong)
