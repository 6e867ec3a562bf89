"""`iopsim cache`, and what the cache is for: no command simulates what another has finished."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from iopsim.experiment.keys import program_version
from tests.cli.sessions import MINIMAL, files, kept_in, only_folder, setting

if TYPE_CHECKING:
    from tests.cli.conftest import Iopsim

WINDOW = setting(weeks=6, warm_up_weeks=4, run_out_weeks=2)
ONE = ("--workers", "1", "--no-figures")
STALE = "1-0123456789ab"


def run(iopsim: Iopsim, replications: int, *more: object) -> list[str]:
    """What a run tells of its progress."""
    answer = iopsim("run", MINIMAL, *WINDOW, *ONE, "--replications", replications, *more)
    assert answer.code == 0
    return [line for line in answer.err.splitlines() if " replications" in line]


@pytest.fixture
def filled(iopsim: Iopsim, tmp_path: Path) -> Path:
    """A folder with three replications of this version and one of another."""
    run(iopsim, 3)
    stale = tmp_path / "results/.cache" / STALE / "ab" / ("ab" * 32)
    stale.mkdir(parents=True)
    (stale / "000000.rep").write_bytes(bytes(2_000_000))
    return tmp_path


def test_more_replications_add_those_that_lack_and_fewer_none(iopsim: Iopsim, tmp_path: Path) -> None:
    assert run(iopsim, 3)[0] == "minimal: 0 of 3 replications, 0 s"
    assert run(iopsim, 5)[0] == "minimal: 3 of 5 replications, 0 s"
    assert run(iopsim, 4) == ["minimal: 4 of 4 replications, 0 s"]
    assert len(list((tmp_path / "results" / "minimal").iterdir())) == 3
    assert len(kept_in(tmp_path)) == 5


def test_other_targets_and_names_find_what_is_there(iopsim: Iopsim) -> None:
    run(iopsim, 3)
    Path("mine.yaml").write_text(
        f"extends: {MINIMAL}\nname: mine\ndescription: As it is.\n", encoding="utf-8"
    )
    answer = iopsim("run", "mine.yaml", *WINDOW, *ONE, "--replications", 3)
    assert answer.err == "mine: 3 of 3 replications, 0 s\n"
    target = "targets=[{metric: iop.census.mean, at_most: 9}]"
    assert run(iopsim, 3, "--set", target) == ["minimal: 3 of 3 replications, 0 s"]
    assert run(iopsim, 3, "--seed", 2)[0] == "minimal: 0 of 3 replications, 0 s"


def test_run_and_compare_share_replications(iopsim: Iopsim) -> None:
    run(iopsim, 4)
    Path("more.yaml").write_text(f"extends: {MINIMAL}\nlevels: {{iop: {{places: 16}}}}\n", encoding="utf-8")
    compared = iopsim("compare", MINIMAL, "more.yaml", *WINDOW, *ONE, "--replications", 4)
    assert compared.code == 0
    assert " 4 of 8 replications, 0 s" in compared.err
    answer = iopsim("run", "more.yaml", *WINDOW, *ONE, "--replications", 4)
    assert "more: 4 of 4 replications, 0 s" in answer.err


def test_a_damaged_entry_is_made_again_and_no_byte_differs(iopsim: Iopsim, tmp_path: Path) -> None:
    run(iopsim, 3, "--out", "before")
    whole = {path: path.read_bytes() for path in kept_in(tmp_path)}
    first, second, third = whole
    first.write_bytes(b"")
    second.write_bytes(whole[third])
    third.unlink()
    run(iopsim, 3, "--out", "after")
    assert files(tmp_path / "after") == files(tmp_path / "before")
    assert {path: path.read_bytes() for path in kept_in(tmp_path)} == whole


@pytest.mark.parametrize("how", ["option", "environment"])
def test_the_cache_may_be_anywhere(
    iopsim: Iopsim, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    option = ("--cache", "shared/kept") if how == "option" else ()
    if how == "environment":
        monkeypatch.setenv("IOPSIM_CACHE", "shared/kept")
    run(iopsim, 3, *option)
    assert len(list((tmp_path / "shared" / "kept").rglob("*.rep"))) == 3
    assert kept_in(tmp_path) == []
    assert iopsim("cache", "info", *option).out.startswith("shared/kept: 3 replications of 1 scenario, ")
    assert iopsim("cache", "clear", *option).out.startswith("shared/kept: removed 3 replications")


def test_info_says_how_many_and_whose(iopsim: Iopsim, filled: Path) -> None:
    code, out, err = iopsim("cache", "info")
    assert (code, err) == (0, "")
    whole, *versions = out.splitlines()
    assert whole == "results/.cache: 4 replications of 2 scenarios, 2.0 MB"
    assert sorted(versions) == sorted(
        [
            f"  {program_version()} (this version): 3 replications of 1 scenario, 0.0 MB",
            f"  {STALE} (another version, not used): 1 replication of 1 scenario, 2.0 MB",
        ]
    )
    said = json.loads(iopsim("cache", "info", "--json").out)
    assert said["folder"] == "results/.cache"
    assert said["program_version"] == program_version()
    by_version = {one["program_version"]: one for one in said["versions"]}
    assert by_version[STALE] == {
        "program_version": STALE,
        "scenarios": 1,
        "replications": 1,
        "bytes": 2_000_000,
    }
    assert by_version[program_version()]["bytes"] == sum(
        path.stat().st_size for path in kept_in(filled) if STALE not in path.parts
    )


def test_clearing_costs_only_time(iopsim: Iopsim, filled: Path) -> None:
    finished = files(only_folder(filled / "results"))
    told = iopsim("cache", "clear", "--stale")
    assert told == (0, "results/.cache: removed 1 replication of 1 scenario, 2.0 MB\n", "")
    assert len(kept_in(filled)) == 3
    told = iopsim("cache", "clear")
    assert told == (0, "results/.cache: removed 3 replications of 1 scenario, 0.0 MB\n", "")
    assert iopsim("cache", "clear").out == "results/.cache: removed nothing\n"
    assert iopsim("cache", "info").out == "results/.cache: nothing\n"
    assert kept_in(filled) == []
    assert files(only_folder(filled / "results")) == finished
    assert run(iopsim, 3, "--out", "again")[0] == "minimal: 0 of 3 replications, 0 s"
    assert files(filled / "again") == finished


def test_clearing_a_folder_that_is_no_cache_removes_nothing(iopsim: Iopsim, tmp_path: Path) -> None:
    (tmp_path / "home" / "letters").mkdir(parents=True)
    (tmp_path / "home" / "letters" / "one.txt").write_text("years of work", encoding="utf-8")
    assert iopsim("cache", "clear", "--cache", "home").out == "home: removed nothing\n"
    assert (tmp_path / "home" / "letters" / "one.txt").exists()


def test_where_there_is_no_cache_there_is_nothing(iopsim: Iopsim, tmp_path: Path) -> None:
    assert iopsim("cache", "info").out == "results/.cache: nothing\n"
    assert json.loads(iopsim("cache", "info", "--json").out)["versions"] == []
    assert iopsim("cache", "clear").out == "results/.cache: removed nothing\n"
    assert list(tmp_path.iterdir()) == []
