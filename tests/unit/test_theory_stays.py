"""Restricted means, runs of misses and the next session against closed forms and enumeration."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import gamma, gammainc

from iopsim.theory.integrals import integrate_decreasing
from iopsim.theory.stays import (
    calendar_days,
    discharge_shares,
    mean_sessions,
    mean_weeks,
    restricted_mean,
    sessions_to_consecutive_misses,
    share_discharged,
    wait_to_next_session,
    weibull_survival,
)


def test_dropout_against_eight_weeks_is_about_43_days() -> None:
    # model.md §11 and the acceptance of the main run: Weibull 0.683 / 173 days against a plan of 56.
    assert round(restricted_mean(weibull_survival(0.683, 173.0), 56.0), 1) == 42.9


@pytest.mark.parametrize("shape", [0.4, 0.683, 1.0, 2.5])
@pytest.mark.parametrize("limit", [0.0, 0.01, 56.0, 3650.0])
def test_restricted_weibull_equals_the_incomplete_gamma(shape: float, limit: float) -> None:
    exact = 173 * gamma(1 + 1 / shape) * gammainc(1 / shape, (limit / 173) ** shape)
    assert restricted_mean(weibull_survival(shape, 173.0), limit) == pytest.approx(exact, rel=1e-10, abs=1e-9)


def test_restricted_exponential_by_hand() -> None:
    assert restricted_mean(lambda day: math.exp(-day / 20), 56.0) == pytest.approx(
        20 * (1 - math.exp(-56 / 20)), abs=1e-10
    )


@given(jumps=st.lists(st.floats(0, 100), min_size=1, max_size=8), limit=st.floats(0.1, 120))
def test_a_sample_with_jumps_anywhere_is_exact(jumps: list[float], limit: float) -> None:
    def survival(day: float) -> float:
        return sum(jump > day for jump in jumps) / len(jumps)

    exact = sum(min(jump, limit) for jump in jumps) / len(jumps)
    assert restricted_mean(survival, limit) == pytest.approx(exact, abs=1e-9)


def test_jumps_that_lie_evenly_about_a_middle_are_not_taken_for_a_slope() -> None:
    assert restricted_mean(lambda day: ((day < 10) + (day < 11)) / 2, 13.0) == pytest.approx(10.5, abs=1e-9)


def test_a_jump_next_to_the_end_is_not_missed() -> None:
    assert restricted_mean(lambda day: float(day < 56), 56.001) == pytest.approx(56.0, abs=1e-9)


@pytest.mark.parametrize(("lower", "upper"), [(0.0, -1.0), (0.0, math.inf), (math.nan, 1.0)])
def test_limits_must_be_finite_and_in_order(lower: float, upper: float) -> None:
    with pytest.raises(ValueError, match="finite and in order"):
        integrate_decreasing(lambda day: 1.0, lower, upper)


@pytest.mark.parametrize("p_attend", [0.0, 0.3, 0.8])
@pytest.mark.parametrize("misses", [1, 2, 3])
def test_misses_by_enumeration(p_attend: float, misses: int) -> None:
    sessions = 7
    ended = [0.0] * sessions
    for attended in product((True, False), repeat=sessions):
        share = math.prod(p_attend if came else 1 - p_attend for came in attended)
        last = next((s for s in range(misses, sessions + 1) if not any(attended[s - misses : s])), None)
        if last:
            ended[last - 1] += share
    assert discharge_shares(p_attend, misses, sessions) == pytest.approx(ended)
    assert share_discharged(p_attend, misses, sessions) == pytest.approx(sum(ended))
    stayed = sum(share * session for session, share in enumerate(ended, start=1))
    assert mean_sessions(p_attend, misses, sessions) == pytest.approx(stayed + sessions * (1 - sum(ended)))


@given(p_attend=st.floats(0.01, 0.9), misses=st.integers(1, 5))
def test_mean_run_equals_the_textbook_form(p_attend: float, misses: int) -> None:
    q = 1 - p_attend
    assert sessions_to_consecutive_misses(p_attend, misses) == pytest.approx(
        (1 - q**misses) / (p_attend * q**misses)
    )


def test_mean_run_at_the_ends() -> None:
    assert sessions_to_consecutive_misses(0.0, 3) == 3
    assert sessions_to_consecutive_misses(1.0, 3) == math.inf
    assert sessions_to_consecutive_misses(0.5, 3) == 14  # 2 + 4 + 8, as with three heads in a row
    assert share_discharged(1.0, 3, 24) == 0
    assert mean_sessions(1.0, 3, 24) == 24


def test_a_long_plan_tends_to_the_endless_one() -> None:
    assert mean_sessions(0.6, 2, 400) == pytest.approx(sessions_to_consecutive_misses(0.6, 2))
    assert share_discharged(0.6, 2, 400) == pytest.approx(1)


@pytest.mark.parametrize(("p_attend", "misses"), [(-0.1, 2), (1.1, 2), (0.5, 0)])
def test_misses_refuse_what_makes_no_sense(p_attend: float, misses: int) -> None:
    with pytest.raises(ValueError, match="share from 0 to 1"):
        share_discharged(p_attend, misses, 5)
    with pytest.raises(ValueError, match="share from 0 to 1"):
        sessions_to_consecutive_misses(p_attend, misses)


def test_next_session_on_monday_wednesday_friday_at_nine() -> None:
    wait = wait_to_next_session([4.375, 0.375, 2.375])
    assert wait.gaps_days == (2.0, 2.0, 3.0)
    assert wait.mean_days == pytest.approx((4 + 4 + 9) / 14)
    assert wait.second_moment_days2 == pytest.approx((8 + 8 + 27) / 21)
    assert [wait.cdf(day) for day in (-1, 0, 1, 2, 2.5, 3, 9)] == pytest.approx(
        [0, 0, 3 / 7, 6 / 7, 6.5 / 7, 1, 1]
    )


@given(starts=st.lists(st.floats(0, 6.999), min_size=1, max_size=6))
def test_next_session_equals_a_grid_of_instants(starts: list[float]) -> None:
    wait = wait_to_next_session(starts)
    instants = (np.arange(7000) + 0.5) / 1000
    waits = ((np.array(starts) - instants[:, None]) % 7).min(axis=1)
    assert wait.mean_days == pytest.approx(waits.mean(), abs=0.01)
    assert wait.second_moment_days2 == pytest.approx((waits**2).mean(), abs=0.07)
    assert wait.cdf(1.0) == pytest.approx((waits <= 1.0).mean(), abs=0.003)
    assert math.fsum(wait.gaps_days) == pytest.approx(7)


@pytest.mark.parametrize("starts", [[], [7.0], [-0.5, 2.0]])
def test_next_session_refuses_starts_outside_the_week(starts: list[float]) -> None:
    with pytest.raises(ValueError, match="below 7"):
        wait_to_next_session(starts)


@pytest.mark.parametrize(("days", "charged"), [(0, 1), (0.25, 1), (1, 1), (2.5, 2.5), (7, 7)])
def test_calendar_days_of_a_fixed_stay_by_hand(days: float, charged: float) -> None:
    # From noon to noon is one midnight; a stay of less than a day is either over by midnight, and one day, or not.
    assert calendar_days(lambda day: float(day < days), days) == pytest.approx(charged)


def test_calendar_days_equal_a_grid_of_times_of_day() -> None:
    begins = np.arange(0.005, 1, 0.01)[:, None]
    stays = -2 * np.log(np.arange(0.00005, 1, 0.0001))
    charged = np.maximum(np.floor(begins + stays), 1).mean()
    assert calendar_days(lambda day: math.exp(-day / 2), 2.0) == pytest.approx(charged, rel=1e-3)


def test_weeks_by_hand() -> None:
    assert mean_weeks(0.5, 3) == 1 + 0.5 + 0.25
    assert mean_weeks(1.0, 8) == 8
    assert mean_weeks(0.0, 8) == 1
