"""Known numbers: small runs give what they gave when their summaries were last written down.

A change of the numbers is either a mistake or a decision. If it is meant, write the summaries again with

    IOPSIM_REGENERATE=1 pytest tests/golden

and say under "Results changed" in CHANGELOG.md what moved, how much, and why.
"""

from __future__ import annotations

import csv
import math
import os
from pathlib import Path
from typing import NamedTuple

import pytest

from iopsim.experiment.encoding import csv_cell
from iopsim.experiment.replicate import replicate
from iopsim.experiment.summary import estimates, summary_rows
from iopsim.scenario import load

HERE = Path(__file__).parent
SCENARIOS = HERE.parents[1] / "scenarios"
RELATIVE = 1e-9  # the same on every machine; on one machine the bytes are the same
NOTHING = 1e-12  # what rounding may leave of a zero
ADVICE = 'numbers moved: if meant, regenerate and write them under "Results changed" in CHANGELOG.md'


class Case(NamedTuple):
    """A run small enough to be repeated in every test: its scenario and what is set in it."""

    scenario: str
    sets: tuple[str, ...]


CASES = {
    "minimal": Case("minimal.yaml", ("run.replications=3", "run.seed=11")),
    "baseline-10-weeks": Case(
        "baseline.yaml",
        (
            "run.replications=2",
            "run.seed=11",
            "run.warm_up_weeks=26",
            "run.weeks=10",
            "run.run_out_weeks=13",
            "calendar.closed=[2026-12-25, 2027-01-18]",
        ),
    ),
}


def summary_of(case: Case) -> list[list[str]]:
    """Header and rows as they are written to summary.csv."""
    scenario = load(SCENARIOS / case.scenario, case.sets)
    outcomes = [replicate(scenario, index).outcomes for index in range(scenario.run.replications)]
    header, rows = summary_rows(estimates(scenario, outcomes))
    return [header, *([csv_cell(cell) for cell in row] for row in rows)]


def differences(found: list[list[str]], kept: list[list[str]]) -> list[str]:
    """What is not the same, one line per cell; texts must be equal, numbers to a relative 1e-9."""
    header = kept[0]
    if found[0] != header:
        return [f"columns: {kept[0]} became {found[0]}"]
    was, now = ({row[0]: row for row in table[1:]} for table in (kept, found))
    lines = [f"{name}: is no longer there" for name in was if name not in now]
    lines += [f"{name}: is new" for name in now if name not in was]
    for name in (name for name in was if name in now):
        cells = zip(header, was[name], now[name], strict=True)
        lines += [f"{name}: {column} {old} became {new}" for column, old, new in cells if not same(old, new)]
    return lines or ([] if list(was) == list(now) else ["the order of the metrics changed"])


def same(old: str, new: str) -> bool:
    """Whether two cells say the same."""
    if old == new:
        return True
    try:
        return math.isclose(float(old), float(new), rel_tol=RELATIVE, abs_tol=NOTHING)
    except ValueError:
        return False


@pytest.mark.parametrize("name", CASES)
def test_the_numbers_are_the_known_ones(name: str) -> None:
    path = HERE / f"{name}.csv"
    found = summary_of(CASES[name])
    if os.environ.get("IOPSIM_REGENERATE"):
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows(found)
    with path.open(encoding="utf-8", newline="") as file:
        kept = list(csv.reader(file))
    moved = differences(found, kept)
    assert not moved, "\n".join([ADVICE, *moved[:20], *([f"and {len(moved) - 20} more"] * (len(moved) > 20))])


def test_a_number_that_moved_is_named() -> None:
    kept = [["metric", "unit", "estimate"], ["a", "days", "1"], ["b", "days", "2.5"], ["c", "share", ""]]
    assert differences(kept, kept) == []
    assert differences([kept[0], ["a", "days", "1"], ["b", "days", "2.5000000001"], kept[3]], kept) == []
    moved = [
        kept[0],
        ["a", "days", "1.00000001"],
        ["b", "share", "2.5"],
        ["c", "share", "0"],
        ["d", "days", "1"],
    ]
    assert differences(moved, kept) == [
        "d: is new",
        "a: estimate 1 became 1.00000001",
        "b: unit days became share",
        "c: estimate  became 0",
    ]
    assert differences(kept[:1] + kept[2:], kept) == ["a: is no longer there"]
    assert differences([kept[0], kept[2], kept[1], kept[3]], kept) == ["the order of the metrics changed"]
    assert differences([["metric"]], kept) == ["columns: ['metric', 'unit', 'estimate'] became ['metric']"]
