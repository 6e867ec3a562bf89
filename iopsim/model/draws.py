"""Keyed chance: every random number has a name and is the same wherever and whenever it is asked for.

A number belongs to (seed, replication, source, height cell, ordinal, decision, level, entry, occurrence). One
generator serves all patients of a cell for one decision: its n-th number (or n-th run of sixteen, where a decision
recurs) is that of the patient with ordinal n.
So no draw depends on the order of events, and a new decision, level or source moves no other draw (model.md §3).
"""

from __future__ import annotations

import hashlib
from array import array
from collections import deque
from math import log1p
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from iopsim.model.people import Patient

__all__ = ["Cell", "Draws"]

_TOGETHER: Final = 16  # occurrences of a decision that are drawn from one generator
_ROWS: Final = 64  # patients whose runs are drawn at once; another number gives nobody other numbers
_PAGES: Final = 2048  # that are remembered, of 8 KB each: those of whoever is there, in a program of any size
_SMALLEST: Final = 2.0**-54  # a generator may give 0, which no law can invert

Key = tuple[str, str, int, int]


class Cell:
    """The candidates of one source in one whole referral a day of height, and their drawn numbers."""

    __slots__ = ("below", "blocks", "number", "runs", "size", "source")

    def __init__(self, source: str, number: int, size: int) -> None:
        self.source = source
        self.number = number
        self.size = size
        self.blocks: dict[Key, array[float]] = {}
        self.runs: dict[tuple[Key, int], array[float]] = {}
        self.below: dict[tuple[Key, int, float], bytes] = {}


class Draws:
    """The random numbers of one replication.

    Args:
        seed: The scenario's seed.
        replication: Index of the replication.
        used: When given, every key is entered here and a key that is used twice raises AssertionError
            (a check for tests).
    """

    def __init__(self, seed: int, replication: int, used: set[tuple[object, ...]] | None = None) -> None:
        self._root = (seed, replication)
        self._used = used
        # Setting the state of one generator costs a tenth of making another.
        self._bits = np.random.Philox(key=0)
        self._fresh = self._bits.state
        self._shared = np.random.Generator(self._bits)
        self._pages: deque[tuple[dict[Any, Any], object]] = deque()  # where each is kept, the oldest first

    def generator(self, *key: object) -> np.random.Generator:
        """A generator that belongs to (seed, replication, *key): a stable hash, no arithmetic on seeds."""
        return np.random.Generator(np.random.Philox(key=int.from_bytes(self._digest(key), "little")))

    def _digest(self, key: tuple[object, ...]) -> bytes:
        return hashlib.blake2b(repr((*self._root, *key)).encode(), digest_size=16).digest()

    def block(self, cell: Cell, decision: str, level: str = "", entry: int = 0) -> array[float]:
        """Uniform numbers in (0, 1) for one decision: one for each candidate of the cell."""
        key = (decision, level, entry, 0)
        numbers = cell.blocks.get(key)
        if numbers is None:
            numbers = cell.blocks[key] = _kept(self._drawn(cell, key, 0, cell.size))
        return numbers

    def _drawn(self, cell: Cell, key: Key, first: int, size: int) -> NDArray[np.float64]:
        """The numbers from `first` on, a multiple of four, of the generator of a decision."""
        state = self._fresh["state"]
        digest = self._digest((cell.source, cell.number, *key))
        state["key"] = np.frombuffer(digest, dtype="<u8").astype(np.uint64, copy=False)
        state["counter"][0] = first // 4  # Philox gives four numbers for each step of its counter
        self._bits.state = self._fresh
        drawn = self._shared.random(size)
        return np.maximum(drawn, _SMALLEST, out=drawn)

    def uniform(self, patient: Patient, decision: str, level: str = "", entry: int = 0) -> float:
        """The patient's uniform number in (0, 1) for one decision in the n-th entry to a level."""
        if self._used is not None:
            self._use(patient, decision, level, entry, 0)
        numbers = patient.cell.blocks.get((decision, level, entry, 0))
        if numbers is None:
            numbers = self.block(patient.cell, decision, level, entry)
        return numbers[patient.row]

    def uniforms(
        self, patient: Patient, decision: str, level: str, entry: int, occurrences: range
    ) -> list[float]:
        """The patient's uniform numbers for successive occurrences of one decision."""
        if self._used is not None:
            self._use_all(patient, decision, level, entry, occurrences)
        cell, page = patient.cell, patient.row // _ROWS
        begin = patient.row % _ROWS * _TOGETHER
        first, skipped = divmod(occurrences.start, _TOGETHER)
        numbers: list[float] = []
        for part in range(first, -(-occurrences.stop // _TOGETHER)):
            run = self._run(cell, (decision, level, entry, part), page)
            numbers += run[begin : begin + _TOGETHER]
        return numbers[skipped : skipped + len(occurrences)]

    def nth(self, patient: Patient, decision: str, level: str, entry: int, occurrence: int) -> float:
        """The patient's uniform number for one occurrence of a decision that recurs."""
        if self._used is not None:
            self._use(patient, decision, level, entry, occurrence)
        part, place = divmod(occurrence, _TOGETHER)
        page, row = divmod(patient.row, _ROWS)
        return self._run(patient.cell, (decision, level, entry, part), page)[row * _TOGETHER + place]

    def below(
        self, patient: Patient, decision: str, level: str, entry: int, occurrences: range, share: float
    ) -> bytes:
        """Whether each of the `uniforms` is below a share: one byte each; made for shares that many have."""
        if self._used is not None:
            self._use_all(patient, decision, level, entry, occurrences)
        cell, page = patient.cell, patient.row // _ROWS
        begin = patient.row % _ROWS * _TOGETHER
        first, skipped = divmod(occurrences.start, _TOGETHER)
        found = b""
        for part in range(first, -(-occurrences.stop // _TOGETHER)):
            key = decision, level, entry, part
            below = cell.below.get((key, page, share))
            if below is None:
                below = (self._page(cell, key, page) < share).tobytes()
                cell.below[key, page, share] = below
                self._keep(cell.below, (key, page, share))
            found += below[begin : begin + _TOGETHER]
        return found[skipped : skipped + len(occurrences)]

    def _run(self, cell: Cell, key: Key, page: int) -> array[float]:
        """The numbers of a page of patients for one part of the occurrences."""
        run = cell.runs.get((key, page))
        if run is None:
            run = cell.runs[key, page] = _kept(self._page(cell, key, page))
            self._keep(cell.runs, (key, page))
        return run

    def _keep(self, pages: dict[Any, Any], key: object) -> None:
        """Forget the oldest page where there are many: its patients have mostly left, and it can be drawn again."""
        self._pages.append((pages, key))
        if len(self._pages) > _PAGES:
            oldest, name = self._pages.popleft()
            del oldest[name]

    def _page(self, cell: Cell, key: Key, page: int) -> NDArray[np.float64]:
        """The runs of the patients of a page for one part of the occurrences."""
        return self._drawn(cell, key, page * _ROWS * _TOGETHER, _ROWS * _TOGETHER)

    def _use_all(self, patient: Patient, decision: str, level: str, entry: int, occurrences: range) -> None:
        for occurrence in occurrences:
            self._use(patient, decision, level, entry, occurrence)

    def _use(self, patient: Patient, *key: object) -> None:
        assert self._used is not None
        name = (patient.source, patient.cell.number, patient.row, *key)
        assert name not in self._used, f"drawn twice: {name}"
        self._used.add(name)

    def exponential(self, patient: Patient, decision: str, level: str, entry: int) -> float:
        """The patient's unit exponential for a hazard."""
        return -log1p(-self.uniform(patient, decision, level, entry))


def _kept(drawn: NDArray[np.float64]) -> array[float]:
    """Numbers that are asked for one by one, as Python has them fastest."""
    numbers = array("d")
    numbers.frombytes(drawn.data.cast("B"))
    return numbers
