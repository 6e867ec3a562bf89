"""Plans side by side: the same patients meet each, and what differs is judged from paired intervals only.

Plans form pairs where seed, window and model version agree: replication by replication, the same people are referred.
What two plans do not share are patients that only one of them is sent, and their share is said.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

from iopsim.errors import Fault, InputError
from iopsim.experiment.names import Reported, nearest, no_such_metric, reported

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from iopsim.experiment.contenders import Entry
    from iopsim.experiment.encoding import Replication
    from iopsim.experiment.statistics import Interval, Replicated
    from iopsim.measures.registry import Better, Outcome
    from iopsim.scenario.schema import Scenario

__all__ = [
    "Comparison",
    "Difference",
    "Words",
    "apart",
    "comparable",
    "compare",
    "compared",
    "difference_rows",
    "differences",
    "holm",
    "least_that_matters",
    "matched_shares",
    "plan_rows",
]

Words = Literal[
    "better",
    "worse",
    "higher",
    "lower",
    "no difference that matters",
    "not known yet",
    "only the base has it",
    "only the plan has it",
]
CONFIDENCE = 0.95  # that all intervals of one comparison hold at once

# Patients are the same, and replications form pairs, only where these are; changing them is no plan.
_SETTINGS: tuple[tuple[str, Callable[[Scenario], object]], ...] = (
    ("run.seed", lambda scenario: scenario.run.seed),
    ("run.start", lambda scenario: scenario.run.start),
    ("from_today.as_of", lambda scenario: scenario.from_today.as_of if scenario.from_today else "none"),
    ("run.warm_up_weeks", lambda scenario: scenario.run.warm_up),
    ("run.weeks", lambda scenario: scenario.run.weeks),
    ("run.run_out_weeks", lambda scenario: scenario.run.run_out_weeks),
    ("currency", lambda scenario: scenario.currency),
)
_CURE = "plans can be compared only where these agree"
_FOUND_TOGETHER = "auto"  # a warm-up that is still to be found will be one for all


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
        p_holm: Two-sided p-value of no difference (paired t), adjusted for all differences of the comparison.
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
    p_holm: float
    words: Words


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Plans that were compared; the first is the base, and every mapping is by the name people know a plan by.

    Attributes:
        scenarios: The plans.
        replications: Those that form pairs: of every plan the same number, from the first on.
        differences: Every plan against the base, metric by metric.
        matched: Share of the patients referred in the base or in the plan who are referred in both.
    """

    scenarios: Mapping[str, Scenario]
    replications: Mapping[str, Sequence[Replication]]
    differences: Sequence[Difference]
    matched: Mapping[str, float]

    @property
    def base(self) -> str:
        """Name of the plan that the others are compared with."""
        return next(iter(self.scenarios))

    @property
    def count(self) -> int:
        """Replications of each plan that were compared."""
        return len(self.replications[self.base])


def comparable(
    scenarios: Mapping[str, Scenario], names: Sequence[str] = (), versions: Mapping[str, str] | None = None
) -> tuple[str, ...]:
    """The metrics to compare plans on: those of the first one's targets, then `names`; none twice.

    Args:
        scenarios: The plans by the name people know them by; the first is the base.
        names: More metrics by full name.
        versions: Of the program that simulated each plan; none given: one and the same.

    Raises:
        InputError: With every reason why these plans cannot be compared: fewer than two, a seed, window,
            currency or model version that differs, a metric that no plan has, nothing to compare.
    """
    if len(scenarios) < 2:
        raise InputError(
            Fault(
                "one-plan",
                f"two plans or more are needed to compare (got {len(scenarios)}); name another one",
            )
        )
    base = next(iter(scenarios.values()))
    metrics = tuple(dict.fromkeys([*(target.metric for target in base.targets), *names]))
    faults = [
        *(
            Fault("not-comparable", f"{said}; {_CURE}", path)
            for path, said in apart(scenarios, versions or {})
        ),
        *_unknown_metrics(scenarios, metrics),
    ]
    if not metrics:
        text = "nothing to compare on: the first plan has no targets; add `targets:`, or name metrics"
        faults.append(Fault("no-metrics", text, "targets"))
    if faults:
        raise InputError(*faults)
    return metrics


def compared(
    scenarios: Mapping[str, Scenario], entries: Mapping[str, Entry], names: Sequence[str] = ()
) -> Comparison:
    """All of a comparison, from the replications of each plan; where one has more, its first ones count.

    Raises:
        InputError: As `comparable` does.
    """
    count = min(len(entry.replications) for entry in entries.values())
    paired = {plan: entries[plan].replications[:count] for plan in scenarios}
    outcomes = {plan: [replication.outcomes for replication in found] for plan, found in paired.items()}
    return Comparison(
        scenarios=scenarios,
        replications=paired,
        differences=compare(scenarios, outcomes, names),
        matched=matched_shares(scenarios, count),
    )


def compare(
    scenarios: Mapping[str, Scenario],
    outcomes_by_plan: Mapping[str, Sequence[Mapping[str, Outcome]]],
    names: Sequence[str] = (),
) -> list[Difference]:
    """Paired differences of every plan to the first, plan by plan, in the order of `comparable`.

    Args:
        scenarios: The plans by name; the first is the base.
        outcomes_by_plan: What `measure` found in each replication of each plan, in order of replication; where
            one plan has more, its first ones are paired.
        names: More metrics than those of the base plan's targets.

    Raises:
        InputError: As `comparable` does.
    """
    return differences(scenarios, outcomes_by_plan, comparable(scenarios, names))


def differences(
    scenarios: Mapping[str, Scenario],
    outcomes_by_plan: Mapping[str, Sequence[Mapping[str, Outcome]]],
    metrics: Sequence[str],
) -> list[Difference]:
    """Paired differences of every plan to the first in these metrics; their intervals hold together.

    A metric that only one of two plans has is told as such, and one that neither has is left out.
    """
    from iopsim.experiment.summary import Gathered

    base, *others = scenarios
    count = min(map(len, outcomes_by_plan.values()))
    entries = {plan: reported(scenario) for plan, scenario in scenarios.items()}
    wanted = [
        (plan, name) for plan in others for name in metrics if name in entries[base] or name in entries[plan]
    ]
    both = sum(name in entries[base] and name in entries[plan] for plan, name in wanted)
    level = 1 - (1 - CONFIDENCE) / max(both, 1)
    found = {
        plan: Gathered(outcomes_by_plan[plan][:count], level).all(
            {name: known[name] for name in metrics if name in known}
        )
        for plan, known in entries.items()
    }
    pairs = [_Pair(plan, name, found[base].get(name), found[plan].get(name)) for plan, name in wanted]
    p_values = iter(holm([_p_value(paired) for pair in pairs if (paired := pair.difference)]))
    return [
        _difference(scenarios[base], entries[base][pair.metric], pair, paired, next(p_values))
        if (paired := pair.difference)
        else _only_one(scenarios[pair.plan], entries[pair.plan if pair.other else base][pair.metric], pair)
        for pair in pairs
    ]


def matched_shares(scenarios: Mapping[str, Scenario], count: int) -> dict[str, float]:
    """Of the patients referred in the base or in a plan, those referred in both; by plan, over `count` replications.

    They are the same person: same source, height cell and ordinal (model.md §3). Nothing is simulated. 1 where
    nobody is referred at all.
    """
    from iopsim.model.sources import referred

    base, *others = scenarios
    both, either = dict.fromkeys(others, 0), dict.fromkeys(others, 0)
    for index in range(count):
        known = referred(scenarios[base], index)
        for plan in others:
            people = referred(scenarios[plan], index)
            both[plan] += len(known & people)
            either[plan] += len(known | people)
    return {base: 1.0} | {plan: both[plan] / either[plan] if either[plan] else 1.0 for plan in others}


def least_that_matters(base: Scenario, metric: str) -> float:
    """Smallest difference worth having, as the base plan's targets say; 0 where they do not."""
    said = [target.matters for target in base.targets if target.metric == metric and target.matters]
    return min(said, default=0.0)


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjusted so that all that stay below a level hold together at it; one that is NaN stays, and counts.

    Source: Holm 1979, Scand. J. Stat. 6:65-70.
    """
    adjusted, highest = [math.nan] * len(p_values), 0.0
    known = sorted((p, place) for place, p in enumerate(p_values) if not math.isnan(p))
    for rank, (p, place) in enumerate(known):
        highest = max(highest, min((len(p_values) - rank) * p, 1.0))
        adjusted[place] = highest
    return adjusted


def difference_rows(differences: Iterable[Difference]) -> tuple[list[str], list[list[object]]]:
    """Header and rows of differences.csv."""
    columns = ["plan", "metric", "unit", "better", "base", "estimate", "difference", "ci_low", "ci_high"]
    columns += ["sd", "n", "variance_ratio", "p_holm", "words"]
    rows: list[list[object]] = []
    for one in differences:
        paired = one.difference
        rows.append([one.plan, one.metric, one.unit, one.better, one.base_estimate, one.plan_estimate])
        rows[-1] += [paired.estimate, paired.low, paired.high, paired.sd, paired.n]
        rows[-1] += [one.variance_ratio, one.p_holm, one.words]
    return columns, rows


def plan_rows(comparison: Comparison, entries: Mapping[str, Entry]) -> tuple[list[str], list[list[object]]]:
    """Header and rows of plans.csv: how many replications each plan has, and the key they are known by."""
    rows: list[list[object]] = [
        [plan, len(entries[plan].replications), share, entries[plan].key]
        for plan, share in comparison.matched.items()
    ]
    return ["plan", "replications", "matched_patients_share", "key"], rows


def apart(scenarios: Mapping[str, Scenario], versions: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Why replications of plans form no pairs with the first one's: what must agree and does not, and who has what.

    Args:
        scenarios: The plans by name.
        versions: Of the program that simulated each.
    """
    base, *others = scenarios
    for plan in others:
        for path, setting in _SETTINGS:
            its, firsts = setting(scenarios[plan]), setting(scenarios[base])
            if its != firsts and _FOUND_TOGETHER not in (its, firsts):
                yield path, f"{plan} has {its}, {base} has {firsts}"
        if versions.get(plan) != versions.get(base):
            yield "model version", f"{plan} has {versions[plan]}, {base} has {versions[base]}"


def _unknown_metrics(scenarios: Mapping[str, Scenario], metrics: Sequence[str]) -> Iterator[Fault]:
    """Metrics that no plan has: one that some have is compared where it is."""
    known = {plan: reported(scenario) for plan, scenario in scenarios.items()}
    unknown = [name for name in metrics if not any(name in names for names in known.values())]
    for plan, names in known.items():
        yield from (no_such_metric(name, nearest(name, names), owner=plan) for name in unknown)


class _Pair(NamedTuple):
    """One metric of one plan beside the base's; None where a plan does not have it."""

    plan: str
    metric: str
    base: Replicated | None
    other: Replicated | None

    @property
    def difference(self) -> Replicated | None:
        return self.other.minus(self.base) if self.base and self.other else None


def _difference(
    scenario: Scenario, entry: Reported, pair: _Pair, paired: Replicated, p_holm: float
) -> Difference:
    assert pair.base and pair.other, "a difference has two sides"
    apart = pair.base.standard_error**2 + pair.other.standard_error**2
    together = paired.standard_error**2
    better = _direction(scenario, pair.metric, entry)
    return Difference(
        metric=pair.metric,
        unit=entry.unit_in(scenario),
        better=better,
        plan=pair.plan,
        base_estimate=pair.base.estimate,
        plan_estimate=pair.other.estimate,
        difference=paired.interval,
        variance_ratio=apart / together if together else math.nan,
        p_holm=p_holm,
        words=_words(paired.interval, better, least_that_matters(scenario, pair.metric)),
    )


def _only_one(scenario: Scenario, entry: Reported, pair: _Pair) -> Difference:
    from iopsim.experiment.statistics import Interval

    return Difference(
        metric=pair.metric,
        unit=entry.unit_in(scenario),
        better=entry.bound.metric.better,
        plan=pair.plan,
        base_estimate=pair.base.estimate if pair.base else math.nan,
        plan_estimate=pair.other.estimate if pair.other else math.nan,
        difference=Interval(math.nan, math.nan, math.nan, math.nan, 0),
        variance_ratio=math.nan,
        p_holm=math.nan,
        words="only the base has it" if pair.base else "only the plan has it",
    )


def _p_value(difference: Replicated) -> float:
    """Two-sided, of Student's t with the jackknife's standard error; NaN where either is not known."""
    from scipy.special import stdtr

    error = difference.standard_error
    if error == 0:
        return float(difference.estimate == 0)
    return 2 * float(stdtr(difference.n - 1, -abs(difference.estimate) / error))


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
