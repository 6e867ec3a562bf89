"""What a window sees of a ledger: facts side by side, time spent in each way, and counts over time."""

from __future__ import annotations

import numpy as np
import pytest

from iopsim.measures.window import Kind, Window
from iopsim.model.ledger import Fact, Stage
from tests.unit.ledgers import Book
from tests.unit.measured import DAYS, HORIZON, NEVER, WEEKS, cut_off, figures, scenario


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
    assert (stays.group[0], stays.weekdays[0]) == (1, 0b10)
    assert (stays.track[0], stays.source[0], stays.origin[0]) == (1, 0, 0)
    assert np.isnan([stays.referred[1], stays.admitted[1], stays.ended[1], stays.refused[1]]).all()
    assert (stays.patient[1], stays.level[1], stays.reneged[1]) == (0, 0, 40)
    assert (stays.end_fact[1], stays.destination[1], stays.group[1], stays.gets(0)[1]) == (-1, -1, -1, False)
    assert stays.origin[1] == book.origins.index("iop")
    assert bob.number == 1


def test_facts_of_access_stand_side_by_side(book: Book) -> None:
    ann = (
        book.patient("iop").referred(0).contacted(1).booked(1, lead_days=2).no_show(3).booked(3, lead_days=6)
    )
    ann.assessed(9).joined(9.5).accepted(20, kind=3).authorized(12).ready(13).admitted(21, "mood_day")
    book.patient("iop").sent(4, origin="ward").booked(5).lost(6, Stage.ASSESSMENT, to="ward")
    book.patient("iop").joined(7, origin="returned").denied(9, to="ward")
    cut_off(book.patient("iop").joined(7).admitted(8).started(9), 30)
    stays = book.window().stays
    assert (stays.contacted[0], stays.booked[0], stays.assessed[0], stays.joined[0]) == (1, 1, 9, 9.5)
    assert (stays.ready[0], stays.authorized[0], stays.answered[0], stays.accepted[0]) == (13, 12, 12, 20)
    assert (stays.accepted_kind.tolist(), stays.lost_at.tolist()) == (
        [3, -1, -1, -1],
        [-1, Stage.ASSESSMENT, -1, -1],
    )
    assert (stays.sent[1], stays.applied[1], stays.lost[1], stays.destination[1]) == (4, 4, 6, 0)
    assert (stays.applied[0], stays.denied[2], stays.answered[2], stays.destination[2]) == (0, 9, 9, 0)
    assert np.isnan(
        [stays.sent[0], stays.joined[1], stays.applied[2], stays.lost[2], stays.answered[3]]
    ).all()
    origins = [book.origins.index(name) for name in ("community", "ward", "returned", "community")]
    assert stays.origin.tolist() == origins
    assert stays.is_cut.tolist() == [False, False, False, True]


def test_a_stay_applies_has_an_appointment_ahead_and_waits(book: Book) -> None:
    book.patient("iop").referred(0).contacted(1).booked(1, 2).no_show(3).booked(3, 6).assessed(9).joined(
        9.5
    ).admitted(11)
    book.patient("iop").sent(4, origin="ward").booked(5).lost(6, Stage.INTAKE)
    book.patient("iop").referred(8).booked(9).withdrawn(10)  # by a return elsewhere
    book.patient("iop").referred(12).joined(12).denied(15)  # no stages
    book.patient("iop").referred(20).booked(21)
    window = book.window()

    def timeline(kind: Kind) -> list[tuple[float, float, int]]:
        return sorted(zip(*(column.tolist() for column in window.intervals(kind)), strict=True))

    assert timeline("applying") == [(0, 9.5, 0), (4, 6, 1), (8, 10, 2), (20, NEVER, 4)]
    assert timeline("intake") == [(1, 9, 0), (5, 6, 1), (9, 10, 2), (21, NEVER, 4)]
    assert timeline("waiting") == [(9.5, 11, 0), (12, 15, 3)]


def test_a_stay_is_waiting_admitted_in_care_held_and_nothing_twice(book: Book) -> None:
    book.patient("iop").joined(1).admitted(3).started(5).suspended(8, to="ward").resumed(10).completed(
        20, to="ward", released=26
    )
    book.patient("iop").joined(2).admitted(4).started(6).suspended(9, to="ward").stepped_up(12, to="ward")
    book.patient("iop").joined(2)
    window = book.window()

    def timeline(kind: Kind) -> list[tuple[float, float, int]]:
        return sorted(zip(*(column.tolist() for column in window.intervals(kind)), strict=True))

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
    weekly = window.weekly_mean("waiting", "iop", 0, WEEKS)
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
    weeks = window.weekly_mean("in_care", "ward", -2, 2)
    assert weeks == pytest.approx([3 / 7, 1, 0.5, 0])
