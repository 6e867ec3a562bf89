"""Figures of a plan that changes: lines of what the plan has go up and down with it."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np

from iopsim.report.figures.census import over_time
from iopsim.report.figures.staff import posts
from iopsim.report.style import VERMILLION
from iopsim.report.tables import Results, Weekly
from iopsim.scenario.schema import Scenario

START, WEEKS = dt.date(2027, 1, 4), 8


def results(sets: dict[str, Any]) -> Results:
    """Two weeks of warm-up, six measured; the plan changes in the middle of the third of these."""
    scenario = Scenario.model_validate(
        {
            "run": {"start": START, "warm_up_weeks": 2, "weeks": 6, "run_out_weeks": 0},
            "sources": {"door": {"to": "ward", "per_week": 5}},
            "levels": {
                "ward": {"places": 4, "stay_days": 7},
                "club": {
                    "caseload": "counselor",
                    "phases": [{"weeks": 2, "days_per_week": 2}],
                    "groups": {"daily": {"days": ["mon", "wed"], "seats": 8}},
                },
            },
            "staff": {"counselor": {"posts": 2, "caseload": 20}},
            "changes": [{"from": START + dt.timedelta(days=17), "set": sets}],
        }
    )
    weeks = np.datetime64(scenario.run.opening) + 7 * np.arange(WEEKS)
    names = (
        "ward.census",
        "club.census",
        "ward.waitlist",
        "club.waitlist",
        "counselor.filled",
        "counselor.limit",
    )
    one = Weekly(weeks, *(np.full(WEEKS, 2.0) for _ in range(5)))
    return Results(
        scenario=scenario, replications=3, summary={}, weekly=dict.fromkeys(names, one), profiles={}
    )


def planned(figure: Any) -> list[list[float]]:
    """What the dashed lines show, panel by panel."""
    lines = (line for axes in figure.axes for line in axes.get_lines())
    return [np.asarray(line.get_ydata()).tolist() for line in lines if line.get_color() == VERMILLION]


def test_posts_are_drawn_beside_those_of_the_plan_week_by_week() -> None:
    (drawing,) = posts(results({"staff.counselor.posts": 4}))
    (line,) = planned(drawing.figure)
    assert line == [2, 2, 2, 2, (3 * 2 + 4 * 4) / 7, 4, 4, 4]
    measured = np.mean(line[2:])
    assert f"2.00 of {measured:.4g} posts filled on average" in drawing.title


def test_places_and_seats_are_drawn_as_the_plan_has_them() -> None:
    sets = {"levels.ward.places": 2, "levels.club.groups.daily.seats": 9}
    (drawing,) = over_time(results(sets))
    lines = planned(drawing.figure)
    assert [4, 4, 4, 4, 2, 2, 2, 2] in lines
    assert [8, 8, 8, 8, 9, 9, 9, 9] in lines
