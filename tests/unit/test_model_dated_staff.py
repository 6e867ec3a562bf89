"""Posts, limits, hours and turnover that are others from a date on (model.md §§2, 8). Day 0 is a Monday."""

from __future__ import annotations

from typing import Any

import pytest

from iopsim.model.draws import Draws
from iopsim.model.ledger import PostState
from tests.unit.timelines import Person, Told, date_of, live

FILLED, VACANT, AWAY, CLOSED = PostState.FILLED, PostState.VACANT, PostState.AWAY, PostState.CLOSED
ANN, BOB, CAT, DAN = (
    Person(name, 0.25 * number) for number, name in enumerate(("ann", "bob", "cat", "dan"), 1)
)
LAST = Person("last", 55.5)  # after all that is looked at
TEN_DAYS = 36.5 * 0.6931471805599453  # turnover at which a median holder stays exactly 10 days
TWENTY_DAYS = TEN_DAYS / 2


@pytest.fixture(autouse=True)
def even_chance(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every number of staff is 0.5."""

    class Certain:
        def random(self) -> float:
            return 0.5

    monkeypatch.setattr(Draws, "generator", lambda *_: Certain())


def from_day(*plans: tuple[int, dict[str, Any]]) -> list[dict[str, Any]]:
    """Changes of therapists from days on."""
    return [
        {"from": date_of(day), "set": {f"staff.therapist.{name}": value for name, value in values.items()}}
        for day, values in plans
    ]


def clinic(*people: Person, changes: list[dict[str, Any]], stay_days: float = 100, **role: Any) -> Told:
    """Patients who stay long, with two therapists of two patients each unless it says otherwise."""
    levels = {"care": {"stay_days": stay_days, "caseload": "therapist"}}
    staff = {"therapist": {"posts": 2, "caseload": 2, **role}}
    return live(levels, *(people or [LAST]), staff=staff, changes=changes)


def posts(told: Told) -> list[tuple[float, int, PostState, int]]:
    """All rows of posts after the opening: day, post, state and limit."""
    ledger = told.ledger
    columns = (ledger.post_time, ledger.post_number, ledger.post_state, ledger.post_limit)
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return [(day, post, PostState(state), limit) for day, post, state, limit in rows if day > 0]


def days(told: Told, word: str) -> list[tuple[str, float]]:
    return [(name, day) for day, name, text in told.timeline if word in text]


# ── posts that open ──────────────────────────────────────────────────────────────────────────────────────────


def test_a_new_post_is_filled_on_its_date_and_takes_patients_at_once() -> None:
    told = clinic(ANN, BOB, CAT, changes=from_day((5, {"posts": 2})), posts=1)
    assert posts(told) == [(5, 1, FILLED, 2)]
    assert told.of("cat") == [
        (0.75, "referred care"), (5, "admitted care with therapist 1, started care"),
    ]  # fmt: skip
    assert told.ledger.posts == (("therapist", 0), ("therapist", 1))
    assert told.ledger.post_time.tolist() == [0, 5]


def test_the_limit_of_a_new_post_grows_through_its_onboarding() -> None:
    """Full limit 2 in four weeks: 1 after 14 days, 2 after 28."""
    told = clinic(ANN, BOB, CAT, DAN, changes=from_day((5, {"posts": 2})), posts=1, onboarding_weeks=4)
    assert posts(told) == [(5, 1, FILLED, 0), (19, 1, FILLED, 1), (33, 1, FILLED, 2)]
    assert days(told, "admitted") == [("ann", 0.25), ("bob", 0.5), ("cat", 19), ("dan", 33)]


def test_a_post_of_one_role_moves_no_post_of_another_until_it_comes() -> None:
    """In the ledger the therapist to come is the last of all; ties among those who are there go by role."""
    levels = {"care": {"stay_days": 100, "caseload": "nurse"}}
    staff = {"therapist": {"posts": 1}, "nurse": {"posts": 2, "caseload": 1}}
    told = live(levels, ANN, BOB, staff=staff, changes=from_day((5, {"posts": 3}), (9, {"posts": 4})))
    assert told.ledger.posts == (
        ("therapist", 0), ("nurse", 0), ("nurse", 1), ("therapist", 1), ("therapist", 2), ("therapist", 3),
    )  # fmt: skip
    assert posts(told) == [(5, 3, FILLED, 0), (5, 4, FILLED, 0), (9, 5, FILLED, 0)]
    assert told.of("bob")[0][1] == "referred care, admitted care with nurse 1, started care"


# ── posts that close ─────────────────────────────────────────────────────────────────────────────────────────


def test_the_last_post_closes_and_its_patients_pass_to_the_others_over_the_limit() -> None:
    told = clinic(ANN, BOB, CAT, DAN, changes=from_day((5, {"posts": 1})))
    assert posts(told) == [(5, 1, CLOSED, 0)]
    assert told.of("bob") == [
        (0.5, "referred care, admitted care with therapist 1, started care"),
        (5, "reassigned care to therapist 0"),
    ]
    assert days(told, "reassigned") == [("bob", 5), ("dan", 5)]


def test_nobody_is_admitted_until_the_posts_that_stay_have_room() -> None:
    """Four patients of one therapist for two: after two have left there are two, after three there is room."""
    late = Person("late", 6.0)
    told = clinic(ANN, BOB, CAT, DAN, late, changes=from_day((5, {"posts": 1})), stay_days=10)
    assert days(told, "admitted")[-1] == ("late", 10.75)


def test_two_posts_that_close_together_pass_on_no_patients_to_each_other() -> None:
    told = clinic(ANN, BOB, CAT, changes=from_day((5, {"posts": 1})), posts=3)
    assert posts(told) == [(5, 2, CLOSED, 0), (5, 1, CLOSED, 0)]
    assert [text for day, _, text in told.timeline if day == 5] == ["reassigned care to therapist 0"] * 2


def test_a_vacant_post_closes_first_and_its_hire_is_called_off() -> None:
    told = clinic(changes=from_day((5, {"posts": 1})), leaves=[date_of(2)], days_to_hire=10)
    assert posts(told) == [(2, 0, VACANT, 0), (5, 0, CLOSED, 0)]


def test_who_is_away_when_the_post_closes_does_not_come_back() -> None:
    leave = {"from": date_of(2), "until": date_of(9)}
    told = clinic(changes=from_day((5, {"posts": 1})), leaves=[date_of(1), leave], days_to_hire=30)
    assert posts(told) == [(1, 0, VACANT, 0), (2, 1, AWAY, 0), (5, 0, CLOSED, 0), (10, 1, FILLED, 2)]
    told = clinic(changes=from_day((5, {"posts": 0})), leaves=[leave])
    assert posts(told) == [(2, 0, AWAY, 0), (5, 1, CLOSED, 0), (5, 0, CLOSED, 0)]


def test_a_closed_post_neither_loses_nor_hires_anybody_and_opens_again_with_somebody_new() -> None:
    """The first holder of post 1 would have left on day 10; the second comes on day 20 and stays ten days."""
    told = clinic(
        changes=from_day((5, {"posts": 1}), (20, {"posts": 2})), turnover_per_year=TEN_DAYS, days_to_hire=40
    )
    assert posts(told) == [
        (5, 1, CLOSED, 0), (pytest.approx(10), 0, VACANT, 0), (20, 1, FILLED, 2), (pytest.approx(30), 1, VACANT, 0),
        (pytest.approx(50), 0, FILLED, 2),
    ]  # fmt: skip
    assert told.ledger.posts == (("therapist", 0), ("therapist", 1))


def test_a_post_that_was_closed_opens_before_one_that_never_was() -> None:
    told = clinic(
        changes=from_day((5, {"posts": 1}), (9, {"posts": 3})), leaves=[date_of(2)], days_to_hire=30
    )
    assert posts(told) == [(2, 0, VACANT, 0), (5, 0, CLOSED, 0), (9, 0, FILLED, 2), (9, 2, FILLED, 2)]


def test_patients_wait_for_somebody_when_all_posts_close() -> None:
    told = clinic(ANN, BOB, changes=from_day((5, {"posts": 0}), (9, {"posts": 1})))
    assert posts(told) == [(5, 1, CLOSED, 0), (5, 0, CLOSED, 0), (9, 0, FILLED, 2)]
    assert told.of("ann")[1:] == [(5, "reassigned care to nobody"), (9, "reassigned care to therapist 0")]


@pytest.mark.parametrize(
    ("plans", "role", "come"),
    [
        (from_day((5, {"posts": 0}), (9, {"posts": 2})), {}, [0, 1]),
        (from_day((9, {"posts": 2})), {"posts": 1, "leaves": [{"from": date_of(5), "until": date_of(8)}]}, [1, 0]),
    ],
    ids=["two new", "one new, one back"],
)  # fmt: skip
def test_patients_of_nobody_are_shared_by_all_who_come_on_a_date(
    plans: list[dict[str, Any]], role: dict[str, Any], come: list[int]
) -> None:
    """On day 5 all are gone, on day 9 there are two: posts that open are filled before those who come back."""
    told = clinic(ANN, BOB, changes=plans, **role)
    assert [row for row in posts(told) if row[0] == 9] == [(9, post, FILLED, 2) for post in come]
    assert days(told, "to nobody") == [("ann", 5), ("bob", 5)]
    assert told.of("ann")[-1] == (9, "reassigned care to therapist 0")
    assert told.of("bob")[-1] == (9, "reassigned care to therapist 1")


# ── limits ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_limits_in_force_change_at_once() -> None:
    """Two posts of two: of half-time one each; then three each of full time."""
    late = Person("late", 6.0)
    told = clinic(ANN, BOB, CAT, late, changes=from_day((5, {"fte": 0.5}), (9, {"fte": 1.0, "caseload": 3})))
    assert posts(told) == [(5, 0, FILLED, 1), (5, 1, FILLED, 1), (9, 0, FILLED, 3), (9, 1, FILLED, 3)]
    assert days(told, "admitted")[-1] == ("late", 9)


def test_onboarding_goes_on_to_the_new_limit() -> None:
    """Full limit 2 in four weeks from day 5; from day 12, a quarter through, it is 8 and one may have 2 at once."""
    told = clinic(
        changes=from_day((5, {"posts": 2}), (12, {"caseload": 8}), (20, {"caseload": 4})), posts=1, onboarding_weeks=4
    )  # fmt: skip
    mine = [(day, limit) for day, post, _, limit in posts(told) if post == 1]
    assert mine == [
        (5, 0), (12, 2), (5 + 10.5, 3), (19, 4), (20, 2), (5 + 21, 3), (5 + 28, 4),
    ]  # fmt: skip


def test_who_is_new_learns_as_long_as_was_planned_at_the_hire() -> None:
    told = clinic(
        changes=from_day((5, {"posts": 2}), (6, {"onboarding_weeks": 0}), (7, {"posts": 3})),
        posts=1,
        onboarding_weeks=2,
    )
    assert posts(told) == [(5, 1, FILLED, 0), (7, 2, FILLED, 2), (12, 1, FILLED, 1), (19, 1, FILLED, 2)]


def test_who_is_away_comes_back_with_the_limit_of_that_day() -> None:
    leave = {"from": date_of(2), "until": date_of(9)}
    told = clinic(changes=from_day((5, {"caseload": 6})), leaves=[leave])
    assert posts(told) == [(2, 0, AWAY, 0), (5, 1, FILLED, 6), (10, 0, FILLED, 6)]


def test_who_was_away_during_onboarding_is_no_longer_new_when_limits_change() -> None:
    leave = {"from": date_of(10), "until": date_of(12)}
    told = clinic(
        changes=from_day((5, {"posts": 1}), (20, {"caseload": 6})),
        posts=0,
        onboarding_weeks=8,
        leaves=[leave],
    )
    assert posts(told) == [(5, 0, FILLED, 0), (10, 0, AWAY, 0), (13, 0, FILLED, 2), (20, 0, FILLED, 6)]


# ── turnover ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("plans", "leaves_on"),
    [
        ([], 20),
        ([(4, 1)], 20),
        ([(4, 1.5)], 4 + 16 / 1.5),
        ([(4, 0.5)], 4 + 16 / 0.5),
        ([(4, 0)], None),
        ([(4, 0), (30, 1)], 46),
        ([(4, 1.6), (9, 0.5)], 9 + (16 - 5 * 1.6) / 0.5),
    ],
)
def test_what_is_left_of_a_tenure_goes_at_the_new_turnover(
    plans: list[tuple[int, float]], leaves_on: float | None
) -> None:
    """A median holder stays 20 days; a turnover of twice as much uses up what is left twice as fast."""
    changes = from_day(*((day, {"turnover_per_year": times * TWENTY_DAYS}) for day, times in plans))
    told = clinic(changes=changes, posts=1, turnover_per_year=TWENTY_DAYS, days_to_hire=300)
    assert [day for day, *_ in posts(told)] == ([] if leaves_on is None else [pytest.approx(leaves_on)])


def test_turnover_may_begin_on_a_date() -> None:
    told = clinic(changes=from_day((4, {"turnover_per_year": TEN_DAYS})), posts=1, days_to_hire=7)
    assert posts(told)[:3] == [
        (pytest.approx(14), 0, VACANT, 0), (pytest.approx(21), 0, FILLED, 2), (pytest.approx(31), 0, VACANT, 0),
    ]  # fmt: skip


def test_each_holder_has_a_tenure_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """A uniform number of 0.5 stays 10 days, one of 0.75 twice as long."""

    class Certain:
        def __init__(self, holder: int) -> None:
            self.holder = holder

        def random(self) -> float:
            return 0.75 if self.holder == 2 else 0.5

    monkeypatch.setattr(
        Draws, "generator", lambda _draws, _what, _role, _place, holder, _decision: Certain(holder)
    )
    told = clinic(changes=from_day((1, {"turnover_per_year": TEN_DAYS})), posts=1)
    assert [day for day, _, state, _ in posts(told) if state == VACANT] == pytest.approx([11, 31, 41, 51])


# ── hours ────────────────────────────────────────────────────────────────────────────────────────────────────


def intake(*people: Person, changes: list[dict[str, Any]], **role: Any) -> list[tuple[str, int, float]]:
    """Day and hour at which each is assessed for two hours, by a worker with four a day unless it says otherwise."""
    levels = {"care": {"stay_days": 5, "intake": {"role": "therapist", "minutes": 120}}}
    staff = {"therapist": {"posts": 1, "paid_hours_per_week": 20, **role}}
    told = live(levels, *people, staff=staff, changes=changes)
    return [(name, int(day), round(24 * (day % 1), 3)) for name, day in days(told, "assessed")]


CALLERS = [Person(f"p{number}", 0.1 + number / 100) for number in range(6)]
LATER = [Person(f"q{number}", 1.1 + number / 100) for number in range(3)]


def test_more_hours_are_booked_from_the_date_on_and_appointments_made_stay() -> None:
    plans = from_day((1, {"paid_hours_per_week": 30}))
    assert intake(*CALLERS[:5], *LATER, changes=plans) == [
        ("p0", 0, 9), ("p1", 0, 11), ("p2", 1, 9), ("p3", 1, 11), ("q0", 1, 13),
        ("p4", 2, 9), ("q1", 2, 11), ("q2", 2, 13),
    ]  # fmt: skip


def test_fewer_hours_are_booked_from_the_date_on_and_appointments_made_stay() -> None:
    plans = from_day((1, {"bookable": 0.5}))
    assert intake(*CALLERS[:4], *LATER, changes=plans) == [
        ("p0", 0, 9), ("p1", 0, 11), ("p2", 1, 9), ("p3", 1, 11), ("q0", 2, 9), ("q1", 3, 9), ("q2", 4, 9),
    ]  # fmt: skip


def test_who_could_have_no_appointment_gets_one_when_days_are_long_enough() -> None:
    plans = from_day((2, {"fte": 1.0}))
    assert intake(*CALLERS[:2], changes=plans, fte=0.25) == [("p0", 2, 9), ("p1", 2, 11)]


def test_a_new_post_gives_appointments_of_its_day_and_later_ones() -> None:
    plans = from_day((1, {"posts": 2}))
    assert intake(*CALLERS[:3], *LATER, changes=plans) == [
        ("p0", 0, 9), ("p1", 0, 11), ("p2", 1, 9), ("q0", 1, 9), ("q1", 1, 11), ("q2", 1, 11),
    ]  # fmt: skip


def test_appointments_of_a_post_that_has_closed_are_made_again_at_their_time() -> None:
    """Of six callers of day 0 two were to come to each worker's day, and the last two on day 1."""
    plans = from_day((1, {"posts": 1}))
    assert intake(*CALLERS, changes=plans, posts=2) == [
        ("p0", 0, 9), ("p1", 0, 9), ("p2", 0, 11), ("p3", 0, 11), ("p4", 1, 9), ("p5", 1, 11),
    ]  # fmt: skip


AWAY_TILL_8 = {"from": date_of(0), "until": date_of(8)}


@pytest.mark.parametrize(
    ("plans", "role"),
    [
        (from_day((9, {"posts": 2})), {"posts": 0}),
        (from_day((9, {"posts": 2})), {"leaves": [AWAY_TILL_8]}),
        (from_day(), {"posts": 2, "leaves": [AWAY_TILL_8, AWAY_TILL_8]}),
        (from_day(), {"posts": 2, "leaves": [date_of(0), AWAY_TILL_8], "days_to_hire": 9}),
        (from_day((9, {"fte": 1.0, "posts": 2})), {"fte": 0.25}),
        (from_day((9, {"fte": 1.0})), {"fte": 0.25, "posts": 2, "leaves": [AWAY_TILL_8]}),
    ],
    ids=["opened", "opened and back", "back", "hired and back", "opened and longer", "back and longer"],
)
def test_who_waits_for_an_appointment_gets_the_first_of_all_who_come_at_one_instant(
    plans: list[dict[str, Any]], role: dict[str, Any]
) -> None:
    """Two appointments a day of each of two workers, from day 9 on."""
    assert intake(*CALLERS[:5], changes=plans, **role) == [
        ("p0", 9, 9), ("p1", 9, 9), ("p2", 9, 11), ("p3", 9, 11), ("p4", 10, 9),
    ]  # fmt: skip


def test_visits_that_are_owed_are_given_at_the_first_appointments_of_all_who_come_at_one_instant() -> None:
    """One visit a day of each of two workers; three patients have waited for one since their admission."""
    visit = {
        "levels": ["care"],
        "role": "therapist",
        "minutes": 60,
        "per": "admission",
        "limits": True,
    }
    told = live(
        {"care": {"stay_days": 30}},
        *(ANN, BOB, CAT),
        staff={"therapist": {"posts": 0, "paid_hours_per_week": 5, "bookable": 1.0}},
        services={"check": visit},
        changes=from_day((9, {"posts": 2})),
    )
    assert told.ledger.visit_time.tolist() == [9.375, 9.375, 10.375]


# ── sessions ─────────────────────────────────────────────────────────────────────────────────────────────────


def session_days(changes: list[dict[str, Any]], **role: Any) -> tuple[list[tuple[float, str]], Told]:
    """What becomes of a group that two therapists lead on Mondays."""
    group = {"days": ["mon"], "seats": 5, "facilitators": {"therapist": 2}}
    levels = {"care": {"stay_days": 40, "groups": {"talk": group}}}
    told = live(
        levels, Person("ann", -0.0), staff={"therapist": {"posts": 2, **role}}, changes=changes, weeks=5
    )
    return [(day // 1, what) for day, _, what in told.sessions], told


def test_sessions_need_the_facilitators_of_their_date() -> None:
    sessions, _ = session_days(from_day((7, {"posts": 1}), (21, {"posts": 2})))
    lacking = "unstaffed: 1 enrolled"
    assert sessions == [(0, "ann"), (7, lacking), (14, lacking), (21, "ann"), (28, "ann")]


def test_sessions_lack_those_who_leave_since_turnover_began() -> None:
    """At 50 a year a median holder stays five days: both are gone on the twelfth."""
    sessions, _ = session_days(from_day((7, {"turnover_per_year": 50.0})), days_to_hire=300)
    assert [what for _, what in sessions] == ["ann", "ann", *["unstaffed: 1 enrolled"] * 3]


def test_cover_may_be_bought_from_a_date_on() -> None:
    sessions, told = session_days(from_day((7, {"posts": 1}), (14, {"cover_per_hour": 50.0})))
    assert sessions == [(0, "ann"), (7, "unstaffed: 1 enrolled"), (14, "ann"), (21, "ann"), (28, "ann")]
    assert (told.ledger.cover_time // 1).tolist() == [14, 21, 28]
