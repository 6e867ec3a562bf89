"""Results folders to draw figures from and to make workbooks of: some that a run wrote, others by hand."""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from iopsim.experiment.cache import Cache
from iopsim.experiment.executors import Here
from iopsim.experiment.plans import Plan, gather
from iopsim.experiment.run import write_tables
from iopsim.experiment.store import RESULTS_SCHEMA, open_run
from iopsim.report.figures import drawings
from iopsim.scenario import load, resolved_text
from iopsim.scenario.schema import Scenario
from iopsim.scenario.trace import traced

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from iopsim.report.style import Drawing

SCENARIOS = Path(__file__).parents[2] / "scenarios"


def simulated(root: Path, name: str, sets: Sequence[str]) -> Path:
    """A results folder of a scenario that ships, as a run leaves it."""
    scenario = load(SCENARIOS / f"{name}.yaml", tuple(sets))
    cache = Cache(root / ".cache")
    (gathered,) = gather([Plan.of(scenario)], cache, Here())
    about = {"kind": "run", "seed": scenario.run.seed, "traced": traced(scenario)}
    with open_run(root, name, "0" * 64, about=about) as run:
        write_tables(gathered, run, cache)
        return run.finish(replications=gathered.count, notes=[])


def clinic(**changed: Any) -> Scenario:
    """One own level with a group of twelve seats and two clinicians, one level bought from outside."""
    return Scenario.model_validate(
        {
            "run": {"warm_up_weeks": 2, "weeks": 26, "run_out_weeks": 1, "replications": 4},
            "sources": {"community": {"to": "day_care", "per_week": 5.0}},
            "levels": {
                "ward": {"places": 4, "stay_days": 9.0, "cost_per_day": 900.0},
                "day_care": {
                    "label": "Day care",
                    "caseload": "clinician",
                    "phases": [{"weeks": 8, "days_per_week": 3}],
                    "groups": {"morning": {"days": ["mon", "wed", "fri"], "seats": 12}},
                },
            },
            "staff": {
                "clinician": {"label": "Clinician", "posts": 2, "caseload": 6.0, "paid_hours_per_week": 30}
            },
            **changed,
        }
    )


def written(
    folder: Path,
    scenario: Scenario,
    summary: Mapping[str, Sequence[object]] | None = None,
    profiles: Mapping[str, Sequence[float]] | None = None,
    weekly: Mapping[str, Sequence[object]] | None = None,
    replications: int = 4,
    more: Mapping[str, Sequence[Sequence[object]]] | None = None,
) -> Path:
    """A results folder by hand.

    Args:
        folder: Where to write it.
        scenario: What it is of.
        summary: Unit, estimate, low, high and verdict by metric.
        profiles: Totals by profile.
        weekly: Mean, low, high, p10 and p90 of every week, by series.
        replications: How many there were.
        more: Other tables by name, the headings first.
    """
    folder.mkdir(exist_ok=True)
    (folder / "scenario.resolved.yaml").write_text(resolved_text(scenario), encoding="utf-8")
    all_weeks = scenario.run.warm_up_weeks + scenario.run.weeks + scenario.run.run_out_weeks
    weeks = [scenario.run.opening + dt.timedelta(weeks=week) for week in range(all_weeks)]
    tables = {
        "replications.csv": [("replication",), *((index,) for index in range(replications))],
        "summary.csv": [
            ("metric", "unit", "estimate", "ci_low", "ci_high", "verdict", "sd", "n", "better", "target"),
            *((name, *cells, "", replications, "neither", "") for name, cells in (summary or {}).items()),
        ],
        "profiles.csv": [
            ("profile", "position", "total"),
            *(
                (name, at, total)
                for name, totals in (profiles or {}).items()
                for at, total in enumerate(totals)
            ),
        ],
        "weekly.csv.gz": [
            ("week_start", "series", "mean", "ci_low", "ci_high", "p10", "p90"),
            *((week, name, *cells) for name, cells in (weekly or {}).items() for week in weeks),
        ],
        **(more or {}),
    }
    manifest = {"results_schema": RESULTS_SCHEMA, "kind": "run", "name": scenario.name, "finished": "today"}
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    for name, rows in tables.items():
        opened = gzip.open if name.endswith(".gz") else open
        with opened(folder / name, "wt", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(rows)
    return folder


def drawn(folder: Path) -> dict[str, Drawing]:
    return {drawing.name: drawing for drawing in drawings(folder)}
