"""What writing the tables of a run says besides: the classes of a waitlist that never start."""

from __future__ import annotations

from pathlib import Path

from iopsim.experiment.cache import Cache
from iopsim.experiment.executors import Here
from iopsim.experiment.plans import Plan, gather
from iopsim.experiment.run import write_tables
from iopsim.experiment.store import open_run
from iopsim.report.tables import read_results
from iopsim.scenario.schema import Scenario

RUN = {"warm_up_weeks": 8, "weeks": 8, "run_out_weeks": 0, "replications": 3}


def written(folder: Path, urgent: float) -> tuple[list[str], dict[str, list[float]]]:
    """What is said, and the profiles, of one place to which urgent patients go first."""
    level = {
        "places": 1,
        "stay_days": 7,
        "waitlist": {"priority": {"urgent": 1, "walk_in": 2}, "patience_days": 14},
    }
    scenario = Scenario.model_validate(
        {
            "run": RUN,
            "sources": {
                "urgent": {"to": "unit", "per_week": urgent},
                "walk_in": {"to": "unit", "per_week": 1.0},
            },
            "levels": {"unit": level},
        }
    )
    cache = Cache(folder / ".cache")
    (gathered,) = gather([Plan.of(scenario)], cache, Here())
    with open_run(folder, "run", "0" * 64) as run:
        sentences = write_tables(gathered, run, cache).notes
        results = read_results(run.finish())
    return sentences, {name: totals.tolist() for name, totals in results.profiles.items()}


def test_a_class_that_never_starts_is_named_with_those_of_all_replications(tmp_path: Path) -> None:
    sentences, profiles = written(tmp_path, urgent=9.0)
    urgent, started, walk_in, never, *rest = profiles["classes.unit"]
    assert (never, rest) == (0, [0, 0, 0, 0])
    assert urgent > started > 0
    assert walk_in > 10
    assert sentences == [
        f"Of class 2 (walk in), {walk_in:.0f} joined the waitlist of unit in the measured weeks of all replications, "
        "and nobody ever started care."
    ]


def test_where_every_class_starts_nothing_is_said(tmp_path: Path) -> None:
    sentences, profiles = written(tmp_path, urgent=0.1)
    assert profiles["classes.unit"][3] > 0
    assert sentences == []
