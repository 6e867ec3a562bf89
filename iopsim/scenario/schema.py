"""The vocabulary of a scenario: one frozen, typed tree (`Scenario`) that everything else reads.

Its power is described by model.md; every field has a default unless it is the question itself.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import (
    Discriminator,
    Field,
    ModelWrapValidatorHandler,
    PrivateAttr,
    Tag,
    ValidationInfo,
    model_validator,
)
from pydantic_core import PydanticCustomError

from iopsim.scenario.access import Payer
from iopsim.scenario.dated import Edition, PlanChange, editions_of
from iopsim.scenario.distributions.faults import faults_at
from iopsim.scenario.groups import Room
from iopsim.scenario.levels import Level
from iopsim.scenario.money import InpatientAlternative, Money
from iopsim.scenario.parts import (
    RUN_FROM,
    RUN_TO,
    Name,
    Number,
    Part,
    Positive,
    PositiveCount,
    shape,
)
from iopsim.scenario.sources import Source
from iopsim.scenario.staff import Role, Service
from iopsim.scenario.today import FromToday, strangers
from iopsim.scenario.trace import observed, strays

__all__ = [
    "Calendar",
    "Edition",
    "FromToday",
    "InpatientAlternative",
    "Label",
    "Money",
    "PlanChange",
    "Role",
    "Run",
    "Scenario",
    "Service",
    "Source",
    "Target",
    "UntilPrecise",
    "json_schema",
]

EVERYONE = "all"  # the track and the payer of a scenario that names none


class UntilPrecise(Part):
    """Simulate until intervals are narrow enough, judged after `min`, then every `batch` replications."""

    min: Annotated[int, Field(strict=True, ge=2, le=1_000_000)] = Field(
        20, description="Fewest replications, before the first look"
    )
    max: Annotated[int, Field(strict=True, ge=2, le=1_000_000)] = Field(
        400, description="Most replications, precise or not"
    )
    batch: PositiveCount = Field(10, description="Replications from one look to the next")
    precision: Annotated[float, Field(strict=True, gt=0, lt=1)] = Field(
        0.05, description="Half-width wanted, as a share of the estimate; a target's `floor` is enough too"
    )
    of: Annotated[tuple[Annotated[str, Field(strict=True)], ...], Field(max_length=100)] = Field(
        (), description="Metrics that must all be precise at once; none named: those of the targets"
    )

    @model_validator(mode="after")
    def _makes_sense(self) -> UntilPrecise:
        if self.max < self.min:
            raise PydanticCustomError("replications", "`max` is below `min`; exchange them")
        return self


_UNTIL_SETTLED_WEEKS = 52  # stands for `auto` until pilot runs have said how long the warm-up is


class Run(Part):
    """When and how often to simulate. `start` is the first measured day (model.md §2)."""

    start: Annotated[dt.date, Field(strict=True, ge=RUN_FROM, le=RUN_TO)] = Field(
        dt.date(2027, 1, 4), description="First measured day; the warm-up lies before it"
    )
    warm_up: Annotated[
        Annotated[Annotated[int, Field(strict=True, ge=0, le=2600)], Tag("number")]
        | Annotated[Literal["auto"], Tag("word")],
        Discriminator(shape),
    ] = Field(
        52,
        alias="warm_up_weeks",
        description="Simulated before the start and not measured; the clinic opens empty; `auto`: found by pilot runs",
    )
    weeks: Annotated[int, Field(strict=True, ge=1, le=2600)] = Field(52, description="The measured window")
    run_out_weeks: Annotated[int, Field(strict=True, ge=0, le=2600)] = Field(
        26, description="Simulated after the window, to see how those in it fare"
    )
    replications: Annotated[
        Annotated[PositiveCount, Tag("number")] | Annotated[UntilPrecise, Tag("table")],
        Discriminator(lambda value: "table" if isinstance(value, UntilPrecise) else shape(value)),
    ] = Field(40, description="Independent repetitions: a number, or a table that says how precise is enough")
    seed: Annotated[int, Field(strict=True, ge=0, lt=2**63)] = Field(
        1, description="Names the stream of chance; another seed is another set of patients"
    )

    @property
    def warm_up_weeks(self) -> int:
        """Weeks of warm-up; a year as long as pilot runs have still to say (`experiment.warm_up`)."""
        return self.warm_up if isinstance(self.warm_up, int) else _UNTIL_SETTLED_WEEKS

    @property
    def is_settled(self) -> bool:
        """Whether the warm-up is a number, and so the run can be simulated."""
        return isinstance(self.warm_up, int)

    @property
    def rule(self) -> UntilPrecise | None:
        """When to stop, where the number of replications is not given."""
        return self.replications if isinstance(self.replications, UntilPrecise) else None

    @property
    def most_replications(self) -> int:
        """How many there are, or are at most."""
        return self.replications.max if isinstance(self.replications, UntilPrecise) else self.replications

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

    closed: tuple[Annotated[dt.date, Field(strict=True)], ...] = Field(
        (), description="Dates without sessions; referrals and stays in beds go on"
    )


class Label(Part):
    """A track: nothing but a name people read."""

    label: str | None = Field(None, description="What people read instead of the name")


class Target(Part):
    """What the planner wants of one metric; a difference below `matters` is none worth having."""

    metric: Annotated[str, Field(strict=True)] = Field(
        description="Full name, as `iopsim metrics` lists them"
    )
    at_most: Number | None = Field(None, description="Upper limit; or say `at_least`")
    at_least: Number | None = Field(None, description="Lower limit; or say `at_most`")
    matters: Positive | None = Field(
        None, description="Smallest difference worth having, in the unit of the metric"
    )
    floor: Positive | None = Field(
        None, description="Half-width that is precise enough whatever the estimate, in the unit of the metric"
    )

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

    schema_version: Annotated[Literal[1], Field(alias="schema")] = Field(
        1, description="Version of this language"
    )
    name: Name = Field("scenario", description="Names the results folder; the file's name when left out")
    description: str = Field("", description="A sentence for people")
    currency: Annotated[str, Field(strict=True, min_length=1, max_length=12)] = Field(
        "USD", description="Unit of all money"
    )
    run: Run = Field(Run(), description="When and how often to simulate")
    from_today: FromToday | None = Field(
        None, description="Who is in care and on the lists today, instead of a warm-up"
    )
    calendar: Calendar = Field(Calendar(), description="Dates on which the program is closed")
    tracks: Annotated[Mapping[Name, Label], Field(min_length=1)] = Field(
        {EVERYONE: Label()}, description="Clinical programs that patients belong to"
    )
    payers: Annotated[Mapping[Name, Payer], Field(min_length=1)] = Field(
        {EVERYONE: Payer()}, description="Who pays"
    )
    rooms: Mapping[Name, Room] = Field({}, description="Where groups meet")
    sources: Annotated[Mapping[Name, Source], Field(min_length=1)] = Field(
        description="Where referrals come from"
    )
    levels: Annotated[Mapping[Name, Level], Field(min_length=1)] = Field(description="Levels of care")
    staff: Mapping[Name, Role] = Field({}, description="Roles")
    services: Mapping[Name, Service] = Field({}, description="Work that patients and sessions make")
    money: Money = Field(Money(), description="Prices")
    targets: tuple[Target, ...] = Field((), description="What the planner wants")
    changes: tuple[PlanChange, ...] = Field((), description="What is different from a date on")
    observed: Mapping[str, Number] = Field(
        {}, description="Values seen in reality, by metric, to stand beside the simulated ones"
    )
    notes: Mapping[str, str] = Field({}, description="Where a value comes from, by its dotted path")

    _editions: tuple[Edition, ...] = PrivateAttr(())

    @model_validator(mode="wrap")
    @classmethod
    def _with_editions(
        cls, written: Any, handler: ModelWrapValidatorHandler[Self], info: ValidationInfo
    ) -> Self:
        """The files fit; each change is laid over what was written, and the whole is validated again."""
        written = _opened_today(written)
        scenario = handler(written)
        if wrong := {**strays(scenario), **strangers(scenario)}:  # before a change could be blamed for it
            raise faults_at(wrong)
        if isinstance(written, Mapping) and scenario.changes:
            scenario._editions = editions_of(scenario, written, info.context)
        return scenario

    @property
    def editions(self) -> tuple[Edition, ...]:
        """The plan by date: first as it stands before all changes (from None), then from each date on."""
        return (Edition(None, self), *self._editions)

    def on(self, date: dt.date) -> Scenario:
        """The plan as it stands on a date; its `run` and its files are those of the whole."""
        in_force = self
        for edition in self._editions:
            if edition.from_ is not None and edition.from_ <= date:
                in_force = edition.plan
        return in_force

    def with_sources(self, sources: Mapping[str, Source]) -> Self:
        """The same, from beginning to end, with these sources instead of those of their names."""
        copy = self.model_copy(update={"sources": {**self.sources, **sources}})
        copy._editions = tuple(
            edition._replace(plan=edition.plan.with_sources(sources)) for edition in self._editions
        )
        return copy

    def track_shares(self, source: Source) -> Mapping[str, float]:
        """Shares of the tracks among a source's patients; everybody is of the only track when there is one."""
        written = source.tracks or dict.fromkeys(list(self.tracks)[:1], 1.0)
        return observed(self, source.trace, "track") or written

    def time_shares(self, source: Source) -> Mapping[str, float]:
        """Shares of the preferred times among a source's patients."""
        return observed(self, source.trace, "time") or source.times

    def modality_shares(self, source: Source) -> Mapping[str, float]:
        """Shares of the preferred modalities among a source's patients."""
        return observed(self, source.trace, "modality") or source.modalities

    def payer_shares(self, source: Source) -> Mapping[str, float]:
        """Shares of the payers among a source's patients; everybody has the only payer when there is one."""
        written = source.payers or dict.fromkeys(list(self.payers)[:1], 1.0)
        return observed(self, source.trace, "payer") or written

    def says(self, table: Mapping[str, Any], name: str) -> str:
        """What people read for `name` in one of the scenario's mappings: its label, or the name with spaces."""
        return table[name].label or name.replace("_", " ")


def _opened_today(written: Any) -> Any:
    """With `from_today` the run starts on its day, and there is no warm-up, unless the scenario says otherwise."""
    today = written.get("from_today") if isinstance(written, Mapping) else None
    as_of = today.get("as_of") if isinstance(today, Mapping) else None
    is_said = isinstance(as_of, dt.date) and RUN_FROM <= as_of <= RUN_TO
    if not is_said or not isinstance(written.get("run", {}), Mapping):
        return written
    return {**written, "run": {"start": as_of, "warm_up_weeks": 0, **written.get("run", {})}}


_OVERLAID = (
    "Source",
    "Trace",
    "Level",
    "Intake",
    "AgesInto",
    "Group",
    "Cohort",
    "Room",
    "Role",
    "Associate",
    "Service",
    "Authorization",
    "Returns",
    "Extension",
    "StepUp",
    "InpatientAlternative",
    "FromToday",
    "Census",
    "WaitlistFile",
    "ApplicationFile",
)  # what a variant may write in part, over its base


def json_schema() -> dict[str, Any]:
    """JSON Schema of a scenario file, for editors that complete and check YAML.

    A file that extends another may leave out whatever its base says; what is then missing, `iopsim validate` tells.
    """
    schema = Scenario.model_json_schema(by_alias=True)
    for part in _OVERLAID:
        schema["$defs"][part].pop("required", None)
    base = {"type": "string", "description": "A scenario file to start from; this one is laid over it"}
    schema["properties"] = {"extends": base, **schema["properties"]}
    schema["anyOf"] = [{"required": ["extends"]}, {"required": schema.pop("required")}]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
