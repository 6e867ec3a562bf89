"""When replications are enough: judged by hand, by a published package, and on the first replications only."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import stdtrit

from iopsim.errors import InputError
from iopsim.experiment.names import check_names
from iopsim.experiment.precision import Shortfall, judged, looks, shortfalls
from iopsim.measures.registry import Outcome, Ratio, Sample, Value
from iopsim.scenario.schema import Scenario, UntilPrecise

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

CENSUS, RENEGED, MEDIAN, WAIT = (
    "care.census.mean",
    "care.reneged.share",
    "care.wait_days.p50",
    "care.wait_days.mean",
)


def clinic(*of: str, targets: Sequence[Mapping[str, Any]] = (), **rule: Any) -> Scenario:
    return Scenario.model_validate(
        {
            "run": {"replications": {"of": list(of), **rule}},
            "sources": {"community": {"to": "care", "per_week": 5.0}},
            "levels": {
                "care": {
                    "places": 9,
                    "stay_days": {"exponential": {"mean": 9.0}},
                    "waitlist": {"patience_days": {"exponential": {"mean": 40.0}}},
                }
            },
            "targets": [{"at_most": 1.0, **target} for target in targets],
        }
    )


def censuses(*patients: float) -> list[dict[str, Outcome]]:
    return [{CENSUS: Value(number)} for number in patients]


# When it is judged, and on what


@pytest.mark.parametrize(
    ("least", "most", "batch", "counts"),
    [
        (20, 50, 10, [20, 30, 40, 50]),
        (20, 45, 10, [20, 30, 40, 45]),
        (3, 6, 1, [3, 4, 5, 6]),
        (5, 8, 40, [5, 8]),
        (7, 7, 10, [7]),
    ],
)
def test_it_is_judged_after_min_then_every_batch_and_at_max(
    least: int, most: int, batch: int, counts: list[int]
) -> None:
    assert list(looks(UntilPrecise(min=least, max=most, batch=batch))) == counts


def test_the_metrics_of_the_rule_are_judged_or_those_of_the_targets() -> None:
    targets = [{"metric": RENEGED}, {"metric": CENSUS}, {"metric": RENEGED, "at_most": 2.0}]
    assert judged(clinic(MEDIAN, CENSUS, MEDIAN, targets=targets)) == (MEDIAN, CENSUS)
    assert judged(clinic(targets=targets)) == (RENEGED, CENSUS)


def test_where_nothing_can_be_judged_the_error_says_what_to_do() -> None:
    with pytest.raises(InputError) as error:
        judged(clinic())
    (fault,) = error.value.faults
    assert (fault.code, fault.path) == ("nothing-to-judge", "run.replications")
    assert str(fault) == (
        "error: run.replications: nothing to judge the precision of: there are no targets; "
        "add `targets:`, or name metrics in `of`"
    )


def test_a_metric_that_does_not_exist_is_found_with_its_place_and_what_may_be_meant() -> None:
    scenario = clinic(CENSUS, "care.censos.mean", targets=[{"metric": "care.reneged"}])
    assert [tuple(wrong) for wrong in check_names(scenario)] == [
        (("run", "replications", "of", 1), "care.censos.mean", CENSUS),
        (("targets", 0, "metric"), "care.reneged", RENEGED),
    ]
    with pytest.raises(InputError) as error:
        shortfalls(scenario, censuses(9, 11))
    assert [str(fault) for fault in error.value.faults] == [
        'error: run.replications.of.1: this scenario has no metric "care.censos.mean" '
        '(did you mean "care.census.mean"?)'
    ]


def test_a_number_of_replications_is_no_rule() -> None:
    number = Scenario.model_validate({**clinic(CENSUS).model_dump(by_alias=True), "run": {"replications": 5}})
    with pytest.raises(ValueError, match="judged by a rule"):
        shortfalls(number, censuses(9, 11))


# By hand: of 9, 11, 10, 10 the mean is 10 and the standard error √(2/3)/2 = 0.408248

FOUR = censuses(9, 11, 10, 10)
T95, T975 = 3.182446, 4.176535  # of Student's t with 3 degrees of freedom, two-sided


def test_the_half_width_is_judged_as_a_share_of_the_estimate() -> None:
    assert shortfalls(clinic(CENSUS, precision=0.13), FOUR) == ()
    (short,) = shortfalls(clinic(CENSUS, precision=0.12), FOUR)
    assert (short.metric, short.unit, short.estimate, short.is_relative) == (CENSUS, "patients", 10, True)
    assert short.half_width == pytest.approx(T95 * 0.408248, abs=1e-5)  # 1.2992
    assert short.wanted == pytest.approx(1.2)


def test_the_share_is_of_the_size_of_the_estimate() -> None:
    below_nothing = censuses(-9, -11, -10, -10)
    assert shortfalls(clinic(CENSUS, precision=0.13), below_nothing) == ()
    assert len(shortfalls(clinic(CENSUS, precision=0.12), below_nothing)) == 1


def test_with_two_metrics_each_must_be_known_at_97_and_a_half_percent() -> None:
    both = [outcomes | {RENEGED: Ratio(10, 100)} for outcomes in FOUR]
    assert shortfalls(clinic(CENSUS, RENEGED, precision=0.171), both) == ()
    (short,) = shortfalls(clinic(CENSUS, RENEGED, precision=0.17), both)  # 13 % would do for one alone
    assert short.metric == CENSUS
    assert short.half_width == pytest.approx(T975 * 0.408248, abs=1e-5)


def test_all_that_fall_short_are_named_in_order() -> None:
    both = [
        outcomes | {RENEGED: Ratio(count, 10)} for outcomes, count in zip(FOUR, (1, 2, 3, 4), strict=True)
    ]
    found = shortfalls(clinic(RENEGED, CENSUS, precision=0.01), both)
    assert [short.metric for short in found] == [RENEGED, CENSUS]


def test_a_floor_is_enough_whatever_the_estimate() -> None:
    def short_of(*floors: float) -> tuple[Shortfall, ...]:
        targets = [{"metric": CENSUS, "floor": floor} for floor in floors]
        return shortfalls(clinic(targets=[*targets, {"metric": CENSUS}], precision=0.01), FOUR)

    assert short_of(1.3) == ()
    (short,) = short_of(1.29)
    assert (short.wanted, short.is_relative) == (1.29, False)
    (short,) = short_of(1.29, 5.0)  # the lowest counts
    assert short.wanted == 1.29
    (short,) = short_of(0.05)  # 1 % of 10 is more
    assert (short.wanted, short.is_relative) == (pytest.approx(0.1), True)


def test_a_floor_of_another_metric_does_not_count() -> None:
    assert shortfalls(clinic(CENSUS, targets=[{"metric": RENEGED, "floor": 9.0}], precision=0.01), FOUR)


def test_the_wider_side_of_a_lopsided_interval_is_judged() -> None:
    # As in test_statistics: the median is 20, from 15 to 26.
    waits = [
        [*range(1, 7), *range(21, 25)],
        [*range(7, 12), *range(25, 30)],
        [*range(12, 17), *range(30, 35)],
        [*range(17, 21), *range(35, 41)],
    ]
    years: list[dict[str, Outcome]] = [{"care.wait_days": Sample(np.array(days, float))} for days in waits]
    assert shortfalls(clinic(MEDIAN, precision=0.3), years) == ()
    (short,) = shortfalls(clinic(MEDIAN, precision=0.29), years)
    assert (short.estimate, short.half_width) == (20, 6)


@pytest.mark.parametrize(
    "years",
    [
        pytest.param(censuses(10), id="one replication"),
        pytest.param(censuses(math.nan, math.nan, math.nan), id="nothing measured"),
        pytest.param(censuses(10, math.nan, math.nan), id="measured once"),
        pytest.param(censuses(10, math.inf, 10), id="without end"),
    ],
)
def test_what_is_not_known_is_not_precise(years: list[dict[str, Outcome]]) -> None:
    targets = [{"metric": CENSUS, "floor": 1e9}]
    (short,) = shortfalls(clinic(targets=targets, precision=0.99), years)
    assert math.isnan(short.half_width)


def test_one_end_that_is_not_known_is_enough_not_to_be_precise() -> None:
    waits = [[14] * 50, [15] * 50, [10] * 50, [9] * 50]  # 90 % wait up to 15; the upper end is beyond them
    years: list[dict[str, Outcome]] = [{"care.wait_days": Sample(np.array(days, float))} for days in waits]
    (short,) = shortfalls(clinic("care.wait_days.p90", precision=0.99), years)
    assert (short.estimate, math.isnan(short.half_width)) == (15, True)


def test_what_never_varies_is_precise_at_once_even_at_nothing() -> None:
    assert shortfalls(clinic(CENSUS, precision=0.001), censuses(0, 0)) == ()


# In words


@pytest.mark.parametrize(
    ("unit", "estimate", "half_width", "wanted", "is_relative", "words"),
    [
        ("days", 6.3, 0.3849, 0.315, True, "x ± 6.2 % (asked 5 %)"),
        ("share", 0.1, 0.0062, 0.005, True, "x ± 6.2 % (asked 5 %)"),
        ("days", -6.3, 0.3849, 0.315, True, "x ± 6.2 % (asked 5 %)"),
        ("days", 100.0, 5.001, 5.0, True, "x ± 5.1 % (asked 5 %)"),  # never ± 5 % (asked 5 %)
        ("days", 100.0, 7.0, 5.0, True, "x ± 7 % (asked 5 %)"),
        ("days", 1.0, 12.34, 0.05, True, "x ± 1,300 % (asked 5 %)"),
        ("days", 6.3, 1.23, 0.5, False, "x ± 1.3 days (asked 0.5)"),
        ("USD", 6.3, 123_400.0, 50_000.0, False, "x ± 130,000 USD (asked 50,000)"),
        ("share", 0.1, 0.0123, 0.01, False, "x ± 1.3 percentage points (asked 1)"),
        ("patients", 0.0, 0.5, 0.0, False, "x ± 0.5 patients (asked 0)"),
        ("days", math.nan, math.nan, math.nan, False, "x without an interval so far"),
        ("days", 6.3, math.nan, 0.315, True, "x without an interval so far"),
    ],
)
def test_a_shortfall_reads_as_a_clause(
    unit: str, estimate: float, half_width: float, wanted: float, is_relative: bool, words: str
) -> None:
    short = Shortfall(
        metric="x",
        unit=unit,
        estimate=estimate,
        half_width=half_width,
        wanted=wanted,
        is_relative=is_relative,
    )
    assert str(short) == words


def test_nothing_known_of_a_number_about_zero_is_said_in_its_own_unit() -> None:
    (short,) = shortfalls(clinic(CENSUS), censuses(-1, 1))
    assert str(short).startswith("care.census.mean ± 13 patients (asked 0)")


# Published: sim-tools 1.3.0 (Monks, Heather and Harper), package index, on the data below
#
# `confidence_interval_method(alpha=…, desired_precision=…, min_rep=4)` looks from the 5th replication on, after each,
# and so does `ReplicationsAlgorithm(initial_replications=5, look_ahead=0)`, which agrees with it here. Ours is set to
# look as often (`min: 5, batch: 1`), for it neither looks as often nor looks ahead by itself. The package knows no
# Bonferroni; two metrics were given alpha / 2 each, and the run stops where the later of the two does.

WAITS = """
    7.9 14.5 4.1 16.8 8.0 6.4 16.1 20.2 14.0 7.0 11.2 12.3 14.5 11.6 11.4 17.2 11.0 14.2 7.7 12.1
    12.3 10.5 19.9 10.2 8.3 12.9 13.1 12.2 9.2 7.5 15.9 14.4 14.6 11.1 12.3 13.6 14.3 16.3 9.5 12.0
    10.3 20.3 13.6 11.5 13.4 12.7 17.2 13.2 6.5 8.6 13.2 8.1 10.7 16.0 22.6 19.5 10.3 10.6 7.7 14.2
"""
CENSUSES = """
    36.3 42.2 35.9 41.5 41.3 46.4 43.2 42.9 38.8 39.7 39.5 48.9 36.5 41.5 37.2 45.8 43.2 38.9 41.0 38.2
    44.6 41.3 43.2 38.6 40.9 38.0 43.3 37.4 40.6 38.0 37.5 43.1 39.3 35.9 37.2 42.4 41.3 46.5 30.3 38.9
    42.6 41.1 43.9 39.5 47.6 33.6 45.6 49.8 41.6 34.1 46.2 31.3 41.4 46.6 43.7 45.1 41.5 42.1 34.3 37.9
"""
SIXTY: list[dict[str, Outcome]] = [
    {CENSUS: Value(float(patients)), "care.wait_days": Sample(np.array([float(days)]))}
    for patients, days in zip(CENSUSES.split(), WAITS.split(), strict=True)
]


def stops_at(scenario: Scenario, outcomes: Sequence[Mapping[str, Outcome]]) -> int | None:
    """Replications after which the rule is content; None if it never is."""
    assert scenario.run.rule is not None
    counts = (count for count in looks(scenario.run.rule) if not shortfalls(scenario, outcomes[:count]))
    return next(counts, None)


@pytest.mark.parametrize(
    ("metrics", "precision", "replications"),
    [
        ([WAIT], 0.2, 16),
        ([WAIT], 0.15, 22),
        ([WAIT], 0.1, 37),
        ([WAIT], 0.08, 54),
        ([WAIT], 0.05, None),
        ([CENSUS], 0.1, 5),
        ([CENSUS], 0.08, 8),
        ([CENSUS], 0.05, 16),
        ([CENSUS], 0.03, 29),
        ([WAIT, CENSUS], 0.2, 20),  # 20 and 5 at alpha / 2
        ([WAIT, CENSUS], 0.15, 28),  # 28 and 5
        ([WAIT, CENSUS], 0.1, 46),  # 46 and 8
        ([WAIT, CENSUS], 0.08, None),  # never and 9
    ],
)
def test_it_stops_where_the_confidence_interval_method_does(
    metrics: list[str], precision: float, replications: int | None
) -> None:
    assert stops_at(clinic(*metrics, min=5, max=60, batch=1, precision=precision), SIXTY) == replications


@pytest.mark.parametrize(
    ("metrics", "count", "deviation"),
    [
        ([WAIT], 3, 1.479921451),
        ([WAIT], 20, 0.163180325),
        ([WAIT], 60, 0.079324217),
        ([CENSUS], 5, 0.096666717),
        ([CENSUS], 40, 0.028096785),
        ([WAIT, CENSUS], 5, 0.796688113),
        ([WAIT, CENSUS], 60, 0.091179331),
        ([CENSUS, WAIT], 10, 0.067113875),
        ([CENSUS, WAIT], 60, 0.029871618),
    ],
)
def test_half_widths_are_those_of_the_package(metrics: list[str], count: int, deviation: float) -> None:
    first, *_ = shortfalls(clinic(*metrics, precision=1e-6), SIXTY[:count])
    assert first.half_width / first.estimate == pytest.approx(deviation, abs=2e-9)


def test_looking_after_each_batch_stops_at_the_first_look_that_is_content() -> None:
    assert stops_at(clinic(WAIT, min=20, max=60, batch=10, precision=0.1), SIXTY) == 40  # 37 after each


# Whatever comes later

YEARS = st.lists(st.floats(1, 100), min_size=12, max_size=12)


@given(YEARS, YEARS, st.sampled_from([0.1, 0.3, 0.6]))
def test_where_it_stops_depends_on_no_later_replication(
    numbers: list[float], others: list[float], precision: float
) -> None:
    scenario = clinic(CENSUS, min=3, max=12, batch=2, precision=precision)
    stopped = stops_at(scenario, censuses(*numbers))
    kept = stopped or len(numbers)
    assert stops_at(scenario, censuses(*numbers[:kept], *others)) == stopped


@given(YEARS, st.floats(0.05, 0.9), st.floats(0.05, 0.9))
def test_asking_for_more_never_stops_sooner(numbers: list[float], one: float, other: float) -> None:
    sooner, later = (
        stops_at(clinic(CENSUS, min=3, max=12, batch=3, precision=precision), censuses(*numbers)) or math.inf
        for precision in sorted((one, other), reverse=True)
    )
    assert sooner <= later


def test_the_t_quantiles_above() -> None:
    assert stdtrit(3, 0.975) == pytest.approx(T95, abs=1e-6)
    assert stdtrit(3, 0.9875) == pytest.approx(T975, abs=1e-6)
