"""Referrals that really came, replayed from a file: when each came, and what it says of who they are (model.md §4).

The rows are patients: they stay in memory, out of messages, results and the resolved scenario.
"""

from __future__ import annotations

import datetime as dt
from array import array
from bisect import bisect_left
from collections import Counter
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

from pydantic import Field, PrivateAttr, ValidationInfo, model_validator

from iopsim.scenario.distributions.csv_file import at_line, read_columns
from iopsim.scenario.distributions.faults import fault_at
from iopsim.scenario.findings import words
from iopsim.scenario.moments import CURE, UNTIMED, moments_in
from iopsim.scenario.parts import Part

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from iopsim.scenario.schema import Run, Scenario

__all__ = ["TRAITS", "Heading", "Trace", "letters_of", "meanings", "observed", "strays", "traced", "trait_of"]

TRAITS = ("track", "time", "modality", "payer")
"""What a column may say of the patients; what none says is drawn."""

Heading = Annotated[str, Field(strict=True, min_length=1, max_length=200)]

_EITHER = "either"


class _Rows(NamedTuple):
    """The file, in order of day and hour, and of the file where those are the same."""

    days: array[int]  # proleptic Gregorian ordinals
    hours: array[float]
    lines: array[int]
    said: dict[str, tuple[str, ...]]  # by trait, as `letters_of` of the cells


class Trace(Part):
    """Referrals that come on the dates of a file instead of by chance; the same in each replication.

    The file is read at validation from the folder in the context (`{"folder": Path}`), or the current one; a folder
    of None gives a trace without rows, for results, which do not hold them (`evenly` stands in).
    """

    csv: Annotated[str, Field(strict=True, min_length=1)] = Field(
        description="A file in the scenario's folder, a row for each referral"
    )
    date: Heading = Field(
        description="Heading of the column with the dates, such as 2027-01-31 or 2027-01-31 14:30"
    )
    track: Heading | None = Field(
        None, description="Heading of the column with the tracks; none: drawn from `tracks`"
    )
    time: Heading | None = Field(
        None, description="Heading of the column with the preferred times; none: drawn from `times`"
    )
    modality: Heading | None = Field(
        None, description="Heading of the column with the preferred modalities; none: drawn from `modalities`"
    )
    payer: Heading | None = Field(
        None, description="Heading of the column with the payers; none: drawn from `payers`"
    )
    _rows: _Rows = PrivateAttr(default=_Rows(array("i"), array("d"), array("i"), {}))

    @model_validator(mode="after")
    def _read(self, info: ValidationInfo) -> Trace:
        folder = (info.context or {}).get("folder", ".")
        if folder is not None:
            self._rows = _read(Path(folder), self.csv, self.date, self.columns)
        return self

    @property
    def count(self) -> int:
        """Referrals in the file."""
        return len(self._rows.days)

    @property
    def columns(self) -> dict[str, str]:
        """Headings of the columns that say who the patients are, by trait."""
        named = {trait: getattr(self, trait) for trait in TRAITS}
        return {trait: heading for trait, heading in named.items() if heading is not None}

    @property
    def first(self) -> dt.date:
        """Date of the first referral."""
        return dt.date.fromordinal(self._rows.days[0])

    @property
    def last(self) -> dt.date:
        """Date of the last referral."""
        return dt.date.fromordinal(self._rows.days[-1])

    def between(self, first: dt.date, end: dt.date) -> range:
        """Ordinals, in order of date, of the referrals from the day `first` to the day before `end`."""
        days = self._rows.days
        return range(bisect_left(days, first.toordinal()), bisect_left(days, end.toordinal()))

    def day(self, row: int) -> dt.date:
        """The date of a referral."""
        return dt.date.fromordinal(self._rows.days[row])

    def hour(self, row: int) -> float | None:
        """The time of day of a referral in hours after midnight, if the file says it."""
        hour = self._rows.hours[row]
        return None if hour == UNTIMED else hour

    @property
    def told(self) -> tuple[str, ...]:
        """The traits that the file says; the others are drawn."""
        return tuple(self._rows.said)

    def said(self, trait: str) -> Sequence[str]:
        """What the file says of a trait, by ordinal, in a form to look up with `trait_of`."""
        return self._rows.said[trait]

    @property
    def lines(self) -> Sequence[int]:
        """The line of the file that each referral stands on, by ordinal."""
        return self._rows.lines

    def evenly(self, run: Run, before: int, inside: int) -> Trace:
        """As many referrals `inside` the simulated time and `before` it, of whom nothing else is known."""
        first, days = run.opening.toordinal(), (run.end - run.opening).days
        trace = self.model_copy()
        trace._rows = _Rows(
            days=array(
                "i", [*[first - 1] * before, *(first + row * days // inside for row in range(inside))]
            ),
            hours=array("d", [UNTIMED]) * (before + inside),
            lines=array("i", range(before + inside)),
            said={},
        )
        return trace

    @cached_property
    def content_hash(self) -> str:
        """SHA-256 of dates, times and traits in order: equal for files that give the same referrals."""
        from hashlib import sha256

        days, hours, _, said = self._rows
        return sha256(repr((days.tolist(), hours.tolist(), said)).encode()).hexdigest()


def trait_of(scenario: Scenario, trait: str) -> dict[str, str]:
    """The names that cells of a trait's column may mean, by their letters: of the name itself or its label."""
    groups = [group for level in scenario.levels.values() for group in level.groups.values()]
    sources = scenario.sources.values()
    times = [group.time for group in groups] + [time for source in sources for time in source.times]
    ways = [group.modality for group in groups] + [way for source in sources for way in source.modalities]
    tables: dict[str, Mapping[str, str | None]] = {
        "track": {name: track.label for name, track in scenario.tracks.items()},
        "payer": {name: payer.label for name, payer in scenario.payers.items()},
        "time": dict.fromkeys([*(time for time in times if time != _EITHER), _EITHER]),
        "modality": dict.fromkeys([*(way for way in ways if way != _EITHER), _EITHER]),
    }
    return meanings(tables[trait])


def meanings(names: Mapping[str, str | None]) -> dict[str, str]:
    """The names that cells may mean, by their letters: of the name itself, or of a label that no other has."""
    labels = {name: letters_of(label) for name, label in names.items() if label is not None}
    alike = Counter(labels.values())
    own = {letters_of(name): name for name in names}
    return own | {label: name for name, label in labels.items() if label not in own and alike[label] == 1}


def observed(scenario: Scenario, trace: Trace | None, trait: str) -> dict[str, float]:
    """Shares of a trait among the referrals in the simulated time; empty unless a trace says it of some."""
    if trace is None or trait not in trace.told:
        return {}
    rows, names = trace.between(scenario.run.opening, scenario.run.end), trait_of(scenario, trait)
    counts = Counter(names[said] for said in trace.said(trait)[rows.start : rows.stop])
    return {name: counts[name] / len(rows) for name in dict.fromkeys(names.values()) if counts[name]}


def traced(scenario: Scenario) -> dict[str, tuple[int, int]]:
    """How many referrals lie before and in the simulated time, by source that replays a trace."""
    counts = {}
    for name, source in scenario.sources.items():
        if source.trace is not None:
            rows = source.trace.between(scenario.run.opening, scenario.run.end)
            counts[name] = rows.start, len(rows)
    return counts


def strays(scenario: Scenario) -> dict[tuple[str, ...], str]:
    """What is wrong with the traces of a scenario, by the path in it: cells that name nothing, rows out of time."""
    wrong: dict[tuple[str, ...], str] = {}
    for source, spec in scenario.sources.items():
        trace = spec.trace
        if trace is None or not trace.count:
            continue
        place = ("sources", source, "trace")
        for trait in trace.told:
            known = trait_of(scenario, trait)
            if set(trace.said(trait)) - known.keys():
                said = sorted(zip(trace.lines, trace.said(trait), strict=True))
                faults = [
                    (line, f"names no {trait} of the scenario" if cell else "is empty")
                    for line, cell in said
                    if cell not in known
                ]
                names = words(dict.fromkeys(known.values()), "or")
                wrong[*place, trait] = at_line(trace.csv, trace.columns[trait], faults, f"write {names}")
        if not trace.between(scenario.run.opening, scenario.run.end):
            wrong[*place, "date"] = _out_of_time(scenario, trace)
    return wrong


def _out_of_time(scenario: Scenario, trace: Trace) -> str:
    first, end = scenario.run.opening, scenario.run.end
    where = "before" if trace.last < first else "after" if trace.first >= end else "before or after"
    span = f"the simulated time, {first} to {end - dt.timedelta(days=1)}"
    return f"{trace.csv}: all referrals lie {where} {span}; set `run.start` to the time of the file"


def letters_of(text: str) -> str:
    """A name or label as what remains of it when case and blanks do not count."""
    return " ".join(text.split()).casefold().replace("_", " ")


def _read(folder: Path, name: str, date: str, columns: Mapping[str, str]) -> _Rows:
    """The rows of the file, in order."""
    table = read_columns(folder, name, {"date": date, **columns})
    if not table:
        raise fault_at("csv", f"{name}: no referrals stand below the headings; write a line for each")
    moments, faults = moments_in((line, cells[0]) for line, cells in table)
    if faults:
        raise fault_at("date", at_line(name, date, faults, CURE))
    if {hour for _, hour in moments.values()} == {0.0}:  # dates that a program has written as date-times
        moments = {cell: (day, UNTIMED) for cell, (day, _) in moments.items()}
    table.sort(key=lambda row: moments[row[1][0]])
    letters = {cell: letters_of(cell) for _, cells in table for cell in cells[1:]}
    return _Rows(
        days=array("i", (moments[cells[0]][0] for _, cells in table)),
        hours=array("d", (moments[cells[0]][1] for _, cells in table)),
        lines=array("i", (line for line, _ in table)),
        said={
            trait: tuple(letters[cells[place]] for _, cells in table)
            for place, trait in enumerate(columns, start=1)
        },
    )
