"""The axes of a sweep: parameters with the choices they have, and what each choice sets in the scenario."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from iopsim.scenario.file import steps_of
from iopsim.scenario.findings import Finding
from iopsim.scenario.tree import Node, Step, plain

if TYPE_CHECKING:
    from iopsim.errors import Mark
    from iopsim.scenario.sweeps.schema import Method, Parameter
    from iopsim.scenario.tree import Path

__all__ = ["Assignment", "Axis", "Choice", "Label", "axis_of", "label_of", "path_of"]

Label = str | int | float
_NO_PATH = "not a dotted path; write one such as staff.nurse.posts"
_NO_NAMES = (
    "a name without a dot is one of its own, whose values say what they set, as in "
    "{values: {few: {staff.nurse.posts: 2}, many: {staff.nurse.posts: 4}}}; or give a dotted path"
)
_DIGITS = 12  # of a number between two others: as many as tables show


@dataclass(frozen=True, slots=True)
class Assignment:
    """One value and where in the scenario it goes.

    Attributes:
        steps: The path; its steps stand where the value does, so that faults of the value do too.
        value: What is laid there.
    """

    steps: tuple[Step, ...]
    value: Node

    @classmethod
    def of(cls, steps: Iterable[Step], value: Node) -> Assignment:
        """The assignment of a value to a path that was written anywhere."""
        return cls(tuple(replace(step, mark=value.mark) for step in steps), value)

    @property
    def has_wildcard(self) -> bool:
        """Whether it goes to several places."""
        return any(step.name == "*" for step in self.steps)


@dataclass(frozen=True, slots=True)
class Choice:
    """One value of a parameter: what people read, and what it sets."""

    label: Label
    sets: tuple[Assignment, ...]


@dataclass(frozen=True, slots=True)
class Axis:
    """A parameter.

    Attributes:
        name: Dotted path, or a name of its own.
        label: What people read instead, if anything.
        choices: The values it takes, in order; of a range to draw from, its ends.
        drawn: Whether the range between the two choices is drawn from.
        named: Whether values go by names of their own.
        mark: Where the parameter stands.
    """

    name: str
    label: str | None
    choices: tuple[Choice, ...]
    drawn: bool
    named: bool
    mark: Mark

    @property
    def path(self) -> tuple[Step, ...]:
        """The path that values go to; empty if their names say where."""
        return path_of(self.name, self.mark) if "." in self.name else ()

    def at(self, share: float) -> Choice:
        """The choice at a share of the way, from 0 to below 1: all are alike likely where shares are uniform."""
        if not self.drawn:
            return self.choices[int(share * len(self.choices))]
        low, high = (plain(end.sets[0].value) for end in self.choices)
        if isinstance(low, int) and isinstance(high, int):
            return self.value(low + int(share * (high - low + 1)), self.choices[0].sets[0].value.mark)
        return self.value(_rounded(low + share * (high - low)), self.choices[0].sets[0].value.mark)

    def value(self, value: Any, mark: Mark) -> Choice:
        """A choice that is not among those listed."""
        return _choice(label_of(value), self.path, Node(value, mark))

    def choice(self, node: Node) -> Choice | None:
        """The choice that a point of `include` or `exclude` names; None if there is no such name."""
        wanted = plain(node)
        for choice in self.choices:
            if choice.label == str(wanted) if self.named else plain(choice.sets[0].value) == wanted:
                return choice
        return None if self.named else _choice(label_of(wanted), self.path, node)


def axis_of(
    name: str, node: Node, spec: Parameter | tuple[Any, ...], method: Method
) -> tuple[Axis | None, list[Finding]]:
    """A parameter with its choices as far as they can be understood, and what is wrong with it.

    Args:
        name: Its key.
        node: What was written under it.
        spec: The same, validated; a tuple is a bare list of values.
        method: How points are made: `lhs` and `sobol` draw from ranges, the others list values.
    """
    from iopsim.scenario.sweeps.schema import Parameter

    here: Path = ("parameters", name)
    mark = node.key_mark or node.mark
    parameter = spec if isinstance(spec, Parameter) else Parameter(values=spec)
    axis = Axis(name, parameter.label, (), False, False, mark)
    steps = path_of(name, mark)
    written = node
    if isinstance(spec, Parameter) and isinstance(node.value, dict):
        written = node.value.get("values", node)
    if not steps:
        return None, [Finding("bad-path", here, _NO_PATH)]
    if parameter.values is None and axis.path:
        return _ranged(axis, node, parameter, draws=method in ("lhs", "sobol"))
    if isinstance(written.value, dict) and parameter.values is not None:
        return _named(axis, written.value)
    if not axis.path:
        return None, [Finding("bad-path", here, _NO_NAMES)]
    assert isinstance(written.value, list)
    choices = tuple(_choice(label_of(plain(item)), steps, item) for item in written.value)
    before: set[Label] = set()
    for number, choice in enumerate(choices):
        if method != "list" and choice.label in before:
            message = f"{choice.label} stands here twice; remove one"
            return None, [Finding("same-value", (*here, "values", number), message)]
        before.add(choice.label)
    return replace(axis, choices=choices), []


def path_of(text: str, mark: Mark) -> tuple[Step, ...]:
    """The steps of a dotted path; none if the text is no path."""
    steps, end = steps_of(text, mark)
    return steps if steps and end == len(text) and not steps[0].bracketed else ()


def label_of(value: Any) -> Label:
    """A value as people read it in a table: numbers and text as they are, the rest as YAML on one line."""
    if isinstance(value, int | float | str) and not isinstance(value, bool):
        return value
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{key}: {label_of(child)}' for key, child in value.items())}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(str(label_of(item)) for item in value)}]"
    return {None: "null", True: "true", False: "false"}.get(value, str(value))


def _ranged(
    axis: Axis, node: Node, parameter: Parameter, *, draws: bool
) -> tuple[Axis | None, list[Finding]]:
    here: Path = ("parameters", axis.name)
    (low, high), n = parameter.span, parameter.n
    wrong = None
    if draws and n:
        wrong = Finding(
            "parameter", (*here, "n"), "`n` is for `grid` and `list`; `points` says how many there are"
        )
    elif not draws and not n:
        message = "needs `n`, how many values there are from `min` to `max`; or list `values`"
        wrong = Finding("parameter", here, message)
    elif n and len(set(_evenly(low, high, n))) < n:
        most = high - low + 1
        message = f"there are only {most} whole numbers from {low} to {high}; write n: {most}, or {low}.0 for fractions"
        wrong = Finding("parameter", (*here, "n"), message)
    if wrong:
        return None, [wrong]
    numbers = _evenly(low, high, n) if n else (low, high)
    choices = tuple(_choice(label_of(number), axis.path, Node(number, node.mark)) for number in numbers)
    return replace(axis, choices=choices, drawn=draws), []


def _evenly(low: float, high: float, n: int) -> Sequence[float]:
    numbers = [low + (high - low) * place / (n - 1) for place in range(n)]
    if isinstance(low, int) and isinstance(high, int):
        return [math.floor(number + 0.5) for number in numbers]
    return [_rounded(number) for number in numbers]


def _rounded(number: float) -> float:
    """What tables show of a number is what is simulated."""
    return float(f"{number:.{_DIGITS}g}")


def _choice(label: Label, steps: tuple[Step, ...], value: Node) -> Choice:
    return Choice(label, (Assignment.of(steps, value),))


def _named(axis: Axis, values: dict[str, Node]) -> tuple[Axis, list[Finding]]:
    """An axis whose values have names: of values for its path, or of all that they set."""
    if axis.path:
        choices = tuple(_choice(key, axis.path, node) for key, node in values.items())
        return replace(axis, choices=choices, named=True), []
    found: list[Finding] = []
    choices = tuple(Choice(key, tuple(_bundled(axis, key, node, found))) for key, node in values.items())
    return replace(axis, choices=choices, named=True), found


def _bundled(axis: Axis, key: str, node: Node, found: list[Finding]) -> Iterator[Assignment]:
    here: Path = ("parameters", axis.name, "values", key)
    if not isinstance(node.value, dict):
        got = label_of(plain(node))
        message = f"must say what it sets, as in {{staff.nurse.posts: 2}}; {{}} sets nothing (got {got})"
        found.append(Finding("wrong-type", here, message))
        return
    for path, value in node.value.items():
        if steps := path_of(path, value.mark):
            yield Assignment.of(steps, value)
        else:
            found.append(Finding("bad-path", (*here, path), _NO_PATH))
