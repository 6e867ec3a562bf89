"""Mutants of the cases in `iopsim.verification.money`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iopsim.measures import bought, days, service_days
from tests.theory.mutants.mutant import mutant

if TYPE_CHECKING:
    import pytest

    from iopsim.measures.bought import Charges
    from iopsim.measures.days import DaySpans
    from iopsim.measures.window import Bools, DayKind, Window


@mutant("episode-cost", "community.system_cost.per_referral", replications=20)
def the_day_of_leaving_is_charged_too(patch: pytest.MonkeyPatch) -> None:
    within = days.DaySpans.within

    def one_day_more(spans: DaySpans, first: int, past: int) -> DaySpans:
        return within(spans._replace(past=spans.past + 1), first, past)

    patch.setattr(days.DaySpans, "within", one_day_more)


@mutant("path-cost", "php.cost.total", replications=10)
def missed_days_that_are_charged(patch: pytest.MonkeyPatch) -> None:
    attendance = service_days._attendance
    patch.setattr(service_days, "_attendance", lambda window: attendance(window) ** 0)


@mutant(
    "path-cost",
    "emergency.system_cost.per_referral",
    replications=12,
    settings=["levels.inpatient.returns.share=0"],
)
def those_who_come_back_are_not_charged(patch: pytest.MonkeyPatch) -> None:
    """In the scenario they do not come back."""


@mutant("cost-of-blocking", "cost of a held day", replications=3)
def held_days_at_the_price_of_the_next_level(patch: pytest.MonkeyPatch) -> None:
    by_span = bought._by_span

    def at_the_next_level(window: Window, kind: DayKind, levels: Bools) -> Charges:
        charged, price = by_span(window, kind, levels), bought._prices(window).per_day[0]
        if kind == "in_care":
            return charged
        right, wrong = price[window.stays.level[charged.stay]], price[charged.to]
        return charged._replace(cost=charged.cost * wrong / right)

    patch.setattr(bought, "_by_span", at_the_next_level)
