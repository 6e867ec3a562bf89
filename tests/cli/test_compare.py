"""`iopsim compare`: the same patients under several plans, differences with words."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.sessions import MINIMAL, files, only_folder, setting

if TYPE_CHECKING:
    from tests.cli.conftest import Iopsim
    from tests.cli.sessions import Answer

FEW = ("--replications", "8", "--workers", "1", *setting(weeks=26, warm_up_weeks=20, run_out_weeks=10))
COLUMNS = "plan,metric,unit,better,base,estimate,difference,ci_low,ci_high,sd,n,variance_ratio,p_holm,words"


@pytest.fixture
def plans(iopsim: Iopsim) -> Any:
    """Files of plans beside the base: what each changes, by its name."""

    def write(**changes: str) -> list[str]:
        for name, text in changes.items():
            Path(f"{name}.yaml").write_text(f"extends: {MINIMAL}\n{text}\n", encoding="utf-8")
        return [f"{name}.yaml" for name in changes]

    return write


@pytest.fixture
def run(iopsim: Iopsim) -> Any:
    """Simulate a scenario into a folder, with the settings of `FEW` unless told otherwise."""

    def into(folder: str, scenario: str, *options: str) -> str:
        assert iopsim("run", scenario, *FEW, *options, "--no-figures", "--quiet", "--out", folder).code == 0
        return folder

    return into


def data_of(answer: Answer) -> dict[str, Any]:
    assert (answer.code, answer.err) == (0, "")
    found: dict[str, Any] = json.loads(
        answer.out, parse_constant=lambda name: pytest.fail(f"{name} is no JSON")
    )
    return found


def json_of(answer: Answer) -> dict[tuple[str, str], dict[str, Any]]:
    return {(row["plan"], row["metric"]): row for row in data_of(answer)["differences"]}


def rows_of(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))


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
    assert "The same patients meet every plan." in out
    assert [line for line in err.splitlines() if " 24 of 24 replications" in line] != []
    rows = rows_of(folder / "differences.csv")
    assert ",".join(rows[0]) == COLUMNS
    said = {(row["plan"], row["metric"]): row["words"] for row in rows}
    assert said == {
        ("more", "iop.wait_days.p90"): "better",
        ("more", "iop.census.mean"): "higher",
        ("fewer", "iop.wait_days.p90"): "worse",
        ("fewer", "iop.census.mean"): "lower",
    }
    assert set(files(folder)) == {"differences.csv", "plans.csv"} | {
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
    written = rows_of(tmp_path / "answer" / "differences.csv")
    assert [{name: csv_cell(value) for name, value in row.items()}] == written
    assert [path.name for path in (tmp_path / "results").iterdir()] == [".cache"]


def test_workers_and_figures_change_no_byte(iopsim: Iopsim, plans: Any, tmp_path: Path) -> None:
    (more,) = plans(more="levels: {iop: {places: 14}}")
    window = setting(weeks=8, warm_up_weeks=8, run_out_weeks=2)
    base = ("compare", MINIMAL, more, "--metric", "iop.census.mean", "--replications", "4", *window)
    assert iopsim(*base, "--workers", "1", "--out", "one").code == 0
    code, out, err = iopsim(*base, "--workers", "2", "--out", "two", "--no-figures", "--quiet")
    assert (code, out, err) == (0, "two\n", "")
    one = files(tmp_path / "one")
    assert {Path(name).suffix for name in one if name.startswith("figures/")} == {".svg", ".png"}
    drawn = [name for name in one if name.startswith("figures/")]
    assert {Path(name).stem for name in drawn} == {"differences", "waitlists"}  # the plans cost nothing
    assert {name: data for name, data in one.items() if name not in drawn} == files(tmp_path / "two")


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
        ("run: {warm_up_weeks: 20}", "error: run.warm_up_weeks: other has 20, minimal has 52;"),
        ("run: {run_out_weeks: 4}", "error: run.run_out_weeks: other has 4, minimal has 26;"),
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
        ("nowhere.yaml", "nothing.yaml"): "\n2 errors",
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


# Results folders


@pytest.mark.parametrize("which", ["base", "both"])
def test_folders_and_scenarios_give_the_same_bytes(
    iopsim: Iopsim, plans: Any, run: Any, tmp_path: Path, which: str
) -> None:
    (more,) = plans(more="levels: {iop: {places: 14}}")
    options = ("--metric", "iop.census.mean", "--quiet")
    assert iopsim("compare", MINIMAL, more, *FEW, *options, "--out", "files").code == 0
    base = run("one", MINIMAL)
    other = run("two", more) if which == "both" else more
    settings = FEW if which != "both" else ()
    Path("results").rename("elsewhere")  # so that nothing but the folders holds replications
    assert iopsim("compare", base, other, *settings, *options, "--out", "folders").code == 0
    expected = files(tmp_path / "files")
    assert len([name for name in expected if name.startswith("figures/")]) == 4
    assert files(tmp_path / "folders") == expected


def test_of_unequal_numbers_the_first_are_paired(
    iopsim: Iopsim, plans: Any, run: Any, tmp_path: Path
) -> None:
    (more,) = plans(more="levels: {iop: {places: 14}}")
    base, other = run("one", MINIMAL), run("two", more, "--replications", "5")
    found = data_of(iopsim("compare", base, other, "--no-figures", "--json", "--out", "unequal"))
    assert found["replications"] == 5
    note = "Plans have unequal numbers of replications (minimal 8, more 5): the first 5 of each are compared."
    assert found["notes"] == [note]
    assert [row["n"] for row in found["differences"]] == [5]
    assert [row["replications"] for row in found["plans"]] == [8, 5]
    code, out, _ = iopsim("compare", base, other, "--no-figures")
    assert code == 0
    assert f"note: {note}" in out
    assert "in 5 replications of each plan" in out
    five = (*FEW, "--replications", "5", "--no-figures", "--quiet")
    assert iopsim("compare", MINIMAL, more, *five, "--out", "five").code == 0
    assert files(tmp_path / "five")["differences.csv"] == files(tmp_path / "unequal")["differences.csv"]


def test_runs_that_form_no_pairs_are_refused_with_all_reasons(
    iopsim: Iopsim, plans: Any, run: Any, tmp_path: Path
) -> None:
    (more,) = plans(more="levels: {iop: {places: 14}}")
    base, other = run("one", MINIMAL), run("two", more, "--seed", "9", "--set", "run.weeks=20")
    manifest = json.loads(Path(other, "manifest.json").read_text(encoding="utf-8"))
    Path(other, "manifest.json").write_text(
        json.dumps(manifest | {"model_version": "1-old"}), encoding="utf-8"
    )
    code, out, err = iopsim("compare", base, other)
    assert (code, out) == (2, "")
    now = manifest["model_version"]
    assert err.splitlines() == [
        "error: run.seed: more has 9, minimal has 1; plans can be compared only where these agree",
        "error: run.weeks: more has 20, minimal has 26; plans can be compared only where these agree",
        f"error: model version: more has 1-old, minimal has {now}; plans can be compared only where these agree",
        "3 errors",
    ]
    assert not (tmp_path / "results" / "comparisons").exists()


def test_results_stand_as_they_are(iopsim: Iopsim, plans: Any, run: Any) -> None:
    (more,) = plans(more="levels: {iop: {places: 14}}")
    base, other = run("one", MINIMAL), run("two", more)
    code, out, err = iopsim("compare", base, other, "--seed", "5")
    assert (code, out) == (2, "")
    assert "options that change a scenario have nothing to change: results stand as they are" in err
    found = data_of(
        iopsim("compare", base, more, *FEW, "--set", "levels.iop.places=20", "--no-figures", "--json")
    )
    assert Path(found["results"], "plans", "0-minimal.resolved.yaml").read_text().count("places: 12") == 1
    assert Path(found["results"], "plans", "1-more.resolved.yaml").read_text().count("places: 20") == 1


def test_a_folder_that_is_no_finished_run_is_refused(iopsim: Iopsim, plans: Any, run: Any) -> None:
    (more,) = plans(more="levels: {iop: {places: 14}}")
    base, other = run("one", MINIMAL), run("two", more)
    assert iopsim("compare", base, other, "--no-figures", "--quiet", "--out", "both").code == 0
    Path(other).rename(f"{other}.partial")
    Path("empty").mkdir()
    code, _, err = iopsim("compare", "both", other, "empty")
    assert code == 2
    assert (
        "both: error: holds a comparison, which is no one plan; give a folder that `iopsim run` wrote" in err
    )
    assert "two: error: the run is unfinished" in err
    assert "empty: error: not a results folder" in err
    assert err.endswith("\n3 errors\n")


# The same patients


def test_patients_that_differ_are_told(iopsim: Iopsim, plans: Any, tmp_path: Path) -> None:
    busy, more = plans(busy="sources: {community: {per_week: 2.5}}", more="levels: {iop: {places: 14}}")
    code, out, _ = iopsim("compare", MINIMAL, busy, more, *FEW, "--no-figures", "--out", "answer")
    assert code == 0
    found = {row["plan"]: row for row in rows_of(tmp_path / "answer" / "plans.csv")}
    assert list(found) == ["minimal", "busy", "more"]
    assert {row["replications"] for row in found.values()} == {"8"}
    shares = {plan: float(row["matched_patients_share"]) for plan, row in found.items()}
    # Of some 1,100 people referred at 2.5 a week, those at 2 a week are a share of 0.8 ± 0.012.
    assert (shares["minimal"], shares["more"]) == (1, 1)
    assert shares["busy"] == pytest.approx(0.8, abs=0.048)
    assert (
        f"Patients that are the same as in minimal: {100 * shares['busy']:.1f} % in busy, all in the others."
        in out
    )
    assert len({row["key"] for row in found.values()}) == 3


# How many, and how it is told


def test_plans_go_on_together_until_each_is_precise(iopsim: Iopsim, plans: Any) -> None:
    (more,) = plans(more="levels: {iop: {places: 14}}")
    window = (*setting(weeks=26, warm_up_weeks=8, run_out_weeks=10), "--workers", "1")
    window = (*window, "--set", "targets=[{metric: iop.census.mean, at_most: 12}]")
    rule = "run.replications={min: 4, max: 40, batch: 4, precision: 0.06}"
    found = data_of(iopsim("compare", MINIMAL, more, *window, "--set", rule, "--no-figures", "--json"))
    assert found["notes"] == []
    count = found["replications"]
    assert count % 4 == 0
    assert 4 < count < 40
    assert [row["replications"] for row in found["plans"]] == [count, count]
    rule = "run.replications={min: 2, max: 4, batch: 2, precision: 0.001}"
    found = data_of(iopsim("compare", MINIMAL, more, *window, "--set", rule, "--no-figures", "--json"))
    assert found["replications"] == 4
    assert [note.split(":")[0] for note in found["notes"]] == [
        f"{plan} is not yet as precise as asked after 4 replications, the most allowed (run.replications.max)"
        for plan in ("minimal", "more")
    ]


def test_one_warm_up_is_found_for_all_plans(iopsim: Iopsim, plans: Any) -> None:
    slow, other = plans(slow="levels: {iop: {stay_days: 70}}", other="run: {warm_up_weeks: 20}")
    window = (*setting(weeks=4, run_out_weeks=2), "--workers", "1", "--replications", "2")
    words = ("--metric", "iop.census.mean", "--no-figures", "--json")
    auto = ("--set", "run.warm_up_weeks=auto")
    found = data_of(iopsim("compare", MINIMAL, slow, *window, *auto, *words))
    texts = [path.read_text(encoding="utf-8") for path in sorted(Path(found["results"], "plans").iterdir())]
    (weeks,) = {match[1] for text in texts for match in re.finditer(r"warm_up_weeks: (\d+)", text)}
    assert int(weeks) >= 30  # three stays of 70 days
    assert found["notes"][0].startswith(f"Warm-up: {weeks} weeks in every plan")
    assert iopsim("run", other, *window, "--no-figures", "--quiet", "--out", "given").code == 0
    code, _, err = iopsim("compare", "given", slow, *window, *auto, "--metric", "iop.census.mean")
    assert code == 2
    assert "error: run.warm_up_weeks: slow has" in err
    assert "other has 20; plans can be compared only where these agree" in err


def test_as_markdown(iopsim: Iopsim, plans: Any) -> None:
    (more,) = plans(more="levels: {iop: {places: 16}}")
    code, out, _ = iopsim("compare", MINIMAL, more, *FEW, "--no-figures", "--md")
    assert code == 0
    title, table, more, lines, patients = out.strip().split("\n\n")
    assert (
        title == "Differences to minimal in 8 replications of each plan; all intervals hold together at 95 %"
    )
    header, rule, row = ([cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines())
    assert header == [
        "plan",
        "metric",
        "minimal",
        "plan's",
        "difference",
        "interval",
        "unit",
        "p (Holm)",
        "in words",
    ]
    assert [cell[-1] for cell in rule] == ["-", "-", ":", ":", ":", ":", "-", ":", "-"]
    assert (row[:2], row[-1]) == (["more", "iop.wait_days.p90"], "better")
    assert re.fullmatch(r"Besides, in more \d+ of \d+ other numbers differ by more than chance(; .*)?:", more)
    assert any(line.startswith("- iop.waitlist.mean: ") for line in lines.splitlines())
    assert patients == "The same patients meet every plan."


def test_a_waitlist_in_no_equilibrium_is_named(iopsim: Iopsim, plans: Any) -> None:
    patient = "levels.iop.waitlist.patience_days=null"
    (more,) = plans(more="levels: {iop: {places: 20}}")
    found = data_of(
        iopsim(
            "compare", MINIMAL, more, *FEW, "--set", "notes=null", "--set", patient, "--no-figures", "--json"
        )
    )
    (note,) = found["notes"]
    assert note.startswith("minimal: the waitlist of iop is in no equilibrium (")
    assert note.endswith("its waits, and what they differ by, depend on how long is simulated.")
