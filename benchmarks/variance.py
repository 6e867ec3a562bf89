"""What it gains that the same patients meet every plan: `python benchmarks/variance.py`; three minutes.

Each plan is compared with another, replication by replication. Beside the standard deviation of the differences
stands the one they would have with other patients in each plan, and how many times as many replications those would
take for the same precision: the ratio of the variances. With `--write` the table is written to
`benchmarks/tables/variance.csv`.
"""

from __future__ import annotations

import csv
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from iopsim.experiment.compare import compare
from iopsim.measures.registry import measure
from iopsim.measures.window import Window
from iopsim.model.clinic import simulate
from iopsim.scenario import load

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from iopsim.experiment.compare import Difference
    from iopsim.measures.registry import Outcome
    from iopsim.scenario.schema import Scenario

    Outcomes = Sequence[Mapping[str, Outcome]]

ROOT = Path(__file__).resolve().parents[1]
TABLE = ROOT / "benchmarks" / "tables" / "variance.csv"
REPLICATIONS = 40
METRICS = (
    "iop.wait_days.mean",
    "iop.reneged.share",
    "iop.seat_utilization.mean",
    "iop.census.mean",
    "program.cost.total",
)
COLUMNS = ("plan_a", "plan_b", "metric", "paired_sd", "independent_sd", "variance_ratio", "replications")
_ROUNDING = 1e12  # a ratio as large says that the difference is the same in each replication
SMALLER = "smaller-caseloads"
BASELINE = "baseline"
PLANS: dict[str, tuple[str, tuple[str, ...]]] = {
    BASELINE: (BASELINE, ()),
    "extra evening group": ("extra-evening-group", ()),
    "groups overbooked": ("overbooking", ()),
    "two more inpatient places": (BASELINE, ("levels.inpatient.places=22",)),
    "calls from the community + 10 %": (BASELINE, ("sources.community.per_week={}",)),
    "inpatient surge": ("inpatient-surge", ()),
    "intake on the day of the call": ("same-day-intake", ()),
    SMALLER: (SMALLER, ()),
    "smaller caseloads, one more therapist": ("smaller-caseloads-one-more-therapist", ()),
}
"""Scenario and settings by what the table calls the plan."""
PAIRS = [*((BASELINE, plan) for plan in list(PLANS)[1:-2]), tuple(list(PLANS)[-2:])]


def plan(name: str) -> Scenario:
    """The scenario of a plan, with a rate that is a tenth higher where the setting leaves it open."""
    file, sets = PLANS[name]
    path = ROOT / "scenarios" / f"{file}.yaml"
    more = round(1.1 * load(path).sources["community"].per_week, 6)
    return load(path, [one.format(more) for one in sets])


def outcomes(scenario: Scenario, replications: int) -> Outcomes:
    """All metrics of the first replications."""
    return [measure(Window(scenario, simulate(scenario, index))) for index in range(replications)]


def rows(found: Sequence[Difference], plan_a: str) -> Iterator[tuple[object, ...]]:
    """A row for each metric whose difference varies by more than rounding."""
    for one in found:
        if one.metric in METRICS and one.variance_ratio < _ROUNDING:
            paired = one.difference.sd
            apart = paired * math.sqrt(one.variance_ratio)
            numbers = (f"{paired:.4g}", f"{apart:.4g}", f"{one.variance_ratio:.1f}", one.difference.n)
            yield plan_a, one.plan, one.metric, *numbers


def table(replications: int = REPLICATIONS) -> list[tuple[object, ...]]:
    """All pairs of plans."""
    scenarios = {name: plan(name) for name in PLANS}
    found = {name: outcomes(scenario, replications) for name, scenario in scenarios.items()}
    return [
        row
        for pair in PAIRS
        for row in rows(
            compare({name: scenarios[name] for name in pair}, {name: found[name] for name in pair}, METRICS),
            pair[0],
        )
    ]


def main(arguments: Sequence[str]) -> None:
    found = table()
    widths = [max(len(str(row[place])) for row in (COLUMNS, *found)) for place in range(len(COLUMNS))]
    for row in (COLUMNS, *found):
        print("  ".join(str(cell).ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    if "--write" in arguments:
        with TABLE.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows([COLUMNS, *found])


if __name__ == "__main__":
    main(sys.argv[1:])
