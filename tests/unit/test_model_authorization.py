"""The payer's word: before admission, and again when the units run low (model.md §6)."""

from __future__ import annotations

from typing import Any

from tests.unit.timelines import Person, There, Told, live

GROUP = {"days": ["mon", "tue", "wed", "thu", "fri"], "seats": 9, "start": "12:00", "hours": 3}
GROUPS = {"groups": {"day": GROUP}, "phases": [{"weeks": 2, "days_per_week": 5}]}
BEDS = {"places": 1, "stay_days": 5}
ENDED = "completed iop → home, released iop"


def told(
    level: dict[str, Any], authorization: dict[str, Any], *people: Person | There, weeks: int = 4
) -> Told:
    payers = {"all": {"authorization": {"levels": ["iop"]} | authorization}}
    return live({"iop": level, "op": {"stay_days": 99}}, *people, payers=payers, weeks=weeks)


def test_nobody_is_admitted_before_the_answer_and_it_is_waited_for_on_the_list() -> None:
    story = told(BEDS, {"delay_days": 3}, Person("ann", 0), Person("bob", 1))
    assert story.timeline == [
        (0, "ann", "referred iop"),
        (1, "bob", "referred iop"),
        (3, "ann", "authorized iop, admitted iop, started iop"),
        (4, "bob", "authorized iop"),
        (8, "ann", ENDED),
        (8, "bob", "admitted iop, started iop"),
        (13, "bob", ENDED),
    ]


def test_who_is_authorized_first_overtakes_and_keeps_nobody_from_the_place() -> None:
    delays = {"discrete": {"values": [1, 9], "shares": [0.5, 0.5]}}
    ann = Person("ann", 0, draws={"authorization iop": 0.9})
    bob = Person("bob", 1, draws={"authorization iop": 0.1})
    story = told(BEDS, {"delay_days": delays}, ann, bob)
    assert [(day, who) for day, who, text in story.timeline if "started" in text] == [(2, "bob"), (9, "ann")]
    strict = told(BEDS | {"waitlist": {"discipline": "strict"}}, {"delay_days": delays}, ann, bob)
    assert [(day, who) for day, who, text in strict.timeline if "started" in text] == [
        (9, "ann"),
        (14, "bob"),
    ]


def test_who_is_denied_goes_where_the_scenario_says_at_the_answer() -> None:
    ann, bob = Person("ann", 0, draws={"denied iop": 0.03}), Person("bob", 0, draws={"denied iop": 0.04})
    rule = {"denied": 0.04, "denied_to": "op"}
    at_once = told(BEDS, rule, ann, bob)
    assert at_once.timeline[:2] == [
        (0, "ann", "referred iop, denied iop → op, joined op, admitted op, started op"),
        (0, "bob", "referred iop, authorized iop, admitted iop, started iop"),
    ]
    later = told(BEDS, rule | {"delay_days": 2}, ann, bob)
    assert later.of("ann") == [
        (0, "referred iop"),
        (2, "denied iop → op, joined op, admitted op, started op"),
    ]


def test_patience_runs_out_while_the_payer_thinks() -> None:
    story = told(BEDS | {"waitlist": {"patience_days": 2}}, {"delay_days": 3}, Person("ann", 0))
    assert story.timeline == [(0, "ann", "referred iop"), (2, "ann", "reneged iop → home")]


def test_another_payer_is_not_asked_nor_for_another_level() -> None:
    payers = {"all": {"authorization": {"levels": ["op"], "delay_days": 3}}, "cash": {}}
    people = (Person("ann", 0), Person("bob", 0, payer="cash", to="op", source="street"))
    story = live({"iop": BEDS, "op": {"stay_days": 9}}, *people, payers=payers, weeks=1)
    assert story.of("ann")[0] == (0, "referred iop, admitted iop, started iop")
    assert story.of("bob")[0] == (0, "referred op, admitted op, started op")


def test_units_are_asked_for_in_time_and_extended() -> None:
    rule = {"units": 6, "ask_before": 2, "review": {"delay_days": 1}}
    sometimes = GROUPS | {"attendance": {"mean": 0.9}}
    story = told(sometimes, rule, Person("ann", 0.1, misses=(2,)), weeks=3)
    assert story.of("ann") == [
        (0.1, "referred iop, authorized iop, admitted iop in day mon+tue+wed+thu+fri"),
        (0.5, "started iop"),
        (4.625, "asked iop 6"),  # Friday: four attended of five, two units left
        (5.625, "extended iop 12"),
        (11.625, ENDED),
    ]


def test_a_cut_lets_the_units_be_used_up_and_then_ends_the_stay() -> None:
    rule = {"units": 6, "ask_before": 2, "review": {"delay_days": 1, "cut": 0.1}, "denied_to": "op"}
    story = told(GROUPS, rule, Person("ann", 0.1, draws={"cut iop": 0.05}), weeks=3)
    assert story.of("ann")[2:] == [
        (3.625, "asked iop 6"),
        (4.625, "cut iop"),
        (7.625, "discharged iop → op by the payer, released iop, joined op, admitted op, started op"),
    ]
    assert [day for day, _, who in story.sessions if "ann" in who] == [0.5, 1.5, 2.5, 3.5, 4.5, 7.5]


def test_an_answer_that_comes_late_leaves_days_uncovered() -> None:
    rule = {"units": 4, "ask_before": 1, "review": {"delay_days": 5.5}}
    story = told(GROUPS, rule, Person("ann", 0.1), weeks=3)
    assert story.of("ann")[2:] == [
        (2.625, "asked iop 4"),
        (3.625, "lapsed iop"),
        (8.125, "extended iop 10"),  # six were used by then, and four more are approved
        (10.625, "asked iop 10"),
        (11.625, ENDED),
    ]


def test_a_late_cut_ends_the_stay_at_once() -> None:
    rule = {"units": 4, "ask_before": 1, "review": {"delay_days": 4, "cut": 1.0}}
    story = told(GROUPS, rule, Person("ann", 0.1), weeks=3)
    assert story.of("ann")[2:] == [
        (2.625, "asked iop 4"),
        (3.625, "lapsed iop"),
        (6.625, "cut iop, discharged iop → home by the payer, released iop"),
    ]


def test_days_of_treatment_are_units_too_and_stop_while_it_is_suspended() -> None:
    step_up = {"after_days": 2, "to": {"op": 1}, "hold_days": 3}
    beds = BEDS | {"stay_days": 20, "leave_early": {"step_up": step_up}}
    payers = {"all": {"authorization": {"levels": ["iop"], "units": 7, "per": "day", "review": {"cut": 1.0}}}}
    levels = {"iop": beds, "op": {"places": 0, "stay_days": 9}}
    story = live(levels, Person("ann", 0), payers=payers, weeks=4)
    assert story.timeline == [
        (0, "ann", "referred iop, authorized iop, admitted iop, started iop"),
        (2, "ann", "suspended iop → op, joined op"),
        (5, "ann", "withdrawn op, resumed iop"),
        (10, "ann", "asked iop 7, cut iop, discharged iop → home by the payer, released iop"),
    ]


def test_completing_wins_over_the_payer_at_the_same_session() -> None:
    rule = {"units": 10, "review": {"cut": 1.0}}
    assert told(GROUPS, rule, Person("ann", 0.1), weeks=3).of("ann")[-1] == (11.625, ENDED)


def test_in_places_a_session_is_one_of_the_days_a_week() -> None:
    rule = {"units": 10, "review": {"cut": 1.0}}
    story = told(BEDS | {"stay_days": 30, "days_per_week": 5}, rule, Person("ann", 0))
    assert story.timeline[1] == (
        14,
        "ann",
        "asked iop 10, cut iop, discharged iop → home by the payer, released iop",
    )


def test_who_asks_at_once_is_uncovered_all_the_same_when_the_answer_comes_late() -> None:
    """Asked at the start of Monday's session; the answer covers Thursday's, which begins with it."""
    terms = {"delay_days": 0, "units": 2, "ask_before": 2, "review": {"delay_days": 3}}
    assert told(GROUPS | {"phases": [{"weeks": 1, "days_per_week": 5}]}, terms, Person("ann", 0)).of("ann")[
        1:
    ] == [
        (0.5, "started iop, asked iop 2"),
        (1.625, "lapsed iop"),
        (3.5, "extended iop 5, asked iop 5"),
        (4.625, ENDED),
    ]


def test_units_that_are_low_at_the_opening_run_out_like_others() -> None:
    """Four of six were used: asked at once, used up with Tuesday's session, and answered after three days."""
    terms = {"units": 6, "ask_before": 2, "review": {"delay_days": 3}}
    ann = There("ann", "iop", days=7, group="day", sessions=4)
    assert told(GROUPS, terms, ann).of("ann")[1:] == [
        (0, "asked iop 6"),
        (1.625, "lapsed iop"),
        (3, "extended iop 13"),
        (7.625, ENDED),
    ]
