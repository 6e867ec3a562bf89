"""The language of sweeps: what a file may say, what it sets, and every fault of it at its place, once."""

from __future__ import annotations

import datetime as dt
import json
from itertools import product
from pathlib import Path
from textwrap import dedent
from typing import TYPE_CHECKING, Any

import pytest

from iopsim.errors import Fault, InputError
from iopsim.experiment.sweep.load import load
from iopsim.scenario.file import dump
from iopsim.scenario.schema import Scenario
from iopsim.scenario.sweeps import is_sweep, open_sweep, resolved_sweep, scenarios
from iopsim.scenario.sweeps.schema import Sweep, json_schema

if TYPE_CHECKING:
    from collections.abc import Callable

    from iopsim.scenario.sweeps import Opened

BASE = """\
name: clinic
run: {weeks: 30, replications: 7, seed: 3}
sources: {community: {to: day_care, per_week: 5, tracks: {mood: 0.5, sud: 0.5}}}
tracks: {mood: {}, sud: {}}
levels:
  day_care:
    label: Day care
    caseload: nurse
    phases: [{weeks: 8, days_per_week: 3}, {weeks: 2, days_per_week: 1}]
    waitlist: {patience_days: {exponential: {mean: 30}}}
    groups:
      morning: {days: [mon, wed, fri], seats: 12}
      noon: {days: [mon, wed, fri], seats: 10}
staff: {nurse: {label: Nurse, posts: 2, caseload: 12}}
targets: [{metric: day_care.wait_days.p90, at_most: 14}]
notes:
  levels.day_care.groups.noon: "opened last year"
"""

Write = Callable[..., Path] if TYPE_CHECKING else Any


@pytest.fixture
def sweep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Write a sweep over the base, by its text; the working folder is that of both."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "clinic.yaml").write_text(BASE, encoding="utf-8")

    def write(text: str, name: str = "study.yaml") -> Path:
        Path(name).write_text(text if "base:" in text else f"base: clinic.yaml\n{text}", encoding="utf-8")
        return Path(name)

    return write


def every(opened: Opened) -> list[Scenario]:
    """The scenarios of all combinations, none of which is wrong."""
    assert opened.faults == ()
    made, faults = scenarios(opened, product(*(axis.choices for axis in opened.axes)))
    assert faults == []
    return made


def faults(path: Path, *sets: str) -> list[str]:
    """Every fault of a file and of its points."""
    try:
        opened = open_sweep(path, sets)
    except InputError as error:
        return [str(fault) for fault in error.faults]
    wrong: list[Fault] = []
    if opened.base is not None and opened.axes:
        _, wrong = scenarios(opened, product(*(axis.choices for axis in opened.axes)))
    return [str(fault) for fault in (*opened.faults, *wrong)]


# What is set


def test_values_are_laid_where_their_paths_lead(sweep: Write) -> None:
    opened = open_sweep(
        sweep(
            "parameters:\n  staff.nurse.posts: [2, 3]\n  levels.day_care.phases[0].weeks: {values: [6, 8]}\n"
            "  levels.day_care.waitlist.patience_days.exponential.mean: {min: 10, max: 30.0, n: 2}\n"
        )
    )
    found = [
        (
            one.staff["nurse"].posts,
            one.levels["day_care"].phases[0].weeks,  # type: ignore[index]
            one.levels["day_care"].waitlist.patience_days.mean,  # type: ignore[union-attr]
        )
        for one in every(opened)
    ]
    assert found == list(product([2, 3], [6, 8], [10, 30]))


RULES = """\
extends: clinic.yaml
payers: {all: {authorization: {levels: [day_care], denied: 0.1, units: 9}}}
levels: {day_care: {intake: {role: nurse, minutes: 60, show: {by_lead_days: {0: 0.9, 7: 0.7}}}}}
"""


@pytest.mark.parametrize(
    ("path", "values", "found"),
    [
        ("staff.nurse.turnover_per_year", [0, 0.5], lambda one: one.staff["nurse"].turnover_per_year),
        ("staff.nurse.days_to_hire", [60, None], lambda one: (law := one.staff["nurse"].days_to_hire) and law.mean),
        ("payers.all.authorization.denied", [0, 0.2], lambda one: one.payers["all"].authorization.denied),
        ("payers.all.authorization.review.cut", [0.5], lambda one: one.payers["all"].authorization.review.cut),
        ("levels.day_care.contact.share", [0.7, 1], lambda one: one.levels["day_care"].contact.share),
        ("levels.day_care.intake.show", [0.8, 1], lambda one: one.levels["day_care"].intake.show),
        (
            "levels.day_care.intake.show.by_lead_days.7",
            [0.5, 0.6],
            lambda one: one.levels["day_care"].intake.show.by_lead_days[7],
        ),
        ("levels.day_care.groups.*.overbook", [1, 1.2], lambda one: one.levels["day_care"].groups["noon"].overbook),
        (
            "levels.day_care.groups.noon.admission",
            ["open", {"cohort": {"first": dt.date(2027, 1, 11), "every_days": 28, "starters": 8}}],
            lambda one: one.levels["day_care"].groups["noon"].model_dump()["admission"],
        ),
        ("sources.community.dispersion", [1, 1.5], lambda one: one.sources["community"].dispersion),
    ],
)  # fmt: skip
def test_what_the_rules_are_made_of_can_be_swept(
    sweep: Write, path: str, values: list[Any], found: Callable[[Scenario], Any]
) -> None:
    Path("rules.yaml").write_text(RULES, encoding="utf-8")
    opened = open_sweep(sweep(dump({"base": "rules.yaml", "parameters": {path: values}})))
    assert [found(one) for one in every(opened)] == values


def test_a_wrong_value_of_a_rule_is_told_where_it_stands(sweep: Write) -> None:
    Path("rules.yaml").write_text(RULES, encoding="utf-8")
    path = sweep(
        "base: rules.yaml\nparameters:\n  levels.day_care.intake.show.by_lead_days.7: [0.5, 2]\n"
        "  payers.all.authorization.units: [3, 0]\n  levels.day_care.intake.minutes: [60, 480]\n"
        "  staff.nurse.bookable: [0.5, 1]\n"
    )
    told = sorted(faults(path))
    assert told[:2] == [
        "study.yaml:3:53: error: levels.day_care.intake.show.by_lead_days.7: must be at most 1 (got 2); "
        "2 % is written 0.02",
        "study.yaml:4:39: error: payers.all.authorization.units: must be at least 1 (got 0)",
    ]
    assert told[2].startswith(
        "study.yaml:5:40: error: levels.day_care.intake.minutes: one appointment takes 480"
    )


def test_what_changes_on_a_date_can_be_swept_before_and_after_it(sweep: Write) -> None:
    Path("clinic.yaml").write_text(f"{BASE}changes: [{{from: 2027-03-01, set: {{staff.nurse.posts: 4}}}}]\n")
    text = """\
parameters:
  staff.nurse.posts: [2, 3]
  'changes[0].set."staff.nurse.posts"': [5, 6]
"""
    opened = open_sweep(sweep(text))
    assert _posts(opened) == [[2, 5], [2, 6], [3, 5], [3, 6]]
    again = sweep(dump(resolved_sweep(opened, "clinic.yaml")), "again.yaml")
    assert every(open_sweep(again)) == every(opened)
    either = sweep("parameters: {plan: {values: {as it is: {}, for ever: {changes: []}}}}", "either.yaml")
    assert _posts(open_sweep(either)) == [[2, 4], [2]]
    assert faults(sweep("parameters: {'changes[0].set.\"staff.nurse.posts\"': [5, many]}")) == [
        'study.yaml:2:56: error: changes[0].set."staff.nurse.posts": must be a whole number (got text "many")'
    ]


def _posts(opened: Opened) -> list[list[int]]:
    return [[plan.staff["nurse"].posts for _, plan in each.editions] for each in every(opened)]


def test_a_number_that_is_a_key_reads_back_as_one(sweep: Write) -> None:
    Path("rules.yaml").write_text(RULES, encoding="utf-8")
    named = "show: {values: {few: {levels.day_care.intake.show.by_lead_days.7: 0.5}}}"
    weeks = "weeks: {values: {six: {levels.day_care.phases.0.weeks: 6}}}"
    opened = open_sweep(sweep(f"base: rules.yaml\nparameters: {{{named}, {weeks}}}\n"))
    again = open_sweep(sweep(dump(resolved_sweep(opened, "rules.yaml")), "again.yaml"))
    (one,), (other,) = every(opened), every(again)
    assert one.levels == other.levels
    assert one.levels["day_care"].intake.show_share(7) == 0.5  # type: ignore[union-attr]
    assert one.levels["day_care"].phases[0].weeks == 6  # type: ignore[index]


def test_a_law_replaces_a_law_and_null_removes(sweep: Write) -> None:
    path = "levels.day_care.waitlist.patience_days"
    opened = open_sweep(sweep(f"parameters:\n  {path}: [{{gamma: {{mean: 9, cv: 1}}}}, 20, null]\n"))
    assert [choice.label for choice in opened.axes[0].choices] == ["{gamma: {mean: 9, cv: 1}}", 20, "null"]
    kinds = [type(one.levels["day_care"].waitlist.patience_days).__name__ for one in every(opened)]
    assert kinds == ["Gamma", "Constant", "NoneType"]


def test_a_star_reaches_everything_that_is_there_in_the_point(sweep: Write) -> None:
    """Also what another parameter adds, whichever of them is written first."""
    opened = open_sweep(
        sweep(
            "parameters:\n  levels.day_care.groups.*.seats: [8, 9]\n"
            "  groups:\n    values:\n      two: {}\n"
            "      three: {levels.day_care.groups.night: {days: [mon, wed, fri], seats: 12}}\n"
            "      one: {levels.day_care.groups.noon: null}\n"
        )
    )
    seats = [
        {name: group.seats for name, group in one.levels["day_care"].groups.items()} for one in every(opened)
    ]
    assert seats[:3] == [
        {"morning": 8, "noon": 8},
        {"morning": 8, "noon": 8, "night": 8},
        {"morning": 8},
    ]
    assert seats[5] == {"morning": 9}, "and the note on a group that is gone does not matter"


def test_what_is_deeper_is_set_later(sweep: Write) -> None:
    opened = open_sweep(
        sweep(
            "parameters: {more: {values: {both: {staff.nurse.posts: 5, staff.nurse: {posts: 1, fte: 0.5}}}}}\n"
        )
    )
    (one,) = every(opened)
    assert (one.staff["nurse"].posts, one.staff["nurse"].fte) == (5, 0.5)


def test_names_for_the_values_of_a_path(sweep: Write) -> None:
    opened = open_sweep(sweep("parameters: {staff.nurse.posts: {label: Team, values: {few: 1, many: 4}}}\n"))
    (axis,) = opened.axes
    assert (axis.label, [choice.label for choice in axis.choices]) == ("Team", ["few", "many"])
    assert [one.staff["nurse"].posts for one in every(opened)] == [1, 4]


def test_whole_numbers_stay_whole_between_whole_numbers(sweep: Write) -> None:
    text = (
        "parameters:\n  staff.nurse.posts: {min: 2, max: 9, n: 3}\n"
        "  sources.community.per_week: {min: 2.0, max: 3, n: 3}\n"
    )
    posts, rate = open_sweep(sweep(text)).axes
    assert [choice.label for choice in posts.choices] == [2, 6, 9]
    assert [choice.label for choice in rate.choices] == [2.0, 2.5, 3.0]


def test_what_all_points_share_is_set_once_and_the_command_line_wins(sweep: Write) -> None:
    path = sweep(
        "parameters: {staff.nurse.posts: [2]}\nset: {run.weeks: 12, levels.day_care.groups.*.seats: 6}\n"
        "replications: {min: 5, max: 9, of: [day_care.census.mean]}\n"
        "targets: [{metric: day_care.census.mean, at_least: 3}]\n"
    )
    (one,) = every(open_sweep(path))
    assert (one.run.weeks, one.run.most_replications, one.run.seed) == (12, 9, 3)
    assert [target.metric for target in one.targets] == ["day_care.census.mean"]
    assert {group.seats for group in one.levels["day_care"].groups.values()} == {6}
    (other,) = every(open_sweep(path, ["run.weeks=13", "run.replications=4"]))
    assert (other.run.weeks, other.run.most_replications) == (13, 4)


def test_defaults_are_those_of_the_base(sweep: Write) -> None:
    opened = open_sweep(sweep("parameters: {staff.nurse.posts: [2]}\n", "My study 2.yaml"))
    (one,) = every(opened)
    assert opened.spec.name == "my_study_2"
    assert (one.name, one.run.replications, one.targets[0].at_most) == ("clinic", 7, 14)
    assert one.notes == {}, "notes change no number"


def test_points_share_the_parts_they_do_not_change(sweep: Write) -> None:
    opened = open_sweep(sweep("parameters: {staff.nurse.posts: [2, 3]}\n"))
    same, other = every(opened)
    assert opened.base is not None
    assert same.levels is other.levels is opened.base.levels
    fresh = Scenario.model_validate(other.model_dump(exclude_unset=True, by_alias=True))
    assert fresh.model_dump() == other.model_dump()


def test_the_resolved_sweep_reads_back_as_the_same(sweep: Write) -> None:
    opened = open_sweep(
        sweep(
            "method: grid\nparameters:\n  staff.nurse.posts: {min: 1, max: 3, n: 3}\n"
            "  groups: {label: Groups, values: {two: {}, one: {levels.day_care.groups.noon: null}}}\n"
            "  levels.day_care.phases: [[{weeks: 4, days_per_week: 2}]]\n"
            "include:\n"
            "- {staff.nurse.posts: 9, groups: one, levels.day_care.phases: [{weeks: 1, days_per_week: 1}]}\n"
            "exclude: [{staff.nurse.posts: 1, groups: two}]\n"
        )
    )
    tree = resolved_sweep(opened, "clinic.yaml", cost=None, wait="day_care.wait_days.p90")
    again = open_sweep(sweep(dump(tree), "again.yaml"))
    assert again.faults == ()
    assert resolved_sweep(again, "clinic.yaml", cost=None, wait="day_care.wait_days.p90") == tree | {
        "name": "study"
    }
    assert [[choice.label for choice in axis.choices] for axis in again.axes] == [
        [choice.label for choice in axis.choices] for axis in opened.axes
    ]
    assert len(again.include) == len(again.exclude) == 1


def test_which_file_is_a_sweep(sweep: Write) -> None:
    assert is_sweep(sweep("parameters: {}\n"))
    assert not is_sweep("clinic.yaml")
    assert not is_sweep("nowhere.yaml")


# What is wrong

ONE = "parameters: {staff.nurse.posts: [2]}\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("paramters: {}\n", '2:1: error: paramters: unknown key (did you mean "parameters"?)'),
        ("method: girds\n" + ONE, "2:1: error: method: must be `grid`, `list`, `lhs` or `sobol`"),
        (ONE + "points: 1\n", "3:1: error: points: must be at least 2"),
        (ONE + "replications: 0\n", "3:1: error: replications: must be at least 1"),
        (ONE + "replications: {min: 9, max: 3}\n", "3:1: error: replications: `max` is below `min`"),
        (ONE + "targets: [{metric: x}]\n", "3:11: error: targets[0]: give `at_most` or `at_least`"),
        ("parameters: {}\n", "2:1: error: parameters: is empty"),
        ("parameters: {a.b: 3}\n", "2:14: error: parameters.\"a.b\": must be a list or a mapping"),
        ("parameters: {a.b: []}\n", '2:14: error: parameters."a.b": is empty'),
        ("parameters: {staff.nurse.posts: {valus: [1]}}\n", '(did you mean "values"?)'),
        ("parameters: {staff.nurse.posts: {min: 1}}\n", "needs `values`, or `min` and `max`"),
        ("parameters: {staff.nurse.posts: {min: 1, values: [2]}}\n", "not both"),
        ("parameters: {staff.nurse.posts: {min: 3, max: 3, n: 2}}\n", "`min` must be below `max`"),
        ("parameters: {staff.nurse.posts: {min: 1, max: 3}}\n", "needs `n`, how many values"),
        ("parameters: {staff.nurse.posts: {min: 1, max: 3, n: 4}}\n", "2:50: error: "),
        ("parameters: {staff.nurse.posts: {min: 1, max: 3, n: 4}}\n", "only 3 whole numbers from 1 to 3;"),
        ("parameters: {staff.nurse.posts: {min: one, max: 3, n: 4}}\n", "must be a number (got text \"one\")"),
        ("method: lhs\nparameters: {staff.nurse.posts: {min: 1, max: 3, n: 3}}\n", "`points` says how many"),
        ("parameters: {staff.nurse.posts: [2, 2]}\n", "2:37: error: "),
        ("parameters: {staff.nurse.posts: [2, 2]}\n", "2 stands here twice; remove one"),
        ("parameters: {groups: [1, 2]}\n", "a name without a dot is one of its own"),
        ("parameters: {groups: {values: {few: 2}}}\n", "2:32: error: parameters.groups.values.few: must say what"),
    ],
)  # fmt: skip
def test_a_sweep_that_is_none(sweep: Write, text: str, said: str) -> None:
    told = faults(sweep(text))
    assert any(said in one for one in told), told
    assert all(one.startswith("study.yaml:") for one in told)


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("staff.nurses.posts", '(did you mean "staff.nurse.posts"?)'),
        ("staff.nurse.post", '(did you mean "staff.nurse.posts"?)'),
        ("nurse.posts", '(did you mean "staff.nurse.posts"?)'),
        ("levels.day_care.groups.*.seat", '(did you mean "levels.day_care.groups.*.seats"?)'),
        ("levels.day_care.groups.xy.seats", '(did you mean "levels.day_care.groups.noon.seats"?)'),
        ("levels.*.nothing_like_that", "; at levels.* there are label, "),
        ("services.*.minutes", "; nothing is below services"),
        ("levels.day_care.phases.first.weeks", '(did you mean "levels.day_care.phases[1].weeks"?)'),
        ("run.seed", "`run.seed` cannot be a parameter: all points must meet the same patients"),
        (
            "from_today.as_of",
            "`from_today.as_of` cannot be a parameter: all points must meet the same patients",
        ),
        ("run.weeks", "set it for all of them in the scenario or under `set`"),
        ("targets.0.at_most", "write `targets:` in this file"),
        ("observed.x", "changes no result"),
        ("staff..posts", "not a dotted path"),
    ],
)
def test_a_path_that_leads_nowhere_or_must_not_vary(sweep: Write, path: str, said: str) -> None:
    for text in (
        f"parameters: {{{path}: [2, 3]}}\n",
        f"parameters: {{x: {{values: {{a: {{{path}: 3}}}}}}}}\n",
    ):
        (told,) = faults(sweep(text))
        assert told.startswith("study.yaml:2:")
        assert said in told


def test_a_path_may_lead_to_what_the_language_knows_and_nobody_said(sweep: Write) -> None:
    known = "parameters:\n  levels.day_care.extension: [{share: 0.1, weeks: 2}]\n  staff.nurse.fte: [0.5]\n"
    assert faults(sweep(known)) == []


def test_a_value_that_the_scenario_refuses_is_told_once_where_it_stands(sweep: Write) -> None:
    path = sweep(
        "parameters:\n  staff.nurse.posts: [2, -1, 3]\n  levels.day_care.groups.*.seats: [8, none]\n"
        "  levels.day_care.phases[7].weeks: [3, 4]\n"
        "  more: {values: {a: {levels.day_care.groups.late: {hours: 3}}, b: {}}}\n"
    )
    assert faults(path) == [
        "study.yaml:5:37: error: levels.day_care.phases: has no item 7; items count from 0, "
        "the last is levels.day_care.phases[1]",
        "study.yaml:5:40: error: levels.day_care.phases: has no item 7; items count from 0, "
        "the last is levels.day_care.phases[1]",
    ]
    Path(path).write_text(
        path.read_text(encoding="utf-8").replace("phases[7]", "phases[1]"), encoding="utf-8"
    )
    assert sorted(faults(path)) == [
        "study.yaml:3:26: error: staff.nurse.posts: must be at least 0 (got -1)",
        'study.yaml:4:39: error: levels.day_care.groups.morning.seats: must be a whole number (got text "none")',
        "study.yaml:6:52: error: levels.day_care.groups.late: needs `days`",
    ]


def test_a_fault_of_values_together_names_the_point(sweep: Write) -> None:
    shares = "parameters:\n  sources.community.tracks.mood: [0.5, 0.7]\n  sources.community.tracks.sud: [0.5, 0.3]\n"
    told = faults(sweep(shares))
    assert len(told) == 1
    assert "the shares sum to 0.8; they must sum to 1" in told[0]
    assert told[0].endswith(
        "(at the point of sources.community.tracks.mood 0.5 and sources.community.tracks.sud 0.3); "
        "change a value, or `exclude` such points"
    )


def test_what_is_removed_and_missed_is_told_where_it_is_removed(sweep: Write) -> None:
    text = (
        "set: {levels.day_care.groups.noon.tracks: [sud], levels.day_care.groups.morning.tracks: [mood]}\n"
        "parameters: {groups: {values: {all: {}, one: {levels.day_care.groups.noon: null}}}}\n"
    )
    (told,) = faults(sweep(text))
    assert told.startswith('study.yaml:3:76: error: levels.day_care.groups: no group takes track "sud"')


def test_two_parameters_cannot_set_one_path(sweep: Write) -> None:
    text = "parameters:\n  staff.nurse.posts: [2]\n  more: {values: {a: {staff.nurse.posts: 3}}}\n"
    (told,) = faults(sweep(text))
    assert told == (
        "study.yaml:4:3: error: parameters.more: sets staff.nurse.posts, and so does `staff.nurse.posts`; "
        "let one of them do it"
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("include: [{staff.nurse.posts: 9}]", 'include[0]: needs `groups`: a point has a value of every parameter'),
        ("include: [{staff.nurse.posts: 9, groups: thre}]", '(got thre) (did you mean "three"?)'),
        ("include: [{staff.nurse.pots: 9, groups: two}]", '(did you mean "staff.nurse.posts"?)'),
        ("exclude: [{staff.nurse.posts: 9}]", "no value of this parameter (got 9); there are 2 and 3"),
        ("exclude: [{}]", "names no value, so it would leave out every point"),
        ("include: [3]", "error: include[0]: must be a mapping"),
    ],
)  # fmt: skip
def test_points_that_are_none(sweep: Write, text: str, said: str) -> None:
    groups = "groups: {values: {two: {}, three: {}}}"
    told = faults(sweep(f"parameters: {{staff.nurse.posts: [2, 3], {groups}}}\n{text}\n"))
    assert any(said in one for one in told), told
    assert all(one.startswith("study.yaml:3:") for one in told)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("set: {run.wek: 3}", 'set."run.wek": no such path in the scenario (did you mean "run.weeks"?)'),
        ("set: {targets: []}", "set.targets: write `targets:` in this file instead"),
        ("set: {run.replications: 3}", "write `replications:` in this file instead"),
        ("set: {name: x}", "write `name:` in this file instead"),
        ("set: {run.weeks: 0}", "study.yaml:3:18: error: run.weeks: must be at least 1 (got 0)"),
        ("set: {levels.day_care.phases.4.weeks: 3}", "has no item 4"),
    ],
)
def test_what_cannot_be_set_for_all_points(sweep: Write, text: str, said: str) -> None:
    told = faults(sweep(ONE + text + "\n"))
    assert [said in one for one in told] == [True]
    assert told[0].startswith("study.yaml:3:")


def test_faults_of_the_base_stand_in_the_base(sweep: Write) -> None:
    path = sweep(ONE)
    Path("clinic.yaml").write_text(BASE.replace("posts: 2", "posts: -2"), encoding="utf-8")
    assert faults(path) == ["clinic.yaml:14:31: error: staff.nurse.posts: must be at least 0 (got -2)"]
    assert faults(path, "staff.nurse.posts=1") == []
    assert faults(path, "staff.nusre=1")[0].startswith("clinic.yaml:14:31")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "study.yaml: error: a sweep is made of `key: value` lines, such as `base: baseline.yaml`"),
        ("- base: x", "study.yaml:1:1: error: a sweep is made of `key: value` lines, such as `base: baseline.yaml`"),
        ("base: clinc.yaml\n" + ONE, 'study.yaml:1:1: error: base: there is no file "clinc.yaml" (did you mean'),
        (ONE + "x: base:", "study.yaml:2:"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_used(sweep: Write, text: str, told: str) -> None:
    path = sweep(ONE)
    path.write_text(text, encoding="utf-8")
    assert faults(path)[0].startswith(told)


def test_all_faults_at_once(sweep: Write) -> None:
    """Of the file, of the base, of paths and of values, each once, although one of them spoils a parameter."""
    path = sweep(
        "nmae: x\nset: {run.wek: 3}\nparameters:\n  staff.nurse.post: [1]\n  staff.nurse.posts: [1, -1]\n"
        "  levels.day_care.groups.*.seats: {min: 3}\n"
    )
    codes = sorted(one.split(": error: ")[0] for one in faults(path))
    assert codes == [f"study.yaml:{line}" for line in ("2:1", "3:7", "5:3", "6:26", "7:3")]


def test_the_json_schema_has_a_word_for_every_key() -> None:
    schema = json_schema()
    keys = {field.alias or name for name, field in Sweep.model_fields.items()}
    assert schema["properties"].keys() == keys
    assert all(field.get("description") for field in schema["properties"].values())
    assert all(field.get("description") for field in schema["$defs"]["Parameter"]["properties"].values())
    assert schema["required"] == ["base", "parameters"]


ROOT = Path(__file__).parents[2]
SHIPPED = sorted((ROOT / "scenarios" / "sweeps").glob("*.yaml"))


def test_the_shipped_schema_is_the_language() -> None:
    shipped = json.loads((ROOT / "scenarios" / "sweeps" / "sweep.schema.json").read_text(encoding="utf-8"))
    assert shipped == json_schema(), "run `iopsim schema --sweep > scenarios/sweeps/sweep.schema.json`"


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_sweep_that_ships_can_be_simulated(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    design = load(path)
    assert len(design.points) == {"groups-by-therapists": 36, "demand-by-seats": 25}[path.stem]
    assert design.base.run.replications == 20
    assert "ssumption" in text, "where numbers come from is said"
    assert f"iopsim sweep scenarios/sweeps/{path.name}" in text


def test_the_example_of_the_page_is_a_sweep(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "sweeps.md").read_text(encoding="utf-8")
    example = page[page.index("    base: baseline.yaml") : page.index("`iopsim sweep FILE --dry-run`")]
    base = ROOT / "scenarios" / "baseline.yaml"
    (tmp_path / "baseline.yaml").write_text(base.read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / "study.yaml").write_text(dedent(example), encoding="utf-8")
    assert len(load(tmp_path / "study.yaml").points) == 4 * 3 * 2
