"""Metrics of care, on hand-made timelines: every expected number is worked out in the test."""

from __future__ import annotations

import pytest

from tests.unit.ledgers import Book, Stay
from tests.unit.measured import DAYS, NEVER, cut_off, figures, scenario


@pytest.fixture
def book() -> Book:
    return Book(scenario())


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


def test_discharged_by_the_payer_is_part_of_discharged() -> None:
    review = {"units": 10, "review": {"cut": 0.1}}
    book = Book(scenario(payers={"plan": {"authorization": {"levels": ["iop"], **review}}, "self": {}}))

    def treated(time: float = 1, track: str = "mood", attends: bool = True) -> Stay:
        stay = book.patient("iop", track=track).joined(time).admitted(time, "mood_day").started(time)
        book.session(time, "mood_day", {stay: attends})
        return stay

    cut_off(treated().asked(20, 10).cut(22), 25)
    treated().asked(20, 10).cut(22).completed(23)  # the units lasted until the end of the plan
    treated(track="sud").discharged(9)
    cut_off(treated(attends=False).cut(9), 10)  # never came: counted there only
    cut_off(treated(-1).cut(9), 10)  # not of this window
    found = figures(book.window())
    assert found["iop.discharged.share"] == 2 / 4
    assert found["iop.authorization_cut.share"] == 1 / 4
    assert (found["iop.mood.authorization_cut.share"], found["iop.sud.authorization_cut.share"]) == (1 / 3, 0)
    assert found["iop.completed.share"] == found["iop.never_started.share"] == 1 / 4


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
