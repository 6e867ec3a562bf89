"""Metrics of group sessions, on hand-made timelines: every expected number is worked out in the test."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from iopsim.measures.registry import Ratio, Value, bound, measure
from iopsim.model.ledger import Cause
from iopsim.scenario.schema import Scenario
from tests.unit.ledgers import Book


def scenario() -> Scenario:
    return Scenario.model_validate(
        {
            "run": {"start": dt.date(2027, 1, 4), "warm_up_weeks": 4, "weeks": 4, "run_out_weeks": 2},
            "tracks": {"mood": {}, "sud": {}},
            "sources": {"community": {"to": "program", "per_week": 5, "tracks": {"mood": 0.5, "sud": 0.5}}},
            "levels": {
                "program": {
                    "stay_days": {"constant": 56},
                    "groups": {
                        "morning": {"days": ["mon", "wed"], "seats": 3, "overbook": 1.5},
                        "evening": {"days": ["tue"], "seats": 5, "min_census": 2},
                    },
                },
                "aftercare": {
                    "stay_days": {"constant": 56},
                    "groups": {"weekly": {"days": ["fri"], "seats": 1}},
                },
                "clinic": {"stay_days": {"constant": 56}},
            },
        }
    )


@pytest.fixture
def found() -> dict[str, float]:
    """Sessions of two groups of one level, and one of another, in a window of four weeks."""
    book = Book(scenario())
    ann, bob, cat, dan = (
        book.patient("program", track=track).joined(-9).admitted(-8, "morning").started(-7)
        for track in ("mood", "mood", "sud", "sud")
    )
    book.session(-5, "morning", {ann: True, bob: True})  # before the window
    book.session(0.375, "morning", {ann: True, bob: False}, taken=3)  # one seat is held
    book.session(2.375, "morning", {ann: True, bob: True, cat: True, dan: True})  # four on three seats
    book.session(9.375, "morning", {}, taken=1)  # nobody but a held seat
    book.session(8.75, "evening", {cat: True, dan: False})
    book.session(28, "evening", {cat: True, dan: True})  # the first instant after the window
    book.cancelled(7.375, "morning", Cause.CLOSED, enrolled=2)
    book.cancelled(14.375, "morning", Cause.CLOSED, enrolled=3)
    book.cancelled(15.75, "evening", Cause.BELOW_MINIMUM, enrolled=1)
    book.cancelled(29.75, "evening", Cause.BELOW_MINIMUM, enrolled=1)  # after the window
    eve = book.patient("aftercare").joined(0).admitted(0, "weekly").started(4)
    book.session(4.375, "weekly", {eve: True})
    return {
        name: outcome.numerator / outcome.denominator if isinstance(outcome, Ratio) else outcome.value
        for name, outcome in measure(book.window()).items()
        if isinstance(outcome, Value) or (isinstance(outcome, Ratio) and outcome.denominator)
    }


def test_seats_taken_are_of_the_seats_of_sessions_held(found: dict[str, float]) -> None:
    assert found["group.morning.seat_utilization.mean"] == pytest.approx((3 + 4 + 1) / 9)
    assert found["group.evening.seat_utilization.mean"] == pytest.approx(2 / 5)
    assert found["program.seat_utilization.mean"] == pytest.approx((8 + 2) / (9 + 5))
    assert found["program.utilization.mean"] == found["program.seat_utilization.mean"]
    assert found["aftercare.seat_utilization.mean"] == 1


def test_fill_counts_those_who_came(found: dict[str, float]) -> None:
    assert found["group.morning.group_fill.mean"] == pytest.approx((1 + 4 + 0) / 9)
    assert found["program.group_fill.mean"] == pytest.approx((5 + 1) / 14)


def test_attendance_is_of_those_expected(found: dict[str, float]) -> None:
    assert found["group.morning.attendance.share"] == pytest.approx(5 / 6)
    assert found["group.evening.attendance.share"] == pytest.approx(1 / 2)
    assert found["program.attendance.share"] == pytest.approx(6 / 8)
    assert found["program.mood.attendance.share"] == pytest.approx(3 / 4)
    assert found["program.sud.attendance.share"] == pytest.approx(3 / 4)


def test_a_session_with_more_people_than_seats_is_over_capacity(found: dict[str, float]) -> None:
    assert found["group.morning.over_capacity_sessions.total"] == 1
    assert found["program.over_capacity_sessions.total"] == 1
    assert found["group.evening.over_capacity_sessions.total"] == 0
    assert found["aftercare.over_capacity_sessions.total"] == 0  # full is not over


def test_cancelled_sessions_are_counted_by_cause(found: dict[str, float]) -> None:
    assert found["group.morning.cancelled_sessions.total"] == 2
    assert found["group.morning.cancelled_sessions.below_minimum.total"] == 0
    assert found["group.evening.cancelled_sessions.below_minimum.total"] == 1
    assert found["program.cancelled_sessions.total"] == 3
    assert found["program.cancelled_sessions.closed.total"] == 2
    assert found["aftercare.cancelled_sessions.total"] == 0


def test_member_sessions_are_those_of_sessions_held_in_order_of_time() -> None:
    book = Book(scenario())
    ann, bob = (book.patient("program").joined(0).admitted(0, "morning").started(0) for _ in range(2))
    book.session(2.375, "morning", {bob: True})
    book.cancelled(1.75, "evening", Cause.CLOSED, enrolled=2)
    book.session(0.375, "morning", {ann: True, bob: False})
    rows = book.window().attendance
    assert rows.time.tolist() == [0.375, 0.375, 2.375]
    assert (rows.stay.tolist(), rows.attended.tolist()) == ([0, 1, 1], [True, False, True])
    assert (rows.session.tolist(), rows.group.tolist()) == ([0, 0, 2], [0, 0, 0])
    assert np.array_equal(book.window().ever_attended, [True, True])


def test_only_levels_with_groups_have_seats() -> None:
    stems = {entry.stem for entry in bound(scenario())}
    assert {"program.group_fill", "program.mood.attendance", "group.weekly.attendance"} <= stems
    assert not any(stem.startswith("clinic.") and "seat" in stem for stem in stems)
    assert "clinic.group_fill" not in stems
