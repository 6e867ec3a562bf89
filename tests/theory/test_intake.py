"""Access: appointments against their chain, authorization and reviews, losses by stage (model.md §6)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from iopsim.model.access import Access
from iopsim.model.authorization import Payers
from iopsim.model.diary import Diary
from iopsim.model.ledger import ENDS, Fact
from iopsim.theory.slots import slot_wait
from tests.theory.replications import (
    DisagreementError,
    Floats,
    Part,
    Run,
    agree,
    named,
    replicate,
    scenario_of,
    share_joined,
    share_started,
)

if TYPE_CHECKING:
    from iopsim.scenario.schema import Scenario
    from tests.theory.replications import Statistic

UNLIMITED = {"stay_days": 5}

# appointments: three posts of one hour a day each, or one post of three hours

NINE = 9 / 24
PER_WEEK = 12.0
AT_NINE = [day + NINE for day in range(5) for _ in range(3)]
IN_A_ROW = [day + (9 + hour) / 24 for day in range(5) for hour in range(3)]


def booking(seed: int, *, posts: int = 3, hours_a_day: int = 1, **intake: Any) -> Scenario:
    """Everybody has to see somebody first, who has so many hours a working day for it."""
    staff = {"desk": {"posts": posts, "paid_hours_per_week": 5 * hours_a_day}}
    level = UNLIMITED | {"intake": {"role": "desk", "minutes": 60, **intake}}
    return scenario_of(level, PER_WEEK, seed=seed, weeks=80, warm_up_weeks=20, run_out_weeks=10, staff=staff)


def seen(run: Run) -> tuple[Floats, Floats]:
    """When each of those who were referred in the window was referred, and seen; infinite if never."""
    stays = run.stays().in_window(Fact.REFERRED)
    return stays.at(Fact.REFERRED), stays.at(Fact.ASSESSED)


def days_to_intake(run: Run) -> Part:
    referred, assessed = seen(run)
    return (assessed - referred).sum(), len(referred)


def lead_days(days: int) -> Statistic:
    """Share whose appointment is so many calendar days after the day of referral."""

    @named(f"lead of {days} days")
    def statistic(run: Run) -> Part:
        referred, assessed = seen(run)
        return (np.floor(assessed) - np.floor(referred) == days).sum(), len(referred)

    return statistic


def seen_within(days: float) -> Statistic:
    """Share who are seen at most so many days after referral."""

    @named(f"seen within {days:g} days")
    def statistic(run: Run) -> Part:
        referred, assessed = seen(run)
        return (assessed - referred <= days).sum(), len(referred)

    return statistic


def chain_holds(runs: Sequence[Run], slots: list[float]) -> None:
    exact = slot_wait(PER_WEEK / 7, slots)
    leads = {lead_days(days): exact.lead_days[days] for days in (1, 2, 3)}
    agree(runs, {days_to_intake: exact.mean_days, seen_within(2.5): exact.cdf(2.5), **leads})


def test_appointments_of_three_posts_at_nine() -> None:
    chain_holds(replicate(booking(seed=81)), AT_NINE)


def test_appointments_of_one_post_in_a_row() -> None:
    chain_holds(replicate(booking(seed=82, posts=1, hours_a_day=3)), IN_A_ROW)


EVERY_DAY = [*AT_NINE[:-5], *(day + NINE for day in (5, 5, 5, 6, 6))]


@pytest.mark.parametrize(
    "slots", [AT_NINE[1:], [*AT_NINE, 4 + NINE], EVERY_DAY], ids=["less", "more", "weekend"]
)
def test_other_appointments_are_caught(slots: list[float]) -> None:
    with pytest.raises(DisagreementError):
        chain_holds(replicate(booking(seed=83), replications=12), slots)


def test_a_slot_that_is_lost_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    book, booked = Diary.book, [0]

    def losing(diary: Diary, now: float, minutes: float) -> tuple[float, int] | None:
        booked[0] += 1
        if booked[0] % 25 == 0:
            book(diary, now, minutes)
        return book(diary, now, minutes)

    monkeypatch.setattr(Diary, "book", losing)
    with pytest.raises(DisagreementError):
        chain_holds(replicate(booking(seed=84), replications=12), AT_NINE)


# who gets there

SHOW, TAKEN = 0.6, 0.7


def reached(run: Run) -> Part:
    stays = run.stays().in_window(Fact.REFERRED)
    return stays.had(Fact.ASSESSED).sum(), len(stays)


def share_reached_holds(runs: Sequence[Run]) -> None:
    """Each time they show, or do not and book again, twice at most."""
    again = (1 - SHOW) * TAKEN
    agree(runs, {reached: SHOW * (1 + again + again**2)}, precision=0.01)


def no_shows(rebook: int) -> Scenario:
    return booking(85, posts=9, show=SHOW, rebook=rebook, rebook_taken=TAKEN)


def test_who_does_not_show_may_book_again() -> None:
    share_reached_holds(replicate(no_shows(rebook=2), replications=20))


def test_one_booking_less_is_caught() -> None:
    with pytest.raises(DisagreementError):
        share_reached_holds(replicate(no_shows(rebook=1), replications=10))


def conversion(run: Run) -> Part:
    stays = run.stays().in_window(Fact.REFERRED)
    return stays.had(Fact.STARTED).sum(), len(stays)


def through_all_stages(**changes: float) -> Scenario:
    shares = {"contact": 0.75, "eligible": 0.9} | changes
    stages = {stage: {"share": share} for stage, share in shares.items()}
    return scenario_of(UNLIMITED | stages, 70, seed=86, weeks=20, warm_up_weeks=0)


def test_stages_lose_their_shares() -> None:
    agree(replicate(through_all_stages(), replications=20), {conversion: 0.75 * 0.9}, precision=0.01)


def test_a_stage_that_loses_nobody_is_caught() -> None:
    with pytest.raises(DisagreementError):
        agree(replicate(through_all_stages(eligible=1.0), replications=10), {conversion: 0.75 * 0.9})


# the payer's word before admission

DELAY, DENIED = {"gamma": {"mean": 3.0, "cv": 0.5}}, 0.2


def authorizing(seed: int, patience: Any = None, **authorization: Any) -> Scenario:
    asked = {"levels": ["clinic"], **authorization}
    waitlist = {} if patience is None else {"patience_days": patience}
    return scenario_of(
        UNLIMITED | {"waitlist": waitlist},
        70,
        seed=seed,
        weeks=20,
        warm_up_weeks=2,
        run_out_weeks=8,
        payers={"all": {"authorization": asked}},
    )


def mean_wait_of_starters(run: Run) -> Part:
    stays = run.joined()
    stays = stays[stays.had(Fact.STARTED)]
    return (stays.at(Fact.STARTED) - stays.at(Fact.JOINED)).sum(), len(stays)


def mean_squared_wait_of_starters(run: Run) -> Part:
    stays = run.joined()
    stays = stays[stays.had(Fact.STARTED)]
    return ((stays.at(Fact.STARTED) - stays.at(Fact.JOINED)) ** 2).sum(), len(stays)


def answers_hold(runs: Sequence[Run]) -> None:
    """With room for everybody the wait is the payer's delay, and nothing else."""
    waits = {mean_wait_of_starters: 3.0, mean_squared_wait_of_starters: 3.0**2 * (1 + 0.5**2)}
    agree(runs, waits | {share_joined(Fact.DENIED): DENIED}, precision=0.02)


def test_the_wait_for_authorization_is_its_law() -> None:
    answers_hold(replicate(authorizing(87, delay_days=DELAY, denied=DENIED), replications=20))


@pytest.mark.parametrize(
    "wrong", [{"delay_days": 3.0, "denied": DENIED}, {"delay_days": DELAY, "denied": 0.17}]
)
def test_another_law_or_share_of_denials_is_caught(wrong: dict[str, Any]) -> None:
    with pytest.raises(DisagreementError):
        answers_hold(replicate(authorizing(87, **wrong), replications=10))


def race_holds(runs: Sequence[Run]) -> None:
    """Patience and the payer race: exponential with means 6 and 4 days; the wait is that of the faster."""
    agree(runs, {share_joined(Fact.RENEGED): 4 / 10, mean_wait_of_starters: 2.4}, precision=0.02)


def racing(seed: int, mean_delay: float) -> Scenario:
    delay = {"exponential": {"mean": mean_delay}}
    return authorizing(seed, patience={"exponential": {"mean": 6.0}}, delay_days=delay)


def test_patience_runs_while_the_payer_decides() -> None:
    race_holds(replicate(racing(88, 4.0), replications=20))


def test_a_slower_payer_is_caught() -> None:
    with pytest.raises(DisagreementError):
        race_holds(replicate(racing(88, 4.5), replications=10))


# reviews

UNITS, PLANNED, CUT = 4, 15, 0.3


def reviewed(**review: Any) -> Scenario:
    """Fifteen sessions, four of them approved at a time, with ample seats."""
    group = {"days": ["mon", "wed", "fri"], "seats": 1000}
    asked = {"levels": ["clinic"], "units": UNITS, "ask_before": 1, "review": {"cut": CUT} | review}
    return scenario_of(
        {"groups": {"day": group}, "phases": [{"weeks": 5, "days_per_week": 3}]},
        40,
        seed=89,
        weeks=15,
        warm_up_weeks=0,
        run_out_weeks=10,
        payers={"all": {"authorization": asked}},
    )


def mean_sessions_had(run: Run) -> Part:
    stays = run.stays().in_window(Fact.STARTED)
    had = np.bincount(run.ledger.member_stay, minlength=len(run.ledger.stay_level))[stays.number]
    return np.where(stays.had(*ENDS), had, np.inf).sum(), len(stays)


def reviews_hold(runs: Sequence[Run]) -> None:
    """The k-th review comes before session 4k, and cuts the stay there: 4 + 4 (1 − c) + 4 (1 − c)² + 3 (1 − c)³."""
    goes_on = 1 - CUT
    sessions = UNITS * (1 + goes_on + goes_on**2) + (PLANNED - 3 * UNITS) * goes_on**3
    agree(runs, {mean_sessions_had: sessions, share_started(Fact.COMPLETED): goes_on**3}, precision=0.02)


def test_reviews_cut_stays_short() -> None:
    reviews_hold(replicate(reviewed(), replications=20))


def test_an_answer_that_comes_late_lets_a_stay_go_on() -> None:
    """Asked after sessions 3, 8 and 13, answered just before the third session since: cut after 5 or 10 of 15."""
    goes_on = 1 - CUT
    sessions = 5 * CUT + 10 * goes_on * CUT + PLANNED * goes_on**2
    exact = {mean_sessions_had: sessions, share_started(Fact.COMPLETED): goes_on**2}
    agree(replicate(reviewed(delay_days=6.5), replications=20), exact, precision=0.015)


def test_units_that_are_not_counted_are_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    used = Payers._used
    monkeypatch.setattr(Payers, "_used", lambda payers, stay: used(payers, stay) // 2)
    with pytest.raises(DisagreementError):
        reviews_hold(replicate(reviewed(cut=CUT / 2), replications=10))


def test_a_stage_is_passed_over_when_it_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Access, "_succeeds", lambda *_: True)
    with pytest.raises(DisagreementError):
        agree(replicate(through_all_stages(), replications=10), {conversion: 0.75 * 0.9})
