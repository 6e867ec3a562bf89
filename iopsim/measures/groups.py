"""Group sessions: how full they are, who attends, and which do not take place.

Each metric here exists for a level, all its groups together, and for every group.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from iopsim.measures.flow import has_groups
from iopsim.measures.registry import Better, Compute, Ratio, Value, metric

if TYPE_CHECKING:
    from collections.abc import Callable

    from iopsim.measures.window import Window

__all__: list[str] = []  # the metrics are reached through the registry


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


@_metric(
    "seat_utilization",
    statistics=("mean",),
    unit="share",
    better="higher",
    definition="Session-seats taken, those held and those admitted but not started included, over the seats "
    "(without overbooking) of the sessions held.",
)
def _seat_utilization(window: Window, level: str | None = None, group: str | None = None) -> Ratio:
    return Ratio(window.session_sum("taken", level, group), window.session_sum("seats", level, group))


@_metric(
    "group_fill",
    statistics=("mean",),
    unit="share",
    better="higher",
    definition="Members who attended over the seats (without overbooking) of the sessions held.",
)
def _group_fill(window: Window, level: str | None = None, group: str | None = None) -> Ratio:
    return Ratio(window.session_sum("attended", level, group), window.session_sum("seats", level, group))


@_metric(
    "over_capacity_sessions",
    statistics=("total",),
    unit="sessions",
    better="lower",
    definition="Sessions held that more members attended than there are seats.",
)
def _over_capacity_sessions(window: Window, level: str | None = None, group: str | None = None) -> Value:
    return Value(window.session_sum("over_capacity", level, group))


@_metric(
    "cancelled_sessions",
    statistics=("total",),
    unit="sessions",
    better="lower",
    definition="Scheduled sessions that did not take place, for any cause.",
)
def _cancelled_sessions(window: Window, level: str | None = None, group: str | None = None) -> Value:
    return Value(
        window.session_sum("closed", level, group) + window.session_sum("below_minimum", level, group)
    )


@_metric(
    "cancelled_sessions.closed",
    statistics=("total",),
    unit="sessions",
    better="lower",
    definition="Scheduled sessions that did not take place because the day was closed.",
)
def _closed_sessions(window: Window, level: str | None = None, group: str | None = None) -> Value:
    return Value(window.session_sum("closed", level, group))


@_metric(
    "cancelled_sessions.below_minimum",
    statistics=("total",),
    unit="sessions",
    better="lower",
    definition="Scheduled sessions that did not take place because too few patients were enrolled.",
)
def _sessions_below_minimum(window: Window, level: str | None = None, group: str | None = None) -> Value:
    return Value(window.session_sum("below_minimum", level, group))


@metric(
    "group.<group>.attendance",
    statistics=("share",),
    unit="share",
    better="higher",
    definition="Sessions attended over sessions that members were expected at.",
)
def _group_attendance(window: Window, group: str) -> Ratio:
    return Ratio(window.session_sum("attended", None, group), window.session_sum("expected", None, group))


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
