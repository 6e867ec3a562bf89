"""The planner's table where there are many levels: a line for each level, role and source, and targets in brief."""

from __future__ import annotations

from textwrap import wrap
from typing import TYPE_CHECKING, NamedTuple

from rich.cells import cell_len
from rich.markup import escape

from iopsim.report.lines import employed, few_digits, sections
from iopsim.report.wording import interval_text, number_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rich.console import Console

    from iopsim.experiment.summary import Estimate
    from iopsim.report.lines import Section
    from iopsim.scenario.schema import Scenario

__all__ = ["is_large", "most_waited_for", "print_overview", "totals"]

_MANY = 12  # levels: of more, a line for each of their numbers fills screens that nobody scrolls through
_NAMES = 24  # columns of a narrow terminal that names may take
_GAP = 2
_WHOLE = ("program.", "system.", "alternative.")


class _Column(NamedTuple):
    """A column: its metric after the name of the owner, and its heading, in two lines."""

    metric: str
    heading: tuple[str, str]


_LEVELS = (
    _Column("waitlist.mean", ("", "waiting")),
    _Column("wait_days.mean", ("wait,", "days")),
    _Column("census.mean", ("", "in care")),
    _Column("utilization.mean", ("utili-", "zation")),
    _Column("referrals.per_week", ("referrals", "a week")),
    _Column("reneged.share", ("gave", "up")),
    _Column("completed.share", ("", "completed")),
    _Column("held.mean", ("places", "held")),
)
_ROLES = (
    _Column("fte_needed.mean", ("FTE", "needed")),
    _Column("caseload_utilization.mean", ("caseload", "utilization")),
    _Column("slot_utilization.mean", ("appointments", "booked")),
    _Column("vacancy.share", ("posts", "vacant")),
)
_SOURCES = (
    _Column("conversion.share", ("", "conversion")),
    _Column("alternative.break_even_share", ("break-even", "share")),
)


def is_large(scenario: Scenario) -> bool:
    """Whether there are too many levels to tell every number of each."""
    return len(scenario.levels) > _MANY


def most_waited_for(scenario: Scenario, found: Sequence[Estimate], most: int) -> list[str]:
    """The program's own levels that most people wait for, in the order of the file."""
    by_name = {one.name: one.interval.estimate for one in found}
    own = [name for name, level in scenario.levels.items() if level.is_own]
    ranked = sorted(own, key=lambda name: -by_name.get(f"{name}.waitlist.mean", 0.0))
    return [name for name in own if name in ranked[:most]]


def totals(scenario: Scenario, found: Sequence[Estimate]) -> Iterator[Section]:
    """What the sections say of the whole program and the whole system."""
    for title, rows in sections(scenario, found):
        whole = [row for row in rows if row.estimate.name.startswith(_WHOLE)]
        if whole:
            yield title, whole


def print_overview(out: Console, scenario: Scenario, found: Sequence[Estimate]) -> None:
    """Print a line for each level, each role and each source, with intervals where there is room for them."""
    by_name = {one.name: one for one in found}
    levels = sorted(scenario.levels, key=lambda name: not scenario.levels[name].is_own)
    said = {name: scenario.says(scenario.levels, name) for name in levels}
    _print_matrix(out, f"Levels: {len(levels)}", said, _LEVELS, by_name)
    roles = {name: _role(scenario, name, by_name) for name in scenario.staff}
    _print_matrix(out, "Staff", roles, _ROLES, by_name)
    sources = {name: scenario.says(scenario.sources, name) for name in scenario.sources}
    cost = _Column("system_cost.per_referral", (f"{scenario.currency} per", "referral"))
    _print_matrix(out, "Sources", sources, (*_SOURCES, cost), by_name)


def _role(scenario: Scenario, role: str, by_name: Mapping[str, Estimate]) -> str:
    one = by_name.get(f"{role}.fte_employed")
    fte = employed(scenario, role, one.interval.estimate if one else float("nan"))
    return f"{scenario.says(scenario.staff, role)}, {few_digits(fte)} FTE"


def _print_matrix(
    out: Console,
    title: str,
    said: Mapping[str, str],
    columns: Sequence[_Column],
    by_name: Mapping[str, Estimate],
) -> None:
    columns = [column for column in columns if any(f"{name}.{column.metric}" in by_name for name in said)]
    if not columns:
        return
    rows = [name for name in said if any(f"{name}.{column.metric}" in by_name for column in columns)]
    longest = max(cell_len(said[name]) for name in rows)
    shown = [_texts(column, rows, by_name, ends=False) for column in columns]
    for place, column in enumerate(columns):  # the first columns tell their intervals where there is room
        wider = [*shown[:place], _texts(column, rows, by_name, ends=True), *shown[place + 1 :]]
        if longest + sum(map(_width, wider)) > out.width:
            break
        shown = wider
    room = min(longest, max(out.width - sum(map(_width, shown)), _NAMES))
    while len(shown) > 1 and room + sum(map(_width, shown)) > out.width:
        shown.pop()
    widths = [*map(_width, shown)]
    out.print(f"\n[bold]{escape(title)}[/bold]", no_wrap=True, crop=False)
    upper, lower, *lines = zip(*shown, strict=True)
    for cells in (upper, lower):
        _print_line(out, "", cells, room, widths)
    for name, cells in zip(rows, lines, strict=True):
        first, *rest = wrap(said[name], room, subsequent_indent="  ")
        _print_line(out, first, cells, room, widths)
        for text in rest:
            _print_line(out, text, (), room, widths)


def _texts(column: _Column, rows: Sequence[str], by_name: Mapping[str, Estimate], *, ends: bool) -> list[str]:
    """Both lines of the heading, and a cell for each row."""
    return [*column.heading, *(_cell(by_name.get(f"{name}.{column.metric}"), ends) for name in rows)]


def _cell(one: Estimate | None, ends: bool) -> str:
    if one is None:
        return ""
    number = number_text(one.interval.estimate, one.unit)
    interval = interval_text(one.interval.low, one.interval.high, one.unit) if ends and one.steady else ""
    return f"{number} ({interval})" if interval else number


def _width(texts: Sequence[str]) -> int:
    return max(map(cell_len, texts)) + _GAP


def _print_line(out: Console, name: str, cells: Sequence[str], room: int, widths: Sequence[int]) -> None:
    numbers = "".join(
        " " * (width - cell_len(cell)) + cell for cell, width in zip(cells, widths, strict=False)
    )
    line = f"{name}{' ' * (room - cell_len(name))}{numbers}".rstrip()
    out.print(escape(line), no_wrap=True, crop=False, soft_wrap=True)
