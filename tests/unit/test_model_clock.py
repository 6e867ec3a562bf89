"""The clock: what is called when, and in which order, beside SimPy's own events."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

import pytest

from iopsim.model.clock import ALLOCATION, ARRIVAL, COMPLETION, LEAVING, SESSION, Clock

if TYPE_CHECKING:
    from collections.abc import Callable, Generator


def teller(told: list[tuple[str, float]], clock: Clock) -> Callable[[str], None]:
    """A call that writes down its argument and the time."""
    return lambda what: told.append((what, clock.now))


def test_calls_come_by_instant_then_by_kind_then_by_identity_then_as_they_were_made() -> None:
    clock, told = Clock(0.0, 10.0), []
    tell = teller(told, clock)
    for what, time, order in [
        ("late", 9.25, COMPLETION),
        ("second arrival", 1.5, ARRIVAL + 7),
        ("first arrival", 1.5, ARRIVAL + 3),
        ("made first", 1.5, SESSION),
        ("made second", 1.5, SESSION),
        ("completion", 1.5, COMPLETION + 9),
        ("today", 0.25, ALLOCATION),
        ("too late", 10.0, COMPLETION),
    ]:
        clock.call_at(time, order, tell, what)
    clock.run()
    assert told == [
        ("today", 0.25), ("completion", 1.5), ("made first", 1.5), ("made second", 1.5), ("first arrival", 1.5),
        ("second arrival", 1.5), ("late", 9.25),
    ]  # fmt: skip
    assert (clock.now, clock.calls) == (10.0, 7)


def test_a_call_for_the_same_instant_comes_before_later_kinds() -> None:
    clock, told = Clock(0.0, 4.0), []
    tell = teller(told, clock)
    clock.call_at(3.5, SESSION, lambda _: clock.call_at(clock.now, COMPLETION, tell, "made meanwhile"), None)
    clock.call_at(3.5, ARRIVAL, tell, "arrival")
    clock.run()
    assert told == [("made meanwhile", 3.5), ("arrival", 3.5)]


def test_of_two_calls_alike_the_one_made_first_comes_first_whenever_it_was_made() -> None:
    """Made the day before, made earlier on the day, made at the very instant."""
    clock, told = Clock(0.0, 4.0), []
    tell = teller(told, clock)

    def more(_: object) -> None:
        for what in ("at the instant", "and again"):
            clock.call_at(2.5, SESSION, tell, what)

    clock.call_at(2.5, SESSION, tell, "two days before")
    clock.call_at(1.5, ARRIVAL, lambda _: clock.call_at(2.5, SESSION, tell, "the day before"), None)
    clock.call_at(2.25, ARRIVAL, lambda _: clock.call_at(2.5, SESSION, tell, "on the day"), None)
    clock.call_at(2.5, COMPLETION, more, None)
    clock.run()
    assert [what for what, _ in told] == [
        "two days before", "the day before", "on the day", "at the instant", "and again",
    ]  # fmt: skip


def test_kinds_made_at_the_instant_earlier_on_the_day_and_before_it_take_turns() -> None:
    clock, told = Clock(0.0, 4.0), []
    tell = teller(told, clock)

    def more(_: object) -> None:
        clock.call_at(1.5, ARRIVAL + 1, tell, "arrival 1, at the instant")
        clock.call_at(1.5, SESSION, tell, "session, at the instant")

    clock.call_at(1.5, COMPLETION, more, None)
    clock.call_at(1.5, ALLOCATION, tell, "allocation, from before")
    clock.call_at(1.5, ARRIVAL + 2, tell, "arrival 2, from before")
    clock.call_at(1.25, SESSION, lambda _: clock.call_at(1.5, ARRIVAL, tell, "arrival 0, on the day"), None)
    clock.run()
    assert [what for what, _ in told] == [
        "session, at the instant", "allocation, from before", "arrival 0, on the day", "arrival 1, at the instant",
        "arrival 2, from before",
    ]  # fmt: skip


@pytest.mark.parametrize("time", [0.5, 0.75, 1.0, 6.5], ids=["now", "today", "midnight", "later"])
def test_what_is_foreseen_comes_unless_it_is_called_off(time: float) -> None:
    clock, told = Clock(0.0, 9.0), []
    tell = teller(told, clock)
    foreseen = []

    def foresee(_: object) -> None:
        foreseen.extend(clock.foresee(time, LEAVING, tell, what) for what in ("first", "second", "third"))
        foreseen[1].call_off()

    clock.call_at(0.5, COMPLETION, foresee, None)
    clock.run()
    assert told == [("first", time), ("third", time)]
    foreseen[0].call_off()  # too late: it changes nothing
    assert len(told) == 2


@pytest.mark.parametrize("time", [0.75, 6.5, 20.0], ids=["today", "later", "after the end"])
def test_nobody_is_kept_for_what_is_called_off(time: float) -> None:
    class Person:
        """Somebody who can be missed."""

    clock, person = Clock(0.0, 9.0), Person()
    gone = weakref.ref(person)
    clock.foresee(time, LEAVING, lambda _: None, person).call_off()
    del person
    assert gone() is None


def test_what_was_to_come_after_the_end_is_forgotten() -> None:
    class Person:
        """Somebody who can be missed."""

    clock, person = Clock(0.0, 2.0), Person()
    gone = weakref.ref(person)
    for time in (0.0, 0.5, 1.5):
        clock.call_at(time, LEAVING, lambda _: None, person)
    del person
    assert gone() is not None
    clock.forget()
    assert gone() is None


def test_an_absolute_time_is_kept_to_the_last_bit() -> None:
    clock, told = Clock(-91.0, 91.0), []
    times = [day + 0.1 * part for day in range(-90, 90, 7) for part in range(3)]
    for time in times:
        clock.call_at(time, ARRIVAL, teller(told, clock), "call")
    clock.run()
    assert [time for _, time in told] == times


def test_processes_of_simpy_live_on_the_same_clock() -> None:
    clock, told = Clock(0.0, 9.0), []
    tell = teller(told, clock)
    environment = clock.environment
    arrived = environment.event()

    def waits() -> Generator[Any, Any, None]:
        yield environment.timeout(2.5)
        told.append(("has waited", environment.now))
        yield arrived
        told.append(("is told", environment.now))

    environment.process(waits())
    clock.call_at(1.0, COMPLETION, tell, "before")
    clock.call_at(7.75, ARRIVAL, lambda _: arrived.succeed(), None)
    clock.call_at(7.75, ARRIVAL + 1, lambda _: clock.call_at(7.75, ARRIVAL + 2, tell, "at the instant"), None)
    clock.call_at(8.0, ARRIVAL, tell, "after")
    clock.run()
    assert told == [
        ("before", 1.0), ("has waited", 2.5), ("is told", 7.75), ("at the instant", 7.75), ("after", 8.0),
    ]  # fmt: skip
    assert environment.now == clock.now == 9.0
