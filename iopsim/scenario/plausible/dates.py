"""The plan by date: what holds in each edition is said of its time, and what holds in all of them once."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from iopsim.scenario.plausible.finding import Finding, note, warning

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from iopsim.scenario.schema import Scenario

__all__ = ["Spell", "in_all", "in_their_time", "spells", "without_effect"]


class Spell(NamedTuple):
    """A plan, and its first and last day in force; None: from the opening, to the end."""

    first: dt.date | None
    last: dt.date | None
    plan: Scenario

    @property
    def when(self) -> str:
        """The time in words, as a sentence begins with it; empty if it is all of it."""
        said = [f"{word} {day}" for word, day in (("from", self.first), ("until", self.last)) if day]
        return f"{' '.join(said)}, " if said else ""


def spells(scenario: Scenario) -> list[Spell]:
    """The plan from the start of the measured window on, and as it changes up to the end of it."""
    run = scenario.run
    end = run.start + dt.timedelta(weeks=run.weeks)
    dates = [date for date, _ in scenario.editions if date and run.start < date < end]
    return [
        Spell(
            first,
            after - dt.timedelta(days=1) if after else None,
            scenario.on(first or run.start).model_copy(update={"run": run}),
        )
        for first, after in zip([None, *dates], [*dates, None], strict=True)
    ]


def in_their_time(found: Sequence[tuple[Spell, Iterable[Finding]]]) -> Iterator[Finding]:
    """Findings of each plan, once for all plans in a row that have it, and with their time if not all have."""
    runs: dict[Finding, list[Spell]] = {}
    for number, (spell, findings) in enumerate(found):
        for finding in dict.fromkeys(findings):
            those = runs.setdefault(finding, [])
            if those and number and those[-1].last == found[number - 1][0].last:
                those[-1] = those[-1]._replace(last=spell.last)
            else:
                those.append(spell)
    for finding, those in runs.items():
        for spell in those:
            yield replace(finding, message=f"{spell.when}{finding.message}")


def in_all(found: Iterable[Iterable[Finding]]) -> Iterator[Finding]:
    """Findings of the first plan whose like is found in all others."""
    first, *others = [list(findings) for findings in found]
    paths = [{finding.path for finding in findings} for findings in others]
    yield from (finding for finding in first if all(finding.path in those for those in paths))


def without_effect(scenario: Scenario) -> Iterator[Finding]:
    """Changes that hold from the opening on, those that come too late, and those of the run-out only."""
    run = scenario.run
    window_end = run.start + dt.timedelta(weeks=run.weeks)
    for number, change in enumerate(scenario.changes):
        path, date = f"changes.{number}.from", change.from_
        if date <= run.opening:
            yield note(path, f"{date} is not after the opening, {run.opening}: it holds from the beginning")
        elif date >= run.end:
            text = f"{date} is after the simulated time, {run.opening} to {_day_before(run.end)}: it changes nothing"
            yield warning(path, f"{text}; take an earlier date, or simulate more weeks")
        elif date >= window_end:
            text = f"{date} is after the measured window, {run.start} to {_day_before(window_end)}"
            yield note(
                path, f"{text}: it acts on the run-out only, in which the patients of the window are followed"
            )


def _day_before(day: dt.date) -> dt.date:
    return day - dt.timedelta(days=1)
