"""Erlang B and C against textbook and hand values, identities and extremes."""

from __future__ import annotations

import math
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iopsim.theory.erlang import erlang_b, erlang_c, mmc

loads = st.floats(0.01, 60)


@pytest.mark.parametrize(
    ("servers", "load", "blocking"),
    [
        (0, 3.0, 1.0),
        (1, 1.0, 1 / 2),
        (2, 1.0, 1 / 5),  # (1/2) / (1 + 1 + 1/2)
        (3, 2.0, 4 / 19),  # (8/6) / (1 + 2 + 2 + 8/6)
        (4, 0.0, 0.0),
    ],
)
def test_erlang_b_by_hand(servers: int, load: float, blocking: float) -> None:
    assert erlang_b(servers, load) == pytest.approx(blocking, rel=1e-14)


@given(servers=st.integers(0, 80), load=loads)
def test_erlang_b_equals_the_truncated_poisson(servers: int, load: float) -> None:
    log_weights = [k * math.log(load) - math.lgamma(k + 1) for k in range(servers + 1)]
    top = max(log_weights)
    share = math.exp(log_weights[-1] - top) / math.fsum(math.exp(w - top) for w in log_weights)
    assert erlang_b(servers, load) == pytest.approx(share, rel=1e-9)


def test_erlang_b_stays_exact_with_very_many_places() -> None:
    # At a load equal to the places, B tends to r − 2r²/3 with r = sqrt(2 / (π c)): Jagerman (1974).
    leading = math.sqrt(2 / (math.pi * 100_000))
    assert erlang_b(100_000, 100_000.0) == pytest.approx(leading * (1 - 2 / 3 * leading), rel=1e-4)


@given(load=st.floats(0.01, 0.99))
def test_one_place_is_m_m_1(load: float) -> None:
    queue = mmc(load / 4, 4.0, 1)
    assert queue.wait_share == pytest.approx(load)
    assert queue.mean_waiting == pytest.approx(load**2 / (1 - load))
    assert queue.mean_wait_days == pytest.approx(4 * load / (1 - load))


def test_m_m_2_by_hand() -> None:
    # λ = 3 a day, stays of half a day, a = 3/2: P(0) = 1/7, C = 9/14, Lq = 27/14.
    queue = mmc(3.0, 0.5, 2)
    assert queue.wait_share == pytest.approx(9 / 14)
    assert queue.mean_waiting == pytest.approx(27 / 14)
    assert queue.mean_wait_days == pytest.approx(9 / 14)
    assert queue.utilization == pytest.approx(3 / 4)
    assert queue.wait_tail(0) == pytest.approx(9 / 14)
    assert queue.wait_tail(2.0) == pytest.approx(9 / 14 * math.exp(-2.0))


@given(servers=st.integers(1, 60), use=st.floats(0.05, 0.98))
def test_tail_integrates_to_the_mean_and_waiting_follows_little(servers: int, use: float) -> None:
    queue = mmc(use * servers / 42, 42.0, servers)
    assert queue.wait_share == pytest.approx(erlang_c(servers, use * servers))
    assert queue.wait_tail(0) / queue.drain_per_day == pytest.approx(queue.mean_wait_days)
    assert queue.mean_waiting == pytest.approx(queue.wait_share * use / (1 - use))


@pytest.mark.parametrize(("servers", "load"), [(-1, 1.0), (2, -0.1), (2, math.inf), (2, math.nan)])
def test_erlang_b_refuses_what_makes_no_sense(servers: int, load: float) -> None:
    with pytest.raises(ValueError, match="0 or more"):
        erlang_b(servers, load)


def test_erlang_c_refuses_a_queue_that_never_settles() -> None:
    with pytest.raises(ValueError, match="never settles"):
        erlang_c(3, 3.0)
    with pytest.raises(ValueError, match="never settles"):
        mmc(1.0, 4.0, 3)
    with pytest.raises(ValueError, match="mean stay"):
        mmc(1.0, 0.0, 3)


def test_erlang_and_stays_load_without_heavy_libraries() -> None:
    code = "import sys, iopsim.theory.erlang, iopsim.theory.stays; sys.exit('numpy' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
