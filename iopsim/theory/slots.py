"""The wait for one of a fixed number of slots: intake appointments by the week, cohorts by the start date.

Referrals are a Poisson process, first come first served, and take the first free slot that is still to come; a
slot that nobody has taken when its time comes is lost. Those who wait are then a chain in discrete time: from
one slot's time to the next their number moves as max(left + Poisson(a) − slots, 0), with a the referrals
expected in between, and the cycle of slots makes it return to one law.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import pdtr, pdtrc

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

__all__ = ["SlotWait", "slot_wait"]

_SETTLED = 1e-14  # total change of the law of those left behind from one cycle to the next
_MOST_CYCLES = 100_000


@dataclass(frozen=True, slots=True)
class _Span:
    """Part of a cycle without slots or midnights inside: arrivals, and the slots at its end."""

    begins: float
    ends: float
    arrivals: float
    slots: int
    left: NDArray[np.float64]
    """Law of those who wait at its beginning."""


@dataclass(frozen=True, slots=True)
class SlotWait:
    """The wait from referral to the slot, in steady state.

    Attributes:
        mean_days: Mean wait.
        lead_days: Share by calendar days from the day of referral to that of the slot: 0, 1, 2, …
    """

    mean_days: float
    lead_days: tuple[float, ...]
    _spans: tuple[_Span, ...]
    _slots: tuple[float, ...]
    _cycle_days: float

    def cdf(self, days: float) -> float:
        """Share of waits of at most `days`.

        The n-th to wait in a span takes the n-th slot after it; of the referrals of a span, an m-th after
        some instant is expected as often as Poisson(a) reaches m and Poisson(a until then) does not.
        """
        within = 0.0
        for span in self._spans:
            for place, seen in enumerate(span.left):
                index = np.arange(_most(span.arrivals))
                times = _times_from(self._slots, self._cycle_days, span.ends, place + len(index))[place:]
                since = np.clip((times - days - span.begins) / (span.ends - span.begins), 0, 1)
                within += seen * float(
                    np.sum(pdtr(index, since * span.arrivals) - pdtr(index, span.arrivals))
                )
        return within / sum(span.arrivals for span in self._spans)


def slot_wait(arrivals_per_day: float, slots: Sequence[float], cycle_days: int = 7) -> SlotWait:
    """The wait for the first free of the slots at these times of a cycle; as many as a time stands in it.

    Args:
        arrivals_per_day: Rate of a Poisson process, at all times alike.
        slots: Times from the cycle's beginning at midnight, each from 0 to below `cycle_days`.
        cycle_days: Days after which the slots repeat: 7 for working days, 14 for a cohort every two weeks.

    Raises:
        ValueError: More come in a cycle than there are slots, or an input makes no sense.

    Source: Bailey (1954), Journal of the Royal Statistical Society B 16(1), 80–87, and Creemers & Lambrecht
    (2010), Annals of Operations Research 178, 5–19, appointment systems as vacation queues; the law of those
    left behind by recursion over the slots of a cycle, the mean by Little's law.
    """
    if not (arrivals_per_day > 0 and slots and min(slots) >= 0 and max(slots) < cycle_days):
        raise ValueError("need arrivals above 0 and slots at times within the cycle")
    if arrivals_per_day * cycle_days >= len(slots):
        load = arrivals_per_day * cycle_days
        raise ValueError(f"{load:g} arrivals need more slots than {len(slots)}: the waitlist never settles")
    ordered = tuple(sorted(slots))
    spans = tuple(_settled(arrivals_per_day, ordered, cycle_days))
    days = [span.ends - span.begins for span in spans]
    area = sum(
        (span.left @ np.arange(len(span.left)) + span.arrivals / 2) * length
        for span, length in zip(spans, days, strict=True)
    )
    mean = float(area / (arrivals_per_day * cycle_days))
    return SlotWait(mean, _lead_days(spans, ordered, cycle_days), spans, ordered, cycle_days)


def _settled(rate: float, slots: tuple[float, ...], cycle_days: int) -> Iterator[_Span]:
    """The spans of a cycle, with the law of those who wait as it is in the long run."""
    cuts = sorted({*range(cycle_days + 1), *slots})
    parts = [
        (begins, ends, rate * (ends - begins), slots.count(ends % cycle_days))
        for begins, ends in pairwise(cuts)
    ]
    left = np.ones(1)
    for _ in range(_MOST_CYCLES):
        before = left
        for _, _, arrivals, taken in parts:
            left = _passed(left, arrivals, taken)
        size = max(len(before), len(left))
        if (
            np.abs(np.pad(left, (0, size - len(left))) - np.pad(before, (0, size - len(before)))).sum()
            < _SETTLED
        ):
            break
    for begins, ends, arrivals, taken in parts:
        yield _Span(begins, ends, arrivals, taken, left)
        left = _passed(left, arrivals, taken)


def _passed(left: NDArray[np.float64], arrivals: float, taken: int) -> NDArray[np.float64]:
    """The law of max(left + Poisson(arrivals) − taken, 0), without its last 10⁻¹⁷."""
    counts = np.arange(_most(arrivals))
    law = np.convolve(left, np.diff(pdtr(counts, arrivals), prepend=0.0))
    law = np.concatenate([[law[: taken + 1].sum()], law[taken + 1 :]])
    kept = np.flatnonzero(law[::-1].cumsum()[::-1] > 1e-17)
    law = law[: kept[-1] + 1]
    return np.asarray(law / law.sum())


def _most(mean: float) -> int:
    """More than a Poisson number of this mean ever is."""
    return int(mean + 12 * mean**0.5 + 20)


def _times_from(
    slots: tuple[float, ...], cycle_days: float, begin: float, number: int
) -> NDArray[np.float64]:
    """Times of the next slots from an instant on."""
    cycles = int(np.ceil((begin + number * cycle_days / len(slots)) / cycle_days)) + 2
    times = np.add.outer(np.arange(cycles) * cycle_days, slots).ravel()
    return np.asarray(times[times >= begin][:number])


def _lead_days(spans: tuple[_Span, ...], slots: tuple[float, ...], cycle_days: int) -> tuple[float, ...]:
    counts: dict[int, float] = {}
    for span in spans:
        index = np.arange(_most(span.arrivals))
        places = np.convolve(span.left, pdtrc(index, span.arrivals))
        times = _times_from(slots, cycle_days, span.ends, len(places))
        for expected, time in zip(places.tolist(), times.tolist(), strict=True):
            days = int(time) - int(span.begins)
            counts[days] = counts.get(days, 0.0) + expected
    total = sum(span.arrivals for span in spans)
    shares = [counts.get(days, 0.0) / total for days in range(max(counts) + 1)]
    while shares and shares[-1] < 1e-15:
        shares.pop()
    return tuple(shares)
