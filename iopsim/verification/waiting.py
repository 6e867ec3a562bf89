"""A level that can be full: who waits, how long, and who gives up or is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iopsim.theory.abandonment import erlang_a
from iopsim.theory.deterministic import mdc_wait
from iopsim.theory.erlang import erlang_b, mmc
from iopsim.verification.case import Claim, case
from iopsim.verification.given import patience, per_day, places, stay
from iopsim.verification.observed import metric, waits_over

if TYPE_CHECKING:
    from collections.abc import Iterator

    from iopsim.scenario.schema import Scenario


@case("erlang-c", "M/M/c: endless patience (Erlang C), with the tail of waits", replications=56)
def erlang_c(scenario: Scenario) -> Iterator[Claim]:
    """Exponential stays in a few places, first come, first served."""
    exact = mmc(per_day(scenario), stay(scenario).mean, places(scenario))
    yield Claim(exact.mean_wait_days, metric("clinic.wait_days.mean"))
    yield Claim(exact.mean_waiting, metric("clinic.waitlist.mean"))
    yield Claim(exact.utilization, metric("clinic.utilization.mean"))
    for days in (0.0, 0.5, 1.0):
        yield Claim(exact.wait_tail(days), waits_over(days))


@case("fixed-stay", "M/D/c: every stay of the same length", replications=80)
def fixed_stay(scenario: Scenario) -> Iterator[Claim]:
    """Waits are shorter than where stays vary."""
    rate = per_day(scenario)
    mean_wait_days = mdc_wait(rate, stay(scenario).mean, places(scenario))
    yield Claim(mean_wait_days, metric("clinic.wait_days.mean"))
    yield Claim(rate * mean_wait_days, metric("clinic.waitlist.mean"))


@case("loss", "M/G/c/c: nobody waits (Erlang B), whatever the law of the stay", replications=60)
def loss(scenario: Scenario) -> Iterator[Claim]:
    """Levels with the same load and places, whose stays have laws of their own."""
    for source, spec in scenario.sources.items():
        level, load = spec.to, per_day(scenario, source) * stay(scenario, spec.to).mean
        refused = erlang_b(places(scenario, level), load)
        yield Claim(refused, metric(f"{level}.lost.refused.share"))
        yield Claim(load * (1 - refused), metric(f"{level}.census.mean"))


@case("erlang-a", "M/M/c+M: patients who give up waiting (Erlang A)", replications=40)
def erlang_a_case(scenario: Scenario) -> Iterator[Claim]:
    """Who gives up, and the waits of those who start and of those who leave."""
    rate, number = per_day(scenario), places(scenario)
    exact = erlang_a(rate, stay(scenario).mean, number, patience(scenario).mean)
    yield Claim(exact.renege_share, metric("clinic.reneged.share"))
    yield Claim(exact.mean_wait_days_of_starters, metric("clinic.wait_days.mean"))
    yield Claim(exact.mean_wait_days_of_renegers, metric("clinic.reneged_wait_days.mean"))
    yield Claim(exact.mean_waiting, metric("clinic.waitlist.mean"))
    yield Claim(exact.mean_in_care, metric("clinic.census.mean"))
    yield Claim(exact.mean_in_care / number, metric("clinic.utilization.mean"))
    for days in (0.0, 0.25, 1.0):
        yield Claim(1 - exact.started_within(days), waits_over(days))
