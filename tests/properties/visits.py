"""The books of services that wait for hours: given when due, to those who are there (model.md §8)."""

from __future__ import annotations

from collections import Counter, defaultdict
from math import floor
from typing import TYPE_CHECKING

from iopsim.model.ledger import Ledger
from iopsim.model.timeline import in_days
from iopsim.scenario.schema import Scenario, Service
from tests.properties.dates import NINE, Calendar
from tests.properties.parts import Part, State

if TYPE_CHECKING:
    from tests.properties.posts import Posts

__all__ = ["Visits"]

_CLOSE = 1e-5


class Visits:
    """All visits of a ledger."""

    def __init__(self, scenario: Scenario, ledger: Ledger, calendar: Calendar, posts: Posts) -> None:
        self._ledger, self._calendar, self._posts = ledger, calendar, posts
        self._levels = list(scenario.levels)
        self._most: dict[
            str, tuple[float, int]
        ] = {}  # minutes a day of a post, and posts, in any plan so far
        self.change(calendar.opening)
        self._services: list[Service] = list(scenario.services.values())
        self._at: dict[float, list[int]] = defaultdict(list)
        for number, time in enumerate(ledger.visit_time.tolist()):
            self._at[time].append(number)
        self._given: Counter[tuple[int, int, float]] = Counter()
        self._going_on: dict[str, list[float]] = defaultdict(list)
        self._minutes: dict[tuple[str, int], float] = defaultdict(float)
        self.limited = {name for service in self._services if service.limits for name in service.levels}
        self.gated = {
            name for service in self._services if service.limits == "admission" for name in service.levels
        }

    def change(self, plan: Scenario) -> None:
        """Another plan is in force: appointments that were made before stay."""
        for name, role in plan.staff.items():
            minutes, posts = self._most.get(name, (0.0, 0))
            self._most[name] = max(minutes, role.appointment_minutes_per_day), max(posts, role.posts)

    @property
    def instants(self) -> list[float]:
        return list(self._at)

    def check(self, now: float, parts: list[Part], touched: set[int]) -> None:
        """The visits of an instant, given the books just before it and whose facts belong to it."""
        for visit in self._at.get(now, ()):
            stay, service = (
                int(self._ledger.visit_stay[visit]),
                self._services[self._ledger.visit_service[visit]],
            )
            due, part = float(self._ledger.visit_due[visit]), parts[stay]
            said = f"a visit at {now} to {part}, due at {due}"
            there = {State.IN_CARE} | ({State.ADMITTED} if service.limits == "admission" else set())
            assert part.state in there or part.patient in touched, said
            self._is_due(part, service, now, due, said)
            self._given[stay, int(self._ledger.visit_service[visit]), due] += 1
            assert max(self._given.values()) == 1, f"{said}, for the second time"
            self.book(service.role, now, service.minutes + service.indirect_minutes)

    def _is_due(self, part: Part, service: Service, now: float, due: float, said: str) -> None:
        track = self._ledger.tracks[self._ledger.patient_track[part.patient]]
        assert service.limits and self._levels[part.level] in service.levels, said
        assert not service.tracks or track in service.tracks, said
        assert due <= now, said
        if service.limits == "admission":
            assert due == part.admitted, said
        elif service.every_weeks is None:
            assert due == part.started, said
        else:
            times = (due - part.started) / (7 * service.every_weeks)
            assert abs(times - round(times)) < _CLOSE, said

    def book(self, role: str, now: float, minutes: float) -> None:
        """An appointment of a role: on a working day, within hours, no more at once than there are posts."""
        day, (minutes_a_day, posts) = floor(now), self._most[role]
        end = now + in_days(minutes / 60)
        closing = day + NINE + in_days(minutes_a_day / 60)
        assert self._calendar.is_working_day(day), f"an appointment on a free day, {now}"
        assert day + NINE <= now and end <= closing + _CLOSE, f"an appointment out of hours, {now}"
        self._going_on[role] = [until for until in self._going_on[role] if until > now + _CLOSE] + [end]
        assert len(self._going_on[role]) <= posts, f"too many appointments at once, {now}"
        assert self._posts.filled(role), f"an appointment with nobody there, {now}"
        self._minutes[role, day] += minutes
        assert self._minutes[role, day] <= posts * minutes_a_day + _CLOSE, (
            f"more minutes than the day has, {now}"
        )
