"""Programs for properties: one crowded clinic, and small programs of every kind that the language can say."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

from iopsim.scenario.parts import HOME, WEEKDAYS

__all__ = ["CLINIC", "PROPERTY", "Plain", "programs"]

START = dt.date(2027, 1, 4)
TRACKS = ("mood", "sud")
TIMES = ("day", "evening")
Plain = dict[str, Any]
# Shrinking a program that fails takes minutes: add Phase.shrink by hand to look for a small one.
PROPERTY = settings(
    max_examples=25,
    derandomize=True,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
)

_SOURCE = {
    "to": "iop",
    "per_week": 8,
    "weekdays": [1, 1, 1, 1, 1, 0.2, 0.2],
    "growth_per_year": 0.5,
    "tracks": {"mood": 0.6, "sud": 0.4},
    "times": {"day": 0.5, "evening": 0.3, "either": 0.2},
    "payers": {"public": 0.7, "private": 0.3},
}
_GROUP = {"days": ["mon", "wed", "fri"], "seats": 6}
_WAITLIST = {"patience_days": {"exponential": {"mean": 20}}, "renege_to": "op"}
CLINIC: Plain = {
    "run": {"start": START, "warm_up_weeks": 3, "weeks": 5, "run_out_weeks": 2, "seed": 4},
    "tracks": {"mood": {}, "sud": {}},
    "payers": {"public": {}, "private": {}},
    "sources": {"community": _SOURCE, "emergency": _SOURCE | {"to": "unit", "per_week": 6}},
    "levels": {
        "unit": {
            "places": 5,
            "stay_days": {"gamma": {"mean": 6, "cv": 0.8}},
            "next": {"iop": 0.7, "home": 0.3},
            "hold_days": 4,
            "returns": {"share": 0.4, "after_days": {"exponential": {"mean": 8}}, "to": "unit"},
        },
        "iop": {
            "groups": {"day": _GROUP, "evening": _GROUP | {"time": "evening", "start": "18:00"}},
            "caseload": "therapist",
            "phases": [{"weeks": 2, "days_per_week": 3}, {"weeks": 1, "days_per_week": 2}],
            "extension": {"share": 0.3, "weeks": 1},
            "attendance": {"mean": 0.8, "sd": 0.1, "discharge_after_missed": 3},
            "leave_early": {
                "dropout": {"exponential": {"mean": 40}},
                "step_up": {"per_week": 0.1, "to": {"unit": 1}, "hold_days": 3},
            },
            "next": {"op": 0.6, "home": 0.4},
            "waitlist": _WAITLIST,
        },
        "op": {"stay_days": {"lognormal": {"mean": 9, "cv": 1}}},
    },
    "staff": {"therapist": {"posts": 2, "caseload": 6}},
    "services": {
        "family": {"levels": ["iop"], "role": "therapist", "minutes": 60, "every_weeks": 4, "share": 0.5}
    },
}


# Constant laws make instants coincide, and so put the order of what happens at one instant to the test.
_LAWS: tuple[Any, ...] = (
    1, 2.5, 7, {"exponential": {"mean": 4}}, {"gamma": {"mean": 9, "cv": 0.5}},
    {"discrete": {"values": [0.5, 6], "shares": [0.5, 0.5]}},
)  # fmt: skip
_laws = st.sampled_from(_LAWS)
_dates = st.integers(-5, 26).map(lambda day: START + dt.timedelta(days=day))


def _maybe(draw: st.DrawFn, table: Plain, **parts: st.SearchStrategy[Any]) -> Plain:
    """The table with each of the parts, or without it."""
    return table | {key: draw(part) for key, part in parts.items() if draw(st.booleans())}


def _shares(names: Sequence[str]) -> st.SearchStrategy[dict[str, float]]:
    """A share table over one or two of the names."""
    some: st.SearchStrategy[list[str]] = st.lists(st.sampled_from(names), min_size=1, max_size=2, unique=True)
    return some.map(lambda chosen: dict.fromkeys(chosen, 1 / len(chosen)))


@st.composite
def _groups(draw: st.DrawFn) -> Plain:
    days = draw(st.lists(st.sampled_from(WEEKDAYS), min_size=1, max_size=4, unique=True))
    group: Plain = {
        "days": days,
        "time": draw(st.sampled_from(TIMES)),
        "start": draw(st.sampled_from(("09:00", "12:00", "17:30"))),
        "hours": draw(st.sampled_from((1, 3))),
        "seats": draw(st.integers(2, 5)),
        "min_census": draw(st.integers(1, 2)),
        "overbook": draw(st.sampled_from((1, 1.3))),
    }
    group = _maybe(draw, group, tracks=st.just(["mood"]), **{"from": _dates})
    earliest = max(group.get("from", START), START)
    return _maybe(draw, group, until=st.integers(0, 14).map(lambda more: earliest + dt.timedelta(days=more)))


@st.composite
def _phases(draw: st.DrawFn) -> list[Plain]:
    days = sorted(draw(st.lists(st.integers(1, 3), min_size=1, max_size=2)), reverse=True)
    return [{"weeks": draw(st.integers(1, 2)), "days_per_week": number} for number in days]


@st.composite
def _attendance(draw: st.DrawFn) -> Plain:
    spread: Plain = draw(st.sampled_from(({"mean": 1}, {"mean": 0.6}, {"mean": 0.7, "sd": 0.2})))
    return spread | {"discharge_after_missed": draw(st.integers(1, 3))}


@st.composite
def _leave_early(draw: st.DrawFn, others: Sequence[str]) -> Plain:
    early: Plain = {"dropout_to": draw(st.sampled_from((HOME, *others)))}
    early = _maybe(draw, early, per_week_waited=st.just(2.0))
    early |= draw(st.sampled_from(({}, {"dropout_per_week": 0.3}, {"dropout": draw(_laws)})))
    if draw(st.booleans()):
        need = draw(st.sampled_from(({"per_week": 0.4}, {"after_days": draw(_laws)})))
        holds = st.sampled_from((0, 1.5, 7, "forever"))
        early["step_up"] = need | {"to": draw(_shares(others)), "hold_days": draw(holds)}
    return early


@st.composite
def _waitlist(draw: st.DrawFn, others: Sequence[str], later: Sequence[str], sources: Sequence[str]) -> Plain:
    origins = (*sources, *others, "returned")
    caps = st.one_of(
        st.integers(0, 3),
        st.dictionaries(st.sampled_from(origins), st.integers(0, 2), min_size=1, max_size=2),
    )
    return _maybe(
        draw,
        {"otherwise": draw(st.sampled_from((HOME, *later)))},
        priority=st.dictionaries(st.sampled_from(origins), st.integers(1, 2), max_size=3),
        discipline=st.just("strict"),
        patience_days=_laws,
        renege_to=st.sampled_from((HOME, *others)),
        at_most=caps,
    )


@st.composite
def _level(draw: st.DrawFn, place: int, names: Sequence[str], sources: Sequence[str]) -> Plain:
    others = [name for name in names if name != names[place]]
    level: Plain = {"waitlist": draw(_waitlist(others, names[place + 1 :], sources))}
    level["leave_early"] = draw(_leave_early(others))
    level["next"] = draw(_shares((HOME, *names)))
    if draw(st.booleans()):
        level["groups"] = {
            f"{names[place]}_{number}": draw(_groups()) for number in range(draw(st.integers(1, 2)))
        }
        level["attendance"] = draw(_attendance())
        if draw(st.booleans()):
            level |= {"phases": draw(_phases()), "plan": draw(st.sampled_from(("scheduled", "attended")))}
            level = _maybe(draw, level, extension=st.just({"share": 0.5, "weeks": 1}))
    else:
        by_track = st.fixed_dictionaries({track: st.integers(1, 2) for track in TRACKS})
        level["places"] = draw(st.one_of(st.integers(1, 4), by_track, st.just("unlimited")))
    if "phases" not in level:
        level["stay_days"] = draw(_laws)
    if draw(st.booleans()):
        level["hold_days"] = draw(st.sampled_from((1.5, 7, "forever", "forever")))
    elif draw(st.booleans()):
        level["next"] = {name: {"share": share, "lag_days": 2} for name, share in level["next"].items()}
    froms = st.lists(st.sampled_from((HOME, *names)), min_size=1, max_size=3, unique=True)
    returns = {"share": st.just(0.7), "from": froms, "after_days": _laws, "to": st.sampled_from(names)}
    return _maybe(
        draw,
        level,
        caseload=st.sampled_from(("therapist", "therapist", "nurse")),
        returns=st.fixed_dictionaries(returns),
    )


@st.composite
def programs(draw: st.DrawFn) -> Plain:
    """Two to four levels that feed each other, a few dozen patients, five weeks."""
    names = ("inpatient", "php", "iop", "outpatient")[: draw(st.integers(2, 4))]
    sources = ("door", "ward")[: draw(st.integers(1, 2))]
    half = {"mood": 0.5, "sud": 0.5}
    return {
        "run": {
            "start": START, "warm_up_weeks": 1, "weeks": 3, "run_out_weeks": 1, "seed": draw(st.integers(0, 999))
        },
        "calendar": {"closed": draw(st.lists(_dates, max_size=4))},
        "tracks": {track: {} for track in TRACKS},
        "sources": {
            source: {
                "to": draw(st.sampled_from(names)),
                "per_week": draw(st.sampled_from((4, 10))),
                "tracks": draw(st.sampled_from(({"mood": 1}, half))),
                "times": draw(_shares((*TIMES, "either"))),
            }
            for source in sources
        },
        "levels": {name: draw(_level(place, names, sources)) for place, name in enumerate(names)},
        "staff": {"therapist": {"posts": 2, "caseload": 2}, "nurse": {"posts": 2, "fte": 0.5, "caseload": 9}},
    }  # fmt: skip
