"""Replays a ledger fact by fact and asks at every event what model.md §12 promises; also §§5-8 where facts show it.

It reads the scenario and the ledger and nothing of the model: a second set of books. This file holds the journey
itself; beside it, `access` keeps the books of appointments, `payers` of approvals, `waiting` of the order of the
lists, `rooms` of places and seats, `posts` of staff, `meetings` of sessions, `visits` of services that wait for hours.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from itertools import chain, groupby
from math import inf

from iopsim.model.ledger import ENDS, Fact, Ledger, Reason, Stage
from iopsim.scenario.levels import Care, Level, care_of
from iopsim.scenario.parts import HOME
from iopsim.scenario.schema import Scenario
from tests.properties.access import Desk
from tests.properties.dates import Calendar
from tests.properties.meetings import Meetings
from tests.properties.opening import Opening
from tests.properties.parts import AGAIN, AT_HOME, LEGAL, Part, Row, State
from tests.properties.payers import Payers
from tests.properties.posts import Facilitators, Posts
from tests.properties.rooms import Rooms
from tests.properties.visits import Visits
from tests.properties.waiting import Waiting

__all__ = ["check_conservation"]

_CLOSE = 1e-6
_TURNED_AWAY = {Fact.REFUSED, Fact.DENIED, Fact.LOST}
_SENDS = {*_TURNED_AWAY, Fact.RENEGED, Fact.SUSPENDED, *ENDS} - {Fact.STEPPED_UP}
_MOVES_ON = {
    Fact.STARTED, Fact.ADMITTED, *_TURNED_AWAY, Fact.JOINED, Fact.SENT, Fact.LEFT,
}  # fmt: skip
_LEAVES = {Fact.RELEASED, Fact.RENEGED, Fact.WITHDRAWN, Fact.LEFT, *_TURNED_AWAY}
_STAGES = {
    Fact.REFERRED, Fact.SENT, Fact.CONTACTED, Fact.BOOKED, Fact.NO_SHOW, Fact.ASSESSED, Fact.LOST, Fact.JOINED,
}  # fmt: skip


def check_conservation(scenario: Scenario, ledger: Ledger) -> None:
    """Raise AssertionError at the first event after which the books do not balance."""
    books = _Books(scenario, ledger)
    columns = (ledger.time, ledger.fact, ledger.stay, ledger.a, ledger.b, ledger.c)
    facts: list[Row] = list(zip(*(column.tolist() for column in columns), strict=True))
    assert [row[0] for row in facts] == sorted(row[0] for row in facts), "facts are not in order of time"
    facts = books.settle(facts)
    books.count_initial()
    by_instant = {now: list(rows) for now, rows in groupby(facts, key=lambda row: row[0])}
    for now in sorted({*by_instant, *books.instants}):
        books.live(now, by_instant.get(now, []))
    books.close()


class _Books(Opening):
    """Who is where, rebuilt from the facts alone."""

    def __init__(self, scenario: Scenario, ledger: Ledger) -> None:
        self._scenario, self._ledger = scenario, ledger
        self._levels: list[Level] = []
        self._names = list(scenario.levels)
        self._returned = len(ledger.origins) - 1
        calendar = self._calendar = Calendar(scenario)
        self._levels = list(calendar.opening.levels.values())
        self._posts = Posts(scenario, ledger, calendar)
        self._rooms = Rooms(scenario, ledger, calendar, self._posts)
        self._payers = Payers(scenario, ledger)
        self._visits = Visits(scenario, ledger, calendar, self._posts)
        self._desk = Desk(scenario, ledger, calendar, self._posts, self._visits)
        self._waiting = Waiting(scenario, ledger, self._desk, self._payers, self._rooms, self._visits)
        self._facilitators = Facilitators(ledger, calendar, self._posts)
        self._meetings = Meetings(scenario, ledger, calendar, self._rooms, self._payers, self._facilitators)
        self._parts = [
            Part(number, patient, level, self._care(level, patient))
            for number, (patient, level) in enumerate(
                zip(ledger.stay_patient.tolist(), ledger.stay_level.tolist(), strict=True)
            )
        ]
        self._ahead: dict[int, Part] = {}
        self._place: dict[int, Part] = {}
        self._on_the_way: dict[int, tuple[int, int]] = {}
        self._lag: dict[int, tuple[int, int]] = {}
        self._bound: dict[int, int] = {}
        self._known: set[int] = set()
        self._in = self._out = 0  # who has come from outside, again or not, and who has gone home
        self._came: Counter[int] = Counter()
        self._went: Counter[int] = Counter()
        self._now = -inf
        self._at_once: Mapping[int, set[int]] = {}
        self._gave_up: set[int] = set()

    @property
    def instants(self) -> Iterable[float]:
        """When something happens that is no fact of a stay."""
        parts = self._meetings.instants, self._visits.instants, self._posts.instants
        return chain(*parts, map(float, self._calendar.changes))

    def _care(self, level: int, patient: int) -> Care:
        ledger, name = self._ledger, self._names[level]
        track = ledger.tracks[ledger.patient_track[patient]]
        source = ledger.sources[ledger.patient_source[patient]]
        return care_of(self._scenario.levels[name], track, source)

    def count_initial(self) -> None:
        """Those who are there at the opening have come."""
        self._in = len(self._place.keys() | self._ahead.keys())

    # ── one instant ──────────────────────────────────────────────────────────────────────────────────────────

    def live(self, now: float, rows: list[Row]) -> None:
        """Apply all facts of an instant, then ask what must hold between instants."""
        self._now = now
        self._waiting.note(now)
        at_once: dict[int, set[int]] = defaultdict(set)
        for _, fact, stay, *_ in rows:
            at_once[self._parts[stay].patient].add(fact)
        self._at_once, self._gave_up = at_once, set()
        plan = self._calendar.changes.get(int(now)) if now == int(now) else None
        self._posts.change(now, plan)
        if plan is not None:
            self._adopt(plan)
        for cohort in self._rooms.cohorts:
            if cohort is not None:
                cohort.advance(now)
        self._meetings.check(now, rows, self._parts)
        for row in rows:
            self._apply(row)
            self._balance(self._parts[row[2]].level)
        self._visits.check(now, self._parts, set(at_once))
        self._between(at_once)

    def _adopt(self, plan: Scenario) -> None:
        """Another plan is in force, from before all else of the instant."""
        self._levels = list(plan.levels.values())
        for part in (
            self._rooms,
            self._waiting,
            self._desk,
            self._visits,
            self._meetings,
            self._facilitators,
        ):
            part.change(plan)

    def _apply(self, row: Row) -> None:
        now, number, stay, a, b, c = row
        part, fact = self._parts[stay], Fact(number)
        said = f"at {now}: {fact.name} of stay {stay}"
        assert part.state in LEGAL[fact], f"{said}, which was {part.state}"
        assert not part.seen[number] or fact in AGAIN, f"{said} for the second time"
        was_inside = self._is_inside(part.patient)
        getattr(self, f"_{fact.name.lower()}", self._nothing_else)(part, a, b, c)
        if fact in _STAGES:
            self._desk.check(part, fact, now, a, b)
        self._payers.check(part, fact, now, a, b)
        if fact in _SENDS and not self._goes_on(part, fact):
            self._send(part, fact, a, b)
        part.state = LEGAL[fact][part.state]
        part.seen[number] += 1
        self._cross(part, fact, was_inside, said)

    def _is_inside(self, patient: int) -> bool:
        return any(patient in part for part in (self._place, self._ahead, self._lag, self._on_the_way))

    def _cross(self, part: Part, fact: Fact, was_inside: bool, said: str) -> None:
        """Who comes was referred or returns; who goes is sent home: nobody else enters or leaves the whole."""
        is_inside = self._is_inside(part.patient)
        if is_inside and not was_inside:
            assert fact == Fact.REFERRED or part.origin == self._returned, f"{said} out of nowhere"
            self._in += 1
        elif was_inside and not is_inside:
            called_back = Fact.WITHDRAWN in self._at_once[part.patient]  # and comes, or `_between` would tell
            home = called_back or self._bound[part.patient] == AT_HOME
            assert fact in _LEAVES and home, f"{said} to nowhere"
            self._out += 1

    def _nothing_else(self, part: Part, a: int, b: int, c: int) -> None:
        """Its state says it all."""

    # ── on the way ───────────────────────────────────────────────────────────────────────────────────────────

    def _referred(self, part: Part, source: int, b: int, c: int) -> None:
        patient = part.patient
        assert patient not in self._known, f"patient {patient} is referred twice"
        assert self._now == self._ledger.patient_referred[patient]
        assert source == self._ledger.patient_source[patient]
        assert self._names[part.level] == self._scenario.sources[self._ledger.sources[source]].to
        self._known.add(patient)
        self._arrive(part, source)

    def _come(self, part: Part, origin: int) -> None:
        """Somebody comes who was sent, comes back, or is referred ahead of the end of treatment."""
        patient, sources = part.patient, len(self._scenario.sources)
        assert origin >= sources, f"patient {patient} comes from a source again"
        place = self._place.get(patient)
        if origin == self._returned:
            tos = {level.returns.to for level in self._levels if level.returns}
            assert self._names[part.level] in tos
            assert place is None, f"patient {patient} returns while in a level"
            self._lag.pop(patient, None)
        elif place is not None and place.state == State.IN_CARE and patient not in self._on_the_way:
            self._referred_ahead(part, place, origin - sources)
        else:
            due = self._lag if patient in self._lag else self._on_the_way
            assert due.pop(patient, None) == (origin - sources, part.level), (
                f"patient {patient} comes from nowhere"
            )
        self._arrive(part, origin)

    def _referred_ahead(self, part: Part, place: Part, level: int) -> None:
        """The end of treatment is near: at its planned end, if nothing comes between, the next level follows."""
        before, care = self._levels[place.level].refer_before_days, place.care
        said = f"patient {part.patient} is referred ahead at {self._now}"
        assert before > 0 and place.level == level and place.planned is None, said
        place.planned = self._now + before
        late = place.started < self._now == self._calendar.first  # the end was near already at the opening
        if late:
            place.planned = None
        if care.phases is not None:
            weeks = sum(phase.weeks for phase in care.phases)
            days = place.days_of_treatment(self._now) - max(0, 7 * weeks - before)
            assert abs(days) < _CLOSE or (late and days > 0), f"{said}, {days} days too late"
        assert self._names[part.level] in self._levels[level].next, said

    def _arrive(self, part: Part, origin: int) -> None:
        assert part.patient not in self._ahead, f"patient {part.patient} waits for two levels"
        part.came, part.origin = self._now, origin
        part.priority = self._levels[part.level].waitlist.priority.get(self._ledger.origins[origin], inf)
        self._ahead[part.patient] = part
        self._came[part.level] += 1

    def _sent(self, part: Part, origin: int, b: int, c: int) -> None:
        self._come(part, origin)

    def _joined(self, part: Part, origin: int, b: int, c: int) -> None:
        if part.state == State.NEW:
            self._come(part, origin)
        assert part.origin == origin
        part.joined = self._now
        place = self._place.get(part.patient)
        part.untreated = place is not None and place.state == State.IN_CARE

    def _ready(self, part: Part, a: int, b: int, c: int) -> None:
        part.ready = self._now
        assert part.untreated, f"stay {part.number} was ready"
        assert self._at_once[part.patient] & {Fact.COMPLETED, Fact.LEFT}, f"stay {part.number} is not ready"
        part.untreated = False

    def _aged(self, part: Part, into: int, b: int, c: int) -> None:
        ages = self._levels[part.level].waitlist.ages_into
        assert ages is not None and into == ages.class_ < part.priority
        assert self._now == self._in_time(part, ages.after_days), (
            f"stay {part.number} is of age at {self._now}"
        )
        part.priority = into

    def _accepted(self, part: Part, kind: int, b: int, c: int) -> None:
        after = self._levels[part.level].waitlist.accept_other_time_after_days
        assert after is not None and self._now == self._in_time(part, after), (
            f"stay {part.number} at {self._now}"
        )
        assert not part.any_time and self._levels[part.level].groups
        assert self._ledger.times[self._ledger.patient_time[part.patient]] != "either"
        part.any_time = True
        self._waiting.kind[part.number] = kind

    def _in_time(self, part: Part, days: float) -> float:
        """So long after joining, or at the opening if that is later."""
        return max(part.joined + days, float(self._calendar.first))

    def _lost(self, part: Part, a: int, b: int, c: int) -> None:
        self._turn_away(part, self._desk.where_lost(part, Stage(b)), a)

    def _refused(self, part: Part, a: int, b: int, c: int) -> None:
        waitlist = self._levels[part.level].waitlist
        assert waitlist.at_most is not None
        assert self._now in (part.joined, part.ready), "refused after waiting"
        self._turn_away(part, waitlist.otherwise, a)

    def _denied(self, part: Part, a: int, b: int, c: int) -> None:
        terms = self._payers.terms(part)
        assert terms is not None, f"stay {part.number} is denied what nobody asked for"
        self._turn_away(part, terms.denied_to, a)

    def _turn_away(self, part: Part, name: str, a: int) -> None:
        """Where the scenario says, or on with a treatment that goes on, and there at its end."""
        self._off(part)
        place = self._place.get(part.patient)
        if place is not None and place.state in {State.IN_CARE, State.SUSPENDED}:
            assert a == AT_HOME
            if place.state == State.IN_CARE:
                place.bound = name
        else:
            assert self._name(a) == name, f"stay {part.number} goes to {self._name(a)}, not to {name}"

    def _reneged(self, part: Part, a: int, b: int, c: int) -> None:
        assert part.patient not in self._place, "gives up waiting while holding a place"
        assert part.care.patience_days is not None
        assert self._name(a) == self._levels[part.level].waitlist.renege_to
        self._off(part)

    def _withdrawn(self, part: Part, a: int, b: int, c: int) -> None:
        self._off(part)

    def _off(self, part: Part) -> None:
        assert self._ahead.pop(part.patient) is part
        self._went[part.level] += 1

    def _name(self, destination: int) -> str:
        return HOME if destination == AT_HOME else self._names[destination]

    # ── in the level ─────────────────────────────────────────────────────────────────────────────────────────

    def _admitted(self, part: Part, a: int, b: int, c: int) -> None:
        assert not part.untreated, f"stay {part.number} is admitted before the treatment before is over"
        if part.patient not in self._gave_up:
            self._waiting.in_turn(part, self._now, self._ahead.values())
        part.admitted = self._now
        self._rooms.admit(part, a, c, b, self._now)

    def _moved(self, part: Part, a: int, b: int, c: int) -> None:
        self._rooms.move(part, a, c, self._now)

    def _reassigned(self, part: Part, a: int, post: int, c: int) -> None:
        self._posts.reassign(part, post, self._levels[part.level].caseload)

    def _started(self, part: Part, a: int, b: int, c: int) -> None:
        assert self._ahead.pop(part.patient) is part
        assert part.patient not in self._place, "starts care while another place is still taken"
        self._place[part.patient] = part
        part.started = part.since = self._now

    def _suspended(self, part: Part, a: int, b: int, c: int) -> None:
        part.treated = part.days_of_treatment(self._now)
        part.over_since = self._now
        step_up = part.care.leave_early.step_up
        part.hold = step_up.hold_days if step_up else 0.0

    def _resumed(self, part: Part, a: int, b: int, c: int) -> None:
        part.since = self._now

    def _stepped_up(self, part: Part, a: int, b: int, c: int) -> None:
        if part.state == State.IN_CARE:
            assert a == AT_HOME
            self._bound[part.patient] = AT_HOME
        else:
            ahead = self._ahead.get(part.patient)
            assert ahead is not None and ahead.level == a, "stepped up to nowhere"

    def _left(self, part: Part, a: int, b: int, c: int) -> None:
        if part.state == State.ADMITTED:
            assert self._ahead.pop(part.patient) is part

    def _released(self, part: Part, a: int, b: int, c: int) -> None:
        self._rooms.count(part, -1)
        if self._place.get(part.patient) is part:
            del self._place[part.patient]
        self._went[part.level] += 1
        if part.over_since < self._now and part.seen[Fact.COMPLETED]:
            ends = max(part.over_since + part.hold, float(self._calendar.first))
            over = self._now == ends or self._rooms.closes(part, self._now)
            moved_on = self._at_once[part.patient] & _MOVES_ON
            assert over or moved_on, f"stay {part.number} gives up a held place without a reason"
        if part.hold > 0 or part.seen[Fact.SUSPENDED]:
            self._gave_up.add(part.patient)

    # ── on to the next level ─────────────────────────────────────────────────────────────────────────────────

    def _goes_on(self, part: Part, fact: Fact) -> bool:
        """Whether a treatment goes on for one who is turned away from the next level."""
        place = self._place.get(part.patient)
        return fact in _TURNED_AWAY and place is not None and place.state in {State.IN_CARE, State.SUSPENDED}

    def _send(self, part: Part, fact: Fact, destination: int, reason: int) -> None:
        patient, level = part.patient, self._levels[part.level]
        self._bound[patient] = destination
        if fact == Fact.COMPLETED:
            self._complete(part, destination)
            lag = level.next.get(self._name(destination))
            is_ahead = patient in self._ahead
            if destination != AT_HOME and lag is not None and lag.lag_days is not None and not is_ahead:
                self._lag[patient] = (part.level, destination)
                return
        elif fact in {Fact.DROPPED_OUT, Fact.DISCHARGED}:
            terms = self._payers.terms(part)
            cut = fact == Fact.DISCHARGED and reason == Reason.CUT and terms is not None
            to = terms.denied_to if cut and terms else part.care.leave_early.dropout_to
            assert self._name(destination) == to, f"{fact.name} to {self._name(destination)}, not {to}"
        if destination != AT_HOME and not (fact == Fact.COMPLETED and patient in self._ahead):
            assert patient not in self._on_the_way
            self._on_the_way[patient] = (part.level, destination)

    def _complete(self, part: Part, destination: int) -> None:
        level, ahead = self._levels[part.level], self._ahead.get(part.patient)
        part.over_since = self._now
        part.hold = 0.0 if destination == AT_HOME else level.hold_days
        if part.bound is not None:
            assert self._name(destination) == part.bound, f"stay {part.number} forgets where it is sent"
        else:
            foretold = part.number in self._ledger.resident_stay and ahead is not None
            assert foretold or self._name(destination) in level.next, (
                f"stay {part.number} completes to {destination}"
            )
        if ahead is not None:
            assert ahead.level == destination, f"stay {part.number} completes to elsewhere"
        if part.planned is not None and part.care.phases is None and not part.seen[Fact.SUSPENDED]:
            early = part.planned - self._now
            at_start = abs(self._now - part.started) <= level.refer_before_days + _CLOSE
            assert abs(early) < _CLOSE or at_start, f"stay {part.number} was referred {early} days too early"

    # ── what must hold ───────────────────────────────────────────────────────────────────────────────────────

    def _balance(self, level: int) -> None:
        """In − out = in a stage + waiting + admitted + in care + holding, in the level that the fact touched."""
        present = self._rooms.taken_in(level) + sum(
            part.level == level and part.state in {State.APPLYING, State.WAITING}
            for part in self._ahead.values()
        )
        assert self._came[level] - self._went[level] == present, f"{self._names[level]} at {self._now}"

    def _between(self, touched: Mapping[int, set[int]]) -> None:
        """Between two instants: nobody is lost, nobody holds for nothing or for too long, nobody could start."""
        assert not self._on_the_way, f"sent and not arrived at {self._now}: {self._on_the_way}"
        there = self._place.keys() | self._ahead.keys() | self._lag.keys()
        assert self._in - self._out == len(there), f"{len(there)} are inside at {self._now}"
        for patient in touched:
            inside = patient in self._place or patient in self._ahead or patient in self._lag
            assert inside or self._bound[patient] == AT_HOME, f"patient {patient} vanished at {self._now}"
        for patient, part in self._place.items():
            self._in_place(patient, part)
        with_place = [
            *self._place.values(), *(part for part in self._ahead.values() if part.state == State.ADMITTED)
        ]  # fmt: skip
        assert len(with_place) == self._rooms.total
        self._posts.between(with_place, [level.caseload for level in self._levels])
        self._payers.between(self._now, self._place.values())
        self._waiting.between(self._now, self._ahead, self._place)

    def _in_place(self, patient: int, part: Part) -> None:
        ahead = self._ahead.get(patient)
        if part.state in {State.OVER, State.SUSPENDED}:
            assert ahead is not None, f"patient {patient} holds a place for nothing at {self._now}"
            assert not ahead.untreated, f"patient {patient} is not ready at {self._now}"
            assert self._now <= part.over_since + part.hold, f"patient {patient} holds for too long"
        else:
            assert part.state == State.IN_CARE
            in_time = ahead is None or ahead.untreated or ahead.state == State.APPLYING
            foretold = part.planned is not None or part.number in self._ledger.resident_stay
            assert in_time and (ahead is None or foretold), f"patient {patient} has two"

    def close(self) -> None:
        """At the end: whatever was taken was given back once, or is still taken by somebody who is there."""
        assert self._known == set(range(len(self._ledger.patient_source)))
        still = [part for part in self._parts if part.has_place]
        assert self._rooms.total == len(still)
        for part in self._parts:
            assert part.seen[Fact.RELEASED] == (part.seen[Fact.ADMITTED] and part not in still)
        for part in still:
            self._rooms.count(part, -1)
        assert self._rooms.is_empty and not any(self._posts.carried.values())
        self._facilitators.close()
