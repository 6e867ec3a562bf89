"""Who leads group sessions: two at the same time need two facilitators (model.md §§7, 8)."""

from __future__ import annotations

from math import floor
from typing import TYPE_CHECKING

from iopsim.model.timeline import in_days
from iopsim.scenario.groups import facilitators_at_once

if TYPE_CHECKING:
    from collections.abc import Mapping

    from iopsim.model.capacity import Group
    from iopsim.model.ledger import Recorder
    from iopsim.model.posts import Crew
    from iopsim.scenario.groups import Group as GroupSpec
    from iopsim.scenario.schema import Scenario

__all__ = ["Facilitation"]


class Facilitation:
    """Gives sessions their facilitators.

    Only roles that can ever run short are followed: those whose posts come and go, or of which there are fewer than
    the fullest instant of a week needs. Groups are known by their index over all levels.

    Attributes:
        needs: By group: the roles of its sessions that are followed, and how many of each.
    """

    def __init__(self, scenario: Scenario, crews: Mapping[str, Crew], recorder: Recorder) -> None:
        self._recorder = recorder
        groups = [group for level in scenario.levels.values() for group in level.groups.values()]
        named = {role for group in groups for role in group.facilitators}
        roles = [edition.plan.staff for edition in scenario.editions]
        scarce = [
            role
            for role in crews
            if role in named
            and (
                any(staff[role].comes_and_goes for staff in roles)
                or facilitators_at_once(groups, role) > min(staff[role].posts for staff in roles)
            )
        ]
        self.needs = [
            [(crews[role], group.facilitators[role]) for role in scarce if role in group.facilitators]
            for group in groups
        ]
        self._ends = [_span(group)[1] for group in groups]
        self._engaged: dict[int, list[tuple[float, int]]] = {crews[role].index: [] for role in scarce}

    def engage(self, group: Group, now: float) -> bool:
        """Whether a session that starts now can be held; then its facilitators are busy, and cover is booked."""
        needs = self.needs[group.index]
        lacking = [min(needed, max(0, needed - self._free(crew, now))) for crew, needed in needs]
        for (crew, _), lack in zip(needs, lacking, strict=True):
            if lack and crew.role.cover_per_hour is None:
                return False
        ends = floor(now) + self._ends[group.index]
        for (crew, needed), lack in zip(needs, lacking, strict=True):
            if needed > lack:
                self._engaged[crew.index].append((ends, needed - lack))
            if lack:
                self._recorder.covers.append((now, crew.index, lack * group.hours))
        return True

    def _free(self, crew: Crew, now: float) -> int:
        """How many of a role are there and lead no session that goes on."""
        engaged = [(end, posts) for end, posts in self._engaged[crew.index] if end > now]
        self._engaged[crew.index] = engaged
        return len(crew.present) - sum(posts for _, posts in engaged)


def _span(group: GroupSpec) -> tuple[float, float]:
    """Start and end of a session, in days after midnight."""
    return in_days(group.start_hour), in_days(group.start_hour + group.hours)
