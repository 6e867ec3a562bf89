"""Results folders: written as `<run>.partial/` and named at the end; what they are made of waits in the cache.

    results/<scenario>/<UTC time>-<8 hex of the key>/
        manifest.json           the only file with a clock, a host, a version or a path in it
        summary.csv, …          what the callers of `Run.write` and `Run.write_csv` make of it
        replications.zip        the replications themselves, exact, so that the folder alone can be compared
    results/<scenario>/<UTC time>-<8 hex of the key>.partial/
        manifest.json, lock

A file takes its place whole or not at all, and a run killed at any instant goes on from what the cache keeps.
"""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import io
import json
import os
import shutil
import sys
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Self

from iopsim import __version__
from iopsim.errors import Fault, InputError, Interrupted, MachineError, Mark
from iopsim.experiment.cache import PACK, pack, unpacked
from iopsim.experiment.disk import hash_of, replacing, told_as_machine_error
from iopsim.experiment.encoding import csv_cell, decode
from iopsim.experiment.keys import program_version
from iopsim.experiment.lock import LOCK, locked

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    import pandas as pd

    from iopsim.experiment.cache import Cache
    from iopsim.experiment.encoding import Replication
    from iopsim.scenario.schema import Scenario

__all__ = ["PARTIAL", "RESULTS_SCHEMA", "Results", "Run", "open_run", "read_resolved", "read_run"]

RESULTS_SCHEMA = 3
PARTIAL = ".partial"

_MANIFEST = "manifest.json"


def open_run(
    root: Path,
    name: str,
    key: str,
    *,
    out: Path | None = None,
    about: Mapping[str, object] | None = None,
    now: dt.datetime | None = None,
) -> Run:
    """The folder to write results into: the unfinished one of the same key if there is one, else a new one.

    Args:
        root: Folder of all results; made if it is not there.
        name: Of the scenario or the sweep, the folder below.
        key: Content key: equal keys mean equal tables.
        out: Where the results are to stand instead, from `--out`; must not exist.
        about: What else goes into the manifest (kind, seed, workers).
        now: The time of day that names the folder.

    Raises:
        InputError: `out` exists, or unfinished results of something else wait to become `out`.
        MachineError: The folder cannot be written, or another process writes into it.
    """
    now = now or dt.datetime.now(dt.UTC)
    with told_as_machine_error(out or root):
        lock = None
        while lock is None:
            folder = _folder_at(out, key, root) if out else _folder_below(root / name, key, now)
            path, lock = folder.with_name(folder.name.removesuffix(PARTIAL)), locked(folder)
            if lock and os.path.lexists(path):  # another run had the name and finished, just before we began
                shutil.rmtree(folder)
                lock.close()
                lock = None
        run = Run(
            path=path,
            folder=folder,
            manifest={**(about or {}), "model_version": program_version(), **_surroundings()},
            lock=lock,
        )
        try:
            run.clear()
            started = [*_read_manifest(folder).get("started", []), now.isoformat(timespec="seconds")]
            run.note(name=name, key=key, results_schema=RESULTS_SCHEMA, started=started)
        except BaseException:
            lock.close()
            raise
    return run


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A results folder that is being written; as a context manager it gives the folder free at the end.

    Every method that writes raises MachineError when the disk is full or the folder cannot be written. Ctrl-C in the
    block leaves it as Interrupted, which says what there is.

    Attributes:
        path: Where the results stand once the run has finished.
        folder: Where they are written until then.
        manifest: What `manifest.json` holds.
        lock: Held as long as it is open, by the kernel, so that no dead process can keep it.
    """

    path: Path
    folder: Path
    manifest: dict[str, Any]
    lock: IO[bytes]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.lock.close()
        if kind is KeyboardInterrupt:
            if not self.folder.exists():
                raise Interrupted(f"the results are finished: {self.path}") from None
            raise Interrupted(
                f"every replication that has finished is kept; give the same command again to complete {self.path}"
            ) from None

    def write(self, name: str, content: bytes | str) -> None:
        """Write a file of the results; `name` may lead through folders (`figures/census.svg`)."""
        with self._replacing(name) as file:
            file.write(content.encode() if isinstance(content, str) else content)

    def write_csv(self, name: str, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        """Write a table row by row, gzipped without time and name if `name` ends with `.gz`."""
        with self._replacing(name) as file, ExitStack() as stack:
            packed = gzip.GzipFile("", "wb", 6, file, mtime=0) if name.endswith(".gz") else None
            raw = stack.enter_context(packed) if packed else file
            text = io.TextIOWrapper(raw, encoding="utf-8", newline="")
            stack.callback(text.detach)
            writer = csv.writer(text, lineterminator="\n")
            writer.writerow(map(csv_cell, header))
            writer.writerows(map(csv_cell, row) for row in rows)

    def write_replications(self, cache: Cache, entries: Iterable[tuple[str, int]]) -> None:
        """Write replications by key and index, exact, beside the tables made of them."""
        with self._replacing(PACK) as file:
            pack(cache, entries, file)

    def note(self, **facts: object) -> None:
        """Add facts to the manifest."""
        self.manifest.update(facts)
        self.write(_MANIFEST, json.dumps(self.manifest, indent=2, ensure_ascii=False, default=str) + "\n")

    def finish(self, **facts: object) -> Path:
        """Name the folder as the finished run it is, and give it free."""
        from iopsim.experiment.executors.signals import held_back

        with told_as_machine_error(self.folder):
            files = {name: hash_of(self.folder / name) for name in self._names()}
        self.note(finished=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"), **facts, files=files)
        with held_back(), told_as_machine_error(self.folder):
            if sys.platform == "win32":
                self.lock.close()  # a folder with an open file cannot be renamed there
            try:
                self.folder.rename(self.path)
            except OSError as error:
                if os.path.lexists(self.path):
                    message = f"{self.path} was made by somebody else meanwhile; move it away"
                    raise MachineError(f"{message} and give the same command again") from error
                raise
            with suppress(OSError):  # it is finished all the same
                (self.path / LOCK).unlink(missing_ok=True)
            self.lock.close()
        return self.path

    def _names(self) -> list[str]:
        """What has been written, beside the manifest."""
        paths = (path.relative_to(self.folder) for path in self.folder.rglob("*") if path.is_file())
        return sorted({path.as_posix() for path in paths} - {_MANIFEST, LOCK})

    def clear(self) -> None:
        """Remove what an earlier attempt wrote: it may have had other options."""
        for entry in self.folder.iterdir():
            if entry.name not in {_MANIFEST, LOCK}:
                shutil.rmtree(entry) if entry.is_dir() else entry.unlink()

    @contextmanager
    def _replacing(self, name: str) -> Iterator[IO[bytes]]:
        with told_as_machine_error(self.folder), replacing(self.folder / name) as file:
            yield file


@dataclass(frozen=True, slots=True)
class Results:
    """A results folder to read: its place and what its manifest says."""

    path: Path
    manifest: Mapping[str, Any]

    def file(self, name: str) -> Path:
        """Where a file of the run is, which is as the run wrote it.

        Raises:
            InputError: It is missing or damaged.
            MachineError: It cannot be read.
        """
        path, written = self.path / name, self.manifest.get("files", {}).get(name)
        with told_as_machine_error(self.path, None):
            what = "" if path.is_file() else "missing"
            if written and not what and hash_of(path) != written:
                what = "damaged (not what the run wrote)"
        if what:
            message = f"{name} is {what}; give the command that wrote this folder again"
            raise InputError(Fault("damaged-results", message, mark=Mark(str(self.path))))
        return path

    def table(self, name: str) -> pd.DataFrame:
        """One of the run's tables, such as `summary.csv` or `weekly.csv.gz`, for analysts.

        Raises:
            InputError: The run has no such table, or it is missing or damaged.
        """
        import pandas as pd

        if not (self.path / name).is_file() and name not in self.manifest.get("files", {}):
            there = ", ".join(sorted(entry.name for entry in self.path.glob("*.csv*")))
            raise InputError(
                Fault("no-table", f'no table "{name}"; there are {there}', mark=Mark(str(self.path)))
            )
        return pd.read_csv(self.file(name))

    def scenario(self) -> Scenario:
        """What was simulated; results hold no patients' data, and something of the same form stands in for them.

        A law of a data file is a constant, as many referrals as a trace brought are spread evenly over the time, and
        the files of a run from today have no rows.

        Raises:
            InputError: The folder holds no scenario that can be read.
        """
        scenario = read_resolved(self.file("scenario.resolved.yaml"))
        sources = dict(scenario.sources)
        for name, (before, inside) in self.manifest.get("traced", {}).items():
            if trace := sources[name].trace:
                evenly = trace.evenly(scenario.run, before, inside)
                sources[name] = sources[name].model_copy(update={"trace": evenly})
        return scenario.with_sources({name: spec for name, spec in sources.items() if spec.trace})

    def replications(self) -> list[Replication]:
        """The replications of the run in order of their index.

        Raises:
            InputError: They are not there, or damaged.
        """
        found = [decode(encoded) for _, _, encoded in unpacked(self.file(PACK))]
        return sorted(found, key=lambda replication: replication.index)


def read_resolved(path: Path) -> Scenario:
    """The scenario that a run wrote into its results: a constant for every law of a data file, traces without rows.

    Raises:
        InputError: There is none, or it cannot be read.
    """
    from pydantic import ValidationError

    from iopsim.scenario.distributions import LAW_NAMES
    from iopsim.scenario.file import survey
    from iopsim.scenario.load import replaces
    from iopsim.scenario.schema import Scenario
    from iopsim.scenario.tree import plain

    root, faults = survey(path, replaces, LAW_NAMES)
    if root is None:
        raise InputError(*faults)
    try:
        return Scenario.model_validate(_without_samples(plain(root)), context={"folder": None})
    except ValidationError as error:
        message = "results of another version of the scenario language; run the scenario again"
        raise InputError(Fault("results-schema", message, mark=Mark(str(path)))) from error


def _without_samples(tree: Any) -> Any:
    if isinstance(tree, dict):
        return 1.0 if "empirical" in tree else {key: _without_samples(value) for key, value in tree.items()}
    return [_without_samples(value) for value in tree] if isinstance(tree, list) else tree


def read_run(path: str | os.PathLike[str]) -> Results:
    """Open a results folder for reading.

    Raises:
        InputError: It is no results folder, of another version, or unfinished.
    """
    path = Path(path)
    with told_as_machine_error(path, None):
        unfinished = Path(f"{path}{PARTIAL}")
        folder = unfinished if unfinished.exists() and not path.exists() else path
        manifest = _read_manifest(folder)
    fault = None
    if folder.suffix == PARTIAL and folder.is_dir():
        fault = "unfinished-results", "the run is unfinished; give its command again to complete it"
    elif not manifest:
        fault = "not-results", _no_results(folder)
    elif (schema := manifest.get("results_schema")) != RESULTS_SCHEMA:
        fault = "results-schema", _other_schema(schema, manifest)
    elif "finished" not in manifest:
        fault = "unfinished-results", "the run is unfinished; give its command again to complete it"
    if fault:
        raise InputError(Fault(*fault, mark=Mark(str(path))))
    return Results(folder, manifest)


def _no_results(folder: Path) -> str:
    if (folder / _MANIFEST).is_file():
        return f"{_MANIFEST} is damaged; give the command that wrote this folder again"
    newest = max((place.parent for place in folder.glob(f"*/{_MANIFEST}")), default=None)
    cure = f"did you mean {newest}?" if newest else "give a folder that `iopsim run` wrote"
    return f"not a results folder: no {_MANIFEST} in it; {cure}"


def _other_schema(schema: object, manifest: Mapping[str, Any]) -> str:
    """Who wrote these results, why they cannot be read here, and what to do."""
    wrote = manifest.get("packages", {}).get("iopsim", "of another version")
    newer = isinstance(schema, int) and schema > RESULTS_SCHEMA
    cure = "read them with a version as new, or run" if newer else "run"
    return (
        f"results of schema {schema}, written by iopsim {wrote}; this is iopsim {__version__}, which reads "
        f"schema {RESULTS_SCHEMA}; {cure} the scenario again"
    )


def _folder_at(out: Path, key: str, root: Path) -> Path:
    mark, what = Mark("--out"), ""
    if os.path.lexists(out):
        what = f"{out} exists already; give a folder that does not exist yet"
    elif out.suffix == PARTIAL:
        what = f"a name that ends with {PARTIAL} (got {out}); give a folder that does not exist yet"
    elif out.absolute() == root.absolute():
        what = (
            f"{out} is for all results and what is kept between runs; give another, such as {out / 'answer'}"
        )
    if what:
        raise InputError(Fault("out-exists", what, mark=mark))
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
    begun = {entry.name for entry in folder.iterdir() if not entry.name.endswith(".tmp")} - {LOCK}
    return manifest.get("key") == key or not begun


def _read_manifest(folder: Path) -> dict[str, Any]:
    """What the manifest holds; empty if there is none that can be read."""
    with suppress(FileNotFoundError, NotADirectoryError, ValueError):
        manifest = json.loads((folder / _MANIFEST).read_bytes())
        if isinstance(manifest, dict):
            return manifest
    return {}


@cache
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
