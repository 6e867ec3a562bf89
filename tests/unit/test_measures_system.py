"""The whole system: held places by the level that is waited for, and prices from outside that change (model.md §9)."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from iopsim.measures.bought import charges, held_for
from iopsim.measures.registry import bound
from iopsim.scenario.schema import Scenario
from tests.unit.ledgers import Book
from tests.unit.measured import figures

START = dt.date(2027, 1, 4)


def scenario(*changes: dict[str, Any]) -> Scenario:
    """A ward by the day and a clinic by the attended day in groups, both from outside; care is the program's own."""
    groups = {"days": ["mon", "wed", "fri"], "seats": 9}
    return Scenario.model_validate(
        {
            "run": {"start": START, "warm_up_weeks": 0, "weeks": 2, "run_out_weeks": 1},
            "sources": {"door": {"to": "ward", "per_week": 5}, "court": {"to": "care", "per_week": 5}},
            "levels": {
                "ward": {
                    "places": 9,
                    "stay_days": {"constant": 5},
                    "cost_per_day": 1000,
                    "next": {"care": 0.5, "clinic": 0.3, "home": 0.2},
                    "hold_days": "forever",
                },
                "clinic": {
                    "phases": [{"weeks": 2, "days_per_week": 3}],
                    "groups": {"their_group": groups},
                    "cost_per_attended_day": 300,
                    "leave_early": {"step_up": {"per_week": 0.1, "to": {"ward": 1}}},
                },
                "care": {
                    "phases": [{"weeks": 2, "days_per_week": 3}],
                    "groups": {"our_group": groups},
                    "by": {
                        "source": {
                            "court": {"leave_early": {"step_up": {"per_week": 0.1, "to": {"clinic": 1}}}}
                        }
                    },
                },
            },
            "staff": {"nurse": {"posts": 1, "salary_per_year": 36_500}},
            "changes": list(changes),
        }
    )


def on(day: int, **values: Any) -> dict[str, Any]:
    """A change on a day of the clock; `__` stands for a dot."""
    return {
        "from": START + dt.timedelta(days=day),
        "set": {path.replace("__", "."): value for path, value in values.items()},
    }


def timeline(spec: Scenario) -> Book:
    """Two in the ward, of whom one waits for care and one for the clinic, and one who is held in the clinic."""
    book = Book(spec)
    ann = book.patient("ward").joined(0).admitted(0).started(0)
    ann.completed(2.5, to="care", released=6)  # in care days 0 and 1, held 2 to 5
    bob = book.patient("ward").joined(0).admitted(1).started(1)
    bob.completed(4, to="clinic", released=20)  # in care days 1 to 3, held 4 to 13 of the window
    cat = book.patient("clinic").joined(0).admitted(0, "their_group", days=("mon", "fri")).started(0.375)
    cat.suspended(1, to="ward").resumed(5.5).completed(9)  # held on Friday only, when the group meets
    for day in (0, 2, 4, 7):
        book.session(day + 0.375, "their_group", {cat: day in (0, 7)})
    return book


def test_held_days_and_their_cost_by_the_level_that_is_waited_for() -> None:
    found = figures(timeline(scenario()).window())
    assert found["ward.held_days_for.care"] == pytest.approx(3.5)
    assert found["ward.held_days_for.clinic"] == pytest.approx(10)
    assert found["clinic.held_days_for.ward"] == pytest.approx(4.5)
    assert found["ward.held_days.total"] == pytest.approx(13.5)
    assert found["ward.held_cost_for.care"] == pytest.approx(4 * 1000)  # calendar days: days 2 to 5
    assert found["ward.held_cost_for.clinic"] == pytest.approx(10 * 1000)
    assert found["ward.held_cost.total"] == pytest.approx(14 * 1000)
    assert found["clinic.held_cost_for.ward"] == found["clinic.held_cost.total"] == 300


def test_the_system_costs_what_the_program_and_all_prices_come_to() -> None:
    found = figures(timeline(scenario()).window())
    ward, clinic, program = (2 + 3 + 14) * 1000, (2 + 1) * 300, 14 * 100
    assert found["ward.cost.total"] == pytest.approx(ward)
    assert found["clinic.cost.total"] == pytest.approx(clinic)
    assert found["system.cost.total"] == pytest.approx(ward + clinic + program)


def test_a_day_has_the_price_of_its_date() -> None:
    dearer = on(3, levels__ward__cost_per_day=1500, levels__clinic__cost_per_attended_day=400)
    window = timeline(scenario(dearer)).window()
    found = figures(window)
    assert found["ward.cost.total"] == pytest.approx((2 + 2 + 1) * 1000 + (1 + 3 + 10) * 1500)
    assert found["ward.held_cost_for.care"] == pytest.approx(1000 + 3 * 1500)
    assert found["clinic.cost.total"] == pytest.approx(300 + 400 + 400)
    assert charges(window, "held").cost.sum() == pytest.approx(held_for(window).cost.sum())


def test_who_can_hold_for_whom_has_a_metric() -> None:
    stems = {entry.stem for entry in bound(scenario()) if "_for." in entry.stem}
    assert stems == {
        "ward.held_days_for.care",
        "ward.held_days_for.clinic",
        "ward.held_cost_for.care",
        "ward.held_cost_for.clinic",
        "clinic.held_days_for.ward",
        "clinic.held_cost_for.ward",
        "care.held_days_for.clinic",  # of a source; care is no bought level
    }
