"""What meeting the same patients gains: small differences between plans stand out from the luck of the draw."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iopsim.experiment.compare import compare
from iopsim.measures.registry import measure
from iopsim.measures.window import Window
from iopsim.model.clinic import simulate
from iopsim.scenario import load
from tests.cli.sessions import SCENARIOS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from iopsim.experiment.compare import Difference
    from iopsim.measures.registry import Outcome
    from iopsim.scenario.schema import Scenario

REPLICATIONS = 20
METRICS = ("iop.wait_days.mean", "iop.reneged.share")
SHORTER = ["run.warm_up_weeks=12", "run.weeks=16", "run.run_out_weeks=8"]
SMALLER = load(SCENARIOS / "smaller-caseloads.yaml", SHORTER)
ONE_MORE = load(SCENARIOS / "smaller-caseloads-one-more-therapist.yaml", SHORTER)

Outcomes = list["Mapping[str, Outcome]"]


def measured(scenario: Scenario) -> Outcomes:
    return [measure(Window(scenario, simulate(scenario, index))) for index in range(REPLICATIONS)]


def differences(base: Outcomes, plan: Outcomes) -> dict[str, Difference]:
    found = compare({"smaller": SMALLER, "one more": ONE_MORE}, {"smaller": base, "one more": plan}, METRICS)
    return {one.metric: one for one in found if one.metric in METRICS}


def test_one_more_therapist_is_seen_with_a_quarter_of_the_variance() -> None:
    """Model.md §3. A ratio of two variances of 20 each has a standard error of four tenths of itself."""
    base, plan = measured(SMALLER), measured(ONE_MORE)
    paired = differences(base, plan)
    assert {name: one.words for name, one in paired.items()} == dict.fromkeys(METRICS, "better")
    assert all(one.variance_ratio >= 4 for one in paired.values()), paired
    # The mutant: each plan meets the patients of another replication. Nothing is gained, as the same numbers show.
    others = differences(base, [*plan[1:], plan[0]])
    assert all(0.4 < one.variance_ratio < 2.5 for one in others.values()), others
