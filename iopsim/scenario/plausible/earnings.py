"""What a day earns that few days could, or none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iopsim.scenario.findings import words
from iopsim.scenario.plausible.finding import Finding, note, warning

if TYPE_CHECKING:
    from collections.abc import Iterator

    from iopsim.scenario.levels import Level
    from iopsim.scenario.money import Tier
    from iopsim.scenario.schema import Scenario

__all__ = ["earnings"]


def earnings(scenario: Scenario) -> Iterator[Finding]:
    """Tiers that no day reaches, days too short to be paid, and prices that nothing earns."""
    for name, prices in scenario.money.revenue.items():
        level = scenario.levels[name]
        hours = _hours(level)
        for payer, pay in prices.items():
            if not isinstance(pay, float):
                visits = _visits(scenario, name)
                yield from _tiers(f"money.revenue.{name}.{payer}", pay, hours, visits)
    yield from _too_short(scenario)
    below = scenario.money.billing.below_minimum
    if below and not any(level.hours_per_week_at_least for level in scenario.levels.values()):
        text = "no level has a minimum week, so that nothing is below it; say its `hours_per_week_at_least`"
        yield note("money.billing.below_minimum", text)
    alternative = scenario.money.inpatient_alternative
    if alternative and alternative.beds_close and alternative.marginal_share != 1:
        text = "has no effect: where beds close (`beds_close`) all of their cost is saved"
        yield note("money.inpatient_alternative.marginal_share", text)


def _hours(level: Level) -> list[float]:
    """Lengths of a day of treatment, shortest first."""
    days = {group.hours for group in level.groups.values()} or {level.hours_per_day or 0.0}
    return sorted(days)


def _visits(scenario: Scenario, level: str) -> list[str]:
    """The services that are visits of their own at a level."""
    return [
        name
        for name, service in scenario.services.items()
        if level in service.levels and service.per != "session" and not service.within_group
    ]


def _tiers(path: str, tiers: tuple[Tier, ...], hours: list[float], visits: list[str]) -> Iterator[Finding]:
    shortest, longest = int(hours[0]), int(hours[-1])
    most = longest + len(visits)
    day = f"{longest} of the hours of a day" + (f" and {len(visits)} of visits" if visits else "")
    beyond = [tier.from_services for tier in tiers if tier.from_services > most]
    if beyond:
        yield warning(
            path,
            f"no day has {words(beyond, 'or')} services: there are at most {most} ({day}); lower the tier",
        )
    elif tiers[0].from_services > shortest:
        counts = f"a day of {hours[0]:g} hours has {shortest} service{'s' * (shortest != 1)}"
        yield warning(
            path,
            f"{counts}, and the first tier is from {tiers[0].from_services}: without visits such a day earns nothing",
        )


def _too_short(scenario: Scenario) -> Iterator[Finding]:
    least = scenario.money.billing.hours_per_day_at_least
    for name in scenario.money.revenue:
        short = [hours for hours in _hours(scenario.levels[name]) if 0 < hours < least]
        if short:
            yield warning(
                "money.billing.hours_per_day_at_least",
                f"days of {words(f'{hours:g}' for hours in short)} hours at {name} are under {least:g}: they earn "
                "nothing unless visits add to them; lengthen them, or lower it",
            )
