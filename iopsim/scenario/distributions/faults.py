"""Faults that point at one key of what is being validated."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import ValidationError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["closest", "fault_at"]


def fault_at(key: str, message: str) -> ValidationError:
    """A fault to raise inside a validator, which takes it over and puts it under its own place."""
    return ValidationError.from_exception_data(
        "law", [{"type": "value_error", "loc": (key,), "input": key, "ctx": {"error": ValueError(message)}}]
    )


def closest(got: str, names: Iterable[str]) -> str:
    """` (did you mean "…"?)`, or nothing when no name is near."""
    from difflib import get_close_matches

    near = get_close_matches(got, names, n=1)
    return f' (did you mean "{near[0]}"?)' if near else ""
