"""The planner's table: access, capacity, staff, money and targets, each number with its interval."""

from __future__ import annotations

from math import isnan
from textwrap import wrap
from typing import TYPE_CHECKING, NamedTuple

from rich.markup import escape

from iopsim.experiment.sentences import flags, limiting
from iopsim.report.besides import besides
from iopsim.report.lines import HELD, sections
from iopsim.report.overview import is_large, most_waited_for, print_overview, totals
from iopsim.report.style import in_a_sentence
from iopsim.report.weeks import print_weeks
from iopsim.report.wording import (
    break_even_text,
    difference_text,
    in_words,
    interval_text,
    limit_text,
    matched_text,
    number_text,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from rich.console import Console
    from rich.table import Table

    from iopsim.experiment.compare import Comparison
    from iopsim.experiment.run import Written
    from iopsim.experiment.summary import Estimate
    from iopsim.report.lines import Row, Section
    from iopsim.scenario.schema import Scenario

__all__ = ["console", "difference_texts", "differences_title", "print_differences", "print_summary"]

_WIDE = 200  # where there is no terminal nothing is cut
_WIDE_ENOUGH_FOR_DIFFERENCES = 140
_GAP = 2
_FEW = 4  # levels of which weeks, and what limits them, are told where there are many
_MOST_TARGETS = 20
_MOST_NOTES = 12
_ELSEWHERE = (
    "All numbers of every level, role and source, with their intervals: summary.csv in the results folder, "
    "or a workbook of it (iopsim export)."
)
_FEWEST = 24  # columns for words, below which numbers stand under them


def console() -> Console:
    """Standard output: colored on a terminal (unless NO_COLOR), plain and wide elsewhere."""
    import sys

    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() else _WIDE, highlight=False, soft_wrap=False)


def print_summary(
    out: Console,
    scenario: Scenario,
    found: Sequence[Estimate],
    replications: int,
    notes: Sequence[str] = (),
    today: Written | None = None,
) -> None:
    """Print the table, weeks and lists from today, notes and flags, and what limits the program in a sentence."""
    large = is_large(scenario)
    foremost = most_waited_for(scenario, found, _FEW) if large else None
    shown = list(totals(scenario, found) if large else sections(scenario, found))
    title = f"{scenario.name}: {_span(scenario, replications)}"
    if not _print_table(out, title, shown, scenario.observed):
        _print_list(out, title, shown, scenario.observed)
    if large:
        print_overview(out, scenario, found)
    if today:
        print_weeks(out, scenario, today.weekly, foremost)
        for answer in today.answers:
            out.print(escape(answer))
    lines = [*_targets(scenario, found)]
    for line in lines[:_MOST_TARGETS]:
        out.print(line)
    if len(lines) > _MOST_TARGETS:
        out.print(f"and {len(lines) - _MOST_TARGETS} more targets, all in summary.csv: {_verdicts(found)}")
    for line in () if large else _break_even(scenario, found):
        out.print(escape(line))
    warnings = [*notes, *flags(found, scenario)]
    for warning in warnings[:_MOST_NOTES]:
        out.print(escape(f"note: {warning}"))
    if len(warnings) > _MOST_NOTES:
        out.print(f"note: {len(warnings) - _MOST_NOTES} more notes like these; --json gives all.")
    out.print(f"[bold]{escape(limiting(found, scenario, foremost))}[/bold]")
    if large:
        out.print(_ELSEWHERE)


def print_differences(out: Console, comparison: Comparison, notes: Sequence[str] = ()) -> None:
    """Print the paired differences of all plans to the base plan, and how far the same patients met them."""
    title = differences_title(comparison)
    if out.width < _WIDE_ENOUGH_FOR_DIFFERENCES:
        _list_differences(out, title, comparison)
    else:
        out.print(_table_of_differences(title, comparison))
    for plan in besides(comparison):
        out.print(escape(plan.heading))
        for line in plan.lines:
            first, *rest = wrap(line, out.width - 4, subsequent_indent="  ")
            out.print(escape("\n".join(f"  {text}" for text in (first, *rest))))
    out.print(escape(matched_text(comparison.matched)))
    for note in notes:
        out.print(escape(f"note: {note}"))


def differences_title(comparison: Comparison) -> str:
    """What the table of differences shows, in a line."""
    many = f"{comparison.count} replication{'s' * (comparison.count > 1)}"
    return f"Differences to {comparison.base} in {many} of each plan; all intervals hold together at 95 %"


def difference_texts(comparison: Comparison) -> tuple[list[str], list[list[str]]]:
    """Header and rows of the table of differences, as people read them."""
    header = ["plan", "metric", comparison.base, "plan's", "difference", "interval", "unit", "p (Holm)"]
    rows = [
        [
            one.plan,
            one.metric,
            *(number_text(value, one.unit) for value in (one.base_estimate, one.plan_estimate)),
            *difference_text(one.difference, one.unit),
            _p_text(one.p_holm),
            in_words(one, comparison.base),
        ]
        for one in comparison.differences
    ]
    return [*header, "in words"], rows


def _table_of_differences(title: str, comparison: Comparison) -> Table:
    from rich import box
    from rich.table import Table

    header, rows = difference_texts(comparison)
    table = Table(title=escape(title), box=box.SIMPLE, title_justify="left")
    for column in header:
        (_add_text if column in {"plan", "metric", "unit", "in words"} else _add_numbers)(
            table, escape(column)
        )
    last = ""
    for plan, *texts in rows:
        table.add_row("" if plan == last else escape(plan), *map(escape, texts))
        last = plan
    return table


def _p_text(p: float) -> str:
    return "–" if isnan(p) else "≤0.001" if p < 0.001 else f"{p:.3f}"


def _list_differences(out: Console, title: str, comparison: Comparison) -> None:
    out.print(escape(title))
    last = ""
    for one in comparison.differences:
        if one.plan != last:
            out.print(f"[bold]{escape(one.plan)}[/bold]")
        last = one.plan
        values = [number_text(value, one.unit) for value in (one.base_estimate, one.plan_estimate)]
        difference, ends, unit = difference_text(one.difference, one.unit)
        told = (
            "" if isnan(one.difference.estimate) else f"{difference} {unit}{f' ({ends})' if ends else ''}: "
        )
        out.print(escape(f"  {one.metric}: {' → '.join(values)}\n    {told}{in_words(one, comparison.base)}"))


class _Cells(NamedTuple):
    """One line of the table as texts: words with how far they are set in, and the cells beside them."""

    indent: int
    words: str
    cells: tuple[str, ...]


def _print_table(out: Console, title: str, shown: Sequence[Section], observed: Mapping[str, float]) -> bool:
    """Print the table, with the names of metrics where there is room for them; whether its words fit at all."""
    from rich.cells import cell_len

    laid = [(heading, list(_cells(rows, observed))) for heading, rows in shown]
    header = ("estimate", "95 % interval", "unit", "observed", "metric")
    columns = list(zip(header, *(line.cells for _, lines in laid for line in lines), strict=True))
    widths = [max(map(cell_len, column)) + _GAP for column in columns]
    widths[3] *= bool(observed)
    longest = max((line.indent + cell_len(line.words) for _, lines in laid for line in lines), default=0)
    if longest + sum(widths) > out.width:
        widths[4] = 0
    room = min(longest, out.width - sum(widths))
    if room < _FEWEST:
        return False
    texts = [title, f"{' ' * room}{_aligned(header, widths)}", "─" * (room + sum(widths))]
    out.print(*map(escape, texts), sep="\n", no_wrap=True, crop=False)
    for number, (heading, lines) in enumerate(laid):
        out.print(f"{chr(10) * bool(number)}[bold]{escape(heading)}[/bold]", no_wrap=True, crop=False)
        for indent, words, cells in lines:
            first, *rest = wrap(words, room - indent, subsequent_indent="  ") or [""]
            gap = " " * (room - indent - cell_len(first))
            texts = [f"{first}{gap}{_aligned(cells, widths)}", *rest]
            texts = [escape(" " * indent + text.replace(HELD, " ")) for text in texts]
            out.print(*texts, sep="\n", no_wrap=True, crop=False)
    return True


def _cells(rows: Iterable[Row], observed: Mapping[str, float]) -> Iterator[_Cells]:
    last = ""
    for row in rows:
        one, follows = row.estimate, row.under and row.under == last
        last = row.under
        estimate = number_text(one.interval.estimate, one.unit)
        cells = (estimate, _ends(one), _unit(row), _seen(one, observed), one.name)
        yield _Cells(4, in_a_sentence(row.words), cells) if follows else _Cells(2, _words(row), cells)


def _aligned(cells: Sequence[str], widths: Sequence[int]) -> str:
    """Numbers to the right, units and names to the left of their columns; a column without width is left out."""
    estimate, ends, unit, seen, name = widths
    sides = (f">{estimate}", f">{ends}", f"<{unit}", f">{seen}", f"<{name}")
    shown = [
        f"{' ' * _GAP + cell if side[0] == '<' else cell:{side}}"
        for cell, side, width in zip(cells, sides, widths, strict=True)
        if width
    ]
    return "".join(shown).rstrip()


def _words(row: Row) -> str:
    return f"{row.under}: {in_a_sentence(row.words)}" if row.under else row.words


def _unit(row: Row) -> str:
    return row.of if row.estimate.unit == "share" else row.estimate.unit


def _seen(one: Estimate, observed: Mapping[str, float]) -> str:
    return number_text(observed[one.name], one.unit) if one.name in observed else ""


def _print_list(out: Console, title: str, shown: Iterable[Section], observed: Mapping[str, float]) -> None:
    """The same as `_print_table` for a narrow terminal: one number under the other."""
    out.print(f"{escape(title)}; 95 % intervals in brackets")
    for heading, rows in shown:
        out.print(f"[bold]{escape(heading)}[/bold]")
        for row in rows:
            one, ends, seen = row.estimate, _ends(row.estimate), _seen(row.estimate, observed)
            parts = [number_text(one.interval.estimate, one.unit), _unit(row), f"({ends})" if ends else ""]
            said = " ".join(filter(None, parts)) + (f", observed {seen}" if seen else "")
            lines = wrap(_words(row), out.width, initial_indent="  ", subsequent_indent="   ")
            lines += wrap(said, out.width, initial_indent="    ", subsequent_indent="     ")
            out.print(escape("\n".join(lines).replace(HELD, " ")))


def _ends(one: Estimate) -> str:
    """The interval in words; for what depends on how long the clinic has been open, that it does."""
    return interval_text(one.interval.low, one.interval.high, one.unit) if one.steady else "not steady"


def _add_text(table: Table, title: str) -> None:
    table.add_column(title, overflow="fold")  # a narrow terminal breaks words rather than lose letters


def _add_numbers(table: Table, title: str) -> None:
    table.add_column(title, justify="right", no_wrap=True)


def _span(scenario: Scenario, replications: int) -> str:
    run = scenario.run
    many = f"{replications} replication{'s' * (replications > 1)}"
    return f"{run.weeks} weeks from {run.start}, {many}, seed {run.seed}"


def _break_even(scenario: Scenario, found: Sequence[Estimate]) -> Iterator[str]:
    """From which share of starters on the program costs no more than inpatient care: a sentence for each source."""
    assumed = scenario.money.inpatient_alternative
    by_name = {estimate.name: estimate.interval for estimate in found}
    for source in assumed.for_ if assumed else ():
        share = by_name.get(f"{source}.alternative.break_even_share")
        if assumed and share and not isnan(share.estimate):
            starters = "starters"
            if len(assumed.for_) > 1:
                starters += f" from {scenario.says(scenario.sources, source)}"
            said = share.estimate, share.low, share.high
            yield f"{break_even_text(said, assumed.share_of(source), starters)}."


def _verdicts(found: Sequence[Estimate]) -> str:
    """`3 met, 2 missed`: how many targets have which verdict."""
    there = [one.verdict for one in found if one.verdict]
    return ", ".join(f"{there.count(word)} {word}" for word in dict.fromkeys(there))


def _targets(scenario: Scenario, found: Sequence[Estimate]) -> Iterator[str]:
    """One line per metric that a target stands on, in the order of the file."""
    colors = {"met": "green", "missed": "red", "undecided": "yellow"}
    by_name = {estimate.name: estimate for estimate in found}
    for name in dict.fromkeys(target.metric for target in scenario.targets):
        one = by_name[name]
        interval, color = one.interval, colors[one.verdict]
        sides = [
            f"{word} {limit_text(limit, one.unit)}"
            for target in scenario.targets
            if target.metric == name
            for word, limit in (("at most", target.at_most), ("at least", target.at_least))
            if limit is not None
        ]
        ends = _ends(one)
        value = number_text(interval.estimate, one.unit) + (f" ({ends})" if ends else "")
        years = (
            ""
            if isnan(one.share_of_years)
            else f", met in {100 * one.share_of_years:.0f} % of simulated years"
        )
        yield f"target {name} {' and '.join(sides)}: {value} [{color}]{one.verdict}[/{color}]{years}"
