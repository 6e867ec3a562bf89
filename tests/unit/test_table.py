"""The planner's table: which lines it has, in which order, and how they stand in terminals of every width."""

from __future__ import annotations

import datetime as dt
import io
import math
import re
from typing import TYPE_CHECKING, Any

import pytest
from rich.console import Console

from iopsim.experiment.names import reported
from iopsim.experiment.statistics import Interval
from iopsim.experiment.summary import Estimate
from iopsim.report.console import print_summary
from iopsim.report.lines import headline, sections
from iopsim.scenario.schema import Scenario

if TYPE_CHECKING:
    from collections.abc import Mapping

IOP: dict[str, Any] = {
    "label": "Day care",
    "caseload": "therapist",
    "contact": {"share": 0.6, "delay_days": 3.0},
    "eligible": {"share": 0.9, "found_at": "assessment"},
    "intake": {"role": "intake", "minutes": 60.0, "show": 0.7},
    "phases": [{"weeks": 8, "days_per_week": 3}],
    "groups": {"morning": {"days": ["mon", "wed", "fri"], "seats": 12, "facilitators": {"therapist": 1}}},
}
STAFF: dict[str, Any] = {
    "therapist": {"label": "Therapist", "posts": 4, "caseload": 12.0, "bookable": 0.75},
    "intake": {"posts": 1},
}


def clinic(
    iop: Mapping[str, Any] | None = None, staff: Mapping[str, Any] | None = None, **changed: Any
) -> Scenario:
    """A ward, whose care is bought, refers early to aftercare with room for all; day care has doors of its own."""
    ward = {
        "places": 4,
        "stay_days": 9.0,
        "cost_per_day": 900.0,
        "next": {"after": 1.0},
        "refer_before_days": 2.0,
    }
    return Scenario.model_validate(
        {
            "sources": {
                "community": {"label": "Community", "to": "iop", "per_week": 5.0},
                "unit": {"to": "ward", "per_week": 1.0},
            },
            "levels": {
                "ward": ward,
                "iop": IOP | dict(iop or {}),
                "after": {"stay_days": 30.0, "cost_per_day": 6.0},
            },
            "staff": STAFF | dict(staff or {}),
            "payers": {"plan": {}},
            "money": {"revenue": {"iop": {"plan": 200.0}}},
            **changed,
        }
    )


def found(scenario: Scenario, **values: float) -> list[Estimate]:
    """Every metric of the scenario: 0.5 and its unit unless a value is given, by its name with __ for the dots."""
    numbers = {name.replace("__", "."): value for name, value in values.items()}
    known = reported(scenario)
    assert numbers.keys() <= known.keys()
    return [
        Estimate(
            name=name,
            unit=entry.unit_in(scenario),
            better="neither",
            interval=Interval(value, value - 0.1, value + 0.1, 0.1, 4),
        )
        for name, entry in known.items()
        for value in [numbers.get(name, 0.5)]
    ]


def rows(scenario: Scenario, **values: float) -> dict[str, dict[str, str]]:
    """Words of each line by metric, by section."""
    return {
        title: {row.estimate.name: row.words.replace("\N{NO-BREAK SPACE}", " ") for row in lines}
        for title, lines in sections(scenario, found(scenario, **values))
    }


def printed(scenario: Scenario, width: int, **values: float) -> list[str]:
    text = io.StringIO()
    print_summary(Console(file=text, width=width), scenario, found(scenario, **values), 4)
    return text.getvalue().splitlines()


# Which lines there are


def test_access_is_told_in_the_order_in_which_patients_meet_it() -> None:
    metrics = [name.removeprefix("iop.") for name in rows(clinic())["Access: Day care"]]
    assert metrics == [
        "referrals.per_week",
        "lost.contact.share",
        "contact_days.mean",
        "intake_days.mean",
        "appointments.show.share",
        "wasted_slots.per_week",
        "lost.intake.share",
        "lost.eligibility.share",
        "wait_days.p50",
        "wait_days.mean",
        "wait_days.p90",
        "started_within_14_days.share",
        "waitlist.mean",
        "access_days.mean",
        "community.conversion.share",
    ]
    screened = rows(clinic({"eligible": {"share": 0.9}}))["Access: Day care"]
    assert list(screened).index("iop.lost.eligibility.share") == 3, "found out before the appointment"


def test_a_level_that_always_has_room_has_no_access_of_its_own() -> None:
    assert list(rows(clinic())) == [
        "Access: Day care",
        "Access: ward",
        "Capacity: Day care",
        "Capacity: ward",
        "Capacity: after",
        "Staff",
        "Money: provider view",
        "Money: system view",
    ]


def test_a_level_bought_from_outside_has_fewer_lines() -> None:
    bought = rows(clinic())
    assert list(bought["Access: ward"]) == [
        "ward.referrals.per_week",
        "ward.wait_days.mean",
        "ward.wait_days.p90",
        "ward.waitlist.mean",
        "unit.conversion.share",
    ]
    assert "iop.completed.share" in bought["Capacity: Day care"]
    assert "ward.completed.share" not in bought["Capacity: ward"]


@pytest.mark.parametrize(
    "metric",
    ["cancelled_sessions.closed.total", "cancelled_sessions.below_minimum.total", "ghost_seats.share"],
)
def test_what_never_happened_takes_no_line_unless_somebody_asks(metric: str) -> None:
    name, title = f"iop.{metric}", "Capacity: Day care"
    none = {name.replace(".", "__"): 0.0}
    assert name in rows(clinic())[title]
    assert name not in rows(clinic(), **none)[title]
    assert name in rows(clinic(observed={name: 0.0}), **none)[title]
    assert name in rows(clinic(targets=[{"metric": name, "at_most": 1}]), **none)[title]


def test_what_a_rule_makes_possible_is_told_even_where_it_did_not_happen() -> None:
    plain = rows(clinic())["Capacity: Day care"]
    assert not {"iop.cancelled_sessions.unstaffed.total", "iop.admitted_not_started.mean"} & plain.keys()
    cohort = {"first": dt.date(2027, 1, 4), "every_days": 28, "starters": 6}
    group = IOP["groups"]["morning"] | {"admission": {"cohort": cohort}}
    scenario = clinic(
        {"groups": {"morning": group}}, {"therapist": STAFF["therapist"] | {"turnover_per_year": 0.3}}
    )
    ruled = rows(scenario, iop__cancelled_sessions__unstaffed__total=0.0)["Capacity: Day care"]
    assert ruled["iop.cancelled_sessions.unstaffed.total"] == "Cancelled, no facilitator"
    assert ruled["iop.admitted_not_started.mean"] == "Seat taken, not yet started"


def test_hours_and_fte_are_those_of_the_posts_that_were_filled() -> None:
    leaving = STAFF["therapist"] | {"turnover_per_year": 0.3, "patients_per_clinician_at_most": 24.0}
    staff = rows(clinic(staff={"therapist": leaving}), therapist__fte_employed=3.2)["Staff"]
    assert {name.removeprefix("therapist."): words for name, words in staff.items() if name[0] == "t"} == {
        "fte_employed": "FTE employed, of 4",
        "vacancy.share": "Posts vacant",
        "departures.total": "Departures",
        "caseload_utilization.mean": "Caseload utilization",
        "overload.mean": "Patients over the limit",
        "unassigned.mean": "Patients without anybody",
        "hours_needed.mean": "Hours needed, of 96 bookable",  # 3.2 × 40 × 0.75
        "fte_needed.mean": "FTE needed, of 3.2",
        "patients_per_clinician.max": "Most patients per FTE, of 24",
        "over_ratio.share": "Over the rule",
    }


def test_where_nobody_comes_or_goes_fte_employed_take_no_line() -> None:
    staff = rows(clinic(), therapist__fte_employed=4.0)["Staff"]
    assert "therapist.fte_employed" not in staff
    assert staff["therapist.hours_needed.mean"] == "Hours needed, of 120 bookable"
    assert staff["intake.slot_utilization.mean"] == "Appointments booked"


def test_cover_and_rooms_are_told_where_they_can_cost() -> None:
    assert (
        not {"program.cover_cost.total", "program.room_cost.total"}
        & rows(clinic())["Money: provider view"].keys()
    )
    group = IOP["groups"]["morning"] | {"room": "big"}
    scenario = clinic(
        {"groups": {"morning": group}},
        {"therapist": STAFF["therapist"] | {"cover_per_hour": 60.0}},
        rooms={"big": {"seats": 14, "cost_per_week": 100.0}},
    )
    money = rows(scenario)["Money: provider view"]
    assert [money[f"program.{part}_cost.total"] for part in ("cover", "room")] == [
        "Cover, 52 weeks",
        "Rooms, 52 weeks",
    ]


def test_what_the_system_pays_stands_apart_from_what_the_program_earns() -> None:
    alternative = {"for": ["community"], "divertible": 0.1, "stay_days": 10, "cost_per_day": 1000}
    money = {"revenue": {"iop": {"plan": 200.0}}, "inpatient_alternative": alternative}
    ward = {"places": 4, "stay_days": 9.0, "cost_per_day": 900.0, "next": {"after": 1.0}, "hold_days": 3}
    levels = {"ward": ward, "iop": IOP, "after": {"places": 3, "stay_days": 30.0, "cost_per_day": 6.0}}
    staff = {"therapist": STAFF["therapist"] | {"salary_per_year": 60_000.0}}
    told = rows(clinic(levels=levels, money=money, staff=STAFF | staff))
    provider, system = told["Money: provider view"], told["Money: system view"]
    assert provider["program.loss.share"] == "Chance of a loss"
    assert not any(name.startswith(("alternative", "system")) for name in provider)
    assert system["system.cost.total"] == "Cost of all levels, 52 weeks"
    assert system["community.system_cost.per_referral"] == "Cost of all levels"
    assert system["ward.held_days_for.after"] == "held for after, 52 weeks"
    assert system["ward.held_cost_for.after"] == "cost of places held for after, 52 weeks"
    assert "alternative.difference.per_episode" in system
    assert "community.alternative.break_even_share" not in system, "one source is all of it"


def test_sources_have_their_own_break_even_where_there_are_several() -> None:
    alternative = {"for": ["community", "unit"], "stay_days": 10, "cost_per_day": 1000}
    levels = {"iop": IOP}
    sources = {name: {"to": "iop", "per_week": 2.0} for name in ("community", "unit")}
    staff = {"therapist": STAFF["therapist"] | {"salary_per_year": 60_000.0}}
    parts = {"levels": levels, "sources": sources, "staff": STAFF | staff}
    scenario = clinic(**parts, money={"inpatient_alternative": alternative})
    system = rows(scenario)["Money: system view"]
    words = {name: said for name, said in system.items() if name.endswith("break_even_share")}
    assert words == {
        "alternative.break_even_share": "Break-even divertible share",
        "community.alternative.break_even_share": "Break-even divertible share, community",
        "unit.alternative.break_even_share": "Break-even divertible share, unit",
    }
    assert "system.cost.total" not in system, "all levels are the program's own"
    text = " ".join(printed(scenario, 200, community__alternative__break_even_share=0.4))
    assert "If 40 % of starters from community (30.0 % to 50.0 %) would otherwise be inpatients" in text


def test_staff_that_change_on_a_date_stand_beside_the_mean_of_the_plan() -> None:
    """A year of 364 days, half of it with one therapist more."""
    half = dt.date(2027, 1, 4) + dt.timedelta(days=182)
    scenario = clinic(changes=[{"from": half, "set": {"staff.therapist.posts": 5}}])
    staff = rows(scenario, therapist__fte_employed=4.5)["Staff"]
    assert staff["therapist.fte_employed"] == "FTE employed, of 4.5"
    assert staff["therapist.hours_needed.mean"] == "Hours needed, of 135 bookable"
    assert "therapist.overload.mean" in staff


def test_the_headline_names_own_levels_sources_staff_and_money() -> None:
    names = headline(clinic())
    assert {"iop.census.mean", "community.conversion.share", "program.margin.total"} <= set(names)
    assert not [name for name in names if name.startswith(("ward.", "after.")) or "hours_needed" in name]
    assert set(names) <= reported(clinic()).keys()


# How they stand


def test_in_eighty_columns_every_line_fits_and_numbers_stand_in_columns() -> None:
    lines = printed(clinic(), 80)
    table = [line for line in lines if line.startswith("  ")]
    assert all(len(line) <= 80 for line in table)
    numbers = [line for line in table if re.search(r"\d(?: %)? to \d", line)]
    assert len(numbers) > 40
    head = next(line for line in lines if "estimate" in line)
    ends = {line[: head.index("estimate") + len("estimate")][-1] for line in numbers}
    assert ends <= set("0123456789%"), "estimates end where their title does"
    assert not any(line != line.rstrip() for line in table)


def test_long_words_go_on_below_and_no_number_is_torn_from_what_it_is_of() -> None:
    long = {"label": "Therapist with a long name", "bookable": 0.77, "turnover_per_year": 0.1}
    scenario = clinic(staff={"therapist": STAFF["therapist"] | long})
    for width in range(64, 100):
        lines = printed(scenario, width, therapist__fte_employed=3.2)
        at = next(at for at, line in enumerate(lines) if line.startswith("  Therapist"))
        words = [re.split(r" {2,}\d", line.strip())[0] for line in lines[at : at + 3]]
        said = " ".join(words).removesuffix(" posts vacant")
        assert said.startswith("Therapist with a long name: FTE employed, of 4"), width
        assert not any(word.endswith(" of") for word in words)
        assert lines[at + 1].startswith("    ")
    assert "    posts vacant" in [line[:16] for line in lines], "the name is said once"


def test_with_room_for_them_names_of_metrics_stand_beside() -> None:
    wide = printed(clinic(), 200)
    assert any(
        line.split()[:2] == ["Never", "reached"] and line.endswith("  iop.lost.contact.share")
        for line in wide
    )
    assert not any("iop." in line for line in printed(clinic(), 90))


def test_a_narrow_terminal_has_one_number_under_the_other() -> None:
    lines = printed(clinic(observed={"iop.lost.contact.share": 0.4}), 50)
    at = lines.index("  Never reached")
    assert lines[at + 1].rstrip() == "    50.0 % of referrals (40.0 % to 60.0 %),"
    assert lines[at + 2].split() == ["observed", "40.0", "%"]
    assert "  Therapist: hours needed, of 15 bookable" in lines


def test_observed_values_have_a_column() -> None:
    lines = printed(clinic(observed={"iop.lost.contact.share": 0.4}), 120)
    line = next(line for line in lines if "Never reached" in line)
    assert line.split()[-2:] == ["40.0", "%"]
    assert "observed" in lines[1]


def test_what_is_not_known_is_a_dash() -> None:
    line = next(
        line for line in printed(clinic(), 80, iop__lost__contact__share=math.nan) if "Never reached" in line
    )
    assert line.split()[2] == "–"
