"""The books of one replication: what the program spent and earned in the window, and on whose days.

All cost is shared by the attended days of the program's own levels alike. Levels with a price are bought from
outside: they stand in no total of the program, only in the system view.
Source: model.md §9.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import fsum
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from iopsim.measures.accounts import CAUSES, Claims, Payment, claims, over_all, spending
from iopsim.measures.bought import Charges, charges
from iopsim.measures.service_days import days_attended, kinds
from iopsim.measures.tables import Bools, Floats, Ints, sums
from iopsim.measures.tariff import tariff
from iopsim.measures.window import remembered

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from iopsim.measures.window import Window

__all__ = [
    "Alternative",
    "Books",
    "Parts",
    "alternative",
    "books",
    "days_by_payment",
    "parts",
    "system_cost",
    "weekly_cost",
    "weekly_costs",
    "weekly_revenue",
]


@dataclass(frozen=True, kw_only=True)
class Books:
    """Money and attended days of the window. Arrays have one entry per stay, unless it says otherwise.

    Attributes:
        claims: What each attended day earned.
        spent: What the program spent, by cause (`CAUSES`), role and week; shape (causes, roles + 1, weeks).
        own: Whether the stay is in one of the program's own levels.
        days: Days attended in own levels.
        revenue: What these days earned, claims denied taken off.
        cohort: S: stays that started care in an own level in the window.
        cohort_days: Days attended from the start of the window to the end of the run-out, all those of S.
        care, held: What days in care, and held ones, cost in levels from outside.
        weekly_revenue: What the days attended in each week of the run earned; shape (weeks of the run,).
    """

    claims: Claims
    spent: NDArray[np.float64]
    own: Bools
    days: Floats
    revenue: Floats
    cohort: Bools
    cohort_days: Floats
    care: Charges
    held: Charges
    weekly_revenue: Floats

    @cached_property
    def cost(self) -> float:
        """All cost of the program."""
        return fsum(self.spent.flat)

    def cost_of(self, cause: str) -> float:
        """What one of `CAUSES` cost."""
        return fsum(self.spent[CAUSES.index(cause)].flat)

    @cached_property
    def day_cost(self) -> float:
        """Cost of an attended day; NaN without one."""
        days = float(self.days.sum())
        return self.cost / days if days else np.nan

    @property
    def bought(self) -> Floats:
        """What levels from outside cost."""
        return sum(
            (sums(part.stay, part.cost, len(self.days)) for part in (self.care, self.held)), 0 * self.days
        )

    @property
    def system_cost(self) -> Floats:
        """What the days of each stay cost: their share of the program's cost, or their price."""
        return np.where(self.own, self.day_cost * self.days, self.bought)

    def episodes(self, chosen: Bools) -> float:
        """Cost of the whole stays of the chosen part of the cohort, at this window's cost of a day."""
        return float(self.day_cost * self.cohort_days[chosen].sum())


@remembered
def books(window: Window) -> Books:
    """The books of a window, made up once."""
    stays, own, weeks = window.stays, kinds(window).own, window.scenario.run.warm_up_weeks
    here, cohort_days, weekly = _claimed(window)
    # What has no rows in the claims is counted without: nothing is paid for it.
    uncounted = own & ~tariff(window).earning & ~kinds(window).grouped
    size = len(stays.level)
    return Books(
        claims=here,
        spent=spending(window).amount[:, :, weeks : weeks + window.weeks],
        own=own[stays.level],
        days=sums(here.stay, here.weight, size) + days_attended(window, uncounted, window.start, window.end),
        revenue=sums(here.stay, here.paid, size),
        cohort=own[stays.level] & window.inside(stays.started),
        cohort_days=cohort_days + days_attended(window, uncounted, window.start, window.horizon),
        care=charges(window, "in_care"),
        held=charges(window, "held"),
        weekly_revenue=weekly,
    )


def _claimed(window: Window) -> tuple[Claims, Floats, Floats]:
    """Of the claims of the run: those of the window, days by stay from its start on, and what each week earned."""
    every, run = claims(window), window.scenario.run
    since = every.day >= window.start
    here, later = since & (every.day < window.end), since & (every.day < window.horizon)
    days = sums(every.stay, every.weight * later, len(window.stays.level))
    weeks = run.warm_up_weeks + run.weeks + run.run_out_weeks
    weekly = sums(every.day // 7 + run.warm_up_weeks, every.paid, weeks)[:weeks]
    return every.take(np.flatnonzero(here)), days, weekly


# The books by week, from opening to the end of the run-out


def weekly_revenue(window: Window) -> Floats:
    """What the days attended in each week of the run earned; shape (weeks,)."""
    return books(window).weekly_revenue


def weekly_cost(window: Window) -> Floats:
    """What the program spent in each week of the run; shape (weeks,)."""
    return over_all(spending(window).amount)


def weekly_costs(window: Window) -> dict[str, Floats]:
    """The same by cause (`CAUSES`)."""
    return dict(zip(CAUSES, spending(window).amount.sum(axis=1), strict=True))


# The books by part


class Parts(NamedTuple):
    """Attended days, what they earned, and the share of cost that falls on them, part by part; shape (parts,)."""

    days: Floats
    revenue: Floats
    cost: Floats

    @property
    def margin(self) -> Floats:
        """Revenue less cost."""
        return self.revenue - self.cost


@remembered
def parts(window: Window, table: str) -> Parts:
    """The books by `payer`, `track`, `source` or `level`, whose parts sum to the whole; or by `group`.

    Days in places are in no group: with them, those of the groups sum to the whole.
    """
    made = books(window)
    if table == "group":
        rows = made.claims.take(np.flatnonzero(made.claims.session >= 0))
        whose, days, revenue = window.ledger.session_group[rows.session], rows.weight, rows.paid
    else:
        whose, days, revenue = getattr(window.stays, table), made.days, made.revenue
    size = len(getattr(window.ledger, f"{table}s"))
    by_part = sums(whose, days, size)
    return Parts(by_part, sums(whose, revenue, size), made.day_cost * by_part)


@remembered
def days_by_payment(window: Window) -> NDArray[np.float64]:
    """Attended days in own levels by level and `Payment`; shape (levels, payments)."""
    rows, payments = books(window).claims, len(Payment)
    size = len(window.ledger.levels) * payments
    level = window.stays.level[rows.stay]
    return sums(level * payments + rows.payment, rows.weight, size).reshape(-1, payments)


@remembered
def system_cost(window: Window, table: str) -> Floats:
    """What the days of all stays cost, by `level` or `source`."""
    size = len(getattr(window.ledger, f"{table}s"))
    return sums(getattr(window.stays, table), books(window).system_cost, size)


# The inpatient alternative


class Alternative(NamedTuple):
    """The starters for whom inpatient care is compared with the program, of one source or of several.

    Attributes:
        starters: Patients in S, each once.
        days: Attended days of the window of all patients of the source; of all sources together, of the program.
        program: Cost of all stays of the starters in S.
        inpatient: What an inpatient episode for each of them would cost.
        diverted: The same for the share who would have had one.
    """

    starters: float
    days: float
    program: float
    inpatient: float
    diverted: float


@remembered
def alternative(window: Window, source: str | None = None) -> Alternative:
    """Care in the program beside inpatient care, for starters from one source, or from all that the scenario names.

    Who is diverted has `outcome_difference` inpatient episodes more later on: so many fewer are saved.
    """
    assumed, made, sources = window.scenario.money.inpatient_alternative, books(window), window.ledger.sources
    assert assumed is not None, "metrics of the alternative exist only where it is stated"
    starters, program = _starters(window)
    episode = assumed.saved_per_day * assumed.stay_days * (1 - assumed.outcome_difference)
    chosen = [sources.index(name) for name in ([source] if source else assumed.for_)]
    share = np.array([assumed.share_of(sources[number]) for number in chosen])
    days = parts(window, "source").days[chosen] if source else made.days
    return Alternative(
        starters=float(starters[chosen].sum()),
        days=float(days.sum()),
        program=float(program[chosen].sum()),
        inpatient=float(starters[chosen].sum()) * episode,
        diverted=float(starters[chosen] @ share) * episode,
    )


@remembered
def _starters(window: Window) -> tuple[Floats, Floats]:
    """Patients in S, each once, and the cost of their stays in S; shape (sources,) each."""
    made, stays, size = books(window), window.stays, len(window.ledger.sources)
    cohort = np.flatnonzero(made.cohort)
    _, one = np.unique(stays.patient[cohort], return_index=True)
    source = stays.source[cohort]
    starters: Ints = np.bincount(source[one], minlength=size)
    return starters.astype(np.float64), made.day_cost * sums(source, made.cohort_days[cohort], size)
