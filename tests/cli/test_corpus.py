"""The corpus of wrong input (`tests/corpus`): every case refused at its place, with its code and a sentence that helps.

After a change of a sentence, read and commit what this writes:

    IOPSIM_REGENERATE=1 pytest tests/cli/test_corpus.py
"""

from __future__ import annotations

import ast
import csv
import gzip
import io
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from iopsim.cli import main, program
from iopsim.errors import Fault, InputError
from tests.cli.corpus import CORPUS, Case, cases

if TYPE_CHECKING:
    from collections.abc import Iterator

CASES = {case.name: case for case in cases()}
MESSAGES = CORPUS / "messages.txt"
PACKAGE = CORPUS.parents[1] / "iopsim"
ADVICE = "messages changed: if they are better now, write them anew (see the top of this file)"

# A sentence that only says what is wrong leaves the planner alone. What to do follows a semicolon or colon, or is said
# by the sentence itself.
REMEDY = re.compile(
    r"[;:] |\(did you mean|\b(give|write|drop|needs?|must|at least|at most|takes|goes? with|has no value)\b"
    r"|ends with|goes in quotes"
)
JARGON = re.compile(
    r"Traceback|[Ii]nput should|pydantic|Error\b|None|\bdict\b|\btuple\b|<class|\bstr\b|\(got '"
)
ELSEWHERE = {
    "damaged-results": "needs a results folder: tests/cli/test_check.py",
    "foreign-shard": "needs parts of a run: tests/cli/test_parts.py",
    "no-metrics": "needs a comparison: tests/unit/test_compare_engine.py",
    "missing-extra": "needs a machine without the library: tests/unit/test_cluster.py",
    "no-results": "needs a results folder: tests/unit/test_run_tables.py",
    "no-targets": "needs a results folder: tests/unit/test_judgment.py",
    "no-table": "asked for from Python: tests/unit/test_store.py",
    "no-workbook": "needs a results folder: tests/unit/test_workbook.py",
    "not-a-run": "needs a results folder: tests/cli/test_compare.py",
    "not-installed": "needs a machine without the library: tests/unit/test_workbook.py",
    "not-judged": "needs a results folder: tests/unit/test_judgment.py",
    "nothing-to-set": "needs a results folder: tests/cli/test_compare.py",
    "results-schema": "needs a results folder: tests/unit/test_store.py",
    "shard": "needs parts of a run: tests/cli/test_parts.py",
    "unfinished-results": "needs a results folder: tests/unit/test_store.py",
    "warm-up": "needs pilot runs: tests/unit/test_warm_up.py",
}
"""Codes of faults that no file brings, and where they are tested."""


def faults_of(case: Case) -> tuple[Fault, ...]:
    """What the command of a case says; the working folder is an empty one."""
    case.lay(Path())
    with pytest.raises(InputError) as raised:
        program.main(args=[*case.command], prog_name="iopsim", standalone_mode=False)
    return raised.value.faults


@pytest.fixture(scope="module")
def sentences(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """The sentences that are known, by case; written anew first if that is asked for."""
    if os.environ.get("IOPSIM_REGENERATE"):
        with pytest.MonkeyPatch.context() as patch:
            texts = []
            for case in CASES.values():
                patch.chdir(tmp_path_factory.mktemp("case"))
                texts.append("".join([f"{case.name}\n", *(f"    {fault}\n" for fault in faults_of(case))]))
        MESSAGES.write_text("".join(texts), encoding="utf-8")
    known: dict[str, list[str]] = {}
    for line in MESSAGES.read_text(encoding="utf-8").splitlines():
        if line.startswith("    "):
            known[[*known][-1]].append(line[4:])
        else:
            known[line] = []
    return known


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", CASES)
def test_every_case_is_refused_at_its_place(empty: Path, sentences: dict[str, list[str]], name: str) -> None:
    told = faults_of(CASES[name])
    assert tuple(f"{fault.mark or '-'} {fault.code}" for fault in told) == CASES[name].faults
    for fault in told:
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", fault.code)
        assert len(str(fault).splitlines()) == 1
        assert str(fault).isprintable()
        assert REMEDY.search(fault.message), f"no remedy: {fault.message}"
        assert not JARGON.search(fault.message), fault.message
        assert str(empty) not in str(fault)
    assert [str(fault) for fault in told] == sentences[name], ADVICE


@pytest.mark.parametrize("name", list(CASES)[::12])
def test_the_command_ends_with_2_and_leaves_nothing(
    empty: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    case = CASES[name]
    case.lay(empty)
    there = sorted(empty.iterdir())
    with pytest.raises(SystemExit) as left:
        main([*case.command])
    out, err = capsys.readouterr()
    assert (left.value.code, out) == (2, "")
    assert len(err.splitlines()) == len(case.faults) + 1
    assert "Traceback" not in err
    assert sorted(empty.iterdir()) == there


def test_no_sentence_is_kept_of_a_case_that_is_gone(sentences: dict[str, list[str]]) -> None:
    assert [*sentences] == [*CASES]


def test_there_are_enough_of_them_and_each_is_another() -> None:
    assert len(CASES) == len(cases()) >= 150
    contents = [(case.command, tuple(sorted(case.files.items())), case.make) for case in CASES.values()]
    assert len(set(contents)) == len(contents)
    assert all(case.faults for case in CASES.values())


def test_every_code_of_the_package_is_in_the_corpus() -> None:
    seen = {fault.split()[-1] for case in CASES.values() for fault in case.faults}
    known = set(_codes())
    assert seen <= known
    assert known - seen == set(ELSEWHERE)
    for reason in ELSEWHERE.values():
        assert (CORPUS.parents[1] / reason.rpartition(": ")[2]).is_file()


def test_no_cell_that_is_written_is_a_formula(empty: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Names and labels of planners, in tables as headings and as texts; workbooks: tests/unit/test_workbook.py."""
    Path("base.yaml").write_text(
        "sources: {calls: {to: iop, per_week: 2, label: '=1+1'}}\nlevels: {iop: {stay_days: 3, label: '@x'}}\n"
        "run: {warm_up_weeks: 0, weeks: 1, run_out_weeks: 0, replications: 2}\n"
        "staff: {guide: {posts: 1, label: '+1', salary_per_year: 9}}\n"
        "observed: {iop.census.mean: 1}\ntargets: [{metric: iop.census.mean, at_most: 9}]\ncurrency: '=1'\n",
        encoding="utf-8",
    )
    Path("sweep.yaml").write_text(
        "base: base.yaml\nparameters: {'@SUM(A1)': {label: '-1', values: {'=cmd|x': {staff.guide.posts: 1}, '+2': "
        "{staff.guide.posts: 2}}}}\n",
        encoding="utf-8",
    )
    for command in (["run", "base.yaml"], ["sweep", "sweep.yaml"]):
        with pytest.raises(SystemExit) as left:
            main([*command, "--no-figures", "--workers", "1"])
        assert left.value.code == 0, capsys.readouterr().err
    tables = [*Path("results").rglob("*.csv"), *Path("results").rglob("*.csv.gz")]
    cells = {cell for table in tables for row in _rows(table) for cell in row}
    assert {"'=1", "'@SUM(A1)", "'=cmd|x", "'+2"} <= cells
    assert not [
        cell for cell in cells if cell.startswith(("=", "+", "@", "\t", "\r")) or re.match(r"-[^\d]", cell)
    ]


def _rows(table: Path) -> list[list[str]]:
    data = gzip.decompress(table.read_bytes()) if table.suffix == ".gz" else table.read_bytes()
    return list(csv.reader(io.StringIO(data.decode(), newline="")))


# Where codes stand in the package: the first argument of these, or the argument `code`.
_CALLED = {"Fault", "Finding", "PydanticCustomError", "refused", "_stop", "_fault", "fault", "base_fault"}


def _codes() -> Iterator[str]:
    """Every code of a fault, read off the source."""
    for path in sorted(PACKAGE.rglob("*.py")):
        if "plausible" in path.parts:  # whose findings are no faults
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Tuple):
                if [getattr(target, "id", "") for target in node.targets] == ["fault"]:
                    yield from _code(node.value.elts[0])
            elif isinstance(node, ast.Call):
                called = (
                    node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                )
                first = node.args[:1] if called in _CALLED else []
                for value in [*first, *(word.value for word in node.keywords if word.arg == "code")]:
                    yield from _code(value)
    yield from (
        "missing-key",
        "unknown-key",
        "out-of-range",
        "length",
        "bad-value",
        "wrong-type",
    )  # messages.py
    yield from ("bad-character", "directive", "long-line", "too-many-lines")  # the table in yaml_text.py


def _code(value: ast.expr) -> Iterator[str]:
    if isinstance(value, ast.Constant) and isinstance(value.value, str) and value.value:
        yield value.value.replace("_", "-")
