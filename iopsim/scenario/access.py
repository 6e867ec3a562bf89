"""What lies between a referral and the waitlist: contact, eligibility, intake, and the payer's word (model.md §6)."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator
from pydantic_core import PydanticCustomError

from iopsim.scenario.distributions import DaysLaw
from iopsim.scenario.parts import HOME, Count, Name, Part, PositiveCount, Share

__all__ = [
    "AgesInto",
    "Authorization",
    "Contact",
    "Eligible",
    "Intake",
    "Payer",
    "Review",
    "Show",
    "ShowByLead",
    "ShowFading",
]

_For = Annotated[tuple[Name, ...], Field(min_length=1)]
_FOR = "Sources, levels or `returned` that it applies to; none named: all sources"


class Contact(Part):
    """The first call: who is reached, and who is lost before anything else happens."""

    share: Share = Field(1.0, description="Of referrals that are reached")
    delay_days: DaysLaw | None = Field(None, description="From referral to contact; none said: at once")
    lost_to: Name = Field(HOME, description="Where those go who are not reached")
    for_: Annotated[_For | None, Field(alias="for", description=_FOR)] = None


class Eligible(Part):
    """Whether the level is the right one for the patient."""

    share: Share = Field(1.0, description="Of patients for whom the level is right")
    found_at: Literal["screen", "assessment"] = Field(
        "screen", description="When it turns out: before the intake appointment, or in it"
    )
    otherwise: Name = Field(HOME, description="Where the others are sent")
    for_: Annotated[_For | None, Field(alias="for", description=_FOR)] = None


class ShowByLead(Part):
    """The chance to show as a table over the days from booking to appointment."""

    by_lead_days: Annotated[
        Mapping[Annotated[int, Field(ge=0, le=3650), BeforeValidator(int)], Share],
        Field(min_length=1, description="Share who show, by days from booking; straight lines between"),
    ]

    def share(self, lead_days: int) -> float:
        """The share who show after so many days; on straight lines between entries, flat beyond them."""
        days = sorted(self.by_lead_days)
        place = bisect_right(days, lead_days)
        if place in (0, len(days)):
            return self.by_lead_days[days[min(place, len(days) - 1)]]
        before, after = days[place - 1], days[place]
        part = (lead_days - before) / (after - before)
        return (1 - part) * self.by_lead_days[before] + part * self.by_lead_days[after]


class ShowFading(Part):
    """The chance to show as odds that fall from week to week."""

    same_day: Annotated[float, Field(strict=True, gt=0, lt=1, description="Share who show on the same day")]
    odds_per_week: Annotated[
        float, Field(strict=True, gt=0, le=2, description="Odds are multiplied by this for each week of wait")
    ]

    def share(self, lead_days: int) -> float:
        """The share who show after so many days."""
        odds: float = self.same_day / (1 - self.same_day) * self.odds_per_week ** (lead_days / 7)
        return odds / (1 + odds)


def _show_shape(value: object) -> str:
    if isinstance(value, ShowFading) or (isinstance(value, Mapping) and "by_lead_days" not in value):
        return "fading"
    return "table" if isinstance(value, ShowByLead | Mapping) else "number"


Show = Annotated[
    Annotated[Share, Tag("number")]
    | Annotated[ShowByLead, Tag("table")]
    | Annotated[ShowFading, Tag("fading")],
    Discriminator(_show_shape),
]


class Intake(Part):
    """An assessment by appointment, in the first free slot of the role's working days."""

    role: Name = Field(description="Who gives the appointments")
    minutes: Annotated[float, Field(strict=True, ge=1, le=480)] = Field(
        description="Length of an appointment"
    )
    show: Show = Field(1.0, description="Share who show: a number, by lead days, or odds that fade by week")
    rebook: Count = Field(0, description="How often somebody may book again after not showing")
    rebook_taken: Share = Field(1.0, description="Of those who may book again: who do")
    lost_to: Name = Field(HOME, description="Where those go who do not show and do not book again")
    for_: Annotated[_For | None, Field(alias="for", description=_FOR)] = None

    def show_share(self, lead_days: int) -> float:
        """The share who show to an appointment so many days after it was booked."""
        return self.show if isinstance(self.show, float) else self.show.share(lead_days)


class Review(Part):
    """The payer's answer when approved units run low: more of them, or the end of treatment."""

    delay_days: DaysLaw | None = Field(None, description="From asking to the answer; none said: at once")
    cut: Share = Field(0.0, description="Of reviews that end in no: treatment stops when units are used up")


class Authorization(Part):
    """A payer's word, without which nobody is admitted; asked for on joining the waitlist."""

    levels: Annotated[tuple[Name, ...], Field(min_length=1)] = Field(description="Levels that need it")
    delay_days: DaysLaw | None = Field(None, description="From joining to the answer; none said: at once")
    denied: Share = Field(0.0, description="Of requests that are denied")
    denied_to: Name = Field(HOME, description="Where those go who are denied, or cut at a review")
    units: PositiveCount | None = Field(None, description="Approved at a time; none said: the whole stay")
    per: Literal["session", "day"] = Field(
        "session",
        description="A session attended (in places, one of the `days_per_week`), or a calendar day of treatment",
    )
    ask_before: Count = Field(0, description="Units left when more are asked for")
    review: Review = Field(Review(), description="What becomes of that request")

    @model_validator(mode="after")
    def _makes_sense(self) -> Authorization:
        if self.units is None and self.model_fields_set & {"per", "ask_before", "review"}:
            raise PydanticCustomError(
                "authorization",
                "`per`, `ask_before` and `review` need `units`: how many are approved at a time",
            )
        if self.units is not None and self.ask_before > self.units:
            raise PydanticCustomError(
                "authorization", "`ask_before` is more than the `units` approved at a time; lower it"
            )
        return self


class Payer(Part):
    """Who pays, and whether they are asked first."""

    label: str | None = Field(None, description="What people read instead of the name")
    authorization: Authorization | None = Field(None, description="What has to be approved before admission")


class AgesInto(Part):
    """The class into which waiting long lifts a patient."""

    class_: Annotated[
        int, Field(alias="class", strict=True, ge=1, le=1000, description="Priority class; 1 is first")
    ]
    after_days: Annotated[float, Field(strict=True, ge=0, le=36_525, description="Days on the waitlist")]
