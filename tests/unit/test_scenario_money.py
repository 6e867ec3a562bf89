"""What a day earns and what the alternative costs: what is read, and what is refused in which words."""

from __future__ import annotations

from pathlib import Path

import pytest

from iopsim.errors import InputError
from iopsim.scenario import load, resolved, resolved_text

BASE = """\
run: {start: 2027-01-04, warm_up_weeks: 10, weeks: 52, run_out_weeks: 10}
payers: {public: {}, private: {}}
sources:
  community: {to: iop, per_week: 5, payers: {public: 0.6, private: 0.4}}
  ward: {to: inpatient, per_week: 2, payers: {public: 1}}
levels:
  inpatient: {places: 20, stay_days: 10, next: {iop: 0.5, home: 0.5}, cost_per_day: 1050}
  iop:
    phases: [{weeks: 5, days_per_week: 3}]
    next: {outpatient: 0.6, home: 0.4}
    groups: {day: {days: [mon, wed, fri], seats: 24}}
  outpatient: {stay_days: 90, cost_per_day: 6}
"""


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("base.yaml").write_text(BASE)


def faults(text: str) -> list[str]:
    """The faults of a scenario on the base, as lines without the name of the file."""
    Path("case.yaml").write_text(f"extends: base.yaml\n{text}\n")
    with pytest.raises(InputError) as caught:
        load("case.yaml")
    return [line.removeprefix("case.yaml:").replace("error: ", "") for line in str(caught.value).splitlines()]


def alternative(text: str) -> str:
    return f"money: {{inpatient_alternative: {{for: [ward], stay_days: 9, cost_per_day: 9, {text}}}}}"


FAULTS = {
    "money: {revenue: {inpatient: {public: 500}}}": (
        "2:19: money.revenue.inpatient: a level with a `cost_per_day` is bought from outside and earns nothing; "
        "drop one of the two"
    ),
    "levels: {outpatient: {cost_per_day: null}}\n"
    "money: {revenue: {outpatient: {private: [{from_services: 1, pay: 90}]}}}": (
        "2:10: levels.outpatient: needs `hours_per_day`: private pays by the services of a day, and the level has no "
        "groups to say its hours"
    ),
    "levels: {outpatient: {cost_per_day: null}}\n"
    "money: {revenue: {outpatient: {private: 90}}, billing: {hours_per_day_at_least: 1}}": (
        "2:10: levels.outpatient: needs `hours_per_day`: `billing.hours_per_day_at_least` asks for them, and the level "
        "has no groups to say its hours"
    ),
    "money: {revenue: {iop: {private: [{from_services: 2, pay: 90}, {from_services: 2, pay: 95}]}}}": (
        "2:25: money.revenue.iop.private: two tiers are from one number of services; say each number once"
    ),
    "money: {inpatient_alternative: {for: [ward], divertible: {ward: 0.1, community: 0.2}, stay_days: 9, "
    "cost_per_day: 9}}": (
        "2:70: money.inpatient_alternative.divertible.community: this source is not among those of `for`; add it "
        "there, or drop it here"
    ),
    "money: {inpatient_alternative: {for: [ward, community], divertible: {ward: 0.1}, stay_days: 9, "
    "cost_per_day: 9}}": (
        "2:57: money.inpatient_alternative.divertible: says nothing of community, named in `for`; say a share, such "
        "as 0"
    ),
    "levels: {outpatient: {cost_per_day: null, cost_per_attended_day: 9}}\n"
    "money: {revenue: {outpatient: {private: 90}}}": (
        "3:19: money.revenue.outpatient: a level with a `cost_per_attended_day` is bought from outside and earns "
        "nothing; drop one of the two"
    ),
    "levels: {outpatient: {cost_per_day: null}}\n"
    "money: {revenue: {outpatient: {private: [{from_services: 1, pay: 90}], public: [{from_services: 1, pay: 9}]}}}": (
        "2:10: levels.outpatient: needs `hours_per_day`: private and public pay by the services of a day, and the "
        "level has no groups to say its hours"
    ),
    "levels: {outpatient: {cost_per_attended_day: 9}}": (
        "2:10: levels.outpatient: give `cost_per_day` or `cost_per_attended_day`, not both"
    ),
    "money: {overhead_per_year: 9, overhead_share_of_cost: 0.1}": (
        "2:1: money: give `overhead_share_of_cost` or `overhead_per_year`, not both"
    ),
    "money: {revenue: {iop: {private: []}}}": (
        "2:25: money.revenue.iop.private: is empty; it needs at least one entry"
    ),
    "money: {revenue: {iop: {private: {from_services: 1, pay: 3}}}}": (
        "2:25: money.revenue.iop.private: must be a number or a list (got a mapping); write it as an item of a list, "
        'after "- "'
    ),
    "money: {revenue: {iop: {private: [100]}}}": (
        "2:35: money.revenue.iop.private[0]: must be a mapping with the keys from_services and pay (got 100)"
    ),
    "money: {revenue: {iop: {private: [{from_service: 1, pay: 9}]}}}": (
        '2:36: money.revenue.iop.private[0].from_service: unknown key (did you mean "from_services"?)'
    ),
    "money: {revenue: {iop: {private: [{from_services: 1.5, pay: 9}]}}}": (
        "2:36: money.revenue.iop.private[0].from_services: must be a whole number (got 1.5)"
    ),
    "money: {revenue: {iop: {private: [{from_services: 0, pay: 500}]}}}": (
        "2:36: money.revenue.iop.private[0].from_services: must be at least 1 (got 0)"
    ),
    "money: {revenue: {iop: {privat: 9}}}": (
        '2:25: money.revenue.iop.privat: unknown payer "privat" (did you mean "private"?)'
    ),
    "money: {revenue: {ipo: {private: 9}}}": (
        '2:19: money.revenue.ipo: unknown level "ipo" (did you mean "iop"?)'
    ),
    "money: {biling: {claims_denied: 0.1}}": '2:9: money.biling: unknown key (did you mean "billing"?)',
    "money: {billing: {claim_denied: 0.1}}": (
        '2:19: money.billing.claim_denied: unknown key (did you mean "claims_denied"?)'
    ),
    "money: {billing: {claims_denied: 5}}": (
        "2:19: money.billing.claims_denied: must be at most 1 (got 5); 5 % is written 0.05"
    ),
    "money: {billing: {claims_denied: 5 %}}": (
        '2:19: money.billing.claims_denied: must be a number (got text "5 %"); write 0.05'
    ),
    "money: {billing: {hours_per_day_at_least: 30}}": (
        "2:19: money.billing.hours_per_day_at_least: must be at most 24 (got 30)"
    ),
    "money: {billing: {below_minimum: -1}}": "2:19: money.billing.below_minimum: must be at least 0 (got -1)",
    alternative("beds_closed: true"): (
        '2:77: money.inpatient_alternative.beds_closed: unknown key (did you mean "beds_close"?)'
    ),
    alternative("beds_close: yes"): (
        '2:77: money.inpatient_alternative.beds_close: must be true or false (got text "yes"); write true'
    ),
    alternative("divertible: 5"): (
        "2:77: money.inpatient_alternative.divertible: must be at most 1 (got 5); 5 % is written 0.05"
    ),
    alternative("outcome_difference: -2"): (
        "2:77: money.inpatient_alternative.outcome_difference: must be at least -1 (got -2)"
    ),
}


@pytest.mark.parametrize(("text", "expected"), FAULTS.items(), ids=FAULTS)
def test_what_is_wrong_with_a_price_is_said_at_its_place(text: str, expected: str) -> None:
    assert faults(text) == [expected]


def test_tiers_stand_in_the_order_of_their_services_and_read_back() -> None:
    text = "{private: [{from_services: 4, pay: 400}, {from_services: 1, pay: 250}], public: 90}"
    Path("case.yaml").write_text(f"extends: base.yaml\nmoney: {{revenue: {{iop: {text}}}}}\n")
    scenario = load("case.yaml")
    tiers = [{"from_services": 1, "pay": 250.0}, {"from_services": 4, "pay": 400.0}]
    assert resolved(scenario)["money"]["revenue"] == {"iop": {"private": tiers, "public": 90.0}}
    Path("again.yaml").write_text(resolved_text(scenario))
    assert load("again.yaml") == scenario


def test_a_variant_says_only_what_differs() -> None:
    Path("first.yaml").write_text(f"extends: base.yaml\n{alternative('divertible: {ward: 0.1}')}\n")
    Path("case.yaml").write_text(
        "extends: first.yaml\nmoney: {billing: {claims_denied: 0.1}, inpatient_alternative: {cost_per_day: 8}}\n"
    )
    money = load("case.yaml").money
    assert money.billing.claims_denied == 0.1
    assert money.inpatient_alternative is not None
    assert (money.inpatient_alternative.stay_days, money.inpatient_alternative.cost_per_day) == (9, 8)
    assert load("case.yaml", ["money.inpatient_alternative=null"]).money.inpatient_alternative is None
