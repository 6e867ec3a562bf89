"""model.md §2: nothing before a date knows what is different from it on, to the last byte of every ledger row."""

from __future__ import annotations

import datetime as dt
from copy import deepcopy
from dataclasses import fields
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iopsim.model import clinic
from iopsim.model.clinic import simulate
from iopsim.model.ledger import Cause, Ledger
from iopsim.model.posts import Post
from iopsim.model.staff import Staff
from iopsim.model.timeline import Timeline
from iopsim.scenario.dated import MAY_CHANGE
from iopsim.scenario.findings import matches
from iopsim.scenario.parts import WEEKDAYS
from iopsim.scenario.schema import Scenario
from tests.properties.clinics import PROPERTY, START, STORM, Plain
from tests.properties.dates import Calendar
from tests.properties.programs import TRACKS, programs

# ── what is in a ledger before a day ─────────────────────────────────────────────────────────────────────────


def before(ledger: Ledger, day: float) -> dict[str, bytes | tuple[object, ...]]:
    """All rows of all tables that were written before a day, and the names of what they number."""
    times = {
        name: getattr(ledger, f"{name}_time") for name in ("session", "blocked", "post", "visit", "cover")
    }
    rows = {name: column < day for name, column in times.items()}
    rows["patient"] = ledger.patient_referred < day
    rows["fact"] = ledger.time < day
    met = rows["session"] & (ledger.session_cause == Cause.HELD)
    rows["member"] = np.arange(len(ledger.member_stay)) < ledger.session_enrolled[met].sum()
    rows["stay"] = np.arange(len(ledger.stay_patient)) <= ledger.stay[rows["fact"]].max(initial=-1)
    there: dict[str, bytes | tuple[object, ...]] = {}
    for field in fields(ledger):
        column = getattr(ledger, field.name)
        if isinstance(column, np.ndarray):
            table = field.name.split("_")[0] if "_" in field.name else "fact"
            there[field.name] = column[rows.get(table, slice(None))].tobytes()
    for names, numbers in (("posts", "post_number"), ("groups", "session_group")):
        seen = np.frombuffer(there[numbers], dtype=getattr(ledger, numbers).dtype)
        there[names] = getattr(ledger, names)[: seen.max(initial=-1) + 1]
    return there


def lived(program: Plain, used: set[tuple[object, ...]] | None = None) -> Ledger:
    return simulate(Scenario.model_validate(program), 0, used)


def differing(one: Plain, other: Plain, day: float) -> tuple[list[str], bool]:
    """Names of the columns that differ before a day, and whether any does after it."""
    ledgers = lived(one, set()), lived(other, set())
    early, all_of_it = ([before(ledger, until) for ledger in ledgers] for until in (day, np.inf))
    return [name for name, column in early[0].items() if early[1][name] != column], all_of_it[0] != all_of_it[
        1
    ]


# ── plans that differ from a day on ──────────────────────────────────────────────────────────────────────────


def day_of(day: int) -> dt.date:
    return START + dt.timedelta(days=day)


def changeable(program: Plain) -> dict[str, tuple[Any, ...]]:
    """Everything in a program that may be another on a date and matters to patients, with values to take."""
    paths: dict[str, tuple[Any, ...]] = {}
    for name, level in program["levels"].items():
        here = f"levels.{name}"
        if isinstance(level.get("places"), dict):
            paths |= {f"{here}.places.{track}": (0, 1, 4) for track in TRACKS}
        elif "groups" not in level:
            paths[f"{here}.places"] = (0, 1, 2, 5, "unlimited")
        at_most = level.get("waitlist", {}).get("at_most")
        of_whom = [f".{origin}" for origin in at_most] if isinstance(at_most, dict) else [""]
        paths |= {f"{here}.waitlist.at_most{origin}": (0, 1, 5) for origin in of_whom}
        for group in level.get("groups", {}):
            there = f"{here}.groups.{group}"
            paths |= {
                f"{there}.seats": (2, 3, 8),
                f"{there}.overbook": (1, 1.6),
                f"{there}.min_census": (1, 2),
            }
        paths |= {f"{here}.{stage}.share": (0.3, 1) for stage in ("contact", "eligible") if stage in level}
        for_some = _for_some(level)
        shared = {"extension", "returns"} & level.keys() - for_some
        paths |= {f"{here}.{part}.share": (0, 1) for part in sorted(shared)}
        if "groups" in level and "mean" not in for_some:
            paths[f"{here}.attendance.mean"] = (0.5, 0.75)
        early = level.get("leave_early", {})
        if early.get("dropout_per_week") and not for_some & {"dropout", "dropout_per_week"}:
            paths[f"{here}.leave_early.dropout_per_week"] = (0, 0.5)
        if "per_week" in early.get("step_up", {}):
            paths[f"{here}.leave_early.step_up.per_week"] = (0, 0.6)
    for name in program["staff"]:
        here = f"staff.{name}"
        paths |= {
            f"{here}.posts": (0, 1, 2, 4),
            f"{here}.fte": (0.5, 1),
            f"{here}.paid_hours_per_week": (30, 40),  # with any share an appointment fits in a day
            f"{here}.bookable": (0.7, 1),
            f"{here}.turnover_per_year": (0, 4, 20),
            f"{here}.onboarding_weeks": (0, 2),
            f"{here}.cover_per_hour": (70,),
        }
        if "caseload" in program["staff"][name]:
            paths[f"{here}.caseload"] = (1, 3, 9)
    rates = {name for name, source in program["sources"].items() if "per_week" in source}
    paths |= {f"sources.{name}.per_week": (0, 6, 25) for name in rates}
    for name, payer in program["payers"].items():
        if asked := payer.get("authorization"):
            paths[f"payers.{name}.authorization.denied"] = (0, 0.6)
            if "units" in asked:
                paths[f"payers.{name}.authorization.review.cut"] = (0, 1)
    return paths


def _for_some(level: Plain) -> set[str]:
    """What `by` says otherwise for some patients, whom a change of the level's own value would pass by."""
    cares = [care for table in level.get("by", {}).values() for care in table.values()]
    parts = [part for care in cares for part in ("attendance", "leave_early") if part in care]
    return {
        word
        for care in cares
        for part in (care, *(care[part] for part in parts if part in care))
        for word in part
    }


@st.composite
def _changes(draw: st.DrawFn, program: Plain, first: int) -> list[Plain]:
    """Some changes of the plan, none before a day."""
    paths = changeable(program)
    some = st.lists(st.sampled_from(sorted(paths)), min_size=1, max_size=4, unique=True)
    days = draw(st.lists(st.integers(0, 9), min_size=1, max_size=2, unique=True))
    return [
        {
            "from": day_of(first + day),
            "set": {path: draw(st.sampled_from(paths[path])) for path in draw(some)},
        }
        for day in days
    ]


class Pair(NamedTuple):
    """Two plans that are one until a day."""

    one: Plain
    other: Plain
    day: float


@st.composite
def pairs(draw: st.DrawFn) -> Pair:
    """Two plans with random differences of every kind, all of them dated."""
    one, first = draw(programs()), draw(st.integers(3, 18))
    if draw(st.booleans()):
        one["changes"] = draw(_changes(one, first=-9))
    kinds = draw(st.sets(st.sampled_from(("changes", "from", "until", "factor", "leave")), min_size=1))
    groups = [(name, group) for name, level in one["levels"].items() for group in level.get("groups", {})]
    chosen = draw(st.sampled_from(groups)) if groups else None
    if chosen and "from" in kinds:
        _group(one, *chosen).pop("until", None)
        _group(one, *chosen)["from"] = day_of(first + 4)
    other, days = deepcopy(one), [float(first)]
    if chosen and "from" in kinds:
        _group(other, *chosen)["from"] = day_of(first + draw(st.sampled_from((0, 9))))
    if chosen and "until" in kinds:
        group = _group(other, *chosen)
        latest = max(group.get("from", START), day_of(first + draw(st.integers(4, 12))))
        group["until"] = min(latest, group.get("until", latest))
        days.append(ends_from(other, *chosen))
    if "changes" in kinds:
        other["changes"] = [*one.get("changes", ()), *draw(_changes(other, first))]
    if "factor" in kinds:
        source = other["sources"][draw(st.sampled_from(sorted(other["sources"])))]
        earlier = [change for change in source.get("changes", ()) if change["from"] < day_of(first)]
        source["changes"] = [*earlier, {"from": day_of(first), "factor": draw(st.sampled_from((0, 3)))}]
    if "leave" in kinds:
        role = other["staff"][draw(st.sampled_from(sorted(other["staff"])))]
        role["leaves"] = [*role.get("leaves", ()), day_of(first)]
    return Pair(one, other, min(days))


def _group(program: Plain, level: str, group: str) -> Plain:
    found: Plain = program["levels"][level]["groups"][group]
    return found


def ends_from(program: Plain, level: str, group: str) -> float:
    """When the end of a group is first felt: somebody may find no session in it any more with which to begin."""
    scenario = Scenario.model_validate(program)
    spec, calendar = scenario.levels[level].groups[group], Calendar(scenario)
    held = [start for start in calendar.sessions(spec) if int(start // 1) not in calendar.closed]
    last = [
        max((start for start in held if WEEKDAYS[calendar.weekday(int(start // 1))] == day), default=-np.inf)
        for day in spec.days
    ]
    felt = min(last)
    if spec.cohort:  # who is admitted waits for the next start date, or for the first one
        is_before = calendar.day(spec.cohort.first) > felt
        felt = -np.inf if is_before else felt // 1 - spec.cohort.every_days
    return float(max(felt, calendar.opens(spec)))


def test_plans_that_differ_from_a_day_on_are_one_before_it_to_the_last_byte() -> None:
    after: list[bool] = []

    @settings(PROPERTY, max_examples=50)
    @given(pairs())
    def check(pair: Pair) -> None:
        names, differs = differing(*pair)
        assert not names
        after.append(differs)

    check()
    assert np.mean(after) > 0.6, "plans that never differ prove little"


# ── every value that may change, in a clinic where every rule acts ───────────────────────────────────────────

DAY = 15
STORMY: Plain = deepcopy(STORM)
STORMY["levels"]["op"] |= {
    "places": {"mood": 8, "sud": 8},
    "leave_early": {
        "dropout_per_week": 0.05,
        "step_up": {"per_week": 0.05, "to": {"iop": 1}, "hold_days": 3},
    },
    "waitlist": {"at_most": {"iop": 4}},
}
MORE_POSTS: Plain = {"from": day_of(DAY + 1), "set": {"staff.therapist.posts": 4}}
OTHERS: Plain = {
    "levels.unit.places": 2,
    "levels.op.places.mood": 1,
    "levels.iop.waitlist.at_most": 2,
    "levels.op.waitlist.at_most.iop": 0,
    "levels.iop.groups.early.seats": 8,
    "levels.iop.groups.early.overbook": 1.5,
    "levels.iop.groups.early.min_census": 4,
    "staff.therapist.posts": 2,
    "staff.therapist.fte": 0.5,
    "staff.therapist.caseload": 9,
    "staff.desk.paid_hours_per_week": 20,
    "staff.desk.bookable": 0.5,
    "staff.therapist.turnover_per_year": 25,
    "staff.therapist.onboarding_weeks": 0,
    "sources.community.per_week": 40,
    "levels.iop.contact.share": 0.2,
    "levels.iop.eligible.share": 0.2,
    "levels.iop.attendance.mean": 0.5,
    "levels.op.leave_early.dropout_per_week": 0.7,
    "levels.op.leave_early.step_up.per_week": 0.7,
    "levels.iop.extension.share": 1,
    "levels.unit.returns.share": 1,
    "payers.public.authorization.denied": 0.7,
    "payers.public.authorization.review.cut": 1,
}
PRICES: Plain = {
    "staff.therapist.salary_per_year": 90_000,
    "staff.therapist.leave_weeks_per_year": 9,
    "services.family.cost": 7,
    "rooms.main.cost_per_week": 5,
    "money.benefits": 0.3,
}


def stormy(values: Plain) -> Plain:
    """The clinic whose plan is another from a day on."""
    return {
        **STORMY,
        "changes": [MORE_POSTS, {"from": day_of(DAY), "set": values}] if values else [MORE_POSTS],
    }


@pytest.fixture(scope="module")
def unchanged() -> Ledger:
    return lived(stormy({}))


@pytest.mark.parametrize("path", OTHERS)
def test_each_value_acts_from_its_date_on_and_not_before(path: str, unchanged: Ledger) -> None:
    ledger = lived(stormy({path: OTHERS[path]}), set())
    assert before(ledger, DAY) == before(unchanged, DAY)
    assert before(ledger, np.inf) != before(unchanged, np.inf)


def test_prices_and_leave_change_nothing_that_happens(unchanged: Ledger) -> None:
    assert before(lived(stormy(PRICES)), np.inf) == before(unchanged, np.inf)


def test_all_that_may_change_is_put_to_the_test() -> None:
    acting = [pattern for kind in ("capacity", "staffing", "rate") for pattern in MAY_CHANGE[kind]]
    tried = [path.split(".") for path in (*OTHERS, *PRICES)]
    assert [pattern for pattern in acting if not any(matches(path, pattern) for path in tried)] == []


# ── whoever looks ahead is noticed ───────────────────────────────────────────────────────────────────────────


def the_last(scenario: Scenario, _date: dt.date) -> Scenario:
    """The plan as it will be at the end."""
    return scenario.editions[-1].plan


rates = Timeline._rates


def of_tomorrow(timeline: Timeline, name: str, days: Any, weights: Any) -> Any:
    """Rates that are in force a day later."""
    return rates(timeline, name, days + 1, weights)


def by_role(staff: Staff) -> list[Post]:
    """Posts in the order of their identity, those to come among them."""
    return [post for crew in staff._crews.values() for post in crew.posts]


def by_identity(columns: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Patients, posts and groups with the numbers that they have in the model."""
    return columns


LOOKING_AHEAD: dict[str, tuple[object, str, object]] = {
    "what will be is in force": (Scenario, "on", the_last),
    "rates of tomorrow": (Timeline, "_rates", of_tomorrow),
    "posts are numbered before they come": (Staff, "in_order", by_role),
    "patients are numbered before they come": (clinic, "renumbered", by_identity),
}


@pytest.mark.parametrize("mutant", LOOKING_AHEAD.values(), ids=LOOKING_AHEAD)
def test_a_model_that_looks_ahead_is_noticed(
    mutant: tuple[object, str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(*mutant)
    other = {path: OTHERS[path] for path in ("sources.community.per_week", "levels.unit.places")}
    names, _ = differing(stormy({}), stormy(other | {"staff.desk.posts": 3}), DAY)
    assert names
