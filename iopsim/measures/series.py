"""What figures need beyond the metrics: weekly series, and profiles such as the histogram of waits.

Names are dotted like those of metrics. Series have one number per week from opening to the end of the run-out;
what the numbers of a profile are is said by the functions below.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from iopsim.scenario.parts import WEEKDAYS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from iopsim.measures.window import Window

__all__ = ["profiles", "weekly"]


def weekly(window: Window) -> dict[str, list[float]]:
    """Mean census and mean waitlist of every level in each week."""
    run = window.scenario.run
    first, last = -run.warm_up_weeks, run.weeks + run.run_out_weeks
    series: dict[str, list[float]] = {}
    for level in window.scenario.levels:
        here = window.in_level(level)
        series[f"{level}.census"] = window.weekly_mean("in_care", here, first, last).tolist()
        series[f"{level}.waitlist"] = window.weekly_mean("waiting", here, first, last).tolist()
    return series


def profiles(window: Window) -> dict[str, list[float]]:
    """Everything below, for all levels, groups and caseload roles."""
    return {**_waits(window), **_funnels(window), **_fill(window), **_caseloads(window)}


def _waits(window: Window) -> Mapping[str, list[float]]:
    """`waits.<level>`: how many of those who joined in the window started after 0, 1, 2 … whole days."""
    counts = {}
    for level in window.scenario.levels:
        waits = window.wait_days[window.joined_in_window(level) & window.happened(window.stays.started)]
        counts[f"waits.{level}"] = np.bincount(np.floor(waits).astype(np.int64)).astype(float).tolist()
    return counts


def _funnels(window: Window) -> Mapping[str, list[float]]:
    """`funnel.<level>`: of those who joined in the window: all, admitted, started, attended, completed."""
    s = window.stays
    counts = {}
    for level, spec in window.scenario.levels.items():
        joined = window.joined_in_window(level)
        started = window.happened(s.started)
        attended = window.ever_attended if spec.groups else started
        steps = (joined, window.happened(s.admitted), started, attended, window.outcomes["completed"])
        counts[f"funnel.{level}"] = [float((joined & step).sum()) for step in steps]
    return counts


def _fill(window: Window) -> Mapping[str, list[float]]:
    """`fill.<group>.<weekday>`: over the sessions held in the window: attended, seats taken, seats."""
    ledger = window.ledger
    held = np.flatnonzero(window.inside(ledger.session_time) & (ledger.session_cause == 0))
    first, enrolled = ledger.session_first[held], ledger.session_enrolled[held]
    came = np.append(0, np.cumsum(ledger.member_attended, dtype=np.int64))
    attended = came[first + enrolled] - came[first]
    weekday = (window.scenario.run.start.weekday() + np.floor(ledger.session_time[held]).astype(np.int64)) % 7
    counts = {}
    seats = {
        name: group.seats for level in window.scenario.levels.values() for name, group in level.groups.items()
    }
    for index, name in enumerate(ledger.groups):
        for day, label in enumerate(WEEKDAYS):
            here = (ledger.session_group[held] == index) & (weekday == day)
            if here.any():
                taken = float(ledger.session_taken[held][here].sum())
                counts[f"fill.{name}.{label}"] = [
                    float(attended[here].sum()),
                    taken,
                    float(seats[name] * here.sum()),
                ]
    return counts


def _caseloads(window: Window) -> Mapping[str, list[float]]:
    """`caseload.<role>`: mean patients of each post over the window."""
    days, posts = window.days("occupied"), window.ledger.posts
    by_post = np.zeros(len(posts))
    carried = window.stays.post >= 0
    np.add.at(by_post, window.stays.post[carried], days[carried] / window.length)
    roles = {level.caseload for level in window.scenario.levels.values()}
    return {
        f"caseload.{role}": [float(by_post[index]) for index, (name, _) in enumerate(posts) if name == role]
        for role in window.scenario.staff
        if role in roles
    }
