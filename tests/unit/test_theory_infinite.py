"""M/G/∞ against closed forms for exponential and fixed stays."""

from __future__ import annotations

import math

import numpy as np
import pytest

from iopsim.theory.infinite import (
    census_after_opening,
    census_from_today,
    census_with_steps,
    mean_census_in_window,
    steady_census,
)
from iopsim.theory.stays import weibull_survival

pytestmark = pytest.mark.slow

STEPS = [(0.0, 2.0), (31.0, 0.5), (59.0, 3.0)]


def exponential(day: float) -> float:
    return math.exp(-day / 20)


def fixed(day: float) -> float:
    return float(day < 14)


def test_opening_with_exponential_stays_by_hand() -> None:
    assert census_after_opening(1.5, exponential, 30.0) == pytest.approx(30 * (1 - math.exp(-1.5)))
    assert census_after_opening(1.5, exponential, 0.0) == 0


def test_opening_with_fixed_stays_rises_straight_and_stops() -> None:
    assert [census_after_opening(1.5, fixed, day) for day in (7, 14, 90)] == pytest.approx([10.5, 21, 21])


@pytest.mark.parametrize("survival", [exponential, fixed, weibull_survival(0.7, 12.0)])
def test_opening_tends_to_the_steady_census(survival: object) -> None:
    mean_stay = {exponential: 20.0, fixed: 14.0}.get(survival, 12 * math.gamma(1 + 1 / 0.7))
    assert census_after_opening(0.4, survival, 1500.0) == pytest.approx(steady_census(0.4, mean_stay))


def test_steps_with_fixed_stays_count_the_last_fortnight() -> None:
    assert census_with_steps(STEPS, fixed, 30.0) == pytest.approx(14 * 2.0)
    assert census_with_steps(STEPS, fixed, 36.0) == pytest.approx(9 * 2.0 + 5 * 0.5)
    assert census_with_steps(STEPS, fixed, 62.0) == pytest.approx(11 * 0.5 + 3 * 3.0)
    assert census_with_steps(STEPS, fixed, -3.0) == 0


def test_steps_solve_the_differential_equation_of_exponential_stays() -> None:
    # Between steps census' = rate − census ÷ mean stay, so it decays toward rate × mean stay.
    census = 0.0
    for rate, days in ((2.0, 31), (0.5, 28), (3.0, 11)):
        census = 20 * rate + (census - 20 * rate) * math.exp(-days / 20)
    assert census_with_steps(STEPS, exponential, 70.0) == pytest.approx(census)


@pytest.mark.parametrize("survival", [exponential, fixed, weibull_survival(0.7, 12.0)])
@pytest.mark.parametrize("window", [(0.0, 28.0), (20.0, 70.0), (-10.0, 5.0), (64.0, 64.5)])
def test_window_mean_equals_the_average_of_instants(survival: object, window: tuple[float, float]) -> None:
    from_day, to_day = window
    instants = from_day + (np.arange(1000) + 0.5) / 1000 * (to_day - from_day)
    average = np.mean([census_with_steps(STEPS, survival, float(day)) for day in instants])
    assert mean_census_in_window(STEPS, survival, from_day, to_day) == pytest.approx(average, rel=1e-4)


def test_window_mean_after_opening_by_hand() -> None:
    # λ m (1 − (m / T)(1 − exp(−T / m))) over the first T days.
    exact = 1.5 * 20 * (1 - 20 / 28 * (1 - math.exp(-28 / 20)))
    assert mean_census_in_window([(0.0, 1.5)], exponential, 0.0, 28.0) == pytest.approx(exact, abs=1e-10)


def test_refuses_steps_out_of_order_and_empty_windows() -> None:
    with pytest.raises(ValueError, match="in order of day"):
        census_with_steps([(3.0, 1.0), (3.0, 2.0)], exponential, 9.0)
    with pytest.raises(ValueError, match="must end after"):
        mean_census_in_window(STEPS, exponential, 5.0, 5.0)


def test_who_is_there_today_stays_on_by_what_is_left() -> None:
    forgetful = census_from_today(1.5, exponential, [0.0, 7.5, 300.0], 10.0)
    assert forgetful == pytest.approx(3 * math.exp(-0.5) + 30 * (1 - math.exp(-0.5)))
    assert census_from_today(2.0, fixed, [1.0, 6.0, 13.5], 5.0) == pytest.approx(2 + 10)
    assert census_from_today(0.4, exponential, [], 9.0) == census_after_opening(0.4, exponential, 9.0)
