"""Results folders: written as `<run>.partial/`, whole replication by whole replication, and named at the end.

    results/<scenario>/<UTC time>-<8 hex of the key>/
        manifest.json           the only file with a clock, a host, a version or a path in it
        summary.csv, …          what the callers of `Run.write` and `Run.write_csv` make of it
    results/<scenario>/<UTC time>-<8 hex of the key>.partial/
        manifest.json, lock, replications/000000.json.gz, …

A file takes its place whole or not at all, so a run killed at any instant goes on from what it kept.
"""

from __future__ import annotations

import csv
import datetime as dt
import errno
import gzip
import hashlib
import io
import json
import os
import shutil
import sys
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Self

from iopsim.errors import Fault, InputError, Interrupted, MachineError, Mark
from iopsim.experiment.encoding import Replication, csv_cell, decode, encode

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    import pandas as pd

if sys.platform == "win32":
    import msvcrt

    def _seize(file: IO[bytes]) -> None:
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _seize(file: IO[bytes]) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


__all__ = ["PARTIAL", "RESULTS_SCHEMA", "Results", "Run", "open_run", "read_run", "run_key"]

RESULTS_SCHEMA = 1
PARTIAL = ".partial"

_MANIFEST = "manifest.json"
_LOCK = "lock"
_REPLICATIONS = "replications"
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def run_key(identity: Mapping[str, object], *, seed: int, replications: int, model_version: str) -> str:
    """Content key of a run, 64 hex digits: equal keys mean equal tables.

    Args:
        identity: Resolved scenario without name, description and notes, and the hashes of its data files; of
            plain values (dict, list, str, int, float, bool, None).
        seed: Seed of all chance.
        replications: How many.
        model_version: Changes whenever the same seed may give different numbers.
    """
    content = {
        "identity": identity,
        "seed": seed,
        "replications": replications,
        "model_version": model_version,
        "results_schema": RESULTS_SCHEMA,
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def open_run(
    root: Path,
    scenario: str,
    key: str,
    *,
    replications: int,
    out: Path | None = None,
    about: Mapping[str, object] | None = None,
    now: dt.datetime | None = None,
) -> Run:
    """The folder to write a run into: the unfinished one of the same key if there is one, else a new one.

    Args:
        root: Folder of all results; made if it is not there.
        scenario: Name of the scenario, the folder below.
        key: What `run_key` says.
        replications: How many a whole run has.
        out: Where the run is to stand instead, from `--out`; must not exist.
        about: What else goes into the manifest (model version, seed, command, workers).
        now: The time of day that names the folder.

    Raises:
        InputError: `out` exists, or an unfinished run of something else waits to become `out`.
        MachineError: The folder cannot be written, or another process writes into it.
    """
    now = now or dt.datetime.now(dt.UTC)
    with _told_as_machine_error(out or root):
        folder = _folder_at(out, key) if out else _folder_below(root / scenario, key, now)
        lock = _locked(folder)
        run = Run(
            path=folder.with_name(folder.name.removesuffix(PARTIAL)),
            folder=folder,
            replications=replications,
            manifest={**(about or {}), **_surroundings()},
            lock=lock,
        )
        try:
            run.clear()
            started = [*_read_manifest(folder).get("started", []), now.isoformat(timespec="seconds")]
            facts = {"results_schema": RESULTS_SCHEMA, "replications": replications, "started": started}
            run.note(scenario=scenario, key=key, **facts)
        except BaseException:
            lock.close()
            raise
    return run


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A results folder that is being written; as a context manager it gives the folder free at the end.

    Leaving it by Ctrl-C with replications kept becomes Interrupted, which says where they are.
    Every method that writes raises MachineError when the disk is full or the folder cannot be written.

    Attributes:
        path: Where the results stand once the run has finished.
        folder: Where they are written until then.
        replications: How many a whole run has.
        manifest: What `manifest.json` holds.
        lock: Held as long as it is open, by the kernel, so that no dead process can keep it.
    """

    path: Path
    folder: Path
    replications: int
    manifest: dict[str, Any]
    lock: IO[bytes]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.lock.close()
        if kind is KeyboardInterrupt and self.kept:
            raise Interrupted(
                f"{self.kept} of {self.replications} replications are kept in {self.folder}; "
                "give the same command again to complete the run"
            ) from None

    @property
    def kept(self) -> int:
        """How many replications the folder holds."""
        return sum(1 for _ in self._kept_files())

    def finished(self) -> dict[int, Replication]:
        """The whole replications that are there, by index; damaged files count as not there."""
        found = {}
        with self._told():
            for path in sorted(self._kept_files()):
                with suppress(ValueError):
                    replication = decode(path.read_bytes())
                    if path == self._place(replication.index):
                        found[replication.index] = replication
        return found

    def keep(self, replication: Replication) -> None:
        """Keep a replication, on the disk itself before this returns."""
        with self._told(), _replacing(self._place(replication.index)) as file:
            file.write(encode(replication))

    def write(self, name: str, content: bytes | str) -> None:
        """Write a file of the results; `name` may lead through folders (`figures/census.svg`)."""
        with self._told(), _replacing(self.folder / name) as file:
            file.write(content.encode() if isinstance(content, str) else content)

    def write_csv(self, name: str, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        """Write a table row by row, gzipped without time and name if `name` ends with `.gz`."""
        with self._told(), _replacing(self.folder / name) as file, ExitStack() as stack:
            packed = gzip.GzipFile("", "wb", 6, file, mtime=0) if name.endswith(".gz") else None
            raw = stack.enter_context(packed) if packed else file
            text = io.TextIOWrapper(raw, encoding="utf-8", newline="")
            stack.callback(text.detach)
            writer = csv.writer(text, lineterminator="\n")
            writer.writerow(header)
            writer.writerows(map(csv_cell, row) for row in rows)

    def note(self, **facts: object) -> None:
        """Add facts to the manifest."""
        self.manifest.update(facts)
        self.write(_MANIFEST, json.dumps(self.manifest, indent=2, ensure_ascii=False, default=str) + "\n")

    def finish(self, **facts: object) -> Path:
        """Name the folder as the finished run it is, and give it free; the replications' own files go."""
        self.note(finished=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"), **facts)
        with self._told():
            with suppress(FileNotFoundError):
                shutil.rmtree(self.folder / _REPLICATIONS)
            self.lock.close()
            (self.folder / _LOCK).unlink(missing_ok=True)
            self.folder.rename(self.path)
        return self.path

    def clear(self) -> None:
        """Remove what an earlier attempt wrote beside its replications: it may have had other options."""
        for entry in self.folder.iterdir():
            if entry.name not in {_MANIFEST, _LOCK, _REPLICATIONS}:
                shutil.rmtree(entry) if entry.is_dir() else entry.unlink()

    def _place(self, index: int) -> Path:
        return self.folder / _REPLICATIONS / f"{index:06d}.json.gz"

    def _kept_files(self) -> Iterator[Path]:
        return (self.folder / _REPLICATIONS).glob("*.json.gz")

    @contextmanager
    def _told(self) -> Iterator[None]:
        with _told_as_machine_error(self.folder, self):
            yield


@dataclass(frozen=True, slots=True)
class Results:
    """A results folder to read: its place and what its manifest says."""

    path: Path
    manifest: Mapping[str, Any]

    def table(self, name: str) -> pd.DataFrame:
        """One of the run's tables, such as `summary.csv` or `weekly.csv.gz`, for analysts.

        Raises:
            InputError: The run has no such table.
        """
        import pandas as pd

        path = self.path / name
        if not path.is_file():
            there = ", ".join(sorted(entry.name for entry in self.path.glob("*.csv*")))
            raise InputError(
                Fault("no-table", f'no table "{name}"; there are {there}', mark=Mark(str(self.path)))
            )
        return pd.read_csv(path)


def read_run(path: Path, *, partial: bool = False) -> Results:
    """Open a results folder for reading.

    Raises:
        InputError: It is no results folder, of another version, or unfinished (unless `partial`).
    """
    mark = Mark(str(path))
    with _told_as_machine_error(path):
        unfinished = Path(f"{path}{PARTIAL}")
        folder = unfinished if unfinished.exists() and not path.exists() else path
        manifest = _read_manifest(folder)
    if not manifest:
        message = (
            "not a results folder: no readable manifest.json in it; give a folder that `iopsim run` wrote"
        )
        raise InputError(Fault("not-results", message, mark=mark))
    if manifest.get("results_schema") != RESULTS_SCHEMA:
        got = f"results of schema {manifest.get('results_schema')}, this version reads {RESULTS_SCHEMA}"
        raise InputError(Fault("results-schema", f"{got}; run the scenario again", mark=mark))
    if (folder.suffix == PARTIAL or "finished" not in manifest) and not partial:
        message = "the run is unfinished; give its command again to complete it"
        raise InputError(Fault("unfinished-results", message, mark=mark))
    return Results(folder, manifest)


def _folder_at(out: Path, key: str) -> Path:
    mark = Mark("--out")
    if os.path.lexists(out) or out.suffix == PARTIAL:
        what = (
            f"{out} exists already"
            if os.path.lexists(out)
            else f"a name that ends with {PARTIAL} (got {out})"
        )
        raise InputError(Fault("out-exists", f"{what}; give a folder that does not exist yet", mark=mark))
    folder = Path(f"{out}{PARTIAL}")
    folder.mkdir(parents=True, exist_ok=True)
    if not _continues(folder, key):
        message = f"{folder} holds the unfinished run of something else; remove it or give another folder"
        raise InputError(Fault("out-exists", message, mark=mark))
    return folder


def _folder_below(home: Path, key: str, now: dt.datetime) -> Path:
    """The newest unfinished run of this key, or a new folder named after the first second that is free."""
    home.mkdir(parents=True, exist_ok=True)
    for folder in sorted(home.glob(f"*-{key[:8]}{PARTIAL}"), reverse=True):
        if _continues(folder, key):
            return folder
    while True:
        path = home / f"{now:%Y%m%dT%H%M%SZ}-{key[:8]}"
        folder = path.with_name(path.name + PARTIAL)
        if not path.exists():
            with suppress(FileExistsError):
                folder.mkdir()
                return folder
        now += dt.timedelta(seconds=1)


def _continues(folder: Path, key: str) -> bool:
    """Whether a run of this key may go on here: it began here, or nothing has begun here."""
    manifest = _read_manifest(folder)
    begun = {entry.name for entry in folder.iterdir()} - {_LOCK, f"{_MANIFEST}.tmp"}
    return manifest.get("key") == key or not begun


def _read_manifest(folder: Path) -> dict[str, Any]:
    """What the manifest holds; empty if there is none that can be read."""
    with suppress(FileNotFoundError, NotADirectoryError, ValueError):
        manifest = json.loads((folder / _MANIFEST).read_bytes())
        if isinstance(manifest, dict):
            return manifest
    return {}


def _locked(folder: Path) -> IO[bytes]:
    file = (folder / _LOCK).open("ab")
    try:
        _seize(file)
    except (BlockingIOError, PermissionError) as error:
        file.close()
        raise MachineError(
            f"{folder}: another run is using this folder; wait until it has finished, or stop it, "
            "then give the same command"
        ) from error
    except OSError:
        pass  # a file system without locks; two runs of one key write the same bytes
    return file


@contextmanager
def _replacing(path: Path) -> Iterator[IO[bytes]]:
    """A file that takes its place when all of it is on the disk, and otherwise leaves no trace."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(path.name + ".tmp")
    try:
        with fresh.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except BaseException:
        with suppress(OSError):
            fresh.unlink(missing_ok=True)
        raise


@contextmanager
def _told_as_machine_error(folder: Path, run: Run | None = None) -> Iterator[None]:
    """The one place where a disk that refuses becomes a sentence."""
    try:
        yield
    except OSError as error:
        full = error.errno in _FULL
        what = "has no room left" if full else "cannot be used"
        cure = "free space" if full else "let it be written or choose another folder with --out,"
        kept = f": {run.kept} of {run.replications} replications are kept" if run and run.kept else ""
        message = f"{folder} {what} ({error.strerror or error}); {cure} and give the same command{kept}"
        raise MachineError(message) from error


def _surroundings() -> dict[str, object]:
    """Where a run took place: machine, python, and the versions of what the package depends on."""
    import platform
    import re
    from importlib import metadata

    packages = {}
    with suppress(metadata.PackageNotFoundError):
        needed = [entry for entry in metadata.requires("iopsim") or [] if "extra ==" not in entry]
        names = [re.split(r"[^\w.-]", entry)[0] for entry in needed]
        packages = {name: metadata.version(name) for name in ["iopsim", *names]}
    return {
        "host": platform.node(),
        "platform": platform.platform(),
        "python": platform.python_version(),
        "packages": packages,
    }
