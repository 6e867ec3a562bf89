"""Parts of a scenario that nobody uses, and groups that could hardly meet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iopsim.scenario.findings import words
from iopsim.scenario.plausible.finding import Finding, note, warning
from iopsim.scenario.plausible.timetable import fits, held_per_week
from iopsim.scenario.routing import reached

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from iopsim.scenario.plausible.flows import Stream
    from iopsim.scenario.schema import Scenario

__all__ = ["unused"]


def unused(scenario: Scenario, streams: Sequence[Stream]) -> Iterator[Finding]:
    """Sources, tracks, payers, levels and groups that are written and not needed."""
    comers = reached(scenario)
    for name, source in scenario.sources.items():
        if not source.per_week:
            yield note(f"sources.{name}.per_week", "0 a week: nobody is referred")
    busy = [source for source in scenario.sources.values() if source.per_week]
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


def _groups(
    scenario: Scenario, name: str, comers: Mapping[str, Sequence[str]], streams: Sequence[Stream]
) -> Iterator[Finding]:
    """Groups that no patient of the level fits, and those that even all who fit could not keep going."""
    wanted = [
        (track, time)
        for track, sources in comers.items()
        for source in sources
        for time, share in scenario.sources[source].times.items()
        if share
    ]
    for key, group in scenario.levels[name].groups.items():
        path = f"levels.{name}.groups.{key}"
        held = held_per_week(scenario, group)
        members = sum(
            stream.sessions_per_week
            for stream in streams
            if stream.level == name and fits(group, stream.track, stream.time)
        ) / (held or 1)
        if not any(fits(group, track, time) for track, time in wanted):
            whom = f"{words(group.tracks, 'or')}, {group.time}" if group.tracks else group.time
            yield warning(
                path, f"nobody who comes to this level fits it ({whom}); drop it, or change whom it takes"
            )
        elif not held:
            yield note(path, "it does not meet in the measured window; look at its dates")
        elif members < group.min_census:
            yield warning(
                path,
                f"at most about {members:.1f} members are expected, and it meets with {group.min_census} or more: "
                "most of its sessions will be cancelled; lower `min_census`, or merge it with another",
            )
