"""Plans: whatever is asked for, only what is lacking is simulated, and nobody can tell from the result."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from iopsim.errors import Interrupted, MachineError
from iopsim.experiment import plans
from iopsim.experiment.cache import Cache
from iopsim.experiment.encoding import Replication, encode
from iopsim.experiment.executors import Here, Local
from iopsim.experiment.plans import Gathered, Plan, gather, outcomes, replications, simulate
from iopsim.experiment.precision import Shortfall
from iopsim.experiment.replicate import replicate
from iopsim.scenario.schema import Scenario
from tests.unit.kept import brief, contents, plain, replication

RULE = "run.replications={{min: {min}, max: {max}, batch: {batch}}}"
SHORT = Shortfall(
    metric="iop.census.mean", unit="patients", estimate=9.0, half_width=2.0, wanted=0.5, is_relative=True
)
Calls = list[tuple[str, int]]


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "results" / ".cache")


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Calls:
    """Every replication that is simulated, by scenario and index; nothing really is."""
    made: Calls = []

    def counted(scenario: Scenario, index: int) -> Replication:
        made.append((scenario.name, index))
        return replication(index)

    monkeypatch.setattr(plans, "replicate", counted)
    return made


@pytest.fixture
def looked(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[tuple[str, int]]]:
    """Let each plan, by name, be precise from a number of replications on, or at some numbers only; every look."""

    def enough(**counts: int | set[int]) -> list[tuple[str, int]]:
        looks: list[tuple[str, int]] = []

        def shortfalls(scenario: Scenario, found: Sequence[Mapping[str, Any]]) -> tuple[Shortfall, ...]:
            looks.append((scenario.name, len(found)))
            wanted = counts[scenario.name]
            is_enough = len(found) in wanted if isinstance(wanted, set) else len(found) >= wanted
            return () if is_enough else (SHORT,)

        monkeypatch.setattr(plans, "shortfalls", shortfalls)
        return looks

    return enough


def plan(name: str = "a", *sets: str, replications: int = 3) -> Plan:
    return Plan.of(
        brief(f"name={name}", f"run.seed={ord(name[0])}", f"run.replications={replications}", *sets)
    )


def until(name: str = "a", least: int = 4, most: int = 12, batch: int = 4) -> Plan:
    return plan(name, RULE.format(min=least, max=most, batch=batch))


def counts(found: Iterable[Gathered]) -> list[int]:
    return [gathered.count for gathered in found]


# --- a plan


def test_a_plan_has_the_key_of_its_replications_and_a_warm_up() -> None:
    assert plan(replications=3).key == plan(replications=30).key == until().key
    assert plan("a").key != plan("b").key
    with pytest.raises(ValueError, match="not settled"):
        plan("a", "run.warm_up_weeks=auto")


# --- a number of replications


def test_as_many_as_the_scenario_says(cache: Cache, calls: Calls) -> None:
    one, two = plan("a", replications=3), plan("b", replications=2)
    assert gather([one, two], cache, Here()) == [Gathered(one, 3), Gathered(two, 2)]
    assert calls == [("a", 0), ("a", 1), ("a", 2), ("b", 0), ("b", 1)]
    assert cache.missing(one.key, range(4)) == [3]
    assert gather([], cache, Here()) == []


def test_asking_for_more_adds_only_what_is_missing_and_for_fewer_nothing(cache: Cache, calls: Calls) -> None:
    told: list[tuple[int, int]] = []
    for count, new in [(3, [0, 1, 2]), (5, [3, 4]), (2, []), (5, [])]:
        calls.clear()
        told.clear()
        (gathered,) = gather([plan(replications=count)], cache, Here(), lambda *said: told.append(said))
        assert gathered.count == count
        assert calls == [("a", index) for index in new]
        assert told == [(done, count) for done in range(count - len(new), count + 1)]


def test_what_lacks_in_the_middle_is_filled_in(cache: Cache, calls: Calls) -> None:
    for index in (0, 2, 4):
        cache.put(plan().key, index, encode(replication(index)))
    gather([plan(replications=6)], cache, Here())
    assert calls == [("a", 1), ("a", 3), ("a", 5)]


def test_one_scenario_under_two_names_is_simulated_once(cache: Cache, calls: Calls) -> None:
    """As in a sweep in which a value changes nothing."""
    one, other = plan("a", replications=3), plan("a", "name=alike", replications=5)
    told: list[tuple[int, int]] = []
    found = gather([one, plan("b"), other], cache, Here(), lambda *said: told.append(said))
    assert found == [Gathered(one, 3), Gathered(plan("b"), 3), Gathered(other, 5)]
    assert sorted(calls) == [("a", index) for index in range(5)] + [("b", index) for index in range(3)]
    assert told[0] == (0, 8)
    assert told[-1] == (8, 8)


def test_pilots_are_replications_before_the_first(cache: Cache, calls: Calls) -> None:
    simulate([(plan(), [-1, -2])], cache, Here())
    simulate([(plan(), [-2, -3, 0])], cache, Here())
    assert calls == [("a", -1), ("a", -2), ("a", -3), ("a", 0)]
    assert [one.index for one in replications(plan(), [-3, -1], cache)] == [-3, -1]


def test_nothing_wanted_is_nothing_done(cache: Cache, calls: Calls) -> None:
    def never(*_: int) -> None:
        raise AssertionError("0 of 0")

    simulate([], cache, Here(), never)
    simulate([(plan(), [])], cache, Here(), never)
    assert not cache.root.exists()


# --- until precise


@pytest.mark.parametrize(
    ("enough", "count", "looks"), [(1, 4, [4]), (5, 8, [4, 8]), (9, 12, [4, 8, 12]), (12, 12, [4, 8, 12])]
)
def test_a_rule_stops_at_the_first_look_that_is_precise(
    cache: Cache, calls: Calls, looked: Any, enough: int, count: int, looks: list[int]
) -> None:
    seen = looked(a=enough)
    assert gather([until()], cache, Here()) == [Gathered(until(), count)]
    assert seen == [("a", look) for look in looks]
    assert calls == [("a", index) for index in range(count)]


def test_the_cap_comes_first_and_says_what_it_is_short_of(cache: Cache, calls: Calls, looked: Any) -> None:
    seen = looked(a=100)
    assert gather([until(most=11)], cache, Here()) == [Gathered(until(most=11), 11, (SHORT,))]
    assert seen == [("a", 4), ("a", 8), ("a", 11)]
    assert len(calls) == 11


def test_what_else_is_in_the_cache_changes_nothing(cache: Cache, calls: Calls, looked: Any) -> None:
    for index in range(-3, 40):
        cache.put(until().key, index, encode(replication(index)))
    seen = looked(a=5)
    told: list[tuple[int, int]] = []
    assert gather([until()], cache, Here(), lambda *said: told.append(said)) == [Gathered(until(), 8)]
    assert (seen, calls, told) == ([("a", 4), ("a", 8)], [], [(4, 4), (8, 8)])


def test_a_rule_that_asks_for_more_goes_on_from_there(cache: Cache, calls: Calls, looked: Any) -> None:
    looked(a=5)
    gather([until()], cache, Here())
    calls.clear()
    looked(a=100)
    assert counts(gather([until(least=6, most=18, batch=10)], cache, Here())) == [18]
    assert calls == [("a", index) for index in range(8, 18)]


def test_plans_go_on_in_rounds_and_each_stops_on_its_own(cache: Cache, calls: Calls, looked: Any) -> None:
    looked(a=1, b=7, c=100, d=0)
    everyone = [until("a"), until("b"), until("c"), plan("d")]
    found = gather(everyone, cache, Here())
    assert found == [
        Gathered(everyone[0], 4),
        Gathered(everyone[1], 8),
        Gathered(everyone[2], 12, (SHORT,)),
        Gathered(everyone[3], 3),
    ]
    rounds = [call for call in calls if call[0] != "d"]
    assert rounds[:12] == [(name, index) for name in "abc" for index in range(4)]
    assert rounds[12:20] == [(name, index) for name in "bc" for index in range(4, 8)]
    assert rounds[20:] == [("c", index) for index in range(8, 12)]


def test_together_all_go_on_until_each_is_precise(cache: Cache, calls: Calls, looked: Any) -> None:
    looked(a=1, b=7)
    assert counts(gather([until("a"), until("b")], cache, Here(), together=True)) == [8, 8]
    assert sorted(calls) == [(name, index) for name in "ab" for index in range(8)]
    looked(a=100, b=1)
    found = gather([until("a"), until("b")], cache, Here(), together=True)
    assert [(one.count, one.short_of) for one in found] == [(12, (SHORT,)), (12, ())]
    looked(a={4, 12}, b={8, 12})  # precise once is not precise for good
    found = gather([until("a"), until("b")], cache, Here(), together=True)
    assert [(one.count, one.short_of) for one in found] == [(12, ()), (12, ())]


def test_together_plans_of_different_numbers_have_the_larger(cache: Cache, calls: Calls, looked: Any) -> None:
    looked(a=7, c=11)
    found = gather([until("a", most=6), plan("b", replications=3)], cache, Here(), together=True)
    assert [(one.count, one.short_of) for one in found] == [(6, (SHORT,)), (6, ())]
    assert counts(gather([plan("b"), plan("c", replications=5)], cache, Here(), together=True)) == [5, 5]
    assert counts(gather([until("a"), plan("b", replications=9)], cache, Here(), together=True)) == [9, 9]


def test_without_a_rule_nothing_is_judged(cache: Cache, calls: Calls, looked: Any) -> None:
    seen = looked()
    gather([plan("a"), plan("b")], cache, Here())
    assert seen == []


# --- read back


def test_replications_come_in_the_order_asked_for_as_they_were(cache: Cache) -> None:
    one = plan(replications=2)
    gather([one], cache, Here())
    found = replications(one, [1, 0], cache)
    assert [plain(found) for found in found] == [plain(replicate(one.scenario, index)) for index in (1, 0)]
    assert [list(measured) for measured in outcomes(one, 2, cache)] == [list(found[0].outcomes)] * 2


def test_what_was_damaged_or_removed_is_simulated_again(cache: Cache, calls: Calls) -> None:
    gather([plan(replications=4)], cache, Here())
    before = contents(cache.root)
    files = sorted(cache.root.rglob("*.rep"))
    files[1].write_bytes(b"")
    files[2].write_bytes(files[3].read_bytes())
    files[3].unlink()
    calls.clear()
    found = replications(plan(), range(4), cache)
    assert [plain(one) for one in found] == [plain(replication(index)) for index in range(4)]
    assert calls == [("a", 1), ("a", 2), ("a", 3)]
    assert contents(cache.root) == before


def test_a_plan_is_judged_on_whole_replications(cache: Cache, calls: Calls, looked: Any) -> None:
    gather([plan(replications=4)], cache, Here())
    next(cache.root.rglob("000002.rep")).write_bytes(b"cut")
    seen = looked(a=4)
    assert counts(gather([until()], cache, Here())) == [4]
    assert seen == [("a", 4)]
    assert calls[4:] == [("a", 2)]


# --- stopped


def stops_at(monkeypatch: pytest.MonkeyPatch, index: int, error: BaseException) -> None:
    def stopping(scenario: Scenario, number: int) -> Replication:
        if number == index:
            raise error
        return replication(number)

    monkeypatch.setattr(plans, "replicate", stopping)


def test_ctrl_c_says_what_is_kept_and_how_to_go_on(cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    cache.put(plan("b").key, 1, encode(replication(1)))
    with monkeypatch.context() as patch:
        stops_at(patch, 2, KeyboardInterrupt())
        with pytest.raises(Interrupted) as caught:
            gather([plan("a", replications=3), plan("b", replications=3)], cache, Here())
    lacking = {name: cache.missing(plan(name).key, range(3)) for name in "ab"}
    kept = 6 - len(lacking["a"]) - len(lacking["b"])
    assert str(caught.value) == (
        f"{kept} of 6 replications are kept in {cache.root}; give the same command again to complete the run"
    )
    assert caught.value.exit_code == 130
    assert 0 not in lacking["a"] and 1 not in lacking["b"]


@pytest.mark.parametrize("error", [MachineError("the workers broke down"), KeyError("a bug")], ids=repr)
def test_whatever_else_stops_it_what_had_finished_is_kept(
    cache: Cache, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    stops_at(monkeypatch, 2, error)
    with pytest.raises(type(error)) as caught:
        gather([plan(replications=4)], cache, Here())
    assert caught.value is error
    assert 0 not in cache.missing(plan().key, range(4))


# --- whoever simulates


def test_all_executors_leave_the_same_bytes(tmp_path: Path) -> None:
    asked = [plan("a", replications=5), plan("b", replications=2)]
    found = []
    for name, executor in [("here", Here()), ("threads", ThreadPoolExecutor(2)), ("local", Local(2))]:
        cache = Cache(tmp_path / name)
        with executor:
            assert counts(gather(asked, cache, executor)) == [5, 2]
        found.append(contents(cache.root))
    assert found[0] == found[1] == found[2]
    assert len(found[0]) == 7
