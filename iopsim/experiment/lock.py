"""The lock of a folder: whoever holds it writes there alone, and the kernel takes it back from the dead."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import IO, TYPE_CHECKING

from iopsim.errors import MachineError

if TYPE_CHECKING:
    from pathlib import Path

if sys.platform == "win32":
    import msvcrt

    def _seize(file: IO[bytes]) -> None:
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _seize(file: IO[bytes]) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


__all__ = ["LOCK", "locked"]

LOCK = "lock"


def locked(folder: Path) -> IO[bytes] | None:
    """The lock of a folder, held until it is closed; None if the folder was renamed just now.

    Raises:
        MachineError: Another process holds it.
    """
    try:
        file = (folder / LOCK).open("ab")
    except FileNotFoundError:
        return None
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
    with suppress(FileNotFoundError):
        if os.path.samestat(os.fstat(file.fileno()), (folder / LOCK).stat()):
            return file
    file.close()
    return None
