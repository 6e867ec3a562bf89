"""The stages between a referral and the waitlist: contact, eligibility, intake appointments (model.md §6)."""

from __future__ import annotations

from functools import partial
from math import floor
from typing import TYPE_CHECKING, Final

from iopsim.model.clock import ARRIVAL
from iopsim.model.elapsed import given_elapsed
from iopsim.model.ledger import Fact, Stage
from iopsim.model.people import APPLYING

if TYPE_CHECKING:
    from collections.abc import Callable

    from iopsim.model.allocation import Allocator
    from iopsim.model.clock import Clock
    from iopsim.model.draws import Draws
    from iopsim.model.journey import Journey
    from iopsim.model.ledger import Recorder
    from iopsim.model.people import Stay
    from iopsim.model.staff import Staff
    from iopsim.model.terms import Assessment, Screening, Stages

__all__ = ["Access"]

_CONTACTED: Final = int(Fact.CONTACTED)
_BOOKED: Final = int(Fact.BOOKED)
_NO_SHOW: Final = int(Fact.NO_SHOW)
_ASSESSED: Final = int(Fact.ASSESSED)


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
        self._recorder = recorder
        self._journey = journey
        self._allocator = allocator
        self._staff = staff
        # Bound once, not for each patient.
        self._is_reached: Callable[[Stay], None] = self._contacted_later
        self._hour_comes: Callable[[tuple[Stay, int, bool, int]], None] = self._appointment
        self._is_over: Callable[[Stay], None] = self._assessed
        self._unserved: dict[str, list[tuple[Stay, int]]] = {}

    def enter(self, stay: Stay) -> None:
        """The referral has come: somebody tries to reach the patient."""
        stay.state = APPLYING
        stages = self._stages(stay)
        reaching, delay = stages.reaching, 0.0
        if reaching is not None:
            if not self._succeeds(stay, "contact", reaching.share):
                self._journey.turn_away(stay, Fact.LOST, reaching.lost_to, Stage.CONTACT)
                return
            if reaching.delay is not None:
                delay = reaching.delay(self._draws.uniform(stay, "contact delay"))
        if delay > 0:
            when = self._clock.now + delay
            self._clock.call_at(when, ARRIVAL + stay.patient.index, self._is_reached, stay)
        else:
            self._contacted(stay, stages)

    def go_on(self, stay: Stay, appointment: float | None) -> None:
        """Who applied before the run began has an appointment on that day, or is still to be reached."""
        stages = self._stages(stay)
        reaching, intake = stages.reaching, stages.assessment
        now, applied = self._clock.now, stay.joined
        if appointment is None or intake is None:
            law = reaching.delay_days if reaching is not None else None
            delay = (
                given_elapsed(law, now - applied, self._draws.uniform(stay, "contact delay")) if law else 0.0
            )
            when = max(applied + delay, now)
            self._clock.call_at(when, ARRIVAL + stay.patient.index, self._is_reached, stay)
            return
        if reaching is not None:
            self._recorder.write(applied, _CONTACTED, stay.number)
        slot = self._staff.diary(intake.role).book_on(floor(appointment), intake.minutes)
        if slot is None:
            self._wait_for_staff(stay, intake, 0)
        else:
            self._expect(stay, intake, slot, applied, 0)

    def _contacted_later(self, stay: Stay) -> None:
        if stay.state is APPLYING:
            self._contacted(stay, self._stages(stay))
            self._allocator.allocate(stay.unit)

    def _contacted(self, stay: Stay, stages: Stages) -> None:
        """Reached: screened, and given an appointment."""
        if stages.reaching is not None:
            self._recorder.write(self._clock.now, _CONTACTED, stay.number)
        if stages.screening is not None and not self._is_eligible(stay, stages.screening, "screen"):
            return
        if stages.assessment is not None:
            self._book(stay, stages.assessment, 0)
        else:
            self._journey.enlist(stay)

    # ── appointments ─────────────────────────────────────────────────────────────────────────────────────────

    def _book(self, stay: Stay, intake: Assessment, missed: int) -> None:
        """The first free appointment."""
        now = self._clock.now
        slot = self._staff.diary(intake.role).book(now, intake.minutes)
        if slot is None:
            self._wait_for_staff(stay, intake, missed)
            return
        self._expect(stay, intake, slot, now, missed)

    def _expect(
        self, stay: Stay, intake: Assessment, slot: tuple[float, int], booked: float, missed: int
    ) -> None:
        """An appointment was made at the time `booked`, after so many that were missed."""
        when, post = slot
        lead_days = floor(when) - floor(booked)
        shows = self._succeeds(stay, "show", intake.show_share(lead_days), stay.bookings)
        stay.bookings += 1
        self._recorder.write(booked, _BOOKED, stay.number, lead_days, post)
        self._clock.call_at(when, ARRIVAL + stay.patient.index, self._hour_comes, (stay, post, shows, missed))

    def _wait_for_staff(self, stay: Stay, intake: Assessment, missed: int) -> None:
        """Nobody gives appointments: whoever comes next gives them in this order."""
        if intake.role not in self._unserved:
            self._unserved[intake.role] = []
            self._staff.watch(intake.role, partial(self._serve, intake.role))
        self._unserved[intake.role].append((stay, missed))

    def _serve(self, role: str) -> None:
        waiting, self._unserved[role] = self._unserved[role], []
        for stay, missed in waiting:
            intake = self._stages(stay).assessment
            if stay.state is APPLYING and intake is not None:
                self._book(stay, intake, missed)

    def _appointment(self, call: tuple[Stay, int, bool, int]) -> None:
        """The hour has come: who shows is assessed; who does not may book again."""
        stay, post, shows, missed = call
        stages = stay.unit.stages[stay.origin]
        if stay.state is not APPLYING or stages is None or stages.assessment is None:
            return
        intake, now = stages.assessment, self._clock.now
        if not self._staff.diary(intake.role).is_present(post):
            self._book(stay, intake, missed)  # called off by the program: not the patient's fault
            return
        if shows:
            self._recorder.write(now, _ASSESSED, stay.number, -1, post)
            when = now + intake.days
            self._clock.call_at(when, ARRIVAL + stay.patient.index, self._is_over, stay)
            return
        self._recorder.write(now, _NO_SHOW, stay.number, -1, post)
        if missed < intake.rebook and self._succeeds(stay, "rebook", intake.rebook_taken, missed):
            self._book(stay, intake, missed + 1)
        else:
            self._journey.turn_away(stay, Fact.LOST, intake.lost_to, Stage.INTAKE)

    def _assessed(self, stay: Stay) -> None:
        if stay.state is not APPLYING:
            return
        screening = self._stages(stay).screening
        if screening is None or self._is_eligible(stay, screening, "assessment"):
            self._journey.enlist(stay)
            self._allocator.allocate(stay.unit)

    def _is_eligible(self, stay: Stay, screening: Screening, found_at: str) -> bool:
        """Whether the level is right for the patient, as far as it is found out here; if not, they are sent on."""
        if screening.found_at != found_at or self._succeeds(stay, "eligible", screening.share):
            return True
        stage = Stage.SCREEN if found_at == "screen" else Stage.ASSESSMENT
        self._journey.turn_away(stay, Fact.LOST, screening.otherwise, stage)
        return False

    # ── small words ──────────────────────────────────────────────────────────────────────────────────────────

    @staticmethod
    def _stages(stay: Stay) -> Stages:
        stages = stay.unit.stages[stay.origin]
        assert stages is not None, "nobody applies where there is no stage"
        return stages

    def _succeeds(self, stay: Stay, decision: str, share: float, occurrence: int = 0) -> bool:
        """Whether a decision falls within its share; certain ones need no chance."""
        if share >= 1:
            return True
        return self._draws.uniform(stay, decision, occurrence) < share
