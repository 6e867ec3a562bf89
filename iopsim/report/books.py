"""The books by name: which numbers of a run tell of its money, for the workbook and for figures."""

from __future__ import annotations

import datetime as dt
import math
from typing import TYPE_CHECKING, NamedTuple

from iopsim.report.tables import Estimated

if TYPE_CHECKING:
    from collections.abc import Mapping

    from iopsim.report.tables import Results
    from iopsim.scenario.schema import Scenario

__all__ = ["CAUSES", "Held", "Item", "alternatives", "causes", "groups", "held_for", "items", "members"]

CAUSES = {
    "payroll": "Payroll",
    "cover_cost": "Cover",
    "room_cost": "Rooms",
    "service_cost": "Services",
    "overhead": "Overhead",
}
"""What the program spends money on, by the part of the metric's name and in the order in which it adds up."""


class Item(NamedTuple):
    """One number of the books: its name in the scenario, what people read for it, and the number."""

    name: str
    words: str
    found: Estimated


def items(results: Results, pattern: str, words: Mapping[str, str]) -> list[Item]:
    """Those of some metrics that are known, in order.

    Args:
        results: Where to look.
        pattern: Name of the metric with `{}` for a name.
        words: What people read for each name.
    """
    found = [
        Item(name, said, results.summary.get(pattern.format(name), _NONE)) for name, said in words.items()
    ]
    return [item for item in found if not math.isnan(item.found.estimate)]


_NONE = Estimated("", math.nan, math.nan, math.nan, "")


def causes(results: Results) -> list[Item]:
    """What the program cost by cause, without causes that cost nothing."""
    return [item for item in items(results, "program.{}.total", CAUSES) if item.found.estimate]


def groups(scenario: Scenario) -> dict[str, str]:
    """What people read for each group of the program's own levels."""
    return {
        name: scenario.says(level.groups, name)
        for level in scenario.levels.values()
        if level.is_own
        for name in level.groups
    }


def members(results: Results, group: str) -> float:
    """Seats taken at a session of a group, mean over the sessions held; NaN where none was."""
    taken = results.summary.get(f"group.{group}.seat_utilization.mean", _NONE)
    return taken.estimate * _mean_seats(results.scenario, group)


def _mean_seats(scenario: Scenario, name: str) -> float:
    """Seats of a group over the measured weeks in which it meets; those of its first edition if it never does."""
    run = scenario.run
    days = [run.start + dt.timedelta(weeks=week) for week in range(run.weeks)]
    by_day = [
        group.seats
        for day in days
        for level in scenario.on(day).levels.values()
        if (group := level.groups.get(name)) and (group.from_ or day) <= day <= (group.until or day)
    ]
    written = (level.groups[name].seats for level in scenario.levels.values() if name in level.groups)
    return sum(by_day) / len(by_day) if by_day else float(next(written))


class Held(NamedTuple):
    """Days held in a level by those who wait for another one, and what these cost where a price is known."""

    level: str
    to: str
    days: Estimated
    cost: Estimated


def held_for(results: Results) -> list[Held]:
    """What was held, by the level and the level that is waited for."""
    levels, known = results.scenario.levels, results.summary
    found = [
        Held(
            level,
            to,
            known.get(f"{level}.held_days_for.{to}", _NONE),
            known.get(f"{level}.held_cost_for.{to}", _NONE),
        )
        for level in levels
        for to in levels
    ]
    return [held for held in found if held.days.estimate > 0]


def alternatives(results: Results) -> list[Item]:
    """The break-even share of the inpatient alternative for each source that it is assumed of."""
    assumed = results.scenario.money.inpatient_alternative
    sources = results.scenario.sources
    words = {name: results.scenario.says(sources, name) for name in assumed.for_} if assumed else {}
    return items(results, "{}.alternative.break_even_share", words)
