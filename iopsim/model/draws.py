"""Keyed chance: every random number has a name and is the same wherever and whenever it is asked for.

A patient's number belongs to (seed, replication, source, height cell, ordinal, decision, level, entry, occurrence) and
is made of the hash of that name. A hash has room for eight numbers: decisions that are taken at about one time have
theirs side by side.
So no draw depends on the order of events, and a new decision, level or source moves no other draw (model.md §3).

Sources: of the hash, Saarinen and Aumasson, The BLAKE2 Cryptographic Hash and Message Authentication Code, RFC 7693
(2015); of random numbers that are hashes of names, Salmon et al., Parallel Random Numbers: As Easy as 1, 2, 3 (2011).
"""

from __future__ import annotations

from hashlib import blake2b
from math import ceil, log1p
from struct import Struct
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from iopsim.model.people import Stay

__all__ = ["Cell", "Draws"]

# Where the numbers about one entry to a level stand, eight to a hash. A new decision takes the next place; those that
# a scenario names have hashes of their own.
_PLACES: Final = {
    decision: place
    for place, decision in enumerate((
        "contact", "contact delay", "eligible", "show", "rebook", "denied", "authorization", "patience",
        "stay", "dropout", "step_up", "propensity", "extension", "next", "returns", "return_after",
        "step_up_to", "lag", "cut", "review",
    ))
}  # fmt: skip
_COUNTS: Final = Struct("<2Q").pack
_EIGHTH: Final = Struct("<Q").unpack_from
_UNIT: Final = 2.0**-53  # all whole multiples of it up to 1 are doubles
_SMALLEST: Final = 2.0**-54  # instead of 0, which no law can invert
# Where numbers are compared with a share, and with nothing else, a sixteenth of a hash is enough.
_SIXTEENTH: Final = np.dtype("<u4")
_OF_SHARES: Final = 2.0**32

_WIDTH: Final = 20  # bits: more levels, or decisions, than any scenario has


class Cell:
    """The candidates of one source in one whole referral a day of height.

    `names` are how the names of their numbers begin, by entry, level and decision.
    """

    __slots__ = ("names", "number", "size", "source")

    def __init__(self, source: str, number: int, size: int) -> None:
        self.source = source
        self.number = number
        self.size = size
        self.names: dict[int, bytes] = {}


class Draws:
    """The random numbers of one replication.

    Args:
        seed: The scenario's seed.
        replication: Index of the replication.
        used: When given, every name is entered here and a name that is used twice raises AssertionError
            (a check for tests).
    """

    def __init__(self, seed: int, replication: int, used: set[tuple[object, ...]] | None = None) -> None:
        self._root = (seed, replication)
        self._used = used
        self._numbers: dict[str, int] = {}  # of decisions; "" is that of all that have places
        self._blank = blake2b()  # a copy of it is made sooner than another

    def generator(self, *key: object) -> np.random.Generator:
        """A generator that belongs to (seed, replication, *key): a stable hash, no arithmetic on seeds."""
        return np.random.Generator(np.random.Philox(key=int.from_bytes(self._key(key), "little")))

    def _key(self, name: tuple[object, ...]) -> bytes:
        return blake2b(repr((*self._root, *name)).encode(), digest_size=16).digest()

    def block(self, cell: Cell, decision: str) -> NDArray[np.float64]:
        """Uniform numbers in [0, 1) for one decision about all candidates of a cell; shape (candidates,)."""
        return self.generator(cell.source, cell.number, decision).random(cell.size)

    def uniform(self, stay: Stay, decision: str, occurrence: int = 0) -> float:
        """The patient's uniform number in (0, 1) for one decision, or the n-th time of it, in this entry to a level."""
        if self._used is not None:
            self._use(stay, decision, occurrence)
        place = _PLACES.get(decision)
        if place is None or occurrence:
            place = occurrence
            numbers = self._hash(stay, decision, place >> 3)
        elif stay.part == place >> 3:
            numbers = stay.numbers
        else:
            stay.part = place >> 3
            numbers = stay.numbers = self._hash(stay, "", stay.part)
        whole: int = _EIGHTH(numbers, (place & 7) << 3)[0]
        return (whole >> 11) * _UNIT or _SMALLEST

    def exponential(self, stay: Stay, decision: str) -> float:
        """The patient's unit exponential for a hazard."""
        return -log1p(-self.uniform(stay, decision))

    def below(self, stay: Stay, decision: str, occurrences: range, share: float) -> bytes:
        """Whether uniform numbers of successive occurrences of a decision are below a share: one byte each.

        They are not those of `uniform`: a decision is asked for either here or there.
        """
        if self._used is not None:
            for occurrence in occurrences:
                self._use(stay, decision, occurrence)
        if not occurrences:
            return b""
        first, hashes = occurrences.start >> 4, b""
        for part in range(first, -(-occurrences.stop >> 4)):
            hashes += self._hash(stay, decision, part)
        are_below = np.frombuffer(hashes, _SIXTEENTH) < ceil(share * _OF_SHARES)
        begin = occurrences.start - (first << 4)
        return are_below.tobytes()[begin : begin + len(occurrences)]

    def _use(self, stay: Stay, decision: str, occurrence: int) -> None:
        assert self._used is not None
        patient = stay.patient
        name = (
            patient.source,
            patient.cell.number,
            patient.row,
            decision,
            stay.unit.name,
            stay.entry,
            occurrence,
        )
        assert name not in self._used, f"drawn twice: {name}"
        self._used.add(name)

    def _hash(self, stay: Stay, decision: str, part: int) -> bytes:
        """64 bytes, of which numbers of the patient are made in this entry to a level."""
        beginning = self._beginning(stay, decision) if decision else stay.name
        if not beginning:
            beginning = stay.name = self._beginning(stay, "")
        hashing = self._blank.copy()
        hashing.update(beginning + _COUNTS(stay.patient.row, part))
        return hashing.digest()

    def _beginning(self, stay: Stay, decision: str) -> bytes:
        """How the names of such numbers begin, for all patients of a cell."""
        cell, number = stay.patient.cell, self._numbers.get(decision)
        if number is None:
            number = self._numbers[decision] = len(self._numbers)
        key = (stay.entry << _WIDTH | stay.unit.index) << _WIDTH | number
        found = cell.names.get(key)
        if found is None:
            name = (cell.source, cell.number, decision, stay.unit.name, stay.entry)
            found = cell.names[key] = self._key(name)
        return found
