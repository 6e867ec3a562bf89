"""The dated plan: which plan is in force when, and every fault of a change in words and at its place."""

from __future__ import annotations

import datetime as dt
import pickle
from pathlib import Path

import pytest

from iopsim.errors import InputError
from iopsim.experiment.keys import replication_key
from iopsim.experiment.store import read_resolved
from iopsim.scenario import Scenario, load, resolved, resolved_text
from iopsim.scenario.changeable import MAY_CHANGE, may_change
from iopsim.scenario.messages import types_at

BASE = """\
run: {start: 2027-01-04, warm_up_weeks: 4, weeks: 40, run_out_weeks: 2}
tracks: {mood: {}, sud: {}}
rooms: {main: {seats: 10, cost_per_week: 50}}
payers: {all: {}, plan: {authorization: {levels: [iop], denied: 0.1}}}
sources:
  community: {to: iop, per_week: 3, tracks: {mood: 0.5, sud: 0.5}, payers: {all: 1}}
  clinic: {to: iop, trace: {csv: clinic.csv, date: day, track: track}, payers: {all: 1}}
levels:
  iop:
    phases: [{weeks: 8, days_per_week: 3}]
    caseload: therapist
    attendance: {mean: 0.9, sd: 0.1, discharge_after_missed: 3}
    next: {php: 0.3, ward: 0.1, home: 0.6}
    by: {track: {sud: {leave_early: {dropout: {exponential: {mean: 60}}}}}}
    leave_early: {dropout_per_week: 0.02}
    groups:
      day: {days: [mon, wed, fri], seats: 8, min_census: 3, room: main}
      late:
        days: [mon, wed, fri]
        start: "17:00"
        seats: 8
        admission: {cohort: {first: 2027-01-04, every_days: 28, starters: 8}}
  php: {places: {mood: 2, sud: 3}, stay_days: 20}
  ward: {places: 4, stay_days: 10, cost_per_day: 900, waitlist: {at_most: 5}}
staff:
  therapist: {posts: 2, caseload: 12, salary_per_year: 60000}
  nurse: {posts: 1}
money: {revenue: {iop: {all: 300}}}
"""


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("base.yaml").write_text(BASE)
    Path("clinic.csv").write_text("day,track\n2027-02-01,sud\n")


def changed(*changes: tuple[str, str]) -> Scenario:
    """The base with changes, each a date and what it sets."""
    lines = [f"  - {{from: {date}, set: {{{values}}}}}\n" for date, values in changes]
    Path("case.yaml").write_text(f"extends: base.yaml\nchanges:\n{''.join(lines)}")
    return load("case.yaml")


def refusal(*changes: tuple[str, str]) -> list[str]:
    with pytest.raises(InputError) as caught:
        changed(*changes)
    return [f"{fault.path}: {fault.message}" for fault in caught.value.faults]


# --- which plan is in force


def test_each_date_of_change_begins_an_edition() -> None:
    scenario = changed(
        ("2027-05-01", "staff.therapist.posts: 4, money.revenue.iop.plan: [{from_services: 1, pay: 400}]"),
        ("2027-03-01", "staff.therapist.posts: 3"),
        ("2027-05-01", "levels.php.places: {mood: 4, sud: 3}"),
    )
    assert [date for date, _ in scenario.editions] == [None, dt.date(2027, 3, 1), dt.date(2027, 5, 1)]
    plans = [plan for _, plan in scenario.editions]
    assert [plan.staff["therapist"].posts for plan in plans] == [2, 3, 4]
    assert [plan.levels["php"].places for plan in plans] == [{"mood": 2, "sud": 3}] * 2 + [
        {"mood": 4, "sud": 3}
    ]
    assert list(plans[2].money.revenue["iop"]) == ["all", "plan"]
    assert [plan.run for plan in plans] == [scenario.run] * 3
    days = [
        dt.date(2020, 1, 1),
        dt.date(2027, 2, 28),
        dt.date(2027, 3, 1),
        dt.date(2027, 5, 1),
        dt.date(2030, 1, 1),
    ]
    assert [scenario.on(day).staff["therapist"].posts for day in days] == [2, 2, 3, 4, 4]


def test_editions_share_what_is_the_same() -> None:
    scenario = changed(("2027-03-01", "levels.ward.places: 5"))
    later = scenario.on(dt.date(2027, 3, 1))
    assert later.levels["ward"].places == 5
    assert later.levels["iop"] is scenario.levels["iop"]
    assert later.sources is scenario.sources


def test_a_change_before_the_opening_holds_from_the_beginning() -> None:
    scenario = changed(("2026-06-01", "staff.therapist.posts: 3"))
    assert scenario.on(scenario.run.opening).staff["therapist"].posts == 3


def test_a_change_after_the_simulated_time_makes_no_plan() -> None:
    """So that a short run of a long plan needs no other file."""
    scenario = changed(("2027-10-24", "levels.ward.places: 5"), ("2027-10-25", "levels.ward.places: 6"))
    assert [date for date, _ in scenario.editions] == [None, dt.date(2027, 10, 24)]
    assert [date for date, _ in load("case.yaml", ["run.run_out_weeks=27"]).editions][2:] == [
        dt.date(2027, 10, 25)
    ]
    assert load("case.yaml", ["run.weeks=8", "run.run_out_weeks=2"]).editions[1:] == ()


def test_limits_and_prices_may_begin_on_a_date() -> None:
    values = (
        "levels.iop.waitlist.at_most: {community: 3}, staff.therapist.cover_per_hour: 70, money.revenue.php.all: 200, "
        "money.overhead_per_year: 9000"
    )
    plan = changed(("2027-03-01", values)).on(dt.date(2027, 3, 1))
    assert plan.levels["iop"].waitlist.at_most == {"community": 3}
    assert plan.staff["therapist"].cover_per_hour == 70
    assert plan.money.revenue["php"] == {"all": 200.0}
    assert plan.money.overhead_per_year == 9000


def test_values_that_only_fit_together_may_change_together() -> None:
    plan = changed(
        ("2027-03-01", "levels.iop.groups.day.seats: 2"),
        ("2027-03-01", "levels.iop.groups.day.min_census: 1"),
    ).on(dt.date(2027, 3, 1))
    assert (plan.levels["iop"].groups["day"].seats, plan.levels["iop"].groups["day"].min_census) == (2, 1)


def test_the_resolved_form_says_the_changes_and_reads_back_as_the_same() -> None:
    scenario = changed(("2027-03-01", "staff.therapist.posts: 3, levels.ward.waitlist.at_most: {iop: 2}"))
    assert resolved(scenario)["changes"] == [
        {
            "from": dt.date(2027, 3, 1),
            "set": {"staff.therapist.posts": 3, "levels.ward.waitlist.at_most": {"iop": 2}},
        }
    ]
    Path("again.yaml").write_text(resolved_text(scenario))
    again = load("again.yaml", ["name=case"])
    assert again == scenario
    assert again.editions == scenario.editions
    assert pickle.loads(pickle.dumps(scenario)).editions == scenario.editions
    kept = read_resolved(Path("again.yaml"))
    assert [date for date, _ in kept.editions] == [None, dt.date(2027, 3, 1)]


def test_options_and_variants_change_what_changes() -> None:
    scenario = changed(("2027-03-01", "staff.therapist.posts: 3"))
    other = load("case.yaml", ['changes[0].set."staff.therapist.posts"=4'])
    assert other.on(dt.date(2027, 3, 1)).staff["therapist"].posts == 4
    assert replication_key(other) != replication_key(scenario)
    more = load("case.yaml", ["staff.therapist.fte=0.5"])
    assert more.on(dt.date(2027, 3, 1)).staff["therapist"].fte == 0.5
    assert load("case.yaml", ["changes=[]"]).editions[1:] == ()


def test_what_stands_in_for_a_trace_does_so_in_every_edition() -> None:
    scenario = changed(("2027-03-01", "sources.community.per_week: 4"))
    source = scenario.sources["clinic"]
    assert source.trace is not None
    evenly = source.trace.evenly(scenario.run, 0, 7)
    other = scenario.with_sources({"clinic": source.model_copy(update={"trace": evenly})})
    counts = [trace.count for _, plan in other.editions if (trace := plan.sources["clinic"].trace)]
    assert counts == [7, 7]
    assert [plan.sources["community"].per_week for _, plan in other.editions] == [3, 4]


@pytest.mark.parametrize("pattern", [pattern for patterns in MAY_CHANGE.values() for pattern in patterns])
def test_whatever_may_change_is_a_value_of_the_language(pattern: str) -> None:
    steps = tuple(pattern.split("."))
    assert may_change(steps)
    assert types_at(steps), pattern


# --- what is refused

NONE = "the scenario says none; write it in the plan from the start, and change it here"
FIXED = "cannot change on a date; "
RATE = "a source's own `changes` multiply its rate from dates on"
WARD_WORDS = "`attendance.mean`, `cost_per_day`, `places` and `waitlist.at_most`"
FAULTS = {
    "levels.ward.place: 5": 'no such path in the scenario (did you mean "levels.ward.places"?)',
    "levels.wart.places: 5": 'no such path in the scenario (did you mean "levels.ward.places"?)',
    "posts: 5": "no such path in the scenario*",
    '"levels.*.places": 5': "`*` is a word of sweeps; name each place by itself",
    "levels.ward.stay_days: 5": f"{FIXED}of levels.ward these can: {WARD_WORDS}; for the rest compare two scenarios",
    "levels.iop.phases.0.weeks: 5": f"{FIXED}of levels.iop these can: `attendance.mean`, `groups.*.min_census`, "
    "`groups.*.overbook`, `groups.*.seats`, `leave_early.dropout_per_week` and `waitlist.at_most`; for the rest "
    "compare two scenarios",
    "levels.iop.groups.dusk: {days: [mon], seats: 3}": f"{FIXED}write the group under its level, with `from` its first "
    "day",
    "staff: {nurse: {posts: 2}}": "write each value by its whole path, such as `staff.nurse.posts`",
    "money.revenue.iop.plan: [{from_services: 0, pay: 9}]": "*must be at least 1 (got 0)",
    "money.revenue.iop.plan: [{from_services: 2, pays: 9}]": '*unknown key (did you mean "pay"?)',
    "money.revenue.iop.plan: [{from_services: 2, pay: 9}, {from_services: 2, pay: 8}]": "two tiers are from one number "
    "of services; say each number once",
    "money.overhead_per_year: 5, money.overhead_share_of_cost: 0.1": "*give `overhead_share_of_cost` or "
    "`overhead_per_year`, not both",
    "levels.iop.groups.day.hours: 2": f"{FIXED}end the group with `until`, and write a second one with `from`",
    "sources.community.growth_per_year: 0.1": f"{FIXED}{RATE}",
    "sources.community.tracks.mood: 1": f"{FIXED}write a second source, and change the `per_week` of both on the date",
    "sources.clinic.per_week: 3": "its referrals are those of a file (`trace`), whatever the rate",
    "staff.therapist.leaves: []": "cannot change on a date; they have dates of their own",
    "run.weeks: 3": "cannot change on a date; it is the same for the whole run",
    "run.seed: 3": "cannot change on a date; it is the same for the whole run",
    "staff.therapist.posts: two": 'must be a whole number (got text "two")',
    "staff.therapist.posts: 2.0": "must be a whole number (got 2.0); write 2",
    "staff.therapist.fte: 0": "must be more than 0 (got 0)",
    "money.billing.claims_denied: 8": "must be at most 1 (got 8); 8 % is written 0.08",
    "levels.iop.waitlist.at_most: {community: many}": 'must be a whole number (got text "many")',
    "levels.php.places: {mood: 2}": "write a number for each of mood and sud",
    "levels.php.places: 4": "places that are a table of mood and sud stay so; write a table of mood and sud",
    "levels.php.places.mod: 4": "there is none for mod, only for mood and sud; say it from the start",
    "levels.ward.places: {mood: 4, sud: 4}": "places that are one number stay so; write one number",
    "levels.ward.places.mood: 4": "there is no table; change levels.ward.places itself",
    "levels.ward.waitlist.at_most.iop: 4": "there is no table; change levels.ward.waitlist.at_most itself",
    "levels.iop.places: 4": "the level has no places, it has groups; change their `seats`",
    "levels.php.groups.day.seats: 4": "the level has no groups, it has places; change levels.php.places",
    "levels.iop.cost_per_day: 4": "the level has no `cost_per_day`: it is your own for the whole run, not bought; "
    "compare two scenarios",
    "levels.ward.cost_per_attended_day: 4": "the level is bought at a `cost_per_day` for the whole run; change that, "
    "or compare two scenarios",
    "levels.ward.cost_per_day: null": "null is no value, and a change takes nothing away; write one, or drop the line",
    "money.overhead_per_year: null": "null is no value, and a change takes nothing away; write one, or drop the line",
    "observed.iop: 3": "cannot change on a date; it is the same for the whole run",
    "levels.iop.contact.share: 0.5": NONE,
    "staff.nurse.caseload: 5": NONE,
    "payers.all.authorization.denied: 0.5": NONE,
    "payers.plan.authorization.review.cut: 0.5": NONE,
    "levels.iop.leave_early.dropout_per_week: 0.1": "levels.iop.by.track.sud says another for some patients, whom the "
    "change would pass by; drop it there",
    "levels.iop.attendance.mean: 0.995": "no shares from 0 to 1 have mean 0.995 and sd 0.1; sd must be below 0.0705",
    "levels.iop.groups.day.seats: 2": "`min_census` is more than can be enrolled: it would never meet; "
    "lower it, or add seats",
    "levels.iop.groups.day.seats: 12": "from then on levels.iop.groups.day.room: the group has 12 seats, and room "
    '"main" holds 10; take a larger room, or fewer seats',
    "levels.iop.groups.late.seats: 6": "from then on levels.iop.groups.late.admission.cohort.starters: 8 start "
    "together, and the group takes 6 (seats × overbook); lower `starters`, or add seats",
    "staff.therapist.fte: 0.05": 'from then on levels.iop.caseload: role "therapist" has room for less than one '
    "patient (0.05 FTE) in its caseload; set staff.therapist.caseload",
    "money.revenue.iop.pan: 5": 'unknown payer "pan" (did you mean "plan"?)',
    "money.revenue.ward.all: 5": "from then on money.revenue.ward: a level with a `cost_per_day` is bought from "
    "outside and earns nothing; drop one of the two",
}


@pytest.mark.parametrize("values", FAULTS)
def test_what_is_wrong_with_a_change_is_said_at_its_path(values: str) -> None:
    message = FAULTS[values]
    (said,) = refusal(("2027-03-01", values))
    path = values.partition(":")[0].strip('"')
    if "*" in message.replace("`*`", "").replace(".*", ""):
        assert said.startswith("changes[0].set")
        assert message.strip("*") in said
        return
    place = f'changes[0].set."{path}"' if "." in path else f"changes[0].set.{path}"
    inner = ".community" * ("many" in values)
    assert said == f"{place}{inner}: {message}"


def test_all_faults_of_all_changes_come_at_once_and_at_their_places() -> None:
    assert refusal(
        ("2027-03-01", "staff.therapist.posts: two, staff.nurse.fte: 9"),
        ("2027-04-01", "levels.ward.place: 3, staff.therapist.posts: 3"),
        ("2027-04-01", "staff.therapist.posts: 4"),
        ("2027-10-25", "staff.nurse.posts: few"),
        ("2027-02-01", "money.benefits: lots"),
    ) == [
        'changes[0].set."staff.therapist.posts": must be a whole number (got text "two")',
        'changes[0].set."staff.nurse.fte": must be at most 2 (got 9)',
        'changes[1].set."levels.ward.place": no such path in the scenario (did you mean "levels.ward.places"?)',
        'changes[2].set."staff.therapist.posts": changes[1] sets staff.therapist.posts on the same date; say it once',
        'changes[3].set."staff.nurse.posts": must be a whole number (got text "few")',
        'changes[4].set."money.benefits": must be a number (got text "lots")',
    ]
    with pytest.raises(InputError) as caught:
        load("case.yaml")
    assert [(fault.mark.line, fault.mark.column) for fault in caught.value.faults if fault.mark] == [
        (3, 30), (3, 58), (4, 30), (5, 30), (6, 30), (7, 30),
    ]  # fmt: skip


def test_a_part_and_a_value_in_it_do_not_change_on_one_date() -> None:
    assert refusal(("2027-03-01", "levels.php.places: {mood: 1, sud: 1}, levels.php.places.mood: 2")) == [
        'changes[0].set."levels.php.places.mood": changes[0] sets levels.php.places on the same date; say it once'
    ]


def test_a_fault_of_a_plan_is_told_once_at_the_change_that_brings_it() -> None:
    assert refusal(
        ("2027-03-01", "levels.iop.groups.day.seats: 12"),
        ("2027-04-01", "staff.therapist.posts: 3"),
        ("2027-05-01", "levels.iop.groups.day.seats: 13"),
    ) == [
        'changes[0].set."levels.iop.groups.day.seats": from then on levels.iop.groups.day.room: the group has 12 '
        'seats, and room "main" holds 10; take a larger room, or fewer seats'
    ]


def test_a_fault_that_no_value_is_near_to_is_told_at_all_of_its_date() -> None:
    assert refusal(
        ("2027-03-01", "money.billing.hours_per_day_at_least: 4, money.revenue.php.all: 9"),
        ("2027-04-01", "staff.nurse.posts: 2"),
    ) == [
        "changes[0].set: from then on levels.php.hours_per_day: needs `hours_per_day`: `billing.hours_per_day_at_least"
        "` asks for them, and the level has no groups to say its hours"
    ]


def test_a_change_does_not_hide_what_is_wrong_before_it() -> None:
    Path("base.yaml").write_text(BASE.replace("posts: 1", "posts: one").replace("seats: 10", "seats: 7"))
    said = refusal(("2027-03-01", "staff.nurse.posts: 2"))
    assert [line.partition(":")[0] for line in said] == ["levels.iop.groups.day.room", "staff.nurse.posts"]


def test_a_change_in_another_decade_is_a_slip() -> None:
    (said,) = refusal(("2017-03-01", "staff.nurse.posts: 2"))
    assert said.startswith("changes[0].from: 2017-03-01 is more than three years before the simulated time")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[{from: 2027-03-01, set: {}}]", "changes[0].set: is empty; it needs at least one entry"),
        ("[{set: {staff.nurse.posts: 2}}]", "changes[0]: needs `from`"),
        (
            "[{from: soon, set: {staff.nurse.posts: 2}}]",
            "changes[0].from: must be a date such as 2027-01-04*",
        ),
        (
            "[{from: 2027-03-01, to: 2027-04-01, set: {a: 2}}]",
            "changes[0].to: unknown key; the keys here are from and set",
        ),
        ("[{form: 2027-03-01, set: {a: 2}}]", 'changes[0].form: unknown key (did you mean "from"?)'),
        (
            "[{from: 2027-03-01 10:00, set: {a: 2}}]",
            "changes[0].from: 2027-03-01 10:00 is a date with a time; write the date alone, or text in quotes",
        ),
        (
            '[{from: "2027-03-01", set: {a: 2}}]',
            'changes[0].from: must be a date such as 2027-01-04 (got text "2027-03-01"); write it without quotes',
        ),
        (
            "{from: 2027-03-01, set: {staff.nurse.posts: 2}}",
            'changes: must be a list (got a mapping); write it as an item of a list, after "- "',
        ),
        ("[2027-03-01]", "changes[0]: must be a mapping with the keys from and set (got 2027-03-01)"),
        (
            "[{from: 2027-03-01, set: [a]}]",
            "changes[0].set: must be a mapping such as {name: value} (got a list)",
        ),
        ("[{on: 2027-03-01, set: {staff.nurse.posts: 2}}]", "changes[0].on: unknown key*"),
    ],
)
def test_the_words_of_a_change_are_checked(text: str, message: str) -> None:
    Path("case.yaml").write_text(f"extends: base.yaml\nchanges: {text}\n")
    with pytest.raises(InputError) as caught:
        load("case.yaml")
    said = [f"{fault.path}: {fault.message}" for fault in caught.value.faults]
    assert any(line.startswith(message.strip("*")) for line in said), said
