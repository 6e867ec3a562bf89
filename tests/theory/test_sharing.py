"""Patients of several kinds who share places or therapists: whose turn it is, and what limits (model.md §6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from iopsim.model.ledger import Fact
from iopsim.scenario.schema import Scenario
from iopsim.theory.erlang import mmc
from tests.theory.replications import (
    DisagreementError,
    Part,
    Run,
    agree,
    replicate,
    run_of,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

ONE_DAY = {"exponential": {"mean": 1}}


def two_levels(**staff: int) -> Scenario:
    """Levels `day` and `evening`, each with a caseload of one patient for each post of its role."""
    roles = dict(zip(("day", "evening"), [*staff, *staff], strict=False))
    return Scenario.model_validate(
        {
            "run": run_of(seed=13, weeks=110),
            "sources": {name: {"to": name, "per_week": 3.5} for name in roles},
            "levels": {name: {"caseload": role, "stay_days": ONE_DAY} for name, role in roles.items()},
            "staff": {role: {"posts": posts, "caseload": 1} for role, posts in staff.items()},
        }
    )


def wait_share_in_both(run: Run) -> Part:
    cohorts = run.joined("day"), run.joined("evening")
    waited = sum((stays.at(Fact.ADMITTED) > stays.at(Fact.JOINED)).sum() for stays in cohorts)
    return waited, sum(map(len, cohorts))


def waiting_in_both(run: Run) -> Part:
    day, evening = (run.stays(name).mean_number(Fact.JOINED, Fact.ADMITTED) for name in ("day", "evening"))
    return day[0] + evening[0], run.days


def shared_caseload_holds(runs: Sequence[Run]) -> None:
    # Whichever level goes first, a therapist with room is idle only when nobody waits for either.
    exact = mmc(1, 1.0, 2)
    agree(runs, {wait_share_in_both: exact.wait_share, waiting_in_both: exact.mean_waiting}, precision=0.05)


def test_two_levels_that_share_a_caseload_wait_as_one() -> None:
    shared_caseload_holds(replicate(two_levels(therapist=2)))


def test_two_levels_with_a_therapist_each_are_caught() -> None:
    with pytest.raises(DisagreementError):
        shared_caseload_holds(replicate(two_levels(counselor=1, therapist=1), replications=10))
