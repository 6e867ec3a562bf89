"""Tables in GitHub-flavored Markdown, for pages, job summaries and `--md`."""

from __future__ import annotations

import re
from itertools import zip_longest
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["escaped", "table"]

_HTML = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
# An underscore inside a word is never emphasis, so names of metrics stay readable where nothing is rendered.
_MARKUP = re.compile(r"[&<>\\`*\[\]|~$]|(?<![^\W_])_|_(?![^\W_])")
_AMOUNT = r"[-+]?\d[\d,.]*(?:e[-+]?\d+)?(?: ?%)?"
_NUMBER = re.compile(rf"(?:{_AMOUNT}(?: to {_AMOUNT})?|[-+]?inf|nan|–)?")
_PADDED = {"l": str.ljust, "c": str.center, "r": str.rjust}
_ENDS = {"l": ("-", "-"), "c": (":", ":"), "r": ("-", ":")}


def escaped(text: str) -> str:
    """The text on one line, so that it renders as it stands: no markup, no HTML, no end of a cell."""
    return _MARKUP.sub(lambda mark: _HTML.get(mark[0], f"\\{mark[0]}"), " ".join(text.split()))


def table(header: Sequence[str], rows: Iterable[Sequence[object]], align: str = "") -> str:
    """A table, padded so that it reads well as plain text too.

    Args:
        header: Titles of the columns, one or more.
        rows: A cell for each title; what is no text is written with `str`, None as an empty cell.
        align: A letter for each column from the left: `l`, `r` or `c`. Columns without a letter stand to the right
            if they hold nothing but numbers, shares and intervals, and to the left otherwise.

    Raises:
        ValueError: A row has more or fewer cells than there are titles.
    """
    lines = [["" if cell is None else escaped(str(cell)) for cell in line] for line in (header, *rows)]
    columns = list(zip(*lines, strict=True))
    sides = [side or _side(texts[1:]) for side, texts in zip_longest(align, columns, fillvalue="")]
    widths = [max(3, *map(len, texts)) for texts in columns]
    shape = list(zip(sides, widths, strict=True))
    head, *body = (
        [_PADDED[side](text, width) for text, (side, width) in zip(line, shape, strict=True)]
        for line in lines
    )
    rule = [f"{_ENDS[side][0]:-<{width - 1}}{_ENDS[side][1]}" for side, width in shape]
    return "\n".join(f"| {' | '.join(line)} |" for line in (head, rule, *body))


def _side(texts: Sequence[str]) -> str:
    return "r" if any(texts) and all(map(_NUMBER.fullmatch, texts)) else "l"
