"""What the program spends, by cause, role and week: a change of price on a date splits a week exactly (model.md §9)."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pytest

from iopsim.measures.accounts import CAUSES, spending
from iopsim.measures.books import books, parts, weekly_cost, weekly_costs
from iopsim.model.ledger import PostState
from iopsim.scenario.schema import Scenario
from tests.unit.ledgers import Book
from tests.unit.measured import figures

START = dt.date(2027, 1, 4)
NINE = 9 / 24


def scenario(*changes: dict[str, Any], **money: Any) -> Scenario:
    """A day of two full-time nurses costs 200, rent 10 a day; window of two weeks, one before and one after it."""
    group = {"days": ["mon"], "seats": 9, "facilitators": {"nurse": 1}, "room": "hall"}
    return Scenario.model_validate(
        {
            "run": {"start": START, "warm_up_weeks": 1, "weeks": 2, "run_out_weeks": 1},
            "payers": {"public": {}, "private": {}},
            "sources": {"door": {"to": "care", "per_week": 5, "payers": {"public": 0.5, "private": 0.5}}},
            "rooms": {"hall": {"seats": 9, "cost_per_week": 70}},
            "levels": {
                "care": {"phases": [{"weeks": 2, "days_per_week": 1}], "groups": {"first": group}},
                "unit": {"stay_days": {"constant": 5}},
            },
            "staff": {
                "nurse": {"posts": 2, "salary_per_year": 36_500, "cover_per_hour": 50},
                "clerk": {"posts": 1},
            },
            "services": {
                "test": {"levels": ["care"], "role": "clerk", "per": "session", "cost": 7},
                "talk": {"levels": ["care"], "role": "nurse", "per": "admission", "cost": 5},
            },
            "money": {"revenue": {"care": {"public": 100, "private": 300}}} | money,
            "changes": list(changes),
        }
    )


def on(day: int, **values: Any) -> dict[str, Any]:
    """A change on a day of the clock; `__` stands for a dot."""
    values = {path.replace("__", "."): value for path, value in values.items()}
    return {"from": START + dt.timedelta(days=day), "set": values}


def test_a_quiet_week_costs_pay_and_rent() -> None:
    spent = spending(Book(scenario(benefits=0.25)).window()).amount
    nurse, none = 0, -1
    assert spent.shape == (5, 3, 4)
    assert spent[CAUSES.index("payroll"), nurse].tolist() == pytest.approx([7 * 250] * 4)
    assert spent[CAUSES.index("room_cost"), none].tolist() == pytest.approx([70] * 4)
    assert spent.sum() == pytest.approx(4 * (1750 + 70))


def test_a_week_costs_what_the_plan_of_each_day_says() -> None:
    thursday = on(
        3,
        staff__nurse__salary_per_year=73_000,
        rooms__hall__cost_per_week=140,
        money__overhead_share_of_cost=0.5,
    )
    window = Book(scenario(thursday, overhead_share_of_cost=0.2)).window()
    before, after = 3 * (200 + 10), 4 * (400 + 20)
    by_cause = weekly_costs(window)
    assert by_cause["payroll"][1] == pytest.approx(3 * 200 + 4 * 400)
    assert by_cause["room_cost"][1] == pytest.approx(3 * 10 + 4 * 20)
    assert by_cause["overhead"][1] == pytest.approx(before / 4 + after)
    a_week = 7 * 210 / 0.8
    assert weekly_cost(window).tolist() == pytest.approx(
        [a_week, before / 0.8 + 2 * after, 7 * 420 * 2, 7 * 420 * 2]
    )
    assert figures(window)["program.cost.total"] == pytest.approx(weekly_cost(window)[1:3].sum())


def test_overhead_of_the_year_is_that_of_the_day() -> None:
    window = Book(scenario(on(3, money__overhead_per_year=73_000), overhead_per_year=36_500)).window()
    assert weekly_costs(window)["overhead"].tolist() == pytest.approx([700, 300 + 800, 1400, 1400])


def test_cover_and_services_have_the_price_of_their_day() -> None:
    change = on(7, staff__nurse__cover_per_hour=80, services__test__cost=9, services__talk__cost=0)
    book = Book(scenario(change))
    for day in (-7, 0, 7, 14):
        book.session(day + NINE, "first")
        book.covered(day + NINE, "nurse", 2)
    for day in (0, 7):
        book.patient("care").joined(day).admitted(day, "first").started(day + NINE, ("talk",))
    window, nurse, clerk = book.window(), 0, 1
    spent = spending(window).amount
    assert spent[CAUSES.index("cover_cost"), nurse].tolist() == [100, 100, 160, 160]
    assert spent[CAUSES.index("service_cost"), clerk].tolist() == [7, 7, 9, 9]
    assert spent[CAUSES.index("service_cost"), nurse].tolist() == [0, 5, 0, 0]
    found = figures(window)
    assert found["program.cover_cost.total"] == 260
    assert found["program.service_cost.total"] == 7 + 9 + 5
    assert found["program.cost_by_role.nurse"] == pytest.approx(14 * 200 + 260 + 5)
    assert found["program.cost_by_role.clerk"] == 16


def test_a_post_that_is_closed_or_vacant_is_not_paid() -> None:
    book = Book(scenario())
    book.post(7, 0, PostState.VACANT, 0)
    book.post(10, 1, PostState.CLOSED, 0)
    assert weekly_costs(book.window())["payroll"].tolist() == pytest.approx([1400, 1400, 300, 0])


def attended() -> Book:
    """Three days of the public payer and one of the private, one of the four in places that earn nothing."""
    book = Book(scenario(overhead_share_of_cost=0.3))
    ann = book.patient("care").joined(0).admitted(0, "first").started(NINE)
    bob = book.patient("care", payer="private").joined(0).admitted(0, "first").started(NINE)
    book.session(NINE, "first", {ann: True, bob: True})
    book.session(7 + NINE, "first", {ann: True, bob: False})
    book.patient("unit").joined(0).admitted(0.2).started(0.2).completed(0.9)
    return book


@pytest.mark.parametrize("table", ["payer", "track", "source", "level"])
def test_parts_sum_to_the_whole(table: str) -> None:
    window = attended().window()
    made, share = books(window), parts(window, table)
    assert share.days.sum() == pytest.approx(4)
    assert share.revenue.sum() == pytest.approx(500)
    assert share.cost.sum() == pytest.approx(made.cost)


def test_parts_have_their_metrics() -> None:
    window = attended().window()
    found, cost = figures(window), books(window).cost
    assert found["program.revenue_by_payer.public"] == pytest.approx(200)
    assert found["program.revenue_by_payer.private"] == pytest.approx(300)
    assert found["program.cost_by_payer.public"] == pytest.approx(cost * 3 / 4)
    assert found["program.margin_by_payer.private"] == pytest.approx(300 - cost / 4)
    assert found["program.revenue_by_group.first"] == pytest.approx(500)
    assert found["program.cost_by_group.first"] == pytest.approx(
        cost * 3 / 4
    )  # the day in places is the rest
    roles = [found[f"program.cost_by_role.{role}"] for role in ("nurse", "clerk")]
    rest = found["program.room_cost.total"] + found["program.overhead.total"]
    assert sum(roles) + rest == pytest.approx(cost)


@pytest.mark.parametrize(("pay", "share"), [(100, 1), (2800 + 140 - 1, 1), (2800 + 140, 0), (10_000, 0)])
def test_a_loss_is_cost_above_revenue(pay: float, share: float) -> None:
    book = Book(
        scenario(on(-7, services__talk__cost=0, services__test__cost=0), revenue={"care": {"public": pay}})
    )
    ann = book.patient("care").joined(0).admitted(0, "first").started(NINE)
    book.session(NINE, "first", {ann: True})
    assert figures(book.window())["program.loss.share"] == share


def test_every_entry_is_of_one_week_cause_and_role() -> None:
    window = attended().window()
    spent = spending(window).amount
    assert np.sum(list(weekly_costs(window).values()), axis=0) == pytest.approx(weekly_cost(window))
    assert spent[:, :, 1:3].sum() == pytest.approx(books(window).cost, rel=1e-15)
