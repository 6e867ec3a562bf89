"""A plan that changes on a known date."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iopsim.theory.losses import census_after_step
from iopsim.verification.case import Claim, case
from iopsim.verification.given import per_day, places, stay
from iopsim.verification.observed import census_at, named

if TYPE_CHECKING:
    from collections.abc import Iterator

    from iopsim.scenario.schema import Scenario


@case("capacity-step", "M/M/c/c whose places become more, or fewer, on a day", replications=180)
def capacity_step(scenario: Scenario) -> Iterator[Claim]:
    """A fall puts nobody out and admits nobody until below the new number."""
    before, after = scenario.editions
    assert after.from_ is not None
    step_day = (after.from_ - scenario.run.start).days
    for source, spec in scenario.sources.items():
        level = spec.to
        rate, mean_days = per_day(scenario, source), stay(scenario, level).mean
        first, then = places(before.plan, level), places(after.plan, level)
        for days in (-0.5, 0.5, 2.0, 5.0, 12.0):
            exact = census_after_step(rate, mean_days, first, then, max(days, 0.0))
            census = named(f"{level} census on day {step_day + days:g}")(census_at(step_day + days, level))
            yield Claim(exact, census)
