"""Numbers that say how long the clinic has been open rather than how the plan works: they have no interval."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iopsim.scenario.plausible import unsteady

if TYPE_CHECKING:
    from collections.abc import Mapping

    from iopsim.experiment.names import Reported
    from iopsim.scenario.plausible import Pool
    from iopsim.scenario.schema import Scenario

__all__ = ["growing_lists", "not_steady"]

_OF_WAITING = ("wait_days", "access_days", "reneged_wait_days", "started_within_", "waitlist")


def not_steady(scenario: Scenario, entries: Mapping[str, Reported]) -> frozenset[str]:
    """Names of the waits and waitlists of levels that are not in equilibrium, for all patients and by track.

    An interval of such a mean tells how far replications differ, and nothing of how far it is from settling.
    """
    levels = unsteady(scenario)
    return frozenset(
        name
        for name, entry in entries.items()
        if levels
        and entry.bound.names.get("level") in levels
        and entry.bound.metric.pattern.rpartition("].")[2].startswith(_OF_WAITING)
    )


def growing_lists(scenario: Scenario) -> list[str]:
    """A sentence for planners on each level that is not in equilibrium."""
    return [
        f"{scenario.says(scenario.levels, level)} is not in equilibrium ({pool.balance}): nobody gives up waiting or "
        f"is refused, so its list {_fate(pool)}; how long people wait there depends on run.weeks "
        f"(now {scenario.run.weeks}) and has no interval."
        for level, pool in unsteady(scenario).items()
    ]


def _fate(pool: Pool) -> str:
    return "grows as long as the clinic is open" if pool.load >= pool.capacity else "takes years to settle"
