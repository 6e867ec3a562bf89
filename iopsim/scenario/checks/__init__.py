"""What no part of a scenario can see alone: what its parts say together, and cannot mean.

care      stays, laws and attendance that differ by kind of patient
access    stages, payers and waitlists
groups    rooms, mergers and cohorts
staff     services, caseloads, appointments and supervision
dates     days that cannot be meant
whole     tables, targets and notes
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any

from iopsim.scenario.checks import access, care, groups, staff, whole
from iopsim.scenario.checks.dates import of_dates
from iopsim.scenario.routing import circles, unserved

if TYPE_CHECKING:
    from collections.abc import Iterator

    from iopsim.scenario.findings import Finding
    from iopsim.scenario.schema import Scenario

__all__ = ["of_dates", "of_parts", "of_whole"]

_OF_PARTS = (*care.CHECKS, *access.CHECKS, circles, *groups.CHECKS, *staff.CHECKS)
_OF_WHOLE = (*whole.CHECKS, access.lifted, staff.carried, care.ended, unserved)


def of_parts(scenario: Scenario) -> Iterator[Finding]:
    """Faults that stay faults when other sources, payers, rooms, levels, roles or services are missing."""
    return chain.from_iterable(check(scenario) for check in _OF_PARTS)


def of_whole(scenario: Scenario, tree: Any) -> Iterator[Finding]:
    """Faults that show only when every part is well; `tree` is the plain tree that was written."""
    yield from chain.from_iterable(check(scenario) for check in _OF_WHOLE)
    yield from whole.notes(scenario, tree)
