"""Lists of today on hand-made timelines: when they are short, who starts when, and that the past is left alone."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pytest

from iopsim.measures.lists import NOT_STARTED, STILL_WAITING, first_week_under, starts_of_listed
from iopsim.measures.registry import Sample, bound, measure
from iopsim.measures.series import profiles, weekly
from iopsim.scenario.schema import Scenario
from tests.unit.ledgers import Book, Stay
from tests.unit.measured import figures

START = dt.date(2027, 1, 4)
WEEKS, RUN_OUT = 6, 3


def clinic(under: int = 3, **level: Any) -> Scenario:
    unit = {"places": 2, "stay_days": 10, "waitlist": {"patience_days": 90}, **level}
    return Scenario.model_validate(
        {
            "run": {"weeks": WEEKS, "run_out_weeks": RUN_OUT},
            "from_today": {"as_of": START, "waitlist_under": {"unit": under}},
            "sources": {"door": {"to": "unit", "per_week": 5}},
            "levels": {"unit": unit},
        }
    )


def waiting(book: Book, begin: float, end: float | None = None) -> Stay:
    stay = book.patient("unit").joined(begin)
    return stay if end is None else stay.admitted(end).started(end)


def on_list(book: Book, days: float) -> Stay:
    """On the list today, for so many days."""
    stay = book.patient("unit").joined(-days)
    book.recorder.listed.append(stay.number)
    return stay


def week_under(number: int, *spans: tuple[float, float]) -> int | None:
    book = Book(clinic())
    for span in spans:
        waiting(book, *span)
    return first_week_under(book.window(), "unit", number)


# From when on a list is short


@pytest.mark.parametrize(
    ("spans", "week"),
    [
        ((), 0),
        (((-30, 5),), 1),  # one waits until the first week
        (((-30, 7),), 1),  # nobody waits after what happens at the first instant of the second
        (((-30, 7.001),), 2),
        (((20, 21),), 3),  # joins in the third week: the weeks before are no four in a row
        (((28, 29),), 0),  # four weeks and then one joins
        (((21, 22), (34.9, 35.1)), None),  # weeks 6 to 8 are only three: nobody knows the tenth
        (((21, 22), (34.9, 35)), 5),  # gone as the sixth begins
        (((21, 22), (35, 35)), 4),  # joins and is admitted at one instant: waits for no time
        (((62.9, 63),), 0),
    ],
)
def test_the_first_of_four_weeks_with_nobody_on_the_list_at_any_instant(
    spans: tuple[tuple[float, float], ...], week: int | None
) -> None:
    assert week_under(1, *spans) == week


def test_under_a_number_is_less_and_one_instant_over_it_counts() -> None:
    spans = [(-9, 12), (-8, 20), (14, 14.01)]  # two, then one, then for a moment two, then one
    assert week_under(3, *spans) == 0
    assert week_under(2, *spans) == 3
    assert week_under(1, *spans) == 3


def test_a_run_of_less_than_four_weeks_does_not_know() -> None:
    short = clinic().model_dump(exclude_none=True, by_alias=True, exclude={"run": {"warm_up"}})
    short["run"] |= {"weeks": 2, "run_out_weeks": 1}
    window = Book(Scenario.model_validate(short)).window()
    assert first_week_under(window, "unit", 5) is None


def test_the_metrics_tell_years_that_never_get_there_apart() -> None:
    soon, never = Book(clinic(under=1)), Book(clinic(under=1))
    waiting(soon, -30, 5)
    waiting(never, -30)
    found = [measure(book.window()) for book in (soon, never)]
    weeks = [one["unit.weeks_until_under"] for one in found]
    assert [one.values.tolist() for one in weeks if isinstance(one, Sample)] == [[1], []]
    assert [one["unit.stays_under.share"].quotient(None) for one in found] == [(1, 1), (0, 1)]


def test_only_levels_with_a_number_have_them() -> None:
    without = Scenario.model_validate(
        {
            "from_today": {"as_of": START},
            "sources": {"door": {"to": "unit", "per_week": 5}},
            "levels": {"unit": {"places": 2, "stay_days": 9}},
        }
    )
    more = {entry.stem for entry in bound(clinic())} - {entry.stem for entry in bound(without)}
    assert {"unit.weeks_until_under", "unit.stays_under"} <= more


# Who starts when


def test_those_on_the_list_start_give_up_or_still_wait_in_the_order_of_the_file() -> None:
    book = Book(clinic())
    on_list(book, 3).admitted(4).started(5.5)
    on_list(book, 20).reneged(9)
    waiting(book, 1, 2)  # not on the list today
    on_list(book, 12)
    on_list(book, 11).admitted(60)
    on_list(book, 10).admitted(12).left(13)
    on_list(book, 9).withdrawn(0)
    on_list(book, 8).admitted(0).started(0).completed(10)
    on_list(book, 7).denied(4)
    assert starts_of_listed(book.window()) == [
        5.5,
        NOT_STARTED,
        STILL_WAITING,
        STILL_WAITING,
        NOT_STARTED,
        NOT_STARTED,
        0,
        NOT_STARTED,
    ]


def test_a_run_that_does_not_begin_today_has_nobody_on_the_list() -> None:
    book = Book(clinic())
    waiting(book, -5, 3)
    assert starts_of_listed(book.window()) == []


# What was before today


def test_time_before_today_counts_nowhere_and_those_who_came_then_are_in_no_cohort() -> None:
    book, late = Book(clinic()), Book(clinic())
    for one, since in ((book, 40.5), (late, 400.25)):
        there = one.patient("unit").joined(-since).admitted(-since).started(-since)
        there.completed(14)
        on_list(one, since).admitted(14).started(14).completed(24)
        waiting(one, 3, 24).completed(34)
    found = figures(book.window())
    assert found == pytest.approx(figures(late.window()), nan_ok=True)
    assert found["unit.census.mean"] == pytest.approx((14 + 10 + 10) / (7 * WEEKS))
    assert found["unit.census.max"] == 1
    assert found["unit.waitlist.mean"] == pytest.approx((14 + 21) / (7 * WEEKS))
    assert found["unit.waitlist.max"] == 2
    assert found["unit.utilization.mean"] == pytest.approx(34 / (2 * 7 * WEEKS))
    assert found["unit.wait_days.mean"] == 21  # of those who join from today on
    assert found["unit.completed.share"] == 1  # of the two who start
    assert found["unit.stay_days.mean"] == 10


def test_the_weeks_begin_today_and_count_starts_in_the_week_in_which_they_are() -> None:
    book = Book(clinic())
    book.patient("unit").joined(-30).admitted(-30).started(-30).completed(7)
    for at in (0, 6.99, 7, 50, 62.5):
        waiting(book, at, at)
    waiting(book, 63, 63)
    found = weekly(book.window())
    assert found["unit.starts"] == [2, 1, 0, 0, 0, 0, 0, 1, 1]
    assert found["unit.census"][0] == pytest.approx((7 + 7 + 0.01) / 7)
    assert {len(series) for series in found.values()} == {WEEKS + RUN_OUT}


def test_profiles_are_of_those_who_come_from_today_on() -> None:
    book = Book(clinic())
    book.patient("unit").joined(-30).admitted(-30).started(-30).completed(7)
    on_list(book, 9).admitted(2).started(2)
    waiting(book, 1, 3.5)
    found = profiles(book.window())
    assert found["waits.unit"] == [0, 0, 1]
    assert found["funnel.unit"] == [1, 1, 1, 1, 0]


def test_weekly_services_of_those_in_care_keep_the_calendar_of_their_start() -> None:
    counseling = {"levels": ["unit"], "role": "counselor", "every_weeks": 1, "minutes": 60}
    spec = clinic().model_dump(exclude_none=True, by_alias=True)
    spec |= {"staff": {"counselor": {"posts": 1}}, "services": {"counseling": counseling}}
    book = Book(Scenario.model_validate(spec))
    book.patient("unit").joined(-31).admitted(-31).started(-31, ("counseling",)).completed(12)
    found = measure(book.window())["counselor.hours_needed"]  # due on days 4 and 11
    assert isinstance(found, Sample)
    assert found.values.tolist() == [1, 1, 0, 0, 0, 0]
    assert np.all(found.values >= 0)
