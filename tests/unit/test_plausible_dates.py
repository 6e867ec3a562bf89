"""Arithmetic on plans that change on dates, on runs from today, and on days that earn nothing."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from iopsim.scenario import Scenario
from iopsim.scenario.plausible import Plausibility, assess, unsteady

RUN = {"start": dt.date(2027, 1, 4), "warm_up_weeks": 10, "weeks": 40}


def scenario(levels: dict[str, object], folder: Path | None = None, **parts: object) -> Scenario:
    whole = {"run": RUN, "sources": {"door": {"to": next(iter(levels)), "per_week": 7}}, "levels": levels}
    return Scenario.model_validate(whole | parts, context={"folder": folder})


def said(found: Plausibility) -> list[str]:
    return [f"{finding.severity}: {finding}" for finding in found.findings]


def ward(places: int, **parts: object) -> dict[str, object]:
    return {"ward": {"places": places, "stay_days": {"exponential": {"mean": 10}}, **parts}}


def change(date: str, **values: object) -> dict[str, object]:
    return {
        "from": dt.date.fromisoformat(date),
        "set": {path.replace("__", "."): value for path, value in values.items()},
    }


# ── dates ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_capacity_is_judged_in_each_plan_in_the_time_of_it() -> None:
    """10 places are asked for: 8 are too few until March, 12 enough until June, and then 9 too few again."""
    plan = scenario(
        ward(8),
        changes=[change("2027-03-01", levels__ward__places=12), change("2027-06-01", levels__ward__places=9)],
    )
    (text,) = [text for text in said(assess(plan)) if text.startswith("warning")]
    assert text.startswith(
        "warning: levels.ward.places: until 2027-02-28, ward places: 10.0 places needed, 8.0 there (125%), so"
    )
    assert text.endswith("; likewise from 2027-06-01 (111%)")
    (note,) = [text for text in said(assess(plan)) if "mean wait" in text]
    assert "from 2027-03-01 until 2027-05-31, if referrals were steady" in note


def test_what_holds_all_the_time_is_said_once_and_without_dates() -> None:
    plan = scenario(
        ward(8), staff={"nurse": {"posts": 1}}, changes=[change("2027-03-01", staff__nurse__posts=2)]
    )
    (text,) = [text for text in said(assess(plan)) if "levels.ward.places" in text]
    assert text.startswith("warning: levels.ward.places: ward places: 10.0 places needed, 8.0 there (125%)")
    assert "from 20" not in text and "until" not in text


def test_plans_in_a_row_that_are_alike_are_one() -> None:
    plan = scenario(
        ward(8),
        staff={"nurse": {"posts": 1}},
        changes=[change("2027-03-01", staff__nurse__posts=2), change("2027-06-01", levels__ward__places=12)],
    )
    (text,) = [text for text in said(assess(plan)) if text.startswith("warning: levels.ward")]
    assert text.startswith("warning: levels.ward.places: until 2027-05-31, ward places")


def test_a_source_that_begins_on_a_date_is_not_told_to_send_nobody() -> None:
    source = {"door": {"to": "ward", "per_week": 0}}
    assert any("nobody is referred" in text for text in said(assess(scenario(ward(12), sources=source))))
    plan = scenario(ward(12), sources=source, changes=[change("2027-03-01", sources__door__per_week=7)])
    assert not any("nobody" in text for text in said(assess(plan)))


def test_newcomers_to_new_posts_need_their_onboarding() -> None:
    parts = {"staff": {"nurse": {"posts": 1, "caseload": 20, "onboarding_weeks": 4}}}
    assert any(
        "onboarding_weeks" in text for text in said(assess(scenario(ward(12, caseload="nurse"), **parts)))
    )
    plan = scenario(
        ward(12, caseload="nurse"), **parts, changes=[change("2027-03-01", staff__nurse__posts=2)]
    )
    assert not any("onboarding_weeks" in text for text in said(assess(plan)))


def test_a_target_is_out_of_reach_only_if_it_is_in_every_plan() -> None:
    level = ward(5, waitlist={"patience_days": {"exponential": {"mean": 9}}})
    parts = {"targets": [{"metric": "ward.reneged.share", "at_most": 0.1}]}
    assert any("out of reach" in text for text in said(assess(scenario(level, **parts))))
    plan = scenario(level, **parts, changes=[change("2027-02-01", levels__ward__places=20)])
    assert not any("out of reach" in text for text in said(assess(plan)))


def test_what_is_short_in_several_plans_is_told_once_where_it_is_worst() -> None:
    """10 places are asked for, of 8, 7, 9 and 7, and then there is room to spare."""
    dates = {"2027-02-01": 7, "2027-03-01": 9, "2027-04-01": 7, "2027-05-01": 20}
    plan = scenario(ward(8), changes=[change(date, levels__ward__places=n) for date, n in dates.items()])
    (text,) = [text for text in said(assess(plan)) if "needed" in text]
    assert text.startswith(
        "warning: levels.ward.places: from 2027-02-01 until 2027-02-28, ward places: 10.0 places"
    )
    assert text.endswith(
        "; likewise until 2027-01-31 (125%), from 2027-03-01 until 2027-03-31 (111%) and from 2027-04-01 until "
        "2027-04-30 (143%)"
    )


def test_a_group_counts_from_its_first_day_and_until_its_last() -> None:
    """56 session-seats are asked for: 20 a week until March and from July, 60 when the second group meets."""
    dated = {"from": dt.date(2027, 3, 1), "until": dt.date(2027, 6, 30)}
    groups = {
        "one": {"days": ["mon", "wed"], "seats": 10, "facilitators": {"guide": 1}},
        "two": {"days": ["mon", "wed"], "seats": 20, "facilitators": {"guide": 1}, **dated},
    }
    level = {"phases": [{"weeks": 4, "days_per_week": 2}], "groups": groups}
    staff = {"guide": {"posts": 1}}
    found = assess(scenario({"iop": level}, staff=staff))
    assert [(pool.load, pool.capacity) for pool in found.pools] == [(56, 20)]
    full, needed = [text for text in said(found) if text.startswith("warning")]
    assert full.startswith(
        "warning: levels.iop.groups: until 2027-02-28, iop seats: 56.0 session-seats a week"
    )
    assert full.endswith("; likewise from 2027-07-01 (280%)")
    assert needed.startswith(
        "warning: staff.guide.posts: from 2027-03-01 until 2027-06-30, 2 are needed at the same time (mon 09:00: one"
    )
    assert "a week and" not in " ".join(said(found))  # 12 hours at most


def test_work_that_is_as_much_as_the_hours_is_no_warning() -> None:
    """Groups take 39.9, 40.1 and 40.3 of 40 hours."""

    def work(hours: float) -> list[str]:
        group = {"days": ["mon", "tue", "wed", "thu", "fri"], "seats": 99, "hours": hours / 5}
        level = {
            "phases": [{"weeks": 4, "days_per_week": 5}],
            "groups": {"all": group | {"facilitators": {"guide": 1}}},
        }
        staff = {"guide": {"posts": 1, "paid_hours_per_week": 40, "bookable": 1}}
        return [text for text in said(assess(scenario({"iop": level}, staff=staff))) if "h of work" in text]

    assert [len(work(hours)) for hours in (39.9, 40.1, 40.3)] == [0, 0, 1]


@pytest.mark.parametrize(
    ("date", "text"),
    [
        (
            "2027-10-11",
            "note: changes.0.from: 2027-10-11 is after the measured window, 2027-01-04 to 2027-10-10: it acts on the "
            "run-out only, in which the patients of the window are followed",
        ),
        (
            "2028-04-10",
            "warning: changes.0.from: 2028-04-10 is after the simulated time, 2026-10-26 to 2028-04-09: it changes "
            "nothing; take an earlier date, or simulate more weeks",
        ),
    ],
)
def test_a_change_after_the_window_is_told(date: str, text: str) -> None:
    before = (dt.date.fromisoformat(date) - dt.timedelta(days=1)).isoformat()
    assert text in said(assess(scenario(ward(12), changes=[change(date, levels__ward__places=9)])))
    assert text not in said(assess(scenario(ward(12), changes=[change(before, levels__ward__places=9)])))


def test_a_change_after_the_simulated_time_makes_no_plan() -> None:
    plan = scenario(ward(12), changes=[change("2028-04-10", levels__ward__places=9)])
    assert len(plan.editions) == 1
    assert len(scenario(ward(12), changes=[change("2028-04-09", levels__ward__places=9)]).editions) == 2


def test_a_change_before_the_opening_is_told() -> None:
    plan = scenario(ward(12), changes=[change("2026-06-01", levels__ward__places=9)])
    texts = said(assess(plan))
    assert (
        "note: changes.0.from: 2026-06-01 is not after the opening, 2026-10-26: it holds from the beginning"
        in texts
    )
    assert any("10.0 places needed, 9.0 there" in text for text in texts)


def test_a_list_is_in_no_equilibrium_by_the_plan_of_the_start() -> None:
    """A shortage that begins on a date has a beginning of its own; one that ends before the start is over."""
    assert list(unsteady(scenario(ward(8)))) == ["ward"]
    assert list(unsteady(scenario(ward(8), changes=[change("2026-12-01", levels__ward__places=20)]))) == []
    assert list(unsteady(scenario(ward(20), changes=[change("2027-03-01", levels__ward__places=8)]))) == []


# ── money ────────────────────────────────────────────────────────────────────────────────────────────────────


def paid(pay: object, hours: float = 3, **parts: object) -> list[str]:
    group = {"days": ["mon", "wed", "fri"], "seats": 50, "hours": hours}
    level = {"phases": [{"weeks": 4, "days_per_week": 3}], "groups": {"day": group}, **parts.pop("level", {})}  # type: ignore[dict-item]
    money = {"revenue": {"iop": {"all": pay}}, **parts.pop("money", {})}  # type: ignore[dict-item]
    return [
        text
        for text in said(assess(scenario({"iop": level}, money=money, **parts)))
        if "iop seats" not in text
    ]


VISITS = {
    "staff": {"nurse": {"posts": 9}},
    "services": {"visit": {"levels": ["iop"], "role": "nurse", "minutes": 30, "every_weeks": 1}},
}


def test_a_tier_that_no_day_reaches_is_told() -> None:
    tiers = [{"from_services": 1, "pay": 200}, {"from_services": 4, "pay": 300}]
    assert paid(tiers) == [
        "warning: money.revenue.iop.all: no day has 4 services: there are at most 3 (3 of the hours of a day); lower "
        "the tier"
    ]
    assert paid(tiers, **VISITS) == []
    assert paid(tiers, hours=4) == []


def test_days_that_earn_nothing_without_visits_are_told() -> None:
    tiers = [{"from_services": 4, "pay": 300}]
    assert paid(tiers, hours=3.5, **VISITS) == [
        "warning: money.revenue.iop.all: a day of 3.5 hours has 3 services, and the first tier is from 4: without "
        "visits such a day earns nothing"
    ]
    assert paid(300, money={"billing": {"hours_per_day_at_least": 4}}) == [
        "warning: money.billing.hours_per_day_at_least: days of 3 hours at iop are under 4: they earn nothing unless "
        "visits add to them; lengthen them, or lower it"
    ]


def test_prices_are_judged_in_each_plan() -> None:
    tiers = [{"from_services": 1, "pay": 200}, {"from_services": 5, "pay": 300}]
    level = {"hours_per_week_at_least": 10}
    dated = [
        change("2027-03-01", money__revenue__iop__all=tiers),
        change("2027-06-01", money__revenue__iop__all=300.0, money__billing__hours_per_day_at_least=4),
        change("2027-07-01", money__billing__below_minimum=100),
    ]
    texts = [text.partition(" (")[0].partition(": they")[0] for text in paid(300, level=level, changes=dated)]
    assert texts == [
        "warning: levels.iop.phases: until 2027-06-30, phase 1",
        "warning: money.revenue.iop.all: from 2027-03-01 until 2027-05-31, no day has 5 services: there are at most 3",
        "warning: money.billing.hours_per_day_at_least: from 2027-06-01, days of 3 hours at iop are under 4",
        "warning: levels.iop.phases: from 2027-07-01, phase 1",
    ]


def test_weeks_under_the_minimum_say_what_they_earn() -> None:
    level = {"hours_per_week_at_least": 10}
    text = (
        "warning: levels.iop.phases: phase 1 (4 weeks of 3 days): 9 hours a week, under the minimum of 10; "
    )
    assert paid(300, level=level) == [
        f"{text}its days earn nothing (`billing.below_minimum`), so add days or hours"
    ]
    assert paid(300, level=level, money={"billing": {"below_minimum": 120}}) == [
        f"{text}its days earn 120 USD (`billing.below_minimum`), so add days or hours"
    ]


def test_prices_without_effect_are_told() -> None:
    alternative = {
        "for": ["door"],
        "stay_days": 9,
        "cost_per_day": 1000,
        "beds_close": True,
        "marginal_share": 0.5,
    }
    assert paid(300, money={"billing": {"below_minimum": 120}, "inpatient_alternative": alternative}) == [
        "note: money.billing.below_minimum: no level has a minimum week, so that nothing is below it; say its "
        "`hours_per_week_at_least`",
        "note: money.inpatient_alternative.marginal_share: has no effect: where beds close (`beds_close`) all of "
        "their cost is saved",
    ]


# ── today ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_more_patients_than_places_are_told(tmp_path: Path) -> None:
    (tmp_path / "census.csv").write_text("start,group\n" + "2026-12-01,day\n" * 5 + "2026-12-01,late\n" * 2)
    (tmp_path / "list.csv").write_text(
        "joined,time\n2027-01-01,evening\n2027-01-01,day\n2027-01-01,evening\n"
    )
    groups = {
        "day": {"days": ["mon"], "seats": 4},
        "late": {"days": ["mon"], "seats": 4, "start": "17:00"},
        "night": {"days": ["mon"], "seats": 4, "start": "20:00", "time": "evening", "tracks": ["sud"]},
    }
    level = {"phases": [{"weeks": 4, "days_per_week": 1}], "groups": groups, "caseload": "nurse"}
    today = {
        "as_of": dt.date(2027, 1, 4),
        "census": {"csv": "census.csv", "level": "iop"},
        "waitlist": {"csv": "list.csv", "level": "iop"},
    }
    plan = scenario(
        {"iop": level},
        tmp_path,
        run={"weeks": 4},
        from_today=today,
        staff={"nurse": {"posts": 2, "caseload": 3}},
        tracks={"mood": {}},
    )
    assert [text for text in said(assess(plan)) if "from_today" in text] == [
        "warning: from_today.census: 5 are in care in day, which has room for 4; nobody is admitted until there are "
        "fewer",
        "warning: from_today.census: 7 are in care in the caseloads of nurse, which has room for 6; nobody is admitted "
        "until there are fewer",
        "warning: from_today.waitlist: 2 of those who wait for iop fit no group of it, by track, time and modality: "
        "they never start",
    ]
    (tmp_path / "census.csv").write_text("start\n" + "2026-12-01\n" * 7)
    plan = scenario(
        ward(6),
        tmp_path,
        run={"weeks": 4},
        from_today={**today, "census": {"csv": "census.csv", "level": "ward"}, "waitlist": None},
    )
    assert any("7 are in care in ward, which has room for 6" in text for text in said(assess(plan)))


def test_levels_in_which_the_census_finds_nobody_are_named(tmp_path: Path) -> None:
    levels = {**ward(6, next={"after": 1}), "after": {"stay_days": 30}}
    today = {"as_of": dt.date(2027, 1, 4), "census": {"csv": "census.csv", "level": "ward"}}
    (tmp_path / "census.csv").write_text("start\n2026-12-01\n")
    plan = scenario(levels, tmp_path, run={"weeks": 4}, from_today=today)
    assert (
        "note: from_today.census: nobody is in care in after at the opening; if somebody is, add rows, or census and "
        "cost are too low"
    ) in said(assess(plan))
    (tmp_path / "census.csv").write_text("start\n")  # nobody at all: a program that opens
    plan = scenario(levels, tmp_path, run={"weeks": 4}, from_today=today)
    assert not any("nobody is in care" in text for text in said(assess(plan)))
