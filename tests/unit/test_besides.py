"""What else differs between plans: chosen by its distance from chance, told once, and never by chance alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from iopsim.experiment.compare import Comparison, differences
from iopsim.experiment.encoding import Replication
from iopsim.experiment.names import reported
from iopsim.measures.registry import Outcome, Value
from iopsim.report.besides import besides
from iopsim.report.lines import headline
from iopsim.scenario.schema import Scenario

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ASKED = "care.census.mean"


def clinic(**therapist: Any) -> Scenario:
    return Scenario.model_validate(
        {
            "sources": {"community": {"to": "care", "per_week": 5.0}},
            "levels": {
                "care": {
                    "caseload": "therapist",
                    "phases": [{"weeks": 8, "days_per_week": 3}],
                    "groups": {"day": {"days": ["mon", "wed", "fri"], "seats": 12}},
                }
            },
            "staff": {"therapist": {"posts": 2, "caseload": 6.0, **therapist}},
            "targets": [{"metric": ASKED, "at_least": 5}],
        }
    )


def compared(base: Scenario, plan: Scenario, *changed: Mapping[str, Sequence[float]]) -> Comparison:
    """Four years of each; every number of the plan's is that of the base but those that are given."""
    scenarios = {"now": base, "then": plan}
    given = dict(zip(scenarios, changed, strict=True))

    def years(plan: str) -> list[Replication]:
        outcomes: list[dict[str, Outcome]] = [
            {
                name: Value(given[plan].get(name, [0.5 + 5 * (name == ASKED)] * 4)[year])
                for name in reported(scenarios[plan])
            }
            for year in range(4)
        ]
        return [
            Replication(index=index, outcomes=one, weekly={}, profiles={}, kernel_events=0)
            for index, one in enumerate(outcomes)
        ]

    replications = {plan: years(plan) for plan in scenarios}
    outcomes = {plan: [one.outcomes for one in found] for plan, found in replications.items()}
    return Comparison(
        scenarios=scenarios,
        replications=replications,
        differences=differences(scenarios, outcomes, [ASKED]),
        matched={"now": 1.0, "then": 1.0},
    )


def test_what_differs_by_more_than_chance_is_told_and_the_rest_counted() -> None:
    years = {"care.completed.share": [0.40, 0.41, 0.40, 0.41], "care.stay_days.mean": [50, 40, 60, 45]}
    later = {"care.completed.share": [0.60, 0.61, 0.61, 0.60], "care.stay_days.mean": [41, 52, 48, 61]}
    (said,) = besides(compared(clinic(), clinic(), years, later))
    number = len(headline(clinic())) - 1  # without what was asked
    assert said.heading == f"Besides, in then one of {number} other numbers differs by more than chance:"
    (line,) = said.lines
    assert line.startswith("care.completed.share: 40.5 % → 60.5 %, +20.0 points (+")
    assert line.endswith("): better")


def test_where_nothing_differs_nothing_is_said() -> None:
    assert besides(compared(clinic(), clinic(), {}, {})) == []


def test_of_many_the_farthest_from_chance_and_one_of_each_kind() -> None:
    names = [name for name in headline(clinic()) if name != ASKED]
    assert {"care.wait_days.mean", "care.wait_days.p90"} <= set(names)
    base = {name: [1.0, 1.1, 0.9, 1.0] for name in names}
    plan = {name: [9.0 + at, 9.1 + at, 8.9 + at, 9.05 + at] for at, name in enumerate(names)}
    (said,) = besides(compared(clinic(), clinic(), base, plan))
    assert said.heading.endswith("other numbers differ by more than chance; the farthest from chance:")
    shown = [line.split(": ")[0] for line in said.lines]
    assert len(shown) == 6
    assert shown == [name for name in names if name in shown], "in the order of the table"
    assert set(shown) <= set(names[-12:])
    stems = [name.rpartition(".")[0] for name in shown]
    assert len(set(stems)) == 6


def test_one_number_under_two_names_is_told_once() -> None:
    base, plan = {ASKED: [5, 6, 5, 6]}, {ASKED: [9.0, 10, 9, 10.1]}
    twin = "care.waitlist.mean"
    (said,) = besides(compared(clinic(), clinic(), {**base, "care.stay_days.mean": [1, 1, 1, 1]}, {**plan}))
    assert said.lines[0].startswith("care.stay_days.mean")
    found = besides(compared(clinic(), clinic(), {**base, twin: base[ASKED]}, {**plan, twin: plan[ASKED]}))
    assert found == []


def test_what_only_one_plan_has_is_named_where_it_is_not_zero() -> None:
    then = clinic(turnover_per_year=0.3)
    (said,) = besides(compared(clinic(), then, {}, {"therapist.overload.mean": [0, 0, 0, 0]}))
    assert said.heading.startswith("Besides, in then none of ")
    assert said.lines == [
        "Only then has therapist.vacancy.share 50.0 %, therapist.departures.total 0.50 posts, "
        "therapist.unassigned.mean 0.50 patients."
    ]
    (said,) = besides(compared(then, clinic(), {}, {}))
    assert said.lines[0].startswith("Only now has therapist.vacancy.share 50.0 %, ")
