"""Keyed chance: every random number has a name and is the same wherever and whenever it is asked for.

A number belongs to (seed, replication, source, height cell, ordinal, decision, level, entry, occurrence). One
generator serves all patients of a cell for one decision: its n-th number (or n-th run of sixteen, where a decision
recurs) is that of the patient with ordinal n.
So no draw depends on the order of events, and a new decision, level or source moves no other draw (model.md §3).
"""

from __future__ import annotations

import hashlib
import struct
from collections import deque
from math import log1p
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from iopsim.model.people import Patient

__all__ = ["Cell", "Draws"]

_TOGETHER: Final = 16  # occurrences of a decision that are drawn from one generator
_ROOM: Final = 1 << 22  # numbers that are remembered, 32 MB: those of whoever is there, in any program
_LARGEST: Final = 1024  # numbers of a page, drawn at once; another size gives nobody other numbers
_IN_USE: Final = 20, 2  # pages of a cell that are asked for at about one time, and more for each level
_KEY: Final = struct.Struct("<2Q")
_SMALLEST: Final = 2.0**-54  # a generator may give 0, which no law can invert

Key = tuple[str, str, int, int]  # decision, level, entry, part of the occurrences
Page = tuple[str, str, int, int, int]  # and which patients


class Cell:
    """The candidates of one source in one whole referral a day of height, and where their drawn numbers stand."""

    __slots__ = ("below", "number", "pages", "size", "source")

    def __init__(self, source: str, number: int, size: int) -> None:
        self.source = source
        self.number = number
        self.size = size
        self.pages: dict[Page, int] = {}
        self.below: dict[Page, tuple[float, bytes]] = {}


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
        self._fresh: Any = {
            **self._bits.state,
            "state": {
                "counter": [0, 0, 0, 0],
                "key": (0, 0),
            },  # plain numbers are taken over sooner than arrays
            "buffer": [0, 0, 0, 0],
        }
        self._shared = np.random.Generator(self._bits)
        # One block for all pages: what is never written takes no memory, and all of it goes back at once.
        self._room = np.empty(_ROOM)
        self._numbers = self._room.data.cast("B").cast("d")  # gives plain floats
        self.make_room(0, 0)
        self._pages: deque[tuple[Cell, Page]] = deque()  # the oldest first

    def generator(self, *key: object) -> np.random.Generator:
        """A generator that belongs to (seed, replication, *key): a stable hash, no arithmetic on seeds."""
        return np.random.Generator(np.random.Philox(key=int.from_bytes(self._digest(key), "little")))

    def _digest(self, key: tuple[object, ...]) -> bytes:
        return hashlib.blake2b(repr((*self._root, *key)).encode(), digest_size=16).digest()

    def block(self, cell: Cell, decision: str) -> NDArray[np.float64]:
        """Uniform numbers in (0, 1) for one decision about candidates: one for each of the cell; not remembered."""
        return self._drawn(cell, (decision, "", 0, 0), 0, np.empty(cell.size))

    def _drawn(self, cell: Cell, key: Key, first: int, room: NDArray[np.float64]) -> NDArray[np.float64]:
        """The numbers from `first` on, a multiple of four, of the generator of a decision."""
        state = self._fresh["state"]
        state["key"] = _KEY.unpack(self._digest((cell.source, cell.number, *key)))
        state["counter"][0] = first // 4  # Philox gives four numbers for each step of its counter
        self._bits.state = self._fresh
        self._shared.random(out=room)
        return room

    def make_room(self, cells: int, levels: int) -> None:
        """Choose pages for so much, before the first is drawn: as large as will do, for that saves time."""
        pages, for_a_level = _IN_USE
        pages = cells * (pages + for_a_level * levels)
        self._size = _LARGEST
        while self._size > _TOGETHER and pages * self._size > _ROOM:
            self._size //= 2
        self._rows = self._size // _TOGETHER

    def forget(self) -> None:
        """Drop all pages: nothing more will be asked for."""
        for cell, _ in self._pages:
            cell.pages.clear()
            cell.below.clear()
        self._pages.clear()

    def _begin(self, cell: Cell, page: Page, numbers: int) -> int:
        """Where a page begins, of so many numbers that there are of its kind."""
        begin = cell.pages.get(page)
        return self._page(cell, page, numbers) if begin is None else begin

    def _page(self, cell: Cell, page: Page, numbers: int) -> int:
        """Draw a page, in the place of the oldest: its patients have mostly left, and it can be drawn again."""
        place = len(self._pages) * self._size
        if place == _ROOM:
            oldest, name = self._pages.popleft()
            place = oldest.pages.pop(name)
            oldest.below.pop(name, None)
        cell.pages[page] = place
        self._pages.append((cell, page))
        first = page[-1] * self._size
        size = min(self._size, numbers - first)
        self._drawn(cell, page[:-1], first, self._room[place : place + size])
        return place

    def candidate(self, cell: Cell, row: int, decision: str) -> float:
        """The uniform number in (0, 1) of a candidate of a cell who is no patient yet, for one decision."""
        page, place = divmod(row, self._size)
        return self._numbers[self._begin(cell, (decision, "", 0, 0, page), cell.size) + place] or _SMALLEST

    def uniform(self, patient: Patient, decision: str, level: str = "", entry: int = 0) -> float:
        """The patient's uniform number in (0, 1) for one decision in the n-th entry to a level."""
        if self._used is not None:
            self._use(patient, decision, level, entry, 0)
        row, size = patient.row, self._size
        page = decision, level, entry, 0, row // size
        begin = patient.cell.pages.get(page)
        if begin is None:
            begin = self._page(patient.cell, page, patient.cell.size)
        return self._numbers[begin + row % size] or _SMALLEST

    def uniforms(
        self, patient: Patient, decision: str, level: str, entry: int, occurrences: range
    ) -> list[float]:
        """The patient's uniform numbers for successive occurrences of one decision."""
        if self._used is not None:
            self._use_all(patient, decision, level, entry, occurrences)
        first, skipped = divmod(occurrences.start, _TOGETHER)
        number, row = divmod(patient.row, self._rows)
        numbers: list[float] = []
        for part in range(first, -(-occurrences.stop // _TOGETHER)):
            begin = self._run(patient.cell, (decision, level, entry, part, number)) + row * _TOGETHER
            numbers += [number or _SMALLEST for number in self._numbers[begin : begin + _TOGETHER]]
        return numbers[skipped : skipped + len(occurrences)]

    def nth(self, patient: Patient, decision: str, level: str, entry: int, occurrence: int) -> float:
        """The patient's uniform number for one occurrence of a decision that recurs."""
        if self._used is not None:
            self._use(patient, decision, level, entry, occurrence)
        part, place = divmod(occurrence, _TOGETHER)
        number, row = divmod(patient.row, self._rows)
        begin = self._run(patient.cell, (decision, level, entry, part, number))
        return self._numbers[begin + row * _TOGETHER + place] or _SMALLEST

    def below(
        self, patient: Patient, decision: str, level: str, entry: int, occurrences: range, share: float
    ) -> bytes:
        """Whether each of the `uniforms` is below a share: one byte each; made for a share that many have."""
        if self._used is not None:
            self._use_all(patient, decision, level, entry, occurrences)
        cell = patient.cell
        first, skipped = divmod(occurrences.start, _TOGETHER)
        number, row = divmod(patient.row, self._rows)
        found = b""
        for part in range(first, -(-occurrences.stop // _TOGETHER)):
            page = decision, level, entry, part, number
            known = cell.below.get(page)
            if known is None or known[0] != share:
                begin = self._run(cell, page)
                is_below = self._room[begin : begin + self._size] < share
                known = cell.below[page] = share, is_below.tobytes()
            found += known[1][row * _TOGETHER : (row + 1) * _TOGETHER]
        return found[skipped : skipped + len(occurrences)]

    def _run(self, cell: Cell, page: Page) -> int:
        """Where a page of a decision that recurs begins."""
        return self._begin(cell, page, cell.size * _TOGETHER)

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
