"""How every figure looks, and how it becomes files: the same bytes for the same results.

Colors are those of Okabe & Ito (2008), told apart by readers who see no red or green; as a printer may be gray, no
meaning stands on a color alone.
"""

from __future__ import annotations

import io
import math
import re
import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from iopsim.report.wording import number_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from matplotlib.artist import Artist
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

__all__ = [
    "BLUE",
    "ESTIMATE",
    "GRAY",
    "GREEN",
    "HATCHED",
    "INK",
    "ORANGE",
    "PALE",
    "PRECISION",
    "SKY",
    "VERMILLION",
    "WIDTH",
    "YEARS",
    "Drawing",
    "files",
    "fitted",
    "in_a_sentence",
    "listed",
    "measure",
    "sheet",
    "styled",
    "trimmed",
]

BLUE, SKY, GREEN = "#0072B2", "#56B4E9", "#009E73"
ORANGE, VERMILLION = "#E69F00", "#D55E00"
INK, GRAY, PALE = "#222222", "#6B6B6B", "#EFEFEF"

HATCHED: dict[str, Any] = {"facecolor": "white", "edgecolor": ORANGE, "hatch": "////", "linewidth": 1}

PRECISION = "precision (95 % interval of the mean)"
YEARS = "range of years (10–90 % of replications)"
ESTIMATE = "precision (95 % interval of the estimate)"

WIDTH = 8.0  # inches
_DPI = 110
_TITLE, _NOTE, _LEGEND = 0.21, 0.165, 0.24  # inches a line
_MARGIN = 0.12  # inches around everything

_STYLE: dict[Any, Any] = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],  # comes with matplotlib: the same letters on every machine
    "font.size": 11,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": GRAY,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 10.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "grid.color": "#DDDDDD",
    "grid.linewidth": 0.7,
    "xtick.color": GRAY,
    "ytick.color": GRAY,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.labelsize": 10,
    "ytick.labelsize": 10,
    "lines.linewidth": 1.8,
    "hatch.linewidth": 0.7,
    "legend.fontsize": 10,
    "legend.frameon": False,
    "text.parse_math": False,  # a label may hold dollars
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "svg.fonttype": "none",
    "svg.hashsalt": "iopsim",
}


@dataclass(frozen=True, slots=True)
class Drawing:
    """A finished figure.

    Attributes:
        name: File name without its ending.
        title: What is seen.
        alt: The same for who cannot see it, in one sentence.
        figure: The picture.
    """

    name: str
    title: str
    alt: str
    figure: Figure


@contextmanager
def styled() -> Iterator[None]:
    """The house style, whatever the machine's own settings are."""
    import matplotlib as mpl

    with mpl.rc_context(), warnings.catch_warnings():
        # A label in a script that the letters lack shows boxes in the PNG; the SVG has it as text.
        warnings.filterwarnings("ignore", "Glyph .* missing from font", UserWarning)
        mpl.rcdefaults()
        mpl.rcParams.update(_STYLE)
        yield


def sheet(title: str, note: str, body: float, legend: Sequence[tuple[Artist, str]] = ()) -> Figure:
    """An empty figure under a title and a note, over a legend; its panels find their places by themselves.

    Args:
        title: What is seen; wrapped.
        note: What a reader must know to read it right; wrapped, may be empty.
        body: Height of what is between them, in inches.
        legend: What each kind of mark means.
    """
    from matplotlib.figure import Figure

    inner = WIDTH - 2 * _MARGIN
    head, told = fitted(title, inner, 13, "bold", 3), fitted(note, inner, 10)
    legend = [
        (mark, "".join(fitted(text, inner - 0.6, 10, most=1)).replace("\N{NO-BREAK SPACE}%", " %"))
        for mark, text in legend
    ]
    columns = _legend_columns([text for _, text in legend])
    foot = _LEGEND * math.ceil(len(legend) / columns) + (_MARGIN if legend else 0)
    above = _MARGIN + _TITLE * len(head) + 0.06
    height = above + _NOTE * len(told) + _MARGIN + body + foot
    figure = Figure(figsize=(WIDTH, height), dpi=_DPI, layout="constrained")
    left = _MARGIN / WIDTH
    for lines, top, look in (
        (head, _MARGIN, {"size": 13, "weight": "bold"}),
        (told, above, {"size": 10, "color": GRAY}),
    ):
        figure.text(left, 1 - top / height, "\n".join(lines), va="top", linespacing=1.15, **look)  # type: ignore[arg-type]
    layout = figure.get_layout_engine()
    assert layout is not None, "a figure made with a layout has one"
    layout.set(rect=(left / 2, foot / height, 1 - left, body / height), h_pad=0.07, hspace=0.06, wspace=0.04)  # type: ignore[call-arg]
    if legend:
        marks, texts = zip(*legend, strict=True)
        figure.legend(marks, texts, loc="lower left", bbox_to_anchor=(0, 0), ncols=columns, columnspacing=1.6)
    return figure


@lru_cache(maxsize=4096)
def _width(text: str, size: float, weight: str = "normal") -> float:
    """Inches that a line of text takes, with 3 % to spare for who draws it with other letters."""
    from matplotlib.font_manager import FontProperties, findfont, get_font
    from matplotlib.ft2font import LoadFlags

    font = get_font(findfont(FontProperties(weight=weight)))
    font.set_size(size, 72)
    font.set_text(text, flags=LoadFlags.NO_HINTING)  # no pixel grid adds to the width
    return 1.03 * float(font.get_width_height()[0]) / 64 / 72


def fitted(text: str, inches: float, size: float, weight: str = "normal", most: int = 0) -> list[str]:
    """The text on lines of at most so many inches; a number stays with its percent sign.

    Args:
        text: What is to be said.
        inches: Width of a line.
        size: Of the letters, in points.
        weight: Of the letters.
        most: Lines, if they are not to be more: of a longer text words in its middle are left out.
    """
    words = [*filter(None, text.replace(" %", "\N{NO-BREAK SPACE}%").split(" "))]
    lines = _wrapped(words, inches, size, weight)
    for left_out in range(1, len(words)):
        if not most or len(lines) <= most:
            break
        start = (len(words) - left_out + 1) // 2
        lines = _wrapped([*words[:start], "…", *words[start + left_out :]], inches, size, weight)
    return lines


def _wrapped(words: Sequence[str], inches: float, size: float, weight: str) -> list[str]:
    lines: list[str] = []
    for word in words:
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and _width(longer, size, weight) <= inches:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def _legend_columns(texts: Sequence[str]) -> int:
    """As many columns as fit side by side; they are filled from top to bottom, each as wide as its widest text."""
    for columns in range(len(texts), 1, -1):
        rows, longer = divmod(len(texts), columns)  # the first columns hold one more
        starts = [column * rows + min(column, longer) for column in range(columns + 1)]
        widths = [max(_width(text, 10) for text in texts[start:end]) for start, end in pairwise(starts)]
        if sum(widths) + 0.6 * columns < WIDTH:
            return columns
    return 1


def files(drawing: Drawing) -> Iterator[tuple[str, bytes]]:
    """The drawing as SVG and as PNG: file name and content, without a date or a program's name in them."""
    figure = drawing.figure
    about = {"Title": drawing.title, "Description": drawing.alt}
    with styled():
        if layout := figure.get_layout_engine():
            layout.execute(figure)
            figure.set_layout_engine(None)  # panels have found their places; finding them again takes time
            for panel in figure.axes:  # the solver's last digits differ from time to time
                left, bottom, width, height = (round(part, 6) for part in panel.get_position().bounds)
                panel.set_position((left, bottom, width, height))
        contents = [
            (f"{drawing.name}.svg", _saved(figure, "svg", {**about, "Date": None, "Creator": None})),
            (f"{drawing.name}.png", _saved(figure, "png", {**about, "Software": None})),
        ]
    yield from contents


def _saved(figure: Figure, kind: str, metadata: dict[str, str | None]) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format=kind, dpi=_DPI, metadata=metadata)
    return buffer.getvalue()


def measure(axis: Axis, label: str, unit: str) -> None:
    """Label an axis with its unit, and write its numbers as people do: shares as percentages, thousands apart.

    Args:
        axis: One axis of a panel.
        label: What it shows; may say the unit itself.
        unit: Of the values; shares, and differences of shares in `percentage points`, run from 0 to 1.
    """
    from matplotlib.ticker import MaxNLocator

    scale, suffix = {"share": (100, " %"), "percentage points": (100, "")}.get(unit, (1, ""))
    axis.set_major_locator(MaxNLocator("auto", steps=[1, 2, 5, 10]))  # no halves of patients or days
    axis.set_major_formatter(lambda value, _: f"{_tick(scale * value)}{suffix}")
    axis.set_label_text(label if unit == "share" or unit.lower() in label.lower() else f"{label} ({unit})")


def _tick(value: float) -> str:
    return f"{value + 0.0:,.10g}".replace("-", "−")


def trimmed(value: float, unit: str = "") -> str:
    """A number as the table writes it, without zeros behind the point that say nothing."""
    return re.sub(r"\.0+(?!\d)", "", number_text(value, unit))


def in_a_sentence(label: str) -> str:
    """The label in lower case where it is an ordinary word: `RN` stays."""
    return label if label[1:2].isupper() else label[:1].lower() + label[1:]


def listed(names: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last
