"""Whole numbers in order, as a ledger and its tables need them."""

from __future__ import annotations

import numpy as np
import pytest

from iopsim.model.ledger import in_order


@pytest.mark.parametrize("below", [1, 3, 1 << 16, (1 << 16) + 1, 1 << 20, (1 << 31) - 1, 1 << 40])
def test_numbers_of_any_length_come_in_order_and_ties_as_they_stand(below: int) -> None:
    numbers = np.random.default_rng(below).integers(0, below, 5_000)
    numbers[::7] = below - 1
    kept = numbers.copy()
    assert in_order(numbers).tolist() == np.argsort(numbers, kind="stable").tolist()
    assert (numbers == kept).all()


def test_no_numbers_have_no_places() -> None:
    assert in_order(np.empty(0, np.int32)).tolist() == []
