"""Independent replications of a small clinic, and what their ledgers say beside an exact answer.

A statistical test has four parts: `replicate` makes enough replications from a fixed seed; `agree` asks for
|mean − exact| within 4 standard errors, and guards that the standard error is small enough to mean something;
and a *mutant*, a model or a clinic made slightly wrong, must make the same check raise `DisagreementError`.

These are for the models that no case of `iopsim verify` simulates; those have `test_cases.py` and `mutants/`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from iopsim.measures.registry import Ratio, Value
from iopsim.model.clinic import simulate
from iopsim.model.ledger import ENDS, Fact
from iopsim.scenario.schema import Scenario
from iopsim.verification.case import PRECISION
from iopsim.verification.judge import Z_LIMIT
from iopsim.verification.observed import Observed as Run
from iopsim.verification.observed import Part, Statistic, named

__all__ = [
    "PRECISION",
    "Z_LIMIT",
    "DisagreementError",
    "Floats",
    "Part",
    "Run",
    "Statistic",
    "agree",
    "estimate",
    "mean_in_care",
    "mean_wait",
    "mean_waiting",
    "measured",
    "named",
    "replicate",
    "run_of",
    "scenario_of",
    "share_joined",
    "share_started",
]

Floats = NDArray[np.float64]


class DisagreementError(AssertionError):
    """The simulation lies further from the exact answer than chance explains."""


def scenario_of(
    level: Mapping[str, Any],
    per_week: float | Mapping[str, float],
    *,
    seed: int,
    weeks: int,
    warm_up_weeks: int = 4,
    run_out_weeks: int = 4,
    **rest: Any,
) -> Scenario:
    """A clinic of one level, `clinic`, with one source, `community`, or one for each rate."""
    rates = per_week if isinstance(per_week, Mapping) else {"community": per_week}
    return Scenario.model_validate(
        {
            "run": run_of(seed, weeks, warm_up_weeks, run_out_weeks),
            "sources": {name: {"to": "clinic", "per_week": rate} for name, rate in rates.items()},
            "levels": {"clinic": level},
            **rest,
        }
    )


def run_of(seed: int, weeks: int, warm_up_weeks: int = 4, run_out_weeks: int = 4) -> dict[str, Any]:
    """The `run` part of a scenario; each test has a seed of its own, or all would meet the same patients."""
    return {"weeks": weeks, "warm_up_weeks": warm_up_weeks, "run_out_weeks": run_out_weeks, "seed": seed}


def replicate(scenario: Scenario, replications: int = 40) -> list[Run]:
    """Independent replications 0, 1, … of the scenario's own seed."""
    return [Run(scenario, simulate(scenario, replication)) for replication in range(replications)]


def estimate(runs: Sequence[Run], statistic: Statistic) -> tuple[float, float]:
    """Ratio of the sums over replications, and its standard error by linearization.

    Source: Cochran, Sampling Techniques, 3rd ed. (1977), §6.4.
    """
    above, below = np.array([statistic(run) for run in runs], float).T
    mean = above.sum() / below.sum()
    with np.errstate(invalid="ignore"):  # an infinite mean agrees with nothing
        residuals = above - mean * below
    return float(mean), float(residuals.std(ddof=1) / len(runs) ** 0.5 / below.mean())


def agree(runs: Sequence[Run], exact: Mapping[Statistic, float], precision: float = PRECISION) -> None:
    """Ask that statistics be within 4 standard errors of the exact values, and precise enough to tell.

    Args:
        runs: Independent replications.
        exact: What theory says by statistic, never a number that a simulation has given.
        precision: Largest standard error that passes, as a share of the exact value.

    Raises:
        DisagreementError: A mean is too far from the exact value.
        AssertionError: A standard error is too large.
    """
    relative_errors = {}
    for statistic, value in exact.items():
        mean, error = estimate(runs, statistic)
        name = statistic.__name__
        if not abs(mean - value) <= Z_LIMIT * error:
            raise DisagreementError(f"{name}: {mean:.6g} ± {error:.2g} (standard error), exactly {value:.6g}")
        relative_errors[name] = error / value
    assert max(relative_errors.values()) <= precision, f"without power: {relative_errors}"


# What one replication of a clinic of one level says


def mean_wait(run: Run) -> Part:
    """Mean days to the start of care of all who join; infinite if one never starts."""
    stays = run.joined()
    return (stays.at(Fact.STARTED) - stays.at(Fact.JOINED)).sum(), len(stays)


def mean_waiting(run: Run) -> Part:
    """Mean number on the waitlist."""
    return run.stays().mean_number(Fact.JOINED, Fact.ADMITTED, Fact.RENEGED, Fact.REFUSED)


def mean_in_care(run: Run) -> Part:
    """Mean census."""
    return run.stays().mean_number(Fact.STARTED, *ENDS)


def share_joined(fact: Fact, level: str = "clinic", origin: str | None = None) -> Statistic:
    """Share of those who join to whom the fact happens."""

    @named(f"{fact.name.lower()}_share of {origin or level}")
    def statistic(run: Run) -> Part:
        stays = run.joined(level, origin)
        return stays.had(fact).sum(), len(stays)

    return statistic


def share_started(fact: Fact) -> Statistic:
    """Share of those who start care in the window to whom the fact happens."""

    @named(f"{fact.name.lower()}_share")
    def statistic(run: Run) -> Part:
        stays = run.stays().in_window(Fact.STARTED)
        return stays.had(fact).sum(), len(stays)

    return statistic


def measured(name: str) -> Statistic:
    """A metric as `iopsim.measures` computes it, combined over replications as the report does; waits by mean."""

    @named(name)
    def statistic(run: Run) -> Part:
        outcome = run.metrics[name]
        if isinstance(outcome, Ratio):
            return outcome.numerator, outcome.denominator
        if isinstance(outcome, Value):
            return outcome.value, 1
        return outcome.values.sum(), len(outcome.values)

    return statistic
