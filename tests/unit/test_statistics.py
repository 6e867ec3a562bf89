"""Intervals: by hand for a few replications, and by how often they hold the truth over many experiments."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import stdtrit

from iopsim.experiment import statistics
from iopsim.experiment.statistics import (
    Interval,
    Pool,
    Replicated,
    intervals,
    mean_of,
    observations_needed,
    quantile_of,
    quantiles_of,
    ratio_of,
    ratios_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.slow

nan = math.nan


def ends(interval: Interval) -> tuple[float, float]:
    return interval.low, interval.high


# Means and ratios by hand


def test_mean_is_the_t_interval() -> None:
    interval = mean_of([1.0, 2.0, 3.0, 6.0]).interval
    assert (interval.estimate, interval.n) == (3.0, 4)
    assert interval.sd == pytest.approx(2.160247)  # √(14/3)
    assert ends(interval) == pytest.approx((3 - 3.437433, 3 + 3.437433), abs=1e-5)  # t(3) 3.182446 × sd / 2


def test_ratio_is_sum_over_sum_with_the_jackknife_of_three_replications() -> None:
    replicated = ratio_of([1, 2, 3], [2, 5, 3])
    assert replicated.left_out == pytest.approx([5 / 8, 4 / 5, 3 / 7])
    assert replicated.standard_error == pytest.approx(0.2145633, abs=1e-6)  # √(2/3 × 0.0690561)
    interval = replicated.interval
    assert interval.estimate == 0.6
    assert ends(interval) == pytest.approx((0.6 - 0.923192, 0.6 + 0.923192), abs=1e-5)  # t(2) = 4.302653
    assert interval.sd == pytest.approx(0.321455, abs=1e-6)  # of 0.5, 0.4, 1.0


def test_a_replication_without_the_value_is_left_aside_and_not_counted() -> None:
    assert mean_of([1.0, nan, 3.0, 5.0]).interval == mean_of([1.0, 3.0, 5.0]).interval
    assert ratio_of([1, 0, 2, 3], [2, 0, 5, 3]).interval == ratio_of([1, 2, 3], [2, 5, 3]).interval
    assert ratio_of([1, 4, 3], [2, nan, 3]).interval.n == 2


def test_a_numerator_without_denominator_counts() -> None:
    interval = ratio_of([10, 10, 4], [2, 3, 0]).interval
    assert (interval.estimate, interval.n) == (24 / 5, 3)
    assert interval.sd == pytest.approx(np.std([5, 10 / 3], ddof=1))


@pytest.mark.parametrize(
    ("replicated", "estimate", "n"),
    [
        (mean_of([]), nan, 0),
        (mean_of([nan, nan]), nan, 0),
        (mean_of([7.0]), 7.0, 1),
        (ratio_of([0, 0], [0, 0]), nan, 0),
        (ratio_of([5, 5], [0, 0]), nan, 2),
        (ratio_of([3, 1], [4, 0]), 1.0, 2),  # one replication holds the whole denominator
    ],
)
def test_no_interval_is_made_up(replicated: Replicated, estimate: float, n: int) -> None:
    interval = replicated.interval
    assert interval.estimate == pytest.approx(estimate, nan_ok=True)
    assert interval.n == n
    assert math.isnan(interval.low)
    assert math.isnan(interval.high)


def test_what_never_varies_has_an_interval_of_no_width() -> None:
    interval = mean_of([0.1] * 40).interval
    assert interval.low == interval.high == interval.estimate == pytest.approx(0.1)
    assert interval.sd == 0


def test_infinity_is_said_and_not_dropped() -> None:
    assert mean_of([1.0, math.inf]).interval.estimate == math.inf


# Quantiles by hand

FOUR = [  # at or below 20: 6, 5, 5, 4 of 10
    [*range(1, 7), *range(21, 25)],
    [*range(7, 12), *range(25, 30)],
    [*range(12, 17), *range(30, 35)],
    [*range(17, 21), *range(35, 41)],
]


def test_quantile_reads_the_jackknifed_share_back_through_the_pool() -> None:
    # Left out: 14, 15, 15, 16 of 30; standard error √(3/4 × 2/900) = 0.0408; × t(3) = 0.1299;
    # shares 0.3701 and 0.6299 of 40 are the 15th and the 26th observation.
    interval = quantile_of(Pool.of(FOUR), 0.5).interval
    assert (interval.estimate, interval.low, interval.high) == (20, 15, 26)
    assert interval.sd == pytest.approx(np.std([5, 11, 16, 20 + 15], ddof=1))  # each one's fifth of ten


def test_a_quantile_that_many_share_is_as_uncertain_as_the_share_below_it() -> None:
    # All are at or below 15, in every year; strictly below are 50, 0, 50, 50 of 50.
    # Left out: 2/3, 1, 2/3, 2/3; standard error 1/4; × t(3) = 0.7956; share 0.1044 of 200 is the 21st.
    interval = quantile_of(Pool.of([[14] * 50, [15] * 50, [10] * 50, [9] * 50]), 0.9).interval
    assert (interval.estimate, interval.low) == (15, 9)
    assert math.isnan(interval.high)


def test_an_end_beyond_the_observations_is_not_known() -> None:
    whole = [list(range(first, first + 10)) for first in (1, 11, 21, 31)]  # replications differ utterly
    interval = quantile_of(Pool.of(whole), 0.5).interval
    assert interval.estimate == 20
    assert math.isnan(interval.low)
    assert math.isnan(interval.high)


@pytest.mark.parametrize(("p", "needed"), [(0.5, 20), (0.9, 100), (0.95, 200), (0.99, 1000)])
def test_no_quantile_from_fewer_than_ten_over_one_less_p(p: float, needed: int) -> None:
    assert observations_needed(p) == needed
    values = np.arange(1.0, needed + 1)
    enough = quantile_of(Pool.of(np.array_split(values, 4)), p).interval
    assert enough.estimate == round(p * needed)
    short = quantile_of(Pool.of(np.array_split(values[:-1], 4)), p).interval
    assert (short.n, math.isnan(short.estimate), math.isnan(short.low)) == (4, True, True)


@given(
    st.lists(st.lists(st.integers(0, 30), max_size=40), min_size=3, max_size=8),
    st.sampled_from([0.5, 0.9, 0.95]),
)
def test_quantile_is_the_smallest_value_that_a_share_p_does_not_exceed(samples: list, p: float) -> None:
    pool = Pool.of(samples)
    interval = quantile_of(pool, p).interval
    assert interval.n == sum(bool(sample) for sample in samples)
    if pool.values.size < observations_needed(p):
        assert math.isnan(interval.estimate)
    else:
        assert interval.estimate == np.quantile(pool.values, p, method="inverted_cdf")
        assert not interval.low > interval.estimate
        assert not interval.high < interval.estimate


# Many at once


def exactly(replicated: Replicated) -> tuple[object, ...]:
    """All of a number and its interval, such that NaN equals NaN."""
    arrays = (replicated.left_out, replicated.each, replicated.exists)
    return (*map(repr, (replicated.estimate, replicated.bounds, replicated.interval)), *map(bytes, arrays))


@pytest.mark.parametrize("replications", range(1, 45))
def test_many_quotients_are_each_the_same_to_the_last_bit(replications: int) -> None:
    rng = np.random.default_rng(replications)
    parts = rng.choice([0.0, nan, 1.0], (2, 30, replications), p=[0.05, 0.02, 0.93])
    parts *= rng.gamma(2, 1, parts.shape)
    together = ratios_of(*parts)
    alone = [ratio_of(*row) for row in parts.swapaxes(0, 1)]
    assert [exactly(one) for one in together] == [exactly(one) for one in alone]
    assert repr(intervals(together)) == repr([one.interval for one in alone])


@pytest.mark.parametrize("replications", [1, 2, 7, 20])
def test_many_quantiles_are_each_the_same_to_the_last_bit(replications: int) -> None:
    rng = np.random.default_rng(replications)
    pools = [
        Pool.of(np.round(rng.gamma(2, 9, rng.integers(0, most)), digits) for _ in range(replications))
        for most in (1, 9, 90)
        for digits in (0, 9)
    ]
    wanted = [(pool, p) for pool in pools for p in (0.5, 0.9)]
    together = quantiles_of(wanted)
    assert [exactly(one) for one in together] == [exactly(quantile_of(*pair)) for pair in wanted]


def test_no_numbers_have_no_intervals() -> None:
    assert intervals([]) == ratios_of(np.empty((0, 5)), np.empty((0, 5))) == quantiles_of([]) == []


# Pairs


def test_difference_of_means_is_the_paired_t_interval() -> None:
    plan, base = np.array([5.0, 7.0, 9.0, 4.0]), np.array([4.0, 5.0, 8.0, 4.0])
    paired, direct = mean_of(plan).minus(mean_of(base)).interval, mean_of(plan - base).interval
    assert (paired.estimate, paired.sd, paired.n) == (direct.estimate, direct.sd, direct.n)
    assert ends(paired) == pytest.approx(ends(direct))


def test_difference_of_ratios_leaves_the_same_replication_out_of_both() -> None:
    # Left out: 5/8 − 6/7, 4/5 − 5/6, 3/7 − 1/5.
    paired = ratio_of([1, 2, 3], [2, 5, 3]).minus(ratio_of([0, 1, 5], [2, 3, 4]))
    left_out = np.array([5 / 8 - 6 / 7, 4 / 5 - 5 / 6, 3 / 7 - 1 / 5])
    assert paired.estimate == pytest.approx(0.6 - 6 / 9)
    assert paired.standard_error == pytest.approx(
        math.sqrt(2 / 3 * np.sum((left_out - left_out.mean()) ** 2))
    )


def test_difference_of_quantiles_is_exact_where_plans_differ_by_a_constant() -> None:
    base = quantile_of(Pool.of(FOUR), 0.5)
    later = quantile_of(Pool.of([[wait + 3 for wait in sample] for sample in FOUR]), 0.5)
    interval = later.minus(base).interval
    assert (interval.estimate, interval.low, interval.high, interval.sd) == (3, 3, 3, 0)


def test_difference_of_quantiles_uses_the_slope_across_the_interval() -> None:
    # Base: no spread of shares, so the difference errs as the first does: 0.0408 × (26 − 15)/0.25985.
    even = quantile_of(Pool.of([range(start, 41, 4) for start in (1, 2, 3, 4)]), 0.5)
    paired = quantile_of(Pool.of(FOUR), 0.5).minus(even)
    assert even.standard_error == 0
    assert paired.standard_error == pytest.approx(0.0408248 * 11 / 0.259846, rel=1e-4)


def test_only_what_belongs_together_is_paired() -> None:
    with pytest.raises(ValueError, match="same replications"):
        mean_of([1.0, 2.0]).minus(mean_of([1.0, 2.0, 3.0]))
    with pytest.raises(ValueError, match="same level"):
        mean_of([1.0, 2.0], 0.95).minus(mean_of([1.0, 2.0], 0.99))


# Coverage: of many experiments, 95 % of the intervals must hold the truth


def z_of_coverage(experiment: Callable, truth: float, experiments: int, level: float = 0.95) -> float:
    """Standard errors between the share of intervals that hold the truth and the level."""
    standard_error = math.sqrt(level * (1 - level) / experiments)
    assert 4 * standard_error <= 0.026  # power guard: an interval that covers 92 % is seen
    rng = np.random.default_rng(20270104)
    hits = sum(low <= truth <= high for low, high in (experiment(rng) for _ in range(experiments)))
    return (hits / experiments - level) / standard_error


def three_means(rng: np.random.Generator) -> tuple[float, float]:
    return ends(mean_of(rng.normal(7, 3, 3)).interval)


def test_coverage_of_a_mean() -> None:
    assert abs(z_of_coverage(three_means, 7, 4000)) < 4


def test_coverage_of_a_mean_sees_one_degree_of_freedom_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(statistics, "_t", lambda n, level: float(stdtrit(n, (1 + level) / 2)))
    assert z_of_coverage(three_means, 7, 4000) < -4


def joined_and_gave_up(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """30 years in which more join when more give up; the median year is better than the long run."""
    strain = rng.gamma(20, 1 / 20, 30)
    joined = rng.poisson(60 * strain)
    return strain, joined, rng.binomial(joined, np.clip(0.2 * strain, 0, 1))


TRUE_SHARE = 0.2 * (1 + 1 / 20)  # E[strain²]/E[strain]; a strain of 5, where the clip begins, is out of reach


def test_coverage_of_a_ratio() -> None:
    def interval(rng: np.random.Generator) -> tuple[float, float]:
        _, joined, gave_up = joined_and_gave_up(rng)
        return ends(ratio_of(gave_up, joined).interval)

    assert abs(z_of_coverage(interval, TRUE_SHARE, 3000)) < 4


def test_coverage_of_a_ratio_sees_a_mean_of_ratios_and_patients_taken_as_independent() -> None:
    def mean_of_ratios(rng: np.random.Generator) -> tuple[float, float]:
        _, joined, gave_up = joined_and_gave_up(rng)
        return ends(mean_of(gave_up / joined).interval)

    def binomial(rng: np.random.Generator) -> tuple[float, float]:
        _, joined, gave_up = joined_and_gave_up(rng)
        share = gave_up.sum() / joined.sum()
        half_width = 2 * math.sqrt(share * (1 - share) / joined.sum())
        return share - half_width, share + half_width

    assert z_of_coverage(mean_of_ratios, TRUE_SHARE, 1200) < -4
    assert z_of_coverage(binomial, TRUE_SHARE, 1200) < -4


def years_of_waits(rng: np.random.Generator, strain: np.ndarray, per_year: int) -> list[np.ndarray]:
    """Waits that hang together within a year: exponential about a mean that varies from year to year."""
    return [10 * mean * rng.exponential(1, rng.poisson(per_year)) for mean in strain]


def gamma_exponential_quantile(p: float, shape: int) -> float:
    """Of 10 × gamma (mean 1) × exponential, which exceeds x with chance E exp(−x/10/gamma)."""
    grid = np.linspace(1e-6, 12, 400_001)
    density = grid ** (shape - 1) * np.exp(-shape * grid)
    density /= density.sum()
    low, high = 0.0, 1000.0
    while high - low > 1e-9:
        middle = (low + high) / 2
        low, high = (low, middle) if density @ np.exp(-middle / 10 / grid) <= 1 - p else (middle, high)
    return low


@pytest.mark.parametrize(("p", "per_year"), [(0.5, 40), (0.9, 40), (0.9, 6)])
def test_coverage_of_a_quantile(p: float, per_year: int) -> None:
    def interval(rng: np.random.Generator) -> tuple[float, float]:
        return ends(quantile_of(Pool.of(years_of_waits(rng, rng.gamma(6, 1 / 6, 30), per_year)), p).interval)

    assert abs(z_of_coverage(interval, gamma_exponential_quantile(p, 6), 1200)) < 4


def test_coverage_of_a_quantile_sees_waits_taken_as_independent_and_the_plain_jackknife() -> None:
    def independent(rng: np.random.Generator) -> tuple[float, float]:
        waits = np.concatenate(years_of_waits(rng, rng.gamma(6, 1 / 6, 30), 40))
        half_width = 2 * math.sqrt(0.9 * 0.1 / waits.size)
        return tuple(np.quantile(waits, [0.9 - half_width, 0.9 + half_width]))

    def plain(rng: np.random.Generator) -> tuple[float, float]:
        samples = years_of_waits(rng, rng.gamma(6, 1 / 6, 30), 6)
        waits = np.concatenate(samples)
        order = waits.argsort()
        owner = np.repeat(np.arange(30), [sample.size for sample in samples])[order]

        def p90(chosen: np.ndarray) -> float:
            kept = waits[order][chosen]
            return float(kept[math.ceil(0.9 * kept.size) - 1])

        left_out = np.array([p90(owner != year) for year in range(30)])
        return ends(Replicated(p90(owner >= 0), left_out, left_out, np.ones(30, dtype=bool)).interval)

    truth = gamma_exponential_quantile(0.9, 6)
    assert z_of_coverage(independent, truth, 1200) < -4
    assert z_of_coverage(plain, truth, 1200) < -4


def test_coverage_of_a_paired_difference_of_means_and_that_unpaired_is_too_wide() -> None:
    def plans(rng: np.random.Generator) -> tuple[Replicated, Replicated]:
        base = rng.normal(20, 5, 10)
        return mean_of(base - 1 + rng.normal(0, 1, 10)), mean_of(base)

    def unpaired(rng: np.random.Generator) -> tuple[float, float]:
        plan, base = plans(rng)
        half_width = 2.1 * math.hypot(plan.standard_error, base.standard_error)
        return plan.estimate - base.estimate - half_width, plan.estimate - base.estimate + half_width

    def paired(rng: np.random.Generator) -> tuple[float, float]:
        plan, base = plans(rng)
        return ends(plan.minus(base).interval)

    assert abs(z_of_coverage(paired, -1, 3000)) < 4
    assert z_of_coverage(unpaired, -1, 3000) > 4


def test_coverage_of_a_paired_difference_of_ratios() -> None:
    def paired(rng: np.random.Generator) -> tuple[float, float]:
        strain, joined, gave_up = joined_and_gave_up(rng)
        fewer = rng.binomial(joined, np.clip(0.15 * strain, 0, 1))
        return ends(ratio_of(fewer, joined).minus(ratio_of(gave_up, joined)).interval)

    assert abs(z_of_coverage(paired, -0.05 * (1 + 1 / 20), 2000)) < 4


@pytest.mark.parametrize("p", [0.5, 0.9])
def test_coverage_of_a_paired_difference_of_quantiles_and_that_unpaired_is_too_wide(p: float) -> None:
    def plans(rng: np.random.Generator) -> tuple[Replicated, Replicated]:
        base = years_of_waits(rng, rng.gamma(6, 1 / 6, 30), 40)
        plan = [0.8 * waits * rng.uniform(0.9, 1.1) for waits in base]
        return quantile_of(Pool.of(plan), p), quantile_of(Pool.of(base), p)

    rng = np.random.default_rng(3)
    many = np.concatenate(years_of_waits(rng, rng.gamma(6, 1 / 6, 200_000), 10))
    factors = rng.uniform(0.9, 1.1, many.size)
    truth = float(np.quantile(0.8 * many * factors, p) - np.quantile(many, p))

    def paired(rng: np.random.Generator) -> tuple[float, float]:
        plan, base = plans(rng)
        return ends(plan.minus(base).interval)

    def unpaired(rng: np.random.Generator) -> tuple[float, float]:
        plan, base = plans(rng)
        half_width = 2 * math.hypot(plan.standard_error, base.standard_error)
        return plan.estimate - base.estimate - half_width, plan.estimate - base.estimate + half_width

    assert abs(z_of_coverage(paired, truth, 1200)) < 4
    assert z_of_coverage(unpaired, truth, 1200) > 4
