"""A scenario file to a typed `Scenario`, or to every fault in it at once."""

from __future__ import annotations

import os
import pathlib
import re
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any

from iopsim.errors import Fault, InputError
from iopsim.scenario.canonical import identity, resolved, resolved_text
from iopsim.scenario.file import assign, survey
from iopsim.scenario.findings import Finding, matches, without
from iopsim.scenario.tree import Node, dotted, locate, plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from iopsim.scenario.schema import Scenario
    from iopsim.scenario.tree import Path

__all__ = [
    "Loaded",
    "identity",
    "load",
    "load_with_marks",
    "name_from",
    "placed",
    "replaces",
    "resolved",
    "resolved_text",
    "understood",
]

_TABLES = (
    "sources.*.tracks", "sources.*.times", "sources.*.payers", "sources.*.modalities",
    "levels.*.places", "levels.*.next", "levels.*.waitlist.at_most",
    "levels.*.intake.show", "levels.*.intake.show.by_lead_days",
    "levels.*.leave_early.step_up.to", "levels.*.by.*.*.leave_early.step_up.to",
)  # fmt: skip


def replaces(path: Path) -> bool:
    """Whether the mapping at `path` is one table that `extends` and `--set` replace as a whole."""
    return any(matches(path, table) for table in _TABLES)


@dataclass(frozen=True, slots=True)
class Loaded:
    """A scenario, and where in which file everything in it was said."""

    scenario: Scenario
    root: Node

    def fault(self, code: str, path: Path, message: str) -> Fault:
        """A fault at the place of `path`, or of the nearest part around it that was written."""
        return placed(self.root, Finding(code, path, message))


def load(path: str | os.PathLike[str], sets: Sequence[str] = ()) -> Scenario:
    """Read a scenario file, what it extends, and assignments such as `staff.nurse.posts=2`; check everything.

    Raises:
        InputError: With every fault that could be found, by place.
    """
    return load_with_marks(path, sets).scenario


def load_with_marks(path: str | os.PathLike[str], sets: Sequence[str] = ()) -> Loaded:
    """As `load`, for those who have faults of their own to place.

    Raises:
        InputError: With every fault that could be found, by place.
    """
    from iopsim.scenario.distributions import LAW_NAMES

    root, faults = survey(path, replaces, LAW_NAMES)
    if root is None:
        raise InputError(*faults)
    root = _named(root, path)
    for assignment in sets:
        try:
            root = assign(root, assignment, replaces, LAW_NAMES)
        except InputError as error:
            faults += error.faults
    scenario, findings = understood(root, pathlib.Path(path).parent)
    told = {fault.path for fault in faults}
    faults += [placed(root, finding) for finding in findings if dotted(finding.path) not in told]
    if faults or scenario is None:
        raise InputError(*sorted(faults, key=lambda fault: (fault.mark is not None, fault.mark)))
    return Loaded(scenario, root)


def placed(root: Node, finding: Finding) -> Fault:
    """The fault at the place of what was found, or of the nearest part around it that was written."""
    return Fault(finding.code, finding.message, dotted(finding.place), locate(root, finding.place)[1])


def _named(root: Node, path: str | os.PathLike[str]) -> Node:
    """The tree with a name of its own: one that a base gave is the base's, and the file's stem stands in."""
    if not isinstance(root.value, dict):
        return root
    name = root.value.get("name")
    if name is not None and name.mark.file == os.fspath(path):
        return root
    return replace(root, value=root.value | {"name": Node(name_from(path), root.mark)})


def name_from(path: str | os.PathLike[str]) -> str:
    """The name of a scenario that gives itself none: the stem of its file, made legal."""
    from iopsim.scenario.parts import LONGEST_NAME

    stem = re.sub(r"[^a-z0-9_]+", "_", pathlib.Path(path).stem.lower()).strip("_") or "scenario"
    return (stem if stem[0].isalpha() else f"scenario_{stem}")[:LONGEST_NAME]


def understood(root: Node, folder: pathlib.Path) -> tuple[Scenario | None, list[Finding]]:
    """What a tree says, unless it is wrong, and all that is wrong with it."""
    from iopsim.scenario import checks
    from iopsim.scenario.names import clashes, crowded, dangling
    from iopsim.scenario.not_yet import unsupported
    from iopsim.scenario.schema import Scenario

    tree = plain(root)
    if found := _of_sweep(tree) or crowded(tree):
        return None, found
    found = unsupported(tree)
    supported = without(tree, {finding.path for finding in found})
    scenario, wrong = _validated(Scenario, supported, root, folder)
    found += wrong
    told = {finding.path for finding in found}
    found += [*clashes(tree), *dangling(tree, told)]
    readable = scenario or _readable(supported, wrong, root, folder)
    if readable is not None:
        found += checks.of_parts(readable)
        if not any(finding.path[:1] == ("run",) for finding in found):
            found += checks.of_dates(readable)
    if scenario is not None and not found:
        found += checks.of_whole(scenario, tree)
    if scenario is not None and not found:
        found += checks.of_editions(scenario)
    return scenario, found


def _of_sweep(tree: Any) -> list[Finding]:
    """That a tree is a sweep, which has a scenario as its `base`, and not one itself."""
    is_sweep = isinstance(tree, dict) and "base" in tree and not tree.keys() & {"sources", "levels"}
    said = "a file with a `base` is a sweep, not a scenario; give it to `iopsim sweep`"
    return [Finding("sweep", ("base",), said)] if is_sweep else []


def _validated(
    model: type[Scenario], tree: Any, root: Node, folder: pathlib.Path
) -> tuple[Scenario | None, list[Finding]]:
    from pydantic import ValidationError

    try:
        return model.model_validate(tree, context={"folder": folder}), []
    except ValidationError as error:
        from iopsim.scenario.messages import findings

        return None, findings(error, root)


def _readable(tree: Any, wrong: Iterable[Finding], root: Node, folder: pathlib.Path) -> Scenario | None:
    """The scenario without the sources, payers, rooms, levels, roles and services that are wrong in themselves."""
    tables = {"sources", "payers", "rooms", "levels", "staff", "services"}
    cut = {finding.place[: 2 if finding.place[0] in tables else 1] for finding in wrong if finding.place}
    cut |= {("changes",), ("from_today",)} if wrong else set()  # they may name what is cut
    return _validated(_scenario_of_any_size(), without(tree, cut), root, folder)[0]


@cache
def _scenario_of_any_size() -> type[Scenario]:
    from pydantic import create_model

    from iopsim.scenario.access import Payer
    from iopsim.scenario.levels import Level
    from iopsim.scenario.schema import Scenario, Source

    return create_model(
        "AnySize",
        __base__=Scenario,
        sources=(dict[str, Source], {}),
        payers=(dict[str, Payer], {}),
        levels=(dict[str, Level], {}),
    )
