"""What arithmetic has to say about a scenario that is valid as such."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["Finding", "note", "warning"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One remark.

    Attributes:
        severity: `warning` for what will not work as written, `note` for what is good to know.
        path: What it is about, dotted (`levels.iop.groups`).
        message: What was found, with its numbers, and what can be done.
    """

    severity: Literal["warning", "note"]
    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}"


def warning(path: str, message: str) -> Finding:
    """A finding about what will not work as written."""
    return Finding("warning", path, message)


def note(path: str, message: str) -> Finding:
    """A finding that is good to know."""
    return Finding("note", path, message)
