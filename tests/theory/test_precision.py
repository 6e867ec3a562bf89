"""Intervals hold the truth as often as they say, where replications are counted by a rule and where plans are paired.

The clinic has room for everybody and opens empty, so the mean census of its first week is known (model.md §11).
One pool of replications, simulated once, is dealt out to all runs and comparisons of this file; none shares a
replication with another of the same test.
"""

from __future__ import annotations

import math
from functools import cache
from statistics import mean
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from iopsim.experiment import statistics
from iopsim.experiment.names import reported
from iopsim.experiment.precision import looks, shortfalls
from iopsim.experiment.statistics import Replicated
from iopsim.experiment.summary import Gathered
from iopsim.measures.registry import Outcome, Value
from iopsim.model.clinic import simulate
from iopsim.model.ledger import ENDS, Fact
from iopsim.scenario.distributions import Uniform
from iopsim.scenario.schema import Scenario
from iopsim.theory.infinite import mean_census_in_window

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from iopsim.experiment.statistics import Interval

pytestmark = pytest.mark.slow

CENSUS = "clinic.census.mean"
STAY_DAYS = {"shorter": (2.0, 4.0), "longer": (3.0, 5.0)}  # uniform, so everybody stays a day longer


def scenario_of(plan: str, rule: Mapping[str, Any]) -> Scenario:
    """A week of one referral a day, until the census is known as precisely as the rule asks."""
    least, most = STAY_DAYS[plan]
    return Scenario.model_validate(
        {
            "run": {
                "weeks": 1,
                "warm_up_weeks": 0,
                "run_out_weeks": 0,
                "seed": 41,
                "replications": {"of": [CENSUS], **rule},
            },
            "sources": {"community": {"to": "clinic", "per_week": 7.0}},
            "levels": {"clinic": {"stay_days": {"uniform": {"min": least, "max": most}}}},
        }
    )


def exact_census(plan: str) -> float:
    least, most = STAY_DAYS[plan]
    return mean_census_in_window([(0.0, 1.0)], Uniform(min=least, max=most).survival, 0.0, 7.0)


RULE = {"min": 10, "batch": 5, "precision": 0.2}
PLANS = {plan: scenario_of(plan, RULE) for plan in STAY_DAYS}


@cache
def outcomes(plan: str, replication: int) -> Mapping[str, Outcome]:
    """Mean census of one replication, each simulated once; read from the ledger, for speed."""
    ledger = simulate(PLANS[plan], replication)
    days_left = 7.0 - ledger.time
    started, ended = days_left[ledger.fact == Fact.STARTED], days_left[np.isin(ledger.fact, ENDS)]
    return {CENSUS: Value(float(started.sum() - ended.sum()) / 7.0)}


def estimated(plan: str, replications: range) -> Replicated:
    entry = reported(PLANS[plan])[CENSUS]
    return Gathered([outcomes(plan, replication) for replication in replications]).of(CENSUS, entry)


def holds(interval: Interval, truth: float) -> bool:
    return interval.low <= truth <= interval.high


# stopping when the interval is narrow

RUNS = 600
AT_LEAST = 0.92


def run_from(first: int, scenario: Scenario) -> range:
    """The replications of one run: those from the first of the pool on until the rule is content."""
    assert scenario.run.rule is not None
    for count in looks(scenario.run.rule):
        replications = range(first, first + count)
        if not shortfalls(scenario, [outcomes("shorter", replication) for replication in replications]):
            return replications
    raise AssertionError("without power: the cap came first")


def runs_of(rule: Mapping[str, Any]) -> list[range]:
    """One run after the other, each from where the last one stopped."""
    scenario, first, runs = scenario_of("shorter", rule), 0, []
    for _ in range(RUNS):
        runs.append(run_from(first, scenario))
        first = runs[-1].stop
    return runs


def coverage(runs: Sequence[range]) -> float:
    truth = exact_census("shorter")
    return mean(holds(estimated("shorter", replications).interval, truth) for replications in runs)


def test_intervals_at_stopping_hold_the_truth() -> None:
    runs = runs_of(RULE)
    at_once = mean(len(replications) == RULE["min"] for replications in runs)
    assert at_once <= 0.2  # power guard: nearly all runs were judged more than once
    assert coverage(runs) >= AT_LEAST


def test_intervals_that_are_too_narrow_are_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    right = statistics._t
    monkeypatch.setattr(statistics, "_t", lambda n, level: 0.7 * right(n, level))
    assert coverage(runs_of(RULE)) < AT_LEAST


def test_stopping_at_the_first_chance_is_caught() -> None:
    assert coverage(runs_of({**RULE, "min": 2, "batch": 1})) < AT_LEAST


# plans that met the same patients

COMPARISONS = 2000
PAIRS = 5


def z_of_pairs(difference: Callable[[Replicated, Replicated], Interval]) -> float:
    """Standard errors between the share of intervals that hold the true difference and 95 %."""
    truth = exact_census("longer") - exact_census("shorter")
    standard_error = math.sqrt(0.95 * 0.05 / COMPARISONS)
    assert 4 * standard_error < 0.02  # power guard: an interval that covers 93 % is seen
    blocks = [range(first, first + PAIRS) for first in range(0, PAIRS * COMPARISONS, PAIRS)]
    covered = mean(
        holds(difference(estimated("longer", block), estimated("shorter", block)), truth) for block in blocks
    )
    return (covered - 0.95) / standard_error


def paired(plan: Replicated, base: Replicated) -> Interval:
    return plan.minus(base).interval


def test_paired_intervals_hold_the_true_difference() -> None:
    assert abs(z_of_pairs(paired)) < 4


def test_paired_intervals_that_are_too_narrow_are_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    right = statistics._t
    monkeypatch.setattr(statistics, "_t", lambda n, level: 0.7 * right(n, level))
    assert z_of_pairs(paired) < -4


def test_pairs_taken_for_strangers_are_caught() -> None:
    def unpaired(plan: Replicated, base: Replicated) -> Interval:
        paired = plan.minus(base).interval
        apart = math.hypot(plan.standard_error, base.standard_error)
        half_width = statistics._t(PAIRS, 0.95) * apart
        return statistics.Interval(
            paired.estimate, paired.estimate - half_width, paired.estimate + half_width, paired.sd, paired.n
        )

    assert z_of_pairs(unpaired) > 4
