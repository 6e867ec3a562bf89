"""Programs that say every word of the language, files and prices among them, and which words a scenario says."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Iterator, Mapping
from typing import Any

from hypothesis import strategies as st
from pydantic import BaseModel

from iopsim.scenario.schema import Scenario
from tests.properties.begun import Begun, begin_today
from tests.properties.clinics import START, Plain
from tests.properties.prices import price
from tests.properties.programs import MODALITIES, PAYERS, ROLES, TRACKS, programs

__all__ = ["LANGUAGE", "said", "whole"]

_SAMPLE = "days,who\n3,a\n4.5,b\n9,c\n"
_RARE_LAWS: tuple[Plain, ...] = (
    {"lognormal": {"mean": 6, "cv": 0.75, "at_least": 1}},
    {"lognormal": {"median": 5, "cv": 0.5, "at_most": 30}},
    {"weibull": {"shape": 0.7, "scale": 9, "at_least": 0.5, "at_most": 40}},
    {"weibull": {"mean": 8, "cv": 1.2}},
    {"uniform": {"min": 2, "max": 9, "at_least": 3, "at_most": 8}},
    {"triangular": {"min": 1, "mode": 3, "max": 12, "at_least": 2, "at_most": 10}},
    {"beta": {"mean": 6, "cv": 0.4, "min": 1, "max": 20, "at_least": 2}},
    {"beta": {"mean": 5, "sd": 2, "max": 20, "at_most": 15}},
    {"exponential": {"mean": 5, "at_least": 1, "at_most": 30}},
    {"gamma": {"mean": 6, "cv": 0.5, "at_least": 1, "at_most": 30}},
    {"constant": 4},
    {"empirical": {"csv": "stays.csv", "column": "days"}},
)
_rare_laws = st.sampled_from(_RARE_LAWS)
_label = st.sampled_from(("Ärzte & “Co”", "Level: one, two #3", "- no = formula", "Dr. O'Neil"))


def _some(draw: st.DrawFn, table: Plain, **parts: Any) -> Plain:
    """The table with most of the parts."""
    return table | {key: draw(part) for key, part in parts.items() if draw(st.integers(0, 2))}


@st.composite
def whole(draw: st.DrawFn, simulated: bool = True) -> Begun:
    """A program of the whole language with the files that it names; one that is not simulated may say `auto`."""
    program = draw(programs())
    program["levels"] = {name: draw(_level(level)) for name, level in program["levels"].items()}
    _take_a_room(draw, program)
    files = {"stays.csv": _SAMPLE}
    for name, source in program["sources"].items():
        program["sources"][name], calls = draw(_source(f"{name}.csv", source, program))
        files |= {f"{name}.csv": calls} if calls else {}
    program["staff"] = {name: draw(_role(role)) for name, role in program["staff"].items()}
    program["services"] |= draw(_services(sorted(program["levels"])))
    for table in ("tracks", "payers", "services"):
        program[table] = {name: _some(draw, one, label=_label) for name, one in program[table].items()}
    program = price(draw, program)
    program["money"] |= _some(draw, {}, inpatient_alternative=_alternative(sorted(program["sources"])))
    program = _some(draw, program, **_words(program))
    if draw(st.integers(0, 2)):
        begun = begin_today(draw, program, renames=True)
        begun.program["from_today"] |= _some(draw, {}, waitlist_under=st.just({"iop": 3, "php": 1}))
        return Begun(begun.program, {**files, **begun.files})
    if not simulated:
        program["run"]["warm_up_weeks"] = draw(st.sampled_from(("auto", 1)))
    return Begun(program, files)


# ── parts ────────────────────────────────────────────────────────────────────────────────────────────────────


@st.composite
def _level(draw: st.DrawFn, level: Plain) -> Plain:
    if "stay_days" in level:
        level |= _some(draw, {}, stay_days=_rare_laws)
    level["waitlist"] |= _some(draw, {}, patience_days=_rare_laws)
    by = _some(draw, {}, track=_by(TRACKS, level), source=_by(("door",), level))
    return _some(draw, level | {"by": by}, label=_label)


def _by(names: tuple[str, ...], level: Plain) -> st.SearchStrategy[Plain]:
    return st.dictionaries(st.sampled_from(names), _care(level), min_size=1)


@st.composite
def _care(draw: st.DrawFn, level: Plain) -> Plain:
    """What differs for some: of a plan in sessions its phases, of one in days its law, and whatever both have."""
    parts: dict[str, Any] = {
        "waitlist": st.fixed_dictionaries({"patience_days": _rare_laws}),
        "leave_early": st.sampled_from(
            ({"dropout_per_week": 0.2}, {"dropout": {"exponential": {"mean": 12}}}, {"per_week_waited": 1.5})
        ),
    }
    if "phases" in level:
        parts["phases"] = st.just([{"weeks": 1, "days_per_week": 1}])
        parts["extension"] = st.just({"share": 0.3, "weeks": 2})
    else:
        parts["stay_days"] = _rare_laws
    if "groups" in level:
        parts["attendance"] = st.sampled_from(({"mean": 0.5, "sd": 0.1}, {"discharge_after_missed": 2}))
    return _some(draw, {}, **parts)


def _take_a_room(draw: st.DrawFn, program: Plain) -> None:
    """One group has a room to itself, and a name that people read."""
    program["rooms"] = {"annex": _some(draw, {"seats": 40}, label=_label, cost_per_week=st.just(99.5))}
    groups = [group for level in program["levels"].values() for group in level.get("groups", {}).values()]
    if groups:
        groups[0] |= {"room": "annex"} | _some(draw, {}, label=_label)


@st.composite
def _source(draw: st.DrawFn, file: str, source: Plain, program: Plain) -> tuple[Plain, str]:
    """A source with seasons and growth, or one that replays a file, and the text of that."""
    source = _some(draw, source, label=_label)
    if draw(st.integers(0, 2)):
        seasons = {
            "weekdays": st.just([1, 1, 1, 1, 1, 0.2, 0]),
            "months": st.just([1.2, 0.8, *[1] * 10]),
            "growth_per_year": st.sampled_from((-0.3, 2)),
        }
        return _some(draw, source, **seasons), ""
    for word in ("per_week", "dispersion", "changes"):
        source.pop(word, None)
    groups = [group for level in program["levels"].values() for group in level.get("groups", {}).values()]
    times = sorted({group["time"] for group in groups} | set(source["times"]))
    ways = sorted({group.get("modality", MODALITIES[0]) for group in groups} | {"either"})
    cells = {"track": TRACKS, "time": times, "modality": ways, "payer": PAYERS}
    columns = [trait for trait in cells if draw(st.integers(0, 2))]
    rows = draw(st.lists(_call([cells[trait] for trait in columns]), min_size=3, max_size=12))
    rows[0][0] = f"{START}"
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerows([["Called", *(f"Its {trait}" for trait in columns)], *rows])
    trace = {"csv": file, "date": "Called"} | {trait: f"Its {trait}" for trait in columns}
    return source | {"trace": trace}, out.getvalue()


@st.composite
def _call(draw: st.DrawFn, cells: list[Any]) -> list[str]:
    day = START + dt.timedelta(days=draw(st.integers(-7, 30)))
    return [
        f"{day}{draw(st.sampled_from(('', ' 10:30')))}",
        *(draw(st.sampled_from(known)) for known in cells),
    ]


@st.composite
def _role(draw: st.DrawFn, role: Plain) -> Plain:
    return _some(
        draw,
        role,
        label=_label,
        bookable=st.sampled_from((0.7, 0.8)),
        leave_weeks_per_year=st.just(5),
        paid_hours_per_week=st.sampled_from((30, 40)),
        patients_per_clinician_at_most=st.just(12),
        associate=st.just({"supervised_by": "nurse", "minutes_per_week": 45}),
    )


@st.composite
def _services(draw: st.DrawFn, names: list[str]) -> Plain:
    levels = st.lists(st.sampled_from(names), min_size=1, unique=True)
    screen = {"levels": draw(levels), "role": "nurse", "minutes": 10, "every_weeks": 1}
    debrief = {"levels": draw(levels), "role": draw(st.sampled_from(ROLES)), "per": "session"}
    return {
        "screen": _some(draw, screen, tracks=st.just(["sud"]), due_days=st.just(3)),
        "debrief": _some(draw, debrief, indirect_minutes_per_patient=st.just(4)),
    }


@st.composite
def _alternative(draw: st.DrawFn, sources: list[str]) -> Plain:
    shares = st.sampled_from((0.1, {sources[0]: 0.2}))
    least = {"for": sources, "stay_days": 9, "cost_per_day": 1050.5}
    return _some(
        draw,
        least,
        divertible=shares,
        beds_close=st.booleans(),
        marginal_share=st.just(0.4),
        outcome_difference=st.just(-0.1),
    )


def _words(program: Plain) -> Plain:
    """What is said of the whole, and changes nothing that happens."""
    level = min(program["levels"])
    metrics = (f"{level}.wait_days.p90", f"{level}.census.mean")
    limits: tuple[Plain, ...] = ({"at_most": 14}, {"at_least": 2, "matters": 1, "floor": 0.5})
    rule = {"min": 3, "max": 9, "batch": 2, "precision": 0.1, "of": [metrics[1]]}
    return {
        "schema": st.just(1),
        "name": st.just("everything"),
        "description": st.just("Yes: no; 1.5 – “all of it”.\nOn two lines."),
        "currency": st.just("EUR"),
        "run": st.sampled_from((3, rule)).map(lambda count: program["run"] | {"replications": count}),
        "targets": st.sampled_from(limits).map(lambda limit: [{"metric": metrics[0]} | limit]),
        "observed": st.just({metrics[1]: 4.5}),
        "notes": st.just({"run.start": "assumption: a Monday"}),
    }


# ── the words of the language, by its schema ─────────────────────────────────────────────────────────────────


def _defined() -> Iterator[tuple[str, Mapping[str, Any]]]:
    schema = Scenario.model_json_schema(by_alias=True)
    yield "Scenario", schema["properties"]
    for part, described in schema["$defs"].items():
        yield part, described.get("properties", {})


def _values(described: Any) -> Iterator[str]:
    """The words that a value may be, wherever in its description they stand."""
    if isinstance(described, Mapping):
        yield from (str(word) for word in described.get("enum", ()))
        if isinstance(described.get("const"), str):
            yield described["const"]
        for key in ("anyOf", "oneOf", "items"):
            yield from _values(described.get(key))
    elif isinstance(described, list):
        for one in described:
            yield from _values(one)


LANGUAGE = frozenset(
    word
    for part, properties in _defined()
    for name, described in properties.items()
    for word in (f"{part}.{name}", *(f"{part}.{name}: {value}" for value in _values(described)))
)
"""Every key of every part, and every word that may be the value of one."""


def said(value: Any) -> Iterator[str]:
    """The words of the language that a scenario was written with."""
    if isinstance(value, BaseModel):
        for name in value.model_fields_set:
            field, inner = type(value).model_fields[name], getattr(value, name)
            word = f"{type(value).__name__}.{field.alias or name}"
            yield from (word, *(f"{word}: {one}" for one in _as_words(inner)))
            yield from said(inner)
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from said(inner)
    elif isinstance(value, tuple):
        for inner in value:
            yield from said(inner)


def _as_words(value: Any) -> Iterator[str]:
    if value == float("inf"):
        yield "forever"
    elif isinstance(value, str | int):
        yield str(value)
    elif isinstance(value, tuple):
        yield from (one for one in value if isinstance(one, str))
