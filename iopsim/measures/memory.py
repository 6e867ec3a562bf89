"""What has been made of a window, and may be asked for again."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import is_dataclass
from typing import TypeVar

import numpy as np

__all__ = ["Memory"]

_ROOM = 40_000_000  # bytes of arrays: all there are, but of the largest programs
T = TypeVar("T")


class Memory:
    """Remembers by key. What was asked for longest ago makes room, and can be made again."""

    def __init__(self) -> None:
        self._made: OrderedDict[object, object] = OrderedDict()
        self._bytes = 0

    def recall(self, key: object) -> object | None:
        """What was made under the key; None if nothing was, or if it is gone."""
        made = self._made.get(key)
        if made is not None:
            self._made.move_to_end(key)
        return made

    def keep(self, key: object, made: T) -> T:
        """Remember something, in place of the oldest if that is needed."""
        self._made[key] = made
        self._bytes += _bytes(made)
        while self._bytes > _ROOM and len(self._made) > 1:
            self._bytes -= _bytes(self._made.popitem(last=False)[1])
        return made


def _bytes(made: object) -> int:
    """The room that the arrays in something take."""
    if isinstance(made, np.ndarray):
        return made.nbytes
    parts = made if isinstance(made, tuple) else vars(made).values() if is_dataclass(made) else ()
    return sum(map(_bytes, parts))
