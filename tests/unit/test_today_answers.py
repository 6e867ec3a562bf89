"""What a run from today says: who starts when, when lists are short, week by week; and nothing of the files."""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import io
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from rich.console import Console

from iopsim.errors import InputError
from iopsim.experiment.cache import Cache
from iopsim.experiment.compare import comparable
from iopsim.experiment.encoding import Replication
from iopsim.experiment.equilibrium import growing_lists, not_steady
from iopsim.experiment.events import event_rows
from iopsim.experiment.executors import Here
from iopsim.experiment.names import reported
from iopsim.experiment.plans import Plan, gather
from iopsim.experiment.run import Band, _bands, write_tables
from iopsim.experiment.store import open_run
from iopsim.experiment.today import answers, starts_rows, under_rows
from iopsim.measures.lists import NOT_STARTED, STILL_WAITING
from iopsim.measures.registry import Sample
from iopsim.report.weeks import print_weeks, weeks_shown
from iopsim.scenario.schema import Scenario

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

AS_OF = dt.date(2027, 1, 4)
NEVER = None
FILES = {
    "census.csv": "id,start\nSECRET-1,2026-12-31\nSECRET-2,2026-12-29\n",
    "list.csv": "id,joined\nSECRET-7,2026-12-20\nSECRET-8,2026-12-08\nSECRET-9,2026-12-20\n",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def clinic(folder: Path, places: int = 2, **parts: Any) -> Scenario:
    """Two beds with two in care, three on the list; stays of about five days."""
    bed = {
        "label": "Crisis bed",
        "places": places,
        "stay_days": {"exponential": {"mean": 5}},
        "waitlist": {"patience_days": {"exponential": {"mean": 60}}},
    }
    tree = {
        "run": {"weeks": 6, "run_out_weeks": 2, "replications": 4},
        "from_today": {
            "as_of": AS_OF,
            "census": {"csv": "census.csv", "level": "bed"},
            "waitlist": {"csv": "list.csv", "level": "bed"},
            "waitlist_under": {"bed": 2},
        },
        "sources": {"door": {"to": "bed", "per_week": 2.0}},
        "levels": {"bed": bed},
        **parts,
    }
    return Scenario.model_validate(tree, context={"folder": folder})


def rows_of(path: Path) -> list[dict[str, str]]:
    data = path.read_bytes()
    return [*csv.DictReader(io.StringIO((gzip.decompress(data) if path.suffix == ".gz" else data).decode()))]


def years(*persons: Sequence[float], weeks: Sequence[int | None] = ()) -> list[Replication]:
    """A replication for each year: when those on the list start, and from which week it is short."""
    return [
        Replication(
            index=index,
            outcomes={"bed.weeks_until_under": Sample(np.array([] if week is None else [week], dtype=float))},
            weekly={},
            profiles={},
            persons=starts,
            kernel_events=0,
        )
        for index, (starts, week) in enumerate(zip(persons, weeks or [0] * len(persons), strict=True))
    ]


# Who starts when


def test_each_person_has_a_place_by_the_date_of_joining_and_dates_over_all_years(folder: Path) -> None:
    gone, waits = NOT_STARTED, STILL_WAITING
    found = years(*[(0.9, 2, 5), (7, gone, 6), (8, gone, waits), (9, 3, waits), (10, 4, waits)] * 20)
    first, second, third = ([*row] for row in starts_rows(clinic(folder), found))
    # The second row of the file joined first; the others on one day stay in the order of the file.
    assert first == [1, "bed", 0.6, 0.4, "2027-01-06", "2027-01-08", ""]
    assert second == [2, "bed", 1.0, 0.0, "2027-01-04", "2027-01-12", "2027-01-14"]
    assert third == [3, "bed", 0.4, 0.0, "2027-01-09", "", ""]


def test_dates_of_too_few_years_are_left_blank(folder: Path) -> None:
    dates = {many: next(starts_rows(clinic(folder), years(*[(7, 7, 7)] * many)))[-3:] for many in (1, 19, 20)}
    assert dates == {1: [""] * 3, 19: [""] * 3, 20: ["2027-01-11"] * 3}


@pytest.mark.parametrize(("many", "is_known"), [(19, False), (20, True)])
def test_the_years_of_a_week_have_no_range_of_too_few(many: int, is_known: bool) -> None:
    (week,) = _bands([[float(year)] for year in range(1, many + 1)])
    assert week.mean == (many + 1) / 2
    assert week.low < week.mean < week.high
    if is_known:
        assert (week.p10, week.p90) == pytest.approx((2.9, 18.1))
    else:
        assert math.isnan(week.p10)
        assert math.isnan(week.p90)


def test_ids_are_there_only_where_they_are_asked_for(folder: Path) -> None:
    found = years((1, 2, 3))
    named = [row[-1] for row in starts_rows(clinic(folder), found, named=True)]
    assert named == ["SECRET-8", "SECRET-7", "SECRET-9"]
    assert "SECRET" not in repr([*starts_rows(clinic(folder), found)])


def test_the_sentence_gives_the_date_by_which_half_of_the_list_has_started(folder: Path) -> None:
    gone = NOT_STARTED
    five = [(1, 2, 30), (3, gone, 4), (1, 5, 6), (9, 8, gone), (0, 0, 0)]  # the second to start
    (said, _) = answers(clinic(folder), years(*five * 20))
    assert said == (
        "Of 3 on the list of Crisis bed today, half start by 2027-01-08 (10–90 % of years: 2027-01-04 to "
        "2027-01-13); on average 2.6 start and 0.4 give up or are lost."
    )
    assert answers(clinic(folder), years(*five * 4))[0] == said


def test_of_too_few_years_for_a_median_the_share_and_the_mean_are_said(folder: Path) -> None:
    waits = STILL_WAITING
    found = years(
        (1, 2, 30), (3, waits, 4.5), (1, waits, waits), weeks=(1, 4, None)
    )  # 2, 4.5; weeks 1, 4: 2.5
    started, under, blank = answers(clinic(folder), found)
    assert started == (
        "Of 3 on the list of Crisis bed today, half start in 67 % of years within the weeks simulated, on average by "
        "2027-01-07; on average 2 start and 0 give up or are lost."
    )
    assert under == (
        "The list of Crisis bed stays under 2 for four weeks in 67 % of years within the weeks simulated, on average "
        "from the week of 2027-01-18."
    )
    assert blank == (
        "Too few replications for median and range of the years, left blank (takes 20); simulate more."
    )


def test_a_half_that_starts_in_few_years_has_no_date(folder: Path) -> None:
    waits = STILL_WAITING
    three = [(1, 2, waits), (1, waits, waits), (waits, waits, waits)]
    said, *_ = answers(clinic(folder), years(*three * 7))
    assert said == (
        "Of 3 on the list of Crisis bed today, half start in 33 % of years within the weeks simulated; on average 1 "
        "start and 0 give up or are lost."
    )
    never, *_ = answers(clinic(folder), years(*three[2:] * 3))
    assert "half start in 0 % of years within the weeks simulated; on average 0 start" in never
    five = [*[(1, 2, 3)] * 4, (waits, waits, 1)]
    most, _ = answers(clinic(folder), years(*five * 20))
    assert "by 2027-01-06 (10–90 % of years: 2027-01-06 to never; in 20 % of years not within" in most


def test_one_person_on_a_list_is_no_half(folder: Path) -> None:
    (folder / "list.csv").write_text("id,joined\nx,2026-12-20\n")
    said, _ = answers(clinic(folder), years(*[(3,), (4,)] * 50))
    assert said.startswith("The one on the list of Crisis bed today starts by 2027-01-07 (10–90 % of years:")


def test_nobody_on_a_list_is_nothing_to_say(folder: Path) -> None:
    (folder / "list.csv").write_text("id,joined\n")
    assert len(answers(clinic(folder), years(*[()] * 100))) == 1
    assert [*starts_rows(clinic(folder), years((), ()))] == []


# When the list is short


def test_years_are_counted_by_the_week_from_which_the_list_stays_short(folder: Path) -> None:
    found = years(*[(1, 2, 3)] * 100, weeks=(0, 2, 2, None, 4) * 20)
    rows = [*under_rows(clinic(folder), found)]
    assert [row[:3] for row in rows[:2]] == [["bed", 2, "2027-01-04"], ["bed", 2, "2027-01-11"]]
    assert [row[3] for row in rows] == [0.2, 0, 0.4, 0, 0.2, 0, 0, 0]
    assert [row[4] for row in rows] == pytest.approx([0.2, 0.2, 0.6, 0.6, 0.8, 0.8, 0.8, 0.8])
    _, said = answers(clinic(folder), found)
    assert said == (
        "The list of Crisis bed stays under 2 for four weeks from the week of 2027-01-18 (10–90 % of years: 2027-01-04 "
        "to never; in 20 % of years not within the weeks simulated)."
    )


# A run


def test_a_run_from_today_leaves_its_answers_and_nothing_of_the_files(folder: Path) -> None:
    scenario, cache = clinic(folder), Cache(folder / ".cache")
    (gathered,) = gather([Plan.of(scenario)], cache, Here())
    with open_run(folder, "run", "0" * 64) as run:
        written = write_tables(gathered, run, cache)
        path = run.finish()
    starts = rows_of(path / "starts.csv")
    assert [*starts[0]] == [
        *("place", "level", "share_started", "share_gave_up", "date_p10", "date_median", "date_p90"),
    ]
    assert [row["place"] for row in starts] == ["1", "2", "3"]
    assert {row["date_p10"] + row["date_median"] + row["date_p90"] for row in starts} == {""}, "of 4 years"
    under = rows_of(path / "weeks_until_under.csv")
    assert [row["week_start"] for row in under][:2] == ["2027-01-04", "2027-01-11"]
    weekly = rows_of(path / "weekly.csv.gz")
    assert {row["series"] for row in weekly} == {"bed.census", "bed.waitlist", "bed.starts"}
    assert weekly[0]["week_start"] == "2027-01-04"
    assert len(written.weekly["bed.census"]) == 8
    assert weekly[0]["ci_low"]
    assert not any(row["p10"] or row["p90"] for row in weekly)
    assert len(written.answers) == 3
    for file in path.rglob("*"):
        data = file.read_bytes()
        assert b"SECRET" not in (gzip.decompress(data) if file.suffix == ".gz" else data), file
    for file in (folder / ".cache").rglob("*.rep"):
        assert b"SECRET" not in gzip.decompress(file.read_bytes())


def test_named_patients_stand_in_one_table_only(folder: Path) -> None:
    scenario, cache = clinic(folder), Cache(folder / ".cache")
    (gathered,) = gather([Plan.of(scenario)], cache, Here())
    with open_run(folder, "run", "0" * 64) as run:
        write_tables(gathered, run, cache, named=True)
        path = run.finish()
    assert [file.name for file in path.iterdir() if b"SECRET" in file.read_bytes()] == ["starts.csv"]
    assert [row["id"] for row in rows_of(path / "starts.csv")] == [
        *("SECRET-8", "SECRET-7", "SECRET-9"),
    ]


def test_events_begin_today(folder: Path) -> None:
    rows = event_rows(clinic(folder), 0)
    times = [row[5] for row in rows if isinstance(row[5], float)]
    assert len(times) == len(rows)
    assert min(times) >= 0
    told = {(row[1], row[4]) for row in rows if "/-" in str(row[1])}
    assert {event for _, event in told} >= {"completed", "released"}
    in_care = {who for who, _ in told} - {who for who, event in told if event in ("admitted", "reneged")}
    assert not {(who, event) for who, event in told if who in in_care and event in ("joined", "started")}


def test_what_it_tells_is_the_transient(folder: Path) -> None:
    """A full clinic is in no equilibrium, and is not asked to be."""
    bed = {"places": 2, "stay_days": {"exponential": {"mean": 5}}}
    busy: dict[str, Any] = {"sources": {"door": {"to": "bed", "per_week": 9.0}}, "levels": {"bed": bed}}
    for today in (True, False):
        scenario = clinic(folder, **busy if today else {**busy, "from_today": None})
        assert bool(growing_lists(scenario)) is not today
        assert bool(not_steady(scenario, reported(scenario))) is not today


def test_plans_are_compared_from_the_same_day_on(folder: Path) -> None:
    plain = clinic(folder, from_today=None, run={"warm_up_weeks": 0, "weeks": 6, "run_out_weeks": 2})
    with pytest.raises(InputError) as refused:
        comparable({"now": clinic(folder), "ever": plain}, ["bed.census.mean"])
    assert [str(fault) for fault in refused.value.faults] == [
        "error: from_today.as_of: ever has none, now has 2027-01-04; plans can be compared only where these agree"
    ]
    more = clinic(folder, places=3)
    assert comparable({"now": clinic(folder), "more": more}, ["bed.stays_under.share"])


# Weeks on the console


def shown(scenario: Scenario, width: int, years: float = 2.0) -> list[str]:
    bands = [
        Band(week, week - 0.5, week + 0.5, week - years, week + years) for week in map(float, range(3, 11))
    ]
    text = io.StringIO()
    series = {f"bed.{kind}": bands for kind in ("census", "waitlist", "starts")}
    print_weeks(Console(file=text, width=width), scenario, series)
    return text.getvalue().splitlines()


def test_four_weeks_are_shown_and_then_every_fourth() -> None:
    assert weeks_shown(18) == [0, 1, 2, 3, 7, 11, 15]
    assert weeks_shown(2) == [0, 1]


def test_weeks_stand_beside_each_other_with_both_bands_named(folder: Path) -> None:
    heading, owners, words, titles, *weeks = [line for line in shown(clinic(folder), 200) if line]
    assert "precision (95 % interval of the mean), range of years (10–90 % of replications)" in heading
    assert owners.split() == ["Crisis", "bed"] * 3
    assert "in care, patients" in words
    assert "waiting, patients" in words
    assert titles.split() == ["week", "from", *["mean", "precision", "range", "of", "years"] * 3]
    assert [week.split()[0] for week in weeks] == ["2027-01-04", "2027-01-11", "2027-01-18", "2027-01-25"]
    one = ["3.00", "2.50", "to", "3.50", "1.00", "to", "5.00"]
    assert weeks[0].split() == ["2027-01-04", *one * 3]


def test_a_range_of_too_few_years_is_left_blank_and_the_heading_says_why(folder: Path) -> None:
    heading, _, _, titles, first, *_ = [line for line in shown(clinic(folder), 200, math.nan) if line]
    assert heading.endswith("range of years (10–90 % of replications, left blank: takes 20)")
    assert titles.split() == ["week", "from", *["mean", "precision"] * 3]
    assert first.split() == ["2027-01-04", *["3.00", "2.50", "to", "3.50"] * 3]


@pytest.mark.parametrize("width", [60, 80, 100, 120])
def test_what_has_no_room_stands_below_and_no_number_is_cut(folder: Path, width: int) -> None:
    lines = shown(clinic(folder), width)
    table = [line for line in lines if line.startswith("  ")]
    assert all(len(line) <= width for line in table)
    numbers = [line for line in table if "2027-01-04" in line]
    assert len(numbers) == math.ceil(3 / max(1, (width - 12) // 39))
    assert sum(line.count("2.50 to 3.50") for line in numbers) == 3
