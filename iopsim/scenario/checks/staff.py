"""Work that nobody could do: services without sessions, caseloads without room, appointments without hours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iopsim.scenario.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from iopsim.scenario.schema import Scenario
    from iopsim.scenario.tree import Path

__all__ = ["CHECKS", "carried"]

_OPEN_HOURS = 15  # from 09:00, when appointments begin, to midnight


def _services(scenario: Scenario) -> Iterator[Finding]:
    for key, service in scenario.services.items():
        if service.per == "session" or service.within_group:
            word = "within_group: true" if service.within_group else "per: session"
            for index, name in enumerate(service.levels):
                if name in scenario.levels and not scenario.levels[name].groups:
                    message = f'level "{name}" has no groups, so `{word}` makes no work there; drop the level'
                    yield Finding("service", ("services", key, "levels", index), message)


def _needed_by_all(scenario: Scenario) -> Iterator[Finding]:
    for key, service in scenario.services.items():
        if service.limits == "admission" and service.share < 1:
            message = "`limits: admission` lets nobody in without it: it is for everybody; drop `share`"
            yield Finding("service", ("services", key, "share"), message)


def _appointments(scenario: Scenario) -> Iterator[Finding]:
    """Appointments that the role which gives them can never give."""
    for name, level in scenario.levels.items():
        if level.intake:
            here = ("levels", name, "intake")
            yield from _no_hours(scenario, level.intake.role, level.intake.minutes, here)
    for name, service in scenario.services.items():
        if service.limits:
            minutes = service.minutes + service.indirect_minutes
            yield from _no_hours(scenario, service.role, minutes, ("services", name))


def _no_hours(scenario: Scenario, name: str, minutes: float, here: Path) -> Iterator[Finding]:
    if name not in scenario.staff:
        return
    role = scenario.staff[name]
    there = role.appointment_minutes_per_day
    if not role.posts:
        message = f'role "{name}" has no posts: nobody would ever give an appointment; set staff.{name}.posts'
        yield Finding("no-hours", (*here, "role"), message)
    if there < minutes - 1e-9:
        message = (
            f'one appointment takes {minutes:g} minutes, and a post of role "{name}" has {there:.3g} a day '
            f"(FTE × paid hours ÷ 5 × bookable); shorten it, or change staff.{name}"
        )
        yield Finding("no-hours", (*here, "minutes"), message)
    if there > _OPEN_HOURS * 60 + 1e-9:
        message = (
            f'a post of role "{name}" would give appointments for {there / 60:.3g} hours a day, from 09:00 to past '
            f"midnight; say more posts in staff.{name}, of fewer hours"
        )
        yield Finding("no-hours", (*here, "role"), message)


def _supervision(scenario: Scenario) -> Iterator[Finding]:
    for name, role in scenario.staff.items():
        if role.associate and role.associate.supervised_by == name:
            message = "nobody is supervised by their own role; name the one that supervises"
            yield Finding("to-itself", ("staff", name, "associate", "supervised_by"), message)


def carried(scenario: Scenario) -> Iterator[Finding]:
    """Levels whose caseload role has room for nobody."""
    for name, level in scenario.levels.items():
        role = scenario.staff[level.caseload] if level.caseload else None
        if role and not role.caseload_limit:
            why = (
                "carries no"
                if role.caseload is None
                else f"has room for less than one patient ({role.fte:g} FTE) in its"
            )
            message = f'role "{level.caseload}" {why} caseload; set staff.{level.caseload}.caseload'
            yield Finding("no-caseload", ("levels", name, "caseload"), message)


CHECKS = (_services, _needed_by_all, _appointments, _supervision)
