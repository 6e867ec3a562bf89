"""Those who are there when a run begins today: in care, on a waitlist or before it, as files say (model.md §10).

What they have done so far is written at its own time, before the opening. What is left of a stay and of patience is
drawn given what has passed; everything else about them is decided from now on like everybody else's.
"""

from __future__ import annotations

from bisect import bisect_right
from math import floor
from typing import TYPE_CHECKING, NamedTuple

from iopsim.model.capacity import Groups, Offer, bits_of
from iopsim.model.draws import Cell
from iopsim.model.elapsed import given_elapsed
from iopsim.model.ledger import Fact, Missing
from iopsim.model.people import APPLYING, HELD, IN_CARE, NEVER, SUSPENDED, WAITING, Patient, Stay
from iopsim.model.sources import choose, table
from iopsim.model.timeline import in_days
from iopsim.scenario.names import RETURNED
from iopsim.scenario.today import Applicant, applicants, listed, residents

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from iopsim.model.draws import Draws
    from iopsim.model.journey import Journey
    from iopsim.model.ledger import Recorder
    from iopsim.model.timeline import Timeline
    from iopsim.model.units import Unit
    from iopsim.scenario.schema import Scenario
    from iopsim.scenario.today import Listed, Resident

__all__ = ["APPLICANTS", "LISTED", "RESIDENTS", "Opening"]

# Height cells of those in the files: below every cell of referrals.
RESIDENTS, LISTED, APPLICANTS = -1_000_001, -1_000_002, -1_000_003


class _Begun(NamedTuple):
    """A stay that has begun before the opening, in the order in which they did."""

    time: float
    file: int
    row: int
    patient: Patient
    unit: Unit


class Opening:
    """Settles in those who are there at the opening, `people` in the order of the files, residents first."""

    def __init__(
        self,
        scenario: Scenario,
        timeline: Timeline,
        draws: Draws,
        recorder: Recorder,
        journey: Journey,
        units: Sequence[Unit],
        names: Mapping[str, Sequence[str]],
    ) -> None:
        self._scenario = scenario
        self._timeline = timeline
        self._now = float(timeline.first)
        self._draws = draws
        self._recorder = recorder
        self._journey = journey
        self._units = {unit.name: unit for unit in units}
        self._names = names
        self._residents, self._listed = residents(scenario), listed(scenario)
        self._applicants = applicants(scenario)
        rows = {RESIDENTS: self._residents, LISTED: self._listed, APPLICANTS: self._applicants}
        self._cells = {number: Cell("from today", number, len(file)) for number, file in rows.items()}
        self._chance = {
            (number, trait): draws.block(cell, trait)
            for number, cell in self._cells.items()
            for trait in names
        }
        self.people: list[Patient] = []
        self._said_ahead: dict[str, Resident | Listed | Applicant] = {
            row.id: row for rows in (self._listed, self._applicants) for row in rows if row.id
        }
        self._of_resident = [self._patient(row, RESIDENTS, at) for at, row in enumerate(self._residents)]
        both = {row.id: who for row, who in zip(self._residents, self._of_resident, strict=True) if row.id}
        self._of_listed = [
            both.get(row.id) or self._patient(row, LISTED, at) for at, row in enumerate(self._listed)
        ]
        self._of_applicant = [
            both.get(row.id) or self._patient(row, APPLICANTS, at) for at, row in enumerate(self._applicants)
        ]

    # ── who they are ─────────────────────────────────────────────────────────────────────────────────────────

    def _patient(self, row: Resident | Listed | Applicant, number: int, ordinal: int) -> Patient:
        """A patient as the files say, and as their source makes them where they do not."""
        cell, ahead = self._cells[number], self._said_ahead.get(row.id, row)
        source = row.source or ahead.source or self._refers_to(row.level)
        spec = self._scenario.sources[source]
        shares = {
            "track": self._scenario.track_shares(spec),
            "time": self._scenario.time_shares(spec),
            "modality": self._scenario.modality_shares(spec),
            "payer": self._scenario.payer_shares(spec),
        }
        traits: dict[str, int] = {}
        for trait, names in self._names.items():
            said = getattr(row, trait) or getattr(ahead, trait)
            if said is None:
                traits[trait] = choose(
                    table(shares[trait], names), float(self._chance[number, trait][ordinal])
                )
            else:
                traits[trait] = names.index(said)
        patient = Patient(
            index=len(self.people),
            source=list(self._scenario.sources).index(source),
            cell=cell,
            row=ordinal,
            track=traits["track"],
            time=traits["time"],
            modality=traits["modality"],
            payer=traits["payer"],
            referred=self._now - row.days,
        )
        self.people.append(patient)
        return patient

    def _refers_to(self, level: str) -> str:
        """The first source that refers to a level, or the first of all."""
        to_level = [name for name, source in self._scenario.sources.items() if source.to == level]
        return (to_level or list(self._scenario.sources))[0]

    # ── settling in ──────────────────────────────────────────────────────────────────────────────────────────

    def settle(self) -> None:
        """Let everybody take their place, in the order in which they came, and write down what has happened."""
        files: tuple[Sequence[Resident | Listed | Applicant], ...] = (
            self._residents,
            self._listed,
            self._applicants,
        )
        people = (self._of_resident, self._of_listed, self._of_applicant)
        begun = [
            _Begun(self._now - row.days, file, at, people[file][at], self._units[row.level])
            for file, rows in enumerate(files)
            for at, row in enumerate(rows)
        ]
        for resident in self._residents:  # whoever has no therapist by name gets the least loaded
            if resident.post is not None and (caseload := self._units[resident.level].caseload) is not None:
                caseload.count(caseload.first + resident.post, 1)
        stays: dict[tuple[int, int], Stay] = {}
        for each in sorted(begun, key=lambda one: one[:3]):
            each.patient.referred = min(each.patient.referred, each.time)
            if each.file == 0:
                stays[0, each.row] = self._take_place(each, self._residents[each.row])
            else:
                stays[each.file, each.row] = self._set_out(each, files[each.file][each.row])
        self._recorder.residents = [stays[0, at].number for at in range(len(self._residents))]
        self._recorder.listed = [stays[1, at].number for at in range(len(self._listed))]
        self._recorder.applicants = [stays[2, at].number for at in range(len(self._applicants))]
        for at in range(len(self._residents)):
            self._go_on(stays[0, at])
        for at in range(len(self._listed)):
            self._wait(stays[1, at])
        for at, applicant in enumerate(self._applicants):
            self._apply(stays[2, at], applicant)
        self._recorder.facts.sort()
        for unit in self._units.values():
            unit.settled = False
            self._journey.allocator.ask(unit)

    def _stay(self, each: _Begun, origin: int) -> Stay:
        patient, unit = each.patient, each.unit
        patient.been += (unit.index,)
        treatment = unit.treatment(patient)
        number = len(self._recorder.stays)
        stay = Stay(
            number=number,
            patient=patient,
            unit=unit,
            treatment=treatment,
            entry=patient.been.count(unit.index),
            origin=origin,
            kind=unit.kind(patient, treatment),
            rank=(unit.classes[origin], each.time, patient.index, number),
            joined=each.time,
        )
        self._recorder.stays.append((patient.index, unit.index, stay.entry, stay.kind.number))
        return stay

    def _write(self, time: float, fact: Fact, stay: Stay, a: int = -1, b: int = -1, c: int = -1) -> None:
        self._recorder.write(time, fact, stay.number, a, b, c)

    # ── in care ──────────────────────────────────────────────────────────────────────────────────────────────

    def _take_place(self, each: _Begun, row: Resident) -> Stay:
        """In care since then, whether or not the plan has so many places."""
        stay, unit = self._stay(each, each.patient.source), each.unit
        stay.admitted = each.time
        stay.state, stay.treated, stay.since = IN_CARE, row.days, self._now
        stay.patient.here = stay
        offer = self._offer(stay, row)
        if isinstance(unit.capacity, Groups):
            self._use_sessions(stay, row, offer)
            wanted = self._days_per_week(stay)
            offer = Offer(group=offer.group, days=_least_full(offer, wanted))
        unit.capacity.take(stay, offer)
        if (caseload := unit.caseload) is not None:
            if row.post is None:
                stay.post = caseload.take_over()
            else:
                stay.post = caseload.first + row.post  # counted before
            caseload.patients[stay.number] = stay
        self._write(each.time, Fact.JOINED, stay, stay.origin)
        group = -1 if stay.group is None else stay.group.index
        self._write(each.time, Fact.ADMITTED, stay, group, stay.post, bits_of(stay.days))
        return stay

    def _offer(self, stay: Stay, row: Resident) -> Offer:
        capacity = stay.unit.capacity
        if not isinstance(capacity, Groups):
            return Offer(pool=stay.kind.need)
        number = list(stay.unit.spec.groups).index(str(row.group))
        group = capacity.groups[number]
        return Offer(group=group, days=group.weekdays)

    def _days_per_week(self, stay: Stay) -> int:
        treatment = stay.treatment
        return treatment.phase_days[stay.phase] if treatment.phase_days else treatment.days_per_week

    def _use_sessions(self, stay: Stay, row: Resident, offer: Offer) -> None:
        """Put the stay where its plan is after the sessions used: those that the file says, or that were scheduled."""
        used = self._scheduled(stay, row.days, offer) if row.sessions is None else row.sessions
        stay.had_before = used
        stay.attends = b"\1" * used
        boundaries = stay.treatment.boundaries
        if boundaries:
            stay.phase = _phase(used, boundaries)
            stay.extended = used >= boundaries[-1] and stay.treatment.extension_share is not None

    def _scheduled(self, stay: Stay, days: float, offer: Offer) -> int:
        """Sessions since the start of care, if so many a week took place as the plan has, closed days apart."""
        if offer.group is None:
            return 0
        phase_days, boundaries = stay.treatment.phase_days, stay.treatment.boundaries
        clock, started = in_days(offer.group.spec.start_hour), self._now - days
        used = 0
        for day in range(floor(started), floor(self._now)):
            met = offer.days[: phase_days[_phase(used, boundaries)]] if phase_days else offer.days
            is_met = self._timeline.weekday(day) in met and day not in self._timeline.closed
            used += is_met and day + clock >= started
        return used

    def _go_on(self, stay: Stay) -> None:
        """Care that has begun goes on, unless the patient only keeps the place: foresee what is left of it."""
        journey, ahead = self._journey, stay.patient.ahead
        services = journey.services(stay)
        journey.write_start(stay.admitted, stay, services)
        if ahead is not None:
            self._bind(stay, ahead, services)
        else:
            self._resume(stay, services, self._sure_days(stay))

    def _resume(self, stay: Stay, services: int, sure_days: float = 0.0) -> None:
        """Foresee what is left; who has had all sessions of the plan completes now, or on resuming treatment."""
        if self._has_had_all(stay):
            stay.ends_after = stay.treated
            self._journey.watch(stay)
        else:
            elapsed = self._now - stay.admitted
            self._journey.undergo(stay, services, elapsed, stay.treated + sure_days)

    def _bind(self, stay: Stay, ahead: Stay, services: int) -> None:
        """One person in two files: has asked for a higher level, keeps the place after treatment, or is to go on."""
        level, to = stay.unit, ahead.unit.index
        step_up = stay.treatment.step_up
        if to not in level.next[1] and step_up is not None:
            self._stop(stay, ahead, services, step_up.hold_days)
            return
        over = max(ahead.joined, stay.admitted) + level.refer_before_days
        if over > self._now or not level.hold_days:
            stay.bound = to
            if ahead.state is WAITING:
                ahead.lacks |= int(Missing.TREATMENT)
            self._resume(stay, services)
            if stay.treatment.stay_days is not None and level.refer_before_days:
                # When it would end was known as the list was joined.
                stay.ends_after = stay.treated + max(0.0, over - self._now)
                self._journey.watch(stay)
        else:
            self._write(over, Fact.COMPLETED, stay, to)
            self._journey.hold(stay, HELD, to, level.hold_days, self._now - over)

    def _stop(self, stay: Stay, ahead: Stay, services: int, hold_days: float) -> None:
        """Treatment stands still since a higher level was asked for."""
        since = max(ahead.joined, stay.admitted)
        elapsed = self._now - since
        stay.treated -= elapsed
        self._resume(stay, services)
        stay.step_up_after = NEVER  # one need a stay
        self._write(since, Fact.SUSPENDED, stay, ahead.unit.index)
        self._journey.hold(stay, SUSPENDED, ahead.unit.index, hold_days, elapsed)

    def _sure_days(self, stay: Stay) -> float:
        """Days of treatment that are sure to come: who is to end sooner would stand on the next list already."""
        today = self._scenario.from_today
        is_told = today is not None and today.waitlist is not None
        return stay.unit.refer_before_days if is_told else 0.0

    def _has_had_all(self, stay: Stay) -> bool:
        """Whether the sessions used are those of the whole plan, extended if that can be."""
        plan = stay.treatment.boundaries
        return bool(plan) and stay.had >= plan[-1] + stay.treatment.extension_sessions

    # ── on a list ────────────────────────────────────────────────────────────────────────────────────────────

    def _set_out(self, each: _Begun, row: Resident | Listed | Applicant) -> Stay:
        """On the way to a level from where the file says, or else from the source."""
        names = [*self._scenario.sources, *self._scenario.levels, RETURNED]
        said = getattr(row, "origin", None)
        origin = names.index(said) if said is not None else each.patient.source
        stay = self._stay(each, origin)
        if isinstance(row, Applicant):
            stay.state = APPLYING
        each.patient.ahead = stay
        return stay

    def _wait(self, stay: Stay) -> None:
        """On the list since then; who holds a place elsewhere meanwhile goes on holding it."""
        journey, now, unit = self._journey, self._now, stay.unit
        self._write(stay.joined, Fact.JOINED, stay, stay.origin)
        asked = unit.approvals[stay.patient.payer]
        if asked is not None:
            answered = stay.joined + journey.payers.delay(stay, asked)
            if answered > now:
                journey.payers.expect(stay, asked, answered)
            else:
                self._write(answered, Fact.AUTHORIZED, stay)
        unit.waitlist.add(stay)
        if unit.changes_with_waiting:
            journey.change_at_once(stay)
            journey.foresee_change(stay)
        law = stay.treatment.patience_days
        if law is not None and stay.patient.here is None:
            drawn = self._draws.uniform(stay, "patience")
            journey.renege_at(stay, stay.joined + given_elapsed(law, now - stay.joined, drawn))

    # ── before the list ──────────────────────────────────────────────────────────────────────────────────────

    def _apply(self, stay: Stay, row: Applicant) -> None:
        """Referred, and still in a stage of access: with an appointment, or to be reached."""
        is_referred = stay.origin < len(self._scenario.sources)
        self._write(stay.joined, Fact.REFERRED if is_referred else Fact.SENT, stay, stay.origin)
        when = None if row.appointment is None else self._now + row.appointment
        self._journey.access.go_on(stay, when)


def _phase(used: int, boundaries: Sequence[int]) -> int:
    """The phase in which one is who has used so many sessions; the last one from its end on."""
    return min(bisect_right(boundaries, used), len(boundaries) - 1)


def _least_full(offer: Offer, wanted: int) -> tuple[int, ...]:
    """So many of a group's weekdays, the least full first; all where the plan does not say."""
    group = offer.group
    if group is None or not wanted or wanted >= len(offer.days):
        return offer.days
    return tuple(sorted(sorted(offer.days, key=group.taken.__getitem__)[:wanted]))
