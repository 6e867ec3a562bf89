"""Where there is room for everybody, other people and other plans change nobody's life (model.md §3)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from copy import deepcopy
from dataclasses import fields
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from hypothesis import given

from iopsim.model.clinic import simulate
from iopsim.model.draws import Draws
from iopsim.model.ledger import Fact, Ledger
from iopsim.scenario.schema import Scenario
from tests.properties.clinics import CLINIC, PROPERTY, Plain
from tests.properties.programs import programs

Identity = tuple[str, int, int]


def changed(program: Plain, change: Callable[[Plain], object]) -> Plain:
    """A copy of the program with one change."""
    copy = deepcopy(program)
    change(copy)
    return copy


def ample(program: Plain) -> Plain:
    """The program with room for everybody at once, and no taper, which keeps the days that others leave free."""

    def grow(copy: Plain) -> None:
        copy["levels"]["unit"]["places"] = "unlimited"
        copy["staff"]["therapist"]["caseload"] = 500
        copy["staff"]["nurse"] = {"posts": 3}
        copy["levels"]["iop"]["phases"] = [{"weeks": 3, "days_per_week": 3}]
        for group in copy["levels"]["iop"]["groups"].values():
            group["seats"] = 500

    return changed(program, grow)


def identities(ledger: Ledger) -> list[Identity]:
    """Source, height cell and ordinal of each patient, in their order."""
    columns = (ledger.patient_cell.tolist(), ledger.patient_ordinal.tolist())
    sources = [ledger.sources[source] for source in ledger.patient_source]
    return list(zip(sources, *columns, strict=True))


def lived(program: Plain, replication: int = 0) -> Ledger:
    """What happens in a program."""
    return simulate(Scenario.model_validate(program), replication)


def lives(program: Plain) -> dict[Identity, list[tuple[object, ...]]]:
    """What happens to everybody and when, whichever group and post they have."""
    ledger = lived(program)
    who = identities(ledger)
    told: dict[Identity, list[tuple[object, ...]]] = {identity: [] for identity in who}
    rows = zip(ledger.time.tolist(), ledger.fact.tolist(), ledger.stay.tolist(), strict=True)
    for time, fact, stay in rows:
        level = ledger.levels[ledger.stay_level[stay]]
        told[who[ledger.stay_patient[stay]]].append((time, Fact(fact).name, level))
    return told


def is_kept(part: dict[Any, Any], whole: dict[Any, Any]) -> bool:
    """Whether every entry of a mapping is found in the other, unchanged."""
    return all(whole.get(key) == value for key, value in part.items())


# ── more or fewer of them ────────────────────────────────────────────────────────────────────────────────────


def faster(program: Plain) -> None:
    program["sources"]["community"]["per_week"] *= 1.1


def test_a_higher_rate_changes_no_life_but_adds_new_ones() -> None:
    before, after = lives(ample(CLINIC)), lives(changed(ample(CLINIC), faster))
    assert is_kept(before, after)
    assert len(after) > len(before)


def test_draws_in_the_order_of_events_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    streams: dict[Draws, np.random.Generator] = {}

    def next_in_line(self: Draws, *_: object) -> float:
        return float(streams.setdefault(self, np.random.default_rng(1)).random())

    monkeypatch.setattr(Draws, "uniform", next_in_line)
    assert not is_kept(lives(ample(CLINIC)), lives(changed(ample(CLINIC), faster)))


# ── additions elsewhere ──────────────────────────────────────────────────────────────────────────────────────


def add(table: str, name: str, value: Plain) -> Callable[[Plain], object]:
    """Adds an entry, ahead of those that are there: the order of the file is nobody's identity."""

    def change(program: Plain) -> None:
        part = program
        for key in table.split("."):
            part = part[key]
        entries = {name: value, **part}
        part.clear()
        part.update(entries)

    return change


ADDITIONS = {
    "a group": add(
        "levels.iop.groups",
        "dawn",
        CLINIC["levels"]["iop"]["groups"]["day"] | {"time": "evening", "start": "07:00", "seats": 9},
    ),
    "a therapist": lambda program: program["staff"]["therapist"].update(posts=3),
    "a source": add("sources", "court", CLINIC["sources"]["community"] | {"to": "op"}),
    "a level": add("levels", "php", {"stay_days": 5}),
    "a service": add(
        "services", "skills", {"levels": ["iop"], "role": "therapist", "every_weeks": 1, "share": 0.5}
    ),
    "a service that waits for hours": add(
        "services",
        "check",
        {"levels": ["iop"], "role": "nurse", "minutes": 30, "per": "admission", "limits": True},
    ),
    "a service that admission waits for": add(
        "services",
        "evaluation",
        {
            "levels": ["iop"],
            "role": "nurse",
            "minutes": 30,
            "per": "admission",
            "limits": "admission",
            "due_days": 60,
        },
    ),
    "an unused track": add("tracks", "trauma", {}),
    "an unused payer": add("payers", "self_pay", {}),
    "an unused role": add("staff", "cook", {"posts": 2, "caseload": 9}),
}


@pytest.mark.parametrize("what", sorted(ADDITIONS.keys() - {"a group"}))
def test_an_addition_changes_no_life(what: str) -> None:
    assert is_kept(lives(ample(CLINIC)), lives(changed(ample(CLINIC), ADDITIONS[what])))


def test_a_new_group_changes_the_lives_of_those_who_fit_in_it_only() -> None:
    program = ample(CLINIC)
    before, after = lives(program), lives(changed(program, ADDITIONS["a group"]))
    ledger = lived(program)
    days_only = {
        who
        for who, time in zip(identities(ledger), ledger.patient_time, strict=True)
        if ledger.times[time] == "day"
    }
    changes = {who for who, life in before.items() if after[who] != life}
    assert days_only and changes and not changes & days_only


# ── words that nobody uses, weeks that nobody asked for ──────────────────────────────────────────────────────


def same_facts(one: Ledger, other: Ledger, until: float = np.inf) -> bool:
    """Whether the same happened to the same people, in the same order, up to an instant."""
    return _facts(one, until) == _facts(other, until)


def _facts(ledger: Ledger, until: float) -> list[Iterable[tuple[object, ...]]]:
    who, early = identities(ledger), ledger.time < until
    facts = (ledger.time, ledger.fact, ledger.stay, ledger.a, ledger.b, ledger.c)
    sessions = (ledger.session_time, ledger.session_group, ledger.session_cause, ledger.session_enrolled)
    met = ledger.session_time < until
    stays = np.unique(ledger.stay[early])
    return [
        list(zip(*(column[early].tolist() for column in facts), strict=True)),
        list(zip(*(column[met].tolist() for column in sessions), strict=True)),
        [
            (who[ledger.stay_patient[stay]], ledger.stay_level[stay], ledger.stay_entry[stay])
            for stay in stays
        ],
    ]


@PROPERTY
@given(programs())
def test_an_unused_track_payer_and_role_leave_every_fact_as_it_was(program: Plain) -> None:
    wordy = changed(program, lambda copy: copy["payers"].update(self_pay={}))
    wordy["tracks"]["trauma"] = {}
    wordy["staff"]["cook"] = {"posts": 2, "caseload": 9}
    assert same_facts(lived(program), lived(wordy))


@PROPERTY
@given(programs())
def test_a_longer_run_out_changes_nothing_before_it(program: Plain) -> None:
    run = program["run"]
    longer = changed(program, lambda copy: copy["run"].update(run_out_weeks=run["run_out_weeks"] + 2))
    assert same_facts(lived(program), lived(longer), until=7 * (run["weeks"] + run["run_out_weeks"]))


# ── the same again ───────────────────────────────────────────────────────────────────────────────────────────


def columns(ledger: Ledger) -> dict[str, object]:
    """Everything in a ledger, as plain values."""
    values = {column.name: getattr(ledger, column.name) for column in fields(ledger)}
    return {
        name: value.tolist() if isinstance(value, np.ndarray) else value for name, value in values.items()
    }


def test_the_same_scenario_and_replication_give_the_same_ledger() -> None:
    assert columns(lived(CLINIC, 3)) == columns(lived(CLINIC, 3))


def test_asking_for_used_keys_changes_nothing() -> None:
    used: set[tuple[object, ...]] = set()
    watched = simulate(Scenario.model_validate(CLINIC), 3, used)
    assert columns(watched) == columns(lived(CLINIC, 3))
    assert len(used) > 500


def test_another_replication_or_seed_has_other_people() -> None:
    reseeded = changed(CLINIC, lambda copy: copy["run"].update(seed=5))
    ledgers = lived(CLINIC), lived(CLINIC, replication=1), lived(reseeded)
    instants = [set(ledger.patient_referred.tolist()) for ledger in ledgers]
    assert all(one.isdisjoint(other) for one, other in combinations(instants, 2))
    assert all(instants)
