"""The dated plan: what is different from a date on (model.md §2).

A change lays values over the scenario at dotted paths. The scenario with all changes up to a date is an *edition*: a
whole scenario of its own, so that whoever reads a value on a day reads it off the edition in force.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, get_args

from pydantic import Field, ValidationError
from pydantic_core import PydanticCustomError
from pydantic_core.core_schema import ErrorType

from iopsim.scenario.canonical import resolved
from iopsim.scenario.changeable import MAY_CHANGE, may_change, refusal
from iopsim.scenario.parts import Part, sharing

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails, InitErrorDetails

    from iopsim.scenario.schema import Scenario

__all__ = ["MAY_CHANGE", "Edition", "PlanChange", "editions_of", "may_change"]


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


class _Set(NamedTuple):
    """One value that a change sets: its date, the number of the change, the path and the value."""

    date: dt.date
    number: int
    path: str
    value: Any

    @property
    def steps(self) -> tuple[str, ...]:
        return tuple(self.path.split("."))

    @property
    def place(self) -> tuple[int | str, ...]:
        return "changes", self.number, "set", self.path


def editions_of(scenario: Scenario, written: Mapping[str, Any], context: Any) -> tuple[Edition, ...]:
    """The plan from each date of change on, in order of date; one after the simulated time is checked, and left out.

    Args:
        scenario: The plan before all changes.
        written: What it was validated from.
        context: Of that validation.

    Raises:
        ValidationError: Paths cannot be changed, or values do not fit: all of them, each under its place in `changes`.
    """
    known = resolved(scenario)
    tree: Any = {key: value for key, value in written.items() if key not in ("changes", "from_today")}
    said = [
        _Set(change.from_, number, path, value)
        for number, change in enumerate(scenario.changes)
        for path, value in change.set.items()
    ]
    wrong: list[InitErrorDetails] = []
    editions: list[Edition] = []
    for date, together in groupby(sorted(said, key=lambda one: one.date), key=lambda one: one.date):
        those: list[_Set] = []
        for one in together:
            if message := refusal(one.path, one.value, known) or _clash(one, those):
                wrong.append(_detail(one.place, one.value, "change", message))
            else:
                those.append(one)
        try:
            laid = _all_laid(tree, those)
            editions.append(
                Edition(date, sharing(type(scenario).model_validate(laid, context=context), scenario))
            )
        except ValidationError as error:
            faults = [_blamed(details, those) for details in error.errors(include_url=False)]
            wrong += faults
            blamed = [fault["loc"][:4] for fault in faults]
            laid = _all_laid(tree, [one for one in those if one.place not in blamed])
        tree = laid
    if wrong:
        raise ValidationError.from_exception_data("changes", wrong)
    end = scenario.run.end
    return tuple(edition for edition in editions if edition.from_ is None or edition.from_ < end)


def _clash(one: _Set, others: Sequence[_Set]) -> str:
    """That another value is set there, or around it, on the same date; empty if none is."""
    for other in others:
        shorter, longer = sorted((one.steps, other.steps), key=len)
        if longer[: len(shorter)] == shorter:
            return f"changes[{other.number}] sets {other.path} on the same date; say it once"
    return ""


def _all_laid(tree: Any, those: Sequence[_Set]) -> Any:
    for one in those:
        tree = _laid(tree, one.steps, one.value)
    return tree


def _laid(tree: Any, steps: Sequence[str], value: Any) -> Any:
    """The plain tree with a value at a path, whose other branches are shared."""
    if not steps:
        return value
    below = tree.get(steps[0]) if isinstance(tree, Mapping) else None
    return {**(tree if isinstance(tree, Mapping) else {}), steps[0]: _laid(below, steps[1:], value)}


def _blamed(details: ErrorDetails, those: Sequence[_Set]) -> InitErrorDetails:
    """The fault of an edition at the value that is to blame, or else at the first value of its date."""
    place = tuple(str(step) for step in details["loc"])
    inside = [one for one in those if _leads(one.steps, place)]
    around = [one for one in those if one.steps[: len(place)] == place]
    one = (inside or around or those)[0]
    rest = details["loc"][_leads(one.steps, place) :] if inside else ()
    return _detail((*one.place, *rest), details["input"], details["type"], details["msg"], details.get("ctx"))


def _leads(steps: Sequence[str], place: Sequence[str]) -> int:
    """How many steps of a place lead to where `steps` do, forms of values passed over; 0 if it lies elsewhere."""
    ahead = iter(enumerate(place, start=1))
    count = 0
    for step in steps:
        count = next((number for number, name in ahead if name == step), 0)
        if not count:
            return 0
    return count


def _detail(
    place: tuple[int | str, ...], value: Any, kind: str, message: str, context: Any = None
) -> InitErrorDetails:
    if kind in get_args(ErrorType):
        return {"type": kind, "loc": place, "input": value, "ctx": context or {}}
    return {"type": PydanticCustomError(kind, message), "loc": place, "input": value}
