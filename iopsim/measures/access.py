"""Access: referrals, the stages before the waitlist, waiting, giving up, and what holds people back.

A is the cohort that is referred to a level, or sent to its first stage of access, in the window; C the one that joins
its waitlist then (metrics.md).
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from iopsim.measures import possible
from iopsim.measures.registry import Names, Ratio, Sample, Value, level_metric, metric

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from iopsim.measures.window import Window
    from iopsim.scenario.schema import Scenario

__all__: list[str] = []  # the metrics are reached through the registry

_SPREAD = ("mean", "p50", "p90", "p95")
_STAGE_SPREAD = ("mean", "p50", "p90")


# Referrals, and what lies between them and the waitlist


@level_metric(
    "referrals",
    "total",
    "per_week",
    unit="patients",
    definition="Referrals by sources to the level in the window.",
    where=possible.has_source,
)
def _referrals(window: Window, level: str, track: str | None) -> Mapping[str, Value]:
    total = float(len(window.referred_in_window(level, track)))
    return {"total": Value(total), "per_week": Value(total / window.weeks)}


@level_metric(
    "applying",
    "mean",
    unit="patients",
    better="lower",
    definition="Patients in a stage of access, from referral to joining the waitlist: time average.",
    where=possible.can_take_time_to_apply,
)
def _applying(window: Window, level: str, track: str | None) -> Value:
    return Value(window.mean_count("applying", level, track))


def _lost(window: Window, level: str, track: str | None, *, stages: tuple[str, ...]) -> Ratio:
    return Ratio.share(window.referred_in_window(level, track), window.lost_at(*stages))


_LOSSES: tuple[tuple[str, tuple[str, ...], str, Callable[[Scenario, Names], bool]], ...] = (
    ("contact", ("CONTACT",), "never reached", possible.can_lose_at_contact),
    (
        "eligibility",
        ("SCREEN", "ASSESSMENT"),
        "found not eligible, at the screen or at the assessment",
        possible.can_lose_ineligible,
    ),
    (
        "intake",
        ("INTAKE",),
        "lost because they did not show to intake and did not book again",
        possible.can_lose_at_intake,
    ),
)
for _name, _stages, _text, _where in _LOSSES:
    level_metric(
        f"lost.{_name}",
        "share",
        unit="share",
        better="lower",
        definition=f"Of the referrals by sources in the window: {_text}.",
        where=_where,
    )(partial(_lost, stages=_stages))


@level_metric(
    "contact_days",
    *_STAGE_SPREAD,
    unit="days",
    better="lower",
    definition="Contact less referral, of those who are referred or sent to the level in the window and reached.",
    where=possible.can_take_time_to_contact,
)
def _contact_days(window: Window, level: str, track: str | None) -> Sample:
    stays, rows = window.stays, window.applied_in_window(level, track)
    return Sample(window.there(stays.contacted[rows] - stays.applied[rows]))


@level_metric(
    "intake_days",
    *_STAGE_SPREAD,
    unit="days",
    better="lower",
    definition="Assessment less the first booking, of those who are referred or sent to the level in the window and "
    "assessed.",
    where=possible.can_be_booked,
)
def _intake_days(window: Window, level: str, track: str | None) -> Sample:
    stays, rows = window.stays, window.applied_in_window(level, track)
    return Sample(window.there(stays.assessed[rows] - stays.booked[rows]))


@metric(
    "<level>.appointments",
    statistics=("per_week",),
    unit="appointments",
    definition="Intake appointments booked for days of the window, a week.",
    where=possible.can_be_booked,
)
def _appointments(window: Window, level: str) -> Value:
    from iopsim.measures.waiting import appointments

    return Value(appointments(window, level).booked / window.weeks)


@metric(
    "<level>.appointments.show",
    statistics=("share",),
    unit="share",
    better="higher",
    definition="Of the intake appointments of the window to which the patient could come: those they came to.",
    where=possible.can_miss_intake,
)
def _show(window: Window, level: str) -> Ratio:
    from iopsim.measures.waiting import appointments

    kept = appointments(window, level)
    return Ratio(kept.shown, kept.shown + kept.missed)


@metric(
    "<level>.wasted_slots",
    statistics=("per_week",),
    unit="appointments",
    better="lower",
    definition="Intake appointments of the window to which the patient did not show, a week.",
    where=possible.can_miss_intake,
)
def _wasted_slots(window: Window, level: str) -> Value:
    from iopsim.measures.waiting import appointments

    return Value(appointments(window, level).missed / window.weeks)


# The waitlist


@level_metric(
    "lost.refused",
    "share",
    unit="share",
    better="lower",
    definition="Of those who join in the window: refused because the waitlist was full.",
    where=possible.can_refuse,
)
def _refused(window: Window, level: str, track: str | None) -> Ratio:
    return Ratio.share(window.joined_in_window(level, track), window.has("refused"))


@level_metric(
    "lost.denied",
    "share",
    unit="share",
    better="lower",
    definition="Of those who join in the window, the refused included: denied by the payer.",
    where=possible.can_be_denied,
)
def _denied(window: Window, level: str, track: str | None) -> Ratio:
    return Ratio.share(window.joined_in_window(level, track), window.has("denied"))


@level_metric(
    "lost.reneged",
    "share",
    unit="share",
    better="lower",
    definition="The same as `reneged.share`, beside the other ways of being lost.",
    where=possible.can_renege,
)
@level_metric(
    "reneged",
    "share",
    unit="share",
    better="lower",
    definition="Of those who join in the window, the refused included: gave up waiting.",
    where=possible.can_renege,
)
def _reneged(window: Window, level: str, track: str | None) -> Ratio:
    return Ratio.share(window.joined_in_window(level, track), window.has("reneged"))


@level_metric(
    "wait_days",
    *_SPREAD,
    unit="days",
    better="lower",
    definition="Start of care less joining the waitlist, of those who join in the window and start; waits of "
    "zero included.",
    where=possible.can_wait,
)
def _wait_days(window: Window, level: str, track: str | None) -> Sample:
    return Sample(window.there(window.wait_days[window.joined_in_window(level, track)]))


@level_metric(
    "access_days",
    *_SPREAD,
    unit="days",
    better="lower",
    definition="Start of care less referral, of those referred by a source who join in the window and start.",
    where=possible.has_source,
)
def _access_days(window: Window, level: str, track: str | None) -> Sample:
    stays, rows = window.stays, window.joined_in_window(level, track)
    return Sample(window.there(stays.started[rows] - stays.referred[rows]))


@level_metric(
    "authorization_days",
    *_STAGE_SPREAD,
    unit="days",
    better="lower",
    definition="The payer's answer, yes or no, less joining the waitlist, of those who join in the window and get one.",
    where=possible.can_be_authorized,
)
def _authorization_days(window: Window, level: str, track: str | None) -> Sample:
    stays, rows = window.stays, window.joined_in_window(level, track)
    return Sample(window.there(stays.answered[rows] - stays.joined[rows]))


@level_metric(
    "reneged_wait_days",
    "mean",
    unit="days",
    definition="Time on the waitlist of those who join in the window and give up.",
    where=possible.can_renege,
)
def _reneged_wait_days(window: Window, level: str, track: str | None) -> Sample:
    stays, rows = window.stays, window.joined_in_window(level, track)
    return Sample(window.there(stays.reneged[rows] - stays.joined[rows]))


def _started_within(window: Window, level: str, track: str | None, *, days: int) -> Ratio:
    rows = window.joined_in_window(level, track)
    return Ratio(float((window.wait_days[rows] <= days).sum()), float(len(rows)))


for _days in (7, 14):
    level_metric(
        f"started_within_{_days}_days",
        "share",
        unit="share",
        better="higher",
        definition=f"Of all who join in the window, not only those who start: care started at most {_days} "
        "calendar days (24 hours each) after joining.",
        where=possible.can_wait,
    )(partial(_started_within, days=_days))


@level_metric(
    "unresolved",
    "share",
    unit="share",
    better="lower",
    definition="Of those who join in the window: still on the waitlist at the end of the run-out.",
    where=possible.can_wait,
)
def _unresolved(window: Window, level: str, track: str | None) -> Ratio:
    return Ratio.share(window.joined_in_window(level, track), window.still_waiting)


@level_metric(
    "waitlist",
    "mean",
    "max",
    unit="patients",
    better="lower",
    definition="Patients waiting: time average, and the most at one instant of the window.",
    where=possible.can_wait,
)
def _waitlist(window: Window, level: str, track: str | None) -> Mapping[str, Value]:
    return {
        "mean": Value(window.mean_count("waiting", level, track)),
        "max": Value(float(window.max_count("waiting", level, track))),
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
    in_groups = bool(window.scenario.levels[window.scenario.sources[source].to].groups)
    started = window.ever_attended if in_groups else window.has("started")
    return Ratio.share(window.referred_by(source), started)


@metric(
    "<level>.held_back_by.<missing>",
    statistics=("share",),
    unit="share",
    definition="Of the patient-days of the window that people wait or have an intake appointment ahead: those on which "
    "just this was missing. `intake`: the appointment is still ahead. `treatment`: it goes on in the level before. "
    "`order`: nothing was missing, but the head of a strict waitlist blocked.",
    where=possible.can_lack,
)
def _held_back_by(window: Window, level: str, missing: str) -> Ratio:
    from iopsim.measures.waiting import held_back_days

    days = held_back_days(window, level)
    return Ratio(days.by_set[missing], days.in_all)
