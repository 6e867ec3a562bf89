"""Faults that point at the keys of what is being validated."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from pydantic import ValidationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Steps = TypeVar("Steps", bound="tuple[str | int, ...]")

__all__ = ["closest", "fault_at", "faults_at"]


def fault_at(key: str, message: str) -> ValidationError:
    """A fault to raise inside a validator, which takes it over and puts it under its own place."""
    return faults_at({(key,): message})


def faults_at(
    messages: Mapping[Steps, str],
) -> ValidationError:
    """Several faults at once, by the steps that lead from the validator's own place to each."""
    return ValidationError.from_exception_data(
        "part",
        [
            {"type": "value_error", "loc": steps, "input": steps[-1], "ctx": {"error": ValueError(message)}}
            for steps, message in messages.items()
        ],
    )


def closest(got: str, names: Iterable[str]) -> str:
    """` (did you mean "…"?)`, or nothing when no name is near."""
    from difflib import get_close_matches

    near = get_close_matches(got, names, n=1)
    return f' (did you mean "{near[0]}"?)' if near else ""
