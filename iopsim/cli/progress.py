"""What a run says while it works: a bar with the time left on a terminal, plain lines elsewhere; on stderr."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterator

    from iopsim.experiment.plans import Progress
    from iopsim.scenario.schema import Scenario

__all__ = ["Reporter", "duration"]

_LINES = 4  # progress lines where there is no terminal,
_SECONDS = 60  # and another one wherever nothing was said for so long


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
        task = shown.add_task(
            f"simulating {label}", total=None, visible=False
        )  # nothing to do, nothing to see
        yield lambda done, total: shown.update(task, completed=done, total=total, visible=total > 0)


def _lines(label: str) -> Progress:
    began = spoke = time.monotonic()
    said, found = -1, 0  # what was in the cache took no time

    def say(done: int, total: int) -> None:
        nonlocal said, spoke, found
        now = time.monotonic()
        if said < 0:
            found = done
        if done * _LINES // total > said or (now - spoke > _SECONDS and done < total):
            said, spoke = done * _LINES // total, now
            seconds = now - began
            left = (total - done) * seconds / (done - found) if found < done < total else 0
            rest = f", about {duration(left)} left" if left >= 1 else ""
            click.echo(f"{label}: {done:,} of {total:,} replications, {duration(seconds)}{rest}", err=True)

    return say


def duration(seconds: float) -> str:
    """A time as people say it: `8 s`, `3 min 20 s`, `2 h 5 min`."""
    minutes, rest = divmod(round(seconds), 60)
    if seconds < 600:
        return f"{minutes} min {rest} s" if minutes else f"{rest} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours:,} h {minutes} min" if hours else f"{minutes} min"
