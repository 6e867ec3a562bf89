"""Words of the scenario language that this version does not honor: refused by their path, never ignored."""

from __future__ import annotations

from typing import Any

from iopsim.scenario.findings import Finding, select
from iopsim.scenario.parts import shape

__all__ = ["WORDS", "unsupported"]

_SCENARIOS = "write the values in a sweep file and give it to `iopsim sweep`"

WORDS: dict[str, str] = {
    "uncertain": _SCENARIOS,
    "ranges": _SCENARIOS,
    "search": _SCENARIOS,
}
"""What to write instead, by the path of the word; after a colon, the form of the value that is refused."""


def unsupported(tree: Any) -> list[Finding]:
    """The words in a plain tree that are part of the language and not of this version."""
    found = []
    for word, instead in WORDS.items():
        pattern, _, form = word.partition(":")
        message = f"not supported yet; {instead}" if instead else "not supported yet; leave it out"
        found += [
            Finding("not-supported", path, message)
            for path, value in select(tree, pattern)
            if form in ("", shape(value))
        ]
    return found
