"""How long stays last: leaving early, treatment that is suspended, coming back (model.md §§5, 11)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pytest

from iopsim.model.journey import Journey
from iopsim.model.ledger import Fact
from iopsim.scenario.distributions import Weibull
from iopsim.scenario.schema import Scenario
from iopsim.theory.infinite import steady_census
from iopsim.theory.stays import restricted_mean, weibull_survival
from tests.theory.replications import (
    DisagreementError,
    Part,
    Run,
    Statistic,
    agree,
    mean_in_care,
    mean_stay,
    named,
    replicate,
    run_of,
    scenario_of,
    share_started,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from iopsim.model.people import Patient, Stay


def two_levels(clinic: dict[str, Any], higher: dict[str, Any], seed: int, **run: int) -> Scenario:
    return Scenario.model_validate(
        {
            "run": run_of(seed=seed, **run),
            "sources": {"community": {"to": "clinic", "per_week": 70}},
            "levels": {"clinic": clinic, "higher": {"stay_days": 1, **higher}},
        }
    )


# leaving early


def dropout_law_holds(runs: Sequence[Run]) -> None:
    survival = weibull_survival(shape=0.683, scale_days=173)
    agree(runs, {mean_stay: restricted_mean(survival, 56)}, precision=0.01)
    agree(runs, {share_started(Fact.DROPPED_OUT): 1 - survival(56)})


def eight_weeks(leave_early: dict[str, Any], seed: int, stay_days: float = 56) -> Scenario:
    clinic = {"stay_days": stay_days, "leave_early": leave_early}
    return two_levels(clinic, {}, seed, weeks=4, warm_up_weeks=0, run_out_weeks=9)


WEIBULL = {"dropout": {"weibull": {"shape": 0.683, "scale": 173}}}


def test_a_dropout_law_cuts_a_planned_stay_to_its_restricted_mean() -> None:
    dropout_law_holds(replicate(eight_weeks(WEIBULL, seed=41)))


def test_dropout_at_the_ends_of_weeks_only_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    hazard_time = Weibull.hazard_time
    monkeypatch.setattr(Weibull, "hazard_time", lambda law, unit: 7.0 * math.ceil(hazard_time(law, unit) / 7))
    with pytest.raises(DisagreementError, match="mean_stay"):
        dropout_law_holds(replicate(eight_weeks(WEIBULL, seed=41)))


WEEKLY = {"dropout_per_week": 0.08, "step_up": {"per_week": 0.05, "to": {"higher": 1}}}


def weekly_shares_hold(runs: Sequence[Run]) -> None:
    """Weeks are geometric; the eighth ends with the plan, and whoever completes at that instant has completed."""
    stay_on = (1 - 0.08) * (1 - 0.05)
    agree(runs, {share_started(Fact.COMPLETED): stay_on**7})
    agree(runs, {mean_stay: 7 * (1 - stay_on**8) / (1 - stay_on)}, precision=0.015)


def test_weekly_shares_that_leave_early_are_geometric() -> None:
    weekly_shares_hold(replicate(eight_weeks(WEEKLY, seed=42), replications=25))


def test_leaving_early_before_completing_at_one_instant_is_caught() -> None:
    with pytest.raises(DisagreementError):
        weekly_shares_hold(replicate(eight_weeks(WEEKLY, seed=42, stay_days=56 + 1e-6), replications=15))


def long_waits(per_week_waited: float) -> Scenario:
    dropout = {"dropout": {"exponential": {"mean": 40}}, "per_week_waited": per_week_waited}
    patience = {"patience_days": {"exponential": {"mean": 21}}}
    level = {"places": 6, "stay_days": 28, "leave_early": dropout, "waitlist": patience}
    return scenario_of(level, per_week=2.4, seed=43, weeks=300, warm_up_weeks=20, run_out_weeks=30)


def dropout_share_after(weeks_waited: int) -> Statistic:
    @named(f"dropout share after {weeks_waited} weeks of waiting")
    def statistic(run: Run) -> Part:
        stays = run.stays().in_window(Fact.STARTED)
        waited = (stays.at(Fact.STARTED) - stays.at(Fact.JOINED)) // 7
        stays = stays[waited == weeks_waited]
        return stays.had(Fact.DROPPED_OUT).sum(), len(stays)

    return statistic


def waiting_raises_dropout(runs: Sequence[Run]) -> None:
    hazards = {weeks: 28 / 40 * 1.5**weeks for weeks in range(3)}
    agree(runs, {dropout_share_after(weeks): -math.expm1(-hazard) for weeks, hazard in hazards.items()})


def test_every_whole_week_of_waiting_multiplies_the_hazard_of_dropout() -> None:
    waiting_raises_dropout(replicate(long_waits(per_week_waited=1.5)))


def test_a_hazard_that_forgets_the_wait_is_caught() -> None:
    with pytest.raises(DisagreementError, match="after 1 weeks"):
        waiting_raises_dropout(replicate(long_waits(per_week_waited=1.0), replications=15))


# treatment that is suspended for a higher level that is full

PLAN_DAYS, DROPOUT_MEAN_DAYS, STEP_UP_MEAN_DAYS, HOLD_DAYS = 20, 30.0, 25.0, 5


def suspended(hold_days: float) -> Scenario:
    step_up = {
        "after_days": {"exponential": {"mean": STEP_UP_MEAN_DAYS}},
        "to": {"higher": 1},
        "hold_days": hold_days,
    }
    dropout = {"exponential": {"mean": DROPOUT_MEAN_DAYS}}
    clinic = {"stay_days": PLAN_DAYS, "leave_early": {"dropout": dropout, "step_up": step_up}}
    return two_levels(clinic, {"places": 0}, seed=44, weeks=5, warm_up_weeks=0, run_out_weeks=6)


def suspension_holds(runs: Sequence[Run]) -> None:
    """Treatment, with its planned days and its hazard of dropout, goes on where it stopped."""
    treated = restricted_mean(lambda day: math.exp(-day / DROPOUT_MEAN_DAYS), PLAN_DAYS)
    rate = 1 / STEP_UP_MEAN_DAYS + 1 / DROPOUT_MEAN_DAYS
    suspended_share = -math.expm1(-rate * PLAN_DAYS) / rate / STEP_UP_MEAN_DAYS
    shares = {
        share_started(Fact.SUSPENDED): suspended_share,
        share_started(Fact.COMPLETED): math.exp(-PLAN_DAYS / DROPOUT_MEAN_DAYS),
    }
    agree(runs, shares | {mean_stay: treated + HOLD_DAYS * suspended_share}, precision=0.015)


def test_a_refused_step_up_lengthens_the_stay_by_the_hold() -> None:
    suspension_holds(replicate(suspended(HOLD_DAYS), replications=30))


def test_treatment_that_runs_on_while_suspended_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    resume = Journey.resume

    def as_if_treated(journey: Journey, stay: Stay) -> None:
        stay.treated += HOLD_DAYS
        stay.ends_after = max(stay.ends_after, stay.treated)
        stay.dropout_after = max(stay.dropout_after, stay.treated)
        resume(journey, stay)

    monkeypatch.setattr(Journey, "resume", as_if_treated)
    with pytest.raises(DisagreementError):
        suspension_holds(replicate(suspended(HOLD_DAYS), replications=30))


# coming back


def returning_clinic() -> Scenario:
    returns = {"share": 0.3, "after_days": {"exponential": {"mean": 4}}, "to": "clinic"}
    level = {"stay_days": {"gamma": {"mean": 3, "cv": 0.6}}, "returns": returns}
    return scenario_of(level, per_week=14, seed=45, weeks=20, warm_up_weeks=15)


def returns_hold(runs: Sequence[Run]) -> None:
    """Each stay is followed by another with probability 0.3, so that a patient has 1 ÷ 0.7 of them."""
    agree(runs, {mean_in_care: steady_census(arrivals_per_day=2 / 0.7, mean_stay_days=3)}, precision=0.015)


def test_those_who_come_back_add_to_the_census_again_and_again() -> None:
    returns_hold(replicate(returning_clinic()))


def test_coming_back_once_at_most_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    join = Journey.join

    def unless_back_before(journey: Journey, patient: Patient, unit: Any, *origin: Any, **fact: Any) -> None:
        if patient.been.count(unit.index) < 2:
            join(journey, patient, unit, *origin, **fact)

    monkeypatch.setattr(Journey, "join", unless_back_before)
    with pytest.raises(DisagreementError):
        returns_hold(replicate(returning_clinic()))
