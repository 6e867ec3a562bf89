"""Staff and the work they do: posts that come and go, and services (model.md §8)."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag, model_validator
from pydantic_core import PydanticCustomError

from iopsim.scenario.distributions import DaysLaw
from iopsim.scenario.parts import Amount, Days, Name, Part, Positive, Share, shape

__all__ = ["Absence", "Associate", "Reassignment", "Role", "Service"]


class Absence(Part):
    """Somebody of a role is away between two dates, on the payroll, and comes back to the same post."""

    from_: Annotated[dt.date, Field(alias="from", strict=True, description="First day away")]
    until: Annotated[dt.date, Field(strict=True, description="Last day away")]

    @model_validator(mode="after")
    def _makes_sense(self) -> Absence:
        if self.until < self.from_:
            raise PydanticCustomError("until", "`until` lies before `from`; exchange them")
        return self


class Reassignment(Part):
    """What becomes of the patients of somebody who leaves."""

    dropout_factor: Positive = Field(
        1.0, description="Hazard ratio of dropout from then on for a patient who gets another clinician"
    )


class Associate(Part):
    """Somebody who works under supervision."""

    supervised_by: Name = Field(description="Role that supervises")
    minutes_per_week: Annotated[float, Field(strict=True, ge=0, le=2400)] = Field(
        description="Of supervision, for each filled post"
    )


Leave = Annotated[
    Annotated[Annotated[dt.date, Field(strict=True)], Tag("date")] | Annotated[Absence, Tag("table")],
    Discriminator(lambda value: "table" if isinstance(value, Absence) or shape(value) == "table" else "date"),
]


class Role(Part):
    """A kind of staff: posts, hours, caseload and pay, and how they come and go (model.md §8)."""

    label: str | None = Field(None, description="What people read instead of the name")
    posts: Annotated[int, Field(strict=True, ge=0, le=10_000)] = Field(
        description="Posts, all filled at the opening"
    )
    fte: Annotated[float, Field(strict=True, gt=0, le=2)] = Field(1.0, description="Of each post")
    caseload: Amount | None = Field(
        None, description="Most patients of a full-time post; a post carries floor(caseload × FTE)"
    )
    paid_hours_per_week: Annotated[float, Field(strict=True, gt=0, le=168)] = Field(
        40.0, description="Of a full-time post"
    )
    bookable: Annotated[float, Field(strict=True, gt=0, le=1)] = Field(
        1.0, description="Share of the hours at work that is for patients, documentation included"
    )
    leave_weeks_per_year: Annotated[float, Field(strict=True, ge=0, lt=52)] = Field(
        0.0, description="Paid weeks away from work"
    )
    salary_per_year: Amount = Field(0.0, description="Of a full-time post, without benefits")
    turnover_per_year: Annotated[float, Field(strict=True, ge=0, le=50)] = Field(
        0.0, description="Departures per filled post and year, at any time alike"
    )
    days_to_hire: DaysLaw | None = Field(
        None, description="From a departure until the successor starts; none said: the next instant"
    )
    onboarding_weeks: Annotated[float, Field(strict=True, ge=0, le=520)] = Field(
        0.0, description="In which a successor's caseload limit grows from nothing to the whole"
    )
    leaves: tuple[Leave, ...] = Field(
        (), description="Dates on which somebody leaves for good, or {from, until} of an absence"
    )
    reassignment: Reassignment = Field(Reassignment(), description="What becomes of a leaver's patients")
    associate: Associate | None = Field(None, description="If the role works under supervision")
    patients_per_clinician_at_most: Positive | None = Field(
        None, description="Rule to check: patients in care per full-time equivalent at work"
    )
    cover_per_hour: Amount | None = Field(
        None, description="Price of cover for a group session that lacks this role; none said: cancelled"
    )

    @property
    def caseload_limit(self) -> int:
        """Most patients one post carries: floor(caseload × FTE); 0 without a caseload."""
        return int((self.caseload or 0) * self.fte + 1e-9)

    @property
    def at_work(self) -> float:
        """Share of the paid year that is not leave."""
        return 1 - self.leave_weeks_per_year / 52

    @property
    def bookable_hours_per_fte(self) -> float:
        """Hours a week that one FTE has for patients: paid hours × bookable × (1 - leave)."""
        return self.paid_hours_per_week * self.bookable * self.at_work

    @property
    def appointment_minutes_per_day(self) -> float:
        """Minutes a working day in which one post gives appointments: FTE × paid hours ÷ 5 × bookable (§6)."""
        return self.fte * self.paid_hours_per_week / 5 * self.bookable * 60

    @property
    def employed_fte(self) -> float:
        """Posts × FTE, when all posts are filled."""
        return self.posts * self.fte

    @property
    def comes_and_goes(self) -> bool:
        """Whether any post can be empty, or its holder away."""
        return bool(self.turnover_per_year or self.leaves)


class Service(Part):
    """Work that one patient, or one group session, makes for a role (model.md §8)."""

    label: str | None = Field(None, description="What people read instead of the name")
    levels: Annotated[tuple[Name, ...], Field(min_length=1)] = Field(
        description="Levels whose patients or sessions get it"
    )
    role: Name = Field(description="Who does the work")
    tracks: tuple[Name, ...] = Field((), description="Tracks that get it; none named: all")
    per: Literal["admission", "session"] | None = Field(
        None, description="Once for each start of care, or once for each group session held"
    )
    every_weeks: Annotated[float, Field(strict=True, ge=0.1, le=520)] | None = Field(
        None, description="Due at the start of care and then this often; instead of `per`"
    )
    minutes: Annotated[float, Field(strict=True, ge=0, le=1440)] = Field(
        0.0, description="With the patient, each time"
    )
    indirect_minutes: Annotated[float, Field(strict=True, ge=0, le=1440)] = Field(
        0.0, description="Besides, each time: preparation and notes"
    )
    indirect_minutes_per_patient: Annotated[float, Field(strict=True, ge=0, le=1440)] = Field(
        0.0, description="Besides, for each patient who attended the session"
    )
    share: Share = Field(1.0, description="Of patients who get it, drawn once for each stay")
    within_group: Annotated[bool, Field(strict=True)] = Field(
        False, description="Whether it is given inside group hours and takes none of its own"
    )
    cost: Amount = Field(0.0, description="Besides hours, each time")
    due_days: Days | None = Field(None, description="Late if given more than so many days after it fell due")
    limits: Annotated[bool, Field(strict=True)] | Literal["admission"] = Field(
        False,
        description="`true`: it waits for a free appointment of the role; `admission`: so does admission, until "
        "the role can give it within `due_days`; otherwise hours that lack are counted as shortfall",
    )

    @model_validator(mode="after")
    def _makes_sense(self) -> Service:
        for wrong, text in self._contradictions():
            if wrong:
                raise PydanticCustomError("service", text)
        return self

    def _contradictions(self) -> tuple[tuple[bool, str], ...]:
        per_session = self.per == "session"
        return (
            ((self.per is None) == (self.every_weeks is None), "give `per` or `every_weeks`, one of the two"),
            (
                per_session and bool(self.minutes or self.share < 1 or self.within_group or self.tracks),
                "`per: session` takes its minutes from the group's hours: only indirect minutes and cost go with it",
            ),
            (
                not per_session and bool(self.indirect_minutes_per_patient),
                "`indirect_minutes_per_patient` goes with `per: session` only",
            ),
            (
                bool(self.limits) and (per_session or self.within_group),
                "`limits` goes with services that have appointments of their own",
            ),
            (
                bool(self.limits) and self.minutes + self.indirect_minutes < 1,
                "`limits` needs `minutes`, at least 1: a service that takes no time waits for none",
            ),
            (
                self.due_days is not None and (per_session or self.within_group),
                "`due_days` goes with services that have appointments of their own",
            ),
            (
                self.limits == "admission" and (self.per != "admission" or self.due_days is None),
                "`limits: admission` needs `per: admission` and `due_days`",
            ),
        )
