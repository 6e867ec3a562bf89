"""What the independent bookkeeper finds spent: by cause, role and week, in exact fractions (model.md §9)."""

from __future__ import annotations

import datetime as dt
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import cache
from itertools import pairwise
from typing import NamedTuple

from iopsim.model.ledger import Cause, Ledger, PostState
from iopsim.scenario.schema import Scenario

__all__ = ["Account", "Delivered", "Spender", "exact"]

NO_ROLE = ""
_DAYS_PER_YEAR = 365
Account = dict[object, Fraction]
Delivered = tuple[float, int, str]
"""When, to which stay, which service."""


@cache
def exact(number: float) -> Fraction:
    """What somebody meant who wrote the number: 0.1 is a tenth."""
    return Fraction(repr(number))


class Piece(NamedTuple):
    """Part of a measured week in which one plan is in force, in days."""

    begin: int
    end: int
    week: int
    plan: Scenario


class Spender:
    """Walks the ledger for what costs something; `visits` are the services delivered to stays."""

    def __init__(self, scenario: Scenario, ledger: Ledger, visits: Sequence[Delivered]) -> None:
        self._scenario, self._ledger, self._visits = scenario, ledger, visits
        self._level_of = {group: name for name, level in scenario.levels.items() for group in level.groups}
        self._last = 7 * scenario.run.weeks
        self._horizon = self._last + 7 * scenario.run.run_out_weeks
        self._pieces = list(self._cut())

    def costs(self) -> dict[str, Account]:
        """All cost: by cause, by role (those that no role causes under "") and by week."""
        cost: dict[str, Account] = {key: defaultdict(Fraction) for key in ("cause", "role", "week")}
        by_piece: Account = defaultdict(Fraction)
        rows = list(self._spent())
        for place, *_, amount in rows:
            by_piece[place] += amount
        for place, (begin, end, _, plan) in enumerate(self._pieces):
            share = plan.money.overhead_share_of_cost
            if share is not None:
                amount = by_piece[place] * exact(share) / (1 - exact(share))
            else:
                yearly = exact(plan.money.overhead_per_year or 0.0)
                amount = yearly * Fraction(end - begin, _DAYS_PER_YEAR)
            rows.append((place, "overhead", NO_ROLE, amount))
        for place, cause, role, amount in rows:
            cost["cause"][cause] += amount
            cost["role"][role] += amount
            cost["week"][self._pieces[place].week] += amount
        return cost

    def _cut(self) -> Iterator[Piece]:
        """The window, cut where a week or another plan begins."""
        dates = {
            (edition.from_ - self._scenario.run.start).days
            for edition in self._scenario.editions
            if edition.from_ is not None
        }
        edges = sorted({*range(0, self._last + 1, 7), *(day for day in dates if 0 < day < self._last)})
        for begin, end in pairwise(edges):
            yield Piece(
                begin, end, begin // 7, self._scenario.on(self._scenario.run.start + dt.timedelta(days=begin))
            )

    def _piece(self, time: float) -> int:
        """The place of the piece in which a time lies; −1 outside the window."""
        if not 0 <= time < self._last:
            return -1
        return bisect_right([piece.begin for piece in self._pieces], time) - 1

    def _spent(self) -> Iterator[tuple[int, str, str, Fraction]]:
        """Piece, cause, role and amount of all cost but overhead."""
        yield from self._payroll()
        ledger = self._ledger
        covers = zip(
            ledger.cover_time.tolist(), ledger.cover_role.tolist(), ledger.cover_hours.tolist(), strict=True
        )
        for time, number, hours in covers:
            role = ledger.roles[number]
            if (place := self._piece(time)) >= 0:
                price = self._pieces[place].plan.staff[role].cover_per_hour or 0.0
                yield place, "cover", role, exact(price) * exact(hours)
        for place, (begin, end, _, plan) in enumerate(self._pieces):
            for room in plan.rooms.values():
                yield place, "rooms", NO_ROLE, exact(room.cost_per_week) * Fraction(end - begin, 7)
        for time, name in [*((time, name) for time, _, name in self._visits), *self._to_sessions()]:
            if (place := self._piece(time)) >= 0:
                service = self._pieces[place].plan.services[name]
                yield place, "services", service.role, exact(service.cost)

    def _payroll(self) -> Iterator[tuple[int, str, str, Fraction]]:
        """Who holds a post is paid, there or not; nobody is for a vacant or a closed one."""
        ledger = self._ledger
        rows = zip(
            ledger.post_number.tolist(), ledger.post_time.tolist(), ledger.post_state.tolist(), strict=True
        )
        states: dict[int, list[tuple[float, int]]] = defaultdict(list)
        for number, time, state in rows:
            states[number].append((time, state))
        for number, changes in states.items():
            role = ledger.posts[number][0]
            ends = [*(time for time, _ in changes[1:]), float(self._horizon)]
            for (begin, state), end in zip(changes, ends, strict=True):
                if state in (PostState.FILLED, PostState.AWAY):
                    yield from self._salary(role, begin, end)

    def _salary(self, role: str, begin: float, end: float) -> Iterator[tuple[int, str, str, Fraction]]:
        for place, piece in enumerate(self._pieces):
            first, last = max(begin, piece.begin), min(end, piece.end)
            if first < last:
                spec = piece.plan.staff[role]
                yearly = (
                    exact(spec.fte) * exact(spec.salary_per_year) * (1 + exact(piece.plan.money.benefits))
                )
                yield place, "payroll", role, yearly * (Fraction(last) - Fraction(first)) / _DAYS_PER_YEAR

    def _to_sessions(self) -> Iterator[tuple[float, str]]:
        ledger = self._ledger
        for name, service in self._scenario.services.items():
            if service.per == "session":
                for time, group, cause in zip(
                    ledger.session_time.tolist(),
                    ledger.session_group.tolist(),
                    ledger.session_cause.tolist(),
                    strict=True,
                ):
                    if cause == Cause.HELD and self._level_of[ledger.groups[group]] in service.levels:
                        yield time, name
