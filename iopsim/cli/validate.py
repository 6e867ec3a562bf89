"""`iopsim validate`: whether a scenario is right, and whether its numbers can be."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import click

from iopsim.cli.options import load, scenario_argument, set_option

if TYPE_CHECKING:
    from collections.abc import Iterator

    from iopsim.scenario.plausible import Plausibility

__all__ = ["command"]

_WIDTH = 80


@click.command("validate")
@scenario_argument
@set_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of text.")
def command(scenario: str, sets: tuple[str, ...], as_json: bool) -> None:
    """Check SCENARIO without simulating it.

    Faults are all reported at once, and the exit code is 2. A scenario without faults is put to arithmetic: the
    load offered to every pool of places, seats and therapists against its capacity, expected hours of every
    role against bookable ones. What cannot work out is a warning; the exit code is 0.
    """
    from iopsim.scenario.plausible import assess

    read = load(scenario, sets).scenario
    plausibility = assess(read)
    if as_json:
        import json

        click.echo(json.dumps({"scenario": read.name, **_plain(plausibility)}, indent=2, ensure_ascii=False))
        return
    click.echo(click.wrap_text(f"{read.name}: {read.description}".removesuffix(": "), _WIDTH))
    for line in _lines(plausibility):
        click.echo(line)


def _lines(plausibility: Plausibility) -> Iterator[str]:
    yield from _table(
        "Needed, if nobody gave up, was refused or held a place, of what there is",
        [(pool.name, pool.load, pool.capacity, pool.utilization, pool.unit) for pool in plausibility.pools],
    )
    yield from _table(
        "Hours a week, expected of what can be booked",
        [(work.role, work.expected, work.bookable, work.utilization, "") for work in plausibility.hours],
    )
    if plausibility.findings:
        yield ""
    for finding in plausibility.findings:
        yield click.wrap_text(f"{finding.severity}: {finding}", _WIDTH, subsequent_indent="    ")
    numbers = Counter({"warning": 0})
    numbers.update(finding.severity for finding in plausibility.findings)
    yield "\nvalid: " + ", ".join(f"{number} {what}{'s' * (number != 1)}" for what, number in numbers.items())


def _table(title: str, rows: list[tuple[str, float, float, float, str]]) -> Iterator[str]:
    """Lines of name, amount, capacity, share of it and unit, aligned."""
    if rows:
        yield f"\n{title}"
    width = max((len(name) for name, *_ in rows), default=0)
    for name, amount, capacity, utilization, unit in rows:
        share = f"{utilization:6.0%}" if capacity else "     –"
        yield f"  {name:<{width}} {amount:8.1f} of {capacity:8.1f} {share}  {unit}".rstrip()


def _plain(plausibility: Plausibility) -> dict[str, Any]:
    """The same as plain data; a utilization without capacity is null."""
    return {
        "pools": [
            {
                "name": pool.name,
                "level": pool.level,
                "constraint": pool.constraint,
                "whom": pool.whom,
                "unit": pool.unit,
                "load": pool.load,
                "capacity": pool.capacity,
                "utilization": pool.utilization if pool.capacity else None,
            }
            for pool in plausibility.pools
        ],
        "hours": [
            {
                "role": work.role,
                "expected": work.expected,
                "bookable": work.bookable,
                "utilization": work.utilization if work.bookable else None,
                "fte_needed": work.fte_needed,
                "fte_employed": work.fte_employed,
            }
            for work in plausibility.hours
        ],
        "findings": [
            {"severity": finding.severity, "path": finding.path, "message": finding.message}
            for finding in plausibility.findings
        ],
    }
