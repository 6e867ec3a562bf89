"""A loss system whose places change: from one steady state to another, and by hand in between."""

from __future__ import annotations

import math

import pytest

from iopsim.theory.erlang import erlang_b
from iopsim.theory.losses import census_after_step

LOAD = 4.0


def steady(places: int) -> float:
    return LOAD * (1 - erlang_b(places, LOAD))


@pytest.mark.parametrize(("first", "then"), [(3, 7), (7, 3), (4, 4)])
def test_it_goes_from_one_steady_state_to_the_other(first: int, then: int) -> None:
    assert census_after_step(2, 2, first, then, days=0) == pytest.approx(steady(first))
    assert census_after_step(2, 2, first, then, days=100) == pytest.approx(steady(then))


def test_places_that_all_go_leave_patients_to_their_stays() -> None:
    # Nobody is put out and nobody admitted: half a mean stay later, e^−½ of the patients are there.
    assert census_after_step(2, 2, 5, 0, days=1) == pytest.approx(steady(5) * math.exp(-0.5))


def test_the_first_place_fills_at_the_rate_of_both_flows() -> None:
    # One place that opens: λ ÷ (λ + μ) × (1 − e^−(λ + μ)t), with λ = 1 and μ = 2.
    exact = 1 / 3 * (1 - math.exp(-3 * 0.4))
    assert census_after_step(1, 0.5, 0, 1, days=0.4) == pytest.approx(exact)
