"""Sheets on where the numbers come from: each replication, the scenario with its sources, and what the words mean."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from iopsim.report.workbook.book import AS_WRITTEN, Column, Number

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from iopsim.report.workbook.book import Book, Cell, Sheet
    from iopsim.report.workbook.source import Source

__all__ = ["about", "replications", "scenario", "versions"]

_MOST = 1000  # replications side by side; a sheet has 16,384 columns
_WORDS = {
    "replication": "One simulated course of the whole time; another one has other chance, and other patients.",
    "estimate": "Mean of the replications. For shares, mean waits and money per day: a sum over all of them ÷ another.",
    "95 % interval": "Where the long-run value lies in 19 of 20 such cases. It narrows as replications are added.",
    "precision": "95 % interval of the mean: how well the mean is known, not how much years differ.",
    "range of years": "10–90 % of replications: eight in ten simulated years lie between. It does not narrow.",
    "met, missed": "The whole interval lies on the right, or on the wrong, side of what the target asks.",
    "undecided": "The interval lies across the limit: more replications may decide.",
    "warm-up, run-out": "Simulated before and after the measured weeks, and not measured.",
    "contribution": "Revenue of a group less what its sessions and members cost, without overhead and other staff.",
    "provider view": "The program's own levels: what they cost and earn.",
    "system view": "All levels that patients pass through, those bought from outside too.",
    "inpatient alternative": "Arithmetic on an assumption that the scenario states; no effect that was measured.",
}


def replications(book: Book, source: Source) -> None:
    """Every number by replication, side by side."""
    units = {one.name: one.unit for one in source.estimates}
    number = source.results.replications
    shown = min(number, _MOST)
    note = "The number of each replication; shares and means are those of the replication alone."
    if shown < number:
        note += f" The first {shown:,} of {number:,}; all are in replications.csv."
    sheet = book.sheet("Replications", "Replications", note)
    rows: Iterator[list[Cell]] = (
        [name, units.get(name, ""), *(Number(value, units.get(name, "")) for value in values[:shown])]
        for name, values in source.replications.items()
    )
    sheet.table(
        [Column("metric"), Column("unit"), *(Column(f"replication {at}") for at in range(shown))],
        rows,
        filtered=True,
    )
    sheet.fit()


def scenario(book: Book, source: Source) -> None:
    """Every value of the scenario, defaults filled in, with the note that says where it comes from."""
    note = "Every value, defaults filled in. A note on a part stands beside all values below it."
    sheet = book.sheet("Scenario", "Scenario", note)
    notes = source.scenario.notes
    written = {key: value for key, value in source.written.items() if key != "notes"}
    rows = ([path, value, _note(path, notes)] for path, value in _leaves(written, ""))
    sheet.table(
        [Column("path"), Column("value", AS_WRITTEN, 40), Column("source", width=80)], rows, filtered=True
    )
    sheet.fit()


def _leaves(tree: Any, path: str) -> Iterator[tuple[str, Cell]]:
    """Every value with its dotted path; lists of plain values stand in one cell."""
    if isinstance(tree, dict) and tree:
        for key, value in tree.items():
            yield from _leaves(value, f"{path}.{key}" if path else str(key))
    elif isinstance(tree, list) and any(isinstance(item, (dict, list)) for item in tree):
        for number, item in enumerate(tree):
            yield from _leaves(item, f"{path}[{number}]")
    else:
        yield path, _cell(tree)


def _cell(value: Any) -> Cell:
    match value:
        case bool():
            return "yes" if value else "no"
        case list():
            return ", ".join(str(_cell(item)) for item in value)
        case int() | float():
            return value
        case dt.date() | None:
            return value
        case dict():
            return ""
    return str(value)


def _note(path: str, notes: Mapping[str, str]) -> str:
    """The note on the value, or else on the nearest part that it belongs to."""
    while path:
        if path in notes:
            return notes[path]
        cut = max(path.rfind("."), path.rfind("["))
        path = path[: max(cut, 0)]
    return ""


def about(book: Book, source: Source) -> None:
    """Versions, seed, and what the words mean."""
    sheet = book.sheet("About", f"About {source.scenario.name}", source.scenario.description)
    rows: list[list[Cell]] = [
        ["replications", Number(source.results.replications, AS_WRITTEN)],
        ["first measured day", source.scenario.run.start],
        ["warm-up, weeks", Number(source.scenario.run.warm_up_weeks, AS_WRITTEN)],
        ["measured weeks", Number(source.scenario.run.weeks, AS_WRITTEN)],
        ["run-out, weeks", Number(source.scenario.run.run_out_weeks, AS_WRITTEN)],
        ["currency", source.scenario.currency],
    ]
    versions(sheet, source.manifest, rows)
    words = [[word, meaning] for word, meaning in _WORDS.items()]
    sheet.table([Column("word"), Column("what it means", width=100)], words)
    sheet.line("What every metric means stands beside it on the sheet All metrics.")
    sheet.fit()


def versions(sheet: Sheet, manifest: Mapping[str, Any], rows: list[list[Cell]]) -> None:
    """A table of what is to be said of results, followed by what made them."""
    made = [
        ("seed", str(manifest.get("seed", ""))),
        ("content key", str(manifest.get("key", ""))),
        ("model version", str(manifest.get("model_version", ""))),
        ("Python", str(manifest.get("python", ""))),
        *((name, str(version)) for name, version in manifest.get("packages", {}).items()),
    ]
    sheet.table(
        [Column("of the results"), Column("", AS_WRITTEN, 70)],
        [*rows, *([name, said] for name, said in made)],
    )
