"""Group sessions and the plans that count them: attendance, missed sessions, tapers, the end (model.md §§5-8).

A session is one event, whatever the number of its members, and touches none of them. What each patient will attend is
drawn ahead, one number for each of their own sessions; `Stay.turn` says after which session to look closer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from scipy.special import betaincinv

from iopsim.model.capacity import Groups, Offer, bits_of
from iopsim.model.clock import COMPLETION, LEAVING, SESSION
from iopsim.model.ledger import Cause, Fact
from iopsim.model.people import ADMITTED, HELD, IN_CARE
from iopsim.model.timeline import in_days

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from iopsim.model.allocation import Allocator
    from iopsim.model.capacity import Group
    from iopsim.model.clock import Clock
    from iopsim.model.cohorts import Cohorts
    from iopsim.model.draws import Draws
    from iopsim.model.journey import Journey
    from iopsim.model.ledger import Recorder
    from iopsim.model.people import Stay
    from iopsim.model.staff import Staff
    from iopsim.model.units import Unit

__all__ = ["SessionPlan"]

_HELD: Final[Cause] = Cause.HELD
_AHEAD: Final = 16  # sessions foreseen at a time where the plan does not count them
_FAR: Final = 1 << 12  # more sessions than anybody lives to see: ten years of them, nearly every day
_MUSTER: Final = SESSION - (1 << 20)  # before all sessions of the instant, after all who leave at it


class SessionPlan:
    """Holds the sessions of all groups and follows each member's plan."""

    def __init__(
        self,
        clock: Clock,
        draws: Draws,
        recorder: Recorder,
        journey: Journey,
        allocator: Allocator,
        staff: Staff,
        groups: Sequence[Group],
    ) -> None:
        self._clock = clock
        self._draws = draws
        self._recorder = recorder
        self._journey = journey
        self._allocator = allocator
        self._staff = staff
        self._groups = groups
        self._session: Callable[[Group], None] = self._meet  # bound once, not for each of them
        self._hosts: dict[int, Group] = {}
        self._units: dict[int, Unit] = {}

    def open(self, group: Group, unit: Unit) -> None:
        """Put a group's sessions, start dates, opening and closing on the clock."""
        self._units[group.index] = unit
        if group.spec.merges_with is not None:
            host = unit.spec.groups[group.spec.merges_with]
            self._hosts[group.index] = next(other for other in self._groups if other.spec is host)
        self._schedule(group)
        if group.cohort is not None:
            self._clock.call_at(group.cohort.date, LEAVING, self._convene, group)
        if group.opens > self._clock.now:
            self._clock.call_at(group.opens, LEAVING, self._allocator.freed, unit)
        if group.closes is not None:
            self._clock.call_at(group.closes, LEAVING, self._close, group)

    # ── one session ──────────────────────────────────────────────────────────────────────────────────────────

    def _schedule(self, group: Group) -> None:
        starts = group.meetings.starts
        if group.next < len(starts):
            start = starts[group.next]
            if group.index in self._hosts:
                self._clock.call_at(start, _MUSTER + group.index, self._muster, group)
            else:
                self._clock.call_at(start, SESSION + group.index, self._session, group)

    def _meet(self, group: Group) -> None:
        """A session's start: held or not; whoever is expected starts care or goes on with it."""
        now, meetings = self._clock.now, group.meetings
        day, closed = meetings.days[group.next], meetings.is_closed(group.next)
        guests = _guests(group) if group.joining else []
        cause = self._cause(group, now, closed, len(group.roster[day]) + len(guests))
        is_held = cause is _HELD
        if not is_held:
            guests = []
        enrolled = len(group.roster[day]) + len(guests)
        self._recorder.write_session(now, group.index, int(cause), enrolled, group.taken[day])
        if is_held:
            self._attend(group, day, guests)
        due = self._go_on(group)
        if due or guests:
            self._look_closer(due + guests, now + in_days(group.hours))
        if group.joining:
            self._settle_joining(group, is_held)
        if group.cohort is not None and not closed:
            self._settle_cohort(group, is_held)

    def _go_on(self, group: Group) -> list[Stay]:
        """The next meeting is the one after; gives whose turn was expected with this one."""
        place = group.next
        group.next += 1
        self._schedule(group)
        if place not in group.turns:
            return []
        due = group.turns.pop(place)
        return [stay for stay in due if stay.turns_with == place and stay.group is group]

    def _cause(self, group: Group, now: float, closed: bool, expected: int) -> Cause:
        """Whether the session is held; it takes facilitators only if nothing else is in the way."""
        if closed:
            return Cause.CLOSED
        if expected < group.min_census:
            return Cause.BELOW_MINIMUM
        if group.is_led and not self._staff.engage(group, now):
            return Cause.UNSTAFFED
        return Cause.HELD

    def _attend(self, group: Group, day: int, guests: list[Stay]) -> None:
        """Newcomers' care starts, and who is expected is written down; who of them attends was known before."""
        if group.newcomers:
            for stay in [stay for stay in group.newcomers.values() if day in stay.days]:
                del group.newcomers[stay.number]
                self._journey.start(stay)
        members = self._recorder.member_stay
        members.extend(group.roster[day])
        group.held[day] += 1
        for stay in guests:
            if stay.state is ADMITTED and stay.group is not None:
                del stay.group.newcomers[stay.number]
                self._journey.start(stay)
            members.append(stay.number)
            stay.had_before += 1

    def _look_closer(self, stays: list[Stay], end: float) -> None:
        """Who has reached their turn comes to it at the session's end; the others had fewer sessions than foreseen."""
        turning = []
        for stay in stays:
            if stay.had == stay.turn:
                turning.append(stay)
            else:
                self.expect_turn(stay)
        if turning:
            self._clock.call_at(end, COMPLETION, self._dismiss, turning)

    def _dismiss(self, turning: list[Stay]) -> None:
        """A session's end, for those whose plan changes with it."""
        for stay in sorted(turning, key=lambda stay: stay.patient.index):
            if stay.state is IN_CARE and stay.had == stay.turn:
                self.turn(stay)

    # ── members of another group's session ───────────────────────────────────────────────────────────────────

    def _muster(self, group: Group) -> None:
        """A session that may be merged is about to start: if too few are expected, they wait for the host's."""
        now, meetings = self._clock.now, group.meetings
        day, closed = meetings.days[group.next], meetings.is_closed(group.next)
        host, roster = self._hosts[group.index], group.roster[day]
        too_few = not closed and 0 < len(roster) < group.min_census
        starts = host.meetings.starts
        if too_few and host.next < len(starts) and starts[host.next] // 1 == now // 1:
            host.joining.append(
                (len(self._recorder.sessions), group, [group.members[number] for number in roster])
            )
            cause = int(Cause.BELOW_MINIMUM)
            self._recorder.write_session(now, group.index, cause, len(roster), group.taken[day])
            if group.cohort is not None:
                group.cohort.is_gathered = bool(group.cohort.is_due and group.cohort.coming)
                self._settle_cohort(group, is_held=False)
            for stay in self._go_on(group):
                self.expect_turn(stay)
        else:
            self._clock.call_at(now, SESSION + group.index, self._meet, group)

    def _settle_joining(self, host: Group, is_held: bool) -> None:
        """The host's session is held, and so theirs were merged; or it is not, and they stay cancelled."""
        for place, group, _ in host.joining:
            if is_held:
                self._recorder.sessions.change(place, "session_cause", Cause.MERGED)
            if group.cohort is not None and group.cohort.is_gathered:
                group.cohort.is_gathered = False
                self._allocator.freed(self._units[group.index])
                self._settle_cohort(group, is_held)
        host.joining.clear()

    # ── cohorts ──────────────────────────────────────────────────────────────────────────────────────────────

    def _convene(self, group: Group) -> None:
        """A start date: those who have been admitted for it are expected from now on."""
        cohort, now = cast("Cohorts", group.cohort), self._clock.now
        if group.closes is not None and group.closes <= now:
            return
        self._clock.call_at(now + cohort.every_days, LEAVING, self._convene, group)
        if cohort.is_due:
            cohort.turn_to_next()
            self._allocator.freed(self._units[group.index])
        cohort.is_due = True
        for stay in cohort.coming.values():
            group.seat(stay)

    def _settle_cohort(self, group: Group, is_held: bool) -> None:
        """After a session: if a cohort has started with it, or there was none to start, the next may be joined."""
        cohort = cast("Cohorts", group.cohort)
        if cohort.is_due and (is_held or not cohort.coming):
            cohort.is_due = False
            cohort.turn_to_next()
            self._allocator.freed(self._units[group.index])

    # ── one plan ─────────────────────────────────────────────────────────────────────────────────────────────

    def begin(self, stay: Stay) -> None:
        """The first session is about to start: draw the propensity and foresee the plan."""
        if stay.had:
            self._recorder.had_before[stay.number] = stay.had
        mean, sd = stay.treatment.attendance, stay.treatment.attendance_sd
        stay.propensity = mean
        if sd:
            uniform = self._draws.uniform(stay, "propensity")
            total = mean * (1 - mean) / sd**2 - 1
            shape = mean * total
            stay.propensity = float(betaincinv(shape, total - shape, uniform))
        self.foresee_turn(stay)

    def turn(self, stay: Stay) -> None:
        """After the session that `Stay.turn` named: discharge, taper, extension, completion, the payer, or go on."""
        phase_days, extension_share = stay.treatment.phase_days, stay.treatment.extension_share
        had = stay.had
        at_end = bool(phase_days) and had == self._boundary(stay)
        last_phase = stay.phase == len(phase_days) - 1
        through = at_end and last_phase
        if through and extension_share is not None and not stay.extended:
            stay.extended = self._draws.uniform(stay, "extension") < extension_share
            through = not stay.extended
        if through:
            self._journey.complete(stay)
        elif had == stay.missed_out:
            self._journey.discharge(stay)
        else:
            if at_end and not last_phase:
                stay.phase += 1
                self._taper(stay, phase_days[stay.phase])
            if had == stay.payer_turn:
                self._journey.payer_turn(stay)
            if stay.state is IN_CARE:
                self.foresee_turn(stay)

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
        self.expect_turn(stay)
        group = -1 if stay.group is None else stay.group.index
        self._recorder.write(self._clock.now, Fact.MOVED, stay.number, group, -1, bits_of(stay.days))

    def _boundary(self, stay: Stay) -> int:
        """The session, by the patient's own count, with which the phase they are in ends (plan: scheduled)."""
        sessions = stay.treatment.boundaries[stay.phase]
        if stay.extended:
            sessions += stay.treatment.extension_sessions
        if stay.unit.is_scheduled:
            return sessions
        return self._when_attended(stay, sessions)

    def _when_attended(self, stay: Stay, sessions: int) -> int:
        """The session with which the patient has attended so many; past the discharge if that comes before."""
        while stay.attends.count(1) < sessions and stay.missed_out < 0:
            self._foresee(stay, len(stay.attends) + _AHEAD)
        return _place_of(sessions, stay.attends) or stay.missed_out + 1

    def attended_turn(self, stay: Stay, units: int) -> int:
        """The session, by the patient's own count, with which so many will be attended; beyond all if none is."""
        far: float = min(_FAR, stay.ends_after + 1)
        if stay.treatment.boundaries and stay.unit.is_scheduled:
            far = float(stay.treatment.boundaries[-1] + stay.treatment.extension_sessions)
        while stay.attends.count(1) < units and stay.missed_out < 0 and len(stay.attends) < far:
            self._foresee(stay, len(stay.attends) + _AHEAD)
        return _place_of(units, stay.attends) or _FAR + 1

    def foresee_turn(self, stay: Stay) -> None:
        """Find the next session that changes something: the end of a phase, a k-th miss, the payer's turn."""
        had = stay.had
        boundary = self._boundary(stay) if stay.treatment.boundaries else had + _AHEAD
        self._foresee(stay, boundary)
        stay.turn = boundary
        if had <= stay.missed_out < stay.turn:
            stay.turn = stay.missed_out
        if had <= stay.payer_turn < stay.turn:
            stay.turn = stay.payer_turn
        self.expect_turn(stay)

    def expect_turn(self, stay: Stay) -> None:
        """Find the meeting with which the turn will be reached, if all until then are held."""
        group, expected, stay.turns_with = stay.group, stay.turns_with, -1
        to_come = stay.turn - stay.had
        if group is not None and stay.seated_at >= 0 and to_come > 0:
            stay.turns_with = group.meetings.open(stay.days, group.next, to_come - 1)
            if stay.turns_with not in (-1, expected):
                group.turns.setdefault(stay.turns_with, []).append(stay)

    def _foresee(self, stay: Stay, sessions: int) -> None:
        """Draw attendance up to so many of the patient's own sessions, and look for a run of misses."""
        known, run = len(stay.attends), stay.treatment.misses
        if stay.propensity >= 1:
            stay.attends += b"\1" * (sessions - known)
        else:
            stay.attends += self._draws.below(stay, "attendance", range(known, sessions), stay.propensity)
        self._recorder.attends[stay.number] = stay.attends
        if run and stay.missed_out < 0:
            place = stay.attends.find(bytes(run), max(0, known - run + 1))
            if place >= 0:
                stay.missed_out = place + run

    # ── a group ends ─────────────────────────────────────────────────────────────────────────────────────────

    def _close(self, group: Group) -> None:
        """Members move to another fitting group with room; who finds none leaves."""
        for stay in sorted(group.members.values(), key=lambda stay: stay.patient.index):
            if stay.state is HELD:
                self._journey.end_hold((stay, HELD))
                continue
            offer = cast("Groups", stay.unit.capacity).find_elsewhere(stay, self._clock.now)
            if offer is not None:
                self._move(stay, offer)
            else:
                self._journey.lose_group(stay)


def _place_of(nth: int, attends: bytes) -> int:
    """The session, from 1, that is the n-th attended; 0 if so many are not known of."""
    attended = 0
    for place, byte in enumerate(attends, start=1):
        attended += byte
        if attended == nth:
            return place
    return 0


def _guests(host: Group) -> list[Stay]:
    """Those of other groups who join the session, if they are still in their group and in treatment."""
    return [
        stay
        for _, group, members in host.joining
        for stay in members
        if stay.group is group and stay.state in {ADMITTED, IN_CARE}
    ]
