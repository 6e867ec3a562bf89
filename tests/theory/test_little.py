"""Little's law in a finite window, exactly: what the model keeps count of, beside what it has written down.

The number who wait, who have a place and who have a therapist is watched where the model changes it; its time
integral over the window must be the days that patients spend so, by the ledger and by the metrics (model.md §11).
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from iopsim.measures.registry import Value, measure
from iopsim.measures.window import Window
from iopsim.model.capacity import Groups, Places
from iopsim.model.clinic import simulate
from iopsim.model.clock import Clock
from iopsim.model.ledger import ENDS, Fact, Ledger, Recorder
from iopsim.model.staff import Caseload
from iopsim.model.waitlist import Waitlist
from iopsim.scenario.schema import Scenario
from tests.theory.replications import Run, run_of

BUSY = Scenario.model_validate(
    {
        "run": run_of(seed=81, weeks=30, warm_up_weeks=16, run_out_weeks=10),
        "calendar": {"closed": [dt.date(2027, 1, 18), dt.date(2027, 2, 15), dt.date(2027, 5, 31)]},
        "tracks": {"mood": {}, "sud": {}},
        "sources": {
            "community": {
                "to": "program",
                "per_week": 9,
                "weekdays": [1, 1, 1, 1, 1, 0.1, 0.1],
                "tracks": {"mood": 0.5, "sud": 0.5},
                "times": {"day": 0.4, "evening": 0.3, "either": 0.3},
            },
            "emergency": {
                "to": "inpatient",
                "per_week": 12,
                "tracks": {"mood": 0.6, "sud": 0.4},
                "times": {"day": 0.5, "either": 0.5},
            },
        },
        "levels": {
            "inpatient": {
                "places": {"mood": 8, "sud": 6},
                "stay_days": {"lognormal": {"mean": 10, "cv": 0.75}},
                "next": {"partial": 0.3, "program": 0.3, "home": 0.4},
                "hold_days": 6,
                "waitlist": {"at_most": {"emergency": 4}, "patience_days": {"exponential": {"mean": 5}}},
                "returns": {
                    "share": 0.3,
                    "from": ["home", "program"],
                    "after_days": {"exponential": {"mean": 12}},
                    "to": "inpatient",
                },
            },
            "partial": {
                "places": 6,
                "stay_days": {"gamma": {"mean": 14, "cv": 0.5}},
                "leave_early": {
                    "dropout_per_week": 0.05,
                    "step_up": {"per_week": 0.1, "to": {"inpatient": 1}, "hold_days": 1},
                },
                "next": {"program": 0.8, "home": 0.2},
                "hold_days": "forever",
                "waitlist": {"discipline": "strict"},
            },
            "program": {
                "caseload": "therapist",
                "phases": [{"weeks": 4, "days_per_week": 3}, {"weeks": 2, "days_per_week": 2}],
                "extension": {"share": 0.2, "weeks": 1},
                "attendance": {"mean": 0.8, "sd": 0.1, "discharge_after_missed": 3},
                "leave_early": {
                    "dropout": {"weibull": {"shape": 0.7, "scale": 170}},
                    "per_week_waited": 1.2,
                    "step_up": {"per_week": 0.03, "to": {"partial": 0.6, "inpatient": 0.4}},
                },
                "next": {"aftercare": {"share": 0.5, "lag_days": {"exponential": {"mean": 3}}}, "home": 0.5},
                "waitlist": {
                    "priority": {"inpatient": 1, "partial": 1, "community": 2},
                    "at_most": {"community": 25},
                    "patience_days": {"exponential": {"mean": 20}},
                },
                "groups": {
                    "mood_day": {"tracks": ["mood"], "days": ["mon", "wed", "fri"], "seats": 7},
                    "mood_evening": {
                        "tracks": ["mood"],
                        "time": "evening",
                        "days": ["mon", "tue", "thu"],
                        "start": "17:30",
                        "seats": 7,
                        "min_census": 3,
                    },
                    "sud": {"days": ["mon", "wed", "thu", "fri"], "seats": 8, "overbook": 1.2},
                    "summer": {"days": ["tue", "thu", "fri"], "seats": 5, "until": dt.date(2027, 6, 3)},
                },
            },
            "aftercare": {"caseload": "therapist", "stay_days": {"exponential": {"mean": 15}}},
        },
        "staff": {"therapist": {"posts": 3, "caseload": 11}},
    }
)
DAYS = 7.0 * BUSY.run.weeks
HAPPENS = {
    Fact.REFERRED, Fact.JOINED, Fact.REFUSED, Fact.RENEGED, Fact.WITHDRAWN, Fact.ADMITTED, Fact.MOVED, Fact.STARTED,
    Fact.SUSPENDED, Fact.RESUMED, *ENDS, Fact.RELEASED,
}  # fmt: skip

Changes = dict[tuple[str, str], list[tuple[float, int]]]


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> Changes:
    """Every change of a number that the model keeps, as (time, change), by (what, level)."""
    changes: Changes = defaultdict(list)
    clocks: list[Clock] = []
    started, added, removed = Clock.__init__, Waitlist.add, Waitlist.remove
    carried = Caseload.count
    counted = {room: room.count for room in (Places, Groups)}

    def start(clock: Clock, first: float, last: float) -> None:
        started(clock, first, last)
        clocks.append(clock)

    def note(what: str, stay: Any, change: int) -> None:
        changes[what, stay.unit.name].append((clocks[-1].now, change))

    def add(waitlist: Waitlist, stay: Any) -> None:
        added(waitlist, stay)
        note("waiting", stay, 1)

    def remove(waitlist: Waitlist, stay: Any) -> None:
        removed(waitlist, stay)
        note("waiting", stay, -1)

    def count(room: Places | Groups, stay: Any, change: int) -> None:
        counted[type(room)](room, stay, change)
        note("room", stay, change * (len(stay.days) or 1))

    def carry(caseload: Caseload, post: int, change: int) -> None:
        changes["therapist", "of all levels"].append((clocks[-1].now, change))
        carried(caseload, post, change)

    monkeypatch.setattr(Clock, "__init__", start)
    monkeypatch.setattr(Waitlist, "add", add)
    monkeypatch.setattr(Waitlist, "remove", remove)
    monkeypatch.setattr(Caseload, "count", carry)
    for room in counted:
        monkeypatch.setattr(room, "count", count)
    return changes


def watched_days(changes: list[tuple[float, int]]) -> float:
    """Time integral over the window of the number that changes so."""
    times, steps = np.array(changes).T
    return float(steps @ (DAYS - np.clip(times, 0, DAYS)))


def written_days(ledger: Ledger) -> dict[tuple[str, str], float]:
    """Days in the window by what the ledger says of each stay, clipped at its edges."""
    run = Run(BUSY, ledger)
    gone = (Fact.ADMITTED, Fact.REFUSED, Fact.RENEGED, Fact.WITHDRAWN)
    days = {("waiting", level): run.stays(level).mean_number(Fact.JOINED, *gone)[0] for level in BUSY.levels}
    for level, spec in BUSY.levels.items():
        occupied, _ = run.stays(level).mean_number(Fact.ADMITTED, Fact.RELEASED)
        days["room", level] = seat_days(ledger) if spec.groups else occupied
        if spec.caseload:
            days["therapist", "of all levels"] = days.get(("therapist", "of all levels"), 0.0) + occupied
    return days


def seat_days(ledger: Ledger) -> float:
    """Days in the window × weekdays of the seats that stays have in groups, tapers and moves included."""
    seats: dict[int, list[tuple[float, int]]] = defaultdict(list)
    for time, fact, stay, weekdays in zip(ledger.time, ledger.fact, ledger.stay, ledger.c, strict=True):
        if fact in {Fact.ADMITTED, Fact.MOVED, Fact.RELEASED}:
            seats[stay].append((min(max(time, 0.0), DAYS), int(max(weekdays, 0)).bit_count()))
    return sum(
        (later - earlier) * taken
        for changes in seats.values()
        for (earlier, taken), (later, _) in pairwise([*changes, (DAYS, 0)])
    )


def test_days_by_number_present_are_days_by_patient(watched: Changes) -> None:
    ledger = simulate(BUSY, 0)
    assert set(ledger.fact.tolist()) >= HAPPENS, "not everything that can happen here has happened"
    written = written_days(ledger)
    for key, changes in watched.items():
        assert watched_days(changes) == pytest.approx(written.pop(key), rel=1e-9), key
        assert watched_days(changes) > 10, f"{key}: too little happened to tell"
    assert not any(written.values())  # nobody ever waits where nothing was watched


def test_metrics_average_the_same_days(watched: Changes) -> None:
    metrics = measure(Window(BUSY, simulate(BUSY, 1)))
    for level, spec in BUSY.levels.items():
        if ("waiting", level) in watched:
            assert DAYS * mean_of(metrics, f"{level}.waitlist.mean") == pytest.approx(
                watched_days(watched["waiting", level]), rel=1e-9
            )
        if not spec.groups:
            present = ("census.mean", "held.mean")
            assert DAYS * sum(mean_of(metrics, f"{level}.{name}") for name in present) == pytest.approx(
                watched_days(watched["room", level]), rel=1e-9
            )


def mean_of(metrics: Any, name: str) -> float:
    outcome = metrics.get(name, Value(0.0))  # a metric of what cannot happen does not exist
    return outcome.value


def test_a_place_that_is_given_back_unwritten_is_caught(
    watched: Changes, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = Recorder.write

    def forgetting_some(book: Recorder, time: float, fact: int, stay: int, *details: int) -> None:
        if not (fact == Fact.RELEASED and stay % 50 == 0):
            write(book, time, fact, stay, *details)

    monkeypatch.setattr(Recorder, "write", forgetting_some)
    written = written_days(simulate(BUSY, 0))
    assert any(
        watched_days(changes) != pytest.approx(written[key], rel=1e-9) for key, changes in watched.items()
    )
