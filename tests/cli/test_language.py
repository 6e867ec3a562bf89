"""`validate`, `show`, `schema`, `new` and `metrics`: the commands that simulate nothing."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from iopsim.scenario import load
from tests.cli.sessions import BASELINE, MINIMAL, SCENARIOS, lay_data

if TYPE_CHECKING:
    from tests.cli.conftest import Iopsim

SHIPPED = sorted(SCENARIOS.glob("*.yaml"))
OVERLOAD = ("--set", "sources.community.per_week=8")


def test_a_sound_scenario_is_valid(iopsim: Iopsim) -> None:
    code, out, err = iopsim("validate", MINIMAL, "--set", "levels.iop.places=30")
    assert (code, err) == (0, "")
    assert out.startswith("minimal")
    assert out.endswith("\nvalid: 0 warnings\n")


def test_an_overload_is_a_warning_with_its_numbers_and_no_fault(iopsim: Iopsim) -> None:
    code, out, err = iopsim("validate", MINIMAL, *OVERLOAD)
    assert (code, err) == (0, "")
    # 8 a week × 42 days ÷ 7 = 48 places for 12
    assert re.search(r"^  iop places +48\.0 of +12\.0 +400%", out, re.MULTILINE)
    assert "\nwarning: levels.iop.places: " in out
    assert re.search(r"\nvalid: [1-9]\d* warnings?(, \d+ notes?)?\n$", out)
    assert max(map(len, out.splitlines())) <= 80


def test_validate_as_json_holds_the_same(iopsim: Iopsim) -> None:
    code, out, err = iopsim("validate", MINIMAL, *OVERLOAD, "--json")
    assert (code, err) == (0, "")
    said = json.loads(out)
    assert said["scenario"] == "minimal"
    (pool,) = said["pools"]
    assert (pool["load"], pool["capacity"], pool["utilization"]) == pytest.approx((48, 12, 4))
    assert {"warning"} <= {finding["severity"] for finding in said["findings"]}


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_the_resolved_form_reads_back_as_the_same_scenario(
    iopsim: Iopsim, tmp_path: Path, path: Path
) -> None:
    sets = ("--set", "run.seed=12")
    code, out, err = iopsim("show", "--resolved", path, *sets)
    assert (code, err) == (0, "")
    Path("again.yaml").write_text(out, encoding="utf-8")
    lay_data(tmp_path)
    assert load("again.yaml") == load(path, ["run.seed=12"])
    assert iopsim("show", "--resolved", "again.yaml").out == out


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_what_is_shown_is_what_was_written_with_extends_and_set_carried_out(
    iopsim: Iopsim, tmp_path: Path, path: Path
) -> None:
    code, out, err = iopsim("show", path, "--set", "run.seed=12")
    assert (code, err) == (0, "")
    assert "extends" not in out
    assert "seed: 12" in out
    assert len(out) < len(iopsim("show", "--resolved", path).out)
    Path("again.yaml").write_text(out, encoding="utf-8")
    lay_data(tmp_path)
    assert load("again.yaml") == load(path, ["run.seed=12"])


def test_show_keeps_to_what_was_written(iopsim: Iopsim) -> None:
    out = iopsim("show", MINIMAL).out
    assert "run:" not in out
    assert "currency" not in out


def test_the_schema_is_json_and_the_one_that_is_shipped(iopsim: Iopsim) -> None:
    code, out, err = iopsim("schema")
    assert (code, err) == (0, "")
    schema = json.loads(out)
    assert schema["$schema"].startswith("https://json-schema.org/")
    assert {"sources", "levels", "staff", "run"} <= set(schema["properties"])
    assert out == (SCENARIOS / "scenario.schema.json").read_text(encoding="utf-8")


def test_the_schema_lets_a_variant_write_in_part_whatever_lies_over_a_base(iopsim: Iopsim) -> None:
    """All mappings on the way from the root merge; items of lists and tables of shares are whole."""
    parts = json.loads(iopsim("schema").out)["$defs"]
    for part in (
        "FromToday",
        "Census",
        "WaitlistFile",
        "ApplicationFile",
        "InpatientAlternative",
        "Returns",
        "Level",
    ):
        assert "required" not in parts[part], part
    assert parts["PlanChange"]["required"] == ["from", "set"]
    assert parts["Tier"]["required"] == ["from_services", "pay"]


def test_a_sweep_is_told_to_be_none(iopsim: Iopsim) -> None:
    for path in sorted((SCENARIOS / "sweeps").glob("*.yaml")):
        code, out, err = iopsim("validate", path)
        assert (code, out) == (2, "")
        assert err.endswith("is a sweep, not a scenario; give it to `iopsim sweep`\n1 error\n")


def test_a_new_scenario_is_right_short_and_commented(iopsim: Iopsim) -> None:
    code, out, err = iopsim("new", "My clinic-2.yaml")
    assert (code, err) == (0, "")
    assert out == "wrote My clinic-2.yaml; next: iopsim run My clinic-2.yaml\n"
    text = Path("My clinic-2.yaml").read_text(encoding="utf-8")
    assert len([line for line in text.splitlines() if line and line[0] != "#"]) <= 12
    assert text.count("#") >= 5
    assert iopsim("validate", "My clinic-2.yaml").code == 0
    assert load("My clinic-2.yaml").name == "my_clinic_2"


def test_new_takes_a_name_of_its_own_and_never_overwrites(iopsim: Iopsim) -> None:
    assert iopsim("new").out == "wrote scenario.yaml; next: iopsim run scenario.yaml\n"
    Path("scenario.yaml").write_text("mine", encoding="utf-8")
    code, out, err = iopsim("new")
    assert (code, out) == (2, "")
    assert err == "scenario.yaml: error: exists already; give another name\n1 error\n"
    assert Path("scenario.yaml").read_text(encoding="utf-8") == "mine"


def test_metrics_lists_every_family_with_unit_direction_and_definition(iopsim: Iopsim) -> None:
    from iopsim.measures.registry import registered

    code, out, err = iopsim("metrics")
    assert (code, err) == (0, "")
    assert "{currency}" not in out
    blocks = re.findall(r"^(\S+)\n    (\S.*)\n    (\S.*)$", out, re.MULTILINE)
    assert len(blocks) == len(registered()) == len(out.splitlines()) / 3
    assert ("<level>[.<track>].wait_days.{mean,p50,p90,p95}", "days, lower is better") in {
        block[:2] for block in blocks
    }


@pytest.mark.parametrize(
    ("name", "families"),
    [
        ("iop.wait_days.p90", ["<level>[.<track>].wait_days.{mean,p50,p90,p95}"]),
        ("iop.mood.wait_days", ["<level>[.<track>].wait_days.{mean,p50,p90,p95}"]),
        (
            "wait_days",
            ["<level>[.<track>].wait_days.{mean,p50,p90,p95}", "<level>[.<track>].reneged_wait_days.{mean}"],
        ),
        ("program.cost.total", ["program.cost.{total}"]),
        ("iop.cost.total", ["<level>.cost.{total}"]),
        ("program.margin_by_payer.medicaid", ["program.margin_by_payer.<payer>"]),
        ("group.mood_day.attendance.share", ["group.<group>.attendance.{share}"]),
    ],
)
def test_metrics_explains_a_name(iopsim: Iopsim, name: str, families: list[str]) -> None:
    code, out, err = iopsim("metrics", name)
    assert (code, err) == (0, "")
    assert [line for line in out.splitlines() if line[:1] != " "] == families


def test_every_name_of_a_scenario_is_listed_with_its_unit_and_explained(iopsim: Iopsim) -> None:
    from iopsim.experiment.names import reported

    code, out, err = iopsim("metrics", BASELINE)
    assert (code, err) == (0, "")
    listed = dict(line.split("\t") for line in out.splitlines())
    expected = reported(load(BASELINE))
    assert list(listed) == list(expected)
    assert listed["program.cost.per_attended_day"] == "USD/day"
    for name in list(expected)[::7]:
        pattern = iopsim("metrics", name).out.split("\n")[0]
        assert pattern.startswith(expected[name].bound.metric.pattern), name
    assert iopsim("metrics", BASELINE, "iop.mood.wait_days").out.splitlines() == [
        f"iop.mood.wait_days.{statistic}\tdays" for statistic in ("mean", "p50", "p90", "p95")
    ]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["wait_dais"], 'no metric speaks of "wait_dais" (did you mean "wait_days"?)'),
        (["xyzzy"], 'no metric speaks of "xyzzy"; `iopsim metrics` lists those that exist'),
        ([MINIMAL, "iop.wait_day.p90"], '(did you mean "iop.wait_days.p90"?)'),
    ],
)
def test_a_metric_that_does_not_exist_is_an_error(iopsim: Iopsim, words: list[str], said: str) -> None:
    code, out, err = iopsim("metrics", *words)
    assert (code, out) == (2, "")
    assert said in err
    assert err.endswith("\n1 error\n")
