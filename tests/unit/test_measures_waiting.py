"""What holds people back, on hand-made timelines: every expected number is worked out in the test."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from iopsim.measures.waiting import held_back_days
from iopsim.measures.window import Window
from iopsim.model.clinic import simulate
from iopsim.model.ledger import Missing, Stage
from iopsim.scenario.schema import Scenario
from tests.unit.ledgers import Book, Stay
from tests.unit.measured import DAYS, NEVER, figures, scenario


@pytest.fixture
def book() -> Book:
    return Book(scenario())


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


GATE = {
    "levels": ["iop"],
    "role": "doctor",
    "per": "admission",
    "minutes": 60,
    "due_days": 7,
    "limits": "admission",
}


def gated(**changes: object) -> Scenario:
    """The clinic with everything that may hold somebody back from the IOP."""
    plain = scenario().model_dump(by_alias=True, exclude_unset=True)
    ward = plain["levels"]["ward"] | {"refer_before_days": 5}
    iop = plain["levels"]["iop"] | {"intake": {"role": "doctor", "minutes": 60}}
    iop["waitlist"] |= {"accept_other_time_after_days": 9}
    staff = {"therapist": {"posts": 2, "caseload": 5}, "doctor": {"posts": 1}}
    payers = {"plan": {"authorization": {"levels": ["iop"]}}, "self": {}}
    more = {
        "levels": {"ward": ward, "iop": iop},
        "staff": staff,
        "payers": payers,
        "services": {"visit": GATE},
    }
    return scenario(**more | changes)


def shares(book: Book, level: str = "iop") -> dict[str, float]:
    """What held people back, without what never did."""
    prefix = f"{level}.held_back_by."
    found = figures(book.window())
    return {
        name.removeprefix(prefix).removesuffix(".share"): share
        for name, share in found.items()
        if name.startswith(prefix) and share
    }


def test_until_the_payer_answers_authorization_is_missing_beside_what_the_kind_lacks() -> None:
    book = Book(gated())
    book.patient("iop").joined(0).authorized(6).admitted(20)
    book.patient("iop", payer="self").joined(0).admitted(20)
    book.patient("iop").joined(12).denied(16)
    book.patient("iop", kind=1).joined(30).authorized(38).admitted(
        38
    )  # kind 1 never lacks anything of its own
    book.blocked(0, "iop", Missing.ORDER)
    book.blocked(2, "iop", Missing.SEAT | Missing.CASELOAD)
    book.blocked(10, "iop", Missing.HOURS)
    found = shares(book)
    waiting = 20 + 20 + 4 + 8
    assert found == pytest.approx(
        {
            "authorization": (2 + 8)
            / waiting,  # the first two days the head of the list would do but for this
            "order": 2 / waiting,
            "seat_and_therapist_and_authorization": 4 / waiting,
            "seat_and_therapist": (4 + 8) / waiting,
            "doctor": (10 + 10) / waiting,
            "doctor_and_authorization": 4 / waiting,
        }
    )
    assert sum(found.values()) == pytest.approx(1)


def test_who_accepts_another_time_is_of_another_kind_from_then_on() -> None:
    book = Book(gated())
    book.patient("iop", payer="self", kind=1).joined(0).accepted(9, kind=0).admitted(15)
    book.patient("iop", kind=1).joined(0).accepted(9, kind=0).authorized(11).admitted(15)
    book.blocked(0, "iop", Missing.SEAT, kind=0)
    book.blocked(12, "iop", Missing.CASELOAD, kind=0)
    book.blocked(0, "iop", Missing.SEAT | Missing.CASELOAD, kind=1)
    assert shares(book) == pytest.approx(
        {
            "seat_and_therapist": 9 / 30,
            "seat": (3 + 1) / 30,
            "therapist": (3 + 3) / 30,
            "seat_and_therapist_and_authorization": 9 / 30,
            "seat_and_authorization": 2 / 30,
        }
    )


def test_while_treatment_goes_on_before_nothing_else_counts() -> None:
    book = Book(gated())
    book.blocked(-9, "iop", Missing.SEAT)

    def early(joined: float, **ward: float) -> Stay:
        """Joins the IOP while in the ward, since day −20 unless it says."""
        start = ward.get("started", -20)
        here = book.patient("ward", source="emergency").joined(start).admitted(start).started(start)
        if "ended" in ward:
            here.completed(ward["ended"], to="iop", released=ward.get("released"))
        return book.again(here.patient, "iop").joined(joined, origin="ward")

    early(0, ended=5).ready(5).authorized(3).admitted(7)  # 5 of treatment, 2 of seat
    early(10, ended=15).authorized(20).ready(15).admitted(
        21
    )  # 5, then 5 of seat and authorization, 1 of seat
    early(30, ended=39).refused(34)  # 4: not to be had any more, treatment goes on
    early(60)  # 10: in treatment to the end
    early(50, ended=50, released=55).authorized(50).admitted(55)  # not early: 5 of seat
    early(40, started=44, ended=48).reneged(
        41, to="ward"
    )  # in the ward only later: 1 of seat and authorization
    suspended = (
        book.patient("ward", source="emergency").joined(1).admitted(1).started(1).suspended(20, to="iop")
    )
    book.again(suspended.patient, "iop").joined(20, origin="ward").authorized(20).withdrawn(23)  # 3 of seat
    suspended.resumed(23)
    waiting = 7 + 11 + 4 + 10 + 5 + 1 + 3
    found = shares(book)
    assert found == pytest.approx(
        {
            "treatment": (5 + 5 + 4 + 10) / waiting,
            "seat": (2 + 1 + 5 + 3) / waiting,
            "seat_and_authorization": (5 + 1) / waiting,
        }
    )
    assert sum(found.values()) == pytest.approx(1)


def test_an_appointment_ahead_holds_back_too() -> None:
    book = Book(gated())
    book.blocked(0, "iop", Missing.SEAT)
    book.patient("iop", payer="self").referred(-9).booked(-6, 12).assessed(6.5).joined(6.5).admitted(8.5)
    book.patient("iop").referred(1).booked(2, 3).no_show(5).booked(5, 4).no_show(9).lost(9, Stage.INTAKE)
    book.patient("iop").referred(60).booked(64, 9)
    waiting = 6.5 + 2 + 7 + 6
    assert shares(book) == pytest.approx({"intake": (6.5 + 7 + 6) / waiting, "seat": 2 / waiting})
    assert figures(book.window())["iop.waitlist.mean"] == pytest.approx(2 / DAYS)


def test_one_role_that_carries_patients_and_sees_them_first_has_one_name() -> None:
    book = Book(gated(services={"visit": GATE | {"role": "therapist"}}))
    book.patient("iop", payer="self").joined(0).admitted(12)
    book.blocked(0, "iop", Missing.CASELOAD)
    book.blocked(3, "iop", Missing.HOURS)
    book.blocked(7, "iop", Missing.CASELOAD | Missing.HOURS)
    book.blocked(8, "iop", Missing.SEAT | Missing.HOURS)
    assert shares(book) == pytest.approx({"therapist": 8 / 12, "seat_and_therapist": 4 / 12})


def naive_days(
    book: Book, stays: list[dict[str, float]], noted: list[tuple[float, int, Missing]]
) -> dict[str, float]:
    """Share of the waiting days by what was missing, looked up in the middle of each stretch between two changes."""
    words = {Missing.SEAT: "seat", Missing.CASELOAD: "therapist", Missing.HOURS: "doctor"}
    days: dict[str, float] = {}
    for stay in stays:
        cuts = {0.0, DAYS, *stay.values(), *(time for time, _, _ in noted)}
        edges = sorted(min(max(cut, 0.0), DAYS) for cut in cuts)
        for begin, end in itertools.pairwise(edges):
            now = (begin + end) / 2
            if not stay["joined"] < now < stay["until"]:
                continue
            kind = 1 if now > stay["accepted"] else 0
            missing = [bits for time, number, bits in noted if number == kind and time < now][-1]
            parts = [word for bit, word in words.items() if bit in missing]
            if now < stay["authorized"]:
                parts.append("authorization")
            name = "treatment" if now < stay["ready"] else "_and_".join(parts) or "order"
            days[name] = days.get(name, 0.0) + end - begin
    return {name: part / sum(days.values()) for name, part in days.items()}


def test_all_that_may_be_missing_together_sums_to_one() -> None:
    book, chance = Book(gated()), np.random.default_rng(5)
    lacking = [Missing(bits) for bits in range(1, 8)] + [Missing.ORDER]
    noted = [
        (float(time), kind, Missing(int(chance.choice(lacking))))
        for kind in (0, 1)
        for time in (-9, *range(2, 95, 3))
    ]
    for time, kind, missing in noted:
        book.blocked(time, "iop", missing, kind)
    stays = []
    for joined, *waits in zip(chance.uniform(-9, 80, 200), *chance.exponential(9, (4, 200)), strict=True):
        until, ready, authorized, accepted = (float(joined + wait) for wait in waits)
        stay = book.patient("iop").joined(joined).admitted(until)
        facts = {"ready": ready, "authorized": authorized, "accepted": accepted}
        known = {name: time if time < until else NEVER for name, time in facts.items()}
        if known["ready"] == NEVER:
            known["ready"] = joined  # who is admitted was in treatment no more
        else:
            stay.ready(ready)
        if known["authorized"] < NEVER:
            stay.authorized(authorized)
        if known["accepted"] < NEVER:
            stay.accepted(accepted, kind=1)
        stays.append({"joined": float(joined), "until": until, **known})
    found = shares(book)
    assert found == pytest.approx(naive_days(book, stays, noted))
    assert len(found) > 12
    assert sum(found.values()) == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize("discipline", ["strict", "first_feasible"])
def test_whatever_the_model_lets_people_wait_for_has_a_name(discipline: str) -> None:
    plain = gated().model_dump(by_alias=True, exclude_unset=True)
    plain["levels"]["iop"]["waitlist"]["discipline"] = discipline
    asked = {"levels": ["iop"], "delay_days": {"exponential": {"mean": 6}}, "denied": 0.1}
    crowd = {"payers": {"plan": 0.6, "self": 0.4}, "times": {"day": 0.5, "evening": 0.2, "either": 0.3}}
    busy = {"posts": 1, "fte": 0.3}  # two appointments a day
    spec = Scenario.model_validate(
        plain
        | {
            "payers": {"plan": {"authorization": asked}, "self": {}},
            "sources": {name: source | crowd for name, source in plain["sources"].items()},
            "staff": {"therapist": {"posts": 2, "caseload": 5, "turnover_per_year": 2}, "doctor": busy},
        }
    )
    window = Window(spec, simulate(spec, 1))
    for level in ("ward", "iop"):
        days = held_back_days(window, level)
        assert days.in_all > 100
        assert sum(days.by_set.values()) == pytest.approx(days.in_all, rel=1e-9)
    often = {name for name, part in days.by_set.items() if part > 0.001 * days.in_all}
    assert often >= {"intake", "treatment", "authorization", "seat", "seat_and_authorization"}
    assert ("order" in often) is (discipline == "strict")
