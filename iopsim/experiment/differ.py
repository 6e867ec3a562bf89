"""What differs between two plans: in what they say, and where both are finished, in what came of them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from iopsim.experiment.compare import CONFIDENCE, apart
from iopsim.experiment.contenders import read
from iopsim.experiment.keys import replication_key
from iopsim.experiment.names import reported
from iopsim.experiment.statistics import Interval, intervals
from iopsim.experiment.summary import Gathered
from iopsim.scenario import identity, resolved
from iopsim.scenario.tree import dotted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from iopsim.experiment.contenders import Contender, Entry
    from iopsim.experiment.statistics import Replicated
    from iopsim.experiment.store import Results
    from iopsim.scenario.tree import Path

__all__ = ["Change", "Differences", "Gap", "Outcome", "differ"]

Tree = Mapping[str, Any]
_ONLY_A_NAME = "name"


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that differs, such as the value at a dotted path; None where it is not there."""

    what: str
    a: Any
    b: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """One metric whose numbers differ.

    Attributes:
        metric: Full name.
        unit: Unit of all numbers.
        a: Estimate of the first, with its own 95 % interval.
        b: Estimate of the second, likewise.
        difference: The second less the first. Its interval holds together with all others where replications form
            pairs, and is not known (NaN) elsewhere.
        by_more_than_chance: Whether that interval leaves out 0; where there is none, whether the two own intervals
            have no value in common.
    """

    metric: str
    unit: str
    a: Interval
    b: Interval
    difference: Interval
    by_more_than_chance: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What differs in the results.

    Attributes:
        replications: How many of each plan the numbers are from.
        compared: Metrics that both have.
        gaps: Those whose numbers differ, in order of registration.
        only_a: Metrics that only the first has.
        only_b: Metrics that only the second has.
        unpaired: Why replications form no pairs, one reason each; empty if they do.
    """

    replications: tuple[int, int]
    compared: int
    gaps: tuple[Gap, ...]
    only_a: tuple[str, ...]
    only_b: tuple[str, ...]
    unpaired: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Differences:
    """Everything that differs between two plans.

    Attributes:
        facts: Of how they were simulated: model version, seed, number of replications.
        changes: Of the scenarios, in the order of the resolved file.
        same_replications: Whether they have, or will have, the very same replications.
        outcome: Of the results; None unless both are finished.
    """

    facts: tuple[Change, ...]
    changes: tuple[Change, ...]
    same_replications: bool
    outcome: Outcome | None


def differ(a: Contender, b: Contender, names: tuple[str, str] = ("A", "B")) -> Differences:
    """What differs between two plans; `names` say what they are called in reasons.

    Raises:
        InputError: A results folder lacks its scenario or its replications.
    """
    entries = tuple(read(one.results) if one.results else None for one in (a, b))
    keys = [
        entry.key if entry else replication_key(one.scenario)
        for entry, one in zip(entries, (a, b), strict=True)
    ]
    first, second = entries
    return Differences(
        facts=tuple(_facts(a, b, first, second)),
        changes=tuple(_changes(a, b)),
        same_replications=keys[0] == keys[1],
        outcome=_outcome((a, b), (first, second), names) if first and second else None,
    )


def _facts(a: Contender, b: Contender, first: Entry | None, second: Entry | None) -> Iterator[Change]:
    facts: dict[str, tuple[object, object]] = {
        "model version": (a.version, b.version),
        "seed": (a.scenario.run.seed, b.scenario.run.seed),
    }
    if first and second:
        facts["replications"] = len(first.replications), len(second.replications)
    yield from (Change(name, *pair) for name, pair in facts.items() if pair[0] != pair[1])


# What they say


def _changes(a: Contender, b: Contender) -> Iterator[Change]:
    hashes = [_data(one) for one in (a, b)]
    known = hashes[0].keys() & hashes[1].keys()
    first, second = (
        _with_hashes(_tree(one), {path: held[path] for path in known}, ())
        for one, held in zip((a, b), hashes, strict=True)
    )
    yield from _differing(first, second, ())


def _tree(contender: Contender) -> dict[str, Any]:
    """The resolved scenario as plain values, without its name."""
    tree = _written(contender.results) if contender.results else resolved(contender.scenario)
    return {key: value for key, value in tree.items() if key != _ONLY_A_NAME}


def _written(results: Results) -> dict[str, Any]:
    """What a results folder says of its scenario, with the names of data files that it does not hold."""
    from iopsim.errors import InputError
    from iopsim.scenario.distributions import LAW_NAMES
    from iopsim.scenario.file import survey
    from iopsim.scenario.load import replaces
    from iopsim.scenario.tree import plain

    root, faults = survey(results.file("scenario.resolved.yaml"), replaces, LAW_NAMES)
    if root is None:
        raise InputError(*faults)
    return dict(plain(root))


def _data(contender: Contender) -> Mapping[str, str]:
    """Hashes of the data files by the dotted path of their law or trace."""
    held: Mapping[str, str] = (
        contender.results.manifest.get("data", {})
        if contender.results
        else identity(contender.scenario)["data"]
    )
    return held


def _with_hashes(value: Any, hashes: Mapping[str, str], path: Path) -> Any:
    """The tree with hashes in place of the names of data files, where both are known."""
    if isinstance(value, Mapping):
        known = hashes.get(dotted(path))
        if known and "csv" in value:
            return {"sha256": known}
        if known and "empirical" in value:
            named = {key: part for key, part in value["empirical"].items() if key not in {"csv", "column"}}
            return {**value, "empirical": {**named, "sha256": known}}
        return {key: _with_hashes(child, hashes, (*path, key)) for key, child in value.items()}
    if isinstance(value, list):
        return [_with_hashes(child, hashes, (*path, number)) for number, child in enumerate(value)]
    return value


def _differing(a: Any, b: Any, path: Path) -> Iterator[Change]:
    if isinstance(a, Mapping) and isinstance(b, Mapping) and (a.keys() & b.keys() or not (a and b)):
        for key in [*a, *(key for key in b if key not in a)]:
            yield from _differing(a.get(key), b.get(key), (*path, key))
        orders = [[key for key in one if key in other] for one, other in ((a, b), (b, a))]
        if orders[0] != orders[1]:
            yield Change(f"{dotted(path)} (order)", *orders)
    elif isinstance(a, list) and isinstance(b, list) and any(isinstance(item, Mapping) for item in (*a, *b)):
        for number, (item, other) in enumerate(zip_longest(a, b)):
            yield from _differing(item, other, (*path, number))
    elif a != b:
        yield Change(dotted(path), a, b)


# What came of them


def _outcome(
    plans: tuple[Contender, Contender], entries: tuple[Entry, Entry], names: tuple[str, str]
) -> Outcome:
    scenarios = {name: one.scenario for name, one in zip(names, plans, strict=True)}
    versions = {name: one.version for name, one in zip(names, plans, strict=True)}
    unpaired = tuple(f"{what}: {said}" for what, said in apart(scenarios, versions))
    counts = [len(entry.replications) for entry in entries]
    if not unpaired:
        counts = [min(counts)] * 2
    known = [reported(one.scenario) for one in plans]
    units = [
        {name: entry.unit_in(one.scenario) for name, entry in its.items()}
        for its, one in zip(known, plans, strict=True)
    ]
    shared = {name: unit for name, unit in units[0].items() if units[1].get(name) == unit}
    a, b = (
        Gathered([one.outcomes for one in entry.replications[:count]]).all(
            {name: its[name] for name in shared}
        )
        for entry, count, its in zip(entries, counts, known, strict=True)
    )
    only_a, only_b = (tuple(name for name in its if name not in shared) for its in known)
    return Outcome(
        replications=(counts[0], counts[1]),
        compared=len(shared),
        gaps=tuple(_gaps(shared, a, b, paired=not unpaired)),
        only_a=only_a,
        only_b=only_b,
        unpaired=unpaired,
    )


def _gaps(
    units: Mapping[str, str], a: Mapping[str, Replicated], b: Mapping[str, Replicated], *, paired: bool
) -> Iterator[Gap]:
    """Every metric whose estimates differ; the intervals of paired differences hold together (Bonferroni)."""
    level = 1 - (1 - CONFIDENCE) / max(len(units), 1)
    rows = zip(units.items(), intervals([*a.values()]), intervals([*b.values()]), strict=True)
    for (name, unit), ours, theirs in rows:
        if _same(ours.estimate, theirs.estimate):
            continue
        if paired:
            difference = replace(b[name].minus(a[name]), level=level).interval
            known = difference.low > 0 or difference.high < 0
        else:
            difference = Interval(theirs.estimate - ours.estimate, math.nan, math.nan, math.nan, 0)
            known = ours.high < theirs.low or theirs.high < ours.low
        yield Gap(metric=name, unit=unit, a=ours, b=theirs, difference=difference, by_more_than_chance=known)


def _same(one: float, other: float) -> bool:
    """Whether two numbers are one but for rounding: means of unequally many constants may differ in the last digit."""
    return (math.isnan(one) and math.isnan(other)) or math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-12)
