"""Another unit of money changes every amount by one factor, the word in the units, and nothing else."""

from __future__ import annotations

import datetime as dt
import math

import pytest

from iopsim.measures.registry import bound
from iopsim.scenario.schema import Scenario
from tests.unit.ledgers import Book
from tests.unit.measured import figures

START = dt.date(2027, 1, 4)
NINE = 9 / 24


def scenario(unit: float = 1, currency: str = "USD") -> Scenario:
    """Every price that the language knows, some of them from a date on."""
    group = {"days": ["mon", "wed", "fri"], "seats": 9, "facilitators": {"nurse": 1}, "room": "hall"}
    tiers = [{"from_services": 1, "pay": 123.45 * unit}, {"from_services": 4, "pay": 234.56 * unit}]
    changes = {
        "levels.ward.cost_per_day": 1100.1 * unit,
        "levels.clinic.cost_per_attended_day": 310.3 * unit,
        "staff.nurse.salary_per_year": 70_707.7 * unit,
        "staff.nurse.cover_per_hour": 66.6 * unit,
        "services.test.cost": 8.8 * unit,
        "rooms.hall.cost_per_week": 99.9 * unit,
        "money.overhead_per_year": 12_345.6 * unit,
        "money.revenue.care.private": 345.6 * unit,
        "money.billing.below_minimum": 45.6 * unit,
    }
    return Scenario.model_validate(
        {
            "currency": currency,
            "run": {"start": START, "warm_up_weeks": 1, "weeks": 2, "run_out_weeks": 1},
            "payers": {"public": {}, "private": {}},
            "sources": {"door": {"to": "care", "per_week": 5, "payers": {"public": 0.5, "private": 0.5}}},
            "rooms": {"hall": {"seats": 9, "cost_per_week": 77.7 * unit}},
            "levels": {
                "ward": {
                    "stay_days": {"constant": 5},
                    "cost_per_day": 1000 * unit,
                    "next": {"care": 1},
                    "hold_days": 9,
                },
                "clinic": {"stay_days": {"constant": 5}, "cost_per_attended_day": 300 * unit},
                "care": {
                    "phases": [{"weeks": 2, "days_per_week": 3}, {"weeks": 2, "days_per_week": 1}],
                    "hours_per_week_at_least": 9,
                    "groups": {"first": group},
                },
            },
            "staff": {
                "nurse": {"posts": 1, "salary_per_year": 60_606.6 * unit, "cover_per_hour": 55.5 * unit}
            },
            "services": {
                "test": {"levels": ["care"], "role": "nurse", "per": "session", "cost": 7.7 * unit},
                "talk": {
                    "levels": ["care"],
                    "role": "nurse",
                    "per": "admission",
                    "minutes": 30,
                    "cost": 5.5 * unit,
                },
            },
            "money": {
                "benefits": 0.3,
                "overhead_per_year": 11_111.1 * unit,
                "revenue": {"care": {"public": tiers, "private": 321.9 * unit}},
                "billing": {"below_minimum": 34.5 * unit, "claims_denied": 0.05, "hours_per_day_at_least": 2},
                "inpatient_alternative": {"for": ["door"], "stay_days": 10, "cost_per_day": 1050.5 * unit},
            },
            "changes": [{"from": START + dt.timedelta(days=3), "set": changes}],
        }
    )


def measured(spec: Scenario) -> dict[str, float]:
    book, days = Book(spec), ("mon", "wed", "fri")
    ann = book.patient("care").referred(0).joined(0).admitted(0, "first", days=days).started(NINE, ("talk",))
    bob = book.patient("care", payer="private").joined(0).admitted(0, "first", days=days).started(NINE)
    bob.moved(2 + NINE, "first", ("fri",))
    for day in (0, 2, 4, 7, 11):
        book.session(day + NINE, "first", {ann: True, bob: day != 7})
        book.covered(day + NINE, "nurse", 3)
    ann.completed(12)
    book.patient("ward").joined(0).admitted(0).started(0).completed(2, to="care", released=6)
    book.patient("clinic").joined(0).admitted(0).started(0).completed(6)
    return figures(book.window())


def units(spec: Scenario) -> dict[str, str]:
    return {
        name: entry.metric.unit.format(currency=spec.currency)
        for entry in bound(spec)
        for name in entry.full_names
    }


def test_another_unit_of_money_changes_amounts_and_the_word_and_nothing_else() -> None:
    dollars, cents = scenario(), scenario(100, "cents")
    amounts, more = measured(dollars), measured(cents)
    said, said_in_cents = units(dollars), units(cents)
    assert said_in_cents == {name: unit.replace("USD", "cents") for name, unit in said.items()}
    money = {name for name, unit in said.items() if "USD" in unit}
    assert len(money & amounts.keys()) > 40
    assert sum(amounts[name] != 0 for name in money & amounts.keys()) > 40
    for name, amount in amounts.items():
        factor = 100 if name in money else 1
        assert more[name] == pytest.approx(factor * amount, rel=1e-12, abs=0, nan_ok=True), name


def test_the_amounts_that_are_there_are_numbers() -> None:
    amounts = measured(scenario())
    assert [
        name for name, unit in units(scenario()).items() if "USD" in unit and math.isnan(amounts.get(name, 0))
    ] == []


def test_the_name_of_the_unit_alone_changes_no_number() -> None:
    assert measured(scenario(currency="EUR")) == pytest.approx(
        measured(scenario()), rel=0, abs=0, nan_ok=True
    )
