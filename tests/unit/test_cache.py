"""The cache: whole replications or none, whoever writes at once, whatever is killed, damaged or cleared."""

from __future__ import annotations

import errno
import os
import random
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest

from iopsim.errors import MachineError
from iopsim.experiment.cache import Cache, Kept
from iopsim.experiment.encoding import encode
from iopsim.experiment.keys import program_version
from tests.unit.kept import KEY, OTHER, contents, filled, place, plain, python, replication, said_by

STALE = "1-0123456789ab"
posix = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "results" / ".cache")


# --- one after the other


def test_what_is_put_is_read(cache: Cache) -> None:
    assert cache.read(KEY, 0) is None
    assert cache.missing(KEY, range(3)) == [0, 1, 2]
    assert cache.contents() == []
    assert not cache.root.exists()  # asking leaves nothing
    for index in (2, -1, 1_000_000):
        cache.put(KEY, index, encode(replication(index)))
        assert plain(cache.read(KEY, index)) == plain(replication(index))
        assert cache.read_bytes(KEY, index) == encode(replication(index))
    assert cache.missing(KEY, [3, 2, 1, -1, -2, 1_000_000]) == [3, 1, -2]
    assert cache.read(OTHER, 2) is None
    assert cache.missing(OTHER, [2]) == [2]
    assert set(contents(cache.root)) == {
        f"{program_version()}/1a/{KEY}/{name}.rep" for name in ("000002", "-00001", "1000000")
    }


def test_the_order_in_which_replications_arrive_leaves_no_trace(tmp_path: Path) -> None:
    one, other = Cache(tmp_path / "one"), Cache(tmp_path / "other")
    for index in range(4):
        one.put(KEY, index, encode(replication(index)))
        other.put(KEY, 3 - index, encode(replication(3 - index)))
    other.put(KEY, 2, encode(replication(2)))
    assert contents(one.root) == contents(other.root)


def test_what_is_damaged_is_not_read(cache: Cache) -> None:
    whole = filled(cache).read_bytes(KEY, 1)
    for damaged in (b"", whole[:-5], b"\0" * len(whole), whole[:20] + b"x" + whole[21:], b"no replication"):
        place(cache, 1).write_bytes(damaged)
        assert cache.read(KEY, 1) is None
    cache.put(KEY, 1, whole)
    assert plain(cache.read(KEY, 1)) == plain(replication(1))


def test_what_lies_in_the_place_of_another_is_not_read(cache: Cache) -> None:
    filled(cache)
    place(cache, 2).write_bytes(cache.read_bytes(KEY, 1))
    assert cache.read(KEY, 2) is None


def test_another_version_of_the_program_begins_anew(cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(cache)
    monkeypatch.setattr("iopsim.experiment.cache.program_version", lambda: STALE)
    assert cache.read(KEY, 0) is None
    assert cache.missing(KEY, range(3)) == [0, 1, 2]


# --- contents and clear


@pytest.fixture
def two_versions(cache: Cache, monkeypatch: pytest.MonkeyPatch) -> Cache:
    with monkeypatch.context() as patch:
        patch.setattr("iopsim.experiment.cache.program_version", lambda: STALE)
        filled(cache, OTHER, range(1))
    filled(cache, KEY, range(3))
    filled(cache, OTHER, range(2))
    (place(cache, 1).parent / ".000007.rep.0a1b2c3d.tmp").write_bytes(b"killed while writing")
    return cache


def size(*indices: int) -> int:
    return sum(len(encode(replication(index))) for index in indices)


def test_contents_are_told_by_version(two_versions: Cache) -> None:
    ours, stale = Kept(program_version(), 2, 5, size(0, 1, 2, 0, 1)), Kept(STALE, 1, 1, size(0))
    assert sorted(two_versions.contents()) == sorted([ours, stale])


def test_clearing_leaves_nothing_and_says_what_it_was(two_versions: Cache) -> None:
    before = two_versions.contents()
    assert two_versions.clear() == before
    assert list(two_versions.root.iterdir()) == []
    assert two_versions.missing(KEY, range(3)) == [0, 1, 2]
    assert two_versions.clear() == []
    filled(two_versions)
    assert two_versions.missing(KEY, range(4)) == [3]


def test_what_is_stale_can_be_cleared_alone(two_versions: Cache) -> None:
    assert two_versions.clear(stale_only=True) == [Kept(STALE, 1, 1, size(0))]
    assert [kept.replications for kept in two_versions.contents()] == [5]
    assert two_versions.clear(stale_only=True) == []


def test_clearing_touches_nothing_that_is_not_the_cache(tmp_path: Path) -> None:
    """`--cache` may name any folder, such as a home."""
    for name in ("letters/deep", "minimal/20270104T120000Z-1a2b3c4d", ".git", "1-0123", "x-0123456789abc"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "000000.rep").write_bytes(b"years of work")
    (tmp_path / "1-0123456789ab").write_text("a file")
    filled(Cache(tmp_path))
    others = {name: data for name, data in contents(tmp_path).items() if program_version() not in name}
    assert [kept.replications for kept in Cache(tmp_path).contents()] == [3]
    assert [kept.replications for kept in Cache(tmp_path).clear()] == [3]
    assert contents(tmp_path) == others


def test_a_clearing_that_was_killed_is_finished_by_the_next(
    two_versions: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("shutil.rmtree", killed)
        with pytest.raises(KeyboardInterrupt):
            two_versions.clear()
    assert two_versions.contents() == []
    assert two_versions.missing(KEY, range(3)) == [0, 1, 2]
    assert contents(two_versions.root)
    assert two_versions.clear() == []
    assert list(two_versions.root.iterdir()) == []


def test_who_writes_while_another_clears_goes_on(cache: Cache) -> None:
    script = f"""
        import select, sys
        from pathlib import Path
        from iopsim.experiment.cache import Cache
        cache = Cache(Path({str(cache.root)!r}))
        print("ready", flush=True)
        while not select.select([sys.stdin], [], [], 0)[0]:
            cache.clear()
            cache.contents()
    """
    pipes = {"stdin": subprocess.PIPE}
    with python(script, **pipes) as first, python(script, **pipes) as second:
        for process in (first, second):
            assert process.stdout
            assert process.stdout.readline() == "ready\n"
        written, lost, deadline = 0, 0, time.monotonic() + 30
        while lost < 3 and time.monotonic() < deadline:
            cache.put(KEY, written % 50, encode(replication(written % 50)))
            kept = cache.read(KEY, written % 50)
            lost += kept is None
            assert kept is None or kept.index == written % 50
            written += 1
        assert [process.communicate("enough")[1] for process in (first, second)] == ["", ""]
    assert (first.returncode, second.returncode) == (0, 0)
    assert written >= lost == 3  # they did meet
    cache.clear()
    assert list(cache.root.iterdir()) == []


# --- killed, and several at once

WRITER = """
    import os, random, signal, sys, time
    from pathlib import Path
    from iopsim.experiment.cache import Cache
    from iopsim.experiment.encoding import encode
    from iopsim.experiment.keys import program_version
    from tests.unit.kept import replication

    assert program_version() == {version!r}
    cache, order = Cache(Path({root!r})), random.Random({seed})

    def write(rounds, count):
        try:
            for index in (index for _ in range(rounds) for index in order.sample(range(count), count)):
                cache.put({key!r}, index, encode(replication(index)))
                os.write(1, b"%d\\n" % index)
        except BaseException as error:
            print("failed:", error, flush=True)  # or who reads would wait
            raise

    print("ready", flush=True)
"""


@contextmanager
def writer(cache: Cache, then: str, seed: int = 1) -> Iterator[tuple[IO[str], IO[str]]]:
    """Standard input and output of a process that can write entries in any order, and then does as told."""
    about = {"root": str(cache.root), "seed": seed, "key": KEY, "version": program_version()}
    script = textwrap.dedent(WRITER.format(**about)) + textwrap.dedent(then)
    with python(script, stdin=subprocess.PIPE) as process:
        assert process.stdin and process.stdout and process.stderr
        assert process.stdout.readline() == "ready\n"
        yield process.stdin, process.stdout
        process.stdin.close()
        assert process.stderr.read() == ""
    assert process.returncode == 0


def test_two_processes_write_the_same_entries_at_once(cache: Cache) -> None:
    when_told = "sys.stdin.readline(); write(5, 30); print('done', flush=True)"
    with writer(cache, when_told, seed=1) as first, writer(cache, when_told, seed=2) as second:
        for told, _ in (first, second):
            print(file=told, flush=True)
        seen = 0
        deadline = time.monotonic() + 30
        while seen < 200 and time.monotonic() < deadline:
            for kept in filter(None, (cache.read(KEY, index) for index in range(30))):
                seen += 1
                assert plain(kept) == plain(replication(kept.index))
        for _, said in (first, second):
            assert "done\n" in said
    assert seen >= 200
    assert contents(cache.root) == {
        str(place(cache, index).relative_to(cache.root)): encode(replication(index)) for index in range(30)
    }


KILLED = """
    for _ in iter(sys.stdin.readline, ""):
        if (child := os.fork()) == 0:
            write(1000, 200)
        sys.stdin.readline()
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        print("killed", flush=True)
"""


@posix
def test_killed_at_any_moment_it_holds_whole_replications_only_and_loses_none(cache: Cache) -> None:
    """What a writer said was kept is there after kill -9, whole; what it was writing is nobody's replication."""
    moments, interrupted, ever_said = random.Random(3), 0, 0
    home = place(cache, 0).parent
    with writer(cache, KILLED) as (told, said):
        for _ in range(25):
            print("go", file=told, flush=True)
            kept = {int(said.readline()) for _ in range(moments.randint(0, 8))}
            time.sleep(moments.uniform(0.0, 0.003))
            print("kill", file=told, flush=True)
            kept |= {int(line) for line in iter(said.readline, "killed\n")}
            there = {path.name for path in home.iterdir()} if home.exists() else set()
            whole = {index for index in range(200) if f"{index:06d}.rep" in there}
            others = there - {f"{index:06d}.rep" for index in whole}
            ever_said, interrupted = ever_said + len(kept), interrupted + len(others)
            assert kept <= whole
            assert all(name.endswith(".tmp") for name in others)
            assert cache.missing(KEY, range(200)) == sorted(set(range(200)) - whole)
            for index in whole:
                assert plain(cache.read(KEY, index)) == plain(replication(index))
            assert sum(one.replications for one in cache.contents()) == len(whole)
            cache.clear()
    assert ever_said > 80
    assert interrupted > 0  # some were killed half-way through a file


# --- a machine that refuses


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_one_sentence_and_keeps_what_was_kept(
    cache: Cache, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    filled(cache)
    before = contents(cache.root)

    def full(self: Path, *_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", full)
        with pytest.raises(MachineError) as caught:
            cache.put(KEY, 3, encode(replication(3)))
    assert str(caught.value) == (
        f"{cache.root} has no room left ({os.strerror(number)}); free space and give the same command again"
    )
    assert contents(cache.root) == before


def test_a_cache_that_cannot_be_used_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    cache = Cache(tmp_path / "file" / ".cache")
    for attempt in (
        lambda: cache.put(KEY, 0, encode(replication(0))),
        lambda: cache.missing(KEY, [0]),
        lambda: cache.read(KEY, 0),
        lambda: cache.read_bytes(KEY, 0),
    ):
        with pytest.raises(MachineError, match=r"cache cannot be used \(Not a directory\); .* with --cache"):
            attempt()
    with pytest.raises(MachineError, match=r"nowhere was cleared meanwhile; give the same command again"):
        Cache(tmp_path / "nowhere").read_bytes(KEY, 0)


@posix
def test_a_folder_that_may_not_be_written_is_one_sentence(tmp_path: Path) -> None:
    cache = filled(Cache(tmp_path / "closed"))
    cache.root.chmod(0o500)
    script = f"""
        import os
        from pathlib import Path
        from iopsim.errors import MachineError
        from iopsim.experiment.cache import Cache
        if os.getuid() == 0:
            os.setuid(65534)
        cache = Cache(Path({str(cache.root)!r}))
        for attempt in (cache.clear, lambda: cache.put({OTHER!r}, 0, b"")):
            try:
                print(attempt())
            except MachineError as error:
                print(error)
    """
    said = said_by(script)
    cache.root.chmod(0o700)
    start = f"{cache.root} cannot be used (Permission denied); let it be written or choose another folder"
    assert [line.startswith(start) for line in said] == [True, True]
    assert cache.missing(KEY, range(3)) == []
