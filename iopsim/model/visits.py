"""Services that wait for hours: each is given at an appointment of its role, as soon as one is free (model.md §8)."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, inf
from typing import TYPE_CHECKING, Any, NamedTuple

from iopsim.model.clock import ARRIVAL
from iopsim.model.people import ADMITTED, IN_CARE, NEVER, SUSPENDED

if TYPE_CHECKING:
    from collections.abc import Callable

    from iopsim.model.allocation import Allocator
    from iopsim.model.clock import Clock
    from iopsim.model.diary import Diary
    from iopsim.model.ledger import Recorder
    from iopsim.model.people import Stay
    from iopsim.model.staff import Staff
    from iopsim.scenario.schema import Scenario

__all__ = ["Visit", "Visits"]


class _Limited(NamedTuple):
    """A service that waits for hours, times in days; `every` is infinite for one that is given once."""

    diary: Diary
    minutes: float
    every: float
    due_days: float


@dataclass(slots=True, eq=False)
class Visit:
    """What is owed to a stay, and when it is to be given: at `start`, in the diary of `post`; never: not booked."""

    stay: Stay
    service: int
    due: float
    start: float = NEVER
    post: int = -1


class Visits:
    """Books and gives the services that wait for a free appointment.

    A visit is booked when it falls due and given at its appointment if the patient is then in treatment (or admitted,
    for those that admission waits for). Who is not in treatment any more gives the appointment back; who comes back to
    it books again, and so does everybody whose appointment finds nobody at the post. Whenever an appointment may have
    become free, those whose admission waits for one are asked.
    """

    allocator: Allocator

    def __init__(self, scenario: Scenario, clock: Clock, recorder: Recorder, staff: Staff) -> None:
        self._clock = clock
        self._recorder = recorder
        self._limited: dict[int, _Limited] = {}
        self._unbooked: dict[Visit, None] = {}  # those for whom nobody was there
        for index, service in enumerate(scenario.services.values()):
            if service.limits:
                self._limited[index] = _Limited(
                    diary=staff.diary(service.role),
                    minutes=service.minutes + service.indirect_minutes,
                    every=inf if service.every_weeks is None else 7 * service.every_weeks,
                    due_days=inf if service.due_days is None else service.due_days,
                )
        self._coming: Callable[[tuple[Visit, float]], None] = self._meet  # bound once, not for each of them
        for role in {service.role: None for service in scenario.services.values() if service.limits}:
            staff.watch(role, self._book_missing)

    # ── before admission ─────────────────────────────────────────────────────────────────────────────────────

    def possible_from(self, services: tuple[int, ...], now: float) -> float:
        """When all services can be given within their due days: `now`, later, or infinity (nobody is there)."""
        opens, taken = now, []
        for service in services:
            diary, minutes, _, due_days = self._limited[service]
            appointment = diary.book(now, minutes)  # so that no two services count on one appointment
            if appointment is None:
                opens = inf
                break
            opens = max(opens, appointment[0] - due_days)
            taken.append((diary, appointment))
        for diary, appointment in taken:
            diary.cancel(*appointment)
        return opens

    def reserve(self, stay: Stay, services: tuple[int, ...]) -> None:
        """The stay is admitted: book what its admission has waited for; it is due from now on."""
        for service in services:
            self._owe(stay, service, self._clock.now)

    # ── in treatment ─────────────────────────────────────────────────────────────────────────────────────────

    def begin(self, stay: Stay, services: int, elapsed: float = 0.0) -> None:
        """Care starts: each of these services (as bits) is due, and again and again if it recurs.

        Of care that started some days ago (`elapsed`), only what recurs falls due from now on.
        """
        started = self._clock.now - elapsed
        for service, limited in self._limited.items():
            if services >> service & 1:
                if not elapsed:
                    self._fall_due((stay, service, started, 0))
                elif limited.every < inf:
                    times = ceil(elapsed / limited.every)
                    due = max(started + limited.every * times, self._clock.now)
                    self._at(due, stay, self._fall_due, (stay, service, started, times))

    def pause(self, stay: Stay) -> None:
        """Treatment has been suspended, or is over: appointments to come are given back."""
        if stay.owed is None:
            return
        given_back = [visit for visit in stay.owed if self._clock.now < visit.start < NEVER]
        for visit in given_back:
            self._limited[visit.service].diary.cancel(visit.start, visit.post)
            visit.start = NEVER
        if given_back:
            self.allocator.hours_freed()
        if stay.state is not SUSPENDED:
            if self._unbooked:
                for visit in stay.owed:
                    self._unbooked.pop(visit, None)  # nobody is kept who has gone
            stay.owed = None

    def resume(self, stay: Stay) -> None:
        """Treatment goes on: what was due before is booked again."""
        for visit in stay.owed or ():
            if visit.start == NEVER:
                self._book(visit)

    # ── one visit ────────────────────────────────────────────────────────────────────────────────────────────

    def _fall_due(self, call: tuple[Stay, int, float, int]) -> None:
        """A visit is due; what falls due while treatment is suspended is left out, as it is without limits."""
        stay, service, started, times = call
        if stay.state not in (IN_CARE, SUSPENDED):
            return
        if stay.state is IN_CARE:
            self._owe(stay, service, self._clock.now)
        every = self._limited[service].every
        if every < inf:
            due = started + every * (times + 1)
            self._at(due, stay, self._fall_due, (stay, service, started, times + 1))

    def _owe(self, stay: Stay, service: int, due: float) -> None:
        visit = Visit(stay, service, due)
        if stay.owed is None:
            stay.owed = [visit]
        else:
            stay.owed.append(visit)
        self._book(visit)

    def _book(self, visit: Visit) -> None:
        """Make an appointment; while nobody holds a post the visit is owed without one."""
        diary, minutes, *_ = self._limited[visit.service]
        appointment = diary.book(self._clock.now, minutes)
        if appointment is None:
            self._unbooked[visit] = None
            return
        visit.start, visit.post = appointment
        self._at(visit.start, visit.stay, self._coming, (visit, visit.start))

    def _meet(self, call: tuple[Visit, float]) -> None:
        """The time of an appointment has come, unless it was given back."""
        visit, start = call
        if visit.start != start:
            return
        visit.start = NEVER
        owed = visit.stay.owed
        if owed is None or not self._can_come(visit.stay):
            return  # who is suspended books again on resuming
        if self._limited[visit.service].diary.is_present(visit.post):
            self._recorder.visits.append((start, visit.stay.number, visit.service, visit.due))
            owed.remove(visit)
        else:
            self._book(visit)

    def _book_missing(self) -> None:
        """Somebody is there again: whoever has no appointment gets one, in order of what was due first.

        Who is suspended books again on resuming.
        """
        missing = [visit for visit in self._unbooked if visit.start == NEVER and self._can_come(visit.stay)]
        self._unbooked.clear()
        for visit in sorted(missing, key=lambda visit: (visit.due, visit.stay.patient.index, visit.service)):
            self._book(visit)
        self.allocator.hours_freed()

    @staticmethod
    def _can_come(stay: Stay) -> bool:
        return stay.state in (ADMITTED, IN_CARE)

    def _at(self, time: float, stay: Stay, call: Callable[[Any], None], detail: object) -> None:
        self._clock.call_at(time, ARRIVAL + stay.patient.index, call, detail)
