"""Files of patients: who is in care and who waits on a day, a row for each.

The rows are patients: they stay in memory, out of messages, results and the resolved scenario.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Annotated, ClassVar, NamedTuple

from pydantic import Field, PrivateAttr, ValidationInfo, model_validator
from pydantic_core import PydanticCustomError

from iopsim.scenario.distributions.csv_file import at_line, read_table
from iopsim.scenario.distributions.faults import faults_at
from iopsim.scenario.moments import CURE, UNTIMED, moments_in
from iopsim.scenario.parts import Name, Part
from iopsim.scenario.trace import Heading

__all__ = [
    "ApplicationColumns",
    "ApplicationFile",
    "Census",
    "CensusColumns",
    "PeopleFile",
    "Row",
    "WaitlistColumns",
    "WaitlistFile",
]

_WHOLE = re.compile(r"(\d{1,6})(?:\.0+)?")


class Row(NamedTuple):
    """A row of such a file.

    Attributes:
        line: Of the file.
        instant: When care started or the list was joined, in days as `date.toordinal` counts them.
        sessions: Of the plan that were used; None if the file does not say.
        appointment: Instant of the intake appointment; None if the file does not say.
        cells: What else it says, by field; cells that are empty or not there are left out.
    """

    line: int
    instant: float
    sessions: int | None
    appointment: float | None
    cells: Mapping[str, str]


class _Columns(Part):
    """Headings of columns that are not called as their field."""

    level: Heading | None = Field(None, description="Level of care, by its name or label")
    source: Heading | None = Field(None, description="Source that referred the patient")
    track: Heading | None = Field(None, description="Track; must be there if there are several")
    time: Heading | None = Field(None, description="Preferred time; not said: drawn")
    modality: Heading | None = Field(None, description="Preferred modality; not said: drawn")
    payer: Heading | None = Field(None, description="Payer; not said: drawn")
    id: Heading | None = Field(
        None,
        description="What tells patients apart; the same in census and waitlist is one person, who holds the place and "
        "waits",
    )


class CensusColumns(_Columns):
    """Headings of the columns of a census; one that is called as its field need not be said."""

    start: Heading | None = Field(
        None, description="When care started, such as 2027-01-31 or 2027-01-31 14:30; must be there"
    )
    group: Heading | None = Field(None, description="Group; must be there where the level has groups")
    therapist: Heading | None = Field(
        None,
        description="Who carries the patient, where the level has a caseload: names, or numbers of posts from 1; "
        "empty: the least loaded",
    )
    sessions: Heading | None = Field(
        None,
        description="Sessions of the plan used so far (with `plan: attended`, attended ones); empty: as many as were "
        "scheduled since the start",
    )


class WaitlistColumns(_Columns):
    """Headings of the columns of a waitlist; one that is called as its field need not be said."""

    joined: Heading | None = Field(
        None, description="When the list was joined, such as 2027-01-31; must be there"
    )
    origin: Heading | None = Field(
        None,
        description="Source, level or `returned`; empty: the level of the census where the patient is, or the first "
        "source that refers to the level",
    )


class ApplicationColumns(_Columns):
    """Headings of the columns of referrals before the waitlist; one that is called as its field need not be said."""

    referred: Heading | None = Field(
        None, description="When they were referred, such as 2027-01-31; must be there"
    )
    appointment: Heading | None = Field(
        None, description="Date of the intake appointment; empty: still to be reached, or to be given one"
    )
    origin: Heading | None = Field(
        None, description="Source, level or `returned`; empty: the first source that refers to the level"
    )


class PeopleFile(Part):
    """A CSV file with a row for each patient, read at validation from the folder in the context (`{"folder": Path}`).

    A folder of None gives a file without rows, for results, which do not hold them.
    """

    since: ClassVar[str]
    """The field that says since when."""

    csv: Annotated[str, Field(strict=True, min_length=1)] = Field(
        description="A file in the scenario's folder, a row for each patient"
    )
    level: Name | None = Field(
        None, description="Level of all its patients; none said: the column `level` says it"
    )
    columns: _Columns = _Columns()
    _headings: Mapping[str, str] = PrivateAttr({})
    _rows: tuple[Row, ...] = PrivateAttr(())

    @model_validator(mode="after")
    def _read(self, info: ValidationInfo) -> PeopleFile:
        if self.level is not None and self.columns.level is not None:
            raise PydanticCustomError("level", "give `level` or `columns.level`, one of the two")
        folder = (info.context or {}).get("folder", ".")
        if folder is not None:
            self._headings, self._rows = self._table(Path(folder))
        return self

    @property
    def rows(self) -> tuple[Row, ...]:
        """The patients, in the order of the file."""
        return self._rows

    @property
    def headings(self) -> Mapping[str, str]:
        """The headings of the columns that the file has, by field."""
        return self._headings

    @cached_property
    def content_hash(self) -> str:
        """SHA-256 of the rows in order: equal for files that say the same of the same patients."""
        from hashlib import sha256

        said = [(*row[1:-1], sorted(row.cells.items())) for row in self._rows]
        return sha256(repr(said).encode()).hexdigest()

    def _table(self, folder: Path) -> tuple[dict[str, str], tuple[Row, ...]]:
        named = {field: heading for field, heading in self.columns if heading is not None}
        own = {
            field: field in ("level", self.since)
            for field in type(self.columns).model_fields
            if field not in named and not (field == "level" and self.level is not None)
        }
        headings, table = read_table(folder, self.csv, named, own, ("columns",))
        rows = [(line, dict(zip(headings, cells, strict=True))) for line, cells in table]
        moments, faults = moments_in((line, cells[self.since]) for line, cells in rows)
        wrong = (
            {("columns", self.since): at_line(self.csv, headings[self.since], faults, CURE)} if faults else {}
        )
        booked = [(line, cell) for line, cells in rows if (cell := cells.get("appointment", ""))]
        appointments, faults = moments_in(booked)
        if faults:
            wrong["columns", "appointment"] = at_line(self.csv, headings["appointment"], faults, CURE)
        used = {line: cells.get("sessions", "") for line, cells in rows}
        if odd := [
            (line, "is no whole number") for line, cell in used.items() if cell and not _WHOLE.fullmatch(cell)
        ]:
            cure = "write how many sessions of the plan were used, or leave the cell empty"
            wrong["columns", "sessions"] = at_line(self.csv, headings["sessions"], odd, cure)
        if wrong:
            raise faults_at(wrong)
        return headings, tuple(
            Row(
                line=line,
                instant=_instant(moments[cells[self.since]]),
                sessions=int(found[1]) if (found := _WHOLE.fullmatch(used[line])) else None,
                appointment=_instant(appointments[when]) if (when := cells.get("appointment")) else None,
                cells={
                    field: cell
                    for field, cell in cells.items()
                    if cell and field not in (self.since, "sessions", "appointment")
                },
            )
            for line, cells in rows
        )


class Census(PeopleFile):
    """A file with a row for each patient in care."""

    since = "start"
    columns: CensusColumns = Field(
        CensusColumns(), description="Headings of the columns, where they are not called as their field"
    )


class WaitlistFile(PeopleFile):
    """A file with a row for each patient on a waitlist."""

    since = "joined"
    columns: WaitlistColumns = Field(
        WaitlistColumns(), description="Headings of the columns, where they are not called as their field"
    )


class ApplicationFile(PeopleFile):
    """A file with a row for each patient who was referred and has not come to the waitlist."""

    since = "referred"
    columns: ApplicationColumns = Field(
        ApplicationColumns(), description="Headings of the columns, where they are not called as their field"
    )


def _instant(moment: tuple[int, float]) -> float:
    """Day and hour as days."""
    day, hour = moment
    return day + (hour / 24 if hour != UNTIMED else 0.0)
