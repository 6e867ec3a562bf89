"""Who is in care and who waits today: where a run begins that has no warm-up (model.md §10).

The rows are patients: they stay in memory, out of messages, results and the resolved scenario.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, NamedTuple

from pydantic import Field

from iopsim.scenario.cells import Cells
from iopsim.scenario.census import ApplicationFile, Census, WaitlistFile
from iopsim.scenario.parts import RUN_FROM, RUN_TO, Name, Part, PositiveCount
from iopsim.scenario.trace import TRAITS, letters_of

if TYPE_CHECKING:
    from iopsim.scenario.levels import Level
    from iopsim.scenario.schema import Scenario

__all__ = [
    "WEEKS_UNDER",
    "Applicant",
    "FromToday",
    "Listed",
    "Resident",
    "applicants",
    "listed",
    "residents",
    "strangers",
]

WEEKS_UNDER = 4  # that a list stays under its number in a row


class FromToday(Part):
    """The day on which the run begins, who is in care and who waits then."""

    as_of: Annotated[dt.date, Field(strict=True, ge=RUN_FROM, le=RUN_TO)] = Field(
        description="The day, at whose beginning things stand so; the run starts on it, without a warm-up"
    )
    census: Census | None = Field(None, description="Who is in care; none: nobody")
    waitlist: WaitlistFile | None = Field(None, description="Who waits; none: nobody")
    applications: ApplicationFile | None = Field(
        None, description="Who was referred and has not come to a waitlist yet; none: nobody"
    )
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


class Applicant(NamedTuple):
    """Somebody who was referred and has not come to the waitlist, as the file says, in names of the scenario.

    Attributes:
        line: Of the file.
        level: To which they were referred.
        days: Since then, at the beginning of the day `as_of`.
        appointment: Days from then to the intake appointment; None: still to be reached, or to be given one.
        origin: Source, level or `returned`; None: the first source that refers to the level.
        source, track, time, modality, payer: None: drawn, or as the origin.
        id: What joins them with a row of the census; empty if the file does not say.
    """

    line: int
    level: str
    days: float
    appointment: float | None
    origin: str | None
    source: str | None
    track: str | None
    time: str | None
    modality: str | None
    payer: str | None
    id: str


def residents(scenario: Scenario) -> tuple[Resident, ...]:
    """Everybody in care when the run begins, in the order of the file."""
    today = scenario.from_today
    return tuple(_in_care(Cells(scenario, today.census))) if today and today.census else ()


def listed(scenario: Scenario) -> tuple[Listed, ...]:
    """Everybody on a waitlist when the run begins, in the order of the file."""
    today = scenario.from_today
    if today is None or today.waitlist is None:
        return ()
    return tuple(_waiting(Cells(scenario, today.waitlist), _whereabouts(residents(scenario))))


def applicants(scenario: Scenario) -> tuple[Applicant, ...]:
    """Everybody who is in a stage of access when the run begins, in the order of the file."""
    today = scenario.from_today
    if today is None or today.applications is None:
        return ()
    return tuple(_applying(Cells(scenario, today.applications), _whereabouts(residents(scenario))))


def strangers(scenario: Scenario) -> dict[tuple[str, ...], str]:
    """What is wrong with the files, by the path in the scenario: rows that name nothing, days to come."""
    today = scenario.from_today
    wrong: dict[tuple[str, ...], str] = {}
    at: Mapping[str, Resident] = {}
    waiting: set[str] = set()
    if today and today.census:
        cells = Cells(scenario, today.census)
        at = _whereabouts(_in_care(cells))
        cells.find_twice()
        wrong |= {("from_today", "census", *place): message for place, message in cells.messages()}
    if today and today.waitlist:
        cells = Cells(scenario, today.waitlist)
        waiting = _told_apart(cells, _waiting(cells, at), at)
        cells.find_twice()
        wrong |= {("from_today", "waitlist", *place): message for place, message in cells.messages()}
    if today and today.applications:
        cells = Cells(scenario, today.applications)
        _told_apart(cells, _applying(cells, at), at)
        cells.find_twice(waiting)
        wrong |= {("from_today", "applications", *place): message for place, message in cells.messages()}
    return wrong


def _told_apart(cells: Cells, people: Iterable[Listed | Applicant], at: Mapping[str, Resident]) -> set[str]:
    """The ids of those on the way to a level; what contradicts the census is kept as a fault."""
    ids = set[str]()
    for one in people:
        ids.add(one.id)
        if (held := at.get(one.id)) is not None:
            if held.level == one.level:
                cells.blame("id", one.line, "is of somebody who is in care at the same level")
            for trait in TRAITS:
                if None is not getattr(held, trait) != getattr(one, trait) is not None:
                    cells.blame(trait, one.line, "is not the one that the census says of the same id")
    return ids


def _whereabouts(people: Iterable[Resident]) -> dict[str, Resident]:
    """Those in care whom the census calls by an id."""
    return {one.id: one for one in people if one.id}


def _in_care(cells: Cells) -> Iterator[Resident]:
    levels = [cells.level(row) for row in cells.file.rows]
    posts = _posts(cells, levels)
    for row, level in zip(cells.file.rows, levels, strict=True):
        yield Resident(
            line=row.line,
            level=level,
            days=cells.days(row),
            group=cells.group(row, level),
            post=posts.get(row.line),
            sessions=row.sessions,
            source=cells.name(row, "source"),
            **cells.traits(row, level),
            id=row.cells.get("id", ""),
        )


def _waiting(cells: Cells, at: Mapping[str, Resident]) -> Iterator[Listed]:
    """The rows of a waitlist.

    Args:
        cells: Of the file.
        at: Those in care, by id.
    """
    sources = cells.scenario.sources
    for row in cells.file.rows:
        level, source, origin = cells.level(row), cells.name(row, "source"), cells.name(row, "origin")
        referring = [name for name, spec in sources.items() if spec.to == level]
        if "origin" not in row.cells:
            held = at.get(row.cells.get("id", ""))
            origin = held.level if held else (source if source in referring else next(iter(referring), None))
            if origin is None and level:
                cells.blame("origin", row.line, "is empty, and no source refers to the level")
        yield Listed(
            line=row.line,
            level=level,
            days=cells.days(row),
            origin=origin,
            source=source or (origin if origin in sources else None),
            **cells.traits(row, level),
            id=row.cells.get("id", ""),
        )


def _applying(cells: Cells, at: Mapping[str, Resident]) -> Iterator[Applicant]:
    """The rows of those who are in a stage of access; `at` as for those on a waitlist."""
    for row, one in zip(cells.file.rows, _waiting(cells, at), strict=True):
        appointment = None if row.appointment is None else cells.days_until(row)
        level = cells.scenario.levels.get(one.level)
        if level is not None and not _has_stages(cells.scenario, level, one.origin):
            held = at.get(one.id)
            if held is None or one.origin != held.level:
                cells.blame("origin", row.line, "is of those who come to the waitlist at once")
            elif held.level != one.level:
                cells.blame("id", row.line, "is of somebody in care who comes to the waitlist at once")
        elif level is not None and appointment is not None and level.intake is None:
            cells.blame("appointment", row.line, "is there, and the level has no intake")
        yield Applicant(one.line, one.level, one.days, appointment, *one[3:])


def _has_stages(scenario: Scenario, level: Level, origin: str | None) -> bool:
    """Whether anything lies before the waitlist of a level for those of an origin."""
    stages = [stage for stage in (level.contact, level.eligible, level.intake) if stage is not None]
    is_source = origin in scenario.sources
    return any(origin in stage.for_ if stage.for_ else is_source for stage in stages)


def _posts(cells: Cells, levels: Sequence[str]) -> dict[int, int]:
    """The post of each row that names a therapist, by line: by its number, or as new names appear in the file.

    The cells of a role are numbers of its posts if all are numbers, and one of a post is among them.
    """
    scenario = cells.scenario
    said: dict[str, dict[int, str]] = {}
    for row, level in zip(cells.file.rows, levels, strict=True):
        role = scenario.levels[level].caseload if level else None
        if role and role in scenario.staff and "therapist" in row.cells:
            said.setdefault(role, {})[row.line] = letters_of(row.cells["therapist"])
    posts: dict[int, int] = {}
    for role, names in said.items():
        there = _posts_today(scenario, role)
        numbers = {str(number + 1): number for number in range(there)}
        said_so = set(names.values())
        if not (all(map(str.isdecimal, said_so)) and said_so & numbers.keys()):
            numbers = {name: number for number, name in enumerate(dict.fromkeys(names.values()))}
        for line, name in names.items():
            if numbers.get(name, there) < there:
                posts[line] = numbers[name]
            else:
                cells.blame("therapist", line, f'is beyond the posts of "{role}", of which there are {there}')
    return posts


def _posts_today(scenario: Scenario, role: str) -> int:
    """Posts of a role when the run begins: changes from before are in force."""
    posts, today = scenario.staff[role].posts, scenario.from_today
    for change in sorted(scenario.changes, key=lambda change: change.from_):
        said = change.set.get(f"staff.{role}.posts")
        if today and change.from_ <= today.as_of and isinstance(said, int):
            posts = said
    return posts
