"""What the plan says at a time: its values change on the dates of its changes (model.md §2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import ArrayLike, NDArray

    from iopsim.measures.tables import Floats, Ints
    from iopsim.scenario.schema import Scenario

    Quantity = Callable[[Scenario], ArrayLike]

__all__ = ["Spell", "planned_at", "planned_mean", "planned_weekly", "spell_at", "spells_of"]


class Spell(NamedTuple):
    """The plan in force from `begin` to `end`, in days of the clock."""

    begin: float
    end: float
    plan: Scenario

    def days_in(self, begin: float, end: float) -> float:
        """Days of it between two times."""
        return max(0.0, min(self.end, end) - max(self.begin, begin))


def spells_of(scenario: Scenario) -> tuple[Spell, ...]:
    """The plan as it stands from date to date: one after the other, from −inf to +inf."""
    editions = scenario.editions
    days = [-np.inf if one.from_ is None else (one.from_ - scenario.run.start).days for one in editions]
    return tuple(map(Spell, days, [*days[1:], np.inf], [one.plan for one in editions]))


def spell_at(spells: Sequence[Spell], times: Floats) -> Ints:
    """Which of the spells each time lies in; shape of `times`."""
    if len(spells) == 1:
        return np.zeros(np.shape(times), np.int32)
    return np.searchsorted([spell.begin for spell in spells[1:]], times, side="right").astype(np.int32)


def planned_at(spells: Sequence[Spell], times: Floats, quantity: Quantity) -> NDArray[Any]:
    """What `quantity` of the plan is at each time; shape (times, …)."""
    values: NDArray[Any] = np.array([quantity(spell.plan) for spell in spells])
    return values[spell_at(spells, times)]


def planned_weekly(spells: Sequence[Spell], weeks: int, quantity: Quantity) -> Floats:
    """Mean of a number of the plan in each measured week; shape (weeks,)."""
    daily = planned_at(spells, np.arange(7.0 * weeks), quantity).reshape(weeks, 7).astype(np.float64)
    # The mean of equal numbers may differ from them by rounding.
    return np.where(np.ptp(daily, axis=1) == 0, daily[:, 0], daily.mean(axis=1))


def planned_mean(scenario: Scenario, quantity: Callable[[Scenario], float]) -> float:
    """Time average of a number of the plan over the measured window."""
    inside = [
        (quantity(spell.plan), days)
        for spell in spells_of(scenario)
        if (days := spell.days_in(0.0, 7.0 * scenario.run.weeks))
    ]
    values = {value for value, _ in inside}
    if len(values) == 1:
        return values.pop()
    return sum(value * days for value, days in inside) / sum(days for _, days in inside)
