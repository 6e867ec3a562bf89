"""`iopsim` in this process, in an empty folder."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from iopsim.cli import main
from tests.cli.sessions import Answer

if TYPE_CHECKING:
    from pathlib import Path

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
