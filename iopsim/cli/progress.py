"""What a run says while it works: a bar with the time left on a terminal, plain lines elsewhere; on stderr."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterator

    from iopsim.experiment.run import Progress
    from iopsim.scenario.schema import Scenario

__all__ = ["Reporter"]

_LINES = 4  # progress lines where there is no terminal


class Reporter:
    """Tells the user how far a run is; says nothing when `quiet`."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet

    def warn_about(self, plan: Scenario) -> None:
        """Print what arithmetic alone finds wrong with a plan."""
        if self._quiet:
            return
        from iopsim.scenario.plausible import assess, warnings

        for warning in warnings(assess(plan)):
            self.say(f"warning: {warning}")

    def say(self, text: str) -> None:
        """Print a line on stderr, broken to the width of a terminal and whole elsewhere."""
        if not self._quiet:
            text = click.wrap_text(text, _columns(), subsequent_indent="  ") if sys.stderr.isatty() else text
            click.echo(text, err=True)

    @contextmanager
    def progress(self, label: str) -> Iterator[Progress]:
        """A function to call with (finished, of all) whenever that changes."""
        if self._quiet:
            yield lambda done, total: None
        elif sys.stderr.isatty():
            with _bar(label) as progress:
                yield progress
        else:
            yield _lines(label)


def _columns() -> int:
    import shutil

    return shutil.get_terminal_size().columns


@contextmanager
def _bar(label: str) -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as shown:
        task = shown.add_task(f"simulating {label}", total=None)
        yield lambda done, total: shown.update(task, completed=done, total=total)


def _lines(label: str) -> Progress:
    began = time.monotonic()
    said = -1

    def say(done: int, total: int) -> None:
        nonlocal said
        if done * _LINES // total > said:
            said = done * _LINES // total
            seconds = time.monotonic() - began
            click.echo(f"{label}: {done} of {total} replications, {seconds:.0f} s", err=True)

    return say
