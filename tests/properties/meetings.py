"""The books' group sessions: who must have been there, why one was not held, who led it (model.md §§7, 8)."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import TYPE_CHECKING

from iopsim.model.ledger import Cause, Fact, Ledger
from iopsim.model.timeline import in_days
from iopsim.scenario.schema import Scenario
from tests.properties.dates import Calendar
from tests.properties.parts import Part, Row, State
from tests.properties.posts import Facilitators

if TYPE_CHECKING:
    from tests.properties.payers import Payers
    from tests.properties.rooms import Rooms

__all__ = ["Meetings"]


class Meetings:
    """All group sessions of a ledger."""

    def __init__(
        self, scenario: Scenario, ledger: Ledger, calendar: Calendar, rooms: Rooms, payers: Payers,
        facilitators: Facilitators,
    ) -> None:  # fmt: skip
        self._ledger, self._calendar = ledger, calendar
        self._rooms, self._payers, self._facilitators = rooms, payers, facilitators
        self.change(calendar.opening)
        numbers = {name: number for number, name in enumerate(ledger.groups)}
        self._hosts = {
            number: numbers[group.merges_with]
            for number, group in enumerate(self._groups)
            if group.merges_with is not None
        }
        self._at: dict[float, list[int]] = {}
        for number, time in enumerate(ledger.session_time.tolist()):
            self._at.setdefault(time, []).append(number)
        self._number = {
            key: number for number, key in enumerate(self._keys())
        }  # of the session, by group and start
        assert Counter(self._keys()) == self._due(), "sessions are not those of the calendar"
        self._guests: dict[int, set[int]] = defaultdict(set)  # expected besides its own, by session
        self._joining: dict[int, list[int]] = defaultdict(list)  # groups that wait for the session
        self._maybe: dict[int, set[int]] = defaultdict(set)  # those of them of whom the facts do not tell

    def change(self, plan: Scenario) -> None:
        """Another plan is in force."""
        self._levels = list(plan.levels.values())
        named = {
            name: (number, group)
            for number, level in enumerate(self._levels)
            for name, group in level.groups.items()
        }
        self._groups = [named[name][1] for name in self._ledger.groups]
        self._level_of = [named[name][0] for name in self._ledger.groups]

    @property
    def instants(self) -> Iterable[float]:
        return self._at

    def _keys(self) -> list[tuple[int, float]]:
        ledger = self._ledger
        return list(zip(ledger.session_group.tolist(), ledger.session_time.tolist(), strict=True))

    def _due(self) -> Counter[tuple[int, float]]:
        return Counter(
            (number, start)
            for number, group in enumerate(self._groups)
            for start in self._calendar.sessions(group)
        )

    def check(self, now: float, rows: list[Row], parts: list[Part]) -> None:
        """Ask the sessions of an instant, given the books just before it and the facts of the instant."""
        started = {stay for _, fact, stay, *_ in rows if fact == Fact.STARTED and self._in_group(parts[stay])}
        others = {
            stay for _, fact, stay, *_ in rows if fact not in {Fact.STARTED, Fact.REFERRED, Fact.REASSIGNED}
        }
        gone = {stay for _, fact, stay, *_ in rows if fact == Fact.RELEASED}
        for cohort in filter(None, self._rooms.cohorts):
            cohort.coming -= gone  # whoever leaves before starting has left before the session
        members: set[int] = set()
        # Those who are too few for a session join another's before it begins, also at the same instant.
        sessions = sorted(
            self._at.get(now, ()), key=lambda session: self._group_of(session) not in self._hosts
        )
        for session in sessions:
            self._muster(session, now, others, parts)
        for session in sorted(sessions):  # those of one instant get facilitators in the order of their rows
            members |= self._check(session, now, others, parts)
        new = {stay for stay in members if parts[stay].state == State.ADMITTED}
        assert new - others <= started <= members, f"care starts without a session, or the reverse, at {now}"

    def _group_of(self, session: int) -> int:
        return int(self._ledger.session_group[session])

    def _in_group(self, part: Part) -> bool:
        return bool(self._levels[part.level].groups)

    def _seated(self, group: int, now: float, parts: list[Part]) -> set[int]:
        weekday = self._calendar.weekday(int(now // 1))
        return {
            part.number for part in parts if part.group == group and weekday in part.days and part.has_place
        }

    def _expected(self, group: int, now: float, parts: list[Part]) -> set[int]:
        seated = self._seated(group, now, parts)
        return {number for number in seated if self._rooms.expected(parts[number], int(now // 1))}

    def _muster(self, session: int, now: float, others: set[int], parts: list[Part]) -> None:
        """The members of a merged session are expected in the host's of the day."""
        group, cause = self._group_of(session), Cause(int(self._ledger.session_cause[session]))
        host = self._host_session(group, now)
        if cause is Cause.MERGED:
            assert host is not None, f"merged at {now} with no session"
            assert self._ledger.session_cause[host] == Cause.HELD, (
                f"merged at {now} with one that is not held"
            )
        elif cause is not Cause.BELOW_MINIMUM or host is None or not self._ledger.session_enrolled[session]:
            return
        self._guests[host] |= self._expected(group, now, parts) - others
        self._maybe[host] |= {number for number in others if parts[number].level == self._level_of[group]}

    def _host_session(self, group: int, now: float) -> int | None:
        """The session that takes in those of another: of the same day, at the same time or later."""
        host = self._hosts.get(group)
        if host is None:
            return None
        start = int(now // 1) + in_days(self._groups[host].start_hour)
        return self._number.get((host, start)) if start >= now else None

    def _check(self, session: int, now: float, others: set[int], parts: list[Part]) -> set[int]:
        ledger = self._ledger
        group, enrolled = self._group_of(session), int(ledger.session_enrolled[session])
        day, cause = int(now // 1), Cause(int(ledger.session_cause[session]))
        seated, expected = self._seated(group, now, parts), self._expected(group, now, parts)
        guests = {
            number
            for number in self._guests.pop(session, ())
            if parts[number].state in {State.ADMITTED, State.IN_CARE}
        }
        others = others | self._maybe.pop(session, set())
        sure, possible = (expected | guests) - others, expected | guests | others
        is_held = cause is Cause.HELD
        least = sure if is_held else expected - others
        assert len(least) <= enrolled <= len(possible), f"enrolled at {now}: {enrolled}, known are {expected}"
        taken = int(ledger.session_taken[session])
        assert len(seated - others) <= taken <= len(seated | guests | others), f"seats taken at {now}"
        self._cause(session, cause, now, (len(sure), len(possible)))
        if day not in self._calendar.closed:
            self._settle_cohorts(session, group, now, is_held)
        if not is_held:
            return set()
        first = int(ledger.session_first[session])
        members = ledger.member_stay[first : first + enrolled].tolist()
        assert len(set(members)) == enrolled and sure <= set(members) <= possible, f"members at {now}"
        self._attend(session, members, parts, now)
        return set(members)

    def _settle_cohorts(self, session: int, group: int, now: float, is_held: bool) -> None:
        """A cohort has started with its session, or with that of the group which its members have joined."""
        for each in (group, *self._joining.pop(session, ())):
            if (cohort := self._rooms.cohorts[each]) is not None:
                cohort.is_gathered = False
                cohort.met(now, is_held)
        host, cohort = self._host_session(group, now), self._rooms.cohorts[group]
        waits = host is not None and not is_held and self._ledger.session_enrolled[session]
        if waits and host is not None and cohort is not None and cohort.date <= now and cohort.coming:
            cohort.is_gathered = True
            self._joining[host].append(group)

    def _cause(self, session: int, cause: Cause, now: float, expected: tuple[int, int]) -> None:
        """Closed, then too few, then nobody to lead it: the first that is in the way is the cause."""
        group = self._groups[self._group_of(session)]
        fewest, most = expected
        if int(now // 1) in self._calendar.closed:
            assert cause is Cause.CLOSED, f"{cause} on a closed day, {now}"
        elif cause is Cause.MERGED:
            assert fewest + (most > fewest) > 0 and fewest < group.min_census, f"merged without need at {now}"
        elif cause is Cause.BELOW_MINIMUM:
            assert fewest < group.min_census, f"{cause} at {now}, {fewest} are expected"
            host = self._host_session(self._group_of(session), now)
            if host is not None and self._ledger.session_enrolled[session]:
                assert self._ledger.session_cause[host] != Cause.HELD, (
                    f"not merged at {now}, with one that is held"
                )
        else:
            assert most >= group.min_census, f"{cause} at {now}, {most} are expected"
            ends = int(now // 1) + in_days(group.start_hour + group.hours)
            can_be_held = self._facilitators.engage(dict(group.facilitators), now, ends, group.hours)
            assert cause is (Cause.HELD if can_be_held else Cause.UNSTAFFED), f"{cause} at {now}"

    def _attend(self, session: int, members: list[int], parts: list[Part], now: float) -> None:
        first = int(self._ledger.session_first[session])
        for place, number in enumerate(members, start=first):
            if self._ledger.member_attended[place]:
                self._payers.attend(parts[number], now)
