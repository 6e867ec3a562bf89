"""Plans that are others from a date on: capacity, rates and care (model.md §§2, 5). Day 0 is a Monday."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from iopsim.model import sources
from iopsim.model.draws import Draws
from iopsim.model.timeline import Timeline
from iopsim.scenario.schema import Scenario
from tests.unit.timelines import Person, Told, date_of, live

ANN, BOB, CAT, DAN = (Person(name, 0.5 + number) for number, name in enumerate(("ann", "bob", "cat", "dan")))
NINE = 9 / 24


def from_day(*plans: tuple[int, dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"from": date_of(day), "set": values} for day, values in plans]


def told(
    level: dict[str, Any], *people: Person, changes: list[dict[str, Any]], weeks: int = 8, **rest: Any
) -> Told:
    return live({"care": level}, *people, weeks=weeks, changes=changes, **rest)


def first(story: Told, word: str) -> dict[str, float]:
    """When something first happened to each of those to whom it did."""
    days: dict[str, float] = {}
    for day, name, text in story.timeline:
        if word in text:
            days.setdefault(name, day)
    return days


# ── places ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_fall_in_places_evicts_nobody_and_admits_nobody_until_below() -> None:
    story = told(
        {"places": 3, "stay_days": 10}, ANN, BOB, CAT, DAN, changes=from_day((5, {"levels.care.places": 1}))
    )
    assert story.timeline == [
        (0.5, "ann", "referred care, admitted care, started care"),
        (1.5, "bob", "referred care, admitted care, started care"),
        (2.5, "cat", "referred care, admitted care, started care"),
        (3.5, "dan", "referred care"),
        (10.5, "ann", "completed care → home, released care"),
        (11.5, "bob", "completed care → home, released care"),
        (12.5, "cat", "completed care → home, released care"),
        (12.5, "dan", "admitted care, started care"),
        (22.5, "dan", "completed care → home, released care"),
    ]


def test_new_places_are_taken_at_the_beginning_of_their_day() -> None:
    story = told(
        {"places": 1, "stay_days": 10}, ANN, BOB, CAT, DAN, changes=from_day((5, {"levels.care.places": 3}))
    )
    assert first(story, "admitted") == {"ann": 0.5, "bob": 5, "cat": 5, "dan": 10.5}


def test_places_by_track_change_one_by_one() -> None:
    people = [
        Person(name, 0.5 + number, track=name[:3])
        for number, name in enumerate(("sud", "eat", "sud2", "eat2"))
    ]
    story = told(
        {"places": {"sud": 1, "eat": 1}, "stay_days": 20},
        *people,
        changes=from_day((6, {"levels.care.places.eat": 2})),
    )
    assert first(story, "admitted") == {"sud": 0.5, "eat": 1.5, "eat2": 6, "sud2": 20.5}


def test_room_for_everybody_begins_and_ends_on_a_date() -> None:
    plans = from_day((5, {"levels.care.places": "unlimited"}), (9, {"levels.care.places": 2}))
    late = Person("late", 9.5)
    story = told({"places": 1, "stay_days": 10}, ANN, BOB, CAT, late, changes=plans)
    assert first(story, "admitted") == {
        "ann": 0.5,
        "bob": 5,
        "cat": 5,
        "late": 15,
    }  # after bob and cat, below two


def test_a_change_before_the_opening_is_in_force_from_the_opening_on() -> None:
    plans = from_day((-9, {"levels.care.places": 2}), (0, {"levels.care.places": 3}))
    story = told({"places": 0, "stay_days": 10}, ANN, BOB, CAT, DAN, changes=plans)
    assert first(story, "admitted") == {"ann": 0.5, "bob": 1.5, "cat": 2.5, "dan": 10.5}


# ── the waitlist ─────────────────────────────────────────────────────────────────────────────────────────────


def test_a_shorter_list_refuses_newcomers_only() -> None:
    plans = from_day((3, {"levels.care.waitlist.at_most": 1}), (4, {"levels.care.waitlist.at_most": None}))
    people = (ANN, BOB, CAT, DAN, Person("eve", 4.5))
    story = told({"places": 1, "stay_days": 20}, *people, changes=plans)
    assert first(story, "refused") == {"dan": 3.5}
    assert first(story, "admitted") == {"ann": 0.5, "bob": 20.5, "cat": 40.5}


def test_a_list_may_be_closed_to_those_of_one_origin() -> None:
    people = [
        Person(f"{source}{day}", day + 0.5, source=source)
        for day in range(1, 4)
        for source in ("door", "ward")
    ]
    level = {"places": 0, "stay_days": 5, "waitlist": {"at_most": {"door": 9}}}
    story = told(level, *people, changes=from_day((2, {"levels.care.waitlist.at_most.door": 0})))
    assert first(story, "refused") == {"door2": 2.5, "door3": 3.5}


# ── groups ───────────────────────────────────────────────────────────────────────────────────────────────────


def group(*people: Person, changes: list[dict[str, Any]], stay_days: float = 20, **spec: Any) -> Told:
    """A level with one group, Mondays and Thursdays at nine."""
    level = {"stay_days": stay_days, "groups": {"talk": {"days": ["mon", "thu"], "seats": 2, **spec}}}
    return told(level, *people, changes=changes)


def test_a_fall_in_seats_leaves_all_in_theirs_and_admits_nobody_until_below() -> None:
    """Ann, bob and cat start on Thursday (3), with three hours to nine, and leave 20 days later; dan when below one."""
    people = [Person(name, 0.5 + number / 10) for number, name in enumerate(("ann", "bob", "cat", "dan"))]
    story = group(*people, seats=3, changes=from_day((7, {"levels.care.groups.talk.seats": 1})))
    assert first(story, "admitted") == {"ann": 0.5, "bob": 0.6, "cat": 0.7, "dan": pytest.approx(23 + NINE)}
    assert [who for day, _, who in story.sessions if day == 7 + NINE] == ["ann, bob, cat"]


def test_new_seats_are_taken_on_their_day_and_overbooking_too() -> None:
    people = [Person(name, 0.5 + number / 10) for number, name in enumerate(("ann", "bob", "cat", "dan"))]
    seats, overbook = "levels.care.groups.talk.seats", "levels.care.groups.talk.overbook"
    story = group(*people, seats=1, changes=from_day((2, {seats: 2}), (5, {overbook: 1.5})))
    assert first(story, "admitted") == {"ann": 0.5, "bob": 2, "cat": 5, "dan": pytest.approx(23 + NINE)}


def test_a_session_needs_as_many_as_the_plan_of_its_day_says() -> None:
    plans = from_day(
        (7, {"levels.care.groups.talk.min_census": 2}), (14, {"levels.care.groups.talk.min_census": 1})
    )
    story = group(ANN, changes=plans)
    assert [(day // 1, what) for day, _, what in story.sessions] == [
        (3, "ann"), (7, "below minimum: 1 enrolled"), (10, "below minimum: 1 enrolled"),
        (14, "ann"), (17, "ann"), (21, "ann"),
    ]  # fmt: skip


# ── care and access ──────────────────────────────────────────────────────────────────────────────────────────


def test_who_starts_from_the_date_on_attends_as_the_new_plan_says() -> None:
    """A chance of 0.01 is below the old mean and not below the new one: ann attends on, bob never does."""
    level = {
        "stay_days": 14,
        "attendance": {"mean": 0.9},
        "groups": {"talk": {"days": ["mon"], "seats": 5}},
    }
    bob = Person("bob", 0.7)
    story = told(level, ANN, bob, changes=from_day((10, {"levels.care.attendance.mean": 0.0})), weeks=6)
    assert [who for _, _, who in story.sessions] == ["ann, bob", "ann, bob"]
    late = Person("bob", 8.5)
    story = told(level, ANN, late, changes=from_day((10, {"levels.care.attendance.mean": 0.0})), weeks=6)
    assert [who for _, _, who in story.sessions] == ["ann", "ann, bob missed", "bob missed"]


def test_who_starts_from_the_date_on_drops_out_at_the_new_rate_whenever_they_joined() -> None:
    """Half of those at 0.5 a week are gone after the first; nobody is at 0. Cat joins before and starts after."""
    level = {"places": 2, "stay_days": 30, "leave_early": {"dropout_per_week": 0.0001}}
    story = told(
        level, ANN, BOB, CAT, DAN, changes=from_day((5, {"levels.care.leave_early.dropout_per_week": 0.5}))
    )
    assert first(story, "completed") == {"ann": 30.5, "bob": 31.5}
    assert first(story, "dropped out") == {"cat": 37.5, "dan": 38.5}


def test_a_need_of_a_higher_level_comes_up_at_the_new_rate_for_those_who_start() -> None:
    step_up = {"per_week": 0.0001, "to": {"unit": 1}, "hold_days": 0}
    levels = {
        "care": {"stay_days": 20, "leave_early": {"step_up": step_up}},
        "unit": {"stay_days": 3},
    }
    plans = from_day((1, {"levels.care.leave_early.step_up.per_week": 0.5}))
    story = live(levels, ANN, BOB, changes=plans)
    assert first(story, "suspended") == {"bob": 8.5}


def test_who_starts_from_the_date_on_goes_on_as_the_new_plan_says() -> None:
    level = {
        "phases": [{"weeks": 1, "days_per_week": 1}],
        "extension": {"share": 0.4, "weeks": 1},
        "groups": {"talk": {"days": ["mon"], "seats": 5}},
    }
    late = Person("bob", 8.5)
    story = told(level, ANN, late, changes=from_day((14, {"levels.care.extension.share": 0.6})))
    assert story.sessions == [
        (7 + NINE, "talk", "ann"),
        (14 + NINE, "talk", "bob"),
        (21 + NINE, "talk", "bob"),
    ]


def test_who_leaves_from_the_date_on_comes_back_as_the_new_plan_says() -> None:
    level = {"stay_days": 5, "returns": {"share": 0.4, "after_days": 3, "to": "care"}}
    people = [Person(name, day, draws={"returns care 2": 0.99}) for name, day in (("ann", 0.5), ("bob", 1.5))]
    story = told(level, *people, changes=from_day((6, {"levels.care.returns.share": 0.6})))
    assert [day for day, _ in story.of("ann")] == [0.5, 5.5]
    assert [day for day, _ in story.of("bob")] == [1.5, 6.5, 9.5, 14.5]


def test_contact_and_eligibility_are_judged_by_the_plan_of_the_instant() -> None:
    """Cat is called before the date and reached after it: the call went well, eligibility is judged anew."""
    level = {"stay_days": 5, "contact": {"share": 0.6, "delay_days": 2}, "eligible": {"share": 0.6}}
    plans = from_day((4, {"levels.care.contact.share": 0.4}), (6, {"levels.care.eligible.share": 0.4}))
    people = [Person(name, day + 0.5) for name, day in (("ann", 1), ("bob", 3), ("cat", 5), ("dan", 4))]
    story = told(level, *people, changes=plans)
    assert first(story, "started") == {"ann": 3.5, "bob": 5.5}
    assert first(story, "lost") == {"cat": 5.5, "dan": 4.5}
    plans = from_day((4, {"levels.care.eligible.share": 0.4}))
    story = told(level, *people[:2], changes=plans)
    assert story.of("bob")[-1] == (5.5, "contacted care, lost care → home at screen")


def test_the_payer_denies_requests_and_cuts_reviews_as_on_the_day_of_asking() -> None:
    """Bob asks for admission before the date and is answered after it; so does ann for more days."""
    asked = {
        "levels": ["care"], "delay_days": 2, "denied": 0.4, "units": 5, "per": "day", "ask_before": 1,
        "review": {"delay_days": 1, "cut": 0.4},
    }  # fmt: skip
    plans = from_day(
        (2, {"payers.all.authorization.denied": 0.6}), (7, {"payers.all.authorization.review.cut": 0.6})
    )
    story = told({"stay_days": 7}, ANN, BOB, CAT, changes=plans, payers={"all": {"authorization": asked}})
    assert first(story, "denied") == {"cat": 4.5}
    assert first(story, "started") == {"ann": 2.5, "bob": 3.5}
    assert story.of("ann")[-3:] == [
        (6.5, "asked care 5"), (7.5, "extended care 10"), (9.5, "completed care → home, released care"),
    ]  # fmt: skip
    assert story.of("bob")[-2:] == [
        (7.5, "asked care 5"), (8.5, "cut care, discharged care → home by the payer, released care"),
    ]  # fmt: skip


# ── referrals ────────────────────────────────────────────────────────────────────────────────────────────────


def source(*changes: tuple[int, float], weeks: int = 200, first_day: int = 0, **spec: Any) -> Scenario:
    """A source of 14 referrals a week, others from some days on."""
    return Scenario.model_validate(
        {
            "run": {
                "start": date_of(first_day),
                "warm_up_weeks": 0,
                "weeks": weeks,
                "run_out_weeks": 0,
                "seed": 6,
            },
            "sources": {"door": {"to": "care", "per_week": 14, **spec}},
            "levels": {"care": {"stay_days": 1}},
            "changes": from_day(*((day, {"sources.door.per_week": rate}) for day, rate in changes)),
        }
    )


def referred(scenario: Scenario, replication: int = 0) -> dict[tuple[int, int], float]:
    draws = Draws(scenario.run.seed, replication)
    found = sources.referrals(scenario, Timeline(scenario), draws, ("either",), ("either",))
    return {(person.cell.number, person.row): person.referred for person in found.patients(first=0)}


def test_rates_by_day_follow_the_plan_in_force() -> None:
    weekdays = [2, 1, 1, 1, 1, 0.5, 0.5]
    rates = [
        Timeline(scenario).rates("door")
        for scenario in (
            source(weeks=2, weekdays=weekdays),
            source((3, 28), (9, 7), weeks=2, weekdays=weekdays),
        )
    ]
    factors = [1, 1, 1, 2, 2, 2, 2, 2, 2, 0.5, 0.5, 0.5, 0.5, 0.5]
    assert rates[1].tolist() == (rates[0] * factors).tolist()


def test_a_rate_that_doubles_adds_as_many_people_and_moves_nobody() -> None:
    before, after = referred(source()), referred(source((700, 28)))
    assert before.items() <= after.items()
    added = [when for person, when in after.items() if person not in before]
    assert min(added) >= 700
    expected = 2 * 700
    assert abs(len(added) - expected) < 4 * expected**0.5
    assert abs(len(before) - 2800) < 4 * 2800**0.5


def test_a_rate_that_falls_only_hides_people() -> None:
    before, after = referred(source()), referred(source((700, 7)))
    assert after.items() < before.items()
    hidden = [when for person, when in before.items() if person not in after]
    assert min(hidden) >= 700
    assert abs(len(hidden) - 700) < 4 * 700**0.5


def test_a_week_swings_at_the_rate_of_its_monday_whatever_comes_later() -> None:
    """A change on a Wednesday (16) changes nobody before it; the swing of the week is that of its Monday's rate."""
    plain, changed = source(weeks=6, dispersion=4), source((16, 28), weeks=6, dispersion=4)
    assert Timeline(changed).weeks("door")[1].tolist() == [14, 14, 14, 28, 28, 28]
    swings = [
        sources._swings("door", scenario.sources["door"], Timeline(scenario), Draws(6, 0))
        for scenario in (plain, changed)
    ]
    assert swings[0][:21].tolist() == swings[1][:21].tolist()
    assert not np.any(swings[0][21:] == swings[1][21:])
    people = [referred(scenario) for scenario in (plain, changed)]
    assert people[0].items() < people[1].items()
    assert min(people[1][person] for person in people[1].keys() - people[0].keys()) >= 16


def test_a_change_before_the_start_and_one_in_the_first_week_are_known_by_their_dates() -> None:
    """The run starts on Wednesday: its first week began on Monday, before the second change."""
    scenario = source((-30, 7), (1, 28), first_day=2, weeks=2, dispersion=2)
    timeline = Timeline(scenario)
    assert timeline.weeks("door")[1].tolist() == [7, 28, 28]
    assert timeline.rates("door").tolist() == [4] * 14
    assert [day for day, _ in timeline.plans] == [0]
    assert timeline.plans[0][1].sources["door"].per_week == 28
