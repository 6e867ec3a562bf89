"""What figures need beyond the metrics: weekly series, and profiles such as the histogram of waits.

Names are dotted like those of metrics. Series have one number per week from opening to the end of the run-out;
what the numbers of a profile are is said by the functions below.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np

from iopsim.measures.books import weekly_cost, weekly_costs, weekly_revenue
from iopsim.measures.possible import stages, varies
from iopsim.measures.posts import mean_carried, posts
from iopsim.measures.registry import bound
from iopsim.measures.sessions import seats_at_sessions
from iopsim.measures.tables import sums
from iopsim.measures.window import remembered
from iopsim.scenario.parts import WEEKDAYS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from iopsim.measures.window import Bools, Floats, Window
    from iopsim.scenario.schema import Scenario

__all__ = ["funnel_steps", "profiles", "weekly"]

_STAGE_DONE = {"contact": "contacted", "intake": "assessed"}
_SIGNS = {  # of who has come so far, where it is not one of the same name: whoever skips a step has passed it
    "referred": ("referred", "sent", "joined"),
    "contacted": ("contacted", "booked", "joined"),
    "assessed": ("assessed", "joined"),
    "attended": ("started",),
}


def weekly(window: Window) -> dict[str, list[float]]:
    """Mean `<level>.census` and `.waitlist`, `.starts` of care, `_posts` of roles that vary, and `_money`, by week."""
    run = window.scenario.run
    first, last = -run.warm_up_weeks, run.weeks + run.run_out_weeks
    series: dict[str, list[float]] = {}
    for level in window.scenario.levels:
        series[f"{level}.census"] = window.weekly_mean("in_care", level, first, last).tolist()
        series[f"{level}.waitlist"] = window.weekly_mean("waiting", level, first, last).tolist()
        started = window.there(window.stays.started[window.in_level(level)])
        week = window.week_of(started[(started >= 7 * first) & (started < 7 * last)])
        series[f"{level}.starts"] = np.bincount(week - first, minlength=last - first).astype(float).tolist()
    edges = window.start + 7 * np.arange(first, last + 1.0)
    for role in window.scenario.staff:
        if varies(window.scenario, role):
            series |= _posts(window, role, edges)
    return series | _money(window)


def _money(window: Window) -> dict[str, list[float]]:
    """`program.revenue`, `program.cost` and its causes, where there is a metric of that name."""
    there = {entry.stem for entry in bound(window.scenario)}
    amounts = {"revenue": weekly_revenue(window), "cost": weekly_cost(window), **weekly_costs(window)}
    by_name = {f"program.{name}": amount.tolist() for name, amount in amounts.items()}
    return {name: amount for name, amount in by_name.items() if name in there}


def _posts(window: Window, role: str, edges: Floats) -> Mapping[str, list[float]]:
    """`<role>.filled` and `<role>.limit`: filled posts, and the sum of their caseload limits, mean of each week."""
    there = posts(window, role).filled
    start, end = edges[:-1, np.newaxis], edges[1:, np.newaxis]
    share = (np.minimum(there.end, end) - np.maximum(there.begin, start)).clip(min=0) / 7
    return {f"{role}.filled": share.sum(axis=1).tolist(), f"{role}.limit": (share @ there.limit).tolist()}


def profiles(window: Window) -> dict[str, list[float]]:
    """Everything below, for all levels, groups and caseload roles."""
    return {
        **_waits(window),
        **_classes(window),
        **_funnels(window),
        **_fill(window),
        **_caseloads(window),
    }


def _waits(window: Window) -> Mapping[str, list[float]]:
    """`waits.<level>`: how many of those who joined in the window started after 0, 1, 2 … whole days."""
    counts = {}
    for level in window.scenario.levels:
        waits = window.there(window.wait_days[window.joined_in_window(level)])
        counts[f"waits.{level}"] = np.bincount(np.floor(waits).astype(np.int64)).astype(float).tolist()
    return counts


def _classes(window: Window) -> Mapping[str, list[float]]:
    """`classes.<level>`, where a level has priority classes: by origin, how many joined in the window and started.

    Two numbers for each of the ledger's origins: of a stay the one from which it joined, whatever waiting made of it.
    """
    s, counts = window.stays, {}
    for level, spec in window.scenario.levels.items():
        if spec.waitlist.priority:
            joined = window.joined_in_window(level)
            cohorts = (joined, joined[window.has("started")[joined]])
            by_origin = [
                np.bincount(s.origin[who], minlength=len(window.ledger.origins)).astype(float)
                for who in cohorts
            ]
            counts[f"classes.{level}"] = np.column_stack(by_origin).ravel().tolist()
    return counts


def funnel_steps(scenario: Scenario, level: str) -> list[str]:
    """The steps that `funnel.<level>` counts: from joining to completing, with stages of access from the referral."""
    passed = stages(scenario, level)
    before = [done for stage, done in _STAGE_DONE.items() if stage in passed]
    referred = ["referred"] if passed else []
    return [*referred, *before, "joined", "admitted", "started", "attended", "completed"]


def _funnels(window: Window) -> Mapping[str, list[float]]:
    """`funnel.<level>`: how many came how far (`funnel_steps`) of those who joined in the window.

    With stages of access, of those who were referred or sent to the first of them in the window, or joined at once;
    whoever skips a stage has passed it.
    """
    counts = {}
    for level in window.scenario.levels:
        steps = funnel_steps(window.scenario, level)
        cohort = window.joined_in_window(level)
        if steps[0] == "referred":
            at_once = cohort[~_is_there(window, "referred", "sent")[cohort]]
            cohort = np.append(window.applied_in_window(level), at_once)
        counts[f"funnel.{level}"] = [float(_passed(window, level, step)[cohort].sum()) for step in steps]
    return counts


def _passed(window: Window, level: str, step: str) -> Bools:
    """Mask of the stays of a level that came at least as far."""
    if step == "completed":
        return window.outcomes["completed"]
    if step == "attended" and window.scenario.levels[level].groups:
        return window.ever_attended
    return _is_there(window, *_SIGNS.get(step, (step,)))


@remembered
def _is_there(window: Window, *what: str) -> Bools:
    """Whether any of these things happened to each stay; shape (stays,)."""
    is_there: Bools = np.logical_or.reduce([window.has(each) for each in what])
    return is_there


def _fill(window: Window) -> Mapping[str, list[float]]:
    """`fill.<group>.<weekday>`: over the sessions held in the window: attended, seats taken, seats."""
    ledger = window.ledger
    held = np.flatnonzero(window.inside(ledger.session_time) & (ledger.session_cause == 0))
    attended = window.attended_by_session[held]
    weekday = (window.scenario.run.start.weekday() + np.floor(ledger.session_time[held]).astype(np.int64)) % 7
    seats = seats_at_sessions(window.spells, ledger)[held]
    slot, size = ledger.session_group[held] * len(WEEKDAYS) + weekday, len(ledger.groups) * len(WEEKDAYS)
    met = np.bincount(slot, minlength=size).tolist()
    columns = (attended, ledger.session_taken[held], seats)
    counts = np.column_stack([sums(slot, column, size) for column in columns]).tolist()
    slots = itertools.product(ledger.groups, WEEKDAYS)
    return {
        f"fill.{name}.{label}": counted
        for (name, label), number, counted in zip(slots, met, counts, strict=True)
        if number
    }


def _caseloads(window: Window) -> Mapping[str, list[float]]:
    """`caseload.<role>` and `limits.<role>`: mean patients and mean limit in force of each post over the window."""
    roles = {level.caseload for level in window.scenario.levels.values()}
    by_post = mean_carried(window)
    counts: dict[str, list[float]] = {}
    for role in window.scenario.staff:
        if role in roles:
            mine = [index for index, (name, _) in enumerate(window.ledger.posts) if name == role]
            there = posts(window, role).filled
            days = window.days_inside(there.begin, there.end)
            limits = sums(there.post, there.limit * days / window.length, len(by_post))
            counts |= {f"caseload.{role}": by_post[mine].tolist(), f"limits.{role}": limits[mine].tolist()}
    return counts
