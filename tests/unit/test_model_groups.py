"""Groups: seats by weekday, sessions, attendance, plans, and groups that open and close (model.md §§5-7)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.timelines import Person, date_of, live

MWF = {"days": ["mon", "wed", "fri"], "seats": 2}
GONE_HOME = "completed iop → home, released iop"


def iop(groups: dict[str, Any] | None = None, **rest: Any) -> dict[str, Any]:
    """One level with groups; plans of one week, three sessions, unless said otherwise."""
    plan = {} if "stay_days" in rest else {"phases": [{"weeks": 1, "days_per_week": 3}]}
    return {"iop": {"groups": groups or {"day": MWF}} | plan | rest}


# ── seats ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_seat_is_taken_at_admission_and_care_starts_with_the_next_session_strictly_after() -> None:
    """Sessions run from 9:00 to 12:00; bob arrives as the first begins. Both plans end with their last session."""
    told = live(iop(), Person("ann", 0.25), Person("bob", 0.375), Person("cy", 1))
    assert told.timeline == [
        (0.25, "ann", "referred iop, admitted iop in day mon+wed+fri"),
        (0.375, "ann", "started iop"),
        (0.375, "bob", "referred iop, admitted iop in day mon+wed+fri"),
        (1, "cy", "referred iop"),
        (2.375, "bob", "started iop"),
        (4.5, "ann", GONE_HOME),
        (4.5, "cy", "admitted iop in day mon+wed+fri"),
        (7.375, "cy", "started iop"),
        (7.5, "bob", GONE_HOME),
        (11.5, "cy", GONE_HOME),
    ]
    assert told.sessions == [
        (0.375, "day", "ann"),
        (2.375, "day", "ann, bob"),
        (4.375, "day", "ann, bob"),
        (7.375, "day", "bob, cy"),
        (9.375, "day", "cy"),
        (11.375, "day", "cy"),
    ]


def test_the_group_that_meets_next_then_the_emptiest_then_the_first_in_the_file() -> None:
    groups = {
        "late": {"days": ["mon"], "start": "18:00", "seats": 9},
        "small": {"days": ["mon"], "seats": 3},
        "wide": {"days": ["mon"], "seats": 4},
        "twin": {"days": ["mon"], "seats": 4},
    }
    people = [Person(name, 0.1 * place) for place, name in enumerate(("ann", "bob", "cy", "dan"))]
    told = live(iop(groups, stay_days=30), *people, Person("eve", 0.5), weeks=1)
    assert [(who, what.split(" in ")[1]) for _, who, what in told.timeline if "admitted" in what] == [
        ("ann", "wide mon"),  # both of four have most seats
        ("bob", "twin mon"),
        ("cy", "small mon"),  # three seats are free in each
        ("dan", "wide mon"),  # 3 against 2
        ("eve", "late mon"),  # at noon only this one is still to come
    ]


def test_two_days_a_week_take_seats_on_the_two_least_full_weekdays() -> None:
    level = iop(stay_days=30, days_per_week=2)
    told = live(
        level, *(Person(name, 5 + place / 8) for place, name in enumerate(("ann", "bob", "cy", "dan")))
    )
    assert [(who, what) for _, who, what in told.timeline if "referred" in what] == [
        ("ann", "referred iop, admitted iop in day mon+wed"),
        ("bob", "referred iop, admitted iop in day mon+fri"),
        ("cy", "referred iop, admitted iop in day wed+fri"),
        ("dan", "referred iop"),
    ]


# One week of three days, then one of two; those of the source "once" come one day a week for long.
TAPER = [{"weeks": 1, "days_per_week": 3}, {"weeks": 1, "days_per_week": 2}]
ONCE = {"source": {"once": {"phases": [{"weeks": 9, "days_per_week": 1}]}}}


def test_a_taper_frees_seats_on_the_fullest_weekdays() -> None:
    """Beside ann, two sit on Mondays and on Wednesdays and one on Fridays: she keeps Friday and Monday."""
    others = [Person(name, 0.1 + place / 100, source="once") for place, name in enumerate("vwxyz")]
    told = live(iop({"day": MWF | {"seats": 3}}, phases=TAPER, by=ONCE), Person("ann", 0), *others, weeks=1)
    assert [(who, what[-3:]) for day, who, what in told.timeline if 0.1 <= day < 0.2] == [
        ("v", "mon"), ("w", "wed"), ("x", "fri"), ("y", "mon"), ("z", "wed"),
    ]  # fmt: skip
    assert told.of("ann") == [
        (0, "referred iop, admitted iop in day mon+wed+fri"),
        (0.375, "started iop"),
        (4.5, "moved iop to day mon+fri"),
    ]


def test_who_waits_gets_the_seats_that_a_taper_frees() -> None:
    people = Person("ann", 0), Person("bob", 1, source="once")
    told = live(iop({"day": MWF | {"seats": 1}}, phases=TAPER, by=ONCE), *people, weeks=2)
    assert told.timeline == [
        (0, "ann", "referred iop, admitted iop in day mon+wed+fri"),
        (0.375, "ann", "started iop"),
        (1, "bob", "referred iop"),
        (4.5, "ann", "moved iop to day mon+wed"),
        (4.5, "bob", "admitted iop in day fri"),
        (9.5, "ann", GONE_HOME),
        (11.375, "bob", "started iop"),
    ]


@pytest.mark.parametrize(("overbook", "enrolled"), [(1.0, 3), (1.3, 3), (1.34, 4), (5 / 3, 5)])
def test_overbooking_enrolls_the_whole_number_below_seats_times_share(overbook: float, enrolled: int) -> None:
    people = [Person(f"p{number}", 0.01 * number) for number in range(8)]
    told = live(iop({"day": MWF | {"seats": 3, "overbook": overbook}}, stay_days=30), *people, weeks=1)
    assert told.ledger.session_enrolled.tolist() == [enrolled] * 3


# ── sessions that are cancelled ──────────────────────────────────────────────────────────────────────────────


def test_a_closed_day_is_made_up_at_the_end_and_counts_against_nobody() -> None:
    """Three misses in a row would discharge ann: on Monday, Wednesday (closed), Friday and Monday she has two."""
    attendance = {"mean": 0.5, "discharge_after_missed": 3}
    told = live(
        iop(phases=[{"weeks": 2, "days_per_week": 3}], attendance=attendance),
        Person("ann", 0, misses=[1, 2]),
        calendar={"closed": [date_of(2)]},
    )
    assert told.timeline[1:] == [(0.375, "ann", "started iop"), (14.5, "ann", GONE_HOME)]
    assert told.sessions == [
        (0.375, "day", "ann missed"),
        (2.375, "day", "closed: 1 enrolled"),
        (4.375, "day", "ann missed"),
        (7.375, "day", "ann"),
        (9.375, "day", "ann"),
        (11.375, "day", "ann"),
        (14.375, "day", "ann"),
    ]


def test_closed_days_do_not_stop_beds_or_referrals() -> None:
    told = live({"iop": {"stay_days": 2}}, Person("ann", 1), calendar={"closed": [date_of(1), date_of(3)]})
    assert told.timeline == [(1, "ann", "referred iop, admitted iop, started iop"), (3, "ann", GONE_HOME)]


def test_the_minimum_census_counts_those_admitted_and_not_started() -> None:
    """Ann alone is too few on Monday and is not started by a session that is not held; with bob they are two."""
    told = live(iop({"day": MWF | {"min_census": 2}}), Person("ann", 0), Person("bob", 1))
    assert told.timeline == [
        (0, "ann", "referred iop, admitted iop in day mon+wed+fri"),
        (1, "bob", "referred iop, admitted iop in day mon+wed+fri"),
        (2.375, "ann", "started iop"),
        (2.375, "bob", "started iop"),
        (7.5, "ann", GONE_HOME),
        (7.5, "bob", GONE_HOME),
    ]
    assert told.sessions == [
        (0.375, "day", "below minimum: 1 enrolled"),
        (2.375, "day", "ann, bob"),
        (4.375, "day", "ann, bob"),
        (7.375, "day", "ann, bob"),
    ]


def test_a_session_for_nobody_is_not_held() -> None:
    told = live(iop(), Person("ann", 1), weeks=2)
    ledger = told.ledger
    assert dict(zip(ledger.session_time.tolist(), ledger.session_cause.tolist(), strict=True)) == {
        0.375: 2, 2.375: 0, 4.375: 0, 7.375: 0, 9.375: 2, 11.375: 2,
    }  # fmt: skip
    assert ledger.session_enrolled.tolist() == [0, 1, 1, 1, 0, 0]


def test_who_is_suspended_is_not_expected_while_the_seat_stays_taken() -> None:
    """Sessions on Monday; suspended from Tuesday to Sunday; the two sessions that are left come after."""
    step_up = {"after_days": 1, "to": {"unit": 1}, "hold_days": 5}
    levels = iop({"day": MWF | {"seats": 1}}, leave_early={"step_up": step_up})
    told = live(levels | {"unit": {"places": 0, "stay_days": 1}}, Person("ann", 0), Person("bob", 3))
    assert told.timeline == [
        (0, "ann", "referred iop, admitted iop in day mon+wed+fri"),
        (0.375, "ann", "started iop"),
        (1.375, "ann", "suspended iop → unit, joined unit"),
        (3, "bob", "referred iop"),
        (6.375, "ann", "withdrawn unit, resumed iop"),
        (9.5, "ann", GONE_HOME),
        (9.5, "bob", "admitted iop in day mon+wed+fri"),
        (11.375, "bob", "started iop"),
        (12.375, "bob", "suspended iop → unit, joined unit"),
        (17.375, "bob", "withdrawn unit, resumed iop"),
        (21.5, "bob", GONE_HOME),
    ]
    assert [session for session in told.sessions if session[0] < 10] == [
        (0.375, "day", "ann"),
        (7.375, "day", "ann"),
        (9.375, "day", "ann"),
    ]
    assert told.ledger.session_taken.tolist()[:5] == [1] * 5


# ── attendance and plans ─────────────────────────────────────────────────────────────────────────────────────


def test_who_never_comes_is_discharged_after_the_misses_in_a_row_that_are_allowed() -> None:
    level = iop(
        phases=[{"weeks": 4, "days_per_week": 3}], attendance={"mean": 0.5, "discharge_after_missed": 3}
    )
    told = live(level, Person("ann", 0, misses=range(1, 9)), Person("bob", 0.1, misses=[1, 2, 4, 5, 7, 8, 9]))
    assert told.timeline[2:] == [
        (0.375, "ann", "started iop"),
        (0.375, "bob", "started iop"),
        (4.5, "ann", "discharged iop → home, released iop"),
        (18.5, "bob", "discharged iop → home, released iop"),
    ], "bob comes to the third and the sixth, and misses the seventh to the ninth"


def test_the_discharged_go_where_those_who_drop_out_go() -> None:
    attendance = {"mean": 0.5, "discharge_after_missed": 1}
    levels = iop(stay_days=30, attendance=attendance, leave_early={"dropout_to": "op"})
    told = live(levels | {"op": {"stay_days": 30}}, Person("ann", 0, misses=[4]), weeks=2)
    assert told.timeline[2:] == [
        (7.5, "ann", "discharged iop → op, released iop, joined op, admitted op, started op")
    ]


def test_missed_sessions_are_made_up_only_where_the_plan_is_attended() -> None:
    attendance = {"mean": 0.5, "discharge_after_missed": 3}
    absent = Person("ann", 0, misses=[2, 3, 5])
    scheduled = live(iop(attendance=attendance), absent)
    assert scheduled.timeline[-1] == (4.5, "ann", GONE_HOME)
    attended = live(iop(attendance=attendance, plan="attended"), absent)
    assert attended.timeline[-1] == (11.5, "ann", GONE_HOME)
    assert [who for _, _, who in attended.sessions] == [
        "ann", "ann missed", "ann missed", "ann", "ann missed", "ann",
    ]  # fmt: skip
    never = live(iop(attendance=attendance, plan="attended"), Person("ann", 0, misses=range(1, 99)))
    assert never.timeline[-1] == (4.5, "ann", "discharged iop → home, released iop")


@pytest.mark.parametrize(("uniform", "end"), [(0.29, 23.5), (0.31, 9.5)])
def test_a_share_of_those_who_are_through_go_on_at_the_last_days_in_the_same_seat(
    uniform: float, end: float
) -> None:
    """Monday, Wednesday, Friday; then Monday and Wednesday once; then, who is extended, two weeks more of these."""
    level = iop(phases=TAPER, extension={"share": 0.3, "weeks": 2})
    told = live(level, Person("ann", 0, draws={"extension iop": uniform}))
    assert told.timeline[2:] == [(4.5, "ann", "moved iop to day mon+wed"), (end, "ann", GONE_HOME)]


def test_a_dropout_law_acts_between_sessions_and_completion_at_the_end_of_a_session_goes_first() -> None:
    """Care starts at 0.375; the last session ends at 4.5, that is after 4.125 days."""
    early = live(iop(leave_early={"dropout": 4}), Person("ann", 0))
    assert early.timeline[-1] == (4.375, "ann", "dropped out iop → home, released iop")
    assert early.sessions[-1] == (2.375, "day", "ann"), "she is gone as the session begins"
    tie = live(iop(leave_early={"dropout": 4.125}), Person("ann", 0))
    assert tie.timeline[-1] == (4.5, "ann", GONE_HOME)


def test_who_comes_back_takes_up_a_plan_of_their_own() -> None:
    returns = {"share": 0.6, "after_days": 2.5, "to": "iop"}
    told = live(iop(returns=returns), Person("ann", 0, draws={"returns iop 2": 0.9}))
    assert told.timeline == [
        (0, "ann", "referred iop, admitted iop in day mon+wed+fri"),
        (0.375, "ann", "started iop"),
        (4.5, "ann", GONE_HOME),
        (7, "ann", "joined iop, admitted iop in day mon+wed+fri"),
        (7.375, "ann", "started iop"),
        (11.5, "ann", GONE_HOME),
    ]


# ── groups that open and close ───────────────────────────────────────────────────────────────────────────────


def test_a_group_takes_patients_from_the_day_it_opens() -> None:
    level = iop({"new": MWF | {"seats": 1, "from": date_of(8)}})
    told = live(level, Person("ann", 1), Person("bob", 2))
    assert told.timeline == [
        (1, "ann", "referred iop"),
        (2, "bob", "referred iop"),
        (8, "ann", "admitted iop in new mon+wed+fri"),
        (9.375, "ann", "started iop"),
        (14.5, "ann", GONE_HOME),
        (14.5, "bob", "admitted iop in new mon+wed+fri"),
        (16.375, "bob", "started iop"),
        (21.5, "bob", GONE_HOME),
    ]
    assert told.ledger.session_time.tolist()[0] == 9.375


def test_when_a_group_closes_its_members_move_to_one_that_fits_and_who_finds_no_seat_leaves() -> None:
    groups = {"old": MWF | {"until": date_of(6)}, "new": MWF | {"seats": 1, "start": "15:00"}}
    people = Person("bob", 0.2), Person("ann", 0.1), Person("cy", 0.3)
    told = live(iop(groups, phases=[{"weeks": 2, "days_per_week": 3}]), *people)
    assert told.timeline == [
        (0.1, "ann", "referred iop, admitted iop in old mon+wed+fri"),
        (0.2, "bob", "referred iop, admitted iop in old mon+wed+fri"),
        (0.3, "cy", "referred iop, admitted iop in new mon+wed+fri"),
        (0.375, "ann", "started iop"),
        (0.375, "bob", "started iop"),
        (0.625, "cy", "started iop"),
        (7, "bob", "left iop → home, released iop"),
        (7, "ann", "left iop → home, released iop"),
        (11.75, "cy", GONE_HOME),
    ]
    groups["new"] = groups["new"] | {"seats": 2}
    told = live(iop(groups, phases=[{"weeks": 2, "days_per_week": 3}]), *people)
    assert told.timeline[6:] == [
        (7, "bob", "moved iop to new mon+wed+fri"),
        (7, "ann", "left iop → home, released iop"),
        (11.75, "bob", GONE_HOME),
        (11.75, "cy", GONE_HOME),
    ]


def test_nobody_is_admitted_to_a_group_that_will_not_meet_again() -> None:
    told = live(iop({"old": MWF | {"until": date_of(6)}}), Person("ann", 4.4))
    assert told.timeline == [(4.4, "ann", "referred iop")]


def test_the_end_of_the_run_does_not_end_a_group() -> None:
    told = live(iop(), Person("ann", 5), weeks=1)
    assert told.timeline == [(5, "ann", "referred iop, admitted iop in day mon+wed+fri")]


CLOSING = {"old": MWF | {"until": date_of(6), "min_census": 2}}


def test_a_place_held_in_a_group_that_closes_is_given_up() -> None:
    levels = iop({"old": MWF | {"until": date_of(6)}}, next={"op": 1}, hold_days="forever")
    told = live(
        levels | {"op": {"places": 0, "stay_days": 1, "waitlist": {"patience_days": 5}}}, Person("ann", 0)
    )
    assert told.timeline[2:] == [
        (4.5, "ann", "completed iop → op, joined op"),
        (7, "ann", "released iop"),
        (12, "ann", "reneged op → home"),
    ]


def test_who_waits_above_while_suspended_is_patient_from_the_close_of_the_group() -> None:
    """The place is given up on day 7, and patience of five days begins."""
    step_up = {"after_days": 3, "to": {"unit": 1}}
    unit = {"places": 0, "stay_days": 1, "waitlist": {"patience_days": 5}}
    levels = iop({"old": MWF | {"until": date_of(6)}}, stay_days=30, leave_early={"step_up": step_up})
    told = live(levels | {"unit": unit}, Person("ann", 0))
    assert told.timeline[2] == (3.375, "ann", "suspended iop → unit, joined unit")
    assert told.timeline[-1] == (12, "ann", "reneged unit → home")


def test_who_held_a_place_for_a_group_that_closes_before_it_meets_gives_that_up_too() -> None:
    """Ann alone is too few for the group, which closes; the place in php that she held is bob's from then on."""
    php = {"places": 1, "stay_days": 1, "next": {"iop": 1}, "hold_days": "forever"}
    told = live({"php": php} | iop(CLOSING, stay_days=9), Person("ann", 0), Person("bob", 1), weeks=2)
    assert {row for row in told.timeline if row[0] == 7} == {
        (7, "ann", "left iop → home, released iop, released php"),
        (7, "bob", "admitted php, started php"),
    }


def test_who_was_to_step_up_to_a_group_that_closes_before_it_meets_goes_on_below() -> None:
    php = {"stay_days": 9, "leave_early": {"step_up": {"after_days": 1, "to": {"iop": 1}}}}
    told = live({"php": php} | iop(CLOSING, stay_days=9), Person("ann", 0))
    assert told.timeline[1:] == [
        (1, "ann", "suspended php → iop, joined iop, admitted iop in old mon+wed+fri"),
        (7, "ann", "left iop → home, released iop, resumed php"),
        (15, "ann", "completed php → home, released php"),
    ]


def test_patience_is_drawn_once_when_a_hold_ends_at_the_instant_it_begins() -> None:
    """Ann completes at midnight, as her group closes."""
    group = {"days": ["wed"], "start": "12:00", "seats": 1, "until": date_of(4)}
    op = {"places": 0, "stay_days": 1, "waitlist": {"patience_days": 5}}
    levels = iop({"old": group}, stay_days=2.5, next={"op": 1}, hold_days="forever") | {"op": op}
    assert live(levels, Person("ann", 0)).timeline[1:] == [
        (2.5, "ann", "started iop"),
        (5, "ann", "completed iop → op, joined op, released iop"),
        (10, "ann", "reneged op → home"),
    ]
