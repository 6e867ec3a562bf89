"""Flow of patients: referrals, waiting, giving up, care and how it ends, held places, and what holds people back.

C is the cohort that joined a level's waitlist in the window, S the one whose care started in it (metrics.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from iopsim.measures.groups import has_groups, seat_utilization
from iopsim.measures.registry import Better, Compute, Names, Ratio, Sample, Value, metric
from iopsim.scenario.parts import HOME

if TYPE_CHECKING:
    from collections.abc import Callable

    from iopsim.measures.window import Kind, Window
    from iopsim.scenario.levels import CarePart, LeaveEarly, Level
    from iopsim.scenario.schema import Scenario

__all__: list[str] = []  # the metrics are reached through the registry


def _always(scenario: Scenario, names: Names) -> bool:
    return True


def _level(
    name: str,
    *statistics: str,
    unit: str,
    definition: str,
    better: Better = "neither",
    where: Callable[[Scenario, Names], bool] = _always,
) -> Callable[[Compute], Compute]:
    """Register a metric of a level, for all its patients and for those of each track."""
    return metric(
        f"<level>[.<track>].{name}",
        statistics=statistics,
        unit=unit,
        better=better,
        definition=definition,
        where=where,
    )


# Where a metric makes sense: what cannot happen in a scenario has no metric


def _care(scenario: Scenario, names: Names) -> list[Level | CarePart]:
    level = scenario.levels[names["level"]]
    return [level, *level.by.track.values(), *level.by.source.values()]


def _leave_early(scenario: Scenario, names: Names) -> list[LeaveEarly]:
    return [part.leave_early for part in _care(scenario, names) if part.leave_early]


def _has_source(scenario: Scenario, names: Names) -> bool:
    return any(source.to == names["level"] for source in scenario.sources.values())


def _has_limited_places(scenario: Scenario, names: Names) -> bool:
    level = scenario.levels[names["level"]]
    if "track" in names:
        return isinstance(level.places, Mapping) and names["track"] in level.places
    return bool(level.groups) or level.places != "unlimited"


def _can_wait(scenario: Scenario, names: Names) -> bool:
    level = scenario.levels[names["level"]]
    return bool(level.groups or level.caseload) or level.places != "unlimited"


def _can_refuse(scenario: Scenario, names: Names) -> bool:
    return scenario.levels[names["level"]].waitlist.at_most is not None


def _can_renege(scenario: Scenario, names: Names) -> bool:
    return any(part.waitlist and part.waitlist.patience_days is not None for part in _care(scenario, names))


def _can_hold(scenario: Scenario, names: Names) -> bool:
    level = scenario.levels[names["level"]]
    steps = [leave.step_up for leave in _leave_early(scenario, names) if leave.step_up]
    return (level.hold_days > 0 and level.next.keys() != {HOME}) or any(step.hold_days > 0 for step in steps)


def _can_drop_out(scenario: Scenario, names: Names) -> bool:
    return any(
        leave.dropout is not None or leave.dropout_per_week is not None
        for leave in _leave_early(scenario, names)
    )


def _can_step_up(scenario: Scenario, names: Names) -> bool:
    return any(leave.step_up is not None for leave in _leave_early(scenario, names))


def _can_lack(scenario: Scenario, names: Names) -> bool:
    level = scenario.levels[names["level"]]
    seat, role = _has_limited_places(scenario, names), level.caseload
    lacking = {"seat": seat, "order": level.waitlist.discipline == "strict"}
    if role:
        lacking |= {role: True, f"seat_and_{role}": seat}
    return lacking.get(names["missing"], False)


# Referrals and access


@_level(
    "referrals",
    "total",
    "per_week",
    unit="patients",
    definition="Referrals by sources to the level in the window.",
    where=_has_source,
)
def _referrals(window: Window, level: str, track: str | None) -> Mapping[str, Value]:
    total = window.count(window.in_level(level, track) & window.inside(window.stays.referred))
    return {"total": Value(total), "per_week": Value(total / window.weeks)}


@_level(
    "lost.refused",
    "share",
    unit="share",
    better="lower",
    definition="Of those who join the waitlist in the window: refused because the list is full.",
    where=_can_refuse,
)
def _refused(window: Window, level: str, track: str | None) -> Ratio:
    return window.share_of(window.joined_in_window(level, track), window.stays.refused)


for _name in ("lost.reneged", "reneged"):

    @_level(
        _name,
        "share",
        unit="share",
        better="lower",
        definition="Of those who join the waitlist in the window: gave up waiting.",
        where=_can_renege,
    )
    def _reneged(window: Window, level: str, track: str | None) -> Ratio:
        return None
