"""The planner's table: access, capacity, staff, money and targets, each number with its interval."""

from __future__ import annotations

from math import isnan
from typing import TYPE_CHECKING

from rich.markup import escape

from iopsim.experiment.summary import flags, limiting
from iopsim.report.wording import (
    SECTIONS,
    difference_text,
    interval_text,
    limit_text,
    matched_text,
    number_text,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from rich.console import Console
    from rich.table import Table

    from iopsim.experiment.compare import Comparison, Difference
    from iopsim.experiment.summary import Estimate
    from iopsim.scenario.schema import Scenario

__all__ = ["console", "difference_texts", "differences_title", "print_differences", "print_summary"]

Section = tuple[str, list[tuple[str, "Estimate"]]]

_WIDE = 200  # where there is no terminal nothing is cut
_WIDE_ENOUGH_FOR_DIFFERENCES = 140
_NARROW = 76  # columns below which numbers stand under their words


def console() -> Console:
    """Standard output: colored on a terminal (unless NO_COLOR), plain and wide elsewhere."""
    import sys

    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() else _WIDE, highlight=False, soft_wrap=False)


def print_summary(
    out: Console, scenario: Scenario, found: Sequence[Estimate], replications: int, notes: Sequence[str] = ()
) -> None:
    """Print the table, notes and flags, and the sentence that says what limits the program."""
    sections = list(_sections(scenario, {estimate.name: estimate for estimate in found}))
    title = f"{scenario.name}: {_span(scenario, replications)}"
    if out.width < _NARROW:
        _print_list(out, title, sections, scenario.observed)
    else:
        out.print(_table(title, sections, scenario.observed))
    for line in _targets(scenario, found):
        out.print(line)
    for warning in (*notes, *flags(found, scenario)):
        out.print(escape(f"note: {warning}"))
    out.print(f"[bold]{escape(limiting(found, scenario))}[/bold]")


def print_differences(out: Console, comparison: Comparison, notes: Sequence[str] = ()) -> None:
    """Print the paired differences of all plans to the base plan, and how far the same patients met them."""
    title = differences_title(comparison)
    if out.width < _WIDE_ENOUGH_FOR_DIFFERENCES:
        _list_differences(out, title, comparison.differences)
    else:
        out.print(_table_of_differences(title, comparison))
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
            one.words,
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


def _list_differences(out: Console, title: str, differences: Sequence[Difference]) -> None:
    out.print(escape(title))
    last = ""
    for one in differences:
        if one.plan != last:
            out.print(f"[bold]{escape(one.plan)}[/bold]")
        last = one.plan
        values = [number_text(value, one.unit) for value in (one.base_estimate, one.plan_estimate)]
        difference, ends, unit = difference_text(one.difference, one.unit)
        out.print(f"  {one.metric}: {' → '.join(values)}")
        out.print(f"    {difference} {unit}{f' ({ends})' if ends else ''}: {one.words}")


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
                _ends(estimate),
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
            ends = _ends(estimate)
            seen = (
                f", observed {number_text(observed[estimate.name], unit)}"
                if estimate.name in observed
                else ""
            )
            out.print(escape(f"  {words}"))
            out.print(f"    {number_text(interval.estimate, unit)}{said}{f' ({ends})' if ends else ''}{seen}")


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
        ends = _ends(one)
        value = number_text(interval.estimate, one.unit) + (f" ({ends})" if ends else "")
        years = (
            ""
            if isnan(one.share_of_years)
            else f", met in {100 * one.share_of_years:.0f} % of simulated years"
        )
        yield f"target {name} {' and '.join(sides)}: {value} [{color}]{one.verdict}[/{color}]{years}"
