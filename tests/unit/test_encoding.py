"""Replications as bytes: exact, the same every time, and refused when anything about them is not whole."""

from __future__ import annotations

import gzip
import json
import math
import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from iopsim.experiment.encoding import Replication, csv_cell, decode, encode
from iopsim.experiment.replicate import replicate
from iopsim.measures.registry import Ratio, Sample, Value
from tests.unit.kept import brief, plain, replication

numbers = st.floats(allow_nan=True, allow_infinity=True)


@given(st.integers(-(10**6), 10**6), st.lists(numbers), numbers, numbers)
def test_what_is_decoded_is_what_was_encoded(index: int, values: list[float], x: float, y: float) -> None:
    given_in = Replication(
        index=index,
        outcomes={"z": Value(x), "a": Ratio(x, y), "m\n": Sample(np.array(values, dtype=float))},
        weekly={"w": values},
        profiles={"p": [y, x], "none": []},
        persons=values[::-1],
        kernel_events=abs(index),
    )
    data = encode(given_in)
    came_out = decode(data)
    assert plain(came_out) == plain(given_in)
    assert list(came_out.outcomes) == ["z", "a", "m\n"]
    assert encode(came_out) == data
    sample = came_out.outcomes["m\n"]
    assert isinstance(sample, Sample)
    assert sample.values.dtype == np.float64


def test_the_bytes_are_a_line_of_names_and_lengths_and_then_the_numbers() -> None:
    line, _, body = gzip.decompress(encode(replication(3))).partition(b"\n")
    assert json.loads(line) == {
        "format": 3,
        "index": 3,
        "kernel_events": 1003,
        "outcomes": {"reneged": ["r", 2], "census": ["v", 1], "wait_days": ["s", 3]},
        "weekly": {"waitlist": 2},
        "profiles": {"waits": 2},
        "persons": 2,
    }
    found = struct.unpack("<12d", body)
    assert found[:7] == (3.0, 7.0, 0.1 * 3, 0.0, 1 / 3, 2 / 3, 3.0)
    assert math.isnan(found[7])
    assert found[8:] == (1.0, 2.0, 4.5, -1.0)


def test_what_the_model_makes_comes_back_as_it_was() -> None:
    simulated = replicate(brief(), 0)
    assert plain(decode(encode(simulated))) == plain(simulated)


def test_a_replication_says_nothing_of_the_clock() -> None:
    data = encode(replication(1))
    assert data[:4] == b"\x1f\x8b\x08\x00"  # no name in the header
    assert data[4:8] == bytes(4)  # no time in the header
    assert b"second" not in gzip.decompress(data)
    assert decode(data).seconds == 0.0


def test_every_cut_and_every_changed_body_is_noticed() -> None:
    data = encode(replication(2))
    for length in range(len(data)):
        with pytest.raises(ValueError, match=r"replication|Expecting"):
            decode(data[:length])
    for place in range(10, len(data)):
        with pytest.raises(ValueError, match=r".+"):
            decode(data[:place] + bytes([data[place] ^ 0x55]) + data[place + 1 :])
    with pytest.raises(ValueError, match=r"not a whole|multiple"):
        decode(data + data)


@pytest.mark.parametrize(
    ("change", "more"),
    [
        ({"format": 1}, 0),
        ({"format": 2}, 0),
        ({"format": 4}, 0),
        ({"persons": 3}, 0),
        ({"persons": None}, 0),
        ({"persons": 2.0}, 0),
        ({"persons": -2}, 0),
        ({"outcomes": {"census": ["v", 2]}, "weekly": {}, "profiles": {}, "persons": 0}, 0),
        ({"outcomes": {"census": ["x", 1]}}, 0),
        ({"outcomes": {"census": []}}, 0),
        ({"outcomes": {"census": ["v", None]}}, 0),
        ({"outcomes": {"census": ["v", 0.5]}}, 0),
        ({"outcomes": {}, "weekly": [], "profiles": {}}, 0),
        ({"weekly": None}, 0),
        ({"weekly": {"waitlist": 3}}, 0),
        ({}, 8),
        ({}, 3),
    ],
    ids=str,
)
def test_another_format_is_not_guessed_at(change: dict[str, Any], more: int) -> None:
    line, _, body = gzip.decompress(encode(replication(1))).partition(b"\n")
    header = json.dumps(json.loads(line) | change).encode()
    with pytest.raises(ValueError, match=r"format [124]|no outcome|not a whole|multiple|not enough values"):
        decode(gzip.compress(header + b"\n" + body + bytes(more)))


@pytest.mark.parametrize("text", [b"", b"[]", b"2", b'"text"', b"{}", b"\xff\xfe", b"[" * 100], ids=str)
def test_what_has_no_header_is_no_replication(text: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        decode(gzip.compress(text + b"\n" + bytes(8)))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.1 + 0.2, "0.3"),
        (1 / 3, "0.333333333333"),
        (5.0, "5"),
        (-0.0, "0"),
        (-2.5, "-2.5"),
        (1e-7, "1e-07"),
        (np.float64(0.25), "0.25"),
        (np.int64(-3), "-3"),
        (7, "7"),
        (10**15 + 1, "1000000000000001"),
        (math.nan, ""),
        (None, ""),
        (math.inf, "inf"),
        ("mood", "mood"),
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-cmd", "'-cmd"),
        ("@sum", "'@sum"),
        ("a=b", "a=b"),
    ],
)
def test_cells(value: object, text: str) -> None:
    assert csv_cell(value) == text
