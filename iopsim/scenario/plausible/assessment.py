"""Everything that arithmetic can say about a scenario, together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from iopsim.scenario.plausible.dates import in_all, in_their_time, plans, spells, without_effect
from iopsim.scenario.plausible.earnings import earnings
from iopsim.scenario.plausible.facilitation import facilitators, ratios
from iopsim.scenario.plausible.flows import streams
from iopsim.scenario.plausible.idle import idle
from iopsim.scenario.plausible.pools import full, pools, too_full, waits
from iopsim.scenario.plausible.targets import ruled_out
from iopsim.scenario.plausible.timetable import minimum_weeks
from iopsim.scenario.plausible.today import today
from iopsim.scenario.plausible.unused import unused
from iopsim.scenario.plausible.work import hours, overbooked

if TYPE_CHECKING:
    from collections.abc import Iterator

    from iopsim.scenario.levels import Level
    from iopsim.scenario.plausible.finding import Finding
    from iopsim.scenario.plausible.pool import Pool
    from iopsim.scenario.plausible.work import Hours
    from iopsim.scenario.schema import Scenario

__all__ = ["Plausibility", "assess", "unsteady", "warnings"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plausibility:
    """What arithmetic says before a run.

    Attributes:
        pools: Every pool that patients come to: load offered and capacity, at the start of the measured window.
        hours: Every role that has work: hours expected and bookable, then.
        findings: Warnings, then notes.
    """

    pools: tuple[Pool, ...]
    hours: tuple[Hours, ...]
    findings: tuple[Finding, ...]


def assess(scenario: Scenario) -> Plausibility:
    """Balance a valid scenario and compare what is asked with what is there; simulates nothing."""
    editions = plans(scenario)
    whole = {id(plan): _Balance(plan) for _, plan in editions}
    balances = [
        (spell, whole.get(id(spell.plan)) or _Balance(spell.plan)) for spell in spells(scenario, editions)
    ]
    found = [
        *in_their_time([(spell, balance.loads()) for spell, balance in balances]),
        *today(scenario),
        *in_their_time([(spell, balance.prices()) for spell, balance in balances]),
        *in_all(balance.words() for balance in whole.values()),
        *in_all([idle(scenario), *(idle(plan) for _, plan in editions)]),
        *without_effect(scenario),
        *in_their_time([(spell, waits(spell.plan, balance.pools)) for spell, balance in balances]),
    ]
    found.sort(key=lambda finding: finding.severity == "note")
    first = balances[0][1]
    return Plausibility(pools=tuple(first.pools), hours=tuple(first.hours), findings=tuple(found))


class _Balance:
    """One plan, and what is asked of it."""

    def __init__(self, plan: Scenario) -> None:
        self.plan = plan
        self.coming, self.never_leaving = streams(plan)
        self.pools = pools(plan, self.coming)
        self.hours = hours(plan, self.coming, self.pools)

    def loads(self) -> Iterator[Finding]:
        """What is too much for what there is."""
        yield from self.never_leaving
        yield from full(self.plan, self.pools)
        yield from overbooked(self.hours)
        yield from facilitators(self.plan)
        yield from ratios(self.plan, self.coming)

    def prices(self) -> Iterator[Finding]:
        """What a day earns less than one may think, or nothing."""
        yield from minimum_weeks(self.plan)
        yield from earnings(self.plan)

    def words(self) -> Iterator[Finding]:
        """What cannot be, and what nobody needs."""
        yield from ruled_out(self.plan, self.coming, self.pools)
        yield from unused(self.plan, self.coming)


def unsteady(scenario: Scenario) -> dict[str, Pool]:
    """Levels where waiting, for a place or an appointment, is not in equilibrium: each with the pool too full for it.

    How long they wait there depends on how long the clinic has been open, not on the plan alone. The plan is that of
    the start: what a dated change brings has a beginning of its own.
    """
    scenario = scenario.on(scenario.run.start).model_copy(update={"run": scenario.run})
    if not any(_may_grow(scenario, name, level) for name, level in scenario.levels.items()):
        return {}
    coming, _ = streams(scenario)
    return too_full(scenario, pools(scenario, coming))


def _may_grow(scenario: Scenario, name: str, level: Level) -> bool:
    """Whether people can wait at all, without a limit to the list or to their patience; for intake there is none."""
    limited = isinstance(level.waitlist.at_most, int) or level.waitlist.patience_days is not None
    for_hours = any(one.limits == "admission" and name in one.levels for one in scenario.services.values())
    has_list = bool(level.groups or level.caseload) or level.places != "unlimited" or for_hours
    return level.intake is not None or (has_list and not limited)


def warnings(plausibility: Plausibility) -> list[str]:
    """The warnings as sentences, each with the place that it is about."""
    return [str(finding) for finding in plausibility.findings if finding.severity == "warning"]
