"""The same people with the same traits and the same luck in plans that differ, person by person (model.md §3).

Four kinds of difference: capacity, groups, staff, and the rate of one source. Whoever meets both plans was referred at
the same instant, is the same in every trait, and gets the same number wherever both plans ask chance for one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from copy import deepcopy
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings

from iopsim.model.clinic import simulate
from iopsim.model.draws import Draws
from iopsim.model.ledger import Ledger
from iopsim.scenario.schema import Scenario
from tests.properties.clinics import CLINIC, PROPERTY, Plain
from tests.properties.drawn import Key, given_out
from tests.properties.programs import programs
from tests.properties.test_same_lives import Identity, identities

Traits = tuple[float, str, str, str, str]
_TRAITS = {"track": "tracks", "time": "times", "modality": "modalities", "payer": "payers"}


class Met(NamedTuple):
    """Who came, when and with which traits; what each was given by chance; and what happened."""

    people: dict[Identity, Traits]
    luck: dict[Key, float]
    facts: list[object]


def met(program: Plain) -> Met:
    with given_out() as luck:
        ledger = simulate(Scenario.model_validate(program), replication=0)
    facts = [
        column.tolist() for column in (ledger.time, ledger.fact, ledger.stay, ledger.a, ledger.b, ledger.c)
    ]
    return Met(people(ledger), luck, facts)


def people(ledger: Ledger) -> dict[Identity, Traits]:
    columns = [
        [getattr(ledger, names)[number] for number in getattr(ledger, f"patient_{trait}")]
        for trait, names in _TRAITS.items()
    ]
    traits: Any = zip(ledger.patient_referred.tolist(), *columns, strict=True)
    return dict(zip(identities(ledger), traits, strict=True))


# ── what differs ─────────────────────────────────────────────────────────────────────────────────────────────


def capacity(program: Plain) -> None:
    """More of every capacity that there is, none new."""
    for level in program["levels"].values():
        for group in level.get("groups", {}).values():
            group["seats"] += 2
        places = level.get("places")
        if isinstance(places, dict):
            level["places"] = {track: most + 1 for track, most in places.items()}
        elif isinstance(places, int):
            level["places"] = places + 1


def groups(program: Plain) -> None:
    """Another group at each level with groups, ahead of those that are there."""
    for name, level in program["levels"].items():
        if "groups" in level:
            days = ["mon", "tue", "wed", "thu", "fri"]
            level["groups"] = {
                f"{name}_dawn": {"days": days, "start": "07:00", "seats": 4},
                **level["groups"],
            }


def staff(program: Plain) -> None:
    """Another post in each role."""
    for role in program["staff"].values():
        role["posts"] += 1


def rate(program: Plain) -> None:
    """Half as many again from the first source."""
    first = next(iter(program["sources"]))
    program["sources"][first]["per_week"] *= 1.5


KINDS = (capacity, groups, staff, rate)


def changed(program: Plain, kind: Callable[[Plain], None]) -> Plain:
    other = deepcopy(program)
    kind(other)
    return other


def strangers(one: Met, other: Met, more_from: str = "") -> list[object]:
    """Who is not the same in two plans; only one source may send people whom the first plan does not meet."""
    shared = one.luck.keys() & other.luck.keys()
    gone = [who for who, traits in one.people.items() if other.people.get(who) != traits]
    new = [who for who in other.people.keys() - one.people.keys() if who[0] != more_from]
    return [*gone, *new, *(key for key in shared if one.luck[key] != other.luck[key])]


def test_the_same_people_meet_plans_that_differ() -> None:
    acted: dict[str, list[bool]] = defaultdict(list)
    shared: list[float] = []

    @settings(PROPERTY, max_examples=12)
    @given(programs())
    def check(program: Plain) -> None:
        first, before = next(iter(program["sources"])), met(program)
        for kind in KINDS:
            after = met(changed(program, kind))
            assert not strangers(before, after, first if kind is rate else ""), kind.__name__
            acted[kind.__name__].append(before.facts != after.facts)
            shared.append(len(before.luck.keys() & after.luck.keys()) / max(len(before.luck), 1))

    check()
    assert min(np.mean(differs) for differs in acted.values()) > 0.3, (
        "changes that change nothing prove little"
    )
    assert np.mean(shared) > 0.7, "plans that ask for other numbers prove little"


# ── chance that belongs to something else is noticed, by the kind of difference that it minds ────────────────


def in_order(patch: pytest.MonkeyPatch) -> None:
    """A stream from which whoever comes next gets the next number."""
    streams: dict[Draws, np.random.Generator] = {}

    def following(self: Draws, *_: object) -> float:
        return float(streams.setdefault(self, np.random.default_rng(1)).random())

    patch.setattr(Draws, "uniform", following)


def by_number(patch: pytest.MonkeyPatch) -> None:
    """People known by their place among all who are referred."""

    def numbered(self: Draws, stay: Any, decision: str, occurrence: int = 0) -> float:
        key = ("numbered", stay.patient.index, decision, stay.unit.name, stay.entry, occurrence)
        return float(self.generator(*key).random())

    patch.setattr(Draws, "uniform", numbered)


def seeded(size: Callable[[Scenario], int]) -> Callable[[pytest.MonkeyPatch], None]:
    """A seed that has to do with the size of the plan."""

    def mutate(patch: pytest.MonkeyPatch) -> None:
        validate = Scenario.model_validate

        def reseeded(program: Any) -> Scenario:
            scenario = validate(program)
            run = scenario.run.model_copy(update={"seed": scenario.run.seed + size(scenario)})
            return scenario.model_copy(update={"run": run})

        patch.setattr(Scenario, "model_validate", reseeded)

    return mutate


def _groups(scenario: Scenario) -> int:
    return sum(len(level.groups) for level in scenario.levels.values())


def _posts(scenario: Scenario) -> int:
    return sum(role.posts for role in scenario.staff.values())


def _places(scenario: Scenario) -> int:
    return sum(level.places for level in scenario.levels.values() if isinstance(level.places, int))


MUTANTS = {
    "numbers in the order of events": (in_order, {"capacity", "groups", "staff", "rate"}),
    "a seed made of places": (seeded(_places), {"capacity"}),
    "a seed made of groups": (seeded(_groups), {"groups"}),
    "a seed made of posts": (seeded(_posts), {"staff"}),
    "people numbered as they come": (by_number, {"rate"}),
}


@pytest.mark.parametrize(("mutant", "minds"), MUTANTS.values(), ids=MUTANTS)
def test_chance_that_belongs_to_something_else_is_noticed(
    mutant: Callable[[pytest.MonkeyPatch], None], minds: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    mutant(monkeypatch)
    before = met(CLINIC)
    found = {
        kind.__name__: strangers(before, met(changed(CLINIC, kind)), "community" if kind is rate else "")
        for kind in KINDS
    }
    assert {name for name, others in found.items() if others} == minds
