"""A level that can be full: who waits, how long, and who gives up (model.md §11)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import pytest

from iopsim.model.allocation import Allocator
from iopsim.model.capacity import Offer, Places
from iopsim.model.journey import Journey
from iopsim.model.ledger import Fact
from iopsim.model.people import State
from iopsim.model.staff import Caseload
from iopsim.model.units import Unit
from iopsim.model.waitlist import Waitlist
from iopsim.scenario.schema import Scenario
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
    run_of,
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
    agree(runs, mean_wait, exact.mean_wait_days, precision=0.04)
    agree(runs, mean_waiting, exact.mean_waiting, precision=0.04)
    agree(runs, mean_in_care, exact.utilization * places)
    for days in (0.5, 1.0):
        agree(runs, partial(waits_longer_than, days=days), exact.wait_tail(days))

MMC = scenario_of({"places": 2, "stay_days": ONE_DAY}, per_week=7, weeks=245)


def test_endless_patience_is_erlang_c() -> None:
    erlang_c_holds(replicate(MMC), arrivals_per_day=1, places=2)


def test_last_come_first_served_is_not_erlang_c(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Waitlist, "add", last_come_first_served)
    with pytest.raises(Disagreement, match="waits_longer_than"):
        erlang_c_holds(replicate(MMC), arrivals_per_day=1, places=2)


# ── patience: Erlang A ───────────────────────────────────────────────────────────────────────────────────────

MMCM = scenario_of(
    {"places": 3, "stay_days": ONE_DAY, "waitlist": {"patience_days": {"exponential": {"mean": 2}}}},
    per_week=28,
    weeks=20,
)


def erlang_a_holds(runs: Sequence[Run]) -> None:
    exact = erlang_a(arrivals_per_day=4, mean_stay_days=1, servers=3, mean_patience_days=2)
    agree(runs, wait_share, exact.wait_share)
    agree(runs, share_joined(Fact.RENEGED), exact.renege_share)
    agree(runs, mean_waiting, exact.mean_waiting)
    agree(runs, mean_in_care, exact.mean_in_care)
    agree(runs, mean_wait_until(Fact.STARTED), exact.mean_wait_days_of_starters)
    agree(runs, mean_wait_until(Fact.RENEGED), exact.mean_wait_days_of_renegers)
    for days in (0.25, 1.0):
        agree(runs, partial(started_within, days=days), exact.started_within(days))


def test_exponential_patience_is_erlang_a() -> None:
    erlang_a_holds(replicate(MMCM))


def test_an_order_of_waiting_turned_round_is_not_erlang_a(monkeypatch: pytest.MonkeyPatch) -> None:
    # It changes neither how many wait nor how many give up, only whose turn it is.
    monkeypatch.setattr(Waitlist, "add", last_come_first_served)
    with pytest.raises(Disagreement, match="mean_wait_until_started"):
        erlang_a_holds(replicate(MMCM))


def test_patience_that_runs_on_after_admission_is_not_erlang_a(monkeypatch: pytest.MonkeyPatch) -> None:
    renege = Journey._renege

    def also_out_of_care(journey: Journey, stay: Stay) -> None:
        if stay.state is State.IN_CARE:
            journey.leave(stay)
        renege(journey, stay)

    monkeypatch.setattr(Journey, "_renege", also_out_of_care)
    with pytest.raises(Disagreement):
        erlang_a_holds(replicate(MMCM))


def test_a_place_lost_with_everyone_who_gives_up_is_not_erlang_a(monkeypatch: pytest.MonkeyPatch) -> None:
    renege = Journey._renege

    def taking_a_place_along(journey: Journey, stay: Stay) -> None:
        if stay.state is State.WAITING and stay.number % 50 == 0:
            stay.unit.capacity.count(stay, 1)
        renege(journey, stay)

    monkeypatch.setattr(Journey, "_renege", taking_a_place_along)
    with pytest.raises(Disagreement):
        erlang_a_holds(replicate(MMCM, replications=4))


# ── classes of priority: Cobham ──────────────────────────────────────────────────────────────────────────────

CLASSES = {"urgent": 5.0, "routine": 5.0, "unlisted": 3.0}
PRIORITY = {"urgent": 1, "routine": 2}


def mean_wait_of(origin: str) -> Statistic:
    def statistic(run: Run) -> Part:
        stays = run.joined(origin=origin)
        return (stays.at(Fact.STARTED) - stays.at(Fact.JOINED)).sum(), len(stays)

    statistic.__name__ = f"mean_wait of {origin}"
    return statistic


def cobham_holds(runs: Sequence[Run]) -> None:
    exact = cobham([rate / 7 for rate in CLASSES.values()], mean_stay_days=1, servers=3)
    for origin, wait_days in zip(CLASSES, exact, strict=True):
        agree(runs, mean_wait_of(origin), wait_days, precision=0.05)


def with_priority(priority: dict[str, int]) -> Scenario:
    level = {"places": 3, "stay_days": ONE_DAY, "waitlist": {"priority": priority}}
    return scenario_of(level, CLASSES, weeks=130)


def test_classes_of_priority_wait_as_cobham_says() -> None:
    cobham_holds(replicate(with_priority(PRIORITY)))


def test_an_order_without_classes_is_not_cobham() -> None:
    with pytest.raises(Disagreement, match="urgent"):
        cobham_holds(replicate(with_priority({}), replications=10))


# ── fixed stays: M/D/c ───────────────────────────────────────────────────────────────────────────────────────


def test_a_constant_stay_is_m_d_c() -> None:
    scenario = scenario_of({"places": 2, "stay_days": 1}, per_week=9.8, weeks=100)
    agree(replicate(scenario), mean_wait, mdc_wait(arrivals_per_day=1.4, stay_days=1, servers=2))


def test_an_exponential_stay_is_not_m_d_c() -> None:
    scenario = scenario_of({"places": 2, "stay_days": ONE_DAY}, per_week=9.8, weeks=100)
    with pytest.raises(Disagreement):
        agree(replicate(scenario), mean_wait, mdc_wait(arrivals_per_day=1.4, stay_days=1, servers=2))


# ── a place and a therapist with room: the smaller limit ─────────────────────────────────────────────────────


def jointly_limited(places: int, posts: int) -> Scenario:
    level = {"places": places, "caseload": "therapist", "stay_days": ONE_DAY}
    return scenario_of(level, per_week=7, weeks=110, staff={"therapist": {"posts": posts, "caseload": 2}})


def joint_limit_holds(runs: Sequence[Run], smaller: int) -> None:
    exact = mmc(1, 1.0, smaller)
    agree(runs, wait_share, exact.wait_share)
    agree(runs, mean_wait, exact.mean_wait_days, precision=0.05)


@pytest.mark.parametrize(("places", "posts"), [(2, 2), (5, 1)])
def test_the_smaller_of_places_and_caseload_is_the_limit(places: int, posts: int) -> None:
    joint_limit_holds(replicate(jointly_limited(places, posts)), smaller=2)


def test_a_caseload_that_limits_nothing_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Caseload, "has_room", True)
    with pytest.raises(Disagreement):
        joint_limit_holds(replicate(jointly_limited(places=5, posts=1), replications=10), smaller=2)


def test_a_place_that_limits_nothing_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Places, "find", lambda places, need, now: Offer(pool=need[0]))
    with pytest.raises(Disagreement):
        joint_limit_holds(replicate(jointly_limited(places=2, posts=2), replications=10), smaller=2)


def shared_caseload() -> Scenario:
    level = {"caseload": "therapist", "stay_days": ONE_DAY}
    return Scenario.model_validate(
        {
            "run": run_of(weeks=110),
            "sources": {name: {"to": name, "per_week": 3.5} for name in ("day", "evening")},
            "levels": {"day": level, "evening": level},
            "staff": {"therapist": {"posts": 2, "caseload": 1}},
        }
    )


def wait_share_of_both(run: Run) -> Part:
    parts = [wait_share_in(run, level) for level in ("day", "evening")]
    return sum(above for above, _ in parts), sum(below for _, below in parts)


def wait_share_in(run: Run, level: str) -> Part:
    stays = run.joined(level)
    return (stays.at(Fact.ADMITTED) > stays.at(Fact.JOINED)).sum(), len(stays)


def waiting_in_both(run: Run) -> Part:
    parts = [run.stays(level).mean_number(Fact.JOINED, Fact.ADMITTED) for level in ("day", "evening")]
    return sum(area for area, _ in parts), run.days


def test_two_levels_that_share_a_caseload_wait_as_one() -> None:
    # Whichever level goes first, a therapist with room is idle only when nobody waits.
    runs, exact = replicate(shared_caseload()), mmc(1, 1.0, 2)
    agree(runs, wait_share_of_both, exact.wait_share)
    agree(runs, waiting_in_both, exact.mean_waiting, precision=0.05)


def test_room_that_is_not_offered_to_the_other_level_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    ask, releasing = Allocator.ask, []

    def ask_own_level_only(allocator: Allocator, unit: Unit) -> None:
        releasing.append(unit)
        if len(releasing) % 2:
            ask(allocator, unit)

    monkeypatch.setattr(Allocator, "ask", ask_own_level_only)
    with pytest.raises(Disagreement):
        agree(replicate(shared_caseload(), replications=10), waiting_in_both, mmc(1, 1.0, 2).mean_waiting)
