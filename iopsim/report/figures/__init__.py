"""The figures of a results folder, drawn from its tables: simulates nothing, needs no model.

A figure is one function from `Results` to drawings (none where the scenario has nothing to draw), in the module of
its theme; the functions that plot take the numbers and an `Axes`, and return the `Axes`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from iopsim.report.style import files, styled
from iopsim.report.tables import read_results

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from iopsim.experiment.compare import Comparison
    from iopsim.report.style import Drawing

__all__ = ["draw_all", "draw_comparison", "draw_sweep", "drawings"]


def draw_all(folder: Path) -> Iterator[tuple[str, bytes]]:
    """File name and content of every figure, as SVG and as PNG.

    Raises:
        InputError: If the folder lacks a table.
    """
    for drawing in drawings(folder):
        yield from files(drawing)


def drawings(folder: Path) -> Iterator[Drawing]:
    """Every figure that the scenario makes possible.

    Raises:
        InputError: If the folder lacks a table.
    """
    from iopsim.report.figures import blocked, books, capacity, census, goals, money, patients, staff, today

    results = read_results(folder)
    for figure in (
        goals.targets,
        census.over_time,
        today.flow,
        today.under,
        today.starts,
        patients.waits,
        patients.funnel,
        capacity.fill,
        capacity.sessions,
        staff.posts,
        staff.caseload,
        staff.hours,
        blocked.held,
        books.weeks,
        books.payers,
        books.contributions,
        books.levels,
        money.alternative,
    ):
        with styled():
            made = figure(results)
        yield from made


def draw_comparison(comparison: Comparison) -> Iterator[tuple[str, bytes]]:
    """File name and content of every figure of a comparison, as SVG and as PNG."""
    from iopsim.report.figures import compare

    for figure in (compare.differences, compare.waitlists, compare.cost_beside_access):
        with styled():
            made = figure(comparison)
        for drawing in made:
            yield from files(drawing)


def draw_sweep(folder: Path) -> Iterator[tuple[str, bytes]]:
    """File name and content of every figure of a sweep, as SVG and as PNG.

    Raises:
        InputError: If the folder lacks a table.
    """
    from iopsim.report.figures import frontier, sweep
    from iopsim.report.sweep_tables import read_sweep

    results = read_sweep(folder)
    for figure in (sweep.heat_maps, sweep.lines, frontier.frontier):
        with styled():
            made = figure(results)
        for drawing in made:
            yield from files(drawing)
