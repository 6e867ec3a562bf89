"""However replications came to be, the tables made of them are the same bytes."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.cli.sessions import MINIMAL, answer_of, files, kept_in, only_folder, spawn, spawned, until_kept

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cli.conftest import Iopsim
    from tests.cli.sessions import Answer

posix = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
PLAN = f"""\
extends: {MINIMAL}
name: plan
run: {{weeks: 8, warm_up_weeks: 6, run_out_weeks: 4, replications: 24}}
calendar: {{closed: []}}
targets: [{{metric: iop.census.mean, at_most: 14}}, {{metric: iop.utilization.mean, at_least: 0.5}}]
"""
STUDY = """\
base: plan.yaml
replications: 6
parameters:
  levels.iop.places: [10, 12]
  sources.community.per_week: [1.5, 2]
include:
  - {levels.iop.places: 12, sources.community.per_week: 2.5}
"""
UNTIL = "run.replications={min: 4, max: 40, batch: 3, precision: 0.07}"
WHATS = {
    "run": ("run", "plan.yaml"),
    "run until precise": ("run", "plan.yaml", "--set", UNTIL),
    "sweep": ("sweep", "study.yaml"),
    "sweep until precise": ("sweep", "until.yaml", "--set", UNTIL),
}
QUIETLY = ("--no-figures", "--quiet")


def laid_out(folder: Path) -> Path:
    """A new folder with the scenario and the sweeps, as on another machine."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "plan.yaml").write_text(PLAN, encoding="utf-8")
    (folder / "study.yaml").write_text(STUDY, encoding="utf-8")
    (folder / "until.yaml").write_text(STUDY.replace("replications: 6\n", ""), encoding="utf-8")
    return folder


def only(*whats: str) -> pytest.MarkDecorator:
    """Of all that can be asked for, as others would only take longer."""
    return pytest.mark.parametrize("what", whats, indirect=True)


@pytest.fixture(scope="module", params=WHATS)
def what(request: pytest.FixtureRequest) -> tuple[str, ...]:
    return WHATS[request.param]


@pytest.fixture(scope="module")
def alone(what: tuple[str, ...], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which one process did it all, from beginning to end."""
    folder = laid_out(tmp_path_factory.mktemp("alone"))
    assert spawned(*what, *QUIETLY, "--workers", "1", folder=folder).code == 0
    return folder


@pytest.fixture
def on(iopsim: Iopsim, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Answer]:
    """Call iopsim on a machine, by its name: a folder that has nothing of the others."""

    def call(machine: str, *words: object) -> Answer:
        monkeypatch.chdir(laid_out(tmp_path / machine))
        answer = iopsim(*words, *([] if words[0] == "cache" else QUIETLY))
        assert answer.code == 0, answer
        return answer

    return call


def test_what_is_compared_takes_different_numbers_of_replications(what: tuple[str, ...], alone: Path) -> None:
    manifest = json.loads((only_folder(alone / "results") / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["replications"] == len(kept_in(alone))
    if what == WHATS["run until precise"]:
        assert 4 < manifest["replications"] < 40
    elif what == WHATS["sweep until precise"]:
        counts = Counter(path.parent for path in kept_in(alone))
        assert len(set(counts.values())) > 1
        assert len(counts) == 5
    else:
        assert manifest["replications"] in (24, 5 * 6)


def assert_same(results: Path, alone: Path) -> None:
    """Every file is there and none besides, but for the manifest byte for byte."""
    found, expected = files(only_folder(results)), files(only_folder(alone / "results"))
    assert list(found) == list(expected)
    assert [name for name in found if found[name] != expected[name]] == []
    assert any(name.endswith(".csv") for name in found)


@only("run", "sweep until precise")
def test_on_two_workers(
    on: Callable[..., Answer], what: tuple[str, ...], alone: Path, tmp_path: Path
) -> None:
    on("here", *what, "--workers", "2")
    assert_same(tmp_path / "here" / "results", alone)
    assert {path.name: path.read_bytes() for path in kept_in(tmp_path / "here")} == {
        path.name: path.read_bytes() for path in kept_in(alone)
    }


def test_from_the_cache(
    on: Callable[..., Answer], what: tuple[str, ...], alone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object) -> None:
        raise AssertionError("simulated again")

    monkeypatch.setattr("iopsim.experiment.plans.replicate", never)
    cache = alone / "results" / ".cache"
    (first,) = (path for path in alone.glob("results/*/*") if ".cache" not in path.parts)
    folder = Path(on("elsewhere", *what, "--cache", cache, "--workers", "1").out.strip())
    assert files(folder) == files(first)


def test_from_a_cache_that_has_less_and_one_that_has_more(
    on: Callable[..., Answer], what: tuple[str, ...], alone: Path, tmp_path: Path
) -> None:
    """First a few replications are asked for, then all, then many more, and then all again."""
    command, file, *_ = what
    for few in ("3", "50"):
        on("here", command, file, "--replications", few, "--workers", "1", "--out", few)
        on("here", *what, "--workers", "1")
        assert_same(tmp_path / "here" / "results", alone)
        shutil.rmtree(only_folder(tmp_path / "here" / "results"))


@only("run", "sweep", "sweep until precise")  # a run until precise cannot be divided
def test_in_parts_on_three_machines(
    on: Callable[..., Answer], what: tuple[str, ...], alone: Path, tmp_path: Path
) -> None:
    parts = []
    for number in (3, 1, 2):
        machine = f"machine {number}"
        folder = on(machine, *what, "--shard", f"{number}/3", "--workers", "1").out.strip()
        parts.append(tmp_path / machine / folder)
    command, *rest = what
    assert command in ("run", "sweep")
    on("head", "merge", *rest[:1], *parts, *rest[1:])
    assert_same(tmp_path / "head" / "results", alone)
    numbers = [
        len(kept_in(tmp_path / machine)) for machine in ("machine 1", "machine 2", "machine 3", "head")
    ]
    assert sum(numbers[:3]) == numbers[3]  # no replication was made on two machines, or again at the end


@posix
@only("run until precise", "sweep")
def test_after_kill_9(what: tuple[str, ...], alone: Path, tmp_path: Path) -> None:
    command = (*what, *QUIETLY, "--workers", "1")
    process = spawn(*command, folder=laid_out(tmp_path))
    until_kept(tmp_path, 2)
    os.killpg(process.pid, signal.SIGKILL)
    answer_of(process)
    assert len(kept_in(tmp_path)) < len(kept_in(alone))
    assert spawned(*command, folder=tmp_path).code == 0
    assert_same(tmp_path / "results", alone)


@pytest.mark.slow
@only("run", "sweep until precise")
def test_on_dask(on: Callable[..., Answer], what: tuple[str, ...], alone: Path, tmp_path: Path) -> None:
    pytest.importorskip("distributed")
    answer = spawned(*what, *QUIETLY, "--dask", "local", "--workers", "2", folder=laid_out(tmp_path))
    assert answer.code == 0, answer.err
    assert_same(tmp_path / "results", alone)
