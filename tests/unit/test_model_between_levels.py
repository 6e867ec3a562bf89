"""From one level to the next: held places, lags, step-ups, cycles of holders (model.md §5)."""

from __future__ import annotations

from tests.unit.timelines import Person, Told, live

FULL = {"places": 1, "stay_days": 20}
FROM_ABROAD = Person("zoe", 0, to="iop", source="abroad")


def php(**rest: object) -> dict[str, object]:
    """One place, two days, then on to iop."""
    return {"places": 1, "stay_days": 2, "next": {"iop": 1}} | rest


def two_levels(iop: dict[str, object] | None = None, **rest: object) -> Told:
    """Zoe is in the only place of iop until day 20; ann is in php from day 1 to 3, and bob is next."""
    levels = {"php": php(**rest), "iop": FULL | (iop or {})}
    return live(levels, Person("ann", 1), Person("bob", 2), FROM_ABROAD, weeks=4)


# ── holding ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_without_a_hold_the_place_is_given_back_at_completion_and_patience_begins() -> None:
    told = two_levels({"waitlist": {"patience_days": 6}}, hold_days=0)
    assert told.timeline[2:] == [
        (2, "bob", "referred php"),
        (3, "ann", "completed php → iop, released php, joined iop"),
        (3, "bob", "admitted php, started php"),
        (5, "bob", "completed php → iop, released php, joined iop"),
        (9, "ann", "reneged iop → home"),
        (11, "bob", "reneged iop → home"),
        (20, "zoe", "completed iop → home, released iop"),
    ]


def test_patience_begins_when_the_held_place_is_given_up() -> None:
    told = two_levels({"waitlist": {"patience_days": 6}}, hold_days=4)
    assert told.timeline[2:] == [
        (2, "bob", "referred php"),
        (3, "ann", "completed php → iop, joined iop"),
        (7, "ann", "released php"),
        (7, "bob", "admitted php, started php"),
        (9, "bob", "completed php → iop, joined iop"),
        (13, "bob", "released php"),
        (13, "ann", "reneged iop → home"),
        (19, "bob", "reneged iop → home"),
        (20, "zoe", "completed iop → home, released iop"),
    ]


def test_who_holds_forever_never_gives_up_and_blocks_the_place_until_care_starts() -> None:
    told = two_levels({"waitlist": {"patience_days": 6}}, hold_days="forever")
    assert told.timeline[2:] == [
        (2, "bob", "referred php"),
        (3, "ann", "completed php → iop, joined iop"),
        (20, "zoe", "completed iop → home, released iop"),
        (20, "ann", "admitted iop, released php, started iop"),
        (20, "bob", "admitted php, started php"),
        (22, "bob", "completed php → iop, joined iop"),
    ]


WEEKLY = {"groups": {"friday": {"days": ["fri"], "seats": 2}}, "stay_days": 20}


def test_a_held_place_is_kept_between_admission_and_the_first_session() -> None:
    told = live({"php": php(hold_days="forever"), "iop": WEEKLY}, Person("ann", 0), Person("bob", 1), weeks=1)
    assert told.timeline == [
        (0, "ann", "referred php, admitted php, started php"),
        (1, "bob", "referred php"),
        (2, "ann", "completed php → iop, joined iop, admitted iop in friday fri"),
        (4.375, "ann", "released php, started iop"),
        (4.375, "bob", "admitted php, started php"),
        (6.375, "bob", "completed php → iop, joined iop, admitted iop in friday fri"),
    ]


def test_the_end_of_the_hold_releases_the_place_between_admission_and_the_first_session_too() -> None:
    iop = WEEKLY | {"waitlist": {"patience_days": 0.5}}
    told = live({"php": php(hold_days=1), "iop": iop}, Person("ann", 0), Person("bob", 1), weeks=1)
    assert told.timeline[2:] == [
        (2, "ann", "completed php → iop, joined iop, admitted iop in friday fri"),
        (3, "ann", "released php"),
        (3, "bob", "admitted php, started php"),
        (4.375, "ann", "started iop"),
        (5, "bob", "completed php → iop, joined iop, admitted iop in friday fri"),
        (6, "bob", "released php"),
    ]


def test_a_holder_who_is_refused_gives_up_the_place_and_goes_elsewhere() -> None:
    told = live(
        {
            "php": php(hold_days="forever"),
            "iop": FULL | {"waitlist": {"at_most": 0, "otherwise": "op"}},
            "op": {"stay_days": 1},
        },
        Person("ann", 1),
        FROM_ABROAD,
        weeks=1,
    )
    assert told.of("ann")[1:] == [
        (
            3,
            "completed php → iop, joined iop, refused iop → op, released php, joined op, admitted op, started op",
        ),
        (4, "completed op → home, released op"),
    ]


def test_a_lag_is_spent_at_home_with_the_place_free() -> None:
    told = two_levels(next={"iop": {"share": 1, "lag_days": 3}})
    assert told.timeline[2:] == [
        (2, "bob", "referred php"),
        (3, "ann", "completed php → iop, released php"),
        (3, "bob", "admitted php, started php"),
        (5, "bob", "completed php → iop, released php"),
        (6, "ann", "joined iop"),
        (8, "bob", "joined iop"),
        (20, "zoe", "completed iop → home, released iop"),
        (20, "ann", "admitted iop, started iop"),
    ]


# ── cycles of holders ────────────────────────────────────────────────────────────────────────────────────────


def holders(*levels: str, **waitlist: object) -> dict[str, object]:
    """Levels of one place that pass their patients on in a ring and hold until care starts there."""
    following = (*levels[1:], levels[0])
    return {
        name: {
            "places": 1,
            "stay_days": 3,
            "next": {after: 0.5, "home": 0.5},
            "hold_days": "forever",
            "waitlist": waitlist or {"patience_days": 1},
        }
        for name, after in zip(levels, following, strict=True)
    }


def test_two_who_hold_and_wait_for_each_other_swap_at_once() -> None:
    told = live(
        holders("php", "iop"),
        Person("ann", 0, draws={"next php": 0.1, "next iop": 0.9}),
        Person("bob", 1, to="iop", source="ward", draws={"next iop": 0.1, "next php": 0.9}),
    )
    assert told.timeline == [
        (0, "ann", "referred php, admitted php, started php"),
        (1, "bob", "referred iop, admitted iop, started iop"),
        (3, "ann", "completed php → iop, joined iop"),
        (4, "bob", "completed iop → php, joined php, released iop"),
        (4, "ann", "released php"),
        (4, "bob", "admitted php, started php"),
        (4, "ann", "admitted iop, started iop"),
        (7, "ann", "completed iop → home, released iop"),
        (7, "bob", "completed php → home, released php"),
    ]


def test_three_who_hold_and_wait_in_a_ring_move_at_once() -> None:
    """Ann waits for bob's place, bob for cy's, and cy closes the ring."""
    home = {f"next {name}": 0.9 for name in ("php", "iop", "unit")}
    told = live(
        holders("php", "iop", "unit"),
        Person("ann", 0, draws=home | {"next php": 0.1}),
        Person("bob", 0.5, to="iop", source="ward", draws=home | {"next iop": 0.1}),
        Person("cy", 1, to="unit", source="street", draws=home | {"next unit": 0.1}),
    )
    assert [row for row in told.timeline if row[0] < 4] == [
        (0, "ann", "referred php, admitted php, started php"),
        (0.5, "bob", "referred iop, admitted iop, started iop"),
        (1, "cy", "referred unit, admitted unit, started unit"),
        (3, "ann", "completed php → iop, joined iop"),
        (3.5, "bob", "completed iop → unit, joined unit"),
    ]
    assert {who: [row for row in told.of(who) if row[0] == 4] for who in ("ann", "bob", "cy")} == {
        "ann": [(4, "released php"), (4, "admitted iop, started iop")],
        "bob": [(4, "released iop"), (4, "admitted unit, started unit")],
        "cy": [(4, "completed unit → php, joined php, released unit"), (4, "admitted php, started php")],
    }


def test_holders_swap_even_where_somebody_who_holds_nothing_waits_ahead_of_them() -> None:
    """Dan has waited for php since day 2, but the place that comes free does so for bob alone."""
    told = live(
        holders("php", "iop", discipline="strict"),
        Person("ann", 0, draws={"next php": 0.1, "next iop": 0.9}),
        Person("bob", 1, to="iop", source="ward", draws={"next iop": 0.1, "next php": 0.9}),
        Person("dan", 2, draws={"next php": 0.9}),
    )
    assert [row for row in told.timeline if row[0] >= 4] == [
        (4, "bob", "completed iop → php, joined php, released iop"),
        (4, "ann", "released php"),
        (4, "bob", "admitted php, started php"),
        (4, "ann", "admitted iop, started iop"),
        (7, "ann", "completed iop → home, released iop"),
        (7, "bob", "completed php → home, released php"),
        (7, "dan", "admitted php, started php"),
        (10, "dan", "completed php → home, released php"),
    ]


def test_who_waits_only_for_the_therapist_that_they_hold_themselves_moves_on() -> None:
    """The ring of one: php and iop share a therapist, who has room for nobody but ann."""
    told = live(
        {
            "php": php(hold_days="forever", caseload="therapist"),
            "iop": {"stay_days": 3, "caseload": "therapist"},
        },
        Person("ann", 0),
        staff={"therapist": {"posts": 1, "caseload": 1}},
    )
    assert told.timeline[-1] == (5, "ann", "completed iop → home, released iop")


def test_a_strict_head_blocks_a_holder_who_lacks_nothing_else() -> None:
    """Cy's place and a therapist are free: cy waits for bob and not for what cy holds, so that nothing swaps."""
    iop = {"places": {"mood": 1, "sud": 5}, "stay_days": 50, "waitlist": {"discipline": "strict"}}
    told = live(
        {"iop": iop | {"caseload": "therapist"}, "php": php(hold_days="forever", caseload="therapist")},
        Person("ann", 0, to="iop", source="door", track="mood"),
        Person("bob", 1, to="iop", source="door", track="mood"),
        Person("cy", 2, to="php", source="ward", track="sud"),
        staff={"therapist": {"posts": 1, "caseload": 9}},
        weeks=2,
    )
    assert told.of("cy") == [
        (2, "referred php, admitted php with therapist 0, started php"),
        (4, "completed php → iop, joined iop"),
    ]


# ── stepping up ──────────────────────────────────────────────────────────────────────────────────────────────


def iop_with_step_up(hold_days: float | str = "forever", **rest: object) -> dict[str, object]:
    step_up = {"after_days": 3, "to": {"unit": 1}, "hold_days": hold_days}
    return {"places": 1, "stay_days": 10, "leave_early": {"step_up": step_up} | rest}


def test_a_step_up_suspends_treatment_and_holds_the_place_until_care_starts_above() -> None:
    told = live(
        {"iop": iop_with_step_up(), "unit": {"places": 1, "stay_days": 5, "waitlist": {"patience_days": 1}}},
        Person("zoe", 0, to="unit", source="abroad"),
        Person("ann", 0.5),
        Person("bob", 1),
    )
    assert told.timeline == [
        (0, "zoe", "referred unit, admitted unit, started unit"),
        (0.5, "ann", "referred iop, admitted iop, started iop"),
        (1, "bob", "referred iop"),
        (3.5, "ann", "suspended iop → unit, joined unit"),
        (5, "zoe", "completed unit → home, released unit"),
        (5, "ann", "admitted unit, stepped up iop → unit, released iop, started unit"),
        (5, "bob", "admitted iop, started iop"),
        (8, "bob", "suspended iop → unit, joined unit"),
        (10, "ann", "completed unit → home, released unit"),
        (10, "bob", "admitted unit, stepped up iop → unit, released iop, started unit"),
        (15, "bob", "completed unit → home, released unit"),
    ]


def test_after_a_refusal_treatment_goes_on_at_once_and_is_needed_no_second_time() -> None:
    unit = {"places": 0, "stay_days": 5, "waitlist": {"at_most": 0, "otherwise": "php"}}
    levels = {"iop": iop_with_step_up(), "unit": unit, "php": {"stay_days": 1}}
    assert live(levels, Person("ann", 0)).timeline == [
        (0, "ann", "referred iop, admitted iop, started iop"),
        (3, "ann", "suspended iop → unit, joined unit, refused unit → home, resumed iop"),
        (10, "ann", "completed iop → home, released iop"),
    ]


def test_when_the_hold_ends_treatment_goes_on_with_days_and_hazards_where_they_stopped() -> None:
    """Suspended from day 3 to 5: what was due after 7 and 10 days of treatment comes on days 9 and 12."""
    unit = {"places": 0, "stay_days": 5}
    assert live({"iop": iop_with_step_up(2), "unit": unit}, Person("ann", 0)).timeline == [
        (0, "ann", "referred iop, admitted iop, started iop"),
        (3, "ann", "suspended iop → unit, joined unit"),
        (5, "ann", "withdrawn unit, resumed iop"),
        (12, "ann", "completed iop → home, released iop"),
    ]
    told = live({"iop": iop_with_step_up(2, dropout=7), "unit": unit}, Person("ann", 0))
    assert told.timeline[3:] == [(9, "ann", "dropped out iop → home, released iop")]
    told = live(
        {"iop": iop_with_step_up(2, dropout_per_week=0.5), "unit": unit},
        Person("ann", 0, draws={"dropout iop": 0.4}),
    )
    assert told.timeline[3:] == [(9, "ann", "dropped out iop → home, released iop")]


def test_without_a_hold_the_higher_level_is_asked_once() -> None:
    full, free = {"places": 0, "stay_days": 5}, {"places": 1, "stay_days": 5}
    begun = (0, "ann", "referred iop, admitted iop, started iop")
    assert live({"iop": iop_with_step_up(0), "unit": full}, Person("ann", 0)).timeline == [
        begun,
        (3, "ann", "suspended iop → unit, joined unit, withdrawn unit, resumed iop"),
        (10, "ann", "completed iop → home, released iop"),
    ]
    up = "suspended iop → unit, joined unit, admitted unit, stepped up iop → unit, released iop, started unit"
    assert live({"iop": iop_with_step_up(0), "unit": free}, Person("ann", 0)).timeline == [
        begun,
        (3, "ann", up),
        (8, "ann", "completed unit → home, released unit"),
    ]


def test_a_hold_that_ends_after_admission_above_is_a_step_up_all_the_same() -> None:
    """The seat above is taken on day 3, the hold ends on day 4, the first session is on day 4.375."""
    unit = {"groups": {"friday": {"days": ["fri"], "seats": 1}}, "stay_days": 1}
    assert live({"iop": iop_with_step_up(1), "unit": unit}, Person("ann", 0)).timeline[1:] == [
        (3, "ann", "suspended iop → unit, joined unit, admitted unit in friday fri"),
        (4, "ann", "stepped up iop → unit, released iop"),
        (4.375, "ann", "started unit"),
        (5.375, "ann", "completed unit → home, released unit"),
    ]


def test_who_steps_up_and_who_steps_down_swap_places() -> None:
    told = live(
        {
            "iop": iop_with_step_up(),
            "unit": {"places": 1, "stay_days": 4, "next": {"iop": 1}, "hold_days": "forever"},
        },
        Person("ann", 0),
        Person("bob", 0.5, to="unit", source="ward"),
        weeks=1,
    )
    assert told.timeline == [
        (0, "ann", "referred iop, admitted iop, started iop"),
        (0.5, "bob", "referred unit, admitted unit, started unit"),
        (3, "ann", "suspended iop → unit, joined unit"),
        (4.5, "bob", "completed unit → iop, joined iop, released unit"),
        (4.5, "ann", "stepped up iop → unit, released iop"),
        (4.5, "bob", "admitted iop, started iop"),
        (4.5, "ann", "admitted unit, started unit"),
    ]
