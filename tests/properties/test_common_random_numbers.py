"""The same people meet every plan (model.md §3): same traits, same draws, and where there is room, same lives."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from copy import deepcopy
from dataclasses import fields
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given

from iopsim.model.clinic import simulate
from iopsim.model.draws import Draws
from iopsim.model.ledger import Fact, Ledger
from iopsim.model.people import Patient
from iopsim.scenario.schema import Scenario
from tests.properties.programs import CLINIC, PROPERTY, Plain, programs

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
        copy["levels"]["iop"]["phases"] = [{"weeks": 3, "days_per_week": 3}]
        for group in copy["levels"]["iop"]["groups"].values():
            group["seats"] = 500

    return changed(program, grow)


def lived(program: Plain, replication: int = 0) -> tuple[Ledger, dict[tuple[object, ...], float]]:
    """The ledger of a program, and every uniform number that somebody drew, by its key."""
    drawn: dict[tuple[object, ...], float] = {}
    draw = Draws.uniform

    def uniform(self: Draws, patient: Patient, *key: Any) -> float:
        number = draw(self, patient, *key)
        drawn[(patient.cell.source, patient.cell.number, patient.row, *key)] = number
        return number

    with patch.object(Draws, "uniform", uniform):
        return simulate(Scenario.model_validate(program), replication), drawn


def identities(ledger: Ledger) -> list[Identity]:
    """Source, height cell and ordinal of each patient, in their order."""
    columns = (ledger.patient_cell.tolist(), ledger.patient_ordinal.tolist())
    sources = [ledger.sources[source] for source in ledger.patient_source]
    return list(zip(sources, *columns, strict=True))


def people(ledger: Ledger) -> dict[Identity, tuple[object, ...]]:
    """Who is referred: instant, track, time and payer by identity."""
    traits = zip(
        ledger.patient_referred.tolist(),
        (ledger.tracks[track] for track in ledger.patient_track),
        (ledger.times[time] for time in ledger.patient_time),
        (ledger.payers[payer] for payer in ledger.patient_payer),
        strict=True,
    )
    return dict(zip(identities(ledger), traits, strict=True))


def lives(ledger: Ledger) -> dict[Identity, list[tuple[object, ...]]]:
    """What happens to everybody and when, whichever group and post they have."""
    who = identities(ledger)
    told: dict[Identity, list[tuple[object, ...]]] = {identity: [] for identity in who}
    for time, fact, stay in zip(
        ledger.time.tolist(), ledger.fact.tolist(), ledger.stay.tolist(), strict=True
    ):
        level = ledger.levels[ledger.stay_level[stay]]
        told[who[ledger.stay_patient[stay]]].append((time, Fact(fact).name, level))
    return told


def is_kept(part: dict[Any, Any], whole: dict[Any, Any]) -> bool:
    """Whether every entry of a mapping is found in the other, unchanged."""
    return all(whole.get(key) == value for key, value in part.items())


def agree(one: dict[Any, Any], other: dict[Any, Any]) -> bool:
    """Whether what both have is the same in both, and is most of either."""
    shared = one.keys() & other.keys()
    return len(shared) > len(one) / 2 and all(one[key] == other[key] for key in shared)


# ── more or fewer of them ────────────────────────────────────────────────────────────────────────────────────


def faster(program: Plain) -> None:
    program["sources"]["community"]["per_week"] *= 1.1


def test_a_higher_rate_adds_people_and_moves_nobody() -> None:
    before, drawn_before = lived(CLINIC)
    after, drawn_after = lived(changed(CLINIC, faster))
    assert is_kept(people(before), people(after))
    added = people(after).keys() - people(before).keys()
    assert added and {source for source, _, _ in added} == {"community"}
    assert agree(drawn_before, drawn_after)


def test_where_there_is_room_a_higher_rate_changes_no_life_but_the_new_ones() -> None:
    before, _ = lived(ample(CLINIC))
    after, _ = lived(changed(ample(CLINIC), faster))
    assert is_kept(lives(before), lives(after))
    assert len(lives(after)) > len(lives(before))


def test_draws_in_the_order_of_events_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    streams: dict[Draws, np.random.Generator] = {}

    def next_in_line(self: Draws, *_: Any) -> float:
        return float(streams.setdefault(self, np.random.default_rng(1)).random())

    monkeypatch.setattr(Draws, "uniform", next_in_line)
    assert not agree(lived(CLINIC)[1], lived(changed(CLINIC, faster))[1])


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
    "an unused track": add("tracks", "trauma", {}),
    "an unused payer": add("payers", "self_pay", {}),
    "an unused role": add("staff", "nurse", {"posts": 2, "caseload": 9}),
}


@pytest.mark.parametrize("change", ADDITIONS.values(), ids=ADDITIONS)
def test_an_addition_moves_nobody_elses_traits_or_draws(change: Callable[[Plain], object]) -> None:
    before, drawn_before = lived(CLINIC)
    after, drawn_after = lived(changed(CLINIC, change))
    assert is_kept(people(before), people(after))
    assert agree(drawn_before, drawn_after)


@pytest.mark.parametrize("change", [change for what, change in ADDITIONS.items() if what != "a group"])
def test_where_there_is_room_an_addition_changes_no_life(change: Callable[[Plain], object]) -> None:
    before, _ = lived(ample(CLINIC))
    after, _ = lived(changed(ample(CLINIC), change))
    assert is_kept(lives(before), lives(after))


def test_where_there_is_room_a_new_group_changes_the_lives_of_those_who_fit_in_it_only() -> None:
    before, _ = lived(ample(CLINIC))
    after, _ = lived(changed(ample(CLINIC), ADDITIONS["a group"]))
    fits = {who for who, (_, _, time, _) in people(before).items() if time in ("evening", "either")}
    lived_before, lived_after = lives(before), lives(after)
    changes = {who for who, life in lived_before.items() if lived_after[who] != life}
    assert changes and changes <= fits


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


UNUSED: tuple[tuple[str, str, Plain], ...] = (
    ("tracks", "trauma", {}),
    ("payers", "self_pay", {}),
    ("staff", "cook", {"posts": 2, "caseload": 9}),
)


@PROPERTY
@given(programs())
def test_an_unused_track_payer_and_role_leave_every_fact_as_it_was(program: Plain) -> None:
    before = simulate(Scenario.model_validate(program), 0)
    program = {"payers": {"all": {}}, **program}
    for source in program["sources"].values():
        source["payers"] = {"all": 1}
    for table, name, value in UNUSED:
        program[table] = {**program[table], name: value}
    assert same_facts(before, simulate(Scenario.model_validate(program), 0))


@PROPERTY
@given(programs())
def test_a_longer_run_out_changes_nothing_before_it(program: Plain) -> None:
    short = Scenario.model_validate(program)
    longer = Scenario.model_validate(changed(program, lambda copy: copy["run"].update(run_out_weeks=3)))
    end = 7 * (short.run.weeks + short.run.run_out_weeks)
    assert same_facts(simulate(short, 0), simulate(longer, 0), until=end)


# ── longer or shorter runs ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("run", [{"warm_up_weeks": 9}, {"run_out_weeks": 60}, {"warm_up_weeks": 0}])
def test_a_longer_or_shorter_run_has_the_same_people_in_the_window(run: Plain) -> None:
    window = 7 * CLINIC["run"]["weeks"]
    before, _ = lived(CLINIC)
    after, _ = lived(changed(CLINIC, lambda copy: copy["run"].update(run)))
    in_window = [
        {who: traits for who, traits in people(ledger).items() if 0 <= traits[0] < window}  # type: ignore[operator]
        for ledger in (before, after)
    ]
    assert in_window[0] == in_window[1]
    assert len(in_window[0]) > 30
    assert len(people(before)) != len(people(after))


# ── the same again ───────────────────────────────────────────────────────────────────────────────────────────


def columns(ledger: Ledger) -> dict[str, object]:
    """Everything in a ledger, as plain values."""
    values = {column.name: getattr(ledger, column.name) for column in fields(ledger)}
    return {
        name: value.tolist() if isinstance(value, np.ndarray) else value for name, value in values.items()
    }


def test_the_same_scenario_and_replication_give_the_same_ledger() -> None:
    one, other = (simulate(Scenario.model_validate(CLINIC), 3) for _ in range(2))
    assert columns(one) == columns(other)


def test_asking_for_used_keys_changes_nothing() -> None:
    scenario = Scenario.model_validate(CLINIC)
    used: set[tuple[object, ...]] = set()
    assert columns(simulate(scenario, 3, used)) == columns(simulate(scenario, 3))
    assert len(used) > 500


def test_another_replication_or_seed_has_other_people() -> None:
    reseeded = changed(CLINIC, lambda copy: copy["run"].update(seed=5))
    ledgers = [lived(CLINIC)[0], lived(CLINIC, replication=1)[0], lived(reseeded)[0]]
    instants = [set(ledger.patient_referred.tolist()) for ledger in ledgers]
    assert all(instants) and not set.intersection(instants[0], instants[1] | instants[2])
    assert not instants[1] & instants[2]
