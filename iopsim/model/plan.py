"""Group sessions and the plans that count them: attendance, missed sessions, tapers, the end (model.md §§5, 7).

A session is one event for all its members. What each patient will attend is drawn ahead, one number for each of
their own sessions, so a session only reads a byte a member; `Stay.turn` says after which session to look closer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from scipy.special import betaincinv

from iopsim.model.capacity import Groups, Offer
from iopsim.model.clock import COMPLETION, LEAVING, SESSION
from iopsim.model.ledger import Cause, Fact
from iopsim.model.people import State
from iopsim.model.timeline import in_days

if TYPE_CHECKING:
    from iopsim.model.allocation import Allocator
    from iopsim.model.capacity import Group
    from iopsim.model.clock import Clock
    from iopsim.model.draws import Draws
    from iopsim.model.journey import Journey
    from iopsim.model.ledger import Recorder
    from iopsim.model.people import Stay
    from iopsim.model.units import Unit

__all__ = ["SessionPlan"]

_AHEAD = 16  # sessions foreseen at a time where the plan does not count them


class SessionPlan:
    """Holds the sessions of all groups and follows each member's plan."""

    def __init__(
        self, clock: Clock, draws: Draws, recorder: Recorder, journey: Journey, allocator: Allocator
    ) -> None:
        self._clock = clock
        self._draws = draws
        self._recorder = recorder
        self._journey = journey
        self._allocator = allocator

    def open(self, group: Group, unit: Unit) -> None:
        """Put a group's sessions, opening and closing on the clock."""
        self._schedule(group)
        if group.opens > self._clock.now:
            self._clock.call_at(group.opens, LEAVING, self._allocator.freed, unit)
        if group.closes is not None:
            self._clock.call_at(group.closes, LEAVING, self._close, group)

    # ── one session ──────────────────────────────────────────────────────────────────────────────────────────

    def _schedule(self, group: Group) -> None:
        if group.next < len(group.meetings):
            self._clock.call_at(group.meetings[group.next][0], SESSION + group.index, self._meet, group)

    def _meet(self, group: Group) -> None:
        """A session's start: held or cancelled; newcomers' care starts; who attends is written down."""
        now, day, closed = group.meetings[group.next]
        group.next += 1
        self._schedule(group)
        roster = group.rosters[day]
        cause = Cause.HELD
        if closed:
            cause = Cause.CLOSED
        elif len(roster) < group.spec.min_census:
            cause = Cause.BELOW_MINIMUM
        book = self._recorder
        row = (now, group.index, int(cause), len(roster), group.taken[day], len(book.member_stay))
        book.sessions.append(row)
        if cause is not Cause.HELD:
            return
        turning = []
        expect, attend = book.member_stay.append, book.member_attended.append
        for stay in roster:
            if stay.state is State.ADMITTED:
                self._journey.start(stay)
            expect(stay.number)
            attend(stay.attends[stay.had])
            stay.had += 1
            if stay.had == stay.turn:
                turning.append(stay)
        if turning:
            self._clock.call_at(now + in_days(group.hours), COMPLETION, self._dismiss, turning)

    def _dismiss(self, turning: list[Stay]) -> None:
        """A session's end, for those whose plan changes with it."""
        for stay in sorted(turning, key=lambda stay: stay.patient.index):
            if stay.state is State.IN_CARE and stay.had == stay.turn:
                self.turn(stay)

    # ── one plan ─────────────────────────────────────────────────────────────────────────────────────────────

    def begin(self, stay: Stay) -> None:
        """The first session is about to start: draw the propensity and foresee the plan."""
        attendance = stay.treatment.care.attendance
        stay.propensity = attendance.mean
        if attendance.sd:
            uniform = self._draws.uniform(stay.patient, "propensity", stay.unit.name, stay.entry)
            total = attendance.mean * (1 - attendance.mean) / attendance.sd**2 - 1
            shape = attendance.mean * total
            stay.propensity = float(betaincinv(shape, total - shape, uniform))
        self._foresee_turn(stay)

    def turn(self, stay: Stay) -> None:
        """After the session that `Stay.turn` named: discharge, taper, extension, completion, or go on."""
        phases, extension = stay.treatment.care.phases, stay.treatment.care.extension
        last_phase = phases is not None and stay.phase == len(phases) - 1
        through = phases is not None and last_phase and stay.had == self._boundary(stay)
        if through and extension is not None and not stay.extended:
            drawn = self._draws.uniform(stay.patient, "extension", stay.unit.name, stay.entry)
            stay.extended = drawn < extension.share
            through = not stay.extended
        if through:
            self._journey.complete(stay)
        elif stay.had == stay.missed_out:
            self._journey.discharge(stay)
        else:
            if phases is not None and not last_phase:
                stay.phase += 1
                self._taper(stay, phases[stay.phase].days_per_week)
            self._foresee_turn(stay)

    def _taper(self, stay: Stay, days_per_week: int) -> None:
        """Keep the least full of one's weekdays; the seats on the others come free."""
        group, room = stay.group, stay.unit.capacity
        if group is None or not isinstance(room, Groups) or days_per_week >= len(stay.days):
            return
        least_full = sorted(stay.days, key=lambda day: group.taken[day])[:days_per_week]
        self._move(stay, Offer(group=group, days=tuple(sorted(least_full))))
        self._allocator.freed(stay.unit)

    def _move(self, stay: Stay, offer: Offer) -> None:
        stay.unit.capacity.give_back(stay)
        stay.unit.capacity.take(stay, offer)
        bits = sum(1 << day for day in stay.days)
        group = -1 if stay.group is None else stay.group.index
        self._recorder.write(self._clock.now, Fact.MOVED, stay.number, group, -1, bits)

    def _boundary(self, stay: Stay) -> int:
        """The session, by the patient's own count, with which the phase they are in ends (plan: scheduled)."""
        care = stay.treatment.care
        sessions = stay.treatment.boundaries[stay.phase]
        if stay.extended and care.extension is not None and care.phases is not None:
            sessions += care.extension.weeks * care.phases[-1].days_per_week
        if stay.unit.spec.plan == "scheduled":
            return sessions
        return self._when_attended(stay, sessions)

    def _when_attended(self, stay: Stay, sessions: int) -> int:
        """The session with which the patient has attended so many; past the discharge if that comes before."""
        while stay.attends.count(1) < sessions and stay.missed_out < 0:
            self._foresee(stay, len(stay.attends) + _AHEAD)
        attended = 0
        for place, byte in enumerate(stay.attends):
            attended += byte
            if attended == sessions:
                return place + 1
        return stay.missed_out + 1

    def _foresee_turn(self, stay: Stay) -> None:
        boundary = self._boundary(stay) if stay.treatment.boundaries else stay.had + _AHEAD
        self._foresee(stay, boundary)
        missed_first = stay.had < stay.missed_out < boundary
        stay.turn = stay.missed_out if missed_first else boundary

    def _foresee(self, stay: Stay, sessions: int) -> None:
        """Draw attendance up to so many of the patient's own sessions, and look for a run of misses."""
        known = len(stay.attends)
        if stay.propensity >= 1:
            stay.attends.extend(b"\1" * (sessions - known))
        else:
            ahead = range(known, sessions)
            drawn = self._draws.uniforms(stay.patient, "attendance", stay.unit.name, stay.entry, ahead)
            stay.attends.extend([uniform < stay.propensity for uniform in drawn])
        run = stay.treatment.care.attendance.discharge_after_missed
        if run and stay.missed_out < 0:
            place = stay.attends.find(bytes(run), max(0, known - run + 1))
            if place >= 0:
                stay.missed_out = place + run

    # ── a group ends ─────────────────────────────────────────────────────────────────────────────────────────

    def _close(self, group: Group) -> None:
        """Members move to another fitting group with room; who finds none leaves."""
        for stay in sorted(group.members.values(), key=lambda stay: stay.patient.index):
            if stay.state is State.HELD:
                self._journey.end_hold((stay, State.HELD))
                continue
            patient = stay.patient
            offer = stay.unit.capacity.find((patient.track, patient.time, len(stay.days)), self._clock.now)
            if offer is not None:
                self._move(stay, offer)
            else:
                self._journey.lose_group(stay)
