"""Room in a level: places (beds), or seats in groups. Both find, count and give back room the same way.

A *need* is what a waiting stay must find, by number: a pool of places, or a wish for seats in groups.
`find` changes nothing; `count` is the only thing that changes how much is taken.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from array import array
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from functools import cache
from math import inf
from typing import TYPE_CHECKING

from iopsim.model.cohorts import Cohorts
from iopsim.model.people import ADMITTED, SUSPENDED
from iopsim.scenario.names import EITHER
from iopsim.scenario.parts import WEEKDAYS

if TYPE_CHECKING:
    from iopsim.model.people import Patient, Stay
    from iopsim.model.terms import Treatment
    from iopsim.model.timeline import Timeline
    from iopsim.scenario.groups import Group as GroupSpec
    from iopsim.scenario.levels import Level

__all__ = ["Capacity", "Group", "Groups", "Offer", "Places", "bits_of"]

Wish = tuple[int, int, int, int]
"""Track, preferred time and modality, and days a week at the start of the plan (0: all of the group's)."""


class Offer:
    """Room that was found: a pool of places, or weekdays in a group."""

    __slots__ = ("days", "group", "pool")

    def __init__(self, pool: int = 0, group: Group | None = None, days: tuple[int, ...] = ()) -> None:
        self.pool = pool
        self.group = group
        self.days = days


@cache
def bits_of(days: tuple[int, ...]) -> int:
    """Weekdays as the bits of a number."""
    return sum(1 << day for day in days)


class Capacity(ABC):
    """What a level needs of its room."""

    starts_at_once: bool
    is_unlimited: bool

    @abstractmethod
    def need(self, patient: Patient, treatment: Treatment, any_time: bool = False) -> int:
        """The class of need of a patient, who may take any time; stays of one class are all one to the allocator."""

    @abstractmethod
    def find(self, need: int, now: float) -> Offer | None:
        """Room for the need, or None; takes nothing."""

    @abstractmethod
    def has_room(self, need: int, now: float) -> bool:
        """Whether `find` would find room."""

    @abstractmethod
    def take(self, stay: Stay, offer: Offer) -> None:
        """Give the room to the stay."""

    @abstractmethod
    def count(self, stay: Stay, change: int) -> None:
        """Add `change` (+1 or −1) wherever the stay takes room."""

    @abstractmethod
    def give_back(self, stay: Stay) -> None:
        """Take the room back from the stay."""

    @abstractmethod
    def change(self, level: Level) -> None:
        """From now on so much may be taken; whoever has room keeps it."""


class Places(Capacity):
    """Places in one pool, or one pool per track; care starts at admission."""

    starts_at_once = True

    def __init__(self, level: Level, tracks: Sequence[str]) -> None:
        self._by_track = isinstance(level.places, Mapping)
        self._tracks = tracks
        self.change(level)
        self.taken = [0] * len(self.limits)

    def change(self, level: Level) -> None:
        """From now on there are so many places in each pool; nobody is put out."""
        places = level.places
        if isinstance(places, Mapping):
            self.limits = [float(places.get(track, 0)) for track in self._tracks]
        else:
            self.limits = [inf if isinstance(places, str) else float(places)]
        self.is_unlimited = min(self.limits) == inf
        self._offers = [Offer(pool=pool) for pool in range(len(self.limits))]

    def need(self, patient: Patient, treatment: Treatment, any_time: bool = False) -> int:
        """The pool, which is the track where places are given by track."""
        return patient.track if self._by_track else 0

    def find(self, need: int, now: float) -> Offer | None:
        """A free place of the pool."""
        return self._offers[need] if self.has_room(need, now) else None

    def has_room(self, need: int, now: float) -> bool:
        """Whether a place of the pool is free."""
        return self.taken[need] < self.limits[need]

    def take(self, stay: Stay, offer: Offer) -> None:
        """Occupy one place."""
        stay.pool = offer.pool
        self.count(stay, 1)

    def count(self, stay: Stay, change: int) -> None:
        """One place of the stay's pool."""
        self.taken[stay.pool] += change

    def give_back(self, stay: Stay) -> None:
        """Free the place."""
        self.count(stay, -1)


class Group:
    """One therapy group: its meetings in order, who sits in it on which weekday, how many seats are taken.

    `taken[weekday]` counts seats, held ones too; `members` are those who have them; `roster[weekday]` lists the
    numbers of the stays that are expected, `newcomers` are those of them whose care has not started. `held[weekday]`
    counts the sessions held, and `turns` says with which meeting whose plan is due to turn.
    `cohort` is None where admission is open. `joining` are sessions of other groups that have
    too few and join the next one here: (place among the recorded sessions, group, who was expected).
    """

    def __init__(self, index: int, spec: GroupSpec, timeline: Timeline) -> None:
        self.index = index
        self.weekdays = tuple(sorted(WEEKDAYS.index(day) for day in spec.days))
        self.hours = spec.hours
        self.days_a_week = len(self.weekdays)
        self.meetings = timeline.meetings(spec, self.weekdays)
        self.next = 0
        self.opens = float(timeline.first if spec.from_ is None else timeline.day(spec.from_))
        self.closes = None if spec.until is None else float(timeline.day(spec.until) + 1)
        self.cohort = None if spec.cohort is None else Cohorts(spec.cohort, timeline, self.opens)
        self.taken = [0] * 7
        self.change(spec)
        self.roster: list[array[int]] = [array("q") for _ in range(7)]
        self.held = [0] * 7
        self.turns: dict[int, list[Stay]] = {}
        self.newcomers: dict[int, Stay] = {}
        self.members: dict[int, Stay] = {}
        self.joining: list[tuple[int, Group, list[Stay]]] = []

    def change(self, spec: GroupSpec) -> None:
        """From now on the group has so many seats, and needs so many to meet."""
        self.spec = spec
        self.limit = spec.enrolled_at_most
        self.min_census = spec.min_census
        self.is_led = bool(spec.facilitators)
        self.days_with_room = sum(self.taken[day] < self.limit for day in self.weekdays)

    def fitting_days(self, wanted: int) -> tuple[int, ...]:
        """The `wanted` weekdays with room that are least full, ties in order of the week; there are so many."""
        if wanted == self.days_a_week:
            return self.weekdays
        taken, limit = self.taken, self.limit
        free = [day for day in self.weekdays if taken[day] < limit]
        if len(free) > wanted:
            free = sorted(sorted(free, key=taken.__getitem__)[:wanted])
        return tuple(free)

    def free_seats(self, days: tuple[int, ...]) -> int:
        """Seats that are free on each of the weekdays."""
        return self.limit - max([self.taken[day] for day in days])

    def next_meeting(self, days: tuple[int, ...]) -> float:
        """Start of the first session in which one could begin, on one of the weekdays; inf when there is none.

        That is the first to come that is not closed; in a group with cohorts, the first from the start date on.
        """
        meetings, first, cohort = self.meetings, self.next, self.cohort
        if cohort is not None:
            first = max(first, bisect_left(meetings.starts, cohort.date))
        place = meetings.open(days, first, 0)
        if place >= 0:
            return meetings.starts[place]
        # Meetings are known for some weeks after the end of the run; a start date may lie beyond.
        return inf if cohort is None or self.closes is not None else cohort.date

    def seat(self, stay: Stay) -> None:
        """Expect the stay on its weekdays."""
        stay.seated_at = 0
        for day in stay.days:
            self.roster[day].append(stay.number)
            stay.seated_at += self.held[day]
        if stay.state is ADMITTED:
            self.newcomers[stay.number] = stay

    def unseat(self, stay: Stay) -> None:
        """Expect the stay no longer; its seats stay taken."""
        if stay.seated_at >= 0:
            for day in stay.days:
                self.roster[day].remove(stay.number)
            if stay.number in self.newcomers:
                del self.newcomers[stay.number]
        stay.had_before, stay.seated_at, stay.turns_with = stay.had, -1, -1


class Groups(Capacity):
    """All groups of one level; care starts with the first session."""

    starts_at_once = False
    is_unlimited = False

    def __init__(
        self, groups: Sequence[Group], tracks: Sequence[str], times: Sequence[str], modalities: Sequence[str]
    ) -> None:
        self.groups = groups
        self._tracks = tracks
        self._times = times
        self._modalities = modalities
        self._any_time = times.index(EITHER)
        self._needs: dict[Wish, int] = {}
        self._fitting: list[list[tuple[Group, int]]] = []  # by need

    def change(self, level: Level) -> None:
        """From now on each group has so many seats; nobody loses one."""
        for group, spec in zip(self.groups, level.groups.values(), strict=True):
            group.change(spec)

    def need(self, patient: Patient, treatment: Treatment, any_time: bool = False) -> int:
        """The number of the patient's wish among all that there have been."""
        time = self._any_time if any_time else patient.time
        wish = (patient.track, time, patient.modality, treatment.days_per_week)
        need = self._needs.setdefault(wish, len(self._fitting))
        if need == len(self._fitting):
            self._fitting.append(self._that_fit(wish))
        return need

    def find(self, need: int, now: float) -> Offer | None:
        """Seats in the fitting group where one would begin first; then with most free seats; then in file order."""
        for group, wanted in self._fitting[need]:
            if group.days_with_room >= wanted:
                return _best(self._fitting[need], now)
        return None

    def find_elsewhere(self, stay: Stay, now: float) -> Offer | None:
        """Seats for one whose group closes, on as many days; no cohort takes anybody in."""
        track, time, modality, _ = list(self._needs)[stay.kind.need]
        fitting = self._that_fit((track, time, modality, len(stay.days)))
        return _best([each for each in fitting if each[0].cohort is None], now)

    def has_room(self, need: int, now: float) -> bool:
        """Whether some fitting group has seats and one could begin there."""
        for group, wanted in self._fitting[need]:
            if (
                group.days_with_room >= wanted
                and group.opens <= now
                and (group.cohort is None or not group.cohort.is_full)
                and group.next_meeting(group.fitting_days(wanted)) < inf
            ):
                return True
        return False

    def _that_fit(self, wish: Wish) -> list[tuple[Group, int]]:
        """Groups of the right track, time and modality that meet often enough, and days a week in each."""
        track, time, modality, days_per_week = wish
        return [
            (group, days_per_week or group.days_a_week)
            for group in self.groups
            if (not group.spec.tracks or self._tracks[track] in group.spec.tracks)
            and self._times[time] in {EITHER, group.spec.time}
            and self._modalities[modality] in {EITHER, group.spec.modality}
            and group.days_a_week >= days_per_week
        ]

    def take(self, stay: Stay, offer: Offer) -> None:
        """Take seats in the group on the offered weekdays; be expected there, if treatment goes on or is due."""
        group = offer.group
        stay.group, stay.days = group, offer.days
        self.count(stay, 1)
        if group is not None:
            group.members[stay.number] = stay
            if stay.state is not SUSPENDED and (group.cohort is None or group.cohort.expects(stay)):
                group.seat(stay)

    def count(self, stay: Stay, change: int) -> None:
        """One seat on each of the stay's weekdays, and one place in the cohort that is to start."""
        group = stay.group
        if group is not None:
            taken, limit = group.taken, group.limit
            for day in stay.days:
                before = taken[day]
                taken[day] = before + change
                group.days_with_room += (before >= limit) - (before + change >= limit)
            if group.cohort is not None:
                group.cohort.count(stay, change)

    def give_back(self, stay: Stay) -> None:
        """Free all seats."""
        self.count(stay, -1)
        if stay.group is not None:
            del stay.group.members[stay.number]
            stay.group.unseat(stay)


def _best(fitting: Sequence[tuple[Group, int]], now: float) -> Offer | None:
    """So many weekdays in the group where one would begin first, if one ever would; see `Groups.find`."""
    begins, chosen = inf, None
    for group, wanted in fitting:
        if (
            group.days_with_room < wanted
            or group.opens > now
            or (group.cohort is not None and group.cohort.is_full)
        ):
            continue
        days = group.fitting_days(wanted)
        time = group.next_meeting(days)
        if time < begins or (
            chosen is not None and time == begins and group.free_seats(days) > chosen[0].free_seats(chosen[1])
        ):
            begins, chosen = time, (group, days)
    return None if chosen is None else Offer(0, chosen[0], chosen[1])
