"""How stays end: completion against dropout, weekly hazards, and coming back."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from iopsim.model.ledger import Fact
from iopsim.scenario.parts import HOME
from iopsim.theory.erlang import mmc
from iopsim.theory.infinite import steady_census
from iopsim.theory.networks import visits
from iopsim.theory.stays import mean_weeks, restricted_mean
from iopsim.verification.case import Claim, case
from iopsim.verification.given import dropout, onward, per_day, places, stay
from iopsim.verification.observed import metric, named, share_of_started, waits_over

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from iopsim.scenario.schema import Scenario
    from iopsim.verification.observed import Observed, Part, Statistic

__all__ = ["stays_per_day"]


@case("dropout", "A planned stay cut short by dropout: restricted mean", replications=30)
def dropout_law(scenario: Scenario) -> Iterator[Claim]:
    """Whoever has not dropped out by the end of the plan completes it."""
    survival, planned = dropout(scenario, "iop").survival, stay(scenario, "iop").mean
    in_care = restricted_mean(survival, planned)
    yield Claim(in_care, metric("iop.stay_days.mean"))
    yield Claim(1 - survival(planned), metric("iop.dropped_out.share"))
    yield Claim(steady_census(per_day(scenario), in_care), metric("iop.census.mean"))


@case("weekly-shares", "Weekly shares of dropout and step-up: geometric", replications=25)
def weekly_shares(scenario: Scenario) -> Iterator[Claim]:
    """The last week ends with the plan, and whoever completes at that instant has completed."""
    early, weeks = scenario.levels["iop"].leave_early, round(stay(scenario, "iop").mean / 7)
    assert early.dropout_per_week and early.step_up and early.step_up.per_week
    drop, need = early.dropout_per_week, early.step_up.per_week
    stay_on = (1 - drop) * (1 - need)
    in_care, ends = 7 * mean_weeks(stay_on, weeks), mean_weeks(stay_on, weeks - 1)
    yield Claim(in_care, metric("iop.stay_days.mean"))
    yield Claim(stay_on ** (weeks - 1), metric("iop.completed.share"))
    yield Claim(drop * ends, metric("iop.dropped_out.share"))
    yield Claim((1 - drop) * need * ends, metric("iop.stepped_up.share"))
    yield Claim(steady_census(per_day(scenario), in_care), metric("iop.census.mean"))


@case("dropout-after-waiting", "Dropout more likely by the week waited", replications=72)
def dropout_after_waiting(scenario: Scenario) -> Iterator[Claim]:
    """Each whole week of waiting multiplies the cumulative hazard."""
    early, planned = scenario.levels["iop"].leave_early, stay(scenario, "iop").mean
    hazard = -math.log(dropout(scenario, "iop").survival(planned))
    for weeks in range(3):
        share = -math.expm1(-hazard * early.per_week_waited**weeks)
        yield Claim(share, _dropped_out_after(weeks))


def _dropped_out_after(weeks: int) -> Statistic:
    @named(f"dropped out after {weeks} whole weeks of waiting")
    def statistic(observed: Observed) -> Part:
        stays = observed.stays("iop").in_window(Fact.STARTED)
        stays = stays[(stays.at(Fact.STARTED) - stays.at(Fact.JOINED)) // 7 == weeks]
        return stays.had(Fact.DROPPED_OUT).sum(), len(stays)

    return statistic


@case("dropouts-free-places", "Completion and dropout in places: Erlang C of both rates", replications=52)
def dropouts_free_places(scenario: Scenario) -> Iterator[Claim]:
    """Whichever comes first of two exponential times is one, at the sum of the rates."""
    complete, drop = 1 / stay(scenario, "iop").mean, 1 / dropout(scenario, "iop").mean
    exact = mmc(per_day(scenario), 1 / (complete + drop), places(scenario, "iop"))
    yield Claim(drop / (complete + drop), metric("iop.dropped_out.share"))
    yield Claim(exact.utilization, metric("iop.utilization.mean"))
    yield Claim(exact.mean_wait_days, metric("iop.wait_days.mean"), precision=0.04)
    yield Claim(exact.wait_tail(7), waits_over(7), precision=0.04)


@case("suspended", "Treatment suspended for a level that is full, and taken up again", replications=30)
def suspended(scenario: Scenario) -> Iterator[Claim]:
    """The stay is as long as treatment, and the hold longer for those who come to need the other level in it."""
    survival, planned = dropout(scenario, "iop").survival, stay(scenario, "iop").mean
    step_up = scenario.levels["iop"].leave_early.step_up
    assert step_up is not None and step_up.after_days is not None
    rate = 1 / step_up.after_days.mean
    need = rate * restricted_mean(lambda day: survival(day) * math.exp(-rate * day), planned)
    treated = restricted_mean(survival, planned)
    yield Claim(need, share_of_started("suspended", Fact.SUSPENDED, level="iop"))
    yield Claim(survival(planned), metric("iop.completed.share"))
    yield Claim(treated + step_up.hold_days * need, metric("iop.stay_days.mean"))
    yield Claim(steady_census(per_day(scenario), treated), metric("iop.census.mean"))
    yield Claim(steady_census(per_day(scenario), need * step_up.hold_days), metric("iop.held.mean"))


# coming back


def _return_flow(scenario: Scenario) -> Mapping[str, Mapping[str, float]]:
    """For each level the shares of its stays that are followed by another, at once or after some time at home."""
    flow: dict[str, dict[str, float]] = {}
    for level, spec in scenario.levels.items():
        flow[level] = onward(scenario, level)
        if spec.returns is not None:
            home, back = spec.next[HOME].share, spec.returns
            flow[level][back.to] = flow[level].get(back.to, 0.0) + home * back.share
    return flow


def stays_per_day(scenario: Scenario) -> dict[str, float]:
    """How many begin in each level, where everybody completes: first stays, later ones and returns."""
    referred = {spec.to: per_day(scenario, name) for name, spec in scenario.sources.items()}
    return visits(referred, _return_flow(scenario))


@case("return-loop", "Two levels with waitlists and relapses: Jackson network", replications=40)
def return_loop(scenario: Scenario) -> Iterator[Claim]:
    """Each level is an M/M/c queue of its own, at the rate that the traffic equations give."""
    for level, rate in stays_per_day(scenario).items():
        exact = mmc(rate, stay(scenario, level).mean, places(scenario, level))
        yield Claim(exact.utilization * places(scenario, level), metric(f"{level}.census.mean"))
        yield Claim(exact.mean_wait_days, metric(f"{level}.wait_days.mean"), precision=0.05)
        yield Claim(exact.wait_tail(7), _waits_over(7, level), precision=0.05)


def _waits_over(days: float, level: str) -> Statistic:
    return named(f"{level}: share who wait over {days:g} days")(waits_over(days, level))


@case("returns", "Coming back again and again, with room for everybody", replications=40)
def returns(scenario: Scenario) -> Iterator[Claim]:
    """The patients of a Poisson process, each with a geometric number of stays."""
    per_day_in_all = stays_per_day(scenario)["iop"]
    yield Claim(per_day_in_all * 7 * scenario.run.weeks, _stays_started)
    yield Claim(steady_census(per_day_in_all, stay(scenario, "iop").mean), metric("iop.census.mean"))


@named("stays started")
def _stays_started(observed: Observed) -> Part:
    return len(observed.stays("iop").in_window(Fact.STARTED)), 1
