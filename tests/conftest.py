"""Which tests take their time: whole folders that simulate and start processes, and files that say so themselves."""

from __future__ import annotations

from pathlib import Path

import pytest

_HERE = Path(__file__).parent
_SLOW = {"cli", "golden", "properties", "theory"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """`pytest -n auto -m "not slow"` leaves them out and takes less than a minute."""
    for item in items:
        if item.path.relative_to(_HERE).parts[0] in _SLOW:
            item.add_marker(pytest.mark.slow)
