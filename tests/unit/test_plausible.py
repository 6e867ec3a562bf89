from __future__ import annotations

import datetime as dt
import json
import subprocess
import sys
from pathlib import Path

import pytest

from iopsim.cli import main
from iopsim.scenario.plausible import Finding, Plausibility, assess, warnings
from iopsim.scenario.plausible.flows import Stream, streams
from iopsim.scenario.schema import Scenario
from iopsim.theory.erlang import mmc

BASELINE = Path(__file__).resolve().parents[2] / "scenarios" / "baseline.yaml"


def scenario(levels: dict[str, object], **parts: object) -> Scenario:
    whole: dict[str, object] = {
        "sources": {"door": {"to": next(iter(levels)), "per_week": 7}},
        "levels": levels,
    }
    return Scenario.model_validate(whole | parts)


def exponential(mean: float) -> dict[str, object]:
    return {"exponential": {"mean": mean}}


def group(days: str = "mon wed", **parts: object) -> dict[str, object]:
    return {"days": days.split(), "seats": 10, **parts}


def group_program(groups: dict[str, object], **level: object) -> dict[str, object]:
    return {"iop": {"phases": [{"weeks": 4, "days_per_week": 2}], "groups": groups, **level}}


def per_day(found: list[Stream]) -> dict[str, float]:
    totals: dict[str, float] = {}
    for stream in found:
        totals[stream.level] = totals.get(stream.level, 0.0) + stream.per_day
    return totals


def loads(found: Plausibility) -> dict[str, tuple[float, float]]:
    return {pool.name: (round(pool.load, 2), round(pool.capacity, 2)) for pool in found.pools}


def texts(found: Plausibility, path: str, severity: str = "warning") -> list[str]:
    return [f.message for f in found.findings if (f.path, f.severity) == (path, severity)]


# ── flows ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_loop_multiplies_stays() -> None:
    levels = {
        "a": {"stay_days": 10, "next": {"b": 0.5, "home": 0.5}},
        "b": {"stay_days": 5, "next": {"a": 0.5, "home": 0.5}},
    }
    found, remarks = streams(scenario(levels))
    assert per_day(found) == pytest.approx({"a": 4 / 3, "b": 2 / 3}, rel=1e-5)
    assert not remarks


def test_dropout_and_step_up_go_their_own_ways() -> None:
    early = {
        "dropout": exponential(30),
        "dropout_to": "c",
        "step_up": {"after_days": exponential(15), "to": {"b": 0.8, "home": 0.2}},
    }
    levels = {
        "a": {"stay_days": exponential(10), "leave_early": early, "next": {"d": 1}},
        **{name: {"stay_days": 1} for name in "bcd"},
    }
    found, _ = streams(scenario(levels))  # rates 3 : 1 : 2 of 6
    assert per_day(found) == pytest.approx({"a": 1, "b": 0.8 / 3, "c": 1 / 6, "d": 0.5}, rel=1e-3)


def test_returns_from_home_come_again() -> None:
    returns = {"share": 0.2, "after_days": 30, "to": "a"}
    found, _ = streams(scenario({"a": {"stay_days": 10, "returns": returns}}))
    assert per_day(found) == pytest.approx({"a": 1.25}, rel=1e-5)


def test_returns_out_of_a_level_cut_the_stay_there_short() -> None:
    returns = {"share": 0.25, "from": ["b"], "after_days": exponential(10), "to": "a"}
    levels = {
        "a": {"stay_days": 5, "next": {"b": 1}, "returns": returns},
        "b": {"stay_days": exponential(30)},
    }
    found, _ = streams(scenario(levels))
    assert per_day(found) == pytest.approx({"a": 4 / 3, "b": 4 / 3}, rel=1e-5)
    # One in four is called away: 30 days at 1 a day, and 7.5 = 1 ÷ (1/30 + 1/10) days at 1/3 a day.
    assert sum(stream.census for stream in found if stream.level == "b") == pytest.approx(32.5, rel=1e-3)


def test_patients_who_never_leave_are_told_and_counted_once() -> None:
    levels = {
        "a": {"stay_days": 10, "next": {"b": 1}},
        "b": {"stay_days": 5, "next": {"c": 1}},
        "c": {"stay_days": 5, "next": {"b": 1}},
    }
    found, remarks = streams(scenario(levels))
    assert [(remark.severity, remark.path) for remark in remarks] == [("warning", "levels.b")]
    assert "never leave b and c" in remarks[0].message
    assert per_day(found) == pytest.approx({"a": 1, "b": 1})


def test_flows_keep_track_time_and_source_apart() -> None:
    door = {
        "to": "a",
        "per_week": 14,
        "tracks": {"x": 0.25, "y": 0.75},
        "times": {"day": 0.4, "evening": 0.6},
    }
    back = {"to": "a", "per_week": 7, "tracks": {"x": 1}, "growth_per_year": 0.1}
    by = {"track": {"y": {"stay_days": 20}}, "source": {"back": {"stay_days": 40}}}
    found, _ = streams(
        scenario(
            {"a": {"stay_days": 10, "by": by}},
            sources={"door": door, "back": back},
            tracks={"x": {}, "y": {}},
        )
    )
    kinds = {(s.source, s.track, s.time): (s.per_day, s.fate.days) for s in found}
    assert kinds["door", "x", "evening"] == pytest.approx((0.3, 10), rel=1e-3)
    assert kinds["door", "y", "day"] == pytest.approx((0.6, 20), rel=1e-3)
    # Growth of 10 % a year over 52 weeks: about 4.9 % more on average.
    assert kinds["back", "x", "either"] == pytest.approx((1.049, 40), rel=1e-3)


# ── pools ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_places_offered_load_and_mean_wait() -> None:
    found = assess(scenario({"ward": {"stay_days": exponential(8), "places": 10}}))
    assert loads(found) == {"ward places": (8.0, 10)}
    wait = mmc(1, 8, 10).mean_wait_days
    assert f"about {wait:.1f} days" in texts(found, "levels.ward.places", "note")[0]
    assert not warnings(found)


def test_a_place_that_everybody_leaves_at_once_is_not_needed() -> None:
    ward = {"stay_days": 10, "places": 1, "leave_early": {"dropout": 0}}
    assert loads(assess(scenario({"ward": ward}))) == {"ward places": (0, 1)}


def test_places_by_track() -> None:
    door = {"to": "ward", "per_week": 7, "tracks": {"x": 0.25, "y": 0.75}}
    level = {"stay_days": 8, "places": {"x": 10, "y": 5}}
    found = assess(scenario({"ward": level}, sources={"door": door}, tracks={"x": {}, "y": {}}))
    assert loads(found) == {"ward places (x)": (2, 10), "ward places (y)": (6, 5)}
    (text,) = texts(found, "levels.ward.places")
    assert "6.0 places needed, 5.0 there (120%)" in text


@pytest.mark.parametrize(
    ("waitlist", "consequence"),
    [
        ({}, "grows by about 1.4 patients a week"),  # 7 a week × (1 − 8/10)
        ({"patience_days": exponential(40)}, "about 20% of those who come must give up"),
        ({"at_most": 6}, "about 20% of those who come must give up or be refused"),
    ],
)
def test_overload_says_what_follows(waitlist: object, consequence: str) -> None:
    found = assess(scenario({"ward": {"stay_days": 10, "places": 8, "waitlist": waitlist}}))
    (text,) = texts(found, "levels.ward.places")
    assert "10.0 places needed, 8.0 there (125%)" in text
    assert consequence in text
    assert "it takes 11 places" in text or "it takes 10 places" in text


def test_little_slack_is_a_note_and_no_capacity_a_warning() -> None:
    waitlist = {"patience_days": exponential(40)}
    ward = {"stay_days": 9.7, "places": 10, "waitlist": waitlist}
    assert "little slack" in texts(assess(scenario({"ward": ward})), "levels.ward.places", "note")[0]
    (text,) = texts(assess(scenario({"ward": ward | {"places": 0}})), "levels.ward.places")
    assert "0.0 there, so about 100%" in text


def test_seats_of_day_evening_and_either() -> None:
    door = {"to": "iop", "per_week": 5, "times": {"day": 0.5, "evening": 0.1, "either": 0.4}}
    groups = {"morning": group(time="day"), "night": group(time="evening", seats=12)}
    found = assess(scenario(group_program(groups), sources={"door": door}))
    # 8 sessions each: 40 session-seats a week, of which 20 by day only and 4 in the evening only.
    assert loads(found) == {
        "iop seats": (40, 44),
        "iop seats (day)": (20, 20),
        "iop seats (evening)": (4, 24),
    }
    assert "iop seats (day): 20.0" in texts(found, "levels.iop.groups")[0]


def test_seats_of_tracks_that_share_a_group() -> None:
    door = {"to": "iop", "per_week": 5, "tracks": {"x": 0.6, "y": 0.4}}
    groups = {"of_x": group(tracks=["x"]), "of_both": group(tracks=["x", "y"], overbook=1.2)}
    found = assess(scenario(group_program(groups), sources={"door": door}, tracks={"x": {}, "y": {}}))
    assert loads(found) == {"iop seats": (40, 44), "iop seats (y)": (16, 24)}


def test_seats_of_sets_that_fall_apart_are_not_repeated() -> None:
    door = {"to": "iop", "per_week": 5, "tracks": {"x": 0.5, "y": 0.5}, "times": {"day": 0.5, "evening": 0.5}}
    groups = {
        f"{track}_{time}": group(tracks=[track], time=time) for track in "xy" for time in ("day", "evening")
    }
    found = assess(scenario(group_program(groups), sources={"door": door}, tracks={"x": {}, "y": {}}))
    assert list(loads(found).values()) == [(40, 80), *[(10, 20)] * 4]


def test_closed_days_and_dates_of_groups_take_sessions_away() -> None:
    run = {"start": dt.date(2027, 1, 4), "weeks": 10}
    closed = {"closed": [dt.date(2027, 1, 4), dt.date(2027, 1, 5), dt.date(2027, 1, 6), dt.date(2028, 1, 3)]}
    groups = {"one": group(), "two": group(**{"from": dt.date(2027, 2, 8), "until": dt.date(2027, 2, 15)})}
    found = assess(scenario(group_program(groups), run=run, calendar=closed))
    # Each would meet 18 of 20 times; two meets for eight days only.
    assert loads(found)["iop seats"] == (56, pytest.approx(18))
    (text,) = [text for text in texts(found, "levels.iop.groups") if "session-seats" in text]
    assert text.startswith("until 2027-02-07, iop seats: 56.0 session-seats a week needed, 18.0 there (311%)")
    assert text.endswith("; likewise from 2027-02-08 until 2027-02-15 (156%) and from 2027-02-16 (311%)")


def test_caseload_shared_by_two_levels() -> None:
    levels = {
        "a": {"stay_days": 10, "next": {"b": 1}, "caseload": "guide"},
        "b": {"stay_days": 20, "caseload": "guide"},
    }
    found = assess(scenario(levels, staff={"guide": {"posts": 2, "fte": 0.5, "caseload": 25}}))
    assert loads(found) == {"a and b caseload (guide)": (30, 24)}
    assert "30.0 places needed, 24.0 there (125%)" in texts(found, "staff.guide")[0]
    assert "it takes 3 posts" in texts(found, "staff.guide")[0]


# ── work ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_hours_of_groups_and_services() -> None:
    services = {
        "notes": {
            "levels": ["iop"],
            "role": "guide",
            "per": "session",
            "indirect_minutes": 30,
            "indirect_minutes_per_patient": 6,
        },
        "weekly": {
            "levels": ["iop"],
            "role": "guide",
            "minutes": 50,
            "indirect_minutes": 10,
            "every_weeks": 1,
        },
        "first": {"levels": ["iop"], "role": "doctor", "minutes": 60, "per": "admission", "share": 0.5},
        "inside": {
            "levels": ["iop"],
            "role": "doctor",
            "minutes": 60,
            "every_weeks": 1,
            "within_group": True,
        },
        "others": {"levels": ["iop"], "role": "doctor", "minutes": 60, "every_weeks": 1, "tracks": ["y"]},
    }
    staff = {
        "guide": {"posts": 1, "bookable": 0.5},
        "doctor": {"posts": 1, "fte": 0.5, "leave_weeks_per_year": 13},
        "idle": {"posts": 1},
    }
    groups = {"one": group(hours=3, facilitators={"guide": 2})}
    program = scenario(
        group_program(groups, attendance={"mean": 0.5}),
        sources={"door": {"to": "iop", "per_week": 2, "tracks": {"x": 1}}},
        tracks={"x": {}, "y": {}},
        staff=staff,
        services=services,
    )
    guide, doctor = assess(program).hours
    # 2 sessions × (2 × 3 h + 0.5 h) + 2 × 8 × 0.5 attending × 0.1 h + 2 patients × 4 weeks × 1 h
    assert (guide.role, guide.expected) == ("guide", pytest.approx(13 + 0.8 + 8))
    assert (guide.bookable, guide.fte_needed) == pytest.approx((20, 21.8 / 20))
    assert (doctor.role, doctor.expected, doctor.bookable) == ("doctor", pytest.approx(1), pytest.approx(15))
    (text,) = texts(assess(program), "staff.guide")
    assert "22 h of work a week and 20 h bookable: it takes 1.1 FTE, and 1 are employed" in text
    assert not texts(assess(program), "staff.doctor")


def test_hours_are_those_of_patients_for_whom_there_is_room() -> None:
    service = {"visit": {"levels": ["ward"], "role": "guide", "minutes": 60, "per": "admission"}}
    ward = {"stay_days": 10, "places": 5, "waitlist": {"patience_days": exponential(10)}}
    (guide,) = assess(scenario({"ward": ward}, staff={"guide": {"posts": 1}}, services=service)).hours
    assert guide.expected == pytest.approx(3.5, rel=1e-3)


def test_facilitators_needed_at_once() -> None:
    groups = {
        "one": group("mon", start="09:00", hours=3, facilitators={"guide": 1}),
        "two": group("mon tue", start="11:00", hours=3, facilitators={"guide": 2}),
        "three": group("mon", start="12:00", hours=3, facilitators={"guide": 1}),
    }
    level = {"stay_days": 14, "groups": groups}
    (text,) = texts(assess(scenario({"iop": level}, staff={"guide": {"posts": 2}})), "staff.guide.posts")
    assert "3 are needed at the same time (mon 11:00: one and two), and there are 2" in text
    assert not texts(assess(scenario({"iop": level}, staff={"guide": {"posts": 3}})), "staff.guide.posts")


def test_groups_that_follow_each_other_share_a_facilitator() -> None:
    groups = {
        "old": group(until=dt.date(2027, 6, 30), facilitators={"guide": 1}),
        "new": group(**{"from": dt.date(2027, 7, 1)}, facilitators={"guide": 1}),
    }
    staff = {"guide": {"posts": 1}}
    assert not texts(assess(scenario(group_program(groups), staff=staff)), "staff.guide.posts")
    groups["new"] = group(**{"from": dt.date(2027, 6, 30)}, facilitators={"guide": 1})
    assert texts(assess(scenario(group_program(groups), staff=staff)), "staff.guide.posts")


# ── weeks, groups and names ──────────────────────────────────────────────────────────────────────────────────


def test_phases_under_the_minimum_week() -> None:
    taper = [{"weeks": 5, "days_per_week": 3}, {"weeks": 3, "days_per_week": 2}]
    by = {"track": {"x": {"phases": [{"weeks": 8, "days_per_week": 3}]}}}
    groups = {
        "one": group("mon wed fri", hours=3, tracks=["all"]),
        "short": group("mon wed fri", hours=2.5, tracks=["x"]),
    }
    level = {"phases": taper, "groups": groups, "by": by, "hours_per_week_at_least": 7.5}
    found = assess(scenario({"iop": level}, tracks={"all": {}, "x": {}}))
    (text,) = texts(found, "levels.iop.phases")
    assert "phase 2 (3 weeks of 2 days): 5 hours a week, under the minimum of 7.5" in text
    assert not texts(found, "levels.iop.by.track.x.phases")


def test_weeks_without_phases_under_the_minimum() -> None:
    days = {"stay_days": 10, "days_per_week": 4, "hours_per_day": 4, "hours_per_week_at_least": 20}
    assert (
        "4 days of 4 hours: 16 hours" in texts(assess(scenario({"php": days})), "levels.php.hours_per_day")[0]
    )
    groups = {"stay_days": 10, "groups": {"one": group(hours=4)}, "hours_per_week_at_least": 9}
    assert (
        "2 days of 4 hours: 8 hours" in texts(assess(scenario({"iop": groups})), "levels.iop.groups.one")[0]
    )


def test_groups_that_nobody_needs() -> None:
    door = {"to": "iop", "per_week": 0.5, "times": {"day": 1}}
    groups = {"day": group(), "late": group(time="evening"), "big": group(min_census=5)}
    found = assess(scenario(group_program(groups), sources={"door": door}))
    assert "nobody who comes to this level fits it (evening)" in texts(found, "levels.iop.groups.late")[0]
    # 0.5 a week × 8 sessions = 4 member-sessions a week, over 2 sessions.
    assert "at most about 2.0 members" in texts(found, "levels.iop.groups.big")[0]
    assert not texts(found, "levels.iop.groups.day")


def test_what_nobody_uses() -> None:
    sources = {
        "door": {"to": "a", "per_week": 1, "tracks": {"x": 1}, "payers": {"p": 1, "q": 0}},
        "shut": {"to": "b", "per_week": 0, "tracks": {"y": 1}, "payers": {"q": 1}},
    }
    names = {"tracks": {"x": {}, "y": {}}, "payers": {"p": {}, "q": {}}}
    found = assess(scenario({"a": {"stay_days": 1}, "b": {"stay_days": 1}}, sources=sources, **names))
    paths = [finding.path for finding in found.findings]
    assert paths == ["sources.shut.per_week", "tracks.y", "payers.q", "levels.b"]
    assert {finding.severity for finding in found.findings} == {"note"}


# ── targets ──────────────────────────────────────────────────────────────────────────────────────────────────

_PATIENT = {"patience_days": exponential(40)}


@pytest.mark.parametrize(
    ("places", "waitlist", "target", "reason"),
    [
        (8, _PATIENT, {"metric": "ward.reneged.share", "at_most": 0.1}, "never room for about 20%"),
        (8, _PATIENT, {"metric": "ward.reneged.share", "at_most": 0.2}, ""),
        (8, {"at_most": 3}, {"metric": "ward.reneged.share", "at_most": 0.1}, ""),
        (
            8,
            _PATIENT,
            {"metric": "ward.started_within_14_days.share", "at_least": 0.9},
            "never room for about 20%",
        ),
        (8, {}, {"metric": "ward.wait_days.p90", "at_most": 14}, "waits only grow"),
        (8, _PATIENT, {"metric": "ward.wait_days.p90", "at_most": 14}, ""),
        (20, {}, {"metric": "ward.wait_days.p90", "at_most": 14}, ""),
        (20, {}, {"metric": "ward.utilization.mean", "at_least": 0.8}, "need about 50% of the places"),
        (20, {}, {"metric": "ward.utilization.mean", "at_least": 0.5}, ""),
        (20, {}, {"metric": "ward.census.mean", "at_least": 15}, "about 10.0 in care"),
        (8, _PATIENT, {"metric": "ward.census.mean", "at_least": 9}, "there are 8"),
        (8, _PATIENT, {"metric": "ward.census.mean", "at_least": 7}, ""),
        (8, _PATIENT, {"metric": "ward.reneged.share", "at_most": 15}, ""),
        (8, _PATIENT, {"metric": "ward.completed.share", "at_least": 80}, "share from 0 to 1 (80 % is 0.8)"),
        (8, _PATIENT, {"metric": "ward.completed.share", "at_most": -0.1}, "never met"),
        (8, _PATIENT, {"metric": "door.conversion.share", "at_least": 0.5}, ""),
    ],
)
def test_targets_ruled_out(places: int, waitlist: object, target: dict[str, object], reason: str) -> None:
    ward = {"stay_days": 10, "places": places, "waitlist": waitlist}
    found = texts(assess(scenario({"ward": ward}, targets=[target])), "targets.0.metric")
    assert (reason in found[0]) if reason else not found


def test_target_that_is_always_met() -> None:
    target = {"metric": "ward.reneged.share", "at_most": 15}
    found = assess(scenario({"ward": {"stay_days": 10}}, targets=[target]))
    assert "always met" in texts(found, "targets.0.metric", "note")[0]


def test_target_of_seats_counts_only_whom_the_caseload_can_carry() -> None:
    target = {"metric": "iop.seat_utilization.mean", "at_least": 0.9}
    level = group_program({"one": group(seats=20)}, caseload="guide", waitlist=_PATIENT)
    door = {"door": {"to": "iop", "per_week": 5}}  # 40 session-seats a week of 40, and 5 × 4 = 20 patients
    for posts, out_of_reach in ((2, False), (1, True)):
        staff = {"guide": {"posts": posts, "caseload": 10}}
        found = assess(scenario(level, sources=door, staff=staff, targets=[target]))
        assert bool(texts(found, "targets.0.metric")) is out_of_reach


def test_no_target_is_ruled_out_by_patients_who_may_not_arrive() -> None:
    levels = {
        "first": {"stay_days": 10, "places": 5, "waitlist": _PATIENT, "next": {"second": 1}},
        "second": {"stay_days": 10, "places": 8, "waitlist": _PATIENT},
    }
    target = {"metric": "second.reneged.share", "at_most": 0.1}
    assert not texts(assess(scenario(levels, targets=[target])), "targets.0.metric")


# ── the command ──────────────────────────────────────────────────────────────────────────────────────────────


def test_warnings_come_first_and_as_sentences() -> None:
    found = Plausibility(
        pools=(), hours=(), findings=(Finding("warning", "a.b", "wrong"), Finding("note", "c", "so"))
    )
    assert warnings(found) == ["a.b: wrong"]
    severities = [
        finding.severity
        for finding in assess(
            scenario(
                group_program({"one": group(), "late": group(time="x", min_census=3)}),
                tracks={"all": {}, "y": {}},
            )
        ).findings
    ]
    assert severities == sorted(severities, reverse=True)


def test_baseline_is_told_within_80_columns(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["validate", str(BASELINE)])
    out = capsys.readouterr().out
    assert ended.value.code == 0
    assert max(map(len, out.splitlines())) <= 80
    for line in ("  iop seats ", "  iop caseload (therapist) ", "  therapist ", "\nvalid: "):
        assert line in out


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["validate", str(BASELINE), "--json", "--set", "levels.inpatient.places=0"])
    assert ended.value.code == 0
    told = json.loads(capsys.readouterr().out)
    assert told["scenario"] == "baseline"
    assert told["pools"][0] == {
        "name": "inpatient places", "level": "inpatient", "constraint": "places", "whom": "", "unit": "places",
        "load": pytest.approx(16, abs=4), "capacity": 0, "utilization": None,
    }  # fmt: skip
    assert {"therapist", "prescriber"} <= {work["role"] for work in told["hours"]}
    assert told["findings"][0]["path"] == "levels.inpatient.places"


def test_faults_end_with_2(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["validate", str(BASELINE), "--set", "levels.iop.phases=none"])
    assert ended.value.code == 2
    assert "levels.iop.phases" in capsys.readouterr().err


def test_arithmetic_needs_no_heavy_library() -> None:
    code = f"""
import sys
from iopsim.scenario import load
from iopsim.scenario.plausible import assess
assess(load({str(BASELINE)!r}))
print([name for name in ("numpy", "scipy", "pandas", "rich") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
