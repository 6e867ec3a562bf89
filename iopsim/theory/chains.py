"""Finite Markov chains: any, from its moves; places held for a full program; holders who swap places.

A place that frees goes at once to whoever may have it: no state has both a free place and somebody who waits
for it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import numpy as np
from scipy.sparse import csc_array
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import splu

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping

    from numpy.typing import NDArray

__all__ = [
    "BlockedStepDown",
    "TwoWaySwap",
    "Unit",
    "blocked_step_down",
    "expected",
    "stationary",
    "transient",
    "two_way_swap",
]

State = TypeVar("State", bound="Hashable")

_INVERSE_STEPS = 4
"""Each step shrinks what is wrong by the shift over the slowest rate of mixing."""


def stationary(start: State, moves: Callable[[State], Iterable[tuple[State, float]]]) -> dict[State, float]:
    """Long-run share of time that a continuous-time Markov chain spends in each state it can reach.

    Args:
        start: Any state; the chain is explored from it, breadth first.
        moves: The states that can follow one, each with its rate per day; a state may come up more than once.

    Returns:
        Probability by state, in the order found; states that are left for good have exactly 0.

    Raises:
        ValueError: A rate is negative, or there is more than one set of states that is never left.

    Source: Stewart, Probability, Markov Chains, Queues, and Simulation (2009), ch. 10: balance of flow.
    """
    states, flow = _explored([start], moves)
    kept = _states_never_left(flow)
    probabilities = np.zeros(len(states))
    probabilities[kept] = _balance(flow[kept][:, kept])
    return dict(zip(states, probabilities.tolist(), strict=True))


def transient(
    shares: Mapping[State, float], moves: Callable[[State], Iterable[tuple[State, float]]], days: float
) -> dict[State, float]:
    """Probability of each state some days after the chain stood in states with given probabilities.

    The chain is watched at the points of a Poisson process as fast as its fastest state is left; after each
    of them it has moved, or stays. Terms that no longer change a number of 16 digits are left out.

    Args:
        shares: Probability by state on day 0; they sum to 1.
        moves: As for `stationary`.
        days: 0 or more.

    Returns:
        Probability by state, in the order found.

    Raises:
        ValueError: A rate or `days` is negative.

    Source: Jensen (1953), Skandinavisk Aktuarietidskrift 36, 87–91: uniformization.
    """
    if days < 0:
        raise ValueError(f"days must be 0 or more, got {days}")
    states, flow = _explored(shares, moves)
    out_per_day = flow.sum(axis=0)
    fastest_per_day = float(out_per_day.max(initial=0.0)) or 1.0
    events = days * fastest_per_day
    now = np.array([shares.get(state, 0.0) for state in states])
    after, weight = np.zeros(len(states)), math.exp(-events)
    if weight < 1e-280:
        half = transient(shares, moves, days / 2)
        return transient(half, moves, days / 2)
    step = 0
    while True:
        after += weight * now
        if step >= events and weight < 1e-18:
            return dict(zip(states, after.tolist(), strict=True))
        step += 1
        weight *= events / step
        now = now + (flow @ now - out_per_day * now) / fastest_per_day


def _explored(
    starts: Iterable[State], moves: Callable[[State], Iterable[tuple[State, float]]]
) -> tuple[list[State], csc_array]:
    """All states that can be reached, in the order found, and the rates from column to row."""
    number = {start: place for place, start in enumerate(starts)}
    origins, targets, rates = [], [], []
    for state in (states := list(number)):
        for target, rate in moves(state):
            if rate < 0:
                raise ValueError(f"rates must be 0 or more, got {rate} from {state} to {target}")
            if rate == 0 or target == state:
                continue
            if target not in number:
                number[target] = len(states)
                states.append(target)
            origins.append(number[state])
            targets.append(number[target])
            rates.append(rate)
    return states, csc_array((rates, (targets, origins)), shape=(len(states), len(states)))


def expected(probabilities: Mapping[State, float], value: Callable[[State], float]) -> float:
    """Mean of `value` over the states; of a condition, the share of time it holds."""
    return math.fsum(share * value(state) for state, share in probabilities.items())


def _states_never_left(flow: csc_array) -> NDArray[np.intp]:
    """Numbers of the states of the one strongly connected set that no flow (from column to row) leaves."""
    _, sets = connected_components(flow, connection="strong")
    targets, origins = flow.nonzero()
    left = set(sets[origins][sets[origins] != sets[targets]].tolist())
    closed = set(sets.tolist()) - left
    if len(closed) != 1:
        raise ValueError(f"the chain has {len(closed)} sets of states that are never left, expected 1")
    return np.flatnonzero(sets == closed.pop())


def _balance(flow: csc_array) -> NDArray[np.float64]:
    """Shares for which inflow equals outflow in every state of an irreducible chain, by inverse iteration.

    The shift keeps the matrix regular and its columns dominated by the diagonal, so that no pivoting is
    needed, and small shares come out positive and to as many digits as large ones. Trap: parts of a chain
    that take 10^12 times longer to mix than its fastest move keep the weights they start with.
    """
    size = flow.shape[0]
    out_per_day = flow.sum(axis=0)
    shift_per_day = 1e-12 * out_per_day.max(initial=0.0) or 1.0
    diagonal = csc_array((out_per_day + shift_per_day, (range(size), range(size))))
    factors = splu(
        csc_array(diagonal - flow),
        permc_spec="MMD_AT_PLUS_A",
        diag_pivot_thresh=0.0,
        options={"SymmetricMode": True},
    )
    shares = np.full(size, 1 / size)
    for _ in range(_INVERSE_STEPS):
        shares = factors.solve(shares)
        shares /= shares.sum()
    return shares


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """A level of care with Poisson arrivals from outside, exponential stays and a number of places."""

    arrivals_per_day: float
    mean_stay_days: float
    places: int

    def __post_init__(self) -> None:
        if self.arrivals_per_day < 0 or not self.mean_stay_days > 0 or self.places < 1:
            raise ValueError(
                f"need arrivals of 0 or more, a mean stay above 0 and at least one place, got {self}"
            )


@dataclass(frozen=True, slots=True)
class BlockedStepDown:
    """Inpatient unit before a program that can be full, in steady state.

    Attributes:
        inpatient_census: Mean number in treatment, those who hold a place excluded.
        held: Mean number of inpatient places held after treatment.
        held_days_per_patient: Mean days held per patient who becomes ready to step down, zeros included.
        program_census: Mean number in the program.
        community_waiting: Mean number on the community's waitlist.
        inpatient_refused_share: Share of inpatient referrals refused.
        community_refused_share: Share of community referrals refused, the waitlist being full.
        community_reneged_share: Share of community referrals who join and give up.
    """

    inpatient_census: float
    held: float
    held_days_per_patient: float
    program_census: float
    community_waiting: float
    inpatient_refused_share: float
    community_refused_share: float
    community_reneged_share: float


class _StepDownState(NamedTuple):
    treated: int
    in_program: int
    line: tuple[bool, ...]
    """Who waits for the program, the next first; true is one who holds an inpatient place."""

    @property
    def held(self) -> int:
        """Inpatient places that are held."""
        return sum(self.line)

    @property
    def waiting(self) -> int:
        """Those who wait at home, from the community."""
        return len(self.line) - self.held


def blocked_step_down(
    inpatient: Unit,
    program: Unit,
    *,
    step_down_share: float,
    community_at_most: int,
    mean_patience_days: float = math.inf,
    step_downs_first: bool | None = True,
) -> BlockedStepDown:
    """An inpatient unit whose patients hold their place, however long, until the program admits them.

    Inpatient referrals that find no place are lost. The program also has direct arrivals from the community,
    who wait in a list of at most `community_at_most`, with exponential patience; who finds the list full is
    lost.

    Args:
        inpatient: Arrivals are inpatient referrals.
        program: Arrivals are direct referrals from the community.
        step_down_share: Share of those who complete inpatient treatment that goes on to the program.
        community_at_most: Cap of the community's waitlist; exact as a cap; make it large for none.
        mean_patience_days: Of those on the waitlist; holders have no limit.
        step_downs_first: Whether holders go before the community's waitlist, or after it; None if all go in the
            order in which they come to wait.

    Raises:
        ValueError: A share is outside 0 to 1, the cap below 0 or patience not above 0.

    Source: Koizumi, Kuno & Smith (2005), Health Care Management Science 8(1), 49–60: blocking between levels
    of mental health care; the chain here is exact, built from its moves.
    """
    if not 0 <= step_down_share <= 1 or community_at_most < 0 or not mean_patience_days > 0:
        raise ValueError("need a share from 0 to 1, a cap of 0 or more and a mean patience above 0")

    def moves(state: _StepDownState) -> Iterator[tuple[_StepDownState, float]]:
        treated, in_program, line = state
        if treated + state.held < inpatient.places:
            yield state._replace(treated=treated + 1), inpatient.arrivals_per_day
        if treated:
            completed, per_day = state._replace(treated=treated - 1), treated / inpatient.mean_stay_days
            yield completed, per_day * (1 - step_down_share)
            yield in_line(completed, True), per_day * step_down_share
        if in_program < program.places or state.waiting < community_at_most:
            yield in_line(state, False), program.arrivals_per_day
        place = 0
        for holds, alike in groupby(line):
            number = len([*alike])
            if not holds:  # whichever of them gives up, the same line is left
                yield state._replace(line=line[:place] + line[place + 1 :]), number / mean_patience_days
            place += number
        left = state._replace(line=line[1:]) if line else state._replace(in_program=in_program - 1)
        yield left, in_program / program.mean_stay_days

    def in_line(state: _StepDownState, holds: bool) -> _StepDownState:
        """One more for the program: in it if it has room, or else behind all who go first, or came first."""
        if state.in_program < program.places:
            return state._replace(in_program=state.in_program + 1)
        line = [*state.line, holds]
        if step_downs_first is not None:
            line.sort(reverse=step_downs_first)
        return state._replace(line=tuple(line))

    shares = stationary(_StepDownState(0, 0, ()), moves)
    census, held = expected(shares, lambda s: s.treated), expected(shares, lambda s: s.held)
    waiting = expected(shares, lambda s: s.waiting)
    return BlockedStepDown(
        inpatient_census=census,
        held=held,
        held_days_per_patient=_ratio(held, census / inpatient.mean_stay_days * step_down_share),
        program_census=expected(shares, lambda s: s.in_program),
        community_waiting=waiting,
        inpatient_refused_share=expected(shares, lambda s: s.treated + s.held == inpatient.places),
        community_refused_share=expected(
            shares, lambda s: s.in_program == program.places and s.waiting == community_at_most
        ),
        community_reneged_share=_ratio(waiting / mean_patience_days, program.arrivals_per_day),
    )


@dataclass(frozen=True, slots=True)
class TwoWaySwap:
    """Two levels that refer to each other, in steady state.

    Attributes:
        x_census: Mean number in treatment at X, those who hold a place excluded.
        y_census: The same at Y.
        x_held: Mean number of places of X held by those who wait for Y.
        y_held: Mean number of places of Y held by those who wait for X.
        x_refused_share: Share of referrals from outside to X that find no place.
        y_refused_share: The same at Y.
    """

    x_census: float
    y_census: float
    x_held: float
    y_held: float
    x_refused_share: float
    y_refused_share: float


class _SwapState(NamedTuple):
    treated: int
    held: int
    other_treated: int
    other_held: int

    def mirrored(self) -> _SwapState:
        return _SwapState(self.other_treated, self.other_held, self.treated, self.held)


def two_way_swap(x: Unit, y: Unit, *, share_x_to_y: float, share_y_to_x: float) -> TwoWaySwap:
    """Two levels that refer to each other; whoever waits for the other level holds the present place.

    Somebody who holds a place of X for Y and somebody who holds one of Y for X exchange places at once, so
    holders are never found on both sides. Referrals from outside that find no place are lost.

    Raises:
        ValueError: A share is outside 0 to 1.

    Source: deadlock and its resolution by exchange, Onvural (1990), ACM Computing Surveys 22(2), 83–121; the
    chain here is exact, built from its moves.
    """
    if not (0 <= share_x_to_y <= 1 and 0 <= share_y_to_x <= 1):
        raise ValueError(f"shares must be from 0 to 1, got {share_x_to_y} and {share_y_to_x}")

    def moves(state: _SwapState) -> Iterator[tuple[_SwapState, float]]:
        yield from _moves_of_one_side(state, x, y.places, share_x_to_y)
        for target, rate in _moves_of_one_side(state.mirrored(), y, x.places, share_y_to_x):
            yield target.mirrored(), rate

    shares = stationary(_SwapState(0, 0, 0, 0), moves)
    return TwoWaySwap(
        x_census=expected(shares, lambda s: s.treated),
        y_census=expected(shares, lambda s: s.other_treated),
        x_held=expected(shares, lambda s: s.held),
        y_held=expected(shares, lambda s: s.other_held),
        x_refused_share=expected(shares, lambda s: s.treated + s.held == x.places),
        y_refused_share=expected(shares, lambda s: s.other_treated + s.other_held == y.places),
    )


def _moves_of_one_side(
    state: _SwapState, unit: Unit, other_places: int, share_onward: float
) -> Iterator[tuple[_SwapState, float]]:
    treated, held, other_treated, other_held = state
    if treated + held < unit.places:
        yield state._replace(treated=treated + 1), unit.arrivals_per_day
    complete_per_day = treated / unit.mean_stay_days
    if other_held:
        # Whoever leaves, home or onward, is replaced by a holder of the other side, so `treated` stays.
        home = state._replace(other_held=other_held - 1)
        onward = home._replace(other_treated=other_treated + 1)
    else:
        home = state._replace(treated=treated - 1)
        other_free = other_treated < other_places
        onward = (
            home._replace(other_treated=other_treated + 1) if other_free else home._replace(held=held + 1)
        )
    yield home, complete_per_day * (1 - share_onward)
    yield onward, complete_per_day * share_onward


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else math.nan
