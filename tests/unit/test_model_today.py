"""Who is in care or waits at the opening: stories by hand (model.md §10)."""

from __future__ import annotations

from math import log

import pytest

from tests.unit.timelines import Person, There, date_of, live

BED = {"places": 1, "stay_days": {"exponential": {"mean": 10}}}
OPEN = {"places": 2, "stay_days": 5}


def test_who_is_in_care_leaves_when_the_rest_of_the_stay_is_over_and_others_wait_for_it() -> None:
    told = live({"bed": {"places": 1, "stay_days": 5}}, There("ann", "bed", days=3), Person("bob", 0.5))
    assert told.timeline == [
        (-3, "ann", "joined bed, admitted bed, started bed"),
        (0.5, "bob", "referred bed"),
        (2, "ann", "completed bed → home, released bed"),
        (2, "bob", "admitted bed, started bed"),
        (7, "bob", "completed bed → home, released bed"),
    ]


def test_an_exponential_rest_is_drawn_anew_and_a_fixed_one_that_is_over_ends_at_once() -> None:
    told = live({"bed": BED}, There("ann", "bed", days=30, draws={"stay bed": 0.5}))
    assert told.of("ann")[-1][0] == pytest.approx(10 * log(2))
    told = live({"bed": {"places": 1, "stay_days": 5}}, There("ann", "bed", days=9), Person("bob", 0.5))
    assert told.of("ann")[-1][0] == 0
    assert told.of("bob")[0] == (0.5, "referred bed, admitted bed, started bed")


def test_more_in_care_than_places_evicts_nobody_and_admits_nobody_until_there_is_room() -> None:
    told = live(
        {"bed": OPEN}, There("ann", "bed", days=1), There("bea", "bed", days=2), There("cat", "bed", days=3),
        Person("dan", 0.5),
    )  # fmt: skip
    assert told.of("dan") == [
        (0.5, "referred bed"),
        (3, "admitted bed, started bed"),
        (8, "completed bed → home, released bed"),
    ]


def test_the_list_goes_by_the_time_of_joining_and_patience_by_what_is_left_of_it() -> None:
    level = {**OPEN, "places": 1, "waitlist": {"patience_days": {"uniform": {"min": 0, "max": 20}}}}
    told = live(
        {"bed": level},
        There("ann", "bed", days=1),
        There("bea", waits_for="bed", days=4, draws={"patience bed": 0.5}),
        There("cat", waits_for="bed", days=10, draws={"patience bed": 0.1}),
    )
    assert told.of("cat") == [(-10, "joined bed"), (1, "reneged bed → home")]
    assert told.of("bea")[1] == (4, "admitted bed, started bed")  # patient until 12 − 4


def test_a_plan_goes_on_after_the_sessions_used_and_ends_with_the_last() -> None:
    level = {
        "phases": [{"weeks": 1, "days_per_week": 3}, {"weeks": 2, "days_per_week": 1}],
        "groups": {"talk": {"days": ["mon", "wed", "fri"], "seats": 4}},
    }
    told = live({"iop": level}, There("ann", "iop", days=14, group="talk", sessions=2))
    assert told.sessions == [
        (0.375, "talk", "ann"),
        (7.375, "talk", "ann"),
        (14.375, "talk", "ann"),
    ]
    counted = live({"iop": level}, There("ann", "iop", days=6.625, group="talk"))  # three sessions since
    assert counted.sessions == [(0.375, "talk", "ann"), (7.375, "talk", "ann")]
    over = live({"iop": level}, There("ann", "iop", days=60, group="talk", sessions=9))
    assert over.of("ann")[-1] == (0, "completed iop → home, released iop")


def test_one_who_stands_in_both_files_holds_the_place_until_the_next_one_is_free() -> None:
    levels = {
        "bed": {"places": 1, "stay_days": 5, "next": {"php": 1}, "hold_days": "forever"},
        "php": {"places": 1, "stay_days": 7},
    }
    told = live(
        levels,
        There("ann", "bed", days=9, waits_for="php", waited=4.5),
        There("bea", "php", days=4),
        Person("cat", 1.5),
    )
    assert told.of("ann") == [
        (-9, "joined bed, admitted bed, started bed"),
        (-4.5, "completed bed → php, joined php"),
        (3, "admitted php, released bed, started php"),
        (10, "completed php → home, released php"),
    ]
    assert told.of("cat")[1] == (3, "admitted bed, started bed")


def test_one_who_waits_for_a_higher_level_goes_on_if_that_does_not_come_in_time() -> None:
    early = {"step_up": {"per_week": 0.01, "to": {"bed": 1}, "hold_days": 6}}
    levels = {
        "iop": {"places": 1, "stay_days": 30, "leave_early": early},
        "bed": {"places": 1, "stay_days": 40},
    }
    told = live(
        levels, There("ann", "iop", days=20, waits_for="bed", waited=4), There("bea", "bed", days=1), weeks=9
    )
    assert told.of("ann")[1:] == [
        (-4, "suspended iop → bed, joined bed"),
        (2, "withdrawn bed, resumed iop"),
        (16, "completed iop → home, released iop"),
    ]


def test_who_has_needed_a_higher_level_for_long_asks_at_the_opening_and_keeps_the_days_of_treatment() -> None:
    """It is needed after one day, and fourteen of twenty have passed: six are left after a hold of five."""
    early = {"step_up": {"after_days": 1, "to": {"bed": 1}, "hold_days": 5}}
    levels = {
        "iop": {"places": 1, "stay_days": 20, "leave_early": early},
        "bed": {"places": 1, "stay_days": 40},
    }
    told = live(levels, There("ann", "iop", days=14), There("bea", "bed", days=1), weeks=9)
    assert told.of("ann")[1:] == [
        (0, "suspended iop → bed, joined bed"),
        (5, "withdrawn bed, resumed iop"),
        (11, "completed iop → home, released iop"),
    ]


def test_services_of_one_whose_treatment_stands_still_fall_due_on_the_calendar_of_the_start_too() -> None:
    early = {"step_up": {"per_week": 0.01, "to": {"bed": 1}, "hold_days": 6}}
    told = live(
        {
            "iop": {"places": 1, "stay_days": 20, "leave_early": early},
            "bed": {"places": 1, "stay_days": 40},
        },
        There("ann", "iop", days=10, waits_for="bed", waited=4),
        There("bea", "bed", days=1),
        staff={"nurse": {"posts": 1}},
        services={
            "check": {"levels": ["iop"], "role": "nurse", "every_weeks": 1, "minutes": 30, "limits": True},
            "first": {"levels": ["iop"], "role": "nurse", "per": "admission", "minutes": 30, "limits": True},
        },
    )
    assert told.of("ann")[2:] == [
        (2, "withdrawn bed, resumed iop"),
        (16, "completed iop → home, released iop"),
    ]
    assert told.ledger.visit_due.tolist() == [4, 11]


def test_the_payer_answers_on_the_day_it_would_have_and_has_approved_what_was_used() -> None:
    asked = {"levels": ["bed"], "delay_days": {"uniform": {"min": 0, "max": 10}}, "units": 4, "per": "day",
             "ask_before": 1, "review": {"delay_days": 1, "cut": 0.6}}  # fmt: skip
    told = live(
        {"bed": OPEN},
        There("ann", "bed", days=3.5),
        There("bea", waits_for="bed", days=1.5, draws={"authorization bed": 0.5}),
        There("cat", waits_for="bed", days=7, draws={"authorization bed": 0.5}),
        payers={"all": {"authorization": asked}},
    )
    assert told.of("cat")[:3] == [
        (-7, "joined bed"),
        (-2, "authorized bed"),
        (0, "admitted bed, started bed"),
    ]
    assert told.of("ann")[1] == (0, "asked bed 4")  # of four days the third is over
    assert told.of("bea")[1] == (3.5, "authorized bed, admitted bed, started bed")


def test_who_has_waited_long_is_in_the_class_of_those_and_who_is_of_a_source_has_its_rank() -> None:
    waitlist = {"priority": {"door": 2, "ward": 1}, "ages_into": {"class": 1, "after_days": 20}}
    told = live(
        {"bed": {**OPEN, "places": 1, "waitlist": waitlist}},
        There("ann", "bed", days=1),
        There("bea", waits_for="bed", days=5, origin="ward"),
        There("cat", waits_for="bed", days=25),
        Person("dan", 50),
        Person("eve", 51, source="ward"),
    )
    assert [day for day, text in told.of("cat") if "started" in text] == [4]
    assert [day for day, text in told.of("bea") if "started" in text] == [9]


def test_services_that_wait_for_hours_fall_due_on_the_calendar_of_the_start() -> None:
    told = live(
        {"bed": {"places": 1, "stay_days": 30}},
        There("ann", "bed", days=10),
        staff={"nurse": {"posts": 1}},
        services={
            "check": {"levels": ["bed"], "role": "nurse", "every_weeks": 1, "minutes": 30, "limits": True}
        },
    )
    assert told.ledger.visit_due.tolist() == [4, 11, 18]


def test_an_empty_census_and_list_is_an_opening_from_empty() -> None:
    level = {"iop": {**OPEN, "waitlist": {"patience_days": 3}}}
    people = [Person(name, at) for name, at in zip("abcdef", (0.5, 0.6, 0.7, 3, 4, 5), strict=True)]
    empty = live(level, *people)
    today = live(level, *people, from_today={"as_of": date_of(0)})
    assert today.timeline == empty.timeline


def test_who_was_referred_before_has_an_appointment_or_is_still_to_be_reached() -> None:
    level = {
        **OPEN,
        "contact": {"share": 0.5, "delay_days": {"uniform": {"min": 0, "max": 8}}},
        "intake": {"role": "clerk", "minutes": 60, "show": {"by_lead_days": {0: 1, 10: 0}}},
    }
    told = live(
        {"iop": level},
        There("ann", applies_to="iop", days=1.5, appointment=1, draws={"show iop": 0.6}),
        There("bea", applies_to="iop", days=6, appointment=2.25, draws={"show iop": 0.3}),
        There("cat", applies_to="iop", days=4, draws={"contact delay iop": 0.5, "show iop": 0.7}),
        Person("dan", 0.9, draws={"contact iop": 0.4, "contact delay iop": 0.001}),
        staff={"clerk": {"posts": 1}},
    )
    assert told.of("ann") == [
        (-1.5, "referred iop, contacted iop, booked iop 3"),
        (1.375, "assessed iop"),
        (1.375 + 43691 / 2**20, "joined iop, admitted iop, started iop"),
        (6.375 + 43691 / 2**20, "completed iop → home, released iop"),
    ]
    assert told.of("bea")[1:] == [(2.375, "no show iop, lost iop → home at intake")]
    assert told.of("cat")[1] == (2, "contacted iop, booked iop 0")  # reached between day 0 and day 4
    assert told.of("dan")[1][1] == "contacted iop, booked iop 1"  # ten o'clock: nine is taken
    assert told.of("dan")[2][0] == pytest.approx(1 + 10 / 24, abs=1e-5)


def test_who_has_had_the_whole_plan_and_stands_on_the_next_list_is_ready_for_it_at_the_opening() -> None:
    levels = {
        "iop": {
            "phases": [{"weeks": 1, "days_per_week": 2}],
            "groups": {"talk": {"days": ["mon", "wed"], "seats": 4}},
            "next": {"bed": 1},
        },
        "bed": {"places": 1, "stay_days": 5},
    }
    told = live(
        levels,
        There("ann", "iop", days=20, group="talk", sessions=2, waits_for="bed", waited=3),
        There("bea", "bed", days=3),
    )
    assert told.of("ann")[2:] == [
        (0, "completed iop → bed, ready bed, released iop"),
        (2, "admitted bed, started bed"),
        (7, "completed bed → home, released bed"),
    ]


def test_who_is_in_care_may_be_referred_on_and_keeps_the_place_through_intake() -> None:
    iop = {**OPEN, "intake": {"role": "clerk", "minutes": 60, "for": ["bed"]}}
    bed = {"places": 1, "stay_days": 6, "hold_days": "forever", "next": {"iop": 1}}
    ann = There("ann", "bed", days=5, applies_to="iop", waited=2, appointment=2, origin="bed")
    at_the_end = live({"bed": bed, "iop": iop}, ann, staff={"clerk": {"posts": 1}})
    before = live({"bed": bed | {"refer_before_days": 3}, "iop": iop}, ann, staff={"clerk": {"posts": 1}})
    after_intake = [
        (2.375, "assessed iop"),
        (2.375 + 43691 / 2**20, "joined iop, admitted iop, released bed, started iop"),
        (7.375 + 43691 / 2**20, "completed iop → home, released iop"),
    ]
    assert at_the_end.of("ann") == [
        (-5, "joined bed, admitted bed, started bed"),
        (-2, "completed bed → iop, sent iop, booked iop 4"),
        *after_intake,
    ]
    assert before.of("ann") == [
        (-5, "joined bed, admitted bed, started bed"),
        (-2, "sent iop, booked iop 4"),
        (1, "completed bed → iop"),
        *after_intake,
    ]


def test_who_has_no_therapist_by_name_gets_the_least_loaded_of_all() -> None:
    told = live(
        {"iop": {**OPEN, "places": 5, "caseload": "talker"}},
        There("una", "iop", days=3),
        There("rob", "iop", days=2, post=0),
        There("sue", "iop", days=1, post=0),
        staff={"talker": {"posts": 2, "caseload": 2}},
    )
    clinicians = [told.of(name)[0][1].split("with ")[1] for name in ("una", "rob", "sue")]
    assert clinicians == ["talker 1, started iop", "talker 0, started iop", "talker 0, started iop"]


def test_the_files_together_say_who_somebody_is() -> None:
    levels = {
        "bed": {"places": 1, "stay_days": 6, "hold_days": "forever", "next": {"iop": 1}},
        "iop": {
            "phases": [{"weeks": 1, "days_per_week": 1}],
            "groups": {
                "day": {"days": ["mon"], "seats": 4, "time": "day"},
                "late": {"days": ["mon"], "seats": 4, "time": "evening", "start": "17:00"},
            },
        },
    }
    told = live(levels, There("ann", "bed", days=7, waits_for="iop", waited=1, time="evening"))
    assert "late" in told.of("ann")[2][1]
