"""Sessions that are not held as planned: merged with another group's, or without facilitators (model.md §§7, 8)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from iopsim.model.ledger import Cause
from iopsim.model.staff import Staff
from tests.unit.same import same_ledgers, storm
from tests.unit.timelines import Person, Told, date_of, live

if TYPE_CHECKING:
    from iopsim.model.capacity import Group

MWF = {"days": ["mon", "wed", "fri"], "seats": 4}
SMALL = MWF | {"time": "day", "min_census": 2, "below_minimum": {"merge_with": "big"}}
BIG = MWF | {"time": "evening", "start": "18:00"}
HOME = "completed iop → home, released iop"


def iop(
    small: dict[str, Any] | None = None, big: dict[str, Any] | None = None, **rest: Any
) -> dict[str, Any]:
    """A morning group that needs two, or else joins the evening group; plans of one week, unless said otherwise."""
    groups = {"small": SMALL | (small or {}), "big": BIG | (big or {})}
    return {"iop": {"groups": groups, "phases": [{"weeks": 1, "days_per_week": 3}]} | rest}


def day(name: str, referred: float, **rest: Any) -> Person:
    return Person(name, referred, time="day", **rest)


def evening(name: str, referred: float, **rest: Any) -> Person:
    return Person(name, referred, time="evening", **rest)


def starts(told: Told) -> dict[str, float]:
    return {who: day for day, who, what in told.timeline if "started iop" in what}


# ── merged ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_too_few_are_guests_of_the_other_group_and_start_there() -> None:
    """On Monday ann is alone; on Wednesday cy is there too; the Monday after cy is alone, and so is nobody else."""
    told = live(iop(), day("ann", 0), evening("bob", 0), day("cy", 1), weeks=2)
    assert told.sessions == [
        (0.375, "small", "merged: 1 enrolled"),
        (0.75, "big", "bob, ann"),
        (2.375, "small", "ann, cy"),
        (2.75, "big", "bob"),
        (4.375, "small", "ann, cy"),
        (4.75, "big", "bob"),
        (7.375, "small", "merged: 1 enrolled"),
        (7.75, "big", "cy"),
    ]
    assert starts(told) == {"bob": 0.75, "ann": 0.75, "cy": 2.375}
    assert [row for row in told.timeline if row[2] == HOME] == [
        (4.5, "ann", HOME),
        (4.875, "bob", HOME),
        (7.875, "cy", HOME),
    ]


def test_a_guest_attends_there_and_uses_up_the_plan() -> None:
    """All three sessions of ann's plan are evenings; bob's group has one seat, and she makes it two."""
    told = live(iop(big={"seats": 1}), day("ann", 0), evening("bob", 0), weeks=2)
    ledger = told.ledger
    assert told.timeline[4:] == [(4.875, "ann", HOME), (4.875, "bob", HOME)]
    big = (ledger.session_group == 1) & (ledger.session_cause == Cause.HELD)
    assert ledger.session_enrolled[big].tolist() == [2, 2, 2]
    assert ledger.session_taken[big].tolist() == [1, 1, 1]  # her own seat is the one in her group
    small = ledger.session_group == 0
    assert ledger.session_cause[small].tolist() == [Cause.MERGED] * 3 + [Cause.BELOW_MINIMUM] * 3
    assert ledger.session_taken[small].tolist() == [1] * 3 + [0] * 3


def test_guests_make_up_the_minimum_census_of_the_host() -> None:
    told = live(iop(big={"min_census": 2}), day("ann", 0), evening("bob", 0), weeks=1)
    assert starts(told) == {"ann": 0.75, "bob": 0.75}
    alone = live(iop(big={"min_census": 2}), evening("bob", 0), weeks=1)
    assert starts(alone) == {}


def test_if_the_host_is_not_held_both_are_cancelled() -> None:
    told = live(iop(big={"min_census": 3}), day("ann", 0), evening("bob", 0), day("cy", 3), weeks=1)
    assert told.sessions == [
        (0.375, "small", "below minimum: 1 enrolled"),
        (0.75, "big", "below minimum: 1 enrolled"),
        (2.375, "small", "below minimum: 1 enrolled"),
        (2.75, "big", "below minimum: 1 enrolled"),
        (4.375, "small", "ann, cy"),
        (4.75, "big", "below minimum: 1 enrolled"),
    ]
    assert starts(told) == {"ann": 4.375, "cy": 4.375}


@pytest.mark.parametrize("big", [{"start": "08:00"}, {"days": ["tue", "thu", "sat"]}])
def test_a_host_that_meets_earlier_or_on_another_day_takes_nobody_in(big: dict[str, Any]) -> None:
    told = live(iop(big=big), day("ann", 0), evening("bob", 0), weeks=1)
    assert [what for _, group, what in told.sessions if group == "small"] == ["below minimum: 1 enrolled"] * 3


@pytest.mark.parametrize("order", [("small", "big"), ("big", "small")])
def test_the_host_may_meet_at_the_same_time_before_or_after_it_in_the_file(order: tuple[str, str]) -> None:
    both = {"small": SMALL, "big": BIG | {"start": "09:00"}}
    level = iop() | {"iop": iop()["iop"] | {"groups": {name: both[name] for name in order}}}
    told = live(level, day("ann", 0), evening("bob", 0), weeks=1)
    assert starts(told) == {"ann": 0.375, "bob": 0.375}
    assert {row for row in told.sessions if row[0] < 1} == {
        (0.375, "small", "merged: 1 enrolled"),
        (0.375, "big", "bob, ann"),
    }


def test_several_groups_may_join_the_same_session() -> None:
    """In the order in which they meet, then of the file; each is too few, together they are three."""
    groups = {
        "big": BIG | {"min_census": 3},
        "early": SMALL | {"tracks": ["a"]},
        "late": SMALL | {"tracks": ["b"]},
    }
    level = {"iop": {"groups": groups, "phases": [{"weeks": 1, "days_per_week": 3}]}}
    people = day("bob", 0, track="b"), day("ann", 0, track="a"), evening("cy", 0, track="a")
    told = live(level, *people, weeks=1)
    assert [row for row in told.sessions if row[0] < 1] == [
        (0.375, "early", "merged: 1 enrolled"),
        (0.375, "late", "merged: 1 enrolled"),
        (0.75, "big", "cy, ann, bob"),
    ]


def test_an_empty_session_is_not_merged_and_a_closed_one_neither() -> None:
    told = live(iop(), evening("bob", 0), day("ann", 1), calendar={"closed": [date_of(2)]}, weeks=1)
    ledger = told.ledger
    assert ledger.session_cause[ledger.session_group == 0].tolist() == [
        Cause.BELOW_MINIMUM, Cause.CLOSED, Cause.MERGED,
    ]  # fmt: skip


def test_who_leaves_or_is_suspended_between_the_two_sessions_is_no_guest() -> None:
    """Care starts on Monday at 18:00; on Wednesday at 15:00, two days less three hours later, ann is not there."""
    level = iop(leave_early={"dropout": 1.875})
    alone = live(level, day("ann", 0), weeks=1)
    assert alone.timeline[-1] == (2.625, "ann", "dropped out iop → home, released iop")
    assert alone.sessions == [
        (0.375, "small", "merged: 1 enrolled"),
        (0.75, "big", "ann"),
        (2.375, "small", "below minimum: 1 enrolled"),
    ]
    step_up = {"after_days": 1.875, "to": {"unit": 1}, "hold_days": 1}
    levels = iop(leave_early={"step_up": step_up}) | {"unit": {"places": 0, "stay_days": 1}}
    told = live(levels, day("ann", 0), evening("bob", 1), weeks=1)
    assert (2.625, "ann", "suspended iop → unit, joined unit") in told.timeline
    assert [row for row in told.sessions if row[0] > 2] == [
        (2.375, "small", "merged: 1 enrolled"),
        (2.75, "big", "bob"),
        (4.375, "small", "merged: 1 enrolled"),
        (4.75, "big", "ann"),
    ]


def test_a_cohort_may_start_as_guests_and_then_the_next_one_can_be_joined() -> None:
    weekly = {"cohort": {"first": date_of(0), "every_days": 7, "starters": 1}}
    people = day("ann", 0), evening("bob", 0), day("cy", 0.1)
    told = live(iop({"admission": weekly}), *people, weeks=2)
    assert told.of("cy") == [
        (0.1, "referred iop"),
        (0.75, "admitted iop in small mon+wed+fri"),
        (7.75, "started iop"),
        (11.875, HOME),
    ]
    assert starts(told) == {"bob": 0.75, "ann": 0.75, "cy": 7.75}


def test_nobody_joins_a_cohort_between_its_session_and_the_one_in_which_it_starts() -> None:
    """Dan comes at noon and is for the next start; if the host is not held he may start with ann, on Wednesday."""
    weekly = {"cohort": {"first": date_of(0), "every_days": 7, "starters": 2}}
    people = day("ann", 0), evening("bob", 0), day("dan", 0.5)
    told = live(iop({"admission": weekly}), *people, weeks=2)
    assert told.of("dan")[:3] == [
        (0.5, "referred iop"),
        (0.75, "admitted iop in small mon+wed+fri"),
        (7.75, "started iop"),
    ]
    told = live(iop({"admission": weekly}, {"min_census": 3}), *people, weeks=2)
    assert told.of("dan")[1:3] == [(0.75, "admitted iop in small mon+wed+fri"), (2.375, "started iop")]
    assert starts(told) == {"ann": 2.375, "dan": 2.375}


def test_a_missed_session_is_missed_by_a_guest_too() -> None:
    attendance = {"mean": 0.5, "discharge_after_missed": 2}
    level = iop(attendance=attendance)
    told = live(level, day("ann", 0, misses=[1, 2]), evening("bob", 0), weeks=1)
    assert (2.875, "ann", "discharged iop → home, released iop") in told.timeline
    assert [row for row in told.sessions if row[0] < 1][1] == (0.75, "big", "bob, ann missed")


@pytest.mark.parametrize("seed", range(3))
def test_merging_below_a_minimum_of_one_is_cancelling(seed: int) -> None:
    groups = {"small": MWF | {"days": ["mon", "wed", "thu"]}, "big": BIG}
    merging = groups | {"small": groups["small"] | {"below_minimum": {"merge_with": "big"}}}
    same_ledgers(storm(groups, seed), storm(merging, seed))


# ── facilitators ─────────────────────────────────────────────────────────────────────────────────────────────

LED = {"facilitators": {"therapist": 1}}
ONE = {"therapist": {"posts": 1}}


def led(**groups: dict[str, Any]) -> dict[str, Any]:
    return {"iop": {"groups": groups, "phases": [{"weeks": 1, "days_per_week": 3}]}}


def test_two_sessions_at_once_need_two_facilitators_and_the_first_in_the_file_has_them() -> None:
    """From 9:00 and from 10:30; a session without is made up later: bob's plan begins when ann's is over."""
    level = led(first=MWF | LED | {"time": "day"}, second=MWF | LED | {"time": "evening", "start": "10:30"})
    told = live(level, day("ann", 0), evening("bob", 0), weeks=2, staff=ONE)
    assert told.sessions == [
        (0.375, "first", "ann"),
        (0.4375, "second", "unstaffed: 1 enrolled"),
        (2.375, "first", "ann"),
        (2.4375, "second", "unstaffed: 1 enrolled"),
        (4.375, "first", "ann"),
        (4.4375, "second", "unstaffed: 1 enrolled"),
        (7.4375, "second", "bob"),
        (9.4375, "second", "bob"),
        (11.4375, "second", "bob"),
    ]
    assert starts(told) == {"ann": 0.375, "bob": 7.4375}


def test_a_session_that_is_not_held_keeps_no_facilitator() -> None:
    level = led(first=MWF | LED | {"time": "day", "min_census": 2}, second=MWF | LED | {"time": "evening"})
    told = live(level, day("ann", 0), evening("bob", 0), weeks=1, staff=ONE)
    assert told.sessions[:2] == [(0.375, "first", "below minimum: 1 enrolled"), (0.375, "second", "bob")]


def test_facilitators_are_asked_for_only_where_a_group_names_them_and_all_else_is_in_order(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The therapist is away until Wednesday."""
    asked, really = [], Staff.engage

    def engage(staff: Staff, group: Group, now: float) -> bool:
        asked.append((now, list(group.spec.facilitators)))
        return really(staff, group, now)

    monkeypatch.setattr(Staff, "engage", engage)
    level = led(led=MWF | LED | {"time": "day", "min_census": 2}, free=MWF | {"time": "evening"})
    people = day("ann", 0), day("bob", 1), evening("cy", 0)
    away = {"therapist": {"posts": 1, "leaves": [{"from": date_of(0), "until": date_of(2)}]}}
    told = live(level, *people, weeks=2, staff=away, calendar={"closed": [date_of(7)]})
    assert asked == [(day, ["therapist"]) for day in (2.375, 4.375, 9.375, 11.375)]
    assert [row for row in told.sessions if row[1] == "led"] == [
        (0.375, "led", "below minimum: 1 enrolled"),
        (2.375, "led", "unstaffed: 2 enrolled"),
        (4.375, "led", "ann, bob"),
        (7.375, "led", "closed: 2 enrolled"),
        (9.375, "led", "ann, bob"),
        (11.375, "led", "ann, bob"),
    ]


def test_guests_of_a_session_without_a_facilitator_are_not_treated() -> None:
    level = iop(big=LED | {"start": "09:00"})
    groups = {"other": MWF | LED | {"tracks": ["b"], "start": "08:00"}, **level["iop"]["groups"]}
    people = Person("cy", 0, track="b"), day("ann", 0, track="a"), evening("bob", 0, track="a")
    told = live({"iop": level["iop"] | {"groups": groups}}, *people, weeks=1, staff=ONE)
    assert {row[1:] for row in told.sessions if row[0] < 1} == {
        ("other", "cy"),
        ("small", "below minimum: 1 enrolled"),
        ("big", "unstaffed: 1 enrolled"),
    }


@pytest.mark.parametrize("seed", range(2))
def test_enough_facilitators_are_as_good_as_none_named(seed: int) -> None:
    groups = {"one": MWF, "two": MWF | {"start": "10:00"}}
    named = {name: group | {"facilitators": {"therapist": 1}} for name, group in groups.items()}
    same_ledgers(storm(groups, seed), storm(named, seed))


def test_a_facilitator_too_few_is_not() -> None:
    groups = {"one": MWF, "two": MWF | {"start": "10:00"}}
    named = {name: group | {"facilitators": {"therapist": 2}} for name, group in groups.items()}
    with pytest.raises(AssertionError, match="differs"):
        same_ledgers(storm(groups, 0), storm(named, 0))
