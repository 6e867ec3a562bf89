"""The metrics of a scenario are found once for each scenario, and what they give can be added up."""

from __future__ import annotations

import copy
import gc
import math
import pickle
from typing import Any

import numpy as np
import pytest

from iopsim.measures import registry
from iopsim.measures.registry import Ratio, Sample, Value, bound
from iopsim.scenario.schema import Scenario


def clinic(**level: Any) -> Scenario:
    return Scenario.model_validate(
        {
            "sources": {"community": {"to": "care", "per_week": 5.0}},
            "levels": {"care": {"places": 9, "stay_days": 4, **level}},
        }
    )


def stems(scenario: Scenario) -> set[str]:
    return {entry.stem for entry in bound(scenario)}


def test_metrics_are_found_once_for_each_scenario() -> None:
    patient, impatient = clinic(), clinic(waitlist={"patience_days": 7})
    assert bound(patient) is bound(patient)
    assert stems(impatient) - stems(patient) >= {"care.reneged"}
    assert stems(copy.deepcopy(patient)) == stems(patient)


def test_to_remember_keeps_no_scenario_alive_and_leaves_no_trace_in_it() -> None:
    scenario = clinic()
    fresh = pickle.dumps(scenario)
    gc.collect()
    before = len(registry._BOUND)
    bound(scenario)
    assert pickle.dumps(scenario) == fresh
    assert len(registry._BOUND) == before + 1
    del scenario
    gc.collect()
    assert len(registry._BOUND) == before


@pytest.mark.parametrize(
    ("outcome", "statistic", "quotient"),
    [
        (Value(3.0), None, (3.0, 1.0)),
        (Ratio(3.0, 4.0), "share", (3.0, 4.0)),
        (Sample(np.array([1.0, 5.0])), "mean", (6.0, 2.0)),
        (Sample(np.array([1.0, 5.0])), "max", (5.0, 1.0)),
        (Sample(np.empty(0)), "mean", (0.0, 0.0)),
        (Sample(np.empty(0)), "max", (math.nan, 1.0)),
    ],
)
def test_outcomes_are_quotients(
    outcome: registry.Outcome, statistic: str | None, quotient: tuple[float, float]
) -> None:
    assert outcome.quotient(statistic) == pytest.approx(quotient, nan_ok=True)
