"""From the outcomes of replications to estimates, verdicts, the sentence on limits, warnings and tables."""

from __future__ import annotations

import math
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from iopsim.errors import InputError
from iopsim.experiment.names import Reported, check_names, reported
from iopsim.experiment.sentences import flags, limiting, never_starting
from iopsim.experiment.statistics import Interval
from iopsim.experiment.summary import (
    Estimate,
    Gathered,
    Goal,
    estimates,
    find,
    goals,
    replication_rows,
    summary_rows,
)
from iopsim.measures.registry import Metric, Outcome, Ratio, Sample, Value
from iopsim.scenario.schema import Scenario

if TYPE_CHECKING:
    from collections.abc import Sequence

nan = math.nan


def clinic(**changed: Any) -> Scenario:
    """Two tracks, one own level with groups and caseloads, one level bought from outside."""
    return Scenario.model_validate(
        {
            "tracks": {"mood": {"label": "Mood"}, "sud": {"label": "Substance use"}},
            "sources": {
                "community": {"to": "day_care", "per_week": 5.0, "tracks": {"mood": 0.5, "sud": 0.5}}
            },
            "levels": {
                "ward": {"places": 4, "stay_days": {"exponential": {"mean": 9.0}}, "cost_per_day": 900.0},
                "day_care": {
                    "label": "Day care",
                    "caseload": "clinician",
                    "phases": [{"weeks": 8, "days_per_week": 3}],
                    "waitlist": {"patience_days": {"exponential": {"mean": 40.0}}},
                    "groups": {"morning": {"days": ["mon", "wed", "fri"], "seats": 12}},
                },
            },
            "staff": {"clinician": {"label": "Clinician", "posts": 2, "caseload": 12.0}},
            **changed,
        }
    )


def year(scenario: Scenario, **known: Outcome) -> dict[str, Outcome]:
    """One replication: the outcomes that are given (dots as double underscores), and anything for the rest."""
    given = {name.replace("__", "."): outcome for name, outcome in known.items()}
    outcomes: dict[str, Outcome] = {}
    for name, entry in reported(scenario).items():
        percentile = any(one.startswith("p") and one[1:].isdigit() for one in entry.bound.metric.statistics)
        key = entry.bound.stem if percentile else name
        outcomes[key] = Sample(np.arange(1.0, 251)) if percentile else Value(1.0)
    assert given.keys() <= outcomes.keys()
    return outcomes | given


def shares(scenario: Scenario, stem: str, parts: Sequence[tuple[float, float]]) -> list[Estimate]:
    key = stem.replace(".", "__")
    return estimates(scenario, [year(scenario, **{key: Ratio(*part)}) for part in parts])


# Names


def test_every_reported_name_has_one_estimate_in_order() -> None:
    scenario = clinic()
    found = estimates(scenario, [year(scenario)] * 3)
    assert [one.name for one in found] == list(reported(scenario))
    assert {"day_care.wait_days.p90", "day_care.sud.reneged.share", "ward.census.mean"} <= {
        one.name for one in found
    }


def test_percentiles_are_told_from_other_statistics() -> None:
    entries = reported(clinic())
    assert entries["day_care.wait_days.p95"].p == 0.95
    assert entries["day_care.wait_days.mean"].p is None
    assert entries["day_care.referrals.per_week"].p is None


def test_a_target_on_no_metric_is_found_with_its_place_and_what_may_be_meant() -> None:
    scenario = clinic(
        targets=[
            {"metric": "day_care.wait_days.p90", "at_most": 14},
            {"metric": "day_care.wait_days", "at_most": 14},
            {"metric": "xyzzy", "at_least": 1},
        ],
        observed={"day_care.censu.mean": 4, "day_care.census.mean": 4},
    )
    assert [tuple(wrong) for wrong in check_names(scenario)] == [
        (("targets", 1, "metric"), "day_care.wait_days", "day_care.wait_days.mean"),
        (("targets", 2, "metric"), "xyzzy", None),
        (("observed", "day_care.censu.mean"), "day_care.censu.mean", "day_care.census.mean"),
    ]
    with pytest.raises(InputError) as error:
        estimates(scenario, [year(scenario)])
    assert len(error.value.faults) == 3
    assert str(error.value.faults[2]) == (
        'error: observed.day_care.censu.mean: this scenario has no metric "day_care.censu.mean" '
        '(did you mean "day_care.census.mean"?)'
    )


def test_names_are_checked_without_loading_numpy() -> None:
    code = "import sys, iopsim.experiment.names as n, iopsim.measures.registry as r; r.registered(); "
    subprocess.run([sys.executable, "-c", code + "sys.exit('numpy' in sys.modules)"], check=True)


def test_find_teaches() -> None:
    scenario = clinic()
    found = estimates(scenario, [year(scenario)])
    assert find(found, "ward.census.mean").unit == "patients"
    with pytest.raises(InputError, match=r'did you mean "ward\.census\.mean"'):
        find(found, "ward.censos.mean")


# Estimates


def test_each_kind_of_outcome_is_combined_in_its_own_way() -> None:
    scenario = clinic()
    years = [
        year(
            scenario,
            day_care__reneged__share=Ratio(gave_up, joined),
            day_care__census__mean=Value(census),
            day_care__wait_days=Sample(np.array(waits, dtype=float)),
        )
        for gave_up, joined, census, waits in [
            (1, 10, 20, range(100)),
            (3, 10, 22, range(100, 150)),
            (0, 20, 27, []),
        ]
    ]
    found = estimates(scenario, years)
    estimate = {one.name: one.interval for one in found}
    assert estimate["day_care.reneged.share"].estimate == 0.1
    assert estimate["day_care.census.mean"].estimate == 23
    assert estimate["day_care.wait_days.mean"].estimate == np.arange(150).mean()
    assert estimate["day_care.wait_days.mean"].n == 2
    assert estimate["day_care.wait_days.p50"].estimate == 74
    assert estimate["day_care.wait_days.p90"].estimate == 134
    assert math.isnan(estimate["day_care.wait_days.p95"].estimate)  # 150 waits; it takes 200


def bound_to(unit: str, *statistics: str) -> Reported:
    metric = Metric(
        pattern="x.days",
        statistics=statistics,
        unit=unit,
        better="lower",
        definition="",
        where=lambda scenario, names: True,
        compute=lambda window: Value(0.0),
    )
    return Reported(metric.bound("x.days", {}), statistics[0])


def test_money_is_in_the_scenarios_currency() -> None:
    assert bound_to("{currency} per day", "mean").unit_in(clinic(currency="EUR")) == "EUR per day"


def test_the_maximum_of_samples_is_the_mean_of_maxima() -> None:
    years = [{"x.days": Sample(np.array(days))} for days in ([3.0, 9.0], [1.0, 5.0], [])]
    assert Gathered(years).of("x.days.max", bound_to("days", "max")).interval.estimate == 7
    with pytest.raises(ValueError, match="no statistic total"):
        Gathered(years).of("x.days.total", bound_to("days", "total"))


# Targets


@pytest.mark.parametrize(
    ("low", "high", "at_most", "at_least"),
    [
        (9.0, 13.9, "met", "undecided"),
        (9.0, 14.0, "met", "undecided"),
        (14.0, 14.0, "met", "met"),
        (13.0, 15.0, "undecided", "met"),
        (9.0, 15.0, "undecided", "undecided"),
        (14.0, 15.0, "undecided", "met"),
        (14.1, 15.0, "missed", "met"),
        (8.0, 13.9, "met", "undecided"),
        (2.0, 9.9, "met", "missed"),
        (nan, nan, "undecided", "undecided"),
        (14.1, nan, "missed", "met"),
        (12.0, nan, "undecided", "met"),
        (nan, 9.0, "met", "missed"),
    ],
)
def test_only_a_whole_interval_gives_a_verdict(low: float, high: float, at_most: str, at_least: str) -> None:
    interval = Interval((low + high) / 2, low, high, 1.0, 40)
    assert Goal(high=14.0).verdict(interval) == at_most
    assert Goal(low=10.0).verdict(interval) == at_least


def test_two_targets_on_one_metric_are_one_goal() -> None:
    scenario = clinic(
        targets=[
            {"metric": "day_care.seat_utilization.mean", "at_least": 0.8},
            {"metric": "day_care.seat_utilization.mean", "at_most": 0.95},
            {"metric": "day_care.reneged.share", "at_most": 0.1},
        ]
    )
    asked = goals(scenario.targets)
    assert [str(goal) for goal in asked.values()] == ["at least 0.8 and at most 0.95", "at most 0.1"]
    both = asked["day_care.seat_utilization.mean"]
    assert both.verdict(Interval(0.9, 0.85, 0.94, 0, 9)) == "met"
    assert both.verdict(Interval(0.97, 0.96, 0.98, 0, 9)) == "missed"
    assert both.verdict(Interval(0.9, 0.7, 0.94, 0, 9)) == "undecided"


def test_the_share_of_years_counts_each_years_own_value() -> None:
    scenario = clinic(
        targets=[
            {"metric": "day_care.wait_days.p90", "at_most": 14},
            {"metric": "day_care.reneged.share", "at_most": 0.1},
            {"metric": "ward.census.mean", "at_least": 5},
        ]
    )
    years = [
        year(
            scenario,
            day_care__wait_days=Sample(np.full(50, wait)),
            day_care__reneged__share=Ratio(*reneged),
            ward__census__mean=Value(census),
        )
        for wait, reneged, census in [
            (14.0, (1, 10), 2),
            (15.0, (2, 10), 3),
            (10.0, (0, 0), 4),
            (9.0, (0, 9), 3),
        ]
    ]
    found = estimates(scenario, years)
    p90, reneged, census = (find(found, target.metric) for target in scenario.targets)
    assert (p90.target, p90.verdict, p90.share_of_years) == ("at most 14", "undecided", 0.75)
    assert (reneged.verdict, reneged.share_of_years) == ("undecided", pytest.approx(2 / 3))
    assert (census.target, census.verdict, census.share_of_years) == ("at least 5", "missed", 0)
    other = find(found, "day_care.census.mean")
    assert (other.target, other.verdict, math.isnan(other.share_of_years)) == ("", "", True)


def test_a_target_on_what_does_not_exist_in_any_year_is_undecided() -> None:
    scenario = clinic(targets=[{"metric": "day_care.reneged.share", "at_most": 0.1}])
    found = find(shares(scenario, "day_care.reneged.share", [(0, 0)] * 5), "day_care.reneged.share")
    assert (found.verdict, found.interval.n, math.isnan(found.share_of_years)) == ("undecided", 0, True)


# What limits the program


def held_back(scenario: Scenario, *years: tuple[float, float, float, float]) -> str:
    """The sentence for years of days that lacked a seat, a clinician, both, out of all waiting days."""
    return limiting(
        estimates(
            scenario,
            [
                year(
                    scenario,
                    day_care__held_back_by__seat__share=Ratio(seat, days),
                    day_care__held_back_by__clinician__share=Ratio(clinician, days),
                    day_care__held_back_by__seat_and_clinician__share=Ratio(both, days),
                )
                for seat, clinician, both, days in years
            ],
        ),
        scenario,
    )


def test_the_largest_share_limits_with_its_interval_and_the_next_is_named() -> None:
    assert held_back(clinic(), (700, 200, 40, 1000), (740, 220, 40, 1000), (690, 240, 40, 1000)) == (
        "Seats limit Day care: on 71 % (64–78 %) of the days people waited, only a fitting seat was missing, "
        "on 22 % (17–27 %) only room in clinician caseloads was missing."
    )


def test_roles_limit_by_their_caseloads() -> None:
    assert held_back(clinic(), (0, 20, 980, 1000), (10, 40, 960, 1000)) == (
        "Seats together with clinician caseloads limit Day care: on 97 % (84–100 %) of the days people waited, "
        "both a fitting seat and room in clinician caseloads were missing."
    )
    sentence = held_back(
        clinic(staff={"clinician": {"label": "RN", "posts": 2, "caseload": 12}}), (0, 9, 1, 10)
    )
    assert sentence == (
        "RN caseloads limit Day care: on 90 % of the days people waited, only room in RN caseloads was missing, "
        "on 10 % both a fitting seat and room in RN caseloads were missing."
    )


def test_where_intervals_overlap_the_sentence_says_so() -> None:
    sentence = held_back(clinic(), (500, 400, 100, 1000), (400, 500, 100, 1000), (520, 400, 80, 1000))
    assert sentence.startswith("Seats seem to limit Day care: on 47 % (")


def test_where_nobody_waits_nothing_limits() -> None:
    expected = "Nobody waits for a level of the program's own: nothing limits it."
    assert held_back(clinic(), (0, 0, 0, 0), (0, 0, 0, 0)) == expected


def rules(**day_care: Any) -> Scenario:
    """Day care behind appointments, a payer's word and a doctor; the ward refers to it early."""
    plain = clinic().model_dump(by_alias=True, exclude_unset=True)
    ward = plain["levels"]["ward"] | {"next": {"day_care": 1.0}, "refer_before_days": 3.0}
    care = plain["levels"]["day_care"] | {"intake": {"role": "doctor", "minutes": 60.0}} | day_care
    gate = {
        "per": "admission",
        "minutes": 60.0,
        "due_days": 7.0,
        "limits": "admission",
        "levels": ["day_care"],
    }
    return clinic(
        levels={"ward": ward, "day_care": care},
        payers={"plan": {"authorization": {"levels": ["day_care"]}}},
        staff=plain["staff"] | {"doctor": {"label": "MD", "posts": 1}, "nurse": {"posts": 1}},
        services={"first": gate | {"role": "doctor"}, "second": gate | {"role": "nurse"}},
    )


@pytest.mark.parametrize(
    ("missing", "subject", "plight"),
    [
        ("intake", "Intake appointments limit", "an intake appointment was still ahead"),
        (
            "treatment",
            "Treatment in the level before limits",
            "treatment in the level before was still going on",
        ),
        ("authorization", "Authorization limits", "only the payer's authorization was missing"),
        (
            "doctor_and_nurse",
            "MD and nurse appointments limit",
            "only timely MD and nurse appointments were missing",
        ),
        (
            "clinician_and_authorization",
            "Clinician caseloads together with authorization limit",
            "both room in clinician caseloads and the payer's authorization were missing",
        ),
        (
            "seat_and_clinician_and_authorization",
            "Seats together with clinician caseloads and authorization limit",
            "a fitting seat, room in clinician caseloads and the payer's authorization were all missing",
        ),
    ],
)
def test_every_rule_of_access_has_its_words(missing: str, subject: str, plight: str) -> None:
    scenario = rules()
    none = {name.replace(".", "__"): Ratio(0, 10) for name in reported(scenario) if "held_back_by" in name}
    key = f"day_care__held_back_by__{missing}__share"
    years = [year(scenario, **none | {key: Ratio(9, 10)}), year(scenario, **none | {key: Ratio(9, 10)})]
    sentence = limiting(estimates(scenario, years), scenario)
    assert sentence == f"{subject} Day care: on 90 % (90–90 %) of the days people waited, {plight}."


def test_treatment_that_goes_on_elsewhere_is_no_limit_beside_a_shortage() -> None:
    scenario = rules()
    none = {name.replace(".", "__"): Ratio(0, 10) for name in reported(scenario) if "held_back_by" in name}
    shares = {
        "day_care__held_back_by__treatment__share": Ratio(6, 10),
        "day_care__held_back_by__authorization__share": Ratio(3, 10),
    }
    years = [year(scenario, **none | shares), year(scenario, **none | shares)]
    assert limiting(estimates(scenario, years), scenario) == (
        "Authorization limits Day care: on 30 % (30–30 %) of the days people waited, only the payer's authorization "
        "was missing, on 60 % (60–60 %) treatment in the level before was still going on."
    )


def test_classes_that_never_start_are_named_with_who_is_in_them() -> None:
    waitlist = {"priority": {"ward": 1, "returned": 1, "community": 3}}
    scenario = rules(waitlist=waitlist)
    # joined and started, from: community, ward, day care, returned
    assert never_starting(scenario, {"classes.day_care": [12, 0, 0, 0, 0, 0, 0, 0]}) == [
        "Of class 3 (community), 12 joined the waitlist of Day care in the measured weeks of all replications, "
        "and nobody ever started care."
    ]
    found = never_starting(scenario, {"classes.day_care": [0, 0, 1200, 0, 5, 0, 34, 0]})
    assert [sentence.split(" the waitlist")[0] for sentence in found] == [
        "Of class 1 (ward, those who return), 1,234 joined",
        "Of the last class (Day care), 5 joined",
    ]
    assert never_starting(scenario, {"classes.day_care": [12, 1, 40, 0, 0, 0, 2, 2]}) == []
    assert never_starting(scenario, {"waits.day_care": [1, 2]}) == []


def test_places_and_strict_lists_have_their_own_words_and_outside_levels_none() -> None:
    scenario = clinic(
        levels={
            "ward": {"places": 4, "stay_days": {"exponential": {"mean": 9.0}}, "cost_per_day": 900.0},
            "day_care": {
                "places": 8,
                "stay_days": {"exponential": {"mean": 9.0}},
                "waitlist": {"discipline": "strict"},
            },
            "evening_care": {"places": 8, "stay_days": {"exponential": {"mean": 9.0}}},
        }
    )
    years = [
        year(
            scenario,
            ward__held_back_by__seat__share=Ratio(9, 10),
            day_care__held_back_by__seat__share=Ratio(3, 100),
            day_care__held_back_by__order__share=Ratio(97, 100),
            evening_care__held_back_by__seat__share=Ratio(10, 10),
        )
    ] * 2
    assert limiting(estimates(scenario, years), scenario) == (
        "The order of the waitlist limits day care: on 97 % (97–97 %) of the days people waited, "
        "only somebody ahead stood in the way; "
        "places limit evening care: on 100 % (100–100 %) of the days people waited, "
        "only a fitting place was missing."
    )


# Warnings


def calm(scenario: Scenario, **known: Outcome) -> dict[str, Outcome]:
    resolved = {name.replace(".", "__"): Ratio(0, 200) for name in reported(scenario) if "unresolved" in name}
    return year(scenario, **{**resolved, **known})


def warned(scenario: Scenario, **known: Outcome) -> list[str]:
    return flags(estimates(scenario, [calm(scenario, **known)] * 3), scenario)


def test_nothing_to_warn_of() -> None:
    assert warned(clinic()) == []
    assert warned(clinic(), day_care__unresolved__share=Ratio(2, 200)) == []  # 1 % is not above 1 %


def test_unresolved_waits_are_flagged_for_own_levels_and_for_levels_with_targets() -> None:
    (warning,) = warned(clinic(), day_care__sud__unresolved__share=Ratio(6, 200))
    assert warning == (
        "Day care, Substance use: 3.0 % (3.0–3.0 %) of those who joined in the measured weeks were still waiting "
        "at the end, so the waits shown leave out the longest; raise run.run_out_weeks (now 26), and if that does "
        "not help, the list never clears."
    )
    assert warned(clinic(), ward__unresolved__share=Ratio(6, 200)) == []
    targeted = clinic(targets=[{"metric": "ward.census.max", "at_most": 4}])
    (warning,) = warned(targeted, ward__unresolved__share=Ratio(6, 200))
    assert warning.startswith("ward: 3.0 %")


def test_those_who_never_start_are_named() -> None:
    (warning,) = warned(
        clinic(), day_care__sud__unresolved__share=Ratio(9, 20), day_care__sud__wait_days=Sample(np.empty(0))
    )
    assert (
        warning
        == "Day care, Substance use: nobody who joined the waitlist in the measured weeks ever started."
    )


def test_percentiles_left_blank_are_named_those_with_targets_first() -> None:
    scenario = clinic(targets=[{"metric": "day_care.sud.wait_days.p95", "at_most": 30}])
    few = {f"day_care__{where}wait_days": Sample(np.arange(33.0)) for where in ("", "mood__", "sud__")}
    (warning,) = warned(scenario, **few)
    assert warning == (
        "Too few observations for a percentile, left blank: day_care.sud.wait_days.p95 (takes 200), "
        "day_care.wait_days.p90 (takes 100), day_care.wait_days.p95 (takes 200), "
        "day_care.mood.wait_days.p90 (takes 100) and 2 more; simulate more replications or more weeks."
    )


# Tables


def test_summary_rows_are_the_contract_of_summary_csv() -> None:
    scenario = clinic(targets=[{"metric": "ward.census.mean", "at_most": 9}])
    years = [year(scenario, ward__census__mean=Value(x)) for x in (1.0, 3.0)]
    columns, rows = summary_rows(estimates(scenario, years))
    assert ",".join(columns) == "metric,unit,estimate,ci_low,ci_high,sd,n,better,target,verdict"
    (row,) = (row for row in rows if row[0] == "ward.census.mean")
    assert row[:3] == ["ward.census.mean", "patients", 2.0]
    assert row[3:6] == pytest.approx([2 - 12.7062, 2 + 12.7062, math.sqrt(2)], abs=1e-4)
    assert row[6:] == [2, "neither", "at most 9", "undecided"]


def test_replication_rows_keep_numerators_and_denominators_apart() -> None:
    years: list[dict[str, Outcome]] = [
        {"a.mean": Value(2.5), "b.share": Ratio(1, 4), "c.days": Sample(np.array([1.0, 2.0]))},
        {"a.mean": Value(nan), "b.share": Ratio(0, 0), "c.days": Sample(np.empty(0))},
    ]
    columns, rows = replication_rows(years)
    assert columns == [
        "replication",
        "a.mean",
        "b.share:numerator",
        "b.share:denominator",
        "c.days:sum",
        "c.days:count",
    ]
    assert rows[0] == [0, 2.5, 1, 4, 3.0, 2]
    assert rows[1][0] == 1
    assert math.isnan(float(str(rows[1][1])))
    assert rows[1][2:] == [0, 0, 0, 0]
    assert replication_rows([]) == (["replication"], [])
