"""A replication with a bug in it, importable by workers."""

from __future__ import annotations


def encoded(work: object) -> None:
    """Fail as a bug does."""
    raise ValueError("seven is not odd")
