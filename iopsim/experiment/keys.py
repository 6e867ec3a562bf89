"""What a replication's numbers depend on, as a key: equal keys mean equal numbers, whoever simulated them."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import iopsim
from iopsim.model import MODEL_VERSION
from iopsim.scenario.canonical import identity

if TYPE_CHECKING:
    from collections.abc import Mapping

    from iopsim.scenario.schema import Scenario

__all__ = ["content_key", "program_version", "replication_key"]

# Where numbers are made: a change anywhere here may change them, and a forgotten version number must not hide it.
_MAKES_NUMBERS = (
    "scenario/*.py",
    "scenario/distributions/*.py",
    "model/**/*.py",
    "measures/**/*.py",
    "experiment/encoding.py",
    "experiment/replicate.py",
)


@cache
def program_version() -> str:
    """The model version, and 12 hex digits of the sources that make numbers: `1-5f0c9a1b2c3d`."""
    root = Path(iopsim.__file__).parent
    digest = hashlib.sha256()
    for path in sorted({path for pattern in _MAKES_NUMBERS for path in root.glob(pattern)}):
        digest.update(path.relative_to(root).as_posix().encode() + b"\0")
        digest.update(path.read_bytes().replace(b"\r\n", b"\n") + b"\0")
    return f"{MODEL_VERSION}-{digest.hexdigest()[:12]}"


def content_key(content: Mapping[str, object]) -> str:
    """64 hex digits of plain values (dict, list, str, int, float, bool, None) and the program that reads them."""
    whole = {**content, "program_version": program_version()}
    return hashlib.sha256(json.dumps(whole, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def replication_key(scenario: Scenario) -> str:
    """Content key of a scenario's replications; beside it, the index alone says which one.

    What is only said of the numbers (name, description, notes, targets, observed values) and how many there are to
    be does not count: a run that asks for more, or for something else of the same people, finds what there is.
    """
    return content_key(identity(scenario, without=_OF_NO_REPLICATION))


_OF_NO_REPLICATION = ("targets", "observed", "run.replications")
