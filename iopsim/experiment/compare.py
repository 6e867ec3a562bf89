"""Plans side by side: the same patients meet each, and what differs is judged from paired intervals only."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from iopsim.errors import Fault, InputError
from iopsim.experiment.names import Reported, nearest, no_such_metric, reported

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from iopsim.experiment.statistics import Interval, Replicated
    from iopsim.measures.registry import Better, Outcome
    from iopsim.scenario.schema import Scenario

__all__ = ["Difference", "Words", "comparable", "compare", "difference_rows"]

Words = Literal["better", "worse", "higher", "lower", "no difference that matters", "not known yet"]
CONFIDENCE = 0.95  # that all intervals of one comparison hold at once

# Patients are the same, and replications form pairs, only where these are; changing them is no plan.
_SETTINGS: tuple[tuple[str, Callable[[Scenario], object]], ...] = (
    ("run.seed", lambda scenario: scenario.run.seed),
    ("run.start", lambda scenario: scenario.run.start),
    ("run.warm_up_weeks", lambda scenario: scenario.run.warm_up_weeks),
    ("run.weeks", lambda scenario: scenario.run.weeks),
    ("run.run_out_weeks", lambda scenario: scenario.run.run_out_weeks),
    ("run.replications", lambda scenario: scenario.run.replications),
    ("currency", lambda scenario: scenario.currency),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One metric of one plan against the base plan.

    Attributes:
        metric: Full name, such as `iop.wait_days.p90`.
        unit: Unit of all numbers but the variance ratio.
        better: Which direction is wanted; where the metric has none, the one the base plan's target asks for.
        plan: Name of the plan that is compared with the base.
        base_estimate: The base plan's number.
        plan_estimate: This plan's number.
        difference: Plan less base, with an interval that holds at 95 % together with all others of the
            comparison (Bonferroni).
        variance_ratio: Variance that the difference would have with other patients in each plan, over the
            one it has: what meeting the same patients gained. NaN where the difference does not vary.
        words: What the interval says, in words.
    """

    metric: str
    unit: str
    better: Better
    plan: str
    base_estimate: float
    plan_estimate: float
    difference: Interval
    variance_ratio: float
    words: Words


def comparable(scenarios: Mapping[str, Scenario], names: Sequence[str] = ()) -> tuple[str, ...]:
    """The metrics to compare plans on: those of the first one's targets, then `names`; none twice.

    Args:
        scenarios: The plans by the name people know them by; the first is the base.
        names: More metrics by full name.

    Raises:
        InputError: With every reason why these plans cannot be compared: fewer than two, a seed, window or
            number of replications that differs, a metric that a plan does not have, nothing to compare.
    """
    if len(scenarios) < 2:
        raise InputError(Fault("one-plan", f"two plans or more are needed to compare (got {len(scenarios)})"))
    base = next(iter(scenarios.values()))
    metrics = tuple(dict.fromkeys([*(target.metric for target in base.targets), *names]))
    faults = [*_different_settings(scenarios), *_unknown_metrics(scenarios, metrics)]
    if not metrics:
        text = "nothing to compare on: the first plan has no targets; add `targets:`, or name metrics"
        faults.append(Fault("no-metrics", text, "targets"))
    if faults:
        raise InputError(*faults)
    return metrics


def compare(
    scenarios: Mapping[str, Scenario],
    outcomes_by_plan: Mapping[str, Sequence[Mapping[str, Outcome]]],
    names: Sequence[str] = (),
) -> list[Difference]:
    """Paired differences of every plan to the first, plan by plan, in the order of `comparable`.

    Args:
        scenarios: The plans by name; the first is the base.
        outcomes_by_plan: What `measure` found in each replication of each plan, in order of replication.
        names: More metrics than those of the base plan's targets.

    Raises:
        InputError: As `comparable` does, or if plans were simulated in unequal numbers of replications.
    """
    from iopsim.experiment.summary import Gathered

    metrics = comparable(scenarios, names)
    counts = {plan: len(outcomes_by_plan[plan]) for plan in scenarios}
    if len(set(counts.values())) > 1:
        said = ", ".join(f"{plan} {count}" for plan, count in counts.items())
        raise InputError(Fault("not-comparable", f"replications do not form pairs ({said}); finish each run"))
    base, *others = scenarios
    level = 1 - (1 - CONFIDENCE) / (len(others) * len(metrics))
    gathered = {plan: Gathered(outcomes_by_plan[plan], level) for plan in scenarios}
    entries = {plan: reported(scenario) for plan, scenario in scenarios.items()}
    return [
        _difference(
            scenarios[base],
            (name, entries[base][name]),
            plan,
            gathered[base].of(name, entries[base][name]),
            gathered[plan].of(name, entries[plan][name]),
        )
        for plan in others
        for name in metrics
    ]


def difference_rows(differences: Iterable[Difference]) -> tuple[list[str], list[list[object]]]:
    """Header and rows of differences.csv."""
    columns = ["plan", "metric", "unit", "better", "base", "estimate", "difference", "ci_low", "ci_high"]
    columns += ["sd", "n", "variance_ratio", "words"]
    rows: list[list[object]] = []
    for one in differences:
        paired = one.difference
        rows.append([one.plan, one.metric, one.unit, one.better, one.base_estimate, one.plan_estimate])
        rows[-1] += [
            paired.estimate,
            paired.low,
            paired.high,
            paired.sd,
            paired.n,
            one.variance_ratio,
            one.words,
        ]
    return columns, rows


def _different_settings(scenarios: Mapping[str, Scenario]) -> Iterator[Fault]:
    (base, first), *others = scenarios.items()
    for plan, scenario in others:
        for path, setting in _SETTINGS:
            if setting(scenario) != setting(first):
                said = f"{plan} has {setting(scenario)}, {base} has {setting(first)}"
                yield Fault("not-comparable", f"{said}; plans can be compared only where these agree", path)


def _unknown_metrics(scenarios: Mapping[str, Scenario], metrics: Sequence[str]) -> Iterator[Fault]:
    for plan, scenario in scenarios.items():
        known = reported(scenario)
        for name in metrics:
            if name not in known:
                yield no_such_metric(name, nearest(name, known), owner=plan)


def _difference(
    scenario: Scenario, metric: tuple[str, Reported], plan: str, base: Replicated, other: Replicated
) -> Difference:
    name, entry = metric
    paired = other.minus(base)
    apart, together = base.standard_error**2 + other.standard_error**2, paired.standard_error**2
    better = _direction(scenario, name, entry)
    matters = [target.matters for target in scenario.targets if target.metric == name and target.matters]
    return Difference(
        metric=name,
        unit=entry.unit_in(scenario),
        better=better,
        plan=plan,
        base_estimate=base.estimate,
        plan_estimate=other.estimate,
        difference=paired.interval,
        variance_ratio=apart / together if together else math.nan,
        words=_words(paired.interval, better, min(matters, default=0.0)),
    )


def _direction(scenario: Scenario, name: str, entry: Reported) -> Better:
    sides: set[Better] = {
        "higher" if target.at_most is None else "lower"
        for target in scenario.targets
        if target.metric == name
    }
    own = entry.bound.metric.better
    return sides.pop() if own == "neither" and len(sides) == 1 else own


def _words(interval: Interval, better: Better, matters: float) -> Words:
    """From the interval alone; NaN compares as false, so what is not known claims nothing."""
    if -matters <= interval.low and interval.high <= matters:
        return "no difference that matters"
    if not (interval.low > 0 or interval.high < 0):
        return "not known yet"
    if better == "neither":
        return "higher" if interval.low > 0 else "lower"
    return "better" if (interval.low > 0) == (better == "higher") else "worse"
