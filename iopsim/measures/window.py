"""One replication as the metrics see it: its ledger, pivoted to tables and cut to the measured window.

All array work of the measures lives here, once: metrics pick rows of the stays and add up. No metric loops over facts,
stays or sessions. The stays of a level are asked for by their rows: a program of many levels is gone through once, and
not once for each of them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property, reduce, wraps
from typing import TYPE_CHECKING, Concatenate, Literal, ParamSpec, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from iopsim.measures.memory import Memory
from iopsim.measures.planned import Spell, spells_of
from iopsim.measures.sessions import Attendance, Attended, Sessions
from iopsim.measures.tables import NONE, Intervals, Ints, Stays, parted, sums
from iopsim.model.ledger import ENDS, Fact, Ledger, Stage

if TYPE_CHECKING:
    from collections.abc import Callable

    from iopsim.scenario.schema import Scenario

__all__ = [
    "Attendance",
    "DayKind",
    "Intervals",
    "Kind",
    "Sessions",
    "Spell",
    "Stays",
    "Window",
    "first",
    "remembered",
]

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Kind = Literal["applying", "intake", "waiting", "admitted", "in_care", "held", "occupied"]
DayKind = Literal["in_care", "held"]
P = ParamSpec("P")
R = TypeVar("R")


def remembered(method: Callable[Concatenate[Window, P], R]) -> Callable[Concatenate[Window, P], R]:
    """Compute once for each window and arguments: `functools.cache` would keep every window alive."""

    @wraps(method)
    def once(self: Window, *args: P.args, **kwargs: P.kwargs) -> R:
        key: tuple[object, ...] = (method, args)
        if kwargs:
            key += tuple((name, value) for name, value in kwargs.items() if value is not None)
        memory = self._memory
        found = memory.recall(key)
        return cast("R", found) if found is not None else memory.keep(key, method(self, *args, **kwargs))

    return once  # type: ignore[return-value]


def first(*times: Floats) -> Floats:
    """The earliest of what happened, +inf where nothing did."""
    earliest: Floats = reduce(np.fmin, times, np.full_like(times[0], np.inf))
    return earliest


@dataclass(frozen=True, eq=False)
class Window:
    """A scenario, the ledger of one replication, and the measured window [`start`, `end`) in days."""

    scenario: Scenario
    ledger: Ledger
    _memory: Memory = field(default_factory=Memory, init=False, repr=False)

    # The clock

    @property
    def start(self) -> float:
        """First measured instant: `run.start`, the origin of the clock."""
        return 0.0

    @property
    def end(self) -> float:
        """End of the measured window, in days."""
        return 7.0 * self.scenario.run.weeks

    @property
    def horizon(self) -> float:
        """End of the run-out, in days."""
        return 7.0 * (self.scenario.run.weeks + self.scenario.run.run_out_weeks)

    @property
    def length(self) -> float:
        """Days of the window."""
        return self.end - self.start

    @property
    def weeks(self) -> int:
        """Measured weeks, counted from `run.start`."""
        return self.scenario.run.weeks

    @cached_property
    def spells(self) -> tuple[Spell, ...]:
        """The plan as it stands from date to date: one after the other, from −inf to +inf."""
        return spells_of(self.scenario)

    @cached_property
    def spells_inside(self) -> tuple[Spell, ...]:
        """Those of the spells that meet the window, whole."""
        return tuple(spell for spell in self.spells if spell.days_in(self.start, self.end))

    def week_of(self, time: Floats) -> Ints:
        """The week of each time, 0 the first measured one; negative in the warm-up."""
        return np.floor((time - self.start) / 7).astype(np.int64)

    def inside(self, time: Floats) -> Bools:
        """Whether each time lies in the window; what did not happen (NaN) does not."""
        inside: Bools = (time >= self.start) & (time < self.end)
        return inside

    @staticmethod
    def happened(time: Floats) -> Bools:
        """Whether each time, or difference of times, is there at all."""
        happened: Bools = ~np.isnan(time)
        return happened

    def there(self, time: Floats) -> Floats:
        """Those of the times, or differences of times, that are there at all."""
        there: Floats = time[self.happened(time)]
        return there

    # Stays

    @cached_property
    def stays(self) -> Stays:
        """The facts pivoted: one entry per stay."""
        return Stays(self.ledger, self._memory)

    @property
    def _count(self) -> int:
        return len(self.ledger.stay_patient)

    @cached_property
    def _by_level(self) -> list[Ints]:
        return parted(self.stays.level, len(self.ledger.levels))

    @remembered
    def in_level(self, level: str, track: str | None = None) -> Ints:
        """The stays in a level, of one track or of all; rows of `stays`, in order."""
        if track is None:
            return self._by_level[self.ledger.levels.index(level)]
        return self._of_track(self.in_level(level), track)

    def _of_track(self, rows: Ints, track: str) -> Ints:
        chosen: Ints = rows[self.stays.track[rows] == self.ledger.tracks.index(track)]
        return chosen

    @remembered
    def _in_window(self, what: str, level: str, track: str | None) -> Ints:
        if track is not None:
            return self._of_track(self._in_window(what, level, None), track)
        rows = self.in_level(level)
        inside: Ints = rows[self.inside(getattr(self.stays, what)[rows])]
        return inside

    def referred_in_window(self, level: str, track: str | None = None) -> Ints:
        """The stays that a source referred to a level in the window; rows."""
        return self._in_window("referred", level, track)

    @remembered
    def referred_by(self, source: str) -> Ints:
        """The stays that a source referred in the window; rows."""
        mine = self.stays.source == self.ledger.sources.index(source)
        return np.flatnonzero(mine & self.inside(self.stays.referred))

    def applied_in_window(self, level: str, track: str | None = None) -> Ints:
        """Cohort A: stays referred to a level, or sent to its first stage of access, in the window; rows."""
        return self._in_window("applied", level, track)

    def joined_in_window(self, level: str, track: str | None = None) -> Ints:
        """Cohort C: stays that joined the waitlist in the window, those refused at joining included; rows."""
        return self._in_window("joined", level, track)

    def started_in_window(self, level: str, track: str | None = None) -> Ints:
        """Cohort S: stays whose care started in the window; rows."""
        return self._in_window("started", level, track)

    @remembered
    def has(self, what: str) -> Bools:
        """Whether something, by its name among the times of `stays`, happened to each stay; shape (stays,)."""
        return self.happened(getattr(self.stays, what))

    @remembered
    def lost_at(self, *stages: str) -> Bools:
        """Mask of the stays lost at one of these stages of access (names of `Stage`)."""
        return np.isin(self.stays.lost_at, [Stage[stage] for stage in stages])

    def rows(self, fact: Fact) -> Ints:
        """Rows of the ledger that are of one fact, in order of time."""
        return self.stays.rows[fact]

    @cached_property
    def wait_days(self) -> Floats:
        """Start of care less joining, NaN for those who did not start; shape (stays,)."""
        wait_days: Floats = self.stays.started - self.stays.joined
        return wait_days

    @cached_property
    def still_waiting(self) -> Bools:
        """Whether each stay is on the waitlist at the end of the run-out; shape (stays,)."""
        s = self.stays
        return np.isinf(first(s.refused, s.denied, s.reneged, s.withdrawn, s.admitted))

    @cached_property
    def ever_attended(self) -> Bools:
        """Whether each stay attended a session, however late in the run; shape (stays,)."""
        attended = np.zeros(self._count, bool)
        attended[self.attended.stay] = True
        return attended

    @cached_property
    def outcomes(self) -> dict[str, Bools]:
        """Masks of the stays by how care ended: of those that started care, each is in exactly one.

        Keys are the facts that end care in lower case; `still_in_care` at the end of the run-out; and, in
        groups only, `never_started`: ended for any cause before attending a session.
        """
        end_fact = self.stays.end_fact
        in_groups = np.array([bool(self.scenario.levels[level].groups) for level in self.ledger.levels])
        never = (end_fact != NONE) & in_groups[self.stays.level] & ~self.ever_attended
        ways = {fact.name.lower(): (end_fact == fact) & ~never for fact in ENDS}
        return {**ways, "never_started": never, "still_in_care": end_fact == NONE}

    # Time spent

    @staticmethod
    def integral(times: Floats, deltas: Floats, start: float, end: float) -> float:
        """Time integral over [start, end] of the step function that changes by `deltas` at `times`."""
        return float(np.dot(deltas, end - np.clip(times, start, end)))

    def intervals(self, kind: Kind, mask: Bools | None = None) -> Intervals:
        """Stretches of time that stays spend in one way, not cut to the window; none is empty.

        Kinds: `applying`, in a stage of access; `intake`, the part of it from the first booking to the assessment;
        `waiting` on the list; `admitted` and not yet started; `in_care`, without the time suspended;
        `held`, suspended or between the end of treatment and release; `occupied`, from admission to release.
        """
        every = self._intervals(kind)
        return every if mask is None else every.among(mask)

    def intervals_in(self, kind: Kind, level: str) -> Intervals:
        """Those of the stays in one level."""
        return self._intervals_by_level(kind)[self.ledger.levels.index(level)]

    @remembered
    def _intervals_by_level(self, kind: Kind) -> tuple[Intervals, ...]:
        every = self._intervals(kind)
        rows = parted(self.stays.level[every.stay], len(self.ledger.levels))
        return tuple(map(every.take, rows))

    @remembered
    def _intervals(self, kind: Kind) -> Intervals:
        begin, end = (np.concatenate(side) for side in zip(*self._pieces(kind), strict=True))
        lasts = np.flatnonzero(begin < end)
        return Intervals(begin[lasts], end[lasts], (lasts % self._count).astype(np.int32))

    def _pieces(self, kind: Kind) -> list[tuple[Floats, Floats]]:
        """From when and until when each stay spends time in one way, once or twice."""
        s = self.stays
        match kind:
            case "applying":
                pieces = [(s.applied, first(s.lost, s.withdrawn, s.joined))]
            case "intake":
                pieces = [(s.booked, first(s.assessed, s.lost, s.withdrawn))]
            case "waiting":
                pieces = [(s.joined, first(s.refused, s.denied, s.reneged, s.withdrawn, s.admitted))]
            case "admitted":
                pieces = [(s.admitted, first(s.started, s.withdrawn, s.ended, s.released))]
            case "in_care":
                pieces = [(s.started, first(s.suspended, s.ended)), (s.resumed, first(s.ended))]
            case "held":
                pieces = [(s.suspended, first(s.resumed, s.ended)), (s.ended, first(s.released))]
            case "occupied":
                pieces = [(s.admitted, first(s.released))]
        return pieces

    @remembered
    def days(self, kind: Kind, since: float = -np.inf, until: float = np.inf) -> Floats:
        """Days in the window, between two times, that each stay spends in one way; shape (stays,)."""
        begin, end, stay = self.intervals(kind)
        return sums(stay, self.days_inside(begin, end, since, until), self._count)

    def days_inside(
        self, begin: Floats, end: Floats, since: float = -np.inf, until: float = np.inf
    ) -> Floats:
        """Days of each stretch of time that lie in the window, and between two times."""
        first, last = max(self.start, since), min(self.end, until)
        inside: Floats = np.clip(end, first, last) - np.clip(begin, first, last)
        return inside

    def mean_count(self, kind: Kind, level: str, track: str | None = None) -> float:
        """Time average over the window of the stays in a level, of one track or of all, that spend it in one way."""
        return float(self.days(kind)[self.in_level(level, track)].sum()) / self.length

    def max_count(self, kind: Kind, level: str, track: str | None = None) -> int:
        """Most stays at one instant of the window, after all that happens at that instant."""
        times, change, stay = self._steps(kind, level)
        if track is not None:
            chosen = self.stays.track[stay] == self.ledger.tracks.index(track)
            times, change = times[chosen], change[chosen]
        settled = np.append(times[1:] > times[:-1], True)[: len(times)]
        return int(change.cumsum()[settled].max(initial=0))

    @remembered
    def _steps(self, kind: Kind, level: str) -> tuple[Floats, Ints, Ints]:
        """Time, +1 or −1, and stay of every change in a level up to the end of the window, of those who are in it."""
        begin, end, stay = self.intervals_in(kind, level)
        met = np.flatnonzero((begin < self.end) & (end > self.start))
        times = np.concatenate((begin[met], end[met]))
        order = np.argsort(times)
        order = order[times[order] < self.end]
        change = np.repeat(np.array((1, -1), np.int8), len(met))
        return times[order], change[order], np.tile(stay[met], 2)[order]

    def weekly_mean(self, kind: Kind, level: str, first: int, last: int) -> Floats:
        """Mean number of stays in a level in each of the weeks `first` to `last` − 1; shape (weeks,)."""
        edges = self.start + 7 * np.arange(first, last + 1, dtype=np.float64)
        return np.diff(self.intervals_in(kind, level).days_before(edges)) / 7

    # Group sessions

    @cached_property
    def attendance(self) -> Attendance:
        """Member-sessions of the sessions held, in order of time, inside and outside the window."""
        return Attendance.expanded(self.ledger)

    @property
    def attended(self) -> Attended:
        """Those of them who attended."""
        return self._attended()

    @remembered
    def _attended(self) -> Attended:
        return Attended.of(self.attendance)

    @cached_property
    def attended_by_session(self) -> Ints:
        """How many attended each session; nobody one that was not held; shape (sessions,)."""
        return self.attended.by_session(len(self.ledger.session_time))

    @cached_property
    def member_sessions(self) -> tuple[Floats, Floats]:
        """Sessions of the window that each stay was expected at, and that it attended; shapes (stays,)."""
        inside = self.inside(self.ledger.session_time)
        expected, attended = (
            np.bincount(rows.stay[inside[rows.session]], minlength=self._count).astype(np.float64)
            for rows in (self.attendance, self.attended)
        )
        return expected, attended

    @cached_property
    def sessions(self) -> Sessions:
        """Sums over the sessions in the window, by group."""
        inside = self.inside(self.ledger.session_time)
        return Sessions.summed(self.spells, self.ledger, self.attended, inside)

    def session_sum(self, what: str, level: str | None, group: str | None = None) -> float:
        """A column of `sessions`, summed over the groups of a level or over one group."""
        chosen = self.scenario.levels[level].groups if level else [group]
        column = getattr(self.sessions, what)
        return float(sum(column[self.ledger.groups.index(name)] for name in chosen if name))
