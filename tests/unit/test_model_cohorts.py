"""Cohorts: who starts together and when, who is expected meanwhile, and the limit of a start every day (§7)."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from iopsim.model.cohorts import Cohorts
from iopsim.scenario.groups import Cohort
from tests.unit.same import same_ledgers, storm
from tests.unit.timelines import Person, Told, date_of, live

if TYPE_CHECKING:
    from iopsim.model.timeline import Timeline

MWF = {"days": ["mon", "wed", "fri"]}
HOME = "completed iop → home, released iop"
TAKEN = "referred iop, admitted iop in day mon+wed+fri"


def cohort(first: int = 7, every_days: int = 14, starters: int = 2) -> dict[str, Any]:
    return {"cohort": {"first": date_of(first), "every_days": every_days, "starters": starters}}


def iop(group: dict[str, Any] | None = None, **rest: Any) -> dict[str, Any]:
    """One closed group of four seats that starts two on days 7, 21, …; plans of one week, unless said otherwise."""
    day = {**MWF, "seats": 4, "admission": cohort()} | (group or {})
    return {"iop": {"groups": {"day": day}, "phases": [{"weeks": 1, "days_per_week": 3}]} | rest}


def starts(told: Told) -> dict[str, float]:
    return {who: day for day, who, what in told.timeline if "started iop" in what}


# ── who starts, and when ─────────────────────────────────────────────────────────────────────────────────────


def test_seats_are_taken_for_the_next_start_only_and_for_so_many_as_may_start() -> None:
    people = [Person(name, day) for day, name in enumerate(("ann", "bob", "cy"))]
    told = live(iop(), *people, Person("dan", 8), Person("eve", 9))
    assert told.timeline == [
        (0, "ann", TAKEN),
        (1, "bob", TAKEN),
        (2, "cy", "referred iop"),
        (7.375, "ann", "started iop"),
        (7.375, "bob", "started iop"),
        (7.375, "cy", "admitted iop in day mon+wed+fri"),
        (8, "dan", TAKEN),
        (9, "eve", "referred iop"),
        (11.5, "ann", HOME),
        (11.5, "bob", HOME),
        (21.375, "cy", "started iop"),
        (21.375, "dan", "started iop"),
        (21.375, "eve", "admitted iop in day mon+wed+fri"),
        (25.5, "cy", HOME),
        (25.5, "dan", HOME),
        (35.375, "eve", "started iop"),
        (39.5, "eve", HOME),
    ]
    assert [row[::2] for row in told.sessions] == [
        (7.375, "ann, bob"), (9.375, "ann, bob"), (11.375, "ann, bob"),
        (21.375, "cy, dan"), (23.375, "cy, dan"), (25.375, "cy, dan"),
        (35.375, "eve"), (37.375, "eve"), (39.375, "eve"),
    ]  # fmt: skip


def test_the_seats_of_the_next_cohort_must_be_free() -> None:
    """Two seats: the second cohort gets them when the first is through."""
    told = live(iop({"seats": 2}), Person("ann", 0), Person("bob", 1), Person("cy", 2), weeks=3)
    assert told.of("cy") == [(2, "referred iop"), (11.5, "admitted iop in day mon+wed+fri")]


def test_members_carry_on_and_who_is_to_start_is_not_expected_before() -> None:
    """Starts on days 7 and 14, plans of two weeks: bob's seat is taken from day 8 and his care begins on day 14."""
    weeks = {"phases": [{"weeks": 2, "days_per_week": 3}]}
    told = live(iop({"admission": cohort(every_days=7)}, **weeks), Person("ann", 0), Person("bob", 8))
    assert [row[::2] for row in told.sessions] == [
        (7.375, "ann"), (9.375, "ann"), (11.375, "ann"),
        (14.375, "ann, bob"), (16.375, "ann, bob"), (18.375, "ann, bob"),
        (21.375, "bob"), (23.375, "bob"), (25.375, "bob"),
    ]  # fmt: skip
    ledger = told.ledger
    assert ledger.session_enrolled.tolist()[:7] == [0, 0, 0, 1, 1, 1, 2]
    assert ledger.session_taken.tolist()[:7] == [1, 1, 1, 1, 2, 2, 2]


def test_a_start_for_which_nobody_has_come_is_over_with_its_first_session() -> None:
    """Ann comes the day after it; bob as that session begins."""
    told = live(iop(), Person("ann", 8))
    assert starts(told) == {"ann": 21.375}
    assert starts(live(iop(), Person("bob", 7.375))) == {"bob": 21.375}
    assert starts(live(iop(), Person("cy", 7.25))) == {"cy": 7.375}


def test_the_start_may_fall_on_a_day_without_a_session() -> None:
    """On Saturday of the first week: care begins on Monday, and can be joined until then."""
    told = live(iop({"admission": cohort(first=5)}), Person("ann", 0), Person("bob", 6.5), Person("cy", 6.7))
    assert starts(told) == {"ann": 7.375, "bob": 7.375, "cy": 21.375}


def test_whoever_leaves_before_the_start_gives_the_place_to_others() -> None:
    """Ann is called back to the unit out of the group that she was to start in."""
    op = {"places": 1, "stay_days": 1, "next": {"iop": 1}}
    op["returns"] = {"share": 0.9, "from": ["iop"], "after_days": 2, "to": "unit"}
    levels = {"op": op} | iop({"admission": cohort(starters=1)}) | {"unit": {"stay_days": 30}}
    told = live(levels, Person("ann", 0), Person("bob", 2, to="iop", source="other"), weeks=2)
    assert [row for row in told.timeline if row[0] >= 1] == [
        (1, "ann", "completed op → iop, released op, joined iop, admitted iop in day mon+wed+fri"),
        (2, "bob", "referred iop"),
        (3, "ann", "left iop → home, released iop, joined unit, admitted unit, started unit"),
        (3, "bob", "admitted iop in day mon+wed+fri"),
        (7.375, "bob", "started iop"),
        (11.5, "bob", HOME),
    ]


def test_a_place_held_elsewhere_is_kept_until_the_cohort_starts() -> None:
    php = {"places": 1, "stay_days": 1, "next": {"iop": 1}, "hold_days": "forever"}
    told = live({"php": php} | iop(), Person("ann", 0), weeks=2)
    assert told.timeline[1:3] == [
        (1, "ann", "completed php → iop, joined iop, admitted iop in day mon+wed+fri"),
        (7.375, "ann", "released php, started iop"),
    ]


# ── starts that are moved ────────────────────────────────────────────────────────────────────────────────────


def test_a_closed_day_moves_the_start_to_the_next_session() -> None:
    """Whoever comes meanwhile starts with the others."""
    told = live(iop(), Person("ann", 0), Person("bob", 8), calendar={"closed": [date_of(7)]})
    assert starts(told) == {"ann": 9.375, "bob": 9.375}
    nobody_before = live(iop(), Person("bob", 8), calendar={"closed": [date_of(7)]})
    assert starts(nobody_before) == {"bob": 9.375}


def test_a_start_below_the_minimum_census_is_moved_and_can_be_joined_until_then() -> None:
    people = Person("ann", 0), Person("bob", 8), Person("cy", 8.5)
    told = live(iop({"min_census": 2}), *people, weeks=3)
    assert told.timeline == [
        (0, "ann", TAKEN),
        (8, "bob", TAKEN),
        (8.5, "cy", "referred iop"),
        (9.375, "ann", "started iop"),
        (9.375, "bob", "started iop"),
        (9.375, "cy", "admitted iop in day mon+wed+fri"),
        (14.5, "ann", HOME),
        (14.5, "bob", HOME),
    ]
    assert told.sessions[0] == (7.375, "day", "below minimum: 1 enrolled")


def test_a_cohort_that_has_not_started_by_the_next_date_starts_with_the_next_cohort() -> None:
    """Two are too few for two weeks; on day 21 two more may come, and dan is one too many."""
    people = [Person(name, day) for day, name in enumerate(("ann", "bob", "cy"))]
    told = live(iop({"min_census": 3, "seats": 9}), *people, Person("dan", 22), weeks=6)
    assert told.of("cy")[1] == (21, "admitted iop in day mon+wed+fri")
    assert starts(told) == {"ann": 21.375, "bob": 21.375, "cy": 21.375}
    assert told.of("dan") == [(22, TAKEN)], "alone on day 35"


# ── groups, phases, suspension ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("referred", "group"), [(8, "open wed"), (10, "closed mon")])
def test_the_group_in_which_care_begins_first_is_taken(referred: float, group: str) -> None:
    """The closed group starts on Monday the 14th and has sessions on Tuesdays; the open one meets on Wednesdays."""
    groups = {
        "closed": {"days": ["mon"], "seats": 9, "admission": cohort(first=14)},
        "open": {"days": ["wed"], "seats": 2},
    }
    levels = {"iop": {"groups": groups, "stay_days": 30}}
    told = live(levels, Person("ann", referred), weeks=3)
    assert told.timeline[0][2] == f"referred iop, admitted iop in {group}"


def test_a_group_has_starts_only_while_it_exists() -> None:
    """From day 8 to day 27: of days 7, 14, 21 and 28 two remain, and who comes later is not admitted."""
    group = {"from": date_of(8), "until": date_of(27), "admission": cohort(every_days=7, starters=1)}
    people = [Person(name, day) for day, name in enumerate(("ann", "bob", "cy"))]
    told = live(iop(group), *people)
    assert told.of("ann")[:2] == [(0, "referred iop"), (8, "admitted iop in day mon+wed+fri")]
    assert starts(told) == {"ann": 14.375, "bob": 21.375}
    assert told.of("cy") == [(2, "referred iop")]


def test_the_end_of_the_run_does_not_end_the_starts() -> None:
    told = live(iop({"admission": cohort(first=70, every_days=84)}), Person("ann", 1), weeks=1)
    assert told.timeline == [(1, "ann", TAKEN)]


TAPER = [{"weeks": 1, "days_per_week": 3}, {"weeks": 1, "days_per_week": 1}]


def test_a_taper_frees_seats_for_the_next_cohort() -> None:
    """One seat; ann keeps Monday from day 11 on, and who comes on two days a week may start on day 21."""
    twice = {"source": {"twice": {"phases": [{"weeks": 1, "days_per_week": 2}]}}}
    level = iop({"seats": 1}, phases=TAPER, by=twice)
    told = live(level, Person("ann", 0), Person("bob", 8, source="twice"), weeks=4)
    assert told.timeline[1:] == [
        (7.375, "ann", "started iop"),
        (8, "bob", "referred iop"),
        (11.5, "ann", "moved iop to day mon"),
        (11.5, "bob", "admitted iop in day wed+fri"),
        (14.5, "ann", HOME),
        (23.375, "bob", "started iop"),
        (25.5, "bob", HOME),
    ]


def test_who_was_suspended_goes_on_between_the_starts() -> None:
    step_up = {"after_days": 1, "to": {"unit": 1}, "hold_days": 5}
    levels = iop(leave_early={"step_up": step_up}) | {"unit": {"places": 0, "stay_days": 1}}
    told = live(levels, Person("ann", 0), Person("bob", 12), weeks=3)
    assert told.of("ann")[2:] == [
        (8.375, "suspended iop → unit, joined unit"),
        (13.375, "withdrawn unit, resumed iop"),
        (16.5, HOME),
    ]
    assert [row[::2] for row in told.sessions] == [(7.375, "ann"), (14.375, "ann"), (16.375, "ann")]


def test_nobody_is_moved_into_a_cohort() -> None:
    """When the open group closes on day 7, the closed one has seats for its start on day 14."""
    old = {**MWF, "seats": 1, "until": date_of(6)}
    closed = {**MWF, "seats": 9, "admission": cohort(first=14)}
    level = {"groups": {"old": old, "closed": closed}, "phases": [{"weeks": 3, "days_per_week": 3}]}
    told = live({"iop": level}, Person("ann", 0), weeks=4)
    assert told.timeline[-1] == (7, "ann", "left iop → home, released iop")


def test_when_a_closed_group_ends_who_has_not_started_moves_to_an_open_one() -> None:
    """Alone on day 14 ann is too few; the other group has been open since day 10."""
    closed = {**MWF, "seats": 9, "until": date_of(14), "min_census": 2, "admission": cohort(first=14)}
    groups = {"closed": closed, "spare": {**MWF, "seats": 1, "from": date_of(10)}}
    level = {"groups": groups, "phases": [{"weeks": 1, "days_per_week": 3}]}
    told = live({"iop": level}, Person("ann", 8), weeks=4)
    assert told.timeline == [
        (8, "ann", "referred iop, admitted iop in closed mon+wed+fri"),
        (15, "ann", "moved iop to spare mon+wed+fri"),
        (16.375, "ann", "started iop"),
        (21.5, "ann", HOME),
    ]


# ── start dates ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("opens", "first", "every_days", "date"),
    [
        (0, 7, 14, 7),
        (0, 0, 14, 0),
        (8, 7, 14, 21),
        (21, 7, 14, 21),
        (-364, 7, 14, -357),  # the rhythm of the window has been going on in the warm-up
        (-364, 0, 14, -364),
        (-364, -7, 14, -357),
        (-364, 14, 14, 14),  # it would have to leave out day 0: a new group
        (-364, 200, 28, 200),
        (-20, 7, 14, -7),
    ],
)
def test_start_dates(opens: float, first: int, every_days: int, date: float) -> None:
    spec = Cohort(first=date_of(first), every_days=every_days, starters=8)
    timeline = cast("Timeline", SimpleNamespace(day=lambda date: (date - date_of(0)) // dt.timedelta(days=1)))
    assert Cohorts(spec, timeline, opens).date == date


# ── the limit ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("seed", range(3))
def test_a_start_every_day_for_all_who_have_seats_is_open_admission(seed: int) -> None:
    daily = {"days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "seats": 6}
    every_day = {"admission": cohort(first=0, every_days=1, starters=6)}
    same_ledgers(storm({"day": daily}, seed), storm({"day": daily | every_day}, seed))
