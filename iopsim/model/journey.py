"""The care pathway: what happens to a patient, one method for each instant of the journey (model.md §§5-7).

refer → join ─→ (allocator admits) ─→ start ─→ complete / drop out / discharge / step up ─→ next level or home
          ├→ refuse                     │                                    └→ come back, some time later
          └→ renege                     └→ suspend ⇄ resume
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from iopsim.model.clock import COMPLETION, LEAVING, RENEGING
from iopsim.model.ledger import Fact
from iopsim.model.people import NEVER, Patient, State, Stay
from iopsim.model.sources import choose
from iopsim.model.units import weeks_to_event
from iopsim.scenario.parts import HOME

if TYPE_CHECKING:
    from collections.abc import Callable

    from iopsim.model.allocation import Allocator
    from iopsim.model.clock import Clock
    from iopsim.model.draws import Draws
    from iopsim.model.ledger import Recorder
    from iopsim.model.plan import SessionPlan
    from iopsim.model.units import Unit

__all__ = ["Journey"]

AT_HOME = -1


class Journey:
    """Lets patients live their journeys; the allocator alone gives and takes places."""

    def __init__(
        self, clock: Clock, draws: Draws, recorder: Recorder, units: list[Unit], sources: list[int]
    ) -> None:
        self._clock = clock
        self._draws = draws
        self._write = recorder.write
        self._stays = recorder.stays
        self._units = units
        self._levels = {unit.name: unit.index for unit in units}
        self._to = sources
        self.allocator: Allocator
        self.plan: SessionPlan

    # ── before care ──────────────────────────────────────────────────────────────────────────────────────────

    def refer(self, patient: Patient) -> None:
        """A source refers the patient to its level."""
        unit = self._units[self._to[patient.source]]
        self.join(patient, unit, origin=patient.source, fact=Fact.REFERRED)
        self.allocator.allocate(unit)

    def join(self, patient: Patient, unit: Unit, origin: int, fact: Fact | None = None) -> None:
        """Put the patient on the level's waitlist."""
        patient.entries[unit.index] += 1
        treatment = unit.treatment(patient)
        now = self._clock.now
        number = len(self._stays)
        stay = Stay(
            number=number,
            patient=patient,
            unit=unit,
            treatment=treatment,
            entry=patient.entries[unit.index],
            origin=origin,
            kind=unit.kind(patient, treatment),
            rank=(unit.classes[origin], now, patient.index, number),
            joined=now,
        )
        self._stays.append((patient.index, unit.index, stay.entry, stay.kind))
        if fact is not None:
            self._write(now, fact, number, origin)
        self._write(now, Fact.JOINED, number, origin)
        patient.ahead = stay
        if unit.takes_everybody:
            self.allocator.admit_at_once(stay)
        else:
            unit.waitlist.add(stay)
            unit.newcomers.append(stay)

    def _go(self, patient: Patient, destination: int, origin: int) -> None:
        """Send a patient home, or to join a level's waitlist as one who comes from `origin`."""
        if destination != AT_HOME:
            unit = self._units[destination]
            self.join(patient, unit, origin)
            self.allocator.ask(unit)

    def refuse(self, stay: Stay) -> None:
        """The waitlist is full: back to the suspended treatment, or to where the refused go."""
        here = stay.patient.here
        resumes = here is not None and here.state is State.SUSPENDED
        destination = AT_HOME if resumes else self._destination(stay.unit.spec.waitlist.otherwise)
        self._write(self._clock.now, Fact.REFUSED, stay.number, destination)
        self._off_the_list(stay)
        if here is not None and resumes:
            self.resume(here)
            return
        if here is not None:
            self.allocator.release(here)
        self._go(stay.patient, destination, self._from(stay.unit))

    def begin_patience(self, stay: Stay) -> None:
        """From now on the patient may give up waiting; beginning twice at one instant is beginning once."""
        law = stay.treatment.care.patience_days
        if law is not None and not stay.patience_begun:
            stay.patience_begun = True
            patience = law.quantile(self._draw(stay, "patience"))
            self._at(self._clock.now + patience, RENEGING, stay, self._renege)

    def _renege(self, stay: Stay) -> None:
        if stay.state is State.WAITING:
            destination = self._destination(stay.unit.spec.waitlist.renege_to)
            self._write(self._clock.now, Fact.RENEGED, stay.number, destination)
            self._off_the_list(stay)
            self._go(stay.patient, destination, self._from(stay.unit))

    def _withdraw(self, stay: Stay) -> None:
        self._write(self._clock.now, Fact.WITHDRAWN, stay.number)
        self._off_the_list(stay)

    def _off_the_list(self, stay: Stay) -> None:
        stay.state = State.GONE
        stay.unit.waitlist.remove(stay)
        stay.patient.ahead = None
        if stay.unit.strict:
            self.allocator.ask(stay.unit)

    # ── care ─────────────────────────────────────────────────────────────────────────────────────────────────

    def start(self, stay: Stay) -> None:
        """Care begins; a place that was held until now is given back."""
        now, patient, treatment = self._clock.now, stay.patient, stay.treatment
        self.vacate(patient)
        patient.here, patient.ahead = stay, None
        stay.state, stay.since = State.IN_CARE, now
        services = treatment.services
        for bit, share, decision in treatment.drawn_services:
            if self._draw(stay, decision) < share:
                services |= bit
        self._write(now, Fact.STARTED, stay.number, services)
        if treatment.care.stay_days is not None:
            stay.ends_after = treatment.care.stay_days.quantile(self._draw(stay, "stay"))
        self._foresee_leaving(stay)
        if stay.group is not None:
            self.plan.begin(stay)
        self._schedule_end(stay)

    def _foresee_leaving(self, stay: Stay) -> None:
        """Days of treatment after which the patient would drop out or need a higher level."""
        early, name = stay.treatment.care.leave_early, stay.unit.name
        if early.dropout is not None or early.dropout_per_week:
            hazard = self._draws.exponential(stay.patient, "dropout", name, stay.entry)
            if early.per_week_waited != 1:
                hazard /= early.per_week_waited ** int((stay.admitted - stay.joined) / 7)
            if early.dropout is not None:
                stay.dropout_after = early.dropout.hazard_time(hazard)
            else:
                stay.dropout_after = weeks_to_event(early.dropout_per_week or 0, hazard)
        if early.step_up is not None:
            hazard = self._draws.exponential(stay.patient, "step_up", name, stay.entry)
            if early.step_up.after_days is not None:
                stay.step_up_after = early.step_up.after_days.hazard_time(hazard)
            else:
                stay.step_up_after = weeks_to_event(early.step_up.per_week or 0, hazard)

    def _schedule_end(self, stay: Stay) -> None:
        """Put the next end of treatment on the clock; `calls` makes calls of before a suspension stale."""
        stay.calls += 1
        after = min(stay.ends_after, stay.dropout_after, stay.step_up_after)
        if after < NEVER:
            order = COMPLETION if after == stay.ends_after else LEAVING
            when = stay.since + (after - stay.treated)
            self._clock.call_at(when, order + stay.patient.index, self._end, (stay, stay.calls))

    def _end(self, call: tuple[Stay, int]) -> None:
        stay, number = call
        if stay.state is not State.IN_CARE or stay.calls != number:
            return
        after = min(stay.ends_after, stay.dropout_after, stay.step_up_after)
        if after == stay.ends_after:
            self.complete(stay)
        elif after == stay.dropout_after:
            self._leave_early(stay, Fact.DROPPED_OUT)
        else:
            self._suspend(stay)

    def complete(self, stay: Stay) -> None:
        """Treatment is over as planned: on to the next level, holding the place as long as the level says."""
        destination = choose(stay.unit.next, self._draw(stay, "next"))
        self._write(self._clock.now, Fact.COMPLETED, stay.number, destination)
        self._consider_return(stay, destination)
        lag = stay.unit.next_lag.get(destination)
        hold = stay.unit.spec.hold_days
        if destination != AT_HOME and lag is None and hold > 0:
            self._hold(stay, State.HELD, destination, hold)
            return
        self.allocator.release(stay)
        if lag is None:
            self._go(stay.patient, destination, self._from(stay.unit))
        else:
            self._wait_at_home(stay, destination, lag.quantile(self._draw(stay, "lag")))

    def discharge(self, stay: Stay) -> None:
        """Too many sessions missed in a row."""
        self._leave_early(stay, Fact.DISCHARGED)

    def _leave_early(self, stay: Stay, fact: Fact) -> None:
        destination = self._destination(stay.treatment.care.leave_early.dropout_to)
        self._write(self._clock.now, fact, stay.number, destination)
        self._consider_return(stay, destination)
        self.allocator.release(stay)
        self._go(stay.patient, destination, self._from(stay.unit))

    def leave(self, stay: Stay) -> None:
        """The stay ends through no cause of its own: called back elsewhere, or the group has closed."""
        self._write(self._clock.now, Fact.LEFT, stay.number, AT_HOME)
        if stay.patient.ahead is stay:
            stay.patient.ahead = None
        self.allocator.release(stay)

    def lose_group(self, stay: Stay) -> None:
        """The group has closed and no other has room; whatever hung on the place goes on without it."""
        patient, ahead = stay.patient, stay.patient.ahead
        self.leave(stay)
        here = patient.here
        if ahead is stay and here is not None:
            if here.state is State.SUSPENDED:
                self.resume(here)
            else:
                self.vacate(patient)
        elif ahead is not None and ahead.state is State.WAITING:
            self._wait_without_place(ahead)

    def _wait_without_place(self, ahead: Stay) -> None:
        ahead.unit.waitlist.holders.pop(ahead.number, None)
        self.begin_patience(ahead)

    # ── between levels ───────────────────────────────────────────────────────────────────────────────────────

    def _suspend(self, stay: Stay) -> None:
        """A more intensive level is needed: ask for it, holding the place; treatment stops meanwhile."""
        destination = choose(stay.treatment.step_up_to, self._draw(stay, "step_up_to"))
        step_up = stay.treatment.care.leave_early.step_up
        stay.treated = stay.step_up_after
        stay.step_up_after = NEVER  # one need a stay
        if step_up is None or destination == AT_HOME:
            self._write(self._clock.now, Fact.STEPPED_UP, stay.number, destination)
            self._consider_return(stay, destination)
            self.allocator.release(stay)
            return
        self._write(self._clock.now, Fact.SUSPENDED, stay.number, destination)
        self._hold(stay, State.SUSPENDED, destination, step_up.hold_days)

    def _hold(self, stay: Stay, state: State, destination: int, days: float) -> None:
        """Keep the place while waiting for another level."""
        if stay.group is not None:
            stay.group.unseat(stay)
        stay.state = state
        self._go(stay.patient, destination, self._from(stay.unit))
        if days < NEVER:
            # Without any hold the request still gets its one chance at this instant's allocation.
            order = LEAVING if days else RENEGING
            self._at(self._clock.now + days, order, stay, self.end_hold, state)

    def end_hold(self, call: tuple[Stay, State]) -> None:
        """A hold is over: back to the suspended treatment, or home with the place given back."""
        stay, state = call
        if stay.state is not state or stay.patient.here is not stay:
            return
        ahead = stay.patient.ahead
        waits = ahead is not None and ahead.state is State.WAITING
        if state is State.SUSPENDED and waits and ahead is not None:
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
        if here.state is State.SUSPENDED:
            higher = AT_HOME if patient.ahead is None else patient.ahead.unit.index
            self._write(self._clock.now, Fact.STEPPED_UP, here.number, higher)
            self._consider_return(here, higher)
        self.allocator.release(here)

    def resume(self, stay: Stay) -> None:
        """Treatment goes on where it stopped."""
        stay.state, stay.since = State.IN_CARE, self._clock.now
        self._write(self._clock.now, Fact.RESUMED, stay.number)
        self._schedule_end(stay)
        if stay.group is not None:
            stay.group.seat(stay)
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
        returns = stay.unit.spec.returns
        if returns is None or destination not in {self._destination(name) for name in returns.from_}:
            return
        if self._draw(stay, "returns") < returns.share:
            delay = returns.after_days.quantile(self._draw(stay, "return_after"))
            self._at(self._clock.now + delay, LEAVING, stay, self._come_back)

    def _come_back(self, stay: Stay) -> None:
        """A return is due: from home, or out of one of the levels that it may interrupt."""
        returns, patient = stay.unit.spec.returns, stay.patient
        if returns is None:
            return
        interruptible = {self._destination(name) for name in returns.from_}
        engaged = {part.unit.index for part in (patient.here, patient.ahead) if part is not None}
        if patient.heading != AT_HOME:
            engaged.add(patient.heading)
        if not engaged <= interruptible:
            return
        patient.heading = AT_HOME
        ahead, here = patient.ahead, patient.here
        if ahead is not None:
            (self._withdraw if ahead.state is State.WAITING else self.leave)(ahead)
        if here is not None and here.state is State.HELD:
            self.allocator.release(here)
        elif here is not None:
            self.leave(here)
        self._go(patient, self._levels[returns.to], origin=len(self._to) + len(self._units))

    # ── small words ──────────────────────────────────────────────────────────────────────────────────────────

    def _at(
        self, time: float, order: int, stay: Stay, call: Callable[[Any], None], detail: object = None
    ) -> None:
        """Put a call on the clock for a stay, in its patient's place among those of the same instant."""
        self._clock.call_at(
            time, order + stay.patient.index, call, stay if detail is None else (stay, detail)
        )

    def _draw(self, stay: Stay, decision: str) -> float:
        return self._draws.uniform(stay.patient, decision, stay.unit.name, stay.entry)

    def _destination(self, name: str) -> int:
        return AT_HOME if name == HOME else self._levels[name]

    def _from(self, unit: Unit) -> int:
        """The origin of those who come from a level."""
        return len(self._to) + unit.index
