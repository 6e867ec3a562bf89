"""Prices that could not be what they say: of levels bought from outside, of days whose hours nobody knows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from iopsim.scenario.findings import MISSING, Finding, words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from iopsim.scenario.schema import Scenario

__all__ = ["CHECKS"]


def _revenue(scenario: Scenario) -> Iterator[Finding]:
    for name in scenario.money.revenue:
        if name in scenario.levels and not (level := scenario.levels[name]).is_own:
            price = "cost_per_day" if level.cost_per_day is not None else "cost_per_attended_day"
            message = (
                f"a level with a `{price}` is bought from outside and earns nothing; drop one of the two"
            )
            yield Finding("revenue", ("money", "revenue", name), message)


def _hours(scenario: Scenario) -> Iterator[Finding]:
    """Levels with places whose days are paid by their hours."""
    least = scenario.money.billing.hours_per_day_at_least
    for name, prices in scenario.money.revenue.items():
        level = scenario.levels.get(name)
        if level is None or level.groups or level.hours_per_day is not None or not level.is_own:
            continue
        tiered = [payer for payer, pay in prices.items() if not isinstance(pay, float)]
        if tiered or least:
            why = "`billing.hours_per_day_at_least` asks for them"
            if tiered:
                why = f"{words(tiered)} {'pay' if len(tiered) > 1 else 'pays'} by the services of a day"
            message = f"needs `hours_per_day`: {why}, and the level has no groups to say its hours"
            yield Finding(MISSING, ("levels", name, "hours_per_day"), message)


def _divertible(scenario: Scenario) -> Iterator[Finding]:
    """A table of shares that is not one for the sources of the alternative."""
    alternative = scenario.money.inpatient_alternative
    if alternative is None or not isinstance(alternative.divertible, Mapping):
        return
    here = ("money", "inpatient_alternative", "divertible")
    for source in alternative.divertible:
        if source in scenario.sources and source not in alternative.for_:
            message = "this source is not among those of `for`; add it there, or drop it here"
            yield Finding("divertible", (*here, source), message)
    lacking = [source for source in alternative.for_ if source not in alternative.divertible]
    if lacking and alternative.divertible.keys() <= scenario.sources.keys():
        yield Finding(
            "divertible", here, f"says nothing of {words(lacking)}, named in `for`; say a share, such as 0"
        )


CHECKS = (_revenue, _hours, _divertible)
