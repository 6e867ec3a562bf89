"""model.md §12, in programs of every kind: whatever happens, the books balance at every event."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from iopsim.model import terms
from iopsim.model.access import Access
from iopsim.model.allocation import Allocator
from iopsim.model.authorization import Payers
from iopsim.model.capacity import Group, Groups, Offer, Places
from iopsim.model.clinic import simulate
from iopsim.model.cohorts import Cohorts
from iopsim.model.diary import Diary
from iopsim.model.facilitation import Facilitation
from iopsim.model.journey import Journey
from iopsim.model.ledger import Cause, Fact, Ledger, PostState
from iopsim.model.opening import Opening
from iopsim.model.people import Stay
from iopsim.model.plan import SessionPlan
from iopsim.model.posts import Caseload
from iopsim.model.staff import Staff
from iopsim.model.timeline import Timeline
from iopsim.model.units import Unit
from iopsim.model.visits import Visits
from iopsim.model.waitlist import Waitlist
from iopsim.scenario.schema import Scenario
from tests.properties.begun import Begun, begun, dated
from tests.properties.clinics import CLINIC, PROPERTY, STORM, Plain
from tests.properties.conservation import check_conservation
from tests.properties.programs import programs
from tests.properties.today import begin, files_of


@settings(PROPERTY, max_examples=30)
@given(programs())
def test_the_books_balance_at_every_event(program: Plain) -> None:
    scenario = Scenario.model_validate(program)
    used: set[tuple[object, ...]] = set()
    ledger = simulate(scenario, replication=0, used=used)
    check_conservation(scenario, ledger)


@settings(PROPERTY, max_examples=25)
@given(dated())
def test_the_books_of_plans_that_change_balance(program: Plain) -> None:
    scenario = Scenario.model_validate(program)
    check_conservation(scenario, simulate(scenario, replication=0, used=set()))


def test_the_books_of_programs_that_begin_today_balance(tmp_path: Path) -> None:
    @settings(PROPERTY, max_examples=30)
    @given(begun())
    def check(program: Begun) -> None:
        scenario = program.scenario(tmp_path)
        check_conservation(scenario, simulate(scenario, replication=0, used=set()))

    check()


def going_on(folder: Path, day: float = 23.5) -> Scenario:
    """The storm again, begun with those who are there on a day of another."""
    files = files_of(simulate(Scenario.model_validate(STORM), replication=0), day)
    assert all(len(rows) > 4 for rows in files.values()), "a calm day proves little"
    return begin(STORM | {"run": STORM["run"] | {"warm_up_weeks": 0}}, folder, **files)


@pytest.mark.parametrize("day", [9.0, 23.5])
def test_a_storm_that_goes_on_from_a_day_leaks_nothing(day: float, tmp_path: Path) -> None:
    scenario = going_on(tmp_path, day)
    for replication in range(2):
        check_conservation(scenario, simulate(scenario, replication, used=set()))


def test_the_books_of_a_crowded_clinic_balance() -> None:
    scenario = Scenario.model_validate(CLINIC)
    for replication in range(4):
        check_conservation(scenario, simulate(scenario, replication))


def test_a_storm_of_every_rule_at_once_leaks_nothing() -> None:
    scenario = Scenario.model_validate(STORM)
    facts, causes, states, visits, covers = set(), set(), set(), 0, 0
    for replication in range(3, 6):
        ledger = simulate(scenario, replication, used=set())
        check_conservation(scenario, ledger)
        facts |= set(ledger.fact.tolist())
        causes |= set(ledger.session_cause.tolist())
        states |= set(ledger.post_state.tolist())
        visits, covers = visits + len(ledger.visit_time), covers + len(ledger.cover_time)
    assert facts == set(Fact) and causes == set(Cause) and states == set(PostState), (
        "a calm clinic proves little"
    )
    assert visits and covers


# ── a wrong model is noticed ─────────────────────────────────────────────────────────────────────────────────


def nothing(*_: Any, **__: Any) -> None:
    """Stands for a step that is left out."""


def always(*_: Any, **__: Any) -> bool:
    """Stands for a question that is not asked."""
    return True


add = Waitlist.add


def last_first(waitlist: Waitlist, stay: Stay) -> None:
    """Puts whoever joins ahead of everybody."""
    level, joined, patient, number = stay.rank
    stay.rank = (level, -joined, patient, number)
    add(waitlist, stay)


def to_the_first(caseload: Caseload) -> int:
    """Gives all patients of those who leave to the first who is there."""
    place = next((place for place, limit in enumerate(caseload.limits) if limit), -1)
    if place < 0:
        return -1
    caseload.count(caseload.first + place, 1)
    return caseload.first + place


def a_new_one(staff: Staff, role: str) -> Diary:
    """A diary that nobody else knows."""
    return Diary(staff._crews[role], staff._timeline)


def find_anywhere(groups: Groups, stay: Stay, now: float) -> Offer | None:
    """Seats for one whose group closes, in cohorts too."""
    return groups.find(stay.kind.need, now)


def nobody_is_merged(_: SessionPlan, host: Group, is_held: bool) -> None:
    """Writes guests down with the host alone."""
    host.joining.clear()


def give_at_once(visits: Visits, visit: Any) -> None:
    """Gives a visit as soon as it is due, to whoever it is due to."""
    now = visits._clock.now
    visits._recorder.visits.append((now, visit.stay.number, visit.service, visit.due))


def first_only(owner: type, change: str = "change") -> Any:
    """Does on the first call what is done, and nothing later: the plan of the opening stays in force."""
    does = getattr(owner, change)

    def once(self: Any, *args: Any) -> None:
        if not hasattr(self, "limits"):
            does(self, *args)

    return once


def capacity_only(unit: Unit, plan: Scenario) -> None:
    """Another plan changes places and seats, and nothing else of a level."""
    unit.capacity.change(plan.levels[unit.name])


Mutant = tuple[type, str, Any, str]
MUTANTS: dict[str, Mutant] = {
    "places are not given back": (Places, "give_back", nothing, "waits for unit and could be admitted"),
    "no limit on places": (Places, "has_room", lambda *_: True, "over"),
    "therapists are not given back": (Caseload, "count", nothing, "lacks|least loaded"),
    "released room is offered to nobody": (Allocator, "freed", nothing, "could be admitted"),
    "holds do not end": (Journey, "end_hold", nothing, "holds for too long"),
    "places held are kept for ever": (
        Journey,
        "vacate",
        nothing,
        "another place is still taken|too long|found to fit does not",
    ),
    "who has a seat is not expected": (Group, "seat", nothing, "enrolled"),
    "who is sent on does not arrive": (
        Journey,
        "_go",
        nothing,
        "sent and not arrived|came from|holds a place",
    ),
    "who gives up stays on the list": (Journey, "_off_the_list", nothing, "JOINED|was gone|two levels"),
    "the last come first": (Waitlist, "add", last_first, "is admitted before"),
}
STORMY: dict[str, Mutant] = {
    "everybody has a diary of their own": (Staff, "diary", a_new_one, "the first free appointment|at once"),
    "appointments on Sundays": (
        Timeline,
        "workday",
        lambda _, day: day,
        "the first free appointment|free day",
    ),
    "authorization is not awaited": (Payers, "ask", always, "without authorization"),
    "units are not followed": (Payers, "_watch", nothing, "nobody asks for more|lapsed=False"),
    "answers of payers are lost": (Journey, "authorize", nothing, "waits for the payer"),
    "who is denied stays": (Journey, "turn_away", nothing, "is forgotten|two levels|wait for"),
    "everybody is sent home": (terms, "destination", lambda *_: -1, "goes to home|to home, not"),
    "nobody ages": (Journey, "_age", nothing, "has not aged"),
    "ageing changes no rank": (Waitlist, "change", nothing, "is admitted before|lacks|could be admitted"),
    "nobody takes another time": (Journey, "_accept", nothing, "still insists"),
    "treatment is never over": (Journey, "be_ready", nothing, "is not ready"),
    "the next level is not called off": (
        Journey,
        "_forget_ahead",
        nothing,
        "two levels|has two|not ready|called off",
    ),
    "cohorts have no limit": (Cohorts, "is_full", False, "too many start"),
    "cohorts do not close": (SessionPlan, "_settle_cohort", nothing, "could be admitted|too many|enrolled"),
    "members are moved into cohorts": (Groups, "find_elsewhere", find_anywhere, "into a cohort"),
    "no session is merged": (SessionPlan, "_settle_joining", nobody_is_merged, "not merged"),
    "sessions need nobody": (Facilitation, "engage", always, "Cause.HELD|among the hours covered"),
    "a leaver's patients are forgotten": (Staff, "_pass_on", nothing, "forgotten"),
    "the first gets all patients": (Caseload, "take_over", to_the_first, "has fewer"),
    "appointments do not take place": (Access, "_appointment", nothing, "is forgotten"),
    "who is reached is forgotten": (Access, "_contacted_later", nothing, "is forgotten"),
    "visits at any time": (Visits, "_book", give_at_once, "an appointment"),
    "posts never close": (Staff, "_close_posts", nothing, "the plan has"),
    "posts never open": (Staff, "_open_posts", nothing, "the plan has"),
    "limits of caseloads never change": (
        Staff,
        "_limit_anew",
        nothing,
        "from|could be admitted|over the limit",
    ),
    "places never change": (Places, "change", first_only(Places), "over|could be admitted|lacks"),
    "seats never change": (Groups, "change", nothing, "over|could be admitted|lacks"),
    "the longest list never changes": (Unit, "change", capacity_only, "wait for"),
}
TODAY: dict[str, Mutant] = {
    "nobody on the list goes on waiting": (Opening, "_wait", nothing, "list index|waits for two|came before"),
    "treatment of those in care goes on without them": (
        Opening,
        "_go_on",
        nothing,
        r"JOINED|index out of range|^\d+$",
    ),
    "held places are forgotten": (
        Opening,
        "_bind",
        nothing,
        "holds|not called off|has two|is not ready|units used",
    ),
    "who was referred is forgotten": (Access, "go_on", nothing, "is forgotten"),
}


def noticed(monkeypatch: pytest.MonkeyPatch, program: Plain, mutant: Mutant, replications: int) -> None:
    owner, name, wrong, told = mutant
    scenario = Scenario.model_validate(program)
    monkeypatch.setattr(owner, name, wrong)
    with pytest.raises(AssertionError, match=told):
        for replication in reversed(range(replications)):  # the last one shows most of them
            check_conservation(scenario, simulate(scenario, replication))


@pytest.mark.parametrize("mutant", MUTANTS.values(), ids=MUTANTS)
def test_books_that_do_not_balance_are_noticed(monkeypatch: pytest.MonkeyPatch, mutant: Mutant) -> None:
    noticed(monkeypatch, CLINIC, mutant, replications=1)


@pytest.mark.parametrize("mutant", TODAY.values(), ids=TODAY)
def test_a_beginning_that_is_wrong_is_noticed(
    monkeypatch: pytest.MonkeyPatch, mutant: Mutant, tmp_path: Path
) -> None:
    owner, name, wrong, told = mutant
    scenario = going_on(tmp_path)
    monkeypatch.setattr(owner, name, wrong)
    with pytest.raises((AssertionError, IndexError, KeyError), match=told):
        check_conservation(scenario, simulate(scenario, replication=0))


@pytest.mark.parametrize("mutant", STORMY.values(), ids=STORMY)
def test_a_rule_that_is_broken_is_noticed(monkeypatch: pytest.MonkeyPatch, mutant: Mutant) -> None:
    noticed(monkeypatch, STORM, mutant, replications=6)


# ── a wrong ledger is noticed ────────────────────────────────────────────────────────────────────────────────


def without(fact: Fact) -> Callable[[Ledger], Ledger]:
    """The ledger without the first row of a fact."""

    return lambda ledger: _but(ledger, first(ledger, fact))


def _but(ledger: Ledger, place: int) -> Ledger:
    """The ledger without one row."""
    names = ("time", "fact", "stay", "a", "b", "c")
    columns: Any = {name: np.delete(getattr(ledger, name), place) for name in names}
    return replace(ledger, **columns)


def without_a_taper(ledger: Ledger) -> Ledger:
    """The ledger without the first move of a stay that goes on for another week, so that it matters."""
    released = np.full(len(ledger.stay_level), np.inf)
    released[ledger.stay[ledger.fact == Fact.RELEASED]] = ledger.time[ledger.fact == Fact.RELEASED]
    lasts = released[ledger.stay] > ledger.time + 7
    return _but(ledger, int(np.flatnonzero((ledger.fact == Fact.MOVED) & lasts)[0]))


def changed(column: str, fact: Fact, by: float) -> Callable[[Ledger], Ledger]:
    """The ledger with a detail of the first row of a fact changed."""
    return lambda ledger: _with(ledger, column, first(ledger, fact), by)


def first(ledger: Ledger, fact: Fact) -> int:
    return int(np.flatnonzero(ledger.fact == fact)[0])


def row(
    column: str, by: float, which: Callable[[Ledger], Any] = lambda ledger: [True]
) -> Callable[[Ledger], Ledger]:
    """The ledger with one value of a column changed: of the first row for which something holds."""
    return lambda ledger: _with(ledger, column, int(np.flatnonzero(which(ledger))[0]), by)


def _with(ledger: Ledger, column: str, place: int, by: float) -> Ledger:
    values = getattr(ledger, column).copy()
    values[place] += by
    new: Any = {column: values}
    return replace(ledger, **new)


def caused(cause: Cause) -> Callable[[Ledger], Any]:
    return lambda ledger: ledger.session_cause == cause


def a_visit_twice(ledger: Ledger) -> Ledger:
    names = ("visit_time", "visit_stay", "visit_service", "visit_due")
    columns: Any = {name: np.insert(getattr(ledger, name), 0, getattr(ledger, name)[0]) for name in names}
    return replace(ledger, **columns)


LEDGERS: dict[str, Callable[[Ledger], Ledger]] = {
    **{f"without {fact.name}": without(fact) for fact in Fact if fact not in {Fact.ASKED, Fact.LAPSED}},
    "without MOVED": without_a_taper,
    "contacted twice": changed("fact", Fact.BOOKED, Fact.CONTACTED - Fact.BOOKED),
    "a day of lead more": changed("a", Fact.BOOKED, 1),
    "another desk": changed("b", Fact.ASSESSED, -1),
    "lost elsewhere": changed("a", Fact.LOST, 1),
    "lost at another stage": changed("b", Fact.LOST, 1),
    "denied elsewhere": changed("a", Fact.DENIED, 1),
    "another class": changed("a", Fact.AGED, 1),
    "more units asked": changed("a", Fact.ASKED, 1),
    "more units given": changed("a", Fact.EXTENDED, 1),
    "another group": changed("a", Fact.ADMITTED, 1),
    "another therapist": changed("b", Fact.ADMITTED, 1),
    "reassigned to another": changed("b", Fact.REASSIGNED, 1),
    "too few and merged": row("session_cause", Cause.BELOW_MINIMUM - Cause.MERGED, caused(Cause.MERGED)),
    "led by nobody": row("session_cause", Cause.HELD - Cause.UNSTAFFED, caused(Cause.UNSTAFFED)),
    "a guest is not counted": row("session_enrolled", -1, caused(Cause.HELD)),
    "hours of cover": row("cover_hours", 1),
    "a higher limit": row("post_limit", 1),
    "a post is filled early": row("post_state", PostState.FILLED, lambda ledger: ledger.post_state == PostState.VACANT),
    "a visit given twice": a_visit_twice,
    "a visit at another time": row("visit_time", 0.5),
    "a visit of another service": row("visit_service", 1 - 2, lambda ledger: ledger.visit_service == 1),
    "a visit before it is due": row("visit_due", 30),
}  # fmt: skip


@pytest.mark.parametrize("change", LEDGERS.values(), ids=LEDGERS)
def test_a_ledger_that_is_not_true_is_noticed(change: Callable[[Ledger], Ledger], storm: Ledger) -> None:
    with pytest.raises((AssertionError, KeyError, IndexError, ValueError)):
        check_conservation(Scenario.model_validate(STORM), change(storm))


@pytest.fixture(scope="module")
def storm() -> Ledger:
    """A replication in which all facts occur."""
    scenario = Scenario.model_validate(STORM)
    ledgers = (simulate(scenario, replication) for replication in range(20))
    return next(
        ledger
        for ledger in ledgers
        if set(ledger.fact.tolist()) == set(Fact)
        and set(ledger.session_cause.tolist()) == set(Cause)
        and len(ledger.cover_time)
    )
