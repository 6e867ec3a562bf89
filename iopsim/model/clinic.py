"""One replication: the clinic of a scenario, built around a clock and run from opening to the end of run-out."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from math import floor, inf
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from iopsim.model.access import Access
from iopsim.model.allocation import Allocator
from iopsim.model.authorization import Payers
from iopsim.model.capacity import Capacity, Group, Groups, Places
from iopsim.model.clock import ARRIVAL, CHANGE, Clock
from iopsim.model.draws import Draws
from iopsim.model.journey import Journey
from iopsim.model.ledger import Floats, Ints, Ledger, Recorder
from iopsim.model.numbering import renumbered
from iopsim.model.opening import Opening
from iopsim.model.plan import SessionPlan
from iopsim.model.sources import referrals
from iopsim.model.staff import Staff
from iopsim.model.timeline import Timeline
from iopsim.model.units import Unit
from iopsim.model.visits import Visits
from iopsim.scenario.names import RETURNED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from iopsim.model.people import Patient
    from iopsim.scenario.schema import Scenario

__all__ = ["simulate"]

_MANY: Final = 1_000_000  # facts of a program so large that its room is worth a search


def simulate(scenario: Scenario, replication: int, used: set[tuple[object, ...]] | None = None) -> Ledger:
    """Run one replication and give its facts.

    Args:
        scenario: What to simulate; its `run.seed` and the replication index name all random numbers.
        replication: Index of the replication, from 0.
        used: When given, collects the key of every draw and makes a second use of one an AssertionError.
    """
    with _no_garbage_collection():
        written = _Clinic(scenario, replication, used).run()
        # The columns will take as much room as the rows: before they come, the clinic goes. Its parts, and whoever is
        # there, stand in circles. All of it is young; but only a whole search gives back what Python keeps for reuse.
        gc.collect(0 if len(written.recorder.facts) < _MANY else 2)
        return _ledger(scenario, written)


class _Written(NamedTuple):
    """What is left of a clinic.

    Attributes:
        recorder: The facts.
        people: All patients in the order in which they come: who they are, as `_identity` says it; (8, patients).
        referred: When they came; shape (patients,).
        posts, groups: In the ledger's order: role and place of a post by its number; numbers of the groups.
        events: How many there were.
    """

    recorder: Recorder
    people: Ints
    referred: Floats
    posts: dict[int, tuple[str, int]]
    groups: list[int]
    events: int


class _Clinic:
    """The parts of one replication, put together."""

    def __init__(self, scenario: Scenario, replication: int, used: set[tuple[object, ...]] | None) -> None:
        self._scenario = scenario
        self._timeline = Timeline(scenario)
        self._times = time_labels(scenario)
        self._modalities = modality_labels(scenario)
        self._clock = Clock(float(self._timeline.first), float(self._timeline.last))
        self._draws = Draws(scenario.run.seed, replication, used)
        self._recorder = Recorder(len(scenario.services))
        self._plan_now = scenario.on(self._timeline.date(self._timeline.first))
        self._staff = Staff(scenario, self._timeline, self._clock, self._draws, self._recorder)
        visits = Visits(scenario, self._clock, self._recorder, self._staff)
        self._groups: list[Group] = []
        self._units = [
            Unit(
                self._plan_now,
                index,
                self._capacity(name),
                self._staff.caseloads.get(level.caseload or ""),
                visits,
            )
            for index, (name, level) in enumerate(scenario.levels.items())
        ]
        self._allocator = Allocator(self._clock, self._recorder, self._units, visits)
        levels = list(scenario.levels)
        to = [levels.index(source.to) for source in scenario.sources.values()]
        self._journey = Journey(self._clock, self._draws, self._recorder, self._units, to)
        self._introduce(visits)
        self._arrival: Callable[[Patient], None] = self._arrive  # bound once, not for each of them

    def _introduce(self, visits: Visits) -> None:
        """Tell the parts of each other: they meet in circles."""
        clock, draws, recorder = self._clock, self._draws, self._recorder
        journey, allocator, staff = self._journey, self._allocator, self._staff
        self._plan = SessionPlan(clock, draws, recorder, journey, allocator, staff, self._groups)
        allocator.journey = staff.journey = journey
        journey.allocator = staff.allocator = visits.allocator = allocator
        journey.plan, journey.visits = self._plan, visits
        journey.access = Access(clock, draws, recorder, journey, allocator, staff)
        journey.payers = Payers(clock, draws, recorder, journey, self._plan)

    def _capacity(self, name: str) -> Capacity:
        level, tracks = self._plan_now.levels[name], list(self._scenario.tracks)
        if not level.groups:
            return Places(level, tracks)
        first = len(self._groups)
        groups = [
            Group(first + place, spec, self._timeline) for place, spec in enumerate(level.groups.values())
        ]
        self._groups.extend(groups)
        return Groups(groups, tracks, self._times, self._modalities)

    def run(self) -> _Written:
        """Live through all of it."""
        # Made before all that will go: a single number that stays keeps a million bytes around it.
        posts = {post.number: (post.crew.name, post.place) for post in self._staff.in_order()}
        groups = [group.index for group in sorted(self._groups, key=lambda group: (group.opens, group.index))]
        self._staff.open()
        for unit in self._units:
            if isinstance(unit.capacity, Groups):
                for group in unit.capacity.groups:
                    self._plan.open(group, unit)
        for edition in self._scenario.editions:
            if (
                edition.from_ is not None
                and (day := self._timeline.day(edition.from_)) > self._timeline.first
            ):
                self._clock.call_at(float(day), CHANGE, self._change, edition.plan)
        self._referrals = referrals(
            self._scenario, self._timeline, self._draws, self._times, self._modalities
        )
        self._there = self._settle_in() if self._scenario.from_today is not None else []
        self._arrivals = self._referrals.patients(len(self._there))
        self._next = next(self._arrivals, None)
        self._announce()
        self._clock.run()
        # What is known to be garbage need not be searched for: three quarters of the search.
        self._clock.forget()
        return _Written(self._recorder, *self._people(), posts, groups, self._clock.calls)

    def _settle_in(self) -> list[Patient]:
        """Those who are there when the run begins."""
        opening = Opening(
            self._scenario,
            self._timeline,
            self._draws,
            self._recorder,
            self._journey,
            self._units,
            {
                "track": [*self._scenario.tracks],
                "time": self._times,
                "modality": self._modalities,
                "payer": [*self._scenario.payers],
            },
        )
        opening.settle()
        return opening.people

    def _change(self, plan: Scenario) -> None:
        """From now on another plan is in force."""
        self._staff.change(plan)
        for unit in self._units:
            unit.change(plan)
        for unit in self._units:
            self._allocator.freed(unit)

    def _announce(self) -> None:
        """Put the arrivals of the next day that has any on the clock: known before it begins, they cost less."""
        self._first = patient = self._next
        midnight = inf if patient is None else floor(patient.referred) + 1.0
        while patient is not None and patient.referred < midnight:
            self._clock.call_at(patient.referred, ARRIVAL + patient.index, self._arrival, patient)
            patient = next(self._arrivals, None)
        self._next = patient

    def _arrive(self, patient: Patient) -> None:
        if patient is self._first:
            self._announce()
        self._journey.refer(patient)

    def _people(self) -> tuple[Ints, Floats]:
        there = sorted(self._there, key=lambda patient: (patient.referred, patient.index))
        who = np.array([_identity(patient) for patient in there], dtype=np.int32).reshape(-1, 8).T
        people = np.concatenate((who, self._referrals.columns), axis=1)
        come = people[:, len(there) :]
        come[0] += len(there)
        come[2] = np.array([cell.number for cell in self._referrals.cells], dtype=np.int32)[come[2]]
        return people, np.concatenate(([patient.referred for patient in there], self._referrals.when))


def _ledger(scenario: Scenario, written: _Written) -> Ledger:
    index, source, cell, row, track, time, modality, payer = written.people
    names = [name for level in scenario.levels.values() for name in level.groups]
    return Ledger(
        sources=tuple(scenario.sources),
        levels=tuple(scenario.levels),
        origins=(*scenario.sources, *scenario.levels, RETURNED),
        tracks=tuple(scenario.tracks),
        times=tuple(time_labels(scenario)),
        modalities=tuple(modality_labels(scenario)),
        payers=tuple(scenario.payers),
        groups=tuple(names[number] for number in written.groups),
        roles=tuple(scenario.staff),
        posts=tuple(written.posts.values()),
        services=tuple(scenario.services),
        patient_source=source,
        patient_cell=cell,
        patient_ordinal=row,
        patient_track=track,
        patient_time=time,
        patient_modality=modality,
        patient_payer=payer,
        patient_referred=written.referred,
        **renumbered(
            written.recorder.columns(), patients=index, posts=[*written.posts], groups=written.groups
        ),
        kernel_events=written.events,
    )


def _identity(patient: Patient) -> tuple[int, ...]:
    """Who a patient is, as the columns of `Referrals` say it, with the number of the cell."""
    traits = (patient.track, patient.time, patient.modality, patient.payer)
    return (patient.index, patient.source, patient.cell.number, patient.row, *traits)


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """Whoever has left stands in no circle: looking for garbage meanwhile costs a quarter of a replication's time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def time_labels(scenario: Scenario) -> list[str]:
    """All time preferences that a patient or a group may have, `either` first."""
    labels = ["either"]
    labels += [time for source in scenario.sources.values() for time in source.times]
    labels += [group.time for level in scenario.levels.values() for group in level.groups.values()]
    return list(dict.fromkeys(labels))


def modality_labels(scenario: Scenario) -> list[str]:
    """All modalities that a patient may prefer or a group have, `either` first."""
    labels = ["either"]
    labels += [modality for source in scenario.sources.values() for modality in source.modalities]
    labels += [group.modality for level in scenario.levels.values() for group in level.groups.values()]
    return list(dict.fromkeys(labels))
