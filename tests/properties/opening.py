"""The books of those who are there when a run begins today: in care, on a list, or before it (model.md §10)."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from math import inf

from iopsim.model.ledger import Fact, Ledger
from iopsim.scenario.levels import Level
from iopsim.scenario.schema import Scenario
from tests.properties.access import Desk
from tests.properties.dates import Calendar
from tests.properties.parts import Part, Row, State
from tests.properties.payers import Payers
from tests.properties.rooms import Rooms
from tests.properties.waiting import Waiting

__all__ = ["Opening"]

_APPLIED = {Fact.CONTACTED, Fact.BOOKED}


class Opening:
    """Enters those who are there at the opening: they count as come, whatever the limits."""

    _scenario: Scenario
    _ledger: Ledger
    _calendar: Calendar
    _levels: list[Level]
    _names: list[str]
    _parts: list[Part]
    _rooms: Rooms
    _payers: Payers
    _desk: Desk
    _waiting: Waiting
    _ahead: dict[int, Part]
    _place: dict[int, Part]
    _bound: dict[int, int]
    _known: set[int]
    _came: Counter[int]
    _now: float

    def settle(self, facts: list[Row]) -> list[Row]:
        """Enter those who are there at the opening, whatever the limits, and give the rows of what comes after."""
        opening, past, later = float(self._calendar.first), defaultdict[int, list[Row]](list), list[Row]()
        before = -1
        for row in facts:
            standing = row[0] < opening or (row[0] == opening and self._stands(past, row, before))
            (past[row[2]] if standing else later).append(row)
            before = row[2] if standing else -1
        residents, listed = self._ledger.resident_stay.tolist(), self._ledger.listed_stay.tolist()
        applied = self._ledger.applicant_stay.tolist()
        there = [*residents, *listed, *applied]
        assert sorted(there) == list(range(len(there))), "who is there at the opening has the first stays"
        assert not there or self._scenario.from_today is not None, "somebody is there before the opening"
        assert past.keys() <= {*there}, "somebody came before the opening"
        self._now = opening
        for stay in there:
            part, rows = self._parts[stay], past[stay]
            self._enter(part, rows[0])
            if stay in self._ledger.resident_stay:
                self._settle_resident(part, rows)
            elif stay in self._ledger.listed_stay:
                self._settle_listed(part, rows)
            else:
                part.state = State.APPLYING
                self._desk.settle(part, rows)
        self._waiting.settle(part for part in self._ahead.values() if part.state == State.WAITING)
        return later

    def _stands(self, past: Mapping[int, list[Row]], row: Row, before: int) -> bool:
        """Whether a fact of the instant of opening is of those that say how things stand then; `before`: whose was."""
        _, fact, stay, *_ = row
        residents, listed = self._ledger.resident_stay, self._ledger.listed_stay
        if stay not in residents and stay not in listed and stay not in self._ledger.applicant_stay:
            return False
        if stay in self._ledger.applicant_stay:
            return fact in {Fact.REFERRED, Fact.SENT} or (fact in _APPLIED and before == stay)
        if stay in listed:
            return fact in {Fact.JOINED, Fact.AUTHORIZED}
        return len(past[stay]) < 3 or (len(past[stay]) == 3 and self._stopped_now(past, row))

    def _stopped_now(self, past: Mapping[int, list[Row]], row: Row) -> bool:
        """Whether the treatment of one who waits for the next level is over, or suspended, just at the opening."""
        now, fact, stay, to, *_ = row
        on_the_way = (*self._ledger.listed_stay.tolist(), *self._ledger.applicant_stay.tolist())
        ahead = [other for other in on_the_way if self._same(stay, other)]
        if fact not in {Fact.COMPLETED, Fact.SUSPENDED} or not ahead:
            return False
        level = self._levels[self._parts[stay].level]
        over = max(each[0][0] if each else now for each in (past[stay], past[ahead[0]]))
        is_next = to >= 0 and self._names[to] in level.next
        if fact == Fact.COMPLETED:
            over += level.refer_before_days
        holds = fact == Fact.COMPLETED and bool(level.hold_days)
        return over == now and (holds or (fact == Fact.SUSPENDED and not is_next))

    def _same(self, one: int, other: int) -> bool:
        return self._parts[one].patient == self._parts[other].patient

    def _enter(self, part: Part, first: Row) -> None:
        """One who has come before the opening."""
        part.came, _, _, part.origin, *_ = first
        origin = self._ledger.origins[part.origin]
        part.priority = self._levels[part.level].waitlist.priority.get(origin, inf)
        part.seen[first[1]] += 1
        self._came[part.level] += 1
        self._known.add(part.patient)
        assert self._ledger.patient_referred[part.patient] <= part.came
        if part.number in self._ledger.resident_stay:
            assert part.patient not in self._place, f"patient {part.patient} has two places"
            self._place[part.patient] = part
        else:
            assert part.patient not in self._ahead, f"patient {part.patient} waits for two levels"
            self._ahead[part.patient] = part

    def _settle_listed(self, part: Part, rows: list[Row]) -> None:
        part.joined, part.state = part.came, State.WAITING
        part.unapproved = self._payers.terms(part) is not None
        place = self._place.get(part.patient)
        part.untreated = place is not None and place.state == State.IN_CARE
        assert part.untreated or place is None or self._bound[part.patient] == part.level
        assert [row[1] for row in rows] in ([Fact.JOINED], [Fact.JOINED, Fact.AUTHORIZED]), f"{part}: {rows}"
        for time, fact, _, a, b, _ in rows[1:]:
            part.seen[fact] += 1
            self._payers.check(part, Fact(fact), time, a, b)

    def _settle_resident(self, part: Part, rows: list[Row]) -> None:
        """Somebody in care at the opening: goes on, or holds the place and waits for another."""
        facts = [row[1] for row in rows]
        assert facts[:3] == [Fact.JOINED, Fact.ADMITTED, Fact.STARTED], f"{part}: {facts}"
        assert {row[0] for row in rows[:3]} == {part.came}
        part.joined = part.admitted = part.started = part.since = part.came
        part.state = State.IN_CARE
        part.seen.update(facts[1:])
        _, _, _, group, post, bits = rows[1]
        self._rooms.settle(part, group, bits, post)
        for time, fact, _, level, *_ in rows[3:]:
            part.treated, part.over_since = time - part.started, time
            self._bound[part.patient] = level
            step_up = part.care.leave_early.step_up
            if fact == Fact.SUSPENDED:
                part.state, part.hold = State.SUSPENDED, step_up.hold_days if step_up else 0.0
            else:
                assert fact == Fact.COMPLETED and len(rows) == 4, f"{part}: {facts}"
                part.state, part.hold = State.OVER, self._levels[part.level].hold_days
        self._payers.settle(part, self._now)
