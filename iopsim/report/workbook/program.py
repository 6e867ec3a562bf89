"""Sheets of what a program consists of: its groups, and its staff."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iopsim.report.books import groups as names_of_groups
from iopsim.report.books import members
from iopsim.report.workbook import charts
from iopsim.report.workbook.book import COUNT
from iopsim.report.workbook.matrix import Quantity, matrix

if TYPE_CHECKING:
    from iopsim.report.tables import Results
    from iopsim.report.workbook.book import Book
    from iopsim.report.workbook.source import Source

__all__ = ["groups", "staff"]


def _seats(results: Results, group: str) -> float:
    levels = results.scenario.levels.values()
    return float(next(level.groups[group].seats for level in levels if group in level.groups))


_GROUPS = (
    Quantity("seats", value=_seats, unit=COUNT),
    Quantity("fill (attended)", "group.{}.group_fill.mean", interval=True),
    Quantity("utilization (seats taken)", "group.{}.seat_utilization.mean"),
    Quantity("ghost seats, of those taken", "group.{}.ghost_seats.share"),
    Quantity("attendance", "group.{}.attendance.share"),
    Quantity("members at a session", value=members),
    Quantity("break-even census", "group.{}.break_even_census"),
    Quantity("contribution", "group.{}.contribution", interval=True),
    Quantity("revenue", "program.revenue_by_group.{}"),
    Quantity("cost, shared by days", "program.cost_by_group.{}"),
    Quantity("margin", "program.margin_by_group.{}", interval=True),
    Quantity("sessions over capacity", "group.{}.over_capacity_sessions.total"),
    Quantity("cancelled: day closed", "group.{}.cancelled_sessions.closed.total"),
    Quantity("cancelled: too few enrolled", "group.{}.cancelled_sessions.below_minimum.total"),
    Quantity("cancelled: no facilitator", "group.{}.cancelled_sessions.unstaffed.total"),
    Quantity("merged with another group", "group.{}.merged_sessions.total"),
)


def groups(book: Book, source: Source) -> None:
    """Fill, utilization, contribution and break-even census of every group, with charts."""
    results, words = source.results, names_of_groups(source.scenario)
    if not words:
        return
    note = (
        f"Over {source.scenario.run.weeks} measured weeks. Members: seats taken at a session, mean over those held. "
        "Break-even census: those at whom the contribution is zero."
    )
    sheet = book.sheet("Groups", "Groups", note)
    shown = matrix(sheet, results, "group", words, _GROUPS)
    if shown is None:
        return
    sheet.keep(shown.area.head + 1, 1)
    sheet.fit()
    asked = (
        ("Share of seats", "share", ("fill (attended)", "utilization (seats taken)")),
        ("Members beside the break-even census", "members", ("members at a session", "break-even census")),
        ("Contribution and margin", book.currency, ("contribution", "margin")),
    )
    row = sheet.row
    for title, unit, wanted in asked:
        places = [shown.places[name] for name in wanted if name in shown.places]
        if places:
            alt = f"Columns by group: {' and '.join(name for name in wanted if name in shown.places)}."
            sheet.insert(charts.columns(book, shown.area, places, title, unit), row, 0, alt)
            row += charts.ROWS


_STAFF = (
    Quantity(
        "FTE in the plan", value=lambda results, role: results.scenario.staff[role].employed_fte, unit="FTE"
    ),
    Quantity("FTE employed", "{}.fte_employed"),
    Quantity("posts", value=lambda results, role: float(results.scenario.staff[role].posts), unit=COUNT),
    Quantity("posts vacant, of the time", "{}.vacancy.share"),
    Quantity("departures", "{}.departures.total"),
    Quantity("hours needed a week", "{}.hours_needed.mean", interval=True),
    Quantity("hours needed, 95th-percentile week", "{}.hours_needed.p95"),
    Quantity("FTE needed", "{}.fte_needed.mean", interval=True),
    Quantity("FTE needed, 95th-percentile week", "{}.fte_needed.p95"),
    Quantity("shortfall, hours a week", "{}.shortfall_hours.mean"),
    Quantity("caseload utilization", "{}.caseload_utilization.mean"),
    Quantity("patients over the limit", "{}.overload.mean"),
    Quantity("appointments booked, of slots", "{}.slot_utilization.mean"),
    Quantity("services late, of those due", "{}.late.share"),
    Quantity("cover bought, hours", "{}.cover_hours.total"),
    Quantity("pay and benefits", "program.cost_by_role.{}", interval=True),
)


def staff(book: Book, source: Source) -> None:
    """Hours, FTE and posts of every role."""
    scenario = source.scenario
    words = {name: scenario.says(scenario.staff, name) for name in scenario.staff}
    if not words:
        return
    changed = " Posts and FTE in the plan are those before its dated changes." if scenario.changes else ""
    sheet = book.sheet("Staff", "Staff", f"Over the {scenario.run.weeks} measured weeks.{changed}")
    shown = matrix(sheet, source.results, "role", words, _STAFF)
    if shown is None:
        return
    sheet.keep(shown.area.head + 1, 1)
    sheet.fit()
    wanted = ("FTE in the plan", "FTE needed")
    places = [shown.places[name] for name in wanted if name in shown.places]
    alt = "Columns by role: FTE in the plan beside FTE needed."
    sheet.insert(
        charts.columns(book, shown.area, places, "FTE in the plan and FTE needed", "FTE"), sheet.row, 0, alt
    )
