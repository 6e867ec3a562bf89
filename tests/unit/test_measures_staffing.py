"""Hours of staff on hand-made timelines: every expected number is worked out in the test."""

from __future__ import annotations

import datetime as dt
import math
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from iopsim.measures.registry import Sample, Value, bound, measure
from iopsim.measures.work import deliveries, weekly_hours
from iopsim.model.ledger import Cause
from iopsim.scenario.schema import Scenario
from tests.unit.ledgers import Book, Stay

NINE = 9 / 24

COUNSELING = {
    "levels": ["care"],
    "role": "counselor",
    "minutes": 60,
    "every_weeks": 1,
    "indirect_minutes": 15,
}


def scenario(services: dict[str, Any], weeks: int = 2, **staff: dict[str, Any]) -> Scenario:
    """Two groups with two and with one counselor; a week of warm-up, two of run-out."""
    return Scenario.model_validate(
        {
            "run": {"start": dt.date(2027, 1, 4), "warm_up_weeks": 1, "weeks": weeks, "run_out_weeks": 2},
            "sources": {"community": {"to": "care", "per_week": 5}},
            "levels": {
                "care": {
                    "phases": [{"weeks": 8, "days_per_week": 2}],
                    "groups": {
                        "morning": {
                            "days": ["mon", "wed"],
                            "hours": 3,
                            "seats": 10,
                            "facilitators": {"counselor": 2},
                        },
                        "evening": {
                            "days": ["mon", "wed"],
                            "start": "18:00",
                            "hours": 1.5,
                            "seats": 10,
                            "facilitators": {"counselor": 1, "nurse": 1},
                        },
                    },
                },
                "aftercare": {"stay_days": {"constant": 20}},
            },
            "staff": {"counselor": {"posts": 1}, "nurse": {"posts": 1}, "clerk": {"posts": 1}, **staff},
            "services": services,
        }
    )


def in_care(book: Book, started: float, *services: str, level: str = "care") -> Stay:
    return book.patient(level).joined(started).admitted(started).started(started, services)


def times(book: Book, service: str) -> list[float]:
    return deliveries(book.window(), service).time.tolist()


def test_services_fall_due_at_the_start_of_care_and_every_so_many_weeks_after() -> None:
    book = Book(scenario({"counseling": COUNSELING, "family": COUNSELING | {"every_weeks": 1.5}}, weeks=4))
    in_care(book, NINE, "counseling", "family").completed(22)
    assert times(book, "counseling") == [NINE, 7 + NINE, 14 + NINE, 21 + NINE]
    assert times(book, "family") == [NINE, 10.5 + NINE, 21 + NINE]


def test_an_hour_counts_in_the_week_in_which_it_is_delivered() -> None:
    book = Book(scenario({"counseling": COUNSELING}))
    in_care(book, -7.0, "counseling").completed(9)  # at -7 (warm-up), 0, and 7: the first instant of week 1
    in_care(book, 4.5, "counseling").completed(40)  # at 4.5 and 11.5; 18.5 is after the window
    in_care(book, 13.5, "counseling")  # still in care
    assert weekly_hours(book.window(), "counselor").tolist() == [2 * 1.25, 3 * 1.25]


def test_nothing_is_delivered_at_the_instant_at_which_treatment_ends_or_later() -> None:
    book = Book(scenario({"counseling": COUNSELING}))
    in_care(book, 0, "counseling").completed(7, released=13)
    in_care(book, 0, "counseling").dropped_out(7.01)
    assert times(book, "counseling") == [0, 0, 7]


def test_what_falls_due_while_suspended_is_lost_and_the_calendar_stays() -> None:
    book = Book(scenario({"counseling": COUNSELING}, weeks=5))
    in_care(book, 1, "counseling").suspended(7.5, "aftercare").resumed(20).completed(30)
    assert times(book, "counseling") == [1, 22, 29]


def test_suspended_at_the_instant_it_falls_due_and_resumed_at_another() -> None:
    book = Book(scenario({"counseling": COUNSELING}, weeks=4))
    in_care(book, 1, "counseling").suspended(8, "aftercare").resumed(15).completed(20)
    in_care(book, 2, "counseling").suspended(10, "aftercare").stepped_up(18, "aftercare")
    assert times(book, "counseling") == [1, 15, 2, 9]


def test_only_stays_for_which_a_service_was_drawn_get_it() -> None:
    services = {name: COUNSELING | {"share": 0.5} for name in ("first", "second", "third")}
    book = Book(scenario(services))
    in_care(book, 1, "first", "third").completed(3)
    in_care(book, 2, "second").completed(3)
    in_care(book, 2.5).completed(3)
    assert {name: times(book, name) for name in services} == {"first": [1], "second": [2], "third": [1]}


def test_a_service_per_admission_is_delivered_once_at_the_start_of_care() -> None:
    assessment = {
        "levels": ["care"],
        "role": "nurse",
        "minutes": 90,
        "per": "admission",
        "indirect_minutes": 30,
    }
    book = Book(scenario({"assessment": assessment}))
    for started in (-1, 3, 13.9, 14):
        in_care(book, started, "assessment")
    book.patient("care").joined(1).admitted(2)  # not yet started
    assert times(book, "assessment") == [3, 13.9]
    assert weekly_hours(book.window(), "nurse").tolist() == [2, 2]


def test_a_service_within_the_group_is_delivered_and_takes_no_time() -> None:
    book = Book(scenario({"skills": COUNSELING | {"within_group": True}}))
    in_care(book, 1, "skills")
    assert times(book, "skills") == [1, 8]
    assert weekly_hours(book.window(), "counselor").tolist() == [0, 0]


def test_a_session_takes_every_facilitator_for_its_length_if_it_is_held() -> None:
    book = Book(scenario({}))
    ann = in_care(book, -7)
    for time in (-5 + NINE, NINE, 2 + NINE, 9 + NINE, 14 + NINE):
        book.session(time, "morning", {ann: True})
    book.session(9.75, "evening")
    book.cancelled(7 + NINE, "morning", Cause.CLOSED, enrolled=1)
    book.cancelled(7.75, "evening", Cause.BELOW_MINIMUM)
    assert weekly_hours(book.window(), "counselor").tolist() == [2 * 3 * 2, 3 * 2 + 1.5]
    assert weekly_hours(book.window(), "nurse").tolist() == [0, 1.5]


def test_services_per_session_add_indirect_minutes_and_no_second_group_hours() -> None:
    notes = {"levels": ["care"], "role": "counselor", "per": "session"}
    services = {
        "notes": notes | {"indirect_minutes": 15, "indirect_minutes_per_patient": 6},
        "preparation": notes | {"indirect_minutes": 30},
        "charts": notes | {"role": "clerk", "indirect_minutes_per_patient": 3},
    }
    book = Book(scenario(services))
    ann, bob, cat = (in_care(book, -1) for _ in range(3))
    book.session(NINE, "morning", {ann: True, bob: True, cat: False})
    book.session(9.75, "evening", {cat: True})
    book.cancelled(2 + NINE, "morning", Cause.CLOSED, enrolled=3)
    book.session(14 + NINE, "morning", {ann: True})
    window = book.window()
    assert weekly_hours(window, "counselor") == pytest.approx([6 + 0.75 + 2 * 0.1, 1.5 + 0.75 + 0.1])
    assert weekly_hours(window, "clerk") == pytest.approx([2 * 0.05, 0.05])
    assert weekly_hours(window, "nurse").tolist() == [0, 1.5]


def test_services_per_session_go_with_the_groups_of_their_levels() -> None:
    elsewhere = {"levels": ["aftercare"], "role": "clerk", "per": "session", "indirect_minutes": 15}
    book = Book(scenario({"charts": elsewhere}))
    book.session(NINE, "morning")
    assert times(book, "charts") == []


def test_full_time_equivalents_and_shortfall() -> None:
    part_time = {
        "posts": 2,
        "fte": 0.25,
        "paid_hours_per_week": 32,
        "bookable": 0.5,
        "leave_weeks_per_year": 13,
    }
    book = Book(scenario({"counseling": COUNSELING}, counselor=part_time))
    book.session(NINE, "morning")
    book.session(1.75, "evening")
    in_care(book, 8, "counseling")
    found = measure(book.window())
    # An FTE books 32 × 0.5 × 0.75 = 12 hours a week; 0.5 FTE are employed, for 6 hours.
    assert sample(found["counselor.hours_needed"]) == [7.5, 1.25]
    assert sample(found["counselor.fte_needed"]) == [7.5 / 12, 1.25 / 12]
    assert found["counselor.fte_employed"] == Value(0.5)
    assert found["counselor.shortfall_hours.mean"] == Value((1.5 + 0) / 2)
    assert found["nurse.shortfall_hours.mean"] == Value(0)


def sample(outcome: object) -> list[float]:
    assert isinstance(outcome, Sample)
    return outcome.values.tolist()


def test_roles_that_nothing_takes_time_of_have_no_hours() -> None:
    services = {
        "skills": COUNSELING | {"role": "clerk", "within_group": True},
        "visits": COUNSELING | {"role": "driver"},
    }
    names = {entry.stem for entry in bound(scenario(services, driver={"posts": 1}, manager={"posts": 1}))}
    asked = {
        role: f"{role}.hours_needed" in names for role in ("counselor", "nurse", "driver", "clerk", "manager")
    }
    assert asked == {"counselor": True, "nurse": True, "driver": True, "clerk": False, "manager": False}


def test_occurrences_agree_with_counting_them_one_by_one() -> None:
    every, random = 0.7, np.random.default_rng(11)
    book = Book(scenario({"counseling": COUNSELING | {"every_weeks": every}}, weeks=6))
    expected: list[float] = []
    for _ in range(300):
        started, suspended, resumed, end = (
            random.uniform(-30, 40) + random.exponential((0, 9, 9, 20)).cumsum()
        )
        stay = in_care(book, started, "counseling")
        if random.random() < 0.5:
            stay.suspended(suspended, "aftercare").resumed(resumed)
        else:
            suspended = math.inf
        if random.random() < 0.8:
            stay.completed(end)
        else:
            end = math.inf
        due = [started + 7 * every * k for k in range(50)]
        expected += [t for t in due if 0 <= t < min(end, 42) and not suspended <= t < resumed]
    assert len(expected) > 500
    assert times(book, "counseling") == pytest.approx(expected)


def test_names_of_metrics_can_be_listed_without_numpy() -> None:
    code = "import sys; from iopsim.measures import money, staffing; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
