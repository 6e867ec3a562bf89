"""The cells of files of patients, in names of the scenario: what each means, and what is wrong with the others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from iopsim.scenario.distributions.csv_file import at_line
from iopsim.scenario.findings import words
from iopsim.scenario.trace import TRAITS, letters_of, meanings, trait_of

if TYPE_CHECKING:
    from collections.abc import Container, Iterator

    from iopsim.scenario.census import PeopleFile, Row
    from iopsim.scenario.schema import Scenario

__all__ = ["Cells"]

_RETURNED = "returned"
_LONG_AGO = 36_525  # days: a slip in the year rather than a stay
_MOST_CHOICES = 12  # names that a message lists


class Cells:
    """The cells of a file in names of the scenario; what names nothing is None, and kept as a fault.

    Attributes:
        scenario: What the names are of.
        file: The file.
    """

    def __init__(self, scenario: Scenario, file: PeopleFile) -> None:
        self.scenario = scenario
        self.file = file
        self._as_of = scenario.from_today.as_of.toordinal() if scenario.from_today else 0
        levels = {name: level.label for name, level in scenario.levels.items()}
        sources = {name: source.label for name, source in scenario.sources.items()}
        self._known = {
            **{trait: trait_of(scenario, trait) for trait in TRAITS},
            "level": meanings(levels),
            "source": meanings(sources),
            "origin": meanings({**sources, **levels, _RETURNED: None}),
        }
        self._groups = {
            name: meanings({key: group.label for key, group in level.groups.items()})
            for name, level in scenario.levels.items()
        }
        self._faults: dict[str, list[tuple[int, str]]] = {}

    def blame(self, field: str, line: int, what: str) -> None:
        """Keep a fault of a cell."""
        self._faults.setdefault(field, []).append((line, what))

    def name(self, row: Row, field: str, needed: bool = False) -> str | None:
        """The name that a cell means; None if it is empty, or means none."""
        cell = row.cells.get(field)
        if cell is None:
            if needed:
                self.blame(field, row.line, "is empty")
            return None
        name = self._known[field].get(letters_of(cell))
        if name is None:
            self.blame(field, row.line, f"names no {field} of the scenario")
        return name

    def level(self, row: Row) -> str:
        """The level of a row; empty if it names none."""
        if self.file.level is not None:
            return self.file.level if self.file.level in self.scenario.levels else ""
        return self.name(row, "level", needed=True) or ""

    def days(self, row: Row) -> float:
        """How long ago it began."""
        days = self._as_of - row.instant
        if days < 0:
            self.blame(self.file.since, row.line, "is after `as_of`")
        elif days > _LONG_AGO:
            self.blame(self.file.since, row.line, "is more than a hundred years ago")
        return days

    def days_until(self, row: Row) -> float:
        """How long it is until the appointment."""
        days = (row.appointment or 0.0) - self._as_of
        if days < 0:
            self.blame("appointment", row.line, "is before `as_of`")
        return max(days, 0.0)

    def group(self, row: Row, level: str) -> str | None:
        """The group of somebody in care at a level; needed where there are any."""
        cell, groups = row.cells.get("group"), self._groups.get(level, {})
        if cell is None:
            if groups:
                self.blame("group", row.line, "is empty, and the level has groups")
            return None
        name = groups.get(letters_of(cell))
        if name is None:
            if level:
                self.blame("group", row.line, "names no group of the level" if groups else _NO_GROUPS)
            return None
        opens = self.scenario.levels[level].groups[name].from_
        if opens is not None and opens.toordinal() > self._as_of:
            self.blame("group", row.line, "names a group that opens after `as_of`")
        return name

    def traits(self, row: Row, level: str) -> dict[str, str | None]:
        """What the row says of who the patient is."""
        said = {
            trait: self.name(row, trait, trait == "track" and len(self.scenario.tracks) > 1)
            for trait in TRAITS
        }
        places = self.scenario.levels[level].places if level else None
        if isinstance(places, Mapping) and said["track"] and said["track"] not in places:
            self.blame("track", row.line, "names one for which the level has no places")
            said["track"] = None
        return said

    def find_twice(self, elsewhere: Container[str] = ()) -> None:
        """Keep as faults the rows whose id an earlier one has, or one elsewhere."""
        seen = set[str]()
        for row in self.file.rows:
            who = row.cells.get("id", "")
            if who in seen:
                self.blame("id", row.line, "stands in an earlier row too")
            elif who and who in elsewhere:
                self.blame("id", row.line, "stands in the waitlist too")
            seen |= {who} - {""}

    def messages(self) -> Iterator[tuple[tuple[str, ...], str]]:
        """One message for each column that has faults, with its place below that of the file."""
        for field, faults in self._faults.items():
            if heading := self.file.headings.get(field):
                message = at_line(self.file.csv, heading, sorted(faults), self._cure(field, min(faults)[1]))
            else:
                message = f'{self.file.csv}:1: column "{field}" is missing, and {_WHY[field]}'
            yield ("columns", field), message

    def _cure(self, field: str, what: str) -> str:
        if what == _NO_GROUPS:
            return "leave the cell empty"
        if field not in self._known:
            return _CURES[field]
        names = dict.fromkeys(self._known[field].values())
        empty = ", or leave the cell empty" * (field not in ("level", "track"))
        return (
            f"write {words(names, 'or')}{empty}" if len(names) <= _MOST_CHOICES else f"write a {field}{empty}"
        )


_NO_GROUPS = "is filled, and the level has no groups"
_CURES = {
    "start": "write when care started, or drop the line",
    "joined": "write when the list was joined, or drop the line",
    "referred": "write when they were referred, or drop the line",
    "appointment": "write an appointment to come, or leave the cell empty",
    "group": "write the name or label of one of its groups",
    "therapist": "add posts, write fewer names, or leave cells empty",
    "id": "write one row for each patient, in the file of where they stand",
}
_WHY = {
    "group": "there are patients in a level with groups; say its heading under `columns`",
    "track": "the scenario has several tracks; say its heading under `columns`",
    "origin": "not everybody can come from a source that refers to the level; say where they come from",
}
