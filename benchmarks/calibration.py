"""Whether intervals and verdicts are right as often as they say: `python benchmarks/calibration.py`; ten minutes.

Two kinds of replications are judged by the program's own estimators, both with a truth that is known exactly:

- small clinics, simulated and measured like any other, whose answer is in `iopsim.theory`;
- years of one place in its steady state (M/M/1), drawn without a clinic and so by the ten thousand: the waits of a
  year hang together and are as skewed as in a clinic, far from capacity and near it.

With `--write` the table replaces `benchmarks/tables/calibration.csv`. It is the same on every machine.
"""

from __future__ import annotations

import csv
import math
import sys
from functools import cache, partial
from itertools import cycle, islice
from pathlib import Path
from statistics import mean
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy.optimize import brentq
from scipy.stats import binomtest, norm

from iopsim.experiment.executors import for_each, open_executor
from iopsim.experiment.names import reported
from iopsim.experiment.precision import looks, shortfalls
from iopsim.experiment.statistics import LEVEL
from iopsim.experiment.summary import Gathered
from iopsim.measures.registry import Outcome, Sample, Value, measure
from iopsim.measures.window import Window
from iopsim.model.clinic import simulate
from iopsim.scenario.distributions import Uniform
from iopsim.scenario.schema import Scenario, UntilPrecise
from iopsim.theory.abandonment import ErlangA, erlang_a
from iopsim.theory.erlang import erlang_b, mmc
from iopsim.theory.infinite import mean_census_in_window
from iopsim.verification.case import Case, Claim
from iopsim.verification.judge import judged
from iopsim.verification.observed import metric

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from iopsim.experiment.statistics import Interval

    Floats = NDArray[np.float64]
    Outcomes = Mapping[str, Outcome]

TABLE = Path(__file__).parent / "tables" / "calibration.csv"
TRIALS = 2000
JUDGED_FROM = 40  # replications, as for most cases that ship
AS_SAID = (0.935, 0.97)  # share of 95 % intervals that hold the truth

SPREAD = {f"clinic.wait_days.p{percent}": percent / 100 for percent in (50, 90, 95)}
CALLED = {
    "clinic.waitlist.mean": "mean over time",
    "clinic.wait_days.mean": "mean wait",
    "clinic.wait_days.p50": "p50 of waits",
    "clinic.wait_days.p90": "p90 of waits",
    "clinic.wait_days.p95": "p95 of waits",
    "clinic.reneged.share": "share who give up",
    "clinic.census.mean": "mean census",
}


class Row(NamedTuple):
    """A line of the table: something that ought to happen in a share of all trials, and in how many it did."""

    what: str
    data: str
    replications: str
    trials: int
    expected_share: float
    found_share: float
    low: float  # of the 99 % interval of that share (Clopper and Pearson)
    high: float
    open_share: float  # trials whose interval has an end that is not known
    verdict: str


class Plan(NamedTuple):
    """What is simulated, and what theory says of it by the full name of the metric."""

    scenario: Scenario
    exact: Mapping[str, float]


class Pair(NamedTuple):
    """One replication of a plan, and one of another plan that met the same patients."""

    base: Outcomes
    other: Outcomes


class Data(NamedTuple):
    """Two plans, and their replications one after the other, from the first on each time they are asked for."""

    name: str
    base: Plan
    other: Plan
    pairs: Callable[[], Iterator[Pair]]


def main(arguments: Sequence[str]) -> None:
    rows = []
    print(f"{'':<66} {'trials':>6} {'wanted':>7} {'found':>7}  99 % interval")
    for row in all_rows(TRIALS):
        rows.append(row)
        said = f"{row.what}; {row.data}; {row.replications}"
        shares = f"{row.expected_share:>7.2%} {row.found_share:>7.2%}  {row.low:.2%} – {row.high:.2%}"
        print(f"{said:<66} {row.trials:>6} {shares}  {row.verdict}", flush=True)
    if "--write" in arguments:
        with TABLE.open("w", encoding="utf-8", newline="") as file:
            table = csv.writer(file, lineterminator="\n")
            table.writerow(Row._fields)
            table.writerows(
                [f"{cell:.4g}" if isinstance(cell, float) else cell for cell in row] for row in rows
            )


def all_rows(trials: int) -> Iterator[Row]:
    each = {"Erlang A": 10, "one place more": 10, "Erlang C": 5, "loss": 5, "opening": 25}
    pools = simulated({name: trials * replications for name, replications in each.items()})
    erlang = pooled("Erlang A", pools, "one place more")
    opening = pooled("opening", pools, "opening")
    far, near = queue("M/M/1, 60 % used", 0.6, 600), queue("M/M/1, 80 % used", 0.8, 300)
    long = queue("M/M/1, four times as long", 0.6, 2400)
    paired = ("clinic.wait_days.mean", "clinic.wait_days.p90")
    alone = [(clinic(name), pool[: trials * 5]) for name, pool in pools.items() if name != "one place more"]
    yield from false_alarms("four clinics, simulated", alone)
    for data in (far, long):
        drawn = (pair.base for pair in islice(data.pairs(), trials * JUDGED_FROM))
        yield from false_alarms(data.name, [(data.base, drawn)])
    yield from coverage(erlang, 10, trials, tuple(erlang.base.exact), paired)
    for replications in (5, 10, 40):
        yield from coverage(far, replications, trials, tuple(far.base.exact), paired)
    for replications in (10, 40):
        yield from coverage(near, replications, trials, paired)
    yield stopped(opening, "clinic.census.mean", {"min": 10, "batch": 5, "precision": 0.1}, trials)
    yield stopped(far, "clinic.wait_days.mean", {"precision": 0.1}, trials)
    yield stopped(near, "clinic.wait_days.mean", {"precision": 0.2}, trials)


# ── what is judged ───────────────────────────────────────────────────────────────────────────────────────────


def false_alarms(name: str, samples: Iterable[tuple[Plan, Iterable[Outcomes]]]) -> Iterator[Row]:
    """How often the judge of `iopsim verify` finds a sound model that far from theory."""
    z = [abs(value) for plan, pool in samples for value in _z(plan, iter(pool))]
    for limit in (2.0, 3.0, 4.0):
        beyond, expected = sum(value > limit for value in z), 2 * float(norm.sf(limit))
        ends = _certainty(beyond, len(z))
        verdict = (
            "too often" if ends["low"] > expected else "too rarely" if ends["high"] < expected else "as said"
        )
        yield Row(
            what=f"|z| over {limit:g} where theory is right",
            data=name,
            replications=str(JUDGED_FROM),
            trials=len(z),
            expected_share=expected,
            found_share=beyond / len(z),
            **ends,
            open_share=0.0,
            verdict=verdict,
        )


def _z(plan: Plan, pool: Iterator[Outcomes]) -> Iterator[float]:
    """The z of one claim from each block of replications: claims of one block would not be independent."""
    claims = [Claim(value, metric(name)) for name, value in plan.exact.items() if name not in SPREAD]
    for claim in cycle(claims):
        parts = [[claim.measured(Seen(outcomes))] for outcomes in islice(pool, JUDGED_FROM)]
        if not parts:
            return
        case = Case("calibration", "", JUDGED_FROM, lambda _, claim=claim: [claim])
        yield judged(case, plan.scenario, parts)[0].z


class Seen(NamedTuple):
    """A replication, as far as a claim on a metric looks at it."""

    metrics: Outcomes


def coverage(
    data: Data, replications: int, trials: int, names: Sequence[str], paired: Sequence[str] = ()
) -> Iterator[Row]:
    """How often intervals hold the exact value, and those of paired differences the exact difference."""
    pairs = data.pairs()
    entries = [
        {name: reported(plan.scenario)[name] for name in wanted}
        for plan, wanted in ((data.base, (*names, *paired)), (data.other, paired))
    ]
    found: dict[str, list[Interval]] = {name: [] for name in (*names, *map(_difference, paired))}
    for _ in range(trials):
        block = zip(*islice(pairs, replications), strict=True)
        base, other = (Gathered(side).all(wanted) for side, wanted in zip(block, entries, strict=True))
        for name in names:
            found[name].append(base[name].interval)
        for name in paired:
            found[_difference(name)].append(other[name].minus(base[name]).interval)
    exact = data.base.exact | {
        _difference(name): data.other.exact[name] - data.base.exact[name] for name in paired
    }
    for name, intervals in found.items():
        yield _covered(name, data, str(replications), intervals, exact[name])


def _difference(name: str) -> str:
    return f"paired difference of {name}"


def stopped(data: Data, name: str, rule: Mapping[str, Any], trials: int) -> Row:
    """How often intervals hold the exact value where replications are added until they are narrow enough."""
    plan, pairs = data.base.scenario, data.pairs()
    until = UntilPrecise(**rule, of=(name,))
    scenario = plan.model_copy(update={"run": plan.run.model_copy(update={"replications": until})})
    entry = reported(scenario)[name]
    intervals, counts = [], []
    for _ in range(trials):
        block: list[Outcomes] = []
        for count in looks(until):
            block += [pair.base for pair in islice(pairs, count - len(block))]
            assert len(block) == count, "the pool is empty"
            if not shortfalls(scenario, block):
                break
        intervals.append(Gathered(block).of(name, entry).interval)
        counts.append(len(block))
    said = f"until ± {until.precision:.0%}: {min(counts)}–{max(counts)}"
    return _covered(name, data, said, intervals, data.base.exact[name])


def _covered(name: str, data: Data, replications: str, intervals: Sequence[Interval], exact: float) -> Row:
    """An end that is not known lies beyond everything, and a number that is not printed holds nothing."""
    holds = sum(not (math.isnan(one.estimate) or one.low > exact or one.high < exact) for one in intervals)
    share, least, most = holds / len(intervals), *AS_SAID
    return Row(
        what=" ".join(CALLED.get(word, word) for word in name.split()),
        data=data.name,
        replications=replications,
        trials=len(intervals),
        expected_share=LEVEL,
        found_share=share,
        **_certainty(holds, len(intervals)),
        open_share=mean(math.isnan(one.low) or math.isnan(one.high) for one in intervals),
        verdict="as said" if least <= share <= most else "too narrow" if share < least else "too wide",
    )


def _certainty(found: int, trials: int) -> dict[str, float]:
    interval = binomtest(found, trials).proportion_ci(0.99, "exact")
    return {"low": float(interval.low), "high": float(interval.high)}


# ── small clinics whose answer is known ──────────────────────────────────────────────────────────────────────

A_DAY = {"exponential": {"mean": 1}}
PER_WEEK = 35.0


def _clinic(level: Mapping[str, Any], seed: int, warm_up_weeks: int = 1) -> Scenario:
    """A week of five referrals a day; no stay or wait is remembered for as long as a week."""
    run = {"weeks": 1, "warm_up_weeks": warm_up_weeks, "run_out_weeks": 1, "seed": seed}
    source = {"community": {"to": "clinic", "per_week": PER_WEEK}}
    return Scenario.model_validate({"run": run, "sources": source, "levels": {"clinic": level}})


def _erlang_a(places: int) -> Plan:
    exact = erlang_a(PER_WEEK / 7, 1, places, 1)
    waits = {name: _wait_not_exceeded(exact, p) for name, p in SPREAD.items()}
    numbers = {
        "clinic.waitlist.mean": exact.mean_waiting,
        "clinic.reneged.share": exact.renege_share,
        "clinic.wait_days.mean": exact.mean_wait_days_of_starters,
    }
    level = {"places": places, "stay_days": A_DAY, "waitlist": {"patience_days": A_DAY}}
    return Plan(_clinic(level, seed=61), numbers | waits)


def _wait_not_exceeded(exact: ErlangA, share: float) -> float:
    """By a share of those who start; 0 where as many start at once."""
    wanted = share * (1 - exact.renege_share)
    at_once = exact.started_within(0.0) >= wanted
    return 0.0 if at_once else float(brentq(lambda days: exact.started_within(days) - wanted, 0, 50))


def _erlang_c() -> Plan:
    """Nothing of waits: so few wait, and some so long, that 40 such weeks cannot tell."""
    level = {"places": 4, "stay_days": {"exponential": {"mean": 0.4}}}
    return Plan(_clinic(level, seed=62), {"clinic.utilization.mean": mmc(PER_WEEK / 7, 0.4, 4).utilization})


def _loss() -> Plan:
    refused = erlang_b(5, PER_WEEK / 7)
    numbers = {"clinic.lost.refused.share": refused, "clinic.census.mean": PER_WEEK / 7 * (1 - refused)}
    level = {"places": 5, "stay_days": A_DAY, "waitlist": {"at_most": 0}}
    return Plan(_clinic(level, seed=63), numbers)


def _opening() -> Plan:
    stay = Uniform(min=2, max=4)
    exact = mean_census_in_window([(0, PER_WEEK / 7)], stay.survival, 0, 7)
    level = {"stay_days": {"uniform": {"min": 2, "max": 4}}}
    return Plan(_clinic(level, seed=64, warm_up_weeks=0), {"clinic.census.mean": exact})


CLINICS: dict[str, Callable[[], Plan]] = {
    "Erlang A": partial(_erlang_a, 4),
    "one place more": partial(_erlang_a, 5),
    "Erlang C": _erlang_c,
    "loss": _loss,
    "opening": _opening,
}


@cache
def clinic(name: str) -> Plan:
    return CLINICS[name]()


def simulated(counts: Mapping[str, int]) -> dict[str, list[Outcomes]]:
    """So many replications of each clinic, on all cores."""
    found: dict[tuple[str, int], Outcomes] = {}
    tasks = [(name, replication) for name, count in counts.items() for replication in range(count)]
    with open_executor() as executor:
        for_each(executor, replicated, tasks, found.__setitem__)
    return {
        name: [found[name, replication] for replication in range(count)] for name, count in counts.items()
    }


def replicated(task: tuple[str, int]) -> Outcomes:
    """One replication, as far as theory has something to say of it."""
    name, replication = task
    plan = clinic(name)
    outcomes = measure(Window(plan.scenario, simulate(plan.scenario, replication)))
    known = {*plan.exact, *(metric.rpartition(".")[0] for metric in plan.exact)}
    return {key: outcome for key, outcome in outcomes.items() if key in known}


def pooled(name: str, pools: Mapping[str, Sequence[Outcomes]], other: str) -> Data:
    """Replications that were simulated once, for every row that asks."""
    pairs = [Pair(*outcomes) for outcomes in zip(pools[name], pools[other], strict=True)]
    return Data(f"{name}, simulated", clinic(name), clinic(other), lambda: iter(pairs))


# ── years of one place ───────────────────────────────────────────────────────────────────────────────────────

FASTER = 1.1  # stays in the other plan are shorter by this
BATCH = 500  # years that are drawn at once


def queue(name: str, load: float, days: float) -> Data:
    """M/M/1 in steady state, stays of a day on average: the waits of all who join in `days`, and the work on hand."""
    scenario = _clinic({"places": 1, "stay_days": A_DAY}, seed=1)
    plans = [Plan(scenario, _exact(load, speed)) for speed in (1.0, FASTER)]
    return Data(name, *plans, partial(_years, load, days))


def _exact(load: float, speed: float) -> dict[str, float]:
    """Who joins sees the work on hand and waits as long (PASTA), so that both have one mean."""
    exact = mmc(load, 1 / speed, 1)
    waits = {name: math.log(exact.wait_share / (1 - p)) / exact.drain_per_day for name, p in SPREAD.items()}
    means = dict.fromkeys(("clinic.waitlist.mean", "clinic.wait_days.mean"), exact.mean_wait_days)
    return means | waits


def _years(load: float, days: float) -> Iterator[Pair]:
    rng = np.random.default_rng(20270104)
    most = math.ceil(load * days + 7 * math.sqrt(load * days)) + 1
    while True:
        between = rng.exponential(1 / load, (most, BATCH))
        stays = rng.exponential(1.0, (most, BATCH))
        busy, backlog = rng.random(BATCH), rng.exponential(1.0, BATCH)
        joined = between.cumsum(axis=0)
        until = np.minimum(between, np.maximum(days - joined + between, 0.0))  # to the end of the window
        sides = []
        for speed in (1.0, FASTER):
            begins_with = np.where(busy < load / speed, backlog / (speed - load), 0.0)
            waits, work = _walk(begins_with, between, until, stays / speed)
            years = zip((work / days).tolist(), joined.T, waits.T, strict=True)
            sides.append(
                [
                    {"clinic.waitlist.mean": Value(mean), "clinic.wait_days": Sample(wait[day <= days])}
                    for mean, day, wait in years
                ]
            )
        yield from map(Pair, *sides)


def _walk(work: Floats, between: Floats, until: Floats, stays: Floats) -> tuple[Floats, Floats]:
    """Waits of those who join, and the area under the work on hand, which falls by a day each day (Lindley 1952)."""
    waits, area = np.empty_like(between), np.zeros_like(work)
    for row, (gap, seen, stay) in enumerate(zip(between, until, stays, strict=True)):
        falls = np.minimum(work, seen)
        area += falls * (work - falls / 2)
        waits[row] = np.maximum(work - gap, 0.0)
        work = waits[row] + stay
    return waits, area


if __name__ == "__main__":
    from benchmarks import calibration  # workers find it by this name

    calibration.main(sys.argv[1:])
