"""Parts of a run: together they are the whole, once each, and nothing else is taken for one of them."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iopsim.errors import InputError, Interrupted
from iopsim.experiment import plans
from iopsim.experiment.cache import PACK, Cache
from iopsim.experiment.encoding import Replication, encode
from iopsim.experiment.executors import Here
from iopsim.experiment.plans import Plan, gather, silent
from iopsim.experiment.shards import add_shards, share, simulate_share, write_shard
from iopsim.experiment.store import open_run, read_run
from iopsim.scenario.schema import Scenario
from tests.unit.kept import brief, contents, replication

WHOLE = "5e" * 32
BASE = brief()


def plan(number: int = 0, replications: Any = 7) -> Plan:
    """A plan whose key only its number decides."""
    run = BASE.run.model_copy(update={"replications": replications})
    return Plan(BASE.model_copy(update={"name": f"plan {number}", "run": run}), f"{number:064x}")


def rule(least: int, most: int) -> Any:
    """A rule to stop by."""
    return brief(f"run.replications={{min: {least}, max: {most}, batch: 1}}").run.replications


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """Every replication that is simulated, by scenario and index; nothing really is."""
    made = []

    def counted(scenario: Scenario, index: int) -> Replication:
        made.append((scenario.name, index))
        return replication(index)

    monkeypatch.setattr(plans, "replicate", counted)
    return made


def simulated(root: Path, of: list[Plan], number: int, parts: int, key: str = WHOLE) -> Path:
    """The folder of one part, made on a machine that has nothing else."""
    cache = Cache(root / f"machine {number} of {parts}" / ".cache")
    entries = simulate_share(of, (number, parts), cache, Here(), silent)
    return write_shard(root / "results", "demo", key, (number, parts), entries, cache, None)


def every_part(root: Path, of: list[Plan], parts: int, key: str = WHOLE) -> list[Path]:
    return [simulated(root, of, number, parts, key) for number in range(1, parts + 1)]


# --- whose part is what


@given(st.lists(st.integers(1, 9), min_size=1, max_size=6), st.integers(1, 40))
def test_parts_hold_everything_once_and_are_alike_in_size(counts: list[int], parts: int) -> None:
    everyone = [plan(number, count) for number, count in enumerate(counts)]
    shares = [
        [(one.key, index) for one, indices in share(everyone, (number, parts)) for index in indices]
        for number in range(1, parts + 1)
    ]
    whole = [(one.key, index) for one in everyone for index in range(one.scenario.run.most_replications)]
    assert sorted(itertools.chain(*shares)) == sorted(whole)
    sizes = [len(entries) for entries in shares]
    assert max(sizes) - min(sizes) <= 1
    assert shares == [
        whole[number::parts] for number in range(parts)
    ]  # in the order of all: so any machine agrees


def test_one_scenario_at_two_points_is_in_one_part_only() -> None:
    everyone = [plan(1, 3), plan(2, 3), plan(1, 5)]
    shares = [share(everyone, (number, 2)) for number in (1, 2)]
    entries = [(one.key[-1], index) for wanted in shares for one, indices in wanted for index in indices]
    assert sorted(entries) == [("1", index) for index in range(5)] + [("2", index) for index in range(3)]


# --- made and joined


@pytest.mark.parametrize("parts", [1, 2, 3, 20])
def test_parts_joined_are_the_whole(tmp_path: Path, calls: list[tuple[str, int]], parts: int) -> None:
    everyone = [plan(1, 5), plan(2, 3), plan(1, 6)]
    gather(everyone, Cache(tmp_path / "whole"), Here())
    assert len(calls) == 9
    folders = every_part(tmp_path, everyone, parts)
    assert len(calls) == 18
    merged = Cache(tmp_path / "merged")
    add_shards(folders[::-1], WHOLE, everyone, merged)
    assert contents(merged.root) == contents(tmp_path / "whole")
    assert len(gather(everyone, merged, Here())) == 3
    assert len(calls) == 18


def test_a_part_is_a_finished_folder_that_says_whose_it_is(
    tmp_path: Path, calls: list[tuple[str, int]]
) -> None:
    folder = simulated(tmp_path, [plan()], 2, 3)
    assert folder.parent == tmp_path / "results" / "demo-shards"
    assert list(contents(folder)) == [PACK]
    manifest = read_run(folder).manifest
    assert {"kind": "shard", "of": WHOLE, "part": 2, "parts": 3}.items() <= manifest.items()
    assert [one.index for one in read_run(folder).replications()] == [1, 4]
    assert [contents(folder) for folder in every_part(tmp_path, [plan()], 3)][1] == contents(folder)


def test_parts_of_plans_that_go_on_until_precise_are_whole_plans(
    tmp_path: Path, calls: list[tuple[str, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    enough = {f"plan {number}": 2 + number for number in range(4)}
    monkeypatch.setattr(
        plans,
        "shortfalls",
        lambda scenario, found: () if len(found) >= enough[scenario.name] else ("short",),
    )
    everyone = [plan(number, rule(2, 9)) for number in range(4)]
    folders = every_part(tmp_path, everyone, 2)
    assert [sum(1 for _ in read_run(folder).replications()) for folder in folders] == [2 + 4, 3 + 5]
    merged = Cache(tmp_path / "merged")
    add_shards(folders, WHOLE, everyone, merged)
    calls.clear()
    assert [one.count for one in gather(everyone, merged, Here())] == [2, 3, 4, 5]
    assert calls == []


def test_a_single_run_until_precise_is_not_divided(tmp_path: Path, calls: list[tuple[str, int]]) -> None:
    with pytest.raises(
        InputError, match=r"--shard: error: run\.replications: .* cannot be divided; give a number"
    ):
        simulated(tmp_path, [plan(1, rule(2, 9))], 1, 2)
    assert calls == []


def test_what_was_damaged_is_made_again_before_it_is_handed_on(
    tmp_path: Path, calls: list[tuple[str, int]]
) -> None:
    cache = Cache(tmp_path / ".cache")
    for index in range(7):
        cache.put(plan().key, index, encode(replication(index)))
    next(cache.root.rglob("000002.rep")).write_bytes(b"")
    entries = simulate_share([plan()], (1, 2), cache, Here(), silent)
    assert calls == [("plan 0", 2)]
    write_shard(tmp_path, "demo", WHOLE, (1, 2), entries, cache, tmp_path / "part")
    assert [one.index for one in read_run(tmp_path / "part").replications()] == [0, 2, 4, 6]


def test_ctrl_c_leaves_no_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(*_: object) -> Replication:
        raise KeyboardInterrupt

    monkeypatch.setattr(plans, "replicate", stopped)
    with pytest.raises(Interrupted, match=r"0 of 4 replications are kept in .*; give the same command"):
        simulated(tmp_path, [plan()], 1, 2)
    assert not (tmp_path / "results").exists()


# --- what is no part


@pytest.fixture
def parts(tmp_path: Path, calls: list[tuple[str, int]]) -> list[Path]:
    return every_part(tmp_path, [plan()], 3)


def faults(folders: list[Path], cache: Cache, key: str = WHOLE) -> list[str]:
    """Why these cannot be joined; and nothing was."""
    with pytest.raises(InputError) as caught:
        add_shards(folders, key, [plan()], cache)
    assert not cache.root.exists()
    return [str(fault) for fault in caught.value.faults]


@pytest.fixture
def merged(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "merged")


def test_a_part_given_twice_counts_once(parts: list[Path], merged: Cache) -> None:
    add_shards([parts[1], *parts, parts[0]], WHOLE, [plan()], merged)
    assert merged.missing(plan().key, range(7)) == []


def test_parts_that_lack_are_named(parts: list[Path], merged: Cache, tmp_path: Path) -> None:
    missing = "error: part {} of {} is missing; simulate it with --shard {}/{}"
    assert faults(parts[:2], merged) == [missing.format("3", 3, 3, 3)]
    assert faults([parts[1], parts[1]], merged) == [missing.format("1, 3", 3, 1, 3)]
    (only,) = faults([simulated(tmp_path, [plan()], 1, 30)], merged)
    assert only == missing.format(", ".join(map(str, range(2, 22))) + " …", 30, 2, 30)


def test_parts_of_two_divisions_do_not_go_together(parts: list[Path], merged: Cache, tmp_path: Path) -> None:
    said = ["error: parts of 2 and of 3 do not go together; give all parts of one division"]
    assert faults([*parts, *every_part(tmp_path, [plan()], 2)], merged) == said


def test_every_folder_that_is_no_part_of_it_is_named(
    parts: list[Path], merged: Cache, tmp_path: Path
) -> None:
    with open_run(tmp_path, "demo", WHOLE, about={"kind": "run"}) as run:
        whole_run = run.finish()
    with open_run(tmp_path, "demo", WHOLE, about={"kind": "shard"}) as run:
        unfinished = run.folder
    other = simulated(tmp_path, [plan(1)], 1, 3, key="0f" * 32)
    folders = [other, parts[0], whole_run, unfinished, tmp_path / "nowhere"]
    foreign = "not a part of this: made of another scenario, with other options or by another version; give the file"
    said = faults(folders, merged)
    assert [line.partition(": error: ")[0] for line in said] == [
        str(folders[place]) for place in (0, 2, 3, 4)
    ]
    assert [foreign in line for line in said] == [True, True, False, False]
    assert "the run is unfinished" in said[2]
    assert "not a results folder" in said[3]
    assert len(faults(parts, merged, key="0f" * 32)) == 3


def test_what_a_part_holds_of_something_else_is_left_there(parts: list[Path], merged: Cache) -> None:
    add_shards(parts, WHOLE, [plan(1)], merged)
    assert not merged.root.exists()


@pytest.mark.parametrize("damage", ["cut", "gone", "changed"])
def test_a_damaged_part_is_refused(parts: list[Path], merged: Cache, damage: str) -> None:
    packed = parts[1] / PACK
    whole = packed.read_bytes()
    if damage == "gone":
        packed.unlink()
    else:
        at = 120
        packed.write_bytes(whole[:-40] if damage == "cut" else whole[:at] + b"x" + whole[at + 1 :])
    with pytest.raises(
        InputError, match=rf"{PACK} is (damaged|missing).*; give the command that wrote this folder"
    ):
        add_shards(parts, WHOLE, [plan()], merged)


def test_a_part_without_all_its_entries_costs_only_their_time(
    parts: list[Path], merged: Cache, calls: list[tuple[str, int]]
) -> None:
    """As it may be where another program made the part, and knows nothing of hashes."""
    (parts[1] / PACK).write_bytes((parts[0] / PACK).read_bytes())
    manifest = json.loads((parts[1] / "manifest.json").read_bytes())
    del manifest["files"]
    (parts[1] / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    add_shards(parts, WHOLE, [plan()], merged)
    calls.clear()
    gather([plan()], merged, Here())
    assert calls == [("plan 0", 1), ("plan 0", 4)]
