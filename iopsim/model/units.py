"""A level of care as the model runs it: its room, its waitlist, and how it treats each kind of patient."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from math import ceil, inf, log1p
from typing import TYPE_CHECKING

from iopsim.model.ledger import Missing
from iopsim.model.sources import table
from iopsim.model.waitlist import Waitlist
from iopsim.scenario.levels import Care, care_of
from iopsim.scenario.parts import HOME

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from iopsim.model.capacity import Capacity, Need
    from iopsim.model.people import Patient, Stay
    from iopsim.model.staff import Caseload
    from iopsim.scenario.levels import Level
    from iopsim.scenario.schema import Scenario

__all__ = ["Treatment", "Unit", "weeks_to_event"]


_SEAT, _CASELOAD, _ORDER = int(Missing.SEAT), int(Missing.CASELOAD), int(Missing.ORDER)


def weeks_to_event(per_week: float, exponential: float) -> float:
    """Days until a weekly share acts, at the end of the week in which the cumulative hazard reaches the draw."""
    if per_week <= 0:
        return inf
    return 7.0 * max(1, ceil(exponential / -log1p(-per_week)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Treatment:
    """How a level treats patients of one track and source; made once from `Care`.

    Attributes:
        care: The level's fields after `by`.
        days_per_week: Weekdays taken at the start of the plan; 0: all that the group meets.
        boundaries: Sessions at which each phase ends, counted from the start of care.
        services: Bits of the services that every such patient gets.
        drawn_services: (bit, share, decision) of those that only a share of patients gets.
        step_up_to: Share table of where to.
    """

    care: Care
    days_per_week: int
    boundaries: tuple[int, ...]
    services: int
    drawn_services: tuple[tuple[int, float, str], ...]
    step_up_to: tuple[list[float], list[int]]


class Unit:
    """One level of care in one replication.

    Attributes:
        takes_everybody: Whether nobody can ever have to wait.
        newcomers: Stays that have joined since the last allocation.
        settled: Whether nobody who waits could be admitted, newcomers apart.
        asked_at: Instant for which an allocation is already on the clock.
        noted: What each kind lacked when it was last written down.
    """

    def __init__(self, scenario: Scenario, index: int, capacity: Capacity, caseload: Caseload | None) -> None:
        self.index = index
        self.name = list(scenario.levels)[index]
        self.spec: Level = scenario.levels[self.name]
        self.capacity = capacity
        self.caseload = caseload
        if caseload is not None:
            caseload.units.append(self)
        self.takes_everybody = caseload is None and capacity.is_unlimited
        self.waitlist = Waitlist()
        self.strict = self.spec.waitlist.discipline == "strict"
        self.newcomers: list[Stay] = []
        self.settled = False
        self.asked_at = -inf
        self.needs: list[Need] = []
        self.noted: list[int] = []
        self._kinds: dict[Need, int] = {}

        names = [*scenario.sources, *scenario.levels]
        priority = self.spec.waitlist.priority
        self.classes = [priority.get(name, 1_000_000) for name in [*names, "returned"]]
        at_most = self.spec.waitlist.at_most
        self.caps: Mapping[int, int] = {}
        self.cap: float = inf
        if isinstance(at_most, int):
            self.cap = at_most
        elif at_most is not None:
            self.caps = {[*names, "returned"].index(name): limit for name, limit in at_most.items()}

        levels = list(scenario.levels)
        self.next = table({name: part.share for name, part in self.spec.next.items()}, levels)
        self.next_lag = {
            levels.index(name) if name != HOME else -1: part.lag_days
            for name, part in self.spec.next.items()
            if part.lag_days is not None
        }
        self.treatments = [
            [_treatment(scenario, self.name, track, source) for source in scenario.sources]
            for track in scenario.tracks
        ]

    def treatment(self, patient: Patient) -> Treatment:
        """How the level treats a patient."""
        return self.treatments[patient.track][patient.source]

    def kind(self, patient: Patient, treatment: Treatment) -> int:
        """Number of the patient's class of need within the waitlist."""
        need = self.capacity.need(patient, treatment)
        if need not in self._kinds:
            self._kinds[need] = len(self.needs)
            self.needs.append(need)
            self.noted.append(0)
        return self._kinds[need]

    def missing(self, kind: int, now: float) -> int:
        """What those of a kind lack to be admitted now, as bits of `Missing`."""
        lack = 0 if self.capacity.has_room(self.needs[kind], now) else _SEAT
        if self.caseload is not None and not self.caseload.free:
            lack |= _CASELOAD
        return lack or _ORDER

    @property
    def is_capped(self) -> bool:
        """Whether the waitlist may refuse anybody."""
        return self.cap < inf or bool(self.caps)

    def is_full_for(self, stay: Stay, ahead: int, ahead_of_origin: int) -> bool:
        """Whether a cap of the waitlist refuses the stay, given how many waited before it."""
        return ahead >= self.cap or ahead_of_origin >= self.caps.get(stay.origin, inf)


def _treatment(scenario: Scenario, name: str, track: str, source: str) -> Treatment:
    level = scenario.levels[name]
    care = care_of(level, track, source)
    certain, drawn = 0, []
    for bit, (service_name, service) in enumerate(scenario.services.items()):
        if (
            service.per == "session"
            or name not in service.levels
            or (service.tracks and track not in service.tracks)
        ):
            continue
        if service.share >= 1:
            certain |= 1 << bit
        elif service.share > 0:
            drawn.append((1 << bit, service.share, f"service {service_name}"))
    levels: Sequence[str] = list(scenario.levels)
    step_up = care.leave_early.step_up
    return Treatment(
        care=care,
        days_per_week=care.phases[0].days_per_week if care.phases else level.days_per_week or 0,
        boundaries=tuple(accumulate(phase.sessions for phase in care.phases or ())),
        services=certain,
        drawn_services=tuple(drawn),
        step_up_to=table(step_up.to, levels) if step_up else ([1.0], [-1]),
    )
