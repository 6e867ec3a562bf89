"""A sweep file to all its scenarios, checked down to the last metric, with every fault at once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from iopsim.errors import Fault, InputError
from iopsim.experiment.names import check_names, nearest, no_such_metric, reported
from iopsim.experiment.sweep.design import number_of_points, points_of, wrong_design
from iopsim.scenario.sweeps import open_sweep, scenarios

if TYPE_CHECKING:
    import os
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from iopsim.experiment.sweep.design import Point
    from iopsim.scenario.schema import Scenario
    from iopsim.scenario.sweeps import Axis, Opened
    from iopsim.scenario.tree import Path

__all__ = ["MANY", "Design", "load"]

MANY = 10_000  # points from which on somebody must say that they are meant
_TOO_MANY = 100_000
_COST = "program.cost.total"
_OF_SOME = 'some points have no metric "{}"; name one that every point has'


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """A sweep that can be simulated.

    Attributes:
        opened: What the file says.
        base: The scenario that is varied, with what all points share.
        points: The points.
        scenarios: The scenario of each point.
        metrics: What the table holds; empty: every metric.
        cost: The metric that the frontier holds against the wait; None if no plan has it.
        wait: The other side of the frontier; None if there is none.
    """

    opened: Opened
    base: Scenario
    points: tuple[Point, ...]
    scenarios: tuple[Scenario, ...]
    metrics: tuple[str, ...]
    cost: str | None
    wait: str | None

    @property
    def name(self) -> str:
        """Names the results folder."""
        return self.opened.spec.name

    @property
    def axes(self) -> tuple[Axis, ...]:
        """The parameters."""
        return self.opened.axes


def load(path: str | os.PathLike[str], sets: Sequence[str] = (), *, many: bool = False) -> Design:
    """Read a sweep and make its scenarios.

    Args:
        path: The sweep file.
        sets: Assignments to the base scenario; they win over the file.
        many: Whether more than 10,000 points are meant.

    Raises:
        InputError: With every fault that could be found, by place.
    """
    opened = open_sweep(path, sets)
    faults = [*opened.faults, *wrong_design(opened)]
    points: list[Point] = []
    made: list[Scenario] = []
    if opened.base is not None and opened.has_points and not wrong_design(opened):
        if too_many := _too_many(opened, many):
            raise InputError(*faults, too_many)
        points = points_of(opened, opened.base.run.seed)
        if not points:
            faults.append(opened.fault("no-points", ("exclude",), "leaves out every point; leave out fewer"))
        made, wrong = scenarios(opened, (point.choices for point in points))
        faults += wrong
    names = _Names.of(made or ([opened.base] if opened.base else []))
    faults += _misnamed(opened, names)
    if faults or opened.base is None:
        raise InputError(*sorted(faults, key=lambda fault: (fault.mark is not None, fault.mark)))
    return Design(
        opened=opened,
        base=opened.base,
        points=tuple(points),
        scenarios=tuple(made),
        metrics=opened.spec.metrics,
        cost=opened.spec.cost or (_COST if _COST in names.of_all else None),
        wait=opened.spec.wait or _wait(opened.base, names.of_all),
    )


class _Names(NamedTuple):
    """Metrics that every point has, and that any has, in the order of registration."""

    of_all: Collection[str]
    of_any: Collection[str]

    @classmethod
    def of(cls, made: Iterable[Scenario]) -> _Names:
        of_all: set[str] | None = None
        of_any: dict[str, None] = {}
        for scenario in made:
            names = reported(scenario).keys()
            of_all = set(names) if of_all is None else of_all & names
            of_any |= dict.fromkeys(names)
        return cls(of_all or set(), of_any.keys())


def _too_many(opened: Opened, many: bool) -> Fault | None:
    number = number_of_points(opened)
    if number > _TOO_MANY:
        message = f"{number:,} points; at most {_TOO_MANY:,} are simulated at once; divide the sweep"
    elif number > MANY and not many:
        message = f"{number:,} points; if so many are meant, say so with --yes"
    else:
        return None
    return opened.fault("too-many-points", ("parameters",), message)


def _misnamed(opened: Opened, names: _Names) -> Iterator[Fault]:
    """Metrics that are asked for and that the points do not have."""
    if opened.base is None:
        return
    spec, targets = opened.spec, [target.metric for target in opened.base.targets]
    for wrong in check_names(opened.base):
        if wrong.name not in names.of_any:
            yield replace(wrong.fault, mark=opened.base_fault("", wrong.path, "").mark)
    for number, name in enumerate(targets):
        if name in names.of_any and name not in names.of_all:
            yield opened.base_fault("unknown-metric", ("targets", number, "metric"), _OF_SOME.format(name))
    asked: list[tuple[Path, str]] = [(("metrics", number), name) for number, name in enumerate(spec.metrics)]
    asked += [((key,), name) for key, name in (("cost", spec.cost), ("wait", spec.wait)) if name]
    for path, name in asked:
        if name not in names.of_any:
            wrong_name = no_such_metric(name, nearest(name, names.of_any), owner="this sweep")
            yield opened.fault(wrong_name.code, path, wrong_name.message)
        elif path[0] != "metrics" and name not in names.of_all:
            yield opened.fault("unknown-metric", path, _OF_SOME.format(name))


def _wait(base: Scenario, known: Collection[str]) -> str | None:
    """The wait that counts: of the first target on one, else the mean for the first level of the program's own."""
    asked = [target.metric for target in base.targets if ".wait_days." in target.metric]
    own = [f"{name}.wait_days.mean" for name, level in base.levels.items() if level.is_own]
    return next((name for name in (*asked, *own) if name in known), None)
