"""Posts that come and go: an alternating renewal process of tenures and searches for a successor (model.md §8)."""

from __future__ import annotations

import numpy as np
import pytest

from iopsim.model import staff
from iopsim.model.draws import Draws
from iopsim.model.ledger import PostState
from tests.theory.replications import DisagreementError, Part, Run, agree, replicate, scenario_of

RATE, DAYS_TO_HIRE = 1.5, 90.0

SCENARIO = scenario_of(
    {"stay_days": 1},
    per_week=0,
    seed=4201,
    weeks=520,
    warm_up_weeks=52,
    staff={
        "therapist": {
            "posts": 4,
            "turnover_per_year": RATE,
            "days_to_hire": {"gamma": {"mean": DAYS_TO_HIRE, "cv": 0.5}},
        }
    },
)

# Long-run share of time in one of two alternating states. Source: Ross, Stochastic Processes, 2nd ed. (1996), §3.4.1.
FILLED_SHARE = 1 / (1 + RATE * DAYS_TO_HIRE / 365)


def filled_days(run: Run) -> float:
    """Days in the window on which posts are filled, all together."""
    ledger, days = run.ledger, 0.0
    for post in range(len(ledger.posts)):
        mine = ledger.post_number == post
        edges = np.clip(np.append(ledger.post_time[mine], run.days), 0, run.days)
        days += float(np.diff(edges) @ (ledger.post_state[mine] == PostState.FILLED))
    return days


def filled_share(run: Run) -> Part:
    """Share of time that a post is filled."""
    return filled_days(run), len(run.ledger.posts) * run.days


def departures_per_year(run: Run) -> Part:
    """Departures per filled post and year."""
    gone = (run.ledger.post_state == PostState.VACANT) & (run.ledger.post_time >= 0)
    return gone.sum(), filled_days(run) / 365


def posts_at_once(run: Run) -> Part:
    """Share of time, seen at the end of each week, that two given posts are filled at once: they are independent."""
    ledger = run.ledger
    weeks = np.arange(7.0, run.days, 7.0)
    filled = []
    for post in (0, 1):
        mine = np.flatnonzero(ledger.post_number == post)
        last = np.searchsorted(ledger.post_time[mine], weeks, side="right") - 1
        filled.append(ledger.post_state[mine][last] == PostState.FILLED)
    return (filled[0] & filled[1]).sum(), len(weeks)


EXACT = {filled_share: FILLED_SHARE, departures_per_year: RATE, posts_at_once: FILLED_SHARE**2}


def test_posts_are_filled_and_left_as_renewal_theory_says() -> None:
    agree(replicate(SCENARIO), EXACT)


def test_a_year_too_short_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(staff, "_DAYS_PER_YEAR", 320)
    with pytest.raises(DisagreementError):
        agree(replicate(SCENARIO), EXACT)


def test_posts_that_share_their_chance_are_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mutant that leaves the post out of the key: all come and go together."""
    whole = Draws.generator
    monkeypatch.setattr(
        Draws, "generator", lambda self, what, role, _post, *key: whole(self, what, role, *key)
    )
    with pytest.raises(DisagreementError):
        agree(replicate(SCENARIO), {posts_at_once: FILLED_SHARE**2})
