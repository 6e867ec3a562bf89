"""Stories of a few patients: who comes when and all chance are stated by hand, the whole timeline is read back.

told = live({"iop": {"places": 1, "stay_days": 5}}, Person("ann", 0.5), Person("bob", 1.5))
assert told.timeline == [
    (0.5, "ann", "referred iop, admitted iop, started iop"),
    (1.5, "bob", "referred iop"),
    (5.5, "ann", "completed iop → home, released iop"),
    (5.5, "bob", "admitted iop, started iop"),
    (10.5, "bob", "completed iop → home, released iop"),
]

Day 0 is a Monday. Every uniform number is 0.5 unless the person says otherwise. Each story is also audited.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import numpy as np

from iopsim.model import clinic, opening
from iopsim.model.draws import Cell, Draws
from iopsim.model.ledger import ENDS, Cause, Fact, Ledger, Reason, Stage
from iopsim.model.sources import Referrals
from iopsim.scenario.parts import WEEKDAYS
from iopsim.scenario.schema import Scenario
from iopsim.scenario.today import Applicant, Listed, Resident
from tests.properties.conservation import check_conservation

if TYPE_CHECKING:
    from iopsim.model.people import Stay
    from iopsim.model.timeline import Timeline

__all__ = ["Person", "There", "Told", "date_of", "live", "sessions", "timeline"]

START = dt.date(2027, 1, 4)
_WITH_DESTINATION = {*ENDS, Fact.LOST, Fact.REFUSED, Fact.DENIED, Fact.RENEGED, Fact.SUSPENDED}
_WITH_NUMBER = {Fact.BOOKED, Fact.AGED, Fact.ACCEPTED, Fact.ASKED, Fact.EXTENDED}  # lead, class, kind, units


@dataclass(frozen=True)
class Person:
    """Somebody who is referred, and their chance.

    Attributes:
        name: What the timeline calls them.
        referred: Day.
        to: Level that the source refers to; the scenario's first when left out.
        draws: Uniform numbers by "decision level", "decision level entry" or "decision level entry occurrence".
        misses: Which of their own sessions they miss, from 1 (where attendance has a mean below 1).
    """

    name: str
    referred: float
    to: str = ""
    source: str = "door"
    track: str = "all"
    time: str = "either"
    modality: str = "either"
    payer: str = "all"
    draws: Mapping[str, float] = field(default_factory=dict)
    misses: Sequence[int] = ()


@dataclass(frozen=True)
class There:
    """Somebody who is there at the opening: in care (`level`), on a list (`waits_for`), or both.

    Attributes:
        name: What the timeline calls them.
        days: In care, or else on the list, at the opening.
        waited: On the list, or since they were referred on, of those who are in care too.
        applies_to: Level of those who have not come to the list yet; `days` ago they were referred.
        appointment: Days until it.
        draws, misses: As of a Person.
    """

    name: str
    level: str = ""
    days: float = 0.0
    group: str | None = None
    post: int | None = None
    sessions: int | None = None
    waits_for: str = ""
    waited: float = 0.0
    applies_to: str = ""
    appointment: float | None = None
    origin: str | None = None
    track: str | None = None
    time: str | None = None
    payer: str | None = None
    draws: Mapping[str, float] = field(default_factory=dict)
    misses: Sequence[int] = ()

    @property
    def resident(self) -> Resident:
        """Their row of the census."""
        traits = (self.track, self.time, None, self.payer)
        return Resident(
            2, self.level, self.days, self.group, self.post, self.sessions, None, *traits, id=self.name
        )

    @property
    def listed(self) -> Listed:
        """Their row of the waitlist."""
        days = self.waited if self.level else self.days
        traits = (self.track, self.time, None, self.payer)
        return Listed(2, self.waits_for, days, self.origin, None, *traits, id=self.name)

    @property
    def applicant(self) -> Applicant:
        """Their row among the applications."""
        days = self.waited if self.level else self.days
        traits = (self.track, self.time, None, self.payer)
        return Applicant(2, self.applies_to, days, self.appointment, self.origin, None, *traits, id=self.name)


@dataclass(frozen=True)
class Told:
    """What happened: rows of (day, patient, facts) and of (day, group, who came), and the ledger itself."""

    timeline: list[tuple[float, str, str]]
    sessions: list[tuple[float, str, str]]
    ledger: Ledger

    def of(self, name: str) -> list[tuple[float, str]]:
        """The timeline of one person."""
        return [(day, text) for day, who, text in self.timeline if who == name]


def date_of(day: int) -> dt.date:
    """The date of a day; day 0 is a Monday."""
    return START + dt.timedelta(days=day)


def live(levels: Mapping[str, Any], *cast_list: Person | There, weeks: int = 8, **rest: Any) -> Told:
    """The story of the people, listed in the order of their identity, in a program that opens on day 0.

    Those who are in care at the opening come first, then those who wait only, those who apply, those to be referred.
    """
    people = [person for person in cast_list if isinstance(person, Person)]
    there = [person for person in cast_list if isinstance(person, There)]
    in_care = [person for person in there if person.level]
    waiting = [person for person in there if person.waits_for]
    applying = [person for person in there if person.applies_to]
    scenario = _scenario(
        levels,
        people or [Person("nobody", 0)],
        weeks,
        rest | ({"from_today": {"as_of": START}} if there else {}),
    )
    used: set[tuple[object, ...]] = set()

    def cast(
        scenario: Scenario,
        _timeline: Timeline,
        _draws: Draws,
        times: Sequence[str],
        modalities: Sequence[str],
    ) -> Referrals:
        cell = Cell("cast", 0, len(people))
        who = [
            (
                index,
                list(scenario.sources).index(person.source),
                0,
                index,
                list(scenario.tracks).index(person.track),
                list(times).index(person.time),
                list(modalities).index(person.modality),
                list(scenario.payers).index(person.payer),
            )
            for index, person in enumerate(people)
        ]
        when = np.array([person.referred for person in people], dtype=float)
        order = np.argsort(when, kind="stable")
        return Referrals([cell], np.array(who, dtype=int).reshape(-1, 8).T[:, order], when[order])

    def uniform(_self: Draws, stay: Stay, decision: str, occurrence: int = 0) -> float:
        person, level, entry = cast_list[stay.patient.index], stay.unit.name, stay.entry
        key = (stay.patient.index, decision, level, entry, occurrence)
        assert key not in used, f"drawn twice: {key}"
        used.add(key)
        if decision == "attendance":
            return 0.99 if occurrence + 1 in person.misses else 0.01
        names = (
            f"{decision} {level} {entry} {occurrence}",
            f"{decision} {level} {entry}",
            f"{decision} {level}",
        )
        return next((person.draws[name] for name in names if name in person.draws), 0.5)

    def below(self: Draws, stay: Stay, decision: str, occurrences: range, share: float) -> bytes:
        return bytes(uniform(self, stay, decision, occurrence) < share for occurrence in occurrences)

    chance = patch.multiple(Draws, uniform=uniform, below=below)
    files = patch.multiple(
        opening,
        residents=lambda _: tuple(person.resident for person in in_care),
        listed=lambda _: tuple(person.listed for person in waiting),
        applicants=lambda _: tuple(person.applicant for person in applying),
    )
    with patch.object(clinic, "referrals", cast), chance, files:
        ledger = clinic.simulate(scenario, 0)
    check_conservation(scenario, ledger)
    rows = {opening.RESIDENTS: in_care, opening.LISTED: waiting, opening.APPLICANTS: applying}
    who = zip(ledger.patient_cell.tolist(), ledger.patient_ordinal.tolist(), strict=True)
    names = [rows.get(cell, people)[ordinal].name for cell, ordinal in who]
    return Told(timeline(ledger, names), sessions(ledger, names), ledger)


def timeline(ledger: Ledger, names: Sequence[str]) -> list[tuple[float, str, str]]:
    """All facts in words; what happens to one patient without a break at one instant is one row."""
    rows = zip(ledger.time.tolist(), ledger.fact, ledger.stay, ledger.a, ledger.b, ledger.c, strict=True)
    told = []
    before = (-1, -1)
    for day, fact, stay, a, b, c in rows:
        at_once = before == (Fact.REFERRED, stay)
        before = (fact, stay)
        if fact == Fact.JOINED and at_once:
            continue
        told.append((day, names[ledger.stay_patient[stay]], _in_words(ledger, fact, stay, a, b, c)))
    return [
        (day, name, ", ".join(words for _, _, words in row))
        for (day, name), row in groupby(told, key=lambda row: row[:2])
    ]


def _in_words(ledger: Ledger, fact: int, stay: int, a: int, b: int, c: int) -> str:
    words = f"{Fact(fact).name.lower().replace('_', ' ')} {ledger.levels[ledger.stay_level[stay]]}"
    if fact in _WITH_DESTINATION:
        words += f" → {'home' if a < 0 else ledger.levels[a]}"
    if fact in {Fact.ADMITTED, Fact.MOVED} and a >= 0:
        days = "+".join(day for place, day in enumerate(WEEKDAYS) if c >> place & 1)
        words += f" {'in' if fact == Fact.ADMITTED else 'to'} {ledger.groups[a]} {days}"
    if fact == Fact.ADMITTED and b >= 0:
        words += f" with {ledger.posts[b][0]} {ledger.posts[b][1]}"
    if fact == Fact.REASSIGNED:
        words += f" to {ledger.posts[b][0]} {ledger.posts[b][1]}" if b >= 0 else " to nobody"
    if fact == Fact.LOST:
        words += f" at {Stage(b).name.lower()}"
    if fact == Fact.DISCHARGED and b == Reason.CUT:
        words += " by the payer"
    if fact in _WITH_NUMBER:
        words += f" {a}"
    return words


def sessions(ledger: Ledger, names: Sequence[str]) -> list[tuple[float, str, str]]:
    """All sessions for which somebody was enrolled: who came, or why it was not held."""
    told = []
    rows = zip(
        ledger.session_time.tolist(),
        ledger.session_group,
        ledger.session_cause,
        ledger.session_enrolled,
        ledger.session_first,
        strict=True,
    )
    for day, group, cause, enrolled, first in rows:
        members = range(first, first + enrolled)
        if cause != Cause.HELD:
            what = f"{Cause(cause).name.lower().replace('_', ' ')}: {enrolled} enrolled"
        else:
            what = ", ".join(
                names[ledger.stay_patient[ledger.member_stay[member]]]
                + ("" if ledger.member_attended[member] else " missed")
                for member in members
            )
        if enrolled:
            told.append((day, ledger.groups[group], what))
    return told


def _scenario(
    levels: Mapping[str, Any], people: Sequence[Person], weeks: int, rest: Mapping[str, Any]
) -> Scenario:
    first = next(iter(levels))
    times = sorted({person.time for person in people})
    tracks = sorted({person.track for person in people})
    modalities = sorted({person.modality for person in people})
    payers = sorted({person.payer for person in people})
    sources = {
        person.source: {
            "to": person.to or first,
            "per_week": 0,
            "times": dict.fromkeys(times, 1 / len(times)),
            "modalities": dict.fromkeys(modalities, 1 / len(modalities)),
            "payers": dict.fromkeys(payers, 1 / len(payers)),
        }
        for person in people
    }
    run = {"start": START, "warm_up_weeks": 0, "weeks": weeks, "run_out_weeks": 0}
    plain: dict[str, Any] = {
        "run": run,
        "tracks": {track: {} for track in tracks},
        "payers": {payer: {} for payer in payers},
        "sources": sources,
        "levels": levels,
    }
    return Scenario.model_validate({**plain, **rest})
