"""Money on one hand-made timeline: every expected number is worked out below.

Window: 14 days. The program's own level is `care`; `ward` is bought by the day, `clinic` by the attended day.

    Spent   payroll 2 × 0.5 FTE × 36,500 × 1.25 × 14 ÷ 365 = 1,750
            6 sessions × 3 + 4 screens × 10 = 58
            overhead 0.2 ÷ 0.8 × 1,808 = 452; in all 2,260
    Days    ann 2 (mood, medicaid), bob 2 (sud, commercial), cat 2 (sud, medicaid, of emergency): 6, and 1 of
            cat's after the window
    Earned  4 × 100 + 2 × 300 = 1,000
"""

from __future__ import annotations

import datetime as dt
import math
from typing import Any

import pytest

from iopsim.measures.registry import Outcome, Ratio, Value, bound, measure
from iopsim.model.ledger import Cause, Fact, PostState
from iopsim.scenario.schema import Scenario
from tests.unit.ledgers import Book

NINE = 9 / 24
COST, DAYS = 2260, 6
DAY_COST = COST / DAYS


def scenario(unit: float = 1, **money: Any) -> Scenario:
    """The scenario of the timeline; `unit` is how many of its currency are one of those above."""
    return Scenario.model_validate(
        {
            "run": {"start": dt.date(2027, 1, 4), "warm_up_weeks": 1, "weeks": 2, "run_out_weeks": 2},
            "tracks": {"mood": {}, "sud": {}},
            "payers": {"medicaid": {}, "commercial": {}, "nobodys": {}},
            "sources": {
                "community": {"to": "care", "per_week": 5, "tracks": {"mood": 1}, "payers": {"medicaid": 1}},
                "emergency": {"to": "ward", "per_week": 5, "tracks": {"mood": 1}, "payers": {"medicaid": 1}},
            },
            "levels": {
                "ward": {"places": 9, "stay_days": {"constant": 5}, "cost_per_day": 1000 * unit},
                "clinic": {
                    "places": 9,
                    "stay_days": {"constant": 5},
                    "days_per_week": 5,
                    "attendance": {"mean": 0.8},
                    "cost_per_attended_day": 300 * unit,
                },
                "care": {
                    "phases": [{"weeks": 8, "days_per_week": 3}],
                    "groups": {
                        "first": {
                            "days": ["mon", "wed", "fri"],
                            "hours": 3,
                            "seats": 9,
                            "facilitators": {"counselor": 2},
                        },
                        "second": {
                            "days": ["mon", "wed", "fri"],
                            "hours": 3,
                            "seats": 9,
                            "facilitators": {"counselor": 1},
                        },
                    },
                },
            },
            "staff": {
                "counselor": {
                    "posts": 2,
                    "fte": 0.5,
                    "paid_hours_per_week": 70,
                    "bookable": 0.5,
                    "salary_per_year": 36_500 * unit,
                }
            },
            "services": {
                "group_notes": {
                    "levels": ["care"],
                    "role": "counselor",
                    "per": "session",
                    "indirect_minutes": 12,
                    "indirect_minutes_per_patient": 6,
                    "cost": 3 * unit,
                },
                "elsewhere": {
                    "levels": ["clinic"],
                    "role": "counselor",
                    "per": "session",
                    "cost": 1000 * unit,
                },
                "individual": {"levels": ["care"], "role": "counselor", "minutes": 60, "every_weeks": 1},
                "screen": {
                    "levels": ["care"],
                    "role": "counselor",
                    "minutes": 10,
                    "every_weeks": 1,
                    "within_group": True,
                    "cost": 10 * unit,
                },
            },
            "money": {
                "benefits": 0.25,
                "overhead_share_of_cost": 0.2,
                "revenue": {"care": {"medicaid": 100 * unit, "commercial": 300 * unit}},
                "inpatient_alternative": {
                    "for": ["community"],
                    "divertible": 0.1,
                    "stay_days": 10,
                    "cost_per_day": 1000 * unit,
                },
            }
            | money,
        }
    )


def timeline(spec: Scenario) -> Book:
    """Ann, Bob, Cat (from the ward) and Eve (in the clinic)."""
    book = Book(spec)
    ann = book.patient("care", payer="medicaid").referred(0).joined(0).admitted(0, "first")
    ann.started(NINE, ("individual",)).completed(13.5)
    bob = book.patient("care", track="sud", payer="commercial").referred(0).joined(0).admitted(0, "second")
    bob.started(NINE, ("individual", "screen")).dropped_out(9)
    ward = (
        book.patient("ward", source="emergency", track="sud").referred(-3).joined(-3).admitted(-3).started(-3)
    )
    ward.completed(2, to="care", released=4 + NINE)
    cat = book.again(ward.patient, "care").joined(2, "ward").admitted(2.5, "second")
    cat.started(4 + NINE, ("individual", "screen")).completed(15)
    eve = book.patient("clinic", source="emergency").referred(0).joined(0).admitted(0).started(0)
    eve.completed(5, to="care", released=9)
    book.session(NINE, "first", {ann: True})
    book.session(2 + NINE, "first", {ann: False})
    book.session(7 + NINE, "first", {ann: True})
    book.cancelled(9 + NINE, "first", Cause.CLOSED, enrolled=1)
    book.session(NINE, "second", {bob: True})
    book.session(4 + NINE, "second", {bob: True, cat: True})
    book.session(7 + NINE, "second", {bob: False, cat: True})
    book.session(14 + NINE, "second", {cat: True})
    return book


def number(outcome: Outcome) -> float:
    match outcome:
        case Value(value):
            return value
        case Ratio(numerator, denominator):
            return numerator / denominator if denominator else math.nan
    return float(outcome.values.mean()) if len(outcome.values) else math.nan


def measured(book: Book) -> dict[str, float]:
    return {name: number(outcome) for name, outcome in measure(book.window()).items()}


@pytest.fixture(scope="module")
def found() -> dict[str, float]:
    return measured(timeline(scenario()))


def test_the_program_spends(found: dict[str, float]) -> None:
    assert found["program.payroll.total"] == pytest.approx(1750)
    assert found["program.service_cost.total"] == pytest.approx(6 * 3 + 4 * 10)
    assert found["program.overhead.total"] == pytest.approx(452)
    assert found["program.cost.total"] == pytest.approx(COST)


def test_overhead_is_that_share_of_all_cost(found: dict[str, float]) -> None:
    assert found["program.overhead.total"] / found["program.cost.total"] == pytest.approx(0.2)


def test_overhead_by_the_year_counts_for_the_days_of_the_window() -> None:
    yearly = measured(timeline(scenario(overhead_share_of_cost=None, overhead_per_year=36_500)))
    assert yearly["program.overhead.total"] == pytest.approx(1400)
    assert yearly["program.cost.total"] == pytest.approx(1808 + 1400)


def test_the_program_earns(found: dict[str, float]) -> None:
    assert found["program.attended_days.total"] == DAYS
    assert found["program.revenue.total"] == pytest.approx(1000)
    assert found["program.revenue.per_attended_day"] == pytest.approx(1000 / 6)
    assert found["program.margin.total"] == pytest.approx(1000 - COST)


def test_cost_per_day_and_per_episode(found: dict[str, float]) -> None:
    assert found["program.cost.per_attended_day"] == pytest.approx(DAY_COST)
    assert found["program.cost.per_episode"] == pytest.approx(DAY_COST * (2 + 2 + 3) / 3)
    assert found["program.cost.per_completed_episode"] == pytest.approx(DAY_COST * (2 + 2 + 3) / 2)


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ("payer", {"medicaid": 400 - 4 * DAY_COST, "commercial": 600 - 2 * DAY_COST, "nobodys": 0}),
        ("track", {"mood": 200 - 2 * DAY_COST, "sud": 800 - 4 * DAY_COST}),
        ("source", {"community": 800 - 4 * DAY_COST, "emergency": 200 - 2 * DAY_COST}),
        ("group", {"first": 200 - 2 * DAY_COST, "second": 800 - 4 * DAY_COST}),
    ],
)
def test_margins_by_part_sum_to_the_margin(
    found: dict[str, float], parts: str, expected: dict[str, float]
) -> None:
    margins = {name: found[f"program.margin_by_{parts}.{name}"] for name in expected}
    assert margins == pytest.approx(expected)
    assert sum(margins.values()) == pytest.approx(found["program.margin.total"])


def test_break_even_census(found: dict[str, float]) -> None:
    # An FTE costs 875 a week, pay and benefits, and books 35 hours: 25 an hour. A session costs its
    # counselors' hours and 5 + 3. Who attends makes 6 minutes of work (2.50), a visit costs 25, a screen 10.
    first = 200 - 2 * 2.5 - 2 * 25  # of 3 member-sessions
    second = 800 - 4 * 2.5 - 4 * 25 - 4 * 10  # of 5
    assert found["group.first.break_even_census"] == pytest.approx((2 * 75 + 8) / (first / 3))
    assert found["group.second.break_even_census"] == pytest.approx((75 + 8) / (second / 5))


def test_contribution_of_a_group(found: dict[str, float]) -> None:
    # Three sessions of each were held in the window; what members bring is above.
    assert found["group.first.contribution"] == pytest.approx(200 - 2 * 2.5 - 2 * 25 - 3 * (2 * 75 + 8))
    assert found["group.second.contribution"] == pytest.approx(650 - 3 * (75 + 8))


def test_contribution_at_the_prices_of_the_day() -> None:
    # An hour costs 50 from the second week on, when one session, one visit and one attendance lie.
    change = {"from": dt.date(2027, 1, 11), "set": {"staff.counselor.salary_per_year": 73_000}}
    spec = scenario().model_dump(by_alias=True, exclude_unset=True) | {"changes": [change]}
    later = measured(timeline(Scenario.model_validate(spec)))
    members, sessions = 200 - (2.5 + 5) - (25 + 50), 2 * (2 * 75 + 8) + (2 * 150 + 10 + 3)
    assert later["group.first.contribution"] == pytest.approx(members - sessions)
    assert later["group.first.break_even_census"] == pytest.approx(sessions / 3 / (members / 3))


def test_there_is_no_break_even_if_a_member_costs_more_than_is_paid() -> None:
    poor = measured(timeline(scenario(revenue={"care": {"medicaid": 20, "commercial": 300}})))
    assert math.isnan(poor["group.first.break_even_census"])
    assert poor["group.second.break_even_census"] > 0


def test_levels_bought_from_outside_cost_their_price_and_held_days_the_same(found: dict[str, float]) -> None:
    assert found["ward.cost.total"] == pytest.approx(4 * 1000)  # the nights of days 0 to 3
    assert found["ward.held_cost.total"] == pytest.approx(2 * 1000)  # of days 2 and 3
    assert found["clinic.cost.total"] == pytest.approx(
        (5 + 2) * 0.8 * 300
    )  # Mon-Fri in care, Mon and Tue held
    assert found["clinic.held_cost.total"] == pytest.approx(2 * 0.8 * 300)
    assert found["care.cost.total"] == pytest.approx(COST)
    assert "care.held_cost.total" not in found


def test_the_system_pays_for_a_sources_patients_wherever_they_are(found: dict[str, float]) -> None:
    community, emergency = 4 * DAY_COST, 4000 + 1680 + 2 * DAY_COST
    assert found["community.system_cost.total"] == pytest.approx(community)
    assert found["community.system_cost.per_referral"] == pytest.approx(community / 2)
    assert found["emergency.system_cost.total"] == pytest.approx(emergency)
    assert found["emergency.system_cost.per_referral"] == pytest.approx(emergency)  # cat was referred earlier


def test_inpatient_alternative(found: dict[str, float]) -> None:
    inpatient = 2 * 10 * 1000  # ann and bob; cat is of another source
    assert found["alternative.cost.total"] == pytest.approx(0.1 * inpatient)
    assert found["alternative.saving.total"] == pytest.approx(0.1 * inpatient - 4 * DAY_COST)
    assert found["alternative.break_even_share"] == pytest.approx(4 * DAY_COST / inpatient)
    assert found["alternative.difference.per_day"] == pytest.approx(1000 - DAY_COST)
    assert found["alternative.difference.per_episode"] == pytest.approx(10 * 1000 - 2 * DAY_COST)


def test_at_the_break_even_share_nothing_is_saved(found: dict[str, float]) -> None:
    share = found["alternative.break_even_share"]
    stated = {"for": ["community"], "divertible": share, "stay_days": 10, "cost_per_day": 1000}
    level = measured(timeline(scenario(inpatient_alternative=stated)))
    assert level["alternative.saving.total"] == pytest.approx(0, abs=1e-9)


def test_who_starts_twice_is_one_starter_with_all_the_care() -> None:
    book = timeline(scenario())
    again = book.patient("care", payer="medicaid").joined(0).admitted(0, "first").started(2).completed(5)
    back = book.again(again.patient, "care").joined(9).admitted(9, "first").started(11 + NINE)
    book.session(11 + NINE, "first", {back: True})
    found = measured(book)
    day_cost = found["program.cost.total"] / 7
    assert found["alternative.cost.total"] == pytest.approx(0.1 * 3 * 10 * 1000)
    assert found["alternative.difference.per_episode"] == pytest.approx(10 * 1000 - 5 * day_cost / 3)


def test_a_stay_that_started_before_the_window_has_days_but_no_episode(found: dict[str, float]) -> None:
    book = timeline(scenario())
    early = book.patient("care", payer="medicaid").joined(-6).admitted(-6, "second").started(-5 + NINE)
    early.completed(20)
    book.session(2 + NINE, "second", {early: True})
    book.session(-3 + NINE, "second", {early: True})
    more = measured(book)
    day_cost = more["program.cost.total"] / 7
    assert more["program.attended_days.total"] == 7
    assert more["program.cost.per_episode"] == pytest.approx(day_cost * 7 / 3)
    assert more["alternative.cost.total"] == found["alternative.cost.total"]


def test_only_those_who_hold_a_post_are_paid(found: dict[str, float]) -> None:
    book = timeline(scenario())
    book.post(-2, 0, PostState.VACANT, 0)
    book.post(3, 0, PostState.FILLED, 0)
    book.post(5, 1, PostState.AWAY, 0)  # on leave, and on the payroll
    book.post(12, 1, PostState.VACANT, 0)
    fewer = measured(book)
    assert fewer["program.payroll.total"] == pytest.approx(1750 * (11 + 12) / 28)
    assert fewer["program.service_cost.total"] == found["program.service_cost.total"]
    assert fewer["program.margin.total"] == pytest.approx(1000 - fewer["program.cost.total"])


def with_extras(**payer: Any) -> Scenario:
    """The scenario with a priced room and cover, and a payer that is asked for more sessions."""
    spec = scenario().model_dump(by_alias=True, exclude_unset=True)
    spec["rooms"] = {"large": {"seats": 9, "cost_per_week": 40}, "small": {"seats": 3, "cost_per_week": 10}}
    spec["staff"]["counselor"]["cover_per_hour"] = 60
    spec["payers"]["medicaid"] = {"authorization": {"levels": ["care", "clinic"]} | payer}
    return Scenario.model_validate(spec)


UNITS = {"units": 1, "review": {"delay_days": 5}}


def test_cover_and_rooms_are_part_of_the_cost(found: dict[str, float]) -> None:
    book = timeline(with_extras())
    for time in (-1, 1, 13, 14):
        book.covered(time, "counselor", 3)
    more = measured(book)
    assert more["program.cover_cost.total"] == pytest.approx(2 * 3 * 60)
    assert more["program.room_cost.total"] == pytest.approx(2 * 50)
    rest = 1750 + 58 + 360 + 100
    assert more["program.overhead.total"] == pytest.approx(rest / 4)
    assert more["program.cost.total"] == pytest.approx(rest * 5 / 4)
    assert not [name for name in found if "cover" in name or "room" in name]


def test_days_that_no_payer_covers_earn_nothing(found: dict[str, float]) -> None:
    book = timeline(with_extras(**UNITS))
    ann, cat = 0, 3  # as the timeline counts stays
    for time, fact, stay in (
        (2.5, Fact.ASKED, ann),
        (2.5, Fact.LAPSED, ann),
        (7 + NINE, Fact.EXTENDED, ann),  # in time for the session of that instant
        (9, Fact.LAPSED, ann),  # no session any more until she completes
        (4.5, Fact.LAPSED, cat),  # covers her first session, not that of day 7; the third is after the window
    ):
        book.recorder.write(time, fact, stay)
    lapsed = measured(book)
    assert lapsed["care.uncovered_days.total"] == 1
    assert lapsed["program.attended_days.total"] == DAYS
    assert lapsed["program.revenue.total"] == pytest.approx(1000 - 100)
    assert lapsed["program.margin_by_group.second"] - lapsed[
        "program.margin_by_group.first"
    ] == pytest.approx((700 - 200) - 2 * lapsed["program.cost.per_attended_day"])
    for parts in ("payer", "track", "source", "group"):
        margins = [value for name, value in lapsed.items() if name.startswith(f"program.margin_by_{parts}.")]
        assert sum(margins) == pytest.approx(lapsed["program.margin.total"])


def test_units_that_lapse_at_the_start_of_a_session_do_not_cover_it() -> None:
    book = timeline(with_extras(**UNITS))
    book.recorder.write(7 + NINE, Fact.LAPSED, 0)
    assert measured(book)["care.uncovered_days.total"] == 1


def test_uncovered_days_in_places_count_where_they_end() -> None:
    book = Book(with_extras(**UNITS))
    ann, bob = (book.patient("clinic").joined(0).admitted(0).started(0.5) for _ in range(2))
    for stay in (ann, bob):
        stay.lapsed(2.5).extended(7.5, 2)  # at the end of days 2 to 6, of which five are weekdays: Wed to Fri
    ann.lapsed(9).completed(12)
    bob.completed(6)
    # Ann: Wednesday to Friday, and then Wednesday to Friday again; Bob: the same three.
    assert measured(book)["clinic.uncovered_days.total"] == pytest.approx(0.8 * (3 + 3 + 3))


@pytest.mark.parametrize(
    ("payer", "can_lapse"),
    [({}, False), ({"units": 3}, False), (UNITS, True), (UNITS | {"per": "day"}, True)],
)
def test_only_a_review_that_takes_time_leaves_days_uncovered(payer: dict[str, Any], can_lapse: bool) -> None:
    stems = {entry.stem for entry in bound(with_extras(**payer))}
    assert ("care.uncovered_days" in stems) == can_lapse
    assert "ward.uncovered_days" not in stems


def test_own_levels_in_places_earn_by_expected_days() -> None:
    spec = Scenario.model_validate(
        {
            "run": {"start": dt.date(2027, 1, 4), "warm_up_weeks": 0, "weeks": 1, "run_out_weeks": 1},
            "sources": {"community": {"to": "clinic", "per_week": 5}},
            "levels": {
                "clinic": {
                    "stay_days": {"constant": 5},
                    "days_per_week": 3,
                    "attendance": {"mean": 0.5},
                }
            },
            "staff": {"counselor": {"posts": 1, "salary_per_year": 36_500}},
            "money": {"revenue": {"clinic": {"all": 200}}},
        }
    )
    book = Book(spec)
    book.patient("clinic").joined(0).admitted(0).started(0).completed(5)
    found = measured(book)
    assert found["program.attended_days.total"] == pytest.approx(1.5)
    assert found["program.revenue.total"] == pytest.approx(300)
    assert found["program.margin.total"] == pytest.approx(300 - 700)


def test_without_attended_days_cost_is_on_nobody() -> None:
    found = measured(Book(scenario()))
    assert found["program.cost.total"] == pytest.approx(1750 / 0.8)
    assert found["program.margin.total"] == pytest.approx(-1750 / 0.8)
    assert math.isnan(found["program.margin_by_payer.medicaid"])
    assert math.isnan(found["program.cost.per_episode"])
    assert math.isnan(found["group.first.break_even_census"])
    assert found["ward.cost.total"] == 0


def test_what_has_no_price_has_no_metric() -> None:
    free = Scenario.model_validate(
        {
            "sources": {"community": {"to": "care", "per_week": 5}},
            "levels": {"care": {"stay_days": {"constant": 5}}},
            "staff": {"volunteer": {"posts": 3}},
        }
    )
    stems = {entry.stem for entry in bound(free)}
    assert "program.attended_days" in stems
    money = ("cost", "margin", "revenue", "alternative", "payroll", "overhead", "break_even")
    assert not [stem for stem in stems if any(word in stem for word in money)]


def test_costs_without_prices_have_no_margin() -> None:
    stems = {entry.stem for entry in bound(scenario(revenue={}))}
    assert "program.cost" in stems
    assert not [
        stem for stem in stems if "margin" in stem or "revenue" in stem or "break_even_census" in stem
    ]


def test_an_assumed_alternative_is_compared_only_with_a_program_that_costs() -> None:
    spec = scenario(unit=0, overhead_share_of_cost=None)
    stems = {entry.stem for entry in bound(spec)}
    assert {stem for stem in stems if stem.startswith("alternative")} == {"alternative.cost"}
