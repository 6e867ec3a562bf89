"""What else differs between plans: numbers of the table that nobody asked for, and that differ by more than chance."""

from __future__ import annotations

import math
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from iopsim.experiment.compare import differences
from iopsim.report.lines import headline
from iopsim.report.wording import difference_text, number_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from iopsim.experiment.compare import Comparison, Difference

__all__ = ["Besides", "besides"]

_SHOWN = 6  # differences of each plan, those farthest from chance
_NAMED = 4  # numbers that only one of two plans has


class Besides(NamedTuple):
    """What else is to be said of one plan: a heading, and a line for each difference."""

    heading: str
    lines: list[str]


def besides(comparison: Comparison) -> list[Besides]:
    """For each plan, what differs by more than chance in the numbers that the table of a run shows of a program.

    All of them are looked at, and intervals hold together over all that are, shown or not.
    """
    asked = {one.metric for one in comparison.differences}
    metrics = [
        name
        for name in dict.fromkeys(name for one in comparison.scenarios.values() for name in headline(one))
        if name not in asked
    ]
    outcomes = {plan: [one.outcomes for one in found] for plan, found in comparison.replications.items()}
    same = {_numbers(one) for one in comparison.differences}
    found = [one for one in differences(comparison.scenarios, outcomes, metrics) if _numbers(one) not in same]
    return [
        said
        for plan, those in groupby(found, key=lambda one: one.plan)
        if (said := _of(plan, comparison.base, list(those))).lines
    ]


def _numbers(one: Difference) -> tuple[object, ...]:
    """What two names of one number have in common."""
    return one.plan, one.unit, one.base_estimate, one.plan_estimate


def _of(plan: str, base: str, found: Sequence[Difference]) -> Besides:
    both = [one for one in found if not one.words.startswith("only")]
    told = [one for one in both if one.words in {"better", "worse", "higher", "lower"}]
    farthest = sorted(told, key=_distance, reverse=True)
    by_stem = {
        one.metric.rpartition(".")[0]: one for one in reversed(farthest)
    }  # a mean, or its 90th percentile
    shown = [one for one in farthest if one in by_stem.values()][:_SHOWN]
    lines = [_line(one) for one in told if one in shown]
    for words, whose in (("only the plan has it", plan), ("only the base has it", base)):
        lines += _only(whose, [one for one in found if one.words == words])
    more = "; the farthest from chance" if len(told) > len(shown) else ""
    number, verb = (str(len(told)), "differ") if len(told) > 1 else ("one" if told else "none", "differs")
    return Besides(
        f"Besides, in {plan} {number} of {len(both)} other numbers {verb} by more than chance{more}:", lines
    )


def _distance(one: Difference) -> float:
    """How far from 0, in halves of the interval."""
    half = (one.difference.high - one.difference.low) / 2
    return abs(one.difference.estimate) / half if half else math.inf


def _line(one: Difference) -> str:
    values = " → ".join(number_text(value, one.unit) for value in (one.base_estimate, one.plan_estimate))
    difference, ends, unit = difference_text(one.difference, one.unit)
    return f"{one.metric}: {values}, {difference} {unit}{f' ({ends})' if ends else ''}: {one.words}"


def _only(whose: str, found: Sequence[Difference]) -> Iterator[str]:
    """One line of the numbers that are not 0, for a rule that never came into play tells nothing."""
    values = [
        (one, value)
        for one in found
        for value in (one.base_estimate, one.plan_estimate)
        if not math.isnan(value) and value
    ]
    if values:
        said = [
            f"{one.metric} {number_text(value, one.unit)}{'' if one.unit == 'share' else f' {one.unit}'}"
            for one, value in values[:_NAMED]
        ]
        more = f" and {len(values) - _NAMED} more" if len(values) > _NAMED else ""
        yield f"Only {whose} has {', '.join(said)}{more}."
