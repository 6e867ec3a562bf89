"""Who leads group sessions: two at the same time need two facilitators (model.md §§7, 8). Day 0 is a Monday."""

from __future__ import annotations

from typing import Any

import pytest

from iopsim.model.facilitation import Facilitation
from iopsim.model.ledger import Cause
from tests.unit.timelines import Person, date_of, live


def group(start: str = "09:00", needed: int = 1, hours: float = 3, **rest: Any) -> dict[str, Any]:
    facilitators = {"therapist": needed}
    return {"days": ["mon"], "seats": 4, "start": start, "hours": hours, "facilitators": facilitators, **rest}


def level_of(groups: dict[str, Any]) -> dict[str, Any]:
    """A level of groups, each with a track of its own."""
    own = {name: {**spec, "tracks": [name]} for name, spec in groups.items()}
    return {"iop": {"stay_days": 90, "groups": own}}


def led(groups: dict[str, Any], *, weeks: int = 3, **role: Any) -> list[tuple[float, str, Cause]]:
    """Sessions of groups with one member each, and what became of them; and one therapist who leads them."""
    people = [Person(name, 0, track=name) for name in groups]
    ledger = live(level_of(groups), *people, weeks=weeks, staff={"therapist": {"posts": 1, **role}}).ledger
    rows = zip(
        ledger.session_time.tolist(),
        ledger.session_group.tolist(),
        ledger.session_cause.tolist(),
        strict=True,
    )
    return [(time, ledger.groups[number], Cause(cause)) for time, number, cause in rows]


def causes(sessions: list[tuple[float, str, Cause]], name: str) -> list[Cause]:
    return [cause for _, group, cause in sessions if group == name]


HELD, UNSTAFFED = Cause.HELD, Cause.UNSTAFFED


def test_two_sessions_at_the_same_time_need_two_facilitators() -> None:
    """One therapist: the first group in the file is held."""
    sessions = led({"a": group(), "b": group("10:00"), "c": group("12:00")})
    assert causes(sessions, "a") == [HELD] * 3
    assert causes(sessions, "b") == [UNSTAFFED] * 3
    assert causes(sessions, "c") == [HELD] * 3


def test_a_session_that_is_not_held_takes_nobodys_time() -> None:
    sessions = led({"a": group(needed=2), "b": group()})
    assert causes(sessions, "a") == [UNSTAFFED] * 3
    assert causes(sessions, "b") == [HELD] * 3


def test_enough_facilitators_lead_all_sessions() -> None:
    for posts_ in (3, 4):
        sessions = led({"a": group(needed=2), "b": group()}, posts=posts_)
        assert {cause for *_, cause in sessions} == {HELD}


def test_cover_holds_the_session_that_nobody_can_lead() -> None:
    groups = {"a": group(hours=2), "b": group(needed=3, hours=2.5)}
    people = [Person(name, 0, track=name) for name in groups]
    staff = {"nurse": {"posts": 1}, "therapist": {"posts": 2, "cover_per_hour": 60}}
    ledger = live(level_of(groups), *people, weeks=2, staff=staff).ledger
    assert set(ledger.session_cause.tolist()) == {HELD}
    assert ledger.cover_time.tolist() == [0.375, 7.375]
    assert ledger.cover_role.tolist() == [1, 1]
    assert ledger.cover_hours.tolist() == [5, 5]


def test_one_role_without_cover_cancels_and_no_cover_is_booked() -> None:
    spec = {"days": ["mon"], "seats": 4, "facilitators": {"therapist": 2, "nurse": 2}}
    staff = {"therapist": {"posts": 1, "cover_per_hour": 60}, "nurse": {"posts": 1}}
    ledger = live(
        {"iop": {"stay_days": 90, "groups": {"a": spec}}}, Person("ann", 0), weeks=2, staff=staff
    ).ledger
    assert ledger.session_cause.tolist() == [UNSTAFFED] * 2
    assert not len(ledger.cover_time)


def test_nobody_who_is_away_or_gone_leads_a_session() -> None:
    """Away on the second Monday, gone on the fourth and replaced on the fifth, on which the successor is still new."""
    role = {
        "leaves": [{"from": date_of(7), "until": date_of(7)}, date_of(20)],
        "days_to_hire": 7,
        "onboarding_weeks": 8,
    }
    sessions = led({"a": group()}, weeks=5, **role)
    assert causes(sessions, "a") == [HELD, UNSTAFFED, HELD, UNSTAFFED, HELD]


def test_a_cancelled_session_is_made_up_and_care_begins_with_one_that_is_held() -> None:
    level = {"phases": [{"weeks": 2, "days_per_week": 1}], "groups": {"a": group()}}
    told = live(
        {"iop": level},
        Person("ann", 0),
        staff={"therapist": {"posts": 1, "leaves": [{"from": date_of(0), "until": date_of(1)}]}},
    )
    assert told.of("ann") == [
        (0, "referred iop, admitted iop in a mon"),
        (7.375, "started iop"),
        (14.5, "completed iop → home, released iop"),
    ]


def test_roles_that_always_suffice_cost_no_session_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two groups one after the other and one beside them on another day: one post is enough, if it is always filled."""

    def never(*_: object) -> int:
        raise AssertionError("counted")

    monkeypatch.setattr(Facilitation, "_free", never)
    groups = {"a": group(), "b": group("12:00"), "c": group(days=["tue"])}
    assert {cause for *_, cause in led(groups)} == {HELD}
    with pytest.raises(AssertionError, match="counted"):
        led(groups, leaves=[date_of(20)])
    with pytest.raises(AssertionError, match="counted"):
        led({**groups, "d": group("11:45")})
