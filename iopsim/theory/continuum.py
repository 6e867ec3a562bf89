"""A continuum of care as a Markov chain: levels that refer up and down and hold places for each other.

Whoever is due at another level that is full holds the present place, however long, after treatment or in the
middle of it (step-up). Holders who wait for each other's places exchange them at once.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from iopsim.theory.chains import Unit, expected, stationary

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = ["Continuum", "Stage", "continuum"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One level of the continuum; the others are called by their place in the sequence of all.

    Attributes:
        unit: Referrals from outside, who are lost if no place is free; places; mean days to completion.
        next_shares: Of those who complete, by level; the rest goes home.
        step_up_per_day: Rate at which one in treatment comes to need another level, by level.
        first: Levels in the order in which their holders are admitted here; needed if two levels refer here.
    """

    unit: Unit
    next_shares: Mapping[int, float] = field(default_factory=dict)
    step_up_per_day: Mapping[int, float] = field(default_factory=dict)
    first: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class Continuum:
    """The steady state, level by level.

    Attributes:
        census: Mean number in treatment, those who hold a place excluded.
        held: Mean number of places that are held, by level and by level waited for.
        refused_share: Share of referrals from outside that find no place.
    """

    census: tuple[float, ...]
    held: Mapping[tuple[int, int], float]
    refused_share: tuple[float, ...]


class _State(NamedTuple):
    """Numbers in treatment by level, and of places held by level and level waited for."""

    treated: tuple[int, ...]
    held: tuple[tuple[int, ...], ...]


def continuum(stages: Sequence[Stage]) -> Continuum:
    """Up to three levels that hold places for each other, in steady state.

    Of four or more levels that all refer to each other the answer would hang on which of two exchanges comes
    first, which this chain does not know.

    Raises:
        ValueError: Shares of a level are above 1, or more than three levels are given.

    Source: blocking and its resolution by exchange, Onvural (1990), ACM Computing Surveys 22(2), 83–121; the
    chain here is exact, built from its moves.
    """
    if len(stages) > 3 or any(sum(stage.next_shares.values()) > 1 + 1e-12 for stage in stages):
        raise ValueError("need at most three levels, and shares that sum to at most 1")

    def moves(state: _State) -> Iterator[tuple[_State, float]]:
        for here, stage in enumerate(stages):
            clinic = _Clinic(stages, state)
            if clinic.has_room(here):
                clinic.treated[here] += 1
                yield clinic.state, stage.unit.arrivals_per_day
            yield from _ends_of_treatment(stages, state, here)

    nobody = (0,) * len(stages)
    shares = stationary(_State(nobody, (nobody,) * len(stages)), moves)
    levels = range(len(stages))
    return Continuum(
        census=tuple(expected(shares, lambda s, n=n: s.treated[n]) for n in levels),  # type: ignore[misc]
        held={
            (here, there): expected(shares, lambda s, i=here, j=there: s.held[i][j])  # type: ignore[misc]
            for here in levels
            for there in levels
            if here != there
        },
        refused_share=tuple(
            expected(shares, lambda s, n=n: not _Clinic(stages, s).has_room(n))  # type: ignore[misc]
            for n in levels
        ),
    )


def _ends_of_treatment(stages: Sequence[Stage], state: _State, here: int) -> Iterator[tuple[_State, float]]:
    stage, treated = stages[here], state.treated[here]
    complete_per_day = treated / stage.unit.mean_stay_days
    if treated:
        home = _Clinic(stages, state)
        home.treated[here] -= 1
        home.fill(here)
        yield home.state, complete_per_day * (1 - sum(stage.next_shares.values()))
        due = [
            *((there, complete_per_day * share) for there, share in stage.next_shares.items()),
            *((there, treated * rate) for there, rate in stage.step_up_per_day.items()),
        ]
        for there, rate in due:
            onward = _Clinic(stages, state)
            onward.send(here, there)
            yield onward.state, rate


class _Clinic:
    """A state that can be changed."""

    def __init__(self, stages: Sequence[Stage], state: _State) -> None:
        self._stages = stages
        self.treated = list(state.treated)
        self.held = [list(row) for row in state.held]

    @property
    def state(self) -> _State:
        return _State(tuple(self.treated), tuple(map(tuple, self.held)))

    def has_room(self, level: int) -> bool:
        return self.treated[level] + sum(self.held[level]) < self._stages[level].unit.places

    def send(self, here: int, there: int) -> None:
        """One in treatment is due at another level: there if it has room, or else holding the place."""
        self.treated[here] -= 1
        if self.has_room(there):
            self.treated[there] += 1
            self.fill(here)
            return
        self.held[here][there] += 1
        for one, other in pairwise(self._around(here, there)):
            self.held[one][other] -= 1
            self.treated[other] += 1

    def fill(self, level: int) -> None:
        """A place has come free: the first holder who waits for it moves, and frees a place in turn."""
        waiting = [other for other in range(len(self.held)) if self.held[other][level]]
        if waiting:
            order = list(self._stages[level].first)
            other = waiting[0] if len(waiting) == 1 else min(waiting, key=order.index)
            self.held[other][level] -= 1
            self.treated[level] += 1
            self.fill(other)

    def _around(self, here: int, there: int) -> list[int]:
        """The shortest way round from `here` through `there`, of levels that hold for each other; empty if none."""
        ways = deque([[here, there]])
        while ways:
            way = ways.popleft()
            for other, holders in enumerate(self.held[way[-1]]):
                if holders and other == here:
                    return [*way, here]
                if holders and other not in way:
                    ways.append([*way, other])
        return []
