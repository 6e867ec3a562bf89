"""Parts of a scenario that nobody uses, and groups that could hardly meet."""

from __future__ import annotations

import math
from itertools import product
from typing import TYPE_CHECKING

from iopsim.scenario.findings import words
from iopsim.scenario.names import EITHER
from iopsim.scenario.plausible.finding import Finding, note, warning
from iopsim.scenario.plausible.seats import starts_per_week, wish
from iopsim.scenario.plausible.timetable import fits, held_per_week
from iopsim.scenario.routing import reached

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from iopsim.scenario.groups import Group
    from iopsim.scenario.levels import Level
    from iopsim.scenario.plausible.flows import Stream, Streams
    from iopsim.scenario.schema import Scenario

__all__ = ["unused"]


def unused(scenario: Scenario, streams: Streams) -> Iterator[Finding]:
    """Sources, tracks, payers, levels and groups that are written and not needed."""
    comers = reached(scenario)
    for name, source in scenario.sources.items():
        if not source.refers:
            yield note(f"sources.{name}.per_week", "0 a week: nobody is referred")
        elif source.trace and not source.weekly(scenario.run):
            text = "no referral of the file is in the measured window; look at `run.start` and `run.weeks`"
            yield note(f"sources.{name}.trace", text)
    busy = [source for source in scenario.sources.values() if source.refers]
    had = {
        "tracks": {
            track for source in busy for track, share in scenario.track_shares(source).items() if share
        },
        "payers": {
            payer for source in busy for payer, share in scenario.payer_shares(source).items() if share
        },
    }
    for table, names in (("tracks", scenario.tracks), ("payers", scenario.payers)) if busy else ():
        for name in names:
            if name not in had[table]:
                yield note(f"{table}.{name}", "no patient has it; give it a share in a source, or drop it")
    for name in scenario.levels:
        if comers[name]:
            yield from _groups(scenario, name, comers[name], streams)
        else:
            yield note(f"levels.{name}", "no way leads here; nobody ever comes")
    used = {group.room for level in scenario.levels.values() for group in level.groups.values()}
    for name, room in scenario.rooms.items():
        if name not in used:
            price = f", and it costs {room.cost_per_week:g} a week" if room.cost_per_week else ""
            yield note(
                f"rooms.{name}", f"no group meets here{price}; name it as a group's `room`, or drop it"
            )


def _groups(
    scenario: Scenario, name: str, comers: Mapping[str, Sequence[str]], streams: Streams
) -> Iterator[Finding]:
    """Groups that no patient of the level fits, and those that even all who fit could not keep going."""
    level = scenario.levels[name]
    wanted = {
        (track, wish(level, time), modality)
        for track, sources in comers.items()
        for source in (scenario.sources[key] for key in sources)
        for (time, of_time), (modality, of_modality) in product(
            scenario.time_shares(source).items(), scenario.modality_shares(source).items()
        )
        if of_time and of_modality
    }
    for key, group in level.groups.items():
        path = f"levels.{name}.groups.{key}"
        members = _members(scenario, level, group, streams.at([name]))
        if not any(fits(group, *one) for one in wanted):
            told = any(modality != EITHER for _, _, modality in wanted)
            whom = [words(group.tracks, "or")] if group.tracks else []
            whom += [group.time, group.modality] if told else [group.time]
            yield warning(
                path,
                f"nobody who comes to this level fits it ({', '.join(whom)}); drop it, or change whom it takes",
            )
        elif members is None:
            yield note(path, "it does not meet in the measured window; look at its dates")
        elif members < group.min_census:
            fate, severity = ("cancelled", warning) if group.merges_with is None else ("merged", note)
            yield severity(
                path,
                f"at most about {members:.1f} members are expected, and it meets with {group.min_census} or more: "
                f"most of its sessions will be {fate}; lower `min_census`, or let it take more patients",
            )


def _members(scenario: Scenario, level: Level, group: Group, streams: Sequence[Stream]) -> float | None:
    """Most members on average, if all came who fit, as far as they can start; None if the group never meets."""
    held = held_per_week(scenario, group)
    if not held:
        return None
    those = [s for s in streams if fits(group, s.track, wish(level, s.time), s.modality)]
    coming = math.fsum(7 * stream.per_day for stream in those)
    started = min(1.0, starts_per_week(group) / coming) if coming else 1.0
    return started * math.fsum(stream.sessions_per_week for stream in those) / held
