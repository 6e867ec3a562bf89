"""Group sessions: how full they are, who attends, and which do not take place.

Each metric here exists for a level, all its groups together, and for every group.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from iopsim.measures.registry import Better, Compute, Names, Ratio, Value, metric

if TYPE_CHECKING:
    from collections.abc import Callable

    from iopsim.measures.window import Window
    from iopsim.scenario.schema import Scenario

__all__ = ["has_groups", "seat_utilization"]


def has_groups(scenario: Scenario, names: Names) -> bool:
    """Whether the level treats in groups."""
    return bool(scenario.levels[names["level"]].groups)


def _metric(
    name: str, *, statistics: tuple[str, ...], unit: str, better: Better, definition: str
) -> Callable[[Compute], Compute]:
    """Register one function for levels and for single groups."""

    def register(compute: Compute) -> Compute:
        for_one = metric(
            f"group.<group>.{name}", statistics=statistics, unit=unit, better=better, definition=definition
        )
        for_level = metric(
            f"<level>.{name}",
            statistics=statistics,
            unit=unit,
            better=better,
            definition=definition,
            where=has_groups,
        )
        return for_one(for_level(compute))

    return register


def _sum(window: Window, what: str, level: str | None, group: str | None) -> float:
    """A column of `Window.sessions`, summed over one group or over those of a level."""
    chosen = window.scenario.levels[level].groups if level else [group]
    column = getattr(window.sessions, what)
    return float(sum(column[window.ledger.groups.index(name)] for name in chosen))


def seat_utilization(window: Window, level: str | None = None, group: str | None = None) -> Ratio:
    """Session-seats taken ÷ seats, of a level or a group."""
    return Ratio(_sum(window, "taken", level, group), _sum(window, "seats", level, group))


_metric(
    "seat_utilization",
    statistics=("mean",),
    unit="share",
    better="higher",
    definition="Session-seats taken, those held and those admitted but not started included, over the seats "
    "(without overbooking) of the sessions held.",
)(seat_utilization)


@_metric(
    "group_fill",
    statistics=("mean",),
    unit="share",
    better="higher",
    definition="Members who attended over the seats (without overbooking) of the sessions held.",
)
def _group_fill(window: Window, level: str | None = None, group: str | None = None) -> Ratio:
    return Ratio(_sum(window, "attended", level, group), _sum(window, "seats", level, group))


@_metric(
    "over_capacity_sessions",
    statistics=("total",),
    unit="sessions",
    better="lower",
    definition="Sessions held that more members attended than there are seats.",
)
def _over_capacity_sessions(window: Window, level: str | None = None, group: str | None = None) -> Value:
    return Value(_sum(window, "over_capacity", level, group))


@_metric(
    "cancelled_sessions",
    statistics=("total",),
    unit="sessions",
    better="lower",
    definition="Scheduled sessions that did not take place, for any cause.",
)
def _cancelled_sessions(window: Window, level: str | None = None, group: str | None = None) -> Value:
    return Value(_sum(window, "closed", level, group) + _sum(window, "below_minimum", level, group))


@_metric(
    "cancelled_sessions.closed",
    statistics=("total",),
    unit="sessions",
    better="lower",
    definition="Scheduled sessions that did not take place because the day was closed.",
)
def _closed_sessions(window: Window, level: str | None = None, group: str | None = None) -> Value:
    return Value(_sum(window, "closed", level, group))


@_metric(
    "cancelled_sessions.below_minimum",
    statistics=("total",),
    unit="sessions",
    better="lower",
    definition="Scheduled sessions that did not take place because too few patients were enrolled.",
)
def _sessions_below_minimum(window: Window, level: str | None = None, group: str | None = None) -> Value:
    return Value(_sum(window, "below_minimum", level, group))


@metric(
    "group.<group>.attendance",
    statistics=("share",),
    unit="share",
    better="higher",
    definition="Sessions attended over sessions that members were expected at.",
)
def _group_attendance(window: Window, group: str) -> Ratio:
    return Ratio(_sum(window, "attended", None, group), _sum(window, "expected", None, group))


@metric(
    "<level>[.<track>].attendance",
    statistics=("share",),
    unit="share",
    better="higher",
    definition="Sessions attended over sessions that members were expected at.",
    where=has_groups,
)
def _attendance(window: Window, level: str, track: str | None) -> Ratio:
    here = window.in_level(level, track)
    expected, attended = window.member_sessions
    return Ratio(float(attended[here].sum()), float(expected[here].sum()))
