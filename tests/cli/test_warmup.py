"""`iopsim warmup`, and `run.warm_up_weeks: auto` where other commands meet it."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.cli.sessions import MINIMAL, files, setting

if TYPE_CHECKING:
    from tests.cli.conftest import Iopsim

ALONE = ("--workers", "1")
QUIET = (*ALONE, "--quiet", "--no-figures")


@pytest.fixture
def growing(tmp_path: Path) -> str:
    """A scenario with a list that only grows beside a level that is in equilibrium."""
    path = tmp_path / "growing.yaml"
    path.write_text(
        """
run: {weeks: 26, warm_up_weeks: 12, run_out_weeks: 8, replications: 6}
sources: {door: {to: ward, per_week: 5}}
levels:
  ward: {label: Ward, places: 9, stay_days: 14, next: {clinic: 1}}
  clinic: {places: 20, stay_days: 14, waitlist: {patience_days: 30}}
targets:
  - {metric: ward.wait_days.mean, at_most: 5}
  - {metric: clinic.waitlist.mean, at_most: 5}
""",
        encoding="utf-8",
    )
    return str(path)


def test_it_says_how_long_and_why_and_whether_the_scenario_agrees(iopsim: Iopsim, tmp_path: Path) -> None:
    code, out, err = iopsim("warmup", MINIMAL, *ALONE, "--out", "answer", *setting(warm_up_weeks=10))
    lines = out.splitlines()
    assert code == 0
    assert err.splitlines()[-1].startswith("minimal, warm-up: 10 of 10 replications")
    assert lines[0] == "minimal: 10 pilot runs of 110 weeks"
    table = {line.strip()[:-2].strip(): int(line[-2:]) for line in lines[3:5]}
    weeks = max(table.values())
    assert list(table) == ["census of iop", "waitlist of iop"]
    assert " ".join(lines[5].split()) == "three times the slowest 18 the mean stay in iop (42 days)"
    assert weeks > 18
    assert lines[-3].startswith(f"Warm-up: {weeks} weeks, until the ")
    assert lines[-2] == (
        f"The scenario's own is 10, which is too short: set run.warm_up_weeks to {weeks}, or to auto."
    )
    assert lines[-1] == "results: answer"
    written = files(tmp_path / "answer")
    assert set(written) == {
        "scenario.resolved.yaml",
        "warmup.csv",
        "figures/warm-up.svg",
        "figures/warm-up.png",
    }
    rows = list(csv.DictReader(written["warmup.csv"].decode().splitlines()))
    assert list(rows[0]) == ["series", "week", "mean", "moving_average"]
    assert [row["week"] for row in rows if row["series"] == "iop.waitlist"] == [str(n) for n in range(1, 111)]
    manifest = json.loads((tmp_path / "answer" / "manifest.json").read_text(encoding="utf-8"))
    assert (manifest["kind"], manifest["warm_up_weeks"]) == ("warm-up", weeks)


def test_the_figure_says_in_words_what_it_shows(iopsim: Iopsim, tmp_path: Path) -> None:
    iopsim("warmup", MINIMAL, *ALONE, "--quiet", "--out", "answer")
    picture = (tmp_path / "answer" / "figures" / "warm-up.svg").read_text(encoding="utf-8")
    for words in (
        "iop: in care",
        "iop: waiting",
        "Weeks since opening",
        "moving average, 13 weeks",
        "warm-up",
    ):
        assert words in picture
    assert "MSER-5 leaves out: census of iop " in picture  # for who cannot see it


def test_json_holds_the_same(iopsim: Iopsim) -> None:
    code, out, err = iopsim("warmup", MINIMAL, *QUIET, "--json", "--out", "answer", "--replications", "3")
    assert (code, err) == (0, "")
    answer = json.loads(out)
    assert answer["pilots"] == 3
    assert answer["floor"] == {"weeks": 18, "days": 42.0, "what": "the mean stay in iop"}
    assert [one["name"] for one in answer["series"]] == ["iop.census", "iop.waitlist"]
    assert answer["warm_up_weeks"] == max(18, *(one["weeks"] for one in answer["series"]))
    assert answer["own_warm_up_weeks"] == 52
    assert answer["notes"] == [f"Warm-up: {answer['warm_up_weeks']} weeks, {answer['why']}."]


def test_workers_and_the_cache_change_no_byte(iopsim: Iopsim, tmp_path: Path) -> None:
    first = iopsim("warmup", MINIMAL, "--workers", "2", "--quiet", "--out", "one", "--cache", "one.cache")
    again = iopsim("warmup", MINIMAL, "--workers", "1", "--quiet", "--out", "two", "--cache", "two.cache")
    kept = sorted(tmp_path.glob("one.cache/**/*.rep"))
    assert (first.code, again.code, len(kept)) == (0, 0, 10)
    for path in kept:
        path.chmod(0o444)
    stamps = [path.stat().st_mtime_ns for path in kept]
    assert iopsim("warmup", MINIMAL, *ALONE, "--quiet", "--out", "three", "--cache", "one.cache").code == 0
    assert [path.stat().st_mtime_ns for path in kept] == stamps
    assert files(tmp_path / "one") == files(tmp_path / "two") == files(tmp_path / "three")


def test_what_pilots_cannot_find_is_an_input_error(iopsim: Iopsim) -> None:
    code, out, err = iopsim("warmup", MINIMAL, *ALONE, "--set", "levels.iop.stay_days=4000")
    assert (code, out) == (2, "")
    assert "error: run.warm_up_weeks: cannot be found: the mean stay in iop is 4000 days" in err


def test_a_run_with_auto_is_the_run_with_the_number(iopsim: Iopsim, tmp_path: Path) -> None:
    found = json.loads(iopsim("warmup", MINIMAL, *QUIET, "--json", "--out", "answer").out)
    weeks = found["warm_up_weeks"]
    short = ("--replications", "3", *setting(weeks=6, run_out_weeks=2))
    code, out, _ = iopsim(
        "run", MINIMAL, *ALONE, "--no-figures", *short, *setting(warm_up_weeks="auto"), "--out", "auto"
    )
    assert code == 0
    assert f"note: {found['notes'][0]}" in out
    assert iopsim("run", MINIMAL, *QUIET, *short, *setting(warm_up_weeks=weeks), "--out", "number").code == 0
    assert files(tmp_path / "auto") == files(tmp_path / "number")
    assert f"warm_up_weeks: {weeks},".encode() in files(tmp_path / "auto")["scenario.resolved.yaml"]


def test_waits_that_only_grow_are_not_printed_as_if_they_were_stable(iopsim: Iopsim, growing: str) -> None:
    code, out, err = iopsim("run", growing, *ALONE, "--no-figures", "--out", "answer")
    assert code == 0
    assert "the waitlist never settles" in err
    assert (
        "note: Ward is not in equilibrium (ward places: 10.0 places needed, 9.0 there (111%)): nobody " in out
    )
    of_ward, of_clinic = out.split("Access: clinic")[0], out.split("Access: clinic")[1]
    shown = [line for line in of_ward.splitlines() if "Wait" in line]
    assert len(shown) == 4
    assert all("not steady" in line for line in shown)
    assert "not steady" not in of_clinic.split("target")[0]
    assert "target ward.wait_days.mean at most 5: " in out
    assert " (not steady) undecided" in out
    with Path("answer/summary.csv").open(encoding="utf-8") as file:
        rows = {row["metric"]: row for row in csv.DictReader(file)}
    blank = {name for name, row in rows.items() if row["estimate"] and not row["ci_low"] and row["n"] == "6"}
    waits = {f"wait_days.{which}" for which in ("mean", "p50", "p90", "p95")}
    waits |= {f"access_days.{which}" for which in ("mean", "p50", "p90", "p95")}
    waits |= {"started_within_7_days.share", "started_within_14_days.share", "waitlist.mean", "waitlist.max"}
    assert blank & {f"ward.{name}" for name in waits} == {
        f"ward.{name}" for name in waits if f"ward.{name}" in rows
    }
    assert not any(name.startswith("clinic.wait") for name in blank)
    assert rows["ward.wait_days.mean"]["verdict"] == "undecided"
    assert rows["ward.census.mean"]["ci_low"]
