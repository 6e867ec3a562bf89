"""A run from today at the terminal: what it prints, what it leaves, and what there is not."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.cli.sessions import MINIMAL

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Iopsim

PLAN = """
run: {weeks: 6, run_out_weeks: 2, replications: 3}
from_today:
  as_of: 2027-01-04
  census: {csv: census.csv, level: bed}
  waitlist: {csv: list.csv, level: bed, columns: {joined: Since}}
  waitlist_under: {bed: 3}
sources: {door: {to: bed, per_week: 2.0}}
levels: {bed: {places: 2, stay_days: {exponential: {mean: 5}}}}
"""


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    (tmp_path / "census.csv").write_text("id,start\nSECRET-1,2026-12-31\n")
    (tmp_path / "list.csv").write_text("id,Since\nSECRET-7,2026-12-20\nSECRET-8,2026-12-08\n")
    (tmp_path / "plan.yaml").write_text(PLAN)
    return tmp_path


def test_the_weeks_and_the_lists_follow_the_table(iopsim: Iopsim, plan: Path) -> None:
    code, out, err = iopsim("run", "plan.yaml", "--workers", "1", "--no-figures", "--events", "--out", "out")
    assert code == 0, err
    lines = out.splitlines()
    heading = next(at for at, line in enumerate(lines) if line.startswith("Week by week: mean, precision"))
    assert lines[0].startswith("plan: 6 weeks from 2027-01-04, 3 replications")
    assert lines[heading + 4].split()[0] == "2027-01-04"
    answers = [line for line in lines[heading:] if line.startswith(("Of 2 on", "The list of bed"))]
    assert len(answers) == 2
    assert (plan / "out" / "starts.csv").read_text().count("\n") == 3
    assert "SECRET" not in out + err


def test_patients_are_named_on_request_only(iopsim: Iopsim, plan: Path) -> None:
    options = ("--workers", "1", "--no-figures", "--quiet")
    assert iopsim("run", "plan.yaml", *options, "--out", "plain").code == 0
    assert iopsim("run", "plan.yaml", *options, "--name-patients", "--out", "named").code == 0
    plain, named = ((plan / name / "starts.csv").read_text() for name in ("plain", "named"))
    assert [
        f"{line},{who}" for line, who in zip(plain.split(), ("id", "SECRET-8", "SECRET-7"), strict=True)
    ] == (named.split())
    code, _, err = iopsim("run", MINIMAL, "--name-patients")
    assert code == 2
    assert "from_today" in err


def test_programs_read_the_answers(iopsim: Iopsim, plan: Path) -> None:
    answer = json.loads(iopsim("run", "plan.yaml", "--workers", "1", "--no-figures", "--json").out)
    assert [said.partition(" ")[0] for said in answer["today"]] == ["Of", "The", "Too"]
    assert {"bed.weeks_until_under.p50", "bed.stays_under.share"} <= {
        one["metric"] for one in answer["metrics"]
    }


def test_there_is_no_warm_up_to_find(iopsim: Iopsim, plan: Path) -> None:
    code, _, err = iopsim("warmup", "plan.yaml")
    assert code == 2
    assert err.startswith("plan.yaml:3:1: error: from_today: a run from today has no warm-up")
