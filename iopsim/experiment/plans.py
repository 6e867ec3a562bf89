"""Plans and their replications: whatever is asked for, only what the cache lacks is simulated.

Everything is read back from the cache, fresh or not: so tables are the same bytes however replications came to be.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from iopsim.errors import Interrupted
from iopsim.experiment.encoding import decode, encode
from iopsim.experiment.executors import for_each
from iopsim.experiment.keys import replication_key
from iopsim.experiment.precision import Shortfall, looks, shortfalls
from iopsim.experiment.replicate import replicate

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from iopsim.experiment.cache import Cache
    from iopsim.experiment.encoding import Replication
    from iopsim.measures.registry import Outcome
    from iopsim.scenario.schema import Scenario

__all__ = [
    "Gathered",
    "Plan",
    "Progress",
    "Wanted",
    "gather",
    "outcomes",
    "replications",
    "silent",
    "simulate",
]

Progress = Callable[[int, int], None]  # (finished, of all)


@dataclass(frozen=True, slots=True)
class Plan:
    """A scenario that can be simulated, and the key its replications are kept under."""

    scenario: Scenario
    key: str

    @classmethod
    def of(cls, scenario: Scenario) -> Plan:
        """The plan of a scenario.

        Raises:
            ValueError: Its warm-up is still to be found (`warm_up.settle`).
        """
        if not scenario.run.is_settled:
            raise ValueError("the warm-up is not settled yet")
        return cls(scenario, replication_key(scenario))


Wanted = Sequence[tuple[Plan, Sequence[int]]]


@dataclass(frozen=True, slots=True)
class Gathered:
    """How many replications of a plan were enough.

    Attributes:
        plan: The plan.
        count: Replications 0 … count − 1 are in the cache.
        short_of: The metrics that are not as precise as asked, since the most replications allowed came first.
    """

    plan: Plan
    count: int
    short_of: tuple[Shortfall, ...] = ()


def silent(finished: int, of_all: int) -> None:
    """Progress that nobody watches."""


def simulate(wanted: Wanted, cache: Cache, executor: Executor, progress: Progress = silent) -> None:
    """Fill the cache with these replications of these plans; those that are there cost nothing.

    Raises:
        Interrupted: The user stopped; what had finished is kept.
        MachineError: The disk refuses, or workers die again and again.
    """
    merged = _merged(wanted)
    lacking = [(plan, index) for plan, indices in merged for index in cache.missing(plan.key, indices)]
    total = sum(len(indices) for _, indices in merged)
    if not total:
        return
    finished = total - len(lacking)
    progress(finished, total)

    def keep(work: tuple[Plan, int], encoded: bytes) -> None:
        nonlocal finished
        plan, index = work
        cache.put(plan.key, index, encoded)
        finished += 1
        progress(finished, total)

    try:
        for_each(executor, _encoded, lacking, keep)
    except KeyboardInterrupt:
        raise Interrupted(
            f"{finished} of {total} replications are kept in {cache.root}; "
            "give the same command again to complete the run"
        ) from None


def gather(
    plans: Sequence[Plan],
    cache: Cache,
    executor: Executor,
    progress: Progress = silent,
    *,
    together: bool = False,
) -> list[Gathered]:
    """Fill the cache with as many replications of each plan as its scenario asks for.

    Where it asks for precision, all plans go on in rounds, so that workers have enough to do; each is judged at
    fixed counts, on its first replications, whatever else is in the cache.

    Args:
        plans: What to simulate.
        cache: Where replications are kept.
        executor: Who simulates.
        progress: Told of replications finished, of those asked for so far.
        together: Whether all plans go on until each is precise, so that their replications form pairs.

    Raises:
        Interrupted: The user stopped; what had finished is kept.
    """
    steps = [_counts(plan.scenario) for plan in plans]
    counts = [next(step) for step in steps]
    going = list(range(len(plans)))
    short_of: list[tuple[Shortfall, ...]] = [()] * len(plans)
    while going:
        wanted = [(plan, range(count)) for plan, count in zip(plans, counts, strict=True)]
        simulate(wanted, cache, executor, progress)
        for number in going:
            short_of[number] = _short_of(plans[number], counts[number], cache)
        if not (together and any(short_of)):
            going = [number for number in going if short_of[number]]
        larger = {number: count for number in going if (count := next(steps[number], None))}
        going = list(larger)
        for number, count in larger.items():
            counts[number] = count
    if together and len(set(counts)) > 1:
        counts = [max(counts)] * len(plans)
        simulate([(plan, range(max(counts))) for plan in plans], cache, executor, progress)
        short_of = [_short_of(plan, max(counts), cache) for plan in plans]
    return [Gathered(*found) for found in zip(plans, counts, short_of, strict=True)]


def replications(plan: Plan, indices: Iterable[int], cache: Cache) -> list[Replication]:
    """Read replications back, in this order; one that was damaged or removed meanwhile is simulated here and now."""
    found = []
    for index in indices:
        replication = cache.read(plan.key, index)
        if replication is None:
            encoded = _encoded((plan, index))
            cache.put(plan.key, index, encoded)
            replication = decode(encoded)
        found.append(replication)
    return found


def outcomes(plan: Plan, count: int, cache: Cache) -> list[Mapping[str, Outcome]]:
    """What was measured in replications 0 … count − 1."""
    return [replication.outcomes for replication in replications(plan, range(count), cache)]


def _counts(scenario: Scenario) -> Iterator[int]:
    """The numbers of replications after which the scenario may have enough."""
    rule = scenario.run.rule
    return looks(rule) if rule else iter([scenario.run.most_replications])


def _short_of(plan: Plan, count: int, cache: Cache) -> tuple[Shortfall, ...]:
    return shortfalls(plan.scenario, outcomes(plan, count, cache)) if plan.scenario.run.rule else ()


def _encoded(work: tuple[Plan, int]) -> bytes:
    plan, index = work
    return encode(replicate(_known(plan), index))


_scenarios: dict[str, Scenario] = {}
_REMEMBERED = 16


def _known(plan: Plan) -> Scenario:
    """The same object for every chunk of a plan: what is worked out of a scenario once serves all its replications."""
    if plan.key not in _scenarios:
        if len(_scenarios) >= _REMEMBERED:
            _scenarios.clear()
        _scenarios[plan.key] = plan.scenario
    return _scenarios[plan.key]


def _merged(wanted: Wanted) -> Wanted:
    """Each plan once: two points of a sweep may be one scenario."""
    merged: dict[str, tuple[Plan, dict[int, None]]] = {}
    for plan, indices in wanted:
        merged.setdefault(plan.key, (plan, {}))[1].update(dict.fromkeys(indices))
    return [(plan, list(indices)) for plan, indices in merged.values()]
