"""Everything that arithmetic can say about a scenario, together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from iopsim.scenario.plausible.facilitation import facilitators, ratios
from iopsim.scenario.plausible.flows import streams
from iopsim.scenario.plausible.idle import idle
from iopsim.scenario.plausible.pools import full, pools, too_full, waits
from iopsim.scenario.plausible.targets import ruled_out
from iopsim.scenario.plausible.timetable import minimum_weeks
from iopsim.scenario.plausible.unused import unused
from iopsim.scenario.plausible.work import hours, overbooked

if TYPE_CHECKING:
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
        pools: Every pool that patients come to: load offered and capacity.
        hours: Every role that has work: hours expected and bookable.
        findings: Warnings, then notes.
    """

    pools: tuple[Pool, ...]
    hours: tuple[Hours, ...]
    findings: tuple[Finding, ...]


def assess(scenario: Scenario) -> Plausibility:
    """Balance a valid scenario and compare what is asked with what is there; simulates nothing."""
    coming, never_leaving = streams(scenario)
    shared = pools(scenario, coming)
    work = hours(scenario, coming, shared)
    found = [
        *never_leaving,
        *full(scenario, shared),
        *overbooked(work),
        *facilitators(scenario),
        *ratios(scenario, coming),
        *minimum_weeks(scenario),
        *ruled_out(scenario, coming, shared),
        *unused(scenario, coming),
        *idle(scenario),
        *waits(scenario, shared),
    ]
    found.sort(key=lambda finding: finding.severity == "note")
    return Plausibility(pools=tuple(shared), hours=tuple(work), findings=tuple(found))


def unsteady(scenario: Scenario) -> dict[str, Pool]:
    """Levels where waiting, for a place or an appointment, is not in equilibrium: each with the pool too full for it.

    How long they wait there depends on how long the clinic has been open, not on the plan alone.
    """
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
