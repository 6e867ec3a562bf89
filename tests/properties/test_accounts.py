"""Books that balance: an independent bookkeeper comes to the same, to the cent (model.md §§9, 12)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from iopsim.measures.books import books, weekly_cost, weekly_revenue
from iopsim.measures.registry import Outcome, Value, measure
from iopsim.measures.window import Window
from iopsim.model.clinic import simulate
from iopsim.model.ledger import Cause, Fact, Ledger
from iopsim.scenario import load
from iopsim.scenario.schema import Scenario
from tests.properties.accounts import Accounts, keep_accounts
from tests.properties.clinics import PROPERTY, STORM, Plain
from tests.properties.prices import priced
from tests.properties.test_conservation import going_on

CENT = 0.005
SCENARIOS = Path(__file__).parents[2] / "scenarios"
CUT_SHORT = ("run.warm_up_weeks=8", "run.weeks=16", "run.run_out_weeks=2")
CAUSES = {"payroll": "payroll", "cover": "cover_cost", "rooms": "room_cost", "services": "service_cost"}
UNPAID = {"uncovered", "short", "too_few_services"}


def amount(outcome: Outcome | None) -> float:
    """A metric as a number; one that makes no sense in the scenario is nothing."""
    return 0.0 if outcome is None else outcome.value if isinstance(outcome, Value) else float("nan")


def check_books(scenario: Scenario, ledger: Ledger, seen: Window | None = None) -> Accounts:
    """Ask that measures and bookkeeper agree, and each with itself; `seen` is what the measures look at."""
    kept, window = keep_accounts(scenario, ledger), seen or Window(scenario, ledger)
    metrics, book = measure(window), books(window)
    if not any(level.is_own for level in scenario.levels.values()):
        assert not kept.attended and "program.cost.total" not in metrics, "all care is bought from outside"
        return kept
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
    _unpaid_agree(kept, scenario, ledger, metrics)
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
    """Revenue and cost by payer, track, source and group; cost by role."""
    for role in ledger.roles:
        cost = metrics.get(f"program.cost_by_role.{role}")
        same(amount(cost), kept.cost["role"].get(role, 0), f"cost of {role}")
    if not kept.attended:
        return  # nobody's day, to which cost could fall
    for table in ("payer", "track", "source", "group"):
        for number, name in enumerate(getattr(ledger, f"{table}s")):
            revenue, cost = (metrics.get(f"program.{what}_by_{table}.{name}") for what in ("revenue", "cost"))
            same(amount(revenue), kept.revenue[table].get(number, 0), f"revenue of {name}")
            same(amount(cost), kept.allotted[table].get(number, 0), f"cost of {name}")
        same(sum(kept.allotted[table].values()), kept.total_cost, f"cost by {table}")


def _causes_agree(kept: Accounts, ledger: Ledger, metrics: Mapping[str, Outcome]) -> None:
    """What the money was spent on, and why days earned nothing."""
    for cause, name in (*CAUSES.items(), ("overhead", "overhead")):
        same(amount(metrics.get(f"program.{name}.total")), kept.cost["cause"].get(cause, 0), name)
    denied = sum(each.denied for each in kept.attended)
    same(amount(metrics.get("program.claims_denied.total")), denied, "claims denied")


def _unpaid_agree(kept: Accounts, scenario: Scenario, ledger: Ledger, metrics: Mapping[str, Outcome]) -> None:
    """Days that earn nothing, and those of phases with too few hours, in levels for which somebody pays."""
    plans = [edition.plan.money.revenue for edition in scenario.editions]
    days: dict[str, Fraction] = {}
    for each in kept.attended:
        level = ledger.levels[ledger.stay_level[each.stay]]
        words = [each.cause] * bool(each.cause) + ["unpaid"] * (each.cause in UNPAID)
        for word in [*words, *["below_minimum"] * each.is_below_minimum]:
            days[f"{level}.{word}_days.total"] = (
                days.get(f"{level}.{word}_days.total", Fraction()) + each.weight
            )
    for level in (level for level in ledger.levels if any(plan.get(level) for plan in plans)):
        for word in ("uncovered", "short", "unpaid", "below_minimum"):
            name = f"{level}.{word}_days.total"
            same(amount(metrics.get(name)), days.get(name, 0), name)


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


def test_the_books_of_a_storm_balance(storm: tuple[Scenario, Ledger]) -> None:
    kept = check_books(*storm)
    assert {each.cause for each in kept.attended} == {"", *UNPAID}
    assert any(each.is_below_minimum for each in kept.attended) and any(each.denied for each in kept.attended)
    assert set(kept.cost["cause"]) == {*CAUSES, "overhead"} and all(kept.cost["cause"].values())


def test_the_books_of_a_storm_that_goes_on_balance(tmp_path: Path) -> None:
    scenario = going_on(tmp_path)
    check_books(scenario, simulate(scenario, replication=0))


@settings(PROPERTY, max_examples=30)
@given(priced())
def test_the_books_of_every_program_balance(program: Plain) -> None:
    scenario = Scenario.model_validate(program)
    check_books(scenario, simulate(scenario, replication=0))


# ── wrong books are noticed ──────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def storm() -> tuple[Scenario, Ledger]:
    scenario = Scenario.model_validate(STORM)
    return scenario, simulate(scenario, replication=0)


def told(change: Callable[[Plain], object]) -> Callable[[Ledger], Window]:
    """What the measures make of another scenario."""

    def window(ledger: Ledger) -> Window:
        otherwise = deepcopy(STORM)
        change(otherwise)
        return Window(Scenario.model_validate(otherwise), ledger)

    return window


def written(
    column: str, by: float, which: Callable[[Ledger], Any] = lambda ledger: [True]
) -> Callable[[Ledger], Window]:
    """What the measures make of another ledger: one value is changed, in the first row for which something holds."""

    def window(ledger: Ledger) -> Window:
        values = getattr(ledger, column).copy()
        place = np.flatnonzero(which(ledger))[0]
        values[place] = values[place].item() + by
        new: Any = {column: values}
        return Window(Scenario.model_validate(STORM), replace(ledger, **new))

    return window


def is_attended(ledger: Ledger) -> Any:
    """Rows of attendance, in sessions held in the first week of the window."""
    held = (ledger.session_cause == Cause.HELD) & (ledger.session_time >= 0) & (ledger.session_time < 7)
    there = np.zeros(len(ledger.member_stay), bool)
    for first, enrolled in zip(ledger.session_first[held], ledger.session_enrolled[held], strict=True):
        there[first : first + enrolled] = True
    return there & (ledger.member_attended > 0)


def never_lapsing(ledger: Ledger) -> Window:
    """What the measures make of a ledger in which payers always cover."""
    fact = np.where(ledger.fact == Fact.LAPSED, Fact.ASKED, ledger.fact)
    return Window(Scenario.model_validate(STORM), replace(ledger, fact=fact))


WRONG: dict[str, tuple[Callable[[Ledger], Window], str]] = {
    "prices never change": (told(lambda plan: plan.update(changes=[])), "revenue|cost"),
    "a tier pays a cent more": (
        told(lambda plan: plan["money"]["revenue"]["iop"]["public"][0].update(pay=269.20)),
        "revenue",
    ),
    "a tier is reached with a service more": (
        told(lambda plan: plan["money"]["revenue"]["iop"]["public"][1].update(from_services=5)),
        "revenue",
    ),
    "short days are paid": (
        told(lambda plan: plan["changes"][1]["set"].pop("money.billing.hours_per_day_at_least")),
        "revenue",
    ),
    "no claim is denied": (told(lambda plan: plan["money"]["billing"].update(claims_denied=0)), "revenue"),
    "phases with few hours earn all": (
        told(lambda plan: plan["levels"]["iop"].pop("hours_per_week_at_least")),
        "revenue",
    ),
    "overhead on top of cost": (
        told(lambda plan: plan["money"].update(overhead_share_of_cost=0.31 / 1.31)),
        "cost",
    ),
    "a service for nothing": (told(lambda plan: plan["services"]["notes"].update(cost=0)), "cost"),
    "somebody stays away": (written("member_attended", -1, is_attended), "cost of public"),
    "an hour of cover more": (written("cover_hours", 1, lambda ledger: ledger.cover_time >= 0), "cost"),
    "somebody is paid from an hour later": (
        written("post_time", 1 / 24, lambda ledger: (ledger.post_time > 0) & (ledger.post_time < 40)),
        "cost",
    ),
    "cover never lapses": (never_lapsing, "revenue"),
}


@pytest.mark.parametrize(("seen", "told_of"), WRONG.values(), ids=WRONG)
def test_wrong_books_are_noticed(
    seen: Callable[[Ledger], Window], told_of: str, storm: tuple[Scenario, Ledger]
) -> None:
    scenario, ledger = storm
    with pytest.raises(AssertionError, match=told_of):
        check_books(scenario, ledger, seen(ledger))
