"""Sheets of answers: by theme in the planner's words, and all numbers that there are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iopsim.experiment.names import reported
from iopsim.experiment.sentences import flags, limiting
from iopsim.experiment.summary import goals
from iopsim.report.figures.goals import metric_words, wish
from iopsim.report.lines import sections
from iopsim.report.overview import is_large, most_waited_for
from iopsim.report.style import in_a_sentence
from iopsim.report.wording import interval_ends
from iopsim.report.workbook.book import COUNT, VERDICT, Column, Number

if TYPE_CHECKING:
    from collections.abc import Iterator

    from iopsim.experiment.summary import Estimate
    from iopsim.report.lines import Row
    from iopsim.report.workbook.book import Book, Cell
    from iopsim.report.workbook.source import Source

__all__ = ["all_metrics", "summary"]

_FEW = 4  # levels of which is told what limits them, where there are many


def summary(book: Book, source: Source) -> None:
    """The answers by theme, targets first, and below them what is to be said beside them."""
    scenario = source.scenario
    sheet = book.sheet("Summary", _title(source), scenario.description)
    entries = reported(scenario).keys() <= {one.name for one in source.estimates}
    if entries:  # sentences ask for every number of this version of the program
        some = most_waited_for(scenario, source.estimates, _FEW) if is_large(scenario) else None
        sheet.line(limiting(source.estimates, scenario, some), bold=True)
        sheet.row += 1
    observed = [Column("observed")] if scenario.observed else []
    columns = [
        Column("what"),
        Column("estimate"),
        Column("95 % interval, low"),
        Column("95 % interval, high"),
        Column("unit"),
        Column("target"),
        Column("verdict", VERDICT),
        *observed,
        Column("metric"),
    ]
    head = sheet.row
    sheet.table(columns, _answers(source))
    sheet.keep(head + 1, 1)
    notes = [*source.manifest.get("notes", ()), *(flags(source.estimates, scenario) if entries else ())]
    if notes:
        sheet.heading("Beside the numbers")
        for note in notes:
            sheet.line(note)
    sheet.fit()


def _title(source: Source) -> str:
    run, number = source.scenario.run, source.results.replications
    weeks = f"{run.weeks} week{'s' * (run.weeks > 1)} from {run.start:%B} {run.start.day}, {run.start.year}"
    return f"{source.scenario.name}: {weeks}, {number} replication{'s' * (number > 1)}"


def _answers(source: Source) -> Iterator[list[Cell]]:
    by_name = {one.name: one for one in source.estimates}
    asked = [by_name[name] for name in goals(source.scenario.targets) if name in by_name]
    if asked:
        yield ["Targets"]
        for one in asked:
            yield _answer(source, one, metric_words(one.name, source.says), "")
    for title, rows in sections(source.scenario, source.estimates):
        yield [title]
        for row in rows:
            yield _answer(source, row.estimate, _words(row), row.of)


def _words(row: Row) -> str:
    return f"{row.under}: {in_a_sentence(row.words)}" if row.under else row.words


def _answer(source: Source, one: Estimate, words: str, of: str) -> list[Cell]:
    scenario = source.scenario
    asked = goals(scenario.targets).get(one.name)
    observed = scenario.observed.get(one.name)
    return [
        words,
        *_interval(one),
        of if one.unit == "share" else one.unit,
        wish(asked, one.unit) if asked else "",
        one.verdict,
        *([None if observed is None else Number(observed, one.unit)] if scenario.observed else []),
        one.name,
    ]


def _interval(one: Estimate) -> list[Cell]:
    ends = interval_ends(one.interval.low, one.interval.high, one.unit)
    return [Number(value, one.unit) for value in (one.interval.estimate, *ends)]


def all_metrics(book: Book, source: Source) -> None:
    """Every number of the run with what it means, to filter and to sort."""
    sheet = book.sheet("All metrics", "All metrics", "Every number of the run, with what it means.")
    entries, asked = reported(source.scenario), goals(source.scenario.targets)
    columns = [
        Column("metric"),
        Column("in words"),
        Column("unit"),
        Column("estimate"),
        Column("95 % interval, low"),
        Column("95 % interval, high"),
        Column("standard deviation of years"),
        Column("replications with a value", COUNT),
        Column("better"),
        Column("target"),
        Column("verdict", VERDICT),
        Column("definition"),
    ]
    rows: Iterator[list[Cell]] = (
        [
            one.name,
            metric_words(one.name, source.says),
            one.unit,
            *_interval(one),
            Number(one.interval.sd, one.unit),
            one.interval.n,
            one.better.replace("neither", ""),
            wish(asked[one.name], one.unit) if one.name in asked else "",
            one.verdict,
            entries[one.name].bound.metric.definition if one.name in entries else "",
        ]
        for one in source.estimates
    )
    sheet.table(columns, rows, filtered=True)
    sheet.fit()
