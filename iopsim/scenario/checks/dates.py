"""Dates that cannot be meant: far from the simulated time, or of a group that nobody would ever see."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from iopsim.scenario.checks.groups import grouped
from iopsim.scenario.findings import Finding
from iopsim.scenario.staff import Absence

if TYPE_CHECKING:
    from collections.abc import Iterator

    from iopsim.scenario.schema import Scenario
    from iopsim.scenario.tree import Path

__all__ = ["of_dates"]

_FAR = dt.timedelta(days=3 * 366)  # one calendar serves runs of any length; a wrong decade is a slip


def of_dates(scenario: Scenario) -> Iterator[Finding]:
    """Dates far from the simulated time, and groups that were closed before it or take nobody in."""
    first, last = scenario.run.opening, scenario.run.end - dt.timedelta(days=1)
    span = f"the simulated time, {first} to {last}"
    for path, day in _dates(scenario):
        if not first - _FAR <= day <= last + _FAR:
            side = "before" if day < first else "after"
            message = f"{day} is more than three years {side} {span}; check the year"
            yield Finding("date", path, message)
        elif path[-1] == "until" and path[-3] == "groups" and day < first:
            yield Finding(
                "date",
                path,
                f"{day} is before {span}: the group would never meet; drop it, or say a later date",
            )
        elif path[-2:] == ("cohort", "first") and day > last:
            yield Finding("date", path, f"{day} is after {span}: nobody would ever start; begin earlier")


def _dates(scenario: Scenario) -> Iterator[tuple[Path, dt.date]]:
    """Every date but those of the run, with its path."""
    for index, day in enumerate(scenario.calendar.closed):
        yield ("calendar", "closed", index), day
    for index, plan_change in enumerate(scenario.changes):
        yield ("changes", index, "from"), plan_change.from_
    for name, source in scenario.sources.items():
        for change in source.changes:  # in order of their dates, not of the file
            yield ("sources", name, "changes"), change.from_
    for path, group in grouped(scenario):
        if group.from_:
            yield (*path, "from"), group.from_
        if group.until:
            yield (*path, "until"), group.until
        if group.cohort:
            yield (*path, "admission", "cohort", "first"), group.cohort.first
    for name, role in scenario.staff.items():
        for index, leave in enumerate(role.leaves):
            place = ("staff", name, "leaves", index)
            if isinstance(leave, Absence):
                yield from (((*place, "from"), leave.from_), ((*place, "until"), leave.until))
            else:
                yield place, leave
