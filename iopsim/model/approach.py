"""The way to a level: from the referral through access onto the waitlist, up to admission or loss (model.md §6)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Final

from iopsim.model.clock import LEAVING, RENEGING
from iopsim.model.ledger import Fact, Missing
from iopsim.model.people import APPLYING, AT_HOME, GONE, IN_CARE, NEVER, SUSPENDED, WAITING, Patient, Stay

if TYPE_CHECKING:
    from collections.abc import Callable

    from iopsim.model.access import Access
    from iopsim.model.allocation import Allocator
    from iopsim.model.authorization import Payers
    from iopsim.model.clock import Clock
    from iopsim.model.draws import Draws
    from iopsim.model.ledger import Recorder
    from iopsim.model.units import Unit

__all__ = ["Approach"]

_AUTHORIZATION: Final = int(Missing.AUTHORIZATION)
_TREATMENT: Final = int(Missing.TREATMENT)
# What every patient passes: a name costs a tenth of a member of an enumeration.
_REFERRED: Final = int(Fact.REFERRED)
_JOINED: Final = int(Fact.JOINED)
_RENEGED: Final = int(Fact.RENEGED)


class Approach(ABC):
    """The first half of the journey, and the words that both halves speak in."""

    def __init__(
        self, clock: Clock, draws: Draws, recorder: Recorder, units: list[Unit], sources: list[int]
    ) -> None:
        self._clock = clock
        self._draws = draws
        self._recorder = recorder
        self._units = units
        self._to = sources
        # Bound once, not for each patient.
        self._giving_up: Callable[[Stay], None] = self._renege
        self._aging: Callable[[Stay], None] = self._age
        self._accepting: Callable[[Stay], None] = self._accept
        self.allocator: Allocator
        self.access: Access
        self.payers: Payers

    def refer(self, patient: Patient) -> None:
        """A source refers the patient to its level."""
        unit = self._units[self._to[patient.source]]
        self.join(patient, unit, origin=patient.source, fact=_REFERRED)
        self.allocator.allocate(unit)

    def join(self, patient: Patient, unit: Unit, origin: int, fact: int | None = None) -> None:
        """Set out for a level: through its stages of access, or onto its waitlist at once."""
        patient.been += (unit.index,)
        treatment = unit.treatment(patient)
        now = self._clock.now
        number = len(self._recorder.stays)
        stay = Stay(
            number=number,
            patient=patient,
            unit=unit,
            treatment=treatment,
            entry=patient.been.count(unit.index),
            origin=origin,
            kind=unit.kind(patient, treatment),
            rank=(unit.classes[origin], now, patient.index, number),
            joined=now,
        )
        self._recorder.stays.append((patient.index, unit.index, stay.entry, stay.kind.number))
        patient.ahead = stay
        if unit.stages[origin] is not None:
            self._recorder.write(now, Fact.SENT if fact is None else fact, number, origin)
            self.access.enter(stay)
        else:
            if fact is not None:
                self._recorder.write(now, fact, number, origin)
            self.enlist(stay)

    def enlist(self, stay: Stay) -> None:
        """Put the patient on the waitlist, and ask the payer where one has to."""
        now, unit, patient = self._clock.now, stay.unit, stay.patient
        if stay.state is APPLYING:
            stay.state, stay.joined = WAITING, now
            stay.rank = (stay.rank[0], now, patient.index, stay.number)
        self._recorder.write(now, _JOINED, stay.number, stay.origin)
        if patient.here is not None and patient.here.state is IN_CARE:
            stay.lacks |= _TREATMENT
        asked = unit.approvals[patient.payer]
        denied_at_once = asked is not None and not self.payers.ask(stay, asked)
        if unit.takes_everybody and not stay.lacks and not denied_at_once:
            self.allocator.admit_at_once(stay)
            return
        unit.waitlist.add(stay)
        if asked is not None and denied_at_once:
            self.turn_away(stay, Fact.DENIED, asked.denied_to)
            return
        unit.newcomers.append(stay)
        if unit.changes_with_waiting:
            self.change_at_once(stay)

    def _go(self, patient: Patient, destination: int, origin: int) -> None:
        """Send a patient home, or towards a level as one who comes from `origin`."""
        if destination != AT_HOME:
            unit = self._units[destination]
            self.join(patient, unit, origin)
            self.allocator.ask(unit)

    # ── while one waits ──────────────────────────────────────────────────────────────────────────────────────

    def authorize(self, stay: Stay) -> None:
        """The payer has said yes."""
        self._recorder.write(self._clock.now, Fact.AUTHORIZED, stay.number)
        self._lacks_no_more(stay, _AUTHORIZATION)

    def be_ready(self, stay: Stay) -> None:
        """The treatment that went on meanwhile is over."""
        if stay.lacks & _TREATMENT:
            self._recorder.write(self._clock.now, Fact.READY, stay.number)
            stay.unit.newcomers.append(stay)
            self._lacks_no_more(stay, _TREATMENT)
            self.allocator.ask(stay.unit)

    def _lacks_no_more(self, stay: Stay, what: int) -> None:
        if stay.lacks:
            stay.lacks &= ~what
            if not stay.lacks:
                self.allocator.line_up(stay)

    def change_at_once(self, stay: Stay) -> None:
        """Where no wait is needed to come into another class, or to take a group at any time."""
        unit = stay.unit
        if unit.ages_after_days == 0:
            self._age(stay)
        if unit.accepts_after_days == 0:
            self._accept(stay)

    def foresee_change(self, stay: Stay) -> None:
        """Who has to wait may come into another class, or take a group at any time, some days from now."""
        unit = stay.unit
        if 0 < unit.ages_after_days < NEVER:
            self._change_after(unit.ages_after_days, stay, self._aging)
        if 0 < unit.accepts_after_days < NEVER:
            self._change_after(unit.accepts_after_days, stay, self._accepting)

    def _change_after(self, days: float, stay: Stay, change: Callable[[Stay], None]) -> None:
        self._at(max(stay.joined + days, self._clock.now), LEAVING, stay, change)

    def _age(self, stay: Stay) -> None:
        into = stay.unit.ages_into
        if stay.state is WAITING and into is not None and into < stay.rank[0]:
            self._recorder.write(self._clock.now, Fact.AGED, stay.number, into)
            stay.unit.waitlist.change(stay, (into, *stay.rank[1:]), stay.kind)
            if stay.unit.strict:
                self.allocator.ask(stay.unit)

    def _accept(self, stay: Stay) -> None:
        unit = stay.unit
        kind = unit.kind(stay.patient, stay.treatment, any_time=True)
        if stay.state is WAITING and kind is not stay.kind:
            self._recorder.write(self._clock.now, Fact.ACCEPTED, stay.number, kind.number)
            unit.waitlist.change(stay, stay.rank, kind)
            unit.settled = False
            self.allocator.ask(unit)

    # ── giving up, and being turned away ─────────────────────────────────────────────────────────────────────

    def turn_away(self, stay: Stay, fact: Fact, destination: int, detail: int = -1) -> None:
        """Refused, denied or lost: back to the treatment that goes on, or to where such patients go."""
        here = stay.patient.here
        goes_on = here is not None and here.state in (IN_CARE, SUSPENDED)
        self._recorder.write(self._clock.now, fact, stay.number, AT_HOME if goes_on else destination, detail)
        self._off_the_list(stay)
        if here is not None and here.state is SUSPENDED:
            self.resume(here)
        elif here is not None and here.state is IN_CARE:
            here.bound = destination
        else:
            if here is not None:
                self.allocator.release(here)
            self._go(stay.patient, destination, self._from(stay.unit))

    def refuse(self, stay: Stay) -> None:
        """The waitlist is full."""
        self.turn_away(stay, Fact.REFUSED, stay.unit.otherwise)

    def begin_patience(self, stay: Stay) -> None:
        """From now on the patient may give up waiting; beginning twice at one instant is beginning once."""
        patience = stay.treatment.patience
        if patience is not None and not stay.patience_begun:
            self.renege_at(stay, self._clock.now + patience(self._draws.uniform(stay, "patience")))

    def renege_at(self, stay: Stay, time: float) -> None:
        """The patient will give up waiting then."""
        stay.patience_begun = True
        self._at(time, RENEGING, stay, self._giving_up)

    def _renege(self, stay: Stay) -> None:
        if stay.state is WAITING:
            destination = stay.unit.renege_to
            self._recorder.write(self._clock.now, _RENEGED, stay.number, destination)
            self._off_the_list(stay)
            self._go(stay.patient, destination, self._from(stay.unit))

    def _withdraw(self, stay: Stay) -> None:
        self._recorder.write(self._clock.now, Fact.WITHDRAWN, stay.number)
        self._off_the_list(stay)

    def _off_the_list(self, stay: Stay) -> None:
        waited = stay.state is WAITING
        stay.state = GONE
        stay.patient.ahead = None
        if waited:
            stay.unit.waitlist.remove(stay)
            if stay.unit.strict:
                self.allocator.ask(stay.unit)

    @abstractmethod
    def resume(self, stay: Stay) -> None:
        """Treatment goes on where it stopped."""

    # ── small words ──────────────────────────────────────────────────────────────────────────────────────────

    def _at(
        self, time: float, order: int, stay: Stay, call: Callable[[Any], None], detail: object = None
    ) -> None:
        """Put a call on the clock for a stay, in its patient's place among those of the same instant."""
        self._clock.call_at(
            time, order + stay.patient.index, call, stay if detail is None else (stay, detail)
        )

    def _from(self, unit: Unit) -> int:
        """The origin of those who come from a level."""
        return len(self._to) + unit.index
