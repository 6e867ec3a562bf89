"""What a workbook is made of: the tables of a results folder and what its manifest says."""

from __future__ import annotations

import csv
import gzip
import math
import zlib
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from iopsim.errors import Fault, InputError, Mark
from iopsim.experiment.cache import PACK
from iopsim.experiment.disk import told_as_machine_error
from iopsim.experiment.statistics import Interval
from iopsim.experiment.summary import Estimate
from iopsim.report.figures.goals import labels
from iopsim.report.tables import read_results
from iopsim.scenario.file import open_tree
from iopsim.scenario.tree import plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from iopsim.experiment.store import Results as Stored
    from iopsim.report.tables import Results
    from iopsim.scenario.schema import Scenario

__all__ = ["Source", "damage_told", "plain_scenario", "read_source", "rows_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A run, read back whole.

    Attributes:
        results: Its scenario and the tables that figures are drawn from.
        estimates: Every number with its interval, in order.
        replications: The number of each replication by metric, without metrics of which there is none.
        written: The scenario as plain mappings and lists, all defaults filled in.
        manifest: What the manifest says.
        says: What people read for names of the scenario.
    """

    results: Results
    estimates: Sequence[Estimate]
    replications: Mapping[str, Sequence[float]]
    written: Mapping[str, Any]
    manifest: Mapping[str, Any]
    says: Mapping[str, str]

    @property
    def scenario(self) -> Scenario:
        """What was simulated."""
        return self.results.scenario


def read_source(stored: Stored) -> Source:
    """Read the results of a run.

    Raises:
        InputError: A table is missing or damaged.
        MachineError: One cannot be read.
    """
    folder = stored.path
    with damage_told(folder):
        for name in stored.manifest.get("files", {}):
            if "/" not in name and name not in _UNREAD:
                stored.file(name)
        results = replace(read_results(folder), scenario=stored.scenario())
        return Source(
            results=results,
            estimates=[_estimate(row) for row in rows_of(folder / "summary.csv")],
            replications=_replications(folder / "replications.csv"),
            written=plain_scenario(folder / "scenario.resolved.yaml"),
            manifest=stored.manifest,
            says=labels(results.scenario),
        )


@contextmanager
def damage_told(folder: Path) -> Iterator[None]:
    """Tell what cannot be read as a damaged folder.

    Raises:
        InputError: In place of what a missing or damaged table raises.
        MachineError: In place of OSError.
    """
    try:
        with told_as_machine_error(folder, None):
            try:
                yield
            except (FileNotFoundError, EOFError, gzip.BadGzipFile, zlib.error) as error:
                raise ValueError(error) from error
    except (LookupError, TypeError, ValueError, csv.Error) as error:
        message = "a table is missing or damaged; give the command that wrote this folder again"
        raise InputError(Fault("damaged-results", message, mark=Mark(str(folder)))) from error


def rows_of(path: Path) -> list[dict[str, str]]:
    """The rows of a table by their headings."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, strict=True))


def plain_scenario(path: Path) -> Any:
    """A resolved scenario as plain mappings and lists.

    Raises:
        InputError: It cannot be read.
    """
    root, faults = open_tree(path)
    if root is None or faults:
        raise InputError(*faults)
    return plain(root)


def _estimate(row: Mapping[str, str]) -> Estimate:
    estimate, low, high, sd = (float(row[name] or "nan") for name in ("estimate", "ci_low", "ci_high", "sd"))
    written: Any = row  # words of two literal types
    return Estimate(
        name=row["metric"],
        unit=row["unit"],
        better=written["better"],
        interval=Interval(estimate, low, high, sd, int(row["n"])),
        target=row["target"],
        verdict=written["verdict"],
    )


def _replications(path: Path) -> dict[str, list[float]]:
    """The value of each replication: a number, a quotient, or a mean."""
    with path.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file, strict=True)
    columns = [[float(cell or "nan") for cell in column] for column in zip(*rows, strict=True)]
    found: dict[str, list[float]] = {}
    parts = dict(zip(header, columns, strict=True))
    for name, values in parts.items():
        stem, _, part = name.partition(":")
        if part in _DIVISORS:
            below = parts[f"{stem}:{_DIVISORS[part]}"]
            means = [top / under if under else math.nan for top, under in zip(values, below, strict=True)]
            found[f"{stem}.mean" if part == "sum" else stem] = means
        elif not part and name != "replication":
            found[name] = values
    return found


_UNREAD = {PACK, "events.csv.gz"}
_DIVISORS = {"numerator": "denominator", "sum": "count"}
