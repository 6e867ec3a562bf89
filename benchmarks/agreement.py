"""Whether the reference model means the same here and in textbook SimPy: `python benchmarks/agreement.py`; a minute.

Two programs that share no line but numpy and SimPy, one of them a process per patient with dice of its own. Their
means over independent replications have to agree within four standard errors. With `--write` the table replaces
`benchmarks/tables/textbook.csv`.
"""

from __future__ import annotations

import csv
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from benchmarks import textbook
from iopsim.measures.registry import Outcome, Sample, measure
from iopsim.measures.window import Window
from iopsim.model.clinic import simulate
from iopsim.scenario import load

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

REFERENCE = Path(__file__).parent / "iop_reference.yaml"
TABLE = Path(__file__).parent / "tables" / "textbook.csv"
REPLICATIONS = 40
LIMIT = 4.0


class Agreement(NamedTuple):
    """One metric by both programs; `standard_error` is that of the difference of the two means."""

    metric: str
    textbook: float
    iopsim: float
    standard_error: float

    @property
    def z(self) -> float:
        """The difference in standard errors."""
        return (self.textbook - self.iopsim) / self.standard_error


def by_textbook(replications: int) -> list[Mapping[str, float]]:
    return [textbook.means(textbook.run(seed)) for seed in range(replications)]


def by_iopsim(replications: int, sets: Sequence[str] = ()) -> list[Mapping[str, float]]:
    scenario = load(REFERENCE, sets)
    ledgers = (simulate(scenario, index) for index in range(replications))
    return [_numbers(measure(Window(scenario, ledger))) for ledger in ledgers]


def _numbers(outcomes: Mapping[str, Outcome]) -> dict[str, float]:
    """One replication's own estimate of everything that is a number."""
    numbers = {}
    for name, outcome in outcomes.items():
        if isinstance(outcome, Sample):
            if outcome.values.size:
                numbers[f"{name}.mean"] = float(outcome.values.mean())
                numbers[f"{name}.p90"] = float(np.quantile(outcome.values, 0.9))
        else:
            numerator, denominator = outcome.quotient(None)
            numbers[name] = numerator / denominator if denominator else math.nan
    return numbers


def agreement(theirs: Sequence[Mapping[str, float]], ours: Sequence[Mapping[str, float]]) -> list[Agreement]:
    """Every metric that the textbook version computes."""
    found = []
    for name in theirs[0]:
        samples = [np.array([each[name] for each in side]) for side in (theirs, ours)]
        error = math.sqrt(sum(sample.var(ddof=1) / len(sample) for sample in samples))
        found.append(Agreement(name, float(samples[0].mean()), float(samples[1].mean()), error))
    return found


def main(arguments: Sequence[str]) -> int:
    found = agreement(by_textbook(REPLICATIONS), by_iopsim(REPLICATIONS))
    header = ("metric", "textbook", "iopsim", "standard_error", "z")
    rows = [(each.metric, *(f"{number:.5g}" for number in each[1:]), f"{each.z:.2f}") for each in found]
    for row in (header, *rows):
        print("{:<38} {:>10} {:>10} {:>15} {:>6}".format(*row))
    if "--write" in arguments:
        with TABLE.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows([header, *rows])
    return int(any(abs(each.z) > LIMIT for each in found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
