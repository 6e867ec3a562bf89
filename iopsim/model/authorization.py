"""The payer's word: before admission, and again when the approved units run low (model.md §6)."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Final

from iopsim.model.clock import LEAVING
from iopsim.model.ledger import Fact, Missing
from iopsim.model.people import IN_CARE, NEVER, SUSPENDED, WAITING

if TYPE_CHECKING:
    from iopsim.model.clock import Clock
    from iopsim.model.draws import Draws
    from iopsim.model.journey import Journey
    from iopsim.model.ledger import Recorder
    from iopsim.model.people import Stay
    from iopsim.model.plan import SessionPlan
    from iopsim.model.terms import Approval

__all__ = ["Payers"]


_AUTHORIZATION: Final = int(Missing.AUTHORIZATION)
_ASKED: Final = int(Fact.ASKED)
_EXTENDED: Final = int(Fact.EXTENDED)
_INSTANT: Final = 1e-9  # in units: rounding must not make one more; an answer with the last unit is in time


class Payers:
    """Answers requests, and follows the units that each stay uses up.

    A unit is a session attended, looked at after the session by which so many are (`Stay.payer_turn`), or some days of
    treatment (`Stay.payer_after`): one, or in places, where sessions are not held, as many as go with each of the
    level's days a week.
    """

    def __init__(
        self, clock: Clock, draws: Draws, recorder: Recorder, journey: Journey, plan: SessionPlan
    ) -> None:
        self._clock = clock
        self._draws = draws
        self._recorder = recorder
        self._journey = journey
        self._plan = plan

    # ── before admission ─────────────────────────────────────────────────────────────────────────────────────

    def ask(self, stay: Stay, asked: Approval) -> bool:
        """Ask on joining the waitlist; False if it is denied at once."""
        denied = asked.denied > 0 and self._draws.uniform(stay, "denied") < asked.denied
        delay = self.delay(stay, asked)
        if delay > 0:
            self._expect(stay, self._clock.now + delay, denied)
        elif not denied:
            self._journey.authorize(stay)
        return delay > 0 or not denied

    def delay(self, stay: Stay, asked: Approval) -> float:
        """Days from asking to the answer."""
        return 0.0 if asked.delay is None else asked.delay(self._draws.uniform(stay, "authorization"))

    def expect(self, stay: Stay, asked: Approval, time: float) -> None:
        """Who waits since before the run began gets the answer then."""
        self._expect(stay, time, asked.denied > 0 and self._draws.uniform(stay, "denied") < asked.denied)

    def _expect(self, stay: Stay, time: float, denied: bool) -> None:
        stay.lacks |= _AUTHORIZATION
        self._at(time, stay, self._answer, denied)

    def _answer(self, call: tuple[Stay, bool]) -> None:
        stay, denied = call
        if stay.state is not WAITING:
            return
        if denied:
            self._journey.turn_away(stay, Fact.DENIED, self._asked(stay).denied_to)
        else:
            self._journey.authorize(stay)

    # ── in care ──────────────────────────────────────────────────────────────────────────────────────────────

    def begin(self, stay: Stay, asked: Approval) -> None:
        """Care begins, or goes on, with the units that the payer has approved: always so many at once."""
        if asked.units is not None:
            stay.approved = asked.units * (1 + int(self._units(stay) // asked.units))
            self._watch(stay)

    def turn(self, stay: Stay) -> None:
        """Units have run low, or are used up."""
        stay.payer_after, stay.payer_turn = NEVER, -1
        if stay.is_cut:
            self._journey.cut(stay, self._asked(stay).denied_to)
        elif stay.is_asking:
            self._recorder.write(self._clock.now, Fact.LAPSED, stay.number)
        else:
            self._ask_for_more(stay)

    def _ask_for_more(self, stay: Stay) -> None:
        asked, number = self._asked(stay), stay.reviews
        stay.reviews += 1
        stay.is_asking = True
        self._recorder.write(self._clock.now, _ASKED, stay.number, stay.approved)
        cut = asked.cut > 0 and self._draws.uniform(stay, "cut", number) < asked.cut
        delay = asked.review_delay(self._draws.uniform(stay, "review", number)) if asked.review_delay else 0.0
        if delay > 0:
            self._watch(stay)
            self._at(self._clock.now + delay, stay, self._reviewed, cut)
        else:
            self._reviewed((stay, cut))

    def _reviewed(self, call: tuple[Stay, bool]) -> None:
        """The answer to a review: no more, or as many units again, from now on if they were used up."""
        stay, cut = call
        if stay.state not in (IN_CARE, SUSPENDED):
            return
        stay.is_asking, stay.is_cut = False, cut
        if cut:
            self._recorder.write(self._clock.now, Fact.CUT, stay.number)
        else:
            stay.approved = max(stay.approved, self._used(stay)) + (self._asked(stay).units or 0)
            self._recorder.write(self._clock.now, _EXTENDED, stay.number, stay.approved)
        self._watch(stay)
        if stay.state is IN_CARE:
            self._journey.watch(stay)

    def _watch(self, stay: Stay) -> None:
        """Set the instant at which the units will have run low, or be used up."""
        asked = self._asked(stay)
        until = stay.approved - (0 if stay.is_asking or stay.is_cut else asked.ask_before)
        stay.payer_after, stay.payer_turn = NEVER, -1
        if days := asked.days_of_a_unit:
            after = until * days + (_INSTANT if stay.is_asking else 0.0)
            stay.payer_after = max(after, self._treated(stay))
        elif until > self._used(stay):
            stay.payer_turn = self._plan.attended_turn(stay, until)
        else:
            stay.payer_after = self._treated(stay)  # at once, or when treatment goes on

    def _used(self, stay: Stay) -> int:
        """Whole units used up until now, one that has been begun included."""
        return ceil(self._units(stay) - _INSTANT)

    def _units(self, stay: Stay) -> float:
        """Units used up until now."""
        if days := self._asked(stay).days_of_a_unit:
            return self._treated(stay) / days
        return stay.attends.count(1, 0, stay.had)

    def _treated(self, stay: Stay) -> float:
        going_on = stay.state is IN_CARE
        return stay.treated + (self._clock.now - stay.since if going_on else 0.0)

    # ── small words ──────────────────────────────────────────────────────────────────────────────────────────

    @staticmethod
    def _asked(stay: Stay) -> Approval:
        asked = stay.unit.approvals[stay.patient.payer]
        assert asked is not None, "nobody is asked where nothing has to be approved"
        return asked

    def _at(self, time: float, stay: Stay, call: object, detail: object) -> None:
        self._clock.call_at(time, LEAVING + stay.patient.index, call, (stay, detail))  # type: ignore[arg-type]
