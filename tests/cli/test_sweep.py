"""`iopsim sweep`: every point with the same patients, tables, figures, an answer, and an exit code."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from iopsim.experiment.encoding import csv_cell
from iopsim.experiment.statistics import mean_of
from tests.cli.sessions import at_terminal, files, only_folder

if TYPE_CHECKING:
    from tests.cli.conftest import Iopsim
    from tests.cli.sessions import Answer

BASE = """\
run: {weeks: 8, warm_up_weeks: 6, run_out_weeks: 8, replications: 6, seed: 5}
sources: {community: {to: day_care, per_week: 3}}
levels:
  day_care:
    label: Day care
    caseload: clinician
    phases: [{weeks: 4, days_per_week: 3}]
    waitlist: {patience_days: {exponential: {mean: 30}}}
    groups: {morning: {days: [mon, wed, fri], seats: 12}}
staff: {clinician: {label: Clinician, posts: 2, caseload: 6, salary_per_year: 52000}}
targets: [{metric: day_care.wait_days.mean, at_most: 9}]
"""
SWEEP = """\
base: base.yaml
parameters:
  staff.clinician.posts: {label: Clinicians, values: [1, 2, 3]}
  levels.day_care.groups.*.seats: {label: Seats, values: [8, 16]}
"""
ALONE = ("--workers", "1", "--no-figures")


@pytest.fixture
def sweep(iopsim: Iopsim) -> str:
    """A sweep of six points, and its base, in the working folder."""
    Path("base.yaml").write_text(BASE, encoding="utf-8")
    Path("study.yaml").write_text(SWEEP, encoding="utf-8")
    return "study.yaml"


def rows(folder: Path, name: str) -> list[dict[str, str]]:
    return list(csv.DictReader((folder / name).read_text(encoding="utf-8").splitlines()))


def json_of(answer: Answer) -> dict[str, Any]:
    assert (answer.code, answer.err) == (0, "")
    found: dict[str, Any] = json.loads(
        answer.out, parse_constant=lambda name: pytest.fail(f"{name} is no JSON")
    )
    return found


# What is written


def test_every_point_and_metric_is_in_the_tidy_table(iopsim: Iopsim, sweep: str, tmp_path: Path) -> None:
    assert iopsim("sweep", sweep, *ALONE, "--quiet", "--out", "answer").out == "answer\n"
    folder = tmp_path / "answer"
    assert set(files(folder)) == {
        "sweep.csv", "points.csv", "frontier.csv", "sweep.resolved.yaml", "base.resolved.yaml",
    }  # fmt: skip
    points, table = rows(folder, "points.csv"), rows(folder, "sweep.csv")
    values = [(one["staff.clinician.posts"], one["levels.day_care.groups.*.seats"]) for one in points]
    assert values == [(posts, seats) for posts in "123" for seats in ("8", "16")]
    assert {one["replications"] for one in points} == {"6"}
    metrics = {one["metric"] for one in table}
    assert len(table) == len(points) * len(metrics)
    by_place = {(one["point"], one["metric"]): one for one in table}
    for one in points:
        cost = by_place[one["point"], "program.cost.total"]
        assert (one["program.cost.total"], one["program.cost.total:ci_low"]) == (
            cost["estimate"],
            cost["ci_low"],
        )
        wait = by_place[one["point"], "day_care.wait_days.mean"]
        assert (one["day_care.wait_days.mean"], one["verdict"]) == (wait["estimate"], wait["verdict"])
        assert (wait["target"], wait["unit"], cost["target"]) == ("at most 9", "days", "")


def test_a_point_is_what_a_run_of_it_is(iopsim: Iopsim, sweep: str, tmp_path: Path) -> None:
    """The same numbers to the last digit: by another command, another cache and another process count."""
    iopsim("sweep", sweep, *ALONE, "--quiet", "--out", "answer")
    sets = ("--set", "staff.clinician.posts=3", "--set", "levels.day_care.groups.morning.seats=8")
    iopsim("run", "base.yaml", *sets, *ALONE, "--quiet", "--out", "alone", "--cache", "other")
    run = {one["metric"]: one for one in rows(tmp_path / "alone", "summary.csv")}
    point = {one["metric"]: one for one in rows(tmp_path / "answer", "sweep.csv") if one["point"] == "5"}
    assert point.keys() == run.keys()
    for name, one in point.items():
        for column in ("unit", "estimate", "ci_low", "ci_high", "sd", "n", "target", "verdict"):
            assert one[column] == run[name][column], (name, column)


def test_the_answer_is_the_cheapest_that_meets_the_target(iopsim: Iopsim, sweep: str, tmp_path: Path) -> None:
    found = json_of(iopsim("sweep", sweep, *ALONE, "--json"))
    points = found["points"]
    assert [one["point"] for one in points] == [1, 2, 3, 4, 5, 6]
    met = sorted((one["program.cost.total"], one["point"]) for one in points if one["verdict"] == "met")
    assert len(met) >= 2, "the sweep of this test has something to answer"
    assert found["meeting"] == [number for _, number in met]
    folder = tmp_path / found["results"]
    assert folder == only_folder(tmp_path / "results")
    assert folder.parent.name == "study"
    assert [int(one["point"]) for one in rows(folder, "frontier.csv")] == found["frontier"]
    costs = [
        [float(one["program.cost.total"]) for one in rows(tmp_path / name, "replications.csv")]
        for name in (run_of(iopsim, points[number - 1], str(number)) for number in found["meeting"][:2])
    ]
    difference = mean_of([there - here for here, there in zip(*costs, strict=True)]).interval
    told = found["runner_up_costs_more"]
    assert told == pytest.approx(
        {"estimate": difference.estimate, "low": difference.low, "high": difference.high, "n": 6}
    )
    assert f"(point {found['meeting'][0]})" in found["answer"][0]


def run_of(iopsim: Iopsim, point: dict[str, Any], out: str) -> str:
    """A run of one point alone; its folder."""
    sets = [f"staff.clinician.posts={point['staff.clinician.posts']}"]
    sets += [f"levels.day_care.groups.morning.seats={point['levels.day_care.groups.*.seats']}"]
    options = [word for one in sets for word in ("--set", one)]
    assert iopsim("run", "base.yaml", *options, *ALONE, "--quiet", "--out", out).code == 0
    return out


def test_the_folder_reads_back_as_the_same_sweep(iopsim: Iopsim, sweep: str, tmp_path: Path) -> None:
    iopsim("sweep", sweep, *ALONE, "--quiet", "--out", "answer", "--set", "sources.community.per_week=2")
    again = iopsim(
        "sweep", "answer/sweep.resolved.yaml", *ALONE, "--quiet", "--out", "again", "--cache", "other"
    )
    assert (again.code, again.err) == (0, "")
    assert files(tmp_path / "again") == files(tmp_path / "answer")
    assert str(tmp_path) not in (tmp_path / "answer" / "sweep.resolved.yaml").read_text(encoding="utf-8")


def test_figures_of_two_parameters_and_of_one(iopsim: Iopsim, sweep: str, tmp_path: Path) -> None:
    iopsim("sweep", sweep, "--workers", "1", "--quiet", "--out", "two")
    names = ("heat-map-day_care-wait_days-mean", "lines", "frontier")
    drawn = {name for name in files(tmp_path / "two") if name.startswith("figures/")}
    assert drawn == {f"figures/{name}.{kind}" for name in names for kind in ("svg", "png")}
    Path(sweep).write_text("\n".join(SWEEP.splitlines()[:3]) + "\n", encoding="utf-8")
    iopsim("sweep", sweep, "--workers", "1", "--quiet", "--out", "one")
    drawn = {Path(name).stem for name in files(tmp_path / "one") if name.startswith("figures/")}
    assert drawn == {"lines", "frontier"}


def test_named_metrics_and_points_that_only_some_have(iopsim: Iopsim, sweep: str, tmp_path: Path) -> None:
    text = (
        "base: base.yaml\nmetrics: [day_care.census.mean, group.late.attendance.share]\n"
        "parameters:\n  groups:\n    values:\n      one: {}\n"
        "      two: {levels.day_care.groups.late: {days: [mon, wed, fri], seats: 4}}\n"
    )
    Path(sweep).write_text(text, encoding="utf-8")
    assert iopsim("sweep", sweep, *ALONE, "--quiet", "--out", "answer").code == 0
    named = [(one["groups"], one["metric"]) for one in rows(tmp_path / "answer", "sweep.csv")]
    always = ["program.cost.total", "day_care.wait_days.mean"]
    assert named == [
        *(("one", name) for name in ("day_care.census.mean", *always)),
        *(("two", name) for name in ("day_care.census.mean", "group.late.attendance.share", *always)),
    ]


def test_until_precise_each_point_takes_what_it_needs(iopsim: Iopsim, sweep: str, tmp_path: Path) -> None:
    rule = "replications: {min: 4, batch: 4, max: 12, precision: 0.05, of: [day_care.census.mean]}\n"
    Path(sweep).write_text(SWEEP + rule, encoding="utf-8")
    out = iopsim("sweep", sweep, *ALONE).out
    points = rows(only_folder(tmp_path / "results"), "points.csv")
    assert {one["replications"] for one in points} <= {"4", "8", "12"}
    assert {one["precise"] for one in points if one["replications"] != "12"} <= {"yes"}
    short = [one for one in points if one["precise"] == "no"]
    assert all(one["replications"] == "12" for one in short)
    assert ("not yet as precise as asked" in out) == bool(short)


# What is printed


def test_the_table_and_the_answer_on_the_screen(iopsim: Iopsim, sweep: str, tmp_path: Path) -> None:
    code, out, err = iopsim("sweep", sweep, *ALONE)
    assert code == 0
    lines = [line.rstrip() for line in out.splitlines()]
    assert lines[0].startswith("study: 6 points of 6 replications, seed 5")
    (header,) = [line for line in lines if line.split()[:1] == ["point"]]
    assert header.split()[1:3] == ["Clinicians", "Seats"]
    assert any("meet" in line and "target" in line for line in lines)
    assert lines[-1] == f"results: {only_folder(tmp_path / 'results').relative_to(tmp_path)}"
    assert [line for line in err.splitlines() if line.startswith("study: 36 of 36 replications")] != []


def test_markdown_for_the_job_summary(iopsim: Iopsim, sweep: str) -> None:
    out = iopsim("sweep", sweep, *ALONE, "--md").out
    header = next(line for line in out.splitlines() if line.startswith("| point"))
    assert "Clinicians" in header
    assert "day_care.wait_days.mean" in header


def test_a_narrow_terminal_gets_lines_of_its_own(sweep: str, tmp_path: Path) -> None:
    shown = at_terminal("sweep", sweep, *ALONE, folder=tmp_path, columns=60)
    assert shown.code == 0
    said = re.sub("\x1b.*?m", "", shown.out[shown.out.index("6 points of") : shown.out.index("results:")])
    assert max(map(len, said.splitlines())) <= 60
    assert "\n    program.cost.total" in said


def test_json_says_what_the_files_say(iopsim: Iopsim, sweep: str, tmp_path: Path) -> None:
    found = json_of(iopsim("sweep", sweep, *ALONE, "--json", "--out", "answer"))
    plain = [{name: csv_cell(value) for name, value in one.items()} for one in found["points"]]
    assert plain == rows(tmp_path / "answer", "points.csv")


# What it costs


def test_a_dry_run_counts_and_writes_nothing(iopsim: Iopsim, sweep: str, tmp_path: Path) -> None:
    code, out, err = iopsim("sweep", sweep, "--dry-run", "--workers", "2")
    assert (code, err) == (0, "")
    first, second, third = out.splitlines()
    assert first == "6 points of 6 replications"
    assert second == "0 replications are kept already, 36 are to be simulated"
    assert third.startswith("about ")
    assert " on 2 workers, by 0." in third
    assert not (tmp_path / "results").exists()


def test_a_dry_run_knows_what_is_kept(iopsim: Iopsim, sweep: str) -> None:
    iopsim("sweep", sweep, *ALONE, "--quiet", "--set", "run.replications=2")
    out = iopsim("sweep", sweep, "--dry-run").out
    assert "12 replications are kept already, 24 are to be simulated" in out
    until = iopsim("sweep", sweep, "--dry-run", "--precision", "5%", "--replications", "9").out
    assert "6 points of 9 replications" in until


def test_only_what_lacks_is_simulated(iopsim: Iopsim, sweep: str) -> None:
    iopsim("sweep", sweep, *ALONE, "--quiet")
    err = iopsim("sweep", sweep, *ALONE).err
    assert err.splitlines()[0].startswith("study: 36 of 36 replications, 0 s")
    Path(sweep).write_text(SWEEP.replace("[1, 2, 3]", "[3, 4]"), encoding="utf-8")
    assert iopsim("sweep", sweep, *ALONE).err.startswith("study: 12 of 24 replications")


def test_ten_thousand_points_must_be_meant(iopsim: Iopsim, sweep: str) -> None:
    text = SWEEP.replace("values: [1, 2, 3]", "min: 1, max: 101, n: 101").replace(
        "values: [8, 16]", "min: 1, max: 100, n: 100"
    )
    Path(sweep).write_text(text, encoding="utf-8")
    code, out, err = iopsim("sweep", sweep, "--dry-run")
    assert (code, out) == (2, "")
    assert "10,100 points; if so many are meant, say so with --yes" in err


# Verdicts


@pytest.mark.parametrize(
    ("limit", "code"),
    [("at_most: 9", 0), ("at_most: 0.01", 3), ("at_least: 400", 3)],
    ids=["met", "missed", "far"],
)
def test_a_sweep_judges_whether_a_point_meets_all_targets(
    iopsim: Iopsim, sweep: str, limit: str, code: int
) -> None:
    Path("base.yaml").write_text(BASE.replace("at_most: 9", limit), encoding="utf-8")
    assert iopsim("sweep", sweep, *ALONE, "--quiet").code == 0
    assert iopsim("sweep", sweep, *ALONE, "--quiet", "--fail-on-target").code == code


def test_undecided_is_neither(iopsim: Iopsim, sweep: str) -> None:
    found = json_of(iopsim("sweep", sweep, *ALONE, "--json"))
    best = found["points"][-1]["day_care.wait_days.mean"]
    Path("base.yaml").write_text(BASE.replace("at_most: 9", f"at_most: {best:.3f}"), encoding="utf-8")
    answer = iopsim("sweep", sweep, *ALONE, "--fail-on-target")
    assert answer.code == 4
    assert "No point is known to meet all targets:" in answer.out


def test_a_verdict_needs_targets(iopsim: Iopsim, sweep: str, tmp_path: Path) -> None:
    code, _, err = iopsim("sweep", sweep, *ALONE, "--fail-on-target", "--set", "targets=[]")
    assert code == 2
    assert "no targets to judge by" in err
    assert not (tmp_path / "results").exists()
    free = iopsim("sweep", sweep, *ALONE, "--set", "targets=[]")
    assert free.code == 0
    assert "No targets are set" in free.out


# What is wrong


def test_faults_are_told_before_anything_is_simulated(iopsim: Iopsim, sweep: str, tmp_path: Path) -> None:
    text = SWEEP.replace("staff.clinician.posts", "staff.clinicians.posts").replace("[8, 16]", "[8, 0]")
    Path(sweep).write_text(f"{text}metrics: [day_care.wait_dais.mean]\n", encoding="utf-8")
    code, out, err = iopsim("sweep", sweep)
    assert (code, out) == (2, "")
    told = err.splitlines()
    assert [line.split(": error: ")[0] for line in told[:-1]] == [
        f"study.yaml:{place}" for place in ("3:3", "4:62", "5:11")
    ]
    assert told[-1] == "3 errors"
    assert not (tmp_path / "results").exists()


def test_a_folder_that_is_there_is_refused(iopsim: Iopsim, sweep: str) -> None:
    Path("taken").mkdir()
    code, out, err = iopsim("sweep", sweep, *ALONE, "--out", "taken")
    assert (code, out) == (2, "")
    assert err.startswith("--out: error: taken exists already")


def test_json_and_markdown_exclude_each_other(iopsim: Iopsim, sweep: str) -> None:
    code, _, err = iopsim("sweep", sweep, "--json", "--md")
    assert code == 2
    assert "--json and --md exclude each other" in err


def test_a_sweep_is_no_scenario_and_a_scenario_is_no_sweep(iopsim: Iopsim, sweep: str) -> None:
    assert "a file with a `base` is a sweep, not a scenario" in iopsim("run", sweep).err
    assert "this is a scenario, not a sweep; give it to `iopsim run`" in iopsim("sweep", "base.yaml").err
