"""Replications until precise: whether intervals are narrow enough, asked at fixed numbers of replications only.

Stopping as soon as an interval happens to be narrow favors runs that look calmer than they are, so it covers the
truth less often than it says. Few looks, none before `min`, keep that small, and make the answer depend on the
replications and not on who simulated them, when, or what else is in the cache.

Source: Law 2015, Simulation Modeling and Analysis, 9.4.1 (relative precision); Hoad, Robinson and Davies 2010,
J. Oper. Res. Soc. 61:1632 (looking as replications come in).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from iopsim.errors import Fault, InputError
from iopsim.experiment.names import check_names, reported

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from iopsim.experiment.statistics import Interval
    from iopsim.measures.registry import Outcome
    from iopsim.scenario.schema import Scenario, UntilPrecise

__all__ = ["Shortfall", "judged", "looks", "shortfalls"]

_ROUNDING = 1e-9  # 6.2 that is 6.2000000000000002 is not 6.3 when rounded up


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortfall:
    """A metric that is not known as precisely as asked.

    Attributes:
        metric: Full name, such as `iop.wait_days.mean`.
        unit: Unit of all numbers.
        estimate: What is known so far; NaN: nothing.
        half_width: Of its interval, on the wider side; NaN: not known.
        wanted: Half-width that is narrow enough.
        is_relative: Whether that is a share of the estimate, and no floor.
    """

    metric: str
    unit: str
    estimate: float
    half_width: float
    wanted: float
    is_relative: bool

    def __str__(self) -> str:
        """A clause such as `iop.wait_days.mean ± 6.2 % (asked 5 %)`, the half-width rounded up."""
        if math.isnan(self.half_width):
            return f"{self.metric} without an interval so far"
        whole, unit, again = 1.0, f" {self.unit}", ""
        if self.is_relative:
            whole, unit, again = abs(self.estimate) / 100, " %", " %"
        elif self.unit == "share":
            whole, unit = 0.01, " percentage points"
        scale = 10.0 ** (1 - math.floor(math.log10(self.half_width / whole)))
        half_width = math.ceil(self.half_width / whole * scale - _ROUNDING) / scale
        return f"{self.metric} ± {half_width:,.12g}{unit} (asked {self.wanted / whole:,.12g}{again})"


def looks(rule: UntilPrecise) -> Iterator[int]:
    """The numbers of replications after which precision is judged: min, min + batch, …, max."""
    yield from range(rule.min, rule.max, rule.batch)
    yield rule.max


def judged(scenario: Scenario) -> tuple[str, ...]:
    """The metrics that must be precise: those in `of`, or those of the targets; none twice.

    Raises:
        InputError: If there are none, or one does not exist; the message offers the nearest name.
    """
    named = scenario.run.rule.of if scenario.run.rule else ()
    names = tuple(dict.fromkeys(named or (target.metric for target in scenario.targets)))
    if not names:
        text = (
            "nothing to judge the precision of: there are no targets; add `targets:`, or name metrics in `of`"
        )
        raise InputError(Fault("nothing-to-judge", text, "run.replications"))
    if misnamed := [wrong.fault for wrong in check_names(scenario) if wrong.name in names]:
        raise InputError(*misnamed)
    return names


def shortfalls(scenario: Scenario, outcomes: Sequence[Mapping[str, Outcome]]) -> tuple[Shortfall, ...]:
    """What is not yet as precise as the scenario's rule asks; empty if that is enough.

    The intervals judged hold at 95 % all at once (Bonferroni). One is narrow enough if neither side is wider than
    the rule's share of the estimate, or than the lowest floor of the targets on the metric; an end that is not known
    is never near enough.

    Args:
        scenario: With a rule, in `run.replications`.
        outcomes: What `measure` found in the first replications, in order of their index.

    Raises:
        InputError: As `judged` does.
        ValueError: If the scenario has no rule.
    """
    from iopsim.experiment.statistics import LEVEL, intervals
    from iopsim.experiment.summary import Gathered

    rule = scenario.run.rule
    if rule is None:
        raise ValueError("precision is judged by a rule, and this scenario has a number of replications")
    names, known = judged(scenario), reported(scenario)
    level = 1 - (1 - LEVEL) / len(names)
    found = Gathered(outcomes, level).all({name: known[name] for name in names})
    judgments = [
        _judgment(scenario, rule.precision, (name, known[name].unit_in(scenario)), interval)
        for name, interval in zip(names, intervals([*found.values()]), strict=True)
    ]
    return tuple(one for one in judgments if not one.half_width <= one.wanted)


def _judgment(scenario: Scenario, precision: float, metric: tuple[str, str], interval: Interval) -> Shortfall:
    name, unit = metric
    below, above = interval.estimate - interval.low, interval.high - interval.estimate
    floor = min((one.floor for one in scenario.targets if one.metric == name and one.floor), default=0.0)
    share = precision * abs(interval.estimate)
    return Shortfall(
        metric=name,
        unit=unit,
        estimate=interval.estimate,
        half_width=math.nan if math.isnan(below + above) else max(below, above),
        wanted=max(floor, share),
        is_relative=share > floor,
    )
