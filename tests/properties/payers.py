"""The books of what payers approve: nobody is admitted without it, and units are counted (model.md §6)."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor
from typing import TYPE_CHECKING

from iopsim.model.ledger import Fact, Ledger, Reason
from iopsim.scenario.access import Authorization
from iopsim.scenario.schema import Scenario
from tests.properties.dates import longest, within
from tests.properties.parts import Part, State

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Payers"]

_CLOSE = 1e-6


@dataclass(slots=True)
class _Account:
    approved: int
    attended: int = 0
    last: float = -1.0  # when they did last
    asked: float | None = None  # when, while the answer is open
    extended: float = -1.0
    cut: bool = False
    lapsed: bool = False
    is_known: bool = True  # how many sessions have been attended: not of those who are there at the opening


class Payers:
    """What each payer has been asked and has said."""

    def __init__(self, scenario: Scenario, ledger: Ledger) -> None:
        self._ledger, self._names = ledger, list(scenario.levels)
        self._payers, self._levels = list(scenario.payers.values()), list(scenario.levels.values())
        plans = [list(edition.plan.payers.values()) for edition in scenario.editions]
        terms = [[payer.authorization for payer in payers] for payers in plans]
        self._may_deny = [any(one and one.denied > 0 for one in row) for row in zip(*terms, strict=True)]
        self._may_cut = [any(one and one.review.cut > 0 for one in row) for row in zip(*terms, strict=True)]
        self._accounts: dict[int, _Account] = {}

    def terms(self, part: Part) -> Authorization | None:
        """What has to be approved, if anything has."""
        asked = self._payers[self._payer(part)].authorization
        return asked if asked is not None and self._names[part.level] in asked.levels else None

    def _payer(self, part: Part) -> int:
        return int(self._ledger.patient_payer[part.patient])

    def settle(self, part: Part, now: float) -> None:
        """Treatment goes on at the opening: always so many units at once have been approved for what was used.

        How many sessions were used, the ledger does not say: where they are the units, it is taken as said.
        """
        terms = self.terms(part)
        if terms is None or terms.units is None or not part.has_place:
            return
        if days := self._days(part, terms):
            used = part.days_of_treatment(now) / days
            approved = terms.units * (1 + floor(used / terms.units + 1e-12))
            self._accounts[part.number] = _Account(approved, extended=now)
        else:
            self._accounts[part.number] = _Account(terms.units, is_known=False)

    def check(self, part: Part, fact: Fact, now: float, a: int, b: int) -> None:
        """A fact of a stay, before the books have entered it."""
        terms, account = self.terms(part), self._accounts.get(part.number)
        said = f"{fact.name} of stay {part.number} at {now}: {account}"
        match fact:
            case Fact.JOINED:
                part.unapproved = terms is not None
            case Fact.AUTHORIZED | Fact.DENIED:
                assert terms is not None and part.unapproved, f"{said}, which nobody had asked for"
                assert within(terms.delay_days, now - part.joined), said
                assert fact == Fact.AUTHORIZED or self._may_deny[self._payer(part)], said
                part.unapproved = False
            case Fact.ADMITTED:
                assert not part.unapproved, f"{said}, without authorization"
            case Fact.STARTED if terms is not None and terms.units is not None:
                self._accounts.setdefault(part.number, _Account(terms.units))
            case Fact.ASKED | Fact.LAPSED | Fact.EXTENDED | Fact.CUT:
                assert terms is not None and account is not None, said
                self._review(part, terms, account, fact, now, a)
            case Fact.DISCHARGED if b == Reason.CUT:
                assert account is not None and account.cut, f"{said}, and nothing was cut"
                used = self._used(part, account, now)
                assert used >= account.approved - _CLOSE or not account.is_known, f"{said}, with units left"

    def _review(
        self, part: Part, terms: Authorization, account: _Account, fact: Fact, now: float, a: int
    ) -> None:
        used, said = self._used(part, account, now), f"{fact.name} of stay {part.number} at {now}: {account}"
        asked = account.asked
        match fact:
            case Fact.ASKED:
                late = used - (account.approved - terms.ask_before)
                just = now in (account.extended, part.since)
                assert asked is None and not account.cut, said
                assert a == account.approved or not account.is_known, said
                on_time = abs(late) < _CLOSE or (late > 0 and just) or not account.is_known
                assert on_time, f"{said}, asked when {used} are used"
                account.approved = a
                account.asked, account.lapsed = now, False
            case Fact.LAPSED:
                assert asked is not None and not account.lapsed, said
                assert used >= account.approved - _CLOSE or not account.is_known, f"{said}, with units left"
                account.lapsed = True
            case Fact.EXTENDED:
                assert asked is not None and within(terms.review.delay_days, now - asked), said
                # An answer comes before the session that begins with it.
                used -= account.last == now and not self._days(part, terms)
                before = {max(account.approved, ceil(used + slip)) for slip in (-_CLOSE, 0, _CLOSE)}
                assert a - (terms.units or 0) in before or not account.is_known, said
                account.approved, account.asked, account.extended, account.lapsed = a, None, now, False
            case Fact.CUT:
                assert self._may_cut[self._payer(part)] and asked is not None, said
                assert within(terms.review.delay_days, now - asked), said
                account.asked, account.cut = None, True

    def attend(self, part: Part, now: float) -> None:
        """A session is attended: it must be covered, or known not to be."""
        terms = self.terms(part)
        if terms is not None and terms.units is not None and terms.per == "session":
            account = self._accounts.setdefault(part.number, _Account(terms.units))
            covered = account.attended < account.approved or not account.is_known
            assert covered or account.lapsed, f"stay {part.number} attends uncovered: {account}"
            few = account.attended >= max(1, account.approved - terms.ask_before)
            said = f"stay {part.number} attends, and nobody asks for more: {account}"
            assert not few or account.asked is not None or account.cut or not account.is_known, said
            account.attended, account.last = account.attended + 1, now

    def is_in_time(self, part: Part, now: float) -> bool:
        """Whether the payer's answer is not overdue."""
        terms = self.terms(part)
        return not part.unapproved or (terms is not None and now <= part.joined + longest(terms.delay_days))

    def between(self, now: float, in_care: Iterable[Part]) -> None:
        """Units that are days: nobody is treated beyond them in silence."""
        for part in in_care:
            account, terms = self._accounts.get(part.number), self.terms(part)
            if account is None or terms is None or part.state != State.IN_CARE:
                continue
            days = self._days(part, terms)
            if not days:
                continue
            used = part.days_of_treatment(now) / days - _CLOSE
            said = f"stay {part.number} at {now}, {used} units used: {account}"
            assert used <= account.approved or account.lapsed, said
            assert used <= account.approved - terms.ask_before or account.asked is not None or account.cut, (
                said
            )

    def _used(self, part: Part, account: _Account, now: float) -> float:
        terms = self.terms(part)
        assert terms is not None
        days = self._days(part, terms)
        return part.days_of_treatment(now) / days if days else account.attended

    def _days(self, part: Part, terms: Authorization) -> float:
        """Days of treatment to a unit; 0 where sessions are counted."""
        level = self._levels[part.level]
        if terms.per == "day":
            return 1.0
        return 0.0 if level.groups else 7 / (level.days_per_week or 7)
