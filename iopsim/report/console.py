"""The planner's table: access, capacity, staff, money and targets, each number with its interval."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iopsim.experiment.summary import flags, limiting
from iopsim.report.wording import SECTIONS, interval_text, number_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rich.console import Console
    from rich.table import Table

    from iopsim.experiment.compare import Difference
    from iopsim.experiment.summary import Estimate
    from iopsim.scenario.schema import Scenario

__all__ = ["console", "print_differences", "print_summary"]

_WIDE = 120  # where there is no terminal nothing is cut


def console() -> Console:
    """Standard output: colored on a terminal (unless NO_COLOR), plain and wide elsewhere."""
    import sys

    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() else _WIDE, highlight=False, soft_wrap=False)


def print_summary(out: Console, scenario: Scenario, found: Sequence[Estimate]) -> None:
    """Print the table, the flags, and the sentence that says what limits the program."""
    by_name = {estimate.name: estimate for estimate in found}
    table = _table(f"{scenario.name}: {_span(scenario)}", "95 % interval", "" if scenario.observed else None)
    levels = sorted(scenario.levels, key=lambda name: not scenario.levels[name].is_own)
    for section, lines in SECTIONS.items():
        for level in levels:
            entries = [(line.words, by_name.get(f"{level}.{line.metric}")) for line in lines]
            _section(table, f"{section}: {scenario.says(scenario.levels, level)}", entries, scenario.observed)
    _section(table, "Staff", _staff(scenario, by_name), scenario.observed)
    _section(table, "Money", _money(scenario, by_name), scenario.observed)
    out.print(table)
    _print_targets(out, scenario, found)
    for warning in flags(found, scenario):
        out.print(f"note: {warning}")
    out.print(f"[bold]{limiting(found, scenario)}[/bold]")


def print_differences(out: Console, base: str, differences: Sequence[Difference]) -> None:
    """Print the paired differences of all plans to the base plan."""
    from rich import box
    from rich.table import Table

    table = Table(title=f"Differences to {base} (same patients)", box=box.SIMPLE, title_justify="left")
    for column in ("plan", "metric", base, "plan's", "difference", "interval (all hold at 95 %)", "in words"):
        table.add_column(column, justify="left" if column in {"plan", "metric", "in words"} else "right")
    last = ""
    for one in differences:
        plan = one.plan if one.plan != last else ""
        last = one.plan
        interval = one.difference
        table.add_row(
            plan,
            one.metric,
            number_text(one.base_estimate, one.unit),
            number_text(one.plan_estimate, one.unit),
            _signed(interval.estimate, one.unit),
            f"{_signed(interval.low, one.unit)} to {_signed(interval.high, one.unit)}",
            one.words,
        )
    out.print(table)


def _table(title: str, *columns: str | None) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(title=title, box=box.SIMPLE_HEAD, title_justify="left", show_edge=False)
    table.add_column("")
    table.add_column("estimate", justify="right")
    table.add_column(columns[0] or "", justify="right")
    table.add_column("unit")
    if columns[1] is not None:
        table.add_column("observed", justify="right")
    return table


def _span(scenario: Scenario) -> str:
    run = scenario.run
    return f"{run.weeks} weeks from {run.start}, {run.replications} replications, seed {run.seed}"


def _section(
    table: Table,
    title: str,
    entries: Sequence[tuple[str, Estimate | None]],
    observed: Mapping[str, float],
) -> None:
    present = [(words, estimate) for words, estimate in entries if estimate is not None]
    if not present:
        return
    table.add_section()
    table.add_row(f"[bold]{title}[/bold]")
    for words, estimate in present:
        interval, unit = estimate.interval, estimate.unit
        seen = [number_text(observed[estimate.name], unit)] if estimate.name in observed else []
        table.add_row(
            f"  {words}",
            number_text(interval.estimate, unit),
            interval_text(interval.low, interval.high, unit),
            "" if unit == "share" else unit,
            *seen,
        )


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
    words = {
        "program.cost.total": "Cost of the program",
        "program.revenue.total": "Revenue",
        "program.margin.total": "Margin",
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


def _print_targets(out: Console, scenario: Scenario, found: Sequence[Estimate]) -> None:
    for line in _targets(found):
        out.print(line)


def _targets(found: Sequence[Estimate]) -> Iterator[str]:
    colors = {"met": "green", "missed": "red", "undecided": "yellow"}
    for one in found:
        if one.target:
            interval = one.interval
            ends = interval_text(interval.low, interval.high, one.unit)
            value = f"{number_text(interval.estimate, one.unit)} ({ends})"
            years = f"met in {100 * one.share_of_years:.0f} % of simulated years"
            yield (
                f"target {one.name} {one.target}: {value} "
                f"[{colors[one.verdict]}]{one.verdict}[/{colors[one.verdict]}], {years}"
            )


def _signed(value: float, unit: str) -> str:
    text = number_text(value, unit)
    return f"+{text}" if value > 0 else text
