"""The tables of a run: what a results folder holds of the replications of one scenario (results contract)."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import numpy as np

from iopsim.experiment.events import event_rows
from iopsim.experiment.executors import for_each
from iopsim.experiment.keys import content_key
from iopsim.experiment.plans import replications
from iopsim.experiment.sentences import never_starting
from iopsim.experiment.statistics import mean_of
from iopsim.experiment.summary import Estimate, estimates, replication_rows, summary_rows
from iopsim.scenario import identity, resolved_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from concurrent.futures import Executor

    from iopsim.experiment.cache import Cache
    from iopsim.experiment.encoding import Replication
    from iopsim.experiment.plans import Gathered
    from iopsim.experiment.store import Run
    from iopsim.scenario.schema import Scenario

__all__ = ["key_of", "write_events", "write_tables"]

WEEKLY_COLUMNS = ("week_start", "series", "mean", "ci_low", "ci_high", "p10", "p90")
EVENT_COLUMNS = ("run_number", "entity_id", "pathway", "event_type", "event", "time", "resource_id")


def key_of(scenario: Scenario) -> str:
    """Content key of a run of the scenario: of its replications, their number, and what is said of them."""
    return content_key(identity(scenario))


def write_tables(gathered: Gathered, run: Run, cache: Cache) -> tuple[list[Estimate], list[str]]:
    """Write every table of the results folder, and the replications themselves.

    Returns:
        The estimates, and sentences on what is to be said beside them.
    """
    plan = gathered.plan
    found = replications(plan, range(gathered.count), cache)
    outcomes = [replication.outcomes for replication in found]
    estimated = estimates(plan.scenario, outcomes)
    run.write("scenario.resolved.yaml", resolved_text(plan.scenario))
    run.write_csv("summary.csv", *summary_rows(estimated))
    run.write_csv("replications.csv", *replication_rows(outcomes))
    run.write_csv("weekly.csv.gz", WEEKLY_COLUMNS, _weekly_rows(plan.scenario, found))
    totals = _profile_totals(found)
    rows = ((name, position, total) for name, sums in totals.items() for position, total in enumerate(sums))
    run.write_csv("profiles.csv", ("profile", "position", "total"), rows)
    run.write_replications(cache, [(plan.key, index) for index in range(gathered.count)])
    return estimated, never_starting(plan.scenario, totals)


def write_events(gathered: Gathered, run: Run, executor: Executor) -> None:
    """Simulate once more and write every event of every patient: `events.csv.gz`, only on request."""
    scenario, indices = gathered.plan.scenario, range(gathered.count)
    parts: dict[int, list[tuple[object, ...]]] = {}

    def keep(work: tuple[Scenario, int], rows: list[tuple[object, ...]]) -> None:
        parts[work[1]] = rows

    for_each(executor, _events, [(scenario, index) for index in indices], keep)
    run.write_csv("events.csv.gz", EVENT_COLUMNS, (row for index in indices for row in parts[index]))


def _events(work: tuple[Scenario, int]) -> list[tuple[object, ...]]:
    return event_rows(*work)


def _weekly_rows(scenario: Scenario, replications: Sequence[Replication]) -> Iterator[Sequence[object]]:
    """Per series and week: mean with its interval (precision) and 10-90 % of replications (range of years)."""
    for name in replications[0].weekly:
        values = np.array([replication.weekly[name] for replication in replications])
        low, high = np.quantile(values, [0.1, 0.9], axis=0).tolist()
        for week in range(values.shape[1]):
            start = scenario.run.opening + dt.timedelta(weeks=week)
            mean = mean_of(values[:, week]).interval
            yield start.isoformat(), name, mean.estimate, mean.low, mean.high, low[week], high[week]


def _profile_totals(replications: Sequence[Replication]) -> dict[str, list[float]]:
    """Profiles summed over replications; those of different lengths are filled up with zeros."""
    sums = {}
    for name in dict.fromkeys(name for replication in replications for name in replication.profiles):
        profiles = [replication.profiles.get(name, ()) for replication in replications]
        totals = np.zeros(max(map(len, profiles)))
        for profile in profiles:
            totals[: len(profile)] += profile
        sums[name] = totals.tolist()
    return sums
