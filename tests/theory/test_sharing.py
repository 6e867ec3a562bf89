"""Patients of several kinds who share places or therapists: whose turn it is, and what limits (model.md §6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from iopsim.model.ledger import Fact
from iopsim.scenario.schema import Scenario
from iopsim.theory.erlang import mmc
from iopsim.theory.priorities import cobham
from tests.theory.replications import (
    DisagreementError,
    Part,
    Run,
    Statistic,
    agree,
    mean_wait,
    named,
    replicate,
    run_of,
    scenario_of,
    wait_share,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

ONE_DAY = {"exponential": {"mean": 1}}


# classes of priority: Cobham

CLASSES = {"urgent": 3.0, "routine": 3.0, "unlisted": 1.5}
PRIORITY = {"urgent": 1, "routine": 2}


def mean_wait_of(origin: str) -> Statistic:
    @named(f"mean_wait of {origin}")
    def statistic(run: Run) -> Part:
        stays = run.joined(origin=origin)
        return (stays.at(Fact.STARTED) - stays.at(Fact.JOINED)).sum(), len(stays)

    return statistic


def cobham_holds(runs: Sequence[Run]) -> None:
    exact = cobham([rate / 7 for rate in CLASSES.values()], mean_stay_days=1, servers=2)
    waits = {mean_wait_of(origin): wait_days for origin, wait_days in zip(CLASSES, exact, strict=True)}
    agree(runs, waits, precision=0.05)


def with_priority(priority: dict[str, int]) -> Scenario:
    level = {"places": 2, "stay_days": ONE_DAY, "waitlist": {"priority": priority}}
    return scenario_of(level, CLASSES, seed=11, weeks=220)


def test_classes_of_priority_wait_as_cobham_says() -> None:
    cobham_holds(replicate(with_priority(PRIORITY)))


def test_an_order_without_classes_is_not_cobham() -> None:
    with pytest.raises(DisagreementError, match="urgent"):
        cobham_holds(replicate(with_priority({}), replications=10))


# places by track: nobody waits for the places of others


def two_tracks(discipline: str) -> Scenario:
    level = {"places": {"mood": 2, "sud": 1}, "stay_days": ONE_DAY, "waitlist": {"discipline": discipline}}
    scenario = scenario_of(
        level, {"mood": 7.0, "sud": 3.5}, seed=12, weeks=100, tracks={"mood": {}, "sud": {}}
    )
    sources = {
        name: source.model_copy(update={"tracks": {name: 1.0}}) for name, source in scenario.sources.items()
    }
    return scenario.model_copy(update={"sources": sources})


def tracks_wait_apart(runs: Sequence[Run]) -> None:
    waits = {mean_wait_of("mood"): mmc(1, 1.0, 2), mean_wait_of("sud"): mmc(0.5, 1.0, 1)}
    agree(runs, {statistic: exact.mean_wait_days for statistic, exact in waits.items()}, precision=0.05)


def test_who_waits_for_one_track_blocks_nobody_of_another() -> None:
    tracks_wait_apart(replicate(two_tracks("first_feasible")))


def test_a_head_that_blocks_is_caught() -> None:
    with pytest.raises(DisagreementError):
        tracks_wait_apart(replicate(two_tracks("strict"), replications=10))


# a place and a therapist with room: the smaller limit


def jointly_limited(places: int, posts: int) -> Scenario:
    level = {"places": places, "caseload": "therapist", "stay_days": ONE_DAY}
    staff = {"therapist": {"posts": posts, "caseload": 2}}
    return scenario_of(level, per_week=7, seed=10 * places + posts, weeks=110, staff=staff)


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
