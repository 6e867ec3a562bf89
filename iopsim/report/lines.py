"""What the planner's table shows: its lines in the order in which patients meet them, and the words for each."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from iopsim.experiment.names import reported
from iopsim.experiment.sentences import is_always_free
from iopsim.measures.planned import planned_mean
from iopsim.measures.possible import varies

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from iopsim.experiment.summary import Estimate
    from iopsim.scenario.levels import Level
    from iopsim.scenario.schema import Scenario

__all__ = [
    "HELD",
    "WORDS",
    "Line",
    "Row",
    "Section",
    "bookable_hours_per_fte",
    "employed",
    "few_digits",
    "headline",
    "sections",
]

HELD = "\N{NO-BREAK SPACE}"  # between words that stay on one line


def _always(level: Level) -> bool:
    return True


def _is_own(level: Level) -> bool:
    return level.is_own


def _found_at(moment: str) -> Callable[[Level], bool]:
    return lambda level: level.eligible is not None and level.eligible.found_at == moment


def _has_cohorts(level: Level) -> bool:
    return any(group.cohort for group in level.groups.values())


def _has_stages(level: Level) -> bool:
    return any((level.contact, level.eligible, level.intake))


class Line(NamedTuple):
    """One line of the table.

    Attributes:
        metric: Its name after that of the level, the role or the program.
        words: What people read for it.
        of: What a share is a part of.
        silent: A value that is not worth a line, such as no session over capacity; None: every value is.
        where: The levels that have the line, if they have the metric.
    """

    metric: str
    words: str
    of: str = ""
    silent: float | None = None
    where: Callable[[Level], bool] = _always


class Row(NamedTuple):
    """One line of the table with its number; `under` is whose it is, where several in a row have one owner."""

    words: str
    of: str
    estimate: Estimate
    under: str = ""


Section = tuple[str, list[Row]]

# A level that is bought from outside has only the lines that say how it and the program press on each other.
_ACCESS = (
    Line("referrals.per_week", "Referrals a week"),
    Line("lost.contact.share", "Never reached", "of referrals"),
    Line("contact_days.mean", "Reached after, mean"),
    Line("lost.eligibility.share", "Not eligible", "of referrals", where=_found_at("screen")),
    Line("intake_days.mean", "Booking to assessment, mean"),
    Line("appointments.show.share", "Showed to intake", "of bookings"),
    Line("wasted_slots.per_week", "Intake slots wasted a week"),
    Line("lost.intake.share", "Lost at intake", "of referrals"),
    Line("lost.eligibility.share", "Not eligible", "of referrals", where=_found_at("assessment")),
    Line("lost.refused.share", "Refused, list full", "of joiners", silent=0),
    Line("authorization_days.mean", "Payer's answer after, mean"),
    Line("lost.denied.share", "Denied by the payer", "of joiners"),
    Line("wait_days.p50", "Wait to start, median", where=_is_own),
    Line("wait_days.mean", "Wait to start, mean"),
    Line("wait_days.p90", "Wait to start, nine in ten within"),
    Line("started_within_14_days.share", "Started within 14 days", "of joiners", where=_is_own),
    Line("reneged.share", "Gave up waiting", "of joiners"),
    Line("waitlist.mean", "Waitlist"),
    Line("access_days.mean", "Referral to start, mean", where=_has_stages),
)
_WAITING = ("wait_days.", "started_within_", "waitlist.")
_CAPACITY = (
    Line("census.mean", "Census"),
    Line("utilization.mean", "Utilization", "of places"),
    Line("group_fill.mean", "Group fill (attended)", "of seats"),
    Line("attendance.share", "Attendance", "of sessions"),
    Line("ghost_seats.share", "Ghost seats", "of those taken", silent=0),
    Line("admitted_not_started.mean", "Seat taken, not yet started", where=_has_cohorts),
    Line("over_capacity_sessions.total", "Sessions over capacity", silent=0),
    Line("cancelled_sessions.closed.total", "Cancelled, day closed", silent=0),
    Line("cancelled_sessions.below_minimum.total", "Cancelled, too few enrolled", silent=0),
    Line("cancelled_sessions.unstaffed.total", "Cancelled, no facilitator"),
    Line("merged_sessions.total", "Merged with another group"),
    Line("stay_days.mean", "Length of stay, mean"),
    Line("completed.share", "Completed", "of starters", where=_is_own),
    Line("dropped_out.share", "Dropped out", "of starters", where=_is_own),
    Line("discharged.share", "Discharged", "of starters", where=_is_own),
    Line("authorization_cut.share", "… of these, by the payer", "of starters", silent=0, where=_is_own),
    Line("never_started.share", "Never came", "of starters", where=_is_own),
    Line("stepped_up.share", "Stepped up", "of starters", where=_is_own),
    Line("uncovered_days.total", "Days that no payer covers", silent=0),
    Line("unpaid_days.total", "Attended days that are not paid, in all", silent=0),
    Line("short_days.total", "… of these, with too few hours", silent=0),
    Line("below_minimum_days.total", "Days under the weekly minimum of hours", silent=0),
    Line("held.mean", "Places held for next level"),
    Line("held_days.per_patient", "Days held per patient ready"),
)
_STAFF = (
    Line("fte_employed", "FTE employed"),
    Line("vacancy.share", "Posts vacant", "of the time"),
    Line("departures.total", "Departures"),
    Line("caseload_utilization.mean", "Caseload utilization", "of the limits"),
    Line("overload.mean", "Patients over the limit"),
    Line("unassigned.mean", "Patients without anybody"),
    Line("hours_needed.mean", "Hours needed"),
    Line("fte_needed.mean", "FTE needed"),
    Line("cover_hours.total", "Cover bought"),
    Line("late.share", "Services late", "of those due"),
    Line("slot_utilization.mean", "Appointments booked", "of slots"),
    Line("patients_per_clinician.max", "Most patients per FTE"),
    Line("over_ratio.share", "Over the rule", "of the time"),
)
_NO_NEWS = {  # said by the scenario, or work that follows from the census
    "cancelled_sessions.closed.total",
    "fte_employed",
    "hours_needed.mean",
    "fte_needed.mean",
    "slot_utilization.mean",
}
_MONEY = (
    Line("program.cost.total", "Cost"),
    Line("program.cover_cost.total", "Cover"),
    Line("program.room_cost.total", "Rooms"),
    Line("program.revenue.total", "Revenue"),
    Line("program.claims_denied.total", "Claims denied"),
    Line("program.margin.total", "Margin"),
    Line("program.loss.share", "Chance of a loss", "of years"),
    Line("program.cost.per_attended_day", "Cost per attended day"),
    Line("program.cost.per_episode", "Cost per episode"),
    Line("program.cost.per_completed_episode", "Cost per completed episode"),
)
_SYSTEM = Line("system.cost.total", "Cost of all levels")
_PER_REFERRAL = Line("system_cost.per_referral", "Cost of all levels")
_HELD_FOR = (
    Line("held_days_for", "held for", silent=0),
    Line("held_cost_for", "cost of places held for", silent=0),
)
_ALTERNATIVE = (
    Line("alternative.cost.total", "Inpatient alternative, cost"),
    Line("alternative.saving.total", "Inpatient alternative, saving"),
    Line("alternative.break_even_share", "Break-even divertible share", "of starters"),
    Line("alternative.difference.per_day", "Inpatient care less the program"),
    Line("alternative.difference.per_episode", "Inpatient care less the program"),
)
_CONVERSION = Line("conversion.share", "Conversion", "of referrals")

_LINES = (*_ACCESS, *_CAPACITY, *_STAFF, _CONVERSION)
WORDS: Mapping[str, str] = {line.metric: line.words for line in _LINES}
"""What people read for a metric, by its name after that of the level, the role or the source."""


def sections(scenario: Scenario, found: Iterable[Estimate]) -> Iterator[Section]:
    """What is shown, in order: the program's own levels before those bought; empty sections are left out.

    Args:
        scenario: What was simulated.
        found: Its metrics, with their intervals or without.
    """
    by_name = {one.name: one for one in found}
    asked = {*scenario.observed, *(target.metric for target in scenario.targets)}
    levels = sorted(scenario.levels, key=lambda name: not scenario.levels[name].is_own)
    for title, lines in (("Access", _ACCESS), ("Capacity", _CAPACITY)):
        for level in levels:
            here = [line for line in lines if line.where(scenario.levels[level])]
            if title == "Access" and is_always_free(scenario, level):
                here = [line for line in here if not line.metric.startswith(_WAITING)]
            rows = _rows(here, level, by_name, asked)
            if title == "Access":
                rows += _conversions(scenario, level, by_name)
            if rows:
                yield f"{title}: {scenario.says(scenario.levels, level)}", rows
    staff = [row for role in scenario.staff for row in _staff(scenario, role, by_name)]
    last = (
        ("Staff", staff),
        ("Money: provider view", _provider_view(scenario, by_name)),
        ("Money: system view", _system_view(scenario, by_name)),
    )
    yield from ((title, rows) for title, rows in last if rows)


def headline(scenario: Scenario) -> list[str]:
    """Full names of what the table says of the program itself, and that is news to who knows the scenario."""
    own = [name for name, level in scenario.levels.items() if level.is_own]
    lines = [
        *(
            (name, line)
            for name in own
            for line in (*_ACCESS, *_CAPACITY)
            if line.where(scenario.levels[name])
        ),
        *((source, _CONVERSION) for source in scenario.sources),
        *((role, line) for role in scenario.staff for line in _STAFF),
        *(("", line) for line in _MONEY if line.metric.endswith(".total")),
    ]
    known = reported(scenario)
    names = dict.fromkeys(_named(owner, line) for owner, line in lines if line.metric not in _NO_NEWS)
    return [name for name in names if name in known]


def _named(owner: str, line: Line) -> str:
    return f"{owner}.{line.metric}" if owner else line.metric


def _rows(
    lines: Iterable[Line], owner: str, by_name: Mapping[str, Estimate], asked: Iterable[str] = ()
) -> list[Row]:
    """The lines whose metric there is; what is silent is shown where somebody asks for it."""
    known = (
        (line, one)
        for line in lines
        if (one := by_name.get(f"{owner}.{line.metric}" if owner else line.metric))
    )
    return [
        Row(line.words, line.of, one)
        for line, one in known
        if line.silent is None or one.interval.estimate != line.silent or one.name in asked
    ]


def _conversions(scenario: Scenario, level: str, by_name: Mapping[str, Estimate]) -> Iterator[Row]:
    for name, source in scenario.sources.items():
        if source.to == level and (one := by_name.get(f"{name}.{_CONVERSION.metric}")):
            words = f"{_CONVERSION.words}, {scenario.says(scenario.sources, name)}"
            yield Row(words, _CONVERSION.of, one)


def _staff(scenario: Scenario, role: str, by_name: Mapping[str, Estimate]) -> Iterator[Row]:
    """The lines of a role: FTE employed are only told where they are not those of the file at all times."""
    spec, label = scenario.staff[role], scenario.says(scenario.staff, role)
    one = by_name.get(f"{role}.fte_employed")
    there = employed(scenario, role, one.interval.estimate if one else math.nan)
    of_file = planned_mean(scenario, lambda plan: plan.staff[role].employed_fte)
    more = {
        "fte_employed": f", of{HELD}{few_digits(of_file)}",
        "hours_needed.mean": f", of{HELD}{few_digits(there * bookable_hours_per_fte(scenario, role))} bookable",
        "fte_needed.mean": f", of{HELD}{few_digits(there)}",
        "patients_per_clinician.max": f", of{HELD}{few_digits(spec.patients_per_clinician_at_most or 0)}",
    }
    for row in _rows(_STAFF, role, by_name):
        metric = row.estimate.name.removeprefix(f"{role}.")
        if metric != "fte_employed" or varies(scenario, role):
            yield row._replace(words=f"{row.words}{more.get(metric, '')}", under=label)


def employed(scenario: Scenario, role: str, found: float) -> float:
    """FTE of the posts that were filled; where that was not measured, of all that the plan has, on average."""
    return planned_mean(scenario, lambda plan: plan.staff[role].employed_fte) if math.isnan(found) else found


def bookable_hours_per_fte(scenario: Scenario, role: str) -> float:
    """Hours a week that one FTE has for patients, on average over the measured weeks."""
    return planned_mean(scenario, lambda plan: plan.staff[role].bookable_hours_per_fte)


def few_digits(value: float) -> str:
    """Three digits, or whole thousands, without zeros that say nothing."""
    return f"{value:.3g}" if abs(value) < 999.5 else f"{value:,.0f}"


def _provider_view(scenario: Scenario, by_name: Mapping[str, Estimate]) -> list[Row]:
    """What the program's own levels cost and earn."""
    by_payer = [
        Row(f"Margin, {scenario.says(scenario.payers, payer)}", "", one)
        for payer in scenario.payers
        if (one := by_name.get(f"program.margin_by_payer.{payer}"))
    ]
    return [*_with_span(scenario, _rows(_MONEY, "", by_name)), *by_payer]


def _system_view(scenario: Scenario, by_name: Mapping[str, Estimate]) -> list[Row]:
    """What care costs in all levels, those bought from outside too, and what inpatient care would have cost."""
    rows: list[Row] = []
    if not all(level.is_own for level in scenario.levels.values()):
        rows += _with_span(scenario, _rows([_SYSTEM], "", by_name))
        for source in scenario.sources:
            here = _rows([_PER_REFERRAL], source, by_name)
            rows += [row._replace(under=scenario.says(scenario.sources, source)) for row in here]
    for level in scenario.levels:
        rows += _held_for(scenario, level, by_name)
    rows += _with_span(scenario, _rows(_ALTERNATIVE, "", by_name))
    share = _ALTERNATIVE[2]
    each = [(name, row) for name in scenario.sources for row in _rows([share], name, by_name)]
    if len(each) > 1:
        rows += [
            row._replace(words=f"{row.words}, {scenario.says(scenario.sources, name)}") for name, row in each
        ]
    return rows


def _held_for(scenario: Scenario, level: str, by_name: Mapping[str, Estimate]) -> Iterator[Row]:
    """Days and price of the places of a level that are held, by the level that is waited for."""
    for line in _HELD_FOR:
        for to in scenario.levels:
            for row in _rows([line._replace(metric=f"{line.metric}.{to}")], level, by_name):
                words = f"{line.words} {scenario.says(scenario.levels, to)}, {scenario.run.weeks} weeks"
                yield row._replace(words=words, under=scenario.says(scenario.levels, level))


def _with_span(scenario: Scenario, rows: Iterable[Row]) -> list[Row]:
    """The rows, where totals say of how many weeks."""
    span = f", {scenario.run.weeks} weeks"
    return [
        row._replace(words=f"{row.words}{span}") if row.estimate.name.endswith(".total") else row
        for row in rows
    ]
