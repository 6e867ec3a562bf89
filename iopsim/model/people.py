"""Patients and their stays: the two things that move through the model."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from iopsim.model.capacity import Group
    from iopsim.model.clock import Call
    from iopsim.model.draws import Cell
    from iopsim.model.terms import Treatment
    from iopsim.model.units import Unit
    from iopsim.model.visits import Visit
    from iopsim.model.waitlist import Kind

__all__ = [
    "ADMITTED", "ADMITTED_ALREADY", "APPLYING", "AT_HOME", "GONE", "HELD", "IN_CARE", "NEVER", "SUSPENDED", "UNDECIDED",
    "WAITING", "Patient", "Rank", "State", "Stay",
]  # fmt: skip

NEVER: Final = float("inf")
AT_HOME: Final = -1  # where to go: else the index of a level
UNDECIDED: Final = -2

Rank = tuple[float, ...]
"""Priority class, time of joining, patient, stay: lower is asked first."""
ADMITTED_ALREADY: Final[Rank] = ()
"""Of those whom nobody will ask any more: their numbers need not be kept."""


class State(IntEnum):
    """Where a stay stands."""

    APPLYING = 0  # in a stage of access
    WAITING = 1
    ADMITTED = 2  # has the bundle, care has not started
    IN_CARE = 3
    SUSPENDED = 4  # holds the place while waiting for a higher level
    HELD = 5  # treatment over, holds the place while waiting for the next level
    GONE = 6


APPLYING: Final[State] = State.APPLYING
WAITING: Final[State] = State.WAITING
ADMITTED: Final[State] = State.ADMITTED
IN_CARE: Final[State] = State.IN_CARE
SUSPENDED: Final[State] = State.SUSPENDED
HELD: Final[State] = State.HELD
GONE: Final[State] = State.GONE
# The model asks for states half a million times a replication: a name costs a tenth of a member of an enumeration.


class Patient:
    """One person, who keeps identity and traits however often they come back.

    `here` is the stay whose place the patient occupies; `ahead` the stay that is applied or waited for or admitted to
    and not begun; `heading` the level at the end of a lag (−1: none), of which `lags` counts the begun ones;
    `been` the levels that were entered, one after another.
    """

    __slots__ = (
        "ahead", "been", "cell", "heading", "here", "index", "lags", "modality", "payer", "referred", "row",
        "source", "time", "track",
    )  # fmt: skip

    def __init__(
        self,
        index: int,
        source: int,
        cell: Cell,
        row: int,
        track: int,
        time: int,
        modality: int,
        payer: int,
        referred: float,
    ) -> None:
        self.index = index
        self.source = source
        self.cell = cell
        self.row = row
        self.track = track
        self.time = time
        self.modality = modality
        self.payer = payer
        self.referred = referred
        self.been: tuple[int, ...] = ()
        self.here: Stay | None = None
        self.ahead: Stay | None = None
        self.heading = -1
        self.lags = 0


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
    `approved` the payer's units; `owed` the visits of services that wait for hours; `name` begins the names of their
    numbers here, `numbers` is the hash that was made of it last, its `part`-th. `ending` is what the clock will call
    for the next end of treatment; it is called off where another takes its place or the patient leaves before, so that
    the clock keeps nobody who has gone.
    """

    __slots__ = (
        "admitted", "approved", "attends", "bookings", "bound", "days", "dropout_after", "dropout_hazard",
        "ending", "ends_after", "entry", "extended", "group", "had_before", "is_asking", "is_cut", "joined",
        "kind", "lacks", "missed_out", "name", "number", "numbers", "origin", "owed", "part", "patience_begun",
        "patient", "payer_after", "payer_turn", "phase", "pool", "post", "propensity", "rank", "refer_after",
        "reviews", "seated_at", "since", "state", "step_up_after", "treated", "treatment", "turn", "turns_with",
        "unit",
    )  # fmt: skip

    def __init__(
        self,
        number: int,
        patient: Patient,
        unit: Unit,
        treatment: Treatment,
        entry: int,
        origin: int,
        kind: Kind,
        rank: Rank,
        joined: float,
    ) -> None:
        self.number = number
        self.name = b""
        self.numbers = b""
        self.part = -1
        self.patient = patient
        self.unit = unit
        self.treatment = treatment
        self.entry = entry
        self.origin = origin
        self.kind = kind
        self.rank = rank
        self.joined = joined
        self.admitted = NEVER
        self.state = WAITING
        self.patience_begun = False
        self.group: Group | None = None
        self.pool = 0
        self.days: tuple[int, ...] = ()
        self.post = -1
        self.treated = 0.0
        self.since = 0.0
        self.ending: Call | None = None
        self.ends_after = NEVER
        self.dropout_after = NEVER
        self.step_up_after = NEVER
        self.refer_after = NEVER
        self.payer_after = NEVER
        self.dropout_hazard = NEVER
        self.lacks = 0
        self.bound = UNDECIDED
        self.bookings = 0
        self.owed: list[Visit] | None = None
        self.approved = 0
        self.reviews = 0
        self.is_asking = False
        self.is_cut = False
        self.propensity = 1.0
        self.attends = b""
        self.had_before = 0
        self.seated_at = -1
        self.turn = -1
        self.turns_with = -1
        self.missed_out = -1
        self.payer_turn = -1
        self.phase = 0
        self.extended = False

    @property
    def had(self) -> int:
        """Sessions so far."""
        if self.seated_at < 0 or self.group is None:
            return self.had_before
        had, held = self.had_before - self.seated_at, self.group.held
        for day in self.days:
            had += held[day]
        return had
