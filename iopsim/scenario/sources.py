"""Where referrals come from: how many, when, and who they are (model.md §4)."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from iopsim.scenario.parts import Amount, Name, Part, Shares

__all__ = ["Change", "Source"]


class Change(Part):
    """A dated factor of a source's rate."""

    from_: Annotated[dt.date, Field(alias="from", strict=True, description="First day")]
    factor: Annotated[float, Field(strict=True, ge=0, le=1000, description="Of the rate, from then on")]


def _some_weight(weights: tuple[float, ...]) -> tuple[float, ...]:
    if not any(weights):
        raise PydanticCustomError("weights", "all weights are 0: nobody would ever be referred")
    return weights


class Source(Part):
    """Where referrals come from: to which level, how many a week, when, and who they are (model.md §4)."""

    label: str | None = Field(None, description="What people read instead of the name")
    to: Name = Field(description="The level that it refers to")
    per_week: Annotated[float, Field(strict=True, ge=0, le=100_000)] = Field(
        0.0, description="Mean referrals in the year from the start"
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
    changes: tuple[Change, ...] = Field(
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
