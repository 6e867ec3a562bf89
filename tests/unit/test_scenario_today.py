"""Runs from today: how the files of patients are read, what is refused and in which words, what remains of them."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import pytest

from iopsim.errors import InputError
from iopsim.experiment.keys import replication_key
from iopsim.experiment.store import read_resolved
from iopsim.scenario import Scenario, identity, load, resolved_text
from iopsim.scenario.today import Applicant, Listed, Resident, applicants, listed, residents

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


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in (
        ("mine.yaml", SCENARIO),
        ("census.csv", CENSUS),
        ("list.csv", LIST),
        ("calls.csv", CALLS),
    ):
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def loaded(folder: Path, *sets: str) -> Scenario:
    return load(folder / "mine.yaml", sets)


def refusal(folder: Path, *sets: str) -> list[str]:
    """The faults, without the place in the scenario's file."""
    with pytest.raises(InputError) as caught:
        loaded(folder, *sets)
    return [f"{fault.path.removeprefix('from_today.')}: {fault.message}" for fault in caught.value.faults]


# --- what is read


def test_who_is_in_care_is_read_in_the_order_of_the_file(folder: Path) -> None:
    scenario = loaded(folder)
    assert (scenario.run.start, scenario.run.warm_up_weeks) == (dt.date(2027, 1, 4), 0)
    kim = Resident(2, "iop", 34.0, "morning", 0, 4, None, "mood", None, None, "private", "p1")
    assert residents(scenario) == (
        kim,
        kim._replace(
            line=3, days=32.625, group="late", post=1, sessions=None, track="sud", payer=None, id="p2"
        ),
        kim._replace(
            line=4, level="php", days=0.0, group=None, post=None, sessions=None, payer=None, id="p3"
        ),
        kim._replace(line=5, sessions=12, payer=None, id="p4"),
        kim._replace(line=6, sessions=None, post=None, payer=None, id=""),
    )


def test_who_waits_comes_from_where_the_file_says_or_from_where_they_can(folder: Path) -> None:
    """In care elsewhere, or of a source that refers to the level, or else of the first that does."""
    one = Listed(2, "iop", 2.0, "php", None, "mood", "evening", None, None, "p3")
    assert listed(loaded(folder)) == (
        one,
        one._replace(line=3, days=15.0, origin="returned", source="clinic", track="sud", time=None, id="w2"),
        one._replace(
            line=4, days=14.0, origin="clinic", source="clinic", track="sud", time="either", id="w3"
        ),
        one._replace(line=5, days=13.0, origin="community", source="community", time=None, id="w4"),
        one._replace(line=6, days=13.0, origin="community", source="ward", time=None, id="w5"),
    )


def test_who_was_referred_may_have_an_appointment(folder: Path) -> None:
    one = Applicant(2, "iop", 1.0, 1.375, "community", "community", "mood", None, None, None, "")
    assert applicants(loaded(folder)) == (
        one,
        one._replace(line=3, days=5.0, appointment=None, origin="clinic", source="clinic", track="sud"),
    )


def test_files_with_nothing_but_headings_say_that_nobody_is_there(folder: Path) -> None:
    for name in ("census.csv", "list.csv", "calls.csv"):
        (folder / name).write_text((folder / name).read_text().partition("\n")[0])
    scenario = loaded(folder)
    assert (residents(scenario), listed(scenario), applicants(scenario)) == ((), (), ())
    assert residents(loaded(folder, "from_today={as_of: 2027-01-04}")) == ()


def test_numbers_of_posts_are_numbers_only_if_all_can_be(folder: Path) -> None:
    text = CENSUS.replace("Anna", "2").replace("anna", "2")
    (folder / "census.csv").write_text(text.replace("Bob", "1"))
    assert [one.post for one in residents(loaded(folder))] == [1, 0, None, 1, None]
    (folder / "census.csv").write_text(text.replace("Bob", "4711"))
    assert [one.post for one in residents(loaded(folder))] == [0, 1, None, 0, None]


def test_posts_that_a_change_before_the_run_has_made_can_be_named(folder: Path) -> None:
    (folder / "census.csv").write_text(CENSUS.replace("anna", "Dora"))
    change = "changes=[{from: %s, set: {staff.therapist.posts: 3}}]"
    assert residents(loaded(folder, change % "2027-01-04"))[3].post == 2
    assert refusal(folder, change % "2027-01-05") == [
        'census.columns: census.csv:5: column "Therapist" names one more than the 2 posts of "therapist"; add posts, '
        "write fewer names, or leave cells empty"
    ]


# --- what is refused


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
        'census.columns: census.csv:5: column "Therapist" names one more than the 2 posts of "therapist"; add posts, '
        "write fewer names, or leave cells empty",
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
        'census.columns.start: census.csv:1: column "Begin" is missing (did you mean "Began"?); the first line holds '
        "the headings",
    ),
    "a heading that it does not name": (
        "list.csv", "joined", "since",
        'waitlist: list.csv:1: column "joined" is missing; say its heading under `columns`',
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
        'applications: calls.csv:2: column "id" is of somebody who is in care at the same level (and 1 more such line); '
        "write one row for each patient, in the file of where they stand"
    ]


def test_who_comes_to_the_list_at_once_is_no_applicant(folder: Path) -> None:
    assert refusal(folder, "levels.iop.intake.for=[clinic]") == [
        'applications: calls.csv:2: column "origin" is of those who come to the waitlist at once; write ward, '
        "community, clinic, php, iop, after or returned, or leave the cell empty"
    ]


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
    "no such file": (
        "from_today.census.csv=cencus.csv",
        'census.csv: cencus.csv: there is no such file in the scenario\'s folder (did you mean "census.csv"?)',
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", SAID)
def test_what_is_wrong_in_the_scenario_is_said_in_one_line(folder: Path, kind: str) -> None:
    assignment, message = SAID[kind]
    assert refusal(folder, assignment) == [message]


# --- what remains


def test_the_resolved_scenario_names_the_files_and_reads_back_as_the_same(folder: Path) -> None:
    scenario = loaded(folder)
    text = resolved_text(scenario)
    assert not re.search("p1|w2|Anna|2026-12", text)
    (folder / "again.yaml").write_text(text)
    again = load(folder / "again.yaml")
    assert again == scenario.model_copy(update={"name": again.name})
    assert residents(again) == residents(scenario)


def test_results_keep_no_rows(folder: Path) -> None:
    (folder / "elsewhere").mkdir()
    path = folder / "elsewhere" / "scenario.resolved.yaml"
    path.write_text(resolved_text(loaded(folder)))
    kept = read_resolved(path)
    assert kept.from_today is not None and kept.from_today.waitlist_under == {"iop": 3}
    assert (residents(kept), listed(kept), applicants(kept)) == ((), (), ())


def test_the_identity_depends_on_the_rows_and_not_on_the_lines(folder: Path) -> None:
    def key() -> tuple[object, str]:
        scenario = loaded(folder)
        return identity(scenario)["data"], replication_key(scenario)

    first = key()
    assert first[0].keys() == {f"from_today.{file}" for file in ("census", "waitlist", "applications")}  # type: ignore[attr-defined]
    (folder / "census.csv").write_text(CENSUS.replace("\n", "\n\n"))
    assert key() == first
    for right, wrong in (
        ("12.0", "13"),
        ("2026-12-02 09:00", "2026-12-02 10:00"),
        ("Anna", "Bob"),
        ("p4", "p5"),
    ):
        (folder / "census.csv").write_text(CENSUS.replace(right, wrong))
        assert all(after != before for after, before in zip(key(), first, strict=True))


def test_a_variant_says_only_what_differs(folder: Path) -> None:
    (folder / "variant.yaml").write_text(
        "extends: mine.yaml\nfrom_today: {waitlist: null, applications: {level: null}}\n"
    )
    (folder / "calls.csv").write_text(
        "Level" + CALLS.replace("\n2", "\niop,2").replace("referred", ",referred")
    )
    scenario = load(folder / "variant.yaml")
    assert (len(residents(scenario)), listed(scenario)) == (5, ())
    assert [one.level for one in applicants(scenario)] == ["iop", "iop"]
    (folder / "variant.yaml").write_text("extends: mine.yaml\nfrom_today: null\nrun: {start: 2028-01-03}\n")
    scenario = load(folder / "variant.yaml")
    assert (scenario.from_today, scenario.run.warm_up_weeks) == (None, 52)
