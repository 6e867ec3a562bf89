"""The events of one replication, one row each, in the columns that process-mining and animation tools read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iopsim.model.clinic import simulate
from iopsim.model.ledger import Fact

if TYPE_CHECKING:
    from iopsim.model.ledger import Ledger
    from iopsim.scenario.schema import Scenario

__all__ = ["event_rows"]

_TYPES = {
    Fact.REFERRED: "arrival_departure",
    Fact.JOINED: "queue",
    Fact.ADMITTED: "resource_use",
    Fact.RELEASED: "resource_use_end",
}
_WITH_GROUP = {Fact.ADMITTED, Fact.MOVED}
_WITH_POST = {Fact.ADMITTED, Fact.REASSIGNED, Fact.BOOKED, Fact.NO_SHOW, Fact.ASSESSED}


def event_rows(scenario: Scenario, index: int) -> list[tuple[object, ...]]:
    """Every fact of replication `index`: run, patient, level, type, event, time in days from `run.start`, resource.

    A patient is named by source, height cell and ordinal, so the same person has the same name in every plan. How
    those came to be where a run from today finds them stands in the planner's files, and stays there.
    """
    ledger = simulate(scenario, index)
    names = _patient_names(ledger)
    told = _told_by_files(ledger)
    rows: list[tuple[object, ...]] = []
    columns = (ledger.time, ledger.fact, ledger.stay, ledger.a, ledger.b)
    for time, code, stay, a, b in zip(*(column.tolist() for column in columns), strict=True):
        fact = Fact(code)
        if scenario.from_today and (time < 0 or fact in told.get(stay, ())):
            continue
        patient = int(ledger.stay_patient[stay])
        level = ledger.levels[ledger.stay_level[stay]]
        resource = _resource(ledger, a if fact in _WITH_GROUP else -1, b if fact in _WITH_POST else -1)
        kind = _TYPES.get(fact, "event")
        rows.append((index, names[patient], level, kind, fact.name.lower(), float(time), resource))
    return rows


def _told_by_files(ledger: Ledger) -> dict[int, frozenset[Fact]]:
    """What the files say of the stays that they find."""
    in_care = frozenset({Fact.JOINED, Fact.ADMITTED, Fact.STARTED})
    return {
        **dict.fromkeys(ledger.applicant_stay.tolist(), frozenset({Fact.REFERRED, Fact.SENT})),
        **dict.fromkeys(ledger.listed_stay.tolist(), frozenset({Fact.JOINED})),
        **dict.fromkeys(ledger.resident_stay.tolist(), in_care),
    }


def _patient_names(ledger: Ledger) -> list[str]:
    parts = (ledger.patient_source, ledger.patient_cell, ledger.patient_ordinal)
    rows = zip(*(part.tolist() for part in parts), strict=True)
    return [f"{ledger.sources[source]}/{cell}/{ordinal}" for source, cell, ordinal in rows]


def _resource(ledger: Ledger, group: int, post: int) -> str | None:
    names = []
    if group >= 0:
        names.append(ledger.groups[group])
    if post >= 0:
        role, number = ledger.posts[post]
        names.append(f"{role}/{number + 1}")
    return " ".join(names) or None
