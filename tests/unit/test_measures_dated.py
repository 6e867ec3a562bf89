"""What is planned goes by the plan in force on the day: hand-made timelines under plans that change."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from iopsim.measures.planned import planned_at, planned_mean, planned_weekly, spells_of
from iopsim.measures.possible import places
from iopsim.measures.registry import Ratio, bound, measure
from iopsim.measures.series import profiles, weekly
from iopsim.model.ledger import PostState
from iopsim.scenario.schema import Scenario
from tests.unit.ledgers import Book
from tests.unit.measured import figures

if TYPE_CHECKING:
    from collections.abc import Mapping

START = dt.date(2027, 1, 4)
DAYS = 28.0  # of the window; changes act on its tenth day, a Thursday
CHANGED = 10


def clinic(sets: Mapping[str, object], day: int = CHANGED, **parts: Any) -> Scenario:
    tree: dict[str, Any] = {
        "run": {"start": START, "warm_up_weeks": 1, "weeks": 4, "run_out_weeks": 1},
        "sources": {"door": {"to": "ward", "per_week": 5}},
        "levels": {
            "ward": {"places": 2, "stay_days": 7, "days_per_week": 7, "attendance": {"mean": 0.8}},
            "club": {
                "phases": [{"weeks": 2, "days_per_week": 2}],
                "caseload": "counselor",
                "groups": {"daily": {"days": ["mon", "wed"], "seats": 4, "facilitators": {"counselor": 1}}},
            },
        },
        "staff": {"counselor": {"posts": 2, "caseload": 10, "patients_per_clinician_at_most": 2}},
        "changes": [{"from": START + dt.timedelta(days=day), "set": sets}] if sets else [],
    }
    return Scenario.model_validate({**tree, **parts})


def outcomes(book: Book) -> dict[str, Any]:
    return dict(measure(book.window()))


# The plan by time


def test_a_value_is_that_of_the_plan_in_force_from_the_first_instant_of_its_day_on() -> None:
    spells = spells_of(clinic({"levels.ward.places": 5}))
    assert [(spell.begin, spell.end) for spell in spells] == [(-np.inf, 10), (10, np.inf)]
    times = np.array([-400.0, 9.999, 10.0, 400.0])
    assert planned_at(spells, times, lambda plan: places(plan, "ward") or 0).tolist() == [2, 2, 5, 5]


def test_means_are_by_days_and_exact_where_nothing_changes() -> None:
    changed = clinic({"staff.counselor.bookable": 0.7, "levels.ward.places": 3})

    def bookable(plan: Scenario) -> float:
        return plan.staff["counselor"].bookable

    by_week = planned_weekly(spells_of(changed), 4, bookable)
    assert by_week.tolist() == [1.0, pytest.approx((3 * 1 + 4 * 0.7) / 7), 0.7, 0.7]
    assert planned_mean(changed, bookable) == pytest.approx((10 * 1 + 18 * 0.7) / 28)
    assert planned_mean(changed, lambda plan: plan.staff["counselor"].fte * 0.1) == 0.1


@pytest.mark.parametrize(("day", "expected"), [(-3, 5), (0, 5), (28, 2), (34, 2)])
def test_what_changes_outside_of_the_window_is_one_plan_in_it(day: int, expected: int) -> None:
    book = Book(clinic({"levels.ward.places": 5}, day))
    book.patient("ward").joined(-5).admitted(-5).started(-5)
    assert outcomes(book)["ward.utilization.mean"] == Ratio(DAYS, expected * DAYS)


# Places and seats


def test_places_are_those_of_the_day_and_stays_go_on_when_they_fall() -> None:
    book = Book(clinic({"levels.ward.places": 1}))
    for _ in range(2):
        book.patient("ward").joined(4).admitted(4).started(4).completed(14)
    assert outcomes(book)["ward.utilization.mean"] == Ratio(20, 2 * 10 + 1 * 18)


def test_a_time_without_limit_is_left_out_of_utilization() -> None:
    """The metric exists if there is a limit at any time."""
    ward = {"places": "unlimited", "stay_days": 7}
    book = Book(clinic({"levels.ward.places": 4}, levels={"ward": ward}, staff={}))
    book.patient("ward").joined(4).admitted(4).started(4).completed(14)
    assert outcomes(book)["ward.utilization.mean"] == Ratio(4, 4 * 18)


def test_seats_are_those_of_the_session_s_day_and_so_is_what_is_over_capacity() -> None:
    book = Book(clinic({"levels.club.groups.daily.seats": 1}))
    ann, bob = (book.patient("club").joined(0).admitted(0, "daily", 0, ("mon", "wed")) for _ in range(2))
    for stay in (ann, bob):
        stay.started(0.375)
    for day in (0, 7, 9, 14):  # the last of them under the new plan
        book.session(day + 0.375, "daily", {ann: True, bob: day != 7})
    found = outcomes(book)
    assert found["club.seat_utilization.mean"] == Ratio(8, 4 * 3 + 1)
    assert found["group.daily.group_fill.mean"] == Ratio(7, 4 * 3 + 1)
    assert found["club.over_capacity_sessions.total"].value == 1
    fill = profiles(book.window())
    assert fill["fill.daily.mon"] == [5, 6, 4 + 4 + 1]
    assert fill["fill.daily.wed"] == [2, 2, 4]


# Posts


def test_a_closed_post_is_neither_vacant_nor_paid_nor_left() -> None:
    staff = {"counselor": {"posts": 3, "caseload": 10, "turnover_per_year": 1}}
    book = Book(clinic({"staff.counselor.posts": 1}, staff=staff))
    book.post(4, 2, PostState.VACANT, 0)
    book.post(CHANGED, 2, PostState.CLOSED, 0)  # the vacant one closes first
    book.post(CHANGED, 1, PostState.CLOSED, 0)
    found, window = outcomes(book), book.window()
    assert found["counselor.departures.total"].value == 1
    assert found["counselor.vacancy.share"] == Ratio(6, 3 * 10 + 1 * 18)
    assert found["counselor.fte_employed"].value == pytest.approx((2 * 10 + 4 + 18) / DAYS)
    series = weekly(window)
    assert series["counselor.filled"][1:] == pytest.approx([(7 * 2 + 4) / 7, (3 * 2 + 4) / 7, 1, 1, 1])
    assert series["counselor.limit"][1:] == pytest.approx([10 * (14 + 4) / 7, 10 * 10 / 7, 10, 10, 10])


def test_a_vacant_post_whose_limit_is_written_again_is_left_once() -> None:
    staff = {"counselor": {"posts": 2, "caseload": 10, "turnover_per_year": 1}}
    book = Book(clinic({"staff.counselor.caseload": 8}, staff=staff))
    book.post(4, 1, PostState.VACANT, 0)
    book.post(CHANGED, 0, PostState.FILLED, 8)
    book.post(CHANGED, 1, PostState.VACANT, 0)
    assert outcomes(book)["counselor.departures.total"].value == 1
    assert outcomes(book)["counselor.vacancy.share"] == Ratio(24, 56)


def test_a_new_post_counts_from_its_date_on() -> None:
    book = Book(clinic({"staff.counselor.posts": 3}))
    book.post(CHANGED, 2, PostState.FILLED, 10)
    assert outcomes(book)["counselor.fte_employed"].value == pytest.approx((2 * 28 + 18) / DAYS)
    assert outcomes(book)["counselor.caseload_utilization.mean"] == Ratio(0, 10 * (2 * 28 + 18))
    assert weekly(book.window())["counselor.filled"] == pytest.approx([2, 2, 2 + 4 / 7, 3, 3, 3])


def test_fte_are_those_of_the_day() -> None:
    book = Book(clinic({"staff.counselor.fte": 0.5}))
    for _ in range(3):
        stay = book.patient("club").joined(0).admitted(0, "daily", 0, ("mon", "wed"))
        stay.started(0)
    found = outcomes(book)
    assert found["counselor.fte_employed"].value == pytest.approx((2 * 10 + 1 * 18) / DAYS)
    assert found["counselor.patients_per_clinician.mean"] == Ratio(3 * 28, 2 * 10 + 1 * 18)
    assert found["counselor.patients_per_clinician.max"].value == 3
    assert found["counselor.over_ratio.share"] == Ratio(18, 28)  # 1.5 each before, 3 after; 2 are allowed


def test_hours_are_set_beside_those_of_the_week_s_own_plan() -> None:
    sets = {"staff.counselor.paid_hours_per_week": 20, "staff.counselor.posts": 1}
    book = Book(clinic(sets))
    book.post(CHANGED, 1, PostState.CLOSED, 0)
    for day in (0, 2, 7, 9, 14, 16, 21, 23):  # 6 hours a week
        book.session(day + 0.375, "daily")
    for time in (21.5, 22, 22.5, 23.5, 24, 25):
        book.session(time, "daily")  # 18 more in the last
    found = figures(book.window())
    needed = [6 / 40, 6 / ((3 * 40 + 4 * 20) / 7), 6 / 20, 24 / 20]
    assert found["counselor.fte_needed.mean"] == pytest.approx(np.mean(needed))
    assert found["counselor.shortfall_hours.mean"] == pytest.approx(4 / 4)  # 24 of 20 in one of four weeks


def test_appointments_are_offered_by_the_hours_of_the_day() -> None:
    visit = {"levels": ["ward"], "role": "nurse", "per": "admission", "minutes": 60, "limits": True}
    parts: dict[str, Any] = {
        "staff": {"nurse": {"posts": 1, "paid_hours_per_week": 40}},
        "services": {"visit": visit},
    }
    levels = {"ward": {"places": 2, "stay_days": 7}}
    book = Book(clinic({"staff.nurse.paid_hours_per_week": 20}, levels=levels, **parts))
    stay = book.patient("ward").joined(4).admitted(4).started(4, ("visit",))
    book.visit(4.5, stay, "visit", 4)
    # Ten days hold 8 working days at 8 hours; the 18 after them 12 at 4 hours.
    assert outcomes(book)["nurse.slot_utilization.mean"] == Ratio(1, 8 * 8 + 12 * 4)


# Which metrics there are


def names(scenario: Scenario) -> set[str]:
    return {entry.stem for entry in bound(scenario)}


def test_a_metric_that_makes_sense_from_some_date_on_exists() -> None:
    before, after = names(clinic({})), names(clinic({"staff.counselor.turnover_per_year": 0.5}))
    more = {f"counselor.{name}" for name in ("vacancy", "departures", "overload", "unassigned", "reassigned")}
    assert after - before == more | {
        f"{where}.cancelled_sessions.unstaffed" for where in ("club", "group.daily")
    }
    assert names(clinic({"levels.ward.waitlist.at_most": 3})) - before == {"ward.lost.refused"}
    assert not before - after


@pytest.mark.parametrize("sets", [{"staff.counselor.posts": 1}, {"staff.counselor.caseload": 4}], ids=str)
def test_posts_and_caseloads_that_change_may_overload_those_who_stay(sets: dict[str, object]) -> None:
    assert names(clinic(sets)) - names(clinic({})) == {
        "counselor.overload",
        "counselor.unassigned",
        "counselor.reassigned",
    }
    assert "counselor.filled" in weekly(Book(clinic(sets)).window())
    assert "counselor.filled" not in weekly(Book(clinic({})).window())
