"""A level that can be full: who waits, how long, and who gives up (model.md §11)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import pytest

from iopsim.model.capacity import Places
from iopsim.model.journey import Journey
from iopsim.model.ledger import Fact
from iopsim.model.people import State
from iopsim.model.staff import Caseload
from iopsim.model.waitlist import Waitlist
from iopsim.theory.abandonment import erlang_a
from iopsim.theory.deterministic import mdc_wait
from iopsim.theory.erlang import mmc
from iopsim.theory.priorities import cobham
from tests.theory.replications import (
    Disagreement,
    Part,
    Run,
    Statistic,
    agree,
    last_come_first_served,
    mean_in_care,
    mean_wait,
    mean_waiting,
    replicate,
    scenario_of,
    share_joined,
    wait_share,
)

ONE_DAY = {"exponential": {"mean": 1}}


def waits_longer_than(run: Run, days: float) -> Part:
    stays = run.joined()
    return (stays.at(Fact.STARTED) - stays.at(Fact.JOINED) > days).sum(), len(stays)


def started_within(run: Run, days: float) -> Part:
    stays = run.joined()
    return (stays.at(Fact.STARTED) - stays.at(Fact.JOINED) <= days).sum(), len(stays)


def mean_wait_until(fact: Fact) -> Statistic:
    """Mean days on the waitlist of those who leave it in this way."""

    def statistic(run: Run) -> Part:
        stays = run.joined()
        stays = stays[stays.had(fact)]
        return (stays.at(fact) - stays.at(Fact.JOINED)).sum(), len(stays)

    statistic.__name__ = f"mean_wait_until_{fact.name.lower()}"
    return statistic


# ── patience without end: Erlang C ───────────────────────────────────────────────────────────────────────────


def erlang_c_holds(runs: Sequence[Run], arrivals_per_day: float, places: int) -> None:
    exact = mmc(arrivals_per_day, 1.0, places)
    agree(runs, wait_share, exact.wait_share)
    agree(runs, mean_wait, exact.mean_wait_days)
    agree(runs, mean_waiting, exact.mean_waiting)
    agree(runs, mean_in_care, exact.utilization * places)
    for days in (0.5, 1.0):
        agree(runs, partial(waits_longer_than, days=days), exact.wait_tail(days), precision=0.06)


MMC = scenario_of({"places": 3, "stay_days": ONE_DAY}, per_week=14, weeks=80)


def test_endless_patience_is_erlang_c() -> None:
    erlang_c_holds(replicate(MMC), arrivals_per_day=2, places=3)


def test_last_come_first_served_is_not_erlang_c(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Waitlist, "add", last_come_first_served)
    with pytest.raises(Disagreement, match="waits_longer_than"):
        erlang_c_holds(replicate(MMC), arrivals_per_day=2, places=3)
