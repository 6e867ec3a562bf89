"""Who can come to which level, and whether there is room of the right kind for them (model.md §§5-7)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import product
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from iopsim.scenario.access import ShowByLead
from iopsim.scenario.findings import Finding, words
from iopsim.scenario.levels import Care, Level, care_of
from iopsim.scenario.names import EITHER, RETURNED
from iopsim.scenario.parts import HOME, LEAST_DAYS

if TYPE_CHECKING:
    from iopsim.scenario.access import Contact, Eligible, Intake
    from iopsim.scenario.distributions import Law
    from iopsim.scenario.groups import Group
    from iopsim.scenario.schema import Scenario
    from iopsim.scenario.tree import Path

__all__ = ["applies", "circles", "origins", "reached", "unserved"]

Comers: TypeAlias = dict[str, list[str]]
"""The sources of those who come, by track."""


def applies(stage: Contact | Eligible | Intake | None, origin: str, scenario: Scenario) -> bool:
    """Whether a stage of access is there, and for those who come from a source, a level or `returned`."""
    return stage is not None and origin in (stage.for_ or scenario.sources)


# Who comes, and whence


def reached(scenario: Scenario) -> dict[str, Comers]:
    """Tracks and sources of the patients who can come to each level, by whatever way."""
    return _walked(scenario)[0]


def origins(scenario: Scenario) -> dict[str, set[str]]:
    """Where those who can come to each level come from: sources, levels, `returned`."""
    return _walked(scenario)[1]


def _walked(scenario: Scenario) -> tuple[dict[str, Comers], dict[str, set[str]]]:
    comers: dict[str, Comers] = {name: {} for name in scenario.levels}
    whence: dict[str, set[str]] = {name: set() for name in scenario.levels}
    ways = cache(lambda *kind: tuple(_onward(scenario, *kind)))
    alike = cache(lambda *where: _alike(scenario, *where))
    for source, spec in scenario.sources.items():
        payers = tuple(_given(scenario.payer_shares(spec)))
        for track in _given(scenario.track_shares(spec)) if spec.refers else ():
            ahead, seen = [(spec.to, source)], set[tuple[str, tuple[bool, ...]]]()
            while ahead:
                level, origin = ahead.pop()
                whence[level].add(origin)
                if (level, alike(level, origin)) not in seen:
                    seen.add((level, alike(level, origin)))
                    those = comers[level].setdefault(track, [])
                    if source not in those:
                        those.append(source)
                    by = scenario.levels[level].by
                    kind = track if track in by.track else "", source if source in by.source else ""
                    ahead += ways(level, origin, payers, *kind)
    return comers, whence


def _alike(scenario: Scenario, name: str, origin: str) -> tuple[bool, ...]:
    """What tells apart those who come to a level from different places: the same ways are open to the others."""
    level = scenario.levels[name]
    stages = (applies(stage, origin, scenario) for stage in (level.contact, level.eligible, level.intake))
    return *stages, _is_capped(level, origin)


def _is_capped(level: Level, origin: str) -> bool:
    at_most = level.waitlist.at_most
    return at_most is not None and (isinstance(at_most, int) or origin in at_most)


def _given(shares: Mapping[str, float]) -> list[str]:
    return [name for name, share in shares.items() if share]


def _onward(
    scenario: Scenario, name: str, origin: str, payers: Sequence[str], track: str, source: str
) -> Iterator[tuple[str, str]]:
    """Where one may go from a level to which one came from `origin`, and whence one comes there."""
    level = scenario.levels[name]
    care, returns = care_of(level, track, source), level.returns
    left = [*_left_to(scenario, name, payers, care)]
    away = [turn.to for turn in _turned_away(scenario, name, origin, payers)]
    for to in dict.fromkeys([*left, *_moved_to(level, care), *away]):
        if to != HOME:
            yield to, name
    if returns and returns.share and not set(returns.from_).isdisjoint(left):
        yield returns.to, RETURNED


def _left_to(scenario: Scenario, name: str, payers: Sequence[str], care: Care) -> Iterator[str]:
    """Where the end of treatment leads, from where one may come back."""
    early = care.leave_early
    yield from (to for to, destination in scenario.levels[name].next.items() if destination.share)
    if early.dropout or early.dropout_per_week or _may_be_discharged(care):
        yield early.dropout_to
    for payer in payers:
        asked = scenario.payers[payer].authorization
        if asked and name in asked.levels and asked.units and asked.review.cut:
            yield asked.denied_to


def _may_be_discharged(care: Care) -> bool:
    return care.attendance.discharge_after_missed is not None and care.attendance.mean < 1


def _moved_to(level: Level, care: Care) -> Iterator[str]:
    """Where one goes instead of being treated on, or of waiting on."""
    step_up = care.leave_early.step_up
    if step_up and (step_up.per_week or step_up.after_days):
        yield from _given(step_up.to)
    if care.patience_days:
        yield level.waitlist.renege_to


class _Turn(NamedTuple):
    """A way on for those who are turned away before they are admitted.

    Attributes:
        at: The level.
        to: Where it leads.
        who: Whom, in words.
        path: Where it is written.
        at_once: Whether no time passes from the coming to the going.
    """

    at: str
    to: str
    who: str
    path: Path
    at_once: bool


def _turned_away(scenario: Scenario, name: str, origin: str, payers: Sequence[str]) -> Iterator[_Turn]:
    level, here = scenario.levels[name], ("levels", name)
    contact, eligible, intake = level.contact, level.eligible, level.intake
    at_once = True
    if contact and applies(contact, origin, scenario):
        if contact.share < 1:
            yield _Turn(name, contact.lost_to, "not reached", (*here, "contact", "lost_to"), at_once)
        at_once = not _lasts(contact.delay_days)
    if eligible and applies(eligible, origin, scenario) and eligible.share < 1:
        screened = at_once and eligible.found_at == "screen"
        yield _Turn(name, eligible.otherwise, "not eligible", (*here, "eligible", "otherwise"), screened)
    if intake and applies(intake, origin, scenario):
        at_once = False
        if _may_not_show(intake):
            yield _Turn(name, intake.lost_to, "lost at intake", (*here, "intake", "lost_to"), at_once)
    if _is_capped(level, origin):
        yield _Turn(name, level.waitlist.otherwise, "refused", (*here, "waitlist", "otherwise"), at_once)
    for payer in payers:
        asked = scenario.payers[payer].authorization
        if asked and name in asked.levels and asked.denied:
            path: Path = ("payers", payer, "authorization", "denied_to")
            yield _Turn(name, asked.denied_to, "denied", path, at_once and not _lasts(asked.delay_days))


def _lasts(delay: Law | None) -> bool:
    return delay is not None and delay.mean >= LEAST_DAYS


def _may_not_show(intake: Intake) -> bool:
    match intake.show:
        case float(share):
            return share < 1
        case ShowByLead(by_lead_days=shares):
            return min(shares.values()) < 1
        case _:
            return True  # odds never make certain


# Who finds no room


def unserved(scenario: Scenario) -> Iterator[Finding]:
    """Patients for whom a level that they can come to has no group, or no place."""
    for name, comers in reached(scenario).items():
        level = scenario.levels[name]
        for track, sources in comers.items():
            if level.groups:
                yield from dict.fromkeys(_without_group(scenario, name, track, sources))
            elif isinstance(level.places, Mapping) and track not in level.places:
                whom = f'track "{track}", which comes here from {words(sources)}'
                yield Finding("no-place", ("levels", name, "places"), f"no places for {whom}; add it")


def _without_group(scenario: Scenario, name: str, track: str, sources: list[str]) -> Iterator[Finding]:
    level, place = scenario.levels[name], ("levels", name, "groups")
    groups = [group for group in level.groups.values() if track in (group.tracks or [track])]
    if not groups:
        whom = f'track "{track}", which comes here from {words(sources)}'
        yield Finding("no-group", place, f"no group takes {whom}; add it to a group's `tracks`")
        return
    nowhere: dict[str, list[str]] = {}
    for source in sources:
        spec = scenario.sources[source]
        for time, modality in product(
            _given(scenario.time_shares(spec)), _given(scenario.modality_shares(spec))
        ):
            fitting = [len(group.days) for group in groups if _fits(group, time, modality)]
            if not fitting:
                wish = _wish(groups, time, modality)
                nowhere[wish] = [*nowhere.get(wish, ()), source]
                continue
            wanted, path = _days_wanted(level, track, source)
            if wanted > max(fitting):
                trouble = f'no group for track "{track}" meets on more than {max(fitting)}'
                message = f"{wanted} days a week, and {trouble}; add days to one"
                yield Finding("too-few-days", ("levels", name, *path), message)
    for wish, those in nowhere.items():
        whom = f'track "{track}" {wish}, which patients from {words(dict.fromkeys(those))} want'
        yield Finding("no-group", place, f"no group takes {whom}; add one, or change who wants what")


def _fits(group: Group, time: str, modality: str) -> bool:
    return time in (EITHER, group.time) and modality in (EITHER, group.modality)


def _wish(groups: Sequence[Group], time: str, modality: str) -> str:
    """What no group fits: the time or the modality if that is enough, otherwise both together."""
    if not any(_fits(group, time, EITHER) for group in groups):
        return f'at time "{time}"'
    if not any(_fits(group, EITHER, modality) for group in groups):
        return f'in modality "{modality}"'
    return f'at time "{time}" in modality "{modality}"'


def _days_wanted(level: Level, track: str, source: str) -> tuple[int, Path]:
    """The most days a week that a kind of patient is planned to come, and where that is written."""
    phases = care_of(level, track, source).phases
    if not phases:
        return level.days_per_week or 1, ("days_per_week",)
    path: Path = ("phases",)
    for axis, parts, who in (("track", level.by.track, track), ("source", level.by.source, source)):
        if who in parts and parts[who].phases:
            path = ("by", axis, who, "phases")
    return max(phase.days_per_week for phase in phases), path


# Who is sent round and round


def circles(scenario: Scenario) -> Iterator[Finding]:
    """Levels that would turn a patient away round and round, in no time."""
    order, told = [*scenario.levels], set[frozenset[str]]()
    for payers in [[payer] for payer in scenario.payers] or [[]]:
        for circle in _circles(scenario, payers):
            levels = [turn.at for turn in circle]
            if (those := frozenset(levels)) not in told:
                told.add(those)
                first = levels.index(min(levels, key=order.index))
                around = [*circle[first:], *circle[:first]]
                way = " → ".join([around[0].at, *(turn.to for turn in around)])
                who = words(dict.fromkeys(turn.who for turn in around), "or")
                message = f"who is {who} would go in a circle in no time ({way})"
                yield Finding("circle", around[0].path, f"{message}; send them home from one of these levels")


def _circles(scenario: Scenario, payers: Sequence[str]) -> Iterator[list[_Turn]]:
    """Ways round; what happens to a patient depends on the level and on whence one came there, so looked at once."""
    way: dict[tuple[str, str], _Turn] = {}
    done: set[tuple[str, str]] = set()

    def onward(here: tuple[str, str]) -> Iterator[list[_Turn]]:
        for turn in _turned_away(scenario, *here, payers):
            there = turn.to, turn.at
            if turn.at_once and turn.to in scenario.levels and there not in done:
                way[here] = turn
                if there in way:
                    yield [*way.values()][[*way].index(there) :]
                else:
                    yield from onward(there)
        way.pop(here, None)
        done.add(here)

    for start in product(scenario.levels, scenario.levels):
        if start not in done and _sends(scenario, start[1], start[0], payers):
            yield from onward(start)


def _sends(scenario: Scenario, level: str, to: str, payers: Sequence[str]) -> bool:
    """Whether a level may turn anybody away to another."""
    spec = scenario.levels[level]
    denied = [asked.denied_to for payer in payers if (asked := scenario.payers[payer].authorization)]
    stages = [
        *(part.lost_to for part in (spec.contact, spec.intake) if part),
        *denied,
        spec.waitlist.otherwise,
    ]
    return to in stages or (spec.eligible is not None and to == spec.eligible.otherwise)
