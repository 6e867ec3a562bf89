"""Three levels that step down, step up and hold places in both directions, beside a Markov chain (model.md §§5, 11)."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from iopsim.model.allocation import Allocator
from iopsim.model.journey import Journey
from iopsim.model.ledger import ENDS, Fact
from iopsim.model.people import State
from iopsim.scenario.schema import Scenario
from iopsim.theory.chains import Unit
from iopsim.theory.continuum import Continuum, Stage, continuum
from tests.theory.replications import (
    DisagreementError,
    Part,
    Run,
    Statistic,
    agree,
    named,
    replicate,
    run_of,
    share_joined,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from iopsim.model.people import Stay

NAMES = ("beds", "days", "evenings")
BEDS, DAYS, EVENINGS = range(3)
STAGES = (
    Stage(
        unit=Unit(arrivals_per_day=1.3, mean_stay_days=1, places=1),
        next_shares={DAYS: 0.5, EVENINGS: 0.4},
        first=(EVENINGS, DAYS),
    ),
    Stage(
        unit=Unit(arrivals_per_day=1.2, mean_stay_days=1.5, places=2),
        next_shares={EVENINGS: 0.8},
        step_up_per_day={BEDS: 0.2},
        first=(BEDS, EVENINGS),
    ),
    Stage(
        unit=Unit(arrivals_per_day=1.2, mean_stay_days=2, places=2),
        step_up_per_day={BEDS: 0.15, DAYS: 0.4},
        first=(DAYS, BEDS),
    ),
)


def scenario(stages: Sequence[Stage] = STAGES, **changes: Any) -> Scenario:
    """Nobody waits who is referred from outside; who is due elsewhere waits as long as it takes, in their place."""
    sources = {
        f"to_{name}": {"to": name, "per_week": 7 * stage.unit.arrivals_per_day}
        for name, stage in zip(NAMES, stages, strict=True)
    }
    levels = {
        name: level(name, stage) | changes.get(name, {}) for name, stage in zip(NAMES, stages, strict=True)
    }
    return Scenario.model_validate({"run": run_of(seed=51, weeks=90), "sources": sources, "levels": levels})


def level(name: str, stage: Stage) -> dict[str, Any]:
    onward = {NAMES[there]: share for there, share in stage.next_shares.items()}
    waitlist = {
        "at_most": {f"to_{name}": 0},
        "priority": {NAMES[there]: place for place, there in enumerate(stage.first, start=1)},
    }
    spec: dict[str, Any] = {
        "places": stage.unit.places,
        "stay_days": {"exponential": {"mean": stage.unit.mean_stay_days}},
        "next": onward | {"home": 1 - sum(onward.values())},
        "hold_days": "forever",
        "waitlist": waitlist,
    }
    if rates := stage.step_up_per_day:
        total = sum(rates.values())
        to = {NAMES[there]: rate / total for there, rate in rates.items()}
        spec["leave_early"] = {"step_up": {"after_days": {"exponential": {"mean": 1 / total}}, "to": to}}
    return spec


@cache
def exactly() -> Continuum:
    return continuum(STAGES)


def census_of(name: str) -> Statistic:
    @named(f"census of {name}")
    def statistic(run: Run) -> Part:
        return run.stays(name).mean_number(Fact.STARTED, Fact.SUSPENDED, *ENDS)

    return statistic


def held_for(here: str, there: str) -> Statistic:
    """Places held after treatment or in the middle of it: which of the two, the chain does not tell apart."""

    @named(f"held in {here} for {there}")
    def statistic(run: Run) -> Part:
        ledger, stays = run.ledger, run.stays(here)
        due = np.isin(ledger.fact, (Fact.COMPLETED, Fact.SUSPENDED)) & (
            ledger.a == ledger.levels.index(there)
        )
        stays = stays[np.isin(stays.number, ledger.stay[due])]
        begin, end = stays.at(Fact.COMPLETED, Fact.SUSPENDED), stays.at(Fact.RELEASED)
        return (np.clip(end, 0, run.days) - np.clip(begin, 0, run.days)).sum(), run.days

    return statistic


def continuum_holds(runs: Sequence[Run]) -> None:
    exact = exactly()
    in_care = {census_of(name): exact.census[number] for number, name in enumerate(NAMES)}
    held = {
        held_for(NAMES[here], NAMES[there]): number for (here, there), number in exact.held.items() if number
    }
    assert len(held) == 6 and all(number > 0.01 for number in held.values()), "a chain that says little"
    refused = {
        share_joined(Fact.REFUSED, name, f"to_{name}"): exact.refused_share[number]
        for number, name in enumerate(NAMES)
    }
    agree(runs, in_care | held | refused, precision=0.04)


def test_three_levels_that_hold_places_both_ways() -> None:
    continuum_holds(replicate(scenario()))


def is_caught(replications: int = 6, **changes: Any) -> None:
    with pytest.raises(DisagreementError):
        continuum_holds(replicate(scenario(**changes), replications))


def test_holders_who_never_swap_are_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Allocator, "_unlock", lambda allocator, unit: None)
    is_caught()


def test_two_who_swap_while_three_never_do_are_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mutant that finds exchanges of two, and is blind for those of three."""

    def only_two(allocator: Allocator, unit: Unit, cycles: Any = Allocator._cycles) -> Iterator[list[Stay]]:
        return (cycle for cycle in cycles(allocator, unit) if len(cycle) < 3)

    monkeypatch.setattr(Allocator, "_cycles", only_two)
    is_caught(replications=20)


def test_a_step_up_that_does_not_hold_its_place_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    def let_go(journey: Journey, stay: Stay, *args: Any, hold: Any = Journey.hold) -> None:
        hold(journey, stay, *args)
        if stay.state is State.SUSPENDED:
            journey.resume(stay)

    monkeypatch.setattr(Journey, "hold", let_go)
    is_caught()


def test_the_other_order_of_holders_is_caught() -> None:
    waitlist = {"at_most": {"to_evenings": 0}, "priority": {"beds": 1, "days": 2}}
    is_caught(replications=15, evenings={"waitlist": waitlist})
