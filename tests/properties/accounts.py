"""An independent bookkeeper: walks a ledger row by row and keeps accounts in exact fractions (model.md §9).

It reads the scenario and the ledger and nothing of the measures: a second set of books, for money.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import floor, inf
from typing import NamedTuple

from iopsim.model.ledger import ENDS, SERVICES_A_WORD, Cause, Fact, Ledger
from iopsim.scenario.levels import Level, care_of
from iopsim.scenario.money import Money
from iopsim.scenario.schema import Scenario, Service
from tests.properties.costs import Account, Delivered, Spender, exact

__all__ = ["Accounts", "Attended", "keep_accounts"]

NOBODY, NO_GROUP = -1, -1


class Attended(NamedTuple):
    """A day that was attended in one of the program's own levels, or `weight` of one.

    Attributes:
        session: The session attended; −1 for a stay in days.
        group: Of that session; −1 for a stay in days.
        cause: Why it earned nothing; empty if it did.
        earned: After denied claims.
        denied: What denied claims would have paid.
    """

    stay: int
    day: int
    session: int
    group: int
    weight: Fraction
    cause: str
    is_below_minimum: bool
    earned: Fraction
    denied: Fraction


@dataclass(frozen=True)
class Accounts:
    """All that was earned and spent in the measured window.

    Attributes:
        attended: Every attended day, with what it earned.
        revenue: By what it is looked at (patient, session, payer, track, source, group, week), then by number; days
            of stays in places stand under session −1 and group −1.
        days: Attended days, the same way.
        cost: By cause, by role (those that no role causes under "") and by week.
        allotted: Cost shared by attended days: by payer, track, source, group.
    """

    attended: list[Attended]
    revenue: Mapping[str, Account]
    days: Mapping[str, Account]
    cost: Mapping[str, Account]
    allotted: Mapping[str, Account]

    @property
    def total_revenue(self) -> Fraction:
        return sum((each.earned for each in self.attended), Fraction())

    @property
    def total_cost(self) -> Fraction:
        return sum(self.cost["cause"].values(), Fraction())

    @property
    def total_days(self) -> Fraction:
        return sum((each.weight for each in self.attended), Fraction())


def keep_accounts(scenario: Scenario, ledger: Ledger) -> Accounts:
    """Close the books of one replication."""
    return _Bookkeeper(scenario, ledger).close()


@dataclass
class _Life:
    """What the facts say of one stay."""

    level: int
    patient: int
    admitted: float = inf
    started: float = inf
    ended: float = inf
    released: float = inf
    suspended: float = inf
    resumed: float = inf
    services: int = 0
    seats: list[tuple[float, int, int]] | None = None  # since when, group, weekdays as bits
    uncovered: list[tuple[float, float]] | None = None  # from, until

    def treated(self) -> Iterator[tuple[float, float]]:
        """When treatment went on."""
        if self.started < inf:
            yield self.started, min(self.suspended, self.ended)
            if self.resumed < inf:
                yield self.resumed, self.ended

    def seat(self, now: float) -> tuple[int, int]:
        """Group and weekdays just before an instant, or those that were taken just then."""
        seats = self.seats or [(now, NO_GROUP, 0)]
        return ([seat for seat in seats if seat[0] < now] or seats[:1])[-1][1:]

    def is_uncovered(self, now: float) -> bool:
        return any(begin <= now < end for begin, end in self.uncovered or ())


class _Bookkeeper:
    def __init__(self, scenario: Scenario, ledger: Ledger) -> None:
        self._scenario, self._ledger = scenario, ledger
        self._levels = list(scenario.levels.values())
        self._groups = {
            name: (number, group)
            for number, level in enumerate(self._levels)
            for name, group in level.groups.items()
        }
        self._last = 7 * scenario.run.weeks
        self._horizon = self._last + 7 * scenario.run.run_out_weeks
        self._closed = {(date - scenario.run.start).days for date in scenario.calendar.closed}
        self._lives = [
            _Life(level, patient)
            for level, patient in zip(ledger.stay_level.tolist(), ledger.stay_patient.tolist(), strict=True)
        ]
        self._read_facts()
        self._visits = self._delivered()

    # ── the facts ────────────────────────────────────────────────────────────────────────────────────────────

    def _read_facts(self) -> None:
        ledger = self._ledger
        rows = zip(
            *(
                column.tolist()
                for column in (ledger.time, ledger.fact, ledger.stay, ledger.a, ledger.b, ledger.c)
            ),
            strict=True,
        )
        for time, fact, stay, a, b, c in rows:
            life = self._lives[stay]
            if fact in (Fact.ADMITTED, Fact.MOVED):
                life.admitted = min(life.admitted, time)
                life.seats = [*(life.seats or ()), (time, a, c)]
            elif fact == Fact.STARTED:
                life.started, life.services = time, a + (max(b, 0) << SERVICES_A_WORD)
            elif fact == Fact.SUSPENDED:
                life.suspended = time
            elif fact == Fact.RESUMED:
                life.resumed = time
            elif fact == Fact.RELEASED:
                life.released = time
            elif fact == Fact.LAPSED:
                life.uncovered = [*(life.uncovered or ()), (time, inf)]
            if fact in ENDS:
                life.ended = time
            if fact in ENDS or fact == Fact.EXTENDED:
                life.uncovered = [(begin, min(end, time)) for begin, end in life.uncovered or ()]

    def _plan(self, day: int) -> Scenario:
        return self._scenario.on(self._scenario.run.start + dt.timedelta(days=day))

    # ── what patients and sessions got ───────────────────────────────────────────────────────────────────────

    def _delivered(self) -> list[Delivered]:
        """When, to which stay, which service: all but those to sessions."""
        ledger, found = self._ledger, []
        names = list(ledger.services)
        for bit, (name, service) in enumerate(self._scenario.services.items()):
            if service.per != "session" and not service.limits:
                found += [
                    (time, stay, name)
                    for stay, life in enumerate(self._lives)
                    if life.started < inf and life.services >> bit & 1
                    for time in self._due(life, service)
                ]
        given = zip(
            ledger.visit_time.tolist(),
            ledger.visit_stay.tolist(),
            ledger.visit_service.tolist(),
            strict=True,
        )
        return found + [(time, stay, names[number]) for time, stay, number in given]

    def _due(self, life: _Life, service: Service) -> Iterator[float]:
        """At the start of care, and then again and again while treatment goes on."""
        if service.every_weeks is None:
            yield life.started
            return
        times, due = 0, life.started
        while due < min(life.ended, self._horizon):
            if not life.suspended <= due < life.resumed:
                yield due
            times += 1
            due = life.started + 7 * service.every_weeks * times

    # ── what was earned ──────────────────────────────────────────────────────────────────────────────────────

    def _attended(self) -> Iterator[Attended]:
        given: dict[tuple[int, int], list[Service]] = defaultdict(list)
        for time, stay, name in self._visits:
            if not self._scenario.services[name].within_group:
                given[stay, floor(time)].append(self._scenario.services[name])
        for (stay, day), sessions in sorted(self._sat_in().items()):
            hours = [exact(self._groups[self._ledger.groups[group]][1].hours) for _, group, _ in sessions]
            number, group, _ = sessions[0]
            uncovered = any(self._lives[stay].is_uncovered(time) for *_, time in sessions)
            yield self._claim(
                (stay, day, number, group), Fraction(1), hours, given[stay, day], uncovered, sessions[0][2]
            )
        for stay, life in enumerate(self._lives):
            level = self._levels[life.level]
            if level.is_own and not level.groups:
                known = None if level.hours_per_day is None else [exact(level.hours_per_day)]
                lapsed = [(floor(begin), end) for begin, end in life.uncovered or ()]
                for day in self._days_in_place(life, level):
                    uncovered = any(begin <= day and day + 1 <= end for begin, end in lapsed)
                    weight = exact(self._attendance(life, day))
                    yield self._claim(
                        (stay, day, NOBODY, NO_GROUP), weight, known, given[stay, day], uncovered, day
                    )

    def _sat_in(self) -> dict[tuple[int, int], list[tuple[int, int, float]]]:
        """By stay and day of the window: the sessions that were attended, with group and start."""
        ledger, found = self._ledger, defaultdict(list)
        for number, time in enumerate(ledger.session_time.tolist()):
            if ledger.session_cause[number] == Cause.HELD and 0 <= time < self._last:
                group, first = int(ledger.session_group[number]), int(ledger.session_first[number])
                for place in range(first, first + int(ledger.session_enrolled[number])):
                    stay = int(ledger.member_stay[place])
                    if ledger.member_attended[place] and self._levels[self._lives[stay].level].is_own:
                        found[stay, floor(time)].append((number, group, time))
        return found

    def _days_in_place(self, life: _Life, level: Level) -> Iterator[int]:
        """The first open days of each calendar week from admission on, those of them that end in treatment."""
        if life.started == inf:
            return
        ends = [(floor(begin), floor(min(end, self._horizon))) for begin, end in life.treated()]
        if floor(life.started) == (floor(life.released) if life.released < inf else None):
            ends.append((floor(life.started), floor(life.started) + 1))
        per_week, weekday = level.days_per_week, self._scenario.run.start.weekday()
        week, used = None, 0
        for day in range(floor(life.admitted), min(self._last, max(end for _, end in ends))):
            if (day + weekday) // 7 != week:
                week, used = (day + weekday) // 7, 0
            if per_week is not None:
                is_open = ((day + weekday) % 7 < 5 or per_week > 5) and day not in self._closed
                if not is_open or used == per_week:
                    continue
                used += 1
            if day >= 0 and any(begin <= day < end for begin, end in ends):
                yield day

    def _attendance(self, life: _Life, day: int) -> float:
        ledger = self._ledger
        track = ledger.tracks[ledger.patient_track[life.patient]]
        source = ledger.sources[ledger.patient_source[life.patient]]
        level = self._plan(day).levels[ledger.levels[life.level]]
        return care_of(level, track, source).attendance.mean

    def _claim(
        self,
        where: tuple[int, int, int, int],
        weight: Fraction,
        hours: list[Fraction] | None,
        visits: list[Service],
        uncovered: bool,
        time: float,
    ) -> Attended:
        """Bill a day: what it earns, or why it earns nothing. Where the hours are not known, they are enough."""
        stay, day, session, group = where
        money, life = self._plan(day).money, self._lives[stay]
        price = self._price(money, life, sum(map(floor, hours or ())) + len(visits))
        treated = sum([*(hours or ()), *(exact(each.minutes) / 60 for each in visits)], Fraction())
        below, cause = False, ""
        if uncovered:
            cause = "uncovered"
        elif hours is not None and treated < exact(money.billing.hours_per_day_at_least):
            cause = "short"
        elif price is None:
            cause = "too_few_services"
        elif price > 0 and self._is_below_minimum(life, time):
            below, price = True, exact(money.billing.below_minimum)
        billed = Fraction() if cause or price is None else price * weight
        denied = billed * exact(money.billing.claims_denied)
        return Attended(stay, day, session, group, weight, cause, below, billed - denied, denied)

    def _price(self, money: Money, life: _Life, services: int) -> Fraction | None:
        """What the payer pays for a day with so many services; None below its first tier."""
        level = self._ledger.levels[life.level]
        payer = self._ledger.payers[self._ledger.patient_payer[life.patient]]
        pay = money.revenue.get(level, {}).get(payer, 0.0)
        if isinstance(pay, float | int):
            return exact(pay)
        best = None
        for tier in pay:
            if tier.from_services <= services:
                best = exact(tier.pay)
        return best

    def _is_below_minimum(self, life: _Life, time: float) -> bool:
        """Whether fewer hours are scheduled in a week than the level ought to give."""
        level = self._levels[life.level]
        if level.hours_per_week_at_least is None:
            return False
        if level.groups:
            group, bits = life.seat(time)
            hours = exact(self._groups[self._ledger.groups[group]][1].hours) * bits.bit_count()
        elif level.hours_per_day is None:
            return False
        else:
            hours = exact(level.hours_per_day) * (level.days_per_week or 7)
        return hours < exact(level.hours_per_week_at_least)

    # ── the end of the year ──────────────────────────────────────────────────────────────────────────────────

    def close(self) -> Accounts:
        attended, ledger = list(self._attended()), self._ledger
        cost = Spender(self._scenario, ledger, self._visits).costs()
        looks = ("patient", "session", "payer", "track", "source", "group", "level", "week")
        revenue: dict[str, Account] = {look: defaultdict(Fraction) for look in looks}
        days: dict[str, Account] = {look: defaultdict(Fraction) for look in looks}
        for each in attended:
            patient = self._lives[each.stay].patient
            keys = {
                "patient": patient,
                "session": each.session,
                "payer": int(ledger.patient_payer[patient]),
                "track": int(ledger.patient_track[patient]),
                "source": int(ledger.patient_source[patient]),
                "group": each.group,
                "level": self._lives[each.stay].level,
                "week": each.day // 7,
            }
            for look, key in keys.items():
                revenue[look][key] += each.earned
                days[look][key] += each.weight
        whole, total = sum(days["week"].values(), Fraction()), sum(cost["cause"].values(), Fraction())
        allotted = {
            look: {key: total * part / whole for key, part in days[look].items()}
            for look in ("payer", "track", "source", "group")
        }
        return Accounts(attended, revenue, days, cost, allotted)
