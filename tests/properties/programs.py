"""Small programs of every kind that the language can say: two to four levels that feed each other, five weeks."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

from iopsim.scenario.parts import HOME, WEEKDAYS
from tests.properties.clinics import START, Plain

__all__ = ["programs"]

TRACKS = ("mood", "sud")
TIMES = ("day", "evening")
MODALITIES = ("in_person", "telehealth")
PAYERS = ("public", "private")
ROLES = ("therapist", "nurse")


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


# ── groups ───────────────────────────────────────────────────────────────────────────────────────────────────


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
    cohort = {"first": _dates, "every_days": st.sampled_from((5, 7, 14)), "starters": st.integers(1, 3)}
    cohorts = st.fixed_dictionaries({"cohort": st.fixed_dictionaries(cohort)})
    group = _maybe(
        draw,
        group,
        tracks=st.just(["mood"]),
        modality=st.sampled_from(MODALITIES),
        facilitators=st.dictionaries(st.sampled_from(ROLES), st.integers(1, 2), min_size=1),
        admission=st.one_of(cohorts, cohorts, st.just("open")),
        below_minimum=st.just("cancel"),
        **{"from": _dates},
    )
    earliest = max(group.get("from", START), START)
    return _maybe(draw, group, until=st.integers(0, 14).map(lambda more: earliest + dt.timedelta(days=more)))


@st.composite
def _timetable(draw: st.DrawFn, level: str) -> Plain:
    """One to three groups; the first may merge with the last."""
    names = [f"{level}_{number}" for number in range(draw(st.integers(1, 3)))]
    groups = {name: draw(_groups()) for name in names}
    if len(names) > 1 and draw(st.booleans()):
        groups[names[0]] |= {"min_census": 2, "below_minimum": {"merge_with": names[-1]}}
        if draw(st.booleans()):
            groups[names[0]]["days"] = groups[names[-1]]["days"]
    return groups


@st.composite
def _phases(draw: st.DrawFn) -> list[Plain]:
    days = sorted(draw(st.lists(st.integers(1, 3), min_size=1, max_size=2)), reverse=True)
    return [{"weeks": draw(st.integers(1, 2)), "days_per_week": number} for number in days]


@st.composite
def _attendance(draw: st.DrawFn) -> Plain:
    spread: Plain = draw(st.sampled_from(({"mean": 1}, {"mean": 0.6}, {"mean": 0.7, "sd": 0.2})))
    return spread | {"discharge_after_missed": draw(st.integers(1, 3))}


# ── before and after ─────────────────────────────────────────────────────────────────────────────────────────


@st.composite
def _access(draw: st.DrawFn, level: Plain, later: Sequence[str], origins: Sequence[str]) -> Plain:
    """The level with stages before its waitlist, for sources, or for those who come from some origins."""
    for_whom = st.lists(st.sampled_from(origins), min_size=1, max_size=3, unique=True)
    to = st.sampled_from((HOME, *later))
    delayed = _maybe(draw, {"share": draw(st.sampled_from((0.7, 1))), "lost_to": draw(to)}, delay_days=_laws)
    found_at = st.just("screen")
    stages: Plain = _maybe(draw, {}, contact=st.just(delayed))
    if draw(st.booleans()):
        show: Any = st.sampled_from(
            (0.6, {"same_day": 0.8, "odds_per_week": 0.5}, {"by_lead_days": {0: 1, 3: 0.4}}, 1)
        )
        stages["intake"] = {
            "role": draw(st.sampled_from(("desk", "nurse"))),
            "minutes": draw(st.sampled_from((45, 60, 90))),
            "show": draw(show),
            "rebook": draw(st.integers(0, 2)),
            "rebook_taken": draw(st.sampled_from((0.5, 1))),
            "lost_to": draw(to),
        }
        found_at = st.sampled_from(("screen", "assessment"))
    eligible = st.fixed_dictionaries({"share": st.just(0.7), "found_at": found_at, "otherwise": to})
    stages = _maybe(draw, stages, eligible=eligible)
    if draw(st.booleans()):
        names = draw(for_whom)
        stages = {stage: spec | {"for": names} for stage, spec in stages.items()}
    return level | stages


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
def _waitlist(draw: st.DrawFn, others: Sequence[str], later: Sequence[str], origins: Sequence[str]) -> Plain:
    caps = st.one_of(
        st.integers(0, 3),
        st.dictionaries(st.sampled_from(origins), st.integers(0, 2), min_size=1, max_size=2),
    )
    ages = {"class": st.integers(1, 2), "after_days": st.sampled_from((0, 1.5, 7))}
    return _maybe(
        draw,
        {"otherwise": draw(st.sampled_from((HOME, *later)))},
        priority=st.dictionaries(st.sampled_from(origins), st.integers(1, 3), max_size=3),
        discipline=st.sampled_from(("strict", "strict", "first_feasible")),
        patience_days=_laws,
        renege_to=st.sampled_from((HOME, *others)),
        at_most=caps,
        ages_into=st.fixed_dictionaries(ages),
        accept_other_time_after_days=st.sampled_from((0, 2, 7)),
    )


@st.composite
def _level(draw: st.DrawFn, place: int, names: Sequence[str], sources: Sequence[str]) -> Plain:
    others, later = [name for name in names if name != names[place]], names[place + 1 :]
    origins = (*sources, *others, "returned")
    level: Plain = {"waitlist": draw(_waitlist(others, later, origins))}
    level["leave_early"] = draw(_leave_early(others))
    level["next"] = draw(_shares((HOME, *names)))
    if draw(st.booleans()):
        level["groups"] = draw(_timetable(names[place]))
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
    level = draw(_access(level, later, origins))
    froms = st.lists(st.sampled_from((HOME, *names)), min_size=1, max_size=3, unique=True)
    returns = {"share": st.just(0.7), "from": froms, "after_days": _laws, "to": st.sampled_from(names)}
    return _maybe(
        draw,
        level,
        caseload=st.sampled_from(("therapist", "therapist", "nurse")),
        returns=st.fixed_dictionaries(returns),
        refer_before_days=st.sampled_from((0.5, 2, 7)),
    )


# ── who comes, who pays, who works ───────────────────────────────────────────────────────────────────────────


@st.composite
def _source(draw: st.DrawFn, names: Sequence[str]) -> Plain:
    half = {"mood": 0.5, "sud": 0.5}
    source = {
        "to": draw(st.sampled_from(names)),
        "per_week": draw(st.sampled_from((4, 10))),
        "tracks": draw(st.sampled_from(({"mood": 1}, half))),
        "times": draw(_shares((*TIMES, "either"))),
        "payers": draw(_shares(PAYERS)),
    }
    change = st.fixed_dictionaries({"from": _dates, "factor": st.sampled_from((0, 1.5))})
    return _maybe(
        draw,
        source,
        modalities=_shares((*MODALITIES, "either")),
        dispersion=st.sampled_from((1, 3)),
        changes=st.lists(change, max_size=1),
    )


@st.composite
def _payer(draw: st.DrawFn, levels: Plain) -> Plain:
    """A payer who has to approve some of the levels, or none."""
    if draw(st.booleans()):
        return {}
    with_groups = sorted(name for name in levels if "groups" in levels[name])
    pool = with_groups if with_groups and draw(st.booleans()) else sorted(levels)
    chosen = draw(st.lists(st.sampled_from(pool), min_size=1, unique=True))
    asked = _maybe(
        draw,
        {"levels": chosen, "denied": draw(st.sampled_from((0, 0.3)))},
        delay_days=_laws,
        denied_to=st.just(HOME),
    )
    if draw(st.booleans()):
        review = _maybe(draw, {"cut": draw(st.sampled_from((0, 0.5)))}, delay_days=_laws)
        units, grouped = draw(st.integers(1, 4)), all("groups" in levels[name] for name in chosen)
        per = st.sampled_from(("session", "session", "day")) if grouped else st.just("day")
        asked |= {
            "units": units,
            "per": draw(per),
            "review": review,
            "ask_before": draw(st.integers(0, units)),
        }
    return {"authorization": asked}


def _absence(first: dt.date, days: int) -> Plain:
    return {"from": first, "until": first + dt.timedelta(days=days)}


@st.composite
def _staff(draw: st.DrawFn) -> Plain:
    def role(**fixed: Any) -> Plain:
        away = st.builds(_absence, _dates, st.integers(0, 9))
        return _maybe(
            draw,
            fixed,
            turnover_per_year=st.sampled_from((4, 15)),
            days_to_hire=_laws,
            onboarding_weeks=st.sampled_from((1, 3)),
            leaves=st.lists(st.one_of(_dates, away), max_size=3),
            reassignment=st.just({"dropout_factor": 2}),
            cover_per_hour=st.just(50),
        )

    return {
        "therapist": role(posts=2, caseload=2),
        "nurse": role(posts=2, fte=0.5, caseload=9),
        "desk": role(posts=draw(st.integers(1, 2)), fte=0.4),
    }


@st.composite
def _services(draw: st.DrawFn, names: Sequence[str]) -> Plain:
    """Services that wait for hours, and perhaps one that admission waits for."""
    levels = st.lists(st.sampled_from(names), min_size=1, unique=True)
    visits = {
        "levels": levels,
        "role": st.sampled_from(("desk", "nurse")),
        "minutes": st.sampled_from((30, 60)),
        "share": st.sampled_from((0.5, 1)),
        "limits": st.just(True),
    }
    once = {"levels": levels, "role": st.just("desk"), "minutes": st.just(45), "per": st.just("admission")}
    return _maybe(
        draw,
        {},
        visit=st.fixed_dictionaries(visits | {"every_weeks": st.sampled_from((0.5, 1))}),
        check=st.fixed_dictionaries(visits | {"per": st.just("admission")}),
        evaluation=st.fixed_dictionaries(
            once | {"due_days": st.integers(0, 5), "limits": st.just("admission")}
        ),
    )


@st.composite
def programs(draw: st.DrawFn) -> Plain:
    """A program of the whole language, a few dozen patients."""
    names = ("inpatient", "php", "iop", "outpatient")[: draw(st.integers(2, 4))]
    sources = ("door", "ward")[: draw(st.integers(1, 2))]
    levels = {name: draw(_level(place, names, sources)) for place, name in enumerate(names)}
    return {
        "run": {
            "start": START, "warm_up_weeks": 1, "weeks": 3, "run_out_weeks": 1, "seed": draw(st.integers(0, 999))
        },
        "calendar": {"closed": draw(st.lists(_dates, max_size=4))},
        "tracks": {track: {} for track in TRACKS},
        "payers": {payer: draw(_payer(levels)) for payer in PAYERS},
        "sources": {source: draw(_source(names)) for source in sources},
        "levels": levels,
        "staff": draw(_staff()),
        "services": draw(_services(names)),
    }  # fmt: skip
