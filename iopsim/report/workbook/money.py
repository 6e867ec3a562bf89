"""The sheet of money: the program's own books, the whole system, and inpatient care beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iopsim.report.books import alternatives, causes, held_for, items
from iopsim.report.books import groups as names_of_groups
from iopsim.report.wording import break_even_text
from iopsim.report.workbook import charts
from iopsim.report.workbook.book import Column, Number
from iopsim.report.workbook.matrix import Quantity, matrix

if TYPE_CHECKING:
    from collections.abc import Mapping

    from iopsim.report.tables import Results
    from iopsim.report.workbook.book import Area, Book, Cell, Sheet
    from iopsim.report.workbook.source import Source

__all__ = ["money"]

_BESIDE = 7  # the column that charts begin at
_TOTALS = {
    "revenue.total": "Revenue",
    "cost.total": "Cost",
    "margin.total": "Margin",
    "claims_denied.total": "Claims denied",
    "loss.share": "Chance of a year with a loss",
}
_EACH = {
    "cost.per_attended_day": "Cost of an attended day",
    "revenue.per_attended_day": "Revenue of an attended day",
    "cost.per_episode": "Cost of an episode",
    "cost.per_completed_episode": "Cost of a completed episode",
}
_UNPAID = (
    Quantity("unpaid days", "{}.unpaid_days.total"),
    Quantity("not covered by the payer", "{}.uncovered_days.total"),
    Quantity("too few hours", "{}.short_days.total"),
    Quantity("below the weekly minimum", "{}.below_minimum_days.total"),
)
_LEVELS = (
    Quantity("cost", "{}.cost.total", interval=True),
    Quantity("cost of held days", "{}.held_cost.total", interval=True),
    Quantity("held days", "{}.held_days.total", interval=True),
)
_SOURCES = (
    Quantity("cost in all levels", "{}.system_cost.total", interval=True),
    Quantity("cost per referral", "{}.system_cost.per_referral", interval=True),
)
_ALTERNATIVES = (
    Quantity("cost of the inpatient care", "{}.alternative.cost.total"),
    Quantity("saving", "{}.alternative.saving.total", interval=True),
    Quantity("break-even share", "{}.alternative.break_even_share", interval=True),
    Quantity("difference per day", "{}.alternative.difference.per_day"),
    Quantity("difference per episode", "{}.alternative.difference.per_episode"),
)


def money(book: Book, source: Source) -> None:
    """Provider view, system view, and the inpatient alternative."""
    results, run = source.results, source.scenario.run
    if not items(results, "program.{}", _TOTALS) and not items(results, "{}.cost.total", _levels(source)):
        return
    note = f"In {book.currency}, over the {run.weeks} measured weeks."
    sheet = book.sheet("Money", "Money", note)
    _provider(book, sheet, source)
    _system(book, sheet, source)
    _alternative(sheet, source)
    sheet.fit()


def _levels(source: Source) -> dict[str, str]:
    return {name: source.results.level(name) for name in source.scenario.levels}


def _listed(sheet: Sheet, results: Results, pattern: str, words: Mapping[str, str], what: str) -> Area | None:
    """A table with a row for each number, its interval beside it."""
    found = items(results, pattern, words)
    rows: list[list[Cell]] = [
        [
            item.words,
            *(
                Number(value, item.found.unit)
                for value in (item.found.estimate, item.found.low, item.found.high)
            ),
        ]
        for item in found
    ]
    columns = [Column(what), Column("estimate"), Column("95 % interval, low"), Column("95 % interval, high")]
    return sheet.table(columns, rows) if rows else None


def _provider(book: Book, sheet: Sheet, source: Source) -> None:
    results, currency = source.results, book.currency
    if not items(results, "program.{}", _TOTALS):
        return
    sheet.heading("The program's own books (provider view)")
    start = sheet.row
    _listed(sheet, results, "program.{}", _TOTALS, "in all")
    by_cause = {item.name: item.words for item in causes(results)}
    area = _listed(sheet, results, "program.{}.total", by_cause, "cost by cause")
    if area:
        alt = "Bars of the program's cost by cause."
        sheet.insert(charts.bars(book, area, 1, "Cost by cause", currency), start, _BESIDE, alt)
    _listed(sheet, results, "program.{}", _EACH, "of each")
    roles = {name: results.role(name) for name in source.scenario.staff}
    _listed(sheet, results, "program.cost_by_role.{}", roles, "cost by role: pay, benefits and cover")
    scenario = source.scenario
    for table, words in (
        ("payer", {name: scenario.says(scenario.payers, name) for name in scenario.payers}),
        ("source", {name: scenario.says(scenario.sources, name) for name in scenario.sources}),
        ("track", {name: scenario.says(scenario.tracks, name) for name in scenario.tracks}),
        ("group", names_of_groups(scenario)),
    ):
        _shared(book, sheet, results, table, words)
    matrix(sheet, results, "days that earn nothing, by level", _levels(source), _UNPAID)


def _shared(book: Book, sheet: Sheet, results: Results, table: str, words: Mapping[str, str]) -> None:
    """Revenue, cost and margin by payer, source, track or group, and a chart of them."""
    quantities = [
        Quantity(what, f"program.{what}_by_{table}.{{}}", interval=what == "margin")
        for what in ("revenue", "cost", "margin")
    ]
    row = sheet.row
    shown = matrix(sheet, results, f"by {table}", words, quantities)
    if shown:
        title = f"{', '.join(shown.places).capitalize()} by {table}"
        chart = charts.columns(book, shown.area, [*shown.places.values()], title, book.currency)
        sheet.insert(chart, row, _BESIDE, f"Columns: {title}.")
        sheet.row = max(sheet.row, row + charts.ROWS)


def _system(book: Book, sheet: Sheet, source: Source) -> None:
    """What all levels cost that patients pass through, held places apart."""
    results, row = source.results, sheet.row
    sheet.heading("All levels, those bought from outside too (system view)")
    _listed(sheet, results, "system.{}", {"cost.total": "Cost of all levels"}, "in all")
    shown = matrix(sheet, results, "by level", _levels(source), _LEVELS)
    if shown and "cost" in shown.places:
        chart = charts.bars(book, shown.area, shown.places["cost"], "Cost by level", book.currency)
        sheet.insert(chart, row + 1, _BESIDE + 4, "Bars of cost by level.")
    if held := held_for(results):
        columns = [Column("held in"), Column("waiting for"), Column("days held"), Column("cost of these")]
        rows: list[list[Cell]] = [
            [results.level(level), results.level(to), days.estimate, Number(cost.estimate, book.currency)]
            for level, to, days, cost in held
        ]
        sheet.table(columns, rows)
    scenario = source.scenario
    names = {name: scenario.says(scenario.sources, name) for name in scenario.sources}
    matrix(sheet, results, "patients of a source", names, _SOURCES)
    sheet.row = max(sheet.row, row + charts.ROWS)


def _alternative(sheet: Sheet, source: Source) -> None:
    """Inpatient care beside the program: arithmetic on an assumption, and it says so."""
    results, scenario = source.results, source.scenario
    assumed = scenario.money.inpatient_alternative
    whole = items(results, "alternative.{}", {"break_even_share": "all of them"})
    if assumed is None or not whole:
        return
    sheet.heading("Inpatient care instead: arithmetic on an assumption, not a measured effect")
    by_source = alternatives(results)
    for item in by_source or whole:
        share = assumed.share_of(item.name if by_source else assumed.for_[0])
        who = f"starters from {item.words}" if by_source else "starters"
        found = item.found.estimate, item.found.low, item.found.high
        sheet.line(f"{break_even_text(found, share, who)}.")
    sheet.row += 1
    words = {
        "cost.total": "Cost of the inpatient care",
        "saving.total": "Saving",
        "break_even_share": "Break-even share",
        "difference.per_day": "Difference per day",
        "difference.per_episode": "Difference per episode",
    }
    _listed(sheet, results, "alternative.{}", words, "all sources concerned")
    concerned = {name: scenario.says(scenario.sources, name) for name in assumed.for_}
    if len(concerned) > 1:
        matrix(sheet, results, "by source", concerned, _ALTERNATIVES)
