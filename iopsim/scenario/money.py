"""Prices: what staff cost beyond salaries, what a day earns and when it does not, what the alternative costs (§9)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator, Discriminator, Field, Tag, model_validator
from pydantic_core import PydanticCustomError

from iopsim.scenario.parts import Amount, Name, Part, PositiveCount, Share, shape

__all__ = ["Billing", "InpatientAlternative", "Money", "Tier"]


class Tier(Part):
    """What a day with at least so many services earns."""

    from_services: PositiveCount = Field(
        description="Services on the day; a group session is one per full hour"
    )
    pay: Amount = Field(description="Paid for such a day")


def _rising(tiers: tuple[Tier, ...]) -> tuple[Tier, ...]:
    if len({tier.from_services for tier in tiers}) < len(tiers):
        raise PydanticCustomError("tiers", "two tiers are from one number of services; say each number once")
    return tuple(sorted(tiers, key=lambda tier: tier.from_services))


Pay = Annotated[
    Annotated[Amount, Tag("number")]
    | Annotated[tuple[Tier, ...], Field(min_length=1), AfterValidator(_rising), Tag("list")],
    Discriminator(lambda value: "list" if shape(value) == "list" else "number"),
]
"""What an attended day earns: one amount, or tiers by the services of the day."""


class Billing(Part):
    """Which attended days are paid (model.md §9)."""

    hours_per_day_at_least: Annotated[float, Field(strict=True, ge=0, le=24)] = Field(
        0.0, description="An attended day with fewer hours of treatment is not paid"
    )
    below_minimum: Amount = Field(
        0.0,
        description="Paid for a day of a phase whose scheduled hours are under the level's `hours_per_week_at_least`",
    )
    claims_denied: Share = Field(0.0, description="Share of what is billed that the payers refuse")


class InpatientAlternative(Part):
    """Arithmetic on an assumption: for which share of starters inpatient care was the alternative (§9)."""

    for_: Annotated[tuple[Name, ...], Field(alias="for", min_length=1)] = Field(
        description="Sources of the patients concerned"
    )
    divertible: Annotated[
        Annotated[Share, Tag("number")] | Annotated[Mapping[Name, Share], Tag("table")],
        Discriminator(lambda value: "table" if shape(value) == "table" else "number"),
    ] = Field(0.05, description="Starters who would otherwise be inpatients: a share, or one by source")
    stay_days: Annotated[float, Field(strict=True, gt=0, le=3650)] = Field(
        description="Length of their inpatient episode"
    )
    cost_per_day: Amount = Field(description="Of that episode")
    beds_close: Annotated[bool, Field(strict=True)] = Field(
        False, description="Whether beds that are not needed close, so that all of their cost is saved"
    )
    marginal_share: Share = Field(
        1.0, description="Share of the cost per day that a day not used saves while the bed stays open"
    )
    outcome_difference: Annotated[float, Field(strict=True, ge=-1, le=1)] = Field(
        0.0,
        description="Inpatient episodes that each starter who is diverted has later, beyond those after inpatient care",
    )

    def share_of(self, source: str) -> float:
        """The share of a source's starters who would otherwise be inpatients."""
        if isinstance(self.divertible, Mapping):
            return self.divertible.get(source, 0.0)
        return self.divertible

    @property
    def saved_per_day(self) -> float:
        """What an inpatient day that is not needed saves: all of its cost if the bed closes."""
        return self.cost_per_day * (1.0 if self.beds_close else self.marginal_share)


class Money(Part):
    """Prices: what staff cost beyond salaries, what a day earns, what the alternative costs (model.md §9)."""

    benefits: Annotated[float, Field(strict=True, ge=0, le=5)] = Field(
        0.0, description="On top of salaries, as a share of them"
    )
    overhead_share_of_cost: Annotated[float, Field(strict=True, ge=0, lt=1)] | None = Field(
        None, description="Share of all cost; or say `overhead_per_year`"
    )
    overhead_per_year: Amount | None = Field(
        None, description="As an amount; or say `overhead_share_of_cost`"
    )
    revenue: Mapping[Name, Mapping[Name, Pay]] = Field(
        {}, description="Paid for an attended day, by level and payer; what is not named pays 0"
    )
    billing: Billing = Field(Billing(), description="Which attended days are paid")
    inpatient_alternative: InpatientAlternative | None = Field(
        None, description="What inpatient care for the same people would have cost"
    )

    @model_validator(mode="after")
    def _one_overhead(self) -> Money:
        if self.overhead_share_of_cost is not None and self.overhead_per_year is not None:
            raise PydanticCustomError(
                "overhead", "give `overhead_share_of_cost` or `overhead_per_year`, not both"
            )
        return self
