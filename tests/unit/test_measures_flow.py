"""Metrics of flow, on hand-made timelines: every expected number is worked out in the test.

The window is [0, 70) days from Monday, 4 January 2027; the run goes on to day 98.
"""

from __future__ import annotations

import datetime as dt
import subprocess
import sys

import numpy as np
import pytest

from iopsim.measures.days import ServiceDays
from iopsim.measures.registry import Ratio, Sample, Value, bound, measure
from iopsim.measures.window import Window
from iopsim.model.ledger import Fact, Missing
from iopsim.scenario.schema import Scenario
from tests.unit.ledgers import Book

NEVER = float("inf")
WEEKS, DAYS, HORIZON = 10, 70.0, 98.0


def scenario(**changes: object) -> Scenario:
    ward = {
        "places": 2,
        "stay_days": {"constant": 10},
        "next": {"iop": 0.5, "home": 0.5},
        "hold_days": 14,
        "cost_per_day": 900,
    }
    iop = {
        "stay_days": {"constant": 56},
        "caseload": "therapist",
        "waitlist": {"patience_days": {"exponential": {"mean": 30}}, "at_most": 9, "discipline": "strict"},
        "attendance": {"mean": 0.9, "discharge_after_missed": 3},
        "leave_early": {
            "dropout": {"exponential": {"mean": 90}},
            "step_up": {"per_week": 0.01, "to": {"ward": 1}},
        },
        "groups": {
            "mood_day": {"tracks": ["mood"], "days": ["mon", "wed", "fri"], "seats": 4},
            "sud_day": {"tracks": ["sud"], "days": ["tue", "thu"], "seats": 2, "min_census": 2},
        },
    }
    tree = {
        "run": {"start": dt.date(2027, 1, 4), "warm_up_weeks": 4, "weeks": WEEKS, "run_out_weeks": 4},
        "tracks": {"mood": {}, "sud": {}},
        "sources": {
            "community": {"to": "iop", "per_week": 5, "tracks": {"mood": 0.5, "sud": 0.5}},
            "emergency": {"to": "ward", "per_week": 2, "tracks": {"mood": 0.5, "sud": 0.5}},
        },
        "levels": {"ward": ward, "iop": iop},
        "staff": {"therapist": {"posts": 2, "caseload": 5}},
    }
    return Scenario.model_validate(tree | changes)


def figures(window: Window) -> dict[str, float]:
    """Every metric as one number: a ratio divided, a sample averaged."""
    numbers = {}
    for name, outcome in measure(window).items():
        match outcome:
            case Value(value):
                numbers[name] = value
            case Ratio(numerator, denominator):
                numbers[name] = numerator / denominator if denominator else float("nan")
            case Sample(values):
                numbers[f"{name}.mean"] = float(values.mean()) if len(values) else float("nan")
    return numbers


@pytest.fixture
def book() -> Book:
    return Book(scenario())


# The tables


def test_facts_of_a_stay_stand_side_by_side(book: Book) -> None:
    ann = book.patient("iop", track="sud").referred(1).joined(1)
    ann.admitted(2, group="mood_day", post=1, days=("mon", "wed")).started(4).moved(11, "sud_day", ("tue",))
    ann.suspended(20, to="ward").resumed(23).completed(30, to="ward", released=33)
    bob = book.again(ann.patient, "ward").joined(30, origin="iop").reneged(40)
    stays = book.window().stays
    assert (stays.referred[0], stays.joined[0], stays.admitted[0], stays.started[0]) == (1, 1, 2, 4)
    assert (stays.suspended[0], stays.resumed[0], stays.ended[0], stays.released[0]) == (20, 23, 30, 33)
    assert (stays.end_fact[0], stays.destination[0]) == (Fact.COMPLETED, 0)
    assert (stays.group[0], stays.weekdays[0], stays.post[0]) == (1, 0b10, 1)
    assert (stays.track[0], stays.source[0], stays.origin[0]) == (1, 0, 0)
    assert np.isnan([stays.referred[1], stays.admitted[1], stays.ended[1], stays.refused[1]]).all()
    assert (stays.patient[1], stays.level[1], stays.reneged[1]) == (0, 0, 40)
    assert (stays.end_fact[1], stays.destination[1], stays.group[1], stays.services[1]) == (-1, -1, -1, 0)
    assert stays.origin[1] == book.origins.index("iop")
    assert bob.number == 1


def test_a_stay_is_waiting_admitted_in_care_held_and_nothing_twice(book: Book) -> None:
    book.patient("iop").joined(1).admitted(3).started(5).suspended(8, to="ward").resumed(10).completed(
        20, to="ward", released=26
    )
    book.patient("iop").joined(2).admitted(4).started(6).suspended(9, to="ward").stepped_up(12, to="ward")
    book.patient("iop").joined(2)
    window = book.window()

    def timeline(kind: str) -> list[tuple[float, float, int]]:
        return sorted(zip(*(column.tolist() for column in window.intervals(kind)), strict=True))  # type: ignore[arg-type]

    assert timeline("waiting") == [(1, 3, 0), (2, 4, 1), (2, NEVER, 2)]
    assert timeline("admitted") == [(3, 5, 0), (4, 6, 1)]
    assert timeline("in_care") == [(5, 8, 0), (6, 9, 1), (10, 20, 0)]
    assert timeline("held") == [(8, 10, 0), (9, 12, 1), (20, 26, 0)]
    assert timeline("occupied") == [(3, 26, 0), (4, 12, 1)]
    assert sum(window.days(kind)[0] for kind in ("admitted", "in_care", "held")) == window.days("occupied")[0]


def test_an_integral_counts_only_what_lies_between_its_bounds() -> None:
    # 1 from −5, 3 from 2, 2 from 4, 0 from 20; over [0, 10]: 2·1 + 2·3 + 6·2
    times, deltas = np.array([-5.0, 2, 4, 20]), np.array([1.0, 2, -1, -2])
    assert Window.integral(times, deltas, 0, 10) == 20


# Access


@pytest.fixture
def access(book: Book) -> dict[str, float]:
    """Seven who join the IOP in the window, and others who do not count."""
    book.patient("iop").referred(-9).joined(-9).admitted(1).started(2)  # joined before
    book.patient("iop").referred(0).joined(0).admitted(0).started(0)  # waits 0
    book.patient("iop").referred(8).joined(10).admitted(16).started(17)  # waits 7
    book.patient("iop", track="sud").joined(60, origin="ward").admitted(80).started(
        81
    )  # waits 21, after the window
    book.patient("iop", track="sud").referred(20).joined(20).reneged(32)
    book.patient("iop").referred(30).joined(30).refused(30)
    book.patient("iop").referred(69).joined(69)  # never resolves
    book.patient("iop").referred(40).joined(40).withdrawn(50)
    book.patient("iop").referred(70).joined(70).admitted(71).started(71)  # joined at the end: outside
    book.patient("ward", source="emergency").referred(5).joined(5).admitted(9).started(9)
    return figures(book.window())


def test_waits_are_of_those_who_join_in_the_window_and_start(access: dict[str, float]) -> None:
    assert access["iop.wait_days.mean"] == pytest.approx((0 + 7 + 21) / 3)
    assert access["iop.mood.wait_days.mean"] == pytest.approx((0 + 7) / 2)
    assert access["iop.sud.wait_days.mean"] == 21
    assert access["ward.wait_days.mean"] == 4


def test_access_runs_from_referral_and_leaves_out_who_came_from_a_level(access: dict[str, float]) -> None:
    assert access["iop.access_days.mean"] == pytest.approx((0 + 9) / 2)
    assert np.isnan(access["iop.sud.access_days.mean"])


def test_shares_of_access_are_of_all_who_join(access: dict[str, float]) -> None:
    assert access["iop.started_within_7_days.share"] == pytest.approx(2 / 7)
    assert access["iop.started_within_14_days.share"] == pytest.approx(2 / 7)
    assert access["iop.mood.started_within_7_days.share"] == pytest.approx(2 / 5)
    assert access["iop.reneged.share"] == access["iop.lost.reneged.share"] == pytest.approx(1 / 7)
    assert access["iop.lost.refused.share"] == pytest.approx(1 / 7)
    assert access["iop.unresolved.share"] == pytest.approx(1 / 7)
    assert access["iop.reneged_wait_days.mean"] == 12


def test_referrals_are_those_of_sources_in_the_window(access: dict[str, float]) -> None:
    assert access["iop.referrals.total"] == 6
    assert access["iop.referrals.per_week"] == pytest.approx(6 / WEEKS)
    assert access["iop.sud.referrals.total"] == 1
    assert access["ward.referrals.total"] == 1


def test_conversion_needs_an_attended_session_in_groups_and_a_start_in_places(book: Book) -> None:
    came = book.patient("iop").referred(1).joined(1).admitted(1, "mood_day").started(2.375)
    missed = book.patient("iop").referred(1).joined(1).admitted(1, "mood_day").started(2.375)
    late = book.patient("iop").referred(69).joined(69).admitted(69, "mood_day").started(75.375)
    book.patient("iop").referred(3).joined(3)
    book.patient("iop").joined(3, origin="ward").admitted(3, "mood_day").started(4.375)  # nobody's referral
    book.patient("ward", source="emergency").referred(3).joined(3).admitted(4).started(4)
    book.patient("ward", source="emergency").referred(3).joined(3)
    book.session(2.375, "mood_day", {came: True, missed: False})
    book.session(75.375, "mood_day", {late: True})
    found = figures(book.window())
    assert found["community.conversion.share"] == 2 / 4
    assert found["emergency.conversion.share"] == 1 / 2


# Counts over time


def test_counts_are_clipped_at_the_edges_of_the_window(book: Book) -> None:
    book.patient("iop").joined(-10).admitted(5).started(7).completed(27)  # waits 5, in care 20 days inside
    book.patient("iop", track="sud").joined(60).admitted(65).started(66)  # waits 5, in care 4, and goes on
    book.patient("iop", track="sud").joined(63).admitted(90).started(90)  # waits 7 inside
    book.patient("iop").joined(-20).admitted(-19).started(-18).completed(-1)  # all before
    book.patient("iop").joined(70).admitted(71).started(72)  # all after
    found = figures(book.window())
    assert found["iop.waitlist.mean"] == pytest.approx((5 + 5 + 7) / DAYS)
    assert found["iop.sud.waitlist.mean"] == pytest.approx((5 + 7) / DAYS)
    assert found["iop.census.mean"] == pytest.approx((20 + 4) / DAYS)
    assert found["iop.admitted_not_started.mean"] == pytest.approx((2 + 1) / DAYS)
    assert (found["iop.waitlist.max"], found["iop.census.max"]) == (2, 1)
    assert (found["iop.mood.waitlist.max"], found["iop.sud.waitlist.max"]) == (1, 2)


def test_littles_law_holds_exactly_in_the_window(book: Book) -> None:
    chance = np.random.default_rng(2)
    joins = chance.uniform(-28, HORIZON, 300)
    waits = chance.exponential(9, 300)
    for join, wait in zip(joins.tolist(), waits.tolist(), strict=True):
        book.patient("iop").joined(join).admitted(join + wait)
    inside = np.clip(joins + waits, 0, DAYS) - np.clip(joins, 0, DAYS)
    found = figures(book.window())
    assert found["iop.waitlist.mean"] * DAYS == pytest.approx(inside.sum(), rel=0, abs=1e-9)
    window = book.window()
    begin, end, _ = window.intervals("waiting")
    times, deltas = np.concatenate((begin, end)), np.repeat((1.0, -1.0), len(begin))
    assert window.integral(times, deltas, 0, DAYS) == pytest.approx(inside.sum(), rel=0, abs=1e-9)
    weekly = window.weekly_mean("waiting", window.in_level("iop"), 0, WEEKS)
    assert weekly.mean() == pytest.approx(found["iop.waitlist.mean"], rel=0, abs=1e-9)


def test_the_most_at_one_instant_is_read_after_all_that_happens_then(book: Book) -> None:
    book.patient("ward").joined(3).admitted(3).started(3).completed(9)
    book.patient("ward").joined(9).admitted(9).started(9).completed(12)  # takes the place just left
    book.patient("ward").joined(-3).admitted(-3).started(-3).completed(0)  # gone at the first instant
    book.patient("ward").joined(-3).admitted(-3).started(-3).completed(2)
    found = figures(book.window())
    assert found["ward.census.max"] == 1
    assert found["ward.waitlist.max"] == 0


def test_weekly_means_reach_into_the_warm_up(book: Book) -> None:
    book.patient("ward").joined(-10).admitted(-10).started(-10).completed(3.5)
    window = book.window()
    weeks = window.weekly_mean("in_care", window.in_level("ward"), -2, 2)
    assert weeks == pytest.approx([3 / 7, 1, 0.5, 0])


def test_utilization_counts_held_places(book: Book) -> None:
    book.patient("ward").joined(0).admitted(0).started(0).completed(10, to="iop", released=14)
    book.patient("ward", track="sud").joined(56).admitted(56).started(56)
    assert figures(book.window())["ward.utilization.mean"] == pytest.approx((14 + 14) / (2 * DAYS))


def test_places_by_track_have_a_utilization_each() -> None:
    level = {"places": {"mood": 3, "sud": 1}, "stay_days": {"constant": 7}}
    sources = {"door": {"to": "unit", "per_week": 1}}
    book = Book(scenario(levels={"unit": level}, sources=sources, staff={}))
    book.patient("unit", track="mood").joined(0).admitted(0).started(0).completed(42)
    book.patient("unit", track="sud").joined(0).admitted(0).started(0).completed(35)
    found = figures(book.window())
    assert found["unit.mood.utilization.mean"] == pytest.approx(42 / (3 * DAYS))
    assert found["unit.sud.utilization.mean"] == pytest.approx(35 / DAYS)
    assert found["unit.utilization.mean"] == pytest.approx(77 / (4 * DAYS))


def test_caseload_utilization_is_patients_over_limits(book: Book) -> None:
    book.patient("iop").joined(0).admitted(0, post=0).started(2).completed(20, to="ward", released=30)
    book.patient("iop").joined(0).admitted(60, post=1).started(61)
    book.patient("ward").joined(0).admitted(0).started(0)  # nobody's patient
    found = figures(book.window())
    assert found["therapist.caseload_utilization.mean"] == pytest.approx((30 + 10) / (2 * 5 * DAYS))


# How care ends


def test_ways_to_end_care_sum_to_one(book: Book) -> None:
    def start(time: float, track: str = "mood", attends: bool = True) -> object:
        stay = book.patient("iop", track=track).joined(time).admitted(time, "mood_day").started(time)
        book.session(time, "mood_day", {stay: attends})
        return stay

    start(1).completed(57)
    start(2).completed(58, to="ward", released=60)
    start(3, "sud").dropped_out(9)
    start(4, "sud").discharged(12)
    start(5).suspended(9, to="ward").stepped_up(12, to="ward")
    start(6).left(9)
    start(7, attends=False).dropped_out(8)
    start(8, attends=False).discharged(15)
    start(69)
    start(10, "sud", attends=False)  # never attended, but still in care
    start(-1).dropped_out(9)  # started before the window
    start(70).dropped_out(80)  # and after it
    found = figures(book.window())
    ways = ("completed", "dropped_out", "discharged", "stepped_up", "left", "never_started", "still_in_care")
    expected = dict(zip(ways, (2, 1, 1, 1, 1, 2, 2), strict=True))
    assert {way: found[f"iop.{way}.share"] * 10 for way in ways} == pytest.approx(expected)
    for stem in ("iop", "iop.mood", "iop.sud"):
        assert sum(found[f"{stem}.{way}.share"] for way in ways) == pytest.approx(1, abs=1e-12)
    assert found["iop.sud.dropped_out.share"] == pytest.approx(1 / 3)
    stays = (56, 56, 6, 8, 7, 3, 1, 7)
    assert found["iop.stay_days.mean"] == pytest.approx(sum(stays) / len(stays))


def test_in_places_nobody_is_counted_as_never_started(book: Book) -> None:
    book.patient("ward").joined(1).admitted(1).started(1).completed(11)
    found = figures(book.window())
    assert found["ward.completed.share"] == 1
    assert "ward.never_started.share" not in found


# Held places


def test_held_days_are_counted_in_the_window_and_per_patient_who_gets_ready_there(book: Book) -> None:
    ward = [book.patient("ward").joined(0).admitted(0).started(0) for _ in range(6)]
    ward[0].completed(10, to="iop", released=14)  # ready, holds 4
    ward[1].completed(66, to="iop", released=80)  # ready, holds 14 of which 4 inside
    ward[2].completed(20, to="iop")  # ready, holds 0
    ward[3].completed(30)  # goes home: not ready
    ward[4].completed(69, to="iop", released=NEVER)  # ready, holds until the run ends at 98
    ward[5].completed(75, to="iop", released=78)  # ready after the window
    early = book.patient("ward").joined(-20).admitted(-20).started(-20)
    early.completed(-5, to="iop", released=3)  # ready before it, 3 days inside
    found = figures(book.window())
    assert found["ward.held_days.total"] == pytest.approx(4 + 4 + 1 + 3)
    assert found["ward.held.mean"] == pytest.approx(12 / DAYS)
    assert found["ward.held_days.per_patient"] == pytest.approx((4 + 14 + 0 + 29) / 4)


def test_waiting_for_a_higher_level_holds_the_place_each_time(book: Book) -> None:
    iop = [book.patient("iop").joined(0).admitted(0, "mood_day").started(0) for _ in range(4)]
    iop[0].suspended(5, to="ward").stepped_up(8, to="ward")  # 3
    iop[1].suspended(5, to="ward").resumed(11).completed(30, to="ward", released=32)  # 6 and then 2
    iop[2].stepped_up(9, to="ward")  # at once: 0
    iop[3].suspended(7, to="ward").left(9)  # 2
    found = figures(book.window())
    assert found["iop.held_days.total"] == pytest.approx(3 + 6 + 2 + 2)
    assert found["iop.held_days.per_patient"] == pytest.approx((3 + 6 + 2 + 0 + 2) / 5)
    assert found["iop.census.mean"] == pytest.approx((5 + (5 + 19) + 9 + 7) / DAYS)


# What holds people back


def test_waiting_days_are_shared_out_to_what_was_missing(book: Book) -> None:
    book.patient("iop", kind=0).joined(-5).admitted(10)
    book.patient("iop", kind=0).joined(5).reneged(20)
    book.patient("iop", kind=1).joined(50)
    book.patient("ward", kind=0).joined(0).admitted(30)
    book.blocked(-5, "iop", Missing.SEAT)  # kind 0: 8 days of one and 3 of two until 8
    book.blocked(8, "iop", Missing.SEAT | Missing.CASELOAD)  # 2 days of two, 2 of one until 12
    book.blocked(12, "iop", Missing.CASELOAD)  # 8 days of one
    book.blocked(50, "iop", Missing.CASELOAD, kind=1)  # 4 days
    book.blocked(54, "iop", Missing.ORDER, kind=1)  # 6 days
    book.blocked(60, "iop", Missing.NOTHING, kind=1)  # 10 days that nothing explains
    book.blocked(0, "ward", Missing.SEAT)
    found = figures(book.window())
    waiting = 10 + 15 + 20
    assert found["iop.waitlist.mean"] * DAYS == pytest.approx(waiting)
    assert found["iop.held_back_by.seat.share"] == pytest.approx((8 + 3) / waiting)
    assert found["iop.held_back_by.seat_and_therapist.share"] == pytest.approx((2 * 2 + 2) / waiting)
    assert found["iop.held_back_by.therapist.share"] == pytest.approx((8 + 4) / waiting)
    assert found["iop.held_back_by.order.share"] == pytest.approx(6 / waiting)
    assert found["ward.held_back_by.seat.share"] == 1


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
    window = book.window()
    days = [naive_days(start, begin, end, per_week, set(closed)) for begin, end in spans]
    inside = [[day for day in stay if 0 <= day < DAYS] for stay in days]
    assert window.attended_day_count("unit") == pytest.approx([0.8 * len(stay) for stay in inside])
    assert window.attended_day_count("unit", -28, HORIZON) == pytest.approx(
        [0.8 * len(stay) for stay in days]
    )
    rows = window.attended_days("unit")
    found = sorted(zip(rows.stay.tolist(), rows.day.tolist(), strict=True))
    assert found == [(number, day) for number, stay in enumerate(inside) for day in stay]
    assert set(rows.weight) == {0.8}
    if per_week is None:
        assert window.calendar_day_count("unit", "in_care") == pytest.approx([len(stay) for stay in inside])


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
    assert window.attended_day_count("unit").tolist() == [3, 1 + 2, 1]
    assert window.held_day_count("unit").tolist() == [2 + 3, 2, 0]
    held = window.held_days_rows("unit")
    assert held.day[held.stay == 0].tolist() == [8, 9, 14, 15, 16]
    # calendar days: Thu … Mon, then Tue … Wed of the week after
    assert window.calendar_day_count("unit", "in_care").tolist() == [5, 1 + 6, 1]
    assert window.calendar_day_count("unit", "held").tolist() == [9, 2, 0]


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
    assert window.attended_day_count("iop").tolist() == [2, 1]
    assert window.attended_day_count("iop", -28, HORIZON).tolist() == [4, 1]
    assert window.attended_day_count("ward").tolist() == [0, 0]
    rows = window.attended_days("iop")
    assert sorted(zip(rows.stay.tolist(), rows.day.tolist(), rows.weight.tolist(), strict=True)) == [
        (0, 0, 1.0),
        (0, 2, 1.0),
        (1, 2, 1.0),
    ]


def test_held_days_of_groups_are_meetings_on_the_weekdays_of_the_seat(book: Book) -> None:
    stay = book.patient("iop").joined(0).admitted(0, "mood_day", days=("mon", "fri")).started(0)
    stay.completed(4.5, to="ward", released=12)
    for day in (0, 2, 4, 7, 9, 11, 14):
        book.session(day + 0.375, "mood_day")
    # held from Friday noon to the second Saturday: Monday and Friday of week 2, not Wednesday
    assert book.window().held_day_count("iop").tolist() == [2]
    assert book.window().held_days_rows("iop").day.tolist() == [7, 11]


def test_attendance_of_places_may_vary_by_track() -> None:
    level = {
        "stay_days": {"constant": 9},
        "attendance": {"mean": 0.8},
        "by": {"track": {"sud": {"attendance": {"mean": 0.5}}}},
    }
    book = Book(scenario(levels={"unit": level}, sources={"door": {"to": "unit", "per_week": 1}}, staff={}))
    for track in ("mood", "sud"):
        book.patient("unit", track=track).joined(0).admitted(0).started(0).completed(10)
    assert book.window().attended_day_count("unit") == pytest.approx([8, 5])


# Which metrics there are


def test_what_cannot_happen_has_no_metric() -> None:
    plain = {"stay_days": {"constant": 9}}
    bare = scenario(
        levels={"unit": plain}, sources={"door": {"to": "unit", "per_week": 1}}, staff={}, tracks={"all": {}}
    )
    stems = {entry.stem for entry in bound(bare)}
    assert {"unit.census", "unit.completed", "unit.referrals", "door.conversion"} <= stems
    absent = (
        "reneged lost.refused waitlist wait_days utilization held seat_utilization dropped_out stepped_up"
    )
    assert stems.isdisjoint(f"unit.{name}" for name in absent.split())
    assert not any("held_back_by" in stem or ".all." in stem for stem in stems)
    full = {entry.stem for entry in bound(scenario())}
    assert {f"iop.{name}" for name in absent.split()} <= full
    held_back = {stem for stem in full if "held_back_by" in stem}
    assert held_back == {
        "ward.held_back_by.seat",
        *(f"iop.held_back_by.{name}" for name in ("seat", "therapist", "seat_and_therapist", "order")),
    }


def test_an_empty_ledger_has_every_metric() -> None:
    spec = scenario()
    found = figures(Book(spec).window())
    assert found["iop.waitlist.mean"] == found["iop.waitlist.max"] == found["iop.referrals.total"] == 0
    assert np.isnan(found["iop.completed.share"])
    assert np.isnan(found["iop.wait_days.mean"])


def test_names_are_known_without_numpy() -> None:
    code = "import sys, iopsim.measures.flow, iopsim.measures.groups; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
