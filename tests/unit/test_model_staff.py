"""Posts that come and go, and caseloads that change hands (model.md §8). Day 0 is a Monday."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from iopsim.model.clinic import simulate
from iopsim.model.draws import Draws
from iopsim.model.journey import Journey
from iopsim.model.ledger import PostState
from iopsim.model.posts import Caseload
from iopsim.scenario.schema import Role, Scenario
from tests.unit.timelines import Person, Told, date_of, live

FILLED, VACANT, AWAY = PostState.FILLED, PostState.VACANT, PostState.AWAY

# A median holder (uniform number 0.5) stays exactly 10 days.
TEN_DAYS = 36.5 * 0.6931471805599453


@pytest.fixture(autouse=True)
def even_chance(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every number of a role's first post is 0.5; those of the next ones are a little more."""

    class Certain:
        def __init__(self, post: int) -> None:
            self._post = post

        def random(self) -> float:
            return 0.5 + 0.01 * self._post

    def generator(_draws: Draws, what: str, _role: str, post: int, *_: object) -> Certain:
        assert what == "post"
        return Certain(post)

    monkeypatch.setattr(Draws, "generator", generator)


LAST = Person("last", 55.5)  # after all that is looked at


def clinic(*people: Person, stay_days: float = 100, level: dict[str, Any] | None = None, **role: Any) -> Told:
    """A program whose patients stay long, with two therapists of two patients each unless it says otherwise."""
    levels = {"iop": {"stay_days": stay_days, "caseload": "therapist", **(level or {})}}
    return live(levels, *(people or [LAST]), staff={"therapist": {"posts": 2, "caseload": 2, **role}})


def posts(told: Told) -> list[tuple[float, int, PostState, int]]:
    """All rows of posts but those of the opening."""
    ledger = told.ledger
    rows = list(
        zip(
            ledger.post_time.tolist(),
            ledger.post_number.tolist(),
            map(PostState, ledger.post_state.tolist()),
            ledger.post_limit.tolist(),
            strict=True,
        )
    )
    assert [row[:3] for row in rows[: len(ledger.posts)]] == [
        (0, number, FILLED) for number in range(len(ledger.posts))
    ]
    return rows[len(ledger.posts) :]


def absence(first: int, last: int) -> dict[str, object]:
    return {"from": date_of(first), "until": date_of(last)}


ANN, BOB, CAT = Person("ann", 0.25), Person("bob", 0.5), Person("cat", 0.75)


# ── posts ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_all_posts_are_filled_at_the_opening_with_their_full_limit() -> None:
    staff = {"nurse": {"posts": 1}, "therapist": {"posts": 2, "caseload": 7, "fte": 0.5}}
    told = live({"iop": {"stay_days": 5}}, LAST, staff=staff)
    rows = zip(told.ledger.post_number, told.ledger.post_state, told.ledger.post_limit, strict=True)
    assert list(rows) == [(0, FILLED, 0), (1, FILLED, 3), (2, FILLED, 3)]


def test_a_holder_leaves_after_a_tenure_and_the_successor_too() -> None:
    told = clinic(posts=1, turnover_per_year=TEN_DAYS, days_to_hire=7)
    assert posts(told) == [
        (pytest.approx(when), 0, state, limit)
        for when, state, limit in [
            (10, VACANT, 0), (17, FILLED, 2), (27, VACANT, 0), (34, FILLED, 2), (44, VACANT, 0), (51, FILLED, 2),
        ]
    ]  # fmt: skip


def test_a_successors_limit_grows_from_nothing_one_by_one() -> None:
    """Full limit 3 in two weeks: 1 after 14/3 days, 2 after 28/3, 3 after 14."""
    told = clinic(posts=1, caseload=3, leaves=[date_of(2)], days_to_hire=5, onboarding_weeks=2)
    assert posts(told) == [
        (2, 0, VACANT, 0),
        (7, 0, FILLED, 0),
        (pytest.approx(7 + 14 / 3), 0, FILLED, 1),
        (pytest.approx(7 + 28 / 3), 0, FILLED, 2),
        (21, 0, FILLED, 3),
    ]


def test_without_days_to_hire_the_successor_starts_at_once() -> None:
    told = clinic(posts=1, leaves=[date_of(2)])
    assert posts(told) == [(2, 0, VACANT, 0), (2, 0, FILLED, 2)]


def test_a_role_without_caseload_has_no_limit_to_grow() -> None:
    nurse = {"posts": 1, "leaves": [date_of(2)], "onboarding_weeks": 4}
    told = live({"iop": {"stay_days": 5}}, LAST, staff={"nurse": nurse})
    assert posts(told) == [(2, 0, VACANT, 0), (2, 0, FILLED, 0)]


def test_an_absence_ends_after_its_last_day_with_the_full_limit() -> None:
    told = clinic(leaves=[absence(2, 9)])
    assert posts(told) == [(2, 0, AWAY, 0), (10, 0, FILLED, 2)]


def test_two_leaves_on_one_day_take_two_posts() -> None:
    told = clinic(leaves=[date_of(2), absence(2, 9)], days_to_hire=20)
    assert posts(told) == [(2, 0, VACANT, 0), (2, 1, AWAY, 0), (10, 1, FILLED, 2), (22, 0, FILLED, 2)]


def test_two_who_leave_at_once_are_two_people_even_if_they_are_replaced_at_once() -> None:
    told = clinic(leaves=[date_of(2), date_of(2)])
    assert posts(told) == [(2, 0, VACANT, 0), (2, 0, FILLED, 2), (2, 1, VACANT, 0), (2, 1, FILLED, 2)]


def test_a_leave_when_nobody_is_there_is_nobodys() -> None:
    told = clinic(posts=1, leaves=[date_of(2), date_of(5), absence(6, 7)], days_to_hire=20)
    assert posts(told) == [(2, 0, VACANT, 0), (22, 0, FILLED, 2)]


def test_who_comes_back_may_leave_again_on_that_day() -> None:
    told = clinic(posts=1, leaves=[absence(2, 4), absence(5, 6)])
    assert posts(told) == [(2, 0, AWAY, 0), (5, 0, FILLED, 2), (5, 0, AWAY, 0), (7, 0, FILLED, 2)]


def test_who_is_away_may_leave_for_good_and_does_not_come_back() -> None:
    """Away from day 5 to day 30; the tenure is over on day 10, the successor starts on day 17."""
    told = clinic(posts=1, turnover_per_year=TEN_DAYS, days_to_hire=7, leaves=[absence(5, 29)])
    assert posts(told)[:4] == [
        (5, 0, AWAY, 0),
        (pytest.approx(10), 0, VACANT, 0),
        (pytest.approx(17), 0, FILLED, 2),
        (pytest.approx(27), 0, VACANT, 0),
    ]


def test_a_named_leave_makes_the_tenure_void() -> None:
    """Gone on day 4; the successor of day 11 stays until day 21, and nobody leaves on day 10."""
    told = clinic(posts=1, turnover_per_year=TEN_DAYS, days_to_hire=7, leaves=[date_of(4)])
    assert [row[0] for row in posts(told)[:3]] == [4, 11, pytest.approx(21)]


def test_who_was_away_while_new_comes_back_with_the_full_limit() -> None:
    """Hired on day 2, away on days 4 to 6; limits of 1 and 2 would have come on days 5.5 and 9."""
    told = clinic(posts=1, leaves=[date_of(2), absence(4, 6)], onboarding_weeks=1)
    assert posts(told) == [(2, 0, VACANT, 0), (2, 0, FILLED, 0), (4, 0, AWAY, 0), (7, 0, FILLED, 2)]


def test_a_leave_before_the_opening_is_over() -> None:
    run = {"start": date_of(14), "warm_up_weeks": 1, "weeks": 2, "run_out_weeks": 0}
    role = {"posts": 2, "leaves": [date_of(3), absence(3, 6), absence(3, 8)]}
    ledger = live({"iop": {"stay_days": 5}}, ANN, run=run, staff={"nurse": role}).ledger
    rows = list(zip(ledger.post_time, ledger.post_number, ledger.post_state, strict=True))
    assert rows == [(-7, 0, FILLED), (-7, 1, FILLED), (-7, 0, AWAY), (-5, 0, FILLED)]


# ── their patients ───────────────────────────────────────────────────────────────────────────────────────────


def test_patients_go_to_who_is_least_loaded_and_nobody_is_moved_back() -> None:
    told = clinic(ANN, BOB, leaves=[absence(2, 9)])
    assert told.of("ann") == [
        (0.25, "referred iop, admitted iop with therapist 0, started iop"),
        (2, "reassigned iop to therapist 1"),
    ]
    assert told.of("bob") == [(0.5, "referred iop, admitted iop with therapist 1, started iop")]


def test_over_the_limit_is_allowed_and_nobody_else_is_admitted() -> None:
    """Day 2: the only one left, with a limit of one, has two; the third waits for the second's end on day 4.5."""
    told = clinic(ANN, BOB, Person("cat", 3), caseload=1, stay_days=4, leaves=[date_of(2)], days_to_hire=30)
    assert told.of("ann")[1:] == [
        (2, "reassigned iop to therapist 1"),
        (4.25, "completed iop → home, released iop"),
    ]
    assert told.of("cat")[:2] == [
        (3, "referred iop"),
        (4.5, "admitted iop with therapist 1, started iop"),
    ]


def test_with_nobody_there_patients_have_nobody_until_somebody_is_who_takes_them_all() -> None:
    """The one with the limit of two takes all three patients; the fourth waits until only one of them is left."""
    told = clinic(
        ANN, BOB, CAT, Person("dan", 4), posts=2, stay_days=20, leaves=[date_of(2), absence(3, 9)], days_to_hire=90
    )  # fmt: skip
    assert told.of("bob")[1:3] == [(3, "reassigned iop to nobody"), (10, "reassigned iop to therapist 1")]
    assert told.of("ann")[1:4] == [
        (2, "reassigned iop to therapist 1"),
        (3, "reassigned iop to nobody"),
        (10, "reassigned iop to therapist 1"),
    ]
    assert told.of("dan")[:2] == [(4, "referred iop"), (20.5, "admitted iop with therapist 1, started iop")]


@pytest.mark.parametrize(
    ("leaves", "role"),
    [
        ([absence(2, 9), absence(3, 9)], {}),
        ([date_of(2), date_of(2)], {"days_to_hire": 8}),
        ([absence(2, 9), date_of(3)], {"days_to_hire": 7}),
        ([date_of(2), absence(3, 9)], {"days_to_hire": 8}),
    ],
    ids=["both back", "both hired", "back, then hired", "hired, then back"],
)
def test_those_who_come_at_one_instant_share_the_patients_whom_nobody_has(
    leaves: list[Any], role: dict[str, Any]
) -> None:
    told = clinic(ANN, BOB, CAT, leaves=leaves, caseload=3, **role)
    assert posts(told)[2:] == [(10, 0, FILLED, 3), (10, 1, FILLED, 3)]
    assert [(name, text) for day, name, text in told.timeline if day == 10] == [
        ("ann", "reassigned iop to therapist 0"),
        ("bob", "reassigned iop to therapist 1"),
        ("cat", "reassigned iop to therapist 0"),
    ]


def test_of_those_who_come_at_one_instant_who_is_new_has_no_limit_and_gets_no_patients() -> None:
    """Day 10: therapist 0 is somebody new, therapist 1 comes back and has room for both."""
    told = clinic(ANN, BOB, leaves=[date_of(2), absence(2, 9)], days_to_hire=8, onboarding_weeks=2)
    assert posts(told)[2:4] == [(10, 0, FILLED, 0), (10, 1, FILLED, 2)]
    assert [text for day, _, text in told.timeline if day == 10] == ["reassigned iop to therapist 1"] * 2


def test_who_leaves_treatment_while_nobody_is_there_leaves_nobody() -> None:
    told = clinic(ANN, Person("bob", 3), posts=1, stay_days=4, leaves=[absence(2, 9)])
    assert told.of("ann")[1:] == [
        (2, "reassigned iop to nobody"),
        (4.25, "completed iop → home, released iop"),
    ]
    assert told.of("bob") == [
        (3, "referred iop"),
        (10, "admitted iop with therapist 0, started iop"),
        (14, "completed iop → home, released iop"),
    ]


def test_a_successor_at_once_takes_the_patients() -> None:
    told = clinic(ANN, BOB, leaves=[date_of(2)])
    assert told.of("ann")[1:] == [(2, "reassigned iop to therapist 0")]


def test_a_successor_who_is_new_comes_after_those_with_a_limit() -> None:
    told = clinic(ANN, BOB, leaves=[date_of(2)], onboarding_weeks=2)
    assert told.of("ann")[1:] == [(2, "reassigned iop to therapist 1")]


def test_a_successor_who_is_new_takes_the_patients_if_nobody_else_is_there() -> None:
    """Limit 0 with one patient; limits of 1 on day 9 and 2 on day 16, so that the second patient starts then."""
    told = clinic(ANN, Person("bob", 3), posts=1, leaves=[date_of(2)], onboarding_weeks=2)
    assert told.of("ann")[1:] == [(2, "reassigned iop to therapist 0")]
    assert told.of("bob")[1:] == [(16, "admitted iop with therapist 0, started iop")]


def test_two_who_leave_together_leave_no_patients_to_each_other() -> None:
    told = clinic(ANN, BOB, posts=3, leaves=[date_of(2), date_of(2)], days_to_hire=30)
    assert told.of("ann")[1:] == [(2, "reassigned iop to therapist 2")]
    assert told.of("bob")[1:] == [(2, "reassigned iop to therapist 2")]


def test_a_new_post_with_room_is_taken_on_the_day_it_has_room() -> None:
    told = clinic(
        ANN, Person("bob", 3), posts=1, caseload=1, leaves=[date_of(1)], days_to_hire=4, stay_days=3
    )
    assert told.of("ann")[1:] == [
        (1, "reassigned iop to nobody"),
        (3.25, "completed iop → home, released iop"),
    ]
    assert told.of("bob")[:2] == [(3, "referred iop"), (5, "admitted iop with therapist 0, started iop")]


def test_who_completes_at_the_instant_of_a_departure_is_not_reassigned() -> None:
    told = clinic(Person("ann", 0), stay_days=2, leaves=[date_of(2)], days_to_hire=9)
    assert told.of("ann")[1:] == [(2, "completed iop → home, released iop")]


def test_patients_of_two_levels_share_the_posts() -> None:
    """One patient in each level; whoever has left is replaced by who is least loaded over both."""
    level = {"stay_days": 90, "caseload": "therapist"}
    told = live(
        {"iop": level, "php": level},
        Person("ann", 0.25),
        Person("bob", 0.5, to="php", source="unit"),
        Person("cat", 0.75, to="php", source="unit"),
        staff={"therapist": {"posts": 3, "caseload": 2, "leaves": [date_of(2)], "days_to_hire": 90}},
    )
    assert told.of("ann")[1:] == [(2, "reassigned iop to therapist 1")]
    assert told.of("bob") == [(0.5, "referred php, admitted php with therapist 1, started php")]


@pytest.mark.parametrize(("factor", "called"), [(1, []), (1.5, [1.5, 1.5])])
def test_a_reassignment_multiplies_the_hazard_of_dropout_once(
    factor: float, called: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once for each clinician lost, also if somebody else is found days later only."""
    factors: list[float] = []
    monkeypatch.setattr(Journey, "reassigned", lambda _journey, _stay, factor: factors.append(factor))
    reassignment = {"dropout_factor": factor}
    told = clinic(ANN, BOB, posts=1, leaves=[date_of(2)], days_to_hire=9, reassignment=reassignment)
    assert told.of("ann")[1:] == [(2, "reassigned iop to nobody"), (11, "reassigned iop to therapist 0")]
    assert factors == called


def test_of_two_who_come_back_at_once_only_another_clinician_multiplies_the_hazard(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Ann passes to therapist 1 and comes back to therapist 0: twice another; bob has therapist 1 before and after."""
    told_of: list[tuple[int, float]] = []
    monkeypatch.setattr(
        Journey, "reassigned", lambda _journey, stay, factor: told_of.append((stay.number, factor))
    )
    clinic(ANN, BOB, leaves=[absence(2, 9), absence(3, 9)], reassignment={"dropout_factor": 1.5})
    assert told_of == [(0, 1.5), (0, 1.5)]


# ── where the rules vanish ───────────────────────────────────────────────────────────────────────────────────


def without_posts(told: Told) -> list[tuple[float, str, str]]:
    """The timeline without who is whose."""
    rows = [
        (
            day,
            who,
            ", ".join(part.split(" with ")[0] for part in text.split(", ") if "reassigned" not in part),
        )
        for day, who, text in told.timeline
    ]
    return [row for row in rows if row[2]]


def test_successors_at_once_without_onboarding_change_nothing_else() -> None:
    people = [Person(f"p{number}", 0.7 * number) for number in range(12)]
    calm = clinic(*people, stay_days=9.3)
    busy = clinic(*people, stay_days=9.3, turnover_per_year=1.9 * TEN_DAYS)
    assert len(posts(busy)) > 10
    assert any("reassigned" in text for _, _, text in busy.timeline)
    assert without_posts(busy) == without_posts(calm)


def test_no_turnover_draws_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*key: object) -> None:
        raise AssertionError(key)

    monkeypatch.setattr(Draws, "generator", never)
    assert posts(clinic(ANN, days_to_hire=7, onboarding_weeks=3)) == []


# ── caseloads ────────────────────────────────────────────────────────────────────────────────────────────────


def caseload_of(posts: int, limit: float) -> Caseload:
    return Caseload(Role(posts=posts, caseload=limit), first=5)


def test_the_least_loaded_is_the_one_with_fewest_patients_for_their_limit() -> None:
    """Limits 2, 4 and 0: of six patients two go to the first, four to the second."""
    caseload = caseload_of(3, 4)
    caseload.resize([2, 4, 0], [0, 1, 2])
    assert caseload.free == 6
    assert [caseload.assign() for _ in range(6)] == [5, 6, 6, 5, 6, 6]
    assert caseload.free == 0
    assert [caseload.take_over() for _ in range(2)] == [5, 6]
    assert caseload.free == 0
    caseload.resize([0, 0, 0], [1, 2])
    assert caseload.take_over() == 7


def test_free_counts_no_room_that_a_post_over_its_limit_lacks() -> None:
    caseload = caseload_of(2, 2)
    caseload.resize([2, 0], [0])
    assert [caseload.take_over() for _ in range(3)] == [5, 5, 5]
    assert caseload.free == 0
    caseload.resize([2, 2], [0, 1])
    assert caseload.free == 2
    caseload.count(5, -1)
    assert caseload.free == 2
    caseload.count(5, -1)
    assert caseload.free == 3
    caseload.count(-1, -1)
    assert caseload.free == 3
    assert caseload.assign() == 6


def test_nobody_takes_over_when_nobody_is_there() -> None:
    caseload = caseload_of(2, 2)
    caseload.resize([0, 0], [])
    assert (caseload.free, caseload.take_over()) == (0, -1)


# ── keyed chance ─────────────────────────────────────────────────────────────────────────────────────────────


def rows_of(staff: dict[str, Any], role: str) -> list[tuple[float, int]]:
    """(time, state) of the first post of a role, in replication 0."""
    scenario = Scenario.model_validate(
        {
            "run": {"warm_up_weeks": 4, "weeks": 300, "run_out_weeks": 0, "seed": 4711},
            "sources": {"door": {"to": "iop", "per_week": 0}},
            "levels": {"iop": {"stay_days": 1}},
            "staff": staff,
        }
    )
    ledger = simulate(scenario, 0)
    mine = ledger.post_number == ledger.posts.index((role, 0))
    return list(zip(ledger.post_time[mine].tolist(), ledger.post_state[mine].tolist(), strict=True))


def test_other_posts_and_roles_move_nobodys_chance(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    role = {"turnover_per_year": 2, "days_to_hire": {"gamma": {"mean": 40, "cv": 0.5}}}
    alone = rows_of({"nurse": {"posts": 1, **role}}, "nurse")
    assert len(alone) > 10
    assert len({row[0] for row in alone}) == len(alone)
    more = rows_of({"therapist": {"posts": 3, **role}, "nurse": {"posts": 2, **role}}, "nurse")
    assert more == alone


def test_a_named_leave_moves_no_tenure_of_later_holders(monkeypatch: pytest.MonkeyPatch) -> None:
    """The chance belongs to the n-th holder: their tenures are the same, only the first one's is cut short."""
    monkeypatch.undo()
    role = {"posts": 1, "turnover_per_year": 2, "days_to_hire": 40}
    tenures = [
        _tenures(rows_of({"nurse": {**role, **leave}}, "nurse")) for leave in ({}, {"leaves": [date_of(3)]})
    ]
    assert tenures[0][0] > tenures[1][0]
    assert tenures[1][1:7] == pytest.approx(tenures[0][1:7])


def _tenures(rows: list[tuple[float, int]]) -> list[float]:
    """Days from each row of a filled post to the next row."""
    return [after[0] - row[0] for row, after in pairwise(rows) if row[1] == FILLED]
