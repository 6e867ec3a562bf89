"""What a case's scenario gives theory to compute with: so that theory and simulation read the same file."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from iopsim.scenario.distributions import Law
    from iopsim.scenario.schema import Scenario

__all__ = ["patience", "per_day", "places", "stay"]


def per_day(scenario: Scenario, source: str = "community") -> float:
    """Referrals a day of a source whose rate never changes."""
    rate = scenario.sources[source].per_week
    assert isinstance(rate, int | float), f"{source} replays a file"
    return rate / 7


def places(scenario: Scenario, level: str = "clinic") -> int:
    """Places of a level that has a number of them."""
    number = scenario.levels[level].places
    assert isinstance(number, int), f"{level} has places of another kind"
    return number


def stay(scenario: Scenario, level: str = "clinic") -> Law:
    """The law of the stay in days."""
    law = scenario.levels[level].stay_days
    assert law is not None, f"{level} has no stay in days"
    return law


def patience(scenario: Scenario, level: str = "clinic") -> Law:
    """The law of the patience in days."""
    law = scenario.levels[level].waitlist.patience_days
    assert law is not None, f"{level} has patients who wait as long as it takes"
    return law
