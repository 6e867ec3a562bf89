"""Metrics of access, on hand-made timelines: every expected number is worked out in the test."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from iopsim.measures.registry import bound
from iopsim.model.ledger import Stage
from iopsim.scenario.schema import Scenario
from tests.unit.ledgers import Book
from tests.unit.measured import DAYS, WEEKS, figures, scenario


@pytest.fixture
def book() -> Book:
    return Book(scenario())


# Access


@pytest.fixture
def access(book: Book) -> dict[str, float]:
    """Seven who join the IOP in the window, and others who do not count."""
    book.patient("iop").referred(-9).joined(-9).admitted(1).started(2)  # joined before
    book.patient("iop").referred(0).joined(0).admitted(0).started(0)  # waits 0
    book.patient("iop").referred(8).joined(10).admitted(16).started(17)  # waits 7
    book.patient("iop", track="sud").joined(60, origin="ward").admitted(80).started(
        81
    )  # waits 21, after the window
    book.patient("iop", track="sud").referred(20).joined(20).reneged(32)
    book.patient("iop").referred(30).joined(30).refused(30)
    book.patient("iop").referred(69).joined(69)  # never resolves
    book.patient("iop").referred(40).joined(40).withdrawn(50)
    book.patient("iop").referred(70).joined(70).admitted(71).started(71)  # joined at the end: outside
    book.patient("ward", source="emergency").referred(5).joined(5).admitted(9).started(9)
    return figures(book.window())


def test_waits_are_of_those_who_join_in_the_window_and_start(access: dict[str, float]) -> None:
    assert access["iop.wait_days.mean"] == pytest.approx((0 + 7 + 21) / 3)
    assert access["iop.mood.wait_days.mean"] == pytest.approx((0 + 7) / 2)
    assert access["iop.sud.wait_days.mean"] == 21
    assert access["ward.wait_days.mean"] == 4


def test_access_runs_from_referral_and_leaves_out_who_came_from_a_level(access: dict[str, float]) -> None:
    assert access["iop.access_days.mean"] == pytest.approx((0 + 9) / 2)
    assert np.isnan(access["iop.sud.access_days.mean"])


def test_shares_of_access_are_of_all_who_join(access: dict[str, float]) -> None:
    assert access["iop.started_within_7_days.share"] == pytest.approx(2 / 7)
    assert access["iop.started_within_14_days.share"] == pytest.approx(2 / 7)
    assert access["iop.mood.started_within_7_days.share"] == pytest.approx(2 / 5)
    assert access["iop.reneged.share"] == access["iop.lost.reneged.share"] == pytest.approx(1 / 7)
    assert access["iop.lost.refused.share"] == pytest.approx(1 / 7)
    assert access["iop.unresolved.share"] == pytest.approx(1 / 7)
    assert access["iop.reneged_wait_days.mean"] == 12


def test_referrals_are_those_of_sources_in_the_window(access: dict[str, float]) -> None:
    assert access["iop.referrals.total"] == 6
    assert access["iop.referrals.per_week"] == pytest.approx(6 / WEEKS)
    assert access["iop.sud.referrals.total"] == 1
    assert access["ward.referrals.total"] == 1


def test_conversion_needs_an_attended_session_in_groups_and_a_start_in_places(book: Book) -> None:
    came = book.patient("iop").referred(1).joined(1).admitted(1, "mood_day").started(2.375)
    missed = book.patient("iop").referred(1).joined(1).admitted(1, "mood_day").started(2.375)
    late = book.patient("iop").referred(69).joined(69).admitted(69, "mood_day").started(75.375)
    book.patient("iop").referred(3).joined(3)
    book.patient("iop").joined(3, origin="ward").admitted(3, "mood_day").started(4.375)  # nobody's referral
    book.patient("ward", source="emergency").referred(3).joined(3).admitted(4).started(4)
    book.patient("ward", source="emergency").referred(3).joined(3)
    book.session(2.375, "mood_day", {came: True, missed: False})
    book.session(75.375, "mood_day", {late: True})
    found = figures(book.window())
    assert found["community.conversion.share"] == 2 / 4
    assert found["emergency.conversion.share"] == 1 / 2


# The stages before the waitlist


STAGES = {
    "contact": {"share": 0.8, "delay_days": {"exponential": {"mean": 2}}},
    "eligible": {"share": 0.9, "found_at": "assessment", "otherwise": "ward"},
    "intake": {"role": "intake", "minutes": 60, "show": 0.7, "rebook": 1},
}
PAYERS = {
    "plan": {"authorization": {"levels": ["iop"], "delay_days": 3, "denied": 0.1}},
    "self": {},
}


def staged(**changes: object) -> Scenario:
    """The clinic with all stages of access to the IOP, and a payer who is asked."""
    plain = scenario()
    iop = plain.levels["iop"].model_dump(by_alias=True, exclude_unset=True) | STAGES | changes
    levels = {"ward": plain.levels["ward"].model_dump(by_alias=True, exclude_unset=True), "iop": iop}
    staff = {"therapist": {"posts": 2, "caseload": 5}, "intake": {"posts": 1}}
    return scenario(levels=levels, payers=PAYERS, staff=staff)


@pytest.fixture
def stages() -> dict[str, float]:
    """Eight referred to the IOP in the window, two of them before they apply no more, and others."""
    book = Book(staged())
    book.patient("iop").referred(0).lost(2, Stage.CONTACT)
    book.patient("iop", track="sud").referred(0).contacted(3).lost(3, Stage.SCREEN, to="ward")
    book.patient("iop").referred(4).contacted(5).booked(5.5, 3).no_show(8.5).booked(8.5, 4).no_show(
        12.5
    ).lost(12.5, Stage.INTAKE)
    book.patient("iop").referred(10).contacted(10).booked(10, 0).assessed(10.5).lost(10.5, Stage.ASSESSMENT)
    ann = book.patient("iop").referred(12).contacted(16).booked(16.5, 2).no_show(18.375).booked(18.375, 7)
    ann.assessed(25.375).joined(25.5).authorized(28).admitted(30, "mood_day").started(30.375)
    book.patient("iop", track="sud").referred(20).contacted(22).booked(22, 1).assessed(23.5).joined(
        23.5
    ).denied(29.5)
    book.patient("iop").referred(66).contacted(67).booked(68, 4).assessed(72).joined(
        72
    )  # assessed after the window
    book.patient("iop").referred(69)
    book.patient("iop").referred(-3).contacted(-1).booked(-1, 3).no_show(2).lost(2, Stage.INTAKE)  # before it
    book.patient("iop").sent(30, origin="ward").booked(30, 1).assessed(31).joined(31)  # nobody's referral
    book.patient("iop", payer="self").joined(40, origin="ward").admitted(43, "mood_day").started(44)
    book.patient("iop").referred(71).lost(72, Stage.CONTACT)  # after it
    book.session(30.375, "mood_day", {ann: True})
    return figures(book.window())


def test_losses_by_stage_are_of_the_referrals_in_the_window(stages: dict[str, float]) -> None:
    assert stages["iop.referrals.total"] == 8
    assert stages["iop.lost.contact.share"] == 1 / 8
    assert stages["iop.lost.eligibility.share"] == 2 / 8
    assert stages["iop.lost.intake.share"] == 1 / 8
    assert (stages["iop.mood.lost.eligibility.share"], stages["iop.sud.lost.eligibility.share"]) == (
        1 / 6,
        1 / 2,
    )
    assert stages["community.conversion.share"] == 1 / 8


def test_days_in_each_stage(stages: dict[str, float]) -> None:
    assert stages["iop.contact_days.mean"] == pytest.approx((3 + 1 + 0 + 4 + 2 + 1) / 6)
    # the first booking counts, whoever then did not show; one who was sent counts too
    assert stages["iop.intake_days.mean"] == pytest.approx((0.5 + 8.875 + 1.5 + 4 + 1) / 5)
    assert stages["iop.sud.intake_days.mean"] == 1.5


def test_those_who_apply_are_counted_from_referral_to_joining(stages: dict[str, float]) -> None:
    days = 2 + 3 + 8.5 + 0.5 + 13.5 + 3.5 + 4 + 1 + 2 + 1
    assert stages["iop.applying.mean"] == pytest.approx(days / DAYS)
    assert stages["iop.sud.applying.mean"] == pytest.approx((3 + 3.5) / DAYS)


def test_appointments_count_on_their_day_and_those_missed_are_wasted(stages: dict[str, float]) -> None:
    # booked for days 8, 12, 10, 18, 25, 23, 31 and 2; not for 72
    assert stages["iop.appointments.per_week"] == 8 / WEEKS
    assert stages["iop.wasted_slots.per_week"] == 4 / WEEKS
    assert stages["iop.appointments.show.share"] == 4 / 8


def test_the_payers_word_comes_after_joining(stages: dict[str, float]) -> None:
    assert stages["iop.authorization_days.mean"] == pytest.approx((2.5 + 6) / 2)
    assert (
        stages["iop.lost.denied.share"] == 1 / 4
    )  # of ann, the one denied, the one sent, and the one from the ward
    assert (stages["iop.sud.lost.denied.share"], stages["iop.unresolved.share"]) == (1, 1 / 4)
    assert stages["iop.wait_days.mean"] == pytest.approx((4.875 + 4) / 2)
    assert stages["iop.access_days.mean"] == 18.375


# Which metrics there are


def test_what_cannot_happen_has_no_metric() -> None:
    plain = {"stay_days": {"constant": 9}}
    bare = scenario(
        levels={"unit": plain}, sources={"door": {"to": "unit", "per_week": 1}}, staff={}, tracks={"all": {}}
    )
    stems = {entry.stem for entry in bound(bare)}
    assert {"unit.census", "unit.completed", "unit.referrals", "door.conversion"} <= stems
    absent = (
        "reneged lost.refused waitlist wait_days utilization held seat_utilization dropped_out stepped_up"
    )
    assert stems.isdisjoint(f"unit.{name}" for name in absent.split())
    assert not any("held_back_by" in stem or ".all." in stem for stem in stems)
    full = {entry.stem for entry in bound(scenario())}
    assert {f"iop.{name}" for name in absent.split()} <= full
    held_back = {stem for stem in full if "held_back_by" in stem}
    assert held_back == {
        "ward.held_back_by.seat",
        *(f"iop.held_back_by.{name}" for name in ("seat", "therapist", "seat_and_therapist", "order")),
    }


def stems(spec: Scenario) -> set[str]:
    return {entry.stem for entry in bound(spec)}


def test_stages_have_metrics_where_they_apply() -> None:
    losses = {"contact": "lost.contact", "eligible": "lost.eligibility", "intake": "lost.intake"}
    others = ("contact_days", "intake_days", "appointments", "appointments.show", "wasted_slots", "applying")
    of_stages = {f"iop.{name}" for name in (*losses.values(), *others)}
    assert of_stages <= stems(staged())
    assert of_stages.isdisjoint(stems(scenario()))
    for (
        stage,
        spec,
    ) in STAGES.items():  # the emergency refers to the ward: no loss among those referred to the IOP
        assert f"iop.{losses[stage]}" not in stems(staged(**{stage: spec | {"for": ["emergency"]}}))
    of_ward = staged(intake=STAGES["intake"] | {"for": ["ward"]})
    assert {"iop.intake_days", "iop.appointments"} <= stems(of_ward)
    assert "iop.lost.intake" not in stems(of_ward)  # of referrals by sources
    sure = staged(
        contact={"lost_to": "ward"},
        eligible={"share": 1.0},
        intake={"role": "intake", "minutes": 60, "show": {"by_lead_days": {0: 1.0, 9: 1.0}}},
    )
    assert stems(sure) & of_stages == {"iop.intake_days", "iop.appointments", "iop.applying"}
    fading = staged(intake=STAGES["intake"] | {"show": {"same_day": 0.9, "odds_per_week": 0.8}})
    assert "iop.wasted_slots" in stems(fading)


def test_a_payers_word_has_metrics_where_it_is_needed() -> None:
    asked = {"iop.authorization_days", "iop.lost.denied"}
    cut = {"iop.authorization_cut", "ward.authorization_cut", "ward.discharged"}
    assert asked <= stems(staged())
    assert stems(scenario()).isdisjoint(asked | cut)
    assert stems(staged()).isdisjoint(cut | {"ward.authorization_days"})
    units = {"levels": ["ward"], "units": 5, "per": "day", "review": {"cut": 0.1}}
    assert stems(scenario(payers={"plan": {"authorization": units}})) & (asked | cut) == cut - {
        "iop.authorization_cut"
    }


def test_what_may_hold_back_depends_on_the_level() -> None:
    def held_back(spec: Scenario, level: str) -> set[str]:
        prefix = f"{level}.held_back_by."
        return {stem.removeprefix(prefix) for stem in stems(spec) if stem.startswith(prefix)}

    assert held_back(staged(), "iop") == {
        *("seat", "therapist", "authorization", "intake", "order"),
        *("seat_and_therapist", "seat_and_authorization", "therapist_and_authorization"),
        "seat_and_therapist_and_authorization",
    }
    ward = {"stay_days": 10, "refer_before_days": 3, "next": {"iop": 1}}
    iop = {"stay_days": 56, "caseload": "therapist"}
    gate = {
        "levels": ["iop"],
        "role": "doctor",
        "per": "admission",
        "minutes": 60,
        "due_days": 7,
        "limits": "admission",
    }
    people = {"therapist": {"posts": 2, "caseload": 5}, "doctor": {"posts": 1}}
    early = scenario(levels={"ward": ward, "iop": iop}, staff=people, services={"evaluation": gate})
    assert held_back(early, "iop") == {"therapist", "doctor", "therapist_and_doctor", "treatment"}
    assert held_back(early, "ward") == set()
    assert "ward.wait_days" not in stems(early)
    # One who both carries the patients and sees them first is named once.
    both = scenario(
        levels={"ward": ward, "iop": iop}, staff=people, services={"evaluation": gate | {"role": "therapist"}}
    )
    assert held_back(both, "iop") == {"therapist", "treatment"}
    open_to_all = scenario(
        levels={"ward": ward, "iop": {"stay_days": 56, "waitlist": {"discipline": "strict"}}}
    )
    assert held_back(open_to_all, "iop") == {"treatment", "order"}
    assert {"iop.wait_days", "iop.waitlist", "iop.unresolved"} <= stems(open_to_all)


def test_an_empty_ledger_has_every_metric() -> None:
    spec = staged()
    found = figures(Book(spec).window())
    assert found["iop.waitlist.mean"] == found["iop.waitlist.max"] == found["iop.referrals.total"] == 0
    assert np.isnan(found["iop.completed.share"])
    assert np.isnan(found["iop.wait_days.mean"])


def test_names_are_known_without_numpy() -> None:
    code = "import sys; from iopsim.measures.registry import registered; registered(); sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
