"""The corpus of wrong input: `tests/corpus/*.txt`, a theme each, and what no text file can hold.

A case is a block, and a new case is a new block:

    === what is wrong, in words
    $ validate case.yaml --set run.weeks=0        (without this line: validate case.yaml)
    at case.yaml:4:12 out-of-range                (place and code of every fault, in order)
    extends: clinic.yaml                          (then case.yaml; `clinic.yaml` lies beside it)
    ...
    --- census.csv                                (further files; `--- name (bytes)`: with the escapes of Python)
    ...

The sentences that the program prints are in `tests/corpus/messages.txt`, written anew by

    IOPSIM_REGENERATE=1 pytest tests/cli/test_corpus.py
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["CORPUS", "Case", "cases"]

CORPUS = Path(__file__).resolve().parents[1] / "corpus"
USUAL = ("validate", "case.yaml")
_FILE = re.compile(r"--- (?P<name>\S+)(?P<bytes> \(bytes\))?\n")


class Case(NamedTuple):
    """Something wrong that somebody may give to the program.

    Attributes:
        theme: The file it is in.
        words: What is wrong.
        command: The command line.
        faults: Place and code of each fault, in order.
        files: Content by name.
        make: Puts down what is no file of bytes.
    """

    theme: str
    words: str
    command: tuple[str, ...]
    faults: tuple[str, ...]
    files: dict[str, bytes]
    make: Callable[[Path], object] | None = None

    @property
    def name(self) -> str:
        """What it is called among all."""
        return f"{self.theme}: {self.words}"

    def lay(self, folder: Path) -> None:
        """Put its files into an empty folder."""
        shutil.copy(CORPUS / "clinic.yaml", folder)
        for name, content in self.files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
        if self.make:
            self.make(folder)


def cases() -> list[Case]:
    """All of them, theme by theme."""
    found = [
        case for path in sorted(CORPUS.glob("*.txt")) if path.stem != "messages" for case in _of_theme(path)
    ]
    return [*found, *_unwritable()]


def _of_theme(path: Path) -> Iterator[Case]:
    text = path.read_text(encoding="utf-8")
    for block in re.split(r"^=== ", text, flags=re.MULTILINE)[1:]:
        words, _, rest = block.partition("\n")
        command, faults = USUAL, []
        while rest.startswith(("$ ", "at ")):
            line, _, rest = rest.partition("\n")
            if line.startswith("$"):
                command = tuple(shlex.split(line[2:]))
            else:
                faults.append(line[3:])
        yield Case(path.stem, words, command, tuple(faults), dict(_files(rest)))


def _files(text: str) -> Iterator[tuple[str, bytes]]:
    pieces = re.split(r"^(?=--- )", text, flags=re.MULTILINE)
    for piece in pieces:
        head = _FILE.match(piece)
        body = piece[head.end() :] if head else piece
        content = body.encode()
        if head and head["bytes"]:
            content = body.strip("\n").encode().decode("unicode_escape").encode("latin-1")
        if head or body.strip() or len(pieces) == 1:
            yield (head["name"] if head else "case.yaml"), content


# What no text file can hold


def _unwritable() -> Iterator[Case]:
    program = b"extends: clinic.yaml\n"
    rows = b"{calls: {per_week: null, tracks: null, trace: {csv: rows.csv, date: day}}}"
    trace = program + b"sources: " + rows + b"\n"
    there = "case.yaml:2:57 bad-value"

    def case(
        words: str, fault: str, content: bytes = program, make: Callable[[Path], object] | None = None
    ) -> Case:
        return Case("hostile", words, USUAL, (fault,), {"case.yaml": content}, make)

    deep = b"a: " + b"[" * 10_000 + b"]" * 10_000 + b"\n"
    yield case("10,000 lists in one another", "case.yaml:1:43 too-deep", deep)
    steps = b"".join(b" " * depth + b"a:\n" for depth in range(1000))
    yield case("1,000 mappings in one another", "case.yaml:41:41 too-deep", steps)
    yield case("a long line", "case.yaml:1:1 long-line", b"description: " + b"x" * 100_001 + b"\n")
    yield case("a million letters", "case.yaml too-large", b"# " + b"x" * 1_000_001)
    yield case("30,000 lines", "case.yaml:1:1 too-many-lines", b"#\n" * 30_000)
    many = "".join(f"x{number}: 1\n" for number in range(10_001)).encode()
    yield case("10,001 values", "case.yaml:10000:8 too-many-values", many)
    groups = "".join(f"      g{n}: {{days: [mon], seats: 1}}\n" for n in range(101))
    yield case(
        "101 groups",
        "case.yaml:4:5 too-many",
        f"extends: clinic.yaml\nlevels:\n  iop:\n    groups:\n{groups}".encode(),
    )
    yield case("a name of 10,000 letters", "case.yaml:2:1 name", program + b"name: " + b"x" * 10_000 + b"\n")
    yield case("a file name of 200 letters", f"{'x' * 200}.yaml:2:1 length", b"")._replace(
        command=("validate", f"{'x' * 200}.yaml"),
        files={f"{'x' * 200}.yaml": b"extends: clinic.yaml\ncurrency: ''\n"},
    )
    yield case("a pipe for a scenario", "case.yaml no-file", make=_instead(os.mkfifo))
    yield case(
        "a device for a scenario",
        "case.yaml no-file",
        make=_instead(lambda path: path.symlink_to("/dev/zero")),
    )
    yield case(
        "links in a circle", "case.yaml no-file", make=_instead(lambda path: path.symlink_to(path.name))
    )
    yield case("a folder for a scenario", "case.yaml no-file", make=_instead(lambda path: path.mkdir()))
    yield case("10 GB of nothing", "case.yaml too-large", make=_instead(_sparse))
    chain = {f"{number}.yaml": f"extends: {number + 1}.yaml\n".encode() for number in range(30)}
    yield case(
        "thirty files that extend one another", "19.yaml:1:1 extends-chain", b"extends: 0.yaml\n"
    )._replace(files={"case.yaml": b"extends: 0.yaml\n", **chain})
    many = b"day\n" + b"3\n" * 200_001
    yield case("a table of more rows than any list has", there, trace)._replace(
        files={"case.yaml": trace, "rows.csv": many}
    )
    for words, make in (
        ("a pipe for a table", os.mkfifo),
        ("a device for a table", lambda path: path.symlink_to("/dev/zero")),
        ("a link out of the folder", lambda path: path.symlink_to("/etc/passwd")),
        ("a folder for a table", lambda path: path.mkdir()),
        ("a table of 10 GB", _sparse),
        ("a table that links to itself", lambda path: path.symlink_to(path.name)),
    ):
        yield case(words, there, trace, lambda folder, make=make: make(folder / "rows.csv"))


def _instead(make: Callable[[Path], object]) -> Callable[[Path], None]:
    """Put something else in the place of the scenario."""

    def lay(folder: Path) -> None:
        (folder / "case.yaml").unlink()
        make(folder / "case.yaml")

    return lay


def _sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(10_000_000_000)
