"""What a results folder says, read back: the scenario, its estimates, weekly series and profiles."""

from __future__ import annotations

import csv
import datetime as dt
import gzip
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from iopsim.errors import Fault, InputError
from iopsim.experiment.disk import told_as_machine_error
from iopsim.experiment.store import read_resolved

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from iopsim.scenario.schema import Scenario

    Floats = NDArray[np.float64]

__all__ = ["Estimated", "Results", "Start", "Under", "Weekly", "read_results"]


class Estimated(NamedTuple):
    """One line of summary.csv: a number with its unit and 95 % interval; NaN where it is not known."""

    unit: str
    estimate: float
    low: float
    high: float
    verdict: str


class Weekly(NamedTuple):
    """One series of weekly.csv.gz; every array has shape (weeks,).

    Attributes:
        start: First day of each week, `datetime64[D]`.
        mean: Mean of the replications.
        low: Lower end of the mean's 95 % interval (precision).
        high: Upper end.
        p10: 10 % of the replications lie below (range of years).
        p90: 90 % lie below.
    """

    start: NDArray[np.datetime64]
    mean: Floats
    low: Floats
    high: Floats
    p10: Floats
    p90: Floats


class Start(NamedTuple):
    """One line of starts.csv: what becomes of one person on a list of today.

    Attributes:
        level: Whose list.
        place: On the list by date of joining, from 1.
        started: Share of years in which care starts.
        gave_up: Share of years in which the person gives up or is lost.
        p10, median, p90: By when care has started in so many years; None: never, as far as is simulated.
        id: Of the file, where the run was to name patients.
    """

    level: str
    place: int
    started: float
    gave_up: float
    p10: dt.date | None
    median: dt.date | None
    p90: dt.date | None
    id: str


class Under(NamedTuple):
    """One line of weeks_until_under.csv: in which share of years a list stays short from this week on, or by then."""

    level: str
    under: int
    week: dt.date
    share: float
    by_then: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """A results folder.

    Attributes:
        scenario: What was simulated.
        replications: How often.
        summary: Estimates by the full name of the metric.
        weekly: Series by name, such as `<level>.census`.
        profiles: Totals over all replications by name, such as `waits.<level>` (measures.series).
        starts: Who is on a list of today, where the run began from today.
        under: The weeks from which lists stay short, likewise.
    """

    scenario: Scenario
    replications: int
    summary: Mapping[str, Estimated]
    weekly: Mapping[str, Weekly]
    profiles: Mapping[str, Floats]
    starts: tuple[Start, ...] = ()
    under: tuple[Under, ...] = ()

    @property
    def own_levels(self) -> list[str]:
        """Levels that the program runs itself; what is bought from outside is not drawn."""
        return [name for name, level in self.scenario.levels.items() if level.is_own]

    def level(self, name: str) -> str:
        """What people read for a level."""
        return self.scenario.says(self.scenario.levels, name)

    def role(self, name: str) -> str:
        """What people read for a role."""
        return self.scenario.says(self.scenario.staff, name)

    def per_year(self, total: float) -> float:
        """From a total over all replications of the measured weeks to a year of 52 weeks."""
        run = self.scenario.run
        return total / self.replications / run.weeks * 52


def read_results(folder: Path) -> Results:
    """Read the tables of a results folder, finished or not yet named.

    Raises:
        InputError: If the folder lacks one of them.
        MachineError: If one cannot be read.
    """
    with told_as_machine_error(folder, None):
        try:
            return Results(
                scenario=_scenario(folder / "scenario.resolved.yaml"),
                replications=sum(1 for _ in _rows(folder / "replications.csv")),
                summary={row["metric"]: _estimated(row) for row in _rows(folder / "summary.csv")},
                weekly=_by_name(folder / "weekly.csv.gz", "series", _weekly),
                profiles=_by_name(folder / "profiles.csv", "profile", lambda rows: _column(rows, "total")),
                starts=tuple(map(_start, _rows_if_any(folder / "starts.csv"))),
                under=tuple(map(_under, _rows_if_any(folder / "weeks_until_under.csv"))),
            )
        except FileNotFoundError as error:
            message = (
                f"{folder} holds no results ({error.filename} is missing); give a folder that a run wrote"
            )
            raise InputError(Fault("no-results", message)) from error


def _scenario(path: Path) -> Scenario:
    if not path.is_file():
        raise FileNotFoundError(2, "missing", str(path))
    return read_resolved(path)


def _rows(path: Path) -> Iterator[dict[str, str]]:
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def _rows_if_any(path: Path) -> Iterator[dict[str, str]]:
    return _rows(path) if path.is_file() else iter(())


def _start(row: Mapping[str, str]) -> Start:
    shares = float(row["share_started"]), float(row["share_gave_up"])
    dates = _date(row["date_p10"]), _date(row["date_median"]), _date(row["date_p90"])
    return Start(row["level"], int(row["place"]), *shares, *dates, row.get("id", ""))


def _under(row: Mapping[str, str]) -> Under:
    shares = float(row["share_of_years"]), float(row["cumulative_share"])
    return Under(row["level"], int(row["under"]), dt.date.fromisoformat(row["week_start"]), *shares)


def _date(cell: str) -> dt.date | None:
    return dt.date.fromisoformat(cell) if cell else None


def _by_name(path: Path, key: str, made_of: Any) -> dict[str, Any]:
    return {name: made_of(list(rows)) for name, rows in groupby(_rows(path), lambda row: row[key])}


def _estimated(row: Mapping[str, str]) -> Estimated:
    estimate, low, high = (_number(row[name]) for name in ("estimate", "ci_low", "ci_high"))
    return Estimated(row["unit"], estimate, low, high, row["verdict"])


def _weekly(rows: list[dict[str, str]]) -> Weekly:
    start = np.array([row["week_start"] for row in rows], "datetime64[D]")
    return Weekly(start, *(_column(rows, name) for name in ("mean", "ci_low", "ci_high", "p10", "p90")))


def _column(rows: list[dict[str, str]], name: str) -> Floats:
    return np.array([_number(row[name]) for row in rows])


def _number(cell: str) -> float:
    return float(cell or "nan")
