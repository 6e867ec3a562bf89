"""A level that can be full: who waits, how long, and who gives up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iopsim.theory.erlang import mmc
from iopsim.verification.case import Claim, case
from iopsim.verification.given import per_day, places, stay
from iopsim.verification.observed import metric, waits_over

if TYPE_CHECKING:
    from collections.abc import Iterator

    from iopsim.scenario.schema import Scenario


@case("erlang-c", "M/M/c: endless patience (Erlang C), with the tail of waits", replications=40)
def erlang_c(scenario: Scenario) -> Iterator[Claim]:
    """Exponential stays in a few places, first come, first served."""
    exact = mmc(per_day(scenario), stay(scenario).mean, places(scenario))
    yield Claim(exact.mean_wait_days, metric("clinic.wait_days.mean"), precision=0.04)
    yield Claim(exact.mean_waiting, metric("clinic.waitlist.mean"), precision=0.04)
    yield Claim(exact.utilization, metric("clinic.utilization.mean"))
    for days in (0.0, 0.5, 1.0):
        yield Claim(exact.wait_tail(days), waits_over(days), precision=0.04)
