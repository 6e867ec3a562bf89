"""What is written is read back as the same: every word of a scenario, every table, every replication, every sheet."""

from __future__ import annotations

import csv
import gzip
import io
import json
import math
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iopsim.errors import InputError
from iopsim.experiment.cache import Cache
from iopsim.experiment.encoding import csv_cell, encode
from iopsim.experiment.executors import Here
from iopsim.experiment.keys import replication_key
from iopsim.experiment.plans import Gathered, Plan, gather
from iopsim.experiment.replicate import replicate
from iopsim.experiment.run import write_events, write_tables
from iopsim.experiment.store import Results, open_run, read_run
from iopsim.experiment.sweep.folder import BASE, key_of
from iopsim.experiment.sweep.load import load as load_sweep
from iopsim.report.workbook import write_workbook
from iopsim.scenario import resolved_text
from iopsim.scenario.file import dump, parse
from iopsim.scenario.load import understood
from iopsim.scenario.schema import Scenario
from iopsim.scenario.sweeps import resolved_sweep
from tests.properties.begun import Begun
from tests.properties.clinics import CLINIC, PROPERTY, STORM, Plain
from tests.properties.test_conservation import going_on
from tests.properties.whole import LANGUAGE, said, whole

# ── a scenario ───────────────────────────────────────────────────────────────────────────────────────────────

UNSAID = {"Constant.value"}  # written as a bare number


def test_every_word_of_a_scenario_is_read_back_as_it_was_said(tmp_path: Path) -> None:
    words = set[str]()

    @settings(PROPERTY, max_examples=26)
    @given(whole(simulated=False))
    def check(program: Begun) -> None:
        scenario = program.scenario(tmp_path)
        text = resolved_text(scenario)
        again, _ = understood(parse(text, "again"), tmp_path)
        assert again == scenario
        assert again.editions == scenario.editions
        if scenario.run.is_settled:
            assert replication_key(again) == replication_key(scenario)
        words.update(said(scenario))

    check()
    assert LANGUAGE - words == set(), "the programs of these tests say every word of the language"
    assert {word for word in words - LANGUAGE if ": " not in word} <= UNSAID


@pytest.mark.parametrize(
    ("line", "otherwise"),
    [
        ("refer_before_days: 2.0", "refer_before_days: 0.0"),
        ("claims_denied: 0.05", "claims_denied: 0.0"),
        ("dropout_factor: 1.5", "dropout_factor: 1.0"),
        ("from_services: 3", "from_services: 1"),
        ("hold_days: 3.0}", "hold_days: forever}"),
    ],
)
def test_a_value_that_the_resolved_form_forgets_is_noticed(line: str, otherwise: str, tmp_path: Path) -> None:
    scenario = Scenario.model_validate(STORM)
    text = resolved_text(scenario)
    assert line in text
    again, _ = understood(parse(text.replace(line, otherwise, 1), "again"), tmp_path)
    assert again is not None and again != scenario


# ── a sweep ──────────────────────────────────────────────────────────────────────────────────────────────────

_LAWS = [{"gamma": {"mean": 12.5, "cv": 0.5}}, 3, {"weibull": {"shape": 0.7, "scale": 20}}]
_AXES: dict[str, st.SearchStrategy[Any]] = {
    "staff.therapist.posts": st.lists(st.integers(1, 5), min_size=2, max_size=3, unique=True),
    "levels.unit.hold_days": st.just([0, 1.5, "forever"]),
    "levels.op.stay_days": st.lists(st.sampled_from(_LAWS), min_size=1, max_size=2, unique_by=str),
    "levels.*.waitlist.patience_days": st.just([{"exponential": {"mean": 9}}]),
    "sources.community.per_week": st.sampled_from(({"min": 2, "max": 8.5, "n": 3}, [0.1, 1 / 3])),
    "sources.community.times": st.just([{"day": 1}, {"day": 0.25, "evening": 0.75}]),
    "levels.iop.groups.late": st.just([None, {"days": ["tue", "wed", "thu"], "seats": 4}]),
    "hours": st.just(
        {
            "label": "Hours: more, or “fewer”",
            "values": {
                "as they are": {},
                "# fewer": {"staff.therapist.bookable": 0.5, "levels.iop.groups.day.hours": 2},
            },
        }
    ),
}


@st.composite
def _sweeps(draw: st.DrawFn) -> Plain:
    names = draw(st.lists(st.sampled_from(sorted(_AXES)), min_size=1, max_size=3, unique=True))
    return {
        "base": "clinic.yaml",
        "name": "study",
        "parameters": {name: draw(_AXES[name]) for name in names},
        "method": draw(st.sampled_from(("grid", "grid", "list"))),
        "replications": draw(st.sampled_from((4, {"min": 3, "max": 9, "precision": 0.1}))),
        "metrics": ["op.census.mean"],
        "targets": [{"metric": "iop.census.mean", "at_least": 1}],
    }


def test_a_sweep_is_read_back_with_every_point(tmp_path: Path) -> None:
    (tmp_path / "clinic.yaml").write_text(dump(CLINIC), encoding="utf-8")
    points = list[int]()

    @settings(PROPERTY, max_examples=8)
    @given(_sweeps())
    def check(sweep: Plain) -> None:
        (tmp_path / "study.yaml").write_text(dump(sweep), encoding="utf-8")
        try:
            one = load_sweep(tmp_path / "study.yaml")
        except InputError as error:
            assert {fault.code for fault in error.faults} == {"unequal-lists"}, error
            return
        tree = resolved_sweep(one.opened, BASE, cost=one.cost, wait=one.wait)
        (tmp_path / BASE).write_text(resolved_text(one.base), encoding="utf-8")
        (tmp_path / "again.yaml").write_text(dump(tree), encoding="utf-8")
        again = load_sweep(tmp_path / "again.yaml")
        assert again.scenarios == one.scenarios and again.base == one.base
        assert resolved_sweep(again.opened, BASE, cost=again.cost, wait=again.wait) == tree
        assert key_of(again) == key_of(one)
        points.append(len(one.points))

    check()
    assert sum(points) > 15


# ── tables ───────────────────────────────────────────────────────────────────────────────────────────────────


def results_of(scenario: Scenario, folder: Path) -> Results:
    """The folder that a run of the scenario leaves, events among its tables."""
    cache = Cache(folder / ".cache")
    (gathered,) = gather([Plan.of(scenario)], cache, Here())
    with open_run(folder, "run", "0" * 64, about={"kind": "run", "seed": 1, "traced": {}}) as run:
        said = write_tables(gathered, run, cache)
        write_events(gathered, run, Here())
        return read_run(run.finish(replications=gathered.count, notes=said.notes, today=said.answers))


@pytest.fixture(scope="module", params=["from a date on", "from today"])
def results(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Results:
    """Of the storm, in which every rule acts, and of one that goes on from a day."""
    folder = tmp_path_factory.mktemp("results")
    steady = request.param == "from a date on"
    scenario = Scenario.model_validate(STORM) if steady else going_on(folder)
    run = scenario.run.model_copy(update={"replications": 2})
    copy = scenario.model_copy(update={"run": run})
    copy._editions = scenario._editions
    return results_of(copy, folder)


TABLES = ("summary.csv", "replications.csv", "weekly.csv.gz", "profiles.csv", "events.csv.gz")


def text_of(path: Path) -> str:
    content = path.read_bytes()
    return (gzip.decompress(content) if path.suffix == ".gz" else content).decode()


def cells(path: Path) -> list[list[object]]:
    """A table with numbers for what is one."""
    return [[meant(cell) for cell in row] for row in csv.reader(io.StringIO(text_of(path), newline=""))]


def meant(cell: str) -> object:
    """What a cell says: a number as far as it was written, nothing, or a text."""
    try:
        return float(cell) if cell else None
    except ValueError:
        return cell


def written(rows: list[list[object]]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(map(csv_cell, row) for row in rows)
    return out.getvalue()


def test_a_table_that_is_read_and_written_again_is_the_same_bytes(results: Results) -> None:
    names = {path.name for path in results.path.glob("*.csv*")}
    more = {"starts.csv", "weeks_until_under.csv"} if results.scenario().from_today else set()
    assert names == {*TABLES, *more}
    for name in names:
        rows = cells(results.path / name)
        assert written(rows) == text_of(results.path / name), name
        frame = results.table(name)
        assert list(frame.columns) == rows[0] and len(frame) == len(rows) - 1, name
        for place, column in enumerate(frame.columns):
            for found, row in zip(frame[column].tolist(), rows[1:], strict=True):
                nothing = row[place] is None and isinstance(found, float) and math.isnan(found)
                assert nothing or found == row[place], (name, column)


def test_replications_are_read_back_as_they_were_simulated(results: Results) -> None:
    if results.scenario().from_today:
        pytest.skip("its patients are in no file of the results")
    for index, one in enumerate(results.replications()):
        assert encode(one) == encode(replicate(results.scenario(), index))


def test_what_a_folder_holds_makes_its_tables_again(results: Results, tmp_path: Path) -> None:
    """From the scenario and the replications in the folder, and nothing else."""
    scenario = results.scenario()
    if scenario.from_today:
        pytest.skip("its patients are in no file of the results")
    cache, plan = Cache(tmp_path / ".cache"), Plan.of(scenario)
    for one in results.replications():
        cache.put(plan.key, one.index, encode(one))
    with open_run(tmp_path, "again", "0" * 64) as run:
        write_tables(Gathered(plan, run_count := len(results.replications())), run, cache)
        again = run.finish(replications=run_count)
    for path in sorted(again.iterdir()):
        if path.name != "manifest.json":
            assert path.read_bytes() == (results.path / path.name).read_bytes(), path.name


def test_a_manifest_is_read_back_as_it_was_noted(results: Results) -> None:
    text = (results.path / "manifest.json").read_text(encoding="utf-8")
    assert json.dumps(json.loads(text), indent=2, ensure_ascii=False) + "\n" == text
    assert results.manifest == json.loads(text)


# ── sheets ───────────────────────────────────────────────────────────────────────────────────────────────────


def same_number(cell: object, text: str) -> bool:
    """Whether a cell of a sheet is the number of a table's cell, as far as sheets keep one: fifteen digits."""
    if not text:
        return cell is None
    return isinstance(cell, int | float) and math.isclose(cell, float(text), rel_tol=1e-12, abs_tol=1e-12)


def table(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text_of(path), newline="")))


@pytest.fixture(scope="module")
def book(results: Results) -> Any:
    file = io.BytesIO()
    write_workbook(results.path, file)
    return openpyxl.load_workbook(file)


def under(sheet: Any, heading: str) -> list[list[Any]]:
    """The rows under the one that begins with a heading."""
    rows = [list(row) for row in sheet.iter_rows(values_only=True)]
    start = next(place for place, row in enumerate(rows) if row[0] == heading)
    return [row for row in rows[start + 1 :] if row[0] is not None]


def test_a_sheet_has_the_numbers_of_its_table(results: Results, book: Any) -> None:
    summary = table(results.path / "summary.csv")
    found = under(book["All metrics"], "metric")
    assert [row[0] for row in found] == [row["metric"] for row in summary]
    for cells_, row in zip(found, summary, strict=True):
        kept_ = {"estimate": cells_[3], "sd": cells_[6], "n": cells_[7]}
        assert [name for name, cell in kept_.items() if not same_number(cell, row[name])] == [], row
        assert (cells_[2], cells_[10] or "") == (row["unit"], row["verdict"])
        inside = [low is None or low == "" for low in cells_[4:6]]
        assert inside == [row["ci_low"] == "", row["ci_high"] == ""]
