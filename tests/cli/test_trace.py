"""A scenario that replays referrals of a file, from the command line to results that hold none of them."""

from __future__ import annotations

import csv
import json
import shutil
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from iopsim.experiment.store import read_run
from tests.cli.sessions import files, only_folder

if TYPE_CHECKING:
    from tests.cli.conftest import Iopsim

SCENARIO = """\
run: {weeks: 6, warm_up_weeks: 2, run_out_weeks: 2, replications: 6, seed: 9}
tracks: {mood: {label: Mood and anxiety}, sud: {}}
sources:
  community: {to: day_care, per_week: 3, tracks: {mood: 0.5, sud: 0.5}}
  hospital: {to: day_care, trace: {csv: data/referrals.csv, date: Referral Date, track: Program}}
levels:
  day_care:
    phases: [{weeks: 3, days_per_week: 2}]
    waitlist: {patience_days: {exponential: {mean: 30}}}
    groups: {morning: {days: [mon, wed], seats: 9}}
"""
DATES = [f"2027-{1 + week // 4:02}-{4 + 7 * (week % 4):02}" for week in range(8)]
ROWS = [
    f"x{number:04}\t{date}\t{'Mood and anxiety' if number % 2 else 'SUD'}"
    for number, date in enumerate(DATES)
]
FILE = "\ufeffRecord\tReferral Date\tProgram\r\n" + "\r\n".join(ROWS)
QUIET = ("--no-figures", "--quiet")


@pytest.fixture
def folder(iopsim: Iopsim) -> Path:
    """The scenario and its file in a folder beside the working folder."""
    home = Path("plans")
    (home / "data").mkdir(parents=True)
    (home / "mine.yaml").write_text(SCENARIO, encoding="utf-8")
    (home / "data" / "referrals.csv").write_text(FILE, encoding="utf-8", newline="")
    return home


def referrals(folder: Path) -> dict[str, float]:
    rows = csv.DictReader((folder / "summary.csv").read_text(encoding="utf-8").splitlines())
    return {
        row["metric"]: float(row["estimate"]) for row in rows if row["metric"].endswith("referrals.per_week")
    }


def everything(folder: Path) -> bytes:
    """All bytes of a folder, unpacked."""
    found = []
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as packed:
                found += [packed.read(name) for name in packed.namelist()]
        found.append(path.read_bytes())
    return b"\n".join(found)


def test_validate_and_show(iopsim: Iopsim, folder: Path) -> None:
    assert iopsim("validate", folder / "mine.yaml").code == 0
    code, out, _ = iopsim("show", folder / "mine.yaml")
    assert code == 0
    assert "csv: data/referrals.csv" in out
    assert "2027-01-11" not in out
    (folder / "shown.yaml").write_text(out, encoding="utf-8")
    assert iopsim("show", folder / "shown.yaml").out == out


def test_a_fault_in_the_file(iopsim: Iopsim, folder: Path) -> None:
    (folder / "data" / "referrals.csv").write_text(FILE.replace("2027-01-11", "1/11/2027"), encoding="utf-8")
    code, _, err = iopsim("run", folder / "mine.yaml", *QUIET)
    assert code == 2
    assert 'data/referrals.csv:3: column "Referral Date" has a date in which day and month may be' in err
    assert "1/11/2027" not in err


def test_workers_and_parts_meet_the_same_patients(iopsim: Iopsim, folder: Path) -> None:
    mine = folder / "mine.yaml"
    assert iopsim("run", mine, *QUIET, "--workers", "1", "--out", "one").code == 0
    assert iopsim("run", mine, *QUIET, "--workers", "2", "--cache", "second", "--out", "two").code == 0
    parts = [
        iopsim(
            "run", mine, *QUIET, "--workers", "1", "--shard", f"{part}/2", "--cache", f"m{part}"
        ).out.strip()
        for part in (1, 2)
    ]
    assert iopsim("merge", mine, *parts, "--no-figures", "--cache", "third", "--out", "three").code == 0
    tables = [
        {name: content for name, content in files(Path(name_of)).items() if name != "manifest.json"}
        for name_of in ("one", "two", "three")
    ]
    assert tables[0] == tables[1] == tables[2]
    assert referrals(Path("one"))


def test_results_hold_no_referral_and_are_read_without_the_file(iopsim: Iopsim, folder: Path) -> None:
    mine = folder / "mine.yaml"
    assert iopsim("run", mine, *QUIET, "--workers", "1", "--out", "before").code == 0
    held = everything(Path("before"))
    assert b"Referral Date" in held
    assert not any(row.encode() in held for row in (*DATES[1:], "x0003", "SUD"))
    manifest = json.loads(Path("before/manifest.json").read_text(encoding="utf-8"))
    assert manifest["data"].keys() == {"sources.hospital.trace"}
    assert manifest["traced"] == {"hospital": [0, 8]}

    def compared(*plans: object) -> Any:
        code, out, err = iopsim(
            "compare", *plans, "--workers", "1", "--no-figures", "--json", "--metric", "day_care.census.mean"
        )
        assert (code, err) == (0, "")
        return json.loads(out)

    more = "extends: mine.yaml\nlevels: {day_care: {groups: {morning: {seats: 12}}}}\n"
    (folder / "more.yaml").write_text(more, encoding="utf-8")
    found = compared("before", folder / "more.yaml")
    assert [row["matched_patients_share"] for row in found["plans"]] == [1.0, 1.0]
    (folder / "data" / "referrals.csv").unlink()
    assert iopsim("run", mine, *QUIET, "--workers", "1").code == 2
    shutil.copytree("before", "copy")
    found = compared("before", "copy")
    assert [row["matched_patients_share"] for row in found["plans"]] == [1.0, 1.0]
    read = read_run("before").scenario()
    assert read.sources["hospital"].weekly(read.run) == pytest.approx(1, abs=0.25)


def test_another_file_is_another_plan(iopsim: Iopsim, folder: Path) -> None:
    mine = folder / "mine.yaml"
    assert iopsim("run", mine, *QUIET, "--workers", "1", "--out", "before").code == 0
    (folder / "data" / "referrals.csv").write_text(FILE.replace("2027-01-18", "2027-01-19"), encoding="utf-8")
    assert iopsim("run", mine, *QUIET, "--workers", "1", "--out", "after").code == 0
    code, out, _ = iopsim("diff", "before", "after")
    assert code == 0
    assert "sources.hospital.trace.sha256" in out
    (folder / "data" / "referrals.csv").rename(folder / "data" / "other.csv")
    (folder / "mine.yaml").write_text(SCENARIO.replace("referrals.csv", "other.csv"), encoding="utf-8")
    code, out, _ = iopsim("diff", "after", folder / "mine.yaml")
    assert "sources.hospital" not in out


def test_a_sweep_in_another_folder(iopsim: Iopsim, folder: Path) -> None:
    Path("studies").mkdir()
    study = "base: ../plans/mine.yaml\nparameters: {levels.day_care.groups.morning.seats: {values: [6, 9]}}\n"
    Path("studies/study.yaml").write_text(study + "metrics: [day_care.wait_days.mean]\n", encoding="utf-8")
    code, _, err = iopsim("sweep", "studies/study.yaml", "--workers", "1", "--no-figures", "--quiet")
    assert (code, err) == (0, "")
    results = only_folder(Path("results"))
    assert not any(row.encode() in everything(results) for row in (*DATES[1:], "x0003"))
