"""Where referrals come from: how many, when, and who they are (model.md §4)."""

from __future__ import annotations

import datetime as dt
import math
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from iopsim.scenario.findings import words
from iopsim.scenario.parts import Amount, Name, Part, Shares
from iopsim.scenario.trace import Trace

if TYPE_CHECKING:
    from iopsim.scenario.schema import Run

__all__ = ["Change", "Source"]


class Change(Part):
    """A dated factor of a source's rate."""

    from_: Annotated[dt.date, Field(alias="from", strict=True, description="First day")]
    factor: Annotated[float, Field(strict=True, ge=0, le=1000, description="Of the rate, from then on")]


def _some_weight(weights: tuple[float, ...]) -> tuple[float, ...]:
    if not any(weights):
        raise PydanticCustomError(
            "weights", "all weights are 0: nobody would ever be referred; write one above 0"
        )
    return weights


def _from_dates_of_their_own(changes: tuple[Change, ...]) -> tuple[Change, ...]:
    if len({change.from_ for change in changes}) < len(changes):
        raise PydanticCustomError(
            "changes", "two changes are from one date; say the factor from then on once"
        )
    return tuple(sorted(changes, key=lambda change: change.from_))


_OF_A_RATE = ("per_week", "weekdays", "months", "growth_per_year", "changes", "dispersion")


class Source(Part):
    """Where referrals come from: to which level, how many a week, when, and who they are (model.md §4)."""

    label: str | None = Field(None, description="What people read instead of the name")
    to: Name = Field(description="The level that it refers to")
    per_week: Annotated[float, Field(strict=True, ge=0, le=100_000)] = Field(
        0.0, description="Mean referrals in the year from the start; or say `trace`"
    )
    trace: Trace | None = Field(
        None, description="Referrals of a file, replayed in each replication, instead of a rate"
    )
    weekdays: Annotated[
        tuple[Amount, ...], Field(min_length=7, max_length=7), AfterValidator(_some_weight)
    ] = Field((1.0,) * 7, description="Relative weights, Monday to Sunday")
    months: Annotated[
        tuple[Amount, ...], Field(min_length=12, max_length=12), AfterValidator(_some_weight)
    ] = Field((1.0,) * 12, description="Relative weights, January to December")
    growth_per_year: Annotated[float, Field(strict=True, gt=-1, le=10)] = Field(
        0.0, description="Share by which the rate grows in a year, from the start on"
    )
    changes: Annotated[tuple[Change, ...], AfterValidator(_from_dates_of_their_own)] = Field(
        (), description="Factors of the rate from dates on; each ends the last"
    )
    dispersion: Annotated[float, Field(strict=True, ge=1, le=100)] = Field(
        1.0, description="Variance ÷ mean of the referrals in a week; 1 is a Poisson process"
    )
    tracks: Shares | None = Field(
        None, description="Shares of the tracks; needed when there is more than one"
    )
    times: Shares = Field(
        {"either": 1.0}, description="Shares of the preferred times; `either` fits every group"
    )
    modalities: Shares = Field(
        {"either": 1.0}, description="Shares of the preferred modalities; `either` fits every group"
    )
    payers: Shares | None = Field(
        None, description="Shares of the payers; needed when there is more than one"
    )

    @model_validator(mode="after")
    def _one_way(self) -> Source:
        if self.trace is None:
            if "per_week" not in self.model_fields_set:
                raise ValidationError.from_exception_data(
                    "source", [{"type": "missing", "loc": ("per_week",), "input": {}}]
                )
            return self
        fields = type(self).model_fields
        given = [f"`{key}`" for key in _OF_A_RATE if getattr(self, key) != fields[key].default]
        if given:
            raise PydanticCustomError(
                "trace",
                "a `trace` stands instead of a rate: drop {given}, or set to null what a base scenario says",
                {"given": words(given)},
            )
        return self

    @property
    def refers(self) -> bool:
        """Whether anybody can come."""
        return self.per_week > 0 or self.trace is not None

    def weekly(self, run: Run) -> float:
        """Expected referrals a week in the measured window; the seasons of a rate as over whole years."""
        if self.trace is not None:
            return len(self.trace.between(run.start, run.start + dt.timedelta(weeks=run.weeks))) / run.weeks
        days = 7 * run.weeks
        return self.per_week * self._grown_between(run, 0, days) / days

    def in_all(self, run: Run) -> float:
        """Expected referrals in all of the simulated time, warm-up and run-out included."""
        if self.trace is not None:
            return len(self.trace.between(run.opening, run.end))
        first, end = ((day - run.start).days for day in (run.opening, run.end))
        return self.per_week * self._grown_between(run, first, end) / 7

    def _grown_between(self, run: Run, first: int, end: int) -> float:
        """Days from one to another, both counted from the start, each as many as the rate is higher by then."""
        since = [min(max((change.from_ - run.start).days, first), end) for change in self.changes]
        factors = [1.0, *(change.factor for change in self.changes)]
        return sum(
            factor * (self._grown(to) - self._grown(day))
            for factor, (day, to) in zip(factors, pairwise([first, *since, end]), strict=True)
        )

    def _grown(self, day: int) -> float:
        """Days from the start to `day`, each as many as the rate has grown by then."""
        rate = math.log1p(self.growth_per_year) / 365
        return math.expm1(rate * day) / rate if rate else day
