"""Cohorts of a closed group: who starts together, and when (model.md §7)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iopsim.model.people import ADMITTED, WAITING

if TYPE_CHECKING:
    from iopsim.model.people import Stay
    from iopsim.model.timeline import Timeline
    from iopsim.scenario.groups import Cohort

__all__ = ["Cohorts"]


class Cohorts:
    """The start dates of one group, one at a time, and who is coming on the next.

    A date's cohort can be joined until it starts, with the first session on or after the date that is held; or, if
    nobody is coming, until the first session that is not closed. From its date on it is expected at every session. If
    the next date comes first, the two start together.

    Attributes:
        date: Day of the start that can be joined now.
        is_due: Whether that day has come.
        coming: Those who are admitted for that day, by number of stay.
        is_gathered: Whether they wait, on the day, to start as guests of another group: too late to join them.
    """

    def __init__(self, spec: Cohort, timeline: Timeline, opens: float) -> None:
        self.every_days = spec.every_days
        self.starters = spec.starters
        self.date = float(timeline.day(spec.first))
        # In the warm-up the group has been going on at its rhythm, unless it leaves out a start in the window: then
        # it is a new one. Days count from the start of the window.
        if self.date <= opens or self.date < self.every_days:
            self.date -= self.every_days * ((self.date - opens) // self.every_days)
        self.is_due = False
        self.is_gathered = False
        self.coming: dict[int, Stay] = {}

    @property
    def is_full(self) -> bool:
        """Whether nobody can join: as many are coming as may start together, or they are about to."""
        return self.is_gathered or len(self.coming) >= self.starters

    def expects(self, stay: Stay) -> bool:
        """Whether the next session is for the stay: it has begun, or its cohort is due."""
        return self.is_due or stay.state is not ADMITTED

    def count(self, stay: Stay, change: int) -> None:
        """One who is coming, or comes no longer; those in treatment do not count."""
        if change < 0:
            self.coming.pop(stay.number, None)
        elif stay.state in (WAITING, ADMITTED):
            self.coming[stay.number] = stay

    def turn_to_next(self) -> None:
        """Let the cohort of the next date be joined."""
        self.coming.clear()
        self.date += self.every_days
