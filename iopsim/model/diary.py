"""Diaries: appointments of a role on working days, from 09:00, one after the other (model.md §6)."""

from __future__ import annotations

from bisect import insort
from dataclasses import dataclass, field
from functools import cache
from heapq import heappop, heappush, heapreplace
from math import floor, inf
from typing import TYPE_CHECKING, Final

from iopsim.model.ledger import PostState
from iopsim.model.timeline import in_days

if TYPE_CHECKING:
    from iopsim.model.posts import Crew
    from iopsim.model.timeline import Timeline

__all__ = ["Diary"]

_OPENS_AT_HOUR: Final = 9
_TOLERANCE_MINUTES: Final = 1e-6

_OPENING: Final = in_days(_OPENS_AT_HOUR)
_FILLED: Final[PostState] = PostState.FILLED

Slot = tuple[float, float]  # start and end, in minutes after the opening of a day


class Diary:
    """The appointments of all posts of one role.

    A post gives appointments for so many minutes a day; one of n minutes starts at a multiple of n after 09:00, or as
    soon as the one before it ends. Appointments belong to the post: a successor keeps them. Posts are numbered among
    those of all roles. Questions must be asked in order of time.
    """

    def __init__(self, crew: Crew, timeline: Timeline) -> None:
        self._posts = crew.posts
        self._first = crew.first
        minutes = crew.role.appointment_minutes_per_day
        self._pages = [_Page(minutes, timeline) for _ in crew.posts]
        self._lengths: dict[float, _Length] = {}

    def change(self, minutes_a_day: float) -> None:
        """From now on a post gives appointments for so long each day; those that are made stay."""
        for page in self._pages:
            page.change(minutes_a_day)
        self._lengths.clear()

    def first_free(self, now: float, minutes: float) -> tuple[float, int] | None:
        """Start and post of the first free appointment, ties in order of posts; None while nobody is there."""
        found = self._search(self._length(now, minutes), now)
        return None if found is None else (found[0], self._first + found[1])

    def book(self, now: float, minutes: float) -> tuple[float, int] | None:
        """Take the first free appointment."""
        length = self._length(now, minutes)
        found = self._search(length, now)
        if found is None:
            return None
        start, place, begin = found
        self._pages[place].book_first(start, begin, length.known[place], minutes)
        return start, self._first + place

    def book_on(self, day: int, minutes: float) -> tuple[float, int] | None:
        """Take the first appointment that is free on a day, or on the next that has one; days in any order."""
        free = [
            (*found, place)
            for place, page in enumerate(self._pages)
            if self._posts[place].state is _FILLED and (found := page.free_from(day, minutes)) is not None
        ]
        if not free:
            return None
        start, begin, place = min(free, key=lambda one: (one[0], one[2]))
        self._pages[place].book(start, begin, minutes)
        return start, self._first + place

    def _length(self, now: float, minutes: float) -> _Length:
        """What is known for appointments of a length."""
        length = self._lengths.get(minutes)
        if length is None:
            length = self._lengths[minutes] = _Length(minutes, [page.learn(now) for page in self._pages])
        return length

    def _search(self, length: _Length, now: float) -> tuple[float, int, float] | None:
        """Start, place of the post and minute of the day of the first free appointment."""
        bounds, heap, posts = length.bounds, length.by_bound, self._posts
        absent, found = [], None
        while heap and found is None:
            bound, place = heap[0]
            if bound != bounds[place]:
                heappop(heap)
            elif posts[place].state is not _FILLED:
                absent.append(heappop(heap))
            elif (free := self._pages[place].first_free(length.known[place], now, length.minutes)) is None:
                break
            else:
                start, begin = free
                if start != bound:
                    bounds[place] = start
                    heapreplace(heap, (start, place))
                if start == bound or heap[0] == (start, place):
                    found = start, place, begin
        for entry in absent:
            heappush(heap, entry)
        return found

    def cancel(self, start: float, post: int) -> None:
        """Give an appointment back, for others to take."""
        place = post - self._first
        self._pages[place].cancel(start)
        for length in self._lengths.values():
            length.bounds[place] = min(length.bounds[place], float(floor(start)))
            heappush(length.by_bound, (length.bounds[place], place))

    def is_present(self, post: int) -> bool:
        """Whether somebody is there who can give the post's appointments."""
        return self._posts[post - self._first].state is _FILLED


class _Length:
    """What is known of all pages for appointments of one length.

    No post has one before its bound; `by_bound` has the posts by bound, and by those that they had before.
    """

    __slots__ = ("bounds", "by_bound", "known", "minutes")

    def __init__(self, minutes: float, known: list[_Known]) -> None:
        self.minutes = minutes
        self.known = known
        self.bounds = [-inf] * len(known)
        self.by_bound = [(-inf, place) for place in range(len(known))]


class _Page:
    """The diary of one post.

    Nobody leafs through full days again and again: what is known is kept for each length of appointments asked for.
    """

    def __init__(self, minutes_a_day: float, timeline: Timeline) -> None:
        self._timeline = timeline
        self._taken: dict[int, list[Slot]] = {}
        self._today = timeline.first
        self._known: list[_Known] = []
        self.change(minutes_a_day)

    def change(self, minutes_a_day: float) -> None:
        """Days that were too full may be so no longer."""
        self._minutes = minutes_a_day + _TOLERANCE_MINUTES
        self._known.clear()

    def learn(self, now: float) -> _Known:
        """From now on appointments of another length are asked for."""
        known = _Known(self._timeline.workday(floor(now)))
        self._known.append(known)
        return known

    def first_free(self, known: _Known, now: float, minutes: float) -> tuple[float, float] | None:
        """Start and minute of the day of the first free appointment; None if no day is long enough for one."""
        if minutes > self._minutes:
            return None
        free = known.free
        # A free one at a multiple of the length is the first as long as it lies ahead: no other can come before it.
        if free is None or free[0] < now or free[1] % minutes:
            free = known.free = self._search(known, now, minutes)
        return free

    def _search(self, known: _Known, now: float, minutes: float) -> tuple[float, float]:
        today, reopened = floor(now), known.reopened
        while self._today < today:  # what was is of no use any more
            self._taken.pop(self._today, None)
            self._today += 1
        while reopened:
            if reopened[0] >= today and (begin := self._begin(reopened[0], now, minutes)) is not None:
                return reopened[0] + _clock(begin), begin
            heappop(reopened)
        day = known.frontier if known.frontier >= today else self._timeline.workday(today)
        while (begin := self._begin(day, now, minutes)) is None:
            day = self._timeline.workday(day + 1)
        known.frontier = day
        return day + _clock(begin), begin

    def free_from(self, day: int, minutes: float) -> tuple[float, float] | None:
        """As `first_free`, from the beginning of a day that may be any; remembers nothing."""
        if minutes > self._minutes:
            return None
        day = self._timeline.workday(day)
        while (begin := self._begin(day, float(day), minutes)) is None:
            day = self._timeline.workday(day + 1)
        return day + _clock(begin), begin

    def book(self, start: float, begin: float, minutes: float) -> None:
        """Take an appointment."""
        insort(self._taken.setdefault(floor(start), []), (begin, begin + minutes))
        for known in self._known:
            known.free = None

    def book_first(self, start: float, begin: float, its: _Known, minutes: float) -> None:
        """Take the first free appointment of that length: if it is the last of its day, the next one follows it."""
        day, end = floor(start), begin + minutes
        for known in self._known:
            known.free = None
        taken = self._taken.setdefault(day, [])
        if taken and taken[-1][0] > begin:
            insort(taken, (begin, end))
        else:
            taken.append((begin, end))
            if end + minutes <= self._minutes:
                its.free = day + _clock(end), end

    def cancel(self, start: float) -> None:
        """Give an appointment back."""
        day = floor(start)
        taken = self._taken[day]
        del taken[[day + _clock(begin) for begin, _ in taken].index(start)]
        for known in self._known:
            known.free = None
            if day < known.frontier and day not in known.reopened:
                heappush(known.reopened, day)

    def _begin(self, day: int, now: float, minutes: float) -> float | None:
        """Minute at which an appointment can begin on a day, not before now."""
        begin = 0.0
        if day + _OPENING < now:
            begin = minutes * max(0, ((now - day) * 24 - _OPENS_AT_HOUR) * 60 // minutes)
            while day + _clock(begin) < now:
                begin += minutes
        for taken, end in self._taken.get(day, ()):
            if begin + minutes <= taken + _TOLERANCE_MINUTES:
                break
            if begin >= end:
                continue
            begin = end
        return begin if begin + minutes <= self._minutes else None


@dataclass(slots=True)
class _Known:
    """What is known of a page for one length of appointments.

    All days before `frontier` are too full, but those in `reopened`, on which something has been given back since;
    `free` is the first that was free, as long as nothing has been booked or given back.
    """

    frontier: int
    reopened: list[int] = field(default_factory=list)
    free: tuple[float, float] | None = None


@cache
def _clock(minute: float) -> float:
    """A minute after the opening, as a part of the day."""
    return in_days(_OPENS_AT_HOUR + minute / 60)
