"""Little's law in a finite window, exactly, in programs of every kind (model.md §11).

What the model keeps count of is watched where it changes; its time integral over the window must be the days that
patients spend so, by the ledger row by row and by the metrics.
"""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from iopsim.measures.registry import Outcome, Ratio, Value, measure
from iopsim.measures.window import Window
from iopsim.model.clinic import simulate
from iopsim.model.ledger import ENDS, Fact, Ledger, Recorder
from iopsim.scenario.schema import Scenario
from tests.properties.begun import Begun
from tests.properties.clinics import PROPERTY, STORM
from tests.properties.presence import ALL_LEVELS, Changes, days_of, watching
from tests.properties.whole import whole

EXACT: Any = {"rel": 1e-9, "abs": 1e-9}
Days = dict[tuple[str, str], float]
_GONE = {Fact.ADMITTED, Fact.REFUSED, Fact.RENEGED, Fact.WITHDRAWN, Fact.DENIED}
_SEATED = {Fact.ADMITTED, Fact.MOVED}
_CARRIED = {Fact.ADMITTED, Fact.REASSIGNED}


def written_days(scenario: Scenario, ledger: Ledger) -> Days:
    """Days in the window × what each stay has of it, by what the ledger says from one fact to the next."""
    rows: dict[int, list[tuple[float, int, int, int, int]]] = defaultdict(list)
    columns = (ledger.stay, ledger.time, ledger.fact, ledger.a, ledger.b, ledger.c)
    for stay, *row in zip(*(column.tolist() for column in columns), strict=True):
        rows[stay].append(tuple(row))
    days, end = defaultdict[tuple[str, str], float](float), 7.0 * scenario.run.weeks
    for stay, facts in rows.items():
        name = ledger.levels[ledger.stay_level[stay]]
        level = scenario.levels[name]
        has = {"waiting": 0, "room": 0, "therapist": 0}
        for (time, fact, _, post, weekdays), (later, *_) in pairwise([*facts, (np.inf, -1, -1, -1, -1)]):
            if fact == Fact.JOINED or fact in _GONE:
                has["waiting"] = int(fact == Fact.JOINED)
            if fact in _SEATED:
                has["room"] = weekdays.bit_count() if level.groups else 1
            if fact in _CARRIED and level.caseload is not None:
                has["therapist"] = int(post >= 0)
            if fact == Fact.RELEASED:
                has = dict.fromkeys(has, 0)
            span = min(max(later, 0.0), end) - min(max(time, 0.0), end)
            for what, number in has.items():
                days[what, ALL_LEVELS if what == "therapist" else name] += number * span
    return days


def measured_days(scenario: Scenario, metrics: dict[str, Outcome]) -> Days:
    """The same by the metrics, where one says it."""

    def mean(name: str) -> float:
        outcome = metrics.get(name, Value(0.0))  # a metric of what cannot happen does not exist
        assert isinstance(outcome, Value)
        return outcome.value

    window, days = 7.0 * scenario.run.weeks, Days()
    for name, level in scenario.levels.items():
        days["waiting", name] = window * mean(f"{name}.waitlist.mean")
        if not level.groups:
            days["room", name] = window * (mean(f"{name}.census.mean") + mean(f"{name}.held.mean"))
    carried = [metrics.get(f"{role}.caseload_utilization.mean") for role in scenario.staff]
    days["therapist", ALL_LEVELS] = sum(one.numerator for one in carried if isinstance(one, Ratio))
    return days


def differ(one: Days, other: Days) -> list[object]:
    """Where both say it, and not the same."""
    return [key for key in one.keys() & other.keys() if one[key] != pytest.approx(other[key], **EXACT)]


def lived(scenario: Scenario, replication: int = 0) -> tuple[Days, Ledger]:
    """Days by number present, as watched, and what was written down."""
    with watching() as changes:
        ledger = simulate(scenario, replication)
    return {
        key: days_of(change, 7.0 * scenario.run.weeks) for key, change in all_of(changes, scenario)
    }, ledger


def all_of(changes: Changes, scenario: Scenario) -> list[tuple[tuple[str, str], list[tuple[float, int]]]]:
    """Of what never changed, too."""
    keys = [(what, name) for what in ("waiting", "room") for name in scenario.levels]
    return [(key, changes.get(key, [])) for key in (*keys, ("therapist", ALL_LEVELS))]


def test_days_by_number_present_are_days_by_patient_in_every_program(tmp_path: Path) -> None:
    most = defaultdict[str, float](float)

    @settings(PROPERTY, max_examples=25)
    @given(whole())
    def check(program: Begun) -> None:
        scenario = program.scenario(tmp_path)
        watched, ledger = lived(scenario)
        assert not differ(watched, written_days(scenario, ledger))
        assert not differ(watched, measured_days(scenario, measure(Window(scenario, ledger))))
        for (what, _), days in watched.items():
            most[what] += days

    check()
    assert min(most.values()) > 300, "programs in which nobody is present prove little"


def test_days_by_number_present_are_days_by_patient_in_a_storm() -> None:
    scenario = Scenario.model_validate(STORM)
    watched, ledger = lived(scenario)
    happened = set(ledger.fact.tolist())
    assert {*ENDS, *_GONE, *_SEATED, *_CARRIED} - {Fact.LEFT} <= happened
    assert not differ(watched, written_days(scenario, ledger))
    assert not differ(watched, measured_days(scenario, measure(Window(scenario, ledger))))
    assert min(days for (_, level), days in watched.items() if level != "op") > 20


@pytest.mark.parametrize("fact", [Fact.RELEASED, Fact.JOINED, Fact.ADMITTED, Fact.RENEGED])
def test_a_fact_that_is_not_written_down_is_noticed(fact: Fact, monkeypatch: pytest.MonkeyPatch) -> None:
    """The mutant: one stay in ten lacks it."""
    write, scenario = Recorder.write, Scenario.model_validate(STORM)

    def forgetting_some(book: Recorder, time: float, number: int, stay: int, *details: int) -> None:
        if not (number == fact and stay % 10 == 0):
            write(book, time, number, stay, *details)

    monkeypatch.setattr(Recorder, "write", forgetting_some)
    watched, ledger = lived(scenario)
    assert differ(watched, written_days(scenario, ledger))
