"""Staff by role: posts and caseloads over time, and hours of work beside those of the posts that are filled."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from iopsim.measures.possible import has_caseload, varies
from iopsim.measures.registry import Names, Outcome, Ratio, Sample, Value, metric

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from iopsim.measures.posts import Caseload
    from iopsim.measures.window import Floats, Window
    from iopsim.scenario.schema import Role, Scenario

__all__: list[str] = []  # the metrics are reached through the registry


# Where a metric makes sense


def _can_be_vacant(scenario: Scenario, names: Names) -> bool:
    """Whether somebody of the role may leave for good."""
    role = scenario.staff[names["role"]]
    leaves = any(isinstance(leave, dt.date) for leave in role.leaves)
    return role.posts > 0 and (role.turnover_per_year > 0 or leaves)


def _can_be_reassigned(scenario: Scenario, names: Names) -> bool:
    return has_caseload(scenario, names) and varies(scenario, names["role"])


def _gives_intake(scenario: Scenario, names: Names) -> bool:
    stages = (level.intake for level in scenario.levels.values())
    return any(stage is not None and stage.role == names["role"] for stage in stages)


def _gives_appointments(scenario: Scenario, names: Names) -> bool:
    services = scenario.services.values()
    return _gives_intake(scenario, names) or any(
        service.role == names["role"] and service.limits for service in services
    )


def _has_work(scenario: Scenario, names: Names) -> bool:
    """Whether a group session, an appointment, a service or supervision takes hours of the role."""
    groups = (group for level in scenario.levels.values() for group in level.groups.values())
    services, staff = scenario.services.values(), scenario.staff.values()
    return (
        any(names["role"] in group.facilitators for group in groups)
        or any(service.role == names["role"] and not service.within_group for service in services)
        or any(role.associate is not None and role.associate.supervised_by == names["role"] for role in staff)
        or _gives_intake(scenario, names)
    )


def _can_be_late(scenario: Scenario, names: Names) -> bool:
    return any(
        service.role == names["role"] and service.limits and service.due_days is not None
        for service in scenario.services.values()
    )


def _can_be_covered(scenario: Scenario, names: Names) -> bool:
    groups = (group for level in scenario.levels.values() for group in level.groups.values())
    covered = scenario.staff[names["role"]].cover_per_hour is not None
    return covered and any(names["role"] in group.facilitators for group in groups)


def _has_ratio(scenario: Scenario, names: Names) -> bool:
    """Whether there is a rule for patients per clinician, and patients whom it concerns."""
    role, levels = names["role"], scenario.levels.values()
    return scenario.staff[role].patients_per_clinician_at_most is not None and any(
        level.caseload == role or any(role in group.facilitators for group in level.groups.values())
        for level in levels
    )


# Posts


@metric(
    "<role>.vacancy",
    statistics=("share",),
    unit="share",
    better="lower",
    definition="Of the post-days that the plan has in the window: those on which nobody held the post, from a "
    "departure until the successor starts.",
    where=_can_be_vacant,
)
def _vacancy(window: Window, role: str) -> Ratio:
    from iopsim.measures.posts import posts

    planned = sum(
        spell.plan.staff[role].posts * spell.days_in(window.start, window.end) for spell in window.spells
    )
    return Ratio(posts(window, role).vacant.days(window), planned)


@metric(
    "<role>.departures",
    statistics=("total",),
    unit="posts",
    better="lower",
    definition="How often somebody left a post for good in the window.",
    where=_can_be_vacant,
)
def _departures(window: Window, role: str) -> Value:
    from iopsim.measures.posts import departures

    return Value(float(departures(window, role)))


# Caseloads


def _caseload(window: Window, role: str) -> Caseload:
    from iopsim.measures.posts import caseload

    return caseload(window, role)


@metric(
    "<role>.caseload_utilization",
    statistics=("mean",),
    unit="share",
    better="higher",
    definition="Patients with a clinician of this role over the sum of the caseload limits in force (those of the "
    "posts that are filled, smaller while a successor is new), time average.",
    where=has_caseload,
)
def _caseload_utilization(window: Window, role: str) -> Ratio:
    here = _caseload(window, role)
    return Ratio(here.carried, here.limit)


@metric(
    "<role>.overload",
    statistics=("mean",),
    unit="patients",
    better="lower",
    definition="Patients beyond the caseload limits in force, post by post: time average. They were handed on when "
    "somebody left.",
    where=_can_be_reassigned,
)
def _overload(window: Window, role: str) -> Value:
    return Value(_caseload(window, role).over / window.length)


@metric(
    "<role>.unassigned",
    statistics=("mean",),
    unit="patients",
    better="lower",
    definition="Patients on the role's caseload who have nobody, because no post is filled: time average.",
    where=_can_be_reassigned,
)
def _unassigned(window: Window, role: str) -> Value:
    return Value(_caseload(window, role).unassigned / window.length)


@metric(
    "<role>.reassigned",
    statistics=("total",),
    unit="patients",
    better="lower",
    definition="How often a patient got another clinician in the window.",
    where=_can_be_reassigned,
)
def _reassigned(window: Window, role: str) -> Value:
    return Value(float(_caseload(window, role).reassigned))


@metric(
    "<role>.patients_per_clinician",
    statistics=("mean", "max"),
    unit="patients/FTE",
    better="lower",
    definition="Patients in care per FTE filled: of the levels that name the role as their caseload, or else of those "
    "in whose groups it is a facilitator. Mean: time average of the patients over that of the FTE. Max: the most at "
    "one instant at which somebody is there.",
    where=_has_ratio,
)
def _patients_per_clinician(window: Window, role: str) -> Mapping[str, Outcome]:
    from iopsim.measures.posts import clinicians

    found = clinicians(window, role)
    most = [
        (here.patients[there] / (here.posts[there] * here.fte)).max(initial=0.0)
        for here in found
        for there in [here.posts > 0]
    ]
    return {
        "mean": Ratio(
            sum(float(here.patients @ here.days) for here in found),
            sum(float(here.posts @ here.days) * here.fte for here in found),
        ),
        "max": Value(float(max(most))),
    }


@metric(
    "<role>.over_ratio",
    statistics=("share",),
    unit="share",
    better="lower",
    definition="Share of time with more patients in care per FTE filled than `patients_per_clinician_at_most`; time "
    "with patients in care and nobody there is such time.",
    where=_has_ratio,
)
def _over_ratio(window: Window, role: str) -> Ratio:
    from iopsim.measures.posts import clinicians

    rule = window.scenario.staff[role].patients_per_clinician_at_most or 0.0
    # A hair more than allowed is rounding: patients are whole.
    over = (
        here.days[here.patients > here.posts * here.fte * rule + 1e-9] for here in clinicians(window, role)
    )
    return Ratio(sum(float(days.sum()) for days in over), window.length)


# Hours


def _weekly_hours(window: Window, role: str) -> Floats:
    from iopsim.measures.work import weekly_hours

    return weekly_hours(window, role)


def _filled_posts(window: Window, role: str) -> Iterator[tuple[Role, Floats]]:
    """Each plan for the role that the window sees, with the mean number of posts filled meanwhile by week."""
    from iopsim.measures.posts import filled_posts

    for begin, end, plan in window.spells_inside:
        yield plan.staff[role], filled_posts(window, role, begin, end)


@metric(
    "<role>.hours_needed",
    statistics=("mean", "p95"),
    unit="hours/week",
    definition="Hours of work of the role in a measured week (seven days from `run.start`), from what was "
    "delivered: sessions held × facilitators (covered ones too), intake appointments (no-shows too), supervision of "
    "associates, and services with their indirect minutes; those that wait for hours count when given.",
    where=_has_work,
)
def _hours_needed(window: Window, role: str) -> Sample:
    return Sample(_weekly_hours(window, role))


@metric(
    "<role>.fte_needed",
    statistics=("mean", "p95"),
    unit="FTE",
    definition="Hours needed in a measured week ÷ (paid hours × bookable share × (1 − leave)), as the plan says for "
    "that week.",
    where=_has_work,
)
def _fte_needed(window: Window, role: str) -> Sample:
    from iopsim.measures.planned import planned_weekly

    per_fte = planned_weekly(
        window.spells, window.weeks, lambda plan: plan.staff[role].bookable_hours_per_fte
    )
    return Sample(_weekly_hours(window, role) / per_fte)


@metric(
    "<role>.fte_employed",
    unit="FTE",
    definition="Posts that are filled × FTE of a post, time average; vacant posts and absences do not count.",
    where=_has_work,
)
def _fte_employed(window: Window, role: str) -> Value:
    return Value(sum(float(filled.mean()) * plan.fte for plan, filled in _filled_posts(window, role)))


@metric(
    "<role>.shortfall_hours",
    statistics=("mean",),
    unit="hours/week",
    better="lower",
    definition="Hours needed beyond those that the posts filled in the week can book, mean over the measured weeks; "
    "a week with hours to spare does not make up for another.",
    where=_has_work,
)
def _shortfall_hours(window: Window, role: str) -> Value:
    bookable = sum(
        filled * plan.fte * plan.bookable_hours_per_fte for plan, filled in _filled_posts(window, role)
    )
    missing = _weekly_hours(window, role) - bookable
    return Value(float(missing.clip(min=0).mean()))


@metric(
    "<role>.cover_hours",
    statistics=("total",),
    unit="hours",
    better="lower",
    definition="Hours of group sessions in the window for which cover was bought, because the role was short.",
    where=_can_be_covered,
)
def _cover_hours(window: Window, role: str) -> Value:
    from iopsim.measures.work import cover_hours

    return Value(cover_hours(window, role))


@metric(
    "<role>.late",
    statistics=("share",),
    unit="share",
    better="lower",
    definition="Of the deliveries that fell due in the window, of services of the role that say `due_days`: given more "
    "than so many days after, or owed so long before treatment ended and never given. Services without `limits` are "
    "never late.",
    where=_can_be_late,
)
def _late(window: Window, role: str) -> Ratio:
    from iopsim.measures.work import promptness

    return Ratio(*promptness(window, role))


@metric(
    "<role>.slot_utilization",
    statistics=("mean",),
    unit="share",
    better="higher",
    definition="Appointments of the role in the window (intake, no-shows too, and services that wait for hours) over "
    "those that its filled posts offered on working days, in minutes.",
    where=_gives_appointments,
)
def _slot_utilization(window: Window, role: str) -> Ratio:
    from iopsim.measures.work import booked_hours, offered_hours

    return Ratio(booked_hours(window, role), offered_hours(window, role))
