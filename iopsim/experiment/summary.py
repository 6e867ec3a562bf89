"""What a run found: every metric with its interval, verdicts on targets, and what is to be said of them."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING, Literal

import numpy as np

from iopsim.errors import InputError
from iopsim.experiment.equilibrium import growing_lists, not_steady
from iopsim.experiment.names import Reported, check_names, nearest, no_such_metric, reported
from iopsim.experiment.statistics import (
    LEVEL,
    Pool,
    Replicated,
    intervals,
    observations_needed,
    quantiles_of,
    ratios_of,
)
from iopsim.measures.possible import gatekeepers, lacks
from iopsim.measures.registry import Ratio, Sample, Value
from iopsim.scenario.names import RETURNED

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from iopsim.experiment.statistics import Interval
    from iopsim.measures.registry import Better, Outcome
    from iopsim.scenario.schema import Scenario, Target

    Outcomes = Sequence[Mapping[str, Outcome]]

__all__ = [
    "Estimate",
    "Gathered",
    "Goal",
    "Verdict",
    "estimates",
    "find",
    "flags",
    "goals",
    "is_always_free",
    "limiting",
    "never_starting",
    "replication_rows",
    "summary_rows",
]

Verdict = Literal["", "met", "missed", "undecided"]
UNRESOLVED_AT_MOST = 0.01  # model.md §10
WORTH_A_WORD = 0.05  # a second reason for waiting is named from this share on
_UNRESOLVED = ".unresolved.share"


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """One reported number.

    Attributes:
        name: Full name, such as `iop.wait_days.p90`.
        unit: Its unit, in the scenario's currency if it is money.
        better: Which direction a planner wants.
        interval: Estimate and 95 % confidence interval.
        target: What the scenario asks of it, such as `at most 14`; empty without a target.
        verdict: Whether the interval lies wholly inside the target (met), wholly outside (missed) or neither.
        share_of_years: Share of the simulated years whose own value met the target; NaN without one.
        steady: Whether it does not depend on how long the clinic has been open; if it does, it has no interval.
    """

    name: str
    unit: str
    better: Better
    interval: Interval
    target: str = ""
    verdict: Verdict = ""
    share_of_years: float = math.nan
    steady: bool = True


@dataclass(frozen=True, slots=True)
class Goal:
    """What all targets on one metric ask of it together: a value from `low` to `high`, both included."""

    low: float = -math.inf
    high: float = math.inf

    def with_target(self, target: Target) -> Goal:
        """The goal narrowed by one more target."""
        if target.at_most is None:
            return Goal(max(self.low, target.limit), self.high)
        return Goal(self.low, min(self.high, target.limit))

    def __str__(self) -> str:
        sides = (("at least", self.low), ("at most", self.high))
        return " and ".join(f"{word} {limit:.12g}" for word, limit in sides if math.isfinite(limit))

    def verdict(self, interval: Interval) -> Verdict:
        """Met or missed only where the whole interval says so; an end that is not known is unbounded."""
        low = -math.inf if math.isnan(interval.low) else interval.low
        high = math.inf if math.isnan(interval.high) else interval.high
        if self.low <= low and high <= self.high:
            return "met"
        return "missed" if low > self.high or high < self.low else "undecided"

    def share_met(self, each: np.ndarray) -> float:
        """Share of the replications with a value whose value meets the goal; NaN if none has one."""
        own = each[~np.isnan(each)]
        return float(np.mean((self.low <= own) & (own <= self.high))) if own.size else math.nan


def goals(targets: Iterable[Target]) -> dict[str, Goal]:
    """What is asked of each metric that a target stands on."""
    found: dict[str, Goal] = {}
    for target in targets:
        found[target.metric] = found.get(target.metric, Goal()).with_target(target)
    return found


class Gathered:
    """The outcomes of all replications of one plan, to be estimated from; observations are pooled once."""

    def __init__(self, outcomes: Outcomes, level: float = LEVEL) -> None:
        self._outcomes = outcomes
        self._level = level
        self._pools: dict[str, Pool] = {}

    def of(self, name: str, entry: Reported) -> Replicated:
        """One reported number, estimated from all replications."""
        return self.all({name: entry})[name]

    def all(self, entries: Mapping[str, Reported]) -> dict[str, Replicated]:
        """Reported numbers by name, all quotients estimated in one go and so all quantiles."""
        first = self._outcomes[0] if self._outcomes else {}
        quotients: dict[str, tuple[str, str | None]] = {}
        quantiles: dict[str, tuple[Pool, float]] = {}
        for name, entry in entries.items():
            key = name if name in first else entry.bound.stem
            if entry.p is not None and isinstance(first.get(key), Sample):
                quantiles[name] = self._pool(key), entry.p
            else:
                quotients[name] = key, entry.statistic
        tops, bottoms = self._parts([*quotients.values()])
        found = dict(zip(quotients, ratios_of(tops, bottoms, self._level), strict=True))
        found |= zip(quantiles, quantiles_of([*quantiles.values()], self._level), strict=True)
        return {name: found[name] for name in entries}

    def _parts(self, wanted: Sequence[tuple[str, str | None]]) -> np.ndarray:
        """Numerators and denominators of statistics of outcomes; shape (2, statistics, replications)."""
        pairs = (
            outcomes[key].quotient(statistic) for key, statistic in wanted for outcomes in self._outcomes
        )
        numbers = np.fromiter(chain.from_iterable(pairs), dtype=float)
        return np.moveaxis(numbers.reshape(len(wanted), len(self._outcomes), 2), -1, 0)

    def _pool(self, key: str) -> Pool:
        if key not in self._pools:
            parts = (outcomes[key] for outcomes in self._outcomes)
            self._pools[key] = Pool.of(part.values for part in parts if isinstance(part, Sample))
        return self._pools[key]


def estimates(scenario: Scenario, outcomes: Outcomes) -> list[Estimate]:
    """Every metric that exists for the scenario, in order of registration.

    Args:
        scenario: What was simulated.
        outcomes: What `measure` found in each replication, in order of replication.

    Raises:
        InputError: If a target or an observed value stands on a metric that does not exist.
    """
    entries, asked = reported(scenario), goals(scenario.targets)
    if misnamed := check_names(scenario, entries):
        raise InputError(*(wrong.fault for wrong in misnamed))
    replicated, unsteady = Gathered(outcomes).all(entries), not_steady(scenario, entries)
    found = []
    for (name, entry), interval in zip(entries.items(), intervals([*replicated.values()]), strict=True):
        goal = asked.get(name)
        if name in unsteady:
            interval = replace(interval, low=math.nan, high=math.nan)  # noqa: PLW2901
        found.append(
            Estimate(
                name=name,
                unit=entry.unit_in(scenario),
                better=entry.bound.metric.better,
                interval=interval,
                target=str(goal) if goal else "",
                verdict=goal.verdict(interval) if goal else "",
                share_of_years=goal.share_met(replicated[name].each) if goal else math.nan,
                steady=name not in unsteady,
            )
        )
    return found


def find(found: Sequence[Estimate], name: str) -> Estimate:
    """The estimate of that full name.

    Raises:
        InputError: If there is none; the message offers the nearest name.
    """
    for estimate in found:
        if estimate.name == name:
            return estimate
    raise InputError(no_such_metric(name, nearest(name, [estimate.name for estimate in found])))


def limiting(found: Sequence[Estimate], scenario: Scenario) -> str:
    """What limits the program, in one sentence: what those who wait for its own levels mostly lack."""
    by_name = {estimate.name: estimate.interval for estimate in found}
    lacking: dict[str, list[tuple[Interval, str]]] = {}
    for name, entry in reported(scenario).items():
        names = entry.bound.names
        level, missing = names.get("level"), names.get("missing")
        if not level or not missing or not scenario.levels[level].is_own or is_always_free(scenario, level):
            continue
        if by_name[name].estimate > 0:
            lacking.setdefault(level, []).append((by_name[name], missing))
    if not lacking:
        return "Nobody waits for a level of the program's own: nothing limits it."
    first, *others = [
        _limit_of(scenario, level, sorted(lacks, key=lambda lack: -lack[0].estimate))
        for level, lacks in lacking.items()
    ]
    return f"{'; '.join([first, *map(_in_a_sentence, others)])}."


def is_always_free(scenario: Scenario, level: str) -> bool:
    """Whether nobody waits for the level but those who were referred before treatment elsewhere is over."""
    return lacks(scenario, level).keys() <= {("TREATMENT",)}


def flags(found: Sequence[Estimate], scenario: Scenario) -> list[str]:
    """Warnings that belong beside the numbers: lists that grow, waits that never resolved, too few waits."""
    entries, asked = reported(scenario), goals(scenario.targets)
    targeted = {entries[name].bound.names.get("level") for name in asked if name in entries}
    by_name = {estimate.name: estimate.interval for estimate in found}
    warnings, withheld = growing_lists(scenario), []
    for name, entry in entries.items():
        interval, level = by_name[name], entry.bound.names.get("level")
        if level and name.endswith(_UNRESOLVED) and (scenario.levels[level].is_own or level in targeted):
            waits = by_name[f"{name.removesuffix(_UNRESOLVED)}.wait_days.mean"]
            warnings += _unresolved(scenario, entry.bound.names, interval, waits)
        elif entry.p is not None and interval.n and math.isnan(interval.estimate):
            withheld.append(f"{name} (takes {observations_needed(entry.p)})")
    if withheld:
        withheld.sort(key=lambda text: text.split()[0] not in asked)
        more = f" and {len(withheld) - 4} more" if len(withheld) > 4 else ""
        warnings.append(
            f"Too few observations for a percentile, left blank: {', '.join(withheld[:4])}{more}; "
            "simulate more replications or more weeks."
        )
    return warnings


def never_starting(scenario: Scenario, profiles: Mapping[str, Sequence[float]]) -> list[str]:
    """A sentence on each priority class of which people joined a waitlist and nobody ever started (model.md §6).

    Args:
        scenario: What was simulated.
        profiles: Totals over all replications by name, of which `classes.<level>` are read (measures.series).
    """
    origins = [*scenario.sources, *scenario.levels, RETURNED]
    labels = [scenario.says(scenario.sources, name) for name in scenario.sources]
    labels += [*(scenario.says(scenario.levels, name) for name in scenario.levels), "those who return"]
    said = []
    for level, spec in scenario.levels.items():
        counts = profiles.get(f"classes.{level}", [0.0] * 2 * len(origins))
        ranks = [spec.waitlist.priority.get(name, math.inf) for name in origins]
        for rank in sorted(set(ranks)):
            joined, started = np.reshape(counts, (-1, 2))[np.equal(ranks, rank)].sum(axis=0)
            if joined and not started:
                who = [
                    label for label, r, n in zip(labels, ranks, counts[::2], strict=True) if r == rank and n
                ]
                of_class = f"class {rank}" if rank < math.inf else "the last class"
                said.append(
                    f"Of {of_class} ({', '.join(who)}), {joined:,.0f} joined the waitlist of "
                    f"{scenario.says(scenario.levels, level)} in the measured weeks of all replications, and nobody "
                    "ever started care."
                )
    return said


def summary_rows(found: Iterable[Estimate]) -> tuple[list[str], list[list[object]]]:
    """Header and rows of summary.csv."""
    columns = ["metric", "unit", "estimate", "ci_low", "ci_high", "sd", "n", "better", "target", "verdict"]
    rows: list[list[object]] = [
        [one.name, one.unit, i.estimate, i.low, i.high, i.sd, i.n, one.better, one.target, one.verdict]
        for one in found
        for i in [one.interval]
    ]
    return columns, rows


def replication_rows(outcomes: Outcomes) -> tuple[list[str], list[list[object]]]:
    """Header and rows of replications.csv: what estimates are made of, numerators and denominators apart."""
    columns = ["replication"]
    for name, outcome in (outcomes[0] if outcomes else {}).items():
        columns += [f"{name}{suffix}" for suffix in _columns(outcome)]
    rows: list[list[object]] = [
        [index, *(cell for outcome in row.values() for cell in _columns(outcome).values())]
        for index, row in enumerate(outcomes)
    ]
    return columns, rows


def _columns(outcome: Outcome) -> dict[str, float]:
    match outcome:
        case Value(value):
            return {"": value}
        case Ratio(numerator, denominator):
            return {":numerator": numerator, ":denominator": denominator}
        case Sample(values):
            return {":sum": float(values.sum()), ":count": float(values.size)}


def _limit_of(scenario: Scenario, level: str, lacks: Sequence[tuple[Interval, str]]) -> str:
    """`Seats limit Day care: on 71 % (64–78 %) of the days people waited, only a fitting seat was …`."""
    (first, missing), *others = lacks
    subject, verb, plight = _shortage(scenario, level, missing)
    text = f"on {_percent(first)} of the days people waited, {plight}"
    if others and others[0][0].estimate >= WORTH_A_WORD:
        second, next_missing = others[0]
        text += f", on {_percent(second)} {_shortage(scenario, level, next_missing)[2]}"
        if second.high >= first.low:
            verb = "seems to limit" if verb.endswith("s") else "seem to limit"
    return f"{subject[0].upper()}{subject[1:]} {verb} {scenario.says(scenario.levels, level)}: {text}"


_NOT_MISSING = {
    "INTAKE": ("intake appointments", "limit", "an intake appointment was still ahead"),
    "TREATMENT": (
        "treatment in the level before",
        "limits",
        "treatment in the level before was still going on",
    ),
    "ORDER": ("the order of the waitlist", "limits", "only somebody ahead stood in the way"),
}


def _shortage(scenario: Scenario, level: str, missing: str) -> tuple[str, str, str]:
    """What is short, the verb that goes with it, and what that meant on a day of waiting."""
    bits = next(bits for bits, name in lacks(scenario, level).items() if name == missing)
    if bits[0] in _NOT_MISSING:
        return _NOT_MISSING[bits[0]]
    spec = scenario.levels[level]
    seat = "seat" if spec.groups else "place"
    caseloads = f"{_roles(scenario, [spec.caseload or ''])} caseloads"
    gates = gatekeepers(scenario, level)
    appointments = f"{_roles(scenario, gates)} appointments"
    timely = f"timely {appointments}" if len(gates) > 1 else f"a timely {appointments.removesuffix('s')}"
    words = {
        "SEAT": (f"{seat}s", f"a fitting {seat}"),
        "CASELOAD": (caseloads, f"room in {caseloads}"),
        "HOURS": (appointments, timely),
        "AUTHORIZATION": ("authorization", "the payer's authorization"),
    }
    subjects, things = zip(*(words[bit] for bit in bits), strict=True)
    if len(bits) == 1:
        verb = "limits" if bits == ("AUTHORIZATION",) else "limit"
        was = "were" if bits == ("HOURS",) and len(gates) > 1 else "was"
        return subjects[0], verb, f"only {things[0]} {was} missing"
    one, *others = subjects
    plight = f"both {things[0]} and {things[1]} were" if len(bits) == 2 else f"{_listed(things)} were all"
    return f"{one} together with {_listed(others)}", "limit", f"{plight} missing"


def _roles(scenario: Scenario, roles: Sequence[str]) -> str:
    return _listed([_in_a_sentence(scenario.says(scenario.staff, role)) for role in roles if role])


def _listed(words: Sequence[str]) -> str:
    """`a, b and c`."""
    *most, last = words or [""]
    return f"{', '.join(most)} and {last}" if most else last


def _unresolved(
    scenario: Scenario, names: Mapping[str, str | None], share: Interval, waits: Interval
) -> list[str]:
    level, track = str(names["level"]), names.get("track")
    who = scenario.says(scenario.levels, level)
    if track:
        who += f", {scenario.says(scenario.tracks, track)}"
    if share.n and not waits.n:
        return [f"{who}: nobody who joined the waitlist in the measured weeks ever started."]
    if share.estimate > UNRESOLVED_AT_MOST:
        return [
            f"{who}: {_percent(share)} of those who joined in the measured weeks were still waiting at the "
            "end, so the waits shown leave out the longest; raise run.run_out_weeks "
            f"(now {scenario.run.run_out_weeks}), and if that does not help, the list never clears."
        ]
    return []


def _percent(share: Interval) -> str:
    """`71 % (64–78 %)`; the bracket is left out where an end is not known."""
    digits = 0 if share.estimate >= 0.095 else 1
    text = f"{100 * share.estimate:.{digits}f} %"
    if math.isnan(share.low) or math.isnan(share.high):
        return text
    low, high = (100 * min(max(end, 0.0), 1.0) for end in (share.low, share.high))
    return f"{text} ({low:.{digits}f}–{high:.{digits}f} %)"


def _in_a_sentence(label: str) -> str:
    """The label in lower case where it is an ordinary word: `RN` stays."""
    return label if label[1:2].isupper() else label[:1].lower() + label[1:]
