"""Care: how many are in it, which places they occupy or hold, how it ends, and how long it lasts.

S is the cohort whose care starts in the window (metrics.md).
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from iopsim.measures import possible
from iopsim.measures.registry import Better, Names, Ratio, Sample, Value, level_metric

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from iopsim.measures.window import Window
    from iopsim.scenario.schema import Scenario

__all__: list[str] = []  # the metrics are reached through the registry


# How many are in care, and occupy places


@level_metric(
    "census",
    "mean",
    "max",
    unit="patients",
    definition="Patients in care, without those held, suspended, or admitted but not started: time average, "
    "and the most at one instant of the window.",
)
def _census(window: Window, level: str, track: str | None) -> Mapping[str, Value]:
    return {
        "mean": Value(window.mean_count("in_care", level, track)),
        "max": Value(float(window.max_count("in_care", level, track))),
    }


@level_metric(
    "admitted_not_started",
    "mean",
    unit="patients",
    better="lower",
    definition="Patients who have a seat and wait for their first session: time average.",
    where=possible.has_groups,
)
def _admitted_not_started(window: Window, level: str, track: str | None) -> Value:
    return Value(window.mean_count("admitted", level, track))


@level_metric(
    "utilization",
    "mean",
    unit="share",
    better="higher",
    definition="Places occupied, held ones included, over places, time average while the plan limits them; for groups "
    "the same as `seat_utilization.mean`.",
    where=possible.has_limited_places,
)
def _utilization(window: Window, level: str, track: str | None) -> Ratio:
    if window.scenario.levels[level].groups:
        return Ratio(window.session_sum("taken", level), window.session_sum("seats", level))
    here, occupied, there = window.in_level(level, track), 0.0, 0.0
    for begin, end, plan in window.spells_inside:
        places = possible.places(plan, level, track)
        if places is not None:
            occupied += float(window.days("occupied", begin, end)[here].sum())
            there += places * (min(end, window.end) - max(begin, window.start))
    return Ratio(occupied, there)


# How care ends


def _ended(window: Window, level: str, track: str | None, *, way: str) -> Ratio:
    return Ratio.share(window.started_in_window(level, track), window.outcomes[way])


_WAYS: tuple[tuple[str, Better, str, Callable[[Scenario, Names], bool]], ...] = (
    ("completed", "higher", "completed the plan", possible.always),
    ("dropped_out", "lower", "dropped out", possible.can_drop_out),
    (
        "discharged",
        "lower",
        "discharged after missed sessions or because the payer approved no more",
        possible.can_be_discharged,
    ),
    ("stepped_up", "neither", "left for a higher level of care", possible.can_step_up),
    ("left", "neither", "called back to another level, or their group closed", possible.always),
    (
        "never_started",
        "lower",
        "left for any cause before attending a session (counted here only)",
        possible.has_groups,
    ),
    ("still_in_care", "neither", "still in care at the end of the run-out", possible.always),
)
for _way, _better, _text, _where in _WAYS:
    level_metric(
        _way,
        "share",
        unit="share",
        better=_better,
        definition=f"Of those whose care starts in the window: {_text}. The ways to end care sum to 1.",
        where=_where,
    )(partial(_ended, way=_way))


@level_metric(
    "authorization_cut",
    "share",
    unit="share",
    better="lower",
    definition="Of those whose care starts in the window: discharged because the payer approved no more; they are part "
    "of `discharged` too.",
    where=possible.can_be_cut,
)
def _authorization_cut(window: Window, level: str, track: str | None) -> Ratio:
    rows = window.started_in_window(level, track)
    cut = window.outcomes["discharged"][rows] & window.stays.is_cut[rows]
    return Ratio(float(cut.sum()), float(len(rows)))


@level_metric(
    "stay_days",
    "mean",
    "p50",
    "p90",
    unit="days",
    definition="End less start of care, of those whose care starts in the window and ends within the run.",
)
def _stay_days(window: Window, level: str, track: str | None) -> Sample:
    stays, rows = window.stays, window.started_in_window(level, track)
    return Sample(window.there(stays.ended[rows] - stays.started[rows]))


# Held places


@level_metric(
    "held",
    "mean",
    unit="patients",
    better="lower",
    definition="Patients who hold a place after treatment ended or was suspended: time average.",
    where=possible.can_hold,
)
def _held(window: Window, level: str, track: str | None) -> Value:
    return Value(window.mean_count("held", level, track))


@level_metric(
    "held_days",
    "total",
    "per_patient",
    unit="days",
    better="lower",
    definition="Total: patient-days that places are held in the window. Per patient: for those who get ready "
    "for a next level in the window (complete and go to a level, or need a higher one; each time counts, "
    "holds of no length too), the days that they then hold the place, in the window or after it.",
    where=possible.can_hold,
)
def _held_days(window: Window, level: str, track: str | None) -> Mapping[str, Value | Ratio]:
    from iopsim.measures.waiting import holds_in

    begin, end, _ = holds_in(window, level, track)
    ready = window.inside(begin)
    return {
        "total": Value(float(window.days("held")[window.in_level(level, track)].sum())),
        "per_patient": Ratio(float((end - begin)[ready].sum()), float(ready.sum())),
    }
