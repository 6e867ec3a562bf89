"""A number belongs to its name: whatever is asked before, beside or after, and all are uniform and apart."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from iopsim.model.draws import Cell, Draws

LEVELS = ("iop", "php", "op")
DECISIONS = ("contact", "patience", "stay", "next", "lag", "service of a new name")
Z_LIMIT = 4.0


def stay(row: int, level: str = "iop", entry: int = 1, cell: Cell | None = None) -> Any:
    """A stay for which nothing has been drawn yet."""
    patient = SimpleNamespace(cell=cell or Cell("community", 0, 1000), row=row, source=0)
    unit = SimpleNamespace(name=level, index=LEVELS.index(level))
    return SimpleNamespace(patient=patient, unit=unit, entry=entry, name=b"", part=-1, numbers=b"")


def test_a_number_is_the_same_whatever_is_asked_before() -> None:
    draws, one, other = Draws(7, 0), stay(5), stay(5)
    forth = {name: draws.uniform(one, name) for name in DECISIONS}
    back = {name: draws.uniform(other, name) for name in reversed(DECISIONS)}
    assert forth == back
    assert len(set(forth.values())) == len(DECISIONS)


def test_whatever_is_in_the_name_gives_another_number() -> None:
    others = [
        Draws(7, 0).uniform(stay(5), "stay"),
        Draws(8, 0).uniform(stay(5), "stay"),
        Draws(7, 1).uniform(stay(5), "stay"),
        Draws(7, 0).uniform(stay(6), "stay"),
        Draws(7, 0).uniform(stay(5, level="php"), "stay"),
        Draws(7, 0).uniform(stay(5, entry=2), "stay"),
        Draws(7, 0).uniform(stay(5), "stay", 1),
        Draws(7, 0).uniform(stay(5, cell=Cell("community", -1, 1000)), "stay"),
        Draws(7, 0).uniform(stay(5, cell=Cell("emergency", 0, 1000)), "stay"),
    ]
    assert len(set(others)) == len(others)


@pytest.mark.parametrize(("byte", "number"), [(b"\0", 2.0**-54), (b"\xff", 1 - 2.0**-53)])
def test_no_number_is_0_or_1(byte: bytes, number: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Draws, "_hash", lambda *_: 64 * byte)
    for name in DECISIONS:
        assert Draws(7, 0).uniform(stay(5), name) == number


def test_numbers_are_uniform_and_tell_nothing_of_each_other() -> None:
    draws, count = Draws(7, 0), 4000
    people = [stay(row) for row in range(count)]
    numbers = np.array([[draws.uniform(each, name) for each in people] for name in DECISIONS])
    numbers = np.vstack([numbers, np.roll(numbers[2], 1)])  # and the neighbor's
    error = (12 * count) ** -0.5
    assert abs(numbers.mean(axis=1) - 1 / 2).max() < Z_LIMIT * error
    assert abs((numbers**2).mean(axis=1) - 1 / 3).max() < Z_LIMIT * (4 / 45 / count) ** 0.5
    between = np.corrcoef(numbers)[np.triu_indices(len(numbers), 1)]
    assert abs(between).max() < Z_LIMIT * count**-0.5


def test_who_is_below_a_share_stays_below_a_larger_one_and_in_any_pieces() -> None:
    draws, one = Draws(7, 0), stay(5)
    whole = draws.below(one, "attendance", range(40), 0.6)
    pieces = [range(3), range(3, 16), range(16, 16), range(16, 39), range(39, 40)]
    assert b"".join(draws.below(one, "attendance", piece, 0.6) for piece in pieces) == whole
    more = draws.below(one, "attendance", range(40), 0.7)
    assert all(larger >= smaller for larger, smaller in zip(more, whole, strict=True))
    assert more != whole
    found = [draws.below(stay(row), "attendance", range(20), 0.86).count(1) for row in range(2000)]
    assert abs(np.mean(found) / 20 - 0.86) < Z_LIMIT * (0.86 * 0.14 / 40_000) ** 0.5


def test_what_is_remembered_of_names_mixes_none_of_them_up() -> None:
    names = [
        (decision, level, entry) for decision in DECISIONS for level in LEVELS for entry in (1, 2, 1 << 19)
    ]
    draws, cell = Draws(7, 0), Cell("community", 0, 1000)
    for _ in range(2):
        found = [draws.uniform(stay(5, level, entry, cell), decision) for decision, level, entry in names]
        alone = [Draws(7, 0).uniform(stay(5, level, entry), decision) for decision, level, entry in names]
        assert found == alone
    assert len(set(found)) == len(names)


def test_a_number_that_is_asked_for_twice_is_noticed() -> None:
    draws, one = Draws(7, 0, used=set()), stay(5)
    draws.uniform(one, "stay")
    with pytest.raises(AssertionError, match="drawn twice"):
        draws.uniform(one, "stay")
    draws.below(one, "attendance", range(5), 0.5)
    with pytest.raises(AssertionError, match="drawn twice"):
        draws.below(one, "attendance", range(4, 9), 0.5)
