"""A level that can be full: who waits, how long, and who gives up (model.md §11)."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest

from iopsim.model.capacity import Places
from iopsim.model.journey import Journey
from iopsim.model.ledger import Fact
from iopsim.model.people import State
from iopsim.model.waitlist import Waitlist
from iopsim.scenario.schema import Scenario
from iopsim.theory.abandonment import erlang_a
from iopsim.theory.deterministic import mdc_wait
from iopsim.theory.erlang import mmc
from iopsim.theory.priorities import cobham
from tests.theory.replications import (
    DisagreementError,
    Part,
    Run,
    Statistic,
    agree,
    last_come_first_served,
    mean_in_care,
    mean_wait,
    mean_waiting,
    replicate,
    run_of,
    scenario_of,
    share_joined,
    wait_share,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from iopsim.model.people import Stay

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


# patience without end: Erlang C


def erlang_c_holds(runs: Sequence[Run], arrivals_per_day: float, places: int) -> None:
    exact = mmc(arrivals_per_day, 1.0, places)
    within_limits = {wait_share: exact.wait_share, mean_in_care: exact.utilization * places}
    waits = {mean_wait: exact.mean_wait_days, mean_waiting: exact.mean_waiting}
    tail = {partial(waits_longer_than, days=days): exact.wait_tail(days) for days in (0.5, 1.0)}
    agree(runs, within_limits | waits | tail, precision=0.04)


MMC = scenario_of({"places": 2, "stay_days": ONE_DAY}, per_week=7, weeks=245)


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
    starts = {partial(started_within, days=days): exact.started_within(days) for days in (0.25, 1.0)}
    agree(runs, numbers | waits | starts)


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


# classes of priority: Cobham

CLASSES = {"urgent": 3.0, "routine": 3.0, "unlisted": 1.5}
PRIORITY = {"urgent": 1, "routine": 2}


def mean_wait_of(origin: str) -> Statistic:
    def statistic(run: Run) -> Part:
        stays = run.joined(origin=origin)
        return (stays.at(Fact.STARTED) - stays.at(Fact.JOINED)).sum(), len(stays)

    statistic.__name__ = f"mean_wait of {origin}"
    return statistic


def cobham_holds(runs: Sequence[Run]) -> None:
    exact = cobham([rate / 7 for rate in CLASSES.values()], mean_stay_days=1, servers=2)
    waits = {mean_wait_of(origin): wait_days for origin, wait_days in zip(CLASSES, exact, strict=True)}
    agree(runs, waits, precision=0.05)


def with_priority(priority: dict[str, int]) -> Scenario:
    level = {"places": 2, "stay_days": ONE_DAY, "waitlist": {"priority": priority}}
    return scenario_of(level, CLASSES, weeks=180)


def test_classes_of_priority_wait_as_cobham_says() -> None:
    cobham_holds(replicate(with_priority(PRIORITY)))


def test_an_order_without_classes_is_not_cobham() -> None:
    with pytest.raises(DisagreementError, match="urgent"):
        cobham_holds(replicate(with_priority({}), replications=10))


# fixed stays: M/D/c


def m_d_c_holds(runs: Sequence[Run]) -> None:
    agree(runs, {mean_wait: mdc_wait(arrivals_per_day=1.4, stay_days=1, servers=2)})


def test_a_constant_stay_is_m_d_c() -> None:
    m_d_c_holds(replicate(scenario_of({"places": 2, "stay_days": 1}, per_week=9.8, weeks=100)))


def test_an_exponential_stay_is_not_m_d_c() -> None:
    with pytest.raises(DisagreementError):
        m_d_c_holds(replicate(scenario_of({"places": 2, "stay_days": ONE_DAY}, per_week=9.8, weeks=30)))


# a place and a therapist with room: the smaller limit


def jointly_limited(places: int, posts: int) -> Scenario:
    level = {"places": places, "caseload": "therapist", "stay_days": ONE_DAY}
    return scenario_of(level, per_week=7, weeks=110, staff={"therapist": {"posts": posts, "caseload": 2}})


def joint_limit_holds(runs: Sequence[Run], smaller: int) -> None:
    exact = mmc(1, 1.0, smaller)
    agree(runs, {wait_share: exact.wait_share, mean_wait: exact.mean_wait_days}, precision=0.05)


@pytest.mark.parametrize(("places", "posts"), [(2, 2), (5, 1)])
def test_the_smaller_of_places_and_caseload_is_the_limit(places: int, posts: int) -> None:
    joint_limit_holds(replicate(jointly_limited(places, posts)), smaller=2)


@pytest.mark.parametrize(("places", "posts"), [(3, 2), (5, 2)])
def test_a_smaller_limit_that_does_not_bind_is_caught(places: int, posts: int) -> None:
    with pytest.raises(DisagreementError):
        joint_limit_holds(replicate(jointly_limited(places, posts), replications=10), smaller=2)


def two_levels(**staff: int) -> Scenario:
    """Levels `day` and `evening`, each with a caseload of one patient for each post of its role."""
    roles = dict(zip(("day", "evening"), [*staff, *staff], strict=False))
    return Scenario.model_validate(
        {
            "run": run_of(weeks=110),
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
