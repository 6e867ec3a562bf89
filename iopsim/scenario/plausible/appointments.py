"""Appointments: of intake, and of services that wait for hours, against those that each role can give (model.md §6)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from iopsim.scenario.plausible.pool import Pool, together
from iopsim.scenario.plausible.posts import posts_of
from iopsim.scenario.plausible.timetable import working_days_per_week

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from iopsim.scenario.plausible.flows import Stream, Streams
    from iopsim.scenario.schema import Scenario, Service

__all__ = ["appointments", "deliveries", "intake_minutes", "recipients"]


class _Wanted(NamedTuple):
    """Appointments of one length, a week, and those whom they keep waiting."""

    minutes: float
    number: float
    levels: tuple[str, ...]
    streams: tuple[Stream, ...]


def appointments(scenario: Scenario, streams: Streams, admitted: Mapping[Stream, float]) -> Iterator[Pool]:
    """One pool for each role that gives appointments; where they differ in length it is counted in hours."""
    for role, spec in scenario.staff.items():
        wanted = [*_intake(scenario, role, streams), *_visits(scenario, role, streams, admitted)]
        lengths = {one.minutes for one in wanted}
        if not math.fsum(one.number for one in wanted):
            continue
        minutes = spec.appointment_minutes_per_day
        if len(lengths) == 1:
            unit, size = "appointments a week", lengths.pop()
            a_day = float(int(minutes / size + 1e-9))
        else:
            unit, size, a_day = "hours of appointments a week", 60.0, minutes / 60
        there = posts_of(scenario, role).filled
        yield Pool(
            level=together(dict.fromkeys(level for one in wanted for level in one.levels)),
            constraint="slots",
            whom=role,
            unit=unit,
            load=math.fsum(one.number * one.minutes for one in wanted) / size,
            capacity=there * a_day * working_days_per_week(scenario),
            path=f"staff.{role}",
            streams=tuple(dict.fromkeys(stream for one in wanted for stream in one.streams)),
        )


def _intake(scenario: Scenario, role: str, streams: Streams) -> Iterator[_Wanted]:
    for name, level in scenario.levels.items():
        if level.intake and level.intake.role == role:
            here = tuple(s for s in streams.at([name]) if s.appointments_per_week)
            number = math.fsum(stream.appointments_per_week for stream in here)
            yield _Wanted(level.intake.minutes, number, (name,), here)


def intake_minutes(scenario: Scenario, role: str, streams: Streams) -> float:
    """Minutes a week of the intake appointments that patients of a role take up, missed ones included."""
    return math.fsum(one.minutes * one.number for one in _intake(scenario, role, streams))


def _visits(
    scenario: Scenario, role: str, streams: Streams, admitted: Mapping[Stream, float]
) -> Iterator[_Wanted]:
    """Visits wanted: before admission by all who come, otherwise by those for whom there is room."""
    for service in scenario.services.values():
        if service.role != role or not service.limits:
            continue
        here = tuple(recipients(service, streams))
        waiting = here if service.limits == "admission" else ()
        number = math.fsum(
            7 * stream.per_day * deliveries(service, stream) * (1.0 if waiting else admitted.get(stream, 1.0))
            for stream in here
        )
        minutes = service.minutes + service.indirect_minutes
        yield _Wanted(minutes, number, tuple(dict.fromkeys(s.level for s in here)), waiting)


def recipients(service: Service, streams: Streams) -> list[Stream]:
    """The patients whom a service is for."""
    here, tracks = streams.at(service.levels), service.tracks
    return [stream for stream in here if stream.track in tracks] if tracks else here


def deliveries(service: Service, stream: Stream) -> float:
    """How often a stay gets a service, in the mean over those who get it and those who do not."""
    often = stream.fate.deliveries(service.every_weeks) if service.every_weeks else 1
    return service.share * often
