"""Replications of a case to estimates, and whether these agree with theory."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.special import ndtri, stdtr

from iopsim.experiment.executors import for_each
from iopsim.experiment.statistics import ratios_of
from iopsim.model.clinic import simulate
from iopsim.verification.case import cases
from iopsim.verification.observed import Observed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from concurrent.futures import Executor

    from numpy.typing import NDArray

    from iopsim.scenario.schema import Scenario
    from iopsim.verification.case import Case, Claim
    from iopsim.verification.observed import Part

__all__ = ["AGREES", "DIFFERS", "UNDECIDED", "Z_LIMIT", "Judgment", "judged", "observed_parts", "verify"]

Z_LIMIT = 4.0
AGREES, DIFFERS, UNDECIDED = "agrees", "differs", "undecided"
_ROUNDING = 1e-9  # of the exact value: what sums of floats may differ by where there is no chance at all


class Judgment(NamedTuple):
    """A claim and what the simulation says to it.

    Attributes:
        case: Name of the case.
        claim: What the number is called.
        theory: The exact value.
        simulated: The estimate from all replications.
        half_width: Of its 95 % interval.
        z: Distance in standard errors, brought from Student's t to the normal law: as improbable as this z.
        verdict: `agrees`; `differs` beyond `Z_LIMIT`; `undecided` where the standard error is too large to tell.
    """

    case: str
    claim: str
    theory: float
    simulated: float
    half_width: float
    z: float
    verdict: str


class Task(NamedTuple):
    """One replication of a case, small enough to travel."""

    case: str
    seed: int | None
    replication: int


def verify(
    chosen: Sequence[Case],
    executor: Executor,
    *,
    seed: int | None = None,
    replications: int | None = None,
    on_done: Callable[[int, int], None] = lambda done, total: None,
) -> list[Judgment]:
    """Simulate cases and judge every claim, in the order of the cases: the same whatever the executor.

    Args:
        chosen: The cases.
        executor: Who does the work.
        seed: Another chance than that of the files.
        replications: Of each case; by default its own number, which is enough to judge.
        on_done: Called with the replications done and those there are.

    Raises:
        KeyboardInterrupt: The user stopped it.
        MachineError: The executor broke.
    """
    tasks = [
        Task(case.name, seed, replication)
        for case in chosen
        for replication in range(replications or case.replications)
    ]
    found: dict[Task, list[Part]] = {}

    def keep(task: Task, parts: list[Part]) -> None:
        found[task] = parts
        on_done(len(found), len(tasks))

    for_each(executor, observed_parts, tasks, keep)
    return [
        judgment
        for case in chosen
        for judgment in judged(case, case.scenario(seed), [found[t] for t in tasks if t.case == case.name])
    ]


def observed_parts(task: Task) -> list[Part]:
    """Simulate one replication: numerator and denominator of each claim of its case."""
    scenario, claims = _prepared(task.case, task.seed)
    observed = Observed(scenario, simulate(scenario, task.replication))
    return [tuple(map(float, claim.measured(observed))) for claim in claims]  # type: ignore[misc]


@lru_cache(maxsize=4)
def _prepared(name: str, seed: int | None) -> tuple[Scenario, tuple[Claim, ...]]:
    case = cases()[name]
    scenario = case.scenario(seed)
    return scenario, case.claims(scenario)


def judged(case: Case, scenario: Scenario, parts: Iterable[Sequence[Part]]) -> list[Judgment]:
    """Judge each claim of a case from the parts of its replications, in any order of replications."""
    table = np.array(list(parts), dtype=float)  # (replications, claims, 2)
    claims = case.claims(scenario)
    return [_judged(case, claim, table[:, number]) for number, claim in enumerate(claims)]


def _judged(case: Case, claim: Claim, parts: NDArray[np.float64]) -> Judgment:
    estimated = ratios_of([parts[:, 0]], [parts[:, 1]])[0]
    interval, error = estimated.interval, estimated.standard_error
    distance = interval.estimate - claim.exact
    if abs(distance) <= _ROUNDING * abs(claim.exact):
        z = 0.0
    elif math.isfinite(distance) and error > 0:
        z = _normal(distance / error, estimated.n - 1)
    else:
        z = math.inf  # without any spread, or infinite: no chance explains it
    if not abs(z) <= Z_LIMIT:
        verdict = DIFFERS
    elif z and not error <= claim.precision * abs(claim.exact):
        verdict = UNDECIDED
    else:
        verdict = AGREES
    half_width = interval.high - interval.estimate
    return Judgment(case.name, claim.name, claim.exact, interval.estimate, half_width, z, verdict)


def _normal(t: float, degrees: int) -> float:
    """The normal deviate as improbable as Student's t with so many degrees of freedom."""
    return math.copysign(-float(ndtri(stdtr(degrees, -abs(t)))), t)
