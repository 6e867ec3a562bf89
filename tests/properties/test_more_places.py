"""More places never lengthen anybody's wait, person by person (model.md §3).

In a level with one class of patients who come first and are served first, who do not give up and do not come back,
the start of care of everybody is monotone in capacity. By induction over the order of arrival: as long as all before
somebody start no later, all of them have started where this one starts with less, none of them ends later, and so no
more of them are there (Kiefer and Wolfowitz 1955, Trans. AMS 78:1-18). That holds for places, seats of one open group
and clinicians alike, for any law of stays, and for capacity that changes on dates. It needs stays that belong to
people: where the next in line got the next number, somebody would draw a longer stay and others wait for it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iopsim.model.clinic import simulate
from iopsim.model.draws import Draws
from iopsim.model.ledger import Fact
from iopsim.model.waitlist import Waitlist
from iopsim.scenario.schema import Scenario
from tests.properties.clinics import PROPERTY, START, Plain
from tests.properties.test_conservation import last_first
from tests.properties.test_same_lives import Identity, identities

_WEEKS = 16
_LAWS: tuple[Any, ...] = (
    9,
    {"exponential": {"mean": 10}},
    {"gamma": {"mean": 12, "cv": 0.4}},
    {"lognormal": {"mean": 9, "cv": 1.5}},
    {"discrete": {"values": [1, 30], "shares": [0.7, 0.3]}},
)
_GROUP = {"days": ["mon", "wed", "fri"], "start": "09:00"}


@st.composite
def programs(draw: st.DrawFn) -> tuple[Plain, Plain]:
    """A program of one level in high demand, and the same with more room, perhaps from a date on."""
    room = draw(st.integers(2, 5))
    level: Plain = {"waitlist": draw(st.sampled_from(({}, {"discipline": "strict"})))}
    early = {"dropout": {"weibull": {"shape": 0.7, "scale": 30}}}
    if draw(st.booleans()):
        level["groups"] = {"day": _GROUP | {"seats": room}}
        level["attendance"] = {"mean": 0.8, "sd": 0.1, "discharge_after_missed": 2}
        level["phases"] = [{"weeks": draw(st.integers(1, 4)), "days_per_week": 3}]
        level["extension"] = {"share": 0.3, "weeks": 2}
        path, days = "levels.clinic.groups.day.seats", 14
    else:
        level |= {"places": room, "stay_days": draw(st.sampled_from(_LAWS))}
        path, days = "levels.clinic.places", 11
    if draw(st.booleans()):
        level["leave_early"] = early
    less: Plain = {
        "run": {
            "start": START,
            "warm_up_weeks": 0,
            "weeks": _WEEKS,
            "run_out_weeks": 4,
            "seed": draw(st.integers(0, 99)),
        },
        "calendar": {
            "closed": [
                START + dt.timedelta(days=day) for day in draw(st.lists(st.integers(0, 60), max_size=3))
            ]
        },
        "sources": {"community": _demand(draw, 7 * room / days)},
        "levels": {"clinic": level},
    }
    if draw(st.booleans()):
        level["caseload"], less["staff"] = "therapist", {"therapist": {"posts": room, "caseload": 1}}
    return less, _with_more(draw, less, path, room)


def _demand(draw: st.DrawFn, per_week: float) -> Plain:
    """Arrivals that more than fill the places, more or less evenly."""
    return {
        "to": "clinic",
        "per_week": per_week * draw(st.sampled_from((1.2, 1.7))),
        "dispersion": draw(st.sampled_from((1, 3))),
        "weekdays": draw(st.sampled_from(([1] * 7, [1, 1, 1, 1, 1, 0, 0]))),
    }


def _with_more(draw: st.DrawFn, less: Plain, path: str, room: int) -> Plain:
    """The same with more room of every kind: from the opening on, or where both lose some, or on a date."""
    more = deepcopy(less)
    paths = {path: room, **({"staff.therapist.posts": room} if "staff" in less else {})}
    kind = draw(st.sampled_from(("always", "from a date", "fewer later")))
    later = [START + dt.timedelta(days=day) for day in (25, 50)]
    if kind == "from a date":
        more["changes"] = [{"from": later[0], "set": {key: most + 1 for key, most in paths.items()}}]
        return more
    for key, most in paths.items():
        *parents, last = key.split(".")
        part = more
        for parent in parents:
            part = part[parent]
        part[last] = most + draw(st.integers(1, 2))
    if kind == "fewer later":
        for program, fewer in ((less, room - 1), (more, room)):
            program["changes"] = [
                {"from": later[0], "set": dict.fromkeys(paths, fewer)},
                {"from": later[1], "set": dict.fromkeys(paths, room + 1)},
            ]
    return more


def starts(program: Plain) -> dict[Identity, float]:
    """When care starts, by who it is; infinite for those who still wait at the end."""
    ledger = simulate(Scenario.model_validate(program), replication=0)
    assert len(ledger.stay_patient) == len(ledger.patient_source), "nobody comes twice"
    times = np.full(len(ledger.stay_patient), np.inf)
    started = ledger.fact == Fact.STARTED
    times[ledger.stay[started]] = ledger.time[started]
    who = identities(ledger)
    return {
        who[patient]: time for patient, time in zip(ledger.stay_patient.tolist(), times.tolist(), strict=True)
    }


def waiting_longer(less: Plain, more: Plain) -> tuple[int, int]:
    """How many wait longer with more room, and how many less long."""
    before, after = starts(less), starts(more)
    assert before.keys() == after.keys()
    later = sum(after[who] > start for who, start in before.items())
    return later, sum(after[who] < start for who, start in before.items())


def test_more_room_never_lengthens_anybodys_wait() -> None:
    gained = list[int]()

    @settings(PROPERTY, max_examples=50)
    @given(programs())
    def check(pair: tuple[Plain, Plain]) -> None:
        longer, shorter = waiting_longer(*pair)
        assert longer == 0
        gained.append(shorter)

    check()
    assert np.mean([number >= 5 for number in gained]) > 0.7, "room that nobody gains by proves little"


# ── whoever gives the next in line the next number is noticed ────────────────────────────────────────────────

CROWDED: Plain = {
    "run": {"warm_up_weeks": 0, "weeks": _WEEKS, "run_out_weeks": 4, "seed": 3},
    "sources": {"community": {"to": "clinic", "per_week": 4}},
    "levels": {"clinic": {"places": 5, "stay_days": {"exponential": {"mean": 10}}}},
}


def in_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """The mutant: stays are drawn from one stream, in the order of admission."""
    streams: dict[Draws, np.random.Generator] = {}

    def next_number(self: Draws, *_: object) -> float:
        return float(streams.setdefault(self, np.random.default_rng(1)).random())

    monkeypatch.setattr(Draws, "uniform", next_number)


def last_served_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """The mutant: the last to come is the first to start."""
    monkeypatch.setattr(Waitlist, "add", last_first)


@pytest.mark.parametrize("mutant", [in_line, last_served_first], ids=lambda mutant: mutant.__name__)
def test_waits_that_are_lengthened_are_noticed(
    mutant: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    more = deepcopy(CROWDED)
    more["levels"]["clinic"]["places"] = 6
    longer, shorter = waiting_longer(CROWDED, more)
    assert longer == 0 and shorter > 20
    mutant(monkeypatch)
    longer, _ = waiting_longer(CROWDED, more)
    assert longer > 0
