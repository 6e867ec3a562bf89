"""Pilot runs: a clinic without dates, to see how long it takes to settle."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from iopsim.scenario.groups import CohortAdmission
from iopsim.scenario.routing import unserved

if TYPE_CHECKING:
    from collections.abc import Collection

    from iopsim.scenario.groups import Group
    from iopsim.scenario.levels import Level
    from iopsim.scenario.schema import Scenario
    from iopsim.scenario.sources import Source

__all__ = ["pilot", "with_run"]


def pilot(scenario: Scenario, weeks: int) -> Scenario:
    """The same clinic without dates: opened empty, no seasons, no growth, never closed or changed, as on `run.start`.

    Weekdays keep their weights: they are gone from weekly means. People leave at random, not on a date, and those whom
    a file refers come at random too, as many a week as in the measured window.
    """
    scenario = scenario.on(scenario.run.start).model_copy(update={"run": scenario.run})
    flat = {name: _flat(scenario, source) for name, source in scenario.sources.items()}
    staff = {name: role.model_copy(update={"leaves": ()}) for name, role in scenario.staff.items()}
    run = {"warm_up": 0, "weeks": weeks, "run_out_weeks": 0}
    calendar = scenario.calendar.model_copy(update={"closed": ()})
    parts = {"sources": flat, "staff": staff, "calendar": calendar, "changes": (), "from_today": None}
    without = with_run(scenario, **run).model_copy(update=parts)
    without._editions = ()
    as_it_is = without.model_copy(update={"levels": _undated(scenario, only_open=True)})
    if any(unserved(as_it_is)):  # who has no group on that day would wait for ever
        return without.model_copy(update={"levels": _undated(scenario, only_open=False)})
    return as_it_is


def _flat(scenario: Scenario, source: Source) -> Source:
    """A source at the rate of `run.start`, for ever; one that replays a file at its mean rate in the window."""
    flat: dict[str, object] = {"months": (1.0,) * 12, "growth_per_year": 0.0, "changes": ()}
    if source.trace is not None:
        flat |= {"trace": None, "per_week": source.weekly(scenario.run)}
        flat |= {"tracks": scenario.track_shares(source), "payers": scenario.payer_shares(source)}
        flat |= {"times": scenario.time_shares(source), "modalities": scenario.modality_shares(source)}
    elif factors := [change.factor for change in source.changes if change.from_ <= scenario.run.start]:
        flat["per_week"] = source.per_week * factors[-1]
    return source.model_copy(update=flat)


def _undated(scenario: Scenario, *, only_open: bool) -> dict[str, Level]:
    """The levels with groups that have no dates: those that are open on `run.start`, or all.

    Cohorts start in their rhythm from `run.start` on, whenever the first is.
    """
    start = scenario.run.start

    def is_open(group: Group) -> bool:
        return (group.from_ or start) <= start <= (group.until or start)

    def undated(group: Group, others: Collection[str]) -> Group:
        update: dict[str, object] = {"from_": None, "until": None}
        if group.merges_with and group.merges_with not in others:
            update["below_minimum"] = "cancel"
        if cohort := group.cohort:
            first = start + dt.timedelta(days=(cohort.first - start).days % cohort.every_days)
            update["admission"] = CohortAdmission(cohort=cohort.model_copy(update={"first": first}))
        return group.model_copy(update=update)

    levels = {}
    for name, level in scenario.levels.items():
        kept = {
            key: group for key, group in level.groups.items() if only_open and is_open(group)
        } or level.groups
        groups = {key: undated(group, kept) for key, group in kept.items()}
        levels[name] = level.model_copy(update={"groups": groups}) if groups else level
    return levels


def with_run(scenario: Scenario, **run: int) -> Scenario:
    """The same scenario, with other entries in `run`."""
    return scenario.model_copy(update={"run": scenario.run.model_copy(update=run)})
