"""The dated plan: what is different from a date on (model.md §2).

A change lays values over the scenario at dotted paths. The scenario with all changes up to a date is an *edition*: a
whole scenario of its own, so that whoever reads a value on a day reads it off the edition in force.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

from pydantic import Field, ValidationError

from iopsim.scenario.distributions.faults import faults_at
from iopsim.scenario.findings import matches
from iopsim.scenario.parts import Part

if TYPE_CHECKING:
    from pydantic_core import InitErrorDetails

    from iopsim.scenario.schema import Scenario

__all__ = ["MAY_CHANGE", "Edition", "PlanChange", "editions_of", "may_change"]

MAY_CHANGE: dict[str, tuple[str, ...]] = {
    "capacity": (
        "levels.*.places",
        "levels.*.places.*",
        "levels.*.waitlist.at_most",
        "levels.*.waitlist.at_most.*",
        "levels.*.groups.*.seats",
        "levels.*.groups.*.overbook",
        "levels.*.groups.*.min_census",
    ),
    "staffing": (
        "staff.*.posts",
        "staff.*.fte",
        "staff.*.caseload",
        "staff.*.paid_hours_per_week",
        "staff.*.bookable",
        "staff.*.leave_weeks_per_year",
        "staff.*.turnover_per_year",
        "staff.*.onboarding_weeks",
    ),
    "price": (
        "levels.*.cost_per_day",
        "levels.*.cost_per_attended_day",
        "staff.*.salary_per_year",
        "staff.*.cover_per_hour",
        "services.*.cost",
        "rooms.*.cost_per_week",
        "money.benefits",
        "money.overhead_share_of_cost",
        "money.overhead_per_year",
        "money.revenue.*.*",
        "money.billing.hours_per_day_at_least",
        "money.billing.below_minimum",
        "money.billing.claims_denied",
    ),
    "rate": (
        "sources.*.per_week",
        "levels.*.contact.share",
        "levels.*.eligible.share",
        "levels.*.attendance.mean",
        "levels.*.leave_early.dropout_per_week",
        "levels.*.leave_early.step_up.per_week",
        "levels.*.extension.share",
        "levels.*.returns.share",
        "payers.*.authorization.denied",
        "payers.*.authorization.review.cut",
    ),
}
"""What the plan may change on a date, by kind; `*` is any name."""


def may_change(path: Sequence[str]) -> bool:
    """Whether a value at `path` may be another from a date on."""
    return any(matches(tuple(path), pattern) for patterns in MAY_CHANGE.values() for pattern in patterns)


class PlanChange(Part):
    """What is different from a date on: values by their dotted paths."""

    from_: Annotated[dt.date, Field(alias="from", strict=True, description="First day")]
    set: Annotated[Mapping[str, Any], Field(min_length=1)] = Field(
        description="The new values, by dotted path, such as `staff.therapist.posts`"
    )


class Edition(NamedTuple):
    """The plan from a date on; None is from the beginning."""

    from_: dt.date | None
    plan: Scenario


def editions_of(
    model: type[Scenario], written: Mapping[str, Any], changes: Sequence[PlanChange], context: Any
) -> tuple[Edition, ...]:
    """The plan from each date of change on, in order of date.

    Raises:
        ValidationError: A path cannot be changed, or a value does not fit, under the place in `changes`.
    """
    wrong = {
        ("changes", number, "set", path): message
        for number, change in enumerate(changes)
        for path in change.set
        if (message := _cannot(path, written))
    }
    if wrong:
        raise faults_at(wrong)
    tree: Any = {key: value for key, value in written.items() if key not in ("changes", "from_today")}
    editions: list[Edition] = []
    for number, change in sorted(enumerate(changes), key=lambda each: each[1].from_):
        for path, value in change.set.items():
            tree = _laid(tree, path.split("."), value)
        try:
            plan = model.model_validate(tree, context=context)
        except ValidationError as error:
            raise _placed(error, number, change) from None
        if editions and editions[-1].from_ == change.from_:
            editions.pop()
        editions.append(Edition(change.from_, plan))
    return tuple(editions)


def _cannot(path: str, written: Mapping[str, Any]) -> str:
    """Why a path cannot be changed; empty if it can."""
    if not may_change(path.split(".")):
        return "cannot change on a date: capacities, staffing, prices and rates can"
    return ""


def _laid(tree: Any, steps: Sequence[str], value: Any) -> Any:
    """The plain tree with a value at a path, whose other branches are shared."""
    if not steps:
        return value
    below = tree.get(steps[0]) if isinstance(tree, Mapping) else None
    return {**(tree if isinstance(tree, Mapping) else {}), steps[0]: _laid(below, steps[1:], value)}


def _placed(error: ValidationError, number: int, change: PlanChange) -> ValidationError:
    """The faults of an edition under the change that made it, at the path that it set where one is to blame."""
    details: list[InitErrorDetails] = []
    for each in error.errors(include_url=False):
        place = [str(step) for step in each["loc"]]
        blamed = [path for path in change.set if place[: path.count(".") + 1] == path.split(".")]
        where: tuple[int | str, ...] = ("changes", number, "set", *blamed[:1])
        details.append(
            {
                "type": "value_error",
                "loc": where,
                "input": each["input"],
                "ctx": {"error": ValueError(f"{'.'.join(place)}: {each['msg']}")},
            }
        )
    return ValidationError.from_exception_data("changes", details)
