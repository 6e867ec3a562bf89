"""How many stays of each kind begin a day, from the routing, and what becomes of them.

Taken in means and in the long run: nobody gives up waiting, is refused, or holds a place. A return is taken to
happen: out of a level, it cuts short the stay there. Who is lost or denied on the way to a higher level is taken to
go where others go, not back to the treatment that was suspended.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import product
from typing import TYPE_CHECKING, NamedTuple

from iopsim.scenario.findings import words
from iopsim.scenario.levels import Care, care_of
from iopsim.scenario.names import RETURNED
from iopsim.scenario.parts import HOME
from iopsim.scenario.plausible.doors import STRAIGHT_IN, Door, Doors, asked
from iopsim.scenario.plausible.fates import Fate, fate
from iopsim.scenario.plausible.finding import Finding, warning
from iopsim.scenario.plausible.timetable import fits, share_held

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from iopsim.scenario.distributions import Law
    from iopsim.scenario.levels import Level
    from iopsim.scenario.schema import Scenario, Source

__all__ = ["Stream", "Streams", "streams"]

_NOBODY = 1e-9
_FEW = 1e-6
_MOST_MOVES = 20_000


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Stream:
    """Patients of one kind who come to one level: how many a day, and how their stays go.

    Attributes:
        level: Where they come to.
        source: Who referred them first.
        track: Theirs.
        time: When they can come.
        modality: How they want to come.
        payer: Theirs, if it asks for authorization anywhere; empty for all others together.
        door: What lies before the level for them.
        come_per_day: How many come.
        care: How they are treated.
        fate: How it goes.
    """

    level: str
    source: str
    track: str
    time: str
    modality: str
    payer: str
    door: Door
    come_per_day: float
    care: Care
    fate: Fate

    @property
    def per_day(self) -> float:
        """Stays that begin: of those who come, the ones neither lost nor denied."""
        return self.come_per_day * self.door.admitted

    @property
    def joined_per_day(self) -> float:
        """Those who reach the waitlist."""
        return self.come_per_day * self.door.joined

    @property
    def appointments_per_week(self) -> float:
        """Intake appointments that all of them together take up."""
        return 7 * self.come_per_day * self.door.appointments

    @property
    def sessions_per_week(self) -> float:
        """Sessions that all of them together are scheduled for."""
        return 7 * self.per_day * self.fate.sessions

    @property
    def census(self) -> float:
        """Places that all of them together occupy."""
        return self.per_day * self.fate.days


class Streams(tuple[Stream, ...]):
    """All streams of a plan, and those of each level."""

    @cached_property
    def _by_level(self) -> Mapping[str, list[Stream]]:
        found: dict[str, list[Stream]] = defaultdict(list)
        for stream in self:
            found[stream.level].append(stream)
        return found

    def at(self, levels: Iterable[str]) -> list[Stream]:
        """Those who come to any of some levels, level by level."""
        return [stream for level in levels for stream in self._by_level.get(level, ())]


@dataclass(frozen=True, slots=True, eq=False)
class _Node:
    """A level, and how one comes in; there is one of each."""

    level: str
    door: Door


_AT_HOME = _Node(HOME, STRAIGHT_IN)


class _Onward(NamedTuple):
    """Where those who come to a node go then.

    Attributes:
        shares: By the node that comes next; home is left out.
        goes_home: Whether some go home.
        interrupted: Of the shares, those who are called back out of the next node.
    """

    shares: dict[_Node, float]
    goes_home: bool
    interrupted: dict[_Node, float]


def streams(scenario: Scenario) -> tuple[Streams, list[Finding]]:
    """All streams of patients, and a warning for those who never leave the system."""
    found: list[Stream] = []
    stuck: dict[tuple[str, ...], None] = {}
    ways = _Ways(scenario)
    for source, spec in scenario.sources.items():
        referred = spec.weekly(scenario.run) / 7
        wishes = _wishes(scenario, spec)
        kinds = product(scenario.track_shares(spec).items(), _payers(scenario, spec).items())
        for (track, of_track), (payer, of_payer) in kinds:
            if not referred * of_track * of_payer:
                continue
            first = ways.node(spec.to, source, payer)
            onward = ways.reached(first, track, source, payer)
            if closed := _closed(onward):
                names = {node.level for node in closed}
                stuck[tuple(name for name in scenario.levels if name in names)] = None
                onward |= dict.fromkeys(closed, _Onward({}, False, {}))
            for (node, until), come in _visits(onward, first, referred * of_track * of_payer).items():
                care, lived = ways.fate(node.level, track, source, payer, until)
                found += [
                    Stream(
                        level=node.level, source=source, track=track, time=time, modality=modality, payer=payer,
                        door=node.door, come_per_day=come * share, care=care, fate=lived,
                    )
                    for time, modality, share in wishes
                ]  # fmt: skip
    return Streams(found), list(_never_leaving(stuck))


def _never_leaving(stuck: Iterable[tuple[str, ...]]) -> Iterator[Finding]:
    for levels in stuck:
        yield warning(
            f"levels.{levels[0]}",
            f"patients never leave {words(levels)}: all who leave are sent back in, so that the census grows "
            "without end; let a share go home (here, they count until they first come to one of these)",
        )


def _wishes(scenario: Scenario, source: Source) -> list[tuple[str, str, float]]:
    """Time, modality and the share of a source's patients who want them both."""
    both = product(scenario.time_shares(source).items(), scenario.modality_shares(source).items())
    wishes = [(time, modality, of_time * of_modality) for (time, of_time), (modality, of_modality) in both]
    return [wish for wish in wishes if wish[2]]


def _payers(scenario: Scenario, source: Source) -> dict[str, float]:
    """Shares of the payers that ask for authorization, and of all others together under an empty name."""
    found: dict[str, float] = defaultdict(float)
    for payer, share in scenario.payer_shares(source).items():
        found[payer if scenario.payers[payer].authorization else ""] += share
    return found


class _Ways:
    """The fate of each kind of stay, and where it leads, worked out once."""

    def __init__(self, scenario: Scenario) -> None:
        self._scenario = scenario
        self._doors = Doors(scenario)
        self._of = cache(self._work_out)
        self._nodes = cache(_Node)
        self._ways = cache(self._onward)
        self._held = {name: share_held(scenario, level) for name, level in scenario.levels.items()}

    def node(self, name: str, origin: str, payer: str) -> _Node:
        """Where those are who come to a level, or home, from a source, a level or as returning."""
        return _AT_HOME if name == HOME else self._nodes(name, self._doors.of(name, origin, payer))

    def fate(self, name: str, track: str, source: str, payer: str, until: str = "") -> tuple[Care, Fate]:
        """Care and fate in a level; `until` names the level whose returns call patients away, if one does."""
        by, groups = self._scenario.levels[name].by, self._scenario.levels[name].groups
        by_track = track in by.track or any(group.tracks for group in groups.values())
        who = track if by_track else "", source if source in by.source else ""
        return self._of(name, *who, payer if asked(self._scenario, name, payer) else "", until)

    def _work_out(self, name: str, track: str, source: str, payer: str, until: str) -> tuple[Care, Fate]:
        level = self._scenario.levels[name]
        care = care_of(level, track, source)
        a_week, approves = _days_per_week(level, track), asked(self._scenario, name, payer)
        session_days = 7 / (level.days_per_week or 7)
        return care, fate(
            care, a_week, self._held[name], level.plan, self._call(until), approves, session_days
        )

    def _call(self, until: str) -> Law | None:
        returns = self._scenario.levels[until].returns if until else None
        return returns.after_days if returns else None

    def reached(self, first: _Node, track: str, source: str, payer: str) -> dict[_Node, _Onward]:
        """Where one kind of patient goes on to from each level that they come to."""
        onward: dict[_Node, _Onward] = {}
        ahead = [first]
        while ahead:
            node = ahead.pop()
            if node not in onward:
                is_named = source in self._scenario.levels[node.level].by.source
                onward[node] = self._ways(node, track, source if is_named else "", payer)
                ahead += onward[node].shares
        return onward

    def _onward(self, node: _Node, track: str, source: str, payer: str) -> _Onward:
        level, door = self._scenario.levels[node.level], node.door
        shares: dict[_Node, float] = defaultdict(float)
        interrupted: dict[_Node, float] = {}
        for name, share in self._after_care(node.level, track, source, payer).items():
            to, here = self.node(name, node.level, payer), door.admitted * share
            if level.returns is not None and name in level.returns.from_:
                back = here * level.returns.share
                shares[self.node(level.returns.to, RETURNED, payer)] += back
                here -= back
                if name != HOME:
                    interrupted[to] = back
            shares[to] += here
        for name, share in door.elsewhere:
            shares[self.node(name, node.level, payer)] += share
        some = {to: share for to, share in shares.items() if share > _NOBODY}
        goes_home = some.pop(_AT_HOME, 0.0) > 0
        return _Onward(some, goes_home, interrupted)

    def _after_care(self, name: str, track: str, source: str, payer: str) -> dict[str, float]:
        """Where stays lead, before any return."""
        level = self._scenario.levels[name]
        care, lived = self.fate(name, track, source, payer)
        shares: dict[str, float] = defaultdict(float)
        for to, destination in level.next.items():
            shares[to] += lived.completed * destination.share
        shares[care.leave_early.dropout_to] += lived.left_early
        if care.leave_early.step_up is not None:
            for to, share in care.leave_early.step_up.to.items():
                shares[to] += lived.stepped_up * share
        if authorization := asked(self._scenario, name, payer):
            shares[authorization.denied_to] += lived.cut
        return shares


def _days_per_week(level: Level, track: str) -> float:
    """Sessions a week of a stay in days; 0 without groups."""
    met = [len(group.days) for group in level.groups.values() if not track or fits(group, track)]
    if not met:
        return 0.0
    return level.days_per_week or sum(met) / len(met)


def _closed(onward: dict[_Node, _Onward]) -> set[_Node]:
    """Nodes to which patients come back for ever: no way leads home, and one leads back."""
    ahead = {node: way.shares.keys() for node, way in onward.items()}
    goes_home = {node for node, way in onward.items() if way.goes_home}
    while more := {node for node in ahead.keys() - goes_home if ahead[node] & goes_home}:
        goes_home |= more

    def comes_back(node: _Node) -> bool:
        seen, more = set[_Node](), {*ahead[node]}
        while more:
            seen |= more
            more = {to for one in more for to in ahead[one]} - seen
        return node in seen

    return {node for node in ahead.keys() - goes_home if comes_back(node)}


def _visits(onward: dict[_Node, _Onward], first: _Node, per_day: float) -> dict[tuple[_Node, str], float]:
    """Those who come a day, by node and by the level whose returns cut their stays short ("": none)."""
    visits: dict[_Node, float] = defaultdict(float)
    moving: dict[_Node, float] = {first: per_day}
    for _ in range(_MOST_MOVES):  # everybody moves on to the next level at once
        if math.fsum(moving.values()) < _FEW * per_day:
            break
        moved: dict[_Node, float] = defaultdict(float)
        for node, rate in moving.items():
            visits[node] += rate
            for to, share in onward[node].shares.items():
                moved[to] += rate * share
        moving = moved
    found: dict[tuple[_Node, str], float] = defaultdict(float)
    for node, rate in visits.items():
        found[node, ""] += rate
        for to, share in onward[node].interrupted.items():
            found[to, node.level] += rate * share
    return {where: rate for where, rate in found.items() if rate}
