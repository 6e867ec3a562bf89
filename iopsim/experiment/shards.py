"""One part of n of a run or a sweep, for job arrays and CI matrices, and all parts joined again."""

from __future__ import annotations

from itertools import groupby, islice
from typing import TYPE_CHECKING

from iopsim.errors import Fault, InputError, Mark
from iopsim.experiment.cache import PACK, unpacked
from iopsim.experiment.keys import content_key
from iopsim.experiment.plans import gather, replications, simulate
from iopsim.experiment.store import open_run, read_run

if TYPE_CHECKING:
    from collections.abc import Sequence
    from concurrent.futures import Executor
    from pathlib import Path

    from iopsim.experiment.cache import Cache
    from iopsim.experiment.plans import Plan, Progress, Wanted

__all__ = ["SHARD", "add_shards", "share", "simulate_share", "write_shard"]

SHARD = "shard"
Part = tuple[int, int]  # (i, n): part i of n, from 1


def share(plans: Sequence[Plan], part: Part) -> Wanted:
    """The replications of part i of n: every n-th of all of them, so that parts are alike in size.

    Plans that go on until they are precise must be whole: their part is every n-th plan, and no replications are
    named here.
    """
    number, of = part
    pairs = {  # by key and index: two points of a sweep may be one scenario
        (plan.key, index): (plan, index)
        for plan in plans
        for index in range(plan.scenario.run.most_replications)
    }
    mine = groupby(islice(pairs.values(), number - 1, None, of), key=lambda pair: pair[0].key)
    return [(chosen[0][0], [index for _, index in chosen]) for _, group in mine if (chosen := list(group))]


def simulate_share(
    plans: Sequence[Plan], part: Part, cache: Cache, executor: Executor, progress: Progress
) -> list[tuple[str, int]]:
    """Simulate part i of n; the keys and indices of its replications, each read back and found whole.

    Raises:
        InputError: A single plan that goes on until it is precise cannot be divided.
        Interrupted: The user stopped; what had finished is kept.
    """
    number, of = part
    if not any(plan.scenario.run.rule for plan in plans):
        wanted = share(plans, part)
        simulate(wanted, cache, executor, progress)
    elif len(plans) == 1:
        message = "a run that goes on until it is precise cannot be divided; give a number of replications"
        raise InputError(Fault("shard", message, "run.replications", Mark("--shard")))
    else:
        found = gather(plans[number - 1 :: of], cache, executor, progress)
        wanted = [(one.plan, range(one.count)) for one in found]
    return [(plan.key, one.index) for plan, indices in wanted for one in replications(plan, indices, cache)]


def write_shard(
    root: Path,
    name: str,
    key: str,
    part: Part,
    entries: Sequence[tuple[str, int]],
    cache: Cache,
    out: Path | None,
) -> Path:
    """Write the folder that `add_shards` reads: the replications and whose part they are."""
    number, of = part
    about = {"kind": SHARD, "of": key, "part": number, "parts": of}
    own_key = content_key({"of": key, "part": number, "parts": of})
    with open_run(root, f"{name}-shards", own_key, out=out, about=about) as run:
        run.write_replications(cache, entries)
        return run.finish()


def add_shards(folders: Sequence[Path], key: str, plans: Sequence[Plan], cache: Cache) -> None:
    """Put the replications of all parts into the cache.

    Args:
        folders: All n parts, in any order; one may be given twice.
        key: Content key of the whole.
        plans: What the whole is made of; replications of anything else are left where they are.
        cache: Where they go.

    Raises:
        InputError: With every folder that is no part of this whole, and the parts that lack.
    """
    parts: dict[int, set[int]] = {}
    packs: list[Path] = []
    faults: list[Fault] = []
    for folder in folders:
        try:
            results = read_run(folder)
            manifest = results.manifest
            if manifest.get("kind") == SHARD:
                packs.append(results.file(PACK))
        except InputError as error:
            faults += error.faults
            continue
        if manifest.get("kind") != SHARD or manifest.get("of") != key:
            message = (
                "not a part of this: made of another scenario, with other options or by another version; "
                "give the file and options that the parts were made with"
            )
            faults.append(Fault("foreign-shard", message, mark=Mark(str(folder))))
        else:
            parts.setdefault(manifest["parts"], set()).add(manifest["part"])
    if not faults:
        faults = list(_incomplete(parts))
    if faults:
        raise InputError(*faults)
    wanted = {plan.key for plan in plans}
    for packed in packs:
        for owner, index, encoded in unpacked(packed):
            if owner in wanted:
                cache.put(owner, index, encoded)


def _incomplete(parts: dict[int, set[int]]) -> list[Fault]:
    if len(parts) > 1:
        said = " and ".join(f"of {count}" for count in sorted(parts))
        return [Fault("shard", f"parts {said} do not go together; give all parts of one division")]
    lacking = [
        str(number) for count, there in parts.items() for number in range(1, count + 1) if number not in there
    ]
    if not lacking:
        return []
    (count,) = parts
    few = ", ".join(lacking[:20]) + (" …" if len(lacking) > 20 else "")
    return [
        Fault("shard", f"part {few} of {count} is missing; simulate it with --shard {lacking[0]}/{count}")
    ]
