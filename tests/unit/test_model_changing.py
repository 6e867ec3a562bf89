"""What waiting changes (class, accepted times), and who joins a list before treatment is over (model.md §§4-6)."""

from __future__ import annotations

from tests.unit.timelines import Person, live

ONE_PLACE = {"places": 1, "stay_days": 5}
DONE = "completed iop → home, released iop"


def starts(told: object) -> list[tuple[float, str]]:
    return [(day, who) for day, who, text in told.timeline if "started iop" in text]  # type: ignore[attr-defined]


def test_waiting_long_lifts_into_a_better_class() -> None:
    people = (
        Person("ann", 0),
        Person("friend", 1, source="street"),
        Person("bob", 4.5, source="ward"),
        Person("cy", 4.6, source="ward"),
    )
    waitlist = {"priority": {"ward": 1, "street": 2}}
    assert starts(live({"iop": ONE_PLACE | {"waitlist": waitlist}}, *people)) == [
        (0, "ann"),
        (5, "bob"),
        (10, "cy"),
        (15, "friend"),
    ]
    aging = waitlist | {"ages_into": {"class": 1, "after_days": 7}}
    aged = live({"iop": ONE_PLACE | {"waitlist": aging}}, *people)
    assert starts(aged) == [(0, "ann"), (5, "bob"), (10, "friend"), (15, "cy")]
    assert aged.of("friend")[1] == (8, "aged iop 1")
    assert ("cy", "aged iop 1") not in [(who, text) for _, who, text in aged.timeline]  # was there already


def test_the_second_choice_of_time_is_accepted_after_some_days() -> None:
    groups = {
        "day": {"days": ["mon"], "seats": 1, "time": "day"},
        "evening": {"days": ["mon"], "seats": 1, "time": "evening", "start": "18:00"},
    }
    level = {
        "groups": groups,
        "stay_days": 60,
        "waitlist": {"accept_other_time_after_days": 9},
    }
    people = (Person("ann", 0.1, time="evening"), Person("bob", 1, time="evening"))
    story = live({"iop": level}, *people, weeks=4)
    assert story.of("bob") == [
        (1, "referred iop"),
        (10, "accepted iop 1, admitted iop in day mon"),
        (14.375, "started iop"),
    ]
    never = live({"iop": level | {"waitlist": {}}}, *people, weeks=4)
    assert never.of("bob") == [(1, "referred iop")]


def test_a_stricter_payer_and_a_changed_mind_go_together() -> None:
    groups = {
        "day": {"days": ["mon"], "seats": 1, "time": "day"},
        "late": {"days": ["tue"], "seats": 1, "time": "late"},
    }
    level = {"groups": groups, "stay_days": 60, "waitlist": {"accept_other_time_after_days": 1}}
    payers = {"all": {"authorization": {"levels": ["iop"], "delay_days": 4}}}
    people = (Person("ann", 0, time="late"), Person("bob", 0, time="late"))
    story = live({"iop": level}, *people, payers=payers, weeks=2)
    assert story.of("bob")[1:4] == [
        (1, "accepted iop 1"),
        (4, "authorized iop"),
        (4, "admitted iop in late tue"),  # ann, who takes any group too, is in the one that meets first
    ]


WARD = {"places": 1, "stay_days": 10, "next": {"iop": 1}, "refer_before_days": 4}


def test_who_is_referred_ahead_keeps_the_place_in_line_but_starts_after_the_treatment() -> None:
    levels = {"iop": ONE_PLACE, "ward": WARD}
    people = (Person("ann", 0, to="ward", source="ward_door"), Person("bob", 5), Person("cy", 7))
    story = live(levels, *people)
    assert story.of("ann") == [
        (0, "referred ward, admitted ward, started ward"),
        (6, "joined iop"),
        (10, "completed ward → iop, ready iop, released ward"),
        (10, "admitted iop, started iop"),
        (15, DONE),
    ]
    assert starts(story) == [(5, "bob"), (10, "ann"), (15, "cy")]  # cy joined after ann


def test_the_place_before_is_held_from_the_end_of_the_treatment_on() -> None:
    levels = {"iop": ONE_PLACE, "ward": WARD | {"hold_days": 3}}
    people = (
        Person("ann", 0, to="ward", source="ward_door"),
        Person("bob", 5.5),
        Person("eve", 1, to="ward", source="ward_door"),
    )
    story = live(levels, *people)
    assert story.of("ann")[1:4] == [
        (6, "joined iop"),
        (10, "completed ward → iop, ready iop"),
        (10.5, "admitted iop, released ward, started iop"),
    ]
    assert story.of("eve")[1] == (10.5, "admitted ward, started ward")


def test_who_drops_out_before_the_end_is_withdrawn_from_the_next_list() -> None:
    levels = {"iop": ONE_PLACE, "ward": WARD | {"leave_early": {"dropout": 8}}}
    story = live(levels, Person("ann", 0, to="ward", source="ward_door"))
    assert story.of("ann")[1:] == [
        (6, "joined iop"),
        (8, "dropped out ward → home, withdrawn iop, released ward"),
    ]


def test_a_full_list_refuses_at_the_end_of_the_treatment_and_not_before() -> None:
    levels = {
        "iop": ONE_PLACE | {"waitlist": {"at_most": 0, "otherwise": "op"}},
        "ward": WARD,
        "op": {"stay_days": 99},
    }
    ann = Person("ann", 0, to="ward", source="ward_door")
    assert live(levels, ann).of("ann")[1:3] == [
        (6, "joined iop"),
        (10, "completed ward → iop, ready iop, released ward, admitted iop, started iop"),
    ]
    assert live(levels, ann, Person("bob", 8)).of("ann")[1:] == [
        (6, "joined iop"),
        (
            10,
            "completed ward → iop, ready iop, released ward, refused iop → op, joined op, admitted op, started op",
        ),
    ]


def test_who_is_denied_ahead_goes_on_and_goes_elsewhere_at_the_end() -> None:
    levels = {"iop": ONE_PLACE, "ward": WARD, "op": {"stay_days": 99}}
    payers = {"all": {"authorization": {"levels": ["iop"], "delay_days": 2, "denied": 1, "denied_to": "op"}}}
    story = live(levels, Person("ann", 0, to="ward", source="ward_door"), payers=payers)
    assert story.of("ann")[1:] == [
        (6, "joined iop"),
        (8, "denied iop → home"),
        (10, "completed ward → op, released ward, joined op, admitted op, started op"),
    ]


def test_a_strict_list_is_not_blocked_by_who_is_still_treated_elsewhere() -> None:
    levels = {"iop": ONE_PLACE | {"waitlist": {"discipline": "strict"}}, "ward": WARD}
    people = (Person("ann", 0, to="ward", source="ward_door"), Person("bob", 7))
    assert starts(live(levels, *people)) == [(7, "bob"), (12, "ann")]


def test_patience_begins_with_the_end_of_the_treatment_and_authorization_before() -> None:
    levels = {"iop": ONE_PLACE | {"waitlist": {"patience_days": 2}}, "ward": WARD}
    payers = {"all": {"authorization": {"levels": ["iop"], "delay_days": 3}}}
    people = (Person("ann", 0, to="ward", source="ward_door"), Person("bob", 8.5))
    story = live(levels, *people, payers=payers)
    assert story.of("ann")[1:] == [
        (6, "joined iop"),
        (9, "authorized iop"),
        (10, "completed ward → iop, ready iop, released ward, admitted iop, started iop"),
        (15, DONE),
    ]
    assert story.of("bob") == [(8.5, "referred iop"), (10.5, "reneged iop → home")]
