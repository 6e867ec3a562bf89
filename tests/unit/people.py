"""A scenario that begins today, with its files of patients."""

from __future__ import annotations

from pathlib import Path

import pytest

from iopsim.errors import InputError
from iopsim.scenario import Scenario, load

SCENARIO = """\
run: {weeks: 4, run_out_weeks: 2}
from_today:
  as_of: 2027-01-04
  census: {csv: census.csv, columns: {start: Begin}}
  waitlist: {csv: list.csv}
  applications: {csv: calls.csv, level: iop}
  waitlist_under: {iop: 3}
tracks: {mood: {label: Mood and anxiety}, sud: {}}
payers: {medicaid: {}, private: {}}
sources:
  ward: {to: php, per_week: 1, tracks: {mood: 1}, payers: {medicaid: 1}}
  community: {to: iop, per_week: 3, label: The town, tracks: {mood: 0.5, sud: 0.5}, payers: {medicaid: 1}}
  clinic: {to: iop, per_week: 1, tracks: {sud: 1}, payers: {private: 1}}
levels:
  php: {places: {mood: 5}, stay_days: 20, next: {iop: 1}}
  iop:
    label: Intensive outpatient
    phases: [{weeks: 8, days_per_week: 3}]
    caseload: therapist
    intake: {role: intake, minutes: 60}
    groups:
      morning: {label: Morning group, days: [mon, wed, fri], seats: 8}
      late: {days: [mon, wed, fri], start: "17:00", time: evening, seats: 8}
  after: {stay_days: 30, groups: {later: {days: [tue], seats: 8}}}
staff: {therapist: {posts: 2, caseload: 12}, intake: {posts: 1}}
"""
CENSUS = """\
ID,Level,Begin,Group,Therapist,Sessions,Track,Payer
p1,iop,2026-12-01,Morning  GROUP,Anna,4,mood,private
p2,Intensive Outpatient,2026-12-02 09:00,late,Bob,,SUD,
p3,php,2027-01-04,,Carla,,Mood and anxiety,
p4,iop,2026-12-01,morning,anna,12.0,mood,
,iop,2026-12-01,morning,,,mood,
"""
LIST = """\
id,level,joined,origin,track,time,source
p3,iop,2027-01-02,,mood,evening,
w2,iop,2026-12-20,returned,sud,,clinic
w3,iop,2026-12-21,,sud,either,clinic
w4,iop,2026-12-22,the town,mood,,
w5,iop,2026-12-22,,mood,,ward
"""
CALLS = """\
referred,appointment,track,origin
2027-01-03,2027-01-05 09:00,mood,
2026-12-30,,sud,clinic
"""


def lay(folder: Path) -> Path:
    """The scenario and its files, in a folder."""
    for name, text in (
        ("mine.yaml", SCENARIO),
        ("census.csv", CENSUS),
        ("list.csv", LIST),
        ("calls.csv", CALLS),
    ):
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def loaded(folder: Path, *sets: str) -> Scenario:
    return load(folder / "mine.yaml", sets)


def refusal(folder: Path, *sets: str) -> list[str]:
    """The faults, without the place in the scenario's file."""
    with pytest.raises(InputError) as caught:
        loaded(folder, *sets)
    return [f"{fault.path.removeprefix('from_today.')}: {fault.message}" for fault in caught.value.faults]
