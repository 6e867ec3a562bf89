"""What days in levels bought from outside cost, in care and held, and for which level places are held (model.md §9)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from iopsim.measures.service_days import (
    expected_days,
    held_session_days,
    kinds,
    plan_on,
    session_days,
    spent,
)
from iopsim.measures.tables import Floats, Intervals, Ints, sums
from iopsim.measures.window import remembered
from iopsim.model.ledger import Fact

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from iopsim.measures.window import Bools, DayKind, Window

__all__ = ["Charges", "HeldFor", "charges", "held_for"]


class Charges(NamedTuple):
    """What was charged for stretches of care, or of holding; shape (n,).

    Attributes:
        stay: Whose.
        to: The level for which the place was held; −1 in care.
        cost: In the window.
    """

    stay: Ints
    to: Ints
    cost: Floats


@remembered
def charges(window: Window, kind: DayKind) -> Charges:
    """What the days of one kind cost in all levels bought from outside, at the prices of the day."""
    found = [Charges(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))]
    bought = ~kinds(window).own
    if bought.any():
        found += [_by_span(window, kind, bought), *_by_session(window, kind, bought & kinds(window).grouped)]
    return Charges(*(np.concatenate(column) for column in zip(*found, strict=True)))


class _Prices(NamedTuple):
    """By plan and level; shape (plans, levels)."""

    per_day: Floats
    per_attended_day: Floats


@remembered
def _prices(window: Window) -> _Prices:
    plans = [[spell.plan.levels[name] for name in window.ledger.levels] for spell in window.spells]
    return _Prices(
        np.array([[level.cost_per_day or 0.0 for level in levels] for levels in plans]),
        np.array([[level.cost_per_attended_day or 0.0 for level in levels] for levels in plans]),
    )


def _by_span(window: Window, kind: DayKind, bought: Bools) -> Charges:
    """By calendar days, and by days of service in places."""
    spans, prices = spent(window, kind, tuple(bought)), _prices(window)
    level = window.stays.level[spans.stay]
    cost = np.zeros(len(level))
    for number, spell in enumerate(window.spells):
        begin, end = max(window.start, spell.begin), min(window.end, spell.end)
        if begin < end:
            part = spans.within(int(begin), int(end))
            cost += prices.per_day[number, level] * (part.past - part.first)
            if prices.per_attended_day[number].any():
                cost += prices.per_attended_day[number, level] * expected_days(window, part, number)
    if kind == "in_care":
        to = np.full(len(level), -1)
    else:
        to = waited_for(window, window.intervals("held", bought[window.stays.level]))
    return Charges(spans.stay, to, cost)


def _by_session(window: Window, kind: DayKind, grouped: Bools) -> Iterator[Charges]:
    """By days with a session, in groups."""
    if not grouped.any():
        return
    stays = window.stays
    if kind == "in_care":
        rows = session_days(window)
        stay, day, to = rows.stay, rows.day, np.full(len(rows.stay), -1)
    else:
        held = window.intervals("held", grouped[stays.level])
        stretch, day = held_session_days(window, held)
        stay, to = held.stay[stretch], waited_for(window, held)[stretch]
    here = (day >= window.start) & (day < window.end) & grouped[stays.level[stay]]
    stay, day, to = stay[here], day[here], to[here]
    price = _prices(window).per_attended_day[plan_on(window, day), stays.level[stay]]
    yield Charges(stay, to, price)


# Held for


def waited_for(window: Window, held: Intervals) -> Ints:
    """The level for which the place of each stretch of holding is kept; shape of `held`."""
    s, ledger = window.stays, window.ledger
    needed = np.full(len(s.level), -1)
    rows = ledger.fact == Fact.SUSPENDED
    needed[ledger.stay[rows]] = ledger.a[rows]
    is_suspended = held.begin == s.suspended[held.stay]
    return np.where(is_suspended, needed[held.stay], s.destination[held.stay])


class HeldFor(NamedTuple):
    """Patient-days held in the window, and their price in levels from outside, by level and by the level waited for.

    Shape (levels, levels + 1): the last is none.
    """

    days: NDArray[np.float64]
    cost: NDArray[np.float64]


@remembered
def held_for(window: Window) -> HeldFor:
    """Blocked days by the level that they wait for."""
    size, level = len(window.ledger.levels), window.stays.level

    def table(stay: Ints, to: Ints, amount: Floats) -> NDArray[np.float64]:
        places = level[stay] * (size + 1) + to % (size + 1)
        return sums(places, amount, size * (size + 1)).reshape(size, -1)

    held = window.intervals("held")
    days = window.days_inside(held.begin, held.end)
    return HeldFor(table(held.stay, waited_for(window, held), days), table(*charges(window, "held")))
