"""Sessions after which the payer is asked, among those that change the plan (model.md §§5, 6)."""

from __future__ import annotations

from typing import Any

from tests.unit.timelines import Person, Told, live

DAY = {"days": ["mon", "wed", "fri"], "seats": 2}
HOME = "completed iop → home, released iop"


def told(person: Person, units: int, **level: Any) -> Told:
    """Three sessions a week in which the payer approves so many at a time, and always extends at once."""
    payers = {"all": {"authorization": {"levels": ["iop"], "units": units}}}
    phases = {"phases": [{"weeks": 2, "days_per_week": 3}]}
    return live({"iop": {"groups": {"day": DAY}} | phases | level}, person, payers=payers)


def test_only_attended_sessions_use_up_units() -> None:
    """Four are attended with the sixth, which is the last: the plan is through."""
    missing = {"attendance": {"mean": 0.5}}
    assert [what for _, what in told(Person("ann", 0, misses=[2, 5]), 4, **missing).of("ann")][2:] == [HOME]
    asked = told(Person("ann", 0, misses=[2, 4]), 3, **missing).of("ann")
    assert asked[2:] == [(9.5, "asked iop 3, extended iop 6"), (11.5, HOME)]


def test_a_taper_and_the_payer_may_come_with_the_same_session() -> None:
    taper = [{"weeks": 1, "days_per_week": 3}, {"weeks": 1, "days_per_week": 1}]
    assert told(Person("ann", 0), 3, phases=taper).of("ann")[2:] == [
        (4.5, "moved iop to day mon, asked iop 3, extended iop 6"),
        (7.5, HOME),
    ]


def test_a_discharge_for_misses_comes_before_the_payer_is_asked() -> None:
    """The last unit is used on Monday; with the next three missed nobody asks for more, nor before."""
    attendance = {"mean": 0.5, "discharge_after_missed": 3}
    never = told(Person("ann", 0, misses=range(2, 99)), 2, attendance=attendance, stay_days=300, phases=None)
    assert never.of("ann")[2:] == [(7.5, "discharged iop → home, released iop")]


def test_units_that_last_longer_than_the_stay_are_never_asked_for() -> None:
    attendance = {"mean": 0.5, "sd": 0.1}
    told_of = told(
        Person("ann", 0, misses=range(2, 9999)), 9, attendance=attendance, stay_days=30, phases=None
    )
    assert told_of.of("ann")[2:] == [(30.375, HOME)]


def test_an_extension_may_use_up_what_was_left() -> None:
    """Six sessions are planned; the extension has three, of which the second is beyond the units."""
    story = told(Person("ann", 0, draws={"extension iop": 0.1}), 8, extension={"share": 0.5, "weeks": 1})
    assert story.of("ann")[2:] == [(16.5, "asked iop 8, extended iop 16"), (18.5, HOME)]
