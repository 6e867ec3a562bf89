"""`iopsim run`: what it prints, what it leaves, and that watching changes nothing."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
from typing import TYPE_CHECKING

import pytest

from iopsim.experiment.encoding import csv_cell
from iopsim.experiment.keys import program_version
from tests.cli.sessions import BASELINE, MINIMAL, SHORT, files, only_folder, setting, spawned

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Iopsim

CONTRACT = {
    *("summary.csv", "replications.csv", "weekly.csv.gz", "profiles.csv"),
    *("scenario.resolved.yaml", "replications.zip"),
}
PLAN = (BASELINE, *SHORT, "--replications", "5")
FEW = (MINIMAL, *setting(weeks=6, warm_up_weeks=4, run_out_weeks=2), "--replications", "3", "--workers", "1")


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """All files of a run with one worker, events and figures."""
    folder = tmp_path_factory.mktemp("everything")
    done = spawned("run", *PLAN, "--workers", "1", "--events", folder=folder)
    assert done.code == 0, done.err
    return files(only_folder(folder / "results"))


def read_csv(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode())))


def test_a_run_leaves_what_the_contract_names(everything: dict[str, bytes]) -> None:
    figures = {name for name in everything if name.startswith("figures/")}
    assert set(everything) - figures == CONTRACT | {"events.csv.gz"}
    assert {name.rsplit(".", 1)[1] for name in figures} == {"svg", "png"}
    assert all(everything.values())
    summary = read_csv(everything["summary.csv"])
    assert ",".join(summary[0]) == "metric,unit,estimate,ci_low,ci_high,sd,n,better,target,verdict"
    assert [row["verdict"] for row in summary if row["target"]].count("") == 0
    assert len(read_csv(everything["replications.csv"])) == 5
    events = read_csv(gzip.decompress(everything["events.csv.gz"]))
    assert set(events[0]) >= {
        "entity_id",
        "pathway",
        "event_type",
        "event",
        "time",
        "resource_id",
        "run_number",
    }
    assert {row["run_number"] for row in events} == set("01234")


@pytest.mark.parametrize(
    "options",
    [
        ("--workers", "1", "--quiet", "--no-figures"),
        ("--workers", "2", "--json"),
        ("--workers", "4", "--events", "--no-figures"),
    ],
    ids=" ".join,
)
def test_watching_and_workers_change_no_byte(
    iopsim: Iopsim, tmp_path: Path, everything: dict[str, bytes], options: tuple[str, ...]
) -> None:
    assert iopsim("run", *PLAN, *options).code == 0
    left_out = [*(["figures/"] * ("--no-figures" in options)), *(["events"] * ("--events" not in options))]
    expected = {name: data for name, data in everything.items() if not name.startswith(tuple(left_out))}
    found = files(only_folder(tmp_path / "results"))
    assert list(found) == list(expected)
    assert [name for name in expected if found[name] != expected[name]] == []


def test_another_seed_gives_other_numbers(iopsim: Iopsim, tmp_path: Path) -> None:
    for name, options in {"one": (), "again": ("--seed", "1"), "two": ("--set", "run.seed=2")}.items():
        assert iopsim("run", *FEW, "--no-figures", *options, "--out", name).code == 0
    one, again, two = (files(tmp_path / name) for name in ("one", "again", "two"))
    assert one == again
    assert one["replications.csv"] != two["replications.csv"]


def test_the_table_ends_with_what_limits_the_program(iopsim: Iopsim, tmp_path: Path) -> None:
    code, out, _ = iopsim("run", *FEW, "--no-figures")
    assert code == 0
    *table, limits, results = out.splitlines()
    assert re.fullmatch(r"Places? limits? iop: on \d+ % .*only a fitting place was missing\.", limits)
    assert results == f"results: {only_folder(tmp_path / 'results').relative_to(tmp_path)}"
    assert any(line.startswith("target iop.wait_days.p90 at most 14: ") for line in table)
    assert "6 weeks from 2027-01-04, 3 replications, seed 1" in table[0]


def test_the_table_shows_the_numbers_of_the_summary(iopsim: Iopsim, tmp_path: Path) -> None:
    from iopsim.report.wording import number_text

    out = iopsim("run", *FEW, "--no-figures").out
    summary = read_csv(files(only_folder(tmp_path / "results"))["summary.csv"])
    values = {
        row["metric"]: number_text(float(row["estimate"]), row["unit"]) for row in summary if row["estimate"]
    }
    for metric, words in {
        "iop.wait_days.mean": "Wait to start, mean",
        "iop.utilization.mean": "Utilization",
        "iop.reneged.share": "Gave up waiting",
        "iop.stay_days.mean": "Length of stay, mean",
    }.items():
        assert re.search(rf"^ +{words} +{re.escape(values[metric])} ", out, re.MULTILINE), metric


def test_where_there_is_no_terminal_lines_tell_the_progress(iopsim: Iopsim) -> None:
    err = iopsim("run", *FEW, "--no-figures").err
    told = [line for line in err.splitlines() if "replications" in line]
    assert [line.split(" replications")[0] for line in told] == [f"minimal: {done} of 3" for done in range(4)]


def test_warnings_come_before_the_run_and_apart_from_the_table(iopsim: Iopsim) -> None:
    _, out, err = iopsim("run", *FEW, "--no-figures", "--set", "sources.community.per_week=20")
    assert err.startswith("warning: ")
    assert "warning" not in out
    assert err.index("warning: ") < err.index("0 of 3 replications")


def test_json_is_all_that_is_printed_and_says_what_the_summary_says(iopsim: Iopsim, tmp_path: Path) -> None:
    code, out, err = iopsim("run", *FEW, "--no-figures", "--json")
    assert (code, err) == (0, "")
    said = json.loads(out, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    assert said["scenario"] == "minimal"
    folder = only_folder(tmp_path / "results")
    assert tmp_path / said["results"] == folder
    assert said["limits"].endswith("missing.")
    for row, entry in zip(read_csv(files(folder)["summary.csv"]), said["metrics"], strict=True):
        assert {name: csv_cell(value) for name, value in entry.items()} == row


def test_quiet_prints_the_folder_and_nothing_else(iopsim: Iopsim, tmp_path: Path) -> None:
    code, out, err = iopsim("run", *FEW, "--no-figures", "--quiet")
    assert (code, err) == (0, "")
    assert tmp_path / out.removesuffix("\n") == only_folder(tmp_path / "results")


def test_out_names_the_folder_and_never_overwrites(iopsim: Iopsim, tmp_path: Path) -> None:
    command = ("run", *FEW, "--no-figures", "--quiet", "--out", "deep/answer")
    assert iopsim(*command).out == "deep/answer\n"
    before = files(tmp_path / "deep" / "answer")
    code, out, err = iopsim(*command)
    assert (code, out) == (2, "")
    assert err.startswith("--out: error: deep/answer exists already; give a folder that does not exist yet\n")
    assert files(tmp_path / "deep" / "answer") == before
    assert [path.name for path in (tmp_path / "results").iterdir()] == [".cache"]


def test_the_manifest_alone_knows_when_and_with_what(iopsim: Iopsim, tmp_path: Path) -> None:
    from iopsim import __version__

    iopsim("run", *FEW, "--no-figures", "--quiet", "--out", "answer")
    manifest = json.loads((tmp_path / "answer" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["packages"]["iopsim"] == __version__
    assert (manifest["kind"], manifest["seed"], manifest["replications"]) == ("run", 1, 3)
    assert manifest["model_version"] == program_version()
    assert manifest["started"][0] <= manifest["finished"]
    everything_else = b"".join(files(tmp_path / "answer").values())
    for secret in (manifest["host"], manifest["finished"][:10], str(tmp_path)):
        assert secret.encode() not in everything_else


def test_one_replication_gives_numbers_without_intervals(iopsim: Iopsim) -> None:
    code, out, err = iopsim("run", *FEW, "--no-figures", "--replications", "1")
    assert code == 0, err
    assert re.search(r"^ +Census +\d+\.\d+ +patients", out, re.MULTILINE)
    assert "nan" not in out.lower()
