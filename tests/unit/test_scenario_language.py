"""All words of the language: read, laid over each other, written out again, and wrong in every place."""

from __future__ import annotations

import datetime as dt
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from iopsim.errors import InputError
from iopsim.scenario import (
    Scenario,
    access,
    census,
    groups,
    load,
    load_with_marks,
    money,
    resolved,
    resolved_text,
    sources,
    staff,
)
from iopsim.scenario.dated import PlanChange
from iopsim.scenario.file import dump, parse
from iopsim.scenario.findings import select, without
from iopsim.scenario.levels import Level, Waitlist
from iopsim.scenario.load import placed, understood
from iopsim.scenario.messages import keys_of
from iopsim.scenario.not_yet import WORDS, unsupported
from iopsim.scenario.sources import Change
from iopsim.scenario.today import FromToday
from iopsim.scenario.trace import Trace
from iopsim.scenario.tree import Node, plain
from tests.unit.programs import BASE, TEN_LINES

if TYPE_CHECKING:
    from collections.abc import Iterator

WHOLE_LANGUAGE = Path(__file__).with_name("whole_language.yaml")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Each test works in its own folder, so that faults show short file names."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "base.yaml").write_text(BASE)
    return tmp_path


REFUSED = """
uncertain ranges search
"""


def refused() -> Iterator[str]:
    for line in REFUSED.strip().splitlines():
        part, _, words = line.rpartition(": ")
        yield from (f"{part}.{word}" if part else word for word in words.split())


def test_the_whole_language_loads_or_is_refused_word_by_word() -> None:
    with pytest.raises(InputError) as caught:
        load(WHOLE_LANGUAGE)
    assert sorted(fault.path for fault in caught.value.faults) == sorted(refused())
    assert all(fault.message.startswith("not supported yet; ") for fault in caught.value.faults)


def test_the_whole_language_says_every_word_of_its_parts() -> None:
    """Each key of their parts is written somewhere, so that the tests of the language meet it."""
    tree = plain(parse(WHOLE_LANGUAGE.read_text(), "whole"))
    parts = (
        access.Authorization, access.Review, access.Contact, access.Eligible, access.Intake, access.ShowByLead,
        access.ShowFading, access.AgesInto, access.Payer, groups.Cohort, groups.CohortAdmission, groups.Merge,
        groups.Room, staff.Absence, staff.Associate, staff.Reassignment, Change, Trace,
        FromToday, census.Census, census.CensusColumns, census.WaitlistFile, census.WaitlistColumns,
        census.ApplicationFile, census.ApplicationColumns, PlanChange, money.Billing, money.Tier,
        money.InpatientAlternative,
    )  # fmt: skip
    sections = (sources.Source, groups.Group, staff.Role, staff.Service, Level, Waitlist)
    written = {step for path in leaves(tree) for step in path}
    known = {key for part in (*parts, *sections) for key in keys_of(part)}
    assert sorted(known - written) == []


def test_every_word_that_is_refused_is_in_the_whole_language() -> None:
    tree = plain(parse(WHOLE_LANGUAGE.read_text(), "whole"))
    assert [word for word in WORDS if not select(tree, word.partition(":")[0])] == []


def supported() -> Scenario:
    """The whole language without the words that are refused."""
    tree = plain(parse(WHOLE_LANGUAGE.read_text(), "whole"))
    kept = without(tree, {finding.path for finding in unsupported(tree)})
    Path("supported.yaml").write_text(dump(kept))
    for data in WHOLE_LANGUAGE.parent.glob("whole_language*.csv"):
        Path(data.name).write_text(data.read_text())
    return load("supported.yaml")


@pytest.mark.parametrize("text", [BASE, TEN_LINES, None], ids=["base", "ten lines", "whole language"])
def test_the_resolved_form_reads_back_as_the_same_scenario(text: str | None) -> None:
    if text:
        Path("case.yaml").write_text(text)
    scenario = load("case.yaml") if text else supported()
    Path("again.yaml").write_text(resolved_text(scenario))
    again = load("again.yaml")
    assert again == scenario
    assert resolved(again) == resolved(scenario)
    assert resolved_text(again) == resolved_text(scenario)


def test_by_stays_as_it_was_said_in_the_resolved_form() -> None:
    scenario = supported()
    by = resolved(scenario)["levels"]["iop"]["by"]
    assert by == {"track": {"sud": {"leave_early": {"dropout": {"weibull": {"shape": 0.683, "scale": 173}}}}}}
    assert "places" not in resolved(scenario)["levels"]["iop"]


def test_share_tables_and_laws_replace_while_other_mappings_merge() -> None:
    Path("case.yaml").write_text(
        """\
extends: base.yaml
sources: {community: {tracks: {mood: 1}}, ward: {tracks: {sud: 1}}}
levels:
  inpatient: {next: {home: 1}, stay_days: {gamma: {mean: 9, cv: 1}}, waitlist: {at_most: {ward: 3}}}
  iop: {leave_early: {step_up: {per_week: 0.01, to: {inpatient: 1}}}}
"""
    )
    scenario = load(
        "case.yaml", ["levels.inpatient.next={iop: 1}", "levels.inpatient.stay_days.gamma.cv=0.5"]
    )
    assert scenario.sources["community"].tracks == {"mood": 1.0}
    assert scenario.sources["community"].per_week == 5
    assert dict(scenario.levels["inpatient"].next).keys() == {"iop"}
    assert resolved(scenario)["levels"]["inpatient"]["stay_days"] == {"gamma": {"mean": 9, "cv": 0.5}}


SAID = """\
extends: base.yaml
levels:
  iop:
    contact: {share: 0.8, delay_days: {exponential: {mean: 2}}, for: [community]}
    intake: {role: therapist, minutes: 60, show: {by_lead_days: {0: 0.9, 7: 0.7}}}
    groups:
      noon:
        days: [mon, wed, fri]
        start: "13:00"
        seats: 12
        admission: {cohort: {first: 2027-01-11, every_days: 28, starters: 8}}
        below_minimum: {merge_with: evening}
      evening: {days: [mon, wed, fri], start: "17:30", seats: 9}
staff: {therapist: {leaves: [2027-03-01], days_to_hire: 60}}
payers: {all: {authorization: {levels: [iop], denied: 0.1, units: 15, ask_before: 3}}}
"""


@pytest.mark.parametrize(
    ("over", "path", "expected"),
    [
        ("levels: {iop: {intake: {show: 0.8}}}", "levels.iop.intake.show", 0.8),
        (
            "levels: {iop: {intake: {show: {same_day: 0.9, odds_per_week: 0.8}}}}",
            "levels.iop.intake.show",
            {"same_day": 0.9, "odds_per_week": 0.8},
        ),
        (
            "levels: {iop: {intake: {show: {by_lead_days: {3: 0.6}}}}}",
            "levels.iop.intake.show",
            {"by_lead_days": {"3": 0.6}},
        ),
        ("levels: {iop: {intake: {minutes: 90}}}", "levels.iop.intake.minutes", 90),
        ("levels: {iop: {contact: {share: 0.7}}}", "levels.iop.contact.for", ["community"]),
        ("levels: {iop: {contact: {delay_days: 3}}}", "levels.iop.contact.delay_days", {"constant": 3}),
        ("levels: {iop: {groups: {noon: {admission: open}}}}", "levels.iop.groups.noon.admission", "open"),
        (
            "levels: {iop: {groups: {noon: {admission: {cohort: {starters: 6}}}}}}",
            "levels.iop.groups.noon.admission.cohort.every_days",
            28,
        ),
        (
            "levels: {iop: {groups: {noon: {below_minimum: cancel}}}}",
            "levels.iop.groups.noon.below_minimum",
            "cancel",
        ),
        ("staff: {therapist: {leaves: []}}", "staff.therapist.leaves", []),
        ("payers: {all: {authorization: {denied: 0.2}}}", "payers.all.authorization.ask_before", 3),
        ("payers: {all: {authorization: null}}", "payers.all", {}),
    ],
)
def test_a_variant_says_only_what_differs(over: str, path: str, expected: object) -> None:
    Path("said.yaml").write_text(SAID)
    Path("case.yaml").write_text(f"extends: said.yaml\n{over}\n")
    value = resolved(load("case.yaml"))
    for step in path.split("."):
        value = value[step]
    assert value == expected


@pytest.mark.parametrize(
    ("assignment", "path", "expected"),
    [
        ("levels.iop.intake.show=0.8", "levels.iop.intake.show", 0.8),
        ("levels.iop.intake.show.by_lead_days.7=0.6", "levels.iop.intake.show.by_lead_days", {"0": 0.9, "7": 0.6}),
        ("levels.iop.intake.show.by_lead_days={2: 0.6}", "levels.iop.intake.show.by_lead_days", {"2": 0.6}),
        ("levels.iop.groups.noon.admission=open", "levels.iop.groups.noon.admission", "open"),
        ("payers.all.authorization.review.cut=0.3", "payers.all.authorization.review", {"cut": 0.3}),
        ("staff.therapist.leaves[0]=2027-04-01", "staff.therapist.leaves", [dt.date(2027, 4, 1)]),
    ],
)  # fmt: skip
def test_an_option_says_only_what_differs(assignment: str, path: str, expected: object) -> None:
    Path("said.yaml").write_text(SAID)
    value = resolved(load("said.yaml", [assignment]))
    for step in path.split("."):
        value = value[step]
    assert value == expected


def test_an_approval_of_the_whole_stay_reads_back_without_the_words_of_units() -> None:
    Path("said.yaml").write_text(SAID)
    scenario = load("said.yaml", [f"payers.all.authorization.{key}=null" for key in ("units", "ask_before")])
    assert resolved(scenario)["payers"]["all"] == {
        "authorization": {"levels": ["iop"], "denied": 0.1, "denied_to": "home"}
    }
    Path("again.yaml").write_text(resolved_text(scenario))
    assert load("again.yaml") == scenario


def leaves(node: object, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    children = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return [found for key, child in children for found in ((*path, key), *leaves(child, (*path, key)))]


JARGON = re.compile(r"[Ii]nput|valid |Value error|[Tt]uple|[Dd]ictionar|instance|pydantic|None|<|datetime")


OF_DAYS = """\
run: {weeks: 9}
sources: {door: {to: ward, per_week: 3}}
levels:
  ward: {places: 4, stay_days: 9, hours_per_day: 4, waitlist: {at_most: 3}}
  bought: {places: 4, stay_days: 9, cost_per_day: 9}
staff: {nurse: {posts: 1}}
from_today:
  as_of: 2027-01-04
  census: {csv: there.csv, columns: {level: Unit, start: Since}}
  waitlist_under: {ward: 3}
money:
  revenue: {ward: {all: [{from_services: 1, pay: 9}]}}
  billing: {hours_per_day_at_least: 3, below_minimum: 0, claims_denied: 0.05}
  inpatient_alternative: {for: [door], divertible: {door: 0.05}, stay_days: 9, cost_per_day: 9, beds_close: true}
changes:
  - from: 2027-01-18
    set: {staff.nurse.posts: 2, levels.ward.waitlist.at_most: 2, money.revenue.ward.all: [{from_services: 2, pay: 8}]}
"""


@pytest.mark.parametrize("text", [SAID, OF_DAYS], ids=["care", "days and money"])
@pytest.mark.parametrize("wrong", ["zzz", True, -7, [], {"zzz": 1}, 1e9], ids=repr)
def test_no_wrong_value_anywhere_escapes_the_planners_words(text: str, wrong: object) -> None:
    """Every key of a scenario in turn gets a value of a wrong type."""
    Path("there.csv").write_text("Unit,Since\nward,2026-12-31\n")
    Path("case.yaml").write_text(text)
    root = load_with_marks("case.yaml").root
    for path in leaves(plain(root)):
        changed = with_value(root, path, parse(f"x: {json.dumps(wrong)}", "base").value["x"])  # type: ignore[index,call-overload]
        for finding in understood(changed, Path())[1]:
            assert not JARGON.search(finding.message), finding
            mark = placed(changed, finding).mark
            assert mark is not None and mark.line


def with_value(node: Node, path: tuple[str | int, ...], value: Node) -> Node:
    """The tree with another value at a path."""
    if not path:
        return value
    step, *below = path
    children = node.value
    assert isinstance(children, dict | list)
    child = with_value(children[step], tuple(below), value)  # type: ignore[call-overload,index]
    if isinstance(children, dict):
        return replace(node, value=children | {str(step): child})
    return replace(node, value=[child if number == step else one for number, one in enumerate(children)])
