"""What no part of a scenario can see alone: what its parts say together, and cannot mean.

care      stays, laws and attendance that differ by kind of patient
access    stages, payers and waitlists
groups    rooms, mergers and cohorts
staff     services, caseloads, appointments and supervision
money     prices of levels and days, and of the alternative
dates     days that cannot be meant
today     a run that begins with who is in care today
editions  what a dated change makes wrong
size      runs that no machine could hold
whole     tables, targets and notes
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any

from iopsim.scenario.canonical import resolved
from iopsim.scenario.checks import access, care, groups, money, size, staff, today, whole
from iopsim.scenario.checks.dates import of_dates
from iopsim.scenario.checks.editions import of_changes
from iopsim.scenario.names import dangling
from iopsim.scenario.routing import circles, unserved

if TYPE_CHECKING:
    from collections.abc import Iterator

    from iopsim.scenario.findings import Finding
    from iopsim.scenario.schema import Scenario

__all__ = ["of_dates", "of_editions", "of_parts", "of_whole"]

_OF_PARTS = (
    *care.CHECKS,
    *access.CHECKS,
    circles,
    *groups.CHECKS,
    *staff.CHECKS,
    *money.CHECKS,
    *today.CHECKS,
)
_OF_WHOLE = (*whole.CHECKS, *size.CHECKS, access.lifted, staff.carried, care.ended, unserved)


def of_parts(scenario: Scenario) -> Iterator[Finding]:
    """Faults that stay faults when other sources, payers, rooms, levels, roles or services are missing."""
    return chain.from_iterable(check(scenario) for check in _OF_PARTS)


def of_whole(scenario: Scenario, tree: Any) -> Iterator[Finding]:
    """Faults that show only when every part is well; `tree` is the plain tree that was written."""
    yield from chain.from_iterable(check(scenario) for check in _OF_WHOLE)
    yield from whole.notes(scenario, tree)


def of_editions(scenario: Scenario) -> Iterator[Finding]:
    """Faults that dated changes bring into a plan that is well before them, each at its change."""

    def of_plan(plan: Scenario) -> Iterator[Finding]:
        yield from of_parts(plan)
        yield from dangling(resolved(plan), ())
        yield from chain.from_iterable(check(plan) for check in _OF_WHOLE)

    return of_changes(scenario, of_plan)
