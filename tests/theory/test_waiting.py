"""A level that can be full: who waits, how long, and who gives up (model.md §11)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from iopsim.model.capacity import Places
from iopsim.model.journey import Journey
from iopsim.model.ledger import Fact
from iopsim.model.people import State
from iopsim.model.waitlist import Waitlist
from iopsim.theory.abandonment import erlang_a
from iopsim.theory.deterministic import mdc_wait
from iopsim.theory.erlang import mmc
from tests.theory.replications import (
    DisagreementError,
    Run,
    agree,
    last_come_first_served,
    mean_in_care,
    mean_wait,
    mean_wait_until,
    mean_waiting,
    measured,
    replicate,
    scenario_of,
    share_joined,
    started_within,
    wait_share,
    waits_longer_than,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from iopsim.model.people import Stay
    from iopsim.scenario.schema import Scenario

ONE_DAY = {"exponential": {"mean": 1}}


# patience without end: Erlang C


def erlang_c_holds(runs: Sequence[Run], arrivals_per_day: float, places: int) -> None:
    exact = mmc(arrivals_per_day, 1.0, places)
    within_limits = {wait_share: exact.wait_share, mean_in_care: exact.utilization * places}
    waits = {mean_wait: exact.mean_wait_days, mean_waiting: exact.mean_waiting}
    tail = {waits_longer_than(days): exact.wait_tail(days) for days in (0.5, 1.0)}
    agree(runs, within_limits | waits | tail, precision=0.04)


MMC = scenario_of({"places": 2, "stay_days": ONE_DAY}, per_week=7, seed=1, weeks=245)


def test_endless_patience_is_erlang_c() -> None:
    erlang_c_holds(replicate(MMC), arrivals_per_day=1, places=2)


def test_last_come_first_served_is_not_erlang_c(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Waitlist, "add", last_come_first_served)
    with pytest.raises(DisagreementError, match="waits_longer_than"):
        erlang_c_holds(replicate(MMC, replications=15), arrivals_per_day=1, places=2)


# patience: Erlang A

MMCM = scenario_of(
    {"places": 3, "stay_days": ONE_DAY, "waitlist": {"patience_days": {"exponential": {"mean": 2}}}},
    per_week=28,
    seed=2,
    weeks=32,
)


def erlang_a_holds(runs: Sequence[Run]) -> None:
    exact = erlang_a(arrivals_per_day=4, mean_stay_days=1, servers=3, mean_patience_days=2)
    numbers = {
        wait_share: exact.wait_share,
        share_joined(Fact.RENEGED): exact.renege_share,
        mean_waiting: exact.mean_waiting,
        mean_in_care: exact.mean_in_care,
    }
    waits = {
        mean_wait_until(Fact.STARTED): exact.mean_wait_days_of_starters,
        mean_wait_until(Fact.RENEGED): exact.mean_wait_days_of_renegers,
    }
    starts = {started_within(days): exact.started_within(days) for days in (0.25, 1.0)}
    metrics = {
        measured("clinic.reneged.share"): exact.renege_share,
        measured("clinic.waitlist.mean"): exact.mean_waiting,
        measured("clinic.census.mean"): exact.mean_in_care,
        measured("clinic.utilization.mean"): exact.mean_in_care / 3,
        measured("clinic.wait_days"): exact.mean_wait_days_of_starters,
        measured("clinic.reneged_wait_days"): exact.mean_wait_days_of_renegers,
    }
    agree(runs, numbers | waits | starts | metrics)


def test_exponential_patience_is_erlang_a() -> None:
    erlang_a_holds(replicate(MMCM))


def test_an_order_of_waiting_turned_round_is_not_erlang_a(monkeypatch: pytest.MonkeyPatch) -> None:
    # It changes neither how many wait nor how many give up, only whose turn it is.
    monkeypatch.setattr(Waitlist, "add", last_come_first_served)
    with pytest.raises(DisagreementError, match="mean_wait_until_started"):
        erlang_a_holds(replicate(MMCM, replications=20))


def test_patience_that_runs_on_after_admission_is_not_erlang_a(monkeypatch: pytest.MonkeyPatch) -> None:
    renege = Journey._renege

    def also_out_of_care(journey: Journey, stay: Stay) -> None:
        if stay.state is State.IN_CARE:
            journey.leave(stay)
        renege(journey, stay)

    monkeypatch.setattr(Journey, "_renege", also_out_of_care)
    with pytest.raises(DisagreementError):
        erlang_a_holds(replicate(MMCM, replications=20))


def test_places_that_are_never_given_back_are_not_erlang_a(monkeypatch: pytest.MonkeyPatch) -> None:
    give_back = Places.give_back

    def now_and_then_not(places: Places, stay: Stay) -> None:
        if stay.number % 200:
            give_back(places, stay)

    monkeypatch.setattr(Places, "give_back", now_and_then_not)
    with pytest.raises(DisagreementError):
        erlang_a_holds(replicate(MMCM, replications=20))


# fixed stays: M/D/c


def m_d_c_holds(runs: Sequence[Run]) -> None:
    agree(runs, {mean_wait: mdc_wait(arrivals_per_day=1.4, stay_days=1, servers=2)})


def two_places(law: Any) -> Scenario:
    return scenario_of({"places": 2, "stay_days": law}, per_week=9.8, seed=3, weeks=160)


def test_a_constant_stay_is_m_d_c() -> None:
    m_d_c_holds(replicate(two_places(law=1)))


def test_an_exponential_stay_is_not_m_d_c() -> None:
    with pytest.raises(DisagreementError):
        m_d_c_holds(replicate(two_places(law=ONE_DAY), replications=12))


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
    capped_list_holds(replicate(capped(at_most=3)), at_most=3)


def test_a_list_of_four_is_caught() -> None:
    with pytest.raises(DisagreementError):
        capped_list_holds(replicate(capped(at_most=4), replications=25), at_most=3)
