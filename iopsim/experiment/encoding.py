"""What is kept of a replication, as bytes that are exact, deterministic, versioned and safe to read."""

from __future__ import annotations

import gzip
import json
import math
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from iopsim.measures.registry import Outcome, Ratio, Sample, Value

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["Replication", "csv_cell", "decode", "encode"]

_FORMAT = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Replication:
    """All that leaves the process that simulated a replication.

    Attributes:
        index: Its number, from 0.
        outcomes: Metrics by stem or full name, in the order of the registry.
        weekly: Series by name, one number per week from opening to the end of the run-out.
        profiles: Other numbers by name, such as the counts of a histogram.
        persons: For each patient on a list at the beginning of a run from today, in the order of the file, when care
            started, in days, or a negative number for why it did not (measures.lists).
        kernel_events: Events that the simulation kernel handled.
        seconds: Time that it took here and now; never kept, so 0 for one that was read back.
    """

    index: int
    outcomes: Mapping[str, Outcome]
    weekly: Mapping[str, Sequence[float]]
    profiles: Mapping[str, Sequence[float]]
    persons: Sequence[float] = ()
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
        "persons": len(replication.persons),
    }
    arrays = [*(numbers for _, numbers in outcomes.values()), *replication.weekly.values()]
    arrays += [*replication.profiles.values(), replication.persons]
    numbers = np.concatenate([np.empty(0), *arrays]).astype("<f8")
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
        outcomes, first = _outcomes(header["outcomes"], numbers, plain)
        weekly, first = _lists(header["weekly"], plain, first)
        profiles, first = _lists(header["profiles"], plain, first)
        end = first + header["persons"]
        persons = plain[first:end]
        index, kernel_events = header["index"], header["kernel_events"]
    except (OSError, EOFError, zlib.error, LookupError, TypeError, AttributeError) as error:
        raise ValueError("not a whole replication") from error
    if end != numbers.size:
        raise ValueError("not a whole replication")
    return Replication(
        index=index,
        outcomes=outcomes,
        weekly=weekly,
        profiles=profiles,
        persons=persons,
        kernel_events=kernel_events,
    )


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


def _outcomes(
    lengths: Mapping[str, tuple[str, int]], numbers: Floats, plain: Sequence[float]
) -> tuple[dict[str, Outcome], int]:
    """Outcomes by name, and where their numbers end; a plain loop, since there are hundreds in each replication."""
    outcomes: dict[str, Outcome] = {}
    at = 0
    for name, (kind, length) in lengths.items():
        if kind == "r" and length == 2:
            outcomes[name] = Ratio(plain[at], plain[at + 1])
        elif kind == "v" and length == 1:
            outcomes[name] = Value(plain[at])
        elif kind == "s":
            outcomes[name] = Sample(numbers[at : at + length])
        else:
            raise ValueError(f"no outcome {kind} of {length} numbers")
        at += length
    return outcomes, at


def _lists(
    lengths: Mapping[str, int], plain: Sequence[float], at: int
) -> tuple[dict[str, Sequence[float]], int]:
    found: dict[str, Sequence[float]] = {}
    for name, length in lengths.items():
        found[name] = plain[at : at + length]
        at += length
    return found, at
