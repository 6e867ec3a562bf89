"""Results that were cut, lost, changed or of another version: which file, and what to do; never a wrong answer."""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from iopsim import __version__
from iopsim.errors import InputError
from iopsim.experiment.store import RESULTS_SCHEMA, read_run
from tests.cli.conftest import ALONE, FEW, MERGED
from tests.cli.faulty import Disk, refuses
from tests.cli.sessions import MINIMAL, answered, files

if TYPE_CHECKING:
    from collections.abc import Callable

# What reads a folder of each kind; D is the folder, F that of all finished results.
READERS = {
    "r": (
        ("check", "D"),
        ("compare", "D", "F/s", *ALONE, "--out", "answer"),
        ("compare", "F/s", "D", *ALONE, "--out", "answer 2"),
        ("diff", "D", "F/s"),
        ("export", "D", "--xlsx", "answer.xlsx"),
    ),
    "c": (("export", "D", "--xlsx", "answer.xlsx"),),
    "w": (("check", "D"),),
    "p": (("merge", MINIMAL, "D", "F/q", *MERGED, "--out", "answer"),),
}
DAMAGES: dict[str, Callable[[bytes], bytes | None]] = {
    "missing": lambda whole: None,
    "empty": lambda whole: b"",
    "cut": lambda whole: whole[: len(whole) // 2],
    "cut at a line": lambda whole: whole[: whole.rfind(b"\n", 0, -1) + 1],
    "garbage": lambda whole: bytes(byte ^ 0x55 for byte in whole),
}
NEEDS = {  # what must be whole for a command to answer, beside the manifest
    "check": {"summary.csv", "points.csv"},
    "compare": {"scenario.resolved.yaml", "replications.zip"},
    "diff": {"scenario.resolved.yaml", "replications.zip"},
    "merge": {"replications.zip"},
}


def needs(command: str, name: str) -> bool:
    """Whether a command cannot answer without this file."""
    if command == "export":
        return name != "replications.zip" and not re.match(r"plans/[1-9]", name)
    return name in NEEDS[command]


def typed(words: tuple[str, ...], folder: Path, finished: Path) -> list[str]:
    return [
        word.replace("F/", f"{finished}/").replace("D", str(folder)) if len(word) < 4 else word
        for word in words
    ]


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("kind", READERS)
def test_of_every_damaged_file_its_readers_say_which_and_what_to_do(
    tmp_path: Path, finished: Path, kind: str, damage: str
) -> None:
    folder = tmp_path / "damaged"
    shutil.copytree(finished / kind, folder)
    whole = {path: path.read_bytes() for path in folder.rglob("*.*")}
    refusals = 0
    for path, content in whole.items():
        name, damaged = path.relative_to(folder).as_posix(), DAMAGES[damage](content)
        path.unlink() if damaged is None else path.write_bytes(damaged)
        for words in READERS[kind]:
            if not needs(words[0], name) and name != "manifest.json":
                continue
            refusals += 1
            code, out, err = answered(*typed(words, folder, finished), folder=tmp_path)
            sentence, count = err.splitlines()
            assert (code, out, count) == (2, "", "1 error")
            assert sentence.startswith(f"{folder}: error: ")
            assert f"{name} is {'missing' if damage == 'missing' else 'damaged'}" in sentence or (
                damage == "missing" and f"no {name} in it" in sentence
            )
            assert re.search(r"; give (the command that wrote this folder again|a folder that)", sentence)
            assert [entry.name for entry in tmp_path.iterdir()] == ["damaged"]
        path.write_bytes(content)
    assert refusals >= 2


@pytest.mark.parametrize("kind", READERS)
def test_what_a_reader_does_not_need_may_be_gone(tmp_path: Path, finished: Path, kind: str) -> None:
    for number, words in enumerate(READERS[kind]):
        folder = tmp_path / f"{number}" / "mine"
        shutil.copytree(finished / kind, folder)
        for path in list(folder.rglob("*.*")):
            name = path.relative_to(folder).as_posix()
            if name != "manifest.json" and not needs(words[0], name):
                path.unlink()
        answer = answered(*typed(words, folder, finished), folder=folder.parent)
        whole = answered(*typed(words, finished / kind, finished), folder=tmp_path)
        assert answer.code == whole.code in {0, 4}, answer.err
        for made in (tmp_path, folder.parent):
            shutil.rmtree(made / "answer", ignore_errors=True)
        (tmp_path / "answer.xlsx").unlink(missing_ok=True)


@pytest.mark.parametrize("kind", READERS)
def test_nothing_is_written_where_results_are_read_and_a_refusal_to_read_is_told(
    tmp_path: Path, finished: Path, kind: str
) -> None:
    """So a folder that may not be written serves as well."""
    folder = tmp_path / "results of others"
    shutil.copytree(finished / kind, folder)
    for words in READERS[kind]:
        (tmp_path / words[0]).mkdir(exist_ok=True)
        with Disk(folder).watched() as written, Disk(folder, reads=True).watched() as read:
            whole = answered(*typed(words, folder, finished), folder=tmp_path / words[0])
        assert whole.code in {0, 4}, whole.err
        assert written.acts == []
        shutil.rmtree(tmp_path / words[0])
        (tmp_path / words[0]).mkdir()
        for at in range(1, len(read.acts) + 1):
            number = (errno.EACCES, errno.EIO)[at % 2]
            with Disk(folder, refuses(number), at, reads=True).watched():
                code, out, err = answered(*typed(words, folder, finished), folder=tmp_path / words[0])
            assert code in {2, 5}, err
            assert out == ""
            assert str(folder) in err
            assert "cannot be read" in err or "may not be read" in err
            assert (
                f"({os.strerror(number)}); let it be read and give the same command again" in err or code == 2
            )
    assert [path.suffix for path in tmp_path.rglob("*.partial")] in ([], [".partial"])
    assert files(folder) == files(finished / kind)


@pytest.mark.parametrize(
    ("schema", "cure"),
    [
        (RESULTS_SCHEMA - 1, "run the scenario again"),
        (RESULTS_SCHEMA + 1, "read them with a version as new, or run the scenario again"),
        (None, "run the scenario again"),
        ("three", "run the scenario again"),
    ],
)
def test_results_of_another_schema_say_who_wrote_them(
    tmp_path: Path, finished: Path, schema: object, cure: str
) -> None:
    for kind, readers in READERS.items():
        folder = tmp_path / kind
        shutil.copytree(finished / kind, folder)
        manifest = json.loads((folder / "manifest.json").read_bytes())
        manifest["results_schema"] = schema
        manifest["packages"]["iopsim"] = "0.0.7"
        (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
        for words in readers:
            answer = answered(*typed(words, folder, finished), folder=tmp_path)
            said = (
                f"{folder}: error: results of schema {schema}, written by iopsim 0.0.7; this is iopsim "
                f"{__version__}, which reads schema {RESULTS_SCHEMA}; {cure}\n1 error\n"
            )
            assert answer == (2, "", said)


def test_results_without_hashes_are_read_and_damage_to_them_is_told(tmp_path: Path, finished: Path) -> None:
    """As other programs may have made them."""
    folder = tmp_path / "r"
    shutil.copytree(finished / "r", folder)
    manifest = json.loads((folder / "manifest.json").read_bytes())
    assert set(manifest.pop("files")) == set(files(folder))
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    for words in READERS["r"]:
        (tmp_path / words[0]).mkdir(exist_ok=True)
        answer = answered(*typed(words, folder, finished), folder=tmp_path / words[0])
        assert answer.code in {0, 4}
        shutil.rmtree(tmp_path / words[0])
    for name in files(folder):
        whole = (folder / name).read_bytes()
        (folder / name).write_bytes(b"")
        for words in READERS["r"]:
            if needs(words[0], name):
                code, _, err = answered(*typed(words, folder, finished), folder=tmp_path)
                assert code == 2 or (words[0], name) == ("export", "profiles.csv")
                assert "bug" not in err
        (folder / name).write_bytes(whole)


def test_an_unfinished_run_is_refused_by_every_reader(tmp_path: Path, finished: Path) -> None:
    for kind, readers in READERS.items():
        shutil.copytree(finished / kind, tmp_path / f"{kind}.partial")
        for path in (tmp_path / kind, tmp_path / f"{kind}.partial"):
            with pytest.raises(InputError, match="unfinished"):
                read_run(path)
            for words in readers:
                code, out, err = answered(*typed(words, path, finished), folder=tmp_path)
                assert (code, out) == (2, "")
                assert "the run is unfinished; give its command again to complete it" in err


@pytest.mark.parametrize("content", [b"", b"\x1f\x8b", None], ids=["empty", "cut", "of another format"])
def test_a_damaged_entry_of_the_cache_is_made_again(
    tmp_path: Path, finished: Path, content: bytes | None
) -> None:
    import gzip

    shutil.copytree(finished / "results" / ".cache", tmp_path / "kept")
    entries = sorted((tmp_path / "kept").rglob("*.rep"))
    whole = {path: path.read_bytes() for path in entries}
    for path, packed in whole.items():
        other = gzip.compress(gzip.decompress(packed).replace(b'"format":3', b'"format":9', 1))
        path.write_bytes(other if content is None else content)
    for words in (("run", MINIMAL), ("compare", f"{finished}/r", f"{finished}/other.yaml")):
        answer = answered(*words, *FEW, "--cache", "kept", "--out", words[0], folder=tmp_path)
        assert answer.code == 0, answer.err
    assert files(tmp_path / "run") == files(finished / "r")
    assert {path: path.read_bytes() for path in entries} == whole
