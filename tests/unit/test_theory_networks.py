"""How often levels are visited: by hand, as a geometric series, and in flows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iopsim.theory.networks import visits


def test_a_chain_of_levels_by_hand() -> None:
    rates = visits({"beds": 2.0, "days": 1.0}, {"beds": {"days": 0.5}, "days": {"evenings": 0.4}})
    assert rates == pytest.approx({"beds": 2.0, "days": 2.0, "evenings": 0.8})


def test_coming_back_to_the_same_level_is_a_geometric_series() -> None:
    assert visits({"beds": 1.0}, {"beds": {"beds": 0.3}})["beds"] == pytest.approx(
        sum(0.3**n for n in range(99))
    )


def test_a_loop_of_two_by_hand() -> None:
    # x = 1 + 0.4 y and y = 0.5 x
    assert visits({"x": 1.0}, {"x": {"y": 0.5}, "y": {"x": 0.4}}) == pytest.approx({"x": 1.25, "y": 0.625})


@given(
    st.lists(st.floats(0, 5), min_size=3, max_size=3),
    st.lists(st.floats(0, 0.3), min_size=9, max_size=9),
)
def test_what_comes_in_goes_out(outside: list[float], shares: list[float]) -> None:
    names = "abc"
    onward = {here: dict(zip(names, shares[3 * n : 3 * n + 3], strict=True)) for n, here in enumerate(names)}
    rates = visits(dict(zip(names, outside, strict=True)), onward)
    leaving = sum(rates[here] * (1 - sum(onward[here].values())) for here in names)
    assert leaving == pytest.approx(sum(outside))


@pytest.mark.parametrize(
    "onward", [{"x": {"x": 1.0}}, {"x": {"y": 1.0}, "y": {"x": 1.0}}, {"x": {"y": -0.1}}]
)
def test_refuses_what_never_ends_or_makes_no_sense(onward: dict[str, dict[str, float]]) -> None:
    with pytest.raises(ValueError, match="way out"):
        visits({"x": 1.0}, onward)
