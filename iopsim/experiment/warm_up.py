"""How long a clinic that opens empty must run until what is measured no longer remembers that.

Pilot runs of each plan, with all that has a date removed, say when the weekly census and waitlist of every level have
settled (MSER-5). Whatever they say, the warm-up lasts at least three times the slowest mean stay or delay. Pilots have
the replications −1, −2, …: their chance is never that of a result.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from iopsim.errors import Fault, InputError
from iopsim.experiment.pilot import pilot, with_run
from iopsim.experiment.plans import Plan, replications, silent, simulate
from iopsim.scenario.findings import words
from iopsim.scenario.levels import care_of
from iopsim.scenario.routing import reached

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from concurrent.futures import Executor

    from numpy.typing import ArrayLike, NDArray

    from iopsim.experiment.cache import Cache
    from iopsim.experiment.plans import Progress
    from iopsim.scenario.levels import Care, Level
    from iopsim.scenario.schema import Scenario

    Floats = NDArray[np.float64]

__all__ = [
    "PILOTS",
    "Floor",
    "Piloted",
    "Settling",
    "Truncation",
    "WarmUp",
    "floor_of",
    "moving_average",
    "mser5",
    "pilot",
    "pilot_rows",
    "recommend",
    "settle",
]

PILOTS = 10  # runs of each plan
_BATCH = 5  # weeks
_AROUND = 6  # weeks on either side that a moving average takes in: a quarter of a year
_TIMES = 3  # the floor, in slowest mean delays
_LONGER = 4  # a pilot, in floors
_LEAST_WEEKS, _MOST_WEEKS = 104, 2600  # of a pilot
_ROUNDING = 1e-9
_SETTLES = ("census", "waitlist", "filled", "limit")  # last words of the weekly series that are judged


class Truncation(NamedTuple):
    """What to leave out at the start of a series.

    Attributes:
        batches: Batches of five weeks.
        weeks: The same in weeks.
        capped: Whether this is the most that may be left out, half the run: then the series may never settle.
    """

    batches: int
    weeks: int
    capped: bool


class Floor(NamedTuple):
    """The least warm-up that arithmetic asks for.

    Attributes:
        weeks: Three times the delay, in whole weeks, rounded up.
        days: The slowest mean stay or delay.
        what: What takes so long, as in a sentence; empty when nobody is referred.
    """

    weeks: int
    days: float
    what: str

    @property
    def words(self) -> str:
        """What takes how long."""
        return f"{self.what} ({round(self.days, 1):g} days)" if self.what else "nobody is referred"


@dataclass(frozen=True, slots=True, eq=False)
class Settling:
    """One weekly series of a plan's pilots.

    Attributes:
        name: Such as `<level>.census`.
        level: What people read for the level.
        means: Mean of the pilots in each week from opening; shape (weeks,).
        truncation: What MSER-5 leaves out of it.
    """

    name: str
    level: str
    means: Floats
    truncation: Truncation

    @property
    def kind(self) -> str:
        """`census` or `waitlist`."""
        return self.name.rpartition(".")[2]

    @property
    def words(self) -> str:
        """What the series is, as in a sentence."""
        return f"{self.kind} of {self.level}"


@dataclass(frozen=True, slots=True, eq=False)
class Piloted:
    """What the pilots of one plan say.

    Attributes:
        plan: Name of its scenario.
        pilots: How many runs.
        pilot_weeks: How long each is.
        floor: The least warm-up.
        series: Every series that varies.
    """

    plan: str
    pilots: int
    pilot_weeks: int
    floor: Floor
    series: tuple[Settling, ...]

    @property
    def weeks(self) -> int:
        """The warm-up that the plan needs: the floor, or the slowest of its series."""
        return max([self.floor.weeks, *(one.truncation.weeks for one in self.series)])

    @property
    def why(self) -> str:
        """What asks for so many weeks, as in a sentence."""
        if self.weeks > self.floor.weeks:
            slowest = max(self.series, key=lambda one: one.truncation.weeks)
            if slowest.truncation.capped:
                return f"half a pilot run, in which the {slowest.words} had not settled"
            return f"until the {slowest.words} settles (MSER-5, {self.pilots} pilot runs)"
        return f"three times {self.floor.words}" if self.floor.what else f"as {self.floor.words}"


@dataclass(frozen=True, slots=True, eq=False)
class WarmUp:
    """One warm-up for all plans, and what it rests on.

    Attributes:
        weeks: How long; longer than any pilot says where another plan gives itself as much.
        plans: What the pilots of each plan say.
        together: How many plans have this warm-up.
    """

    weeks: int
    plans: tuple[Piloted, ...]
    together: int = 1

    def notes(self) -> list[str]:
        """For planners: how long and why, and what has not settled."""
        slowest = max(self.plans, key=lambda found: found.weeks)
        why = slowest.why if slowest.weeks == self.weeks else "as another plan says"
        named = f" in {slowest.plan}" if len({found.plan for found in self.plans}) > 1 else ""
        everywhere = " in every plan" if self.together > 1 else ""
        count = f"{self.weeks} week{'s' * (self.weeks != 1)}"
        return [f"Warm-up: {count}{everywhere}, {why}{named}.", *self._unsettled()]

    def _unsettled(self) -> Iterator[str]:
        capped = [(one.words, found) for found in self.plans for one in found.series if one.truncation.capped]
        for number in sorted({found.pilot_weeks for _, found in capped}):
            those = dict.fromkeys(said for said, found in capped if found.pilot_weeks == number)
            yield (
                f"Half-way through pilot runs of {number} weeks the {words(list(those))} had not settled; what only "
                "grows never does, and its numbers depend on how long the clinic has been open."
            )


def settle(
    scenarios: Sequence[Scenario], cache: Cache, executor: Executor, progress: Progress = silent
) -> tuple[list[Scenario], WarmUp | None]:
    """Fill in the warm-up where a scenario asks for it to be found; all then have the same, the longest.

    Args:
        scenarios: Plans that are to be compared, or one.
        cache: Where pilots are kept.
        executor: Who simulates them.
        progress: Told of pilots finished, of all.

    Returns:
        The scenarios, and what was found: None, and they unchanged, where each gives a number.

    Raises:
        InputError: A stay or delay is too long for pilot runs.
        Interrupted: The user stopped.
    """
    wanting = [scenario for scenario in scenarios if not scenario.run.is_settled]
    if not wanting:
        return list(scenarios), None
    found = recommend(wanting, cache, executor, progress)
    given = [scenario.run.warm_up_weeks for scenario in scenarios if scenario.run.is_settled]
    weeks = max([*given, *(one.weeks for one in found)])
    settled = [with_run(scenario, warm_up=weeks) for scenario in scenarios]
    return settled, WarmUp(weeks, tuple(found), len(scenarios))


def recommend(
    scenarios: Sequence[Scenario],
    cache: Cache,
    executor: Executor,
    progress: Progress = silent,
    pilots: int = PILOTS,
) -> list[Piloted]:
    """What pilot runs say of each plan, whatever its own warm-up; plans that differ in nothing else count once.

    Raises:
        InputError: A stay or delay is too long for pilot runs.
        Interrupted: The user stopped.
    """
    indices = range(-1, -1 - pilots, -1)
    floors = [floor_of(scenario) for scenario in scenarios]
    plans = {
        (plan := Plan.of(pilot(scenario, _pilot_weeks(floor)))).key: (plan, floor)
        for scenario, floor in zip(scenarios, floors, strict=True)
    }
    simulate([(plan, indices) for plan, _ in plans.values()], cache, executor, progress)
    return [_piloted(plan, floor, indices, cache) for plan, floor in plans.values()]


def _piloted(plan: Plan, floor: Floor, indices: range, cache: Cache) -> Piloted:
    scenario = plan.scenario
    every = [replication.weekly for replication in replications(plan, indices, cache)]
    series = []
    for name in (name for name in every[0] if name.rpartition(".")[2] in _SETTLES):
        means = np.mean([weekly[name] for weekly in every], axis=0)
        if np.ptp(means):
            level = scenario.says(scenario.levels, name.rpartition(".")[0])
            series.append(Settling(name, level, means, mser5(means)))
    return Piloted(scenario.name, len(indices), scenario.run.weeks, floor, tuple(series))


def mser5(series: ArrayLike) -> Truncation:
    """Where to cut a series of weekly means so that the rest has the least marginal standard error.

    Of batches of five weeks, those are left out at the start that minimize the squared standard error of the mean of
    the rest, Σ(Z − mean)² ÷ n²; at most half of them, for the rule is erratic over the last few. Weeks at the end that
    fill no batch do not count.

    Raises:
        ValueError: The series has fewer than ten weeks.

    Source: White 1997, Simulation 69:323 (the rule); White, Cobb and Spratt 2000, Proc. Winter Simulation Conf., 755
    (batches of five, and the limit of half the run).
    """
    values = np.asarray(series, dtype=float)
    count = len(values) // _BATCH
    if count < 2:
        raise ValueError(f"MSER-5 takes at least {2 * _BATCH} weeks")
    batches = values[: count * _BATCH].reshape(count, _BATCH).mean(axis=1)
    most = count // 2
    cut = int(np.argmin([batches[start:].var() / (count - start) for start in range(most + 1)]))
    return Truncation(cut, cut * _BATCH, cut == most)


def moving_average(series: ArrayLike, around: int = _AROUND) -> Floats:
    """Mean of each week and so many on either side, fewer near the start; NaN near the end.

    Source: Welch 1983, in Lavenberg (ed.), The Computer Performance Modeling Handbook; Law 2015, Simulation Modeling
    and Analysis, §9.5.1.
    """
    values = np.asarray(series, dtype=float)
    weeks = np.arange(len(values))
    reach = np.minimum(weeks, around)
    sums = np.append(0.0, np.cumsum(values))
    last = np.minimum(weeks + reach + 1, len(values))
    averages: Floats = (sums[last] - sums[weeks - reach]) / (2 * reach + 1)
    averages[weeks + reach >= len(values)] = np.nan
    return averages


def pilot_rows(found: Piloted) -> tuple[list[str], list[list[object]]]:
    """Header and rows of warmup.csv: what Welch's figure shows."""
    rows: list[list[object]] = [
        [one.name, week, mean, average]
        for one in found.series
        for week, (mean, average) in enumerate(
            zip(one.means.tolist(), moving_average(one.means).tolist(), strict=True), start=1
        )
    ]
    return ["series", "week", "mean", "moving_average"], rows


def floor_of(scenario: Scenario) -> Floor:
    """Three times the slowest mean stay or delay of the levels that anybody comes to.

    Raises:
        InputError: It is too long for pilot runs.
    """
    days, what = max(_delays(scenario), key=lambda delay: delay[0], default=(0.0, ""))
    weeks = math.ceil(_TIMES * days / 7 - _ROUNDING)
    if _LONGER * weeks > _MOST_WEEKS:
        message = (
            f"cannot be found: {what} is {days:.0f} days, so pilot runs would take more than {_MOST_WEEKS} weeks; "
            "say a number of weeks"
        )
        raise InputError(Fault("warm-up", message, "run.warm_up_weeks"))
    return Floor(weeks, days, what)


def _pilot_weeks(floor: Floor) -> int:
    """Long enough, and whole batches in either half."""
    return 2 * _BATCH * math.ceil(max(_LONGER * floor.weeks, _LEAST_WEEKS) / (2 * _BATCH))


def _delays(scenario: Scenario) -> Iterator[tuple[float, str]]:
    """Mean days of every stay, of the ways in, on and back, and until a post is filled again, with words for it."""
    for name, comers in reached(scenario).items():
        level, who = scenario.levels[name], scenario.says(scenario.levels, name)
        for track, sources in comers.items():
            for source in sources:
                yield _stay_days(level, care_of(level, track, source)), f"the mean stay in {who}"
        if not comers:
            continue
        yield from _ways_in(scenario, name)
        for destination in level.next.values():
            if destination.share and destination.lag_days:
                yield destination.lag_days.mean, f"the mean lag after {who}"
        if level.returns and level.returns.share:
            yield level.returns.after_days.mean, f"the mean delay of returns after {who}"
    for name, role in scenario.staff.items():
        if role.turnover_per_year:
            hired = role.days_to_hire.mean if role.days_to_hire else 0.0
            what = f"the mean time to hire and train a {scenario.says(scenario.staff, name)}"
            yield hired + 7 * role.onboarding_weeks, what


def _ways_in(scenario: Scenario, name: str) -> Iterator[tuple[float, str]]:
    """Mean days of what stands between a referral and care, apart from the wait itself."""
    level, who = scenario.levels[name], scenario.says(scenario.levels, name)
    if level.contact and level.contact.delay_days:
        yield level.contact.delay_days.mean, f"the mean time to contact for {who}"
    for payer in scenario.payers.values():
        if (asked := payer.authorization) and asked.delay_days and name in asked.levels:
            yield asked.delay_days.mean, f"the mean time to authorization for {who}"
    for key, group in level.groups.items():
        if group.cohort:
            yield group.cohort.every_days, f"the time between cohorts of {scenario.says(level.groups, key)}"


def _stay_days(level: Level, care: Care) -> float:
    """Mean of the law, or the weeks of all phases with the extension; nobody is taken to leave early."""
    if care.stay_days:
        return care.stay_days.mean
    weeks = sum(phase.weeks for phase in care.phases or ())
    if care.extension and care.extension.share:
        weeks += care.extension.weeks
    return 7 * weeks / (max(care.attendance.mean, 0.01) if level.plan == "attended" else 1.0)
