"""Appointments: the first free one on working days from 09:00 (model.md §6). Day 0 is a Monday."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from iopsim.model.diary import Diary
from iopsim.model.ledger import PostState
from iopsim.model.posts import Crew
from iopsim.model.timeline import Timeline, in_days
from iopsim.scenario.schema import Scenario
from tests.unit.timelines import START, date_of


def at(day: int, clock: str) -> float:
    """An instant."""
    hours, minutes = map(int, clock.split(":"))
    return day + in_days(hours + minutes / 60)


def diary_of(*closed: int, **role: Any) -> tuple[Diary, Crew]:
    """The diary of a role of which one full-time post is paid 20 hours a week: four a day, unless it says otherwise."""
    scenario = Scenario.model_validate(
        {
            "run": {"start": START, "warm_up_weeks": 0, "weeks": 8, "run_out_weeks": 0},
            "calendar": {"closed": [date_of(day) for day in closed]},
            "sources": {"door": {"to": "iop", "per_week": 0}},
            "levels": {"iop": {"stay_days": 1}},
            "staff": {"intake": {"posts": 1, "paid_hours_per_week": 20, **role}},
        }
    )
    crew = Crew("intake", scenario.staff["intake"], index=0, first=0)
    return Diary(crew, Timeline(scenario)), crew


def booked(diary: Diary, now: float, *minutes: float) -> list[float]:
    """Starts of appointments that are booked one after the other."""
    starts = []
    for length in minutes:
        appointment = diary.book(now, length)
        assert appointment is not None
        starts.append(appointment[0])
    return starts


def test_as_many_appointments_as_fit_in_a_day_from_nine_on_then_the_next_day() -> None:
    diary, _ = diary_of()
    assert booked(diary, 0.0, 90, 90, 90) == [at(0, "9:00"), at(0, "10:30"), at(1, "9:00")]


@pytest.mark.parametrize(
    ("role", "a_day"),
    [
        ({}, 2),
        ({"paid_hours_per_week": 22.5}, 3),
        ({"bookable": 0.75}, 2),
        ({"fte": 0.75}, 2),
        ({"fte": 0.7}, 1),
        ({"fte": 0.6, "paid_hours_per_week": 40, "bookable": 0.9375}, 3),
    ],
)
def test_hours_of_the_post_say_how_many_fit(role: dict[str, float], a_day: int) -> None:
    """floor(FTE x paid hours / 5 x bookable x 60 / 90)."""
    diary, _ = diary_of(**role)
    starts = booked(diary, 0.0, *[90] * (a_day + 1))
    assert [int(start) for start in starts] == [0] * a_day + [1]


def test_weekends_and_closed_days_have_no_appointments() -> None:
    """From Thursday evening: Friday is closed, so Monday."""
    diary, _ = diary_of(4)
    assert booked(diary, at(3, "18:00"), 240, 240) == [at(7, "9:00"), at(8, "9:00")]


@pytest.mark.parametrize(
    ("now", "start"),
    [
        (at(0, "8:59"), at(0, "9:00")),
        (at(0, "9:00"), at(0, "9:00")),
        (at(0, "9:01"), at(0, "10:00")),
        (at(0, "11:00"), at(0, "11:00")),
        (at(0, "12:00"), at(0, "12:00")),
        (at(0, "12:01"), at(1, "9:00")),
        (at(5, "9:30"), at(7, "9:00")),
    ],
)
def test_not_before_now(now: float, start: float) -> None:
    diary, _ = diary_of()
    assert diary.first_free(now, 60) == (start, 0)


def test_not_before_now_in_the_warm_up() -> None:
    diary, _ = diary_of()
    assert diary.first_free(-7 + in_days(9.5), 60) == (-7 + in_days(10), 0)


def test_asking_books_nothing() -> None:
    diary, _ = diary_of()
    assert diary.first_free(0.0, 60) == diary.first_free(0.0, 60) == diary.book(0.0, 60) == (at(0, "9:00"), 0)


def test_the_earliest_of_all_posts_ties_in_their_order() -> None:
    diary, _ = diary_of(posts=2)
    found = [diary.book(0.0, 120) for _ in range(5)]
    assert found == [
        (at(0, "9:00"), 0),
        (at(0, "9:00"), 1),
        (at(0, "11:00"), 0),
        (at(0, "11:00"), 1),
        (at(1, "9:00"), 0),
    ]


def test_appointments_of_several_lengths_share_a_day_one_after_the_other() -> None:
    """240 minutes: 90 + 25 + 90 + 25 leave 10; the next long one is tomorrow, a short one of 10 still today."""
    diary, _ = diary_of()
    assert booked(diary, 0.0, 90, 25, 90, 25, 25, 10) == [
        at(0, "9:00"),
        at(0, "10:30"),
        at(0, "10:55"),
        at(0, "12:25"),
        at(1, "9:00"),
        at(0, "12:50"),
    ]


def test_a_short_one_fits_where_a_long_one_did_not() -> None:
    diary, _ = diary_of()
    assert booked(diary, 0.0, 180, 90, 60) == [at(0, "9:00"), at(1, "9:00"), at(0, "12:00")]


def test_what_is_given_back_is_taken_first() -> None:
    diary, _ = diary_of()
    starts = booked(diary, 0.0, *[120] * 6)
    diary.cancel(starts[3], 0)
    diary.cancel(starts[0], 0)
    assert booked(diary, 0.0, 120, 120, 120) == [starts[0], starts[3], at(3, "9:00")]


def test_what_was_given_back_too_late_is_lost() -> None:
    diary, _ = diary_of()
    starts = booked(diary, 0.0, *[120] * 4)
    diary.cancel(starts[0], 0)
    assert booked(diary, at(0, "9:01"), 120) == [at(2, "9:00")]


def test_two_short_ones_take_the_place_of_a_long_one() -> None:
    diary, _ = diary_of()
    booked(diary, 0.0, 60, 60)
    (long,) = booked(diary, 0.0, 120)
    booked(diary, 0.0, 120)
    diary.cancel(long, 0)
    assert booked(diary, 0.0, 60, 60, 60) == [at(0, "11:00"), at(0, "12:00"), at(1, "11:00")]


def test_only_posts_that_are_there_give_appointments_and_a_successor_keeps_those_of_the_post() -> None:
    diary, crew = diary_of(posts=2)
    assert diary.book(0.0, 120) == (at(0, "9:00"), 0)
    crew.change(crew.posts[0], PostState.VACANT, 0)
    assert not diary.is_present(0)
    assert diary.is_present(1)
    assert [diary.book(0.0, 120) for _ in range(3)] == [
        (at(0, "9:00"), 1),
        (at(0, "11:00"), 1),
        (at(1, "9:00"), 1),
    ]
    crew.change(crew.posts[1], PostState.AWAY, 0)
    assert diary.first_free(0.0, 120) is None
    assert diary.book(0.0, 120) is None
    crew.change(crew.posts[0], PostState.FILLED, 0)
    assert diary.book(0.0, 120) == (at(0, "11:00"), 0)


def test_an_appointment_longer_than_a_day_is_never_free() -> None:
    diary, _ = diary_of()
    assert diary.first_free(0.0, 240) is not None
    assert diary.first_free(0.0, 241) is None


def test_a_long_backlog_is_not_leafed_through_at_every_booking(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousand bookings fill 500 days; each day is come to once."""
    looked = 0
    workday = Timeline.workday

    def counted(timeline: Timeline, day: int) -> int:
        nonlocal looked
        looked += 1
        return workday(timeline, day)

    monkeypatch.setattr(Timeline, "workday", counted)
    diary, _ = diary_of()
    starts = booked(diary, 0.0, *[120] * 1000)
    assert starts[-1] == 7 * 99 + at(4, "11:00")
    assert 400 < looked < 600


# ── other hours from a date on ───────────────────────────────────────────────────────────────────────────────


def test_longer_days_have_room_where_there_was_none_before_the_first_free_day() -> None:
    diary, _ = diary_of()
    booked(diary, 0.0, *[120] * 6)
    diary.change(360)
    assert booked(diary, 1.0, *[120] * 3) == [at(1, "13:00"), at(2, "13:00"), at(3, "9:00")]


def test_shorter_days_keep_their_appointments_and_offer_no_gap_that_ends_too_late() -> None:
    """From nine half an hour is taken, from noon an hour. Of a day until 10:40 the gap has 70 minutes left, not 150."""
    diary, _ = diary_of()
    starts = booked(diary, 0.0, 30, 150, 60)
    diary.cancel(starts[1], 0)
    diary.change(100)
    assert diary.first_free(0.0, 90) == (at(1, "9:00"), 0)
    assert diary.first_free(0.0, 30) == (at(0, "9:30"), 0)
    assert diary.first_free(0.0, 101) is None
    diary.cancel(starts[2], 0)
    assert booked(diary, 0.0, 60) == [at(0, "9:30")]


def test_longer_days_are_asked_for_in_order_of_posts_again() -> None:
    diary, _ = diary_of(posts=2)
    assert [diary.book(0.0, 120) for _ in range(5)][-1] == (at(1, "9:00"), 0)
    assert diary.first_free(0.0, 120) == (at(1, "9:00"), 1)
    diary.change(360)
    assert diary.first_free(0.0, 120) == (at(0, "13:00"), 0)


# ── against a diary that is leafed through from the first page each time ─────────────────────────────────────────


class Plain:
    """The same, without a memory: appointments by post and day, in minutes after nine."""

    def __init__(self, posts: int, minutes_a_day: float) -> None:
        self.taken: list[dict[int, list[tuple[float, float]]]] = [{} for _ in range(posts)]
        self.minutes_a_day = minutes_a_day
        self.present = [True] * posts

    def first_free(self, now: float, minutes: float) -> tuple[float, int] | None:
        free = [(self.of(post, now, minutes), post) for post, present in enumerate(self.present) if present]
        return min(free) if free and minutes <= self.minutes_a_day else None

    def of(self, post: int, now: float, minutes: float) -> float:
        day = int(now // 1)
        while day % 7 > 4 or (begin := self.on(day, post, now, minutes)) is None:
            day += 1
        return day + in_days(9 + begin / 60)

    def on(self, day: int, post: int, now: float, minutes: float) -> float | None:
        """The first multiple of the length that lies ahead, or an end after that, from which on there is time."""
        taken = self.taken[post].get(day, [])
        multiples = (minutes * number for number in range(int(self.minutes_a_day // minutes) + 1))
        ahead = [begin for begin in multiples if day + in_days(9 + begin / 60) >= now][:1]
        for begin in sorted(ahead + [end for _, end in taken if ahead and end > ahead[0]]):
            fits = all(begin >= end or begin + minutes <= start for start, end in taken)
            if fits and begin + minutes <= self.minutes_a_day:
                return begin
        return None

    def book(self, start: float, post: int, minutes: float) -> None:
        begin = round((start % 1 - in_days(9)) * 24 * 60)
        self.taken[post].setdefault(int(start // 1), []).append((begin, begin + minutes))

    def cancel(self, start: float, post: int) -> None:
        taken = self.taken[post][int(start // 1)]
        begins = [begin for begin, _ in taken]
        del taken[begins.index(round((start % 1 - in_days(9)) * 24 * 60))]


@pytest.mark.parametrize("posts", [1, 3])
@pytest.mark.parametrize("lengths", [(60,), (30, 60), (25, 60, 90)], ids=str)
def test_whatever_is_booked_and_given_back_the_first_free_one_is_found(
    posts: int, lengths: tuple[int, ...]
) -> None:
    """Two thousand steps: bookings, those given back, absences, longer and shorter days."""
    chance = np.random.default_rng([posts, *lengths])
    (diary, crew), plain = diary_of(posts=posts), Plain(posts, 240)
    now, held, booked, moved = 0.0, list[tuple[float, int]](), 0, 0
    for _ in range(2000):
        what, minutes = chance.random(), float(chance.choice(lengths))
        now += chance.exponential(0.05) if what < 0.5 else 0.0
        found = plain.first_free(now, minutes)
        if what < 0.75:
            assert diary.book(now, minutes) == found
            if found is not None:
                plain.book(*found, minutes)
                held.append(found)
                booked += 1
        elif what < 0.93 and held:
            start, post = held.pop(int(chance.integers(len(held))))
            if start >= int(now):
                diary.cancel(start, post)
                plain.cancel(start, post)
                moved += 1
        elif what < 0.98:
            post = int(chance.integers(posts))
            plain.present[post] = not plain.present[post]
            state = PostState.FILLED if plain.present[post] else PostState.AWAY
            crew.change(crew.posts[post], state, 0)
        elif what < 0.99:
            plain.minutes_a_day = float(chance.choice([180, 240, 300]))
            diary.change(plain.minutes_a_day)
        else:
            assert diary.first_free(now, minutes) == found
    assert booked > 500
    assert moved > 50
