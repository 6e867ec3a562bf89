"""The clinic's rules as the language checks them: each fault at its place, and beside it what is sane."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from iopsim.errors import InputError
from iopsim.measures.registry import registered
from iopsim.scenario import load
from iopsim.scenario.names import METRIC_WORDS
from iopsim.scenario.routing import applies, origins, reached

BASE = """\
run: {start: 2027-01-04, warm_up_weeks: 10, weeks: 52, run_out_weeks: 10}
tracks: {mood: {}, sud: {}}
payers: {public: {}, private: {}}
rooms: {main: {seats: 12}, small: {seats: 8}}
sources:
  community: {to: iop, per_week: 5, tracks: {mood: 0.5, sud: 0.5}, payers: {public: 0.6, private: 0.4}}
  ward: {to: detox, per_week: 2, tracks: {sud: 1}, payers: {public: 1}}
levels:
  detox: {places: 9, stay_days: 6, next: {iop: 0.5, home: 0.5}}
  iop:
    phases: [{weeks: 8, days_per_week: 3}]
    next: {after: 0.5, home: 0.5}
    groups:
      morning: {days: [mon, wed, fri], seats: 12}
      noon: {days: [mon, wed, fri], start: "12:00", seats: 12}
      night: {days: [tue, wed, thu], start: "18:00", seats: 8}
  after: {stay_days: 90}
staff:
  desk: {posts: 1}
  nurse: {posts: 2, caseload: 12}
"""
INTAKE = "intake: {role: desk, minutes: 60"
COHORT = "admission: {cohort: {first: 2027-01-11, every_days: 28, starters: 8}}"
VISIT = "levels: [iop], role: desk, minutes: 60, per: admission"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test works in its own folder, beside the base."""
    monkeypatch.chdir(tmp_path)
    Path("base.yaml").write_text(BASE)


def faults(text: str) -> list[str]:
    """The faults of a scenario on the base, as lines without the name of the file; none if it is sound."""
    Path("case.yaml").write_text(f"extends: base.yaml\n{text}\n")
    try:
        load("case.yaml")
    except InputError as error:
        lines = str(error).splitlines()
        return [line.removeprefix("case.yaml:").replace("error: ", "") for line in lines]
    return []


WRONG = {
    # rooms
    "levels: {iop: {groups: {morning: {room: main, hours: 3.5}, noon: {room: main}}}}": (
        '2:67: levels.iop.groups.noon.room: room "main" is taken: morning meets there on mon, wed and fri from 09:00 '
        "to 12:30; move one of the two",
    ),
    "levels: {iop: {groups: {noon: {room: main, start: '09:30', hours: 1}, morning: {room: main}}}}": (
        '2:32: levels.iop.groups.noon.room: room "main" is taken: morning meets there on mon, wed and fri from 09:00 '
        "to 12:00; move one of the two",
    ),
    "levels: {iop: {groups: {noon: {room: main}}}, after: {groups: {yoga: {room: main, days: [wed], start: '14:00', "
    "seats: 9}}}}": (
        '2:71: levels.after.groups.yoga.room: room "main" is taken: noon meets there on wed from 12:00 to 15:00; move '
        "one of the two",
    ),
    "levels: {iop: {groups: {morning: {room: main, until: 2027-03-03}, noon: {room: main, start: '11:00', "
    "from: 2027-03-01}}}}": (  # a Monday to a Wednesday
        '2:74: levels.iop.groups.noon.room: room "main" is taken: morning meets there on mon and wed from 09:00 to '
        "12:00; move one of the two",
    ),
    "levels: {iop: {groups: {noon: {room: small}}}}": (
        '2:32: levels.iop.groups.noon.room: the group has 12 seats, and room "small" holds 8; take a larger room, or '
        "fewer seats",
    ),
    # mergers
    "levels: {iop: {groups: {noon: {below_minimum: {merge_with: noon}}}}}": (
        "2:48: levels.iop.groups.noon.below_minimum.merge_with: a group cannot merge with itself; name night",
    ),
    "levels: {iop: {groups: {noon: {below_minimum: {merge_with: morning}}}}}": (
        "2:48: levels.iop.groups.noon.below_minimum.merge_with: on mon, wed and fri that group has begun by 12:00: it "
        "starts at 09:00; name night",
    ),
    "levels: {iop: {groups: {morning: {below_minimum: {merge_with: noon}}, noon: {below_minimum: {merge_with: "
    "night}}}}}": (
        '2:51: levels.iop.groups.morning.below_minimum.merge_with: that group merges with "night" itself, and nobody '
        "is sent on twice; name night",
    ),
    "levels: {iop: {groups: {noon: {below_minimum: {merge_with: night}}, night: {days: [tue, thu, sat]}}}}": (
        "2:48: levels.iop.groups.noon.below_minimum.merge_with: the two never meet on the same day, so that nobody "
        "could go there; say `below_minimum: cancel`",
    ),
    "levels: {iop: {groups: {noon: {until: 2027-03-01, below_minimum: {merge_with: night}}, night: {from: "
    "2027-03-02}}}}": (
        "2:67: levels.iop.groups.noon.below_minimum.merge_with: the two never meet on the same day, so that nobody "
        "could go there; say `below_minimum: cancel`",
    ),
    "levels: {after: {groups: {yoga: {days: [wed], seats: 9, below_minimum: {merge_with: night}}}}}": (
        '2:73: levels.after.groups.yoga.below_minimum.merge_with: group "night" belongs to level "iop", and members '
        "stay in their level; say `below_minimum: cancel`",
    ),
    f"levels: {{iop: {{groups: {{noon: {{below_minimum: {{merge_with: night}}}}, night: {{{COHORT}}}}}}}}}": (
        "2:48: levels.iop.groups.noon.below_minimum.merge_with: that group takes its members in cohorts, which nobody "
        "joins in mid-treatment; say `below_minimum: cancel`",
    ),
    # cohorts
    f"levels: {{iop: {{groups: {{night: {{seats: 7, {COHORT}}}}}}}}}": (
        "2:99: levels.iop.groups.night.admission.cohort.starters: 8 start together, and the group takes 7 (seats × "
        "overbook); lower `starters`, or add seats",
    ),
    f"levels: {{iop: {{groups: {{night: {{until: 2027-01-10, {COHORT}}}}}}}}}": (
        "2:73: levels.iop.groups.night.admission.cohort.first: the group ends before, on 2027-01-10: nobody would ever "
        "start; begin earlier",
    ),
    f"run: {{start: 2026-02-02, weeks: 38, run_out_weeks: 10}}\nlevels: {{iop: {{groups: {{night: {{{COHORT}}}}}}}}}": (
        "3:54: levels.iop.groups.night.admission.cohort.first: 2027-01-11 is after the simulated time, 2025-11-24 to "
        "2027-01-03: nobody would ever start; begin earlier",
    ),
    "levels: {iop: {groups: {night: {admission: {cohort: {first: 2017-01-11, every_days: 28, starters: 8}}}}}}": (
        "2:54: levels.iop.groups.night.admission.cohort.first: 2017-01-11 is more than three years before the "
        "simulated time, 2026-10-26 to 2028-03-12; check the year",
    ),
    # stages
    "levels: {iop: {eligible: {share: 0.9, found_at: assessment}}}": (
        "2:39: levels.iop.eligible.found_at: the assessment is at the intake: say `intake:`, or `found_at: screen`",
    ),
    f"levels: {{iop: {{eligible: {{found_at: assessment}}, {INTAKE}, for: [returned]}}}}}}": (
        "2:27: levels.iop.eligible.found_at: community has no intake here in which it could turn out; make the `for` "
        "of both agree, or say `found_at: screen`",
    ),
    f"levels: {{iop: {{eligible: {{found_at: assessment, for: [community, detox, returned]}}, {INTAKE}}}}}}}": (
        "2:27: levels.iop.eligible.found_at: detox and returned have no intake here in which it could turn out; make "
        "the `for` of both agree, or say `found_at: screen`",
    ),
    "levels: {iop: {contact: {share: 0.5, lost_to: iop}, eligible: {otherwise: iop}}}": (
        "2:38: levels.iop.contact.lost_to: who is not reached for a level cannot join it at once; say home, or another "
        "level",
        "2:64: levels.iop.eligible.otherwise: who is not eligible for a level cannot join it at once; say home, or "
        "another level",
    ),
    f"levels: {{iop: {{{INTAKE}, lost_to: iop}}}}}}": (
        "2:50: levels.iop.intake.lost_to: who does not come to the intake for a level cannot join it at once; say "
        "home, or another level",
    ),
    # appointments
    f"levels: {{iop: {{{INTAKE}}}}}}}\nstaff: {{desk: {{posts: 0}}}}": (
        '2:25: levels.iop.intake.role: role "desk" has no posts: nobody would ever give an appointment; set '
        "staff.desk.posts",
    ),
    f"levels: {{iop: {{{INTAKE}}}}}}}\nstaff: {{desk: {{fte: 0.1, bookable: 0.8}}}}": (
        '2:37: levels.iop.intake.minutes: one appointment takes 60 minutes, and a post of role "desk" has 38.4 a day '
        "(FTE × paid hours ÷ 5 × bookable); shorten it, or change staff.desk",
    ),
    f"levels: {{iop: {{{INTAKE}}}}}}}\nstaff: {{desk: {{fte: 2, paid_hours_per_week: 50}}}}": (
        '2:25: levels.iop.intake.role: a post of role "desk" would give appointments for 20 hours a day, from 09:00 to '
        "past midnight; say more posts in staff.desk, of fewer hours",
    ),
    f"services: {{visit: {{{VISIT}, indirect_minutes: 430, limits: true}}}}": (
        '2:47: services.visit.minutes: one appointment takes 490 minutes, and a post of role "desk" has 480 a day (FTE '
        "× paid hours ÷ 5 × bookable); shorten it, or change staff.desk",
    ),
    f"services: {{visit: {{{VISIT}, limits: true}}}}\nstaff: {{desk: {{posts: 0}}}}": (
        '2:35: services.visit.role: role "desk" has no posts: nobody would ever give an appointment; set '
        "staff.desk.posts",
    ),
    f"services: {{visit: {{{VISIT}, share: 0.7, due_days: 7, limits: admission}}}}": (
        "2:76: services.visit.share: `limits: admission` lets nobody in without it: it is for everybody; drop `share`",
    ),
    # referral before the end
    "levels: {after: {refer_before_days: 3}}": (
        "2:18: levels.after.refer_before_days: nobody goes on to a level from here; say which in `next`, or drop it",
    ),
    "levels: {iop: {refer_before_days: 3, next: {after: 0, home: 1}}}": (
        "2:16: levels.iop.refer_before_days: nobody goes on to a level from here; say which in `next`, or drop it",
    ),
    "levels: {iop: {refer_before_days: 3, next: {after: {share: 1, lag_days: 2}}}}": (
        "2:63: levels.iop.next.after.lag_days: who has been referred before the end does not stay at home first; drop "
        "`lag_days` here, or `refer_before_days`",
    ),
    # waitlists
    "levels: {after: {waitlist: {accept_other_time_after_days: 14}}}": (
        "2:29: levels.after.waitlist.accept_other_time_after_days: only groups meet at times of the day; this level "
        "has none: drop it",
    ),
    "levels: {iop: {waitlist: {priority: {detox: 1, community: 2}, ages_into: {class: 2, after_days: 28}}}}": (
        "2:75: levels.iop.waitlist.ages_into.class: nobody who comes here is in a later class, so that waiting changes "
        "nothing; say a lower one",
    ),
    # staff
    "staff: {nurse: {associate: {supervised_by: nurse, minutes_per_week: 60}}}": (
        "2:29: staff.nurse.associate.supervised_by: nobody is supervised by their own role; name the one that "
        "supervises",
    ),
    "staff: {nurse: {leaves: [2017-03-01, {from: 2027-03-01, until: 2072-04-01}]}}": (
        "2:26: staff.nurse.leaves[0]: 2017-03-01 is more than three years before the simulated time, 2026-10-26 to "
        "2028-03-12; check the year",
        "2:57: staff.nurse.leaves[1].until: 2072-04-01 is more than three years after the simulated time, 2026-10-26 "
        "to 2028-03-12; check the year",
    ),
    # demand
    "sources: {ward: {changes: [{from: 2037-03-01, factor: 2}]}}": (
        "2:18: sources.ward.changes: 2037-03-01 is more than three years after the simulated time, 2026-10-26 to "
        "2028-03-12; check the year",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), WRONG.items(), ids=WRONG)
def test_a_rule_that_cannot_be_kept_is_told_at_its_place(text: str, expected: tuple[str, ...]) -> None:
    assert faults(text) == list(expected)


SANE = [
    # rooms: one after the other, on other days, one until the other begins, as many seats as there are
    "levels: {iop: {groups: {morning: {room: main}, noon: {room: main}, night: {room: main}}}}",
    "levels: {iop: {groups: {morning: {room: main, hours: 3.5, days: [tue, thu, sat]}, noon: {room: main}}}}",
    "levels: {iop: {groups: {morning: {room: main, hours: 8, until: 2027-03-01}, "
    "noon: {room: main, from: 2027-03-02}}}}",
    # both exist from a Tuesday to the next only, when neither meets
    "levels: {iop: {groups: {morning: {room: main, hours: 8, until: 2027-03-02}, "
    "noon: {room: main, from: 2027-03-02}}}}",
    "levels: {iop: {groups: {night: {room: small}}}}",
    "levels: {iop: {groups: {morning: {seats: 90}, noon: {hours: 9, seats: 90}}}}",
    # mergers: one shared day is enough, and it may begin at the very time
    "levels: {iop: {groups: {noon: {below_minimum: {merge_with: night}}}}}",
    "levels: {iop: {groups: {noon: {below_minimum: {merge_with: morning}}, morning: {start: '12:00'}}}}",
    f"levels: {{iop: {{groups: {{noon: {{below_minimum: {{merge_with: night}}, {COHORT}}}}}}}}}",
    # cohorts: overbooked seats count, and a start date need not be a day of the group
    f"levels: {{iop: {{groups: {{night: {{seats: 7, overbook: 1.15, {COHORT}}}}}}}}}",
    "levels: {iop: {groups: {night: {admission: {cohort: {first: 2026-01-10, every_days: 7, starters: 8}}}}}}",
    # stages: who has no intake here may come without being named
    f"levels: {{iop: {{eligible: {{share: 0.9, found_at: assessment}}, {INTAKE}}}}}}}",
    f"levels: {{iop: {{eligible: {{found_at: assessment, for: [community]}}, {INTAKE}, for: [community, detox]}}}}}}",
    "levels: {iop: {eligible: {share: 0.9, found_at: screen, otherwise: after}}}",
    # appointments: one a day is enough
    f"levels: {{iop: {{{INTAKE}}}}}}}\nstaff: {{desk: {{fte: 0.125}}}}",
    f"services: {{visit: {{{VISIT}, indirect_minutes: 420, limits: true}}}}",
    f"services: {{visit: {{{VISIT}, due_days: 7, limits: admission}}}}",
    f"services: {{visit: {{{VISIT}, share: 0.7, indirect_minutes: 900}}}}\nstaff: {{desk: {{posts: 0}}}}",
    # payers: groups in one of the levels, or nobody of theirs who comes there
    "payers: {public: {authorization: {levels: [detox, iop], units: 5}}}",
    "payers: {public: {authorization: {levels: [after], units: 5, per: day}}}",
    "payers: {private: {authorization: {levels: [detox], denied: 0.5, denied_to: after}}}",
    # referral before the end: a lag on the way home is nobody's
    "levels: {iop: {refer_before_days: 3}}",
    "levels: {iop: {refer_before_days: 3, next: {after: 0.5, home: {share: 0.5, lag_days: 2}}}}",
    # waitlists: unlisted ones come last
    "levels: {iop: {waitlist: {accept_other_time_after_days: 14}}}",
    "levels: {iop: {waitlist: {priority: {community: 2}, ages_into: {class: 2, after_days: 28}}}}",
    "levels: {iop: {waitlist: {ages_into: {class: 1, after_days: 28}}}}",
    # staff: words that change nothing are no fault
    "staff: {nurse: {associate: {supervised_by: desk, minutes_per_week: 60}}}",
    "staff: {nurse: {onboarding_weeks: 8, days_to_hire: 60, reassignment: {dropout_factor: 1.2}, cover_per_hour: 60}}",
    "staff: {nurse: {leaves: [2026-01-01, {from: 2028-03-01, until: 2029-02-28}], patients_per_clinician_at_most: 9}}",
    # demand: a source that is switched off keeps its words
    "sources: {community: {per_week: 0, dispersion: 1.3, changes: [{from: 2026-01-01, factor: 2}]}}",
]  # fmt: skip


@pytest.mark.parametrize("text", SANE)
def test_what_is_sane_is_taken(text: str) -> None:
    assert faults(text) == []


# Ways


def test_whoever_is_turned_away_comes_where_the_rules_send_them() -> None:
    """a: not reached → b, not eligible → c, no show → d, refused → e, denied → f, cut → g; h is never."""
    Path("case.yaml").write_text(
        "payers: {asks: {authorization: {levels: [a], denied: 0.1, denied_to: f}}, "
        "cuts: {authorization: {levels: [a], denied_to: g, units: 9, per: day, review: {cut: 0.1}}}, "
        "none: {authorization: {levels: [a], denied: 1, denied_to: h}}}\n"
        "sources: {in: {to: a, per_week: 1, payers: {asks: 0.5, cuts: 0.5, none: 0}}}\n"
        "staff: {desk: {posts: 1}}\n"
        "levels:\n"
        "  a:\n"
        "    stay_days: 9\n"
        "    contact: {share: 0.9, lost_to: b}\n"
        "    eligible: {share: 0.9, otherwise: c}\n"
        "    intake: {role: desk, minutes: 60, show: {by_lead_days: {0: 1, 7: 0.9}}, lost_to: d}\n"
        "    waitlist: {at_most: {in: 3}, otherwise: e}\n"
        + "".join(f"  {name}: {{stay_days: 9}}\n" for name in "bcdefgh")
    )
    comers = reached(load("case.yaml"))
    assert comers == {name: {"all": ["in"]} for name in "abcdefg"} | {"h": {}}


@pytest.mark.parametrize(
    "nobody",
    [
        "contact: {share: 1, lost_to: b}",
        "contact: {share: 0.5, lost_to: b, for: [a]}",
        "eligible: {share: 1, otherwise: b}",
        "eligible: {share: 0.5, otherwise: b, for: [returned]}",
        "intake: {role: desk, minutes: 60, lost_to: b}",
        "intake: {role: desk, minutes: 60, show: {by_lead_days: {0: 1, 9: 1}}, lost_to: b}",
        "intake: {role: desk, minutes: 60, show: 0.5, lost_to: b, for: [b]}",
        "waitlist: {at_most: {b: 0}, otherwise: b}",
    ],
)
def test_stages_that_nobody_is_lost_at_lead_nowhere(nobody: str) -> None:
    Path("case.yaml").write_text(
        "sources: {in: {to: a, per_week: 1}}\nstaff: {desk: {posts: 1}}\n"
        "payers: {all: {authorization: {levels: [a], denied: 0, denied_to: b, units: 3, per: day}}}\n"
        f"levels: {{a: {{stay_days: 9, {nobody}}}, b: {{stay_days: 9}}}}\n"
    )
    assert reached(load("case.yaml"))["b"] == {}


def test_stages_are_for_those_who_come_from_where_they_say() -> None:
    scenario = load("base.yaml", ["levels.iop.contact.share=0.5", "levels.after.contact.for=[iop, returned]"])
    contact, after = scenario.levels["iop"].contact, scenario.levels["after"].contact
    assert contact is not None and after is not None
    whence = ("community", "ward", "detox", "iop", "returned")
    assert [applies(contact, origin, scenario) for origin in whence] == [True, True, False, False, False]
    assert [applies(after, origin, scenario) for origin in whence] == [False, False, False, True, True]
    assert not applies(None, "community", scenario)


def test_where_those_who_come_to_a_level_come_from() -> None:
    returns = "levels.after.returns={share: 0.1, after_days: 9, to: iop}"
    whence = origins(load("base.yaml", [returns]))
    assert whence == {"detox": {"ward"}, "iop": {"community", "detox", "returned"}, "after": {"iop"}}


# Room for everybody, in person or not

TELEHEALTH = "levels: {iop: {groups: {night: {modality: telehealth, time: evening}}}}\n"
ROOM = {
    "sources: {community: {modalities: {in_person: 0.5, telehealth: 0.5}}}": [],
    "sources: {community: {modalities: {telehealth: 1}, times: {evening: 0.5, either: 0.5}}}": [],
    "sources: {community: {modalities: {telehealth: 0.5, either: 0.5}, times: {day: 1}}}": [
        'no group takes track "{}" at time "day" in modality "telehealth", which patients from community want; add '
        "one, or change who wants what",
    ],
    "sources: {community: {modalities: {in_person: 0.5, telehealth: 0.5}, times: {evening: 1}}}": [
        'no group takes track "{}" at time "evening" in modality "in_person", which patients from community want; add '
        "one, or change who wants what",
    ],
}  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), ROOM.items(), ids=ROOM)
def test_a_group_fits_by_time_and_modality_together(text: str, expected: list[str]) -> None:
    told = [line.split(": levels.iop.groups: ")[1] for line in faults(TELEHEALTH + text)]
    assert told == [line.format(track) for line in expected for track in ("mood", "sud")]


def test_a_modality_that_no_group_of_the_track_has_is_told_once() -> None:
    text = (
        "levels: {iop: {groups: {night: {modality: telehealth, tracks: [mood]}}}}\n"
        "sources: {community: {modalities: {telehealth: 1}, times: {day: 0.5, either: 0.5}}}"
    )
    assert faults(text) == [
        'base.yaml:13:5: levels.iop.groups: no group takes track "sud" in modality "telehealth", which patients from '
        "community want; add one, or change who wants what"
    ]


# Round and round

CIRCLES = {
    # Who is not reached for iop goes to after, which refuses them back to iop, which calls them again.
    "levels: {iop: {contact: {share: 0.5, lost_to: after, for: [community, after]}}, "
    "after: {waitlist: {at_most: 0, otherwise: iop}}}": (
        "2:38: levels.iop.contact.lost_to: who is not reached or refused would go in a circle in no time (iop → after "
        "→ iop); send them home from one of these levels"
    ),
    "levels: {iop: {eligible: {share: 0.9, otherwise: after, for: [after]}}, "
    "after: {eligible: {share: 0.9, otherwise: iop, for: [iop]}}}": (
        "2:39: levels.iop.eligible.otherwise: who is not eligible would go in a circle in no time (iop → after → iop); "
        "send them home from one of these levels"
    ),
    "payers: {public: {authorization: {levels: [iop, detox], denied: 0.1, denied_to: iop}}}": (
        "2:70: payers.public.authorization.denied_to: who is denied would go in a circle in no time (iop → iop); send "
        "them home from one of these levels"
    ),
    "payers: {public: {authorization: {levels: [iop], denied: 0.1, denied_to: detox, delay_days: 0}}}\n"
    "levels: {detox: {waitlist: {at_most: {iop: 1}, otherwise: iop}}}": (
        "3:48: levels.detox.waitlist.otherwise: who is refused or denied would go in a circle in no time (detox → iop "
        "→ detox); send them home from one of these levels"
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), CIRCLES.items(), ids=CIRCLES)
def test_nobody_is_turned_away_round_and_round_in_no_time(text: str, expected: str) -> None:
    assert faults(text) == [expected]


@pytest.mark.parametrize(
    "text",
    [
        # the contact is for referrals: who is sent back to iop joins its list
        "levels: {iop: {contact: {share: 0.5, lost_to: after}}, after: {waitlist: {at_most: 0, otherwise: iop}}}",
        # a cap for others
        "levels: {iop: {waitlist: {at_most: 9, otherwise: after}}, "
        "after: {waitlist: {at_most: {detox: 0}, otherwise: iop}}}",
        # an answer, a call and an appointment take time
        "payers: {public: {authorization: {levels: [iop], denied: 0.1, denied_to: iop, delay_days: 3}}}",
        "levels: {iop: {contact: {delay_days: 1, for: [after]}, waitlist: {at_most: 9, otherwise: after}}, "
        "after: {waitlist: {at_most: 0, otherwise: iop}}}",
        f"levels: {{iop: {{{INTAKE}, for: [after]}}, waitlist: {{at_most: 9, otherwise: after}}}}, "
        "after: {waitlist: {at_most: 0, otherwise: iop}}}",
        "levels: {iop: {eligible: {share: 0.9, otherwise: after, found_at: assessment, for: [after]}, "
        f"{INTAKE}, for: [after]}}}}, after: {{waitlist: {{at_most: 0, otherwise: iop}}}}}}",
        # each of two payers denies one way
        "payers: {public: {authorization: {levels: [iop], denied: 0.1, denied_to: after}}, "
        "private: {authorization: {levels: [after], denied: 0.1, denied_to: iop}}}",
        # nobody is denied, and all are eligible
        "payers: {public: {authorization: {levels: [iop], denied_to: iop}}}",
        "levels: {iop: {eligible: {otherwise: after, for: [after]}}, after: {waitlist: {at_most: 0, otherwise: iop}}}",
    ],
)
def test_a_circle_that_takes_time_or_that_nobody_goes_is_none(text: str) -> None:
    assert faults(text) == []


# Words


def test_every_word_that_follows_a_level_in_the_name_of_a_metric_is_no_name_for_a_track() -> None:
    patterns = [name.replace("[.<track>]", "") for name in registered() if name.startswith("<level>")]
    assert {name.split(".")[1] for name in patterns} == METRIC_WORDS


def test_shares_who_show_lie_on_straight_lines_or_fade() -> None:
    sets = [
        "levels.iop.intake={role: desk, minutes: 60, show: {by_lead_days: {7: 0.6, 0: 0.8, 14: 0.5}}}",
        "levels.after.intake={role: desk, minutes: 60, show: {same_day: 0.8, odds_per_week: 0.5}}",
    ]
    scenario = load("base.yaml", sets)
    table, fading = scenario.levels["iop"].intake, scenario.levels["after"].intake
    assert table is not None and fading is not None
    assert [table.show_share(days) for days in (0, 7, 14, 99)] == [0.8, 0.6, 0.5, 0.5]
    assert table.show_share(1) == pytest.approx(0.8 - 0.2 / 7)
    assert fading.show_share(0) == pytest.approx(0.8)
    assert fading.show_share(7) == pytest.approx(2 / 3)  # odds of 4, halved
    assert fading.show_share(14) == pytest.approx(1 / 2)
    assert math.isclose(
        load("base.yaml", [*sets, "levels.iop.intake.show=1"]).levels["iop"].intake.show_share(9), 1
    )  # type: ignore[union-attr]
