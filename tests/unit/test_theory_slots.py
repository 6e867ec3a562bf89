"""Slots against M/D/1-like limits, closed cohorts, a wait worked out by hand, and a walk of single referrals."""

from __future__ import annotations

import math

import numpy as np
import pytest

from iopsim.theory.deterministic import cohort_wait
from iopsim.theory.slots import slot_wait
from iopsim.theory.stays import wait_to_next_session

pytestmark = pytest.mark.slow

WORKING_DAYS = [day + 9 / 24 for day in range(5) for _ in range(3)]


@pytest.mark.parametrize(("load", "seats", "days"), [(6.0, 8, 14), (1.5, 2, 7), (18.0, 20, 28)])
def test_slots_on_one_date_are_a_closed_cohort(load: float, seats: int, days: int) -> None:
    exact = cohort_wait(load / days, days, seats)
    assert slot_wait(load / days, [3.5] * seats, days).mean_days == pytest.approx(exact, rel=1e-9)


def test_with_few_referrals_the_wait_is_to_the_next_slot() -> None:
    starts, rare = [0.375, 2.375, 4.375], slot_wait(1e-9, [0.375, 2.375, 4.375])
    exact = wait_to_next_session(starts)
    assert rare.mean_days == pytest.approx(exact.mean_days, rel=1e-6)
    for days in (0.5, 1.9, 2.5):
        assert rare.cdf(days) == pytest.approx(exact.cdf(days), rel=1e-6)


def test_one_slot_a_week_by_hand() -> None:
    # Those left after a slot: a quarter of a referral a week on average, P(none left) = (1 − a) eᵃ.
    wait = slot_wait(0.25 / 7, [0.0])
    none = 0.75 * math.exp(0.25)
    left = 0.25**2 / (2 * 0.75)
    assert wait.mean_days == pytest.approx(7 * (left / 0.25 + 0.5))
    # Seen within the week: none was left, and nobody came before in the same week.
    assert wait.cdf(7.0) == pytest.approx(none * (1 - math.exp(-0.25)) / 0.25)


@pytest.mark.parametrize("rate", [0.5, 1.5])
def test_the_mean_is_the_area_over_the_distribution(rate: float) -> None:
    wait = slot_wait(rate, WORKING_DAYS)
    assert sum(wait.lead_days) == pytest.approx(1, abs=1e-9)
    steps = np.linspace(0, 24, 97)
    area = np.trapezoid([1 - wait.cdf(float(step)) for step in steps], steps)
    assert area == pytest.approx(wait.mean_days, rel=1e-2)


def test_lead_days_and_waits_tell_the_same() -> None:
    # All slots are at 9:00: so many days of lead, less the time of the day of the referral, plus nine hours.
    wait = slot_wait(1.5, WORKING_DAYS)
    mean_lead = sum(days * share for days, share in enumerate(wait.lead_days))
    assert wait.mean_days == pytest.approx(mean_lead - 0.5 + 9 / 24)


def test_against_single_referrals() -> None:
    random = np.random.default_rng(7)
    come = np.cumsum(random.exponential(1 / 1.8, 200_000))
    slots = np.add.outer(7 * np.arange(int(come[-1] / 7) + 60), WORKING_DAYS).ravel()
    taken, waits = 0, np.empty(len(come))
    first = np.searchsorted(slots, come)
    for number, (instant, free) in enumerate(zip(come.tolist(), first.tolist(), strict=True)):
        taken = max(taken, free)
        waits[number] = slots[taken] - instant
        taken += 1
    wait = slot_wait(1.8, WORKING_DAYS)
    assert waits.mean() == pytest.approx(wait.mean_days, rel=0.03)
    assert (waits <= 3).mean() == pytest.approx(wait.cdf(3), abs=0.01)


@pytest.mark.parametrize(
    ("rate", "slots"), [(0.0, [1.0]), (1.0, []), (0.1, [7.0]), (0.1, [-1.0]), (1.0, [1.0] * 7)]
)
def test_refuses_what_makes_no_sense(rate: float, slots: list[float]) -> None:
    with pytest.raises(ValueError, match=r"slots"):
        slot_wait(rate, slots)
