"""Scenarios that begin today, from rows or from one day of another run."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

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


_ENTERS = (Fact.REFERRED, Fact.SENT, Fact.JOINED)
_TURNED_AWAY = (Fact.LOST, Fact.REFUSED, Fact.DENIED, Fact.RENEGED, Fact.WITHDRAWN)
_TRAITS = {
    "source": "sources",
    "track": "tracks",
    "time": "times",
    "modality": "modalities",
    "payer": "payers",
}


def files_of(ledger: Ledger, day: float) -> dict[str, list[dict[str, object]]]:
    """Who is in care, who waits and who has been referred at an instant of a run, as rows of the three files."""
    past = ledger.time <= day
    fact, stay, groups = ledger.fact[past], ledger.stay[past], np.full(len(ledger.stay_level), -1)
    times = np.full((len(Fact), len(groups)), np.inf)
    times[fact, stay] = ledger.time[past]
    seated = np.isin(fact, (Fact.ADMITTED, Fact.MOVED))
    groups[stay[seated]] = ledger.a[past][seated]
    had = np.isfinite(times)
    started, joined = had[Fact.STARTED], had[Fact.JOINED]
    gone = had[[*_TURNED_AWAY, *ENDS]].any(axis=0)
    came = times[[*_ENTERS]].min(axis=0)

    def rows(chosen: NDArray[np.bool_], since: str, times: NDArray[np.float64]) -> list[dict[str, object]]:
        return [
            _row(ledger, stay, groups[stay], {since: moment(day - times[stay])})
            for stay in np.flatnonzero(chosen)
        ]

    return {
        "census": rows(started & ~had[Fact.RELEASED], "start", times[Fact.STARTED]),
        "waitlist": rows(joined & ~started & ~gone, "joined", times[Fact.JOINED]),
        "applications": rows(np.isfinite(came) & ~joined & ~gone, "referred", came),
    }


def _row(ledger: Ledger, stay: int, group: int, since: dict[str, str]) -> dict[str, object]:
    patient = int(ledger.stay_patient[stay])
    traits = {
        trait: getattr(ledger, names)[int(getattr(ledger, f"patient_{trait}")[patient])]
        for trait, names in _TRAITS.items()
    }
    where = {
        "level": ledger.levels[ledger.stay_level[stay]],
        "group": ledger.groups[group] if group >= 0 else "",
    }
    return {**where, **since, **traits, "id": f"p{patient}"}
