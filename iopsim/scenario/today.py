"""Who is in care and who waits today, from files: where a run begins that has no warm-up (model.md §10).

The rows are patients: they stay in memory, out of messages, results and the resolved scenario.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, NamedTuple

from pydantic import Field

from iopsim.scenario.parts import Name, Part, PositiveCount

if TYPE_CHECKING:
    from iopsim.scenario.schema import Scenario

__all__ = ["Census", "FromToday", "Listed", "Resident", "WaitlistFile", "listed", "residents", "strangers"]

Heading = Annotated[str, Field(strict=True, min_length=1, max_length=200)]


class Census(Part):
    """A file with a row for each patient in care."""

    csv: Annotated[str, Field(strict=True, min_length=1)] = Field(
        description="A file in the scenario's folder"
    )


class WaitlistFile(Part):
    """A file with a row for each patient on a waitlist."""

    csv: Annotated[str, Field(strict=True, min_length=1)] = Field(
        description="A file in the scenario's folder"
    )


class FromToday(Part):
    """The day on which the run begins, who is in care and who waits then."""

    as_of: Annotated[dt.date, Field(strict=True)] = Field(
        description="The day, at whose beginning things stand so"
    )
    census: Census | None = Field(None, description="Who is in care; none: nobody")
    waitlist: WaitlistFile | None = Field(None, description="Who waits; none: nobody")
    waitlist_under: Mapping[Name, PositiveCount] = Field(
        {},
        description="By level: a number under which the list is to stay for four weeks; the first week is reported",
    )


class Resident(NamedTuple):
    """Somebody in care, as the census says, in names of the scenario.

    Attributes:
        line: Of the file.
        level: Where they are.
        days: Since care started, at the beginning of the day `as_of`.
        group: Where the level has groups.
        post: Of the level's caseload role, from 0; None: the least loaded.
        sessions: Of the plan that were used; None: as many as were scheduled since the start.
        source, track, time, modality, payer: None: drawn, or the first that refers to the level.
        id: What joins them with a row of the other file; empty if the file does not say.
    """

    line: int
    level: str
    days: float
    group: str | None
    post: int | None
    sessions: int | None
    source: str | None
    track: str | None
    time: str | None
    modality: str | None
    payer: str | None
    id: str


class Listed(NamedTuple):
    """Somebody on a waitlist, as the file says, in names of the scenario.

    Attributes:
        line: Of the file.
        level: Whose list.
        days: Since joining, at the beginning of the day `as_of`.
        origin: Source, level or `returned`; None: the first source that refers to the level.
        source, track, time, modality, payer: None: drawn, or as the origin.
        id: What joins them with a row of the other file; empty if the file does not say.
    """

    line: int
    level: str
    days: float
    origin: str | None
    source: str | None
    track: str | None
    time: str | None
    modality: str | None
    payer: str | None
    id: str


def residents(scenario: Scenario) -> tuple[Resident, ...]:
    """Everybody in care when the run begins, in the order of the file."""
    return ()


def listed(scenario: Scenario) -> tuple[Listed, ...]:
    """Everybody on a waitlist when the run begins, in the order of the file."""
    return ()


def strangers(scenario: Scenario) -> dict[tuple[str, ...], str]:
    """What is wrong with the files, by the path in the scenario: rows that name nothing, days to come."""
    return {}
