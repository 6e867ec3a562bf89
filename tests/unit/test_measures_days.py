"""Which days of a stay are attended or held, and so paid for."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from iopsim.measures.days import ServiceDays
from iopsim.measures.service_days import (
    days_attended,
    expected_days,
    held_session_days,
    rows_in_places,
    session_days,
    spent,
)
from iopsim.measures.tables import sums
from tests.unit.ledgers import Book
from tests.unit.measured import DAYS, HORIZON, NEVER, WEEKS, scenario

START = dt.date(2027, 1, 4)


@pytest.fixture
def book() -> Book:
    return Book(scenario())


# Days that are paid for


def naive_days(
    start: dt.date, begin: float, end: float, per_week: int | None, closed: set[dt.date]
) -> list[int]:
    """Day by day: the days at whose end the patient is there (or the only one), by the rule of the week."""
    days = list(range(int(np.floor(begin)), int(np.floor(end)))) or [int(np.floor(begin))]
    counted: list[int] = []
    used: dict[dt.date, int] = {}
    for day in days:
        date = start + dt.timedelta(days=day)
        monday = date - dt.timedelta(days=date.weekday())
        is_open = per_week is None or (date not in closed and (per_week > 5 or date.weekday() < 5))
        if is_open and used.get(monday, 0) < (per_week or 7):
            used[monday] = used.get(monday, 0) + 1
            counted.append(day)
    return counted


@pytest.mark.parametrize("per_week", [None, 1, 2, 3, 5, 6, 7])
@pytest.mark.parametrize("start", [dt.date(2027, 1, 4), dt.date(2027, 1, 7)])
def test_days_in_closed_form_are_those_of_the_calendar(per_week: int | None, start: dt.date) -> None:
    closed = [start + dt.timedelta(days=day) for day in (-7, 0, 2, 15, 16, 40, 69, 71)]
    level = {"stay_days": {"constant": 9}, "attendance": {"mean": 0.8}} | (
        {"days_per_week": per_week} if per_week else {}
    )
    book = Book(
        scenario(
            run={"start": start, "warm_up_weeks": 4, "weeks": WEEKS, "run_out_weeks": 4},
            calendar={"closed": closed},
            levels={"unit": level},
            sources={"door": {"to": "unit", "per_week": 1}},
            staff={},
        )
    )
    chance = np.random.default_rng(3)
    spans = []
    for begin, length in zip(chance.uniform(-28, 97, 200), chance.exponential(12, 200), strict=True):
        end = min(begin + length, 98.0) if begin + length < 90 else NEVER
        stay = book.patient("unit").joined(begin).admitted(begin).started(begin)
        if end < NEVER:
            stay.completed(end)
        spans.append((begin, min(end, HORIZON)))
    window, unit = book.window(), np.array([True])
    days = [naive_days(start, begin, end, per_week, set(closed)) for begin, end in spans]
    inside = [[day for day in stay if 0 <= day < DAYS] for stay in days]
    assert days_attended(window, unit, 0, DAYS) == pytest.approx([0.8 * len(stay) for stay in inside])
    assert days_attended(window, unit, -28, HORIZON) == pytest.approx([0.8 * len(stay) for stay in days])
    rows = rows_in_places(window, unit, 0, int(DAYS))
    found = sorted(zip(rows.stay.tolist(), rows.day.tolist(), strict=True))
    assert found == [(number, day) for number, stay in enumerate(inside) for day in stay]
    assert set(rows.weight) == {0.8}
    assert set(rows.session) == {-1}


def test_days_of_a_week_are_in_care_first_and_then_held() -> None:
    level = {"stay_days": {"constant": 9}, "days_per_week": 3, "hold_days": "forever", "next": {"home": 1}}
    sources = {"door": {"to": "unit", "per_week": 1}}
    book = Book(scenario(levels={"unit": level}, sources=sources, staff={}))
    # Thursday noon to Tuesday noon in care, then held to Thursday of the week after
    book.patient("unit").joined(3.5).admitted(3.5).started(3.5).completed(8.5, released=17.5)
    # Monday in care, suspended until Thursday, in care again until the next Wednesday
    stay = book.patient("unit").joined(0).admitted(0).started(0).suspended(1, to="unit")
    stay.resumed(3).completed(9)
    # in and out on one day, a Wednesday
    book.patient("unit").joined(16.2).admitted(16.2).started(16.2).completed(16.9)
    window = book.window()
    # Thu Fri | Mon; held Tue Wed | Mon Tue Wed
    assert days_attended(window, np.array([True]), 0, DAYS).tolist() == [3, 1 + 2, 1]
    held = spent(window, "held", (True,))
    assert sums(held.stay, expected_days(window, held, 0), 3).tolist() == [2 + 3, 2, 0]
    # calendar days: Thu … Mon, then Tue … Wed of the week after
    care = spent(window, "in_care", (True,))
    assert sums(care.stay, care.past - care.first, 3).tolist() == [5, 1 + 6, 1]
    assert sums(held.stay, held.past - held.first, 3).tolist() == [9, 2, 0]


def test_the_rule_of_service_days_on_a_calendar() -> None:
    rule = ServiceDays.of(
        start=dt.date(2027, 1, 4), first=0, last=20, per_week=2, closed=[dt.date(2027, 1, 11)]
    )
    begin = np.array([0, 2, 4, 5, 0])
    # Mon Tue | Tue Wed; Wed Thu | Tue Wed; Fri | Tue Wed; (weekend) | Tue Wed; up to Wednesday of week 2
    assert rule.between(begin, np.array([14, 14, 14, 14, 9])).tolist() == [4, 4, 3, 2, 3]


def test_attended_days_of_groups_are_days_with_an_attended_session(book: Book) -> None:
    ann = book.patient("iop").joined(-3).admitted(-3, "mood_day", days=("mon", "wed")).started(-3)
    bob = book.patient("iop").joined(0).admitted(0, "mood_day", days=("mon",)).started(0)
    book.session(-2.5, "mood_day", {ann: True})
    book.session(0.375, "mood_day", {ann: True, bob: False})
    book.session(0.75, "sud_day", {ann: True})  # a second session that day
    book.session(2.375, "mood_day", {ann: True, bob: True})
    book.session(77.375, "mood_day", {ann: True})
    window = book.window()
    iop = np.array([name == "iop" for name in window.ledger.levels])
    assert days_attended(window, iop, 0, DAYS).tolist() == [2, 1]
    assert days_attended(window, iop, -28, HORIZON).tolist() == [4, 1]
    assert days_attended(window, ~iop, 0, DAYS).tolist() == [0, 0]
    # The first session of a day is the one that it is booked under.
    rows = session_days(window)
    assert list(zip(rows.stay.tolist(), rows.day.tolist(), rows.session.tolist(), strict=True)) == [
        (0, -3, 0),
        (0, 0, 1),
        (0, 2, 3),
        (0, 77, 4),
        (1, 2, 3),
    ]


def test_held_days_of_groups_are_meetings_on_the_weekdays_of_the_seat(book: Book) -> None:
    stay = book.patient("iop").joined(0).admitted(0, "mood_day", days=("mon", "fri")).started(0)
    stay.completed(4.5, to="ward", released=12)
    for day in (0, 2, 4, 7, 9, 11, 14):
        book.session(day + 0.375, "mood_day")
    # held from Friday noon to the second Saturday: Monday and Friday of week 2, not Wednesday
    window = book.window()
    stretch, day = held_session_days(window, window.intervals("held"))
    assert stretch.tolist() == [0, 0]
    assert day.tolist() == [7, 11]


def test_attendance_of_places_may_vary_by_track() -> None:
    level = {
        "stay_days": {"constant": 9},
        "attendance": {"mean": 0.8},
        "by": {"track": {"sud": {"attendance": {"mean": 0.5}}}},
    }
    book = Book(scenario(levels={"unit": level}, sources={"door": {"to": "unit", "per_week": 1}}, staff={}))
    for track in ("mood", "sud"):
        book.patient("unit", track=track).joined(0).admitted(0).started(0).completed(10)
    assert days_attended(book.window(), np.array([True]), 0, DAYS) == pytest.approx([8, 5])


def test_attendance_of_places_is_that_of_the_plan_of_the_day() -> None:
    level = {"stay_days": {"constant": 9}, "attendance": {"mean": 0.8}}
    changes = [{"from": START + dt.timedelta(days=4), "set": {"levels.unit.attendance.mean": 0.6}}]
    sources = {"door": {"to": "unit", "per_week": 1}}
    book = Book(
        scenario(levels={"unit": level}, sources=sources, staff={}, tracks={"mood": {}}, changes=changes)
    )
    book.patient("unit").joined(0).admitted(0).started(0).completed(10)
    window, unit = book.window(), np.array([True])
    assert days_attended(window, unit, 0, DAYS) == pytest.approx([4 * 0.8 + 6 * 0.6])
    assert rows_in_places(window, unit, 0, int(DAYS)).weight.tolist() == [0.8] * 4 + [0.6] * 6
