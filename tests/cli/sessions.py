"""Ways to meet iopsim: in this process, as one of its own, on a terminal; and what it leaves on the disk."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from iopsim.cli import main

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

ROOT = Path(__file__).resolve().parents[2]
SCENARIOS = ROOT / "scenarios"
BASELINE = str(SCENARIOS / "baseline.yaml")
MINIMAL = str(SCENARIOS / "minimal.yaml")
PROGRAM = (sys.executable, "-m", "iopsim")
PATIENCE_SECONDS = 60.0


def setting(**values: object) -> tuple[str, ...]:
    """Settings of the run as `--set` options: `setting(weeks=4)` is `--set run.weeks=4`."""
    return tuple(word for name, value in values.items() for word in ("--set", f"run.{name}={value}"))


SHORT = (*setting(weeks=6, warm_up_weeks=4, run_out_weeks=2), "--set", "calendar.closed=[]")


def lay_data(folder: Path) -> None:
    """Put the data files of the shipped scenarios beside what is about to be read in a folder."""
    for file in SCENARIOS.glob("*.csv"):
        shutil.copy(file, folder)


class Answer(NamedTuple):
    """What a command left: its exit code, standard output and standard error (of a terminal both in `out`)."""

    code: int
    out: str
    err: str = ""


def environment(**more: str) -> dict[str, str]:
    """Our own environment without what changes how a command prints."""
    changing = [
        "NO_COLOR",
        "FORCE_COLOR",
        "CLICOLOR_FORCE",
        "TTY_COMPATIBLE",
        "COLUMNS",
        "LINES",
        "PYTHONIOENCODING",
    ]
    return {name: value for name, value in os.environ.items() if name not in changing} | more


def spawn(
    *arguments: str, folder: Path, launcher: Iterable[str] = (), **options: Any
) -> subprocess.Popen[str]:
    """Start iopsim in a process group of its own, with both streams in pipes unless `options` say otherwise."""
    settings: dict[str, Any] = {"stdin": subprocess.DEVNULL, "encoding": "utf-8", "env": environment()}
    settings |= {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "start_new_session": True}
    return subprocess.Popen([*launcher, *PROGRAM, *arguments], cwd=folder, **(settings | options))


def answer_of(process: subprocess.Popen[str]) -> Answer:
    """Wait for the end."""
    out, err = process.communicate(timeout=PATIENCE_SECONDS)
    return Answer(process.returncode, out or "", err or "")


def spawned(*arguments: str, folder: Path, launcher: Iterable[str] = (), **options: Any) -> Answer:
    """Run iopsim as a process to its end."""
    return answer_of(spawn(*arguments, folder=folder, launcher=launcher, **options))


def at_terminal(
    *arguments: str,
    folder: Path,
    columns: int = 100,
    more: Mapping[str, str] | None = None,
    meanwhile: Callable[[], str] = lambda: "",
) -> Answer:
    """Run iopsim on a terminal of its own and type what `meanwhile()` answers.

    Line ends are those of text, not of terminals.
    """
    import pty
    import termios

    keyboard, screen = pty.openpty()
    termios.tcsetwinsize(screen, (50, columns))
    become = f"import os, sys; os.login_tty({screen}); os.execv(sys.argv[1], sys.argv[1:])"
    process = spawn(
        *arguments,
        folder=folder,
        launcher=(sys.executable, "-c", become),
        stdin=None,
        stdout=None,
        stderr=None,
        start_new_session=False,
        pass_fds=(screen,),
        env=environment(**({"TERM": "xterm-256color"} | dict(more or {}))),
    )
    os.close(screen)
    with ThreadPoolExecutor(1) as reader:  # a program whose screen nobody reads comes to a halt
        reading = reader.submit(lambda: b"".join(_read_until_closed(keyboard)))
        if keys := meanwhile():
            os.write(keyboard, keys.encode())
        shown = reading.result().decode(
            errors="replace"
        )  # Ctrl-C drops what is not shown yet, letters in two
    os.close(keyboard)
    return Answer(process.wait(PATIENCE_SECONDS), shown.replace("\r\n", "\n"))


def _read_until_closed(descriptor: int) -> Iterator[bytes]:
    with suppress(OSError):  # a terminal that nobody holds any more ends with an error
        while part := os.read(descriptor, 65536):
            yield part


def answered(*arguments: object, folder: Path) -> Answer:
    """Run iopsim in this process."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    out, err = io.StringIO(), io.StringIO()
    signal.signal(
        signal.SIGINT, signal.default_int_handler
    )  # whoever runs tests behind a shell's back ignores it
    with contextlib.chdir(folder), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main([str(argument) for argument in arguments])
        except SystemExit as left:
            code = left.code
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
    assert isinstance(code, int)
    return Answer(code, out.getvalue(), err.getvalue())


LOADED_BY_RUNS = """
import tests.cli.faulty
from iopsim.cli import main
from tests.cli.sessions import MINIMAL, SHORT, answered
with tempfile.TemporaryDirectory() as folder:
    words = ("run", MINIMAL, *SHORT, "--replications", "2", "--no-figures", "--workers", "1")
    answered(*words, folder=pathlib.Path(folder))
"""
NURSERY = """
import gc, json, os, pathlib, signal, sys, tempfile
PRELOAD
gc.collect()
gc.freeze()  # what is never looked at is never copied
for line in sys.stdin:
    order = json.loads(line)
    if "end_of" in order:
        answer = os.waitstatus_to_exitcode(os.waitpid(order["end_of"], 0)[1])
    elif not (answer := os.fork()):
        break
    print(answer, flush=True)
else:
    sys.exit()
terminal = order["terminal"]
os.login_tty(os.open(terminal, os.O_RDWR)) if terminal else os.setsid()
for number in () if terminal else (1, 2):
    os.dup2(os.open(order["streams"][number], os.O_WRONLY | os.O_CREAT | os.O_APPEND), number)
os.dup2(os.open(os.devnull, os.O_RDONLY), 0) if not terminal else None
signal.signal(signal.SIGINT, signal.default_int_handler)
os.chdir(order["folder"])
exec(order["before"])
main(order["arguments"])
"""


class Nursery:
    """A process that has loaded what takes long, and of which others are forked: each in a group of its own."""

    def __init__(self, preload: str = LOADED_BY_RUNS) -> None:
        self._number = count()
        self._process = subprocess.Popen(
            [sys.executable, "-c", NURSERY.replace("PRELOAD", preload)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
            env=environment(PYTHONPATH=str(ROOT)),
            start_new_session=True,
        )

    def _told(self, **order: object) -> int:
        assert self._process.stdin and self._process.stdout
        print(json.dumps(order), file=self._process.stdin, flush=True)
        return int(self._process.stdout.readline())

    def start(self, *arguments: str, folder: Path, before: str = "", terminal: str = "") -> Child:
        """Start a command; `before` is Python that runs first, and may end the process."""
        number = next(self._number)
        streams = [str(folder / f".{name} {number}") for name in ("in", "out", "err")]
        more: dict[str, Any] = {"arguments": arguments, "folder": str(folder), "streams": streams}
        return Child(self._told(**more, before=before, terminal=terminal), streams, self)

    def end_of(self, pid: int) -> int:
        """Wait for the end and give the exit code."""
        return self._told(end_of=pid)

    def close(self) -> None:
        """Let it go."""
        with self._process:
            assert self._process.stdin
            self._process.stdin.close()
        assert self._process.returncode == 0


class Child(NamedTuple):
    """A command that runs in a process group of its own, whose number is its pid."""

    pid: int
    streams: list[str]
    nursery: Nursery

    def says(self, text: str) -> None:
        """Wait until standard output has this."""
        until(lambda: text in self._said(1))

    def end(self) -> Answer:
        """Wait for the end."""
        code = self.nursery.end_of(self.pid)
        return Answer(code, self._said(1), self._said(2))

    def _said(self, number: int) -> str:
        path = Path(self.streams[number])
        return path.read_text(encoding="utf-8") if path.exists() else ""


def kept_in(folder: Path) -> list[Path]:
    """Every replication that runs in `folder` have finished, in any version of the program."""
    return sorted((folder / "results" / ".cache").rglob("*.rep"))


def until(done: Callable[[], bool]) -> None:
    """Wait until it is done."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not done():
        assert time.monotonic() < deadline, f"not within {PATIENCE_SECONDS:.0f} s"
        time.sleep(0.005)


def until_kept(folder: Path, number: int = 3) -> None:
    """Wait until a run in `folder` has finished that many replications."""
    until(lambda: len(kept_in(folder)) >= number)


def files(folder: Path) -> dict[str, bytes]:
    """Every file of a results folder but its manifest, by name."""
    found = {
        path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()
    }
    return {name: path.read_bytes() for name, path in found.items() if name != "manifest.json"}


def only_folder(results: Path) -> Path:
    """The one results folder below `results`, beside the cache."""
    (folder,) = results.glob("[!.]*/*")
    return folder
