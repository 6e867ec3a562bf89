"""A level of care as the model runs it: its room, its waitlist, and how it treats each kind of patient."""

from __future__ import annotations

from math import ceil, inf, log1p
from typing import TYPE_CHECKING, Final

from iopsim.model.ledger import Missing
from iopsim.model.sources import destination, table
from iopsim.model.terms import Approval, Returning, stages_of, treatments_of
from iopsim.model.waitlist import Kind, Waitlist
from iopsim.scenario.names import RETURNED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from iopsim.model.capacity import Capacity
    from iopsim.model.people import Patient, Stay
    from iopsim.model.staff import Caseload
    from iopsim.model.terms import Treatment
    from iopsim.model.visits import Visits
    from iopsim.scenario.levels import Level
    from iopsim.scenario.schema import Scenario

__all__ = ["Unit", "weeks_to_event"]

_SEAT: Final = int(Missing.SEAT)
_CASELOAD: Final = int(Missing.CASELOAD)
_ORDER: Final = int(Missing.ORDER)
_HOURS: Final = int(Missing.HOURS)
UNLISTED: Final = 1_000_000  # class of those whom `priority` does not name: after all others


def weeks_to_event(per_week: float, exponential: float) -> float:
    """Days until a weekly share acts, at the end of the week in which the cumulative hazard reaches the draw."""
    if per_week <= 0:
        return inf
    return 7.0 * max(1, ceil(exponential / -log1p(-per_week)))


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
        is_capped: Whether the waitlist may refuse anybody.
        stages: By origin: what lies before the waitlist, if anything does.
        approvals: By payer: what has to be approved, if anything has.
        renege_to, otherwise: Where those go who give up waiting, and those who find the list full.
        ages_into, ages_after_days: The class into which so many days of waiting lift a patient; none, and infinity.
        accepts_after_days: Days of waiting after which a group at any time is taken; infinity: never.
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
        self._kinds: dict[tuple[int, tuple[int, ...]], Kind] = {}

        self._know(scenario)
        self._know_payers(scenario)
        levels = list(scenario.levels)
        self.next = table({name: part.share for name, part in self.spec.next.items()}, levels)
        self.next_lag = {
            destination(name, levels): part.lag_days
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
        levels = list(scenario.levels)
        self.returns = Returning(self.spec.returns, levels) if self.spec.returns is not None else None
        self._know_waiting(levels)
        self._know_origins(scenario)
        self._tracks = len(scenario.tracks)
        self.treatments = treatments_of(scenario, self.name)
        waits_for_hours = any(treatment.gates for treatment in self.treatments)
        unlimited = self.caseload is None and self.capacity.is_unlimited
        self.takes_everybody = unlimited and not waits_for_hours and not self.strict

    def _know_origins(self, scenario: Scenario) -> None:
        """Classes, caps and stages by where patients come from."""
        names = [*scenario.sources, *scenario.levels, RETURNED]
        waitlist = self.spec.waitlist
        self.classes = [waitlist.priority.get(name, UNLISTED) for name in names]
        at_most = waitlist.at_most
        self.caps: Mapping[int, float] = {}
        self.cap: float = inf
        if isinstance(at_most, int):
            self.cap = float(at_most)
        elif at_most is not None:
            self.caps = {names.index(name): float(limit) for name, limit in at_most.items()}
        self.is_capped = self.cap < inf or bool(self.caps)

        levels = list(scenario.levels)
        self.stages = [stages_of(self.spec, name, name in scenario.sources, levels) for name in names]

    def _know_waiting(self, levels: Sequence[str]) -> None:
        """What becomes of those who wait long, give up, or find the list full."""
        waitlist = self.spec.waitlist
        self.renege_to = destination(waitlist.renege_to, levels)
        self.otherwise = destination(waitlist.otherwise, levels)
        into = waitlist.ages_into
        self.ages_into = into.class_ if into is not None else None
        self.ages_after_days = into.after_days if into is not None else inf
        accepts_after_days = waitlist.accept_other_time_after_days
        self.accepts_after_days = inf if accepts_after_days is None else accepts_after_days
        self.changes_with_waiting = min(self.ages_after_days, self.accepts_after_days) < inf

    def _know_payers(self, scenario: Scenario) -> None:
        """Authorization by who pays."""
        asked = [payer.authorization for payer in scenario.payers.values()]
        levels = list(scenario.levels)
        self.approvals = [
            Approval(each, self.spec, levels) if each is not None and self.name in each.levels else None
            for each in asked
        ]

    def treatment(self, patient: Patient) -> Treatment:
        """How the level treats a patient."""
        return self.treatments[patient.source * self._tracks + patient.track]

    def kind(self, patient: Patient, treatment: Treatment, any_time: bool = False) -> Kind:
        """The patient's kind of need within the waitlist."""
        need = self.capacity.need(patient, treatment, any_time)
        kind = self._kinds.get((need, treatment.gates))
        if kind is None:
            kinds = self.waitlist.kinds
            kind = self._kinds[need, treatment.gates] = Kind(len(kinds), need, treatment.gates)
            kinds.append(kind)
        return kind

    def missing(self, kind: Kind, now: float) -> int:
        """What those of a kind who wait lack to be admitted now, as bits of `Missing`."""
        lack = 0 if self.capacity.has_room(kind.need, now) else _SEAT
        if self.caseload is not None and not self.caseload.free:
            lack |= _CASELOAD
        if kind.gates and self._visits.possible_from(kind.gates, now) > now:
            lack |= _HOURS
        return lack or _ORDER

    def is_full_for(self, stay: Stay, ahead: int, ahead_of_origin: int) -> bool:
        """Whether a cap of the waitlist refuses the stay, given how many waited before it."""
        return ahead >= self.cap or ahead_of_origin >= self.caps.get(stay.origin, inf)
