from __future__ import annotations

import math

import pytest
from scipy.special import gammaincc

from iopsim.scenario.levels import Care, Level, care_of
from iopsim.scenario.plausible.fates import Fate, _gamma_tail, fate
from iopsim.theory.stays import mean_sessions, restricted_mean, weibull_survival

GROUPS = {"one": {"days": ["mon", "wed"], "seats": 8}}


def care(**parts: object) -> Care:
    return care_of(Level.model_validate(parts), "any", "any")


def exponential(mean: float) -> dict[str, object]:
    return {"exponential": {"mean": mean}}


def shares(lived: Fate) -> tuple[float, float, float]:
    return lived.completed, lived.left_early, lived.stepped_up


@pytest.mark.parametrize(
    "law", [20, exponential(20), {"gamma": {"mean": 20, "cv": 0.5}}, {"lognormal": {"mean": 20, "cv": 1}}]
)
def test_stay_without_early_leaving_lasts_its_mean(law: object) -> None:
    lived = fate(care(stay_days=law), 0)
    assert lived.days == pytest.approx(20, rel=1e-3)
    assert shares(lived) == pytest.approx((1, 0, 0))


def test_stays_of_no_time_and_of_a_hundred_years() -> None:
    assert shares(fate(care(stay_days=10, leave_early={"dropout": 0}), 0)) == pytest.approx((0, 1, 0))
    lived = fate(care(stay_days=36_000, groups=GROUPS), 7)
    assert shares(lived) == pytest.approx((1, 0, 0))


def test_rates_compete() -> None:
    lived = fate(care(stay_days=exponential(10), leave_early={"dropout": exponential(30)}), 0)
    assert lived.days == pytest.approx(7.5, rel=1e-3)
    assert shares(lived) == pytest.approx((0.75, 0.25, 0), rel=1e-3)


def test_gamma_stay_against_dropout_is_its_laplace_transform() -> None:
    # Shape 4, scale 5.25: completed = (1 + 5.25 ÷ 40)^-4, and dropouts come at 1 in 40 a day in care.
    lived = fate(
        care(stay_days={"gamma": {"mean": 21, "cv": 0.5}}, leave_early={"dropout": exponential(40)}), 0
    )
    completed = (1 + 5.25 / 40) ** -4
    assert lived.completed == pytest.approx(completed, rel=1e-3)
    assert lived.days == pytest.approx(40 * (1 - completed), rel=1e-3)


def test_dropout_against_a_constant_stay_is_its_restricted_mean() -> None:
    survival = weibull_survival(0.683, 173)
    lived = fate(care(stay_days=56, leave_early={"dropout": {"weibull": {"shape": 0.683, "scale": 173}}}), 0)
    assert lived.days == pytest.approx(42.9, abs=0.05)
    assert lived.days == pytest.approx(restricted_mean(survival, 56), rel=1e-3)
    assert lived.completed == pytest.approx(survival(56), rel=1e-6)


def test_weekly_shares_act_at_week_ends_and_completion_comes_first() -> None:
    early = {"dropout_per_week": 0.1, "step_up": {"per_week": 0.2, "to": {"home": 1}}}
    lived = fate(care(stay_days=14, leave_early=early), 0)
    assert shares(lived) == pytest.approx((0.72, 0.10, 0.18))
    assert lived.days == pytest.approx(7 + 7 * 0.72)


def test_step_up_by_a_law_of_days() -> None:
    early = {"step_up": {"after_days": exponential(20), "to": {"home": 1}}}
    assert shares(fate(care(stay_days=exponential(20), leave_early=early), 0)) == pytest.approx(
        (0.5, 0, 0.5), rel=1e-3
    )


def test_called_away() -> None:
    until = care(stay_days=exponential(10)).stay_days
    lived = fate(care(stay_days=100), 0, until=until)
    assert lived.days == pytest.approx(10 * (1 - math.exp(-10)), rel=1e-3)


def test_phases_take_their_sessions_and_the_days_between() -> None:
    plan = [{"weeks": 3, "days_per_week": 2}, {"weeks": 2, "days_per_week": 1}]
    lived = fate(care(phases=plan, groups=GROUPS), 0)
    assert lived.sessions == pytest.approx(8)
    assert lived.days == pytest.approx(35)
    assert fate(care(phases=plan, groups=GROUPS), 0, held=0.5).days == pytest.approx(70)


def test_extension_adds_its_weeks_to_a_share() -> None:
    plan = {"phases": [{"weeks": 1, "days_per_week": 2}], "extension": {"share": 0.5, "weeks": 3}}
    lived = fate(care(**plan, groups=GROUPS), 0)
    assert lived.sessions == pytest.approx(2 + 0.5 * 6)
    assert lived.completed == pytest.approx(1)


def test_attended_plan_takes_more_scheduled_sessions() -> None:
    plan = {"phases": [{"weeks": 3, "days_per_week": 2}], "attendance": {"mean": 0.75}}
    assert fate(care(**plan, groups=GROUPS), 0, plan="attended").sessions == pytest.approx(8)


def test_discharge_after_missed_sessions_but_not_with_the_last() -> None:
    # Four sessions at p = 0.5: two missed in a row at session 2 (1/4) or 3 (1/8); at 4 one has completed.
    plan = {"phases": [{"weeks": 2, "days_per_week": 2}]}
    lived = fate(care(**plan, attendance={"mean": 0.5, "discharge_after_missed": 2}, groups=GROUPS), 0)
    assert shares(lived) == pytest.approx((0.625, 0.375, 0))
    assert lived.sessions == pytest.approx(2 / 4 + 3 / 8 + 4 * 0.625)


def test_discharge_with_propensities_that_differ() -> None:
    # One miss is enough: who attends two of two before the last completes, E[p²] = mean² + sd².
    attendance = {"mean": 0.86, "sd": 0.1, "discharge_after_missed": 1}
    lived = fate(care(phases=[{"weeks": 3, "days_per_week": 1}], attendance=attendance, groups=GROUPS), 0)
    assert lived.completed == pytest.approx(0.86**2 + 0.1**2, rel=1e-4)


def test_stay_in_days_within_groups() -> None:
    # Sessions every 3.5 days from the start on: 0, 3.5 … 17.5 within 20 days.
    assert fate(care(stay_days=20, groups=GROUPS), 2).sessions == pytest.approx(6)
    attendance = {"mean": 0.5, "discharge_after_missed": 2}
    lived = fate(care(stay_days=10_000, attendance=attendance, groups=GROUPS), 2)
    assert lived.sessions == pytest.approx(mean_sessions(0.5, 2, 3000), rel=1e-6) == pytest.approx(6)


@pytest.mark.parametrize(("every_weeks", "times"), [(1, 8), (2, 4), (3, 3), (8, 1), (52, 1)])
def test_deliveries_from_the_start_and_before_the_end(every_weeks: float, times: int) -> None:
    assert fate(care(stay_days=56), 0).deliveries(every_weeks) == pytest.approx(times)


def test_deliveries_of_those_still_in_care() -> None:
    lived = fate(care(stay_days=28, leave_early={"dropout_per_week": 0.5}), 0)
    assert lived.deliveries(1) == pytest.approx(1 + 1 / 2 + 1 / 4 + 1 / 8)
    assert lived.deliveries(0.001) == pytest.approx(lived.days / 0.007)


@pytest.mark.parametrize("shape", [0.05, 0.4, 1, 2, 40, 1e4])
def test_gamma_tail(shape: float) -> None:
    for x in (0, 1e-6, shape / 3, shape, 1.01 * shape + 1, 3 * shape + 5):
        assert _gamma_tail(shape, x) == pytest.approx(gammaincc(shape, x), abs=1e-7)
