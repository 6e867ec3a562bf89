"""The cases of `iopsim verify`: each agrees with theory, and would not if something were 5 % off.

    IOPSIM_REGENERATE=1 pytest -n 0 tests/theory/test_cases.py

rewrites the table of what was simulated, from which docs/verification.md is written.
"""

from __future__ import annotations

import csv
import math
import os
from pathlib import Path

import pytest

from iopsim.scenario import load
from iopsim.verification.case import Case, cases
from iopsim.verification.judge import AGREES, DIFFERS, Z_LIMIT, Judgment, judged
from tests.theory.mutants.mutant import mutants, simulated

TABLE = Path(__file__).parents[2] / "benchmarks" / "tables" / "verify.csv"
DIGITS = 6

# What is made 5 % larger to see whether the case would notice: where not given, the rates of all sources.
FIVE_PERCENT: dict[str, list[str]] = {
    "hold-that-ends": ["levels.inpatient.hold_days=3.15"],
    "three-levels": [
        f"levels.{level}.stay_days={{exponential: {{mean: {1.05 * days}}}}}"
        for level, days in (("inpatient", 7), ("php", 10.5), ("iop", 14))
    ],
    "dropout-after-waiting": ["levels.iop.stay_days=29.4"],
    "misses": ["levels.iop.attendance.mean=0.525"],
    "misses-in-a-plan": ["levels.iop.attendance.mean=0.525"],
    "made-up-sessions": ["levels.iop.attendance.mean=0.63"],
    "cost-of-blocking": ["levels.inpatient.cost_per_day=1102.5"],
}


@pytest.mark.slow
@pytest.mark.parametrize("name", cases())
def test_the_case_holds(name: str) -> None:
    """All that is asked of one case, so that it is simulated once."""
    case = cases()[name]
    parts = simulated(case, case.replications)
    judgments = judged(case, case.scenario(), parts)
    assert {judgment.verdict for judgment in judgments} == {AGREES}, judgments
    assert would_notice(case, judgments), judgments
    for mutant in mutants():
        if mutant.case == name:
            sound = judged(case, case.scenario(), parts[: mutant.replications])
            assert not any(judgment.verdict == DIFFERS for judgment in sound), (mutant, sound)
    is_in_the_table(name, judgments)


def test_claims_have_names_of_their_own() -> None:
    names = [(case.name, claim.name) for case in cases().values() for claim in case.claims(case.scenario())]
    assert len(set(names)) == len(names)


def test_cases_have_chances_of_their_own() -> None:
    seeds = [case.scenario().run.seed for case in cases().values()]
    assert len(set(seeds)) == len(seeds)


def would_notice(case: Case, judgments: list[Judgment]) -> bool:
    """Whether a claim of a scenario that is 5 % off lies more than 4 standard errors from what was found."""
    off = case.claims(load(case.file, FIVE_PERCENT.get(case.name) or five_percent_more(case)))
    return any(
        abs(judgment.simulated - claim.exact) > Z_LIMIT * judgment.half_width / 1.96
        for claim, judgment in zip(off, judgments, strict=True)
    )


def five_percent_more(case: Case) -> list[str]:
    rates = {name: source.per_week for name, source in case.scenario().sources.items()}
    return [f"sources.{name}.per_week={1.05 * rate}" for name, rate in rates.items()]


def is_in_the_table(name: str, judgments: list[Judgment]) -> None:
    found = [[cell if isinstance(cell, str) else f"{cell:.{DIGITS}g}" for cell in row] for row in judgments]
    if os.environ.get("IOPSIM_REGENERATE"):
        kept = [row for case in cases() for row in (found if case == name else rows_of(case))]
        TABLE.parent.mkdir(exist_ok=True)
        with TABLE.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows([Judgment._fields, *kept])
    kept = rows_of(name)
    assert [row[:2] for row in kept] == [row[:2] for row in found]
    for old, new in zip(kept, found, strict=True):
        assert all(map(same, old, new)), f"{old} in the table, {new} found: IOPSIM_REGENERATE=1 rewrites it"


def test_the_table_has_the_cases_and_no_others() -> None:
    assert list(dict.fromkeys(row[0] for row in rows())) == ["case", *cases()]


def rows_of(name: str) -> list[list[str]]:
    return [row for row in rows() if row[0] == name]


def rows() -> list[list[str]]:
    if not TABLE.exists():
        return []
    with TABLE.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def same(old: str, new: str) -> bool:
    try:
        return math.isclose(float(old), float(new), rel_tol=10.0 ** (1 - DIGITS), abs_tol=1e-9)
    except ValueError:
        return old == new
