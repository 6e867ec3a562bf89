"""Profiles for figures and sentences, on hand-made timelines."""

from __future__ import annotations

from iopsim.measures.series import funnel_steps, profiles
from iopsim.scenario.schema import Scenario
from tests.unit.ledgers import Book
from tests.unit.measured import scenario

IOP = {"stay_days": 56, "groups": {"daily": {"days": ["mon", "wed"], "seats": 4}}}
CONTACT = {"share": 0.8}
INTAKE = {"role": "intake", "minutes": 60, "for": ["community", "ward"]}


def clinic(**level: object) -> Scenario:
    ward = {"stay_days": 10, "next": {"iop": 1}, "cost_per_day": 900}
    staff = {"intake": {"posts": 1}}
    return scenario(levels={"ward": ward, "iop": IOP | level}, staff=staff)


def test_classes_count_who_joined_and_started_by_where_they_come_from() -> None:
    book = Book(clinic(waitlist={"priority": {"ward": 1, "community": 2}}))
    book.patient("iop").referred(1).joined(1).aged(9, into=1).admitted(12, "daily").started(14)
    book.patient("iop").referred(2).joined(2).reneged(9)
    book.patient("iop").joined(3, origin="ward").admitted(3, "daily").started(75)
    book.patient("iop").joined(3, origin="returned")
    book.patient("iop").referred(-1).joined(-1).admitted(3, "daily").started(7)  # joined before
    book.patient("ward", source="emergency").referred(1).joined(1).admitted(1).started(
        1
    )  # a level without classes
    found = profiles(book.window())
    assert book.origins == ("community", "emergency", "ward", "iop", "returned")
    assert found["classes.iop"] == [2, 1, 0, 0, 1, 1, 0, 0, 1, 0]
    assert "classes.ward" not in found


def test_a_funnel_without_stages_begins_with_joining() -> None:
    book = Book(clinic())
    assert funnel_steps(book.scenario, "iop") == ["joined", "admitted", "started", "attended", "completed"]
    came = book.patient("iop").referred(1).joined(1).admitted(2, "daily").started(7).completed(60)
    missed = book.patient("iop").referred(1).joined(1).admitted(2, "daily").started(7).dropped_out(9)
    book.patient("iop").referred(1).joined(1).admitted(2, "daily").left(5)
    book.patient("iop").joined(1, origin="ward").reneged(3)
    book.patient("iop").referred(-1).joined(-1).admitted(2, "daily").started(7)
    book.session(7.375, "daily", {came: True, missed: False})
    assert profiles(book.window())["funnel.iop"] == [4, 3, 2, 1, 1]


def test_a_funnel_with_stages_begins_with_the_referral_and_who_skips_one_has_passed_it() -> None:
    book = Book(clinic(contact=CONTACT, intake=INTAKE))
    steps = ["referred", "contacted", "assessed", "joined", "admitted", "started", "attended", "completed"]
    assert funnel_steps(book.scenario, "iop") == steps
    book.patient("iop").referred(1)
    book.patient("iop").referred(1).contacted(2)
    book.patient("iop").referred(1).contacted(2).booked(2).assessed(4)
    came = (
        book.patient("iop")
        .referred(1)
        .contacted(2)
        .booked(2)
        .assessed(4)
        .joined(4)
        .admitted(5, "daily")
        .started(7)
    )
    came.completed(60)
    book.patient("iop").sent(1, origin="ward").booked(1)  # not called, as those from a level are not
    book.patient("iop").sent(1, origin="ward").booked(1).assessed(2).joined(2)
    book.patient("iop").joined(3, origin="returned").admitted(5, "daily")  # past all stages
    book.patient("iop").referred(-1).contacted(1).booked(1).assessed(2).joined(
        2
    )  # referred before the window
    book.patient("iop").joined(71, origin="returned")  # after it
    book.session(7.375, "daily", {came: True})
    assert profiles(book.window())["funnel.iop"] == [7, 6, 4, 3, 2, 1, 1, 1]


def test_a_funnel_has_the_stages_that_somebody_passes() -> None:
    of_nobody = clinic(contact=CONTACT | {"for": ["emergency"]}, intake=INTAKE)
    assert funnel_steps(of_nobody, "iop")[:3] == ["referred", "assessed", "joined"]
    assert funnel_steps(clinic(eligible={"share": 0.9}), "iop")[:2] == ["referred", "joined"]
