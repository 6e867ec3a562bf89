"""Hours of staff on hand-made timelines: every expected number is worked out in the test."""

from __future__ import annotations

import datetime as dt
import math
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from iopsim.measures.registry import Ratio, Sample, Value, bound, measure
from iopsim.measures.work import deliveries, offered_hours, weekly_hours
from iopsim.model.ledger import Cause, PostState, Stage
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


def test_shortfall_is_against_the_posts_filled_in_the_week() -> None:
    counselor = {"posts": 2, "fte": 0.5, "paid_hours_per_week": 4}
    book = Book(scenario({"counseling": COUNSELING}, counselor=counselor))
    for _ in range(4):
        in_care(book, 1, "counseling").completed(9)  # 5 hours in each week
    book.post(3.5, 0, PostState.VACANT, 0)
    book.post(7, 1, PostState.AWAY, 0)
    book.post(10.5, 0, PostState.FILLED, 0)  # a new one has hours, if no caseload yet
    found = measure(book.window())
    # Filled: 1.5 posts and then 0.5, of 2 hours each.
    assert found["counselor.fte_employed"] == Value((0.75 + 0.25) / 2)
    assert found["counselor.shortfall_hours.mean"] == Value(((5 - 3) + (5 - 1)) / 2)


# Supervision, appointments, cover


def test_supervision_goes_with_the_filled_posts_of_associates() -> None:
    associate = {"posts": 3, "fte": 0.5, "associate": {"supervised_by": "supervisor", "minutes_per_week": 90}}
    book = Book(scenario({}, supervisor={"posts": 1}, associate=associate))
    number = book.posts.index(("associate", 1))
    book.post(3.5, number, PostState.VACANT, 0)
    book.post(7, number, PostState.FILLED, 0)
    book.post(7, number + 1, PostState.AWAY, 0)
    assert weekly_hours(book.window(), "supervisor").tolist() == [2.5 * 1.5, 2 * 1.5]
    assert "associate.hours_needed" not in measure(book.window())


def with_intake(minutes: float = 90, services: dict[str, Any] | None = None, **staff: Any) -> Scenario:
    """Two intake posts with six hours of appointments a day; the first Wednesday is closed."""
    spec = scenario(
        services or {}, intake={"posts": 2, "paid_hours_per_week": 40, "bookable": 0.75} | staff
    ).model_dump(by_alias=True, exclude_unset=True)
    spec["levels"]["care"]["intake"] = {"role": "intake", "minutes": minutes}
    spec["calendar"] = {"closed": [dt.date(2027, 1, 6)]}
    return Scenario.model_validate(spec)


def test_an_intake_appointment_takes_its_time_whoever_shows() -> None:
    book = Book(with_intake())
    ann, bob, cat, dan = (book.patient("care").referred(-5) for _ in range(4))
    ann.booked(-5).no_show(-3 + NINE).booked(-3 + NINE).assessed(1 + NINE)
    bob.booked(-5).no_show(4 + NINE).lost(4 + NINE, Stage.INTAKE)
    cat.booked(-5).assessed(7 + NINE)
    dan.booked(-5).assessed(14 + NINE)
    book.patient("aftercare").referred(0).assessed(NINE)  # of another level, without an appointment
    assert weekly_hours(book.window(), "intake").tolist() == [3, 1.5]
    assert weekly_hours(book.window(), "counselor").tolist() == [0, 0]


def test_slots_are_offered_by_posts_that_are_filled_at_nine_on_working_days() -> None:
    book = Book(with_intake())
    number = book.posts.index(("intake", 0))
    book.post(7.5, number, PostState.VACANT, 0)  # on Monday at noon
    book.post(9 + NINE, number, PostState.FILLED, 0)
    ann = book.patient("care").referred(0).booked(0)
    ann.no_show(1 + NINE).booked(1 + NINE).assessed(3 + NINE)
    found = measure(book.window())
    # 9 open weekdays of two posts but for one Tuesday, of four appointments of 90 minutes each.
    assert found["intake.slot_utilization.mean"] == Ratio(3, (2 * 9 - 1) * 6)


@pytest.mark.parametrize(("minutes", "hours_a_day"), [(90, 6), (100, 5), (360, 6), (7.2, 6)])
def test_a_day_offers_whole_appointments(minutes: float, hours_a_day: float) -> None:
    assert offered_hours(Book(with_intake(minutes)).window(), "intake") == pytest.approx(18 * hours_a_day)


def test_appointments_of_several_lengths_share_all_of_the_day() -> None:
    check = {"levels": ["care"], "role": "intake", "minutes": 40, "per": "admission", "indirect_minutes": 10}
    book = Book(with_intake(100, {"check": check | {"limits": True}}))
    ann = in_care(book, 3, "check")
    book.visit(4 + NINE, ann, "check", due=3)
    book.patient("care").referred(0).booked(0).assessed(1 + NINE)
    found = measure(book.window())
    assert found["intake.slot_utilization.mean"] == Ratio((100 + 50) / 60, 18 * 6)


def test_cover_is_bought_by_the_hour() -> None:
    book = Book(scenario({}, counselor={"posts": 1, "cover_per_hour": 60}))
    for time in (-1, 3, 13.5, 14):
        book.covered(time, "counselor", 1.5)
    book.covered(3, "nurse", 7)
    book.session(3, "morning")
    found = measure(book.window())
    assert found["counselor.cover_hours.total"] == Value(3)
    assert "nurse.cover_hours.total" not in found
    assert sample(found["counselor.hours_needed"]) == [6, 0]  # whoever leads the session


# Services that wait for hours


def test_what_waits_for_hours_takes_them_when_it_is_given() -> None:
    book = Book(
        scenario({"counseling": COUNSELING | {"limits": True}, "other": COUNSELING | {"limits": True}})
    )
    ann, bob = in_care(book, -7, "counseling"), in_care(book, 1, "counseling", "other")
    book.visit(-1, ann, "counseling", due=-7)
    book.visit(2, ann, "counseling", due=0)
    book.visit(8, bob, "counseling", due=1)
    book.visit(14, ann, "counseling", due=7)
    book.visit(3, bob, "other", due=1)
    given = deliveries(book.window(), "counseling")
    assert (given.time.tolist(), given.stay.tolist()) == ([2, 8], [0, 1])
    assert weekly_hours(book.window(), "counselor").tolist() == [2 * 1.25, 1.25]


def test_late_is_what_was_given_or_owed_more_than_its_days_after_it_fell_due() -> None:
    waits = COUNSELING | {"limits": True, "due_days": 3}
    services = {
        "counseling": waits,
        "notes": COUNSELING | {"due_days": 3},  # waits for no hours, so is never late
        "chats": COUNSELING | {"limits": True},  # has no date to keep
        "check": waits | {"role": "nurse"},
    }
    book = Book(scenario(services))
    ann = in_care(book, 1, "counseling", "notes", "chats")  # due on days 1 and 8
    book.visit(4, ann, "counseling", due=1)
    book.visit(11.5, ann, "counseling", due=8)  # late
    bob = in_care(book, 2, "counseling").completed(10)  # due on days 2 and 9, never given: the first is late
    cat = in_care(book, 13, "counseling")  # owed to the end of the run: late
    dan = in_care(book, -6, "counseling").suspended(8, "aftercare").resumed(21)  # due on days -6 and 1
    book.visit(6, dan, "counseling", due=-6)
    book.visit(3, dan, "counseling", due=1)
    in_care(book, 14, "counseling")
    assert (bob.number, cat.number) == (1, 2)
    found = measure(book.window())
    assert found["counselor.late.share"] == Ratio(1 + 1 + 1, 2 + 2 + 1 + 1 + 2)
    assert found["nurse.late.share"] == Ratio(0, 0)


def test_what_admission_waits_for_is_due_from_admission_on() -> None:
    gate = {"levels": ["care"], "role": "nurse", "minutes": 60, "per": "admission", "due_days": 2}
    book = Book(scenario({"gate": gate | {"limits": "admission"}}))
    late, prompt, never, short = (
        book.patient("care").joined(0).admitted(3).started(5, ("gate",)) for _ in range(4)
    )
    book.visit(5.5, late, "gate", due=3)
    book.visit(5, prompt, "gate", due=3)
    never.completed(9)
    short.completed(5)
    early = book.patient("care").joined(-2).admitted(-1).started(1, ("gate",))
    book.visit(4, early, "gate", due=-1)
    assert measure(book.window())["nurse.late.share"] == Ratio(2, 4)


def test_occasions_are_the_same_whatever_rounding_makes_of_them() -> None:
    every = 0.7
    book = Book(scenario({"counseling": COUNSELING | {"every_weeks": every, "limits": True, "due_days": 9}}))
    ann = in_care(book, 0.3, "counseling")
    due = 0.3
    while due < 14:
        book.visit(due + 1, ann, "counseling", due=due)
        due += 7 * every  # not quite 0.3 + k × 4.9
    assert measure(book.window())["counselor.late.share"] == Ratio(0, 3)


@pytest.mark.parametrize(
    ("said", "late", "slots"),
    [
        ({}, False, False),
        ({"due_days": 3}, False, False),
        ({"limits": True}, False, True),
        ({"limits": True, "due_days": 3}, True, True),
    ],
)
def test_only_what_waits_for_hours_can_be_late(said: dict[str, Any], late: bool, slots: bool) -> None:
    stems = {entry.stem for entry in bound(scenario({"counseling": COUNSELING | said}))}
    assert ("counselor.late" in stems, "counselor.slot_utilization" in stems) == (late, slots)


def test_roles_that_nothing_takes_time_of_have_no_hours() -> None:
    services = {
        "skills": COUNSELING | {"role": "clerk", "within_group": True},
        "visits": COUNSELING | {"role": "driver"},
    }
    names = {entry.stem for entry in bound(scenario(services, driver={"posts": 1}, manager={"posts": 1}))}
    assert not [name for name in names if "late" in name or "slot" in name or "cover" in name]
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
    code = "import sys; from iopsim.measures import groups, money, staffing; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
