"""Levels of care: capacity, stay, groups, waitlist and where people go next (model.md §§5-7)."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag, model_validator
from pydantic_core import PydanticCustomError

from iopsim.scenario.distributions import DaysLaw
from iopsim.scenario.parts import (
    HOME,
    Amount,
    Count,
    Hold,
    Name,
    Part,
    Positive,
    PositiveCount,
    Share,
    Shares,
    Weekday,
    shape,
    shares_sum_to_one,
)

__all__ = [
    "Attendance",
    "Care",
    "CareBy",
    "CarePart",
    "Destination",
    "Extension",
    "Group",
    "LeaveEarly",
    "Level",
    "Phase",
    "Returns",
    "StepUp",
    "Waitlist",
    "care_of",
]


class Phase(Part):
    """Part of a planned stay: `weeks` × `days_per_week` scheduled sessions."""

    weeks: PositiveCount
    days_per_week: Annotated[int, Field(strict=True, ge=1, le=7)]

    @property
    def sessions(self) -> int:
        """Scheduled sessions of the phase."""
        return self.weeks * self.days_per_week


class Extension(Part):
    """`share` of those who complete the plan go on for `weeks` at the last phase's days."""

    share: Share
    weeks: PositiveCount


class Attendance(Part):
    """Each patient's own chance to attend a session: beta with `mean` and `sd` over patients."""

    mean: Share = 1.0
    sd: Annotated[float, Field(strict=True, ge=0, lt=0.5)] = 0.0
    discharge_after_missed: PositiveCount | None = None

    @model_validator(mode="after")
    def _possible(self) -> Attendance:
        if self.sd and self.sd**2 >= self.mean * (1 - self.mean):
            raise PydanticCustomError(
                "attendance_sd",
                "no shares from 0 to 1 have mean {mean} and sd {sd}; sd must be below {limit}",
                {
                    "mean": self.mean,
                    "sd": self.sd,
                    "limit": f"{(self.mean * (1 - self.mean)) ** 0.5:.3g}",
                },
            )
        return self


class StepUp(Part):
    """Need for a more intensive level: a weekly share or a law of days, and the shares of where to."""

    per_week: Annotated[float, Field(strict=True, ge=0, lt=1)] | None = None
    after_days: DaysLaw | None = None
    to: Shares
    hold_days: Hold = float("inf")

    @model_validator(mode="after")
    def _one_hazard(self) -> StepUp:
        if (self.per_week is None) == (self.after_days is None):
            raise PydanticCustomError("step_up", "give `per_week` or `after_days`, one of the two")
        return self


class LeaveEarly(Part):
    """How a stay ends before its plan: dropout (a law of days or a weekly share) and step-up."""

    dropout: DaysLaw | None = None
    dropout_per_week: Annotated[float, Field(strict=True, ge=0, lt=1)] | None = None
    dropout_to: Name = HOME
    per_week_waited: Positive = 1.0
    step_up: StepUp | None = None

    @model_validator(mode="after")
    def _one_dropout(self) -> LeaveEarly:
        if self.dropout is not None and self.dropout_per_week is not None:
            raise PydanticCustomError("dropout", "give `dropout` or `dropout_per_week`, not both")
        return self


class Destination(Part):
    """Share of those who complete that goes to one place, after an optional lag spent at home."""

    share: Share
    lag_days: DaysLaw | None = None


class Returns(Part):
    """`share` of those who left to one of `from` come back `after_days`, to level `to`."""

    share: Share
    from_: Annotated[tuple[Name, ...], Field(alias="from", min_length=1)] = (HOME,)
    after_days: DaysLaw
    to: Name


class Waitlist(Part):
    """Who waits for the level, in which order, how long and how many (model.md §6)."""

    priority: Mapping[Name, Annotated[int, Field(strict=True, ge=1, le=1000)]] = {}
    discipline: Literal["first_feasible", "strict"] = "first_feasible"
    patience_days: DaysLaw | None = None
    renege_to: Name = HOME
    at_most: (
        Annotated[
            Annotated[Count, Tag("number")] | Annotated[Mapping[Name, Count], Tag("table")],
            Discriminator(lambda value: "table" if shape(value) == "table" else "number"),
        ]
        | None
    ) = None
    otherwise: Name = HOME


_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)\Z")


def _a_clock_time(text: str) -> str:
    if not _CLOCK.match(text):
        raise PydanticCustomError(
            "clock", 'a clock time such as "09:00" or "17:30" (got {got})', {"got": repr(text)}
        )
    return text


class Group(Part):
    """A therapy group: when it meets, for whom, with how many seats and facilitators (model.md §7)."""

    label: str | None = None
    tracks: tuple[Name, ...] = ()
    time: Name = "day"
    days: Annotated[tuple[Weekday, ...], Field(min_length=1)]
    start: Annotated[str, Field(strict=True), AfterValidator(_a_clock_time)] = "09:00"
    hours: Annotated[float, Field(strict=True, gt=0, le=24)] = 3.0
    seats: PositiveCount
    facilitators: Mapping[Name, PositiveCount] = {}
    from_: Annotated[dt.date | None, Field(alias="from", strict=True)] = None
    until: Annotated[dt.date | None, Field(strict=True)] = None
    overbook: Annotated[float, Field(strict=True, ge=1, le=10)] = 1.0
    min_census: PositiveCount = 1
    below_minimum: Literal["cancel"] = "cancel"

    @model_validator(mode="after")
    def _makes_sense(self) -> Group:
        if len(set(self.days)) < len(self.days):
            raise PydanticCustomError("days", "a weekday stands twice in `days`")
        if self.start_hour + self.hours > 24:
            raise PydanticCustomError("hours", "a session must end on the day it starts")
        if self.from_ and self.until and self.until < self.from_:
            raise PydanticCustomError("until", "`until` lies before `from`")
        if self.min_census > self.enrolled_at_most:
            raise PydanticCustomError(
                "min_census", "`min_census` is more than can be enrolled: it would never meet"
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


class PatiencePart(Part):
    """The part of a waitlist that `by:` may vary."""

    patience_days: DaysLaw


class CarePart(Part):
    """What `by:` may vary by track or source; a field that is left out keeps the level's own."""

    stay_days: DaysLaw | None = None
    phases: Annotated[tuple[Phase, ...], Field(min_length=1)] | None = None
    extension: Extension | None = None
    attendance: Attendance | None = None
    leave_early: LeaveEarly | None = None
    waitlist: PatiencePart | None = None


class CareBy(Part):
    """Care that differs by track or by source; where both speak, the source has the last word."""

    track: Mapping[Name, CarePart] = {}
    source: Mapping[Name, CarePart] = {}


def _a_destination(value: object) -> object:
    return value if isinstance(value, Mapping | Destination) else {"share": value}


Next = Annotated[
    Mapping[Name, Annotated[Destination, BeforeValidator(_a_destination)]],
    AfterValidator(shares_sum_to_one(lambda destination: destination.share)),
]


class Level(Part):
    """One level of care, from detox to continuing care (model.md §5)."""

    label: str | None = None
    places: Annotated[
        Annotated[Literal["unlimited"], Tag("word")]
        | Annotated[Count, Tag("number")]
        | Annotated[Mapping[Name, Count], Tag("table")],
        Discriminator(lambda value: {"list": "number"}.get(shape(value), shape(value))),
    ] = "unlimited"
    groups: Mapping[Name, Group] = {}
    caseload: Name | None = None
    stay_days: DaysLaw | None = None
    phases: Annotated[tuple[Phase, ...], Field(min_length=1)] | None = None
    plan: Literal["scheduled", "attended"] = "scheduled"
    extension: Extension | None = None
    days_per_week: Annotated[int, Field(strict=True, ge=1, le=7)] | None = None
    hours_per_day: Annotated[float, Field(strict=True, gt=0, le=24)] | None = None
    hours_per_week_at_least: Amount | None = None
    attendance: Attendance = Attendance()
    leave_early: LeaveEarly = LeaveEarly()
    next: Next = {HOME: Destination(share=1.0)}
    hold_days: Hold = 0.0
    returns: Returns | None = None
    waitlist: Waitlist = Waitlist()
    by: CareBy = CareBy()
    cost_per_day: Amount | None = None
    cost_per_attended_day: Amount | None = None

    @model_validator(mode="after")
    def _makes_sense(self) -> Level:
        if texts := [text for wrong, text in self._contradictions() if wrong]:
            raise PydanticCustomError("level", "; ".join(texts))
        return self

    def _contradictions(self) -> tuple[tuple[bool, Any], ...]:
        lag = any(destination.lag_days is not None for destination in self.next.values())
        phased = self.phases is not None
        return (
            (bool(self.groups) and "places" in self.model_fields_set, "give `places` or `groups`, not both"),
            ((self.stay_days is None) == (not phased), "give `stay_days` or `phases`, one of the two"),
            (phased and not self.groups, "`phases` count sessions: they need `groups`"),
            (
                self.cost_per_day is not None and self.cost_per_attended_day is not None,
                "give `cost_per_day` or `cost_per_attended_day`, not both",
            ),
            (
                lag and self.hold_days > 0,
                "a place cannot be held through a lag: drop `hold_days` or `lag_days`",
            ),
            (self.extension is not None and not phased, "`extension` needs `phases`"),
            (self.plan == "attended" and not phased, "`plan: attended` needs `phases`"),
            (
                bool(self.groups) and self.hours_per_day is not None,
                "`hours_per_day` is said by the groups' `hours`",
            ),
            (phased and self.days_per_week is not None, "`days_per_week` is said by the phases"),
            (
                not self.groups and (self.attendance.sd > 0 or bool(self.attendance.discharge_after_missed)),
                "attendance by session (`sd`, `discharge_after_missed`) needs `groups`",
            ),
            (
                any(
                    b.days_per_week > a.days_per_week
                    for a, b in zip(self.phases or (), (self.phases or ())[1:], strict=False)
                ),
                "`days_per_week` may not rise from one phase to the next",
            ),
        )

    @property
    def is_own(self) -> bool:
        """Whether the program runs the level itself: a level with a price is bought from outside (§9)."""
        return self.cost_per_day is None and self.cost_per_attended_day is None


class Care(Part):
    """How one kind of patient (track and source) is treated in a level: the level's fields after `by`."""

    stay_days: DaysLaw | None
    phases: tuple[Phase, ...] | None
    extension: Extension | None
    attendance: Attendance
    leave_early: LeaveEarly
    patience_days: DaysLaw | None

    @property
    def sessions(self) -> int:
        """Scheduled sessions of the whole plan; 0 for a stay in days."""
        return sum(phase.sessions for phase in self.phases or ())


def care_of(level: Level, track: str, source: str) -> Care:
    """The care of a patient of `track` who came from `source`: `by.track` over the level, `by.source` over both."""
    care = Care(
        stay_days=level.stay_days,
        phases=level.phases,
        extension=level.extension,
        attendance=level.attendance,
        leave_early=level.leave_early,
        patience_days=level.waitlist.patience_days,
    )
    for part in (level.by.track.get(track), level.by.source.get(source)):
        if part is not None:
            care = _varied(care, part)
    return care


def _varied(care: Care, part: CarePart) -> Care:
    said = {name: getattr(part, name) for name in part.model_fields_set - {"waitlist"}}
    if part.waitlist is not None:
        said["patience_days"] = part.waitlist.patience_days
    for name in ("attendance", "leave_early"):
        if said.get(name) is not None:
            inner = {key: getattr(said[name], key) for key in said[name].model_fields_set}
            if inner.keys() & {"dropout", "dropout_per_week"}:
                inner = {"dropout": None, "dropout_per_week": None} | inner
            said[name] = getattr(care, name).model_copy(update=inner)
    if said.get("stay_days") is not None:
        said["phases"] = said["extension"] = None
    if said.get("phases") is not None:
        said["stay_days"] = None
    return care.model_copy(
        update={name: value for name, value in said.items() if value is not None or name in _EXCLUSIVE}
    )


_EXCLUSIVE = ("stay_days", "phases", "extension")
