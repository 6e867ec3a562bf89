"""Results folders: the same bytes every time, and whole after a full disk, a kill, or two runs at once."""

from __future__ import annotations

import csv
import datetime as dt
import errno
import gzip
import io
import math
import os
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from iopsim.errors import InputError, MachineError
from iopsim.experiment.cache import PACK, Cache
from iopsim.experiment.encoding import encode
from iopsim.experiment.keys import program_version
from iopsim.experiment.store import Run, open_run, read_resolved, read_run
from tests.unit.kept import brief, contents, plain, python, replication, said_by

NOON = dt.datetime(2026, 3, 1, 12, 0, 0, tzinfo=dt.UTC)
KEY = "1a2b3c4d" + "0" * 56
NAME = "20260301T120000Z-1a2b3c4d"


def opened(root: Path, key: str = KEY, **options: Any) -> Run:
    return open_run(root, "demo", key, **{"now": NOON, **options})


def finished(root: Path, **options: Any) -> Path:
    with opened(root, **options) as run:
        return run.finish()


# --- tables


def test_a_table_is_the_same_bytes_in_plain_and_gzipped_at_any_time(tmp_path: Path) -> None:
    rows = [["a, b", 1.5, None], ['say "hi"\r\nthere', math.nan, 3]]
    expected = b'name,x,n\n"a, b",1.5,\n"say ""hi""\r\nthere",,3\n'
    for place, now in [("one", NOON), ("two", NOON + dt.timedelta(days=400))]:
        with opened(tmp_path / place, now=now) as run:
            run.write_csv("table.csv", ["name", "x", "n"], rows)
            run.write_csv("deep/table.csv.gz", ["name", "x", "n"], iter(rows))
            run.finish()
    first, second = (next((tmp_path / place / "demo").iterdir()) for place in ("one", "two"))
    assert (first / "table.csv").read_bytes() == expected
    assert gzip.decompress((first / "deep/table.csv.gz").read_bytes()) == expected
    assert contents(first) == contents(second)
    assert (first / "deep/table.csv.gz").read_bytes()[3:8] == bytes(5)  # neither name nor time
    assert list(csv.reader(io.StringIO(expected.decode(), newline="")))[2] == ['say "hi"\r\nthere', "", "3"]


def test_an_analyst_reads_a_table_of_a_finished_run(tmp_path: Path) -> None:
    with opened(tmp_path) as run:
        run.write_csv("summary.csv", ["metric", "estimate"], [["a", 1.5], ["b", math.nan]])
        results = read_run(run.finish())
    table = results.table("summary.csv")
    assert table["metric"].tolist() == ["a", "b"]
    assert table["estimate"].tolist()[0] == 1.5 and math.isnan(table["estimate"].tolist()[1])
    with pytest.raises(InputError, match=r'no table "weekly\.csv\.gz"; there are summary\.csv'):
        results.table("weekly.csv.gz")


def test_the_replications_of_a_run_are_beside_its_tables(tmp_path: Path) -> None:
    cache = Cache(tmp_path / ".cache")
    for index in range(4):
        cache.put("a" * 64, index, encode(replication(index)))
    with opened(tmp_path) as run:
        run.write_replications(cache, [("a" * 64, index) for index in (2, 0, 1)])
        results = read_run(run.finish())
    cache.clear()
    assert [plain(found) for found in results.replications()] == [plain(replication(n)) for n in range(3)]
    (results.path / PACK).write_bytes((results.path / PACK).read_bytes()[:-30])
    with pytest.raises(InputError, match=rf"{PACK} is damaged .* give the command that wrote this folder"):
        results.replications()
    (results.path / PACK).unlink()
    with pytest.raises(InputError, match=f"{PACK} is missing; give the command that wrote this folder"):
        results.replications()


def test_the_scenario_of_a_run_can_be_read_again(tmp_path: Path) -> None:
    from iopsim.scenario import resolved_text

    scenario = brief("run.replications={max: 30}")
    with opened(tmp_path) as run:
        run.write("scenario.resolved.yaml", resolved_text(scenario))
        results = read_run(run.finish())
    assert results.scenario() == scenario
    path = results.path / "scenario.resolved.yaml"
    path.write_text("name: x\nlevels: {iop: {beds: 3}}\n")
    with pytest.raises(InputError, match=r"scenario\.resolved\.yaml is damaged \(not what the run wrote\)"):
        results.scenario()
    with pytest.raises(InputError, match="another version of the scenario language; run the scenario again"):
        read_resolved(path)
    with pytest.raises(InputError, match="there is no file"):
        read_resolved(results.path / "nothing.yaml")


def test_a_scenario_with_a_data_file_is_read_without_its_patients(tmp_path: Path) -> None:
    from iopsim.scenario import load, resolved_text

    (tmp_path / "stays.csv").write_text("days\n10\n20.5\n", encoding="utf-8")
    stays = "levels.iop.stay_days={empirical: {csv: stays.csv, column: days}}"
    (tmp_path / "mine.yaml").write_text(resolved_text(brief("targets=[]")), encoding="utf-8")
    with opened(tmp_path / "results") as run:
        run.write("scenario.resolved.yaml", resolved_text(load(tmp_path / "mine.yaml", [stays])))
        results = read_run(run.finish())
    assert b"20.5" not in b"".join(contents(results.path).values())
    (tmp_path / "stays.csv").unlink()
    assert results.scenario().levels["iop"].places == 12


# --- the life of a folder


def test_a_run_from_start_to_end(tmp_path: Path) -> None:
    with opened(tmp_path / "results", about={"kind": "run", "seed": 7}) as run:
        assert run.folder == tmp_path / "results/demo" / f"{NAME}.partial"
        run.write("figures/census.svg", "<svg/>\n")
        run.write("figures/census.png", b"\x89PNG")
        for path in (run.folder, run.path):
            with pytest.raises(InputError, match="the run is unfinished; give its command again"):
                read_run(path)
        assert run.finish(replications=3) == run.path
    assert not run.folder.exists()
    assert contents(run.path) == {"figures/census.png": b"\x89PNG", "figures/census.svg": b"<svg/>\n"}
    manifest = read_run(run.path).manifest
    assert manifest["key"] == KEY
    assert manifest["started"] == ["2026-03-01T12:00:00+00:00"]
    assert manifest["model_version"] == program_version()
    assert {"kind": "run", "seed": 7, "name": "demo", "replications": 3}.items() <= manifest.items()
    assert {"results_schema", "finished", "host", "platform", "python"} <= set(manifest)
    assert manifest["packages"]["numpy"] == np.__version__
    assert not {"pytest", "distributed"} & set(manifest["packages"])


def test_runs_of_one_second_get_names_of_their_own(tmp_path: Path) -> None:
    for _ in range(3):
        finished(tmp_path)
    assert [path.name for path in sorted((tmp_path / "demo").iterdir())] == [
        NAME,
        NAME.replace("120000", "120001"),
        NAME.replace("120000", "120002"),
    ]


def test_the_same_command_goes_on_where_the_last_one_stopped(tmp_path: Path) -> None:
    with opened(tmp_path) as first:
        first.write("figures/left_over.svg", "of other options")
        (first.folder / ".summary.csv.0a1b.tmp").write_text("killed while writing")
    with opened(tmp_path, now=NOON + dt.timedelta(hours=1)) as second:
        assert second.folder == first.folder
        assert list(contents(second.folder)) == ["lock"]
        path = second.finish()
    assert contents(path) == {}
    assert read_run(path).manifest["started"] == ["2026-03-01T12:00:00+00:00", "2026-03-01T13:00:00+00:00"]


def test_a_run_that_was_killed_before_it_got_its_name_is_unfinished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with opened(tmp_path) as run, monkeypatch.context() as patch:
        patch.setattr(Path, "rename", killed)
        with pytest.raises(KeyboardInterrupt):
            run.finish()
    for path in (run.folder, run.path):
        with pytest.raises(InputError, match="the run is unfinished"):
            read_run(path)
    assert finished(tmp_path) == run.path


def test_only_the_whole_key_lets_a_run_go_on(tmp_path: Path) -> None:
    with opened(tmp_path) as first, opened(tmp_path, key=KEY[:8] + "f" * 56) as second:
        assert second.folder != first.folder


@pytest.mark.parametrize("left", [(), ("lock",), ("lock", ".manifest.json.0a1b.tmp")], ids=len)
def test_a_folder_in_which_nothing_has_begun_is_used(tmp_path: Path, left: tuple[str, ...]) -> None:
    folder = tmp_path / f"demo/{NAME}.partial"
    folder.mkdir(parents=True)
    for name in left:
        (folder / name).touch()
    with opened(tmp_path, now=NOON + dt.timedelta(days=1)) as run:
        assert run.path.name == NAME
        assert list(contents(folder)) == ["lock"]


# --- two at once


def test_two_runs_never_share_a_folder(tmp_path: Path) -> None:
    with opened(tmp_path) as run:
        run.write("summary.csv", "mine")
        with pytest.raises(MachineError, match="another run is using") as caught:
            opened(tmp_path)
        assert contents(run.folder) == {"lock": b"", "summary.csv": b"mine"}
    assert caught.value.exit_code == 5
    assert finished(tmp_path) == run.path


def test_a_killed_run_holds_no_folder(tmp_path: Path) -> None:
    script = f"""
        import pathlib, time
        from iopsim.experiment.store import open_run
        run = open_run(pathlib.Path({str(tmp_path)!r}), "demo", {KEY!r})
        print("open", flush=True)
        time.sleep(60)
    """
    with python(script) as process:
        assert process.stdout
        assert process.stdout.readline() == "open\n"
        with pytest.raises(MachineError, match="another run is using"):
            opened(tmp_path)
        process.kill()
    finished(tmp_path)
    assert len(list((tmp_path / "demo").iterdir())) == 1


@pytest.mark.parametrize("step", ["rename", "unlink"])
def test_who_comes_while_a_run_is_named_takes_nothing_from_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """Whatever instant of `finish` another run meets: it is refused or gets a folder of its own."""
    found: list[Path | str] = []

    def meanwhile() -> None:
        try:
            found.append(finished(tmp_path))
        except MachineError as error:
            found.append(str(error))

    def met(self: Path, *arguments: Any, **options: Any) -> Any:
        monkeypatch.undo()
        other = threading.Thread(target=meanwhile)
        other.start()
        other.join()
        return done(self, *arguments, **options)

    with opened(tmp_path) as run:
        run.write("summary.csv", "mine")
        done = getattr(Path, step)
        monkeypatch.setattr(Path, step, met)
        path = run.finish()
    assert contents(path) == {"summary.csv": b"mine"}
    assert len(found) == 1
    assert found[0] != path


@pytest.mark.parametrize("opens_first", [False, True])
def test_a_run_that_is_named_just_before_another_locks_it_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, opens_first: bool
) -> None:
    usual = Path.open

    def opens(self: Path, *arguments: Any, **options: Any) -> Any:
        if self.name == "lock":
            monkeypatch.undo()
            file = usual(self, *arguments, **options) if opens_first else None
            owner.finish()
            return file or usual(self, *arguments, **options)
        return usual(self, *arguments, **options)

    with opened(tmp_path) as owner:
        owner.write("summary.csv", "mine")
        monkeypatch.setattr(Path, "open", opens)
        with opened(tmp_path) as other:
            assert other.path != owner.path
    assert contents(owner.path) == {"summary.csv": b"mine"}


# --- --out


def test_out_names_the_folder_and_must_be_new(tmp_path: Path) -> None:
    out = tmp_path / "deep" / "v1.2"
    with opened(tmp_path, out=out) as run:
        assert run.folder == tmp_path / "deep" / "v1.2.partial"
    with pytest.raises(InputError, match="holds the unfinished run of something else") as caught:
        opened(tmp_path, key="f" * 64, out=out)
    assert caught.value.exit_code == 2
    assert finished(tmp_path, out=out) == out
    before = contents(out, but="")
    with pytest.raises(InputError, match=r"--out: error: .*v1\.2 exists already; give a folder"):
        opened(tmp_path, out=out)
    with pytest.raises(InputError, match=r"ends with \.partial"):
        opened(tmp_path, out=tmp_path / "x.partial")
    with pytest.raises(InputError, match=r"is for all results and .* such as .*results.answer"):
        opened(tmp_path / "results", out=tmp_path / "results")
    assert not (tmp_path / "results").exists()
    assert contents(out, but="") == before


def test_what_somebody_else_left_is_not_cleared_away(tmp_path: Path) -> None:
    (tmp_path / "x.partial").mkdir()
    (tmp_path / "x.partial" / "thesis.txt").write_text("years of work")
    with pytest.raises(InputError, match="something else"):
        opened(tmp_path, out=tmp_path / "x")
    assert (tmp_path / "x.partial" / "thesis.txt").exists()


# --- readers


def test_readers_refuse_what_is_no_finished_run_of_this_version(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"not a results folder: no manifest\.json in it; give a folder"):
        read_run(tmp_path / "nowhere")
    for manifest, said in [
        ("[1, 2", "manifest.json is damaged; give the command that wrote this folder again"),
        ("[1, 2]", "manifest.json is damaged"),
        (
            '{"results_schema": 1, "finished": "then"}',
            "schema 1, written by .* reads schema 3; run the scenario",
        ),
        (
            '{"results_schema": 99, "finished": "then"}',
            "schema 99, .* read them with a version as new, or run",
        ),
        ('{"results_schema": 3}', "unfinished"),
    ]:
        (tmp_path / "manifest.json").write_text(manifest)
        with pytest.raises(InputError, match=said):
            read_run(tmp_path)


# --- a machine that refuses


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_full_disk_is_one_sentence_and_keeps_what_was_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(number, os.strerror(number))

    with opened(tmp_path) as run:
        run.write("summary.csv", "old")
        before = contents(run.folder, but="")
        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", full)
            for attempt in (
                lambda: run.write("summary.csv", "new"),
                lambda: run.write_csv("weekly.csv.gz", ["week"], [[1]]),
                lambda: run.write_replications(Cache(tmp_path), []),
                run.finish,
            ):
                with pytest.raises(MachineError) as caught:
                    attempt()
                assert str(caught.value) == (
                    f"{run.folder} has no room left ({os.strerror(number)}); "
                    "free space and give the same command again"
                )
        assert contents(run.folder, but="") == before
    assert finished(tmp_path) == run.path


def test_a_folder_that_may_not_be_written_is_one_sentence(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o500)
    script = f"""
        import os, pathlib
        from iopsim.errors import MachineError
        from iopsim.experiment.store import open_run
        if os.getuid() == 0:
            os.setuid(65534)
        try:
            open_run(pathlib.Path({str(closed)!r}), "demo", {KEY!r})
        except MachineError as error:
            print(error)
    """
    (said,) = said_by(script)
    assert said.startswith(f"{closed} cannot be used (Permission denied); let it be written or choose")


def test_a_file_where_the_results_should_be_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "results").write_text("")
    with pytest.raises(MachineError, match=r"results cannot be used \((Not a directory|File exists)\)"):
        opened(tmp_path / "results")
