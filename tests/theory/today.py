"""Scenarios that begin today, from rows or from one day of another run."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from iopsim.model.ledger import ENDS, Fact, Ledger
from iopsim.scenario.schema import Scenario

__all__ = ["AS_OF", "begin", "files_of", "moment", "written"]

AS_OF = dt.date(2027, 1, 4)
Row = Mapping[str, object]


def moment(days_ago: float) -> str:
    """Date and time so many days before today, to the microsecond."""
    return (dt.datetime.combine(AS_OF, dt.time()) - dt.timedelta(days=days_ago)).isoformat(sep=" ")


def begin(scenario: Mapping[str, Any], folder: Path, **files: Sequence[Row]) -> Scenario:
    """The scenario that begins with the patients in files (`census`, `waitlist`): rows of column and cell."""
    for name, rows in files.items():
        (folder / f"{name}.csv").write_text(written(rows, ("level", _SINCE[name])))
    today = {"as_of": AS_OF, **{name: {"csv": f"{name}.csv"} for name in files}}
    return Scenario.model_validate({**scenario, "from_today": today}, context={"folder": folder})


_SINCE = {"census": "start", "waitlist": "joined", "applications": "referred"}


def written(rows: Sequence[Row], headings: Sequence[str]) -> str:
    """A file with these rows; its headings are all that occur."""
    out = io.StringIO()
    columns = list(dict.fromkeys([*headings, *(key for row in rows for key in row)]))
    table = csv.DictWriter(out, columns, lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    return out.getvalue()


def files_of(ledger: Ledger, day: float) -> dict[str, list[dict[str, object]]]:
    """Who is in care and who waits at an instant of a run of plain places, as rows of the two files."""
    times = np.full((len(Fact), len(ledger.stay_level)), np.inf)
    times[ledger.fact, ledger.stay] = ledger.time
    over = times[list(ENDS)].min(axis=0)
    off = times[[Fact.ADMITTED, Fact.RENEGED, Fact.REFUSED, Fact.WITHDRAWN]].min(axis=0)
    in_care = np.flatnonzero((times[Fact.STARTED] <= day) & (over > day))
    waiting = np.flatnonzero((times[Fact.JOINED] <= day) & (off > day))

    def row(stay: int, column: str, since: float) -> dict[str, object]:
        return {"level": ledger.levels[ledger.stay_level[stay]], column: moment(day - since)}

    return {
        "census": [row(stay, "start", times[Fact.STARTED, stay]) for stay in in_care],
        "waitlist": [row(stay, "joined", times[Fact.JOINED, stay]) for stay in waiting],
    }
