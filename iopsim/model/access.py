"""The stages between a referral and the waitlist: contact, eligibility, intake appointments (model.md §6)."""

from __future__ import annotations

from functools import partial
from math import floor
from typing import TYPE_CHECKING

from iopsim.model.clock import ARRIVAL
from iopsim.model.elapsed import given_elapsed
from iopsim.model.ledger import Fact, Stage
from iopsim.model.people import State
from iopsim.model.timeline import in_days

if TYPE_CHECKING:
    from iopsim.model.allocation import Allocator
    from iopsim.model.clock import Clock
    from iopsim.model.draws import Draws
    from iopsim.model.journey import Journey
    from iopsim.model.ledger import Recorder
    from iopsim.model.people import Stay
    from iopsim.model.staff import Staff
    from iopsim.model.units import Stages
    from iopsim.scenario.access import Intake

__all__ = ["Access"]


class Access:
    """Takes a patient through the stages of a level that apply to where they come from."""

    def __init__(
        self,
        clock: Clock,
        draws: Draws,
        recorder: Recorder,
        journey: Journey,
        allocator: Allocator,
        staff: Staff,
    ) -> None:
        self._clock = clock
        self._draws = draws
        self._write = recorder.write
        self._journey = journey
        self._allocator = allocator
        self._staff = staff
        self._unserved: dict[str, list[tuple[Stay, int]]] = {}

    def enter(self, stay: Stay) -> None:
        """The referral has come: somebody tries to reach the patient."""
        stay.state = State.APPLYING
        contact = self._stages(stay).contact
        if contact is not None and not self._succeeds(stay, "contact", contact.share):
            self._journey.turn_away(stay, Fact.LOST, contact.lost_to, Stage.CONTACT)
            return
        delay = 0.0
        if contact is not None and contact.delay_days is not None:
            delay = contact.delay_days.quantile(self._draw(stay, "contact delay"))
        if delay > 0:
            self._at(self._clock.now + delay, stay, self._contacted_later)
        else:
            self._contacted(stay)

    def go_on(self, stay: Stay, appointment: float | None) -> None:
        """Who applied before the run began has an appointment on that day, or is still to be reached."""
        contact, _, intake = self._stages(stay)
        now, applied = self._clock.now, stay.joined
        if appointment is None or intake is None:
            law = contact.delay_days if contact is not None else None
            delay = given_elapsed(law, now - applied, self._draw(stay, "contact delay")) if law else 0.0
            self._at(max(applied + delay, now), stay, self._contacted_later)
            return
        if contact is not None:
            self._write(applied, Fact.CONTACTED, stay.number)
        slot = self._staff.diary(intake.role).book_on(floor(appointment), intake.minutes)
        if slot is None:
            self._wait_for_staff(stay, intake, 0)
        else:
            self._expect(stay, intake, slot, applied, 0)

    def _contacted_later(self, stay: Stay) -> None:
        if stay.state is State.APPLYING:
            self._contacted(stay)
            self._allocator.allocate(stay.unit)

    def _contacted(self, stay: Stay) -> None:
        """Reached: screened, and given an appointment."""
        stages = self._stages(stay)
        if stages.contact is not None:
            self._write(self._clock.now, Fact.CONTACTED, stay.number)
        if not self._is_eligible(stay, "screen", Stage.SCREEN):
            return
        if stages.intake is not None:
            self._book(stay, stages.intake, 0)
        else:
            self._journey.enlist(stay)

    # ── appointments ─────────────────────────────────────────────────────────────────────────────────────────

    def _book(self, stay: Stay, intake: Intake, missed: int) -> None:
        """The first free appointment."""
        now = self._clock.now
        slot = self._staff.diary(intake.role).book(now, intake.minutes)
        if slot is None:
            self._wait_for_staff(stay, intake, missed)
            return
        self._expect(stay, intake, slot, now, missed)

    def _expect(
        self, stay: Stay, intake: Intake, slot: tuple[float, int], booked: float, missed: int
    ) -> None:
        """An appointment was made at the time `booked`, after so many that were missed."""
        when, post = slot
        lead_days = floor(when) - floor(booked)
        shows = self._succeeds(stay, "show", intake.show_share(lead_days), stay.bookings)
        stay.bookings += 1
        self._write(booked, Fact.BOOKED, stay.number, lead_days, self._staff.number(intake.role, post))
        self._at(when, stay, self._appointment, (post, shows, missed))

    def _wait_for_staff(self, stay: Stay, intake: Intake, missed: int) -> None:
        """Nobody gives appointments: whoever comes next gives them in this order."""
        if intake.role not in self._unserved:
            self._unserved[intake.role] = []
            self._staff.watch(intake.role, partial(self._serve, intake.role))
        self._unserved[intake.role].append((stay, missed))

    def _serve(self, role: str) -> None:
        waiting, self._unserved[role] = self._unserved[role], []
        for stay, missed in waiting:
            intake = self._stages(stay).intake
            if stay.state is State.APPLYING and intake is not None:
                self._book(stay, intake, missed)

    def _appointment(self, call: tuple[Stay, tuple[int, bool, int]]) -> None:
        """The hour has come: who shows is assessed; who does not may book again."""
        stay, (post, shows, missed) = call
        intake = self._stages(stay).intake
        if stay.state is not State.APPLYING or intake is None:
            return
        if not self._staff.diary(intake.role).is_present(post):
            self._book(stay, intake, missed)  # called off by the program: not the patient's fault
            return
        now, number = self._clock.now, self._staff.number(intake.role, post)
        if shows:
            self._write(now, Fact.ASSESSED, stay.number, -1, number)
            self._at(now + in_days(intake.minutes / 60), stay, self._assessed)
            return
        self._write(now, Fact.NO_SHOW, stay.number, -1, number)
        if missed < intake.rebook and self._succeeds(stay, "rebook", intake.rebook_taken, missed):
            self._book(stay, intake, missed + 1)
        else:
            self._journey.turn_away(stay, Fact.LOST, intake.lost_to, Stage.INTAKE)

    def _assessed(self, stay: Stay) -> None:
        if stay.state is State.APPLYING and self._is_eligible(stay, "assessment", Stage.ASSESSMENT):
            self._journey.enlist(stay)
            self._allocator.allocate(stay.unit)

    def _is_eligible(self, stay: Stay, found_at: str, stage: Stage) -> bool:
        """Whether the level is right for the patient, as far as it is found out here; if not, they are sent on."""
        eligible = self._stages(stay).eligible
        if eligible is None or eligible.found_at != found_at:
            return True
        if self._succeeds(stay, "eligible", eligible.share):
            return True
        self._journey.turn_away(stay, Fact.LOST, eligible.otherwise, stage)
        return False

    # ── small words ──────────────────────────────────────────────────────────────────────────────────────────

    @staticmethod
    def _stages(stay: Stay) -> Stages:
        stages = stay.unit.stages[stay.origin]
        assert stages is not None, "nobody applies where there is no stage"
        return stages

    def _at(self, time: float, stay: Stay, call: object, detail: object = None) -> None:
        argument = stay if detail is None else (stay, detail)
        self._clock.call_at(time, ARRIVAL + stay.patient.index, call, argument)  # type: ignore[arg-type]

    def _draw(self, stay: Stay, decision: str) -> float:
        return self._draws.uniform(stay.patient, decision, stay.unit.name, stay.entry)

    def _succeeds(self, stay: Stay, decision: str, share: float, occurrence: int | None = None) -> bool:
        """Whether a decision falls within its share; certain ones need no chance."""
        if share >= 1:
            return True
        if occurrence is None:
            return self._draw(stay, decision) < share
        which = range(occurrence, occurrence + 1)
        return self._draws.uniforms(stay.patient, decision, stay.unit.name, stay.entry, which)[0] < share
