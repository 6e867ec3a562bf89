"""What the folder of a sweep says, read back for figures: parameters, points, and the metrics that matter."""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from iopsim.errors import Fault, InputError
from iopsim.experiment.disk import told_as_machine_error
from iopsim.experiment.store import read_resolved
from iopsim.experiment.summary import goals
from iopsim.experiment.sweep.folder import BASE, SWEEP
from iopsim.report.figures.goals import labels, metric_words
from iopsim.report.sweep import axis_words
from iopsim.report.tables import Estimated
from iopsim.scenario.file import open_tree
from iopsim.scenario.tree import plain

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from iopsim.experiment.summary import Goal
    from iopsim.scenario.schema import Scenario

__all__ = ["Axis", "Point", "SweepResults", "read_sweep"]


class Axis(NamedTuple):
    """A parameter as figures show it.

    Attributes:
        words: What people read for it.
        values: The values that points have, in the order in which they come.
        numeric: Whether all values are numbers.
    """

    words: str
    values: tuple[str, ...]
    numeric: bool


class Point(NamedTuple):
    """A point: its number, the value of each parameter, the verdict over all targets, and estimates by metric."""

    number: int
    values: tuple[str, ...]
    verdict: str
    found: dict[str, Estimated]

    def knows(self, metric: str) -> bool:
        """Whether there is an estimate of the metric."""
        return metric in self.found and not math.isnan(self.found[metric].estimate)


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepResults:
    """The folder of a sweep.

    Attributes:
        base: The scenario that is varied.
        axes: The parameters.
        points: The points, in order.
        frontier: Numbers of the points on the frontier, the cheapest first.
        asked: What is asked of each metric that a target stands on.
        cost: The metric that the frontier holds against the wait; empty without one.
        wait: The other side; empty without one.
    """

    base: Scenario
    axes: tuple[Axis, ...]
    points: tuple[Point, ...]
    frontier: tuple[int, ...]
    asked: Mapping[str, Goal]
    cost: str
    wait: str

    @property
    def metrics(self) -> list[str]:
        """The metrics that figures are of: those of targets, or else wait and cost."""
        names = dict.fromkeys(self.asked or [name for name in (self.wait, self.cost) if name])
        return [name for name in names if self.of(name)]

    @property
    def cheapest(self) -> Point | None:
        """The cheapest point that meets all targets."""
        meeting = [point for point in self.of(self.cost) if point.verdict == "met"]
        return min(meeting, key=lambda point: point.found[self.cost].estimate, default=None)

    def of(self, *metrics: str) -> list[Point]:
        """The points where all of these metrics are known."""
        return [point for point in self.points if all(map(point.knows, metrics))]

    def words(self, metric: str) -> str:
        """What people read for a metric."""
        words = metric_words(metric, labels(self.base)).replace(", total", f", {self.base.run.weeks} weeks")
        return f"{words[0].upper()}{words[1:]}"

    def name(self, point: Point) -> str:
        """What people read for a point."""
        return ", ".join(f"{axis.words} {value}" for axis, value in zip(self.axes, point.values, strict=True))


def read_sweep(folder: Path) -> SweepResults:
    """Read the tables of a sweep's folder, finished or not yet named.

    Raises:
        InputError: The folder lacks one of them.
        MachineError: One cannot be read.
    """
    with told_as_machine_error(folder, None):
        try:
            base, spec = read_resolved(folder / BASE), _plain(folder / SWEEP)
            names = list(spec["parameters"])
            header, *points = _rows(folder / "points.csv")
            asked = goals(base.targets)
            cost, wait = spec.get("cost", ""), spec.get("wait", "")
            found = _found(folder / "sweep.csv", len(names), {cost, wait, *asked})
            return SweepResults(
                base=base,
                axes=tuple(
                    _axis(
                        axis_words(name, spec["parameters"][name].get("label"), base),
                        [row[at] for row in points],
                    )
                    for at, name in enumerate(names, start=1)
                ),
                points=tuple(
                    Point(
                        int(row[0]),
                        tuple(row[1 : 1 + len(names)]),
                        row[header.index("verdict", 1 + len(names))],
                        found[row[0]],
                    )
                    for row in points
                ),
                frontier=tuple(int(row[0]) for row in _rows(folder / "frontier.csv")[1:]),
                asked=asked,
                cost=cost,
                wait=wait,
            )
        except (FileNotFoundError, LookupError, ValueError, TypeError) as error:
            message = f"{folder} does not hold the tables of a sweep; give a folder that `iopsim sweep` wrote"
            raise InputError(Fault("no-results", message)) from error


def _plain(path: Path) -> Any:
    root, faults = open_tree(path)
    if root is None or faults:
        raise InputError(*faults)
    return plain(root)


def _rows(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file, strict=True))


def _axis(words: str, values: list[str]) -> Axis:
    """A parameter; numbers in their order, other values in that of the points."""
    different = list(dict.fromkeys(values))
    try:
        return Axis(words, tuple(sorted(different, key=float)), True)
    except ValueError:
        return Axis(words, tuple(different), False)


def _found(path: Path, axes: int, metrics: set[str]) -> dict[str, dict[str, Estimated]]:
    """The estimates of some metrics by point."""
    found: dict[str, dict[str, Estimated]] = {}
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.reader(file, strict=True):
            by_name = found.setdefault(row[0], {})
            metric, unit, *cells = row[1 + axes :]
            if metric in metrics:
                estimate, low, high = (float(cell or "nan") for cell in cells[:3])
                by_name[metric] = Estimated(unit, estimate, low, high, cells[-1])
    return found
