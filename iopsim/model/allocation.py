"""The one allocator: who is admitted, in which order, all or nothing (model.md §6).

A *bundle* is what admission takes: a place or seats, and a therapist with room where the level has a caseload;
besides, nobody is admitted without what the stay itself needs (`Stay.lacks`).
`_admit` is the one routine that takes it, `release` the one that gives it back.
"""

from __future__ import annotations

from math import floor
from operator import attrgetter
from typing import TYPE_CHECKING, Final

from iopsim.model.capacity import bits_of
from iopsim.model.clock import ALLOCATION
from iopsim.model.ledger import Fact, Missing
from iopsim.model.people import ADMITTED, ADMITTED_ALREADY, GONE, NEVER, WAITING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from iopsim.model.capacity import Offer
    from iopsim.model.clock import Clock
    from iopsim.model.journey import Journey
    from iopsim.model.ledger import Recorder
    from iopsim.model.people import Stay
    from iopsim.model.units import Unit
    from iopsim.model.visits import Visits
    from iopsim.model.waitlist import Kind

__all__ = ["Allocator"]

_ORDER: Final = int(Missing.ORDER)
_TREATMENT: Final = int(Missing.TREATMENT)
_ADMITTED: Final = int(Fact.ADMITTED)
_RELEASED: Final = int(Fact.RELEASED)
_BY_RANK: Final = attrgetter("rank")


class Allocator:
    """Admits from the waitlists of all levels; between two calls nobody waits who could be admitted."""

    def __init__(self, clock: Clock, recorder: Recorder, units: list[Unit], visits: Visits) -> None:
        self._clock = clock
        self._recorder = recorder
        self._units = units
        self._visits = visits
        self.journey: Journey
        self._asking: Callable[[Unit], None] = self._asked  # bound once

    def freed(self, unit: Unit) -> None:
        """Room may have come free in a level, and in those that share its therapists: ask all who wait."""
        for other in unit.sharing:
            other.settled = False
            self.ask(other)

    def hours_freed(self) -> None:
        """Appointments may be free sooner than they were: ask all whose admission waits for one."""
        for unit in self._units:
            if any(kind.gates for kind in unit.waitlist.kinds):
                unit.settled = False
                self.ask(unit)

    def ask(self, unit: Unit) -> None:
        """Allocate the level's room at this instant, after all that is released in it."""
        if unit.waitlist.size and unit.asked_at != self._clock.now:
            unit.asked_at = self._clock.now
            self._clock.call_at(self._clock.now, ALLOCATION + unit.index, self._asking, unit)

    def _asked(self, unit: Unit) -> None:
        unit.asked_at = -NEVER
        self.allocate(unit)

    def allocate(self, unit: Unit) -> None:
        """Admit everybody who can be, then turn to those who have just joined and still wait."""
        waitlist, newcomers, unit.newcomers = unit.waitlist, unit.newcomers, []
        # Nobody who waits since before the last allocation can be admitted unless room has come free since then.
        asks_all = unit.strict or not unit.settled
        unit.settled = True  # what those who are admitted give back unsettles it again
        if not waitlist.size:
            return
        if not asks_all and not newcomers:
            if waitlist.holders:
                self._unlock(unit)
            return
        kinds = None if asks_all else {stay.kind for stay in newcomers}
        admitted = False
        while waitlist.size and (choice := self._choice(unit, kinds)) is not None:
            stay, offer = choice
            waitlist.remove(stay)
            self._admit(stay, offer)
            admitted = True
        if waitlist.holders:
            self._unlock(unit)
        if waitlist.size:
            if newcomers:
                self._receive(unit, newcomers)
            self._note(unit, None if admitted else kinds)
        if admitted:
            for other in unit.sharing:
                if other is not unit:
                    if other.waitlist.holders:
                        self._unlock(other)  # the last therapist may be gone: only their own places free one
                    self._note(other, None)

    def _receive(self, unit: Unit, newcomers: list[Stay]) -> None:
        """Refuse those newcomers whom a cap shuts out; the others who hold no place may give up from now on.

        Who is still treated in the level before is received when that treatment is over.
        """
        if len(newcomers) > 1:
            newcomers.sort(key=_BY_RANK)
        if unit.is_capped:
            self._refuse(
                unit, [stay for stay in newcomers if stay.state is WAITING and not stay.lacks & _TREATMENT]
            )
        for stay in newcomers:
            if stay.state is WAITING:
                if unit.changes_with_waiting and stay.joined == self._clock.now:
                    self.journey.foresee_change(stay)
                if stay.patient.here is None:
                    self.journey.begin_patience(stay)

    def release(self, stay: Stay) -> None:
        """Give back the bundle, whatever ended the stay, and let others have it."""
        unit = stay.unit
        unit.capacity.give_back(stay)
        if unit.caseload is not None:
            unit.caseload.count(stay.post, -1)
            del unit.caseload.patients[stay.number]
        stay.state = GONE
        if stay.ending is not None:
            stay.ending.call_off()
        self._visits.pause(stay)
        if stay.patient.here is stay:
            stay.patient.here = None
        self._recorder.write(self._clock.now, _RELEASED, stay.number)
        self.freed(unit)

    def _choice(self, unit: Unit, kinds: set[Kind] | None) -> tuple[Stay, Offer] | None:
        """Who is next and what they get: the first who can be admitted, or the head when it is strict."""
        if unit.caseload is not None and not unit.caseload.free:
            return None
        waitlist = unit.waitlist
        if unit.strict:
            first = waitlist.head()
            if first is None or first.lacks:
                return None
            kinds = {first.kind}
        best: tuple[Stay, Offer] | None = None
        capacity, now = unit.capacity, self._clock.now
        for kind in waitlist.kinds:
            if kind.queued and (kinds is None or kind in kinds):
                gates, offer = kind.gates, capacity.find(kind.need, now)
                if gates or offer is not None:  # without a seat too, somebody has to wait for hours to come
                    head = kind.first()
                    if (best is None or head.rank < best[0].rank) and (not gates or self._has_hours(head)):
                        best = best if offer is None else (head, offer)
        return best

    def _has_hours(self, stay: Stay) -> bool:
        """Whether the services that admission waits for can be given in time; if not, asks again when they can."""
        unit, now = stay.unit, self._clock.now
        opens_at = self._visits.possible_from(stay.treatment.gates, now)
        if opens_at <= now:
            return True
        opens_at = min(opens_at, floor(now) + 1.0)  # whoever works there may come or go before
        if not now < unit.opens_at <= opens_at:
            unit.opens_at = opens_at
            self._clock.call_at(opens_at, ALLOCATION + unit.index, self._opened, unit)
        return False

    def _opened(self, unit: Unit) -> None:
        unit.settled = False
        self.allocate(unit)

    def line_up(self, stay: Stay) -> None:
        """A stay that waited for something of its own lacks nothing more: it may be admitted from now on."""
        stay.unit.waitlist.ready(stay)
        stay.unit.settled = False
        self.ask(stay.unit)

    def admit_at_once(self, stay: Stay) -> None:
        """Admit to a level that has room for everybody, past its waitlist."""
        offer = stay.unit.capacity.find(stay.kind.need, self._clock.now)
        assert offer is not None, "a level with room for everybody has none"
        self._admit(stay, offer)

    def _admit(self, stay: Stay, offer: Offer) -> None:
        unit, now = stay.unit, self._clock.now
        stay.state, stay.admitted = ADMITTED, now
        stay.rank = ADMITTED_ALREADY
        unit.capacity.take(stay, offer)
        if unit.caseload is not None:
            stay.post = unit.caseload.assign()
            unit.caseload.patients[stay.number] = stay
        if stay.treatment.gates:
            self._visits.reserve(stay, stay.treatment.gates)
        group, bits = -1, 0
        if stay.group is not None:
            group, bits = stay.group.index, bits_of(stay.days)
        self._recorder.write(now, _ADMITTED, stay.number, group, stay.post, bits)
        if unit.capacity.starts_at_once:
            self.journey.start(stay)

    def _refuse(self, unit: Unit, newcomers: list[Stay]) -> None:
        """Refuse the newcomers whom a cap of the waitlist shuts out."""
        # Who is still treated in the level before does not count yet.
        apart = [stay for stay in unit.waitlist.unready.values() if stay.lacks & _TREATMENT] + newcomers
        ahead = unit.waitlist.size - len(apart)
        by_origin = unit.waitlist.by_origin.copy()
        for stay in apart:
            by_origin[stay.origin] -= 1
        for stay in newcomers:
            if unit.is_full_for(stay, ahead, by_origin[stay.origin]):
                self.journey.refuse(stay)
            else:
                ahead += 1
                by_origin[stay.origin] += 1

    def _note(self, unit: Unit, kinds: set[Kind] | None) -> None:
        """Write down what each kind of waiting stay lacks (None: all kinds), where it has changed."""
        now = self._clock.now
        for kind in unit.waitlist.kinds:
            if kind.waiting and (kinds is None or kind in kinds):
                missing = unit.missing(kind, now)
                if missing != kind.noted:
                    kind.noted = missing
                    self._recorder.blocked.append((now, unit.index, kind.number, missing))

    def _unlock(self, unit: Unit) -> None:
        """Move every cycle of holders who wait for each other's places (model.md §5): they swap at once."""
        while self._may_swap(unit) and (cycle := next(self._cycles(unit), None)) is not None:
            for stay in cycle:
                self.journey.vacate(stay.patient)
            for stay in cycle:
                offer = stay.unit.capacity.find(stay.kind.need, self._clock.now)
                assert offer is not None, "a cycle that was found to fit does not"
                stay.unit.waitlist.remove(stay)
                self._admit(stay, offer)
            for stay in cycle:
                self.freed(stay.unit)

    @staticmethod
    def _may_swap(unit: Unit) -> bool:
        """Whether the places that are held lead from the level back to it, whoever could be admitted to them."""
        reached = [unit]
        for level in reached:  # which grows meanwhile
            for stay in level.waitlist.holders.values():
                here = stay.patient.here
                if here is not None:
                    for other in here.unit.sharing:
                        if other is unit:
                            return True
                        if other not in reached:
                            reached.append(other)
        return False

    def _cycles(self, unit: Unit) -> Iterator[list[Stay]]:
        """Cycles through the level, first in rule order: each waits for what the next one holds.

        What a stay holds is of use to its own level and to those that share its therapists.
        """
        chains = [[stay] for stay in self._distinct_holders(unit)]
        while chains:
            chain = chains.pop(0)
            here = chain[-1].patient.here
            if here is None:
                continue
            served = here.unit.sharing
            if unit in served and self._fits(chain):
                yield chain
            passed = {stay.unit for stay in chain}
            for other in served:
                if other not in passed:
                    chains.extend([*chain, holder] for holder in self._distinct_holders(other))

    def _distinct_holders(self, unit: Unit) -> list[Stay]:
        """Holders who lack something, in rule order; one for each need and place held: others fit no better."""
        chosen: dict[object, Stay] = {}
        holders = sorted(unit.waitlist.holders.values(), key=_BY_RANK)
        theirs = {stay.kind for stay in holders}
        missing = {
            kind: unit.missing(kind, self._clock.now) for kind in unit.waitlist.kinds if kind in theirs
        }
        for stay in holders:
            here = stay.patient.here
            if here is not None and missing[stay.kind] != _ORDER:
                chosen.setdefault(
                    (stay.kind.number, here.unit.index, here.pool, here.group, here.days, here.post), stay
                )
        return list(chosen.values())

    def _fits(self, cycle: list[Stay]) -> bool:
        """Whether all of a cycle could be admitted once all have given back what they hold; changes nothing."""
        freed = [stay.patient.here for stay in cycle]
        for here in freed:
            _count(here, -1)
        taken: list[Stay] = []
        for stay in cycle:
            caseload = stay.unit.caseload
            offer = stay.unit.capacity.find(stay.kind.need, self._clock.now)
            if offer is None or (caseload is not None and not caseload.free):
                break
            if stay.treatment.gates and not self._has_hours(stay):
                break
            stay.pool, stay.group, stay.days = offer.pool, offer.group, offer.days
            stay.post = caseload.assign() if caseload is not None else -1
            stay.unit.capacity.count(stay, 1)
            taken.append(stay)
        for stay in taken:
            _count(stay, -1)
        for here in freed:
            _count(here, 1)
        return len(taken) == len(cycle)


def _count(stay: Stay | None, change: int) -> None:
    if stay is not None:
        stay.unit.capacity.count(stay, change)
        if stay.unit.caseload is not None:
            stay.unit.caseload.count(stay.post, change)
