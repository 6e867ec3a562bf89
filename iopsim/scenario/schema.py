"""The vocabulary of a scenario: one frozen, typed tree (`Scenario`) that everything else reads.

Its power is described by model.md; every field has a default unless it is the question itself.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from iopsim.scenario.levels import Level
from iopsim.scenario.parts import Amount, Count, Name, Number, Part, Positive, PositiveCount, Share, Shares

__all__ = [
    "Calendar",
    "InpatientAlternative",
    "Label",
    "Money",
    "Role",
    "Run",
    "Scenario",
    "Service",
    "Source",
    "Target",
    "json_schema",
]

EVERYONE = "all"  # the track and the payer of a scenario that names none


class Run(Part):
    """When and how often to simulate. `start` is the first measured day (model.md §2)."""

    start: Annotated[dt.date, Field(strict=True, ge=dt.date(1950, 1, 1), le=dt.date(2200, 1, 1))] = dt.date(
        2027, 1, 4
    )
    warm_up_weeks: Annotated[int, Field(strict=True, ge=0, le=2600)] = 52
    weeks: Annotated[int, Field(strict=True, ge=1, le=2600)] = 52
    run_out_weeks: Annotated[int, Field(strict=True, ge=0, le=2600)] = 26
    replications: PositiveCount = 40
    seed: Annotated[int, Field(strict=True, ge=0, lt=2**63)] = 1

    @property
    def opening(self) -> dt.date:
        """First simulated day: the start less the warm-up."""
        return self.start - dt.timedelta(weeks=self.warm_up_weeks)

    @property
    def end(self) -> dt.date:
        """The day after the run-out."""
        return self.start + dt.timedelta(weeks=self.weeks + self.run_out_weeks)


class Calendar(Part):
    """Dates on which no session and no appointment takes place."""

    closed: tuple[Annotated[dt.date, Field(strict=True)], ...] = ()


class Label(Part):
    """A track or a payer: nothing but a name people read."""

    label: str | None = None


def _some_weight(weights: tuple[float, ...]) -> tuple[float, ...]:
    if not any(weights):
        raise PydanticCustomError("weights", "all weights are 0: nobody would ever be referred")
    return weights


class Source(Part):
    """Where referrals come from: to which level, how many a week, when, and who they are (model.md §4)."""

    label: str | None = None
    to: Name
    per_week: Annotated[float, Field(strict=True, ge=0, le=100_000)]
    weekdays: Annotated[
        tuple[Amount, ...], Field(min_length=7, max_length=7), AfterValidator(_some_weight)
    ] = (1.0,) * 7
    months: Annotated[
        tuple[Amount, ...], Field(min_length=12, max_length=12), AfterValidator(_some_weight)
    ] = (1.0,) * 12
    growth_per_year: Annotated[float, Field(strict=True, gt=-1, le=10)] = 0.0
    tracks: Shares | None = None
    times: Shares = {"either": 1.0}
    payers: Shares | None = None


class Role(Part):
    """A kind of staff: posts, hours, caseload and pay (model.md §8)."""

    label: str | None = None
    posts: Count
    fte: Annotated[float, Field(strict=True, gt=0, le=2)] = 1.0
    caseload: Amount | None = None
    paid_hours_per_week: Annotated[float, Field(strict=True, gt=0, le=168)] = 40.0
    bookable: Annotated[float, Field(strict=True, gt=0, le=1)] = 1.0
    leave_weeks_per_year: Annotated[float, Field(strict=True, ge=0, lt=52)] = 0.0
    salary_per_year: Amount = 0.0

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
    def employed_fte(self) -> float:
        """Posts × FTE."""
        return self.posts * self.fte


class Service(Part):
    """Work that one patient, or one group session, makes for a role (model.md §8)."""

    label: str | None = None
    levels: Annotated[tuple[Name, ...], Field(min_length=1)]
    role: Name
    tracks: tuple[Name, ...] = ()
    per: Literal["admission", "session"] | None = None
    every_weeks: Annotated[float, Field(strict=True, gt=0, le=520)] | None = None
    minutes: Annotated[float, Field(strict=True, ge=0, le=1440)] = 0.0
    indirect_minutes: Annotated[float, Field(strict=True, ge=0, le=1440)] = 0.0
    indirect_minutes_per_patient: Annotated[float, Field(strict=True, ge=0, le=1440)] = 0.0
    share: Share = 1.0
    within_group: bool = False
    cost: Amount = 0.0

    @model_validator(mode="after")
    def _makes_sense(self) -> Service:
        if (self.per is None) == (self.every_weeks is None):
            raise PydanticCustomError("service", "give `per` or `every_weeks`, one of the two")
        if self.per == "session" and (self.minutes or self.share < 1 or self.within_group or self.tracks):
            raise PydanticCustomError(
                "service",
                "`per: session` takes its minutes from the group's hours: only indirect minutes and cost go with it",
            )
        if self.per != "session" and self.indirect_minutes_per_patient:
            raise PydanticCustomError(
                "service", "`indirect_minutes_per_patient` goes with `per: session` only"
            )
        return self


class InpatientAlternative(Part):
    """Arithmetic on an assumption: for which share of starters inpatient care was the alternative (§9)."""

    for_: Annotated[tuple[Name, ...], Field(alias="for", min_length=1)]
    divertible: Share = 0.05
    stay_days: Annotated[float, Field(strict=True, gt=0, le=3650)]
    cost_per_day: Amount


class Money(Part):
    """Prices: what staff cost beyond salaries, what a day earns, what the alternative costs (model.md §9)."""

    benefits: Annotated[float, Field(strict=True, ge=0, le=5)] = 0.0
    overhead_share_of_cost: Annotated[float, Field(strict=True, ge=0, lt=1)] | None = None
    overhead_per_year: Amount | None = None
    revenue: Mapping[Name, Mapping[Name, Amount]] = {}
    inpatient_alternative: InpatientAlternative | None = None

    @model_validator(mode="after")
    def _one_overhead(self) -> Money:
        if self.overhead_share_of_cost is not None and self.overhead_per_year is not None:
            raise PydanticCustomError(
                "overhead", "give `overhead_share_of_cost` or `overhead_per_year`, not both"
            )
        return self


class Target(Part):
    """What the planner wants of one metric; a difference below `matters` is none worth having."""

    metric: Annotated[str, Field(strict=True)]
    at_most: Number | None = None
    at_least: Number | None = None
    matters: Positive | None = None

    @model_validator(mode="after")
    def _one_side(self) -> Target:
        if (self.at_most is None) == (self.at_least is None):
            raise PydanticCustomError("target", "give `at_most` or `at_least`, one of the two")
        return self

    @property
    def limit(self) -> float:
        """The value that must not be passed."""
        return self.at_most if self.at_most is not None else self.at_least or 0.0


class Scenario(Part):
    """Everything the planner wrote, with defaults filled in: the question, as data."""

    schema_version: Annotated[Literal[1], Field(alias="schema")] = 1
    name: Name = "scenario"
    description: str = ""
    currency: Annotated[str, Field(strict=True, min_length=1, max_length=12)] = "USD"
    run: Run = Run()
    calendar: Calendar = Calendar()
    tracks: Annotated[Mapping[Name, Label], Field(min_length=1)] = {EVERYONE: Label()}
    payers: Annotated[Mapping[Name, Label], Field(min_length=1)] = {EVERYONE: Label()}
    sources: Annotated[Mapping[Name, Source], Field(min_length=1)]
    levels: Annotated[Mapping[Name, Level], Field(min_length=1)]
    staff: Mapping[Name, Role] = {}
    services: Mapping[Name, Service] = {}
    money: Money = Money()
    targets: tuple[Target, ...] = ()
    observed: Mapping[str, Number] = {}
    notes: Mapping[str, str] = {}

    def track_shares(self, source: Source) -> Mapping[str, float]:
        """Shares of the tracks among a source's patients; everybody is of the only track when there is one."""
        return source.tracks or dict.fromkeys(list(self.tracks)[:1], 1.0)

    def payer_shares(self, source: Source) -> Mapping[str, float]:
        """Shares of the payers among a source's patients; everybody has the only payer when there is one."""
        return source.payers or dict.fromkeys(list(self.payers)[:1], 1.0)

    def says(self, table: Mapping[str, Level | Source | Role | Label | Service], name: str) -> str:
        """What people read for `name` in one of the scenario's mappings: its label, or the name with spaces."""
        return table[name].label or name.replace("_", " ")


def json_schema() -> dict[str, Any]:
    """JSON Schema of the scenario language, for editors that complete and check YAML."""
    schema = Scenario.model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
