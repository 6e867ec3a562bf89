"""Files that take their place whole or not at all, and a disk that refuses told as a sentence."""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING

from iopsim.errors import MachineError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["hash_of", "replacing", "told_as_machine_error"]

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@contextmanager
def replacing(path: Path, *, durable: bool = True) -> Iterator[IO[bytes]]:
    """A file that takes its place when all of it is written, and otherwise leaves no trace.

    Args:
        path: Its place; folders on the way are made.
        durable: Whether it must be on the disk itself before it takes its place. Where a damaged file is noticed
            and made again, surviving a power cut is not worth waiting for.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")  # two processes may write one file
    try:
        with fresh.open("xb") as file:
            yield file
            file.flush()
            if durable:
                os.fsync(file.fileno())
        fresh.replace(path)
    except BaseException:
        with suppress(OSError):
            fresh.unlink(missing_ok=True)
        raise


def hash_of(path: Path) -> str:
    """What tells a file from any other, as 64 hex digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def told_as_machine_error(folder: Path, option: str | None = "--out") -> Iterator[None]:
    """Turn an OSError into the sentence that says which folder refuses, why, and what to do.

    Args:
        folder: Where something is read or written.
        option: What names another folder to write to; None where one is read.

    Raises:
        MachineError: In place of OSError.
    """
    try:
        yield
    except OSError as error:
        if error.errno is None:  # not the machine: what a file holds
            raise
        what, cure = "cannot be used", f"let it be written or choose another folder with {option},"
        if error.errno in _FULL:
            what, cure = "has no room left", "free space"
        elif option is None:
            what, cure = "cannot be read", "let it be read"
        message = f"{folder} {what} ({error.strerror or error}); {cure} and give the same command again"
        raise MachineError(message) from error
