"""Tracks on shared therapists: one track is M/M/c/K, and tracks that never meet are apart."""

from __future__ import annotations

import pytest

from iopsim.theory.chains import Unit
from iopsim.theory.erlang import erlang_b
from iopsim.theory.tracks import shared_caseload


def track(arrivals_per_day: float, places: int) -> Unit:
    return Unit(arrivals_per_day=arrivals_per_day, mean_stay_days=1, places=places)


@pytest.mark.parametrize(("places", "caseload"), [(2, 2), (2, 9), (9, 2)])
def test_one_track_is_a_queue_with_the_smaller_limit_and_a_cap(places: int, caseload: int) -> None:
    # M/M/2/3 with a load of 1: weights of 0 to 3 present are 1, 1, 1/2, 1/4
    (exact,) = shared_caseload([track(1, places)], caseload, at_most=1)
    assert exact.refused_share == pytest.approx(1 / 11)
    assert exact.waiting == pytest.approx(1 / 11)
    assert exact.census == pytest.approx((4 + 2 * 2 + 2 * 1) / 11)
    assert exact.mean_wait_days == pytest.approx((1 / 11) / (10 / 11))


def test_tracks_with_therapists_enough_and_nobody_waiting_are_apart() -> None:
    both = shared_caseload([track(2, 3), track(1, 1)], caseload=4, at_most=0)
    assert [one.refused_share for one in both] == pytest.approx([erlang_b(3, 2), erlang_b(1, 1)])


def test_tracks_alike_share_alike() -> None:
    # One patient at a time of either: M/M/1/2 with a load of 1, in which 0, 1 and 2 are as likely.
    one, other = shared_caseload([track(0.5, 1), track(0.5, 1)], caseload=1, at_most=1)
    assert one == other
    assert one.refused_share == pytest.approx(1 / 3)
    assert one.census + other.census == pytest.approx(2 / 3)


def test_who_waits_for_a_full_track_blocks_nobody_of_another() -> None:
    # The first track has no end of patients: its one place and the list are always full, so that the other track,
    # with a place of its own and therapists enough, is a loss system.
    busy, quiet = shared_caseload([track(1e6, 1), track(1, 1)], caseload=2, at_most=1)
    assert busy.census == pytest.approx(1, abs=1e-5)
    assert quiet.refused_share == pytest.approx(1 / 2, abs=1e-5)


@pytest.mark.parametrize(("caseload", "at_most"), [(-1, 0), (1, -1)])
def test_limits_below_nothing_are_refused(caseload: int, at_most: int) -> None:
    with pytest.raises(ValueError, match="0 or more"):
        shared_caseload([track(1, 1)], caseload, at_most)
