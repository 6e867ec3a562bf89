"""What tests that start processes leave for each other, and which tests take their time."""

from __future__ import annotations

import gc
import os
from pathlib import Path

import pytest

_HERE = Path(__file__).parent
_SLOW = {"cli", "golden", "properties", "theory"}


def pytest_configure() -> None:
    """Commands are started some hundred times: no two of them should compile the same sources."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """`pytest -n auto -m "not slow"` leaves them out and takes less than a minute."""
    for item in items:
        if item.path.relative_to(_HERE).parts[0] in _SLOW:
            item.add_marker(pytest.mark.slow)


def pytest_collection_finish() -> None:
    """What has been loaded by now stays: to look through it for garbage takes an eighth of the time."""
    gc.freeze()
    gc.set_threshold(100_000, 20, 20)  # as the command does
