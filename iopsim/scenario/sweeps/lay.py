"""Points of a sweep to scenarios: each value laid where it goes, and every fault told once, where its value stands."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from iopsim.errors import Fault, InputError
from iopsim.scenario.findings import MISSING, words
from iopsim.scenario.load import placed, replaces, understood
from iopsim.scenario.parts import sharing
from iopsim.scenario.sweeps.paths import expanded, steps_path
from iopsim.scenario.tree import Node, Step, plain, put

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from iopsim.errors import Mark
    from iopsim.scenario.findings import Finding
    from iopsim.scenario.schema import Scenario
    from iopsim.scenario.sweeps.axes import Assignment, Choice
    from iopsim.scenario.sweeps.read import Opened
    from iopsim.scenario.tree import Path

__all__ = ["laid", "scenarios"]


def laid(root: Node, assignments: Iterable[Assignment]) -> tuple[Node, dict[Path, Mark]]:
    """A scenario's tree with values laid over it, and the places that were set, with those of their values.

    What sets a whole part comes before what sets something in it, and `*` after all others: so it reaches
    everything that is there, in whatever order the file says it.

    Raises:
        InputError: A path leads into a list and not to one of its items.
    """
    from iopsim.scenario.distributions import LAW_NAMES

    places: dict[Path, Mark] = {}
    for one in sorted(assignments, key=lambda one: (one.has_wildcard, len(one.steps))):
        paths = expanded(one.steps, plain(root))
        for path in paths:
            steps = one.steps
            if one.has_wildcard:
                steps = tuple(Step(str(key), step.mark) for key, step in zip(path, one.steps, strict=True))
            root = put(root, steps, one.value, replaces, LAW_NAMES)
        places |= dict.fromkeys(paths, one.value.mark)
    return root, places


def scenarios(opened: Opened, points: Iterable[Sequence[Choice]]) -> tuple[list[Scenario], list[Fault]]:
    """The scenario of each point that can be made, and every fault of the others once.

    A fault stands at the value that brought it. One that does not stand at a value tells the first point that has it.

    Args:
        opened: The sweep.
        points: A choice for each of its axes.
    """
    root = _without_notes(opened.base_root)
    made: list[Scenario] = []
    faults: dict[object, Fault] = {}
    for point in points:
        try:
            tree, places = laid(root, [one for choice in point for one in choice.sets])
        except InputError as error:
            faults |= {(fault.code, fault.mark): fault for fault in error.faults}
            continue
        scenario, findings = understood(tree, opened.folder)
        for finding in findings:
            fault = placed(tree, finding)
            if around := [place for place in places if finding.path[: len(place)] == place]:
                if fault.code == MISSING:  # a part takes its place from what was set in it last
                    fault = replace(fault, mark=places[max(around, key=len)])
                faults.setdefault((fault.code, fault.mark, finding.path[-1]), fault)
            else:
                faults.setdefault((fault.code, fault.path), _of_point(opened, point, finding, fault))
        if scenario is not None and not findings:
            made.append(sharing(scenario, opened.base) if opened.base else scenario)
    return made, list(faults.values())


def _of_point(opened: Opened, point: Sequence[Choice], finding: Finding, fault: Fault) -> Fault:
    """A fault that stands at no value: told at the only one that sets something below it, or at the parameters."""
    said = words(f"{axis.name} {choice.label}" for axis, choice in zip(opened.axes, point, strict=True))
    below = [
        one.value.mark
        for choice in point
        for one in choice.sets
        if steps_path(one.steps)[: len(finding.path)] == finding.path
    ]
    mark = below[0] if len(set(below)) == 1 else opened.fault("", ("parameters",), "").mark
    message = f"{fault.message} (at the point of {said}); change a value, or `exclude` such points"
    return replace(fault, mark=mark, message=message)


def _without_notes(root: Node) -> Node:
    """A tree without notes: those of a group may outlive it in a point, and they change no number."""
    assert isinstance(root.value, dict)
    return replace(root, value={key: node for key, node in root.value.items() if key != "notes"})
