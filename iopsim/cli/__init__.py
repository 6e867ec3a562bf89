"""The command line: one thin file per command, loaded only when that command is called.

Exit codes: 0 finished · 1 a bug · 2 bad usage or input · 3 judged and missed · 4 judged and undecided ·
5 the machine refused · 130 interrupted.
"""

from __future__ import annotations

import errno
import gc
import importlib
import io
import os
import signal
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from iopsim import __version__, is_compiled
from iopsim.errors import InputError, Interrupted, IopsimError, MachineError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import FrameType

__all__ = ["main", "program"]

_COMMANDS = {
    "run": "Simulate a scenario and write its results.",
    "compare": "Compare two or more scenarios or results in which the same patients meet each plan.",
    "sweep": "Simulate every point of a parameter sweep, and say which is the cheapest that will do.",
    "check": "Say whether finished results meet their targets, in the exit code too.",
    "diff": "Say what differs between two scenarios or results.",
    "warmup": "Find how long a scenario's warm-up has to be.",
    "export": "Write finished results as a workbook for spreadsheets.",
    "merge": "Join the parts that --shard made of a run or a sweep.",
    "cache": "Say what is kept of finished replications, or clear it.",
    "validate": "Check a scenario, and whether its numbers can be right, without simulating.",
    "show": "Print a scenario as it was read, or with all defaults filled in.",
    "new": "Write a short commented scenario to start from.",
    "metrics": "List the metrics, or explain one.",
    "schema": "Print the JSON Schema of the scenario language.",
    "verify": "Compare the simulation with what theory knows exactly.",
}
_FAULTS_SHOWN = 100  # the first hundred mistakes are enough to read
_VERSION = f"{__version__} (compiled)" if is_compiled() else __version__
_BUG = 1
_INTERRUPTED = 130
# What standard output may answer besides taking what is written.
_REFUSED = {errno.EPIPE, errno.ENOSPC, errno.EFBIG, errno.EDQUOT, errno.EIO}


class _Program(click.Group):
    """Knows its commands by name and imports one when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module = importlib.import_module(f"iopsim.cli.{cmd_name}")
        command: click.Command = module.command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        from difflib import get_close_matches

        if args and args[0] not in _COMMANDS and not args[0].startswith("-"):
            near = get_close_matches(args[0], _COMMANDS, n=1)
            hint = f' (did you mean "{near[0]}"?)' if near else f"; there are {', '.join(_COMMANDS)}"
            raise click.UsageError(f'no command "{args[0]}"{hint}', ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))


@click.group(cls=_Program, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(_VERSION, prog_name="iopsim")
def program() -> None:
    """Capacity planning for intensive outpatient programs by simulation.

    Start with `iopsim run scenarios/baseline.yaml`, or write a scenario of your own with `iopsim new my.yaml`.
    """


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point of `iopsim` and `python -m iopsim`: runs one command and exits with its code."""
    # One thread: the work is spread over processes, and starting the threads costs half of numpy's import.
    for library in ("OPENBLAS", "OMP", "MKL"):
        os.environ.setdefault(f"{library}_NUM_THREADS", "1")
    gc.set_threshold(100_000, 20, 20)  # numbers by the million and hardly a circle among them
    _ready_streams()
    with _one_interrupt():
        code = _code(arguments)
        try:
            sys.stdout.flush()
        except OSError as error:
            refused = _without_output(error)
            code = code or refused
    sys.exit(code)


@contextmanager
def _one_interrupt() -> Iterator[None]:
    """Let the first Ctrl-C or SIGTERM stop the command, and those that follow not disturb it in stopping."""
    ours: dict[int, signal._HANDLER] = {}

    def stop(number: int, frame: FrameType | None) -> None:
        for each in ours:
            signal.signal(each, signal.SIG_IGN)
        raise KeyboardInterrupt

    if threading.current_thread() is threading.main_thread():
        usual = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: signal.SIG_DFL}
        ours = {number: handler for number, handler in usual.items() if signal.getsignal(number) is handler}
        for number in ours:
            signal.signal(number, stop)
    try:
        yield
    finally:
        for number, handler in ours.items():
            if signal.getsignal(number) is stop:
                signal.signal(number, handler)


def _ready_streams() -> None:
    """Let printing neither fail on a stream that is closed, nor on letters that its encoding lacks."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, io.StringIO())
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def _code(arguments: Sequence[str] | None) -> int:
    try:
        result = program.main(args=arguments, prog_name="iopsim", standalone_mode=False)
        return result if isinstance(result, int) else 0
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (IopsimError, MemoryError) as error:
        click.echo(_told(error), err=True)
        return getattr(error, "exit_code", MachineError.exit_code)
    except (KeyboardInterrupt, click.Abort):
        click.echo("\nstopped: what had finished is kept; give the same command again", err=True)
        return _INTERRUPTED
    except SystemExit:  # so rich leaves when whoever read its output has gone
        return 0
    except Exception as error:  # whatever it is, a planner gets a sentence, not a traceback
        if isinstance(error, OSError) and error.errno in _REFUSED:
            code = _without_output(error)
        else:
            click.echo(_reported(error), err=True)
            code = _BUG
        return code


def _told(error: IopsimError | MemoryError) -> str:
    """What the user reads of an error: every fault of an input and their number, or a sentence."""
    if isinstance(error, MemoryError):
        return (
            "error: memory ran out; what had finished is kept: give the same command again with fewer --workers, "
            "or where there is more memory"
        )
    if isinstance(error, InputError):
        lines = [str(fault) for fault in error.faults[:_FAULTS_SHOWN]]
        number = len(error.faults)
        shown = f"; the first {_FAULTS_SHOWN} are shown" if number > _FAULTS_SHOWN else ""
        return "\n".join([*lines, f"{number} error{'s' if number != 1 else ''}{shown}"])
    return f"\nstopped: {error}" if isinstance(error, Interrupted) else f"error: {error}"


def _without_output(error: OSError) -> int:
    """Standard output takes no more: nothing to say if its reader has gone (as `head` does), else a sentence."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or what is left fails again at exit
    if isinstance(error, BrokenPipeError):
        return 0
    sentence = f"error: the output cannot be written ({error.strerror}); send it where there is room"
    click.echo(sentence, err=True)
    return MachineError.exit_code


def _reported(error: Exception) -> str:
    """Write a crash file and say where it is."""
    import platform
    import tempfile
    import traceback

    text = "".join(traceback.format_exception(error))
    versions = f"iopsim {_VERSION}, Python {platform.python_version()}, {platform.platform()}"
    place = "and no file could be written"
    try:
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", prefix="iopsim-crash-", suffix=".txt", delete=False
        ) as file:
            file.write(f"{versions}\n{' '.join(sys.argv)}\n\n{text}")
            place = f"details are in {file.name}"
    except OSError:
        pass
    said = "".join(traceback.format_exception_only(error)).splitlines()[0]
    return f"error: this is a bug in iopsim ({said}); {place}"
