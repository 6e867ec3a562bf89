"""What an attended day is worth: its price by payer and services, and whether it is paid as a whole (model.md §9)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from iopsim.measures.service_days import kinds
from iopsim.measures.sessions import Seats
from iopsim.measures.tables import Bools, Floats, Ints, paired, sums
from iopsim.measures.window import remembered
from iopsim.measures.work import deliveries

if TYPE_CHECKING:
    from collections.abc import Iterable

    from iopsim.measures.days import DayRows
    from iopsim.measures.window import Window
    from iopsim.scenario.money import Tier
    from iopsim.scenario.schema import Scenario

    Tiers = tuple[tuple[int, float], ...]

__all__ = ["Content", "Tariff", "content", "is_below_weekly_minimum", "tariff"]

_TINY = 1e-9  # hours: a sum of minutes may differ from whole hours by rounding
_DAYS = np.array([bits.bit_count() for bits in range(128)])  # in a set of weekdays, as bits


class Tariff(NamedTuple):
    """What the plans pay.

    Attributes:
        number: Which of the price lists holds; shape (plans, levels, payers). 0 pays nothing.
        lists: From how many services on what is paid, rising; an amount is paid from 0 on.
        hours_at_least, below_minimum, denied: Rules of billing by plan; shape (plans,).
        earning: Whether a payer may pay for the level, in any plan; shape (levels,).
    """

    number: Ints
    lists: tuple[Tiers, ...]
    hours_at_least: Floats
    below_minimum: Floats
    denied: Floats
    earning: Bools

    @property
    def needs_content(self) -> bool:
        """Whether a price, or whether there is one, depends on what the day held."""
        return bool(self.hours_at_least.any()) or any(tiers and tiers[0][0] for tiers in self.lists)

    def price(self, number: Ints, services: Ints | None = None) -> tuple[Floats, Bools]:
        """Price of days with so many services, and whether they have too few for any; shape of `number`."""
        services = np.zeros(number.shape, np.int8) if services is None else services
        paid = np.zeros((len(self.lists), int(services.max(initial=0)) + 1))
        for row, tiers in zip(paid, self.lists, strict=True):
            for from_services, amount in tiers:
                row[from_services:] = amount
        fewest = np.array([tiers[0][0] if tiers else 0 for tiers in self.lists])
        return paid[number, services], services < fewest[number]


@remembered
def tariff(window: Window) -> Tariff:
    """The price lists of all plans of a scenario."""
    ledger, plans = window.ledger, [spell.plan for spell in window.spells]
    own = dict(zip(ledger.levels, kinds(window).own, strict=True))
    number = np.zeros((len(plans), len(ledger.levels), len(ledger.payers)), np.int32)
    lists: dict[Tiers, int] = {(): 0}
    for place, plan in enumerate(plans):
        for level, by_payer in plan.money.revenue.items():
            for payer, pay in by_payer.items() if own[level] else ():
                tiers = _tiers(pay)
                at = place, ledger.levels.index(level), ledger.payers.index(payer)
                number[at] = lists.setdefault(tiers, len(lists))
    billing = [plan.money.billing for plan in plans]
    return Tariff(
        number=number,
        lists=tuple(lists),
        hours_at_least=np.array([rule.hours_per_day_at_least for rule in billing]),
        below_minimum=np.array([rule.below_minimum for rule in billing]),
        denied=np.array([rule.claims_denied for rule in billing]),
        earning=np.asarray(number.any(axis=(0, 2))),
    )


def _tiers(pay: float | Iterable[Tier]) -> Tiers:
    return ((0, pay),) if isinstance(pay, float | int) else tuple((one.from_services, one.pay) for one in pay)


class Content(NamedTuple):
    """What attended days held; shape (days,)."""

    services: Ints
    hours: Floats


def content(window: Window, rows: DayRows) -> Content:
    """Services and hours of treatment of days, which are in order of stay and day.

    A group session is one service per full hour, a visit is one; in places the hours are those of the level, and not
    known (without end) where it says none.
    """
    level, groups = window.stays.level, window.ledger.groups
    levels = [window.scenario.levels[name] for name in window.ledger.levels]
    hours = {name: group.hours for level in levels for name, group in level.groups.items()}
    lengths = np.array([hours[name] for name in groups])
    own = np.array([0.0 if one.groups else one.hours_per_day or np.inf for one in levels])[level[rows.stay]]
    members = window.attendance
    came = np.flatnonzero(members.attended)
    length = lengths[members.group[came]] if len(came) else np.empty(0)
    given = [(members.stay[came], members.time[came], np.floor(length + _TINY), length), *_visits(window)]
    stay, time, services, taken = (np.concatenate(column) for column in zip(*given, strict=True))
    day = _rows_of(rows, stay, np.floor(time).astype(np.int64))
    there = day >= 0
    count = sums(day[there], services[there], len(own)) + np.where(np.isinf(own), 0, np.floor(own + _TINY))
    in_all = sums(day[there], taken[there], len(own)) + own + _TINY
    return Content(count.astype(np.int64), in_all)


def _visits(window: Window) -> list[tuple[Ints, Floats, Floats, Floats]]:
    """Stay, time, number of services and hours of all that was given to patients outside of groups."""
    given = []
    for name, service in window.scenario.services.items():
        if service.per != "session" and not service.within_group:
            time, stay, _ = deliveries(window, name, whole=True)
            given.append((stay, time, np.ones(len(time)), np.full(len(time), service.minutes / 60)))
    return given


def _rows_of(rows: DayRows, stay: Ints, day: Ints) -> Ints:
    """Which of the days of some stays are among the rows: their places, −1 where none is."""
    if not len(rows.stay):
        return np.full(len(stay), -1)
    first, span = rows.day.min(), int(rows.day.max() - rows.day.min()) + 1
    keys, wanted = paired(rows.stay, rows.day - first, span), paired(stay, day - first, span)
    place = np.searchsorted(keys, wanted).clip(max=len(keys) - 1)
    found = (keys[place] == wanted) & (day >= first) & (day < first + span)
    return np.where(found, place, -1)


# Hours a week


def is_below_weekly_minimum(window: Window, rows: DayRows) -> Bools:
    """Whether each day is of a phase with fewer scheduled hours a week than its level ought to give."""
    ledger = window.ledger
    levels = [window.scenario.levels[name] for name in ledger.levels]
    at_least = np.array([level.hours_per_week_at_least or 0.0 for level in levels])
    if not at_least.any():
        return np.zeros(len(rows.stay), bool)
    in_places = np.array(
        [
            not level.groups and (level.hours_per_day or np.inf) * (level.days_per_week or 7) < minimum
            for level, minimum in zip(levels, at_least, strict=True)
        ],
        bool,
    )
    below: Bools = in_places[window.stays.level[rows.stay]]
    may = np.array([_may_fall_short(window.scenario, name) for name in ledger.levels], bool)
    seated = np.flatnonzero(may[window.stays.level[rows.stay]])
    if len(seated):
        lengths = {name: group.hours for level in levels for name, group in level.groups.items()}
        group, weekdays = _seat_at(window, rows.stay[seated], ledger.session_time[rows.session[seated]])
        hours = np.array([lengths[name] for name in ledger.groups])[group] * _DAYS[weekdays]
        below[seated] = hours < at_least[window.stays.level[rows.stay[seated]]] - _TINY
    return below


def _may_fall_short(scenario: Scenario, name: str) -> bool:
    """Whether some seat of a level may have fewer hours a week than it ought to."""
    level = scenario.levels[name]
    varied = [part.phases for part in (*level.by.track.values(), *level.by.source.values())]
    days = min(
        (phase.days_per_week for phases in (level.phases, *varied) for phase in phases or ()), default=7
    )
    return any(
        group.hours * min(days, len(group.days)) < (level.hours_per_week_at_least or 0.0)
        for group in level.groups.values()
    )


def _seat_at(window: Window, stay: Ints, time: Floats) -> tuple[Ints, Ints]:
    """Group and weekdays (bits) of the seat that each stay has at a time; one taken at that instant is not it yet."""
    seats = Seats.taken(window.ledger)
    moments = np.unique(seats.begin)
    taken = paired(seats.stay, np.searchsorted(moments, seats.begin) + 1, len(moments) + 1)
    asked = paired(stay, np.searchsorted(moments, time), len(moments) + 1)
    order = np.argsort(taken, kind="stable")
    last = order[np.searchsorted(taken[order], asked, side="right") - 1]
    return seats.group[last], seats.weekdays[last]
