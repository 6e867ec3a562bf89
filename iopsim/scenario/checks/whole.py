"""What only the whole of a scenario can tell: shares that are missing, targets, notes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from iopsim.scenario.canonical import paths, resolved
from iopsim.scenario.distributions.faults import closest
from iopsim.scenario.findings import MISSING, Finding, words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from iopsim.scenario.schema import Scenario

__all__ = ["CHECKS", "notes"]

_MOST_HINTS = 20  # each compares a note with every path of the scenario


def _tables(scenario: Scenario) -> Iterator[Finding]:
    for name, source in scenario.sources.items():
        said = source.trace.columns if source.trace else ()
        for trait, key, table, known in (
            ("track", "tracks", source.tracks, scenario.tracks),
            ("payer", "payers", source.payers, scenario.payers),
        ):
            if table is None and len(known) > 1 and trait not in said:
                message = f"needs `{key}`: the shares of {words(known)} among its patients"
                yield Finding(MISSING, ("sources", name, key), message)


def _precision(scenario: Scenario) -> Iterator[Finding]:
    rule = scenario.run.rule
    if rule and not rule.of and not scenario.targets:
        message = (
            "nothing to judge the precision of: there are no targets; add `targets:`, or name metrics in `of`"
        )
        yield Finding("nothing-to-judge", ("run", "replications"), message)


def notes(scenario: Scenario, tree: Any) -> Iterator[Finding]:
    """Notes about places that the scenario does not have."""
    written = paths({key: part for key, part in tree.items() if key != "notes"}) if scenario.notes else set()
    if strays := scenario.notes.keys() - written:
        known = written | paths({key: part for key, part in resolved(scenario).items() if key != "notes"})
        for number, about in enumerate(sorted(strays - known)):
            hint = closest(about, known) if number < _MOST_HINTS else ""
            hint = hint or "; write a dotted path, such as run.start"
            yield Finding("no-such-place", ("notes", about), f"the scenario has no such place{hint}")


CHECKS = (_tables, _precision)
