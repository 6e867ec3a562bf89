"""The care pathway: what happens to a patient, one method for each instant of the journey (model.md §§5-7).

refer → access → join ─→ (allocator admits) ─→ start ─→ complete / drop out / discharge / step up ─→ next level or home
          │        ├→ refuse, deny               │                                    └→ come back, some time later
          └→ lose  └→ renege                     └→ suspend ⇄ resume

What comes before care is in `approach`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from iopsim.model.approach import Approach
from iopsim.model.clock import COMPLETION, LEAVING, RENEGING
from iopsim.model.elapsed import given_elapsed, spent
from iopsim.model.ledger import SERVICES_A_WORD, Fact, Reason
from iopsim.model.people import (
    APPLYING,
    AT_HOME,
    HELD,
    IN_CARE,
    NEVER,
    SUSPENDED,
    UNDECIDED,
    WAITING,
    Patient,
    State,
    Stay,
)
from iopsim.model.sources import choose
from iopsim.model.units import weeks_to_event

if TYPE_CHECKING:
    from collections.abc import Callable

    from iopsim.model.clock import Clock
    from iopsim.model.draws import Draws
    from iopsim.model.ledger import Recorder
    from iopsim.model.plan import SessionPlan
    from iopsim.model.units import Unit
    from iopsim.model.visits import Visits

__all__ = ["Journey"]

_WORD: Final = (1 << SERVICES_A_WORD) - 1
_STARTED: Final = int(Fact.STARTED)
_COMPLETED: Final = int(Fact.COMPLETED)


class Journey(Approach):
    """Lets patients live their journeys; the allocator alone gives and takes places."""

    plan: SessionPlan
    visits: Visits

    def __init__(
        self, clock: Clock, draws: Draws, recorder: Recorder, units: list[Unit], sources: list[int]
    ) -> None:
        super().__init__(clock, draws, recorder, units, sources)
        # Bound once, not for each patient: thousands of calls are on the clock at any time.
        self._ending: Callable[[Stay], None] = self._end
        self._coming_back: Callable[[Stay], None] = self._come_back

    # ── care ─────────────────────────────────────────────────────────────────────────────────────────────────

    def start(self, stay: Stay) -> None:
        """Care begins; a place that was held until now is given back."""
        now, patient = self._clock.now, stay.patient
        self.vacate(patient)
        stay.treatment = stay.unit.treatment(patient)  # as it is by now
        patient.here, patient.ahead = stay, None
        stay.state, stay.since = IN_CARE, now
        services = self.services(stay)
        self.write_start(now, stay, services)
        self.undergo(stay, services)

    def write_start(self, time: float, stay: Stay, services: int) -> None:
        """Write down that care has started, and with which services."""
        self._recorder.write(time, _STARTED, stay.number, services & _WORD, services >> SERVICES_A_WORD or -1)

    def services(self, stay: Stay) -> int:
        """The services that the patient gets in this stay, as bits."""
        services = stay.treatment.services
        for bit, share, decision in stay.treatment.drawn_services:
            if self._draws.uniform(stay, decision) < share:
                services |= bit
        return services

    def undergo(self, stay: Stay, services: int, elapsed: float = 0.0, at_least: float = 0.0) -> None:
        """Foresee the course of a treatment that begins, or that goes on after `Stay.treated` days.

        Care started `elapsed` days ago. A stay in days is known to last `at_least` so long in all.
        """
        treatment, patient = stay.treatment, stay.patient
        if treatment.stay_days is not None:
            known = max(stay.treated, at_least)
            stay.ends_after = given_elapsed(treatment.stay_days, known, self._draws.uniform(stay, "stay"))
        self._foresee_leaving(stay)
        if stay.group is not None:
            self.plan.begin(stay)
        if (asked := stay.unit.approvals[patient.payer]) is not None:
            self.payers.begin(stay, asked)
            if stay.payer_turn >= 0:
                self.plan.foresee_turn(stay)
        if services & treatment.limited:
            self.visits.begin(stay, services & treatment.limited, elapsed)
        self._schedule_end(stay)

    def _foresee_leaving(self, stay: Stay) -> None:
        """Days of treatment after which the patient would drop out or need a higher level."""
        treatment = stay.treatment
        if treatment.dropout is not None or treatment.dropout_per_week:
            hazard = self._draws.exponential(stay, "dropout")
            if treatment.per_week_waited != 1:
                hazard /= treatment.per_week_waited ** int((stay.admitted - stay.joined) / 7)
            if stay.treated:
                hazard += spent(treatment.dropout, treatment.dropout_per_week, stay.treated)
            self._foresee_dropout(stay, hazard)
        if treatment.step_up is not None:
            hazard = self._draws.exponential(stay, "step_up")
            if stay.treated:
                hazard += spent(treatment.step_up_days, treatment.step_up_per_week, stay.treated)
            if treatment.step_up_time is not None:
                stay.step_up_after = treatment.step_up_time(hazard)
            else:
                stay.step_up_after = weeks_to_event(treatment.step_up_per_week, hazard)
            stay.step_up_after = max(stay.step_up_after, stay.treated)
        if before := stay.unit.refer_before_days:
            planned = 7.0 * treatment.phase_weeks if treatment.phase_weeks else stay.ends_after
            stay.refer_after = max(0.0, planned - before)

    def _foresee_dropout(self, stay: Stay, hazard: float) -> None:
        treatment = stay.treatment
        stay.dropout_hazard = hazard
        if treatment.dropout_time is not None:
            stay.dropout_after = treatment.dropout_time(hazard)
        else:
            stay.dropout_after = weeks_to_event(treatment.dropout_per_week, hazard)

    def reassigned(self, stay: Stay, factor: float) -> None:
        """Another clinician from now on: what is left of the hazard of dropout is multiplied by `factor`."""
        if stay.state not in (IN_CARE, SUSPENDED) or stay.dropout_after == NEVER:
            return
        going_on = stay.state is IN_CARE
        treated = stay.treated + (self._clock.now - stay.since if going_on else 0.0)
        so_far = spent(stay.treatment.dropout, stay.treatment.dropout_per_week, treated)
        if so_far < stay.dropout_hazard:
            self._foresee_dropout(stay, so_far + (stay.dropout_hazard - so_far) / factor)
            stay.dropout_after = max(stay.dropout_after, treated)
            if going_on:
                self._schedule_end(stay)

    def _schedule_end(self, stay: Stay) -> None:
        """Put the next end of treatment on the clock, instead of what was there."""
        if stay.ending is not None:
            stay.ending.call_off()
        after = self._next_turn(stay)
        if after < NEVER:
            order = COMPLETION if after == stay.ends_after else LEAVING
            when = max(stay.since + (after - stay.treated), self._clock.now)  # rounding must not go back
            stay.ending = self._clock.foresee(when, order + stay.patient.index, self._ending, stay)

    @staticmethod
    def _next_turn(stay: Stay) -> float:
        """Days of treatment after which something happens to it, sessions apart."""
        after = stay.ends_after  # not with `min`: this is asked for every treatment that begins or ends
        if stay.dropout_after < after:
            after = stay.dropout_after
        if stay.step_up_after < after:
            after = stay.step_up_after
        if stay.refer_after < after:
            after = stay.refer_after
        if stay.payer_after < after:
            after = stay.payer_after
        return after

    def _end(self, stay: Stay) -> None:
        if stay.state is not IN_CARE:
            return
        after = self._next_turn(stay)
        if after == stay.ends_after:
            self.complete(stay)
        elif after == stay.dropout_after:
            self._leave_early(stay, Fact.DROPPED_OUT, stay.treatment.dropout_to)
        elif after == stay.step_up_after:
            self._suspend(stay)
        else:
            (self._refer_ahead if after == stay.refer_after else self.payer_turn)(stay)

    def _refer_ahead(self, stay: Stay) -> None:
        """The end is near: join the next level's list, to be admitted from the end on."""
        stay.refer_after = NEVER
        if stay.bound == UNDECIDED and stay.patient.ahead is None:
            stay.bound = choose(stay.unit.next, self._draws.uniform(stay, "next"))
            if stay.bound not in stay.unit.next_lag:
                self._go(stay.patient, stay.bound, self._from(stay.unit))
        self._schedule_end(stay)

    def complete(self, stay: Stay) -> None:
        """Treatment is over as planned: on to the next level, holding the place as long as the level says."""
        destination = stay.bound
        if destination == UNDECIDED:
            destination = choose(stay.unit.next, self._draws.uniform(stay, "next"))
        self._recorder.write(self._clock.now, _COMPLETED, stay.number, destination)
        self._consider_return(stay, destination)
        patient, ahead = stay.patient, stay.patient.ahead
        lag = stay.unit.next_lag.get(destination)
        hold = stay.unit.hold_days
        if ahead is not None:
            self.be_ready(ahead)
        if destination != AT_HOME and lag is None and hold > 0:
            self.hold(stay, HELD, destination, hold)
            return
        self.allocator.release(stay)
        if ahead is not None:
            self._wait_without_place(ahead)
        elif lag is None:
            self._go(patient, destination, self._from(stay.unit))
        else:
            self._wait_at_home(stay, destination, lag.quantile(self._draws.uniform(stay, "lag")))

    def payer_turn(self, stay: Stay) -> None:
        """The payer's units are running low, or used up."""
        self.payers.turn(stay)
        if stay.state is IN_CARE:
            self.watch(stay)

    def watch(self, stay: Stay) -> None:
        """The instants of a treatment have changed."""
        self._schedule_end(stay)
        if stay.group is not None:
            self.plan.foresee_turn(stay)

    def discharge(self, stay: Stay) -> None:
        """Too many sessions missed in a row."""
        self._leave_early(stay, Fact.DISCHARGED, stay.treatment.dropout_to, Reason.MISSED)

    def cut(self, stay: Stay, to: int) -> None:
        """The payer approves no more, and what was approved is used up."""
        self._leave_early(stay, Fact.DISCHARGED, to, Reason.CUT)

    def _leave_early(self, stay: Stay, fact: Fact, destination: int, reason: int = -1) -> None:
        self._recorder.write(self._clock.now, fact, stay.number, destination, reason)
        self._consider_return(stay, destination)
        self._forget_ahead(stay.patient)
        self.allocator.release(stay)
        self._go(stay.patient, destination, self._from(stay.unit))

    def _forget_ahead(self, patient: Patient) -> None:
        """The next level was asked for before the end, which does not come as planned."""
        if patient.ahead is not None:
            self._withdraw(patient.ahead)

    def leave(self, stay: Stay) -> None:
        """The stay ends through no cause of its own: called back elsewhere, or the group has closed."""
        self._recorder.write(self._clock.now, Fact.LEFT, stay.number, AT_HOME)
        if stay.patient.ahead is stay:
            stay.patient.ahead = None
        self.allocator.release(stay)

    def lose_group(self, stay: Stay) -> None:
        """The group has closed and no other has room; whatever hung on the place goes on without it."""
        patient, ahead = stay.patient, stay.patient.ahead
        self.leave(stay)
        here = patient.here
        if ahead is stay and here is not None:
            if here.state is SUSPENDED:
                self.resume(here)
            else:
                self.vacate(patient)
        elif ahead is not None and ahead.state in (APPLYING, WAITING):
            self.be_ready(ahead)
            self._wait_without_place(ahead)

    def _wait_without_place(self, ahead: Stay) -> None:
        if ahead.state is WAITING:
            ahead.unit.waitlist.holders.pop(ahead.number, None)
            self.begin_patience(ahead)

    # ── between levels ───────────────────────────────────────────────────────────────────────────────────────

    def _suspend(self, stay: Stay) -> None:
        """A more intensive level is needed: ask for it, holding the place; treatment stops meanwhile."""
        destination = choose(stay.treatment.step_up_to, self._draws.uniform(stay, "step_up_to"))
        step_up = stay.treatment.step_up
        stay.treated = stay.step_up_after
        stay.step_up_after = NEVER  # one need a stay
        self._forget_ahead(stay.patient)
        if step_up is None or destination == AT_HOME:
            self._recorder.write(self._clock.now, Fact.STEPPED_UP, stay.number, destination)
            self._consider_return(stay, destination)
            self.allocator.release(stay)
            return
        self._recorder.write(self._clock.now, Fact.SUSPENDED, stay.number, destination)
        self.hold(stay, SUSPENDED, destination, step_up.hold_days)

    def hold(self, stay: Stay, state: State, destination: int, days: float, elapsed: float = 0.0) -> None:
        """Keep the place while waiting for another level, for so many days of which some have passed."""
        if stay.group is not None:
            stay.group.unseat(stay)
        stay.state = state
        self.visits.pause(stay)
        if stay.patient.ahead is None:
            self._go(stay.patient, destination, self._from(stay.unit))
        if days < NEVER:
            # Without any hold the request still gets its one chance at this instant's allocation.
            order = LEAVING if days else RENEGING
            self._at(self._clock.now + max(0.0, days - elapsed), order, stay, self.end_hold, state)

    def end_hold(self, call: tuple[Stay, State]) -> None:
        """A hold is over: back to the suspended treatment, or home with the place given back."""
        stay, state = call
        if stay.state is not state or stay.patient.here is not stay:
            return
        ahead = stay.patient.ahead
        waits = ahead is not None and ahead.state in (APPLYING, WAITING)
        if state is SUSPENDED and waits and ahead is not None:
            self._withdraw(ahead)
            self.resume(stay)
            return
        self.vacate(stay.patient)
        if waits and ahead is not None:
            self._wait_without_place(ahead)

    def vacate(self, patient: Patient) -> None:
        """Give back the place that a patient holds, if any; a suspended stay has thereby stepped up."""
        here = patient.here
        if here is None:
            return
        if here.state is SUSPENDED:
            higher = AT_HOME if patient.ahead is None else patient.ahead.unit.index
            self._recorder.write(self._clock.now, Fact.STEPPED_UP, here.number, higher)
            self._consider_return(here, higher)
        self.allocator.release(here)

    def resume(self, stay: Stay) -> None:
        """Treatment goes on where it stopped."""
        stay.state, stay.since = IN_CARE, self._clock.now
        self._recorder.write(self._clock.now, Fact.RESUMED, stay.number)
        self.visits.resume(stay)
        self._schedule_end(stay)
        if stay.group is not None:
            stay.group.seat(stay)
            if stay.payer_turn >= 0:  # the payer may have answered meanwhile
                self.plan.foresee_turn(stay)
            else:
                self.plan.expect_turn(stay)
            if stay.had == stay.turn:
                self.plan.turn(stay)

    def _wait_at_home(self, stay: Stay, destination: int, days: float) -> None:
        patient = stay.patient
        patient.heading, patient.lags = destination, patient.lags + 1
        self._at(self._clock.now + days, LEAVING, stay, self._end_lag, patient.lags)

    def _end_lag(self, call: tuple[Stay, int]) -> None:
        stay, lag = call
        patient = stay.patient
        if patient.heading != AT_HOME and patient.lags == lag:
            destination, patient.heading = patient.heading, AT_HOME
            self._go(patient, destination, self._from(stay.unit))

    def _consider_return(self, stay: Stay, destination: int) -> None:
        returns = stay.unit.returns
        if returns is None or destination not in returns.out_of:
            return
        if self._draws.uniform(stay, "returns") < returns.share:
            delay = returns.after(self._draws.uniform(stay, "return_after"))
            self._at(self._clock.now + delay, LEAVING, stay, self._coming_back)

    def _come_back(self, stay: Stay) -> None:
        """A return is due: from home, or out of one of the levels that it may interrupt."""
        returns, patient = stay.unit.returns, stay.patient
        if returns is None:
            return
        engaged = {part.unit.index for part in (patient.here, patient.ahead) if part is not None}
        if patient.heading != AT_HOME:
            engaged.add(patient.heading)
        if not engaged <= returns.out_of:
            return
        patient.heading = AT_HOME
        ahead, here = patient.ahead, patient.here
        if ahead is not None:
            waits = ahead.state in (APPLYING, WAITING)
            (self._withdraw if waits else self.leave)(ahead)
        if here is not None and here.state is HELD:
            self.allocator.release(here)
        elif here is not None:
            self.leave(here)
        self._go(patient, returns.to, origin=len(self._to) + len(self._units))
