"""Input that cannot be used: every mistake with its place, a count, exit 2, no traceback, and soon."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.cli.sessions import MINIMAL, spawned

if TYPE_CHECKING:
    from tests.cli.conftest import Iopsim

SECONDS = 2.0  # of the processor, so that a busy machine changes nothing
PROGRAM = """\
name: mine
sources:
  community: {to: iop, per_week: 2}
levels:
  iop:
    stay_days: {gamma: {mean: 42, cv: 0.6}}
    places: 12
"""
EVERYWHERE = (
    "a misspelled key",
    "two mistakes",
    "an empty file",
    "a missing base",
)  # where commands might differ
BOMB = "".join(
    ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"]
    + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 10)]
)
CASES: dict[str, tuple[str | bytes, list[str]]] = {
    "a misspelled key": (
        PROGRAM.replace("per_week", "per_weak"),
        [r'mine.yaml:3:24: error: sources.community.per_weak: unknown key \(did you mean "per_week"\?\)'],
    ),
    "a misspelled parameter of a law": (
        PROGRAM.replace("cv:", "cvv:"),
        [r'mine.yaml:6:35: error: levels.iop.stay_days.gamma.cvv: unknown key \(did you mean "cv"\?\)'],
    ),
    "two mistakes": (
        PROGRAM.replace("places: 12", "places: twelve").replace("per_week: 2", "per_week: -2"),
        [
            r"mine.yaml:3:24: error: sources.community.per_week: .*-2",
            r'mine.yaml:7:5: error: levels.iop.places: .*"twelve"',
        ],
    ),
    "a next level that does not exist": (
        PROGRAM + "    next: {outpatint: 1}\n",
        [r'mine.yaml:8:12: error: levels.iop.next.outpatint: .*"outpatint"'],
    ),
    "shares that do not sum to 1": (
        PROGRAM.replace("per_week: 2", "per_week: 2, tracks: {mood: 0.5, sud: 0.4}") + "tracks: {mood: {}, sud: {}}\n",
        [r"mine.yaml:3:\d+: error: sources.community.tracks: .*0\.9"],
    ),
    "a date far outside": (
        PROGRAM + "calendar: {closed: [2052-05-25]}\n",
        [r"mine.yaml:8:21: error: calendar.closed\[0\]: 2052-05-25 is more than three years after"],
    ),
    "duplicate keys": (
        PROGRAM + "name: other\n",
        [r'mine.yaml:8:1: error: name: the key "name" is given twice, first in line 1'],
    ),
    "something for later": (
        PROGRAM + "search: {levels.iop.places: {min: 8, max: 16}}\n",
        [r"mine.yaml:8:1: error: search: not supported yet; write the values in a sweep file"],
    ),
    "words of dates and money": (
        PROGRAM
        + """\
from_today: {as_off: 2027-01-04}
money: {billing: {claim_denied: 0.05}}
changes: [{from: 2027-03-01, set: {levels.iop.placse: 14, levels.iop.stay_days: 30, levels.iop.places: null}}]
""",
        [
            r'mine.yaml:8:14: error: from_today.as_off: unknown key \(did you mean "as_of"\?\)',
            r'mine.yaml:9:19: error: money.billing.claim_denied: unknown key \(did you mean "claims_denied"\?\)',
            r'mine.yaml:10:85: error: changes\[0\].set."levels.iop.places": null is no value',
        ],
    ),
    "what cannot change on a date": (
        PROGRAM
        + "changes: [{from: 2027-03-01, set: {levels.iop.placse: 14, levels.iop.stay_days: 30, run.seed: 3}}]\n",
        [
            r'mine.yaml:8:36: error: changes\[0\].set."levels.iop.placse": no such .* mean "levels.iop.places"\?\)',
            r'mine.yaml:8:59: error: changes\[0\].set."levels.iop.stay_days": cannot change on a date; of levels.iop '
            r"these can: .*`places`",
            r'mine.yaml:8:85: error: changes\[0\].set."run.seed": cannot change on a date; it is the same',
        ],
    ),
    "a metric that does not exist": (
        PROGRAM + "targets: [{metric: iop.wait_dais.p90, at_most: 14}]\n",
        [r'mine.yaml:8:12: error: targets\[0\].metric: no metric "iop.wait_dais.p90" \(.* "iop.wait_days.p90"\?\)'],
    ),
    "no YAML": ("levels: {iop: [\n", [r"mine.yaml:\d+:\d+: error: "]),
    "a list": ("- one\n- two\n", [r"mine.yaml: error: a scenario is made of `key: value` lines; got a list"]),
    "an empty file": ("", [r"mine.yaml: error: the file is empty; `iopsim new` writes a scenario"]),
    "a binary": (b"\x7fELF\x02\x01\x01\x00\x00", [r"mine.yaml: error: the file is not text"]),
    "a latin-1 file": (PROGRAM.encode() + b"description: caf\xe9\n", [r"mine.yaml(:\d+:\d+)?: error: .*not UTF-8"]),
    "over 1 MB": ("# " + "x" * 1_000_001, [r"mine.yaml: error: .*over 1 MB"]),
    "an alias bomb": (BOMB, [r"mine.yaml:\d+:\d+: error: .*aliases"]),
    "a missing base": ("extends: basis.yaml\n", [r'mine.yaml:1:1: error: extends: there is no file "basis.yaml"']),
    "a base that is itself": ("extends: mine.yaml\n", [r"mine.yaml:1:1: error: extends: the files extend each other"]),
}  # fmt: skip


def assert_told(code: int, out: str, err: str, patterns: list[str]) -> None:
    *faults, count = err.splitlines()
    assert (code, out) == (2, "")
    assert count == f"{len(faults)} error{'s' * (len(faults) != 1)}"
    assert len(faults) == len(patterns), err
    for fault, pattern in zip(faults, patterns, strict=True):
        assert re.match(pattern, fault), fault


@pytest.mark.parametrize(
    ("command", "case"),
    [
        (command, case)
        for case in CASES
        for command in ("validate", "run", "show --resolved", "compare")
        if command == "validate" or case in EVERYWHERE
    ],
)
def test_every_mistake_is_told_with_its_place(
    iopsim: Iopsim, tmp_path: Path, command: str, case: str
) -> None:
    content, patterns = CASES[case]
    Path("mine.yaml").write_bytes(content if isinstance(content, bytes) else content.encode())
    more = [MINIMAL] if command == "compare" else []
    began = time.process_time()
    answer = iopsim(*command.split(), "mine.yaml", *more)
    assert time.process_time() - began < SECONDS
    assert_told(*answer, patterns)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.yaml"]


@pytest.mark.parametrize("command", ["validate", "run", "show", "metrics"])
def test_what_is_no_file_is_said_to_be_none(iopsim: Iopsim, tmp_path: Path, command: str) -> None:
    (tmp_path / "folder.yaml").mkdir()
    assert_told(*iopsim(command, "folder.yaml"), [r'folder.yaml: error: "folder.yaml" is a folder'])
    assert_told(*iopsim(command, "missing.yaml"), [r'missing.yaml: error: there is no file "missing.yaml"'])
    Path("mine.yaml").write_text(PROGRAM, encoding="utf-8")
    assert_told(*iopsim(command, "mime.yaml"), [r'mime.yaml: error: .* \(did you mean "mine.yaml"\?\)'])


def test_mistakes_of_a_file_its_base_and_the_command_line_come_together(iopsim: Iopsim) -> None:
    Path("base.yaml").write_text(PROGRAM.replace("per_week", "per_weak"), encoding="utf-8")
    Path("mine.yaml").write_text("extends: base.yaml\nlevels:\n  iop: {placess: 3}\n", encoding="utf-8")
    expected = [
        r'--set:1:5: error: run.weks: unknown key \(did you mean "weeks"\?\)',
        r"base.yaml:3:24: error: sources.community.per_weak: unknown key",
        r'mine.yaml:3:9: error: levels.iop.placess: unknown key \(did you mean "places"\?\)',
    ]
    assert_told(*iopsim("run", "mine.yaml", "--set", "run.weks=3"), expected)


@pytest.mark.parametrize(
    ("assignment", "said"),
    [
        (
            "levels.iop.placse=3",
            r'--set:1:12: error: levels.iop.placse: unknown key \(did you mean "places"\?\)',
        ),
        ("levels.iop.places=many", r'--set:1:12: error: levels.iop.places: .*"many"'),
        ("levels.iop.places", r"--set:1:18: error: expected path=value, such as run.seed=7"),
        ("run.weeks=0", r"--set:1:5: error: run.weeks: .*0"),
        ("levels.iop.stay_days={gamma: {mean: 4}}", r"--set:1:\d+: error: levels.iop.stay_days.gamma.*cv"),
    ],
)
def test_a_mistake_in_set_points_into_the_option(iopsim: Iopsim, assignment: str, said: str) -> None:
    assert_told(*iopsim("run", MINIMAL, "--set", assignment), [said])


def test_an_assignment_to_a_metric_that_does_not_exist_points_into_the_option(iopsim: Iopsim) -> None:
    target = "targets=[{metric: iop.wait_dais.p90, at_most: 14}]"
    said = r'--set:1:11: error: targets\[0\].metric: no metric "iop.wait_dais.p90" \(did you mean "iop.wait_days.p90"'
    assert_told(*iopsim("run", MINIMAL, "--set", target), [said])


def test_of_very_many_mistakes_a_hundred_are_shown(iopsim: Iopsim) -> None:
    Path("mine.yaml").write_text(PROGRAM + "".join(f"x{n}: 1\n" for n in range(150)), encoding="utf-8")
    code, out, err = iopsim("validate", "mine.yaml")
    assert (code, out) == (2, "")
    assert len(err.splitlines()) == 101
    assert err.endswith("\n150 errors; the first 100 are shown\n")


def test_a_process_of_its_own_says_the_same_and_soon(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(BOMB, encoding="utf-8")
    began = os.times()
    answer = spawned("run", "mine.yaml", folder=tmp_path)
    assert os.times().children_user - began.children_user < SECONDS
    assert_told(*answer, CASES["an alias bomb"][1])
