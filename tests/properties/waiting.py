"""The books of those who wait: who comes first, what they lack, whether they could start (model.md §§5, 6)."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Mapping
from itertools import chain, combinations
from typing import TYPE_CHECKING, Any

from iopsim.model.ledger import Ledger, Missing
from iopsim.model.opening import APPLICANTS, LISTED, RESIDENTS
from iopsim.scenario.schema import Scenario
from tests.properties.parts import Part, State

if TYPE_CHECKING:
    from tests.properties.access import Desk
    from tests.properties.payers import Payers
    from tests.properties.rooms import Rooms
    from tests.properties.visits import Visits

__all__ = ["Waiting"]

_CLOSE = 1e-6


class Waiting:
    """The waitlists of all levels.

    Attributes:
        kind: Class of need by stay, as the ledger has it.
    """

    def __init__(
        self, scenario: Scenario, ledger: Ledger, desk: Desk, payers: Payers, rooms: Rooms, visits: Visits
    ) -> None:
        self._ledger, self._desk, self._payers = ledger, desk, payers
        self._rooms, self._gated = rooms, visits.gated
        self._names = list(scenario.levels)
        self.change(rooms.calendar.opening)
        blocked = (ledger.blocked_time, ledger.blocked_level, ledger.blocked_kind, ledger.blocked_missing)
        self._blocked = deque(zip(*(column.tolist() for column in blocked), strict=True))
        self._noted: dict[tuple[int, int], int] = {}
        self.kind: list[int] = ledger.stay_kind.tolist()
        self._now = 0.0
        self._stood: Counter[tuple[object, ...]] = Counter()  # those on the lists, at the instant before
        self._whose = [_identity(ledger, patient) for patient in range(len(ledger.patient_source))]

    def settle(self, parts: Iterable[Part]) -> None:
        """Those who stand on the lists at the opening, however many."""
        for part in parts:
            if not part.untreated:
                self._stood[part.level, self._ledger.origins[part.origin]] += 1
                self._stood[part.level, None] += 1

    def change(self, plan: Scenario) -> None:
        """Another plan is in force."""
        self._levels = list(plan.levels.values())

    def note(self, now: float) -> None:
        """Read what the ledger says that those who wait lack from now on."""
        while self._blocked and self._blocked[0][0] <= now:
            _, level, kind, missing = self._blocked.popleft()
            self._noted[level, kind] = missing

    def in_turn(self, part: Part, now: float, ahead: Iterable[Part]) -> None:
        """Nobody who comes first in rule order could have had what somebody is admitted to."""
        level = self._levels[part.level]
        if self._names[part.level] in self._gated:
            return  # whoever comes first may lack an appointment, of which the ledger does not tell at once
        if level.places == "unlimited" and not level.groups and level.caseload is None:
            return  # there is room for everybody
        strict = self._levels[part.level].waitlist.discipline == "strict"
        for other in ahead:
            if (
                other.level == part.level
                and other.state == State.WAITING
                and self._rank(other) < self._rank(part)
            ):
                could = other.may_be_admitted and self._rooms.has_room(other, now)
                blocks = strict and not other.untreated
                assert not blocks and not could, (
                    f"patient {part.patient} is admitted before {other.patient} at {now}"
                )

    def between(self, now: float, ahead: Mapping[int, Part], place: Mapping[int, Part]) -> None:
        """Between two instants nobody waits who could be admitted, and nothing is overdue."""
        self._now = now
        waiting: dict[int, list[Part]] = defaultdict(list)
        for patient, part in ahead.items():
            if part.state == State.APPLYING:
                self._desk.between(part, now)
            elif part.state == State.WAITING:
                waiting[part.level].append(part)
                self._has_changed_in_time(part)
                here = place.get(patient)
                goes_on = here is not None and here.state == State.IN_CARE
                assert not part.untreated or goes_on, f"patient {patient} is not called off at {now}"
        stood, self._stood = self._stood, Counter()
        for level, parts in waiting.items():
            self._within_caps(level, [part for part in parts if not part.untreated], stood)
            for part in self._asked_first(level, parts):
                lacks_hours = self._noted.get((level, self.kind[part.number]), 0) & Missing.HOURS
                assert lacks_hours or not self._rooms.has_room(part, now), (
                    f"patient {part.patient} waits for {self._names[level]} and could be admitted at {now}"
                )
            self._what_holds_back(level, parts)
        self._nobody_is_frozen(ahead, place)

    def _within_caps(self, level: int, parts: list[Part], stood: Counter[tuple[object, ...]]) -> None:
        """No more than the cap, or than stood there already when it fell (or in the file at the opening)."""
        name, caps = self._names[level], self._levels[level].waitlist.at_most
        by_origin = Counter(self._ledger.origins[part.origin] for part in parts)
        limits: Any = {None: caps} if isinstance(caps, int) else caps or {}
        for origin, most in limits.items():
            stand, before = by_origin[origin] if origin else len(parts), stood[level, origin]
            assert stand <= max(most, before), f"{stand} wait for {name} at {self._now}"
        self._stood.update({(level, origin): number for origin, number in by_origin.items()})
        self._stood[level, None] = len(parts)

    def _has_changed_in_time(self, part: Part) -> None:
        """Nobody is in a class, insists on a time or waits for the payer for longer than the rules say."""
        waitlist, waited = self._levels[part.level].waitlist, self._now - part.joined
        said = f"stay {part.number}, at {self._now}"
        assert self._payers.is_in_time(part, self._now), f"{said}, waits for the payer"
        ages, after = waitlist.ages_into, waitlist.accept_other_time_after_days
        if ages is not None and waited >= ages.after_days + _CLOSE:
            assert part.priority <= ages.class_, f"{said}, has not aged"
        either = self._ledger.times[self._ledger.patient_time[part.patient]] == "either"
        if after is not None and waited >= after + _CLOSE and self._levels[part.level].groups:
            assert part.any_time or either, f"{said}, still insists on a time"

    def _what_holds_back(self, level: int, parts: list[Part]) -> None:
        """What those who wait lack is what the ledger says, except after the last session of a group."""
        if any(group.until for group in self._levels[level].groups.values()):
            return
        for part in self._one_of_each_kind(parts):
            lacks = self._rooms.lacks(part, self._now) or Missing.ORDER
            noted = self._noted.get((level, self.kind[part.number]), 0)
            if self._names[level] in self._gated:  # what is lacking in the diaries, the books do not know
                lacks, noted = lacks & ~Missing.ORDER, noted & ~(Missing.HOURS | Missing.ORDER)
            assert noted == lacks, f"patient {part.patient} lacks {lacks!r} at {self._now}, noted is {noted}"

    def _asked_first(self, level: int, parts: list[Part]) -> Iterable[Part]:
        """Those whom room would let in: one of each kind, or the head of a strict list."""
        if self._levels[level].waitlist.discipline == "strict":
            head = min((part for part in parts if not part.untreated), key=self._rank, default=None)
            return [head] if head is not None and head.may_be_admitted else []
        return self._one_of_each_kind(part for part in parts if part.may_be_admitted)

    def _one_of_each_kind(self, parts: Iterable[Part]) -> Iterable[Part]:
        return {self._rooms.needs(part): part for part in parts}.values()

    def _rank(self, part: Part) -> tuple[float, float, tuple[int, ...]]:
        return (part.priority, part.joined, self._whose[part.patient])

    def _nobody_is_frozen(self, ahead: Mapping[int, Part], place: Mapping[int, Part]) -> None:
        """No holder, and no two, wait for nothing but what they hold themselves."""
        holders = [
            patient
            for patient, part in place.items()
            if part.state in {State.OVER, State.SUSPENDED}
            and ahead[patient].state == State.WAITING
            and ahead[patient].may_be_admitted
            and self._names[ahead[patient].level] not in self._gated
            # who has room waits behind a strict head
            and not self._rooms.has_room(ahead[patient], self._now)
        ]
        for cycle in chain(combinations(holders, 1), combinations(holders, 2)):
            held = [place[patient] for patient in cycle]
            wanted = [ahead[patient] for patient in cycle]
            assert not self._rooms.could_all_swap(held, wanted, self._now), f"{cycle} frozen at {self._now}"


def _identity(ledger: Ledger, patient: int) -> tuple[int, ...]:
    """Who somebody is, for ties: those of the files first, then by source, height cell and ordinal."""
    cell, ordinal = int(ledger.patient_cell[patient]), int(ledger.patient_ordinal[patient])
    if cell in (files := (APPLICANTS, LISTED, RESIDENTS)):
        return -1 - files.index(cell), 0, ordinal
    return int(ledger.patient_source[patient]), (2 * cell if cell >= 0 else -1 - 2 * cell), ordinal
