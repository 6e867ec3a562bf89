"""The tables of a run: what a results folder holds of the replications of one scenario (results contract)."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from iopsim.experiment.events import event_rows
from iopsim.experiment.executors import for_each
from iopsim.experiment.keys import content_key
from iopsim.experiment.plans import replications
from iopsim.experiment.sentences import never_starting
from iopsim.experiment.statistics import FEWEST_YEARS, mean_of
from iopsim.experiment.summary import Estimate, estimates, replication_rows, summary_rows
from iopsim.experiment.today import STARTS_COLUMNS, UNDER_COLUMNS, answers, starts_rows, under_rows
from iopsim.scenario import identity, resolved_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from concurrent.futures import Executor

    from iopsim.experiment.cache import Cache
    from iopsim.experiment.encoding import Replication
    from iopsim.experiment.plans import Gathered
    from iopsim.experiment.store import Run
    from iopsim.scenario.schema import Scenario

__all__ = ["Band", "Written", "key_of", "write_events", "write_tables"]

WEEKLY_COLUMNS = ("week_start", "series", "mean", "ci_low", "ci_high", "p10", "p90")
EVENT_COLUMNS = ("run_number", "entity_id", "pathway", "event_type", "event", "time", "resource_id")


def key_of(scenario: Scenario) -> str:
    """Content key of a run of the scenario: of its replications, their number, and what is said of them."""
    return content_key(identity(scenario))


class Band(NamedTuple):
    """A week of a series: mean, 95 % interval of the mean (precision), 10–90 % of replications (range of years).

    What is not known, or must not be said of so few replications, is NaN.
    """

    mean: float
    low: float
    high: float
    p10: float
    p90: float


class Written(NamedTuple):
    """What the tables of a run say.

    Attributes:
        estimates: Every metric.
        notes: What is to be said beside them.
        weekly: Bands of each weekly series, a week each, from opening on.
        answers: What a run from today says of those who wait.
    """

    estimates: list[Estimate]
    notes: list[str]
    weekly: Mapping[str, Sequence[Band]]
    answers: list[str]


def write_tables(gathered: Gathered, run: Run, cache: Cache, *, named: bool = False) -> Written:
    """Write every table of the results folder, and the replications themselves.

    Args:
        gathered: What was simulated.
        run: The folder.
        cache: Where the replications are.
        named: Whether a run from today may write the ids of patients.
    """
    plan = gathered.plan
    scenario, found = plan.scenario, replications(plan, range(gathered.count), cache)
    outcomes = [replication.outcomes for replication in found]
    estimated = estimates(scenario, outcomes)
    run.write("scenario.resolved.yaml", resolved_text(scenario))
    run.write_csv("summary.csv", *summary_rows(estimated))
    run.write_csv("replications.csv", *replication_rows(outcomes))
    weekly = {name: _bands([replication.weekly[name] for replication in found]) for name in found[0].weekly}
    run.write_csv("weekly.csv.gz", WEEKLY_COLUMNS, _weekly_rows(scenario, weekly))
    totals = _profile_totals(found)
    rows = ((name, position, total) for name, sums in totals.items() for position, total in enumerate(sums))
    run.write_csv("profiles.csv", ("profile", "position", "total"), rows)
    if scenario.from_today:
        run.write_csv(
            "starts.csv", (*STARTS_COLUMNS, *["id"] * named), starts_rows(scenario, found, named=named)
        )
        run.write_csv("weeks_until_under.csv", UNDER_COLUMNS, under_rows(scenario, found))
    run.write_replications(cache, [(plan.key, index) for index in range(gathered.count)])
    return Written(estimated, never_starting(scenario, totals), weekly, answers(scenario, found))


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


def _bands(series: Sequence[Sequence[float]]) -> list[Band]:
    """Of the weeks of one series, given for each replication."""
    values = np.array(series)
    years = np.quantile(values, [0.1, 0.9], axis=0)
    low, high = (years if len(values) >= FEWEST_YEARS else np.full_like(years, np.nan)).tolist()
    means = [mean_of(values[:, week]).interval for week in range(values.shape[1])]
    return [
        Band(mean.estimate, mean.low, mean.high, *years)
        for mean, *years in zip(means, low, high, strict=True)
    ]


def _weekly_rows(scenario: Scenario, weekly: Mapping[str, Sequence[Band]]) -> Iterator[Sequence[object]]:
    for name, bands in weekly.items():
        for week, band in enumerate(bands):
            yield (scenario.run.opening + dt.timedelta(weeks=week)).isoformat(), name, *band


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
