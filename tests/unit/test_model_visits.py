"""Services that wait for a free appointment (model.md §8). Day 0 is a Monday; appointments begin at 9:00, or 0.375."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.timelines import Person, Told, date_of, live

NINE = 0.375
HOUR = 43691 / 2**20  # to the nearest 2⁻²⁰ of a day, as all clock times

ANN, BOB, CAT = Person("ann", 0.1), Person("bob", 0.2), Person("cat", 0.3)

# Up after five days of treatment, held for five; the only place there is taken for good.
STEPS_UP = {"step_up": {"after_days": 5, "to": {"php": 1}, "hold_days": 5}}
BED = Person("bed", 0, to="php", source="ward")


def clinic(
    *people: Person, level: dict[str, Any] | None = None, role: dict[str, Any] | None = None, **service: Any
) -> Told:
    """A program of unlimited places, whose prescriber has one appointment a day, unless it says otherwise."""
    evaluation = {
        "levels": ["iop"],
        "role": "prescriber",
        "minutes": 100,
        "indirect_minutes": 20,
        "limits": True,
    }
    if "every_weeks" not in service:
        service["per"] = "admission"
    return live(
        {"iop": {"stay_days": 50, **(level or {})}, "php": {"places": 1, "stay_days": 90}},
        *people,
        staff={"prescriber": {"posts": 1, "paid_hours_per_week": 10, **(role or {})}},
        services={"evaluation": {**evaluation, **service}},
    )


def visits(told: Told) -> list[tuple[float, str, float]]:
    """When each visit was given, to whom, and when it was due."""
    ledger = told.ledger
    referred = {row[0]: row[1] for row in told.timeline if row[2].startswith("referred iop")}
    who = [referred[day] for day in ledger.patient_referred[ledger.stay_patient[ledger.visit_stay]]]
    return list(zip(ledger.visit_time.tolist(), who, ledger.visit_due.tolist(), strict=True))


# ── limits: true ─────────────────────────────────────────────────────────────────────────────────────────────


def test_a_visit_is_given_at_the_first_free_appointment_after_it_is_due() -> None:
    assert visits(clinic(ANN, BOB, CAT)) == [
        (NINE, "ann", 0.1),
        (1 + NINE, "bob", 0.2),
        (2 + NINE, "cat", 0.3),
    ]


def test_with_hours_to_spare_it_is_given_on_the_next_working_day_at_the_latest() -> None:
    told = clinic(ANN, BOB, Person("cat", 4.7), role={"posts": 2, "paid_hours_per_week": 40})
    assert visits(told) == [(NINE, "ann", 0.1), (NINE, "bob", 0.2), (7 + NINE, "cat", 4.7)]


def test_a_recurring_visit_falls_due_by_the_start_of_care_whenever_the_last_was_given() -> None:
    """Two patients, every week, one appointment on each working day: the second's are on the day after."""
    told = clinic(ANN, BOB, every_weeks=1, level={"stay_days": 15})
    assert visits(told) == [
        (NINE, "ann", 0.1),
        (1 + NINE, "bob", 0.2),
        (7 + NINE, "ann", 7.1),
        (8 + NINE, "bob", 7.2),
        (14 + NINE, "ann", 14.1),
    ]  # bob's third is due on day 14.2 and would be given on day 15.375, when he is gone


def test_who_has_left_gives_the_appointment_back() -> None:
    """Bob completes on day 0.9: the appointment of day 1 is free for cat, who comes after that."""
    level = {"by": {"source": {"short": {"stay_days": 0.75}}}}
    told = clinic(ANN, Person("bob", 0.125, source="short"), Person("cat", 0.9), level=level)
    assert told.of("bob")[1:] == [(0.875, "completed iop → home, released iop")]
    assert visits(told) == [(NINE, "ann", 0.1), (1 + NINE, "cat", 0.9)]


def test_what_falls_due_while_treatment_is_suspended_is_left_out() -> None:
    """Suspended from day 5.1 to day 10.1, since no place is free above: nothing is due on day 7.1."""
    told = clinic(ANN, BED, level={"leave_early": STEPS_UP, "stay_days": 16}, every_weeks=1)
    assert [day for day, _ in told.of("ann")] == pytest.approx([0.1, 5.1, 10.1, 21.1])
    assert visits(told) == [(NINE, "ann", 0.1), (14 + NINE, "ann", pytest.approx(14.1))]


def test_who_is_suspended_gives_the_appointment_back_and_books_again() -> None:
    """Nobody prescribes in the first week; ann's appointment on day 7 falls into her suspension, cat takes it."""
    away = {"from": date_of(0), "until": date_of(4)}
    told = clinic(ANN, BED, Person("cat", 6), level={"leave_early": STEPS_UP}, role={"leaves": [away]})
    assert visits(told) == [(7 + NINE, "cat", 6), (10 + NINE, "ann", 0.1)]


def test_an_appointment_that_finds_nobody_is_booked_again() -> None:
    """The prescriber is away on day 1 and back on day 2; bob, whose appointment it was, has none before."""
    told = clinic(ANN, BOB, CAT, role={"leaves": [{"from": date_of(1), "until": date_of(2)}]})
    assert visits(told) == [(NINE, "ann", 0.1), (3 + NINE, "bob", 0.2), (4 + NINE, "cat", 0.3)]


def test_what_falls_due_when_nobody_is_there_is_booked_when_somebody_is_first_due_first() -> None:
    """Nobody from day 0 to day 8: the successor of day 9 gives what is owed in the order in which it was due."""
    told = clinic(
        Person("ann", 3.5),
        Person("bob", 3.2),
        Person("cat", 3.9),
        role={"leaves": [date_of(0)], "days_to_hire": 9},
    )
    assert visits(told) == [(9 + NINE, "bob", 3.2), (10 + NINE, "ann", 3.5), (11 + NINE, "cat", 3.9)]


def test_who_is_suspended_when_somebody_comes_takes_no_appointment_from_those_in_treatment() -> None:
    """Nobody from day 0 to day 6: ann's was due first, but she is suspended until day 10.1."""
    told = clinic(
        ANN,
        BED,
        Person("cat", 4),
        level={"leave_early": STEPS_UP},
        role={"leaves": [date_of(0)], "days_to_hire": 7},
    )
    assert visits(told) == [(7 + NINE, "cat", 4), (10 + NINE, "ann", 0.1)]


def test_visits_of_several_services_share_the_day_of_their_role() -> None:
    told = live(
        {"iop": {"stay_days": 50}},
        Person("ann", 0.1),
        staff={"prescriber": {"posts": 1, "paid_hours_per_week": 10}},
        services={
            "evaluation": {"levels": ["iop"], "role": "prescriber", "minutes": 60, "per": "admission", "limits": True},
            "medication": {"levels": ["iop"], "role": "prescriber", "minutes": 60, "every_weeks": 4, "limits": True},
        },
    )  # fmt: skip
    assert told.ledger.visit_time.tolist() == [NINE, NINE + HOUR, 28 + NINE]
    assert told.ledger.visit_service.tolist() == [0, 1, 1]


def test_services_without_limits_write_no_visits() -> None:
    assert visits(clinic(ANN, BOB, limits=False)) == []


# ── limits: admission ────────────────────────────────────────────────────────────────────────────────────────


def gated(*people: Person, due_days: float, **rest: Any) -> Told:
    return clinic(*people, limits="admission", due_days=due_days, **rest)


def test_admission_waits_until_the_first_free_appointment_is_near_enough() -> None:
    """Appointments on days 0, 1 and 2; one day before its own, each patient may be admitted."""
    told = gated(ANN, BOB, CAT, due_days=1)
    assert visits(told) == [(NINE, "ann", 0.1), (1 + NINE, "bob", NINE), (2 + NINE, "cat", 1 + NINE)]
    assert told.of("bob")[:2] == [(0.2, "referred iop"), (NINE, "admitted iop, started iop")]
    assert told.of("cat")[:2] == [(0.3, "referred iop"), (1 + NINE, "admitted iop, started iop")]


def test_with_hours_to_spare_nobody_waits() -> None:
    told = gated(ANN, BOB, CAT, due_days=7)
    assert [text for _, _, text in told.timeline[:3]] == ["referred iop, admitted iop, started iop"] * 3


def test_an_evaluation_may_come_between_admission_and_the_first_session() -> None:
    groups = {"tuesday": {"days": ["tue"], "seats": 4}}
    told = gated(ANN, due_days=7, level={"groups": groups})
    assert told.of("ann")[:2] == [
        (0.1, "referred iop, admitted iop in tuesday tue"),
        (1.375, "started iop"),
    ]
    assert visits(told) == [(NINE, "ann", 0.1)]


def test_nobody_is_admitted_while_nobody_is_there() -> None:
    told = gated(ANN, due_days=7, role={"leaves": [date_of(0)], "days_to_hire": 3})
    assert told.of("ann")[:2] == [(0.1, "referred iop"), (3, "admitted iop, started iop")]
    assert visits(told) == [(3 + NINE, "ann", 3)]


def test_whoever_is_there_again_lets_those_in_who_waited_for_an_appointment() -> None:
    """The successor comes on day 3.3: not before midnight would be too late for the appointment of day 3."""
    told = gated(ANN, due_days=7, role={"leaves": [date_of(0)], "days_to_hire": 3.3})
    assert told.of("ann")[:2] == [(0.1, "referred iop"), (3.3, "admitted iop, started iop")]
    assert visits(told) == [(3 + NINE, "ann", 3.3)]


def test_an_appointment_that_is_given_back_lets_the_next_in_at_once() -> None:
    """Bob has that of day 1 and completes on day 0 at 15:00: from then on cat may have it."""
    level = {"by": {"source": {"short": {"stay_days": 0.25}}}}
    told = gated(ANN, Person("bob", 0.2, source="short"), CAT, due_days=1, level=level)
    assert told.of("bob")[1:] == [
        (NINE, "admitted iop, started iop"),
        (NINE + 0.25, "completed iop → home, released iop"),
    ]
    assert told.of("cat")[:2] == [(0.3, "referred iop"), (NINE + 0.25, "admitted iop, started iop")]
    assert visits(told) == [(NINE, "ann", 0.1), (1 + NINE, "cat", NINE + 0.25)]


def test_two_services_of_one_role_need_two_appointments() -> None:
    """Both within half a day is possible on no day; within a day and an hour, from one day before the second on."""
    one = {
        "levels": ["iop"],
        "role": "prescriber",
        "minutes": 120,
        "per": "admission",
        "limits": "admission",
        "due_days": 1,
    }
    told = live(
        {"iop": {"stay_days": 50}},
        Person("ann", 0.1),
        staff={"prescriber": {"posts": 1, "paid_hours_per_week": 10}},
        services={"a": one, "b": one},
    )
    assert told.of("ann")[:2] == [(0.1, "referred iop"), (NINE, "admitted iop, started iop")]
    assert told.ledger.visit_time.tolist() == [NINE, 1 + NINE]


@pytest.mark.parametrize("limits", [True, "admission"])
def test_ample_hours_change_no_other_fact(limits: object) -> None:
    """Where the rule vanishes: ample hours leave the same story as no limits."""
    people = [
        Person(name, 0.3 * number, draws={"next iop": 0.9})
        for number, name in enumerate(("ann", "bob", "cat"))
    ]
    level = {"places": 1, "stay_days": 3.3}
    role = {"posts": 9, "paid_hours_per_week": 40}
    free = clinic(*people, limits=False, due_days=9, level=level, role=role)
    told = clinic(*people, limits=limits, due_days=9, level=level, role=role)
    assert told.timeline == free.timeline
    assert len(visits(told)) == 3
