"""The tables of a sweep, point by point: what is judged of a point stays, the rest is written and forgotten."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from iopsim.experiment.names import reported
from iopsim.experiment.plans import outcomes
from iopsim.experiment.summary import estimates, goals

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from iopsim.experiment.cache import Cache
    from iopsim.experiment.plans import Gathered
    from iopsim.experiment.precision import Shortfall
    from iopsim.experiment.summary import Estimate, Verdict
    from iopsim.experiment.sweep.design import Point
    from iopsim.experiment.sweep.load import Design
    from iopsim.measures.registry import Outcome
    from iopsim.scenario.schema import Scenario
    from iopsim.scenario.sweeps import Axis

__all__ = ["Judged", "judge", "point_rows", "table_rows"]

_COLUMNS = ("metric", "unit", "estimate", "ci_low", "ci_high", "sd", "n", "target", "verdict")


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A point as it is judged.

    Attributes:
        point: Which one.
        replications: How many were enough.
        short_of: What is not as precise as asked; None if nothing was asked.
        targets: The estimates that targets stand on.
        cost: Estimate of the cost; None without one.
        wait: Estimate of the wait; None without one.
        costs: What the cost is estimated from, by replication.
    """

    point: Point
    replications: int
    short_of: tuple[Shortfall, ...] | None = None
    targets: tuple[Estimate, ...] = ()
    cost: Estimate | None = None
    wait: Estimate | None = None
    costs: tuple[Outcome, ...] = field(default=(), repr=False)

    @property
    def verdict(self) -> Verdict:
        """Over all targets: met if all are, missed if any is, otherwise undecided; empty without targets."""
        verdicts = {one.verdict for one in self.targets}
        if not verdicts:
            return ""
        return "missed" if "missed" in verdicts else "met" if verdicts == {"met"} else "undecided"


def judge(
    design: Design, gathered: Sequence[Gathered], cache: Cache
) -> Iterator[tuple[Judged, list[Estimate]]]:
    """Each point in turn, as it is judged, with its part of the table: nothing of it is held back here."""
    axes = [name for name in (design.cost, design.wait) if name]
    asked = design.metrics and dict.fromkeys([*design.metrics, *axes, *goals(design.base.targets)])
    for point, found in zip(design.points, gathered, strict=True):
        scenario = found.plan.scenario
        measured = outcomes(found.plan, found.count, cache)
        estimated = {one.name: one for one in estimates(scenario, measured)}
        judged = Judged(
            point=point,
            replications=found.count,
            short_of=found.short_of if scenario.run.rule else None,
            targets=tuple(estimated[name] for name in goals(scenario.targets)),
            cost=estimated[design.cost] if design.cost else None,
            wait=estimated[design.wait] if design.wait else None,
            costs=_costs(design, scenario, measured),
        )
        yield judged, [estimated[name] for name in asked or estimated if name in estimated]


def _costs(
    design: Design, scenario: Scenario, measured: Sequence[Mapping[str, Outcome]]
) -> tuple[Outcome, ...]:
    if not design.cost:
        return ()
    stem = reported(scenario)[design.cost].bound.stem
    return tuple(outcome[design.cost if design.cost in outcome else stem] for outcome in measured)


def table_rows(
    axes: Sequence[Axis], judged: Iterable[tuple[Judged, list[Estimate]]]
) -> tuple[list[str], Iterator[list[object]]]:
    """Header and rows of sweep.csv: a row for each point and metric."""
    header = ["point", *(axis.name for axis in axes), *_COLUMNS]
    rows = (
        [one.point.number, *one.point.labels, *_cells(found)]
        for one, all_of_it in judged
        for found in all_of_it
    )
    return header, rows


def point_rows(design: Design, judged: Iterable[Judged]) -> tuple[list[str], list[list[object]]]:
    """Header and rows of points.csv: a row for each point."""
    header = ["point", *(axis.name for axis in design.axes), "replications", "precise", "verdict"]
    for name in dict.fromkeys(name for name in (design.cost, design.wait) if name):
        header += [name, f"{name}:ci_low", f"{name}:ci_high"]
    rows = []
    for one in judged:
        precise = "" if one.short_of is None else "no" if one.short_of else "yes"
        row: list[object] = [one.point.number, *one.point.labels, one.replications, precise, one.verdict]
        for found in {found.name: found for found in (one.cost, one.wait) if found}.values():
            row += [found.interval.estimate, found.interval.low, found.interval.high]
        rows.append(row)
    return header, rows


def _cells(one: Estimate) -> list[object]:
    i = one.interval
    return [one.name, one.unit, i.estimate, i.low, i.high, i.sd, i.n, one.target, one.verdict]
