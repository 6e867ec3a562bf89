"""Hours of each role: what patients and sessions are expected to make, against what can be booked."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from iopsim.scenario.plausible.appointments import deliveries, intake_minutes, recipients
from iopsim.scenario.plausible.finding import Finding, warning
from iopsim.scenario.plausible.pool import NOTHING
from iopsim.scenario.plausible.pools import admitted
from iopsim.scenario.plausible.posts import posts_of
from iopsim.scenario.plausible.timetable import held_per_week

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from iopsim.scenario.plausible.flows import Stream, Streams
    from iopsim.scenario.plausible.pool import Pool
    from iopsim.scenario.schema import Scenario, Service

__all__ = ["Hours", "hours", "overbooked"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """Work of a role in a mean week.

    Attributes:
        role: The role.
        expected: Hours of groups, services, intake and supervision, of patients for whom there is room.
        bookable: Hours that the employed can give to patients.
        fte_needed: Expected hours over the bookable hours of one FTE.
        fte_employed: Posts filled on average × FTE.
    """

    role: str
    expected: float
    bookable: float
    fte_needed: float
    fte_employed: float

    @property
    def utilization(self) -> float:
        """Expected over bookable; infinite when nothing can be booked."""
        return self.expected / self.bookable if self.bookable else float("inf")


def hours(scenario: Scenario, streams: Streams, pools: Sequence[Pool]) -> list[Hours]:
    """Expected and bookable hours of every role that has work (model.md §8)."""
    there, taken = {role: posts_of(scenario, role).filled for role in scenario.staff}, admitted(pools)
    given = {pool.whom: 1 - pool.lost_share for pool in pools if pool.constraint == "slots"}
    expected: dict[str, float] = defaultdict(float)
    for role, spec in scenario.staff.items():
        expected[role] += intake_minutes(scenario, role, streams) * given.get(role, 1.0) / 60
        if spec.associate:
            expected[spec.associate.supervised_by] += there[role] * spec.associate.minutes_per_week / 60
    for level in scenario.levels.values():
        for group in level.groups.values():
            for role, number in group.facilitators.items():
                expected[role] += number * group.hours * held_per_week(scenario, group)
    for service in scenario.services.values():
        expected[service.role] += _minutes_per_week(scenario, service, streams, taken) / 60
    return [
        Hours(
            role=role,
            expected=expected[role],
            bookable=there[role] * spec.fte * spec.bookable_hours_per_fte,
            fte_needed=expected[role] / spec.bookable_hours_per_fte,
            fte_employed=there[role] * spec.fte,
        )
        for role, spec in scenario.staff.items()
        if expected[role]
    ]


def _minutes_per_week(
    scenario: Scenario, service: Service, streams: Streams, admitted: Mapping[Stream, float]
) -> float:
    here = [(stream, admitted.get(stream, 1.0)) for stream in recipients(service, streams)]
    if service.per == "session":
        groups = [group for name in service.levels for group in scenario.levels[name].groups.values()]
        held = sum(held_per_week(scenario, group) for group in groups)
        attended = sum(
            stream.sessions_per_week * share * stream.care.attendance.mean for stream, share in here
        )
        return held * service.indirect_minutes + attended * service.indirect_minutes_per_patient
    if service.within_group:
        return 0.0
    number = sum(7 * stream.per_day * share * deliveries(service, stream) for stream, share in here)
    return number * (service.minutes + service.indirect_minutes)


def overbooked(hours: Iterable[Hours]) -> Iterator[Finding]:
    """Roles with more work than hours."""
    for work in hours:
        if work.utilization > 1 + NOTHING:
            yield warning(
                f"staff.{work.role}",
                f"{work.expected:.0f} h of work a week and {work.bookable:.0f} h bookable: it takes "
                f"{work.fte_needed:.1f} FTE, and {work.fte_employed:.3g} are employed; add posts, or make less work",
                "hours",
                work.utilization,
            )
