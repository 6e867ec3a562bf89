"""Replays a ledger fact by fact and asks at every event what model.md §12 promises; also §§5-7 where facts show it.

It reads the scenario and the ledger and nothing of the model: a second set of books.
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import chain, combinations, groupby
from math import inf
from typing import Any

from iopsim.model.ledger import ENDS, Fact, Ledger, Missing
from iopsim.scenario.levels import Care, Level, care_of
from iopsim.scenario.parts import HOME
from iopsim.scenario.schema import Scenario
from tests.properties.rooms import Meetings, Rooms

__all__ = ["check_conservation"]

AT_HOME = -1
NEW, REFERRED, WAITING, ADMITTED, IN_CARE, SUSPENDED, OVER, GONE = (
    "new", "referred", "waiting", "admitted", "in care", "suspended", "over", "gone",
)  # fmt: skip
_LEGAL = {
    Fact.REFERRED: {NEW: REFERRED},
    Fact.JOINED: {NEW: WAITING, REFERRED: WAITING},
    Fact.REFUSED: {WAITING: GONE},
    Fact.RENEGED: {WAITING: GONE},
    Fact.WITHDRAWN: {WAITING: GONE},
    Fact.ADMITTED: {WAITING: ADMITTED},
    Fact.MOVED: {ADMITTED: ADMITTED, IN_CARE: IN_CARE, SUSPENDED: SUSPENDED},
    Fact.STARTED: {ADMITTED: IN_CARE},
    Fact.SUSPENDED: {IN_CARE: SUSPENDED},
    Fact.RESUMED: {SUSPENDED: IN_CARE},
    Fact.COMPLETED: {IN_CARE: OVER},
    Fact.DROPPED_OUT: {IN_CARE: OVER},
    Fact.DISCHARGED: {IN_CARE: OVER},
    Fact.STEPPED_UP: {IN_CARE: OVER, SUSPENDED: OVER},
    Fact.LEFT: {ADMITTED: OVER, IN_CARE: OVER, SUSPENDED: OVER},
    Fact.RELEASED: {OVER: GONE},
}
_SENDS = {Fact.REFUSED, Fact.RENEGED, Fact.SUSPENDED, *ENDS} - {Fact.STEPPED_UP}

Row = tuple[float, int, int, int, int, int]


@dataclass(eq=False)
class Part:
    """One stay as the books know it."""

    number: int
    patient: int
    level: int
    care: Care
    state: str = NEW
    joined: float = inf
    origin: int = -1
    over_since: float = inf
    hold: float = 0.0
    group: int = -1
    days: tuple[int, ...] = ()
    post: int = -1
    seen: Counter[int] = field(default_factory=Counter)


def check_conservation(scenario: Scenario, ledger: Ledger) -> None:
    """Raise AssertionError at the first event after which the books do not balance."""
    books = _Books(scenario, ledger)
    columns = (ledger.time, ledger.fact, ledger.stay, ledger.a, ledger.b, ledger.c)
    facts: list[Row] = list(zip(*(column.tolist() for column in columns), strict=True))
    assert [row[0] for row in facts] == sorted(row[0] for row in facts), "facts are not in order of time"
    by_instant = {now: list(rows) for now, rows in groupby(facts, key=lambda row: row[0])}
    meetings = Meetings(scenario, ledger)
    for now in sorted({*by_instant, *meetings.instants}):
        rows = by_instant.get(now, [])
        meetings.check(now, rows, books.parts)
        books.live(now, rows)
    books.close()


class _Books:
    """Who is where, rebuilt from the facts alone."""

    def __init__(self, scenario: Scenario, ledger: Ledger) -> None:
        self._scenario, self._ledger = scenario, ledger
        self._levels: list[Level] = list(scenario.levels.values())
        self._names = list(scenario.levels)
        self._returned = len(ledger.origins) - 1
        self._rooms = Rooms(scenario, ledger)
        self.parts = [
            Part(number, patient, level, self._care(level, patient))
            for number, (patient, level) in enumerate(
                zip(ledger.stay_patient.tolist(), ledger.stay_level.tolist(), strict=True)
            )
        ]
        self._ahead: dict[int, Part] = {}
        self._place: dict[int, Part] = {}
        self._sent: dict[int, tuple[int, int]] = {}
        self._lag: dict[int, tuple[int, int]] = {}
        self._bound: dict[int, int] = {}
        self._known: set[int] = set()
        self._came: Counter[int] = Counter()
        self._went: Counter[int] = Counter()
        self._now = -inf
        blocked = (ledger.blocked_time, ledger.blocked_level, ledger.blocked_kind, ledger.blocked_missing)
        self._blocked = deque(zip(*(column.tolist() for column in blocked), strict=True))
        self._noted: dict[tuple[int, int], int] = {}
        self._at_once: Mapping[int, set[int]] = {}
        self._gave_up: set[int] = set()

    def _care(self, level: int, patient: int) -> Care:
        ledger, name = self._ledger, self._names[level]
        track = ledger.tracks[ledger.patient_track[patient]]
        source = ledger.sources[ledger.patient_source[patient]]
        return care_of(self._scenario.levels[name], track, source)

    # ── one instant ──────────────────────────────────────────────────────────────────────────────────────────

    def live(self, now: float, rows: list[Row]) -> None:
        """Apply all facts of an instant, then ask what must hold between instants."""
        self._now = now
        while self._blocked and self._blocked[0][0] <= now:
            _, level, kind, missing = self._blocked.popleft()
            self._noted[level, kind] = missing
        at_once: dict[int, set[int]] = defaultdict(set)
        for _, fact, stay, *_ in rows:
            at_once[self.parts[stay].patient].add(fact)
        self._at_once, self._gave_up = at_once, set()
        for row in rows:
            self._apply(row)
            self._balance(self.parts[row[2]].level)
        self._between(at_once)

    def _apply(self, row: Row) -> None:
        now, number, stay, a, b, c = row
        part, fact = self.parts[stay], Fact(number)
        said = f"at {now}: {fact.name} of stay {stay}"
        assert part.state in _LEGAL[fact], f"{said}, which was {part.state}"
        getattr(self, f"_{fact.name.lower()}", self._nothing_else)(part, a, b, c)
        if fact in _SENDS and not self._is_refused_step_up(part, fact):
            self._send(part, fact, a)
        part.state = _LEGAL[fact][part.state]
        part.seen[number] += 1
        assert part.seen[number] == 1 or fact == Fact.MOVED, f"{said} for the second time"

    def _nothing_else(self, part: Part, a: int, b: int, c: int) -> None:
        """The state of the stay says it all."""

    def _referred(self, part: Part, a: int, b: int, c: int) -> None:
        patient = part.patient
        assert patient not in self._known, f"patient {patient} is referred twice"
        assert self._now == self._ledger.patient_referred[patient]
        self._known.add(patient)

    def _joined(self, part: Part, origin: int, b: int, c: int) -> None:
        patient, sources = part.patient, len(self._scenario.sources)
        assert patient not in self._ahead, f"patient {patient} waits for two levels"
        if origin < sources:
            assert part.state == REFERRED, f"patient {patient} comes from a source again"
        elif origin == self._returned:
            tos = {level.returns.to for level in self._levels if level.returns}
            assert self._names[part.level] in tos
            assert patient not in self._place, f"patient {patient} returns while in a level"
            self._lag.pop(patient, None)
        else:
            due = self._lag if patient in self._lag else self._sent
            assert due.pop(patient, None) == (origin - sources, part.level), (
                f"patient {patient} comes from nowhere"
            )
        part.joined, part.origin = self._now, origin
        self._ahead[patient] = part
        self._came[part.level] += 1

    def _refused(self, part: Part, a: int, b: int, c: int) -> None:
        assert self._levels[part.level].waitlist.at_most is not None
        assert self._now == part.joined, "refused after waiting"
        self._off(part)

    def _reneged(self, part: Part, a: int, b: int, c: int) -> None:
        assert part.patient not in self._place, "gives up waiting while holding a place"
        assert part.care.patience_days is not None
        self._off(part)

    def _withdrawn(self, part: Part, a: int, b: int, c: int) -> None:
        self._off(part)

    def _off(self, part: Part) -> None:
        assert self._ahead.pop(part.patient) is part
        self._went[part.level] += 1

    def _admitted(self, part: Part, a: int, b: int, c: int) -> None:
        if part.patient not in self._gave_up:
            self._in_turn(part)
        part.post = b
        self._rooms.take(part, a, c, self._now)

    def _in_turn(self, part: Part) -> None:
        """Nobody who comes first in rule order could have had it."""
        strict = self._levels[part.level].waitlist.discipline == "strict"
        for other in self._ahead.values():
            if other.level == part.level and other.state == WAITING and self._rank(other) < self._rank(part):
                blocked = not strict and not self._rooms.has_room(other, self._now)
                assert blocked, f"patient {part.patient} is admitted before {other.patient} at {self._now}"

    def _rank(self, part: Part) -> tuple[float, float, int]:
        priority = self._levels[part.level].waitlist.priority
        return (priority.get(self._ledger.origins[part.origin], inf), part.joined, part.patient)

    def _moved(self, part: Part, a: int, b: int, c: int) -> None:
        self._rooms.give_back(part, post=False)
        self._rooms.take(part, a, c, self._now, post=False)

    def _started(self, part: Part, a: int, b: int, c: int) -> None:
        assert self._ahead.pop(part.patient) is part
        assert part.patient not in self._place, "starts care while another place is still taken"
        self._place[part.patient] = part

    def _suspended(self, part: Part, a: int, b: int, c: int) -> None:
        part.over_since = self._now
        step_up = part.care.leave_early.step_up
        part.hold = step_up.hold_days if step_up else 0.0

    def _stepped_up(self, part: Part, a: int, b: int, c: int) -> None:
        if part.state == IN_CARE:
            assert a == AT_HOME
            self._bound[part.patient] = AT_HOME
        else:
            ahead = self._ahead.get(part.patient)
            assert ahead is not None and ahead.level == a, "stepped up to nowhere"

    def _left(self, part: Part, a: int, b: int, c: int) -> None:
        if part.state == ADMITTED:
            assert self._ahead.pop(part.patient) is part

    def _released(self, part: Part, a: int, b: int, c: int) -> None:
        self._rooms.give_back(part)
        if self._place.get(part.patient) is part:
            del self._place[part.patient]
        self._went[part.level] += 1
        if part.over_since < self._now and part.seen[Fact.COMPLETED]:
            over = self._now == part.over_since + part.hold or self._rooms.closes(part, self._now)
            moved_on = self._at_once[part.patient] & {
                Fact.STARTED, Fact.ADMITTED, Fact.REFUSED, Fact.JOINED, Fact.LEFT,
            }  # fmt: skip
            assert over or moved_on, f"stay {part.number} gives up a held place without a reason"
        if part.hold > 0 or part.seen[Fact.SUSPENDED]:
            self._gave_up.add(part.patient)

    def _is_refused_step_up(self, part: Part, fact: Fact) -> bool:
        place = self._place.get(part.patient)
        return fact == Fact.REFUSED and place is not None and place.state == SUSPENDED

    def _send(self, part: Part, fact: Fact, destination: int) -> None:
        patient, level = part.patient, self._levels[part.level]
        self._bound[patient] = destination
        if fact == Fact.COMPLETED:
            part.over_since, part.hold = self._now, 0.0
            name = HOME if destination == AT_HOME else self._names[destination]
            if level.next[name].lag_days is not None and destination != AT_HOME:
                self._lag[patient] = (part.level, destination)
                return
            part.hold = 0.0 if destination == AT_HOME else level.hold_days
        if destination != AT_HOME:
            assert patient not in self._sent
            self._sent[patient] = (part.level, destination)

    # ── what must hold ───────────────────────────────────────────────────────────────────────────────────────

    def _balance(self, level: int) -> None:
        """In − out = waiting + admitted + in care + holding, in the level that the fact touched."""
        present = self._rooms.taken_in(level) + sum(
            part.level == level and part.state == WAITING for part in self._ahead.values()
        )
        assert self._came[level] - self._went[level] == present, f"{self._names[level]} at {self._now}"

    def _between(self, touched: Mapping[int, set[int]]) -> None:
        """Between two instants: nobody is lost, nobody holds for nothing or for too long, nobody could start."""
        assert not self._sent, f"sent and not arrived at {self._now}: {self._sent}"
        for patient in touched:
            inside = patient in self._place or patient in self._ahead or patient in self._lag
            assert inside or self._bound[patient] == AT_HOME, f"patient {patient} vanished at {self._now}"
        for patient, part in self._place.items():
            if part.state in {OVER, SUSPENDED}:
                assert patient in self._ahead, f"patient {patient} holds a place for nothing at {self._now}"
                assert self._now <= part.over_since + part.hold, f"patient {patient} holds for too long"
            else:
                assert part.state == IN_CARE and patient not in self._ahead
        self._waitlists()
        self._nobody_is_frozen()

    def _waitlists(self) -> None:
        waiting: dict[int, list[Part]] = defaultdict(list)
        for part in self._ahead.values():
            if part.state == WAITING:
                waiting[part.level].append(part)
        for level, parts in waiting.items():
            waitlist, name = self._levels[level].waitlist, self._names[level]
            by_origin = Counter(self._ledger.origins[part.origin] for part in parts)
            caps: Any = waitlist.at_most
            if isinstance(caps, int):
                assert len(parts) <= caps, f"{len(parts)} wait for {name} at {self._now}"
            elif caps:
                assert all(by_origin[origin] <= most for origin, most in caps.items()), f"{name}: {by_origin}"
            for part in self._asked_first(level, parts):
                assert not self._rooms.has_room(part, self._now), (
                    f"patient {part.patient} waits for {name} and could be admitted at {self._now}"
                )
            self._what_holds_back(level, parts)

    def _what_holds_back(self, level: int, parts: list[Part]) -> None:
        """What those who wait lack is what the ledger says, except after the last session of a group."""
        if any(group.until for group in self._levels[level].groups.values()):
            return
        for part in self._one_of_each_kind(parts):
            lacks = self._rooms.lacks(part, self._now) or Missing.ORDER
            noted = self._noted.get((level, int(self._ledger.stay_kind[part.number])))
            assert noted == lacks, f"patient {part.patient} lacks {lacks!r} at {self._now}, noted is {noted}"

    def _asked_first(self, level: int, parts: list[Part]) -> Iterable[Part]:
        """Those whom room would let in: one of each kind, or the head of a strict list."""
        strict = self._levels[level].waitlist.discipline == "strict"
        return [min(parts, key=self._rank)] if strict else self._one_of_each_kind(parts)

    def _one_of_each_kind(self, parts: list[Part]) -> Iterable[Part]:
        ledger = self._ledger
        return {
            (ledger.patient_track[part.patient], ledger.patient_time[part.patient], part.care.phases): part
            for part in parts
        }.values()

    def _nobody_is_frozen(self) -> None:
        """No holder, and no two, wait for nothing but what they hold themselves."""
        holders = [
            patient
            for patient, part in self._place.items()
            if part.state in {OVER, SUSPENDED}
            and self._ahead[patient].state == WAITING
            and not self._rooms.has_room(
                self._ahead[patient], self._now
            )  # who has, waits behind a strict head
        ]
        for cycle in chain(combinations(holders, 1), combinations(holders, 2)):
            held = [self._place[patient] for patient in cycle]
            wanted = [self._ahead[patient] for patient in cycle]
            assert not self._rooms.could_all_swap(held, wanted, self._now), f"{cycle} frozen at {self._now}"

    def close(self) -> None:
        """At the end: whatever was taken was given back once, or is still taken by somebody who is there."""
        assert self._known == set(range(len(self._ledger.patient_source)))
        still = [part for part in self.parts if part.state in {ADMITTED, IN_CARE, SUSPENDED, OVER}]
        assert self._rooms.total == len(still)
        for part in self.parts:
            assert part.seen[Fact.RELEASED] == (part.seen[Fact.ADMITTED] and part not in still)
        for part in still:
            self._rooms.give_back(part)
        assert self._rooms.is_empty
