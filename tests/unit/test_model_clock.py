"""The clock: what is called when, and in which order, beside SimPy's own events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from iopsim.model.clock import ALLOCATION, ARRIVAL, COMPLETION, SESSION, Clock

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
    clock.call_at(8.0, ARRIVAL, tell, "after")
    clock.run()
    assert told == [("before", 1.0), ("has waited", 2.5), ("is told", 7.75), ("after", 8.0)]
    assert environment.now == clock.now == 9.0
