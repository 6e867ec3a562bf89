"""What a run from today says of the waitlists: when they are short, and when each patient on them starts care.

A year in which something never happens has it later than all others; "never" goes as far as the simulated weeks.
Median and range of the years, 10–90 % of them, are left blank where there are fewer than twenty.
"""

from __future__ import annotations

import datetime as dt
import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from iopsim.experiment.statistics import FEWEST_YEARS
from iopsim.measures.lists import NOT_STARTED
from iopsim.measures.registry import Sample
from iopsim.scenario.today import listed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from iopsim.experiment.encoding import Replication
    from iopsim.scenario.schema import Scenario
    from iopsim.scenario.today import Listed

    Floats = NDArray[np.float64]

__all__ = ["STARTS_COLUMNS", "UNDER_COLUMNS", "answers", "starts_rows", "under_rows"]

STARTS_COLUMNS = ("place", "level", "share_started", "share_gave_up", "date_p10", "date_median", "date_p90")
UNDER_COLUMNS = ("level", "under", "week_start", "share_of_years", "cumulative_share")
_BAND = (0.1, 0.5, 0.9)


class _Waiting(NamedTuple):
    """A patient on a list: the place on it by date of joining, from 1, and in each year when care starts.

    `days` are negative where it does not, as in `Replication.persons`; shape (years,).
    """

    person: Listed
    place: int
    days: Floats


def starts_rows(
    scenario: Scenario, replications: Sequence[Replication], *, named: bool = False
) -> Iterator[list[object]]:
    """Rows of starts.csv, level by level and in the order of joining; with the ids of the file if `named`.

    Who gave up includes those who were refused, denied or called back; the rest still waits at the end of the run.
    """
    for person, place, days in _waiting(scenario, replications):
        shares = [float(which.mean()) for which in (days >= 0, days == NOT_STARTED)]
        row: list[object] = [place, person.level, *shares]
        row += [_date(scenario, day) for day in _band(np.where(days < 0, np.inf, days))]
        yield [*row, person.id] if named else row


def under_rows(scenario: Scenario, replications: Sequence[Replication]) -> Iterator[list[object]]:
    """Rows of weeks_until_under.csv: in which share of years the list stays short from each week on."""
    run = scenario.run
    for level, number in _asked(scenario).items():
        weeks = _first_weeks(level, replications)
        shares = [float((weeks == week).mean()) for week in range(run.weeks + run.run_out_weeks)]
        for week, (share, up_to) in enumerate(zip(shares, np.cumsum(shares).tolist(), strict=True)):
            yield [level, number, _date(scenario, 7 * week), share, up_to]


def answers(scenario: Scenario, replications: Sequence[Replication]) -> list[str]:
    """Sentences for the planner on each list: by when half of those on it start, and from when on it is short."""
    waiting = [*_waiting(scenario, replications)]
    said = []
    for level in scenario.levels:
        here = [one.days for one in waiting if one.person.level == level]
        if here:
            said.append(_half_start(scenario, level, np.array(here)))
    for level, number in _asked(scenario).items():
        said.append(_stays_under(scenario, level, number, _first_weeks(level, replications)))
    return said + _left_blank(len(replications)) if said else []


def _waiting(scenario: Scenario, replications: Sequence[Replication]) -> Iterator[_Waiting]:
    people, levels = listed(scenario), list(scenario.levels)
    by_person = np.array([replication.persons for replication in replications]).T
    in_order = sorted(
        range(len(people)), key=lambda at: (levels.index(people[at].level), -people[at].days, at)
    )
    places = dict.fromkeys(levels, 0)
    for at in in_order:
        places[people[at].level] += 1
        yield _Waiting(people[at], places[people[at].level], by_person[at])


def _half_start(scenario: Scenario, level: str, days: Floats) -> str:
    """`Of 23 on the list of Day care today, half start by 2027-02-03 (10–90 % of years: … to …), …`."""
    where, many = scenario.says(scenario.levels, level), len(days)
    by_then = np.sort(np.where(days < 0, np.inf, days), axis=0)[math.ceil(many / 2) - 1]
    started, lost = (float(which.sum(axis=0).mean()) for which in (days >= 0, days == NOT_STARTED))
    who = f"Of {many} on the list of {where} today, half start"
    return (
        f"{who if many > 1 else f'The one on the list of {where} today starts'} {_by_when(scenario, by_then)}; "
        f"on average {_count(started)} start and {_count(lost)} give up or are lost."
    )


def _stays_under(scenario: Scenario, level: str, number: int, weeks: Floats) -> str:
    where = f"The list of {scenario.says(scenario.levels, level)} stays under {number} for four weeks"
    return f"{where} {_by_when(scenario, 7 * weeks, 'from the week of', whole_days=7)}."


def _by_when(scenario: Scenario, days: Floats, by: str = "by", whole_days: int = 1) -> str:
    """`by 2027-02-03 (10–90 % of years: 2027-01-25 to 2027-02-20)`; where most years lack it, in how many it comes.

    Of too few years for a median, the share and the mean.
    """
    early, median, late = (_date(scenario, day) for day in _band(days))
    share = float(np.isfinite(days).mean())
    if not median:
        within = f"in {100 * share:.0f} % of years within the weeks simulated"
        if not share or len(days) >= FEWEST_YEARS:
            return within
        mean = whole_days * math.floor(days[np.isfinite(days)].mean() / whole_days)
        return f"{within}, on average {by} {_date(scenario, mean)}"
    beside = [f"10–90 % of years: {early} to {late or 'never'}"]
    if share < 1:
        beside.append(f"in {100 * (1 - share):.0f} % of years not within the weeks simulated")
    return f"{by} {median} ({'; '.join(beside)})"


def _left_blank(years: int) -> list[str]:
    """What is said where years are too few for a median."""
    if years >= FEWEST_YEARS:
        return []
    return [
        f"Too few replications for median and range of the years, left blank (takes {FEWEST_YEARS}); simulate more."
    ]


def _asked(scenario: Scenario) -> dict[str, int]:
    """By level: the number under which its list is to stay."""
    return dict(scenario.from_today.waitlist_under) if scenario.from_today else {}


def _first_weeks(level: str, replications: Sequence[Replication]) -> Floats:
    """The week from which the list stays short in each year, +inf if it never does; shape (years,)."""
    found: list[float] = []
    for replication in replications:
        outcome = replication.outcomes[f"{level}.weeks_until_under"]
        found += outcome.values.tolist() or [math.inf] if isinstance(outcome, Sample) else []
    return np.array(found)


def _band(values: Floats) -> list[float]:
    """The 10, 50 and 90 % quantiles of the years: the smallest value that so many do not exceed; NaN of too few."""
    ascending = np.sort(values)
    ranks = [math.ceil(p * len(ascending) - 1e-9) for p in _BAND]
    return [
        float(ascending[max(rank, 1) - 1]) if len(ascending) >= FEWEST_YEARS else math.nan for rank in ranks
    ]


def _date(scenario: Scenario, day: float) -> str:
    """The date of a day of the clock; empty if it never comes, or must not be said."""
    if not math.isfinite(day):
        return ""
    return (scenario.run.start + dt.timedelta(days=math.floor(day))).isoformat()


def _count(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")
