"""Plans side by side: what may be compared, by which differences, and in which words."""

from __future__ import annotations

import datetime as dt
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from scipy.special import stdtrit

from iopsim.errors import InputError
from iopsim.experiment import compare as engine
from iopsim.experiment.compare import comparable, compare, difference_rows
from iopsim.experiment.names import reported
from iopsim.experiment.statistics import Replicated
from iopsim.measures.registry import Outcome, Ratio, Sample, Value
from iopsim.scenario.schema import Scenario

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

CENSUS, RENEGED, WAIT = "care.census.mean", "care.reneged.share", "care.wait_days.p50"


def clinic(
    targets: Sequence[dict[str, Any]] = ({"metric": RENEGED, "at_most": 0.1},), **changed: Any
) -> Scenario:
    return Scenario.model_validate(
        {
            "sources": {"community": {"to": "care", "per_week": 5.0}},
            "levels": {
                "care": {
                    "places": 9,
                    "stay_days": {"exponential": {"mean": 9.0}},
                    "waitlist": {"patience_days": {"exponential": {"mean": 40.0}}},
                }
            },
            "targets": list(targets),
            **changed,
        }
    )


def years(reneged: Iterable[float] = (), census: Iterable[float] = (), waits: Iterable[Any] = ()) -> list:
    """Replications that know what is given of them; 100 join a year."""
    columns: dict[str, list[Outcome]] = {
        RENEGED: [Ratio(count, 100) for count in reneged],
        CENSUS: [Value(patients) for patients in census],
        "care.wait_days": [Sample(np.array(days, dtype=float)) for days in waits],
    }
    known = {name: outcomes for name, outcomes in columns.items() if outcomes}
    return [dict(zip(known, row, strict=True)) for row in zip(*known.values(), strict=True)]


# What may be compared


def test_the_first_plans_targets_and_named_metrics_are_compared() -> None:
    base = clinic([{"metric": WAIT, "at_most": 9}, {"metric": RENEGED, "at_most": 0.1}])
    other = clinic([{"metric": CENSUS, "at_least": 5}])
    plans = {"base": base, "other": other}
    assert comparable(plans) == (WAIT, RENEGED)
    assert comparable(plans, [RENEGED, CENSUS]) == (WAIT, RENEGED, CENSUS)


@pytest.mark.parametrize(
    ("run", "path", "said"),
    [
        ({"seed": 2}, "run.seed", "more has 2, base has 1"),
        ({"start": dt.date(2027, 2, 1)}, "run.start", "more has 2027-02-01, base has 2027-01-04"),
        ({"weeks": 26}, "run.weeks", "more has 26, base has 52"),
        ({"warm_up_weeks": 0}, "run.warm_up_weeks", "more has 0, base has 52"),
        ({"run_out_weeks": 4}, "run.run_out_weeks", "more has 4, base has 26"),
        ({"replications": 10}, "run.replications", "more has 10, base has 40"),
    ],
)
def test_plans_whose_years_form_no_pairs_are_refused(run: dict[str, Any], path: str, said: str) -> None:
    with pytest.raises(InputError) as error:
        comparable({"base": clinic(), "same": clinic(), "more": clinic(run=run)})
    (fault,) = error.value.faults
    assert (fault.code, fault.path) == ("not-comparable", path)
    assert fault.message == f"{said}; plans can be compared only where these agree"


def test_all_that_stands_against_a_comparison_is_said_at_once() -> None:
    with pytest.raises(InputError) as error:
        comparable(
            {"base": clinic(), "more": clinic(run={"seed": 3}, currency="EUR")}, ["care.reneged.shore"]
        )
    assert [str(fault) for fault in error.value.faults] == [
        "error: run.seed: more has 3, base has 1; plans can be compared only where these agree",
        "error: currency: more has EUR, base has USD; plans can be compared only where these agree",
        'error: base has no metric "care.reneged.shore" (did you mean "care.reneged.share"?)',
        'error: more has no metric "care.reneged.shore" (did you mean "care.reneged.share"?)',
    ]


def test_a_metric_that_only_the_base_has_is_refused() -> None:
    levels = {"care": {"places": 9, "stay_days": {"exponential": {"mean": 9.0}}}}  # nobody gives up here
    with pytest.raises(InputError, match=r'patient has no metric "care\.reneged\.share"'):
        comparable({"base": clinic(), "patient": clinic(levels=levels)})


def test_there_must_be_two_plans_something_to_compare_and_all_replications() -> None:
    with pytest.raises(InputError, match=r"two plans or more .* \(got 1\)"):
        comparable({"base": clinic()})
    with pytest.raises(InputError, match="nothing to compare on"):
        comparable({"base": clinic([]), "more": clinic()})
    with pytest.raises(InputError, match="do not form pairs \\(base 3, more 2\\)"):
        compare({"base": clinic(), "more": clinic()}, {"base": years([1, 2, 3]), "more": years([1, 2])})


# Differences


def test_one_metric_of_one_plan_is_the_paired_interval() -> None:
    plans = {"base": clinic(), "more": clinic()}
    (found,) = compare(plans, {"base": years([12, 18, 15, 15]), "more": years([10, 15, 11, 12])})
    assert (found.metric, found.plan, found.unit, found.better) == (RENEGED, "more", "share", "lower")
    assert (found.base_estimate, found.plan_estimate) == (0.15, 0.12)
    # Differences −2, −3, −4, −3 of 100: mean −3, sd √(2/3), t(3) = 3.182446.
    half_width = 3.182446 * math.sqrt(2 / 3) / 2 / 100
    assert found.difference.low == pytest.approx(-0.03 - half_width, abs=1e-7)
    assert found.difference.high == pytest.approx(-0.03 + half_width, abs=1e-7)
    # Variances of the plans' own values: 6 and 14/3; of their differences: 2/3.
    assert found.variance_ratio == pytest.approx((6 + 14 / 3) / (2 / 3))
    assert found.words == "better"


def test_intervals_hold_together_over_plans_and_metrics() -> None:
    plans = {"base": clinic(), "more": clinic(), "most": clinic()}
    base, more = years([12, 18, 15, 15], [5, 6, 7, 6]), years([10, 15, 11, 12], [4, 4, 6, 7])
    found = compare(plans, {"base": base, "more": more, "most": more}, [CENSUS])
    assert [(one.plan, one.metric) for one in found] == [
        ("more", RENEGED),
        ("more", CENSUS),
        ("most", RENEGED),
        ("most", CENSUS),
    ]
    half_width = float(stdtrit(3, 1 - 0.05 / 4 / 2)) * math.sqrt(2 / 3) / 2 / 100
    assert found[0].difference.high == pytest.approx(-0.03 + half_width)
    assert found[0].difference == found[2].difference
    assert [one.better for one in found[:2]] == ["lower", "neither"]


def test_the_same_plan_twice_differs_in_nothing() -> None:
    plans = {"base": clinic(), "again": clinic()}
    waits = [np.random.default_rng(index).exponential(9, 30) for index in range(4)]
    outcomes = years([12, 18, 15, 15], [5.1, 6.2, 7.3, 6.4], waits)
    for found in compare(plans, {"base": outcomes, "again": outcomes}, [CENSUS, WAIT]):
        assert (found.difference.estimate, found.difference.low, found.difference.high) == (0, 0, 0)
        assert math.isnan(found.variance_ratio)
        assert found.words == "no difference that matters"


def test_a_quantile_withheld_in_one_plan_leaves_the_difference_open() -> None:
    plans = {"base": clinic([{"metric": WAIT, "at_most": 9}]), "few": clinic()}
    (found,) = compare(
        plans, {"base": years(waits=[range(10)] * 3), "few": years(waits=[range(9), range(5), range(5)])}
    )
    assert found.base_estimate == 4
    assert math.isnan(found.plan_estimate)
    assert math.isnan(found.difference.estimate)
    assert found.words == "not known yet"


def test_rows_say_all_of_a_difference() -> None:
    plans = {"base": clinic(), "more": clinic()}
    columns, rows = difference_rows(
        compare(plans, {"base": years([12, 18, 15, 15]), "more": years([10, 15, 11, 12])})
    )
    assert ",".join(columns) == (
        "plan,metric,unit,better,base,estimate,difference,ci_low,ci_high,sd,n,variance_ratio,words"
    )
    assert rows[0][:6] == ["more", RENEGED, "share", "lower", 0.15, 0.12]
    assert rows[0][6:10] == pytest.approx([-0.03, -0.04299, -0.01701, 0.0081650], abs=1e-5)
    assert rows[0][10:] == [4, pytest.approx(16), "better"]


# Words


def words(base: list[float], plan: list[float], **target: Any) -> tuple[str, str]:
    plans = {"base": clinic([target]), "plan": clinic()}
    column = "census" if target["metric"] == CENSUS else "reneged"
    (found,) = compare(plans, {"base": years(**{column: base}), "plan": years(**{column: plan})})
    return found.better, found.words


@pytest.mark.parametrize(
    ("plan", "matters", "expected"),
    [
        ([10, 15, 11, 12], None, "better"),
        ([14, 21, 19, 18], None, "worse"),
        ([12, 21, 11, 17], None, "not known yet"),
        ([12, 21, 11, 17], 0.5, "no difference that matters"),  # not known which way, but known to be small
        ([10, 15, 11, 12], 0.05, "no difference that matters"),  # known to be lower, and to be small
        ([10, 15, 11, 12], 0.03, "better"),  # lower, perhaps by more than matters
        ([12, 18, 15, 15], None, "no difference that matters"),  # none at all
    ],
)
def test_words_come_from_the_interval_and_the_direction(
    plan: list, matters: float | None, expected: str
) -> None:
    target = {"metric": RENEGED, "at_most": 0.1} | ({"matters": matters} if matters else {})
    assert words([12, 18, 15, 15], plan, **target) == ("lower", expected)


def test_where_a_metric_has_no_direction_the_target_gives_it() -> None:
    lower = ([5.0, 6.0, 7.0, 6.0], [4.0, 4.5, 6.0, 5.0])
    assert words(*lower, metric=CENSUS, at_most=5.0) == ("lower", "better")
    assert words(*lower, metric=CENSUS, at_least=5.0) == ("higher", "worse")
    plans = {"base": clinic(), "plan": clinic()}
    census = {"base": years([1, 2, 3, 4], lower[0]), "plan": years([1, 2, 3, 4], lower[1])}
    assert compare(plans, census, [CENSUS])[1].words == "lower"
    assert compare({"plan": clinic(), "base": clinic()}, census, [CENSUS])[1].words == "higher"


def test_one_replication_tells_nothing() -> None:
    assert words([12], [2], metric=RENEGED, at_most=0.1) == ("lower", "not known yet")


# Coverage of all intervals of a comparison at once


EXPERIMENTS = 1200
FEWER, PATIENTS = -0.03, 0.5  # what the plan truly changes


def share_of_comparisons_that_hold() -> float:
    """Two plans against one base, two metrics each; strain is common to all plans of a replication."""
    scenario = clinic([{"metric": RENEGED, "at_most": 0.1}])
    plans = {"base": scenario, "more": scenario, "most": scenario}
    rng, held = np.random.default_rng(20270104), 0
    for _ in range(EXPERIMENTS):
        strain = rng.normal(0, 3, 10)
        outcomes = {
            plan: years(15 + strain + step * 100 * FEWER + rng.normal(0, 1, 10), 6 - strain + step * PATIENTS)
            for step, plan in enumerate(plans)
        }
        noisy = {
            plan: [row | {CENSUS: Value(row[CENSUS].value + rng.normal(0, 1))} for row in rows]
            for plan, rows in outcomes.items()
        }
        held += all(
            found.difference.low
            <= (1 + (found.plan == "most")) * (FEWER if found.metric == RENEGED else PATIENTS)
            <= found.difference.high
            for found in compare(plans, noisy, [CENSUS])
        )
    return held / EXPERIMENTS


@pytest.fixture
def _names_once(monkeypatch: pytest.MonkeyPatch) -> None:
    names = reported(clinic())
    monkeypatch.setattr(engine, "reported", lambda scenario: names)


@pytest.mark.usefixtures("_names_once")
def test_all_intervals_hold_at_once_in_95_of_100_comparisons() -> None:
    standard_error = math.sqrt(0.95 * 0.05 / EXPERIMENTS)
    assert (
        4 * standard_error < 0.026
    )  # power guard: single 95 % intervals, which hold together in 83, are seen
    share = share_of_comparisons_that_hold()
    assert share > 0.95 - 4 * standard_error
    assert share < 0.995  # and not by being too wide, as unpaired intervals would be


@pytest.mark.usefixtures("_names_once")
def test_that_sees_intervals_meant_for_one_look_and_plans_taken_as_independent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(engine, "CONFIDENCE", 0.8)  # as if four intervals of 95 % were shown
        assert share_of_comparisons_that_hold() < 0.92

    def unpaired(self: Replicated, base: Replicated) -> Replicated:
        own = paired(self, base)
        apart = math.hypot(self.standard_error, base.standard_error)
        return Replicated(
            own.estimate, own.left_out * (apart / own.standard_error), own.each, own.exists, own.level
        )

    paired = Replicated.minus
    monkeypatch.setattr(Replicated, "minus", unpaired)
    assert share_of_comparisons_that_hold() > 0.995
