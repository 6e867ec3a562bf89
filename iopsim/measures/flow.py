"""Flow of patients: referrals, waiting, giving up, how care ends, held places, and what holds people back.

C is the cohort that joined a level's waitlist in the window, S the one whose care started in it (metrics.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

from iopsim.measures.registry import Better, Compute, Names, Ratio, Sample, Value, metric
from iopsim.scenario.parts import HOME

if TYPE_CHECKING:
    from collections.abc import Callable

    from iopsim.measures.window import Bools, Kind, Window
    from iopsim.scenario.levels import CarePart, LeaveEarly, Level
    from iopsim.scenario.schema import Scenario

__all__ = ["has_groups"]  # the metrics are reached through the registry

_SPREAD = ("mean", "p50", "p90", "p95")


def _always(scenario: Scenario, names: Names) -> bool:
    return True


def _level(
    name: str,
    *statistics: str,
    unit: str,
    definition: str,
    better: Better = "neither",
    where: Callable[[Scenario, Names], bool] = _always,
) -> Callable[[Compute], Compute]:
    """Register a metric of a level, for all its patients and for those of each track."""
    return metric(
        f"<level>[.<track>].{name}",
        statistics=statistics,
        unit=unit,
        better=better,
        definition=definition,
        where=where,
    )


# Where a metric makes sense: what cannot happen in a scenario has no metric


def _care(scenario: Scenario, names: Names) -> list[Level | CarePart]:
    level = scenario.levels[names["level"]]
    return [level, *level.by.track.values(), *level.by.source.values()]


def _leave_early(scenario: Scenario, names: Names) -> list[LeaveEarly]:
    return [part.leave_early for part in _care(scenario, names) if part.leave_early]


def has_groups(scenario: Scenario, names: Names) -> bool:
    """Whether the level treats in groups."""
    return bool(scenario.levels[names["level"]].groups)


def _has_source(scenario: Scenario, names: Names) -> bool:
    return any(source.to == names["level"] for source in scenario.sources.values())


def _has_limited_places(scenario: Scenario, names: Names) -> bool:
    level = scenario.levels[names["level"]]
    if "track" in names:
        return isinstance(level.places, Mapping) and names["track"] in level.places
    return bool(level.groups) or level.places != "unlimited"


def _can_wait(scenario: Scenario, names: Names) -> bool:
    level = scenario.levels[names["level"]]
    return bool(level.groups or level.caseload) or level.places != "unlimited"


def _can_refuse(scenario: Scenario, names: Names) -> bool:
    return scenario.levels[names["level"]].waitlist.at_most is not None


def _can_renege(scenario: Scenario, names: Names) -> bool:
    return any(part.waitlist and part.waitlist.patience_days is not None for part in _care(scenario, names))


def _can_hold(scenario: Scenario, names: Names) -> bool:
    level = scenario.levels[names["level"]]
    steps = [leave.step_up for leave in _leave_early(scenario, names) if leave.step_up]
    return (level.hold_days > 0 and level.next.keys() != {HOME}) or any(step.hold_days > 0 for step in steps)


def _can_drop_out(scenario: Scenario, names: Names) -> bool:
    return any(
        leave.dropout is not None or leave.dropout_per_week is not None
        for leave in _leave_early(scenario, names)
    )


def _can_step_up(scenario: Scenario, names: Names) -> bool:
    return any(leave.step_up is not None for leave in _leave_early(scenario, names))


def _can_lack(scenario: Scenario, names: Names) -> bool:
    level = scenario.levels[names["level"]]
    seat, role = _has_limited_places(scenario, names), level.caseload
    lacking = {"seat": seat, "order": level.waitlist.discipline == "strict"}
    if role:
        lacking |= {role: True, f"seat_and_{role}": seat}
    return lacking.get(names["missing"], False)


def _has_caseload(scenario: Scenario, names: Names) -> bool:
    role = scenario.staff[names["role"]]
    return role.posts * role.caseload_limit > 0 and any(
        level.caseload == names["role"] for level in scenario.levels.values()
    )


def _share(cohort: Bools, chosen: Bools) -> Ratio:
    return Ratio(float((cohort & chosen).sum()), float(cohort.sum()))


# Referrals and access


@_level(
    "referrals",
    "total",
    "per_week",
    unit="patients",
    definition="Referrals by sources to the level in the window.",
    where=_has_source,
)
def _referrals(window: Window, level: str, track: str | None) -> Mapping[str, Value]:
    total = float((window.in_level(level, track) & window.inside(window.stays.referred)).sum())
    return {"total": Value(total), "per_week": Value(total / window.weeks)}


@_level(
    "lost.refused",
    "share",
    unit="share",
    better="lower",
    definition="Of those who join in the window: refused because the waitlist was full.",
    where=_can_refuse,
)
def _refused(window: Window, level: str, track: str | None) -> Ratio:
    return _share(window.joined_in_window(level, track), window.happened(window.stays.refused))


@_level(
    "lost.reneged",
    "share",
    unit="share",
    better="lower",
    definition="The same as `reneged.share`, beside the other ways of being lost.",
    where=_can_renege,
)
@_level(
    "reneged",
    "share",
    unit="share",
    better="lower",
    definition="Of those who join in the window, the refused included: gave up waiting.",
    where=_can_renege,
)
def _reneged(window: Window, level: str, track: str | None) -> Ratio:
    return _share(window.joined_in_window(level, track), window.happened(window.stays.reneged))


@_level(
    "wait_days",
    *_SPREAD,
    unit="days",
    better="lower",
    definition="Start of care less joining the waitlist, of those who join in the window and start; waits of "
    "zero included.",
    where=_can_wait,
)
def _wait_days(window: Window, level: str, track: str | None) -> Sample:
    started = window.joined_in_window(level, track) & window.happened(window.stays.started)
    return Sample(window.wait_days[started])


@_level(
    "access_days",
    *_SPREAD,
    unit="days",
    better="lower",
    definition="Start of care less referral, of those referred by a source who join in the window and start.",
    where=_has_source,
)
def _access_days(window: Window, level: str, track: str | None) -> Sample:
    stays = window.stays
    days = stays.started - stays.referred
    return Sample(days[window.joined_in_window(level, track) & window.happened(days)])


@_level(
    "reneged_wait_days",
    "mean",
    unit="days",
    definition="Time on the waitlist of those who join in the window and give up.",
    where=_can_renege,
)
def _reneged_wait_days(window: Window, level: str, track: str | None) -> Sample:
    days = window.stays.reneged - window.stays.joined
    return Sample(days[window.joined_in_window(level, track) & window.happened(days)])


def _started_within(window: Window, level: str, track: str | None, *, days: int) -> Ratio:
    return _share(window.joined_in_window(level, track), window.wait_days <= days)


for _days in (7, 14):
    _level(
        f"started_within_{_days}_days",
        "share",
        unit="share",
        better="higher",
        definition=f"Of all who join in the window, not only those who start: care started at most {_days} "
        "calendar days (24 hours each) after joining.",
        where=_can_wait,
    )(partial(_started_within, days=_days))


@_level(
    "unresolved",
    "share",
    unit="share",
    better="lower",
    definition="Of those who join in the window: still on the waitlist at the end of the run-out.",
    where=_can_wait,
)
def _unresolved(window: Window, level: str, track: str | None) -> Ratio:
    return _share(window.joined_in_window(level, track), window.still_waiting)


# How many wait, are in care, and occupy places


def _mean_and_max(window: Window, level: str, track: str | None, *, kind: Kind) -> Mapping[str, Value]:
    here = window.in_level(level, track)
    return {
        "mean": Value(window.mean_count(kind, here)),
        "max": Value(float(window.max_count(kind, here))),
    }


_level(
    "waitlist",
    "mean",
    "max",
    unit="patients",
    better="lower",
    definition="Patients waiting: time average, and the most at one instant of the window.",
    where=_can_wait,
)(partial(_mean_and_max, kind="waiting"))

_level(
    "census",
    "mean",
    "max",
    unit="patients",
    definition="Patients in care, without those held, suspended, or admitted but not started: time average, "
    "and the most at one instant of the window.",
)(partial(_mean_and_max, kind="in_care"))


@_level(
    "admitted_not_started",
    "mean",
    unit="patients",
    better="lower",
    definition="Patients who have a seat and wait for their first session: time average.",
    where=has_groups,
)
def _admitted_not_started(window: Window, level: str, track: str | None) -> Value:
    return Value(window.mean_count("admitted", window.in_level(level, track)))


@_level(
    "utilization",
    "mean",
    unit="share",
    better="higher",
    definition="Places occupied, held ones included, over places, time average; for groups the same as "
    "`seat_utilization.mean`.",
    where=_has_limited_places,
)
def _utilization(window: Window, level: str, track: str | None) -> Ratio:
    if window.scenario.levels[level].groups:
        return Ratio(window.session_sum("taken", level), window.session_sum("seats", level))
    table = window.scenario.levels[level].places
    places = (table[track] if track else sum(table.values())) if isinstance(table, Mapping) else int(table)
    return Ratio(float(window.days("occupied")[window.in_level(level, track)].sum()), places * window.length)


@metric(
    "<role>.caseload_utilization",
    statistics=("mean",),
    unit="share",
    better="higher",
    definition="Patients with a clinician of this role over the sum of the caseload limits, time average.",
    where=_has_caseload,
)
def _caseload_utilization(window: Window, role: str) -> Ratio:
    staff = window.scenario.staff[role]
    patients = window.days("occupied")[window.with_role(role)].sum()
    return Ratio(float(patients), staff.posts * staff.caseload_limit * window.length)


# How care ends


def _ended(window: Window, level: str, track: str | None, *, way: str) -> Ratio:
    return _share(window.started_in_window(level, track), window.outcomes[way])


_WAYS: tuple[tuple[str, Better, str, Callable[[Scenario, Names], bool]], ...] = (
    ("completed", "higher", "completed the plan", _always),
    ("dropped_out", "lower", "dropped out", _can_drop_out),
    ("discharged", "lower", "discharged after missed sessions", has_groups),
    ("stepped_up", "neither", "left for a higher level of care", _can_step_up),
    ("left", "neither", "called back to another level, or their group closed", _always),
    (
        "never_started",
        "lower",
        "left for any cause before attending a session (counted here only)",
        has_groups,
    ),
    ("still_in_care", "neither", "still in care at the end of the run-out", _always),
)
for _way, _better, _text, _where in _WAYS:
    _level(
        _way,
        "share",
        unit="share",
        better=_better,
        definition=f"Of those whose care starts in the window: {_text}. The ways to end care sum to 1.",
        where=_where,
    )(partial(_ended, way=_way))


@_level(
    "stay_days",
    "mean",
    "p50",
    "p90",
    unit="days",
    definition="End less start of care, of those whose care starts in the window and ends within the run.",
)
def _stay_days(window: Window, level: str, track: str | None) -> Sample:
    days = window.stays.ended - window.stays.started
    return Sample(days[window.started_in_window(level, track) & window.happened(days)])


# Held places


@_level(
    "held",
    "mean",
    unit="patients",
    better="lower",
    definition="Patients who hold a place after treatment ended or was suspended: time average.",
    where=_can_hold,
)
def _held(window: Window, level: str, track: str | None) -> Value:
    return Value(window.mean_count("held", window.in_level(level, track)))


@_level(
    "held_days",
    "total",
    "per_patient",
    unit="days",
    better="lower",
    definition="Total: patient-days that places are held in the window. Per patient: for those who get ready "
    "for a next level in the window (complete and go to a level, or need a higher one; each time counts, "
    "holds of no length too), the days that they then hold the place, in the window or after it.",
    where=_can_hold,
)
def _held_days(window: Window, level: str, track: str | None) -> Mapping[str, Value | Ratio]:
    here = window.in_level(level, track)
    begin, end, stay = window.holds
    ready = here[stay] & window.inside(begin)
    return {
        "total": Value(float(window.days("held")[here].sum())),
        "per_patient": Ratio(float((end - begin)[ready].sum()), float(ready.sum())),
    }


# From source to first session, and what holds people back


@metric(
    "<source>.conversion",
    statistics=("share",),
    unit="share",
    better="higher",
    definition="Of the source's referrals in the window: attended a first session (in places: started care) "
    "at the level that the source refers to.",
)
def _conversion(window: Window, source: str) -> Ratio:
    stays, level = window.stays, window.scenario.sources[source].to
    referred = window.inside(stays.referred) & (stays.source == window.ledger.sources.index(source))
    in_groups = bool(window.scenario.levels[level].groups)
    return _share(referred, window.ever_attended if in_groups else window.happened(stays.started))


@metric(
    "<level>.held_back_by.<missing>",
    statistics=("share",),
    unit="share",
    definition="Of the patient-days that people wait in the window: those on which just this was missing. "
    "`order`: nothing was, but the head of a strict waitlist blocked.",
    where=_can_lack,
)
def _held_back_by(window: Window, level: str, missing: str) -> Ratio:
    waiting = float(window.days("waiting")[window.in_level(level)].sum())
    return Ratio(window.blocked_days(level)[missing], waiting)
