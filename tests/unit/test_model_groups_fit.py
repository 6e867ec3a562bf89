"""Which groups fit: modality and time as the patient prefers them, also when a group closes (model.md §7)."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from iopsim.model.capacity import Groups
from tests.unit.same import same_ledgers, storm
from tests.unit.timelines import Person, date_of, live

if TYPE_CHECKING:
    from iopsim.model.people import Patient
    from iopsim.model.terms import Treatment

MWF = {"days": ["mon", "wed", "fri"], "seats": 2}
GONE_HOME = "completed iop → home, released iop"


def iop(groups: dict[str, Any] | None = None, weeks: int = 1) -> dict[str, Any]:
    """One level with groups that meet three times a week."""
    return {"iop": {"groups": groups or {"day": MWF}, "phases": [{"weeks": weeks, "days_per_week": 3}]}}


REMOTE = {"remote": MWF | {"modality": "telehealth"}, "room": MWF | {"start": "15:00"}}


def test_a_group_has_the_modality_that_the_patient_asks_for_or_any() -> None:
    """The telehealth group meets first; groups meet in person unless they say otherwise."""
    people = (
        Person("ann", 0.1, modality="in_person"),
        Person("bob", 0.2, modality="telehealth"),
        Person("cy", 0.3),
    )
    told = live(iop(REMOTE), *people, weeks=1)
    assert [(who, what) for _, who, what in told.timeline if "referred" in what] == [
        ("ann", "referred iop, admitted iop in room mon+wed+fri"),
        ("bob", "referred iop, admitted iop in remote mon+wed+fri"),
        ("cy", "referred iop, admitted iop in remote mon+wed+fri"),
    ]
    only = {"remote": REMOTE["remote"]}
    told = live(iop(only), people[0], weeks=1)
    assert told.timeline == [(0.1, "ann", "referred iop")], "and waits for one that fits"


def test_who_moves_because_a_group_closes_keeps_to_modality_time_and_track() -> None:
    """Of four groups that would have room only the last one fits."""
    like_old = MWF | {"modality": "telehealth", "time": "evening", "tracks": ["a"], "from": date_of(5)}
    groups = {
        "old": like_old | {"from": date_of(0), "until": date_of(6)},
        "room": like_old | {"modality": "in_person"},
        "day": like_old | {"time": "day"},
        "b": like_old | {"tracks": ["b"]},
        "new": like_old | {"start": "15:00"},
    }
    ann = Person("ann", 0, modality="telehealth", time="evening", track="a")
    rest = Person("bob", 20, modality="in_person", time="day", track="b")
    told = live(iop(groups, weeks=2), ann, rest, weeks=3)
    assert told.of("ann")[2:] == [(7, "moved iop to new mon+wed+fri"), (11.75, GONE_HOME)]
    del groups["new"]
    told = live(iop(groups, weeks=2), ann, rest, weeks=3)
    assert told.of("ann")[2:] == [(7, "left iop → home, released iop")]


@pytest.mark.parametrize("seed", range(2))
def test_where_everybody_takes_either_it_makes_no_difference_what_groups_are(seed: int) -> None:
    remote = {name: group | {"modality": "telehealth", "time": "evening"} for name, group in REMOTE.items()}
    same_ledgers(storm(REMOTE, seed), storm(remote, seed), but=["times", "modalities"])


def test_who_accepts_any_time_needs_what_those_need_who_take_either() -> None:
    told = live(iop(), Person("ann", 0, time="evening", modality="telehealth"), weeks=1)
    assert told.timeline == [(0, "ann", "referred iop")]
    groups = Groups([], ["all"], ["either", "day", "evening"], ["either", "in_person"])
    evening, either = (cast("Patient", SimpleNamespace(track=0, time=time, modality=1)) for time in (2, 0))
    treatment = cast("Treatment", SimpleNamespace(days_per_week=3))
    assert groups.need(evening, treatment) != groups.need(either, treatment)
    assert groups.need(evening, treatment, any_time=True) == groups.need(either, treatment)
