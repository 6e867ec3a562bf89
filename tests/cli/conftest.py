"""`iopsim` in this process, in an empty folder; processes to start it in; and finished results of every kind."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from iopsim.cli import main
from iopsim.experiment import plans
from tests.cli.sessions import MINIMAL, SHORT, Answer, Nursery, answered

Iopsim = Callable[..., Answer]


@pytest.fixture
def iopsim(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iopsim:
    """Call with the words of a command line; the working folder is `tmp_path`."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments: object) -> Answer:
        with pytest.raises(SystemExit) as left:
            main([str(argument) for argument in arguments])
        assert isinstance(left.value.code, int)
        return Answer(left.value.code, *capsys.readouterr())

    return call


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    """Starts commands that share what takes long to load."""
    if sys.platform == "win32":
        pytest.skip("processes that are forked")
    nursery = Nursery()
    yield nursery
    nursery.close()


ALONE = ("--no-figures", "--quiet", "--workers", "1")
FEW = (*SHORT, "--replications", "2", *ALONE)
MERGED = (*SHORT, "--replications", "2", "--no-figures", "--quiet")
SWEEP = f"""\
name: beds
base: {MINIMAL}
parameters:
  levels.iop.places: [12, 14]
"""


_simulated: dict[tuple[str, int], bytes] = {}


@pytest.fixture
def simulated_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let what was simulated in this process not be simulated again: what is asked is what becomes of it."""
    remember(monkeypatch)


def remember(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same until the patch is undone."""
    usual = plans._encoded

    def encoded(work: tuple[plans.Plan, int]) -> bytes:
        plan, index = work
        if (plan.key, index) not in _simulated:
            _simulated[plan.key, index] = usual(work)
        return _simulated[plan.key, index]

    monkeypatch.setattr(plans, "_encoded", encoded)


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two runs `r` and `s`, their comparison `c`, a sweep `w`, parts of the run `p` and `q`; and files.

    Whoever changes something copies it first.
    """
    folder: Path = tmp_path_factory.mktemp("finished")
    (folder / "other.yaml").write_text(f"extends: {MINIMAL}\nlevels: {{iop: {{places: 14}}}}\n", "utf-8")
    (folder / "sweep.yaml").write_text(SWEEP, "utf-8")
    for words in (
        ("run", MINIMAL, *FEW, "--out", "r"),
        ("run", "other.yaml", *FEW, "--out", "s"),
        ("compare", "r", "s", *ALONE, "--out", "c"),
        ("sweep", "sweep.yaml", *FEW, "--out", "w"),
        ("run", MINIMAL, *FEW, "--shard", "1/2", "--out", "p"),
        ("run", MINIMAL, *FEW, "--shard", "2/2", "--out", "q"),
    ):
        answer = answered(*words, folder=folder)
        assert answer.code == 0, answer.err
    return folder
