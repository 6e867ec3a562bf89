"""From a scenario to a results folder: all replications, then the tables (libraries.md: results contract)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from iopsim.experiment.events import event_rows
from iopsim.experiment.executors import run_replications
from iopsim.experiment.replicate import replicate
from iopsim.experiment.statistics import mean_of
from iopsim.experiment.store import run_key
from iopsim.experiment.summary import Estimate, estimates, replication_rows, summary_rows
from iopsim.model import MODEL_VERSION
from iopsim.scenario import identity, resolved_text

if TYPE_CHECKING:
    from iopsim.experiment.encoding import Replication
    from iopsim.experiment.store import Run
    from iopsim.scenario.schema import Scenario

__all__ = ["Progress", "complete", "key_of", "simulate_all", "write_events", "write_tables"]

Progress = Callable[[int, int], None]  # (finished, of all)

WEEKLY_COLUMNS = ("week_start", "series", "mean", "ci_low", "ci_high", "p10", "p90")
EVENT_COLUMNS = ("run_number", "entity_id", "pathway", "event_type", "event", "time", "resource_id")


def key_of(scenario: Scenario) -> str:
    """Content key of a whole run of the scenario."""
    run = scenario.run
    return run_key(
        identity(scenario), seed=run.seed, replications=run.replications, model_version=MODEL_VERSION
    )


def simulate_all(
    scenario: Scenario,
    *,
    workers: int,
    progress: Progress,
    found: Mapping[int, Replication] | None = None,
    keep: Callable[[Replication], None] = lambda replication: None,
) -> list[Replication]:
    """All replications in order of their index; only those not in `found` are simulated.

    Raises:
        KeyboardInterrupt: The user stopped; what had finished was kept.
    """
    done = dict(found or {})
    total = scenario.run.replications
    progress(len(done), total)

    def receive(index: int, replication: Replication) -> None:
        keep(replication)
        done[index] = replication
        progress(len(done), total)

    missing = [index for index in range(total) if index not in done]
    run_replications(partial(replicate, scenario), missing, workers=workers, on_done=receive)
    return [done[index] for index in range(total)]


def complete(scenario: Scenario, run: Run, *, workers: int, progress: Progress) -> list[Replication]:
    """Simulate what a results folder still lacks, keeping each replication as it finishes.

    Raises:
        KeyboardInterrupt: The user stopped; the folder keeps what had finished.
    """
    found = {index: kept for index, kept in run.finished().items() if index < scenario.run.replications}
    return simulate_all(scenario, workers=workers, progress=progress, found=found, keep=run.keep)


def write_tables(scenario: Scenario, run: Run, replications: Sequence[Replication]) -> list[Estimate]:
    """Write every table of the results folder and give the estimates."""
    outcomes = [replication.outcomes for replication in replications]
    found = estimates(scenario, outcomes)
    run.write("scenario.resolved.yaml", resolved_text(scenario))
    run.write_csv("summary.csv", *summary_rows(found))
    run.write_csv("replications.csv", *replication_rows(outcomes))
    run.write_csv("weekly.csv.gz", WEEKLY_COLUMNS, _weekly_rows(scenario, replications))
    run.write_csv("profiles.csv", ("profile", "position", "total"), _profile_rows(replications))
    return found


def write_events(scenario: Scenario, run: Run, *, workers: int) -> None:
    """Simulate once more and write every event of every patient: `events.csv.gz`, only on request."""
    parts: dict[int, list[tuple[object, ...]]] = {}
    indices = range(scenario.run.replications)
    run_replications(partial(event_rows, scenario), indices, workers=workers, on_done=parts.__setitem__)
    run.write_csv("events.csv.gz", EVENT_COLUMNS, (row for index in indices for row in parts[index]))


def _weekly_rows(scenario: Scenario, replications: Sequence[Replication]) -> Iterator[Sequence[object]]:
    """Per series and week: mean with its interval (precision) and 10-90 % of replications (range of years)."""
    for name in replications[0].weekly:
        values = np.array([replication.weekly[name] for replication in replications])
        low, high = np.quantile(values, [0.1, 0.9], axis=0).tolist()
        for week in range(values.shape[1]):
            start = scenario.run.opening + dt.timedelta(weeks=week)
            mean = mean_of(values[:, week]).interval
            yield start.isoformat(), name, mean.estimate, mean.low, mean.high, low[week], high[week]


def _profile_rows(replications: Sequence[Replication]) -> Iterable[Sequence[object]]:
    """Profiles summed over replications; those of different lengths are filled up with zeros."""
    for name in dict.fromkeys(name for replication in replications for name in replication.profiles):
        profiles = [replication.profiles.get(name, ()) for replication in replications]
        totals = np.zeros(max(map(len, profiles)))
        for profile in profiles:
            totals[: len(profile)] += profile
        yield from ((name, position, total) for position, total in enumerate(totals.tolist()))
