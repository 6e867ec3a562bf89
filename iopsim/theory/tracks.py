"""Tracks that have places of their own and share therapists: who joined first among those who could start."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from iopsim.theory.chains import Unit, expected, stationary

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["TrackShare", "shared_caseload"]


@dataclass(frozen=True, slots=True)
class TrackShare:
    """One of the tracks, in steady state.

    Attributes:
        census: Mean number in care.
        waiting: Mean number waiting.
        refused_share: Share of referrals that find the list full.
        mean_wait_days: Mean wait of those who start, zeros included.
    """

    census: float
    waiting: float
    refused_share: float
    mean_wait_days: float


class _State(NamedTuple):
    in_care: tuple[int, ...]
    waiting: tuple[int, ...]
    """Track of each who waits, who joined first listed first."""


def shared_caseload(tracks: Sequence[Unit], caseload: int, at_most: int) -> list[TrackShare]:
    """Tracks whose patients need a place of the track and room in a caseload that all tracks share.

    A place or room that frees goes to the first on the list who could start with it; one who waits for
    the places of one track blocks nobody of another. The list has room for so many, of all tracks
    together; who finds it full is lost.

    Args:
        tracks: Arrivals, exponential stays and places of each.
        caseload: Patients of all tracks together that the therapists have room for.
        at_most: Cap of the list; the chain has a state for each order of those on it.

    Raises:
        ValueError: The caseload or the cap is below 0.

    Source: a birth–death chain on those in care and the order of those who wait, built from its moves; waits
    by Little's law.
    """
    if caseload < 0 or at_most < 0:
        raise ValueError(f"need a caseload and a cap of 0 or more, got {caseload} and {at_most}")

    def fits(state: _State, track: int) -> bool:
        return state.in_care[track] < tracks[track].places and sum(state.in_care) < caseload

    def moves(state: _State) -> Iterator[tuple[_State, float]]:
        for number, track in enumerate(tracks):
            if fits(state, number):
                yield _with(state, number, 1), track.arrivals_per_day
            elif len(state.waiting) < at_most:
                yield state._replace(waiting=(*state.waiting, number)), track.arrivals_per_day
            if state.in_care[number]:
                left = _with(state, number, -1)
                yield next_in(left), state.in_care[number] / track.mean_stay_days

    def next_in(state: _State) -> _State:
        for place, track in enumerate(state.waiting):
            if fits(state, track):
                others = state.waiting[:place] + state.waiting[place + 1 :]
                return _with(state, track, 1)._replace(waiting=others)
        return state

    shares = stationary(_State((0,) * len(tracks), ()), moves)

    def of(number: int) -> TrackShare:
        waiting = expected(shares, lambda state: state.waiting.count(number))
        refused = expected(shares, lambda state: len(state.waiting) == at_most and not fits(state, number))
        starts_per_day = tracks[number].arrivals_per_day * (1 - refused)
        return TrackShare(
            census=expected(shares, lambda state: state.in_care[number]),
            waiting=waiting,
            refused_share=refused,
            mean_wait_days=waiting / starts_per_day,
        )

    return [of(number) for number in range(len(tracks))]


def _with(state: _State, track: int, more: int) -> _State:
    in_care = tuple(n + more * (number == track) for number, n in enumerate(state.in_care))
    return state._replace(in_care=in_care)
