"""Care that differs by kind of patient, and what each kind of it cannot be."""

from __future__ import annotations

from itertools import pairwise, product
from typing import TYPE_CHECKING

from iopsim.scenario.findings import Finding
from iopsim.scenario.levels import care_of
from iopsim.scenario.parts import LEAST_DAYS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from iopsim.scenario.distributions import Law
    from iopsim.scenario.levels import CarePart, Level
    from iopsim.scenario.schema import Scenario
    from iopsim.scenario.tree import Path

__all__ = ["CHECKS", "ended"]


def _parts(scenario: Scenario) -> Iterator[tuple[Path, str, Level | CarePart]]:
    """Each level with its path and name, followed by the parts of its `by`."""
    for name, level in scenario.levels.items():
        yield ("levels", name), name, level
        for axis, parts in (("track", level.by.track), ("source", level.by.source)):
            for who, part in parts.items():
                yield ("levels", name, "by", axis, who), name, part


def _care(scenario: Scenario) -> Iterator[Finding]:
    """What a level and the parts of its `by` say together, and cannot mean."""
    for name, level in scenario.levels.items():
        kinds = product(("", *level.by.track), ("", *level.by.source))
        wrong = {kind: list(_contradictions(level, *kind)) for kind in kinds}
        for (track, source), texts in wrong.items():
            by = ("by", "source", source) if source else ("by", "track", track) if track else ()
            told = [
                text
                for kind in {("", ""), (track, ""), ("", source)} - {(track, source)}
                for text in wrong[kind]
            ]
            yield from (Finding("level", ("levels", name, *by), text) for text in texts if text not in told)


def _contradictions(level: Level, track: str, source: str) -> Iterator[str]:
    part = level.by.source.get(source) or level.by.track.get(track)
    care = care_of(level, track, source)
    mean, sd = care.attendance.mean, care.attendance.sd
    if part and part.stay_days and part.phases:
        yield "give `stay_days` or `phases`, one of the two"
    if care.phases and not level.groups:
        yield "`phases` count sessions: they need `groups`"
    if care.extension and not care.phases:
        yield "`extension` needs `phases`"
    if level.plan == "attended" and not care.phases:
        yield "`plan: attended` needs `phases`"
    if any(after.days_per_week > before.days_per_week for before, after in pairwise(care.phases or ())):
        yield "`days_per_week` may not rise from one phase to the next; write the busier ones first"
    if not level.groups and (sd or care.attendance.discharge_after_missed):
        yield "attendance by session (`sd`, `discharge_after_missed`) needs `groups`"
    if sd and sd**2 >= mean * (1 - mean):
        most = (mean * (1 - mean)) ** 0.5
        yield f"no shares from 0 to 1 have mean {mean} and sd {sd}; sd must be below {most:.3g}"


def _laws(scenario: Scenario) -> Iterator[Finding]:
    for place, _, part in _parts(scenario):
        if _is_none(part.stay_days):
            message = "a mean stay of under an hour is none; say how many days it lasts"
            yield Finding("no-stay", (*place, "stay_days"), message)
        if part.waitlist and _is_none(part.waitlist.patience_days):
            message = "nobody would wait an hour; to turn away whoever cannot start at once say `at_most: 0`"
            yield Finding("no-patience", (*place, "waitlist", "patience_days"), message)
        early = part.leave_early
        if early and _is_none(early.dropout):
            message = "all would be gone within an hour on average; say after how many days they drop out"
            yield Finding("no-stay", (*place, "leave_early", "dropout"), message)
        if early and early.step_up and _is_none(early.step_up.after_days):
            message = (
                "all would be gone within an hour on average; say after how many days they need more care"
            )
            yield Finding("no-stay", (*place, "leave_early", "step_up", "after_days"), message)


def _is_none(law: Law | None) -> bool:
    """Whether a law of days hardly lets any time pass."""
    return law is not None and law.mean < LEAST_DAYS


def _steps_up(scenario: Scenario) -> Iterator[Finding]:
    for place, name, part in _parts(scenario):
        if part.leave_early and part.leave_early.step_up and name in part.leave_early.step_up.to:
            message = "one cannot step up to the level where one is; name a more intensive one"
            yield Finding("to-itself", (*place, "leave_early", "step_up", "to", name), message)


def ended(scenario: Scenario) -> Iterator[Finding]:
    """Plans that somebody who never comes would never end."""
    for name, level in scenario.levels.items():
        cares = (care_of(level, *who) for who in product(("", *level.by.track), ("", *level.by.source)))
        if level.plan == "attended" and any(
            care.attendance.mean < 1 and care.attendance.discharge_after_missed is None for care in cares
        ):
            message = (
                "a stay of somebody who never comes would not end; set `attendance.discharge_after_missed`"
            )
            yield Finding("plan", ("levels", name, "plan"), message)


CHECKS = (_care, _laws, _steps_up)
