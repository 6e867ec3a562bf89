"""Ways to meet iopsim: as a process of its own, on a terminal, and what it leaves on the disk."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

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


def kept_in(folder: Path) -> list[Path]:
    """Every replication that runs in `folder` have finished, in any version of the program."""
    return sorted((folder / "results" / ".cache").rglob("*.rep"))


def until_kept(folder: Path, number: int = 3) -> None:
    """Wait until a run in `folder` has finished that many replications."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if len(kept_in(folder)) >= number:
            return
        time.sleep(0.005)
    raise AssertionError(f"no {number} replications within {PATIENCE_SECONDS:.0f} s")


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
