"""Levels that hold places for each other: against the chains of two levels, by hand, and in flows."""

from __future__ import annotations

import pytest

from iopsim.theory.chains import Unit, blocked_step_down, two_way_swap
from iopsim.theory.continuum import Stage, continuum
from iopsim.theory.erlang import erlang_b


def unit(arrivals: float, stay: float, places: int) -> Unit:
    return Unit(arrivals_per_day=arrivals, mean_stay_days=stay, places=places)


def test_levels_that_do_not_refer_are_erlangs() -> None:
    apart = continuum([Stage(unit=unit(2, 1, 3)), Stage(unit=unit(1, 4, 2))])
    assert apart.refused_share == pytest.approx((erlang_b(3, 2), erlang_b(2, 4)))
    assert apart.census == pytest.approx((2 * (1 - erlang_b(3, 2)), 4 * (1 - erlang_b(2, 4))))
    assert set(apart.held.values()) == {0.0}


def test_one_way_is_the_blocked_step_down() -> None:
    first, then = unit(0.6, 5, 3), unit(0.2, 9, 2)
    one_way = blocked_step_down(first, then, step_down_share=0.7, community_at_most=0)
    chain = continuum([Stage(unit=first, next_shares={1: 0.7}), Stage(unit=then)])
    assert chain.census == pytest.approx((one_way.inpatient_census, one_way.program_census))
    assert chain.held[0, 1] == pytest.approx(one_way.held)
    assert chain.refused_share == pytest.approx(
        (one_way.inpatient_refused_share, one_way.community_refused_share)
    )


@pytest.mark.parametrize("as_step_up", [False, True])
def test_both_ways_is_the_swap_whether_at_the_end_or_in_the_middle(as_step_up: bool) -> None:
    x, y = unit(3, 1, 3), unit(1.5, 1, 2)
    swap = two_way_swap(x, y, share_x_to_y=0.4, share_y_to_x=0.6)
    if as_step_up:  # 0.6 of those who leave y step up, at 1.5 times the rate at which the others go home
        up = Stage(unit=unit(1.5, 1 / 0.4, 2), step_up_per_day={0: 0.6})
    else:
        up = Stage(unit=y, next_shares={0: 0.6})
    chain = continuum([Stage(unit=x, next_shares={1: 0.4}), up])
    assert chain.census == pytest.approx((swap.x_census, swap.y_census))
    assert (chain.held[0, 1], chain.held[1, 0]) == pytest.approx((swap.x_held, swap.y_held))
    assert chain.refused_share == pytest.approx((swap.x_refused_share, swap.y_refused_share))


def test_three_in_a_ring_who_never_leave_by_hand() -> None:
    """One place each, all rates 1, everybody goes round: once three are inside, every third who is due moves all."""
    around = [Stage(unit=unit(1, 1, 1), next_shares={(here + 1) % 3: 1.0}) for here in range(3)]
    ring = continuum(around)
    # With all places taken, none, one or two hold (which of them does not matter, by symmetry). From none to one at
    # rate 3, from one to two at rate 2, from two to none at rate 1: shares in the proportion 2 : 3 : 6.
    assert sum(ring.census) == pytest.approx((3 * 2 + 2 * 3 + 1 * 6) / 11)
    assert sum(ring.held.values()) == pytest.approx((3 + 2 * 6) / 11)
    assert ring.refused_share == pytest.approx((1.0, 1.0, 1.0))


def test_who_is_first_matters_where_two_levels_wait_for_one() -> None:
    def held(first: tuple[int, int]) -> tuple[float, float]:
        chain = continuum(
            [
                Stage(unit=unit(2, 1, 2), next_shares={2: 1.0}),
                Stage(unit=unit(2, 1, 2), next_shares={2: 1.0}),
                Stage(unit=unit(0.5, 1, 1), first=first),
            ]
        )
        return chain.held[0, 2], chain.held[1, 2]

    assert held((0, 1)) == pytest.approx(held((1, 0))[::-1])
    assert held((0, 1))[0] < held((0, 1))[1] - 0.1


def test_refuses_what_it_does_not_know() -> None:
    one = Stage(unit=unit(1, 1, 1))
    with pytest.raises(ValueError, match="at most three"):
        continuum([one] * 4)
    with pytest.raises(ValueError, match="sum to at most 1"):
        continuum([Stage(unit=unit(1, 1, 1), next_shares={1: 0.7, 2: 0.6}), one, one])
