"""The entries of the books: what each attended day earned, and what the program spent in each week on what.

Every total is a sum of these rows, so whatever they are grouped by, the parts sum to the whole. They go from the
opening to the end of the run-out; `books` looks at those of the measured window. Prices are those of the plan in
force on the day.
Source: model.md §9.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from iopsim.measures.coverage import is_uncovered
from iopsim.measures.days import DayRows
from iopsim.measures.planned import spell_at
from iopsim.measures.posts import posts
from iopsim.measures.service_days import kinds, plan_on, rows_in_places, session_days
from iopsim.measures.tables import Bools, Floats, Intervals, Ints, sums
from iopsim.measures.tariff import content, is_below_weekly_minimum, tariff
from iopsim.measures.window import remembered
from iopsim.measures.work import deliveries

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from iopsim.measures.window import Window
    from iopsim.scenario.schema import Scenario

__all__ = ["CAUSES", "Claims", "Payment", "Spending", "claims", "over_all", "spending"]

DAYS_PER_YEAR = 365
CAUSES = ("payroll", "cover_cost", "room_cost", "service_cost", "overhead")
"""What the program spends on; the first dimension of `Spending.amount`."""


class Payment(IntEnum):
    """How an attended day is paid; of several reasons not to, the first."""

    WHOLE = 0  # the payer's price of the day, which may be 0
    UNCOVERED = 1  # not at all: the approved units are used up
    SHORT = 2  # not at all: too few hours that day
    TOO_FEW = 3  # not at all: too few services that day for the payer's first tier
    REDUCED = 4  # `billing.below_minimum`: the phase has too few hours a week


@dataclass(frozen=True, kw_only=True)
class Claims:
    """One row per stay and attended day in an own level, by stay and day; shape (n,).

    Attributes:
        stay, day: Whose, and which day since `run.start`.
        session: The first session attended that day (the ledger's row); −1 in places.
        weight: As how many days it counts: the mean attendance in places, otherwise 1.
        billed: What is asked for; 0 for an unpaid day.
        paid: What is expected of it: billed × (1 − share of claims denied).
        payment: A `Payment`.
    """

    stay: Ints
    day: Ints
    session: Ints
    weight: Floats
    billed: Floats
    paid: Floats
    payment: Ints

    def take(self, rows: Ints) -> Claims:
        """Some of the rows."""
        return Claims(**{column.name: getattr(self, column.name)[rows] for column in fields(self)})


def claims(window: Window) -> Claims:
    """What every attended day of the run earned: a long table, which nobody keeps.

    Days in own places that nothing is paid for have no rows: they are counted without (`Books.days`).
    """
    rows, prices = _attended(window, tariff(window).earning), tariff(window)
    plan = plan_on(window, rows.day)
    price, payment = _priced(window, rows, plan)
    billed = price * rows.weight * ((payment == Payment.WHOLE) | (payment == Payment.REDUCED))
    return Claims(
        stay=rows.stay,
        day=rows.day,
        session=rows.session,
        weight=rows.weight,
        billed=billed,
        paid=billed * (1 - prices.denied[plan]),
        payment=payment,
    )


def _priced(window: Window, rows: DayRows, plan: Ints) -> tuple[Floats, Ints]:
    """The price of each attended day under the plan of the day, and its `Payment`."""
    stays, prices = window.stays, tariff(window)
    number = prices.number[:, stays.level, stays.payer]  # of each stay in each plan
    if prices.needs_content:
        given = content(window, rows)
        price, too_few = prices.price(number[plan, rows.stay], given.services)
        short = given.hours < prices.hours_at_least[plan]
    else:
        price, too_few = prices.price(number)
        price, too_few = price[plan, rows.stay], too_few[plan, rows.stay]
        short = np.zeros(len(price), bool)
    reduced = is_below_weekly_minimum(window, rows) & (price > 0)
    payment = np.full(len(price), Payment.WHOLE, np.int8)
    payment[reduced] = Payment.REDUCED  # the first reason is written last, over the others
    payment[too_few] = Payment.TOO_FEW
    payment[short] = Payment.SHORT
    payment[is_uncovered(window, rows)] = Payment.UNCOVERED
    return np.where(payment == Payment.REDUCED, prices.below_minimum[plan], price), payment


def _attended(window: Window, earning: Bools) -> DayRows:
    """Attended days in own levels, by stay and day: all those in groups, and those in places that may earn."""
    kind, level = kinds(window), window.stays.level
    first, past = _bounds(window)
    in_groups = session_days(window)
    if not kind.own[kind.grouped].all():
        in_groups = in_groups.take(kind.own[level[in_groups.stay]])
    in_places = earning & ~kind.grouped
    if not in_places.any():
        return in_groups
    parts = in_groups, rows_in_places(window, in_places, first, past)
    rows = DayRows(*(np.concatenate(column) for column in zip(*parts, strict=True)))
    return rows.take(np.lexsort((rows.day, rows.stay)))


# Spending


class Spending(NamedTuple):
    """What the program spent; `amount` by cause (`CAUSES`), role and week, the last role is none.

    Shape (causes, roles + 1, weeks): the weeks from opening to the end of the run-out.
    """

    amount: NDArray[np.float64]


class _Pieces(NamedTuple):
    """The run, cut where a week begins and where another plan is in force.

    Attributes:
        cuts: Where, from opening to the end of the run-out; shape (pieces + 1,).
        plans: All there are.
        plan: Which of them is in force in each piece.
        first: The first piece of each week.
    """

    cuts: Floats
    plans: list[Scenario]
    plan: Ints
    first: Ints

    @property
    def days(self) -> Floats:
        """Length of each piece."""
        return np.diff(self.cuts)

    def priced(self, of: Callable[[Scenario], float | None]) -> Floats:
        """A number of the plan in each piece; None is 0."""
        return np.array([of(plan) or 0.0 for plan in self.plans])[self.plan]

    def sums(self, times: Floats, weights: Floats | None = None) -> Floats:
        """Sum of the weights, or the number, of what happened in each piece."""
        piece = np.searchsorted(self.cuts, times, side="right") - 1
        inside = (piece >= 0) & (piece < len(self.plan))
        weights = np.ones(len(times)) if weights is None else weights
        return sums(piece[inside], weights[inside], len(self.plan))


@remembered
def spending(window: Window) -> Spending:
    """All that the program spent, week by week: a piece of a week costs what the plan of its days says."""
    pieces = _pieces(window)
    amount = np.zeros((len(CAUSES), len(window.ledger.roles) + 1, len(pieces.plan)))
    payroll, cover, rooms, services, overhead = amount
    for number, role in enumerate(window.ledger.roles):
        payroll[number] = _payroll(window, pieces, role)
        cover[number] = _cover(window, pieces, role, number)
    rooms[-1] = pieces.days / 7 * pieces.priced(_rent)
    for name, service in window.scenario.services.items():
        price = pieces.priced(lambda plan, name=name: plan.services[name].cost)  # type: ignore[misc]
        if price.any():
            given = pieces.sums(deliveries(window, name, whole=True).time)
            services[window.ledger.roles.index(service.role)] += given * price
    rest = over_all(amount)
    overhead[-1] = rest * pieces.priced(_overhead_on_top) + pieces.days / DAYS_PER_YEAR * pieces.priced(
        lambda plan: plan.money.overhead_per_year
    )
    return Spending(np.add.reduceat(amount, pieces.first, axis=-1))


def over_all(amount: Floats) -> Floats:
    """The sum over all causes and roles, one after the other: a role that costs nothing must not change a rounding."""
    total: Floats = np.add.reduce(amount.reshape(-1, amount.shape[-1]), axis=0)
    return total


def _payroll(window: Window, pieces: _Pieces, role: str) -> Floats:
    """Pay and benefits of those who hold a post, absent or not; nobody is paid for a vacant or a closed one."""

    def of_a_year(plan: Scenario) -> float:
        spec = plan.staff[role]
        return spec.fte * spec.salary_per_year * (1 + plan.money.benefits)

    price = pieces.priced(of_a_year)
    if not price.any():
        return price
    paid = posts(window, role).paid
    post_days = np.diff(Intervals(paid.begin, paid.end, paid.post).days_before(pieces.cuts))
    return post_days * price / DAYS_PER_YEAR


def _cover(window: Window, pieces: _Pieces, role: str, number: int) -> Floats:
    ledger, price = window.ledger, pieces.priced(lambda plan: plan.staff[role].cover_per_hour)
    if not price.any():
        return price
    mine = ledger.cover_role == number
    return pieces.sums(ledger.cover_time[mine], ledger.cover_hours[mine]) * price


def _rent(plan: Scenario) -> float:
    return sum(room.cost_per_week for room in plan.rooms.values())


def _overhead_on_top(plan: Scenario) -> float:
    """Overhead beside the rest of cost: a share s of all cost is s ÷ (1 − s) of the rest."""
    share = plan.money.overhead_share_of_cost or 0.0
    return share / (1 - share)


def _pieces(window: Window) -> _Pieces:
    first, past = _bounds(window)
    weeks = np.arange(first, past + 1, 7, dtype=np.float64)
    dates = [spell.begin for spell in window.spells if first < spell.begin < past]
    cuts = np.union1d(weeks, dates)
    plans = [spell.plan for spell in window.spells]
    return _Pieces(cuts, plans, spell_at(window.spells, cuts[:-1]), np.searchsorted(cuts, weeks[:-1]))


def _bounds(window: Window) -> tuple[int, int]:
    """The days of opening and of the end of the run."""
    return -7 * window.scenario.run.warm_up_weeks, int(window.horizon)
