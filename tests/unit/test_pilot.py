"""Pilot runs of clinics whose staff, cohorts and referrals have dates, floors of the warm-up, and waits for intake."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from iopsim.experiment.equilibrium import not_steady
from iopsim.experiment.names import reported
from iopsim.experiment.plans import Plan
from iopsim.experiment.warm_up import floor_of, pilot
from iopsim.scenario.schema import Scenario

START = dt.date(2027, 1, 4)


def clinic(**parts: object) -> Scenario:
    whole: dict[str, object] = {
        "run": {"start": START, "weeks": 10},
        "sources": {"door": {"to": "care", "per_week": 7}},
        "levels": {"care": {"stay_days": 10}},
    }
    return Scenario.model_validate(whole | parts)


def group(**parts: object) -> dict[str, object]:
    return {"days": ["mon"], "seats": 8, **parts}


@pytest.mark.parametrize(
    ("changes", "per_week"),
    [
        ([], 7),
        ([(-30, 0.5)], 3.5),
        ([(-30, 0.5), (0, 3)], 21),  # each ends the last; that of the first day is in force
        ([(1, 3)], 7),
    ],
)
def test_a_pilot_has_the_rate_of_the_first_day(changes: list[tuple[int, float]], per_week: float) -> None:
    dated = [{"from": START + dt.timedelta(days=day), "factor": factor} for day, factor in changes]
    source = {"to": "care", "per_week": 7, "changes": dated, "growth_per_year": 0.2, "dispersion": 2}
    door = pilot(clinic(sources={"door": source}), 104).sources["door"]
    assert (door.per_week, door.changes, door.growth_per_year, door.dispersion) == (per_week, (), 0, 2)


def test_a_pilot_is_of_the_plan_of_the_first_day_and_nothing_changes_in_it() -> None:
    care = {"levels": {"care": {"stay_days": 10, "places": 5}}}
    dated = [
        {"from": START + dt.timedelta(days=day), "set": {"levels.care.places": number}}
        for day, number in ((-9, 6), (0, 7), (9, 8))
    ]
    found = pilot(clinic(**care, changes=dated), 104)
    assert (found.levels["care"].places, found.changes, len(found.editions)) == (7, (), 1)
    assert found.run.weeks == 104


def test_a_pilot_draws_what_a_file_replays(tmp_path: Path) -> None:
    days = [START + dt.timedelta(days=number) for number in (-7, 0, 1, 6, 69, 70)]
    rows = "".join(f"{day},{'x' if number < 4 else 'y'}\n" for number, day in enumerate(days))
    (tmp_path / "calls.csv").write_text(f"date,program\n{rows}", encoding="utf-8")
    whole = {
        "run": {"start": START, "weeks": 10, "warm_up_weeks": 1, "run_out_weeks": 1},
        "tracks": {"x": {}, "y": {}},
        "sources": {
            "door": {"to": "care", "trace": {"csv": "calls.csv", "date": "date", "track": "program"}}
        },
        "levels": {"care": {"stay_days": 10}},
    }
    scenario = Scenario.model_validate(whole, context={"folder": tmp_path})
    door = pilot(scenario, 104).sources["door"]
    assert (door.trace, door.per_week) == (None, 0.4)  # four of them in ten weeks
    assert door.tracks == pytest.approx({"x": 4 / 6, "y": 2 / 6})
    assert Plan.of(pilot(scenario, 104)).key  # it can be written down


def test_nobody_leaves_a_pilot_on_a_date() -> None:
    guide = {"posts": 2, "leaves": [dt.date(2027, 2, 1)], "turnover_per_year": 0.3}
    found = pilot(clinic(staff={"guide": guide}), 104).staff["guide"]
    assert (found.leaves, found.turnover_per_year, found.posts) == ((), 0.3, 2)


@pytest.mark.parametrize(("first", "then"), [(3, 3), (0, 0), (30, 2), (-5, 9), (-28, 0)])
def test_cohorts_of_a_pilot_start_in_their_rhythm(first: int, then: int) -> None:
    cohort = {"first": START + dt.timedelta(days=first), "every_days": 14, "starters": 4}
    level = {"stay_days": 10, "groups": {"one": group(admission={"cohort": cohort})}}
    found = pilot(clinic(levels={"care": level}), 104).levels["care"].groups["one"].cohort
    assert found
    assert (found.first - START).days == then
    assert (found.every_days, found.starters) == (14, 4)


def test_a_group_that_would_merge_with_one_not_yet_there_cancels() -> None:
    merging = group(min_census=3, below_minimum={"merge_with": "two"})
    for later, merges in (({"from": START + dt.timedelta(days=30)}, None), ({}, "two")):
        level = {"stay_days": 10, "groups": {"one": merging, "two": group(**later)}}
        found = pilot(clinic(levels={"care": level}), 104).levels["care"].groups
        assert found["one"].merges_with == merges


def test_the_floor_counts_the_ways_in_and_hiring() -> None:
    slow = {"gamma": {"mean": 40, "cv": 0.5}}
    assert floor_of(clinic()).words == "the mean stay in care (10 days)"
    contact = {"care": {"stay_days": 10, "contact": {"delay_days": slow}}}
    assert floor_of(clinic(levels=contact)).words == "the mean time to contact for care (40 days)"
    payers = {"asks": {"authorization": {"levels": ["care"], "delay_days": slow}}}
    assert floor_of(clinic(payers=payers)).words == "the mean time to authorization for care (40 days)"
    cohort = {"cohort": {"first": START, "every_days": 28, "starters": 4}}
    level = {"care": {"stay_days": 10, "groups": {"one": group(admission=cohort)}}}
    assert floor_of(clinic(levels=level)).words == "the time between cohorts of one (28 days)"
    guide = {"posts": 1, "days_to_hire": slow, "onboarding_weeks": 4}
    assert floor_of(clinic(staff={"guide": guide})).days == 10
    found = floor_of(clinic(staff={"guide": guide | {"turnover_per_year": 0.3}}))
    assert (found.words, found.weeks) == ("the mean time to hire and train a guide (68 days)", 30)


def test_where_appointments_are_too_few_no_wait_has_an_interval() -> None:
    intake = {"role": "desk", "minutes": 60, "show": 0.8, "rebook": 1}
    level = {"stay_days": 10, "places": 30, "intake": intake, "waitlist": {"patience_days": 20}}

    def shaky(posts: int) -> set[str]:
        scenario = clinic(
            levels={"care": level},
            staff={"desk": {"posts": posts, "bookable": 0.25}},  # two appointments a day
            sources={"door": {"to": "care", "per_week": 14}},
        )
        found = not_steady(scenario, reported(scenario))
        return {
            name for name in found if name.endswith((".mean", "_days.share")) and name.startswith("care.")
        }

    assert shaky(2) == set()
    assert shaky(1) == {
        f"care.{name}"
        for name in (
            "access_days.mean",
            "applying.mean",
            "intake_days.mean",
            "reneged_wait_days.mean",
            "started_within_7_days.share",
            "started_within_14_days.share",
            "wait_days.mean",
            "waitlist.mean",
        )
    }
