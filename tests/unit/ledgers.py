"""Hand-made ledgers for tests of the measures: patients on a timeline.

book = Book(scenario)
ann = book.patient("iop", track="mood").joined(1).admitted(3, group="mood_day").started(4)
ann.completed(60, to="outpatient", released=65)
book.session(4.375, "mood_day", {ann: True})
window = book.window()
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from iopsim.measures.window import Window
from iopsim.model.ledger import Cause, Fact, Ledger, Missing, PostState, Recorder, Stage
from iopsim.scenario.parts import HOME, WEEKDAYS

if TYPE_CHECKING:
    from iopsim.scenario.schema import Scenario


@dataclass
class Patient:
    """Who somebody is: names of the scenario."""

    number: int
    source: str
    track: str
    time: str
    payer: str
    modality: str = "either"


@dataclass(eq=False)
class Stay:
    """One passage through a level; each method writes one fact (an end also writes the release)."""

    book: Book
    number: int
    patient: Patient
    level: str

    def _write(self, fact: Fact, time: float, a: int = -1, b: int = -1, c: int = -1) -> Stay:
        self.book.recorder.write(float(time), fact, self.number, a, b, c)
        return self

    def referred(self, time: float) -> Stay:
        return self._write(Fact.REFERRED, time, self.book.sources.index(self.patient.source))

    def joined(self, time: float, origin: str | None = None) -> Stay:
        """Joins the waitlist, from the patient's source unless it names another origin."""
        return self._write(Fact.JOINED, time, self.book.origins.index(origin or self.patient.source))

    def refused(self, time: float, to: str = HOME) -> Stay:
        return self._write(Fact.REFUSED, time, self.book.place(to))

    def sent(self, time: float, origin: str) -> Stay:
        """Enters the stages of access without being referred by a source."""
        return self._write(Fact.SENT, time, self.book.origins.index(origin))

    def contacted(self, time: float) -> Stay:
        return self._write(Fact.CONTACTED, time)

    def booked(self, time: float, lead_days: int = 0, post: int = -1) -> Stay:
        return self._write(Fact.BOOKED, time, lead_days, post)

    def no_show(self, time: float, post: int = -1) -> Stay:
        return self._write(Fact.NO_SHOW, time, -1, post)

    def assessed(self, time: float, post: int = -1) -> Stay:
        return self._write(Fact.ASSESSED, time, -1, post)

    def lost(self, time: float, stage: Stage, to: str = HOME) -> Stay:
        return self._write(Fact.LOST, time, self.book.place(to), stage)

    def ready(self, time: float) -> Stay:
        return self._write(Fact.READY, time)

    def authorized(self, time: float) -> Stay:
        return self._write(Fact.AUTHORIZED, time)

    def denied(self, time: float, to: str = HOME) -> Stay:
        return self._write(Fact.DENIED, time, self.book.place(to))

    def aged(self, time: float, into: int) -> Stay:
        return self._write(Fact.AGED, time, into)

    def accepted(self, time: float, kind: int) -> Stay:
        """Takes a group at any time from now on, and so is of another kind."""
        return self._write(Fact.ACCEPTED, time, kind)

    def reassigned(self, time: float, post: int) -> Stay:
        return self._write(Fact.REASSIGNED, time, -1, post)

    def asked(self, time: float, units: int) -> Stay:
        return self._write(Fact.ASKED, time, units)

    def lapsed(self, time: float) -> Stay:
        return self._write(Fact.LAPSED, time)

    def extended(self, time: float, units: int) -> Stay:
        return self._write(Fact.EXTENDED, time, units)

    def cut(self, time: float) -> Stay:
        return self._write(Fact.CUT, time)

    def reneged(self, time: float, to: str = HOME) -> Stay:
        return self._write(Fact.RENEGED, time, self.book.place(to))

    def withdrawn(self, time: float) -> Stay:
        return self._write(Fact.WITHDRAWN, time)

    def admitted(self, time: float, group: str = "", post: int = -1, days: tuple[str, ...] = ()) -> Stay:
        return self._write(Fact.ADMITTED, time, self.book.group(group), post, _bits(days))

    def moved(self, time: float, group: str, days: tuple[str, ...]) -> Stay:
        return self._write(Fact.MOVED, time, self.book.group(group), -1, _bits(days))

    def started(self, time: float, services: tuple[str, ...] = ()) -> Stay:
        return self._write(Fact.STARTED, time, sum(1 << self.book.services.index(name) for name in services))

    def suspended(self, time: float, to: str) -> Stay:
        return self._write(Fact.SUSPENDED, time, self.book.place(to))

    def resumed(self, time: float) -> Stay:
        return self._write(Fact.RESUMED, time)

    def completed(self, time: float, to: str = HOME, released: float | None = None) -> Stay:
        return self._ends(Fact.COMPLETED, time, to, released)

    def dropped_out(self, time: float, to: str = HOME, released: float | None = None) -> Stay:
        return self._ends(Fact.DROPPED_OUT, time, to, released)

    def discharged(self, time: float, to: str = HOME, released: float | None = None) -> Stay:
        return self._ends(Fact.DISCHARGED, time, to, released)

    def stepped_up(self, time: float, to: str, released: float | None = None) -> Stay:
        return self._ends(Fact.STEPPED_UP, time, to, released)

    def left(self, time: float, to: str = HOME, released: float | None = None) -> Stay:
        return self._ends(Fact.LEFT, time, to, released)

    def _ends(self, fact: Fact, time: float, to: str, released: float | None) -> Stay:
        """Released at once, unless it says when; never, if that is infinite."""
        self._write(fact, time, self.book.place(to))
        released = time if released is None else released
        return self if released == float("inf") else self._write(Fact.RELEASED, released)


@dataclass
class Book:
    """Collects what happens in a scenario and turns it into a ledger."""

    scenario: Scenario
    recorder: Recorder = field(default_factory=Recorder)
    patients: list[Patient] = field(default_factory=list)
    meetings: list[tuple[float, int, Cause, int, dict[Stay, bool]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        spec = self.scenario
        self.sources, self.levels = tuple(spec.sources), tuple(spec.levels)
        self.origins = (*self.sources, *self.levels, "returned")
        self.tracks, self.payers, self.services = tuple(spec.tracks), tuple(spec.payers), tuple(spec.services)
        self.times = ("day", "evening", "either")
        self.modalities, self.roles = ("either", "in_person", "telehealth"), tuple(spec.staff)
        self.groups = tuple(name for level in spec.levels.values() for name in level.groups)
        most = {role: max(one.plan.staff[role].posts for one in spec.editions) for role in spec.staff}
        self.posts = tuple((role, post) for role, posts in most.items() for post in range(posts))
        opening = spec.on(spec.run.opening)
        for number, (role, post) in enumerate(self.posts):
            if post < opening.staff[role].posts:
                limit = opening.staff[role].caseload_limit
                self.post(-7.0 * spec.run.warm_up_weeks, number, PostState.FILLED, limit)

    def patient(
        self, level: str, *, source: str = "", track: str = "", payer: str = "", kind: int = 0
    ) -> Stay:
        """A new patient's stay in `level`; the first source, track and payer unless it says which."""
        who = Patient(
            number=len(self.patients),
            source=source or self.sources[0],
            track=track or self.tracks[0],
            time="either",
            payer=payer or self.payers[0],
        )
        self.patients.append(who)
        return self.again(who, level, kind=kind)

    def again(self, who: Patient, level: str, *, kind: int = 0) -> Stay:
        """Another stay of the same patient."""
        entry = 1 + sum(
            patient == who.number and self.levels[index] == level
            for patient, index, *_ in self.recorder.stays
        )
        self.recorder.stays.append((who.number, self.levels.index(level), entry, kind))
        return Stay(self, len(self.recorder.stays) - 1, who, level)

    def session(
        self, time: float, group: str, members: dict[Stay, bool] | None = None, taken: int | None = None
    ) -> None:
        """A session held, with whether each member attended; `taken` seats, if not as many as members."""
        members = members or {}
        taken = len(members) if taken is None else taken
        self.meetings.append((float(time), self.groups.index(group), Cause.HELD, taken, members))

    def cancelled(self, time: float, group: str, cause: Cause, enrolled: int = 0) -> None:
        self.meetings.append((float(time), self.groups.index(group), cause, enrolled, {}))

    def blocked(self, time: float, level: str, missing: Missing, kind: int = 0) -> None:
        """From now on those who wait lack this."""
        self.recorder.blocked.append((float(time), self.levels.index(level), kind, missing))

    def post(self, time: float, number: int, state: PostState, limit: int) -> None:
        """From now on a post (its index over all) is in this state, with this caseload limit."""
        self.recorder.posts.append((float(time), number, state, limit))

    def visit(self, time: float, stay: Stay, service: str, due: float) -> None:
        """A service that waits for hours is given."""
        self.recorder.visits.append((float(time), stay.number, self.services.index(service), float(due)))

    def covered(self, time: float, role: str, hours: float) -> None:
        """Cover was bought for a session."""
        self.recorder.covers.append((float(time), self.roles.index(role), float(hours)))

    def place(self, to: str) -> int:
        return -1 if to == HOME else self.levels.index(to)

    def group(self, name: str) -> int:
        return self.groups.index(name) if name else -1

    def window(self) -> Window:
        return Window(self.scenario, self.ledger())

    def ledger(self) -> Ledger:
        facts = sorted(self.recorder.facts, key=lambda row: row[0])
        meetings = sorted(self.meetings, key=lambda row: row[0])
        members = [list(row[4].items()) if row[2] == Cause.HELD else [] for row in meetings]
        sizes = [len(rows) for rows in members]
        who = self.patients
        time, *facts_rest = _columns(facts, 6)
        blocked_time, *blocked_rest = _columns(sorted(self.recorder.blocked, key=lambda row: row[0]), 4)
        post_time, *post_rest = _columns(sorted(self.recorder.posts, key=lambda row: row[0]), 4)
        visit_time, visit_stay, visit_service, visit_due = _columns(sorted(self.recorder.visits), 4)
        cover_time, cover_role, cover_hours = _columns(sorted(self.recorder.covers), 3)
        columns: dict[str, Any] = {
            "patient_source": [self.sources.index(one.source) for one in who],
            "patient_cell": [0] * len(who),
            "patient_ordinal": [one.number for one in who],
            "patient_track": [self.tracks.index(one.track) for one in who],
            "patient_time": [self.times.index(one.time) for one in who],
            "patient_modality": [self.modalities.index(one.modality) for one in who],
            "patient_payer": [self.payers.index(one.payer) for one in who],
            **dict(
                zip(
                    ("stay_patient", "stay_level", "stay_entry", "stay_kind"),
                    _columns(self.recorder.stays, 4),
                    strict=True,
                )
            ),
            **dict(zip(("fact", "stay", "a", "b", "c"), facts_rest, strict=True)),
            "session_group": [row[1] for row in meetings],
            "session_cause": [row[2] for row in meetings],
            "session_enrolled": [len(row[4]) if row[2] == Cause.HELD else row[3] for row in meetings],
            "session_taken": [row[3] for row in meetings],
            "session_first": [sum(sizes[:number]) for number in range(len(sizes))],
            "member_stay": [stay.number for rows in members for stay, _ in rows],
            **dict(zip(("blocked_level", "blocked_kind", "blocked_missing"), blocked_rest, strict=True)),
            **dict(zip(("post_number", "post_state", "post_limit"), post_rest, strict=True)),
            "resident_stay": self.recorder.residents,
            "listed_stay": self.recorder.listed,
            "applicant_stay": self.recorder.applicants,
            "visit_stay": visit_stay,
            "visit_service": visit_service,
            "cover_role": cover_role,
        }
        return Ledger(
            sources=self.sources,
            levels=self.levels,
            origins=self.origins,
            tracks=self.tracks,
            times=self.times,
            payers=self.payers,
            modalities=self.modalities,
            groups=self.groups,
            roles=self.roles,
            posts=self.posts,
            services=self.services,
            patient_referred=np.zeros(len(who)),
            time=np.array(time, float),
            session_time=np.array([row[0] for row in meetings], float),
            member_attended=np.array([came for rows in members for _, came in rows], np.uint8),
            blocked_time=np.array(blocked_time, float),
            post_time=np.array(post_time, float),
            visit_time=np.array(visit_time, float),
            visit_due=np.array(visit_due, float),
            cover_time=np.array(cover_time, float),
            cover_hours=np.array(cover_hours, float),
            kernel_events=0,
            **{name: np.array(column, np.int64) for name, column in columns.items()},
        )


def _bits(days: tuple[str, ...]) -> int:
    return sum(1 << WEEKDAYS.index(day) for day in days)


def _columns(rows: list[Any], width: int) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)] or [[] for _ in range(width)]
