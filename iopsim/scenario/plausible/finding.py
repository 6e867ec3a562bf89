"""What arithmetic has to say about a scenario that is valid as such."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

__all__ = ["Finding", "note", "warning"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One remark.

    Attributes:
        severity: `warning` for what will not work as written, `note` for what is good to know.
        path: What it is about, dotted (`levels.iop.groups`).
        message: What was found, with its numbers, and what can be done.
        about: What the numbers are of, where they may be others at another time: such findings are told once.
        strain: What is asked over what is there, then; the highest is told in full, of the others this share.
    """

    severity: Literal["warning", "note"]
    path: str
    message: str
    about: str = ""
    strain: float = field(default=0.0, compare=False)

    def __str__(self) -> str:
        return f"{self.path}: {self.message}"


def warning(path: str, message: str, about: str = "", strain: float = 0.0) -> Finding:
    """A finding about what will not work as written."""
    return Finding("warning", path, message, about, strain)


def note(path: str, message: str, about: str = "", strain: float = 0.0) -> Finding:
    """A finding that is good to know."""
    return Finding("note", path, message, about, strain)
