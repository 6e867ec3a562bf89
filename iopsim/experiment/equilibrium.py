"""Numbers that say how long the clinic has been open rather than how the plan works: they have no interval."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iopsim.scenario import plausible

if TYPE_CHECKING:
    from collections.abc import Mapping

    from iopsim.experiment.names import Reported
    from iopsim.scenario.plausible import Pool
    from iopsim.scenario.schema import Scenario

__all__ = ["growing_lists", "not_steady", "unsteady"]

_OF_LISTS = ("wait_days", "access_days", "reneged_wait_days", "started_within_", "waitlist")
_OF_INTAKE = ("applying", "intake_days")


def unsteady(scenario: Scenario) -> dict[str, Pool]:
    """Levels whose waiting is in no equilibrium; none where a run begins from today: what it tells is the transient."""
    return {} if scenario.from_today else plausible.unsteady(scenario)


def not_steady(scenario: Scenario, entries: Mapping[str, Reported]) -> frozenset[str]:
    """Names of the waits and waitlists of levels that are not in equilibrium, for all patients and by track.

    An interval of such a mean tells how far replications differ, and nothing of how far it is from settling. Where
    appointments are too few, those who come to the list change as well: ever fewer show after ever longer waits.
    """
    growing: dict[str | None, tuple[str, ...]] = {
        level: _OF_LISTS + _OF_INTAKE if _is_intake(pool) else _OF_LISTS
        for level, pool in unsteady(scenario).items()
    }
    return frozenset(
        name
        for name, entry in entries.items()
        if (level := entry.bound.names.get("level")) in growing
        and entry.bound.metric.pattern.rpartition("].")[2].startswith(growing[level])
    )


def growing_lists(scenario: Scenario) -> list[str]:
    """A sentence for planners on each level that is not in equilibrium."""
    return [
        f"{scenario.says(scenario.levels, level)} is not in equilibrium ({pool.balance}): {_fate(pool)}; how long "
        f"people wait there depends on run.weeks (now {scenario.run.weeks}) and has no interval."
        for level, pool in unsteady(scenario).items()
    ]


def _is_intake(pool: Pool) -> bool:
    return pool.constraint == "slots"


def _fate(pool: Pool) -> str:
    why = "nobody gives up waiting for one" if _is_intake(pool) else "nobody gives up waiting or is refused"
    what = "the wait for an appointment" if _is_intake(pool) else "its list"
    grows = "grows as long as the clinic is open" if pool.load >= pool.capacity else "takes years to settle"
    return f"{why}, so {what} {grows}"
