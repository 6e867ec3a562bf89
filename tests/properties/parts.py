"""One stay as the books know it, and the order in which facts may happen to it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from math import inf

from iopsim.model.ledger import Fact
from iopsim.scenario.levels import Care

__all__ = ["AGAIN", "AT_HOME", "LEGAL", "Part", "Row", "State"]

AT_HOME = -1
Row = tuple[float, int, int, int, int, int]


class State:
    """Words for where a stay stands."""

    NEW = "new"
    APPLYING = "applying"
    WAITING = "waiting"
    ADMITTED = "admitted"
    IN_CARE = "in care"
    SUSPENDED = "suspended"
    OVER = "over"
    GONE = "gone"


_S = State
_STAGE = {_S.APPLYING: _S.APPLYING}
_LIST = {_S.WAITING: _S.WAITING}
_PLACE = {state: state for state in (_S.ADMITTED, _S.IN_CARE, _S.SUSPENDED)}
_PAYER = {_S.IN_CARE: _S.IN_CARE, _S.SUSPENDED: _S.SUSPENDED}
LEGAL = {
    Fact.REFERRED: {_S.NEW: _S.APPLYING},
    Fact.SENT: {_S.NEW: _S.APPLYING},
    Fact.CONTACTED: _STAGE,
    Fact.BOOKED: _STAGE,
    Fact.NO_SHOW: _STAGE,
    Fact.ASSESSED: _STAGE,
    Fact.LOST: {_S.APPLYING: _S.GONE},
    Fact.JOINED: {_S.NEW: _S.WAITING, _S.APPLYING: _S.WAITING},
    Fact.READY: _LIST,
    Fact.AUTHORIZED: _LIST,
    Fact.AGED: _LIST,
    Fact.ACCEPTED: _LIST,
    Fact.DENIED: {_S.WAITING: _S.GONE},
    Fact.REFUSED: {_S.WAITING: _S.GONE},
    Fact.RENEGED: {_S.WAITING: _S.GONE},
    Fact.WITHDRAWN: {_S.APPLYING: _S.GONE, _S.WAITING: _S.GONE},
    Fact.ADMITTED: {_S.WAITING: _S.ADMITTED},
    Fact.MOVED: _PLACE,
    Fact.REASSIGNED: _PLACE | {_S.OVER: _S.OVER},
    Fact.STARTED: {_S.ADMITTED: _S.IN_CARE},
    Fact.SUSPENDED: {_S.IN_CARE: _S.SUSPENDED},
    Fact.RESUMED: {_S.SUSPENDED: _S.IN_CARE},
    Fact.ASKED: {_S.IN_CARE: _S.IN_CARE},
    Fact.LAPSED: {_S.IN_CARE: _S.IN_CARE},
    Fact.EXTENDED: _PAYER,
    Fact.CUT: _PAYER,
    Fact.COMPLETED: {_S.IN_CARE: _S.OVER},
    Fact.DROPPED_OUT: {_S.IN_CARE: _S.OVER},
    Fact.DISCHARGED: {_S.IN_CARE: _S.OVER},
    Fact.STEPPED_UP: {_S.IN_CARE: _S.OVER, _S.SUSPENDED: _S.OVER},
    Fact.LEFT: {_S.ADMITTED: _S.OVER, _S.IN_CARE: _S.OVER, _S.SUSPENDED: _S.OVER},
    Fact.RELEASED: {_S.OVER: _S.GONE},
}
"""From which state to which each fact leads."""

AGAIN = {
    Fact.MOVED, Fact.REASSIGNED, Fact.BOOKED, Fact.NO_SHOW, Fact.ASKED, Fact.EXTENDED, Fact.LAPSED,
}  # fmt: skip
"""What may happen to a stay more than once; suspended it is only once, since one need of a higher level comes up."""


@dataclass(eq=False)
class Part:
    """One stay."""

    number: int
    patient: int
    level: int
    care: Care
    state: str = State.NEW
    origin: int = -1
    priority: float = inf
    came: float = inf
    joined: float = inf
    admitted: float = inf
    started: float = inf
    over_since: float = inf
    hold: float = 0.0
    bound: str | None = None  # for where it is sent at its end, turned away from the next level meanwhile
    planned: float | None = None  # end, as it was foreseen when the next level was asked for
    any_time: bool = False
    unapproved: bool = False  # has to be approved by the payer, and is not
    untreated: bool = False  # the treatment before is not over
    ready: float = inf  # when it was
    group: int = -1
    days: tuple[int, ...] = ()
    post: int = -1
    post_since: float = inf
    cohort: float | None = None  # the start date for which it was admitted
    seen: Counter[int] = field(default_factory=Counter)
    treated: float = 0.0  # days of treatment before `since`
    since: float = 0.0

    @property
    def may_be_admitted(self) -> bool:
        """Whether nothing of the stay's own is missing."""
        return not (self.unapproved or self.untreated)

    @property
    def has_place(self) -> bool:
        """Whether the bundle is taken."""
        return self.state in {State.ADMITTED, State.IN_CARE, State.SUSPENDED, State.OVER}

    def days_of_treatment(self, now: float) -> float:
        """Days of treatment so far, without those of a suspension."""
        return self.treated + (now - self.since if self.state == State.IN_CARE else 0.0)
