"""Replications that were ever finished, each under the key of all it depends on: none is simulated twice.

    results/.cache/<program version>/<2 hex>/<64 hex of the key>/000000.rep

A file takes its place whole, so a process killed at any instant leaves whole replications only, and two processes
that finish the same one write the same bytes. What a power cut may damage is noticed when read, and made again.
"""

from __future__ import annotations

import errno
import re
import secrets
import shutil
import zipfile
from contextlib import suppress
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, NamedTuple

from iopsim.errors import Fault, InputError, MachineError, Mark
from iopsim.experiment.disk import replacing, told_as_machine_error
from iopsim.experiment.encoding import decode
from iopsim.experiment.keys import program_version

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from iopsim.experiment.encoding import Replication

__all__ = ["PACK", "Cache", "Kept", "pack", "unpacked"]

PACK = "replications.zip"
_SUFFIX = ".rep"
_ENTRY = re.compile(r"([0-9a-f]{64})/(-?\d{1,9})\.rep")
_VERSION = re.compile(r"[\w.]+-[0-9a-f]{12}")  # a folder of another name is somebody else's
_CLEARED = ".cleared-"
_ATTEMPTS = 10  # to write where another process clears
_NO_PACK = (zipfile.BadZipFile, ValueError, RuntimeError, EOFError, OSError)
_ANY_TIME = (1980, 1, 1, 0, 0, 0)  # so that equal replications make equal files


class Kept(NamedTuple):
    """What a cache holds of one program version."""

    program_version: str
    scenarios: int
    replications: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Cache:
    """A folder of finished replications, by content key and index.

    Every method raises MachineError where the disk refuses.
    """

    root: Path

    def missing(self, key: str, indices: Iterable[int]) -> list[int]:
        """Those of the indices that are not there, in their order."""
        with told_as_machine_error(self.root, "--cache"):
            try:
                there = {path.name for path in self._home(key).iterdir()}
            except FileNotFoundError:
                there = set()
        return [index for index in indices if _name(index) not in there]

    def read(self, key: str, index: int) -> Replication | None:
        """The replication; None if it is not there, or damaged."""
        with told_as_machine_error(self.root, "--cache"), suppress(FileNotFoundError, ValueError):
            replication = decode(self._place(key, index).read_bytes())
            if replication.index == index:
                return replication
        return None

    def read_bytes(self, key: str, index: int) -> bytes:
        """The replication as `encode` wrote it.

        Raises:
            MachineError: It is not there.
        """
        with told_as_machine_error(self.root, "--cache"):
            try:
                return self._place(key, index).read_bytes()
            except FileNotFoundError as error:
                message = f"{self.root} was cleared meanwhile; give the same command again"
                raise MachineError(message) from error

    def put(self, key: str, index: int, encoded: bytes) -> None:
        """Keep what `encode` made of a replication."""
        with told_as_machine_error(self.root, "--cache"):
            for left in reversed(range(_ATTEMPTS)):
                try:
                    with replacing(self._place(key, index), durable=False) as file:
                        file.write(encoded)
                    return
                except (FileNotFoundError, FileExistsError):  # another process is just clearing the folder
                    if not left:
                        raise

    def contents(self) -> list[Kept]:
        """What there is, by program version."""
        with told_as_machine_error(self.root, "--cache"):
            return [_kept(folder) for folder in self._versions()]

    def clear(self, *, stale_only: bool = False) -> list[Kept]:
        """Remove everything, or only what other versions of the program wrote, and say what that was.

        A run that is writing there goes on, and makes anew what it lacks; only one that is packing its results
        has to be started again.
        """
        cleared = []
        with told_as_machine_error(self.root, "--cache"):
            for folder in self._versions():
                if not (stale_only and folder.name == program_version()):
                    cleared.append(_kept(folder))
                    with suppress(FileNotFoundError):  # another process was quicker
                        folder.rename(self.root / f"{_CLEARED}{secrets.token_hex(4)}")
            for folder in self.root.glob(f"{_CLEARED}*"):
                shutil.rmtree(folder, ignore_errors=True)
        return cleared

    def _versions(self) -> list[Path]:
        with suppress(FileNotFoundError):
            entries = sorted(self.root.iterdir())
            return [path for path in entries if _VERSION.fullmatch(path.name) and path.is_dir()]
        return []

    def _home(self, key: str) -> Path:
        return self.root / program_version() / key[:2] / key

    def _place(self, key: str, index: int) -> Path:
        return self._home(key) / _name(index)


def pack(cache: Cache, entries: Iterable[tuple[str, int]], file: IO[bytes]) -> None:
    """Write replications, by key and index, as a zip file of the same bytes for the same replications."""
    with zipfile.ZipFile(file, "w") as archive:
        for key, index in dict.fromkeys(entries):
            entry = zipfile.ZipInfo(f"{key}/{_name(index)}", _ANY_TIME)
            archive.writestr(entry, cache.read_bytes(key, index))


def unpacked(path: Path) -> Iterator[tuple[str, int, bytes]]:
    """Key, index and bytes of every replication in a file that `pack` wrote.

    Raises:
        InputError: It is no such file, or damaged.
    """
    with told_as_machine_error(path.parent, None):
        try:
            with zipfile.ZipFile(path) as archive:
                for entry in archive.infolist():
                    found = _ENTRY.fullmatch(entry.filename)
                    if not found or entry.compress_type or entry.extra or entry.comment:
                        raise ValueError(f'"{entry.filename}" is no replication')
                    encoded = archive.read(entry)
                    if decode(encoded).index != int(found[2]):
                        raise ValueError(f"{entry.filename} holds another replication")
                    yield found[1], int(found[2]), encoded
        except _NO_PACK as error:
            if isinstance(error, OSError) and error.errno not in {errno.ENOENT, errno.EINVAL}:
                raise
            what = "is missing" if isinstance(error, FileNotFoundError) else f"is damaged ({error})"
            message = f"{PACK} {what}; give the command that wrote this folder again"
            raise InputError(Fault("not-results", message, mark=Mark(str(path.parent)))) from error


def _name(index: int) -> str:
    return f"{index:06d}{_SUFFIX}"


def _kept(folder: Path) -> Kept:
    sizes: list[int] = []
    scenarios = set()
    with suppress(FileNotFoundError):  # another process is clearing the folder
        for path in folder.glob(f"*/*/*{_SUFFIX}"):
            sizes.append(path.stat().st_size)
            scenarios.add(path.parent)
    return Kept(folder.name, len(scenarios), len(sizes), sum(sizes))
