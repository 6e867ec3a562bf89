"""What is kept of a replication, as bytes that are exact, deterministic, versioned and safe to read."""

from __future__ import annotations

import gzip
import json
import math
import zlib
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from iopsim.measures.registry import Outcome, Ratio, Sample, Value

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["Replication", "csv_cell", "decode", "encode"]

_FORMAT = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Replication:
    """All that leaves the process that simulated a replication.

    Attributes:
        index: Its number, from 0.
        outcomes: Metrics by stem or full name, in the order of the registry.
        weekly: Series by name, one number per week from opening to the end of the run-out.
        profiles: Other numbers by name, such as the counts of a histogram.
        kernel_events: Events that the simulation kernel handled.
        seconds: Time that it took here and now; never kept, so 0 for one that was read back.
    """

    index: int
    outcomes: Mapping[str, Outcome]
    weekly: Mapping[str, Sequence[float]]
    profiles: Mapping[str, Sequence[float]]
    kernel_events: int
    seconds: float = 0.0


def encode(replication: Replication) -> bytes:
    """Gzipped: a line of JSON that names every array of numbers and its length, then all of them as float64."""
    import numpy as np

    outcomes = {name: _packed(outcome) for name, outcome in replication.outcomes.items()}
    header = {
        "format": _FORMAT,
        "index": replication.index,
        "kernel_events": replication.kernel_events,
        "outcomes": {name: [kind, len(numbers)] for name, (kind, numbers) in outcomes.items()},
        "weekly": {name: len(numbers) for name, numbers in replication.weekly.items()},
        "profiles": {name: len(numbers) for name, numbers in replication.profiles.items()},
    }
    arrays = [*(numbers for _, numbers in outcomes.values()), *replication.weekly.values()]
    numbers = np.concatenate([np.empty(0), *arrays, *replication.profiles.values()]).astype("<f8")
    line = json.dumps(header, separators=(",", ":")).encode() + b"\n"
    return gzip.compress(line + numbers.tobytes(), compresslevel=1, mtime=0)  # 6 is slow and saves little


def decode(data: bytes) -> Replication:
    """The replication that `encode` wrote.

    Raises:
        ValueError: The bytes are cut short, damaged, or of another format.
    """
    import numpy as np

    try:
        line, _, body = gzip.decompress(data).partition(b"\n")
        header = json.loads(line)
        if header["format"] != _FORMAT:
            raise ValueError(f"format {header['format']} (this version reads {_FORMAT})")
        numbers = np.frombuffer(body, dtype="<f8").astype(np.float64, copy=False)
        plain = numbers.tolist()  # one by one they would take four times as long
        part = map(slice, *_bounds(header)).__next__
        replication = Replication(
            index=header["index"],
            kernel_events=header["kernel_events"],
            outcomes={
                name: Sample(numbers[part()]) if kind == "s" else _unpacked(kind, plain[part()])
                for name, (kind, _) in header["outcomes"].items()
            },
            weekly={name: plain[part()] for name in header["weekly"]},
            profiles={name: plain[part()] for name in header["profiles"]},
        )
        whole = sum(_lengths(header)) == numbers.size
    except (OSError, EOFError, zlib.error, LookupError, TypeError, AttributeError) as error:
        raise ValueError("not a whole replication") from error
    if not whole:
        raise ValueError("not a whole replication")
    return replication


def csv_cell(value: object) -> str:
    """Text of a cell: 12 significant digits, nothing for None and NaN, no text a spreadsheet would run."""
    match value:
        case None:
            return ""
        case float():
            return "" if math.isnan(value) else f"{value + 0.0:.12g}"  # + 0.0 turns -0 into 0
        case str() if value.startswith(("=", "+", "-", "@", "\t", "\r")):
            return f"'{value}"
        case _:
            return str(value)


def _packed(outcome: Outcome) -> tuple[str, Sequence[float] | Floats]:
    match outcome:
        case Value(value):
            return "v", [value]
        case Ratio(numerator, denominator):
            return "r", [numerator, denominator]
        case Sample(values):
            return "s", values


def _unpacked(kind: str, numbers: Sequence[float]) -> Outcome:
    if kind == "r" and len(numbers) == 2:
        return Ratio(*numbers)
    if kind == "v" and len(numbers) == 1:
        return Value(*numbers)
    raise ValueError(f"no outcome {kind} of {len(numbers)} numbers")


def _lengths(header: Mapping[str, Any]) -> list[int]:
    outcomes = [length for _, length in header["outcomes"].values()]
    return [*outcomes, *header["weekly"].values(), *header["profiles"].values()]


def _bounds(header: Mapping[str, Any]) -> tuple[list[int], list[int]]:
    """Where each array of numbers begins, and where it ends."""
    ends = list(accumulate(_lengths(header)))
    return [0, *ends], ends
