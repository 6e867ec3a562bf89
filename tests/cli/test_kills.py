"""kill -9 at random moments: what had finished is there and whole, and nothing half-made is taken for whole."""

from __future__ import annotations

import json
import os
import random
import re
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from iopsim.errors import InputError
from iopsim.experiment.cache import Cache
from iopsim.experiment.store import PARTIAL, read_run
from tests.cli.sessions import (
    MINIMAL,
    answer_of,
    files,
    kept_in,
    only_folder,
    setting,
    spawn,
    spawned,
    until_kept,
)

if TYPE_CHECKING:
    from tests.cli.sessions import Answer

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX"),
]
REPLICATIONS = 40
WINDOW = setting(weeks=26, warm_up_weeks=13, run_out_weeks=13)
COMMAND = ("run", MINIMAL, *WINDOW, "--no-figures", "--replications", str(REPLICATIONS))
TOLD = re.compile(r"^minimal: (\d+) of 40 replications", re.MULTILINE)


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("uninterrupted")
    assert spawned(*COMMAND, "--workers", "1", folder=folder).code == 0
    return folder


def kept(folder: Path) -> dict[str, bytes]:
    """Every finished replication, by its name in the cache."""
    cache = folder / "results" / ".cache"
    return {path.relative_to(cache).as_posix(): path.read_bytes() for path in kept_in(folder)}


def assert_nothing_lost_and_nothing_half(
    folder: Path, answer: Answer, seen: set[str], whole: dict[str, bytes], expected: dict[str, bytes]
) -> None:
    there = kept(folder)
    assert there.items() <= whole.items()
    assert seen <= set(there)
    assert max(map(int, TOLD.findall(answer.err)), default=0) <= len(there)
    assert sum(one.replications for one in Cache(folder / "results" / ".cache").contents()) == len(there)
    for run in folder.glob("results/[!.]*/*"):
        if run.suffix == PARTIAL:
            for path in (run, run.with_suffix("")):
                with pytest.raises(InputError, match=r"the run is unfinished|no readable manifest"):
                    read_run(path)
        else:
            assert files(run) == expected
            assert len(read_run(run).replications()) == REPLICATIONS


def test_killing_at_20_random_moments_loses_nothing(tmp_path: Path, uninterrupted: Path) -> None:
    whole, expected = kept(uninterrupted), files(only_folder(uninterrupted / "results"))
    assert len(whole) == REPLICATIONS
    chance, machine, counts = random.Random(20), 0, []
    for kill in range(20):
        folder = tmp_path / f"machine {machine}"
        folder.mkdir(exist_ok=True)
        before = len(kept(folder))
        process = spawn(*COMMAND, "--workers", "12"[kill % 2], folder=folder)
        if chance.random() < 0.8:
            until_kept(folder, chance.randint(min(before + 1, REPLICATIONS), REPLICATIONS))
        time.sleep(chance.choice([0.002, 0.02, 0.3]) * chance.random())
        seen = set(kept(folder))
        os.killpg(process.pid, signal.SIGKILL)
        assert_nothing_lost_and_nothing_half(folder, answer_of(process), seen, whole, expected)
        counts.append(len(kept(folder)))
        machine += counts[-1] == REPLICATIONS
    assert sum(0 < count < REPLICATIONS for count in counts) >= 5  # they did come half-way

    last = tmp_path / f"machine {machine}"
    for folder in (last, *(path for path in tmp_path.iterdir() if path != last)):
        folder.mkdir(exist_ok=True)
        if not [run for run in folder.glob("results/[!.]*/*") if run.suffix != PARTIAL]:
            done = spawned(*COMMAND, "--workers", "1", folder=folder)
            assert done.code == 0
            assert f"minimal: {counts[-1]} of 40 replications" in done.err or folder != last
        assert files(only_folder(folder / "results")) == expected
        assert kept(folder) == whole


def test_two_runs_of_one_scenario_at_once_share_what_they_finish(tmp_path: Path, uninterrupted: Path) -> None:
    """In one folder the second is refused; with a folder of its own it simulates nothing twice but by chance."""
    expected = files(only_folder(uninterrupted / "results"))
    first = spawn(*COMMAND, "--workers", "1", folder=tmp_path)
    until_kept(tmp_path, 1)
    os.killpg(first.pid, signal.SIGSTOP)  # for as long as the second takes to be refused
    refused = spawned(*COMMAND, "--workers", "1", folder=tmp_path)
    os.killpg(first.pid, signal.SIGCONT)
    beside = spawned(*COMMAND, "--workers", "1", "--out", "beside", folder=tmp_path)
    assert (refused.code, refused.out) == (5, "")
    assert "another run is using this folder; wait until it has finished" in refused.err
    assert (answer_of(first).code, beside.code) == (0, 0)
    assert files(only_folder(tmp_path / "results")) == files(tmp_path / "beside") == expected
    assert kept(tmp_path) == kept(uninterrupted)
    assert (
        len(json.loads((tmp_path / "beside" / "manifest.json").read_text(encoding="utf-8"))["started"]) == 1
    )
