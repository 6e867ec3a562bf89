"""Keys: equal exactly where the numbers must be, whatever else is said of them and however it is written."""

from __future__ import annotations

import hashlib
import re
import shutil
from pathlib import Path

import pytest

import iopsim
from iopsim.experiment import keys
from iopsim.experiment.keys import content_key, program_version, replication_key
from iopsim.experiment.run import key_of
from iopsim.model import MODEL_VERSION
from iopsim.scenario import load
from iopsim.scenario.schema import Scenario
from tests.unit.kept import ROOT, brief, said_by

BASELINE = ROOT / "scenarios" / "baseline.yaml"


def reordered(scenario: Scenario, part: str) -> Scenario:
    tree = scenario.model_dump(by_alias=True, exclude_unset=True)
    tree[part] = dict(reversed(tree[part].items()))
    return Scenario.model_validate(tree)


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the package, whose version `program_version.__wrapped__` tells."""
    copy = tmp_path / "iopsim"
    shutil.copytree(Path(iopsim.__file__).parent, copy, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(iopsim, "__file__", str(copy / "__init__.py"))
    return copy


def version() -> str:
    """The program version as a new process would find it."""
    return program_version.__wrapped__()


# --- a replication


@pytest.mark.parametrize(
    "same",
    [
        "name=other",
        "description=The same people.",
        "notes={levels.iop.places: counted}",
        "targets=[]",
        "targets=[{metric: iop.wait_days.p85, at_most: 3, floor: 0.5, matters: 1}]",
        "observed={iop.census.mean: 11}",
        "run.replications=7",
        "run.replications={max: 30, precision: 0.1, of: [iop.census.mean]}",
        "run.run_out_weeks=1",
        "run.seed=1",
        "levels.iop.places=12",
    ],
)
def test_what_is_only_said_of_the_numbers_keeps_the_key(same: str) -> None:
    assert replication_key(brief(same)) == replication_key(brief())


@pytest.mark.parametrize(
    "other",
    [
        "run.seed=2",
        "run.start=2027-01-11",
        "run.warm_up_weeks=2",
        "run.weeks=5",
        "run.run_out_weeks=2",
        "levels.iop.places=13",
        "levels.iop.stay_days.gamma.mean=42.000000000000007",
        "levels.iop.waitlist.patience_days={lognormal: {mean: 40, cv: 1}}",
        "sources.community.per_week=2.5",
        "calendar.closed=[2027-01-18]",
        "currency=EUR",
    ],
)
def test_whatever_may_change_a_number_changes_the_key(other: str) -> None:
    assert replication_key(brief(other)) != replication_key(brief())


def test_every_other_word_of_a_scenario_counts() -> None:
    """Take any one value out of the whole language: only names, descriptions and what is wanted may not matter."""
    left_out = {"name", "description", "notes", "targets", "observed"}
    scenario = load(BASELINE)
    same, other = set(), set()
    for part in Scenario.model_fields:
        default = Scenario.model_fields[part].get_default(call_default_factory=True)
        if part not in {"sources", "levels", "run"} and getattr(scenario, part) != default:
            changed = scenario.model_copy(update={part: default})
            (same if replication_key(changed) == replication_key(scenario) else other).add(part)
    assert same == left_out & (same | other)
    assert {"calendar", "staff", "money", "payers", "tracks", "services"} <= other


@pytest.mark.parametrize("part", ["levels", "staff", "sources"])
def test_the_order_that_breaks_ties_counts(part: str) -> None:
    scenario = load(BASELINE)
    assert replication_key(reordered(scenario, part)) != replication_key(scenario)


def test_a_key_is_of_the_values_and_not_of_how_they_are_written(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(
        f"extends: {ROOT}/scenarios/minimal.yaml\nname: mine\n"
        "run: {replications: 3, run_out_weeks: 1, weeks: 4, warm_up_weeks: 1}  # in another order\n"
        "calendar: {closed: []}\n",
        encoding="utf-8",
    )
    assert replication_key(load(tmp_path / "mine.yaml")) == replication_key(brief())


def test_the_values_of_a_data_file_count_and_neither_its_order_nor_its_other_columns(tmp_path: Path) -> None:
    def key(text: str) -> str:
        (tmp_path / "stays.csv").write_text(text, encoding="utf-8")
        (tmp_path / "mine.yaml").write_text(
            "name: mine\nsources: {community: {to: iop, per_week: 2}}\n"
            "levels: {iop: {places: 12, stay_days: {empirical: {csv: stays.csv, column: days}}}}\n",
            encoding="utf-8",
        )
        return replication_key(load(tmp_path / "mine.yaml"))

    before = key("days\n10\n20.5\n")
    assert key("patient;days\nx;20.5\n\ny;10.0\n") == before
    assert key("days\n10\n20.5\n20.5\n") != before
    assert key("days\n10\n20.500000000000004\n") != before


def test_every_process_finds_the_same_key() -> None:
    script = """
        from tests.unit.kept import brief
        from iopsim.experiment.keys import program_version, replication_key
        print(program_version(), replication_key(brief()))
    """
    assert said_by(script) == [f"{program_version()} {replication_key(brief())}"]


def test_a_run_is_more_than_its_replications() -> None:
    """Another number of replications or another target makes another folder of the same replications."""
    runs = [
        brief(),
        brief("run.replications=7"),
        brief("targets=[]"),
        brief("observed={iop.census.mean: 11}"),
    ]
    assert len({key_of(scenario) for scenario in runs}) == 4
    assert len({replication_key(scenario) for scenario in runs}) == 1
    assert key_of(brief("name=other", "description=Said otherwise.")) == key_of(brief())


# --- content and program


def test_a_key_is_the_hash_of_canonical_json() -> None:
    canonical = f'{{"a":0.1,"b":[1,"\\u00e9",null],"program_version":"{program_version()}"}}'
    key = content_key({"b": [1, "é", None], "a": 0.1})
    assert key == hashlib.sha256(canonical.encode()).hexdigest()


def test_the_version_is_that_of_the_model_and_of_the_sources() -> None:
    assert re.fullmatch(rf"{re.escape(MODEL_VERSION)}-[0-9a-f]{{12}}", program_version())


@pytest.mark.parametrize(
    "source",
    [
        "model/journey.py",
        "model/draws.py",
        "measures/flow.py",
        "scenario/distributions/families.py",
        "experiment/encoding.py",
        "experiment/replicate.py",
    ],
)
def test_where_numbers_are_made_any_change_is_another_version(program: Path, source: str) -> None:
    assert version() == program_version()
    with (program / source).open("a", encoding="utf-8") as file:
        file.write("# changed\n")
    assert version() != program_version()


def test_a_new_or_renamed_source_is_another_version_too(program: Path) -> None:
    (program / "model" / "new.py").touch()
    added = version()
    (program / "model" / "new.py").rename(program / "measures" / "new.py")
    assert len({added, version(), program_version()}) == 3


def test_line_ends_and_what_only_shows_numbers_are_no_other_version(program: Path) -> None:
    for path in (program / "model").glob("*.py"):
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    for name in ("cli/run.py", "report/style.py", "experiment/plans.py", "experiment/summary.py"):
        (program / name).write_text("", encoding="utf-8")
    assert version() == program_version()


def test_another_version_is_another_key(monkeypatch: pytest.MonkeyPatch) -> None:
    before = replication_key(brief())
    monkeypatch.setattr(keys, "program_version", lambda: "2-000000000000")
    assert replication_key(brief()) != before
