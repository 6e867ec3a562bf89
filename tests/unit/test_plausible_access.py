"""What arithmetic says of the rules before admission: contact to intake, authorization, and the flows they leave."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from iopsim.experiment.equilibrium import growing_lists
from iopsim.scenario.levels import Level, care_of
from iopsim.scenario.plausible import assess, unsteady
from iopsim.scenario.plausible.doors import STRAIGHT_IN, Doors
from iopsim.scenario.plausible.fates import fate
from iopsim.scenario.plausible.flows import streams
from iopsim.scenario.schema import Scenario
from tests.unit.test_plausible import exponential, group, group_program, loads, per_day, scenario, texts

BY_LEAD = {"by_lead_days": {0: 0.9, 1: 0.75, 3: 0.6}}
ACCESS = {
    "contact": {"share": 0.8, "lost_to": "later"},
    "eligible": {"share": 0.9, "found_at": "assessment", "otherwise": "later"},
    "intake": {"role": "desk", "minutes": 90, "show": BY_LEAD, "rebook": 1, "rebook_taken": 0.6},
}
DESK = {"desk": {"posts": 1, "bookable": 0.75}}  # 6 hours a day: four appointments of 90 minutes


def clinic(level: dict[str, object] | None = None, **parts: object) -> Scenario:
    levels = {"care": {"stay_days": 10, **ACCESS, **(level or {})}, "later": {"stay_days": 1}}
    return scenario(levels, **{"staff": DESK, **parts})


def authorization(**parts: object) -> dict[str, object]:
    return {"payers": {"asks": {"authorization": {"levels": ["care"], **parts}}}}


# ── from referral to the waitlist ────────────────────────────────────────────────────────────────────────────


def test_a_referral_passes_contact_intake_and_assessment() -> None:
    # 1 a day: 0.8 reached; an appointment the day after, 0.75 show; 0.25 × 0.6 take a second; 0.9 eligible.
    door = Doors(clinic()).of("care", "door", "")
    assert door.appointments == pytest.approx(0.8 * (1 + 0.25 * 0.6))
    assessed = 0.8 * 0.75 * (1 + 0.25 * 0.6)
    assert door.joined == door.admitted == pytest.approx(0.9 * assessed)
    assert dict(door.elsewhere) == pytest.approx(
        {"later": 0.2 + 0.1 * assessed, "home": 0.8 - assessed}, rel=1e-12
    )
    found, remarks = streams(clinic())
    assert per_day(found) == pytest.approx({"care": 0.9 * assessed, "later": 0.2 + 0.1 * assessed})
    assert not remarks


def test_the_ineligible_who_are_found_at_the_screen_take_no_appointment() -> None:
    eligible = {"share": 0.5, "found_at": "screen", "otherwise": "later"}
    door = Doors(clinic({"eligible": eligible})).of("care", "door", "")
    assert door.appointments == pytest.approx(0.8 * 0.5 * 1.15)
    assert door.joined == pytest.approx(0.8 * 0.5 * 0.75 * 1.15)


def test_stages_are_for_sources_only_unless_they_say_so() -> None:
    first = {"stay_days": 5, "next": {"care": 1}}
    levels = {"care": {"stay_days": 10, **ACCESS}, "later": {"stay_days": 1}, "first": first}
    both = {name: {"to": name, "per_week": 7} for name in ("care", "first")}
    sources = {f"to_{name}": source for name, source in both.items()}
    plan = scenario(levels, sources=sources, staff=DESK)
    doors = Doors(plan)
    assert doors.of("care", "first", "") is STRAIGHT_IN
    assert doors.of("care", "returned", "") is STRAIGHT_IN
    joined = 0.8 * 0.75 * 1.15 * 0.9
    assert per_day(streams(plan)[0])["care"] == pytest.approx(1 + joined)
    levels["care"] = {"stay_days": 10, "contact": {"share": 0.5, "for": ["first"]}}
    assert per_day(streams(scenario(levels, sources=sources))[0])["care"] == pytest.approx(1 + 0.5)


def test_stages_that_lose_nobody_and_take_no_appointment_change_nothing() -> None:
    plain = scenario({"care": {"stay_days": 10}})
    staged = {"stay_days": 10, "contact": {"delay_days": 4}, "eligible": {"share": 1}}
    assert Doors(scenario({"care": staged})).of("care", "door", "") is STRAIGHT_IN
    free = {"payers": {"asks": {"authorization": {"levels": ["care"], "delay_days": 3}}}}
    for other in (scenario({"care": staged}), scenario({"care": staged}, **free)):
        assert per_day(streams(other)[0]) == per_day(streams(plain)[0])
        assert [pool.load for pool in assess(other).pools] == [pool.load for pool in assess(plain).pools]


def test_a_referral_that_goes_round_between_two_doors_is_counted_each_time() -> None:
    # Half of those who come to `a` are sent to `b`, and half of these, who come from a level, back to `a`.
    levels = {
        "a": {"stay_days": 1, "eligible": {"share": 0.5, "otherwise": "b", "for": ["door", "b"]}},
        "b": {"stay_days": 1, "eligible": {"share": 0.5, "otherwise": "a", "for": ["a"]}},
    }
    found, _ = streams(scenario(levels))
    # Come to a: x = 1 + y/2 and to b: y = x/2, so that x = 4/3 and y = 2/3; half of each get in.
    assert per_day(found) == pytest.approx({"a": 2 / 3, "b": 1 / 3}, rel=1e-5)


# ── authorization ────────────────────────────────────────────────────────────────────────────────────────────


def test_the_denied_go_elsewhere_by_payer() -> None:
    payers = {
        "asks": {"authorization": {"levels": ["care"], "denied": 0.2, "denied_to": "later"}},
        "pays": {},
    }
    door = {"to": "care", "per_week": 7, "payers": {"asks": 0.5, "pays": 0.5}}
    plan = scenario(
        {"care": {"stay_days": 10}, "later": {"stay_days": 1}}, payers=payers, sources={"door": door}
    )
    found, _ = streams(plan)
    assert {(s.level, s.payer): s.per_day for s in found} == pytest.approx(
        {("care", "asks"): 0.4, ("care", ""): 0.5, ("later", "asks"): 0.1}
    )
    assert sum(s.joined_per_day for s in found if s.level == "care") == pytest.approx(1)


def test_cuts_end_stays_when_the_units_are_used_up() -> None:
    # 12 sessions at 3 a week; after each 5 attended a quarter of the others is cut: at 5 and at 10.
    level = {"phases": [{"weeks": 4, "days_per_week": 3}], "groups": {"one": group("mon wed fri")}}
    care = care_of(Level.model_validate(level), "", "")
    payer = scenario({"care": level}, **authorization(units=5, review={"cut": 0.25})).payers["asks"]
    lived = fate(care, 3, payer=payer.authorization)
    assert lived.cut == pytest.approx(0.25 + 0.75 * 0.25)
    assert lived.completed == pytest.approx(0.75**2)
    assert lived.sessions == pytest.approx(5 + 0.75 * 5 + 0.75**2 * 2)
    assert fate(care, 3, payer=None).cut == 0


def test_units_are_sessions_attended_or_days_and_late_answers_let_treatment_go_on() -> None:
    groups = {"groups": {"one": group("mon wed fri")}}
    half = {"phases": [{"weeks": 4, "days_per_week": 3}], "attendance": {"mean": 0.5}, **groups}
    review = {"cut": 1, "delay_days": 7}
    for plan, sessions in (
        (authorization(units=5, review={"cut": 1}), 10),  # half of them attended
        (
            authorization(units=5, ask_before=2, review=review),
            10,
        ),  # 3.5 units before the last: 1.5 attended a week
        (authorization(units=5, review=review), 12),  # 6.5 units: 13 sessions, and the plan has 12
        (authorization(units=3, review=review), 9),  # 4.5 units
        (authorization(units=21, per="day", review={"cut": 1}), 9),  # three weeks
    ):
        payer = scenario({"care": half}, **plan).payers["asks"].authorization
        lived = fate(care_of(Level.model_validate(half), "", ""), 3, payer=payer)
        assert lived.sessions == pytest.approx(sessions), plan
        assert lived.cut == pytest.approx(float(sessions < 12))


def test_a_bed_is_approved_by_days_or_by_sessions_of_so_many_days() -> None:
    care = care_of(Level.model_validate({"stay_days": exponential(20)}), "", "")

    def lived(session_days: float = 1.0, **parts: object) -> float:
        payer = scenario({"care": {"stay_days": 20}}, **authorization(**parts)).payers["asks"]
        return fate(care, 0, payer=payer.authorization, session_days=session_days).days

    # Cut for certain at 14 days: 20 × (1 − exp(−0.7)).
    assert lived(units=14, per="day", review={"cut": 1}) == pytest.approx(
        20 * (1 - 2.718281828**-0.7), rel=1e-3
    )
    assert lived(7 / 5, units=10, per="session", review={"cut": 1}) == pytest.approx(
        20 * (1 - 2.718281828**-0.7), rel=1e-3
    )


def test_who_is_cut_goes_where_the_denied_go() -> None:
    level = {"phases": [{"weeks": 2, "days_per_week": 2}], "groups": {"one": group()}}
    plan = authorization(denied=0.2, denied_to="later", units=2, review={"cut": 0.5})
    found, _ = streams(scenario({"care": level, "later": {"stay_days": 1}}, **plan))
    # 0.8 start; half of them are cut after two of four sessions; the payer asks for care only.
    assert per_day(found) == pytest.approx({"care": 0.8, "later": 0.2 + 0.4})


# ── appointments as a pool ───────────────────────────────────────────────────────────────────────────────────


def test_appointments_wanted_and_there() -> None:
    closed = {"closed": [dt.date(2027, 1, 4), dt.date(2027, 1, 9), dt.date(2027, 1, 12)]}  # one is a Saturday
    found = assess(clinic(calendar=closed, run={"start": dt.date(2027, 1, 4), "weeks": 4}))
    assert loads(found) == {"care slots (desk)": (round(7 * 0.8 * 1.15, 2), 4 * 4.5)}
    (desk,) = found.hours
    assert desk.expected == pytest.approx(7 * 0.8 * 1.15 * 1.5)
    assert not texts(found, "staff.desk")


def test_too_few_appointments_are_never_in_equilibrium_whatever_the_patience() -> None:
    patient = {"waitlist": {"patience_days": 9}, "places": 50}
    busy = {"door": {"to": "care", "per_week": 30}}  # 27.6 appointments a week
    plan = clinic(patient, sources=busy)
    (text,) = texts(assess(plan), "staff.desk")
    assert "care slots (desk): 27.6 appointments a week needed, 20.0 there (138%)" in text
    assert "never settles, and is longer by about 2.7 days with each week" in text  # 7 × 0.38
    assert "it takes 2 posts" in text
    assert {level: pool.name for level, pool in unsteady(plan).items()} == {"care": "care slots (desk)"}
    (said,) = growing_lists(plan)
    assert "nobody gives up waiting for one, so the wait for an appointment grows" in said
    (desk,) = assess(plan).hours
    assert desk.expected == pytest.approx(30)  # as many as there are, 20 of 1.5 hours
    for referred, full in ((20.6, False), (20.7, True)):  # 95 % of 20 is 19 ÷ 0.92
        assert bool(unsteady(clinic(patient, sources={"door": {"to": "care", "per_week": referred}}))) is full


def test_slots_are_named_before_the_beds_behind_them() -> None:
    busy = {"door": {"to": "care", "per_week": 40}}
    for places in (25, 5):
        assert unsteady(clinic({"places": places}, sources=busy))["care"].name == "care slots (desk)"


def test_appointments_of_unequal_length_are_counted_in_hours_and_in_one_diary() -> None:
    services = {
        "visit": {"levels": ["care"], "role": "desk", "minutes": 20, "indirect_minutes": 10, "every_weeks": 1,
                  "share": 0.5, "limits": True},
        "free": {"levels": ["care"], "role": "desk", "minutes": 60, "per": "admission"},
    }  # fmt: skip
    found = assess(clinic({"stay_days": 14}, services=services))
    joined = 7 * 0.8 * 0.75 * 1.15 * 0.9
    # Visits at the start of care and after a week, to half of them.
    hours = 7 * 0.8 * 1.15 * 1.5 + joined * 2 * 0.5 * 0.5
    assert loads(found) == {"care slots (desk)": (round(hours, 2), 30)}
    assert found.pools[0].unit == "hours of appointments a week"


def test_visits_that_come_too_late_keep_nobody_waiting() -> None:
    visit = {"levels": ["care"], "role": "desk", "minutes": 90, "every_weeks": 1, "limits": True}
    plan = scenario({"care": {"stay_days": 28}}, staff=DESK, services={"visit": visit})
    found = assess(plan)
    assert loads(found) == {"care slots (desk)": (28, 20)}
    assert "about 29% of these visits come later and later, or never" in texts(found, "staff.desk")[0]
    assert not unsteady(plan)


def test_admission_that_waits_for_a_visit_is_bounded_by_patience() -> None:
    visit = {
        "levels": ["care"],
        "role": "desk",
        "minutes": 90,
        "per": "admission",
        "due_days": 3,
        "limits": "admission",
    }
    for waitlist, grows in (({}, ["care"]), ({"patience_days": 9}, [])):
        plan = scenario(
            {"care": {"stay_days": 5, "waitlist": waitlist}},
            sources={"door": {"to": "care", "per_week": 25}},
            staff=DESK,
            services={"visit": visit},
        )
        assert loads(assess(plan)) == {"care slots (desk)": (25, 20)}
        assert list(unsteady(plan)) == grows
        (text,) = [text for text in texts(assess(plan), "staff.desk") if "slots" in text]
        assert ("must give up" in text) is not bool(grows)


# ── targets ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("at_least", "is_ruled_out"),
    [(0.75, True), (0.65, False)],  # on the same day 0.9 × 1.06 show: 0.8 × 0.954 × 0.9 is 0.687
)
def test_conversion_that_the_way_in_rules_out(at_least: float, is_ruled_out: bool) -> None:
    target = {"metric": "door.conversion.share", "at_least": at_least}
    told = texts(assess(clinic(targets=[target])), "targets.0.metric")
    assert bool(told) is is_ruled_out
    assert not told or "let about 69% of them in" in told[0]


def test_waits_for_appointments_that_only_grow_rule_targets_of_access_out() -> None:
    busy = {"door": {"to": "care", "per_week": 40}}
    for metric, ruled_out in (
        ("care.access_days.p90", True),
        ("care.intake_days.mean", True),
        ("care.wait_days.p90", False),
    ):
        targets = [{"metric": metric, "at_most": 30}]
        told = texts(assess(clinic({"places": 25}, sources=busy, targets=targets)), "targets.0.metric")
        assert bool(told) is ruled_out, metric


def test_reneging_is_of_those_who_join_the_denied_among_them() -> None:
    # 1 a day of 12.5 days, a fifth denied: 10 needed of 8, so that 20 % of 80 % give up: 16 % of those who join.
    ward = {"stay_days": 12.5, "places": 8, "waitlist": {"patience_days": exponential(40)}}
    for at_most, ruled_out in ((0.10, True), (0.12, False)):
        targets = [{"metric": "care.reneged.share", "at_most": at_most}]
        found = assess(scenario({"care": ward}, targets=targets, **authorization(denied=0.2)))
        assert bool(texts(found, "targets.0.metric")) is ruled_out


# ── groups ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_those_who_accept_another_time_can_sit_anywhere() -> None:
    door = {"to": "iop", "per_week": 6, "times": {"day": 0.9, "evening": 0.1}}
    groups = {"morning": group(time="day"), "night": group(time="evening", seats=20)}
    narrow = assess(scenario(group_program(groups), sources={"door": door}))
    assert loads(narrow)["iop seats (day)"] == (43.2, 20)
    either = group_program(groups, waitlist={"accept_other_time_after_days": 14, "patience_days": 60})
    assert loads(assess(scenario(either, sources={"door": door}))) == {"iop seats": (48, 60)}


def test_seats_by_modality() -> None:
    door = {"to": "iop", "per_week": 5, "modalities": {"in_person": 0.5, "remote": 0.3, "either": 0.2}}
    groups = {"here": group(), "there": group(modality="remote", seats=5)}
    found = assess(scenario(group_program(groups), sources={"door": door}))
    assert loads(found) == {
        "iop seats": (40, 30),
        "iop seats (in_person)": (20, 20),
        "iop seats (remote)": (12, 10),
    }


def test_cohorts_let_in_so_many_a_week() -> None:
    cohort = {"cohort": {"first": dt.date(2027, 1, 11), "every_days": 14, "starters": 4}}
    groups = {"one": group(admission=cohort), "two": group(admission=cohort, seats=12)}
    patience = {"waitlist": {"patience_days": 60}}
    plan = scenario(group_program(groups, **patience), sources={"door": {"to": "iop", "per_week": 5}})
    assert loads(assess(plan)) == {"iop seats": (40, 44), "iop starts": (5, 4)}
    (text,) = texts(assess(plan), "levels.iop.groups")
    assert "iop starts: 5.0 starts a week needed, 4.0 there (125%), so about 20%" in text
    assert "it takes 5.0 starts a week: more `starters`" in text
    assert list(
        unsteady(scenario(group_program(groups), sources={"door": {"to": "iop", "per_week": 5}}))
    ) == ["iop"]
    groups["open"] = group(seats=1)
    assert "iop starts" not in loads(
        assess(scenario(group_program(groups), sources={"door": {"to": "iop", "per_week": 5}}))
    )


def test_a_cohort_has_no_more_members_than_have_started() -> None:
    # 2 starters in four weeks, for four weeks each: two members, though 40 want to come.
    cohort = {"cohort": {"first": dt.date(2027, 1, 11), "every_days": 28, "starters": 2}}
    for least, told in ((3, True), (2, False)):
        groups = {"one": group(admission=cohort, min_census=least), "two": group(seats=50)}
        found = assess(scenario(group_program(groups), sources={"door": {"to": "iop", "per_week": 10}}))
        assert bool(texts(found, "levels.iop.groups.one")) is told


def test_a_session_with_too_few_is_cancelled_or_merged() -> None:
    door = {"door": {"to": "iop", "per_week": 0.5}}
    lone = group(min_census=5)
    groups = {"lone": lone, "merging": lone | {"below_minimum": {"merge_with": "large"}}, "large": group()}
    found = assess(scenario(group_program(groups), sources=door))
    assert "will be cancelled" in texts(found, "levels.iop.groups.lone")[0]
    assert "will be merged" in texts(found, "levels.iop.groups.merging", "note")[0]


# ── demand ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_changes_and_files_give_the_referrals_of_the_window(tmp_path: Path) -> None:
    start = dt.date(2027, 1, 4)
    half = [{"from": start + dt.timedelta(weeks=5), "factor": 3}]  # of ten weeks
    run = {"start": start, "weeks": 10, "warm_up_weeks": 1, "run_out_weeks": 1}
    changed = scenario(
        {"a": {"stay_days": 1}}, run=run, sources={"door": {"to": "a", "per_week": 7, "changes": half}}
    )
    assert per_day(streams(changed)[0]) == pytest.approx({"a": 2})
    for name, first in (("inside", start), ("before", start - dt.timedelta(days=7))):
        rows = "".join(f"{first + dt.timedelta(days=day)},evening\n" for day in range(7))
        (tmp_path / f"{name}.csv").write_text(f"day,when\n{rows}", encoding="utf-8")
    traces = {
        name: {"to": "a", "trace": {"csv": f"{name}.csv", "date": "day", "time": "when"}}
        for name in ("inside", "before")
    }
    groups = {"one": group("mon"), "two": group("mon", time="evening")}
    levels = {"a": {"stay_days": 1, "groups": groups}}
    whole = {"run": run, "sources": traces, "levels": levels}
    replayed = Scenario.model_validate(whole, context={"folder": tmp_path})
    found, _ = streams(replayed)
    assert {(stream.source, stream.time): stream.per_day for stream in found} == {
        ("inside", "evening"): pytest.approx(0.1)
    }
    told = assess(replayed)
    assert texts(told, "sources.before.trace", "note")[0].startswith(
        "no referral of the file is in the measured window"
    )
    assert "nobody who comes to this level fits it (day)" in texts(told, "levels.a.groups.one")[0]


def test_no_wait_is_guessed_where_referrals_are_not_steady() -> None:
    ward = {"care": {"stay_days": exponential(8), "places": 10}}
    door = {"to": "care", "per_week": 7}
    asked = authorization(denied=0.1)
    for parts, told in (({}, 1), ({"sources": {"door": door | {"dispersion": 2}}}, 0), (asked, 0)):
        found = texts(assess(scenario(ward, **parts)), "levels.care.places", "note")
        assert len([text for text in found if "the mean wait would be" in text]) == told
