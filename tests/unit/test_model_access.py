"""From the referral to the waitlist: contact, eligibility, intake appointments (model.md §6)."""

from __future__ import annotations

import re
from typing import Any

from tests.unit.timelines import Person, Told, date_of, live

PLACE = {"places": 9, "stay_days": 5}
INTAKE = {"role": "intake", "minutes": 90}
STAFF = {"intake": {"posts": 1, "bookable": 0.75}}  # 8 h × 0.75 = 6 h a day: four appointments of 90 minutes
STARTED = "admitted iop, started iop"
DONE = "completed iop → home, released iop"


def told(level: dict[str, Any], *people: Person, **rest: Any) -> Told:
    return live({"iop": PLACE | level, "op": {"stay_days": 50}}, *people, staff=STAFF, **rest)


def test_who_is_not_reached_goes_where_the_scenario_says() -> None:
    story = told(
        {"contact": {"share": 0.75, "lost_to": "op"}},
        Person("ann", 0.5, draws={"contact iop": 0.74}),
        Person("bob", 1.5, draws={"contact iop": 0.75}),
        weeks=1,
    )
    assert story.timeline == [
        (0.5, "ann", f"referred iop, contacted iop, joined iop, {STARTED}"),
        (1.5, "bob", "referred iop, lost iop → op at contact, joined op, admitted op, started op"),
        (5.5, "ann", DONE),
    ]


def test_contact_may_take_some_days_and_who_was_lost_before_is_not_called() -> None:
    story = told({"contact": {"delay_days": 2}}, Person("ann", 0.5), weeks=1)
    assert story.timeline == [
        (0.5, "ann", "referred iop"),
        (2.5, "ann", f"contacted iop, joined iop, {STARTED}"),
    ]


def test_eligibility_is_found_at_the_screen_or_at_the_assessment_when_intake_time_was_used() -> None:
    ineligible = Person("ann", 0.5, draws={"eligible iop": 0.9})
    at_screen = told({"eligible": {"share": 0.9, "otherwise": "op"}}, ineligible, weeks=1)
    assert at_screen.timeline == [
        (0.5, "ann", "referred iop, lost iop → op at screen, joined op, admitted op, started op")
    ]
    eligible = {"share": 0.9, "found_at": "assessment", "otherwise": "op"}
    at_assessment = told({"eligible": eligible, "intake": INTAKE}, ineligible, weeks=1)
    assert at_assessment.timeline == [
        (0.5, "ann", "referred iop, booked iop 0, assessed iop"),  # at noon: 09:00 and 10:30 have passed
        (0.5625, "ann", "lost iop → op at assessment, joined op, admitted op, started op"),
    ]


def test_appointments_are_the_first_free_ones_of_working_days() -> None:
    people = [Person(f"p{number}", 4.5) for number in range(6)]  # Friday noon
    story = told({"intake": INTAKE}, *people, calendar={"closed": [date_of(7)]})
    leads = re.findall(r"booked iop (\d+)", " ".join(text for _, _, text in story.timeline))
    assert leads == ["0", "0", "4", "4", "4", "4"]
    assessed = [(day, who) for day, who, text in story.timeline if "assessed" in text]
    assert assessed == [
        (4.5, "p0"),
        (4.5625, "p1"),
        (8.375, "p2"),
        (8.4375, "p3"),
        (8.5, "p4"),
        (8.5625, "p5"),
    ]
    assert story.of("p2")[2] == (8.4375, f"joined iop, {STARTED}")


def test_who_does_not_show_wastes_the_slot_and_may_book_again_so_often() -> None:
    intake = INTAKE | {"show": 0.8, "rebook": 1, "rebook_taken": 0.6, "lost_to": "op"}
    story = told(
        {"intake": intake},
        Person("ann", 0, draws={"show iop 1 0": 0.9, "rebook iop": 0.5, "show iop 1 1": 0.1}),
        Person("bob", 0, draws={"show iop 1 0": 0.9, "rebook iop": 0.6}),
        Person("cy", 0, draws={"show iop": 0.9, "rebook iop": 0.1}),
        weeks=1,
    )
    assert story.of("ann") == [
        (0, "referred iop, booked iop 0"),
        (0.375, "no show iop, booked iop 0"),
        (0.5625, "assessed iop"),
        (0.625, f"joined iop, {STARTED}"),
        (5.625, DONE),
    ]
    assert story.of("bob") == [
        (0, "referred iop, booked iop 0"),
        (0.4375, "no show iop, lost iop → op at intake, joined op, admitted op, started op"),
    ]
    assert story.of("cy") == [
        (0, "referred iop, booked iop 0"),
        (0.5, "no show iop, booked iop 1"),
        (1.375, "no show iop, lost iop → op at intake, joined op, admitted op, started op"),
    ]


def test_a_longer_lead_makes_a_show_less_likely() -> None:
    intake = INTAKE | {"minutes": 360, "show": {"by_lead_days": {0: 0.8, 2: 0.4}}}  # one appointment a day
    chance = {"show iop": 0.5}
    story = told(
        {"intake": intake}, *(Person(who, 0.2, draws=chance) for who in ("ann", "bob", "cy")), weeks=1
    )
    outcome = {who: text for _, who, text in story.timeline if "assessed" in text or "no show" in text}
    assert outcome == {
        "ann": "assessed iop",  # 0.8 on the same day
        "bob": "assessed iop",  # 0.6 on the next
        "cy": "no show iop, lost iop → home at intake",  # 0.4 on the day after
    }


def test_step_downs_skip_the_stages_unless_they_are_named() -> None:
    ward = {"stay_days": 3, "next": {"iop": 1}}
    stages = {"contact": {"share": 0.5}, "intake": INTAKE}
    levels = {"iop": PLACE | stages, "ward": ward}
    skipped = live(levels, Person("ann", 0.5, to="ward"), staff=STAFF, weeks=1)
    assert skipped.timeline == [
        (0.5, "ann", "referred ward, admitted ward, started ward"),
        (3.5, "ann", f"completed ward → iop, released ward, joined iop, {STARTED}"),
    ]
    levels = {"iop": PLACE | {"intake": INTAKE | {"for": ["ward"]}}, "ward": ward}
    named = live(
        levels, Person("ann", 0.5, to="ward", source="street"), Person("bob", 0.5), staff=STAFF, weeks=1
    )
    assert named.of("ann") == [
        (0.5, "referred ward, admitted ward, started ward"),
        (3.5, "completed ward → iop, released ward, sent iop, booked iop 0, assessed iop"),
        (3.5625, f"joined iop, {STARTED}"),
    ]
    assert named.of("bob")[0] == (0.5, f"referred iop, {STARTED}")


def test_a_place_is_held_through_the_stages_and_given_back_when_the_hold_ends() -> None:
    ward = {"places": 1, "stay_days": 3, "next": {"iop": 1}, "hold_days": 2}
    levels = {"iop": PLACE | {"contact": {"delay_days": 4, "for": ["ward"]}}, "ward": ward}
    story = live(levels, Person("ann", 0, to="ward"), Person("bob", 1, to="ward"), weeks=2)
    assert story.of("ann") == [
        (0, "referred ward, admitted ward, started ward"),
        (3, "completed ward → iop, sent iop"),
        (5, "released ward"),
        (7, f"contacted iop, joined iop, {STARTED}"),
        (12, DONE),
    ]
    assert story.of("bob")[1] == (5, "admitted ward, started ward")


def test_who_is_lost_on_the_way_up_goes_on_with_the_treatment() -> None:
    step_up = {"after_days": 2, "to": {"ward": 1}}
    levels = {
        "iop": PLACE | {"leave_early": {"step_up": step_up}},
        "ward": {"stay_days": 3, "contact": {"share": 0.5, "for": ["iop"], "delay_days": 1}},
    }
    story = live(levels, Person("ann", 0, draws={"contact ward": 0.6}), weeks=2)
    assert story.timeline == [
        (0, "ann", f"referred iop, {STARTED}"),
        (2, "ann", "suspended iop → ward, sent ward, lost ward → home at contact, resumed iop"),
        (5, "ann", DONE),
    ]


def test_nobody_gives_appointments_while_the_post_is_empty_and_a_kept_one_is_moved_without_harm() -> None:
    staff = {"intake": {"posts": 1, "bookable": 0.75, "leaves": [date_of(1)], "days_to_hire": 2}}
    people = (Person("ann", 0.6), Person("bob", 1.5))
    story = live({"iop": PLACE | {"intake": INTAKE}}, *people, staff=staff, weeks=1)
    assert story.of("ann")[0] == (0.6, "referred iop, booked iop 1")
    assessed = {who: day for day, who, text in story.timeline if text == "assessed iop"}
    assert assessed == {"ann": 3.375, "bob": 3.4375}
    assert not any("no show" in text for _, _, text in story.timeline)
