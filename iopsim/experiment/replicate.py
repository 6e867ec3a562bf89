"""One replication from end to end: simulated, measured, and small enough to leave its process."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from iopsim.experiment.encoding import Replication
from iopsim.measures.lists import starts_of_listed
from iopsim.measures.registry import measure
from iopsim.measures.series import profiles, weekly
from iopsim.measures.window import Window
from iopsim.model.clinic import simulate

if TYPE_CHECKING:
    from iopsim.scenario.schema import Scenario

__all__ = ["replicate"]


def replicate(scenario: Scenario, index: int) -> Replication:
    """Simulate and measure replication `index`: a pure function of its arguments but for `seconds`."""
    began = time.perf_counter()
    ledger = simulate(scenario, index)
    window = Window(scenario, ledger)
    return Replication(
        index=index,
        outcomes=measure(window),
        weekly=weekly(window),
        profiles=profiles(window),
        persons=starts_of_listed(window),
        kernel_events=ledger.kernel_events,
        seconds=time.perf_counter() - began,
    )
