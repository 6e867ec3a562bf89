"""The results folder of a sweep: what was asked, every point, every metric, and the frontier.

sweep.resolved.yaml     the sweep with its defaults, over the base beside it: both read back as the same sweep
base.resolved.yaml      the scenario that is varied, with what all points share
sweep.csv               a row for each point and metric
points.csv              a row for each point
frontier.csv            the same of the points that no other beats in cost and wait
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from iopsim.experiment.keys import content_key
from iopsim.experiment.sweep.answers import answer
from iopsim.experiment.sweep.table import judge, point_rows, table_rows
from iopsim.scenario import identity, resolved_text
from iopsim.scenario.file import dump
from iopsim.scenario.sweeps import resolved_sweep

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from iopsim.experiment.cache import Cache
    from iopsim.experiment.plans import Gathered
    from iopsim.experiment.store import Run
    from iopsim.experiment.summary import Estimate
    from iopsim.experiment.sweep.answers import Answer
    from iopsim.experiment.sweep.load import Design
    from iopsim.experiment.sweep.table import Judged

__all__ = ["BASE", "SWEEP", "key_of", "write_tables"]

BASE = "base.resolved.yaml"
SWEEP = "sweep.resolved.yaml"


def key_of(design: Design) -> str:
    """Content key of a sweep: of its base, its points, and what is asked of them."""
    asked = {key: value for key, value in _resolved(design).items() if key not in ("name", "description")}
    return content_key({"base": identity(design.base), "sweep": dump(asked)})


def _resolved(design: Design) -> dict[str, Any]:
    return resolved_sweep(design.opened, BASE, cost=design.cost, wait=design.wait)


def write_tables(
    design: Design, gathered: Sequence[Gathered], run: Run, cache: Cache
) -> tuple[list[Judged], Answer]:
    """Write every table of the folder; give the points as they are judged, and what they say together."""
    judged: list[Judged] = []

    def each() -> Iterator[tuple[Judged, list[Estimate]]]:
        for one, estimated in judge(design, gathered, cache):
            judged.append(one)
            yield one, estimated

    run.write(SWEEP, dump(_resolved(design)))
    run.write(BASE, resolved_text(design.base))
    run.write_csv("sweep.csv", *table_rows(design.axes, each()))
    run.write_csv("points.csv", *point_rows(design, judged))
    found = answer(design, judged)
    run.write_csv("frontier.csv", *point_rows(design, found.frontier))
    return judged, found
