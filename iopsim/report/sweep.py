"""A sweep in words: what its parameters and points are called, what it answers, and a table of the points."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, NamedTuple

from iopsim.experiment.equilibrium import unsteady
from iopsim.experiment.summary import goals
from iopsim.experiment.sweep.answers import enough_to_decide
from iopsim.report.figures.goals import labels, spaced
from iopsim.report.style import listed
from iopsim.report.wording import difference_text, interval_text, limit_text, number_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rich.console import Console

    from iopsim.experiment.summary import Estimate, Goal
    from iopsim.experiment.sweep.answers import Answer
    from iopsim.experiment.sweep.load import Design
    from iopsim.experiment.sweep.table import Judged
    from iopsim.scenario.schema import Scenario
    from iopsim.scenario.sweeps import Label

__all__ = [
    "Told",
    "as_json",
    "as_markdown",
    "axis_words",
    "label_text",
    "notes_on",
    "point_words",
    "print_sweep",
    "sentences",
]

_KINDS = {"levels": "level", "sources": "source", "staff": "role", "tracks": "track", "payers": "payer"}
_KINDS |= {"services": "service", "rooms": "room"}
_SHOWN = 20  # lines of the table
_GAP = 2
_NARROW = 76  # columns of a terminal below which a point takes lines of its own
_MANY_MORE = 100  # times as many replications: more of them will hardly help


class Told(NamedTuple):
    """A sweep that has finished: what was asked, its points, what they say together, and what else is to be said."""

    design: Design
    judged: Sequence[Judged]
    answer: Answer
    notes: Sequence[str]


def axis_words(name: str, label: str | None, scenario: Scenario) -> str:
    """What people read for a parameter: its label, or the words of its path.

    Args:
        name: Dotted path, or a name of its own.
        label: What the sweep calls it.
        scenario: What the names in the path are names of.
    """
    if label or "." not in name:
        return label or spaced(name)
    section, owner, *rest = re.findall(r"[^.\[\]]+", name)
    kind = _KINDS.get(section)
    if not kind:
        return f"{spaced(section)}: {spaced(' '.join([owner, *rest]))}"
    whose = [f"every {kind}" if owner == "*" else labels(scenario).get(owner, spaced(owner))]
    if rest[:1] == ["groups"] and len(rest) > 1:
        group = scenario.levels[owner].groups.get(rest[1]) if owner in scenario.levels else None
        whose.append("every group" if rest[1] == "*" else (group and group.label) or spaced(rest[1]))
        rest = rest[2:]
    numbered = [str(int(step) + 1) if step.isdigit() else spaced(step) for step in rest]
    return f"{', '.join(whose)}{': ' if numbered else ''}{' '.join(numbered)}"


def point_words(design: Design, labels_of: Sequence[Label]) -> str:
    """What people read for a point: `Groups 5, Therapists 6`."""
    words = [axis_words(axis.name, axis.label, design.base) for axis in design.axes]
    return ", ".join(f"{word} {label_text(label)}" for word, label in zip(words, labels_of, strict=True))


def label_text(label: Label) -> str:
    """A value of a parameter: numbers with as many digits as they need."""
    return label if isinstance(label, str) else f"{label:,.6g}" if isinstance(label, float) else f"{label:,}"


def sentences(told: Told) -> list[str]:
    """What the sweep answers."""
    design, answer = told.design, told.answer
    if not design.base.targets:
        return ["No targets are set, so no point is better than those of the frontier of cost against wait."]
    asked = goals(design.base.targets)
    if answer.cheapest is None:
        return list(_none_meets(told, asked))
    said = [_cheapest(told, answer.cheapest)]
    if answer.difference and len(answer.meeting) > 1:
        said.append(_runner_up(told, answer.meeting[1]))
    if answer.may_be_cheaper:
        number = len(answer.may_be_cheaper)
        first = _point(told, answer.may_be_cheaper[0])
        which = (
            f"A cheaper point, {first}, is" if number == 1 else f"{number} cheaper points, first {first}, are"
        )
        said.append(f"{which} undecided: {_more(answer.may_be_cheaper, asked)}.")
    return said


def _cheapest(told: Told, best: Judged) -> str:
    number, of = len(told.answer.meeting), len(told.judged)
    which = "One point meets" if number == 1 else f"{number} of {of} points meet"
    if best.cost is None:
        return f"{which} all targets; the first is {_point(told, best)}."
    superlative = "the best" if best.cost.better == "higher" else "the cheapest"
    found = [_value(one) for one in dict.fromkeys((best.cost, best.wait)) if one]
    return f"{which} all targets; {'it' if number == 1 else superlative} is {_point(told, best)}: {'; '.join(found)}."


def _runner_up(told: Told, second: Judged) -> str:
    difference, cost = told.answer.difference, second.cost
    assert difference is not None and cost is not None
    name, unit = f"The next one, {_point(told, second)},", cost.unit
    is_gain = cost.better == "higher"
    verb, much = ("brings", "less") if is_gain else ("costs", "more")
    if number_text(difference.low, unit) == number_text(difference.high, unit):
        amount = (
            f"{number_text(abs(difference.estimate), unit)} {unit} {much}"
            if difference.estimate
            else "the same"
        )
        return f"{name} {verb} {amount} with any patients."
    estimate, ends, unit = difference_text(difference, unit)
    known = difference.high < 0 if is_gain else difference.low > 0
    words = f"{verb} {much}" if known else "is not told apart"
    whose = "" if _demand_differs(told.design) else ", the same patients in both"
    return f"{name} {words}: {estimate} {unit}{f' ({ends})' if ends else ''}{whose}."


def _demand_differs(design: Design) -> bool:
    return any(scenario.sources != design.scenarios[0].sources for scenario in design.scenarios)


def _none_meets(told: Told, asked: Mapping[str, Goal]) -> Iterator[str]:
    undecided, nearest = told.answer.undecided, told.answer.nearest
    assert nearest is not None
    missed = sum(one.verdict == "missed" for one in told.judged)
    if undecided:
        counts = f"{len(undecided)} undecided, {missed} missed" if missed else "all are undecided"
        yield f"No point is known to meet all targets: {counts}; {_more(undecided, asked)}."
    else:
        yield f"No point meets all targets: each misses one or more of {len(asked)}."
    short = [
        f"{one.name} {_value(one, named=False)}, asked {_asked(asked[one.name], one.unit)}"
        for one in nearest.targets
        if one.verdict != "met"
    ]
    yield f"The nearest is {_point(told, nearest)}: {'; '.join(short)}."


def _more(points: Sequence[Judged], asked: Mapping[str, Goal]) -> str:
    """How many replications may decide the first that can be decided."""
    needed = [(enough_to_decide(one, asked), one.replications) for one in points]
    within = [number for number, there in needed if number <= _MANY_MORE * there]
    if not within:
        return "more replications will hardly decide"
    number = min(within)
    step = 10 ** max(1, math.floor(math.log10(number)) - 1)
    return f"about {math.ceil(number / step - 1e-9) * step:,} replications may decide"


def _point(told: Told, one: Judged) -> str:
    return f"{point_words(told.design, one.point.labels)} (point {one.point.number})"


def _value(one: Estimate, *, named: bool = True) -> str:
    unit, ends = "" if one.unit == "share" else f" {one.unit}", _ends(one)
    name = f"{one.name} " if named else ""
    return f"{name}{number_text(one.interval.estimate, one.unit)}{unit}{f' ({ends})' if ends else ''}"


def _ends(one: Estimate) -> str:
    """The interval; empty if it is not known, or no wider than what is shown."""
    low, high = (number_text(end, one.unit) for end in (one.interval.low, one.interval.high))
    return "" if low == high else interval_text(one.interval.low, one.interval.high, one.unit)


def _asked(goal: Goal, unit: str) -> str:
    sides = (("at least", goal.low), ("at most", goal.high))
    return listed([f"{word} {limit_text(limit, unit)}" for word, limit in sides if math.isfinite(limit)])


# The table of the points


def _shown(told: Told) -> list[Judged]:
    """The points worth a line, the cheapest first: all if they are few, else those that meet or are on the frontier."""
    front = {one.point.number for one in told.answer.frontier}
    wanted = list(told.judged)
    if len(wanted) > _SHOWN:
        chosen = [one for one in wanted if one.verdict == "met" or one.point.number in front]
        # What meets the targets comes first where there are more than fit.
        wanted = sorted(chosen or wanted, key=lambda one: (one.verdict != "met", _cost(one)))[:_SHOWN]
    return sorted(wanted, key=lambda one: (_cost(one), one.point.number))


def _cost(one: Judged) -> float:
    return one.cost.interval.estimate if one.cost else 0.0


def _columns(told: Told) -> list[str]:
    """The metrics of the table: cost, wait, and what targets stand on."""
    names = (told.design.cost, told.design.wait, *goals(told.design.base.targets))
    return list(dict.fromkeys(name for name in names if name))


def _found(one: Judged) -> dict[str, Estimate]:
    return {found.name: found for found in (one.cost, one.wait, *one.targets) if found}


def _title(told: Told, shown: Sequence[Judged]) -> str:
    design, number = told.design, len(told.judged)
    each = {one.replications for one in told.judged}
    many = f"{min(each)} to {max(each)}" if len(each) > 1 else str(max(each))
    part = "" if len(shown) == number else f"; {len(shown)} that meet all targets or are on the frontier"
    star = "; * on the frontier of cost and wait" if told.answer.frontier else ""
    return f"{design.name}: {number} points of {many} replications, seed {design.base.run.seed}{part}{star}"


def print_sweep(out: Console, told: Told) -> None:
    """Print the points worth a line, the answers, and the notes."""
    from rich.markup import escape

    shown = _shown(told)
    out.print(escape(_title(told, shown)))
    if shown and (out.width < _NARROW or not _print_table(out, told, shown)):
        for line in _lines(told, shown):
            out.print(escape(line))
    for sentence in sentences(told):
        out.print(f"[bold]{escape(sentence)}[/bold]")
    for note in told.notes:
        out.print(escape(f"note: {note}"))


def _print_table(out: Console, told: Told, shown: Sequence[Judged]) -> bool:
    """Print the points as a table, with intervals if there is room for them; whether its numbers fit at all."""
    from rich import box
    from rich.markup import escape
    from rich.table import Table

    colors = {"met": "green", "missed": "red", "undecided": "yellow", "": ""}
    table = Table(box=box.SIMPLE_HEAD, show_edge=False)
    header, rows = _cells(told, shown, with_intervals=True)
    if sum(_widths(rows)) > out.width:
        header, rows = _cells(told, shown, with_intervals=False)
        if sum(_widths(rows)) > out.width:
            return False
    for title, width in zip(header, _widths(rows), strict=True):
        table.add_column(escape(title), justify="right", overflow="fold", min_width=width - _GAP)
    for one, row in zip(shown, rows, strict=True):
        *cells, verdict = map(escape, row)
        color = colors[one.verdict]
        table.add_row(*cells, f"[{color}]{verdict}[/{color}]" if color else verdict)
    out.print(table)
    return True


def _widths(rows: Sequence[Sequence[str]]) -> list[int]:
    """Columns that each column of cells takes, with the gap beside it."""
    return [max(map(len, column)) + _GAP for column in zip(*rows, strict=True)]


def _cells(told: Told, shown: Sequence[Judged], *, with_intervals: bool) -> tuple[list[str], list[list[str]]]:
    """Header and rows of the table; a star stands at the points of the frontier."""
    front = {one.point.number for one in told.answer.frontier}
    names = _columns(told)
    words = [axis_words(axis.name, axis.label, told.design.base) for axis in told.design.axes]
    rows = []
    for one in shown:
        found = _found(one)
        star = "*" if one.point.number in front else ""
        cells = [_cell(found[name], with_intervals=with_intervals) for name in names]
        rows.append([f"{star}{one.point.number}", *map(label_text, one.point.labels), *cells, one.verdict])
    return ["point", *words, *names, "targets"], rows


def _cell(one: Estimate, *, with_intervals: bool) -> str:
    text = number_text(one.interval.estimate, one.unit)
    ends = _ends(one) if with_intervals else ""
    return f"{text} ({ends})" if ends else text


def _lines(told: Told, shown: Sequence[Judged]) -> Iterator[str]:
    front = {one.point.number for one in told.answer.frontier}
    for one in shown:
        star = "*" if one.point.number in front else ""
        verdict = f": {one.verdict}" if one.verdict else ""
        yield f"{star}{one.point.number} {point_words(told.design, one.point.labels)}{verdict}"
        for name, found in _found(one).items():
            yield f"    {name} {_value(found, named=False)}"


def as_markdown(told: Told) -> str:
    """The answers and the table as GitHub-flavored Markdown."""
    from iopsim.report.markdown import escaped, table

    shown = _shown(told)
    header, rows = _cells(told, shown, with_intervals=True)
    notes = [f"Note: {note}" for note in told.notes]
    blocks = [
        *map(escaped, sentences(told)),
        escaped(_title(told, shown)),
        table(header, rows),
        *map(escaped, notes),
    ]
    return "\n\n".join(blocks)


def as_json(told: Told, folder: str) -> str:
    """The points and the answers as JSON."""
    import json

    from iopsim.experiment.sweep.table import point_rows

    design, answer = told.design, told.answer
    header, rows = point_rows(design, told.judged)
    difference = answer.difference
    found = {
        "sweep": design.name,
        "results": folder,
        "points": [dict(zip(header, map(_plain, row), strict=True)) for row in rows],
        "frontier": [one.point.number for one in answer.frontier],
        "meeting": [one.point.number for one in answer.meeting],
        "undecided": [one.point.number for one in answer.undecided],
        "nearest": answer.nearest.point.number if answer.nearest else None,
        "runner_up_costs_more": difference
        and {key: _plain(getattr(difference, key)) for key in ("estimate", "low", "high", "n")},
        "answer": sentences(told),
        "notes": list(told.notes),
    }
    return json.dumps(found, indent=2, ensure_ascii=False)


def _plain(value: object) -> object:
    """JSON knows no NaN."""
    return None if isinstance(value, float) and value != value else value  # noqa: PLR0124


def notes_on(design: Design, judged: Sequence[Judged]) -> list[str]:
    """What is to be said of the points besides: which are not precise enough, and where a list grows without end."""
    notes = []
    if short := [one for one in judged if one.short_of]:
        first = short[0]
        what = "; ".join(map(str, first.short_of or ()))
        notes.append(
            f"{_points(short, judged)} not yet as precise as asked after the most replications allowed "
            f"({first.replications}, run.replications.max): point {first.point.number} {what}."
        )
    if _demand_differs(design):
        notes.append(
            "Demand differs between points, and nobody chooses it: compare points of the same demand."
        )
    growing = [one for one, scenario in zip(judged, design.scenarios, strict=True) if unsteady(scenario)]
    if growing:
        notes.append(
            f"{_points(growing, judged)} not in equilibrium: a list grows as long as the clinic is open, so how long "
            "people wait there depends on run.weeks and has no interval."
        )
    return notes


def _points(some: Sequence[Judged], judged: Sequence[Judged]) -> str:
    if len(some) == 1:
        return f"Point {some[0].point.number} is"
    return f"{len(some)} of {len(judged)} points are"
