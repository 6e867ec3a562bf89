"""Diaries: appointments of a role on working days, from 09:00, one after the other (model.md §6)."""

from __future__ import annotations

from bisect import insort
from heapq import heappop, heappush, heapreplace
from math import floor, inf
from typing import TYPE_CHECKING

from iopsim.model.ledger import PostState
from iopsim.model.timeline import in_days

if TYPE_CHECKING:
    from iopsim.model.posts import Crew
    from iopsim.model.timeline import Timeline

__all__ = ["Diary"]

_OPENS_AT_HOUR = 9
_SATURDAY = 5
_TOLERANCE_MINUTES = 1e-6

Slot = tuple[float, float]  # start and end, in minutes after the opening of a day


class Diary:
    """The appointments of all posts of one role.

    A post gives appointments for so many minutes a day; one of n minutes starts at a multiple of n after 09:00, or as
    soon as the one before it ends. Appointments belong to the post: a successor keeps them. Posts are numbered within
    the role, from 0. Questions must be asked in order of time.
    """

    def __init__(self, crew: Crew, timeline: Timeline) -> None:
        self._crew = crew
        minutes = crew.role.appointment_minutes_per_day
        self._pages = [_Page(minutes, timeline) for _ in crew.posts]
        # By length of appointments: no post has one before its bound; posts by bound, and those whose bound has
        # changed since.
        self._bounds: dict[float, list[float]] = {}
        self._by_bound: dict[float, list[tuple[float, int]]] = {}

    def change(self, minutes_a_day: float) -> None:
        """From now on a post gives appointments for so long each day; those that are made stay."""
        for page in self._pages:
            page.change(minutes_a_day)
        self._bounds.clear()
        self._by_bound.clear()

    def first_free(self, now: float, minutes: float) -> tuple[float, int] | None:
        """Start and post of the first free appointment, ties in order of posts; None while nobody is there."""
        found = self._search(now, minutes)
        return None if found is None else found[:2]

    def book(self, now: float, minutes: float) -> tuple[float, int] | None:
        """Take the first free appointment."""
        found = self._search(now, minutes)
        if found is None:
            return None
        start, place, begin = found
        self._pages[place].book(start, (begin, begin + minutes))
        return start, place

    def book_on(self, day: int, minutes: float) -> tuple[float, int] | None:
        """Take the first appointment that is free on a day, or on the next that has one; days in any order."""
        free = [
            (*found, place)
            for place, page in enumerate(self._pages)
            if self.is_present(place) and (found := page.free_from(day, minutes)) is not None
        ]
        if not free:
            return None
        start, begin, place = min(free, key=lambda one: (one[0], one[2]))
        self._pages[place].book(start, (begin, begin + minutes))
        return start, place

    def _search(self, now: float, minutes: float) -> tuple[float, int, float] | None:
        """Start, place of the post and minute of the day of the first free appointment."""
        if minutes not in self._bounds:
            self._bounds[minutes] = [-inf] * len(self._pages)
            self._by_bound[minutes] = [(-inf, place) for place in range(len(self._pages))]
        bounds, heap = self._bounds[minutes], self._by_bound[minutes]
        absent, found = [], None
        while heap and found is None:
            bound, place = heap[0]
            if bound != bounds[place]:
                heappop(heap)
            elif not self.is_present(place):
                absent.append(heappop(heap))
            elif (free := self._pages[place].first_free(now, minutes)) is None:
                break
            else:
                bounds[place] = free[0]
                heapreplace(heap, (free[0], place))
                if heap[0] == (free[0], place):
                    found = free[0], place, free[1]
        for entry in absent:
            heappush(heap, entry)
        return found

    def cancel(self, start: float, post: int) -> None:
        """Give an appointment back, for others to take."""
        self._pages[post].cancel(start)
        for minutes, bounds in self._bounds.items():
            bounds[post] = min(bounds[post], float(floor(start)))
            heappush(self._by_bound[minutes], (bounds[post], post))

    def is_present(self, post: int) -> bool:
        """Whether somebody is there who can give the post's appointments."""
        return self._crew.posts[post].state is PostState.FILLED


class _Page:
    """The diary of one post.

    For each length of appointments asked for, all days before `_frontier` are too full for it, but those in
    `_reopened`, on which something has been given back since: so that nobody leafs through full days again and again.
    """

    def __init__(self, minutes_a_day: float, timeline: Timeline) -> None:
        self._timeline = timeline
        self._taken: dict[int, list[Slot]] = {}
        self._slots: dict[float, Slot] = {}
        self._frontier: dict[float, int] = {}
        self._reopened: dict[float, list[int]] = {}
        self.change(minutes_a_day)

    def change(self, minutes_a_day: float) -> None:
        """Days that were too full may be so no longer."""
        self._minutes = minutes_a_day + _TOLERANCE_MINUTES
        self._frontier.clear()
        self._reopened.clear()

    def first_free(self, now: float, minutes: float) -> tuple[float, float] | None:
        """Start and minute of the day of the first free appointment; None if no day is long enough for one."""
        if minutes > self._minutes:
            return None
        today = floor(now)
        reopened = self._reopened.setdefault(minutes, [])
        while reopened:
            if reopened[0] >= today and (begin := self._begin(reopened[0], now, minutes)) is not None:
                return _instant(reopened[0], begin), begin
            heappop(reopened)
        day = max(self._frontier.get(minutes, today), today)
        while not self._is_working(day) or (begin := self._begin(day, now, minutes)) is None:
            day += 1
        self._frontier[minutes] = day
        return _instant(day, begin), begin

    def free_from(self, day: int, minutes: float) -> tuple[float, float] | None:
        """As `first_free`, from the beginning of a day that may be any; remembers nothing."""
        if minutes > self._minutes:
            return None
        while not self._is_working(day) or (begin := self._begin(day, float(day), minutes)) is None:
            day += 1
        return _instant(day, begin), begin

    def book(self, start: float, slot: Slot) -> None:
        """Take an appointment."""
        insort(self._taken.setdefault(floor(start), []), slot)
        self._slots[start] = slot

    def cancel(self, start: float) -> None:
        """Give an appointment back."""
        day = floor(start)
        self._taken[day].remove(self._slots.pop(start))
        for minutes, days in self._reopened.items():
            if day < self._frontier[minutes] and day not in days:
                heappush(days, day)

    def _begin(self, day: int, now: float, minutes: float) -> float | None:
        """Minute at which an appointment can begin on a day, not before now."""
        begin = 0.0
        if _instant(day, begin) < now:
            begin = minutes * max(0, ((now - day) * 24 - _OPENS_AT_HOUR) * 60 // minutes)
            while _instant(day, begin) < now:
                begin += minutes
        for taken, end in self._taken.get(day, ()):
            if begin + minutes <= taken + _TOLERANCE_MINUTES:
                break
            begin = max(begin, end)
        return begin if begin + minutes <= self._minutes else None

    def _is_working(self, day: int) -> bool:
        return self._timeline.weekday(day) < _SATURDAY and day not in self._timeline.closed


def _instant(day: int, minute: float) -> float:
    return day + in_days(_OPENS_AT_HOUR + minute / 60)
