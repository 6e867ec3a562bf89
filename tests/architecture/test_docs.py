"""The documents speak of the program as it is: references are current, links lead somewhere, commands work."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest

from docs.verification import SECTIONS
from iopsim.cli import program
from iopsim.scenario import load
from iopsim.scenario.distributions import LAW_NAMES
from iopsim.scenario.schema import json_schema

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
GENERATE = ROOT / "docs" / "generate.py"
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
CODE = re.compile(r"`([^`\n]+)`")
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def _text(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def _named(page: Path) -> str:
    return str(page.relative_to(ROOT))


every_page = pytest.mark.parametrize("page", PAGES, ids=_named)


# ── the generated pages ──────────────────────────────────────────────────────────────────────────────────────


def _generate(script: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(script), *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_generated_pages_are_current() -> None:
    done = _generate(GENERATE, "--check")
    assert done.returncode == 0, done.stderr


def test_a_stale_page_is_noticed_and_written_anew(tmp_path: Path) -> None:
    script = Path(shutil.copy(GENERATE, tmp_path))
    metrics = tmp_path / "metrics.md"
    for name in ("verification.py", "scenario.md", "sweeps.md", "verification.md"):
        shutil.copy(ROOT / "docs" / name, tmp_path)
    metrics.write_text(_text(ROOT / "docs" / "metrics.md").replace("days", "weeks", 1), encoding="utf-8")
    check = _generate(script, "--check")
    assert (check.returncode, check.stderr.splitlines()) == (
        1,
        ["docs/metrics.md is stale; run `python docs/generate.py`"],
    )
    assert _generate(script).stdout == "wrote docs/metrics.md\n"
    assert _text(metrics) == _text(ROOT / "docs" / "metrics.md")
    assert _generate(script, "--check").returncode == 0


def test_the_latest_speed_of_each_build_stands_side_by_side() -> None:
    (speed,) = (section for section in SECTIONS if section.name == "speed_history")
    entries = [("old", "pure", "9"), ("new", "pure", "3"), ("new", "compiled", "6"), ("new", "pure", "4")]
    rows = [
        {"date": date, "version": "1", "build": build, "what": what, "value": value, "aim": "5 or more"}
        for date, build, value in entries
        for what in ("ratio", "shares")[: 1 + (build == "pure")]
    ]

    def shown(rows: list[dict[str, str]]) -> list[tuple[str, ...]]:
        return json.loads([*speed.blocks(rows, lambda *lines: json.dumps(lines))][1])

    head = ["what", "pure Python", "compiled", "aim"]
    assert shown(rows) == [head, ["ratio", "4", "6", "5 or more"], ["shares", "4", "", "5 or more"]]
    assert shown(rows[:4]) == [
        ["what", "measured", "aim"],
        *([what, "3", "5 or more"] for what in ("ratio", "shares")),
    ]
    assert speed.answer(rows) == "ratio: 4, 6 (compiled)"
    assert speed.answer(rows[:4]) == "ratio: 3"


def test_every_word_of_the_language_is_explained() -> None:
    schema = json_schema()
    parts = {name: part for name, part in schema["$defs"].items() if name.lower() not in LAW_NAMES}
    silent = [
        f"{name}.{key}"
        for name, part in {"Scenario": schema, **parts}.items()
        for key, field in part["properties"].items()
        if not field.get("description", "").strip()
    ]
    assert not silent, "give these fields a description= in iopsim/scenario"
    assert all(part.get("description") for part in parts.values())


def test_the_schema_is_json() -> None:
    json.dumps(json_schema(), allow_nan=False)


# ── links and files ──────────────────────────────────────────────────────────────────────────────────────────


def _anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", _text(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@every_page
def test_every_link_leads_somewhere(page: Path) -> None:
    broken = []
    for link in LINK.findall(_text(page)):
        if not link.startswith(("https://", "http://")):
            file, _, anchor = link.partition("#")
            target = page.parent / file if file else page
            if not target.exists() or (anchor and anchor not in _anchors(target)):
                broken.append(link)
    assert not broken


@every_page
def test_every_file_that_is_named_exists(page: Path) -> None:
    written = {"figures", "results"}  # by a run
    named = [code for code in CODE.findall(_text(page)) if re.fullmatch(r"[\w.-]+(/[\w.-]*)+", code)]
    inside = {
        "model",
        "measures",
        "scenario",
        "experiment",
        "report",
        "cli",
        "theory",
        "verification",
    }  # as the README tells it
    missing = [
        name
        for name in named
        if (first := name.split("/")[0]) not in written
        and not (ROOT / ("iopsim" if first in inside else "") / name).exists()
    ]
    assert not missing


# ── commands and examples ────────────────────────────────────────────────────────────────────────────────────


def _commands(text: str) -> list[list[str]]:
    """The words of every `iopsim …` that stands on a line of its own, alone or after other commands."""
    lines = re.findall(r"^(?: {4}|\$ )(\S.*)$", text, re.MULTILINE)
    parts = [part.strip() for line in lines for part in line.split("&&")]
    return [
        shlex.split(part, comments=True)[1:]
        for part in parts
        if re.match(r"(\.venv/bin/)?iopsim [a-z-]", part) and "─" not in part
    ]


def _parse(words: list[str]) -> None:
    """Let click read a command line without running it."""
    name, *arguments = words
    context = program.make_context("iopsim", [name])
    command = program.get_command(context, name)
    assert command is not None, f"no command {name}"
    command.make_context(name, arguments, parent=context)


@every_page
def test_every_command_line_parses(page: Path) -> None:
    for words in _commands(_text(page)):
        _parse(words)
        for scenario in (word for word in words if word.startswith("scenarios/")):
            assert (ROOT / scenario).is_file(), scenario


@every_page
def test_every_command_in_a_sentence_exists(page: Path) -> None:
    for code in CODE.findall(_text(page)):
        if code.startswith("iopsim ") and not code.endswith("…"):
            try:
                _parse(shlex.split(code)[1:])
            except click.MissingParameter:
                pass  # a sentence may speak of `iopsim run` as such
            except click.exceptions.Exit as done:
                assert done.exit_code == 0


def test_the_documents_show_how_to_run_validate_and_compare() -> None:
    shown = {words[0] for page in PAGES for words in _commands(_text(page))}
    assert {"run", "validate", "compare", "show", "new", "metrics"} <= shown


@pytest.mark.parametrize(
    "wrong", ["iopsim rum x.yaml", "iopsim run x.yaml --reps 4", "iopsim run", "iopsim run x.yaml --seed one"]
)
def test_a_command_line_that_does_not_work_is_noticed(wrong: str) -> None:
    [words] = _commands(f"Type:\n\n    {wrong}\n")
    with pytest.raises((click.UsageError, AssertionError)):
        _parse(words)


@every_page
def test_every_example_scenario_is_one(page: Path, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "scenarios", tmp_path / "scenarios")
    for number, (language, text) in enumerate(BLOCK.findall(_text(page))):
        if language == "yaml":
            example = tmp_path / f"example_{number}.yaml"
            example.write_text(text, encoding="utf-8")
            load(example)
