"""Leaving early, and coming back (model.md §5)."""

from __future__ import annotations

import pytest

from tests.unit.timelines import Person, date_of, live

# ── dropping out ─────────────────────────────────────────────────────────────────────────────────────────────


def test_who_completes_at_the_instant_of_dropping_out_has_completed() -> None:
    told = live({"iop": {"stay_days": 5, "leave_early": {"dropout": 5}}}, Person("ann", 1))
    assert told.timeline[-1] == (6, "ann", "completed iop → home, released iop")


@pytest.mark.parametrize(("uniform", "day"), [(0.19, 7.5), (0.21, 14.5), (0.35, 14.5), (0.37, 21.5)])
def test_a_weekly_share_acts_at_the_end_of_a_week_of_stay(uniform: float, day: float) -> None:
    """20 % a week: 0.2 leave with the first week, 0.36 by the end of the second."""
    level = {"stay_days": 30, "leave_early": {"dropout_per_week": 0.2}}
    told = live({"iop": level}, Person("ann", 0.5, draws={"dropout iop": uniform}))
    assert told.timeline[-1] == (day, "ann", "dropped out iop → home, released iop")


def test_who_completes_at_the_end_of_the_week_has_completed() -> None:
    level = {"stay_days": 7, "leave_early": {"dropout_per_week": 0.2}}
    told = live({"iop": level}, Person("ann", 0.5, draws={"dropout iop": 0.1}))
    assert told.timeline[-1] == (7.5, "ann", "completed iop → home, released iop")


# A median patient meets a hazard of ln 2, that of 10 days at a constant hazard of ln 2 ÷ 10 a day.
HALF_IN_TEN_DAYS = {"dropout": {"weibull": {"shape": 1, "scale": 14.426950408889634}}, "per_week_waited": 2}


@pytest.mark.parametrize(("waited", "stay"), [(6.5, 10), (7, 5), (13.5, 5), (14, 2.5)])
def test_each_whole_week_on_the_waitlist_multiplies_the_hazard_of_dropout(waited: float, stay: float) -> None:
    level = {"places": 1, "stay_days": 50, "leave_early": HALF_IN_TEN_DAYS}
    told = live(
        {"iop": level}, Person("zoe", 0, draws={"dropout iop": 1 - 0.5**2}), Person("ann", 20 - waited)
    )
    assert told.timeline[-1][1:] == ("ann", "dropped out iop → home, released iop")
    assert told.timeline[-1][0] == pytest.approx(20 + stay, abs=1e-9)


def test_days_between_admission_and_the_first_session_are_not_on_the_waitlist() -> None:
    """Admitted as she joins; the first Friday is a holiday, so that care starts after nearly two weeks."""
    groups = {"friday": {"days": ["fri"], "seats": 2}}
    level = {"groups": groups, "stay_days": 50, "leave_early": HALF_IN_TEN_DAYS}
    told = live({"iop": level}, Person("ann", 4.5), weeks=5, calendar={"closed": [date_of(11)]})
    assert told.timeline[:2] == [
        (4.5, "ann", "referred iop, admitted iop in friday fri"),
        (18.375, "ann", "started iop"),
    ]
    assert told.timeline[2][0] == pytest.approx(28.375, abs=1e-9)


# ── returning ────────────────────────────────────────────────────────────────────────────────────────────────


def unit_with_returns(*froms: str, **rest: object) -> dict[str, object]:
    returns = {"share": 0.6, "after_days": 5, "to": "unit", "from": list(froms)}
    return {"stay_days": 1, "returns": returns} | rest


def test_a_share_comes_back_from_home() -> None:
    told = live(
        {"unit": unit_with_returns("home")},
        Person("ann", 0, draws={"returns unit 1": 0.59, "returns unit 2": 0.61}),
        Person("bob", 0.5, draws={"returns unit": 0.61}),
    )
    assert told.timeline == [
        (0, "ann", "referred unit, admitted unit, started unit"),
        (0.5, "bob", "referred unit, admitted unit, started unit"),
        (1, "ann", "completed unit → home, released unit"),
        (1.5, "bob", "completed unit → home, released unit"),
        (6, "ann", "joined unit, admitted unit, started unit"),
        (7, "ann", "completed unit → home, released unit"),
    ]


ONLY_ONCE = {"returns unit 2": 0.9}


def test_who_comes_back_leaves_a_listed_level() -> None:
    told = live(
        {"unit": unit_with_returns("op", next={"op": 1}), "op": {"stay_days": 30}},
        Person("ann", 0, draws=ONLY_ONCE),
        weeks=1,
    )
    assert told.timeline == [
        (0, "ann", "referred unit, admitted unit, started unit"),
        (1, "ann", "completed unit → op, released unit, joined op, admitted op, started op"),
        (6, "ann", "left op → home, released op, joined unit, admitted unit, started unit"),
    ]


def test_who_comes_back_leaves_the_list_of_a_listed_level() -> None:
    told = live(
        {
            "unit": unit_with_returns("op", next={"op": 1}, hold_days="forever"),
            "op": {"places": 0, "stay_days": 3},
        },
        Person("ann", 0, draws=ONLY_ONCE),
        weeks=1,
    )
    assert told.timeline == [
        (0, "ann", "referred unit, admitted unit, started unit"),
        (1, "ann", "completed unit → op, joined op"),
    ], "she holds a place in a level that is not listed"
    told = live(
        {"unit": unit_with_returns("op", next={"op": 1}), "op": {"places": 0, "stay_days": 3}},
        Person("ann", 0, draws=ONLY_ONCE),
        weeks=1,
    )
    assert told.timeline[1:] == [
        (1, "ann", "completed unit → op, released unit, joined op"),
        (6, "ann", "withdrawn op, joined unit, admitted unit, started unit"),
    ]


@pytest.mark.parametrize(
    "iop", [{"stay_days": 30}, {"places": 0, "stay_days": 30}], ids=["in care", "waiting"]
)
def test_nobody_comes_back_out_of_a_level_that_is_not_listed(iop: dict[str, object]) -> None:
    """Ann goes to op for three days and is in, or waits for, iop when she is due."""
    told = live(
        {
            "unit": unit_with_returns("home", "op", next={"op": 1}),
            "op": {"stay_days": 3, "next": {"iop": 1}},
            "iop": iop,
        },
        Person("ann", 0),
        weeks=2,
    )
    assert [what for _, what in told.of("ann") if "joined unit" in what or "left" in what] == []
    assert told.timeline[-1][0] == 4


def test_who_comes_back_is_a_returned_one_on_the_waitlist() -> None:
    unit = unit_with_returns("home", places=1, waitlist={"priority": {"returned": 1, "door": 2}})
    told = live(
        {"unit": unit | {"stay_days": 2}},
        Person("ann", 0, draws=ONLY_ONCE),
        Person("bob", 5.5, draws={"returns unit": 0.9}),
        Person("cy", 6, draws={"returns unit": 0.9}),
        weeks=2,
    )
    assert [(day, who) for day, who, what in told.timeline if "started" in what] == [
        (0, "ann"), (5.5, "bob"), (7.5, "ann"), (9.5, "cy"),
    ]  # fmt: skip
