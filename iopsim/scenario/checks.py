"""What no part of a scenario can see alone: dates, care that differs by kind of patient, what needs what."""

from __future__ import annotations

import datetime as dt
from itertools import chain, pairwise, product
from typing import TYPE_CHECKING, Any

from iopsim.scenario.canonical import paths, resolved
from iopsim.scenario.distributions.faults import closest
from iopsim.scenario.findings import MISSING, Finding, words
from iopsim.scenario.levels import care_of
from iopsim.scenario.routing import circles, unserved

if TYPE_CHECKING:
    from collections.abc import Iterator

    from iopsim.scenario.levels import CarePart, Level
    from iopsim.scenario.schema import Scenario
    from iopsim.scenario.tree import Path

__all__ = ["of_dates", "of_parts", "of_whole"]

_FAR = dt.timedelta(days=3 * 366)  # one calendar serves runs of any length; a wrong decade is a slip
_MOST_HINTS = 20  # each compares a note with every path of the scenario


def of_parts(scenario: Scenario) -> Iterator[Finding]:
    """Faults that stay faults when other sources, levels, roles or services are missing."""
    return chain.from_iterable(
        check(scenario) for check in (_care, _laws, _to_itself, circles, _revenue, _services)
    )


def of_whole(scenario: Scenario, tree: Any) -> Iterator[Finding]:
    """Faults that show only when every part is well; `tree` is the plain tree that was written."""
    yield from chain.from_iterable(
        check(scenario) for check in (_tables, _caseloads, _attended, _precision, unserved)
    )
    yield from _notes(scenario, tree)


def _precision(scenario: Scenario) -> Iterator[Finding]:
    rule = scenario.run.rule
    if rule and not rule.of and not scenario.targets:
        message = (
            "nothing to judge the precision of: there are no targets; add `targets:`, or name metrics in `of`"
        )
        yield Finding("nothing-to-judge", ("run", "replications"), message)


def of_dates(scenario: Scenario) -> Iterator[Finding]:
    """Dates that cannot be meant: far from the simulated time, or of a group that would never meet."""
    first, last = scenario.run.opening, scenario.run.end - dt.timedelta(days=1)
    span = f"the simulated time, {first} to {last}"

    def far(day: dt.date | None, path: Path) -> Iterator[Finding]:
        if day is not None and not first - _FAR <= day <= last + _FAR:
            message = f"{day} is more than three years {'before' if day < first else 'after'} {span}; check the year"
            yield Finding("date", path, message)

    for index, day in enumerate(scenario.calendar.closed):
        yield from far(day, ("calendar", "closed", index))
    for name, level in scenario.levels.items():
        for key, group in level.groups.items():
            place = ("levels", name, "groups", key)
            dates = {"from": group.from_, "until": group.until}
            yield from chain.from_iterable(far(day, (*place, which)) for which, day in dates.items())
            if group.from_ and last < group.from_ <= last + _FAR:
                yield Finding(
                    "date", (*place, "from"), f"{group.from_} is after {span}: the group would never meet"
                )
            if group.until and first - _FAR <= group.until < first:
                yield Finding(
                    "date", (*place, "until"), f"{group.until} is before {span}: the group would never meet"
                )


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
        yield "`days_per_week` may not rise from one phase to the next"
    if not level.groups and (sd or care.attendance.discharge_after_missed):
        yield "attendance by session (`sd`, `discharge_after_missed`) needs `groups`"
    if sd and sd**2 >= mean * (1 - mean):
        most = (mean * (1 - mean)) ** 0.5
        yield f"no shares from 0 to 1 have mean {mean} and sd {sd}; sd must be below {most:.3g}"


def _laws(scenario: Scenario) -> Iterator[Finding]:
    for place, _, part in _parts(scenario):
        if part.stay_days and not part.stay_days.mean:
            yield Finding("no-stay", (*place, "stay_days"), "a stay of 0 days is none; say how long it lasts")
        if part.waitlist and part.waitlist.patience_days and not part.waitlist.patience_days.mean:
            message = "nobody would wait at all; to turn away whoever cannot start at once say `at_most: 0`"
            yield Finding("no-patience", (*place, "waitlist", "patience_days"), message)


def _to_itself(scenario: Scenario) -> Iterator[Finding]:
    for place, name, part in _parts(scenario):
        if part.leave_early and part.leave_early.step_up and name in part.leave_early.step_up.to:
            message = "one cannot step up to the level where one is; name a more intensive one"
            yield Finding("to-itself", (*place, "leave_early", "step_up", "to", name), message)
    for name, level in scenario.levels.items():
        if level.waitlist.renege_to == name:
            message = "who gives up waiting for a level cannot join it at once; say home, or another level"
            yield Finding("to-itself", ("levels", name, "waitlist", "renege_to"), message)


def _revenue(scenario: Scenario) -> Iterator[Finding]:
    for name in scenario.money.revenue:
        if name in scenario.levels and not (level := scenario.levels[name]).is_own:
            price = "cost_per_day" if level.cost_per_day is not None else "cost_per_attended_day"
            message = (
                f"a level with a `{price}` is bought from outside and earns nothing; drop one of the two"
            )
            yield Finding("revenue", ("money", "revenue", name), message)


def _services(scenario: Scenario) -> Iterator[Finding]:
    for key, service in scenario.services.items():
        if service.per == "session" or service.within_group:
            word = "within_group: true" if service.within_group else "per: session"
            for index, name in enumerate(service.levels):
                if name in scenario.levels and not scenario.levels[name].groups:
                    message = f'level "{name}" has no groups, so `{word}` makes no work there; drop the level'
                    yield Finding("service", ("services", key, "levels", index), message)


def _tables(scenario: Scenario) -> Iterator[Finding]:
    for name, source in scenario.sources.items():
        for key, table, known in (
            ("tracks", source.tracks, scenario.tracks),
            ("payers", source.payers, scenario.payers),
        ):
            if table is None and len(known) > 1:
                message = f"needs `{key}`: the shares of {words(known)} among its patients"
                yield Finding(MISSING, ("sources", name, key), message)


def _caseloads(scenario: Scenario) -> Iterator[Finding]:
    for name, level in scenario.levels.items():
        role = scenario.staff[level.caseload] if level.caseload else None
        if role and not role.caseload_limit:
            why = (
                "carries no"
                if role.caseload is None
                else f"has room for less than one patient ({role.fte:g} FTE) in its"
            )
            message = f'role "{level.caseload}" {why} caseload; set staff.{level.caseload}.caseload'
            yield Finding("no-caseload", ("levels", name, "caseload"), message)


def _attended(scenario: Scenario) -> Iterator[Finding]:
    for name, level in scenario.levels.items():
        cares = (care_of(level, *who) for who in product(("", *level.by.track), ("", *level.by.source)))
        if level.plan == "attended" and any(
            care.attendance.mean < 1 and care.attendance.discharge_after_missed is None for care in cares
        ):
            message = (
                "a stay of somebody who never comes would not end; set `attendance.discharge_after_missed`"
            )
            yield Finding("plan", ("levels", name, "plan"), message)


def _notes(scenario: Scenario, tree: Any) -> Iterator[Finding]:
    written = paths(tree) if scenario.notes else set()
    if strays := scenario.notes.keys() - written:
        known = written | paths(resolved(scenario))
        for number, about in enumerate(sorted(strays - known)):
            hint = closest(about, known) if number < _MOST_HINTS else ""
            hint = hint or "; write a dotted path, such as run.start"
            yield Finding("no-such-place", ("notes", about), f"the scenario has no such place{hint}")
