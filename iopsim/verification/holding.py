"""Levels that refer to each other and hold places meanwhile."""

from __future__ import annotations

from itertools import permutations
from typing import TYPE_CHECKING

from iopsim.model.ledger import Fact
from iopsim.theory.chains import blocked_step_down, two_way_swap
from iopsim.theory.continuum import Stage, continuum
from iopsim.verification.case import Claim, case
from iopsim.verification.given import goes_first, onward, patience, per_day, unit
from iopsim.verification.observed import metric, share_of_joined

if TYPE_CHECKING:
    from collections.abc import Iterator

    from iopsim.scenario.schema import Scenario
    from iopsim.theory.chains import BlockedStepDown

__all__ = ["blocked"]


def blocked(scenario: Scenario) -> BlockedStepDown:
    """What theory says of inpatient beds before a full program, under the rule that the scenario states."""
    cap = scenario.levels["iop"].waitlist.at_most
    assert isinstance(cap, dict), "the cap is not the community's"
    return blocked_step_down(
        unit(scenario, "inpatient", "emergency"),
        unit(scenario, "iop", "community"),
        step_down_share=onward(scenario, "inpatient")["iop"],
        community_at_most=cap["community"],
        mean_patience_days=patience(scenario, "iop").mean,
        step_downs_first=goes_first(scenario, "iop", "inpatient", "community"),
    )


def _blocked(scenario: Scenario) -> Iterator[Claim]:
    exact = blocked(scenario)
    yield Claim(exact.inpatient_census, metric("inpatient.census.mean"))
    yield Claim(exact.held, metric("inpatient.held.mean"), precision=0.04)
    yield Claim(exact.held_days_per_patient, metric("inpatient.held_days.per_patient"), precision=0.04)
    yield Claim(exact.inpatient_refused_share, metric("inpatient.lost.refused.share"))
    yield Claim(exact.program_census, metric("iop.census.mean"))
    yield Claim(exact.community_waiting + exact.held, metric("iop.waitlist.mean"))
    for share, fact, what in (
        (exact.community_refused_share, Fact.REFUSED, "refused"),
        (exact.community_reneged_share, Fact.RENEGED, "reneged"),
    ):
        yield Claim(share, share_of_joined(f"community {what}", fact, level="iop", origin="community"))


for _name, _rule in (
    ("step-downs-first", "they go first"),
    ("community-first", "the community goes first"),
    ("in-order", "all in order"),
):
    case(f"blocked-{_name}", f"Inpatients who hold their beds for a full program: {_rule}", replications=40)(
        _blocked
    )


@case("hold-that-ends", "A bed held for some days, then patience at home", replications=25)
def hold_that_ends(scenario: Scenario) -> Iterator[Claim]:
    """As many hold as come in the days of a hold (Little's law); nobody is ever admitted."""
    days = scenario.levels["inpatient"].hold_days
    yield Claim(per_day(scenario, "emergency") * days, metric("inpatient.held.mean"))
    yield Claim(days, metric("inpatient.held_days.per_patient"))
    yield Claim(days + patience(scenario, "iop").mean, metric("iop.reneged_wait_days.mean"))


@case("swap", "Two levels that hold places for each other, and exchange them", replications=32)
def swap(scenario: Scenario) -> Iterator[Claim]:
    """A chain in which holders are never found on both sides."""
    x, y = ("inpatient", "emergency"), ("day_program", "community")
    exact = two_way_swap(
        unit(scenario, *x),
        unit(scenario, *y),
        share_x_to_y=onward(scenario, x[0])[y[0]],
        share_y_to_x=onward(scenario, y[0])[x[0]],
    )
    for (level, source), census, held, refused in (
        (x, exact.x_census, exact.x_held, exact.x_refused_share),
        (y, exact.y_census, exact.y_held, exact.y_refused_share),
    ):
        yield Claim(census, metric(f"{level}.census.mean"))
        yield Claim(held, metric(f"{level}.held.mean"), precision=0.04)
        yield Claim(refused, share_of_joined(f"{source} refused", Fact.REFUSED, level=level, origin=source))


@case("three-levels", "Three levels that step down, step up and hold places both ways", replications=32)
def three_levels(scenario: Scenario) -> Iterator[Claim]:
    """A chain of all that can be in care or held, for each of the others."""
    levels = [*scenario.levels]
    source = {spec.to: name for name, spec in scenario.sources.items()}
    exact = continuum([_stage(scenario, level, source[level]) for level in levels])
    for number, level in enumerate(levels):
        yield Claim(exact.census[number], metric(f"{level}.census.mean"))
        refused = share_of_joined(f"{source[level]} refused", Fact.REFUSED, level=level, origin=source[level])
        yield Claim(exact.refused_share[number], refused)
    for here, there in permutations(range(len(levels)), 2):
        days = exact.held[here, there] * 7 * scenario.run.weeks
        yield Claim(days, metric(f"{levels[here]}.held_days_for.{levels[there]}"), precision=0.04)


def _stage(scenario: Scenario, level: str, source: str) -> Stage:
    levels, spec = [*scenario.levels], scenario.levels[level]
    classes, step_up, rates = spec.waitlist.priority, spec.leave_early.step_up, {}
    if step_up is not None and step_up.after_days is not None:
        rates = {levels.index(to): share / step_up.after_days.mean for to, share in step_up.to.items()}
    return Stage(
        unit=unit(scenario, level, source),
        next_shares={levels.index(to): share for to, share in onward(scenario, level).items()},
        step_up_per_day=rates,
        first=[levels.index(other) for other in sorted(classes, key=lambda other: classes[other])],
    )
