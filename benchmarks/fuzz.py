"""What becomes of ten thousand wrong inputs: `python benchmarks/fuzz.py [COUNT] [--write]`.

Shipped scenarios, sweeps and data files with a few things changed at random (tests/properties/mutations.py) are read
and put to arithmetic; a quarter of those that are accepted are simulated for a few weeks too. Each may be accepted, or
refused with codes; anything else is a defect. `--write` writes the table to benchmarks/tables/fuzz.csv.
"""

from __future__ import annotations

import csv
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # the generator is shared with the tests

from tests.properties.fuzzing import Fate, fates  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

TABLE = ROOT / "benchmarks" / "tables" / "fuzz.csv"
COUNT = 10_000
PIECE = 500  # inputs of one process, whose memory is limited
SERIES = 1  # other inputs than in the tests
SIMULATED = 4
SHOWN = 30  # codes; there are many rare ones


def main() -> None:
    count = next((int(word) for word in sys.argv[1:] if word.isdigit()), COUNT)
    with ThreadPoolExecutor(2) as threads:
        pieces = threads.map(_piece, range(0, count, PIECE), [count] * len(range(0, count, PIECE)))
        found = list(chain.from_iterable(pieces))
    table = [("what", "inputs", "slowest_seconds", "peak_megabytes"), *_rows(found)]
    for row in table:
        print(f"{row[0]:<34} {row[1]:>8} {row[2]:>16} {row[3]:>15}")
    for fate in found:
        if not fate.is_sound:
            print(f"\n{fate.number}: {fate.outcome}\n{fate.story}")
    if "--write" in sys.argv:
        TABLE.parent.mkdir(exist_ok=True)
        with TABLE.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows(table)


def _piece(first: int, count: int) -> list[Fate]:
    return list(fates(first, min(PIECE, count - first), SERIES, SIMULATED))


def _rows(found: Sequence[Fate]) -> Iterator[tuple[str, int, str, str]]:
    def row(what: str, those: Sequence[Fate]) -> tuple[str, int, str, str]:
        slowest = max((fate.seconds for fate in those), default=0.0)
        most = max((fate.megabytes for fate in those), default=0.0)
        return what, len(those), f"{slowest:.1f}", f"{most:.0f}"

    yield row("all", found)
    yield row("accepted", [fate for fate in found if fate.outcome == "accepted"])
    yield row("accepted and simulated", [fate for fate in found if fate.simulated])
    yield row("refused", [fate for fate in found if fate.outcome == "refused"])
    yield row("anything else", [fate for fate in found if not fate.is_sound])
    codes = Counter(code for fate in found for code in fate.codes)
    for code, _ in codes.most_common(SHOWN):
        yield row(f"refused: {code}", [fate for fate in found if code in fate.codes])
    rare = {code for code, _ in codes.most_common()[SHOWN:]}
    yield row(f"refused: {len(rare)} other codes", [fate for fate in found if rare.intersection(fate.codes)])


if __name__ == "__main__":
    main()
