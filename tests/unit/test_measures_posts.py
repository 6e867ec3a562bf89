"""Posts and caseloads over time on hand-made timelines: every expected number is worked out in the test.

The window has 14 days. `therapist` has two posts of 0.5 FTE with 4 patients each, `nurse` one; both carry a level.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from iopsim.measures.posts import mean_carried
from iopsim.measures.registry import Ratio, Value, bound, measure
from iopsim.measures.series import profiles, weekly
from iopsim.model.ledger import PostState
from iopsim.scenario.schema import Scenario
from tests.unit.ledgers import Book, Stay

VACANT, FILLED, AWAY = PostState.VACANT, PostState.FILLED, PostState.AWAY


def scenario(**staff: dict[str, Any]) -> Scenario:
    roles = {
        "therapist": {"posts": 2, "fte": 0.5, "caseload": 8, "turnover_per_year": 0.5},
        "nurse": {"posts": 1, "caseload": 9, "leaves": [dt.date(2027, 1, 8)]},
        "clerk": {"posts": 1},
    }
    return Scenario.model_validate(
        {
            "run": {"start": dt.date(2027, 1, 4), "warm_up_weeks": 1, "weeks": 2, "run_out_weeks": 1},
            "sources": {"community": {"to": "care", "per_week": 5}},
            "levels": {
                "care": {"stay_days": {"constant": 20}, "caseload": "therapist"},
                "ward": {"stay_days": {"constant": 20}, "caseload": "nurse"},
                "home_visits": {"stay_days": {"constant": 20}},
                "program": {
                    "stay_days": {"constant": 20},
                    "groups": {
                        "morning": {"days": ["mon"], "seats": 20, "facilitators": {"nurse": 1, "clerk": 1}}
                    },
                },
            },
            "staff": {name: role | staff.get(name, {}) for name, role in roles.items()},
        }
    )


def staying(book: Book, post: int, level: str = "care", since: float = -2) -> Stay:
    return book.patient(level).joined(since).admitted(since, post=post).started(since)


def numbers(book: Book) -> dict[str, float]:
    return {
        name: outcome.numerator / outcome.denominator if isinstance(outcome, Ratio) else outcome.value
        for name, outcome in measure(book.window()).items()
        if isinstance(outcome, Value) or (isinstance(outcome, Ratio) and outcome.denominator)
    }


@pytest.fixture
def changes() -> Book:
    """Somebody leaves on day 3, a successor comes on day 7 and is new till day 14; the other is away from day 8 on."""
    book = Book(scenario())
    ann, bob, cat = (staying(book, 0) for _ in range(3))
    dan, eve = (staying(book, 1) for _ in range(2))
    book.post(3, 0, VACANT, 0)
    for stay in (ann, bob, cat):
        stay.reassigned(3, 1)
    cat.completed(6, released=6.5)
    book.post(7, 0, FILLED, 0)
    book.post(8, 1, AWAY, 0)
    for stay in (ann, bob, dan, eve):
        stay.reassigned(8, 0)
    book.post(10.5, 0, FILLED, 2)
    book.post(14, 0, FILLED, 4)
    book.post(15, 1, FILLED, 4)
    book.post(16, 0, VACANT, 0)
    book.post(17, 0, FILLED, 0)
    return book


def test_posts_are_vacant_from_a_departure_until_the_successor_starts(changes: Book) -> None:
    found = numbers(changes)
    assert found["therapist.vacancy.share"] == pytest.approx(4 / 28)
    assert found["therapist.departures.total"] == 1  # the other one is after the window
    assert found["nurse.vacancy.share"] == 0
    assert found["nurse.departures.total"] == 0


def test_caseload_utilization_is_of_the_limits_in_force(changes: Book) -> None:
    limits = (4 * 3 + 0 * 3.5 + 2 * 3.5) + 4 * 8
    assert numbers(changes)["therapist.caseload_utilization.mean"] == pytest.approx((4 * 14 + 6.5) / limits)


def test_patients_over_the_limits_are_counted_post_by_post(changes: Book) -> None:
    # Five on a post of 4 from day 3 until cat goes at 6.5; four on one of 0 from 8 to 10.5, and on one of 2 to 14.
    # The other post had room all the while, but none of it is theirs.
    over = 1 * 3.5 + 4 * 2.5 + 2 * 3.5
    assert numbers(changes)["therapist.overload.mean"] == pytest.approx(over / 14)


def test_patients_who_get_another_clinician_are_counted(changes: Book) -> None:
    found = numbers(changes)
    assert found["therapist.reassigned.total"] == 3 + 4
    assert found["nurse.reassigned.total"] == 0
    assert found["therapist.unassigned.mean"] == 0


def test_each_post_carries_its_own(changes: Book) -> None:
    first, second = 3 * 3 + 4 * 6, 2 * 8 + 2 * 5 + 3.5
    assert mean_carried(changes.window()).tolist() == pytest.approx([first / 14, second / 14, 0, 0])
    found = profiles(changes.window())
    assert found["caseload.therapist"] == pytest.approx([first / 14, second / 14])
    assert found["caseload.nurse"] == [0]
    assert found["limits.therapist"] == pytest.approx([(4 * 3 + 2 * 3.5) / 14, 4 * 8 / 14])
    assert found["limits.nurse"] == [9]


def test_posts_and_limits_in_each_week_of_the_run(changes: Book) -> None:
    found = weekly(changes.window())
    assert found["therapist.filled"] == pytest.approx([2, (3 + 7) / 7, (7 + 1) / 7, (2 + 4 + 6) / 7])
    limits = [8, (4 * 3 + 4 * 7) / 7, (2 * 3.5 + 4 * 1) / 7, (4 * 2 + 4 * 6) / 7]
    assert found["therapist.limit"] == pytest.approx(limits)
    assert found["nurse.filled"] == [1, 1, 1, 1]
    assert "clerk.filled" not in found, "nobody comes or goes"


def test_patients_without_anybody_are_owed_one() -> None:
    book = Book(scenario())
    ann, bob = (staying(book, 2, "ward") for _ in range(2))
    staying(book, 0)
    book.patient("home_visits").joined(0).admitted(0).started(0)  # of no caseload
    book.post(4, 2, VACANT, 0)
    ann.reassigned(4, -1)
    bob.reassigned(4, -1).completed(5)
    book.post(10, 2, FILLED, 9)
    ann.reassigned(10, 2)
    found = numbers(book)
    assert found["nurse.unassigned.mean"] == pytest.approx((6 + 1) / 14)
    assert found["nurse.reassigned.total"] == 1  # to nobody is no other clinician
    assert found["nurse.caseload_utilization.mean"] == pytest.approx((2 * 4 + 4) / (9 * (4 + 4)))
    assert found["nurse.overload.mean"] == 0
    assert found["therapist.unassigned.mean"] == 0


def test_reassignments_in_the_warm_up_do_not_count() -> None:
    book = Book(scenario())
    staying(book, 0).reassigned(-1, 1).reassigned(14, 0)
    found = numbers(book)
    assert found["therapist.reassigned.total"] == 0
    assert mean_carried(book.window()).tolist() == [0, 1, 0, 0]


def test_a_change_at_one_instant_lasts_no_time() -> None:
    book = Book(scenario())
    ann = staying(book, 0)
    book.post(3, 0, VACANT, 0)
    book.post(3, 0, FILLED, 4)
    ann.reassigned(3, -1)
    ann.reassigned(3, 0)
    found = numbers(book)
    assert found["therapist.vacancy.share"] == 0
    assert found["therapist.departures.total"] == 1
    assert found["therapist.unassigned.mean"] == found["therapist.overload.mean"] == 0
    assert found["therapist.caseload_utilization.mean"] == pytest.approx(1 / 8)


def test_without_changes_limits_are_those_of_all_posts() -> None:
    book = Book(scenario())
    staying(book, 0).completed(7)
    staying(book, 1, since=13)
    found = numbers(book)
    assert found["therapist.caseload_utilization.mean"] == (7 + 1) / (2 * 4 * 14)
    assert found["therapist.vacancy.share"] == 0


# Patients per clinician


def half_a_nurse(at_most: float = 3) -> Book:
    return Book(scenario(nurse={"fte": 0.5, "patients_per_clinician_at_most": at_most}))


def test_patients_in_care_per_fte_filled() -> None:
    book = half_a_nurse()
    staying(book, 2, "ward").completed(10, released=13)  # held is not in care
    staying(book, 2, "ward", since=2).dropped_out(6)
    late = book.patient("ward").joined(2).admitted(2, post=2)  # admitted is not in care
    late.started(12).suspended(13, "care")
    staying(book, 0)  # of another role
    book.post(9, 2, VACANT, 0)
    book.post(11, 2, FILLED, 4)
    found = numbers(book)
    assert found["nurse.patients_per_clinician.mean"] == pytest.approx((10 + 4 + 1) / (0.5 * 12))
    assert found["nurse.patients_per_clinician.max"] == 2 / 0.5
    # Two patients from 2 to 6, and one with nobody there from 9 to 10; nobody for nobody is not above.
    assert found["nurse.over_ratio.share"] == pytest.approx((4 + 1) / 14)


def test_as_many_as_allowed_are_not_above() -> None:
    three = {"posts": 3, "fte": 0.6, "patients_per_clinician_at_most": 10}
    book = Book(scenario(therapist=three))  # 3 × 0.6 × 10 is a hair below 18
    for _ in range(18):
        staying(book, 0)
    assert numbers(book)["therapist.over_ratio.share"] == 0
    staying(book, 0, since=13)
    assert numbers(book)["therapist.over_ratio.share"] == pytest.approx(1 / 14)


def test_a_role_without_caseload_is_there_for_those_in_its_groups() -> None:
    book = Book(scenario(clerk={"patients_per_clinician_at_most": 2}))
    staying(book, 2, "ward")
    for _ in range(3):
        book.patient("program").joined(0).admitted(0, "morning").started(0).completed(7)
    found = numbers(book)
    assert found["clerk.patients_per_clinician.mean"] == pytest.approx(3 * 7 / 14)
    assert found["clerk.over_ratio.share"] == pytest.approx(7 / 14)


def test_a_ratio_without_anybody_ever_there_is_none() -> None:
    book = half_a_nurse()
    book.post(-7, 2, VACANT, 0)
    staying(book, 2, "ward")
    found = numbers(book)
    assert "nurse.patients_per_clinician.mean" not in found
    assert found["nurse.patients_per_clinician.max"] == 0
    assert found["nurse.over_ratio.share"] == 1


# Which metrics there are


def test_what_cannot_happen_has_no_metric() -> None:
    away = {"from": dt.date(2027, 1, 6), "until": dt.date(2027, 1, 7)}
    quiet = {"turnover_per_year": 0.0}
    stems = {entry.stem for entry in bound(scenario(therapist=quiet, nurse={"leaves": [away]}))}
    # An absence leaves no vacancy, but patients are handed on; who never goes has neither.
    assert {"nurse.overload", "nurse.unassigned", "nurse.reassigned"} <= stems
    assert "therapist.caseload_utilization" in stems
    absent = ("nurse.vacancy", "nurse.departures", "therapist.vacancy", "therapist.overload", "clerk.vacancy")
    assert not stems.intersection(absent)
    assert not [stem for stem in stems if "over_ratio" in stem or "per_clinician" in stem]
