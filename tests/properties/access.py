"""The books of what lies before the waitlist: stages in their order, and appointments in a diary (model.md §6)."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from math import floor, inf
from typing import TYPE_CHECKING

from iopsim.model.ledger import Fact, Ledger, PostState, Stage
from iopsim.model.timeline import in_days
from iopsim.scenario.access import Contact, Eligible, Intake
from iopsim.scenario.schema import Scenario
from tests.properties.dates import Calendar, longest, within
from tests.properties.parts import Part, Row, State

if TYPE_CHECKING:
    from tests.properties.posts import Posts
    from tests.properties.visits import Visits

__all__ = ["Desk"]


@dataclass(slots=True)
class _Appointment:
    post: int
    day: int
    start: float | None  # None: others book in the same diary, so that only the day is known


class Desk:
    """Every stage that applies is passed, in order and in time; no post sees two people at once."""

    def __init__(
        self, scenario: Scenario, ledger: Ledger, calendar: Calendar, posts: Posts, visits: Visits
    ) -> None:
        self._scenario, self._ledger, self._calendar = scenario, ledger, calendar
        self._posts, self._visits = posts, visits
        self.change(calendar.opening)
        self._taken: dict[tuple[int, int], list[tuple[float, float]]] = defaultdict(list)
        filled = ledger.post_state == PostState.FILLED
        self._came = {
            (ledger.posts[number][0], time)
            for number, time in zip(
                ledger.post_number[filled].tolist(), ledger.post_time[filled].tolist(), strict=True
            )
        }
        self._booked: dict[int, _Appointment] = {}
        self._last: dict[int, tuple[Fact, float]] = {}
        self._due: dict[int, float] = {}
        self._until: dict[int, list[float]] = defaultdict(list)
        self._shared = {
            service.role for service in scenario.services.values() if service.limits
        }  # their diaries hold appointments of which the ledger says nothing until they take place

    def change(self, plan: Scenario) -> None:
        """Another plan is in force: other shares, other hours."""
        self._levels, self._staff = list(plan.levels.values()), plan.staff

    def settle(self, part: Part, rows: list[Row]) -> None:
        """Somebody who was referred before the opening: with an appointment, or still to be reached or given one."""
        contact, _, intake = self._stages(part)
        facts = [Fact(row[1]) for row in rows]
        booked = rows.pop() if facts[-1] == Fact.BOOKED else None
        had, reached = facts[1 : len(facts) - bool(booked)], [Fact.CONTACTED] if contact else []
        assert facts[0] in {Fact.REFERRED, Fact.SENT} and (had == reached or not (had or booked)), f"{part}"
        assert (facts[0] == Fact.REFERRED) == (part.origin < len(self._scenario.sources))
        law = contact.delay_days if contact else None
        self._due[part.number] = max(part.came + longest(law, self._passed(part)), self._calendar.first)
        if had:  # where it is not booked, nobody was there to give an appointment
            self._last[part.number] = Fact.CONTACTED, part.came
        if booked is not None:
            assert intake is not None
            now, _, _, lead, post, _ = booked
            day, start = floor(now) + lead, None
            if intake.role not in self._shared:
                begins = [
                    (self._begin(day, other, intake, day), other) for other in self._posts.of(intake.role)
                ]
                begin, whose = min(each for each in begins if self._posts.is_filled(each[1]))
                assert whose == post, f"the first free appointment on day {day} is another"
                self._taken[post, day].append((begin, begin + intake.minutes))
                start = _instant(day, begin)
            self._booked[part.number] = _Appointment(post, day, start)
            self._last[part.number] = Fact.BOOKED, now
            self._due[part.number] = self._due_next(part, Fact.BOOKED, now)

    def _passed(self, part: Part) -> float:
        """Days since somebody came, at the opening."""
        return max(0.0, self._calendar.first - part.came)

    def _follows(self, part: Part, since: float, now: float) -> bool:
        """Whether a fact comes at once, or at the opening for one who came before."""
        return now == since or (now == self._calendar.first and part.came < now)

    def check(self, part: Part, fact: Fact, now: float, a: int, b: int) -> None:
        """A fact of a stay that is in a stage, or leaves it."""
        if not any(self._stages(part)):
            assert fact in {Fact.REFERRED, Fact.JOINED, Fact.WITHDRAWN}, f"{fact.name} of one without stages"
            assert fact != Fact.JOINED or now == part.came
            return
        contact, _, intake = self._stages(part)
        last, since = self._last.get(part.number, (Fact.SENT, part.came))
        said = f"{fact.name} at {now} after {last.name} at {since}"
        asks_for_it = fact in {Fact.REFERRED, Fact.SENT} or part.state == State.APPLYING
        assert asks_for_it, f"{said}, past the stages"
        match fact:
            case Fact.CONTACTED:
                assert contact is not None and last == Fact.SENT, said
                in_time = within(contact.delay_days, now - since, self._passed(part))
                assert in_time or (now > since and self._follows(part, since, now)), said
            case Fact.BOOKED:
                assert intake is not None, said
                self._book(part, intake, now, a, b, self._reached(last, contact), since)
            case Fact.NO_SHOW | Fact.ASSESSED:
                assert intake is not None and last == Fact.BOOKED, said
                self._meet(part, intake, now, b)
                assert part.seen[Fact.NO_SHOW] <= intake.rebook
            case Fact.LOST:
                self._lose(part, Stage(b), now)
            case Fact.JOINED if intake is not None:
                assert last == Fact.ASSESSED and now == since + in_days(intake.minutes / 60), said
            case Fact.JOINED:
                assert self._reached(last, contact) and self._follows(part, since, now), said
        if fact not in {Fact.REFERRED, Fact.SENT}:
            self._last[part.number] = fact, now
        self._due[part.number] = self._due_next(part, fact, now)

    def _stages(self, part: Part) -> tuple[Contact | None, Eligible | None, Intake | None]:
        """The stages of the level that apply to those of the stay's origin."""
        level, origin = self._levels[part.level], self._ledger.origins[part.origin]
        sources = tuple(self._scenario.sources)
        contact, eligible, intake = level.contact, level.eligible, level.intake
        return (
            contact if contact and origin in (contact.for_ or sources) else None,
            eligible if eligible and origin in (eligible.for_ or sources) else None,
            intake if intake and origin in (intake.for_ or sources) else None,
        )

    def _reached(self, last: Fact, contact: Contact | None) -> bool:
        return last == (Fact.SENT if contact is None else Fact.CONTACTED)

    def _lose(self, part: Part, stage: Stage, now: float) -> None:
        contact, eligible, intake = self._stages(part)
        last, since = self._last.get(part.number, (Fact.SENT, part.came))
        said = f"LOST at {stage.name}, {now}, after {last.name} at {since}"
        match stage:
            case Stage.CONTACT:
                assert contact is not None and contact.share < 1 and last == Fact.SENT, said
            case Stage.SCREEN:
                assert eligible is not None and eligible.share < 1 and eligible.found_at == "screen", said
                assert self._reached(last, contact) and self._follows(part, since, now), said
            case Stage.INTAKE:
                assert intake is not None and last == Fact.NO_SHOW and now == since, said
            case Stage.ASSESSMENT:
                assert eligible is not None and eligible.share < 1 and eligible.found_at == "assessment", said
                assert intake is not None and last == Fact.ASSESSED, said
                assert now == since + in_days(intake.minutes / 60), said

    def between(self, part: Part, now: float) -> None:
        """Nobody is forgotten in a stage: what is due next is not overdue, unless nobody is there to give it."""
        if now > self._due[part.number]:
            contact, _, intake = self._stages(part)
            last, since = self._last.get(part.number, (Fact.SENT, part.came))
            # While nobody is there one asks again at every midnight.
            is_excused = (
                (last in {Fact.BOOKED, Fact.NO_SHOW} or self._reached(last, contact))
                and intake is not None
                and not self._posts.had_anybody(intake.role, floor(now))
            )
            assert is_excused, f"stay {part.number} is forgotten at {now}, after {last.name} at {since}"

    def _due_next(self, part: Part, last: Fact, now: float) -> float:
        """The latest instant of what follows a fact."""
        contact, _, intake = self._stages(part)
        if last == Fact.ASSESSED and intake is not None:
            return now + in_days(intake.minutes / 60)
        if last == Fact.BOOKED:
            booked = self._booked[part.number]
            return booked.start or booked.day + 1
        return now + longest(contact.delay_days) if contact and last in {Fact.REFERRED, Fact.SENT} else now

    def where_lost(self, part: Part, stage: Stage) -> str:
        """The destination that the scenario names for those who are lost at a stage."""
        level = self._levels[part.level]
        if stage == Stage.CONTACT and level.contact:
            return level.contact.lost_to
        if stage == Stage.INTAKE and level.intake:
            return level.intake.lost_to
        assert level.eligible is not None
        return level.eligible.otherwise

    # ── appointments ─────────────────────────────────────────────────────────────────────────────────────────

    def _book(
        self, part: Part, intake: Intake, now: float, lead_days: int, post: int, reached: bool, since: float
    ) -> None:
        role, _ = self._ledger.posts[post]
        before = self._booked.get(part.number)
        called_off = (
            before is not None and before.day == floor(now) and not self._posts.is_filled(before.post)
        )
        again = self._last.get(part.number, (Fact.SENT, 0.0)) == (Fact.NO_SHOW, now)
        late = (
            now in self._calendar.changes or (role, now) in self._came
        )  # with nobody there to give appointments, whoever comes gives one
        is_there = self._posts.is_filled(post)
        was_there = post in self._posts.left and (role, now) in self._came  # back, and away again at once
        assert role == intake.role and (is_there or was_there)
        reached = reached and self._follows(part, since, now)
        assert reached or again or called_off or late, f"books out of turn at {now}"
        day, start = floor(now) + lead_days, None
        if role not in self._shared and is_there:
            first, begin, whose = self._first_free(intake, now)
            assert (first, whose) == (day, post), f"the first free appointment at {now} is another"
            self._taken[post, day].append((begin, begin + intake.minutes))
            start = _instant(day, begin)
        self._booked[part.number] = _Appointment(post, day, start)

    def _first_free(self, intake: Intake, now: float) -> tuple[int, float, int]:
        """Day, minute and post of the first appointment that is still to come and that nobody has."""
        posts = self._posts.filled(intake.role)
        for day in range(floor(now), floor(now) + 3650):
            if self._calendar.is_working_day(day):
                begins = [(self._begin(day, post, intake, now), post) for post in posts]
                if (first := min(begins))[0] < inf:
                    return (day, *first)
        raise AssertionError("no appointment in ten years")

    def _begin(self, day: int, post: int, intake: Intake, now: float) -> float:
        """Minute after 09:00 at which the post could see somebody: whole lengths from then on, or after another."""
        minutes, begin = intake.minutes, 0.0
        while _instant(day, begin) < now:
            begin += minutes
        for taken, end in sorted(self._taken[post, day]):
            if begin + minutes <= taken + 1e-6:
                break
            begin = max(begin, end)
        last = self._staff[intake.role].appointment_minutes_per_day - minutes
        return begin if begin <= last + 1e-6 else inf

    def _meet(self, part: Part, intake: Intake, now: float, post: int) -> None:
        booked = self._booked.pop(part.number)
        assert (booked.post, booked.day) == (post, floor(now)) and self._posts.is_filled(post)
        assert booked.start in (None, now), f"the appointment is at {booked.start}, not at {now}"
        assert all(until <= now + 1e-5 for until in self._until[post][-1:]), (
            f"two appointments at once, at {now}"
        )
        self._until[post].append(now + in_days(intake.minutes / 60))
        self._visits.book(intake.role, now, intake.minutes)


def _instant(day: int, minute: float) -> float:
    return day + in_days(9 + minute / 60)
