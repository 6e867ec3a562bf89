"""Loading: every fault in one pass, at its place, in a planner's words; and the resolved form."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
from pathlib import Path

import pytest

from iopsim.errors import InputError
from iopsim.scenario import (
    identity,
    load,
    load_with_marks,
)
from tests.unit.programs import BASE, TEN_LINES


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Each test works in its own folder, so that faults show short file names."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "base.yaml").write_text(BASE)
    return tmp_path


def faults(text: str, *sets: str) -> list[str]:
    """The faults of a scenario file, as lines."""
    Path("case.yaml").write_text(text)
    with pytest.raises(InputError) as caught:
        load("case.yaml", sets)
    return str(caught.value).splitlines()


WRONG = {
    "an unknown key with a near one": (
        "levels: {inpatient: {stay_days: {lognormal: {mean: 10, cvv: 1}}}}",
        '2:56: error: levels.inpatient.stay_days.lognormal.cvv: unknown key (did you mean "cv"?)',
    ),
    "an unknown key of a part": (
        "run: {days: 3}",
        "2:7: error: run.days: unknown key; the keys here are start, warm_up_weeks, weeks, run_out_weeks, "
        "replications and seed",
    ),
    "an unknown key of the whole": ("level: {}", '2:1: error: level: unknown key (did you mean "levels"?)'),
    "a missing key": (
        "staff: {nurse: {fte: 0.5}}",
        "2:9: error: staff.nurse: needs `posts`",
    ),
    "a missing key that is misspelled": (
        "staff: {nurse: {postss: 1}}",
        '2:17: error: staff.nurse.postss: unknown key (did you mean "posts"?)',
    ),
    "text with a unit": (
        "levels: {iop: {groups: {morning: {hours: 12 hours}}}}",
        '2:35: error: levels.iop.groups.morning.hours: must be a number (got text "12 hours"); '
        "write the number alone, its unit is in the key",
    ),
    "a number in quotes": (
        'sources: {ward: {per_week: "2"}}',
        '2:18: error: sources.ward.per_week: must be a number (got text "2"); write it without quotes',
    ),
    "a percentage": (
        "levels: {iop: {attendance: {mean: 86 %}}}",
        '2:29: error: levels.iop.attendance.mean: must be a number (got text "86 %"); write 0.86',
    ),
    "a share as a percentage": (
        "levels: {iop: {attendance: {mean: 86}}}",
        "2:29: error: levels.iop.attendance.mean: must be at most 1 (got 86); 86 % is written 0.86",
    ),
    "a boolean for a number": (
        "sources: {ward: {per_week: true}}",
        "2:18: error: sources.ward.per_week: must be a number (got true)",
    ),
    "a fraction for a count": (
        "levels: {inpatient: {places: 20.5}}",
        "2:22: error: levels.inpatient.places: must be `unlimited`, a whole number or a mapping such as "
        "{name: value} (got 20.5)",
    ),
    "a whole number with a point": (
        "run: {weeks: 52.0}",
        "2:7: error: run.weeks: must be a whole number (got 52.0); write 52",
    ),
    "a word of a union": (
        "levels: {inpatient: {places: unlimted}}",
        "2:22: error: levels.inpatient.places: must be `unlimited`, a whole number or a mapping such as "
        '{name: value} (got text "unlimted"); did you mean "unlimited"?',
    ),
    "below a bound": ("run: {weeks: 0}", "2:7: error: run.weeks: must be at least 1 (got 0)"),
    "at an open bound": (
        "staff: {therapist: {fte: 0}}",
        "2:21: error: staff.therapist.fte: must be more than 0 (got 0)",
    ),
    "above a bound": (
        "levels: {iop: {leave_early: {dropout_per_week: 1}}}",
        "2:30: error: levels.iop.leave_early.dropout_per_week: must be less than 1 (got 1)",
    ),
    "a date out of range": (
        "run: {start: 1027-01-04}",
        "2:7: error: run.start: must be at least 1950-01-01 (got 1027-01-04)",
    ),
    "a date in quotes": (
        'run: {start: "2027-01-04"}',
        '2:7: error: run.start: must be a date such as 2027-01-04 (got text "2027-01-04"); '
        "write it without quotes",
    ),
    "a date of another kind": (
        "run: {start: 4 Jan}",
        '2:7: error: run.start: must be a date such as 2027-01-04 (got text "4 Jan"); write year-month-day',
    ),
    "a choice": (
        "levels: {iop: {plan: atended}}",
        '2:16: error: levels.iop.plan: must be `scheduled` or `attended` (got text "atended"); '
        'did you mean "attended"?',
    ),
    "a schema of the future": ("schema: 2", "2:1: error: schema: must be `1` (got 2)"),
    "a list for a name": (
        "sources: {ward: {to: [iop]}}",
        "2:18: error: sources.ward.to: must be text (got a list)",
    ),
    "a number for text": ("name: 3", "2:1: error: name: must be text (got 3); put it in quotes"),
    "a bad name": (
        "name: IOP 1",
        "2:1: error: name: a name starts with a letter a-z and goes on with a-z, 0-9 and _; use `label:` for "
        'anything else (got "IOP 1")',
    ),
    "a bad name as a key": (
        "tracks: {Mood: {}}",
        "2:10: error: tracks.Mood: a name starts with a letter a-z and goes on with a-z, 0-9 and _; use "
        "`label:` for anything else (got \"Mood\")",
    ),
    "a value for a list": (
        "levels: {iop: {groups: {morning: {days: mon}}}}",
        '2:35: error: levels.iop.groups.morning.days: must be a list (got text "mon"); write [mon]',
    ),
    "an item of a list": (
        "levels: {iop: {groups: {morning: {days: [mon, tues]}}}}",
        '2:47: error: levels.iop.groups.morning.days[1]: unknown weekday "tues"; use mon, tue, wed, thu, fri, '
        "sat, sun",
    ),
    "a list of the wrong length": (
        "sources: {ward: {weekdays: [1, 1, 1]}}",
        "2:18: error: sources.ward.weekdays: needs 7 values (got 3)",
    ),
    "an empty list": (
        "levels: {iop: {phases: []}}",
        "2:16: error: levels.iop.phases: is empty; it needs at least one entry",
    ),
    "an empty mapping": ("tracks: null\npayers: {}", "3:1: error: payers: is empty; it needs at least one entry"),
    "text that is too long": (
        "currency: Australian dollars",
        '2:1: error: currency: needs at most 12 characters (got "Australian dollars")',
    ),
    "a value for a part": (
        "levels: {iop: {extension: 2}}",
        "2:16: error: levels.iop.extension: must be a mapping with the keys share and weeks (got 2)",
    ),
    "a value for a mapping": (
        "money: {revenue: 170}",
        "2:9: error: money.revenue: must be a mapping such as {name: value} (got 170)",
    ),
    "a bare share of a destination": (
        "levels: {inpatient: {next: {home: all}}}",
        '2:29: error: levels.inpatient.next.home: must be a number (got text "all")',
    ),
    "shares that do not sum to 1": (
        "levels: {inpatient: {next: {home: 0.9}}}",
        "2:22: error: levels.inpatient.next: the shares sum to 0.9; they must sum to 1",
    ),
    "two ways to say one thing": (
        "levels: {iop: {stay_days: 56}}",
        "2:10: error: levels.iop: give `stay_days` or `phases`, one of the two",
    ),
    "an unknown law": (
        "levels: {iop: {waitlist: {patience_days: {exponental: {mean: 40}}}}}",
        '2:43: error: levels.iop.waitlist.patience_days.exponental: unknown law (did you mean "exponential"?); '
        "the laws are beta, constant, discrete, empirical, exponential, gamma, lognormal, triangular, uniform, "
        "weibull",
    ),
    "a law of negative days": (
        "levels: {inpatient: {stay_days: -1}}",
        "2:22: error: levels.inpatient.stay_days: may be negative (from -1); days count from 0: raise it, or cut "
        "it off with at_least: 0",
    ),
    "a word that is not supported yet": (
        "uncertain: {sources.community.per_week: {uniform: {min: 9, max: 13}}}",
        "2:1: error: uncertain: not supported yet; write the values in a sweep file and give it to `iopsim sweep`",
    ),
    "a word for a share or a table": (
        "levels: {iop: {intake: {role: therapist, minutes: 60, show: often}}}",
        "2:55: error: levels.iop.intake.show: must be a number, a mapping with the key by_lead_days or a mapping with "
        'the keys same_day and odds_per_week (got text "often")',
    ),
    "a key that is no number": (
        "levels: {iop: {intake: {role: therapist, minutes: 60, show: {by_lead_days: {soon: 0.8}}}}}",
        '2:77: error: levels.iop.intake.show.by_lead_days.soon: a key here must be a whole number (got text "soon")',
    ),
    "a number out of range for a key": (
        "levels: {iop: {intake: {role: therapist, minutes: 60, show: {by_lead_days: {-1: 0.8}}}}}",
        "2:77: error: levels.iop.intake.show.by_lead_days.-1: must be at least 0 (got -1)",
    ),
    "a list for a table by numbers": (
        "levels: {iop: {intake: {role: therapist, minutes: 60, show: {by_lead_days: [0.8]}}}}",
        "2:62: error: levels.iop.intake.show.by_lead_days: must be a mapping such as {0: 0.8} (got a list)",
    ),
    "a misspelled key of one of two forms": (
        "levels: {iop: {intake: {role: therapist, minutes: 60, show: {by_lead_day: {0: 0.8}}}}}",
        '2:62: error: levels.iop.intake.show.by_lead_day: unknown key (did you mean "by_lead_days"?)',
    ),
    "an only key that is misspelled": (
        "staff: {therapist: {reassignment: {hazard: 1.2}}}",
        "2:36: error: staff.therapist.reassignment.hazard: unknown key; the key here is dropout_factor",
    ),
    "a word of a part": (
        "levels: {iop: {groups: {morning: {admission: opened}}}}",
        "2:35: error: levels.iop.groups.morning.admission: must be `open` or a mapping with the key cohort (got text "
        '"opened"); did you mean "open"?',
    ),
    "neither true nor a word": (
        "services: {visit: {levels: [iop], role: therapist, minutes: 9, per: admission, limits: maybe}}",
        '2:80: error: services.visit.limits: must be true, false or `admission` (got text "maybe")',
    ),
    "a date for a list of dates": (
        "staff: {therapist: {leaves: 2027-03-01}}",
        "2:21: error: staff.therapist.leaves: must be a list (got 2027-03-01); write [2027-03-01]",
    ),
    "a word for a date or an absence": (
        "staff: {therapist: {leaves: [soon]}}",
        "2:30: error: staff.therapist.leaves[0]: must be a date such as 2027-01-04 or a mapping with the keys from and "
        'until (got text "soon")',
    ),
    "an absence that ends before it begins": (
        "staff: {therapist: {leaves: [{from: 2027-03-01, until: 2027-02-28}]}}",
        "2:30: error: staff.therapist.leaves[0]: `until` lies before `from`; exchange them",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_said_in_one_line_at_its_place(text: str, expected: str) -> None:
    if text.startswith("tracks: null"):
        text = f"{text}\nsources: {{community: {{tracks: null}}, ward: {{tracks: null}}}}"
    assert faults(f"extends: base.yaml\n{text}\n") == [f"case.yaml:{expected}"]


def test_every_fault_of_the_file_its_base_and_the_options_comes_in_one_pass() -> None:
    Path("base.yaml").write_text(
        BASE.replace("places: 20", "places: many")
        .replace("weeks: 52", "weeks: 52\n  weekz: 3", 1)
        .replace(
            "run: {start: 2027-01-04, warm_up_weeks: 10, weeks: 52\n  weekz: 3, run_out_weeks: 10}",
            "run:\n  start: 2027-01-04\n  weekz: 3",
        )
    )
    text = """\
extends: base.yaml
sources:
  community: {per_week: lots}
  ward: {to: inpatent}
levels:
  iop: {caseload: therapst, waitlist: {priority: {community: 1.5, wards: 1}}}
money: {revenue: {inpatient: {all: 500}}, inpatient_alternative: {for: [community]}}
calendar: {closed: [2037-12-25]}
search: {}
"""
    assert faults(text, "staff.therapist.posts=two", "staff.nurse.fte=1", "levels.iop.plan", "nme=x") == [
        '--set:1:1: error: nme: unknown key (did you mean "name"?)',
        "--set:1:7: error: staff.nurse: needs `posts`",
        '--set:1:16: error: expected path=value, such as run.seed=7 (null removes a key); got "levels.iop.plan"',
        '--set:1:17: error: staff.therapist.posts: must be a whole number (got text "two")',
        'base.yaml:3:3: error: run.weekz: unknown key (did you mean "weeks"?)',
        "base.yaml:10:5: error: levels.inpatient.places: must be `unlimited`, a whole number or a mapping such as "
        '{name: value} (got text "many")',
        'case.yaml:3:15: error: sources.community.per_week: must be a number (got text "lots")',
        'case.yaml:4:10: error: sources.ward.to: unknown level "inpatent" (did you mean "inpatient"?)',
        'case.yaml:6:9: error: levels.iop.caseload: unknown role "therapst" (did you mean "therapist"?)',
        "case.yaml:6:51: error: levels.iop.waitlist.priority.community: must be a whole number (got 1.5)",
        'case.yaml:6:67: error: levels.iop.waitlist.priority.wards: unknown source or level "wards" '
        '(did you mean "ward"?)',
        "case.yaml:7:43: error: money.inpatient_alternative: needs `stay_days`",
        "case.yaml:7:43: error: money.inpatient_alternative: needs `cost_per_day`",
        "case.yaml:9:1: error: search: not supported yet; write the values in a sweep file and give it to "
        "`iopsim sweep`",
    ]


def test_a_fault_in_one_part_hides_none_in_another() -> None:
    text = """\
extends: base.yaml
calendar: {closed: [2037-12-25]}
sources: {ward: {per_week: -2}}
levels: {iop: {waitlist: {renege_to: iop}}}
money: {revenue: {inpatient: {all: 500}}}
rooms: {small: {seats: 0}, large: {seats: 9}}
payers:
  strict: {authorization: {levels: [iop], denied: 2}}
  all: {authorization: {levels: [inpatient], units: 5}}
"""
    assert [line.split(": ")[2] for line in faults(text)] == [
        "calendar.closed[0]",
        "sources.ward.per_week",
        "levels.iop.waitlist.renege_to",
        "money.revenue.inpatient",
        "rooms.small.seats",
        "payers.strict.authorization.denied",
    ]


def test_a_section_that_cannot_be_read_makes_no_further_noise() -> None:
    text = BASE.replace("staff:\n  therapist: {posts: 2, caseload: 12}", "staff: [therapist]")
    assert faults(text) == [
        "case.yaml:17:1: error: staff: must be a mapping such as {name: value} (got a list)"
    ]
    assert faults("run: {weeks: 9}") == [
        "case.yaml:1:1: error: needs `sources`",
        "case.yaml:1:1: error: needs `levels`",
    ]


def test_what_the_reader_refuses_is_told_once_and_with_the_rest() -> None:
    assert faults("extends: base.yaml\nrun: {weeks: 1e999, weaks: 1}\ntracks: {mood: {}, mood: {}}\n") == [
        "case.yaml:2:14: error: run.weeks: 1e999 is not a finite number; write a number",
        'case.yaml:2:21: error: run.weaks: unknown key (did you mean "weeks"?)',
        'case.yaml:3:20: error: tracks.mood: the key "mood" is given twice, first in line 3; keep one',
    ]


def test_ten_lines_are_a_scenario() -> None:
    Path("Small-Program 2.yaml").write_text(TEN_LINES)
    scenario = load("Small-Program 2.yaml")
    assert scenario.name == "small_program_2"
    assert scenario.levels["iop"].is_own
    assert scenario.run.opening == dt.date(2026, 1, 5)
    assert scenario.sources["community"].weekdays == (1.0,) * 7
    assert scenario.sources["community"].times == {"either": 1.0}


@pytest.mark.parametrize(
    ("file", "name"),
    [("plan.yaml", "plan"), ("2-more posts.yaml", "scenario_2_more_posts"), ("_.yaml", "scenario")],
)
def test_a_scenario_is_named_after_its_file_not_after_its_base(file: str, name: str) -> None:
    Path("named.yaml").write_text(f"name: base_case\n{BASE}")
    Path(file).write_text("extends: named.yaml\n")
    assert load("named.yaml").name == "base_case"
    assert load(file).name == name
    assert load(file, ["name=mine"]).name == "mine"


def test_later_faults_can_be_placed() -> None:
    Path("case.yaml").write_text("extends: base.yaml\ntargets:\n  - {metric: iop.wait, at_most: 3}\n")
    loaded = load_with_marks("case.yaml", ["run.weeks=26"])
    fault = loaded.fault("unknown-metric", ("targets", 0, "metric"), "unknown metric")
    assert str(fault) == "case.yaml:3:6: error: targets[0].metric: unknown metric"
    assert str(loaded.fault("x", ("run", "weeks"), "odd")) == "--set:1:5: error: run.weeks: odd"
    assert str(loaded.fault("x", ("staff", "therapist", "fte"), "odd")) == (
        "base.yaml:18:3: error: staff.therapist.fte: odd"
    )


def test_the_identity_depends_on_what_the_results_depend_on() -> None:
    Path("stays.csv").write_text("days\n3\n9\n")
    Path("case.yaml").write_text(
        "extends: base.yaml\nlevels: {inpatient: {stay_days: {empirical: {csv: stays.csv, column: days}}}}\n"
    )
    first = identity(load("case.yaml"))
    assert first["data"].keys() == {"levels.inpatient.stay_days"}
    assert first == identity(load("case.yaml", ["name=b", "description=c", "notes={run.weeks: why}"]))
    assert first != identity(load("case.yaml", ["run.seed=2"]))
    Path("stays.csv").write_text("days\n3\n8\n")
    assert first != identity(load("case.yaml"))


def test_a_data_file_is_sought_beside_the_scenario() -> None:
    Path("plans").mkdir()
    Path("plans/stays.csv").write_text("days\n3\n9\n")
    text = "extends: ../base.yaml\nlevels: {inpatient: {stay_days: {empirical: {csv: %s, column: days}}}}\n"
    Path("plans/a.yaml").write_text(text % "stays.csv")
    stay_days = load("plans/a.yaml").levels["inpatient"].stay_days
    assert stay_days is not None and stay_days.mean == 6
    Path("plans/a.yaml").write_text(text % "stay.csv")
    with pytest.raises(
        InputError, match=r"plans/a\.yaml:2:46: error: .*\.csv: stay\.csv: there is no such file"
    ):
        load("plans/a.yaml")


def test_importing_the_package_is_light() -> None:
    code = "import sys, iopsim.scenario; print(*{'numpy', 'pydantic', 'ruamel.yaml'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
