"""Verdicts on targets, read back from finished results: what was asked, what was found, how the program is to end."""

from __future__ import annotations

import csv
import math
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from iopsim.errors import Fault, InputError, Mark
from iopsim.experiment.disk import told_as_machine_error
from iopsim.report.wording import interval_text, limit_text, number_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from iopsim.experiment.store import Results
    from iopsim.experiment.summary import Estimate, Verdict

__all__ = ["Case", "Suites", "cases_in", "cases_of", "exit_code", "no_targets", "overall", "tally"]

# In order: a target that is missed outweighs those that are undecided, and these outweigh those that are met.
_EXIT_CODES: dict[Verdict, int] = {"missed": 3, "undecided": 4, "met": 0}


@dataclass(frozen=True, slots=True)
class Case:
    """One target and what came of it.

    Attributes:
        name: What it is about, such as the full name of a metric.
        verdict: `met`, `missed` or `undecided`.
        message: What was found and what was asked, as in `15.4 days (14.4 to 16.7), asked at most 14`.
        facts: The same by name and as plain values, for programs.
    """

    name: str
    verdict: Verdict
    message: str
    facts: Mapping[str, object] = field(default_factory=dict)


Suites = Mapping[str, Sequence[Case]]  # the cases of each results folder, by what people know it by


def cases_of(found: Iterable[Estimate]) -> list[Case]:
    """The targets among what a run found, in its order; none if nothing was asked."""
    return [
        _case(one.name, one.unit, (i.estimate, i.low, i.high), one.target, one.verdict)
        for one in found
        for i in [one.interval]
        if one.target
    ]


def cases_in(results: Results) -> list[Case]:
    """The targets that finished results are judged by, in the order of their table.

    Raises:
        InputError: Nothing was asked of these results, or cannot be of such; or their table is missing or damaged.
    """
    mark = Mark(str(results.path))
    kind = str(results.manifest.get("kind"))
    if kind not in _TABLES:
        message = f"a {kind} has no verdicts on targets; {_INSTEAD.get(kind, 'give a run or a sweep')}"
        raise InputError(Fault("not-judged", message, mark=mark))
    name, judge = _TABLES[kind]
    with told_as_machine_error(results.path, None):
        try:
            with results.file(name).open(encoding="utf-8", newline="") as file:
                if not (rows := list(csv.DictReader(file, strict=True))):
                    raise ValueError("an empty table")
                cases = list(judge(rows, results.manifest))
        except (FileNotFoundError, LookupError, TypeError, ValueError, csv.Error) as error:
            message = f"{name} is missing or damaged; give the command that wrote this folder again"
            raise InputError(Fault("damaged-results", message, mark=mark)) from error
    if not cases:
        raise InputError(no_targets(mark))
    return cases


def overall(cases: Iterable[Case]) -> Verdict:
    """`missed` if any is missed, otherwise `undecided` if any is undecided, otherwise `met`.

    Raises:
        InputError: There are no cases: where nothing is asked nothing is met.
    """
    found = {case.verdict for case in cases}
    if not found:
        raise InputError(no_targets())
    return next(verdict for verdict in _EXIT_CODES if verdict in found)


def exit_code(cases: Iterable[Case]) -> int:
    """0 if all are met, 3 if any is missed, otherwise 4.

    Raises:
        InputError: There are no cases.
    """
    return _EXIT_CODES[overall(cases)]


def no_targets(mark: Mark | None = None) -> Fault:
    """The error that there is nothing to judge by."""
    example = "targets: [{metric: NAME, at_most: 14}]"
    return Fault(
        "no-targets", f"no targets to judge by; add some, as in `{example}`, and run it again", mark=mark
    )


def tally(cases: Sequence[Case]) -> str:
    """How many are what: `1 of 3 targets met, 1 missed, 1 undecided`."""
    number = Counter(case.verdict for case in cases)
    others = (f", {number[verdict]} {verdict}" for verdict in ("missed", "undecided") if number[verdict])
    return f"{number['met']} of {len(cases)} target{'s' * (len(cases) != 1)} met{''.join(others)}"


def _of_run(rows: Sequence[Mapping[str, str]], _: Mapping[str, Any]) -> Iterator[Case]:
    """A case for each line of summary.csv with a target."""
    for row in rows:
        if row["target"]:
            estimate, low, high = (float(row[name] or "nan") for name in ("estimate", "ci_low", "ci_high"))
            yield _case(row["metric"], row["unit"], (estimate, low, high), row["target"], row["verdict"])


def _case(name: str, unit: str, interval: tuple[float, float, float], target: str, verdict: str) -> Case:
    if verdict not in _EXIT_CODES:
        raise ValueError(f"no verdict: {verdict}")
    estimate, low, high = interval
    ends = interval_text(low, high, unit)
    found = f"{_value(estimate, unit)} ({ends})" if ends else _value(estimate, unit)
    asked = re.sub(r"-?\d\S*", lambda limit: limit_text(float(limit[0]), unit), target)
    numbers = {"estimate": estimate, "ci_low": low, "ci_high": high}
    known = {name: number if math.isfinite(number) else None for name, number in numbers.items()}
    return Case(name, verdict, f"{found}, asked {asked}", {"unit": unit, **known, "target": target})


def _value(value: float, unit: str) -> str:
    if math.isnan(value):
        return "not known"
    return number_text(value, unit) if unit == "share" else f"{number_text(value, unit)} {unit}"


def _of_sweep(rows: Sequence[Mapping[str, str]], manifest: Mapping[str, Any]) -> Iterator[Case]:
    """One case for points.csv: whether there is a point that meets all targets."""
    counts = Counter(row["verdict"] for row in rows)
    if counts.keys() - {*_EXIT_CODES, ""}:
        raise ValueError("no verdict")
    judged = [verdict for verdict in _EXIT_CODES if counts[verdict]]
    if judged:
        may = f", {counts['undecided']} may" if counts["undecided"] else ""
        counted = f"{counts['met']} of {len(rows)} points do{may}"
        facts: dict[str, object] = {
            "points": len(rows),
            **{verdict: counts[verdict] for verdict in _EXIT_CODES},
        }
        answers = " ".join(manifest.get("answers", []))
        yield Case("a point meets all targets", judged[-1], answers or counted, facts)


_Judge = Callable[[Sequence[Mapping[str, str]], Mapping[str, Any]], Iterator[Case]]
_TABLES: dict[str, tuple[str, _Judge]] = {
    "run": ("summary.csv", _of_run),
    "sweep": ("points.csv", _of_sweep),
}
_INSTEAD = {
    "comparison": "run its plans with `iopsim run`, and give their folders",
    "shard": "join all parts with `iopsim merge`, and give the folder that it writes",
}
