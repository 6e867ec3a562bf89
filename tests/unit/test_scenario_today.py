"""Runs from today: how the files of patients are read, and what remains of them."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import pytest

from iopsim.experiment.keys import replication_key
from iopsim.experiment.store import read_resolved
from iopsim.scenario import identity, load, resolved_text
from iopsim.scenario.today import Applicant, Listed, Resident, applicants, listed, residents
from tests.unit.people import CALLS, CENSUS, lay, loaded, refusal


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return lay(tmp_path)


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


def test_numbers_are_those_of_posts_if_one_is_there(folder: Path) -> None:
    def posts(anna: str, bob: str) -> list[int | None]:
        text = CENSUS.replace("Anna", anna).replace("anna", anna).replace("Bob", bob)
        (folder / "census.csv").write_text(text)
        return [one.post for one in residents(loaded(folder))]

    assert posts("2", "1") == [1, 0, None, 1, None]
    assert posts("2", "Bob") == posts("4712", "4711") == [0, 1, None, 0, None]


def test_posts_that_a_change_before_the_run_has_made_can_be_named(folder: Path) -> None:
    (folder / "census.csv").write_text(CENSUS.replace("anna", "Dora"))
    change = "changes=[{from: %s, set: {staff.therapist.posts: 3}}]"
    assert residents(loaded(folder, change % "2027-01-04"))[3].post == 2
    assert refusal(folder, change % "2027-01-05") == [
        'census.columns: census.csv:5: column "Therapist" is beyond the posts of "therapist", of which there are 2; '
        "add posts, write fewer names, or leave cells empty"
    ]


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


def test_a_variant_adds_changes_to_a_run_from_today(folder: Path) -> None:
    (folder / "variant.yaml").write_text(
        "extends: mine.yaml\nfrom_today: {census: null, waitlist_under: {iop: 5, php: 2}}\n"
        "changes: [{from: 2027-01-11, set: {staff.therapist.posts: 3}}]\n"
    )
    scenario = load(folder / "variant.yaml")
    assert scenario.from_today is not None
    assert scenario.from_today.waitlist_under == {"iop": 5, "php": 2}
    assert (residents(scenario), len(applicants(scenario))) == ((), 2)
    assert [plan.staff["therapist"].posts for _, plan in scenario.editions] == [2, 3]
    assert all(plan.from_today == scenario.from_today for _, plan in scenario.editions[:1])
    (folder / "again.yaml").write_text(resolved_text(scenario))
    again = load(folder / "again.yaml", ["name=variant"])
    assert (again, again.editions) == (scenario, scenario.editions)


def test_a_variant_of_another_day_begins_on_it(folder: Path) -> None:
    (folder / "calls.csv").write_text("referred,track\n")
    (folder / "variant.yaml").write_text("extends: mine.yaml\nfrom_today: {as_of: 2027-01-11}\n")
    scenario = load(folder / "variant.yaml")
    assert scenario.run.start == dt.date(2027, 1, 11)
    assert [one.days for one in residents(scenario)][:3] == [41.0, 39.625, 7.0]


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
