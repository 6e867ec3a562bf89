"""Plans side by side: what may be compared, by which differences, and in which words."""

from __future__ import annotations

import datetime as dt
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from scipy.special import stdtrit
from scipy.stats import ttest_rel

from iopsim.errors import InputError
from iopsim.experiment import compare as engine
from iopsim.experiment.compare import (
    comparable,
    compare,
    compared,
    difference_rows,
    holm,
    matched_shares,
    plan_rows,
)
from iopsim.experiment.contenders import Entry
from iopsim.experiment.encoding import Replication
from iopsim.experiment.names import reported
from iopsim.experiment.statistics import Interval, Replicated
from iopsim.measures.registry import Outcome, Ratio, Sample, Value
from iopsim.model import sources
from iopsim.model.clinic import simulate
from iopsim.report.wording import difference_text, in_words, matched_text
from iopsim.scenario.schema import Scenario

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

pytestmark = pytest.mark.slow

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


def test_a_metric_that_only_one_plan_has_is_compared_where_it_is() -> None:
    levels = {"care": {"places": 9, "stay_days": {"exponential": {"mean": 9.0}}}}  # nobody gives up here
    plans = {"base": clinic(), "calm": clinic(levels=levels), "same": clinic()}
    assert comparable(plans) == (RENEGED,)
    outcomes = {"base": years([10, 20, 40]), "calm": [{}] * 3, "same": years([10, 20, 45])}
    calm, same = compare(plans, outcomes)
    assert (calm.words, calm.unit, calm.better) == ("only the base has it", "share", "lower")
    assert calm.base_estimate == pytest.approx(70 / 300)
    assert all(map(math.isnan, (calm.plan_estimate, calm.difference.estimate, calm.p_holm)))
    alone = compare({"base": clinic(), "same": clinic()}, {plan: outcomes[plan] for plan in ("base", "same")})
    assert [same] == alone, "what is not there is not looked at, and widens no interval"
    (other,) = compare(
        {"calm": clinic([{"metric": CENSUS, "at_least": 5}], levels=levels), "base": clinic()},
        {"calm": years(census=[5, 6, 7]), "base": years([10, 20, 40], [5, 6, 8])},
        [RENEGED],
    )[1:]
    assert other.words == "only the plan has it"
    assert in_words(other, "calm") == "not in calm"
    assert in_words(calm, "base") == "not in calm"


def test_there_must_be_two_plans_and_something_to_compare() -> None:
    with pytest.raises(InputError, match=r"two plans or more .* \(got 1\)"):
        comparable({"base": clinic()})
    with pytest.raises(InputError, match="nothing to compare on"):
        comparable({"base": clinic([]), "more": clinic()})


def test_plans_of_two_programs_are_refused() -> None:
    plans = {"base": clinic(), "same": clinic(), "more": clinic()}
    assert comparable(plans, versions=dict.fromkeys(plans, "1-aa")) == (RENEGED,)
    with pytest.raises(InputError) as error:
        comparable(plans, versions={"base": "1-aa", "same": "1-aa", "more": "1-bb"})
    assert [str(fault) for fault in error.value.faults] == [
        "error: model version: more has 1-bb, base has 1-aa; plans can be compared only where these agree"
    ]


def test_a_warm_up_still_to_be_found_and_other_numbers_of_replications_are_no_hindrance() -> None:
    auto, ten = clinic(run={"warm_up_weeks": "auto"}), clinic(run={"replications": 10})
    rule = clinic(run={"replications": {"min": 5, "max": 9}})
    assert comparable({"base": clinic(), "auto": auto, "ten": ten, "rule": rule}) == (RENEGED,)


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


def test_where_one_plan_has_more_replications_the_first_ones_are_paired() -> None:
    plans = {"base": clinic(), "more": clinic()}
    base, more = [12, 18, 15, 15], [10, 15, 11, 12]
    expected = compare(plans, {"base": years(base), "more": years(more)})
    assert compare(plans, {"base": years([*base, 99, 1]), "more": years(more)}) == expected
    assert compare(plans, {"base": years(base), "more": years([*more, 50])}) == expected


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
        assert found.p_holm == 1
        assert found.words == "no difference that matters"


def test_a_quantile_withheld_in_one_plan_leaves_the_difference_open() -> None:
    plans = {"base": clinic([{"metric": WAIT, "at_most": 9}]), "few": clinic()}
    (found,) = compare(
        plans, {"base": years(waits=[range(10)] * 3), "few": years(waits=[range(9), range(5), range(5)])}
    )
    assert found.base_estimate == 4
    assert math.isnan(found.plan_estimate)
    assert math.isnan(found.difference.estimate)
    assert math.isnan(found.p_holm)
    assert found.words == "not known yet"


def test_rows_say_all_of_a_difference() -> None:
    plans = {"base": clinic(), "more": clinic()}
    columns, rows = difference_rows(
        compare(plans, {"base": years([12, 18, 15, 15]), "more": years([10, 15, 11, 12])})
    )
    assert ",".join(columns) == (
        "plan,metric,unit,better,base,estimate,difference,ci_low,ci_high,sd,n,variance_ratio,p_holm,words"
    )
    assert rows[0][:6] == ["more", RENEGED, "share", "lower", 0.15, 0.12]
    assert rows[0][6:10] == pytest.approx([-0.03, -0.04299, -0.01701, 0.0081650], abs=1e-5)
    # t = −3 ÷ (√(2/3) ÷ 2) = −3√6, and with 3 degrees of freedom its tails have a closed form.
    p_value = 1 - 2 / math.pi * (3 * math.sqrt(2) / 19 + math.atan(3 * math.sqrt(2)))
    assert rows[0][10:] == [4, pytest.approx(16), pytest.approx(p_value, rel=1e-9), "better"]


# p-values


def test_holm_by_hand() -> None:
    # Ranked: 0.005 × 4, 0.01 × 3, 0.03 × 2, and 0.04 × 1, which may not fall below the one before.
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.5, 0.4]) == [pytest.approx(0.8)] * 2
    assert holm([0.9, 0.6, 0.7]) == [1.0, 1.0, 1.0]
    assert holm([0.02]) == [0.02]
    assert holm([]) == []


def test_what_has_no_p_value_still_counts_among_the_looks() -> None:
    adjusted = holm([math.nan, 0.01, 0.02])
    assert math.isnan(adjusted[0])
    assert adjusted[1:] == pytest.approx([0.03, 0.04])


def test_p_values_are_those_of_the_paired_t_test() -> None:
    plans = {"base": clinic(), "more": clinic(), "most": clinic()}
    base, more, most = [12, 18, 15, 15, 11], [10, 15, 11, 12, 13], [12, 15, 15, 14, 13]
    found = compare(plans, {"base": years(base), "more": years(more), "most": years(most)})
    single = [ttest_rel(plan, base).pvalue for plan in (more, most)]
    assert max(single) > 2 * min(single)
    assert [one.p_holm for one in found] == pytest.approx([2 * single[0], single[1]])
    constant = compare(
        plans | {"most": clinic()},
        {"base": years(base), "more": years([c - 1 for c in base]), "most": years(base)},
    )
    assert [one.p_holm for one in constant] == pytest.approx([0, 1])


def test_at_one_look_the_p_value_says_what_the_interval_says() -> None:
    plans = {"base": clinic(), "more": clinic()}
    rng, agreed = np.random.default_rng(4), set()
    for _ in range(60):
        noise = rng.normal(15, 2, 8)
        (found,) = compare(plans, {"base": years(noise), "more": years(noise + rng.normal(-1, 1.5, 8))})
        assert (found.p_holm < 0.05) == (found.words != "not known yet")
        agreed.add(found.words)
    assert agreed == {"better", "not known yet"}


# The same patients


def test_those_referred_are_those_that_the_simulation_meets() -> None:
    run = {"warm_up_weeks": 3, "weeks": 9, "run_out_weeks": 2}
    other = {
        "to": "care",
        "per_week": 9.0,
        "growth_per_year": 0.5,
        "months": [*range(1, 13)],
        "weekdays": [1, 2, 0, 0, 5, 1, 0],
    }
    scenario = clinic(run=run, sources={"community": {"to": "care", "per_week": 5.0}, "clinic": other})
    ledger = simulate(scenario, 3)
    names = [ledger.sources[source] for source in ledger.patient_source]
    met = set(zip(names, ledger.patient_cell.tolist(), ledger.patient_ordinal.tolist(), strict=True))
    assert len(met) == len(names) > 100
    assert sources.referred(scenario, 3) == met
    assert sources.referred(scenario, 4) != met


def at_rate(per_week: float) -> Scenario:
    return clinic(sources={"community": {"to": "care", "per_week": per_week}})


def test_a_plan_that_changes_capacity_meets_all_the_same_patients() -> None:
    more = clinic(levels={"care": {"places": 30, "stay_days": {"exponential": {"mean": 5.0}}}})
    assert matched_shares({"base": clinic(), "more": more, "same": clinic()}, 3) == dict.fromkeys(
        ("base", "more", "same"), 1.0
    )


COUNT = 20


def raised_share() -> tuple[float, float]:
    """Matched share where five a week become six, and its standard error: of so many, each is there by 5/6."""
    people = sum(len(sources.referred(at_rate(6.0), index)) for index in range(COUNT))
    return matched_shares({"base": at_rate(5.0), "more": at_rate(6.0)}, COUNT)["more"], math.sqrt(
        5 / 36 / people
    )


def test_raising_the_rate_keeps_everybody_and_adds_people() -> None:
    share, standard_error = raised_share()
    assert 4 * standard_error < 0.02  # power guard: people drawn anew would be 0.64 alike
    assert share == pytest.approx(5 / 6, abs=4 * standard_error)
    back = matched_shares({"base": at_rate(6.0), "fewer": at_rate(5.0)}, COUNT)["fewer"]
    assert back == share  # of those in either, whichever is the base


def test_that_sees_people_drawn_anew_for_each_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    own = sources.referred

    def anew(scenario: Scenario, replication: int) -> set[tuple[str, int, int]]:
        return own(scenario, replication + 1000 * (scenario.sources["community"].per_week > 5))

    monkeypatch.setattr(sources, "referred", anew)
    share, standard_error = raised_share()
    assert abs(share - 5 / 6) > 4 * standard_error


def test_a_source_that_only_one_plan_has_is_in_none_of_the_pairs() -> None:
    community = {"to": "care", "per_week": 5.0}
    base, more = clinic(), clinic(sources={"community": community, "clinic": {"to": "care", "per_week": 5.0}})
    shared, all_in = (sum(len(sources.referred(plan, index)) for index in range(3)) for plan in (base, more))
    assert matched_shares({"base": base, "more": more}, 3)["more"] == shared / all_in < 0.6


def test_where_nobody_is_referred_nobody_differs() -> None:
    assert matched_shares({"base": at_rate(0.0), "same": at_rate(0.0)}, 2) == {"base": 1.0, "same": 1.0}


def test_a_comparison_takes_the_first_replications_of_each_and_counts_all() -> None:
    def entry(key: str, reneged: list[int]) -> Entry:
        found = [
            Replication(index=index, outcomes=row, weekly={}, profiles={}, kernel_events=0)
            for index, row in enumerate(years(reneged))
        ]
        return Entry(key, found)

    plans = {"base": clinic(), "more": clinic()}
    entries = {"base": entry("aa", [12, 18, 15]), "more": entry("bb", [10, 15])}
    found = compared(plans, entries)
    assert (found.base, found.count) == ("base", 2)
    assert found.differences == compare(plans, {"base": years([12, 18]), "more": years([10, 15])})
    assert [one.index for one in found.replications["base"]] == [0, 1]
    columns, rows = plan_rows(found, entries)
    assert columns == ["plan", "replications", "matched_patients_share", "key"]
    assert rows == [["base", 3, 1.0, "aa"], ["more", 2, 1.0, "bb"]]


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


# How they read


@pytest.mark.parametrize(
    ("unit", "numbers", "read"),
    [
        ("days", (-5.29, -5.89, -4.69), ("-5.29", "-5.89 to -4.69", "days")),
        ("share", (0.054, 0.0385, 0.0695), ("+5.4", "+3.9 to +7.0", "points")),
        ("share", (-0.0001, -0.02, 0.02), ("0.0", "-2.0 to +2.0", "points")),
        ("FTE", (0.0, 0.0, 1e-17), ("0.0", "0.0 to 0.0", "FTE")),
        ("USD", (72735.2, 46952.0, 98517.0), ("+72,735", "+46,952 to +98,517", "USD")),
        ("share", (0.25, math.nan, math.nan), ("+25.0", "", "points")),
        ("days", (math.nan, math.nan, math.nan), ("–", "", "days")),
        ("share", (math.nan, math.nan, math.nan), ("–", "", "points")),
    ],
)
def test_a_difference_reads_with_its_sign(
    unit: str, numbers: tuple[float, float, float], read: tuple
) -> None:
    assert difference_text(Interval(*numbers, 1.0, 5), unit) == read


def test_how_far_patients_are_the_same_reads_as_a_sentence() -> None:
    assert matched_text({"base": 1.0, "more": 1.0}) == "The same patients meet every plan."
    assert (
        matched_text({"base": 1.0, "busy": 0.953}) == "Patients that are the same as in base: 95.3 % in busy."
    )
    both = matched_text({"base": 1.0, "more": 1.0, "busy": 0.953, "busier": 0.5})
    assert (
        both == "Patients that are the same as in base: 95.3 % in busy, 50.0 % in busier, all in the others."
    )


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
