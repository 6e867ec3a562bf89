"""What each attended day earns, and why it earns nothing: rows of the accounts worked out by hand (model.md §9)."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from iopsim.measures.accounts import Payment, claims
from iopsim.measures.books import weekly_revenue
from iopsim.measures.registry import bound
from iopsim.model.ledger import Fact
from iopsim.scenario.schema import Scenario
from tests.unit.ledgers import Book, Stay
from tests.unit.measured import figures

NINE = 9 / 24
START = dt.date(2027, 1, 4)
TIERS = [{"from_services": 1, "pay": 50}, {"from_services": 4, "pay": 80}]
MON_WED_FRI = ("mon", "wed", "fri")


def scenario(pay: Any = 100, billing: dict[str, Any] | None = None, **changed: Any) -> Scenario:
    """An own level in groups of three hours or of 90 minutes, and one in places; `public` pays, `nobodys` does not."""
    meets = {"days": MON_WED_FRI, "seats": 9}
    tree = {
        "run": {"start": START, "warm_up_weeks": 1, "weeks": 2, "run_out_weeks": 1},
        "payers": {"public": {}, "nobodys": {}},
        "sources": {"door": {"to": "care", "per_week": 5, "payers": {"public": 0.5, "nobodys": 0.5}}},
        "levels": {
            "care": {
                "phases": [{"weeks": 2, "days_per_week": 3}, {"weeks": 2, "days_per_week": 1}],
                "hours_per_week_at_least": 4.5,
                "groups": {"long": {"hours": 3, **meets}, "brief": {"hours": 1.5, "start": "13:00", **meets}},
            },
            "unit": {
                "stay_days": {"constant": 5},
                "days_per_week": 5,
                "hours_per_day": 4,
                "attendance": {"mean": 0.5},
            },
        },
        "staff": {"nurse": {"posts": 1}},
        "services": {
            "visit": {"levels": ["care", "unit"], "role": "nurse", "minutes": 30, "per": "admission"},
            "screen": {
                "levels": ["care"],
                "role": "nurse",
                "minutes": 60,
                "per": "admission",
                "within_group": True,
            },
            "notes": {"levels": ["care"], "role": "nurse", "per": "session", "indirect_minutes": 60},
        },
        "money": {"revenue": {"care": {"public": pay}, "unit": {"public": pay}}, "billing": billing or {}},
    }
    return Scenario.model_validate(tree | changed)


def patient(book: Book, level: str = "care", *services: str, payer: str = "public", day: float = 0) -> Stay:
    """Somebody who is admitted at 0:00 and starts at nine, in the long group where there are groups."""
    stay = book.patient(level, payer=payer).joined(day)
    stay.admitted(day, "long" if level == "care" else "", days=MON_WED_FRI if level == "care" else ())
    return stay.started(day + NINE, services)


def rows(book: Book) -> list[tuple[int, int, float, str]]:
    """Stay, day, amount billed and how each attended day is paid."""
    made = claims(book.window())
    payments = [Payment(payment).name for payment in made.payment]
    return list(zip(made.stay.tolist(), made.day.tolist(), made.billed.tolist(), payments, strict=True))


def test_a_day_earns_what_its_payer_pays_in_the_level() -> None:
    book = Book(scenario())
    ann, bob = patient(book), patient(book, payer="nobodys")
    book.session(NINE, "long", {ann: True, bob: True})
    book.session(2 + NINE, "long", {ann: False, bob: False})
    assert rows(book) == [(0, 0, 100, "WHOLE"), (1, 0, 0, "WHOLE")]


def test_services_of_the_day_reach_a_tier() -> None:
    book = Book(scenario(TIERS))
    ann = patient(book, "care", "visit", "screen")  # only the visit is a service beside the three hours
    bob = patient(book, "care", "screen")
    book.session(NINE, "long", {ann: True, bob: True})
    book.session(2 + NINE, "long", {ann: True})
    assert rows(book) == [(0, 0, 80, "WHOLE"), (0, 2, 50, "WHOLE"), (1, 0, 50, "WHOLE")]


def test_a_session_is_one_service_per_full_hour() -> None:
    book = Book(scenario([{"from_services": 1, "pay": 10}, {"from_services": 2, "pay": 20}]))
    ann = patient(book)
    book.session(13 / 24, "brief", {ann: True})
    assert rows(book) == [(0, 0, 10, "WHOLE")]


def test_two_sessions_of_a_day_are_one_day_with_all_their_services_booked_under_the_first() -> None:
    book = Book(scenario(TIERS))
    ann = patient(book)
    book.session(NINE, "long", {ann: True})
    book.session(13 / 24, "brief", {ann: True})
    assert rows(book) == [(0, 0, 80, "WHOLE")]
    assert claims(book.window()).session.tolist() == [0]


def test_a_day_below_the_first_tier_earns_nothing() -> None:
    book = Book(scenario([{"from_services": 4, "pay": 80}]))
    ann = patient(book)
    book.session(NINE, "long", {ann: True})
    assert rows(book) == [(0, 0, 0, "TOO_FEW")]
    assert figures(book.window())["care.unpaid_days.total"] == 1


def test_a_day_with_too_few_hours_earns_nothing() -> None:
    book = Book(scenario(billing={"hours_per_day_at_least": 3.5}))
    ann = patient(book, "care", "visit")  # three hours and 30 minutes on the first day
    for day in (0, 2):
        book.session(day + NINE, "long", {ann: True})
    assert rows(book) == [(0, 0, 100, "WHOLE"), (0, 2, 0, "SHORT")]
    found = figures(book.window())
    assert (found["care.short_days.total"], found["care.unpaid_days.total"]) == (1, 1)
    assert "care.uncovered_days.total" not in found


def test_of_several_reasons_not_to_pay_the_first_counts() -> None:
    book = Book(scenario([{"from_services": 4, "pay": 80}], {"hours_per_day_at_least": 4}))
    ann, bob, cat = patient(book), patient(book), patient(book, "care", "visit")
    ann.lapsed(0)
    book.session(NINE, "long", {ann: True, bob: True})
    book.session(2 + NINE, "long", {cat: True})
    book.session(2 + 13 / 24, "brief", {cat: True})
    cat.moved(3, "long", ("mon",))
    book.session(4 + NINE, "long", {cat: True})
    reasons = {(stay, day): reason for stay, day, _, reason in rows(book)}
    assert reasons == {(0, 0): "UNCOVERED", (1, 0): "SHORT", (2, 2): "WHOLE", (2, 4): "SHORT"}


def test_a_phase_below_the_weekly_hours_earns_the_amount_for_that() -> None:
    book = Book(scenario(billing={"below_minimum": 30}))
    ann, bob = patient(book), patient(book, payer="nobodys")
    taper = 4 + NINE  # one day a week from the last session of the phase before: that one is not of it
    for stay in (ann, bob):
        stay.moved(taper, "long", ("fri",))
    for day in (0, 4, 11):
        book.session(day + NINE, "long", {ann: True, bob: True})
    ann.moved(12, "brief", MON_WED_FRI)  # 4.5 hours again
    book.session(14 + NINE, "brief", {ann: True})
    assert rows(book) == [
        (0, 0, 100, "WHOLE"),
        (0, 4, 100, "WHOLE"),
        (0, 11, 30, "REDUCED"),
        (0, 14, 100, "WHOLE"),
        (1, 0, 0, "WHOLE"),
        (1, 4, 0, "WHOLE"),
        (1, 11, 0, "WHOLE"),  # who pays nothing pays nothing
    ]
    found = figures(book.window())
    assert found["care.below_minimum_days.total"] == 1
    assert found["program.revenue.total"] == 230


def test_a_level_of_places_below_its_weekly_hours_is_below_them_every_day() -> None:
    spec = scenario(billing={"below_minimum": 30}).model_dump(by_alias=True, exclude_unset=True)
    spec["levels"]["unit"]["hours_per_week_at_least"] = 21
    book = Book(Scenario.model_validate(spec))
    patient(book, "unit").completed(1.5)
    assert rows(book) == [(0, 0, 15, "REDUCED")]


def test_days_in_places_are_expected_days_of_so_many_hours() -> None:
    book = Book(scenario(TIERS, {"hours_per_day_at_least": 4.2}))
    patient(book, "unit", "visit").completed(2.5)
    assert rows(book) == [(0, 0, 40, "WHOLE"), (0, 1, 0, "SHORT")]
    assert claims(book.window()).weight.tolist() == [0.5, 0.5]


def test_in_places_that_say_no_hours_no_day_is_short_and_only_visits_are_services() -> None:
    spec = scenario(TIERS, {"hours_per_day_at_least": 24}).model_dump(by_alias=True, exclude_unset=True)
    del spec["levels"]["unit"]["hours_per_day"]
    book = Book(Scenario.model_validate(spec))
    patient(book, "unit", "visit").completed(2.5)
    assert rows(book) == [(0, 0, 25, "WHOLE"), (0, 1, 0, "TOO_FEW")]


def test_denied_claims_are_billed_and_not_paid() -> None:
    book = Book(scenario(billing={"claims_denied": 0.05}))
    ann = patient(book)
    for day in (0, 2, 14):  # the last one lies after the window
        book.session(day + NINE, "long", {ann: True})
    assert claims(book.window()).paid.tolist() == pytest.approx([95] * 3)
    found = figures(book.window())
    assert found["program.claims_denied.total"] == pytest.approx(10)
    assert found["program.revenue.total"] == pytest.approx(190)


def test_a_day_earns_by_the_plan_in_force_and_a_week_is_split_on_the_date() -> None:
    wednesday = START + dt.timedelta(days=2)
    changes = [
        {"from": wednesday, "set": {"money.revenue.care.public": TIERS, "money.billing.claims_denied": 0.1}},
        {"from": START + dt.timedelta(days=7), "set": {"money.billing.hours_per_day_at_least": 3.5}},
    ]
    book = Book(scenario(changes=changes))
    ann = patient(book, day=-7)
    for day in (-3, 0, 2, 4, 7, 14):
        book.session(day + NINE, "long", {ann: True})
    paid = claims(book.window()).paid.tolist()
    assert paid == pytest.approx([100, 100, 45, 45, 0, 0])
    assert weekly_revenue(book.window()).tolist() == pytest.approx([100, 190, 0, 0])
    found = figures(book.window())
    assert found["program.revenue.total"] == pytest.approx(190)
    assert found["care.short_days.total"] == 1


def test_what_begins_on_a_date_has_its_metrics() -> None:
    later = [{"from": START + dt.timedelta(days=7), "set": {"money.billing.claims_denied": 0.1}}]
    stems = {entry.stem for entry in bound(scenario(changes=later))}
    assert "program.claims_denied" in stems
    assert "care.below_minimum_days" in stems
    assert not [stem for stem in stems if "short_days" in stem or "unpaid_days" in stem]
    assert "program.claims_denied" not in {entry.stem for entry in bound(scenario())}


def test_a_lapse_leaves_the_whole_day_uncovered() -> None:
    book = Book(scenario())
    ann = patient(book)
    book.session(NINE, "long", {ann: True})
    book.session(13 / 24, "brief", {ann: True})
    book.recorder.write(0.5, Fact.LAPSED, ann.number)  # between the two sessions
    assert rows(book) == [(0, 0, 0, "UNCOVERED")]
