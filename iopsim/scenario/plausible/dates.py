"""The plan by date: what holds in each edition is said of its time, and what holds in all of them once."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from iopsim.scenario.plausible.finding import Finding, note

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
    """Changes that lie before all simulated time, and so hold from the opening on."""
    for number, change in enumerate(scenario.changes):
        if change.from_ <= scenario.run.opening:
            text = f"{change.from_} is not after the opening, {scenario.run.opening}: it holds from the beginning"
            yield note(f"changes.{number}.from", text)
