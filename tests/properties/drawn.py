"""Hears what is drawn: which numbers of which generators, and which number each patient got for which decision."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import numpy as np

from iopsim.model import draws
from iopsim.model.draws import Draws

__all__ = ["Key", "each_key_once", "given_out"]

Key = tuple[str, int, int, str, str, int, int]
"""Source, height cell and ordinal of a patient; decision, level, n-th entry, occurrence."""

_WHOLE = range(2**62)


@contextmanager
def each_key_once() -> Iterator[set[str]]:
    """Raise AssertionError when a number of a generator or a part of a hash is used twice; gives what was decided."""
    made: dict[object, list[range]] = defaultdict(list)
    decisions: set[str] = set()
    hashes: list[bytes] = []
    hashed, unpack = Draws._hash, draws._EIGHTH
    one, below, generated = Draws.uniform, Draws.below, Draws.generator

    def enter(name: object, numbers: range) -> None:
        again = [one for one in made[name] if one.start < numbers.stop and numbers.start < one.stop]
        assert not again, f"made twice: {numbers} of {name!r}"
        made[name].append(numbers)

    def hear_hash(self: Draws, *name: Any) -> bytes:
        hashes.append(hashed(self, *name))
        return hashes[-1]

    def hear_unpack(numbers: bytes, begin: int) -> tuple[Any, ...]:
        enter(numbers, range(begin, begin + 8))
        return unpack(numbers, begin)

    def hear_one(self: Draws, stay: Any, decision: str, occurrence: int = 0) -> float:
        decisions.add(decision)
        return one(self, stay, decision, occurrence)

    def hear_below(self: Draws, stay: Any, decision: str, occurrences: range, share: float) -> bytes:
        decisions.add(decision)
        hashes.clear()
        found = below(self, stay, decision, occurrences, share)
        for place in occurrences:
            part, number = divmod(place, 16)
            enter(hashes[part - occurrences.start // 16], range(4 * number, 4 * number + 4))
        return found

    def hear_generator(self: Draws, *key: object) -> np.random.Generator:
        enter((*self._root, *key), _WHOLE)
        decisions.add(str(key[-1]))
        return generated(self, *key)

    patched = patch.multiple(
        Draws, _hash=hear_hash, uniform=hear_one, below=hear_below, generator=hear_generator
    )
    with patched, patch.object(draws, "_EIGHTH", hear_unpack):
        yield decisions


@contextmanager
def given_out() -> Iterator[dict[Key, float]]:
    """Every number that any patient is given, by its name; or whether it is below a share, where that is asked."""
    given: dict[Key, float] = {}
    one, below = Draws.uniform, Draws.below

    def hear_one(self: Draws, stay: Any, decision: str, occurrence: int = 0) -> float:
        number = one(self, stay, decision, occurrence)
        given[_name(stay, decision, occurrence)] = number
        return number

    def hear_below(self: Draws, stay: Any, decision: str, occurrences: range, share: float) -> bytes:
        found = below(self, stay, decision, occurrences, share)
        for each, is_below in zip(occurrences, found, strict=True):
            given[_name(stay, decision, each)] = float(is_below)
        return found

    with patch.multiple(Draws, uniform=hear_one, below=hear_below):
        yield given


def _name(stay: Any, decision: str, occurrence: int) -> Key:
    patient = stay.patient
    return (
        patient.cell.source, patient.cell.number, patient.row, decision, stay.unit.name, stay.entry, occurrence,
    )  # fmt: skip
