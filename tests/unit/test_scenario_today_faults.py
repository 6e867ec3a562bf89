"""Runs from today: what is refused in the files of patients and in what the scenario says of them, in which words."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from iopsim.errors import InputError
from iopsim.scenario import Scenario
from iopsim.scenario.file import read
from iopsim.scenario.today import listed
from iopsim.scenario.tree import plain
from tests.unit.people import CALLS, CENSUS, LIST, lay, loaded, refusal


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return lay(tmp_path)


FAULTS = {
    "a level that is none": (
        "census.csv", "p2,Intensive Outpatient", "p2,Outpatience",
        'census.columns: census.csv:3: column "Level" names no level of the scenario; write php, iop or after',
    ),
    "no level": (
        "list.csv", "w2,iop", "w2,",
        'waitlist: list.csv:3: column "level" is empty; write php, iop or after',
    ),
    "a date that is none": (
        "census.csv", "2026-12-01", "2026-02-30",
        'census.columns.start: census.csv:2: column "Begin" is no date of the calendar (and 2 more such lines); write '
        "year, month and day as 2027-01-31, or 2027-01-31 14:30 with the time of day, or drop the line",
    ),
    "a date to come": (
        "census.csv", "2027-01-04", "2027-01-04 00:01",
        'census.columns.start: census.csv:4: column "Begin" is after `as_of`; write when care started, or drop '
        "the line",
    ),
    "a day in another century": (
        "list.csv", "2026-12-20", "0206-12-20",
        'waitlist: list.csv:3: column "joined" is more than a hundred years ago; write when the list was joined, or '
        "drop the line",
    ),
    "a group of another level": (
        "census.csv", "late", "later",
        'census.columns: census.csv:3: column "Group" names no group of the level; write the name or label of one of '
        "its groups",
    ),
    "no group": (
        "census.csv", ",late", ",",
        'census.columns: census.csv:3: column "Group" is empty, and the level has groups; write the name or label of '
        "one of its groups",
    ),
    "no column of groups": (
        "census.csv", "Group", "Room",
        'census.columns: census.csv:1: column "group" is missing, and there are patients in a level with groups; say '
        "its heading under `columns`",
    ),
    "more therapists than posts": (
        "census.csv", "anna", "Dora",
        'census.columns: census.csv:5: column "Therapist" is beyond the posts of "therapist", of which there are 2; '
        "add posts, write fewer names, or leave cells empty",
    ),
    "sessions that are none": (
        "census.csv", "12.0", "12.5",
        'census.columns: census.csv:5: column "Sessions" is no whole number; write how many sessions of the plan were '
        "used, or leave the cell empty",
    ),
    "no track": (
        "census.csv", "SUD", "",
        'census.columns: census.csv:3: column "Track" is empty; write mood or sud',
    ),
    "no column of tracks": (
        "list.csv", "track", "program",
        'waitlist: list.csv:1: column "track" is missing, and the scenario has several tracks; say its heading under '
        "`columns`",
    ),
    "a track without places": (
        "census.csv", "Carla,,Mood and anxiety", "Carla,,sud",
        'census.columns: census.csv:4: column "Track" names one for which the level has no places; write mood or sud',
    ),
    "a payer that is none": (
        "census.csv", "mood,private", "mood,Aetna",
        'census.columns: census.csv:2: column "Payer" names no payer of the scenario; write medicaid or private, or '
        "leave the cell empty",
    ),
    "a time that no group meets at": (
        "list.csv", "either", "noon",
        'waitlist: list.csv:4: column "time" names no time of the scenario; write day, evening or either, or leave the '
        "cell empty",
    ),
    "an origin that is none": (
        "list.csv", "the town", "the village",
        'waitlist: list.csv:5: column "origin" names no origin of the scenario; write ward, community, clinic, php, '
        "iop, after or returned, or leave the cell empty",
    ),
    "a level to which no source refers": (
        "list.csv", "w5,iop,2026-12-22,", "w5,after,2026-12-22,",
        'waitlist: list.csv:6: column "origin" is empty, and no source refers to the level; write ward, community, '
        "clinic, php, iop, after or returned, or leave the cell empty",
    ),
    "a source that is none": (
        "list.csv", "evening,", "evening,the moon",
        'waitlist: list.csv:2: column "source" names no source of the scenario; write ward, community or clinic, or '
        "leave the cell empty",
    ),
    "no column of origins": (
        "list.csv", LIST, "level,joined,track\nafter,2027-01-02,mood\n",
        'waitlist: list.csv:1: column "origin" is missing, and not everybody can come from a source that refers to the '
        "level; say where they come from",
    ),
    "an applicant who is on the list": (
        "calls.csv", CALLS, "id,referred,track\nw2,2027-01-03,mood\n",
        'applications: calls.csv:2: column "id" stands in the waitlist too; write one row for each patient, in the '
        "file of where they stand",
    ),
    "a referral to come": (
        "calls.csv", "2026-12-30", "2027-12-30",
        'applications: calls.csv:3: column "referred" is after `as_of`; write when they were referred, or drop '
        "the line",
    ),
    "a time of day that is none": (
        "census.csv", "09:00", "25:00",
        'census.columns.start: census.csv:3: column "Begin" is no time of the day; write year, month and day as '
        "2027-01-31, or 2027-01-31 14:30 with the time of day, or drop the line",
    ),
    "somebody twice": (
        "census.csv", "p4", "p1",
        'census.columns: census.csv:5: column "ID" stands in an earlier row too; write one row for each patient, '
        "in the file of where they stand",
    ),
    "somebody who waits for where they are": (
        "list.csv", "w2", "p2",
        'waitlist: list.csv:3: column "id" is of somebody who is in care at the same level; write one row for each '
        "patient, in the file of where they stand",
    ),
    "another track than in the census": (
        "list.csv", "p3,iop,2027-01-02,,mood", "p3,iop,2027-01-02,,sud",
        'waitlist: list.csv:2: column "track" is not the one that the census says of the same id; write mood or sud',
    ),
    "an appointment that has been": (
        "calls.csv", "2027-01-05 09:00", "2027-01-03",
        'applications: calls.csv:2: column "appointment" is before `as_of`; write an appointment to come, or leave the '
        "cell empty",
    ),
    "an appointment that is none": (
        "calls.csv", "2027-01-05 09:00", "soon",
        'applications: calls.csv:2: column "appointment" is no date; write year, month and day as 2027-01-31, or '
        "2027-01-31 14:30 with the time of day, or drop the line",
    ),
    "a heading that the scenario names": (
        "census.csv", "Begin", "Began",
        'census.columns.start: census.csv:1: column "Begin" is missing (did you mean "Began"?)',
    ),
    "a heading that it does not name": (
        "list.csv", "joined", "since",
        'waitlist: list.csv:1: column "joined" is missing; '
        "the headings there are id, level, since, origin, track, time and source; say its heading under `columns`",
    ),
    "a heading twice": (
        "list.csv", "source", "Time",
        'waitlist: list.csv:1: column "time" stands twice; say its heading under `columns`',
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", FAULTS)
def test_what_is_wrong_in_a_file_is_said_in_one_line_without_the_cell(folder: Path, kind: str) -> None:
    name, right, wrong, message = FAULTS[kind]
    text = (folder / name).read_text()
    assert right in text
    (folder / name).write_text(text.replace(right, wrong))
    assert refusal(folder) == [message]


def test_a_person_applies_in_one_file_only(folder: Path) -> None:
    (folder / "calls.csv").write_text(
        "id,referred,track\np1,2027-01-03,mood\nw2,2027-01-03,sud\nnew,2027-01-03,sud\n"
    )
    assert refusal(folder) == [
        'applications: calls.csv:2: column "id" is of somebody who is in care at the same level (and 1 more such line)'
        "; write one row for each patient, in the file of where they stand"
    ]


def test_who_comes_to_the_list_at_once_is_no_applicant(folder: Path) -> None:
    assert refusal(folder, "levels.iop.intake.for=[clinic]") == [
        'applications: calls.csv:2: column "origin" is of those who come to the waitlist at once; write ward, '
        "community, clinic, php, iop, after or returned, or leave the cell empty"
    ]


def test_who_is_in_care_and_comes_to_the_list_at_once_is_no_applicant(folder: Path) -> None:
    (folder / "calls.csv").write_text("id,referred,track\np3,2027-01-03,mood\n")
    assert loaded(folder, "levels.iop.intake.for=[php]", "from_today.waitlist=null").from_today
    assert refusal(folder, "levels.iop.intake.for=[clinic]", "from_today.waitlist=null") == [
        'applications: calls.csv:2: column "id" is of somebody in care who comes to the waitlist at once; write one '
        "row for each patient, in the file of where they stand"
    ]


def test_there_are_no_appointments_without_an_intake(folder: Path) -> None:
    assert refusal(folder, "levels.iop.intake=null", "levels.iop.contact={share: 0.9}") == [
        'applications: calls.csv:2: column "appointment" is there, and the level has no intake; write an appointment '
        "to come, or leave the cell empty"
    ]


def test_very_many_names_are_not_listed(folder: Path) -> None:
    (folder / "census.csv").write_text(CENSUS.replace("mood,private", "mood,none of these"))
    payers = ", ".join(f"payer_{number}: {{}}" for number in range(11))
    assert refusal(folder, f"payers={{medicaid: {{}}, private: {{}}, {payers}}}") == [
        'census.columns: census.csv:2: column "Payer" names no payer of the scenario; write a payer, or leave the cell '
        "empty"
    ]


def test_every_time_that_groups_or_sources_name_may_stand_in_a_file(folder: Path) -> None:
    """A trait that no group has is known to a scenario whose sources say it."""
    (folder / "list.csv").write_text(LIST.replace("either", "Night Shift"))
    assert len(refusal(folder)) == 1
    tree = plain(read(folder / "mine.yaml", lambda _: False))
    tree["sources"]["clinic"]["times"] = {"night_shift": 1.0}
    waiting = listed(Scenario.model_validate(tree, context={"folder": folder}))
    assert [one.time for one in waiting] == ["evening", None, "night_shift", None, None]


def test_faults_of_all_columns_and_files_come_together(folder: Path) -> None:
    (folder / "census.csv").write_text(
        CENSUS.replace("Bob", "Bo").replace("late", "soon").replace("SUD", "x")
    )
    (folder / "list.csv").write_text(LIST.replace("returned", "back"))
    assert [fault.partition(":")[0] for fault in refusal(folder)] == ["census.columns"] * 2 + ["waitlist"]


def test_no_message_quotes_a_cell(folder: Path) -> None:
    """Every cell of a row in turn holds a secret."""
    for name, text in (("census.csv", CENSUS), ("list.csv", LIST), ("calls.csv", CALLS)):
        lines = text.splitlines()
        for place in range(lines[0].count(",") + 1):
            cells = lines[1].split(",")
            cells[place] = "Quux 4711"
            (folder / name).write_text("\n".join([lines[0], ",".join(cells), *lines[2:]]))
            try:
                loaded(folder)
            except InputError as error:
                assert not re.search("quux|4711", str(error), re.IGNORECASE)
        (folder / name).write_text(text)


SAID = {
    "another start": (
        "run.start=2027-01-11",
        "run.start: a run from today starts on `as_of`, 2027-01-04 (got 2027-01-11); drop it, or set it to null "
        "where a base scenario says it",
    ),
    "a warm-up": (
        "run.warm_up_weeks=26",
        "run.warm_up_weeks: a run from today has no warm-up: the files say how things stand (got 26); drop it, or set "
        "it to null where a base scenario says it",
    ),
    "a warm-up to be found": (
        "run.warm_up_weeks=auto",
        "run.warm_up_weeks: a run from today has no warm-up: the files say how things stand (got auto); drop it, or "
        "set it to null where a base scenario says it",
    ),
    "a day in quotes": (
        'from_today.as_of="2027-01-04"',
        'as_of: must be a date such as 2027-01-04 (got text "2027-01-04"); write it without quotes',
    ),
    "a day far from all others": (
        "from_today.as_of=1027-01-04",
        "as_of: must be at least 1950-01-01 (got 1027-01-04)",
    ),
    "a part that is none": (
        "from_today.cencus={csv: census.csv}",
        'cencus: unknown key (did you mean "census"?)',
    ),
    "a file in place of a part": (
        "from_today.waitlist=list.csv",
        'waitlist: must be a mapping with the keys csv, level and columns (got text "list.csv")',
    ),
    "a file without its key": (
        "from_today.waitlist.csv=null",
        "waitlist: needs `csv`",
    ),
    "a file elsewhere": (
        "from_today.waitlist.csv=../list.csv",
        "waitlist.csv: ../list.csv: lies outside the scenario's folder; copy it there and write its name",
    ),
    "a column that is none": (
        "from_today.census.columns.begin=Begin",
        "census.columns.begin: unknown key; the keys here are level, source, track, time, modality, payer, id, start, "
        "group, therapist and sessions",
    ),
    "a level twice": (
        "from_today.waitlist={csv: list.csv, level: iop, columns: {level: Unit}}",
        "waitlist: give `level` or `columns.level`, one of the two",
    ),
    "a level of all rows that is none": (
        "from_today.waitlist.level=iob",
        'waitlist.level: unknown level "iob" (did you mean "iop"?)',
    ),
    "a list that is none": (
        "from_today.waitlist_under={iopp: 3}",
        'waitlist_under.iopp: unknown level "iopp" (did you mean "iop"?)',
    ),
    "a list under nothing": (
        "from_today.waitlist_under.iop=0",
        "waitlist_under.iop: must be at least 1 (got 0)",
    ),
    "a list under a number for longer than is simulated": (
        "run={weeks: 2, run_out_weeks: 1}",
        "waitlist_under: takes 4 simulated weeks to answer, the run-out included (got 3); raise `run.weeks` or "
        "`run.run_out_weeks`, or drop it",
    ),
    "no such file": (
        "from_today.census.csv=cencus.csv",
        'census.csv: cencus.csv: there is no such file in the scenario\'s folder (did you mean "census.csv"?)',
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", SAID)
def test_what_is_wrong_in_the_scenario_is_said_in_one_line(folder: Path, kind: str) -> None:
    assignment, message = SAID[kind]
    assert refusal(folder, assignment) == [message]


def test_four_weeks_answer_when_a_list_stays_short(folder: Path) -> None:
    for weeks, run_out_weeks in ((3, 1), (4, 0)):
        assert loaded(folder, f"run.weeks={weeks}", f"run.run_out_weeks={run_out_weeks}").from_today
    assert loaded(
        folder, "from_today.waitlist_under.iop=null", "run.weeks=1", "run.run_out_weeks=0"
    ).from_today


def test_a_cell_too_many_is_refused_and_not_quoted(folder: Path) -> None:
    """An unquoted `Smith, John` would move the cells that follow, or be one therapist with every other Smith."""
    census = CENSUS.replace("Anna", "Smith, Anna").replace("Bob,,SUD,", "Smith, Bob,,SUD,private")
    census = census.replace(",anna,", ",,")
    (folder / "census.csv").write_text(census)
    assert refusal(folder) == [
        "census.csv: census.csv:2: more cells than headings (and 1 more such line); put a cell that holds the "
        "separator in quotes, or give every column a heading"
    ]
    quoted = census.replace("Smith, Anna", '"Smith, Anna"').replace("Smith, Bob", '"Smith, Bob"')
    (folder / "census.csv").write_text(quoted.replace("\n", ",,\n"))
    assert loaded(folder).from_today, "empty cells after the last heading, as spreadsheets write them"
    (folder / "census.csv").write_text(quoted.replace("\n", ",,\n").replace("private,,", "private,,x", 1))
    assert ":2: more cells than headings;" in refusal(folder)[0]


def test_nobody_is_in_a_group_that_is_not_open_yet(folder: Path) -> None:
    assert refusal(folder, "levels.iop.groups.late.from=2027-01-05") == [
        'census.columns: census.csv:3: column "Group" names a group that opens after `as_of`; write the name or label '
        "of one of its groups"
    ]
    assert loaded(folder, "levels.iop.groups.late.from=2027-01-04").from_today


def test_numbers_of_posts_are_not_names_when_one_is_beyond_them(folder: Path) -> None:
    (folder / "census.csv").write_text(CENSUS.replace("Anna", "2").replace("anna", "2").replace("Bob", "3"))
    assert refusal(folder) == [
        'census.columns: census.csv:3: column "Therapist" is beyond the posts of "therapist", of which there are 2; '
        "add posts, write fewer names, or leave cells empty"
    ]
