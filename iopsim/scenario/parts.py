"""The small words of the scenario language: names, shares, counts, and the base of every part."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

__all__ = [
    "HOME",
    "LEAST_DAYS",
    "LONGEST_NAME",
    "RUN_FROM",
    "RUN_TO",
    "WEEKDAYS",
    "Amount",
    "Count",
    "Days",
    "Hold",
    "Name",
    "Number",
    "Part",
    "Positive",
    "PositiveCount",
    "Share",
    "Shares",
    "Weekday",
    "shape",
    "shares_sum_to_one",
    "sharing",
]

HOME = "home"
LEAST_DAYS = 1 / 24
"""Shorter means are none: patients would go from place to place without end, and the clock would stand still."""

RUN_FROM, RUN_TO = dt.date(1950, 1, 1), dt.date(2200, 1, 1)
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
LONGEST_NAME = 100  # characters: names are those of folders and files too
_NAME = re.compile(r"[a-z][a-z0-9_]*\Z")
_SHARES_TOLERANCE = 1e-6


class Part(BaseModel):
    """One mapping of the scenario file: immutable, and an unknown key is an error."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, allow_inf_nan=False, validate_by_alias=True, serialize_by_alias=True
    )


Whole = TypeVar("Whole", bound=Part)


def sharing(part: Whole, base: Whole) -> Whole:
    """An equal part that holds what its base holds wherever they are equal: there may be many of them."""
    inner = {name: _shared(getattr(part, name), getattr(base, name)) for name in part.model_fields_set}
    return part.model_copy(update=inner)


def _shared(value: Any, base: Any) -> Any:
    if value == base:
        return base
    if isinstance(value, Mapping) and isinstance(base, Mapping):
        return {key: _shared(child, base.get(key)) for key, child in value.items()}
    return value


def _a_name(text: str) -> str:
    if not _NAME.match(text):
        raise PydanticCustomError(
            "name",
            "a name starts with a letter a-z and goes on with a-z, 0-9 and _; use `label:` for anything else "
            "(got {got})",
            {"got": f'"{text[:40]}"'},
        )
    if len(text) > LONGEST_NAME:
        raise PydanticCustomError(
            "name",
            "a name has at most {most} characters (got {got}); use `label:` for what people read",
            {"most": LONGEST_NAME, "got": len(text)},
        )
    return text


def _a_weekday(text: object) -> object:
    if text not in WEEKDAYS:
        raise PydanticCustomError(
            "weekday",
            "unknown weekday {got}; use {known}",
            {"got": f'"{text}"', "known": ", ".join(WEEKDAYS)},
        )
    return text


def shares_sum_to_one(share_of: Callable[[Any], float] = float) -> Callable[[Any], Any]:
    """Validator for a share table whose values (seen through `share_of`) must sum to 1."""

    def check(table: Mapping[str, Any]) -> Mapping[str, Any]:
        total = sum(share_of(value) for value in table.values())
        if abs(total - 1.0) > _SHARES_TOLERANCE:
            raise PydanticCustomError(
                "shares", "the shares sum to {total}; they must sum to 1", {"total": f"{total:.6g}"}
            )
        return table

    return check


def _a_hold(value: object) -> object:
    if value == "forever":
        return float("inf")
    if isinstance(value, str):
        raise PydanticCustomError(
            "hold", "must be a number of days or `forever` (got {got})", {"got": f'"{value[:40]}"'}
        )
    return value


def shape(value: object) -> str:
    """Which form of a field was written: `table`, `list`, `word` or `number` (the tag of a union)."""
    if isinstance(value, Mapping):
        return "table"
    if isinstance(value, list | tuple):
        return "list"
    return "word" if isinstance(value, str) else "number"


Hold = Annotated[
    float,
    Field(strict=True, ge=0, allow_inf_nan=True),
    BeforeValidator(_a_hold),
    PlainSerializer(lambda days: "forever" if days == float("inf") else days),
    WithJsonSchema({"anyOf": [{"type": "number", "minimum": 0}, {"const": "forever"}]}),
]
Name = Annotated[str, Field(strict=True), AfterValidator(_a_name)]
Weekday = Annotated[str, BeforeValidator(_a_weekday)]
Number = Annotated[float, Field(strict=True)]
Amount = Annotated[float, Field(strict=True, ge=0, le=1e12)]
Positive = Annotated[float, Field(strict=True, gt=0, le=1e9)]
Days = Annotated[float, Field(strict=True, ge=0, le=36_525)]
Share = Annotated[float, Field(strict=True, ge=0, le=1)]
Count = Annotated[int, Field(strict=True, ge=0, le=1_000_000)]
PositiveCount = Annotated[int, Field(strict=True, ge=1, le=1_000_000)]
Shares = Annotated[Mapping[Name, Share], AfterValidator(shares_sum_to_one())]
