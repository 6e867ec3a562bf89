"""What arithmetic says of staff who come and go, facilitators at the same time, and words without effect."""

from __future__ import annotations

import datetime as dt
import math

import pytest

from iopsim.scenario.plausible import assess
from iopsim.scenario.plausible.pool import together
from iopsim.scenario.plausible.posts import posts_of
from iopsim.scenario.schema import Scenario
from tests.unit.test_plausible import exponential, group, group_program, loads, scenario, texts

RUN = {"start": dt.date(2027, 1, 4), "weeks": 50, "warm_up_weeks": 4}  # 350 days
CARE = {"care": {"stay_days": 10, "caseload": "guide"}}


def staffed(
    levels: dict[str, object] | None = None, parts: dict[str, object] | None = None, **role: object
) -> Scenario:
    guide = {"posts": 4, "caseload": 10, **role}
    return scenario(levels or CARE, run=RUN, staff={"guide": guide}, **(parts or {}))


def posts(**role: object) -> tuple[float, float]:
    found = posts_of(staffed(**role), "guide")
    return found.filled, found.carrying


# ── posts ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_posts_that_nobody_leaves_are_filled() -> None:
    assert posts() == (4, 4)
    assert posts(days_to_hire=70, onboarding_weeks=10) == (4, 4)


def test_turnover_leaves_posts_empty_while_somebody_is_hired() -> None:
    # A tenure of a year and a fifth of a year to hire: filled five sixths of the time.
    assert posts(turnover_per_year=1, days_to_hire=73) == pytest.approx((4 / 1.2, 4 / 1.2))
    assert posts(turnover_per_year=1) == (4, 4)  # the successor comes at once


def test_onboarding_takes_a_part_of_each_tenure() -> None:
    # x = 182 ÷ 365 of a tenure: w (1/x − (1 − e^−x)/x²) days of a whole caseload are lost in each.
    x = 182 / 365
    lost = 182 * (1 / x - (1 - math.exp(-x)) / x**2)
    filled, carrying = posts(turnover_per_year=1, days_to_hire=73, onboarding_weeks=26)
    assert filled == pytest.approx(4 / 1.2)
    assert carrying == pytest.approx(4 * (365 - lost) / (365 + 73))
    # Short onboardings cost half of themselves.
    filled, carrying = posts(turnover_per_year=0.01, onboarding_weeks=1)
    assert (4 - carrying) / 4 == pytest.approx(3.5 * 0.01 / 365, rel=1e-3)


@pytest.mark.parametrize(
    ("leaves", "filled", "carrying"),
    [
        ([dt.date(2027, 2, 1)], 35, 70),  # 35 days empty, 70 days of onboarding: half of them lost
        ([dt.date(2027, 2, 1), dt.date(2027, 2, 1)], 70, 140),
        ([dt.date(2026, 12, 21)], 21, 56),  # 14 of the 35 days are over when the window begins
        ([dt.date(2026, 11, 1)], 0, 0),  # before the opening
        ([dt.date(2027, 12, 13)], 7, 7),  # the last week
        ([{"from": dt.date(2027, 3, 1), "until": dt.date(2027, 3, 14)}], 14, 14),
        ([{"from": dt.date(2026, 3, 1), "until": dt.date(2027, 1, 10)}], 7, 7),
    ],
)
def test_dated_leaves_count_as_far_as_they_lie_in_the_window(
    leaves: list[object], filled: float, carrying: float
) -> None:
    found = posts(leaves=leaves, days_to_hire=35, onboarding_weeks=10)
    assert found == pytest.approx((4 - filled / 350, 4 - carrying / 350))


def test_an_onboarding_that_has_begun_before_the_window_or_ends_after_it() -> None:
    # Hired on the day 35 days before the start, 70 days to learn: a triangle of 35 × ½ × ½ days is left.
    early = posts(leaves=[dt.date(2026, 12, 7)], days_to_hire=0, onboarding_weeks=8)
    assert early[1] == pytest.approx(4 - (28 * 0.5 / 2) / 350)
    # Hired 28 days before the end, 56 to learn: 28 days at three quarters lost on average.
    late = posts(leaves=[dt.date(2027, 11, 22)], days_to_hire=0, onboarding_weeks=8)
    assert late[1] == pytest.approx(4 - 28 * 0.75 / 350)


def test_caseloads_and_hours_are_those_of_filled_posts() -> None:
    visit = {"visit": {"levels": ["care"], "role": "guide", "minutes": 60, "every_weeks": 1}}
    levels = {"care": {"stay_days": 35, "caseload": "guide", "waitlist": {"patience_days": exponential(30)}}}
    found = assess(staffed(levels, {"services": visit}, turnover_per_year=1, days_to_hire=73))
    assert loads(found) == {"care caseload (guide)": (35, 33.33)}
    (text,) = [text for text in texts(found, "staff.guide") if "caseload" in text]
    assert "of 4 posts 3.33 carry patients on average" in text
    assert "it takes 5 posts" in text
    (guide,) = found.hours
    assert guide.bookable == pytest.approx(40 * 4 / 1.2)
    assert guide.fte_employed == pytest.approx(4 / 1.2)


def test_no_target_is_ruled_out_by_posts_that_are_empty_for_a_time() -> None:
    levels = {"care": {"stay_days": 38, "caseload": "guide", "waitlist": {"patience_days": exponential(30)}}}
    targets = {"targets": [{"metric": "care.reneged.share", "at_most": 0.05}]}
    assert not texts(
        assess(staffed(levels, targets, turnover_per_year=1, days_to_hire=73)), "targets.0.metric"
    )
    assert texts(assess(staffed(levels, targets, posts=3)), "targets.0.metric")


def test_supervision_takes_hours_of_the_supervisor() -> None:
    staff = {
        "guide": {"posts": 4, "caseload": 10, "associate": {"supervised_by": "head", "minutes_per_week": 45},
                  "turnover_per_year": 1, "days_to_hire": 73},
        "head": {"posts": 1},
    }  # fmt: skip
    (head,) = assess(scenario(CARE, staff=staff)).hours
    assert (head.role, head.expected) == ("head", pytest.approx(0.75 * 4 / 1.2))


# ── facilitators ─────────────────────────────────────────────────────────────────────────────────────────────


def facilitated(
    groups: dict[str, object], parts: dict[str, object] | None = None, **role: object
) -> list[str]:
    plan = staffed({"iop": {"stay_days": 14, "groups": groups}}, parts, caseload=None, **role)
    found = assess(plan)
    return [
        *texts(found, "staff.guide.posts"),
        *texts(found, "staff.guide"),
        *texts(found, "staff.guide", "note"),
    ]


def test_sessions_that_are_cancelled_free_the_facilitators_of_the_next() -> None:
    # Mondays: one leads `a`; `b` at 10:00 is cancelled, and `c` at 11:30 overlaps with `b` only.
    groups = {
        "a": group("mon", start="09:00", hours=2, facilitators={"guide": 1}),
        "b": group("mon", start="10:00", hours=2, facilitators={"guide": 1}),
        "c": group("mon wed", start="11:30", hours=2, facilitators={"guide": 1}),
    }
    (text,) = facilitated(groups, posts=1)
    assert "2 are needed at the same time (mon 10:00: a and b), and there are 1" in text
    assert "about 1.0 sessions a week will be cancelled" in text
    # With cover `b` is held by somebody from outside, who leads for two hours.
    (text,) = facilitated(groups, posts=1, cover_per_hour=30)
    assert "about 2.0 hours a week will be covered for 60 USD" in text


def test_a_facilitator_whom_nobody_has_is_lacking_all_the_time() -> None:
    text, *_ = facilitated({"a": group("mon", facilitators={"guide": 1})}, posts=0)
    assert "1 are needed at the same time (mon 09:00: a), and there are 0" in text
    change = {"changes": [{"from": dt.date(2027, 6, 28), "set": {"staff.guide.fte": 0.5}}]}
    assert facilitated({"a": group("mon", facilitators={"guide": 1})}, change, posts=0)


def test_closed_days_and_dates_count_for_sessions_without_a_facilitator() -> None:
    late = {"from": dt.date(2027, 6, 28)}  # the last 25 of 50 weeks
    groups = {
        "a": group("mon", facilitators={"guide": 1}),
        "b": group("mon", facilitators={"guide": 1}, **late),
    }
    closed = {"calendar": {"closed": [dt.date(2027, 7, 5), dt.date(2027, 1, 4)]}}
    (text,) = facilitated(groups, closed, posts=1)
    assert "from 2027-06-28, 2 are needed at the same time (mon 09:00: a and b), and there are 1" in text
    assert f"about {48 / 50:.1f} sessions a week will be cancelled" in text  # of 50 Mondays two are closed
    gone = {"from": dt.date(2026, 1, 1), "until": dt.date(2026, 12, 31)}
    groups["b"] = group("mon", facilitators={"guide": 1}, **gone)
    assert not facilitated(groups, posts=1)


def test_posts_that_are_empty_for_a_time_cost_sessions() -> None:
    groups = {name: group("mon tue", facilitators={"guide": 1}) for name in "ab"}
    absent = {"turnover_per_year": 1, "days_to_hire": 73}  # filled five sixths of the time
    (text,) = facilitated(groups, posts=2, **absent)
    # One of two there: half of 4 sessions are lost; none there: all. 2 × 5/36 × 2 + 1/36 × 4.
    assert f"filled 83% of the time, so about {24 / 36:.1f} of 4.0 sessions a week will be cancelled" in text
    (text,) = facilitated(groups, posts=2, cover_per_hour=10, **absent)
    assert f"about {24 / 36 * 3:.1f} hours a week will be covered for 20 USD" in text
    assert not facilitated(groups, posts=5, **absent)


# ── patients per clinician ───────────────────────────────────────────────────────────────────────────────────


def test_ratio_with_every_seat_taken() -> None:
    path = "staff.guide.patients_per_clinician_at_most"
    groups = {name: group("mon wed fri", facilitators={"guide": 1}) for name in ("one", "two")}
    level = group_program(groups)  # 2 × 10 seats on three days, for two days each: 30 patients
    rule = {"patients_per_clinician_at_most": 14, "caseload": None, "posts": 2}
    (text,) = texts(assess(staffed(level, **rule)), path)
    assert "there are 30 patients for 2 FTE, 15.0 each, and 14 are allowed" in text
    assert not texts(assess(staffed(level, **rule | {"patients_per_clinician_at_most": 15})), path)
    carried = {"iop": {**level["iop"], "caseload": "guide"}}  # type: ignore[dict-item]
    assert not texts(assess(staffed(carried, **rule | {"caseload": 14})), path)
    assert texts(assess(staffed(carried, **rule | {"caseload": 15})), path)


# ── words without effect ─────────────────────────────────────────────────────────────────────────────────────


def notes(plan: Scenario) -> dict[str, str]:
    return {found.path: found.message for found in assess(plan).findings if found.severity == "note"}


def test_words_of_staff_without_effect() -> None:
    words = {"days_to_hire": 30, "onboarding_weeks": 4, "reassignment": {"dropout_factor": 1.2}}
    assert (
        "`days_to_hire`, `onboarding_weeks` and `reassignment` have no effect"
        in (notes(staffed(**words))["staff.guide.days_to_hire"])
    )
    assert not notes(staffed(turnover_per_year=0.3, **words))
    assert not notes(staffed(leaves=[dt.date(2027, 3, 1)], **words))
    absence = [{"from": dt.date(2027, 3, 1), "until": dt.date(2027, 3, 9)}]
    assert list(notes(staffed(leaves=absence, **words))) == ["staff.guide.days_to_hire"]
    nobody = {"care": {"stay_days": 10}}
    told = notes(
        staffed(nobody, turnover_per_year=0.3, cover_per_hour=9, patients_per_clinician_at_most=9, **words)
    )
    assert set(told) == {
        "staff.guide.onboarding_weeks",
        "staff.guide.cover_per_hour",
        "staff.guide.patients_per_clinician_at_most",
    }


def test_words_of_access_without_effect() -> None:
    level = {
        "stay_days": 10,
        "contact": {"share": 0.9, "for": ["door", "returned"]},
        "intake": {"role": "guide", "minutes": 60, "show": 0.8, "rebook_taken": 0.5},
        "waitlist": {"priority": {"door": 1, "ward": 2}, "accept_other_time_after_days": 9},
    }
    ward = {"stay_days": 5}
    told = notes(staffed({"care": level, "ward": ward}))
    assert told["levels.care.contact.for"] == "nobody comes here from returned"
    assert told["levels.care.waitlist.priority"] == "nobody comes here from ward"
    assert {"levels.care.intake.rebook_taken", "levels.care.waitlist.accept_other_time_after_days"} <= set(
        told
    )
    level["returns"] = {"share": 0.1, "after_days": 9, "to": "care"}
    level["intake"] = {"role": "guide", "minutes": 60, "show": 0.8, "rebook": 1, "rebook_taken": 0.5}
    level["groups"] = {"one": group(), "late": group(time="evening")}
    door = {"door": {"to": "care", "per_week": 1, "times": {"evening": 1}}}
    told = notes(staffed({"care": level, "ward": ward | {"next": {"care": 1}}}, {"sources": door}))
    assert "levels.care.waitlist.accept_other_time_after_days" not in told
    assert not any(path.startswith(("levels.care.contact", "levels.care.intake")) for path in told)


def test_words_of_payers_without_effect() -> None:
    def told(levels: list[str], **words: object) -> dict[str, str]:
        payers = {"asks": {"authorization": {"levels": levels, **words}}}
        levels_ = {"care": {"stay_days": 10}, "next": {"stay_days": 10}}
        return {
            path: text for path, text in notes(scenario(levels_, payers=payers)).items() if "payers" in path
        }

    assert told(["care"]) == {
        "payers.asks.authorization": "everything is approved at once; it changes nothing"
    }
    assert (
        "no patient of this payer comes to next"
        in (told(["care", "next"], denied=0.1)["payers.asks.authorization.levels"])
    )
    answered = told(["care"], denied=0.1, units=9, per="day")
    assert "every review is answered at once by yes" in answered["payers.asks.authorization.units"]
    assert not told(["care"], units=9, per="day", review={"cut": 0.1})
    assert not told(["care"], delay_days=2)


def test_rooms_mergers_and_due_dates_without_effect() -> None:
    groups = {"one": group(room="main", below_minimum={"merge_with": "two"}), "two": group()}
    rooms = {"main": {"seats": 12}, "spare": {"seats": 9, "cost_per_week": 300}}
    visit = {"levels": ["iop"], "role": "guide", "minutes": 30, "per": "admission", "due_days": 3}
    services = {"now": visit, "later": visit | {"limits": True}}
    told = notes(staffed(group_program(groups), {"rooms": rooms, "services": services}))
    assert set(told) == {"rooms.spare", "levels.iop.groups.one.below_minimum", "services.now.due_days"}
    assert "it costs 300 a week" in told["rooms.spare"]


def test_levels_that_share_a_role_are_counted_where_they_are_many() -> None:
    assert together(["php", "iop", "after"]) == "php, iop and after"
    assert together([f"site_{number}" for number in range(20)]) == "20 levels"
