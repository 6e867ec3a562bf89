"""The page `verification.md`: what is proved, from the tables that `iopsim verify --csv` and the benchmarks wrote."""

from __future__ import annotations

import csv
import math
import sys
from itertools import compress, groupby
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import iopsim
from iopsim.report.verification import texts
from iopsim.verification.case import cases
from iopsim.verification.judge import AGREES, Judgment
from tests.theory.mutants.mutant import mutants

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    Row = Mapping[str, str]
    Rows = Sequence[Row]
    Table = Callable[..., str]  # of rows, the first of which is its head

ROOT = Path(iopsim.__file__).parents[1]
CASES = "../iopsim/verification/cases"
_BUILDS = {"pure": "pure Python", "compiled": "compiled"}

INTRODUCTION = """
# What is proved, and what is not

Decisions about money and about patients' waiting rest on these numbers. This page says what was done so that they
may, in figures that you can produce again, and where the proof ends.
"""

REPEAT = """
## How to repeat it

    iopsim verify                       # every case; two minutes on two cores
    iopsim verify erlang-a --seed 7     # one case, other chance, the same exact answer
    iopsim verify --list

The exit code is 0 if all agree, 3 if one differs, 4 if one is undecided. The other tables are written by
`python benchmarks/calibration.py --write`, and likewise `variance.py`, `agreement.py`, `speed.py` and `fuzz.py`; the
tests behind all of it run with `pytest tests/theory tests/properties tests/cli`.
"""

EXACT = """
## Exact answers

For some clinics queueing theory knows the answer exactly. Each case is such a clinic, written as a scenario file
like any other. Theory computes from that file, without any simulation (`theory/`); the program simulates it; and
what the program reports is held against the answer. *z* is how far apart the two are, in standard errors. A sound
program is further apart than 4 about once in 16,000 numbers; so beyond 4 the verdict is *differs*. And a number only
*agrees* if its standard error is small, mostly below 3 % of the exact value: agreeing has to mean something.
[metrics.md](metrics.md) says what the numbers mean that have the name of a metric.
"""

MISTAKES = """
## Mistakes that are caught

A check that nothing can fail proves nothing. So the program is made wrong on purpose, a little and in one place, and
its case has to notice: the number that the mistake touches must differ by more than 4 standard errors, in at most as
many replications as `iopsim verify` takes.
"""

SECOND = """
## A second program

The reference clinic was written anew in the style of a textbook, a process for each patient and an event for each
session, without a line of this program's model. Both simulate it with chance of their own, and must find the same.
"""

INTERVALS = """
## How often intervals hold the truth

An interval of 95 % should hold the true number 95 times in 100. Where the truth is known this can be counted: each
share below is of 2,000 intervals or more, made by the program's own code. Counting has an error of its own, about
1.3 points either way (99 %). Shares from 93.5 % to 97 % are as they should be; others are in **bold**.
"""

WHY_BOLD = """
What is in bold has one cause: few replications of years that differ much. Means of waits near capacity are skewed. A
year in which the list never clears is rare, counts for a lot, and is missing from most short experiments, which then
show too low a mean and too calm a spread. Percentiles suffer less than means. The cure is replications: 40 rather
than 10, and more where utilization is above 80 %.
"""

ALARMS = """
The same care with *z*, the measure of the exact answers above: here is how often it is far from 0 where nothing is
wrong, each time from 40 replications. It is what it should be where the standard error is small beside the number (in
years four times as long), and a little too often far where it is not; which is why *agrees* asks for more.
"""

PAIRED = """
## The same patients in every plan

Plans that are compared meet the same people: same traits, same days of referral, same decisions where they face the
same situation, whatever else the plan changes. So the difference between two plans is known far better than either.
The table says how many times as many replications it would take with other patients in each plan.
"""

SPEED = """
## Speed

Ratios, measured side by side; seconds would only describe one machine. Programs of other sizes take turns with the
baseline, a tenth of a second each, in processes of their own. The history is kept in
`benchmarks/tables/speed_history.csv`; this is its latest entry for each build: an install on Linux is
compiled where a C compiler is at hand (see the [README](../README.md)), an editable one never.

What stands in the way of more: with the compiled model a fifth of the time goes into metrics, some three hundred short
calls of numpy; the rest is spread: seen in pure Python, where a profile can look, no part of the model takes more than
a seventh (`where_time_goes.csv` beside the history). A program of twenty sites does as much for a referral as one of a
single site, but waits longer for memory: its patients do not fit into a processor's cache, and what that costs depends
on what else the machine does: the same build has been seen between 1.05 and 1.09 times the baseline compiled, and
between 1.07 and 1.09 in pure Python.
"""

INPUT = """
## Input that is wrong

A scenario or a CSV file may hold anything. Whatever it is, the answer must be results or a sentence that names the
place and the cure: never a traceback, a hang, or a machine without memory. Besides a corpus of wrong files, each with
the message it must get (`tests/corpus`), scenarios are damaged at random, by the structure of the language.
"""

LIMITS = """
## What is not proved

- **That a scenario describes your clinic.** All of the above says that the program computes what the
  [model](model.md) says. Whether the model and your numbers fit your clinic is another question: put what you know
  under `observed:`, and every run shows it beside what was simulated. Where the two differ, believe neither yet.
- **Every combination.** Theory knows clinics with one or a few features at a time. What a large scenario combines, no
  formula knows; it rests on the parts, on laws that hold at every event (nobody is lost, no place is given twice,
  Little's law to nine digits) under random scenarios, on hand-computed examples, and on the second program.
- **What has no formula.** Rules of money, staffing hours and calendars are checked against examples worked by hand,
  not against theory.
- **Intervals from few replications near capacity**, as said above, and differences of percentiles where waits take
  few values, such as whole weeks.
- **What an interval does not hold.** It is the chance of the simulation, not the doubt about the numbers that were put
  in: a sweep over those shows how much hangs on them.
- **Other machines.** Results are the same to the last bit with the same versions of Python, NumPy and SciPy; with
  others the last digits may differ.
"""


class Section(NamedTuple):
    """What one of the committed tables shows; left out as long as that has not been written.

    Attributes:
        name: Of the table.
        question: What it answers, in a line.
        answer: The same, from its rows.
        blocks: All of it.
    """

    name: str
    question: str
    answer: Callable[[Rows], str]
    blocks: Callable[[Rows, Table], Iterator[str]]


def verification_blocks(table: Table) -> list[str]:
    """The page as blocks of Markdown, in order; `table` makes one of rows, the first of which is its head."""
    written = [(section, rows) for section in SECTIONS if (rows := _rows(section.name))]
    answers = [(section.question, section.answer(rows)) for section, rows in written]
    told = [block for section, rows in written for block in section.blocks(rows, table)]
    return [INTRODUCTION, table(("question", "answer"), *answers), REPEAT, *told, LIMITS]


def _rows(name: str) -> Rows:
    path = ROOT / "benchmarks" / "tables" / f"{name}.csv"
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _folded(title: str, text: str) -> str:
    """A long table that opens when its title is clicked."""
    return f"<details><summary>{title}</summary>\n\n{text}\n\n</details>"


# ── exact answers ────────────────────────────────────────────────────────────────────────────────────────────


def _agreement(rows: Rows) -> str:
    found = [_judgment(row) for row in rows]
    agree = sum(one.verdict == AGREES for one in found)
    furthest = max(abs(one.z) for one in found)
    return (
        f"{agree} of {len(found)} numbers of {len(cases())} clinics agree; the furthest is {furthest:.1f} standard "
        "errors away"
    )


def _exact(rows: Rows, table: Table) -> Iterator[str]:
    found = [_judgment(row) for row in rows]
    yield EXACT
    yield table(("case", "law", "numbers", "furthest z"), *_cases(found))
    head = ("case", "number", "theory", "simulated ± 95 %", "z", "verdict")
    claims = ((one.case, one.claim, *texts(one)) for one in found)
    yield _folded(f"All {len(found)} numbers", table(head, *claims))


def _judgment(row: Row) -> Judgment:
    numbers = {name: float(row[name]) for name in ("theory", "simulated", "half_width", "z")}
    return Judgment(case=row["case"], claim=row["claim"], verdict=row["verdict"], **numbers)


def _cases(found: Sequence[Judgment]) -> Iterator[tuple[str, ...]]:
    """A row for each case, below the theme that it belongs to."""
    claims = {name: list(own) for name, own in groupby(found, key=lambda one: one.case)}
    for theme, own in groupby(cases().values(), key=lambda case: case.says.__module__):
        said = (sys.modules[theme].__doc__ or "").partition("\n")[0].removesuffix(".")
        yield f"*{said}*", "", "", ""
        for case in own:
            judged = claims[case.name]
            agree = sum(one.verdict == AGREES for one in judged)
            of = f"{agree}" if agree == len(judged) else f"**{agree} of {len(judged)}**"
            furthest = max(judged, key=lambda one: abs(one.z))
            yield f"[{case.name}]({CASES}/{case.name}.yaml)", case.title, of, texts(furthest)[2]


# ── mistakes ─────────────────────────────────────────────────────────────────────────────────────────────────


def _made() -> dict[str, list[str]]:
    """What is made wrong, by the case that catches it."""
    wrong: dict[str, list[str]] = {name: [] for name in cases()}
    for mutant in mutants():
        wrong[mutant.case].append(mutant.wrong.__name__.replace("_", " "))
    return {case: list(dict.fromkeys(names)) for case, names in wrong.items()}


def _number_made(_: Rows) -> str:
    return f"{sum(map(len, _made().values()))} mistakes were made on purpose; every one is caught"


def _mistakes(_: Rows, table: Table) -> Iterator[str]:
    yield MISTAKES
    yield table(("case", "made wrong"), *((case, "; ".join(names)) for case, names in _made().items()))


# ── a second program ─────────────────────────────────────────────────────────────────────────────────────────


def _both(rows: Rows) -> str:
    furthest = max(abs(float(row["z"])) for row in rows)
    return f"in all {len(rows)} numbers; the furthest are {furthest:.1f} standard errors apart"


def _second(rows: Rows, table: Table) -> Iterator[str]:
    yield SECOND
    head = ("metric", "textbook", "iopsim", "standard error", "z")
    yield _folded("All numbers of both", table(head, *(tuple(row.values()) for row in rows)))


# ── intervals ────────────────────────────────────────────────────────────────────────────────────────────────


def _counted(rows: Rows) -> str:
    intervals = [row for row in rows if _is_interval(row)]
    shares = [float(row["found_share"]) for row in intervals]
    return (
        f"{100 * min(shares):.0f} to {100 * max(shares):.0f} times in 100, by kind, replications and load; "
        f"{sum(int(row['trials']) for row in intervals):,} intervals were counted"
    )


def _intervals(rows: Rows, table: Table) -> Iterator[str]:
    yield INTERVALS
    yield table(("number", "truth from", "5", "10", "40 replications"), *_coverage(rows))
    yield table(("number", "truth from", "replications until narrow", "hold the truth"), *_stopped(rows))
    yield WHY_BOLD
    yield ALARMS
    yield table(("sound numbers with", "truth from", "should be", "are"), *_alarms(rows))


def _is_interval(row: Row) -> bool:
    return not row["what"].startswith("|z|")


def _share(row: Row) -> str:
    """The share of intervals that hold the truth, bold where it is not as said, and never rounded up to that."""
    share = f"{math.floor(1000 * float(row['found_share'])) / 10:.1f} %"
    return share if row["verdict"] == "as said" else f"**{share}**"


def _coverage(calibrated: Rows) -> Iterator[tuple[str, ...]]:
    """A row for each kind of number, a column for each number of replications."""
    found: dict[tuple[str, str], dict[str, str]] = {}
    for row in calibrated:
        if _is_interval(row) and row["replications"].isdecimal():
            found.setdefault((row["what"], row["data"]), {})[row["replications"]] = _share(row)
    for (what, data), shares in found.items():
        yield what, data, *(shares.get(count, "") for count in ("5", "10", "40"))


def _stopped(calibrated: Rows) -> Iterator[tuple[str, ...]]:
    for row in calibrated:
        if _is_interval(row) and not row["replications"].isdecimal():
            yield row["what"], row["data"], row["replications"].replace("%", " %"), _share(row)


def _alarms(calibrated: Rows) -> Iterator[tuple[str, ...]]:
    for row in calibrated:
        if not _is_interval(row):
            wanted, found, low, high = (
                100 * float(row[name]) for name in ("expected_share", "found_share", "low", "high")
            )
            what = row["what"].removesuffix(" where theory is right")
            yield what, row["data"], f"{wanted:.2g} %", f"{found:.2g} % ({low:.2g} to {high:.2g} %)"


# ── plans, speed, input ──────────────────────────────────────────────────────────────────────────────────────


def _gained(rows: Rows) -> str:
    gains = [float(row["variance_ratio"]) for row in rows]
    return f"the precision of {min(gains):.1f} to {max(gains):.0f} times as many replications"


def _paired(rows: Rows, table: Table) -> Iterator[str]:
    """A row for each pair of plans with what each metric gains."""
    gains: dict[str, dict[str, str]] = {}
    for row in rows:
        plans = f"{row['plan_b']}, against {row['plan_a']}"
        gains.setdefault(plans, {})[row["metric"]] = f"{float(row['variance_ratio']):,.3g} ×"
    metrics = list(dict.fromkeys(row["metric"] for row in rows))
    body = ((plans, *(own.get(metric, "–") for metric in metrics)) for plans, own in gains.items())
    yield PAIRED
    yield table(("plans", *(f"`{metric}`" for metric in metrics)), *body)


def _latest(rows: Rows) -> dict[str, dict[str, str]]:
    """The latest entry of each build: what was measured, and its value."""
    latest = {}
    for build in _BUILDS:
        if own := [row for row in rows if row["build"] == build]:
            last = [(row["date"], row["version"]) == (own[-1]["date"], own[-1]["version"]) for row in own]
            latest[build] = {row["what"]: row["value"] for row in compress(own, last)}
    return latest


def _fastest(rows: Rows) -> str:
    latest = _latest(rows)
    what = next(iter(latest[rows[-1]["build"]]))
    values = [f"{values[what]}{' (compiled)' * (build == 'compiled')}" for build, values in latest.items()]
    return f"{what}: {', '.join(values)}"


def _speed(rows: Rows, table: Table) -> Iterator[str]:
    """A row for what was measured, a column for each build; what one build lacks, it was not asked."""
    latest, aims = _latest(rows), {row["what"]: row["aim"] for row in rows}
    whats = dict.fromkeys(what for values in latest.values() for what in values)
    body = ((what, *(values.get(what, "") for values in latest.values()), aims[what]) for what in whats)
    yield SPEED
    heads = [_BUILDS[build] for build in latest] if len(latest) > 1 else ["measured"]
    yield table(("what", *heads, "aim"), *body)


def _harm(rows: Rows) -> str:
    inputs = {row["what"]: int(row["inputs"]) for row in rows}
    return (
        f"of {inputs['all']:,} files damaged at random, {inputs['anything else'] or 'none'} ended in anything but "
        "results or a sentence that says what to change"
    )


def _damaged(rows: Rows, table: Table) -> Iterator[str]:
    yield INPUT
    shown = (tuple(row.values()) for row in rows if not row["what"].startswith("refused:"))
    yield table(("damaged at random", "inputs", "slowest, seconds", "most memory, MB"), *shown)


SECTIONS = (
    Section("verify", "Does the program compute what theory knows?", _agreement, _exact),
    Section("verify", "Would a mistake be noticed?", _number_made, _mistakes),
    Section("textbook", "Does a second program find the same?", _both, _second),
    Section("calibration", "Do intervals of 95 % hold the truth?", _counted, _intervals),
    Section("variance", "What do the same patients in every plan gain?", _gained, _paired),
    Section("speed_history", "How fast is it?", _fastest, _speed),
    Section("fuzz", "Can a wrong file do harm?", _harm, _damaged),
)
