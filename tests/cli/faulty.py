"""Faults at chosen moments: at the n-th thing done to the disk, or at the n-th line that runs."""

from __future__ import annotations

import builtins
import errno
import io
import os
import signal
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import iopsim

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

ROOT = Path(iopsim.__file__).parent


def refuses(number: int) -> Callable[[], None]:
    """A disk that answers with this error."""

    def refuse() -> None:
        raise OSError(number, os.strerror(number))

    return refuse


@dataclass
class Disk:
    """Everything that is changed below a folder, or read there, in order; one of the acts meets a fault.

    Attributes:
        folder: Below it acts are counted.
        fault: Called just before the act; one that writes has then written half.
        at: Which act meets it, from 1; 0 for none.
        lasting: Whether every later one that takes room does, too.
        reads: Whether files that are opened to be read are counted, and nothing else.
        acts: What was done: `write summary.csv`.
    """

    folder: Path
    fault: Callable[[], None] = lambda: None
    at: int = 0
    lasting: bool = False
    reads: bool = False
    acts: list[str] = field(default_factory=list)
    busy: bool = False

    def act(self, what: str, path: object, half: Callable[[], object] = lambda: None) -> None:
        """Count it, if it is ours, and let it meet the fault."""
        place = Path(os.path.realpath(os.fsdecode(path)))  # type: ignore[arg-type]
        if self.busy or not place.is_relative_to(self.folder):
            return
        self.acts.append(f"{what} {place.relative_to(self.folder)}")
        number = len(self.acts)
        goes_on = self.lasting and number > self.at and what != "unlink"  # a full disk lets one remove
        if self.at and (number == self.at or goes_on):
            self.busy = True  # what the fault does is no act
            try:
                half()
                self.fault()
            finally:
                self.busy = False

    @classmethod
    def script(cls, fault: str, at: int) -> str:
        """Python that lets the rest of a process meet a fault."""
        return (
            "import os, pathlib, signal\nfrom tests.cli import faulty\n"
            f"watched = faulty.Disk(pathlib.Path(), lambda: {fault}, {at}).watched()\nwatched.__enter__()"
        )

    @contextmanager
    def watched(self) -> Iterator[Disk]:
        """Meanwhile all acts are counted."""
        self.folder = Path(os.path.realpath(self.folder))
        with pytest.MonkeyPatch.context() as patch:
            opened = self._opening(io.open)
            patch.setattr(io, "open", opened)
            patch.setattr(builtins, "open", opened)
            if not self.reads:
                patch.setattr(os, "fsync", self._fsync)
                for name in ("mkdir", "rename", "replace", "unlink", "rmdir"):
                    patch.setattr(os, name, self._counting(name, getattr(os, name)))
            yield self

    def _counting(self, name: str, usual: Callable[..., Any]) -> Callable[..., Any]:
        def counted(path: Any, *more: Any, **options: Any) -> Any:
            if "dir_fd" not in options:  # what is thrown away whole is no act of ours
                self.act(name, path)
            return usual(path, *more, **options)

        return counted

    def _fsync(self, descriptor: int) -> None:
        self.act("fsync", f"/proc/self/fd/{descriptor}" if sys.platform == "linux" else self.folder)

    def _opening(self, usual: Callable[..., Any]) -> Callable[..., Any]:
        disk = self

        class Raw(io.FileIO):
            def write(self, data: Any) -> int:
                disk.act("write", self.name, lambda: super(Raw, self).write(bytes(data)[: len(data) // 2]))
                return super().write(data)

        def opened(file: Any, mode: str = "r", *more: Any, **options: Any) -> Any:
            writes = not {"w", "x", "a"}.isdisjoint(mode)
            if disk.reads or not writes or not isinstance(file, (str, os.PathLike)):
                if disk.reads and not writes and isinstance(file, (str, os.PathLike)):
                    disk.act("read", file)
                return usual(file, mode, *more, **options)
            disk.act("open", file)
            raw = io.BufferedWriter(Raw(os.fspath(file), mode.replace("b", "")))
            return raw if "b" in mode else io.TextIOWrapper(raw, **options, write_through=True)

        return opened


@dataclass
class Lines:
    """Lines of the package that run; at one of them somebody types Ctrl-C.

    Attributes:
        parts: Files and folders of the package whose lines are counted.
        at: Which line, from 1; 0 for none.
        number: The signal that comes.
        count: How many have run.
        where: At which line it came.
    """

    parts: tuple[str, ...]
    at: int = 0
    number: int = signal.SIGINT
    count: int = 0
    where: str = ""

    @contextmanager
    def watched(self) -> Iterator[Lines]:
        """Meanwhile lines are counted."""
        places = tuple(str(ROOT / part) for part in self.parts)
        before = sys.gettrace()

        def called(frame: FrameType, event: str, _: object) -> Any:
            return ran if frame.f_code.co_filename.startswith(places) else None

        def ran(frame: FrameType, event: str, _: object) -> Any:
            self.count += event == "line"
            if event == "line" and self.count == self.at:
                sys.settrace(None)
                self.where = f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno}"
                signal.raise_signal(self.number)
            return ran

        sys.settrace(called)
        try:
            yield self
        finally:
            sys.settrace(before)


FULL, READ_ONLY, FORBIDDEN = (refuses(number) for number in (errno.ENOSPC, errno.EROFS, errno.EACCES))
