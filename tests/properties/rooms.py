"""The books' own counts of places and seats, and of those who are admitted for a cohort's next start date."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import TYPE_CHECKING

from iopsim.model.ledger import Ledger, Missing
from iopsim.scenario.groups import Group
from iopsim.scenario.parts import WEEKDAYS
from iopsim.scenario.schema import Scenario
from tests.properties.dates import Calendar
from tests.properties.parts import Part, State

if TYPE_CHECKING:
    from tests.properties.posts import Posts

__all__ = ["Cohorts", "Rooms"]


@dataclass
class Cohorts:
    """The start dates of one group: the one that may be joined, and who has been admitted for it."""

    date: float
    every_days: int
    starters: int
    convened: float = -inf
    coming: set[int] = field(default_factory=set)
    is_gathered: bool = False  # they wait to start as guests of another group: nobody joins them any more

    @classmethod
    def of(cls, group: Group, calendar: Calendar) -> Cohorts | None:
        """Start dates have come at their rhythm since the group exists, unless the first leaves one out."""
        if group.cohort is None:
            return None
        date, every, opens = calendar.day(group.cohort.first), group.cohort.every_days, calendar.opens(group)
        if date <= opens or date < every:
            while date - every >= opens:
                date -= every
            while date < opens:
                date += every
        return cls(float(date), every, group.cohort.starters)

    @property
    def is_full(self) -> bool:
        return self.is_gathered or len(self.coming) >= self.starters

    def advance(self, now: float) -> None:
        """A start date that comes while the one before has not started lets those of the next join."""
        while self.date + self.every_days <= now:
            self._next()

    def met(self, now: float, held: bool) -> None:
        """A session that was not closed: the cohort that was due has started, or there was none."""
        if self.date <= now and (held or not self.coming):
            self._next()

    def _next(self) -> None:
        self.date += self.every_days
        self.coming.clear()


class Rooms:
    """What is taken: places by level and track, seats by group and weekday."""

    def __init__(self, scenario: Scenario, ledger: Ledger, calendar: Calendar, posts: Posts) -> None:
        self._ledger, self.calendar, self._posts = ledger, calendar, posts
        self.change(calendar.opening)
        self.cohorts = [Cohorts.of(group, calendar) for _, group in self._groups]
        self._taken: Counter[tuple[object, ...]] = Counter()
        self._by_level: Counter[int] = Counter()

    def change(self, plan: Scenario) -> None:
        """Another plan is in force: other limits, which put nobody out."""
        self._levels = list(plan.levels.values())
        groups = {name: (level, group) for level in self._levels for name, group in level.groups.items()}
        self._groups = [groups[name] for name in self._ledger.groups]

    @property
    def total(self) -> int:
        return self._by_level.total()

    @property
    def is_empty(self) -> bool:
        return not any(self._taken.values())

    def taken_in(self, level: int) -> int:
        return self._by_level[level]

    def admit(self, part: Part, group: int, bits: int, post: int, now: float) -> None:
        """Take a bundle, which must be allowed and within the limits."""
        self._posts.admit(post, self._levels[part.level].caseload)
        part.post, part.post_since = post, now
        part.group, part.days = group, _weekdays(bits)
        cohort = self.cohorts[group] if group >= 0 else None
        if cohort is not None:
            assert not cohort.is_full, f"too many start on day {cohort.date} in group {group}"
            cohort.coming.add(part.number)
            part.cohort = cohort.date
        assert not self._levels[part.level].groups or len(part.days) == self._wanted(part, self._group(part))
        self.count(part, 1)
        if part.days:
            assert group in self._fitting(part), f"patient {part.patient} sits in a group that does not fit"
        self._is_allowed(part, now, {})

    def settle(self, part: Part, group: int, bits: int, post: int) -> None:
        """Take the bundle of one who is there at the opening, whether or not there is so much room."""
        part.post, part.post_since, part.group, part.days = post, part.started, group, _weekdays(bits)
        assert bool(self._levels[part.level].groups) == bool(part.days)
        assert (post >= 0) == (self._levels[part.level].caseload is not None) or not self._posts.anybody(
            self._levels[part.level].caseload
        )
        self.count(part, 1)

    def move(self, part: Part, group: int, bits: int, now: float) -> None:
        """Change seats: fewer weekdays in one group, or another group that is open."""
        assert group == part.group or self.cohorts[group] is None, (
            f"stay {part.number} is moved into a cohort"
        )
        had, before = self._limits(part), part.group
        self._count_room(part, -1)
        if group != part.group:
            self._forget_cohort(part)
        part.group, part.days = group, _weekdays(bits)
        self._count_room(part, 1)
        assert part.group == before or part.group in self._fitting(part), f"stay {part.number} is moved"
        self._is_allowed(part, now, had)

    def _is_allowed(self, part: Part, now: float, had: Mapping[tuple[object, ...], float]) -> None:
        """The group is open, and there was room for what the stay did not have before."""
        if self._levels[part.level].groups:
            spec = self._group(part)
            assert self.calendar.opens(spec) <= now < self.calendar.closes(spec)
            assert part.days and {WEEKDAYS[day] for day in part.days} <= set(spec.days)
        else:
            assert part.group == -1 and not part.days
        taken = {key: limit for key, limit in self._limits(part).items() if key not in had}
        assert all(self._taken[key] <= limit for key, limit in taken.items()), f"over: {part}"

    def count(self, part: Part, change: int) -> None:
        """Add `change` (+1 or −1) wherever a stay takes room or time of staff."""
        self._count_room(part, change)
        self._by_level[part.level] += change
        if part.post >= 0:
            self._posts.carried[part.post] += change
        if change < 0:
            self._forget_cohort(part)

    def _forget_cohort(self, part: Part) -> None:
        if part.group >= 0 and (cohort := self.cohorts[part.group]) is not None:
            cohort.coming.discard(part.number)
            part.cohort = None

    def _count_room(self, part: Part, change: int) -> None:
        for key in self._limits(part):
            self._taken[key] += change
            assert self._taken[key] >= 0, f"given back twice: {part}"

    def _limits(self, part: Part) -> Mapping[tuple[object, ...], float]:
        """Everything that a stay takes of room, with the limit on it."""
        if self._levels[part.level].groups:
            spec = self._group(part)
            return {("seat", part.group, day): spec.seats * spec.overbook + 1e-9 for day in part.days}
        return {self._pool(part): self._places(part)}

    def _pool(self, part: Part) -> tuple[object, ...]:
        by_track = isinstance(self._levels[part.level].places, Mapping)
        return ("place", part.level, self._track(part) if by_track else None)

    def _places(self, part: Part) -> float:
        places = self._levels[part.level].places
        if isinstance(places, Mapping):
            return places.get(self._track(part), 0)
        return inf if isinstance(places, str) else places

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
        ledger = self._ledger
        time = "either" if part.any_time else ledger.times[ledger.patient_time[part.patient]]
        modality = ledger.modalities[ledger.patient_modality[part.patient]]
        return [
            number
            for number, (level, group) in enumerate(self._groups)
            if level is self._levels[part.level]
            and (not group.tracks or self._track(part) in group.tracks)
            and time in ("either", group.time)
            and modality in ("either", group.modality)
        ]

    def needs(self, part: Part) -> tuple[object, ...]:
        """Who needs the same as another finds the same room."""
        return (*self._fitting(part), self._track(part), part.care.phases)

    def closes(self, part: Part, now: float) -> bool:
        """Whether the stay's group closes at this instant."""
        return part.group >= 0 and self.calendar.closes(self._group(part)) == now

    # ── who could be admitted ────────────────────────────────────────────────────────────────────────────────

    def could_all_swap(self, held: Sequence[Part], wanted: Sequence[Part], now: float) -> bool:
        """Whether all could be admitted once all had given back what they hold; changes nothing."""
        for part in held:
            self.count(part, -1)
        taken: list[Part] = []
        for part in wanted:
            if not self.has_room(part, now):
                break
            part.group, part.days, part.post = self._would_get(part, now)
            self.count(part, 1)
            taken.append(part)
        for part in taken:
            self.count(part, -1)
            part.group, part.days, part.post = -1, (), -1
        for part in held:
            self.count(part, 1)
        return len(taken) == len(wanted)

    def has_room(self, part: Part, now: float) -> bool:
        """Whether a waiting stay could be admitted, the payer's word and its treatment apart."""
        return self.lacks(part, now) == Missing.NOTHING

    def lacks(self, part: Part, now: float) -> Missing:
        """What a waiting stay lacks: a place or seats, a therapist with room, both or nothing."""
        level = self._levels[part.level]
        if level.groups:
            seat = any(self._seats(part, number, now) for number in self._fitting(part))
        else:
            seat = self._taken[self._pool(part)] + 1 <= self._places(part)
        therapist = level.caseload is None or self._posts.with_room(level.caseload) is not None
        return (Missing.NOTHING if seat else Missing.SEAT) | (
            Missing.NOTHING if therapist else Missing.CASELOAD
        )

    def _would_get(self, part: Part, now: float) -> tuple[int, tuple[int, ...], int]:
        level = self._levels[part.level]
        post = None if level.caseload is None else self._posts.with_room(level.caseload)
        offers = ((number, self._seats(part, number, now)) for number in self._fitting(part))
        group, days = next(((number, days) for number, days in offers if days), (-1, ()))
        return group, days, -1 if post is None else post

    def _seats(self, part: Part, number: int, now: float) -> tuple[int, ...]:
        """The least full weekdays of a group, if there are enough and one could begin on one of them."""
        group, cohort = self._groups[number][1], self.cohorts[number]
        most, wanted = group.seats * group.overbook + 1e-9, self._wanted(part, group)
        taken = {day: self._taken["seat", number, day] for day in range(7) if WEEKDAYS[day] in group.days}
        least_full = sorted((day for day in taken if taken[day] + 1 <= most), key=taken.__getitem__)[:wanted]
        if len(least_full) < wanted or self.calendar.opens(group) > now:
            return ()
        first = now if cohort is None else max(now, cohort.date - 1e-9)
        begins = self.calendar.next_meeting(group, first, least_full)
        beyond = cohort is not None and group.until is None  # a start date may lie after the known sessions
        could = (begins < inf or beyond) and (cohort is None or not cohort.is_full)
        return tuple(least_full) if could else ()

    def expected(self, part: Part, day: int) -> bool:
        """Whether the stay is expected at its group's session of a day, if nothing happens to it before."""
        due = part.cohort is None or part.cohort <= day
        return part.state == State.IN_CARE or (part.state == State.ADMITTED and due)


def _weekdays(bits: int) -> tuple[int, ...]:
    return tuple(day for day in range(7) if bits >> day & 1)
