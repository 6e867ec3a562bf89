"""Hears what is drawn: which numbers of which generators, and which number each patient got for which decision."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import numpy as np

from iopsim.model.draws import Cell, Draws

__all__ = ["Key", "each_key_once", "given_out"]

Key = tuple[str, int, int, str, str, int, int]
"""Source, height cell and ordinal of a patient; decision, level, n-th entry, occurrence."""

_WHOLE = range(2**62)


@contextmanager
def each_key_once() -> Iterator[set[str]]:
    """Raise AssertionError when a number of a generator is made twice; gives the decisions that were drawn."""
    made: dict[tuple[object, ...], list[range]] = defaultdict(list)
    decisions: set[str] = set()
    drew, generated = Draws._drawn, Draws.generator

    def enter(name: tuple[object, ...], numbers: range, decision: object) -> None:
        again = [one for one in made[name] if one.start < numbers.stop and numbers.start < one.stop]
        assert not again, f"made twice: {numbers} of {name}"
        made[name].append(numbers)
        decisions.add(str(decision))

    def hear(self: Draws, cell: Cell, key: Any, first: int, room: Any) -> Any:
        enter((*self._root, cell.source, cell.number, *key), range(first, first + len(room)), key[0])
        return drew(self, cell, key, first, room)

    def hear_generator(self: Draws, *key: object) -> np.random.Generator:
        enter((*self._root, *key), _WHOLE, key[-1])
        return generated(self, *key)

    with patch.object(Draws, "_drawn", hear), patch.object(Draws, "generator", hear_generator):
        yield decisions


@contextmanager
def given_out() -> Iterator[dict[Key, float]]:
    """Every number that any patient is given, by its name."""
    given: dict[Key, float] = {}
    one, nth, many, below = Draws.uniform, Draws.nth, Draws.uniforms, Draws.below

    def hear_one(self: Draws, patient: Any, decision: str, level: str = "", entry: int = 0) -> float:
        number = one(self, patient, decision, level, entry)
        given[(*_identity(patient), decision, level, entry, 0)] = number
        return number

    def hear_nth(self: Draws, patient: Any, *name: Any) -> float:
        number = nth(self, patient, *name)
        given[(*_identity(patient), *name)] = number
        return number

    def hear_many(self: Draws, patient: Any, *name: Any) -> list[float]:
        numbers = many(self, patient, *name)
        *decision, occurrences = name
        for each, number in zip(occurrences, numbers, strict=True):
            given[(*_identity(patient), *decision, each)] = number
        return numbers

    def hear_below(self: Draws, patient: Any, *name: Any) -> bytes:
        found = below(self, patient, *name)
        *decision, occurrences, _ = name
        for each, is_below in zip(occurrences, found, strict=True):
            given[(*_identity(patient), *decision, each)] = float(is_below)
        return found

    with patch.multiple(Draws, uniform=hear_one, nth=hear_nth, uniforms=hear_many, below=hear_below):
        yield given


def _identity(patient: Any) -> tuple[str, int, int]:
    return patient.cell.source, patient.cell.number, patient.row
