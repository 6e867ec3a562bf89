"""Priority waits against one server by hand, a conservation law and a truncated chain."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iopsim.theory.chains import expected, stationary
from iopsim.theory.erlang import mmc
from iopsim.theory.priorities import cobham


def test_one_class_is_erlang_c() -> None:
    assert cobham([0.4], 42.0, 20) == pytest.approx([mmc(0.4, 42.0, 20).mean_wait_days])


def test_one_place_by_hand() -> None:
    # M/M/1 with loads 1/4 and 1/2: W0 = 3/4 of a stay; W1 = W0 / (3/4) = 1, W2 = W0 / ((3/4)(1/4)) = 4.
    assert cobham([0.25, 0.5], 1.0, 1) == pytest.approx([1.0, 4.0])


@given(
    weights=st.lists(st.floats(0.05, 1), min_size=1, max_size=5),
    use=st.floats(0.1, 0.97),
    servers=st.integers(1, 30),
)
def test_order_moves_waits_between_classes_but_not_their_sum(
    weights: list[float], use: float, servers: int
) -> None:
    rates = [weight * use * servers / 10 / sum(weights) for weight in weights]
    waits = cobham(rates, 10.0, servers)
    waiting = sum(rate * wait for rate, wait in zip(rates, waits, strict=True))
    assert waits == sorted(waits)
    assert waiting == pytest.approx(mmc(sum(rates), 10.0, servers).mean_waiting)


def two_class_chain(rates: tuple[float, float], servers: int, most: tuple[int, int]) -> tuple[float, float]:
    """Mean numbers waiting of two classes with stays of mean one day, by brute force."""

    def moves(state: tuple[int, int, int]) -> list[tuple[tuple[int, int, int], float]]:
        used, first, second = state
        if used < servers:
            return [((used + 1, 0, 0), sum(rates)), ((used - 1, 0, 0), used)]
        found = [((used, first + 1, second), rates[0])] if first < most[0] else []
        found += [((used, first, second + 1), rates[1])] if second < most[1] else []
        after = (used, first - 1, second) if first else (used, 0, second - 1) if second else (used - 1, 0, 0)
        return [*found, (after, servers)]

    shares = stationary((0, 0, 0), moves)
    return expected(shares, lambda s: s[1]), expected(shares, lambda s: s[2])


def test_two_classes_against_brute_force() -> None:
    first, second = two_class_chain((0.8, 1.2), 3, (30, 120))
    assert cobham([0.8, 1.2], 1.0, 3) == pytest.approx([first / 0.8, second / 1.2], rel=1e-6)


def test_an_overloaded_class_waits_forever_and_those_above_it_do_not() -> None:
    first, _ = two_class_chain((0.8, 20.0), 3, (30, 40))
    waits = cobham([0.8, 20.0, 0.1], 1.0, 3)
    assert waits[0] == pytest.approx(first / 0.8, rel=1e-6)
    assert waits[1:] == [math.inf, math.inf]


@pytest.mark.parametrize(("rates", "stay", "servers"), [([-1.0], 1.0, 1), ([1.0], 0.0, 1), ([1.0], 1.0, 0)])
def test_refuses_what_makes_no_sense(rates: list[float], stay: float, servers: int) -> None:
    with pytest.raises(ValueError, match="0 or more"):
        cobham(rates, stay, servers)
