"""From the axes of a sweep to its points: every combination, lists side by side, or spread over ranges."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from iopsim.errors import Fault
    from iopsim.scenario.sweeps import Axis, Choice, Label, Opened

__all__ = ["Point", "number_of_points", "points_of", "wrong_design"]


@dataclass(frozen=True, slots=True)
class Point:
    """One plan of a sweep: its number, from 1, and a choice for each axis."""

    number: int
    choices: tuple[Choice, ...]

    @property
    def labels(self) -> tuple[Label, ...]:
        """The value of each parameter as people read it."""
        return tuple(choice.label for choice in self.choices)


def wrong_design(opened: Opened) -> list[Fault]:
    """What keeps the points from being made."""
    spec, axes = opened.spec, opened.axes
    spreads = spec.method in ("lhs", "sobol")
    faults = []
    if spreads and not spec.points:
        message = f"`{spec.method}` needs `points`, how many to spread over the ranges, such as points: 64"
        faults.append(opened.fault("points", ("method",), message))
    if spec.points and not spreads:
        message = f"`points` is for `lhs` and `sobol`; a {spec.method} has as many points as its values make"
        faults.append(opened.fault("points", ("points",), message))
    if spec.method == "sobol" and spec.points and spec.points.bit_count() > 1:
        low = 1 << (spec.points.bit_length() - 1)
        message = (
            f"a Sobol sequence is even only at powers of 2 (got {spec.points}); write {low} or {2 * low}"
        )
        faults.append(opened.fault("points", ("points",), message))
    if spec.method == "list" and axes:
        first = axes[0]
        for axis in axes[1:]:
            if len(axis.choices) != len(first.choices):
                message = (
                    f"in a list the values stand side by side, so there must be as many of each: {len(axis.choices)} "
                    f"here, {len(first.choices)} of {first.name}"
                )
                faults.append(opened.fault("unequal-lists", ("parameters", axis.name), message))
    return faults


def number_of_points(opened: Opened) -> int:
    """How many points there are, those that are left out included."""
    spec, sizes = opened.spec, [len(axis.choices) for axis in opened.axes]
    made = {"grid": math.prod(sizes), "list": min(sizes)}.get(spec.method, spec.points or 0)
    return made + len(opened.include)


def points_of(opened: Opened, seed: int) -> list[Point]:
    """The points in their order: of a grid the first parameter varies slowest; those that are added stand last.

    Args:
        opened: A sweep whose design is not wrong.
        seed: The scenario's; points that are spread belong to it.
    """
    axes = opened.axes
    made: Iterable[tuple[Choice, ...]]
    match opened.spec.method:
        case "grid":
            made = product(*(axis.choices for axis in axes))
        case "list":
            made = zip(*(axis.choices for axis in axes), strict=True)
        case method:
            assert opened.spec.points is not None
            made = _spread(axes, method, opened.spec.points, seed)
    kept = [point for point in made if not any(_agrees(point, part) for part in opened.exclude)]
    there = {_labels(point) for point in kept}
    kept += [point for point in opened.include if _labels(point) not in there]
    return [Point(number, point) for number, point in enumerate(kept, start=1)]


def _labels(point: Sequence[Choice]) -> tuple[Label, ...]:
    return tuple(choice.label for choice in point)


def _agrees(point: Sequence[Choice], part: Mapping[int, Choice]) -> bool:
    return all(point[number].label == choice.label for number, choice in part.items())


def _spread(axes: Sequence[Axis], method: str, number: int, seed: int) -> Iterator[tuple[Choice, ...]]:
    """Points spread over the unit cube and from there over the ranges.

    Source: McKay, Beckman and Conover 1979 (Latin hypercube); Owen 1998, J. Complexity 14:466 (scrambled Sobol).
    """
    from scipy.stats import qmc

    digest = hashlib.blake2b(repr(("points of a sweep", seed, method)).encode(), digest_size=16).digest()
    chance: dict[str, Any] = {"rng": int.from_bytes(digest, "little")}
    if method == "sobol":
        cube = qmc.Sobol(len(axes), scramble=True, **chance).random_base2(number.bit_length() - 1)
    else:
        cube = qmc.LatinHypercube(len(axes), **chance).random(number)
    for row in cube.tolist():
        yield tuple(axis.at(share) for axis, share in zip(axes, row, strict=True))
