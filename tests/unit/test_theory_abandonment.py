"""Erlang A against published values, limits, linear systems and a simulation from first principles."""

from __future__ import annotations

import heapq
import math
from collections import deque

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad

from iopsim.theory.abandonment import erlang_a
from iopsim.theory.chains import expected, stationary
from iopsim.theory.erlang import erlang_b, mmc

CASES = [
    (0.4, 42.0, 12, 21.0),
    (2.0, 5.0, 3, 4.0),  # far overloaded
    (1.0, 0.5, 4, 30.0),  # hardly used
    (1.0, 3.0, 3, 3.0),  # patience equal to the stay: in care and waiting is M/M/∞
]


def test_published_call_center() -> None:
    # Garnett, Mandelbaum & Reiman (2002), introduction: 50 agents, 48 calls a minute, one minute of service,
    # two of patience: 3.1 % give up, mean wait 3.7 s, queue 3, agents 93 % busy (here a minute is a day).
    queue = erlang_a(48.0, 1.0, 50, 2.0)
    assert round(100 * queue.renege_share, 1) == 3.1
    assert round(60 * queue.mean_wait_days_of_all, 1) == 3.7
    assert round(queue.mean_waiting) == 3
    assert round(100 * queue.mean_in_care / 50) == 93


def test_one_place_by_hand() -> None:
    # λ = μ = θ = 1: the total is Poisson(1), so P(0) = 1/e; the place is used and reneges are 1 − (1 − 1/e).
    queue = erlang_a(1.0, 1.0, 1, 1.0)
    assert queue.mean_in_care == pytest.approx(1 - math.exp(-1))
    assert queue.wait_share == pytest.approx(1 - math.exp(-1))
    assert queue.mean_waiting == pytest.approx(math.exp(-1))
    assert queue.renege_share == pytest.approx(math.exp(-1))


@pytest.mark.parametrize("case", CASES)
def test_against_a_chain_and_a_tagged_patient_solved_as_linear_systems(
    case: tuple[float, float, int, float],
) -> None:
    arrivals, stay, servers, patience = case
    serve, renege, top = servers / stay, 1 / patience, 220

    def moves(n: int) -> list[tuple[int, float]]:
        up = [(n + 1, arrivals)] if n < top else []
        return [*up, (n - 1, min(n, servers) / stay + max(n - servers, 0) * renege)]

    shares = stationary(0, moves)
    ahead = np.arange(top + 1 - servers)
    found = np.array([shares[servers + j] for j in ahead])
    # With j ahead: up in line at serve + jθ, giving up at θ. Rows are total rate × value = inflow of value.
    total = serve + (ahead + 1) * renege
    system = np.diag(total) - np.diag((serve + ahead * renege)[1:], -1)
    starts = np.linalg.solve(system, np.where(ahead == 0, serve, 0.0))
    gives_up = 1 - starts
    days_if_starts = np.linalg.solve(system, starts)
    days_if_gives_up = np.linalg.solve(system, gives_up)
    queue = erlang_a(*case)
    assert queue.wait_share == pytest.approx(found.sum(), rel=1e-9)
    assert queue.mean_waiting == pytest.approx(expected(shares, lambda n: max(n - servers, 0)), rel=1e-9)
    assert queue.mean_in_care == pytest.approx(expected(shares, lambda n: min(n, servers)), rel=1e-9)
    assert queue.renege_share == pytest.approx(found @ gives_up, rel=1e-9)
    assert queue.mean_wait_days_of_starters == pytest.approx(
        found @ days_if_starts / (1 - queue.renege_share), rel=1e-9
    )
    assert queue.mean_wait_days_of_renegers == pytest.approx(
        found @ days_if_gives_up / queue.renege_share, rel=1e-9
    )


@given(
    arrivals=st.floats(0.05, 4),
    stay=st.floats(0.5, 40),
    servers=st.integers(1, 60),
    patience=st.floats(0.2, 200),
)
def test_flows_balance(arrivals: float, stay: float, servers: int, patience: float) -> None:
    queue = erlang_a(arrivals, stay, servers, patience)
    assert arrivals * (1 - queue.renege_share) == pytest.approx(queue.mean_in_care / stay)
    assert arrivals * queue.renege_share == pytest.approx(queue.mean_waiting / patience)
    by_outcome = (1 - queue.renege_share) * queue.mean_wait_days_of_starters
    if queue.renege_share:
        by_outcome += queue.renege_share * queue.mean_wait_days_of_renegers
    assert by_outcome == pytest.approx(queue.mean_wait_days_of_all)


def test_endless_patience_is_erlang_c() -> None:
    plain = mmc(0.4, 42.0, 20)
    for patience, rel in ((math.inf, 1e-12), (1e9, 1e-6)):
        queue = erlang_a(0.4, 42.0, 20, patience)
        assert queue.wait_share == pytest.approx(plain.wait_share, rel=rel)
        assert queue.mean_wait_days_of_all == pytest.approx(plain.mean_wait_days, rel=rel)
        assert queue.mean_wait_days_of_starters == pytest.approx(plain.mean_wait_days, rel=rel)
        assert queue.mean_waiting == pytest.approx(plain.mean_waiting, rel=rel)
        assert 1 - queue.started_within(9.0) == pytest.approx(plain.wait_tail(9.0), rel=rel)
    assert math.isnan(erlang_a(0.4, 42.0, 20, math.inf).mean_wait_days_of_renegers)


def test_no_patience_is_erlang_b() -> None:
    assert erlang_a(0.4, 42.0, 12, 1e-9).renege_share == pytest.approx(erlang_b(12, 16.8), rel=1e-6)


def test_patience_equal_to_the_stay_gives_a_poisson_total() -> None:
    queue = erlang_a(1.0, 3.0, 3, 3.0)
    assert queue.mean_in_care + queue.mean_waiting == pytest.approx(3.0)
    assert queue.wait_share == pytest.approx(1 - math.exp(-3) * (1 + 3 + 9 / 2))


def test_very_small_and_very_large_queues_stay_finite() -> None:
    idle = erlang_a(0.01, 1.0, 1000, 5.0)
    assert idle.wait_share == 0
    assert idle.mean_in_care == pytest.approx(0.01)
    flooded = erlang_a(50.0, 1.0, 10, 200.0)
    assert flooded.renege_share == pytest.approx(0.8)
    assert flooded.mean_waiting == pytest.approx(8000)


@pytest.mark.parametrize("case", CASES)
def test_started_within_rises_to_all_starters_and_integrates_to_their_wait(
    case: tuple[float, float, int, float],
) -> None:
    queue = erlang_a(*case)
    starters = 1 - queue.renege_share
    assert queue.started_within(0.0) == pytest.approx(1 - queue.wait_share)
    assert queue.started_within(1e4) == pytest.approx(starters)
    late_days, _ = quad(lambda days: starters - queue.started_within(days), 0, math.inf, epsabs=1e-12)
    assert late_days / starters == pytest.approx(queue.mean_wait_days_of_starters, rel=1e-7)


@pytest.mark.parametrize(
    "case",
    [(0.0, 1.0, 1, 1.0), (1.0, 0.0, 1, 1.0), (1.0, 1.0, 0, 1.0), (1.0, 1.0, 1, 0.0), (1.0, 2.0, 2, math.inf)],
)
def test_refuses_what_makes_no_sense(case: tuple[float, float, int, float]) -> None:
    with pytest.raises(ValueError, match=r"above 0|never settles"):
        erlang_a(*case)


PATIENTS_PER_BATCH, BATCHES = 2_000, 40
CLINIC = (0.5, 20.0, 9, 15.0)


def simulate(newest_first: bool) -> dict[str, np.ndarray]:
    """Batch means of one long run of CLINIC, event by event; `newest_first` is the mutant."""
    arrivals, stay, servers, patience = CLINIC
    patients = PATIENTS_PER_BATCH * (BATCHES + 1)
    chance = np.random.default_rng(20_240_601)
    joined = np.cumsum(chance.exponential(1 / arrivals, patients)).tolist()
    stays, gives_up = (
        chance.exponential(stay, patients).tolist(),
        chance.exponential(patience, patients).tolist(),
    )
    wait, started = np.zeros(patients), np.ones(patients, dtype=bool)
    ends: list[float] = []
    line: deque[int] = deque()

    def admit_until(now: float) -> None:
        while line and len(ends) == servers and ends[0] <= now:
            free_at = heapq.heappop(ends)
            while line:
                patient = line.pop() if newest_first else line.popleft()
                if joined[patient] + gives_up[patient] > free_at:
                    wait[patient] = free_at - joined[patient]
                    heapq.heappush(ends, free_at + stays[patient])
                    break
                wait[patient], started[patient] = gives_up[patient], False

    for patient, now in enumerate(joined):
        admit_until(now)
        while ends and ends[0] <= now:
            heapq.heappop(ends)
        if len(ends) < servers:
            heapq.heappush(ends, now + stays[patient])
        else:
            line.append(patient)
    admit_until(math.inf)
    batches = np.arange(patients).reshape(-1, PATIENTS_PER_BATCH)[1:]
    return {
        "renege_share": np.array([1 - started[b].mean() for b in batches]),
        "mean_wait_days_of_all": np.array([wait[b].mean() for b in batches]),
        "mean_wait_days_of_starters": np.array([wait[b][started[b]].mean() for b in batches]),
        "mean_wait_days_of_renegers": np.array([wait[b][~started[b]].mean() for b in batches]),
        "started_within_5_days": np.array([(started[b] & (wait[b] <= 5)).mean() for b in batches]),
    }


def test_a_simulation_agrees_and_its_mutant_does_not() -> None:
    queue = erlang_a(*CLINIC)

    def exact(name: str) -> float:
        return queue.started_within(5.0) if name == "started_within_5_days" else getattr(queue, name)

    for name, values in simulate(newest_first=False).items():
        error = values.std(ddof=1) / math.sqrt(BATCHES)
        assert error < 0.02 * exact(name), f"{name}: too weak to mean something"
        assert abs(values.mean() - exact(name)) < 4 * error, name
    # The order of the line changes no total, but who waits how long.
    mutant = simulate(newest_first=True)["mean_wait_days_of_starters"]
    assert abs(mutant.mean() - queue.mean_wait_days_of_starters) > 10 * mutant.std(ddof=1) / math.sqrt(
        BATCHES
    )
