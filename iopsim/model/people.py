"""Patients and their stays: the two things that move through the model."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from iopsim.model.capacity import Group
    from iopsim.model.draws import Cell
    from iopsim.model.units import Treatment, Unit

__all__ = [
    "ADMITTED", "APPLYING", "GONE", "HELD", "IN_CARE", "NEVER", "SUSPENDED", "UNDECIDED", "WAITING",
    "Patient", "Rank", "State", "Stay",
]  # fmt: skip

NEVER = float("inf")
UNDECIDED = -2  # where to go: −1 is home

Rank = tuple[int, float, int, int]
"""Priority class, time of joining, patient, stay: lower is asked first."""


class State(IntEnum):
    """Where a stay stands."""

    APPLYING = 0  # in a stage of access
    WAITING = 1
    ADMITTED = 2  # has the bundle, care has not started
    IN_CARE = 3
    SUSPENDED = 4  # holds the place while waiting for a higher level
    HELD = 5  # treatment over, holds the place while waiting for the next level
    GONE = 6


APPLYING, WAITING, ADMITTED, IN_CARE, SUSPENDED, HELD, GONE = State
# The model asks for states half a million times a replication: a name costs a tenth of a member of an enumeration.


@dataclass(slots=True, eq=False)
class Patient:
    """One person, who keeps identity and traits however often they come back.

    `here` is the stay whose place the patient occupies; `ahead` the stay that is applied or waited for or admitted to
    and not begun; `heading` the level at the end of a lag (−1: none), of which `lags` counts the begun ones;
    `been` the levels that were entered, one after another.
    """

    index: int
    source: int
    cell: Cell
    row: int
    track: int
    time: int
    modality: int
    payer: int
    referred: float
    been: list[int] = field(default_factory=list)
    here: Stay | None = None
    ahead: Stay | None = None
    heading: int = -1
    lags: int = 0


@dataclass(slots=True, eq=False)
class Stay:
    """One patient's passage through one level, from joining its waitlist to giving back the place.

    Instants of treatment (`…_after`) are counted in days of treatment, so that a suspension stops them. Sessions are
    counted by the patient's own: `had` so far, `attends[i]` is whether the i-th will be attended, `turn` is the one
    after which something changes (taper, end, more to foresee), `missed_out` the one that ends a run of misses,
    `payer_turn` the one after which the payer is asked or stops. A session touches none of those who take part: `had`
    is reckoned from how many were held when the stay was seated (`seated_at`; −1: is not expected), and `turns_with` is
    the meeting with which `turn` will be reached if none is cancelled.

    `lacks` are bits of `Missing` that keep this stay alone from being admitted; `bound` is where the patient goes on
    completion, if that is known before; `dropout_hazard` the cumulative hazard at which the patient drops out;
    `approved` the payer's units.
    """

    number: int
    patient: Patient
    unit: Unit
    treatment: Treatment
    entry: int
    origin: int
    kind: int
    rank: Rank
    joined: float
    admitted: float = NEVER
    state: State = WAITING
    patience_begun: bool = False
    group: Group | None = None
    pool: int = 0
    days: tuple[int, ...] = ()
    post: int = -1

    treated: float = 0.0
    since: float = 0.0
    calls: int = 0
    ends_after: float = NEVER
    dropout_after: float = NEVER
    step_up_after: float = NEVER
    refer_after: float = NEVER
    payer_after: float = NEVER
    dropout_hazard: float = NEVER

    lacks: int = 0
    bound: int = UNDECIDED
    bookings: int = 0
    approved: int = 0
    reviews: int = 0
    is_asking: bool = False
    is_cut: bool = False

    propensity: float = 1.0
    attends: bytearray = field(default_factory=bytearray)
    had_before: int = 0
    seated_at: int = -1
    turn: int = -1
    turns_with: int = -1
    missed_out: int = -1
    payer_turn: int = -1
    phase: int = 0
    extended: bool = False

    @property
    def had(self) -> int:
        """Sessions so far."""
        if self.seated_at < 0 or self.group is None:
            return self.had_before
        had, held = self.had_before - self.seated_at, self.group.held
        for day in self.days:
            had += held[day]
        return had
