"""Programs of every kind that begin with patients who are there, and whose plans change on dates."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from hypothesis import strategies as st

from iopsim.scenario.schema import Scenario
from tests.properties.clinics import START, Plain
from tests.properties.programs import PAYERS, TRACKS, programs
from tests.properties.test_dated import changeable

__all__ = ["Begun", "begin_today", "begun", "dated"]

Cells = dict[str, Any]
_MOST = 5  # rows of a file


class Begun(NamedTuple):
    """A program and the files that it names."""

    program: Plain
    files: Mapping[str, str]

    def scenario(self, folder: Path) -> Scenario:
        """Write the files, and read it all."""
        for name, text in self.files.items():
            (folder / name).write_text(text)
        return Scenario.model_validate(self.program, context={"folder": folder})


@st.composite
def dated(draw: st.DrawFn) -> Plain:
    """A program whose plan changes on one to three dates."""
    program = draw(programs())
    paths = changeable(program)
    some = st.lists(st.sampled_from(sorted(paths)), min_size=1, max_size=5, unique=True)
    days = draw(st.lists(st.integers(-6, 24), min_size=1, max_size=3, unique=True))
    dates = [START + dt.timedelta(days=day) for day in days]
    plans = [{path: draw(st.sampled_from(paths[path])) for path in draw(some)} for _ in dates]
    changes = [{"from": date, "set": plan} for date, plan in zip(dates, plans, strict=True)]
    return program | {"changes": changes}


@st.composite
def begun(draw: st.DrawFn) -> Begun:
    """A program that begins today, with up to five patients in each file; some in both of the first two."""
    return begin_today(draw, draw(dated() if draw(st.booleans()) else programs()))


def begin_today(draw: st.DrawFn, program: Plain, renames: bool = False) -> Begun:
    """The program with patients who are there; `renames`: some columns have headings of their own."""
    program["run"] = program["run"] | {"warm_up_weeks": 0}
    in_care = draw(st.lists(_resident(program), max_size=_MOST))
    for number, row in enumerate(in_care):
        row["id"] = f"r{number}"
    listed = draw(st.lists(_listed(program), max_size=_MOST))
    applied = [row for row in draw(st.lists(_applicant(program), max_size=_MOST)) if row]
    for number, row in enumerate(applied):
        row["id"] = f"a{number}"
    for each in in_care:
        if draw(st.booleans()):
            waits, applies = draw(_next_of(program, each))
            listed, applied = listed + waits, applied + applies
    tables = {"census": in_care, "waitlist": listed, "applications": applied}
    today: Plain = {"as_of": START} | {name: {"csv": f"{name}.csv"} for name in tables}
    files = {}
    for name, rows in tables.items():
        headings = ["level", _SINCE[name], "group", "track", *(key for row in rows for key in row)]
        called = {key: key for key in headings}
        if renames:
            called, said = draw(_called(called, {row["level"] for row in rows}))
            today[name] |= said
        files[f"{name}.csv"] = _text(rows, called)
    return Begun(program | {"from_today": today}, files)


_SINCE = {"census": "start", "waitlist": "joined", "applications": "referred"}


@st.composite
def _called(draw: st.DrawFn, called: dict[str, str], levels: set[str]) -> tuple[dict[str, str], Plain]:
    """Headings by field, and what the scenario has to say of them; a file of one level need not name it."""
    said: Plain = {}
    if len(levels) == 1:
        (said["level"],) = levels
        del called["level"]
    known = sorted(called.keys() - {"group"}) if "start" not in called else sorted(called)
    other = draw(st.sampled_from((known[::2], known[1::2], known)))
    columns = {key: f"The {key}, as said" for key in other}
    return called | columns, said | {"columns": columns}


def _text(rows: list[Cells], called: Mapping[str, str]) -> str:
    """A file of the rows under headings, those of fields that have none left out."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(called.values())
    writer.writerows([row.get(key, "") for key in called] for row in rows)
    return out.getvalue()


# ── rows ─────────────────────────────────────────────────────────────────────────────────────────────────────


@st.composite
def _moment(draw: st.DrawFn) -> str:
    """Within the last three weeks, today's midnight included; often at the same hour as somebody else."""
    day = START - dt.timedelta(days=draw(st.integers(0, 21)))
    return f"{day}{draw(st.sampled_from(('', ' 00:00', ' 09:00', ' 14:30')))}" if day < START else f"{day}"


def _known(program: Plain, trait: str, default: str = "either") -> list[str]:
    """What a cell may say of a trait that groups have."""
    groups = (group for level in program["levels"].values() for group in level.get("groups", {}).values())
    return sorted({"either", *(group.get(trait, default) for group in groups)})


@st.composite
def _traits(draw: st.DrawFn, program: Plain, tracks: tuple[str, ...] = TRACKS) -> Cells:
    traits = {
        "time": st.sampled_from(_known(program, "time")),
        "modality": st.sampled_from(_known(program, "modality", "in_person")),
        "payer": st.sampled_from(PAYERS),
        "source": st.sampled_from(sorted(program["sources"])),
    }
    said = {key: draw(trait) for key, trait in traits.items() if draw(st.booleans())}
    return {"track": draw(st.sampled_from(tracks)), **said}


@st.composite
def _resident(draw: st.DrawFn, program: Plain) -> Cells:
    name = draw(st.sampled_from(sorted(program["levels"])))
    level = program["levels"][name]
    groups = {key: group for key, group in level.get("groups", {}).items() if _is_open(group)}
    if "groups" in level and not groups:
        return draw(_resident(program))
    row: Cells = {"level": name, "start": draw(_moment())}
    tracks: tuple[str, ...] = TRACKS
    if groups:
        row["group"] = draw(st.sampled_from(sorted(groups)))
        tracks = tuple(groups[row["group"]].get("tracks", TRACKS))
        if draw(st.booleans()):
            row["sessions"] = draw(st.integers(0, 8))
    if "caseload" in level and draw(st.booleans()):
        row["therapist"] = draw(st.sampled_from(("1", "2")))
    return row | draw(_traits(program, tracks))


def _is_open(group: Plain) -> bool:
    return bool(group.get("from", START) <= START <= group.get("until", START))


@st.composite
def _listed(draw: st.DrawFn, program: Plain) -> Cells:
    name = draw(st.sampled_from(sorted(program["levels"])))
    origins = (*program["sources"], *(other for other in program["levels"] if other != name), "returned")
    row = {"level": name, "joined": draw(_moment()), "origin": draw(st.sampled_from(origins))}
    return row | draw(_traits(program))


@st.composite
def _next_of(draw: st.DrawFn, program: Plain, resident: Cells) -> tuple[list[Cells], list[Cells]]:
    """The same person on the list of a level to which the present one leads, or in its stages; if there is one."""
    here = resident["level"]
    level = program["levels"][here]
    ways = {*level["next"], *level["leave_early"].get("step_up", {}).get("to", ())}
    to = sorted(ways - {"home", here})
    if not to:
        return [], []
    row = {"level": draw(st.sampled_from(to)), "track": resident["track"], "id": resident["id"]}
    if here in _who_applies(program, row["level"]) and draw(st.booleans()):
        return [], [
            row | {"referred": draw(_moment()), "origin": here} | draw(_appointment(program, row, here))
        ]
    return [row | {"joined": draw(_moment())}], []


def _who_applies(program: Plain, name: str) -> list[str]:
    """The origins of those who pass stages of a level."""
    level = program["levels"][name]
    stages = [
        level[stage].get("for", program["sources"])
        for stage in ("contact", "eligible", "intake")
        if stage in level
    ]
    return sorted({origin for stage in stages for origin in stage})


@st.composite
def _appointment(draw: st.DrawFn, program: Plain, row: Cells, origin: str) -> Cells:
    """Perhaps an appointment to come, where the level gives those of the origin one."""
    intake = program["levels"][row["level"]].get("intake")
    if intake and origin in intake.get("for", program["sources"]) and draw(st.booleans()):
        return {"appointment": f"{START + dt.timedelta(days=draw(st.integers(0, 9)))}"}
    return {}


@st.composite
def _applicant(draw: st.DrawFn, program: Plain) -> Cells:
    """Somebody in a stage of access; empty if no level has one for those of a source."""
    ways = [
        (name, source)
        for name in program["levels"]
        for source in _who_applies(program, name)
        if source in program["sources"]
    ]
    if not ways:
        return {}
    name, source = draw(st.sampled_from(ways))
    row: Cells = {"level": name, "referred": draw(_moment()), "origin": source}
    row |= draw(_appointment(program, row, source))
    return row | draw(_traits(program)) | {"source": source}
