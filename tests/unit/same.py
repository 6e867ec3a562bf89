"""Small programs in which much happens, for limits in which a rule vanishes: the same facts, with and without it."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from iopsim.model.clinic import simulate
from iopsim.model.ledger import Ledger
from iopsim.scenario.schema import Scenario

__all__ = ["same_ledgers", "storm"]


def storm(groups: Mapping[str, Any], seed: int, **rest: Any) -> Scenario:
    """A unit and a level with groups: waiting, missing, dropout, step-up, holding, returns, closed days."""
    iop = {
        "groups": groups,
        "caseload": "therapist",
        "phases": [{"weeks": 2, "days_per_week": 3}, {"weeks": 1, "days_per_week": 2}],
        "attendance": {"mean": 0.8, "sd": 0.2, "discharge_after_missed": 3},
        "leave_early": {
            "dropout": {"exponential": {"mean": 40}},
            "step_up": {"after_days": {"exponential": {"mean": 60}}, "to": {"unit": 1}},
        },
        "waitlist": {"patience_days": {"exponential": {"mean": 20}}},
        "returns": {"share": 0.2, "from": ["home", "iop"], "after_days": 9.5, "to": "unit"},
    }
    unit = {
        "places": 3,
        "stay_days": {"exponential": {"mean": 5}},
        "next": {"iop": 0.8, "home": 0.2},
        "hold_days": 4,
    }
    whole = {
        "run": {
            "start": dt.date(2027, 1, 4),
            "warm_up_weeks": 4,
            "weeks": 26,
            "run_out_weeks": 4,
            "seed": seed,
        },
        "calendar": {"closed": [dt.date(2027, 1, 18), dt.date(2027, 2, 12), dt.date(2027, 5, 31)]},
        "tracks": {"one": {}, "two": {}},
        "sources": {
            "door": {"to": "iop", "per_week": 3, "tracks": {"one": 0.6, "two": 0.4}},
            "ward": {"to": "unit", "per_week": 2, "tracks": {"one": 0.6, "two": 0.4}},
        },
        "levels": {"unit": unit, "iop": iop},
        "staff": {"therapist": {"posts": 2, "caseload": 7}},
    }
    return Scenario.model_validate({**whole, **rest})


def same_ledgers(one: Scenario, other: Scenario, *, but: Sequence[str] = ()) -> None:
    """Assert that both scenarios leave the same facts, but for some fields, and enough of them to tell."""
    first, second = simulate(one, 0), simulate(other, 0)
    assert len(first.time) > 500
    for field in dataclasses.fields(Ledger):
        if field.name not in {"kernel_events", "member_stay", "member_attended", *but}:
            left, right = getattr(first, field.name), getattr(second, field.name)
            assert np.array_equal(left, right), f"{field.name} differs"
    assert _members(first) == _members(second)


def _members(ledger: Ledger) -> list[set[tuple[int, int]]]:
    """Who was expected at each session and whether they came; in which order has no meaning."""
    pairs = list(zip(ledger.member_stay.tolist(), ledger.member_attended.tolist(), strict=True))
    firsts = [*ledger.session_first.tolist(), len(pairs)]
    return [set(pairs[first:last]) for first, last in pairwise(firsts)]
