"""A bug in iopsim: one sentence, exit 1, and a crash file that holds what a maintainer needs."""

from __future__ import annotations

import platform
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from iopsim import __version__
from tests.cli.sessions import MINIMAL, setting

if TYPE_CHECKING:
    from tests.cli.conftest import Iopsim

FEW = (
    "run",
    MINIMAL,
    "--replications",
    "2",
    "--no-figures",
    *setting(weeks=6, warm_up_weeks=4, run_out_weeks=2),
)
SENTENCE = re.compile(
    r"error: this is a bug in iopsim \(ValueError: seven is not (.*)\); details are in (\S+)\n"
)


@pytest.fixture(autouse=True)
def crash_files_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def broken(*_: object, **__: object) -> None:
    raise ValueError("seven is not even\nand never was")


@pytest.mark.parametrize(
    ("place", "command"),
    [
        ("iopsim.experiment.run.write_tables", (*FEW, "--workers", "1")),
        ("iopsim.scenario.plausible.assess", ("validate", MINIMAL)),
        ("iopsim.scenario.schema.json_schema", ("schema",)),
    ],
    ids=["run", "validate", "schema"],
)
def test_a_bug_is_one_sentence_and_a_file_for_the_maintainers(
    iopsim: Iopsim, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str, command: tuple[str, ...]
) -> None:
    monkeypatch.setattr(place, broken)
    code, out, err = iopsim(*command)
    assert (code, out) == (1, "")
    said = SENTENCE.search(err)
    assert said
    assert said[1] == "even"
    assert "Traceback" not in err
    assert Path(said[2]).parent == tmp_path
    held = Path(said[2]).read_text(encoding="utf-8")
    assert held.startswith(f"iopsim {__version__}, Python {platform.python_version()}, ")
    assert "Traceback (most recent call last)" in held
    assert "ValueError: seven is not even\nand never was" in held


def test_a_bug_in_a_worker_is_told_with_its_traceback_there(
    iopsim: Iopsim, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.cli import bugs

    monkeypatch.setattr("iopsim.experiment.plans._encoded", bugs.encoded)
    code, _, err = iopsim(*FEW, "--workers", "2")
    assert code == 1
    said = SENTENCE.search(err)
    assert said
    held = Path(said[2]).read_text(encoding="utf-8")
    assert "In the worker:\nTraceback" in held
    assert "in encoded" in held


def test_without_room_for_a_crash_file_the_sentence_says_so(
    iopsim: Iopsim, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("iopsim.scenario.schema.json_schema", broken)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    code, out, err = iopsim("schema")
    assert (code, out) == (1, "")
    assert err.endswith("ValueError: seven is not even); and no file could be written\n")
