"""Referrals: how many come in each month, on each weekday, in each year and by how much weeks differ (model.md §4)."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from iopsim.model import sources
from iopsim.model.clinic import simulate
from iopsim.model.draws import Draws
from iopsim.model.timeline import Timeline
from iopsim.scenario.schema import Scenario
from tests.theory.replications import PRECISION, Z_LIMIT, DisagreementError, run_of

if TYPE_CHECKING:
    from collections.abc import Callable

START, WARM_UP_WEEKS, WEEKS, PER_WEEK, REPLICATIONS = dt.date(2027, 3, 10), 14, 55, 42.0, 12
WEEKDAYS = (1.3, 1, 1, 1, 0.7, 0.3, 0.3)
MONTHS = (1.11, 1.12, 1.07, 0.71, 0.92, 0.94, 1.26, 0.95, 1.07, 1.06, 1.05, 0.83)
GROWTH = 0.2

Days = dict[dt.date, float]


def referrals(weekdays: tuple[float, ...], months: tuple[float, ...], growth: float) -> Days:
    """Referrals of all replications by date, to a level that takes nobody."""
    source = {"to": "clinic", "per_week": PER_WEEK, "growth_per_year": growth}
    scenario = Scenario.model_validate(
        {
            "run": run_of(71, WEEKS, WARM_UP_WEEKS, run_out_weeks=0) | {"start": START},
            "sources": {"community": source | {"weekdays": weekdays, "months": months}},
            "levels": {"clinic": {"places": 0, "stay_days": 1, "waitlist": {"at_most": 0}}},
        }
    )
    runs = [simulate(scenario, replication).patient_referred for replication in range(REPLICATIONS)]
    days = Counter(np.floor(np.concatenate(runs)).astype(int).tolist())
    return {START + dt.timedelta(day): number for day, number in days.items()}


@cache
def expected() -> Days:
    """What model.md says of each date, day by day; growth is 1 before the start, then integrated over the day."""

    def season(day: int) -> float:
        date = START + dt.timedelta(day)
        return WEEKDAYS[date.weekday()] * MONTHS[date.month - 1]

    def growth(day: int) -> float:
        if day < 0:
            return 1.0
        log_growth = np.log(1 + GROWTH)
        return float(np.expm1(log_growth / 365) * 365 / log_growth * np.exp(log_growth * day / 365))

    mean_season = sum(season(day) for day in range(365)) / 365
    rate = REPLICATIONS * PER_WEEK / 7 / mean_season
    days = range(-7 * WARM_UP_WEEKS, 7 * WEEKS)
    return {START + dt.timedelta(day): rate * season(day) * growth(day) for day in days}


def referrals_hold(found: Days) -> None:
    """Sums of independent Poisson numbers are Poisson: their standard error is known, not estimated."""
    divisions: list[Callable[[dt.date], Any]] = [
        lambda date: date.year,
        lambda date: (date.year, date.month),
        lambda date: f"weekday {date.weekday()}",
        lambda date: "first measured year" if 0 <= (date - START).days < 365 else "other days",
    ]
    for division in divisions:
        theory, counts = total(expected(), division), total(found, division)
        for part, mean in theory.items():
            error = mean**0.5
            if not abs(counts.get(part, 0) - mean) <= Z_LIMIT * error:
                raise DisagreementError(
                    f"{part}: {counts.get(part, 0)} referrals, expected {mean:.0f} ± {error:.0f}"
                )
            assert error <= PRECISION * mean, f"{part}: {mean:.0f} referrals have no power"


def total(days: Days, division: Callable[[dt.date], Any]) -> dict[Any, float]:
    sums: Counter[Any] = Counter()
    for date, number in days.items():
        sums[division(date)] += number
    return sums


def test_referrals_follow_weekdays_months_and_growth() -> None:
    referrals_hold(referrals(WEEKDAYS, MONTHS, GROWTH))


def first_year_has_the_weekly_rate(found: Days) -> None:
    """Whatever the seasons: they are divided by their mean over the 365 days from the start."""
    mean = REPLICATIONS * PER_WEEK / 7 * 365
    count = sum(number for date, number in found.items() if 0 <= (date - START).days < 365)
    if not abs(count - mean) <= Z_LIMIT * mean**0.5:
        raise DisagreementError(f"{count} referrals in the first year, expected {mean:.0f}")
    assert mean**0.5 <= PRECISION * mean


def test_without_growth_the_first_year_has_the_weekly_rate() -> None:
    first_year_has_the_weekly_rate(referrals(WEEKDAYS, MONTHS, growth=0.0))


def test_a_first_year_that_grows_is_caught() -> None:
    with pytest.raises(DisagreementError):
        first_year_has_the_weekly_rate(referrals(WEEKDAYS, MONTHS, GROWTH))


@pytest.mark.parametrize(
    ("weekdays", "months", "growth"),
    [
        pytest.param((*WEEKDAYS[1:], WEEKDAYS[0]), MONTHS, GROWTH, id="weekdays that begin on Sunday"),
        pytest.param(WEEKDAYS, (MONTHS[-1], *MONTHS[:-1]), GROWTH, id="months that come a month late"),
        pytest.param(WEEKDAYS, MONTHS, 0.0, id="no growth"),
        pytest.param((1.0,) * 7, MONTHS, GROWTH, id="all weekdays alike"),
    ],
)
def test_a_wrong_season_is_caught(
    weekdays: tuple[float, ...], months: tuple[float, ...], growth: float
) -> None:
    with pytest.raises(DisagreementError):
        referrals_hold(referrals(weekdays, months, growth))


# weeks that differ by more than chance


LEVEL, CHANGED, SINCE, PAIRS = 30.0, 0.6, 40, 52
D = 3.0


def weekly_counts(replications: int = 80, **source: Any) -> np.ndarray[Any, Any]:
    """Referrals by replication and calendar week; the rate changes from a Monday on."""
    start = dt.date(2027, 1, 4)
    changes = [{"from": start + dt.timedelta(weeks=SINCE), "factor": CHANGED}]
    scenario = Scenario.model_validate(
        {
            "run": run_of(73, 2 * PAIRS, 0, 0) | {"start": start},
            "sources": {"community": {"to": "clinic", "per_week": LEVEL, "changes": changes, **source}},
            "levels": {"clinic": {"places": 0, "stay_days": 1, "waitlist": {"at_most": 0}}},
        }
    )
    name, spec, timeline = "community", scenario.sources["community"], Timeline(scenario)
    counts = np.zeros((replications, 2 * PAIRS))
    for replication in range(replications):
        for _, when, rows in sources._cells(name, spec, timeline, Draws(73, replication)):
            counts[replication] += np.histogram(when[rows], 7.0 * np.arange(2 * PAIRS + 1))[0]
    return counts


def within(name: str, found: np.ndarray[Any, Any], exact: float, precision: float) -> None:
    """One number from each replication: their mean is within 4 standard errors of the exact value."""
    mean, error = found.mean(), found.std(ddof=1) / len(found) ** 0.5
    if not abs(mean - exact) <= Z_LIMIT * error:
        raise DisagreementError(f"{name}: {mean:.4g} ± {error:.2g}, exactly {exact:.4g}")
    assert error <= precision, f"{name}: a standard error of {error:.2g} has no power"


def dispersion_holds(counts: np.ndarray[Any, Any], dispersion: float = D) -> None:
    """Weekly counts have the mean of the rate and `dispersion` times its variance, before and after the change."""
    for name, part, mean in (
        ("before", counts[:, :SINCE], LEVEL),
        ("after", counts[:, SINCE:], LEVEL * CHANGED),
    ):
        within(f"mean {name}", part.mean(axis=1) / mean, 1, PRECISION)
        within(f"variance {name}", ((part - mean) ** 2).mean(axis=1) / mean, dispersion, 0.1)


def weeks_are_independent(counts: np.ndarray[Any, Any]) -> None:
    """A week that is busy says nothing of the next, or of that a year later."""
    means = np.where(np.arange(2 * PAIRS) < SINCE, LEVEL, LEVEL * CHANGED)
    away = (counts - means) / np.sqrt(D * means)
    for lag in (1, 2, PAIRS):
        within(f"autocorrelation at {lag}", (away[:, lag:] * away[:, :-lag]).mean(axis=1), 0, PRECISION)


def test_weeks_vary_by_the_dispersion_and_independently() -> None:
    counts = weekly_counts(dispersion=D)
    dispersion_holds(counts)
    weeks_are_independent(counts)


def test_without_dispersion_weeks_are_poisson() -> None:
    dispersion_holds(weekly_counts(), dispersion=1.0)


def test_dispersion_of_another_size_is_caught() -> None:
    with pytest.raises(DisagreementError, match="variance before"):
        dispersion_holds(weekly_counts(dispersion=2.5))


def test_a_variance_that_forgets_the_change_of_the_rate_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    own = Timeline.weeks

    def unchanged(self: Timeline, name: str) -> Any:
        source = self._source(name).model_copy(update={"changes": ()})
        with pytest.MonkeyPatch.context() as within_weeks:
            within_weeks.setattr(self, "_source", lambda _: source)
            return own(self, name)

    monkeypatch.setattr(Timeline, "weeks", unchanged)
    with pytest.raises(DisagreementError, match="variance after"):
        dispersion_holds(weekly_counts(dispersion=D))


def test_swings_that_go_on_for_two_weeks_are_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    swings = sources._swings

    def longer(*key: Any) -> np.ndarray[Any, Any]:
        days = swings(*key)
        return days[np.arange(len(days)) // 14 * 14]

    monkeypatch.setattr(sources, "_swings", longer)
    with pytest.raises(DisagreementError, match="autocorrelation at 1"):
        weeks_are_independent(weekly_counts(dispersion=D))


def test_dispersion_keeps_the_mean_of_a_changing_rate() -> None:
    """Seasons and growth within: over all weeks, as many come as without."""
    seasonal: dict[str, Any] = {"weekdays": WEEKDAYS, "months": MONTHS, "growth_per_year": GROWTH}
    plain, swinging = weekly_counts(40, **seasonal), weekly_counts(40, dispersion=D, **seasonal)
    assert not np.array_equal(plain, swinging)
    within("more referrals", (swinging - plain).sum(axis=1) / plain.sum(axis=1), 0, PRECISION)
