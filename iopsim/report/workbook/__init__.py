"""The workbook of a results folder, made from its tables: for people who live in spreadsheets.

A sheet is one function from a `Source` to cells and charts, in the module of its theme; what cells and sheets look
like is said in `book`, and only there is the library that writes them.
"""

from __future__ import annotations

from typing import IO, TYPE_CHECKING

from iopsim.errors import Fault, InputError, Mark

if TYPE_CHECKING:
    from pathlib import Path

    from iopsim.experiment.store import Results as Stored

__all__ = ["write_workbook"]

_INSTEAD = {
    "sweep": "its tables (sweep.csv, points.csv, frontier.csv) open in a spreadsheet as they are",
    "shard": "join all parts with `iopsim merge`, and give the folder that it writes",
}


def write_workbook(folder: Path, file: IO[bytes]) -> None:
    """Write the results of a run or of a comparison as a workbook: the same bytes for the same results.

    Raises:
        InputError: The folder holds neither, or a table is missing or damaged; the library is not installed.
        MachineError: A table cannot be read.
    """
    from iopsim.experiment.store import read_run

    stored = read_run(folder)
    kind = str(stored.manifest.get("kind"))
    if kind == "run":
        _write_run(stored, file)
    elif kind == "comparison":
        from iopsim.report.workbook.comparison import write_comparison

        write_comparison(stored, file)
    else:
        message = f"a {kind} has no workbook; {_INSTEAD.get(kind, 'give a run or a comparison')}"
        raise InputError(Fault("no-workbook", message, mark=Mark(str(stored.path))))


def _write_run(stored: Stored, file: IO[bytes]) -> None:
    from iopsim.report.workbook import about, answers, money, program, today, weeks
    from iopsim.report.workbook.book import Book
    from iopsim.report.workbook.source import read_source

    source = read_source(stored)
    book = Book(file, title=source.scenario.name, currency=source.scenario.currency)
    for sheet in (
        answers.summary,
        today.today,
        answers.all_metrics,
        weeks.weeks,
        program.groups,
        program.staff,
        money.money,
        about.replications,
        about.scenario,
        about.about,
    ):
        sheet(book, source)
    book.close()
