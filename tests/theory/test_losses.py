"""A level that turns people away, and places held for the next level (model.md §§5, 6, 11)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from iopsim.model.allocation import Allocator
from iopsim.model.journey import Journey
from iopsim.model.ledger import ENDS, Fact
from iopsim.scenario.schema import Scenario
from iopsim.theory import chains
from iopsim.theory.erlang import erlang_b
from tests.theory.replications import (
    DisagreementError,
    Part,
    Run,
    Statistic,
    agree,
    mean_in_care,
    mean_wait_until,
    named,
    replicate,
    run_of,
    scenario_of,
    share_joined,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from iopsim.model.people import Patient

# nobody waits: Erlang B

LAWS = [{"exponential": {"mean": 1}}, 1, {"lognormal": {"mean": 1, "cv": 2}}]


def loss_system(law: Any, at_most: int | dict[str, int] = 0) -> Scenario:
    level = {"places": 4, "stay_days": law, "waitlist": {"at_most": at_most}}
    return scenario_of(level, per_week=28, seed=21 + LAWS.index(law), weeks=12)


def erlang_b_holds(runs: Sequence[Run]) -> None:
    refused = erlang_b(servers=4, offered_load=4)
    agree(runs, {share_joined(Fact.REFUSED): refused, mean_in_care: 4 * (1 - refused)})


@pytest.mark.parametrize("law", LAWS, ids=["exponential", "constant", "lognormal"])
def test_a_list_of_none_is_erlang_b_whatever_the_law_of_the_stay(law: Any) -> None:
    erlang_b_holds(replicate(loss_system(law)))


def test_a_list_of_none_for_an_origin_is_erlang_b() -> None:
    erlang_b_holds(replicate(loss_system(LAWS[0], at_most={"community": 0}), replications=30))


@pytest.mark.parametrize("law", LAWS, ids=["exponential", "constant", "lognormal"])
def test_a_list_of_one_is_not_erlang_b(law: Any) -> None:
    with pytest.raises(DisagreementError):
        erlang_b_holds(replicate(loss_system(law, at_most=1), replications=25))


# an inpatient unit before a program that can be full

INPATIENT = chains.Unit(arrivals_per_day=3, mean_stay_days=1, places=4)
PROGRAM = chains.Unit(arrivals_per_day=2, mean_stay_days=1, places=2)
STEP_DOWN, CAP, PATIENCE_DAYS = 0.4, 2, 2.0


def step_down_scenario(step_downs_first: bool, hold_days: float | str = "forever") -> Scenario:
    first, second = ("inpatient", "community") if step_downs_first else ("community", "inpatient")
    return Scenario.model_validate(
        {
            "run": run_of(seed=25, weeks=28),
            "sources": {
                "emergency": {"to": "inpatient", "per_week": 7.0 * INPATIENT.arrivals_per_day},
                "community": {"to": "program", "per_week": 7.0 * PROGRAM.arrivals_per_day},
            },
            "levels": {
                "inpatient": {
                    **bedded(INPATIENT),
                    "next": {"program": STEP_DOWN, "home": 1 - STEP_DOWN},
                    "hold_days": hold_days,
                    "waitlist": {"at_most": 0},
                },
                "program": {
                    **bedded(PROGRAM),
                    "waitlist": {
                        "priority": {first: 1, second: 2},
                        "at_most": {"community": CAP},
                        "patience_days": {"exponential": {"mean": PATIENCE_DAYS}},
                    },
                },
            },
        }
    )


def bedded(unit: chains.Unit) -> dict[str, Any]:
    return {"places": unit.places, "stay_days": {"exponential": {"mean": unit.mean_stay_days}}}


def census_of(level: str) -> Statistic:
    @named(f"census of {level}")
    def statistic(run: Run) -> Part:
        return run.stays(level).mean_number(Fact.STARTED, *ENDS)

    return statistic


def held_in(level: str) -> Statistic:
    @named(f"held in {level}")
    def statistic(run: Run) -> Part:
        stays = run.stays(level)
        return stays[stays.had(*ENDS)].mean_number(Fact.COMPLETED, Fact.RELEASED)

    return statistic


def community_waiting(run: Run) -> Part:
    stays = run.stays("program", origin="community")
    return stays.mean_number(Fact.JOINED, Fact.ADMITTED, Fact.RENEGED, Fact.REFUSED)


def held_days_per_patient(run: Run) -> Part:
    """Over those who become ready to step down in the window, who all join the program's list at once."""
    stays = run.joined("program", origin="inpatient")
    return (stays.at(Fact.STARTED) - stays.at(Fact.JOINED)).sum(), len(stays)


def blocked_step_down_holds(runs: Sequence[Run], step_downs_first: bool) -> None:
    exact = chains.blocked_step_down(
        INPATIENT,
        PROGRAM,
        step_down_share=STEP_DOWN,
        community_at_most=CAP,
        mean_patience_days=PATIENCE_DAYS,
        step_downs_first=step_downs_first,
    )
    inpatient = {
        census_of("inpatient"): exact.inpatient_census,
        held_in("inpatient"): exact.held,
        held_days_per_patient: exact.held_days_per_patient,
        share_joined(Fact.REFUSED, "inpatient", "emergency"): exact.inpatient_refused_share,
    }
    program = {
        census_of("program"): exact.program_census,
        community_waiting: exact.community_waiting,
        share_joined(Fact.REFUSED, "program", "community"): exact.community_refused_share,
        share_joined(Fact.RENEGED, "program", "community"): exact.community_reneged_share,
    }
    agree(runs, inpatient | program)


@pytest.mark.parametrize("step_downs_first", [True, False])
def test_an_inpatient_unit_blocked_by_a_full_program(step_downs_first: bool) -> None:
    blocked_step_down_holds(replicate(step_down_scenario(step_downs_first)), step_downs_first)


def test_the_other_rule_of_priority_is_caught() -> None:
    with pytest.raises(DisagreementError):
        blocked_step_down_holds(replicate(step_down_scenario(True), replications=8), step_downs_first=False)


def test_a_place_that_is_not_held_is_caught() -> None:
    with pytest.raises(DisagreementError):
        blocked_step_down_holds(replicate(step_down_scenario(True, hold_days=0), replications=8), True)


def with_patience_at_once(
    journey: Journey, patient: Patient, *args: Any, join: Any = Journey.join, **kwargs: Any
) -> None:
    """A wrong `Journey.join`: who holds a place meanwhile may give up waiting like the others."""
    join(journey, patient, *args, **kwargs)
    if patient.here is not None and patient.ahead is not None:
        journey.begin_patience(patient.ahead)


def test_holders_who_give_up_like_the_others_are_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Journey, "join", with_patience_at_once)
    with pytest.raises(DisagreementError):
        blocked_step_down_holds(replicate(step_down_scenario(True), replications=15), True)


# a hold that ends

HOLD_DAYS, STEP_DOWNS_PER_DAY = 3, 4.0


def hopeless(hold_days: float) -> Scenario:
    """The program has no place at all: every hold lasts as long as it may, then everybody gives up."""
    onward = {"stay_days": {"exponential": {"mean": 1}}, "next": {"program": 1.0}, "hold_days": hold_days}
    program = {"places": 0, "stay_days": 1, "waitlist": {"patience_days": {"exponential": {"mean": 2}}}}
    return Scenario.model_validate(
        {
            "run": run_of(seed=27, weeks=8),
            "sources": {"emergency": {"to": "inpatient", "per_week": 7 * STEP_DOWNS_PER_DAY}},
            "levels": {"inpatient": onward, "program": program},
        }
    )


def hold_of_days_holds(runs: Sequence[Run]) -> None:
    """Patience is counted from giving up the held place."""
    waited = mean_wait_until(Fact.RENEGED, "program", "inpatient")
    agree(runs, {held_in("inpatient"): STEP_DOWNS_PER_DAY * HOLD_DAYS, waited: HOLD_DAYS + 2.0})


def test_a_hold_lasts_its_days_and_patience_begins_when_it_ends() -> None:
    hold_of_days_holds(replicate(hopeless(HOLD_DAYS)))


def test_patience_that_begins_with_the_hold_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Journey, "join", with_patience_at_once)
    with pytest.raises(DisagreementError):
        hold_of_days_holds(replicate(hopeless(HOLD_DAYS), replications=10))


def test_a_shorter_hold_is_caught() -> None:
    with pytest.raises(DisagreementError):
        hold_of_days_holds(replicate(hopeless(HOLD_DAYS - 0.5), replications=10))


# two levels that refer to each other

X = chains.Unit(arrivals_per_day=3, mean_stay_days=1, places=3)
Y = chains.Unit(arrivals_per_day=1.5, mean_stay_days=1, places=2)
X_TO_Y, Y_TO_X = 0.4, 0.6


def swapping_scenario() -> Scenario:
    def level(unit: chains.Unit, other: str, share: float, source: str) -> dict[str, Any]:
        onward = {"next": {other: share, "home": 1 - share}, "hold_days": "forever"}
        return {**bedded(unit), **onward, "waitlist": {"at_most": {source: 0}}}

    return Scenario.model_validate(
        {
            "run": run_of(seed=26, weeks=34),
            "sources": {
                "to_x": {"to": "x", "per_week": 7.0 * X.arrivals_per_day},
                "to_y": {"to": "y", "per_week": 7.0 * Y.arrivals_per_day},
            },
            "levels": {"x": level(X, "y", X_TO_Y, "to_x"), "y": level(Y, "x", Y_TO_X, "to_y")},
        }
    )


def two_way_swap_holds(runs: Sequence[Run]) -> None:
    exact = chains.two_way_swap(X, Y, share_x_to_y=X_TO_Y, share_y_to_x=Y_TO_X)
    at_x = {
        census_of("x"): exact.x_census,
        held_in("x"): exact.x_held,
        share_joined(Fact.REFUSED, "x", "to_x"): exact.x_refused_share,
    }
    at_y = {
        census_of("y"): exact.y_census,
        held_in("y"): exact.y_held,
        share_joined(Fact.REFUSED, "y", "to_y"): exact.y_refused_share,
    }
    agree(runs, at_x | at_y, precision=0.04)


def test_holders_who_wait_for_each_other_swap_at_once() -> None:
    two_way_swap_holds(replicate(swapping_scenario()))


def test_holders_who_never_swap_are_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Allocator, "_unlock", lambda allocator, unit: None)
    with pytest.raises(DisagreementError):
        two_way_swap_holds(replicate(swapping_scenario(), replications=4))
