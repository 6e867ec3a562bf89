"""Metrics of group sessions, on hand-made timelines: every expected number is worked out in the test."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pytest

from iopsim.measures.planned import spells_of
from iopsim.measures.registry import Ratio, Value, bound, measure
from iopsim.measures.sessions import Attendance, Attended, Sessions
from iopsim.model.ledger import Cause, Fact
from iopsim.scenario.schema import Scenario
from tests.unit.ledgers import Book
from tests.unit.timelines import Person, live


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


def totals(book: Book, what: str) -> list[float]:
    """A sum over the sessions in the window, by group."""
    column: list[float] = getattr(book.window().sessions, what).tolist()
    return column


def test_seats_of_those_who_come_no_more_are_ghosts() -> None:
    book = Book(scenario())
    ann, bob, cat = (
        book.patient("program").joined(-9).admitted(-8, "morning", days=("mon", "wed")) for _ in range(3)
    )
    ann.started(0.375).completed(
        7.5, to="aftercare", released=15
    )  # comes on day 0 only, and is held for a week
    book.session(0.375, "morning", {ann: True, bob: False, cat: True})
    bob.started(0.375).dropped_out(8)  # never comes
    book.session(2.375, "morning", {ann: False, bob: False, cat: True})
    cat.started(0.375).moved(2.5, "morning", ("wed",)).suspended(9, "aftercare").resumed(15)
    book.session(7.375, "morning", {ann: False, bob: False}, taken=2)
    book.session(9.375, "morning", {}, taken=2)  # ann's and cat's seats are held
    book.session(14.375, "morning", {}, taken=1)  # ann's
    book.session(16.375, "morning", {cat: True})
    book.session(21.375, "morning", {})  # on Mondays cat has no seat
    book.session(23.375, "morning", {cat: False})
    cat.completed(24)
    book.session(30.375, "morning", {}, taken=1)  # after the window
    ghosts = {"ann": 4, "bob": 3, "cat": 1}
    assert totals(book, "ghosts") == [sum(ghosts.values()), 0, 0]
    assert totals(book, "taken") == [3 + 3 + 2 + 2 + 1 + 1 + 0 + 1, 0, 0]
    found = measure(book.window())
    assert found["group.morning.ghost_seats.share"] == found["program.ghost_seats.share"] == Ratio(8, 13)


def test_who_comes_after_the_window_is_no_ghost_in_it() -> None:
    book = Book(scenario())
    ann = book.patient("program").joined(0).admitted(0, "morning", days=("mon",)).started(7.375)
    book.session(7.375, "morning", {ann: False})
    book.session(28.375, "morning", {ann: True})
    assert totals(book, "ghosts") == [0, 0, 0]


def test_seats_of_a_cohort_that_has_not_begun_are_ghosts_only_if_nobody_comes() -> None:
    book = Book(scenario())
    ann, bob = (book.patient("program").joined(0).admitted(0, "morning", days=("mon",)) for _ in range(2))
    book.session(7.375, "morning", {}, taken=2)
    ann.started(14.375)
    bob._write(Fact.WITHDRAWN, 10)._write(Fact.RELEASED, 10)
    book.session(14.375, "morning", {ann: True})
    assert totals(book, "ghosts") == [1, 0, 0]


def test_guests_come_to_the_session_and_take_none_of_its_seats() -> None:
    book = Book(scenario())
    ann, bob = (
        book.patient("program").joined(0).admitted(0, "morning", days=("mon",)).started(0.375)
        for _ in range(2)
    )
    guests = [
        book.patient("program").joined(0).admitted(0, "evening", days=("tue",)).started(0.375) for _ in "ab"
    ]
    book.session(7.375, "morning", {ann: True, bob: True} | dict.fromkeys(guests, True), taken=2)
    book.cancelled(8.75, "evening", Cause.MERGED, enrolled=2)
    book.session(
        14.375, "morning", {ann: True, bob: True} | dict.fromkeys(guests, False), taken=3
    )  # and a held one
    found = measure(book.window())
    assert found["group.morning.seat_utilization.mean"] == Ratio(2 + 3, 6)
    assert found["group.morning.group_fill.mean"] == Ratio(6, 6)
    assert found["group.morning.attendance.share"] == Ratio(6, 8)
    assert found["group.morning.over_capacity_sessions.total"] == Value(1)
    assert found["group.morning.ghost_seats.share"] == Ratio(1, 5)
    assert found["program.mood.attendance.share"] == Ratio(6, 8)


def test_a_model_that_merges_counts_each_seat_in_its_own_group() -> None:
    """Ann is the only one of her group on all three days, and a guest of bob's; each of them has one seat."""
    days = {"days": ["mon", "wed", "fri"], "seats": 1}
    groups = {
        "small": days | {"time": "day", "seats": 2, "min_census": 2, "below_minimum": {"merge_with": "big"}},
        "big": days | {"time": "evening", "start": "18:00"},
    }
    levels = {"iop": {"groups": groups, "phases": [{"weeks": 1, "days_per_week": 3}]}}
    told = live(levels, Person("ann", 0, time="day"), Person("bob", 0, time="evening"), weeks=1)
    spec = Scenario.model_validate({"sources": {"door": {"to": "iop", "per_week": 1}}, "levels": levels})
    everything = np.ones(len(told.ledger.session_time), bool)
    came = Attended.of(Attendance.expanded(told.ledger))
    found = Sessions.summed(spells_of(spec), told.ledger, came, everything)
    assert found.merged.tolist() == [3, 0]
    assert (found.expected.tolist(), found.attended.tolist()) == ([0, 6], [0, 6])
    assert (found.taken.tolist(), found.ghosts.tolist()) == ([0, 3], [0, 0])
    assert found.over_capacity.tolist() == [0, 3]


def with_staff(counselors: int, **role: Any) -> Scenario:
    """The groups of the other tests with a counselor each, and an evening that may join the morning."""
    spec = scenario().model_dump(by_alias=True, exclude_unset=True)
    for group in (group for level in spec["levels"].values() for group in level.get("groups", {}).values()):
        group["facilitators"] = {"counselor": 1}
    spec["levels"]["program"]["groups"]["evening"]["below_minimum"] = {"merge_with": "morning"}
    return Scenario.model_validate(spec | {"staff": {"counselor": {"posts": counselors, **role}}})


def test_sessions_that_join_another_are_not_cancelled_and_unstaffed_ones_are() -> None:
    book = Book(with_staff(1, turnover_per_year=0.3))
    book.cancelled(1.75, "evening", Cause.MERGED, enrolled=1)
    book.cancelled(8.75, "evening", Cause.MERGED, enrolled=1)
    book.cancelled(15.75, "evening", Cause.BELOW_MINIMUM, enrolled=1)
    book.cancelled(7.375, "morning", Cause.UNSTAFFED, enrolled=3)
    book.cancelled(-7 + 0.375, "morning", Cause.UNSTAFFED, enrolled=3)
    book.cancelled(29.75, "evening", Cause.MERGED, enrolled=1)
    found = measure(book.window())
    assert found["group.evening.merged_sessions.total"] == found["program.merged_sessions.total"] == Value(2)
    assert found["group.evening.cancelled_sessions.total"] == Value(1)
    assert found["group.morning.cancelled_sessions.unstaffed.total"] == Value(1)
    assert found["program.cancelled_sessions.unstaffed.total"] == Value(1)
    assert found["program.cancelled_sessions.total"] == Value(2)
    assert found["aftercare.cancelled_sessions.unstaffed.total"] == Value(0)


@pytest.mark.parametrize(
    ("counselors", "role", "can_be"),
    [
        (1, {}, False),  # no two groups meet at one time
        (1, {"leaves": [dt.date(2027, 1, 8)]}, True),
        (1, {"turnover_per_year": 0.3}, True),
        (1, {"turnover_per_year": 0.3, "cover_per_hour": 60}, False),
        (0, {}, True),
    ],
)
def test_only_where_facilitators_may_lack_are_sessions_unstaffed(
    counselors: int, role: dict[str, Any], can_be: bool
) -> None:
    stems = {entry.stem for entry in bound(with_staff(counselors, **role))}
    assert ("group.morning.cancelled_sessions.unstaffed" in stems) == can_be
    assert ("program.cancelled_sessions.unstaffed" in stems) == can_be


@pytest.mark.parametrize(
    ("start", "days", "can_be"),
    [("11:59", ["mon"], True), ("12:00", ["mon"], False), ("09:00", ["tue"], False)],
)
def test_two_sessions_at_once_need_two_facilitators(start: str, days: list[str], can_be: bool) -> None:
    spec = with_staff(1).model_dump(by_alias=True, exclude_unset=True)
    weekly = spec["levels"]["aftercare"]["groups"]["weekly"]
    weekly |= {"start": start, "days": days}
    spec["levels"]["program"]["groups"]["evening"]["days"] = ["thu"]
    stems = {entry.stem for entry in bound(Scenario.model_validate(spec))}
    assert ("group.weekly.cancelled_sessions.unstaffed" in stems) == can_be
    assert ("group.morning.cancelled_sessions.unstaffed" in stems) == can_be


def test_only_groups_that_may_join_another_do() -> None:
    stems = {entry.stem for entry in bound(with_staff(3)) if "merged" in entry.stem}
    assert stems == {"program.merged_sessions", "group.evening.merged_sessions"}
    assert not [
        entry.stem for entry in bound(scenario()) if "merged" in entry.stem or "unstaffed" in entry.stem
    ]


def test_only_levels_with_groups_have_seats() -> None:
    stems = {entry.stem for entry in bound(scenario())}
    assert {"program.group_fill", "program.mood.attendance", "group.weekly.attendance"} <= stems
    assert not any(stem.startswith("clinic.") and "seat" in stem for stem in stems)
    assert "clinic.group_fill" not in stems
