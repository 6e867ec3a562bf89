"""Results folders: exact, the same bytes every time, and whole after a full disk, a kill or Ctrl-C."""

from __future__ import annotations

import csv
import datetime as dt
import errno
import gzip
import hashlib
import io
import json
import math
import os
import signal
import subprocess
import sys
import textwrap
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from iopsim.errors import InputError, MachineError
from iopsim.experiment.encoding import Replication, csv_cell, decode, encode
from iopsim.experiment.store import Run, open_run, read_run, run_key
from iopsim.measures.registry import Ratio, Sample, Value

if TYPE_CHECKING:
    from pathlib import Path

NOON = dt.datetime(2026, 3, 1, 12, 0, 0, tzinfo=dt.UTC)
KEY = "1a2b3c4d" + "0" * 56
NAME = "20260301T120000Z-1a2b3c4d"


def replication(index: int) -> Replication:
    return Replication(
        index=index,
        outcomes={
            "reneged": Ratio(float(index), 7.0),
            "census": Value(0.1 * index),
            "wait_days": Sample(np.arange(index) / 3),
        },
        weekly={"waitlist": [float(index), math.nan]},
        profiles={"waits": [1.0, 2.0]},
        kernel_events=1000 + index,
        seconds=1.5,
    )


def opened(root: Path, key: str = KEY, **options: Any) -> Run:
    return open_run(root, "demo", key, replications=3, **{"now": NOON, **options})


def contents(folder: Path, but: str = "manifest.json") -> dict[str, bytes]:
    files = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    return {name: files[name] for name in sorted(files) if name != but}


def plain(kept: Replication) -> tuple[Any, ...]:
    """A replication as something that can be compared: NaN equals NaN, and 0.0 differs from -0.0."""
    outcomes = [
        (name, type(outcome), repr(getattr(outcome, "values", outcome)))
        for name, outcome in kept.outcomes.items()
    ]
    return kept.index, outcomes, repr(kept.weekly), repr(kept.profiles), kept.kernel_events


# --- one replication as bytes

numbers = st.floats(allow_nan=True, allow_infinity=True)


@given(st.integers(0, 10**6), st.lists(numbers), numbers, numbers)
def test_what_is_decoded_is_what_was_encoded(index: int, values: list[float], x: float, y: float) -> None:
    given_in = Replication(
        index=index,
        outcomes={"z": Value(x), "a": Ratio(x, y), "m": Sample(np.array(values, dtype=float))},
        weekly={"w": values},
        profiles={"p": [y, x], "none": []},
        kernel_events=index,
    )
    data = encode(given_in)
    came_out = decode(data)
    assert plain(came_out) == plain(given_in)
    assert list(came_out.outcomes) == ["z", "a", "m"]
    assert encode(came_out) == data
    sample = came_out.outcomes["m"]
    assert isinstance(sample, Sample)
    assert sample.values.dtype == np.float64
    json.loads(gzip.decompress(data), parse_constant=pytest.fail)  # NaN and Infinity are no JSON


def test_a_replication_says_nothing_of_the_clock() -> None:
    data = encode(replication(1))
    assert data[:4] == b"\x1f\x8b\x08\x00"  # no name in the header
    assert data[4:8] == bytes(4)  # no time in the header
    assert b"second" not in gzip.decompress(data)
    assert decode(data).seconds == 0.0


def test_every_cut_and_every_changed_body_is_noticed() -> None:
    data = encode(replication(2))
    for length in range(len(data)):
        with pytest.raises(ValueError, match=r"replication|Expecting"):
            decode(data[:length])
    for place in range(10, len(data)):
        with pytest.raises(ValueError, match=r".+"):
            decode(data[:place] + bytes([data[place] ^ 0x55]) + data[place + 1 :])


@pytest.mark.parametrize(
    "change",
    [
        {"format": 2},
        {"outcomes": {"a": ["v", 1, 2]}},
        {"outcomes": {"a": ["x", 1]}},
        {"outcomes": {"a": []}},
        {"outcomes": {"a": ["v", None]}},
        {"weekly": None},
    ],
)
def test_another_format_is_not_guessed_at(change: dict[str, Any]) -> None:
    content = json.loads(gzip.decompress(encode(replication(1)))) | change
    with pytest.raises(ValueError, match=r"format 2|no outcome|not a whole"):
        decode(gzip.compress(json.dumps(content).encode()))


# --- tables


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.1 + 0.2, "0.3"),
        (1 / 3, "0.333333333333"),
        (5.0, "5"),
        (-0.0, "0"),
        (-2.5, "-2.5"),
        (1e-7, "1e-07"),
        (np.float64(0.25), "0.25"),
        (np.int64(-3), "-3"),
        (7, "7"),
        (10**15 + 1, "1000000000000001"),
        (math.nan, ""),
        (None, ""),
        (math.inf, "inf"),
        ("mood", "mood"),
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-cmd", "'-cmd"),
        ("@sum", "'@sum"),
        ("a=b", "a=b"),
    ],
)
def test_cells(value: object, text: str) -> None:
    assert csv_cell(value) == text


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


# --- keys


def test_the_key_is_the_hash_of_canonical_json() -> None:
    canonical = (
        '{"identity":{"a":0.1,"b":[1,"\\u00e9"]},"model_version":"3","replications":40,'
        '"results_schema":1,"seed":7}'
    )
    key = run_key({"b": [1, "é"], "a": 0.1}, seed=7, replications=40, model_version="3")
    assert key == hashlib.sha256(canonical.encode()).hexdigest()


@pytest.mark.parametrize("change", [{"seed": 8}, {"replications": 41}, {"model_version": "4"}])
def test_whatever_changes_results_changes_the_key(change: dict[str, Any]) -> None:
    usual: dict[str, Any] = {"seed": 7, "replications": 40, "model_version": "3"}
    assert run_key({"a": 1.0}, **usual) != run_key({"a": 1.0}, **(usual | change))
    assert run_key({"a": 1.0}, **usual) != run_key({"a": math.nextafter(1, 2)}, **usual)


# --- the life of a folder


def test_a_run_from_start_to_end(tmp_path: Path) -> None:
    with opened(tmp_path / "results", about={"model_version": "3", "seed": 7}) as run:
        assert run.folder == tmp_path / "results/demo" / f"{NAME}.partial"
        run.keep(replication(0))
        run.keep(replication(2))
        assert run.kept == 2
        run.write("figures/census.svg", "<svg/>\n")
        run.write("figures/census.png", b"\x89PNG")
        with pytest.raises(InputError, match="give its command again"):
            read_run(run.folder)
        with pytest.raises(InputError, match="give its command again"):
            read_run(run.path)
        assert read_run(run.path, partial=True).path == run.folder
        assert run.finish(seconds=2.5, workers=2) == run.path
    assert not run.folder.exists()
    assert contents(run.path) == {"figures/census.png": b"\x89PNG", "figures/census.svg": b"<svg/>\n"}
    manifest = read_run(run.path).manifest
    assert manifest["key"] == KEY
    assert manifest["started"] == ["2026-03-01T12:00:00+00:00"]
    assert {"model_version": "3", "seed": 7, "seconds": 2.5, "workers": 2}.items() <= manifest.items()
    assert {"results_schema", "scenario", "replications", "finished", "host", "platform", "python"} <= set(
        manifest
    )
    assert manifest["packages"]["numpy"] == np.__version__
    assert "pytest" not in manifest["packages"]


def test_runs_of_one_second_get_names_of_their_own(tmp_path: Path) -> None:
    for _ in range(3):
        with opened(tmp_path) as run:
            run.finish()
    assert [path.name for path in sorted((tmp_path / "demo").iterdir())] == [
        NAME,
        NAME.replace("120000", "120001"),
        NAME.replace("120000", "120002"),
    ]


def test_the_same_command_goes_on_where_the_last_one_stopped(tmp_path: Path) -> None:
    with opened(tmp_path) as first:
        first.keep(replication(1))
        first.write("figures/left_over.svg", "of other options")
        (first.folder / "summary.csv.tmp").write_text("killed while writing")
    with opened(tmp_path, now=NOON + dt.timedelta(hours=1)) as second:
        assert second.folder == first.folder
        assert {index: plain(kept) for index, kept in second.finished().items()} == {1: plain(replication(1))}
        assert list(contents(second.folder)) == ["lock", "replications/000001.json.gz"]
        second.keep(replication(0))
        path = second.finish()
    assert contents(path) == {}
    assert read_run(path).manifest["started"] == ["2026-03-01T12:00:00+00:00", "2026-03-01T13:00:00+00:00"]


def test_only_the_whole_key_lets_a_run_go_on(tmp_path: Path) -> None:
    with opened(tmp_path) as first:
        first.keep(replication(1))
    with opened(tmp_path, key=KEY[:8] + "f" * 56) as second:
        assert second.folder != first.folder
        assert second.finished() == {}


def test_a_folder_in_which_nothing_has_begun_is_used(tmp_path: Path) -> None:
    (tmp_path / f"demo/{NAME}.partial").mkdir(parents=True)
    with opened(tmp_path, now=NOON + dt.timedelta(days=1)) as run:
        assert run.path.name == NAME


def test_damaged_replications_count_as_missing(tmp_path: Path) -> None:
    with opened(tmp_path) as run:
        for index in range(3):
            run.keep(replication(index))
        files = run.folder / "replications"
        whole = (files / "000001.json.gz").read_bytes()
        (files / "000001.json.gz").write_bytes(whole[:-5])
        (files / "000002.json.gz").write_bytes(b"")
        (files / "000007.json.gz").write_bytes(whole)  # not the one its name says
        (files / "000003.json.gz.tmp").write_bytes(whole)
        assert list(run.finished()) == [0]
        run.keep(replication(1))
        assert list(run.finished()) == [0, 1]


def test_the_order_in_which_replications_arrive_leaves_no_trace(tmp_path: Path) -> None:
    found = []
    for place, order in [("a", [0, 1, 2]), ("b", [2, 0, 1])]:
        with opened(tmp_path / place) as run:
            for index in order:
                run.keep(replication(index))
            found.append((list(run.finished()), contents(run.folder)))
    assert found[0] == found[1]
    assert found[0][0] == [0, 1, 2]


# --- two at once


def test_two_runs_never_share_a_folder(tmp_path: Path) -> None:
    with opened(tmp_path) as run:
        with pytest.raises(MachineError, match="another run is using"):
            opened(tmp_path)
        run.keep(replication(0))
    with opened(tmp_path) as run:
        assert list(run.finished()) == [0]


def test_a_killed_run_holds_no_folder(tmp_path: Path) -> None:
    script = f"""
        import pathlib, time
        from iopsim.experiment.store import open_run
        run = open_run(pathlib.Path({str(tmp_path)!r}), "demo", {KEY!r}, replications=3)
        print("open", flush=True)
        time.sleep(60)
    """
    with subprocess.Popen([sys.executable, "-c", textwrap.dedent(script)], stdout=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stdout.readline() == b"open\n"
        with pytest.raises(MachineError, match="another run is using") as caught:
            opened(tmp_path)
        process.kill()
    assert caught.value.exit_code == 5
    with opened(tmp_path) as run:
        run.finish()
    assert len(list((tmp_path / "demo").iterdir())) == 1


# --- --out


def test_out_names_the_folder_and_must_be_new(tmp_path: Path) -> None:
    out = tmp_path / "deep" / "v1.2"
    with opened(tmp_path, out=out) as run:
        run.keep(replication(0))
        assert run.folder == tmp_path / "deep" / "v1.2.partial"
    with pytest.raises(InputError, match="holds the unfinished run of something else") as caught:
        opened(tmp_path, key="f" * 64, out=out)
    assert caught.value.exit_code == 2
    with opened(tmp_path, out=out) as run:
        assert list(run.finished()) == [0]
        run.finish()
    before = contents(out, but="")
    with pytest.raises(InputError, match=r"--out: error: .*v1\.2 exists already; give a folder"):
        opened(tmp_path, out=out)
    with pytest.raises(InputError, match=r"ends with \.partial"):
        opened(tmp_path, out=tmp_path / "x.partial")
    assert contents(out, but="") == before


def test_what_somebody_else_left_is_not_cleared_away(tmp_path: Path) -> None:
    (tmp_path / "x.partial").mkdir()
    (tmp_path / "x.partial" / "thesis.txt").write_text("years of work")
    with pytest.raises(InputError, match="something else"):
        opened(tmp_path, out=tmp_path / "x")
    assert (tmp_path / "x.partial" / "thesis.txt").exists()


# --- readers


def test_readers_refuse_what_is_no_finished_run_of_this_version(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no readable manifest"):
        read_run(tmp_path / "nowhere")
    (tmp_path / "manifest.json").write_text("[1, 2")
    with pytest.raises(InputError, match="no readable manifest"):
        read_run(tmp_path)
    (tmp_path / "manifest.json").write_text('{"results_schema": 99, "finished": "then"}')
    with pytest.raises(InputError, match="schema 99, this version reads 1"):
        read_run(tmp_path)
    (tmp_path / "manifest.json").write_text('{"results_schema": 1}')
    with pytest.raises(InputError, match="unfinished"):
        read_run(tmp_path)


# --- a machine that refuses


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_full_disk_is_one_sentence_and_keeps_what_was_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(number, os.strerror(number))

    with opened(tmp_path) as run:
        run.keep(replication(0))
        run.write("summary.csv", "old")
        before = contents(run.folder, but="")
        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", full)
            for attempt in (
                lambda: run.keep(replication(1)),
                lambda: run.write("summary.csv", "new"),
                lambda: run.write_csv("weekly.csv.gz", ["week"], [[1]]),
                run.finish,
            ):
                with pytest.raises(MachineError) as caught:
                    attempt()
                assert str(caught.value) == (
                    f"{run.folder} has no room left ({os.strerror(number)}); "
                    "free space and give the same command: 1 of 3 replications are kept"
                )
        assert caught.value.exit_code == 5
        assert contents(run.folder, but="") == before
    with opened(tmp_path) as run:
        assert list(run.finished()) == [0]


def test_a_limit_on_the_size_of_files_is_met_in_the_middle_of_a_table(tmp_path: Path) -> None:
    script = f"""
        import pathlib, resource
        from iopsim.errors import MachineError
        from iopsim.experiment.store import open_run
        with open_run(pathlib.Path({str(tmp_path)!r}), "demo", {KEY!r}, replications=3) as run:
            resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
            for name in ("rows.csv", "rows.csv.gz"):
                try:
                    run.write_csv(name, ["n"], ([n * 0.123456789] for n in range(400_000)))
                except MachineError as error:
                    print(error)
            try:
                run.write("figure.png", bytes(200_000))
            except MachineError as error:
                print(error)
            print(sorted(path.name for path in run.folder.iterdir()))
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, check=True
    )
    *sentences, left = done.stdout.splitlines()
    assert len(sentences) == 3
    assert all("has no room left (File too large); free space" in sentence for sentence in sentences)
    assert left == "['lock', 'manifest.json']"
    assert done.stderr == ""


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
            open_run(pathlib.Path({str(closed)!r}), "demo", {KEY!r}, replications=3)
        except MachineError as error:
            print(error)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith(f"{closed} cannot be used (Permission denied); let it be written or choose")
    assert done.stdout.count("\n") == 1


def test_a_file_where_the_results_should_be_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "results").write_text("")
    with pytest.raises(MachineError, match=r"results cannot be used \((Not a directory|File exists)\)"):
        opened(tmp_path / "results")


# --- together with the workers

STUDY = """
import functools, pathlib, sys, time
from iopsim.experiment.encoding import Replication
from iopsim.experiment.executors import run_replications
from iopsim.experiment.store import open_run
from iopsim.measures.registry import Value

def simulate(index):
    time.sleep(0.02)
    return Replication(
        index=index, outcomes={"x": Value(index / 7)}, weekly={}, profiles={}, kernel_events=1, seconds=0.02
    )

def main(root, workers):
    with open_run(pathlib.Path(root), "demo", "ab" * 32, replications=60) as run:
        done = run.finished()
        print("found", len(done), flush=True)
        def on_done(index, result):
            run.keep(result)
            done[index] = result
            print("kept", flush=True)
        missing = [index for index in range(60) if index not in done]
        run_replications(simulate, missing, workers=workers, on_done=on_done)
        run.write_csv("replications.csv", ["n", "x"], ([n, done[n].outcomes["x"].value] for n in range(60)))
        run.finish()
"""


def test_ctrl_c_keeps_whole_replications_and_the_same_command_completes_them(tmp_path: Path) -> None:
    (tmp_path / "interrupted_study.py").write_text(STUDY)

    def study(root: str, workers: int) -> subprocess.Popen[str]:
        call = f"import interrupted_study; interrupted_study.main({str(tmp_path / root)!r}, {workers})"
        path = os.pathsep.join([str(tmp_path), *filter(None, sys.path)])
        return subprocess.Popen(
            [sys.executable, "-c", call],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": path},
            start_new_session=True,
        )

    with study("broken", 2) as process:
        assert process.stdout
        assert "kept\n" in process.stdout  # reads up to the first
        os.killpg(process.pid, signal.SIGINT)
        rest, errors = process.communicate(timeout=10)
    assert "Interrupted" in errors.splitlines()[-1]
    (partial,) = (tmp_path / "broken/demo").iterdir()
    assert partial.suffix == ".partial"
    kept = len(list((partial / "replications").glob("*.json.gz")))
    assert (
        1 + rest.count("kept") <= kept < 60
    )  # lines that were read ahead with the first are not in the rest

    for root, workers, found in [("broken", 2, kept), ("smooth", 1, 0)]:
        with study(root, workers) as process:
            out, errors = process.communicate(timeout=20)
        assert (process.returncode, errors) == (0, "")
        assert out.startswith(f"found {found}\n")
        assert out.count("kept") == 60 - found
    broken, smooth = (next((tmp_path / root / "demo").iterdir()) for root in ("broken", "smooth"))
    assert contents(broken) == contents(smooth)
    assert list(contents(smooth)) == ["replications.csv"]


def test_an_analyst_reads_a_table_of_a_finished_run(tmp_path: Path) -> None:
    with open_run(tmp_path, "demo", KEY, replications=1, now=NOON) as run:
        run.write_csv("summary.csv", ["metric", "estimate"], [["a", 1.5], ["b", math.nan]])
        results = read_run(run.finish())
    table = results.table("summary.csv")
    assert table["metric"].tolist() == ["a", "b"]
    assert table["estimate"].tolist()[0] == 1.5 and math.isnan(table["estimate"].tolist()[1])
    with pytest.raises(InputError, match=r'no table "weekly\.csv\.gz"; there are summary\.csv'):
        results.table("weekly.csv.gz")
