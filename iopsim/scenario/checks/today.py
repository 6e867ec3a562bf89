"""A run from today: it starts on its day, and nothing comes before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iopsim.scenario.findings import Finding
from iopsim.scenario.today import WEEKS_UNDER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from iopsim.scenario.schema import Scenario

__all__ = ["CHECKS"]


def _start(scenario: Scenario) -> Iterator[Finding]:
    today, run = scenario.from_today, scenario.run
    if today is None:
        return
    cure = "drop it, or set it to null where a base scenario says it"
    if run.start != today.as_of:
        message = f"a run from today starts on `as_of`, {today.as_of} (got {run.start}); {cure}"
        yield Finding("from-today", ("run", "start"), message)
    if run.warm_up != 0:
        message = (
            f"a run from today has no warm-up: the files say how things stand (got {run.warm_up}); {cure}"
        )
        yield Finding("from-today", ("run", "warm_up_weeks"), message)


def _is_answerable(scenario: Scenario) -> Iterator[Finding]:
    """Whether a list can have stayed under its number when the run ends."""
    today, run = scenario.from_today, scenario.run
    weeks = run.weeks + run.run_out_weeks
    if today and today.waitlist_under and weeks < WEEKS_UNDER:
        message = (
            f"takes {WEEKS_UNDER} simulated weeks to answer, the run-out included (got {weeks}); raise `run.weeks` or "
            "`run.run_out_weeks`, or drop it"
        )
        yield Finding("from-today", ("from_today", "waitlist_under"), message)


CHECKS = (_start, _is_answerable)
