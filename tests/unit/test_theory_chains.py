"""Stationary distributions, blocked step-downs and swaps by hand, in limits, in balance and by agents."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iopsim.theory.abandonment import erlang_a
from iopsim.theory.chains import (
    BlockedStepDown,
    Unit,
    blocked_step_down,
    expected,
    stationary,
    transient,
    two_way_swap,
)
from iopsim.theory.erlang import erlang_b, mmc

pytestmark = pytest.mark.slow


def unit(arrivals: float, stay: float, places: int) -> Unit:
    return Unit(arrivals_per_day=arrivals, mean_stay_days=stay, places=places)


def test_three_states_by_hand() -> None:
    moves = {"a": [("b", 1.0)], "b": [("c", 2.0), ("a", 2.0)], "c": [("a", 1.0), ("a", 3.0)]}
    # c = b / 2 and a = 2b + 4c = 4b: 8 : 2 : 1.
    assert stationary("a", moves.__getitem__) == pytest.approx({"a": 8 / 11, "b": 2 / 11, "c": 1 / 11})


def test_states_left_for_good_have_no_share() -> None:
    moves = {"new": [("a", 5.0)], "a": [("b", 1.0), ("a", 9.0)], "b": [("a", 1.0), ("never", 0.0)]}
    assert stationary("new", moves.__getitem__) == {"new": 0.0, "a": 0.5, "b": 0.5}


def test_refuses_negative_rates_and_two_ends() -> None:
    with pytest.raises(ValueError, match="0 or more, got -1"):
        stationary(0, lambda state: [(1 - state, -1.0)])
    ends = {"fork": [("left", 1.0), ("right", 1.0)], "left": [], "right": []}
    with pytest.raises(ValueError, match="2 sets of states"):
        stationary("fork", ends.__getitem__)


def test_a_loss_system_over_many_orders_of_magnitude() -> None:
    shares = stationary(0, lambda n: [(n + 1, 40.0 if n < 100 else 0.0), (n - 1, float(n))])
    assert shares[100] == pytest.approx(erlang_b(100, 40.0), rel=1e-12)
    assert sum(shares.values()) == pytest.approx(1)
    assert expected(shares, lambda n: n) == pytest.approx(40 * (1 - shares[100]))


def test_two_wells_that_rarely_mix_share_as_the_product_form_says() -> None:
    up = [1.0] * 8 + [6.0] * 6 + [0.0]
    down = [0.0] + [5.0] * 8 + [1.0] * 6
    weights = [math.prod(up[i] / down[i + 1] for i in range(n)) for n in range(15)]
    shares = stationary(0, lambda n: [(n + 1, up[n]), (n - 1, down[n])])
    assert shares == pytest.approx({n: weight / sum(weights) for n, weight in enumerate(weights)}, rel=1e-12)


def test_one_bed_before_one_place_by_hand() -> None:
    # All rates 1, everyone steps down, no community. With t in treatment, h holding, p in the program,
    # balance gives none : t : p : tp : hp = 2 : 3 : 2 : 1 : 1.
    answer = blocked_step_down(unit(1, 1, 1), unit(0, 1, 1), step_down_share=1.0, community_at_most=0)
    assert answer.inpatient_census == pytest.approx(4 / 9)
    assert answer.held == pytest.approx(1 / 9)
    assert answer.held_days_per_patient == pytest.approx(1 / 4)
    assert answer.program_census == pytest.approx(4 / 9)
    assert answer.inpatient_refused_share == pytest.approx(5 / 9)
    assert math.isnan(answer.community_reneged_share)


def test_without_step_downs_the_two_levels_are_strangers() -> None:
    apart = blocked_step_down(unit(0.5, 9, 6), unit(0.3, 42, 14), step_down_share=0.0, community_at_most=300)
    queue = mmc(0.3, 42, 14)
    assert apart.inpatient_refused_share == pytest.approx(erlang_b(6, 4.5))
    assert apart.held == 0
    assert math.isnan(apart.held_days_per_patient)
    assert apart.community_waiting == pytest.approx(queue.mean_waiting)
    assert apart.program_census == pytest.approx(12.6)
    impatient = blocked_step_down(
        unit(0.5, 9, 2), unit(0.5, 42, 14), step_down_share=0.0, community_at_most=100, mean_patience_days=15
    )
    exact = erlang_a(0.5, 42, 14, 15)
    assert impatient.community_waiting == pytest.approx(exact.mean_waiting)
    assert impatient.community_reneged_share == pytest.approx(exact.renege_share)
    assert impatient.community_refused_share == pytest.approx(0, abs=1e-12)


def test_an_ample_program_blocks_nobody() -> None:
    free = blocked_step_down(unit(0.5, 9, 6), unit(0.3, 5, 40), step_down_share=0.7, community_at_most=0)
    admitted = 0.5 * (1 - erlang_b(6, 4.5))
    assert free.inpatient_refused_share == pytest.approx(erlang_b(6, 4.5))
    assert free.held == pytest.approx(0, abs=1e-12)
    assert free.program_census == pytest.approx(5 * (0.3 + 0.7 * admitted))


@settings(max_examples=25, deadline=None)
@given(
    inpatient=st.builds(unit, st.floats(0.05, 2), st.floats(1, 15), st.integers(1, 5)),
    program=st.builds(unit, st.floats(0.05, 2), st.floats(5, 50), st.integers(1, 8)),
    share=st.floats(0.05, 1),
    at_most=st.integers(0, 6),
    patience=st.sampled_from([3.0, 40.0, math.inf]),
    first=st.sampled_from([True, False, None]),
)
def test_whatever_comes_in_goes_out(
    inpatient: Unit, program: Unit, share: float, at_most: int, patience: float, first: bool | None
) -> None:
    answer = blocked_step_down(
        inpatient,
        program,
        step_down_share=share,
        community_at_most=at_most,
        mean_patience_days=patience,
        step_downs_first=first,
    )
    discharged = answer.inpatient_census / inpatient.mean_stay_days
    assert inpatient.arrivals_per_day * (1 - answer.inpatient_refused_share) == pytest.approx(discharged)
    from_community = program.arrivals_per_day * (
        1 - answer.community_refused_share - answer.community_reneged_share
    )
    assert share * discharged + from_community == pytest.approx(
        answer.program_census / program.mean_stay_days
    )
    assert answer.inpatient_census + answer.held <= inpatient.places
    assert answer.held_days_per_patient == pytest.approx(answer.held / (share * discharged))


def test_priority_moves_the_wait_to_the_other_class() -> None:
    held, waiting = {}, {}
    for first in (True, None, False):
        answer = step_down_case(step_downs_first=first)
        held[first], waiting[first] = answer.held, answer.community_waiting
    assert held[True] < 0.8 * held[None] < 0.7 * held[False]
    assert waiting[True] > 1.05 * waiting[None] > 1.1 * waiting[False]


def test_in_order_of_joining_by_hand() -> None:
    # Inpatient treatment of no length makes the two kinds alike: of each, one can be in line.
    both = blocked_step_down(
        unit(1, 1e-9, 1), unit(1, 1, 1), step_down_share=1.0, community_at_most=1, step_downs_first=None
    )
    assert both.held == pytest.approx(both.community_waiting, rel=1e-6)


INPATIENT, PROGRAM = unit(0.4, 8.0, 5), unit(0.25, 30.0, 10)


def step_down_case(step_downs_first: bool | None) -> BlockedStepDown:
    return blocked_step_down(
        INPATIENT,
        PROGRAM,
        step_down_share=0.5,
        community_at_most=6,
        mean_patience_days=25.0,
        step_downs_first=step_downs_first,
    )


def agents(step_downs_first: bool, days: float, leak: bool) -> np.ndarray:
    """Time averages (treated, held, program, waiting), first from lists of people with clocks of their own.

    `leak` is the mutant: somebody who steps down gives the bed up at once and waits at home.
    """
    chance = np.random.default_rng(7)
    beds, holding, places, line = [], [], [], []
    referral = direct = now = 0.0
    totals, batches, batch_end = np.zeros(4), [], days / 41
    while len(batches) < 41:
        event = min([referral, direct, *beds, *places, *line, batch_end])
        totals += (event - now) * np.array([len(beds), len(holding), len(places), len(line)])
        now = event
        if now == batch_end:
            batches.append(totals / (days / 41))
            totals, batch_end = np.zeros(4), batch_end + days / 41
        elif now == referral:
            referral = now + chance.exponential(1 / INPATIENT.arrivals_per_day)
            if len(beds) + (0 if leak else len(holding)) < INPATIENT.places:
                beds.append(now + chance.exponential(INPATIENT.mean_stay_days))
        elif now == direct:
            direct = now + chance.exponential(1 / PROGRAM.arrivals_per_day)
            if len(places) < PROGRAM.places or len(line) < 6:
                line.append(now + chance.exponential(25.0))
        else:
            clocks = next(clocks for clocks in (beds, places, line) if now in clocks)
            clocks.remove(now)
            if clocks is beds and chance.random() < 0.5:
                holding.append(now)
        while len(places) < PROGRAM.places and (holding or line):
            holder_next = holding and (step_downs_first or not line)
            (holding if holder_next else line).pop(0)
            places.append(now + chance.exponential(PROGRAM.mean_stay_days))
    return np.array(batches[1:])


@pytest.mark.parametrize("first", [True, False])
def test_people_with_clocks_agree_and_a_leaking_bed_is_caught(first: bool) -> None:
    answer = step_down_case(step_downs_first=first)
    exact = np.array([answer.inpatient_census, answer.held, answer.program_census, answer.community_waiting])

    batches = agents(first, days=60_000.0, leak=False)
    error = batches.std(axis=0, ddof=1) / math.sqrt(len(batches))
    assert (error < 0.05 * exact).all(), "too weak to mean something"
    assert (np.abs(batches.mean(axis=0) - exact) < 4 * error).all()
    leaking = agents(first, days=60_000.0, leak=True)[:, 0]
    assert abs(leaking.mean() - exact[0]) > 10 * leaking.std(ddof=1) / math.sqrt(len(leaking))


def test_a_shorter_community_list_is_closer_to_a_loss_system() -> None:
    refused = [
        blocked_step_down(
            INPATIENT, PROGRAM, step_down_share=0.5, community_at_most=cap
        ).community_refused_share
        for cap in (0, 2, 8, 30)
    ]
    assert all(later < earlier for earlier, later in pairwise(refused))


def test_swap_of_one_place_each_by_hand() -> None:
    # All rates 1, everyone goes to and fro, nobody leaves: once both are full, who completes holds until the
    # other completes too, so that holding nobody, X's and Y's place are equally likely.
    answer = two_way_swap(unit(1, 1, 1), unit(1, 1, 1), share_x_to_y=1.0, share_y_to_x=1.0)
    assert (answer.x_held, answer.y_held) == pytest.approx((1 / 3, 1 / 3))
    assert (answer.x_census, answer.y_census) == pytest.approx((2 / 3, 2 / 3))
    assert (answer.x_refused_share, answer.y_refused_share) == pytest.approx((1, 1))


def test_full_levels_that_only_swap_are_a_birth_death_chain() -> None:
    # Holders of X less holders of Y: up at (3 − X holders) / 2, down at (2 − Y holders) / 5.
    answer = two_way_swap(unit(1, 2, 3), unit(1, 5, 2), share_x_to_y=1.0, share_y_to_x=1.0)
    shares = stationary(
        0, lambda d: [(d + 1, (3 - max(d, 0)) / 2), (d - 1, (2 - max(-d, 0)) / 5 if d > -2 else 0.0)]
    )
    assert answer.x_held == pytest.approx(expected(shares, lambda d: max(d, 0)))
    assert answer.y_held == pytest.approx(expected(shares, lambda d: max(-d, 0)))


def test_a_one_way_swap_is_a_step_down() -> None:
    one_way = two_way_swap(INPATIENT, PROGRAM, share_x_to_y=0.5, share_y_to_x=0.0)
    known = blocked_step_down(INPATIENT, PROGRAM, step_down_share=0.5, community_at_most=0)
    assert one_way.x_held == pytest.approx(known.held)
    assert one_way.x_census == pytest.approx(known.inpatient_census)
    assert one_way.y_census == pytest.approx(known.program_census)
    assert one_way.y_refused_share == pytest.approx(known.community_refused_share)
    assert one_way.y_held == 0


@settings(max_examples=25, deadline=None)
@given(
    x=st.builds(unit, st.floats(0.05, 2), st.floats(1, 15), st.integers(1, 6)),
    y=st.builds(unit, st.floats(0.05, 2), st.floats(1, 15), st.integers(1, 6)),
    to_y=st.floats(0, 0.95),
    to_x=st.floats(0, 0.95),
)
def test_swaps_balance_and_mirror(x: Unit, y: Unit, to_y: float, to_x: float) -> None:
    answer = two_way_swap(x, y, share_x_to_y=to_y, share_y_to_x=to_x)
    mirror = two_way_swap(y, x, share_x_to_y=to_x, share_y_to_x=to_y)
    assert answer.x_held == pytest.approx(mirror.y_held, abs=1e-12)
    assert answer.y_census == pytest.approx(mirror.x_census)
    finish_x, finish_y = answer.x_census / x.mean_stay_days, answer.y_census / y.mean_stay_days
    into_x = x.arrivals_per_day * (1 - answer.x_refused_share) + to_x * finish_y
    into_y = y.arrivals_per_day * (1 - answer.y_refused_share) + to_y * finish_x
    assert into_x == pytest.approx(finish_x)
    assert into_y == pytest.approx(finish_y)


def test_refuses_what_makes_no_sense() -> None:
    with pytest.raises(ValueError, match="at least one place"):
        unit(1, 1, 0)
    with pytest.raises(ValueError, match="share from 0 to 1"):
        blocked_step_down(INPATIENT, PROGRAM, step_down_share=1.2, community_at_most=0)
    with pytest.raises(ValueError, match="shares must be from 0 to 1"):
        two_way_swap(INPATIENT, PROGRAM, share_x_to_y=0.5, share_y_to_x=-0.5)


# some days on


def test_a_place_that_fills_and_frees_by_hand() -> None:
    def moves(taken: int) -> list[tuple[int, float]]:
        return [(1 - taken, 2.0 if taken else 3.0)]

    for days in (0.0, 0.1, 1.0, 400.0):  # 3/5 in the long run, approached at the rate of both together
        after = transient({0: 1.0}, moves, days)
        assert after[1] == pytest.approx(0.6 * -math.expm1(-5 * days), rel=1e-12, abs=1e-15)
        assert sum(after.values()) == pytest.approx(1)


def test_rooms_for_all_fill_as_the_infinite_ones_do() -> None:
    after = transient({0: 1.0}, lambda n: [(n + 1, 3.0 if n < 60 else 0.0), (n - 1, n / 5)], 4.0)
    assert expected(after, lambda n: n) == pytest.approx(15 * -math.expm1(-4 / 5))


def test_a_long_time_forgets_where_it_began() -> None:
    def moves(n: int) -> list[tuple[int, float]]:
        return [(n + 1, 4.0 if n < 6 else 0.0), (n - 1, float(n))]

    later, still = transient({0: 0.5, 6: 0.5}, moves, 800.0), stationary(0, moves)
    assert {n: later[n] for n in still} == pytest.approx(still, rel=1e-9)


def test_refuses_to_look_back() -> None:
    with pytest.raises(ValueError, match="0 or more, got -1"):
        transient({0: 1.0}, lambda n: [], -1.0)
