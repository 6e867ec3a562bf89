"""What an episode and a held place cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iopsim.theory.stays import calendar_days, restricted_mean
from iopsim.verification.case import Claim, case
from iopsim.verification.given import dropout, per_day, planned_sessions, stay
from iopsim.verification.holding import blocked
from iopsim.verification.observed import metric, named
from iopsim.verification.stays import stays_per_day

if TYPE_CHECKING:
    from collections.abc import Iterator

    from iopsim.scenario.schema import Scenario
    from iopsim.verification.observed import Observed, Part


def _days(scenario: Scenario) -> float:
    """Of the window."""
    return 7.0 * scenario.run.weeks


@case("episode-cost", "Expected cost of an episode that is bought by the day", replications=28)
def episode_cost(scenario: Scenario) -> Iterator[Claim]:
    """Mean days of the shorter of plan and dropout, by the calendar, at the price of a day."""
    price = scenario.levels["php"].cost_per_day
    assert price is not None
    planned, leaving = stay(scenario, "php"), dropout(scenario, "php")

    def in_care(days: float) -> float:
        return planned.survival(days) * leaving.survival(days)

    mean = restricted_mean(in_care, planned.quantile(1 - 1e-15))
    cost = price * calendar_days(in_care, mean)
    yield Claim(mean, metric("php.stay_days.mean"))
    yield Claim(cost, metric("community.system_cost.per_referral"))
    yield Claim(cost * per_day(scenario) * _days(scenario), metric("php.cost.total"))


@case("path-cost", "Expected cost of a referral through three levels, with relapses", replications=25)
def path_cost(scenario: Scenario) -> Iterator[Claim]:
    """Stays in each level (traffic equations) × days × price; the program's own cost is the same whoever comes."""
    rates, weeks = stays_per_day(scenario), scenario.run.weeks
    bought = {
        level: rates[level] * _days(scenario) * _episode(scenario, level) for level in ("inpatient", "php")
    }
    own, referred = _own_cost(scenario), per_day(scenario, "emergency") * _days(scenario)
    for level, cost in bought.items():
        yield Claim(cost, metric(f"{level}.cost.total"))
    yield Claim(own, metric("program.cost.total"))
    yield Claim((sum(bought.values()) + own) / referred, metric("emergency.system_cost.per_referral"))
    attendance = scenario.levels["iop"].attendance.mean
    attended = rates["iop"] * 7 * weeks * planned_sessions(scenario, "iop") * attendance
    yield Claim(attended, metric("program.attended_days.total"))
    yield Claim(own / attended, metric("program.cost.per_attended_day"))
    pay, denied = scenario.money.revenue["iop"]["all"], scenario.money.billing.claims_denied
    assert isinstance(pay, float)
    yield Claim(attended * pay * (1 - denied), metric("program.revenue.total"))


def _episode(scenario: Scenario, level: str) -> float:
    """Price of a stay in a level that is bought; where it is bought by days attended, every day is one of them."""
    spec, law = scenario.levels[level], stay(scenario, level)
    price = spec.cost_per_day or spec.attendance.mean * (spec.cost_per_attended_day or 0.0)
    return price * calendar_days(law.survival, law.mean)


def _own_cost(scenario: Scenario) -> float:
    """Salaries with benefits and rent in the window, and the overhead that is a share of all."""
    weeks, money = scenario.run.weeks, scenario.money
    assert money.overhead_share_of_cost is not None
    salaries = sum(role.posts * role.fte * (role.salary_per_year or 0.0) for role in scenario.staff.values())
    rent = sum(room.cost_per_week for room in scenario.rooms.values()) * weeks
    direct = salaries * (1 + money.benefits) * 7 * weeks / 365 + rent
    return direct / (1 - money.overhead_share_of_cost)


@case("cost-of-blocking", "What held beds cost: days held × the price of a bed", replications=25)
def cost_of_blocking(scenario: Scenario) -> Iterator[Claim]:
    """As many days as the chain holds beds."""
    bed = scenario.levels["inpatient"].cost_per_day
    assert bed is not None
    days = blocked(scenario).held * _days(scenario)
    yield Claim(days, _HELD_DAYS, precision=0.04)
    yield Claim(bed * days, _HELD_COST, precision=0.04)
    yield Claim(bed, _cost_of_a_held_day)


_HELD_DAYS, _HELD_COST = metric("inpatient.held_days_for.iop"), metric("inpatient.held_cost_for.iop")


@named("cost of a held day")
def _cost_of_a_held_day(observed: Observed) -> Part:
    return _HELD_COST(observed)[0], _HELD_DAYS(observed)[0]
