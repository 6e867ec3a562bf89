"""Each rule of access, groups and staff has a limit where it vanishes and leaves every metric as it was."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from copy import deepcopy

import numpy as np
import pytest

from iopsim.measures.registry import Outcome, Sample, measure
from iopsim.measures.window import Window
from iopsim.model.clinic import simulate
from iopsim.scenario.schema import Scenario
from tests.properties.clinics import CLINIC, START, Plain

Change = Callable[[Plain], object]
NEVER = 36_525.0


def measured(change: Change | None = None) -> dict[str, Outcome]:
    """All metrics of the crowded clinic, changed or not."""
    program = deepcopy(CLINIC)
    program["sources"]["community"]["per_week"] = 13
    if change is not None:
        change(program)
    scenario = Scenario.model_validate(program)
    return measure(Window(scenario, simulate(scenario, replication=2)))


@pytest.fixture(scope="module")
def plain() -> dict[str, Outcome]:
    return measured()


def in_iop(**parts: object) -> Change:
    return lambda program: program["levels"]["iop"].update(parts)


def in_waitlist(**parts: object) -> Change:
    return lambda program: program["levels"]["iop"]["waitlist"].update(parts)


def in_groups(**parts: object) -> Change:
    return lambda program: [group.update(parts) for group in program["levels"]["iop"]["groups"].values()]


def in_sources(**parts: object) -> Change:
    return lambda program: [source.update(parts) for source in program["sources"].values()]


def in_staff(**parts: object) -> Change:
    return lambda program: program["staff"]["therapist"].update(parts)


def authorized(**terms: object) -> Change:
    asked = {"levels": ["unit", "iop"], **terms}
    return lambda program: program["payers"]["public"].update(authorization=asked)


def at_the_desk(program: Plain) -> None:
    """An intake that nobody goes through, in a role with no hours for it."""
    program["staff"]["desk"] = {"posts": 1}
    program["levels"]["iop"]["intake"] = {"role": "desk", "minutes": 60, "for": ["returned"]}


def merging(program: Plain) -> None:
    program["levels"]["iop"]["groups"]["day"]["below_minimum"] = {"merge_with": "evening"}


def led_by_enough(program: Plain) -> None:
    program["staff"]["leader"] = {"posts": 1, "cover_per_hour": 50}
    in_groups(facilitators={"leader": 1})(program)


def in_a_room(program: Plain) -> None:
    program["rooms"] = {"main": {"seats": 20}}
    in_groups(room="main")(program)


TWO_YEARS_LATER = START + dt.timedelta(days=730)
DAILY = {"cohort": {"first": START - dt.timedelta(days=21), "every_days": 1, "starters": 99}}
VANISHING: dict[str, Change] = {
    "everybody is reached": in_iop(contact={"share": 1}),
    "contact takes no time": in_iop(contact={"share": 1, "delay_days": 0}),
    "everybody is eligible": in_iop(eligible={"share": 1, "otherwise": "op"}),
    "stages of those who come from another level": in_iop(
        contact={"share": 1, "for": ["unit"]}, eligible={"share": 1, "for": ["unit", "returned"]}
    ),
    "an intake that nobody goes through": at_the_desk,
    "payers say yes at once": authorized(denied=0),
    "payers take no time": authorized(delay_days=0),
    "units that nobody uses up": authorized(units=10_000),
    "days that nobody uses up": authorized(units=10_000, per="day", ask_before=3, review={"cut": 1}),
    "reviews that always extend": authorized(units=2, ask_before=1),
    "ageing into the class of all": in_waitlist(ages_into={"class": 1000, "after_days": 0}),
    "ageing after a lifetime": in_waitlist(ages_into={"class": 1, "after_days": NEVER}),
    "another time after a lifetime": in_waitlist(accept_other_time_after_days=NEVER),
    "referred no day before": lambda program: program["levels"]["unit"].update(refer_before_days=0),
    "a cohort every day": in_groups(admission=DAILY),
    "a minimum census of one": merging,
    "the modality of all": in_groups(modality="telehealth"),
    "a room": in_a_room,
    "facilitators enough": led_by_enough,
    "no turnover": in_staff(
        turnover_per_year=0, days_to_hire=60, onboarding_weeks=8, reassignment={"dropout_factor": 3}
    ),
    "leaves after the end": in_staff(
        leaves=[TWO_YEARS_LATER, {"from": TWO_YEARS_LATER, "until": TWO_YEARS_LATER}]
    ),
    "cover that nobody needs": in_staff(cover_per_hour=50),
    "referrals not dispersed": in_sources(dispersion=1),
    "a factor of one": in_sources(changes=[{"from": START, "factor": 1}]),
}


def _numbers(outcome: Outcome) -> list[float]:
    return outcome.values.tolist() if isinstance(outcome, Sample) else list(outcome)


def differ(one: dict[str, Outcome], other: dict[str, Outcome]) -> list[str]:
    """Metrics that both have and that are not the same."""
    return [
        name
        for name in one.keys() & other.keys()
        if not np.array_equal(_numbers(one[name]), _numbers(other[name]), equal_nan=True)
    ]


@pytest.mark.parametrize("change", VANISHING.values(), ids=VANISHING)
def test_a_rule_at_its_limit_leaves_every_metric_as_it_was(change: Change, plain: dict[str, Outcome]) -> None:
    after = measured(change)
    assert len(after.keys() & plain.keys()) >= 0.9 * len(plain)
    assert not differ(plain, after)


ACTING: dict[str, Change] = {
    "not everybody is reached": in_iop(contact={"share": 0.9}),
    "contact takes time": in_iop(contact={"share": 1, "delay_days": 1}),
    "not everybody is eligible": in_iop(eligible={"share": 0.9}),
    "payers deny": authorized(denied=0.1),
    "payers take time": authorized(delay_days=2),
    "reviews that cut": authorized(units=2, ask_before=1, review={"cut": 0.3}),
    "ageing": lambda program: program["levels"]["iop"]["waitlist"].update(
        priority={"unit": 1, "community": 2}, ages_into={"class": 1, "after_days": 3}
    ),
    "another time after a week": in_waitlist(accept_other_time_after_days=7),
    "referred a day before": lambda program: program["levels"]["unit"].update(refer_before_days=1),
    "a cohort every week": in_groups(admission={"cohort": DAILY["cohort"] | {"every_days": 7}}),
    "turnover": in_staff(turnover_per_year=9, days_to_hire=20),
    "dispersion": in_sources(dispersion=3),
}


@pytest.mark.parametrize("change", ACTING.values(), ids=ACTING)
def test_a_rule_that_acts_changes_some(change: Change, plain: dict[str, Outcome]) -> None:
    assert differ(plain, measured(change))
