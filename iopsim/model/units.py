"""A level of care as the model runs it: its room, its waitlist, and how it treats each kind of patient."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from math import ceil, inf, log1p
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

from iopsim.model.ledger import Missing
from iopsim.model.sources import table
from iopsim.model.timeline import in_days
from iopsim.model.waitlist import Waitlist
from iopsim.scenario.levels import Care, care_of
from iopsim.scenario.names import RETURNED
from iopsim.scenario.parts import HOME

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from iopsim.model.capacity import Capacity
    from iopsim.model.people import Patient, Stay
    from iopsim.model.staff import Caseload
    from iopsim.model.visits import Visits
    from iopsim.scenario.access import Authorization, Contact, Eligible, Intake
    from iopsim.scenario.distributions import Law
    from iopsim.scenario.levels import Level, StepUp
    from iopsim.scenario.schema import Scenario

__all__ = ["Assessment", "Stages", "Treatment", "Unit", "weeks_to_event"]


_SEAT: Final = int(Missing.SEAT)
_CASELOAD: Final = int(Missing.CASELOAD)
_ORDER: Final = int(Missing.ORDER)
_HOURS: Final = int(Missing.HOURS)
Stage = TypeVar("Stage", "Contact", "Eligible", "Intake")
UNLISTED: Final = 1_000_000  # class of those whom `priority` does not name: after all others


def weeks_to_event(per_week: float, exponential: float) -> float:
    """Days until a weekly share acts, at the end of the week in which the cumulative hazard reaches the draw."""
    if per_week <= 0:
        return inf
    return 7.0 * max(1, ceil(exponential / -log1p(-per_week)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Treatment:
    """How a level treats patients of one track and source; made once from `Care`.

    Attributes:
        care: The level's fields after `by`. What every patient passes is taken out of it once, under its own name:
            a field of a scenario costs ten times as much to ask for.
        patience, dropout_time, step_up_time: The quantile of the days of patience, and where the hazards of dropout and
            of needing a higher level reach a unit exponential; None where a weekly share decides, or nothing does.
        step_up_days, step_up_per_week: Which of the two decides, if `step_up` is there.
        attendance, attendance_sd: Mean and standard deviation of the patients' chances to attend.
        misses: Sessions missed in a row that end a stay; 0: no number does.
        days_per_week: Weekdays taken at the start of the plan; 0: all that the group meets.
        boundaries: Sessions at which each phase ends, counted from the start of care.
        services: Bits of the services that every such patient gets.
        drawn_services: (bit, share, decision) of those that only a share of patients gets.
        limited: Bits of the services that wait for hours once care has begun.
        gates: Services that admission itself waits for.
        step_up_to: Share table of where to.
    """

    care: Care
    stay_days: Law | None
    patience: Callable[[float], float] | None
    patience_days: Law | None
    dropout: Law | None
    dropout_time: Callable[[float], float] | None
    dropout_per_week: float
    per_week_waited: float
    step_up: StepUp | None
    step_up_days: Law | None
    step_up_time: Callable[[float], float] | None
    step_up_per_week: float
    attendance: float
    attendance_sd: float
    misses: int
    days_per_week: int
    boundaries: tuple[int, ...]
    services: int
    drawn_services: tuple[tuple[int, float, str], ...]
    limited: int
    gates: tuple[int, ...]
    step_up_to: tuple[list[float], list[int]]


class Assessment:
    """An intake appointment, as a scenario says it: its fields under the same names, and its length in days."""

    __slots__ = ("days", "lost_to", "minutes", "rebook", "rebook_taken", "role", "show")

    def __init__(self, intake: Intake) -> None:
        self.role = intake.role
        self.minutes = intake.minutes
        self.days = in_days(intake.minutes / 60)
        self.show = intake.show
        self.rebook = intake.rebook
        self.rebook_taken = intake.rebook_taken
        self.lost_to = intake.lost_to

    def show_share(self, lead_days: int) -> float:
        """The share who show to an appointment so many days after it was booked."""
        return self.show if isinstance(self.show, float) else self.show.share(lead_days)


class Stages(NamedTuple):
    """What lies before the waitlist for those of one origin; None: nothing of the kind."""

    contact: Contact | None
    eligible: Eligible | None
    intake: Assessment | None


class Unit:
    """One level of care in one replication.

    Attributes:
        spec: The level in the plan in force. What every patient passes is taken out of it, under its own name.
        is_scheduled: Whether its plans count sessions that were scheduled, attended or not.
        sharing: The levels that draw on the same caseload, this one among them; or this one alone.
        takes_everybody: Whether nobody can ever have to wait.
        newcomers: Stays that have joined since the last allocation.
        settled: Whether nobody who waits could be admitted, newcomers apart.
        asked_at: Instant for which an allocation is already on the clock.
        opens_at: Later instant for which one is on the clock, since a role has hours then.
        noted: What each kind lacked when it was last written down.
        is_capped: Whether the waitlist may refuse anybody.
        stages: By origin: what lies before the waitlist, if anything does.
        authorizations: By payer: what has to be approved, if anything has.
        changes_with_waiting: Whether a wait may change what a patient needs, or their class.
    """

    def __init__(
        self, scenario: Scenario, index: int, capacity: Capacity, caseload: Caseload | None, visits: Visits
    ) -> None:
        self.index = index
        self.name = list(scenario.levels)[index]
        self.capacity = capacity
        self.caseload = caseload
        self.sharing: Sequence[Unit] = (self,)
        if caseload is not None:
            caseload.units.append(self)
            self.sharing = caseload.units
        self._visits = visits
        self.waitlist = Waitlist()
        self.newcomers: list[Stay] = []
        self.settled = False
        self.asked_at = -inf
        self.opens_at = -inf
        self.needs: list[int] = []
        self.gates: list[tuple[int, ...]] = []
        self.noted: list[int] = []
        self._kinds: dict[tuple[int, tuple[int, ...]], int] = {}

        self._know(scenario)
        self._know_payers(scenario)
        levels = list(scenario.levels)
        self.next = table({name: part.share for name, part in self.spec.next.items()}, levels)
        self.next_lag = {
            levels.index(name) if name != HOME else -1: part.lag_days
            for name, part in self.spec.next.items()
            if part.lag_days is not None
        }

    def change(self, plan: Scenario) -> None:
        """From now on another plan is in force: for all that is decided from now on."""
        if plan.levels[self.name] is not self.spec:
            self.capacity.change(plan.levels[self.name])
            self._know(plan)
        self._know_payers(plan)

    def _know(self, scenario: Scenario) -> None:
        """What the plan says of the level, as it is in force."""
        self.spec: Level = scenario.levels[self.name]
        self.strict = self.spec.waitlist.discipline == "strict"
        self.is_scheduled = self.spec.plan == "scheduled"
        self.hold_days = self.spec.hold_days
        self.refer_before_days = self.spec.refer_before_days
        self.returns = self.spec.returns
        self._know_origins(scenario)
        self._tracks = len(scenario.tracks)
        self.treatments = _treatments(scenario, self.name)
        waits_for_hours = any(treatment.gates for treatment in self.treatments)
        unlimited = self.caseload is None and self.capacity.is_unlimited
        self.takes_everybody = unlimited and not waits_for_hours and not self.strict

    def _know_origins(self, scenario: Scenario) -> None:
        """Classes, caps and stages by where patients come from."""
        names = [*scenario.sources, *scenario.levels, RETURNED]
        waitlist = self.spec.waitlist
        self.classes = [waitlist.priority.get(name, UNLISTED) for name in names]
        self.changes_with_waiting = bool(
            waitlist.ages_into or waitlist.accept_other_time_after_days is not None
        )
        at_most = waitlist.at_most
        self.caps: Mapping[int, float] = {}
        self.cap: float = inf
        if isinstance(at_most, int):
            self.cap = float(at_most)
        elif at_most is not None:
            self.caps = {names.index(name): float(limit) for name, limit in at_most.items()}
        self.is_capped = self.cap < inf or bool(self.caps)

        self.stages = [self._stages(name, name in scenario.sources) for name in names]

    def _know_payers(self, scenario: Scenario) -> None:
        """Authorization by who pays."""
        asked = [payer.authorization for payer in scenario.payers.values()]
        self.authorizations: list[Authorization | None] = [
            each if each and self.name in each.levels else None for each in asked
        ]

    def _stages(self, origin: str, is_source: bool) -> Stages | None:
        """The stages that apply to an origin, if any does."""
        spec = self.spec
        intake = _for(spec.intake, origin, is_source)
        stages = Stages(
            _for(spec.contact, origin, is_source),
            _for(spec.eligible, origin, is_source),
            Assessment(intake) if intake is not None else None,
        )
        return stages if any(stages) else None

    def treatment(self, patient: Patient) -> Treatment:
        """How the level treats a patient."""
        return self.treatments[patient.source * self._tracks + patient.track]

    def kind(self, patient: Patient, treatment: Treatment, any_time: bool = False) -> int:
        """Number of the patient's class of need within the waitlist."""
        need = self.capacity.need(patient, treatment, any_time)
        kind = self._kinds.get((need, treatment.gates))
        if kind is None:
            kind = self._kinds[need, treatment.gates] = len(self.needs)
            self.needs.append(need)
            self.gates.append(treatment.gates)
            self.noted.append(0)
        return kind

    def missing(self, kinds: set[int] | None, now: float) -> dict[int, int]:
        """What those who wait lack to be admitted now, as bits of `Missing`, by kind (None: of all kinds)."""
        everybody = _CASELOAD if self.caseload is not None and not self.caseload.free else 0
        capacity, needs, missing = self.capacity, self.needs, {}
        for kind, waiting in enumerate(self.waitlist.waiting):
            if waiting and (kinds is None or kind in kinds):
                lack = everybody if capacity.has_room(needs[kind], now) else everybody | _SEAT
                if (gates := self.gates[kind]) and self._visits.possible_from(gates, now) > now:
                    lack |= _HOURS
                missing[kind] = lack or _ORDER
        return missing

    def is_full_for(self, stay: Stay, ahead: int, ahead_of_origin: int) -> bool:
        """Whether a cap of the waitlist refuses the stay, given how many waited before it."""
        return ahead >= self.cap or ahead_of_origin >= self.caps.get(stay.origin, inf)


def _for(stage: Stage | None, origin: str, is_source: bool) -> Stage | None:
    """The stage if it applies to an origin: it names it, or names nobody and the origin is a source."""
    applies = stage is not None and (origin in stage.for_ if stage.for_ else is_source)
    return stage if applies else None


def _treatments(scenario: Scenario, name: str) -> list[Treatment]:
    """How a level treats patients, by source and then by track: all sources alike but those that `by` names."""
    special = scenario.levels[name].by.source
    usual = [_treatment(scenario, name, track, "") for track in scenario.tracks]
    treatments = []
    for source in scenario.sources:
        own = (
            [_treatment(scenario, name, track, source) for track in scenario.tracks]
            if source in special
            else usual
        )
        treatments += own
    return treatments


def _treatment(scenario: Scenario, name: str, track: str, source: str) -> Treatment:
    level = scenario.levels[name]
    care = care_of(level, track, source)
    certain, limited, drawn, gates = 0, 0, [], []
    for bit, (service_name, service) in enumerate(scenario.services.items()):
        if (
            service.per == "session"
            or name not in service.levels
            or (service.tracks and track not in service.tracks)
        ):
            continue
        if service.limits == "admission":
            gates.append(bit)
        elif service.limits:
            limited |= 1 << bit
        if service.share >= 1:
            certain |= 1 << bit
        elif service.share > 0:
            drawn.append((1 << bit, service.share, f"service {service_name}"))
    levels: Sequence[str] = list(scenario.levels)
    early, step_up, attendance = care.leave_early, care.leave_early.step_up, care.attendance
    return Treatment(
        care=care,
        stay_days=care.stay_days,
        patience=care.patience_days.quantile_function() if care.patience_days else None,
        patience_days=care.patience_days,
        dropout=early.dropout,
        dropout_time=early.dropout.hazard_time_function() if early.dropout else None,
        dropout_per_week=early.dropout_per_week or 0.0,
        per_week_waited=early.per_week_waited,
        step_up=step_up,
        step_up_days=step_up.after_days if step_up else None,
        step_up_time=step_up.after_days.hazard_time_function() if step_up and step_up.after_days else None,
        step_up_per_week=(step_up.per_week or 0.0) if step_up else 0.0,
        attendance=attendance.mean,
        attendance_sd=attendance.sd,
        misses=attendance.discharge_after_missed or 0,
        days_per_week=care.phases[0].days_per_week if care.phases else level.days_per_week or 0,
        boundaries=tuple(accumulate(phase.sessions for phase in care.phases or ())),
        services=certain,
        drawn_services=tuple(drawn),
        limited=limited,
        gates=tuple(gates),
        step_up_to=table(step_up.to, levels) if step_up else ([1.0], [-1]),
    )
