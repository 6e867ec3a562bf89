"""What a command leaves in its folder, and what must be true of it whenever the command was stopped."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from iopsim.errors import InputError
from iopsim.experiment.store import PARTIAL, read_run

if TYPE_CHECKING:
    from tests.cli.sessions import Answer

TIMED = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{8}")
TOLD = re.compile(r"(\d+) of \d+ replications")
_OURS = {"manifest.json", "lock"}


class Left(NamedTuple):
    """The files that are finished, but manifests.

    Attributes:
        kept: Replications of the cache.
        results: Results folders by their name without its time; a list where several have one name.
        files: Single files, such as a workbook.
        litter: Half-written files, which nobody may take for whole.
    """

    kept: dict[str, bytes]
    results: dict[str, list[dict[str, bytes]]]
    files: dict[str, bytes]
    litter: list[str]


def left_in(folder: Path) -> Left:
    """Everything below a folder; what is unfinished there must be said to be so."""
    left = Left({}, {}, {}, [])
    finished = {path.parent for path in folder.rglob("manifest.json") if PARTIAL not in path.parent.name}
    for run in sorted(finished):
        read_run(run)
        files = {path.relative_to(run).as_posix(): path.read_bytes() for path in run.rglob("*.*")}
        name = TIMED.sub("TIME", run.relative_to(folder).as_posix())
        left.results.setdefault(name, []).append({file: files[file] for file in files.keys() - _OURS})
    for path in folder.rglob("*"):
        name = path.relative_to(folder).as_posix()
        if path.is_dir() and path.suffix == PARTIAL:
            with pytest.raises(InputError, match=r"the run is unfinished"):
                read_run(path)
        if not path.is_file() or any(path.is_relative_to(run) for run in finished):
            continue
        if path.suffix == ".tmp":
            left.litter.append(name)
        elif path.suffix == ".rep":
            left.kept[name] = path.read_bytes()
        elif PARTIAL not in name and not path.name.startswith("."):
            left.files[name] = path.read_bytes()
    return left


def assert_whole(left: Left, expected: Left, answer: Answer) -> None:
    """What is finished is as it would be without a fault, and what was said to be kept is."""
    assert left.kept.items() <= expected.kept.items()
    assert left.files.items() <= expected.files.items()
    for name, runs in left.results.items():
        assert runs == expected.results[name] * len(runs)
    assert max(map(int, TOLD.findall(answer.err)), default=0) <= len(left.kept)
    assert "Traceback" not in answer.err
    assert "bug" not in answer.err


def assert_done(left: Left, expected: Left, answer: Answer) -> None:
    """It is as if nothing had happened."""
    assert answer.code == 0, answer.err
    assert (left.kept, left.results, left.files) == (expected.kept, expected.results, expected.files)
