"""The planner's weeks: census, waitlist, starts and revenue from today on, each with two bands that are named."""

from __future__ import annotations

import datetime as dt
import math
from typing import TYPE_CHECKING, NamedTuple

from rich.cells import cell_len
from rich.markup import escape

from iopsim.experiment.statistics import FEWEST_YEARS
from iopsim.report.wording import interval_text, number_text, series_unit, series_words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rich.console import Console

    from iopsim.experiment.run import Band
    from iopsim.scenario.schema import Scenario

__all__ = ["print_weeks", "weeks_shown"]

_HEADING = "Week by week: mean, precision (95 % interval of the mean), range of years ({})"
_YEARS, _LEFT_BLANK = "10–90 % of replications", f", left blank: takes {FEWEST_YEARS}"
_COLUMNS = ("mean", "precision", "range of years")
_OF_LEVELS = ("census", "waitlist", "starts")
_OF_PROGRAM = ("program.revenue",)
_EACH, _EVERY = 4, 4  # all of the first weeks, then one in so many
_GAP, _WIDE_GAP = "  ", "     "


class _Block(NamedTuple):
    """One series: whose it is and what, and three cells beside each week."""

    owner: str
    words: str
    cells: Sequence[tuple[str, ...]]

    def lines(self) -> list[str]:
        """Two lines of words, titles of the columns, then the weeks: all of one width; blank columns are left out."""
        columns = [column for column in zip(_COLUMNS, *self.cells, strict=True) if any(column[1:])]
        widths = [max(map(cell_len, column)) for column in columns]
        numbers = [_GAP.join(map(_right, row, widths)) for row in zip(*columns, strict=True)]
        width = max(cell_len(self.words), cell_len(self.owner), cell_len(numbers[0]))
        return [text + " " * (width - cell_len(text)) for text in (self.owner, self.words, *numbers)]


def print_weeks(
    out: Console,
    scenario: Scenario,
    weekly: Mapping[str, Sequence[Band]],
    levels: Sequence[str] | None = None,
) -> None:
    """Print the weeks of the program and of its own levels, or some: as many series abreast as there is room for."""
    own = [name for name, level in scenario.levels.items() if level.is_own]
    levels = own if levels is None else levels
    weeks, start = weeks_shown(scenario.run.weeks), scenario.run.start
    dates = [(start + dt.timedelta(weeks=week)).isoformat() for week in weeks]
    margin = [f"  {text:<10}" for text in ("", "", "week from", *dates)]
    is_blank = any(math.isnan(band.p10) for bands in weekly.values() for band in bands)
    out.print(f"\n[bold]{escape(_HEADING.format(_YEARS + _LEFT_BLANK * is_blank))}[/bold]")
    row = margin
    for block in _blocks(scenario, weekly, weeks, levels):
        wider = [_WIDE_GAP.join(pair) for pair in zip(row, block.lines(), strict=True)]
        if row is not margin and cell_len(wider[0]) > out.width:
            _print_row(out, row)
            wider = [_WIDE_GAP.join(pair) for pair in zip(margin, block.lines(), strict=True)]
        row = wider
    _print_row(out, row)
    if len(levels) < len(own):
        out.print(
            f"Shown: the {len(levels)} of {len(own)} levels where most wait; all stand in weekly.csv.gz."
        )


def weeks_shown(weeks: int) -> list[int]:
    """The first four measured weeks, from 0, and then every fourth."""
    return [week for week in range(weeks) if week < _EACH or (week + 1) % _EVERY == 0]


def _blocks(
    scenario: Scenario, weekly: Mapping[str, Sequence[Band]], weeks: Sequence[int], levels: Sequence[str]
) -> Iterator[_Block]:
    said = {name: scenario.says(scenario.levels, name) for name in scenario.levels}
    names = [*(f"{level}.{kind}" for level in levels for kind in _OF_LEVELS), *_OF_PROGRAM]
    before = scenario.run.warm_up_weeks
    for name in (name for name in names if name in weekly):
        unit = series_unit(name, scenario.currency)
        bands = (weekly[name][before + week] for week in weeks)
        owner, _, what = series_words(name, said).partition(": ")
        yield _Block(owner, f"{what}, {unit}", [_cells(band, unit) for band in bands])


def _cells(band: Band, unit: str) -> tuple[str, ...]:
    return (
        number_text(band.mean, unit),
        interval_text(band.low, band.high, unit),
        interval_text(band.p10, band.p90, unit),
    )


def _right(text: str, width: int) -> str:
    return " " * (width - cell_len(text)) + text


def _print_row(out: Console, lines: Sequence[str]) -> None:
    for line in lines:
        out.print(escape(line.rstrip()), no_wrap=True, crop=False, soft_wrap=True)
    out.print("")
