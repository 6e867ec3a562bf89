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
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["Replication", "csv_cell", "decode", "encode"]

_FORMAT = 1


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
    """Gzipped JSON; floats as their shortest exact text, and "nan", "inf", "-inf" for those JSON has not."""
    content = {
        "format": _FORMAT,
        "index": replication.index,
        "kernel_events": replication.kernel_events,
        "outcomes": {name: _packed(outcome) for name, outcome in replication.outcomes.items()},
        "weekly": {name: _texts(numbers) for name, numbers in replication.weekly.items()},
        "profiles": {name: _texts(numbers) for name, numbers in replication.profiles.items()},
    }
    text = json.dumps(content, separators=(",", ":"), allow_nan=False)
    return gzip.compress(text.encode(), compresslevel=1, mtime=0)  # 6 is 6 times as slow and saves 4 %


def decode(data: bytes) -> Replication:
    """The replication that `encode` wrote.

    Raises:
        ValueError: The bytes are cut short, damaged, or of another format.
    """
    try:
        content = json.loads(gzip.decompress(data))
        if content["format"] != _FORMAT:
            raise ValueError(f"format {content['format']} (this version reads {_FORMAT})")
        return Replication(
            index=content["index"],
            kernel_events=content["kernel_events"],
            outcomes={name: _unpacked(*packed) for name, packed in content["outcomes"].items()},
            weekly={name: _numbers(texts) for name, texts in content["weekly"].items()},
            profiles={name: _numbers(texts) for name, texts in content["profiles"].items()},
        )
    except (OSError, EOFError, zlib.error, LookupError, TypeError, AttributeError) as error:
        raise ValueError("not a whole replication") from error


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


def _packed(outcome: Outcome) -> list[float | str]:
    match outcome:
        case Value(value):
            return ["v", *_texts([value])]
        case Ratio(numerator, denominator):
            return ["r", *_texts([numerator, denominator])]
        case Sample(values):
            return ["s", *_texts(values.tolist())]


def _unpacked(kind: str, *texts: float | str) -> Outcome:
    import numpy as np

    match kind, _numbers(texts):
        case "v", [value]:
            return Value(value)
        case "r", [numerator, denominator]:
            return Ratio(numerator, denominator)
        case "s", values:
            return Sample(np.array(values, dtype=np.float64))
    raise ValueError(f"no outcome {kind} of {len(texts)} numbers")


def _texts(numbers: Iterable[float]) -> list[float | str]:
    return [number if math.isfinite(number) else repr(number) for number in map(float, numbers)]


def _numbers(texts: Iterable[float | str]) -> list[float]:
    return [float(text) for text in texts]
