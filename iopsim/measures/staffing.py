"""Staff work by role: hours and full-time equivalents needed, against those employed (model.md §8)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iopsim.measures.registry import Names, Sample, Value, metric

if TYPE_CHECKING:
    from iopsim.measures.window import Floats, Window
    from iopsim.scenario.schema import Scenario

__all__: list[str] = []  # the metrics are reached through the registry


def _has_work(scenario: Scenario, names: Names) -> bool:
    """Whether a group session or a service takes hours of the role."""
    groups = (group for level in scenario.levels.values() for group in level.groups.values())
    services = scenario.services.values()
    return any(names["role"] in group.facilitators for group in groups) or any(
        service.role == names["role"] and not service.within_group for service in services
    )


def _weekly_hours(window: Window, role: str) -> Floats:
    from iopsim.measures.work import weekly_hours

    return weekly_hours(window, role)


@metric(
    "<role>.hours_needed",
    statistics=("mean", "p95"),
    unit="hours/week",
    definition="Hours of work of the role in a measured week (seven days from `run.start`), from what was "
    "delivered: sessions held × facilitators, and services with their indirect minutes.",
    where=_has_work,
)
def _hours_needed(window: Window, role: str) -> Sample:
    return Sample(_weekly_hours(window, role))


@metric(
    "<role>.fte_needed",
    statistics=("mean", "p95"),
    unit="FTE",
    definition="Hours needed in a measured week ÷ (paid hours × bookable share × (1 − leave)).",
    where=_has_work,
)
def _fte_needed(window: Window, role: str) -> Sample:
    return Sample(_weekly_hours(window, role) / window.scenario.staff[role].bookable_hours_per_fte)


@metric(
    "<role>.fte_employed",
    unit="FTE",
    definition="Posts × FTE of a post.",
    where=_has_work,
)
def _fte_employed(window: Window, role: str) -> Value:
    return Value(window.scenario.staff[role].employed_fte)


@metric(
    "<role>.shortfall_hours",
    statistics=("mean",),
    unit="hours/week",
    better="lower",
    definition="Hours needed beyond those that the employed FTE can book, mean over the measured weeks; a "
    "week with hours to spare does not make up for another.",
    where=_has_work,
)
def _shortfall_hours(window: Window, role: str) -> Value:
    staff = window.scenario.staff[role]
    missing = _weekly_hours(window, role) - staff.employed_fte * staff.bookable_hours_per_fte
    return Value(float(missing.clip(min=0).mean()))
