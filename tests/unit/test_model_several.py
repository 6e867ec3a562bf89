"""Several programs side by side, and partial hospitalization as a level of groups (model.md §§5, 7, 8)."""

from __future__ import annotations

from tests.unit.timelines import Person, live

WEEK = ["mon", "tue", "wed", "thu", "fri"]


def iop(name: str, days: list[str]) -> dict[str, object]:
    group = {"days": days, "start": "12:00", "hours": 3, "seats": 2}
    return {"groups": {name: group}, "phases": [{"weeks": 1, "days_per_week": 2}], "caseload": "therapist"}


def test_two_programs_share_a_therapist_and_each_keeps_its_own_list() -> None:
    levels = {"north": iop("north_group", ["mon", "wed"]), "south": iop("south_group", ["tue", "thu"])}
    people = (
        Person("ann", 0.1, to="north", source="a"),
        Person("bob", 0.2, to="south", source="b"),
        Person("cy", 0.3, to="north", source="a"),
    )
    story = live(levels, *people, staff={"therapist": {"posts": 1, "caseload": 2}}, weeks=2)
    assert story.of("ann") == [
        (0.1, "referred north, admitted north in north_group mon+wed with therapist 0"),
        (0.5, "started north"),
        (2.625, "completed north → home, released north"),
    ]
    assert story.of("bob")[:2] == [
        (0.2, "referred south, admitted south in south_group tue+thu with therapist 0"),
        (1.5, "started south"),
    ]
    assert story.of("cy")[
        :3
    ] == [  # a seat is free all along; the therapist's second place only when ann leaves
        (0.3, "referred north"),
        (2.625, "admitted north in north_group mon+wed with therapist 0"),
        (7.5, "started north"),
    ]


def test_partial_hospitalization_may_be_a_level_of_groups_that_hands_on_to_another() -> None:
    php = {
        "groups": {"php_day": {"days": WEEK, "start": "09:00", "hours": 6, "seats": 1}},
        "phases": [{"weeks": 1, "days_per_week": 5}],
        "next": {"iop": 1},
        "hold_days": "forever",
    }
    program = iop("iop_group", ["mon", "wed"]) | {"caseload": None}
    story = live({"php": php, "iop": program}, Person("ann", 0), Person("bob", 1), weeks=3)
    assert story.of("ann") == [
        (0, "referred php, admitted php in php_day mon+tue+wed+thu+fri"),
        (0.375, "started php"),
        (4.625, "completed php → iop, joined iop, admitted iop in iop_group mon+wed"),
        (7.5, "released php, started iop"),
        (9.625, "completed iop → home, released iop"),
    ]
    assert story.of("bob")[:2] == [
        (1, "referred php"),
        (
            7.5,
            "admitted php in php_day mon+tue+wed+thu+fri",
        ),  # held until ann's first session in the next level
    ]
