"""How fast iopsim is, as ratios: `python benchmarks/speed.py`; five minutes. Nothing else should run meanwhile.

Milliseconds depend on the machine; the ratios beside them hardly do: both sides of each are measured by this process,
in turns where they differ little. With `--write` the figures are appended to `benchmarks/tables/speed_history.csv`,
and `start_up.csv` and `where_time_goes.csv` beside it are replaced.

What is measured is the iopsim that is installed where it runs: pure Python where that is editable. So the compiled
model is measured from an environment of its own; its figures go to the history only, for a profile does not see what
is compiled:

    python3 -m venv build/compiled
    build/compiled/bin/pip install -c constraints.txt .
    build/compiled/bin/python benchmarks/speed.py --write
"""

from __future__ import annotations

import cProfile
import csv
import datetime as dt
import platform
import pstats
import sys
from collections import Counter
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

# Last: `benchmarks` is found there, and an iopsim that is installed goes before the one there.
sys.path.append(str(Path(__file__).resolve().parents[1]))

from benchmarks import textbook
from benchmarks.agreement import REFERENCE
from benchmarks.machine import start_up, workers
from benchmarks.replication import BASELINE, Row, growth, measure_all, memory_growth, one_replication, timed
from iopsim import __version__, is_compiled
from iopsim.experiment.replicate import replicate
from iopsim.measures.registry import measure
from iopsim.measures.series import profiles, weekly
from iopsim.measures.window import Window
from iopsim.model.clinic import simulate
from iopsim.scenario import load

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from iopsim.scenario.schema import Scenario

HERE = Path(__file__).parent
TABLES = HERE / "tables"
PAIRS = 15
LEAST_SHARE = 0.01
BUILD = "compiled" if is_compiled() else "pure"


def main(arguments: Sequence[str]) -> None:
    baseline, reference = load(BASELINE), load(REFERENCE)
    replicate(baseline, 0), replicate(reference, 0)  # imports and caches are not what is measured
    model = "compiled" if is_compiled() else "pure Python"
    print(f"{f'model: {model}':<80} {'measured':>8}  aim")
    rows = []
    for part in (against_textbook(reference), one_replication(baseline), growth(), memory_growth()):
        rows += show(part)
    rows += show(workers(baseline))
    starts = show(start_up())
    rows += in_short(starts)
    shares = [] if is_compiled() else show(where_time_goes(baseline))
    if "--write" in arguments:
        remember(rows)
        if shares:
            replace(starts, shares)


def show(rows: Iterable[Row]) -> list[Row]:
    """Print rows as they come."""
    shown = []
    for row in rows:
        print(f"{row.what:<80} {row.value:>8}  {row.aim}".rstrip(), flush=True)
        shown.append(row)
    return shown


def in_short(starts: list[Row]) -> Iterator[Row]:
    """What the history keeps of the start of commands."""
    slowest = max((row for row in starts if row.what.endswith("--help")), key=lambda row: float(row.value))
    yield slowest._replace(what="slowest `--help`, CPU s beyond Python")
    for row in starts:
        if row.aim and not row.what.endswith("--help"):
            yield row._replace(what=f"`{row.what}`, CPU s beyond Python")


def against_textbook(reference: Scenario) -> Iterator[Row]:
    """The reference model here and in textbook SimPy, by turns; `agreement.py` shows that they mean the same."""
    turns = []
    for index in range(PAIRS):
        living, clinic = timed(textbook.run, index)
        events = textbook.kernel_events(clinic)
        averaging, _ = timed(textbook.means, clinic)
        del clinic
        simulating, ledger = timed(simulate, reference, index)
        measuring, _ = timed(measure_all, reference, ledger)
        theirs, ours = living + averaging, simulating + measuring
        turns.append((theirs / ours, living / simulating, theirs, ours, simulating))
    ratio, alone, theirs, ours, simulating = map(median, zip(*turns, strict=True))
    yield Row("reference model: textbook SimPy ÷ iopsim, with all metrics", f"{ratio:.2f}", "5 or more")
    yield Row("    simulation alone, without metrics or frames", f"{alone:.2f}")
    yield Row("    textbook SimPy, CPU ms a replication", f"{1000 * theirs:.0f}")
    yield Row("    iopsim, CPU ms a replication", f"{1000 * ours:.0f}")
    yield Row("    iopsim, simulate alone, CPU ms a replication", f"{1000 * simulating:.0f}")
    yield Row("    kernel events of textbook SimPy", f"{events}", "about 96,000")
    yield Row("    kernel events of iopsim", f"{ledger.kernel_events}")


def where_time_goes(scenario: Scenario) -> Iterator[Row]:
    """Shares of a replication by part, and of `simulate` by module, as a deterministic profile sees them.

    A profile charges every call for being watched: modules of many small functions look dearer than they are.
    """
    ledger = simulate(scenario, 1)
    window = Window(scenario, ledger)
    parts = {
        "simulate": timed(simulate, scenario, 1)[0],
        "measure": timed(measure, window)[0],
        "weekly": timed(weekly, window)[0],
        "profiles": timed(profiles, window)[0],
    }
    whole = sum(parts.values())
    yield from (
        Row(f"share of a replication: {part}", f"{spent / whole:.3f}") for part, spent in parts.items()
    )
    modules = by_module(scenario)
    whole = sum(modules.values())
    for module, spent in modules.most_common():
        if spent >= LEAST_SHARE * whole:
            yield Row(f"share of simulate: {module}", f"{spent / whole:.3f}")


def by_module(scenario: Scenario) -> Counter[str]:
    """Seconds spent in each module; what is built in counts where it is called from."""
    profile = cProfile.Profile()
    profile.runcall(simulate, scenario, 1)
    spent: Counter[str] = Counter()
    functions: dict[tuple[str, int, str], Any] = pstats.Stats(profile).stats  # type: ignore[attr-defined]
    for (path, _, _), (_, _, own, _, callers) in functions.items():
        if path != "~":
            spent[module_name(path)] += own
        for (caller, _, _), (_, _, there, _) in callers.items() if path == "~" else ():
            spent[module_name(caller)] += there
    return spent


def module_name(path: str) -> str:
    """`model.journey` for a file of iopsim, otherwise the name of the package or file."""
    parts = Path(path).with_suffix("").parts
    if "iopsim" in parts:
        return ".".join(parts[len(parts) - parts[::-1].index("iopsim") :])
    return parts[parts.index("site-packages") + 1] if "site-packages" in parts else parts[-1]


def remember(rows: list[Row]) -> None:
    """Append the figures to the history."""
    TABLES.mkdir(exist_ok=True)
    history = TABLES / "speed_history.csv"
    is_new = not history.exists()
    when = [dt.date.today().isoformat(), __version__, platform.python_version(), BUILD]
    with history.open("a", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        if is_new:
            writer.writerow(["date", "version", "python", "build", "what", "value", "aim"])
        writer.writerows([*when, *row] for row in labeled(rows))


def replace(starts: list[Row], shares: list[Row]) -> None:
    """Keep the figures of which only the latest are of interest."""
    for name, header, table in (
        ("start_up", ["command", "cpu_seconds_beyond_python", "aim"], starts),
        ("where_time_goes", ["what", "share"], [row[:2] for row in shares]),
    ):
        with (TABLES / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows([header, *table])


def labeled(rows: list[Row]) -> Iterator[Row]:
    """Rows that say by themselves what they are about: indented ones repeat the subject of the row they belong to."""
    subject = ""
    for row in rows:
        if row.what.startswith(" "):
            yield row._replace(what=f"{subject}: {row.what.strip()}")
        else:
            subject = row.what.partition(":")[0].partition(",")[0]
            yield row


if __name__ == "__main__":
    main(sys.argv[1:])
