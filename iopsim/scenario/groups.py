"""Therapy groups: when they meet, for whom, where, and how one gets in (model.md §7)."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, Discriminator, Field, Tag, model_validator
from pydantic_core import PydanticCustomError

from iopsim.scenario.parts import Amount, Name, Part, PositiveCount, Weekday, shape

__all__ = ["Cohort", "CohortAdmission", "Group", "Merge", "Room", "facilitators_at_once"]

_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)\Z")


def _a_clock_time(text: str) -> str:
    if not _CLOCK.match(text):
        raise PydanticCustomError(
            "clock", 'must be a clock time such as "09:00" or "17:30" (got {got})', {"got": f'"{text[:40]}"'}
        )
    return text


def _word_or_table(value: object) -> str:
    return "word" if shape(value) == "word" else "table"


class Room(Part):
    """A room: how many fit in, and its price; one session at a time."""

    label: str | None = Field(None, description="What people read instead of the name")
    seats: PositiveCount = Field(description="Most people in a session")
    cost_per_week: Amount = Field(0.0, description="Rent, whether or not it is used")


class Cohort(Part):
    """Start dates of a closed group: `first`, and every so many days after."""

    first: Annotated[dt.date, Field(strict=True, description="First start date")]
    every_days: Annotated[int, Field(strict=True, ge=1, le=3650, description="Days to the next start date")]
    starters: PositiveCount = Field(description="Most who start together")


class CohortAdmission(Part):
    """Admission in cohorts: all who were admitted since the last start date start together."""

    cohort: Cohort = Field(description="When cohorts start, and how many in each")


class Merge(Part):
    """A session with too few joins that of another group on the same day."""

    merge_with: Name = Field(description="Group of the same level that takes the members in")


class Group(Part):
    """A therapy group: when it meets, for whom, with how many seats and facilitators (model.md §7)."""

    label: str | None = Field(None, description="What people read instead of the name")
    tracks: tuple[Name, ...] = Field((), description="Tracks that it takes; none named: all")
    time: Name = Field("day", description="Matched with patients' preference; `either` fits every group")
    modality: Name = Field(
        "in_person", description="Matched with patients' preference; `either` fits every group"
    )
    days: Annotated[tuple[Weekday, ...], Field(min_length=1, description="Weekdays on which it meets")]
    start: Annotated[str, Field(strict=True), AfterValidator(_a_clock_time)] = Field(
        "09:00", description="Clock time at which a session starts"
    )
    hours: Annotated[float, Field(strict=True, gt=0, le=24)] = Field(3.0, description="Length of a session")
    seats: PositiveCount = Field(description="Seats in the group")
    room: Name | None = Field(None, description="Where it meets; a room holds one session at a time")
    facilitators: Mapping[Name, PositiveCount] = Field({}, description="Staff in each session, by role")
    from_: Annotated[dt.date | None, Field(alias="from", strict=True, description="Its first date")] = None
    until: Annotated[dt.date | None, Field(strict=True, description="Its last date")] = None
    admission: Annotated[
        Annotated[Literal["open"], Tag("word")] | Annotated[CohortAdmission, Tag("table")],
        Discriminator(_word_or_table),
    ] = Field("open", description="`open`: start at the next session; or in cohorts that start together")
    overbook: Annotated[float, Field(strict=True, ge=1, le=10, description="Most enrolled ÷ seats")] = 1.0
    min_census: PositiveCount = Field(1, description="With fewer enrolled that day, a session is not held")
    below_minimum: Annotated[
        Annotated[Literal["cancel"], Tag("word")] | Annotated[Merge, Tag("table")],
        Discriminator(_word_or_table),
    ] = Field("cancel", description="What becomes of a session with fewer")

    @model_validator(mode="after")
    def _makes_sense(self) -> Group:
        if len(set(self.days)) < len(self.days):
            raise PydanticCustomError("days", "a weekday stands twice in `days`; write each once")
        if self.start_hour + self.hours > 24:
            raise PydanticCustomError(
                "hours", "a session must end on the day it starts; begin earlier, or shorten it"
            )
        if self.from_ and self.until and self.until < self.from_:
            raise PydanticCustomError("until", "`until` lies before `from`; exchange them")
        if self.min_census > self.enrolled_at_most:
            raise PydanticCustomError(
                "min_census",
                "`min_census` is more than can be enrolled: it would never meet; lower it, or add seats",
            )
        return self

    @property
    def start_hour(self) -> float:
        """Clock time of the start, in hours after midnight."""
        hours, minutes = self.start.split(":")
        return int(hours) + int(minutes) / 60

    @property
    def enrolled_at_most(self) -> int:
        """Most patients enrolled on one weekday: floor(seats × overbook)."""
        return int(self.seats * self.overbook + 1e-9)

    @property
    def cohort(self) -> Cohort | None:
        """Start dates, where admission is not open."""
        return self.admission.cohort if isinstance(self.admission, CohortAdmission) else None

    @property
    def merges_with(self) -> str | None:
        """The group that takes in a session with too few, if there is one."""
        return self.below_minimum.merge_with if isinstance(self.below_minimum, Merge) else None


def facilitators_at_once(groups: Iterable[Group], role: str) -> int:
    """How many of a role the fullest instant of a week needs, if all sessions of the groups are held."""
    sessions = [
        (day, group.start_hour, group.start_hour + group.hours, group.facilitators[role])
        for group in groups
        if role in group.facilitators
        for day in group.days
    ]
    together = (
        sum(needed for other, start, end, needed in sessions if other == day and start <= instant < end)
        for day, instant, _, _ in sessions
    )
    return max(together, default=0)
