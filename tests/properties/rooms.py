"""The books' own counts of places, seats and caseloads, and of who is expected at each session."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from iopsim.model.ledger import Cause, Fact, Ledger, Missing
from iopsim.model.timeline import in_days
from iopsim.scenario.groups import Group
from iopsim.scenario.parts import WEEKDAYS
from iopsim.scenario.schema import Scenario

if TYPE_CHECKING:
    from tests.properties.conservation import Part, Row

__all__ = ["Meetings", "Rooms"]

_BEYOND = 28  # days after the end in which a group is known to meet again


class Calendar:
    """When groups meet, from the dates themselves."""

    def __init__(self, scenario: Scenario) -> None:
        self._start = scenario.run.start
        self.first = -7 * scenario.run.warm_up_weeks
        self.last = 7 * (scenario.run.weeks + scenario.run.run_out_weeks)
        self.closed = {self.day(date) for date in scenario.calendar.closed}

    def day(self, date: dt.date) -> int:
        return (date - self._start).days

    def weekday(self, day: int) -> int:
        return (self._start.weekday() + day) % 7

    def opens(self, group: Group) -> float:
        return self.first if group.from_ is None else self.day(group.from_)

    def closes(self, group: Group) -> float:
        return float("inf") if group.until is None else self.day(group.until) + 1

    def meets(self, group: Group, after: float, days: Collection[int]) -> bool:
        """Whether a session that is not closed will start after an instant, on one of the weekdays."""
        known = range(max(int(after), int(self.opens(group))), self.last + _BEYOND)
        return any(
            day + in_days(group.start_hour) > after and day < self.closes(group)
            for day in known
            if self.weekday(day) in days and day not in self.closed
        )


class Rooms:
    """What is taken: places by level and track, seats by group and weekday, patients by post."""

    def __init__(self, scenario: Scenario, ledger: Ledger) -> None:
        self._ledger = ledger
        self._calendar = Calendar(scenario)
        self._levels = list(scenario.levels.values())
        self._staff = scenario.staff
        self._groups = [(level, group) for level in self._levels for group in level.groups.values()]
        self._taken: Counter[tuple[object, ...]] = Counter()
        self._by_level: Counter[int] = Counter()
        self._with_therapist = 0

    @property
    def total(self) -> int:
        return self._by_level.total()

    @property
    def is_empty(self) -> bool:
        return not any(self._taken.values()) and not self._with_therapist

    def taken_in(self, level: int) -> int:
        return self._by_level[level]

    def take(self, part: Part, group: int, bits: int, now: float, post: bool = True) -> None:
        """Count what a fact says was taken, which must be allowed and within the limits."""
        level, ledger = self._levels[part.level], self._ledger
        part.group, part.days = group, tuple(day for day in range(7) if bits >> day & 1)
        if level.groups:
            spec = self._group(part)
            assert group in self._fitting(part), f"patient {part.patient} sits in a group that does not fit"
            assert self._calendar.opens(spec) <= now < self._calendar.closes(spec)
            assert {WEEKDAYS[day] for day in part.days} <= set(spec.days)
            assert not post or len(part.days) == self._wanted(part, spec)
        else:
            assert group == -1 and bits == 0
        self._count(part, 1, post)
        assert all(self._taken[key] <= limit for key, limit in self._limits(part).items()), f"over: {part}"
        if post and level.caseload is not None:
            role, _ = ledger.posts[part.post]
            assert role == level.caseload
        carried = sum(self._taken["post", number] for number in range(len(ledger.posts)))
        assert carried == self._with_therapist

    def give_back(self, part: Part, post: bool = True) -> None:
        self._count(part, -1, post)

    def _count(self, part: Part, change: int, post: bool) -> None:
        for key in self._limits(part):
            if post or key[0] != "post":
                self._taken[key] += change
                assert self._taken[key] >= 0, f"given back twice: {part}"
        if post:
            self._by_level[part.level] += change
            self._with_therapist += change * (part.post >= 0)

    def _limits(self, part: Part) -> Mapping[tuple[object, ...], float]:
        """Everything that a stay takes, with the limit on it."""
        level = self._levels[part.level]
        limits: dict[tuple[object, ...], float] = {}
        if level.groups:
            spec = self._group(part)
            limits |= {("seat", part.group, day): spec.seats * spec.overbook for day in part.days}
        else:
            limits[self._pool(part)] = self._places(part)
        if part.post >= 0:
            role = self._staff[self._ledger.posts[part.post][0]]
            limits["post", part.post] = (role.caseload or 0) * role.fte
        return limits

    def _pool(self, part: Part) -> tuple[object, ...]:
        by_track = isinstance(self._levels[part.level].places, Mapping)
        return ("place", part.level, self._track(part) if by_track else None)

    def _places(self, part: Part) -> float:
        places = self._levels[part.level].places
        if isinstance(places, Mapping):
            return places.get(self._track(part), 0)
        return float("inf") if isinstance(places, str) else places

    def _track(self, part: Part) -> str:
        track: str = self._ledger.tracks[self._ledger.patient_track[part.patient]]
        return track

    def _group(self, part: Part) -> Group:
        return self._groups[part.group][1]

    def _wanted(self, part: Part, group: Group) -> int:
        phases = part.care.phases
        return (phases[0].days_per_week if phases else self._levels[part.level].days_per_week) or len(
            group.days
        )

    def _fitting(self, part: Part) -> list[int]:
        time = self._ledger.times[self._ledger.patient_time[part.patient]]
        return [
            number
            for number, (level, group) in enumerate(self._groups)
            if level is self._levels[part.level]
            and (not group.tracks or self._track(part) in group.tracks)
            and time in ("either", group.time)
        ]

    def closes(self, part: Part, now: float) -> bool:
        """Whether the stay's group closes at this instant."""
        return part.group >= 0 and self._calendar.closes(self._group(part)) == now

    # ── who could be admitted ────────────────────────────────────────────────────────────────────────────────

    def could_all_swap(self, held: Sequence[Part], wanted: Sequence[Part], now: float) -> bool:
        """Whether all could be admitted once all had given back what they hold; changes nothing."""
        for part in held:
            self._count(part, -1, post=True)
        taken: list[Part] = []
        for part in wanted:
            if not self.has_room(part, now):
                break
            part.group, part.days, part.post = self._would_get(part, now)
            self._count(part, 1, post=True)
            taken.append(part)
        for part in taken:
            self._count(part, -1, post=True)
            part.group, part.days, part.post = -1, (), -1
        for part in held:
            self._count(part, 1, post=True)
        return len(taken) == len(wanted)

    def has_room(self, part: Part, now: float) -> bool:
        """Whether a waiting stay could be admitted."""
        return self.lacks(part, now) == Missing.NOTHING

    def lacks(self, part: Part, now: float) -> Missing:
        """What a waiting stay lacks: a place or seats, a therapist with room, both or nothing."""
        level = self._levels[part.level]
        if level.groups:
            seat = any(self._seats(part, number, now) for number in self._fitting(part))
        else:
            seat = self._taken[self._pool(part)] + 1 <= self._places(part)
        therapist = level.caseload is None or self._post_with_room(level.caseload) is not None
        return (Missing.NOTHING if seat else Missing.SEAT) | (
            Missing.NOTHING if therapist else Missing.CASELOAD
        )

    def _would_get(self, part: Part, now: float) -> tuple[int, tuple[int, ...], int]:
        level = self._levels[part.level]
        post = None if level.caseload is None else self._post_with_room(level.caseload)
        offers = ((number, self._seats(part, number, now)) for number in self._fitting(part))
        group, days = next(((number, days) for number, days in offers if days), (-1, ()))
        return group, days, -1 if post is None else post

    def _post_with_room(self, name: str) -> int | None:
        limit = (self._staff[name].caseload or 0) * self._staff[name].fte
        posts = [number for number, (role, _) in enumerate(self._ledger.posts) if role == name]
        return next((number for number in posts if self._taken["post", number] + 1 <= limit), None)

    def _seats(self, part: Part, number: int, now: float) -> tuple[int, ...]:
        """The least full weekdays of a group, if there are enough and it will meet on one of them."""
        group = self._groups[number][1]
        most, wanted = group.seats * group.overbook, self._wanted(part, group)
        taken = {day: self._taken["seat", number, day] for day in range(7) if WEEKDAYS[day] in group.days}
        least_full = sorted((day for day in taken if taken[day] + 1 <= most), key=taken.__getitem__)[:wanted]
        meets = self._calendar.opens(group) <= now and self._calendar.meets(group, now, least_full)
        return tuple(least_full) if len(least_full) == wanted and meets else ()


class Meetings:
    """All group sessions of a ledger, asked who must have been there."""

    def __init__(self, scenario: Scenario, ledger: Ledger) -> None:
        self._ledger, self._calendar = ledger, Calendar(scenario)
        self._levels = list(scenario.levels.values())
        self._groups = [group for level in self._levels for group in level.groups.values()]
        self._at: dict[float, list[int]] = {}
        for number, time in enumerate(ledger.session_time.tolist()):
            self._at.setdefault(time, []).append(number)
        assert self._dates() == self._due(), "sessions are not those of the calendar"

    @property
    def instants(self) -> Iterable[float]:
        return self._at

    def _dates(self) -> Counter[tuple[int, float]]:
        ledger = self._ledger
        return Counter(zip(ledger.session_group.tolist(), ledger.session_time.tolist(), strict=True))

    def _due(self) -> Counter[tuple[int, float]]:
        calendar = self._calendar
        return Counter(
            (number, day + in_days(group.start_hour))
            for number, group in enumerate(self._groups)
            for day in range(calendar.first, calendar.last)
            if WEEKDAYS[calendar.weekday(day)] in group.days
            and calendar.opens(group) <= day < calendar.closes(group)
        )

    def check(self, now: float, rows: list[Row], parts: list[Part]) -> None:
        """Ask the sessions of an instant, given the books just before it and the facts of the instant."""
        started = {stay for _, fact, stay, *_ in rows if fact == Fact.STARTED and self._in_group(parts[stay])}
        others = {stay for _, fact, stay, *_ in rows if fact not in {Fact.STARTED, Fact.REFERRED}}
        members: set[int] = set()
        for session in self._at.get(now, ()):
            members |= self._check(session, now, others, parts)
        new = {stay for stay in members if parts[stay].state == "admitted"}
        assert new - others <= started <= members, f"care starts without a session, or the reverse, at {now}"

    def _in_group(self, part: Part) -> bool:
        return bool(self._levels[part.level].groups)

    def _check(self, session: int, now: float, others: set[int], parts: list[Part]) -> set[int]:
        ledger = self._ledger
        group, enrolled = int(ledger.session_group[session]), int(ledger.session_enrolled[session])
        day, cause = self._calendar.weekday(int(now // 1)), Cause(int(ledger.session_cause[session]))
        seated = {
            part.number for part in parts if part.group == group and day in part.days and part.state != "gone"
        }
        expected = {number for number in seated if parts[number].state in {"admitted", "in care"}}
        sure = expected - others
        assert len(sure) <= enrolled <= len(expected | others), f"enrolled at {now}"
        assert len(seated - others) <= ledger.session_taken[session] <= len(seated | others)
        if int(now // 1) in self._calendar.closed:
            assert cause is Cause.CLOSED
        else:
            below = enrolled < self._groups[group].min_census
            assert cause is (Cause.BELOW_MINIMUM if below else Cause.HELD), f"{cause} at {now}"
        if cause is not Cause.HELD:
            return set()
        first = int(ledger.session_first[session])
        members = ledger.member_stay[first : first + enrolled].tolist()
        assert len(set(members)) == enrolled and sure <= set(members) <= expected | others, (
            f"members at {now}"
        )
        return set(members)
