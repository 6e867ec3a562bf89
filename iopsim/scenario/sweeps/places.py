"""Points that a sweep names: those that `include` adds, and those that `exclude` leaves out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from iopsim.scenario.distributions.faults import closest
from iopsim.scenario.findings import MISSING, Finding, words
from iopsim.scenario.sweeps.axes import label_of
from iopsim.scenario.tree import Node, plain

if TYPE_CHECKING:
    from iopsim.scenario.sweeps.axes import Axis, Choice
    from iopsim.scenario.tree import Path

__all__ = ["Exclusion", "excluded", "included"]

Exclusion = Mapping[int, "Choice"]  # by the number of the axis


def included(places: Node | None, axes: Sequence[Axis]) -> tuple[list[tuple[Choice, ...]], list[Finding]]:
    """The points that are added, a choice for each axis, and what is wrong with the others."""
    points: list[tuple[Choice, ...]] = []
    found: list[Finding] = []
    for number, node in enumerate(_items(places)):
        here: Path = ("include", number)
        chosen, wrong = _chosen(node, here, axes)
        lacking = [axis.name for axis in axes if isinstance(node.value, dict) and axis.name not in node.value]
        wrong += [
            Finding(MISSING, (*here, name), f"needs `{name}`: a point has a value of every parameter")
            for name in lacking
        ]
        if not wrong:
            points.append(tuple(chosen[at] for at in range(len(axes))))
        found += wrong
    return points, found


def excluded(places: Node | None, axes: Sequence[Axis]) -> tuple[list[Exclusion], list[Finding]]:
    """What the points that are left out have in common, and what is wrong with it."""
    exclusions: list[Exclusion] = []
    found: list[Finding] = []
    for number, node in enumerate(_items(places)):
        here: Path = ("exclude", number)
        chosen, wrong = _chosen(node, here, axes)
        for at, choice in chosen.items():
            axis = axes[at]
            if axis.drawn:
                message = "its values are drawn, so none can be left out; narrow `min` and `max` instead"
                wrong.append(Finding("not-a-value", (*here, axis.name), message))
            elif choice not in axis.choices:
                wrong.append(Finding("not-a-value", (*here, axis.name), _no_value(choice.label, axis)))
        if not chosen and not wrong:
            wrong.append(
                Finding("empty", here, "names no value, so it would leave out every point; name one")
            )
        exclusions += [] if wrong else [chosen]
        found += wrong
    return exclusions, found


def _items(places: Node | None) -> Iterator[Node]:
    yield from places.value if places is not None and isinstance(places.value, list) else ()


def _chosen(node: Node, here: Path, axes: Sequence[Axis]) -> tuple[dict[int, Choice], list[Finding]]:
    """The choices of one entry by the number of their axis, and what is wrong with it."""
    by_name = {axis.name: number for number, axis in enumerate(axes)}
    chosen: dict[int, Choice] = {}
    found: list[Finding] = []
    for name, value in node.value.items() if isinstance(node.value, dict) else ():
        if name not in by_name:
            hint = closest(name, by_name) or f"; there are {words(by_name)}"
            found.append(Finding("unknown-parameter", (*here, name), f"no such parameter{hint}"))
        elif (choice := axes[by_name[name]].choice(value)) is None:
            found.append(
                Finding("not-a-value", (*here, name), _no_value(label_of(plain(value)), axes[by_name[name]]))
            )
        else:
            chosen[by_name[name]] = choice
    return chosen, found


def _no_value(label: object, axis: Axis) -> str:
    labels = [str(choice.label) for choice in axis.choices]
    return f"no value of this parameter (got {label}){closest(str(label), labels) or f'; there are {words(labels)}'}"
