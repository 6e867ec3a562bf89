"""The workbook of a comparison: the paired differences, and the plans."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iopsim.experiment.store import read_resolved
from iopsim.report.workbook.about import versions
from iopsim.report.workbook.book import COUNT, Book, Column, Number
from iopsim.report.workbook.source import damage_told, rows_of

if TYPE_CHECKING:
    from typing import IO

    from iopsim.experiment.store import Results as Stored
    from iopsim.report.workbook.book import Cell

__all__ = ["write_comparison"]

_NUMBERS = ("base", "estimate", "difference", "ci_low", "ci_high", "sd")


def write_comparison(stored: Stored, file: IO[bytes]) -> None:
    """Write a comparison's tables as a workbook.

    Raises:
        InputError: A table is missing or damaged.
        MachineError: One cannot be read.
    """
    with damage_told(stored.path):
        differences = [_cells(row) for row in rows_of(stored.file("differences.csv"))]
        plans: list[list[Cell]] = [
            [row["plan"], int(row["replications"]), float(row["matched_patients_share"]), row["key"]]
            for row in rows_of(stored.file("plans.csv"))
        ]
        there = (path.relative_to(stored.path).as_posix() for path in stored.path.glob("plans/*.yaml"))
        names = {*there, *stored.manifest.get("files", ())}
        first = min(name for name in names if name.startswith("plans/0-"))
        currency = read_resolved(stored.file(first)).currency
    base = str(plans[0][0])
    book = Book(file, title="Comparison", currency=currency)
    note = f"Plan less {base}, replication by replication: the same patients meet every plan."
    sheet = book.sheet(
        "Differences", f"Differences to {base}", f"{note} All intervals hold together at 95 %."
    )
    sheet.table([Column(words) for words in _HEADINGS], differences, filtered=True)
    for text in stored.manifest.get("notes", ()):
        sheet.line(text)
    sheet.fit()
    sheet = book.sheet(
        "Plans", "Plans", "Matched: of the patients referred in the base or in the plan, those in both."
    )
    columns = [
        Column("plan"),
        Column("replications", COUNT),
        Column("matched patients", "share"),
        Column("content key"),
    ]
    sheet.table(columns, plans)
    sheet.fit()
    sheet = book.sheet("About", "About this comparison")
    versions(sheet, stored.manifest, [["base plan", base], ["currency", currency]])
    sheet.fit()
    book.close()


_HEADINGS = (
    "plan",
    "metric",
    "unit",
    "better",
    "base plan",
    "this plan",
    "difference",
    "interval, low",
    "interval, high",
    "standard deviation",
    "p (Holm)",
    "in words",
)


def _cells(row: dict[str, str]) -> list[Cell]:
    numbers = [Number(float(row[name] or "nan"), row["unit"]) for name in _NUMBERS]
    p = float(row["p_holm"] or "nan")
    better = row["better"].replace("neither", "")
    return [row["plan"], row["metric"], row["unit"], better, *numbers, Number(p, "p"), row["words"]]
