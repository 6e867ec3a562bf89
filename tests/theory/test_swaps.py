"""Two levels that hold places for each other never freeze, for a hundred years (model.md §5).

That they are the chain that theory knows is a case of `iopsim verify`.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest

from iopsim.model.allocation import Allocator
from iopsim.model.clinic import simulate
from iopsim.model.ledger import ENDS, Fact, Ledger
from iopsim.scenario.schema import Scenario
from iopsim.theory.chains import Unit
from tests.theory.replications import run_of

WEEKS = 2600  # of warm-up, and as many measured: a hundred years
BEDS = Unit(arrivals_per_day=0.2, mean_stay_days=5, places=2)
SEATS = Unit(arrivals_per_day=0.3, mean_stay_days=5, places=3)
DOWN, UP = 0.8, 0.7

# In the worst case two are in treatment when the others hold. That neither of them is done within so long has the
# probability exp(−2 × 60 / 5), some 4e-11, at each of the 10^4 ends of treatment.
LONGEST_DAYS = 60.0


def clinic(room: dict[str, Any]) -> Scenario:
    """Two beds and three seats; nearly everybody goes to and fro, holding the one until the other is there."""

    def level(unit: Unit, other: str, share: float, source: str) -> dict[str, Any]:
        return {
            "stay_days": {"exponential": {"mean": unit.mean_stay_days}},
            "next": {other: share, "home": 1 - share},
            "hold_days": "forever",
            "waitlist": {"at_most": {source: 0}},
        }

    return Scenario.model_validate(
        {
            "run": run_of(seed=52, weeks=WEEKS, warm_up_weeks=WEEKS, run_out_weeks=0),
            "sources": {
                "to_beds": {"to": "beds", "per_week": 7 * BEDS.arrivals_per_day},
                "to_seats": {"to": "seats", "per_week": 7 * SEATS.arrivals_per_day},
            },
            "levels": {
                "beds": level(BEDS, "seats", DOWN, "to_beds") | {"places": BEDS.places},
                "seats": level(SEATS, "beds", UP, "to_seats") | room,
            },
        }
    )


EVERY_DAY = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
ROOMS: dict[str, dict[str, Any]] = {
    "in places": {"places": SEATS.places},
    "in a group": {"groups": {"daily": {"days": EVERY_DAY, "seats": SEATS.places, "hours": 1}}},
}


@cache
def century(room: str) -> Ledger:
    return simulate(clinic(ROOMS[room]), replication=0)


def longest_pause(ledger: Ledger) -> float:
    """Most days in which nobody was admitted, started, finished or went on, though both levels were in demand."""
    moves = np.isin(ledger.fact, (Fact.ADMITTED, Fact.STARTED, Fact.RELEASED, *ENDS))
    times = np.append(ledger.time[moves], 7.0 * WEEKS)
    return float(np.diff(times).max())


def longest_face_off(ledger: Ledger) -> float:
    """Most days on end in which somebody in each level holds a place for the other."""
    over, back = ledger.fact == Fact.COMPLETED, ledger.fact == Fact.RELEASED
    ends = dict(zip(ledger.stay[back].tolist(), ledger.time[back].tolist(), strict=True))
    steps: list[tuple[float, int, int]] = []
    for stay, begin in zip(ledger.stay[over].tolist(), ledger.time[over].tolist(), strict=True):
        level, end = int(ledger.stay_level[stay]), ends.get(stay, 7.0 * WEEKS)
        if end > begin:
            steps += [(begin, 1, level), (end, -1, level)]
    holding, longest, since = [0, 0], 0.0, 0.0
    for time, change, level in sorted(steps):
        before = all(holding)
        holding[level] += change
        if all(holding) and not before:
            since = time
        elif before and not all(holding):
            longest = max(longest, time - since)
    return longest


@pytest.mark.parametrize("room", ROOMS)
def test_nothing_ever_stands_still(room: str) -> None:
    ledger = century(room)
    assert np.count_nonzero(ledger.fact == Fact.COMPLETED) > 20_000, "a calm century proves little"
    assert longest_pause(ledger) < LONGEST_DAYS
    # A place in a group is held until its first session, a day at most: nobody exchanges what is on its way.
    assert longest_face_off(ledger) <= (1 if room == "in a group" else 0)


@pytest.mark.parametrize("room", ROOMS.values(), ids=ROOMS)
def test_holders_who_never_swap_freeze(monkeypatch: pytest.MonkeyPatch, room: dict[str, Any]) -> None:
    monkeypatch.setattr(Allocator, "_unlock", lambda allocator, unit: None)
    frozen = simulate(clinic(room), replication=0)
    assert longest_pause(frozen) > 365 and longest_face_off(frozen) > 365
