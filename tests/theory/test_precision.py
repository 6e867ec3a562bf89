"""Intervals and verdicts are right as often as they say: a small part of `benchmarks/calibration.py`, by its code.

The truth is that of an M/M/1 queue in steady state; what is judged are the program's own estimators, its rule for
stopping and the judge of `iopsim verify`.
"""

from __future__ import annotations

import math
from functools import partial
from itertools import islice

import pytest

from benchmarks.calibration import JUDGED_FROM, coverage, false_alarms, queue, stopped
from iopsim.experiment import statistics
from iopsim.experiment.statistics import Replicated

TRIALS = 400
AT_LEAST = 0.95 - 4 * math.sqrt(0.95 * 0.05 / TRIALS)  # power: intervals that cover 86 % fall short of it
QUEUE = queue("M/M/1, 60 % used", 0.6, 600)
RULE = {"min": 10, "batch": 5, "precision": 0.15}


@pytest.fixture
def too_narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every interval 0.7 times as wide as it has to be."""
    right = statistics._t
    monkeypatch.setattr(statistics, "_t", lambda n, level: 0.7 * right(n, level))


def covered() -> dict[str, float]:
    """Share of the intervals that hold the truth, of every kind of number."""
    paired = ("clinic.wait_days.mean", "clinic.wait_days.p90")
    rows = coverage(QUEUE, 20, TRIALS, tuple(QUEUE.base.exact), paired)
    return {row.what: row.found_share for row in rows}


def test_intervals_hold_the_truth() -> None:
    found = covered()
    assert len(found) == 7
    assert min(found.values()) >= AT_LEAST, found


@pytest.mark.usefixtures("too_narrow")
def test_intervals_that_are_too_narrow_are_caught() -> None:
    found = covered()
    assert max(found.values()) < AT_LEAST, found


at_stopping = partial(stopped, QUEUE, "clinic.wait_days.mean", trials=TRIALS)


def test_intervals_at_stopping_hold_the_truth() -> None:
    found = at_stopping(RULE)
    assert found.replications == "until ± 15%: 10–40"  # power: stopped as late as chance has it
    assert found.found_share >= AT_LEAST


def test_stopping_at_the_first_chance_is_caught() -> None:
    assert at_stopping({**RULE, "min": 2, "batch": 1}).found_share < AT_LEAST


def alarms() -> float:
    """Share of judgments of a sound model with |z| over 2."""
    years = (pair.base for pair in islice(QUEUE.pairs(), TRIALS * JUDGED_FROM))
    return next(false_alarms("", [(QUEUE.base, years)])).found_share


AT_MOST = 0.0455 + 4 * math.sqrt(0.0455 * 0.9545 / TRIALS)


def test_what_is_sound_is_seldom_far_from_theory() -> None:
    assert alarms() <= AT_MOST


def test_standard_errors_that_are_too_small_are_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    right = Replicated.standard_error.fget
    monkeypatch.setattr(Replicated, "standard_error", property(lambda one: 0.7 * right(one)))
    assert alarms() > AT_MOST
