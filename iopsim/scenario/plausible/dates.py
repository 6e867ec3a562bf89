"""The plan by date: what holds in each edition is said of its time, and what holds in all of them once."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from iopsim.scenario.findings import words
from iopsim.scenario.plausible.finding import Finding, note, warning

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from iopsim.scenario.schema import Scenario

__all__ = ["Spell", "in_all", "in_their_time", "plans", "spells", "without_effect"]


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


def plans(scenario: Scenario) -> list[tuple[dt.date | None, Scenario]]:
    """The plan at the start of the measured window (from None), and from each date of change in it on."""
    run = scenario.run
    end = run.start + dt.timedelta(weeks=run.weeks)
    dates = [date for date, _ in scenario.editions if date and run.start < date < end]
    return [(date, scenario.on(date or run.start).model_copy(update={"run": run})) for date in [None, *dates]]


def spells(scenario: Scenario, plans: Sequence[tuple[dt.date | None, Scenario]]) -> list[Spell]:
    """The measured window by what there is: cut where a plan begins, and where a group begins or ends.

    Args:
        scenario: The whole.
        plans: Its plans; a spell without groups that come or go has one of them.
    """
    start, end = scenario.run.start, scenario.run.start + dt.timedelta(weeks=scenario.run.weeks)
    begins = {date: plan for date, plan in plans if date}
    cuts = begins.keys() | {day for day in _turns(scenario) if start < day < end}
    found, plan = [], plans[0][1]
    for first, after in pairwise([None, *sorted(cuts), None]):
        plan = begins.get(first, plan) if first else plan
        last = _day_before(after) if after else None
        found.append(Spell(first, last, _as_on(first or start, plan)))
    return found


def _turns(scenario: Scenario) -> Iterator[dt.date]:
    """First days on which a group meets, or meets no more."""
    for group in (group for level in scenario.levels.values() for group in level.groups.values()):
        if group.from_:
            yield group.from_
        if group.until:
            yield group.until + dt.timedelta(days=1)


def _as_on(day: dt.date, plan: Scenario) -> Scenario:
    """The plan as if the groups of a day met in all of the window, and the others never."""
    if not any(True for _ in _turns(plan)):
        return plan
    after = plan.run.start + dt.timedelta(weeks=plan.run.weeks)
    levels = dict(plan.levels)
    for name, level in plan.levels.items():
        groups = dict(level.groups)
        for key, group in groups.items():
            is_on = (group.from_ or day) <= day <= (group.until or day)
            groups[key] = group.model_copy(update={"from_": None if is_on else after, "until": None})
        levels[name] = level.model_copy(update={"groups": groups})
    return plan.model_copy(update={"levels": levels})


def in_their_time(found: Sequence[tuple[Spell, Iterable[Finding]]]) -> Iterator[Finding]:
    """Findings of each plan, with their time if not all have them; those about one thing once, at its worst."""
    told: dict[object, list[tuple[Finding, Spell]]] = {}
    for finding, those in _runs(found).items():
        topic = (finding.severity, finding.path, finding.about) if finding.about else finding
        told.setdefault(topic, []).extend((finding, spell) for spell in those)
    for alike in told.values():
        alike.sort(key=lambda one: one[1].first or dt.date.min)
        worst, spell = max(alike, key=lambda one: one[0].strain)
        if not worst.about:
            yield from (replace(one, message=f"{when.when}{one.message}") for one, when in alike)
            continue
        others = [f"{when.when.rstrip(', ')} ({_share(one)})" for one, when in alike if when is not spell]
        likewise = f"; likewise {words(others)}" if others else ""
        yield replace(worst, message=f"{spell.when}{worst.message}{likewise}")


def _share(finding: Finding) -> str:
    return "none there" if math.isinf(finding.strain) else f"{finding.strain:.0%}"


def _runs(found: Sequence[tuple[Spell, Iterable[Finding]]]) -> dict[Finding, list[Spell]]:
    """Each finding, with the times in which it holds: of spells in a row it is one."""
    runs: dict[Finding, list[Spell]] = {}
    for number, (spell, findings) in enumerate(found):
        for finding in dict.fromkeys(findings):
            those = runs.setdefault(finding, [])
            if those and number and those[-1].last == found[number - 1][0].last:
                those[-1] = those[-1]._replace(last=spell.last)
            else:
                those.append(spell)
    return runs


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
