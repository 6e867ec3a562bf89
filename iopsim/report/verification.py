"""What `iopsim verify` tells: exact answers beside simulated ones, case by case, and what follows from them."""

from __future__ import annotations

import math
import sys
from collections import Counter
from itertools import groupby
from textwrap import wrap
from typing import TYPE_CHECKING

from rich.markup import escape

from iopsim.verification.judge import AGREES, DIFFERS, UNDECIDED, Z_LIMIT, Judgment

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from rich.console import Console

    from iopsim.verification.case import Case

__all__ = ["as_csv", "as_json", "case_lines", "exit_code", "print_judgments", "texts"]

HEADER = ("theory", "simulated ± 95 %", "z", "verdict")
_COLORS = {AGREES: "green", DIFFERS: "red", UNDECIDED: "yellow"}
_EXIT_CODES = {DIFFERS: 3, UNDECIDED: 4, AGREES: 0}  # in order: what differs outweighs what is undecided
_GAP = 2
_FEWEST = 20  # columns for words, however narrow the terminal
_DIGITS = 2  # of the half-width; the numbers beside it have as many decimals
_ROUNDING = 1e-9  # of a number: what sums of floats may differ by where there is no chance at all


def exit_code(found: Iterable[Judgment]) -> int:
    """3 if a claim differs from theory, otherwise 4 if one is undecided, otherwise 0."""
    verdicts = {one.verdict for one in found}
    return next((code for verdict, code in _EXIT_CODES.items() if verdict in verdicts), 0)


def print_judgments(out: Console, chosen: Mapping[str, Case], found: Sequence[Judgment]) -> None:
    """Print a table of the claims of each case, and what they say together."""
    cells = {one: texts(one) for one in found}
    widths = [max(map(len, column)) + _GAP for column in zip(HEADER, *cells.values(), strict=True)]
    longest = max(len(one.claim) + _GAP for one in found)
    room = max(_FEWEST, min(longest, out.width - sum(widths)))
    out.print(escape(" " * room + _aligned(HEADER, widths)), no_wrap=True, crop=False)
    out.print("─" * (room + sum(widths)), no_wrap=True, crop=False)
    for name, claims in groupby(found, key=lambda one: one.case):
        out.print(f"[bold]{escape(name)}[/bold]  {escape(chosen[name].title)}")
        for one in claims:
            first, *rest = wrap(one.claim, room - _GAP, subsequent_indent="  ")
            *numbers, verdict = cells[one]
            line = escape(f"  {first:<{room - _GAP}}{_aligned(numbers, widths)}{' ' * _GAP}")
            out.print(f"{line}[{_COLORS[verdict]}]{verdict}[/]", no_wrap=True, crop=False)
            for more in rest:
                out.print(escape(f"  {more}"), no_wrap=True, crop=False)
    for sentence in sentences(found):
        out.print(f"\n{escape(sentence)}")


def texts(one: Judgment) -> tuple[str, str, str, str]:
    """Theory, simulated number with its half-width, z and verdict, as people read them."""
    varies = one.half_width > _ROUNDING * abs(one.simulated)
    decimals = max(0, _DIGITS - 1 - math.floor(math.log10(one.half_width))) if varies else None
    theory, simulated = (_number(value, decimals) for value in (one.theory, one.simulated))
    half_width = "" if math.isnan(one.half_width) else _number(one.half_width if varies else 0.0, decimals)
    z = f"{round(one.z, 1) + 0.0:+.1f}" if math.isfinite(one.z) else "∞"
    return theory, f"{simulated} ± {half_width}".removesuffix(" ± "), z, one.verdict


def _number(value: float, decimals: int | None) -> str:
    return f"{value:,.6g}" if decimals is None or math.isinf(value) else f"{value:,.{decimals}f}"


def _aligned(cells: Sequence[str], widths: Sequence[int]) -> str:
    """Numbers to the right of their columns, the verdict to the left of its own."""
    *numbers, verdict = [*cells, ""][: len(HEADER)]
    shown = "".join(f"{cell:>{width}}" for cell, width in zip(numbers, widths, strict=False))
    return f"{shown}{' ' * _GAP}{verdict}".rstrip() if verdict else shown


def sentences(found: Sequence[Judgment]) -> Iterator[str]:
    """What the verdicts say together, and what to do where not all agree."""
    count = Counter(one.verdict for one in found)
    all_of_them = f"{_many(len(found), 'claim')} of {_many(len({one.case for one in found}), 'case')}"
    if count[AGREES] == len(found):
        furthest = max(abs(one.z) for one in found)
        yield (
            f"Simulation and theory agree in all {all_of_them}: none is further apart than {Z_LIMIT:g} standard "
            f"errors (the furthest {furthest:.1f})."
        )
        return
    yield f"Simulation and theory agree in {count[AGREES]} of {all_of_them}."
    if count[DIFFERS]:
        case = next(one.case for one in found if one.verdict == DIFFERS)
        yield (
            f"{_these(count[DIFFERS], 'differs', 'differ')} by more than {Z_LIMIT:g} standard errors, which chance "
            f"does once in 16,000 claims. See whether it stays with another chance (iopsim verify {case} --seed 7); "
            "if it does, do not rely on this installation, and report the table (--csv FILE) and `iopsim --version`."
        )
    if count[UNDECIDED]:
        yield (
            f"{_these(count[UNDECIDED], 'is', 'are')} undecided: so few replications cannot tell; ask for "
            "more with --replications."
        )


def _many(number: int, what: str) -> str:
    return f"{number:,} {what}{'s' * (number != 1)}"


def _these(number: int, one: str, more: str) -> str:
    return f"{number:,} {one if number == 1 else more}"


def case_lines(chosen: Iterable[Case], width: int) -> Iterator[str]:
    """The cases by theme, each with its name and its law."""
    for theme, members in groupby(chosen, key=lambda case: case.says.__module__):
        said = (sys.modules[theme].__doc__ or "").partition("\n")[0]
        cases = list(members)
        room = max(len(case.name) for case in cases) + _GAP
        yield from wrap(said, width)
        for case in cases:
            indent = " " * (_GAP + room)
            yield from wrap(f"  {case.name:<{room}}{case.title}", width, subsequent_indent=indent)


def as_json(found: Sequence[Judgment]) -> str:
    """The judgments as plain data; a number that is infinite or not known is null."""
    import json

    claims = [
        {
            name: None if isinstance(value, float) and not math.isfinite(value) else value
            for name, value in one._asdict().items()
        }
        for one in found
    ]
    verdicts = {one.verdict for one in found}
    verdict = next(word for word in _EXIT_CODES if word in verdicts)
    answer = {"verdict": verdict, "exit_code": exit_code(found), "z_limit": Z_LIMIT, "claims": claims}
    return json.dumps(answer, indent=2, ensure_ascii=False)


def as_csv(found: Sequence[Judgment]) -> str:
    """The table as CSV: a line for each claim."""
    import csv
    from io import StringIO

    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(Judgment._fields)
    writer.writerows([f"{cell:.6g}" if isinstance(cell, float) else cell for cell in one] for one in found)
    return text.getvalue()
