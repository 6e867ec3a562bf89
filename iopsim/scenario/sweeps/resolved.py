"""The resolved form of a sweep: a plain tree with every default said, which reads back as the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from iopsim.scenario.canonical import resolved
from iopsim.scenario.tree import dotted, plain

if TYPE_CHECKING:
    from iopsim.scenario.sweeps.axes import Axis, Choice
    from iopsim.scenario.sweeps.read import Opened

__all__ = ["resolved_sweep"]


def resolved_sweep(opened: Opened, base: str, **axes: str | None) -> dict[str, Any]:
    """The sweep over a base that holds all that its points share.

    Args:
        opened: A sweep without faults.
        base: File name of that base.
        axes: The metrics of `cost` and `wait`, given or not; None where there is none.
    """
    assert opened.base is not None
    spec, said = opened.spec, resolved(opened.base)
    points = {} if spec.points is None else {"points": spec.points}
    return {
        "base": base,
        "name": spec.name,
        "description": spec.description,
        "method": spec.method,
        **points,
        "parameters": {axis.name: _axis(axis) for axis in opened.axes},
        "include": [
            {axis.name: _said(axis, choice) for axis, choice in zip(opened.axes, point, strict=True)}
            for point in opened.include
        ],
        "exclude": [
            {opened.axes[number].name: _said(opened.axes[number], choice) for number, choice in part.items()}
            for part in opened.exclude
        ],
        "replications": said["run"]["replications"],
        "targets": said["targets"],
        "metrics": list(spec.metrics),
        **{key: name for key, name in axes.items() if name},
    }


def _axis(axis: Axis) -> dict[str, Any]:
    label = {"label": axis.label} if axis.label else {}
    values = [_value(axis, choice) for choice in axis.choices]
    if axis.drawn:
        return {**label, "min": values[0], "max": values[1]}
    if axis.named:
        return {
            **label,
            "values": {choice.label: value for choice, value in zip(axis.choices, values, strict=True)},
        }
    return {**label, "values": values}


def _value(axis: Axis, choice: Choice) -> Any:
    """What a choice sets: of a path a value, otherwise every path with its value."""
    if axis.path:
        return plain(choice.sets[0].value)
    # Numbers follow a dot, which leads to an item of a list as well as to a number that is a key.
    paths = [dotted(tuple(step.name for step in one.steps)).replace('"*"', "*") for one in choice.sets]
    return {path: plain(one.value) for path, one in zip(paths, choice.sets, strict=True)}


def _said(axis: Axis, choice: Choice) -> Any:
    return choice.label if axis.named else _value(axis, choice)
