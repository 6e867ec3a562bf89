"""What is wrong with the plan from a date on, told at the change that made it so."""

from __future__ import annotations

from itertools import takewhile
from typing import TYPE_CHECKING

from iopsim.scenario.findings import Finding
from iopsim.scenario.tree import dotted

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterable, Iterator

    from iopsim.scenario.schema import Scenario
    from iopsim.scenario.tree import Path

__all__ = ["of_changes"]

_NEAR = 2  # steps in common: a level, a role


def of_changes(scenario: Scenario, check: Callable[[Scenario], Iterable[Finding]]) -> Iterator[Finding]:
    """What a check finds in each edition and did not find in those before."""
    if len(scenario.editions) == 1:
        return
    told: set[tuple[str, Path]] = set()
    for date, plan in scenario.editions:
        new = {
            (finding.code, finding.path): finding
            for finding in check(plan)
            if (finding.code, finding.path) not in told
        }
        told |= new.keys()
        for finding in new.values() if date else ():
            place, path = _cause(scenario, date, finding), dotted(finding.path)
            where = "" if path == place[-1] else f"from then on {path}: "
            yield Finding("change", place, f"{where}{finding.message}")


def _cause(scenario: Scenario, date: dt.date | None, finding: Finding) -> Path:
    """The value set on a date that a finding names or lies nearest to; if all are far, the first change of the date."""
    causes: list[tuple[int, str]] = [
        (number, path)
        for number, change in enumerate(scenario.changes)
        if change.from_ == date
        for path in change.set
    ]

    def nearness(cause: tuple[int, str]) -> int:
        pairs = zip(cause[1].split("."), map(str, finding.place), strict=False)
        near = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
        return len(finding.message) if cause[1] in finding.message else near

    number, path = max(causes, key=nearness)
    is_clear = nearness((number, path)) >= _NEAR or len(causes) == 1
    return ("changes", number, "set", path) if is_clear else ("changes", number, "set")
