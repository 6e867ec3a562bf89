"""M/D/c and cohorts against M/D/1, Crommelin's series, a truncated walk and the heavy-traffic limit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import gammaln, pdtrc

from iopsim.theory.deterministic import cohort_wait, mdc_wait, minimum_census_wait
from iopsim.theory.erlang import mmc


@given(use=st.floats(0.01, 0.999), stay=st.floats(0.5, 60))
def test_one_place_is_m_d_1(use: float, stay: float) -> None:
    assert mdc_wait(use / stay, stay, 1) == pytest.approx(stay * use / (2 * (1 - use)))


@pytest.mark.parametrize("servers", [1, 2, 3, 5, 10, 40])
@pytest.mark.parametrize("use", [0.3, 0.5, 0.8, 0.95])
def test_equals_the_series_of_crommelin(servers: int, use: float) -> None:
    # Σ over i of P(N ≥ ic) − (c / a) P(N ≥ ic + 1), N Poisson with mean ia, in units of the stay (1932).
    load, i = use * servers, np.arange(1, 40_000)
    series = np.sum(pdtrc(i * servers - 1, i * load) - pdtrc(i * servers, i * load) / use)
    assert mdc_wait(load / 56, 56.0, servers) == pytest.approx(56 * series, rel=1e-8, abs=1e-11)


def left_behind(load: float, taken: int, most: int = 400) -> float:
    """Mean of max(left + Poisson(load) − taken, 0) in steady state, by brute force on a truncated walk."""
    counts = np.arange(most + taken + 1)
    poisson = np.exp(counts * np.log(load) - load - gammaln(counts + 1))
    moves = np.zeros((most + 1, most + 1))
    for left in range(most + 1):
        np.add.at(moves[left], np.clip(left + counts - taken, 0, most), poisson)
    for _ in range(12):
        moves = moves @ moves
    return float(moves[0] @ np.arange(most + 1) / moves[0].sum())


@pytest.mark.parametrize(("load", "taken"), [(1.0, 2), (6.0, 8), (10.5, 12)])
def test_cohorts_and_fixed_stays_against_a_truncated_walk(load: float, taken: int) -> None:
    mean_left = left_behind(load, taken)
    assert mdc_wait(load / 28, 28.0, taken) == pytest.approx(28 * mean_left / load, rel=1e-6)
    assert cohort_wait(load / 28, 28.0, taken) == pytest.approx(28 * mean_left / load + 14, rel=1e-6)


def test_an_ample_cohort_only_waits_for_its_date() -> None:
    assert cohort_wait(0.1, 28.0, 60) == pytest.approx(14.0)


def test_near_saturation_the_wait_is_half_that_of_exponential_stays() -> None:
    rate = 0.9999 * 12 / 56
    assert mdc_wait(rate, 56.0, 12) / mmc(rate, 56.0, 12).mean_wait_days == pytest.approx(0.5, abs=1e-3)


@pytest.mark.parametrize("case", [(1.0, 2.0, 2), (0.0, 1.0, 1), (1.0, 0.0, 1), (1.0, 1.0, 0)])
def test_refuses_what_makes_no_sense(case: tuple[float, float, int]) -> None:
    with pytest.raises(ValueError, match=r"above 0|never settles"):
        mdc_wait(*case)


def test_a_minimum_of_one_only_waits_for_the_next_session() -> None:
    assert minimum_census_wait(0.3, 7, 1) == pytest.approx(3.5)


def test_a_minimum_of_two_by_hand() -> None:
    # The first waits for half a period, and then for the second: a whole period unless he came in the same one.
    load = 0.8  # a period with nobody is one like the first; with one, every next one fails with exp(−load)
    alone = (
        load * np.exp(-load) / (1 - np.exp(-load))
    )  # share of first periods with somebody in which one came
    periods_more = alone / (1 - np.exp(-load))
    patients = load / (1 - np.exp(-load)) + alone * load / (1 - np.exp(-load))
    assert minimum_census_wait(0.2, 4, 2) == pytest.approx(2 + 4 * periods_more / patients)


def test_a_high_minimum_waits_for_so_many_to_come() -> None:
    assert minimum_census_wait(1, 1e-3, 20) == pytest.approx(19 / 2, rel=1e-3)


@pytest.mark.parametrize("case", [(0, 7, 2), (1, 0, 2), (1, 7, 0)])
def test_a_minimum_refuses_what_makes_no_sense(case: tuple[float, float, int]) -> None:
    with pytest.raises(ValueError, match="above 0"):
        minimum_census_wait(*case)
