"""A level that can be full: who waits, how long, and who gives up (model.md §11)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from iopsim.model.ledger import Fact
from tests.theory.replications import (
    DisagreementError,
    Run,
    agree,
    mean_waiting,
    replicate,
    scenario_of,
    share_joined,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from iopsim.scenario.schema import Scenario

ONE_DAY = {"exponential": {"mean": 1}}


# a waitlist with room for a few: M/M/c/K


def capped(at_most: int) -> Scenario:
    level = {"places": 2, "stay_days": ONE_DAY, "waitlist": {"at_most": at_most}}
    return scenario_of(level, per_week=14, seed=4, weeks=40)


def capped_list_holds(runs: Sequence[Run], at_most: int) -> None:
    """With a load of 2 on 2 places, the chain of those present goes up and down at the same rate from 2 on."""
    weights = [1, 2, *[2] * (at_most + 1)]
    refused = weights[-1] / sum(weights)
    waiting = sum(weights[2 + number] * number for number in range(at_most + 1)) / sum(weights)
    agree(runs, {share_joined(Fact.REFUSED): refused, mean_waiting: waiting})


def test_a_list_of_three_refuses_who_finds_it_full() -> None:
    capped_list_holds(replicate(capped(at_most=3), replications=60), at_most=3)


def test_a_list_of_four_is_caught() -> None:
    with pytest.raises(DisagreementError):
        capped_list_holds(replicate(capped(at_most=4), replications=25), at_most=3)
