"""The planner's table: access, capacity, staff, money and targets, each number with its interval."""

from __future__ import annotations

from math import isnan
from typing import TYPE_CHECKING

from rich.markup import escape

from iopsim.experiment.summary import flags, limiting
from iopsim.report.wording import SECTIONS, interval_text, limit_text, number_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from rich.console import Console
    from rich.table import Table

    from iopsim.experiment.compare import Difference
    from iopsim.experiment.summary import Estimate
    from iopsim.scenario.schema import Scenario

__all__ = ["console", "print_differences", "print_summary"]

Section = tuple[str, list[tuple[str, "Estimate"]]]

_WIDE = 160  # where there is no terminal nothing is cut
_WIDE_ENOUGH_FOR_DIFFERENCES = 110
_NARROW = 76  # columns below which numbers stand under their words


def console() -> Console:
    """Standard output: colored on a terminal (unless NO_COLOR), plain and wide elsewhere."""
    import sys

    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() else _WIDE, highlight=False, soft_wrap=False)


def print_summary(out: Console, scenario: Scenario, found: Sequence[Estimate]) -> None:
    """Print the table, the flags, and the sentence that says what limits the program."""
    sections = list(_sections(scenario, {estimate.name: estimate for estimate in found}))
    title = f"{scenario.name}: {_span(scenario)}"
    if out.width < _NARROW:
        _print_list(out, title, sections, scenario.observed)
    else:
        out.print(_table(title, sections, scenario.observed))
    for line in _targets(scenario, found):
        out.print(line)
    for warning in flags(found, scenario):
        out.print(escape(f"note: {warning}"))
    out.print(f"[bold]{escape(limiting(found, scenario))}[/bold]")


def print_differences(out: Console, base: str, differences: Sequence[Difference]) -> None:
    """Print the paired differences of all plans to the base plan."""
    title = f"Differences to {base}; the same patients met each plan, and all intervals hold at 95 % together"
    if out.width < _WIDE_ENOUGH_FOR_DIFFERENCES:
        _list_differences(out, title, differences)
    else:
        out.print(_table_of_differences(title, base, differences))


def _table_of_differences(title: str, base: str, differences: Sequence[Difference]) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(title=escape(title), box=box.SIMPLE, title_justify="left")
    for column in ("plan", "metric"):
        _add_text(table, column)
    for column in (escape(base), "plan's", "difference", "interval"):
        _add_numbers(table, column)
    _add_text(table, "unit")
    _add_text(table, "in words")
    last = ""
    for one in differences:
        plan, last = (one.plan if one.plan != last else ""), one.plan
        table.add_row(
            escape(plan),
            one.metric,
            number_text(one.base_estimate, one.unit),
            number_text(one.plan_estimate, one.unit),
            *_difference_texts(one),
            one.words,
        )
    return table


def _list_differences(out: Console, title: str, differences: Sequence[Difference]) -> None:
    out.print(escape(title))
    last = ""
    for one in differences:
        if one.plan != last:
            out.print(f"[bold]{escape(one.plan)}[/bold]")
        last = one.plan
        values = [number_text(value, one.unit) for value in (one.base_estimate, one.plan_estimate)]
        difference, ends, unit = _difference_texts(one)
        out.print(f"  {one.metric}: {' → '.join(values)}")
        out.print(f"    {difference} {unit} ({ends}): {one.words}")


def _points(share: float) -> str:
    text = f"{100 * share:+.1f}"
    return text if float(text) else "0.0"


def _difference_texts(one: Difference) -> tuple[str, str, str]:
    """The difference, its interval and the unit of both: shares differ by percentage points."""
    interval, share = one.difference, one.unit == "share"
    parts = (interval.estimate, interval.low, interval.high)
    if share:
        difference, low, high = (_points(part) for part in parts)
    else:
        difference, low, high = (_signed(part, one.unit) for part in parts)
    return difference, f"{low} to {high}", "points" if share else one.unit


def _sections(scenario: Scenario, by_name: Mapping[str, Estimate]) -> Iterator[Section]:
    """What is shown, in order: the program's own levels before those bought; empty sections are left out."""
    levels = sorted(scenario.levels, key=lambda name: not scenario.levels[name].is_own)
    for section, lines in SECTIONS.items():
        for level in levels:
            entries = [(line.words, by_name.get(f"{level}.{line.metric}")) for line in lines]
            yield from _section(f"{section}: {scenario.says(scenario.levels, level)}", entries)
    yield from _section("Staff", _staff(scenario, by_name))
    yield from _section("Money", _money(scenario, by_name))


def _section(title: str, entries: Iterable[tuple[str, Estimate | None]]) -> Iterator[Section]:
    present = [(words, estimate) for words, estimate in entries if estimate is not None]
    if present:
        yield title, present


def _table(title: str, sections: Iterable[Section], observed: Mapping[str, float]) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(title=title, box=box.SIMPLE_HEAD, title_justify="left", show_edge=False)
    _add_text(table, "")
    _add_numbers(table, "estimate")
    _add_numbers(table, "95 % interval")
    _add_text(table, "unit")
    if observed:
        _add_numbers(table, "observed")
    for heading, entries in sections:
        table.add_section()
        table.add_row(f"[bold]{escape(heading)}[/bold]")
        for words, estimate in entries:
            interval, unit = estimate.interval, estimate.unit
            table.add_row(
                escape(f"  {words}"),
                number_text(interval.estimate, unit),
                interval_text(interval.low, interval.high, unit),
                "" if unit == "share" else unit,
                *([number_text(observed[estimate.name], unit)] if estimate.name in observed else []),
            )
    return table


def _print_list(out: Console, title: str, sections: Iterable[Section], observed: Mapping[str, float]) -> None:
    """The same as `_table` for a narrow terminal: one number under the other."""
    out.print(f"{title}; 95 % intervals in brackets")
    for heading, entries in sections:
        out.print(f"[bold]{escape(heading)}[/bold]")
        for words, estimate in entries:
            interval, unit = estimate.interval, estimate.unit
            said = "" if unit == "share" else f" {unit}"
            ends = interval_text(interval.low, interval.high, unit)
            seen = (
                f", observed {number_text(observed[estimate.name], unit)}"
                if estimate.name in observed
                else ""
            )
            out.print(escape(f"  {words}"))
            out.print(f"    {number_text(interval.estimate, unit)}{said}{f' ({ends})' if ends else ''}{seen}")


def _add_text(table: Table, title: str) -> None:
    table.add_column(title, overflow="fold")  # a narrow terminal breaks words rather than lose letters


def _add_numbers(table: Table, title: str) -> None:
    table.add_column(title, justify="right", no_wrap=True)


def _span(scenario: Scenario) -> str:
    run = scenario.run
    return f"{run.weeks} weeks from {run.start}, {run.replications} replications, seed {run.seed}"


def _staff(scenario: Scenario, by_name: Mapping[str, Estimate]) -> list[tuple[str, Estimate | None]]:
    lines: list[tuple[str, Estimate | None]] = []
    for role, spec in scenario.staff.items():
        label = scenario.says(scenario.staff, role)
        hours = spec.employed_fte * spec.bookable_hours_per_fte
        lines += [
            (f"{label}: caseload utilization", by_name.get(f"{role}.caseload_utilization.mean")),
            (f"{label}: hours needed, of {hours:.0f} bookable", by_name.get(f"{role}.hours_needed.mean")),
            (f"{label}: FTE needed, of {spec.employed_fte:g}", by_name.get(f"{role}.fte_needed.mean")),
        ]
    return lines


def _money(scenario: Scenario, by_name: Mapping[str, Estimate]) -> list[tuple[str, Estimate | None]]:
    span = f"{scenario.run.weeks} weeks"
    words = {
        "program.cost.total": f"Cost of the program, {span}",
        "program.revenue.total": f"Revenue, {span}",
        "program.margin.total": f"Margin, {span}",
        "program.cost.per_attended_day": "Cost per attended day",
        "program.cost.per_episode": "Cost per episode",
        "program.cost.per_completed_episode": "Cost per completed episode",
    }
    lines = [(text, by_name.get(name)) for name, text in words.items()]
    for payer in scenario.payers:
        label = scenario.says(scenario.payers, payer)
        lines.append((f"Margin, {label}", by_name.get(f"program.margin_by_payer.{payer}")))
    alternative = {
        "alternative.cost.total": "Inpatient alternative, cost",
        "alternative.saving.total": "Inpatient alternative, saving",
        "alternative.break_even_share": "Break-even share of divertible starters",
    }
    return lines + [(text, by_name.get(name)) for name, text in alternative.items()]


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
        ends = interval_text(interval.low, interval.high, one.unit)
        value = number_text(interval.estimate, one.unit) + (f" ({ends})" if ends else "")
        years = (
            ""
            if isnan(one.share_of_years)
            else f", met in {100 * one.share_of_years:.0f} % of simulated years"
        )
        yield f"target {name} {' and '.join(sides)}: {value} [{color}]{one.verdict}[/{color}]{years}"


def _signed(value: float, unit: str) -> str:
    text = number_text(value, unit)
    return f"+{text}" if value > 0 else text
