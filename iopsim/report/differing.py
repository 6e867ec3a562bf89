"""What differs between two plans, as sentences and tables for the console and for Markdown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from iopsim.report.wording import difference_text, interval_text, number_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import Console

    from iopsim.experiment.differ import Change, Differences, Gap, Outcome

__all__ = ["as_markdown", "print_diff"]


class Table(NamedTuple):
    """Header and rows of a table, and a letter for each column: `l` for words, `r` for numbers."""

    header: list[str]
    rows: list[list[str]]
    align: str


def print_diff(out: Console, found: Differences, names: Sequence[str]) -> None:
    """Print what differs; `names` are those of the two files or folders."""
    from rich import box
    from rich.markup import escape
    from rich.table import Table as Shown

    for block in _blocks(found, names):
        if isinstance(block, str):
            out.print(escape(block), soft_wrap=True)
            continue
        table = Shown(box=box.SIMPLE)
        for title, side in zip(block.header, block.align, strict=True):
            table.add_column(title, justify="right" if side == "r" else "left", overflow="fold")
        for row in block.rows:
            table.add_row(*map(escape, row))
        out.print(table)


def as_markdown(found: Differences, names: Sequence[str]) -> str:
    """The same as GitHub-flavored Markdown."""
    from iopsim.report.markdown import escaped, table

    return "\n\n".join(
        escaped(block) if isinstance(block, str) else table(*block) for block in _blocks(found, names)
    )


def _blocks(found: Differences, names: Sequence[str]) -> Iterator[str | Table]:
    yield from (f"{letter}: {name}" for letter, name in zip("AB", names, strict=True))
    if found.facts:
        yield _changes("simulated with", found.facts)
    if found.changes:
        yield f"{_many(len(found.changes), 'value')} of the scenarios differ{'s' * (len(found.changes) == 1)}:"
        yield _changes("value", found.changes)
    yield from _of_replications(found)
    if found.outcome:
        yield from _outcome(found.outcome)


def _of_replications(found: Differences) -> Iterator[str]:
    """What the changes mean for what is simulated, unless that is plain."""
    if found.changes:
        if found.same_replications:
            yield "Nothing of this changes what is simulated: both have the same replications."
    elif found.same_replications:
        yield "The scenarios are identical."
    elif any(fact.what == "model version" for fact in found.facts):
        yield "The scenarios are identical; the programs that simulate them are not."
    else:
        yield "No value of the scenarios differs, but a data file they name does."


def _changes(title: str, changes: Sequence[Change]) -> Table:
    rows = [[change.what, _value(change.a), _value(change.b)] for change in changes]
    return Table([title, "A", "B"], rows, "lll")


def _value(value: Any) -> str:
    """A value as YAML on one line; a dash where it is not there."""
    match value:
        case None:
            return "–"
        case Mapping():
            return f"{{{', '.join(f'{key}: {_value(part)}' for key, part in value.items())}}}"
        case list():
            return f"[{', '.join(map(_value, value))}]"
        case bool():
            return str(value).lower()
        case float():
            return f"{value:.12g}"
        case _:
            return str(value)


def _outcome(outcome: Outcome) -> Iterator[str | Table]:
    known = [gap for gap in outcome.gaps if gap.by_more_than_chance]
    a, b = outcome.replications
    numbers = _many(a, "replication") if a == b else f"{a} and {_many(b, 'replication')}"
    if outcome.gaps:
        if outcome.unpaired:
            yield f"Replications form no pairs ({'; '.join(outcome.unpaired)}), so each has its own 95 % interval."
            how = "so that their intervals have no value in common"
        else:
            how = "by more than chance (paired; all intervals hold together at 95 %)"
        rest, equal = len(outcome.gaps) - len(known), outcome.compared - len(outcome.gaps)
        yield (
            f"Of {_many(outcome.compared, 'metric')} in {numbers}, {len(known)} differ {how}, "
            f"{rest} by no more than chance may, {equal} not at all{':' if known else '.'}"
        )
    else:
        yield f"The results are identical: {_many(outcome.compared, 'metric')} in {numbers}."
    if known:
        yield _unpaired(known) if outcome.unpaired else _paired(known)
    for letter, only in (("A", outcome.only_a), ("B", outcome.only_b)):
        if only:
            more = f" and {len(only) - 8} more" if len(only) > 8 else ""
            yield f"Only {letter} has {', '.join(only[:8])}{more}."


def _paired(gaps: Sequence[Gap]) -> Table:
    rows = [[gap.metric, *_estimates(gap), *difference_text(gap.difference, gap.unit)] for gap in gaps]
    return Table(["metric", "A", "B", "difference", "interval", "unit"], rows, "lrrrrl")


def _unpaired(gaps: Sequence[Gap]) -> Table:
    rows = []
    for gap in gaps:
        a, b = _estimates(gap)
        ours, theirs = (interval_text(one.low, one.high, gap.unit) for one in (gap.a, gap.b))
        difference, _, unit = difference_text(gap.difference, gap.unit)
        rows.append([gap.metric, a, ours, b, theirs, difference, unit])
    return Table(["metric", "A", "interval", "B", "interval", "difference", "unit"], rows, "lrrrrrl")


def _estimates(gap: Gap) -> list[str]:
    return [number_text(one.estimate, gap.unit) for one in (gap.a, gap.b)]


def _many(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"
