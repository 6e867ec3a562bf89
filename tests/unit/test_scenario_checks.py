"""What only the whole of a scenario can tell: names, dates, care by kind of patient, and room for everybody."""

from __future__ import annotations

from pathlib import Path

import pytest

from iopsim.errors import InputError
from iopsim.scenario import load
from iopsim.scenario.levels import care_of
from iopsim.scenario.routing import reached

BASE = """\
run: {start: 2027-01-04, warm_up_weeks: 10, weeks: 52, run_out_weeks: 10}
tracks: {mood: {}, sud: {}}
payers: {public: {}, private: {}}
sources:
  community:
    to: iop
    per_week: 5
    tracks: {mood: 0.5, sud: 0.5}
    times: {day: 0.7, evening: 0.3}
    payers: {public: 0.6, private: 0.4}
  ward:
    to: inpatient
    per_week: 2
    tracks: {mood: 1}
    payers: {public: 1}
levels:
  inpatient:
    places: 20
    stay_days: {lognormal: {mean: 10, cv: 0.75}}
    next: {iop: 0.5, home: 0.5}
    cost_per_day: 1050
  iop:
    phases: [{weeks: 5, days_per_week: 3}, {weeks: 3, days_per_week: 2}]
    caseload: therapist
    attendance: {mean: 0.86, sd: 0.1, discharge_after_missed: 3}
    groups:
      mood_day: {tracks: [mood], days: [mon, wed, fri], seats: 12, facilitators: {therapist: 1}}
      sud_day: {tracks: [sud], days: [mon, wed, fri], seats: 12}
      late: {time: evening, days: [mon, tue, thu], seats: 12}
  outpatient:
    stay_days: 90
    cost_per_day: 6
staff:
  therapist: {posts: 2, caseload: 12}
  nurse: {posts: 1}
services:
  group_therapy: {levels: [iop], role: therapist, per: session, indirect_minutes: 15}
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test works in its own folder, beside the base."""
    monkeypatch.chdir(tmp_path)
    Path("base.yaml").write_text(BASE)


def faults(text: str) -> list[str]:
    """The faults of a scenario on the base, as lines without the name of the file."""
    Path("case.yaml").write_text(f"extends: base.yaml\n{text}\n")
    with pytest.raises(InputError) as caught:
        load("case.yaml")
    return [line.removeprefix("case.yaml:").replace("error: ", "") for line in str(caught.value).splitlines()]


def test_the_base_is_sound() -> None:
    assert load("base.yaml").levels["iop"].caseload == "therapist"


NEAR = {
    "sources: {ward: {to: inpatent}}": '2:18: sources.ward.to: unknown level "inpatent" (did you mean "inpatient"?)',
    "sources: {ward: {to: home}}": (
        '2:18: sources.ward.to: unknown level "home"; known: inpatient, iop, outpatient'
    ),
    "sources: {ward: {tracks: {moods: 1}}}": (
        '2:27: sources.ward.tracks.moods: unknown track "moods" (did you mean "mood"?)'
    ),
    "sources: {ward: {times: {night: 1}}}": (
        '2:26: sources.ward.times.night: no group meets at "night"; known: day, evening, either'
    ),
    "sources: {ward: {payers: {publik: 1}}}": (
        '2:27: sources.ward.payers.publik: unknown payer "publik" (did you mean "public"?)'
    ),
    "levels: {inpatient: {next: {IOP: 1}}}": (
        "2:29: levels.inpatient.next.IOP: a name starts with a letter a-z and goes on with a-z, 0-9 and _; use "
        "`label:` for anything else (got \"IOP\")"
    ),
    "levels: {inpatient: {next: {php: 1}}}": (
        '2:29: levels.inpatient.next.php: unknown level "php"; known: inpatient, iop, outpatient, home'
    ),
    "levels: {inpatient: {places: {mod: 3, mood: 3}}}": (
        '2:31: levels.inpatient.places.mod: unknown track "mod" (did you mean "mood"?)'
    ),
    "levels: {inpatient: {waitlist: {at_most: 3, otherwise: hom}}}": (
        '2:45: levels.inpatient.waitlist.otherwise: unknown level "hom" (did you mean "home"?)'
    ),
    "levels: {iop: {waitlist: {renege_to: detox}}}": (
        '2:27: levels.iop.waitlist.renege_to: unknown level "detox"; known: inpatient, iop, outpatient, home'
    ),
    "levels: {iop: {waitlist: {priority: {return: 1}}}}": (
        '2:38: levels.iop.waitlist.priority.return: unknown source or level "return" (did you mean "returned"?)'
    ),
    "levels: {iop: {waitlist: {at_most: {wards: 1}}}}": (
        '2:37: levels.iop.waitlist.at_most.wards: unknown source or level "wards" (did you mean "ward"?)'
    ),
    "levels: {iop: {leave_early: {dropout_to: hoem}}}": (
        '2:30: levels.iop.leave_early.dropout_to: unknown level "hoem" (did you mean "home"?)'
    ),
    "levels: {iop: {leave_early: {step_up: {per_week: 0.1, to: {home: 1}}}}}": (
        '2:60: levels.iop.leave_early.step_up.to.home: unknown level "home"; known: inpatient, iop, outpatient'
    ),
    "levels: {iop: {returns: {share: 0.1, after_days: 9, to: ipo, from: [outpatients]}}}": (
        '2:53: levels.iop.returns.to: unknown level "ipo" (did you mean "iop"?)',
        '2:69: levels.iop.returns.from[0]: unknown level "outpatients" (did you mean "outpatient"?)',
    ),
    "levels: {iop: {caseload: therapists}}": (
        '2:16: levels.iop.caseload: unknown role "therapists" (did you mean "therapist"?)'
    ),
    "levels: {iop: {groups: {late: {tracks: [mood, suds]}}}}": (
        '2:47: levels.iop.groups.late.tracks[1]: unknown track "suds" (did you mean "sud"?)'
    ),
    "levels: {iop: {groups: {late: {facilitators: {nurses: 1}}}}}": (
        '2:47: levels.iop.groups.late.facilitators.nurses: unknown role "nurses" (did you mean "nurse"?)'
    ),
    "levels: {iop: {by: {track: {mod: {}}, source: {wart: {}}}}}": (
        '2:29: levels.iop.by.track.mod: unknown track "mod" (did you mean "mood"?)',
        '2:48: levels.iop.by.source.wart: unknown source "wart" (did you mean "ward"?)',
    ),
    "levels: {iop: {by: {track: {sud: {leave_early: {dropout_to: hoem}}}}}}": (
        '2:49: levels.iop.by.track.sud.leave_early.dropout_to: unknown level "hoem" (did you mean "home"?)'
    ),
    "services: {group_therapy: {levels: [ipo], role: nurze}}": (
        '2:37: services.group_therapy.levels[0]: unknown level "ipo" (did you mean "iop"?)',
        '2:43: services.group_therapy.role: unknown role "nurze" (did you mean "nurse"?)',
    ),
    "sources: {ward: {modalities: {telehealth: 1}}}": (
        '2:31: sources.ward.modalities.telehealth: no group has the modality "telehealth"; known: in_person, either'
    ),
    "sources: {ward: {modalities: {in_persn: 1}}}": (
        '2:31: sources.ward.modalities.in_persn: unknown modality "in_persn" (did you mean "in_person"?)'
    ),
    "levels: {iop: {contact: {lost_to: hme, for: [wards, community]}}}": (
        '2:26: levels.iop.contact.lost_to: unknown level "hme" (did you mean "home"?)',
        '2:46: levels.iop.contact.for[0]: unknown source or level "wards" (did you mean "ward"?)',
    ),
    "levels: {iop: {eligible: {otherwise: outpatents, for: [return]}}}": (
        '2:27: levels.iop.eligible.otherwise: unknown level "outpatents" (did you mean "outpatient"?)',
        '2:56: levels.iop.eligible.for[0]: unknown source or level "return" (did you mean "returned"?)',
    ),
    "levels: {iop: {intake: {role: nurze, minutes: 60, lost_to: hom, for: [ops]}}}": (
        '2:25: levels.iop.intake.role: unknown role "nurze" (did you mean "nurse"?)',
        '2:51: levels.iop.intake.lost_to: unknown level "hom" (did you mean "home"?)',
        '2:71: levels.iop.intake.for[0]: unknown source or level "ops" (did you mean "iop"?)',
    ),
    "payers: {public: {authorization: {levels: [iop, ipo], denied_to: hom}}}": (
        '2:49: payers.public.authorization.levels[1]: unknown level "ipo" (did you mean "iop"?)',
        '2:55: payers.public.authorization.denied_to: unknown level "hom" (did you mean "home"?)',
    ),
    "levels: {iop: {groups: {late: {room: main}}}}": (
        '2:32: levels.iop.groups.late.room: unknown room "main"; none is defined under `rooms`'
    ),
    "rooms: {main: {seats: 14}}\nlevels: {iop: {groups: {late: {room: mian}}}}": (
        '3:32: levels.iop.groups.late.room: unknown room "mian" (did you mean "main"?)'
    ),
    "levels: {iop: {groups: {late: {below_minimum: {merge_with: mod_day}}}}}": (
        '2:48: levels.iop.groups.late.below_minimum.merge_with: unknown group "mod_day" (did you mean "mood_day"?)'
    ),
    "staff: {nurse: {associate: {supervised_by: theapist, minutes_per_week: 60}}}": (
        '2:29: staff.nurse.associate.supervised_by: unknown role "theapist" (did you mean "therapist"?)'
    ),
    "services: {screen: {levels: [iop], role: nurse, every_weeks: 1, tracks: [sudd]}}": (
        '2:74: services.screen.tracks[0]: unknown track "sudd" (did you mean "sud"?)'
    ),
    "money: {revenue: {ipo: {public: 9}, iop: {publik: 9}}}": (
        '2:19: money.revenue.ipo: unknown level "ipo" (did you mean "iop"?)',
        '2:43: money.revenue.iop.publik: unknown payer "publik" (did you mean "public"?)',
    ),
    "money: {inpatient_alternative: {for: [ward], divertible: {warde: 0.1}, stay_days: 9, cost_per_day: 9}}": (
        '2:59: money.inpatient_alternative.divertible.warde: unknown source "warde" (did you mean "ward"?)'
    ),
    "money: {inpatient_alternative: {for: [wards], stay_days: 9, cost_per_day: 9}}": (
        '2:39: money.inpatient_alternative.for[0]: unknown source "wards" (did you mean "ward"?)'
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), NEAR.items(), ids=NEAR)
def test_a_name_that_is_defined_nowhere_is_told_at_its_place(
    text: str, expected: str | tuple[str, ...]
) -> None:
    assert faults(text) == ([expected] if isinstance(expected, str) else list(expected))


CLASHES = {
    "staff: {ward: {posts: 1}}": "2:9: staff.ward: a source has this name too; rename one, since metrics go by name",
    "levels: {ward: {stay_days: 3}}": (
        "base.yaml:11:3: sources.ward: a level has this name too; rename one, since metrics go by name"
    ),
    "levels: {outpatient: {groups: {late: {days: [mon], time: evening, seats: 9}}}}": (
        "2:32: levels.outpatient.groups.late: another group has this name too; rename one, since metrics go by name"
    ),
    "staff: {program: {posts: 1}}": "2:9: staff.program: `program` has a meaning of its own; rename it",
    "payers: {either: {}}": "2:10: payers.either: `either` has a meaning of its own; rename it",
    "tracks: {wait_days: {}}": "2:10: tracks.wait_days: `wait_days` is the name of a metric; rename the track",
    "staff: {authorization: {posts: 1}}": (
        "2:9: staff.authorization: `authorization` has a meaning of its own; rename it"
    ),
    "sources: {treatment: {to: iop, per_week: 1}}": (
        "2:11: sources.treatment: `treatment` has a meaning of its own; rename it"
    ),
    "tracks: {intake_days: {}}": "2:10: tracks.intake_days: `intake_days` is the name of a metric; rename the track",
    "levels: {iop: {groups: {late: {modality: either}}}}": (
        "2:32: levels.iop.groups.late.modality: `either` is what patients may want; a group meets in one way, in "
        "person or not"
    ),
    "levels: {iop: {groups: {late: {time: either}}}}": (
        "2:32: levels.iop.groups.late.time: `either` is what patients may want; a group meets at one time, such as "
        "day or evening",
        'base.yaml:9:23: sources.community.times.evening: no group meets at "evening"; known: day, either',
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), CLASHES.items(), ids=CLASHES)
def test_a_name_means_one_thing(text: str, expected: str | tuple[str, ...]) -> None:
    assert sorted(faults(text)) == sorted([expected] if isinstance(expected, str) else expected)


def test_names_are_free_where_they_mean_nothing_else() -> None:
    Path("case.yaml").write_text(
        "tracks: {all: {}}\nsources: {in: {to: care, per_week: 1}}\nlevels: {care: {stay_days: 3}}\n"
        "staff: {census: {posts: 1}}\n"
    )
    assert list(load("case.yaml").tracks) == ["all"]


SPAN = "the simulated time, 2026-10-26 to 2028-03-12"
DATES = {
    "calendar: {closed: [2023-10-23, 2023-10-24, 2031-03-15, 2031-03-16]}": (
        f"2:21: calendar.closed[0]: 2023-10-23 is more than three years before {SPAN}; check the year",
        f"2:57: calendar.closed[3]: 2031-03-16 is more than three years after {SPAN}; check the year",
    ),
    "levels: {iop: {groups: {late: {until: 2026-10-25}}}}": (
        f"2:32: levels.iop.groups.late.until: 2026-10-25 is before {SPAN}: the group would never meet; "
        "drop it, or say a later date",
    ),
    "levels: {iop: {groups: {late: {from: 2017-01-04, until: 2037-01-04}}}}": (
        f"2:32: levels.iop.groups.late.from: 2017-01-04 is more than three years before {SPAN}; check the year",
        f"2:50: levels.iop.groups.late.until: 2037-01-04 is more than three years after {SPAN}; check the year",
    ),
}


@pytest.mark.parametrize(("text", "expected"), DATES.items(), ids=DATES)
def test_dates_lie_about_the_simulated_time(text: str, expected: tuple[str, ...]) -> None:
    assert faults(text) == list(expected)


def test_a_group_may_open_and_close_within_the_simulated_time() -> None:
    Path("case.yaml").write_text(
        "extends: base.yaml\nlevels: {iop: {groups: {late: {from: 2028-03-12, until: 2028-12-31}}}}\n"
    )
    assert load("case.yaml").levels["iop"].groups["late"].from_ is not None


def test_dates_are_not_judged_while_the_time_is_unknown() -> None:
    assert faults("run: {weeks: many}\ncalendar: {closed: [2037-01-01]}") == [
        '2:7: run.weeks: must be a whole number (got text "many")'
    ]


PARTS = {
    "levels: {outpatient: {stay_days: 0}}": (
        "2:23: levels.outpatient.stay_days: a mean stay of under an hour is none; say how many days it lasts"
    ),
    "levels: {iop: {by: {track: {sud: {stay_days: {constant: 0}}}}}}": (
        "2:35: levels.iop.by.track.sud.stay_days: a mean stay of under an hour is none; say how many days it lasts"
    ),
    "levels: {iop: {waitlist: {patience_days: 0}}}": (
        "2:27: levels.iop.waitlist.patience_days: nobody would wait an hour; to turn away whoever cannot start at "
        "once say `at_most: 0`"
    ),
    "levels: {iop: {waitlist: {renege_to: iop}}}": (
        "2:27: levels.iop.waitlist.renege_to: who gives up waiting for a level cannot join it at once; say home, "
        "or another level"
    ),
    "levels: {iop: {leave_early: {step_up: {per_week: 0.1, to: {iop: 1}}}}}": (
        "2:60: levels.iop.leave_early.step_up.to.iop: one cannot step up to the level where one is; name a more "
        "intensive one"
    ),
    "levels: {inpatient: {by: {track: {sud: {phases: [{weeks: 2, days_per_week: 3}]}}}}}": (
        "2:35: levels.inpatient.by.track.sud: `phases` count sessions: they need `groups`"
    ),
    "levels: {iop: {by: {source: {ward: {phases: [{weeks: 2, days_per_week: 2}, {weeks: 2, days_per_week: 3}]}}}}}": (
        "2:30: levels.iop.by.source.ward: `days_per_week` may not rise from one phase to the next; "
        "write the busier ones first"
    ),
    "levels: {iop: {by: {track: {sud: {attendance: {mean: 0.99}}}}}}": (
        "2:29: levels.iop.by.track.sud: no shares from 0 to 1 have mean 0.99 and sd 0.1; sd must be below 0.0995"
    ),
    "levels: {iop: {by: {track: {sud: {stay_days: 20}}, source: {ward: {extension: {share: 1, weeks: 2}}}}}}": (
        "2:61: levels.iop.by.source.ward: `extension` needs `phases`"
    ),
    "services: {group_therapy: {levels: [iop, outpatient]}}": (
        '2:42: services.group_therapy.levels[1]: level "outpatient" has no groups, so `per: session` makes no work '
        "there; drop the level"
    ),
    "levels: {iop: {waitlist: {at_most: 9, otherwise: outpatient}}, "
    "outpatient: {waitlist: {at_most: 9, otherwise: iop}}}": (
        "2:39: levels.iop.waitlist.otherwise: who is refused would go in a circle in no time (iop → outpatient → iop); "
        "send them home from one of these levels"
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), PARTS.items(), ids=PARTS)
def test_what_cannot_be_meant_together(text: str, expected: str) -> None:
    assert faults(text) == [expected]


def test_a_fault_of_one_part_of_by_is_not_told_again_for_every_other() -> None:
    text = """\
levels:
  iop:
    by:
      track: {sud: {stay_days: 20, phases: [{weeks: 8, days_per_week: 3}]}, mood: {attendance: {mean: 0.5}}}
      source: {community: {attendance: {sd: 0.4}}, ward: {attendance: {mean: 0.8}}}"""
    assert faults(text) == [
        "5:15: levels.iop.by.track.sud: give `stay_days` or `phases`, one of the two",
        "6:16: levels.iop.by.source.community: no shares from 0 to 1 have mean 0.86 and sd 0.4; sd must be below 0.347",
    ]


def test_part_of_an_attendance_in_by_is_judged_with_the_rest_of_it() -> None:
    Path("case.yaml").write_text(
        "extends: base.yaml\nlevels: {iop: {by: {track: {sud: {attendance: {sd: 0.3}}}}}}\n"
    )
    attendance = care_of(load("case.yaml").levels["iop"], "sud", "community").attendance
    assert (attendance.mean, attendance.sd) == (0.86, 0.3)
    assert faults("levels: {iop: {attendance: {mean: null}}}") == [
        "base.yaml:22:3: levels.iop: no shares from 0 to 1 have mean 1.0 and sd 0.1; sd must be below 0"
    ]


def test_more_names_than_can_be_meant_are_told_by_their_number() -> None:
    rooms = ", ".join(f"r{number}: {{seats: 9}}" for number in range(101))
    assert faults(f"rooms: {{{rooms}}}") == [
        "2:1: rooms: holds 101 names; at most 100 are read, so leave some out"
    ]
    many = ", ".join(f"t{number}: {{}}" for number in range(101))
    assert faults(f"tracks: {{{many}}}\nsources: {{ward: {{to: nowhere}}}}") == [
        "2:1: tracks: holds 103 names; at most 100 are read, so leave some out"
    ]


@pytest.mark.parametrize(
    "elsewhere", ["", "\nsources: {ward: {per_week: -1}}"], ids=["alone", "beside another"]
)
def test_a_circle_is_found_behind_a_list_that_leads_into_it(elsewhere: str) -> None:
    text = (
        "levels: {inpatient: {waitlist: {at_most: 1, otherwise: iop}}, "
        "iop: {waitlist: {at_most: 1, otherwise: outpatient}}, "
        "outpatient: {waitlist: {at_most: 1, otherwise: iop}}}"
    )
    assert [line.split(": ")[1] for line in faults(text + elsewhere)][:1] == ["levels.iop.waitlist.otherwise"]


def test_a_list_without_a_cap_ends_a_circle() -> None:
    Path("case.yaml").write_text(
        "extends: base.yaml\nlevels: {iop: {waitlist: {at_most: 9, otherwise: outpatient}}, "
        "outpatient: {waitlist: {otherwise: iop}}}\n"
    )
    assert load("case.yaml")


WHOLE = {
    "sources: {ward: {tracks: null, payers: null}}": (
        "2:11: sources.ward: needs `tracks`: the shares of mood and sud among its patients",
        "2:11: sources.ward: needs `payers`: the shares of public and private among its patients",
    ),
    "levels: {iop: {caseload: nurse}}": (
        '2:16: levels.iop.caseload: role "nurse" carries no caseload; set staff.nurse.caseload',
    ),
    "staff: {therapist: {caseload: 1, fte: 0.5}}": (
        'base.yaml:24:5: levels.iop.caseload: role "therapist" has room for less than one patient (0.5 FTE) in its '
        "caseload; set staff.therapist.caseload",
    ),
    "levels: {iop: {plan: attended, attendance: {discharge_after_missed: null}}}": (
        "2:16: levels.iop.plan: a stay of somebody who never comes would not end; set "
        "`attendance.discharge_after_missed`",
    ),
    "levels: {inpatient: {places: {sud: 4}}}": (
        '2:22: levels.inpatient.places: no places for track "mood", which comes here from ward; add it',
    ),
    "levels: {iop: {groups: {sud_day: null, late: {tracks: [mood]}}}}": (
        '2:16: levels.iop.groups: no group takes track "sud", which comes here from community; add it to a group\'s '
        "`tracks`",
    ),
    "levels: {iop: {groups: {late: {tracks: [mood]}}}}": (
        'base.yaml:26:5: levels.iop.groups: no group takes track "sud" at time "evening", which patients from '
        "community want; add one, or change who wants what",
    ),
    "levels: {iop: {phases: [{weeks: 8, days_per_week: 4}]}}": (
        '2:16: levels.iop.phases: 4 days a week, and no group for track "mood" meets on more than 3; add days to one',
        '2:16: levels.iop.phases: 4 days a week, and no group for track "sud" meets on more than 3; add days to one',
    ),
    "levels: {iop: {by: {source: {ward: {phases: [{weeks: 8, days_per_week: 5}]}}}}}": (
        '2:37: levels.iop.by.source.ward.phases: 5 days a week, and no group for track "mood" meets on more than 3; '
        "add days to one",
    ),
    "notes: {sources.comunity.per_week: a guess, levels.iop.hold_days: assumption, sources.ward.to: known}": (
        '2:9: notes."sources.comunity.per_week": the scenario has no such place (did you mean '
        '"sources.community.per_week"?)',
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), WHOLE.items(), ids=WHOLE)
def test_what_only_the_whole_can_tell(text: str, expected: tuple[str, ...]) -> None:
    assert faults(text) == list(expected)


def test_patients_reach_a_level_by_every_way_that_care_leaves_open() -> None:
    """community → a; next a → b, dropout → c, refused → d, gave up → e, step-up → f, back from home → g; h is never."""
    names = "bcdefgh"
    Path("case.yaml").write_text(
        "tracks: {one: {}, none: {}}\n"
        "sources:\n"
        "  community: {to: a, per_week: 1, tracks: {one: 1, none: 0}}\n"
        "  nobody: {to: h, per_week: 0, tracks: {one: 1}}\n"
        "levels:\n"
        "  a:\n"
        "    stay_days: 9\n"
        "    next: {b: 1, h: 0}\n"
        "    leave_early: {dropout_per_week: 0.1, dropout_to: c, step_up: {per_week: 0.1, to: {f: 1, h: 0}}}\n"
        "    waitlist: {at_most: 3, otherwise: d, patience_days: 9, renege_to: e}\n"
        "    returns: {share: 0.1, from: [c], after_days: 9, to: g}\n"
        + "".join(f"  {name}: {{stay_days: 9}}\n" for name in names)
    )
    comers = reached(load("case.yaml"))
    assert comers == {name: {"one": ["community"]} for name in "abcdefg"} | {"h": {}}


def test_ways_that_nobody_takes_lead_nowhere() -> None:
    """No dropout law, no patience law, no cap, no share that returns: their destinations are not reached."""
    Path("case.yaml").write_text(
        "sources: {community: {to: a, per_week: 1}}\n"
        "levels:\n"
        "  a:\n"
        "    stay_days: 9\n"
        "    leave_early: {dropout_per_week: 0, dropout_to: b, step_up: {per_week: 0, to: {b: 1}}}\n"
        "    waitlist: {otherwise: b, renege_to: b}\n"
        "    returns: {share: 0, after_days: 9, to: b}\n"
        "  b: {stay_days: 9}\n"
    )
    assert reached(load("case.yaml")) == {"a": {"all": ["community"]}, "b": {}}


def test_care_that_differs_by_source_opens_ways_for_that_source_only() -> None:
    Path("case.yaml").write_text(
        "sources: {in: {to: a, per_week: 1}, out: {to: a, per_week: 1}}\n"
        "levels:\n"
        "  a: {stay_days: 9, leave_early: {dropout_to: b}, by: {source: {in: {leave_early: {dropout: 5}}}}}\n"
        "  b: {stay_days: 9}\n"
    )
    assert reached(load("case.yaml"))["b"] == {"all": ["in"]}
