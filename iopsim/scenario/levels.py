"""Levels of care: capacity, stay, groups, waitlist and where people go next (model.md §§5-7)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag, model_validator
from pydantic_core import PydanticCustomError

from iopsim.scenario.access import AgesInto, Contact, Eligible, Intake
from iopsim.scenario.distributions import DaysLaw
from iopsim.scenario.groups import Group
from iopsim.scenario.parts import (
    HOME,
    Amount,
    Count,
    Days,
    Hold,
    Name,
    Part,
    Positive,
    Share,
    Shares,
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

    weeks: Annotated[int, Field(strict=True, ge=1, le=520)] = Field(
        description="How long the phase lasts, if no session is cancelled"
    )
    days_per_week: Annotated[int, Field(strict=True, ge=1, le=7, description="Sessions scheduled a week")]

    @property
    def sessions(self) -> int:
        """Scheduled sessions of the phase."""
        return self.weeks * self.days_per_week


class Extension(Part):
    """`share` of those who complete the plan go on for `weeks` at the last phase's days."""

    share: Share = Field(description="Of those who complete the plan")
    weeks: Annotated[int, Field(strict=True, ge=1, le=520)] = Field(
        description="How much longer they stay, in the same seat"
    )


class Attendance(Part):
    """Each patient's own chance to attend a session: beta with `mean` and `sd` over patients."""

    mean: Share = Field(1.0, description="Mean chance to attend a scheduled session")
    sd: Annotated[float, Field(strict=True, ge=0, lt=0.5, description="Its SD between patients")] = 0.0
    discharge_after_missed: Annotated[int, Field(strict=True, ge=1, le=100)] | None = Field(
        None, description="Misses in a row that end a stay"
    )

    @model_validator(mode="after")
    def _possible(self) -> Attendance:
        # In a part of `by` one of the two may come from the level: then `checks` judges what they make together.
        both_said = {"mean", "sd"} <= self.model_fields_set
        if both_said and self.sd and self.sd**2 >= self.mean * (1 - self.mean):
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

    per_week: Annotated[float, Field(strict=True, ge=0, lt=1)] | None = Field(
        None, description="Share who come to need it in each week of treatment"
    )
    after_days: DaysLaw | None = Field(None, description="Days of treatment until it is needed")
    to: Shares = Field(description="Shares of the levels that are needed; they sum to 1")
    hold_days: Hold = Field(
        float("inf"),
        description="How long the present place is kept meanwhile",
        json_schema_extra={"default": "forever"},  # JSON knows no infinity
    )

    @model_validator(mode="after")
    def _one_hazard(self) -> StepUp:
        if (self.per_week is None) == (self.after_days is None):
            raise PydanticCustomError("step_up", "give `per_week` or `after_days`, one of the two")
        return self


class LeaveEarly(Part):
    """How a stay ends before its plan: dropout (a law of days or a weekly share) and step-up."""

    dropout: DaysLaw | None = Field(None, description="Days of treatment until the patient drops out")
    dropout_per_week: Annotated[float, Field(strict=True, ge=0, lt=1)] | None = Field(
        None, description="Share of those in treatment who drop out, at the end of each week"
    )
    dropout_to: Name = Field(HOME, description="Where those go who drop out or are discharged")
    per_week_waited: Positive = Field(1.0, description="Hazard ratio of dropout per whole week waited")
    step_up: StepUp | None = Field(None, description="Need for a more intensive level")

    @model_validator(mode="after")
    def _one_dropout(self) -> LeaveEarly:
        if self.dropout is not None and self.dropout_per_week is not None:
            raise PydanticCustomError("dropout", "give `dropout` or `dropout_per_week`, not both")
        return self


class Destination(Part):
    """Share of those who complete that goes to one place, after an optional lag spent at home."""

    share: Share = Field(description="Of those who complete")
    lag_days: DaysLaw | None = Field(None, description="At home before joining its list, the place free")


class Returns(Part):
    """`share` of those who left to one of `from` come back `after_days`, to level `to`."""

    share: Share = Field(description="Of those who leave to one of `from`")
    from_: Annotated[tuple[Name, ...], Field(alias="from", min_length=1)] = Field(
        (HOME,), description="Where one has to be to come back, when leaving and at the due date"
    )
    after_days: DaysLaw = Field(description="Time from leaving until the return is due")
    to: Name = Field(description="The level whose waitlist they join")


class Waitlist(Part):
    """Who waits for the level, in which order, how long and how many (model.md §6)."""

    priority: Mapping[Name, Annotated[int, Field(strict=True, ge=1, le=1000)]] = Field(
        {}, description="Class by source, level, or `returned`; 1 is first, unlisted last"
    )
    discipline: Literal["first_feasible", "strict"] = Field(
        "first_feasible", description="Admit the first who could start, or let the head of the list block"
    )
    patience_days: DaysLaw | None = Field(None, description="How long one waits before giving up")
    renege_to: Name = Field(HOME, description="Where those go who give up")
    at_most: (
        Annotated[
            Annotated[Count, Tag("number")] | Annotated[Mapping[Name, Count], Tag("table")],
            Discriminator(lambda value: "table" if shape(value) == "table" else "number"),
        ]
        | None
    ) = Field(None, description="Most on the list, in all or by origin; 0 admits only who can start at once")
    otherwise: Name = Field(HOME, description="Where those go who find the list full")
    ages_into: AgesInto | None = Field(None, description="The class of those who have waited long")
    accept_other_time_after_days: Days | None = Field(
        None, description="Days on the list after which a patient takes a group at any time"
    )


class PatiencePart(Part):
    """The part of a waitlist that `by:` may vary."""

    patience_days: DaysLaw = Field(description="How long one waits before giving up")


class CarePart(Part):
    """What `by:` may vary by track or source; a field that is left out keeps the level's own."""

    stay_days: DaysLaw | None = Field(None, description="As for the level")
    phases: Annotated[tuple[Phase, ...], Field(min_length=1)] | None = Field(
        None, description="As for the level"
    )
    extension: Extension | None = Field(None, description="As for the level")
    attendance: Attendance | None = Field(None, description="As for the level, key by key")
    leave_early: LeaveEarly | None = Field(None, description="As for the level, key by key")
    waitlist: PatiencePart | None = Field(None, description="As for the level, `patience_days` only")


class CareBy(Part):
    """Care that differs by track or by source; where both speak, the source has the last word."""

    track: Mapping[Name, CarePart] = Field({}, description="Care of the patients of a track")
    source: Mapping[Name, CarePart] = Field({}, description="Care of those whom a source referred")


def _a_destination(value: object) -> object:
    return value if isinstance(value, Mapping | Destination) else {"share": value}


Next = Annotated[
    Mapping[Name, Annotated[Destination, BeforeValidator(_a_destination, Share | Destination)]],
    AfterValidator(shares_sum_to_one(lambda destination: destination.share)),
]


class Level(Part):
    """One level of care, from detox to continuing care (model.md §5)."""

    label: str | None = Field(None, description="What people read instead of the name")
    places: Annotated[
        Annotated[Literal["unlimited"], Tag("word")]
        | Annotated[Count, Tag("number")]
        | Annotated[Mapping[Name, Count], Tag("table")],
        Discriminator(lambda value: {"list": "number"}.get(shape(value), shape(value))),
    ] = Field("unlimited", description="Beds or slots, in one pool or by track; instead of `groups`")
    groups: Mapping[Name, Group] = Field({}, description="Therapy groups, by name; instead of `places`")
    caseload: Name | None = Field(None, description="Role that carries every patient of the level")
    stay_days: DaysLaw | None = Field(None, description="Length of treatment; instead of `phases`")
    phases: Annotated[tuple[Phase, ...], Field(min_length=1)] | None = Field(
        None, description="Planned sessions, phase by phase; instead of `stay_days`"
    )
    plan: Literal["scheduled", "attended"] = Field("scheduled", description="Which sessions phases count")
    extension: Extension | None = Field(None, description="Who goes on when the plan is complete")
    days_per_week: Annotated[int, Field(strict=True, ge=1, le=7)] | None = Field(
        None, description="Days of treatment each week, where neither groups nor phases say"
    )
    hours_per_day: Annotated[float, Field(strict=True, gt=0, le=24)] | None = Field(
        None, description="Hours of a day of treatment, where groups do not say"
    )
    hours_per_week_at_least: Amount | None = Field(None, description="Fewer scheduled hours are warned about")
    attendance: Attendance = Field(Attendance(), description="Who comes to scheduled sessions")
    leave_early: LeaveEarly = Field(LeaveEarly(), description="How a stay ends before its plan")
    next: Next = Field({HOME: Destination(share=1.0)}, description="Where those go who complete")
    hold_days: Hold = Field(0.0, description="How long a place is kept while waiting for the next level")
    returns: Returns | None = Field(None, description="Who comes back after leaving")
    refer_before_days: Days = Field(
        0.0, description="Joins the next list so long before the planned end; admitted from the end on"
    )
    contact: Contact | None = Field(None, description="First call, before anything else")
    eligible: Eligible | None = Field(None, description="Whether the level is right for the patient")
    intake: Intake | None = Field(None, description="Appointment before joining the waitlist")
    waitlist: Waitlist = Field(Waitlist(), description="Who waits, in which order, how long")
    by: CareBy = Field(CareBy(), description="Care that differs by track or source")
    cost_per_day: Amount | None = Field(None, description="Price, if the level is bought from outside")
    cost_per_attended_day: Amount | None = Field(None, description="Price, if bought by days attended")

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
                "`hours_per_day` is said by the groups' `hours`; drop it",
            ),
            (phased and self.days_per_week is not None, "`days_per_week` is said by the phases; drop it"),
            (
                not self.groups and (self.attendance.sd > 0 or bool(self.attendance.discharge_after_missed)),
                "attendance by session (`sd`, `discharge_after_missed`) needs `groups`",
            ),
            (
                any(
                    b.days_per_week > a.days_per_week
                    for a, b in zip(self.phases or (), (self.phases or ())[1:], strict=False)
                ),
                "`days_per_week` may not rise from one phase to the next; write the busier ones first",
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
    care = Care.model_construct(  # parts that are valid already: a law of a data file would read it again
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
