"""Group sessions: how full they are, who attends, and which do not take place.

Each metric here exists for a level, all its groups together, and for every group.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from iopsim.measures.possible import has_groups
from iopsim.measures.registry import Better, Compute, Names, Ratio, Value, metric

if TYPE_CHECKING:
    from collections.abc import Callable

    from iopsim.measures.window import Window
    from iopsim.scenario.groups import Group
    from iopsim.scenario.schema import Scenario

__all__: list[str] = []  # the metrics are reached through the registry


def _metric(
    name: str,
    statistic: str,
    *,
    unit: str,
    better: Better,
    definition: str,
    where: Callable[[Scenario, Group], bool] = lambda scenario, group: True,
) -> Callable[[Compute], Compute]:
    """Register one function for single groups, and for levels with such a group."""

    def of_one(scenario: Scenario, names: Names) -> bool:
        levels = scenario.levels.values()
        return any(
            where(scenario, level.groups[names["group"]])
            for level in levels
            if names["group"] in level.groups
        )

    def of_level(scenario: Scenario, names: Names) -> bool:
        return any(where(scenario, group) for group in scenario.levels[names["level"]].groups.values())

    def register(compute: Compute) -> Compute:
        for pattern, exists in ((f"<level>.{name}", of_level), (f"group.<group>.{name}", of_one)):
            metric(
                pattern,
                statistics=(statistic,),
                unit=unit,
                better=better,
                definition=definition,
                where=exists,
            )(compute)
        return compute

    return register


# How full


def _share_of(
    what: str, whole: str, window: Window, level: str | None = None, group: str | None = None
) -> Ratio:
    return Ratio(window.session_sum(what, level, group), window.session_sum(whole, level, group))


_SHARES: tuple[tuple[str, str, Better, str, str, str], ...] = (
    (
        "seat_utilization",
        "mean",
        "higher",
        "taken",
        "seats",
        "Session-seats taken, those held and those admitted but not started included, over the seats (without "
        "overbooking) of the sessions held. Guests of a merged session take none.",
    ),
    (
        "group_fill",
        "mean",
        "higher",
        "attended",
        "seats",
        "Members who attended over the seats (without overbooking) of the sessions held.",
    ),
    (
        "ghost_seats",
        "share",
        "lower",
        "ghosts",
        "taken",
        "Of the session-seats taken in sessions held: those of stays that attend no session any more, held seats "
        "included, and all those of stays that never attend one.",
    ),
)
for _name, _statistic, _better, _what, _whole, _definition in _SHARES:
    _metric(_name, _statistic, unit="share", better=_better, definition=_definition)(
        partial(_share_of, _what, _whole)
    )


# What becomes of them


def _sum_of(what: str, window: Window, level: str | None = None, group: str | None = None) -> Value:
    return Value(window.session_sum(what, level, group))


def _always(scenario: Scenario, group: Group) -> bool:
    return True


def _can_be_unstaffed(scenario: Scenario, group: Group) -> bool:
    """Whether a role without cover may be short: its posts come and go, or more are needed at once than there are."""
    from iopsim.scenario.groups import facilitators_at_once

    staff = {role: scenario.staff[role] for role in group.facilitators}
    groups = [group for level in scenario.levels.values() for group in level.groups.values()]
    return any(
        spec.cover_per_hour is None
        and (spec.comes_and_goes or facilitators_at_once(groups, role) > spec.posts)
        for role, spec in staff.items()
    )


def _can_merge(scenario: Scenario, group: Group) -> bool:
    return group.merges_with is not None


_CANCELLED = "Scheduled sessions that did not take place"
_COUNTS: tuple[tuple[str, str, str, Callable[[Scenario, Group], bool]], ...] = (
    (
        "over_capacity_sessions",
        "over_capacity",
        "Sessions held that more attended than there are seats, guests of a merged session included.",
        _always,
    ),
    (
        "cancelled_sessions",
        "cancelled",
        f"{_CANCELLED}, for any cause; one that joined another group's session did.",
        _always,
    ),
    ("cancelled_sessions.closed", "closed", f"{_CANCELLED} because the day was closed.", _always),
    (
        "cancelled_sessions.below_minimum",
        "below_minimum",
        f"{_CANCELLED} because too few patients were enrolled.",
        _always,
    ),
    (
        "cancelled_sessions.unstaffed",
        "unstaffed",
        f"{_CANCELLED} because a facilitator was lacking and no cover can be bought.",
        _can_be_unstaffed,
    ),
    (
        "merged_sessions",
        "merged",
        "Scheduled sessions with too few enrolled, whose members joined another group's session of the day.",
        _can_merge,
    ),
)
for _name, _what, _definition, _where in _COUNTS:
    _metric(_name, "total", unit="sessions", better="lower", definition=_definition, where=_where)(
        partial(_sum_of, _what)
    )


# Who comes


_ATTENDANCE = "Sessions attended over sessions that members were expected at."


@metric(
    "group.<group>.attendance",
    statistics=("share",),
    unit="share",
    better="higher",
    definition=_ATTENDANCE,
)
def _group_attendance(window: Window, group: str) -> Ratio:
    return _share_of("attended", "expected", window, None, group)


@metric(
    "<level>[.<track>].attendance",
    statistics=("share",),
    unit="share",
    better="higher",
    definition=_ATTENDANCE,
    where=has_groups,
)
def _attendance(window: Window, level: str, track: str | None) -> Ratio:
    here = window.in_level(level, track)
    expected, attended = window.member_sessions
    return Ratio(float(attended[here].sum()), float(expected[here].sum()))
