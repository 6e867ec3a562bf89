"""Erlang's loss system in time: nobody waits, and the number of places changes on a day."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iopsim.theory.chains import expected, stationary, transient

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Moves = Callable[[int], Iterator[tuple[int, float]]]

__all__ = ["census_after_step"]


def census_after_step(
    arrivals_per_day: float, mean_stay_days: float, servers: int, servers_then: int, days: float
) -> float:
    """Mean census of M/M/c/c some days after its places became more or fewer, in steady state until then.

    Fewer places put nobody out, and nobody is admitted before the census is below the new number.

    Raises:
        ValueError: A rate or `days` is negative.

    Source: birth and death, Cooper, Introduction to Queueing Theory, 2nd ed. (1981), ch. 2; the chain here is
    exact, built from its moves.
    """

    def moves(places: int) -> Moves:
        def of(census: int) -> Iterator[tuple[int, float]]:
            yield census + 1, arrivals_per_day * (census < places)
            yield census - 1, census / mean_stay_days

        return of

    return expected(transient(stationary(0, moves(servers)), moves(servers_then), days), float)
