"""`iopsim compare`: the same patients under several plans, differences with words."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.sessions import MINIMAL, files, only_folder, setting

if TYPE_CHECKING:
    from tests.cli.conftest import Iopsim
    from tests.cli.sessions import Answer

FEW = ("--replications", "8", "--workers", "1", *setting(weeks=26, warm_up_weeks=20, run_out_weeks=10))
COLUMNS = "plan,metric,unit,better,base,estimate,difference,ci_low,ci_high,sd,n,variance_ratio,words"


@pytest.fixture
def plans(iopsim: Iopsim) -> Any:
    """Files of plans beside the base: what each changes, by its name."""

    def write(**changes: str) -> list[str]:
        for name, text in changes.items():
            Path(f"{name}.yaml").write_text(f"extends: {MINIMAL}\n{text}\n", encoding="utf-8")
        return [f"{name}.yaml" for name in changes]

    return write


def json_of(answer: Answer) -> dict[tuple[str, str], dict[str, Any]]:
    assert (answer.code, answer.err) == (0, "")
    rows = json.loads(answer.out, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    return {(row["plan"], row["metric"]): row for row in rows}


def test_differences_are_told_in_words(iopsim: Iopsim, plans: Any, tmp_path: Path) -> None:
    more, fewer = plans(more="levels: {iop: {places: 16}}", fewer="levels: {iop: {places: 8}}")
    code, out, err = iopsim(
        "compare", MINIMAL, more, fewer, *FEW, "--no-figures", "--metric", "iop.census.mean"
    )
    assert code == 0
    folder = only_folder(tmp_path / "results")
    assert folder.parent.name == "comparisons"
    table = [line.split() for line in out.splitlines()]
    assert [line[1] for line in table if line[:1] == ["more"]] == ["iop.wait_days.p90"]
    assert out.count("iop.census.mean") == 2
    assert out.splitlines()[-1] == f"results: {folder.relative_to(tmp_path)}"
    assert [line for line in err.splitlines() if " 8 of 8 replications" in line] != []
    rows = list(csv.DictReader((folder / "differences.csv").read_text(encoding="utf-8").splitlines()))
    assert ",".join(rows[0]) == COLUMNS
    said = {(row["plan"], row["metric"]): row["words"] for row in rows}
    assert said == {
        ("more", "iop.wait_days.p90"): "better",
        ("more", "iop.census.mean"): "higher",
        ("fewer", "iop.wait_days.p90"): "worse",
        ("fewer", "iop.census.mean"): "lower",
    }
    assert set(files(folder)) == {"differences.csv"} | {
        f"plans/{name}.resolved.yaml" for name in ("0-minimal", "1-more", "2-fewer")
    }


def test_the_same_patients_meet_both_plans(iopsim: Iopsim, plans: Any) -> None:
    (same,) = plans(same="description: The same under another name.")
    names = ("iop.reneged.share", "iop.census.mean", "iop.stay_days.mean", "iop.referrals.total")
    options = [word for name in names for word in ("--metric", name)]
    rows = json_of(iopsim("compare", MINIMAL, same, *FEW, *options, "--no-figures", "--json"))
    assert set(rows) == {("same", name) for name in (*names, "iop.wait_days.p90")}
    for row in rows.values():
        assert row["base"] == row["estimate"]
        assert (row["difference"], row["ci_low"], row["ci_high"]) == (0, 0, 0)
        assert row["words"] == "no difference that matters"
    other = json_of(iopsim("compare", MINIMAL, same, *FEW, *options, "--no-figures", "--json", "--seed", "9"))
    assert other["same", "iop.census.mean"]["base"] != rows["same", "iop.census.mean"]["base"]


def test_the_table_and_the_json_say_what_the_file_says(iopsim: Iopsim, plans: Any, tmp_path: Path) -> None:
    from iopsim.experiment.encoding import csv_cell

    (more,) = plans(more="levels: {iop: {places: 14}}")
    rows = json_of(iopsim("compare", MINIMAL, more, *FEW, "--no-figures", "--json", "--out", "answer"))
    (row,) = rows.values()
    written = list(csv.DictReader((tmp_path / "answer" / "differences.csv").read_text().splitlines()))
    assert [{name: csv_cell(value) for name, value in row.items()}] == written
    assert not (tmp_path / "results").exists()


def test_workers_and_figures_change_no_byte(iopsim: Iopsim, plans: Any, tmp_path: Path) -> None:
    (more,) = plans(more="levels: {iop: {places: 14}}")
    window = setting(weeks=8, warm_up_weeks=8, run_out_weeks=2)
    base = ("compare", MINIMAL, more, "--metric", "iop.census.mean", "--replications", "4", *window)
    assert iopsim(*base, "--workers", "1", "--out", "one").code == 0
    code, out, err = iopsim(*base, "--workers", "2", "--out", "two", "--no-figures", "--quiet")
    assert (code, out, err) == (0, "two\n", "")
    one = files(tmp_path / "one")
    assert {Path(name).suffix for name in one if name.startswith("figures/")} == {".svg", ".png"}
    assert {name: data for name, data in one.items() if not name.startswith("figures/")} == files(
        tmp_path / "two"
    )


def test_set_and_seed_change_every_plan(iopsim: Iopsim, plans: Any, tmp_path: Path) -> None:
    (more,) = plans(more="levels: {iop: {places: 14}}")
    sets = ("--set", "sources.community.per_week=3", "--seed", "5")
    assert (
        iopsim("compare", MINIMAL, more, *FEW, *sets, "--no-figures", "--quiet", "--out", "answer").code == 0
    )
    for path in (tmp_path / "answer" / "plans").iterdir():
        text = path.read_text(encoding="utf-8")
        assert "per_week: 3.0" in text
        assert "seed: 5" in text


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("run: {seed: 2}", "error: run.seed: other has 2, minimal has 1; plans can be compared only where"),
        ("run: {weeks: 40}", "error: run.weeks: other has 40, minimal has 52;"),
        ("run: {start: 2028-01-03}", "error: run.start: other has 2028-01-03, minimal has 2027-01-04;"),
        ("run: {replications: 7}", "error: run.replications: other has 7, minimal has 40;"),
        ("currency: EUR", "error: currency: other has EUR, minimal has USD;"),
    ],
    ids=lambda text: text[:12],
)
def test_plans_that_cannot_be_compared_are_refused_with_the_reason(
    iopsim: Iopsim, plans: Any, tmp_path: Path, change: str, said: str
) -> None:
    code, out, err = iopsim("compare", MINIMAL, *plans(other=change))
    assert (code, out) == (2, "")
    assert err.startswith(said)
    assert err.endswith("\n1 error\n")
    assert not (tmp_path / "results").exists()


def test_what_is_wrong_with_a_comparison_is_told_at_once(iopsim: Iopsim, plans: Any, tmp_path: Path) -> None:
    (other,) = plans(other="levels: {iop: {label: The other}}")
    code, _, err = iopsim("compare", MINIMAL, other, "--metric", "iop.wait_dais.p90", "--metric", "iop.zzz")
    assert code == 2
    assert 'minimal has no metric "iop.wait_dais.p90" (did you mean "iop.wait_days.p90"?)' in err
    assert err.endswith("\n4 errors\n")
    for words, said in {
        (MINIMAL,): "two plans or more are needed to compare (got 1)",
        (MINIMAL, MINIMAL): "the same file is given twice",
        (other, MINIMAL, "--set", "targets=null"): "nothing to compare on",
    }.items():
        code, out, err = iopsim("compare", *words)
        assert (code, out) == (2, "")
        assert said in err
        assert "Traceback" not in err
    Path("taken").mkdir()
    code, out, err = iopsim("compare", MINIMAL, other, "--out", "taken")
    assert (code, out) == (2, "")
    assert err.startswith("--out: error: taken exists already")
    assert not (tmp_path / "results").exists()


def test_plans_of_one_name_are_told_apart_by_their_files(iopsim: Iopsim) -> None:
    for folder, places in {"now": 12, "then": 16}.items():
        Path(folder).mkdir()
        text = f"extends: {MINIMAL}\nname: plan\nlevels: {{iop: {{places: {places}}}}}\n"
        Path(folder, "plan.yaml").write_text(text, encoding="utf-8")
    rows = json_of(iopsim("compare", "now/plan.yaml", "then/plan.yaml", *FEW, "--no-figures", "--json"))
    assert list(rows) == [("then/plan.yaml", "iop.wait_days.p90")]
