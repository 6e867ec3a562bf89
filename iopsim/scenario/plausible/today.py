"""Where a run from today begins: more patients than places, and those who could not go on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

from iopsim.scenario.findings import words
from iopsim.scenario.names import EITHER
from iopsim.scenario.plausible.finding import Finding, note, warning
from iopsim.scenario.plausible.seats import wish
from iopsim.scenario.plausible.timetable import fits
from iopsim.scenario.today import listed, residents

if TYPE_CHECKING:
    from collections.abc import Iterator

    from iopsim.scenario.schema import Scenario
    from iopsim.scenario.today import Listed, Resident

__all__ = ["today"]

_UNTIL = "nobody is admitted until there are fewer"


def today(scenario: Scenario) -> Iterator[Finding]:
    """Places, seats and caseloads with more patients than they hold, levels without, and whom no group fits."""
    if scenario.from_today is None:
        return
    plan, there = scenario.on(scenario.run.start), residents(scenario)
    for what, count, limit in _occupied(plan, there):
        if count > limit:
            yield warning(
                "from_today.census", f"{count} are in care in {what}, which has room for {limit}; {_UNTIL}"
            )
    empty = [name for name in plan.levels if all(one.level != name for one in there)]
    if there and empty:
        yield note(
            "from_today.census",
            f"nobody is in care in {words(empty)} at the opening; if somebody is, add rows, or census and cost are too "
            "low",
        )
    misfits = Counter(one.level for one in listed(scenario) if not _has_room(plan, one))
    for level, count in misfits.items():
        yield warning(
            "from_today.waitlist",
            f"{count} of those who wait for {level} fit no group of it, by track, time and modality: they never start",
        )


def _occupied(plan: Scenario, there: tuple[Resident, ...]) -> Iterator[tuple[str, int, int]]:
    """What holds patients: its name, how many it has, and how many it may have."""
    for name, level in plan.levels.items():
        here = [one for one in there if one.level == name]
        if isinstance(level.places, Mapping):
            only = next(iter(plan.tracks))
            counts = Counter(one.track or only for one in here)
            yield from ((f"{name} ({track})", counts[track], limit) for track, limit in level.places.items())
        elif level.groups:
            seated = Counter(one.group for one in here)
            for key, group in level.groups.items():
                days = level.days_per_week or max(
                    (phase.days_per_week for phase in level.phases or ()), default=0
                )
                if days >= len(group.days):  # otherwise members share the seats of a week
                    yield key, seated[key], group.enrolled_at_most
        elif not isinstance(level.places, str):
            yield name, len(here), level.places
    for name, role in plan.staff.items():
        carried = sum(plan.levels[one.level].caseload == name for one in there)
        if carried:
            yield f"the caseloads of {name}", carried, role.posts * role.caseload_limit


def _has_room(plan: Scenario, one: Listed) -> bool:
    """Whether some group takes a patient, as far as the file says who it is."""
    level = plan.levels[one.level]
    track = one.track or next(iter(plan.tracks))
    time, modality = wish(level, one.time or EITHER), one.modality or EITHER
    return not level.groups or any(fits(group, track, time, modality) for group in level.groups.values())
