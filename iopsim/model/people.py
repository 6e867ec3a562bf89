"""Patients and their stays: the two things that move through the model."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from iopsim.model.capacity import Group
    from iopsim.model.draws import Cell
    from iopsim.model.units import Treatment, Unit

__all__ = ["NEVER", "Patient", "State", "Stay"]

NEVER = float("inf")


class State(IntEnum):
    """Where a stay stands."""

    WAITING = 0
    ADMITTED = 1  # has the bundle, care has not started
    IN_CARE = 2
    SUSPENDED = 3  # holds the place while waiting for a higher level
    HELD = 4  # treatment over, holds the place while waiting for the next level
    GONE = 5


@dataclass(slots=True, eq=False)
class Patient:
    """One person, who keeps identity and traits however often they come back.

    `here` is the stay whose place the patient occupies; `ahead` the stay that is waited for or admitted to and
    not begun; `heading` the level at the end of a lag (−1: none), of which `lags` counts the begun ones.
    """

    index: int
    source: int
    cell: Cell
    row: int
    track: int
    time: int
    payer: int
    referred: float
    entries: list[int]
    here: Stay | None = None
    ahead: Stay | None = None
    heading: int = -1
    lags: int = 0


@dataclass(slots=True, eq=False)
class Stay:
    """One patient's passage through one level, from joining its waitlist to giving back the place.

    Instants of treatment (`ends_after`, `dropout_after`, `step_up_after`) are counted in days of treatment, so that a
    suspension stops them. Sessions are counted by the patient's own: `had` so far, `attends[i]` is whether the
    i-th will be attended, `turn` is the one after which something changes (taper, end, more to foresee),
    `missed_out` the one that ends a run of misses.
    """

    number: int
    patient: Patient
    unit: Unit
    treatment: Treatment
    entry: int
    origin: int
    kind: int
    rank: tuple[int, float, int, int]
    joined: float
    admitted: float = NEVER
    state: State = State.WAITING
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

    propensity: float = 1.0
    attends: bytearray = field(default_factory=bytearray)
    had: int = 0
    turn: int = -1
    missed_out: int = -1
    phase: int = 0
    extended: bool = False
