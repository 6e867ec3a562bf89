"""A clinic for tests of the measures, and its metrics as plain numbers.

The window is [0, 70) days from Monday, 4 January 2027; the run goes on to day 98.
"""

from __future__ import annotations

import datetime as dt

from iopsim.measures.registry import Ratio, Sample, Value, measure
from iopsim.measures.window import Window
from iopsim.model.ledger import Fact, Reason
from iopsim.scenario.schema import Scenario
from tests.unit.ledgers import Stay

NEVER = float("inf")
WEEKS, DAYS, HORIZON = 10, 70.0, 98.0


def scenario(**changes: object) -> Scenario:
    ward = {
        "places": 2,
        "stay_days": {"constant": 10},
        "next": {"iop": 0.5, "home": 0.5},
        "hold_days": 14,
        "cost_per_day": 900,
    }
    iop = {
        "stay_days": {"constant": 56},
        "caseload": "therapist",
        "waitlist": {"patience_days": {"exponential": {"mean": 30}}, "at_most": 9, "discipline": "strict"},
        "attendance": {"mean": 0.9, "discharge_after_missed": 3},
        "leave_early": {
            "dropout": {"exponential": {"mean": 90}},
            "step_up": {"per_week": 0.01, "to": {"ward": 1}},
        },
        "groups": {
            "mood_day": {"tracks": ["mood"], "days": ["mon", "wed", "fri"], "seats": 4},
            "sud_day": {"tracks": ["sud"], "days": ["tue", "thu"], "seats": 2, "min_census": 2},
        },
    }
    tree = {
        "run": {"start": dt.date(2027, 1, 4), "warm_up_weeks": 4, "weeks": WEEKS, "run_out_weeks": 4},
        "tracks": {"mood": {}, "sud": {}},
        "sources": {
            "community": {"to": "iop", "per_week": 5, "tracks": {"mood": 0.5, "sud": 0.5}},
            "emergency": {"to": "ward", "per_week": 2, "tracks": {"mood": 0.5, "sud": 0.5}},
        },
        "levels": {"ward": ward, "iop": iop},
        "staff": {"therapist": {"posts": 2, "caseload": 5}},
    }
    return Scenario.model_validate(tree | changes)


def figures(window: Window) -> dict[str, float]:
    """Every metric as one number: a ratio divided, a sample averaged."""
    numbers = {}
    for name, outcome in measure(window).items():
        match outcome:
            case Value(value):
                numbers[name] = value
            case Ratio(numerator, denominator):
                numbers[name] = numerator / denominator if denominator else float("nan")
            case Sample(values):
                numbers[f"{name}.mean"] = float(values.mean()) if len(values) else float("nan")
    return numbers


def cut_off(stay: Stay, time: float) -> None:
    """The units are used up and the payer approves no more."""
    stay._write(Fact.DISCHARGED, time, -1, Reason.CUT)._write(Fact.RELEASED, time)
