"""Every scenario that ships, as a user starts it: it is valid, it runs, and its variants can be compared."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.cli.sessions import BASELINE, SCENARIOS, SHORT, files, lay_data, only_folder, setting

if TYPE_CHECKING:
    from tests.cli.conftest import Iopsim

SHIPPED = sorted(SCENARIOS.glob("*.yaml"))
FEW = ("--replications", "2", "--workers", "1", "--no-figures")
LENGTHS = {  # where the dates of the plan or of the files need another length
    "dated-plan": setting(weeks=22, warm_up_weeks=8, run_out_weeks=2),
    "from-today": setting(weeks=8, run_out_weeks=2),
    "health-system": setting(weeks=2, warm_up_weeks=2, run_out_weeks=0),
}


def few(path: Path) -> tuple[str, ...]:
    """Options for a short run of a scenario."""
    return (*LENGTHS.get(path.stem, SHORT), *FEW)


def test_the_promised_scenarios_are_there() -> None:
    variants = ["extra-evening-group", "inpatient-surge", "one-more-therapist", "one-therapist-fewer"]
    assert {"baseline", "minimal", *variants} <= {path.stem for path in SHIPPED}


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_scenario_is_valid_and_runs(iopsim: Iopsim, tmp_path: Path, path: Path) -> None:
    assert iopsim("validate", path).code == 0
    code, out, err = iopsim("run", path, *few(path))
    assert code == 0, err
    folder = only_folder(tmp_path / "results")
    assert folder.parent.name == path.stem.replace("-", "_")
    assert out.splitlines()[-2].endswith(".")
    rows = list(csv.DictReader((folder / "summary.csv").read_text(encoding="utf-8").splitlines()))
    assert {row["verdict"] for row in rows if row["target"]} <= {"met", "missed", "undecided"}
    assert any(row["target"] for row in rows)
    census = [float(row["estimate"]) for row in rows if row["metric"].endswith("iop.census.mean")]
    assert census
    assert all(0 < mean < 80 for mean in census)


@pytest.mark.parametrize(
    "path", [path for path in SHIPPED if path.stem != "health-system"], ids=lambda path: path.stem
)
def test_the_resolved_scenario_of_a_run_runs_to_the_same_bytes(
    iopsim: Iopsim, tmp_path: Path, path: Path
) -> None:
    assert iopsim("run", path, *few(path), "--out", "first", "--quiet").code == 0
    again, first = Path("first", "scenario.resolved.yaml"), files(tmp_path / "first")
    lay_data(tmp_path / "first")
    assert iopsim("run", again, "--workers", "1", "--no-figures", "--out", "second", "--quiet").code == 0
    assert files(tmp_path / "second") == first


def test_the_variants_can_be_compared_with_the_baseline(iopsim: Iopsim) -> None:
    others = {"baseline", "minimal", "continuum", "health-system", *LENGTHS}
    variants = [path for path in SHIPPED if path.stem not in others]
    code, out, err = iopsim("compare", BASELINE, *variants, *SHORT, *FEW)
    assert code == 0, err
    for path in variants:
        assert path.stem.replace("-", "_") in out


def test_a_plan_that_changes_on_dates_can_be_compared_with_the_one_that_does_not(iopsim: Iopsim) -> None:
    dated = SCENARIOS / "dated-plan.yaml"
    code, out, err = iopsim("compare", BASELINE, dated, *few(dated))
    assert code == 0, err
    assert "dated_plan" in out
