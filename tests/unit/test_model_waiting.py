"""Who is admitted, when, and in which order; who gives up; who is refused (model.md §§5, 6, 8)."""

from __future__ import annotations

import pytest

from tests.unit.timelines import Person, live

ONE_PLACE = {"places": 1, "stay_days": 5}
GONE_HOME = "completed iop → home, released iop"


def test_whoever_finds_a_place_starts_at_once() -> None:
    assert live({"iop": ONE_PLACE}, Person("ann", 0.5)).timeline == [
        (0.5, "ann", "referred iop, admitted iop, started iop"),
        (5.5, "ann", GONE_HOME),
    ]


def test_those_who_wait_are_admitted_in_the_order_in_which_they_joined() -> None:
    told = live({"iop": ONE_PLACE}, Person("cy", 2), Person("bob", 1), Person("ann", 0))
    assert told.timeline == [
        (0, "ann", "referred iop, admitted iop, started iop"),
        (1, "bob", "referred iop"),
        (2, "cy", "referred iop"),
        (5, "ann", GONE_HOME),
        (5, "bob", "admitted iop, started iop"),
        (10, "bob", GONE_HOME),
        (10, "cy", "admitted iop, started iop"),
        (15, "cy", GONE_HOME),
    ]


def test_a_higher_class_goes_first_and_who_is_not_listed_goes_last() -> None:
    waitlist = {"priority": {"ward": 1, "door": 2}}
    told = live(
        {"iop": ONE_PLACE | {"waitlist": waitlist}},
        Person("ann", 0),
        Person("friend", 1, source="street"),
        Person("bob", 2),
        Person("cy", 3, source="ward"),
    )
    starts = [(day, who) for day, who, what in told.timeline if "started" in what]
    assert starts == [(0, "ann"), (5, "cy"), (10, "bob"), (15, "friend")]


def test_an_evening_patient_blocks_nobody_who_wants_a_day_seat() -> None:
    groups = {
        "day": {"time": "day", "days": ["mon", "wed"], "seats": 1},
        "evening": {"time": "evening", "days": ["mon", "wed"], "start": "18:00", "seats": 1},
    }
    people = (
        Person("ann", 0, time="evening"),
        Person("bob", 1, time="evening"),
        Person("cy", 1.5, time="day"),
    )
    free = live({"iop": {"groups": groups, "stay_days": 30}}, *people, weeks=1)
    assert free.timeline == [
        (0, "ann", "referred iop, admitted iop in evening mon+wed"),
        (0.75, "ann", "started iop"),
        (1, "bob", "referred iop"),
        (1.5, "cy", "referred iop, admitted iop in day mon+wed"),
        (2.375, "cy", "started iop"),
    ]
    strict = {"groups": groups, "stay_days": 30, "waitlist": {"discipline": "strict"}}
    assert live({"iop": strict}, *people, weeks=1).of("cy") == [(1.5, "referred iop")]


def test_a_strict_list_moves_on_when_its_head_gives_up() -> None:
    level = {
        "places": {"mood": 1, "sud": 1},
        "stay_days": 30,
        "waitlist": {"discipline": "strict", "patience_days": 3},
    }
    people = (Person("ann", 0, track="mood"), Person("bob", 1, track="mood"), Person("cy", 2, track="sud"))
    assert live({"iop": level}, *people, weeks=2).timeline == [
        (0, "ann", "referred iop, admitted iop, started iop"),
        (1, "bob", "referred iop"),
        (2, "cy", "referred iop"),
        (4, "bob", "reneged iop → home"),
        (4, "cy", "admitted iop, started iop"),
    ]


def test_places_by_track_serve_their_own_track_only() -> None:
    level = {"places": {"mood": 1, "sud": 1}, "stay_days": 5}
    people = (Person("ann", 0, track="mood"), Person("bob", 1, track="mood"), Person("cy", 2, track="sud"))
    assert live({"iop": level}, *people).timeline == [
        (0, "ann", "referred iop, admitted iop, started iop"),
        (1, "bob", "referred iop"),
        (2, "cy", "referred iop, admitted iop, started iop"),
        (5, "ann", GONE_HOME),
        (5, "bob", "admitted iop, started iop"),
        (7, "cy", GONE_HOME),
        (10, "bob", GONE_HOME),
    ]


# ── patience ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_who_gives_up_goes_where_the_level_says_and_leaves_no_place_taken() -> None:
    iop = {"places": 1, "stay_days": 9, "waitlist": {"patience_days": 3, "renege_to": "op"}}
    told = live({"iop": iop, "op": {"stay_days": 2}}, Person("ann", 0), Person("bob", 1), Person("cy", 9.5))
    assert told.timeline == [
        (0, "ann", "referred iop, admitted iop, started iop"),
        (1, "bob", "referred iop"),
        (4, "bob", "reneged iop → op, joined op, admitted op, started op"),
        (6, "bob", "completed op → home, released op"),
        (9, "ann", GONE_HOME),
        (9.5, "cy", "referred iop, admitted iop, started iop"),
        (18.5, "cy", GONE_HOME),
    ]


def test_patience_ends_at_admission_and_not_at_the_first_session() -> None:
    group = {"days": ["fri"], "seats": 1}
    iop = {"groups": {"friday": group}, "stay_days": 1, "waitlist": {"patience_days": 2}}
    assert live({"iop": iop}, Person("ann", 0), weeks=1).timeline == [
        (0, "ann", "referred iop, admitted iop in friday fri"),
        (4.375, "ann", "started iop"),
        (5.375, "ann", GONE_HOME),
    ]


def test_a_place_that_comes_free_at_the_instant_patience_ends_is_taken() -> None:
    iop = ONE_PLACE | {"waitlist": {"patience_days": 3}}
    told = live({"iop": iop}, Person("ann", 0), Person("bob", 2))
    assert told.of("bob") == [(2, "referred iop"), (5, "admitted iop, started iop"), (10, GONE_HOME)]


# ── capped lists ─────────────────────────────────────────────────────────────────────────────────────────────


def test_a_full_list_refuses_and_sends_elsewhere() -> None:
    iop = ONE_PLACE | {"waitlist": {"at_most": 1, "otherwise": "op"}}
    told = live({"iop": iop, "op": {"stay_days": 1}}, Person("ann", 0), Person("bob", 1), Person("cy", 2))
    assert told.timeline == [
        (0, "ann", "referred iop, admitted iop, started iop"),
        (1, "bob", "referred iop"),
        (2, "cy", "referred iop, refused iop → op, joined op, admitted op, started op"),
        (3, "cy", "completed op → home, released op"),
        (5, "ann", GONE_HOME),
        (5, "bob", "admitted iop, started iop"),
        (10, "bob", GONE_HOME),
    ]


def test_a_list_of_none_refuses_whoever_cannot_start_at_once() -> None:
    iop = ONE_PLACE | {"waitlist": {"at_most": 0}}
    told = live({"iop": iop}, Person("ann", 0), Person("bob", 1), Person("cy", 6))
    assert told.timeline == [
        (0, "ann", "referred iop, admitted iop, started iop"),
        (1, "bob", "referred iop, refused iop → home"),
        (5, "ann", GONE_HOME),
        (6, "cy", "referred iop, admitted iop, started iop"),
        (11, "cy", GONE_HOME),
    ]


def test_a_cap_by_origin_shuts_out_those_of_that_origin_only() -> None:
    iop = ONE_PLACE | {"waitlist": {"at_most": {"door": 0, "ward": 1}}}
    told = live(
        {"iop": iop},
        Person("ann", 0),
        Person("bob", 1),
        Person("cy", 2, source="ward"),
        Person("dan", 3, source="ward"),
        Person("eve", 4, source="street"),
        weeks=1,
    )
    assert told.timeline == [
        (0, "ann", "referred iop, admitted iop, started iop"),
        (1, "bob", "referred iop, refused iop → home"),
        (2, "cy", "referred iop"),
        (3, "dan", "referred iop, refused iop → home"),
        (4, "eve", "referred iop"),
        (5, "ann", GONE_HOME),
        (5, "cy", "admitted iop, started iop"),
    ]


# ── one instant ──────────────────────────────────────────────────────────────────────────────────────────────


def test_at_one_instant_releases_come_first_then_those_who_wait_then_arrivals() -> None:
    told = live({"iop": ONE_PLACE}, Person("cy", 5), Person("bob", 4), Person("ann", 0))
    assert told.timeline == [
        (0, "ann", "referred iop, admitted iop, started iop"),
        (4, "bob", "referred iop"),
        (5, "ann", GONE_HOME),
        (5, "bob", "admitted iop, started iop"),
        (5, "cy", "referred iop"),
        (10, "bob", GONE_HOME),
        (10, "cy", "admitted iop, started iop"),
        (15, "cy", GONE_HOME),
    ]


def test_ties_go_by_identity() -> None:
    told = live({"iop": ONE_PLACE}, Person("ann", 1), Person("bob", 1))
    assert told.timeline == [
        (1, "ann", "referred iop, admitted iop, started iop"),
        (1, "bob", "referred iop"),
        (6, "ann", GONE_HOME),
        (6, "bob", "admitted iop, started iop"),
        (11, "bob", GONE_HOME),
    ]


# Two leave two levels at one instant, the second in identity first because completions come before dropouts.
PHP = {"stay_days": 9, "leave_early": {"dropout": 2, "dropout_to": "iop"}}
UNIT = {"stay_days": 2, "next": {"iop": 1}}


def test_those_who_join_at_one_instant_are_admitted_in_rule_order() -> None:
    told = live(
        {"php": PHP, "unit": UNIT, "iop": {"places": 1, "stay_days": 9}},
        Person("ann", 1),
        Person("bob", 1, to="unit", source="ward"),
        weeks=1,
    )
    assert told.timeline[2:] == [
        (3, "bob", "completed unit → iop, released unit, joined iop"),
        (3, "ann", "dropped out php → iop, released php, joined iop, admitted iop, started iop"),
    ]


@pytest.mark.parametrize(("first", "refused"), [("php", "bob"), ("unit", "ann")])
def test_those_who_join_a_capped_list_at_one_instant_are_refused_from_the_end_of_rule_order(
    first: str, refused: str
) -> None:
    waitlist = {"at_most": 1, "priority": {first: 1}}
    told = live(
        {"php": PHP, "unit": UNIT, "iop": {"places": 1, "stay_days": 90, "waitlist": waitlist}},
        Person("ann", 1),
        Person("bob", 1, to="unit", source="ward"),
        Person("zoe", 0, to="iop", source="street"),
        weeks=1,
    )
    assert [who for _, who, what in told.timeline if "refused" in what] == [refused]


# ── seats and therapists ─────────────────────────────────────────────────────────────────────────────────────

STAFF = {"therapist": {"posts": 2, "caseload": 2}}


def test_a_patient_goes_to_the_therapist_with_the_lowest_load_then_in_order_of_posts() -> None:
    level = {"stay_days": 20, "caseload": "therapist", "by": {"source": {"short": {"stay_days": 2}}}}
    told = live(
        {"iop": level},
        Person("ann", 0, source="short"),
        Person("bob", 1),
        Person("cy", 3),
        Person("dan", 4),
        staff={"nurse": {"posts": 1}} | STAFF,
        weeks=1,
    )
    assert told.timeline == [
        (0, "ann", "referred iop, admitted iop with therapist 0, started iop"),
        (1, "bob", "referred iop, admitted iop with therapist 1, started iop"),
        (2, "ann", GONE_HOME),
        (3, "cy", "referred iop, admitted iop with therapist 0, started iop"),
        (4, "dan", "referred iop, admitted iop with therapist 0, started iop"),
    ]


def test_admission_is_all_or_none() -> None:
    """A free place waits for a therapist, a free therapist for a place; nobody keeps one of the two."""
    level = {"places": 2, "stay_days": 4, "caseload": "therapist"}
    few_therapists = live(
        {"iop": level},
        Person("ann", 0),
        Person("bob", 1),
        Person("cy", 4.5),
        staff={"therapist": {"posts": 1, "caseload": 1}},
        weeks=1,
    )
    assert few_therapists.timeline == [
        (0, "ann", "referred iop, admitted iop with therapist 0, started iop"),
        (1, "bob", "referred iop"),
        (4, "ann", GONE_HOME),
        (4, "bob", "admitted iop with therapist 0, started iop"),
        (4.5, "cy", "referred iop"),
    ]
    two_levels = {"iop": level | {"places": 1}, "aftercare": level}
    people = Person("ann", 0), Person("bob", 1), Person("cy", 2, to="aftercare", source="ward")
    few_places = live(two_levels, *people, staff={"therapist": {"posts": 1, "caseload": 2}}, weeks=1)
    assert few_places.timeline == [
        (0, "ann", "referred iop, admitted iop with therapist 0, started iop"),
        (1, "bob", "referred iop"),
        (2, "cy", "referred aftercare, admitted aftercare with therapist 0, started aftercare"),
        (4, "ann", GONE_HOME),
        (4, "bob", "admitted iop with therapist 0, started iop"),
        (6, "cy", "completed aftercare → home, released aftercare"),
    ]


def test_a_caseload_is_rounded_down_to_whole_patients() -> None:
    half_time = {"therapist": {"posts": 1, "fte": 0.5, "caseload": 5}}
    people = [Person(name, day) for day, name in enumerate(("ann", "bob", "cy"))]
    told = live({"iop": {"stay_days": 30, "caseload": "therapist"}}, *people, staff=half_time, weeks=1)
    assert [who for _, who, what in told.timeline if "admitted" in what] == ["ann", "bob"]
