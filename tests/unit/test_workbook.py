"""Workbooks: numbers that are numbers, texts that are no formulas, and the same bytes for the same results."""

from __future__ import annotations

import datetime as dt
import json
import re
import sys
import zipfile
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import openpyxl
import pytest

from iopsim.errors import InputError
from iopsim.report.tables import read_results
from iopsim.report.workbook import write_workbook
from iopsim.report.workbook.book import Book, Column, Number, xlsxwriter
from tests.unit.folders import clinic, simulated, written

if TYPE_CHECKING:
    from collections.abc import Sequence

    from openpyxl.worksheet.worksheet import Worksheet

pytestmark = pytest.mark.slow

KINDS = {
    "minimal": ("run.warm_up_weeks=4", "run.weeks=10"),
    "from-today": ("run.weeks=10",),
    "dated-plan": ("run.warm_up_weeks=0", "run.weeks=42"),
}
SHEETS = ["Summary", "Today", "All metrics", "Weeks", "Weeks data", "Groups", "Staff", "Money"]
SHEETS += ["Replications", "Scenario", "About"]
HOSTILE = "=cmd|' /C calc'!A0"


class Shipped(NamedTuple):
    """A results folder, its workbook, and the same read back."""

    folder: Path
    content: bytes
    book: Any


@pytest.fixture(scope="module", params=KINDS)
def shipped(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Shipped:
    """Of each kind that ships: steady, from today, with changes."""
    sets = (*KINDS[request.param], "run.run_out_weeks=4", "run.replications=2")
    folder = simulated(tmp_path_factory.mktemp("results"), request.param, sets)
    content = exported(folder)
    return Shipped(folder, content, opened(content))


def exported(folder: Path) -> bytes:
    file = BytesIO()
    write_workbook(folder, file)
    return file.getvalue()


def opened(content: bytes) -> Any:
    return openpyxl.load_workbook(BytesIO(content))


def rows(sheet: Worksheet, heading: str) -> list[list[Any]]:
    """The rows under the one that begins with a heading, up to a free one."""
    values = [list(row) for row in sheet.iter_rows(values_only=True)]
    start = next(at for at, row in enumerate(values) if row[0] == heading)
    end = next((at for at in range(start, len(values)) if values[at][0] is None), len(values))
    return values[start:end]


def cell_of(sheet: Worksheet, row: str, column: str) -> Any:
    """The cell where a row and a heading meet."""
    heads = {cell.value: cell.column for line in sheet.iter_rows() for cell in line if cell.value == column}
    line = next(cells for cells in sheet.iter_rows() if cells[0].value == row)
    return line[heads[column] - 1]


def parts(content: bytes, folder: str) -> dict[str, str]:
    with zipfile.ZipFile(BytesIO(content)) as package:
        return {name: package.read(name).decode() for name in package.namelist() if name.startswith(folder)}


# Of whatever a run wrote


def test_every_sheet_of_every_kind_of_results(shipped: Shipped) -> None:
    results = read_results(shipped.folder)
    lacking = set() if results.scenario.from_today else {"Today"}
    lacking |= set() if results.scenario.staff else {"Groups", "Staff", "Money"}
    assert shipped.book.sheetnames == [name for name in SHEETS if name not in lacking]
    metrics = rows(shipped.book["All metrics"], "metric")[1:]
    assert [row[0] for row in metrics] == list(results.summary)
    for row in metrics:
        found = results.summary[row[0]].estimate
        assert row[3] is None if found != found else row[3] == pytest.approx(found, rel=1e-9)  # noqa: PLR0124
        assert row[-1], "what it means"


def test_the_same_bytes_twice(shipped: Shipped) -> None:
    assert exported(shipped.folder) == shipped.content


def test_no_formula_and_no_error_in_any_cell(shipped: Shipped) -> None:
    for sheet in shipped.book:
        assert {cell.data_type for row in sheet.iter_rows() for cell in row} <= {"s", "n", "d"}, sheet.title
    assert not [name for name, text in parts(shipped.content, "xl/worksheets/sheet").items() if "<f>" in text]


def test_charts_are_drawn_from_cells_that_there_are(shipped: Shipped) -> None:
    charts = parts(shipped.content, "xl/charts/chart")
    assert len(charts) >= 3
    for text in charts.values():
        for formula in re.findall("<c:f>(.*?)</c:f>", text):
            name, _, place = formula.replace("'", "").partition("!")
            first = re.match(r"\$([A-Z]+)\$(\d+)", place)
            assert first, formula
            assert shipped.book[name][f"{first[1]}{first[2]}"].value is not None, formula
    for text in parts(shipped.content, "xl/drawings/drawing").values():
        alts = re.findall(r'<xdr:cNvPr [^>]*descr="([^"]+)"', text)
        assert len(alts) == text.count("<xdr:graphicFrame"), "every chart is said in words too"


def test_weeks_are_those_of_the_table(shipped: Shipped) -> None:
    sheet, results = shipped.book["Weeks data"], read_results(shipped.folder)
    table = rows(sheet, "week from")
    assert [row[0].date() for row in table[1:]] == next(iter(results.weekly.values())).start.tolist()
    dated = bool(results.scenario.changes)
    changes = [row[2] for row in table[1:] if dated and row[2]]
    inside = [one for one in results.scenario.changes if one.from_ < results.scenario.run.end]
    assert len(changes) == len(inside)
    left = 2 + dated
    assert table[0][left : left + 5] == [
        "mean",
        "precision, low",
        "precision, high",
        "range of years, low",
        "range of years, high",
    ]
    for number, series in enumerate(results.weekly.values()):
        means = [row[left + 5 * number] for row in table[1:]]
        assert means == pytest.approx(series.mean.tolist(), rel=1e-9)


def test_print_setup_and_frozen_headings(shipped: Shipped) -> None:
    book = shipped.book
    for sheet in book:
        assert sheet.page_setup.orientation == "landscape"
    kept = {"Summary", "All metrics", "Weeks data", "Groups", "Staff", "Replications", "Scenario"}
    for name in kept & {*book.sheetnames}:
        assert book[name].freeze_panes, name
        assert book[name].print_title_rows, name
    for name in ("All metrics", "Weeks data", "Replications", "Scenario"):
        assert book[name].auto_filter.ref, name
    assert book["Summary"].sheet_properties.pageSetUpPr.fitToPage


def test_no_clock_no_host_and_no_path_in_it(shipped: Shipped) -> None:
    with zipfile.ZipFile(BytesIO(shipped.content)) as package:
        assert {info.date_time for info in package.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        text = b"".join(map(package.read, package.namelist())).decode()
    started = json.loads((shipped.folder / "manifest.json").read_text())["started"]
    assert not [trace for trace in (str(shipped.folder), "/tmp", *started) if trace in text]
    assert "1980-01-01T00:00:00Z" in text


# What stands where


def by_hand(tmp_path: Path, **changed: Any) -> Path:
    summary: dict[str, Sequence[object]] = {
        "day_care.wait_days.p90": ("days", 12.5, 11, 14.5, "undecided"),
        "day_care.reneged.share": ("share", 0.05, -0.01, 0.11, "met"),
        "day_care.census.mean": ("patients", 10.5, 9.5, 11.5, "missed"),
        "program.cost.total": ("EUR", 1234567.891, 1234000, 1235000, ""),
        "program.cost.per_attended_day": ("EUR/day", 210.5, 200, 220, ""),
        "program.payroll.total": ("EUR", 1000000, 1000000, 1000000, ""),
    }
    targets = [
        {"metric": "day_care.wait_days.p90", "at_most": 14.0},
        {"metric": "day_care.reneged.share", "at_most": 0.2},
        {"metric": "day_care.census.mean", "at_least": 12.0},
    ]
    scenario = clinic(
        currency="EUR", targets=targets, notes={"levels.day_care": "asked on the ward"}, **changed
    )
    return written(tmp_path / "run", scenario, summary, weekly={"day_care.census": (10, 9, 11, 7, 12)})


def test_numbers_have_the_format_of_their_unit(tmp_path: Path) -> None:
    sheet = opened(exported(by_hand(tmp_path)))["Summary"]
    shown = {
        "Day care: wait to start, nine in ten within": (12.5, "[>=999.5]#,##0;[>=9.995]#,##0.0;0.00"),
        "Day care: gave up waiting": (0.05, "0.0 %"),
        "Cost, 26 weeks": (1234567.891, '#,##0 "EUR"'),
        "Cost per attended day": (210.5, '#,##0.00 "EUR"'),
    }
    for words, (value, number_format) in shown.items():
        cell = cell_of(sheet, words, "estimate")
        assert (cell.value, cell.number_format) == (value, number_format)
    low = cell_of(sheet, "Day care: gave up waiting", "95 % interval, low")
    assert low.value == 0, "a share is never below 0"


def test_verdicts_have_a_color_and_a_word(tmp_path: Path) -> None:
    sheet = opened(exported(by_hand(tmp_path)))["Summary"]
    verdicts = [
        cell_of(sheet, words, "verdict")
        for words in (
            "Day care: wait to start, nine in ten within",
            "Day care: gave up waiting",
            "Day care: census",
        )
    ]
    assert [cell.value for cell in verdicts] == ["undecided", "met", "missed"]
    assert len({cell.fill.start_color.rgb for cell in verdicts}) == 3
    target = cell_of(sheet, "Day care: gave up waiting", "target")
    assert target.value == "at most 20 %"


def test_the_scenario_with_its_sources(tmp_path: Path) -> None:
    table = {row[0]: row[1:] for row in rows(opened(exported(by_hand(tmp_path)))["Scenario"], "path")}
    assert table["run.start"][0] == dt.datetime(2027, 1, 4)
    assert table["levels.day_care.groups.morning.seats"] == [12, "asked on the ward"], (
        "of the part it belongs to"
    )
    assert table["levels.day_care.groups.morning.days"][0] == "mon, wed, fri"
    assert table["levels.ward.places"] == [4, None]


def test_the_list_of_today(tmp_path: Path) -> None:
    begun = {"as_of": dt.date(2027, 1, 4), "waitlist_under": {"day_care": 3}}
    run = {"weeks": 26, "run_out_weeks": 3, "replications": 4}
    more = {
        "weeks_until_under.csv": [
            ("level", "under", "week_start", "share_of_years", "cumulative_share"),
            ("day_care", 3, "2027-01-11", 0.25, 0.25),
            ("day_care", 3, "2027-01-18", 0.5, 0.75),
        ],
        "starts.csv": [
            ("place", "level", "share_started", "share_gave_up", "date_p10", "date_median", "date_p90"),
            (1, "day_care", 0.75, 0.25, "2027-01-05", "2027-01-06", ""),
        ],
    }
    scenario = clinic(from_today=begun, run=run)
    folder = written(tmp_path / "run", scenario, more=more)
    manifest = json.loads((folder / "manifest.json").read_text())
    answer = "=Of 1 on the list of Day care today, half start by 2027-01-06."
    (folder / "manifest.json").write_text(json.dumps({**manifest, "today": [answer]}))
    sheet = opened(exported(folder))["Today"]
    (said,) = [cell for (cell,) in sheet.iter_rows(max_col=1) if cell.value == answer]
    assert said.data_type == "s"
    assert rows(sheet, "from the week of")[1:] == [
        [dt.datetime(2027, 1, 11), 0.25, 0.25, *[None] * 4],
        [dt.datetime(2027, 1, 18), 0.5, 0.75, *[None] * 4],
    ]
    days = [dt.datetime(2027, 1, 5), dt.datetime(2027, 1, 6), None]
    assert rows(sheet, "level")[1:] == [["Day care", 1, 0.75, 0.25, *days]]
    assert rows(sheet, "level")[0][-1] == "in nine of ten years by (90 %)", (
        "and no id, which the run did not name"
    )


def test_replications_are_numbers_of_their_own(tmp_path: Path) -> None:
    folder = by_hand(tmp_path)
    (folder / "replications.csv").write_text(
        "replication,beds,waits:sum,waits:count,gone:numerator,gone:denominator\n0,3,12,4,1,5\n1,5,0,0,2,4\n"
    )
    table = rows(opened(exported(folder))["Replications"], "metric")
    assert table[0][2:] == ["replication 0", "replication 1"]
    assert [[row[0], *row[2:]] for row in table[1:]] == [
        ["beds", 3, 5],
        ["waits.mean", 3, None],
        ["gone", 0.2, 0.5],
    ]


# What people may write


def test_labels_are_texts_and_never_formulas(tmp_path: Path) -> None:
    plain = clinic().model_dump(by_alias=True, exclude_unset=True)
    plain["levels"]["day_care"]["label"] = HOSTILE
    plain["levels"]["day_care"]["groups"]["morning"]["label"] = '=HYPERLINK("http://x")'
    plain["staff"]["clinician"]["label"] = "+1+1"
    folder = by_hand(
        tmp_path,
        levels=plain["levels"],
        staff=plain["staff"],
        description="@SUM(A1)",
    )
    content = exported(folder)
    values = [cell for sheet in opened(content) for row in sheet.iter_rows() for cell in row]
    assert {cell.data_type for cell in values} <= {"s", "n", "d"}
    assert {HOSTILE, "+1+1", "@SUM(A1)"} <= {cell.value for cell in values}
    for text in parts(content, "xl/charts/chart").values():
        assert not [formula for formula in re.findall("<c:f>(.*?)</c:f>", text) if "cmd" in formula]


@pytest.mark.parametrize("currency", ['"$"', "a & <b>", "€", "x\ty"])
def test_a_currency_that_is_hard_to_write(tmp_path: Path, currency: str) -> None:
    scenario = clinic(currency=currency)
    folder = written(tmp_path / "run", scenario, {"program.cost.total": (currency, 5000, 4000, 6000, "")})
    cell = cell_of(opened(exported(folder))["Summary"], "Cost, 26 weeks", "estimate")
    assert cell.value == 5000
    assert cell.number_format.startswith("#,##0 ")


def test_cells_of_every_kind() -> None:
    file = BytesIO()
    book = Book(file, title="kinds", currency="USD")
    sheet = book.sheet("Kinds", "=title")
    cells = ["=1+1", 2, dt.date(2027, 1, 4), None, float("nan"), Number(0.5, "share"), float("inf")]
    sheet.table([Column(f"c{number}") for number in range(len(cells))], [cells, ["a part"]])
    sheet.fit()
    book.close()
    (found, part) = rows(opened(file.getvalue())["Kinds"], "c0")[1:]
    assert found == ["=1+1", 2, dt.datetime(2027, 1, 4), None, None, 0.5, None]
    assert part[0] == "a part"


# What cannot be


def test_without_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "xlsxwriter", None)
    with pytest.raises(InputError, match=r'pip install "iopsim\[report\]"'):
        xlsxwriter()


def test_kinds_of_results_that_have_no_workbook(tmp_path: Path) -> None:
    folder = by_hand(tmp_path)
    manifest = folder / "manifest.json"
    for kind, instead in (
        ("sweep", "sweep.csv"),
        ("shard", "iopsim merge"),
        ("dream", "a run or a comparison"),
    ):
        manifest.write_text(manifest.read_text().replace('"run"', f'"{kind}"', 1))
        with pytest.raises(InputError, match=rf"a {kind} has no workbook; .*{instead}"):
            exported(folder)
        manifest.write_text(manifest.read_text().replace(f'"{kind}"', '"run"', 1))


@pytest.mark.parametrize("name", ["summary.csv", "weekly.csv.gz", "replications.csv", "profiles.csv"])
def test_a_damaged_folder_is_told(tmp_path: Path, name: str) -> None:
    folder = by_hand(tmp_path)
    (folder / name).write_bytes(b"\x00no table\n1,2\n")
    with pytest.raises(InputError, match="damaged; give the command that wrote this folder again"):
        exported(folder)
