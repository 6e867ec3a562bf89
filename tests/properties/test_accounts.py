"""Books that balance: an independent bookkeeper comes to the same, to the cent (model.md §§9, 12)."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from iopsim.measures.books import books, weekly_cost, weekly_revenue
from iopsim.measures.registry import Outcome, Value, measure
from iopsim.measures.window import Window
from iopsim.model.clinic import simulate
from iopsim.model.ledger import Ledger
from iopsim.scenario import load
from iopsim.scenario.schema import Scenario
from tests.properties.accounts import Accounts, keep_accounts

CENT = 0.005
SCENARIOS = Path(__file__).parents[2] / "scenarios"
CUT_SHORT = ("run.warm_up_weeks=8", "run.weeks=16", "run.run_out_weeks=2")
CAUSES = {"payroll": "payroll", "cover": "cover_cost", "rooms": "room_cost", "services": "service_cost"}
UNPAID = {"short": "short_days", "too_few_services": "unpaid_days", "uncovered": "uncovered_days"}


def amount(outcome: Outcome | None) -> float:
    """A metric as a number; one that makes no sense in the scenario is nothing."""
    return 0.0 if outcome is None else outcome.value if isinstance(outcome, Value) else float("nan")


def check_books(scenario: Scenario, ledger: Ledger, seen: Window | None = None) -> Accounts:
    """Ask that measures and bookkeeper agree, and each with itself; `seen` is what the measures look at."""
    kept, window = keep_accounts(scenario, ledger), seen or Window(scenario, ledger)
    metrics, book = measure(window), books(window)
    _looks_agree(kept, ledger, metrics)
    for table, sums in kept.revenue.items():
        same(sum(sums.values()), kept.total_revenue, f"revenue by {table}")
    for table, sums in kept.cost.items():
        same(sum(sums.values()), kept.total_cost, f"cost by {table}")
    same(amount(metrics.get("program.revenue.total")), kept.total_revenue, "revenue")
    same(amount(metrics.get("program.cost.total")), kept.total_cost, "cost")
    same(amount(metrics.get("program.attended_days.total")), kept.total_days, "attended days")
    patients = np.bincount(window.stays.patient, book.revenue, minlength=len(ledger.patient_source))
    _by_number(patients, kept.revenue["patient"], "revenue of patient")
    _by_number(book.days, _by_stay(kept), "days of stay")
    weeks = slice(scenario.run.warm_up_weeks, scenario.run.warm_up_weeks + scenario.run.weeks)
    _by_number(weekly_revenue(window)[weeks], kept.revenue["week"], "revenue of week")
    _by_number(weekly_cost(window)[weeks], kept.cost["week"], "cost of week")
    sessions = book.claims.session >= 0
    paid = np.bincount(book.claims.session[sessions], book.claims.paid[sessions], len(ledger.session_time))
    _by_number(paid, {key: sum_ for key, sum_ in kept.revenue["session"].items() if key != -1}, "session")
    same(book.claims.paid[~sessions].sum(), kept.revenue["session"].get(-1, 0), "revenue of days in places")
    _causes_agree(kept, ledger, metrics)
    return kept


def _by_stay(kept: Accounts) -> dict[object, Fraction]:
    days: dict[object, Fraction] = {}
    for each in kept.attended:
        days[each.stay] = days.get(each.stay, Fraction()) + each.weight
    return days


def _by_number(found: Any, kept: Mapping[Any, Any], what: str) -> None:
    assert kept.keys() <= set(range(len(found))), f"{what}: {set(kept) - set(range(len(found)))}"
    for number, value in enumerate(found.tolist()):
        same(value, kept.get(number, 0), f"{what} {number}")


def _looks_agree(kept: Accounts, ledger: Ledger, metrics: Mapping[str, Outcome]) -> None:
    """Revenue and cost by payer, track, source and group."""
    for table in ("payer", "track", "source", "group"):
        for number, name in enumerate(getattr(ledger, f"{table}s")):
            revenue, cost = (metrics.get(f"program.{what}_by_{table}.{name}") for what in ("revenue", "cost"))
            same(amount(revenue), kept.revenue[table].get(number, 0), f"revenue of {name}")
            same(amount(cost), kept.allotted[table].get(number, 0), f"cost of {name}")
        same(sum(kept.allotted[table].values()), kept.total_cost * bool(kept.attended), f"cost by {table}")
    for role in ledger.roles:
        cost = metrics.get(f"program.cost_by_role.{role}")
        same(amount(cost), kept.cost["role"].get(role, 0), f"cost of {role}")


def _causes_agree(kept: Accounts, ledger: Ledger, metrics: Mapping[str, Outcome]) -> None:
    """What the money was spent on, and why days earned nothing."""
    for cause, name in (*CAUSES.items(), ("overhead", "overhead")):
        same(amount(metrics.get(f"program.{name}.total")), kept.cost["cause"].get(cause, 0), name)
    denied = sum(each.denied for each in kept.attended)
    same(amount(metrics.get("program.claims_denied.total")), denied, "claims denied")


def same(one: Any, other: Any, what: str) -> None:
    """Two amounts are one to the cent."""
    assert abs(float(one) - float(other)) < CENT, (
        f"{what}: {float(one):.4f}, the books have {float(other):.4f}"
    )


# ── a year, and programs of every kind ───────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def baseline() -> tuple[Scenario, Ledger]:
    scenario = load(SCENARIOS / "baseline.yaml", CUT_SHORT)
    return scenario, simulate(scenario, replication=0)


def test_the_books_of_the_baseline_balance(baseline: tuple[Scenario, Ledger]) -> None:
    kept = check_books(*baseline)
    assert kept.total_revenue > 300_000 and len(kept.revenue["payer"]) == 3
